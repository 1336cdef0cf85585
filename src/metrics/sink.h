/* What a sink is: one file, one line in the table of sinks.c. */
#pragma once
#include "metrics/metrics.h"

typedef struct SinkOps {
  const char *name;
  size_t size; /* of its state, zeroed before open */
  Status (*open)(void *self, const char *folder, const MetricsStart *start);
  Status (*write)(void *self, const Record *record);
  void (*close)(void *self); /* after a failed open too */
} SinkOps;

/* "main_0/entropy" is a player's, "charts/SPS" is not: the length of the player's name in a metric's, or 0. */
size_t metric_player(const char *name);
