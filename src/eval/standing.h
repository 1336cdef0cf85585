/* What games between players say: ratings, meta-games, how transitive the field is. */
#pragma once
#include "eval/games.h"
#include "meta/population.h"

typedef struct StandingOptions {
  double prior;
  bool seats; /* the games are told apart by seat */
  size_t bootstraps;
  uint64_t seed;
  const char *anchor; /* name of the player at 0 Elo; NULL or unknown: random, else the mean is 0 */
  bool returns;       /* meta-games on mean returns instead of scores */
} StandingOptions;

typedef struct Standing {
  const Games *games; /* borrowed */
  Rated *rated;       /* (players) */
  double *points;     /* (players) score over all games, 0..1 */
  RatingFit fit;
  int64_t anchor; /* -1: the mean is 0 */
  size_t island;  /* of the anchor, else the one with the most players; ratings are for it */
  double *score;  /* (players, players) 0..1, -1 where two never met */
  double *payoff; /* (players, players) what the meta-games are played on, 0 where two never met */
  double *nash, *nash_average, *skill, *alpha_rank; /* (players) */
  bool has_meta;                                    /* false: one player, or too many for linear programs */
  Transitivity transitivity;
  uint32_t *order; /* (players) by rating, best first */
} Standing;
enum { STANDING_META = 300 /* players */ };
Status standing_create(const Games *games, const StandingOptions *options, Standing *out);
void standing_destroy(Standing *standing);
/* "+120", ">= +560" for a player that never lost, "n/a" for one that no games connect with the anchor. */
const char *standing_elo_text(const Standing *standing, uint32_t player, char *out, size_t size);
bool standing_comparable(const Standing *standing, uint32_t player);
