/* Invitation tokens (see identity.proto). */
#ifndef COLLEGA_PROTO_INVITATION_H
#define COLLEGA_PROTO_INVITATION_H
#include "base/bytes.h"
#include "proto/identity.pb-c.h"
#define INVITATION_TEXT_BYTES                                                                      \
  32768 /* one that brings a member back holds its cards; others a tenth of it */
enum collega_status invitation_write(const Collega__Invitation *invitation,
                                     char out[INVITATION_TEXT_BYTES],
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Blanks and line ends inside are ignored (people paste). Errors: not a token, damaged, rule of a field. */
enum collega_status invitation_read(const char *text, struct arena *arena,
                                    Collega__Invitation **out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
