/* LOLA by policy gradients against what it estimates. All trajectories of a short dilemma are played as often as
 * they are probable, so that the mean of the estimate is its expectation: it must be the exact derivative, of the
 * game of so many rounds (by differences of its value in double) and of the endless one (src/meta/lola.h). */
#include "check.h"

#include "config/config.h"
#include "learner/learner.h"
#include "learner/train/update_fields.h"
#include "meta/lola.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3, STATES = 5, EVENTS = 4 /* equally probable draws of a choice */, PLAYERS = 2 };

/* The payoffs of LOLA's dilemma: [own choice][the other's]. */
static const double payoff[2][2] = {{-1, -3}, {0, -2}};

/* Of four draws, how many make the first choice; by player and what it remembers (lola.h's order). */
static const int firsts[PLAYERS][STATES] = {{2, 3, 1, 3, 1}, {3, 2, 2, 1, 3}};

static double logit(int player, int seen) {
  const double p = firsts[player][seen] / (double)EVENTS;
  return log(p / (1 - p));
}

/* After a round: what a player remembers of its own choice and the other's. */
static size_t remembered(int own, int other) { return 1 + 2 * (size_t)own + (size_t)other; }

/* --- the exact side --- */
/* What both earn in ROUNDS rounds, discounted; logits[player][state]. */
static void exact_value(double logits[PLAYERS][STATES], double gamma, double value[PLAYERS]) {
  value[0] = value[1] = 0;
  for (int path = 0; path < 1 << (2 * ROUNDS); path++) {
    size_t seen[PLAYERS] = {0, 0};
    double p = 1, worth = 1, sum[PLAYERS] = {0, 0};
    for (int t = 0; t < ROUNDS; t++, worth *= gamma) {
      const int choice[PLAYERS] = {path >> (2 * t) & 1, path >> (2 * t + 1) & 1};
      for (int i = 0; i < PLAYERS; i++) {
        const double first = 1 / (1 + exp(-logits[i][seen[i]]));
        p *= choice[i] ? 1 - first : first;
        sum[i] += worth * payoff[choice[i]][choice[1 - i]];
      }
      for (int i = 0; i < PLAYERS; i++) seen[i] = remembered(choice[i], choice[1 - i]);
    }
    for (int i = 0; i < PLAYERS; i++) value[i] += p * sum[i];
  }
}

static double value_at(double gamma, int of, int player, size_t k, double step, int other, size_t l, double step2) {
  double at[PLAYERS][STATES], value[PLAYERS];
  for (int i = 0; i < PLAYERS; i++)
    for (int s = 0; s < STATES; s++) at[i][s] = logit(i, s);
  at[player][k] += step;
  at[other][l] += step2;
  exact_value(at, gamma, value);
  return value[of];
}

/* dV_of / d logit k of `player`. */
static double slope_of(double gamma, int of, int player, size_t k) {
  const double h = 1e-5;
  return (value_at(gamma, of, player, k, h, 1 - player, 0, 0) - value_at(gamma, of, player, k, -h, 1 - player, 0, 0)) / (2 * h);
}

/* d^2 V_of / d logit k of `player` d logit l of the other. */
static double cross_of(double gamma, int of, int player, size_t k, size_t l) {
  const double h = 1e-3;
  double sum = 0;
  for (int a = -1; a <= 1; a += 2)
    for (int b = -1; b <= 1; b += 2) sum += a * b * value_at(gamma, of, player, k, a * h, 1 - player, l, b * h);
  return sum / (4 * h * h);
}

/* --- the estimate --- */
/* Two players whose logits are linear in what they see, and all that they can go through. */
typedef struct Pair {
  Net *net;
  LearnConfig config;
  void *own;
  Algo *algo;
  TrainState pupil[PLAYERS];
  Batch batch[PLAYERS];
  float scale; /* of what is seen */
} Pair;

static void set_defaults(const Option *table, size_t count, void *target) {
  Config *config;
  CHECK_OK(config_create(&config));
  CHECK_OK(config_declare(config, "x", table, count, target));
  CHECK_OK(config_resolve(config));
  config_destroy(config);
}

