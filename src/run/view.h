/* A run opened for looking: its newest good checkpoint, settings and league. Never touches the run, never starts MPI.
 */
#pragma once
#include "job/config.h"
#include "eval/eval.h"

typedef struct LoadedRun {
  RunFolder folder;
  Tree tree;
  uint64_t generation;
  Settings *settings;
  League league;
} LoadedRun;

Status loaded_open(const char *path, LoadedRun *out);
/* For who needs none of the game's code: a plug-in stays closed, and settings->env is NULL, where the run says of it
 * what there is to know. */
Status loaded_look(const char *path, LoadedRun *out);
void loaded_close(LoadedRun *run);
/* PLAYER = [RUN:]NAME | snapshot file (.h5) | built-in name. `run` may be NULL; `env` is what they will play. */
Status loaded_player(const char *text, const LoadedRun *run, const Env *env, Contestant *out);
/* All players of a comma-separated list; the array and its members are the caller's. */
Status loaded_players(const char *list, const LoadedRun *run, const Env *env, Contestant **out, size_t *count);
