/* Learning from rows of whole teams: the same as from each agent's own where all act at every step,
 * and what those who wait or are out of the game add to it. */
#include "check.h"
#include "learn.h"

enum { UNROLLS = 7, STEPS = 6, TEAM = 3 };

/* Experience of a team, from which both kinds of rows are made. */
typedef struct Scene {
  float observation[UNROLLS][STEPS + 1][TEAM][2];
  int32_t action[UNROLLS][STEPS][TEAM];
  float log_prob[UNROLLS][STEPS][TEAM];
  float reward[UNROLLS][STEPS][TEAM];
  uint8_t flags[UNROLLS][STEPS + 1][TEAM];
  float state[UNROLLS][TEAM][16];
  uint8_t end[UNROLLS];
  uint32_t skip[UNROLLS];
} Scene;

static void draw_scene(Scene *scene) {
  AgonRng rng = rng_stream(11, 0, 0, RNG_TEST);
  for (size_t u = 0; u < UNROLLS; u++) {
    scene->end[u] = (uint8_t)(u % 3);
    scene->skip[u] = u == 4 ? 2 : 0;
    for (size_t t = 0; t <= STEPS; t++)
      for (size_t c = 0; c < TEAM; c++) {
        for (size_t i = 0; i < 2; i++)
          scene->observation[u][t][c][i] = (float)rng_normal(&rng);
        scene->flags[u][t][c] = ROW_FLAGS;
        if (t == STEPS) continue;
        scene->action[u][t][c] = (int32_t)rng_below(&rng, 3);
        scene->log_prob[u][t][c] = -1.1f + .3f * (float)rng_normal(&rng);
        scene->reward[u][t][c] = (float)rng_normal(&rng);
      }
    for (size_t c = 0; c < TEAM; c++)
      for (size_t i = 0; i < 16; i++)
        scene->state[u][c][i] = .5f * (float)rng_normal(&rng);
  }
}

static void put_cell(Batch *batch, size_t cell, const Scene *scene, size_t u, size_t t, size_t c) {
  bool acts = t < STEPS && scene->flags[u][t][c] & AGON_ACTS;
  memcpy(batch->observation + cell * 8, scene->observation[u][t][c], 8);
  memset(batch->mask + cell * 3, 1, 3);
  batch->action[cell] = acts ? scene->action[u][t][c] : 0;
  batch->log_prob[cell] = acts ? scene->log_prob[u][t][c] : 0;
  batch->reward[cell] = t < STEPS ? scene->reward[u][t][c] : 0;
  if (batch->format.flags) batch->flags[cell] = scene->flags[u][t][c];
}

static void add_unroll(Batch *batch, const Scene *scene, size_t u, uint32_t rows) {
  batch->unroll[batch->unrolls] = (Unroll){
      .rows = rows, .end = scene->end[u], .skip = scene->skip[u], .first = (uint32_t)batch->rows};
  batch->rows += unroll_span(&batch->unroll[batch->unrolls++]);
}

/* A row for each step, with a cell for each agent. */
static void fill_team(Bench *b, const Scene *scene) {
  Batch *batch = &b->batch;
  size_t S = batch->format.state;
  CHECK_OK(batch_reserve(batch, UNROLLS * (STEPS + 1), UNROLLS));
  for (size_t u = 0; u < UNROLLS; u++) {
    size_t first = batch->rows;
    for (size_t c = 0; c < TEAM && S; c++)
      memcpy(batch->state + (u * TEAM + c) * S, scene->state[u][c], S * sizeof(float));
    add_unroll(batch, scene, u, STEPS);
    for (size_t t = 0; first + t < batch->rows; t++)
      for (size_t c = 0; c < TEAM; c++)
        put_cell(batch, (first + t) * TEAM + c, scene, u, t, c);
  }
}

/* An unroll for each agent, of the rows in which it acts; rewards of others go to the one
 * before. */
static void fill_agents(Bench *b, const Scene *scene) {
  Batch *batch = &b->batch;
  size_t S = batch->format.state;
  CHECK_OK(batch_reserve(batch, UNROLLS * TEAM * (STEPS + 1), UNROLLS * TEAM));
  for (size_t u = 0; u < UNROLLS; u++)
    for (size_t c = 0; c < TEAM; c++) {
      size_t row = batch->rows;
      if (S) memcpy(batch->state + batch->unrolls * S, scene->state[u][c], S * sizeof(float));
      for (size_t t = 0; t <= STEPS; t++) {
        if (scene->flags[u][t][c] & AGON_ACTS)
          put_cell(batch, row++, scene, u, t, c);
        else if (t < STEPS)
          batch->reward[row - 1] += scene->reward[u][t][c];
      }
      uint32_t rows = (uint32_t)(row - 1 - batch->rows);
      add_unroll(batch, scene, u, rows);
    }
}

static void set_int(Bench *b, const char *option, int64_t value) {
  for (size_t i = 0; i < b->algo->option_count; i++)
    if (!strcmp(b->algo->options[i].name, option))
      memcpy((char *)b->algo_config + b->algo->options[i].offset, &value, sizeof value);
}

