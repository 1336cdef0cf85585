/* Magnetic mirror descent (Sokota et al. 2023, eq. 3) on sampled experience: each update maximises
 * E[ratio * advantage] - alpha KL(policy || magnet) - KL(policy || policy before the update) / eta.
 * The magnet is the uniform policy (learner.entropy is its alpha) or the reference policy
 * (learner.reference); both KLs are exact over the legal actions. With self-play it approaches the
 * equilibrium that the magnet's pull selects; let alpha and eta fall. */
#include "learner/train/on_policy.h"
#include "learner/train/schedule.h"

#include <math.h>

typedef struct MmdConfig {
  double step, step_end;
  double clip;
  int64_t epochs, minibatches;
} MmdConfig;

static const Option options[] = {
    {"step", OPT_FLOAT, offsetof(MmdConfig, step), "0.5", 1e-6, 1e6, NULL, "",
     "eta at the start: how far an update may go, by KL(policy || policy before) / eta"},
    {"step_end", OPT_FLOAT, offsetof(MmdConfig, step_end), "0.05", 1e-6, 1e6, NULL, "",
     "eta at the end"},
    {"clip", OPT_FLOAT, offsetof(MmdConfig, clip), "1", 0.001, OPTION_NO_LIMIT, NULL, "",
     "largest change of a ratio that still earns, a guard against stray steps"},
    {"epochs", OPT_INT, offsetof(MmdConfig, epochs), "2", 1, 100, NULL, "",
     "passes over each batch"},
    {"minibatches", OPT_INT, offsetof(MmdConfig, minibatches), "8", 1, 4096, NULL, "",
     "parts of a batch, one optimiser step each"},
};

/* The values of when a row acted are enough: no pass before the update. */
static void mmd_plan(const void *own, AlgoPlan *out) {
  const MmdConfig *config = own;
  out->epochs = (size_t)config->epochs;
  out->minibatches = (size_t)config->minibatches;
}

/* The weight of KL(policy || policy before the update), 1 / eta, which grows as eta falls. */
static double mmd_proximal(const Experience *e) {
  const MmdConfig *config = e->own;
  return 1 / schedule_at(e->config->decay, config->step, config->step_end, e->progress);
}

/* The first term of the objective alone: both KLs are exact over all choices, and on_policy.c adds
 * them. A ratio that has strayed beyond 1 +- clip, on the side that the advantage pushes to, gives
 * the policy no gradient: the exact KL holds it back on average, not in every row. */
static RowLoss mmd_row(const Experience *e, size_t row, float log_prob, float value) {
  const MmdConfig *config = e->own;
  float advantage = e->advantage[row];
  float log_ratio = log_prob - e->batch->log_prob[row];
  float ratio = expf(log_ratio);
  float error = value - e->target[row];
  float clip = (float)config->clip;
  bool stray = advantage > 0 ? ratio > 1 + clip : ratio < 1 - clip;
  return (RowLoss){.policy_loss = -ratio * advantage,
                   .by_log_prob = stray ? 0.0f : -advantage * ratio,
                   .value_loss = 0.5f * error * error,
                   .by_value = error,
                   .log_ratio = log_ratio,
                   .ratio = ratio,
                   .clipped = stray};
}

const AlgoOps algo_mmd = {
    .name = "mmd",
    .summary = "magnetic mirror descent: small steps in KL, pulled to a magnet",
    .options = options,
    .option_count = COUNT_OF(options),
    .config_size = sizeof(MmdConfig),
    .taught = true,
    .normalises = true,
    .plan = mmd_plan,
    .targets = targets_gae,
    .row = mmd_row,
    .proximal = mmd_proximal,
};
