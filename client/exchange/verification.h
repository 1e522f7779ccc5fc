/* What the chain's hashes do not say: that entries are what their kinds say, and that whoever is said to have signed
 * something did sign it. One pass over the entries, from the first to the last. */
#ifndef COLLEGA_CLIENT_VERIFICATION_H
#define COLLEGA_CLIENT_VERIFICATION_H
#include "client/exchange/inside.h"

struct verification;
struct verification *verification_new(void); /* NULL: out of memory */
/* The content of an entry by its kind, its shape judged, in the arena: any thread may read any entry. *out NULL: it is
 * not a message, or not there. */
enum collega_status verification_read(const struct ledger_event *event, struct arena *arena,
                                      ProtobufCMessage **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Judges the next entry with its content: its records, the cards in it; its signatures are judged by other threads
 * until verification_end. What was reduced is judged by its shape alone: nobody's signature fits the rest of
 * it. COLLEGA_INVALID and COLLEGA_FORGED name the field, within the payload. `read` (may be NULL): of a board, what was
 * read on the way, in the arena; otherwise its `board` is NULL. */
enum collega_status verification_take(struct verification *verification,
                                      const struct ledger_event *event,
                                      const ProtobufCMessage *content, struct arena *arena,
                                      struct board_read *read,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* After the last one: waits for the signatures. COLLEGA_DAMAGED entry_signature names the first entry with one that
 * does not stand. */
enum collega_status verification_end(struct verification *verification,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* How many signatures were judged. */
uint64_t verification_signatures(const struct verification *verification);
void verification_destroy(struct verification **verification);
#endif
