/* Counting a board: each open offer becomes entries {group, side, employer, people}; sorted, they are counted in one
 * pass. What too few employers stand behind is put together before anything is told. */
#include "client/library/market.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/library/csv.h"
#include "client/library/planning.h"
#include "proto/lists.h"

#define KEY_BYTES 170u

enum side { SIDE_OUT, SIDE_IN, SIDES };
static const char *const side_names[SIDES] = {"out", "in"};

struct entry {
  char key[KEY_BYTES];
  const char *name;
  enum side side;
  uint32_t employer;
  int64_t people;
  size_t group; /* once counted */
};
struct figure {
  int64_t people;
  size_t offers, employers;
  bool hidden; /* told with the others */
};
struct group {
  const char *key, *name;
  struct figure side[SIDES];
};
struct count {
  struct entry *entries;
  struct group *groups;
  size_t entry_count, room, group_count;
  struct figure others[SIDES];
};
struct market {
  const struct view *view;
  struct planning board; /* all that were seen */
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* ---- counting */

static bool add_entry(struct market *market, struct count *count, const char *key, const char *name,
                      const struct planned *one) {
  struct entry *entries = array_grow(market->view->arena, count->entries, count->entry_count,
                                     &count->room, sizeof *entries);
  if (!entries) return false;
  count->entries = entries;
  struct entry *entry = &entries[count->entry_count++];
  *entry = (struct entry){.name = name,
                          .side = kind_supplies(one->offer->kind) ? SIDE_OUT : SIDE_IN,
                          .employer = one->employer,
                          .people = one->offer->headcount};
  snprintf(entry->key, sizeof entry->key, "%s", key);
  return true;
}

static int by_entry(const void *one, const void *other) {
  const struct entry *a = one, *b = other;
  int order = strcmp(a->key, b->key);
  if (order) return order;
  if (a->side != b->side) return a->side < b->side ? -1 : 1;
  return a->employer < b->employer ? -1 : a->employer > b->employer;
}

static bool count_entries(struct market *market, struct count *count) {
  size_t most = count->entry_count ? count->entry_count : 1;
  count->groups = arena_zero(market->view->arena, most * sizeof *count->groups);
  if (!count->groups) return false;
  if (count->entry_count)
    qsort(count->entries, count->entry_count, sizeof *count->entries, by_entry);
  for (size_t i = 0; i < count->entry_count; ++i) {
    struct entry *entry = &count->entries[i], *before = i ? entry - 1 : NULL;
    bool fresh = !before || strcmp(before->key, entry->key) != 0;
    if (fresh)
      count->groups[count->group_count++] = (struct group){.key = entry->key, .name = entry->name};
    struct figure *figure = &count->groups[count->group_count - 1].side[entry->side];
    figure->people += entry->people;
    ++figure->offers;
    figure->employers +=
        fresh || before->side != entry->side || before->employer != entry->employer;
    entry->group = count->group_count - 1;
  }
  return true;
}

/* ---- hiding */

static int by_value(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

/* The hidden figures of a side together. */
static bool count_others(struct market *market, struct count *count, enum side side) {
  struct figure *others = &count->others[side];
  uint32_t *employers =
      arena_take(market->view->arena, (count->entry_count + 1) * sizeof *employers);
  size_t found = 0;
  if (!employers) return false;
  *others = (struct figure){0};
  for (size_t i = 0; i < count->entry_count; ++i) {
    const struct entry *entry = &count->entries[i];
    if (entry->side != side || !count->groups[entry->group].side[side].hidden) continue;
    others->people += entry->people;
    ++others->offers;
    employers[found++] = entry->employer;
  }
  if (found) qsort(employers, found, sizeof *employers, by_value);
  for (size_t i = 0; i < found; ++i)
    others->employers += i == 0 || employers[i] != employers[i - 1];
  return true;
}

/* The smallest figure that is still told. */
static struct figure *smallest(struct count *count, enum side side) {
  struct figure *found = NULL;
  for (size_t i = 0; i < count->group_count; ++i) {
    struct figure *figure = &count->groups[i].side[side];
    if (!figure->hidden && figure->offers && (!found || figure->people < found->people))
      found = figure;
  }
  return found;
}

static bool hide_few(struct market *market, struct count *count) {
  for (enum side side = SIDE_OUT; side < SIDES; ++side) {
    for (size_t i = 0; i < count->group_count; ++i) {
      struct figure *figure = &count->groups[i].side[side];
      figure->hidden = figure->offers && figure->employers < MARKET_EMPLOYERS;
    }
    if (!count_others(market, count, side)) return false;
    while (count->others[side].offers && count->others[side].employers < MARKET_EMPLOYERS) {
      struct figure *more = smallest(count, side);
      if (!more) break;
      more->hidden = true;
      if (!count_others(market, count, side)) return false;
    }
  }
  return true;
}

/* ---- telling */

static json_t *figure_json(const struct figure *figure) {
  if (figure->hidden || (figure->offers && figure->employers < MARKET_EMPLOYERS))
    return json_null();
  return json_pack("{s:I, s:I, s:I}", "people", (json_int_t)figure->people, "offers",
                   (json_int_t)figure->offers, "employers", (json_int_t)figure->employers);
}

static json_t *group_json(const char *key, const char *name, const struct figure side[SIDES]) {
  return json_pack("{s:s, s:s, s:o, s:o}", "key", key, "name", name ? name : key, "out",
                   figure_json(&side[SIDE_OUT]), "in", figure_json(&side[SIDE_IN]));
}

static json_t *groups_json(const struct count *count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count->group_count; ++i)
    list = json_add(list,
                    group_json(count->groups[i].key, count->groups[i].name, count->groups[i].side));
  if (list && (count->others[SIDE_OUT].offers || count->others[SIDE_IN].offers))
    list = json_add(list, group_json(MARKET_OTHERS, MARKET_OTHERS, count->others));
  return list;
}

/* ---- the groups of an offer */

static bool is_open(const struct planned *one) {
  return one->state == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
}

static const char *occupation_name(const struct market *market, const char *isco) {
  const struct isco_row *row = isco_find(isco);
  return row ? market->view->language == LANGUAGE_NL ? row->nl : row->en : isco;
}

enum market_table { MARKET_OPEN, MARKET_REGIONS, MARKET_SECTORS, MARKET_OCCUPATIONS };

static bool count_offer(struct market *market, struct count *count, enum market_table table,
                        const struct planned *one) {
  char sector[3] = "";
  switch (table) {
  case MARKET_OPEN:
    return add_entry(market, count, "", NULL, one);
  case MARKET_REGIONS: {
    const char *code = places_region(market->board.places, one->offer->place);
    const struct region_row *region = code ? region_find(code) : NULL;
    return add_entry(market, count, code ? code : MARKET_UNKNOWN, region ? region->name : NULL,
                     one);
  }
  case MARKET_SECTORS:
    if (one->offer->sector) snprintf(sector, sizeof sector, "%.2s", one->offer->sector);
    return add_entry(market, count, *sector ? sector : MARKET_UNKNOWN, NULL, one);
  case MARKET_OCCUPATIONS:
    return add_entry(market, count, one->offer->occupation->isco,
                     occupation_name(market, one->offer->occupation->isco), one);
  }
  return false;
}

static enum collega_status put_table(struct market *market, enum market_table table, json_t *out,
                                     struct collega_error *error) {
  static const char *const names[] = {"open", "regions", "sectors", "occupations"};
  struct count count = {0};
  bool ok = true;
  for (size_t i = 0; ok && i < market->board.offer_count; ++i)
    if (is_open(&market->board.offers[i]))
      ok = count_offer(market, &count, table, &market->board.offers[i]);
  ok = ok && count_entries(market, &count);
  if (ok && table == MARKET_OPEN) {
    struct group all = count.group_count ? count.groups[0] : (struct group){0};
    ok = json_put(out, names[table],
                  json_pack("{s:o, s:o}", "out", figure_json(&all.side[SIDE_OUT]), "in",
                            figure_json(&all.side[SIDE_IN])));
  } else {
    ok = ok && hide_few(market, &count) && json_put(out, names[table], groups_json(&count));
  }
  return ok ? COLLEGA_OK : no_memory(error);
}

/* ---- skills: each is told by itself, as no total is their sum */

static int by_people_in(const void *one, const void *other) {
  const struct group *a = one, *b = other;
  int64_t left = a->side[SIDE_IN].people, right = b->side[SIDE_IN].people;
  return left != right ? (left > right ? -1 : 1) : strcmp(a->key, b->key);
}

static bool count_skills(struct market *market, struct count *count, const struct planned *one) {
  for (size_t i = 0; i < one->offer->n_skills; ++i) {
    const Collega__Skill *skill = one->offer->skills[i];
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "%s", skill->esco ? skill->esco : skill->label);
    for (char *at = key; !skill->esco && *at; ++at)
      if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + ('a' - 'A'));
    if (!add_entry(market, count, key, skill->label, one)) return false;
  }
  return true;
}

