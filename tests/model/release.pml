/* RELEASE ends a deal without the decider, which may be gone for good: a question with one answer.
 *
 *   d0: P proposes one to Q; P offers one, so that what it frees it lends to somebody else at once (x).
 *
 * Who asks keeps its hold and signs nothing else for the deal. The other answers once: it signs, and both are released,
 * or it KEEPs. A full RELEASE beats every decision and is lodged with the decider, if it lives.
 *
 * mutants: -DFREES     who asks frees its people at once
 *          -DTWO_ANSWERS  who said KEEP may sign later
 *          -DUNLODGED  the decider is not told
 */
#include "common.pml"
byte sp[1], sa[1], reg[1], rel[2], chain, x, rx;  /* rel: P's and Q's side of the question */
bit asked[2], fin, gone;
byte answer[2];                                   /* of P to Q's question, of Q to P's: 0 none, 1 signed, 2 KEEP */
#define SIGNED 1
#define KEEP   2
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) reg[i]
#define AT_release(i)  rel[i]
#define AT_chain(i)    chain
#define always(i) true
#define never(i) false
#ifdef FREES
#define heldP (P_HOLDS(sp[0]) && rel[0]!=RELEASE_ASKED)
#else
#define heldP P_HOLDS(sp[0])
#endif
#define heldX (x==PROPOSER_PROPOSED || x==PROPOSER_CONCLUDED)
#define BLOCKED(i) (rel[i]==RELEASE_ASKED || rel[i]==RELEASE_SIGNED || rel[i]==RELEASE_DONE)
#define proposer_room(i) (!heldX)
#define acceptor_room always
#define proposer_in_time always
#define acceptor_in_time always
#define proposer_welcomed always
#define acceptor_welcomed always
#define acceptor_fits always
#define acceptor_declined never
#define proposer_may_come always
#define acceptor_may_come always
#define acceptor_root_open always
#define proposer_unblocked(i) (!BLOCKED(0))
#define acceptor_unblocked(i) (!BLOCKED(1))
#define proposer_full(i) (rel[0]==RELEASE_SIGNED || rel[0]==RELEASE_DONE)
#define acceptor_full(i) (rel[1]==RELEASE_SIGNED || rel[1]==RELEASE_DONE)
#define proposer_known_epoch always
#define acceptor_known_epoch always
#define release_known_epoch always
#define proposer_current always
#define acceptor_current always
#define release_current always
#define proposer_makes_it(i) (reg[0]==REGISTER_CONCLUDED)
#define acceptor_makes_it proposer_makes_it
#define proposer_voids_it(i) (reg[0]==REGISTER_VOID)
#define acceptor_voids_it proposer_voids_it
#define proposer_releases(i) (chain==CHAIN_RELEASED)
#define acceptor_releases proposer_releases
#define release_releases proposer_releases
#define proposer_release_asked(i) (rel[0]==RELEASE_ASKED)
#define acceptor_release_asked(i) (rel[1]==RELEASE_ASKED)
#define proposer_release_asked_by_other(i) (asked[1])
#define acceptor_release_asked_by_other(i) (asked[0])
#define proposer_signed_answer(i) (answer[1]==SIGNED)
#define acceptor_signed_answer(i) (answer[0]==SIGNED)
#define release_signed_answer(i) (answer[1-i]==SIGNED)
#define release_something_signed(i) (i==0 -> P_SIGNED(sp[0]) : A_SIGNED(sa[0]))
#define register_may_rule always
#define register_root_free always
#define register_amends never
#define register_accept_in_time always
#define register_late always
#define FULL (rel[0]==RELEASE_SIGNED || rel[0]==RELEASE_DONE || rel[1]==RELEASE_SIGNED || rel[1]==RELEASE_DONE)
#define register_lodged(i) FULL
#define chain_lodged(i) FULL

#define GO_P(row) if :: CAN_proposer_##row(0) -> DO_proposer_##row(0) :: else fi
#define GO_Q(row) if :: CAN_acceptor_##row(0) -> DO_acceptor_##row(0) :: else fi

