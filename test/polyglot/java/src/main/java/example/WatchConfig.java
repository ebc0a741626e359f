package example;

import com.google.protobuf.Duration;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import quorate.v1.CloseSessionRequest;
import quorate.v1.CoordinationGrpc;
import quorate.v1.CoordinationGrpc.CoordinationBlockingStub;
import quorate.v1.CreateSessionRequest;
import quorate.v1.NodeKind;
import quorate.v1.PutRequest;
import quorate.v1.RenewSessionRequest;
import quorate.v1.Shape;
import quorate.v1.WatchEvent;
import quorate.v1.WatchRequest;
import quorate.v1.WatchResponse;
import quorate.v1.WriteOptions;

/**
 * Holds a session with an ephemeral znode of its own, and follows a znode until that is deleted. It prints every change once, in
 * order, whatever happens to gateways and leaders meanwhile.
 *
 * <pre>
 * cd test/polyglot/java && mvn compile
 * java -cp 'target/classes:target/lib/*' example.WatchConfig localhost:9090,localhost:9091 /config /members/me
 * </pre>
 *
 * Maven makes the stubs from proto/quorate/v1 into target/generated-sources, as pom.xml says: protoc comes from Maven's
 * registry, grpc-java's plugin is the machine's (Debian: protobuf-compiler-grpc-java-plugin).
 */
public final class WatchConfig {
  private static final int SESSION_SECONDS = 6;

  /** Several gateways; whoever meets one that is gone goes on to the next. */
  private final List<ManagedChannel> doors = new ArrayList<>();
  private final AtomicInteger at = new AtomicInteger();
  private volatile Metadata secret = new Metadata();
  private long sent;

  private WatchConfig(String endpoints) {
    for (String endpoint : endpoints.split(",")) {
      doors.add(ManagedChannelBuilder.forTarget(endpoint).usePlaintext().build());
    }
  }

  private CoordinationBlockingStub door(int index) {
    return CoordinationGrpc.newBlockingStub(doors.get(index % doors.size()))
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(secret));
  }

  /** What another try cures: a gateway that is gone, a leader that is not there yet, an answer that came too late. */
  private static boolean passes(StatusRuntimeException error) {
    return switch (error.getStatus().getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, UNKNOWN, RESOURCE_EXHAUSTED -> true;
      default -> false;
    };
  }

  /** Only for what may be done twice. */
  private <Reply> Reply call(long patienceNanos, Function<CoordinationBlockingStub, Reply> ask) throws InterruptedException {
    long began = System.nanoTime();
    while (true) {
      int index = at.get();
      try {
        return ask.apply(door(index).withDeadlineAfter(2, TimeUnit.SECONDS));
      } catch (StatusRuntimeException error) {
        if (!passes(error) || System.nanoTime() - began > patienceNanos) throw error;
        at.compareAndSet(index, index + 1);
        Thread.sleep(100);
      }
    }
  }

  /** You hold a session until its timeout after you *sent* the last renewal that was answered. */
  private void renew(long id) {
    long began = System.nanoTime();
    try {
      long left = TimeUnit.SECONDS.toNanos(SESSION_SECONDS) - (began - sent);
      call(left, door -> door.renewSession(RenewSessionRequest.newBuilder().setSessionId(id).build()));
      sent = began;
    } catch (StatusRuntimeException | InterruptedException error) {
      System.out.println("lost " + error.getMessage());
      System.exit(1); // Whatever only the owner may do ends here.
    }
  }

  /** Everything that happens to `path`, each once: a watch is a cursor, and goes on behind the last one read. */
  private void follow(String path) throws InterruptedException {
    String cursor = null;
    for (; ; at.incrementAndGet()) {
      WatchRequest.Builder request = WatchRequest.newBuilder().addNodes(path);
      if (cursor != null) request.setAfterCursor(cursor);
      try {
        Iterator<WatchResponse> messages = door(at.get()).watch(request.build());
        while (messages.hasNext()) {
          WatchResponse message = messages.next();
          if (cursor == null) System.out.println("watching " + path);
          cursor = message.getCursor();
          for (WatchEvent event : message.getEventsList()) {
            String type = event.getType().name().substring("TYPE_".length()).toLowerCase();
            System.out.printf("%s %d 0x%016x%n", type, event.getVersion(), event.getZxid());
            if (event.getType() == WatchEvent.Type.TYPE_DELETED) return;
          }
        }
      } catch (StatusRuntimeException error) {
        if (!passes(error)) throw error;
      }
      Thread.sleep(100);
    }
  }

  private void run(String watched, String member) throws InterruptedException {
    long patience = TimeUnit.SECONDS.toNanos(30);
    sent = System.nanoTime();
    var wanted = CreateSessionRequest.newBuilder().setName("java").setTimeout(Duration.newBuilder().setSeconds(SESSION_SECONDS));
    var session = call(patience, door -> door.createSession(wanted.build()));
    long id = session.getSessionId();
    System.out.printf("session 0x%016x%n", id);
    Metadata metadata = new Metadata();
    metadata.put(Metadata.Key.of("quorate-session-secret", Metadata.ASCII_STRING_MARSHALLER), session.getSecret());
    secret = metadata;
    ScheduledExecutorService renewals = Executors.newSingleThreadScheduledExecutor();
    renewals.scheduleWithFixedDelay(() -> renew(id), SESSION_SECONDS / 3, SESSION_SECONDS / 3, TimeUnit.SECONDS);

    // A put of one's own ephemeral may be repeated.
    var put = PutRequest.newBuilder()
        .setPath(member)
        .setShape(Shape.newBuilder().setKind(NodeKind.NODE_KIND_EPHEMERAL))
        .setOptions(WriteOptions.newBuilder().setSessionId(id));
    call(patience, door -> door.put(put.build()));
    System.out.println("member " + member);

    follow(watched);

    // The renewal that is under way comes to its end.
    renewals.shutdown();
    renewals.awaitTermination(SESSION_SECONDS, TimeUnit.SECONDS);
    call(patience, door -> door.closeSession(CloseSessionRequest.newBuilder().setSessionId(id).build()));
    System.out.println("closed");
    for (ManagedChannel each : doors) each.shutdownNow();
  }

  public static void main(String[] args) throws InterruptedException {
    new WatchConfig(args[0]).run(args[1], args[2]);
  }
}
