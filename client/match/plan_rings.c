/* Listing rings, and packing them.
 *
 * A ring of four is found from its employer with the lowest number, a: two steps forward from a, a -> b -> c, and
 * two steps back, a <- d <- c, meet in c. So the work for an employer is the square of its pairs, not their fourth
 * power. */
#include "client/match/plan_inside.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* The pairs of each employer, its best ones: lending and borrowing. */
struct ends {
  uint32_t *first; /* by employer, one more than there are */
  uint32_t *pair;
};
/* A path back to the employer that is looked at: over `pair` (and `last`, where it has two steps). */
struct back {
  uint32_t pair, last, next; /* last, next: NONE */
};
struct listing {
  const struct plan_board *board;
  struct ends lends, borrows;
  uint32_t *one, *two; /* by employer: first of the paths back of one step, of two */
  struct back *backs;
  size_t back_count, back_room;
  uint32_t *touched;
  size_t touched_count;
  struct plan_rings *rings;
  bool needed;
};

static uint32_t lender_of(const struct plan_board *board, uint32_t pair) {
  return board->offers[board->pairs[pair].supply].employer;
}
static uint32_t borrower_of(const struct plan_board *board, uint32_t pair) {
  return board->offers[board->pairs[pair].demand].employer;
}

/* ---- the pairs of each employer */

struct ranked {
  uint32_t employer, pair;
  int32_t score;
};

static int by_employer(const void *one, const void *other) {
  const struct ranked *a = one, *b = other;
  if (a->employer != b->employer) return a->employer < b->employer ? -1 : 1;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return a->pair < b->pair ? -1 : a->pair > b->pair;
}

static bool ends_fill(const struct plan_board *board, bool lends, struct ends *out, bool *cut) {
  struct ranked *ranked = malloc((board->pair_count + 1) * sizeof *ranked);
  out->first = calloc(board->offer_count + 1, sizeof *out->first);
  out->pair = malloc((board->pair_count + 1) * sizeof *out->pair);
  if (!ranked || !out->first || !out->pair) {
    free(ranked);
    return false;
  }
  for (uint32_t i = 0; i < board->pair_count; ++i)
    ranked[i] = (struct ranked){lends ? lender_of(board, i) : borrower_of(board, i), i,
                                board->pairs[i].score};
  qsort(ranked, board->pair_count, sizeof *ranked, by_employer);
  uint32_t kept = 0;
  size_t at = 0;
  for (uint32_t employer = 0; employer < board->offer_count; ++employer) {
    out->first[employer] = kept;
    for (size_t degree = 0; at < board->pair_count && ranked[at].employer == employer;
         ++at, ++degree) {
      if (degree < PLAN_DEGREE_MOST)
        out->pair[kept++] = ranked[at].pair;
      else
        *cut = true;
    }
  }
  out->first[board->offer_count] = kept;
  free(ranked);
  return true;
}

/* ---- listing */

static bool is_needed(const struct listing *listing, const uint32_t *pairs, uint32_t length) {
  for (uint32_t i = 0; listing->needed && i < length; ++i) {
    const struct plan_pair *pair = &listing->board->pairs[pairs[i]];
    if (listing->board->offers[pair->supply].in_return ||
        listing->board->offers[pair->demand].in_return)
      return true;
  }
  return !listing->needed;
}

static bool add_ring(struct listing *listing, const uint32_t *pairs, uint32_t length) {
  struct plan_rings *rings = listing->rings;
  if (!is_needed(listing, pairs, length)) return true;
  if (rings->count == PLAN_RINGS_MOST) {
    rings->cut = true;
    return true;
  }
  if (rings->count == rings->room) {
    size_t room = rings->room ? rings->room * 2 : 256;
    struct plan_ring *more = realloc(rings->ring, room * sizeof *more);
    if (!more) return false;
    rings->ring = more;
    rings->room = room;
  }
  struct plan_ring *ring = &rings->ring[rings->count++];
  *ring = (struct plan_ring){.length = length};
  memcpy(ring->pair, pairs, length * sizeof *pairs);
  return true;
}

static bool add_back(struct listing *listing, uint32_t *from, uint32_t employer, uint32_t pair,
                     uint32_t last) {
  if (listing->back_count == listing->back_room) {
    size_t room = listing->back_room ? listing->back_room * 2 : 1024;
    struct back *more = realloc(listing->backs, room * sizeof *more);
    if (!more) return false;
    listing->backs = more;
    listing->back_room = room;
  }
  if (listing->one[employer] == NONE && listing->two[employer] == NONE)
    listing->touched[listing->touched_count++] = employer;
  listing->backs[listing->back_count] = (struct back){pair, last, from[employer]};
  from[employer] = (uint32_t)listing->back_count++;
  return true;
}

