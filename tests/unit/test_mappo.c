/* MAPPO's critic: it values cells in the policy's place, and is all else that PPO's own value would
 * be; it is trained, normalised, reset and shared by learner ranks like the policy. */
#include "check.h"
#include "learn.h"

enum { UNROLLS = 12, STEPS = 5, TEAM = 2, GLOBAL = 3 };

static void set_bytes(Bench *b, const char *option, const void *value, size_t size) {
  for (size_t i = 0; i < b->algo->option_count; i++)
    if (!strcmp(b->algo->options[i].name, option))
      memcpy((char *)b->algo_config + b->algo->options[i].offset, value, size);
}

static void set_int(Bench *b, const char *option, int64_t value) {
  set_bytes(b, option, &value, sizeof value);
}
static void set_float(Bench *b, const char *option, double value) {
  set_bytes(b, option, &value, sizeof value);
}
static void set_choice(Bench *b, const char *option, int value) {
  set_bytes(b, option, &value, sizeof value);
}
static void set_bool(Bench *b, const char *option, bool value) {
  set_bytes(b, option, &value, sizeof value);
}

static const RowFormat rows = {.cells = TEAM, .flags = true, .global = GLOBAL};

/* The parts are made anew, after the algorithm's options were changed. */
static void remake(Bench *b) {
  const TrainShape old = shape_of(b);
  RowFormat format = b->batch.format;
  train_state_destroy(&b->pupil);
  update_destroy(b->update);
  algo_destroy(b->made);
  CHECK_OK(algo_create(b->algo, b->algo_config, b->net, &format, &b->made));
  const TrainShape shape = {.algo = b->made, .seed = old.seed};
  CHECK_OK(train_state_create(&shape, 0, &b->pupil));
  b->update = new_update(b, NULL);
}

/* What a team has seen. Rewards are of the state: only who sees that can tell what is to come. */
static void fill(Bench *b, uint64_t seed) {
  AgonRng rng = rng_stream(seed, 0, 0, RNG_TEST);
  Batch *batch = &b->batch;
  CHECK_OK(batch_reserve(batch, UNROLLS * (STEPS + 1), UNROLLS));
  for (size_t u = 0; u < UNROLLS; u++) {
    Unroll *unroll = &batch->unroll[batch->unrolls++];
    *unroll = (Unroll){.rows = STEPS, .end = (uint8_t)(u % 3), .first = (uint32_t)batch->rows};
    batch->rows += unroll_span(unroll);
    for (size_t row = unroll->first; row < batch->rows; row++) {
      for (size_t i = 0; i < GLOBAL; i++)
        batch->global[row * GLOBAL + i] = (float)rng_normal(&rng);
      for (size_t c = 0; c < TEAM; c++) {
        size_t cell = row * TEAM + c;
        const float seen[2] = {(float)rng_normal(&rng), (float)rng_normal(&rng)};
        bool acts = c == 0 || row < unroll->first + 3;
        memcpy(batch->observation + cell * 8, seen, 8);
        memset(batch->mask + cell * 3, 1, 3);
        batch->flags[cell] = acts ? ROW_FLAGS : AGON_ALIVE | ROW_ENTERED;
        batch->action[cell] = acts ? (int32_t)rng_below(&rng, 3) : 0;
        batch->log_prob[cell] = acts ? -1.1f + .2f * (float)rng_normal(&rng) : 0;
        batch->reward[cell] = 4 * batch->global[row * GLOBAL] + 10;
      }
    }
  }
}

static void run_update(Bench *b) {
  bool more = true, progress;
  CHECK_OK(update_begin(b->update, &b->pupil, &b->batch, NULL, NULL));
  while (more)
    CHECK_OK(update_step(b->update, &more, &progress));
}

static const View *view_of(const Graph *graph, const char *name) {
  for (size_t i = 0; i < graph->views; i++)
    if (!strcmp(graph->view[i].name, name)) return &graph->view[i];
  fail_msg("no view %s", name);
  return NULL;
}

/* With a critic that sees what the policy's own value trunk sees, and has its weights, values,
 * targets and advantages are those of PPO bit for bit, and so are the gradients: the policy's, and
 * the critic's for the trunk's. (Both begin from draws of their own, so the weights are copied.) */
