/* Completion: when may a reader stop waiting for messages? Producers join, publish, complete, leave or die at any step, on two lanes
 * that are taken again; one reader reads, and ends.
 *
 * A reader looks at the lanes; then, if somebody has ever completed, at every lane's owner; then, if no owner is living and
 * uncompleted and no producer has joined meanwhile, at the lanes once more; and ends if there is nothing.
 *
 * Checked:
 *   - when a reader ends there was an instant since it began to look at which somebody had completed, no living producer was left
 *     that had not, and everything published was read. So a message of a producer that completed before is never left unread, and
 *     a producer that hands over to another (which joins before it goes) ends nobody;
 *   - a reader does not wait for ever once every producer has completed, left or died, and one TryComplete returned.
 *
 * Bounds: three producers, a message each, on two lanes: two to overlap and one to come late, on a lane of its own or on that of one
 * that went. A reader acts on each lane alone, so a third lane adds nothing that two do not show. A park is bounded, so a reader looks
 * again whenever anything has changed (`changed`), a death too; whether it is *woken* is for park.pml.
 *
 * Left out on purpose, each is wrong:
 *   NO_SECOND_LOOK   it ends without looking at the lanes again
 *   COUNTER_FIRST    a producer raises the counter before it stores its completion word
 *   DEATH_COMPLETES  a reader ends when nobody living is left, completed or not
 *   NO_JOIN_COUNT    it does not ask whether a producer has joined since it began to look at the owners */
#define LANES 2
#define PRODUCERS 3
byte owner[LANES], completion[LANES], unread[LANES];
bool completions;        /* not 0: nobody asks how many */
bool joined;             /* the count of joins has changed since the reader read it */
bool alive[PRODUCERS+1];
byte next=1;
/* ghosts */
bool serving[PRODUCERS+1], completedOnce, returned, quiet, changed;
#define UNREAD     (unread[0]!=0 || unread[1]!=0)
#define SERVING(i) (alive[i] && serving[i])
#define QUIET      (!SERVING(1) && !SERVING(2) && !SERVING(3) && completedOnce && !UNREAD)
#define ALLGONE    (!alive[1] && !alive[2] && !alive[3])
#define step()     quiet = quiet || QUIET; changed=true

/* Instead of its next step, a producer may die: the kernel frees its stamp's lock. */
#define or_die :: atomic { alive[self]=false; serving[self]=false; step(); goto gone }

proctype Producer(byte self) {
  byte l;
  /* The first lane that nobody living owns; the names are given in this order. Reading the owner and the CAS are one step: a CAS on
   * what has changed takes nothing. */
  atomic {
    next==self; next++;
    if
    :: owner[0]==0 || !alive[owner[0]] -> l=0
    :: else -> if :: owner[1]==0 || !alive[owner[1]] -> l=1 :: else -> goto leave fi
    fi;
    owner[l]=self; changed=true
  }
  if :: atomic { joined=true; serving[self]=true; step() } or_die fi;
  if :: atomic { unread[l]++; step() } or_die fi;
  if
  :: true ->
#ifdef COUNTER_FIRST
     if :: atomic { completions=true; step() } or_die fi;
     if :: atomic { completion[l]=self; serving[self]=false; completedOnce=true; step() } or_die fi;
#else
     if :: atomic { completion[l]=self; serving[self]=false; completedOnce=true; step() } or_die fi;
     if :: atomic { completions=true; step() } or_die fi;
#endif
     if :: returned=true or_die fi
  :: true
  fi;
  if :: atomic { owner[l]=0; serving[self]=false; step() } or_die fi;      /* Dispose: the lane is given back, then the stamp */
leave: atomic { changed=true; alive[self]=false };
gone: skip
}
inline look_at_lane(l) { if :: atomic { unread[l]>0 -> unread[l]-- }; goto look :: else fi }

inline look_at_owner(l) {
  o = owner[l];
  if :: o!=0 && completion[l]!=o -> if :: alive[o] -> goto wait :: else -> o=0 fi :: else -> o=0 fi
}
proctype Reader() {
  byte o;
look:
  atomic { o=0; changed=false; quiet=QUIET }
  look_at_lane(0);
  look_at_lane(1);
#ifndef DEATH_COMPLETES
  if :: !completions -> goto wait :: else fi;
#endif
  joined = false;
  look_at_owner(0);
  look_at_owner(1);
#ifndef NO_JOIN_COUNT
  if :: joined -> goto look :: else fi;
#endif
#ifndef NO_SECOND_LOOK
  look_at_lane(0);
  look_at_lane(1);
#endif
  assert(quiet);
  goto done;
wait:
  o = 0;
  if
  :: changed -> goto look
  :: !changed && ALLGONE && !returned       /* nobody completed: it waits for producers to come */
  fi;
done: skip }

init { atomic { alive[1]=true; alive[2]=true; alive[3]=true; run Producer(1); run Producer(2); run Producer(3); run Reader() } }
