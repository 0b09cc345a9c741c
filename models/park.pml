/* Park and wake (src/ShmIpc/Waiting): is a wake-up ever lost? Two publishers, each of which may die at any step, and two sleepers.
 *
 * A sleeper (1) reads its doorbell, (2) sets its bit, (3) makes every publisher's processor pass a fence, (4) looks again, (5) sleeps
 * while its doorbell still equals what it read. A publisher (a) stores, (b) looks at the bits, without a fence between, (c) clears
 * them, (d) raises the doorbells, (e) wakes.
 *
 * Memory is x86-TSO where it matters: a publisher's store (a) waits in its processor's store buffer, and may be delayed past (b). The
 * buffer drains by itself at any time, at a locked instruction (c, d), and at (3). The sleepers' own stores are locked instructions. A
 * dead process's buffer drains too.
 *
 * Sleeper 1 is a thread that parks (Parking): steps 1 to 5 each time. Sleeper 2 is an attachment's pending await and the hub that looks
 * after it (PendingAwaits): steps 1 to 3 only if the doorbell has rung since it last took them, or the bit is gone; the hub sleeps with
 * the ticket of its last look, even if an await was added since. They share a doorbell and its bit; with -DSEPARATE each has its own.
 *
 * Checked: neither sleeps for ever while there is something it has not seen. A sleep is bounded (50 ms); the bound may be what ends it
 * only where a publisher died between its store and the end of its wake-up: otherwise the checker reports a deadlock.
 *
 * Bounds: each publisher stores once (-DFIRST=2: the first one twice), each sleeper waits for every store. Two of each, because a
 * publisher may clear what another would have seen. Nothing is left of a round but a bit and the doorbell's number, so more stores
 * only repeat it.
 *
 * Left out on purpose, each is wrong:
 *   NO_MEMBARRIER  step 3        NO_RECHECK   step 4       LATE_TICKET  step 1 comes after step 4
 *   RING_FIRST     (d) and (e) come before (c)
 *   NO_BOUND       a sleep has no bound
 * and one that must hold: UNREGISTERED, publishers that step 3 does not reach, and that therefore fence between (a) and (b). */
#ifndef SECOND
#define SECOND 1
#endif
#ifndef FIRST
#define FIRST 1
#endif
#define STORES(w) (w==0 -> FIRST : SECOND)
byte stored[2], buffered[2];       /* what a publisher has stored, and how much of it is still in its buffer */
#define NEVER 255
#define VISIBLE(w) (stored[w]-buffered[w])
#ifdef SEPARATE
#define SLOTS 2
#define SLOT(s) (s)
#else
#define SLOTS 1
#define SLOT(s) 0
#endif
bool parked[SLOTS], asleep[2]; byte bell[SLOTS];
/* ghosts */
bool died;                         /* a publisher died between its store and the end of its wake-up */
byte finished;
#define or_die :: atomic { died=true; goto gone }
#ifdef SEPARATE
#define ANY (parked[0] || parked[1])
#else
#define ANY (parked[0])
#endif

inline fence(w) { buffered[w]=0 }

inline ring(s) {
  if :: atomic { fence(w); bell[s]++ } or_die fi;
  /* The kernel wakes whoever waits on this doorbell. */
  if :: d_step { if :: SLOT(0)==s -> asleep[0]=false :: else fi; if :: SLOT(1)==s -> asleep[1]=false :: else fi } or_die fi
}
inline wake_slot(s) {
#ifdef RING_FIRST
  if :: parked[s] -> ring(s); if :: atomic { fence(w); parked[s]=false } or_die fi :: else fi
#else
  if :: atomic { parked[s] -> fence(w); parked[s]=false }; ring(s) :: !parked[s] or_die fi
#endif
}
proctype Publisher(byte w) {
  byte n;
  do
  :: n==STORES(w) -> break
  :: n<STORES(w) ->
     if :: atomic { stored[w]++; buffered[w]++; n++ } :: goto gone fi;
#ifdef UNREGISTERED
     if :: fence(w) or_die fi;
#endif
     if :: ANY -> skip :: !ANY -> goto next or_die fi;
     wake_slot(0);
#ifdef SEPARATE
     wake_slot(1);
#endif
next: skip
  od;
gone: atomic { n=0; finished++ }
}
proctype Buffers() {               /* the processors */
end: do :: atomic { buffered[0]>0 -> buffered[0]-- } :: atomic { buffered[1]>0 -> buffered[1]-- } od }

inline prepare(read) {
#ifndef LATE_TICKET
  read = bell[s];
#endif
  parked[s] = true;
#if !defined(NO_MEMBARRIER) && !defined(UNREGISTERED)
  fence(0);                        /* one processor after the other */
  fence(1)
#endif
}
inline look(again) {
  if :: atomic { VISIBLE(0)>seen0 -> seen0=VISIBLE(0); goto again } :: VISIBLE(0)==seen0 fi;
  if :: atomic { VISIBLE(1)>seen1 -> seen1=VISIBLE(1); goto again } :: VISIBLE(1)==seen1 fi
}
/* The time that a sleep may take ends it in this model only where nothing else can. */
inline sleep() {
#ifdef LATE_TICKET
  ticket = bell[s];
#endif
  atomic { if :: bell[s]==ticket -> asleep[me]=true :: else fi };
  if
  :: !asleep[me]
#ifndef NO_BOUND
  :: atomic { asleep[me] && died -> asleep[me]=false }
#endif
  :: finished==2 && stored[0]==seen0 && stored[1]==seen1 -> goto done
  fi
}
proctype Thread(byte me; byte s) {
  byte ticket, seen0, seen1;
again:
  prepare(ticket);
#ifdef NO_RECHECK
  sleep();
  look(again);
#else
  look(again);
  sleep();
#endif
  goto again;
done: atomic { ticket=0; seen0=0; seen1=0 }
}
proctype Await(byte me; byte s) {
  byte ticket, prepared=NEVER, seen0, seen1;
add:                               /* a new await, while the hub sleeps with the ticket that it has */
  /* As long as the bit stands, and the bell has not rung since a fence of ours, no fence is needed. */
  if
  :: bell[s]==prepared -> if :: parked[s] :: !parked[s] -> prepare(prepared) fi
  :: bell[s]!=prepared -> prepare(prepared)
  fi;
#ifndef NO_RECHECK
  look(add);
#endif
  goto rest;
poll:                              /* the hub */
  ticket = bell[s];
  look(add);
  if
  :: bell[s]==prepared -> if :: parked[s] -> goto rest :: !parked[s] -> prepare(prepared) fi
  :: bell[s]!=prepared -> prepare(prepared)
  fi;
#ifndef NO_RECHECK
  look(add);
#endif
rest:
  sleep();
  goto poll;
done: atomic { ticket=0; prepared=0; seen0=0; seen1=0 }
}
init { atomic { run Publisher(0); run Publisher(1); run Buffers(); run Thread(0, SLOT(0)); run Await(1, SLOT(1)) } }
