// Holds a session with an ephemeral znode of its own, and follows a znode until that is deleted:
//
//	cd test/polyglot/go && ../../../node_modules/.bin/buf generate ../../../proto --path ../../../proto/quorate/v1 && go build
//	./watchconfig localhost:9090,localhost:9091 /config /members/me
//
// It prints every change once, in order, whatever happens to gateways and leaders meanwhile.
//
// buf, which npm start brings into the clone, makes the stubs from proto/quorate/v1 into ./quorate/v1, as buf.gen.yaml
// says, with the plugins that go.mod names as tools.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	quorate "example/watchconfig/quorate/v1"
)

const sessionTimeout = 6 * time.Second

// doors are several gateways; whoever meets one that is gone goes on to the next.
type doors struct {
	clients []quorate.CoordinationClient
	at      atomic.Int64
}

func open(endpoints []string) (*doors, error) {
	d := &doors{}
	for _, endpoint := range endpoints {
		connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		d.clients = append(d.clients, quorate.NewCoordinationClient(connection))
	}
	return d, nil
}

func (d *doors) now() quorate.CoordinationClient {
	return d.clients[int(d.at.Load())%len(d.clients)]
}

// passing says that another try may cure it: a gateway that is gone, no leader yet, an answer that came too late.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Unknown, codes.ResourceExhausted:
		return true
	}
	return false
}

// call is only for what may be done twice.
func call[Reply any](ctx context.Context, d *doors, ask func(context.Context, quorate.CoordinationClient) (Reply, error)) (Reply, error) {
	for {
		one, cancel := context.WithTimeout(ctx, 2*time.Second)
		reply, err := ask(one, d.now())
		cancel()
		if err == nil || !passing(err) || ctx.Err() != nil {
			return reply, err
		}
		d.at.Add(1)
		time.Sleep(100 * time.Millisecond)
	}
}

// keep renews until ctx is over. You hold a session until its timeout after you *sent* the last renewal that was answered.
func keep(ctx context.Context, d *doors, id int64, sent time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sessionTimeout / 3):
		}
		began := time.Now()
		limited, cancel := context.WithDeadline(ctx, sent.Add(sessionTimeout))
		_, err := call(limited, d, func(ctx context.Context, door quorate.CoordinationClient) (*quorate.RenewSessionResponse, error) {
			return door.RenewSession(ctx, &quorate.RenewSessionRequest{SessionId: id})
		})
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			log.Fatalf("lost: %v", err) // Whatever only the owner may do ends here.
		}
		sent = began
	}
}

// follow tells everything that happens to path, each once: a watch is a cursor, and goes on behind the last one read.
func follow(ctx context.Context, d *doors, path string, tell func(*quorate.WatchEvent) bool) error {
	cursor := ""
	for ; ; d.at.Add(1) {
		request := &quorate.WatchRequest{Nodes: []string{path}}
		if cursor != "" {
			request.After = &quorate.WatchRequest_AfterCursor{AfterCursor: cursor}
		}
		stream, err := d.now().Watch(ctx, request)
		for err == nil {
			var message *quorate.WatchResponse
			if message, err = stream.Recv(); err != nil {
				break
			}
			if cursor == "" {
				fmt.Println("watching", path)
			}
			cursor = message.Cursor
			for _, event := range message.Events {
				if !tell(event) {
					return nil
				}
			}
		}
		if !passing(err) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func run(endpoints []string, watched, member string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := open(endpoints)
	if err != nil {
		return err
	}
	sent := time.Now()
	session, err := call(ctx, d, func(ctx context.Context, door quorate.CoordinationClient) (*quorate.CreateSessionResponse, error) {
		return door.CreateSession(ctx, &quorate.CreateSessionRequest{Timeout: durationpb.New(sessionTimeout), Name: "go"})
	})
	if err != nil {
		return err
	}
	id := session.SessionId
	fmt.Printf("session 0x%016x\n", id)
	owner := metadata.AppendToOutgoingContext(ctx, "quorate-session-secret", session.Secret)
	renewing, stop := context.WithCancel(owner)
	defer stop()
	go keep(renewing, d, id, sent)

	// A put of one's own ephemeral may be repeated.
	put := &quorate.PutRequest{
		Path:    member,
		Shape:   &quorate.Shape{Kind: quorate.NodeKind_NODE_KIND_EPHEMERAL},
		Options: &quorate.WriteOptions{SessionId: id},
	}
	_, err = call(owner, d, func(ctx context.Context, door quorate.CoordinationClient) (*quorate.PutResponse, error) {
		return door.Put(ctx, put)
	})
	if err != nil {
		return err
	}
	fmt.Println("member", member)

	err = follow(ctx, d, watched, func(event *quorate.WatchEvent) bool {
		kind := strings.ToLower(strings.TrimPrefix(event.Type.String(), "TYPE_"))
		fmt.Printf("%s %d 0x%016x\n", kind, event.Version, event.Zxid)
		return event.Type != quorate.WatchEvent_TYPE_DELETED
	})
	if err != nil {
		return err
	}

	stop()
	_, err = call(owner, d, func(ctx context.Context, door quorate.CoordinationClient) (*quorate.CloseSessionResponse, error) {
		return door.CloseSession(ctx, &quorate.CloseSessionRequest{SessionId: id})
	})
	if err != nil {
		return err
	}
	fmt.Println("closed")
	return nil
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: watchconfig ENDPOINT,… WATCHED MEMBER")
	}
	if err := run(strings.Split(os.Args[1], ","), os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}
