/* A run opened for looking: its newest good checkpoint, settings and league. Never touches the run, never starts MPI.
 */
#pragma once
#include "job/config.h"
#include "eval/eval.h"

typedef struct RunView {
  RunFolder folder;
  Tree tree;
  uint64_t generation;
  JobConfig *settings;
  League league;
} RunView;

Status run_view_open(const char *path, RunView *out);
/* For who needs none of the game's code: a plug-in stays closed, and settings->env is NULL, where the run says of it
 * what there is to know. */
Status run_view_look(const char *path, RunView *out);
void run_view_close(RunView *run);
/* PLAYER = [RUN:]NAME | snapshot file (.h5) | built-in name. `run` may be NULL; `env` is what they will play. */
Status run_view_player(const char *text, const RunView *run, const Env *env, Contestant *out);
/* All players of a comma-separated list; the array and its members are the caller's. */
Status run_view_players(const char *list, const RunView *run, const Env *env, Contestant **out, size_t *count);
