#include "classics/classics.h"

#include "meta/tabular.h"

#include <math.h>
#include <string.h>

/* The algorithm's numbers of a row. */
static double *numbers(const LearnedRows *rows, size_t row) {
  return rows->numbers + row * rows->width;
}

/* How many choices the learner has there. */
static size_t own_choices(const LearnedRows *rows, size_t row) {
  return rows_allowed(rows->own + row * rows->choices, rows->choices);
}

/* How many the other has. */
static size_t other_choices(const LearnedRows *rows, size_t row) {
  return rows_allowed(rows->other + row * rows->choices, rows->choices);
}

/* --- independent learners: worths of own choices --- */

static size_t one_each(size_t A) {
  return A;
}

static double worth_of_best(const ClassicLearner *learner, size_t row, int p) {
  const LearnedRows *rows = &learner->rows;
  const double *q = numbers(rows, row);
  const size_t own = own_choices(rows, row);
  double best = q[0];
  (void)p;
  for (size_t i = 1; i < own; i++)
    best = fmax(best, q[i]);
  return best;
}

/* What a choice turned out to be worth. What follows an observation that is new is worth nothing
 * yet. */
static double target_of(const ClassicLearner *learner, const ClassicRates *rates,
                        const ClassicStep *step) {
  const bool known = step->goes_on && step->next < learner->rows.count;
  return step->reward[0] + (known ? rates->discount * worth_of_best(learner, step->next, 0) : 0);
}

static Status learn_q(ClassicLearner *learner, const ClassicRates *rates, const ClassicStep *step) {
  double *q = numbers(&learner->rows, step->row);
  q_update(&q[step->own], rates->rate, target_of(learner, rates, step));
  return OK;
}

static void act_by_worths(const ClassicLearner *learner, const Exploration *how, size_t row,
                          double *out) {
  const LearnedRows *rows = &learner->rows;
  explore(how, numbers(rows, row), own_choices(rows, row), out);
}

static Status learn_hysteretic(ClassicLearner *learner, const ClassicRates *rates,
                               const ClassicStep *step) {
  double *q = numbers(&learner->rows, step->row);
  hysteretic_update(&q[step->own], rates->rate, rates->down, target_of(learner, rates, step));
  return OK;
}

/* Counted is how often each pair was tried: its temperature is the cooling to the power of that. */
static Status learn_lenient(ClassicLearner *learner, const ClassicRates *rates,
                            const ClassicStep *step) {
  double *q = numbers(&learner->rows, step->row);
  double *tried = q + learner->rows.choices;
  double temperature = pow(rates->cooling, tried[step->own]++);
  lenient_update(&q[step->own], &temperature, rates->rate, target_of(learner, rates, step),
                 rates->leniency, rates->cooling, rng_unit(learner->rng));
  return OK;
}

/* --- joint learners --- */

static size_t pairs(size_t A) {
  return A * A;
}

static size_t pairs_of_both(size_t A) {
  return 2 * A * A;
}

/* Counted is what the other did. What each own choice is worth if the other goes on as it did;
 * before it did anything all of its choices are alike. */
static void expect(const LearnedRows *rows, size_t row, double *out) {
  const double *q = numbers(rows, row);
  const double *count = q + rows->choices * rows->choices;
  const size_t own = own_choices(rows, row);
  const size_t other = other_choices(rows, row);
  double sum = 0;
  for (size_t o = 0; o < other; o++)
    sum += count[o];
  for (size_t i = 0; i < own; i++) {
    out[i] = 0;
    for (size_t o = 0; o < other; o++)
      out[i] += q[i * other + o] * (sum > 0 ? count[o] / sum : 1 / (double)other);
  }
}

static double worth_of_answer(const ClassicLearner *learner, size_t row, int p) {
  double worth[DYNAMICS_MOST];
  (void)p;
  expect(&learner->rows, row, worth);
  double best = worth[0];
  for (size_t i = 1; i < own_choices(&learner->rows, row); i++)
    best = fmax(best, worth[i]);
  return best;
}

/* The value, to one agent, of what followed. */
static double value_of_next(const ClassicLearner *learner, const ClassicStep *step,
                            double (*value)(const ClassicLearner *, size_t, int), int p) {
  return step->goes_on && step->next < learner->rows.count ? value(learner, step->next, p) : 0;
}

static Status learn_joint(ClassicLearner *learner, const ClassicRates *rates,
                          const ClassicStep *step) {
  LearnedRows *rows = &learner->rows;
  double *q = numbers(rows, step->row);
  const size_t other = other_choices(rows, step->row);
  const double next = value_of_next(learner, step, worth_of_answer, 0);
  q[rows->choices * rows->choices + step->other]++;
  q_update(&q[step->own * other + step->other], rates->rate,
           step->reward[learner->agent] + rates->discount * next);
  return OK;
}

