/* One operation at a time (src/ShmIpc/Channels/OperationGate.cs): may two threads be inside, or one when the memory is gone? Threads that
 * enter twice each, of which any may give itself the bias, and one that disposes.
 *
 * Memory is x86-TSO: a thread's stores wait in its buffer in their order, it reads its own first, and the buffer drains at any time, at
 * its own compare-and-swap, and at anybody's fence of the whole process (one processor after the other).
 *
 * Checked: nobody else is inside, nothing is gone, and whoever is inside sees what all before it have stored.
 *
 * Bounds: the counting of entries in a row is left out: a bias may come at any entry by compare-and-swap.
 *
 * Left out on purpose, each is wrong:
 *   NO_FENCE      the revoker's fence (b)                NO_WAIT     nor waits for held (c)
 *   NO_RECHECK    the look at mode behind held (3)       NO_LOOK     the look at mode of whoever entered by compare-and-swap
 *   BUSY_FIRST    a bias frees busy before it holds      REBIAS      a gate gives a bias more than once
 *   NO_DISPOSE_FENCE */
#ifndef THREADS
#define THREADS 2
#endif
#ifndef ENTRIES
#define ENTRIES 2
#endif
#define ROOM 5
#define MODE 0
#define HELD 1
#define BUSY 2
#define STACK 3
#define DISPOSED 4
#define HAD_BIAS 5
#define DATA 6
#define SHARED 0
#define BIASED 1
#define REVOKING 2
byte memory[7];
byte variable[ROOM*THREADS], value[ROOM*THREADS], stores[THREADS];
/* ghosts */
byte inside, entered; bool gone;

inline drain(t) {
  memory[variable[t*ROOM]] = value[t*ROOM];
  stores[t]--;
  i = 0;
  do :: i<stores[t] -> variable[t*ROOM+i] = variable[t*ROOM+i+1]; value[t*ROOM+i] = value[t*ROOM+i+1]; i++ :: else -> break od;
  variable[t*ROOM+i] = 0; value[t*ROOM+i] = 0; i = 0
}
inline store(v, x) {
  atomic { stores[me]<ROOM -> variable[me*ROOM+stores[me]] = v; value[me*ROOM+stores[me]] = x; stores[me]++ }
}
inline load(v, x) {
  d_step {
    x = memory[v]; i = 0;
    do :: i<stores[me] -> if :: variable[me*ROOM+i]==v -> x = value[me*ROOM+i] :: else fi; i++ :: else -> break od;
    i = 0
  }
}
inline cas(v, before, after, done) {
  atomic { stores[me]==0 -> if :: memory[v]==before -> memory[v] = after; done = 1 :: else -> done = 0 fi }
}
inline fence_all() {
  t = 0;
  do
  :: t<THREADS -> d_step { do :: stores[t]>0 -> drain(t) :: else -> break od; t++ }
  :: t==THREADS -> t = 0; break
  od
}
proctype Buffers() {               /* the processors */
  byte i;
end: do
  :: atomic { stores[0]>0 -> drain(0) }
  :: atomic { stores[1]>0 -> drain(1) }
#if THREADS>2
  :: atomic { stores[2]>0 -> drain(2) }
#endif
  od
}
proctype Thread(byte me) {
  byte n, x, y, i, t;
next:
  if :: n==ENTRIES -> goto done :: else -> n++ fi;
  load(STACK, x);
  load(HELD, y);
  if :: x!=me+1 || y!=0 -> goto slow :: else fi;
  store(HELD, 1);
#ifndef NO_RECHECK
  load(MODE, x);
  if :: x!=BIASED -> store(HELD, 0); goto slow :: else fi;
#endif
  goto entry;
slow:
  load(DISPOSED, x);
  if :: x!=0 -> goto done :: else fi;
  if :: goto next :: true fi;      /* a hub only tries */
  load(MODE, x);
  if
  :: x==SHARED -> goto swap
  :: x==BIASED -> cas(MODE, BIASED, REVOKING, y)
  :: x==REVOKING
  fi;
#ifndef NO_WAIT
  load(HELD, y);
  if :: y!=0 -> goto slow :: else fi;
#endif
#ifndef NO_FENCE
  fence_all();
#endif
#ifndef NO_WAIT
  load(HELD, y);
  if :: y!=0 -> goto slow :: else fi;
#endif
  store(MODE, SHARED);
  store(STACK, 0);
swap:
  cas(BUSY, 0, 1, y);
  if :: y==0 -> goto slow :: else fi;
#ifndef NO_LOOK
  load(MODE, x);
  if :: x!=SHARED -> store(BUSY, 0); goto slow :: else fi;
#endif
#ifndef REBIAS
  load(HAD_BIAS, x);
#else
  x = 0;
#endif
  if
  :: x==0 ->
     store(HAD_BIAS, 1);
     store(STACK, me+1);
#ifdef BUSY_FIRST
     store(BUSY, 0); store(HELD, 1); store(MODE, BIASED)
#else
     store(HELD, 1); store(MODE, BIASED); store(BUSY, 0)
#endif
  :: true
  fi;
entry:
  load(DISPOSED, x);
  if :: x!=0 -> goto exit :: else fi;
  atomic { inside++; assert(inside==1 && !gone) };
  load(DATA, y);
  assert(y==entered);
  store(DATA, y+1);
  atomic { entered++; assert(!gone); inside-- };
exit:
  load(MODE, x);
  if :: x==SHARED -> store(BUSY, 0) :: else -> store(HELD, 0) fi;
  goto next;
done: x = 0; y = 0
}
proctype Disposer() {
  byte i, t, x, y;
  memory[DISPOSED] = 1;
#ifndef NO_DISPOSE_FENCE
  fence_all();
#endif
again:
  x = memory[BUSY]; y = memory[HELD];
  if :: x!=0 || y!=0 -> goto again :: else fi;
  gone = true
}
init {
  atomic {
    run Buffers(); run Thread(0); run Thread(1); run Disposer();
#if THREADS>2
    run Thread(2);
#endif
  }
}
