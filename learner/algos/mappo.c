/* Multi-agent PPO (Yu et al., arXiv 2103.01955): each agent of a team learns by PPO's clipped
 * ratio, but its advantages come from a critic that sees what the team knows together. The critic
 * is a part of the player: it stays with the learners, so that whoever acts needs nothing but its
 * own observation. */
#include "learner/train/on_policy.h"

#include <math.h>

enum { SEES_STATE, SEES_OWN, SEES_BOTH };

typedef struct MappoConfig {
  double clip, value_clip;
  double huber;
  double kl_stop;
  int64_t epochs, minibatches;
  int critic_input; /* SEES_STATE, ... */
  IntList critic_hidden;
  bool critic_id, critic_alive, critic_time;
  bool normalise_values;
} MappoConfig;

static const Option options[] = {
    {"clip", OPT_FLOAT, offsetof(MappoConfig, clip), "0.2", 0.001, 10, NULL, "",
     "largest change of a ratio that still earns"},
    {"value_clip", OPT_FLOAT, offsetof(MappoConfig, value_clip), "0.2", 0, OPTION_NO_LIMIT, NULL,
     "", "largest change of a value that still earns, in deviations of returns; 0 = off"},
    {"huber", OPT_FLOAT, offsetof(MappoConfig, huber), "10", 0, OPTION_NO_LIMIT, NULL, "",
     "errors of values beyond it, in deviations of returns, count by their size and not by their "
     "square; 0 = off"},
    {"kl_stop", OPT_FLOAT, offsetof(MappoConfig, kl_stop), "0", 0, OPTION_NO_LIMIT, NULL, "",
     "ends the update when a minibatch's mean KL exceeds it; 0 = off"},
    {"epochs", OPT_INT, offsetof(MappoConfig, epochs), "10", 1, 100, NULL, "",
     "passes over each batch"},
    {"minibatches", OPT_INT, offsetof(MappoConfig, minibatches), "1", 1, 4096, NULL, "",
     "parts of a batch, one optimiser step each"},
    {"critic_input", OPT_CHOICE, offsetof(MappoConfig, critic_input), "state+own", 0, 0,
     "state|own|state+own", "",
     "what values an agent's position: the game's global state (where it tells none, what all of "
     "the team see), the agent's own observation, or both. net.normalise_observations is of the "
     "policy alone: the critic sees numbers as the game gives them"},
    {"critic_hidden", OPT_INTS, offsetof(MappoConfig, critic_hidden), "[]", 1, 16384, NULL, "units",
     "widths of the critic's dense layers; empty: as net.hidden. It has no convolutions and no "
     "memory"},
    {"critic_id", OPT_BOOL, offsetof(MappoConfig, critic_id), "true", 0, 0, NULL, "",
     "the critic sees which agent of the team it values"},
    {"critic_alive", OPT_BOOL, offsetof(MappoConfig, critic_alive), "true", 0, 0, NULL, "",
     "the critic sees whether that agent is still in the game"},
    {"critic_time", OPT_BOOL, offsetof(MappoConfig, critic_time), "true", 0, 0, NULL, "",
     "the critic sees how many steps the episode has had: what is still to come depends on it "
     "where a time limit ends episodes"},
    {"normalise_values", OPT_BOOL, offsetof(MappoConfig, normalise_values), "true", 0, 0, NULL, "",
     "the critic learns in units of the returns' running deviation (learner.return_decay); "
     "net.normalise_returns is of the policy's own value head, which learns nothing here: "
     "net.separate gives it a trunk that only makes the policy larger"},
};

static void mappo_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  const MappoConfig *config = own;
  (void)layout;
  out->rows = ROWS_TEAM;
  out->global = config->critic_input != SEES_OWN;
}

static void mappo_plan(const void *own, AlgoPlan *out) {
  const MappoConfig *config = own;
  out->epochs = (size_t)config->epochs;
  out->minibatches = (size_t)config->minibatches;
  out->evaluate = true;
}

static Status init_critic(const AlgoPart *part, AgonRng *rng, float *block) {
  return critic_init(part->made, rng, block);
}

