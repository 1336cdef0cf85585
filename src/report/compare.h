/* Several runs side by side: grouped by configuration, over seeds. */
#pragma once
#include "base/bytes.h"
#include "meta/seeds.h"
#include "run/series.h"

#include <stdbool.h>
#include <stdint.h>

enum { COMPARE_POINTS = 120 };

/* One run, as far as it is compared. */
typedef struct ComparedRun {
  char *path;
  char **key, **value; /* (keys) of its configuration, in the order of the table of keys */
  size_t keys;
  SeriesSet series; /* those that are compared */
  int64_t seed;
  double frames;  /* learned */
  double asked;   /* that it is to learn */
  double score;   /* by the sweep that it is of; NAN */
  char *score_is; /* what that is, in the sweep's words; NULL where there is none */
  bool score_falls;
  size_t rungs; /* of successive halving, that it was scored at */
  bool dropped; /* at the last of them */
  size_t group;
} ComparedRun;

/* One number of all runs. */
typedef struct ComparedMetric {
  char name[64];
  bool falls;    /* less is better */
  double *value; /* (runs) what a run has come to; NAN where it has no such number */
} ComparedMetric;

typedef struct ComparedGroup {
  char *label; /* the keys that differ, with this group's values */
  size_t runs;
  bool twice; /* two of its runs have one seed */
  /* SIZE_MAX: it goes its whole way; else halving has dropped it after so many rungs: it has
   * learned for less long than others, and is not compared with them */
  size_t stage;
} ComparedGroup;

/* A difference of two groups, by one metric. */
typedef struct ComparedPair {
  size_t metric, a, b;
  bool paired; /* by seeds, which are the same in both */
  SeedTest test;
  double p_holm, p_rank_holm; /* corrected for all pairs of the metric */
} ComparedPair;

typedef struct Comparison {
  ComparedRun *run;
  size_t runs;
  char **differing; /* (differs) keys; borrowed of the first run */
  size_t differs;
  ComparedGroup *group;
  size_t groups;
  ComparedMetric *metric;
  size_t metrics;
  SeedSummary *summary; /* (metrics, groups); count 0: nothing known */
  size_t *order;        /* (metrics, groups) of the highest stage first, of one stage the best */
  ComparedPair *pair;
  size_t pairs;
  size_t standing;   /* groups of the highest stage: those that are compared in pairs */
  bool all_pairs;    /* of these; else each against the best */
  bool mixed_scores; /* they are of several kinds, and so left out */
  double last;       /* share of a curve at its end that makes a run's number */
} Comparison;

typedef struct CompareRequest {
  const char *const *run; /* folders of runs, or of sweeps */
  size_t runs;
  const char *metrics; /* comma-separated names, or NULL: what suits the runs */
  bool falls;          /* of metrics that are named: less is better */
  double last;
} CompareRequest;

/* Reads the runs and compares them. *out is the caller's (compare_free), on failure too. ERR_USAGE:
 * fewer than two runs, of different games, or without a metric in common; codes of
 * run_view_look. */
Status compare_load(const CompareRequest *request, Comparison *out);
void compare_free(Comparison *comparison);
/* One self-contained HTML page into `out`. */
Status compare_page(const Comparison *comparison, const char *title, Bytes *out);
/* The mean of a group's curves of one metric and its 95 % interval over seeds (Student's t), at up
 * to COMPARE_POINTS places that all of them have; returns how many, 0 where there is no curve. With
 * one run low and high are NAN. ERR_MEMORY. */
Status compare_curve(const Comparison *comparison, size_t metric, size_t group, double *x,
                     double *mean, double *low, double *high, size_t *count);
