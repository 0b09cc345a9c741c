/* A shared group on two lanes: competing members, their deaths, the recovery of what they held, and slots that are used again.
 *
 * Each lane's producer overwrites what nobody needs. Three members claim from either lane with one intent word (lane, position).
 * Members 0 and 1 may die at any step, also while they recover; whoever survives recovers the claims of the dead, in place. Member 0
 * may also leave, and a newcomer may take its slot once no claim is left in it. Member 1 joins while the others are at work.
 *
 *   claim      p = cursor; header at p?; intent = (lane, p); CAS cursor p -> p+1; won: deliver, intent = 0; lost: intent = 0
 *   recover d  d is dead, v = its heir, 0 or dead; CAS heir v -> me; read d's intents; is it still the same epoch, and dead? else
 *              heir = 0; for an intent q: cursor not past q: clear; version++, floor past q: clear; else deliver again, clear; heir = 0
 *   refresh    version; cursor; claimants; intents of claimants in this lane, from limit - capacity on; floor; version again: limit
 *
 * A slot's claimant bit is set by its holder before its first intent, and cleared by its holder only, when it leaves. An heir never
 * touches it: when the last intent is cleared the slot is free, and the bit may be the next holder's.
 *
 * Checked: an owned record is never overwritten; nothing is lost; a duplicate only where a redelivery was reported; nobody touches
 * the intent of a living member but itself; whoever can go on does (no invalid end state).
 *
 * Bounds: unit records in lanes of two words (record and terminator), so the second record overwrites the first. N and N1 records in
 * the lanes 0 and 1; MAXDEATHS deaths: a member's, and its heir's or the newcomer's. One intent a member: several are recovered one after
 * the other, under the same heir word, and pin the slot until the last is cleared. The lane's content is two numbers: published, and
 * overwritten up to. The count of deliveries in the intent word has no part in the protocol and is left out.
 *
 * Left out on purpose, each is wrong:
 *   NO_VERSION       the producer does not look at the version again after it has stored the floor
 *   INTENTS_FIRST    its scan reads the members' intents before the lane's cursor
 *   CLAIMANTS_FIRST  its scan reads the claimants before the lane's cursor
 *   FLOOR_FILTER     it leaves out intents below the floor that it has stored, though it may not have acted upon that floor yet
 *   NO_RAISE         a recoverer does not raise the version before it looks at the floor
 *   MOVED_INTENT     it takes the intent over into its own word, and clears the dead one's
 *   NO_RECHECK       it does not ask again, after it has become the heir, whether the slot is still the dead member's
 *   RECHECK_FIRST    it asks again, but before it reads the intents
 *   HEIR_CLEARS      it clears the claimant bit with an atomic AND, before heir = 0
 * Three that hold:
 *   NO_JOIN_RAISE                  a newcomer does not raise the version: its first intent is stored before it moves a cursor, and
 *                                  the scan reads the claimants after the cursor
 *   HEIR_CLEARS, NEWCOMER_WAITS    the heir clears the bit, but a newcomer that has taken the slot waits, before it sets its bit, until
 *                                  the heir word is 0 or a dead one's; RECHECK_FIRST holds with that wait, too. But then whoever
 *                                  joins may have to wait for an heir that is stopped. */
#ifndef N
#define N 2
#endif
#ifndef N1
#define N1 0                       /* messages of lane 1 */
#endif
#define MESSAGES(l) (l==0 -> N : N1)
#ifndef CAP
#define CAP 2
#endif
#ifndef MAXDEATHS
#define MAXDEATHS 1
#endif
#define SLOTS 3
#ifdef FLOOR_FILTER
#define COUNTS(q) ((q)>=floor_[l])
#else
#define COUNTS(q) ((q)+CAP>=limit)
#endif
byte cursor[2], floor_[2], published[2], overwritten[2], version;
byte intent[SLOTS];                /* 0 none, else 1 + lane*N + position */
byte heir[SLOTS];                  /* 0 nobody, else the stamp of whoever recovers this slot */
byte epoch[SLOTS]; bool dead[SLOTS], claimant[SLOTS];
#define CLAIM(l,p)     (1+(l)*N+(p))
#define LANE(c)        (((c)-1)/N)
#define POSITION(c)    (((c)-1)%N)
#define STAMP(s)       (1+(s)+SLOTS*epoch[s])
#define IS_DEAD(stamp) (epoch[((stamp)-1)%SLOTS]!=((stamp)-1)/SLOTS || dead[((stamp)-1)%SLOTS])
/* ghosts */
byte deaths, finished, delivered[N+N1]; bool redelivered[N+N1];

inline look_at_claimants() { atomic { mask = claimant[0] + 2*claimant[1] + 4*claimant[2] } }
inline look_at_intent(s) {
  if
  :: atomic { mask & (1<<s) ->
       if
       :: intent[s]!=0 && LANE(intent[s])==l && COUNTS(POSITION(intent[s])) && POSITION(intent[s])<lowest -> lowest=POSITION(intent[s])
       :: else
       fi }
  :: !(mask & (1<<s))
  fi
}
proctype Producer(byte l) {
  byte limit=CAP, lowest, v, mask;
  do
  :: published[l]==MESSAGES(l) -> break
  :: published[l]<MESSAGES(l) && published[l]+2<=limit ->
     d_step {
       if :: published[l]+2-CAP > overwritten[l] -> overwritten[l]=published[l]+2-CAP :: else fi;
       published[l]++ }
  :: published[l]<MESSAGES(l) && published[l]+2>limit ->
     v = version;
#ifdef CLAIMANTS_FIRST
     look_at_claimants();
     lowest = cursor[l];
#elif defined(INTENTS_FIRST)
     lowest = N;
     look_at_claimants();
#else
     lowest = cursor[l];
     look_at_claimants();
#endif
     look_at_intent(0); look_at_intent(1); look_at_intent(2);
#ifdef INTENTS_FIRST
     if :: atomic { cursor[l]<lowest -> lowest=cursor[l] } :: cursor[l]>=lowest fi;
#endif
     if :: lowest>floor_[l] -> floor_[l]=lowest :: else fi;
#ifdef NO_VERSION
     limit = (lowest+CAP>limit -> lowest+CAP : limit);
#else
     if :: atomic { version==v -> limit = (lowest+CAP>limit -> lowest+CAP : limit) } :: version!=v fi;
#endif
     atomic { lowest=0; v=0; mask=0 }
  od;
  limit = 0
}

