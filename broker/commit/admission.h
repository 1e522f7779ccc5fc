/* What stands in the way of a certificate, as the members' rows have it inside a batch. */
#ifndef COLLEGA_BROKER_ADMISSION_H
#define COLLEGA_BROKER_ADMISSION_H
#include "broker/commit/batch.h"

/* May `party` become, or stay, what the invitation says? COLLEGA_OK with why->status: COLLEGA_OK, or COLLEGA_REFUSED and
 * the rule:
 *   join_kvk_taken   an employer is one party: another member in force has this KvK number as employer
 *   join_still_host  a network that others live with cannot become something else while they do */
enum collega_status admission_judge(struct batch *batch, const struct id *party,
                                    const struct invitation_row *invitation,
                                    struct collega_error *why,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
