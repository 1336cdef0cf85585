/* Policies by the gradients of critics: what critics are aimed at, by hand; gradients of whole
 * passes by finite differences and by a calculation of their own; who moves when; and that two
 * agents learn what neither can alone. */
#include "check.h"
#include "learn.h"
#include "nn/joint.h"

enum { TEAM = 3, CHOICES = 3, NUMBERS = 2, STATE = 2 };

static const AlgoOps *maddpg, *matd3;

/* Agents 0 to 2 are one team, 3 and 4 another with an empty place. */
static const uint32_t agent_of[5][TEAM] = {
    {0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {3, 4, NO_AGENT}, {3, 4, NO_AGENT}};

typedef struct Setting {
  const char *name;
  double value;
} Setting;

static void set(void *own, const AlgoOps *algo, const Setting *setting) {
  for (size_t i = 0; i < algo->option_count; i++) {
    const Option *option = &algo->options[i];
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
  fail_msg("%s has no option %s", algo->name, setting->name);
}

typedef struct Scene {
  const AlgoOps *algo;
  bool box;    /* two numbers; else one of three choices */
  int memory;  /* of the policy's network */
  int hidden;  /* 0: outputs are linear in what is seen, and critics in what they see */
  bool teams;  /* the other team is there, too */
  double rate; /* 0: nothing is stepped */
  double decay;
  const Setting *setting;
  size_t settings;
} Scene;

static void open_scene(Bench *b, const Scene *scene) {
  static const uint32_t head_size[] = {CHOICES};
  static const float low[NUMBERS] = {-1, -1}, high[NUMBERS] = {1, 1};
  AgonKind layout = {.observation_type = AGON_F32,
                     .observation_shape = {2, 1, 1},
                     .action_kind = scene->box ? AGON_BOX : AGON_DISCRETE,
                     .heads = scene->box ? NUMBERS : 1,
                     .head_size = scene->box ? NULL : head_size,
                     .action_low = low,
                     .action_high = high};
  NetConfig net;
  set_defaults(net_options, net_option_count, &net);
  net.precision = 0;
  net.hidden = (IntList){{scene->hidden}, scene->hidden > 0};
  net.memory = scene->memory;
  net.memory_size = 8;
  *b = (Bench){.algo = scene->algo};
  set_defaults(learn_options, learn_option_count, &b->config);
  b->config.rate = b->config.rate_end = scene->rate;
  b->config.gamma = .5;
  b->config.value_weight = 1;
  b->config.return_decay = scene->decay > 0 ? scene->decay : 1; /* 1: the unit of returns is 1 */
  b->algo_config = calloc(1, scene->algo->config_size);
  set_defaults(scene->algo->options, scene->algo->option_count, b->algo_config);
  set(b->algo_config, scene->algo, &(Setting){"normalise_values", 0});
  for (size_t i = 0; i < scene->settings; i++)
    set(b->algo_config, scene->algo, &scene->setting[i]);
  AlgoNeeds needs = algo_needs(scene->algo, b->algo_config, &layout);
  net.rule = needs.rule;
  CHECK_OK(net_create(&net, &layout, NULL, &b->net));
  RowFormat format = {.observation_bytes = 8,
                      .choices = scene->box ? NUMBERS : CHOICES,
                      .heads = layout.heads,
                      .state = (uint32_t)b->net->graph.state_size,
                      .cells = TEAM,
                      .flags = true,
                      .global = needs.global ? STATE : 0,
                      .agents = scene->teams ? 5 : 3,
                      .agent_of = &agent_of[0][0]};
  CHECK_OK(algo_create(scene->algo, b->algo_config, b->net, &format, &b->made));
  const TrainShape shape = shape_of(b);
  CHECK_OK(train_state_create(&shape, 0, &b->pupil));
  b->update = new_update(b, NULL);
  CHECK_OK(batch_create(&format, &b->batch));
}

/* The named parameters of a block. */
static float *find(const Graph *graph, float *block, const char *name) {
  for (size_t v = 0; v < graph->views; v++)
    if (!strcmp(graph->view[v].name, name)) return block + graph->view[v].offset;
  fail_msg("there is no %s", name);
  abort();
}

/* What an agent sees, does and gets in a row. Of a choice x is what was chosen. */
typedef struct Cell {
  float seen[2];
  float action[2];
  float reward;
  uint8_t flags;
} Cell;

enum {
  IN = AGON_ALIVE | AGON_ACTS | ROW_ENTERED,
  WAITS = AGON_ALIVE | ROW_ENTERED,
  OUT = ROW_ENTERED
};

static void add_cells(Batch *batch, const Cell *cell) {
  CHECK_OK(batch_reserve(batch, 1, 1));
  const size_t heads = batch->format.heads;
  for (size_t c = 0; c < TEAM; c++) {
    size_t at = batch->rows * TEAM + c;
    memcpy(batch->observation + at * 8, cell[c].seen, 8);
    memset(batch->mask + at * batch->format.choices, 1, batch->format.choices);
    if (heads == NUMBERS)
      memcpy(batch->action + at * heads, cell[c].action, sizeof cell[c].action);
    else
      batch->action[at] = (int32_t)cell[c].action[0];
    batch->log_prob[at] = 0;
    batch->reward[at] = cell[c].reward;
    batch->flags[at] = cell[c].flags;
  }
  for (size_t i = 0; i < batch->format.global; i++)
    batch->global[batch->rows * STATE + i] = cell[0].seen[0] - (float)i * cell[1].seen[1];
  batch->rows++;
}

static void close_unroll(Batch *batch, uint32_t rows, UnrollEnd end, uint16_t agent) {
  CHECK_OK(batch_reserve(batch, 1, 1));
  Unroll *unroll = &batch->unroll[batch->unrolls];
  *unroll = (Unroll){.rows = rows,
                     .end = (uint8_t)end,
                     .agent = agent,
                     .fresh = 1,
                     .slot = 3,
                     .episode = (uint32_t)batch->unrolls};
  unroll->first = (uint32_t)(batch->rows - unroll_span(unroll));
  size_t S = (size_t)batch->format.state * TEAM;
  if (S) memset(batch->state + batch->unrolls * S, 0, S * sizeof(float));
  batch->unrolls++;
}

static void step_once(Bench *b) {
  bool more = true, progress;
  CHECK_OK(update_begin(b->update, &b->pupil, &b->batch, NULL, NULL));
  while (more)
    CHECK_OK(update_step(b->update, &more, &progress));
}

/* --- targets --- */

/* Three rows of three agents, and (unless the game ends there) one that closes them. The third
 * waits in the second row and is out of the game in the third. */
static const Cell play[4][TEAM] = {
    {{{1, 2}, {.1f, .2f}, 1, IN}, {{3, 0}, {0, .5f}, 10, IN}, {{5, 4}, {1, 1}, 100, IN}},
    {{{2, 6}, {.3f, 0}, 2, IN}, {{1, 3}, {-1, 1}, 20, IN}, {{7, 8}, {0, 0}, 200, WAITS}},
    {{{4, 1}, {.5f, .5f}, 3, IN}, {{2, 5}, {.2f, -.2f}, 30, IN}, {{9, 9}, {0, 0}, 300, OUT}},
    {{{6, 8}, {0, 0}, 0, IN}, {{7, 2}, {0, 0}, 0, IN}, {{9, 9}, {0, 0}, 0, OUT}}};

static void put_play(Bench *b, UnrollEnd end) {
  for (size_t t = 0; t < 3 + (end != END_TERMINATED); t++)
    add_cells(&b->batch, play[t]);
  close_unroll(&b->batch, 3, end, 0);
}

/* A linear critic of agent i that says, of joint action a and state x, (i + 1) times the sum of
 * a_k / (k + 1), plus x_0 / 10, plus the number of agents in the game, plus `more`. */
static void tell_critic(const Bench *b, size_t part, float more) {
  const Joint *joint = b->made->part[part].made;
  float *block = b->pupil.part[1 + part].block;
  for (size_t i = 0; i < TEAM; i++) {
    float *weight = find(&joint->graph, block + i * joint->stride, "value.weight");
    float *bias = find(&joint->graph, block + i * joint->stride, "value.bias");
    const size_t all = joint->shape.actions + joint->shape.state;
    memset(weight, 0, all * sizeof *weight);
    for (size_t k = 0; k < joint->shape.actions; k++)
      weight[k] = (float)(i + 1) / (float)(k + 1);
    weight[joint->shape.actions] = .1f;
    for (size_t c = 0; c < TEAM; c++)
      weight[joint->shape.actions + STATE + c] = 1;
    *bias = more;
  }
}

/* A policy whose outputs are what is seen, over ten. */
static void tell_policy(const Bench *b, float *block) {
  float *weight = find(&b->net->graph, block, "policy.weight");
  memset(weight, 0, 4 * sizeof *weight);
  weight[0] = weight[3] = .1f;
  memset(find(&b->net->graph, block, "policy.bias"), 0, 2 * sizeof *weight);
}

/* What the critic's copy says of row t to agent i, when all do what the policy's copy does. */
static double worth(size_t t, size_t i) {
  double sum = 0, alive = 0;
  for (size_t c = 0; c < TEAM; c++) {
    alive += (play[t][c].flags & AGON_ALIVE) != 0;
    for (size_t h = 0; h < NUMBERS && play[t][c].flags & AGON_ACTS; h++)
      sum += tanh((double)play[t][c].seen[h] / 10) / (double)(c * NUMBERS + h + 1);
  }
  return (double)(i + 1) * sum + (double)play[t][0].seen[0] / 10 + alive;
}

enum { OWN, SUM, MEAN };

static void check_targets(const AlgoOps *algo, UnrollEnd end, int reward, float first, float twin) {
  Bench b;
  const Setting settings[] = {{"reward", reward}, {"target_noise", 0}};
  open_scene(
      &b,
      &(Scene){.algo = algo, .box = true, .setting = settings, .settings = algo == matd3 ? 2 : 1});
  tell_policy(&b, b.pupil.part[1].block);
  tell_critic(&b, 2, first);
  if (algo == matd3) tell_critic(&b, 4, twin);
  put_play(&b, end);
  step_once(&b);
  const double added = (double)(algo == matd3 ? fminf(first, twin) : first);
  for (size_t t = 0; t < 3; t++)
    for (size_t i = 0; i < TEAM; i++) {
      double paid = 0;
      for (size_t c = 0; c < TEAM; c++)
        paid += reward == OWN && c != i ? 0 : (double)play[t][c].reward;
      if (reward == MEAN) paid /= TEAM;
      const bool over = t == 2 && end == END_TERMINATED;
      const double next = over ? 0 : worth(t + 1, i) + added;
      CHECK_NEAR(b.update->target[t * TEAM + i], paid + .5 * next, 1e-4 * fabs(paid + next));
    }
  close_bench(&b);
}

static void targets_are_those_of_the_papers(void **state) {
  (void)state;
  check_targets(maddpg, END_TERMINATED, OWN, 0, 0);
  check_targets(maddpg, END_TRUNCATED, OWN, 3, 0);
  check_targets(maddpg, END_OPEN, SUM, 0, 0);
  check_targets(maddpg, END_OPEN, MEAN, 0, 0);
  check_targets(matd3, END_TRUNCATED, OWN, 5, 2);
  check_targets(matd3, END_TRUNCATED, OWN, -5, 2);
  check_targets(matd3, END_TERMINATED, SUM, -5, 2);
}

/* Noise so large that it is clipped nearly always: each number that the copy gives is then one of
 * two, and both come as often. */
static void noise_in_targets_is_clipped(void **state) {
  (void)state;
  const Setting settings[] = {{"target_noise", 9}, {"target_clip", .25}};
  const float row[TEAM][2] = {{1, 2}, {3, 0}, {5, 4}};
  double plain = 0, sum = 0, square = 0;
  int all = 0;
  for (int k = 0; k < 6; k++)
    plain += tanh((double)row[k / 2][k % 2] / 10) / (k + 1);
  for (uint64_t steps = 0; steps < 40; steps++) {
    Bench b;
    open_scene(&b, &(Scene){.algo = matd3, .box = true, .setting = settings, .settings = 2});
    tell_policy(&b, b.pupil.part[1].block);
    tell_critic(&b, 2, 0);
    tell_critic(&b, 4, 0);
    Cell cell[TEAM] = {{.flags = IN}, {.flags = IN}, {.flags = IN}};
    for (size_t c = 0; c < TEAM; c++)
      memcpy(cell[c].seen, row[c], sizeof row[c]);
    add_cells(&b.batch, cell);
    add_cells(&b.batch, cell);
    close_unroll(&b.batch, 1, END_OPEN, 0);
    b.pupil.steps = steps;
    step_once(&b);
    const double given = 2 * (double)b.update->target[0] - .1 - TEAM;
    bool found = false;
    for (int signs = 0; signs < 64; signs++) {
      double noise = 0;
      for (int k = 0; k < 6; k++)
        noise += (signs >> k & 1 ? .25 : -.25) / (k + 1);
      found |= fabs(plain + noise - given) < 2e-5;
    }
    /* noise of nine half-ranges lies within a quarter of one in one of forty draws */
    all += found;
    sum += (given - plain) / 40;
    square += (given - plain) * (given - plain) / 40;
    close_bench(&b);
  }
  if (all < 25) fail_msg("%d of 40 targets", all);
  CHECK_NEAR(sum, 0, .2);
  CHECK_NEAR(sqrt(square), .305, .1); /* a quarter, times the root of the squares of 1/k */
}

/* Two heads, of three and of two choices, and one choice in each that may be taken: what follows is
 * certain, and its ones lie head by head. An agent that cannot choose at all does nothing. */
static void several_heads_and_masks(void **state) {
  (void)state;
  enum { HEADS = 2, ALL = 5 };
  static const uint32_t head_size[HEADS] = {3, 2};
  const AgonKind layout = {.observation_type = AGON_F32,
                           .observation_shape = {2, 1, 1},
                           .action_kind = AGON_MULTI_DISCRETE,
                           .heads = HEADS,
                           .head_size = head_size};
  NetConfig net;
  Bench b = {.algo = maddpg};
  set_defaults(net_options, net_option_count, &net);
  set_defaults(learn_options, learn_option_count, &b.config);
  net.precision = 0;
  net.hidden = (IntList){{0}, 0};
  b.config.rate = b.config.rate_end = 0;
  b.config.gamma = .5;
  b.algo_config = calloc(1, maddpg->config_size);
  set_defaults(maddpg->options, maddpg->option_count, b.algo_config);
  CHECK_OK(algo_check(maddpg, b.algo_config, &layout));
  net.rule = algo_needs(maddpg, b.algo_config, &layout).rule;
  assert_int_equal(net.rule, RULE_SOFTMAX);
  CHECK_OK(net_create(&net, &layout, NULL, &b.net));
  const RowFormat format = {.observation_bytes = 8,
                            .choices = ALL,
                            .heads = HEADS,
                            .cells = TEAM,
                            .flags = true,
                            .global = STATE,
                            .agents = 3,
                            .agent_of = &agent_of[0][0]};
  CHECK_OK(algo_create(maddpg, b.algo_config, b.net, &format, &b.made));
  const TrainShape shape = shape_of(&b);
  CHECK_OK(train_state_create(&shape, 0, &b.pupil));
  b.update = new_update(&b, NULL);
  CHECK_OK(batch_create(&format, &b.batch));
  tell_critic(&b, 2, 0);
  const void *const nothing[COLUMNS] = {NULL};
  for (int row = 0; row < 2; row++)
    CHECK_OK(batch_add_row(&b.batch, nothing));
  memset(b.batch.flags, IN, sizeof(uint8_t) * 2 * TEAM);
  memset(b.batch.mask, 1, TEAM * ALL);
  /* in the row that follows: choices 2 and 0; 1 and 1; none at all */
  uint8_t *mask = b.batch.mask + TEAM * ALL;
  mask[2] = mask[3] = mask[ALL + 1] = mask[ALL + 4] = 1;
  close_unroll(&b.batch, 1, END_OPEN, 0);
  step_once(&b);
  const double sum = 1. / 3 + 1. / 4 + 1. / (ALL + 2) + 1. / (ALL + 5);
  for (size_t i = 0; i < TEAM; i++)
    CHECK_NEAR(b.update->target[i], .5 * ((double)(i + 1) * sum + TEAM), 1e-5);
  close_bench(&b);
}

/* --- gradients --- */

/* Episodes of all ends and lengths, with agents that wait, leave, and come late, and of another,
 * smaller team if there is one. */
static void play_at_random(Bench *b, bool teams) {
  AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
  const bool box = b->batch.format.heads == NUMBERS;
  for (uint32_t u = 0; u < 6; u++) {
    uint32_t rows = 1 + u;
    UnrollEnd end = (UnrollEnd)(u % 3);
    bool smaller = teams && u == 4;
    for (uint32_t t = 0; t < rows + (end != END_TERMINATED); t++) {
      Cell cell[TEAM];
      for (size_t c = 0; c < TEAM; c++) {
        uint8_t flags = c == 2 && t > 2 ? OUT : c == 1 && t % 2 ? WAITS : IN;
        if (smaller && c == 2) flags = 0;
        bool in = flags & AGON_ACTS;
        cell[c] = (Cell){.flags = flags};
        for (size_t i = 0; flags && i < 2; i++)
          cell[c].seen[i] = (float)rng_normal(&rng);
        for (size_t i = 0; in && i < 2; i++)
          cell[c].action[i] = box ? (float)rng_unit(&rng) * 2 - 1 : (float)rng_below(&rng, CHOICES);
        cell[c].reward = flags ? (float)rng_normal(&rng) : 0;
      }
      add_cells(&b->batch, cell);
    }
    close_unroll(&b->batch, rows, end, smaller ? 3 : 0);
  }
  b->batch.unroll[5].skip = 2;
}

static double loss_now(Bench *b, bool policy) {
  step_once(b);
  b->pupil.steps = 1;
  return (double)(policy ? b->update->sums.policy : b->update->sums.value);
}

static double slope_at(Bench *b, float *parameter, float step, bool policy) {
  float before = *parameter;
  *parameter = before + step;
  double up = loss_now(b, policy);
  *parameter = before - step;
  double down = loss_now(b, policy);
  *parameter = before;
  return (up - down) / (2 * (double)step);
}

/* Of some of the parameters of a part; constants between copies have none. */
static void check_part(Bench *b, size_t part, const float *gradient) {
  TrainPart *made = &b->pupil.part[part];
  double largest = 0;
  for (size_t i = 0; i < made->trained; i += 1 + made->trained / 61) {
    const size_t stride = part ? ((const Joint *)b->made->part[part - 1].made)->stride : SIZE_MAX;
    const size_t params = part ? ((const Joint *)b->made->part[part - 1].made)->graph.params : 0;
    if (part && i % stride >= params) continue;
    double given = (double)gradient[i];
    double slope = slope_at(b, &made->block[i], 4e-3f, part == 0);
    largest = fmax(largest, fabs(given));
    if (fabs(slope - given) > .01 + .02 * fabs(slope))
      fail_msg("%s: parameter %zu of its %s has the slope %g, but %g was given", b->algo->name, i,
               made->name, slope, given);
  }
  if (!(largest > .03)) fail_msg("%s: its %s has no gradient", b->algo->name, made->name);
}

static void check_gradients(const Scene *scene) {
  Bench b;
  open_scene(&b, scene);
  float *weight = find(&b.net->graph, b.pupil.block, "policy.weight");
  for (size_t i = 0; i < 8; i++)
    weight[i] *= 60; /* it begins nearly flat: here, as if it had learned something */
  for (size_t p = 1; p < b.made->parts; p++) {
    const Joint *joint = b.made->part[p].made;
    for (size_t i = 0; i < b.made->part[p].trained; i++)
      b.pupil.part[1 + p].block[i] *= i % joint->stride < joint->graph.params ? 1.5f : 1;
    for (size_t k = 0; b.made->part[p].trained && k < joint->graph.copies; k++) {
      /* what it says begins small */
      float *copy = b.pupil.part[1 + p].block + k * joint->stride;
      float *last = find(&joint->graph, copy, "value.weight");
      for (size_t i = 0; i < 8; i++)
        last[i] *= 10;
    }
  }
  play_at_random(&b, scene->teams);
  b.pupil.steps = 1; /* the second step is one of the policy's in any case */
  loss_now(&b, true);
  assert_true(b.update->sums.rows == (float)(scene->teams ? 40 : 43));
  float *gradient = calloc(b.update->trained, sizeof *gradient);
  memcpy(gradient, b.update->gradient, b.update->trained * sizeof *gradient);
  size_t from = 0;
  for (size_t part = 0; part < b.pupil.parts; part++) {
    if (b.pupil.part[part].trained && (part || scene->box)) check_part(&b, part, gradient + from);
    from += b.pupil.part[part].trained;
  }
  free(gradient);
  close_bench(&b);
}

/* Policies and critics of agents that give numbers, the whole way through the critic; of choices
 * the critics alone, as what is drawn has no slope. */
static void gradients_are_those_of_the_loss(void **state) {
  (void)state;
  const Setting settings[] = {{"target_every", 1e9},
                              {"tau", 0},
                              {"output_cost", .2},
                              {"critic_shared", 1},
                              {"critic_input", 2}};
  for (int i = 0; i < 6; i++)
    check_gradients(&(Scene){.algo = i % 2 ? matd3 : maddpg,
                             .box = i != 2,
                             .memory = i == 3   ? 1
                                       : i == 4 ? 2
                                                : 0,
                             .teams = i > 3,
                             .hidden = 8,
                             .setting = settings,
                             .settings = i < 2 ? 3 : 5});
}

/* The noise of a decision, by the names of its streams (maddpg.c): those of the policy's own
 * actions are the second. */
static void noise_of(const Bench *b, size_t unroll, uint32_t step, uint32_t agent, double *out) {
  AgonRng rng = rng_stream(1, 0, (uint32_t)b->pupil.steps, RNG_NOISE);
  uint64_t word[4];
  for (int i = 0; i < 4; i++)
    word[i] = rng_next(&rng);
  rng = rng_decision(word[2] << 32 | word[3], 3, (uint32_t)unroll, step, agent);
  for (int i = 0; i < CHOICES; i++)
    out[i] = -log(-log(rng_unit(&rng) + 0x1p-33));
}

/* With a linear critic the derivative of an action is a row of its weights, and that of the softmax
 * of the sums is worked out here by finite differences, in double. A choice that may not be taken
 * has no part in it. */
static void the_gradient_passes_straight_through(void **state) {
  (void)state;
  Bench b;
  const double temperature = 2;
  const Setting settings[] = {{"temperature", temperature}, {"output_cost", 0}};
  open_scene(&b, &(Scene){.algo = maddpg, .setting = settings, .settings = 2});
  const Joint *joint = b.made->part[1].made;
  float *bias = find(&b.net->graph, b.pupil.block, "policy.bias");
  memset(find(&b.net->graph, b.pupil.block, "policy.weight"), 0, CHOICES * 2 * sizeof(float));
  const float output[CHOICES] = {.5f, -.3f, .2f};
  memcpy(bias, output, sizeof output);
  play_at_random(&b, false);
  b.batch.mask[0 * CHOICES + 2] = 0; /* of the first agent in the first row */
  double expected[CHOICES] = {0}, loss = 0;
  for (size_t u = 0; u < b.batch.unrolls; u++) {
    const Unroll *unroll = &b.batch.unroll[u];
    for (uint32_t t = unroll->skip; t < unroll->rows; t++)
      for (uint32_t c = 0; c < TEAM; c++) {
        const size_t cell = (unroll->first + t) * TEAM + c;
        if (!(b.batch.flags[cell] & AGON_ACTS)) continue;
        const float *w =
            find(&joint->graph, b.pupil.part[2].block + c * joint->stride, "value.weight");
        const uint8_t *mask = b.batch.mask + cell * CHOICES;
        double noise[CHOICES];
        noise_of(&b, u, t, c, noise);
        for (int k = 0; k < CHOICES; k++) {
          double value[2];
          for (int side = 0; side < 2; side++) {
            double sum = 0;
            value[side] = 0;
            for (int i = 0; i < CHOICES; i++) {
              const double moved = (double)output[i] + (i == k ? (side ? 1e-5 : -1e-5) : 0);
              const double e = mask[i] ? exp((moved + noise[i]) / temperature) : 0;
              sum += e;
              value[side] += e * (double)w[c * CHOICES + (size_t)i];
            }
            value[side] /= sum;
          }
          expected[k] -= (value[1] - value[0]) / 2e-5;
        }
        /* and the value is that of the largest sum, with what the others did */
        size_t best = 0;
        for (size_t i = 1; i < CHOICES; i++)
          if (mask[i] && (double)output[i] + noise[i] > (double)output[best] + noise[best])
            best = i;
        double q = (double)w[c * CHOICES + best];
        for (uint32_t other = 0; other < TEAM; other++) {
          const size_t there = (unroll->first + t) * TEAM + other;
          if (other != c && b.batch.flags[there] & AGON_ACTS)
            q += (double)w[other * CHOICES + (size_t)b.batch.action[there]];
          q += (double)w[joint->shape.actions + STATE + other] *
               ((b.batch.flags[there] & AGON_ALIVE) != 0);
        }
        for (size_t i = 0; i < STATE; i++)
          q += (double)w[joint->shape.actions + i] *
               (double)b.batch.global[(unroll->first + t) * STATE + i];
        loss -= q;
      }
  }
  step_once(&b);
  const float *given = find(&b.net->graph, b.update->gradient, "policy.bias");
  for (int k = 0; k < CHOICES; k++)
    CHECK_NEAR(given[k], expected[k], 1e-4);
  CHECK_NEAR(b.update->sums.policy, loss, 1e-3);
  assert_true(fabs(expected[0]) > .01);
  close_bench(&b);
}

/* Of a critic by itself: what its actions get is its slope along them, and the same whether anybody
 * wants the gradient of its weights or not. */
static void critics_say_how_actions_count(void **state) {
  (void)state;
  for (int shared = 0; shared < 2; shared++) {
    NetConfig net;
    set_defaults(net_options, net_option_count, &net);
    net.precision = 0;
    net.hidden = (IntList){{16, 8}, 2};
    net.layer_norm = shared;
    const JointShape shape = {.agents = 2, .actions = 4, .state = 3, .shared = shared};
    enum { R = 5, ROWS = 2 * R };
    Joint *joint;
    CHECK_OK(joint_create(&net, &shape, &joint));
    float *block = calloc(joint->block, sizeof *block);
    float *gradient = calloc(joint->block, sizeof *gradient);
    const size_t wide = joint->graph.packed[true];
    float *packed = aligned_alloc(64, 64 * ((joint->graph.copies * wide + 15) / 16));
    AgonRng rng = rng_stream(2, 0, 0, RNG_TEST);
    joint_init(joint, &rng, block);
    for (size_t k = 0; k < joint->graph.copies; k++)
      graph_pack(&joint->graph, block + k * joint->stride, true, packed + k * wide);
    Activations space;
    CHECK_OK(activations_create(&joint->graph, ROWS, true, &space));
    joint_load(joint, R, &space);
    for (size_t i = 0; i < ROWS * 4; i++)
      space.value[joint->actions][i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < ROWS * 3; i++)
      space.value[joint->state][i] = (float)rng_normal(&rng);
    float kept[2][ROWS * 4];
    for (int alone = 0; alone < 2; alone++) {
      joint_forward(joint, block, packed, &space, R);
      for (size_t r = 0; r < ROWS; r++)
        space.grad[joint->value][r] = 1;
      joint_backward(joint, block, packed, alone ? NULL : gradient, &space, R);
      memcpy(kept[alone], space.grad[joint->actions], sizeof kept[alone]);
    }
    assert_memory_equal(kept[0], kept[1], sizeof kept[0]);
    for (size_t i = 0; i < ROWS * 4; i++) {
      float *x = &space.value[joint->actions][i], before = *x, value[2];
      for (int side = 0; side < 2; side++) {
        *x = before + (side ? 1e-2f : -1e-2f);
        joint_forward(joint, block, packed, &space, R);
        value[side] = space.value[joint->value][i / 4];
        *x = before;
      }
      CHECK_NEAR(kept[0][i], (double)(value[1] - value[0]) / 2e-2, 2e-3);
    }
    activations_destroy(&space);
    free(packed);
    free(gradient);
    free(block);
    joint_destroy(joint);
  }
}

/* --- who moves when --- */

static bool same(const Bench *b, size_t part, const float *before) {
  return !memcmp(b->pupil.part[part].block, before, b->pupil.part[part].floats * sizeof(float));
}

static float *copy_of(const Bench *b, size_t part) {
  const size_t bytes = b->pupil.part[part].floats * sizeof(float);
  return memcpy(malloc(bytes), b->pupil.part[part].block, bytes);
}

/* Critics move at each step; a policy, and what follows, at every second one where it is told so.
 */
static void policies_may_wait(void **state) {
  (void)state;
  for (int late = 0; late < 2; late++) {
    Bench b;
    open_scene(&b, &(Scene){.algo = late ? matd3 : maddpg, .box = true, .hidden = 8, .rate = .01});
    play_at_random(&b, false);
    for (int step = 1; step <= 4; step++) {
      float *policy = copy_of(&b, 0), *target = copy_of(&b, 1);
      float *critic = copy_of(&b, 2), *slow = copy_of(&b, 3);
      const bool waits = late && step % 2;
      step_once(&b);
      assert_true(!same(&b, 2, critic));
      assert_true(same(&b, 0, policy) == waits);
      assert_true(same(&b, 3, slow) == waits);
      assert_true(same(&b, 1, target) == waits);
      /* a hundredth of the way */
      if (!waits)
        CHECK_NEAR(b.pupil.part[3].block[0], slow[0] + .01f * (b.pupil.part[2].block[0] - slow[0]),
                   1e-6);
      free(policy);
      free(target);
      free(critic);
      free(slow);
    }
    assert_int_equal(b.pupil.part[0].steps, late ? 2 : 4);
    assert_int_equal(b.pupil.part[2].steps, 4);
    close_bench(&b);
  }
}

/* Real values stay what they are while the unit of returns moves, of critics and of their copies.
 */
static void the_unit_of_returns_moves_all_critics(void **state) {
  (void)state;
  Bench b;
  const Setting settings[] = {
      {"tau", 0}, {"target_every", 1e9}, {"normalise_values", 1}, {"target_noise", 0}};
  open_scene(&b,
             &(Scene){.algo = matd3, .box = true, .decay = .5, .setting = settings, .settings = 4});
  put_play(&b, END_TERMINATED);
  float target[3 * TEAM];
  for (int round = 0; round < 3; round++) {
    step_once(&b);
    if (round) /* 1/2 of the copy's value is in it */
      for (size_t i = 0; i < 2 * TEAM; i++)
        CHECK_NEAR(b.update->target[i], target[i], 1e-3);
    memcpy(target, b.update->target, sizeof target);
    for (size_t p = 1; p < b.made->parts; p++) {
      const Joint *joint = b.made->part[p].made;
      for (size_t k = 0; k < TEAM; k++) {
        const float *unit = b.pupil.part[1 + p].block + k * joint->stride + joint->return_at;
        assert_true(unit[1] > 20 && unit[1] == b.pupil.part[2].block[joint->return_at + 1]);
      }
    }
  }
  close_bench(&b);
}

/* --- acting --- */

static void squashed_actions_stay_within(void **state) {
  (void)state;
  Bench b;
  const Setting settings[] = {{"noise", 2}, {"noise_end", .5}, {"noise_frames", 1000}};
  open_scene(&b, &(Scene){.algo = maddpg, .box = true, .setting = settings, .settings = 3});
  const ActionSpace *space = &b.net->space;
  assert_true(b.net->config.rule == RULE_SQUASHED && b.net->log_std < 0);
  assert_true(net_epsilon(b.net, b.pupil.block) == 2);
  b.pupil.run_frames = 500;
  train_state_explore(b.made, &b.pupil);
  CHECK_NEAR(net_epsilon(b.net, b.pupil.block), 1.25, 1e-6);
  const float output[2 * NUMBERS] = {.5f, -3, 7, 7};
  const uint8_t second_only[NUMBERS] = {0, 1};
  float row[2 * NUMBERS];
  AgonAction action[NUMBERS];
  AgonRng rng = rng_stream(9, 0, 0, RNG_TEST);
  dist_squash(space, output, NULL, 0, row);
  dist_sample(space, row, NULL, &rng, false, action);
  CHECK_NEAR(action[0].value, tanh(.5), 1e-6);
  CHECK_NEAR(action[1].value, tanh(-3), 1e-6);
  double sum = 0, square = 0;
  bool beyond = false;
  dist_squash(space, output, NULL, .5f, row);
  for (int i = 0; i < 4000; i++) {
    dist_sample(space, row, NULL, &rng, false, action);
    beyond |= fabsf(action[1].value) > 1;
    double gap = (double)action[0].value - tanh(.5);
    sum += gap;
    square += gap * gap;
    dist_clip(space, action);
    assert_true(fabsf(action[0].value) <= 1 && fabsf(action[1].value) <= 1);
  }
  assert_true(beyond);
  CHECK_NEAR(sum / 4000, 0, .03);
  CHECK_NEAR(sqrt(square / 4000), .5, .03);
  dist_squash(space, output, second_only, .5f, row);
  dist_sample(space, row, NULL, &rng, false, action);
  assert_true(action[0].value == 0 && action[1].value != 0);
  close_bench(&b);
}

/* --- learning --- */

/* What the policy does in R rows of what is seen, (R, 2) floats, to out (R, NUMBERS). */
static void act(const Bench *b, const float *seen, size_t R, float *out) {
  Activations space;
  float *logits = malloc(R * 2 * NUMBERS * sizeof *logits);
  const Sequences rows = {.B = R, .T = 1};
  CHECK_OK(activations_create(&b->net->graph, R, false, &space));
  net_load(b->net, seen, NULL, R, &space);
  net_forward(b->net, b->pupil.block, NULL, &space, &rows, logits, NULL, NULL);
  for (size_t r = 0; r < R; r++)
    for (size_t k = 0; k < NUMBERS; k++)
      out[r * NUMBERS + k] = tanhf(logits[r * 2 * NUMBERS + k]);
  free(logits);
  activations_destroy(&space);
}

enum { EPISODES = 64, ROWS = EPISODES * TEAM };

/* All agents of an episode see its goal, and each a number of its own. */
static void see(AgonRng *rng, float *seen) {
  for (size_t r = 0; r < ROWS; r++) {
    seen[2 * r] = r % TEAM ? seen[2 * (r - 1)] : (float)rng_unit(rng) * 2 - 1;
    seen[2 * r + 1] = (float)rng_unit(rng) * 2 - 1;
  }
}

/* How far the first numbers of a team, added up, are from its goal, and the second ones from what
 * each was to do. */
static void miss(const float *seen, const float *done, double *sum, double *own) {
  *sum = -(double)seen[0];
  *own = 0;
  for (size_t c = 0; c < TEAM; c++) {
    const double gap = (double)done[c * NUMBERS + 1] - .7 * (double)seen[2 * c + 1];
    *sum += (double)done[c * NUMBERS];
    *own += gap * gap;
  }
  *sum *= *sum;
}

/* Squares of these, of all episodes, per episode. */
static double miss_all(const float *seen, const float *done) {
  double all = 0;
  for (size_t r = 0; r < ROWS; r += TEAM) {
    double sum, own;
    miss(seen + 2 * r, done + NUMBERS * r, &sum, &own);
    all += (sum + own) / EPISODES;
  }
  return all;
}

/* An update from episodes of one step in which the policy acts, with noise. */
static void train_once(Bench *b, AgonRng *rng) {
  float seen[ROWS * 2], done[ROWS * NUMBERS];
  see(rng, seen);
  act(b, seen, ROWS, done);
  for (size_t i = 0; i < ROWS * NUMBERS; i++)
    done[i] = fminf(fmaxf(done[i] + .4f * (float)rng_normal(rng), -1), 1);
  for (size_t r = 0; r < ROWS; r += TEAM) {
    Cell cell[TEAM];
    double sum, own;
    for (size_t c = 0; c < TEAM; c++) {
      cell[c] = (Cell){.flags = IN};
      memcpy(cell[c].seen, seen + 2 * (r + c), sizeof cell[c].seen);
      memcpy(cell[c].action, done + NUMBERS * (r + c), sizeof cell[c].action);
    }
    miss(seen + 2 * r, done + NUMBERS * r, &sum, &own);
    cell[0].reward = (float)-(sum + own);
    add_cells(&b->batch, cell);
    close_unroll(&b->batch, 1, END_TERMINATED, 0);
  }
  step_once(b);
  batch_clear(&b->batch);
}

/* The first numbers of all are to add up to a goal: what is right for one depends on the others,
 * whom it does not see. One agent is paid for all. */
static void teams_learn_what_none_can_alone(void **state) {
  (void)state;
  for (int twin = 0; twin < 2; twin++) {
    Bench b;
    const Setting settings[] = {
        {"reward", SUM}, {"critic_shared", twin}, {"normalise_values", 1}, {"critic_input", 1}};
    open_scene(&b, &(Scene){.algo = twin ? matd3 : maddpg,
                            .box = true,
                            .hidden = 64,
                            .rate = .005,
                            .decay = .9,
                            .setting = settings,
                            .settings = 4});
    AgonRng rng = rng_stream(8, 0, 0, RNG_TEST);
    float seen[ROWS * 2], done[ROWS * NUMBERS];
    b.config.clip_norm = 10;
    for (int u = 0; u < 1000; u++) {
      if (u == 700) b.config.rate = b.config.rate_end = .001;
      train_once(&b, &rng);
    }
    see(&rng, seen);
    memset(done, 0, sizeof done);
    const double idle = miss_all(seen, done);
    act(&b, seen, ROWS, done);
    const double left = miss_all(seen, done);
    if (!(left < .05 * idle)) fail_msg("%s: misses by %g, idle by %g", b.algo->name, left, idle);
    close_bench(&b);
  }
}

int main(void) {
  maddpg = algo_find("maddpg");
  matd3 = algo_find("matd3");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(targets_are_those_of_the_papers),
      cmocka_unit_test(noise_in_targets_is_clipped),
      cmocka_unit_test(several_heads_and_masks),
      cmocka_unit_test(gradients_are_those_of_the_loss),
      cmocka_unit_test(the_gradient_passes_straight_through),
      cmocka_unit_test(critics_say_how_actions_count),
      cmocka_unit_test(policies_may_wait),
      cmocka_unit_test(the_unit_of_returns_moves_all_critics),
      cmocka_unit_test(squashed_actions_stay_within),
      cmocka_unit_test(teams_learn_what_none_can_alone),
  };
  if (!maddpg || !matd3) return 0;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