/* All ways back to `home` of one and two steps, over employers with higher numbers. */
static bool find_backs(struct listing *listing, uint32_t home) {
  const struct ends *borrows = &listing->borrows;
  for (uint32_t i = borrows->first[home]; i < borrows->first[home + 1]; ++i) {
    uint32_t last = borrows->pair[i], before = lender_of(listing->board, last);
    if (before <= home) continue;
    if (!add_back(listing, listing->one, before, last, NONE)) return false;
    for (uint32_t j = borrows->first[before]; j < borrows->first[before + 1]; ++j) {
      uint32_t pair = borrows->pair[j], start = lender_of(listing->board, pair);
      if (start <= home || start == before) continue;
      if (!add_back(listing, listing->two, start, pair, last)) return false;
    }
  }
  return true;
}

/* a -> b -> c, and every way back from c. */
static bool close_from(struct listing *listing, uint32_t first, uint32_t b) {
  const struct plan_board *board = listing->board;
  for (uint32_t i = listing->lends.first[b]; i < listing->lends.first[b + 1]; ++i) {
    uint32_t second = listing->lends.pair[i], c = borrower_of(board, second);
    if (listing->one[c] == NONE && listing->two[c] == NONE) continue;
    for (uint32_t at = listing->one[c]; at != NONE; at = listing->backs[at].next)
      if (!add_ring(listing, (uint32_t[]){first, second, listing->backs[at].pair}, 3)) return false;
    for (uint32_t at = listing->two[c]; at != NONE; at = listing->backs[at].next) {
      const struct back *back = &listing->backs[at];
      if (borrower_of(board, back->pair) == b) continue;
      if (!add_ring(listing, (uint32_t[]){first, second, back->pair, back->last}, 4)) return false;
    }
  }
  return true;
}

static bool list_from(struct listing *listing, uint32_t home) {
  const struct ends *lends = &listing->lends;
  bool ok = lends->first[home] == lends->first[home + 1] || find_backs(listing, home);
  for (uint32_t i = lends->first[home]; ok && i < lends->first[home + 1]; ++i) {
    uint32_t first = lends->pair[i], b = borrower_of(listing->board, first);
    if (b <= home) continue;
    for (uint32_t at = listing->one[b]; ok && at != NONE; at = listing->backs[at].next)
      ok = add_ring(listing, (uint32_t[]){first, listing->backs[at].pair}, 2);
    ok = ok && close_from(listing, first, b);
  }
  for (size_t i = 0; i < listing->touched_count; ++i)
    listing->one[listing->touched[i]] = listing->two[listing->touched[i]] = NONE;
  listing->touched_count = listing->back_count = 0;
  return ok;
}

/* qsort has no context: rings are sorted with their scores beside them. */
struct scored {
  int64_t average; /* * 12, which all lengths divide */
  struct plan_ring ring;
};

static int by_score(const void *one, const void *other) {
  const struct scored *a = one, *b = other;
  if (a->average != b->average) return a->average > b->average ? -1 : 1;
  if (a->ring.length != b->ring.length) return a->ring.length > b->ring.length ? -1 : 1;
  return memcmp(a->ring.pair, b->ring.pair, sizeof a->ring.pair);
}

static bool sort_rings(const struct plan_board *board, struct plan_rings *rings) {
  struct scored *scored = malloc((rings->count + 1) * sizeof *scored);
  if (!scored) return false;
  for (size_t i = 0; i < rings->count; ++i) {
    int64_t sum = 0;
    scored[i].ring = rings->ring[i];
    for (uint32_t j = 0; j < rings->ring[i].length; ++j)
      sum += board->pairs[rings->ring[i].pair[j]].score;
    scored[i].average = sum * 12 / rings->ring[i].length;
  }
  qsort(scored, rings->count, sizeof *scored, by_score);
  for (size_t i = 0; i < rings->count; ++i)
    rings->ring[i] = scored[i].ring;
  free(scored);
  return true;
}

