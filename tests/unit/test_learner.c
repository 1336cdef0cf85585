/* Updates: that they learn, what the reference does, that PopArt keeps values, that stops stop, and that former lives,
 * lag, truncations and memories are treated as they should be. */
#include "check.h"
#include "learn.h"
#include "plain.h"

#include "learner/learner.h"

/* Of an algorithm by its name; where it has been taken out, what is asked of it cannot be. */
static void open_named(Bench *b, const char *name, int memory, bool popart) {
  const AlgoOps *algo = algo_find(name);
  if (!algo) skip();
  open_bench(b, algo, memory, popart);
}

static void both_algorithms_learn(void **state) {
  (void)state;
  static const char *const name[] = {"ppo", "impala", "ppo", "impala"};
  for (int i = 0; i < 4; i++) {
    Bench b;
    float p[3], q[3];
    open_named(&b, name[i], i < 2 ? 0 : i - 1,
               i == 2); /* without memory, with GRU and LSTM; once with the normalisers */
    b.config.rate = b.config.rate_end = 0.01;
    int updates = i & 1 ? 160 : 40; /* impala steps once an update, ppo 16 times */
    bandit(&b, updates);
    look(&b, .7f, 1, p);
    look(&b, -.7f, 1, q);
    if (!(p[2] > .9f && q[0] > .9f)) fail_msg("%s: %.2f and %.2f", name[i], (double)p[2], (double)q[0]);
    assert_int_equal(b.pupil.version, updates);
    assert_int_equal(b.pupil.frames, updates * 128);
    close_bench(&b);
  }
}

/* A strong pull to a reference that stands holds the policy; one that follows lets it go. */
static void the_reference_holds_or_follows(void **state) {
  (void)state;
  float held[3], let[3];
  for (int follows = 0; follows < 2; follows++) {
    Bench b;
    open_named(&b, "ppo", 0, false);
    b.config.rate = b.config.rate_end = 0.01;
    b.config.reference = b.config.reference_end = 2;
    b.config.reference_every = follows;
    bandit(&b, 40);
    look(&b, .7f, 1, follows ? let : held);
    close_bench(&b);
  }
  assert_true(held[2] < .75f);
  assert_true(let[2] > .9f);
}

/* Says which choice it is for by the sign of what it sees: not the one that is rewarded. */
static Status other_choice(void *context, const TeacherRows *rows, float *out) {
  size_t *asked = context;
  assert_true(rows->count > 0 && rows->count <= TEACHER_ROWS);
  for (size_t i = 0; i < rows->count; i++) {
    const float x = ((const float *)rows->observations)[i * 2];
    assert_true(rows->masks[i * 3] == 1 && rows->masks[i * 3 + 2] == 1);
    out[i * 3] = out[i * 3 + 2] = .05f;
    out[i * 3 + 1] = .05f;
    out[i * 3 + (x > 0 ? 1 : 2)] = .9f;
  }
  *asked += rows->count;
  return OK;
}

/* A heavy teacher wins over rewards, one that fades away does not; without weight nobody is asked. */
static void a_teacher_is_followed_while_it_counts(void **state) {
  (void)state;
  static const char *const name[] = {"ppo", "impala", "mmd"};
  for (size_t i = 0; i < COUNT_OF(name); i++) {
    float p[3], q[3];
    for (int counts = 0; counts < 2; counts++) {
      size_t asked = 0;
      const Teacher teacher = {.context = &asked, .ask = other_choice};
      Bench b;
      open_named(&b, name[i], 0, false);
      b.config.rate = b.config.rate_end = 0.01;
      b.config.teacher_kl = b.config.teacher_kl_end = counts ? 20 : 0;
      b.pupil.teacher = &teacher;
      bandit(&b, i == 1 ? 120 : 40);
      look(&b, .7f, 1, p);
      look(&b, -.7f, 1, q);
      assert_int_equal(asked, counts ? b.pupil.frames : 0);
      if (counts) {
        if (!(p[1] > .8f && q[2] > .8f)) fail_msg("%s: %.2f and %.2f", name[i], (double)p[1], (double)q[2]);
        assert_true(b.update->stats.kl_teacher < .1);
      } else {
        assert_true(p[1] < .5f && q[2] < .5f && b.update->stats.kl_teacher <= 0);
      }
      close_bench(&b);
    }
  }
}

/* A life begins with the layers that are inherited, the next one after a reset, too; the normaliser comes along with a
 * weight that the first batch does not undo; all else is as it would have been. */
