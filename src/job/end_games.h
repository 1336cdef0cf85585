/* The evaluation games that a run's end lacks: what is frozen last has met nobody in the lanes, and
 * only players that have all met one another enter meta-games. */
#pragma once
#include "job/config.h"

/* Plays league.end_games games, both seats, of each pair of the newest 64 frozen players and random
 * (and scripted where the env has one) that has not met in both seats, newest first, 512 pairs at
 * most, and appends them to RUN/games.csv under the lanes' terms. Which these are is told by the
 * checkpoint alone, and what a pair draws by the run's seed: the same file on any number of ranks,
 * however often the job was ended on the way. Envs with several teams. *games: played by this call.
 * A damaged file is warned of, and ends it. */
Status end_games_play(const League *league, const JobConfig *settings, const RunFolder *run,
                      uint64_t *games);