static void destroy_critic(void *made) {
  critic_destroy(made);
}

/* The critic, built as the policy's network is, but for what only a policy needs. The global state
 * is the same for all teams, and what it is worth is not: where there are several the critic is
 * always told whose it is, and reads the state of each through weights of its own. A one-hot alone
 * would leave it to learn a product: slowly. */
static Status mappo_parts(Algo *algo) {
  const MappoConfig *config = algo->own;
  const RowFormat *format = &algo->format;
  NetConfig net = algo->net->config;
  Critic *critic;
  if (config->critic_hidden.count) net.hidden = config->critic_hidden;
  net.memory = 0;
  net.normalise_observations = false;
  net.normalise_returns = config->normalise_values;
  const size_t teams = format_teams(format, NULL);
  const size_t sides = teams > 1 ? teams : 0;
  const size_t global = config->critic_input == SEES_OWN ? 0 : format->global;
  const CriticShape shape = {
      .agents = format_cells(format),
      .state = teams * global + config->critic_time + sides,
      .observation = config->critic_input == SEES_STATE ? 0 : algo->net->observation_count,
      .observation_type = algo->net->observation_type,
      .agent_id = config->critic_id,
      .alive = config->critic_alive,
  };
  TRY_RETURN(critic_create(&net, &shape, &critic));
  algo->part[algo->parts] = (AlgoPart){.name = "critic",
                                       .floats = critic->block,
                                       .trained = critic->graph.params,
                                       .init = init_critic,
                                       .graph = &critic->graph,
                                       .made = critic,
                                       .destroy = destroy_critic};
  algo->critic = critic;
  algo->critic_time = config->critic_time;
  algo->sides = sides;
  algo->critic_part = algo->parts++;
  return OK;
}

/* Huber's loss of an error, square up to `limit` (0: everywhere) and straight beyond. */
static float huber(float error, float limit, float *out_slope) {
  float size = fabsf(error);
  if (limit <= 0 || size <= limit) {
    *out_slope = error;
    return 0.5f * error * error;
  }
  *out_slope = error < 0 ? -limit : limit;
  return limit * (size - 0.5f * limit);
}

/* The larger of the losses of the value, and of the value held near what it was before the update.
 * In the first update of a life nothing is known of how large returns are, and errors of any size
 * count as they are. */
static void value_loss(const Experience *e, size_t row, float value, RowLoss *loss) {
  const MappoConfig *config = e->own;
  float unit = e->unit_known ? e->value_unit : 0;
  float limit = (float)config->value_clip * unit;
  float bend = (float)config->huber * unit;
  float moved = value - e->value[row];
  float near = e->value[row] + (moved < -limit ? -limit : moved > limit ? limit : moved);
  float slope;
  loss->value_loss = huber(value - e->target[row], bend, &loss->by_value);
  if (limit <= 0) return;
  float other = huber(near - e->target[row], bend, &slope);
  if (other <= loss->value_loss) return;
  loss->value_loss = other;
  loss->by_value = fabsf(moved) > limit ? 0.0f : slope;
}

static RowLoss mappo_row(const Experience *e, size_t row, float log_prob, float value) {
  const MappoConfig *config = e->own;
  RowLoss loss = loss_clipped(e, row, log_prob, (float)config->clip);
  value_loss(e, row, value, &loss);
  return loss;
}

static bool mappo_stop(const Experience *e, double mean_kl) {
  const MappoConfig *config = e->own;
  return config->kl_stop > 0 && mean_kl > config->kl_stop;
}

const AlgoOps algo_mappo = {
    .name = "mappo",
    .summary = "PPO for teams, with a critic that sees what the team knows",
    .options = options,
    .option_count = COUNT_OF(options),
    .config_size = sizeof(MappoConfig),
    .normalises = true,
    .needs = mappo_needs,
    .parts = mappo_parts,
    .plan = mappo_plan,
    .targets = targets_gae,
    .row = mappo_row,
    .stop = mappo_stop,
};
