/* The decider restored from an old backup, up to twice (epochs 1 to 3), in the middle of a negotiation; and a party
 * that is restored too and forgets which epoch it had answered in.
 *
 *   d0: P proposes to Q        d1: Q counters with another (replaces d0)
 *
 * A restore loses what the register gained since the backup, and opens a new epoch. On a root from before it rules
 * only when both parties have answered the question of this epoch; what they show, and what the backup held, is said
 * again in the new epoch. A root is as old as its first header; a counter to what is not known here counts as older.
 * One backup is made, at any time. What was said in an epoch may arrive at any later time, as may an answer.
 *
 * mutants: -DNOASK        it rules after a restore without asking
 *          -DONEANSWER    one answer is enough
 *          -DOLDANSWER    an answer to an older question counts
 *          -DTAKEOLD      a party that answered still takes older decisions
 *          -DFRESHCOUNTER a counter that names this epoch makes a new root of an old one
 *          -DSILENT       a restore opens no epoch
 *          -DFORGETS      a restored party takes decisions before a Welcome has told it the epoch
 */
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) reg[i]
/* P proposes d0 and answers d1; side 0 is P */
#define PC(i) (i==0 -> sp[0]==PROPOSER_CONCLUDED : sa[1]==ACCEPTOR_CONCLUDED)
#define QC(i) (i==0 -> sa[0]==ACCEPTOR_CONCLUDED : sp[1]==PROPOSER_CONCLUDED)
#define PV(i) (i==0 -> sp[0]==PROPOSER_VOID : sa[1]==ACCEPTOR_VOID)
#define QV(i) (i==0 -> sa[0]==ACCEPTOR_VOID : sp[1]==PROPOSER_VOID)
#define proposer_may_come(i) (i==0 -> !(PC(0) || PC(1)) : !(QC(0) || QC(1)))
#define acceptor_may_come(i) (i==0 -> !(QC(0) || QC(1)) : !(PC(0) || PC(1)))
#define acceptor_root_open(i) acceptor_may_come(i)
#ifdef TAKEOLD
#define FROM(side) 1
#else
#define FROM(side) known[side]
#endif
#ifdef FORGETS
#define told(side) true
#else
#define told(side) (side!=0 || !unsure)
#endif
/* heard by a side that takes decisions of its epoch and newer ones */
#define HEARS(said,i,side) (told(side) && ((said[i] && FROM(side)<=1) || (said[2+(i)] && FROM(side)<=2) || said[4+(i)]))
#define proposer_makes_it(i) HEARS(saidC,i,i)
#define acceptor_makes_it(i) HEARS(saidC,i,(1-i))
#define proposer_voids_it(i) (HEARS(saidV,i,i) || HEARS(saidC,(1-i),i))
#define acceptor_voids_it(i) (HEARS(saidV,i,(1-i)) || HEARS(saidC,(1-i),(1-i)))
#define C(i) (reg[i]==REGISTER_CONCLUDED)
#define register_root_free(i) !C(1-i)
#if defined(NOASK)
#define register_may_rule always
#elif defined(ONEANSWER)
#define register_may_rule(i) (age==ep || done[0]==ep || done[1]==ep)
#else
#define register_may_rule(i) (age==ep || (done[0]==ep && done[1]==ep))
#endif
#define register_accept_in_time always
#define register_late always
#define register_another always
#define register_cannot_come(i) C(1-i)
#define register_shown_deal always
#define register_shown_void always
#include "common.pml"
#define UNKNOWN 9
/* age: the epoch of the root's first header, as the decider knows it; named: the epoch that a header names;
 * known: the epoch that a side was told; flight: the epoch of its answer under way, shown: what that shows */
