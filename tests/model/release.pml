/* RELEASE: the way out that needs no decider, racing with its decisions. The decider may also be gone for good.
 *
 *   d: P proposes one to Q; P offers one, so a freed hold is lent at once to another (x)
 *
 * A question with one answer: who asks keeps its hold; the other signs, and is released, or KEEPs. Both signatures
 * beat every DECISION, earlier or later, and are lodged with the decider if it lives.
 *
 * mutants: -DFREES    who asks for RELEASE frees its hold at once
 *          -DBOTH     what was KEPT may be signed later
 *          -DNOLODGE  the decider is not told
 *          -DOBEYS    a party that is released still takes a DECISION
 */
#define AT_proposer(i) sp
#define AT_acceptor(i) sa
#define AT_register(i) reg
#define AT_release(i) rel[i]
#define FULL(i) (rel[i]==RELEASE_SIGNED || rel[i]==RELEASE_DONE)
#define BLOCKS(i) (rel[i]==RELEASE_ASKED || FULL(i))
#define proposer_room(i) (!P_HOLDS(x))
#define proposer_unblocked(i) !BLOCKS(0)
#define acceptor_unblocked(i) !BLOCKS(1)
#ifndef OBEYS
#define proposer_full(i) FULL(0)
#define acceptor_full(i) FULL(1)
#endif
#define acceptor_root_open(i) !FULL(1)
#define proposer_makes_it(i) (reg==REGISTER_CONCLUDED)
#define acceptor_makes_it(i) (reg==REGISTER_CONCLUDED)
#define proposer_voids_it(i) (reg==REGISTER_VOID && !lodged)
#define acceptor_voids_it(i) (reg==REGISTER_VOID && !lodged)
#define release_something_signed(i) (i==0 -> P_SIGNED(sp) : A_SIGNED(sa))
#define release_signed_answer(i) (answer[1-i]==SIGNED)
#define release_known_epoch always
#define release_current always
#define release_releases(i) lodged
#define proposer_releases always
#define acceptor_releases always
#define register_accept_in_time(i) !late
#define register_late(i) late
#define SIGNED 1
#define KEEPS 2
#include "common.pml"
byte sp, sa, reg, rel[2], answer[2], x;
bit asked[2], acc, wish, late, lodged, dead, fin;

#ifdef FREES
#define holds (P_HOLDS(sp) && rel[0]!=RELEASE_ASKED)
#else
#define holds P_HOLDS(sp)
#endif
#define FREE(i) if :: i==0 && CAN_proposer_free(0) -> DO_proposer_free(0) :: i==1 && CAN_acceptor_free(0) -> DO_acceptor_free(0) :: else fi
#define SIDE(i) \
  :: atomic { !fin && CAN_release_ask(i) -> DO_release_ask(i); asked[i]=1; printf("@ side %d asks for RELEASE\n",i) } \
  :: atomic { asked[1-i] && CAN_release_hear(i) -> DO_release_hear(i) } \
  :: atomic { !fin && CAN_release_sign(i) -> DO_release_sign(i); answer[i]=SIGNED; FREE(i); printf("@ side %d signs\n",i) } \
  :: atomic { CAN_release_keep(i) -> DO_release_keep(i); answer[i]=KEEPS; printf("@ side %d KEEPs\n",i) } \
  :: atomic { asked[1-i] && CAN_release_cross(i) -> DO_release_cross(i); answer[i]=SIGNED; FREE(i); printf("@ side %d had asked too, signs\n",i) } \
  :: atomic { answer[1-i]==SIGNED && CAN_release_learn(i) -> DO_release_learn(i); FREE(i); printf("@ side %d learns that the other signed\n",i) } \
  :: atomic { answer[1-i]==KEEPS && CAN_release_learn_kept(i) -> DO_release_learn_kept(i); printf("@ side %d learns KEEP\n",i) } \
  :: atomic { !dead && CAN_release_decided(i) -> DO_release_decided(i); FREE(i); printf("@ side %d takes released\n",i) }

