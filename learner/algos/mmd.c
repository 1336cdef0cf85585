/* Magnetic mirror descent (Sokota et al. 2023, eq. 3) on sampled experience: each update maximises
 * E[ratio * advantage] - alpha KL(policy || magnet) - KL(policy || policy before the update) / eta. The magnet is the
 * uniform policy (learner.entropy is its alpha) or the reference policy (learner.reference), both KLs are exact over
 * the legal actions. With self-play it approaches the equilibrium that the magnet's pull selects; let alpha and eta
 * fall. */
#include "data/returns.h"
#include "learner/algos/algo.h"

#include <math.h>

typedef struct MmdConfig {
  double step, step_end, clip;
  int64_t epochs, minibatches;
} MmdConfig;

static const Option options[] = {
    {"step", OPT_FLOAT, offsetof(MmdConfig, step), "0.5", 1e-6, 1e6, NULL, "",
     "eta at the start: how far an update may go, by KL(policy || policy before) / eta"},
    {"step_end", OPT_FLOAT, offsetof(MmdConfig, step_end), "0.05", 1e-6, 1e6, NULL, "", "eta at the end"},
    {"clip", OPT_FLOAT, offsetof(MmdConfig, clip), "1", 0.001, OPTION_NO_LIMIT, NULL, "",
     "largest change of a ratio that still earns, a guard against stray steps"},
    {"epochs", OPT_INT, offsetof(MmdConfig, epochs), "2", 1, 100, NULL, "", "passes over each batch"},
    {"minibatches", OPT_INT, offsetof(MmdConfig, minibatches), "8", 1, 4096, NULL, "",
     "parts of a batch, one optimiser step each"},
};

static void plan(Update *update, size_t *epochs, size_t *minibatches, bool *evaluate) {
  const MmdConfig *config = update->algo_config;
  *epochs = (size_t)config->epochs;
  *minibatches = (size_t)config->minibatches;
  *evaluate = false;
}

static double proximal(const Update *update) {
  const MmdConfig *config = update->algo_config;
  return 1 / learn_schedule(update->config, update->state, config->step, config->step_end);
}

static void targets(Update *update) { targets_gae(update); }

static RowLoss row(const Update *update, size_t index, float log_prob, float value) {
  const MmdConfig *config = update->algo_config;
  float advantage = update->advantage[index], log_ratio = log_prob - update->batch->log_prob[index],
        ratio = expf(log_ratio);
  float error = value - update->target[index], clip = (float)config->clip;
  bool stray = advantage > 0 ? ratio > 1 + clip : ratio < 1 - clip;
  return (RowLoss){.log_ratio = log_ratio,
                   .ratio = ratio,
                   .clipped = stray,
                   .policy_loss = -ratio * advantage,
                   .by_log_prob = stray ? 0.0f : -advantage * ratio,
                   .by_value = error,
                   .value_loss = 0.5f * error * error};
}

static bool stop(const Update *update, double mean_kl) {
  (void)update, (void)mean_kl;
  return false;
}

const AlgoOps algo_mmd = {"mmd",
                          "magnetic mirror descent: small steps in KL, pulled to a magnet",
                          options,
                          COUNT_OF(options),
                          sizeof(MmdConfig),
                          plan,
                          targets,
                          row,
                          stop,
                          proximal,
                          true};
