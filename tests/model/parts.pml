/* Ending a part of an agreement: one signature, after which the chain goes on with fewer people.
 *
 *   E0: P lends three to Q, concluded; both know it. P offers four.
 *   A:  P proposes four, after E0
 *   RP, RQ: P, or Q, ends a part of one person: once, whatever is lost, overtaken or said again
 *   T:  Q ends all of it
 *   x:  P lends one to another when its ledger lets it
 *
 * Entries reach the parties in any order. One that ended a part names the deal and all parts of it that ended before,
 * and so does the end: whoever hears of the newest knows of them all.
 *
 * -DRESTORE   the decider loses everything after E0 and opens epoch 2, as in chain.pml
 * mutants: -DPARTLOCAL  P frees one when it signs: a part that ends before the decision
 *          -DNOLIST     an entry tells of its own part only
 *          -DNOPRED     the predecessor is not checked
 *          -DNORESIGN   one that was overtaken is not signed again
 *          -DSTANDS     the wish still stands when the part has ended
 *          -DRESTORE -DNOASK     the restored decider adds without asking
 *          -DRESTORE -DTAKEOLD   a party that answered still takes entries of epoch 1
 *          -DRESTORE -DONLYFIRST the parties show the conclusion they hold, not the whole chain
 */
#define A 1
#define E0 4
#define T 5
#define RP 6
#define RQ 7
#define LONG 5 /* positions */
#define PART(e) ((e)+16) /* a request that names e and ends a part */
#define COUNT(c,e) ((c[2]==e)+(c[3]==e)+(c[4]==e)+(c[5]==e))
#define people(c,l) (c[l]==T -> 0 : (c[2]==A -> 4 : 3) - COUNT(c,RP) - COUNT(c,RQ))
#define AT_proposer(i) sp
#define AT_acceptor(i) sa
#define AT_register(i) reg
#define AT_chain(x) state
#define lastP pch[lp]
#define lastQ qch[lq]
#define proposer_room(i) (4 + X <= 4)
#define proposer_may_come(i) (lastP==E0)
#define acceptor_may_come(i) (lastQ==E0)
#define acceptor_root_open(i) (lastQ!=T)
#ifdef NOPRED
#define names(e) true
#else
#define names(e) (ch[dl]==(e))
#endif
#define register_follows(i) (ch[dl]==E0)
#define register_amends always
#define register_cannot_come(i) (ch[dl]!=E0)
#define register_another always
#if defined(RESTORE) && !defined(NOASK)
#define may (ep==1 || (ansP && ansQ))
#else
#define may true
#endif
#define register_may_rule(i) may
#define chain_may_rule(e) may
#define chain_names_last(e) names((e)%16)
#define chain_ends_part(e) ((e)>=16)
#include "common.pml"
byte sp, sa, reg, state = CHAIN_CONCLUDED;
byte ch[6], pch[6], qch[6], m1[6], m2[6]; /* the chain, what the parties hold, what epochs 1 and 2 said; from 1 */
byte dl = 1, lp = 1, lq = 1, ep = 1, pep = 1, qep = 1, x;
bit acc[1], late[1], tP[8], tQ[8], tT[8], wP, wQ, wT, oP, oQ, ansP, ansQ, fin; /* t: signed after this entry */
#define X P_HOLDS(x)
#define agreed people(pch,lp)
#ifdef PARTLOCAL
#define ownP MAX(agreed - (wP && (tP[A] || tP[E0] || tP[RQ])), 4*P_OPEN(sp))
#else
#define ownP MAX(agreed, 4*P_OPEN(sp))
#endif
/* written, and sent: from now on it may arrive at any time, or never */
#define SAY if :: ep==1 -> m1[dl]=ch[dl] :: else -> m2[dl]=ch[dl] fi
#define SWEEP if :: sp!=PROPOSER_NONE && reg==REGISTER_NONE -> DO_register_sweep(0) :: else fi
#define REDUCE(t,r,e) \
  :: atomic { dl<LONG && t[e] && CAN_chain_reduce(PART(e)) -> DO_chain_reduce(0); dl++; ch[dl]=r; SAY; SWEEP; \
       printf("@ %d: the decider adds it at position %d\n",r,dl) }
#define REDUCES(e) REDUCE(tP,RP,e) REDUCE(tQ,RQ,e)
#define END(e) \
  :: atomic { dl<LONG && tT[e] && CAN_chain_end(e) -> DO_chain_end(0); dl++; ch[dl]=T; SAY; SWEEP; \
       printf("@ T: the decider ends it at position %d\n",dl) }
