/* Mandates of a party that lives here: made, ended, chosen. Nothing of it needs a broker: the records
 * go out when there is one. */
#include "client/exchange/mandates.h"

#include <string.h>

#include "client/exchange/inside.h"
#include "client/exchange/node_clock.h"
#include "proto/check.h"
#include "proto/check_text.h"

struct change {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct identity *identity;
  const struct known_party *self;
  collega_time now;
  struct arena *arena;
  struct collega_error *error;
};

static enum collega_status append(struct change *change, Collega__BodyType type,
                                  Collega__Mandate *mandate, Collega__MandateEnd *end,
                                  struct id *record) {
  Collega__Body *body = NULL;
  enum collega_status status =
      exchange_own_body(change->exchange, change->txn, identity_party(change->identity),
                        change->arena, &body, change->error);
  if (status != COLLEGA_OK) return status;
  body->type = type;
  body->mandate = mandate;
  body->mandate_end = end;
  return exchange_append_record(change->exchange, change->txn, change->identity, body, change->now,
                                change->arena, record, change->error);
}

static enum collega_status open_change(struct change *change, struct exchange *exchange,
                                       const struct id *party, collega_time now,
                                       struct collega_error *error) {
  *change = (struct change){.exchange = exchange, .now = now, .error = error};
  if (!exchange_identity(exchange, party))
    return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  change->arena = exchange_arena();
  if (!change->arena) return exchange_no_memory(error);
  enum collega_status status = node_clock_check(exchange->home, now, error);
  if (status == COLLEGA_OK) status = exchange_begin(exchange, &change->txn, error);
  if (status != COLLEGA_OK) return status;
  change->identity = exchange_identity(exchange, party); /* now: a transaction may renew it */
  change->self = members_find(exchange_members(exchange, change->txn), party);
  return change->self ? COLLEGA_OK : exchange_row_damaged(error, "parties");
}

static enum collega_status close_change(struct change *change, enum collega_status status) {
  status = exchange_end(change->exchange, &change->txn, status, change->error);
  arena_destroy(&change->arena);
  return status;
}

/* ---- make */

static char *text_field(const char *text) {
  return (char *)(uintptr_t)text;
}

/* The schema says person, headcount_limit and valid_until where the user says signatory, max-headcount and until. */
static void rename_field(struct collega_error *error) {
  static const struct {
    const char *schema, *option;
  } names[] = {{"person", "signatory"},
               {"headcount_limit", "max-headcount"},
               {"valid_from", "from"},
               {"valid_until", "until"}};
  for (size_t i = 0; error && i < sizeof names / sizeof names[0]; i++)
    if (strcmp(error->field, names[i].schema) == 0) strcpy(error->field, names[i].option);
}

static enum collega_status fill(const struct exchange *exchange, const struct mandate_input *input,
                                collega_time now, Collega__Mandate *mandate,
                                struct collega_error *error) {
  collega__mandate__init(mandate);
  mandate->person = text_field(input->person);
  mandate->function = text_field(input->function);
  mandate->ground = text_field(input->ground);
  mandate->jointly = input->jointly;
  mandate->has_headcount_limit = input->headcount_limit > 0;
  mandate->headcount_limit = input->headcount_limit;
  mandate->valid_from = input->from ? input->from : node_clock_begin(exchange->home, now);
  mandate->has_valid_until = input->until != 0;
  mandate->valid_until = input->until;
  enum collega_status status = check_fields(&mandate->base, error);
  if (status == COLLEGA_OK) status = check_no_bsn(&mandate->base, error);
  if (status == COLLEGA_OK && input->until && input->until <= now)
    status = error_set(error, COLLEGA_INVALID, RULE_mandate_until_past, "valid_until", NULL);
  if (status == COLLEGA_OK && input->until && input->until <= mandate->valid_from)
    status = error_set(error, COLLEGA_INVALID, RULE_mandate_until_order, "valid_until", NULL);
  if (status != COLLEGA_OK) rename_field(error);
  return status;
}

enum collega_status mandate_add(struct exchange *exchange, const struct id *party,
                                const struct mandate_input *input, collega_time now,
                                struct id *mandate, struct collega_error *error) {
  struct change change;
  Collega__Mandate content;
  enum collega_status status = fill(exchange, input, now, &content, error);
  if (status != COLLEGA_OK) return status;
  status = open_change(&change, exchange, party, now, error);
  if (status == COLLEGA_OK && change.self->mandate_count >= MANDATES_KEPT)
    status = error_set(error, COLLEGA_REFUSED, RULE_mandate_too_many, NULL,
                       known_party_name(change.self), NULL);
  if (status == COLLEGA_OK)
    status = append(&change, COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE, &content, NULL, mandate);
  return close_change(&change, status);
}

