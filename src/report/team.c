/* What stands in the place of ratings, payoff and matchmaking where one team plays: what the greedy
 * policies earned in evaluation episodes, beside players that need no training, and the env's
 * metrics there. */
#include "report/report.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 240, LINES = 64 };

/* Players that need no training, in grey and behind the learning ones' colours. */
static const char *const baseline[] = {"random", "noop", "scripted"};
static const char *const baseline_css[] = {"c7", "c6", "c2"};

/* A line of a chart: whose, and its points. */
typedef struct Line {
  const char *name;
  const char *css;
  double x[POINTS], y[POINTS], low[POINTS], high[POINTS];
  size_t count;
  bool band;
} Line;

/* PLAYER/eval/KEY as points; of its interval too where `band` asks for it and it has one. false:
 * there are none. */
static bool read_line(const Report *r, const char *player, const char *css, const char *key,
                      bool band, Line *out) {
  static const char *const end[2] = {"low", "high"};
  char name[128];
  double x[POINTS];
  snprintf(name, sizeof name, "%s/eval/%s", player, key);
  out->name = player;
  out->css = css;
  out->count = series_thin(series_find(&r->series, name), POINTS, out->x, out->y);
  out->band = band;
  for (int i = 0; i < 2 && band; i++) {
    snprintf(name, sizeof name, "%s/eval/%s_%s", player, key, end[i]);
    const size_t n =
        series_thin(series_find(&r->series, name), POINTS, x, i ? out->high : out->low);
    out->band &= n == out->count;
  }
  return out->count > 0;
}

/* Widens the ranges by what a line needs. */
static void widen(const Line *line, double x[2], double y[2]) {
  for (size_t i = 0; i < line->count; i++) {
    x[0] = fmin(x[0], line->x[i]);
    x[1] = fmax(x[1], line->x[i]);
    y[0] = fmin(y[0], line->band ? line->low[i] : line->y[i]);
    y[1] = fmax(y[1], line->band ? line->high[i] : line->y[i]);
  }
}

/* One number of all players and baselines over frames, in the page or as a picture of its own,
 * where lines have their names beside them. Returns whether anybody has it; else nothing is drawn.
 * Nor is a length that never changes: of episodes that only their limit ends. */
static bool draw(Report *r, const char *title, const char *key, bool band, bool picture) {
  const League *league = &r->run->league;
  Line *line;
  size_t lines = 0;
  double x[2] = {INFINITY, -INFINITY};
  double y[2] = {INFINITY, -INFINITY};
  Chart chart;
  if (NEW_ARRAY(line, LINES + COUNT_OF(baseline)) != OK) return false;
  for (size_t i = 0; i < COUNT_OF(baseline); i++)
    lines += read_line(r, baseline[i], baseline_css[i], key, band, &line[lines]);
  for (size_t p = 0; p < league->learning && p < LINES; p++)
    lines += read_line(r, league->player[p].name, report_colour(p), key, band, &line[lines]);
  for (size_t i = 0; i < lines; i++)
    widen(&line[i], x, y);
  if (!strcmp(key, "length") && !(y[1] > y[0])) lines = 0;
  if (lines) {
    if (picture)
      chart_begin_picture(&chart, &r->out, title, "frames", x[0], x[1], y[0], y[1]);
    else
      chart_begin(&chart, &r->out, title, "frames", x[0], x[1], y[0], y[1], "%g");
    for (size_t i = 0; i < lines; i++) {
      const Line *l = &line[i];
      if (l->band) chart_band(&chart, l->x, l->low, l->high, l->count, l->css);
      chart_line(&chart, l->x, l->y, l->count, l->css, l->name);
      if (picture) chart_name(&chart, l->y[l->count - 1], l->css, l->name);
    }
    chart_end(&chart);
  }
  free(line);
  return lines > 0;
}

static void put_chart(Report *r, const char *title, const char *key, bool band) {
  draw(r, title, key, band, false);
}

Status report_team_picture(Report *r) {
  const char *words = r->run->settings->told.words;
  char title[160];
  if (r->run->settings->game.teams != 1)
    return status_set(ERR_USAGE, "the curve of a team's return is of games that one team plays");
  snprintf(title, sizeof title, "%.60s: team return%s%.40s, greedy, with 95 %% band",
           r->run->settings->game.name, *words ? ", " : "", words);
  if (draw(r, title, "return", true, true)) return OK;
  return status_set(ERR_USAGE, "%s has no evaluations (metrics.evaluation_episodes)",
                    r->run->folder.path);
}

/* The names of the env's metrics: what else an evaluation has measured, by the first player's
 * series. Returns the n-th, or NULL. */
static const char *metric_name(const Report *r, size_t n) {
  static const char *const own[] = {"return",           "return_low", "return_high",
                                    "return_deviation", "episodes",   "length"};
  char prefix[96];
  snprintf(prefix, sizeof prefix, "%s/eval/", r->run->league.player[0].name);
  for (size_t i = 0; i < r->series.count; i++) {
    const char *name = r->series.series[i].name;
    bool metric = !strncmp(name, prefix, strlen(prefix));
    for (size_t k = 0; k < COUNT_OF(own) && metric; k++)
      metric = strcmp(name + strlen(prefix), own[k]) != 0;
    if (metric && n-- == 0) return name + strlen(prefix);
  }
  return NULL;
}

/* The last value of PLAYER/eval/KEY; NAN where there is none. */
static double last_of(const Report *r, const char *player, const char *key) {
  char name[128];
  snprintf(name, sizeof name, "%s/eval/%s", player, key);
  const Series *series = series_find(&r->series, name);
  return series && series->count ? series->y[series->count - 1] : (double)NAN;
}

