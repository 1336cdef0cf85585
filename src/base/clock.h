/* Time comes in from outside: every module gets a Clock; the simulation gives it one of its own. */
#pragma once
#include <stdint.h>

typedef struct Clock {
  int64_t (*now)(void *context); /* monotonic nanoseconds */
  void *context;
} Clock;

/* Nanoseconds now; only differences mean anything. */
static inline int64_t clock_now(const Clock *clock) {
  return clock->now(clock->context);
}
static inline double clock_seconds(int64_t nanoseconds) {
  return (double)nanoseconds * 1e-9;
}

/* The machine's monotonic clock; its zero means nothing. */
Clock clock_system(void);

/* A clock over another one that may be set back, as happens to virtual machines that are moved or
 * restored while they run. It stands still while the other is behind, and then goes on: no duration
 * is negative, and nobody waits for a time that has been. */
typedef struct SteadyClock {
  Clock source;
  int64_t seen;  /* what the source said last */
  int64_t added; /* all that it was set back by */
} SteadyClock;

/* `steady` must outlive the clock, which is not for several threads at once. */
Clock clock_steady(SteadyClock *steady, Clock source);
