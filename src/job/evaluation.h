/* Evaluation while a job trains, where one team plays: what the greedy policies earn in episodes
 * that are the same each time, and what players that need no training earn in them. */
#pragma once
#include "job/config.h"

typedef struct Evaluation Evaluation;
/* `settings` is borrowed. *out is the caller's (evaluation_destroy). ERR_MEMORY. */
Status evaluation_create(const JobConfig *settings, Evaluation **out);
/* Accepts NULL. */
void evaluation_destroy(Evaluation *evaluation);
/* Plays metrics.evaluation_episodes with a policy block of `count` floats; *out gets all but
 * `frames`. ERR_ENV, ERR_FORMAT, ERR_MEMORY. */
Status evaluation_play(Evaluation *evaluation, const char *name, const float *block, size_t count,
                       TeamScore *out);
/* The built-in players that can play the game, random, scripted, noop; the first call plays their
 * episodes. Borrowed. ERR_ENV, ERR_MEMORY. */
Status evaluation_baselines(Evaluation *evaluation, const Baseline **out, size_t *count);
