#include "job/about.h"
#include "job/rank.h"

#include "actors/actor.h"
#include "actors/lanes.h"
#include "base/doing.h"
#include "base/log.h"
#include "base/text.h"
#include "job/end_games.h"
#include "job/evaluation.h"
#include "job/strength.h"
#include "job/exploitability.h"
#include "learner/columns.h"
#include "league/edit.h"
#include "learner/learner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Rank {
  RankSetup setup;
  SteadyClock clock; /* below that of the roles */
  Net *net;
  Algo *algo;
  Actor *actor;
  Learner *learner;
  Manager *manager;
  ExploitabilityTracker *tracker;
  Evaluation *evaluation; /* NULL: not this rank's, or none is wanted */
  int64_t idle;
  bool rate_failed;  /* and said so */
  Heritage heritage; /* whom lives begin as */
  bool inherits;
  Teacher **teacher;          /* (sources) of those that teach */
  const Teacher **teacher_of; /* (learning players) */
  /* lists that the roles borrow */
  int *member_rank;
  int *fed_rank;
  size_t *fed_member; /* (actors) which member of each group it feeds */
  double *life;
  void *const *shared;
  int learner_below[TREE_FAN_OUT];
  int weights_below[TREE_FAN_OUT];
  int tables_below[TREE_FAN_OUT];
  int actor_tables_below[TREE_FAN_OUT];
};

/* What all roles of this rank live on. */
static RoleContext role_of(const Rank *self) {
  const JobConfig *s = self->setup.settings;
  return (RoleContext){
      .pace = (Pace)s->run.pace,
      .seed = (uint64_t)s->run.seed,
      .transport = self->setup.transport,
      .clock = self->setup.clock,
      .net = self->net,
      .format = job_config_format(s, self->net),
      .learning_players = s->roster.count,
      .idle = &self->idle,
  };
}

/* What the first snapshots hold: the policy that the rank was given (target), else initial weights
 * by the seed. */
static void initial_policy(void *context, uint32_t player, float *block) {
  const Rank *self = context;
  if (self->setup.target) {
    memcpy(block, self->setup.target, self->net->block * sizeof(float));
    return;
  }
  net_init(self->net, (uint64_t)self->setup.settings->run.seed, player, block);
  if (self->inherits) inherit_layers(&self->heritage.from, block);
}

/* The mains that this rank learns. */
static Status observe(void *context, uint64_t frames, Record *record) {
  Rank *self = context;
  ManagerSummary now = manager_summary(self->manager);
  if (!self->learner || !tracker_due(self->tracker, frames)) return OK;
  for (uint32_t p = 0; p < now.league->learning; p++) {
    const float *block = learner_policy(self->learner, p);
    if (!block || now.league->player[p].role != ROLE_MAIN) continue;
    TRY_RETURN(tracker_add(self->tracker, now.league->player[p].name, now.league->player[p].side,
                           block, self->net->block, record));
  }
  tracker_done(self->tracker, frames);
  return OK;
}

/* Ratings of the learning players: none where they cannot be had, which is no reason to end a
 * job. */
static Status rate(void *context, LearnerRating *out) {
  Rank *self = context;
  const RankSetup *setup = &self->setup;
  ManagerSummary now = manager_summary(self->manager);
  StrengthOptions options = {.prior = STRENGTH_PRIOR, .ratings_only = true};
  Strength strength;
  for (size_t p = 0; p < now.league->learning; p++)
    out[p] = (LearnerRating){.as = (uint32_t)p};
  Status status = strength_create(now.league, setup->settings, setup->run, &options, &strength);
  if (status == ERR_MEMORY) return status;
  if (status != OK) {
    if (!self->rate_failed) log_warning("no ratings: %s", status_message());
    self->rate_failed = true;
    return OK;
  }
  strength_of_learners(&strength, now.league, out);
  strength_destroy(&strength);
  return OK;
}

/* The learning players that this rank learns, and what there is to compare them with. */
static Status evaluate(void *context, uint64_t frames, TeamScore *out, const Baseline **baseline,
                       size_t *baselines) {
  const Rank *self = context;
  ManagerSummary now = manager_summary(self->manager);
  for (uint32_t p = 0; p < now.league->learning; p++) {
    const float *block = self->learner ? learner_policy(self->learner, p) : NULL;
    if (!block) continue;
    TRY_RETURN(evaluation_play(self->evaluation, now.league->player[p].name, block,
                               self->net->block, &out[p]));
    out[p].frames = frames;
  }
  return evaluation_baselines(self->evaluation, baseline, baselines);
}

