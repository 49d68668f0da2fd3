/* The published two-phase commit: the state graph of specs/transactions/two_phase.psm, step for step.
 *
 * spin -a -DN=5 two_phase.pml; N is the number of resource managers, 3 to 9.
 *
 * Each option of the loop is one d_step, so one transition of Spin is one step of ours; Spin counts one more, for the
 * initial state. The network is a soup: what was sent stays, one bit for each message (Commit and Abort always go to
 * everybody, so a bit each is enough). One process instead of N + 1 and sets as bits make the smallest state vector:
 * this form ran about 1.4 times as fast in Spin, in less memory, as one with a process for each role.
 */
#ifndef N
#define N 3
#endif

#define ALL ((1 << N) - 1)
#define OPEN 0
#define COMMIT 1
#define ABORT 2

unsigned tm : 2 = OPEN;
unsigned seen : N;

/* A resource manager that is in none of these three sets is prepared. */
unsigned working : N = ALL;
unsigned committed : N;
unsigned aborted : N;

unsigned sentPrepared : N;
bit sentCommit;
bit sentAbort;

#define ME(i) (1 << (i))

/* In this order: the manager hears Prepared; Prepare; Quit; Commit arrives; Abort arrives. The assertions are the
 * invariant Consistent, at the only places where it could become false. */
#define RM(i) \
  :: d_step { tm == OPEN && (sentPrepared & ME(i)) -> seen = seen | ME(i) } \
  :: d_step { (working & ME(i)) -> working = working & ~ME(i); sentPrepared = sentPrepared | ME(i) } \
  :: d_step { (working & ME(i)) -> \
       working = working & ~ME(i); aborted = aborted | ME(i); assert(!committed) } \
  :: d_step { sentCommit -> \
       working = working & ~ME(i); aborted = aborted & ~ME(i); committed = committed | ME(i); assert(!aborted) } \
  :: d_step { sentAbort -> \
       working = working & ~ME(i); committed = committed & ~ME(i); aborted = aborted | ME(i); assert(!committed) }

active proctype System() {
end: do
  :: d_step { tm == OPEN && seen == ALL -> tm = COMMIT; sentCommit = 1 }
  :: d_step { tm == OPEN -> tm = ABORT; sentAbort = 1 }
  RM(0)
  RM(1)
  RM(2)
#if N > 3
  RM(3)
#endif
#if N > 4
  RM(4)
#endif
#if N > 5
  RM(5)
#endif
#if N > 6
  RM(6)
#endif
#if N > 7
  RM(7)
#endif
#if N > 8
  RM(8)
#endif
  od
}
