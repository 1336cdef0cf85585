/* Learning values of choices: what is aimed at, by hand; gradients of whole passes by finite
 * differences; the copies that follow. */
#include "check.h"
#include "learn.h"
#include "nn/mixer.h"

enum { TEAM = 3, CHOICES = 3, STATE = 2 };

static const AlgoOps *iql, *vdn, *qmix, *qplex, *wqmix;
static const AlgoOps **const all[] = {&iql, &vdn, &qmix, &qplex, &wqmix};

/* Agents 0 to 2 are one team, 3 and 4 another with an empty place. */
static const uint32_t agent_of[5][TEAM] = {
    {0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {3, 4, NO_AGENT}, {3, 4, NO_AGENT}};

/* An option of the algorithm's own, before its parts are made. */
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
    IntList layer = {{integer}, 1};
    if (strcmp(option->name, setting->name)) continue;
    if (option->type == OPT_INT) memcpy(field, &integer, sizeof integer);
    if (option->type == OPT_FLOAT) memcpy(field, &setting->value, sizeof setting->value);
    if (option->type == OPT_CHOICE) memcpy(field, &choice, sizeof choice);
    if (option->type == OPT_BOOL) memcpy(field, &yes, sizeof yes);
    if (option->type == OPT_INTS) memcpy(field, &layer, sizeof layer);
    return;
  }
  fail_msg("%s has no option %s", algo->name, setting->name);
}

/* A team's bench: nothing is stepped (rate 0), discount 1/2. hidden 0: outputs are linear in the
 * two numbers of an observation. */
static void open_team(Bench *b, const AlgoOps *algo, int memory, int hidden,
                      const Setting *settings, size_t count) {
  static const uint32_t head_size[] = {CHOICES};
  AgonKind layout = {.observation_type = AGON_F32,
                     .observation_shape = {2, 1, 1},
                     .action_kind = AGON_DISCRETE,
                     .heads = 1,
                     .head_size = head_size};
  NetConfig net;
  set_defaults(net_options, net_option_count, &net);
  net.hidden = (IntList){{hidden}, hidden > 0};
  net.memory = memory;
  net.memory_size = 8;
  *b = (Bench){.algo = algo};
  set_defaults(learn_options, learn_option_count, &b->config);
  b->config.rate = b->config.rate_end = 0;
  b->config.gamma = .5;
  b->algo_config = calloc(1, algo->config_size);
  set_defaults(algo->options, algo->option_count, b->algo_config);
  for (size_t i = 0; i < count; i++)
    set(b->algo_config, algo, &settings[i]);
  AlgoNeeds needs = algo_needs(algo, b->algo_config, &layout);
  net.rule = needs.rule;
  CHECK_OK(net_create(&net, &layout, NULL, &b->net));
  RowFormat format = {.observation_bytes = 8,
                      .choices = CHOICES,
                      .heads = 1,
                      .state = (uint32_t)b->net->graph.state_size,
                      .cells = TEAM,
                      .flags = true,
                      .global = needs.global ? STATE : 0,
                      .agents = COUNT_OF(agent_of),
                      .agent_of = &agent_of[0][0]};
  CHECK_OK(algo_create(algo, b->algo_config, b->net, &format, &b->made));
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
  return NULL;
}

/* Makes Q of choices 0 and 1 the two numbers seen, times `scale`, and that of choice 2 `third`. */
static void show(const Bench *b, float *block, float scale, float third) {
  float *weight = find(&b->net->graph, block, "policy.weight");
  float *bias = find(&b->net->graph, block, "policy.bias");
  memset(weight, 0, CHOICES * 2 * sizeof *weight);
  memset(bias, 0, CHOICES * sizeof *bias);
  weight[0] = weight[3] = scale;
  bias[2] = third;
}

/* What an agent sees, does and gets in a row. */
typedef struct Cell {
  float x, y;
  int32_t action;
  float reward;
  uint8_t flags;
} Cell;

enum {
  IN = AGON_ALIVE | AGON_ACTS | ROW_ENTERED,
  WAITS = AGON_ALIVE | ROW_ENTERED,
  OUT = ROW_ENTERED
};

static void add_team_row(Batch *batch, const Cell *cell) {
  CHECK_OK(batch_reserve(batch, 1, 1));
  for (size_t c = 0; c < TEAM; c++) {
    size_t at = batch->rows * TEAM + c;
    const float seen[2] = {cell[c].x, cell[c].y};
    memcpy(batch->observation + at * 8, seen, sizeof seen);
    memset(batch->mask + at * CHOICES, 1, CHOICES);
    batch->action[at] = cell[c].action;
    batch->log_prob[at] = 0;
    batch->reward[at] = cell[c].reward;
    batch->flags[at] = cell[c].flags;
  }
  for (size_t i = 0; i < batch->format.global; i++)
    batch->global[batch->rows * STATE + i] = cell[0].x - (float)i * cell[1].y;
  batch->rows++;
}

