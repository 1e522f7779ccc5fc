/* Matching: whether two offers fit, how well, why, what is missing. Pure; the engine holds copies of what it
 * needs. Hard rules first; then parts that sum to the score. Not thread-safe.
 *
 * score = sum over parts of weight * value, weights sum to 1 (match_weights). Formulas stand in match.c. */
#ifndef COLLEGA_CLIENT_MATCH_H
#define COLLEGA_CLIENT_MATCH_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/offer.pb-c.h"

enum match_part {
  MATCH_OCCUPATION,
  MATCH_SKILLS,
  MATCH_DISTANCE,
  MATCH_PERIOD,
  MATCH_HOURS,
  MATCH_HEADCOUNT,
  MATCH_TERMS,
  MATCH_PARTS
};
const char *match_part_name(enum match_part part); /* "occupation", as in JSON */
extern const double match_weights[MATCH_PARTS];

#define MATCH_WORDS 24
struct match_result {
  bool fits;                       /* no hard rule broken */
  double score, part[MATCH_PARTS]; /* 0 .. 1 */
  size_t reason_count, gap_count;
  struct collega_error reasons[MATCH_WORDS],
      gaps[MATCH_WORDS]; /* rule and arguments: sentences in two languages */
};
/* `mine` and `other` by employers with ids `me` and `them`. Opposite kinds, different employers, periods that
 * overlap (with flex_days), hours ranges that meet, distance within both travel limits, must-have credentials
 * and languages. Symmetric in its score. When !fits, gaps[0] is the rule that broke. */
void match_pair(const Collega__Offer *mine, const struct id *me, const Collega__Offer *other,
                const struct id *them, struct match_result *out);
/* Great-circle distance in km between two places as far as known (postcode area, region); negative: unknown. */
double place_distance(const Collega__Place *one, const Collega__Place *other);

/* ---- the engine: the interface that a full index will fill. */
struct match_engine;
struct match_offer {
  struct short_id id;
  struct id author;
  bool mine;
  const Collega__Offer *offer;
};
struct match_found {
  struct short_id id;
  double score;
};
struct match_engine *match_engine_new(void);
void match_engine_destroy(struct match_engine **engine);
/* Adds or replaces. Copies what it needs. */
enum collega_status match_engine_put(struct match_engine *engine, const struct match_offer *offer,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
void match_engine_remove(struct match_engine *engine, const struct short_id *id);
/* The best `most` counter-offers for an offer in the engine, best first, equal scores by id. */
enum collega_status match_engine_top(struct match_engine *engine, const struct short_id *id,
                                     size_t most, struct match_found *out, size_t *count,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Which of my offers does this one touch (scores above 0 that fit)? */
enum collega_status match_engine_touched(struct match_engine *engine, const struct short_id *id,
                                         size_t most, struct match_found *out, size_t *count,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
