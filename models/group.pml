/* A shared group on one lane. The producer overwrites what nobody needs; three members compete; members 0 and 1 may die at
 * any step, also while recovering; whoever survives recovers the claims of the dead. Unit records, one intent a member.
 * Checked: an owned record is never overwritten; nothing is lost; a duplicate only where a redelivery was reported.
 *
 * Left out on purpose, each is wrong:
 *   NO_VERSION      the producer does not look at the version again after it has stored the floor
 *   INTENTS_FIRST   its scan reads the members' intents before the lane's cursor */
#define CAP 3
#define N 4
byte slot[CAP];              /* header word: 0 = terminator, k+1 = message k */
byte floor_ = 0; byte claim = 0; byte version = 0;
byte intent[3];              /* position+1, 0 = none */
bool dead[3]; byte deaths = 0;
byte heir[3];                /* who recovers this dead member's intent: member+1, 0 = nobody */
byte delivered[N]; bool redelivered[N];
#define ID(p) ((p)+1)
#define IDX(p) ((p)%CAP)
#define MAXDEATHS 2
inline maybe_die() { if :: m<2 && deaths<MAXDEATHS -> atomic { deaths++; dead[m]=true }; goto gone :: true fi }
proctype Producer() { byte p=0, limit=CAP, nf, v, t;
  do
  :: p<N ->
     do
     :: p+2 <= limit -> break
     :: else ->
#ifdef INTENTS_FIRST
        v = version; nf = N;
#else
        v = version; nf = claim;
#endif
        t=intent[0]; if :: t!=0 && t-1<nf -> nf=t-1 :: else fi;
        t=intent[1]; if :: t!=0 && t-1<nf -> nf=t-1 :: else fi;
        t=intent[2]; if :: t!=0 && t-1<nf -> nf=t-1 :: else fi;
#ifdef INTENTS_FIRST
        if :: claim<nf -> nf=claim :: else fi;
#endif
        if :: nf > floor_ -> floor_ = nf :: else fi;
#ifdef NO_VERSION
        limit = nf+CAP
#else
        if :: version==v -> limit = nf+CAP :: else fi
#endif
     od;
     slot[IDX(p+1)] = 0;
     slot[IDX(p)] = ID(p);
     p++
  :: else -> break
  od }
proctype Member(byte m) { byte p, q, v, d;
  do
  :: claim>=N && !(dead[0]&&intent[0]!=0) && !(dead[1]&&intent[1]!=0) && (m<2 || ((dead[0]||intent[0]==0) && (dead[1]||intent[1]==0))) -> break
  :: (dead[0]&&intent[0]!=0) || (dead[1]&&intent[1]!=0) ->
     if :: dead[0]&&intent[0]!=0 -> d=0 :: dead[1]&&intent[1]!=0 -> d=1 :: else -> goto next fi;
     v = heir[d];
     if :: v==0 -> skip :: v!=0 && dead[v-1] -> skip :: else -> goto next fi;   /* somebody living is at it */
     atomic { if :: heir[d]==v -> heir[d]=m+1 :: else -> goto next fi }
     maybe_die();
     if :: intent[d]==0 -> heir[d]=0; goto next :: else fi;
     q = intent[d]-1;
     if :: claim<=q -> intent[d]=0; maybe_die(); heir[d]=0; goto next :: else fi;   /* the dead one never won it */
     version++;       maybe_die();
     if :: floor_>q -> intent[d]=0; maybe_die(); heir[d]=0; goto next :: else fi;   /* its intent was stale */
     assert(slot[IDX(q)]==ID(q)); atomic { delivered[q]++; redelivered[q]=true }; maybe_die(); assert(slot[IDX(q)]==ID(q));
     intent[d] = 0;   maybe_die();
     heir[d] = 0
  :: claim<N ->
     p = claim;
     if :: slot[IDX(p)]==0 -> skip
        :: else ->
           intent[m] = p+1; maybe_die();
           atomic { if :: claim==p -> claim=p+1; goto won :: else fi }
           maybe_die(); intent[m]=0; goto next;
won:       maybe_die();
           assert(slot[IDX(p)]==ID(p)); delivered[p]++; maybe_die(); assert(slot[IDX(p)]==ID(p));
           intent[m]=0;
     fi;
next: skip
  od;
  if :: m==2 -> d=0; do :: d<N -> assert(delivered[d]>=1); assert(delivered[d]==1 || redelivered[d]); d++ :: else -> break od :: else fi;
gone: skip }
init { atomic { run Producer(); run Member(0); run Member(1); run Member(2) } }