/* First logit less second, in every state. */
static void look(const Pair *t, const float *block, double out[STATES]) {
  float rows[STATES][STATES] = {{0}}, logits[STATES][2];
  Activations space;
  const Sequences seq = {.B = STATES, .T = 1};
  for (size_t s = 0; s < STATES; s++) rows[s][s] = t->scale;
  CHECK_OK(activations_create(&t->net->graph, STATES, false, &space));
  float *packed = net_pack_create(t->net, false);
  net_pack(t->net, block, false, packed);
  net_load(t->net, rows, NULL, STATES, &space);
  net_forward(t->net, block, packed, &space, &seq, &logits[0][0], NULL, NULL);
  for (size_t s = 0; s < STATES; s++) out[s] = (double)logits[s][0] - (double)logits[s][1];
  free(packed);
  activations_destroy(&space);
}

/* How the logits in each state depend on each parameter: they are linear. jacobian (STATES, trained) */
static double *jacobian_of(const Pair *t, float *block) {
  const size_t P = t->net->trained;
  double *jacobian = calloc(STATES * P, sizeof *jacobian), at[STATES], there[STATES];
  look(t, block, at);
  for (size_t i = 0; i < P; i++) {
    const float was = block[i];
    block[i] = was + 1;
    look(t, block, there);
    block[i] = was;
    for (size_t s = 0; s < STATES; s++) jacobian[s * P + i] = rint((there[s] - at[s]) / (double)t->scale * 4096) / 4096 * (double)t->scale;
  }
  return jacobian;
}

/* Brings a player's logits to where they are wanted, by least squares. */
static void set_policy(Pair *t, int player) {
  float *block = t->pupil[player].block;
  const size_t P = t->net->trained;
  double *jacobian = jacobian_of(t, block), at[STATES];
  const double step = 1 / (2 * (double)(t->scale * t->scale) + 10);
  for (int i = 0; i < 300; i++) {
    look(t, block, at);
    for (size_t k = 0; k < P; k++)
      for (int s = 0; s < STATES; s++) block[k] += (float)(step * jacobian[(size_t)s * P + k] * (logit(player, s) - at[s]));
  }
  look(t, block, at);
  for (int s = 0; s < STATES; s++) CHECK_NEAR(at[s], logit(player, s), 1e-5);
  free(jacobian);
}

static void put_row(Batch *batch, const float *seen, int choice, double log_prob, double reward) {
  const size_t row = batch->rows++;
  memcpy(batch->observation + row * STATES * sizeof(float), seen, STATES * sizeof(float));
  memset(batch->mask + row * 2, 1, 2);
  batch->action[row] = choice;
  batch->log_prob[row] = (float)log_prob;
  batch->reward[row] = (float)reward;
  batch->flags[row] = ROW_FLAGS;
}

/* Slot by slot one way that the draws can fall. */
static void play(Pair *t, uint32_t slot) {
  size_t seen[PLAYERS] = {0, 0};
  for (int i = 0; i < PLAYERS; i++)
    t->batch[i].unroll[t->batch[i].unrolls++] = (Unroll){.rows = ROUNDS,
                                                         .end = END_TERMINATED,
                                                         .fresh = 1,
                                                         .slot = slot,
                                                         .agent = (uint16_t)i,
                                                         .player = (uint32_t)i,
                                                         .first = (uint32_t)t->batch[i].rows};
  for (int round = 0; round < ROUNDS; round++) {
    int choice[PLAYERS];
    for (int i = 0; i < PLAYERS; i++) choice[i] = (int)(slot >> (2 * (2 * round + i)) & 3) >= firsts[i][seen[i]];
    for (int i = 0; i < PLAYERS; i++) {
      float row[STATES] = {0};
      const double p = firsts[i][seen[i]] / (double)EVENTS;
      row[seen[i]] = t->scale;
      put_row(&t->batch[i], row, choice[i], log(choice[i] ? 1 - p : p), payoff[choice[i]][choice[1 - i]]);
    }
    for (int i = 0; i < PLAYERS; i++) seen[i] = remembered(choice[i], choice[1 - i]);
  }
}