static void lives_begin_with_what_they_inherit(void **state) {
  (void)state;
  Bench b;
  TrainState heir, other;
  open_named(&b, "ppo", 0, true);
  const Net *net = b.net;
  const float weight[3] = {1, 2, 3}, mean[2] = {5, -5}, scale[2] = {.5f, .25f};
  struct InheritedLayer layer[] = {{4, 3, weight}, {net->mean_at, 2, mean}, {net->scale_at, 2, scale}};
  const Inheritance from = {.layer = layer, .layers = COUNT_OF(layer), .normaliser = true};
  const TrainShape alone = shape_of(&b);
  TrainShape shape = alone;
  shape.inheritance = &from;
  CHECK_OK(train_state_create(&alone, 0, &other));
  CHECK_OK(train_state_create(&shape, 0, &heir));
  for (int life = 0; life < 2; life++) {
    assert_memory_equal(heir.block + 4, weight, sizeof weight);
    assert_memory_equal(heir.block + net->mean_at, mean, sizeof mean);
    assert_memory_equal(heir.block, other.block, 4 * sizeof(float));
    assert_memory_equal(heir.block + 7, other.block + 7, 8 * sizeof(float));
    CHECK_NEAR(heir.stat[0], 100000, 0);
    CHECK_NEAR(heir.stat[4], 5, 1e-6);                  /* the mean, ... */
    CHECK_NEAR(heir.stat[4 + 2], 25 + 1 / .25, 1e-3);   /* ... and the mean square, of deviation 2 */
    assert_true(heir.stat[1] <= 0);                     /* nothing is known of returns */
    for (size_t i = 0; i < net->block; i++) heir.block[i] += 1;
    CHECK_OK(train_state_reset(&shape, &heir, NULL));
  }
  train_state_destroy(&heir);
  train_state_destroy(&other);
  close_bench(&b);
}

/* Magnetic mirror descent: eta bounds how far an update goes, and the magnet where it ends: for rewards q the policy
 * approaches softmax(q / alpha) (the fixed point of eq. 3 with a uniform magnet). */
static void mirror_descent_steps_and_rests(void **state) {
  (void)state;
  float near[3], far[3], rest[3];
  for (int wide = 0; wide < 2; wide++) {
    Bench b;
    open_named(&b, "mmd", 0, false);
    b.config.rate = b.config.rate_end = 0.01;
    double step = wide ? 100 : 0.001;
    memcpy(b.algo_config, (double[]){step, step}, 2 * sizeof(double)); /* step, step_end lead its configuration */
    bandit(&b, 10);
    look(&b, .7f, 1, wide ? far : near);
    close_bench(&b);
  }
  assert_true(near[2] < .45f);
  assert_true(far[2] > .6f);
  Bench b;
  open_named(&b, "mmd", 0, false);
  b.config.rate = b.config.rate_end = 0.01;
  b.config.normalise_advantages = false;
  b.config.entropy = b.config.entropy_end = 1; /* alpha: rewards are 1 for one action, 0 for the others */
  bandit(&b, 150);
  look(&b, .7f, 1, rest);
  CHECK_NEAR(rest[2], exp(1) / (exp(1) + 2), .05);
  close_bench(&b);
}

static void averages_follow_slowly(void **state) {
  (void)state;
  Bench b;
  open_named(&b, "ppo", 0, false);
  b.config.rate = b.config.rate_end = 0.01;
  b.config.average = .95;
  size_t n = b.net->block * sizeof(float);
  float *before = malloc(n);
  memcpy(before, b.pupil.block, n);
  assert_ptr_equal(train_state_snapshot(&b.config, &b.pupil), b.pupil.average);
  bandit(&b, 3);
  double moved = 0, average = 0;
  for (size_t i = 0; i < b.net->graph.params; i++) {
    moved += fabs((double)(b.pupil.block[i] - before[i]));
    average += fabs((double)(b.pupil.average[i] - before[i]));
  }
  assert_true(average > 0 && average < moved);
  b.config.average = 0;
  assert_ptr_equal(train_state_snapshot(&b.config, &b.pupil), b.pupil.block);
  free(before);
  close_bench(&b);
}

