/* Raft: the state graph of raft.psm, step for step.
 *
 * spin -a -DTERMS=1 raft.pml, or -DLOG=1, or -DCANDIDATES=1, for smaller graphs; -DCANDIDATES=3 for a larger one. Three
 * servers. Each option is one d_step, one step of ours.
 *
 * The network is a soup of bits. A candidate asks everybody alike and once in a term, so what it said about its log is
 * enough. A term has one leader, as an assertion checks, so an Append or Ack is kept by its term and by the follower,
 * counted from the leader on. An Append has a bit only if it can be sent: terms in a log never fall, nothing behind the
 * end of a message is announced as committed, and a message without an entry is sent for the sake of that alone.
 */
#ifndef TERMS
#define TERMS 2
#endif
#ifndef LOG
#define LOG 2
#endif
#ifndef CANDIDATES
#define CANDIDATES 2
#endif

#if CANDIDATES > 2
#define ASKERS 3
#else
#define ASKERS 2
#endif
#define ASKED(t, c) (ASKERS*((t) - 1) + (c))

#define FOLLOWER 0
#define CANDIDATE 1
#define LEADER 2

typedef Server {
  unsigned term : 2;
  unsigned voted : 2;        /* 0 nobody, otherwise 1 + server */
  unsigned mode : 2;
  unsigned votes : 3;
  unsigned first : 2;        /* the log; 0 is no entry */
  unsigned second : 2;
  unsigned commit : 2;
  unsigned next1 : 2 = 1;    /* of the next server, and of the one after it */
  unsigned next2 : 2 = 1;
  unsigned match1 : 2;
  unsigned match2 : 2
};
Server s[3];

/* Append of the first and of the second term, for each follower; the bits are numbered below. */
byte append1[2];
int append2[2];
short ack;
byte ask[2*ASKERS];          /* at ASKED(term, candidate): 0 not sent, otherwise 1 + 4*last + length */
short vote;

/* For the properties: who led a term, what was committed, and in which term. */
byte led[2];                 /* 0 nobody, otherwise 1 + server */
unsigned done1 : 2;
unsigned done2 : 2;
unsigned since1 : 2;
unsigned since2 : 2;

/* Not part of the state. */
hidden byte l;
hidden byte f;
hidden byte k;

#define SIZE(a) ((s[a].first != 0) + (s[a].second != 0))
#define LAST(a) (s[a].second -> s[a].second : s[a].first)
#define QUORUM(m) ((m) == 3 || (m) >= 5)
/* That all up to place i is stored; that what is at place i does not fit. */
#define ACK(t, d, i) (1 << (8*(t) + 4*(d) + (i) - 13))
#define NAK(t, d, i) (1 << (8*(t) + 4*(d) + (i) - 11))
#define VOTE(t, r, c) (1 << (6*((t) - 1) + 2*(r) + ((c) == ((r) + 2) % 3)))

/* The invariants are asserted where they could become false. Election safety is asserted in LEAD. That a leader only
 * appends needs no assertion: CLIENT is the only step that changes a leader's log and leaves it a leader. */
#define MATCHES(a, b) (!s[a].second || s[a].second != s[b].second || s[a].first == s[b].first)
#define MATCHING(a) assert(MATCHES(a, 0) && MATCHES(a, 1) && MATCHES(a, 2))
#define COMPLETE(a) (s[a].mode != LEADER || ((!done1 || since1 >= s[a].term || s[a].first == done1) && \
  (!done2 || since2 >= s[a].term || s[a].second == done2)))
#define SAFE(a) assert((s[a].commit < 1 || (done1 && s[a].first == done1)) && \
  (s[a].commit < 2 || (done2 && s[a].second == done2)))

#define FOLLOW(a) s[a].mode = FOLLOWER; s[a].votes = 0; \
  s[a].next1 = 1; s[a].next2 = 1; s[a].match1 = 0; s[a].match2 = 0

#define ELECT(a) \
  :: d_step { s[a].mode != LEADER && s[a].term < TERMS -> \
       s[a].term++; s[a].voted = 1 + (a); FOLLOW(a); s[a].mode = CANDIDATE; s[a].votes = 1 << (a); \
       ask[ASKED(s[a].term, a)] = 1 + 4*LAST(a) + SIZE(a) }