/* After the last checkpoint: games that ratings still lack. */
static Status end(void *context) {
  const Rank *self = context;
  uint64_t games;
  return end_games_play(manager_summary(self->manager).league, self->setup.settings,
                        self->setup.run, &games);
}

/* What the players of this run are made of. */
static TrainShape train_shape(const Rank *self) {
  return (TrainShape){.algo = self->algo, .seed = (uint64_t)self->setup.settings->run.seed};
}

/* Whether a learner could go on from it: asked before a checkpoint is written. */
static Status check_state(void *context, const Tree *state) {
  const TrainShape shape = train_shape(context);
  return columns_check(&shape, state);
}

/* Whether kept experience goes into checkpoints. */
static bool keeps(const JobConfig *s) {
  const ReplayConfig *replay = job_config_replay(s);
  return replay && replay->saved;
}

/* The stages as the league knows them: when they end, and what they are called. */
static CurriculumRule curriculum_of(const JobConfig *s) {
  const Stages *stages = &s->stages;
  CurriculumRule rule = {.stages = stages->count,
                         .episodes = stages->episodes,
                         .factor = stages->metric < 0 ? s->told.factor : 1,
                         .measure = stages->measure};
  for (size_t i = 0; i < stages->count; i++)
    rule.stage[i] = (CurriculumStage){stages->stage[i].promote_at, stages->stage[i].frames,
                                      stages_text(stages, i)};
  return rule;
}

/* The league's rank. Bounds on what a lane may send are given to it, so that no message can count
 * more than can have been played. */
static Status create_manager(Rank *self) {
  const JobConfig *s = self->setup.settings;
  const Topology *topology = self->setup.topology;
  const AgonEnvSpec *spec = &s->env->spec;
  const uint64_t slots = lanes_slots_each(&s->actors);
  const uint64_t unroll = (uint64_t)s->actors.unroll;
  TRY_RETURN(NEW_ARRAY(self->fed_member, topology->actors));
  for (size_t a = 0; a < topology->actors; a++)
    self->fed_member[a] = topology_fed_member(topology, a);
  ManagerSetup setup = {
      .role = role_of(self),
      .config = s->manager,
      .league = s->league,
      .rules = s->rules_of,
      .guest = s->guest,
      .guests = s->guests,
      .curriculum = curriculum_of(s),
      .hooks = {.context = self,
                .initial = initial_policy,
                .check_state = check_state,
                .observe = observe,
                .rate = s->env->spec.teams > 1 ? rate : NULL,
                .evaluate = self->evaluation ? evaluate : NULL,
                .end = end},
      .members = {.actor_rank = topology->actor_rank,
                  .actors = topology->actors,
                  .below = self->tables_below,
                  .belows = topology_below(topology->actor_rank, topology->actors, -1,
                                           self->tables_below),
                  .learner_rank = topology->learner_rank,
                  .learners = topology->learners,
                  .groups = topology->groups,
                  .lanes = (size_t)s->actors.lanes,
                  .opponents = match_opponents(spec->teams),
                  .lane_steps = slots * unroll,
                  /* with those open when it began */
                  .lane_rows = slots * (unroll + 1) * spec->agents,
                  .lane_seats = keeps(s) ? (size_t)slots * spec->teams : 0,
                  .fed = self->fed_member},
      .env = {.game = s->table->name,
              .teams = spec->teams,
              .return_factor = s->told.factor,
              .return_words = s->told.words,
              .metric_names = s->measures.name,
              .metric_count = s->measures.of_agents ? s->measures.own : s->measures.count,
              .general_sum = s->game.general_sum},
      .return_low = (double)spec->reward_low,
      .return_high = (double)spec->reward_high,
      .run = self->setup.run,
      .header = self->setup.header,
      .resume = self->setup.resume,
      .generation = self->setup.generation,
  };
  MetricsAbout about;
  TRY_RETURN(about_create(s, &about));
  setup.about = &about;
  Status status = manager_create(&setup, &self->manager);
  about_free(&about);
  return status;
}

/* Frames of a life, for the schedules of players that are reset: to the snapshot at the latest, as
 * often as it takes until one resets; at most the run. */
