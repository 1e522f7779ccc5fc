/* A look at a home: what the command line, the public library and the pages share when they read the ledger and tell
 * of it in JSON. A view borrows everything it names; it is made for one call, or for one command. */
#ifndef COLLEGA_CLIENT_LIBRARY_VIEW_H
#define COLLEGA_CLIENT_LIBRARY_VIEW_H
#include <jansson.h>
#include "base/words.h"
#include "client/exchange/exchange.h"

struct view {
  struct exchange *exchange;
  struct ledger_txn *txn; /* a read transaction */
  struct arena *arena;    /* what functions give out lives in it */
  enum language language; /* of the sentences in documents */
  struct id party;        /* who asks */
  collega_time now;
};

/* ---- whose (acting.c). Parties of one home share a ledger, and its table of offers. */
/* A party of this home: its KvK number, or the beginning of its id (four digits at least) or of its name.
 * COLLEGA_NOT_FOUND party_not_here, COLLEGA_REFUSED party_ambiguous. */
enum collega_status view_party(const struct view *view, const char *typed, struct id *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status view_own_party(const struct view *view, const struct id *party,
                                   CollegaStore__OwnParty **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* `status` of a look-up of a deal, match or talk. Not found, but another party of this home has one of that id: says
 * whose it is (COLLEGA_REFUSED of_other_party). */
enum collega_status view_elsewhere(const struct view *view, const char *typed,
                                   enum collega_status status,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* An offer that this party may not see: of_other_party where its author lives here, else id_unknown. */
enum collega_status view_check_seen(const struct view *view, const char *typed,
                                    const struct short_id *offer,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* Refuses an offer of another party of this home, and says whose it is. */
enum collega_status view_own_offer(const struct view *view, const struct short_id *offer,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Its own offers, and those that it is in the audience of. */
bool view_may_see(const struct view *view, const CollegaStore__OfferRow *row,
                  const Collega__Offer *offer);
bool view_wrote(const struct view *view, const CollegaStore__OfferRow *row);

/* ---- ids as typed, any unambiguous prefix. COLLEGA_NOT_FOUND id_unknown, COLLEGA_REFUSED id_ambiguous,
 * COLLEGA_INVALID id_malformed. */
enum collega_status view_offer_id(const struct view *view, const char *typed, struct short_id *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status view_match_id(const struct view *view, const char *typed, struct id *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status view_deal_id(const struct view *view, const char *typed, struct id *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* The talk that a deal, a match, or a talk's own id (it may outlive its match) leads to. */
enum collega_status view_thread_id(const struct view *view, const char *typed, struct id *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* One of the party's own mandates. */
enum collega_status view_mandate_id(const struct view *view, const char *typed, struct id *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- rows, in the arena. COLLEGA_NOT_FOUND: id_unknown */
enum collega_status view_offer(const struct view *view, const struct short_id *id,
                               CollegaStore__OfferRow **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status view_match(const struct view *view, const struct id *id,
                               CollegaStore__MatchRow **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status view_deal(const struct view *view, const struct id *id,
                              CollegaStore__DealRow **out,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* The deal's terms; *out NULL: none are kept. */
enum collega_status view_terms(const struct view *view, const CollegaStore__DealRow *row,
                               Collega__Terms **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* The body of the deal's header; NULL: damaged. */
const Collega__DealHeader *view_header(const struct view *view, const CollegaStore__DealRow *row);

/* ---- lists */
enum view_offers {
  VIEW_OFFERS_OPEN, /* ours in any state, others' while they are open */
  VIEW_OFFERS_MINE,
  VIEW_OFFERS_ALL
};
struct offer_rows {
  CollegaStore__OfferRow **row; /* newest first */
  size_t count, capacity;
};
enum collega_status view_offers(const struct view *view, enum view_offers which,
                                struct offer_rows *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
struct match_rows {
  CollegaStore__MatchRow **row; /* best first; both offers are open */
  size_t count, capacity;
};
/* `offer` NULL: of all our offers. */
enum collega_status view_matches(const struct view *view, const struct short_id *offer,
                                 struct match_rows *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* With the daemon down nobody looks for matches: looks for them here, so that a list is as fresh as the ledger. No
 * transaction of this thread may be open. */
enum collega_status view_match_here(struct ledger *ledger, collega_time now,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
struct deal_rows {
  CollegaStore__DealRow **row; /* newest first */
  size_t count, capacity;
};
enum collega_status view_deals(const struct view *view, struct deal_rows *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- words */
/* A row's words (a rule's name and its arguments) as a sentence, in the arena; an unknown rule as it stands. */
const char *view_words(const struct view *view, const char *rule, char *const *arguments,
                       size_t count);
const char *view_hex(const struct view *view, const uint8_t *data, size_t bytes);
/* The party's name, or "": not known here. */
const char *view_party_name(const struct view *view, const struct id *party);
/* offer_state_text by the view's time, or "refused". */
const char *view_offer_state(const struct view *view, const CollegaStore__OfferRow *row,
                             const Collega__Offer *offer);
/* "suggested", "interested", "answered", "declined", "lapsed". */
const char *view_match_state(const struct view *view, const CollegaStore__MatchRow *row);

/* An array in the arena with room for one more: `items` itself, or a copy twice as large. NULL: out of memory. */
void *array_grow(struct arena *arena, const void *items, size_t count, size_t *capacity,
                 size_t item_bytes);
/* Is this section of the terms ("persons") gone? Only erasing hides sections in our own ledger. */
bool view_section_erased(const struct view *view, const CollegaStore__DealRow *row,
                         const char *section);
#endif
