#include "learner/train/on_policy.h"

#include "data/returns.h"

#include <math.h>
#include <string.h>

/* Numbers of one trajectory, one behind another. */
enum {
  LANE_REWARD,
  LANE_DISCOUNT,
  LANE_VALUE,
  LANE_LOG_RHO,
  LANE_ADVANTAGE,
  LANE_TARGET,
  LANE_SCRATCH,
  LANES
};
_Static_assert((int)LANES == (int)TRAJECTORY_LANES, "an update makes room for as many");

/* Log of the ratio of the present to the acting policy's probability. Where nobody acted there is
 * none to correct for. */
static float log_rho_of(const Experience *e, size_t cell) {
  const Batch *batch = e->batch;
  if (batch->format.flags && !(batch->flags[cell] & AGON_ACTS)) return 0;
  return e->log_prob_now[cell] - batch->log_prob[cell];
}

/* What cell c goes through in an unroll. Where rows have one cell it lies in the batch as it is;
 * else it is picked out, worked on in lanes, and put back. */
static void follow_cell(const Experience *e, const Unroll *unroll, size_t c, const float *value,
                        TargetsOf *targets) {
  const Batch *batch = e->batch;
  size_t cells = format_cells(&batch->format);
  size_t first = unroll->first * cells + c;
  size_t n = unroll->rows;
  bool picked = cells > 1;
  float *lane[LANES];
  for (size_t i = 0; i < LANES; i++)
    lane[i] = e->lanes + i * n;
  for (size_t t = 0; t < n; t++) {
    size_t cell = first + t * cells;
    if (e->log_prob_now) lane[LANE_LOG_RHO][t] = log_rho_of(e, cell);
    if (!picked) continue;
    lane[LANE_REWARD][t] = batch->reward[cell];
    lane[LANE_DISCOUNT][t] = e->discount[cell];
    lane[LANE_VALUE][t] = value[cell];
  }
  const Trajectory trajectory = {
      .rows = n,
      .reward = picked ? lane[LANE_REWARD] : batch->reward + first,
      .discount = picked ? lane[LANE_DISCOUNT] : e->discount + first,
      .value = picked ? lane[LANE_VALUE] : value + first,
      .bootstrap = unroll->end == END_TERMINATED ? 0 : value[first + n * cells],
      .log_rho = e->log_prob_now ? lane[LANE_LOG_RHO] : NULL,
      .advantage = picked ? lane[LANE_ADVANTAGE] : e->advantage + first,
      .target = picked ? lane[LANE_TARGET] : e->target + first,
      .scratch = lane[LANE_SCRATCH],
  };
  targets(e, &trajectory);
  for (size_t t = 0; picked && t < n; t++) {
    e->advantage[first + t * cells] = lane[LANE_ADVANTAGE][t];
    e->target[first + t * cells] = lane[LANE_TARGET][t];
  }
}

void follow_cells(const Experience *e, const float *value, TargetsOf *targets) {
  const Batch *batch = e->batch;
  for (size_t u = 0; u < batch->unrolls; u++)
    for (size_t c = 0; c < format_cells(&batch->format); c++)
      follow_cell(e, &batch->unroll[u], c, value, targets);
}

/* Advantages by GAE(lambda) (Schulman et al., arXiv 1506.02438); the values' targets are advantage
 * + value, the lambda-return. */
static void gae_of(const Experience *e, const Trajectory *path) {
  returns_gae(path->reward, path->discount, path->value, path->bootstrap, (float)e->config->lambda,
              path->rows, path->advantage);
  for (size_t t = 0; t < path->rows; t++)
    path->target[t] = path->advantage[t] + path->value[t];
}

void targets_gae(const Experience *e) {
  follow_cells(e, e->value, gae_of);
}

/* What the value of a cell adds, `at` in the pass. */
static void value_loss(const Pass *pass, size_t at, const RowLoss *loss, LossSums *sums) {
  float unit = pass->experience->value_unit;
  pass->d_value[at] = loss->by_value * pass->value_weight * pass->value_share;
  sums->value += loss->value_loss / (unit * unit) * pass->value_share;
}

/* Loss and derivatives of a cell in which an agent acted, `at` in the pass and `row` in the
 * batch. */
