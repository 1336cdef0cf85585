#include "classics/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Uniform over all probabilities of n choices: exponentials, divided by their sum. */
static void draw_probabilities(AgonRng *rng, size_t n, double *out) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    out[i] = -log(1 - rng_unit(rng)) + 1e-12;
    sum += out[i];
  }
  for (size_t i = 0; i < n; i++)
    out[i] /= sum;
}

/* Both start anywhere. */
static void begin_anywhere(const WalkPlan *plan, WalkState *state) {
  draw_probabilities(&state->rng, plan->form->rows, state->x);
  draw_probabilities(&state->rng, plan->form->columns, state->y);
}

/* --- the rules --- */

static void step_replicator(const WalkPlan *plan, WalkState *state) {
  replicator_step(plan->form, plan->rate, state->x, state->y);
}

static void field_replicator(const WalkPlan *plan, const double *x, const double *y, double *dx,
                             double *dy) {
  replicator_field(plan->form, x, y, dx, dy);
}

static void step_gradient(const WalkPlan *plan, WalkState *state) {
  gradient_step(plan->form, plan->rate, plan->entropy, state->x, state->y);
}

static void field_gradient(const WalkPlan *plan, const double *x, const double *y, double *dx,
                           double *dy) {
  gradient_field(plan->form, plan->entropy, x, y, dx, dy);
}

/* What was done in a round before the first is drawn: a choice each. */
static void begin_fictitious(const WalkPlan *plan, WalkState *state) {
  state->x[rng_below(&state->rng, (uint32_t)plan->form->rows)] = 1;
  state->y[rng_below(&state->rng, (uint32_t)plan->form->columns)] = 1;
}

static void step_fictitious(const WalkPlan *plan, WalkState *state) {
  fictitious_step(plan->form, ++state->rounds, state->x, state->y);
}

static void field_fictitious(const WalkPlan *plan, const double *x, const double *y, double *dx,
                             double *dy) {
  fictitious_field(plan->form, x, y, dx, dy);
}

/* What both would do by their worths. */
static void show_q(const WalkPlan *plan, WalkState *state) {
  explore(&plan->exploration, state->q[0], plan->form->rows, state->x);
  explore(&plan->exploration, state->q[1], plan->form->columns, state->y);
}

/* Worths of 0; whose policy is a softmax starts anywhere, by the worths that say so. */
static void begin_q(const WalkPlan *plan, WalkState *state) {
  const double heat = plan->exploration.temperature;
  if (heat > 0) {
    begin_anywhere(plan, state);
    for (size_t i = 0; i < plan->form->rows; i++)
      state->q[0][i] = heat * log(state->x[i]);
    for (size_t j = 0; j < plan->form->columns; j++)
      state->q[1][j] = heat * log(state->y[j]);
  }
  show_q(plan, state);
}

static void step_q(const WalkPlan *plan, WalkState *state) {
  q_round(plan->form, &plan->exploration, plan->rate, &state->rng, state->q[0], state->q[1]);
  show_q(plan, state);
}

/* Who explores by epsilon has no place between the corners: shown is where payoffs rise. */
static void field_q(const WalkPlan *plan, const double *x, const double *y, double *dx,
                    double *dy) {
  if (plan->exploration.temperature > 0)
    boltzmann_field(plan->form, plan->exploration.temperature, x, y, dx, dy);
  else
    replicator_field(plan->form, x, y, dx, dy);
}

/* The game of two choices as rounds of an iterated one. */
static IteratedGame iterated(const WalkPlan *plan) {
  IteratedGame game = {.discount = plan->discount};
  memcpy(game.payoff[0], plan->form->a, sizeof game.payoff[0]);
  memcpy(game.payoff[1], plan->form->b, sizeof game.payoff[1]);
  return game;
}

/* How often each makes its first choice, and what a round brings. */
static void show_iterated(const WalkPlan *plan, WalkState *state) {
  const IteratedGame game = iterated(plan);
  double share[2];
  lola_first_choices(&game, state->logits, share);
  lola_value(&game, state->logits, state->value);
  for (int p = 0; p < 2; p++) {
    state->value[p] *= 1 - plan->discount;
    (p ? state->y : state->x)[0] = share[p];
    (p ? state->y : state->x)[1] = 1 - share[p];
  }
}

/* Standard normal logits, as the published experiments have them. */
static void begin_iterated(const WalkPlan *plan, WalkState *state) {
  for (int p = 0; p < 2; p++)
    for (int k = 0; k < LOLA_LOGITS; k++)
      state->logits[p][k] = rng_normal(&state->rng);
  show_iterated(plan, state);
}

static void step_lola(const WalkPlan *plan, WalkState *state) {
  const IteratedGame game = iterated(plan);
  lola_step(&game, plan->rate, plan->inner, state->logits);
  show_iterated(plan, state);
}

static void step_naive(const WalkPlan *plan, WalkState *state) {
  const IteratedGame game = iterated(plan);
  lola_step(&game, plan->rate, 0, state->logits);
  show_iterated(plan, state);
}

