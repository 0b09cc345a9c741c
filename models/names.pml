/* Groups with names: joining by name races with the retirement of a group without members, and with the use of its entry for another
 * name. Everybody may die at any step.
 *
 *   newcomer   finds the name; place = group (+1); fence; state: active? and still that name? then it is a member, else place = 0 and
 *              it looks again. Not found: under the creation lock (the kernel drops it at death) it looks again, and then takes an
 *              entry that is free and that no living place names: joining(self); name, cursors; place; bit; version; active
 *   retirer    CAS active -> retiring(self); does a living place name it? yes: back to active; no: clear the bit, free
 *   the dead   joining(dead) -> joining(self), clear the bit, free: never back to active, for it was never whole.
 *              retiring(dead) -> retiring(self): bit still set: as above, from the places on; bit clear: free
 *
 * Checked: while a member lives, its group's entry is active or about to be again, its bit is set and its name is the member's; no name
 * stands in two active entries; a durable group is never retired.
 *
 * Bounds: two entries; two members who look for the name 1, one for the durable name 2, who takes whatever entry is free; a retirer. One
 * death (two with -DMAXDEATHS=2). A shared group (active carries no stamp); for an exclusive one the stamp makes the CAS only stricter.
 *
 * Left out on purpose, each is wrong:
 *   SCAN_FIRST      the retirer looks at the places before its CAS
 *   NO_RECHECK      the newcomer does not look at state and name again after it has stored its place
 *   NO_NAME         it looks at the state again, but not at the name
 *   NO_FENCE        its load of the state passes its store of the place
 *   NO_LOCK         two may create at once
 *   LATE_PLACE      who creates a group stores its place after the state
 *   EARLY_DURABLE   the retirer looks whether the group is durable before its CAS
 *   BACK_TO_ACTIVE  a joining group whose creator died, or one whose bit is already clear, goes back to active if a place names it */
#ifndef ENTRIES
#define ENTRIES 2
#endif
#define MEMBERS 3
#define RETIRER 4
#define FREE 0
#define JOINING  8
#define ACTIVE   16
#define RETIRING 24
#define KIND(s)   ((s)&24)
#define HOLDER(s) ((s)&7)
#ifndef MAXDEATHS
#define MAXDEATHS 1
#endif
byte state[ENTRIES], name[ENTRIES]; bool gating[ENTRIES], whole[ENTRIES];
byte place[MEMBERS+1];
bool dead[RETIRER+1];
byte lock;
/* ghosts */
byte member[MEMBERS+1], deaths;
#define or_die :: atomic { deaths<MAXDEATHS -> deaths++; goto die }
#define NAMES(i,g) (i!=self && !dead[i] && place[i]==g+1)
#define RETIRABLE(s) (s==ACTIVE || (s!=FREE && HOLDER(s)!=0 && dead[HOLDER(s)]))
#define DURABLE(n) (n==2)
#define LIVING_MEMBER(g) ((member[1]==g+1 && !dead[1]) || (member[2]==g+1 && !dead[2]) || (member[3]==g+1 && !dead[3]))

/* Continue with the entry g, which is retiring(self). */
inline look_at_places(g, found) {
  found = false;
  if :: NAMES(1,g) -> found=true :: !NAMES(1,g) fi;
  if :: NAMES(2,g) -> found=true :: !NAMES(2,g) fi;
  if :: NAMES(3,g) -> found=true :: !NAMES(3,g) fi
}
inline free_entry(g) {
  if :: d_step { assert(!LIVING_MEMBER(g)); gating[g]=false; whole[g]=false } or_die fi;
  if :: d_step { assert(!LIVING_MEMBER(g)); state[g]=FREE } or_die fi
}
/* Retire the entry g, whose state was seen to be s. */
inline retire(g, s) {
#ifdef SCAN_FIRST
  look_at_places(g, found);
#endif
#ifdef EARLY_DURABLE
  if :: DURABLE(name[g]) -> found=true :: else -> found=false fi;
#endif
  if
#ifndef BACK_TO_ACTIVE
  :: atomic { KIND(s)==JOINING && state[g]==s -> state[g]=JOINING+self }; free_entry(g)
  :: KIND(s)==JOINING && state[g]!=s
  :: atomic { KIND(s)!=JOINING && state[g]==s -> state[g]=RETIRING+self };
#else
  :: atomic { state[g]==s -> state[g]=RETIRING+self };
#endif
#ifdef EARLY_DURABLE
     if :: found -> skip :: else -> look_at_places(g, found) fi;
#else
#ifndef SCAN_FIRST
     look_at_places(g, found);
#endif
     if :: DURABLE(name[g]) -> found=true :: else fi;
#endif
     if
#ifdef BACK_TO_ACTIVE
     :: found ->
#else
     :: found && gating[g] ->
#endif
        if :: state[g]=ACTIVE or_die fi
     :: else ->
        assert(!DURABLE(name[g]) || !whole[g]);
        free_entry(g)
     fi
#ifndef BACK_TO_ACTIVE
  :: KIND(s)!=JOINING && state[g]!=s
#else
  :: state[g]!=s
#endif
  or_die
  fi
}

