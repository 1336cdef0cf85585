#include "league/patience.h"

#include "base/log.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

/* Seconds between attempts: twice as many each time, within these. */
#define FIRST_PAUSE 0.5
#define LAST_PAUSE 20.0

static double seconds_since(const Patience *patience, int64_t then) {
  return clock_seconds(clock_now(&patience->clock) - then);
}

Patience patience_of(Clock clock, double seconds) {
  return (Patience){.clock = clock, .seconds = seconds};
}

bool patience_due(const Patience *patience) {
  return !patience->failing || seconds_since(patience, patience->again) >= 0;
}

double patience_failing(const Patience *patience) {
  return patience->failing ? seconds_since(patience, patience->since) : 0;
}

/* The last attempt is at the end of the patience, and not up to a pause before. */
static void plan_next(Patience *patience) {
  const double left = patience->seconds - patience_failing(patience);
  const double pause = fmin(patience->pause, fmax(left, 0));
  patience->again = clock_now(&patience->clock) + (int64_t)(pause * 1e9);
  patience->pause = fmin(2 * patience->pause, LAST_PAUSE);
}

Status patience_judge(Patience *patience, Status status, const char *what, bool *written) {
  char time[24];
  char why[512];
  *written = status == OK;
  if (status == OK) {
    if (patience->failing)
      log_line("%s could be written after %s of trying", what,
               text_duration(patience_failing(patience), time, sizeof time));
    patience->failing = false;
    return OK;
  }
  if (status != ERR_IO || patience->seconds <= 0) return status;
  snprintf(why, sizeof why, "%s", status_message());
  if (!patience->failing) {
    patience->failing = true;
    patience->since = clock_now(&patience->clock);
    patience->pause = FIRST_PAUSE;
    log_warning("%s could not be written: %s; it is tried again for %s (checkpoint.patience)", what,
                why, text_duration(patience->seconds, time, sizeof time));
  } else if (patience_failing(patience) >= patience->seconds) {
    return status_set(status,
                      "%s: %s; tried for %s (checkpoint.patience): what was saved before is whole, "
                      "and the run goes on from there",
                      what, why, text_duration(patience_failing(patience), time, sizeof time));
  }
  plan_next(patience);
  return OK;
}
