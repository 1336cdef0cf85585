#include "metrics/metrics.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Sink {
  const char *file;
  Status (*write)(const char *path, const Record *record);
} Sink;

struct Metrics {
  char folder[3072];
};

void record_set(Record *record, const char *name, double value) {
  if (!isfinite(value)) return;
  for (size_t i = 0; i < record->count; i++)
    if (!strcmp(record->metric[i].name, name)) {
      record->metric[i].value = value;
      return;
    }
  if (record->count == COUNT_OF(record->metric)) return;
  Metric *metric = &record->metric[record->count++];
  snprintf(metric->name, sizeof metric->name, "%s", name);
  metric->value = value;
}

double record_get(const Record *record, const char *name) {
  for (size_t i = 0; i < record->count; i++)
    if (!strcmp(record->metric[i].name, name)) return record->metric[i].value;
  return 0;
}

static Status append_line(const char *path, const Record *record) {
  json_t *object = json_object();
  for (size_t i = 0; i < record->count; i++)
    json_object_set_new(object, record->metric[i].name, json_real(record->metric[i].value));
  char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
  json_decref(object);
  if (!text) return status_set(ERR_MEMORY, "out of memory writing metrics");
  FILE *file = fopen(path, "a");
  bool good = file && fprintf(file, "%s\n", text) > 0;
  if (file && fclose(file)) good = false;
  free(text);
  return good ? OK : status_set(ERR_IO, "cannot append to %s: %s", path, strerror(errno));
}

/* Prometheus' text format, for the node exporter's text-file collector. */
static Status write_prometheus(const char *path, const Record *record) {
  Bytes text = {0};
  char line[256], name[72];
  for (size_t i = 0; i < record->count; i++) {
    snprintf(name, sizeof name, "%s", record->metric[i].name);
    for (char *at = name; *at; at++)
      if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *at)) *at = '_';
    int size = snprintf(line, sizeof line, "agon_%s %.9g\n", name, record->metric[i].value);
    bytes_put(&text, line, (size_t)size);
  }
  Status status = text.failed ? status_set(ERR_MEMORY, "out of memory writing metrics")
                              : file_write_whole(path, text.data, text.size);
  bytes_free(&text);
  return status;
}

static const Sink sinks[] = {
    {"metrics.jsonl", append_line},
    {"metrics.prom", write_prometheus},
};

Status metrics_open(const char *folder, Metrics **out) {
  TRY_RETURN(NEW_ARRAY(*out, 1));
  return text_format((*out)->folder, sizeof(*out)->folder, "%s", folder);
}

Status metrics_write(Metrics *metrics, const Record *record) {
  char path[PATH_MAX];
  for (size_t i = 0; i < COUNT_OF(sinks); i++) {
    TRY_RETURN(text_format(path, sizeof path, "%s/%s", metrics->folder, sinks[i].file));
    TRY_RETURN(sinks[i].write(path, record));
  }
  return OK;
}

void metrics_close(Metrics *metrics) { free(metrics); }
