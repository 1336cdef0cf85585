/* The report's views of a league: ratings, payoff, family, forgotten opponents. Small leagues are drawn player by
 * player, large ones in groups. */
#include "report/report.h"

#include "base/file.h"
#include "base/text.h"
#include "meta/meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *report_colour(size_t player) {
  static const char *const css[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"};
  return css[player % COUNT_OF(css)];
}

/* The learning player that a player belongs to: itself, or whose copy it is. */
static size_t line_of(const League *league, size_t player) {
  const Player *p = &league->player[player];
  if (!p->frozen) return player;
  return p->parent >= 0 && (size_t)p->parent < league->learning ? (size_t)p->parent : 0;
}

/* Of a, with what games.csv adds; b's returns are taken as a's negative there. */
static Tally rated_games(const Games *games, uint32_t a, uint32_t b) {
  const GameCount *count = games_find(games, a < b ? a : b, a < b ? b : a);
  Tally sum = {0};
  for (int s = 0; count && s < SEATS; s++) {
    const Score *score = &count->score.seat[s];
    sum.games += (double)score->games;
    sum.wins += (double)(a < b ? score->wins : score->losses);
    sum.draws += (double)score->draws;
    sum.losses += (double)(a < b ? score->losses : score->wins);
    sum.returns += a < b ? score->returns : -score->returns;
    sum.squares += score->squares;
  }
  return sum;
}

static Tally known(const Report *r, uint32_t a, uint32_t b) {
  const League *league = &r->run->league;
  const Pair *pair = payoff_find(&league->payoff, a, b);
  bool frozen = league->player[a].frozen && league->player[b].frozen;
  if (frozen && !(pair && pair->eval[0].games > 0 && pair->eval[1].games > 0))
    return rated_games(&r->strength.games, a, b);
  return !pair ? (Tally){0} : tally_both(frozen ? pair->eval : pair->decayed);
}

static const League *sorting;
static int by_line_and_age(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  size_t p = line_of(sorting, x), q = line_of(sorting, y);
  const Player *s = &sorting->player[x], *t = &sorting->player[y];
  if (p != q) return p < q ? -1 : 1;
  if (s->frozen != t->frozen) return s->frozen ? -1 : 1;
  return s->frames < t->frames ? -1 : s->frames > t->frames ? 1 : x < y ? -1 : x > y;
}

Status report_load(Report *r) {
  const League *league = &r->run->league;
  char path[4096];
  TRY_RETURN(run_path(&r->run->folder, path, sizeof path, "metrics.jsonl"));
  TRY_RETURN(series_read(path, 0, &r->series));
  size_t size;
  TRY_RETURN(run_path(&r->run->folder, path, sizeof path, "config.yaml"));
  if (file_exists(path)) TRY_RETURN(file_read(path, &r->yaml, &size));
  const Item *counters = tree_find(&r->run->tree, "run/counters");
  if (counters && counters->count >= 2) r->frames = (double)((uint64_t *)counters->data)[1];
  r->margins = r->run->settings->league.by_return;
  StrengthOptions options = {.prior = STRENGTH_PRIOR, .returns = r->margins};
  TRY_RETURN(strength_create(league, r->run->settings, &r->run->folder, &options, &r->strength));
  TRY_RETURN(NEW_ARRAY(r->order, league->players + 1));
  for (uint32_t i = 0; i < league->players; i++) r->order[i] = i;
  sorting = league;
  qsort(r->order, league->players, sizeof *r->order, by_line_and_age);
  return OK;
}

void report_free(Report *r) {
  series_free(&r->series);
  strength_destroy(&r->strength);
  free(r->order);
  free(r->yaml);
  bytes_free(&r->out);
}

/* --- ratings --- */
/* How strong a player is, with its 95 % interval: Elo; or where margins are the game, the mean return against the Nash
 * average of the league (against all alike, where there are too many for it). False: it cannot be told. */
