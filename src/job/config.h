/* All configuration of a run in one place: the sections, where they are declared, and how they are
 * filled. */
#pragma once
#include "actors/options.h"
#include "job/facts.h"
#include "job/topology.h"
#include "config/config.h"
#include "env/stages.h"
#include "league/manager.h"
#include "league/roster.h"
#include "learner/algos/algo.h"
#include "learner/rehearsal.h"
#include "nn/net.h"
#include "play/measures.h"
#include "play/rewards.h"

enum { PLACE_AUTO, PLACE_SPLIT, PLACE_SHARED };
enum { RETURNS_MEAN, RETURNS_SUM };

typedef struct RunConfig {
  char game[OPTION_TEXT];
  int64_t seed;
  int pace;
  int placement;
  int precision;
  char kernels[OPTION_TEXT];
  int returns; /* RETURNS_MEAN, RETURNS_SUM */
} RunConfig;

typedef struct JobConfig {
  Config *config;
  RunConfig run;
  ManagerConfig manager;
  NetConfig net;
  ActorConfig actors;
  LearnConfig learner;
  ReplayConfig replay;
  RewardsConfig rewards;
  LeagueConfig league;
  Roster roster; /* who learns: of a new run; whoever goes on with one takes its checkpoint's */
  /* (roster.count) what learners and the league's rules are for each; NULL: the same for all */
  LearnConfig *learner_of;
  LeagueConfig *rules_of;
  LeagueGuest
      *guest; /* (guests) from outside, as league.guests names them; without hashes, until ... */
  bool *guest_trusted; /* ... job/guests.h looks at them; (guests) its program may be started */
  size_t guests;
  Stages stages;
  void *algo_config; /* of the chosen algorithm */
  void **algo_store; /* of every algorithm, in the order of the table */
  const AlgoOps *algo;
  GameFacts game;
  ReturnTold told;      /* how the returns of its team are told */
  Measures measures;    /* of its episodes; where the env is open */
  const AgonEnv *table; /* NULL, as is env: the game is known by its facts alone */
  Option *env_options;
  Env *env;
  uint32_t *agent_of; /* (agents, cells) where experience is of whole teams; else NULL */
} JobConfig;

/* Where the values come from, weakest first. Texts may be NULL. */
typedef struct JobConfigSource {
  const char *stored; /* YAML of a checkpoint */
  const char *game;   /* built-in name or plug-in path */
  const char *file;   /* YAML file */
  const char *const *overrides;
  size_t override_count;
  const char *preset; /* league preset that replaces league.preset */
  /* Of a plug-in: its code is then neither looked for nor opened; NULL: not known. */
  const GameFacts *facts;
  /* What the file of `stored` says of its game: a plug-in is looked for by it, and refused where it
   * is another one (plugin.h); NULL: nothing is known. */
  const GameFacts *recorded;
  /* Builds that were taken for the same game by whoever names the file; NULL: none. */
  const char *accepted;
  const char *where; /* that file or run, for messages; NULL: "the stored run" */
  /* `stored` is this job's own, not a file's: the plug-in that it names may be opened. */
  bool trusted;
} JobConfigSource;

Status job_config_create(const JobConfigSource *source, JobConfig **out);
/* Takes another roster, and what it says of each player; *from is then empty. ERR_MEMORY, and
 * ERR_USAGE as players_settle. */
Status job_config_take_roster(JobConfig *settings, Roster *from);
/* Which rank does what in a job of `size` ranks. */
Status job_config_topology(const JobConfig *settings, int size, Topology *out);
/* How wide the experience is that actors record of this env, for this network and algorithm. Heads
 * are borrowed from the env, and who is in which cell from `settings`. Whatever an algorithm's
 * needs add to a row is added here. */
RowFormat job_config_format(const JobConfig *settings, const Net *net);
/* The algorithm with its parts, for this network; the caller's to destroy, before the settings and
 * the network. */
Status job_config_algo(const JobConfig *settings, const Net *net, Algo **out);
/* How experience is kept; NULL where the algorithm learns from it once. Borrowed. */
const ReplayConfig *job_config_replay(const JobConfig *settings);
size_t job_config_training_slots(const JobConfig *settings); /* slots that are learned from */
/* Seats of a slot that one player takes, one time or another: those of all teams, or, where sides
 * are separate, the one of its side. */
size_t job_config_seats(const JobConfig *settings);
/* Rows that an episode can have, or a piece of one where experience is kept. */
size_t job_config_item_rows(const JobConfig *settings);
/* GAME, or FILE.yaml: sets source->game or source->file. */
void job_config_name(const char *text, JobConfigSource *source);
void job_config_destroy(JobConfig *settings);
/* What other programs call a key, one by one; NULL past the end. */
const ConfigAlias *job_config_alias(size_t index);
/* Declares every section except env.* (which depends on the game). */
Status job_config_declare(JobConfig *settings);
/* Writes config.yaml into the run's folder: every key, and where its value comes from. */
Status job_config_write(const JobConfig *settings, const RunFolder *run);
/* YAML. The caller frees *out, on failure too. */
Status job_config_text(const JobConfig *settings, bool with_origin, char **out);
