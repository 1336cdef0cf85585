/* metrics.jsonl as series over frames: what watch and report draw. A run that was resumed goes back
 * to its checkpoint; what it had written beyond that is dropped here. */
#pragma once
#include "base/status.h"

#include <stddef.h>

/* One number over time. */
typedef struct Series {
  char name[64];
  double *x, *y; /* frames (global_step), value */
  size_t count, room[2];
} Series;

/* All series of a run. */
typedef struct SeriesSet {
  Series *series;
  size_t count, room;
} SeriesSet;

/* Reads metrics.jsonl; *out is the caller's (series_free), empty if the file is missing. Lines that
 * are not JSON (half of one, after a kill) are skipped. tail: only the last so many bytes; 0: all.
 * ERR_IO, ERR_MEMORY; then *out is empty. */
Status series_read(const char *path, long tail, SeriesSet *out);
void series_free(SeriesSet *set);
/* The series of that name, borrowed; NULL if there is none. */
const Series *series_find(const SeriesSet *set, const char *name);
/* Means over at most `most` stretches of equal length in x, into x and y of `most`; returns how
 * many there are, fewer where stretches have no points. */
size_t series_thin(const Series *series, size_t most, double *x, double *y);