static void schedules_fall_as_they_should(void **state) {
  (void)state;
  LearnConfig config = {.horizon = 100};
  TrainState pupil = {.run_frames = 50, .frames = 5}; /* by the run's frames, not by its own */
  CHECK_NEAR(train_state_schedule(&config, &pupil, 1, .01), .505, 1e-12);
  config.decay = DECAY_GEOMETRIC;
  CHECK_NEAR(train_state_schedule(&config, &pupil, 1, .01), .1, 1e-12);
  CHECK_NEAR(train_state_schedule(&config, &pupil, 1, 0), .5, 1e-12); /* no way to 0 but straight */
  config.decay = DECAY_ROOT; /* 1 / sqrt(1 + c t): from 1 to 1/3 it stands at 1 / sqrt(5) in the middle */
  CHECK_NEAR(train_state_schedule(&config, &pupil, 1, 1 / 3.), 1 / sqrt(5), 1e-12);
  config.decay = DECAY_GEOMETRIC;
  pupil.run_frames = 1000;
  CHECK_NEAR(train_state_schedule(&config, &pupil, 1, .01), .01, 1e-12);
  /* a player that is reset goes through its life, and begins anew with each */
  config.decay = DECAY_LINEAR;
  pupil.life_horizon = 20;
  pupil.life_frames = 5;
  CHECK_NEAR(train_state_schedule(&config, &pupil, 1, 0), .75, 1e-12);
  pupil.life_frames = 0;
  CHECK_NEAR(train_state_schedule(&config, &pupil, 1, 0), 1, 1e-12);
}

static float ten(float x, float y, int action) {
  (void)x, (void)y, (void)action;
  return 10;
}

/* PopArt: the statistics move, the outputs in real units do not (learning rate 0 leaves only the rescaling). */
static void popart_keeps_values(void **state) {
  (void)state;
  Bench b;
  float p[3];
  AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
  open_named(&b, "ppo", 0, true);
  b.config.rate = b.config.rate_end = 0;
  b.net->scale_at = 0; /* observations as they are */
  float before = look(&b, .3f, .4f, p);
  for (int i = 0; i < 64; i++) {
    add_row(&b, &rng, (float)i / 64, 1, i & 1 ? ten : by_sign);
    unroll(&b, 1, END_TERMINATED);
  }
  update(&b);
  assert_true(b.pupil.block[b.net->return_at + 1] > 2);
  CHECK_NEAR(look(&b, .3f, .4f, p), before, 1e-4);
  close_bench(&b);
}

static float none(float x, float y, int action) {
  (void)x, (void)y, (void)action;
  return 0;
}

/* One decision, reward 0, then truncation: its target is gamma times the value of the final observation; after a
 * termination it is 0. */
static void truncation_bootstraps_termination_does_not(void **state) {
  (void)state;
  for (int truncated = 0; truncated < 2; truncated++) {
    Bench b;
    float p[3];
    AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
    open_named(&b, "ppo", 0, false);
    b.config.gamma = .5;
    float final = look(&b, .9f, -.9f, p);
    assert_true(fabsf(final) > 1e-3f);
    add_row(&b, &rng, .1f, .2f, none);
    if (truncated) {
      add_row(&b, &rng, .9f, -.9f, none);
    }
    unroll(&b, 1, truncated ? END_TRUNCATED : END_TERMINATED);
    CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, NULL, NULL));
    CHECK_NEAR(b.update->target[0], truncated ? .5 * (double) final : 0, 1e-5);
    close_bench(&b);
  }
}

static void resets_go_back_to_the_beginning(void **state) {
  (void)state;
  Bench b;
  open_named(&b, "ppo", 0, true);
  float *initial = calloc(b.net->block, sizeof *initial);
  memcpy(initial, b.pupil.block, b.net->block * sizeof *initial);
  bandit(&b, 3);
  assert_memory_not_equal(initial, b.pupil.block, b.net->block * sizeof *initial);
  const TrainShape shape = shape_of(&b);
  CHECK_OK(train_state_reset(&shape, &b.pupil, NULL));
  assert_memory_equal(initial, b.pupil.block, b.net->block * sizeof *initial);
  assert_int_equal(b.pupil.life, 1);
  assert_int_equal(b.pupil.steps, 0);
  assert_int_equal(b.pupil.min_version, 3); /* versions go on */
  free(initial);
  close_bench(&b);
}

static void the_same_update_gives_the_same_bytes(void **state) {
  (void)state;
  Bench b[2];
  for (int i = 0; i < 2; i++) {
    open_named(&b[i], "ppo", 1, true);
    bandit(&b[i], 5);
  }
  assert_memory_equal(b[0].pupil.block, b[1].pupil.block, b[0].net->block * sizeof(float));
  for (int i = 0; i < 2; i++) close_bench(&b[i]);
}

static void a_kl_stop_ends_the_update(void **state) {
  (void)state;
  double minibatches[2];
  for (int on = 0; on < 2; on++) {
    Bench b;
    open_named(&b, "ppo", 0, false);
    b.config.rate = b.config.rate_end = 0.05;
    if (on) { /* the option table says where the key lies */
      const double limit = 1e-4;
      for (size_t i = 0; i < b.algo->option_count; i++)
        if (!strcmp(b.algo->options[i].name, "kl_stop"))
          memcpy((char *)b.algo_config + b.algo->options[i].offset, &limit, sizeof limit);
    }
    bandit(&b, 1);
    minibatches[on] = b.update->stats.minibatches;
    close_bench(&b);
  }
  assert_true(minibatches[0] == 16 && minibatches[1] < 16);
}