#define or_die :: atomic { m<2 && deaths<MAXDEATHS -> deaths++; dead[m]=true; goto gone }
#define ALL_CLAIMED (cursor[0]==N && cursor[1]==N1)
#define RECOVERABLE(s) (dead[s] && intent[s]!=0 && (heir[s]==0 || IS_DEAD(heir[s])))

inline deliver(c) { d_step { assert(POSITION(c)>=overwritten[LANE(c)]); delivered[(c)-1]++ } }
inline end_of_recovery() {
#ifdef HEIR_CLEARS
  if :: claimant[d]=false or_die fi;
#endif
  if :: heir[d]=0 or_die fi;
  goto next
}
proctype Member(byte m) {
  byte c, d, v, e;
  if
  :: m==1 ->                       /* it joins now */
join:
#ifdef NEWCOMER_WAITS
     if :: heir[m]==0 || IS_DEAD(heir[m]) or_die fi;
#endif
     if :: claimant[m]=true or_die fi;
#ifndef NO_JOIN_RAISE
     if :: version++ or_die fi
#endif
  :: m!=1
  fi;
next:
  atomic { c=0; d=0; v=0; e=0 };
  if
  :: atomic { cursor[0]<published[0] -> c=CLAIM(0,cursor[0]) }; goto claim
  :: atomic { cursor[1]<published[1] -> c=CLAIM(1,cursor[1]) }; goto claim
  :: atomic { m!=0 && RECOVERABLE(0) -> d=0; v=heir[0]; e=epoch[0] }; goto recover
  :: atomic { m!=1 && RECOVERABLE(1) -> d=1; v=heir[1]; e=epoch[1] }; goto recover
  :: m==0 && epoch[0]==0 -> if :: claimant[0]=false or_die fi; atomic { dead[0]=true; goto gone }      /* a clean leave */
  :: m<2 && ALL_CLAIMED -> goto done
  :: m==2 && ALL_CLAIMED && finished==2 && (!dead[0] || intent[0]==0) && (!dead[1] || intent[1]==0) -> goto verdict
  fi;

claim:
  if :: intent[m]=c or_die fi;
  if
  :: atomic { cursor[LANE(c)]==POSITION(c) -> cursor[LANE(c)]=POSITION(c)+1; goto won }
  :: cursor[LANE(c)]!=POSITION(c) -> goto finish
  or_die fi;
won:
  if :: deliver(c) or_die fi;
  if :: assert(POSITION(c)>=overwritten[LANE(c)]) or_die fi;
finish:
  if :: atomic { assert(intent[m]==c); intent[m]=0; goto next } or_die fi;

recover:
  if :: atomic { heir[d]==v -> heir[d]=STAMP(m) } :: heir[d]!=v -> goto next or_die fi;
#ifdef RECHECK_FIRST
  if :: epoch[d]==e && dead[d] :: atomic { !(epoch[d]==e && dead[d]) -> heir[d]=0; goto next } or_die fi;
#endif
  c = intent[d];
#if !defined(NO_RECHECK) && !defined(RECHECK_FIRST)
  if :: epoch[d]==e && dead[d] :: atomic { !(epoch[d]==e && dead[d]) -> heir[d]=0; goto next } or_die fi;
#endif
  if :: c==0 -> end_of_recovery() :: else fi;
  if :: cursor[LANE(c)]<=POSITION(c) -> goto clear :: cursor[LANE(c)]>POSITION(c) or_die fi;      /* never won */
#ifndef NO_RAISE
  if :: version++ or_die fi;
#endif
  if :: floor_[LANE(c)]>POSITION(c) -> goto clear :: floor_[LANE(c)]<=POSITION(c) or_die fi;      /* stale */
#ifdef MOVED_INTENT
  if :: intent[m]=c or_die fi;
  if :: intent[d]=0 or_die fi;
#endif
  if :: atomic { deliver(c); redelivered[c-1]=true } or_die fi;
  if :: assert(POSITION(c)>=overwritten[LANE(c)]) or_die fi;
#ifdef MOVED_INTENT
  if :: heir[d]=0 or_die fi;
  goto finish;
#endif
clear:
  if :: atomic { assert(dead[d] && intent[d]==c); intent[d]=0 } or_die fi;
  end_of_recovery();

gone:
  atomic { c=0; d=0; v=0; e=0 };
  if
  :: atomic { m==0 && epoch[0]==0 && intent[0]==0 -> epoch[0]=1; dead[0]=false }; goto join      /* a newcomer in the slot */
  :: true
  fi;
done:
  atomic { finished++; c=0; d=0; v=0; e=0; goto end };
verdict:
  atomic {
    do :: c<N+N1 -> assert(delivered[c]>=1); assert(delivered[c]==1 || redelivered[c]); c++ :: else -> break od;
    c=0
  };
end: skip
}
init { atomic { claimant[0]=true; claimant[2]=true; run Producer(0); run Producer(1); run Member(0); run Member(1); run Member(2) } }
