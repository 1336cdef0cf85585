/* The page as a whole: its head and style, what stands on top, curves, matchmaking,
 * configuration. */
#include "report/report.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Text in charts is laid out at 11 points or more in a picture that is never shown smaller than it
 * was laid out. */
static const char style[] =
    ":root{--bg:#fbfaf7;--ink:#23262b;--dim:#63686f;--rule:#dddad2;--card:#fff;--on:#fff;"
    "--win:#2166ac;--loss:#c8701a;--p0:#2166ac;--p1:#c8701a;--p2:#2f8f5b;--p3:#8a4fbf;"
    "--p4:#b8385e;--p5:#12908e;--p6:#7c6a1c;--p7:#5563d1}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#15171a;--ink:#e6e4df;--dim:#a3a9b1;"
    "--rule:#3a3f46;--card:#1d2024;--on:#101214;--win:#5aa7f0;--loss:#f0a04b;--p0:#5aa7f0;"
    "--p1:#f0a04b;--p2:#5cc98d;--p3:#c08cf0;--p4:#f07a9c;--p5:#4fd0cd;--p6:#d6bf55;--p7:#95a0ff}}"
    "\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 "
    "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;"
    "font-variant-numeric:tabular-nums}\n"
    "main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}"
    "h1{font-size:27px;margin:0 0 2px;overflow-wrap:anywhere;letter-spacing:-.01em}"
    "h2{font-size:19px;margin:38px 0 4px;padding-top:12px;border-top:1px solid var(--rule)}\n"
    "p{margin:4px 0 12px;max-width:78ch;overflow-wrap:anywhere}.dim,figcaption{color:var(--dim)}"
    "nav{margin:10px 0 20px}nav a{color:var(--win);margin-right:14px;text-decoration:none;"
    "white-space:nowrap}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:10px;"
    "margin:14px 0}.card{background:var(--card);border:1px solid var(--rule);border-radius:8px;"
    "padding:10px 13px}.card b{display:block;font-size:18px;font-weight:600;line-height:1.3;"
    "overflow-wrap:anywhere;text-wrap:balance}.card span{color:var(--dim);font-size:13px}\n"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,344px),1fr));"
    "gap:14px;align-items:start}figure{margin:0;background:var(--card);border:1px solid "
    "var(--rule);border-radius:8px;padding:10px 10px 6px;min-width:0}"
    "figcaption{font-size:13.5px;margin:0 0 4px 4px}svg{display:block;width:100%;height:auto}"
    ".map .scale{width:330px;max-width:100%;margin:0 0 8px}"
    ".tree{min-width:760px;max-width:1000px}.narrow{display:none}\n"
    "@media(min-width:1000px){.rated{grid-template-columns:minmax(344px,2fr) minmax(0,3fr)}}\n"
    ".t{font-size:11.5px;fill:var(--dim)}.n{font-size:11.5px;fill:var(--ink)}"
    ".v,.s{font-size:11px;text-anchor:middle;fill:var(--ink);pointer-events:none}"
    ".s{fill:var(--on)}.g{stroke:var(--rule);stroke-width:1;fill:none}"
    ".l{fill:none;stroke:var(--c);stroke-width:1.7;stroke-linejoin:round}"
    ".b{fill:var(--c);fill-opacity:.17;stroke:none}.a{fill:var(--c);fill-opacity:.8;stroke:none}"
    ".d{fill:var(--c)}.o{fill:var(--card);stroke:var(--c);stroke-width:1.6}"
    ".e{fill:none;stroke:var(--c);stroke-width:1.4;stroke-opacity:.6}"
    ".j{fill:none;stroke:var(--c);stroke-width:1.4;stroke-dasharray:4 3}.w{fill:var(--win)}"
    ".f{fill:var(--loss)}.z{fill:url(#never)}.h{stroke:var(--rule);stroke-width:2}"
    ".i{fill:var(--dim)}\n"
    ".c0{--c:var(--p0)}.c1{--c:var(--p1)}.c2{--c:var(--p2)}.c3{--c:var(--p3)}.c4{--c:var(--p4)}"
    ".c5{--c:var(--p5)}.c6{--c:var(--p6)}.c7{--c:var(--p7)}\n"
    ".legend{font-size:13px;color:var(--dim);max-width:none}"
    ".legend span{display:inline-block;margin-right:14px}"
    ".legend i{display:inline-block;width:11px;height:11px;border-radius:3px;background:var(--c);"
    "margin-right:5px;vertical-align:-1px}\n"
    "table{border-collapse:collapse;font-size:13.5px;width:100%}"
    "th{text-align:left;color:var(--dim);font-weight:500;border-bottom:1px solid var(--rule);"
    "padding:4px 10px 4px 0;white-space:nowrap}td{padding:3px 10px 3px 0;border-bottom:1px solid "
    "var(--rule);vertical-align:top;overflow-wrap:anywhere}"
    "td.r,th.r{text-align:right;white-space:nowrap}.k{white-space:nowrap}"
    "th:last-child,td:last-child{padding-right:2px}.scroll{overflow-x:auto}"
    ".film{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));"
    "gap:14px;align-items:start}pre{margin:2px 0 6px;font:11px/1.18 ui-monospace,Menlo,"
    "Consolas,'DejaVu Sans Mono',monospace;overflow-x:auto}"
    "summary{cursor:pointer;color:var(--win)}code{font:12.5px ui-monospace,Menlo,Consolas,"
    "monospace;overflow-wrap:anywhere}\n"
    "@media(max-width:520px){main{padding:20px 12px 40px}.wide{display:none}"
    ".narrow{display:inline}th,td{padding-right:7px}}\n";