/* Means over the members' rows are those of one: the update is that of a rank alone, to rounding; everything is summed
 * once, gradients in pieces; and a copy that differs ends the update. */
static void members_share_an_update(void **state) {
  (void)state;
  Bench b[3];
  Twin twin[3] = {{.fault = false}, {.fault = false}, {.fault = true}};
  for (int i = 0; i < 3; i++) {
    open_named(&b[i], "ppo", 0, true);
    if (i == 0) continue;
    update_destroy(b[i].update);
    twin[i].net = b[i].net;
    Reducer reducer = {&twin[i], 2, 0, twin_start, twin_test};
    b[i].update = new_update(&b[i], &reducer);
  }
  bandit(&b[0], 3);
  bandit(&b[1], 3);
  for (size_t i = 0; i < b[0].net->block; i++) CHECK_NEAR(b[0].pupil.block[i], b[1].pupil.block[i], 2e-4);
  assert_int_equal(b[1].pupil.frames, 2 * b[0].pupil.frames);
  assert_true(twin[1].floats >= 3 * 16 * b[1].net->graph.params);
  AgonRng rng = rng_stream(4, 0, 0, RNG_TEST);
  add_row(&b[2], &rng, .1f, .2f, none);
  unroll(&b[2], 1, END_TERMINATED);
  bool more, progress;
  CHECK_OK(update_begin(b[2].update, &b[2].pupil, &b[2].batch, NULL, NULL));
  assert_int_equal(update_step(b[2].update, &more, &progress), ERR_INTERNAL);
  assert_non_null(strstr(status_message(), "copies of it differ"));
  for (int i = 0; i < 3; i++) close_bench(&b[i]);
}

/* A copy of a part is told apart from the part: where both are equal, as target networks are at
 * times, members whose weights differ are still found out. */
static void equal_parts_do_not_hide_that_members_differ(void **state) {
  (void)state;
  Bench b;
  Twin twin = {.fault = false};
  float digest[2];
  open_bench(&b, &plain, 0, false);
  update_destroy(b.update);
  twin.net = b.net;
  Reducer reducer = {&twin, 2, 0, twin_start, twin_test};
  b.update = new_update(&b, &reducer);
  AgonRng rng = rng_stream(4, 0, 0, RNG_TEST);
  add_row(&b, &rng, .1f, .2f, none);
  unroll(&b, 1, END_TERMINATED);
  for (int i = 0; i < 2; i++) {
    for (size_t f = 0; f < GUESS_FLOATS; f++)
      b.pupil.part[1 + GUESS].block[f] = b.pupil.part[1 + GUESS_SLOW].block[f] = (float)(i + 1);
    CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, NULL, NULL));
    digest[i] = b.update->digest;
  }
  if (digest[0] >= digest[1] && digest[0] <= digest[1]) fail_msg("both are %.0f", (double)digest[0]);
  close_bench(&b);
}

static void set_float(Bench *b, const char *name, double value) {
  for (size_t i = 0; i < b->algo->option_count; i++)
    if (!strcmp(b->algo->options[i].name, name))
      memcpy((char *)b->algo_config + b->algo->options[i].offset, &value, sizeof value);
}

/* An unroll can be an episode that was kept, and longer than a stack is deep. */
static void unrolls_may_be_very_long(void **state) {
  (void)state;
  static const char *const names[] = {"ppo", "impala"};
  const size_t count = 1 << 20;
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    Bench b;
    open_named(&b, names[i], 0, false);
    set_float(&b, "upgo", 1);
    CHECK_OK(batch_reserve(&b.batch, count, 1));
    Batch *batch = &b.batch;
    memset(batch->observation, 0, count * batch->format.observation_bytes);
    memset(batch->mask, 1, count * batch->format.choices);
    memset(batch->action, 0, count * sizeof *batch->action);
    memset(batch->log_prob, 0, count * sizeof *batch->log_prob);
    memset(batch->value, 0, count * sizeof *batch->value);
    memset(batch->reward, 0, count * sizeof *batch->reward);
    batch->reward[count - 1] = 1;
    batch->rows = count;
    unroll(&b, (uint32_t)count, END_TERMINATED);
    CHECK_OK(update_begin(b.update, &b.pupil, batch, NULL, NULL));
    assert_true(isfinite(b.update->advantage[0]) && isfinite(b.update->target[count - 1]));
    close_bench(&b);
  }
}

