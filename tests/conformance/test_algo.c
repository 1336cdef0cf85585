/* What every algorithm owes the update that drives it, asked of each one in the table and of one
 * that lives here only, which uses what no other does. */
#include "check.h"
#include "learn.h"

#include "learner/train/on_policy.h"

/* --- an algorithm for this test: REINFORCE, with a pass and a cost of its own --- */
typedef struct PlainConfig {
  double scale;
} PlainConfig;

static const Option plain_options[] = {
    {"scale", OPT_FLOAT, offsetof(PlainConfig, scale), "1", 0, 10, NULL, "", "of the advantage"},
};

static size_t passes, steps; /* of all updates so far */

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

static void plain_pass(const Pass *pass, LossSums *sums) {
  passes++;
  pass_rows(pass, sums);
}

static void plain_stepped(const Experience *e) {
  steps++;
  assert_true(e->step > 0);
}

static const AlgoOps plain = {
    .name = "plain",
    .summary = "REINFORCE, for this test",
    .options = plain_options,
    .option_count = COUNT_OF(plain_options),
    .config_size = sizeof(PlainConfig),
    .normalises = true,
    .needs = plain_needs,
    .plan = plain_plan,
    .cost = plain_cost,
    .targets = plain_targets,
    .row = plain_row,
    .pass = plain_pass,
    .stepped = plain_stepped,
};

/* Those of the table, then the one above. */
static const AlgoOps *subject(size_t index) {
  if (algo_ops(index)) return algo_ops(index);
  return index == 0 || algo_ops(index - 1) ? &plain : NULL;
}

/* --- tables --- */
static void tables_are_whole(void **state) {
  (void)state;
  const Option *algorithm = NULL;
  for (size_t i = 0; i < learn_option_count; i++)
    if (!strcmp(learn_options[i].name, "algorithm")) algorithm = &learn_options[i];
  assert_non_null(algorithm);
  assert_string_equal(algorithm->fallback, algo_ops(0)->name);
  const char *choice = algorithm->choices;
  for (size_t i = 0; subject(i); i++) {
    const AlgoOps *algo = subject(i);
    assert_true(algo->name && *algo->name && algo->summary && *algo->summary);
    assert_true(algo->plan && algo->targets && (algo->row || algo->pass));
    for (size_t o = 0; o < algo->option_count; o++)
      assert_true(algo->options[o].offset < algo->config_size && *algo->options[o].help);
    for (size_t other = 0; other < i; other++) assert_string_not_equal(algo->name, subject(other)->name);
    if (algo == &plain) continue;
    assert_ptr_equal(algo_find(algo->name), algo);
    /* the choices of the option are the names of the table, in its order */
    size_t length = strlen(algo->name);
    assert_memory_equal(choice, algo->name, length);
    assert_true(choice[length] == (algo_ops(i + 1) ? '|' : '\0'));
    choice += length + 1;
  }
  assert_null(algo_find("plain"));
}

static void plans_and_costs_are_sensible(void **state) {
  (void)state;
  for (size_t i = 0; subject(i); i++) {
    Bench b;
    open_bench(&b, subject(i), 0, false);
    AlgoPlan plan = algo_plan(b.algo, b.algo_config);
    double train = graph_flops_train(&b.net->graph);
    double forward = graph_flops_forward(&b.net->graph);
    assert_true(plan.epochs >= 1 && plan.minibatches >= 1);
    double cost = algo_cost(b.algo, b.algo_config, b.net);
    assert_true(cost >= train);
    if (b.algo == &plain) assert_true(cost == 2 * train + forward);
    if (!b.algo->cost) assert_true(cost == (double)plan.epochs * train + (plan.evaluate ? forward : 0));
    close_bench(&b);
  }
}

/* --- needs --- */
static AlgoNeeds wanted;

static void want(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  (void)own;
  (void)layout;
  *out = wanted;
}

static AgonKind layout_of(AgonActionKind kind) {
  static const uint32_t head_size[] = {3};
  return (AgonKind){.observation_type = AGON_F32,
                    .observation_shape = {2, 1, 1},
                    .action_kind = kind,
                    .heads = 1,
                    .head_size = head_size};
}

static void needs_are_met_or_refused_in_a_sentence(void **state) {
  (void)state;
  AgonKind discrete = layout_of(AGON_DISCRETE);
  AgonKind box = layout_of(AGON_BOX);
  for (size_t i = 0; algo_ops(i); i++) {
    Bench b;
    open_bench(&b, algo_ops(i), 0, false);
    CHECK_OK(algo_check(b.algo, b.algo_config, &discrete));
    Status status = algo_check(b.algo, b.algo_config, &box);
    if (status != OK) assert_non_null(strstr(status_message(), b.algo->name));
    close_bench(&b);
  }
  CHECK_OK(algo_check(&plain, NULL, &discrete));
  assert_int_equal(algo_check(&plain, NULL, &box), ERR_USAGE);
  assert_non_null(strstr(status_message(), "plain is for choices among actions"));
  const struct {
    AlgoNeeds needs;
    const char *says;
  } refused[] = {{{.rows = ROWS_AGENT + 1}, "whole teams"},
                 {{.replay = REPLAY_NONE + 1}, "old experience"},
                 {{.global = true}, "global state"},
                 {{.rule = RULE_GAUSSIAN}, "actions that are numbers"}};
  AlgoOps demanding = plain;
  demanding.needs = want;
  for (size_t i = 0; i < COUNT_OF(refused); i++) {
    wanted = refused[i].needs;
    assert_int_equal(algo_check(&demanding, NULL, &discrete), ERR_USAGE);
    assert_non_null(strstr(status_message(), refused[i].says));
  }
}

