/* Judging players: matches with swapped seats and paired seeds, and exact walks of whole game
 * trees. */
#pragma once
#include "agent/contestant.h"
#include "meta/rating.h"
#include "meta/social.h"
#include "play/play.h"
#include "store/store.h"

/* Mean return of a over both seats, with half of its 95 % interval, from pairs of games (from
 * single games, where the pairs' squares are not known). No games: 0 +- infinity. */
double match_mean_return(const MatchTally *tally, double *error);
/* One game that was played, as agon replay and agon query read it. */
typedef struct GameText {
  uint64_t game;    /* 2 * pair + (a has its team alone: 0, b has: 1) */
  const char *line; /* chance outcomes and actions in the order they happened (eval/line.h) */
  uint32_t teams;
  const uint8_t *side_of; /* (teams) who has it: 0 a, 1 b; of one team NULL */
  const float *outcome;
  const double *team_return;
} GameText;

/* Which games a match consists of. */
typedef struct MatchPlan {
  /* pairs first .. first + pairs - 1: chance and opening are drawn from (seed, pair) */
  uint64_t seed, first, pairs;
  uint32_t openings; /* random steps before the players take over */
  bool vary;         /* 0 to `openings` of them, drawn for each pair */
  Status (*played)(void *context, const GameText *game); /* may be NULL */
  void *context;
  Measured *measured; /* what is measured of the games is added here; may be NULL */
} MatchPlan;
/* Whether the two can meet: ERR_USAGE, with their names, if both play the same side. */
Status eval_check_sides(const Contestant *a, const Contestant *b);
/* The team that a plays in all games against b; -1: in turn. */
int eval_side(const Contestant *a, const Contestant *b);
/* Games of a against b; both games of a pair share the stream of chance and opening, and swap the
 * seats. In a game of more than two teams one of them has one team and the other all others, and
 * that team is compared with one of these: whose outcome is higher has won, and what is counted as
 * a's return is half of what its team is ahead of the other (in a general-sum game its own). Over
 * `match_distinct` pairs each is alone on every team, and compared with every other, once; the
 * first seat is that of the two which comes first in the order of teams. What a player draws for
 * its actions is keyed by (seed, pair, its id, its opponent's id, its seat): the same whoever else
 * plays, in whatever order and on any number of ranks. Where nothing is left to chance (no chance
 * move, no random draw of the env or of a player, in any way to sit) pairs from number
 * match_distinct on are copies of those before, and are not played: `out->fixed` says so, of a
 * match that has that many or ends there. Where one of the two always plays the same side, a pair
 * is two games with the same seats, each with its own chance and opening. Envs with several teams.
 */
Status eval_match(const Env *env, Contestant *a, Contestant *b, const MatchPlan *plan,
                  MatchTally *out);
/* Which teams of a pair of games are compared: that of the one who is alone, and one of the
 * other's. Of N > 2 teams, N - 1 pairs from a multiple of N - 1 on have another team alone each,
 * another one compared with it, and another distance between the two; N (N - 1) have each two teams
 * in both orders once. */
typedef struct PairSeats {
  uint32_t lone;
  uint32_t other;
} PairSeats;
PairSeats match_seats(uint32_t teams, uint64_t pair);
/* Pairs of games that differ by how players are seated alone: 1 of two teams, of more N (N - 1). */
uint64_t match_distinct(const Env *env);
/* How many pairs of first .. first + pairs - 1 a match counts. */
uint64_t match_counts(const Env *env, uint64_t first, uint64_t pairs, bool fixed);

/* The whole tree of a two-agent env that copies and enumerates chance; simultaneous moves are
 * serialised, the second mover not seeing the first's. Information sets: an agent's own history of
 * observations and actions; perfect-information turn-based envs merge equal positions. ERR_USAGE
 * for a game in which a position comes again on its own path (its tree has no end), that is larger
 * than asked for, or deeper than 65,535 moves; ERR_ENV for one that goes on beyond its step_limit.
 */
typedef struct GameTree GameTree;
Status tree_build(const Env *env, size_t most_nodes, GameTree **out);
/* Only the first `depth` moves (chance included), for counting; it cannot be exploited. */
Status tree_build_top(const Env *env, size_t most_nodes, size_t depth, GameTree **out);
void tree_destroy(GameTree *tree);
/* Several ranks that walk the same tree: each evaluates the policies at its share of the
 * information sets, rank 0 has the result. gather: rows (sets) of `width` floats, of which rank r
 * filled sets r / size .. (r + 1) / size; afterwards rank 0 has them all. Collective. */
typedef struct TreeHelp {
  int rank, size;
  void *context;
  Status (*gather)(void *context, float *table, size_t width, size_t sets);
} TreeHelp;
void tree_set_help(GameTree *tree, const TreeHelp *help);
typedef struct TreeCounts {
  size_t histories, terminals, chance, decisions, information_sets[2];
} TreeCounts;
TreeCounts tree_counts(const GameTree *tree);
bool tree_merges(const GameTree *tree); /* equal positions are one information set */
size_t tree_depth(const GameTree *tree);
/* Of one depth, 0 = the root. */
Status tree_counts_at(const GameTree *tree, size_t depth, TreeCounts *out);

/* A mixture of policies: one is drawn per episode and seat, of those that can play the seat
 * (Contestant.side). */
typedef struct Mixture {
  Contestant *const *member;
  const double *weight;
  size_t count;
} Mixture;
typedef struct ExactResult {
  bool played[2];          /* whether the mixture has a member for the seat */
  double value[2];         /* of the mixture against itself, per seat; NAN unless both are played */
  double best_response[2]; /* of a best responder in that seat; NAN unless the other is played */
  double nash_conv;        /* sum of best_response - value; NAN unless both are played */
  /* games with one information set per seat: the mixture's action probabilities */
  double strategy[2][16];
  size_t choices[2]; /* their count; 0 in other games */
} ExactResult;
Status tree_exploit(GameTree *tree, const Mixture *mixture, ExactResult *out);
/* Exact outcome of a on `seat` against b: probabilities of win, draw, loss for a, and its mean
 * return. */
typedef struct ExactMatch {
  double win, draw, loss, value;
} ExactMatch;
Status tree_match(GameTree *tree, Contestant *a, Contestant *b, int seat, ExactMatch *out);