enum collega_status rings_list(const struct plan_board *board, bool needed, flow_over over,
                               void *context, struct plan_rings *out, struct collega_error *error) {
  size_t employers = board->offer_count;
  *out = (struct plan_rings){0};
  struct listing listing = {.board = board,
                            .rings = out,
                            .needed = needed,
                            .one = malloc((employers + 1) * sizeof *listing.one),
                            .two = malloc((employers + 1) * sizeof *listing.two),
                            .touched = malloc((employers + 1) * sizeof *listing.touched)};
  bool ok = listing.one && listing.two && listing.touched &&
            ends_fill(board, true, &listing.lends, &out->cut) &&
            ends_fill(board, false, &listing.borrows, &out->cut);
  if (ok) {
    memset(listing.one, 0xff, (employers + 1) * sizeof *listing.one);
    memset(listing.two, 0xff, (employers + 1) * sizeof *listing.two);
  }
  for (uint32_t home = 0; ok && home < employers; ++home) {
    ok = list_from(&listing, home);
    if (home % 256 == 255 && over && over(context)) {
      out->cut = true;
      break;
    }
  }
  ok = ok && sort_rings(board, out);
  free(listing.one);
  free(listing.two);
  free(listing.touched);
  free(listing.backs);
  free(listing.lends.first);
  free(listing.lends.pair);
  free(listing.borrows.first);
  free(listing.borrows.pair);
  return ok ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

void rings_free(struct plan_rings *rings) {
  free(rings->ring);
  *rings = (struct plan_rings){0};
}

/* ---- packing */

enum collega_status packing_new(struct packing *packing, const struct plan_board *board,
                                const struct plan_rings *rings, struct collega_error *error) {
  *packing = (struct packing){.board = board,
                              .rings = rings,
                              .left = malloc((board->offer_count + 1) * sizeof *packing->left),
                              .people = calloc(rings->count + 1, sizeof *packing->people)};
  if (!packing->left || !packing->people)
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  packing_clear(packing);
  return COLLEGA_OK;
}

void packing_free(struct packing *packing) {
  free(packing->left);
  free(packing->people);
  *packing = (struct packing){0};
}

void packing_clear(struct packing *packing) {
  for (size_t i = 0; i < packing->board->offer_count; ++i)
    packing->left[i] = packing->board->offers[i].people;
  memset(packing->people, 0, (packing->rings->count + 1) * sizeof *packing->people);
  packing->value = 0;
}

int32_t packing_least(const struct packing *packing, size_t ring) {
  const struct plan_ring *one = &packing->rings->ring[ring];
  int32_t least = 1;
  for (uint32_t i = 0; i < one->length; ++i)
    if (packing->board->pairs[one->pair[i]].least > least)
      least = packing->board->pairs[one->pair[i]].least;
  return least;
}

/* Two rings over one pair are two loans, each with its least. */
int32_t packing_room(const struct packing *packing, size_t ring) {
  const struct plan_ring *one = &packing->rings->ring[ring];
  int32_t room = INT32_MAX;
  for (uint32_t i = 0; i < one->length; ++i) {
    const struct plan_pair *pair = &packing->board->pairs[one->pair[i]];
    if (packing->left[pair->supply] < room) room = packing->left[pair->supply];
    if (packing->left[pair->demand] < room) room = packing->left[pair->demand];
  }
  return packing->people[ring] + room >= packing_least(packing, ring) && room > 0 ? room : 0;
}

void packing_put(struct packing *packing, size_t ring, int32_t people) {
  const struct plan_ring *one = &packing->rings->ring[ring];
  packing->people[ring] += people;
  for (uint32_t i = 0; i < one->length; ++i) {
    const struct plan_pair *pair = &packing->board->pairs[one->pair[i]];
    packing->left[pair->supply] -= people;
    packing->left[pair->demand] -= people;
    packing->value += (int64_t)people * pair->score;
  }
}

void packing_greedy(struct packing *packing) {
  for (size_t i = 0; i < packing->rings->count; ++i) {
    int32_t room = packing_room(packing, i);
    if (room > 0) packing_put(packing, i, room);
  }
}

/* ---- the circulation: employer -> its supply -> a demand -> that employer */

static int32_t pair_most(const struct plan_board *board, uint32_t pair) {
  int32_t one = board->offers[board->pairs[pair].supply].people;
  int32_t other = board->offers[board->pairs[pair].demand].people;
  return one < other ? one : other;
}

static void take_carried(struct packing *packing, int32_t *carried) {
  const struct plan_rings *rings = packing->rings;
  for (size_t i = 0; i < rings->count; ++i) {
    int32_t round = packing_room(packing, i);
    for (uint32_t j = 0; j < rings->ring[i].length; ++j)
      if (carried[rings->ring[i].pair[j]] < round) round = carried[rings->ring[i].pair[j]];
    if (round < packing_least(packing, i)) continue;
    packing_put(packing, i, round);
    for (uint32_t j = 0; j < rings->ring[i].length; ++j)
      carried[rings->ring[i].pair[j]] -= round;
  }
}

enum collega_status packing_circulate(struct packing *packing, flow_over over, void *context,
                                      int64_t *bound, struct collega_error *error) {
  const struct plan_board *board = packing->board;
  size_t count = board->offer_count + board->pair_count;
  struct flow_arc *arcs = malloc((count + 1) * sizeof *arcs);
  int32_t *flow = calloc(count + 1, sizeof *flow);
  struct flow_result result = {0};
  enum collega_status status =
      arcs && flow ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (uint32_t i = 0; status == COLLEGA_OK && i < board->pair_count; ++i)
    arcs[i] = (struct flow_arc){board->pairs[i].supply, board->pairs[i].demand, pair_most(board, i),
                                -board->pairs[i].score};
  for (uint32_t i = 0; status == COLLEGA_OK && i < board->offer_count; ++i) {
    const struct plan_offer *offer = &board->offers[i];
    uint32_t employer = (uint32_t)board->offer_count + offer->employer;
    arcs[board->pair_count + i] =
        (struct flow_arc){offer->supplies ? employer : i, offer->supplies ? i : employer,
                          offer->people > 0 ? offer->people : 0, 0};
  }
  struct flow_network network = {2 * board->offer_count, count, arcs, NULL, NULL};
  if (status == COLLEGA_OK) status = flow_solve(&network, over, context, flow, &result, error);
  if (status == COLLEGA_OK) {
    *bound = -result.bound;
    packing_clear(packing);
    take_carried(packing, flow);
    packing_greedy(packing);
  }
  free(arcs);
  free(flow);
  return status;
}
