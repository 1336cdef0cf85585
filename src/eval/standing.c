#include "eval/standing.h"

#include "base/text.h"
#include "meta/meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Also for one that was only half made. */
void standing_destroy(Standing *s) {
  free(s->rated);
  free(s->points);
  free(s->score);
  free(s->payoff);
  free(s->in);
  free(s->nash);
  free(s->nash_average);
  free(s->skill);
  free(s->alpha_rank);
  free(s->as);
  free(s->order);
  *s = (Standing){0};
}

/* The number of the player of that name, or -1. */
static int64_t find(const Games *games, const char *name) {
  for (size_t i = 0; name && i < games->players; i++)
    if (!strcmp(games->name[i], name)) return (int64_t)i;
  return -1;
}

/* Ratings are differences, known only where games connect two players, directly or not. */
bool standing_comparable(const Standing *s, uint32_t player) {
  return s->rated[player].known;
}

/* For the headings of tables. Of two sides: without "as SIDE", where each has its own. */
const char *standing_anchor(const Standing *s) {
  return s->fit.anchor < s->games->players ? s->games->name[s->fit.anchor] : "mean";
}

/* A bound where the player never lost (or took) a point: its rating has no upper (lower) limit. */
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

/* Whether a stands before b: by the lower bounds, so that few lucky games put nobody on top. */
static bool before(const Standing *s, uint32_t a, uint32_t b) {
  bool known_a = standing_comparable(s, a);
  bool known_b = standing_comparable(s, b);
  return known_a != known_b ? known_a : s->rated[a].low > s->rated[b].low;
}

/* Learning players play no evaluation games; each is shown as its newest snapshot that did. */
void standing_show_as(Standing *s, uint32_t player, uint32_t other) {
  s->as[player] = other;
  s->rated[player] = s->rated[other];
}

/* So wide an interval says hardly more than that there were games. */
bool standing_is_wide(const Rated *rated) {
  return rated->bound || rated->high - rated->low > STANDING_WIDE;
}

/* By insertion: the order is the same on every machine, and there are few players. */
void standing_sort(Standing *s) {
  size_t n = s->games->players;
  for (size_t i = 0; i < n; i++) {
    size_t at = i;
    for (; at > 0 && before(s, (uint32_t)i, s->order[at - 1]); at--)
      s->order[at] = s->order[at - 1];
    s->order[at] = (uint32_t)i;
  }
}

/* Each player's score over all its games, 0..1. */
static void add_points(Standing *s, const Meeting *meeting, size_t meetings) {
  for (size_t i = 0; i < meetings; i++) {
    const Meeting *m = &meeting[i];
    for (int seat = 0; seat < 2; seat++) {
      const Tally *tally = &m->tally.seat[seat];
      s->points[m->a] += tally->wins + tally->draws / 2;
      s->points[m->b] += tally->losses + tally->draws / 2;
    }
  }
  for (size_t p = 0; p < s->games->players; p++)
    s->points[p] /= s->rated[p].games > 0 ? s->rated[p].games : 1;
}

/* --- meta-games --- */
/* A result over those who entered, (entered), becomes one over all players, NAN for the others. In
 * place, from the end, as entry k belongs to a player with a number of at least k. */
static void spread(const Standing *s, double *to) {
  size_t n = s->games->players;
  size_t at = s->entered;
  for (size_t p = n; p-- > 0;)
    to[p] = s->in[p] ? to[--at] : NAN;
}

/* alpha-rank is meant to be asked with strong selection: ten times the inverse of the largest
 * payoff, in populations of 50. */
static Status solve(Standing *s) {
  size_t n = s->entered;
  double most = 0;
  for (size_t i = 0; i < n * n; i++)
    most = fmax(most, fabs(s->payoff[i]));
  TRY_RETURN(meta_nash(s->payoff, n, n, s->nash, NULL, NULL));
  TRY_RETURN(meta_nash_average(s->payoff, n, s->nash_average, s->skill));
  return meta_alpha_rank(s->payoff, n, 50, 10 / fmax(most, 1e-9), s->alpha_rank);
}

/* The equilibrium of the game between two populations, by one linear program. What ranks the
 * members of one population, Nash averaging and alpha-rank, has no meaning here. */
