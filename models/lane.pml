/* One lane: publishing, batches, reading, and take-over by a successor after a death between any two steps.
 *
 * A word of the model is 8 bytes of the lane: a header, or a payload word that may look like any header. A record has one or two
 * words. `published` and the g... arrays are ghosts: they say what the lane promises, and no process acts on them.
 *
 * Checked: a reader sees every message once, in order and whole, and never anything else; it never finds "nothing here" where a
 * message was published; a successor continues exactly behind what was published; what is being read is not overwritten.
 *
 * Left out on purpose, each is wrong and the checker must say so (check.sh does):
 *   NO_TERMINATOR   the word behind the record is not set to 0
 *   LATE_TERMINATOR it is set to 0 only after the header
 *   EAGER_BATCH     the first header of a batch is stored when its record is written
 *   EARLY_RELEASE   the reader gives its bytes back before it has read them
 *   EARLY_LIMIT     a successor takes the lane up to floor + capacity for free, one word too many
 *
 * Memory is sequentially consistent here; which stores and loads need release and acquire is argued in Rings/LaneWriter.cs. */
#ifndef CAP
#define CAP 5
#endif
#ifndef N
#define N 5
#endif
#ifndef MAXDEATHS
#define MAXDEATHS 2
#endif
#define AT(p)      word[(p)%CAP]
#define ENC(q,size) (2*(q)+(size))      /* 0 stays the terminator: size is 1 or 2 */
#define LEN(h)     (2-((h)%2))
#define SEQ(h)     (((h)-LEN(h))/2)
#define IS(h,q)    ((h)!=0 && SEQ(h)==(q))

byte word[CAP];
byte floorP, floorQ, commP, commQ, cursor;
byte deaths;
byte published, glen[N], gval[N];

/* Instead of its next step, the producer may die. */
#define or_die :: atomic { deaths<MAXDEATHS -> deaths++; goto successor }
/* What it had prepared is forgotten with it. */
inline forget_unpublished() { f=published; do :: f<N -> glen[f]=0; gval[f]=0; f++ :: else -> break od; f=0 }

/* Write one record, up to and without its header. */
inline write_record() {
  if :: size=1 :: size=2 fi;
  do
  :: p+size+1 <= limit -> break
  :: else ->
     c = cursor;
     if
     :: d_step { c>floorP && c==visible -> floorP=c; floorQ=visibleQ }
     :: d_step { c>floorP && c!=visible -> floorP=c; floorQ=SEQ(AT(c)) }
     :: c<=floorP
     or_die fi;
     d_step { limit = c+CAP; c=0 }
  od;
  val = 0;
  if :: size==2 ->
        if :: val=ENC(q+1,1) :: val=ENC(q+3,1) fi;
        if :: AT(p+1)=val or_die fi
     :: else
  fi;
#if !defined(NO_TERMINATOR) && !defined(LATE_TERMINATOR)
  if :: AT(p+size)=0 or_die fi
#endif
}

proctype Producer() {
  byte p, q, limit, size, val, c, f, visible, visibleQ, firstLen, firstVal;
successor:
  skip;
  d_step { size=0; val=0; visible=0; visibleQ=0; firstLen=0; firstVal=0; limit=0; forget_unpublished() };
  d_step { f=floorP; c=floorQ };
  d_step { p=commP; q=commQ };
  if :: p<f -> p=f; q=c :: else fi;
  do
  :: IS(AT(p),q) && p+LEN(AT(p)) <= f+CAP-1 -> d_step { p=p+LEN(AT(p)); q++ }
  :: else -> break
  od;
  assert(q==published);                      /* nothing lost, nothing half-written */
  if :: AT(p)=0 or_die fi;
  if :: d_step { commP=p; commQ=q; c=0 } or_die fi;
#ifdef EARLY_LIMIT
  limit = f+CAP+1;
#endif
  f = 0;
  do
  :: q>=N -> break
  :: q<N ->                                  /* one message */
     visible=p; visibleQ=q;
     write_record();
     if :: d_step { AT(p)=ENC(q,size); glen[q]=size; gval[q]=val; published=q+1 } or_die fi;
#ifdef LATE_TERMINATOR
     if :: AT(p+size)=0 or_die fi;
#endif
     d_step { p=p+size; q++; size=0; val=0; visible=0; visibleQ=0 };
     if :: d_step { commP=p; commQ=q } :: true or_die fi
  :: q+1<N ->                                /* a batch of two or more: the first header last */
     visible=p; visibleQ=q;
     write_record();
     firstLen=size; firstVal=val;
#ifdef EAGER_BATCH
     if :: AT(p)=ENC(q,size) or_die fi;
#endif
     d_step { p=p+size; q++ };
     do
     :: q<N && p<visible+CAP-1 ->
        write_record();
        if :: AT(p)=ENC(q,size) or_die fi;
        d_step { glen[q]=size; gval[q]=val; p=p+size; q++ }
     :: q>visibleQ+1 ->
        if :: d_step { AT(visible)=ENC(visibleQ,firstLen); glen[visibleQ]=firstLen; gval[visibleQ]=firstVal; published=q } or_die fi;
        if :: d_step { commP=p; commQ=q } or_die fi;
        break
     :: d_step { p=visible; q=visibleQ; forget_unpublished() };    /* abort; it may leave then */
        if :: d_step { commP=p; commQ=q }; goto successor :: true fi;
        break
     od;
     atomic { size=0; val=0; visible=0; visibleQ=0; firstLen=0; firstVal=0 }
  od
}

proctype Reader() {
  byte r, e, h;
  do
  :: e>=N -> break
  :: e<N ->
     atomic { h=AT(r); assert(h!=0 || e>=published) };
     if
     :: h==0 -> cursor=r                     /* an empty lane gives everything back */
     :: else ->
        assert(IS(h,e) && e<published && LEN(h)==glen[e]);
#ifdef EARLY_RELEASE
        cursor=r+LEN(h);
#endif
        if :: LEN(h)==2 -> assert(AT(r+1)==gval[e]) :: else fi;
        assert(AT(r)==h);
        d_step { r=r+LEN(h); glen[e]=0; gval[e]=0; e++; h=0 };
        if :: cursor=r :: true fi            /* or later: the cursor is stored in batches */
     fi
  od
}
init { atomic { run Producer(); run Reader() } }
