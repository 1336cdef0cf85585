/* How strong the players of a league are, by its evaluation games: the one object that agon rate
 * and the report show and that a running job puts on its screen. */
#pragma once
#include "job/config.h"
#include "eval/standing.h"

#define STRENGTH_PRIOR 0.5 /* virtual wins each way in every meeting */

/* How strength is to be told. */
typedef struct StrengthOptions {
  double prior;
  const char *anchor; /* NULL: random */
  bool returns;       /* meta-games on mean returns */
  bool ratings_only;  /* neither meta-games nor transitivity, which a running job has no time for */
} StrengthOptions;

/* The games of a league and what they say. */
typedef struct Strength {
  /* ids are the league's; behind them the built-in players that have played (of separate sides:
   * "random as prey") */
  Games games;
  uint8_t *side; /* (players of games) where sides are separate; else NULL */
  const char *side_name[SEATS];
  Standing standing;
} Strength;

/* What the games of a run's evaluation lanes are played under. ERR_USAGE if a title is too long. */
Status strength_terms(const JobConfig *settings, GameTerms *out);
/* The games of the evaluation lanes, and those of RUN/games.csv that frozen players have sampled
 * against one another and against built-in ones under the lanes' terms. Players' ids are the
 * league's; behind them the built-in ones. The caller frees. */
Status strength_games(const League *league, const JobConfig *settings, const RunFolder *folder,
                      Games *out);
/* A warning where games.csv has games that were left out, as another build of the run's plug-in
 * played them. */
void strength_warn(const Games *games, const JobConfig *settings);
/* Computes ratings from those games; *out is the caller's (strength_destroy), and needs no freeing
 * on failure. A learning player stands as its newest snapshot that is rated (Standing.as). Codes of
 * games_read and standing_create. */
Status strength_create(const League *league, const JobConfig *settings, const RunFolder *folder,
                       const StrengthOptions *options, Strength *out);
void strength_destroy(Strength *strength);
/* What the job's display shows of it: ratings of the learning players. */
void strength_of_learners(const Strength *strength, const League *league, LearnerRating *out);
