/* The board of a plan: its open offers as cards, what is free of each, and which pairs fit. */
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/library/offer_input.h"
#include "client/library/planning.h"
#include "client/library/settings.h"
#include "client/match/engine.h"

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* ---- offers */

struct loading {
  const struct view *view;
  struct planning *out;
  struct arena *scratch; /* of one row */
  size_t room;
  Collega__OfferKind kind; /* only these; with `all` every kind */
  bool all, closed, failed;
};

static bool add_offer(struct loading *loading, const CollegaStore__OfferRow *row) {
  const struct view *view = loading->view;
  struct planning *out = loading->out;
  struct planned *offers =
      array_grow(out->arena, out->offers, out->offer_count, &loading->room, sizeof *offers);
  _Alignas(struct match_card) uint8_t room[CARD_ROOM];
  Collega__Offer *offer = NULL;
  if (!offers || offer_of_row(row, out->arena, &offer, NULL) != COLLEGA_OK)
    return offers && !arena_exhausted(out->arena);
  size_t bytes = match_card_fill((struct match_card *)room, offer, &out->rules.sources);
  out->offers = offers;
  struct planned *one = &offers[out->offer_count];
  *one = (struct planned){.offer = offer,
                          .card = arena_copy(out->arena, room, bytes),
                          .mine = row->mine,
                          .state = offer_state(row, offer, view->now),
                          .received = row->position ? row->position->time : 0,
                          .people = (int32_t)offer->headcount};
  if (!one->card || !short_id_from(&one->id, row->offer.data, row->offer.len) ||
      !id_from(&one->author, row->author.data, row->author.len))
    return one->card != NULL;
  one->party = members_find(exchange_members(view->exchange, view->txn), &one->author);
  ++out->offer_count;
  return true;
}

static bool load_row(void *context, struct bytes key, struct bytes value) {
  struct loading *loading = context;
  const struct view *view = loading->view;
  (void)key;
  arena_reset(loading->scratch);
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *offer = NULL;
  if (ledger_offer_read(view->txn, value, loading->scratch, &row, NULL) != COLLEGA_OK ||
      offer_of_row(row, loading->scratch, &offer, NULL) != COLLEGA_OK)
    return true;
  bool open = offer_state(row, offer, view->now) == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
  if ((!open && !loading->closed) || row->refused || !view_may_see(view, row, offer)) return true;
  if (!loading->all && offer->kind != loading->kind) return true;
  loading->failed = !add_offer(loading, row);
  return !loading->failed;
}

/* Of our own what is held and agreed is not free any more; of what may be carved that is told in hours. */
static enum collega_status take_held(const struct view *view, struct planning *out,
                                     struct planned *one, struct collega_error *error) {
  uint64_t most = 0;
  if (!one->mine) return COLLEGA_OK;
  bool carve = one->offer->has_carve && one->offer->carve;
  collega_date until = one->offer->period->has_until ? one->offer->period->until : DATE_OPEN;
  enum collega_status status = holds_most(view->txn, &one->author, &one->id,
                                          one->offer->period->from, until, carve, &most, error);
  uint64_t each = carve ? one->offer->hours->per_week_max : 1;
  if (each == 0) each = 1;
  one->taken_hours = carve ? most : most * one->offer->hours->per_week_max;
  most = (most + each - 1) / each;
  one->people = most < (uint64_t)one->people ? one->people - (int32_t)most : 0;
  if (status == COLLEGA_OK && one->taken_hours && planning_may_carve(one))
    status = planning_take_parts(view, out, one, error);
  return status;
}

/* Employers are told apart by their KvK number, and where that is not known by their party. */
struct keyed {
  char key[2 * ID_BYTES + 1];
  size_t offer;
};

static int by_key(const void *one, const void *other) {
  const struct keyed *a = one, *b = other;
  int order = strcmp(a->key, b->key);
  return order ? order : (a->offer > b->offer) - (a->offer < b->offer);
}

