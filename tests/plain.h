/* An algorithm that lives in the tests only, and uses what no other does: REINFORCE, with a pass
 * and a cost of its own, and two parts besides the policy: a guess of what a decision brings, and a
 * copy of it that follows slowly. */
#pragma once
#include "learner/train/on_policy.h"

#include <math.h>

typedef struct PlainConfig {
  double scale;
} PlainConfig;

static const Option plain_options[] = {
    {"scale", OPT_FLOAT, offsetof(PlainConfig, scale), "1", 0, 10, NULL, "", "of the advantage"},
};

static size_t plain_passes, plain_steps; /* of all updates so far */

static void plain_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  (void)own;
  (void)layout;
  out->rule = RULE_SOFTMAX;
}

static void plain_plan(const void *own, AlgoPlan *out) {
  (void)own;
  out->minibatches = 3;
}

static double plain_cost(const void *own, double forward, double train) {
  (void)own;
  return 2 * train + forward;
}

static void plain_targets(const Experience *e) {
  const PlainConfig *config = e->own;
  targets_gae(e);
  for (size_t r = 0; r < e->batch->rows; r++)
    if (e->is_learned[r]) e->advantage[r] *= (float)config->scale;
}

static RowLoss plain_row(const Experience *e, size_t row, float log_prob, float value) {
  float error = value - e->target[row];
  float log_ratio = log_prob - e->batch->log_prob[row];
  return (RowLoss){.policy_loss = -e->advantage[row] * log_prob,
                   .by_log_prob = -e->advantage[row],
                   .value_loss = 0.5f * error * error,
                   .by_value = error,
                   .log_ratio = log_ratio,
                   .ratio = expf(log_ratio)};
}

/* Two floats that are trained, and one that is counted. */
enum { GUESS, GUESS_SLOW, GUESS_TRAINED = 2, GUESS_FLOATS = 3 };

static Status guess_init(const AlgoPart *part, AgonRng *rng, float *block) {
  (void)part;
  for (size_t i = 0; i < GUESS_TRAINED; i++)
    block[i] = 0.1f * (float)rng_normal(rng);
  return OK;
}

static Status plain_parts(Algo *algo) {
  algo->part[GUESS] = (AlgoPart){
      .name = "guess", .floats = GUESS_FLOATS, .trained = GUESS_TRAINED, .init = guess_init};
  algo->part[GUESS_SLOW] =
      (AlgoPart){.name = "guess_slow", .floats = GUESS_FLOATS, .init = guess_init};
  algo->parts = 2;
  return OK;
}

/* The guess: what a decision brings, as a + b * (what the value said when it acted). */
static void plain_pass(const Pass *pass, LossSums *sums) {
  const Experience *e = pass->experience;
  const float *guess = e->part[GUESS];
  float *gradient = pass->part[GUESS].gradient;
  plain_passes++;
  assert_null(pass->part[GUESS_SLOW].gradient);
  for (size_t at = 0; at < pass->rows; at++) {
    int32_t row = pass->row_of[at];
    if (row < 0 || !e->is_learned[row]) continue;
    float value = e->batch->value[row];
    float error = guess[0] + guess[1] * value - e->target[row];
    gradient[0] += error;
    gradient[1] += error * value;
  }
  pass_rows(pass, sums);
}

static void plain_stepped(const Experience *e) {
  float *guess = e->part[GUESS];
  float *slow = e->part[GUESS_SLOW];
  plain_steps++;
  assert_true(e->step > 0);
  guess[2] += 1;
  for (size_t i = 0; i < GUESS_TRAINED; i++)
    slow[i] += 0.1f * (guess[i] - slow[i]);
}

static const AlgoOps plain = {
    .name = "plain",
    .summary = "REINFORCE, for this test",
    .options = plain_options,
    .option_count = COUNT_OF(plain_options),
    .config_size = sizeof(PlainConfig),
    .normalises = true,
    .needs = plain_needs,
    .parts = plain_parts,
    .plan = plain_plan,
    .cost = plain_cost,
    .targets = plain_targets,
    .row = plain_row,
    .pass = plain_pass,
    .stepped = plain_stepped,
};
