/* The decider is restored from a backup that knows nothing of a negotiation: d0 P to Q, d1 Q counters. It opens
 * epoch 2 and rules on an older root only when both parties have answered: what they hold is adopted, inside a statement
 * of the new epoch. A party that has answered, or taken anything of epoch 2, takes no decision of epoch 1 any more.
 *
 * mutants: -DNO_QUESTION  it rules after the restore without asking
 *          -DONE_ANSWER   the first answer is enough
 *          -DOLD_TAKEN    parties go on taking decisions of epoch 1
 *          -DNOT_ADOPTED  what a party shows is not adopted
 *          -DPERDEAL      an answer speaks of the first deal only
 */
#include "common.pml"
byte sp[2], sa[2], reg[2];
bit ep2, p2, q2, ansP, ansQ, old, e1c[2], e1v[2], fin;   /* old: the root began in epoch 1; e1x: said in epoch 1 */
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) reg[i]
#define hdr(i) (sp[i]!=PROPOSER_NONE)
#define C(i)   (reg[i]==REGISTER_CONCLUDED)
#define V(i)   (reg[i]==REGISTER_VOID)
/* P proposes d0 and accepts d1 */
#define PC(i) (i==0 -> sp[0]==PROPOSER_CONCLUDED : sa[1]==ACCEPTOR_CONCLUDED)
#define QC(i) (i==0 -> sa[0]==ACCEPTOR_CONCLUDED : sp[1]==PROPOSER_CONCLUDED)
#define PV(i) (i==0 -> sp[0]==PROPOSER_VOID : sa[1]==ACCEPTOR_VOID)
#define QV(i) (i==0 -> sa[0]==ACCEPTOR_VOID : sp[1]==PROPOSER_VOID)
#define always(i) true
#define never(i) false
#define proposer_room always
#define acceptor_room always
#define proposer_in_time always
#define acceptor_in_time always
#define proposer_unblocked always
#define acceptor_unblocked always
#define proposer_welcomed always
#define acceptor_welcomed always
#define acceptor_fits always
#define acceptor_declined never
#define proposer_full never
#define acceptor_full never
#define proposer_known_epoch always
#define acceptor_known_epoch always
#define proposer_may_come(i) (i==0 -> !(PC(0) || PC(1)) : !(QC(0) || QC(1)))
#define acceptor_may_come(i) (i==0 -> !(QC(0) || QC(1)) : !(PC(0) || PC(1)))
#define acceptor_root_open acceptor_may_come
#ifdef OLD_TAKEN
#define TAKES1(e) true
#else
#define TAKES1(e) (!e)
#endif
/* said to a party whose epoch is e: by epoch 1, if it still takes that, or by epoch 2 */
#define SAIDC(i,e) ((TAKES1(e) && e1c[i]) || (ep2 && C(i)))
#define SAIDV(i,e) ((TAKES1(e) && e1v[i]) || (ep2 && V(i)))
#define PE(i) (i==0 -> p2 : q2)
#define AE(i) (i==0 -> q2 : p2)
#define proposer_current always
#define acceptor_current always
#define proposer_makes_it(i) SAIDC(i,PE(i))
#define acceptor_makes_it(i) SAIDC(i,AE(i))
#define proposer_voids_it(i) (SAIDV(i,PE(i)) || SAIDC(1-i,PE(i)))
#define acceptor_voids_it(i) (SAIDV(i,AE(i)) || SAIDC(1-i,AE(i)))
#ifdef NO_QUESTION
#define register_may_rule always
#elif defined(ONE_ANSWER)
#define register_may_rule(i) (!ep2 || !old || ansP || ansQ)
#else
#define register_may_rule(i) (!ep2 || !old || (ansP && ansQ))
#endif
#define register_root_free(i) (!C(0) && !C(1))
#define register_amends never
#define register_accept_in_time always
#define register_late always
#define register_cannot_come(i) (!register_root_free(i))
#define register_another(i) hdr(i)
#define register_shown_deal always
#define register_shown_void always

#define VOID_OTHER(j) if :: CAN_register_sweep(j) -> DO_register_sweep(j) :: else fi
#ifdef NOT_ADOPTED
#define ADOPT(i,c,v) skip
#else
#define ADOPT(i,c,v) if :: (c) && CAN_register_adopt(i) -> DO_register_adopt(i); if :: hdr(1-i) && reg[1-i]==REGISTER_NONE -> reg[1-i]=REGISTER_VOID :: else fi \
                        :: !(c) && (v) && CAN_register_adopt_void(i) -> DO_register_adopt_void(i) :: else fi