/* Paper is white whatever the screen is, has no scroll bars, and is narrower: what is wide is shown
 * smaller. */
static const char print_style[] =
    "@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--dim:#444;--rule:#ccc;--on:#fff;"
    "--win:#2166ac;--loss:#c8701a;--p0:#2166ac;--p1:#c8701a;--p2:#2f8f5b;--p3:#8a4fbf;"
    "--p4:#b8385e;--p5:#12908e;--p6:#7c6a1c;--p7:#5563d1}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}"
    "nav{display:none}h2,section>p,.legend,figcaption{break-after:avoid}"
    "h2,section>p{break-inside:avoid}figure,.card,tr{break-inside:avoid}h2{margin-top:24px}"
    ".scroll{overflow:visible}.tree{min-width:0;max-width:none}.map svg{min-width:0!important}"
    ".grid{grid-template-columns:repeat(2,minmax(0,1fr))}"
    ".rated{grid-template-columns:minmax(0,1fr)}.rated svg{max-width:460px}"
    ".wide{display:table-cell}.narrow{display:none}details>*{display:block}}\n";

/* Where a text may be broken behind `at`, at the latest its end: long names may be behind their
 * parts, but not numbers behind their sign. */
static const char *part_end(const char *text, const char *at) {
  const char *end = at;
  while (*end) {
    const bool joins =
        (*end == '_' || *end == '-') && end > text && isalnum((unsigned char)end[-1]);
    end++;
    if (joins) break;
  }
  return end;
}