/* ---- end */

enum collega_status mandate_end(struct exchange *exchange, const struct id *party,
                                const struct id *mandate, collega_time now,
                                struct collega_error *error) {
  struct change change;
  struct id record;
  Collega__MandateEnd end = COLLEGA__MANDATE_END__INIT;
  enum collega_status status = open_change(&change, exchange, party, now, error);
  if (status == COLLEGA_OK) {
    const struct known_mandate *known = known_party_mandate(change.self, mandate);
    if (!known) {
      status = error_set(error, COLLEGA_REFUSED, RULE_mandate_unknown, "mandate", NULL);
    } else if (known->ended || (known->valid_until && now >= known->valid_until)) {
      char over[32];
      time_write(over, sizeof over, known->ended ? known->ended : known->valid_until);
      status = error_set(error, COLLEGA_REFUSED, RULE_mandate_over, "mandate", known->person, over,
                         NULL);
    }
  }
  field_set_id(&end.mandate, mandate);
  end.time = now;
  if (status == COLLEGA_OK)
    status = append(&change, COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE_END, NULL, &end, &record);
  return close_change(&change, status);
}

/* ---- judge */

enum collega_status mandate_state(struct ledger_txn *txn, const struct known_mandate *mandate,
                                  collega_time now, enum mandate_state *out,
                                  struct collega_error *error) {
  struct own_record own;
  enum collega_status status =
      own_record_get(txn, bytes_of(mandate->record.byte, ID_BYTES), &own, error);
  if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) return status;
  *out = MANDATE_IN_FORCE;
  if (status == COLLEGA_OK && own.state == RECORD_REFUSED)
    *out = MANDATE_REFUSED;
  else if (mandate->ended && now >= mandate->ended)
    *out = MANDATE_ENDED;
  else if (mandate->valid_until && now >= mandate->valid_until)
    *out = MANDATE_OVER;
  else if (now < mandate->valid_from)
    *out = MANDATE_NOT_YET;
  return COLLEGA_OK;
}

const char *mandate_state_name(enum mandate_state state) {
  switch (state) {
  case MANDATE_IN_FORCE:
    return "in_force";
  case MANDATE_NOT_YET:
    return "not_yet";
  case MANDATE_OVER:
    return "over";
  case MANDATE_ENDED:
    return "ended";
  case MANDATE_REFUSED:
    return "refused";
  }
  return "unknown";
}

/* Why an own mandate does not cover, with what to do about it. */
static enum collega_status own_words(enum collega_status status, struct collega_error *error) {
  if (status == COLLEGA_OK || !error) return status;
  if (error->rule == RULE_mandate_not_yet) error->rule = RULE_own_mandate_not_yet;
  if (error->rule == RULE_mandate_over) error->rule = RULE_own_mandate_over;
  if (error->rule == RULE_mandate_joint) error->rule = RULE_own_mandate_joint;
  if (error->rule == RULE_mandate_limit) error->rule = RULE_own_mandate_limit;
  return status;
}

enum collega_status exchange_choose_mandate(struct exchange *exchange, struct ledger_txn *txn,
                                            const struct id *party, const struct id *wanted,
                                            uint32_t headcount, collega_time now, struct id *out,
                                            struct collega_error *error) {
  const struct known_party *self = members_find(exchange_members(exchange, txn), party);
  memset(out, 0, sizeof *out);
  if (!self) return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  if (wanted) {
    *out = *wanted;
    return own_words(known_mandate_covers(self, wanted, now, headcount, error), error);
  }
  size_t covering = 0, count = 0;
  struct collega_error why;
  error_clear(&why);
  for (size_t i = 0; i < self->mandate_count; i++) {
    if (self->mandates[i].replaced) continue;
    count++;
    if (mandate_covers(&self->mandates[i], now, headcount, &why) != COLLEGA_OK) continue;
    if (covering++ == 0) *out = self->mandates[i].record;
  }
  if (covering == 1 || count == 0) return COLLEGA_OK;
  memset(out, 0, sizeof *out);
  if (covering > 1) /* which of them signs is not for us to guess */
    return error_set(error, COLLEGA_REFUSED, RULE_mandate_choose, "mandate", NULL);
  if (count == 1) {
    if (error) *error = why;
    return own_words(COLLEGA_REFUSED, error);
  }
  return error_set(error, COLLEGA_REFUSED, RULE_mandate_none_covers, "mandate", NULL);
}