static bool number_employers(struct planning *out) {
  struct keyed *keyed = malloc((out->offer_count + 1) * sizeof *keyed);
  uint32_t number = 0;
  if (!keyed) return false;
  for (size_t i = 0; i < out->offer_count; ++i) {
    const struct planned *one = &out->offers[i];
    const char *kvk = one->party ? known_party_kvk(one->party) : "";
    if (*kvk)
      snprintf(keyed[i].key, sizeof keyed[i].key, "%s", kvk);
    else
      hex_write(keyed[i].key, one->author.byte, ID_BYTES);
    keyed[i].offer = i;
  }
  qsort(keyed, out->offer_count, sizeof *keyed, by_key);
  for (size_t i = 0; i < out->offer_count; ++i) {
    if (i && strcmp(keyed[i].key, keyed[i - 1].key) != 0) ++number;
    out->offers[keyed[i].offer].employer = number;
  }
  free(keyed);
  return true;
}

static enum collega_status load_own(struct loading *loading, const struct short_id *id,
                                    struct collega_error *error) {
  const struct view *view = loading->view;
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *offer = NULL;
  enum collega_status status = view_offer(view, id, &row, error);
  if (status == COLLEGA_OK) status = view_own_offer(view, id, error);
  if (status == COLLEGA_OK) status = offer_of_row(row, view->arena, &offer, error);
  if (status != COLLEGA_OK) return status;
  if (!view_wrote(view, row))
    return error_set(error, COLLEGA_REFUSED, RULE_plan_not_ours, NULL, NULL);
  if (offer_state(row, offer, view->now) != COLLEGA__OFFER_STATE__OFFER_STATE_OPEN || row->refused)
    return error_set(error, COLLEGA_REFUSED, RULE_match_offer_unknown, NULL, NULL);
  loading->kind = kind_counter(offer->kind);
  return add_offer(loading, row) ? COLLEGA_OK : no_memory(error);
}

static enum collega_status load(struct loading *loading, const struct planning_request *request,
                                struct collega_error *error) {
  struct planning *out = loading->out;
  enum collega_status status = COLLEGA_OK;
  if (request->kind == PLANNING_OFFER) status = load_own(loading, &request->offer, error);
  loading->all = request->kind != PLANNING_OFFER;
  loading->closed = request->closed;
  if (status == COLLEGA_OK)
    status = table_each(loading->view->txn, TABLE_OFFERS, bytes_of("", 0), NULL, load_row, loading,
                        error);
  if (status == COLLEGA_OK && (loading->failed || !number_employers(out)))
    status = no_memory(error);
  for (size_t i = 0; status == COLLEGA_OK && i < out->offer_count; ++i)
    status = take_held(loading->view, out, &out->offers[i], error);
  return status;
}

/* What the home's matches go by: its weights, and what was imported (without a taxonomy, ISCO's tree). Courses close
 * gaps; no plan counts on them. */
static enum collega_status open_rules(const struct view *view, struct planning *out,
                                      struct collega_error *error) {
  char path[4096];
  const char *home = ledger_home(exchange_ledger(view->exchange));
  enum collega_status status = settings_weights_of(home, out->rules.weight, error);
  if (status == COLLEGA_OK) status = view_places(view, &out->places, error);
  if (status == COLLEGA_OK) status = path_join(path, sizeof path, home, TAXONOMY_FILE, error);
  if (status == COLLEGA_OK) status = taxonomy_open(path, &out->taxonomy, error);
  if (status == COLLEGA_NOT_FOUND) status = COLLEGA_OK;
  out->rules.sources = (struct match_sources){.places = out->places, .taxonomy = out->taxonomy};
  return status;
}

