/* What is not finite, or too large to be squared, is never stepped by: the job ends and says whose
 * it is, or the step is passed over and counted. */
#include "check.h"
#include "learn.h"
#include "plain.h"

#include "learner/columns.h"

#include <stdio.h>

/* What is wrong, and in which minibatch of three. */
static struct {
  float number;  /* in the gradient of a part */
  size_t part;   /* 0: the policy's */
  size_t at;     /* of its floats */
  float loss;    /* added to the policy's loss; 0: nothing */
  size_t passes; /* so far */
  size_t bad;    /* the one that is spoiled, from 1 on; 0: none */
} mode;

static void spoiling_pass(const Pass *pass, LossSums *sums) {
  plain_pass(pass, sums);
  if (++mode.passes != mode.bad) return;
  sums->policy += mode.loss;
  if (mode.loss != 0) return;
  float *gradient = mode.part ? pass->part[mode.part - 1].gradient : pass->gradient;
  gradient[mode.at] = mode.number;
}

static AlgoOps spoiling_ops(void) {
  AlgoOps ops = plain;
  ops.pass = spoiling_pass;
  return ops;
}

/* A batch of the bandit, without the update. */
static void fill(Bench *b) {
  AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
  for (int i = 0; i < 96; i++) {
    add_row(b, &rng, (float)rng_unit(&rng) * 2 - 1, 1, by_sign);
    unroll(b, 1, END_TERMINATED);
  }
}

static Status try_update(Bench *b) {
  bool more = true;
  bool progress;
  Status status = update_begin(b->update, &b->pupil, &b->batch, NULL, NULL);
  while (more && status == OK)
    status = update_step(b->update, &more, &progress);
  batch_clear(&b->batch);
  return status;
}

/* All numbers of the player, one after another. */
static float *numbers_of(const Bench *b, size_t *count) {
  *count = 0;
  for (size_t i = 0; i < b->pupil.parts; i++)
    *count += b->pupil.part[i].floats + 2 * b->pupil.part[i].trained;
  float *all = malloc(*count * sizeof *all);
  float *to = all;
  for (size_t i = 0; i < b->pupil.parts; i++) {
    const TrainPart *part = &b->pupil.part[i];
    memcpy(to, part->block, part->floats * sizeof *to);
    to += part->floats;
    memcpy(to, part->m, part->trained * sizeof *to);
    to += part->trained;
    memcpy(to, part->v, part->trained * sizeof *to);
    to += part->trained;
  }
  return all;
}

/* Whether a checkpoint could be made of it. */
static void check_sound(const Bench *b) {
  const TrainShape shape = shape_of(b);
  Tree tree = {0};
  CHECK_OK(columns_put(b->net, false, &b->pupil, &tree));
  CHECK_OK(columns_check(&shape, &tree));
  CHECK_OK(tree_check_numbers(&tree));
  tree_free(&tree);
}

/* The policy, or the second of the parts: neither is stepped, though the first part's gradient is
 * good. */
static void a_gradient_that_is_not_finite_stops_the_job(void **state) {
  (void)state;
  static const struct {
    float number;
    size_t part;
    const char *says;
  } wrong[] = {{NAN, 0, "player 0: the gradient of its policy is not finite, layer "},
               {-INFINITY, 0, "the gradient of its policy is not finite, layer "},
               {NAN, 1, "player 0: the gradient of its guess is not finite, after 0 updates (seed 1)"}};
  const AlgoOps ops = spoiling_ops();
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    Bench b;
    size_t count;
    open_bench(&b, &ops, 0, false);
    memset(&mode, 0, sizeof mode);
    mode.number = wrong[i].number;
    mode.part = wrong[i].part;
    mode.bad = 1;
    float *before = numbers_of(&b, &count);
    fill(&b);
    assert_int_equal(try_update(&b), ERR_INTERNAL);
    if (!strstr(status_message(), wrong[i].says)) fail_msg("%s", status_message());
    assert_non_null(strstr(status_message(), "learner.on_nan=skip"));
    float *after = numbers_of(&b, &count);
    assert_memory_equal(before, after, count * sizeof *before);
    assert_int_equal(b.pupil.version, 0);
    free(before);
    free(after);
    close_bench(&b);
  }
}

/* The layer is the one in which the number lies: the last is the value's. */
static void the_layer_is_named(void **state) {
  (void)state;
  const AlgoOps ops = spoiling_ops();
  Bench b;
  open_bench(&b, &ops, 0, false);
  for (size_t i = 0; i < b.net->graph.views; i++) {
    char says[80];
    const View *view = &b.net->graph.view[i];
    if (view->offset + view->count > b.net->trained) continue;
    for (size_t end = 0; end < 2; end++) {
      memset(&mode, 0, sizeof mode);
      mode.number = NAN;
      mode.at = view->offset + (end ? view->count - 1 : 0);
      mode.bad = 1;
      fill(&b);
      assert_int_equal(try_update(&b), ERR_INTERNAL);
      snprintf(says, sizeof says, "not finite, layer %s, after", view->name);
      if (!strstr(status_message(), says)) fail_msg("not '%s': %s", says, status_message());
    }
  }
  close_bench(&b);
}

