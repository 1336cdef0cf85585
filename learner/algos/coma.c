/* Counterfactual multi-agent policy gradients (Foerster et al., arXiv 1705.08926): which of a
 * team's agents earned what it was paid together. A critic that sees what the team knows gives an
 * agent's values of all its own choices, those of the others being what they were, in one pass:
 *
 *   A_i = Q_i(s, a) - sum_b pi_i(b) Q_i(s, (b, a_-i))
 *
 * is what the agent's choice changed, against what it would have been on average. The critic learns
 * the team's return by TD(lambda), of values that a copy of it gives which follows slowly,
 *
 *   G_t = r_t + gamma ((1 - lambda) Q'(s_t+1, a_t+1) + lambda G_t+1),
 *
 * some epochs ahead of the policy, which is stepped last, by one epoch over the same batch.
 *
 * pi is what actors draw from (RULE_MIXED): the softmax, mixed with any available choice by the
 * share epsilon. So are the probabilities in the loss and in the baseline. Actors do not record
 * what is chosen in the row behind an unroll: there the others' choices are drawn from pi, and the
 * agent's own are averaged over. Who does not act in a row has nothing to be compared; what follows
 * from there is worth to it what it is to those who act, as all earn the same. */
#include "learner/train/central.h"
#include "data/returns.h"

#include <math.h>
#include <string.h>

enum { REWARD_SUM, REWARD_MEAN };

typedef struct ComaConfig {
  CentralConfig critic;
  double lambda;
  int64_t critic_epochs, minibatches;
  int64_t target_every;
  double tau; /* above 0: the copy moves by so much after each step */
  double epsilon, epsilon_end;
  int64_t epsilon_frames;
  double ratio;
  int team_reward; /* REWARD_SUM, ... */
} ComaConfig;

static const Option options[] = {
    {"lambda", OPT_FLOAT, offsetof(ComaConfig, lambda), "0.8", 0, 1, NULL, "",
     "of the critic's targets: 0, a reward and the value of the next row; 1, rewards up to the "
     "episode's or the unroll's end. learner.lambda is not read"},
    {"critic_epochs", OPT_INT, offsetof(ComaConfig, critic_epochs), "4", 1, 100, NULL, "",
     "passes of the critic over each batch, before the policy's one"},
    {"minibatches", OPT_INT, offsetof(ComaConfig, minibatches), "1", 1, 4096, NULL, "",
     "parts of a batch, one optimiser step each, of the critic's epochs and of the policy's"},
    {"target_every", OPT_INT, offsetof(ComaConfig, target_every), "200", 1, OPTION_NO_LIMIT, NULL,
     "steps", "of the optimiser, after which the copy that targets come from becomes the critic"},
    {"tau", OPT_FLOAT, offsetof(ComaConfig, tau), "0", 0, 1, NULL, "",
     "above 0: the copy moves by this share towards the critic after each step, instead of every "
     "target_every steps"},
    {"epsilon", OPT_FLOAT, offsetof(ComaConfig, epsilon), "0.5", 0, 1, NULL, "",
     "the share of any available choice in what an agent draws from, beside the policy's softmax, "
     "at the start"},
    {"epsilon_end", OPT_FLOAT, offsetof(ComaConfig, epsilon_end), "0.01", 0, 1, NULL, "",
     "the same at the end of epsilon_frames"},
    {"epsilon_frames", OPT_INT, offsetof(ComaConfig, epsilon_frames), "100000", 0, OPTION_NO_LIMIT,
     NULL, "frames", "of the run, in which epsilon falls in a straight line"},
    {"ratio", OPT_FLOAT, offsetof(ComaConfig, ratio), "1", 0.001, 1000, NULL, "",
     "a decision counts by the probability that the policy gives it now over the one by which it "
     "was drawn, at most so much: pace pipelined learns from decisions that are a tick old"},
    {"team_reward", OPT_CHOICE, offsetof(ComaConfig, team_reward), "sum", 0, 0, "sum|mean", "",
     "what the team's reward is of those of its agents. mean: their sum, divided by how many the "
     "team has in the game, with those that are out or that an episode begins without, as in "
     "stages of a curriculum"},
    CENTRAL_OPTIONS(ComaConfig, critic.),
};

