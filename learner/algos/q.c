/* Learning what choices are worth, from kept experience: the network's outputs are the values Q of
 * its agent's choices, and are moved towards what came of them,
 *
 *   y_t = r_t + gamma v(t + 1),   v = Q'(the best available choice),
 *
 * Q' being a copy of Q that follows slowly (Mnih et al. 2015), and the best choice that of Q itself
 * (double Q, van Hasselt et al., arXiv 1509.06461) or of Q'. Of several heads the values add up.
 *
 * | iql   | each agent by itself (Tan 1993)                                                     |
 * | vdn   | the team's reward, of the sum of its agents' values (mixer.h)                       |
 * | qmix  | likewise, of a monotone mixture that the global state governs                       |
 * | qplex | likewise, of a mixture that can be any team value with the agents' own best choices |
 * | wqmix | qmix, in which joint choices that seem worse than they are weigh most (Rashid et    |
 * |       | al., arXiv 2006.10800): targets are those of a second team value, Q*, of networks   |
 * |       | of its own and a mixer that may be anything                                         |
 *
 * Only rows in which somebody acted count. An agent that does not act adds 0 to its team's value.
 * By itself it is worth what follows. */
#include "base/invariant.h"
#include "learner/algos/algo.h"
#include "learner/train/off_policy.h"
#include "nn/mixer.h"

#include <math.h>
#include <string.h>

enum { REWARD_SUM, REWARD_MEAN };
enum { WEIGHT_OPTIMIST, WEIGHT_CENTRAL };

typedef struct QConfig {
  MixerConfig mixer; /* read by those that have one */
  double epsilon, epsilon_end;
  int64_t epsilon_frames;
  int64_t target_every;
  double tau; /* above 0: the copies move by so much after each step */
  bool twice; /* double Q */
  int64_t steps;
  double lambda;
  double huber;
  int team_reward; /* REWARD_SUM, ... */
  int weighting;   /* WEIGHT_OPTIMIST, ... */
  double alpha;
} QConfig;

#define Q_OPTIONS                                                                                  \
  {"epsilon",                                                                                      \
   OPT_FLOAT,                                                                                      \
   offsetof(QConfig, epsilon),                                                                     \
   "1",                                                                                            \
   0,                                                                                              \
   1,                                                                                              \
   NULL,                                                                                           \
   "",                                                                                             \
   "how often an agent takes any available choice instead of the best one, at the start"},         \
      {"epsilon_end", OPT_FLOAT, offsetof(QConfig, epsilon_end),         "0.05", 0, 1,             \
       NULL,          "",        "the same at the end of epsilon_frames"},                         \
      {"epsilon_frames",                                                                           \
       OPT_INT,                                                                                    \
       offsetof(QConfig, epsilon_frames),                                                          \
       "50000",                                                                                    \
       0,                                                                                          \
       OPTION_NO_LIMIT,                                                                            \
       NULL,                                                                                       \
       "frames",                                                                                   \
       "of the run, in which epsilon falls in a straight line"},                                   \
      {"target_every",                                                                             \
       OPT_INT,                                                                                    \
       offsetof(QConfig, target_every),                                                            \
       "200",                                                                                      \
       1,                                                                                          \
       OPTION_NO_LIMIT,                                                                            \
       NULL,                                                                                       \
       "steps",                                                                                    \
       "of the optimiser, after which the target networks become the present ones"},               \
      {"tau",                                                                                      \
       OPT_FLOAT,                                                                                  \
       offsetof(QConfig, tau),                                                                     \
       "0",                                                                                        \
       0,                                                                                          \
       1,                                                                                          \
       NULL,                                                                                       \
       "",                                                                                         \
       "above 0: target networks move by this share towards the present ones after each step, "    \
       "instead of every target_every steps"},                                                     \
      {"double",                                                                                   \
       OPT_BOOL,                                                                                   \
       offsetof(QConfig, twice),                                                                   \
       "true",                                                                                     \
       0,                                                                                          \
       0,                                                                                          \
       NULL,                                                                                       \
       "",                                                                                         \
       "what follows is worth what the target network says of the choice that is best by the "     \
       "present network; false: of that which is best by its own word"},                           \
      {"steps", OPT_INT, offsetof(QConfig, steps),                                                 \
       "1",     1,       1 << 20,                                                                  \
       NULL,    "rows",  "of rewards in a target, before a value stands for the rest"},            \
      {"lambda", OPT_FLOAT, offsetof(QConfig, lambda),                                             \
       "0",      0,         1,                                                                     \
       NULL,     "",        "above 0: targets are lambda-returns, and steps is not read"},         \
  {                                                                                                \
    "huber", OPT_FLOAT, offsetof(QConfig, huber), "0", 0, OPTION_NO_LIMIT, NULL, "",               \
        "errors beyond this count linearly instead of squared; 0 = all are squared"                \
  }