#endif
#ifdef PERDEAL
#define ADOPT1(c,v) skip
#else
#define ADOPT1(c,v) ADOPT(1,c,v)
#endif

#define DEAL(i,before) \
  :: atomic { !fin && (before) && CAN_proposer_draft(i) -> DO_proposer_draft(i); DO_proposer_sign(i); if :: i==0 -> old=!ep2; p2=p2||ep2 :: else fi; printf("@ d%d: proposed in epoch %d\n",i,1+ep2) } \
  :: atomic { hdr(i) && CAN_acceptor_receive(i) -> DO_acceptor_receive(i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive_late(i) -> DO_acceptor_receive_late(i) } \
  :: atomic { !fin && CAN_acceptor_accept(i) -> DO_acceptor_accept(i); DO_acceptor_accept_sign(i); printf("@ d%d: accepted\n",i) } \
  :: atomic { sa[i]==ACCEPTOR_PENDING && CAN_register_conclude(i) -> DO_register_conclude(i); VOID_OTHER(1-i); printf("@ d%d: concluded in epoch %d\n",i,1+ep2) } \
  :: atomic { hdr(i) && (CAN_register_lapse(i) || CAN_register_never(i)) -> reg[i]=REGISTER_VOID; printf("@ d%d: void in epoch %d\n",i,1+ep2) } \
  :: atomic { !ep2 && C(i) && !e1c[i] -> e1c[i]=1 } \
  :: atomic { !ep2 && V(i) && !e1v[i] -> e1v[i]=1 } \
  :: atomic { CAN_proposer_take_deal(i) -> DO_proposer_take_deal(i); printf("@ d%d: proposer takes concluded\n",i) } \
  :: atomic { CAN_acceptor_take_deal(i) -> DO_acceptor_take_deal(i); printf("@ d%d: acceptor takes concluded\n",i) } \
  :: atomic { CAN_proposer_take_void(i) -> DO_proposer_take_void(i); printf("@ d%d: proposer takes void\n",i) } \
  :: atomic { CAN_acceptor_take_void(i) -> DO_acceptor_take_void(i); printf("@ d%d: acceptor takes void\n",i) }

active proctype World() {
  do
  DEAL(0,true) DEAL(1,sa[0]!=ACCEPTOR_NONE)
  :: atomic { !fin && !ep2 -> ep2=1; reg[0]=REGISTER_NONE; reg[1]=REGISTER_NONE; printf("@ -- restored, all entries lost, epoch 2\n") }
  :: atomic { ep2 && !p2 -> p2=1 } :: atomic { ep2 && !q2 -> q2=1 }   /* an EpochStart, or a Welcome */
  :: atomic { ep2 && old && hdr(0) && !ansP -> p2=1; ansP=1; ADOPT(0,PC(0),PV(0)); ADOPT1(PC(1),PV(1)); printf("@ P answers\n") }
  :: atomic { ep2 && old && hdr(0) && !ansQ -> q2=1; ansQ=1; ADOPT(0,QC(0),QV(0)); ADOPT1(QC(1),QV(1)); printf("@ Q answers\n") }
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: DIFFER(sp[0],sa[0]) || DIFFER(sp[1],sa[1]) -> WRONG("@ INVARIANT 1\n")
  :: ((PC(0) || QC(0)) && V(0)) || ((PC(1) || QC(1)) && V(1)) || ((PV(0) || QV(0)) && C(0)) || ((PV(1) || QV(1)) && C(1)) -> WRONG("@ INVARIANT 2\n")
  :: (C(0) || PC(0) || QC(0)) && (C(1) || PC(1) || QC(1)) -> WRONG("@ INVARIANT 6\n")
  COVERED(ep2 && old && e1c[1] && PC(1) && QC(1) && PV(0) && QV(0) && C(1) && ansP && ansQ)
  :: else -> if
     :: P_OPEN(sp[0]) || P_OPEN(sp[1]) || A_OPEN(sa[0]) || A_OPEN(sa[1]) || (PC(0) && !C(0)) || (PC(1) && !C(1)) -> WRONG("@ INVARIANT 5\n")
     :: else -> break
     fi
  od
}
