/* Two rules that need a look at other members. A KvK number stands for one employer: were two parties certified under
 * it, `named:` offers would go to both, and a counterparty could not tell which of them it deals with. The number alone
 * is not enough, though: one organisation may be employer, network and desk at once, and a desk for each region. */
#include "broker/commit/admission.h"

#include <stdlib.h>
#include <string.h>

struct namesake {
  const struct id *party;
  const char *kvk;
  collega_time now;
  char name[MEMBER_NAME_BYTES];
  bool found;
};

static bool visit(void *context, const struct id *party, const struct party_row *row) {
  struct namesake *namesake = context;
  if (row->role != COLLEGA__ROLE__ROLE_EMPLOYER || strcmp(row->kvk, namesake->kvk) != 0 ||
      id_equal(party, namesake->party) || !party_row_in_force(row, namesake->now))
    return true;
  memcpy(namesake->name, row->name, sizeof namesake->name);
  namesake->found = true;
  return false;
}

static enum collega_status judge_kvk(struct batch *batch, const struct id *party,
                                     const struct invitation_row *invitation,
                                     struct collega_error *why, struct collega_error *error) {
  struct namesake namesake = {.party = party, .kvk = invitation->kvk, .now = batch->now};
  if (invitation->role != COLLEGA__ROLE__ROLE_EMPLOYER) return COLLEGA_OK;
  enum collega_status status = party_rows_walk(batch->txn, visit, &namesake, error);
  if (!status && namesake.found)
    error_set(why, COLLEGA_REFUSED, RULE_join_kvk_taken, NULL, invitation->kvk, namesake.name,
              NULL);
  return status;
}

static enum collega_status judge_guests(struct batch *batch, const struct id *party,
                                        const struct invitation_row *invitation,
                                        struct collega_error *why, struct collega_error *error) {
  struct id *hosted;
  size_t count, living = 0;
  if (invitation->role == COLLEGA__ROLE__ROLE_NETWORK) return COLLEGA_OK;
  enum collega_status status = party_rows_hosted(batch->txn, party, &hosted, &count, error);
  for (size_t i = 0; !status && i < count; i++) {
    struct party_row row;
    bool found = false;
    status = party_row_read(batch->txn, &hosted[i], &row, &found, error);
    living += !status && found && !row.revoked;
  }
  free(hosted);
  if (!status && living) error_set(why, COLLEGA_REFUSED, RULE_join_still_host, NULL, NULL);
  return status;
}

enum collega_status admission_judge(struct batch *batch, const struct id *party,
                                    const struct invitation_row *invitation,
                                    struct collega_error *why, struct collega_error *error) {
  *why = (struct collega_error){.status = COLLEGA_OK};
  enum collega_status status = judge_kvk(batch, party, invitation, why, error);
  if (!status && !why->status) status = judge_guests(batch, party, invitation, why, error);
  return status;
}
