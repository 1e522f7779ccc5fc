/* AMEND and TERMINATE on a concluded deal: the register as a chain whose entries name their predecessors.
 *
 *   E0: P lends one to Q, concluded; both know it. P offers two.
 *   A1: P proposes two, after E0     A2: Q proposes two, after E0     A3: P proposes one, after A1
 *   T:  TERMINATE by P or by Q alone, naming the entry that its signer holds as the last
 *   x:  P lends one to another when its ledger lets it
 *
 * Entries reach the parties in any order; the one with the highest position that was seen is what holds.
 *
 * -DRESTORE   the decider loses everything after E0 and opens epoch 2; it adds nothing before both have shown
 *             what they hold, and a party that answered takes nothing of epoch 1 any more
 * mutants: -DTLOCAL     P frees its people when it signs TERMINATE: a termination that is not decided
 *          -DNOPRED     the predecessor of an entry is not checked
 *          -DNORESIGN   a TERMINATE that was overtaken is not signed again
 *          -DFREEOLD    P frees the old number when it signs the amendment to a smaller one
 *          -DRESTORE -DNOASK      the restored decider adds without asking
 *          -DRESTORE -DTAKEOLD    a party that answered still takes entries of epoch 1
 *          -DRESTORE -DNOBRING     an end that is shown does not bring along the entry that it names
 *          -DRESTORE -DONLYFIRST  the parties show the conclusion they hold, not the whole chain
 */
#define E0 4
#define T 5
/* entries by number: amendments 1..3, E0, T */
#define PRED(i) (i==3 -> 1 : E0)
#define people(e) (e==E0 -> 1 : (e==1 || e==2 -> 2 : (e==3 -> 1 : 0)))
#define AT_proposer(i) sp[i]
#define AT_acceptor(i) sa[i]
#define AT_register(i) reg[i]
#define AT_chain(x) state
/* P proposes A1 and A3, Q proposes A2 */
#define holdsP(i) (i==2 -> A_HOLDS(sa[2]) && sa[2]!=ACCEPTOR_CONCLUDED : P_OPEN(sp[i]))
#define lastP pch[lp]
#define lastQ qch[lq]
#define proposer_room(i) (i==2 || MAX(ownP,people(i)) + X <= 2)
#define acceptor_room(i) (i!=2 || MAX(ownP,people(i)) + X <= 2)
#define proposer_may_come(i) (i==2 -> lastQ==PRED(i) : lastP==PRED(i))
#define acceptor_may_come(i) (i==2 -> lastP==PRED(i) : lastQ==PRED(i))
/* an entry that was not heard of, below the one that was */
#define gapP ((lp>2 && pch[2]==0) || (lp>3 && pch[3]==0))
#define gapQ ((lq>2 && qch[2]==0) || (lq>3 && qch[3]==0))
#define acceptor_root_open(i) (i==2 -> lastP!=T || gapP : lastQ!=T || gapQ)
#ifdef NOPRED
#define register_follows(i) (ch[dl]!=T)
#else
#define register_follows(i) (ch[dl]==PRED(i))
#endif
#define register_amends always
#define register_cannot_come(i) (ch[dl]!=PRED(i))
#define register_another always
#if defined(RESTORE) && !defined(NOASK)
#define may (ep==1 || (ansP && ansQ))
#else
#define may true
#endif
#define register_may_rule(i) may
#define chain_may_rule(x) may
#define chain_names_last(e) (ch[dl]==e)
#define chain_ends_part never /* parts.pml */
#include "common.pml"
byte sp[4], sa[4], reg[4], state = CHAIN_CONCLUDED;
byte ch[5], pch[5], qch[5], m1[5], m2[5]; /* the chain, what the parties hold, what epochs 1 and 2 said; from 1 */
byte dl = 1, lp = 1, lq = 1, ep = 1, pep = 1, qep = 1, x, rx, k;
bit acc[4], late[4], tP[5], tQ[5], wP, wQ, ansP, ansQ, fin;
#define X P_HOLDS(x)
#ifdef FREEOLD
#define agreed (lastP==1 && holdsP(3) -> 1 : people(lastP))
#else
#define agreed people(lastP)
#endif
#define pending MAX(2*(holdsP(1) || holdsP(2)), holdsP(3))
#ifdef TLOCAL
#define ownP (tP[1] || tP[2] || tP[3] || tP[4] -> 0 : MAX(agreed,pending))
#else
#define ownP MAX(agreed,pending)
#endif