static void a_critic_of_own_observations_is_ppo(void **state) {
  (void)state;
  static const char *const pairs[][2] = {{"value_dense0.weight", "dense0.weight"},
                                         {"value_dense0.bias", "dense0.bias"},
                                         {"value.weight", "value.weight"},
                                         {"value.bias", "value.bias"}};
  const AlgoOps *ppo = algo_find("ppo"), *mappo = algo_find("mappo");
  if (!ppo || !mappo) skip();
  Bench own, central;
  open_bench_separate(&own, ppo, &rows);
  open_bench_separate(&central, mappo, &rows);
  set_choice(&central, "critic_input", 1);
  set_bool(&central, "critic_id", false);
  set_bool(&central, "critic_alive", false);
  set_bool(&central, "critic_time", false);
  set_bool(&central, "normalise_values", false);
  set_float(&central, "value_clip", 0);
  set_float(&central, "huber", 0);
  remake(&central);
  const Graph *policy = &own.net->graph, *critic = &central.made->critic->graph;
  memcpy(central.pupil.block, own.pupil.block, own.net->block * sizeof(float));
  for (size_t i = 0; i < COUNT_OF(pairs); i++) {
    const View *from = view_of(policy, pairs[i][0]), *to = view_of(critic, pairs[i][1]);
    assert_int_equal(from->count, to->count);
    memcpy(central.pupil.part[1].block + to->offset, own.pupil.block + from->offset,
           from->count * sizeof(float));
  }
  Bench *const both[] = {&own, &central};
  for (int i = 0; i < 2; i++) {
    set_int(both[i], "epochs", 1);
    set_int(both[i], "minibatches", 1);
    fill(both[i], 3);
    run_update(both[i]);
  }
  size_t cells = own.batch.rows * TEAM;
  assert_memory_equal(own.update->value_now, central.update->value_now, cells * sizeof(float));
  for (size_t i = 0; i < cells; i++)
    if (own.update->is_valued[i]) {
      assert_true(own.update->target[i] == central.update->target[i]);
      assert_true(own.update->advantage[i] == central.update->advantage[i]);
    }
  const float *x = own.update->gradient, *y = central.update->gradient;
  for (size_t v = 0; v < policy->views; v++) {
    const View *view = &policy->view[v];
    bool of_value = !strncmp(view->name, "value", 5);
    for (size_t i = view->offset; i < view->offset + view->count; i++)
      assert_true(y[i] == (of_value ? 0 : x[i]));
  }
  for (size_t p = 0; p < COUNT_OF(pairs); p++) {
    const View *from = view_of(policy, pairs[p][0]), *to = view_of(critic, pairs[p][1]);
    assert_memory_equal(x + from->offset, y + policy->params + to->offset,
                        from->count * sizeof(float));
  }
  close_bench(&own);
  close_bench(&central);
}

/* Rewards come with the state, which observations do not show: a critic of the state foretells
 * them, one of observations cannot. Its normaliser is at the targets' mean and deviation. */
static void the_critic_sees_what_agents_do_not(void **state) {
  (void)state;
  const AlgoOps *mappo = algo_find("mappo");
  if (!mappo) skip();
  double loss[3];
  for (int input = 0; input < 3; input++) {
    Bench b;
    open_bench_separate(&b, mappo, &rows);
    set_choice(&b, "critic_input", input);
    remake(&b);
    b.config.rate = b.config.rate_end = .003;
    b.config.gamma = 0; /* what the step itself brings */
    b.config.return_decay = .5;
    float *before = malloc(b.net->block * sizeof(float));
    memcpy(before, b.pupil.block, b.net->block * sizeof(float));
    for (uint64_t u = 0; u < 120; u++) {
      fill(&b, 100 + u);
      run_update(&b);
      batch_clear(&b.batch);
    }
    loss[input] = update_stats(b.update)->value_loss;
    ValueHead head[ALGO_PARTS];
    assert_int_equal(train_state_values(b.made, &b.pupil, head), 1);
    CHECK_NEAR(head->block[head->return_at], 10, 1.5);
    CHECK_NEAR(head->block[head->return_at + 1], 4, 1);
    /* the policy's own head was told nothing, and its normaliser is where it was */
    const View *weight = view_of(&b.net->graph, "value.weight");
    assert_memory_equal(before + weight->offset, b.pupil.block + weight->offset,
                        weight->count * sizeof(float));
    assert_memory_equal(before + b.net->return_at, b.pupil.block + b.net->return_at,
                        2 * sizeof(float));
    free(before);
    close_bench(&b);
  }
  if (!(loss[0] < .1 && loss[2] < .1 && loss[1] > .3))
    fail_msg("losses: state %.3f, own %.3f, both %.3f", loss[0], loss[1], loss[2]);
}

