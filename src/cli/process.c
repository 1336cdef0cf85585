#include "cli/process.h"

#include "base/invariant.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The handler of broken invariants: ends all ranks at once, as state that is wrong must not be
 * saved by any of them. Nothing is freed or flushed. */
static void end_job(void *context, const Breach *breach) {
  Transport *transport = context;
  char why[512];
  snprintf(why, sizeof why, "broken invariant: rank %d, tick %" PRIu64 ": %s (%s:%d)", breach->rank,
           breach->tick, breach->condition, breach->file, breach->line);
  if (transport) transport->ops->abort(transport, 1, why);
  fprintf(stderr, "agon: %s\n", why);
  _Exit(1); /* what has been found wrong is not to be written by anybody's clean-up */
}

/* A sink that passes warnings on and drops everything else. */
static void on_stderr(void *context, const char *line) {
  (void)context;
  if (!strncmp(line, LOG_WARNING, strlen(LOG_WARNING))) fprintf(stderr, "agon: %s\n", line);
}

/* Setting a sink hands it the lines that none has taken yet; it is removed at once, as nothing else
 * is to be printed. Standard output is flushed first, so that both come in their order on a
 * terminal. */
void job_show_warnings(void) {
  fflush(stdout);
  log_set_sink(on_stderr, NULL);
  log_set_sink(NULL, NULL);
}

/* The handler counts for the calling thread alone: simulated ranks are threads. */
void job_watch(Transport *transport) {
  invariant_set_handler(end_job, transport);
}

/* On failure *out is not set. ERR_ codes are those of transport_mpi_create. */
Status job_join(int *argc, char ***argv, Transport **out) {
  TRY_RETURN(transport_mpi_create(argc, argv, out));
  job_watch(*out);
  invariant_place((*out)->rank, 0);
  return OK;
}

/* Flushes and ends the process without a second message about the same failure. */
void leave_told(Status status) {
  job_show_warnings();
  exit(status_exit_code(status));
}