byte sp[2], sa[2], reg[2], kept[2], named[2], ep = 1, known[2], done[2], flight[2], shown[4], age = UNKNOWN, keptage = UNKNOWN;
bit acc[2], saidC[6], saidV[6], unsure, forgot, backed, fin;
#define hdr(i) (sp[i]!=PROPOSER_NONE)
#define SAY(i) if :: C(i) -> saidC[2*(ep-1)+i]=1 :: reg[i]==REGISTER_VOID -> saidV[2*(ep-1)+i]=1 :: else fi
#ifdef FRESHCOUNTER
#define AGE(i) named[i]
#else
#define AGE(i) (i==1 && ep>1 && age==UNKNOWN -> 0 : named[i])
#endif
#define SWEEP(j) if :: hdr(j) && reg[j]==REGISTER_NONE -> DO_register_sweep(j); SAY(j) :: else fi
#define SEEN(i) (age!=UNKNOWN && hdr(i) && AGE(i)>=age)
#define DEAL(i) \
  :: atomic { !fin && known[i]!=0 && (i==0 || sa[0]!=ACCEPTOR_NONE) && CAN_propose(i) -> DO_propose(i); named[i]=known[i]; printf("@ d%d: proposed, naming epoch %d\n",i,named[i]) } \
  :: atomic { hdr(i) && CAN_acceptor_receive(i) -> DO_acceptor_receive(i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive_late(i) -> DO_acceptor_receive_late(i) } \
  :: atomic { !fin && CAN_accept(i) -> DO_accept(i); acc[i]=1; printf("@ d%d: accepted\n",i) } \
  :: atomic { hdr(i) && AGE(i)<age -> age=AGE(i); printf("@ the decider sees d%d, of epoch %d\n",i,age) } \
  :: atomic { SEEN(i) && acc[i] && CAN_register_conclude(i) -> DO_register_conclude(i); SAY(i); SWEEP((1-i)); printf("@ d%d: concluded in epoch %d\n",i,ep) } \
  :: atomic { SEEN(i) && CAN_register_lapse(i) -> DO_register_lapse(i); SAY(i); printf("@ d%d: void in epoch %d\n",i,ep) } \
  :: atomic { CAN_proposer_take_deal(i) -> DO_proposer_take_deal(i); printf("@ d%d: proposer takes concluded\n",i) } \
  :: atomic { CAN_acceptor_take_deal(i) -> DO_acceptor_take_deal(i); printf("@ d%d: acceptor takes concluded\n",i) } \
  :: atomic { CAN_proposer_take_void(i) -> DO_proposer_take_void(i); printf("@ d%d: proposer takes void\n",i) } \
  :: atomic { CAN_acceptor_take_void(i) -> DO_acceptor_take_void(i); printf("@ d%d: acceptor takes void\n",i) }
/* what a side holds of a deal: 1 concluded, 2 void */
#define HELD(side,i) (side==0 -> (PC(i) -> 1 : (PV(i) -> 2 : 0)) : (QC(i) -> 1 : (QV(i) -> 2 : 0)))
#define ADOPT(side,i) if :: reg[i]==REGISTER_NONE && shown[2*side+i]==1 -> DO_register_adopt(i); SAY(i); SWEEP((1-i)) \
                         :: reg[i]==REGISTER_NONE && shown[2*side+i]==2 -> DO_register_adopt_void(i); SAY(i) :: else fi
#ifdef OLDANSWER
#define COUNTS(side) (flight[side]!=0)
#else
#define COUNTS(side) (flight[side]==ep)
#endif
#define SURE(side) if :: side==0 -> unsure=0 :: else fi
#define SIDE(side) \
  :: atomic { known[side]<ep || (side==0 && unsure) -> known[side]=ep; SURE(side); printf("@ side %d: Welcome, epoch %d\n",side,ep) } \
  :: atomic { ep>1 && hdr(0) && flight[side]!=ep -> known[side]=ep; SURE(side); flight[side]=ep; shown[2*side]=HELD(side,0); shown[2*side+1]=HELD(side,1); \
       printf("@ side %d answers epoch %d: %d %d (1 concluded, 2 void)\n",side,ep,shown[2*side],shown[2*side+1]) } \
  :: atomic { COUNTS(side) && done[side]!=ep -> done[side]=ep; if :: age==UNKNOWN -> age=0 :: else fi; \
       if :: shown[2*side+1]==1 -> ADOPT(side,1); ADOPT(side,0) :: else -> ADOPT(side,0); ADOPT(side,1) fi; CLEAR(side); printf("@ the decider takes the answer of side %d\n",side) }
/* what no step looks at any more is cleared, so that states that differ in it alone are one */
#ifdef OLDANSWER
#define FORGET skip
#define CLEAR(side) skip
#else
#define CLEAR(side) shown[2*side]=0; shown[2*side+1]=0
#define FORGET done[0]=0; done[1]=0; flight[0]=0; flight[1]=0; shown[0]=0; shown[1]=0; shown[2]=0; shown[3]=0; if :: ep==3 -> kept[0]=0; kept[1]=0; keptage=UNKNOWN :: else fi
#endif
#define CHANGED (kept[0]!=reg[0] || kept[1]!=reg[1] || keptage!=age)

active proctype World() {
  do
  DEAL(0) DEAL(1) SIDE(0) SIDE(1)
  :: atomic { !fin && ep<3 && !backed && CHANGED -> backed=1; kept[0]=reg[0]; kept[1]=reg[1]; keptage=age; printf("@ a backup is made\n") }
#ifdef SILENT
  :: atomic { !fin && CHANGED -> reg[0]=kept[0]; reg[1]=kept[1]; age=keptage; printf("@ -- the decider is restored, and opens no epoch\n") }
#else
  :: atomic { !fin && ep<3 -> ep++; reg[0]=kept[0]; reg[1]=kept[1]; age=keptage; SAY(0); SAY(1); FORGET; printf("@ -- the decider is restored, epoch %d\n",ep) }
#endif
  :: atomic { !fin && !forgot && known[0]>1 -> forgot=1; known[0]=1; unsure=1; printf("@ -- P is restored and forgets the epoch\n") }
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: DIFFER(sp[0],sa[0]) || DIFFER(sp[1],sa[1]) -> WRONG("@ INVARIANT 1\n")
  :: ((PC(0) || QC(0)) && reg[0]==REGISTER_VOID) || ((PC(1) || QC(1)) && reg[1]==REGISTER_VOID) || \
     ((PV(0) || QV(0)) && C(0)) || ((PV(1) || QV(1)) && C(1)) -> WRONG("@ INVARIANT 2\n")
  :: (PC(0) || QC(0) || C(0)) && (PC(1) || QC(1) || C(1)) -> WRONG("@ INVARIANT 6\n")
  COVERED(ep==3 && PC(1) && QC(1) && PV(0) && saidC[3] && saidC[5] && !saidC[1] && named[0]==1 && forgot)
  :: else -> if
     :: P_OPEN(sp[0]) || P_OPEN(sp[1]) || A_OPEN(sa[0]) || A_OPEN(sa[1]) -> WRONG("@ INVARIANT 5\n")
     :: (PC(0) || QC(0)) && !C(0) || (PC(1) || QC(1)) && !C(1) -> WRONG("@ INVARIANT 5: the decider was not told\n")
     :: else -> break
     fi
  od
}
