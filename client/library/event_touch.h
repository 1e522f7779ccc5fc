/* Inside the room: what an entry is about, in the order in which it is told. */
#ifndef COLLEGA_CLIENT_LIBRARY_EVENT_TOUCH_H
#define COLLEGA_CLIENT_LIBRARY_EVENT_TOUCH_H
#include "client/library/view.h"

enum touch_kind {
  TOUCH_OFFER,
  TOUCH_DEAL,
  TOUCH_TALK,
  TOUCH_REFUSED, /* something of ours that is no offer */
  TOUCH_UNREADABLE,
  TOUCH_JOINED,
  TOUCH_BOARD_RESET
};
struct touch {
  enum touch_kind kind;
  const char *what; /* offers: "content", "state", "receipted", "refused", "gone" */
  struct id id;     /* deal, thread */
  struct short_id offer;
  struct talk_line line;  /* talk */
  struct id counterparty; /* talk */
  const char *rule;       /* refused, unreadable */
  char *const *arguments; /* of the rule */
  size_t argument_count;
  bool has_deal; /* refused: `id` is the deal it belongs to */
};
struct touches {
  struct touch *list; /* in the view's arena */
  size_t count, capacity;
  bool failed; /* out of memory */
};
/* An erased or unknown entry touches nothing. */
void touches_of(const struct view *view, const struct ledger_event *event, struct touches *out);
#endif
