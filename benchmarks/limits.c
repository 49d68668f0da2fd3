/* What the memory of this machine allows: nanoseconds for one access to a random place of an array of 256 MiB.
 *
 * dependent    each address needs the value before it, as in a linked list: the latency
 * independent  addresses are known beforehand, so the processor overlaps the accesses
 * batched      64 places are prefetched and then looked at, which is how a visited set can be asked
 *
 * An explorer has to look up every successor in a table larger than any cache, so these bound what it can do. Huge pages
 * are asked for where the system has them. Prints one line "name nanoseconds" for each, and a checksum that keeps the
 * compiler from leaving out the loads.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

#define BITS 25
#define WORDS ((uint64_t)1 << BITS)
#define BATCH 64

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Two products with a shift between them: no constant stride, which a prefetcher could learn. */
static inline uint64_t place(uint64_t x) {
  x *= 0x9E3779B97F4A7C15u;
  x ^= x >> 32;
  return (x * 0xD1342543DE82EF95u) >> (64 - BITS);
}

int main(void) {
  uint64_t *array = mmap(NULL, WORDS * sizeof *array, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (array == MAP_FAILED) {
    perror("mmap");
    return 1;
  }
#ifdef MADV_HUGEPAGE
  madvise(array, WORDS * sizeof *array, MADV_HUGEPAGE);
#endif
  uint64_t random = 88172645463325252u;
  for (uint64_t i = 0; i < WORDS; i++) { /* xorshift64 */
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    array[i] = random;
  }

  const uint64_t few = (uint64_t)1 << 22, many = (uint64_t)1 << 25;
  uint64_t sum = 0, value = 1;

  double begin = now();
  for (uint64_t i = 0; i < few; i++) value = array[place(value + i)]; /* `+ i`: no short cycle */
  printf("dependent %.3f\n", (now() - begin) / (double)few);
  sum += value;

  begin = now();
  for (uint64_t i = 0; i < many; i++) sum += array[place(i)];
  printf("independent %.3f\n", (now() - begin) / (double)many);

  begin = now();
  for (uint64_t i = 0; i < many; i += BATCH) {
    uint64_t places[BATCH];
    for (uint64_t j = 0; j < BATCH; j++) {
      places[j] = place(many + i + j);
      __builtin_prefetch(&array[places[j]]);
    }
    for (uint64_t j = 0; j < BATCH; j++) { /* a probe looks, compares, and branches */
      if (array[places[j]] == i + j) sum++;
      else sum += array[places[j]] & 1;
    }
  }
  printf("batched %.3f\n", (now() - begin) / (double)many);
  printf("checksum %llu\n", (unsigned long long)sum);
  return 0;
}
