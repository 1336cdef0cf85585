/* Multi-agent PPO (Yu et al., arXiv 2103.01955): each agent of a team learns by PPO's clipped
 * ratio, but its advantages come from a critic that sees what the team knows together. The critic
 * is a part of the player: it stays with the learners, so that whoever acts needs nothing but its
 * own observation. */
#include "learner/train/central.h"
#include "learner/train/on_policy.h"

#include <math.h>

typedef struct MappoConfig {
  double clip, value_clip;
  double huber;
  double kl_stop;
  int64_t epochs, minibatches;
  CentralConfig critic;
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
    CENTRAL_OPTIONS(MappoConfig, critic.),
};

static void mappo_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  const MappoConfig *config = own;
  (void)layout;
  out->rows = ROWS_TEAM;
  out->global = config->critic.input != SEES_OWN;
}

static void mappo_plan(const void *own, AlgoPlan *out) {
  const MappoConfig *config = own;
  out->epochs = (size_t)config->epochs;
  out->minibatches = (size_t)config->minibatches;
  out->evaluate = true;
}

static Status mappo_parts(Algo *algo) {
  const MappoConfig *config = algo->own;
  return central_critic(algo, &config->critic, 0);
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
    .taught = true,
    .normalises = true,
    .needs = mappo_needs,
    .parts = mappo_parts,
    .plan = mappo_plan,
    .targets = targets_gae,
    .row = mappo_row,
    .stop = mappo_stop,
};
