/* The participants' slots (src/ShmIpc/Regions/ParticipantTable.cs): who holds a slot, and who of them is alive, by locks that the kernel
 * drops at death. Newcomers of different processes join, leave a claim or none, leave or die at any step; a probe asks who is alive;
 * an heir clears the claims of the dead.
 *
 * To join: read the slot's epoch; ask whether that stamp is alive; look whether it left claims; lock the byte of the *next* epoch; read
 * the epoch again; clear the place that the dead left; CAS the epoch. Not won: unlock.
 *
 * Checked: from the instant at which a stamp can be read until its holder dies, whoever asks finds it alive; no stamp is given out
 * twice; a slot is taken only without claims; who is found alive is alive, or a newcomer is just at that byte; a living holder's place
 * is its own, from the instant at which its stamp can be read, and nobody clears it.
 *
 * Bounds: one slot (slots do not touch each other), four newcomers in a row or at once: a dead one, two that race for its slot, and
 * one late. Joining within one process is serialised by a lock, so newcomers are of different processes.
 *
 * Left out on purpose, each is wrong:
 *   CAS_FIRST       the epoch is raised before the byte is locked
 *   PRESENT_EPOCH   the byte of the epoch that was read is locked, not of the next
 *   PROBE_BY_LOCK   to ask is to lock the byte for an instant
 *   CLAIMS_FIRST    it looks for claims before it asks whether the holder is alive
 *   CLEAR_LAST      it clears the place once it has raised the epoch
 *   NO_REREAD       it clears the place without reading the epoch again
 * and one that the protocol does not promise, so the checker must refute it:
 *   STAYS_DEAD      a stamp that was found dead is never found alive again. (A newcomer that read the epoch long ago may hold the byte
 *                   of a stamp that has come and gone, until its CAS fails. Whoever asks then errs on the safe side.) */
#define PROCESSES 4
byte epoch;                        /* of the slot */
byte holder[PROCESSES+2];          /* of the lock on the byte of an epoch: process, 0 nobody */
byte claims;                       /* of the slot's holder, 0 none; the value says whose */
byte place;                        /* of the slot's holder in a group; the value says whose */
/* ghosts */
byte owner;                        /* the process that lives with the slot's present epoch, 0 nobody */
bool joining[PROCESSES+1];         /* holds a byte, in order to join */
bool foundDead[PROCESSES+2];
byte next=1;
#ifdef PRESENT_EPOCH
#define BYTE(e) (e)
#else
#define BYTE(e) ((e)+1)
#endif
#define or_die :: atomic { goto die }

/* Is the stamp of epoch e alive? */
inline ask(e, isAlive) {
#ifdef PROBE_BY_LOCK
  if
  :: atomic { holder[e]==0 -> holder[e]=self }; atomic { holder[e]=0; isAlive=false }
  :: atomic { holder[e]!=0 -> assert(owner==holder[e] || joining[holder[e]]); isAlive=true }
  fi
#else
  isAlive = holder[e]!=0
#endif
}
inline check_answer(e, isAlive) {
  assert(isAlive || !(e!=0 && e==epoch && owner!=0));   /* no living holder is taken for dead */
#ifdef STAYS_DEAD
  assert(!isAlive || !foundDead[e]); if :: e!=0 && e==epoch && !isAlive -> foundDead[e]=true :: else fi;
#endif
}
proctype Process(byte self) {
  byte e; bool isAlive;
  atomic { next==self; next++ };       /* the names are given in order of arrival */
  e = epoch;
#ifdef CLAIMS_FIRST
  if :: claims!=0 -> goto gone :: claims==0 or_die fi;
#endif
  if :: e!=0 ->
#ifdef PROBE_BY_LOCK
        ask(e, isAlive);
#else
        atomic { ask(e, isAlive); check_answer(e, isAlive) };
#endif
        if :: isAlive -> goto gone :: else fi
     :: else
  fi;
#ifndef CLAIMS_FIRST
  if :: claims!=0 -> goto gone :: claims==0 or_die fi;
#endif
#ifdef CAS_FIRST
  atomic { if :: epoch==e -> epoch=e+1; owner=self; assert(claims==0) :: else -> goto gone fi };
  place=0;
  if :: holder[BYTE(e)]=self or_die fi;
#else
  atomic { if :: holder[BYTE(e)]==0 -> holder[BYTE(e)]=self; joining[self]=true :: else -> goto gone fi };
#ifndef NO_REREAD
  if
  :: atomic { epoch==e -> skip }
  :: atomic { epoch!=e -> holder[BYTE(e)]=0; joining[self]=false; goto gone }
  or_die fi;
#endif
#ifndef CLEAR_LAST
  if :: place=0 or_die fi;
#endif
  if
  :: atomic {
       if
       :: epoch==e -> epoch=e+1; assert(owner==0); owner=self; joining[self]=false; assert(claims==0);
          assert(place==0)
       :: else -> holder[BYTE(e)]=0; joining[self]=false; goto gone
       fi
     }
  or_die fi;
#endif
  /* It lives here. */
  if :: place=self or_die fi;
  if :: claims=self or_die :: goto leave fi;
  if :: atomic { assert(claims==self); claims=0 } or_die fi;
leave:
  if :: atomic { assert(place==self); place=0 } or_die fi;
die: /* Or it leaves: the same to everybody else. */
  atomic {
    if :: owner==self -> owner=0 :: else fi;
    if :: holder[BYTE(e)]==self -> holder[BYTE(e)]=0 :: else fi;
    joining[self]=false
  };
gone: atomic { e=0; isAlive=false }
}
proctype Heir() {      /* clears what the dead left; asks first, as in group.pml */
end: do :: atomic { claims!=0 && owner!=claims -> claims=0 } od
}
proctype Probe() { byte self=PROCESSES+1, e; bool isAlive;
  do
  :: e = epoch;
     if :: e!=0 ->
#ifdef PROBE_BY_LOCK
           ask(e, isAlive)
#else
           atomic { ask(e, isAlive); check_answer(e, isAlive) }
#endif
        :: else
     fi;
     atomic { e=0; isAlive=false }
  :: next>PROCESSES -> break
  od }
init { atomic { run Process(1); run Process(2); run Process(3); run Process(4); run Heir(); run Probe() } }
