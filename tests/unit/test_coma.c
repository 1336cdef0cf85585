/* COMA: what an agent's choice is compared with, what the critic aims at, and the gradients of
 * both; by hand, by enumeration and by finite differences. */
#include "check.h"
#include "learn.h"

enum { TEAM = 3, CHOICES = 3, STATE = 2 };

static const AlgoOps *coma;

/* Agents 0 to 2 are one team, 3 and 4 another with an empty place. */
static const uint32_t agent_of[5][TEAM] = {
    {0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {3, 4, NO_AGENT}, {3, 4, NO_AGENT}};

/* Two alone. */
static const uint32_t pair_of[2][2] = {{0, 1}, {0, 1}};

typedef struct Setting {
  const char *name;
  double value;
} Setting;

static void set(void *own, const Setting *setting) {
  for (size_t i = 0; i < coma->option_count; i++) {
    const Option *option = &coma->options[i];
    char *field = (char *)own + option->offset;
    int64_t integer = (int64_t)setting->value;
    int choice = (int)setting->value;
    bool yes = setting->value != 0;
    if (strcmp(option->name, setting->name)) continue;
    if (option->type == OPT_INT) memcpy(field, &integer, sizeof integer);
    if (option->type == OPT_FLOAT) memcpy(field, &setting->value, sizeof setting->value);
    if (option->type == OPT_CHOICE) memcpy(field, &choice, sizeof choice);
    if (option->type == OPT_BOOL) memcpy(field, &yes, sizeof yes);
    return;
  }
  fail_msg("coma has no option %s", setting->name);
}

/* Whatever it sees, a critic begins with nearly the same value for all choices. */
static void check_no_opinion(const Bench *b) {
  const Graph *graph = &b->made->critic->graph;
  for (size_t v = 0; v < graph->views; v++) {
    const View *view = &graph->view[v];
    if (strcmp(view->name, "value.weight")) continue;
    for (size_t i = 0; i < view->count; i++)
      assert_true(fabsf(b->pupil.part[1].block[view->offset + i]) <= .0101f);
    return;
  }
  fail_msg("the critic has no head");
}

/* A bench of teams: nothing is stepped (rate 0), discount 1/2, a critic that is not normalised
 * unless the settings say so; epsilon is .2. cells: of a row. */
static void open_team(Bench *b, int memory, uint32_t cells, const Setting *settings, size_t count) {
  static const uint32_t head_size[] = {CHOICES};
  AgonKind layout = {.observation_type = AGON_F32,
                     .observation_shape = {2, 1, 1},
                     .action_kind = AGON_DISCRETE,
                     .heads = 1,
                     .head_size = head_size};
  NetConfig net;
  set_defaults(net_options, net_option_count, &net);
  net.hidden = (IntList){{8}, 1};
  net.memory = memory;
  net.memory_size = 8;
  net.activation = 1; /* tanh: derivatives by differences have no kinks to step over */
  *b = (Bench){.algo = coma};
  set_defaults(learn_options, learn_option_count, &b->config);
  b->config.rate = b->config.rate_end = 0;
  b->config.gamma = .5;
  b->config.entropy = b->config.entropy_end = .3;
  b->config.longest = 6;
  b->algo_config = calloc(1, coma->config_size);
  set_defaults(coma->options, coma->option_count, b->algo_config);
  set(b->algo_config, &(Setting){"normalise_values", 0});
  set(b->algo_config, &(Setting){"epsilon", .2});
  set(b->algo_config, &(Setting){"target_every", 1e9});
  for (size_t i = 0; i < count; i++)
    set(b->algo_config, &settings[i]);
  net.rule = algo_needs(coma, b->algo_config, &layout).rule;
  CHECK_OK(net_create(&net, &layout, NULL, &b->net));
  RowFormat format = {.observation_bytes = 8,
                      .choices = CHOICES,
                      .heads = 1,
                      .state = (uint32_t)b->net->graph.state_size,
                      .cells = cells,
                      .flags = true,
                      .global = STATE,
                      .agents = cells == TEAM ? COUNT_OF(agent_of) : cells};
  if (cells == TEAM) format.agent_of = &agent_of[0][0];
  if (cells == 2) format.agent_of = &pair_of[0][0];
  CHECK_OK(algo_create(coma, b->algo_config, b->net, &format, &b->made));
  const TrainShape shape = shape_of(b);
  CHECK_OK(train_state_create(&shape, 0, &b->pupil));
  b->update = new_update(b, NULL);
  CHECK_OK(batch_create(&format, &b->batch));
  /* a policy that is not uniform, and a critic that tells choices apart */
  AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
  check_no_opinion(b);
  for (size_t i = 0; i < b->pupil.part[1].trained; i++)
    b->pupil.part[1].block[i] += .3f * (float)rng_normal(&rng);
  memcpy(b->pupil.part[2].block, b->pupil.part[1].block, b->pupil.part[1].floats * sizeof(float));
  for (size_t i = 0; i < b->net->graph.params; i++)
    b->pupil.block[i] += .3f * (float)rng_normal(&rng);
  assert_true(net_epsilon(b->net, b->pupil.block) == .2f);
}

enum {
  IN = AGON_ALIVE | AGON_ACTS | ROW_ENTERED,
  WAITS = AGON_ALIVE | ROW_ENTERED,
  OUT = ROW_ENTERED
};

/* A row of random numbers; flags of each cell. */
static void add_team_row(Batch *batch, AgonRng *rng, const uint8_t *flags) {
  const size_t cells = batch->format.cells;
  CHECK_OK(batch_reserve(batch, 1, 1));
  for (size_t c = 0; c < cells; c++) {
    const size_t at = batch->rows * cells + c;
    const float seen[2] = {(float)rng_normal(rng), (float)rng_normal(rng)};
    const bool acts = flags[c] & AGON_ACTS;
    memcpy(batch->observation + at * 8, seen, sizeof seen);
    memset(batch->mask + at * CHOICES, 1, CHOICES);
    batch->action[at] = acts ? (int32_t)rng_below(rng, CHOICES) : 0;
    batch->log_prob[at] = acts ? -1.1f + .2f * (float)rng_normal(rng) : 0;
    batch->reward[at] = flags[c] ? (float)rng_normal(rng) : 0;
    batch->flags[at] = flags[c];
  }
  for (size_t i = 0; i < STATE; i++)
    batch->global[batch->rows * STATE + i] = (float)rng_normal(rng);
  batch->rows++;
}

static void close_unroll(Batch *batch, uint32_t rows, UnrollEnd end, uint16_t agent,
                         uint32_t slot) {
  CHECK_OK(batch_reserve(batch, 1, 1));
  Unroll *unroll = &batch->unroll[batch->unrolls];
  *unroll = (Unroll){.rows = rows,
                     .end = (uint8_t)end,
                     .agent = agent,
                     .fresh = 1,
                     .slot = slot,
                     .episode = 4,
                     .until = rows};
  unroll->first = (uint32_t)(batch->rows - unroll_span(unroll));
  const size_t S = (size_t)batch->format.state * batch->format.cells;
  if (S) memset(batch->state + batch->unrolls * S, 0, S * sizeof(float));
  batch->unrolls++;
}

/* Three rows; the third agent waits in the second and is out of the game in the third. */
static void play_scene(Bench *b, UnrollEnd end, uint64_t seed) {
  static const uint8_t flags[4][TEAM] = {
      {IN, IN, IN}, {IN, IN, WAITS}, {IN, IN, OUT}, {IN, IN, OUT}};
  AgonRng rng = rng_stream(seed, 0, 0, RNG_TEST);
  for (size_t t = 0; t < 3 + (end != END_TERMINATED); t++)
    add_team_row(&b->batch, &rng, flags[t]);
  close_unroll(&b->batch, 3, end, 0, (uint32_t)seed);
}

/* As far as the first minibatch of an epoch: what it left stays to be looked at. */
static void run_to(Bench *b, size_t epoch) {
  bool more = true, progress;
  CHECK_OK(update_begin(b->update, &b->pupil, &b->batch, NULL, NULL));
  while (more && b->update->experience.step <= epoch)
    CHECK_OK(update_step(b->update, &more, &progress));
}

static size_t epochs_of(const Bench *b) {
  return algo_plan(b->algo, b->algo_config).epochs;
}

/* --- independent calculations --- */

/* The acting rule of a cell, by arithmetic in double. */
static void rule_of(const Bench *b, const float *block, size_t cell, double *p) {
  Activations space;
  float logits[CHOICES], state[16] = {0};
  const uint8_t *mask = b->batch.mask + cell * CHOICES;
  Sequences seq = {.B = 1, .T = 1, .states = state, .S = b->net->graph.state_size};
  CHECK_OK(activations_create(&b->net->graph, 1, false, &space));
  net_load(b->net, b->batch.observation + cell * 8, NULL, 1, &space);
  net_forward(b->net, block, NULL, &space, &seq, logits, NULL, NULL);
  double sum = 0, available = 0;
  for (size_t k = 0; k < CHOICES; k++) {
    p[k] = mask[k] ? exp((double)logits[k]) : 0;
    sum += p[k];
    available += mask[k];
  }
  for (size_t k = 0; k < CHOICES; k++)
    p[k] = mask[k] ? .8 * p[k] / sum + .2 / available : 0;
  activations_destroy(&space);
}

/* What a critic's block says of the choices of each cell of a row, of a team of one side; `choice`:
 * what each of them does, below 0: nothing. */
static void critic_says(const Bench *b, const float *block, size_t row, const int *choice,
                        float *out) {
  const Critic *critic = b->made->critic;
  const size_t N = b->batch.format.cells;
  Activations space;
  Sequences seq = {.B = N, .T = 1};
  float state[16] = {0};
  uint8_t alive[TEAM];
  const size_t sides = b->made->sides;
  memcpy(state, b->batch.global + row * STATE, STATE * sizeof *state);
  if (b->made->critic_time)
    state[(sides ? sides : 1) * STATE] =
        (float)(row - batch_unroll_at(&b->batch, row)->first) /
        ((float)(row - batch_unroll_at(&b->batch, row)->first) + 32);
  if (sides) state[sides * STATE + b->made->critic_time] = 1;
  for (size_t c = 0; c < N; c++)
    alive[c] = b->batch.flags[row * N + c] & AGON_ALIVE ? 1 : 0;
  CHECK_OK(activations_create(&critic->graph, N, false, &space));
  critic_load(critic,
              &(CriticInput){.state = state,
                             .observation = b->batch.observation + row * N * 8,
                             .alive = alive},
              N, &space);
  for (size_t i = 0; critic->choices >= 0 && i < N * N * CHOICES; i++)
    space.value[critic->choices][i] = 0;
  for (size_t i = 0; critic->choices >= 0 && i < N; i++)
    for (size_t j = 0; j < N; j++)
      if (i != j && choice[j] >= 0)
        space.value[critic->choices][(i * N + j) * CHOICES + (size_t)choice[j]] = 1;
  critic_forward(critic, block, NULL, &space, &seq, out, NULL);
  activations_destroy(&space);
}

static void choices_of(const Bench *b, size_t row, int *out) {
  const size_t N = b->batch.format.cells;
  for (size_t c = 0; c < N; c++)
    out[c] = b->batch.flags[row * N + c] & AGON_ACTS ? b->batch.action[row * N + c] : -1;
}

/* --- the acting rule --- */

/* The mixture is what it is called, over what is available, and derivatives of its log-probability
 * and its entropy are those by differences; without epsilon it is the softmax. */
static void the_acting_rule_is_a_mixture(void **state) {
  (void)state;
  const ActionSpace space = {
      .kind = AGON_DISCRETE, .heads = 2, .head_size = {3, 4}, .choices = 7, .width = 7};
  const uint8_t mask[7] = {1, 1, 1, 1, 0, 1, 1};
  const float logits[7] = {.3f, -1, 2, 1, 9, -.5f, .25f};
  const AgonAction action[2] = {{.choice = 1}, {.choice = 2}};
  const float epsilons[] = {0, .3f, 1};
  for (size_t e = 0; e < COUNT_OF(epsilons); e++) {
    float row[7], p[7], mixed[7], d[7], plain_d[7];
    const double eps = (double)epsilons[e];
    dist_normalise(&space, logits, mask, row);
    dist_probabilities(&space, row, 1, p);
    dist_mix_rows(&space, row, epsilons[e], 1, mixed);
    for (size_t i = 0; i < 7; i++) {
      const double expected = (1 - eps) * (double)p[i] + eps / 3;
      if (mask[i])
        CHECK_NEAR(exp((double)mixed[i]), expected, 1e-6);
      else
        assert_true(mixed[i] <= -1e30f);
    }
    const float entropy = dist_mixed_backward(&space, row, p, epsilons[e], action, 1.5f, -.7f, d);
    CHECK_NEAR(entropy, dist_entropy(&space, mixed), 1e-5);
    for (size_t i = 0; i < 7; i++) {
      double loss[2];
      for (int side = 0; side < 2; side++) {
        float moved[7];
        memcpy(moved, logits, sizeof moved);
        moved[i] += side ? -1e-2f : 1e-2f;
        dist_normalise(&space, moved, mask, moved);
        dist_mix_rows(&space, moved, epsilons[e], 1, moved);
        loss[side] = 1.5 * (double)dist_log_prob(&space, moved, action) -
                     .7 * (double)dist_entropy(&space, moved);
      }
      CHECK_NEAR(d[i], (loss[0] - loss[1]) / 2e-2, 2e-3);
    }
    if (e) continue;
    dist_backward(&space, row, p, NULL, action, 1.5f, -.7f, 0, plain_d);
    for (size_t i = 0; i < 7; i++)
      CHECK_NEAR(d[i], plain_d[i], 1e-6);
    assert_memory_equal(mixed, row, sizeof row);
  }
  /* in place, row after row */
  float two[14];
  dist_normalise(&space, logits, mask, two);
  memcpy(two + 7, two, 7 * sizeof *two);
  dist_mix_rows(&space, two, .3f, 2, two);
  assert_memory_equal(two, two + 7, 7 * sizeof *two);
}

/* --- advantages --- */

/* Whatever an agent had chosen instead, the others' choices being what they were: by its own rule
 * its advantages are 0 on average, also where a choice is not to be had; and each is what the
 * critic says less what it says on average. */
static void advantages_are_nothing_on_average(void **state) {
  (void)state;
  Bench b;
  open_team(&b, 0, TEAM, NULL, 0);
  play_scene(&b, END_TRUNCATED, 3);
  b.batch.mask[1 * CHOICES + 2] = 0;
  b.batch.action[1] = 0;
  const size_t last = epochs_of(&b) - 1;
  for (size_t cell = 0; cell < 3 * TEAM; cell++) {
    double p[CHOICES], sum = 0, largest = 0;
    const int32_t before = b.batch.action[cell];
    rule_of(&b, b.pupil.block, cell, p);
    for (int k = 0; k < CHOICES; k++) {
      float said[TEAM * CHOICES];
      int choice[TEAM];
      double mean = 0;
      if (!b.batch.mask[cell * CHOICES + (size_t)k]) continue;
      b.batch.action[cell] = k;
      run_to(&b, last);
      const double advantage = (double)b.update->advantage[cell];
      sum += p[k] * advantage;
      largest = fmax(largest, fabs(advantage));
      choices_of(&b, cell / TEAM, choice);
      critic_says(&b, b.pupil.part[1].block, cell / TEAM, choice, said);
      const float *own = said + cell % TEAM * CHOICES;
      for (int i = 0; i < CHOICES; i++)
        mean += p[i] * (double)own[i];
      if (b.batch.flags[cell] & AGON_ACTS)
        CHECK_NEAR(advantage, (double)own[k] - mean, 1e-5);
      else
        assert_true(advantage == 0);
    }
    b.batch.action[cell] = before;
    CHECK_NEAR(sum, 0, 1e-6);
    assert_true(!(b.batch.flags[cell] & AGON_ACTS) || largest > 1e-3);
  }
  close_bench(&b);
}

/* --- targets --- */

/* Values of rows are those of the copy, for what was chosen; of who waits or is out, the others'
 * average; and targets follow from them, by hand: one step, all steps, and between. */
static void targets_are_those_of_td_lambda(void **state) {
  (void)state;
  static const double lambdas[] = {0, 1, .25};
  static const UnrollEnd ends[] = {END_TERMINATED, END_TRUNCATED, END_OPEN};
  for (size_t i = 0; i < 3 * COUNT_OF(lambdas); i++) {
    const double lambda = lambdas[i % 3];
    const UnrollEnd end = ends[i / 3];
    const int mean = i % 2;
    const Setting settings[] = {{"lambda", lambda}, {"team_reward", mean}};
    Bench b;
    open_team(&b, 0, TEAM, settings, 2);
    play_scene(&b, end, 7 + i);
    for (size_t w = 0; w < b.pupil.part[2].floats; w++)
      b.pupil.part[2].block[w] *= 1.5f; /* the copy is not the critic */
    run_to(&b, 0);
    const float *value = b.update->value_now;
    double reward[3];
    for (size_t t = 0; t < 3; t++) {
      float said[TEAM * CHOICES];
      int choice[TEAM];
      double average = 0;
      reward[t] = 0;
      choices_of(&b, t, choice);
      critic_says(&b, b.pupil.part[2].block, t, choice, said);
      for (size_t c = 0; c < TEAM; c++) {
        reward[t] += (double)b.batch.reward[t * TEAM + c] / (mean ? TEAM : 1);
        if (choice[c] < 0) continue;
        CHECK_NEAR(value[t * TEAM + c], said[c * CHOICES + (size_t)choice[c]], 1e-5);
        average += (double)said[c * CHOICES + (size_t)choice[c]] / (t ? 2 : 3);
      }
      if (t) CHECK_NEAR(value[t * TEAM + 2], average, 1e-5);
    }
    for (size_t c = 0; c < TEAM; c++) {
      double behind = end == END_TERMINATED ? 0 : (double)value[3 * TEAM + c];
      for (size_t t = 3; t-- > 0;) {
        const bool over = t == 2 && end == END_TERMINATED;
        double next = over ? 0 : (double)value[(t + 1) * TEAM + c];
        behind = reward[t] + (over ? 0 : .5) * ((1 - lambda) * next + lambda * behind);
        CHECK_NEAR(b.update->target[t * TEAM + c], behind, 1e-5);
      }
      if (end == END_TERMINATED && lambda > .9)
        CHECK_NEAR(b.update->target[c], reward[0] + .5 * reward[1] + .25 * reward[2], 1e-5);
    }
    close_bench(&b);
  }
}

/* Behind an unroll nobody chose yet: an agent is worth its own choices on average, by its rule,
 * while the other's is drawn by that one's rule; the same for the same game, whatever else is
 * there. */
static void what_follows_is_drawn_by_the_rule(void **state) {
  (void)state;
  enum { UNROLLS = 3000 };
  static const uint8_t both[2] = {IN, IN};
  Bench b;
  double p[2][CHOICES], expected[CHOICES], sum = 0;
  size_t drawn[CHOICES] = {0};
  open_team(&b, 0, 2, NULL, 0);
  for (uint32_t u = 0; u < UNROLLS; u++) {
    AgonRng rng = rng_stream(11, 0, 0, RNG_TEST); /* all alike but for their slots */
    for (int t = 0; t < 2; t++)
      add_team_row(&b.batch, &rng, both);
    close_unroll(&b.batch, 1, END_OPEN, 0, u);
  }
  run_to(&b, 0);
  for (size_t c = 0; c < 2; c++)
    rule_of(&b, b.pupil.block, 2 + c, p[c]);
  for (int k = 0; k < CHOICES; k++) {
    float said[2 * CHOICES];
    critic_says(&b, b.pupil.part[2].block, 1, (int[]){-1, k}, said);
    expected[k] = 0;
    for (size_t own = 0; own < CHOICES; own++)
      expected[k] += p[0][own] * (double)said[own];
  }
  for (size_t u = 0; u < UNROLLS; u++) {
    const double value = (double)b.update->value_now[(2 * u + 1) * 2];
    size_t k = 0;
    while (k < CHOICES && fabs(value - expected[k]) > 1e-5)
      k++;
    if (k == CHOICES) fail_msg("unroll %zu: %f is no choice's", u, value);
    drawn[k]++;
    sum += value;
  }
  for (size_t k = 0; k < CHOICES; k++)
    CHECK_NEAR((double)drawn[k] / UNROLLS, p[1][k], 4 * sqrt(p[1][k] * (1 - p[1][k]) / UNROLLS));
  /* one of them by itself */
  const float there = b.update->value_now[(2 * 17 + 1) * 2];
  Bench alone;
  AgonRng rng = rng_stream(11, 0, 0, RNG_TEST);
  open_team(&alone, 0, 2, NULL, 0);
  for (int t = 0; t < 2; t++)
    add_team_row(&alone.batch, &rng, both);
  close_unroll(&alone.batch, 1, END_OPEN, 0, 17);
  run_to(&alone, 0);
  CHECK_NEAR(alone.update->value_now[2], there, 1e-6);
  close_bench(&alone);
  close_bench(&b);
}

/* --- gradients --- */

/* The critic's, in its epochs, are those of half the squared errors of what was chosen by those who
 * acted, times the value's weight; and the policy's are nothing then. */
static void critic_gradients_are_those_of_the_loss(void **state) {
  (void)state;
  for (int memory = 0; memory < 2; memory++) {
    Bench b;
    size_t checked = 0;
    open_team(&b, memory, TEAM, NULL, 0);
    play_scene(&b, END_TRUNCATED, 3);
    play_scene(&b, END_TERMINATED, 4);
    b.batch.unroll[1].skip = 1;
    run_to(&b, 0);
    const size_t offset = b.net->trained, count = b.pupil.part[1].trained;
    float *gradient = malloc(count * sizeof *gradient);
    memcpy(gradient, b.update->gradient + offset, count * sizeof *gradient);
    for (size_t i = 0; i < b.net->trained; i++)
      assert_true(b.update->gradient[i] == 0);
    assert_true(b.update->sums.rows == 7 + 4);
    for (size_t i = 0; i < count; i += 7) {
      float *weight = &b.pupil.part[1].block[i];
      const float before = *weight;
      double loss[2];
      for (int side = 0; side < 2; side++) {
        *weight = before + (side ? -1e-2f : 1e-2f);
        run_to(&b, 0);
        loss[side] = (double)b.update->sums.value;
      }
      *weight = before;
      double slope = b.config.value_weight * (loss[0] - loss[1]) / 2e-2;
      CHECK_NEAR(gradient[i], slope, 5e-3 * (1 + fabs(slope)));
      checked += fabs(slope) > 1e-2;
    }
    assert_true(checked > 10);
    free(gradient);
    close_bench(&b);
  }
}

/* Of decisions, with the advantages as they are: -(pi(a) / mu(a)) A - weight * entropy, by double
 * arithmetic of an own forward pass. */
static double policy_loss(const Bench *b, const float *block) {
  double loss = 0;
  for (size_t row = 0; row < b->batch.rows; row++) {
    for (size_t c = 0; c < TEAM; c++) {
      const size_t cell = row * TEAM + c;
      double p[CHOICES], entropy = 0;
      if (!b->update->is_learned[cell]) continue;
      rule_of(b, block, cell, p);
      for (size_t k = 0; k < CHOICES; k++)
        if (p[k] > 0) entropy -= p[k] * log(p[k]);
      double ratio = p[b->batch.action[cell]] / exp((double)b->batch.log_prob[cell]);
      loss -= ratio * (double)b->update->advantage[cell] + b->config.entropy * entropy;
    }
  }
  return loss;
}

static void policy_gradients_are_those_of_the_loss(void **state) {
  (void)state;
  const Setting wide = {"ratio", 1000};
  Bench b;
  size_t checked = 0;
  open_team(&b, 0, TEAM, &wide, 1);
  play_scene(&b, END_TRUNCATED, 3);
  play_scene(&b, END_TERMINATED, 4);
  b.batch.unroll[1].skip = 1;
  b.batch.mask[1 * CHOICES + 2] = 0;
  b.batch.action[1] = 1;
  run_to(&b, epochs_of(&b) - 1);
  for (size_t i = 0; i < b.pupil.part[1].trained; i++)
    assert_true(b.update->gradient[b.net->trained + i] == 0);
  for (size_t i = 0; i < b.net->graph.params; i++) {
    const float before = b.pupil.block[i];
    double loss[2];
    for (int side = 0; side < 2; side++) {
      b.pupil.block[i] = before + (side ? -1e-2f : 1e-2f);
      loss[side] = policy_loss(&b, b.pupil.block);
    }
    b.pupil.block[i] = before;
    double slope = (loss[0] - loss[1]) / 2e-2;
    CHECK_NEAR(b.update->gradient[i], slope, 5e-3 * (1 + fabs(slope)));
    checked += fabs(slope) > 1e-2;
  }
  assert_true(checked > 20);
  close_bench(&b);
}

/* A decision that the policy would hardly take any more counts less, one that it would take more
 * often counts no more than once. */
static void old_decisions_count_less(void **state) {
  (void)state;
  float bias[3];
  for (int i = 0; i < 3; i++) {
    Bench b;
    double p[CHOICES];
    open_team(&b, 0, 1, NULL, 0);
    AgonRng rng = rng_stream(2, 0, 0, RNG_TEST);
    b.config.entropy = b.config.entropy_end = 0;
    add_team_row(&b.batch, &rng, (const uint8_t[]){IN});
    close_unroll(&b.batch, 1, END_TERMINATED, 0, 0);
    rule_of(&b, b.pupil.block, 0, p);
    double at = log(p[b.batch.action[0]]);
    b.batch.log_prob[0] = (float)(i == 0 ? at : i == 1 ? at + log(2.) : at - log(2.));
    run_to(&b, epochs_of(&b) - 1);
    const Graph *graph = &b.net->graph;
    for (size_t v = 0; v < graph->views; v++)
      if (!strcmp(graph->view[v].name, "policy.bias"))
        bias[i] = b.update->gradient[graph->view[v].offset + (size_t)b.batch.action[0]];
    close_bench(&b);
  }
  assert_true(fabsf(bias[0]) > 1e-4f);
  CHECK_NEAR(bias[1], bias[0] / 2, 1e-5);
  CHECK_NEAR(bias[2], bias[0], 1e-5);
}

/* --- parts --- */

/* Moments that move change no value of a choice, and advantages come in deviations of returns. */
static void values_of_choices_keep_their_meaning(void **state) {
  (void)state;
  const Setting normalised = {"normalise_values", 1};
  Bench b;
  float before[TEAM * CHOICES], after[TEAM * CHOICES];
  open_team(&b, 0, TEAM, &normalised, 1);
  play_scene(&b, END_TERMINATED, 3);
  for (size_t i = 0; i < 3 * TEAM; i++)
    b.batch.reward[i] = 40 * b.batch.reward[i] + 100;
  critic_says(&b, b.pupil.part[1].block, 0, (int[]){0, 1, 2}, before);
  run_to(&b, 99);
  critic_says(&b, b.pupil.part[1].block, 0, (int[]){0, 1, 2}, after);
  const float *unit = b.pupil.part[1].block + b.made->critic->return_at;
  assert_true(unit[0] > 50 && unit[1] > 10);
  for (size_t i = 0; i < TEAM * CHOICES; i++)
    CHECK_NEAR(before[i], after[i], 2e-4 * (double)unit[0]);
  run_to(&b, epochs_of(&b) - 1);
  critic_says(&b, b.pupil.part[1].block, 0,
              (int[]){b.batch.action[0], b.batch.action[1], b.batch.action[2]}, after);
  double p[CHOICES], mean = 0;
  rule_of(&b, b.pupil.block, 0, p);
  for (size_t k = 0; k < CHOICES; k++)
    mean += p[k] * (double)after[k];
  CHECK_NEAR(b.update->advantage[0], ((double)after[b.batch.action[0]] - mean) / (double)unit[1],
             1e-4);
  close_bench(&b);
}

/* The copy begins as the critic, stays, and becomes it again every so many steps; or comes nearer
 * with each. The critic is stepped in its epochs, the policy once behind them. */
static void the_copy_follows(void **state) {
  (void)state;
  const Setting often[] = {{"target_every", 3}, {"critic_epochs", 2}};
  const Setting slow[] = {{"tau", .25}, {"critic_epochs", 1}};
  for (int i = 0; i < 2; i++) {
    Bench b;
    open_team(&b, 0, TEAM, i ? slow : often, 2);
    b.config.rate = b.config.rate_end = .01;
    const TrainPart *critic = &b.pupil.part[1], *copy = &b.pupil.part[2];
    const size_t bytes = critic->floats * sizeof(float);
    assert_memory_equal(critic->block, copy->block, bytes);
    float *first = malloc(bytes), *policy = malloc(b.net->block * sizeof(float));
    memcpy(first, critic->block, bytes);
    memcpy(policy, b.pupil.block, b.net->block * sizeof(float));
    play_scene(&b, END_TERMINATED, 3);
    run_to(&b, 0);
    assert_memory_not_equal(first, critic->block, bytes);
    assert_memory_equal(policy, b.pupil.block, b.net->block * sizeof(float));
    if (i) {
      for (size_t w = 0; w < critic->floats; w++)
        CHECK_NEAR(copy->block[w], first[w] + .25f * (critic->block[w] - first[w]), 1e-6);
    } else {
      assert_memory_equal(first, copy->block, bytes);
    }
    bool more = true, progress;
    while (more)
      CHECK_OK(update_step(b.update, &more, &progress));
    assert_memory_not_equal(policy, b.pupil.block, b.net->block * sizeof(float));
    assert_true(b.pupil.part[0].steps == 1 && critic->steps == (i ? 1 : 2));
    if (!i) assert_memory_equal(critic->block, copy->block, bytes);
    free(first);
    free(policy);
    close_bench(&b);
  }
}

/* An action of several choices is refused in a sentence: whose they are, the game's (`heads` of
 * them) or gated messages'. */
static void check_refused(uint32_t heads, bool gated, const char *why) {
  static const uint32_t head_size[] = {3, 2};
  static const uint8_t zeros[2] = {0, 0}; /* one team of one kind */
  AgonKind layout = {.observation_type = AGON_F32,
                     .observation_shape = {2, 1, 1},
                     .action_kind = heads > 1 ? AGON_MULTI_DISCRETE : AGON_DISCRETE,
                     .heads = heads,
                     .head_size = head_size};
  const AgonEnvSpec spec = {
      .agents = 2, .teams = 1, .team_of = zeros, .kinds = 1, .kind = &layout, .kind_of = zeros};
  NetConfig config;
  Net *net;
  Algo *made;
  void *own = calloc(1, coma->config_size);
  set_defaults(net_options, net_option_count, &config);
  set_defaults(coma->options, coma->option_count, own);
  if (gated) config.messages.kind = MESSAGES_GATED;
  CHECK_OK(net_create(&config, &layout, &spec, &net));
  assert_int_equal(net->space.heads, heads + gated);
  const RowFormat format = {.observation_bytes = 8,
                            .choices = net->space.choices,
                            .heads = net->space.heads,
                            .cells = 2,
                            .flags = true,
                            .global = 2};
  assert_int_equal(algo_create(coma, own, net, &format, &made), ERR_USAGE);
  assert_non_null(strstr(status_message(), "coma compares"));
  assert_non_null(strstr(status_message(), why));
  net_destroy(net);
  free(own);
}

static void several_heads_are_refused(void **state) {
  (void)state;
  check_refused(2, false, "an action is 2 choices here");
  check_refused(2, true, "an action is 2 choices here");
  check_refused(1, true, "net.messages.kind gated");
}

/* --- several learner ranks --- */

/* One rank that has the rows of two actors, and two ranks that have one each: the same policy,
 * critic, copy and normaliser, to rounding, and between the two to the bit. */
static void two_members_are_as_one(void **state) {
  (void)state;
  enum { UNROLLS = 12 };
  static const size_t first[] = {8, 12, 1};
  const Setting settings[] = {
      {"normalise_values", 1}, {"critic_epochs", 2}, {"minibatches", 2}, {"tau", .1}};
  for (size_t run = 0; run < 2 * COUNT_OF(first); run++) {
    const int memory = run % 2;
    const size_t split = first[run / 2];
    Bench one, member[2];
    Sums sums = {.done = 0};
    Seat seat[2] = {{&sums, 0}, {&sums, 1}};
    Bench *const all[] = {&one, &member[0], &member[1]};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
      open_team(all[i], memory, TEAM, settings, COUNT_OF(settings));
      all[i]->config.rate = all[i]->config.rate_end = .001;
    }
    for (size_t k = 0; k < 2; k++) {
      Reducer reducer = {&seat[k], 2, k, sums_start, sums_test};
      update_destroy(member[k].update);
      member[k].update = new_update(&member[k], &reducer);
    }
    for (uint64_t u = 0; u < 3; u++) {
      uint32_t actor[2] = {0, 1};
      size_t end[2] = {split, UNROLLS}, own[2];
      Shards both = {actor, end, 2, 2};
      Shards each[2] = {{&actor[0], &own[0], 1, 1}, {&actor[1], &own[1], 1, 1}};
      bool more[3] = {true, true, true}, progress;
      for (size_t i = 0; i < UNROLLS; i++)
        play_scene(&one, (UnrollEnd)(i % 3), 100 * u + i);
      begin_part(&member[0], &one, 0, split, &each[0]);
      begin_part(&member[1], &one, split, UNROLLS, &each[1]);
      CHECK_OK(update_begin(one.update, &one.pupil, &one.batch, &both, NULL));
      while (more[0] || more[1] || more[2])
        for (size_t i = 0; i < COUNT_OF(all); i++)
          if (more[i]) CHECK_OK(update_step(all[i]->update, &more[i], &progress));
      assert_true(one.pupil.steps == 6 * (u + 1) && one.pupil.part[0].steps == 2 * (u + 1));
      for (size_t i = 0; i < COUNT_OF(all); i++)
        batch_clear(&all[i]->batch);
    }
    for (size_t part = 0; part < 3; part++)
      for (size_t i = 0; i < one.pupil.part[part].floats; i++) {
        CHECK_NEAR(one.pupil.part[part].block[i], member[0].pupil.part[part].block[i], 2e-5);
        assert_true(member[0].pupil.part[part].block[i] == member[1].pupil.part[part].block[i]);
      }
    assert_true(one.pupil.stat[1] > 0);
    for (size_t i = 0; i < COUNT_OF(all); i++)
      close_bench(all[i]);
  }
}