static void card(Bytes *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One of the boxes on top: what it is, and its value in large letters. */
static void card(Bytes *out, const char *label, const char *format, ...) {
  char text[256];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  html_put(out, "<div class=card><span>");
  html_text(out, label);
  html_put(out, "</span><b>");
  for (const char *at = text, *end; *at; at = end) {
    end = part_end(text, at);
    char part[256];
    snprintf(part, sizeof part, "%.*s", (int)(end - at), at);
    html_text(out, part);
    if (*end) html_put(out, "<wbr>");
  }
  html_put(out, "</b></div>");
}

/* Seconds as people say them. */
static const char *duration(double seconds, char *out, size_t size) {
  if (seconds < 120)
    snprintf(out, size, "%.0f s", seconds);
  else if (seconds < 7200)
    snprintf(out, size, "%.0f min", seconds / 60);
  else if (seconds < 172800)
    snprintf(out, size, "%.1f h", seconds / 3600);
  else
    snprintf(out, size, "%.1f days", seconds / 86400);
  return out;
}

/* Whether one team plays: there are no opponents, and returns are all there is to tell. */
static bool is_alone(const Report *r) {
  return r->run->settings->game.teams == 1;
}

/* How well each learning player does: its rating, or what it earns where one team plays. */
static void put_strengths(Report *r) {
  enum { MOST = 3 };
  const League *league = &r->run->league;
  const bool alone = is_alone(r);
  for (uint32_t p = 0; p < league->learning && p < MOST; p++) {
    char label[96], text[80];
    const Rated *rated = &r->strength.standing.rated[p];
    snprintf(label, sizeof label, "%s: %s", league->player[p].name, alone ? "team return" : "Elo");
    if (alone)
      report_return_text(r, p, text, sizeof text);
    else
      text_rating(rated->known, rated->bound, rated->elo, rated->low, rated->high, text,
                  sizeof text);
    card(&r->out, label, "%s", text);
  }
}

/* The strongest of each side, which are not on one scale; learning players and snapshots only. */
static void put_strongest_sides(Report *r) {
  const Standing *standing = &r->strength.standing;
  for (int side = 1; side <= SEATS; side++) {
    uint32_t best = UINT32_MAX;
    char label[64];
    char text[40];
    for (uint32_t p = 0; p < r->run->league.players; p++)
      if (standing->side[p] == side && standing_comparable(standing, p) &&
          (best == UINT32_MAX || standing->rated[p].low > standing->rated[best].low))
        best = p;
    if (best == UINT32_MAX) continue;
    snprintf(label, sizeof label, "strongest %s", standing->side_name[side - 1]);
    card(&r->out, label, "%s, %s", r->strength.games.name[standing->as[best]],
         report_strength_text(r, best, text, sizeof text));
  }
}

/* Who is strongest by its lower bound, left out where nobody can be compared. */
static void put_strongest(Report *r) {
  char text[40];
  const Standing *standing = &r->strength.standing;
  if (!standing->order || !r->strength.games.players ||
      !standing_comparable(standing, standing->order[0]))
    return;
  if (standing->side) {
    put_strongest_sides(r);
    return;
  }
  uint32_t best = report_strongest(r);
  card(&r->out, "strongest", "%s", r->strength.games.name[standing->as[best]]);
  card(&r->out, r->margins ? "its return against the Nash mixture" : "its rating", "%s",
       report_strength_text(r, best, text, sizeof text));
  if (!r->margins && standing->transitivity.explained >= 0)
    card(&r->out, "ratings explain", "%.0f %% of scores", 100 * standing->transitivity.explained);
}

/* The newest exact exploitability of each learning player that was walked. */
static void put_exploitability(Report *r) {
  const League *league = &r->run->league;
  for (size_t m = 0; m < league->learning; m++) {
    char name[96];
    snprintf(name, sizeof name, "%s/%s", league->player[m].name,
             league->player[m].side ? "best_response" : "exploitability");
    const Series *series = series_find(&r->series, name);
    if (series && series->count) card(&r->out, name, "%.4f", series->y[series->count - 1]);
  }
}

/* The boxes on top of the page. */
static void put_summary(Report *r) {
  char a[40];
  const League *league = &r->run->league;
  double seconds = 0; /* trained, up to the checkpoint */
  if (tree_find(&r->run->tree, "run/seconds") &&
      tree_get_f64(&r->run->tree, "run/seconds", &seconds) != OK)
    seconds = 0;
  html_put(&r->out, "<section id=summary><div class=cards>");
  card(&r->out, "game", "%s", r->run->settings->game.name);
  card(&r->out, "frames learned", "%s",
       text_done(r->frames, (double)r->run->settings->manager.frames, a, sizeof a));
  card(&r->out, "time trained", "%s", seconds > 0 ? duration(seconds, a, sizeof a) : "n/a");
  card(&r->out, "frames a second, mean", "%s",
       seconds > 0 && r->frames > 0 ? text_scaled(r->frames / seconds, a, sizeof a) : "n/a");
  card(&r->out, "players", "%zu learning, %zu %s", league->learning,
       league->players - league->learning, is_alone(r) ? "snapshots" : "frozen");
  put_strongest(r);
  put_strengths(r);
  put_exploitability(r);
  html_put(&r->out, "</div></section>\n");
}

/* --- curves from metrics.jsonl --- */
enum { POINTS = 240 };

/* A line in a chart. */
typedef struct Curve {
  const Series *series;
  const char *css, *label;
} Curve;

/* Reads each series twice: first for the ranges of the axes, then to draw. Nothing is drawn where
 * none has points. */
static void put_curves(Report *r, const char *title, const Curve *curve, size_t count,
                       bool from_zero, const char *format) {
  double x[POINTS];
  double y[POINTS];
  double x_low = INFINITY;
  double x_high = -INFINITY;
  double y_low = from_zero ? 0 : INFINITY;
  double y_high = -INFINITY;
  Chart chart;
  size_t shown = 0;
  for (size_t i = 0; i < count; i++) {
    size_t n = series_thin(curve[i].series, POINTS, x, y);
    shown += n > 0;
    for (size_t k = 0; k < n; k++) {
      x_low = fmin(x_low, x[k]);
      x_high = fmax(x_high, x[k]);
      y_low = fmin(y_low, y[k]);
      y_high = fmax(y_high, y[k]);
    }
  }
  if (!shown) return;
  chart_begin(&chart, &r->out, title, "frames", x_low, x_high, y_low, y_high, format);
  for (size_t i = 0; i < count; i++) {
    size_t n = series_thin(curve[i].series, POINTS, x, y);
    if (n) chart_line(&chart, x, y, n, curve[i].css, curve[i].label);
  }
  chart_end(&chart);
}

/* One chart of the same number of all learning players; `key` has a %s for the player's name. */
static void put_player_curves(Report *r, const char *title, const char *key) {
  Curve curve[64];
  size_t count = 0;
  for (size_t p = 0; p < r->run->league.learning && count < COUNT_OF(curve); p++) {
    char name[96];
    snprintf(name, sizeof name, key, r->run->league.player[p].name);
    curve[count++] =
        (Curve){series_find(&r->series, name), report_colour(p), r->run->league.player[p].name};
  }
  put_curves(r, title, curve, count, false, "%g");
}

/* The same of a number that is always 0 where an algorithm has no such thing: then it is left out.
 */
static void put_losses(Report *r, const char *title, const char *key) {
  double x[POINTS];
  double y[POINTS];
  for (size_t p = 0; p < r->run->league.learning; p++) {
    char name[96];
    snprintf(name, sizeof name, key, r->run->league.player[p].name);
    const size_t n = series_thin(series_find(&r->series, name), POINTS, x, y);
    for (size_t i = 0; i < n; i++) {
      if (!(fabs(y[i]) > 0)) continue;
      put_player_curves(r, title, key);
      return;
    }
  }
}

/* Of at most 16 players; there are eight colours, which then repeat. */
void report_legend(Report *r) {
  const char *css[16], *label[16];
  size_t n = r->run->league.learning < 16 ? r->run->league.learning : 16;
  for (size_t p = 0; p < n; p++) {
    css[p] = report_colour(p);
    label[p] = r->run->league.player[p].name;
  }
  chart_legend(&r->out, css, label, n);
}

/* Where the curriculum stood: nothing without one. */
static void put_stages(Report *r) {
  const Curve stage[] = {{series_find(&r->series, "curriculum/stage"), "c0", "stage"}};
  const Curve measure[] = {{series_find(&r->series, "curriculum/measure"), "c0", "measure"}};
  if (!stage[0].series) return;
  put_curves(r, "stage of the curriculum; the last is the task itself", stage, 1, true, "%g");
  put_curves(r, "what its promotion goes by, in training episodes of the stage", measure, 1, false,
             "%g");
}

/* Who went on as a copy of whom: the last of them. */
static void put_copies(Report *r) {
  enum { SHOWN = 24 };
  const League *league = &r->run->league;
  const size_t from = league->copies > SHOWN ? league->copies - SHOWN : 0;
  if (league->copies == 0) return;
  html_put(&r->out, "<table><tr><th>frames</th><th>player</th><th>copied</th>"
                    "<th>its chance against it</th><th>games</th><th>numbers</th></tr>");
  for (size_t i = from; i < league->copies; i++) {
    const TuneCopy *copy = &league->copy[i];
    char frames[16];
    char numbers[400];
    tune_describe(copy, numbers, sizeof numbers);
    html_put(
        &r->out, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%.3f</td><td>%.0f</td><td>%s</td></tr>",
        text_scaled((double)copy->frames, frames, sizeof frames), league->player[copy->player].name,
        league->player[copy->source].name, copy->chance, copy->games, numbers);
  }
  html_put(&r->out, "</table>");
}

/* What players learn by where that is tuned, and how it came about. */
static void put_tuned(Report *r) {
  const League *league = &r->run->league;
  if (!tune_is_on(&league->config.tune)) return;
  html_put(&r->out,
           "<section id=tuned><h2>Tuned numbers</h2><p>Each player has its own. Whoever clearly "
           "loses against another of its role goes on as a copy of it, with its numbers times "
           "%g or over it. Copies so far: %zu.</p>",
           league->config.tune.factor, league->copies);
  report_legend(r);
  html_put(&r->out, "<div class=grid>");
  for (int k = 0; k < TUNABLES; k++) {
    char key[48];
    char title[48];
    if (!tune_has(&league->config.tune, (Tunable)k)) continue;
    snprintf(key, sizeof key, "%%s/tuned/%s", tune_name((Tunable)k));
    snprintf(title, sizeof title, "learner.%s", tune_name((Tunable)k));
    put_player_curves(r, title, key);
  }
  html_put(&r->out, "</div>");
  put_copies(r);
  html_put(&r->out, "</section>\n");
}

/* What learning did to each player. */
static void put_learning(Report *r) {
  html_put(&r->out, "<section id=learning><h2>Learning</h2>");
  report_legend(r);
  html_put(&r->out, "<div class=grid>");
  put_player_curves(r, "Elo of the newest rated snapshot", "%s/rating/elo");
  put_player_curves(r,
                    is_alone(r) ? "team return in training episodes, which explore"
                                : "mean return of an episode",
                    "%s/mean_return");
  put_player_curves(r, "exploitability (NashConv / players)", "%s/exploitability");
  put_losses(r, "entropy of the policy", "%s/entropy");
  put_player_curves(r, "epsilon: share of choices at random", "%s/epsilon");
  put_player_curves(r, "noise that is added to actions", "%s/noise");
  put_losses(r, "policy loss", "%s/policy_loss");
  put_player_curves(r, "value loss", "%s/value_loss");
  put_losses(r, "KL from the policy that acted", "%s/approx_kl");
  put_player_curves(r, "gradient norm", "%s/gradient_norm");
  put_player_curves(r, "learning rate", "%s/learning_rate");
  put_player_curves(r, "messages heard in a step of a team", "%s/messages");
  put_stages(r);
  html_put(&r->out, "</div></section>\n");
}

/* What is measured of training episodes, of all players together: the game's own metrics and, where
 * what one gains is not what the others lose, how well all fare. Left out where there is nothing.
 */
static void put_measures(Report *r) {
  static const char prefix[] = "env/";
  const bool mixed = r->run->settings->game.general_sum;
  bool any = false;
  for (size_t i = 0; i < r->series.count; i++) {
    const Series *series = &r->series.series[i];
    if (strncmp(series->name, prefix, sizeof prefix - 1) != 0) continue;
    if (!any) {
      html_put(&r->out, "<section id=measures><h2>What is counted</h2><p>Means over training "
                        "episodes, whoever played them.");
      if (mixed)
        html_put(&r->out,
                 " In this game what one gains is not what the others lose: what counts is what "
                 "each earns, its own return, and how all fare together. <i>welfare</i> is the "
                 "mean of the teams' returns, <i>minimum</i> the least of them, <i>gini</i> how "
                 "unequal they are (mean absolute difference over twice the mean absolute return; "
                 "0: all alike). Who earned more has won, here and in ratings, and may be the one "
                 "who does harm to all.");
      html_put(&r->out, "</p><div class=grid>");
      if (mixed) put_player_curves(r, "own return of an episode", "%s/mean_return");
    }
    any = true;
    const Curve curve = {series, "c0", series->name + sizeof prefix - 1};
    put_curves(r, curve.label, &curve, 1, false, "%g");
  }
  if (any) html_put(&r->out, "</div></section>\n");
}

/* Speed, and what it costs: lag, waits, dropped frames. */
static void put_rates(Report *r) {
  const Curve rates[] = {
      {series_find(&r->series, "charts/SPS"), "c0", "frames learned a second"},
      {series_find(&r->series, "charts/frozen_decisions_per_second"), "c1",
       "frozen opponents' decisions"},
      {series_find(&r->series, "charts/env_steps_per_second"), "c2", "env steps"}};
  const Curve length[] = {
      {series_find(&r->series, "charts/episodic_length"), "c0", "steps an episode"}};
  const Curve players[] = {{series_find(&r->series, "league/players"), "c0", "players"}};
  const char *css[] = {"c0", "c1", "c2"};
  const char *label[] = {"frames learned", "frozen opponents' decisions",
                         "env steps; all a second"};
  html_put(&r->out, "<section id=rates><h2>Rates and lag</h2>");
  if (is_alone(r)) {
    css[1] = css[2];
    label[1] = label[2];
  }
  chart_legend(&r->out, css, label, is_alone(r) ? 2 : 3);
  html_put(&r->out, "<div class=grid>");
  put_curves(r, "rates, a second", rates, 3, true, NULL);
  put_player_curves(r, "lag: updates between acting and learning", "%s/lag");
  put_player_curves(r, "share of time in which its learner waits", "%s/waits");
  put_player_curves(r, "frames dropped as too old", "%s/dropped");
  put_curves(r, "length of episodes", length, 1, true, "%g");
  put_curves(r, "players in the league", players, 1, true, "%g");
  html_put(&r->out, "</div></section>\n");
}

/* The colour of each rule of matchmaking. */
static const char *const branch_css[BRANCH_COUNT] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6"};

/* The shares stacked from 0 to 1, each a band above those before it. x (n): frames; y
 * (BRANCH_COUNT, n): shares. */
static void put_shares(Report *r, double x[POINTS], double y[BRANCH_COUNT][POINTS], size_t n) {
  Chart chart;
  double low[POINTS] = {0}, high[POINTS];
  chart_begin(&chart, &r->out, "share of episodes", "frames", x[0], x[n - 1], 0, 1, "%g");
  for (int b = 0; b < BRANCH_COUNT; b++) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
      high[i] = fmin(low[i] + y[b][i], 1);
      most = fmax(most, y[b][i]);
    }
    if (most > 0) {
      char band[16];
      snprintf(band, sizeof band, "a %s", branch_css[b]);
      chart_band(&chart, x, low, high, n, band);
    }
    memcpy(low, high, n * sizeof *low);
  }
  chart_end(&chart);
}

