#include "base/invariant.h"

#include <stddef.h>
#include <string.h>

/* One handler and place per thread, so that simulated ranks and tests do not share one. */
static _Thread_local BreachHandler current_handler;
static _Thread_local void *handler_context;
static _Thread_local Breach place;

/* What is called at a breach in this thread. */
void invariant_set_handler(BreachHandler handler, void *context) {
  current_handler = handler;
  handler_context = context;
}

/* Says where this thread is, for the report of a breach. */
void invariant_place(int rank, uint64_t tick) {
  place.rank = rank;
  place.tick = tick;
}

/* Reports a breach with the place last told; without a handler it is passed over. */
void invariant_broken(const char *condition, const char *file, int line) {
  if (!current_handler) return;
  Breach breach = {place.rank, place.tick, condition, file, line};
  current_handler(handler_context, &breach);
}

/* Whether none of `count` numbers is infinite or NaN: those have an exponent of ones. The loop
 * looks at bits and has no early end, so that the compiler can make vector instructions of it. */
bool finite_floats(const float *value, uint64_t count) {
  uint32_t bits, bad = 0; /* by bits and without an early end, so that it runs in vectors */
  for (uint64_t i = 0; i < count; i++) {
    memcpy(&bits, value + i, sizeof bits);
    bad |= (uint32_t)((bits & 0x7fffffffu) >= 0x7f800000u);
  }
  return !bad;
}

/* The same for doubles. */
bool finite_doubles(const double *value, uint64_t count) {
  uint64_t bits, bad = 0;
  for (uint64_t i = 0; i < count; i++) {
    memcpy(&bits, value + i, sizeof bits);
    bad |= (uint64_t)((bits & 0x7fffffffffffffffu) >= 0x7ff0000000000000u);
  }
  return !bad;
}
