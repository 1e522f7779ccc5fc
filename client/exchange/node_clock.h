/* The node's idea of time: the machine's clock, set right by what the broker says in Welcome.
 *
 * Deadlines are judged by the broker's clock, and signatures carry times that others hold against receipts: a node
 * whose machine is hours off would otherwise find deals lapsed that are open, and sign at times that nobody believes.
 * The correction stands in HOME/clock, for every process of the home. It belongs to the machine's clock as it ran
 * when it was measured: once somebody sets that clock, or the machine starts again, it is void until the next Welcome.
 *
 * What a broker can do with it is limited: a correction is at most CLOCKS_APART_MS, always counted from the machine's
 * own clock, never from an earlier correction. Who differs more is not followed and gets nothing signed: one of the two
 * clocks is wrong, and it takes a person to say which. */
#ifndef COLLEGA_CLIENT_NODE_CLOCK_H
#define COLLEGA_CLIENT_NODE_CLOCK_H
#include "base/clock.h"
#include "base/error.h"

struct node_clock {
  int64_t difference;   /* broker's clock minus the machine's, milliseconds, as measured last */
  collega_time started; /* clock_started() then */
  bool measured;        /* and the machine's clock has not been set since */
};

/* What HOME/clock says; nothing measured where it is missing, unreadable or void. */
void node_clock_read(const char *home, struct node_clock *out);
/* Measured and more than CLOCKS_APART_MS apart. */
bool node_clock_wrong(const struct node_clock *clock);
/* Measured, not wrong, and the machine's clock has not been set since: what cannot be undone may be done by it. */
bool node_clock_sure(const struct node_clock *clock);
/* The time by which this node judges and signs; the machine's own where nothing is measured, or far too much. */
collega_time node_clock_time(const struct node_clock *clock);
/* The same from HOME/clock: for who does not keep one. */
collega_time node_clock_now(const char *home);
/* The latest moment that has surely come at `now`: what begins at once begins then. Before a Welcome has set the clock
 * right that is CLOCKS_APART_MS ago. home NULL: there is none yet. */
collega_time node_clock_begin(const char *home, collega_time now);
/* The machine's clock was set since it was measured. */
bool node_clock_was_set(const struct node_clock *clock);

/* The broker said `told` at some moment between `asked` and `came`, both by clock_now(): the smallest difference that
 * explains this, 0 where none is needed. */
void node_clock_measure(struct node_clock *clock, collega_time asked, collega_time came,
                        collega_time told);
enum collega_status node_clock_write(const char *home, const struct node_clock *clock,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* May something be signed at `now`? COLLEGA_REFUSED: clock_lost, before CLOCK_EARLIEST; clock_wrong, the broker's and
 * the machine's clock are too far apart. home NULL: there is none yet. */
enum collega_status node_clock_check(const char *home, collega_time now,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