/* Left out where there are fewer than two records, or a rule is missing from some (an older
 * run). */
static void put_matchmaking(Report *r) {
  static const char *const what[BRANCH_COUNT] = {
      "self-play", "PFSP over all frozen", "verification", "against the mains",
      "past self", "evaluation",           "meta-game",
  };
  static double x[BRANCH_COUNT][POINTS], y[BRANCH_COUNT][POINTS];
  size_t n = 0;
  for (int b = 0; b < BRANCH_COUNT; b++) {
    char branch[32], name[64];
    snprintf(name, sizeof name, "matchmaking/%s",
             text_choice_name(BRANCH_NAMES, b, branch, sizeof branch));
    size_t count = series_thin(series_find(&r->series, name), POINTS, x[b], y[b]);
    if (b == 0)
      n = count;
    else if (count != n)
      return;
  }
  if (n < 2) return;
  html_put(&r->out, "<section id=matchmaking><h2>Matchmaking</h2><p>Share of the episodes that "
                    "each rule chose.</p>");
  chart_legend(&r->out, branch_css, what, BRANCH_COUNT);
  html_put(&r->out, "<div class=grid>");
  put_shares(r, x[0], y, n);
  report_opponents(r);
  html_put(&r->out, "</div></section>\n");
}

/* --- configuration and versions --- */
/* Where the job that wrote config.yaml had a key from: the comment behind its line ("  # default").
 * `yaml` is what agon itself wrote: sections, and keys one level below. */