static enum collega_status put_skills(struct market *market, json_t *out,
                                      struct collega_error *error) {
  struct count count = {0};
  bool ok = true;
  for (size_t i = 0; ok && i < market->board.offer_count; ++i) {
    const struct planned *one = &market->board.offers[i];
    if (is_open(one) && !kind_supplies(one->offer->kind)) ok = count_skills(market, &count, one);
  }
  ok = ok && count_entries(market, &count);
  if (ok && count.group_count)
    qsort(count.groups, count.group_count, sizeof *count.groups, by_people_in);
  json_t *list = json_array();
  for (size_t i = 0; ok && list && i < count.group_count; ++i) {
    const struct figure *figure = &count.groups[i].side[SIDE_IN];
    if (figure->employers < MARKET_EMPLOYERS || json_array_size(list) == MARKET_LIST_MOST) continue;
    list = json_add(list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "key", count.groups[i].key, "name",
                                    count.groups[i].name, "people", (json_int_t)figure->people,
                                    "offers", (json_int_t)figure->offers, "employers",
                                    (json_int_t)figure->employers));
  }
  return ok && json_put(out, "skills", list) ? COLLEGA_OK : no_memory(error);
}

/* ---- shortages: both sides must be tellable */

static bool tellable(const struct figure *figure) {
  return figure->offers == 0 || figure->employers >= MARKET_EMPLOYERS;
}

