/* The league role: sole writer of the run folder. A state machine like the other roles: it completes one tick after
 * another, over parts that each own their state: who is in (members.h), the tables that are played by (timetable.h),
 * frozen policies (library.h), the open cut (checkpoint.h), and what people see (monitor.h). */
#pragma once
#include "base/clock.h"
#include "league/display.h"
#include "league/league.h"
#include "league/members.h"
#include "metrics/metrics.h"
#include "transport/transport.h"

typedef struct ManagerConfig {
  int64_t frames; /* learned, over all players */
  double max_seconds;
  double checkpoint_seconds;
  int64_t checkpoint_ticks; /* 0 = by time only */
  int64_t keep;
  double metrics_seconds, progress_seconds;
  int64_t exploitability; /* frames between exact walks of the mains' policies; 0 = never */
} ManagerConfig;

typedef struct ManagerSetup {
  ManagerConfig config;
  LeagueConfig league;
  int pace; /* lockstep, pipelined, free */
  uint64_t seed;
  double return_low;
  double return_high;
  size_t block; /* floats of a policy */
  /* initial policy of a learning player, for the first snapshots */
  void (*initial)(void *context, uint32_t player, float *block);
  void *context;
  const Tree *header; /* written into every player file and checkpoint: configuration, layers, versions */
  RunFolder *run;
  const Tree *resume;  /* a checkpoint to go on from, or NULL */
  uint64_t generation; /* of that checkpoint */
  Transport *transport;
  Clock clock;
  MembersSetup members;
  /* ERR_FORMAT unless a learner could go on from a player's state: what is written can be resumed. May be NULL. */
  Status (*check_state)(void *context, const Tree *state);
  /* More numbers for a record of metrics; may be NULL. */
  Status (*observe)(void *context, uint64_t frames, Record *record);
  Status (*rate)(void *context, LearnerRating *out); /* ratings for the display; may be NULL */
  Status (*end)(void *context);                      /* the run has come to its end, all of it is saved; may be NULL */
  const char *game;                                  /* name of the env */
  uint32_t teams;
  const char *const *metric_names; /* of the env; NULL: they have none */
  size_t metric_count;
} ManagerSetup;

typedef struct ManagerSummary {
  uint64_t ticks, frames, frames_this_job, frozen_decisions, steps, episodes;
  double seconds, seconds_before;
  const char *reason; /* why it ended */
  const RoleProfile *profile;
  size_t profiles;
  const League *league;
  const LearnerRating *rating; /* (learning) */
  uint64_t generation;
  double checkpoint_seconds;
} ManagerSummary;

typedef struct Manager Manager;
Status manager_create(const ManagerSetup *setup, Manager **out);
void manager_destroy(Manager *manager);
Status manager_receive(Manager *manager, WireKind kind, const Message *message, Reader *body);
Status manager_step(Manager *manager, bool *progress);
void manager_request_stop(Manager *manager, const char *reason); /* save, then end */
bool manager_done(const Manager *manager);
League *manager_league(Manager *manager); /* borrowed; to be changed only before the first step (benchmarks) */
ManagerSummary manager_summary(const Manager *manager);
