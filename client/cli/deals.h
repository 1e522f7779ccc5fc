/* What the commands about deals share. */
#ifndef COLLEGA_CLI_DEALS_H
#define COLLEGA_CLI_DEALS_H
#include "client/cli/common.h"

#define DEAL_STATE_CHOICES                                                                         \
  "draft|proposed|received|pending|concluded|active|ended|terminated|void|releasing|released"
#define DEAL_AWAITS_CHOICES "us|other|decider|node|nobody"

/* The row's terms; *out NULL: none are kept. */
enum collega_status desk_deal_terms(struct desk *desk, const CollegaStore__DealRow *row,
                                    Collega__Terms **out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
json_t *desk_deal_json(struct desk *desk, const CollegaStore__DealRow *row);
/* With --wait: until the deal is decided. */
enum collega_status desk_wait_decided(struct desk *desk, const struct id *deal,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Opens the desk for the deal that the first argument names. */
enum collega_status desk_open_deal(const struct arguments *arguments, struct desk *desk,
                                   struct id *deal, struct collega_error *error) COLLEGA_MUST_CHECK;
/* --headcount, --hours, --from, --until, --rate, --accept-by, --terms, as far as the command has them. */
enum collega_status desk_read_proposal(struct desk *desk, struct proposal *proposal,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* --terms FILE.json; *out NULL: not given. */
enum collega_status desk_terms_option(struct desk *desk, Collega__Terms **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* --mandate; *out NULL: not given. */
enum collega_status desk_mandate_option(struct desk *desk, struct id *mandate,
                                        const struct id **out,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* With --wait: until the deal is decided, or until what was said has left. Then tells: the deal with --json, else
 * `said` (RULE_NONE: nothing). */
enum collega_status desk_act_done(struct desk *desk, const struct id *deal, bool until_decided,
                                  enum rule said, struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same after another condition. */
enum collega_status desk_act_told(struct desk *desk, const struct id *deal, enum rule said,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