#define AMEND(i) \
  :: atomic { !fin && CAN_propose(i) -> DO_propose(i); printf("@ A%d: proposed, the increase held\n",i) } \
  :: atomic { sp[i]!=PROPOSER_NONE && CAN_acceptor_receive(i) -> DO_acceptor_receive(i) } \
  :: atomic { sp[i]!=PROPOSER_NONE && CAN_acceptor_receive_late(i) -> DO_acceptor_receive_late(i) } \
  :: atomic { !fin && CAN_accept(i) -> DO_accept(i); acc[i]=1; printf("@ A%d: accepted, the increase held\n",i) } \
  :: atomic { sp[i]!=PROPOSER_NONE && !late[i] -> late[i]=1; printf("@ A%d: accept_by passes, or a request to void\n",i) } \
  :: atomic { dl<4 && acc[i] && CAN_register_amend(i) -> DO_register_amend(i); state=CHAIN_AMENDED; dl++; ch[dl]=i; SAY; SWEEP(i,1); SWEEP(i,2); SWEEP(i,3); \
       printf("@ A%d: the decider adds it at position %d\n",i,dl) } \
  :: atomic { sp[i]!=PROPOSER_NONE && CAN_register_lapse(i) -> DO_register_lapse(i); printf("@ A%d: void\n",i) } \
  :: atomic { acc[i] && CAN_register_never(i) -> DO_register_never(i); printf("@ A%d: void, overtaken\n",i) } \
  :: atomic { reg[i]==REGISTER_VOID && P_OPEN(sp[i]) -> sp[i]=PROPOSER_VOID; printf("@ A%d: proposer takes void\n",i) } \
  :: atomic { reg[i]==REGISTER_VOID && A_OPEN(sa[i]) -> sa[i]=ACCEPTOR_VOID; printf("@ A%d: acceptor takes void\n",i) }
/* written, and sent: from now on it may arrive at any time, or never */
#define SAY if :: ep==1 -> m1[dl]=ch[dl] :: else -> m2[dl]=ch[dl] fi
#define SWEEP(i,j) if :: j!=i && sp[j]!=PROPOSER_NONE && reg[j]==REGISTER_NONE -> DO_register_sweep(j) :: else fi
#define TERM(e) \
  :: atomic { dl<4 && (tP[(e)-1] || tQ[(e)-1]) && ENDS(e) -> DO_chain_end(e); under=ch[dl]; dl++; ch[dl]=T; SAY; SWEEP(0,1); SWEEP(0,2); SWEEP(0,3); printf("@ T: the decider ends it at position %d\n",dl) }
#ifdef NOPRED
#define ENDS(e) (ch[dl]!=T && may)
#else
#define ENDS(e) CAN_chain_end(e)
#endif
#ifdef NORESIGN
#define AGAIN(t) !(t[0] || t[1] || t[2] || t[3])
#else
#define AGAIN(t) true
#endif
#ifdef TAKEOLD
#define TAKES(e,mine) true
#else
#define TAKES(e,mine) (e>=mine)
#endif
/* A party takes entry n: a jump is a jump. Its own amendment in it is concluded; with the next entry exactly, what
 * wanted its place is void. A lower one that comes late only tells what became of its deal. */
#define MARK if :: k<=3 -> if :: sp[k]!=PROPOSER_NONE && who==(k==2 -> 2 : 1) -> sp[k]=PROPOSER_CONCLUDED :: sa[k]!=ACCEPTOR_NONE && who==(k==2 -> 1 : 2) -> sa[k]=ACCEPTOR_CONCLUDED :: else fi :: else fi
#define OVER(j,me) if :: k!=j && (j==2 -> me==2 : me==1) && P_OPEN(sp[j]) && PRED(j)==old -> sp[j]=PROPOSER_VOID \
                      :: k!=j && (j==2 -> me==1 : me==2) && A_OPEN(sa[j]) && PRED(j)==old -> sa[j]=ACCEPTOR_VOID :: else fi
#define LEARN(me,c,l,mine,e,m,n) \
  :: atomic { m[n]!=0 && TAKES(e,mine) && c[n]==0 -> k=m[n]; who=me; \
       if :: n>l -> old=c[l]; if :: n==l+1 -> OVER(1,me); OVER(2,me); OVER(3,me) :: else fi; l=n :: else fi; \
       c[n]=k; MARK; printf("@ party %d takes position %d: %d, of epoch %d\n",me,n,k,e); k=0; old=0; who=0 }
byte who, old, under; /* under: the entry that a decided TERMINATE names */
#define SAME(n) (!(pch[n]!=0 && qch[n]!=0 && pch[n]!=qch[n]) && !(pch[n]!=0 && ch[n]!=0 && pch[n]!=ch[n]) && !(qch[n]!=0 && ch[n]!=0 && qch[n]!=ch[n]))
#ifdef NOBRING
#define BRING(c,n) skip
#else
#define BRING(c,n) if :: c[n]==T && n==dl+2 -> dl++; ch[dl]=under; SAY; reg[under]=REGISTER_AMENDED :: else fi
#endif
#ifdef ONLYFIRST
#define ADOPT(c,n) skip
#else
#define ADOPT(c,n) BRING(c,n); if :: c[n]!=0 && ch[n]==0 && n==dl+1 -> dl=n; ch[n]=c[n]; SAY; state=(c[n]==T -> CHAIN_TERMINATED : CHAIN_AMENDED); if :: c[n]<=3 -> reg[c[n]]=REGISTER_AMENDED :: else fi :: else fi
#endif
#define SHOWVOID(s,j,v) if :: s[j]==v && reg[j]==REGISTER_NONE -> reg[j]=REGISTER_VOID :: else fi
#define GONE(i) (reg[i]==REGISTER_AMENDED && (sp[i]==PROPOSER_VOID || sa[i]==ACCEPTOR_VOID))
#define OPENS (P_OPEN(sp[1]) || P_OPEN(sp[2]) || P_OPEN(sp[3]) || A_OPEN(sa[1]) || A_OPEN(sa[2]) || A_OPEN(sa[3]))

