/* The engine: which of many offers fit one best, while offers come, change and go.
 *
 * Exact: the answer is what match_pair would give over all offers in it. It keeps a card for each offer (card.h) and,
 * for each occupation, a row of short entries that tell the most that an offer can score; most offers are passed over
 * by their entry alone. Not thread-safe. */
#ifndef COLLEGA_CLIENT_MATCH_ENGINE_H
#define COLLEGA_CLIENT_MATCH_ENGINE_H
#include "client/match/match.h"

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
/* Copies the rules; their sources outlive the engine. NULL: out of memory. */
struct match_engine *match_engine_new(const struct match_rules *rules);
void match_engine_destroy(struct match_engine **engine);
/* Adds or replaces. Copies what it needs. */
enum collega_status match_engine_put(struct match_engine *engine, const struct match_offer *offer,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
void match_engine_remove(struct match_engine *engine, const struct short_id *id);
/* The best `most` counter-offers for an offer in the engine, best first, equal scores by id. */
enum collega_status match_engine_top(struct match_engine *engine, const struct short_id *id,
                                     size_t most, struct match_found *out, size_t *count,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Which of my offers does this one touch? The best `most` of those that fit it. */
enum collega_status match_engine_touched(struct match_engine *engine, const struct short_id *id,
                                         size_t most, struct match_found *out, size_t *count,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;

struct match_engine_size {
  size_t offers, mine;
  size_t bytes; /* of memory, all in all */
};
void match_engine_size(const struct match_engine *engine, struct match_engine_size *out);
#endif
