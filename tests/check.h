/* cmocka with what it needs, and a check of Status that shows the message. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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
