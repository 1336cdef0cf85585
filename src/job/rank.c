#include "job/rank.h"

#include "actors/actor.h"
#include "base/log.h"
#include "job/end_games.h"
#include "job/strength.h"
#include "job/exploitability.h"
#include "learner/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct Node {
  NodeSetup setup;
  SteadyClock clock; /* below that of the roles */
  Net *net;
  Actor *actor;
  Learner *learner;
  Manager *manager;
  Tracker *tracker;
  int64_t idle;
  bool rate_failed; /* and said so */
  /* lists that the roles borrow */
  int *member_rank, *fed_rank;
  double *life;
  void *const *shared;
  int learner_below[TREE_FAN_OUT], weights_below[TREE_FAN_OUT];
  int tables_below[TREE_FAN_OUT], actor_tables_below[TREE_FAN_OUT];
};

static void initial_policy(void *context, uint32_t player, float *block) {
  const Node *node = context;
  if (node->setup.target) {
    memcpy(block, node->setup.target, node->net->block * sizeof(float));
    return;
  }
  net_init(node->net, (uint64_t)node->setup.settings->run.seed, player, block);
}

/* The mains that this rank learns. */
static Status observe(void *context, uint64_t frames, Record *record) {
  Node *node = context;
  ManagerSummary now = manager_summary(node->manager);
  if (!node->learner || !tracker_due(node->tracker, frames)) return OK;
  for (uint32_t p = 0; p < now.league->learning; p++) {
    const float *block = learner_policy(node->learner, p);
    if (!block || now.league->player[p].role != ROLE_MAIN) continue;
    TRY_RETURN(tracker_add(node->tracker, now.league->player[p].name, block, node->net->block, record));
  }
  tracker_done(node->tracker, frames);
  return OK;
}

/* Ratings of the learning players: none where they cannot be had, which is no reason to end a job. */
static Status rate(void *context, LearnerRating *out) {
  Node *node = context;
  const NodeSetup *setup = &node->setup;
  ManagerSummary now = manager_summary(node->manager);
  StrengthOptions options = {.prior = STRENGTH_PRIOR, .ratings_only = true};
  Strength strength;
  for (size_t p = 0; p < now.league->learning; p++) out[p] = (LearnerRating){.as = (uint32_t)p};
  Status status = strength_create(now.league, setup->settings, setup->run, &options, &strength);
  if (status == ERR_MEMORY) return status;
  if (status != OK) {
    if (!node->rate_failed) log_warning("no ratings: %s", status_message());
    node->rate_failed = true;
    return OK;
  }
  strength_of_learners(&strength, now.league, out);
  strength_destroy(&strength);
  return OK;
}

static Status end(void *context) {
  const Node *node = context;
  uint64_t games;
  return end_games_play(manager_summary(node->manager).league, node->setup.settings, node->setup.run, &games);
}

static Status check_state(void *context, const Tree *state) {
  return learner_check_state(((const Node *)context)->net, state);
}

static Status create_manager(Node *node) {
  const Settings *s = node->setup.settings;
  const Topology *topology = node->setup.topology;
  const AgonEnvSpec *spec = &s->env->spec;
  const uint64_t slots = actor_lane_slots(&s->actors), unroll = (uint64_t)s->actors.unroll;
  ManagerSetup setup = {.config = s->manager,
                        .league = s->league,
                        .pace = s->run.pace,
                        .seed = (uint64_t)s->run.seed,
                        .return_low = (double)spec->reward_low,
                        .return_high = (double)spec->reward_high,
                        .block = node->net->block,
                        .initial = initial_policy,
                        .context = node,
                        .check_state = check_state,
                        .observe = observe,
                        .rate = s->env->spec.teams == 2 ? rate : NULL,
                        .end = end,
                        .header = node->setup.header,
                        .run = node->setup.run,
                        .resume = node->setup.resume,
                        .generation = node->setup.generation,
                        .transport = node->setup.transport,
                        .clock = node->setup.clock,
                        .actor_rank = topology->actor_rank,
                        .actors = topology->actors,
                        .lanes = (size_t)s->actors.lanes,
                        .lane_steps = slots * unroll,
                        .lane_rows = slots * (unroll + 1) * spec->agents, /* with those open when it began */
                        .below = node->tables_below,
                        .belows = topology_below(topology->actor_rank, topology->actors, -1, node->tables_below),
                        .learner_rank = topology->learner_rank,
                        .learners = topology->learners,
                        .groups = topology->groups,
                        .game = s->table->name,
                        .teams = spec->teams,
                        .metric_names = s->table->metric_names,
                        .metric_count = s->table->metrics ? spec->metrics : 0};
  return manager_create(&setup, &node->manager);
}