active proctype World() {
  do
  :: atomic { !fin && CAN_propose(0) -> DO_propose(0); printf("@ P proposes, holds\n") }
  :: atomic { sp!=PROPOSER_NONE && CAN_acceptor_receive(0) -> DO_acceptor_receive(0) }
  :: atomic { sp!=PROPOSER_NONE && CAN_acceptor_receive_free(0) -> DO_acceptor_receive_free(0) }
  :: atomic { !fin && CAN_accept(0) -> DO_accept(0); acc=1; printf("@ Q accepts, holds\n") }
  :: atomic { !fin && sp!=PROPOSER_NONE && !wish -> wish=1 }
  :: atomic { sp!=PROPOSER_NONE && !dead && !late -> late=1; printf("@ accept_by passes\n") }
  :: atomic { !dead && !lodged && acc && CAN_register_conclude(0) -> DO_register_conclude(0); printf("@ concluded\n") }
  :: atomic { !dead && CAN_register_lapse(0) && sp!=PROPOSER_NONE -> DO_register_lapse(0) }
  :: atomic { !dead && wish && CAN_register_decline(0) -> DO_register_decline(0); printf("@ void\n") }
  :: atomic { CAN_proposer_take_deal(0) -> DO_proposer_take_deal(0); printf("@ P takes concluded\n") }
  :: atomic { CAN_acceptor_take_deal(0) -> DO_acceptor_take_deal(0); printf("@ Q takes concluded\n") }
  :: atomic { CAN_proposer_take_void(0) -> DO_proposer_take_void(0); printf("@ P takes void\n") }
  :: atomic { CAN_acceptor_take_void(0) -> DO_acceptor_take_void(0); printf("@ Q takes void\n") }
  SIDE(0) SIDE(1)
#ifdef BOTH
  :: atomic { !fin && rel[1]==RELEASE_KEPT -> rel[1]=RELEASE_SIGNED; answer[1]=SIGNED; FREE(1); printf("@ MUTANT Q signs what it KEPT\n") }
#endif
#ifdef OBEYS
  :: atomic { sp==PROPOSER_RELEASED && reg==REGISTER_CONCLUDED -> sp=PROPOSER_CONCLUDED; printf("@ MUTANT P obeys a DECISION\n") }
#endif
#ifndef NOLODGE
  :: atomic { !dead && (FULL(0) || FULL(1)) && !lodged -> lodged=1; if :: reg==REGISTER_NONE -> reg=REGISTER_VOID :: else fi; printf("@ the RELEASE is lodged\n") }
#endif
  :: atomic { !fin && !dead -> dead=1; printf("@ the decider is gone for good\n") }
  :: atomic { !fin && x==PROPOSER_NONE && !holds -> x=PROPOSER_PROPOSED; printf("@ x: P signs\n") }
  :: atomic { x==PROPOSER_PROPOSED -> x=PROPOSER_CONCLUDED }
  :: atomic { x==PROPOSER_PROPOSED -> x=PROPOSER_VOID }
  :: atomic { !fin -> fin=1; printf("@ -- all who ever return are back --\n") }
  :: DIFFER(sp,sa) -> WRONG("@ INVARIANT 1\n")
  :: (sp==PROPOSER_RELEASED && sa==ACCEPTOR_CONCLUDED && rel[1]!=RELEASE_ASKED && !lodged) || \
     (sa==ACCEPTOR_RELEASED && sp==PROPOSER_CONCLUDED && rel[0]!=RELEASE_ASKED && !lodged) -> WRONG("@ INVARIANT 1: released at one, concluded at the other\n")
  :: UNFOUNDED(sp,sa,reg) && !FULL(0) && !FULL(1) -> WRONG("@ INVARIANT 2\n")
  :: P_HOLDS(sp) + P_HOLDS(x) > 1 -> WRONG("@ INVARIANT 3\n")
  COVERED(sp==PROPOSER_RELEASED && sa==ACCEPTOR_RELEASED && lodged && reg==REGISTER_CONCLUDED && x==PROPOSER_CONCLUDED)
  :: else -> if
     :: !dead && (FULL(0) || FULL(1)) && !lodged -> WRONG("@ FLAW: both are released, and the decider says concluded for ever\n")
     :: !dead && (P_OPEN(sp) || A_OPEN(sa)) -> WRONG("@ INVARIANT 5\n")
     :: rel[0]==RELEASE_ASKED || rel[1]==RELEASE_ASKED -> WRONG("@ INVARIANT 5: a RELEASE without an answer\n")
     :: (sp==PROPOSER_RELEASED && A_SIGNED(sa)) || (sa==ACCEPTOR_RELEASED && P_SIGNED(sp)) -> WRONG("@ INVARIANT 5: released at one only\n")
     :: else -> break
     fi
  od
}