static void set_key(Bench *b, const char *name, int64_t value) {
  for (size_t i = 0; i < b->algo->option_count; i++)
    if (!strcmp(b->algo->options[i].name, name))
      memcpy((char *)b->algo_config + b->algo->options[i].offset, &value,
             b->algo->options[i].type == OPT_CHOICE ? sizeof(int) : sizeof value);
}

/* The same sequences from one, two, four or eight actors: as many optimiser steps, over as many sequences each. */
static void minibatches_are_even_on_any_number_of_actors(void **state) {
  (void)state;
  for (uint32_t actors = 1; actors <= 8; actors *= 2) {
    Bench b;
    AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
    uint32_t actor[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    size_t end[8];
    bool more = true, progress;
    open_named(&b, "ppo", 1, false);
    b.config.longest = 4;
    set_key(&b, "minibatches", 8);
    for (int u = 0; u < 16; u++) {
      for (int r = 0; r < 4; r++) add_row(&b, &rng, (float)rng_unit(&rng), 1, by_sign);
      unroll(&b, 4, END_TERMINATED);
    }
    for (uint32_t a = 0; a < actors; a++) end[a] = 16 * (a + 1) / actors;
    end[0] = actors > 2 ? 1 : end[0]; /* one has less to give */
    Shards shards = {actor, end, actors, 8};
    CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, &shards, NULL));
    while (more) {
      CHECK_OK(update_step(b.update, &more, &progress));
      float rows = b.update->gradient[b.net->graph.params];
      if (b.update->stats.minibatches > 0) assert_true(rows == 8);
    }
    assert_true(b.update->stats.minibatches == 4 * 8);
    close_bench(&b);
  }
}

static float thousands(float x, float y, int action) {
  (void)y, (void)action;
  return 1000 + .1f * x;
}

/* Moments of numbers that are large before their differences: on one rank, and the same over two. */
static void large_numbers_keep_their_moments(void **state) {
  (void)state;
  for (int members = 1; members <= 2; members++)
    for (int equal = 0; equal < 2; equal++) {
      Bench b;
      AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
      open_named(&b, "ppo", 0, true);
      Twin twin = {.net = b.net};
      if (members == 2) {
        update_destroy(b.update);
        Reducer reducer = {&twin, 2, 0, twin_start, twin_test};
        b.update = new_update(&b, &reducer);
      }
      b.config.rate = b.config.rate_end = 0;
      for (int i = 0; i < 400; i++) {
        add_row(&b, &rng, equal ? 0 : (float)(i % 4), i & 1 ? 99990 : 100010, thousands);
        b.batch.value[i] = 0;
        unroll(&b, 1, END_TERMINATED);
      }
      bool more = true, progress;
      CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, NULL, NULL));
      while (more) CHECK_OK(update_step(b.update, &more, &progress));
      double mean = 0, square = 0;
      for (int i = 0; i < 400; i++) {
        mean += (double)b.update->advantage[i] / 400;
        square += (double)(b.update->advantage[i] * b.update->advantage[i]) / 400;
      }
      CHECK_NEAR(mean, 0, 1e-3);
      CHECK_NEAR(square, equal ? 0 : 1, 1e-3);
      const float *block = b.pupil.block;
      CHECK_NEAR(block[b.net->mean_at + 1], 100000, .02);
      CHECK_NEAR(block[b.net->scale_at + 1], .1, 1e-4);
      CHECK_NEAR(block[b.net->return_at], equal ? 1000 : 1000.15, 1e-3);
      CHECK_NEAR(block[b.net->return_at + 1], equal ? 1e-3 : .1118, 1e-3);
      close_bench(&b);
    }
}

/* The ratio weights a decision once: V-trace's advantages in ppo are those of the return, not weighted before. */
static void ppo_weights_a_decision_once(void **state) {
  (void)state;
  Bench b;
  AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
  float p[3];
  open_named(&b, "ppo", 0, false);
  set_key(&b, "targets", 1);
  add_row(&b, &rng, .3f, .4f, ten);
  b.batch.log_prob[0] += 1; /* the present policy does it e times more rarely */
  unroll(&b, 1, END_TERMINATED);
  CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, NULL, NULL));
  CHECK_NEAR(b.update->advantage[0], 10 - (double)look(&b, .3f, .4f, p), 1e-4);
  close_bench(&b);
}

