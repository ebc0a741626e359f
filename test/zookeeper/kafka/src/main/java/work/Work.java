package work;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A producer and a consumer group that work all the time. It is told a word on each line of its input and answers each with one
 * line: {@code topic NAME} makes a topic, {@code start} begins to write to it, {@code progress} says how many records are
 * acknowledged, {@code end} stops writing, waits until the group has read all of them and says how many were written, read and
 * read twice.
 */
public final class Work {
  private static final int PATIENCE_SECONDS = 60;

  private final String brokers;
  private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
  private final Set<String> read = ConcurrentHashMap.newKeySet();
  private final AtomicInteger repeated = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private volatile boolean writing = true;
  private volatile boolean reading = true;
  private final List<Thread> threads = new ArrayList<>();

  private Work(String brokers) {
    this.brokers = brokers;
  }

  public static void main(String[] args) throws Exception {
    Work work = new Work(args[0]);
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String answer;
      try {
        answer = work.obey(line.split(" "));
      } catch (Exception fault) {
        answer = "failed " + fault;
      }
      System.out.println(answer.replace('\n', ' '));
    }
    System.exit(0);
  }

  private String obey(String[] words) throws Exception {
    switch (words[0]) {
      case "topic":
        return makeTopic(words[1]);
      case "start":
        begin(() -> write(words[1]));
        begin(() -> read(words[1]));
        return "started";
      case "progress":
        return "acknowledged " + acknowledged.size();
      case "end":
        return end();
      default:
        return "failed: nobody understands " + words[0];
    }
  }

  /** Tried again while the cluster has no controller. */
  private String makeTopic(String name) throws Exception {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    for (;;) {
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
        if (!admin.listTopics().names().get().contains(name)) {
          admin.createTopics(List.of(new NewTopic(name, 3, (short) 2))).all().get();
        }
        return "made " + name;
      } catch (java.util.concurrent.ExecutionException fault) {
        if (System.nanoTime() > until) throw fault;
        Thread.sleep(500);
      }
    }
  }

  private void begin(Runnable task) {
    Thread thread = new Thread(task);
    threads.add(thread);
    thread.start();
  }

  private void write(String topic) {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", brokers, "acks", "all", "enable.idempotence", true, "delivery.timeout.ms", 120_000, "linger.ms", 5);
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      for (int number = 0; writing; number++) {
        String value = "record-" + number;
        producer.send(
            new ProducerRecord<>(topic, "key-" + number % 50, value),
            (sent, fault) -> {
              if (fault == null) acknowledged.add(value);
              else refused.incrementAndGet();
            });
        pause(4);
      }
      producer.flush();
    }
  }

  private void read(String topic) {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", brokers, "group.id", "readers", "auto.offset.reset", "earliest");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      while (reading) {
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          if (!read.add(record.value())) repeated.incrementAndGet();
        }
      }
    }
  }

  private String end() throws Exception {
    writing = false;
    threads.get(0).join();
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!read.containsAll(acknowledged) && System.nanoTime() < until) pause(100);
    reading = false;
    threads.get(1).join();
    long missing = acknowledged.stream().filter(each -> !read.contains(each)).count();
    return "acknowledged " + acknowledged.size() + " refused " + refused + " missing " + missing + " repeated " + repeated;
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException fault) {
      Thread.currentThread().interrupt();
    }
  }
}
