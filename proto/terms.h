/* The terms of a deal: eight sections, each salted, one Merkle leaf each; the root is the commitment in
 * the header. Leaf = BLAKE2b-256(0x00, salt (16), the section's packed message or nothing). */
#ifndef COLLEGA_PROTO_TERMS_H
#define COLLEGA_PROTO_TERMS_H
#include "base/bytes.h"
#include "proto/deal.pb-c.h"

#define TERMS_SECTIONS 8
/* Packs each section under a fresh salt. */
enum collega_status terms_salt(const Collega__Terms *terms, struct arena *arena,
                               Collega__SaltedTerms **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* The commitment of salted (or partly hidden) terms. */
enum collega_status terms_commitment(const Collega__SaltedTerms *salted, struct id *out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Reads the sections that are shown, each through guard and check, into one Terms; `hidden` gets a bit
 * (1 << kind) for each hidden one. */
enum collega_status terms_read(const Collega__SaltedTerms *salted, struct arena *arena,
                               Collega__Terms **out, unsigned *hidden,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Hides the sections of the mask: salt and content go, the leaf stays. */
enum collega_status terms_hide(const Collega__SaltedTerms *salted, unsigned mask,
                               struct arena *arena, Collega__SaltedTerms **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* "rates,persons" -> mask. */
enum collega_status terms_mask(const char *names, unsigned *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
