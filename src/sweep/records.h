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

/* The last line of a log that says what went wrong, in plain letters, into out[size]. */
void last_words(const char *log, char *out, size_t size);
