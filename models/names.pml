/* Groups with names: joining by name races with the retirement of a group without members, and with the use of its entry for another
 * name. Everybody may die at any step.
 *
 *   newcomer   finds the name; place = group (+1); fence; state: active? and still that name? then it is a member, else place = 0 and
 *              it looks again. Not found: under the creation lock (the kernel drops it at death) it looks again, and then takes an
 *              entry that is free and that no living place names: joining(self); name, cursors; place; bit; version; whole; active
 *   retirer    CAS to retiring(self), from active, or from joining or retiring of a dead one; is the group durable, or does a living
 *              place name it? yes, and it was whole, and its bit still stands: back to active; else clear the bit, free
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
 *   NO_COMPLETE     a group whose maker died before it was whole goes back to active if a place names it
 *   NO_BIT          a group whose bit is already clear (whoever cleared it died before it freed the entry) goes back to active */
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
bool settled[ENTRIES];             /* it has been active */
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
  if :: d_step { assert(!LIVING_MEMBER(g)); gating[g]=false } or_die fi;
  if :: d_step { assert(!LIVING_MEMBER(g)); state[g]=FREE } or_die fi
}
#ifdef NO_COMPLETE
#define WHOLE(g) true
#else
#define WHOLE(g) whole[g]
#endif
#ifdef NO_BIT
#define BIT(g) true
#else
#define BIT(g) gating[g]
#endif
/* Retire the entry g, whose state was seen to be s. */
inline retire(g, s) {
#ifdef SCAN_FIRST
  look_at_places(g, found);
#endif
#ifdef EARLY_DURABLE
  if :: DURABLE(name[g]) -> found=true :: else -> found=false fi;
#endif
  if
  :: atomic { state[g]==s -> state[g]=RETIRING+self };
#ifdef EARLY_DURABLE
     if :: found -> skip :: else -> look_at_places(g, found) fi;
#else
#ifndef SCAN_FIRST
     look_at_places(g, found);
#endif
     if :: DURABLE(name[g]) -> found=true :: else fi;
#endif
     if
     :: found && KIND(s)!=JOINING && WHOLE(g) && BIT(g) -> if :: state[g]=ACTIVE or_die fi
     :: else ->
        assert(!DURABLE(name[g]) || !settled[g]);
        free_entry(g)
     fi
  :: state[g]!=s
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
     :: atomic { !found && state[g]==FREE -> state[g]=JOINING+self; break }
     fi
  od;
  if :: d_step { name[g]=wanted; whole[g]=false; settled[g]=false } or_die fi;
#ifndef LATE_PLACE
  if :: place[self]=g+1 or_die fi;
#endif
  if :: gating[g]=true or_die fi;
  if :: whole[g]=true or_die fi;
  if :: d_step { state[g]=ACTIVE; settled[g]=true } or_die fi;
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