static void close_unroll(Batch *batch, uint32_t rows, UnrollEnd end, uint16_t agent) {
  CHECK_OK(batch_reserve(batch, 1, 1));
  Unroll *unroll = &batch->unroll[batch->unrolls];
  *unroll = (Unroll){.rows = rows, .end = (uint8_t)end, .agent = agent, .fresh = 1};
  unroll->first = (uint32_t)(batch->rows - unroll_span(unroll));
  size_t S = (size_t)batch->format.state * TEAM;
  if (S) memset(batch->state + batch->unrolls * S, 0, S * sizeof(float));
  batch->unrolls++;
}

/* How much each unroll counts, and what is found in it; NULL: all alike, and nobody asks. */
static const float *unroll_weight;
static float *unroll_error;

/* An update that moves nothing: its gradient, sums and targets stay to be looked at. */
static void step_once(Bench *b) {
  bool more = true, progress;
  update_weigh(b->update, unroll_weight, unroll_error);
  CHECK_OK(update_begin(b->update, &b->pupil, &b->batch, NULL, NULL));
  while (more)
    CHECK_OK(update_step(b->update, &more, &progress));
}

/* --- targets --- */

/* Three rows of three agents, and (unless the game ends there) one that closes them. The third
 * agent waits in the second row and is out of the game in the third. */
static const Cell scene[4][TEAM] = {{{1, 2, 0, 1, IN}, {3, 0, 1, 10, IN}, {5, 4, 0, 100, IN}},
                                    {{2, 6, 1, 2, IN}, {1, 3, 2, 20, IN}, {7, 8, 0, 200, WAITS}},
                                    {{4, 1, 0, 3, IN}, {2, 5, 1, 30, IN}, {9, 9, 0, 300, OUT}},
                                    {{6, 8, 0, 0, IN}, {7, 2, 0, 0, IN}, {9, 9, 0, 0, OUT}}};

static void play_scene(Bench *b, UnrollEnd end) {
  for (size_t t = 0; t < 3 + (end != END_TERMINATED); t++)
    add_team_row(&b->batch, scene[t]);
  close_unroll(&b->batch, 3, end, 0);
}

/* Targets of each row (and, of agents by themselves, each cell), as they should be; NAN: not
 * looked at. */
static void check_targets(const AlgoOps *algo, UnrollEnd end, const Setting *settings, size_t count,
                          const float *expected, size_t cells) {
  Bench b;
  open_team(&b, algo, 0, 0, settings, count);
  show(&b, b.pupil.block, 1, 0);
  show(&b, b.pupil.part[1].block, -10, 1);
  play_scene(&b, end);
  step_once(&b);
  for (size_t t = 0; t < 3; t++)
    for (size_t c = 0; c < cells; c++)
      if (!isnan(expected[t * cells + c]))
        CHECK_NEAR(b.update->target[t * TEAM + c], expected[t * cells + c], 1e-4);
  close_bench(&b);
}

/* By Q the best choices of row 1 are 1 (6), 1 (3); of row 2 0, 1; of the closing row 1, 0. Q' of
 * them: -60 - 30, -40 - 50, -80 - 70. By its own word the best is the third, of 1 each. */
static void a_teams_targets(void **state) {
  (void)state;
  const float rewards[3] = {111, 222, 333};
  const float next[3] = {-90, -90, -150};
  float simple[3], over[3], own[3], mean[3], two[3], blend[3];
  for (size_t t = 3; t-- > 0;) {
    simple[t] = rewards[t] + .5f * next[t];
    over[t] = t == 2 ? rewards[t] : simple[t];
    own[t] = rewards[t] + .5f * 2;
    mean[t] = rewards[t] / 3 + .5f * next[t];
    two[t] = t == 2 ? simple[t] : rewards[t] + .5f * simple[t + 1];
  }
  blend[2] = simple[2];
  for (size_t t = 2; t-- > 0;)
    blend[t] = rewards[t] + .5f * (.75f * next[t] + .25f * blend[t + 1]);
  check_targets(vdn, END_TRUNCATED, NULL, 0, simple, 1);
  check_targets(vdn, END_OPEN, NULL, 0, simple, 1);
  check_targets(vdn, END_TERMINATED, NULL, 0, over, 1);
  check_targets(vdn, END_TRUNCATED, &(Setting){"double", 0}, 1, own, 1);
  check_targets(vdn, END_TRUNCATED, &(Setting){"team_reward", 1}, 1, mean, 1);
  check_targets(vdn, END_TRUNCATED, &(Setting){"steps", 2}, 1, two, 1);
  check_targets(vdn, END_TRUNCATED, &(Setting){"lambda", .25}, 1, blend, 1);
  const Setting all_steps[] = {{"steps", 9}};
  const float ends[3] = {111 + .5f * 222 + .25f * 333, 222 + .5f * 333, 333};
  check_targets(vdn, END_TERMINATED, all_steps, 1, ends, 1);
  check_targets(vdn, END_TERMINATED, &(Setting){"lambda", 1}, 1, ends, 1);
}

