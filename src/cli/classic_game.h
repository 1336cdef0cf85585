/* Naming a game of the classics: an env with its options, or a preset of matrix_game by itself. */
#pragma once
#include "cli/cli.h"
#include "env/env.h"

/* The game that the words name, the first of them an env, a plug-in or a preset of matrix_game
 * ("chicken"), the others its options. The caller destroys *out (env_destroy). ERR_USAGE, also
 * where there is no word; codes of env_create_from. */
Status classic_game_open(const Command *command, const Arguments *arguments, Env **out);
/* Mean of n numbers, and half of its 95 % interval by Student's t (0 of one). */
double classic_mean(const double *x, size_t n, double *half);
