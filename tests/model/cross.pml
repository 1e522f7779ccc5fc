/* Crossing proposals: P and Q propose to each other at once, on the same pair of offers.
 *
 *   d0: P proposes one to Q      d1: Q proposes one to P      each has room for ROOMS (1)
 *
 * Both are willing: they sign as soon as their ledger lets them, and nobody withdraws. When nothing is left to
 * do, there must be one agreement; then accept_by passes, and what is left must settle.
 *
 * mutants: -DTWOROOTS             the two have nothing to do with each other: with one room none comes about
 *          -DTWOROOTS -DROOMS=2   and with two there are two agreements where one was meant
 *          -DTIE                  a proposer who sees the other's proposal withdraws his own
 */
#ifndef ROOMS
#define ROOMS 1
#endif
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) reg[i]
/* P proposes d0 and may accept d1; Q the other way round: side i has sp[i] and sa[1-i] */
#ifdef TWOROOTS
#define held(i) (P_HOLDS(sp[i]) + A_HOLDS(sa[1-i]))
#define ROOM(i) (held(i) + 1 <= ROOMS)
#define AFFECTS false
#else
#define held(i) (P_HOLDS(sp[i]) || A_HOLDS(sa[1-i]))
#define ROOM(i) true
#define AFFECTS true
#endif
#define proposer_room(i) ROOM(i)
#define acceptor_room(i) ROOM((1-i))
#define proposer_may_come(i) (!AFFECTS || sa[1-i]!=ACCEPTOR_CONCLUDED)
#define acceptor_may_come(i) (!AFFECTS || sp[1-i]!=PROPOSER_CONCLUDED)
#define acceptor_root_open(i) acceptor_may_come(i)
#define proposer_makes_it(i) C(i)
#define acceptor_makes_it(i) C(i)
#define proposer_voids_it(i) (V(i) || (AFFECTS && C(1-i)))
#define acceptor_voids_it(i) (V(i) || (AFFECTS && C(1-i)))
#define C(i) (reg[i]==REGISTER_CONCLUDED)
#define V(i) (reg[i]==REGISTER_VOID)
#define hdr(i) (sp[i]!=PROPOSER_NONE)
#define register_root_free(i) (!AFFECTS || !C(1-i))
#define register_another always
#define register_accept_in_time(i) !late
#define register_late(i) late
#include "common.pml"
byte sp[2], sa[2], reg[2];
bit acc[2], gone[2], late;

#define DEAL(i) \
  :: atomic { !late && sa[1-i]==ACCEPTOR_NONE && CAN_propose(i) -> DO_propose(i); printf("@ d%d: proposed, held\n",i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive(i) -> DO_acceptor_receive(i); TIES(i); printf("@ d%d: received\n",i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive_late(i) -> DO_acceptor_receive_late(i) } \
  :: atomic { !late && CAN_accept(i) -> DO_accept(i); acc[i]=1; printf("@ d%d: accepted, held\n",i) } \
  :: atomic { acc[i] && CAN_register_conclude(i) -> DO_register_conclude(i); \
       if :: AFFECTS && hdr(1-i) && reg[1-i]==REGISTER_NONE -> DO_register_sweep((1-i)) :: else fi; printf("@ d%d: concluded\n",i) } \
  :: atomic { hdr(i) && CAN_register_lapse(i) -> DO_register_lapse(i); printf("@ d%d: lapsed\n",i) } \
  :: atomic { gone[i] && CAN_register_decline(i) -> DO_register_decline(i); printf("@ d%d: withdrawn\n",i) } \
  :: atomic { CAN_proposer_take_deal(i) -> DO_proposer_take_deal(i); printf("@ d%d: proposer takes concluded\n",i) } \
  :: atomic { CAN_acceptor_take_deal(i) -> DO_acceptor_take_deal(i); printf("@ d%d: acceptor takes concluded\n",i) } \
  :: atomic { CAN_proposer_take_void(i) -> DO_proposer_take_void(i); printf("@ d%d: proposer takes void\n",i) } \
  :: atomic { CAN_acceptor_take_void(i) -> DO_acceptor_take_void(i); printf("@ d%d: acceptor takes void\n",i) }
#ifdef TIE
#define TIES(i) if :: sp[1-i]==PROPOSER_PROPOSED -> gone[1-i]=1 :: else fi
#else
#define TIES(i) skip
#endif

active proctype World() {
  do
  DEAL(0) DEAL(1)
  :: C(0) && C(1) -> WRONG("@ INVARIANT 6: two agreements where one was meant\n")
  :: DIFFER(sp[0],sa[0]) || DIFFER(sp[1],sa[1]) -> WRONG("@ INVARIANT 1\n")
  :: UNFOUNDED(sp[0],sa[0],reg[0]) || UNFOUNDED(sp[1],sa[1],reg[1]) -> WRONG("@ INVARIANT 2\n")
  :: held(0) > ROOMS || held(1) > ROOMS -> WRONG("@ INVARIANT 3\n")
  COVERED(hdr(0) && hdr(1) && acc[0] && acc[1] && sp[1]==PROPOSER_CONCLUDED && sp[0]==PROPOSER_VOID && sa[0]==ACCEPTOR_VOID)
  :: else -> if
     :: !late && !C(0) && !C(1) -> WRONG("@ FLAW: both are willing, and nothing comes about\n")
     :: !late && (C(0) || C(1)) -> late=1
     :: late && (P_OPEN(sp[0]) || P_OPEN(sp[1]) || A_OPEN(sa[0]) || A_OPEN(sa[1])) -> WRONG("@ INVARIANT 5\n")
     :: else -> break
     fi
  od
}
