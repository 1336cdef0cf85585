/* agon compare: several runs side by side, over seeds. */
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "nn/kernels/openblas.h"
#include "report/compare.h"
#include "run/words.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_compare;

static const Flag flags[] = {
    {"--metric", "A,B,...",
     "names of metrics.jsonl, or score of a sweep's runs (default: of score, team return, Elo, "
     "exploitability and mean return what all runs have)"},
    {"--less", NULL, "--metric: less is better (exploitability and losses are known to be so)"},
    {"--last", "SHARE", "a curve counts by its mean over so much of its end (default 0.1)"},
    {"--out", "FILE", "where the page is written (default compare.html; none: nowhere)"},
    {"--title", "TEXT", "its heading (default: comparison)"},
    {"--json", NULL, "print JSON instead of tables"},
};

static const char *cell(double value, char out[24]) {
  if (isfinite(value))
    snprintf(out, 24, "%.4g", value);
  else
    snprintf(out, 24, "n/a");
  return out;
}

static const char *probability(double p, char out[24]) {
  if (isnan(p))
    snprintf(out, 24, "n/a");
  else
    snprintf(out, 24, p < 1e-4 ? "<.0001" : "%.2g", p);
  return out;
}

static void print_summary(const Comparison *c, size_t m) {
  char text[5][24];
  char interval[64];
  printf("\n%s%s\n%5s %10s  %-24s %10s %10s\n", c->metric[m].name,
         c->metric[m].falls ? " (less is better)" : "", "seeds", "mean", "95 % interval", "median",
         "worst");
  for (size_t i = 0; i < c->groups; i++) {
    const size_t g = c->order[m * c->groups + i];
    const SeedSummary *s = &c->summary[m * c->groups + g];
    const bool any = s->count > 0;
    snprintf(interval, sizeof interval, "[%s, %s]", cell(any ? s->low : NAN, text[0]),
             cell(any ? s->high : NAN, text[1]));
    printf("%5zu %10s  %-24s %10s %10s  %s%s\n", s->count, cell(any ? s->mean : NAN, text[2]),
           interval, cell(any ? s->median : NAN, text[3]),
           cell(any ? (c->metric[m].falls ? s->most : s->least) : NAN, text[4]), c->group[g].label,
           c->group[g].stage == SIZE_MAX ? "" : "  (dropped by halving)");
  }
}

static void print_pairs(const Comparison *c, size_t m) {
  char text[7][24];
  if (c->standing < 2) return;
  printf("differences (p of t, p of ranks; in brackets after Holm's correction)\n");
  for (size_t i = 0; i < c->pairs; i++) {
    const ComparedPair *pair = &c->pair[i];
    if (pair->metric != m) continue;
    printf("  %s [%s, %s]  p %s (%s), %s (%s), by %s: %s over %s\n",
           cell(pair->test.difference, text[0]), cell(pair->test.low, text[1]),
           cell(pair->test.high, text[2]), probability(pair->test.p, text[3]),
           probability(pair->p_holm, text[4]), probability(pair->test.p_rank, text[5]),
           probability(pair->p_rank_holm, text[6]), pair->paired ? "seeds" : "samples",
           c->group[pair->a].label, c->group[pair->b].label);
  }
}

static void print_text(const Comparison *c) {
  size_t open = 0;
  size_t dropped = 0;
  printf("%zu runs, %zu configurations", c->runs, c->groups);
  for (size_t i = 0; i < c->differs; i++)
    printf("%s%s", i ? ", " : ", which differ in ", c->differing[i]);
  printf("\n");
  for (size_t r = 0; r < c->runs; r++) {
    open += !c->run[r].dropped && c->run[r].frames < c->run[r].asked;
    dropped += c->run[r].dropped;
  }
  if (open)
    printf("%zu runs have not come to their end: they stand with what they have so far\n", open);
  if (dropped)
    printf("%zu runs were dropped by halving, and have learned for less long: their configurations "
           "stand behind the others%s\n",
           dropped, c->standing < c->groups ? ", and are not compared with them" : "");
  if (c->mixed_scores) printf("their scores are of different kinds, and are left out\n");
  for (size_t g = 0; g < c->groups; g++)
    if (c->group[g].twice)
      printf("several runs of one seed, each taken as a sample of its own: %s\n",
             c->group[g].label);
  for (size_t m = 0; m < c->metrics; m++) {
    print_summary(c, m);
    print_pairs(c, m);
  }
}

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_metric(const Comparison *c, size_t m) {
  json_t *groups = json_array();
  json_t *pairs = json_array();
  for (size_t i = 0; i < c->groups; i++) {
    const size_t g = c->order[m * c->groups + i];
    const SeedSummary *s = &c->summary[m * c->groups + g];
    const double none = s->count ? 0 : NAN;
    json_array_append_new(
        groups, json_pack("{s:o,s:b,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "configuration",
                          json_words(c->group[g].label), "dropped", c->group[g].stage != SIZE_MAX,
                          "seeds", (json_int_t)s->count, "mean", number(s->mean + none), "low",
                          number(s->low + none), "high", number(s->high + none), "deviation",
                          number(s->deviation + none), "median", number(s->median + none), "worst",
                          number((c->metric[m].falls ? s->most : s->least) + none)));
  }
  for (size_t i = 0; i < c->pairs; i++) {
    const ComparedPair *p = &c->pair[i];
    if (p->metric != m) continue;
    json_array_append_new(pairs,
                          json_pack("{s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "better",
                                    json_words(c->group[p->a].label), "worse",
                                    json_words(c->group[p->b].label), "paired", p->paired,
                                    "difference", number(p->test.difference), "low",
                                    number(p->test.low), "high", number(p->test.high), "t",
                                    number(p->test.t), "freedom", number(p->test.freedom), "p",
                                    number(p->test.p), "p_holm", number(p->p_holm), "p_rank",
                                    number(p->test.p_rank), "p_rank_holm", number(p->p_rank_holm)));
  }
  return json_pack("{s:s,s:b,s:o,s:o}", "metric", c->metric[m].name, "less_is_better",
                   c->metric[m].falls, "configurations", groups, "comparisons", pairs);
}

