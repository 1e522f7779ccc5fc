/* The parties that live in a home: what lists of them and the node's status tell. */
#ifndef COLLEGA_CLIENT_LIBRARY_PARTY_DOCUMENT_H
#define COLLEGA_CLIENT_LIBRARY_PARTY_DOCUMENT_H
#include "client/library/view.h"

struct party_facts {
  const struct id *party;
  const CollegaStore__OwnParty *row;
  enum party_state state;
  struct collega_error why; /* PARTY_REFUSED: the broker's reason */
  uint64_t due_us;          /* proposals that wait for its answer; node_facts_read fills it */
};
/* All of them, the host first; in the view's arena. */
enum collega_status parties_read(const struct view *view, struct party_facts **out, size_t *count,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Both in the view's language and arena: how it stands, and why it was refused (""). */
const char *party_state_words(const struct view *view, const struct party_facts *facts);
const char *party_why_words(const struct view *view, const struct party_facts *facts);
/* {"id","name","kvk","fingerprint","host","state"}, with "refused" {"rule","words"}. NULL: out of memory. */
json_t *document_party(const struct view *view, const struct party_facts *facts);
#endif
