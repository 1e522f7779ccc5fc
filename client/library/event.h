/* Events: what an entry of the ledger's chain means to somebody outside, and the matches that were found.
 *
 * An entry may be many events (a frame of the board), one, or none. They are told with the document as it is when it is
 * told, not as it was: an event that comes twice, or late, says nothing that is wrong by now. Matches are not in the
 * chain; they are told by the number under which they were found, after the entries that are there. */
#ifndef COLLEGA_CLIENT_LIBRARY_EVENT_H
#define COLLEGA_CLIENT_LIBRARY_EVENT_H
#include "client/library/view.h"

/* How far somebody has come: all events of the entries up to `entry`, `within` of the next one, all matches up to the
 * number `matches`. */
struct event_place {
  uint64_t entry;
  uint32_t within;
  uint64_t matches;
};
#define EVENT_ID_BYTES 64
/* "12.3.57", as events are named to the outside, and back. */
void event_place_write(char out[EVENT_ID_BYTES], const struct event_place *place);
bool event_place_read(const char *text, struct event_place *out);
/* False when `one` lies after `other`, or beside it. */
bool event_place_reached(const struct event_place *one, const struct event_place *other);

struct event {
  struct event_place after; /* once it is dealt with */
  json_t *document;
};
/* The next events after *place, at most `most`; *place moves past them and past what is no event. Documents are new
 * references, the caller's also on failure. */
enum collega_status events_read(const struct view *view, struct event_place *place,
                                struct event *out, size_t most, size_t *count,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- consumers: places under a name, in the ledger */
bool consumer_name_fits(const char *name);
/* COLLEGA_NOT_FOUND, no words: nobody has followed under that name yet. */
enum collega_status consumer_place(const struct view *view, const char *name,
                                   struct event_place *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Where all that is there now is behind. */
enum collega_status event_place_now(const struct view *view, struct event_place *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* Stores the place; `forward`: unless the stored one is further. Its own write transaction: no other may be open in
 * this thread. */
enum collega_status consumer_move(const struct view *view, const char *name,
                                  const struct event_place *place, bool forward,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
