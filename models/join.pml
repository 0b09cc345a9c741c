/* A group joins at the floor while a producer that nobody gates overwrites the oldest; after joining it gates.
 *
 * Left out on purpose, each is wrong:
 *   NO_REREAD    the newcomer does not look at the floor again after it has raised the version
 *   NO_VERSION   the producer does not look at the version again after it has stored the floor */
#define CAP 3
#define N 6
byte slot[CAP]; byte floor_=0; byte version=0; bool gating=false; byte cursor=0;
#define ID(p) ((p)+1)
#define IDX(p) ((p)%CAP)
proctype Producer() { byte p=0, limit=CAP, nf, v; bool a;
  do
  :: p<N ->
     do
     :: p+2<=limit -> break
     :: else ->
        v=version; a=gating;
        if :: a -> nf=cursor :: else -> nf=p+2-CAP fi;
        if :: nf>floor_ -> floor_=nf :: else fi;
#ifdef NO_VERSION
        limit=nf+CAP
#else
        if :: version==v -> limit=nf+CAP :: else fi
#endif
     od;
     slot[IDX(p+1)]=0; slot[IDX(p)]=ID(p); p++
  :: else -> break
  od }
proctype Joiner() { byte c,f,h;
  c=floor_; cursor=c; gating=true; version++;
#ifndef NO_REREAD
  f=floor_; if :: f>c -> c=f; cursor=c :: else fi;
#endif
  do
  :: c>=N -> break
  :: else -> h=slot[IDX(c)];
     if :: h==0 -> skip
        :: else -> assert(h==ID(c)); assert(slot[IDX(c)]==ID(c)); c++; cursor=c fi
  od }
init { atomic { run Producer(); run Joiner() } }