static void row_loss(const Pass *pass, size_t at, size_t row, LossSums *sums) {
  const ActionSpace *space = &pass->net->space;
  const Batch *batch = pass->experience->batch;
  const float *line = pass->logits + at * space->width;
  const float *probability = pass->probability + at * space->width;
  float *d = pass->d_logits + at * space->width;
  float pull = pass->reference_row ? pass->pull[row] : 0;
  const float *reference = pull > 0 ? pass->reference_row + row * space->width : NULL;
  const AgonAction *action = batch_action(batch, row);
  float log_prob = dist_log_prob(space, line, action);
  RowLoss loss = pass->algo->ops->row(pass->experience, row, log_prob, pass->value[at]);
  float entropy = dist_backward(space, line, probability, reference, action, loss.by_log_prob,
                                -pass->entropy_weight, pass->reference_weight * pull, d);
  if (pass->proximal_weight > 0)
    dist_add_kl(space, line, probability, pass->before_row + row * space->width,
                pass->proximal_weight, d);
  if (pass->teacher_row)
    sums->kl_teacher += dist_teach(space, line, probability, pass->teacher_row + row * space->width,
                                   pass->teacher_weight, d);
  value_loss(pass, at, &loss, sums);
  sums->policy += loss.policy_loss;
  sums->entropy += entropy;
  sums->kl += loss.ratio - 1 - loss.log_ratio;
  if (reference) sums->kl_reference += pull * dist_kl(space, line, reference);
  sums->clipped += loss.clipped;
  sums->rows++;
}

/* A cell that the policy learns nothing from: only its value is, where it counts. */
static void cell_loss(const Pass *pass, size_t at, int32_t cell, LossSums *sums) {
  const Experience *e = pass->experience;
  size_t W = pass->net->space.width;
  memset(pass->d_logits + at * W, 0, W * sizeof *pass->d_logits);
  pass->d_value[at] = 0;
  if (cell < 0 || !e->is_valued[cell]) return;
  RowLoss loss = pass->algo->ops->row(e, (size_t)cell, e->batch->log_prob[cell], pass->value[at]);
  value_loss(pass, at, &loss, sums);
}

/* See on_policy.h. */
RowLoss loss_clipped(const Experience *e, size_t row, float log_prob, float clip) {
  float advantage = e->advantage[row];
  float log_ratio = log_prob - e->batch->log_prob[row];
  float ratio = expf(log_ratio);
  float held = ratio < 1 - clip ? 1 - clip : ratio > 1 + clip ? 1 + clip : ratio;
  bool clipped = held * advantage < ratio * advantage;
  return (RowLoss){.policy_loss = -(clipped ? held : ratio) * advantage,
                   .by_log_prob = clipped ? 0.0f : -advantage * ratio,
                   .log_ratio = log_ratio,
                   .ratio = ratio,
                   .clipped = clipped};
}

/* Logits of the rows in the pass, and their values: the critic's, where there is one. */
static void forward(const Pass *pass) {
  const Critic *critic = pass->algo->critic;
  const PassPart *own = &pass->part[pass->algo->critic_part];
  net_forward(pass->net, pass->block, pass->packed, pass->space, pass->sequences, pass->logits,
              critic ? NULL : pass->value, NULL);
  if (critic)
    critic_forward(critic, own->block, own->packed, own->space, pass->sequences, pass->value, NULL);
}

/* The critic first: parts' gradients are complete when the policy's begin to be. Its policy is told
 * nothing of values. */
static void backward(const Pass *pass) {
  const Critic *critic = pass->algo->critic;
  const PassPart *own = &pass->part[pass->algo->critic_part];
  if (critic) {
    critic_backward(critic, own->block, own->packed, own->gradient, own->space, pass->sequences,
                    pass->d_value, NULL, NULL);
    memset(pass->d_value, 0, pass->rows * sizeof *pass->d_value);
  }
  net_backward(pass->net, pass->block, pass->packed, pass->gradient, pass->space, pass->sequences,
               pass->d_logits, pass->d_value, pass->done, pass->done_context);
}

/* Forward, loss of each cell, backward. Cells that are only passed through, for the recurrent
 * state's sake or as bootstraps, get the gradient 0. */
void pass_rows(const Pass *pass, LossSums *sums) {
  const Net *net = pass->net;
  forward(pass);
  pass_charge(pass, &pass->times->forward);
  dist_normalise_rows(&net->space, pass->logits, pass->mask, pass->rows, pass->logits);
  dist_probabilities(&net->space, pass->logits, pass->rows, pass->probability);
  for (size_t at = 0; at < pass->rows; at++) {
    int32_t row = pass->row_of[at];
    if (row >= 0 && pass->experience->is_learned[row])
      row_loss(pass, at, (size_t)row, sums);
    else
      cell_loss(pass, at, row, sums);
  }
  pass_charge(pass, &pass->times->loss);
  backward(pass);
  pass_charge(pass, &pass->times->backward);
}
