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
