/* A shared value: one writer at a time that may die between any two steps and is followed by another, and a reader.
 * (Readers write nothing that anybody reads, so what holds for one holds for all.)
 *
 * A buffer holds one value of two words, and the number of the version that it holds. Every value that anybody begins to write has a mark
 * of its own in both words, so that a mixture of two shows, also of two that were written as the same version (by a writer
 * that died before it published, and by its successor). `published`, `begun` and `marks` are ghosts.
 *
 * Checked: a reader gets whole values only, and what was published under that version; versions never go back; at any death the value
 * published last is still there; a reader starts over only if the writer has begun BUFFERS versions beyond the one that it was
 * after, so it never waits for a dead one.
 *
 * Left out on purpose, each is wrong and the checker must say so (check.sh does):
 *   LATE_RENAME    the buffer gets its new version only behind the new value
 *   NO_RECHECK     the reader does not look at the buffer's version behind its copy
 *   EARLY_VERSION  the version is published before the value is complete
 *   RESTART        a successor begins to count anew
 *   BUFFERS=1      the writer overwrites what it published last
 *
 * Memory is sequentially consistent here; which loads and stores need acquire, release and barriers is argued in Values/ValueCell.cs. */
#ifndef BUFFERS
#define BUFFERS 2
#endif
#ifndef N
#define N 5
#endif
#ifndef MAXDEATHS
#define MAXDEATHS 3
#endif

byte version;
byte holds[BUFFERS], low[BUFFERS], high[BUFFERS];
byte deaths, begun, marks;
byte published[N+1];

inline maybe_die() { if :: deaths<MAXDEATHS -> deaths++; goto successor :: true fi }

proctype Writer() {
  byte v, b, mark;
successor:
  skip;
  d_step { b=0; mark=0 };
#ifdef RESTART
  v=0;
#else
  v=version;
#endif
  assert(v==0 || holds[v%BUFFERS]==v);       /* what a successor relies on */
  do
  :: v>=N -> break
  :: else ->
     d_step { v++; b=v%BUFFERS; marks++; mark=marks; begun=v };
#ifndef LATE_RENAME
     holds[b]=v; maybe_die();
#endif
#ifdef EARLY_VERSION
     low[b]=mark; maybe_die();
     atomic { version=v; published[v]=mark }; maybe_die();
     high[b]=mark; maybe_die()
#else
     low[b]=mark; maybe_die();
     high[b]=mark; maybe_die();
#ifdef LATE_RENAME
     holds[b]=v; maybe_die();
#endif
     atomic { version=v; published[v]=mark }; maybe_die()
#endif
  od
}

proctype Reader() {
  byte v, b, x, y, last;
  do
  :: last==N -> break
  :: last<N ->
     v=version;
     if
     :: v==0 -> skip
     :: v!=0 ->
        assert(v>=last);                     /* never back */
        b=v%BUFFERS;
        if
        :: holds[b]!=v -> assert(begun>=v+BUFFERS)
        :: else ->
           x=low[b];
           y=high[b];
#ifdef NO_RECHECK
           if :: true ->
#else
           if :: holds[b]!=v -> assert(begun>=v+BUFFERS)
              :: else ->
#endif
              assert(x==y && x==published[v]); /* whole, and what was published */
              last=v
           fi
        fi
     fi;
     d_step { b=0; x=0; y=0 }
  od
}

init { atomic { run Writer(); run Reader() } }