static Status measure_lives(Rank *self) {
  const JobConfig *s = self->setup.settings;
  const Roster *roster = &s->roster;
  const size_t players = roster->count;
  TRY_RETURN(NEW_ARRAY(self->life, players));
  for (size_t player = 0; player < players; player++) {
    const LeagueConfig *league = s->rules_of ? &s->rules_of[player] : &s->league;
    const Role r = (Role)roster->entry[player].role;
    if (league->reset[r] <= 0) continue;
    double frames = league->snapshot_max[r] * league->frame_scale / league->reset[r];
    self->life[player] = fmin(fmax(frames, 1), (double)s->manager.frames);
  }
  return OK;
}

/* Learner `index` belongs to group index % groups, and shares its players with the other members of
 * that group. */
static Status create_learner(Rank *self, size_t index) {
  const JobConfig *s = self->setup.settings;
  const Topology *topology = self->setup.topology;
  size_t groups = topology->groups;
  size_t member = index / groups;
  size_t first;
  size_t count;
  topology_feeders(topology, member, &first, &count);
  TRY_RETURN(NEW_ARRAY(self->member_rank, topology->members));
  TRY_RETURN(measure_lives(self));
  for (size_t m = 0; m < topology->members; m++)
    self->member_rank[m] = topology->learner_rank[m * groups + index % groups];
  LearnerSetup setup = {
      .role = role_of(self),
      .config = s->learner,
      .algo = self->algo,
      .index = index,
      .group = index % groups,
      .groups = groups,
      .member = member,
      .members = topology->members,
      .member_rank = self->member_rank,
      .learner_rank = topology->learner_rank,
      .shared = self->shared,
      .first_actor = first,
      .actor_rank = topology->actor_rank + first,
      .actors = count,
      .below = self->learner_below,
      .belows = topology_below(topology->actor_rank + first, count, -1, self->learner_below),
      .shaping = s->rewards.shaping,
      .life = self->life,
      .own = s->learner_of,
      .teacher = self->teacher_of,
      .inheritance = self->inherits ? &self->heritage.from : NULL,
      .replay = job_config_replay(s),
      .slots = (size_t)s->actors.slots,
      .training = job_config_training_slots(s),
      .seats = job_config_seats(s),
      .teams = s->env->spec.teams,
      .team_of = s->env->spec.team_of,
  };
  return learner_create(&setup, &self->learner);
}

/* Who teaches whom; one agent may teach several. */
static Status create_teachers(Rank *self) {
  const JobConfig *s = self->setup.settings;
  const Sources *sources = self->setup.sources;
  if (!sources || sources->count == 0) return OK;
  TRY_RETURN(NEW_ARRAY(self->teacher, sources->count));
  TRY_RETURN(NEW_ARRAY(self->teacher_of, s->roster.count));
  for (size_t p = 0; p < s->roster.count; p++) {
    const LearnConfig *learner = s->learner_of ? &s->learner_of[p] : &s->learner;
    const Source *source = sources_find(sources, learner->teacher);
    if (!source) continue;
    Teacher **teacher = &self->teacher[source - sources->item];
    if (!*teacher) TRY_RETURN(teacher_create(source, s->env, self->net, teacher));
    self->teacher_of[p] = *teacher;
  }
  return OK;
}

/* The same for all. */
static Status take_heritage(Rank *self) {
  const Sources *sources = self->setup.sources;
  const Source *source =
      sources ? sources_find(sources, self->setup.settings->learner.init_from) : NULL;
  if (!source) return OK;
  self->inherits = true;
  return heritage_create(source, self->net, &self->heritage);
}

/* What a new run's players begin as is the first line of its lineage. */
static Status record_heritage(Rank *self) {
  char what[600];
  if (!self->inherits || self->setup.resume) return OK;
  const Source *source = sources_find(self->setup.sources, self->setup.settings->learner.init_from);
  log_line("lives begin as %s (%.8s): %s", source->text, source->hash, self->heritage.told);
  snprintf(what, sizeof what, "lives begin as %.100s (%.8s): %s", source->text, source->hash,
           self->heritage.told);
  return edit_record(manager_league(self->manager), (uint64_t)time(NULL), 0, "agon train", what);
}

/* Sends its experience to one learner of each group, and passes weights and tables on down the
 * trees of actors. */