/* The third agent acts in the first row alone: what follows are the rewards of the other two, and
 * then, as it is not asked again, nothing. */
static void an_agents_own_targets(void **state) {
  (void)state;
  const float simple[9] = {1 + .5f * -60, 10 + .5f * -30, 100 + .5f * (200 + .5f * 300),
                           2 + .5f * -40, 20 + .5f * -50, NAN,
                           3 + .5f * -80, 30 + .5f * -70, NAN};
  check_targets(iql, END_TRUNCATED, NULL, 0, simple, TEAM);
}

/* What is not available is never best; a team's empty place is not counted. */
static void masks_and_empty_places(void **state) {
  (void)state;
  Bench b;
  const Setting mean = {"team_reward", 1};
  const Cell rows[2][TEAM] = {{{1, 2, 0, 4, IN}, {3, 0, 1, 8, IN}, {0, 0, 0, 0, 0}},
                              {{2, 6, 0, 0, IN}, {1, 3, 0, 0, IN}, {0, 0, 0, 0, 0}}};
  open_team(&b, vdn, 0, 0, &mean, 1);
  show(&b, b.pupil.block, 1, 0);
  show(&b, b.pupil.part[1].block, -10, 1);
  for (size_t t = 0; t < 2; t++)
    add_team_row(&b.batch, rows[t]);
  b.batch.mask[(TEAM + 0) * CHOICES + 1] = 0; /* of the first, 6 may not be had, but 2 */
  close_unroll(&b.batch, 1, END_OPEN, 3);
  step_once(&b);
  CHECK_NEAR(b.update->target[0], (4 + 8) / 2.0 + .5 * (-20 - 30), 1e-4);
  assert_true(b.update->sums.rows == 1);
  /* half the squared error of 1 + 0 */
  CHECK_NEAR(b.update->sums.value, .5 * 20 * 20, 1e-2);
  close_bench(&b);
}

/* Rows that only lead memory up are not learned from, and large errors count linearly. */
static void what_counts(void **state) {
  (void)state;
  Bench b;
  const Setting huber = {"huber", 2};
  open_team(&b, vdn, 0, 0, &huber, 1);
  show(&b, b.pupil.block, 1, 0);
  show(&b, b.pupil.part[1].block, -10, 1);
  play_scene(&b, END_TRUNCATED);
  b.batch.unroll[0].skip = 2;
  step_once(&b);
  assert_true(b.update->sums.rows == 1);
  double error = 333 + .5 * -150 - (4 + 5);
  CHECK_NEAR(b.update->sums.value, 2 * (error - 1), 1e-3);
  /* two agents chose 0 and 1, and each bias gets the whole derivative */
  const float *bias = find(&b.net->graph, b.update->gradient, "policy.bias");
  CHECK_NEAR(bias[0], -2, 1e-5);
  CHECK_NEAR(bias[1], -2, 1e-5);
  CHECK_NEAR(bias[2], 0, 1e-6);
  close_bench(&b);
}

/* Two unrolls of which one counts twice and one half: losses, gradient and what they are divided
 * by; and of each the largest and the mean error of rows that count. Of the
 * second only the last row counts. */
static void unrolls_count_as_they_are_told(void **state) {
  (void)state;
  static const float weight[2] = {2, .5f};
  float error[4] = {-1, -1, -1, -1};
  Bench b;
  open_team(&b, vdn, 0, 0, NULL, 0);
  show(&b, b.pupil.block, 1, 0);
  show(&b, b.pupil.part[1].block, -10, 1);
  play_scene(&b, END_TRUNCATED);
  play_scene(&b, END_TRUNCATED);
  b.batch.unroll[1].skip = 2;
  const double errors[3] = {111 - 45 - (1 + 0 + 5), 222 - 45 - (6 + 0), 333 - 75 - (4 + 5)};
  unroll_weight = weight;
  unroll_error = error;
  step_once(&b);
  unroll_weight = NULL;
  unroll_error = NULL;
  double squares = 0, sum = 0;
  for (int t = 0; t < 3; t++) {
    squares += errors[t] * errors[t];
    sum += errors[t];
  }
  CHECK_NEAR(b.update->sums.rows, 3 * 2 + .5, 1e-6);
  CHECK_NEAR(b.update->sums.value, .5 * (2 * squares + .5 * errors[2] * errors[2]), 1);
  CHECK_NEAR(error[0], errors[2], 1e-3);
  CHECK_NEAR(error[1], sum / 3, 1e-3);
  CHECK_NEAR(error[2], errors[2], 1e-3);
  CHECK_NEAR(error[3], errors[2], 1e-3);
  /* choice 0 is taken by the first agent in rows 0 and 2, choice 2 by the second in row 1 */
  const float *bias = find(&b.net->graph, b.update->gradient, "policy.bias");
  CHECK_NEAR(bias[2], -2 * errors[1], 1e-2);
  step_once(&b); /* and no longer than that update */
  CHECK_NEAR(b.update->sums.rows, 4, 1e-6);
  assert_true(error[0] > 0);
  close_bench(&b);
}

