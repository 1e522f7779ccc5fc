/* A request on its way through the broker: a worker prepares it (guard, hashes, signatures: all that costs
 * CPU and needs no store beyond the members), the committer takes it into one transaction with others, and
 * what it answers goes out only after the fsync. Everything of a request lives in its arena. */
#ifndef COLLEGA_BROKER_REQUEST_H
#define COLLEGA_BROKER_REQUEST_H
#include "proto/letter.h"
#include "proto/link.pb-c.h"
#include "proto/members.h"

struct decide_request; /* broker/decide/decider.h */
struct facet;          /* broker/store/log_rows.h */

enum request_kind {
  REQUEST_JOIN,
  REQUEST_PUBLISH,
  REQUEST_SEND,
  REQUEST_ACK,
  REQUEST_DECIDE, /* from frames */
  REQUEST_INVITE,
  REQUEST_REVOKE, /* from the control socket */
  REQUEST_LINKED  /* from the loop: the home came with `link_key`, which replaces another */
};
struct request {
  enum request_kind kind;
  struct arena *arena; /* owned; the request lies in it, and request_destroy frees all */
  void *frame_memory;
  void (*frame_free)(void *);     /* what the frame's bytes live in (a zmq_msg_t), may be NULL */
  struct bytes packed;            /* the frame */
  const Collega__ToBroker *frame; /* unpacked; NULL for admin requests */
  uint64_t session;               /* the daemon's number of the connection; answers name it */
  struct id home;                 /* the authenticated member (host party); zero while joining */
  uint8_t link_key[32];           /* the authenticated CURVE key */
  /* filled by request_prepare */
  struct run_view run;    /* JOIN, PUBLISH; a record's `refused` holds unless it is a duplicate */
  struct bytes run_bytes; /* the run as it stands in the frame, verbatim */
  struct facet *facets;   /* PUBLISH: of each record, what filters ask about */
  const Collega__Envelope *envelope;
  struct id envelope_hash;
  struct run_view *decide_runs;
  size_t decide_run_count;
  struct bytes *decide_run_bytes;
  struct decide_request
      *decide;          /* DECIDE; header_epoch and answer_epoch are the committer's to fill */
  bool decide_alone;    /* an answer without a header: the register tells the parties */
  bool decide_replaced; /* the header's card was replaced: what it proposes is concluded no more */
  struct id decider;
  struct epoch decider_epoch, answer_epoch; /* as header and answer name them */
  struct id which; /* what a Refusal names: first record, envelope hash, basis; zero: the frame */
  enum collega_status prepared; /* COLLEGA_OK, or why it is refused as a whole */
  Collega__RefusalCode refusal;
  struct collega_error error;
  /* admin */
  const Collega__Invitation *invitation;
  uint8_t invitation_public[32];
  Collega__Role role; /* of whom it invites; 0: employer */
  struct id host;     /* of whom it invites; zero: hosts itself */
  struct id revoke;
  char reason[240];
};
/* One frame to send after the commit: to a session or, where `home` is not zero, to every session of that
 * home (a Question to a party that is not the asker). */
struct answer {
  uint64_t session;
  struct bytes packed;
  uint32_t records;
  struct id home;
};

struct request *request_new(enum request_kind kind);
void request_destroy(struct request **request);
/* Unpacks and verifies. Never fails: what is wrong becomes prepared/refusal/error. `members` is the worker's
 * own. The frame's kind decides request->kind. */
void request_prepare(struct request *request, struct members *members, collega_time now);
/* The code that goes with an error, where nothing better is known. */
Collega__RefusalCode refusal_code_of(const struct collega_error *error);
/* A packed FromBroker with a Refusal, in the arena; `which` NULL or zero: the frame. Empty: exhausted. */
struct bytes refusal_pack(struct arena *arena, const struct id *which, Collega__RefusalCode code,
                          const struct collega_error *error);
#endif
