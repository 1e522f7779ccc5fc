/* A party of this home, as people and programs are told of it. */
#include "client/library/party_document.h"

#include "client/library/document.h"

struct state_name {
  const char *name; /* in JSON */
  enum rule rule;
};

static struct state_name name_of(enum party_state state) {
  switch (state) {
  case PARTY_UNCERTIFIED:
    return (struct state_name){"uncertified", RULE_party_is_uncertified};
  case PARTY_INVITED:
    return (struct state_name){"invited", RULE_party_is_invited};
  case PARTY_REFUSED:
    return (struct state_name){"refused", RULE_party_is_refused};
  case PARTY_CERTIFIED:
    return (struct state_name){"member", RULE_party_is_member};
  case PARTY_REVOKED:
    return (struct state_name){"revoked", RULE_party_is_revoked};
  }
  return (struct state_name){"uncertified", RULE_party_is_uncertified};
}

static enum collega_status read_one(const struct view *view, const struct id *party,
                                    struct party_facts *out, struct collega_error *error) {
  CollegaStore__OwnParty *row = NULL;
  out->party = party;
  enum collega_status status = view_own_party(view, party, &row, error);
  out->row = row;
  return status == COLLEGA_OK ? party_state(view->exchange, view->txn, party, view->arena,
                                            &out->state, &out->why, error)
                              : status;
}

enum collega_status parties_read(const struct view *view, struct party_facts **out, size_t *count,
                                 struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  *count = exchange_party_count(view->exchange);
  *out = arena_zero(view->arena, *count * sizeof **out);
  if (!*out) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; status == COLLEGA_OK && i < *count; i++)
    status = read_one(view, exchange_party_at(view->exchange, i), &(*out)[i], error);
  return status;
}

const char *party_state_words(const struct view *view, const struct party_facts *facts) {
  return view_words(view, rule_name(name_of(facts->state).rule), NULL, 0);
}

const char *party_why_words(const struct view *view, const struct party_facts *facts) {
  char *arguments[COLLEGA_ERROR_ARGUMENTS];
  if (facts->state != PARTY_REFUSED) return "";
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++)
    arguments[i] = (char *)(uintptr_t)facts->why.argument[i];
  return view_words(view, rule_name(facts->why.rule), arguments, COLLEGA_ERROR_ARGUMENTS);
}

json_t *document_party(const struct view *view, const struct party_facts *facts) {
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, facts->party);
  json_t *out = json_object();
  bool ok = out && json_put(out, "id", json_hex(facts->party->byte, ID_BYTES)) &&
            json_put(out, "name", json_string(facts->row->name)) &&
            json_put(out, "kvk", json_string(facts->row->kvk)) &&
            json_put(out, "fingerprint", json_string(fingerprint)) &&
            json_put(out, "host", json_boolean(facts->row->host)) &&
            json_put(out, "state", json_string(name_of(facts->state).name));
  if (ok && facts->state == PARTY_REFUSED)
    ok = json_put(out, "refused",
                  json_pack("{s:s, s:s}", "rule", rule_name(facts->why.rule), "words",
                            party_why_words(view, facts)));
  if (ok) return out;
  json_decref(out);
  return NULL;
}