static int64_t shortage(const struct group *group) {
  return group->side[SIDE_IN].people - group->side[SIDE_OUT].people;
}

static int by_shortage(const void *one, const void *other) {
  int64_t left = shortage(one), right = shortage(other);
  return left != right
             ? (left > right ? -1 : 1)
             : strcmp(((const struct group *)one)->key, ((const struct group *)other)->key);
}

static json_t *shortage_json(const struct market *market, const struct group *group) {
  char region[KEY_BYTES];
  snprintf(region, sizeof region, "%s", group->key);
  char *space = strchr(region, ' ');
  if (!space) return NULL;
  *space = '\0';
  const struct region_row *row = region_find(region);
  return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "region", region, "region_name",
                   row ? row->name : region, "occupation", space + 1, "name",
                   occupation_name(market, space + 1), "asked",
                   (json_int_t)group->side[SIDE_IN].people, "offered",
                   (json_int_t)group->side[SIDE_OUT].people, "short", (json_int_t)shortage(group));
}

static enum collega_status put_shortages(struct market *market, json_t *out,
                                         struct collega_error *error) {
  struct count count = {0};
  bool ok = true;
  for (size_t i = 0; ok && i < market->board.offer_count; ++i) {
    const struct planned *one = &market->board.offers[i];
    const char *region = places_region(market->board.places, one->offer->place);
    char key[KEY_BYTES];
    if (!is_open(one)) continue;
    snprintf(key, sizeof key, "%s %s", region ? region : MARKET_UNKNOWN,
             one->offer->occupation->isco);
    ok = add_entry(market, &count, key, NULL, one);
  }
  ok = ok && count_entries(market, &count);
  if (ok && count.group_count)
    qsort(count.groups, count.group_count, sizeof *count.groups, by_shortage);
  json_t *list = json_array();
  for (size_t i = 0; ok && list && i < count.group_count; ++i) {
    const struct group *group = &count.groups[i];
    if (shortage(group) <= 0 || json_array_size(list) == MARKET_LIST_MOST) break;
    if (tellable(&group->side[SIDE_IN]) && tellable(&group->side[SIDE_OUT]))
      list = json_add(list, shortage_json(market, group));
  }
  return ok && json_put(out, "short", list) ? COLLEGA_OK : no_memory(error);
}

/* ---- how soon, and how many */

static int by_time(const void *one, const void *other) {
  int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
  return (a > b) - (a < b);
}

/* When the first counter-offer that fits was there, by offer; INT64_MAX: never. */
static int64_t *first_matches(const struct market *market) {
  const struct planning *board = &market->board;
  int64_t *first = arena_take(market->view->arena, (board->offer_count + 1) * sizeof *first);
  for (size_t i = 0; first && i < board->offer_count; ++i)
    first[i] = INT64_MAX;
  for (size_t i = 0; first && i < board->pair_count; ++i) {
    const struct plan_pair *pair = &board->pairs[i];
    collega_time supply = board->offers[pair->supply].received;
    collega_time demand = board->offers[pair->demand].received;
    if (!supply || !demand) continue;
    collega_time both = supply > demand ? supply : demand;
    if (both < first[pair->supply]) first[pair->supply] = both;
    if (both < first[pair->demand]) first[pair->demand] = both;
  }
  return first;
}