static Status create_actor(Rank *self, size_t index) {
  const JobConfig *s = self->setup.settings;
  const Topology *topology = self->setup.topology;
  size_t member = topology_fed_member(topology, index);
  size_t first;
  size_t count;
  topology_feeders(topology, member, &first, &count);
  TRY_RETURN(NEW_ARRAY(self->fed_rank, topology->groups));
  for (size_t g = 0; g < topology->groups; g++)
    self->fed_rank[g] = topology->learner_rank[member * topology->groups + g];
  int *weights = self->weights_below;
  int *tables = self->actor_tables_below;
  ActorSetup setup = {
      .role = role_of(self),
      .config = s->actors,
      .rewards = s->rewards,
      .max_lag = s->learner.max_lag,
      .env = s->env,
      .stages = &s->stages,
      .index = index,
      .actors = topology->actors,
      .fed_rank = self->fed_rank,
      .groups = topology->groups,
      .weights_below = weights,
      .weights_belows =
          topology_below(topology->actor_rank + first, count, (long)(index - first), weights),
      .tables_below = tables,
      .tables_belows = topology_below(topology->actor_rank, topology->actors, (long)index, tables),
  };
  return actor_create(&setup, &self->actor);
}

/* Floats that learners sum to know what is kept of experience. */
static size_t kept_counts(const RankSetup *setup) {
  const JobConfig *s = setup->settings;
  const ReplayConfig *replay = job_config_replay(s);
  if (!replay) return 0;
  return rehearsal_count(replay, (size_t)s->actors.slots, s->env->spec.teams);
}

/* Which roles this rank has follows from the topology alone. Collective: memory shared by a host's
 * ranks is set up by all of them. On failure nothing is left. */
Status rank_create(const RankSetup *setup, Rank **out) {
  Status status = OK;
  Rank *self = NULL;
  int rank = setup->transport->rank;
  TRY(NEW_ARRAY(self, 1));
  self->setup = *setup;
  self->setup.clock = clock_steady(&self->clock, setup->clock);
  TRY(net_create(&setup->settings->net, &setup->settings->env->layout, &setup->settings->env->spec,
                 &self->net));
  TRY(job_config_algo(setup->settings, self->net, &self->algo));
  TRY(take_heritage(self));
  if (topology_learner(setup->topology, rank) >= 0) TRY(create_teachers(self));
  if (setup->topology->members > 1) {
    size_t bytes = 0;
    if (topology_learner(setup->topology, rank) >= 0)
      bytes = learner_shared_bytes(self->algo, setup->topology->members, kept_counts(setup));
    TRY(setup->transport->ops->start_shared(setup->transport, bytes, &self->shared));
  }
  if (topology_learner(setup->topology, rank) >= 0)
    TRY(create_learner(self, (size_t)topology_learner(setup->topology, rank)));
  if (topology_actor(setup->topology, rank) >= 0)
    TRY(create_actor(self, (size_t)topology_actor(setup->topology, rank)));
  if (rank == 0 && setup->settings->env->spec.teams == 1 &&
      setup->settings->manager.evaluation_episodes > 0)
    TRY(evaluation_create(setup->settings, &self->evaluation));
  if (rank == 0) TRY(create_manager(self));
  if (rank == 0) TRY(record_heritage(self));
  if (rank == 0 && setup->settings->manager.exploitability > 0)
    TRY(tracker_create(setup->settings->env, &setup->settings->net,
                       (uint64_t)setup->settings->manager.exploitability, &self->tracker));
  *out = self;
  self = NULL;
done:
  rank_destroy(self);
  return status;
}

void rank_destroy(Rank *self) {
  if (!self) return;
  actor_destroy(self->actor);
  learner_destroy(self->learner);
  manager_destroy(self->manager);
  tracker_destroy(self->tracker);
  algo_destroy(self->algo);
  evaluation_destroy(self->evaluation);
  net_destroy(self->net);
  free(self->member_rank);
  free(self->fed_rank);
  free(self->fed_member);
  free(self->life);
  for (size_t i = 0; self->teacher && i < self->setup.sources->count; i++)
    teacher_destroy(self->teacher[i]);
  free(self->teacher);
  free(self->teacher_of);
  heritage_free(&self->heritage);
  free(self);
}

void rank_idle(Rank *self, int64_t nanoseconds) {
  self->idle += nanoseconds;
}

Manager *rank_manager(Rank *self) {
  return self->manager;
}