/* "n/a" where there is nothing. */
static void put_cell(Report *r, double value, const char *css) {
  if (isfinite(value))
    html_put(&r->out, "<td class=\"r%s\">%.4g", css, value);
  else
    html_put(&r->out, "<td class=\"r%s\">n/a", css);
}

/* One player of the table; nothing where it was never evaluated. */
static void put_row(Report *r, const char *player) {
  const double mean = last_of(r, player, "return");
  const char *metric;
  if (!isfinite(mean)) return;
  const double low = last_of(r, player, "return_low");
  const double high = last_of(r, player, "return_high");
  html_put(&r->out, "<tr><td class=k>");
  html_text(&r->out, player);
  html_put(&r->out, "<td class=r>%.4g", mean);
  if (isfinite(low) && isfinite(high))
    html_put(&r->out, "<td class=r>%.4g &ndash; %.4g", low, high);
  else
    html_put(&r->out, "<td class=r>n/a");
  put_cell(r, last_of(r, player, "return_deviation"), " wide");
  put_cell(r, last_of(r, player, "length"), " wide");
  for (size_t i = 0; (metric = metric_name(r, i)); i++)
    put_cell(r, last_of(r, player, metric), "");
  html_put(&r->out, "</tr>\n");
}

/* The newest evaluation of everybody. */
static void put_table(Report *r) {
  const League *league = &r->run->league;
  const char *metric;
  html_put(&r->out, "<figure class=scroll><figcaption>the newest evaluation</figcaption><table>"
                    "<tr><th>player<th class=r>return<th class=r>95 %%<th class=\"r wide\">"
                    "deviation<th class=\"r wide\">steps");
  for (size_t i = 0; (metric = metric_name(r, i)); i++) {
    html_put(&r->out, "<th class=r>");
    html_text(&r->out, metric);
  }
  html_put(&r->out, "</tr>\n");
  for (size_t p = 0; p < league->learning; p++)
    put_row(r, league->player[p].name);
  for (size_t i = 0; i < COUNT_OF(baseline); i++)
    put_row(r, baseline[i]);
  html_put(&r->out, "</table></figure>\n");
}

/* Colours of the learning players, then of those to compare with that there are. */
static void put_legend(Report *r) {
  const char *css[16 + COUNT_OF(baseline)];
  const char *label[16 + COUNT_OF(baseline)];
  size_t n = 0;
  for (; n < r->run->league.learning && n < 16; n++) {
    css[n] = report_colour(n);
    label[n] = r->run->league.player[n].name;
  }
  for (size_t i = 0; i < COUNT_OF(baseline); i++) {
    if (!isfinite(last_of(r, baseline[i], "return"))) continue;
    css[n] = baseline_css[i];
    label[n++] = baseline[i];
  }
  chart_legend(&r->out, css, label, n);
}

/* Whether anybody's greedy policy was ever measured. */
static bool evaluated(const Report *r) {
  for (size_t p = 0; p < r->run->league.learning; p++)
    if (isfinite(last_of(r, r->run->league.player[p].name, "return"))) return true;
  return false;
}

/* How the return was measured, or by what it can be. */
static void put_measured(Report *r) {
  const long long episodes = (long long)r->run->settings->manager.evaluation_episodes;
  if (evaluated(r))
    html_put(&r->out,
             "It is measured in %lld episodes of the greedy policy at a time, always the same "
             "ones, in which players that need no training stand beside it; bands and intervals "
             "are 95 %% of the mean (Student's t).",
             episodes);
  else
    html_put(&r->out,
             "The greedy policy was not measured in this run%s: <code>agon eval RUN</code> does "
             "it, and the first curve of <a href=#learning>Learning</a> has the training "
             "episodes.",
             episodes > 0 ? " yet" : " (metrics.evaluation_episodes is 0)");
}

void report_team(Report *r) {
  const char *words = r->run->settings->told.words;
  const char *metric;
  html_put(&r->out,
           "<section id=returns><h2>Team return</h2><p>One team plays, against nobody: "
           "its return in an episode says how well it does%s%s. ",
           *words ? "; it is the " : "", words);
  put_measured(r);
  html_put(&r->out, "</p>");
  if (evaluated(r)) {
    put_legend(r);
    html_put(&r->out, "<div class=\"grid rated\">");
    put_chart(r, "team return of the greedy policy, with 95 % bands", "return", true);
    put_table(r);
    html_put(&r->out, "</div>");
  }
  if (metric_name(r, 0)) {
    html_put(&r->out, "<p>What the game itself counts, in the same episodes:</p><div class=grid>");
    for (size_t i = 0; (metric = metric_name(r, i)); i++)
      put_chart(r, metric, metric, false);
    put_chart(r, "length of an episode, in steps", "length", false);
    html_put(&r->out, "</div>");
  }
  html_put(&r->out, "</section>\n");
}

const char *report_return_text(const Report *r, uint32_t player, char *out, size_t size) {
  const char *name = r->run->league.player[player].name;
  const double mean = last_of(r, name, "return");
  if (isfinite(mean)) {
    snprintf(out, size, "%.4g [%.4g, %.4g]", mean, last_of(r, name, "return_low"),
             last_of(r, name, "return_high"));
    if (!isfinite(last_of(r, name, "return_low"))) snprintf(out, size, "%.4g", mean);
    return out;
  }
  char key[96];
  snprintf(key, sizeof key, "%s/mean_return", name);
  const Series *training = series_find(&r->series, key);
  if (training && training->count)
    snprintf(out, size, "%.4g in training", training->y[training->count - 1]);
  else
    snprintf(out, size, "n/a");
  return out;
}