/* The player's parts besides its policy. */
enum { PART_CRITIC, PART_TARGET };

/* --- what is needed --- */

static void coma_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  const ComaConfig *config = own;
  (void)layout;
  out->rows = ROWS_TEAM;
  out->rule = RULE_MIXED;
  out->global = config->critic.input != SEES_OWN;
}

/* The critic's epochs, and the policy's. */
static void coma_plan(const void *own, AlgoPlan *out) {
  const ComaConfig *config = own;
  out->epochs = (size_t)config->critic_epochs + 1;
  out->minibatches = (size_t)config->minibatches;
  out->evaluate = true;
}

/* ERR_USAGE where an action is several choices: the game's own, or one that messages add. */
static Status check_choices(const ActionSpace *space) {
  const uint32_t games = space->heads - space->inner;
  if (games > 1)
    return status_set(
        ERR_USAGE,
        "learner.algorithm: coma compares what an agent chose with its other choices, "
        "one choice at a time, but an action is %u choices here",
        games);
  if (space->inner)
    return status_set(
        ERR_USAGE, "learner.algorithm: coma compares what an agent chose with its other choices, "
                   "one choice at a time, but net.messages.kind gated adds one, whether to speak: "
                   "use mean, nearest or attention");
  return OK;
}

static Status coma_parts(Algo *algo) {
  const ComaConfig *config = algo->own;
  const ActionSpace *space = &algo->net->space;
  TRY_RETURN(check_choices(space));
  TRY_RETURN(central_critic(algo, &config->critic, space->width));
  const AlgoPart *critic = &algo->part[PART_CRITIC];
  algo->part[algo->parts++] = (AlgoPart){.name = "critic_target",
                                         .floats = critic->floats,
                                         .copy_of = COPY_PART + PART_CRITIC,
                                         .graph = critic->graph};
  return OK;
}

static double coma_explore(const void *own, double frames) {
  const ComaConfig *config = own;
  const double whole = (double)config->epsilon_frames;
  const double done = frames < whole ? frames / whole : 1;
  return config->epsilon + done * (config->epsilon_end - config->epsilon);
}

static bool is_critics_turn(const Experience *e) {
  const ComaConfig *config = e->own;
  return e->epoch < (size_t)config->critic_epochs;
}

static bool coma_rests(const Experience *e, size_t part) {
  return part == 0 ? is_critics_turn(e) : !is_critics_turn(e);
}

static void coma_stepped(const Experience *e) {
  const ComaConfig *config = e->own;
  const bool due = e->steps % (uint64_t)config->target_every == 0;
  if (config->tau > 0 || due) algo_follow(e, (float)config->tau);
}

/* --- a pass --- */

/* A pass, and what is made of it. Row `at` of the pass is cell at % N of team row at / N. */
typedef struct Work {
  const Pass *pass;
  const Experience *e;
  const ComaConfig *config;
  const Batch *batch;
  const Critic *critic;
  const ActionSpace *space;
  size_t N; /* cells of a team row */
  size_t W; /* choices */
  float epsilon;
} Work;

static Work open_work(const Pass *pass) {
  const Experience *e = pass->experience;
  return (Work){
      .pass = pass,
      .e = e,
      .config = e->own,
      .batch = e->batch,
      .critic = pass->algo->critic,
      .space = &pass->net->space,
      .N = format_cells(&e->batch->format),
      .W = pass->net->space.width,
      .epsilon = net_epsilon(pass->net, pass->block),
  };
}

/* Whether there is an agent in row `at` of the pass that acts there. */
static bool acts(const Work *work, size_t at) {
  const int32_t cell = work->pass->row_of[at];
  return cell >= 0 && work->batch->flags[cell] & AGON_ACTS;
}

/* Whether row `at` of the pass, which is no padding, is one that closes its unroll: nobody chose
 * anything there yet. */
static bool closes(const Work *work, size_t at) {
  const size_t row = (size_t)work->pass->row_of[at] / work->N;
  const Unroll *unroll = batch_unroll_at(work->batch, row);
  return row - unroll->first >= unroll->rows;
}

