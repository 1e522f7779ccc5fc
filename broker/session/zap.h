/* ZAP (ZeroMQ's authentication protocol, RFC 27): libzmq asks at every CURVE handshake whether the
 * client's key may come in. Only members' and invitations' keys may. What is admitted gets the key,
 * in hexadecimal, as its User-Id, which then stands on each of its messages. */
#ifndef COLLEGA_BROKER_SESSION_ZAP_H
#define COLLEGA_BROKER_SESSION_ZAP_H
#include "broker/session/address.h"
#include "broker/session/links.h"

#define ZAP_DOMAIN_NAME   "collega"
#define ZAP_USER_ID_BYTES (2 * PEER_KEY_BYTES + 1)

struct zap_counts {
  uint64_t admitted, refused, malformed;
};

/* The frames of a request, as libzmq sends them after the delimiter. */
#define ZAP_FRAMES 7
enum zap_verdict { ZAP_ADMIT, ZAP_REFUSE, ZAP_MALFORMED };
/* Judges a request of `count` frames: version, id, domain, address, identity, mechanism, key. */
enum zap_verdict zap_judge(const struct bytes *frames, size_t count, const struct links *links,
                           collega_time now);

/* A REP socket on inproc://zeromq.zap.01, to be made before the server socket is bound. NULL:
 * errno. */
void *zap_open(void *context);
/* Answers the requests that wait, at most `most` of them; returns how many. Invitations end by the
 * wall clock `now`, addresses are judged by `monotonic`. */
size_t zap_serve(void *socket, size_t most, const struct links *links, struct addresses *addresses,
                 collega_time now, collega_time monotonic, struct zap_counts *counts);
/* The key behind a User-Id. False: it is none. */
bool zap_user_key(const char *user_id, uint8_t key[PEER_KEY_BYTES]);
#endif