#ifdef NORESIGN
#define AGAIN(t) !(t[A] || t[E0] || t[RP] || t[RQ])
#else
#define AGAIN(t) true
#endif
#ifdef TAKEOLD
#define TAKES(e,mine) true
#else
#define TAKES(e,mine) (e>=mine)
#endif
#ifdef NOLIST
#define LISTED(c,m,i,n) skip
#else
/* The deal and its parts, as entry n names them. */
#define LISTED(c,m,i,n) if :: i<n && c[i]==0 && m[n]!=A -> c[i]=m[i] :: else fi
#endif
#define LIST(c,m,n) LISTED(c,m,2,n); LISTED(c,m,3,n); LISTED(c,m,4,n)
#ifdef STANDS
#define DONE(c,r,w) skip
#else
#define DONE(c,r,w) if :: COUNT(c,r)>0 -> w=0 :: else fi
#endif
/* What became of A: it is in the chain that is held, or its place is taken. */
#define FATE(me,c) \
  if :: c[2]==A && me==1 && sp!=PROPOSER_NONE -> sp=PROPOSER_CONCLUDED \
     :: c[2]==A && me==2 && sa!=ACCEPTOR_NONE -> sa=ACCEPTOR_CONCLUDED \
     :: c[2]!=A && c[2]!=0 && me==1 && P_OPEN(sp) -> sp=PROPOSER_VOID \
     :: c[2]!=A && c[2]!=0 && me==2 && A_OPEN(sa) -> sa=ACCEPTOR_VOID :: else fi
#define LEARN(me,c,l,mine,e,m,n) \
  :: atomic { m[n]!=0 && TAKES(e,mine) && c[n]==0 -> c[n]=m[n]; LIST(c,m,n); if :: n>l -> l=n :: else fi; FATE(me,c); \
       if :: me==1 -> DONE(c,RP,wP) :: else -> DONE(c,RQ,wQ) fi; printf("@ party %d takes position %d: %d, of epoch %d\n",me,n,c[n],e) }
#define LEARNS(me,c,l,mine,e,m) LEARN(me,c,l,mine,e,m,2) LEARN(me,c,l,mine,e,m,3) LEARN(me,c,l,mine,e,m,4) LEARN(me,c,l,mine,e,m,5)
/* A party shows entry n: what it lists comes along. What epoch 1 said stands in m1. */
#define BRING(c,n) do :: c[n]!=0 && c[n]!=A && ch[n]==0 && dl+1<n -> dl++; ch[dl]=m1[dl]; SAY; if :: ch[dl]==A -> reg=REGISTER_AMENDED :: else fi :: else -> break od
#ifdef ONLYFIRST
#define ADOPT(c,n) skip
#else
#define ADOPT(c,n) BRING(c,n); if :: c[n]!=0 && ch[n]==0 && n==dl+1 -> dl=n; ch[n]=c[n]; SAY; \
  if :: c[n]==A -> reg=REGISTER_AMENDED; state=CHAIN_AMENDED :: c[n]==T -> state=CHAIN_TERMINATED :: else -> state=CHAIN_REDUCED fi :: else fi
#endif
#define ADOPTS(c) ADOPT(c,2); ADOPT(c,3); ADOPT(c,4); ADOPT(c,5)
#define SAME(n) (!(pch[n]!=0 && qch[n]!=0 && pch[n]!=qch[n]) && !(pch[n]!=0 && ch[n]!=0 && pch[n]!=ch[n]) && !(qch[n]!=0 && ch[n]!=0 && qch[n]!=ch[n]))
#define ROOM_FOR_PART(c,l) (c[l]!=T && people(c,l)>1)