/* What an agent may do who stands where its unroll was closed, drawn from the acting rule (row `at`
 * of the pass's logits) as the actor will draw it, or would. */
static size_t draw_choice(const Work *work, size_t at) {
  const size_t row = (size_t)work->pass->row_of[at] / work->N;
  const Unroll *unroll = batch_unroll_at(work->batch, row);
  const size_t line = at * work->W;
  AgonRng rng = rng_decision(work->e->seed, unroll->slot, unroll->episode, unroll->until,
                             work->pass->agent[at]);
  AgonAction action;
  dist_sample(work->space, work->pass->logits + line, work->pass->probability + line, &rng, false,
              &action);
  return (size_t)action.choice;
}

static size_t choice_at(const Work *work, size_t at) {
  return (size_t)batch_action(work->batch, (size_t)work->pass->row_of[at])->choice;
}

/* Tells all others of its team what an agent chose. */
static void tell_others(const Work *work, size_t at, size_t choice, float *choices) {
  const size_t first = at - at % work->N;
  for (size_t i = first; i < first + work->N; i++)
    if (i != at) choices[(i * work->N + at % work->N) * work->W + choice] = 1;
}

/* What the others of each agent's team chose, into the critic's input. Where an unroll is closed
 * that is drawn (`draws`), or left out: nothing is learned there. */
static void put_choices(const Work *work, bool draws) {
  const Pass *pass = work->pass;
  if (work->critic->choices < 0) return; /* a team of one */
  float *choices = pass->part[PART_CRITIC].space->value[work->critic->choices];
  memset(choices, 0, pass->rows * work->N * work->W * sizeof *choices);
  for (size_t at = 0; at < pass->rows; at++) {
    if (!acts(work, at)) continue;
    if (!closes(work, at))
      tell_others(work, at, choice_at(work, at), choices);
    else if (draws)
      tell_others(work, at, draw_choice(work, at), choices);
  }
}

/* The critic's values, (rows, W), and in real units to `out`, unless it is NULL. */
static const float *ask_critic(const Work *work, size_t i, float *out) {
  const PassPart *part = &work->pass->part[i];
  critic_forward(work->critic, part->block, part->packed, part->space, work->pass->sequences, out,
                 NULL);
  return part->space->value[work->critic->value];
}

/* The average of a row's values, by the log-probabilities of an acting rule. */
static float average_of(const Work *work, const float *rule, const uint8_t *mask,
                        const float *value) {
  float sum = 0;
  for (size_t k = 0; k < work->W; k++)
    if (mask[k]) sum += expf(rule[k]) * value[k];
  return sum;
}

/* --- targets --- */

/* What an acting agent's row is worth by the copy of the critic, and how probable its choice is. */
static void look_at(const Work *work, size_t at, const Evaluated *out) {
  const Pass *pass = work->pass;
  const size_t cell = (size_t)pass->row_of[at];
  const float *rule = pass->logits + at * work->W;
  const float *value = pass->d_logits + at * work->W;
  out->log_prob[cell] = 0;
  out->value[cell] = 0;
  if (!acts(work, at)) return;
  if (closes(work, at)) {
    out->value[cell] = average_of(work, rule, pass->mask + at * work->W, value);
    return;
  }
  out->log_prob[cell] = rule[choice_at(work, at)];
  out->value[cell] = value[choice_at(work, at)];
}

/* Who does not act in a team row, from place `first` of the pass on, is worth what those are on
 * average who do. */
static void fill_row(const Work *work, size_t first, float *value) {
  float sum = 0;
  size_t acting = 0;
  for (size_t at = first; at < first + work->N; at++) {
    if (!acts(work, at)) continue;
    sum += value[work->pass->row_of[at]];
    acting++;
  }
  for (size_t at = first; acting && at < first + work->N; at++)
    if (!acts(work, at)) value[work->pass->row_of[at]] = sum / (float)acting;
}

