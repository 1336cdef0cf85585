/* The report's views of a league: ratings, forgotten opponents, whom the mains meet. Small leagues
 * are drawn player by player, large ones in stretches of age. */
#include "report/report.h"

#include "base/file.h"
#include "base/text.h"
#include "meta/meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Eight colours that can be told apart, on white and on black. */
const char *report_colour(size_t player) {
  static const char *const css[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"};
  return css[player % COUNT_OF(css)];
}

/* The oldest players have no parent that still learns; they are counted with the first. */
size_t report_line_of(const League *league, size_t player) {
  const Player *p = &league->player[player];
  if (!p->frozen) return player;
  return p->parent >= 0 && (size_t)p->parent < league->learning ? (size_t)p->parent : 0;
}

/* Of a, with what games.csv adds; b's returns are taken as a's negative there. */
static Tally rated_games(const Games *games, uint32_t a, uint32_t b) {
  const Meeting *meeting = games_find(games, a < b ? a : b, a < b ? b : a);
  if (!meeting) return (Tally){0};
  const Tally sum = tally_both(meeting->tally.seat);
  return a < b ? sum : tally_turned(&sum);
}

/* Learning players change, so of them only what training remembers of late is asked. */
Tally report_known(const Report *r, uint32_t a, uint32_t b, double *independent) {
  const League *league = &r->run->league;
  const Pair *pair = payoff_find(&league->payoff, a, b);
  bool frozen = league->player[a].frozen && league->player[b].frozen;
  const bool known =
      pair && (league->payoff.one_seat ? tally_games(pair->eval) > 0
                                       : pair->eval[0].games > 0 && pair->eval[1].games > 0);
  const Tally games = frozen && !known ? rated_games(&r->strength.games, a, b)
                      : !pair          ? (Tally){0}
                                       : tally_both(frozen ? pair->eval : pair->decayed);
  *independent =
      frozen ? games.games : payoff_independent(r->run->settings->game.teams, games.games, 0);
  return games;
}

static const League *sorting;
/* Order for qsort, which passes no context: hence `sorting`. */
static int by_line_and_age(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a;
  uint32_t y = *(const uint32_t *)b;
  size_t p = report_line_of(sorting, x);
  size_t q = report_line_of(sorting, y);
  const Player *s = &sorting->player[x];
  const Player *t = &sorting->player[y];
  if (p != q) return p < q ? -1 : 1;
  if (s->frozen != t->frozen) return s->frozen ? -1 : 1;
  return s->frames < t->frames ? -1 : s->frames > t->frames ? 1 : x < y ? -1 : x > y;
}

/* A run without config.yaml or without metrics is shown with what it has. */
Status report_load(Report *r) {
  const League *league = &r->run->league;
  char path[4096];
  TRY_RETURN(run_path(&r->run->folder, path, sizeof path, "metrics.jsonl"));
  TRY_RETURN(series_read(path, 0, &r->series));
  size_t size;
  TRY_RETURN(run_path(&r->run->folder, path, sizeof path, "config.yaml"));
  if (file_exists(path)) TRY_RETURN(file_read(path, &r->yaml, &size));
  const uint64_t *counters = run_view_counters(r->run);
  if (counters) r->frames = (double)counters[RUN_FRAMES];
  r->margins = r->run->settings->league.by_return;
  StrengthOptions options = {.prior = STRENGTH_PRIOR, .returns = r->margins};
  TRY_RETURN(strength_create(league, r->run->settings, &r->run->folder, &options, &r->strength));
  TRY_RETURN(NEW_ARRAY(r->order, league->players + 1));
  for (uint32_t i = 0; i < league->players; i++)
    r->order[i] = i;
  sorting = league;
  qsort(r->order, league->players, sizeof *r->order, by_line_and_age);
  return OK;
}

/* Also after a report_load that failed. */
void report_free(Report *r) {
  series_free(&r->series);
  strength_destroy(&r->strength);
  free(r->order);
  free(r->yaml);
  bytes_free(&r->out);
}

/* --- ratings --- */
/* How strong a player is, with its 95 % interval: Elo; or where margins are the game, the mean
 * return against the Nash average of the league (against all alike, where there are too many for
 * it). False: it cannot be told. */
static bool strength(const Report *r, uint32_t player, double *value, double *low, double *high) {
  const Standing *s = &r->strength.standing;
  size_t n = r->strength.games.players;
  if (!standing_comparable(s, player)) return false;
  *value = s->rated[player].elo;
  *low = s->rated[player].low;
  *high = s->rated[player].high;
  if (!r->margins) return true;
  double sum = 0, variance = 0, weights = 0;
  player = s->as[player];
  if (player >= r->run->league.players) return false;
  for (uint32_t j = 0; j < n && j < r->run->league.players; j++) {
    const double *mixture = s->side ? s->nash : s->nash_average;
    double weight = !s->has_meta ? 1 / (double)n : s->in[j] ? mixture[j] : 0;
    if (s->side && s->side[j] == s->side[player]) continue;
    double independent;
    Tally t = report_known(r, player, j, &independent);
    if (weight < 1e-6) continue;
    if (j == player) { /* against itself it is even */
      weights += weight;
      continue;
    }
    if (t.games < 2) continue;
    double mean = t.returns / t.games;
    sum += weight * mean;
    variance += weight * weight * fmax(t.squares / t.games - mean * mean, 0) / independent;
    weights += weight;
  }
  if (weights < 0.5) return false;
  *value = sum / weights;
  *low = *value - 1.959964 * sqrt(variance) / weights;
  *high = *value + 1.959964 * sqrt(variance) / weights;
  return true;
}

const char *report_strength_text(const Report *r, uint32_t player, char *out, size_t size) {
  double value, low, high;
  if (!r->margins) return standing_elo_text(&r->strength.standing, player, out, size);
  if (strength(r, player, &value, &low, &high))
    snprintf(out, size, "%+.4f", value);
  else
    snprintf(out, size, "n/a");
  return out;
}

/* The lower bound: few games make nobody strong. */
static double strength_or_less(const Report *r, uint32_t player) {
  double value, low, high;
  return strength(r, player, &value, &low, &high) ? low : -INFINITY;
}

uint32_t report_strongest(const Report *r) {
  uint32_t best = 0;
  for (uint32_t p = 1; p < r->run->league.players; p++)
    if (strength_or_less(r, p) > strength_or_less(r, best)) best = p;
  return best;
}

static const Report *ranking;
/* Order for qsort, strongest first. */
static int by_strength(const void *a, const void *b) {
  double x = strength_or_less(ranking, *(const uint32_t *)a);
  double y = strength_or_less(ranking, *(const uint32_t *)b);
  return x > y ? -1 : x < y;
}

enum {
  ONE_BY_ONE = 100, /* players in the chart that are drawn each */
  STRETCHES = 32    /* of age, in which a line of a larger league is drawn by its means */
};

/* Means over stretches of equal length in the first column, in place; returns how many have any. */
static size_t aggregate(double *column[4], size_t count) {
  double low = column[0][0];
  double width = (column[0][count - 1] - low) / STRETCHES;
  size_t made = 0;
  for (size_t i = 0, stretch = 0; i < count && stretch < STRETCHES; stretch++) {
    double sum[4] = {0};
    double n = 0;
    double end = low + width * (double)(stretch + 1);
    for (; i < count && (column[0][i] <= end || stretch + 1 == STRETCHES); i++, n++)
      for (int c = 0; c < 4; c++)
        sum[c] += column[c][i];
    if (n < 1) continue;
    for (int c = 0; c < 4; c++)
      column[c][made] = sum[c] / n;
    made++;
  }
  return made;
}

/* One line's snapshots by age, with their intervals: each a dot, or means over stretches where
 * there are many. */
static void put_rating_line(Report *r, Chart *chart, size_t line, double *column[4]) {
  const League *league = &r->run->league;
  size_t count = 0;
  for (size_t i = 0; i < league->players; i++) {
    uint32_t id = r->order[i];
    if (!league->player[id].frozen) continue; /* it stands as a snapshot, which is here */
    if (report_line_of(league, id) != line ||
        !strength(r, id, &column[1][count], &column[2][count], &column[3][count]))
      continue;
    column[0][count++] = (double)league->player[id].frames;
    if (league->players > ONE_BY_ONE) continue;
    char hover[200];
    snprintf(hover, sizeof hover, "%s: %+.4g [%+.4g, %+.4g], %.0f games", league->player[id].name,
             column[1][count - 1], column[2][count - 1], column[3][count - 1],
             r->strength.standing.rated[id].games);
    chart_dot(chart, column[0][count - 1], column[1][count - 1], report_colour(line), hover);
  }
  if (league->players > ONE_BY_ONE && count > STRETCHES) count = aggregate(column, count);
  chart_band(chart, column[0], column[2], column[3], count, report_colour(line));
  chart_line(chart, column[0], column[1], count, report_colour(line), league->player[line].name);
}

/* All lines in one chart. */
static void put_rating_chart(Report *r) {
  const League *league = &r->run->league;
  double *column[4] = {NULL}, least = INFINITY, most = -INFINITY, oldest = 0;
  Chart chart;
  bool room = true;
  for (int c = 0; c < 4; c++)
    room &= NEW_ARRAY(column[c], league->players + 1) == OK;
  for (uint32_t i = 0; i < league->players; i++) {
    double value, low, high;
    if (!strength(r, i, &value, &low, &high)) continue;
    least = fmin(least, low);
    most = fmax(most, high);
    oldest = fmax(oldest, (double)league->player[i].frames);
  }
  if (room && least <= most) {
    char title[128];
    snprintf(title, sizeof title, "%s by age, with 95 %% bands%s",
             r->margins ? "mean return against the league's Nash mixture," : "Elo",
             league->players > ONE_BY_ONE ? "; means over stretches of age" : "");
    chart_begin(&chart, &r->out, title, "frames of the player", 0, oldest, least, most, "%g");
    for (size_t line = 0; line < league->learning; line++)
      put_rating_line(r, &chart, line, column);
    chart_end(&chart);
  }
  for (int c = 0; c < 4; c++)
    free(column[c]);
}

/* The strongest `most`, and the learning players in any case. */
static void put_rating_table(Report *r, size_t most) {
  const Standing *s = &r->strength.standing;
  const League *league = &r->run->league;
  html_put(&r->out,
           "<figure class=scroll><figcaption>the strongest, by their lower bounds<span "
           "class=narrow> (wider screens have score, Nash and &alpha;-rank too)</span>"
           "</figcaption><table><tr><th>player<th class=r>%s<th class=r>95 %%<th class=r>games"
           "<th class=\"r wide\">score<th class=\"r wide\">Nash<th class=\"r wide\">&alpha;-rank"
           "</tr>\n",
           r->margins ? "return" : "Elo");
  ranking = r;
  qsort(s->order, r->strength.games.players, sizeof *s->order, by_strength);
  for (size_t i = 0; i < r->strength.games.players; i++) {
    uint32_t p = s->order[i];
    if (i >= most && p >= league->learning) continue; /* learning players are shown in any case */
    char text[32];
    double value, low, high;
    if (!strength(r, p, &value, &low, &high)) break;
    bool learning = p < league->learning;
    bool wide = !r->margins && standing_is_wide(&s->rated[p]);
    html_put(&r->out, "<tr%s><td>%s", wide ? " class=dim" : "", r->strength.games.name[p]);
    if (learning) html_put(&r->out, " (learning, as %s)", r->strength.games.name[s->as[p]]);
    html_put(&r->out, "<td class=r>%s", report_strength_text(r, p, text, sizeof text));
    html_put(&r->out,
             r->margins ? "<td class=r>%+.4f &ndash; %+.4f" : "<td class=r>%+.0f &ndash; %+.0f",
             low, high);
    html_put(&r->out, "<td class=r>%.0f<td class=\"r wide\">%.3f", s->rated[p].games,
             s->points[s->as[p]]);
    if (s->has_meta && s->in[p] && s->side)
      html_put(&r->out, "<td class=\"r wide\">%.3f<td class=\"r wide\">n/a", s->nash[p]);
    else if (s->has_meta && s->in[p])
      html_put(&r->out, "<td class=\"r wide\">%.3f<td class=\"r wide\">%.3f", s->nash_average[p],
               s->alpha_rank[p]);
    else
      html_put(&r->out, "<td class=\"r wide\">n/a<td class=\"r wide\">n/a");
    html_put(&r->out, "</tr>\n");
  }
  html_put(&r->out, "</table></figure>\n");
}

/* What the ratings are, and how far one number tells the story. */
static void put_rating_words(Report *r) {
  const Transitivity *t = &r->strength.standing.transitivity;
  if (r->margins) {
    html_put(&r->out, "<p>Returns are the game here, not who won (league.by_return): strength is "
                      "the mean return against the maximum-entropy Nash mixture of the league, "
                      "from evaluation games. No player can have more than 0 against it but by "
                      "chance; how far the best is from unbeatable, an exact walk or a probe "
                      "says.</p>");
    return;
  }
  const Standing *s = &r->strength.standing;
  if (s->side)
    html_put(&r->out,
             "<p>Two populations, %s and %s, that meet only each other. Where random is at 0 it is "
             "random play on the player's own side: D Elo more than another player of the side "
             "multiplies the odds of scoring, against whomever, by 10<sup>D/400</sup>. Ratings of "
             "different sides are not on one scale.</p>",
             s->side_name[0], s->side_name[1]);
  html_put(&r->out,
           "<p>Bradley-Terry over evaluation games, as <code>agon rate</code> has it; %s is at "
           "0. A learning player is shown as its newest rated snapshot; intervals wider than %d "
           "Elo are grey. ",
           standing_anchor(&r->strength.standing), STANDING_WIDE);
  if (t->explained >= 0)
    html_put(&r->out, "Ratings explain %.1f %% of the variance of scores; ", 100 * t->explained);
  else
    html_put(&r->out, "What ratings explain: n/a; ");
  if (t->margin > 0)
    html_put(&r->out,
             "strongest cycle: %s beats %s beats %s beats the first, each with at least %.3f.</p>",
             r->strength.games.name[t->cycle[0]], r->strength.games.name[t->cycle[1]],
             r->strength.games.name[t->cycle[2]], 0.5 + t->margin);
  else
    html_put(&r->out, s->side ? "two sides have no cycles of three.</p>"
                              : "there is no cycle of three.</p>");
}

/* The section: words, chart, table. */
void report_ratings(Report *r) {
  const League *league = &r->run->league;
  size_t apart = 0;
  html_put(&r->out, "<section id=ratings><h2>Ratings</h2>");
  put_rating_words(r);
  for (uint32_t p = 0; p < league->players; p++)
    apart += !standing_comparable(&r->strength.standing, p);
  if (apart)
    html_put(&r->out,
             "<p>Not connected with the others by games, so without a rating (n/a): %zu.</p>",
             apart);
  report_legend(r);
  html_put(&r->out, "<div class=\"grid rated\">");
  put_rating_chart(r);
  put_rating_table(r, 12);
  html_put(&r->out, "</div></section>\n");
}

/* --- forgotten opponents --- */

/* A main, an opponent, and the past self of the main that did better against it; scores and their
 * intervals. */
typedef struct Lost {
  uint32_t main, opponent, past;
  double now, now_low, now_high, then, then_low, then_high, gap;
} Lost;

/* A score with its interval; false if there are fewer than 20 independent games. */
static bool rate(const Report *r, uint32_t a, uint32_t b, double *score, double *low,
                 double *high) {
  double independent;
  const Tally t = report_known(r, a, b, &independent);
  if (independent < 20) return false;
  *score = tally_score(&t);
  meta_interval(*score, independent, low, high);
  return true;
}

/* Order for qsort, largest loss first. */
static int by_gap(const void *a, const void *b) {
  double x = ((const Lost *)a)->gap;
  double y = ((const Lost *)b)->gap;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* The past snapshot of the main that does clearly best against the opponent. */
static bool find_lost(const Report *r, uint32_t main, uint32_t opponent, Lost *out) {
  const League *league = &r->run->league;
  *out = (Lost){.main = main, .opponent = opponent, .then = -1};
  if (!rate(r, main, opponent, &out->now, &out->now_low, &out->now_high)) return false;
  for (uint32_t s = 0; s < league->players; s++) {
    double score, low, high;
    if (!league->player[s].frozen || league->player[s].parent != (int64_t)main || s == opponent)
      continue;
    if (!rate(r, s, opponent, &score, &low, &high) || low <= out->then_low) continue;
    out->past = s;
    out->then = score;
    out->then_low = low;
    out->then_high = high;
  }
  out->gap = out->then - out->now;
  return out->then >= 0 && out->then_low > out->now_high;
}

/* The table of the 15 largest losses. */
static void put_lost(Report *r, const Lost *lost, size_t count) {
  const League *league = &r->run->league;
  html_put(&r->out, "<figure class=scroll><table><tr><th>main<th>opponent<th class=r>now<th "
                    "class=\"r wide\">95 %%<th>best snapshot<th class=r>then<th class=\"r "
                    "wide\">95 %%</tr>\n");
  for (size_t i = 0; i < count && i < 15; i++) {
    const Lost *l = &lost[i];
    html_put(&r->out,
             "<tr><td class=k>%s<td>%s<td class=r>%.3f<td class=\"r wide\">%.3f &ndash; %.3f<td>%s"
             "<td class=r>%.3f<td class=\"r wide\">%.3f &ndash; %.3f</tr>\n",
             league->player[l->main].name, league->player[l->opponent].name, l->now, l->now_low,
             l->now_high, league->player[l->past].name, l->then, l->then_low, l->then_high);
  }
  html_put(&r->out, "</table></figure>");
  if (count > 15) html_put(&r->out, "<p class=dim>and %zu more</p>", count - 15);
}

/* Asks every main about every frozen opponent. */
void report_forgotten(Report *r) {
  const League *league = &r->run->league;
  Lost *lost = NULL, found;
  size_t count = 0, room = 0, asked = 0;
  html_put(&r->out, "<section id=forgotten><h2>Forgotten opponents</h2><p>Frozen opponents "
                    "against which a main now does clearly worse (intervals apart) than one of "
                    "its own snapshots did.</p>");
  for (uint32_t m = 0; m < league->learning; m++)
    for (uint32_t o = 0; o < league->players && league->player[m].role == ROLE_MAIN; o++) {
      if (!league->player[o].frozen || !league_meets(&league->player[m], &league->player[o]))
        continue;
      asked++;
      if (!find_lost(r, m, o, &found) || GROW(lost, room, count + 1) != OK) continue;
      lost[count++] = found;
    }
  if (lost) qsort(lost, count, sizeof *lost, by_gap);
  if (count)
    put_lost(r, lost, count);
  else
    html_put(&r->out, "<p>None of %zu that can be told.</p>", asked);
  html_put(&r->out, "</section>\n");
  free(lost);
}

/* --- whom the mains meet now --- */

/* Opponents in the figure. */
enum { SHOWN = 10 };

/* Adds an entry of the table to the `n` opponents that are met most, highest first; returns how
 * many there are now. An opponent may come by several rules, whose shares add up. */
static size_t add_share(const MatchEntry *match, uint32_t *top, float *share, size_t n) {
  size_t at = 0;
  while (at < n && top[at] != match->away)
    at++;
  float p = match->probability + (at < n ? share[at] : 0);
  if (at < n) { /* the same opponent by another rule: take it out, put it back higher */
    memmove(top + at, top + at + 1, (n - at - 1) * sizeof *top);
    memmove(share + at, share + at + 1, (n - at - 1) * sizeof *share);
    n--;
  }
  for (at = n; at > 0 && share[at - 1] < p; at--)
    continue;
  if (at >= SHOWN) return n;
  size_t last = n < SHOWN ? n++ : SHOWN - 1;
  memmove(top + at + 1, top + at, (last - at) * sizeof *top);
  memmove(share + at + 1, share + at, (last - at) * sizeof *share);
  top[at] = match->away;
  share[at] = p;
  return n;
}

/* By the table that matchmaking would make now. Making it counts draws, which are put back
 * afterwards: looking at a run must not change it. */
void report_opponents(Report *r) {
  Table table = {0};
  League *league = (League *)&r->run->league; /* a table counts itself; nothing else changes */
  uint64_t version = league->table_version;
  uint64_t draws = league->draws;
  uint32_t top[SHOWN];
  float share[SHOWN];
  size_t n = 0;
  Status status = league_table(league, &table);
  league->table_version = version;
  league->draws = draws;
  if (status == OK && table.homes) {
    const HomeEntry *home = &table.home[0];
    for (size_t i = 0; i < home->count; i++)
      n = add_share(&table.match[home->first + i], top, share, n);
    html_put(&r->out,
             "<figure><figcaption>whom %s meets next, by the present table</figcaption><svg "
             "viewBox=\"0 0 320 %.0f\" role=img>",
             league->player[home->player].name, 22.0 * (double)n + 6);
    for (size_t i = 0; i < n; i++) {
      double width = 96 * (double)share[i] / (double)share[0];
      double y = 4 + 22 * (double)i;
      html_put(&r->out,
               "<text class=n x=4 y=\"%.1f\">%s</text><rect class=\"d %s\" x=176 y=\"%.1f\" "
               "width=\"%.1f\" height=\"14\" rx=\"2\"/><text class=t x=\"%.1f\" y=\"%.1f\">%.1f "
               "%%</text>",
               y + 11, league->player[top[i]].name, report_colour(report_line_of(league, top[i])),
               y, width, 180 + width, y + 11, 100 * (double)share[i]);
    }
    html_put(&r->out, "</svg></figure>");
  }
  table_free(&table);
}
