/* cmocka with what it needs; a check of Status that shows the message; a broken invariant fails the test. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/invariant.h"
#include "base/status.h"

#define CHECK_OK(call)                                                                                                 \
  do {                                                                                                                 \
    if ((call) != OK) fail_msg("%s failed: %s", #call, status_message());                                              \
  } while (0)
#define CHECK_NEAR(a, b, epsilon)                                                                                      \
  do {                                                                                                                 \
    double a_ = (double)(a), b_ = (double)(b);                                                                         \
    if (!(a_ - b_ <= (epsilon) && b_ - a_ <= (epsilon))) fail_msg("%s = %.9g, expected %.9g", #a, a_, b_);             \
  } while (0)

static void breach_fails_the_test(void *context, const Breach *breach) {
  (void)context;
  fail_msg("broken invariant: rank %d, tick %llu: %s (%s:%d)", breach->rank, (unsigned long long)breach->tick,
           breach->condition, breach->file, breach->line);
}
__attribute__((constructor)) static void watch_invariants(void) { invariant_set_handler(breach_fails_the_test, NULL); }
