/* The parties that live in a home: what lists of them and the node's status tell. */
#ifndef COLLEGA_CLIENT_LIBRARY_PARTY_DOCUMENT_H
#define COLLEGA_CLIENT_LIBRARY_PARTY_DOCUMENT_H
#include "client/library/view.h"

struct party_facts {
  const struct id *party;
  const CollegaStore__OwnParty *row;
  struct party_standing standing;
  uint64_t due_us; /* proposals that wait for its answer; node_facts_read fills it */
};
/* All of them, the host first; in the view's arena. */
enum collega_status parties_read(const struct view *view, struct party_facts **out, size_t *count,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* In the view's language and arena: how it stands, why it or its renewal was refused (""), and the last day of its
 * certificate (""). */
const char *party_state_words(const struct view *view, const struct party_facts *facts);
const char *party_why_words(const struct view *view, const struct party_facts *facts);
const char *party_until_words(const struct view *view, const struct party_facts *facts);
/* {"id","name","kvk","fingerprint","host","state"}, with "valid_until", "renewal" ("due", "waits" or "refused") and
 * "refused" {"rule","words"} where they say something. NULL: out of memory. */
json_t *document_party(const struct view *view, const struct party_facts *facts);
#endif
