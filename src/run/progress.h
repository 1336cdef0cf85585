/* status.json of a run folder, for commands that look. None of them touches the run. */
#pragma once
#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>

/* Reads status.json of the folder `run`; *out is the caller's (json_decref). ERR_RUN if there is
 * none or it is no object, ERR_USAGE (a path too long). */
Status status_load(const char *run, json_t **out);
double status_number(const json_t *object, const char *key);    /* 0 if absent */
const char *status_text(const json_t *object, const char *key); /* "" if absent */
/* What an evaluation in it says of one team's return, "-23.42 [-24.01, -22.83]"; "n/a" where there
 * is none yet. Returns `out`. */
const char *status_return(const json_t *evaluation, char *out, size_t size);
/* The width of a column of one of the env's metrics: of its name, or of a number. */
int status_metric_width(const char *name);
/* Whether a job holds the run's lock. ERR_IO, ERR_USAGE. */
Status status_held(const char *run, bool *out);
/* A job writes status.json twice a second. Seconds for which it has not, once that is more than
 * half a minute; 0: it has, or no job holds the run. */
double status_silence(const char *run);
/* What the run is doing, for people: running, stopped, finished, or that it ended without saving.
 * `root` is what status_load gave. */
const char *status_state(const char *run, const json_t *root);
