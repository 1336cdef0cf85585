/* What the numbers of a record are called, in one table: metrics.jsonl and Python have them by
 * name, TensorBoard by tag, Prometheus by family. Whoever sets a number that is not in the table
 * adds its row. */
#pragma once
#include <stddef.h>

typedef struct MetricName {
  /* GROUP/NAME, or NAME: of the job. PLAYER/NAME: of a player, for whose name PLAYER stands. A '*'
   * at the end stands for what games and matchmaking call their own. */
  const char *name;
  const char *tag;  /* TensorBoard's; NULL: made of the name (metric_tag) */
  const char *what; /* one sentence */
} MetricName;

/* NULL past the end. */
const MetricName *metric_name(size_t index);
/* The row that a record's name belongs to; NULL: none. */
const MetricName *metric_find(const char *name);
/* "main_0/entropy" is a number of the player main_0, "charts/SPS" is nobody's: the length of the
 * player's name in a metric's name, or 0. */
size_t metric_player(const char *name);
/* Where TensorBoard has it, within the folder of its player or of the job: CleanRL's tag where that
 * has the same number, so that charts of both lie over one another; else the name, in a group
 * "player" or "charts" where it has none. */
void metric_tag(const char *name, char *out, size_t size);
