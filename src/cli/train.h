/* A training job, for the commands that run one. */
#pragma once
#include "league/manager.h"

typedef struct TrainExtras {
  void (*finished)(void *context, const ManagerSummary *summary); /* rank 0, at the end; may be NULL */
  void *context;
  const float
      *target; /* rank 0: policy that the first snapshots of a new run hold, instead of initial weights; may be NULL */
} TrainExtras;

/* From now on SIGUSR1, and without a launcher SIGINT and SIGTERM, ask the job to save and end. To be called before MPI
 * is started, which looks like a launcher afterwards and takes a while. */
void train_catch_signals(void);
/* Collective over the transport's ranks; arguments as behind `agon train`; extras may be NULL. Bad input ends the
 * process on all ranks with the documented exit code. The transport serves one job. */
Status train_job(Transport *transport, int argc, char **argv, const TrainExtras *extras);