/* Frames of a life, for the schedules of players that are reset: to the snapshot at the latest, as often as it takes
 * until one resets; at most the run. */
static Status measure_lives(Node *node) {
  const LeagueConfig *league = &node->setup.settings->league;
  const int64_t count[ROLE_COUNT] = {league->mains, league->main_exploiters, league->league_exploiters};
  size_t player = 0;
  TRY_RETURN(NEW_ARRAY(node->life, (size_t)(count[0] + count[1] + count[2])));
  for (int r = 0; r < ROLE_COUNT; r++)
    for (int64_t i = 0; i < count[r]; i++, player++) {
      if (league->reset[r] <= 0) continue;
      double frames = league->snapshot_max[r] * league->frame_scale / league->reset[r];
      node->life[player] = fmin(fmax(frames, 1), (double)node->setup.settings->manager.frames);
    }
  return OK;
}

static Status create_learner(Node *node, size_t index) {
  const Settings *s = node->setup.settings;
  const Topology *topology = node->setup.topology;
  size_t groups = topology->groups, member = index / groups, first, count;
  topology_feeders(topology, member, &first, &count);
  TRY_RETURN(NEW_ARRAY(node->member_rank, topology->members));
  TRY_RETURN(measure_lives(node));
  for (size_t m = 0; m < topology->members; m++)
    node->member_rank[m] = topology->learner_rank[m * groups + index % groups];
  LearnerSetup setup = {.config = s->learner,
                        .algo = s->algo,
                        .algo_config = s->algo_config,
                        .pace = s->run.pace,
                        .net = node->net,
                        .format = {s->env->observation_bytes, s->env->action_count, s->env->spec.heads,
                                   (uint32_t)node->net->graph.state_size, env_head_sizes(s->env)},
                        .seed = (uint64_t)s->run.seed,
                        .transport = node->setup.transport,
                        .clock = node->setup.clock,
                        .index = index,
                        .group = index % groups,
                        .groups = groups,
                        .member = member,
                        .members = topology->members,
                        .member_rank = node->member_rank,
                        .shared = node->shared,
                        .first_actor = first,
                        .actor_rank = topology->actor_rank + first,
                        .actors = count,
                        .idle = &node->idle,
                        .below = node->learner_below,
                        .belows = topology_below(topology->actor_rank + first, count, -1, node->learner_below),
                        .life = node->life,
                        .learning_players =
                            (size_t)(s->league.mains + s->league.main_exploiters + s->league.league_exploiters)};
  return learner_create(&setup, &node->learner);
}

static Status create_actor(Node *node, size_t index) {
  const Settings *s = node->setup.settings;
  const Topology *topology = node->setup.topology;
  size_t member = topology_fed_member(topology, index), first, count;
  topology_feeders(topology, member, &first, &count);
  TRY_RETURN(NEW_ARRAY(node->fed_rank, topology->groups));
  for (size_t g = 0; g < topology->groups; g++)
    node->fed_rank[g] = topology->learner_rank[member * topology->groups + g];
  int *weights = node->weights_below, *tables = node->actor_tables_below;
  ActorSetup setup = {
      .config = s->actors,
      .pace = (Pace)s->run.pace,
      .max_lag = s->learner.max_lag,
      .env = s->env,
      .net = node->net,
      .seed = (uint64_t)s->run.seed,
      .transport = node->setup.transport,
      .clock = node->setup.clock,
      .index = index,
      .actors = topology->actors,
      .idle = &node->idle,
      .fed_rank = node->fed_rank,
      .groups = topology->groups,
      .weights_below = weights,
      .weights_belows = topology_below(topology->actor_rank + first, count, (long)(index - first), weights),
      .tables_below = tables,
      .tables_belows = topology_below(topology->actor_rank, topology->actors, (long)index, tables),
      .learning_players = (size_t)(s->league.mains + s->league.main_exploiters + s->league.league_exploiters)};
  return actor_create(&setup, &node->actor);
}

Status node_create(const NodeSetup *setup, Node **out) {
  Status status = OK;
  Node *node = NULL;
  int rank = setup->transport->rank;
  TRY(NEW_ARRAY(node, 1));
  node->setup = *setup;
  node->setup.clock = clock_steady(&node->clock, setup->clock);
  TRY(net_create(&setup->settings->net, &setup->settings->env->spec, &node->net));
  if (setup->topology->members > 1) {
    size_t bytes =
        topology_learner(setup->topology, rank) >= 0 ? learner_shared_bytes(node->net, setup->topology->members) : 0;
    TRY(setup->transport->ops->start_shared(setup->transport, bytes, &node->shared));
  }
  if (topology_learner(setup->topology, rank) >= 0)
    TRY(create_learner(node, (size_t)topology_learner(setup->topology, rank)));
  if (topology_actor(setup->topology, rank) >= 0)
    TRY(create_actor(node, (size_t)topology_actor(setup->topology, rank)));
  if (rank == 0) TRY(create_manager(node));
  if (rank == 0 && setup->settings->manager.exploitability > 0)
    TRY(tracker_create(setup->settings->env, &setup->settings->net, (uint64_t)setup->settings->manager.exploitability,
                       &node->tracker));
  *out = node;
  node = NULL;
done:
  node_destroy(node);
  return status;
}