/* --- targets and losses --- */
enum { ROWS = 64 };

/* An experience by hand: unrolls of all ends, some rows to skip. What the algorithm has no business
 * with is not a number. */
typedef struct Hand {
  Batch batch;
  bool is_learned[ROWS];
  float discount[ROWS];
  float log_prob_now[ROWS], value_now[ROWS];
  float advantage[ROWS], target[ROWS];
  Experience experience;
} Hand;

static void fill_row(Hand *hand, AgonRng *rng, size_t row, bool decision) {
  Batch *batch = &hand->batch;
  batch->log_prob[row] = decision ? -1 - (float)rng_unit(rng) : NAN;
  batch->reward[row] = decision ? (float)rng_normal(rng) : NAN;
  batch->value[row] = (float)rng_normal(rng);
  hand->log_prob_now[row] = decision ? batch->log_prob[row] + .3f * (float)rng_normal(rng) : NAN;
  hand->value_now[row] = (float)rng_normal(rng);
  hand->discount[row] = decision ? .9f : NAN;
}

static void open_hand(Hand *hand, const Bench *b, uint64_t seed) {
  AgonRng rng = rng_stream(seed, 0, 0, RNG_TEST);
  Batch *batch = &hand->batch;
  *hand = (Hand){.is_learned = {false}};
  for (size_t r = 0; r < ROWS; r++) hand->advantage[r] = hand->target[r] = NAN;
  CHECK_OK(batch_create(&b->batch.format, batch));
  CHECK_OK(batch_reserve(batch, ROWS, 16));
  while (batch->rows < ROWS - 10) {
    Unroll unroll = {
        .rows = 1 + rng_below(&rng, 8), .end = (uint8_t)rng_below(&rng, 3), .first = (uint32_t)batch->rows};
    unroll.skip = rng_below(&rng, unroll.rows + 1);
    size_t span = unroll_span(&unroll);
    for (size_t t = 0; t < span; t++) {
      fill_row(hand, &rng, batch->rows + t, t < unroll.rows);
      hand->is_learned[batch->rows + t] = t < unroll.rows && t >= unroll.skip;
    }
    if (unroll.end == END_TERMINATED) hand->discount[batch->rows + unroll.rows - 1] = 0;
    batch->rows += span;
    batch->unroll[batch->unrolls++] = unroll;
  }
  AlgoPlan plan = algo_plan(b->algo, b->algo_config);
  hand->experience = (Experience){.config = &b->config,
                                  .own = b->algo_config,
                                  .progress = .5,
                                  .batch = batch,
                                  .is_learned = hand->is_learned,
                                  .discount = hand->discount,
                                  .log_prob_now = plan.evaluate ? hand->log_prob_now : NULL,
                                  .value_now = plan.evaluate ? hand->value_now : NULL,
                                  .advantage = hand->advantage,
                                  .target = hand->target};
}

static void every_choice(const Bench *b, size_t option, int *count) {
  *count = 1;
  if (b->algo->options[option].type != OPT_CHOICE) return;
  for (const char *c = b->algo->options[option].choices; *c; c++) *count += *c == '|';
}

/* Every learned row gets finite targets, from the columns that were asked for and from nothing
 * else; rows beyond the batch are left alone. With every choice of every option that is one. */
static void targets_come_from_what_was_asked_for(void **state) {
  (void)state;
  for (size_t i = 0; subject(i); i++) {
    Bench b;
    open_bench(&b, subject(i), 0, false);
    for (size_t o = 0; o < b.algo->option_count; o++) {
      int choices;
      every_choice(&b, o, &choices);
      for (int choice = 0; choice < choices; choice++) {
        Hand hand;
        if (choices > 1) memcpy((char *)b.algo_config + b.algo->options[o].offset, &choice, sizeof choice);
        open_hand(&hand, &b, i + 1);
        b.algo->targets(&hand.experience);
        for (size_t r = 0; r < ROWS; r++) {
          if (hand.is_learned[r] && !(isfinite(hand.advantage[r]) && isfinite(hand.target[r])))
            fail_msg("%s: row %zu has no targets", b.algo->name, r);
          if (r >= hand.batch.rows) assert_true(isnan(hand.advantage[r]) && isnan(hand.target[r]));
        }
        batch_destroy(&hand.batch);
      }
    }
    close_bench(&b);
  }
}

/* The derivatives are those of the losses, by finite differences; where a loss is clipped its
 * policy does not learn. */