/* The errors of agents by themselves are those of all of them; with two values of a team, those of
 * the one that targets come from. */
static void errors_are_those_of_what_can_be_learned(void **state) {
  (void)state;
  float error[2];
  for (int i = 0; i < 2; i++) {
    Bench b;
    const Setting settings[] = {{"free_hidden", 8}, {"alpha", 0}};
    open_team(&b, i ? wqmix : iql, 0, 0, settings, i ? 2 : 0);
    if (!i) show(&b, b.pupil.block, 1, 0);
    if (!i) show(&b, b.pupil.part[1].block, -10, 1);
    play_scene(&b, END_TERMINATED);
    unroll_error = error;
    step_once(&b);
    unroll_error = NULL;
    double most = 0, sum = 0;
    /* what was chosen is worth 1, 0, 5; 6, 0; 4, 5: errors of seven cells that act */
    const float own[3][TEAM] = {{1, 0, 5}, {6, 0, NAN}, {4, 5, NAN}};
    for (size_t t = 0, n = 0; t < 3; t++)
      for (size_t c = 0; c < (i ? 1 : TEAM); c++) {
        double value = i ? 0 : (double)own[t][c];
        if (isnan(value)) continue;
        const Passes *passes = &b.update->passes;
        const Mixer *mixer = i ? b.made->part[1].made : NULL;
        /* the derivative by Q* of the row lies where its value was */
        double gap = i ? (double)passes->part_space[1].value[mixer->total][t]
                       : value - (double)b.update->target[t * TEAM + c];
        most = fmax(most, fabs(gap));
        sum += fabs(gap);
        n++;
        if (n == (i ? 3 : 7)) {
          CHECK_NEAR(error[0], most, 1e-3);
          CHECK_NEAR(error[1], sum / (double)n, 1e-3);
        }
      }
    assert_true(most > 1);
    close_bench(&b);
  }
}

/* --- gradients --- */

/* Episodes of all ends and lengths, of two teams, with agents that wait, leave, and come late. */
static void play_at_random(Bench *b) {
  AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
  for (uint32_t u = 0; u < 6; u++) {
    uint32_t rows = 1 + u;
    UnrollEnd end = (UnrollEnd)(u % 3);
    bool smaller = u == 4;
    for (uint32_t t = 0; t < rows + (end != END_TERMINATED); t++) {
      Cell cell[TEAM];
      for (size_t c = 0; c < TEAM; c++) {
        uint8_t flags = c == 2 && t > 2 ? OUT : c == 1 && t % 2 ? WAITS : IN;
        if (smaller && c == 2) flags = 0;
        bool in = flags & AGON_ACTS;
        cell[c] = (Cell){.x = flags ? (float)rng_normal(&rng) : 0,
                         .y = flags ? (float)rng_normal(&rng) : 0,
                         .action = in ? (int32_t)rng_below(&rng, CHOICES) : 0,
                         .reward = flags ? (float)rng_normal(&rng) : 0,
                         .flags = flags};
      }
      add_team_row(&b->batch, cell);
    }
    close_unroll(&b->batch, rows, end, smaller ? 3 : 0);
  }
  b->batch.unroll[5].skip = 2;
}

static double loss_now(Bench *b) {
  step_once(b);
  return (double)b->update->sums.value;
}

/* The slope of the loss at a parameter. */
static double slope_at(Bench *b, float *parameter, float step) {
  float before = *parameter;
  *parameter = before + step;
  double up = loss_now(b);
  *parameter = before - step;
  double down = loss_now(b);
  *parameter = before;
  return (up - down) / (2 * (double)step);
}

static bool is_near(double slope, double given) {
  return fabs(slope - given) < .01 + .01 * fabs(slope);
}

/* Of some of the parameters of a part, which begin at `from` in the gradient. Hidden layers of
 * mixers have corners: a slope that goes around one is taken again, nearer, and of a hundred two
 * may be there still. */
