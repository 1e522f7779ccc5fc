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
  case PARTY_LAPSED:
    return (struct state_name){"lapsed", RULE_party_is_lapsed};
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
  return status == COLLEGA_OK ? party_standing(view->exchange, view->txn, party, view->now,
                                               view->arena, &out->standing, error)
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
  return view_words(view, rule_name(name_of(facts->standing.state).rule), NULL, 0);
}

static bool is_refused(const struct party_facts *facts) {
  return facts->standing.state == PARTY_REFUSED || facts->standing.renewal == RENEWAL_REFUSED;
}

const char *party_why_words(const struct view *view, const struct party_facts *facts) {
  char *arguments[COLLEGA_ERROR_ARGUMENTS];
  const struct collega_error *why = &facts->standing.why;
  if (!is_refused(facts)) return "";
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++)
    arguments[i] = (char *)(uintptr_t)why->argument[i];
  return view_words(view, rule_name(why->rule), arguments, COLLEGA_ERROR_ARGUMENTS);
}

const char *party_until_words(const struct view *view, const struct party_facts *facts) {
  char date[32] = "";
  if (facts->standing.valid_until)
    date_write(date, sizeof date, date_of_time(facts->standing.valid_until));
  return arena_text(view->arena, date);
}

static const char *renewal_name(enum party_renewal renewal) {
  switch (renewal) {
  case RENEWAL_NONE:
    break;
  case RENEWAL_DUE:
    return "due";
  case RENEWAL_WAITS:
    return "waits";
  case RENEWAL_REFUSED:
    return "refused";
  }
  return NULL;
}

json_t *document_party(const struct view *view, const struct party_facts *facts) {
  char fingerprint[FINGERPRINT_BYTES];
  const struct party_standing *standing = &facts->standing;
  const char *renewal = renewal_name(standing->renewal);
  fingerprint_write(fingerprint, facts->party);
  json_t *out = json_object();
  bool ok = out && json_put(out, "id", json_hex(facts->party->byte, ID_BYTES)) &&
            json_put(out, "name", json_string(facts->row->name)) &&
            json_put(out, "kvk", json_string(facts->row->kvk)) &&
            json_put(out, "fingerprint", json_string(fingerprint)) &&
            json_put(out, "host", json_boolean(facts->row->host)) &&
            json_put(out, "state", json_string(name_of(standing->state).name));
  if (ok && standing->valid_until)
    ok = json_put(out, "valid_until", json_time(standing->valid_until));
  if (ok && renewal) ok = json_put(out, "renewal", json_string(renewal));
  if (ok && is_refused(facts))
    ok = json_put(out, "refused",
                  json_pack("{s:s, s:s}", "rule", rule_name(standing->why.rule), "words",
                            party_why_words(view, facts)));
  if (ok) return out;
  json_decref(out);
  return NULL;
}
