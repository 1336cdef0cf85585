#include "eval/empirical.h"

#include "meta/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void empirical_free(Empirical *e) {
  for (int side = 0; side < SEATS; side++)
    free(e->member[side]);
  free(e->payoff);
  free(e->joint);
  *e = (Empirical){0};
}

/* Why there is nothing to be solved; OK: there is. */
static Status check(const Standing *s, Solution solution) {
  if (s->not_met) return status_set(ERR_USAGE, "no equilibrium: %s", s->not_met);
  if (s->entered < 2)
    return status_set(ERR_USAGE, "no equilibrium: %s",
                      *s->no_meta ? s->no_meta : "no two players have met");
  if (s->sums.half_told)
    return status_set(ERR_USAGE,
                      "no equilibrium: of some of these games only one side's returns are known "
                      "(an older program wrote them into games.csv; play them into a new file)");
  if (solution == SOLVE_NASH && s->sums.general)
    return status_set(ERR_USAGE,
                      "no Nash equilibrium: the game is general-sum (two earn from %.4g to %.4g "
                      "together), and they are found of zero-sum games only; --equilibrium ce and "
                      "cce are of any",
                      s->sums.low, s->sums.high);
  if (!s->side && s->sums.general)
    return status_set(ERR_USAGE,
                      "no equilibrium: the game is general-sum, and players of one population meet "
                      "only others, so that what copies of one earn against each other is not "
                      "known; with league.sides=separate each side has its own population");
  return OK;
}

/* Who is on which side: all on both, of one population. */
static Status gather(const Standing *s, Empirical *out) {
  for (int side = 0; side < SEATS; side++) {
    TRY_RETURN(NEW_ARRAY(out->member[side], s->entered + 1));
    for (uint32_t p = 0; p < s->games->players; p++)
      if (s->in[p] && (!s->side || s->side[p] == side + 1))
        out->member[side][out->count[side]++] = p;
  }
  return OK;
}

/* Where a player stands in the standing's table. */
static size_t row_of(const Standing *s, uint32_t player) {
  size_t row = 0;
  for (uint32_t p = 0; p < player; p++)
    row += s->in[p];
  return row;
}

static Status fill_payoffs(const Standing *s, Empirical *out) {
  const size_t joints = out->count[0] * out->count[1];
  out->fewest = INFINITY;
  TRY_RETURN(NEW_ARRAY(out->payoff, SEATS * joints));
  TRY_RETURN(NEW_ARRAY(out->joint, joints));
  for (size_t i = 0; i < out->count[0]; i++)
    for (size_t j = 0; j < out->count[1]; j++) {
      const uint32_t a = out->member[0][i];
      const uint32_t b = out->member[1][j];
      const size_t row = row_of(s, a);
      const size_t column = row_of(s, b);
      const Meeting *met = games_find(s->games, a < b ? a : b, a < b ? b : a);
      out->payoff[i * out->count[1] + j] = s->payoff[row * s->entered + column];
      out->payoff[joints + i * out->count[1] + j] = s->payoff[column * s->entered + row];
      if (met) out->fewest = fmin(out->fewest, tally_games(met->tally.seat));
    }
  return OK;
}

/* Both mixtures as one distribution. */
static Status solve_nash(const NormalForm *game, double *joint) {
  Status status = OK;
  double *mix[SEATS] = {NULL, NULL};
  for (int side = 0; side < SEATS; side++)
    TRY(NEW_ARRAY(mix[side], game->count[side]));
  TRY(meta_nash(game->payoff, game->count[0], game->count[1], mix[0], mix[1], NULL));
  for (size_t i = 0; i < game->count[0]; i++)
    for (size_t j = 0; j < game->count[1]; j++)
      joint[i * game->count[1] + j] = mix[0][i] * mix[1][j];
done:
  for (int side = 0; side < SEATS; side++)
    free(mix[side]);
  return status;
}

Status empirical_solve(const Standing *s, Solution solution, Selection selection, Empirical *out) {
  *out = (Empirical){0};
  TRY_RETURN(check(s, solution));
  TRY_RETURN(gather(s, out));
  TRY_RETURN(fill_payoffs(s, out));
  const NormalForm game = {.players = SEATS, .count = out->count, .payoff = out->payoff};
  if (solution == SOLVE_NASH)
    TRY_RETURN(solve_nash(&game, out->joint));
  else
    TRY_RETURN(equilibrium_find(&game, (Concept)solution, selection, out->joint));
  return equilibrium_measure(&game, out->joint, &out->facts);
}
