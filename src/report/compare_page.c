/* The page of a comparison. */
#include "report/chart.h"
#include "report/compare.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many curves can be told apart. */
enum { COLOURS = 8 };
static const char *const colour[COLOURS] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"};

static const char *number(double value, char out[24]) {
  if (isfinite(value))
    snprintf(out, 24, "%.4g", value);
  else
    snprintf(out, 24, "n/a");
  return out;
}

/* Two digits, as more mean nothing. */
static const char *probability(double p, char out[24]) {
  if (isnan(p))
    snprintf(out, 24, "n/a");
  else if (p < 1e-4)
    snprintf(out, 24, "&lt; .0001");
  else
    snprintf(out, 24, "%.2g", p);
  return out;
}

static void put_cell(Bytes *out, double value) {
  char text[24];
  html_put(out, "<td>%s</td>", number(value, text));
}

static void put_group(Bytes *out, const Comparison *c, size_t group) {
  html_put(out, "<td style=\"text-align:left\"><code>");
  html_text(out, c->group[group].label);
  html_put(out, "</code>%s</td>", c->group[group].stage == SIZE_MAX ? "" : " (dropped by halving)");
}

static void put_summary(Bytes *out, const Comparison *c, size_t m) {
  html_put(out, "<div class=scroll><table><tr><th>configuration<th>seeds<th>mean<th>95 %%, from<th>"
                "to<th>median<th>worst<th>deviation</tr>\n");
  for (size_t i = 0; i < c->groups; i++) {
    const size_t g = c->order[m * c->groups + i];
    const SeedSummary *s = &c->summary[m * c->groups + g];
    html_put(out, "<tr>");
    put_group(out, c, g);
    html_put(out, "<td>%zu</td>", s->count);
    put_cell(out, s->count ? s->mean : NAN);
    put_cell(out, s->count ? s->low : NAN);
    put_cell(out, s->count ? s->high : NAN);
    put_cell(out, s->count ? s->median : NAN);
    put_cell(out, s->count ? (c->metric[m].falls ? s->most : s->least) : NAN);
    put_cell(out, s->count ? s->deviation : NAN);
    html_put(out, "</tr>\n");
  }
  html_put(out, "</table></div>\n");
}

/* How configurations are compared, once for all metrics. */
static void put_method(Bytes *out, const Comparison *c) {
  if (c->standing < 2) return;
  html_put(
      out,
      "<p>%s is compared by seeds where both have the same ones (Student's t of the differences, "
      "Wilcoxon's signed ranks), else as two samples (Welch's t, Mann-Whitney, exact up to 50 "
      "seeds). Behind each p, in brackets, the same after Holm's correction for all %zu "
      "comparisons of a metric.</p>",
      c->all_pairs ? "Each pair of configurations" : "Each configuration with the best one",
      c->all_pairs ? c->standing * (c->standing - 1) / 2 : c->standing - 1);
}

static void put_pairs(Bytes *out, const Comparison *c, size_t m) {
  char text[24];
  if (c->standing < 2) return;
  html_put(
      out,
      "<div class=scroll "
      "style=\"margin-top:14px\"><table><tr><th>better<th>worse<th>difference<th>95 %%, from<th>to"
      "<th>by<th>p of t<th>p of ranks</tr>\n");
  for (size_t i = 0; i < c->pairs; i++) {
    const ComparedPair *pair = &c->pair[i];
    if (pair->metric != m) continue;
    html_put(out, "<tr>");
    put_group(out, c, pair->a);
    put_group(out, c, pair->b);
    put_cell(out, pair->test.difference);
    put_cell(out, pair->test.low);
    put_cell(out, pair->test.high);
    html_put(out, "<td>%s</td><td>%s ", pair->paired ? "seeds" : "samples",
             probability(pair->test.p, text));
    html_put(out, "(%s)</td><td>", probability(pair->p_holm, text));
    html_put(out, "%s ", probability(pair->test.p_rank, text));
    html_put(out, "(%s)</td></tr>\n", probability(pair->p_rank_holm, text));
  }
  html_put(out, "</table></div>\n");
}

/* Curves of the configurations that are best by the first metric, with their intervals as bands:
 * the same ones in each chart of the page, so that a configuration keeps its colour. */
