/* A run opened for looking: its newest good checkpoint, settings and league. Never touches the run,
 * never starts MPI.
 */
#pragma once
#include "job/config.h"
#include "eval/eval.h"
#include "store/counters.h"

/* A run as it was at its newest whole checkpoint. */
typedef struct RunView {
  RunFolder folder;
  Tree tree;
  uint64_t generation;
  JobConfig *settings;
  League league;
} RunView;

/* Opens a run with its game's code; run_view_close is due on success. ERR_RUN if there is none,
 * ERR_ENV if a plug-in cannot be opened, ERR_FORMAT, ERR_IO, ERR_MEMORY, ERR_USAGE. */
Status run_view_open(const char *path, RunView *out);
/* For commands that need none of the game's code: a plug-in stays closed, and settings->env is
 * NULL, where the run says what there is to know about it. Codes as above. */
Status run_view_look(const char *path, RunView *out);
void run_view_close(RunView *run);
/* (RUN_COUNTERS) how far the run was, borrowed; NULL if the checkpoint does not say. */
const uint64_t *run_view_counters(const RunView *run);
/* A player by [RUN:]NAME, snapshot file (.h5), exported file (.agon), ONNX file, program
 * (exec:COMMAND) or built-in's name, to play `env`. `run` may be NULL.
 * *out is the caller's (contestant_destroy) on success. ERR_USAGE if there is no such player or it
 * is of another game; codes of run_view_open. */
Status run_view_player(const char *text, const RunView *run, const Env *env, Contestant *out);
/* All players of a comma-separated list, in which `snapshots` stands for all frozen mains of the
 * run; the array *out (free) and its *count members (contestant_destroy) are the caller's, on
 * failure too. */
Status run_view_players(const char *list, const RunView *run, const Env *env, Contestant **out,
                        size_t *count);
