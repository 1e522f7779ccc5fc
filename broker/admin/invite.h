/* Invitations and revocations, as requests to the committer. */
#ifndef COLLEGA_BROKER_ADMIN_INVITE_H
#define COLLEGA_BROKER_ADMIN_INVITE_H
#include <jansson.h>
#include "broker/commit/request.h"
#include "proto/link.pb-c.h"
#include "proto/invitation.h"
#include "proto/keys.h"

#define INVITE_ADDRESSES 8
#define INVITE_DAYS_MOST 365

struct invite_wish {
  const char *name, *kvk;
  Collega__Role role;
  int64_t days;   /* 0: the usual fortnight */
  struct id host; /* at whose node it will live; zero: at its own */
  const json_t
      *cards; /* of a member that is to come back: its cards as hexadecimal digits; NULL: none */
};
struct invite_broker { /* what the token says of the broker */
  const struct identity *identity;
  const char *name;
  char **addresses;
  size_t address_count;
};
/* Makes the one-time key, the token (a secret: whoever has it can join) and the request that lets
 * the key in. */
enum collega_status invite_prepare(const struct invite_broker *broker,
                                   const struct invite_wish *wish, collega_time now,
                                   char token[INVITATION_TEXT_BYTES], struct request **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* The addresses that nodes are told: link.advertise, else what the broker is bound to. 0: error
 * says why; so where one is every address of the machine (tcp://0.0.0.0:7440). */
size_t invite_addresses(const char *advertise, const char *endpoint, struct arena *arena,
                        char *out[INVITE_ADDRESSES], struct collega_error *error);
/* Name, KvK number, role and cards as report_recovery tells them; the wish points into it. */
void invite_wish_recover(struct invite_wish *wish, const json_t *member);
/* "employer"; false: no such role. */
bool role_read(const char *text, Collega__Role *out);
/* A Refusal (NULL: none could be made) as an error, for whoever asked. */
void refusal_error(const Collega__Refusal *refusal, struct collega_error *error);
/* NULL: out of memory. */
struct request *revoke_request(const struct id *party, const char *reason);
#endif
