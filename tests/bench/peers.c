/* Other brokers under the same load: payloads of 600 bytes from one publisher to one consumer, at most WINDOW of them
 * unacknowledged, over TCP on the loopback interface, without encryption.
 *
 *   peers nats|redis|mqtt PORT PID MESSAGES WINDOW
 *
 * nats: a JetStream stream on file, a push consumer. redis: a stream, XADD and XREAD. mqtt: QoS 1 both ways. Each is
 * spoken to in its own protocol, with requests in flight up to the window. PID is the server's process. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/measure.h"

#define PAYLOAD_BYTES 600u
#define BUFFER_BYTES  (1u << 20)
#define WAIT_SECONDS  30

/* ---- a connection with buffers both ways */

struct line {
  int descriptor;
  char in[BUFFER_BYTES], out[BUFFER_BYTES];
  size_t at, end, filled;
};

static struct line *line_open(uint16_t port) {
  struct line *line = calloc(1, sizeof *line);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct timeval wait = {.tv_sec = WAIT_SECONDS};
  int one = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  NEED(line != NULL && (line->descriptor = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
  NEED(connect(line->descriptor, (struct sockaddr *)&address, sizeof address) == 0);
  NEED(setsockopt(line->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
  NEED(setsockopt(line->descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
  return line;
}

static void flush(struct line *line) {
  for (size_t sent = 0; sent < line->filled;) {
    ssize_t some = send(line->descriptor, line->out + sent, line->filled - sent, MSG_NOSIGNAL);
    if (some < 0) give_up("send: %s", strerror(errno));
    sent += (size_t)some;
  }
  line->filled = 0;
}

static void put(struct line *line, const void *data, size_t length) {
  if (line->filled + length > BUFFER_BYTES) flush(line);
  memcpy(line->out + line->filled, data, length);
  line->filled += length;
}

static void put_text(struct line *line, const char *text) {
  put(line, text, strlen(text));
}

/* Waits until `length` bytes stand at line->in + line->at. */
static void need_bytes(struct line *line, size_t length) {
  NEED(length <= BUFFER_BYTES);
  if (line->at + length > BUFFER_BYTES) {
    memmove(line->in, line->in + line->at, line->end - line->at);
    line->end -= line->at;
    line->at = 0;
  }
  while (line->end - line->at < length) {
    ssize_t some = recv(line->descriptor, line->in + line->end, BUFFER_BYTES - line->end, 0);
    if (some <= 0) give_up("no answer: %s", some < 0 ? strerror(errno) : "closed");
    line->end += (size_t)some;
  }
}

/* The next line, without its end; valid until the next call. */
static const char *get_line(struct line *line) {
  for (size_t length = 1;; length++) {
    need_bytes(line, length);
    char *start = line->in + line->at;
    if (start[length - 1] != '\n') continue;
    start[length - 1] = '\0';
    if (length > 1 && start[length - 2] == '\r') start[length - 2] = '\0';
    line->at += length;
    return start;
  }
}

static void skip(struct line *line, size_t length) {
  while (length > 0) {
    size_t step = length < BUFFER_BYTES / 2 ? length : BUFFER_BYTES / 2;
    need_bytes(line, step);
    line->at += step;
    length -= step;
  }
}

/* ---- the three protocols: each can publish one, take one acknowledgement, take one delivery */

struct peer {
  const char *name;
  struct line *(*publisher)(uint16_t port);
  void (*publish)(struct line *line, uint32_t number);
  void (*acknowledged)(struct line *line);
  struct line *(*consumer)(uint16_t port);
  void (*take)(struct line *line, uint64_t *taken); /* one or more */
};

static char payload[PAYLOAD_BYTES];

/* NATS: lines of text. A message is "MSG subject sid [reply] size", then that many bytes and CRLF. */
static void nats_message(struct line *line) {
  for (;;) {
    const char *text = get_line(line);
    if (strncmp(text, "PING", 4) == 0) {
      put_text(line, "PONG\r\n");
      flush(line);
      continue;
    }
    if (strncmp(text, "MSG ", 4) != 0 && strncmp(text, "HMSG ", 5) != 0) {
      if (strncmp(text, "-ERR", 4) == 0) give_up("%s", text);
      continue;
    }
    const char *size = strrchr(text, ' ');
    size_t length = strtoul(size + 1, NULL, 10);
    need_bytes(line, length + 2);
    bool failed = memmem(line->in + line->at, length, "\"error\"", 7) != NULL;
    if (failed) give_up("%.*s", (int)length, line->in + line->at);
    line->at += length + 2;
    return;
  }
}

static void nats_ask(struct line *line, const char *subject, const char *question) {
  char text[512];
  snprintf(text, sizeof text, "PUB %s inbox.%d %zu\r\n%s\r\n", subject, (int)getpid(),
           strlen(question), question);
  put_text(line, text);
  flush(line);
  nats_message(line);
}

static struct line *nats_open(uint16_t port) {
  struct line *line = line_open(port);
  char text[64];
  get_line(line);
  put_text(line, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
  snprintf(text, sizeof text, "SUB inbox.%d 1\r\n", (int)getpid());
  put_text(line, text);
  flush(line);
  return line;
}

static struct line *nats_publisher(uint16_t port) {
  return nats_open(port);
}

static void nats_publish(struct line *line, uint32_t number) {
  char text[64];
  (void)number;
  int length =
      snprintf(text, sizeof text, "PUB bench inbox.%d %u\r\n", (int)getpid(), PAYLOAD_BYTES);
  put(line, text, (size_t)length);
  put(line, payload, PAYLOAD_BYTES);
  put(line, "\r\n", 2);
}

static struct line *nats_consumer(uint16_t port) {
  struct line *line = nats_open(port);
  nats_ask(line, "$JS.API.STREAM.CREATE.BENCH",
           "{\"name\":\"BENCH\",\"subjects\":[\"bench\"],\"storage\":\"file\"}");
  put_text(line, "SUB delivered 2\r\n");
  nats_ask(line, "$JS.API.CONSUMER.CREATE.BENCH",
           "{\"stream_name\":\"BENCH\",\"config\":{\"deliver_subject\":\"delivered\","
           "\"deliver_policy\":\"all\",\"ack_policy\":\"none\"}}");
  return line;
}

static void nats_take(struct line *line, uint64_t *taken) {
  nats_message(line);
  ++*taken;
}

/* Redis: RESP. */
static struct line *redis_publisher(uint16_t port) {
  return line_open(port);
}

static void redis_publish(struct line *line, uint32_t number) {
  static const char head[] = "*5\r\n$4\r\nXADD\r\n$5\r\nbench\r\n$1\r\n*\r\n$1\r\nd\r\n$600\r\n";
  (void)number;
  put(line, head, sizeof head - 1);
  put(line, payload, PAYLOAD_BYTES);
  put(line, "\r\n", 2);
}

static void redis_acknowledged(struct line *line) {
  const char *text = get_line(line);
  if (text[0] != '$') give_up("%s", text);
  skip(line, strtoul(text + 1, NULL, 10) + 2);
}

static char redis_last[64];

static void redis_ask(struct line *line) {
  char text[256];
  int length =
      snprintf(text, sizeof text,
               "*8\r\n$5\r\nXREAD\r\n$5\r\nBLOCK\r\n$1\r\n0\r\n$5\r\nCOUNT\r\n$4\r\n1000\r\n"
               "$7\r\nSTREAMS\r\n$5\r\nbench\r\n$%zu\r\n%s\r\n",
               strlen(redis_last), redis_last);
  put(line, text, (size_t)length);
  flush(line);
}

static struct line *redis_consumer(uint16_t port) {
  struct line *line = line_open(port);
  strcpy(redis_last, "0");
  redis_ask(line);
  return line;
}

static size_t redis_count(struct line *line, char kind) {
  const char *text = get_line(line);
  if (text[0] != kind) give_up("%s", text);
  return strtoul(text + 1, NULL, 10);
}

/* [[name, [[id, [field, value]], ...]]] */
static void redis_take(struct line *line, uint64_t *taken) {
  NEED(redis_count(line, '*') == 1 && redis_count(line, '*') == 2);
  skip(line, redis_count(line, '$') + 2);
  size_t entries = redis_count(line, '*');
  for (size_t i = 0; i < entries; i++) {
    NEED(redis_count(line, '*') == 2);
    size_t length = redis_count(line, '$');
    NEED(length < sizeof redis_last);
    need_bytes(line, length + 2);
    memcpy(redis_last, line->in + line->at, length);
    redis_last[length] = '\0';
    line->at += length + 2;
    NEED(redis_count(line, '*') == 2);
    skip(line, redis_count(line, '$') + 2);
    skip(line, redis_count(line, '$') + 2);
  }
  *taken += entries;
  redis_ask(line);
}

/* MQTT 3.1.1 */
static uint8_t mqtt_packet(struct line *line, size_t *length) {
  need_bytes(line, 2);
  uint8_t kind = (uint8_t)line->in[line->at++];
  *length = 0;
  for (unsigned shift = 0;; shift += 7) {
    need_bytes(line, 1);
    uint8_t byte = (uint8_t)line->in[line->at++];
    *length |= (size_t)(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  need_bytes(line, *length);
  return kind;
}

static struct line *mqtt_open(uint16_t port, const char *name) {
  struct line *line = line_open(port);
  uint8_t connect[] = {0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 4, 0, 0, 0, 0, 4, 0, 0, 0, 0};
  memcpy(connect + 14, name, 4);
  put(line, connect, sizeof connect);
  flush(line);
  size_t length;
  NEED(mqtt_packet(line, &length) == 0x20 && line->in[line->at + 1] == 0);
  line->at += length;
  return line;
}

static struct line *mqtt_publisher(uint16_t port) {
  return mqtt_open(port, "publ");
}

static void mqtt_publish(struct line *line, uint32_t number) {
  uint32_t length = 2 + 1 + 2 + PAYLOAD_BYTES, id = number % 65535 + 1;
  uint8_t head[] = {0x32,
                    (uint8_t)(length % 128 | 0x80),
                    (uint8_t)(length / 128),
                    0,
                    1,
                    'b',
                    (uint8_t)(id >> 8),
                    (uint8_t)id};
  put(line, head, sizeof head);
  put(line, payload, PAYLOAD_BYTES);
}

static void mqtt_acknowledged(struct line *line) {
  size_t length;
  NEED(mqtt_packet(line, &length) == 0x40);
  line->at += length;
}

static struct line *mqtt_consumer(uint16_t port) {
  static const uint8_t subscribe[] = {0x82, 6, 0, 1, 0, 1, 'b', 1};
  struct line *line = mqtt_open(port, "cons");
  put(line, subscribe, sizeof subscribe);
  flush(line);
  size_t length;
  NEED(mqtt_packet(line, &length) == 0x90);
  line->at += length;
  return line;
}

static void mqtt_take(struct line *line, uint64_t *taken) {
  size_t length;
  NEED((mqtt_packet(line, &length) & 0xf0) == 0x30);
  const uint8_t ack[] = {0x40, 2, (uint8_t)line->in[line->at + 3], (uint8_t)line->in[line->at + 4]};
  line->at += length;
  put(line, ack, sizeof ack);
  if (line->at == line->end) flush(line);
  ++*taken;
}

static const struct peer peers[] = {
    {"nats", nats_publisher, nats_publish, nats_message, nats_consumer, nats_take},
    {"redis", redis_publisher, redis_publish, redis_acknowledged, redis_consumer, redis_take},
    {"mqtt", mqtt_publisher, mqtt_publish, mqtt_acknowledged, mqtt_consumer, mqtt_take},
};

/* ---- the measurement */

static void consume(const struct peer *peer, uint16_t port, uint64_t messages, int ready) {
  die_with_parent();
  struct line *line = peer->consumer(port);
  int64_t now = nanoseconds();
  NEED(write(ready, &now, sizeof now) == sizeof now);
  for (uint64_t taken = 0; taken < messages;)
    peer->take(line, &taken);
  now = nanoseconds();
  NEED(write(ready, &now, sizeof now) == sizeof now);
  _exit(0);
}

int main(int count, char **arguments) {
  const struct peer *peer = NULL;
  for (size_t i = 0; count == 6 && i < sizeof peers / sizeof *peers; i++)
    if (strcmp(peers[i].name, arguments[1]) == 0) peer = &peers[i];
  if (peer == NULL) give_up("usage: %s nats|redis|mqtt PORT PID MESSAGES WINDOW", arguments[0]);
  uint16_t port = (uint16_t)number_argument(arguments[2]);
  pid_t server = (pid_t)number_argument(arguments[3]);
  size_t messages = number_argument(arguments[4]), window = number_argument(arguments[5]);
  int64_t *latencies = calloc(messages, sizeof *latencies), ended = 0;
  int ends[2];
  NEED(latencies != NULL && pipe(ends) == 0);
  memset(payload, 'd', sizeof payload);
  pid_t child = fork();
  NEED(child >= 0);
  if (child == 0) consume(peer, port, messages, ends[1]);
  close(ends[1]);
  if (read(ends[0], &ended, sizeof ended) != sizeof ended) give_up("the consumer failed");
  struct line *line = peer->publisher(port);
  double used = process_seconds(server);
  int64_t began = nanoseconds();
  for (size_t next = 0, taken = 0; taken < messages; taken++) {
    for (; next < messages && next < taken + window; next++) {
      latencies[next] = nanoseconds();
      peer->publish(line, (uint32_t)next);
    }
    if (line->at == line->end) flush(line);
    peer->acknowledged(line);
    latencies[taken] = nanoseconds() - latencies[taken];
  }
  if (read(ends[0], &ended, sizeof ended) != sizeof ended) give_up("the consumer failed");
  used = process_seconds(server) - used;
  NEED(wait(NULL) == child);
  say("rate", per_second(messages, ended - began));
  say("cpu_per_million", used * 1e6 / (double)messages);
  say("acknowledged_p50_us", (double)percentile(latencies, messages, 0.5) / 1e3);
  say("acknowledged_p99_us", (double)percentile(latencies, messages, 0.99) / 1e3);
  return 0;
}