#define TEAM_OPTIONS                                                                               \
  {                                                                                                \
    "team_reward", OPT_CHOICE, offsetof(QConfig, team_reward), "sum", 0, 0, "sum|mean", "",        \
        "what the team's reward is of those of its agents"                                         \
  }

#define WEIGHT_OPTIONS                                                                             \
  {"weighting",                                                                                    \
   OPT_CHOICE,                                                                                     \
   offsetof(QConfig, weighting),                                                                   \
   "cw",                                                                                           \
   0,                                                                                              \
   0,                                                                                              \
   "ow|cw",                                                                                        \
   "",                                                                                             \
   "which joint choices count in full: ow, those that seem worse than their target; cw, those "    \
   "that are the best, or whose target is above what Q* says of the best"},                        \
  {                                                                                                \
    "alpha", OPT_FLOAT, offsetof(QConfig, alpha), "0.1", 0, 1, NULL, "",                           \
        "weight of all other joint choices"                                                        \
  }

static const Option iql_options[] = {Q_OPTIONS};
static const Option vdn_options[] = {Q_OPTIONS, TEAM_OPTIONS};
static const Option mixed_options[] = {Q_OPTIONS, TEAM_OPTIONS, MIXER_OPTIONS(QConfig, mixer.)};
static const Option weighted_options[] = {Q_OPTIONS, TEAM_OPTIONS, WEIGHT_OPTIONS,
                                          MIXER_OPTIONS(QConfig, mixer.)};

/* A player's parts besides its policy, which is Q; with weights behind those of Q*, of which the
 * targets are then copies. */
enum { PART_TARGET, PART_MIXER, PART_MIXER_TARGET };
enum { PART_STAR, PART_STAR_MIXER, STAR_PARTS };

/* --- what is needed --- */

static void needs_values(AlgoNeeds *out, bool global) {
  out->rows = ROWS_TEAM;
  out->replay = REPLAY_EPISODES;
  out->rule = RULE_GREEDY_Q;
  out->global = global;
}

static void q_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  (void)own;
  (void)layout;
  needs_values(out, false);
}

static void mixed_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  (void)own;
  (void)layout;
  needs_values(out, true);
}

static void q_plan(const void *own, AlgoPlan *out) {
  (void)own;
  out->sequences = true;
}

static double q_explore(const void *own, double frames) {
  const QConfig *config = own;
  double whole = (double)config->epsilon_frames;
  double done = frames < whole ? frames / whole : 1;
  return config->epsilon + done * (config->epsilon_end - config->epsilon);
}

/* --- parts --- */

static Status q_parts(Algo *algo) {
  const Net *net = algo->net;
  algo->part[algo->parts++] = (AlgoPart){
      .name = "target", .floats = net->block, .copy_of = COPY_POLICY, .graph = &net->graph};
  return OK;
}

static Status init_mixer(const AlgoPart *part, AgonRng *rng, float *block) {
  mixer_init(part->made, rng, block);
  return OK;
}

static void destroy_mixer(void *made) {
  mixer_destroy(made);
}

/* Numbers of a mixer's state. One state is worth opposite things to two sides: each has columns,
 * and so weights, of its own, and is told which it is. */
static size_t state_width(const Algo *algo) {
  size_t S = algo->format.global;
  return algo->sides ? algo->sides * (S + 1) : S;
}

