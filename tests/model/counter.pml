/* Counter-proposals: one negotiation between P and Q, one register for its root, and a competitor.
 *
 *   P offers three. d0: P proposes two to Q      d1: Q counters with three (replaces d0)
 *   d2: Q counters d0 again, with one (a sibling of d1);  -DCHAIN: P counters d1 with one
 *   x:  P proposes two to R
 *
 * Each side holds the larger of what it has signed in the root, not the sum; it raises before it accepts, and
 * falls back only on a DECISION. A DECISION speaks for the whole root.
 *
 * What the decider has written may arrive at any time from then on. late stands for WITHDRAW and DECLINE as well.
 *
 * mutants: -DPERDEAL   a register for each deal: concluding voids only what it replaces
 *          -DSPLIT     the others are voided in a second transaction: the counter does not replace atomically
 *          -DDROP      P takes a counter for a decline and frees what it had proposed
 *          -DNORAISE   P accepts the larger counter without raising its hold
 *          -DEARLYMIN  P falls back to the smaller counter when it accepts it, before any DECISION
 */
#ifdef CHAIN
#define MINE2 P_HOLDS(sp[2])
#define PCONC (sp[0]==PROPOSER_CONCLUDED || sa[1]==ACCEPTOR_CONCLUDED || sp[2]==PROPOSER_CONCLUDED)
#define QCONC (sa[0]==ACCEPTOR_CONCLUDED || sp[1]==PROPOSER_CONCLUDED || sa[2]==ACCEPTOR_CONCLUDED)
#define PROPOSES(i) (i==0 || i==2)
#define BEFORE(i) (i==1 -> hdr(0) : (i==2 -> sa[1]!=ACCEPTOR_NONE : true))
#define REPLACED(i) (i==2 -> 1 : 0)
#else
#define MINE2 A_HOLDS(sa[2])
#define PCONC (sp[0]==PROPOSER_CONCLUDED || sa[1]==ACCEPTOR_CONCLUDED || sa[2]==ACCEPTOR_CONCLUDED)
#define QCONC (sa[0]==ACCEPTOR_CONCLUDED || sp[1]==PROPOSER_CONCLUDED || sp[2]==PROPOSER_CONCLUDED)
#define PROPOSES(i) (i==0)
#define BEFORE(i) (i==0 || i==3 || sa[0]!=ACCEPTOR_NONE)
#define REPLACED(i) 0
#endif
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) reg[i]
#define n(i) (i==0 -> 2 : (i==1 -> 3 : 1))
/* room at P: the larger of the root, with n(i) in it, beside the competitor */
#define ROOM(i) (i==3 -> held + 2 <= 3 : MAX(held,n(i)) + 2*P_HOLDS(sp[3]) <= 3)
#define proposer_room(i) (!(PROPOSES(i) || i==3) || ROOM(i))
#ifdef NORAISE
#define acceptor_room(i) (PROPOSES(i) || i==3 || i==1 || ROOM(i))
#else
#define acceptor_room(i) (PROPOSES(i) || i==3 || ROOM(i))
#endif
#define proposer_may_come(i) (i==3 || !(PROPOSES(i) -> PCONC : QCONC))
#define acceptor_may_come(i) (i==3 || !(PROPOSES(i) -> QCONC : PCONC))
#define acceptor_root_open(i) acceptor_may_come(i)
#define OTHER(i) (i!=3 && ((i!=0 && C(0)) || (i!=1 && C(1)) || (i!=2 && C(2))))
#define proposer_makes_it(i) C(i)
#define acceptor_makes_it(i) C(i)
#define proposer_voids_it(i) (V(i) || OTHER(i))
#define acceptor_voids_it(i) (V(i) || OTHER(i))
#define C(i) (reg[i]==REGISTER_CONCLUDED)
#define V(i) (reg[i]==REGISTER_VOID)
#ifdef PERDEAL
#define register_root_free(i) (i==3 || REPLACED(i)==i || !C(REPLACED(i)))
#else
#ifdef SPLIT
#define register_root_free always
#else
#define register_root_free(i) (i==3 || !(C(0) || C(1) || C(2)))
#endif
#endif
#define register_cannot_come(i) (i!=3 && !register_root_free(i) && !C(i))
#define register_another always
#include "common.pml"
byte sp[4], sa[3], reg[4];
bit acc[3], late[4], fin, todo;
#define hdr(i) (sp[i]!=PROPOSER_NONE)

