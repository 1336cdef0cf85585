/* The table of sinks, and the two that are text: JSON lines, and Prometheus' text format. */
#include "metrics/names.h"
#include "metrics/sink.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names are few enough to be looked for one by one, once a tick. */
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

/* 0 where there is none: a chart that asks for a number of another algorithm is no failure. */
double record_get(const Record *record, const char *name) {
  for (size_t i = 0; i < record->count; i++)
    if (!strcmp(record->metric[i].name, name)) return record->metric[i].value;
  return 0;
}

/* --- JSON lines --- */
typedef struct TextSink {
  char path[4096];
} TextSink;

/* Only the path is kept: the file is opened for each line, so that it may be moved or cut while the
 * job runs. */
static Status jsonl_open(void *self, const char *folder, const MetricsStart *start) {
  TextSink *sink = self;
  (void)start;
  return text_format(sink->path, sizeof sink->path, "%s/metrics.jsonl", folder);
}

/* Appends one line. A job that was killed while it wrote leaves half a line: the next line then
 * begins with a newline, so that the half stays by itself, and readers pass over it. */
static Status jsonl_write(void *self, const Record *record) {
  const char *path = ((TextSink *)self)->path;
  json_t *object = json_object();
  for (size_t i = 0; i < record->count; i++)
    json_object_set_new(object, record->metric[i].name, json_real(record->metric[i].value));
  char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
  json_decref(object);
  if (!text) return status_set(ERR_MEMORY, "out of memory writing metrics");
  FILE *file = fopen(path, "a+");
  bool torn = file && fseek(file, -1, SEEK_END) == 0 && getc(file) != '\n';
  bool good =
      file && fseek(file, 0, SEEK_END) == 0 && fprintf(file, "%s%s\n", torn ? "\n" : "", text) > 0;
  if (file && fclose(file)) good = false;
  free(text);
  return good ? OK : status_set(ERR_IO, "cannot append to %s: %s", path, strerror(errno));
}

/* --- Prometheus' text format, for the node exporter's text-file collector --- */

/* The file is replaced at each record, so nothing is opened here. */
static Status prometheus_open(void *self, const char *folder, const MetricsStart *start) {
  TextSink *sink = self;
  (void)start;
  return text_format(sink->path, sizeof sink->path, "%s/metrics.prom", folder);
}

/* The name under which Prometheus groups a metric: agon_charts_SPS, or agon_player_entropy for that
 * number of all players. Letters that are not allowed in such names become '_'. */
static void family(const char *name, char *out, size_t size) {
  size_t player = metric_player(name);
  snprintf(out, size, "agon_%s%s", player ? "player" : "", name + player);
  for (char *at = out; *at; at++)
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *at)) *at = '_';
}

/* Writes the newest value of each metric. The format wants all series of a family together, so the
 * first of a family brings the others with it, and their names are emptied to mark them as
 * written. */
static Status prometheus_write(void *self, const Record *record) {
  Bytes text = {0};
  char line[256];
  char(*name)[80];
  TRY_RETURN(NEW_ARRAY(name, record->count + 1));
  for (size_t i = 0; i < record->count; i++)
    family(record->metric[i].name, name[i], sizeof name[i]);
  for (size_t i = 0; i < record->count; i++) {
    if (!*name[i]) continue; /* it stood with the first of its family */
    const MetricName *known = metric_find(record->metric[i].name);
    int size = 0;
    if (known) size = snprintf(line, sizeof line, "# HELP %s %s\n", name[i], known->what);
    bytes_put(&text, line, (size_t)size);
    size = snprintf(line, sizeof line, "# TYPE %s gauge\n", name[i]);
    bytes_put(&text, line, (size_t)size);
    for (size_t j = record->count; j-- > i;) {
      const Metric *metric = &record->metric[j];
      size_t player = metric_player(metric->name);
      if (strcmp(name[i], name[j])) continue;
      size = player ? snprintf(line, sizeof line, "%s{player=\"%.*s\"} %.9g\n", name[i],
                               (int)player, metric->name, metric->value)
                    : snprintf(line, sizeof line, "%s %.9g\n", name[i], metric->value);
      bytes_put(&text, line, (size_t)size);
      if (j != i) *name[j] = 0;
    }
  }
  free(name);
  Status status = text.failed ? status_set(ERR_MEMORY, "out of memory writing metrics")
                              : file_write_whole(((TextSink *)self)->path, text.data, text.size);
  bytes_free(&text);
  return status;
}

/* Neither text sink holds anything open. */
static void text_close(void *self) {
  (void)self;
}

/* --- the table --- */
const SinkOps sink_jsonl = {.name = "jsonl",
                            .size = sizeof(TextSink),
                            .open = jsonl_open,
                            .write = jsonl_write,
                            .close = text_close};
const SinkOps sink_prometheus = {.name = "prometheus",
                                 .size = sizeof(TextSink),
                                 .open = prometheus_open,
                                 .write = prometheus_write,
                                 .close = text_close};

/* Where numbers go: a line each, and what is more than text has a file of its own. */
#define SINKS(EACH)                                                                                \
  EACH(jsonl)                                                                                      \
  EACH(prometheus)                                                                                 \
  EACH(tensorboard)                                                                                \
  /* any line goes by itself */

#define DECLARE(name) extern const SinkOps sink_##name;
#define ADDRESS(name) &sink_##name,

SINKS(DECLARE)
static const SinkOps *const sinks[] = {SINKS(ADDRESS)};

struct Metrics {
  void *self[COUNT_OF(sinks)];
};

/* A sink's state is allocated here from the size in its table. */
Status metrics_open(const char *folder, const MetricsStart *start, Metrics **out) {
  Status status = OK;
  TRY_RETURN(NEW_ARRAY(*out, 1));
  for (size_t i = 0; i < COUNT_OF(sinks); i++) {
    TRY(mem_array(&(*out)->self[i], 1, sinks[i]->size));
    TRY(sinks[i]->open((*out)->self[i], folder, start));
  }
done:
  if (status != OK) {
    metrics_close(*out);
    *out = NULL;
  }
  return status;
}

Status metrics_write(Metrics *metrics, const Record *record) {
  Status first = OK;
  char why[512];
  for (size_t i = 0; i < COUNT_OF(sinks); i++) {
    const Status status = sinks[i]->write(metrics->self[i], record);
    if (status == OK || first != OK) continue;
    first = status;
    snprintf(why, sizeof why, "%s", status_message());
  }
  return first == OK ? OK : status_set(first, "%s", why);
}

Status metrics_end(Metrics *metrics) {
  for (size_t i = 0; i < COUNT_OF(sinks); i++)
    if (sinks[i]->end) TRY_RETURN(sinks[i]->end(metrics->self[i]));
  return OK;
}

/* Sinks after one that failed to open were never allocated. */
void metrics_close(Metrics *metrics) {
  if (!metrics) return;
  for (size_t i = 0; i < COUNT_OF(sinks); i++) {
    if (metrics->self[i]) sinks[i]->close(metrics->self[i]);
    free(metrics->self[i]);
  }
  free(metrics);
}