static void check_part(Bench *b, size_t part, size_t from, const float *gradient) {
  TrainPart *made = &b->pupil.part[part];
  double largest = 0;
  int corners = part > 0 ? 2 : 0;
  for (size_t i = 0; i < made->trained; i += 1 + made->trained / 97) {
    double given = (double)gradient[from + i];
    double slope = slope_at(b, &made->block[i], 4e-3f);
    largest = fmax(largest, fabs(given));
    if (is_near(slope, given) || is_near(slope_at(b, &made->block[i], 1e-3f), given) ||
        is_near(slope_at(b, &made->block[i], 3e-4f), given))
      continue;
    if (corners-- == 0)
      fail_msg("%s: parameter %zu of its %s has the slope %g, but %g was given", b->algo->name, i,
               made->name, slope, given);
  }
  if (!(largest > .05)) fail_msg("%s: its %s has no gradient", b->algo->name, made->name);
}

/* Makes all lambdas of QPLEX 1: then what it is worth is what its gradient says (mixer.h). */
static void level(Bench *b) {
  TrainPart *mixer = &b->pupil.part[2];
  const Graph *graph = b->made->part[1].graph;
  static const char *const zero[] = {"agents.weight", "agents.bias", "actions.weight",
                                     "actions.bias", "key.weight"};
  for (size_t v = 0; v < graph->views; v++) {
    const View *view = &graph->view[v];
    for (size_t k = 0; k < COUNT_OF(zero); k++)
      if (!strcmp(view->name, zero[k]))
        memset(mixer->block + view->offset, 0, view->count * sizeof(float));
    for (size_t i = 0; !strcmp(view->name, "key.bias") && i < view->count; i++)
      mixer->block[view->offset + i] = 1;
  }
}

/* Of one algorithm; `levelled` is for QPLEX. */
static void check_gradients(Bench *b, bool levelled) {
  const bool teams = b->algo != iql;
  const bool bent = b->algo == qplex && !levelled; /* the policy's is not that of the loss */
  if (levelled) level(b);
  loss_now(b);
  float *gradient = calloc(b->update->trained, sizeof *gradient);
  memcpy(gradient, b->update->gradient, b->update->trained * sizeof *gradient);
  if (!unroll_weight) assert_true(b->update->sums.rows == (float)(teams ? 19 : 40));
  size_t from = 0;
  for (size_t part = 0; part < b->pupil.parts; part++) {
    size_t trained = b->pupil.part[part].trained;
    if (trained && !(part == 0 && bent) && !(part > 0 && levelled))
      check_part(b, part, from, gradient);
    from += trained;
  }
  free(gradient);
}

/* The policy begins nearly flat: here, as if it had learned something. */
static void steepen(Bench *b, float *block) {
  float *weight = find(&b->net->graph, block, "policy.weight");
  for (size_t i = 0; i < CHOICES * 8; i++)
    weight[i] *= 60;
}

static bool has_mixer(const AlgoOps *algo) {
  return algo != iql && algo != vdn;
}

static void gradients_are_those_of_the_loss(void **state) {
  (void)state;
  static const float weight[6] = {1, .5f, 2, 1.5f, .25f, 1};
  for (size_t a = 0; a < COUNT_OF(all); a++)
    for (int memory = 0; memory < 3; memory++) {
      Bench b;
      const AlgoOps *algo = *all[a];
      const Setting settings[] = {{"target_every", 1e9}, {"hyper_hidden", 8},        {"embed", 8},
                                  {"free_hidden", 8},    {"weighting", memory == 1}, {"alpha", .5}};
      open_team(&b, algo, memory, 8, settings, algo == wqmix ? 6 : has_mixer(algo) ? 4 : 1);
      steepen(&b, b.pupil.block);
      if (algo == wqmix) steepen(&b, b.pupil.part[1].block);
      play_at_random(&b);
      unroll_weight = memory == 1 ? weight : NULL;
      check_gradients(&b, false);
      if (algo == qplex) check_gradients(&b, true);
      unroll_weight = NULL;
      close_bench(&b);
    }
}

/* --- costs --- */

/* Of products: `whole` of dense layers with an input that nobody wants the gradient of, `rest` of
 * all others, two FLOP each. */
typedef struct Products {
  double whole, rest;
} Products;

static double forward_flops(Products p) {
  return 2 * (p.whole + p.rest);
}

static double train_flops(Products p) {
  return 2 * (2 * p.whole + 3 * p.rest);
}

/* What learning from a frame costs, counted by hand: a hidden layer of 8 over two numbers, heads for
 * three choices and the value; of the mixer (two sides: six numbers of state), hyper-networks of 8
 * and an embedding of 8, once for the three agents of a row. Element by element there is a little
 * more. */
