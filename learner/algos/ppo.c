/* Proximal policy optimisation (Schulman et al. 2017, eq. 7) with GAE or V-trace targets, clipped values, and a stop
 * when the policy has moved too far from the one that acted. */
#include "data/returns.h"
#include "learner/algos/algo.h"

#include <math.h>

typedef struct PpoConfig {
  double clip, value_clip, kl_stop;
  int64_t epochs, minibatches;
  int targets; /* gae|vtrace */
} PpoConfig;

static const Option options[] = {
    {"clip", OPT_FLOAT, offsetof(PpoConfig, clip), "0.2", 0.001, 10, NULL, "",
     "largest change of a ratio that still earns"},
    {"value_clip", OPT_FLOAT, offsetof(PpoConfig, value_clip), "0", 0, OPTION_NO_LIMIT, NULL, "",
     "largest change of a value that still earns; 0 = off"},
    {"kl_stop", OPT_FLOAT, offsetof(PpoConfig, kl_stop), "0", 0, OPTION_NO_LIMIT, NULL, "",
     "ends the update when a minibatch's mean KL exceeds it; 0 = off"},
    {"epochs", OPT_INT, offsetof(PpoConfig, epochs), "4", 1, 100, NULL, "", "passes over each batch"},
    {"minibatches", OPT_INT, offsetof(PpoConfig, minibatches), "4", 1, 4096, NULL, "",
     "parts of a batch, one optimiser step each"},
    {"targets", OPT_CHOICE, offsetof(PpoConfig, targets), "gae", 0, 0, "gae|vtrace", "",
     "advantages and value targets; vtrace corrects for lag"},
};

static void plan(Update *update, size_t *epochs, size_t *minibatches, bool *evaluate) {
  const PpoConfig *config = update->algo_config;
  *epochs = (size_t)config->epochs;
  *minibatches = (size_t)config->minibatches;
  *evaluate = config->targets == 1;
}

static void targets(Update *update) {
  const PpoConfig *config = update->algo_config;
  Batch *batch = update->batch;
  float lambda = (float)update->config->lambda;
  if (config->targets == 0) {
    targets_gae(update);
    return;
  }
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    size_t at = unroll->first, n = unroll->rows;
    float log_rho[n ? n : 1], next = bootstrap_of(unroll, update->value_now);
    float *vs = update->target + at, *advantage = update->advantage + at;
    const float *reward = batch->reward + at, *discount = update->discount + at, *value = update->value_now + at;
    for (size_t t = 0; t < n; t++) log_rho[t] = update->log_prob_now[at + t] - batch->log_prob[at + t];
    returns_vtrace(reward, discount, value, next, log_rho, 1.0f, 1.0f, lambda, n, vs, advantage);
    for (size_t t = n; t-- > 0; next = vs[t]) /* unweighted: the ratio weights them when it is stepped */
      advantage[t] = reward[t] + discount[t] * next - value[t];
  }
}

static RowLoss row(const Update *update, size_t index, float log_prob, float value) {
  const PpoConfig *config = update->algo_config;
  float advantage = update->advantage[index], log_ratio = log_prob - update->batch->log_prob[index],
        ratio = expf(log_ratio);
  float clip = (float)config->clip, held = ratio < 1 - clip ? 1 - clip : ratio > 1 + clip ? 1 + clip : ratio;
  RowLoss loss = {.log_ratio = log_ratio, .ratio = ratio};
  loss.clipped = held * advantage < ratio * advantage;
  loss.policy_loss = -(loss.clipped ? held : ratio) * advantage;
  loss.by_log_prob = loss.clipped ? 0.0f : -advantage * ratio;
  float error = value - update->target[index];
  loss.by_value = error;
  loss.value_loss = 0.5f * error * error;
  if (config->value_clip > 0) {
    float old = update->batch->value[index], limit = (float)config->value_clip, moved = value - old;
    float near = old + (moved < -limit ? -limit : moved > limit ? limit : moved), other = near - update->target[index];
    if (other * other > error * error) {
      loss.value_loss = 0.5f * other * other;
      loss.by_value = fabsf(moved) > limit ? 0.0f : other;
    }
  }
  return loss;
}

static bool stop(const Update *update, double mean_kl) {
  const PpoConfig *config = update->algo_config;
  return config->kl_stop > 0 && mean_kl > config->kl_stop;
}

const AlgoOps algo_ppo = {"ppo",
                          "proximal policy optimisation",
                          options,
                          COUNT_OF(options),
                          sizeof(PpoConfig),
                          plan,
                          targets,
                          row,
                          stop,
                          NULL,
                          true};