static void origin_of(const char *yaml, const char *key, char *out, size_t size) {
  char section[128] = "", full[256];
  *out = 0;
  for (const char *line = yaml; line && *line;
       line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
    size_t length = strcspn(line, "\n");
    size_t indent = strspn(line, " ");
    size_t name = strcspn(line + indent, ":\n");
    const char *comment = line + length;
    if (indent == 0) section[0] = 0;
    if (line[indent + name] != ':') continue;
    if (indent == 0 && indent + name + 1 == length) {
      snprintf(section, sizeof section, "%.*s.", (int)name, line);
      continue;
    }
    snprintf(full, sizeof full, "%s%.*s", section, (int)name, line + indent);
    if (strcmp(full, key)) continue;
    while (comment > line && strncmp(comment, "  # ", 4))
      comment--;
    if (comment > line)
      snprintf(out, size, "%.*s", (int)(line + length - comment - 4), comment + 4);
    return;
  }
}

/* One row of the table of keys; called for each key of the configuration. */
static void put_key(void *context, const char *key, const Option *option) {
  Report *r = context;
  const Config *config = r->run->settings->config;
  (void)option;
  char origin[256];
  origin_of(r->yaml ? r->yaml : "", key, origin, sizeof origin);
  html_put(&r->out, "<tr><td><code>");
  html_text(&r->out, key);
  html_put(&r->out, "</code></td><td><code>");
  html_text(&r->out, config_value(config, key) ? config_value(config, key) : "");
  html_put(&r->out, "</code></td><td class=dim>");
  html_text(&r->out, origin);
  html_put(&r->out, "</td></tr>\n");
}