static void costs_are_those_of_the_products(void **state) {
  (void)state;
  const Setting settings[] = {{"hyper_hidden", 8}, {"embed", 8}, {"free_hidden", 8}};
  const Products net = {2 * 8, 8 * (CHOICES + 1)};
  const double S = 2 * (STATE + 1);
  const Products mixer = {4 * S * 8, 8 * TEAM * 8 + 8 * 8 + 8 + TEAM * 8 + 8};
  const Products open = {(TEAM + S) * 8, 8}; /* wants the gradient of q */
  const double agent = train_flops(net) + forward_flops(net);
  const double team = train_flops(mixer) + forward_flops(mixer);
  const double star = 3 * forward_flops(open) + forward_flops(open);
  const struct {
    const AlgoOps *algo;
    size_t settings;
    double flops;
  } cases[] = {{iql, 0, agent},
               {vdn, 0, agent},
               {qmix, 2, agent + team / TEAM},
               {wqmix, 3, agent + train_flops(net) + (train_flops(mixer) + star) / TEAM}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    Bench b;
    open_team(&b, cases[i].algo, 0, 8, settings, cases[i].settings);
    double cost = algo_cost(b.made);
    if (cost < cases[i].flops || cost > 1.15 * cases[i].flops)
      fail_msg("%s: %g FLOP a frame, by hand %g", b.algo->name, cost, cases[i].flops);
    close_bench(&b);
  }
}

/* --- copies --- */

static void targets_follow(void **state) {
  (void)state;
  for (int soft = 0; soft < 2; soft++) {
    Bench b;
    const Setting settings[] = {{"target_every", 3}, {"tau", soft ? .25 : 0}};
    open_team(&b, qmix, 0, 8, settings, 2);
    const TrainPart *part = b.pupil.part;
    assert_memory_equal(part[1].block, b.pupil.block, b.net->block * sizeof(float));
    assert_memory_equal(part[3].block, part[2].block, part[2].floats * sizeof(float));
    b.config.rate = b.config.rate_end = .01;
    play_at_random(&b);
    float first = part[2].block[0], slow = first;
    for (int i = 1; i <= 3; i++) {
      step_once(&b);
      assert_true(part[2].block[0] != first);
      if (soft) slow += .25f * (part[2].block[0] - slow);
      if (soft) CHECK_NEAR(part[3].block[0], slow, 1e-6);
      if (!soft) assert_true((part[3].block[0] == part[2].block[0]) == (i == 3));
      if (!soft)
        assert_true(!memcmp(part[1].block, b.pupil.block, b.net->block * sizeof(float)) ==
                    (i == 3));
    }
    close_bench(&b);
  }
}

static void it_explores_less_and_less(void **state) {
  (void)state;
  Bench b;
  const Setting settings[] = {{"epsilon", 1}, {"epsilon_end", .5}, {"epsilon_frames", 1000}};
  open_team(&b, iql, 0, 8, settings, 3);
  CHECK_NEAR(iql->explore(b.algo_config, 0), 1, 1e-9);
  CHECK_NEAR(iql->explore(b.algo_config, 500), .75, 1e-9);
  CHECK_NEAR(iql->explore(b.algo_config, 1000), .5, 1e-9);
  CHECK_NEAR(iql->explore(b.algo_config, 1e9), .5, 1e-9);
  /* it stands in the policy: from the start, by the run's frames, or by a life's */
  TrainState *player = &b.pupil;
  const TrainShape shape = shape_of(&b);
  assert_true(net_epsilon(b.net, player->block) == 1);
  player->run_frames = 500;
  player->life_frames = 100;
  train_state_explore(b.made, player);
  CHECK_NEAR(net_epsilon(b.net, player->block), .75, 1e-6);
  player->life_horizon = 5000;
  train_state_explore(b.made, player);
  CHECK_NEAR(net_epsilon(b.net, player->block), .95, 1e-6);
  CHECK_OK(train_state_reset(&shape, player, NULL));
  assert_true(net_epsilon(b.net, player->block) == 1);
  close_bench(&b);
}

/* --- the two-step game (Rashid et al., arXiv 1803.11485, section 5) --- */

/* In the first step the first agent picks the table of the second: 7 in any case, or what both must
 * agree on. Everybody sees the state and who it is; so does the mixer the state. */
enum { PAIR = 2, FIRST = 0, SAFE = 1, AGREED = 2, STATES = 3, SEEN = STATES + PAIR };
static const float agreed[2][2] = {{0, 1}, {1, 8}};

static float paid(int table, int a, int b) {
  return table == SAFE ? 7 : agreed[a][b];
}

static const uint32_t pair_of[PAIR][PAIR] = {{0, 1}, {0, 1}};

