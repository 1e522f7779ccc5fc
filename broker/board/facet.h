/* What filters ask about a record, taken from its body once, when it comes in; and the asking. */
#ifndef COLLEGA_BROKER_FACET_H
#define COLLEGA_BROKER_FACET_H
#include "broker/store/log_rows.h"
#include "proto/link.pb-c.h"

/* An offer's facet; of any other body one that passes every filter (a status gets its content's
 * later). */
void facet_of_body(struct facet *out, const Collega__Body *body);
/* The filter as the board's reader uses it; borrows from `filter`. */
struct board_filter {
  const Collega__Filter *filter;
  bool all;            /* no set at all: everything passes */
  uint32_t kinds;      /* bits 1 << kind; 0: no set */
  uint64_t regions[2]; /* bits of AMnn */
  bool has_regions;
};
void board_filter_start(struct board_filter *out, const Collega__Filter *filter);
/* Of class members: never compacted. */
static inline bool facet_is_members(const struct facet *facet) {
  return facet->type < COLLEGA__BODY_TYPE__BODY_TYPE_OFFER;
}
bool board_filter_passes(const struct board_filter *filter, const struct facet *facet);
#endif
