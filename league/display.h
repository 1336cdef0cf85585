/* What people see of a running league: status.json, records of metrics, the progress line. It reads
 * the league and keeps what is counted between two looks. Where nothing was measured it says so. */
#pragma once
#include "base/clock.h"
#include "league/curriculum.h"
#include "league/league.h"
#include "meta/social.h"
#include "meta/rating.h"
#include "metrics/metrics.h"

/* A learning player's rating: of its newest snapshot that is rated; as: that snapshot's id. */
typedef struct LearnerRating {
  uint32_t as;
  Rated rated;
} LearnerRating;

/* What a policy earned in evaluation episodes, where one team plays. Returns are told as people are
 * to see them (DisplayEnv.return_factor). */
typedef struct TeamScore {
  bool known;
  uint64_t frames; /* learned by all players together when it was evaluated */
  uint64_t episodes;
  double mean;             /* of the team's return in an episode */
  double low, high;        /* 95 % interval of the mean; NAN: cannot be told */
  double deviation;        /* of the return */
  double length;           /* mean env steps */
  double metric[MEASURES]; /* means of what is measured */
} TeamScore;

/* A player that needs no training, in the same episodes: what there is to compare with. */
typedef struct Baseline {
  const char *name;
  TeamScore score;
} Baseline;

/* What people are told of the env. */
typedef struct DisplayEnv {
  const char *game;                /* its name */
  uint32_t teams;                  /* one: players are judged by their returns alone */
  double return_factor;            /* from the mean over a team's agents to what is told; 0: 1 */
  const char *return_words;        /* what that is ("sum over 3 agents"), or NULL */
  const char *const *metric_names; /* of what is measured (play/measures.h); NULL: none has one */
  size_t metric_count;
  /* Teams meet, and what one gains is not what the others lose: what players earn is told before
   * who has won. */
  bool general_sum;
} DisplayEnv;

typedef struct DisplaySetup {
  const League *league;         /* borrowed */
  const Curriculum *curriculum; /* borrowed; NULL: none */
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
  const MetricsAbout *about; /* for sinks of metrics; borrowed by display_create alone; or NULL */
  /* More numbers for a record of metrics; may be NULL. */
  Status (*observe)(void *context, uint64_t frames, Record *record);
  /* Ratings of the learning players, from evaluation games; may be NULL. Its cost grows with the
   * players: it is called at most once a record, and so seldom that it takes 2 % of the time; and
   * at the end of a job. */
  Status (*rate)(void *context, LearnerRating *out);
  /* Evaluation episodes of the learning players' greedy policies, where one team plays; may be
   * NULL. Called at most once a record, so seldom that it takes 5 % of the time, and at the end of
   * a job. *baseline: what others earn there; stays valid. */
  Status (*evaluate)(void *context, uint64_t frames, TeamScore *out, const Baseline **baseline,
                     size_t *baselines);
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
  double seconds; /* trained, all jobs together */
  double unsaved; /* seconds for which a checkpoint or a snapshot could not be written; 0: none */
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
const TeamScore *display_scores(const Display *display);      /* (learning) the last */
const Baseline *display_baselines(const Display *display, size_t *count);
/* "-23.42 [-24.01, -22.83]", without an interval where there is none; "n/a". */
const char *display_score_text(const TeamScore *score, char *out, size_t size);
/* "collisions 1.33, occupied 0.04": the env's metrics by their names, as many as fit; "" without
 * names. */
const char *display_metrics_text(const DisplayEnv *env, const double *metric, char *out,
                                 size_t size);
Status display_status(Display *display, const Progress *now, const char *state);
Status display_metrics(Display *display, const Progress *now);
void display_line(Display *display, const Progress *now);
/* A learning player's whole training episodes at home of late: since the record of metrics before
 * the last one. */
Tally display_returns(const Display *display, uint32_t player);
/* "+1.25, deviation 0.40, 312 episodes", or "n/a". */
const char *display_returns_text(const Tally *tally, char *out, size_t size);
