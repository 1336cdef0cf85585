/* The league role: sole writer of the run folder. A state machine like the other roles: it
 * completes one tick after another, over parts that each own their state: who is in (members.h),
 * the tables that are played by (timetable.h), frozen policies (library.h), the open cut
 * (checkpoint.h), and what people see (monitor.h). */
#pragma once
#include "league/display.h"
#include "league/league.h"
#include "league/members.h"
#include "metrics/metrics.h"
#include "role/role.h"

typedef struct ManagerConfig {
  int64_t frames; /* learned, over all players */
  double max_seconds;
  int64_t job_frames; /* of the run, at which this job saves and ends; 0 = it goes on */
  double checkpoint_seconds;
  int64_t checkpoint_ticks; /* 0 = by time only */
  double patience;          /* seconds for which it is tried again to write one */
  int64_t keep;
  double metrics_seconds;
  double progress_seconds;
  int64_t exploitability;      /* frames between exact walks of the mains' policies; 0 = never */
  int64_t evaluation_episodes; /* of the greedy policy at a time, where one team plays; 0 = none */
} ManagerConfig;

/* What the league asks of others: of nets, learners and games it knows nothing itself. */
typedef struct ManagerHooks {
  void *context;
  /* Initial policy of a learning player, for the first snapshots. */
  void (*initial)(void *context, uint32_t player, float *block);
  /* ERR_FORMAT unless a learner could go on from a player's state: what is written can be resumed.
   * May be NULL, as the others below. */
  Status (*check_state)(void *context, const Tree *state);
  /* More numbers for a record of metrics. */
  Status (*observe)(void *context, uint64_t frames, Record *record);
  /* Ratings for the display. */
  Status (*rate)(void *context, LearnerRating *out);
  /* Evaluation episodes for the display, where one team plays (DisplaySetup.evaluate). */
  Status (*evaluate)(void *context, uint64_t frames, TeamScore *out, const Baseline **baseline,
                     size_t *baselines);
  /* The run has come to its end, all of it is saved. */
  Status (*end)(void *context);
} ManagerHooks;

typedef struct ManagerSetup {
  RoleContext role;
  ManagerConfig config;
  LeagueConfig league;
  const LeagueConfig *rules; /* (learning players) of each, borrowed; NULL: those of all */
  const LeagueGuest
      *guest; /* (guests) who sit in a new league, borrowed; a checkpoint has its own */
  size_t guests;
  CurriculumRule curriculum;
  ManagerHooks hooks;
  MembersSetup members;
  DisplayEnv env;
  double return_low; /* of the env's rewards */
  double return_high;
  const MetricsAbout *about; /* what metrics are of; borrowed by manager_create alone; or NULL */
  RunFolder *run;            /* this and the trees are borrowed */
  const Tree *header;  /* written into every player file and checkpoint: configuration, layers,
                          versions */
  Tree *resume;        /* a checkpoint to go on from (checkpoint_restore), or NULL */
  uint64_t generation; /* of that checkpoint */
} ManagerSetup;

typedef struct ManagerSummary {
  uint64_t ticks;
  uint64_t frames;
  uint64_t frames_this_job;
  uint64_t frozen_decisions;
  uint64_t steps;
  uint64_t episodes;
  double seconds;
  double seconds_before;
  const char *reason; /* why it ended */
  const RoleProfile *profile;
  size_t profiles;
  const League *league;
  const LearnerRating *rating; /* (learning) */
  const TeamScore *score;      /* (learning) */
  const Baseline *baseline;
  size_t baselines;
  uint64_t generation;
  double checkpoint_seconds;
} ManagerSummary;

typedef struct Manager Manager;
/* Reads or begins the league, and writes the first snapshots of a new one. On failure nothing is
 * left; what `setup` borrows stays the caller's. */
Status manager_create(const ManagerSetup *setup, Manager **out);
void manager_destroy(Manager *manager);
/* Takes one message of the kinds that go to the league. The message stays the caller's. ERR_FORMAT:
 * its sender cannot mean it. */
Status manager_receive(Manager *manager, WireKind kind, const Message *message, Reader *body);
/* Does what can be done without waiting; *progress: there was something. */
Status manager_step(Manager *manager, bool *progress);
void manager_request_stop(Manager *manager, const char *reason); /* save, then end */
bool manager_done(const Manager *manager);
/* Borrowed; to be changed only before the first step (benchmarks). */
League *manager_league(Manager *manager);
/* Why a guest has failed, after which the job has saved and ended; "": none has. */
const char *manager_fault(const Manager *manager);
ManagerSummary manager_summary(const Manager *manager);
