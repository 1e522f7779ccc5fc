/* The ZAP handler. It runs in the loop, on a REP socket: a handshake waits for its answer, the loop
 * for nothing. Requests come from libzmq itself, but what the frames hold comes from the client. */
#include "broker/session/zap.h"
#include <errno.h>
#include <string.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"

enum {
  FRAME_VERSION,
  FRAME_ID,
  FRAME_DOMAIN,
  FRAME_ADDRESS,
  FRAME_IDENTITY,
  FRAME_MECHANISM,
  FRAME_KEY
};

static bool is(struct bytes frame, const char *text) {
  return bytes_equal(frame, bytes_of(text, strlen(text)));
}

enum zap_verdict zap_judge(const struct bytes *frames, size_t count, const struct links *links,
                           collega_time now) {
  if (count < FRAME_MECHANISM + 1 || !is(frames[FRAME_VERSION], "1.0")) return ZAP_MALFORMED;
  if (count != ZAP_FRAMES || !is(frames[FRAME_MECHANISM], "CURVE")) return ZAP_REFUSE;
  if (!is(frames[FRAME_DOMAIN], ZAP_DOMAIN_NAME)) return ZAP_REFUSE;
  if (frames[FRAME_KEY].length != PEER_KEY_BYTES) return ZAP_REFUSE;
  return links_find(links, frames[FRAME_KEY].data, now) != NULL ? ZAP_ADMIT : ZAP_REFUSE;
}

bool zap_user_key(const char *user_id, uint8_t key[PEER_KEY_BYTES]) {
  return user_id != NULL && hex_read(key, PEER_KEY_BYTES, user_id);
}

void *zap_open(void *context) {
  void *socket = zmq_socket(context, ZMQ_REP);
  if (socket == NULL) return NULL;
  int linger = 0;
  if (zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
      zmq_bind(socket, ENDPOINT) != 0) {
    int number = errno;
    zmq_close(socket);
    errno = number;
    return NULL;
  }
  return socket;
}

static void answer(void *socket, struct bytes id, enum zap_verdict verdict, const char *user_id) {
  static const char *const codes[] = {
      [ZAP_ADMIT] = "200", [ZAP_REFUSE] = "400", [ZAP_MALFORMED] = "500"};
  /* A client whose frames cannot be sent is left without an answer: its handshake times out. */
  if (zmq_send(socket, "1.0", 3, ZMQ_SNDMORE) < 0) return;
  zmq_send(socket, id.data, id.length, ZMQ_SNDMORE);
  zmq_send(socket, codes[verdict], 3, ZMQ_SNDMORE);
  zmq_send(socket, "", 0, ZMQ_SNDMORE);
  zmq_send(socket, user_id, strlen(user_id), ZMQ_SNDMORE);
  zmq_send(socket, "", 0, 0);
}

/* Receives one request: its first frames stay in `messages`, of more only the number is kept. 0:
 * none. */
static size_t receive(void *socket, zmq_msg_t *messages, size_t capacity) {
  size_t count = 0;
  for (;;) {
    zmq_msg_t spare, *message = count < capacity ? &messages[count] : &spare;
    zmq_msg_init(message);
    if (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0) {
      zmq_msg_close(message);
      return count;
    }
    bool more = zmq_msg_more(message);
    if (message == &spare) zmq_msg_close(message);
    count++;
    if (!more) return count;
  }
}

static void serve(void *socket, zmq_msg_t *messages, size_t count, const struct links *links,
                  struct addresses *addresses, collega_time now, collega_time monotonic,
                  struct zap_counts *counts) {
  size_t kept = count < ZAP_FRAMES ? count : ZAP_FRAMES;
  struct bytes frames[ZAP_FRAMES] = {{NULL, 0}};
  for (size_t i = 0; i < kept; i++)
    frames[i] = bytes_of(zmq_msg_data(&messages[i]), zmq_msg_size(&messages[i]));
  enum zap_verdict verdict = zap_judge(frames, count, links, now);
  char user_id[ZAP_USER_ID_BYTES] = "", address[64] = "";
  size_t length = frames[FRAME_ADDRESS].length;
  if (length >= sizeof address) length = sizeof address - 1;
  if (length > 0) memcpy(address, frames[FRAME_ADDRESS].data, length);
  switch (verdict) {
  case ZAP_ADMIT:
    hex_write(user_id, frames[FRAME_KEY].data, PEER_KEY_BYTES);
    address_admitted(addresses, address, monotonic);
    counts->admitted++;
    break;
  case ZAP_REFUSE:
    address_refused(addresses, address, monotonic);
    counts->refused++;
    break;
  case ZAP_MALFORMED:
    counts->malformed++;
    break;
  }
  answer(socket, frames[FRAME_ID], verdict, user_id);
  for (size_t i = 0; i < kept; i++)
    zmq_msg_close(&messages[i]);
}

size_t zap_serve(void *socket, size_t most, const struct links *links, struct addresses *addresses,
                 collega_time now, collega_time monotonic, struct zap_counts *counts) {
  for (size_t served = 0; served < most; served++) {
    zmq_msg_t messages[ZAP_FRAMES];
    size_t count = receive(socket, messages, ZAP_FRAMES);
    if (count == 0) return served;
    serve(socket, messages, count, links, addresses, now, monotonic, counts);
  }
  return most;
}
