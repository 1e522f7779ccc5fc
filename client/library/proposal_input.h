/* A proposal, as JSON: {"match" or "to", "headcount", "from", "until", "hours_per_week", "rate_cents", "accept_by",
 * "mandate", "terms":{}}. The public library and HTTP take it. */
#ifndef COLLEGA_CLIENT_LIBRARY_PROPOSAL_INPUT_H
#define COLLEGA_CLIENT_LIBRARY_PROPOSAL_INPUT_H
#include "client/library/view.h"

enum proposal_use {
  PROPOSAL_NEW,     /* "match" or "to" is needed */
  PROPOSAL_COUNTER, /* neither is known */
  PROPOSAL_AMEND,   /* the same, and something must change */
  PROPOSAL_PLAN     /* the same, without "headcount" and "hours_per_week": the plan has them */
};
struct proposal_input {
  struct proposal proposal; /* points into this structure and the arena */
  struct id match, mandate;
  struct short_id offer;
};
/* `out` must stay where it is. The error's field is the path in the JSON. */
enum collega_status proposal_input_read(const struct view *view, const json_t *json,
                                        enum proposal_use use, struct proposal_input *out,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* Terms, as JSON, in the arena. */
enum collega_status terms_input_read(const json_t *json, struct arena *arena,
                                     const Collega__Terms **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
