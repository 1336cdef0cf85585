#include "base/invariant.h"

#include <math.h>
#include <stddef.h>

/* One handler and place per thread, so that simulated ranks and tests do not share one. */
static _Thread_local BreachHandler current_handler;
static _Thread_local void *handler_context;
static _Thread_local Breach place;

void invariant_set_handler(BreachHandler handler, void *context) {
  current_handler = handler;
  handler_context = context;
}

void invariant_place(int rank, uint64_t tick) {
  place.rank = rank;
  place.tick = tick;
}

void invariant_broken(const char *condition, const char *file, int line) {
  if (!current_handler) return;
  Breach breach = {place.rank, place.tick, condition, file, line};
  current_handler(handler_context, &breach);
}

bool finite_floats(const float *value, uint64_t count) {
  float sum = 0; /* 0 * x is 0 for finite x and NaN for all others */
  for (uint64_t i = 0; i < count; i++) sum += 0 * value[i];
  return sum == 0;
}

bool finite_doubles(const double *value, uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    if (!isfinite(value[i])) return false;
  return true;
}