/* A mixer that is trained; or a copy, and of what (AlgoPart). */
static Status add_mixer(Algo *algo, const char *name, MixerKind kind, size_t copy_of) {
  const QConfig *config = algo->own;
  const size_t teams = format_teams(&algo->format, NULL);
  algo->sides = teams > 1 ? teams : 0;
  const MixerShape shape = {
      .agents = format_cells(&algo->format),
      .state = state_width(algo),
      .choices = algo->net->space.width,
  };
  Mixer *mixer;
  TRY_RETURN(mixer_create(kind, &config->mixer, &shape, &mixer));
  AlgoPart *part = &algo->part[algo->parts];
  *part = (AlgoPart){
      .name = name,
      .floats = mixer->block,
      .graph = &mixer->graph,
      .of_teams = true,
      .made = mixer,
      .destroy = destroy_mixer,
      .copy_of = copy_of,
  };
  if (copy_of == COPY_NONE) {
    part->trained = mixer->graph.params;
    part->init = init_mixer;
  }
  algo->parts++;
  return OK;
}

static Status mixed_parts(Algo *algo, MixerKind kind) {
  TRY_RETURN(q_parts(algo));
  TRY_RETURN(add_mixer(algo, "mixer", kind, COPY_NONE));
  return add_mixer(algo, "mixer_target", kind, COPY_PART + PART_MIXER);
}

static Status qmix_parts(Algo *algo) {
  return mixed_parts(algo, MIXER_QMIX);
}

static Status qplex_parts(Algo *algo) {
  return mixed_parts(algo, MIXER_QPLEX);
}

/* Q* begins as Q is, and goes its own way. */
static Status weighted_parts(Algo *algo) {
  const Net *net = algo->net;
  algo->part[algo->parts++] = (AlgoPart){.name = "star",
                                         .floats = net->block,
                                         .trained = net->graph.params,
                                         .copy_of = COPY_POLICY,
                                         .graph = &net->graph};
  TRY_RETURN(add_mixer(algo, "star_mixer", MIXER_FREE, COPY_NONE));
  TRY_RETURN(q_parts(algo));
  algo->part[STAR_PARTS + PART_TARGET].copy_of = COPY_PART + PART_STAR;
  TRY_RETURN(add_mixer(algo, "mixer", MIXER_QMIX, COPY_NONE));
  return add_mixer(algo, "mixer_target", MIXER_FREE, COPY_PART + PART_STAR_MIXER);
}

/* The copies follow what they are of. */
static void q_stepped(const Experience *e) {
  const QConfig *config = e->own;
  bool due = e->steps % (uint64_t)config->target_every == 0;
  if (config->tau > 0 || due) algo_follow(e, (float)config->tau);
}

/* Targets rest on what the target network says, and are made in the pass. */
static void q_targets(const Experience *e) {
  size_t cells = e->batch->rows * format_cells(&e->batch->format);
  memset(e->advantage, 0, cells * sizeof *e->advantage);
  memset(e->target, 0, cells * sizeof *e->target);
}

/* --- a pass --- */

/* Where the values of a row's cells go to be made one, each with as many entries as the pass has
 * rows: of what was chosen (`q`); of the best choice, and a one for each choice that was made
 * (QPLEX; else NULL). */
typedef struct Inputs {
  float *q;
  float *best;
  float *actions; /* (rows, width) */
} Inputs;

/* A pass, and what is made of it. Row `at` of the pass is cell at % N of team row at / N. A *path*
 * is what learns as one: a team, or (without mixing) an agent. value and next have an entry for
 * each path's row: t * paths + p. */
typedef struct Work {
  const Pass *pass;
  const Experience *e;
  const QConfig *config;
  const Batch *batch;
  size_t N;           /* cells of a team row */
  size_t units;       /* sequences of team rows, side by side */
  size_t teams;       /* team rows */
  bool mixes;         /* a path is a team's */
  size_t first;       /* the part from which on PART_TARGET and the others lie */
  const Mixer *mixer; /* NULL: there is none */
  Inputs now;         /* of what was chosen, by Q */
  Inputs next;        /* of what would be best, by Q' */
  Inputs star;        /* of what was chosen, by Q*; q NULL: there is none */
  float *value;       /* Q of what was chosen; then the loss's derivative by it */
  float *worth;       /* Q' of the best choice */
  float *star_value;  /* Q* of what was chosen; then the loss's derivative by it. NULL likewise */
} Work;

