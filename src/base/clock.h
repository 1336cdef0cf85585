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
