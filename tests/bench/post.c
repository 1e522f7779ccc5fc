/* Mail through a mailbox while its recipient is away: member 1 sends, member 2 comes later and takes it all.
 *
 *   post ENDPOINT TOKEN PID LETTERS WINDOW
 *
 * Letters are sealed boxes' worth of random bytes, 1 KiB, as the broker cannot tell. A letter is stored when its
 * Stored has come; taken when the recipient's Ack for it was sent. PID is the broker's process. */
#include <stdlib.h>
#include <string.h>
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/mail.pb-c.h"
#include "tests/bench/measure.h"
#include "tests/bench/session.h"

#define SENDER    1
#define RECIPIENT 2

static struct bytes letter_frame(struct employer *from, const struct id *to, uint64_t seq,
                                 struct arena *arena) {
  Collega__Envelope envelope = COLLEGA__ENVELOPE__INIT;
  uint8_t sealed[LIMIT_MAIL_LEAST_BYTES];
  struct id author = *identity_party(from->identity), recipient = *to;
  random_fill(sealed, sizeof sealed);
  envelope.from = (ProtobufCBinaryData){ID_BYTES, author.byte};
  envelope.to = (ProtobufCBinaryData){ID_BYTES, recipient.byte};
  envelope.epoch = (ProtobufCBinaryData){EPOCH_BYTES, from->epoch.byte};
  envelope.seq = seq;
  envelope.not_after = clock_now() + 30 * DAY_MS;
  envelope.sealed = (ProtobufCBinaryData){sizeof sealed, sealed};
  struct bytes packed = message_pack(&envelope.base, arena);
  Collega__Send send = COLLEGA__SEND__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  send.envelope = (ProtobufCBinaryData){packed.length, (uint8_t *)(uintptr_t)packed.data};
  send.head = employer_next_head(from);
  frame.send = &send;
  packed = message_pack(&frame.base, arena);
  NEED(packed.data != NULL);
  return packed;
}

/* Returns the nanoseconds from the first Send to the last Stored. */
static int64_t send_all(struct session *session, const struct bytes *frames, size_t count,
                        size_t window, int64_t *latencies) {
  int64_t began = nanoseconds();
  for (size_t next = 0, stored = 0; stored < count; stored++) {
    for (; next < count && next < stored + window; next++) {
      latencies[next] = nanoseconds();
      frame_send(session->socket, frames[next].data, frames[next].length);
    }
    zmq_msg_t message;
    NEED(answer_receive(session->socket, &message).kind == ANSWER_STORED);
    zmq_msg_close(&message);
    latencies[stored] = nanoseconds() - latencies[stored];
  }
  return nanoseconds() - began;
}

static void acknowledge(void *socket, const Collega__Mail *mail, struct arena *arena) {
  Collega__Ack ack = COLLEGA__ACK__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  ack.party = mail->party;
  ack.epoch = mail->epoch;
  ack.seq = mail->items[mail->n_items - 1]->seq;
  frame.ack = &ack;
  frame_pack_send(socket, &frame, arena);
}

static void take_all(struct session *session, size_t count, struct arena *arena) {
  struct owed_credit owed = {0, 0};
  for (size_t taken = 0; taken < count;) {
    zmq_msg_t message;
    ProtobufCMessage *frame = NULL;
    NEED(answer_receive(session->socket, &message).kind == ANSWER_MAIL);
    struct bytes packed = bytes_of(zmq_msg_data(&message), zmq_msg_size(&message));
    NEED(guard_unpack(&collega__from_broker__descriptor, packed, arena, &frame, NULL) ==
         COLLEGA_OK);
    const Collega__Mail *mail = ((const Collega__FromBroker *)frame)->mail;
    NEED(mail->n_items > 0);
    taken += mail->n_items;
    acknowledge(session->socket, mail, arena);
    owe_credit(session->socket, &owed, (uint32_t)mail->n_items, packed.length);
    zmq_msg_close(&message);
  }
}

/* Until the broker has read what was sent before: a socket that is closed drops what still waits in it. */
static void settle(void *socket, struct arena *arena) {
  Collega__Ping ping = COLLEGA__PING__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  zmq_msg_t message;
  ping.number = 1;
  frame.ping = &ping;
  frame_pack_send(socket, &frame, arena);
  NEED(answer_receive(socket, &message).kind == ANSWER_PONG);
  zmq_msg_close(&message);
}

int main(int count, char **arguments) {
  if (count != 6 || bytes_start(NULL) != COLLEGA_OK)
    give_up("usage: %s ENDPOINT TOKEN PID LETTERS WINDOW", arguments[0]);
  struct arena *arena = arena_make();
  struct target target;
  struct session sender, recipient;
  struct employer known;
  pid_t broker = (pid_t)number_argument(arguments[3]);
  size_t letters = number_argument(arguments[4]), window = number_argument(arguments[5]);
  struct bytes *frames = calloc(letters, sizeof *frames);
  int64_t *latencies = calloc(letters, sizeof *latencies);
  NEED(frames != NULL && latencies != NULL && window <= CREDIT_RECORDS / 2);
  token_target(arguments[2], arguments[1], &target, arena);
  void *context = context_open(2);
  session_open(&sender, context, &target, SENDER, arena);
  employer_make(&known, RECIPIENT);
  for (size_t i = 0; i < letters; i++)
    frames[i] = letter_frame(&sender.employer, identity_party(known.identity), i + 1, arena);
  double used = process_seconds(broker);
  int64_t elapsed = send_all(&sender, frames, letters, window, latencies);
  say("stored_rate", per_second(letters, elapsed));
  say("stored_p50_us", (double)percentile(latencies, letters, 0.5) / 1e3);
  say("stored_p99_us", (double)percentile(latencies, letters, 0.99) / 1e3);
  say("stored_cpu_per_million", (process_seconds(broker) - used) * 1e6 / (double)letters);
  used = process_seconds(broker);
  elapsed = nanoseconds();
  session_open(&recipient, context, &target, RECIPIENT, arena);
  take_all(&recipient, letters, arena);
  say("taken_rate", per_second(letters, nanoseconds() - elapsed));
  say("taken_cpu_per_million", (process_seconds(broker) - used) * 1e6 / (double)letters);
  settle(recipient.socket, arena);
  session_close(&recipient);
  session_close(&sender);
  employer_clear(&known);
  zmq_ctx_term(context);
  return 0;
}