/* The inputs of the mixer that is part `i`. */
static Inputs mixer_inputs(const Pass *pass, size_t i, const Mixer *mixer) {
  Activations *space = pass->part[i].space;
  space->ones = false;
  return (Inputs){
      .q = space->value[mixer->q],
      .best = mixer->best < 0 ? NULL : space->value[mixer->best],
      .actions = mixer->actions < 0 ? NULL : space->value[mixer->actions],
  };
}

/* The part that is PART_TARGET or another behind it. */
static const PassPart *part_of(const Work *work, size_t i) {
  return &work->pass->part[work->first + i];
}

static const Mixer *mixer_of(const Work *work, size_t i) {
  return work->pass->algo->part[i].made;
}

/* Q* lies in the parts before. */
static void open_star(Work *work) {
  const Mixer *mixer = mixer_of(work, PART_STAR_MIXER);
  work->first = STAR_PARTS;
  work->star = mixer_inputs(work->pass, PART_STAR_MIXER, mixer);
  work->star_value = work->pass->part[PART_STAR_MIXER].space->value[mixer->total];
}

static Work open_work(const Pass *pass, bool mixes) {
  const Experience *e = pass->experience;
  size_t N = format_cells(&e->batch->format);
  Work work = {
      .pass = pass,
      .e = e,
      .config = e->own,
      .batch = e->batch,
      .N = N,
      .units = pass->sequences->B / N,
      .teams = pass->rows / N,
      .mixes = mixes,
      .now = {.q = pass->value},
      .next = {.q = pass->d_value},
      .value = pass->value,
      .worth = pass->d_value,
  };
  if (pass->algo->parts > STAR_PARTS + PART_MIXER) open_star(&work);
  if (pass->algo->parts > PART_MIXER) {
    const size_t now = work.first + PART_MIXER;
    const size_t next = work.first + PART_MIXER_TARGET;
    work.mixer = mixer_of(&work, now);
    work.now = mixer_inputs(pass, now, work.mixer);
    work.next = mixer_inputs(pass, next, mixer_of(&work, next));
  }
  return work;
}

/* The rows of the pass through a part that is a network like the policy. */
static void forward_part(const Pass *pass, const PassPart *part, float *out) {
  net_load_again(pass->net, pass->space, pass->rows, part->space);
  net_forward(pass->net, part->block, part->packed, part->space, pass->sequences, out, NULL, NULL);
}

/* Q of all rows into logits, Q' into probability, Q* into d_logits, which has its own use later. */
static void forward(const Work *work) {
  const Pass *pass = work->pass;
  net_forward(pass->net, pass->block, pass->packed, pass->space, pass->sequences, pass->logits,
              NULL, NULL);
  forward_part(pass, part_of(work, PART_TARGET), pass->probability);
  if (work->star.q) forward_part(pass, &pass->part[PART_STAR], pass->d_logits);
}

/* The choice with the highest value of those that are available; of equal ones the first. */
static size_t best_of(const float *value, const uint8_t *mask, size_t choices) {
  size_t best = choices;
  for (size_t i = 0; i < choices; i++)
    if (mask[i] && (best == choices || value[i] > value[best])) best = i;
  return best < choices ? best : 0;
}

/* Whether there is an agent in row `at` of the pass that acts there. */
static bool acts(const Work *work, size_t at) {
  int32_t cell = work->pass->row_of[at];
  return cell >= 0 && work->batch->flags[cell] & AGON_ACTS;
}

/* Puts nobody into row `at` of the inputs. */
static void put_nobody(const Inputs *inputs, size_t at, size_t W) {
  inputs->q[at] = 0;
  if (inputs->best) inputs->best[at] = 0;
  if (inputs->actions) memset(inputs->actions + at * W, 0, W * sizeof(float));
}

/* Adds a head's choice to row `at` of the inputs: its value, the best that there was, and its
 * place in the row. */