proctype Member(byte self; byte wanted) {
  byte g, s; bool found, locked;
again:
  atomic { g=0; s=0; found=false };
  if :: place[self]=0 or_die fi;
find:
  do
  :: g==ENTRIES -> break
  :: g<ENTRIES ->
     if
     :: atomic { state[g]!=FREE && name[g]==wanted -> skip }; goto enter
     :: !(state[g]!=FREE && name[g]==wanted) -> g++
     or_die
     fi
  od;
#ifndef NO_LOCK
  if
  :: !locked -> if :: atomic { lock==0 -> lock=self; locked=true } or_die fi; g=0; goto find
  :: locked
  fi;
#endif
  /* It is not there: create it, in the first entry that can be had. */
  g = 0;
  do
  :: g==ENTRIES -> goto unlock                      /* no room: it gives up and looks again */
  :: g<ENTRIES ->
     look_at_places(g, found);
     if
     :: found || state[g]!=FREE ->
        s = state[g];
        if :: RETIRABLE(s) -> retire(g, s) :: else fi;
        g++
     :: atomic { !found && state[g]==FREE -> state[g]=JOINING+self; name[g]=0; break }
     fi
  od;
  if :: name[g]=wanted or_die fi;
#ifndef LATE_PLACE
  if :: place[self]=g+1 or_die fi;
#endif
  if :: gating[g]=true or_die fi;
  if :: atomic { state[g]=ACTIVE; whole[g]=true } or_die fi;
#ifdef LATE_PLACE
  if :: place[self]=g+1 or_die fi;
#endif
  goto joined;

enter:
#ifdef NO_FENCE
  s = state[g];
#endif
  if :: place[self]=g+1 or_die fi;
#ifndef NO_FENCE
  if :: s=state[g] or_die fi;
#endif
#ifdef NO_RECHECK
  goto joined;
#endif
  if
  :: KIND(s)==ACTIVE
  :: KIND(s)!=ACTIVE ->
     if
     :: HOLDER(s)!=0 && dead[HOLDER(s)] ->
        if :: place[self]=0 or_die fi;
        retire(g, s)
     :: else
     fi;
     goto unlock
  or_die
  fi;
#ifndef NO_NAME
  if :: name[g]!=wanted -> goto unlock :: name[g]==wanted fi;
#endif
joined:
  atomic { member[self]=g+1; if :: locked -> lock=0; locked=false :: else fi };
  /* It is a member. */
  if :: atomic { assert(KIND(state[g])==ACTIVE || KIND(state[g])==RETIRING); assert(gating[g] && whole[g] && name[g]==wanted) } or_die fi;
#if ENTRIES==2
  if :: assert(state[0]!=ACTIVE || state[1]!=ACTIVE || name[0]!=name[1]) or_die fi;
#endif
  member[self] = 0;
  goto die;                                         /* it leaves: the same to everybody else */
unlock:
  atomic { if :: locked -> lock=0; locked=false :: else fi; goto again };
die: atomic { dead[self]=true; g=0; s=0; found=false; if :: locked -> lock=0; locked=false :: else fi }
}
proctype Retirer(byte self) {
  byte g, s; bool found;
  do
  :: g==ENTRIES -> g=0
  :: dead[1] && dead[2] && dead[3] -> break
  :: g<ENTRIES ->
     s = state[g];
     if :: RETIRABLE(s) -> retire(g, s) :: else fi;
     atomic { s=0; found=false; g++ }
  od;
die: atomic { dead[self]=true; g=0; s=0; found=false }
}
init { atomic { run Member(1, 1); run Member(2, 1); run Member(3, 2); run Retirer(RETIRER) } }