/* --- learning --- */

/* What is right for agent c of two, who see who they are, and a coin. */
static int right_choice(const float *seen, size_t c) {
  return c == 0 ? 2 : seen[0] > 0 ? 1 : 0;
}

/* A row in which agents know who they are by the second number. */
static void add_known_row(Bench *b, AgonRng *rng) {
  static const uint8_t both[2] = {IN, IN};
  add_team_row(&b->batch, rng, both);
  float *seen = (float *)(void *)(b->batch.observation + (b->batch.rows - 1) * 2 * 8);
  seen[1] = 1;
  seen[3] = -1;
}

/* A team of two that is paid together, by how many of it are right: each learns what it earned
 * itself. */
static void agents_learn_what_they_earned(void **state) {
  (void)state;
  const Setting settings[] = {{"normalise_values", 1}};
  AgonRng rng = rng_stream(9, 0, 0, RNG_TEST);
  Bench b;
  double right[2] = {0, 0};
  open_team(&b, 0, 2, settings, 1);
  b.config.rate = b.config.rate_end = .01;
  b.config.entropy = b.config.entropy_end = 0;
  for (int u = 0; u < 120; u++) {
    for (uint32_t i = 0; i < 64; i++) {
      float paid = 0;
      add_known_row(&b, &rng);
      for (size_t c = 0; c < 2; c++) {
        const size_t cell = b.batch.rows * 2 - 2 + c;
        const float *seen = (const float *)(const void *)(b.batch.observation + cell * 8);
        double p[CHOICES];
        rule_of(&b, b.pupil.block, cell, p);
        b.batch.action[cell] = (int32_t)rng_pick(&rng, p, CHOICES);
        b.batch.log_prob[cell] = (float)log(p[b.batch.action[cell]]);
        paid += b.batch.action[cell] == right_choice(seen, c);
      }
      b.batch.reward[b.batch.rows * 2 - 2] = paid;
      b.batch.reward[b.batch.rows * 2 - 1] = 0;
      close_unroll(&b.batch, 1, END_TERMINATED, 0, i);
    }
    update(&b);
  }
  for (size_t i = 0; i < 200; i++) {
    add_known_row(&b, &rng);
    for (size_t c = 0; c < 2; c++) {
      const size_t cell = b.batch.rows * 2 - 2 + c;
      double p[CHOICES];
      rule_of(&b, b.pupil.block, cell, p);
      right[c] += p[right_choice((const float *)(const void *)(b.batch.observation + cell * 8), c)];
    }
  }
  /* the share of chance, .2, is in it: at most .867 */
  if (right[0] / 200 < .8 || right[1] / 200 < .75)
    fail_msg("right with %.2f and %.2f", right[0] / 200, right[1] / 200);
  close_bench(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_acting_rule_is_a_mixture),
      cmocka_unit_test(advantages_are_nothing_on_average),
      cmocka_unit_test(targets_are_those_of_td_lambda),
      cmocka_unit_test(what_follows_is_drawn_by_the_rule),
      cmocka_unit_test(critic_gradients_are_those_of_the_loss),
      cmocka_unit_test(policy_gradients_are_those_of_the_loss),
      cmocka_unit_test(old_decisions_count_less),
      cmocka_unit_test(values_of_choices_keep_their_meaning),
      cmocka_unit_test(the_copy_follows),
      cmocka_unit_test(several_heads_are_refused),
      cmocka_unit_test(two_members_are_as_one),
      cmocka_unit_test(agents_learn_what_they_earned),
  };
  coma = algo_find("coma");
  if (!coma) return 0;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
