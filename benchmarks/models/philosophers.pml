/* Dining philosophers: the state graph of philosophers.psm, step for step.
 *
 * spin -a -DN=8 philosophers.pml; N is the number of philosophers, 3 to 10. Each option is one d_step, one step of
 * ours. The loop has no end label: the deadlock, where everybody holds one fork, is to be found, as it is by ours.
 */
#ifndef N
#define N 3
#endif

#define THINKING 0
#define HUNGRY 1
#define WAITING 2
#define EATING 3
#define LEAVING 4

unsigned taken : N;
byte phase[N];

#define FORK(i) (1 << ((i) % N))
#define BOTH(i) (phase[(i) % N] == EATING && phase[((i) + 1) % N] == EATING)

/* The assertion is the invariant Neighbours, at the only place where it could become false. */
#define PHILOSOPHER(i) \
  :: d_step { phase[i] == THINKING -> phase[i] = HUNGRY } \
  :: d_step { phase[i] == HUNGRY && !(taken & FORK(i)) -> taken = taken | FORK(i); phase[i] = WAITING } \
  :: d_step { phase[i] == WAITING && !(taken & FORK((i) + 1)) -> \
       taken = taken | FORK((i) + 1); phase[i] = EATING; assert(!BOTH(i) && !BOTH((i) + N - 1)) } \
  :: d_step { phase[i] == EATING -> taken = taken & ~FORK(i); phase[i] = LEAVING } \
  :: d_step { phase[i] == LEAVING -> taken = taken & ~FORK((i) + 1); phase[i] = THINKING }

active proctype System() {
  do
  PHILOSOPHER(0)
  PHILOSOPHER(1)
  PHILOSOPHER(2)
#if N > 3
  PHILOSOPHER(3)
#endif
#if N > 4
  PHILOSOPHER(4)
#endif
#if N > 5
  PHILOSOPHER(5)
#endif
#if N > 6
  PHILOSOPHER(6)
#endif
#if N > 7
  PHILOSOPHER(7)
#endif
#if N > 8
  PHILOSOPHER(8)
#endif
#if N > 9
  PHILOSOPHER(9)
#endif
  od
}