static void set_choice(Bench *b, const char *option, int value) {
  for (size_t i = 0; i < b->algo->option_count; i++)
    if (!strcmp(b->algo->options[i].name, option))
      memcpy((char *)b->algo_config + b->algo->options[i].offset, &value, sizeof value);
}

static const RowFormat team_rows = {.cells = TEAM, .flags = true};
static const RowFormat agent_rows = {.cells = 1};

/* One optimiser step, which leaves its gradient to look at. Agents' rows get the values that the
 * weights before the update have, as whoever acted by them would have recorded. */
static void step_once(Bench *b) {
  bool more = true, progress;
  set_int(b, "epochs", 1);
  set_int(b, "minibatches", 1);
  if (!b->batch.format.flags) {
    const Evaluated now = {.value = b->batch.value};
    uint32_t actor = 0;
    size_t end = b->batch.unrolls;
    const Shards whole = {.actor = &actor, .unroll_end = &end, .count = 1};
    CHECK_OK(passes_lay_out(&b->update->passes, &b->batch, &whole, 0, false));
    CHECK_OK(passes_evaluate(&b->update->passes, b->pupil.block, false, &now));
  }
  CHECK_OK(update_begin(b->update, &b->pupil, &b->batch, NULL, NULL));
  while (more)
    CHECK_OK(update_step(b->update, &more, &progress));
}

/* The gradients of two steps, means over what was learned from, are the same but for rounding. */
static void check_gradients(const Bench *a, const Bench *b, const char *what) {
  const Update *x = a->update, *y = b->update;
  double largest = 0, gap = 0;
  assert_int_equal(x->trained, y->trained);
  for (size_t i = 0; i < x->trained; i++) {
    double one = (double)x->gradient[i] / (double)x->sums.rows;
    double other = (double)y->gradient[i] / (double)y->sums.rows;
    largest = fmax(largest, fabs(one));
    gap = fmax(gap, fabs(one - other));
  }
  assert_true(largest > 1e-3);
  if (!(gap <= 1e-6 * fmax(1, largest))) fail_msg("%s: gradients of %g differ by %g", what, largest, gap);
}

/* Where all act at every step, a team row is the agents' rows side by side: each algorithm takes
 * the same step from both, whatever the memory. */
static void team_rows_are_agents_rows_side_by_side(void **state) {
  (void)state;
  static const char *const names[] = {"ppo", "impala", "mmd", "ppo with V-trace"};
  Scene scene = {0};
  draw_scene(&scene);
  for (size_t i = 0; i < COUNT_OF(names); i++)
    for (int memory = 0; memory < 3; memory++) {
      Bench team, alone;
      char name[8];
      sscanf(names[i], "%7s", name);
      const AlgoOps *algo = algo_find(name);
      if (!algo) continue; /* it has been taken out */
      open_bench_with(&team, algo, memory, false, &team_rows);
      open_bench_with(&alone, algo, memory, false, &agent_rows);
      if (strstr(names[i], "V-trace")) set_choice(&team, "targets", 1);
      if (strstr(names[i], "V-trace")) set_choice(&alone, "targets", 1);
      fill_team(&team, &scene);
      fill_agents(&alone, &scene);
      step_once(&team);
      step_once(&alone);
      assert_int_equal(team.pupil.frames, alone.pupil.frames);
      check_gradients(&team, &alone, names[i]);
      CHECK_NEAR(update_stats(team.update)->value_loss, update_stats(alone.update)->value_loss, 1e-5);
      CHECK_NEAR(update_stats(team.update)->entropy, update_stats(alone.update)->entropy, 1e-5);
      close_bench(&team);
      close_bench(&alone);
    }
}

/* A team of one, by whole updates: bit for bit what the agent's own rows give. */
static void a_team_of_one_is_its_agent(void **state) {
  (void)state;
  const RowFormat lone_team = {.cells = 1, .flags = true};
  const AlgoOps *algo = algo_find("ppo");
  if (!algo) skip();
  for (int memory = 0; memory < 3; memory++) {
    Bench b[2];
    AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
    for (int i = 0; i < 2; i++) {
      open_bench_with(&b[i], algo, memory, true, i ? &lone_team : &agent_rows);
      set_choice(&b[i], "targets", 1); /* both take the values that evaluation gives */
    }
    for (int round = 0; round < 3; round++) {
      for (int u = 0; u < 20; u++) {
        uint32_t rows = 1 + rng_below(&rng, 6);
        uint8_t end = (uint8_t)rng_below(&rng, 3);
        uint32_t key = rng_below(&rng, 1000);
        for (int i = 0; i < 2; i++) {
          AgonRng own = rng_stream(key, 0, 0, RNG_TEST);
          for (uint32_t t = 0; t < rows + (end != END_TERMINATED); t++)
            add_row(&b[i], &own, (float)rng_normal(&own), (float)rng_normal(&own), by_sign);
          unroll(&b[i], rows, end);
        }
      }
      update(&b[0]);
      update(&b[1]);
    }
    assert_memory_equal(b[0].pupil.block, b[1].pupil.block, b[0].net->block * sizeof(float));
    assert_memory_equal(b[0].pupil.part[0].v, b[1].pupil.part[0].v,
                        b[0].net->graph.params * sizeof(float));
    assert_int_equal(b[0].pupil.frames, b[1].pupil.frames);
    close_bench(&b[0]);
    close_bench(&b[1]);
  }
}

