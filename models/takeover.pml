/* An exclusive group: one active member, others stand by, and continue when it leaves or dies at any step.
 *
 *   state    active(stamp), active(0) when nobody is; a stand-by that finds it 0 or dead CASes itself in, and only then reads the cursor
 *   handed   the end of the last record handed out, stored before that record is: what lies below it may have been seen before
 *   leave    cursor first, then CAS active(self) -> active(0)
 *
 * Checked: one active member at a time (only the one in the state word hands out and moves the cursor; the cursor never goes back);
 * what is handed out is whole; nothing is lost; a record is handed out again only if that is reported.
 *
 * Bounds: three members, of whom two may die or leave; three records of one word in a lane of two, overwritten behind the cursor.
 * The group gates all the time, so its producer needs no version here.
 *
 * Left out on purpose, each is wrong:
 *   EARLY_CURSOR   a stand-by reads the cursor before its CAS
 *   NO_CAS         it stores itself as active
 *   LATE_HANDED    handed is stored after the record was handed out
 *   LATE_LEAVE     the cursor is stored after the state, by a member that leaves */
#define N 3
#define CAP 2
#define MEMBERS 3
byte state, cursor, handed, published, overwritten;
bool dead[MEMBERS+1];
/* ghosts */
bit delivered[N]; bool reported[N];
#define or_die :: atomic { self<MEMBERS -> goto die }

proctype Producer() {
  do
  :: published==N -> break
  :: d_step { published<N && published+2<=cursor+CAP ->
       overwritten = (published+2>CAP+overwritten -> published+2-CAP : overwritten); published++ }
  od }

proctype Member(byte self) {
  byte s, p, again;
standby:
  if
  :: atomic { state==0 || dead[state] -> s=state }
  :: cursor==N -> goto done
  fi;
#ifdef EARLY_CURSOR
  if :: p=cursor or_die fi;
#endif
#ifdef NO_CAS
  if :: state=self or_die fi;
#else
  if :: atomic { state==s -> state=self } :: state!=s -> goto standby or_die fi;
#endif
#ifndef EARLY_CURSOR
  p = cursor;
#endif
  again = handed;
  do
  :: p<published ->
#ifndef LATE_HANDED
     if :: p>=again -> if :: handed=p+1 or_die fi :: else fi;
#endif
     if
     :: atomic {
          assert(p>=overwritten && state==self);
          if :: p<again -> reported[p]=true :: else fi;
          assert(delivered[p]==0 || reported[p]); delivered[p]=1
        }
     or_die fi;
#ifdef LATE_HANDED
     if :: p>=again -> if :: handed=p+1 or_die fi :: else fi;
#endif
     if :: assert(p>=overwritten); p++ or_die fi;
     if :: atomic { assert(state==self && cursor<=p); cursor=p } :: true or_die fi      /* acknowledged at once, or with a later one */
  :: atomic { p==published && cursor<p -> assert(state==self); cursor=p }                   /* an empty lane gives everything back */
  :: p==N || self<MEMBERS -> break                                                       /* it leaves */
  or_die
  od;
#ifdef LATE_LEAVE
  if :: atomic { state==self -> state=0 } or_die fi;
  if :: atomic { assert(cursor<=p); cursor=p } or_die fi;
#else
  if :: atomic { assert(state==self && cursor<=p); cursor=p } :: true or_die fi;         /* or with a record unacknowledged */
  if :: atomic { assert(state==self); state=0 } or_die fi;
#endif
  if :: self<MEMBERS -> goto die :: self==MEMBERS -> s=0; p=0; again=0; goto standby fi;
done:
  if
  :: self==MEMBERS -> atomic { p=0; do :: p<N -> assert(delivered[p]==1); p++ :: else -> break od }
  :: self<MEMBERS
  fi;
die: atomic { dead[self]=true; s=0; p=0; again=0 }
}
init { atomic { run Producer(); run Member(1); run Member(2); run Member(3) } }