/* What a step brings depends on how far the episode is, and on nothing that anybody observes: a
 * critic that is told foretells it, and one that is not cannot. */
static void the_critic_knows_how_far_the_episode_is(void **state) {
  (void)state;
  const AlgoOps *mappo = algo_find("mappo");
  if (!mappo) skip();
  double loss[2];
  for (int told = 0; told < 2; told++) {
    Bench b;
    open_bench_separate(&b, mappo, &rows);
    set_bool(&b, "critic_time", told);
    remake(&b);
    b.config.rate = b.config.rate_end = .005;
    b.config.gamma = 0;
    b.config.return_decay = .5;
    for (uint64_t u = 0; u < 150; u++) {
      fill(&b, 100 + u);
      for (size_t i = 0; i < b.batch.unrolls; i++) {
        Unroll *unroll = &b.batch.unroll[i];
        unroll->step = (uint32_t)(7 * i); /* where in its episode it begins */
        for (size_t t = 0; t < unroll->rows; t++)
          for (size_t c = 0; c < TEAM; c++)
            b.batch.reward[(unroll->first + t) * TEAM + c] = unroll->step + t < 32 ? 4 : -4;
      }
      run_update(&b);
      batch_clear(&b.batch);
    }
    loss[told] = update_stats(b.update)->value_loss;
    close_bench(&b);
  }
  if (!(loss[1] < .15 && loss[0] > .35)) fail_msg("losses: told %.3f, not %.3f", loss[1], loss[0]);
}

/* Two teams of two. */
static const uint32_t sides[4 * TEAM] = {0, 1, 0, 1, 2, 3, 2, 3};

/* In a game of two teams both have one state, and what the one wins the other loses: the critic is
 * told whom it values, also where it does not see which of the team's agents that is, and has not
 * to learn by and by that the state means the opposite for the other. */
static void the_critic_knows_whose_side_it_values(void **state) {
  (void)state;
  const AlgoOps *mappo = algo_find("mappo");
  const RowFormat both = {
      .cells = TEAM, .flags = true, .global = GLOBAL, .agents = 4, .agent_of = sides};
  if (!mappo) skip();
  for (int id = 0; id < 2; id++) {
    Bench b;
    open_bench_separate(&b, mappo, &both);
    set_bool(&b, "critic_id", id);
    remake(&b);
    b.config.rate = b.config.rate_end = .003;
    b.config.gamma = 0;
    b.config.return_decay = .5;
    for (uint64_t u = 0; u < 150; u++) {
      fill(&b, 100 + u);
      for (size_t i = 0; i < b.batch.unrolls; i++) {
        Unroll *unroll = &b.batch.unroll[i];
        unroll->agent = i % 4 < 2 ? 0 : 2;
        for (size_t t = 0; t < unroll_span(unroll); t++)
          for (size_t c = 0; c < TEAM; c++) {
            size_t row = unroll->first + t;
            float won = b.batch.global[row * GLOBAL] > 0 ? 1 : -1;
            b.batch.reward[row * TEAM + c] = unroll->agent ? -won : won;
          }
      }
      run_update(&b);
      double early = update_stats(b.update)->value_loss;
      if (u == 14 && early > .22) fail_msg("loss %.3f after 15 updates", early);
      batch_clear(&b.batch);
    }
    double loss = update_stats(b.update)->value_loss;
    if (loss > .15) fail_msg("loss %.3f, critic_id=%s", loss, id ? "true" : "false");
    close_bench(&b);
  }
}

