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
  void (*close)(void *self); /* after a failed open too */
} SinkOps;

/* "main_0/entropy" is a number of the player main_0, "charts/SPS" is nobody's: the length of the
 * player's name in a metric's name, or 0. */
size_t metric_player(const char *name);