/* All its roles are. */
bool rank_done(const Rank *self) {
  if (self->actor && !actor_done(self->actor)) return false;
  if (self->learner && !learner_done(self->learner)) return false;
  return !self->manager || manager_done(self->manager);
}

/* By the routing table of wire/messages. ERR_FORMAT: this rank has no such role. */
static Status deliver_to_role(Rank *self, WireKind kind, Message *message, Reader *body) {
  switch (wire_route(kind)->to) {
  case WIRE_ACTOR:
    if (self->actor) return actor_receive(self->actor, kind, message, body);
    break;
  case WIRE_LEARNER:
    if (self->learner) return learner_receive(self->learner, kind, message, body);
    break;
  case WIRE_LEAGUE:
    if (self->manager) return manager_receive(self->manager, kind, message, body);
    break;
  default: break;
  }
  return status_set(ERR_FORMAT, "this rank has no role for it");
}

/* An error in a message is told with its kind and sender; the message stays the caller's. */
static Status deliver(Rank *self, Message *message) {
  WireKind kind;
  Reader body;
  TRY_RETURN(wire_open(message, &kind, &body));
  Status status = deliver_to_role(self, kind, message, &body);
  if (status != ERR_FORMAT) return status;
  return status_context(status, "rank %d cannot use a %s message from rank %d",
                        self->setup.transport->rank, wire_name(kind), message->peer);
}

/* All messages that are here, then one step of each role. The league goes first, since all others
 * wait for it. *progress: something was done; the loop backs off where nothing was. */
Status rank_step(Rank *self, bool *progress) {
  Transport *transport = self->setup.transport;
  bool moved;
  *progress = false;
  for (Message *message; (message = transport->ops->receive(transport));) {
    Status status = deliver(self, message);
    message_release(message);
    TRY_RETURN(status);
    *progress = true;
  }
  transport->ops->unsent(transport);
  if (self->manager) {
    doing.role = "the league";
    TRY_RETURN(manager_step(self->manager, &moved));
    *progress |= moved;
  }
  if (self->learner) {
    doing.role = "a learner";
    TRY_RETURN(learner_step(self->learner, &moved));
    *progress |= moved;
  }
  if (self->actor) {
    doing.role = "an actor";
    TRY_RETURN(actor_step(self->actor, &moved));
    *progress |= moved;
  }
  doing.role = NULL;
  return OK;
}

/* Layers as columns: names, offsets into `policy`, shapes (4, unused dimensions 0). Where agents
 * have weights of their own (net.sharing), the layers of the first are followed by those of the
 * others, which have a number before their names. */
Status rank_header(const JobConfig *settings, Tree *out) {
  Status status = OK;
  Net *net = NULL;
  char *text = NULL;
  char *names = NULL;
  uint64_t *offset = NULL;
  uint64_t *shape = NULL;
  *out = (Tree){0};
  TRY(net_create(&settings->net, &settings->env->layout, &settings->env->spec, &net));
  size_t views = net->graph.views;
  size_t n = net->copies * views;
  TRY(NEW_ARRAY(names, n * 32));
  TRY(NEW_ARRAY(offset, n));
  TRY(NEW_ARRAY(shape, n * 4));
  for (size_t i = 0; i < n; i++) {
    const View *view = &net->graph.view[i % views];
    char prefix[24] = "";
    if (i >= views) snprintf(prefix, sizeof prefix, "%zu/", i / views);
    TRY(text_format(names + i * 32, 32, "%s%s", prefix, view->name));
    offset[i] = i / views * net->stride + view->offset;
    for (size_t d = 0; d < view->dims; d++)
      shape[i * 4 + d] = view->shape[d];
  }
  TRY(job_config_text(settings, false, &text));
  TRY(tree_put_text(out, "@agon_version", AGON_VERSION));
  TRY(facts_save(&settings->game, out));
  TRY(tree_put_texts(out, "config", 1, strlen(text) + 1, text));
  TRY(tree_put_texts(out, "layers/name", n, 32, names));
  TRY(tree_put(out, "layers/offset", STORE_U64, n, 1, offset));
  TRY(tree_put(out, "layers/shape", STORE_U64, n, 4, shape));
done:
  if (status != OK) tree_free(out);
  net_destroy(net);
  free(text);
  free(names);
  free(offset);
  free(shape);
  return status;
}