/* Versions and keys: what is needed to run it again. */
static void put_configuration(Report *r) {
  char now[64];
  time_t stamp = time(NULL);
  strftime(now, sizeof now, "%Y-%m-%d %H:%M UTC", gmtime(&stamp));
  html_put(&r->out,
           "<section id=configuration><h2>Configuration and versions</h2><p>agon %s, %s. Report "
           "of checkpoint %06llu, written %s.</p><p class=dim>",
           AGON_VERSION, AGON_COMPILER, (unsigned long long)r->run->generation, now);
  const char *library[] = {transport_mpi_library(), gemm_library(), store_library()};
  for (size_t i = 0; i < COUNT_OF(library); i++) {
    html_text(&r->out, library[i]);
    html_put(&r->out, "<br>");
  }
  html_put(&r->out, "</p><details><summary>all keys, with their origins</summary><div "
                    "class=scroll><table><tr><th>key<th>value<th>origin</tr>\n");
  config_each(r->run->settings->config, put_key, r);
  html_put(&r->out, "</table></div></details></section>\n");
}

/* The page up to its heading, which the caller closes. One file without scripts or anything to
 * fetch: it can be sent by mail and opened in ten years. */
void report_head(Bytes *out, const char *title) {
  html_put(out, "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
                "content=\"width=device-width,initial-scale=1\"><meta name=color-scheme "
                "content=\"light dark\"><title>");
  html_text(out, title);
  html_put(out, " - agon</title><style>");
  bytes_put(out, style, sizeof style - 1);
  bytes_put(out, print_style, sizeof print_style - 1);
  html_put(out, "</style></head><body><main><h1>");
  html_text(out, title);
}

