/* IMPALA's actor-critic (Espeholt et al. 2018, section 4.2): V-trace targets by the present
 * weights, one pass over the batch. UPGO (Vinyals et al. 2019) adds a policy gradient towards
 * trajectories that were better than expected. */
#include "data/returns.h"
#include "learner/train/on_policy.h"

#include <math.h>

typedef struct ImpalaConfig {
  double clip_rho, clip_pg;
  double upgo;
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

/* One pass, and before it one look with the present weights: V-trace compares them with those that
 * acted. */
static void impala_plan(const void *own, AlgoPlan *out) {
  const ImpalaConfig *config = own;
  out->epochs = 1;
  out->minibatches = (size_t)config->minibatches;
  out->evaluate = true;
}

/* Adds UPGO's advantages to those of V-trace. */
static void add_upgo(const Trajectory *path, float weight) {
  float *upgo = path->scratch;
  returns_upgo(path->reward, path->discount, path->value, path->bootstrap, path->log_rho,
               path->rows, upgo);
  for (size_t t = 0; t < path->rows; t++)
    path->advantage[t] += weight * upgo[t];
}

/* V-trace of each trajectory: value targets, and advantages that are weighted already. */
static void vtrace_of(const Experience *e, const Trajectory *path) {
  const ImpalaConfig *config = e->own;
  returns_vtrace(path->reward, path->discount, path->value, path->bootstrap, path->log_rho,
                 (float)config->clip_rho, (float)config->clip_pg, (float)e->config->lambda,
                 path->rows, path->target, path->advantage);
  if (config->upgo > 0) add_upgo(path, (float)config->upgo);
}

static void impala_targets(const Experience *e) {
  follow_cells(e, e->value_now, vtrace_of);
}

/* The plain policy gradient: importance weights are in the advantage, not in a ratio. */
static RowLoss impala_row(const Experience *e, size_t row, float log_prob, float value) {
  float advantage = e->advantage[row];
  float error = value - e->target[row];
  float log_ratio = log_prob - e->batch->log_prob[row];
  return (RowLoss){.policy_loss = -advantage * log_prob,
                   .by_log_prob = -advantage,
                   .value_loss = 0.5f * error * error,
                   .by_value = error,
                   .log_ratio = log_ratio,
                   .ratio = expf(log_ratio)};
}

const AlgoOps algo_impala = {
    .name = "impala",
    .summary = "actor-critic with V-trace, one pass, optional UPGO",
    .options = options,
    .option_count = COUNT_OF(options),
    .config_size = sizeof(ImpalaConfig),
    .taught = true,
    .plan = impala_plan,
    .targets = impala_targets,
    .row = impala_row,
};