static void add_choice(const Inputs *inputs, size_t at, size_t W, size_t place, float value,
                       float best) {
  inputs->q[at] += value;
  if (inputs->best) inputs->best[at] += best;
  if (inputs->actions) inputs->actions[at * W + place] = 1;
}

/* What an agent chose, and what it could have best. */
static void put_cell(const Work *work, size_t at) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  const size_t W = space->width;
  const float *now = pass->logits + at * W;
  const float *slow = pass->probability + at * W;
  const uint8_t *mask = pass->mask + at * space->choices;
  put_nobody(&work->now, at, W);
  put_nobody(&work->next, at, W);
  if (work->star.q) put_nobody(&work->star, at, W);
  if (!acts(work, at)) return;
  const AgonAction *action = batch_action(work->batch, (size_t)pass->row_of[at]);
  for (size_t h = 0, from = 0; h < space->heads; from += space->head_size[h++]) {
    size_t choices = space->head_size[h];
    size_t taken = from + (size_t)action[h].choice;
    size_t best = from + best_of(now + from, mask + from, choices);
    size_t best_slow = from + best_of(slow + from, mask + from, choices);
    size_t next = work->config->twice ? best : best_slow;
    add_choice(&work->now, at, W, taken, now[taken], now[best]);
    add_choice(&work->next, at, W, next, slow[next], slow[best_slow]);
    if (work->star.q) work->star.q[at] += pass->d_logits[at * W + taken];
  }
}

/* The global state of each team row into a mixer's input. */
static void put_states(const Work *work, float *out) {
  const Pass *pass = work->pass;
  const Batch *batch = work->batch;
  const size_t S = batch->format.global;
  const size_t width = state_width(pass->algo);
  memset(out, 0, work->teams * width * sizeof *out);
  for (size_t r = 0; r < work->teams; r++) {
    const size_t at = r * work->N; /* a team's first agent is in its first cell */
    const int32_t cell = pass->row_of[at];
    if (cell < 0) continue;
    const size_t side = pass->side_of ? pass->side_of[pass->agent[at]] : 0;
    float *row = out + r * width;
    memcpy(row + side * S, batch->global + (size_t)cell / work->N * S, S * sizeof *row);
    if (pass->side_of) row[pass->algo->sides * S + side] = 1;
  }
}

/* Team values by the mixer that is part `i`. */
static void mix_by(const Work *work, size_t i, float *total) {
  const PassPart *part = &work->pass->part[i];
  const Mixer *mixer = mixer_of(work, i);
  put_states(work, part->space->value[mixer->state]);
  mixer_forward(mixer, part->block, part->packed, part->space, work->teams, total);
}

/* The sums of N neighbours each, in place. */
static void add_up(float *value, size_t N, size_t teams) {
  for (size_t r = 0; r < teams; r++) {
    float sum = 0;
    for (size_t c = 0; c < N; c++)
      sum += value[r * N + c];
    value[r] = sum;
  }
}

/* One value of each path's row, of those of its cells. */
static void mix(const Work *work) {
  if (!work->mixes) return;
  if (work->mixer) {
    mix_by(work, work->first + PART_MIXER, work->value);
    mix_by(work, work->first + PART_MIXER_TARGET, work->worth);
    if (work->star.q) mix_by(work, PART_STAR_MIXER, NULL);
  } else {
    add_up(work->value, work->N, work->teams);
    add_up(work->worth, work->N, work->teams);
  }
}

/* --- what follows --- */

/* One path through an unroll. */
typedef struct Path {
  const Unroll *unroll;
  size_t at;    /* its first row among value and worth */
  size_t step;  /* from one row to the next, there */
  size_t cell;  /* of the batch, in its first row: the agent's, or the team's first */
  size_t cells; /* 1, or of the whole team */
  float share;  /* of each cell's reward */
} Path;

static float *worth_at(const Work *work, const Path *path, size_t t) {
  return &work->worth[path->at + t * path->step];
}

static float reward_at(const Work *work, const Path *path, size_t t) {
  const float *reward = work->batch->reward + path->cell + t * work->N;
  float sum = 0;
  for (size_t c = 0; c < path->cells; c++)
    sum += reward[c];
  return path->share * sum;
}

static float discount_at(const Work *work, const Path *path, size_t t) {
  return work->e->discount[path->cell + t * work->N];
}

