#include "base/clock.h"

#include <stddef.h>
#include <time.h>

/* Not the time of day: CLOCK_MONOTONIC does not jump when somebody sets the machine's clock. */
static int64_t system_now(void *context) {
  (void)context;
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The machine's own clock. */
Clock clock_system(void) {
  return (Clock){system_now, NULL};
}

/* Whenever the source shows less than it did last, the difference is added to all later answers, so
 * that this clock stands still for that moment instead of going back. */
static int64_t steady_now(void *context) {
  SteadyClock *steady = context;
  int64_t now = clock_now(&steady->source);
  if (now < steady->seen) steady->added += steady->seen - now;
  steady->seen = now;
  return now + steady->added;
}

/* Starts at what the source shows now. */
Clock clock_steady(SteadyClock *steady, Clock source) {
  *steady = (SteadyClock){.source = source, .seen = clock_now(&source)};
  return (Clock){steady_now, steady};
}
