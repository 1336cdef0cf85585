/* A training job, for the command and for the benchmark. */
#pragma once
#include "league/manager.h"

typedef void (*TrainFinished)(void *context, const ManagerSummary *summary);

/* Collective over the transport's ranks; arguments as behind `agon train`. On rank 0 `finished` (may be NULL) gets the
 * summary. Bad input ends the process on all ranks with the documented exit code. The transport serves one job. */
Status train_job(Transport *transport, int argc, char **argv, TrainFinished finished, void *context);
