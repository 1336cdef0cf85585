#include "eval/standing.h"

#include "meta/meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void standing_destroy(Standing *s) {
  free(s->rated);
  free(s->points);
  free(s->score);
  free(s->payoff);
  free(s->nash);
  free(s->nash_average);
  free(s->skill);
  free(s->alpha_rank);
  free(s->order);
  *s = (Standing){0};
}

static int64_t find(const Games *games, const char *name) {
  for (size_t i = 0; name && i < games->players; i++)
    if (!strcmp(games->name[i], name)) return (int64_t)i;
  return -1;
}

bool standing_comparable(const Standing *s, uint32_t player) {
  return s->rated[player].games > 0 && s->rated[player].island == s->island;
}

const char *standing_elo_text(const Standing *s, uint32_t player, char *out, size_t size) {
  const Rated *rated = &s->rated[player];
  if (!standing_comparable(s, player))
    snprintf(out, size, "n/a");
  else
    snprintf(out, size, "%s%+.0f",
             rated->bound > 0   ? ">= "
             : rated->bound < 0 ? "<= "
                                : "",
             rated->bound > 0   ? rated->low
             : rated->bound < 0 ? rated->high
                                : rated->elo);
  return out;
}

static Status choose_island(Standing *s) {
  size_t *members;
  if (s->anchor >= 0) {
    s->island = s->rated[s->anchor].island;
    return OK;
  }
  TRY_RETURN(NEW_ARRAY(members, s->fit.islands + 1));
  for (size_t p = 0; p < s->games->players; p++)
    if (s->rated[p].games > 0) members[s->rated[p].island]++;
  for (size_t i = 0; i < s->fit.islands; i++)
    if (members[i] > members[s->island]) s->island = i;
  free(members);
  return OK;
}

static bool before(const Standing *s, uint32_t a, uint32_t b) {
  bool known_a = standing_comparable(s, a), known_b = standing_comparable(s, b);
  return known_a != known_b ? known_a : s->rated[a].elo > s->rated[b].elo;
}

/* Best first; those that cannot be compared at the end. */
static void sort_players(Standing *s) {
  size_t n = s->games->players;
  for (size_t i = 0; i < n; i++) {
    size_t at = i;
    for (; at > 0 && before(s, (uint32_t)i, s->order[at - 1]); at--) s->order[at] = s->order[at - 1];
    s->order[at] = (uint32_t)i;
  }
}

static void add_points(Standing *s, const Meeting *meeting, size_t meetings) {
  for (size_t i = 0; i < meetings; i++) {
    double points = meeting[i].wins + meeting[i].draws / 2, n = meeting[i].wins + meeting[i].draws + meeting[i].losses;
    s->points[meeting[i].a] += points;
    s->points[meeting[i].b] += n - points;
  }
  for (size_t p = 0; p < s->games->players; p++) s->points[p] /= s->rated[p].games > 0 ? s->rated[p].games : 1;
}

static Status solve(Standing *s, bool returns) {
  size_t n = s->games->players;
  double spread = 0;
  TRY_RETURN(games_matrix(s->games, returns, returns ? 0 : 0.5, &s->payoff));
  for (size_t i = 0; !returns && i < n * n; i++) s->payoff[i] = 2 * s->payoff[i] - 1; /* win 1, draw 0, loss -1 */
  for (size_t i = 0; i < n * n; i++) spread = fmax(spread, fabs(s->payoff[i]));
  if (n < 2 || n > STANDING_META) return OK;
  s->has_meta = true;
  TRY_RETURN(meta_nash(s->payoff, n, n, s->nash, NULL, NULL));
  TRY_RETURN(meta_nash_average(s->payoff, n, 100, s->nash_average, s->skill));
  return meta_alpha_rank(s->payoff, n, 50, 10 / fmax(spread, 1e-9),
                         s->alpha_rank); /* strong selection: payoff scale / 10 */
}

Status standing_create(const Games *games, const StandingOptions *options, Standing *out) {
  Status status = OK;
  Meeting *meeting = NULL;
  double *elo = NULL;
  size_t n = games->players, meetings = 0;
  *out = (Standing){.games = games};
  TRY(NEW_ARRAY(out->rated, n + 1));
  TRY(NEW_ARRAY(out->points, n + 1));
  TRY(NEW_ARRAY(out->nash, n + 1));
  TRY(NEW_ARRAY(out->nash_average, n + 1));
  TRY(NEW_ARRAY(out->skill, n + 1));
  TRY(NEW_ARRAY(out->alpha_rank, n + 1));
  TRY(NEW_ARRAY(out->order, n + 1));
  TRY(NEW_ARRAY(elo, n + 1));
  out->anchor = find(games, options->anchor);
  if (out->anchor < 0) out->anchor = find(games, "random");
  TRY(games_meetings(games, &meeting, &meetings));
  RatingOptions rating = {.prior = options->prior,
                          .seats = options->seats,
                          .draws = true,
                          .anchor = out->anchor < 0 ? (uint32_t)n : (uint32_t)out->anchor,
                          .bootstraps = options->bootstraps,
                          .seed = options->seed};
  TRY(meta_bradley_terry(meeting, meetings, n, &rating, out->rated, &out->fit));
  add_points(out, meeting, meetings);
  TRY(choose_island(out));
  sort_players(out);
  TRY(games_matrix(games, false, -1, &out->score));
  for (size_t p = 0; p < n; p++) elo[p] = out->rated[p].elo;
  out->transitivity = n <= 1000 ? meta_transitivity(out->score, elo, n) : (Transitivity){0};
  TRY(solve(out, options->returns));
done:
  free(meeting);
  free(elo);
  if (status != OK) standing_destroy(out);
  return status;
}
