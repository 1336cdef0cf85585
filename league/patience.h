/* How often and for how long a job tries again to write what it must not lose: checkpoints and
 * player files. A disk that is full, or a server that is away, is often well again in a minute;
 * until then the job goes on, and what waits to be written is kept in memory. */
#pragma once
#include "base/clock.h"
#include "base/status.h"

#include <stdbool.h>

typedef struct Patience {
  Clock clock;
  double seconds; /* from the first failure to the last attempt; 0: none is made again */
  bool failing;
  int64_t since; /* of the first failure, and ... */
  int64_t again; /* ... when it is tried next */
  double pause;  /* seconds to that one */
} Patience;

Patience patience_of(Clock clock, double seconds);
/* Whether it is time to try. */
bool patience_due(const Patience *patience);
/* What comes of an attempt. OK: *written, and it is said if attempts had failed. ERR_IO: OK while
 * there is patience, and not *written; the first failure is a warning. After that, and for other
 * failures, what it was. `what`: "checkpoint 000012", say. */
Status patience_judge(Patience *patience, Status status, const char *what, bool *written);
/* Seconds since attempts began to fail; 0: they do not. */
double patience_failing(const Patience *patience);
