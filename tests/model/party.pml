/* A party restored from an old backup, while the machine that it was taken from may still run: two instances of P,
 * one key, one offer of one person. (A machine that was lost is one that takes no more steps.)
 *
 *   d0: P proposes to Q       d1: R proposed to P, P accepts       d2: P proposes to S
 *
 * Each signed message carries the head that it extends: number and hash (here: which signature stands there). The
 * broker takes it only if it extends the head that is stored for this home; one that does not is refused for good,
 * and its hold ends. Welcome tells the head; an instance that is behind fetches copies of what was signed in its name,
 * restores those holds, and only then signs.
 *
 * mutants: -DNOHEAD     the head is not checked              -DNOCOPY     there are no copies to fetch
 *          -DNUMBERS    heads are compared by number only
 */
#define INSTANCES 2
#define AT_proposer(x) sp[x]   /* x: 2 * instance + (0: d0, 1: d2) */
#define AT_acceptor(x) sa[x]   /* x: instance; d1 */
#define used(i) (P_HOLDS(sp[2*(i)]) + P_HOLDS(sp[2*(i)+1]) + A_HOLDS(sa[i]))
#define proposer_room(x) (used((x)/2) < 1)
#define acceptor_room(x) (used(x) < 1)
#define MAY(i) synced[i]
#define proposer_welcomed(x) MAY((x)/2)
#define acceptor_welcomed(x) MAY(x)
#define D(x) ((x)%2 -> 2 : 0)
#define proposer_makes_it(x) (reg[D(x)]==REGISTER_CONCLUDED)
#define proposer_voids_it(x) (reg[D(x)]==REGISTER_VOID)
#define acceptor_makes_it(x) (reg[1]==REGISTER_CONCLUDED)
#define acceptor_voids_it(x) (reg[1]==REGISTER_VOID)
#define proposer_own_header(x) has[D(x)]
#define proposer_root_open always
#define acceptor_own_acceptance(x) has[1]
#define proposer_of_header always
#define acceptor_of_acceptance always
#include "common.pml"
/* A signature is numbered 3 * instance + deal + 1. at: its number in the chain while it is under way; on: what it
 * extends. mine: an instance's chain; theirs: the one the broker has. */
byte sp[4], sa[2], reg[3], bsp[2], bsa, at[7], on[7], mine[10], theirs[5], blen, bmine[5], size[2], head, k;
bit has[3], signs[7], synced[2], alive, fin;
#define S(i,d) (3*(i)+(d)+1)
#ifdef NOHEAD
#define EXTENDS(s) true
#else
#ifdef NUMBERS
#define EXTENDS(s) (at[s]==head+1)
#else
#define EXTENDS(s) (at[s]==head+1 && on[s]==theirs[head])
#endif
#endif
/* it waits for one before it that is still under way */
#define WAITS(s) (at[s]>head+1 && on[s]!=0 && at[on[s]]!=0)
#ifdef NUMBERS
#define BEHIND(i) (size[i]<head)
#else
#define BEHIND(i) (head>0 && (size[i]<head || mine[5*i+head]!=theirs[head]))
#endif
#ifdef NOCOPY
#define FETCH(i) skip
#else
#define FETCH(i) if :: CAN_proposer_copy((2*i)) -> DO_proposer_copy((2*i)) :: else fi; if :: CAN_proposer_copy((2*i+1)) -> DO_proposer_copy((2*i+1)) :: else fi; \
                 if :: CAN_acceptor_copy(i) -> DO_acceptor_copy(i) :: else fi
#endif
#define REBASE(i) size[i]=head; k=1; do :: k<=4 -> mine[5*i+k]=(k<=head -> theirs[k] : 0); k++ :: else -> break od; k=0
#define APPEND(i,d) size[i]++; mine[5*i+size[i]]=S(i,d); at[S(i,d)]=size[i]; on[S(i,d)]=mine[5*i+size[i]-1]; signs[S(i,d)]=1
#define UNSYNC(i) synced[i]=0
#define MESSAGE(i,d) \
  :: atomic { at[S(i,d)]!=0 && EXTENDS(S(i,d)) && head<4 -> head++; theirs[head]=S(i,d); at[S(i,d)]=0; has[d]=1; printf("@ the broker takes d%d of instance %d\n",d,i) } \
  :: atomic { at[S(i,d)]!=0 && !EXTENDS(S(i,d)) && !WAITS(S(i,d)) -> at[S(i,d)]=0; UNSYNC(i); \
       if :: d==1 && CAN_acceptor_refused(i) -> DO_acceptor_refused(i) :: d==0 && CAN_proposer_refused((2*i)) && !has[0] -> DO_proposer_refused((2*i)) \
          :: d==2 && CAN_proposer_refused((2*i+1)) && !has[2] -> DO_proposer_refused((2*i+1)) :: else fi; printf("@ the broker refuses d%d of instance %d\n",d,i) }
