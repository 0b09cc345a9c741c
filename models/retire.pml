/* A group's entry is used again: consumers join at the floor of a lane whose producer overwrites what nobody needs, die at any step, and
 * are retired by whoever needs the entry, or by the producer that they hold back (src/ShmIpc/Channels/GroupTable.cs). Retirers die too.
 *
 *   state      free -CAS-> joining(consumer) -> active(consumer) -CAS-> retiring(whoever) -> free; any dead holder's by CAS to retiring
 *   join       cursor = floor; bit; version++; floor again: move up; active
 *   retire     CAS to retiring(me); clear the bit; version++; free
 *
 * Checked: who has joined is gated for, until it leaves: what it reads is whole and comes in order without a gap; no consumer that
 * lives is evicted (a producer retires an active group whose cursor it finds impossible, and may find that of no honest one so).
 *
 * Bounds: one entry, three consumers that come for it one after another or at once: one that is retired, one that retires it, dies or
 * not, and one that comes late. Lanes and other entries do not touch. Records of one word in a lane of three, so that two fit.
 *
 * Left out on purpose, each is wrong:
 *   FREE_FIRST     the entry is free before its bit is cleared
 *   NO_REREAD      a joiner does not look at the floor again
 *   NO_VERSION     the producer does not look at the version again
 *   ANY_STATE      the producer retires a group with an impossible cursor whatever its state, a joining one too
 *   STATE_LAST     it reads the group's state after it has found the cursor impossible, and does not look at the cursor again */
#ifndef N
#define N 5
#endif
#define CAP 3
#define CONSUMERS 3
#define FREE 0
#define JOINING  4                 /* | consumer 1..3; the producer is 0 */
#define ACTIVE   8
#define RETIRING 12
#define HOLDER(s) ((s)&3)
#define KIND(s)   ((s)&12)
byte floor_, published, overwritten, version, cursor, state;
bool gating;
bool dead[CONSUMERS+1];
byte next=1;
#define MAX(a,b) (a>b -> a : b)
/* A cursor that an honest group cannot have, once it has joined. */
#define IMPOSSIBLE(c) (c>published || c+CAP<MAX(limit, published+1))

proctype Producer() {
  byte limit=CAP, lowest, v, s; bool isImpossible;
  do
  :: published==N -> break
  :: published<N && published+2<=limit ->
     d_step { overwritten=MAX(overwritten, published+2-CAP); published++ }
  :: published<N && published+2>limit ->
     v = version;
     isImpossible = false;
     if
     :: gating -> atomic { lowest=cursor; isImpossible=IMPOSSIBLE(lowest) }
     :: !gating -> lowest = published+2-CAP
     fi;
     if
     :: isImpossible
     :: else ->
        if :: lowest>floor_ -> floor_=lowest :: else fi;
#ifdef NO_VERSION
        limit = MAX(limit, lowest+CAP);
#else
        if :: atomic { version==v -> limit=MAX(limit, lowest+CAP) } :: version!=v fi;
#endif
     fi;
     if
     :: published+2<=limit
     :: else ->                    /* somebody is in the way */
        s = state;
#ifndef STATE_LAST
        isImpossible = IMPOSSIBLE(cursor);
#endif
        if
#ifdef ANY_STATE
        :: KIND(s)!=FREE && gating && (isImpossible || dead[HOLDER(s)]) ->
#else
        :: KIND(s)!=FREE && gating && ((KIND(s)==ACTIVE && isImpossible) || dead[HOLDER(s)]) ->
#endif
           atomic {
             if
             :: state==s -> state=RETIRING; assert(dead[HOLDER(s)])
             :: else -> s=FREE
             fi
           }
           if
           :: s!=FREE ->
#ifdef FREE_FIRST
              state=FREE; gating=false; version++
#else
              gating=false; version++; state=FREE
#endif
           :: else
           fi
        :: else
        fi
     fi;
     atomic { lowest=0; v=0; s=0; isImpossible=false }
  od }

#define or_die :: atomic { self<CONSUMERS -> goto die }
proctype Consumer(byte self) {
  byte s, p;
  atomic { next==self; next++ };   /* the names are given in order of arrival */
reserve:
  if
  :: atomic { state==FREE -> state=JOINING+self; goto join }
  :: atomic { state!=FREE && dead[HOLDER(state)] -> s=state }
  :: published==N -> goto die      /* it comes too late to be of interest */
  fi;
  if :: atomic { state==s -> state=RETIRING+self } :: state!=s -> goto reserve or_die fi;
retire:
#ifdef FREE_FIRST
  if :: state=FREE or_die fi;
  if :: gating=false or_die fi;
  if :: version++ or_die fi;
#else
  if :: gating=false or_die fi;
  if :: version++ or_die fi;
  if :: state=FREE or_die fi;
#endif
  if :: p==0 -> goto reserve :: else -> goto die fi;
join:
  p = floor_;
  if :: cursor=p or_die fi;
  if :: gating=true or_die fi;
  if :: version++ or_die fi;
#ifndef NO_REREAD
  if :: atomic { floor_>p -> p=floor_ }; if :: cursor=p or_die fi :: floor_<=p fi;
#endif
  if :: state=ACTIVE+self or_die fi;
  do
  :: atomic { p<published -> assert(p>=overwritten); p++ }; if :: assert(p>overwritten); cursor=p or_die fi
  :: p==N -> break
  or_die
  od;
  /* It leaves, as it would be retired. */
  atomic { assert(state==ACTIVE+self); state=RETIRING+self };
  p = 1; goto retire;
die: atomic { dead[self]=true; s=0; p=0 }
}
init { atomic { run Producer(); run Consumer(1); run Consumer(2); run Consumer(3) } }
