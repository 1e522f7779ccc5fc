/* libcollega: the public C interface.
 *
 * What is here is small and meant to last: the version, and the offline judgement of a proof of an agreement. Opening a
 * ledger, publishing, following and dealing come to this header as they settle; until then they are in the command
 * `collega`, whose --json output is stable.
 *
 * Thread-safety: no function keeps state between calls; different judgements may be used by different threads at once,
 * one judgement by one thread at a time. Memory: what a function gives out through `**out` belongs to the caller until
 * the matching destroy; strings that a judgement gives out live as long as it does. No function prints, exits, takes
 * signals, or starts a thread. */
#ifndef COLLEGA_COLLEGA_H
#define COLLEGA_COLLEGA_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0". */
const char *collega_version(void);

/* What a proof is worth. */
enum collega_verdict {
  COLLEGA_VERDICT_NO_PROOF = 0, /* not a proof file, or a damaged one */
  COLLEGA_VERDICT_INVALID = 1,  /* something does not fit: see the findings */
  COLLEGA_VERDICT_CONSISTENT =
      2, /* all fits; vouched for by a network that is not among those named as trusted */
  COLLEGA_VERDICT_TRUSTED = 3 /* all fits, and a network named as trusted vouches for it */
};
enum collega_side { COLLEGA_SIDE_LENDER = 0, COLLEGA_SIDE_BORROWER = 1 };
enum collega_language { COLLEGA_LANGUAGE_ENGLISH = 0, COLLEGA_LANGUAGE_DUTCH = 1 };

struct collega_judgement;

/* Judges `length` bytes (at most 16 MiB) of a proof file. `trusted` are `count` fingerprints of networks (as `collega
 * verify --trust` takes them); none: NULL and 0. Returns 0 and a judgement whatever the file holds; -1 only when memory or
 * the random source fails, with *out NULL. */
int collega_proof_judge(const void *file, size_t length, const char *const *trusted, size_t count,
                        struct collega_judgement **out);
void collega_judgement_destroy(
    struct collega_judgement **judgement); /* clears the caller's pointer */

enum collega_verdict collega_judgement_verdict(const struct collega_judgement *judgement);
/* Name and KvK number of a side, the person who signed for it and that person's function; "" where the proof does not say
 * (an invalid one says nothing that may be relied on). */
const char *collega_judgement_name(const struct collega_judgement *judgement,
                                   enum collega_side side);
const char *collega_judgement_kvk(const struct collega_judgement *judgement,
                                  enum collega_side side);
const char *collega_judgement_signatory(const struct collega_judgement *judgement,
                                        enum collega_side side);
const char *collega_judgement_function(const struct collega_judgement *judgement,
                                       enum collega_side side);
/* The network that vouches, and its fingerprint. */
const char *collega_judgement_network(const struct collega_judgement *judgement);
const char *collega_judgement_fingerprint(const struct collega_judgement *judgement);
/* People, first and last day (days since 1970-01-01; last: INT32_MAX when open) and hours a week that were agreed; all 0
 * when the section is hidden or the proof invalid. */
uint32_t collega_judgement_headcount(const struct collega_judgement *judgement);
int32_t collega_judgement_from(const struct collega_judgement *judgement);
int32_t collega_judgement_until(const struct collega_judgement *judgement);
uint32_t collega_judgement_hours_per_week(const struct collega_judgement *judgement);
/* When it was concluded, milliseconds since 1970-01-01T00:00:00Z by the decider's clock; 0: not known. */
int64_t collega_judgement_concluded(const struct collega_judgement *judgement);

/* The findings: sentences. against is set to 1 when the finding speaks against the proof. NULL beyond the last. */
size_t collega_judgement_finding_count(const struct collega_judgement *judgement);
const char *collega_judgement_finding(const struct collega_judgement *judgement, size_t index,
                                      enum collega_language language, int *against);

#ifdef __cplusplus
}
#endif
#endif
