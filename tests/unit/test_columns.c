/* A player in training as columns of a checkpoint, with parts besides its policy: what is put comes
 * back bit for bit, what is missing or does not fit is named, and no part takes another's place. */
#include "check.h"
#include "learn.h"
#include "plain.h"

#include "learner/columns.h"
#include "store/counters.h"

/* Every column of a player of `plain`. */
static const char *const all[] = {
    "policy",           "adam_m",         "adam_v",     "guess",
    "guess_m",          "guess_v",        "guess_slow", "policy_acting",
    "policy_reference", "policy_average", "normaliser", PLAYER_COUNTERS_COLUMN,
};

/* A player that has learned, with numbers of its own in all that it holds. */
static void open_learned(Bench *b) {
  open_bench(b, &plain, 0, true);
  b->config.rate = 0.01;
  b->config.average = 0.9;
  bandit(b, 3);
  b->pupil.life = 2;
  b->pupil.min_version = 1;
  b->pupil.dropped = 7;
  b->pupil.run_frames = 1000;
  for (size_t i = 0; i < b->net->block; i++) {
    b->pupil.acting[i] = 1 + (float)i;
    b->pupil.reference[i] = 2 + (float)i;
    b->pupil.average[i] = 3 + (float)i;
  }
}

static void same_floats(const float *a, const float *b, size_t count) {
  assert_memory_equal(a, b, count * sizeof *a);
}

/* Takes one column out. */
static void drop(Tree *tree, const char *path) {
  for (size_t i = 0; i < tree->items; i++) {
    if (strcmp(tree->item[i].path, path)) continue;
    free(tree->item[i].data);
    tree->item[i] = tree->item[--tree->items];
    return;
  }
  fail_msg("there is no column '%s'", path);
}

static void what_is_put_is_taken(void **state) {
  (void)state;
  Bench b;
  Tree tree = {0};
  TrainState other;
  open_learned(&b);
  const TrainShape shape = shape_of(&b);
  CHECK_OK(columns_put(b.net, true, &b.pupil, &tree));
  assert_int_equal(tree.items, COUNT_OF(all));
  CHECK_OK(columns_check(&shape, &tree));
  CHECK_OK(train_state_create(&(TrainShape){.algo = b.made, .seed = 99}, 0, &other));
  CHECK_OK(columns_take(&tree, &other));
  for (size_t i = 0; i < b.pupil.parts; i++) {
    const TrainPart *was = &b.pupil.part[i];
    const TrainPart *now = &other.part[i];
    same_floats(was->block, now->block, was->floats);
    same_floats(was->m, now->m, was->trained);
    same_floats(was->v, now->v, was->trained);
  }
  assert_true(other.part[GUESS + 1].v[0] > 0); /* so that it is not zeros that are the same */
  same_floats(b.pupil.acting, other.acting, b.net->block);
  same_floats(b.pupil.reference, other.reference, b.net->block);
  same_floats(b.pupil.average, other.average, b.net->block);
  assert_memory_equal(b.pupil.stat, other.stat, train_state_stat_count(b.net) * sizeof(double));
  assert_true(other.life == 2 && other.min_version == 1 && other.dropped == 7);
  assert_true(other.version == b.pupil.version && other.version == 3);
  assert_true(other.frames == b.pupil.frames && other.frames > 0);
  assert_true(other.steps == b.pupil.steps && other.steps == 9);
  assert_true(other.life_frames == b.pupil.life_frames && other.run_frames == 1000);
  train_state_destroy(&other);
  tree_free(&tree);
  close_bench(&b);
}

/* The average alone may be missing: it then begins at the policy. */
static void a_missing_column_is_named(void **state) {
  (void)state;
  Bench b;
  open_learned(&b);
  const TrainShape shape = shape_of(&b);
  for (size_t i = 0; i < COUNT_OF(all); i++) {
    Tree tree = {0};
    char says[64];
    CHECK_OK(columns_put(b.net, true, &b.pupil, &tree));
    drop(&tree, all[i]);
    snprintf(says, sizeof says, "dataset '%s' is missing", all[i]);
    Status status = columns_check(&shape, &tree);
    if (!strcmp(all[i], "policy_average")) {
      assert_int_equal(status, OK);
      CHECK_OK(columns_take(&tree, &b.pupil));
      same_floats(b.pupil.average, b.pupil.block, b.net->block);
    } else {
      assert_int_equal(status, ERR_FORMAT);
      if (!strstr(status_message(), says)) fail_msg("not '%s', but: %s", says, status_message());
    }
    const bool of_guess = !strncmp(all[i], "guess", 5);
    assert_int_equal(columns_check_parts(b.made, &tree), of_guess ? ERR_FORMAT : OK);
    tree_free(&tree);
  }
  close_bench(&b);
}

