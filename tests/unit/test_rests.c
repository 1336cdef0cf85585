/* What an algorithm may decide beside its losses: which parts a step leaves alone, and by what eyes
 * everything is seen before an update. */
#include "check.h"
#include "learn.h"
#include "plain.h"

#include "learner/columns.h"
#include "store/counters.h"

enum { EVERY = 3 }; /* the policy is stepped by each third minibatch, the guess by the others */

static size_t rests_asked;

/* plain makes three steps of an update, each over a third of the batch. */
static bool rests_in_turn(const Experience *e, size_t part) {
  bool policy_turn = e->step % EVERY == EVERY - 1;
  assert_true(e->epoch <= e->step && e->seed == 1);
  assert_true(part <= 2);
  rests_asked++;
  return part == 0 ? !policy_turn : policy_turn;
}

static void open_resting(Bench *b, AlgoOps *ops) {
  *ops = plain;
  ops->rests = rests_in_turn;
  open_bench(b, ops, 0, false);
  b->config.rate = b->config.rate_end = .01;
  b->config.clip_norm = 0;
}

static double largest_move(const float *a, const float *b, size_t count) {
  double most = 0;
  for (size_t i = 0; i < count; i++)
    most = fmax(most, fabs((double)(a[i] - b[i])));
  return most;
}

/* A part that rests does not move, nor do its moments; and its own steps are what Adam counts: the
 * first, however late, is as large as the rate. */
static void who_rests_stays_as_it_is(void **state) {
  (void)state;
  AlgoOps ops;
  Bench b;
  open_resting(&b, &ops);
  const TrainPart *policy = &b.pupil.part[0];
  const TrainPart *guess = &b.pupil.part[1];
  float *first = malloc(policy->floats * sizeof *first);
  memcpy(first, policy->block, policy->floats * sizeof *first);
  const double before = (double)guess->block[0];
  bandit(&b, 1);
  assert_int_equal(b.pupil.steps, EVERY);
  assert_int_equal(policy->steps, 1);
  assert_int_equal(guess->steps, EVERY - 1);
  assert_int_equal(b.pupil.part[2].steps, 0); /* nothing of it is trained */
  CHECK_NEAR(largest_move(first, policy->block, policy->trained), .01, 1e-4);
  CHECK_NEAR(fabs((double)guess->block[0] - before), .02, 1e-3);
  assert_true(b.update->stats.minibatches == EVERY && b.update->stats.policy_steps == 1);
  assert_true(rests_asked >= 3 * EVERY);
  free(first);
  close_bench(&b);
}

/* What is told of the policy is the mean over the steps in which it learned. */
static void numbers_are_of_the_steps_that_were_made(void **state) {
  (void)state;
  AlgoOps ops;
  Bench b[2];
  open_resting(&b[0], &ops);
  open_bench(&b[1], &plain, 0, false);
  for (int i = 0; i < 2; i++) {
    b[i].config.rate = b[i].config.rate_end = 0;
    bandit(&b[i], 1);
  }
  const AlgoStats *rested = update_stats(b[0].update);
  const AlgoStats *whole = update_stats(b[1].update);
  /* its sums were made in all three steps here, and count for the one */
  CHECK_NEAR(rested->entropy, EVERY * whole->entropy, 1e-4);
  CHECK_NEAR(rested->value_loss, whole->value_loss, 1e-5);
  for (int i = 0; i < 2; i++)
    close_bench(&b[i]);
}

static Item *find_item(Tree *tree, const char *path) {
  for (size_t i = 0; i < tree->items; i++)
    if (!strcmp(tree->item[i].path, path)) return &tree->item[i];
  return NULL;
}

/* Steps of a part that rested are in the checkpoint; where they are missing a part has had its
 * player's, and no part can have had more. */