/* Memory stands still in cells whose agent does not act, and the policy learns nothing there: with
 * returns that are sums of rewards, agents who act now and then learn what they would learn from
 * their own decisions. */
static void those_who_wait_remember(void **state) {
  (void)state;
  const AlgoOps *algo = algo_find("ppo");
  if (!algo) skip();
  for (int memory = 0; memory < 3; memory++) {
    Bench team, alone;
    Scene scene = {0};
    draw_scene(&scene);
    for (size_t u = 0; u < UNROLLS; u++) {
      scene.end[u] = END_OPEN;
      scene.skip[u] = 0;
      for (size_t t = 1; t < STEPS; t++)
        for (size_t c = 0; c < TEAM; c++)
          if ((t + c + u) % 3 == 0) scene.flags[u][t][c] = AGON_ALIVE | ROW_ENTERED;
    }
    open_bench_with(&team, algo, memory, false, &team_rows);
    open_bench_with(&alone, algo, memory, false, &agent_rows);
    for (int i = 0; i < 2; i++) {
      Bench *b = i ? &team : &alone;
      b->config.gamma = b->config.lambda = 1;
      b->config.value_weight = 0;
      (i ? fill_team : fill_agents)(b, &scene);
      step_once(b);
    }
    assert_int_equal(team.pupil.frames, alone.pupil.frames);
    check_gradients(&team, &alone, "agents that wait");
    assert_true(team.update->targets.count > team.update->advantages.count); /* they are valued */
    close_bench(&team);
    close_bench(&alone);
  }
}

/* An agent is out of the game when a time limit comes, and nobody ever got anything: its value,
 * which the limit bootstraps from, goes to 0 like everybody's. The policy learns nothing of its
 * cells, nor of those of an agent that is not there. */
static void values_of_those_out_of_the_game_are_learned(void **state) {
  (void)state;
  const AlgoOps *algo = algo_find("ppo");
  if (!algo) skip();
  Bench b;
  AgonRng rng = rng_stream(9, 0, 0, RNG_TEST);
  const float out_of_it[2] = {-2, 4}, in_it[2] = {1, .5f};
  float p[3];
  open_bench_with(&b, algo, 0, false, &team_rows);
  b.config.rate = b.config.rate_end = .005;
  b.pupil.block[b.net->graph.params - 1] = .5f; /* the bias of its value: nobody is valued rightly */
  assert_true(fabsf(look(&b, out_of_it[0], out_of_it[1], p)) > .1f);
  for (int round = 0; round < 150; round++) {
    for (size_t u = 0; u < UNROLLS; u++) {
      Batch *batch = &b.batch;
      CHECK_OK(batch_reserve(batch, STEPS + 1, 1));
      size_t row = batch->rows;
      batch->unroll[batch->unrolls++] =
          (Unroll){.rows = STEPS, .end = END_TRUNCATED, .fresh = 1, .first = (uint32_t)row};
      batch->rows += STEPS + 1;
      for (size_t t = 0; t <= STEPS; t++)
        for (size_t c = 0; c < TEAM; c++) {
          size_t cell = (row + t) * TEAM + c;
          bool acts = c == 0 || (c == 1 && t < 2);
          uint8_t entered = c < 2 ? ROW_ENTERED : 0;
          look(&b, in_it[0], in_it[1], p);
          batch->flags[cell] = acts ? ROW_FLAGS : entered;
          batch->action[cell] = acts ? (int32_t)rng_below(&rng, 3) : 0;
          batch->log_prob[cell] = acts ? logf(p[batch->action[cell]]) : 0;
          batch->reward[cell] = 0;
          memset(batch->mask + cell * 3, 1, 3);
          memset(batch->observation + cell * 8, 0, 8);
          if (c < 2) memcpy(batch->observation + cell * 8, acts ? in_it : out_of_it, 8);
        }
    }
    assert_int_equal(batch_learned(&b.batch), UNROLLS * (STEPS + 2));
    update(&b);
  }
  CHECK_NEAR(look(&b, out_of_it[0], out_of_it[1], p), 0, .02);
  CHECK_NEAR(look(&b, in_it[0], in_it[1], p), 0, .02);
  assert_int_equal(b.pupil.frames, 150 * UNROLLS * (STEPS + 2));
  close_bench(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(team_rows_are_agents_rows_side_by_side),
      cmocka_unit_test(a_team_of_one_is_its_agent),
      cmocka_unit_test(those_who_wait_remember),
      cmocka_unit_test(values_of_those_out_of_the_game_are_learned),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
