/* A sweep as it is asked for: one YAML file that names a configuration and what of it is varied,
 * read into a list of configurations and seeds. Nothing is run here. */
#pragma once
#include "base/option.h"
#include "base/status.h"

#include <limits.h>
#include <stdbool.h>

/* By what runs are compared. */
typedef enum ScoreKind {
  SCORE_AUTO,
  SCORE_MATCH,
  SCORE_RETURN,
  SCORE_ELO,
  SCORE_NASHCONV
} ScoreKind;
#define SCORE_NAMES "auto|match|return|elo|nashconv"

/* The sections sweep, score and halving of the file. */
typedef struct SweepOptions {
  char base[OPTION_TEXT];
  char folder[OPTION_TEXT];
  char seeds[OPTION_TEXT];
  char launch[OPTION_TEXT];
  int64_t ranks;
  int64_t jobs;
  int64_t samples;
  int64_t draw_seed;
  int64_t tries;
  double limit;
  int score; /* ScoreKind; never SCORE_AUTO once a plan is made */
  char against[OPTION_TEXT];
  char player[OPTION_TEXT];
  int64_t games;
  bool greedy;
  int64_t score_seed;
  int64_t first; /* frames of the first rung; 0: no halving */
  double factor;
} SweepOptions;

/* One configuration: what is set over the base. */
typedef struct SweepPoint {
  int64_t number;  /* names its runs, c01-s1; 0: none yet */
  char *label;     /* what varies, "learner.rate=0.001 net.hidden=[16]"; "as it is" for nothing */
  char **setting;  /* (settings) key=value, those that vary first */
  size_t settings; /* set for all runs, and varied */
  size_t varied;
  int64_t frames; /* that a run of it is to learn from */
} SweepPoint;

typedef struct SweepPlan {
  SweepOptions options;
  char base[PATH_MAX];   /* as agon train takes it */
  char folder[PATH_MAX]; /* where all of it is kept */
  char base_hash[33];    /* of the base's contents; "" where it is no file */
  SweepPoint *point;
  size_t points;
  int64_t *seed;
  size_t seeds;
  size_t rungs; /* of successive halving; 1: every run is trained to its end */
  bool team;    /* one team plays: it is judged by what it earns */
} SweepPlan;

/* Reads FILE and checks every configuration as agon train would; words: key=value over those that
 * the file sets for all runs. folder: instead of the file's; NULL: none. *out is the caller's
 * (sweep_plan_free), on failure too. ERR_USAGE with file, line and column, ERR_MEMORY. */
Status sweep_plan_read(const char *file, const char *const *words, size_t count, const char *folder,
                       SweepPlan *out);
void sweep_plan_free(SweepPlan *plan);
/* Frames at which a rung ends for one configuration. */
int64_t sweep_rung_frames(const SweepPlan *plan, const SweepPoint *point, size_t rung);
/* Configurations that are left in a rung when `points` were there at first. */
size_t sweep_rung_points(const SweepPlan *plan, size_t points, size_t rung);
/* Less is better. */
bool sweep_score_falls(const SweepPlan *plan);
/* "score against random, 400 games" and the like, into out[size]; returns out. */
const char *sweep_score_words(const SweepPlan *plan, char *out, size_t size);

/* The options, for help and for tests. */
extern const Option sweep_options[], sweep_score_options[], sweep_halving_options[];
extern const size_t sweep_option_count, sweep_score_option_count, sweep_halving_option_count;
