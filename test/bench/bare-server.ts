/** What an idle connection costs any server of `node:http`, to be held against ours: answers everything with 204. Prints its port. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((_, response) => response.writeHead(204).end());
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
