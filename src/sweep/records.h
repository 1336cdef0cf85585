/* What the jobs of a sweep need of its records. */
#pragma once
#include "sweep/sweep.h"

/* Writes results/NAME.json of a run. ERR_IO, ERR_MEMORY. */
Status sweep_record(const SweepPlan *plan, const SweepRun *run);
/* Puts one rung behind a run. ERR_MEMORY. */
Status sweep_add_score(SweepRun *run, const RungScore *score);
/* rungs (points): how many rungs each configuration may run, as far as that is known; *known: rungs
 * of which it is known who is in. ERR_MEMORY. */
Status sweep_admitted(const Sweep *sweep, size_t *rungs, size_t *known);

/* --- processes --- */
/* A command being put together. */
typedef struct Words {
  char **word; /* (count), and NULL behind them */
  size_t count, room[1];
} Words;

/* Adds a copy. ERR_MEMORY, ERR_USAGE (too long). */
Status words_add(Words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_free(Words *words);
/* Starts it in a process group of its own: input from nowhere, output appended to `log`, or written
 * to `out` where there is one. ERR_IO. */
Status words_start(const Words *words, const char *out, const char *log, int *pid);
/* The last line of a log that says what went wrong, in plain letters, into out[size]. */
void last_words(const char *log, char *out, size_t size);
