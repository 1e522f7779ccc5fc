/* Matching: whether two offers fit, how well, why, what is missing. Pure; the engine holds copies of what it
 * needs. Hard rules first; then parts that sum to the score.
 *
 * One side supplies (loan_out, transfer_out), the other demands; every formula is written in those roles, so the
 * score does not depend on which of the two asks. An offer that breaks a hard rule is no match. Then nine parts,
 * each 0 .. 1, and
 *
 *   score = sum of weight[part] * part          the weights sum to 1: struct match_rules
 *
 *   occupation   closeness of the two occupations (occupation.h); at least MATCH_COURSE_CLOSENESS where a short course
 *                leads from the offered one to the asked one (courses.h)
 *   skills       sum of weight * closeness to the closest skill that is offered / sum of the weights of all asked (must 2,
 *                nice 1); none asked: 1. Closeness is 1 for the same address or the same label (case aside); else, where
 *                a taxonomy knows the addresses of both, that of taxonomy.h; else 0
 *   credentials  the same over credentials; one that must be there and is not is a hard rule
 *   languages    the same over languages, a wanted one below the asked level counts half; must is a hard rule
 *   distance     1 - km / 100, at least 0; unknown 0.5
 *   period       days in common / days asked (after the best shift that flex_days allow)
 *   hours        the smaller of both weekly maxima / the asked maximum
 *   headcount    the smaller of both / the asked number
 *   terms        1, less 0.25 for each of: another cao, other VAT treatment, no return guarantee where the lender
 *                gives one, takeover seen differently
 *
 * Hard rules: kinds that meet, another employer, a closeness of occupations above 0 or an asked skill that is offered
 * (closeness 1), required credentials and languages, periods that overlap (with flex_days), hours that meet, a part of
 * the week in common where both name some, the least headcount of both, both travel limits. Without imported postcodes
 * places are known to the postcode area (7 km off at the median, 19 km at the 95th percentile), so a travel limit is a
 * hard rule only beyond limit + MATCH_PLACE_DOUBT_KM; where both places are known to their four digits (places.h),
 * beyond limit + MATCH_FINE_DOUBT_KM. Between the two it is told as a gap. */
#ifndef COLLEGA_CLIENT_MATCH_H
#define COLLEGA_CLIENT_MATCH_H
#include "base/bytes.h"
#include "base/clock.h"
#include "client/match/card.h"
#include "client/match/skill_reach.h"
#include "proto/offer.pb-c.h"

enum match_part {
  MATCH_OCCUPATION,
  MATCH_SKILLS,
  MATCH_CREDENTIALS,
  MATCH_LANGUAGES,
  MATCH_DISTANCE,
  MATCH_PERIOD,
  MATCH_HOURS,
  MATCH_HEADCOUNT,
  MATCH_TERMS,
  MATCH_PARTS
};
const char *match_part_name(enum match_part part); /* "occupation", as in JSON */
/* What matching goes by besides the offers. */
struct match_rules {
  double weight[MATCH_PARTS]; /* 0 .. 1, they sum to 1 */
  struct match_sources sources;
};
/* The default weights, nothing imported. */
extern const struct match_rules match_rules_default;

#define MATCH_PLACE_DOUBT_KM   20.0
#define MATCH_FINE_DOUBT_KM    3.0
#define MATCH_WORDS            24
#define MATCH_COURSE_CLOSENESS 0.3
struct match_result {
  bool fits;                       /* no hard rule broken */
  double score, part[MATCH_PARTS]; /* 0 .. 1 */
  size_t reason_count, gap_count, closer_count;
  /* Rule and arguments: sentences in two languages. Beyond the counts they are not set. */
  struct collega_error reasons[MATCH_WORDS], gaps[MATCH_WORDS], closers[MATCH_WORDS];
};
/* A checked offer and its employer, read once to be judged against many. Both stay their owner's, and outlive it. */
struct match_side {
  const Collega__Offer *offer;
  const struct id *author;
  _Alignas(struct match_card) uint8_t card[CARD_ROOM]; /* with the sources of the rules */
};
void match_side_fill(struct match_side *side, const struct match_rules *rules,
                     const Collega__Offer *offer, const struct id *author);
/* With words. When !fits, gaps[0] is the rule that broke. `rules` with the sources of both sides. */
void match_sides(const struct match_rules *rules, const struct match_side *mine,
                 const struct match_side *other, struct match_result *out);
/* The same for one pair: `mine` and `other` by employers with ids `me` and `them`. */
void match_pair(const struct match_rules *rules, const Collega__Offer *mine, const struct id *me,
                const Collega__Offer *other, const struct id *them, struct match_result *out);
/* The same from cards of two different employers, without words: false when a hard rule is broken. */
bool match_cards(const struct match_rules *rules, const struct match_card *mine,
                 const struct match_card *other, double *score, double part[MATCH_PARTS]);
/* The same score, for who judges many offers against one: `reach` is of the skills of `mine`. False too when the
 * score is below `least`. */
bool match_cards_above(const struct match_rules *rules, const struct skill_reach *reach,
                       const struct match_card *mine, const struct match_card *other, double least,
                       double *score) COLLEGA_MUST_CHECK;
/* Great-circle distance in km between two places as far as known; negative: unknown. `places` may be NULL. */
double place_distance(const struct places *places, const Collega__Place *one,
                      const Collega__Place *other);
#endif
