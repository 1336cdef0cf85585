/* Learning with opponent-learning awareness, by policy gradients (Foerster et al. 2018, section
 * 4.3): in a game of two who both learn, each climbs what it would earn after the other's next
 * step, of rate eta along the other's own gradient,
 *
 *   V1(theta1, theta2 + eta dV2/dtheta2),
 *
 * to first order: dV1/dtheta1 + eta (dV1/dtheta2) (d^2 V2 / dtheta2 dtheta1). The first factor of
 * the correction is one direction v in the other's weights (AlgoOps.shape), and all that is needed
 * of the second is its derivative along v: with s_k that of the other's log-probability at step k,
 *
 *   sum_l grad log pi1(l) sum_{t >= l} gamma^t r2_t sum_{k <= t} s_k.
 *
 * So the correction is a policy gradient whose advantages are other ones, and no second derivative
 * of a network is formed. Each pair of choices (l, k) is credited with what follows the later one,
 * less the other's value there, which leaves the expectation as it is: for l with the other's
 * advantages A2,
 *
 *   gamma^l A2_l sum_{k <= l} s_k + sum_{k > l} gamma^k A2_k s_k.
 *
 * V is what an unroll is worth from its beginning on, hence gamma^t, here and in the naive part;
 * pairs are of one unroll. */
#include "learner/train/on_policy.h"
#include "learner/train/schedule.h"

#include <math.h>

typedef struct LolaConfig {
  double eta, eta_end;
  double clip;
} LolaConfig;

static const Option options[] = {
    {"eta", OPT_FLOAT, offsetof(LolaConfig, eta), "1", 0, OPTION_NO_LIMIT, NULL, "",
     "rate of the step that the other player is expected to take along its own gradient, in "
     "rewards as they are, at the start; 0: it is taken as it is, a naive learner"},
    {"eta_end", OPT_FLOAT, offsetof(LolaConfig, eta_end), "1", 0, OPTION_NO_LIMIT, NULL, "",
     "the same at the end; between them as learner.decay says"},
    {"clip", OPT_FLOAT, offsetof(LolaConfig, clip), "0.2", 0.001, 10, NULL, "",
     "largest change of a ratio that still earns: pace pipelined learns from decisions that are a "
     "tick old; in lockstep all ratios are 1"},
};

static void lola_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  (void)own;
  (void)layout;
  out->rows = ROWS_TEAM;
  out->partner = true;
}

/* One step, as the direction and the slopes are of the weights that the batch was evaluated by. */
static void lola_plan(const void *own, AlgoPlan *out) {
  (void)own;
  out->evaluate = true;
}

/* Both players' rows are evaluated; the direction is a pass forward and back through the partner's
 * network, the slopes two forward. */
static double lola_cost(const void *own, double forward, double train) {
  (void)own;
  return 2 * train + 4 * forward;
}

/* As they count at the beginning of the trajectory. */
static void discount(const Experience *e, const Unroll *unroll) {
  const size_t cells = format_cells(&e->batch->format);
  double worth = 1;
  for (size_t t = 0; t < unroll->rows; t++, worth *= e->config->gamma)
    for (size_t c = 0; c < cells; c++)
      e->advantage[(unroll->first + t) * cells + c] *= (float)worth;
}

static void lola_targets(const Experience *e) {
  targets_gae(e);
  for (size_t u = 0; u < e->batch->unrolls; u++)
    discount(e, &e->batch->unroll[u]);
}

/* Adds the correction to the advantages of an unroll whose steps all have the partner's beside
 * them. */
static void shape_unroll(const Experience *e, const Unroll *unroll, double eta) {
  const int32_t *met = e->met + unroll->first;
  float *before = e->lanes; /* slopes up to each step */
  double sum = 0;
  for (size_t t = 0; t < unroll->rows; t++) {
    sum += (double)e->met_slope[met[t]];
    before[t] = (float)sum;
  }
  double later = 0;
  for (size_t t = unroll->rows; t-- > 0;) {
    const double advantage = (double)e->met_advantage[met[t]];
    const double correction = advantage * (double)before[t] + later;
    later += advantage * (double)e->met_slope[met[t]];
    e->advantage[unroll->first + t] += (float)(eta * correction);
  }
}

static void lola_shape(const Experience *e) {
  const LolaConfig *config = e->own;
  const double eta = schedule_at(e->config->decay, config->eta, config->eta_end, e->progress);
  for (size_t u = 0; u < e->batch->unrolls; u++) {
    const Unroll *unroll = &e->batch->unroll[u];
    if (e->met[unroll->first] >= 0) shape_unroll(e, unroll, eta);
  }
}

static RowLoss lola_row(const Experience *e, size_t row, float log_prob, float value) {
  const LolaConfig *config = e->own;
  const float error = value - e->target[row];
  RowLoss loss = loss_clipped(e, row, log_prob, (float)config->clip);
  loss.value_loss = 0.5f * error * error;
  loss.by_value = error;
  return loss;
}

const AlgoOps algo_lola = {
    .name = "lola",
    .summary = "policy gradients that go by how the one other player learns (LOLA)",
    .options = options,
    .option_count = COUNT_OF(options),
    .config_size = sizeof(LolaConfig),
    .needs = lola_needs,
    .plan = lola_plan,
    .cost = lola_cost,
    .targets = lola_targets,
    .shape = lola_shape,
    .row = lola_row,
};
