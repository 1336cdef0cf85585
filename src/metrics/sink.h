/* What a sink is: one file, one line in the table of sinks.c. */
#pragma once
#include "metrics/metrics.h"

/* What a sink must be able to do. Adding one is a file of its own and one line in the table of
 * sinks.c. */
typedef struct SinkOps {
  const char *name;
  size_t size; /* of its state, zeroed before open */
  Status (*open)(void *self, const char *folder, const MetricsStart *start);
  Status (*write)(void *self, const Record *record);
  Status (*end)(void *self); /* the job has come to its end; NULL: nothing is to be done */
  void (*close)(void *self); /* after a failed open too */
} SinkOps;