static bool strength(const Report *r, uint32_t player, double *value, double *low, double *high) {
  const Standing *s = &r->strength.standing;
  size_t n = r->strength.games.players;
  if (!standing_comparable(s, player)) return false;
  *value = s->rated[player].elo, *low = s->rated[player].low, *high = s->rated[player].high;
  if (!r->margins) return true;
  double sum = 0, variance = 0, weights = 0;
  player = s->as[player];
  if (player >= r->run->league.players) return false;
  for (uint32_t j = 0; j < n && j < r->run->league.players; j++) {
    double weight = !s->has_meta ? 1 / (double)n : s->in[j] ? s->nash_average[j] : 0;
    Tally t = known(r, player, j);
    if (weight < 1e-6) continue;
    if (j == player) { /* against itself it is even */
      weights += weight;
      continue;
    }
    if (t.games < 2) continue;
    double mean = t.returns / t.games;
    sum += weight * mean;
    variance += weight * weight * fmax(t.squares / t.games - mean * mean, 0) / t.games;
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
static int by_strength(const void *a, const void *b) {
  double x = strength_or_less(ranking, *(const uint32_t *)a), y = strength_or_less(ranking, *(const uint32_t *)b);
  return x > y ? -1 : x < y;
}

static void put_rating_line(Report *r, Chart *chart, size_t line, double *column[4]) {
  const League *league = &r->run->league;
  size_t count = 0;
  for (size_t i = 0; i < league->players; i++) {
    uint32_t id = r->order[i];
    if (!league->player[id].frozen) continue; /* it stands as a snapshot, which is here */
    if (line_of(league, id) != line || !strength(r, id, &column[1][count], &column[2][count], &column[3][count]))
      continue;
    column[0][count++] = (double)league->player[id].frames;
    if (league->players > 120) continue;
    char hover[200];
    snprintf(hover, sizeof hover, "%s: %+.4g [%+.4g, %+.4g], %.0f games", league->player[id].name, column[1][count - 1],
             column[2][count - 1], column[3][count - 1], r->strength.standing.rated[id].games);
    chart_dot(chart, column[0][count - 1], column[1][count - 1], report_colour(line), hover);
  }
  chart_band(chart, column[0], column[2], column[3], count, report_colour(line));
  chart_line(chart, column[0], column[1], count, report_colour(line), league->player[line].name);
}

static void put_rating_chart(Report *r) {
  const League *league = &r->run->league;
  double *column[4] = {NULL}, least = INFINITY, most = -INFINITY, oldest = 0;
  Chart chart;
  bool room = true;
  for (int c = 0; c < 4; c++) room &= NEW_ARRAY(column[c], league->players + 1) == OK;
  for (uint32_t i = 0; i < league->players; i++) {
    double value, low, high;
    if (!strength(r, i, &value, &low, &high)) continue;
    least = fmin(least, low), most = fmax(most, high);
    oldest = fmax(oldest, (double)league->player[i].frames);
  }
  if (room && least <= most) {
    chart_begin(&chart, &r->out,
                r->margins ? "mean return against the league's Nash mixture, by age, with 95 % bands"
                           : "Elo by age, with 95 % bands",
                "frames of the player", 0, oldest, least, most, "%g");
    for (size_t line = 0; line < league->learning; line++) put_rating_line(r, &chart, line, column);
    chart_end(&chart);
  }
  for (int c = 0; c < 4; c++) free(column[c]);
}

static void put_rating_table(Report *r, size_t most) {
  const Standing *s = &r->strength.standing;
  const League *league = &r->run->league;
  html_put(&r->out,
           "<figure class=scroll><figcaption>the strongest, by their lower bounds</figcaption><table><tr><th>player<th "
           "class=r>%s<th "
           "class=r>95 %%<th class=r>games<th class=r>score<th class=r>Nash<th class=r>&alpha;-rank</tr>\n",
           r->margins ? "return" : "Elo");
  ranking = r;
  qsort(s->order, r->strength.games.players, sizeof *s->order, by_strength);
  for (size_t i = 0; i < r->strength.games.players; i++) {
    uint32_t p = s->order[i];
    if (i >= most && p >= league->learning) continue; /* learning players are shown in any case */
    char text[32];
    double value, low, high;
    if (!strength(r, p, &value, &low, &high)) break;
    bool learning = p < league->learning, wide = !r->margins && standing_is_wide(&s->rated[p]);
    html_put(&r->out, "<tr%s><td>%s", wide ? " class=dim" : "", r->strength.games.name[p]);
    if (learning) html_put(&r->out, " (learning, as %s)", r->strength.games.name[s->as[p]]);
    html_put(&r->out, "<td class=r>%s", report_strength_text(r, p, text, sizeof text));
    html_put(&r->out, r->margins ? "<td class=r>%+.4f &ndash; %+.4f" : "<td class=r>%+.0f &ndash; %+.0f", low, high);
    html_put(&r->out, "<td class=r>%.0f<td class=r>%.3f", s->rated[p].games, s->points[s->as[p]]);
    if (s->has_meta && s->in[p])
      html_put(&r->out, "<td class=r>%.3f<td class=r>%.3f", s->nash_average[p], s->alpha_rank[p]);
    else
      html_put(&r->out, "<td class=r>n/a<td class=r>n/a");
    html_put(&r->out, "</tr>\n");
  }
  html_put(&r->out, "</table></figure>\n");
}

static void put_rating_words(Report *r) {
  if (r->run->settings->game.teams == 1) {
    html_put(&r->out, "<p>One team plays: there is nobody to be rated against. How well it does, the mean returns of "
                      "its episodes say (Learning).</p>");
    return;
  }
  const Transitivity *t = &r->strength.standing.transitivity;
  if (r->margins) {
    html_put(&r->out,
             "<p>Returns are the game here, not who won (league.by_return): strength is the mean return against the "
             "maximum-entropy Nash mixture of the league, from evaluation games. No player can have more than 0 "
             "against it but by chance; how far the best is from unbeatable, an exact walk or a probe says.</p>");
    return;
  }
  html_put(&r->out,
           "<p>Bradley-Terry over evaluation games, as <code>agon rate</code> has it; %s is at 0. A learning player is "
           "shown as its newest rated snapshot; intervals wider than %d Elo are grey. ",
           standing_anchor(&r->strength.standing), STANDING_WIDE);
  if (t->explained >= 0)
    html_put(&r->out, "Ratings explain %.1f %% of the variance of scores; ", 100 * t->explained);
  else
    html_put(&r->out, "What ratings explain: n/a; ");
  if (t->margin > 0)
    html_put(&r->out, "strongest cycle: %s beats %s beats %s beats the first, each with at least %.3f.</p>",
             r->strength.games.name[t->cycle[0]], r->strength.games.name[t->cycle[1]],
             r->strength.games.name[t->cycle[2]], 0.5 + t->margin);
  else
    html_put(&r->out, "there is no cycle of three.</p>");
}

void report_ratings(Report *r) {
  const League *league = &r->run->league;
  const char *css[16], *label[16];
  size_t n = league->learning < 16 ? league->learning : 16, apart = 0;
  html_put(&r->out, "<section id=ratings><h2>Ratings</h2>");
  put_rating_words(r);
  for (uint32_t p = 0; p < league->players; p++) apart += !standing_comparable(&r->strength.standing, p);
  if (apart) html_put(&r->out, "<p>Not connected with the others by games, so without a rating (n/a): %zu.</p>", apart);
  for (size_t p = 0; p < n; p++) css[p] = report_colour(p), label[p] = league->player[p].name;
  chart_legend(&r->out, css, label, n);
  html_put(&r->out, "<div class=grid>");
  put_rating_chart(r);
  put_rating_table(r, 12);
  html_put(&r->out, "</div></section>\n");
}

/* --- payoff --- */
enum { CELLS = 44 /* rows and columns at most */ };

typedef struct Group {
  size_t first, count; /* of r->order */
} Group;

static size_t make_groups(const Report *r, Group *group) {
  const League *league = &r->run->league;
  size_t n = league->players, size = (n + CELLS - 1) / CELLS, count = 0;
  for (size_t i = 0; i < n;) { /* groups never mix lines, unless there are too many lines */
    size_t end = i + 1;
    while (end < n && end - i < size &&
           (line_of(league, r->order[end]) == line_of(league, r->order[i]) || league->learning > CELLS / 2))
      end++;
    if (count == 2 * CELLS) end = n;
    group[count++] = (Group){i, end - i};
    i = end;
  }
  return count;
}

static void group_name(const Report *r, const Group *g, char *out, size_t size) {
  const League *league = &r->run->league;
  const char *first = league->player[r->order[g->first]].name,
             *last = league->player[r->order[g->first + g->count - 1]].name;
  if (g->count == 1)
    snprintf(out, size, "%s", first);
  else
    snprintf(out, size, "%s ... %s (%zu)", first, last, g->count);
}

static Tally between(const Report *r, const Group *a, const Group *b) {
  Tally sum = {0};
  for (size_t i = 0; i < a->count; i++)
    for (size_t j = 0; j < b->count; j++) {
      Tally t = known(r, r->order[a->first + i], r->order[b->first + j]);
      sum.games += t.games, sum.wins += t.wins, sum.draws += t.draws, sum.losses += t.losses;
      sum.returns += t.returns, sum.squares += t.squares;
    }
  return sum;
}

/* Where margins are the game, a cell's colour is its mean return, in the unit of the largest. */
static void put_return(Report *r, double x, double y, double side, const char *a, const char *b, const Tally *t,
                       double unit) {
  double mean = t->returns / t->games, half = 1.959964 * sqrt(fmax(t->squares / t->games - mean * mean, 0) / t->games);
  html_put(
      &r->out,
      "<rect class=%s fill-opacity=\"%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s against "
      "%s: mean return %+.4f +- %.4f, %.0f games (+%.0f =%.0f -%.0f)</title></rect>",
      mean >= 0 ? "w" : "f", fmin(fabs(mean) / unit * 0.95 + 0.04, 1), x, y, side, side, a, b, mean, half, t->games,
      t->wins, t->draws, t->losses);
}

static void put_cell(Report *r, double x, double y, double side, const char *a, const char *b, const Tally *t) {
  double n = t->games;
  if (n < 1) {
    html_put(&r->out, "<rect class=z x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x, y, side, side);
    return;
  }
  double score = (t->wins + t->draws / 2) / n, low, high;
  meta_interval(score, n, &low, &high);
  html_put(
      &r->out,
      "<rect class=%s fill-opacity=\"%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s against "
      "%s: %.3f [%.3f, %.3f], %.0f games (+%.0f =%.0f -%.0f)</title></rect>",
      score >= 0.5 ? "w" : "f", fmin(fabs(score - 0.5) * 1.9 + 0.04, 1), x, y, side, side, a, b, score, low, high, n,
      t->wins, t->draws, t->losses);
}

/* What sitting first is worth, over all games of all pairs. */
static void put_seats(Report *r) {
  Tally t = payoff_first_seat(&r->run->league.payoff);
  double low, high;
  if (t.games < 1) return;
  double score = (t.wins + t.draws / 2) / t.games;
  meta_interval(score, t.games, &low, &high);
  html_put(
      &r->out,
      "<p id=seats>The first seat scores %.3f [%.3f, %.3f], mean return %+.4g, over all %.0f games. Matchmaking goes "
      "by the mean of both seats.</p>",
      score, low, high, t.returns / t.games, t.games);
}

void report_payoff(Report *r) {
  Group group[2 * CELLS + 1];
  size_t n = make_groups(r, group);
  double label = 190, side = fmin(fmax(640.0 / (double)n, 12), 34), width = label + side * (double)n + 8,
         height = side * (double)n + 8;
  html_put(&r->out,
           "<section id=payoff><h2>Payoff</h2><p>%s of the row's player against the column's, hover for counts "
           "and 95 %% intervals: blue wins, orange loses, pale is even, grey never met. Frozen pairs from "
           "evaluation games, learning players from recent training games. %s</p><figure class=wide><svg "
           "viewBox=\"0 0 %.0f %.0f\" style=\"max-width:%.0fpx\">",
           r->margins ? "Mean return (the strongest colour is the largest)" : "Score",
           n < r->run->league.players ? "Each row stands for a group of snapshots of one line, in order of age."
                                      : "In order of line and age, learning players last in theirs.",
           width, height, width * 1.3);
  double unit = 1e-9;
  for (size_t i = 0; r->margins && i < n * n; i++) {
    Tally t = between(r, &group[i / n], &group[i % n]);
    if (t.games >= 20) unit = fmax(unit, fabs(t.returns / t.games));
  }
  for (size_t i = 0; i < n; i++) {
    char a[160], b[160], shown[48];
    group_name(r, &group[i], a, sizeof a);
    snprintf(shown, sizeof shown, "%.30s",
             group[i].count == 1 ? a : r->run->league.player[r->order[group[i].first]].name);
    if (side >= 11)
      html_put(&r->out, "<text class=t x=\"%.0f\" y=\"%.1f\" text-anchor=end>%s%s</text>", label - 6,
               4 + side * ((double)i + 0.5) + 4, shown, group[i].count > 1 ? " ..." : "");
    for (size_t j = 0; j < n; j++) {
      Tally t = i == j && group[i].count == 1 ? (Tally){0} : between(r, &group[i], &group[j]);
      group_name(r, &group[j], b, sizeof b);
      if (r->margins && t.games >= 1)
        put_return(r, label + side * (double)j, 4 + side * (double)i, side - 1, a, b, &t, unit);
      else
        put_cell(r, label + side * (double)j, 4 + side * (double)i, side - 1, a, b, &t);
    }
  }
  html_put(&r->out, "</svg></figure>");
  put_seats(r);
  html_put(&r->out, "</section>\n");
}

/* --- family --- */
enum { MOST_SNAPSHOTS = 60 /* drawn in a line */ };

enum { MOST_RESTARTS = 40 /* marked in a line */ };

static void put_line_of_family(Report *r, size_t line, double y, double left, double scale, size_t total) {
  const League *league = &r->run->league;
  const char *css = report_colour(line);
  size_t stride = (total + MOST_SNAPSHOTS - 1) / MOST_SNAPSHOTS, seen = 0;
  double from = left, end = left + scale * (double)league->player[line].frames;
  uint32_t life = 0;
  if (stride == 0) stride = 1;
  html_put(&r->out, "<text class=n x=\"8\" y=\"%.1f\">%s</text><path class=\"e %s\" d=\"M%.1f %.1fH%.1f\"/>", y + 4,
           league->player[line].name, css, left, y, end);
  for (size_t i = 0; i < league->players; i++) {
    uint32_t id = r->order[i];
    const Player *p = &league->player[id];
    char elo[32], hash[12];
    if (!p->frozen || line_of(league, id) != line) continue;
    double x = left + scale * (double)p->frames;
    if (p->life != life && seen &&
        league->player[line].life <= MOST_RESTARTS) { /* the line began anew between these two */
      html_put(&r->out,
               "<path class=x d=\"M%.1f %.1fl4 -6m0 0l-3.5 .5m3.5 -.5l.5 3.5\"><title>began anew (life "
               "%u)</title></path>",
               (from + x) / 2 - 2, y - 5, p->life);
    }
    life = p->life;
    from = x;
    if (seen++ % stride) continue;
    snprintf(hash, sizeof hash, "%.8s", p->hash);
    bool won = !strcmp(p->reason, "win_rate");
    html_put(
        &r->out,
        "<circle class=\"%s %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>%s: frozen after %.3g frames, reason: %s, "
        "%s %s, %s</title></circle>",
        won ? "d" : "o", css, x, y, won ? 4.5 : 3.8, p->name, (double)p->frames, *p->reason ? p->reason : "start",
        r->margins ? "return" : "Elo", report_strength_text(r, id, elo, sizeof elo), hash);
  }
  html_put(&r->out,
           "<path class=\"d %s\" d=\"M%.1f %.1fl9 4.5l-9 4.5z\"><title>%s, learning: %.3g frames, life %u</title>"
           "</path><text class=t x=\"%.1f\" y=\"%.1f\">%zu%s, life %u</text>",
           css, end + 2, y - 4.5, league->player[line].name, (double)league->player[line].frames,
           league->player[line].life, end + 16, y + 4, total, stride > 1 ? " (thinned)" : "",
           league->player[line].life);
}

void report_family(Report *r) {
  const League *league = &r->run->league;
  double most = 1, left = 170, width = 1000, row = 34, height = row * (double)league->learning + 40;
  size_t reasons = 0;
  struct {
    const char *name;
    size_t count;
  } reason[16];
  for (size_t i = 0; i < league->players; i++) {
    const Player *p = &league->player[i];
    size_t k = 0;
    most = fmax(most, (double)p->frames);
    if (!p->frozen) continue;
    const char *name = *p->reason ? p->reason : "start";
    while (k < reasons && strcmp(reason[k].name, name)) k++;
    if (k == reasons && reasons < COUNT_OF(reason)) reason[reasons++].count = 0, reason[k].name = name;
    if (k < reasons) reason[k].count++;
  }
  html_put(&r->out,
           "<section id=family><h2>Family</h2><p>Each line is a learning player; a ring is a snapshot that was "
           "frozen by age, a disc one frozen because it beat its targets (win_rate), an arrow upwards a return to "
           "initial or past weights. Snapshots by reason: ");
  for (size_t k = 0; k < reasons; k++) html_put(&r->out, "%s%s %zu", k ? ", " : "", reason[k].name, reason[k].count);
  html_put(&r->out, ".</p><figure class=wide><svg viewBox=\"0 0 %.0f %.0f\">", width, height);
  double scale = (width - left - 130) / most;
  for (size_t line = 0; line < league->learning; line++) {
    size_t total = 0;
    for (size_t i = 0; i < league->players; i++) total += league->player[i].frozen && line_of(league, i) == line;
    put_line_of_family(r, line, 22 + row * (double)line, left, scale, total);
  }
  for (int k = 0; k <= 4; k++) {
    char text[16];
    double frames = most * k / 4;
    html_put(&r->out, "<text class=t x=\"%.1f\" y=\"%.1f\" text-anchor=middle>%s</text>", left + scale * frames,
             height - 14, text_scaled(frames, text, sizeof text));
  }
  html_put(&r->out,
           "<text class=t x=\"%.1f\" y=\"%.1f\" text-anchor=middle>frames of the player</text></svg></figure>"
           "</section>\n",
           left + (width - left) / 2, height - 1);
}

/* --- forgotten opponents --- */
typedef struct Lost {
  uint32_t main, opponent, past;
  double now, now_low, now_high, then, then_low, then_high, gap;
} Lost;

static bool rate(const Tally *t, double least, double *score, double *low, double *high) {
  if (t->games < least) return false;
  *score = (t->wins + t->draws / 2) / t->games;
  meta_interval(*score, t->games, low, high);
  return true;
}

static int by_gap(const void *a, const void *b) {
  double x = ((const Lost *)a)->gap, y = ((const Lost *)b)->gap;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* The past snapshot of the main that does clearly best against the opponent. */
static bool find_lost(const Report *r, uint32_t main, uint32_t opponent, Lost *out) {
  const League *league = &r->run->league;
  Tally t = known(r, main, opponent);
  *out = (Lost){.main = main, .opponent = opponent, .then = -1};
  if (!rate(&t, 20, &out->now, &out->now_low, &out->now_high)) return false;
  for (uint32_t s = 0; s < league->players; s++) {
    double score, low, high;
    if (!league->player[s].frozen || league->player[s].parent != (int64_t)main || s == opponent) continue;
    Tally past = known(r, s, opponent);
    if (!rate(&past, 20, &score, &low, &high) || low <= out->then_low) continue;
    out->past = s, out->then = score, out->then_low = low, out->then_high = high;
  }
  out->gap = out->then - out->now;
  return out->then >= 0 && out->then_low > out->now_high;
}

void report_forgotten(Report *r) {
  const League *league = &r->run->league;
  Lost *lost = NULL, found;
  size_t count = 0, room = 0, asked = 0;
  html_put(&r->out,
           "<section id=forgotten><h2>Forgotten opponents</h2><p>Frozen opponents against which a main now does "
           "clearly worse (intervals apart) than one of its own snapshots did.</p>");
  for (uint32_t m = 0; m < league->learning; m++)
    for (uint32_t o = 0; o < league->players && league->player[m].role == ROLE_MAIN; o++) {
      if (!league->player[o].frozen) continue;
      asked++;
      if (!find_lost(r, m, o, &found) || GROW(lost, room, count + 1) != OK) continue;
      lost[count++] = found;
    }
  if (lost) qsort(lost, count, sizeof *lost, by_gap);
  if (!count) {
    html_put(&r->out, "<p>None of %zu that can be told.</p>", asked);
  } else {
    html_put(&r->out, "<figure class=scroll><table><tr><th>main<th>opponent<th class=r>now<th class=r>95 %%<th>best "
                      "snapshot<th class=r>then<th class=r>95 %%</tr>\n");
    for (size_t i = 0; i < count && i < 15; i++) {
      const Lost *l = &lost[i];
      html_put(&r->out,
               "<tr><td>%s<td>%s<td class=r>%.3f<td class=r>%.3f &ndash; %.3f<td>%s<td class=r>%.3f<td class=r>"
               "%.3f &ndash; %.3f</tr>\n",
               league->player[l->main].name, league->player[l->opponent].name, l->now, l->now_low, l->now_high,
               league->player[l->past].name, l->then, l->then_low, l->then_high);
    }
    html_put(&r->out, "</table></figure>");
    if (count > 15) html_put(&r->out, "<p class=dim>and %zu more</p>", count - 15);
  }
  html_put(&r->out, "</section>\n");
  free(lost);
}

/* --- whom the mains meet now --- */
void report_opponents(Report *r) {
  enum { SHOWN = 10 };
  Table table = {0};
  League *league = (League *)&r->run->league; /* a table counts itself; nothing else changes */
  uint64_t version = league->table_version, draws = league->draws;
  uint32_t top[SHOWN];
  float share[SHOWN];
  size_t n = 0;
  Status status = league_table(league, &table);
  league->table_version = version, league->draws = draws;
  if (status == OK && table.homes) {
    const HomeEntry *home = &table.home[0];
    for (size_t i = 0; i < home->count; i++) {
      const MatchEntry *m = &table.match[home->first + i];
      size_t at = 0;
      while (at < n && top[at] != m->away) at++;
      float p = m->probability + (at < n ? share[at] : 0);
      if (at < n) { /* the same opponent by another rule: take it out, put it back higher */
        memmove(top + at, top + at + 1, (n - at - 1) * sizeof *top);
        memmove(share + at, share + at + 1, (n - at - 1) * sizeof *share);
        n--;
      }
      for (at = n; at > 0 && share[at - 1] < p; at--) continue;
      if (at >= SHOWN) continue;
      size_t last = n < SHOWN ? n++ : SHOWN - 1;
      memmove(top + at + 1, top + at, (last - at) * sizeof *top);
      memmove(share + at + 1, share + at, (last - at) * sizeof *share);
      top[at] = m->away, share[at] = p;
    }
    html_put(&r->out,
             "<figure><figcaption>whom %s meets next, by the present table</figcaption><svg viewBox=\"0 0 460 "
             "250\">",
             league->player[home->player].name);
    for (size_t i = 0; i < n; i++) {
      double width = 230 * (double)share[i] / (double)share[0], y = 8 + 24 * (double)i;
      html_put(&r->out,
               "<text class=n x=\"6\" y=\"%.1f\">%s</text><rect class=\"d %s\" x=\"180\" y=\"%.1f\" width=\"%.1f\" "
               "height=\"14\" rx=\"2\"/><text class=t x=\"%.1f\" y=\"%.1f\">%.1f %%</text>",
               y + 11, league->player[top[i]].name, report_colour(line_of(league, top[i])), y, width, 185 + width,
               y + 11, 100 * (double)share[i]);
    }
    html_put(&r->out, "</svg></figure>");
  }
  table_free(&table);
}