static void open_pair(Bench *b, const AlgoOps *algo, uint32_t player, uint32_t choices,
                      const Setting *settings, size_t count) {
  const uint32_t head_size[] = {choices};
  AgonKind layout = {.observation_type = AGON_F32,
                     .observation_shape = {SEEN, 1, 1},
                     .action_kind = AGON_DISCRETE,
                     .heads = 1,
                     .head_size = head_size};
  NetConfig net;
  set_defaults(net_options, net_option_count, &net);
  net.hidden = (IntList){{32}, 1};
  net.precision = 0;
  *b = (Bench){.algo = algo};
  set_defaults(learn_options, learn_option_count, &b->config);
  b->config.rate = b->config.rate_end = .005;
  b->config.clip_norm = 10;
  b->config.gamma = .99;
  b->algo_config = calloc(1, algo->config_size);
  set_defaults(algo->options, algo->option_count, b->algo_config);
  for (size_t i = 0; i < count; i++)
    set(b->algo_config, algo, &settings[i]);
  AlgoNeeds needs = algo_needs(algo, b->algo_config, &layout);
  net.rule = needs.rule;
  CHECK_OK(net_create(&net, &layout, NULL, &b->net));
  RowFormat format = {.observation_bytes = SEEN * sizeof(float),
                      .choices = choices,
                      .heads = 1,
                      .cells = PAIR,
                      .flags = true,
                      .agents = PAIR,
                      .agent_of = &pair_of[0][0],
                      .global = needs.global ? STATES : 0};
  CHECK_OK(algo_create(algo, b->algo_config, b->net, &format, &b->made));
  const TrainShape shape = shape_of(b);
  CHECK_OK(train_state_create(&shape, player, &b->pupil));
  b->update = new_update(b, NULL);
  CHECK_OK(batch_create(&format, &b->batch));
}

static void add_step(Batch *batch, int state, int first, int second, float reward) {
  const int action[PAIR] = {first, second};
  CHECK_OK(batch_reserve(batch, 1, 1));
  for (size_t c = 0; c < PAIR; c++) {
    size_t at = batch->rows * PAIR + c;
    float seen[SEEN] = {0};
    seen[state] = seen[STATES + c] = 1;
    memcpy(batch->observation + at * sizeof seen, seen, sizeof seen);
    memset(batch->mask + at * batch->format.choices, 1, batch->format.choices);
    batch->action[at] = action[c];
    batch->log_prob[at] = 0;
    batch->reward[at] = reward;
    batch->flags[at] = IN;
  }
  for (size_t i = 0; i < batch->format.global; i++)
    batch->global[batch->rows * STATES + i] = i == (size_t)state;
  batch->rows++;
}

static void close_pair(Batch *batch, uint32_t rows) {
  CHECK_OK(batch_reserve(batch, 1, 1));
  batch->unroll[batch->unrolls++] = (Unroll){
      .rows = rows, .end = END_TERMINATED, .fresh = 1, .first = (uint32_t)batch->rows - rows};
}

/* Every game that there is, once: what uniform play brings, without chance. */
static void play_all(Batch *batch) {
  for (int i = 0; i < 16; i++) {
    int table = i & 1 ? AGREED : SAFE;
    add_step(batch, FIRST, i & 1, i >> 1 & 1, 0);
    add_step(batch, table, i >> 2 & 1, i >> 3 & 1, paid(table, i >> 2 & 1, i >> 3 & 1));
    close_pair(batch, 2);
  }
}

/* The agent's values in a state. */
static void values_of(Bench *b, int state, size_t agent, float *q) {
  Activations space;
  float seen[SEEN] = {0};
  const Sequences one = {.B = 1, .T = 1};
  seen[state] = seen[STATES + agent] = 1;
  CHECK_OK(activations_create(&b->net->graph, 1, false, &space));
  net_load(b->net, seen, NULL, 1, &space);
  net_forward(b->net, b->pupil.block, NULL, &space, &one, q, NULL, NULL);
  activations_destroy(&space);
}

static int best_in(Bench *b, int state, size_t agent) {
  float q[CHOICES];
  int best = 0;
  values_of(b, state, agent, q);
  for (int i = 1; i < (int)b->net->space.width; i++)
    if (q[i] > q[best]) best = i;
  return best;
}

/* What the team gets that takes its best choices. */
static float greedy_return(Bench *b) {
  int table = best_in(b, FIRST, 0) ? AGREED : SAFE;
  return paid(table, best_in(b, table, 0), best_in(b, table, 1));
}

/* The team's values of all joint choices in a state. */
static void team_values(Bench *b, int state, float table[2][2]) {
  batch_clear(&b->batch);
  for (int i = 0; i < 4; i++) {
    add_step(&b->batch, state, i >> 1, i & 1, 0);
    close_pair(&b->batch, 1);
  }
  b->config.rate = b->config.rate_end = 0;
  step_once(b);
  const Passes *passes = &b->update->passes;
  for (size_t p = 0; p < 4; p++) {
    size_t row = (size_t)passes->row_of[p * PAIR] / PAIR;
    float total = 0;
    if (b->made->parts > 1) {
      const Mixer *mixer = b->made->part[1].made;
      total = passes->part_space[1].value[mixer->total][p];
    } else {
      for (size_t c = 0; c < PAIR; c++)
        total += passes->logits[(p * PAIR + c) * 2 + (size_t)b->batch.action[row * PAIR + c]];
    }
    table[row >> 1][row & 1] = total;
  }
}

