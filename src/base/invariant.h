/* What holds wherever the program is right, looked at while it runs in checked builds
 * (-DAGON_CHECKED=ON) and compiled out of others. A breach goes to the handler that the program has
 * set for its thread; libraries neither print nor end anything. Input is never checked by an
 * invariant: what comes from outside gets a Status. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Which condition failed, in which line, on which rank and in which tick. */
typedef struct Breach {
  int rank;
  uint64_t tick;
  const char *condition, *file;
  int line;
} Breach;

typedef void (*BreachHandler)(void *context, const Breach *breach);
void invariant_set_handler(BreachHandler handler, void *context); /* of this thread; NULL: none */
void invariant_place(int rank, uint64_t tick); /* where this thread's next breaches happen */
void invariant_broken(const char *condition, const char *file, int line);
/* Whether all `count` numbers are finite. */
bool finite_floats(const float *value, uint64_t count);
bool finite_doubles(const double *value, uint64_t count);

#ifdef AGON_CHECKED
#define INVARIANT(condition)                                                                       \
  ((condition) ? (void)0 : invariant_broken(#condition, __FILE__, __LINE__))
#define INVARIANT_AT(rank, tick) invariant_place(rank, tick)
#else
#define INVARIANT(condition) ((void)(0 && (condition)))
#define INVARIANT_AT(rank, tick) ((void)(0 && (rank) && (tick)))
#endif