active proctype World() {
  do
  :: atomic { !fin && CAN_proposer_draft(0) -> DO_proposer_draft(0); DO_proposer_sign(0); printf("@ P proposes\n") }
  :: atomic { sp[0]!=PROPOSER_NONE && CAN_acceptor_receive(0) -> DO_acceptor_receive(0) }
  :: atomic { sp[0]!=PROPOSER_NONE && CAN_acceptor_receive_free(0) -> DO_acceptor_receive_free(0) }
  :: atomic { !fin && CAN_acceptor_accept(0) -> DO_acceptor_accept(0); DO_acceptor_accept_sign(0); printf("@ Q accepts\n") }
  :: atomic { !gone && sa[0]==ACCEPTOR_PENDING && CAN_register_conclude(0) -> DO_register_conclude(0); DO_chain_conclude(0); printf("@ concluded\n") }
  :: atomic { !gone && sp[0]!=PROPOSER_NONE && CAN_register_lapse(0) -> DO_register_lapse(0); printf("@ void\n") }
  :: atomic { !fin && !gone -> gone=1; printf("@ the decider is gone for good\n") }
  :: atomic { CAN_proposer_take_deal(0) -> DO_proposer_take_deal(0); printf("@ P takes concluded\n") }
  :: atomic { CAN_acceptor_take_deal(0) -> DO_acceptor_take_deal(0); printf("@ Q takes concluded\n") }
  :: atomic { CAN_proposer_take_void(0) -> DO_proposer_take_void(0); printf("@ P takes void\n") }
  :: atomic { CAN_acceptor_take_void(0) -> DO_acceptor_take_void(0); printf("@ Q takes void\n") }
  /* the question, by either side */
  :: atomic { !fin && CAN_release_ask(0) -> DO_release_ask(0); asked[0]=1; printf("@ P asks for RELEASE\n") }
  :: atomic { !fin && CAN_release_ask(1) -> DO_release_ask(1); asked[1]=1; printf("@ Q asks for RELEASE\n") }
  :: atomic { asked[1] && CAN_release_cross(0) -> GO_P(free_cross); DO_release_cross(0); answer[0]=SIGNED; printf("@ P, asking too: released\n") }
  :: atomic { asked[0] && CAN_release_cross(1) -> GO_Q(free_cross); DO_release_cross(1); answer[1]=SIGNED; printf("@ Q, asking too: released\n") }
  :: atomic { asked[1] && CAN_release_hear(0) -> DO_release_hear(0) }
  :: atomic { asked[0] && CAN_release_hear(1) -> DO_release_hear(1) }
  :: atomic { !fin && CAN_release_sign(0) -> GO_P(free_sign); DO_release_sign(0); answer[0]=SIGNED; printf("@ P signs Q's RELEASE\n") }
  :: atomic { !fin && CAN_release_sign(1) -> GO_Q(free_sign); DO_release_sign(1); answer[1]=SIGNED; printf("@ Q signs P's RELEASE\n") }
  :: atomic { CAN_release_keep(0) -> DO_release_keep(0); answer[0]=KEEP; printf("@ P KEEPs\n") }
  :: atomic { CAN_release_keep(1) -> DO_release_keep(1); answer[1]=KEEP; printf("@ Q KEEPs\n") }
#ifdef TWO_ANSWERS
  :: atomic { !fin && rel[1]==RELEASE_KEPT -> GO_Q(free_sign); rel[1]=RELEASE_SIGNED; answer[1]=SIGNED; printf("@ MUTANT Q signs after KEEP\n") }
#endif
  :: atomic { answer[1]==SIGNED && CAN_release_learn(0) -> GO_P(free_answer); DO_release_learn(0); printf("@ P learns that Q signed\n") }
  :: atomic { answer[0]==SIGNED && CAN_release_learn(1) -> GO_Q(free_answer); DO_release_learn(1); printf("@ Q learns that P signed\n") }
  :: atomic { answer[1]==KEEP && CAN_release_learn_kept(0) -> DO_release_learn_kept(0) }
  :: atomic { answer[0]==KEEP && CAN_release_learn_kept(1) -> DO_release_learn_kept(1) }
  /* lodged, and the decider says so */
#ifndef UNLODGED
  :: atomic { !gone && sp[0]!=PROPOSER_NONE && CAN_register_release(0) -> DO_register_release(0); printf("@ lodged: void\n") }
  :: atomic { !gone && CAN_chain_release(0) -> DO_chain_release(0); printf("@ lodged: released\n") }
#endif
  :: atomic { !gone && CAN_release_decided(0) -> GO_P(free); DO_release_decided(0); printf("@ P is told released\n") }
  :: atomic { !gone && CAN_release_decided(1) -> GO_Q(free); DO_release_decided(1); printf("@ Q is told released\n") }
  /* somebody else */
  :: atomic { !fin && x==PROPOSER_NONE && !heldP -> x=PROPOSER_PROPOSED; printf("@ x: P lends to another\n") }
  :: atomic { x==PROPOSER_PROPOSED && rx==REGISTER_NONE -> rx=REGISTER_CONCLUDED }
  :: atomic { x==PROPOSER_PROPOSED && rx==REGISTER_NONE -> rx=REGISTER_VOID }
  :: atomic { x==PROPOSER_PROPOSED && rx==REGISTER_CONCLUDED -> x=PROPOSER_CONCLUDED }
  :: atomic { x==PROPOSER_PROPOSED && rx==REGISTER_VOID -> x=PROPOSER_VOID }
  :: atomic { !fin -> fin=1; printf("@ -- all who return are back --\n") }
  :: DIFFER(sp[0],sa[0]) -> WRONG("@ INVARIANT 1\n")
  :: (sp[0]==PROPOSER_RELEASED && sa[0]==ACCEPTOR_CONCLUDED && rel[1]!=RELEASE_ASKED) || \
     (sa[0]==ACCEPTOR_RELEASED && sp[0]==PROPOSER_CONCLUDED && rel[0]!=RELEASE_ASKED) -> WRONG("@ INVARIANT 1 (released at one, concluded at the other)\n")
  :: (sp[0]==PROPOSER_CONCLUDED || sa[0]==ACCEPTOR_CONCLUDED) && reg[0]!=REGISTER_CONCLUDED -> WRONG("@ INVARIANT 2\n")
  :: (P_HOLDS(sp[0]) && heldX) || (rx==REGISTER_CONCLUDED && chain==CHAIN_CONCLUDED && !FULL) -> WRONG("@ INVARIANT 3\n")
  COVERED(sp[0]==PROPOSER_RELEASED && sa[0]==ACCEPTOR_RELEASED && chain==CHAIN_RELEASED && x==PROPOSER_CONCLUDED)
  :: else -> if
     :: !gone && FULL && chain==CHAIN_CONCLUDED -> WRONG("@ INVARIANT 5 (the decider says concluded for ever)\n")
     :: !gone && (P_OPEN(sp[0]) || A_OPEN(sa[0])) -> WRONG("@ INVARIANT 5\n")
     :: rel[0]==RELEASE_ASKED || rel[1]==RELEASE_ASKED -> WRONG("@ INVARIANT 5 (a question without an answer)\n")
     :: else -> break
     fi
  od
}