static void steps_are_kept(void **state) {
  (void)state;
  AlgoOps ops;
  Bench b;
  Bench other;
  Tree tree = {0};
  open_resting(&b, &ops);
  const TrainShape shape = shape_of(&b);
  bandit(&b, 2);
  CHECK_OK(columns_put(b.net, false, &b.pupil, &tree));
  assert_non_null(find_item(&tree, "adam_steps"));
  assert_non_null(find_item(&tree, "guess_steps"));
  assert_null(find_item(&tree, "guess_slow_steps"));
  assert_true(columns_takes(b.made, "guess_steps") && !columns_takes(b.made, "guess_slow_steps"));
  CHECK_OK(columns_check(&shape, &tree));
  open_resting(&other, &ops);
  CHECK_OK(columns_take(&tree, &other.pupil));
  for (size_t i = 0; i < b.pupil.parts; i++)
    assert_int_equal(other.pupil.part[i].steps, b.pupil.part[i].steps);
  /* and so both go on alike */
  bandit(&b, 1);
  bandit(&other, 1);
  for (size_t i = 0; i < b.pupil.parts; i++)
    assert_memory_equal(b.pupil.part[i].block, other.pupil.part[i].block,
                        b.pupil.part[i].floats * sizeof(float));
  uint64_t *steps = find_item(&tree, "adam_steps")->data;
  steps[0] = 2 * EVERY + 1;
  assert_int_equal(columns_check(&shape, &tree), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "more steps than the player"));
  tree_free(&tree);
  CHECK_OK(train_state_reset(&shape, &b.pupil, NULL));
  assert_true(b.pupil.part[0].steps == 0 && b.pupil.part[1].steps == 0);
  CHECK_OK(columns_put(b.net, false, &b.pupil, &tree));
  assert_null(find_item(&tree, "adam_steps"));
  CHECK_OK(columns_take(&tree, &other.pupil));
  assert_true(other.pupil.part[0].steps == 0);
  tree_free(&tree);
  close_bench(&b);
  close_bench(&other);
}

/* --- look --- */

static size_t looked[64];

/* Values of its own: ten times the row. */
static void look_by_row(const Pass *pass, const Evaluated *out) {
  for (size_t at = 0; at < pass->rows; at++) {
    int32_t row = pass->row_of[at];
    if (row < 0) continue;
    looked[row]++;
    out->value[row] = 10 * (float)row;
    out->log_prob[row] = -1;
  }
}

/* Every row is looked at once, the one that closes an unroll, too, and what was seen are the values
 * that targets are made of; of nets with a memory likewise. */
static void an_algorithm_looks_by_its_own_eyes(void **state) {
  (void)state;
  AlgoOps ops = plain;
  ops.look = look_by_row;
  ops.targets = targets_gae;
  for (int memory = 0; memory < 2; memory++) {
    static const RowFormat teams = {.cells = 1, .flags = true};
    AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
    Bench b;
    open_bench_with(&b, &ops, memory, false, &teams);
    ops.pass = NULL; /* plain's reads values that there are not here */
    for (size_t u = 0; u < 3; u++) {
      for (size_t t = 0; t < 4; t++)
        add_row(&b, &rng, .5f, 1, by_sign);
      unroll(&b, 3, u ? END_OPEN : END_TRUNCATED);
    }
    bool more = true, progress;
    memset(looked, 0, sizeof looked);
    CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, NULL, NULL));
    for (size_t row = 0; row < b.batch.rows; row++)
      assert_true(looked[row] == 1 && b.update->value_now[row] == 10 * (float)row);
    const Experience *e = &b.update->experience;
    float last = b.batch.reward[2] + e->discount[2] * 30 - 20;
    CHECK_NEAR(b.update->advantage[2], last, 1e-5);
    while (more)
      CHECK_OK(update_step(b.update, &more, &progress));
    close_bench(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_rests_stays_as_it_is),
      cmocka_unit_test(numbers_are_of_the_steps_that_were_made),
      cmocka_unit_test(steps_are_kept),
      cmocka_unit_test(an_algorithm_looks_by_its_own_eyes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