static void coma_look(const Pass *pass, const Evaluated *out) {
  const Work work = open_work(pass);
  const PassPart *now = &pass->part[PART_CRITIC];
  net_forward(pass->net, pass->block, pass->packed, pass->space, pass->sequences, pass->logits,
              NULL, NULL);
  dist_normalise_rows(work.space, pass->logits, pass->mask, pass->rows, pass->logits);
  dist_mix_rows(work.space, pass->logits, work.epsilon, pass->rows, pass->logits);
  dist_probabilities(work.space, pass->logits, pass->rows, pass->probability);
  put_choices(&work, true);
  critic_load_again(work.critic, now->space, pass->rows, pass->part[PART_TARGET].space);
  ask_critic(&work, PART_TARGET, pass->d_logits);
  for (size_t at = 0; at < pass->rows; at++)
    if (pass->row_of[at] >= 0) look_at(&work, at, out);
  for (size_t first = 0; first < pass->rows; first += work.N)
    if (pass->row_of[first] >= 0) fill_row(&work, first, out->value);
}

/* Numbers of one agent's way through an unroll. */
enum { LANE_REWARD, LANE_DISCOUNT, LANE_NEXT, LANE_TARGET };

/* What the team is paid in each row. */
static void share_rewards(const Experience *e, const Unroll *unroll, float *out) {
  const ComaConfig *config = e->own;
  const size_t N = format_cells(&e->batch->format);
  const bool mean = config->team_reward == REWARD_MEAN;
  const float share = mean ? 1.0f / (float)batch_members(e->batch, unroll) : 1.0f;
  for (size_t t = 0; t < unroll->rows; t++) {
    const float *reward = e->batch->reward + (unroll->first + t) * N;
    float sum = 0;
    for (size_t c = 0; c < N; c++)
      sum += reward[c];
    out[t] = share * sum;
  }
}

/* Targets of cell c: its own values, on the team's rewards. */
static void cell_targets(const Experience *e, const Unroll *unroll, size_t c) {
  const ComaConfig *config = e->own;
  const size_t N = format_cells(&e->batch->format);
  const size_t n = unroll->rows;
  const size_t first = unroll->first * N + c;
  float *discount = e->lanes + LANE_DISCOUNT * n;
  float *next = e->lanes + LANE_NEXT * n;
  float *target = e->lanes + LANE_TARGET * n;
  for (size_t t = 0; t < n; t++) {
    const bool over = t + 1 == n && unroll->end == END_TERMINATED;
    discount[t] = e->discount[first + t * N];
    next[t] = over ? 0 : e->value[first + (t + 1) * N];
  }
  returns_lambda(e->lanes + LANE_REWARD * n, discount, next, (float)config->lambda, n, target);
  for (size_t t = 0; t < n; t++) {
    e->target[first + t * N] = target[t];
    e->advantage[first + t * N] = 0; /* made in the pass, when the critic has learned */
  }
}

static void coma_targets(const Experience *e) {
  const Batch *batch = e->batch;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    share_rewards(e, unroll, e->lanes + LANE_REWARD * unroll->rows);
    for (size_t c = 0; c < format_cells(&batch->format); c++)
      cell_targets(e, unroll, c);
  }
}

/* --- losses --- */

/* What the value of a choice adds to the sums, in units of returns; returns its error. */
static float value_loss(const Work *work, size_t at, float value, LossSums *sums) {
  const float unit = work->e->value_unit;
  const float error = value - work->e->target[work->pass->row_of[at]];
  sums->value += 0.5f * error * error / (unit * unit);
  return error;
}

static bool is_learned(const Work *work, size_t at) {
  const int32_t cell = work->pass->row_of[at];
  return cell >= 0 && work->e->is_learned[cell];
}

/* The critic's step: half the squared error of what was chosen. */
static void learn_values(const Work *work, LossSums *sums) {
  const Pass *pass = work->pass;
  const PassPart *part = &pass->part[PART_CRITIC];
  float *value = pass->d_logits; /* and then the derivatives by it */
  ask_critic(work, PART_CRITIC, value);
  pass_charge(pass, &pass->times->forward);
  for (size_t at = 0; at < pass->rows; at++) {
    float *row = value + at * work->W;
    const bool learned = is_learned(work, at);
    const size_t choice = learned ? choice_at(work, at) : 0;
    const float by = learned ? pass->value_weight * value_loss(work, at, row[choice], sums) : 0;
    memset(row, 0, work->W * sizeof *row);
    row[choice] = by;
    sums->rows += learned;
  }
  pass_charge(pass, &pass->times->loss);
  critic_backward(work->critic, part->block, part->packed, part->gradient, part->space,
                  pass->sequences, value, NULL, NULL);
  pass_charge(pass, &pass->times->backward);
}

