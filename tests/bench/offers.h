/* Employers and what they publish: identities by number, offers of about 600 bytes that pass every check,
 * signed runs of them, and the Publish frames that carry the runs. */
#ifndef COLLEGA_BENCH_OFFERS_H
#define COLLEGA_BENCH_OFFERS_H
#include "proto/link.pb-c.h"
#include "proto/record.h"

#define OFFER_BODY_BYTES 600 /* each packed body: the length that the limits are measured with */

struct employer {
  struct identity *identity;
  struct epoch epoch; /* the author's, for what it publishes from now on; fresh */
  uint64_t seq;
  Collega__Head head; /* the last one told; its bytes stand below */
  struct epoch head_epoch;
  struct id head_hash, head_previous;
};
/* Always the same identity for the same number (and a fresh author epoch). */
void employer_make(struct employer *employer, uint32_t number);
void employer_clear(struct employer *employer);
/* Its card, unpacked in the arena. */
Collega__Run *employer_card(const struct employer *employer, struct arena *arena);
/* The broker says which head it holds: go on from there. */
void employer_head_seen(struct employer *employer, const Collega__Head *seen);

/* The head goes on by one entry: what the next frame tells. The employer's own, until the next call. */
Collega__Head *employer_next_head(struct employer *employer);

/* ISCO codes of the offers: the n-th that an employer makes has number n modulo OFFER_OCCUPATIONS. */
#define OFFER_OCCUPATIONS 8u
char *offer_occupation(size_t number);
/* `count` new offers, signed as one tree. */
Collega__Run *employer_offers(struct employer *employer, size_t count, struct arena *arena);
/* A packed ToBroker with the same as Publish, under the next head. */
struct bytes employer_publish(struct employer *employer, size_t count, struct arena *arena);
#endif