static const WalkOps replicator = {
    .name = "replicator",
    .summary = "what does better than the mean grows (two populations)",
    .steps = 5000,
    .rate = 0.01,
    .begin = begin_anywhere,
    .step = step_replicator,
    .field = field_replicator,
};
static const WalkOps q = {
    .name = "q",
    .summary = "two independent Q-learners, round after round",
    .steps = 20000,
    .rate = 0.1,
    .averaged = true,
    .begin = begin_q,
    .step = step_q,
    .field = field_q,
};
static const WalkOps policy_gradient = {
    .name = "policy-gradient",
    .summary = "exact gradients of softmax policies, with a bonus for entropy",
    .steps = 5000,
    .rate = 0.1,
    .begin = begin_anywhere,
    .step = step_gradient,
    .field = field_gradient,
};
static const WalkOps fictitious = {
    .name = "fictitious",
    .summary = "the best answer to what the other did so far",
    .steps = 20000,
    .rate = 1,
    .begin = begin_fictitious,
    .step = step_fictitious,
    .field = field_fictitious,
};
static const WalkOps lola = {
    .name = "lola",
    .summary = "exact LOLA of policies that remember a round, in the game played for ever",
    .steps = 500,
    .rate = 0.2,
    .iterated = true,
    .begin = begin_iterated,
    .step = step_lola,
};
static const WalkOps naive = {
    .name = "naive",
    .summary = "the same policies, each by its own exact gradient alone",
    .steps = 500,
    .rate = 0.2,
    .iterated = true,
    .begin = begin_iterated,
    .step = step_naive,
};

const WalkOps *const walks[] = {&replicator, &q, &policy_gradient, &fictitious, &lola, &naive};
const size_t walk_count = COUNT_OF(walks);

const WalkOps *walk_named(const char *name) {
  for (size_t i = 0; i < walk_count; i++)
    if (!strcmp(walks[i]->name, name)) return walks[i];
  return NULL;
}

/* --- walking --- */

void walk_free(Walk *walk) {
  free(walk->step);
  free(walk->at);
  free(walk->value);
  *walk = (Walk){.points = 0};
}

static size_t most_probable(const double *p, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (p[i] > p[best]) best = i;
  return best;
}

/* Adds up where both are; a point is the mean of what was added. */
static void add_state(const WalkPlan *plan, const WalkState *state, double *sum) {
  for (size_t i = 0; i < plan->form->rows; i++)
    sum[i] += state->x[i];
  for (size_t j = 0; j < plan->form->columns; j++)
    sum[plan->form->rows + j] += state->y[j];
}

/* A point of the path: the mean of `count` states that were added to `sum`, which begins anew. */
static void put_point(const WalkOps *ops, const WalkPlan *plan, const WalkState *state,
                      uint64_t step, double count, double *sum, Walk *out) {
  double *at = out->at + out->points * out->width;
  double *value = out->value + 2 * out->points;
  for (size_t i = 0; i < out->width; i++) {
    at[i] = sum[i] / count;
    sum[i] = 0;
  }
  form_value(plan->form, at, at + plan->form->rows, value);
  if (ops->iterated) memcpy(value, state->value, sizeof state->value);
  out->step[out->points++] = step;
}

/* The widest range that a probability went through in the last quarter of the points. */
static double range_at_end(const Walk *walk) {
  double most = 0;
  for (size_t i = 0; i < walk->width; i++) {
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t t = walk->points - (walk->points + 3) / 4; t < walk->points; t++) {
      low = fmin(low, walk->at[t * walk->width + i]);
      high = fmax(high, walk->at[t * walk->width + i]);
    }
    most = fmax(most, high - low);
  }
  return most;
}

/* The start is the first point; the others are equally far apart. */
Status walk_run(const WalkOps *ops, const WalkPlan *plan, Walk *out) {
  const Bimatrix *form = plan->form;
  WalkState state = {.rng = rng_stream(plan->seed, 0, 0, RNG_ACT)};
  double sum[2 * DYNAMICS_MOST] = {0};
  size_t best[2];
  const uint64_t apart = (plan->steps + WALK_POINTS - 1) / WALK_POINTS;
  *out = (Walk){.width = form->rows + form->columns};
  if (ops->iterated && (form->rows != 2 || form->columns != 2))
    return status_set(ERR_USAGE, "%s is of games of two choices each, not of %zu and %zu",
                      ops->name, form->rows, form->columns);
  TRY_RETURN(NEW_ARRAY(out->step, WALK_POINTS + 2));
  TRY_RETURN(NEW_ARRAY(out->at, (WALK_POINTS + 2) * out->width));
  TRY_RETURN(NEW_ARRAY(out->value, (size_t)(WALK_POINTS + 2) * 2));
  ops->begin(plan, &state);
  add_state(plan, &state, sum);
  put_point(ops, plan, &state, 0, 1, sum, out);
  best[0] = most_probable(state.x, form->rows);
  best[1] = most_probable(state.y, form->columns);
  for (uint64_t t = 1, since = 0; t <= plan->steps; t++) {
    ops->step(plan, &state);
    const size_t now[2] = {most_probable(state.x, form->rows),
                           most_probable(state.y, form->columns)};
    for (int p = 0; p < 2; p++)
      out->flips[p] += now[p] != best[p];
    memcpy(best, now, sizeof best);
    const bool ends = t % apart == 0 || t == plan->steps;
    if (ops->averaged || ends) {
      add_state(plan, &state, sum);
      since++;
    }
    if (!ends) continue;
    put_point(ops, plan, &state, t, (double)since, sum, out);
    since = 0;
  }
  out->moved = range_at_end(out);
  return OK;
}
