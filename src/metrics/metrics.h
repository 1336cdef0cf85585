/* Series and their sinks: a record is a set of named numbers at one moment. Names are GROUP/NAME (charts, league,
 * matchmaking, env) or PLAYER/NAME. A sink is one file and one row of the table in sinks.c. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Metric {
  char name[64];
  double value;
} Metric;

typedef struct Record {
  Metric metric[1000];
  size_t count;
} Record;

typedef struct Metrics Metrics;

/* How a job begins to write. */
typedef struct MetricsStart {
  double step;  /* global_step of its first record, or where the run goes on */
  bool resumed; /* what was written beyond `step` before is void */
} MetricsStart;

void record_set(Record *record, const char *name, double value); /* replaces; drops what is not finite */
double record_get(const Record *record, const char *name);       /* 0 if absent */
/* Opens every sink in the folder: metrics.jsonl is appended to, metrics.prom replaced whole at each record, tb/ gets a
 * new event file for each group of series. */
Status metrics_open(const char *folder, const MetricsStart *start, Metrics **out);
Status metrics_write(Metrics *metrics, const Record *record);
void metrics_close(Metrics *metrics);
