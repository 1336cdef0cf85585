#include "learner/train/on_policy.h"

#include "data/returns.h"

#include <string.h>

/* The value behind an unroll's last row: 0 after a terminal state, else what was recorded there. */
float bootstrap_of(const Unroll *unroll, const float *value) {
  return unroll->end == END_TERMINATED ? 0 : value[unroll->first + unroll->rows];
}

/* Advantages by GAE(lambda) (Schulman et al., arXiv 1506.02438); the values' targets are advantage
 * + value, the lambda-return. */
void targets_gae(const Experience *e) {
  const Batch *batch = e->batch;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    size_t at = unroll->first;
    size_t n = unroll->rows;
    float bootstrap = bootstrap_of(unroll, batch->value);
    returns_gae(batch->reward + at, e->discount + at, batch->value + at, bootstrap,
                (float)e->config->lambda, n, e->advantage + at);
    for (size_t t = 0; t < n; t++)
      e->target[at + t] = e->advantage[at + t] + batch->value[at + t];
  }
}

/* Adds what has passed since the last charge to *spent. */
static void charge(const Pass *pass, int64_t *spent) {
  int64_t now = clock_now(pass->clock);
  *spent += now - *pass->since;
  *pass->since = now;
}

/* Loss and derivatives of one row, `at` in the pass and `row` in the batch. */
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
  pass->d_value[at] = loss.by_value * pass->value_weight;
  sums->policy += loss.policy_loss;
  sums->value += loss.value_loss / (pass->value_unit * pass->value_unit);
  sums->entropy += entropy;
  sums->kl += loss.ratio - 1 - loss.log_ratio;
  if (reference) sums->kl_reference += pull * dist_kl(space, line, reference);
  sums->clipped += loss.clipped;
  sums->rows++;
}

/* Forward, loss of each row, backward. Rows that are only passed through, for the recurrent state's
 * sake or as bootstraps, get the gradient 0. */
void pass_rows(const Pass *pass, LossSums *sums) {
  const Net *net = pass->net;
  size_t W = net->space.width;
  net_forward(net, pass->block, pass->packed, pass->space, pass->sequences, pass->logits,
              pass->value, NULL);
  charge(pass, &pass->times->forward);
  dist_normalise_rows(&net->space, pass->logits, pass->mask, pass->rows, pass->logits);
  dist_probabilities(&net->space, pass->logits, pass->rows, pass->probability);
  for (size_t at = 0; at < pass->rows; at++) {
    int32_t row = pass->row_of[at];
    if (row >= 0 && pass->experience->is_learned[row]) {
      row_loss(pass, at, (size_t)row, sums);
      continue;
    }
    memset(pass->d_logits + at * W, 0, W * sizeof *pass->d_logits);
    pass->d_value[at] = 0;
  }
  charge(pass, &pass->times->loss);
  net_backward(net, pass->block, pass->packed, pass->gradient, pass->space, pass->sequences,
               pass->d_logits, pass->d_value, pass->done, pass->done_context);
  charge(pass, &pass->times->backward);
}