active proctype World() {
  atomic { ch[1]=E0; pch[1]=E0; qch[1]=E0 }
  do
  AMEND(1) AMEND(2) AMEND(3)
  TERM(E0) TERM(1) TERM(2) TERM(3)
  :: atomic { !fin && !wP -> wP=1; printf("@ P's user wants an end\n") }
  :: atomic { !fin && !wQ -> wQ=1; printf("@ Q's user wants an end\n") }
  :: atomic { wP && lastP!=T && !tP[lastP-1] && AGAIN(tP) -> tP[lastP-1]=1; printf("@ T: P signs after %d\n",lastP) }
  :: atomic { wQ && lastQ!=T && !tQ[lastQ-1] && AGAIN(tQ) -> tQ[lastQ-1]=1; printf("@ T: Q signs after %d\n",lastQ) }
  LEARN(1,pch,lp,pep,1,m1,2) LEARN(1,pch,lp,pep,1,m1,3) LEARN(1,pch,lp,pep,1,m1,4)
  LEARN(2,qch,lq,qep,1,m1,2) LEARN(2,qch,lq,qep,1,m1,3) LEARN(2,qch,lq,qep,1,m1,4)
#ifdef RESTORE
  :: atomic { !fin && ep==1 && dl>1 -> ep=2; dl=1; state=CHAIN_CONCLUDED; ch[2]=0; ch[3]=0; ch[4]=0; reg[1]=REGISTER_NONE; reg[2]=REGISTER_NONE; reg[3]=REGISTER_NONE; printf("@ -- the decider is restored, epoch 2\n") }
  LEARN(1,pch,lp,pep,2,m2,2) LEARN(1,pch,lp,pep,2,m2,3) LEARN(1,pch,lp,pep,2,m2,4)
  LEARN(2,qch,lq,qep,2,m2,2) LEARN(2,qch,lq,qep,2,m2,3) LEARN(2,qch,lq,qep,2,m2,4)
  :: atomic { ep==2 && !ansP -> ansP=1; pep=2; ADOPT(pch,2); ADOPT(pch,3); ADOPT(pch,4); SHOWVOID(sp,1,PROPOSER_VOID); SHOWVOID(sa,2,ACCEPTOR_VOID); SHOWVOID(sp,3,PROPOSER_VOID); printf("@ P shows what it holds\n") }
  :: atomic { ep==2 && !ansQ -> ansQ=1; qep=2; ADOPT(qch,2); ADOPT(qch,3); ADOPT(qch,4); SHOWVOID(sa,1,ACCEPTOR_VOID); SHOWVOID(sp,2,PROPOSER_VOID); SHOWVOID(sa,3,ACCEPTOR_VOID); printf("@ Q shows what it holds\n") }
#endif
  :: atomic { !fin && x==PROPOSER_NONE && ownP + 1 <= 2 -> x=PROPOSER_PROPOSED; printf("@ x: P signs\n") }
  :: atomic { x==PROPOSER_PROPOSED -> x=PROPOSER_CONCLUDED; printf("@ x: concluded\n") }
  :: atomic { x==PROPOSER_PROPOSED -> x=PROPOSER_VOID }
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: !(SAME(2) && SAME(3) && SAME(4)) -> WRONG("@ INVARIANT 1: two chains\n")
  :: ep==1 && (lp>dl || lq>dl) -> WRONG("@ INVARIANT 2\n")
  :: GONE(1) || GONE(2) || GONE(3) -> WRONG("@ INVARIANT 1: void at a party, in the chain at the decider\n")
  :: (ep==1 || (ansP && ansQ)) && (ownP + X > 2 || people(ch[dl]) + (x==PROPOSER_CONCLUDED) > 2) -> WRONG("@ INVARIANT 3\n")
  :: (ch[2]==T && dl>2) || (ch[3]==T && dl>3) -> WRONG("@ INVARIANT 4: an entry after the end\n")
  COVERED(lp==4 && lq==4 && pch[2]==1 && pch[3]==3 && pch[4]==T && x==PROPOSER_CONCLUDED && (ep==COVER || COVER==1))
  :: else -> if
     :: (wP || wQ) && ch[dl]!=T && dl<4 -> WRONG("@ FLAW: an end was asked for and got lost\n")
     :: lp!=dl || lq!=dl || OPENS -> WRONG("@ INVARIANT 5\n")
     :: else -> break
     fi
  od
}
