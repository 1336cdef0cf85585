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