/* What row t is worth: 0 behind the end of an episode. */
static float following(const Work *work, const Path *path, size_t t) {
  bool over = t == path->unroll->rows && path->unroll->end == END_TERMINATED;
  return over ? 0 : *worth_at(work, path, t);
}

/* While an agent by itself does not act, it is worth what follows. */
static void wait_through(const Work *work, const Path *path) {
  for (size_t t = path->unroll->rows; t-- > 0;) {
    if (work->batch->flags[path->cell + t * work->N] & AGON_ACTS) continue;
    *worth_at(work, path, t) =
        reward_at(work, path, t) + discount_at(work, path, t) * following(work, path, t + 1);
  }
}

/* Rewards of so many steps, and what the row behind them is worth. */
static float steps_target(const Work *work, const Path *path, size_t t) {
  size_t end = t + (size_t)work->config->steps;
  float sum = 0;
  float weight = 1;
  if (end > path->unroll->rows) end = path->unroll->rows;
  for (; t < end; t++) {
    sum += weight * reward_at(work, path, t);
    weight *= discount_at(work, path, t);
  }
  return sum + weight * following(work, path, end);
}

/* Fills the column `target` along a path, in its first cell. */
static void path_targets(const Work *work, const Path *path) {
  const size_t n = path->unroll->rows;
  const float lambda = (float)work->config->lambda;
  float *target = work->e->target + path->cell;
  float behind = following(work, path, n);
  for (size_t t = n; t-- > 0;) {
    float blend = (1 - lambda) * following(work, path, t + 1) + lambda * behind;
    behind = reward_at(work, path, t) + discount_at(work, path, t) * blend;
    target[t * work->N] = lambda > 0 ? behind : steps_target(work, path, t);
  }
}

/* Half the squared error, or linear beyond `edge`; *by: its derivative. */
static float loss_of(float error, float edge, float *by) {
  bool beyond = edge > 0 && fabsf(error) > edge;
  *by = beyond ? copysignf(edge, error) : error;
  return beyond ? edge * (fabsf(error) - 0.5f * edge) : 0.5f * error * error;
}

/* Whether row t of a path is learned from: somebody acted there. */
static bool counts(const Work *work, const Path *path, size_t t) {
  const bool *is_learned = work->e->is_learned + path->cell + t * work->N;
  for (size_t c = 0; t < path->unroll->rows && c < path->cells; c++)
    if (is_learned[c]) return true;
  return false;
}

/* Whether an agent, `at` in the pass, made the choice that is best by Q. */
static bool chose_best(const Work *work, size_t at) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  const float *q = pass->logits + at * space->width;
  const uint8_t *mask = pass->mask + at * space->choices;
  const AgonAction *action = batch_action(work->batch, (size_t)pass->row_of[at]);
  for (size_t h = 0, from = 0; h < space->heads; from += space->head_size[h++])
    if (best_of(q + from, mask + from, space->head_size[h]) != (size_t)action[h].choice)
      return false;
  return true;
}

/* Whether all of a team, in team row r, that act made their best choices. */
static bool all_chose_best(const Work *work, size_t r) {
  for (size_t at = r * work->N; at < (r + 1) * work->N; at++)
    if (acts(work, at) && !chose_best(work, at)) return false;
  return true;
}

/* How much a row counts, whose value is `error` above its target. */
static float weight_of(const Work *work, size_t at, float error, float target) {
  bool in_full = true;
  if (!work->star.q) return 1;
  if (work->config->weighting == WEIGHT_OPTIMIST)
    in_full = error < 0;
  else
    in_full = target > work->worth[at] || all_chose_best(work, at);
  return in_full ? 1 : (float)work->config->alpha;
}

/* The errors of an unroll's rows that count. */
typedef struct Errors {
  float most, sum;
  size_t rows;
} Errors;

static void note_error(Errors *errors, float error) {
  const float size = fabsf(error);
  if (size > errors->most) errors->most = size;
  errors->sum += size;
  errors->rows++;
}

/* The loss of row t, if it counts, and what it asks of the values; `share`: how much the unroll
 * counts. With weights the error that is noted is that of Q*: values of joint choices that are
 * meant to be undervalued keep an error for ever. */
