/* A training job: a league, from nothing or from a checkpoint, on the ranks of a transport. */
#pragma once
#include "transport/transport.h"

#include <stdio.h>

/* What is asked of a job. Texts are borrowed until job_train returns. Ranks other than 0 follow
 * what rank 0 has read. */
typedef struct JobRequest {
  /* a built-in name, a plug-in's path, FILE.yaml, or the folder of a run to go on with; NULL: the
   * game of the run that `folder` or `resume` names */
  const char *game;
  /* (override_count) key=value, over the file and over what a checkpoint holds */
  const char *const *overrides;
  size_t override_count;
  const char *folder; /* of the run; NULL: runs/GAME */
  /* NULL: there must be no run yet, or `game` names it; "auto", "must", "never", a checkpoint's
   * file, or the folder of a run */
  const char *resume;
  /* seconds, as `max_seconds` takes them; NULL: what the configuration says */
  const char *max_time;
  const char *init_from; /* learner.init_from; NULL: what the configuration says */
  /* a policy that the first snapshots of a new run hold instead of initial weights; NULL: none */
  const float *target;
  FILE *screen;   /* rank 0: progress, a line at a time; NULL: only the run's log has it */
  FILE *warnings; /* rank 0: warnings, and why a job does not start */
  Status fault;   /* what the caller has found wrong already: no rank starts, and all return it */
} JobRequest;

/* What came of it, on rank 0 (on the others all is 0). */
typedef struct JobResult {
  bool started;     /* else it failed before anything was played, or there was nothing left to do */
  double frames;    /* learned from, by this job */
  double decisions; /* acted, by this job */
  double seconds;   /* of this job */
  double saving;    /* the part of them that checkpoints took */
} JobResult;

/* Collective over the transport's ranks, which serves one job. Bad input is written to
 * request->warnings by rank 0 before another rank hears of it, and then returned on all ranks:
 * ERR_USAGE for keys, ERR_RUN for folders, ERR_FORMAT and ERR_IO for files. A failure while the job
 * runs ends it on all ranks through the transport. result may be NULL. */
Status job_train(Transport *transport, const JobRequest *request, JobResult *result);

/* From now on SIGUSR1, and without a launcher SIGINT and SIGTERM, ask the job to save and end. To
 * be called before MPI is started, which looks like a launcher afterwards and takes a while. */
void job_catch_signals(void);