void node_destroy(Node *node) {
  if (!node) return;
  actor_destroy(node->actor);
  learner_destroy(node->learner);
  manager_destroy(node->manager);
  tracker_destroy(node->tracker);
  net_destroy(node->net);
  free(node->member_rank);
  free(node->fed_rank);
  free(node->life);
  free(node);
}

void node_idle(Node *node, int64_t nanoseconds) { node->idle += nanoseconds; }

Manager *node_manager(Node *node) { return node->manager; }

bool node_done(const Node *node) {
  if (node->actor && !actor_done(node->actor)) return false;
  if (node->learner && !learner_done(node->learner)) return false;
  return !node->manager || manager_done(node->manager);
}

static Status deliver_to_role(Node *node, WireKind kind, Message *message, Reader *body) {
  switch (kind) {
  case WIRE_WEIGHTS:
  case WIRE_FROZEN:
  case WIRE_TABLE:
  case WIRE_CREDIT:
  case WIRE_RESTORE_LANE:
  case WIRE_BEGIN:
  case WIRE_RESUME:
    if (node->actor) return actor_receive(node->actor, kind, message, body);
    break;
  case WIRE_UNROLLS:
  case WIRE_TICK_END:
  case WIRE_DIRECTIVE:
  case WIRE_RESTORE_PLAYER:
  case WIRE_LEARN:
  case WIRE_SUM_PART:
  case WIRE_SUM_WHOLE:
    if (node->learner) return learner_receive(node->learner, kind, message, body);
    break;
  case WIRE_FETCH:
  case WIRE_RESULTS:
  case WIRE_SNAPSHOT:
  case WIRE_REPORT:
  case WIRE_ACTOR_STATE:
  case WIRE_LEARNER_STATE:
  case WIRE_BYE:
    if (node->manager) return manager_receive(node->manager, kind, message, body);
    break;
  default: break;
  }
  return status_set(ERR_FORMAT, "this rank has no role for it");
}

static Status deliver(Node *node, Message *message) {
  WireKind kind;
  Reader body;
  TRY_RETURN(wire_open(message, &kind, &body));
  Status status = deliver_to_role(node, kind, message, &body);
  if (status != ERR_FORMAT) return status;
  return status_context(status, "rank %d cannot use a %s message from rank %d", node->setup.transport->rank,
                        wire_name(kind), message->peer);
}

Status node_step(Node *node, bool *progress) {
  Transport *transport = node->setup.transport;
  bool moved;
  *progress = false;
  for (Message *message; (message = transport->ops->receive(transport));) {
    Status status = deliver(node, message);
    message_release(message);
    TRY_RETURN(status);
    *progress = true;
  }
  transport->ops->unsent(transport);
  if (node->manager) {
    TRY_RETURN(manager_step(node->manager, &moved));
    *progress |= moved;
  }
  if (node->learner) {
    TRY_RETURN(learner_step(node->learner, &moved));
    *progress |= moved;
  }
  if (node->actor) {
    TRY_RETURN(actor_step(node->actor, &moved));
    *progress |= moved;
  }
  return OK;
}

/* Layers as columns: names, offsets into `policy`, shapes (4, unused dimensions 0). */
Status node_header(const Settings *settings, Tree *out) {
  Status status = OK;
  Net *net = NULL;
  char *text = NULL, *names = NULL;
  uint64_t *offset = NULL, *shape = NULL;
  *out = (Tree){0};
  TRY(net_create(&settings->net, &settings->env->spec, &net));
  size_t n = net->graph.views;
  TRY(NEW_ARRAY(names, n * 32));
  TRY(NEW_ARRAY(offset, n));
  TRY(NEW_ARRAY(shape, n * 4));
  for (size_t i = 0; i < n; i++) {
    const View *view = &net->graph.view[i];
    memcpy(names + i * 32, view->name, 32);
    offset[i] = view->offset;
    for (size_t d = 0; d < view->dims; d++) shape[i * 4 + d] = view->shape[d];
  }
  TRY(settings_text(settings, false, &text));
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