#ifdef EARLYMIN
#define HELD0 (MINE2 -> 1 : 2*P_HOLDS(sp[0]))
#else
#define HELD0 2*P_HOLDS(sp[0])
#endif
#ifdef NORAISE
#define HELD1 3*(sa[1]==ACCEPTOR_CONCLUDED)
#else
#define HELD1 3*A_HOLDS(sa[1])
#endif
#define held MAX(MAX(HELD0,HELD1),MINE2)
#define used (held + 2*P_HOLDS(sp[3]))
#define SWEEP1(i,j) if :: i!=j && hdr(j) && reg[j]==REGISTER_NONE -> DO_register_sweep(j) :: else fi
#ifdef SPLIT
#define SWEEP(i) todo=1
#else
#ifdef PERDEAL
#define SWEEP(i) SWEEP1(i,REPLACED(i))
#else
#define SWEEP(i) SWEEP1(i,0); SWEEP1(i,1); SWEEP1(i,2)
#endif
#endif
#define DEAL(i) \
  :: atomic { !fin && BEFORE(i) && CAN_propose(i) -> DO_propose(i); printf("@ d%d: proposed, held\n",i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive(i) -> DO_acceptor_receive(i); DROPS(i); printf("@ d%d: received\n",i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive_late(i) -> DO_acceptor_receive_late(i) } \
  :: atomic { !fin && CAN_accept(i) -> DO_accept(i); acc[i]=1; printf("@ d%d: accepted, held\n",i) } \
  :: atomic { hdr(i) && !late[i] -> late[i]=1; printf("@ d%d: accept_by passes\n",i) } \
  :: atomic { acc[i] && CAN_register_conclude(i) -> DO_register_conclude(i); SWEEP(i); printf("@ d%d: concluded, the others void\n",i) } \
  :: atomic { hdr(i) && CAN_register_lapse(i) -> DO_register_lapse(i); printf("@ d%d: lapsed\n",i) } \
  :: atomic { acc[i] && CAN_register_never(i) -> DO_register_never(i); printf("@ d%d: void: the root is concluded\n",i) } \
  :: atomic { CAN_proposer_take_deal(i) -> DO_proposer_take_deal(i); printf("@ d%d: proposer takes concluded\n",i) } \
  :: atomic { CAN_acceptor_take_deal(i) -> DO_acceptor_take_deal(i); printf("@ d%d: acceptor takes concluded\n",i) } \
  :: atomic { CAN_proposer_take_void(i) -> DO_proposer_take_void(i); printf("@ d%d: proposer takes void\n",i) } \
  :: atomic { CAN_acceptor_take_void(i) -> DO_acceptor_take_void(i); printf("@ d%d: acceptor takes void\n",i) }
#ifdef DROP
#define DROPS(i) if :: i==1 && sp[0]==PROPOSER_PROPOSED -> sp[0]=PROPOSER_VOID :: else fi
#else
#define DROPS(i) skip
#endif

active proctype World() {
  do
  DEAL(0) DEAL(1) DEAL(2)
  /* the competitor: R accepts whenever it likes */
  :: atomic { !fin && CAN_propose(3) -> DO_propose(3); printf("@ x: proposed, held\n") }
  :: atomic { hdr(3) && CAN_register_conclude(3) -> DO_register_conclude(3); printf("@ x: concluded\n") }
  :: atomic { hdr(3) && !late[3] -> late[3]=1 }
  :: atomic { hdr(3) && CAN_register_lapse(3) -> DO_register_lapse(3) }
  :: atomic { CAN_proposer_take_deal(3) -> DO_proposer_take_deal(3) }
  :: atomic { CAN_proposer_take_void(3) -> DO_proposer_take_void(3) }
#ifdef SPLIT
  :: atomic { todo -> todo=0; SWEEP1(3,0); SWEEP1(3,1); SWEEP1(3,2) }
#endif
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: C(0)+C(1)+C(2) > 1 -> WRONG("@ INVARIANT 6\n")
  :: DIFFER(sp[0],sa[0]) || DIFFER(sp[1],sa[1]) || DIFFER(sp[2],sa[2]) -> WRONG("@ INVARIANT 1\n")
  :: UNFOUNDED(sp[0],sa[0],reg[0]) || UNFOUNDED(sp[1],sa[1],reg[1]) || UNFOUNDED(sp[2],sa[2],reg[2]) -> WRONG("@ INVARIANT 2\n")
  :: used > 3 || 2*C(0) + 3*C(1) + C(2) + 2*C(3) > 3 -> WRONG("@ INVARIANT 3\n")
  COVERED(sp[1]==PROPOSER_CONCLUDED && sa[1]==ACCEPTOR_CONCLUDED && sp[0]==PROPOSER_VOID && sa[0]==ACCEPTOR_VOID && sa[2]==ACCEPTOR_VOID && sp[3]==PROPOSER_VOID)
  :: else -> if
     :: P_OPEN(sp[0]) || P_OPEN(sp[1]) || P_OPEN(sp[2]) || P_OPEN(sp[3]) || A_OPEN(sa[0]) || A_OPEN(sa[1]) || A_OPEN(sa[2]) -> WRONG("@ INVARIANT 5\n")
     :: else -> break
     fi
  od
}