enum collega_status planning_load(const struct view *view, const struct planning_request *request,
                                  struct planning *out, struct collega_error *error) {
  struct loading loading = {.view = view, .out = out};
  *out = (struct planning){
      .kind = request->kind,
      .best_pair = SIZE_MAX,
      .rules = match_rules_default,
      .until = request->seconds ? clock_monotonic() + (int64_t)request->seconds * SECOND_MS : 0};
  out->arena = arena_new(1u << 20, PLANNING_BYTES);
  loading.scratch = arena_new(65536, PLANNING_BYTES);
  enum collega_status status = out->arena && loading.scratch ? COLLEGA_OK : no_memory(error);
  if (status == COLLEGA_OK) status = open_rules(view, out, error);
  if (status == COLLEGA_OK) status = load(&loading, request, error);
  if (status == COLLEGA_OK) status = planning_pairs(out, error);
  arena_destroy(&loading.scratch);
  return status;
}

void planning_free(struct planning *planning) {
  places_close(&planning->places);
  taxonomy_close(&planning->taxonomy);
  arena_destroy(&planning->arena);
}

/* ---- pairs */

bool planned_may_meet(const struct planned *one, const struct planned *other) {
  return one->employer != other->employer &&
         known_party_in_audience(one->party, other->offer->audience) &&
         known_party_in_audience(other->party, one->offer->audience);
}

struct pairing {
  struct planning *out;
  size_t room;
};

static bool add_pair(struct pairing *pairing, size_t one, size_t other) {
  struct planning *out = pairing->out;
  const struct planned *offers = out->offers;
  size_t supply = kind_supplies(offers[one].offer->kind) ? one : other,
         demand = supply == one ? other : one;
  double score = 0, part[MATCH_PARTS];
  if (!planned_may_meet(&offers[one], &offers[other]) ||
      !match_cards(&out->rules, offers[supply].card, offers[demand].card, &score, part))
    return true;
  int32_t points = (int32_t)(score * PLAN_SCORE_MOST + 0.5);
  struct plan_pair *pairs =
      array_grow(out->arena, out->pairs, out->pair_count, &pairing->room, sizeof *pairs);
  if (!pairs) return false;
  out->pairs = pairs;
  uint32_t least = offers[supply].card->min_headcount, asked = offers[demand].card->min_headcount;
  if (asked > least) least = asked;
  pairs[out->pair_count++] = (struct plan_pair){
      (uint32_t)supply, (uint32_t)demand, points > 0 ? points : 1, least ? (int32_t)least : 1};
  return true;
}

static bool pair_all(struct pairing *pairing) {
  const struct planning *out = pairing->out;
  bool alone = out->kind == PLANNING_OFFER;
  for (size_t i = 0; i < (alone ? 1u : out->offer_count); ++i) {
    if (!alone && !kind_supplies(out->offers[i].offer->kind)) continue;
    for (size_t j = alone ? 1 : 0; j < out->offer_count; ++j)
      if (out->offers[j].offer->kind == kind_counter(out->offers[i].offer->kind) &&
          !add_pair(pairing, i, j))
        return false;
  }
  return true;
}

/* ---- large boards: each request's best, by the engine. Its ids are our numbers. */

static struct short_id number_id(size_t number) {
  struct short_id id = {{0}};
  put_be64(id.byte, number);
  return id;
}

static enum collega_status fill_engine(const struct planning *out, struct match_engine *engine,
                                       struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < out->offer_count; ++i) {
    struct match_offer offer = {.id = number_id(i), .offer = out->offers[i].offer};
    put_be32(offer.author.byte, out->offers[i].employer + 1);
    status = match_engine_put(engine, &offer, error);
  }
  return status;
}

static int by_ends(const void *one, const void *other) {
  const struct plan_pair *a = one, *b = other;
  if (a->supply != b->supply) return a->supply < b->supply ? -1 : 1;
  return a->demand < b->demand ? -1 : a->demand > b->demand;
}