/* The other two minibatches are learned from; what is told is of these, and the frames are all. */
static void a_step_is_passed_over_where_that_is_wanted(void **state) {
  (void)state;
  const AlgoOps ops = spoiling_ops();
  for (int loss = 0; loss < 2; loss++) {
    Bench b;
    open_bench(&b, &ops, 0, true);
    b.config.on_nan = ON_NAN_SKIP;
    memset(&mode, 0, sizeof mode);
    mode.number = NAN;
    mode.loss = loss ? NAN : 0;
    mode.bad = 2;
    fill(&b);
    CHECK_OK(try_update(&b));
    const AlgoStats *stats = update_stats(b.update);
    assert_true(stats->skipped == 1 && stats->minibatches == 2 && stats->rows == 96);
    assert_true(isfinite(stats->policy_loss) && isfinite(stats->gradient_norm));
    assert_int_equal(b.pupil.version, 1);
    assert_int_equal(b.pupil.steps, 2);
    assert_int_equal(b.pupil.frames, 96);
    check_sound(&b);
    fill(&b);
    CHECK_OK(try_update(&b)); /* the next counts anew */
    assert_true(update_stats(b.update)->skipped == 0 && update_stats(b.update)->minibatches == 3);
    check_sound(&b);
    close_bench(&b);
  }
}

/* Its square is no float: Adam's second moment would be infinite, and never come back. Where it is
 * clipped it does no harm. */
static void a_gradient_that_adam_cannot_square_is_not_stepped_by(void **state) {
  (void)state;
  const AlgoOps ops = spoiling_ops();
  for (int clips = 0; clips < 2; clips++) {
    Bench b;
    open_bench(&b, &ops, 0, false);
    b.config.clip_norm = clips ? .5 : 0;
    memset(&mode, 0, sizeof mode);
    mode.number = 1e30f;
    mode.bad = 1;
    fill(&b);
    const Status status = try_update(&b);
    assert_int_equal(status, clips ? OK : ERR_INTERNAL);
    if (!clips) assert_non_null(strstr(status_message(), "too large for Adam (learner.clip_norm"));
    check_sound(&b);
    close_bench(&b);
  }
}

/* Rewards whose squares are no floats would spoil the moments of returns; an observation likewise
 * those of observations. Both are kept from them. */
static void what_normalisers_cannot_take_in_is_kept_from_them(void **state) {
  (void)state;
  const AlgoOps ops = spoiling_ops();
  for (int skip = 0; skip < 2; skip++)
    for (int seen = 0; seen < 2; seen++) {
      Bench b;
      open_bench(&b, &ops, 0, true);
      b.config.on_nan = skip ? ON_NAN_SKIP : ON_NAN_STOP;
      memset(&mode, 0, sizeof mode);
      fill(&b);
      const float large = 1e30f;
      if (seen)
        memcpy(b.batch.observation + 8 * 5, &large, sizeof large);
      else
        b.batch.reward[5] = large;
      const Status status = try_update(&b);
      assert_int_equal(status, skip ? OK : ERR_INTERNAL);
      if (!skip)
        assert_non_null(strstr(status_message(), seen ? "too large to be normalised"
                                                      : "(advantages, value targets) is not finite"));
      check_sound(&b);
      if (skip) {
        assert_true(update_stats(b.update)->skipped == 1);
        assert_int_equal(b.pupil.version, 1);
        fill(&b);
        CHECK_OK(try_update(&b));
        assert_true(update_stats(b.update)->skipped == 0);
        check_sound(&b);
      }
      close_bench(&b);
    }
}

/* Members see the same sums, so that they pass over the same steps and stay alike. */
static void members_pass_over_the_same(void **state) {
  (void)state;
  const AlgoOps ops = spoiling_ops();
  Bench b[2];
  for (int i = 0; i < 2; i++) {
    open_bench(&b[i], &ops, 0, false);
    b[i].config.on_nan = ON_NAN_SKIP;
  }
  Twin twin = {.net = b[0].net};
  const Reducer reducer = {
      .context = &twin, .members = 2, .self = 0, .start = twin_start, .test = twin_test};
  update_destroy(b[0].update);
  b[0].update = new_update(&b[0], &reducer);
  for (int i = 0; i < 2; i++) {
    memset(&mode, 0, sizeof mode);
    mode.number = INFINITY;
    mode.bad = 1;
    fill(&b[i]);
    CHECK_OK(try_update(&b[i]));
    assert_true(update_stats(b[i].update)->skipped == 1);
    check_sound(&b[i]);
  }
  for (int i = 0; i < 2; i++)
    close_bench(&b[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_gradient_that_is_not_finite_stops_the_job),
      cmocka_unit_test(the_layer_is_named),
      cmocka_unit_test(a_step_is_passed_over_where_that_is_wanted),
      cmocka_unit_test(a_gradient_that_adam_cannot_square_is_not_stepped_by),
      cmocka_unit_test(what_normalisers_cannot_take_in_is_kept_from_them),
      cmocka_unit_test(members_pass_over_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
