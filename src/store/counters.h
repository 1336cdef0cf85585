/* What stands where in the counters that a checkpoint holds, for those who write and for all who
 * read them. A file is read by position: a place keeps its meaning for ever, and a new counter goes
 * to the end. */
#pragma once

/* The one column of a checkpoint in which a number may be none: the second says what the stage's
 * measure was at last, which nobody knows before the first look. */
#define CURRICULUM_MEASURE_PATH "league/curriculum_measure"

/* How far the run is: a column of RUN_COUNTERS numbers at this path. */
#define RUN_COUNTERS_PATH "run/counters"
enum {
  RUN_TICK,
  RUN_FRAMES, /* decisions to learn from */
  RUN_FROZEN_DECISIONS,
  RUN_STEPS,
  RUN_EPISODES,
  RUN_CHECKPOINT_TICK,
  RUN_COUNTERS
};

/* Frames of players that have been retired; not there: nobody has been. */
#define RETIRED_FRAMES_PATH "league/retired_frames"

/* How far a player in training is: a column of PLAYER_COUNTERS numbers among its own, which stand
 * at players/NAME/ in the file. */
#define PLAYER_COUNTERS_COLUMN "counters"
enum {
  PLAYER_LIFE,
  PLAYER_VERSION,
  PLAYER_MIN_VERSION,
  PLAYER_FRAMES, /* learned from */
  PLAYER_DROPPED,
  PLAYER_STEPS,
  PLAYER_LIFE_FRAMES,
  PLAYER_RUN_FRAMES,
  PLAYER_COUNTERS
};