static enum collega_status pair_best(struct pairing *pairing, struct collega_error *error) {
  struct planning *out = pairing->out;
  struct match_engine *engine = match_engine_new(&out->rules);
  out->pairs_cut = true;
  if (!engine) return no_memory(error);
  enum collega_status status = fill_engine(out, engine, error);
  for (size_t i = 0; status == COLLEGA_OK && i < out->offer_count; ++i) {
    struct match_found found[PLAN_NEIGHBOURS];
    struct short_id id = number_id(i);
    size_t count = 0;
    if (kind_supplies(out->offers[i].offer->kind)) continue;
    if (i % 64 == 0 && planning_over(&out->until)) {
      out->board_bound = -1;
      break;
    }
    status = match_engine_top(engine, &id, PLAN_NEIGHBOURS, found, &count, error);
    for (size_t j = 0; status == COLLEGA_OK && j < count; ++j)
      if (!add_pair(pairing, i, (size_t)get_be64(found[j].id.byte))) status = no_memory(error);
  }
  match_engine_destroy(&engine);
  return status;
}

/* ---- what all pairs could be worth, where not all are known */

struct request {
  int32_t best, people; /* score of its best counter-offer, which is known */
};

static int by_best(const void *one, const void *other) {
  const struct request *a = one, *b = other;
  return (a->best < b->best) - (a->best > b->best);
}

/* Nobody is lent at more than the best score of the request, and no more people than there are: so the requests of the
 * best scores are filled until all people are lent. Of a plan for one offer that offer is the request. */
static bool bound_board(struct planning *out) {
  struct request *requests = calloc(out->offer_count + 1, sizeof *requests);
  bool alone = out->kind == PLANNING_OFFER;
  int64_t people = 0;
  if (!requests) return false;
  for (size_t i = 0; i < out->offer_count; ++i) {
    bool asks = alone ? i == 0 : !kind_supplies(out->offers[i].offer->kind);
    if (asks) requests[i].people = out->offers[i].people;
    if (!asks) people += out->offers[i].people;
  }
  for (size_t i = 0; i < out->pair_count; ++i) {
    struct request *request = &requests[alone ? 0 : out->pairs[i].demand];
    if (out->pairs[i].score > request->best) request->best = out->pairs[i].score;
  }
  qsort(requests, out->offer_count, sizeof *requests, by_best);
  out->board_bound = 0;
  for (size_t i = 0; i < out->offer_count && people > 0; ++i) {
    int64_t taken = requests[i].people < people ? requests[i].people : people;
    out->board_bound += taken * requests[i].best;
    people -= taken;
  }
  free(requests);
  return true;
}

static size_t possible_pairs(const struct planning *out) {
  size_t supplies = 0;
  if (out->kind == PLANNING_OFFER) return out->offer_count;
  for (size_t i = 0; i < out->offer_count; ++i)
    supplies += kind_supplies(out->offers[i].offer->kind);
  return supplies * (out->offer_count - supplies);
}

static int by_pair_score(const void *one, const void *other) {
  const struct plan_pair *a = one, *b = other;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return by_ends(one, other);
}

enum collega_status planning_pairs(struct planning *out, struct collega_error *error) {
  struct pairing pairing = {.out = out};
  if (out->kind != PLANNING_OFFER && possible_pairs(out) > PLAN_BRUTE_PAIRS) {
    enum collega_status status = pair_best(&pairing, error);
    if (status != COLLEGA_OK || out->board_bound < 0) return status;
    return bound_board(out) ? COLLEGA_OK : no_memory(error);
  }
  if (!pair_all(&pairing)) return no_memory(error);
  if (out->kind == PLANNING_OFFER && out->pair_count > PLAN_LENDERS_MOST) {
    qsort(out->pairs, out->pair_count, sizeof *out->pairs, by_pair_score);
    out->pair_count = PLAN_LENDERS_MOST;
    out->pairs_cut = true;
    if (!bound_board(out)) return no_memory(error);
  }
  return COLLEGA_OK;
}