/* IMPALA's advantages are used as they are, unless the key says otherwise. */
static void advantages_are_normalised_where_the_algorithm_does(void **state) {
  (void)state;
  static const struct {
    const char *algo;
    int choice;
    bool normalised;
  } with[] = {{"ppo", CHOICE_AUTO, true},
              {"mmd", CHOICE_AUTO, true},
              {"impala", CHOICE_AUTO, false},
              {"impala", CHOICE_TRUE, true},
              {"ppo", CHOICE_FALSE, false}};
  for (size_t i = 0; i < COUNT_OF(with); i++) {
    Bench b;
    AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
    bool more, progress;
    open_named(&b, with[i].algo, 0, false);
    assert_int_equal(b.config.normalise_advantages, CHOICE_AUTO); /* the default */
    b.config.normalise_advantages = with[i].choice;
    for (int r = 0; r < 2; r++) {
      add_row(&b, &rng, (float)(30 * r), 1, thousands);
      unroll(&b, 1, END_TERMINATED);
    }
    CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, NULL, NULL));
    CHECK_OK(update_step(b.update, &more, &progress));
    assert_true((fabsf(b.update->advantage[0]) < 2) == with[i].normalised);
    close_bench(&b);
  }
}

/* A copy brings the moments that its weights were trained with, and they weigh as much as what the player has seen. */
static void a_copy_keeps_its_normalisers(void **state) {
  (void)state;
  Bench b;
  AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
  open_named(&b, "ppo", 0, true);
  bandit(&b, 20);
  float *source = calloc(b.net->block, sizeof *source);
  memcpy(source, b.pupil.block, b.net->block * sizeof *source);
  const TrainShape shape = shape_of(&b);
  CHECK_OK(train_state_reset(&shape, &b.pupil, source));
  assert_memory_equal(source, b.pupil.block, b.net->block * sizeof *source);
  assert_true(b.pupil.stat[0] == 20 * 128);
  for (int i = 0; i < 128; i++) {
    add_row(&b, &rng, 5, 1, none);
    unroll(&b, 1, END_TERMINATED);
  }
  update(&b);
  double share = 1. / 21, mean = (double)source[b.net->mean_at], scale = 1 / (double)source[b.net->scale_at];
  double variance = scale * scale * (1 - share) + share * (1 - share) * (5 - mean) * (5 - mean);
  CHECK_NEAR(b.pupil.block[b.net->mean_at], mean + share * (5 - mean), 1e-3);
  CHECK_NEAR(b.pupil.block[b.net->scale_at], 1 / sqrt(variance), 1e-3);
  CHECK_NEAR(b.pupil.block[b.net->return_at], .98 * (double)source[b.net->return_at], 1e-3);
  free(source);
  close_bench(&b);
}

/* No epoch of an update shuffles as another of any update did. */
static void many_epochs_repeat_no_shuffle(void **state) {
  (void)state;
  Bench b;
  uint32_t before[32], late[32], next[32], again = 0;
  open_named(&b, "ppo", 0, false);
  set_key(&b, "epochs", 66);
  set_key(&b, "minibatches", 1);
  for (int u = 0; u < 2; u++) {
    AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
    bool more = true, progress;
    for (int i = 0; i < 32; i++) {
      add_row(&b, &rng, (float)i / 32, 1, by_sign);
      unroll(&b, 1, END_TERMINATED);
    }
    CHECK_OK(update_begin(b.update, &b.pupil, &b.batch, NULL, NULL));
    if (u == 1) memcpy(next, b.update->order, sizeof next);
    while (more) {
      CHECK_OK(update_step(b.update, &more, &progress));
      if (u == 0 && b.update->epoch == 63) memcpy(before, b.update->order, sizeof before);
      if (u == 0 && b.update->epoch == 64) memcpy(late, b.update->order, sizeof late);
    }
    batch_clear(&b.batch);
  }
  for (int i = 0; i < 32; i++) again += late[i] == before[next[i]]; /* next: what its shuffle does to 0, 1, 2, ... */
  assert_true(again < 16);
  close_bench(&b);
}

/* One step of a policy's recurrent state. */
static void remember(const Net *net, const float *block, const float *row, float *memory) {
  Activations space;
  float logits[3], value, next[16] = {0};
  Sequences seq = {.B = 1, .T = 1, .states = memory, .S = net->graph.state_size};
  CHECK_OK(activations_create(&net->graph, 1, false, &space));
  float *packed = net_pack_create(net, false);
  net_pack(net, block, false, packed);
  net_load(net, row, NULL, 1, &space);
  net_forward(net, block, packed, &space, &seq, logits, &value, next);
  memcpy(memory, next, net->graph.state_size * sizeof *memory);
  free(packed);
  activations_destroy(&space);
}

