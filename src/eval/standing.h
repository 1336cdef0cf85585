/* What games between players say: ratings, meta-games, how transitive the field is. */
#pragma once
#include "eval/games.h"
#include "meta/population.h"

/* What is asked of the games. */
typedef struct StandingOptions {
  double prior;       /* virtual wins each way in every meeting */
  bool seats;         /* the games are told apart by seat */
  const char *anchor; /* name of the player at 0 Elo; NULL or unknown: random, else a mean is 0 */
  bool returns;       /* meta-games on mean returns instead of scores */
  size_t members;     /* who may enter the meta-games: the first so many players; 0: all */
  const bool *only;   /* (players) whose ratings are wanted; NULL: all */
  bool ratings_only;  /* neither meta-games nor transitivity */
  /* (players) 1 or 2, where players always play one side (eval/sides.h): then ratings of a side
   * stand on the anchor of that side, and the meta-game is of two populations; NULL: they play both
   */
  const uint8_t *side;
  const char *const *side_name; /* (SEATS) */
  /* why there are no meta-games (by design not all meet all); NULL: there are */
  const char *not_met;
} StandingOptions;

/* Of more than two teams: what `not_met` says. */
#define STANDING_MANY_TEAMS                                                                        \
  "Nash equilibria and alpha-rank are of games between two teams; here pairs of teams are "        \
  "compared "                                                                                      \
  "within games of more"

enum { STANDING_META = 300 /* players at most, for linear programs and eliminations */ };

/* What games between players say about them. All arrays are owned. */
typedef struct Standing {
  const Games *games; /* borrowed */
  Rated *rated;       /* (players) */
  double *points;     /* (players) score over all games, 0..1 */
  RatingFit fit;
  bool seats;
  double *score;  /* (players, players) 0..1, -1 where two never met */
  double *payoff; /* (entered, entered) what the meta-games are played on */
  /* Who enters the meta-games: a large set of players that have all met one another, or, of two
   * sides, all of the other side that are in. */
  unsigned char *in;
  size_t entered;
  double *nash, *nash_average, *skill, *alpha_rank; /* (players) NAN for those left out */
  const uint8_t *side;                              /* borrowed; NULL: one population */
  const char *const *side_name;
  double
      gap; /* sides: Elo by which the first side's anchor would beat the second's; NAN: unknown */
  double value; /* sides: of the meta-game to the first side; NAN: unknown */
  bool has_meta;
  char no_meta[256];   /* why not, if not */
  const char *not_met; /* as in the options, borrowed */
  GameSums sums;       /* of the meetings between those who entered */
  Transitivity transitivity;
  uint32_t *as;    /* (players) whose rating it is: the player's own, or as standing_show_as says */
  uint32_t *order; /* (players) by the lower bound of the rating, best first */
} Standing;

/* Computes everything from the table, which must outlive the standing. *out is the caller's
 * (standing_destroy); nothing needs freeing on failure. ERR_INTERNAL if ratings do not converge,
 * ERR_MEMORY. */
Status standing_create(const Games *games, const StandingOptions *options, Standing *out);
void standing_destroy(Standing *standing);
/* Lets `player` stand as `other`, with its rating; `as` says so. Call standing_sort afterwards. */
void standing_show_as(Standing *standing, uint32_t player, uint32_t other);
/* Fills `order`: best first, those that cannot be compared last. */
void standing_sort(Standing *standing);
enum { STANDING_WIDE = 400 /* Elo: an interval as wide as this says little */ };
/* Whether the interval says too little to show the rating like others. */
bool standing_is_wide(const Rated *rated);
/* "+120", ">= +560" for a player that never lost, "n/a" for one that no games connect with the
 * anchor. */
const char *standing_elo_text(const Standing *standing, uint32_t player, char *out, size_t size);
/* Whether the player has a rating. */
bool standing_comparable(const Standing *standing, uint32_t player);
/* The player at 0 Elo, or "mean". */
const char *standing_anchor(const Standing *standing);