static void open_table(Pair *t, float scale, double gamma) {
  static const uint32_t head_size[] = {2};
  const AgonKind layout = {.observation_type = AGON_F32,
                           .observation_shape = {STATES, 1, 1},
                           .action_kind = AGON_DISCRETE,
                           .heads = 1,
                           .head_size = head_size};
  const RowFormat format = {.observation_bytes = STATES * sizeof(float), .choices = 2, .heads = 1, .cells = 1, .flags = true};
  const AlgoOps *ops = algo_find("lola");
  NetConfig net = {.precision = 0};
  *t = (Pair){.scale = scale};
  set_defaults(net_options, net_option_count, &net);
  set_defaults(learn_options, learn_option_count, &t->config);
  net.hidden.count = 0;
  net.normalise_returns = net.normalise_observations = false;
  net.rule = RULE_SOFTMAX;
  t->own = calloc(1, ops->config_size);
  set_defaults(ops->options, ops->option_count, t->own);
  t->config.gamma = gamma;
  t->config.lambda = 1;
  t->config.rate = t->config.rate_end = t->config.entropy = t->config.entropy_end = 0;
  t->config.value_weight = 0;
  CHECK_OK(net_create(&net, &layout, NULL, &t->net));
  CHECK_OK(algo_create(ops, t->own, t->net, &format, &t->algo));
  const TrainShape shape = {.algo = t->algo, .seed = 1};
  for (int i = 0; i < PLAYERS; i++) {
    CHECK_OK(train_state_create(&shape, (uint32_t)i, &t->pupil[i]));
    CHECK_OK(batch_create(&format, &t->batch[i]));
    set_policy(t, i);
  }
}

static void play_all(Pair *t) {
  const size_t ways = (size_t)1 << (2 * PLAYERS * ROUNDS);
  for (int i = 0; i < PLAYERS; i++) CHECK_OK(batch_reserve(&t->batch[i], ways * ROUNDS, ways));
  for (uint32_t way = 0; way < ways; way++) play(t, way);
}

static void close_table(Pair *t) {
  for (int i = 0; i < PLAYERS; i++) {
    train_state_destroy(&t->pupil[i]);
    batch_destroy(&t->batch[i]);
  }
  algo_destroy(t->algo);
  net_destroy(t->net);
  free(t->own);
}

static Update *new_update(const Pair *t, const Reducer *reducer) {
  Update *update;
  const UpdateSetup setup = {.algo = t->algo, .config = &t->config, .seed = 1, .reducer = reducer};
  CHECK_OK(update_create(&setup, &update));
  return update;
}

static void finish(Update *update) {
  bool more = true, progress;
  while (more) CHECK_OK(update_step(update, &more, &progress));
}

static void set_eta(Pair *t, double eta) {
  const AlgoOps *ops = t->algo->ops;
  for (size_t i = 0; i < ops->option_count; i++)
    if (!strncmp(ops->options[i].name, "eta", 3)) memcpy((char *)t->own + ops->options[i].offset, &eta, sizeof eta);
}

/* The way in which an update moves player 0, by trajectory; (trained). *met: of what it learned from. */
static double *moved(Pair *t, double eta, bool meets, double *met) {
  const size_t P = t->net->trained;
  Update *update = new_update(t, NULL);
  double *out = calloc(P, sizeof *out);
  set_eta(t, eta);
  if (meets) update_meet(update, &t->pupil[1], &t->batch[1], NULL);
  CHECK_OK(update_begin(update, &t->pupil[0], &t->batch[0], NULL, NULL));
  finish(update);
  for (size_t i = 0; i < P; i++) out[i] = -(double)update->gradient[i] / (double)t->batch[0].unrolls;
  *met = update_stats(update)->met;
  update_destroy(update);
  return out;
}

/* The same exactly, of ROUNDS rounds: what the logits' derivatives are worth in parameters. */
static double *exact(Pair *t, double gamma, double eta) {
  const size_t P = t->net->trained;
  double *out = calloc(P, sizeof *out);
  double *own = jacobian_of(t, t->pupil[0].block), *other = jacobian_of(t, t->pupil[1].block);
  double *direction = calloc(P, sizeof *direction), along[STATES] = {0};
  for (size_t i = 0; i < P; i++)
    for (size_t s = 0; s < STATES; s++) direction[i] += other[s * P + i] * slope_of(gamma, 0, 1, s);
  for (size_t s = 0; s < STATES; s++)
    for (size_t i = 0; i < P; i++) along[s] += other[s * P + i] * direction[i];
  for (size_t s = 0; s < STATES; s++) {
    double by_logit = slope_of(gamma, 0, 0, s);
    for (size_t l = 0; l < STATES; l++) by_logit += eta * cross_of(gamma, 1, 0, s, l) * along[l];
    for (size_t i = 0; i < P; i++) out[i] += own[s * P + i] * by_logit;
  }
  free(direction);
  free(own);
  free(other);
  return out;
}