/* The policy's loss of a decision, and its derivatives in the place of its logits. value: of its
 * choices, in the critic's own unit, so that advantages are in deviations of returns. */
static void decision_loss(const Work *work, size_t at, const float *value, LossSums *sums) {
  const Pass *pass = work->pass;
  const size_t line = at * work->W;
  const size_t cell = (size_t)pass->row_of[at];
  const size_t choice = choice_at(work, at);
  const float pull = pass->reference_row ? pass->reference_weight * pass->pull[cell] : 0;
  const float *logits = pass->logits + line;
  const float *probability = pass->probability + line;
  float *d = pass->d_logits + line;
  dist_mix_rows(work->space, logits, work->epsilon, 1, d);
  const float log_ratio = d[choice] - work->batch->log_prob[cell];
  const float ratio = expf(log_ratio);
  const float weight = fminf(ratio, (float)work->config->ratio);
  const float advantage = value[choice] - average_of(work, d, pass->mask + line, value);
  work->e->advantage[cell] = advantage;
  sums->entropy += dist_mixed_backward(work->space, logits, probability, work->epsilon,
                                       batch_action(work->batch, cell), -weight * advantage,
                                       -pass->entropy_weight, d);
  if (pull > 0) {
    const float *reference = pass->reference_row + cell * work->W;
    dist_add_kl(work->space, logits, probability, reference, pull, d);
    sums->kl_reference += pass->pull[cell] * dist_kl(work->space, logits, reference);
  }
  sums->policy -= weight * advantage;
  sums->kl += ratio - 1 - log_ratio;
  sums->clipped += ratio > weight;
  sums->rows++;
}

/* The policy's step. */
static void learn_policy(const Work *work, LossSums *sums) {
  const Pass *pass = work->pass;
  const size_t W = work->W;
  const float *value = ask_critic(work, PART_CRITIC, pass->d_logits);
  net_forward(pass->net, pass->block, pass->packed, pass->space, pass->sequences, pass->logits,
              NULL, NULL);
  pass_charge(pass, &pass->times->forward);
  dist_normalise_rows(work->space, pass->logits, pass->mask, pass->rows, pass->logits);
  dist_probabilities(work->space, pass->logits, pass->rows, pass->probability);
  for (size_t at = 0; at < pass->rows; at++) {
    float *d = pass->d_logits + at * W;
    if (is_learned(work, at)) {
      value_loss(work, at, d[choice_at(work, at)], sums);
      decision_loss(work, at, value + at * W, sums);
    } else {
      memset(d, 0, W * sizeof *d);
    }
  }
  pass_charge(pass, &pass->times->loss);
  memset(pass->d_value, 0, pass->rows * sizeof *pass->d_value);
  net_backward(pass->net, pass->block, pass->packed, pass->gradient, pass->space, pass->sequences,
               pass->d_logits, pass->d_value, pass->done, pass->done_context);
  pass_charge(pass, &pass->times->backward);
}

static void coma_pass(const Pass *pass, LossSums *sums) {
  const Work work = open_work(pass);
  put_choices(&work, false);
  if (is_critics_turn(work.e))
    learn_values(&work, sums);
  else
    learn_policy(&work, sums);
}

const AlgoOps algo_coma = {
    .name = "coma",
    .summary = "what each agent's choice changed for the team, by a critic that compares them",
    .options = options,
    .option_count = COUNT_OF(options),
    .config_size = sizeof(ComaConfig),
    .needs = coma_needs,
    .parts = coma_parts,
    .plan = coma_plan,
    .look = coma_look,
    .targets = coma_targets,
    .pass = coma_pass,
    .rests = coma_rests,
    .stepped = coma_stepped,
    .explore = coma_explore,
};