static void scale_views(const Net *net, const char *prefix, float by, float *block) {
  for (size_t v = 0; v < net->graph.views; v++)
    for (size_t i = 0; !strncmp(net->graph.view[v].name, prefix, strlen(prefix)) && i < net->graph.view[v].count; i++)
      block[net->graph.view[v].offset + i] *= by;
}

/* Clear decisions, of a memory that counts. */
static void sharpen(const Net *net, float *block) {
  scale_views(net, "policy", 300, block);
  scale_views(net, "memory", 3, block);
}

/* The KL to a recurrent reference is that of the reference's own memory: sequences cut into unrolls, which start from
 * the acting policy's, give what whole sequences give. */
static void a_recurrent_reference_has_its_own_memory(void **state) {
  (void)state;
  for (int memory = 1; memory <= 2; memory++) {
    double kl[2];
    for (int cut = 0; cut < 2; cut++) {
      Bench b;
      AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
      uint32_t length = cut ? 24 : 96;
      open_named(&b, "ppo", memory, false);
      b.config.rate = b.config.rate_end = 0;
      b.config.reference = b.config.reference_end = 1;
      net_init(b.net, 2, 0, b.pupil.reference);
      sharpen(b.net, b.pupil.block);
      sharpen(b.net, b.pupil.reference);
      for (int i = 0; i < 40; i++) {
        float hidden[16] = {0}, before[16];
        for (uint32_t t = 0; t < 96; t++) {
          float row[2] = {(float)rng_normal(&rng), (float)rng_normal(&rng)};
          AgonRng same = rng_stream(4, 0, t, RNG_TEST);
          if (t % length == 0) memcpy(before, hidden, sizeof before);
          add_row(&b, &same, row[0], row[1], none);
          remember(b.net, b.pupil.block, row, hidden);
          if ((t + 1) % length) continue;
          unroll(&b, length, END_TERMINATED);
          memcpy(b.batch.state + (b.batch.unrolls - 1) * b.batch.format.state, before,
                 b.batch.format.state * sizeof(float));
          b.batch.unroll[b.batch.unrolls - 1].fresh = t < length;
        }
      }
      update(&b);
      kl[cut] = b.update->stats.kl_reference;
      close_bench(&b);
    }
    assert_true(kl[0] > .01);
    if (fabs(kl[1] / kl[0] - 1) > .03)
      fail_msg("memory %d: KL %.4f of whole sequences, %.4f of cut ones", memory, kl[0], kl[1]);
  }
}

/* A learner alone, in pace free, before a rank that plays its actor and its league. */
typedef struct Lone {
  SimWorld *world;
  Learner *learner;
  uint64_t tick, frames, dropped;
  double lag;
} Lone;

static void open_lone(Lone *lone, const Bench *b) {
  static const int actor = 0, self = 1;
  *lone = (Lone){0};
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 2}, &lone->world));
  LearnerSetup setup = {.role = {.pace = PACE_FREE,
                                 .seed = 1,
                                 .transport = sim_rank(lone->world, 1),
                                 .clock = clock_system(),
                                 .net = b->net,
                                 .format = b->batch.format,
                                 .learning_players = 1},
                        .config = b->config,
                        .algo = b->made,
                        .groups = 1,
                        .members = 1,
                        .member_rank = &self,
                        .actor_rank = &actor,
                        .actors = 1};
  CHECK_OK(learner_create(&setup, &lone->learner));
}

static void close_lone(Lone *lone) {
  learner_destroy(lone->learner);
  sim_destroy(lone->world);
}

static void take_report(Lone *lone, Reader *body) {
  WireReport report;
  CHECK_OK(report_decode(&report, body));
  assert_int_equal(report.tick, lone->tick);
  assert_int_equal(report.player, 0);
  lone->frames = report.frames;
  lone->dropped = report.dropped;
  lone->lag = numbers_get(&report.numbers, "lag");
}

/* Passes on what has arrived; whether the learner's report was among it. */
static bool deliver(Lone *lone) {
  bool reported = false;
  WireKind kind;
  Reader body;
  sim_round(lone->world);
  for (int rank = 0; rank < 2; rank++)
    for (Message *m; (m = sim_rank(lone->world, rank)->ops->receive(sim_rank(lone->world, rank)));) {
      CHECK_OK(wire_open(m, &kind, &body));
      if (rank == 1) CHECK_OK(learner_receive(lone->learner, kind, m, &body));
      if (rank == 0 && kind == WIRE_REPORT) {
        take_report(lone, &body);
        reported = true;
      }
      message_release(m);
    }
  return reported;
}