/* Ask arrives at r. */
#define ASK(t, c, r) \
  :: d_step { ask[ASKED(t, c)] && s[r].term <= t -> \
       if :: s[r].term < t -> s[r].term = t; s[r].voted = 0; FOLLOW(r) :: else fi; \
       if :: (!s[r].voted || s[r].voted == 1 + (c)) && ask[ASKED(t, c)] > 4*LAST(r) + SIZE(r) -> \
            s[r].voted = 1 + (c); vote = vote | VOTE(t, r, c) \
       :: else fi }
/* Vote of r arrives. */
#define HEAR(t, r, c) \
  :: d_step { (vote & VOTE(t, r, c)) && s[c].term == t && s[c].mode == CANDIDATE -> \
       s[c].votes = s[c].votes | (1 << (r)) }
#define LEAD(a) \
  :: d_step { s[a].mode == CANDIDATE && QUORUM(s[a].votes) -> \
       s[a].mode = LEADER; s[a].votes = 0; s[a].next1 = SIZE(a) + 1; s[a].next2 = SIZE(a) + 1; \
       assert(!led[s[a].term - 1]); led[s[a].term - 1] = 1 + (a); assert(COMPLETE(a)) }
#define CLIENT(a) \
  :: d_step { s[a].mode == LEADER && SIZE(a) < LOG -> \
       if :: s[a].first -> s[a].second = s[a].term :: else -> s[a].first = s[a].term fi; \
       MATCHING(a); assert(COMPLETE(a)) }

/* What can be sent is numbered, and a leader of the first term sends the first eight. With an entry e, the entry b before
 * it, and c committed:
 *   at the start of the log: e = 1: 0 + c, e = 2: 8 + c; behind one: b = 1, e = 1: 3 + c, b = 1, e = 2: 11 + c,
 *   b = 2, e = 2: 14 + c; without an entry, behind one: b = 1: 2, b = 2: 10; behind two: b = 1: 5 + c, b = 2: 16 + c. */
#define COMMIT(a, end) (s[a].commit < end -> s[a].commit : end)
#define REPLICATE(a, d, next) \
  :: d_step { s[a].mode == LEADER && (s[a].next <= SIZE(a) || s[a].commit) -> \
       if \
       :: s[a].next == 1 -> k = (s[a].first == 1 -> 0 : 8) + COMMIT(a, 1) \
       :: s[a].next == 2 && !s[a].second -> k = (s[a].first == 1 -> 2 : 10) \
       :: s[a].next == 2 && s[a].second == 1 -> k = 3 + s[a].commit \
       :: s[a].next == 2 && s[a].second == 2 -> k = (s[a].first == 1 -> 11 : 14) + s[a].commit \
       :: s[a].next == 3 -> k = (s[a].second == 1 -> 5 : 16) + s[a].commit \
       fi; \
       if :: s[a].term == 1 -> append1[d - 1] = append1[d - 1] | (1 << k) \
          :: else -> append2[d - 1] = append2[d - 1] | (1 << k) fi }

