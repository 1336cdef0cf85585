/* What people see of a running league: status.json, records of metrics, the progress line. It reads
 * the league and keeps what is counted between two looks. Where nothing was measured it says so. */
#pragma once
#include "base/clock.h"
#include "league/league.h"
#include "meta/rating.h"
#include "metrics/metrics.h"

/* A learning player's rating: of its newest snapshot that is rated; as: that snapshot's id. */
typedef struct LearnerRating {
  uint32_t as;
  Rated rated;
} LearnerRating;

/* What people are told of the env. */
typedef struct DisplayEnv {
  const char *game;                /* its name */
  uint32_t teams;                  /* one: players are judged by their returns alone */
  const char *const *metric_names; /* NULL: they have none */
  size_t metric_count;
} DisplayEnv;

typedef struct DisplaySetup {
  const League *league; /* borrowed */
  RunFolder *run;
  Clock clock;
  DisplayEnv env;
  uint64_t frames_target;
  /* Seconds between looks: rates are not measured over much less. */
  double metrics_seconds;
  double progress_seconds;
  size_t actors;
  size_t learners;
  bool resumed;
  /* More numbers for a record of metrics; may be NULL. */
  Status (*observe)(void *context, uint64_t frames, Record *record);
  /* Ratings of the learning players, from evaluation games; may be NULL. Its cost grows with the
   * players: it is called at most once a record, and so seldom that it takes 2 % of the time; and
   * at the end of a job. */
  Status (*rate)(void *context, LearnerRating *out);
  void *context;
} DisplaySetup;

/* How far the run is. */
typedef struct Progress {
  uint64_t tick;
  uint64_t frames;
  uint64_t frozen_decisions;
  uint64_t steps;
  uint64_t episodes;
  uint64_t generation;
  double seconds;    /* trained, all jobs together */
  size_t unmeasured; /* past players left out of the last table's meta-game */
  const char *reason;
  const Numbers *report;   /* (learning) the learners' last */
  const uint64_t *dropped; /* (learning) frames */
} Progress;

typedef struct Display Display;
/* begin: where this job begins: rates are of what comes after it. */
Status display_create(const DisplaySetup *setup, const Progress *begin, Display **out);
void display_destroy(Display *display);
void display_count(Display *display, const Results *results);
bool display_metrics_due(const Display *display);
bool display_line_due(const Display *display);
/* The end of a job: everything is said once more, with ratings that are those of the last
 * checkpoint. */
Status display_finish(Display *display, const Progress *now, const char *state);
const LearnerRating *display_ratings(const Display *display); /* (learning) the last */
Status display_status(Display *display, const Progress *now, const char *state);
Status display_metrics(Display *display, const Progress *now);
void display_line(Display *display, const Progress *now);
/* A learning player's whole training episodes at home of late: since the record of metrics before
 * the last one. */
Tally display_returns(const Display *display, uint32_t player);
/* "+1.25, deviation 0.40, 312 episodes", or "n/a". */
const char *display_returns_text(const Tally *tally, char *out, size_t size);