/* Learns from all games over and over. */
static void learn_pair(Bench *b, int updates) {
  play_all(&b->batch);
  for (int i = 0; i < updates; i++)
    step_once(b);
}

static void check_table(Bench *b, int state, const float expected[2][2], double within) {
  float table[2][2];
  team_values(b, state, table);
  for (int i = 0; i < 4; i++)
    if (!(fabs((double)(table[i >> 1][i & 1] - expected[i >> 1][i & 1])) < within))
      fail_msg("%s: player %u: state %d: %g where %g should be", b->algo->name, b->pupil.player,
               state, (double)table[i >> 1][i & 1], (double)expected[i >> 1][i & 1]);
}

/* Sums of values cannot say what table B pays, and prefer the safe one; mixtures can. What they
 * come to from uniform play follows from the definition: the sums from least squares. */
static void the_two_step_game(void **state) {
  (void)state;
  static const float sums[2][2] = {{-1.5f, 2.5f}, {2.5f, 6.5f}};
  static const float first[2][2] = {{6.93f, 6.93f}, {7.92f, 7.92f}};
  for (size_t a = 0; a < COUNT_OF(all); a++)
    for (uint32_t player = 0; player < 5; player++) {
      Bench b;
      const Setting settings[] = {{"target_every", 50}, {"team_reward", 1}, {"free_hidden", 32}};
      open_pair(&b, *all[a], player, 2, settings, *all[a] == iql ? 1 : *all[a] == wqmix ? 3 : 2);
      learn_pair(&b, 1500);
      float taken = greedy_return(&b);
      if (taken != (has_mixer(*all[a]) ? 8 : 7))
        fail_msg("%s: player %u takes %g", (*all[a])->name, player, (double)taken);
      if (*all[a] == vdn) check_table(&b, AGREED, sums, .1);
      if (*all[a] == qmix) check_table(&b, AGREED, agreed, .1);
      if (*all[a] == qmix) check_table(&b, FIRST, first, .1);
      close_bench(&b);
    }
}

/* --- a matrix that sums and monotone mixtures cannot say --- */

static const float matrix[CHOICES][CHOICES] = {{8, -12, -12}, {-12, 0, 0}, {-12, 0, 0}};

/* From uniform play they shun the best joint choice, since each half of it is bad on average. With
 * weights they need not (Rashid et al., arXiv 2006.10800, table 1). */
static void a_matrix_that_is_not_monotone(void **state) {
  (void)state;
  static const AlgoOps **const algo[] = {&vdn, &qmix, &wqmix, &wqmix};
  for (size_t a = 0; a < COUNT_OF(algo); a++)
    for (uint32_t player = 0; player < 3; player++) {
      Bench b;
      const Setting settings[] = {{"team_reward", 1}, {"weighting", a == 3}, {"free_hidden", 32}};
      open_pair(&b, *algo[a], player, CHOICES, settings, a < 2 ? 1 : 3);
      for (int i = 0; i < CHOICES * CHOICES; i++) {
        int one = i / CHOICES, other = i % CHOICES;
        add_step(&b.batch, FIRST, one, other, matrix[one][other]);
        close_pair(&b.batch, 1);
      }
      for (int i = 0; i < 1500; i++)
        step_once(&b);
      float taken = matrix[best_in(&b, FIRST, 0)][best_in(&b, FIRST, 1)];
      if (taken != (*algo[a] == wqmix ? 8 : 0))
        fail_msg("%s: player %u takes %g", (*algo[a])->name, player, (double)taken);
      close_bench(&b);
    }
}

int main(void) {
  iql = algo_find("iql");
  vdn = algo_find("vdn");
  qmix = algo_find("qmix");
  qplex = algo_find("qplex");
  wqmix = algo_find("wqmix");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_teams_targets),
      cmocka_unit_test(an_agents_own_targets),
      cmocka_unit_test(masks_and_empty_places),
      cmocka_unit_test(what_counts),
      cmocka_unit_test(unrolls_count_as_they_are_told),
      cmocka_unit_test(errors_are_those_of_what_can_be_learned),
      cmocka_unit_test(gradients_are_those_of_the_loss),
      cmocka_unit_test(costs_are_those_of_the_products),
      cmocka_unit_test(targets_follow),
      cmocka_unit_test(the_two_step_game),
      cmocka_unit_test(a_matrix_that_is_not_monotone),
      cmocka_unit_test(it_explores_less_and_less),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
