/* The plain deal: P offers two people; three deals that compete, one decider.
 *
 *   d0: P proposes two to Q      d1: R proposes one to P      d2: P proposes one to S
 *
 * Drafts and signatures are steps of their own, so that a crash may fall between them. The decider rules in
 * memory (mem), then writes it down (reg), then answers; a crash forgets what is in memory alone. Its clock may
 * be stepped back. The parties' clocks are not in the model: they may show anything at any time.
 *
 * mutants: -DP_CLOCK  P frees what it proposed by its own clock        -DQ_CLOCK   Q frees what it accepted
 *          -DEARLY    the decider answers before it has written        -DUNHELD    an acceptance signed without room
 *          -DWITHDRAW_FREES  a WITHDRAW taken for a fact               -DTWICE     a ruling may be made again
 */
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) mem[i]
#define proposer_room(i) (i==1 || used - (P_HOLDS(sp[i]) -> n(i) : 0) + n(i) <= 2)
#ifndef UNHELD
#define acceptor_room(i) (i!=1 || used - A_HOLDS(sa[1]) + 1 <= 2)
#endif
#define proposer_makes_it(i) saidC[i]
#define acceptor_makes_it(i) saidC[i]
#define proposer_voids_it(i) saidV[i]
#define acceptor_voids_it(i) saidV[i]
#include "common.pml"
byte sp[3], sa[3], mem[3], reg[3];
bit hdr[3], acc[3], wish[3], late[3], saidC[3], saidV[3], fin;
#define n(i) (i==0 -> 2 : 1)
#define used (2*P_HOLDS(sp[0]) + A_HOLDS(sa[1]) + P_HOLDS(sp[2]))
#ifdef EARLY
#define KNOWS(i,v) (reg[i]==v || mem[i]==v)
#else
#define KNOWS(i,v) (reg[i]==v)
#endif

/* wish: a WITHDRAW or DECLINE was sent; asking past accept_by is free and comes by itself in the end */
#define DEAL(i) \
  :: atomic { !fin && CAN_proposer_draft(i) -> DO_proposer_draft(i); printf("@ d%d: drafted, held\n",i) } \
  :: atomic { CAN_proposer_sign(i) -> DO_proposer_sign(i); hdr[i]=1; printf("@ d%d: signed\n",i) } \
  :: atomic { !fin && CAN_proposer_drop(i) -> DO_proposer_drop(i); printf("@ d%d: draft dropped\n",i) } \
  :: atomic { hdr[i] && CAN_acceptor_receive(i) -> DO_acceptor_receive(i); printf("@ d%d: received\n",i) } \
  :: atomic { !fin && CAN_acceptor_accept(i) -> DO_acceptor_accept(i); printf("@ d%d: acceptance drafted, held\n",i) } \
  :: atomic { CAN_acceptor_accept_sign(i) -> DO_acceptor_accept_sign(i); acc[i]=1; printf("@ d%d: acceptance signed\n",i) } \
  :: atomic { !fin && CAN_acceptor_unaccept(i) -> DO_acceptor_unaccept(i); printf("@ d%d: acceptance dropped\n",i) } \
  :: atomic { !fin && hdr[i] && !wish[i] -> wish[i]=1; FREES(i); printf("@ d%d: WITHDRAW or DECLINE sent\n",i) } \
  :: atomic { hdr[i] && !late[i] -> late[i]=1; printf("@ d%d: the decider's clock passes accept_by\n",i) } \
  :: atomic { !fin && late[i] && mem[i]==REGISTER_NONE -> late[i]=0; printf("@ d%d: the decider's clock is stepped back\n",i) } \
  :: atomic { acc[i] && CAN_register_conclude(i) -> DO_register_conclude(i); printf("@ d%d: concluded, in memory\n",i) } \
  :: atomic { hdr[i] && CAN_register_lapse(i) -> DO_register_lapse(i); printf("@ d%d: lapsed, in memory\n",i) } \
  :: atomic { wish[i] && CAN_register_decline(i) -> DO_register_decline(i); printf("@ d%d: void, in memory\n",i) } \
  :: atomic { mem[i]!=reg[i] -> reg[i]=mem[i]; printf("@ d%d: the decider has written it\n",i) } \
  :: atomic { !fin && mem[i]!=reg[i] -> mem[i]=reg[i]; printf("@ d%d: the decider crashes before it has\n",i) } \
  :: atomic { KNOWS(i,REGISTER_CONCLUDED) && !saidC[i] -> saidC[i]=1 } \
  :: atomic { KNOWS(i,REGISTER_VOID) && !saidV[i] -> saidV[i]=1 } \
  :: atomic { CAN_proposer_take_deal(i) -> DO_proposer_take_deal(i); printf("@ d%d: proposer takes concluded\n",i) } \
  :: atomic { CAN_acceptor_take_deal(i) -> DO_acceptor_take_deal(i); printf("@ d%d: acceptor takes concluded\n",i) } \
  :: atomic { CAN_proposer_take_void(i) -> DO_proposer_take_void(i); printf("@ d%d: proposer takes void\n",i) } \
  :: atomic { CAN_acceptor_take_void(i) -> DO_acceptor_take_void(i); printf("@ d%d: acceptor takes void\n",i) }
#ifdef WITHDRAW_FREES
#define FREES(i) if :: sp[i]==PROPOSER_PROPOSED -> sp[i]=PROPOSER_VOID :: else fi
#else
#define FREES(i) skip
#endif

active proctype World() {
  do
  DEAL(0) DEAL(1) DEAL(2)
#ifdef P_CLOCK
  :: atomic { sp[0]==PROPOSER_PROPOSED -> sp[0]=PROPOSER_VOID; printf("@ d0: MUTANT P frees by its own clock\n") }
#endif
#ifdef Q_CLOCK
  :: atomic { sa[0]==ACCEPTOR_PENDING -> sa[0]=ACCEPTOR_VOID; printf("@ d0: MUTANT Q frees by its own clock\n") }
#endif
#ifdef TWICE
  :: atomic { !fin && mem[0]==REGISTER_VOID -> mem[0]=REGISTER_NONE; reg[0]=REGISTER_NONE }
#endif
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: DIFFER(sp[0],sa[0]) || DIFFER(sp[1],sa[1]) || DIFFER(sp[2],sa[2]) -> WRONG("@ INVARIANT 1\n")
  :: UNFOUNDED(sp[0],sa[0],reg[0]) || UNFOUNDED(sp[1],sa[1],reg[1]) || UNFOUNDED(sp[2],sa[2],reg[2]) -> WRONG("@ INVARIANT 2\n")
  :: used > 2 || 2*(reg[0]==REGISTER_CONCLUDED) + (reg[1]==REGISTER_CONCLUDED) + (reg[2]==REGISTER_CONCLUDED) > 2 -> WRONG("@ INVARIANT 3\n")
  :: (saidC[0] && saidV[0]) || (saidC[1] && saidV[1]) || (saidC[2] && saidV[2]) -> WRONG("@ INVARIANT 4\n")
  COVERED(sp[0]==PROPOSER_VOID && sa[0]==ACCEPTOR_VOID && sa[1]==ACCEPTOR_CONCLUDED && sp[1]==PROPOSER_CONCLUDED && sp[2]==PROPOSER_CONCLUDED)
  :: else -> if
     :: P_OPEN(sp[0]) || P_OPEN(sp[1]) || P_OPEN(sp[2]) || A_OPEN(sa[0]) || A_OPEN(sa[1]) || A_OPEN(sa[2]) -> WRONG("@ INVARIANT 5\n")
     :: else -> break
     fi
  od
}