#define PROPOSES(i,x,d) \
  :: atomic { !fin && (i==0 || alive) && !signs[S(0,d)] && !signs[S(1,d)] && size[i]<4 && CAN_proposer_draft(x) && MAY(i) -> DO_propose(x); APPEND(i,d); printf("@ instance %d signs d%d, holds\n",i,d) } \
  :: atomic { CAN_proposer_take_deal(x) -> DO_proposer_take_deal(x); printf("@ instance %d: d%d concluded\n",i,d) } \
  :: atomic { CAN_proposer_take_void(x) -> DO_proposer_take_void(x) }
#define INSTANCE(i) \
  PROPOSES(i,(2*i),0) PROPOSES(i,(2*i+1),2) \
  :: atomic { !fin && (i==0 || alive) && !signs[S(i,1)] && size[i]<4 && CAN_accept(i) && MAY(i) -> DO_accept(i); APPEND(i,1); printf("@ instance %d signs d1, holds\n",i) } \
  :: atomic { at[S(i,1)]==0 && CAN_acceptor_take_deal(i) -> DO_acceptor_take_deal(i); printf("@ instance %d: d1 concluded\n",i) } \
  :: atomic { at[S(i,1)]==0 && CAN_acceptor_take_void(i) -> DO_acceptor_take_void(i) } \
  :: atomic { (i==0 || alive) && (!synced[i] || BEHIND(i)) && at[S(i,0)]==0 && at[S(i,1)]==0 && at[S(i,2)]==0 -> \
       if :: BEHIND(i) -> FETCH(i); REBASE(i) :: !BEHIND(i) && size[i]>head -> REBASE(i) :: else fi; synced[i]=1; printf("@ instance %d: Welcome, head %d\n",i,head) } \
  MESSAGE(i,0) MESSAGE(i,1) MESSAGE(i,2)
#define DECIDES(d) \
  :: atomic { has[d] && reg[d]==REGISTER_NONE -> reg[d]=REGISTER_CONCLUDED; printf("@ d%d: concluded\n",d) } \
  :: atomic { has[d] && reg[d]==REGISTER_NONE -> reg[d]=REGISTER_VOID }
#define C(d) (reg[d]==REGISTER_CONCLUDED)
#define LACKS(i) ((C(0) && sp[2*i]!=PROPOSER_CONCLUDED) || (C(1) && sa[i]!=ACCEPTOR_CONCLUDED) || (C(2) && sp[2*i+1]!=PROPOSER_CONCLUDED))

active proctype World() {
  sa[0]=ACCEPTOR_RECEIVED; bsa=ACCEPTOR_RECEIVED;
  do
  INSTANCE(0) INSTANCE(1)
  DECIDES(0) DECIDES(1) DECIDES(2)
  :: atomic { !fin && !alive && blen!=size[0] -> bsp[0]=sp[0]; bsp[1]=sp[1]; bsa=sa[0]; blen=size[0]; k=1; do :: k<=4 -> bmine[k]=mine[k]; k++ :: else -> break od; k=0; printf("@ a backup is made\n") }
  :: atomic { !fin && !alive -> alive=1; sp[2]=bsp[0]; sp[3]=bsp[1]; sa[1]=bsa; size[1]=blen; k=1; do :: k<=4 -> mine[5+k]=bmine[k]; k++ :: else -> break od; k=0; printf("@ -- P is restored on another machine\n") }
  :: atomic { !fin -> fin=1; printf("@ -- all are back --\n") }
  :: C(0) + C(1) + C(2) > 1 -> WRONG("@ INVARIANT 3\n")
  :: (sp[0]==PROPOSER_VOID && C(0)) || (sp[1]==PROPOSER_VOID && C(2)) || (sa[0]==ACCEPTOR_VOID && C(1)) || (sp[2]==PROPOSER_VOID && C(0)) || (sp[3]==PROPOSER_VOID && C(2)) || (sa[1]==ACCEPTOR_VOID && C(1)) -> WRONG("@ INVARIANT 2\n")
  COVERED(alive && C(1) && sa[0]==ACCEPTOR_CONCLUDED && sa[1]==ACCEPTOR_CONCLUDED && signs[2] && signs[5] && sp[2]==PROPOSER_VOID && reg[0]==REGISTER_VOID)
  :: else -> if
     :: LACKS(0) || (alive && LACKS(1)) -> WRONG("@ INVARIANT 5\n")
     :: P_OPEN(sp[0]) || P_OPEN(sp[1]) || P_OPEN(sp[2]) || P_OPEN(sp[3]) || sa[0]==ACCEPTOR_PENDING || sa[1]==ACCEPTOR_PENDING -> WRONG("@ INVARIANT 5\n")
     :: else -> break
     fi
  od
}