/* One tick with this experience (NULL: none). */
static void lone_tick(Lone *lone, const Batch *batch) {
  WireOut out = {0};
  bool progress;
  if (lone->tick == 0) {
    wire_begin(&out, WIRE_LEARN);
    start_encode(&(WireStart){.tick = 0}, &out.bytes);
    CHECK_OK(wire_send(sim_rank(lone->world, 0), 1, &out));
  }
  if (batch) {
    wire_begin(&out, WIRE_UNROLLS);
    unrolls_encode(&(WireUnrolls){.tick = lone->tick}, &out.bytes);
    batch_encode(batch, &out.bytes);
    CHECK_OK(wire_send(sim_rank(lone->world, 0), 1, &out));
  }
  wire_begin(&out, WIRE_TICK_END);
  tick_end_encode(&(WireTickEnd){.tick = lone->tick}, &out.bytes);
  CHECK_OK(wire_send(sim_rank(lone->world, 0), 1, &out));
  while (!deliver(lone)) CHECK_OK(learner_step(lone->learner, &progress));
  lone->tick++;
  bytes_free(&out.bytes);
}

/* Age is a decision's, not an unroll's: a carried one that is too old goes alone; and what an episode's end closes is
 * learned from whatever its age, unless another life took it. Acted = learned + dropped. */
static void only_decisions_that_are_too_old_are_dropped(void **state) {
  (void)state;
  static const struct {
    uint32_t rows, first_version, version, first_life, life;
    uint8_t end;
    uint32_t learned;
  } with[] = {{8, 6, 6, 0, 0, END_OPEN, 8},      {8, 1, 6, 0, 0, END_TERMINATED, 7}, {1, 1, 1, 0, 0, END_TERMINATED, 1},
              {8, 1, 1, 0, 0, END_OPEN, 0},      {8, 1, 1, 0, 0, END_TRUNCATED, 1},  {1, 6, 6, 7, 7, END_TERMINATED, 0},
              {8, 6, 6, 7, 0, END_TERMINATED, 7}};
  for (int memory = 0; memory < 3; memory++) {
    Bench b;
    Lone lone;
    AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
    uint64_t acted = 0, learned = 0;
    open_named(&b, "ppo", memory, false);
    b.config.max_lag = 2;
    open_lone(&lone, &b);
    for (int i = 0; i < 6; i++) lone_tick(&lone, NULL);
    for (size_t i = 0; i < COUNT_OF(with); i++) {
      for (uint32_t r = 0; r < with[i].rows + (with[i].end != END_TERMINATED); r++)
        add_row(&b, &rng, .1f, .2f, by_sign);
      unroll(&b, with[i].rows, with[i].end);
      Unroll *last = &b.batch.unroll[i];
      last->first_version = with[i].first_version;
      last->version = with[i].version;
      last->first_life = with[i].first_life;
      last->life = with[i].life;
      acted += with[i].rows;
      learned += with[i].learned;
    }
    lone_tick(&lone, &b.batch);
    assert_int_equal(lone.frames, learned);
    assert_int_equal(lone.dropped, acted - learned);
    CHECK_NEAR(lone.lag, 2 * 5 / (double)learned, 1e-9); /* the two ends that are five updates old */
    close_lone(&lone);
    close_bench(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_algorithms_learn),
      cmocka_unit_test(the_reference_holds_or_follows),
      cmocka_unit_test(a_teacher_is_followed_while_it_counts),
      cmocka_unit_test(lives_begin_with_what_they_inherit),
      cmocka_unit_test(mirror_descent_steps_and_rests),
      cmocka_unit_test(averages_follow_slowly),
      cmocka_unit_test(schedules_fall_as_they_should),
      cmocka_unit_test(popart_keeps_values),
      cmocka_unit_test(truncation_bootstraps_termination_does_not),
      cmocka_unit_test(resets_go_back_to_the_beginning),
      cmocka_unit_test(the_same_update_gives_the_same_bytes),
      cmocka_unit_test(a_kl_stop_ends_the_update),
      cmocka_unit_test(members_share_an_update),
      cmocka_unit_test(equal_parts_do_not_hide_that_members_differ),
      cmocka_unit_test(unrolls_may_be_very_long),
      cmocka_unit_test(minibatches_are_even_on_any_number_of_actors),
      cmocka_unit_test(large_numbers_keep_their_moments),
      cmocka_unit_test(ppo_weights_a_decision_once),
      cmocka_unit_test(advantages_are_normalised_where_the_algorithm_does),
      cmocka_unit_test(a_copy_keeps_its_normalisers),
      cmocka_unit_test(many_epochs_repeat_no_shuffle),
      cmocka_unit_test(a_recurrent_reference_has_its_own_memory),
      cmocka_unit_test(only_decisions_that_are_too_old_are_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
