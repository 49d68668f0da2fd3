/* Paxos: the state graph of the check `safe` of specs/consensus/paxos.psm, step for step.
 *
 * Two ballots, three acceptors, two values, and at most one acceptor that crashes, in the middle of a handler, too: an
 * acceptor writes, and then sends, so torn handlers leave behind what was written and not what was sent. Each option is
 * one d_step, one step of ours. The network is a soup of bits. A vote is 0 for none, else 2 + 2 * ballot + value.
 */
byte prepared;          /* Prepare(b): bit b */
byte promise[6];        /* Promise(b, last) from a, at 3*b + a: 0 not sent, otherwise 1 + last */
byte accept;            /* Accept(b, v): bit 2*b + v */
short accepted;         /* Accepted(b, v) from a: bit 3*(2*b + v) + a */
byte proposed[2];       /* 0 none, otherwise 1 + v */
byte heard[2];
byte best[2];
byte promised[3];       /* 0 nothing, otherwise 1 + ballot */
byte vote[3];
byte down;               /* 0 nobody yet, 1 + a while acceptor a is down, 9 once it has restarted */

#define BALLOT(x) ((x) >> 1)
#define QUORUM(m) ((m) == 3 || (m) >= 5)
#define UP(a) (down != (a) + 1)
#define CHOSEN(b, v) QUORUM((accepted >> (3 * (2 * (b) + (v)))) & 7)

/* Promise arrives; the vote of the highest ballot is kept. */
#define PROMISE(b, a) \
  :: d_step { promise[3*(b)+(a)] && !(heard[b] & (1 << (a))) -> heard[b] = heard[b] | (1 << (a)); \
       if :: BALLOT(promise[3*(b)+(a)] - 1) > BALLOT(best[b]) -> best[b] = promise[3*(b)+(a)] - 1 :: else fi }
#define PROPOSE(b, v) \
  :: d_step { !proposed[b] && QUORUM(heard[b]) && (!best[b] || (best[b] & 1) == (v)) -> \
       proposed[b] = 1 + (v); accept = accept | (1 << (2*(b)+(v))) }
#define LEADER(b) \
  :: d_step { !heard[b] && !proposed[b] -> prepared = prepared | (1 << (b)) } \
  PROMISE(b, 0) PROMISE(b, 1) PROMISE(b, 2) PROPOSE(b, 0) PROPOSE(b, 1)

/* Prepare arrives; or it does, and the acceptor crashes before its promise is sent. */
#define PREPARE(a, b) \
  :: d_step { UP(a) && (prepared & (1 << (b))) && (b) + 1 > promised[a] -> \
       promised[a] = (b) + 1; promise[3*(b)+(a)] = 1 + vote[a] } \
  :: d_step { !down && (prepared & (1 << (b))) && (b) + 1 > promised[a] -> promised[a] = (b) + 1; down = (a) + 1 }
#define CAN(a, b, v) ((accept & (1 << (2*(b)+(v)))) && (b) + 1 >= promised[a] && BALLOT(vote[a]) < (b) + 1)
/* Accept arrives; or the acceptor crashes after its first write, or after its second. The assertion is Agreement. */
#define ACCEPT(a, b, v) \
  :: d_step { UP(a) && CAN(a, b, v) -> promised[a] = (b) + 1; vote[a] = 2*(b) + 2 + (v); \
       accepted = accepted | (1 << (3*(2*(b)+(v))+(a))); \
       assert(!((CHOSEN(0,0) || CHOSEN(1,0)) && (CHOSEN(0,1) || CHOSEN(1,1)))) } \
  :: d_step { !down && CAN(a, b, v) -> promised[a] = (b) + 1; down = (a) + 1 } \
  :: d_step { !down && CAN(a, b, v) -> promised[a] = (b) + 1; vote[a] = 2*(b) + 2 + (v); down = (a) + 1 }
#define ACCEPTOR(a) \
  PREPARE(a, 0) PREPARE(a, 1) ACCEPT(a, 0, 0) ACCEPT(a, 0, 1) ACCEPT(a, 1, 0) ACCEPT(a, 1, 1) \
  :: d_step { !down -> down = (a) + 1 } \
  :: d_step { down == (a) + 1 -> down = 9 }

active proctype System() {
end: do
  LEADER(0)
  LEADER(1)
  ACCEPTOR(0)
  ACCEPTOR(1)
  ACCEPTOR(2)
  od
}