void report_page(Report *r, const char *title) {
  const char *episode = report_has_episode(r) ? "<a href=#episode>An episode</a> " : "";
  report_head(&r->out, title);
  if (is_alone(r)) {
    html_put(&r->out,
             "</h1><div class=dim>one team learns: what it earns, and how sure that is</div><nav>"
             "<a href=#returns>Team return</a> %s<a href=#learning>Learning</a> <a "
             "href=#rates>Rates</a> <a href=#configuration>Configuration</a></nav>\n",
             episode);
    put_summary(r);
    report_team(r);
    report_episode(r);
  } else {
    html_put(
        &r->out,
        "</h1><div class=dim>league self-play: who beats whom, who came from whom, and how sure "
        "that is</div><nav><a href=#ratings>Ratings</a> <a href=#payoff>Payoff</a> <a "
        "href=#family>Family</a> <a href=#forgotten>Forgotten</a> <a href=#matchmaking>Matchmaking"
        "</a> %s<a href=#learning>Learning</a> <a href=#rates>Rates</a> <a "
        "href=#configuration>Configuration</a></nav>\n",
        episode);
    put_summary(r);
    if (r->run->settings->game.general_sum) put_measures(r);
    report_ratings(r);
    report_payoff(r);
    report_family(r);
    report_forgotten(r);
    put_matchmaking(r);
    report_episode(r);
  }
  if (!is_alone(r) && !r->run->settings->game.general_sum) put_measures(r);
  put_learning(r);
  put_tuned(r);
  put_rates(r);
  put_configuration(r);
  html_put(&r->out, "</main></body></html>\n");
}