/* Offers of one side, and the employers behind them. */
struct share {
  uint32_t *employers;
  size_t all, part, employer_count;
};

static bool share_add(struct market *market, struct share *share, const struct planned *one,
                      bool part) {
  if (!share->employers)
    share->employers =
        arena_take(market->view->arena, market->board.offer_count * sizeof *share->employers);
  if (!share->employers) return false;
  share->employers[share->all++] = one->employer;
  share->part += part;
  return true;
}

static bool share_tellable(struct share *share) {
  size_t different = 0;
  if (share->all) qsort(share->employers, share->all, sizeof *share->employers, by_value);
  for (size_t i = 0; i < share->all; ++i)
    different += i == 0 || share->employers[i] != share->employers[i - 1];
  return share->all == 0 || different >= MARKET_EMPLOYERS;
}

static double hours_of(int64_t milliseconds) {
  return (double)milliseconds / (double)HOUR_MS;
}

static json_t *matching_json(struct market *market, enum side side, const int64_t *first) {
  struct share share = {0};
  size_t count = 0;
  int64_t *waits = arena_take(market->view->arena, (market->board.offer_count + 1) * sizeof *waits);
  for (size_t i = 0; waits && i < market->board.offer_count; ++i) {
    const struct planned *one = &market->board.offers[i];
    if (!one->received || kind_supplies(one->offer->kind) != (side == SIDE_OUT)) continue;
    bool matched = first[i] != INT64_MAX;
    if (matched) waits[count++] = first[i] - one->received;
    if (!share_add(market, &share, one, matched)) return NULL;
  }
  if (!waits) return NULL;
  if (!share_tellable(&share)) return json_null();
  if (count) qsort(waits, count, sizeof *waits, by_time);
  double median = count ? (hours_of(waits[(count - 1) / 2]) + hours_of(waits[count / 2])) / 2 : 0;
  return json_pack("{s:I, s:I, s:o}", "offers", (json_int_t)share.all, "matched",
                   (json_int_t)share.part, "median_hours", count ? json_real(median) : json_null());
}

static json_t *filled_json(struct market *market, enum side side) {
  struct share share = {0};
  for (size_t i = 0; i < market->board.offer_count; ++i) {
    const struct planned *one = &market->board.offers[i];
    Collega__OfferState state = one->state;
    if (kind_supplies(one->offer->kind) != (side == SIDE_OUT) ||
        state == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN ||
        state == COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED)
      continue;
    if (!share_add(market, &share, one, state == COLLEGA__OFFER_STATE__OFFER_STATE_FILLED))
      return NULL;
  }
  if (!share_tellable(&share)) return json_null();
  return json_pack("{s:I, s:I, s:o}", "closed", (json_int_t)share.all, "filled",
                   (json_int_t)share.part, "rate",
                   share.all ? json_real((double)share.part / (double)share.all) : json_null());
}

static enum collega_status put_shares(struct market *market, json_t *out,
                                      struct collega_error *error) {
  const int64_t *first = first_matches(market);
  json_t *matching = json_object(), *filled = json_object();
  bool ok = first && matching && filled;
  for (enum side side = SIDE_OUT; ok && side < SIDES; ++side)
    ok = json_put(matching, side_names[side], matching_json(market, side, first)) &&
         json_put(filled, side_names[side], filled_json(market, side));
  ok = json_put(out, "matching", matching) && json_put(out, "filled", filled) && ok;
  return ok ? COLLEGA_OK : no_memory(error);
}

enum collega_status market_make(const struct view *view, json_t **out,
                                struct collega_error *error) {
  struct market market = {.view = view};
  struct planning_request request = {.kind = PLANNING_BOARD, .closed = true};
  *out = NULL;
  enum collega_status status = planning_load(view, &request, &market.board, error);
  json_t *made = json_object();
  if (status == COLLEGA_OK && !(json_put(made, "made", json_time(view->now)) &&
                                json_put(made, "least_employers", json_integer(MARKET_EMPLOYERS))))
    status = no_memory(error);
  for (enum market_table table = MARKET_OPEN; status == COLLEGA_OK && table <= MARKET_OCCUPATIONS;
       ++table)
    status = put_table(&market, table, made, error);
  if (status == COLLEGA_OK) status = put_skills(&market, made, error);
  if (status == COLLEGA_OK) status = put_shortages(&market, made, error);
  if (status == COLLEGA_OK) status = put_shares(&market, made, error);
  planning_free(&market.board);
  if (status == COLLEGA_OK)
    *out = made;
  else
    json_decref(made);
  return status;
}
