/* What every algorithm owes the update that drives it, asked of each one in the table and of the
 * one in plain.h, which uses what no other does. */
#include "check.h"
#include "learn.h"
#include "plain.h"

#include "base/text.h"

/* Those of the table, then the tests' own. */
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
    double cost = algo_cost(b.made);
    assert_true(cost >= train);
    if (b.algo == &plain) assert_true(cost == 2 * train + forward);
    for (size_t p = 0; p < b.made->parts; p++) {
      const AlgoPart *part = &b.made->part[p];
      if (!part->graph) continue;
      double there = graph_flops_forward(part->graph);
      train += part->trained ? graph_flops_train(part->graph) : there;
      forward += there;
    }
    if (!b.algo->cost)
      CHECK_NEAR(cost, (double)plan.epochs * train + (plan.evaluate ? forward : 0), 1e-6 * cost);
    close_bench(&b);
  }
}

/* What a checkpoint's columns of a player are called already. */
static bool is_taken(const char *name) {
  static const char *const taken[] = {"policy", "adam", "normaliser", "counters"};
  for (size_t i = 0; i < COUNT_OF(taken); i++)
    if (!strncmp(name, taken[i], strlen(taken[i]))) return true;
  return false;
}

static void parts_have_names_and_sizes(void **state) {
  (void)state;
  for (size_t i = 0; subject(i); i++) {
    Bench b;
    open_bench(&b, subject(i), 0, false);
    const AlgoPart *part = b.made->part;
    size_t count = b.made->parts;
    size_t trained = b.net->graph.params;
    assert_true(count <= ALGO_PARTS);
    for (size_t k = 0; k < count; k++) {
      assert_true(part[k].trained <= part[k].floats && part[k].floats > 0);
      assert_true(text_is_name(part[k].name, 24) && !is_taken(part[k].name));
      for (size_t other = 0; other < k; other++)
        assert_string_not_equal(part[k].name, part[other].name);
      trained += part[k].trained;
    }
    assert_int_equal(b.pupil.parts, 1 + count);
    assert_int_equal(algo_trained(b.made), trained);
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
  } refused[] = {{{.rows = ROWS_TEAM + 1}, "rows that actors do not record"},
                 {{.replay = REPLAY_EPISODES}, "kept experience"},
                 {{.global = true}, "global state"},
                 {{.partner = true}, "what the other player does"},
                 {{.rows = ROWS_TEAM, .partner = true}, "what the other player does"}, /* and no `shape` */
                 {{.rule = RULE_GAUSSIAN}, "actions that are numbers"}};
  AlgoOps demanding = plain;
  demanding.needs = want;
  wanted = (AlgoNeeds){.rows = ROWS_TEAM, .replay = REPLAY_EPISODES, .global = true};
  CHECK_OK(algo_check(&demanding, NULL, &discrete));
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
  float log_prob_now[ROWS], value_now[ROWS], value[ROWS];
  float advantage[ROWS], target[ROWS];
  float lanes[TRAJECTORY_LANES * 8];
  Experience experience;
} Hand;

static void fill_row(Hand *hand, AgonRng *rng, size_t row, bool decision) {
  Batch *batch = &hand->batch;
  batch->log_prob[row] = decision ? -1 - (float)rng_unit(rng) : NAN;
  batch->reward[row] = decision ? (float)rng_normal(rng) : NAN;
  hand->value[row] = (float)rng_normal(rng);
  if (batch->format.flags)
    batch->flags[row] = ROW_FLAGS;
  else
    batch->value[row] = hand->value[row];
  hand->log_prob_now[row] = decision ? batch->log_prob[row] + .3f * (float)rng_normal(rng) : NAN;
  hand->value_now[row] = (float)rng_normal(rng);
  hand->discount[row] = decision ? .9f : NAN;
}

static void open_hand(Hand *hand, const Bench *b, uint64_t seed) {
  AgonRng rng = rng_stream(seed, 0, 0, RNG_TEST);
  Batch *batch = &hand->batch;
  *hand = (Hand){.is_learned = {false}};
  for (size_t r = 0; r < ROWS; r++)
    hand->advantage[r] = hand->target[r] = NAN;
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
                                  .is_valued = hand->is_learned,
                                  .discount = hand->discount,
                                  .log_prob_now = plan.evaluate ? hand->log_prob_now : NULL,
                                  .value_now = plan.evaluate ? hand->value_now : NULL,
                                  .value = hand->value,
                                  .value_unit = 1,
                                  .unit_known = true,
                                  .lanes = hand->lanes,
                                  .advantage = hand->advantage,
                                  .target = hand->target};
}