static void row_loss(const Work *work, const Path *path, size_t t, float share, LossSums *sums,
                     Errors *errors) {
  const size_t at = path->at + t * path->step;
  const float edge = (float)work->config->huber;
  const float target = work->e->target[path->cell + t * work->N];
  const bool learned = counts(work, path, t);
  float by = 0;
  float by_star = 0;
  if (learned) {
    float error = work->value[at] - target;
    float weight = share * weight_of(work, at, error, target);
    sums->value += weight * loss_of(error, edge, &by);
    sums->rows += share;
    by *= weight;
    note_error(errors, work->star.q ? work->star_value[at] - target : error);
  }
  if (learned && work->star.q) {
    sums->value += share * loss_of(work->star_value[at] - target, edge, &by_star);
    by_star *= share;
  }
  work->value[at] = by;
  if (work->star.q) work->star_value[at] = by_star;
}

static void path_losses(const Work *work, const Path *path, LossSums *sums, Errors *errors) {
  const float *weight = work->e->weight;
  const float share = weight ? weight[path->unroll - work->batch->unroll] : 1;
  if (!work->mixes) wait_through(work, path);
  path_targets(work, path);
  for (size_t t = 0; t < unroll_span(path->unroll); t++)
    row_loss(work, path, t, share, sums, errors);
}

/* Whoever draws by errors is told those of an unroll. */
static void tell_errors(const Work *work, const Unroll *unroll, const Errors *errors) {
  float *out = work->e->error;
  if (!out) return;
  out += 2 * (unroll - work->batch->unroll);
  out[0] = errors->most;
  out[1] = errors->rows ? errors->sum / (float)errors->rows : 0;
}

/* The losses of an unroll that begins at step t of unit b. */
static void unroll_losses(const Work *work, const Unroll *unroll, size_t t, size_t b,
                          LossSums *sums) {
  const size_t paths = work->mixes ? 1 : work->N;
  const bool mean = work->mixes && work->config->team_reward == REWARD_MEAN;
  Errors errors = {0};
  for (size_t p = 0; p < paths; p++) {
    const Path path = {
        .unroll = unroll,
        .at = (t * work->units + b) * paths + p,
        .step = work->units * paths,
        .cell = unroll->first * work->N + p,
        .cells = work->mixes ? work->N : 1,
        .share = mean ? 1.0f / (float)batch_members(work->batch, unroll) : 1.0f,
    };
    path_losses(work, &path, sums, &errors);
  }
  tell_errors(work, unroll, &errors);
}

/* Of padding. */
static void ask_nothing(const Work *work, size_t at, size_t paths) {
  memset(work->value + at, 0, paths * sizeof(float));
  if (work->star.q) memset(work->star_value + at, 0, paths * sizeof(float));
}

/* Of all unrolls: they lie one behind another in each unit, and behind them padding, of which
 * nothing is asked. */
static void losses(const Work *work, LossSums *sums) {
  const size_t paths = work->mixes ? 1 : work->N;
  for (size_t b = 0; b < work->units; b++) {
    size_t t = 0;
    while (t < work->pass->sequences->T) {
      int32_t cell = work->pass->row_of[(t * work->units + b) * work->N];
      if (cell < 0) {
        ask_nothing(work, (t++ * work->units + b) * paths, paths);
        continue;
      }
      const Unroll *unroll = batch_unroll_at(work->batch, (size_t)cell / work->N);
      INVARIANT(unroll->first == (size_t)cell / work->N);
      unroll_losses(work, unroll, t, b, sums);
      t += unroll_span(unroll);
    }
  }
}

/* --- backward --- */

/* Derivatives by the cells' values (rows), of those by the paths', through the mixer that is part
 * `i`. */
static const float *unmix_by(const Work *work, size_t i, const float *by_path) {
  const PassPart *part = &work->pass->part[i];
  const Mixer *mixer = mixer_of(work, i);
  mixer_backward(mixer, part->block, part->packed, part->gradient, part->space, work->teams,
                 by_path, NULL, NULL);
  return part->space->grad[mixer->q];
}

