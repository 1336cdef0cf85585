/* status.json of a run folder, for commands that look. None of them touches the run. */
#pragma once
#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>

Status status_load(const char *run, json_t **out);              /* the caller's; ERR_RUN if there is none */
double status_number(const json_t *object, const char *key);    /* 0 if absent */
const char *status_text(const json_t *object, const char *key); /* "" if absent */
Status status_held(const char *run, bool *out);                 /* whether a job holds the run's lock */
/* running, stopped, finished, or that it ended without saving. */
const char *status_state(const char *run, const json_t *root);