active proctype World() {
  atomic { ch[1]=E0; pch[1]=E0; qch[1]=E0 }
  do
  :: atomic { !fin && CAN_propose(0) -> DO_propose(0); printf("@ A: proposed, the increase held\n") }
  :: atomic { sp!=PROPOSER_NONE && CAN_acceptor_receive(0) -> DO_acceptor_receive(0) }
  :: atomic { sp!=PROPOSER_NONE && CAN_acceptor_receive_late(0) -> DO_acceptor_receive_late(0) }
  :: atomic { !fin && CAN_accept(0) -> DO_accept(0); acc[0]=1; printf("@ A: accepted\n") }
  :: atomic { sp!=PROPOSER_NONE && !late[0] -> late[0]=1; printf("@ A: accept_by passes, or a request to void\n") }
  :: atomic { acc[0] && CAN_register_amend(0) -> DO_register_amend(0); state=CHAIN_AMENDED; dl++; ch[dl]=A; SAY; printf("@ A: the decider adds it at position %d\n",dl) }
  :: atomic { sp!=PROPOSER_NONE && CAN_register_lapse(0) -> DO_register_lapse(0); printf("@ A: void\n") }
  :: atomic { acc[0] && CAN_register_never(0) -> DO_register_never(0); printf("@ A: void, overtaken\n") }
  :: atomic { reg==REGISTER_VOID && P_OPEN(sp) -> sp=PROPOSER_VOID; printf("@ A: proposer takes void\n") }
  :: atomic { reg==REGISTER_VOID && A_OPEN(sa) -> sa=ACCEPTOR_VOID; printf("@ A: acceptor takes void\n") }
  REDUCES(A) REDUCES(E0) REDUCES(RP) REDUCES(RQ)
  END(A) END(E0) END(RP) END(RQ)
  :: atomic { !fin && !oP && ROOM_FOR_PART(pch,lp) -> oP=1; wP=1; printf("@ P's user wants a part to end\n") }
  :: atomic { !fin && !oQ && ROOM_FOR_PART(qch,lq) -> oQ=1; wQ=1; printf("@ Q's user wants a part to end\n") }
  :: atomic { !fin && !wT && lastQ!=T -> wT=1; printf("@ Q's user wants an end\n") }
  :: atomic { wP && ROOM_FOR_PART(pch,lp) && !tP[lastP] && AGAIN(tP) -> tP[lastP]=1; printf("@ RP: P signs after %d\n",lastP) }
  :: atomic { wQ && ROOM_FOR_PART(qch,lq) && !tQ[lastQ] && AGAIN(tQ) -> tQ[lastQ]=1; printf("@ RQ: Q signs after %d\n",lastQ) }
  :: atomic { wT && lastQ!=T && !tT[lastQ] && AGAIN(tT) -> tT[lastQ]=1; printf("@ T: Q signs after %d\n",lastQ) }
  LEARNS(1,pch,lp,pep,1,m1) LEARNS(2,qch,lq,qep,1,m1)
#ifdef RESTORE
  :: atomic { !fin && ep==1 && dl>1 -> ep=2; dl=1; state=CHAIN_CONCLUDED; ch[2]=0; ch[3]=0; ch[4]=0; ch[5]=0; reg=REGISTER_NONE; printf("@ -- the decider is restored, epoch 2\n") }
  LEARNS(1,pch,lp,pep,2,m2) LEARNS(2,qch,lq,qep,2,m2)
  :: atomic { ep==2 && !ansP -> ansP=1; pep=2; ADOPTS(pch); if :: sp==PROPOSER_VOID && reg==REGISTER_NONE -> reg=REGISTER_VOID :: else fi; printf("@ P shows what it holds\n") }
  :: atomic { ep==2 && !ansQ -> ansQ=1; qep=2; ADOPTS(qch); if :: sa==ACCEPTOR_VOID && reg==REGISTER_NONE -> reg=REGISTER_VOID :: else fi; printf("@ Q shows what it holds\n") }
#endif
  :: atomic { !fin && x==PROPOSER_NONE && ownP + 1 <= 4 -> x=PROPOSER_PROPOSED; printf("@ x: P signs\n") }
  :: atomic { x==PROPOSER_PROPOSED -> x=PROPOSER_CONCLUDED; printf("@ x: concluded\n") }
  :: atomic { x==PROPOSER_PROPOSED -> x=PROPOSER_VOID }
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: !(SAME(2) && SAME(3) && SAME(4) && SAME(5)) -> WRONG("@ INVARIANT 1: two chains\n")
  :: ep==1 && (lp>dl || lq>dl) -> WRONG("@ INVARIANT 2\n")
  :: (ep==1 || (ansP && ansQ)) && (ownP + X > 4 || people(ch,dl) + (x==PROPOSER_CONCLUDED) > 4) -> WRONG("@ INVARIANT 3\n")
  :: (ch[2]==T && dl>2) || (ch[3]==T && dl>3) || (ch[4]==T && dl>4) -> WRONG("@ INVARIANT 4: an entry after the end\n")
  :: COUNT(ch,RP)>1 || COUNT(ch,RQ)>1 -> WRONG("@ INVARIANT 7: a part ended twice\n")
  COVERED(lp==5 && lq==5 && pch[2]==A && pch[3]==RQ && pch[4]==RP && pch[5]==T && x==PROPOSER_CONCLUDED && (ep==COVER || COVER==1))
  :: else -> if
     :: wP && dl<LONG && ch[dl]!=T && people(ch,dl)>1 -> WRONG("@ FLAW: the end of a part was asked for and got lost\n")
     :: wQ && dl<LONG && ch[dl]!=T && people(ch,dl)>1 -> WRONG("@ FLAW: the end of a part was asked for and got lost\n")
     :: wT && dl<LONG && ch[dl]!=T -> WRONG("@ FLAW: an end was asked for and got lost\n")
     :: lp!=dl || lq!=dl || P_OPEN(sp) || A_OPEN(sa) -> WRONG("@ INVARIANT 5\n")
     :: people(pch,lp)!=people(ch,dl) || people(qch,lq)!=people(ch,dl) -> WRONG("@ INVARIANT 5: the parties count different numbers of people\n")
     :: else -> break
     fi
  od
}