static void act_by_answers(const ClassicLearner *learner, const Exploration *how, size_t row,
                           double *out) {
  double worth[DYNAMICS_MOST];
  expect(&learner->rows, row, worth);
  explore(how, worth, own_choices(&learner->rows, row), out);
}

/* Minimax-Q and Nash-Q know the solution of each row's stage game, found when its numbers last
 * changed. */
static double value_of_stage(const ClassicLearner *learner, size_t row, int p) {
  return learner->rows.value[2 * row + (size_t)p];
}

/* Explores any choice with probability epsilon, else draws from the solution. */
static void act_by_solution(const ClassicLearner *learner, const Exploration *how, size_t row,
                            double *out) {
  const LearnedRows *rows = &learner->rows;
  const size_t own = own_choices(rows, row);
  for (size_t i = 0; i < own; i++)
    out[i] = (1 - how->epsilon) * rows->mix[row * rows->choices + i] + how->epsilon / (double)own;
}

/* Both values are kept, although the other's is only the negative of the own one. */
static Status learn_minimax(ClassicLearner *learner, const ClassicRates *rates,
                            const ClassicStep *step) {
  LearnedRows *rows = &learner->rows;
  const int me = (int)learner->agent;
  const size_t other = other_choices(rows, step->row);
  const double next = value_of_next(learner, step, value_of_stage, me);
  double *value = rows->value + 2 * step->row;
  TRY_RETURN(minimax_update(numbers(rows, step->row), own_choices(rows, step->row), other,
                            step->own * other + step->other, rates->rate,
                            step->reward[me] + rates->discount * next,
                            rows->mix + step->row * rows->choices, &value[me]));
  value[1 - me] = -value[me];
  return OK;
}

/* Both learners solve the same game, with agent 0's choices as rows, and so come to the same
 * equilibrium. */
static Status learn_nash(ClassicLearner *learner, const ClassicRates *rates,
                         const ClassicStep *step) {
  LearnedRows *rows = &learner->rows;
  double *a = numbers(rows, step->row);
  double *b = a + rows->choices * rows->choices;
  const size_t own = own_choices(rows, step->row);
  const size_t other = other_choices(rows, step->row);
  const bool first = learner->agent == 0;
  const size_t at = first ? step->own * other + step->other : step->other * own + step->own;
  double mix[NASH_MOST];
  double target[2];
  for (int p = 0; p < 2; p++)
    target[p] = step->reward[p] + rates->discount * value_of_next(learner, step, value_of_stage, p);
  double *mine = rows->mix + step->row * rows->choices;
  nash_update(a, b, first ? own : other, first ? other : own, at, rates->rate, target,
              first ? mine : mix, first ? mix : mine, rows->value + 2 * step->row);
  return OK;
}

/* --- the table --- */

static const ClassicOps q = {
    .name = "q",
    .summary = "independent Q-learners (Watkins 1989)",
    .worths = one_each,
    .learn = learn_q,
    .value = worth_of_best,
    .act = act_by_worths,
};
static const ClassicOps hysteretic = {
    .name = "hysteretic",
    .summary = "Q-learners that hear bad news more slowly (Matignon et al. 2007)",
    .worths = one_each,
    .learn = learn_hysteretic,
    .value = worth_of_best,
    .act = act_by_worths,
};
static const ClassicOps lenient = {
    .name = "lenient",
    .summary = "Q-learners that pass over bad news at first (Panait et al. 2006)",
    .worths = one_each,
    .counts = one_each,
    .learn = learn_lenient,
    .value = worth_of_best,
    .act = act_by_worths,
};
static const ClassicOps joint_action = {
    .name = "joint-action",
    .summary = "worths of pairs of actions, and a count of the other's (Claus and Boutilier 1998)",
    .joint = true,
    .most = DYNAMICS_MOST,
    .worths = pairs,
    .counts = one_each,
    .learn = learn_joint,
    .value = worth_of_answer,
    .act = act_by_answers,
};
static const ClassicOps minimax_q = {
    .name = "minimax-q",
    .summary = "plays what guarantees most, by linear programming (Littman 1994)",
    .joint = true,
    .zero_sum = true,
    .worths = pairs,
    .learn = learn_minimax,
    .value = value_of_stage,
    .act = act_by_solution,
};
static const ClassicOps nash_q = {
    .name = "nash-q",
    .summary = "plays the stage game's equilibrium of highest welfare (Hu and Wellman 2003)",
    .joint = true,
    .most = NASH_MOST,
    .worths = pairs_of_both,
    .learn = learn_nash,
    .value = value_of_stage,
    .act = act_by_solution,
};

const ClassicOps *const classics[] = {&q,         &hysteretic, &lenient, &joint_action,
                                      &minimax_q, &nash_q};
const size_t classic_count = COUNT_OF(classics);

const ClassicOps *classic_named(const char *name) {
  for (size_t i = 0; i < classic_count; i++)
    if (!strcmp(classics[i]->name, name)) return classics[i];
  return NULL;
}
