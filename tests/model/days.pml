/* Overlapping periods: P offers one person on the days A, B, C; holds are per day.
 *
 *   d0: P proposes A,B to Q         d1: Q counters d0 with B,C       d2: P amends a concluded d0 to B,C
 *   x0: P proposes C to R           x1: R counters x0 with A
 *
 * "The larger, not the sum" and "an amendment holds only the increase" are taken per day: over headcounts all of
 * these are one against one, and nothing would have to be raised.
 *
 * mutants: -DDAYLESS    a counter on other days of the same size raises nothing
 *          -DAMENDNUM   an amendment to other days of the same size holds nothing
 *          -DAMENDNOW   the day that an amendment gives up is freed when it is signed
 */
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) reg[i]
#define D1 A_HOLDS(sa[1])
#define D2 P_HOLDS(sp[2])
#define X1 A_HOLDS(sa[4])
#ifdef DAYLESS
#define H1 (sa[1]==ACCEPTOR_CONCLUDED)
#define HX (sa[4]==ACCEPTOR_CONCLUDED)
#define acceptor_room always
#else
#define H1 D1
#define HX X1
#define acceptor_room(i) (i==1 -> P_HOLDS(sp[3])==0 : (i==4 -> (usedA==0) : true))
#endif
#ifdef AMENDNUM
#define H2 (sp[2]==PROPOSER_CONCLUDED)
#define ROOM2 true
#else
#define H2 D2
#define ROOM2 (P_HOLDS(sp[3])==0)
#endif
#ifdef AMENDNOW
#define GIVEN D2
#else
#define GIVEN (sp[2]==PROPOSER_CONCLUDED)
#endif
#define proposer_room(i) (i==0 -> usedA==0 : (i==2 -> ROOM2 : (i==3 -> !(H1 || H2) : true)))
#define rootP (sp[0]==PROPOSER_CONCLUDED || sa[1]==ACCEPTOR_CONCLUDED)
#define rootQ (sa[0]==ACCEPTOR_CONCLUDED || sp[1]==PROPOSER_CONCLUDED)
#define rootX (sp[3]==PROPOSER_CONCLUDED || sa[4]==ACCEPTOR_CONCLUDED)
#define rootR (sa[3]==ACCEPTOR_CONCLUDED || sp[4]==PROPOSER_CONCLUDED)
#define proposer_may_come(i) (i==0 -> !rootP : (i==1 -> !rootQ : (i==2 -> sp[0]==PROPOSER_CONCLUDED : (i==3 -> !rootX : !rootR))))
#define acceptor_may_come(i) (i==0 -> !rootQ : (i==1 -> !rootP : (i==2 -> sa[0]==ACCEPTOR_CONCLUDED : (i==3 -> !rootR : !rootX))))
#define acceptor_root_open(i) (i==2 || acceptor_may_come(i))
#define RIVAL(i) (i==0 -> 1 : (i==1 -> 0 : (i==3 -> 4 : (i==4 -> 3 : 2))))
#define proposer_makes_it(i) C(i)
#define acceptor_makes_it(i) C(i)
#define proposer_voids_it(i) (V(i) || (i!=2 && C(RIVAL(i))))
#define acceptor_voids_it(i) (V(i) || (i!=2 && C(RIVAL(i))))
#define C(i) (reg[i]==REGISTER_CONCLUDED)
#define V(i) (reg[i]==REGISTER_VOID)
#define hdr(i) (sp[i]!=PROPOSER_NONE)
#define register_root_free(i) (i==2 -> C(0) : !C(RIVAL(i)))
#define register_another always
#include "common.pml"
byte sp[5], sa[5], reg[5];
bit acc[5], late[5], fin;
#define usedA ((P_HOLDS(sp[0]) && !GIVEN) + HX)
#define usedB (P_HOLDS(sp[0]) || H1)
#define usedC ((H1 || H2) + P_HOLDS(sp[3]))

/* late stands for WITHDRAW and DECLINE as well: all make void what is not concluded */
#define BEFORE(i) (i==0 || i==3 || (i==1 -> sa[0]!=ACCEPTOR_NONE : (i==4 -> sa[3]!=ACCEPTOR_NONE : true)))
#define DEAL(i) \
  :: atomic { !fin && BEFORE(i) && CAN_propose(i) -> DO_propose(i); printf("@ %d: proposed, held\n",i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive(i) -> DO_acceptor_receive(i) } \
  :: atomic { hdr(i) && CAN_acceptor_receive_late(i) -> DO_acceptor_receive_late(i) } \
  :: atomic { !fin && CAN_accept(i) -> DO_accept(i); acc[i]=1; printf("@ %d: accepted, held\n",i) } \
  :: atomic { hdr(i) && !late[i] -> late[i]=1; printf("@ %d: accept_by passes, or a request to void\n",i) } \
  :: atomic { acc[i] && CAN_register_conclude(i) -> DO_register_conclude(i); \
       if :: i!=2 && hdr(RIVAL(i)) && reg[RIVAL(i)]==REGISTER_NONE -> DO_register_sweep(RIVAL(i)) :: else fi; printf("@ %d: concluded\n",i) } \
  :: atomic { hdr(i) && CAN_register_lapse(i) -> DO_register_lapse(i); printf("@ %d: void\n",i) } \
  :: atomic { CAN_proposer_take_deal(i) -> DO_proposer_take_deal(i); printf("@ %d: proposer takes concluded\n",i) } \
  :: atomic { CAN_acceptor_take_deal(i) -> DO_acceptor_take_deal(i); printf("@ %d: acceptor takes concluded\n",i) } \
  :: atomic { CAN_proposer_take_void(i) -> DO_proposer_take_void(i); printf("@ %d: proposer takes void\n",i) } \
  :: atomic { CAN_acceptor_take_void(i) -> DO_acceptor_take_void(i); printf("@ %d: acceptor takes void\n",i) }

active proctype World() {
  do
  DEAL(0) DEAL(1) DEAL(2) DEAL(3) DEAL(4)
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: DIFFER(sp[0],sa[0]) || DIFFER(sp[1],sa[1]) || DIFFER(sp[2],sa[2]) || DIFFER(sp[3],sa[3]) || DIFFER(sp[4],sa[4]) -> WRONG("@ INVARIANT 1\n")
  :: usedA > 1 || usedB > 1 || usedC > 1 || (C(0) && !C(2)) + C(4) > 1 || (C(1) || C(2)) + C(3) > 1 -> WRONG("@ INVARIANT 3\n")
  COVERED(sp[0]==PROPOSER_CONCLUDED && sp[2]==PROPOSER_CONCLUDED && sa[4]==ACCEPTOR_CONCLUDED && sp[3]==PROPOSER_VOID && sa[1]==ACCEPTOR_VOID)
  :: else -> if
     :: P_OPEN(sp[0]) || P_OPEN(sp[1]) || P_OPEN(sp[2]) || P_OPEN(sp[3]) || P_OPEN(sp[4]) || A_OPEN(sa[0]) || A_OPEN(sa[1]) || A_OPEN(sa[2]) || A_OPEN(sa[3]) || A_OPEN(sa[4]) -> WRONG("@ INVARIANT 5\n")
     :: else -> break
     fi
  od
}