/* One element too few; and where they are floats, one that is no number. */
static void a_column_that_does_not_fit_is_named(void **state) {
  (void)state;
  Bench b;
  open_learned(&b);
  const TrainShape shape = shape_of(&b);
  for (size_t i = 0; i < COUNT_OF(all); i++)
    for (int wrong = 0; wrong < 2; wrong++) {
      Tree tree = {0};
      CHECK_OK(columns_put(b.net, true, &b.pupil, &tree));
      for (size_t k = 0; k < tree.items; k++) {
        Item *item = &tree.item[k];
        if (strcmp(item->path, all[i])) continue;
        if (wrong == 0) item->count--;
        if (wrong == 1 && item->type == STORE_F32) ((float *)item->data)[item->count - 1] = NAN;
        if (wrong == 1 && item->type == STORE_F64) ((double *)item->data)[0] = INFINITY;
        if (wrong == 1 && item->type == STORE_U64) ((uint64_t *)item->data)[PLAYER_STEPS] = ~0ull;
      }
      assert_int_equal(columns_check(&shape, &tree), ERR_FORMAT);
      if (!strstr(status_message(), all[i])) fail_msg("%s: %s", all[i], status_message());
      tree_free(&tree);
    }
  close_bench(&b);
}

/* Adam divides by their roots. */
static void second_moments_below_zero_are_refused(void **state) {
  (void)state;
  static const char *const moments[] = {"adam_v", "guess_v"};
  Bench b;
  open_learned(&b);
  const TrainShape shape = shape_of(&b);
  for (size_t i = 0; i < COUNT_OF(moments); i++) {
    Tree tree = {0};
    CHECK_OK(columns_put(b.net, false, &b.pupil, &tree));
    ((float *)tree_find(&tree, moments[i])->data)[1] = -1e-9f;
    assert_int_equal(columns_check(&shape, &tree), ERR_FORMAT);
    assert_non_null(strstr(status_message(), moments[i]));
    assert_non_null(strstr(status_message(), "row 1 is below 0"));
    tree_free(&tree);
  }
  close_bench(&b);
}

static void each_algorithm_takes_its_own(void **state) {
  (void)state;
  Bench with;
  Bench without;
  open_learned(&with);
  open_bench(&without, algo_ops(0), 0, true);
  for (size_t i = 0; i < COUNT_OF(all); i++) {
    assert_true(columns_takes(with.made, all[i]));
    assert_int_equal(columns_takes(without.made, all[i]), strncmp(all[i], "guess", 5) != 0);
  }
  assert_false(columns_takes(with.made, "guess_slow_m")); /* nothing of it is trained */
  assert_false(columns_takes(with.made, "critic"));
  close_bench(&with);
  close_bench(&without);
}

/* --- names --- */
/* Two parts, the first of which is trained, under these names. */
static Algo parts_called(const Bench *b, const char *const name[2]) {
  Algo algo = *b->made;
  algo.parts = 2;
  algo.part[0] = (AlgoPart){.name = name[0], .floats = 2, .trained = 2};
  algo.part[1] = (AlgoPart){.name = name[1], .floats = 2};
  return algo;
}

static void no_part_takes_the_name_of_another_column(void **state) {
  (void)state;
  static const char *const bad[][2] = {
      {"policy", "b"},
      {"a", "adam"},
      {"policy_acting", "b"},
      {"a", "policy_reference"},
      {"policy_average", "b"},
      {"normaliser", "b"},
      {"a", PLAYER_COUNTERS_COLUMN},
      {"a", "a_m"},
      {"a", "a_v"},
      {"a", "a_steps"},
      {"adam_v", "b"},
      {"a", "a"},
      {"a", "b/c"},
      {"a", ""},
      {"a", "a_name_of_24_letters_123"},
  };
  static const char *const good[][2] = {
      {"critic", "critic_slow"},
      {"mixer", "policy_critic"},
      {"m", "v"},
  };
  Bench b;
  open_bench(&b, &plain, 0, false);
  CHECK_OK(columns_check_names(b.made));
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    const Algo algo = parts_called(&b, bad[i]);
    if (columns_check_names(&algo) != ERR_INTERNAL) fail_msg("%s, %s", bad[i][0], bad[i][1]);
    assert_non_null(strstr(status_message(), "plain has"));
  }
  for (size_t i = 0; i < COUNT_OF(good); i++) {
    const Algo algo = parts_called(&b, good[i]);
    const TrainShape shape = {.algo = &algo, .seed = 1};
    TrainState made;
    Tree tree = {0};
    CHECK_OK(columns_check_names(&algo));
    CHECK_OK(train_state_create(&shape, 0, &made));
    CHECK_OK(columns_put(b.net, true, &made, &tree)); /* no two columns of one name */
    CHECK_OK(columns_check(&shape, &tree));
    tree_free(&tree);
    train_state_destroy(&made);
  }
  close_bench(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_put_is_taken),
      cmocka_unit_test(a_missing_column_is_named),
      cmocka_unit_test(a_column_that_does_not_fit_is_named),
      cmocka_unit_test(second_moments_below_zero_are_refused),
      cmocka_unit_test(each_algorithm_takes_its_own),
      cmocka_unit_test(no_part_takes_the_name_of_another_column),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