static double size_of(const double *x, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i] * x[i];
  return sqrt(sum);
}

/* The correction alone is compared, too: beside a naive part that is larger it would not be seen. */
static void its_expectation_is_the_exact_derivative(void **state) {
  (void)state;
  const double gamma = .9;
  Pair t;
  double met, none;
  open_table(&t, 1, gamma);
  play_all(&t);
  const size_t P = t.net->trained;
  double *naive = moved(&t, 0, true, &met), *alone = moved(&t, 1, false, &none), *whole = moved(&t, 1, true, &met);
  double *exact_naive = exact(&t, gamma, 0), *exact_whole = exact(&t, gamma, 1);
  double *correction = calloc(P, sizeof *correction);
  for (size_t i = 0; i < P; i++) correction[i] = exact_whole[i] - exact_naive[i];
  const double size = size_of(correction, P);
  assert_true(size > .05 && met == 1 && none == 0);
  for (size_t i = 0; i < P; i++) {
    CHECK_NEAR(naive[i], exact_naive[i], 1e-4);
    CHECK_NEAR(alone[i], naive[i], 1e-6); /* of nobody there is nothing to shape */
    CHECK_NEAR(whole[i] - naive[i], correction[i], 1e-3 * size);
  }
  free(naive);
  free(alone);
  free(whole);
  free(exact_naive);
  free(exact_whole);
  free(correction);
  close_table(&t);
}

/* Where what is seen is large, weights matter, not what is added to all states: then a step in them is one in
 * logits, 2 scale^2 as long. Rounds after the third count for a thousandth. */
static void it_follows_the_endless_game(void **state) {
  (void)state;
  const double scale = 30, gamma = .1, eta = 1 / (2 * scale * scale);
  const IteratedGame game = {{{-1, -3, 0, -2}, {-1, 0, -3, -2}}, gamma};
  Pair t;
  double met, logits[2][LOLA_LOGITS], wanted[LOLA_LOGITS], naive[LOLA_LOGITS];
  open_table(&t, (float)scale, gamma);
  play_all(&t);
  const size_t P = t.net->trained;
  for (int i = 0; i < PLAYERS; i++)
    for (int s = 0; s < STATES; s++) logits[i][s] = logit(i, s);
  lola_gradient(&game, logits, 0, 8, wanted);
  lola_gradient(&game, logits, 0, 0, naive);
  double *found = moved(&t, 8 * eta, true, &met), *first = moved(&t, 0, true, &met);
  double *jacobian = jacobian_of(&t, t.pupil[0].block);
  double size = 0;
  for (size_t s = 0; s < STATES; s++) size += (wanted[s] - naive[s]) * (wanted[s] - naive[s]);
  assert_true(sqrt(size) > .02);
  for (size_t s = 0; s < STATES; s++) {
    /* back from parameters to the logit: by what it alone depends on */
    double by_logit = 0, by_first = 0, square = 0;
    for (size_t i = 0; i < P; i++) {
      if (fabs(jacobian[s * P + i]) < scale / 2) continue;
      by_logit += jacobian[s * P + i] * found[i];
      by_first += jacobian[s * P + i] * first[i];
      square += jacobian[s * P + i] * jacobian[s * P + i];
    }
    CHECK_NEAR(by_first / square, naive[s], 2e-3);
    CHECK_NEAR((by_logit - by_first) / square, wanted[s] - naive[s], .01 * sqrt(size));
  }
  free(jacobian);
  free(found);
  free(first);
  close_table(&t);
}

/* Nobody's rows stand beside those of a partner that is cut otherwise, elsewhere, or in part too old. */
static void only_what_both_have_is_paired(void **state) {
  (void)state;
  Pair t;
  double met;
  open_table(&t, 1, .9);
  for (int i = 0; i < PLAYERS; i++) CHECK_OK(batch_reserve(&t.batch[i], 16 * ROUNDS, 16));
  for (uint32_t way = 0; way < 8; way++) play(&t, way * 517);
  double *all = moved(&t, 1, true, &met);
  CHECK_NEAR(met, 1, 1e-6);
  Unroll *unroll = t.batch[1].unroll;
  unroll[0].slot = 77;
  unroll[1].step = 5;
  unroll[2].end = END_TRUNCATED;
  unroll[2].rows--;
  unroll[3].skip = 1;
  unroll[4].agent = 0;
  unroll[5].episode = 3;
  double *some = moved(&t, 1, true, &met);
  CHECK_NEAR(met, .25, 1e-6);
  double apart = 0;
  for (size_t i = 0; i < t.net->trained; i++) apart += fabs(all[i] - some[i]);
  assert_true(apart > 1e-3);
  free(all);
  free(some);
  close_table(&t);
}