static Status solve_sides(Standing *s) {
  Status status = OK;
  const size_t n = s->games->players;
  double *payoff = NULL;
  double *mix[SEATS] = {NULL, NULL};
  size_t count[SEATS] = {0, 0};
  size_t at = 0;
  for (size_t p = 0; p < n; p++)
    if (s->in[p]) count[s->side[p] - 1]++;
  TRY(NEW_ARRAY(payoff, count[0] * count[1] + 1));
  for (int side = 0; side < SEATS; side++)
    TRY(NEW_ARRAY(mix[side], count[side] + 1));
  /* s->payoff is of all who are in, in the order of their numbers */
  for (size_t p = 0, i = 0; p < n; p++) {
    if (!s->in[p]) continue;
    for (size_t q = 0, j = 0; q < n; q++) {
      if (!s->in[q]) continue;
      if (s->side[p] == 1 && s->side[q] == 2) payoff[at++] = s->payoff[i * s->entered + j];
      j++;
    }
    i++;
  }
  TRY(meta_nash(payoff, count[0], count[1], mix[0], mix[1], &s->value));
  size_t next[SEATS] = {0, 0};
  for (size_t p = 0; p < n; p++) {
    const int side = s->side[p] - 1;
    s->nash[p] = s->in[p] ? mix[side][next[side]++] : NAN;
    s->nash_average[p] = s->skill[p] = s->alpha_rank[p] = NAN;
  }
done:
  free(payoff);
  for (int side = 0; side < SEATS; side++)
    free(mix[side]);
  return status;
}

/* Who enters, and their table: mean returns, or win 1, draw 0, loss -1. */
static Status enter(Standing *s, const StandingOptions *options) {
  Status status = OK;
  bool returns = options->returns;
  size_t n = s->games->players;
  size_t members = options->members ? options->members : n;
  unsigned char *met = NULL;
  double *all = NULL;
  TRY(NEW_ARRAY(met, n * n + 1));
  for (size_t i = 0; i < n * n; i++)
    met[i] = s->score[i] >= 0 && i / n < members && i % n < members;
  if (s->side)
    TRY(meta_sides_met(met, s->side, n, s->in, &s->entered));
  else
    s->entered = meta_all_met(met, n, s->in);
  TRY(games_matrix(s->games, returns, 0, &all));
  for (size_t i = 0; !returns && i < n * n; i++)
    all[i] = 2 * all[i] - 1;
  s->sums = games_sums(s->games, s->in);
  for (size_t p = 0; returns && p < n; p++) /* what both get together goes half to each */
    all[p * n + p] = (s->sums.low + s->sums.high) / 4;
  TRY(NEW_ARRAY(s->payoff, s->entered * s->entered + 1));
  meta_select(all, n, s->in, s->payoff);
done:
  free(met);
  free(all);
  return status;
}

/* That meta-games cannot be solved is no failure of the standing: `no_meta` says why. */
static Status play_meta(Standing *s, const StandingOptions *options) {
  TRY_RETURN(enter(s, options));
  s->has_meta = false;
  if (options->not_met) return text_format(s->no_meta, sizeof s->no_meta, "%s", options->not_met);
  if (s->entered < 2)
    return text_format(s->no_meta, sizeof s->no_meta, "no two players%s have met",
                       s->side ? " of both sides" : "");
  if (s->entered > STANDING_META)
    return text_format(s->no_meta, sizeof s->no_meta,
                       "%zu players have all met, and meta-games are solved up to %d", s->entered,
                       STANDING_META);
  if (options->returns && s->sums.general)
    return text_format(
        s->no_meta, sizeof s->no_meta,
        "the game is general-sum (two earn from %.4g to %.4g together), and these are of zero-sum "
        "games: see agon rate --equilibrium cce",
        s->sums.low, s->sums.high);
  Status status = s->side ? solve_sides(s) : solve(s);
  if (status == ERR_MEMORY) return status;
  if (status != OK) return text_format(s->no_meta, sizeof s->no_meta, "%s", status_message());
  double *const result[] = {s->nash, s->nash_average, s->skill, s->alpha_rank};
  for (size_t k = 0; k < COUNT_OF(result) && !s->side; k++)
    spread(s, result[k]);
  s->has_meta = true;
  return OK;
}

/* The anchor that is asked for if there is such a player; else "random" if it played, else the
 * mean. */
static uint32_t choose_anchor(const Games *games, const char *name) {
  int64_t asked = find(games, name);
  int64_t random = find(games, "random");
  bool played = false;
  for (size_t i = 0; i < games->meetings; i++) {
    const Meeting *m = &games->meeting[i];
    played |= (m->a == random || m->b == random) && tally_games(m->tally.seat) > 0;
  }
  return asked >= 0 ? (uint32_t)asked : random >= 0 && played ? (uint32_t)random : RATING_MEAN;
}

/* The player that ratings of a side stand on: "random as prey" where random is asked for, or
 * nothing; RATING_MEAN: there is none. */
