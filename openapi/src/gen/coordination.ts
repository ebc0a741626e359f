/** Made from coordination.yaml by `npm run generate`; not written by hand. */
export interface paths {
    "/v1/znodes/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The bytes of a znode
         * @description With `wait` and `If-None-Match` it is a blocking read: it answers once the data differs from the tag (200, or 404 when the znode is gone), or 304 when the wait is over; the zxid of that 304 is the newest at which it did not differ. It shows state, not events: of several changes it sees the last. With `Quorate-Session` it renews the session on arrival, and is answered within a third of its timeout.
         */
        get: operations["get"];
        /**
         * Create or replace
         * @description `If-None-Match: *` creates only, `If-Match: *` replaces only, `If-Match: "<etag>"` compares and sets. What shapes a znode does so when it is made: on one that exists it must be of that kind (ephemeral: of this session), and `acl` is refused, else 409 `nodeExists`. The body is kept as it comes; `Content-Encoding` is refused.
         */
        put: operations["put"];
        /** Create a child with the next sequence number */
        post: operations["create"];
        /**
         * Delete a znode, or it and all below
         * @description `recursive=true` is atomic and takes at most 10,000 znodes (413 beyond). The root, `/zookeeper`, `/zookeeper/config` and `/zookeeper/quota` cannot be deleted (400).
         */
        delete: operations["delete"];
        options?: never;
        /** Whether a znode exists, and its stat */
        head: operations["exists"];
        patch?: never;
        trace?: never;
    };
    "/v1/children/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Children, sorted by their bytes, in pages */
        get: operations["children"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tree/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A subtree at one zxid, as lines of JSON
         * @description The first line is `{zxid}`, the last `{end: true, count}`; **without that last line the answer was cut off**, and is to be
         *     asked for again. Between them stands one line for each znode, parents before children, names sorted by their bytes.
         *     Stats, data and rights are those of that zxid, however long it takes; to go on from there, watch `after` it. What may
         *     not be read below the znode is left out (what stands below that is judged by its own ACL). A client that reads nothing for
         *     25 s is cut off.
         */
        get: operations["tree"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/acl/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who may do what */
        get: operations["getAcl"];
        /**
         * Replace the ACL
         * @description `version` in the body, as GET answered it, is a condition like `If-Match`.
         */
        put: operations["setAcl"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/txn": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check, then all or nothing
         * @description A failing operation, or a failing check without `else`, is 409 with its own code and `op`. A txn of reads alone (get, exists, children, check) writes nothing and takes the consistency headers; on one that writes they are 400.
         */
        post: operations["txn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All sessions (super user) */
        get: operations["listSessions"];
        put?: never;
        /**
         * Open a session
         * @description There is no Idempotency-Key here: a session whose answer was lost expires by itself.
         */
        post: operations["createSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A session and its ephemerals (its owner, or the super user) */
        get: operations["getSession"];
        put?: never;
        post?: never;
        /** Close a session and delete its ephemerals, in one transaction */
        delete: operations["closeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/renew": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Renew a session */
        post: operations["renewSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/watch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happens on some paths, as a poll or as a stream
         * @description At least one of `node`, `children`, `subtree`; at most 100 paths together. A named path that may not be read is 403;
         *     below a subtree what may not be read is left out; rights that are lost later end the watch with 403.
         *
         *     **Without `after`** the answer is the state and a cursor, from one zxid, at once (413 beyond 1 MiB); go on from that
         *     cursor. A subtree has no state: read the tree, then watch behind its zxid. The consistency headers are about this state.
         *
         *     **With `after`** a poll (`application/json`) answers all events behind the cursor, at once if there are any, else when
         *     there are or when `wait` is over; then with no events and a newer cursor. `more`: there are further ones already. A
         *     transaction is never split; with `include=data` an answer ends with the transaction that passes 1 MiB of data. `wait` goes with `after` on a poll alone, else it is 400. A poll that bears
         *     `Quorate-Session` renews the session on arrival (an answer of 200 says that it did, no other does), is answered within a
         *     third of its timeout, and at once with 410 when the session ends. 410 `cursorTooOld` and `cursorOfAnotherHistory`: read the state again.
         *
         *     **A stream** (`text/event-stream`, `application/x-ndjson`) begins with the state, if there is no `after`, and goes on with
         *     the events. What can be gone on from bears its cursor (`id:`, or the field `cursor`): the last of the states, the last
         *     event of each transaction, and `cursor`, which comes every 15 s whatever happens. `end` is the last word, with the code
         *     of a problem where there is one: then the connection is closed. An `end` without a code is of a gateway that stops: go on
         *     elsewhere, from its cursor. Who reads too slowly (more than 1 MiB is unread, or nothing was read between two cursors) is
         *     ended with `throttled`; what was sent before can be read for up to a minute, while something is read every 20 s. Wherever a
         *     stream breaks off, the last cursor that came whole is the place to go on from. An open stream is no sign of life of a session, but ends with it.
         */
        get: operations["watch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/locks/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who holds a lock, and who waits
         * @description Both in the queue's order; of those who wait the first `limit`, and `waiting` is how many there are in all. A lock that nobody holds any more is 404 once its znode is swept away; until then it has no holders. What is no lock's is 409.
         */
        get: operations["getLock"];
        put?: never;
        /**
         * Take a lock, or a place in its queue
         * @description The lock's name is a znode's path: whoever contends is an ephemeral child of it, first come, first served. A client of Curator
         *     or kazoo on that path takes part. `layout` says whose names the children have; it, and what kind of lock it is, are fixed
         *     by the first use of the name (409 `nodeExists` for anything else).
         *
         *     **200**: it is held. `token` is the fencing token, which rises from each holder to the next: send it as `Quorate-Fenced`
         *     with every write that the lock protects. **202**: it is not, and the session has a place in the queue. Ask again to go on
         *     waiting: a session has one place in a queue, however often it asks, and keeps it while it lives. A broken connection costs nothing.
         *
         *     With `Quorate-Session` the call renews the session on arrival, and waits up to `wait`, a third of the session's timeout at
         *     most. Without, it opens a session for the lock and answers at once, with its secret: ask again with that. Such a
         *     session is closed by the release.
         *
         *     `token` makes the call a renewal of what is held: it waits, and answers early, with 412 `fenced`, when the lock is lost. A place
         *     that is gone is not made anew. **You hold the lock until the session's timeout after you sent the last call that was answered.**
         */
        post: operations["acquireLock"];
        /**
         * Give a lock back, or leave its queue
         * @description What the session has in this queue is deleted; the next in it holds the lock then. 404 `noNode` says that the session has nothing there: released before, by this request's first try too. A session that was opened for the lock is closed. With `token` the place is given up that has it, and no other: a request that is held up on its way, and comes when the session has taken the lock anew, is 412 `fenced`, and does nothing. So is the second try of one that was done.
         */
        delete: operations["releaseLock"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/elections/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who leads, once, once it is another, or as a stream
         * @description The ETag names the leader and what it proclaims. With `wait` and `If-None-Match` it is a blocking read: it answers once that is
         *     another (200), or 304 when the wait is over. With `Quorate-Session` it renews the session on arrival, and is answered within a third of its timeout.
         *
         *     **A stream** (`text/event-stream`, `application/x-ndjson`) begins with the present state and has another `leader` whenever the leader or
         *     what it proclaims is another; one that leads but shortly may be passed over. `alive` comes every 15 s whatever happens. `end` is the last word,
         *     with the code of a problem where there is one; without a code the gateway stops: connect to another. An open
         *     stream is no sign of life of a session, but ends with it.
         */
        get: operations["getElection"];
        /**
         * Replace what the leader is known by
         * @description The body is the new value. 412 `fenced` if the session does not lead.
         */
        put: operations["proclaim"];
        /**
         * Stand for election
         * @description As a lock is taken, and with the same rules for `wait`, `token` and sessions: 200 once the session leads, 202 while it is
         *     a candidate. The body is what others read of it once it leads, such as its address; a candidate that asks again does not change it (`PUT` does,
         *     once it leads).
         */
        post: operations["campaign"];
        /**
         * Resign, or withdraw as a candidate
         * @description As a lock is released: 404 `noNode` says that the session has nothing there, and 412 `fenced` that the place of `token` is no more, and nothing was done.
         */
        delete: operations["resign"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cluster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What each member last said; answers without a leader too */
        get: operations["cluster"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cluster/leader": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hand the leadership over (super user) */
        post: operations["handOver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document, to be read */
        get: operations["docs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs/errors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Each error, and what to do about it */
        get: operations["errorDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process lives */
        get: operations["livez"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process can serve as well as its siblings */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** For Prometheus */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @example 0x0000000200000017 */
        Zxid: string;
        /** @example 30s */
        Duration: string;
        /** Format: date-time */
        Time: string;
        Stat: {
            /** @description The fencing token; it rises with every re-creation. */
            czxid: components["schemas"]["Zxid"];
            /** @description Of the last write of data; the ETag. */
            mzxid: components["schemas"]["Zxid"];
            /** @description Of the last child made or deleted. */
            pzxid: components["schemas"]["Zxid"];
            ctime: components["schemas"]["Time"];
            mtime: components["schemas"]["Time"];
            /** Format: int32 */
            version: number;
            /** Format: int32 */
            cversion: number;
            /** Format: int32 */
            aversion: number;
            dataLength: number;
            numChildren: number;
            /** @enum {string} */
            kind: "persistent" | "ephemeral" | "container" | "ttl";
            /** @description Of an ephemeral alone. */
            ephemeralOwner?: components["schemas"]["Zxid"];
            /** @description Of kind ttl alone. */
            ttl?: components["schemas"]["Duration"];
        };
        /**
         * @description utf-8 where the bytes are valid UTF-8.
         * @enum {string}
         */
        Encoding: "utf-8" | "base64";
        Znode: {
            path: string;
            data: string;
            encoding: components["schemas"]["Encoding"];
            stat: components["schemas"]["Stat"];
        };
        NodeAnswer: {
            path: string;
            zxid: components["schemas"]["Zxid"];
            stat: components["schemas"]["Stat"];
        };
        DeleteAnswer: {
            /** @description How many znodes. */
            deleted: number;
            zxid: components["schemas"]["Zxid"];
        };
        Child: {
            name: string;
            stat?: components["schemas"]["Stat"];
            data?: string;
            encoding?: components["schemas"]["Encoding"];
        };
        Children: {
            /** @description Of the first page; the names are its. */
            zxid: components["schemas"]["Zxid"];
            children: components["schemas"]["Child"][];
            /** @description There are more. */
            continue?: string;
        };
        /** @example 0x0000000200000017.4a91e37371a4b3c6 */
        Cursor: string;
        WatchEvent: {
            zxid: components["schemas"]["Zxid"];
            /** @enum {string} */
            type: "created" | "changed" | "deleted";
            path: string;
            /**
             * Format: int32
             * @description Of the data after the change; the last one of what was deleted.
             */
            version: number;
            czxid: components["schemas"]["Zxid"];
            time: components["schemas"]["Time"];
            /** @description With include=data. */
            data?: string;
            encoding?: components["schemas"]["Encoding"];
            /**
             * @description With include=data; that version does not stand any more.
             * @constant
             */
            superseded?: true;
        };
        WatchState: {
            /** @enum {string} */
            scope: "node" | "children";
            path: string;
            exists: boolean;
            stat?: components["schemas"]["Stat"];
            /** @description Of a node that exists. */
            data?: string;
            encoding?: components["schemas"]["Encoding"];
            /** @description Names, of scope children. */
            children?: string[];
        };
        WatchedState: {
            zxid: components["schemas"]["Zxid"];
            cursor: components["schemas"]["Cursor"];
            /** @description The nodes, then the children, in the order asked. */
            states: components["schemas"]["WatchState"][];
        };
        Polled: {
            events: components["schemas"]["WatchEvent"][];
            cursor: components["schemas"]["Cursor"];
            /** @description There are further events behind the cursor already. */
            more: boolean;
        };
        /** @description One line of the stream. The field cursor stands where the stream can be gone on from. */
        WatchLine: (components["schemas"]["WatchEvent"] & {
            cursor?: components["schemas"]["Cursor"];
        }) | (components["schemas"]["WatchState"] & {
            /** @constant */
            type: "state";
            cursor?: components["schemas"]["Cursor"];
        }) | {
            /** @constant */
            type: "cursor";
            cursor: components["schemas"]["Cursor"];
        } | {
            /** @constant */
            type: "end";
            code?: components["schemas"]["ErrorCode"];
            detail: string;
            cursor: components["schemas"]["Cursor"];
        };
        TreeLine: {
            zxid: components["schemas"]["Zxid"];
        } | {
            path: string;
            stat: components["schemas"]["Stat"];
            data?: string;
            encoding?: components["schemas"]["Encoding"];
        } | {
            /** @constant */
            end: true;
            count: number;
        };
        AclEntry: {
            /** @description world, auth, digest or ip. */
            scheme: string;
            /** @default  */
            id: string;
            perms: string;
        };
        /** @description It can be sent back as it is; version is then the condition. */
        AclAnswer: {
            acl: {
                scheme: string;
                id: string;
                /** @description Empty where one of ZooKeeper's clients gave nothing. */
                perms: string;
            }[];
            /** Format: int32 */
            version: number;
        };
        Acl: {
            acl: components["schemas"]["AclEntry"][];
            /** Format: int32 */
            version?: number;
        };
        /** @description At least one condition besides the path; all must hold. */
        Check: {
            path: string;
            exists?: boolean;
            /** Format: int32 */
            version?: number;
            mzxid?: components["schemas"]["Zxid"];
            czxid?: components["schemas"]["Zxid"];
            /**
             * @description An ephemeral of the session of Quorate-Session.
             * @constant
             */
            owner?: "self";
        };
        /** @description Text, or any bytes as base64. */
        TxnData: string | {
            base64: string;
        };
        /** @description One of these, as its op says. */
        TxnOperation: components["schemas"]["TxnCreate"] | components["schemas"]["TxnPut"] | components["schemas"]["TxnSet"] | components["schemas"]["TxnDelete"] | components["schemas"]["TxnSetAcl"] | components["schemas"]["TxnCheck"] | components["schemas"]["TxnGet"] | components["schemas"]["TxnExists"] | components["schemas"]["TxnChildren"];
        TxnCreate: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "create";
            path: string;
            data?: components["schemas"]["TxnData"];
            parents?: boolean;
            /** @description The path is then a prefix. */
            sequential?: boolean;
            ephemeral?: boolean;
            container?: boolean;
            ttl?: components["schemas"]["Duration"];
            acl?: components["schemas"]["AclEntry"][];
        };
        TxnPut: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "put";
            path: string;
            data?: components["schemas"]["TxnData"];
            parents?: boolean;
            ephemeral?: boolean;
            container?: boolean;
            ttl?: components["schemas"]["Duration"];
            acl?: components["schemas"]["AclEntry"][];
            exists?: boolean;
            /** Format: int32 */
            version?: number;
            mzxid?: components["schemas"]["Zxid"];
        };
        TxnSet: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "set";
            path: string;
            data?: components["schemas"]["TxnData"];
            exists?: boolean;
            /** Format: int32 */
            version?: number;
            mzxid?: components["schemas"]["Zxid"];
        };
        TxnDelete: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "delete";
            path: string;
            recursive?: boolean;
            exists?: boolean;
            /** Format: int32 */
            version?: number;
            mzxid?: components["schemas"]["Zxid"];
        };
        TxnSetAcl: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "setAcl";
            path: string;
            acl: components["schemas"]["AclEntry"][];
            /** Format: int32 */
            version?: number;
        };
        TxnCheck: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "check";
            path: string;
            exists?: boolean;
            /** Format: int32 */
            version?: number;
            mzxid?: components["schemas"]["Zxid"];
            czxid?: components["schemas"]["Zxid"];
            /** @constant */
            owner?: "self";
        };
        TxnGet: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "get";
            path: string;
        };
        TxnExists: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "exists";
            path: string;
        };
        TxnChildren: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            op: "children";
            path: string;
            limit?: number;
            /** @description With stat and data of each child that may be read. */
            data?: boolean;
        };
        /** @description At most 1,000 checks and operations together, and at least one. */
        Txn: {
            check?: components["schemas"]["Check"][];
            then?: components["schemas"]["TxnOperation"][];
            else?: components["schemas"]["TxnOperation"][];
        };
        /** @description By its operation, in order; create, put, set (path, created, stat), delete (deleted), get (data, encoding, stat), exists and setAcl (stat), check (checked), children (stat, children). */
        TxnResult: {
            path: string;
            created?: boolean;
            deleted?: number;
            checked?: boolean;
            data?: string;
            encoding?: components["schemas"]["Encoding"];
            stat?: components["schemas"]["Stat"];
            children?: components["schemas"]["Child"][];
            continue?: string;
        };
        TxnAnswer: {
            /** @enum {string} */
            branch: "then" | "else";
            zxid: components["schemas"]["Zxid"];
            results: components["schemas"]["TxnResult"][];
        };
        SessionRequest: {
            /** @description 1 s to 24 h. */
            timeout?: components["schemas"]["Duration"];
            /** @description For operators; at most 256 bytes. */
            name?: string;
        };
        SessionOpened: {
            id: components["schemas"]["Zxid"];
            secret: string;
            timeout: components["schemas"]["Duration"];
        };
        SessionRenewed: {
            id: components["schemas"]["Zxid"];
            zxid: components["schemas"]["Zxid"];
        };
        Session: {
            id: components["schemas"]["Zxid"];
            name: string;
            address: string;
            timeout: components["schemas"]["Duration"];
            identity: {
                scheme: string;
                id: string;
            }[];
            createdAt: components["schemas"]["Time"];
            ephemeralCount: number;
            /** @description Where the replica that answers can say it. */
            idle?: components["schemas"]["Duration"];
            ephemerals?: string[];
        };
        SessionList: {
            zxid: components["schemas"]["Zxid"];
            sessions: components["schemas"]["Session"][];
            continue?: components["schemas"]["Zxid"];
        };
        PlaceSession: {
            id: components["schemas"]["Zxid"];
            /** @description Of a session that this call opened; no other answer shows it. */
            secret?: string;
            timeout: components["schemas"]["Duration"];
        };
        LockPlace: {
            name: string;
            held: boolean;
            /** @description Of one that is held: the fencing token, for Quorate-Fenced. */
            token?: components["schemas"]["Zxid"];
            /** @enum {string} */
            mode: "exclusive" | "read" | "write" | "permit";
            /** @enum {string} */
            layout: "curator" | "kazoo";
            /** @description Of a semaphore. */
            permits?: number;
            /** @description The contender's. */
            znode: string;
            /** @description How many stand before it; 0 when it is held. */
            ahead: number;
            session: components["schemas"]["PlaceSession"];
            zxid: components["schemas"]["Zxid"];
        };
        LockHolder: {
            token: components["schemas"]["Zxid"];
            /** @description What it calls itself. */
            contender: string;
            encoding: components["schemas"]["Encoding"];
            /** @enum {string} */
            mode: "exclusive" | "read" | "write" | "permit";
            session: components["schemas"]["Zxid"];
            /** @description When it came into the queue. */
            since: components["schemas"]["Time"];
            znode: string;
        };
        LockWaiter: {
            /** @description What it calls itself. */
            contender: string;
            encoding: components["schemas"]["Encoding"];
            /** @enum {string} */
            mode: "exclusive" | "read" | "write" | "permit";
            session: components["schemas"]["Zxid"];
            /** @description When it came into the queue. */
            since: components["schemas"]["Time"];
            znode: string;
        };
        LockState: {
            name: string;
            /** @enum {string} */
            layout: "curator" | "kazoo";
            /** @enum {string} */
            kind: "mutex" | "readWrite" | "semaphore";
            /** @description Of a semaphore. */
            permits?: number;
            holders: components["schemas"]["LockHolder"][];
            waiters: components["schemas"]["LockWaiter"][];
            /** @description How many wait in all. */
            waiting: number;
            zxid: components["schemas"]["Zxid"];
        };
        PlaceGivenUp: {
            name: string;
            znode: string;
            zxid: components["schemas"]["Zxid"];
        };
        ElectionPlace: {
            name: string;
            leader: boolean;
            /** @description Of one that leads: the fencing token, for Quorate-Fenced. */
            token?: components["schemas"]["Zxid"];
            /** @enum {string} */
            layout: "curator" | "kazoo";
            /** @description The candidate's. */
            znode: string;
            /** @description How many stand before it; 0 when it leads. */
            ahead: number;
            session: components["schemas"]["PlaceSession"];
            zxid: components["schemas"]["Zxid"];
        };
        Leader: {
            /** @description What it proclaims. */
            value: string;
            encoding: components["schemas"]["Encoding"];
            token: components["schemas"]["Zxid"];
            session: components["schemas"]["Zxid"];
            /** @description When it came into the queue. */
            since: components["schemas"]["Time"];
            znode: string;
        };
        ElectionState: {
            name: string;
            /** @enum {string} */
            layout: "curator" | "kazoo";
            /** @description Null while nobody leads. */
            leader: components["schemas"]["Leader"] | null;
            /** @description How many wait to lead. */
            candidates: number;
            zxid: components["schemas"]["Zxid"];
        };
        /** @description One line of the stream. */
        ElectionLine: (components["schemas"]["ElectionState"] & {
            /** @constant */
            type: "leader";
        }) | {
            /** @constant */
            type: "alive";
            zxid: components["schemas"]["Zxid"];
        } | {
            /** @constant */
            type: "end";
            code?: components["schemas"]["ErrorCode"];
            detail: string;
            zxid: components["schemas"]["Zxid"];
        };
        Member: {
            id: number;
            address: string;
            /** @description Something was heard of it within 3 s. If not, what stands here is its last word, but for `role` (`unknown`), `serving` (false) and `leader` (0). */
            reachable: boolean;
            /** @enum {string} */
            standing: "founding" | "joining" | "member";
            /** @enum {string} */
            role: "looking" | "following" | "leading" | "unknown";
            serving: boolean;
            /** @description Why it does not serve. */
            reason?: string;
            leader: number;
            epoch: number;
            acceptedEpoch: number;
            applied: components["schemas"]["Zxid"];
            committed: components["schemas"]["Zxid"];
            logged: components["schemas"]["Zxid"];
            /** @description Transactions behind the furthest commit known; absent across epochs. */
            lag?: number;
            ensembleId: string;
            historyId: string;
            version: string;
            rules: number;
            digest: string;
            znodes: number;
            /** @description Of clients. */
            sessions: number;
            /** @description Since it said so. */
            ago: components["schemas"]["Duration"];
        };
        Cluster: {
            /** @description 0 for none. */
            leader: number;
            members: components["schemas"]["Member"][];
            /** @description Addresses, configured or of members, of which nothing was heard within 3 s. */
            silent: string[];
            gateway: {
                version: string;
            };
        };
        HandOver: {
            to: number;
        };
        HandOverAnswer: {
            to: number;
            zxid: components["schemas"]["Zxid"];
        };
        Live: {
            live: boolean;
        };
        Ready: {
            ready: boolean;
            leader?: number;
            checks?: {
                name: string;
                ok: boolean;
                detail: string;
            }[];
        };
        /** @enum {string} */
        ErrorCode: "badArguments" | "invalidAcl" | "authFailed" | "noAuth" | "quotaExceeded" | "noNode" | "noParent" | "nodeExists" | "notEmpty" | "noChildrenForEphemerals" | "badVersion" | "fenced" | "sessionExpired" | "cursorTooOld" | "cursorOfAnotherHistory" | "pageTooOld" | "tooLarge" | "keyReused" | "throttled" | "noLeader" | "behind" | "connectionLoss" | "timeout" | "unimplemented" | "internal" | "noRoute" | "methodNotAllowed" | "notAcceptable" | "requestTimeout" | "unsupportedMediaType" | "headersTooLarge";
        Problem: {
            /** @example /docs/errors#noNode */
            type: string;
            title: string;
            status: number;
            /** @description For people; the field, its fault, the way out. */
            detail: string;
            code: components["schemas"]["ErrorCode"];
            path?: string;
            /** @description Of the state that was judged; absent where none was asked. */
            zxid?: components["schemas"]["Zxid"];
            /**
             * @description Of this request with all the tries of the gateway.
             * @enum {string}
             */
            certainty: "noEffect" | "unknown";
            /** @description Seconds; on 429 and 503. */
            retryAfter?: number;
            op?: {
                /** @enum {string} */
                in: "check" | "then" | "else";
                index: number;
            };
            /** @description Of an internal fault in the log. */
            reference?: string;
        };
    };
    responses: {
        /** @description Malformed (badArguments, invalidAcl). */
        Problem400: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Stale-Age": components["headers"]["StaleAge"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#badArguments",
                 *       "title": "The request is malformed",
                 *       "status": 400,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "badArguments",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Credentials refused (authFailed). */
        Problem401: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Stale-Age": components["headers"]["StaleAge"];
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#authFailed",
                 *       "title": "The credentials were refused",
                 *       "status": 401,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "authFailed",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not permitted (noAuth), or a quota is used up (quotaExceeded; the detail names which: of /zookeeper/quota, the disk reserve, ephemerals). */
        Problem403: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Stale-Age": components["headers"]["StaleAge"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#noAuth",
                 *       "title": "Not permitted",
                 *       "status": 403,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "noAuth",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not there (noNode, noRoute). */
        Problem404: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Stale-Age": components["headers"]["StaleAge"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#noNode",
                 *       "title": "No such znode",
                 *       "status": 404,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "noNode",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not that method (methodNotAllowed). */
        Problem405: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#methodNotAllowed",
                 *       "title": "The method is not allowed here",
                 *       "status": 405,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "methodNotAllowed",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No such representation (notAcceptable). */
        Problem406: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#notAcceptable",
                 *       "title": "No acceptable representation",
                 *       "status": 406,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "notAcceptable",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too slow (requestTimeout). */
        Problem408: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#requestTimeout",
                 *       "title": "The request did not arrive in time",
                 *       "status": 408,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "requestTimeout",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description It does not fit what is there; any failure of an operation in a txn (noParent, nodeExists, notEmpty, noChildrenForEphemerals). */
        Problem409: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Stale-Age": components["headers"]["StaleAge"];
                "Quorate-Replayed": components["headers"]["Replayed"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#noParent",
                 *       "title": "The parent does not exist",
                 *       "status": 409,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "noParent",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description It is over (sessionExpired, cursorTooOld, cursorOfAnotherHistory, pageTooOld). */
        Problem410: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Stale-Age": components["headers"]["StaleAge"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#sessionExpired",
                 *       "title": "The session is over",
                 *       "status": 410,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "sessionExpired",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The condition does not hold (badVersion, fenced, nodeExists). */
        Problem412: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Replayed": components["headers"]["Replayed"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#badVersion",
                 *       "title": "The condition does not hold",
                 *       "status": 412,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "badVersion",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too large (tooLarge). */
        Problem413: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Quorate-Consistency": components["headers"]["Consistency"];
                "Quorate-Stale-Age": components["headers"]["StaleAge"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#tooLarge",
                 *       "title": "Too large",
                 *       "status": 413,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "tooLarge",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not that type (unsupportedMediaType). */
        Problem415: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#unsupportedMediaType",
                 *       "title": "The media type is not supported",
                 *       "status": 415,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "unsupportedMediaType",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The key belongs to another request (keyReused). */
        Problem422: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#keyReused",
                 *       "title": "The idempotency key belongs to another request",
                 *       "status": 422,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "keyReused",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too much (throttled). */
        Problem429: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#throttled",
                 *       "title": "Too many requests",
                 *       "status": 429,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "throttled",
                 *       "certainty": "noEffect",
                 *       "retryAfter": 1
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too much of headers (headersTooLarge). */
        Problem431: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#headersTooLarge",
                 *       "title": "The headers are too large",
                 *       "status": 431,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "headersTooLarge",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A fault of ours (internal). */
        Problem500: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#internal",
                 *       "title": "Internal error",
                 *       "status": 500,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "internal",
                 *       "certainty": "unknown"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not implemented (unimplemented). */
        Problem501: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#unimplemented",
                 *       "title": "Not implemented",
                 *       "status": 501,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "unimplemented",
                 *       "certainty": "noEffect"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The answer was lost (connectionLoss). */
        Problem502: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#connectionLoss",
                 *       "title": "The answer was lost",
                 *       "status": 502,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "connectionLoss",
                 *       "certainty": "unknown"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Nothing was done (noLeader, behind). */
        Problem503: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#noLeader",
                 *       "title": "No leader",
                 *       "status": 503,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "noLeader",
                 *       "certainty": "noEffect",
                 *       "retryAfter": 1
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Out of time (timeout). */
        Problem504: {
            headers: {
                "Quorate-Zxid": components["headers"]["KnownZxid"];
                "Quorate-Served-By": components["headers"]["ServedBy"];
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs/errors#timeout",
                 *       "title": "Out of time",
                 *       "status": 504,
                 *       "detail": "What is wrong and what to do.",
                 *       "code": "timeout",
                 *       "certainty": "unknown"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description Without the first slash; slashes plain or %2F.
         * @example app/config
         */
        Path: string;
        SessionId: components["schemas"]["Zxid"];
        /** @description Beats Accept. */
        Format: "json" | "raw";
        /** @description Forces base64 in the JSON form; on a watch behind a cursor it goes with include=data. */
        Encoding: "base64";
        /** @description Lives as long as the session of Quorate-Session. */
        Ephemeral: boolean;
        /** @description Deleted once its last child is gone. */
        Container: boolean;
        /** @description Deleted once childless and unwritten for so long. */
        Ttl: components["schemas"]["Duration"];
        /**
         * @description scheme:id:perms, several with commas between.
         * @example auth::cdrwa
         */
        AclText: string;
        /** @description Make the missing parents. */
        Parents: boolean;
        /**
         * @description The beginning of the child's name.
         * @example item-
         */
        Prefix: string;
        Recursive: boolean;
        Limit: number;
        /** @description As the last page gave it. */
        Continue: string;
        /** @description As the last page gave it. */
        ContinueSession: components["schemas"]["Zxid"];
        /** @description With stat and data of each child that may be read. */
        Data: boolean;
        /** @description How long to wait for other data than If-None-Match names, which must be there; at most 5m. */
        ReadWait: components["schemas"]["Duration"];
        /**
         * @description Created, changed and deleted of this path. May be given more than once.
         * @example [
         *       "/app/config"
         *     ]
         */
        WatchNode: string[];
        /** @description Created and deleted of each child of this path. May be given more than once. */
        WatchChildren: string[];
        /** @description Created, changed and deleted of this path and all below. May be given more than once. */
        WatchSubtree: string[];
        /** @description A cursor, or the Quorate-Zxid of any answer. */
        After: components["schemas"]["Cursor"];
        /** @description How long a poll waits for an event; at most 5m. Up to a tenth is taken off, so that not all come back at once. */
        PollWait: components["schemas"]["Duration"];
        /** @description With the data of what was created or changed, if that version still stands; else superseded is true, and a later event follows. */
        Include: "data";
        /** @description As after, which it beats: browsers send it when they connect again. */
        LastEventId: components["schemas"]["Cursor"];
        /** @description Levels below the znode; 0 is the znode alone. All without it. */
        Depth: number;
        /** @description With the data of each znode. */
        TreeData: boolean;
        Verbose: boolean;
        Require: "leader";
        /** @description id:secret, as POST /v1/sessions answered. */
        Session: string;
        /**
         * @description The lock's name: a znode's path without its first slash; slashes plain or %2F.
         * @example app/migrate
         */
        LockName: string;
        /**
         * @description The election's name: a znode's path without its first slash; slashes plain or %2F.
         * @example app/leader
         */
        ElectionName: string;
        /** @description exclusive: a mutex, as it is without mode. read and write: many readers, or one writer. permit: one of a semaphore's permits, as it is with permits. */
        LockMode: "exclusive" | "read" | "write" | "permit";
        /** @description How many may hold a semaphore; it is needed when the name is first used. */
        Permits: number;
        /**
         * @description How long to wait for it: at most 5m, and a third of the session's timeout. Up to a tenth is taken off, so that not all come back at once.
         * @example 30s
         */
        AcquireWait: components["schemas"]["Duration"];
        /** @description Whose clients take part; it is fixed by the first use of the name, where it is curator unless it is said. */
        Layout: "curator" | "kazoo";
        /**
         * @description For those who look who holds the lock.
         * @example billing@host7
         */
        ContenderName: string;
        /** @description Of the session that is opened where none is shown; 1s to 24h. */
        OpenTimeout: components["schemas"]["Duration"];
        /** @description The token that is held: it is renewed, and not taken anew where it is lost. */
        HeldToken: components["schemas"]["Zxid"];
        /** @description The token of the place that is given up, as the answer had it. Without it, whatever the session has there goes, also what it took since. */
        GivenToken: components["schemas"]["Zxid"];
        /** @description How many of those who wait are told. */
        WaiterLimit: number;
        /** @description How long to wait for another state than If-None-Match names, which must be there; at most 5m. */
        LeaderWait: components["schemas"]["Duration"];
        /** @description The first state is at least that new: browsers send it when they connect again. */
        LastEventZxid: components["schemas"]["Zxid"];
        /**
         * @description name=token of a lock or election that is held, several (at most 10) with commas between or in headers of their own; in a name a comma, =, % and what is not ASCII stand percent-encoded. The write is done only if each is still held when it is applied; else 412 fenced, and nothing is done.
         * @example app/migrate=0x0000000100000009
         */
        Fenced: string;
        /** @description Bounds the waiting; at most 60s. */
        Timeout: components["schemas"]["Duration"];
        Consistency: "linearizable" | "session" | "stale";
        /** @description What is read is at least that new. */
        MinZxid: components["schemas"]["Zxid"];
        /** @description With stale alone. */
        MaxStale: components["schemas"]["Duration"];
        /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
        IdempotencyKey: string;
        /** @description ETags of the data, or *. */
        IfMatch: string;
        /** @description One ETag of the ACL, or *. */
        IfMatchAcl: string;
        /** @description ETags that the client has. */
        IfNoneMatch: string;
        /** @description Create only. */
        IfNoneMatchAny: "*";
    };
    requestBodies: never;
    headers: {
        /** @description What was read or written is at least that new; good as Quorate-Min-Zxid, and as a watch's after. */
        Zxid: components["schemas"]["Zxid"];
        /** @description Of the state that was judged; absent where none was asked. */
        KnownZxid: components["schemas"]["Zxid"];
        /** @description The replica's id */
        ServedBy: string;
        CacheControl: "no-store";
        WatchCacheControl: "no-store" | "no-store, no-transform";
        /** @description On streams, for proxies. */
        NoBuffering: "no";
        /** @description On reads */
        Consistency: "linearizable" | "session" | "stale";
        /** @description On stale reads; at most so old. */
        StaleAge: components["schemas"]["Duration"];
        /** @description The outcome comes from the memory of the Idempotency-Key. */
        Replayed: "true";
        /** @example "0x0000000200000017" */
        ETag: string;
        /** @description The stat as compact JSON. */
        Stat: string;
        Vary: "Accept";
        /** @description Nothing from outside and no script. */
        ContentPolicy: string;
        NoSniff: "nosniff";
        Location: string;
        /** @description Seconds. */
        RetryAfter: number;
        Challenge: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get: {
        parameters: {
            query?: {
                /** @description Beats Accept. */
                format?: components["parameters"]["Format"];
                /** @description Forces base64 in the JSON form; on a watch behind a cursor it goes with include=data. */
                encoding?: components["parameters"]["Encoding"];
                /** @description How long to wait for other data than If-None-Match names, which must be there; at most 5m. */
                wait?: components["parameters"]["ReadWait"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description ETags that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes as they were put, or the JSON form. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    "Quorate-Stat": components["headers"]["Stat"];
                    Vary: components["headers"]["Vary"];
                    "X-Content-Type-Options": components["headers"]["NoSniff"];
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                    /**
                     * @example {
                     *       "path": "/app/config",
                     *       "data": "hi",
                     *       "encoding": "utf-8",
                     *       "stat": {
                     *         "czxid": "0x0000000100000007",
                     *         "mzxid": "0x0000000100000007",
                     *         "pzxid": "0x0000000100000007",
                     *         "ctime": "2026-11-22T23:06:00.123Z",
                     *         "mtime": "2026-11-22T23:06:00.123Z",
                     *         "version": 0,
                     *         "cversion": 0,
                     *         "aversion": 0,
                     *         "dataLength": 2,
                     *         "numChildren": 0,
                     *         "kind": "persistent"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Znode"];
                };
            };
            /** @description The client has it. */
            304: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    Vary: components["headers"]["Vary"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    put: {
        parameters: {
            query?: {
                /** @description Lives as long as the session of Quorate-Session. */
                ephemeral?: components["parameters"]["Ephemeral"];
                /** @description Deleted once childless and unwritten for so long. */
                ttl?: components["parameters"]["Ttl"];
                /**
                 * @description scheme:id:perms, several with commas between.
                 * @example auth::cdrwa
                 */
                acl?: components["parameters"]["AclText"];
                /** @description Make the missing parents. */
                parents?: components["parameters"]["Parents"];
                /** @description Deleted once its last child is gone. */
                container?: components["parameters"]["Container"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /**
                 * @description name=token of a lock or election that is held, several (at most 10) with commas between or in headers of their own; in a name a comma, =, % and what is not ASCII stand percent-encoded. The write is done only if each is still held when it is applied; else 412 fenced, and nothing is done.
                 * @example app/migrate=0x0000000100000009
                 */
                "Quorate-Fenced"?: components["parameters"]["Fenced"];
                /** @description ETags of the data, or *. */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description Create only. */
                "If-None-Match"?: components["parameters"]["IfNoneMatchAny"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "*/*": string;
            };
        };
        responses: {
            /** @description It was there and is replaced. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Replayed": components["headers"]["Replayed"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "path": "/app/config",
                     *       "zxid": "0x0000000100000007",
                     *       "stat": {
                     *         "czxid": "0x0000000100000007",
                     *         "mzxid": "0x0000000100000007",
                     *         "pzxid": "0x0000000100000007",
                     *         "ctime": "2026-11-22T23:06:00.123Z",
                     *         "mtime": "2026-11-22T23:06:00.123Z",
                     *         "version": 0,
                     *         "cversion": 0,
                     *         "aversion": 0,
                     *         "dataLength": 2,
                     *         "numChildren": 0,
                     *         "kind": "persistent"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            /** @description It was made. */
            201: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Replayed": components["headers"]["Replayed"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "path": "/app/config",
                     *       "zxid": "0x0000000100000007",
                     *       "stat": {
                     *         "czxid": "0x0000000100000007",
                     *         "mzxid": "0x0000000100000007",
                     *         "pzxid": "0x0000000100000007",
                     *         "ctime": "2026-11-22T23:06:00.123Z",
                     *         "mtime": "2026-11-22T23:06:00.123Z",
                     *         "version": 0,
                     *         "cversion": 0,
                     *         "aversion": 0,
                     *         "dataLength": 2,
                     *         "numChildren": 0,
                     *         "kind": "persistent"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    create: {
        parameters: {
            query?: {
                /**
                 * @description The beginning of the child's name.
                 * @example item-
                 */
                prefix?: components["parameters"]["Prefix"];
                /** @description Lives as long as the session of Quorate-Session. */
                ephemeral?: components["parameters"]["Ephemeral"];
                /** @description Deleted once childless and unwritten for so long. */
                ttl?: components["parameters"]["Ttl"];
                /**
                 * @description scheme:id:perms, several with commas between.
                 * @example auth::cdrwa
                 */
                acl?: components["parameters"]["AclText"];
                /** @description Make the missing parents. */
                parents?: components["parameters"]["Parents"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /**
                 * @description name=token of a lock or election that is held, several (at most 10) with commas between or in headers of their own; in a name a comma, =, % and what is not ASCII stand percent-encoded. The write is done only if each is still held when it is applied; else 412 fenced, and nothing is done.
                 * @example app/migrate=0x0000000100000009
                 */
                "Quorate-Fenced"?: components["parameters"]["Fenced"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "*/*": string;
            };
        };
        responses: {
            /** @description It was made. */
            201: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Replayed": components["headers"]["Replayed"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "path": "/app/config",
                     *       "zxid": "0x0000000100000007",
                     *       "stat": {
                     *         "czxid": "0x0000000100000007",
                     *         "mzxid": "0x0000000100000007",
                     *         "pzxid": "0x0000000100000007",
                     *         "ctime": "2026-11-22T23:06:00.123Z",
                     *         "mtime": "2026-11-22T23:06:00.123Z",
                     *         "version": 0,
                     *         "cversion": 0,
                     *         "aversion": 0,
                     *         "dataLength": 2,
                     *         "numChildren": 0,
                     *         "kind": "persistent"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    delete: {
        parameters: {
            query?: {
                recursive?: components["parameters"]["Recursive"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /**
                 * @description name=token of a lock or election that is held, several (at most 10) with commas between or in headers of their own; in a name a comma, =, % and what is not ASCII stand percent-encoded. The write is done only if each is still held when it is applied; else 412 fenced, and nothing is done.
                 * @example app/migrate=0x0000000100000009
                 */
                "Quorate-Fenced"?: components["parameters"]["Fenced"];
                /** @description ETags of the data, or *. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Replayed": components["headers"]["Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": 1,
                     *       "zxid": "0x0000000100000009"
                     *     }
                     */
                    "application/json": components["schemas"]["DeleteAnswer"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            413: components["responses"]["Problem413"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    exists: {
        parameters: {
            query?: {
                /** @description Beats Accept. */
                format?: components["parameters"]["Format"];
                /** @description Forces base64 in the JSON form; on a watch behind a cursor it goes with include=data. */
                encoding?: components["parameters"]["Encoding"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description ETags that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It exists. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    "Quorate-Stat": components["headers"]["Stat"];
                    Vary: components["headers"]["Vary"];
                    "X-Content-Type-Options": components["headers"]["NoSniff"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The client has it. */
            304: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    "Quorate-Stat": components["headers"]["Stat"];
                    Vary: components["headers"]["Vary"];
                    "X-Content-Type-Options": components["headers"]["NoSniff"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    children: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description As the last page gave it. */
                continue?: components["parameters"]["Continue"];
                /** @description With stat and data of each child that may be read. */
                data?: components["parameters"]["Data"];
                /** @description Forces base64 in the JSON form; on a watch behind a cursor it goes with include=data. */
                encoding?: components["parameters"]["Encoding"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description ETags that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. The names are those of the first page; stat and data are the newest. The ETag names the first page without data. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "zxid": "0x0000000100000009",
                     *       "children": [
                     *         {
                     *           "name": "a"
                     *         },
                     *         {
                     *           "name": "b"
                     *         }
                     *       ],
                     *       "continue": "NmQ0Zg"
                     *     }
                     */
                    "application/json": components["schemas"]["Children"];
                };
            };
            /** @description The client has it. */
            304: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    tree: {
        parameters: {
            query?: {
                /** @description Levels below the znode; 0 is the znode alone. All without it. */
                depth?: components["parameters"]["Depth"];
                /** @description With the data of each znode. */
                data?: components["parameters"]["TreeData"];
                /** @description Forces base64 in the JSON form; on a watch behind a cursor it goes with include=data. */
                encoding?: components["parameters"]["Encoding"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines. Quorate-Zxid is that of the listing. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "path": "/app/config",
                     *       "stat": {
                     *         "czxid": "0x0000000100000007",
                     *         "mzxid": "0x0000000100000007",
                     *         "pzxid": "0x0000000100000007",
                     *         "ctime": "2026-11-22T23:06:00.123Z",
                     *         "mtime": "2026-11-22T23:06:00.123Z",
                     *         "version": 0,
                     *         "cversion": 0,
                     *         "aversion": 0,
                     *         "dataLength": 2,
                     *         "numChildren": 0,
                     *         "kind": "persistent"
                     *       }
                     *     }
                     */
                    "application/x-ndjson": components["schemas"]["TreeLine"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    getAcl: {
        parameters: {
            query?: never;
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description ETags that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ACL. Its ETag is "czxid-version". */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "acl": [
                     *         {
                     *           "scheme": "world",
                     *           "id": "anyone",
                     *           "perms": "cdrwa"
                     *         }
                     *       ],
                     *       "version": 0
                     *     }
                     */
                    "application/json": components["schemas"]["AclAnswer"];
                };
            };
            /** @description The client has it. */
            304: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    setAcl: {
        parameters: {
            query?: never;
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /**
                 * @description name=token of a lock or election that is held, several (at most 10) with commas between or in headers of their own; in a name a comma, =, % and what is not ASCII stand percent-encoded. The write is done only if each is still held when it is applied; else 412 fenced, and nothing is done.
                 * @example app/migrate=0x0000000100000009
                 */
                "Quorate-Fenced"?: components["parameters"]["Fenced"];
                /** @description One ETag of the ACL, or *. */
                "If-Match"?: components["parameters"]["IfMatchAcl"];
            };
            path: {
                /**
                 * @description Without the first slash; slashes plain or %2F.
                 * @example app/config
                 */
                path: components["parameters"]["Path"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "acl": [
                 *         {
                 *           "scheme": "auth",
                 *           "id": "",
                 *           "perms": "cdrwa"
                 *         }
                 *       ],
                 *       "version": 0
                 *     }
                 */
                "application/json": components["schemas"]["Acl"];
            };
        };
        responses: {
            /** @description It is replaced. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Replayed": components["headers"]["Replayed"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "path": "/app/config",
                     *       "zxid": "0x0000000100000007",
                     *       "stat": {
                     *         "czxid": "0x0000000100000007",
                     *         "mzxid": "0x0000000100000007",
                     *         "pzxid": "0x0000000100000007",
                     *         "ctime": "2026-11-22T23:06:00.123Z",
                     *         "mtime": "2026-11-22T23:06:00.123Z",
                     *         "version": 0,
                     *         "cversion": 0,
                     *         "aversion": 0,
                     *         "dataLength": 2,
                     *         "numChildren": 0,
                     *         "kind": "persistent"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    txn: {
        parameters: {
            query?: never;
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /**
                 * @description name=token of a lock or election that is held, several (at most 10) with commas between or in headers of their own; in a name a comma, =, % and what is not ASCII stand percent-encoded. The write is done only if each is still held when it is applied; else 412 fenced, and nothing is done.
                 * @example app/migrate=0x0000000100000009
                 */
                "Quorate-Fenced"?: components["parameters"]["Fenced"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "check": [
                 *         {
                 *           "path": "/lock",
                 *           "czxid": "0x0000000100000007"
                 *         }
                 *       ],
                 *       "then": [
                 *         {
                 *           "op": "put",
                 *           "path": "/a",
                 *           "data": "hi"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Txn"];
            };
        };
        responses: {
            /** @description One branch was done, as one transaction. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Replayed": components["headers"]["Replayed"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "branch": "then",
                     *       "zxid": "0x0000000100000009",
                     *       "results": [
                     *         {
                     *           "path": "/a",
                     *           "created": true,
                     *           "stat": {
                     *             "czxid": "0x0000000100000007",
                     *             "mzxid": "0x0000000100000007",
                     *             "pzxid": "0x0000000100000007",
                     *             "ctime": "2026-11-22T23:06:00.123Z",
                     *             "mtime": "2026-11-22T23:06:00.123Z",
                     *             "version": 0,
                     *             "cversion": 0,
                     *             "aversion": 0,
                     *             "dataLength": 2,
                     *             "numChildren": 0,
                     *             "kind": "persistent"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["TxnAnswer"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description As the last page gave it. */
                continue?: components["parameters"]["ContinueSession"];
            };
            header?: {
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "zxid": "0x0000000100000009",
                     *       "sessions": []
                     *     }
                     */
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    createSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "timeout": "30s",
                 *       "name": "billing@host7"
                 *     }
                 */
                "application/json": components["schemas"]["SessionRequest"];
            };
        };
        responses: {
            /** @description It is open. No other answer shows the secret. */
            201: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0x0000000100000007",
                     *       "secret": "00112233445566778899aabbccddeeff",
                     *       "timeout": "30s"
                     *     }
                     */
                    "application/json": components["schemas"]["SessionOpened"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path: {
                id: components["parameters"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0x0000000100000007",
                     *       "name": "billing@host7",
                     *       "address": "10.0.0.7",
                     *       "timeout": "30s",
                     *       "identity": [],
                     *       "createdAt": "2026-11-22T23:06:00.123Z",
                     *       "ephemeralCount": 0,
                     *       "ephemerals": []
                     *     }
                     */
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    closeSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: components["parameters"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is over. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Replayed": components["headers"]["Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": 1,
                     *       "zxid": "0x0000000100000009"
                     *     }
                     */
                    "application/json": components["schemas"]["DeleteAnswer"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    renewSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path: {
                id: components["parameters"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is held for its timeout, counted from when this request was sent. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0x0000000100000007",
                     *       "zxid": "0x0000000100000009"
                     *     }
                     */
                    "application/json": components["schemas"]["SessionRenewed"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    watch: {
        parameters: {
            query?: {
                /**
                 * @description Created, changed and deleted of this path. May be given more than once.
                 * @example [
                 *       "/app/config"
                 *     ]
                 */
                node?: components["parameters"]["WatchNode"];
                /** @description Created and deleted of each child of this path. May be given more than once. */
                children?: components["parameters"]["WatchChildren"];
                /** @description Created, changed and deleted of this path and all below. May be given more than once. */
                subtree?: components["parameters"]["WatchSubtree"];
                /** @description A cursor, or the Quorate-Zxid of any answer. */
                after?: components["parameters"]["After"];
                /** @description How long a poll waits for an event; at most 5m. Up to a tenth is taken off, so that not all come back at once. */
                wait?: components["parameters"]["PollWait"];
                /** @description With the data of what was created or changed, if that version still stands; else superseded is true, and a later event follows. */
                include?: components["parameters"]["Include"];
                /** @description Forces base64 in the JSON form; on a watch behind a cursor it goes with include=data. */
                encoding?: components["parameters"]["Encoding"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description As after, which it beats: browsers send it when they connect again. */
                "Last-Event-ID"?: components["parameters"]["LastEventId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state, the events, or a stream. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    Vary: components["headers"]["Vary"];
                    "Cache-Control": components["headers"]["WatchCacheControl"];
                    "X-Accel-Buffering": components["headers"]["NoBuffering"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "zxid": "0x0000000100000009",
                     *           "type": "changed",
                     *           "path": "/app/config",
                     *           "version": 1,
                     *           "czxid": "0x0000000100000007",
                     *           "time": "2026-11-22T23:06:00.123Z"
                     *         }
                     *       ],
                     *       "cursor": "0x0000000100000009.4a91e37371a4b3c6",
                     *       "more": false
                     *     }
                     */
                    "application/json": components["schemas"]["WatchedState"] | components["schemas"]["Polled"];
                    /**
                     * @example id: 0x0000000100000009.4a91e37371a4b3c6
                     *     event: changed
                     *     data: {"zxid":"0x0000000100000009","type":"changed","path":"/app/config","version":1,"czxid":"0x0000000100000007","time":"2026-11-22T23:06:00.123Z"}
                     */
                    "text/event-stream": string;
                    /**
                     * @example {
                     *       "type": "cursor",
                     *       "cursor": "0x0000000100000009.4a91e37371a4b3c6"
                     *     }
                     */
                    "application/x-ndjson": components["schemas"]["WatchLine"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            405: components["responses"]["Problem405"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            413: components["responses"]["Problem413"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    getLock: {
        parameters: {
            query?: {
                /** @description How many of those who wait are told. */
                limit?: components["parameters"]["WaiterLimit"];
            };
            header?: {
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path: {
                /**
                 * @description The lock's name: a znode's path without its first slash; slashes plain or %2F.
                 * @example app/migrate
                 */
                path: components["parameters"]["LockName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queue. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/migrate",
                     *       "layout": "curator",
                     *       "kind": "mutex",
                     *       "holders": [
                     *         {
                     *           "token": "0x0000000100000009",
                     *           "contender": "billing@host7",
                     *           "encoding": "utf-8",
                     *           "mode": "exclusive",
                     *           "session": "0x0000000100000007",
                     *           "since": "2026-11-22T23:06:00.123Z",
                     *           "znode": "/app/migrate/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-lock-0000000003"
                     *         }
                     *       ],
                     *       "waiters": [
                     *         {
                     *           "contender": "billing@host8",
                     *           "encoding": "utf-8",
                     *           "mode": "exclusive",
                     *           "session": "0x000000010000000a",
                     *           "since": "2026-11-22T23:06:02.456Z",
                     *           "znode": "/app/migrate/_c_8c7d4e21-5b0f-4f0e-8a54-0f4a8a1f9c30-lock-0000000004"
                     *         }
                     *       ],
                     *       "waiting": 1,
                     *       "zxid": "0x000000010000000b"
                     *     }
                     */
                    "application/json": components["schemas"]["LockState"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    acquireLock: {
        parameters: {
            query?: {
                /** @description exclusive: a mutex, as it is without mode. read and write: many readers, or one writer. permit: one of a semaphore's permits, as it is with permits. */
                mode?: components["parameters"]["LockMode"];
                /** @description How many may hold a semaphore; it is needed when the name is first used. */
                permits?: components["parameters"]["Permits"];
                /**
                 * @description How long to wait for it: at most 5m, and a third of the session's timeout. Up to a tenth is taken off, so that not all come back at once.
                 * @example 30s
                 */
                wait?: components["parameters"]["AcquireWait"];
                /** @description Whose clients take part; it is fixed by the first use of the name, where it is curator unless it is said. */
                layout?: components["parameters"]["Layout"];
                /**
                 * @description For those who look who holds the lock.
                 * @example billing@host7
                 */
                contender?: components["parameters"]["ContenderName"];
                /** @description Of the session that is opened where none is shown; 1s to 24h. */
                timeout?: components["parameters"]["OpenTimeout"];
                /** @description The token that is held: it is renewed, and not taken anew where it is lost. */
                token?: components["parameters"]["HeldToken"];
                /**
                 * @description scheme:id:perms, several with commas between.
                 * @example auth::cdrwa
                 */
                acl?: components["parameters"]["AclText"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description The lock's name: a znode's path without its first slash; slashes plain or %2F.
                 * @example app/migrate
                 */
                path: components["parameters"]["LockName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is held. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/migrate",
                     *       "held": true,
                     *       "token": "0x0000000100000009",
                     *       "mode": "exclusive",
                     *       "layout": "curator",
                     *       "znode": "/app/migrate/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-lock-0000000003",
                     *       "ahead": 0,
                     *       "session": {
                     *         "id": "0x0000000100000007",
                     *         "timeout": "30s"
                     *       },
                     *       "zxid": "0x0000000100000009"
                     *     }
                     */
                    "application/json": components["schemas"]["LockPlace"];
                };
            };
            /** @description It waits; ask again. */
            202: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/migrate",
                     *       "held": false,
                     *       "mode": "exclusive",
                     *       "layout": "curator",
                     *       "znode": "/app/migrate/_c_8c7d4e21-5b0f-4f0e-8a54-0f4a8a1f9c30-lock-0000000004",
                     *       "ahead": 1,
                     *       "session": {
                     *         "id": "0x0000000100000007",
                     *         "secret": "00112233445566778899aabbccddeeff",
                     *         "timeout": "30s"
                     *       },
                     *       "zxid": "0x000000010000000b"
                     *     }
                     */
                    "application/json": components["schemas"]["LockPlace"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    releaseLock: {
        parameters: {
            query?: {
                /** @description The token of the place that is given up, as the answer had it. Without it, whatever the session has there goes, also what it took since. */
                token?: components["parameters"]["GivenToken"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path: {
                /**
                 * @description The lock's name: a znode's path without its first slash; slashes plain or %2F.
                 * @example app/migrate
                 */
                path: components["parameters"]["LockName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is given back. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/migrate",
                     *       "znode": "/app/migrate/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-lock-0000000003",
                     *       "zxid": "0x000000010000000c"
                     *     }
                     */
                    "application/json": components["schemas"]["PlaceGivenUp"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    getElection: {
        parameters: {
            query?: {
                /** @description How long to wait for another state than If-None-Match names, which must be there; at most 5m. */
                wait?: components["parameters"]["LeaderWait"];
                /** @description Forces base64 in the JSON form; on a watch behind a cursor it goes with include=data. */
                encoding?: components["parameters"]["Encoding"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                "Quorate-Consistency"?: components["parameters"]["Consistency"];
                /** @description What is read is at least that new. */
                "Quorate-Min-Zxid"?: components["parameters"]["MinZxid"];
                /** @description With stale alone. */
                "Quorate-Max-Stale"?: components["parameters"]["MaxStale"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description ETags that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /** @description The first state is at least that new: browsers send it when they connect again. */
                "Last-Event-ID"?: components["parameters"]["LastEventZxid"];
            };
            path: {
                /**
                 * @description The election's name: a znode's path without its first slash; slashes plain or %2F.
                 * @example app/leader
                 */
                path: components["parameters"]["ElectionName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state, or a stream. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    Vary: components["headers"]["Vary"];
                    "Cache-Control": components["headers"]["WatchCacheControl"];
                    "X-Accel-Buffering": components["headers"]["NoBuffering"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/leader",
                     *       "layout": "curator",
                     *       "leader": {
                     *         "value": "http://10.0.0.7:8080",
                     *         "encoding": "utf-8",
                     *         "token": "0x0000000100000009",
                     *         "session": "0x0000000100000007",
                     *         "since": "2026-11-22T23:06:00.123Z",
                     *         "znode": "/app/leader/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-latch-0000000003"
                     *       },
                     *       "candidates": 2,
                     *       "zxid": "0x000000010000000b"
                     *     }
                     */
                    "application/json": components["schemas"]["ElectionState"];
                    /**
                     * @example id: 0x000000010000000b
                     *     event: leader
                     *     data: {"name":"app/leader","layout":"curator","leader":null,"candidates":0,"zxid":"0x000000010000000b"}
                     */
                    "text/event-stream": string;
                    /**
                     * @example {
                     *       "type": "leader",
                     *       "name": "app/leader",
                     *       "layout": "curator",
                     *       "leader": {
                     *         "value": "http://10.0.0.7:8080",
                     *         "encoding": "utf-8",
                     *         "token": "0x0000000100000009",
                     *         "session": "0x0000000100000007",
                     *         "since": "2026-11-22T23:06:00.123Z",
                     *         "znode": "/app/leader/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-latch-0000000003"
                     *       },
                     *       "candidates": 2,
                     *       "zxid": "0x000000010000000b"
                     *     }
                     */
                    "application/x-ndjson": components["schemas"]["ElectionLine"];
                };
            };
            /** @description The client has it. */
            304: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Quorate-Consistency": components["headers"]["Consistency"];
                    "Quorate-Stale-Age": components["headers"]["StaleAge"];
                    ETag: components["headers"]["ETag"];
                    Vary: components["headers"]["Vary"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    proclaim: {
        parameters: {
            query?: never;
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description The election's name: a znode's path without its first slash; slashes plain or %2F.
                 * @example app/leader
                 */
                path: components["parameters"]["ElectionName"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "*/*": string;
            };
        };
        responses: {
            /** @description It is proclaimed. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/leader",
                     *       "leader": true,
                     *       "token": "0x0000000100000009",
                     *       "layout": "curator",
                     *       "znode": "/app/leader/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-latch-0000000003",
                     *       "ahead": 0,
                     *       "session": {
                     *         "id": "0x0000000100000007",
                     *         "timeout": "30s"
                     *       },
                     *       "zxid": "0x000000010000000c"
                     *     }
                     */
                    "application/json": components["schemas"]["ElectionPlace"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    campaign: {
        parameters: {
            query?: {
                /**
                 * @description How long to wait for it: at most 5m, and a third of the session's timeout. Up to a tenth is taken off, so that not all come back at once.
                 * @example 30s
                 */
                wait?: components["parameters"]["AcquireWait"];
                /** @description Whose clients take part; it is fixed by the first use of the name, where it is curator unless it is said. */
                layout?: components["parameters"]["Layout"];
                /** @description Of the session that is opened where none is shown; 1s to 24h. */
                timeout?: components["parameters"]["OpenTimeout"];
                /** @description The token that is held: it is renewed, and not taken anew where it is lost. */
                token?: components["parameters"]["HeldToken"];
                /**
                 * @description scheme:id:perms, several with commas between.
                 * @example auth::cdrwa
                 */
                acl?: components["parameters"]["AclText"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
                /** @description The first outcome is kept 60 s and answered again, with Quorate-Replayed. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description The election's name: a znode's path without its first slash; slashes plain or %2F.
                 * @example app/leader
                 */
                path: components["parameters"]["ElectionName"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "*/*": string;
            };
        };
        responses: {
            /** @description It leads. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/leader",
                     *       "leader": true,
                     *       "token": "0x0000000100000009",
                     *       "layout": "curator",
                     *       "znode": "/app/leader/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-latch-0000000003",
                     *       "ahead": 0,
                     *       "session": {
                     *         "id": "0x0000000100000007",
                     *         "timeout": "30s"
                     *       },
                     *       "zxid": "0x0000000100000009"
                     *     }
                     */
                    "application/json": components["schemas"]["ElectionPlace"];
                };
            };
            /** @description It is a candidate; ask again. */
            202: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/leader",
                     *       "leader": false,
                     *       "layout": "curator",
                     *       "znode": "/app/leader/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-latch-0000000003",
                     *       "ahead": 2,
                     *       "session": {
                     *         "id": "0x0000000100000007",
                     *         "timeout": "30s"
                     *       },
                     *       "zxid": "0x000000010000000b"
                     *     }
                     */
                    "application/json": components["schemas"]["ElectionPlace"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            422: components["responses"]["Problem422"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    resign: {
        parameters: {
            query?: {
                /** @description The token of the place that is given up, as the answer had it. Without it, whatever the session has there goes, also what it took since. */
                token?: components["parameters"]["GivenToken"];
            };
            header?: {
                /** @description id:secret, as POST /v1/sessions answered. */
                "Quorate-Session"?: components["parameters"]["Session"];
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path: {
                /**
                 * @description The election's name: a znode's path without its first slash; slashes plain or %2F.
                 * @example app/leader
                 */
                path: components["parameters"]["ElectionName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It neither leads nor stands any more. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "app/leader",
                     *       "znode": "/app/leader/_c_1f0e3dad-9990-4c5e-9a1b-2f6f6f1f3a77-latch-0000000003",
                     *       "zxid": "0x000000010000000c"
                     *     }
                     */
                    "application/json": components["schemas"]["PlaceGivenUp"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            404: components["responses"]["Problem404"];
            406: components["responses"]["Problem406"];
            409: components["responses"]["Problem409"];
            410: components["responses"]["Problem410"];
            412: components["responses"]["Problem412"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    cluster: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ensemble as this gateway knows it. */
            200: {
                headers: {
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "leader": 1,
                     *       "members": [],
                     *       "silent": [],
                     *       "gateway": {
                     *         "version": "0.1.0"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Cluster"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
        };
    };
    handOver: {
        parameters: {
            query?: never;
            header?: {
                /** @description Bounds the waiting; at most 60s. */
                "Quorate-Timeout"?: components["parameters"]["Timeout"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": 2
                 *     }
                 */
                "application/json": components["schemas"]["HandOver"];
            };
        };
        responses: {
            /** @description It was handed over. */
            200: {
                headers: {
                    "Quorate-Zxid": components["headers"]["Zxid"];
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "to": 2,
                     *       "zxid": "0x0000000100000009"
                     *     }
                     */
                    "application/json": components["schemas"]["HandOverAnswer"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            413: components["responses"]["Problem413"];
            415: components["responses"]["Problem415"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            502: components["responses"]["Problem502"];
            503: components["responses"]["Problem503"];
            504: components["responses"]["Problem504"];
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
        };
    };
    docs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page that needs nothing from elsewhere. */
            200: {
                headers: {
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "X-Content-Type-Options": components["headers"]["NoSniff"];
                    "Content-Security-Policy": components["headers"]["ContentPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
        };
    };
    errorDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page that needs nothing from elsewhere. */
            200: {
                headers: {
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    "X-Content-Type-Options": components["headers"]["NoSniff"];
                    "Content-Security-Policy": components["headers"]["ContentPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            406: components["responses"]["Problem406"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
        };
    };
    livez: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "live": true
                     *     }
                     */
                    "application/json": components["schemas"]["Live"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
        };
    };
    readyz: {
        parameters: {
            query?: {
                verbose?: components["parameters"]["Verbose"];
                require?: components["parameters"]["Require"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It can. */
            200: {
                headers: {
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ready": true
                     *     }
                     */
                    "application/json": components["schemas"]["Ready"];
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
            503: components["responses"]["Problem503"];
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus' text format. */
            200: {
                headers: {
                    "Quorate-Served-By": components["headers"]["ServedBy"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["Problem400"];
            401: components["responses"]["Problem401"];
            403: components["responses"]["Problem403"];
            429: components["responses"]["Problem429"];
            500: components["responses"]["Problem500"];
        };
    };
}