/* What each agent's value is asked goes to what it chose; the network's own value is none. */
static void spread_gradient(const Work *work, const float *by_cell) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  const bool summed = work->mixes && !work->mixer;
  memset(pass->d_logits, 0, pass->rows * space->width * sizeof(float));
  for (size_t at = 0; at < pass->rows; at++) {
    if (!acts(work, at)) continue;
    const AgonAction *action = batch_action(work->batch, (size_t)pass->row_of[at]);
    float by = by_cell[summed ? at / work->N : at];
    for (size_t h = 0, from = 0; h < space->heads; from += space->head_size[h++])
      pass->d_logits[at * space->width + from + (size_t)action[h].choice] = by;
  }
  memset(pass->d_value, 0, pass->rows * sizeof(float));
}

/* Back through the networks of Q*. */
static void backward_star(const Work *work) {
  const Pass *pass = work->pass;
  const PassPart *part = &pass->part[PART_STAR];
  spread_gradient(work, unmix_by(work, PART_STAR_MIXER, work->star_value));
  net_backward(pass->net, part->block, part->packed, part->gradient, part->space, pass->sequences,
               pass->d_logits, pass->d_value, NULL, NULL);
}

/* Forward, one value of each path, its loss, and back. */
static void learn(const Pass *pass, bool mixes, LossSums *sums) {
  const Work work = open_work(pass, mixes);
  forward(&work);
  pass_charge(pass, &pass->times->forward);
  for (size_t at = 0; at < pass->rows; at++)
    put_cell(&work, at);
  mix(&work);
  losses(&work, sums);
  pass_charge(pass, &pass->times->loss);
  const float *by = work.value;
  if (work.mixer) by = unmix_by(&work, work.first + PART_MIXER, by);
  if (work.star.q) backward_star(&work);
  spread_gradient(&work, by);
  net_backward(pass->net, pass->block, pass->packed, pass->gradient, pass->space, pass->sequences,
               pass->d_logits, pass->d_value, pass->done, pass->done_context);
  pass_charge(pass, &pass->times->backward);
}

static void iql_pass(const Pass *pass, LossSums *sums) {
  learn(pass, false, sums);
}

static void team_pass(const Pass *pass, LossSums *sums) {
  learn(pass, true, sums);
}

/* --- tables --- */

#define Q_TABLE                                                                                    \
  .file = "q.c", .config_size = sizeof(QConfig), .plan = q_plan, .targets = q_targets,             \
  .stepped = q_stepped, .explore = q_explore

const AlgoOps algo_iql = {
    .name = "iql",
    .summary = "values of choices, each agent by itself, from kept experience",
    .options = iql_options,
    .option_count = COUNT_OF(iql_options),
    .needs = q_needs,
    .parts = q_parts,
    .pass = iql_pass,
    Q_TABLE,
};

const AlgoOps algo_vdn = {
    .name = "vdn",
    .summary = "values of choices whose sum is the team's, from kept experience",
    .options = vdn_options,
    .option_count = COUNT_OF(vdn_options),
    .needs = q_needs,
    .parts = q_parts,
    .pass = team_pass,
    Q_TABLE,
};

const AlgoOps algo_qmix = {
    .name = "qmix",
    .summary = "values of choices, mixed monotonously into the team's, from kept experience",
    .options = mixed_options,
    .option_count = COUNT_OF(mixed_options),
    .needs = mixed_needs,
    .parts = qmix_parts,
    .pass = team_pass,
    Q_TABLE,
};

const AlgoOps algo_qplex = {
    .name = "qplex",
    .summary = "values of choices and advantages, mixed into the team's, from kept experience",
    .options = mixed_options,
    .option_count = COUNT_OF(mixed_options),
    .needs = mixed_needs,
    .parts = qplex_parts,
    .pass = team_pass,
    Q_TABLE,
};

const AlgoOps algo_wqmix = {
    .name = "wqmix",
    .summary = "qmix that learns most from joint choices it undervalues, from kept experience",
    .options = weighted_options,
    .option_count = COUNT_OF(weighted_options),
    .needs = mixed_needs,
    .parts = weighted_parts,
    .pass = team_pass,
    Q_TABLE,
};