static uint32_t anchor_of_side(const Standing *s, const char *asked, int side) {
  char name[2 * GAMES_NAME];
  snprintf(name, sizeof name, "%s as %s", asked ? asked : "random", s->side_name[side]);
  int64_t found = find(s->games, name);
  return found >= 0 && s->rated[found].games > 0 ? (uint32_t)found : RATING_MEAN;
}

/* Ratings of each side from its own anchor, where both have one. Differences within a side, and so
 * its intervals, are of the same fit; what lies between the anchors is told apart. */
static Status rate_sides(Standing *s, const char *asked, RatingOptions *rating) {
  Status status = OK;
  const Games *games = s->games;
  uint32_t anchor[SEATS];
  Rated *second = NULL;
  RatingFit fit;
  if (find(games, asked) >= 0) return OK; /* one player for both sides */
  for (int side = 0; side < SEATS; side++)
    anchor[side] = anchor_of_side(s, asked, side);
  if (anchor[0] == RATING_MEAN || anchor[1] == RATING_MEAN) return OK;
  rating->anchor = anchor[0];
  TRY(meta_bradley_terry(games->meeting, games->meetings, games->players, rating, s->rated,
                         &s->fit));
  rating->anchor = anchor[1];
  TRY(NEW_ARRAY(second, games->players + 1));
  TRY(meta_bradley_terry(games->meeting, games->meetings, games->players, rating, second, &fit));
  if (second[anchor[0]].known) s->gap = second[anchor[0]].elo;
  for (size_t p = 0; p < games->players; p++)
    if (s->side[p] == 2) s->rated[p] = second[p];
done:
  free(second);
  return status;
}

/* With too many players for ratings, everyone's games are still counted. */
static void count_games(Standing *s, const Meeting *meeting, size_t meetings) {
  s->fit = (RatingFit){.anchor = RATING_MEAN, .first_seat = -1};
  for (size_t i = 0; i < meetings; i++)
    for (int seat = 0; seat < 2; seat++) {
      double n = meeting[i].tally.seat[seat].games;
      s->rated[meeting[i].a].games += n;
      s->rated[meeting[i].b].games += n;
    }
}

/* Cycles are looked for among up to 1,000 players: it takes the cube of their number. */
static Status rate(Standing *s, const StandingOptions *options) {
  Status status = OK;
  const Meeting *meeting = s->games->meeting;
  double *elo = NULL;
  size_t n = s->games->players;
  size_t meetings = s->games->meetings;
  RatingOptions rating = {.prior = options->prior,
                          .only = options->only,
                          .anchor = choose_anchor(s->games, options->anchor)};
  TRY(NEW_ARRAY(elo, n + 1));
  if (n > RATING_MOST)
    count_games(s, meeting, meetings);
  else
    TRY(meta_bradley_terry(meeting, meetings, n, &rating, s->rated, &s->fit));
  /* on one scale, by which two sides are compared */
  for (size_t p = 0; p < n; p++)
    elo[p] = s->rated[p].known ? s->rated[p].elo : NAN;
  if (s->side && n <= RATING_MOST) TRY(rate_sides(s, options->anchor, &rating));
  add_points(s, meeting, meetings);
  standing_sort(s);
  s->transitivity =
      s->score && n <= 1000 ? meta_transitivity(s->score, elo, n) : (Transitivity){.explained = -1};
done:
  free(elo);
  return status;
}

/* Every array has room for one more, as there may be no players. */
Status standing_create(const Games *games, const StandingOptions *options, Standing *out) {
  Status status = OK;
  size_t n = games->players;
  *out = (Standing){.games = games,
                    .seats = options->seats,
                    .side = options->side,
                    .side_name = options->side_name,
                    .not_met = options->not_met,
                    .gap = NAN,
                    .value = NAN};
  TRY(NEW_ARRAY(out->rated, n + 1));
  TRY(NEW_ARRAY(out->points, n + 1));
  TRY(NEW_ARRAY(out->in, n + 1));
  TRY(NEW_ARRAY(out->nash, n + 1));
  TRY(NEW_ARRAY(out->nash_average, n + 1));
  TRY(NEW_ARRAY(out->skill, n + 1));
  TRY(NEW_ARRAY(out->alpha_rank, n + 1));
  TRY(NEW_ARRAY(out->as, n + 1));
  TRY(NEW_ARRAY(out->order, n + 1));
  for (uint32_t p = 0; p < n; p++)
    out->as[p] = p;
  if (!options->ratings_only) TRY(games_matrix(games, false, -1, &out->score));
  TRY(rate(out, options));
  if (!options->ratings_only) TRY(play_meta(out, options));
done:
  if (status != OK) standing_destroy(out);
  return status;
}
