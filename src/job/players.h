/* Settings of single players: `players: {ROLE or NAME: {rate: ...}}` over those of all. Only keys
 * that are given are there; a name's win over its role's. */
#pragma once
#include "job/config.h"

/* Declares what has been given under `players`, so that it is dumped and known; after all layers
 * are read. */
Status players_declare(Config *config);
/* Makes s->learner_of and s->rules_of for the roster as it is; both NULL where nobody has anything
 * of its own. ERR_USAGE: a key that no player has, or that its role has no use for, a bad value, or
 * values that do not fit together. Names that are not in the roster are left alone. */
Status players_settle(JobConfig *settings);
/* ERR_USAGE, with the nearest, for a name that is neither a role nor in the roster; what a
 * checkpoint says of a player that is gone is none. */
Status players_check(const JobConfig *settings);
