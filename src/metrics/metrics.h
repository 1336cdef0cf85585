/* Series and their sinks: a record is a set of named numbers at one moment. A sink is one row of the table in sinks.c.
 */
#pragma once
#include "base/status.h"

#include <stdint.h>

typedef struct Metric {
  char name[64];
  double value;
} Metric;

typedef struct Record {
  Metric metric[400];
  size_t count;
} Record;

typedef struct Metrics Metrics;

void record_set(Record *record, const char *name, double value); /* replaces; drops what is not finite */
double record_get(const Record *record, const char *name);       /* 0 if absent */
/* Opens every sink in the folder (metrics.jsonl appended, metrics.prom replaced whole). */
Status metrics_open(const char *folder, Metrics **out);
Status metrics_write(Metrics *metrics, const Record *record);
void metrics_close(Metrics *metrics);