static Status put_curves(Bytes *out, const Comparison *c, size_t m) {
  Status status = OK;
  const size_t shown = c->groups < COLOURS ? c->groups : COLOURS;
  double *point = NULL; /* (shown, 4, COMPARE_POINTS): x, mean, low, high */
  size_t count[COLOURS] = {0};
  const char *label[COLOURS];
  double range[4] = {INFINITY, -INFINITY, INFINITY, -INFINITY};
  Chart chart;
  TRY(NEW_ARRAY(point, shown * 4 * COMPARE_POINTS));
  for (size_t i = 0; i < shown; i++) {
    double *at = point + i * 4 * COMPARE_POINTS;
    const size_t g = c->order[i];
    label[i] = c->group[g].label;
    TRY(compare_curve(c, m, g, at, at + COMPARE_POINTS, at + 2 * COMPARE_POINTS,
                      at + 3 * COMPARE_POINTS, &count[i]));
    for (size_t k = 0; k < count[i]; k++) {
      range[0] = fmin(range[0], at[k]);
      range[1] = fmax(range[1], at[k]);
      for (size_t row = 1; row < 4; row++) {
        const double y = at[row * COMPARE_POINTS + k];
        if (!isfinite(y)) continue;
        range[2] = fmin(range[2], y);
        range[3] = fmax(range[3], y);
      }
    }
  }
  if (!(range[0] < range[1])) goto done; /* a score has no curve */
  html_put(out, "<div class=grid style=\"grid-template-columns:minmax(min(100%%,344px),480px)\">");
  chart_begin(&chart, out, "mean over seeds, and its 95 % interval", "frames", range[0], range[1],
              range[2], range[3], fmax(fabs(range[2]), fabs(range[3])) < 1e4 ? "%g" : NULL);
  for (size_t i = 0; i < shown; i++) {
    const double *at = point + i * 4 * COMPARE_POINTS;
    const double *low = at + 2 * COMPARE_POINTS;
    if (count[i] && isfinite(low[0]))
      chart_band(&chart, at, low, low + COMPARE_POINTS, count[i], colour[i]);
  }
  for (size_t i = 0; i < shown; i++) {
    const double *at = point + i * 4 * COMPARE_POINTS;
    if (count[i]) chart_line(&chart, at, at + COMPARE_POINTS, count[i], colour[i], label[i]);
  }
  chart_end(&chart);
  html_put(out, "</div>");
  chart_legend(out, colour, label, shown);
  if (shown < c->groups) {
    html_put(out, "<p class=dim>Drawn are %zu of %zu configurations: the best by ", shown,
             c->groups);
    html_text(out, c->metric[0].name);
    html_put(out, ".</p>\n");
  }
done:
  free(point);
  return status;
}

/* What is not as one may think. */
static void put_notes(Bytes *out, const Comparison *c) {
  size_t open = 0;
  size_t dropped = 0;
  bool twice = false;
  for (size_t r = 0; r < c->runs; r++) {
    open += !c->run[r].dropped && c->run[r].frames < c->run[r].asked;
    dropped += c->run[r].dropped;
  }
  for (size_t g = 0; g < c->groups; g++)
    twice |= c->group[g].twice;
  if (open)
    html_put(out,
             "<p><b>%zu of %zu runs have not come to their end</b>: they stand with what they "
             "have so far.</p>",
             open, c->runs);
  if (dropped)
    html_put(out,
             "<p><b>%zu runs were dropped by halving</b>, and have learned for less long: their "
             "configurations stand behind the others%s.</p>",
             dropped, c->standing < c->groups ? ", and are not compared with them" : "");
  if (c->mixed_scores)
    html_put(out, "<p>Their sweeps score them by different things: the scores are left out.</p>");
  if (twice)
    html_put(out, "<p><b>Some configurations have several runs of one seed</b>: they count as "
                  "samples of their own, though in the deterministic paces they are the same.</p>");
}

static void put_runs(Bytes *out, const Comparison *c) {
  html_put(out,
           "<section id=runs><h2>Runs</h2><div class=scroll><table><tr><th>run<th>configuration"
           "<th>seed<th>frames");
  for (size_t m = 0; m < c->metrics; m++) {
    html_put(out, "<th>");
    html_text(out, c->metric[m].name);
  }
  html_put(out, "</tr>\n");
  for (size_t r = 0; r < c->runs; r++) {
    const ComparedRun *run = &c->run[r];
    html_put(out, "<tr><td style=\"text-align:left\">");
    html_text(out, run->path);
    html_put(out, "</td>");
    put_group(out, c, run->group);
    html_put(out, "<td>%lld</td><td>%.0f</td>", (long long)run->seed, run->frames);
    for (size_t m = 0; m < c->metrics; m++)
      put_cell(out, c->metric[m].value[r]);
    html_put(out, "</tr>\n");
  }
  html_put(out, "</table></div></section>\n");
}

Status compare_page(const Comparison *c, const char *title, Bytes *out) {
  report_head(out, title);
  html_put(out, "</h1><div class=dim>%zu runs, %zu configurations; a seed is a sample</div>",
           c->runs, c->groups);
  put_notes(out, c);
  html_put(out, "<p>%s", c->differs ? "They differ in " : "All runs have one configuration.");
  for (size_t i = 0; i < c->differs; i++) {
    html_put(out, "%s<code>", i ? ", " : "");
    html_text(out, c->differing[i]);
    html_put(out, "</code>");
  }
  html_put(out, "%s A curve counts by its mean over the last %g %% of its frames.</p>\n",
           c->differs ? "." : "", 100 * c->last);
  put_method(out, c);
  for (size_t m = 0; m < c->metrics; m++) {
    html_put(out, "<section><h2>");
    html_text(out, c->metric[m].name);
    html_put(out, "%s</h2>", c->metric[m].falls ? " (less is better)" : "");
    TRY_RETURN(put_curves(out, c, m));
    put_summary(out, c, m);
    put_pairs(out, c, m);
    html_put(out, "</section>\n");
  }
  put_runs(out, c);
  html_put(out, "</main></body></html>\n");
  return out->failed ? status_set(ERR_MEMORY, "out of memory writing a comparison") : OK;
}
