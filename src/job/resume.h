/* What may not change when a run goes on. */
#pragma once
#include "job/config.h"

/* ERR_USAGE, naming each such key with its value in `before` (the run's own configuration) and in
 * `now`: options of the game, what the stored weights and unfinished games are made for, and how
 * many players learn. folder: of the run, for the message. */
Status resume_check(const Tree *checkpoint, const JobConfig *before, const JobConfig *now,
                    const char *folder);
/* Whether weights of another run mean the same in this one: ERR_USAGE, as above, unless the options
 * of the game and the shape of the network are equal. */
Status resume_check_weights(const JobConfig *before, const JobConfig *now, const char *where);
/* ERR_USAGE if games are unfinished in the checkpoint, and what is open of them was recorded in
 * other rows than `now` learns from: of single agents or of teams, with another global state. */
Status resume_check_rows(const Tree *checkpoint, const Algo *before, const Algo *now,
                         const char *folder);
/* Whether every learning player can go on from what the checkpoint holds of it. ERR_USAGE if it
 * could as it learned before, but not as it is to learn now: by an algorithm with parts that it
 * does not have. ERR_FORMAT, naming player and column, for a file that is at fault. What nobody
 * will take, of an algorithm before, is named in a warning: the next checkpoint will be without. */
Status resume_check_players(const Tree *checkpoint, const Algo *before, const Algo *now,
                            const char *folder);
/* Whether a key is one of these, by its name alone (options of games are not known here). */
bool resume_is_fixed(const char *key);
