/* What the models share. A model is one process that takes steps in any order; a step is one durable
 * transaction, so a crash between steps is only the order in which they come. The network is a soup: a message
 * that was sent may arrive at any time, again, late, out of order or never.
 *
 * fin: from here on all are back and connected: no new wishes, nothing breaks, what must be done is done. The
 * run ends when no step is left, and there invariant 5 is asserted.
 *
 * The states, CAN_object_name(x) and DO_object_name(x) are made from transitions.txt by generate.py. A model says
 * where the state is (AT_object) and what each guard means for it (object_guard). */
#include "transitions.pml"

/* Guards that a model leaves alone. A party's clock may show anything at any time, so "in time" by it forbids
 * nothing; the others are about what the model does not have. A model that turns one defines it first. */
#define always(x) true
#define never(x) false
#ifndef proposer_room
#define proposer_room always
#endif
#ifndef acceptor_room
#define acceptor_room always
#endif
#ifndef proposer_may_come
#define proposer_may_come always
#endif
#ifndef acceptor_may_come
#define acceptor_may_come always
#endif
#ifndef proposer_unblocked
#define proposer_unblocked always
#endif
#ifndef acceptor_unblocked
#define acceptor_unblocked always
#endif
#ifndef proposer_welcomed
#define proposer_welcomed always
#endif
#ifndef acceptor_welcomed
#define acceptor_welcomed always
#endif
#ifndef acceptor_root_open
#define acceptor_root_open always
#endif
#ifndef proposer_full
#define proposer_full never
#endif
#ifndef acceptor_full
#define acceptor_full never
#endif
#ifndef proposer_current
#define proposer_current always
#endif
#ifndef acceptor_current
#define acceptor_current always
#endif
#ifndef register_may_rule
#define register_may_rule always
#endif
#ifndef register_root_free
#define register_root_free always
#endif
#ifndef register_amends
#define register_amends never
#endif
#ifndef register_accept_in_time
#define register_accept_in_time(x) !late[x]
#endif
#ifndef register_late
#define register_late(x) late[x]
#endif
#define proposer_in_time always
#define acceptor_in_time always
#define proposer_known_epoch always
#define acceptor_known_epoch always
#define acceptor_fits always
#define acceptor_declined never

/* Where a draft is not worth a step of its own: drafted and signed at once. */
#define CAN_propose(x) (CAN_proposer_draft(x))
#define DO_propose(x)  DO_proposer_draft(x); DO_proposer_sign(x)
#define CAN_accept(x)  (CAN_acceptor_accept(x))
#define DO_accept(x)   DO_acceptor_accept(x); DO_acceptor_accept_sign(x)

#define WRONG(words) printf(words); assert(false)
#ifdef COVER
#define COVERED(condition) :: (condition) -> WRONG("@ COVERED\n")
#else
#define COVERED(condition)
#endif

#define P_OPEN(s)   (s==PROPOSER_DRAFT || s==PROPOSER_PROPOSED)
#define P_SIGNED(s) (s==PROPOSER_PROPOSED || s==PROPOSER_CONCLUDED)
#define P_HOLDS(s)  (P_OPEN(s) || s==PROPOSER_CONCLUDED)
#define A_OPEN(s)   (s==ACCEPTOR_RECEIVED || s==ACCEPTOR_ACCEPTING || s==ACCEPTOR_PENDING)
#define A_SIGNED(s) (s==ACCEPTOR_PENDING || s==ACCEPTOR_CONCLUDED)
#define A_HOLDS(s)  (s==ACCEPTOR_ACCEPTING || A_SIGNED(s))
#define MAX(a,b)    ((a)>(b) -> (a) : (b))

/* Invariants 1 and 2 for a deal with states p (proposer), a (acceptor) and r (register). */
#define DIFFER(p,a)    ((p==PROPOSER_CONCLUDED && a==ACCEPTOR_VOID) || (p==PROPOSER_VOID && a==ACCEPTOR_CONCLUDED))
#define UNFOUNDED(p,a,r) (((p==PROPOSER_CONCLUDED || a==ACCEPTOR_CONCLUDED) && !(r==REGISTER_CONCLUDED || r==REGISTER_AMENDED)) || \
                          ((p==PROPOSER_VOID || a==ACCEPTOR_VOID) && (r==REGISTER_CONCLUDED || r==REGISTER_AMENDED)))
