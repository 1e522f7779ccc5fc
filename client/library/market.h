/* Market figures of a home's board: what is offered and asked, where, in which sector and occupation, which skills are
 * wanted, what is short where, how soon offers match and how many are filled.
 *
 * Figures are of offers that the party may see. None is told of fewer than MARKET_EMPLOYERS employers: it is null, and
 * what it holds goes into the row of the others, with further rows, the smallest first, until that row too holds
 * enough; so that no figure comes out as the difference of a total and its parts. Nobody at all (0 people) is told.
 *
 *   open      people, offers and employers of the open offers, lent out and asked
 *   regions, sectors (two digits of SBI), occupations (ISCO unit groups)    the same of each
 *   skills    people for whom a skill is asked, in open offers
 *   short     regions and occupations in which more people are asked than offered, the most first
 *   matching  of all offers, open or not, that came with a receipt: how many have, or had, a counter-offer that fits
 *             them, and the median of the hours from their receipt to that of the first such counter-offer (0: it was
 *             there); on boards beyond PLAN_BRUTE_PAIRS as far as it is among the best PLAN_NEIGHBOURS of a
 *             request
 *   filled    of the offers that are closed (filled, withdrawn, expired) how many were filled */
#ifndef COLLEGA_CLIENT_LIBRARY_MARKET_H
#define COLLEGA_CLIENT_LIBRARY_MARKET_H
#include "client/library/document.h"

#define MARKET_EMPLOYERS 3u
#define MARKET_UNKNOWN   "unknown" /* the key of what names no region, or no sector */
#define MARKET_OTHERS                                                                              \
  "others" /* key and name of the group of what is too small to be told by itself */
#define MARKET_LIST_MOST 50u /* skills, shortages */

/* A document, a new reference. */
enum collega_status market_make(const struct view *view, json_t **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* One line of a table. Numbers: JSON integers and reals, of `value` hours, a share or people; NULL or null:
 * hidden, or the table has none. */
struct market_row {
  const char *table, *key,
      *name;  /* "open", "regions", ...; key and name: "" where there is only one row */
  bool asked; /* else offered */
  const json_t *people, *offers, *employers, *value;
};
typedef void (*market_told)(void *context, const struct market_row *row);
/* Tells every row of a market's document, in the order of CSV; a row and its texts last as long as its call. */
void market_rows(const json_t *market, market_told told, void *context);
/* The same as CSV: table,key,name,side,people,offers,employers,value. What is null is empty. */
void market_csv(const json_t *market, struct buffer *out);
#endif
