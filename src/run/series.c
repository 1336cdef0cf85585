#include "run/series.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The set is then empty and can be used again. */
void series_free(SeriesSet *set) {
  for (size_t i = 0; i < set->count; i++) {
    free(set->series[i].x);
    free(set->series[i].y);
  }
  free(set->series);
  *set = (SeriesSet){0};
}

/* A run has at most a few thousand series. */
const Series *series_find(const SeriesSet *set, const char *name) {
  for (size_t i = 0; i < set->count; i++)
    if (!strcmp(set->series[i].name, name)) return &set->series[i];
  return NULL;
}

/* Adds a point to the series `name`. *hint is the place of the series before it in the record, and
 * becomes that of this one: records name the same things in the same order, so most are found at
 * once. A run that was resumed went back to its checkpoint: points at or beyond x are dropped. */
static Status add_point(SeriesSet *set, const char *name, double x, double y, size_t *hint) {
  Series *series = *hint + 1 < set->count && !strcmp(set->series[*hint + 1].name, name)
                       ? &set->series[*hint + 1]
                       : (Series *)series_find(set, name);
  if (!series) {
    TRY_RETURN(GROW(set->series, set->room, set->count + 1));
    series = &set->series[set->count];
    TRY_RETURN(text_format(series->name, sizeof series->name, "%s", name));
    set->count++;
  }
  *hint = (size_t)(series - set->series);
  while (series->count && series->x[series->count - 1] >= x)
    series->count--; /* the run went back */
  TRY_RETURN(GROW(series->x, series->room[0], series->count + 1));
  TRY_RETURN(GROW(series->y, series->room[1], series->count + 1));
  series->x[series->count] = x;
  series->y[series->count++] = y;
  return OK;
}

/* All numbers of one line. A line that is not JSON has none. */
static Status add_record(SeriesSet *set, const char *line) {
  Status status = OK;
  json_t *object = json_loads(line, 0, NULL);
  json_t *value;
  const char *name;
  size_t hint = (size_t)-1;
  const json_t *step = json_object_get(object, "global_step");
  double x = json_number_value(step);
  json_object_foreach(object, name, value) {
    if (status == OK && json_is_number(step) && json_is_number(value) &&
        strlen(name) < sizeof set->series->name)
      status = add_point(set, name, x, json_number_value(value), &hint);
  }
  json_decref(object);
  return status;
}

/* With `tail`, the first line that is read is probably half of one, and is passed over. */
Status series_read(const char *path, long tail, SeriesSet *out) {
  Status status = OK;
  char *line = NULL;
  size_t room = 0;
  *out = (SeriesSet){0};
  FILE *file = fopen(path, "r");
  if (!file)
    return errno == ENOENT ? OK : status_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
  if (tail && !fseek(file, 0, SEEK_END)) {
    long size = ftell(file);
    fseek(file, size > tail ? size - tail : 0, SEEK_SET);
    if (size > tail && getline(&line, &room, file) < 0)
      rewind(file); /* half of a line is passed over */
  }
  while (status == OK && getline(&line, &room, file) >= 0)
    status = add_record(out, line);
  free(line);
  fclose(file);
  if (status != OK) series_free(out);
  return status;
}

/* Stretches of equal length, not of equally many points: a curve keeps its shape where records came
 * at other intervals. */
size_t series_thin(const Series *series, size_t most, double *x, double *y) {
  if (!series || series->count == 0) return 0;
  if (series->count <= most) {
    memcpy(x, series->x, series->count * sizeof *x);
    memcpy(y, series->y, series->count * sizeof *y);
    return series->count;
  }
  double low = series->x[0];
  double width = (series->x[series->count - 1] - low) / (double)most;
  size_t made = 0;
  for (size_t i = 0, stretch = 0; stretch < most; stretch++) {
    double sum_x = 0, sum_y = 0, n = 0;
    double end = low + width * (double)(stretch + 1);
    for (; i < series->count && (series->x[i] <= end || stretch + 1 == most); i++, n++) {
      sum_x += series->x[i];
      sum_y += series->y[i];
    }
    if (n <= 0) continue;
    x[made] = sum_x / n;
    y[made++] = sum_y / n;
  }
  return made;
}