/* Append number n arrives: behind place `prev`, whose entry is in `at`, comes `entry`, in `to`. */
#define FOLLOWER_OF(t, d) ((led[(t) - 1] + (d) - 1) % 3)
#define APPEND(t, d, n, prev, at, before, to, entry, c) \
  :: d_step { (append##t[d - 1] & (1 << (n))) && s[FOLLOWER_OF(t, d)].term <= t -> \
       f = FOLLOWER_OF(t, d); \
       if :: s[f].term < t -> s[f].term = t; s[f].voted = 0 :: else fi; \
       FOLLOW(f); \
       if :: prev && s[f].at != before -> ack = ack | NAK(t, d, prev) \
       :: else -> \
            if :: entry && s[f].to != entry -> s[f].second = 0; s[f].to = entry; MATCHING(f) :: else fi; \
            if :: s[f].commit < c -> s[f].commit = c :: else fi; \
            ack = ack | ACK(t, d, prev + (entry != 0)); SAFE(f) \
       fi }
#define APPENDS1(t, d) \
  APPEND(t, d, 0, 0, first, 0, first, 1, 0) APPEND(t, d, 1, 0, first, 0, first, 1, 1) \
  APPEND(t, d, 2, 1, first, 1, second, 0, 1) \
  APPEND(t, d, 3, 1, first, 1, second, 1, 0) APPEND(t, d, 4, 1, first, 1, second, 1, 1) \
  APPEND(t, d, 5, 1, first, 1, second, 1, 2) \
  APPEND(t, d, 6, 2, second, 1, second, 0, 1) APPEND(t, d, 7, 2, second, 1, second, 0, 2)
#define APPENDS2(t, d) APPENDS1(t, d) \
  APPEND(t, d, 8, 0, first, 0, first, 2, 0) APPEND(t, d, 9, 0, first, 0, first, 2, 1) \
  APPEND(t, d, 10, 1, first, 2, second, 0, 1) \
  APPEND(t, d, 11, 1, first, 1, second, 2, 0) APPEND(t, d, 12, 1, first, 1, second, 2, 1) \
  APPEND(t, d, 13, 1, first, 1, second, 2, 2) \
  APPEND(t, d, 14, 1, first, 2, second, 2, 0) APPEND(t, d, 15, 1, first, 2, second, 2, 1) \
  APPEND(t, d, 16, 1, first, 2, second, 2, 2) \
  APPEND(t, d, 17, 2, second, 2, second, 0, 1) APPEND(t, d, 18, 2, second, 2, second, 0, 2)

/* Ack arrives: a yes, a no. */
#define LEADER_OF(t) (led[(t) - 1] - 1)
#define REMEMBER1 if :: !done1 -> done1 = s[l].first; since1 = s[l].term :: else fi
#define REMEMBER2 if :: !done2 -> done2 = s[l].second; since2 = s[l].term :: else fi
#define CHOSEN SAFE(l); assert(COMPLETE(0) && COMPLETE(1) && COMPLETE(2))
#define YES(t, d, i, next, match) \
  :: d_step { (ack & ACK(t, d, i)) && s[LEADER_OF(t)].term == t && s[LEADER_OF(t)].mode == LEADER -> \
       l = LEADER_OF(t); \
       if :: s[l].match < i -> s[l].match = i :: else fi; \
       s[l].next = s[l].match + 1; \
       k = (s[l].match1 > s[l].match2 -> s[l].match1 : s[l].match2); \
       if :: k == 1 && s[l].commit < 1 && s[l].first == t -> s[l].commit = 1; REMEMBER1; CHOSEN \
          :: k == 2 && s[l].commit < 2 && s[l].second == t -> s[l].commit = 2; REMEMBER1; REMEMBER2; CHOSEN \
          :: else fi }
#define NO(t, d, i, next) \
  :: d_step { (ack & NAK(t, d, i)) && s[LEADER_OF(t)].term == t && s[LEADER_OF(t)].mode == LEADER -> \
       l = LEADER_OF(t); if :: s[l].next > i -> s[l].next = i :: else fi }
#define ACKS(t, d, next, match) YES(t, d, 1, next, match) YES(t, d, 2, next, match) NO(t, d, 1, next) NO(t, d, 2, next)

#define STAND(a) ELECT(a) LEAD(a) CLIENT(a) REPLICATE(a, 1, next1) REPLICATE(a, 2, next2)
#define CAMPAIGN(t, a, b, c) ASK(t, a, b) ASK(t, a, c) HEAR(t, b, a) HEAR(t, c, a)

active proctype System() {
end: do
  STAND(0)
  CAMPAIGN(1, 0, 1, 2)
  APPENDS1(1, 1) APPENDS1(1, 2)
  ACKS(1, 1, next1, match1) ACKS(1, 2, next2, match2)
#if CANDIDATES > 1
  STAND(1)
  CAMPAIGN(1, 1, 2, 0)
#endif
#if CANDIDATES > 2
  STAND(2)
  CAMPAIGN(1, 2, 0, 1)
#endif
#if TERMS > 1
  CAMPAIGN(2, 0, 1, 2)
  APPENDS2(2, 1) APPENDS2(2, 2)
  ACKS(2, 1, next1, match1) ACKS(2, 2, next2, match2)
#if CANDIDATES > 1
  CAMPAIGN(2, 1, 2, 0)
#endif
#if CANDIDATES > 2
  CAMPAIGN(2, 2, 0, 1)
#endif
#endif
  od
}