static void derivatives_are_those_of_the_losses(void **state) {
  (void)state;
  const double step = 1e-3;
  for (size_t i = 0; subject(i); i++) {
    Bench b;
    Hand hand;
    AgonRng rng = rng_stream(7, 0, 0, RNG_TEST);
    size_t checked = 0;
    open_bench(&b, subject(i), 0, false);
    open_hand(&hand, &b, 5);
    b.algo->targets(&hand.experience);
    for (size_t r = 0; b.algo->row && r < hand.batch.rows; r++) {
      if (!hand.is_learned[r]) continue;
      float log_prob = hand.batch.log_prob[r] + .5f * (float)rng_normal(&rng);
      float value = hand.batch.value[r] + .5f * (float)rng_normal(&rng);
      RowLoss at = b.algo->row(&hand.experience, r, log_prob, value);
      RowLoss up = b.algo->row(&hand.experience, r, log_prob + (float)step, value + (float)step);
      RowLoss down = b.algo->row(&hand.experience, r, log_prob - (float)step, value - (float)step);
      CHECK_NEAR(at.log_ratio, log_prob - hand.batch.log_prob[r], 1e-6);
      CHECK_NEAR(at.ratio, exp((double)at.log_ratio), 1e-5 * (double)at.ratio);
      assert_true(at.value_loss >= 0);
      CHECK_NEAR(at.by_value, (double)(up.value_loss - down.value_loss) / (2 * step), 5e-3);
      if (at.clipped) assert_true(at.by_log_prob == 0);
      if (at.clipped || up.clipped || down.clipped) continue;
      double slope = (double)(up.policy_loss - down.policy_loss) / (2 * step);
      CHECK_NEAR(at.by_log_prob, slope, 5e-3 * (1 + fabs(slope)));
      checked++;
    }
    assert_true(checked > 10 || !b.algo->row);
    batch_destroy(&hand.batch);
    close_bench(&b);
  }
}

/* --- whole updates --- */
static void it_learns_and_repeats_itself(void **state) {
  (void)state;
  for (size_t i = 0; subject(i); i++) {
    Bench b[2];
    float p[3], q[3];
    for (int twice = 0; twice < 2; twice++) {
      open_bench(&b[twice], subject(i), 0, false);
      AlgoPlan plan = algo_plan(b[twice].algo, b[twice].algo_config);
      size_t each = plan.epochs * plan.minibatches;
      b[twice].config.rate = b[twice].config.rate_end = 0.01;
      passes = steps = 0;
      bandit(&b[twice], (int)(640 / each));
      if (b[twice].algo == &plain) assert_true(steps == 640 / each * each && passes == steps);
      assert_int_equal(b[twice].pupil.steps, 640 / each * each);
    }
    assert_memory_equal(b[0].pupil.block, b[1].pupil.block, b[0].net->block * sizeof(float));
    look(&b[0], .7f, 1, p);
    look(&b[0], -.7f, 1, q);
    if (!(p[2] > .8f && q[0] > .8f)) fail_msg("%s: %.2f and %.2f", b[0].algo->name, (double)p[2], (double)q[0]);
    for (int twice = 0; twice < 2; twice++) close_bench(&b[twice]);
  }
}

static void no_experience_moves_nothing_but_the_version(void **state) {
  (void)state;
  for (size_t i = 0; subject(i); i++) {
    Bench b;
    open_bench(&b, subject(i), 1, true);
    float *before = calloc(b.net->block, sizeof *before);
    memcpy(before, b.pupil.block, b.net->block * sizeof *before);
    update(&b);
    assert_memory_equal(before, b.pupil.block, b.net->block * sizeof *before);
    assert_int_equal(b.pupil.version, 1);
    assert_int_equal(b.pupil.steps, 0);
    free(before);
    close_bench(&b);
  }
}

/* Two members with the same rows each learn what one with these rows learns. */
static void members_share_an_update(void **state) {
  (void)state;
  for (size_t i = 0; subject(i); i++) {
    Bench b[2];
    Twin twin = {.fault = false};
    for (int k = 0; k < 2; k++) open_bench(&b[k], subject(i), 0, false);
    update_destroy(b[1].update);
    twin.net = b[1].net;
    Reducer reducer = {&twin, 2, 0, twin_start, twin_test};
    b[1].update = new_update(&b[1], &reducer);
    bandit(&b[0], 2);
    bandit(&b[1], 2);
    for (size_t w = 0; w < b[0].net->block; w++) CHECK_NEAR(b[0].pupil.block[w], b[1].pupil.block[w], 2e-4);
    assert_int_equal(b[1].pupil.frames, 2 * b[0].pupil.frames);
    for (int k = 0; k < 2; k++) close_bench(&b[k]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables_are_whole),
      cmocka_unit_test(plans_and_costs_are_sensible),
      cmocka_unit_test(needs_are_met_or_refused_in_a_sentence),
      cmocka_unit_test(targets_come_from_what_was_asked_for),
      cmocka_unit_test(derivatives_are_those_of_the_losses),
      cmocka_unit_test(it_learns_and_repeats_itself),
      cmocka_unit_test(no_experience_moves_nothing_but_the_version),
      cmocka_unit_test(members_share_an_update),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