/* --- members --- */
enum { SUMS_OPEN = 16 };
typedef struct Sums {
  float *values[2][SUMS_OPEN];
  size_t count[2][SUMS_OPEN], started[2], done;
} Sums;
typedef struct Seat {
  Sums *sums;
  size_t self;
} Seat;

static Status sums_start(void *context, float *values, size_t count) {
  const Seat *seat = context;
  Sums *s = seat->sums;
  const size_t at = s->started[seat->self]++ % SUMS_OPEN;
  s->values[seat->self][at] = values;
  s->count[seat->self][at] = count;
  while (s->done < s->started[0] && s->done < s->started[1]) {
    const size_t k = s->done++ % SUMS_OPEN;
    assert_int_equal(s->count[0][k], s->count[1][k]);
    for (size_t i = 0; i < s->count[0][k]; i++)
      s->values[0][k][i] = s->values[1][k][i] = s->values[0][k][i] + s->values[1][k][i];
  }
  return OK;
}

static Status sums_test(void *context, bool *done) {
  const Seat *seat = context;
  *done = seat->sums->done == seat->sums->started[seat->self];
  return OK;
}

/* Two ranks, each with the slots that it was sent, move a player as one that has them all; also where one of
 * them has nothing. */
static void members_share_the_direction(void **state) {
  (void)state;
  for (uint32_t of_first = 0; of_first <= 40; of_first += 20) {
    Pair whole, part[2];
    Sums sums = {.done = 0};
    Seat seat[2] = {{&sums, 0}, {&sums, 1}};
    Update *update[2];
    bool more[2] = {true, true}, progress;
    double met;
    open_table(&whole, 1, .9);
    for (int i = 0; i < PLAYERS; i++) CHECK_OK(batch_reserve(&whole.batch[i], 40 * ROUNDS, 40));
    for (uint32_t way = 0; way < 40; way++) play(&whole, way * 101);
    double *alone = moved(&whole, 2, true, &met);
    for (int m = 0; m < 2; m++) {
      const Reducer reducer = {&seat[m], 2, (size_t)m, sums_start, sums_test};
      open_table(&part[m], 1, .9);
      set_eta(&part[m], 2);
      for (int i = 0; i < PLAYERS; i++)
        for (size_t u = 0; u < 40; u++)
          if ((u < of_first) == (m == 0)) CHECK_OK(batch_append(&part[m].batch[i], &whole.batch[i], u));
      update[m] = new_update(&part[m], &reducer);
      update_meet(update[m], &part[m].pupil[1], &part[m].batch[1], NULL);
    }
    for (int m = 0; m < 2; m++)
      CHECK_OK(update_begin(update[m], &part[m].pupil[0], &part[m].batch[0], NULL, NULL));
    while (more[0] || more[1])
      for (int m = 0; m < 2; m++)
        if (more[m]) CHECK_OK(update_step(update[m], &more[m], &progress));
    for (size_t i = 0; i < whole.net->trained; i++)
      for (int m = 0; m < 2; m++) CHECK_NEAR(-(double)update[m]->gradient[i] / 40, alone[i], 1e-4);
    CHECK_NEAR(update_stats(update[1])->met, 1, 1e-6);
    free(alone);
    close_table(&whole);
    for (int m = 0; m < 2; m++) {
      update_destroy(update[m]);
      close_table(&part[m]);
    }
  }
}

/* --- the learner --- */
/* A player as it begins, after one update before another one. */
static void learn_from(Pair *t, int player, TrainState *pupil, TrainState *other) {
  Update *update = new_update(t, NULL);
  update_meet(update, other, &t->batch[1 - player], NULL);
  CHECK_OK(update_begin(update, pupil, &t->batch[player], NULL, NULL));
  finish(update);
  update_destroy(update);
}

