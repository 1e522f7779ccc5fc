/* Sealed mail: a letter signed inside, bound to sender, recipient and envelope, padded and sealed. */
#ifndef COLLEGA_PROTO_LETTER_H
#define COLLEGA_PROTO_LETTER_H
#include "proto/keys.h"
#include "proto/mail.pb-c.h"
#include "proto/members.h"

/* `letter` complete (from, to, epoch, seq, runs, terms). Gives the packed Envelope, sealed to the
 * recipient's newest card and, with `copy`, also to the sender. Too large: COLLEGA_INVALID. */
enum collega_status letter_seal(const struct identity *from, const struct known_party *to,
                                const Collega__Letter *letter, bool copy, collega_time not_after,
                                struct arena *arena, struct bytes *envelope,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void envelope_hash(struct id *out, struct bytes envelope);
/* Guards and unpacks an envelope. */
enum collega_status envelope_read(struct bytes packed, struct arena *arena,
                                  const Collega__Envelope **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* Opens `sealed` (or, when this identity is the sender, `copy`), verifies the signature by the sender's
 * card and the binding (from, to, epoch, seq equal the envelope's). Each run inside is guarded but not
 * verified: that is the intake's. COLLEGA_FORGED or COLLEGA_NOT_FOUND (sender's card) otherwise. */
enum collega_status letter_open(const struct identity *self, struct members *members,
                                const Collega__Envelope *envelope, struct arena *arena,
                                const Collega__Letter **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
