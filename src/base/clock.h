/* Time comes in from outside: every module gets a Clock; the simulation gives it one of its own. */
#pragma once
#include <stdint.h>

typedef struct Clock {
  int64_t (*now)(void *context); /* monotonic nanoseconds */
  void *context;
} Clock;

static inline int64_t clock_now(const Clock *clock) { return clock->now(clock->context); }
static inline double clock_seconds(int64_t nanoseconds) { return (double)nanoseconds * 1e-9; }
Clock clock_system(void);

/* A clock over another that may be set back, as happens to machines that are moved or restored while they run: it
 * stands while the other is set back, and then goes on, so that no time is negative and nothing waits for what has
 * been. */
typedef struct SteadyClock {
  Clock source;
  int64_t seen;  /* what the source said last */
  int64_t added; /* all that it was set back by */
} SteadyClock;

/* `steady` must outlive the clock, which is not for several threads at once. */
Clock clock_steady(SteadyClock *steady, Clock source);