static void every_choice(const Bench *b, size_t option, int *count) {
  *count = 1;
  if (b->algo->options[option].type != OPT_CHOICE) return;
  for (const char *c = b->algo->options[option].choices; *c; c++)
    *count += *c == '|';
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
      float value = hand.value[r] + .5f * (float)rng_normal(&rng);
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
      plain_passes = plain_steps = 0;
      bandit(&b[twice], (int)(640 / each));
      if (b[twice].algo == &plain)
        assert_true(plain_steps == 640 / each * each && plain_passes == plain_steps);
      assert_int_equal(b[twice].pupil.steps, 640 / each * each);
    }
    assert_memory_equal(b[0].pupil.block, b[1].pupil.block, b[0].net->block * sizeof(float));
    look(&b[0], .7f, 1, p);
    look(&b[0], -.7f, 1, q);
    if (!(p[2] > .8f && q[0] > .8f))
      fail_msg("%s: %.2f and %.2f", b[0].algo->name, (double)p[2], (double)q[0]);
    for (int twice = 0; twice < 2; twice++)
      close_bench(&b[twice]);
  }
}

/* The parts of the tests' own algorithm: one learns by gradients, beside the policy and clipped by
 * itself; the other follows it by the algorithm's own hand; and a new life begins with both anew.
 */
static void parts_learn_beside_the_policy(void **state) {
  (void)state;
  Bench b;
  open_bench(&b, &plain, 0, false);
  const TrainShape shape = shape_of(&b);
  const TrainPart *guess = &b.pupil.part[1];
  const TrainPart *slow = &b.pupil.part[2];
  float first[GUESS_FLOATS], first_slow[GUESS_FLOATS];
  assert_string_equal(b.pupil.part[0].name, "policy");
  assert_ptr_equal(b.pupil.part[0].block, b.pupil.block);
  memcpy(first, guess->block, sizeof first);
  memcpy(first_slow, slow->block, sizeof first_slow);
  assert_true(first[0] != 0 && first[2] == 0);
  b.config.rate = b.config.rate_end = 0.01;
  bandit(&b, 300);
  assert_true(guess->block[2] == 300 * 3); /* counted by the algorithm, not stepped */
  assert_true(guess->m[0] != 0 && guess->v[0] > 0);
  /* what a decision brings in the end is near 1: a guess of it, too, and what follows lies behind
   */
  CHECK_NEAR(guess->block[0] + guess->block[1], 1, .1);
  assert_true(slow->block[0] != first_slow[0] && slow->block[0] != guess->block[0]);
  CHECK_NEAR(slow->block[0], guess->block[0], .05);
  CHECK_OK(train_state_reset(&shape, &b.pupil, NULL));
  assert_memory_equal(guess->block, first, sizeof first);
  assert_memory_equal(slow->block, first_slow, sizeof first_slow);
  assert_true(guess->m[0] == 0 && guess->v[0] == 0);
  close_bench(&b);
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
    for (int k = 0; k < 2; k++)
      open_bench(&b[k], subject(i), 0, false);
    update_destroy(b[1].update);
    twin.net = b[1].net;
    Reducer reducer = {&twin, 2, 0, twin_start, twin_test};
    b[1].update = new_update(&b[1], &reducer);
    bandit(&b[0], 2);
    bandit(&b[1], 2);
    for (size_t w = 0; w < b[0].net->block; w++)
      CHECK_NEAR(b[0].pupil.block[w], b[1].pupil.block[w], 2e-4);
    for (size_t k = 1; k < b[0].pupil.parts; k++)
      for (size_t w = 0; w < b[0].pupil.part[k].floats; w++)
        CHECK_NEAR(b[0].pupil.part[k].block[w], b[1].pupil.part[k].block[w], 2e-4);
    assert_int_equal(b[1].pupil.frames, 2 * b[0].pupil.frames);
    for (int k = 0; k < 2; k++)
      close_bench(&b[k]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables_are_whole),
      cmocka_unit_test(plans_and_costs_are_sensible),
      cmocka_unit_test(parts_have_names_and_sizes),
      cmocka_unit_test(needs_are_met_or_refused_in_a_sentence),
      cmocka_unit_test(targets_come_from_what_was_asked_for),
      cmocka_unit_test(derivatives_are_those_of_the_losses),
      cmocka_unit_test(it_learns_and_repeats_itself),
      cmocka_unit_test(parts_learn_beside_the_policy),
      cmocka_unit_test(no_experience_moves_nothing_but_the_version),
      cmocka_unit_test(members_share_an_update),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