/* value_clip and huber are in deviations of returns, whether the critic is normalised or not: with
 * returns of hundreds errors are far beyond both, and the loss is as in returns of ones. Before
 * anything is known of returns neither is taken. */
static void limits_are_in_deviations_of_returns(void **state) {
  (void)state;
  const AlgoOps *mappo = algo_find("mappo");
  if (!mappo) skip();
  for (int normalised = 0; normalised < 2; normalised++) {
    Bench b;
    open_bench_separate(&b, mappo, &rows);
    set_bool(&b, "normalise_values", normalised);
    remake(&b);
    b.config.return_decay = .9;
    for (uint64_t u = 0; u < 2; u++) {
      const Experience *e = &b.update->experience;
      batch_clear(&b.batch);
      fill(&b, 40 + u);
      for (size_t i = 0; i < b.batch.rows * TEAM; i++)
        b.batch.reward[i] *= 100;
      run_update(&b);
      assert_int_equal(e->unit_known, u > 0);
      size_t cell = 0;
      float error = -5 - 20 * e->value_unit, square = error * error / 2;
      while (!e->is_learned[cell])
        cell++;
      RowLoss loss = mappo->row(e, cell, -1, e->target[cell] + error);
      if (u == 0) {
        CHECK_NEAR(loss.value_loss, square, 1e-3 * (double)square);
        CHECK_NEAR(loss.by_value, error, 1e-3 * fabs((double)error));
        continue;
      }
      assert_true(e->value_unit > 300);
      assert_true(loss.value_loss < .9f * square);
      CHECK_NEAR(train_state_unit(b.made, &b.pupil), moments_deviation(&b.pupil),
                 .01 * (double)e->value_unit);
    }
    close_bench(&b);
  }
}

/* Two ranks with the same rows each learn what one with these rows learns: critic, normaliser and
 * policy; and copies of the critic that have come apart end the job. */
static void members_share_the_critic(void **state) {
  (void)state;
  const AlgoOps *mappo = algo_find("mappo");
  if (!mappo) skip();
  Bench b[2];
  Twin twin = {.fault = false};
  for (int k = 0; k < 2; k++)
    open_bench_separate(&b[k], mappo, &rows);
  update_destroy(b[1].update);
  twin.net = b[1].net;
  Reducer reducer = {&twin, 2, 0, twin_start, twin_test};
  b[1].update = new_update(&b[1], &reducer);
  for (uint64_t u = 0; u < 3; u++)
    for (int k = 0; k < 2; k++) {
      fill(&b[k], 7 + u);
      run_update(&b[k]);
      batch_clear(&b[k].batch);
    }
  for (size_t part = 0; part < 2; part++)
    for (size_t i = 0; i < b[0].pupil.part[part].floats; i++)
      CHECK_NEAR(b[0].pupil.part[part].block[i], b[1].pupil.part[part].block[i], 2e-4);
  for (size_t i = 1; i < 4; i++)
    CHECK_NEAR(b[0].pupil.stat[i], b[1].pupil.stat[i], 1e-3);
  assert_true(b[0].pupil.stat[1] > 0);
  for (int k = 0; k < 2; k++)
    close_bench(&b[k]);
}

static void check_alike(const Bench *a, const Bench *b, double tolerance) {
  for (size_t part = 0; part < 2; part++)
    for (size_t i = 0; i < a->pupil.part[part].floats; i++)
      CHECK_NEAR(a->pupil.part[part].block[i], b->pupil.part[part].block[i], tolerance);
  for (size_t i = 0; i < train_state_stat_count(a->net); i++)
    CHECK_NEAR(a->pupil.stat[i], b->pupil.stat[i], tolerance * (1 + fabs(a->pupil.stat[i])));
}

/* One rank that has the rows of two actors, and two ranks that have an actor each, be it one with
 * most of the experience or with all of it: the same policy, critic and normalisers, to rounding,
 * and between the two to the bit. */
