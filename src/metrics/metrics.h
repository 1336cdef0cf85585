/* Series and their sinks: a record is a set of named numbers at one moment. Names are GROUP/NAME or
 * PLAYER/NAME; names.h has all of them. A sink is one file and one row of the table in sinks.c. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* A number with its name. */
typedef struct Metric {
  char name[64];
  double value;
} Metric;

/* All numbers of one moment, in the order in which they were set. 72 kB: not for the stack. */
typedef struct Record {
  Metric metric[1000];
  size_t count;
} Record;

typedef struct Metrics Metrics;

typedef enum SettingKind { SETTING_TEXT, SETTING_NUMBER, SETTING_FLAG } SettingKind;

/* One key of the configuration, with its value as text. */
typedef struct MetricsSetting {
  const char *key, *value;
  SettingKind kind; /* what the text is of */
} MetricsSetting;

/* What the numbers are of, for sinks that show it beside them. */
typedef struct MetricsAbout {
  const MetricsSetting *setting;
  size_t settings;
  const char *text; /* the whole configuration, YAML */
} MetricsAbout;

/* Where a job begins to write. */
typedef struct MetricsStart {
  double step;         /* global_step of its first record, or where the run goes on */
  bool resumed;        /* what was written beyond `step` before is void */
  const char *general; /* TensorBoard's folder of what is no player's; NULL: "league"; borrowed */
  const MetricsAbout *about; /* NULL: nothing is told; borrowed while metrics are opened */
} MetricsStart;

/* Sets a number, in place of an earlier one with the same name. What is not finite is dropped, and
 * so is what comes after 1,000 names. */
void record_set(Record *record, const char *name, double value);
double record_get(const Record *record, const char *name); /* 0 if absent */
/* Opens every sink in the folder: metrics.jsonl is appended to, metrics.prom replaced whole at each
 * record, tb/ gets a new event file for each group of series. *out is the caller's (metrics_close),
 * NULL on failure. ERR_MEMORY, ERR_USAGE (a path too long). */
Status metrics_open(const char *folder, const MetricsStart *start, Metrics **out);
/* Gives a record to every sink, whatever the others say; what is told is the first that failed.
 * ERR_IO, ERR_MEMORY, ERR_USAGE (a path too long). */
Status metrics_write(Metrics *metrics, const Record *record);
/* The job has come to its end, and not broken off: for sinks that tell the two apart. ERR_IO,
 * ERR_MEMORY. */
Status metrics_end(Metrics *metrics);
/* Accepts NULL. */
void metrics_close(Metrics *metrics);