static Status print_json(const Comparison *c) {
  json_t *differing = json_array();
  json_t *metrics = json_array();
  json_t *runs = json_array();
  for (size_t i = 0; i < c->differs; i++)
    json_array_append_new(differing, json_string(c->differing[i]));
  for (size_t m = 0; m < c->metrics; m++)
    json_array_append_new(metrics, json_metric(c, m));
  for (size_t r = 0; r < c->runs; r++) {
    json_t *values = json_object();
    for (size_t m = 0; m < c->metrics; m++)
      json_object_set_new(values, c->metric[m].name, number(c->metric[m].value[r]));
    json_array_append_new(runs,
                          json_pack("{s:o,s:o,s:I,s:f,s:b,s:o}", "run", json_words(c->run[r].path),
                                    "configuration", json_words(c->group[c->run[r].group].label),
                                    "seed", (json_int_t)c->run[r].seed, "frames", c->run[r].frames,
                                    "dropped", c->run[r].dropped, "values", values));
  }
  json_t *root = json_pack("{s:o,s:b,s:o,s:o}", "differing", differing, "all_pairs", c->all_pairs,
                           "metrics", metrics, "runs", runs);
  char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(root);
  if (!text) return status_set(ERR_MEMORY, "out of memory printing a comparison");
  printf("%s\n", text);
  free(text);
  return OK;
}

static Status run_compare(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  Comparison comparison = {0};
  Bytes page = {0};
  double last;
  TRY(arguments_parse(&command_compare, argc, argv, &arguments));
  TRY(argument_float(&command_compare, &arguments, "--last", 0.1, 0, 1, &last));
  if (!arguments.words)
    TRY(usage_error(&command_compare, "which runs? their folders, or a sweep's, are needed"));
  const char *metric = argument(&command_compare, &arguments, "--metric");
  const bool falls = argument(&command_compare, &arguments, "--less") != NULL;
  const bool json = argument(&command_compare, &arguments, "--json") != NULL;
  const char *out = argument(&command_compare, &arguments, "--out");
  const char *title = argument(&command_compare, &arguments, "--title");
  if (falls && !metric) TRY(usage_error(&command_compare, "--less is for --metric"));
  if (!out) out = "compare.html";
  gemm_set_threads(1);
  const CompareRequest request = {
      .run = arguments.word,
      .runs = arguments.words,
      .metrics = metric,
      .falls = falls,
      .last = last,
  };
  TRY(compare_load(&request, &comparison));
  if (strcmp(out, "none")) {
    TRY(compare_page(&comparison, title ? title : "comparison", &page));
    TRY(file_write_whole(out, page.data, page.size));
  }
  if (json)
    TRY(print_json(&comparison));
  else {
    print_text(&comparison);
    if (page.size) printf("\n%s: %.0f kB\n", out, (double)page.size / 1000);
  }
done:
  bytes_free(&page);
  compare_free(&comparison);
  return status;
}

const Command command_compare = {
    "compare",
    "RUN... [--metric A,B] [--out FILE.html] [--json]",
    "runs side by side, grouped by configuration: means over seeds, intervals, significance",
    "Which keys differ is found by itself; runs that differ in nothing but the seed are one "
    "configuration. A sweep's folder stands for all of its runs; those that halving has dropped "
    "have "
    "learned for less long, stand behind the others and are not compared with them.\n"
    "A seed is a sample: the 95 % interval of a mean is Student's t. Two configurations are "
    "compared by seeds where both have the same ones (Student's t of the differences, Wilcoxon's "
    "signed ranks), else as two samples (Welch's t, Mann-Whitney); p values stand as they are and, "
    "in brackets, after Holm's correction for all comparisons of the metric: each pair of up to "
    "six configurations, of more each with the best. That one was chosen because it was best: "
    "its lead is overstated, and a few seeds more of the leading ones tell. By ranks five seeds "
    "cannot do better than p = .0625 (by seeds) or .008 (as samples).\n"
    "It reads the newest checkpoints and metrics.jsonl; running jobs are not disturbed.",
    flags,
    COUNT_OF(flags),
    run_compare,
};