static void send_unrolls(SimWorld *world, uint32_t player, const Batch *batch) {
  WireOut out = {0};
  wire_begin(&out, WIRE_UNROLLS);
  unrolls_encode(&(WireUnrolls){.player = player}, &out.bytes);
  batch_encode(batch, &out.bytes);
  CHECK_OK(wire_send(sim_rank(world, 0), 1, &out));
  bytes_free(&out.bytes);
}

/* What rank 0 sends in a tick, as the league and the only actor. */
static void send_tick(SimWorld *world, const Pair *t) {
  WireOut out = {0};
  wire_begin(&out, WIRE_LEARN);
  start_encode(&(WireStart){.tick = 0}, &out.bytes);
  CHECK_OK(wire_send(sim_rank(world, 0), 1, &out));
  for (uint32_t p = 0; p < PLAYERS; p++) send_unrolls(world, p, &t->batch[p]);
  wire_begin(&out, WIRE_TICK_END);
  tick_end_encode(&(WireTickEnd){.tick = 0}, &out.bytes);
  CHECK_OK(wire_send(sim_rank(world, 0), 1, &out));
  bytes_free(&out.bytes);
}

/* Both learn at once: who is updated second meets the other as it was, not as it has become. */
static void the_order_of_updates_does_not_matter(void **state) {
  (void)state;
  static const int actor = 0, self = 1;
  Pair t;
  TrainState pupil[PLAYERS], former[PLAYERS], late;
  SimWorld *world;
  Learner *learner;
  int reports = 0;
  open_table(&t, 1, .9);
  for (int i = 0; i < PLAYERS; i++) CHECK_OK(batch_reserve(&t.batch[i], 16 * ROUNDS, 16));
  for (uint32_t way = 0; way < 16; way++) play(&t, way * 101);
  t.config.rate = t.config.rate_end = .05;
  const TrainShape shape = {.algo = t.algo, .seed = 1};
  for (int i = 0; i < PLAYERS; i++) {
    CHECK_OK(train_state_create(&shape, (uint32_t)i, &pupil[i]));
    CHECK_OK(train_state_create(&shape, (uint32_t)i, &former[i]));
  }
  CHECK_OK(train_state_create(&shape, 1, &late));
  for (int i = 0; i < PLAYERS; i++) learn_from(&t, i, &pupil[i], &former[1 - i]);
  learn_from(&t, 1, &late, &pupil[0]);
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 2}, &world));
  const LearnerSetup setup = {.role = {.pace = PACE_LOCKSTEP,
                                       .seed = 1,
                                       .transport = sim_rank(world, 1),
                                       .clock = clock_system(),
                                       .net = t.net,
                                       .format = t.batch[0].format,
                                       .learning_players = PLAYERS},
                              .config = t.config,
                              .algo = t.algo,
                              .groups = 1,
                              .members = 1,
                              .member_rank = &self,
                              .actor_rank = &actor,
                              .actors = 1};
  CHECK_OK(learner_create(&setup, &learner));
  send_tick(world, &t);
  while (reports < PLAYERS) {
    bool progress;
    sim_round(world);
    for (int rank = 0; rank < 2; rank++)
      for (Message *m; (m = sim_rank(world, rank)->ops->receive(sim_rank(world, rank)));) {
        WireKind kind;
        Reader body;
        CHECK_OK(wire_open(m, &kind, &body));
        if (rank == 1) CHECK_OK(learner_receive(learner, kind, m, &body));
        reports += rank == 0 && kind == WIRE_REPORT;
        message_release(m);
      }
    CHECK_OK(learner_step(learner, &progress));
  }
  const size_t bytes = t.net->block * sizeof(float);
  for (uint32_t i = 0; i < PLAYERS; i++) assert_memory_equal(learner_policy(learner, i), pupil[i].block, bytes);
  assert_memory_not_equal(late.block, pupil[1].block, bytes);
  learner_destroy(learner);
  sim_destroy(world);
  train_state_destroy(&late);
  for (int i = 0; i < PLAYERS; i++) {
    train_state_destroy(&pupil[i]);
    train_state_destroy(&former[i]);
  }
  close_table(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(its_expectation_is_the_exact_derivative),
      cmocka_unit_test(it_follows_the_endless_game),
      cmocka_unit_test(only_what_both_have_is_paired),
      cmocka_unit_test(members_share_the_direction),
      cmocka_unit_test(the_order_of_updates_does_not_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
