/* IMPALA's actor-critic (Espeholt et al. 2018, section 4.2): V-trace targets by the present weights, one pass; UPGO
 * (Vinyals et al. 2019) adds a policy gradient towards better-than-expected trajectories. */
#include "data/returns.h"
#include "learner/algos/algo.h"

#include <math.h>

typedef struct ImpalaConfig {
  double clip_rho, clip_pg, upgo;
  int64_t minibatches;
} ImpalaConfig;

static const Option options[] = {
    {"clip_rho", OPT_FLOAT, offsetof(ImpalaConfig, clip_rho), "1", 0, OPTION_NO_LIMIT, NULL, "",
     "largest importance weight in value targets"},
    {"clip_pg", OPT_FLOAT, offsetof(ImpalaConfig, clip_pg), "1", 0, OPTION_NO_LIMIT, NULL, "",
     "largest importance weight in policy gradients"},
    {"upgo", OPT_FLOAT, offsetof(ImpalaConfig, upgo), "0", 0, 100, NULL, "",
     "weight of the UPGO advantage added to V-trace's"},
    {"minibatches", OPT_INT, offsetof(ImpalaConfig, minibatches), "1", 1, 4096, NULL, "",
     "parts of a batch, one optimiser step each"},
};

static void plan(Update *update, size_t *epochs, size_t *minibatches, bool *evaluate) {
  *epochs = 1;
  *minibatches = (size_t)((const ImpalaConfig *)update->algo_config)->minibatches;
  *evaluate = true;
}

static void targets(Update *update) {
  const ImpalaConfig *config = update->algo_config;
  const Batch *batch = update->batch;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    size_t at = unroll->first, n = unroll->rows;
    float log_rho[n ? n : 1], upgo[n ? n : 1];
    float bootstrap = bootstrap_of(unroll, update->value_now);
    const float *reward = batch->reward + at, *discount = update->discount + at, *value = update->value_now + at;
    for (size_t t = 0; t < n; t++) log_rho[t] = update->log_prob_now[at + t] - batch->log_prob[at + t];
    returns_vtrace(reward, discount, value, bootstrap, log_rho, (float)config->clip_rho, (float)config->clip_pg,
                   (float)update->config->lambda, n, update->target + at, update->advantage + at);
    if (config->upgo <= 0) continue;
    returns_upgo(reward, discount, value, bootstrap, log_rho, n, upgo);
    for (size_t t = 0; t < n; t++) update->advantage[at + t] += (float)config->upgo * upgo[t];
  }
}

static RowLoss row(const Update *update, size_t index, float log_prob, float value) {
  float advantage = update->advantage[index], error = value - update->target[index];
  float log_ratio = log_prob - update->batch->log_prob[index];
  return (RowLoss){.by_log_prob = -advantage,
                   .policy_loss = -advantage * log_prob,
                   .by_value = error,
                   .value_loss = 0.5f * error * error,
                   .log_ratio = log_ratio,
                   .ratio = expf(log_ratio)};
}

static bool stop(const Update *update, double mean_kl) {
  (void)update, (void)mean_kl;
  return false;
}

const AlgoOps algo_impala = {"impala",
                             "actor-critic with V-trace, one pass, optional UPGO",
                             options,
                             COUNT_OF(options),
                             sizeof(ImpalaConfig),
                             plan,
                             targets,
                             row,
                             stop,
                             NULL,
                             false};
