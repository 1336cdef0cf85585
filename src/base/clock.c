#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t system_now(void *context) {
  (void)context;
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

Clock clock_system(void) { return (Clock){system_now, NULL}; }

static int64_t steady_now(void *context) {
  SteadyClock *steady = context;
  int64_t now = clock_now(&steady->source);
  if (now < steady->seen) steady->added += steady->seen - now;
  steady->seen = now;
  return now + steady->added;
}

Clock clock_steady(SteadyClock *steady, Clock source) {
  *steady = (SteadyClock){.source = source, .seen = clock_now(&source)};
  return (Clock){steady_now, steady};
}