static void two_members_are_as_one(void **state) {
  (void)state;
  static const size_t first[] = {8, 12, 1};
  const AlgoOps *mappo = algo_find("mappo");
  if (!mappo) skip();
  for (size_t run = 0; run < 2 * COUNT_OF(first); run++) {
    int memory = run % 2;
    size_t split = first[run / 2];
    Bench one, member[2];
    Sums sums = {.done = 0};
    Seat seat[2] = {{&sums, 0}, {&sums, 1}};
    open_bench_full(&one, mappo, memory, true, false, &rows);
    for (size_t k = 0; k < 2; k++) {
      Reducer reducer = {&seat[k], 2, k, sums_start, sums_test};
      open_bench_full(&member[k], mappo, memory, true, false, &rows);
      update_destroy(member[k].update);
      member[k].update = new_update(&member[k], &reducer);
    }
    Bench *const all[] = {&one, &member[0], &member[1]};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
      set_int(all[i], "epochs", 2);
      set_int(all[i], "minibatches", 3);
      all[i]->config.longest = STEPS + 2;
    }
    for (uint64_t u = 0; u < 3; u++) {
      uint32_t actor[2] = {0, 1};
      size_t end[2] = {split, UNROLLS}, own[2];
      Shards both = {actor, end, 2, 2};
      Shards each[2] = {{&actor[0], &own[0], 1, 1}, {&actor[1], &own[1], 1, 1}};
      bool more[3] = {true, true, true}, progress;
      fill(&one, 70 + u);
      for (size_t i = 0; i < UNROLLS; i++)
        one.batch.unroll[i].fresh = 1;
      begin_part(&member[0], &one, 0, split, &each[0]);
      begin_part(&member[1], &one, split, UNROLLS, &each[1]);
      CHECK_OK(update_begin(one.update, &one.pupil, &one.batch, &both, NULL));
      while (more[0] || more[1] || more[2])
        for (size_t i = 0; i < COUNT_OF(all); i++)
          if (more[i]) CHECK_OK(update_step(all[i]->update, &more[i], &progress));
      assert_true(one.update->stats.minibatches == 6 && member[1].update->stats.minibatches == 6);
      for (size_t i = 0; i < COUNT_OF(all); i++)
        batch_clear(&all[i]->batch);
    }
    check_alike(&member[0], &member[1], 0);
    check_alike(&one, &member[0], 1e-5);
    assert_true(one.pupil.stat[1] > 0);
    for (size_t i = 0; i < COUNT_OF(all); i++)
      close_bench(all[i]);
  }
}

/* A young player that copies another's policy has a critic of its own to begin with, and knows
 * nothing yet of returns. */
static void a_new_life_has_a_new_critic(void **state) {
  (void)state;
  const AlgoOps *mappo = algo_find("mappo");
  if (!mappo) skip();
  Bench b;
  open_bench_separate(&b, mappo, &rows);
  const TrainShape shape = shape_of(&b);
  size_t floats = b.pupil.part[1].floats;
  float *first = malloc(floats * sizeof(float)), *source = malloc(b.net->block * sizeof(float));
  memcpy(first, b.pupil.part[1].block, floats * sizeof(float));
  fill(&b, 1);
  run_update(&b);
  memcpy(source, b.pupil.block, b.net->block * sizeof(float));
  assert_memory_not_equal(first, b.pupil.part[1].block, floats * sizeof(float));
  assert_true(b.pupil.stat[1] > 0);
  CHECK_OK(train_state_reset(&shape, &b.pupil, source));
  assert_memory_equal(first, b.pupil.part[1].block, floats * sizeof(float));
  assert_memory_equal(source, b.pupil.block, b.net->block * sizeof(float));
  for (size_t i = 1; i < 4; i++)
    assert_true(b.pupil.stat[i] == 0);
  free(first);
  free(source);
  close_bench(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_critic_of_own_observations_is_ppo),
      cmocka_unit_test(the_critic_sees_what_agents_do_not),
      cmocka_unit_test(the_critic_knows_how_far_the_episode_is),
      cmocka_unit_test(the_critic_knows_whose_side_it_values),
      cmocka_unit_test(limits_are_in_deviations_of_returns),
      cmocka_unit_test(members_share_the_critic),
      cmocka_unit_test(two_members_are_as_one),
      cmocka_unit_test(a_new_life_has_a_new_critic),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
