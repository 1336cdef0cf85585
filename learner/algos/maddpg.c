/* Deterministic policies by the gradients of critics that see what all of a team do, from kept
 * experience (Lowe et al., arXiv 1706.02275). Of agent i, with x what the team knows together:
 *
 *   critic    Q_i(x, a_1 .. a_N) towards  r_i + gamma Q'_i(x', mu'_1(o'_1) .. mu'_N(o'_N))
 *   policy    along  d mu_i(o_i) / d theta  d Q_i(x, a_1 .. mu_i(o_i) .. a_N) / d a_i
 *
 * where primes are copies that follow slowly, and what others do stands in the experience. Behind
 * the end of an episode nothing follows; a time limit is no end.
 *
 * maddpg has one critic of each agent. matd3 has two, of which the smaller one says what follows;
 * there is noise on what the copies of policies do there, and policies move at every other step
 * only (Fujimoto et al., arXiv 1802.09477).
 *
 * An action that is numbers is the tanh of the outputs, with noise while experience is made. One
 * that is a choice is drawn from their softmax, here as there: as the largest of outputs to which
 * Gumbel noise is added. The critic sees it as a one-hot, and the gradient passes as if it were the
 * softmax of the same sums (straight through: Jang et al., arXiv 1611.01144). An agent that does
 * not act does nothing, all zeros, and what its position is worth is learned as long as it has
 * acted before.
 *
 * Rows hold what one team sees and does. Opponents are part of its world: what they see is in the
 * global state, if the game tells it, and what they do is not known. That is what a league needs,
 * in which they change from game to game. */
#include "base/invariant.h"
#include "learner/algos/algo.h"
#include "learner/train/off_policy.h"
#include "nn/joint.h"

#include <math.h>
#include <string.h>

enum { REWARD_OWN, REWARD_SUM, REWARD_MEAN };
enum { SEES_STATE, SEES_TEAM, SEES_BOTH };

typedef struct MaddpgConfig {
  double noise, noise_end;
  int64_t noise_frames;
  double tau;
  int64_t target_every;
  int reward;       /* REWARD_OWN, ... */
  int critic_input; /* SEES_STATE, ... */
  IntList critic_hidden;
  bool critic_shared;
  bool normalise_values;
  double temperature;
  double output_cost;
  double target_noise, target_clip; /* MATD3's, as what follows; else 0 */
  int64_t policy_every;             /* else 0, which is read as 1 */
} MaddpgConfig;

#define COMMON_OPTIONS(NOISE, NOISE_END)                                                           \
  {"noise",                                                                                        \
   OPT_FLOAT,                                                                                      \
   offsetof(MaddpgConfig, noise),                                                                  \
   NOISE,                                                                                          \
   0,                                                                                              \
   10,                                                                                             \
   NULL,                                                                                           \
   "half-ranges",                                                                                  \
   "actions that are numbers: deviation of what is added to them as experience is made, at the "   \
   "start. Choices are drawn by their probabilities instead"},                                     \
      {"noise_end", OPT_FLOAT,     offsetof(MaddpgConfig, noise_end),    NOISE_END, 0, 10,         \
       NULL,        "half-ranges", "the same at the end of noise_frames"},                         \
      {"noise_frames", OPT_INT,  offsetof(MaddpgConfig, noise_frames),                             \
       "50000",        0,        OPTION_NO_LIMIT,                                                  \
       NULL,           "frames", "of the run, in which it goes there in a straight line"},         \
      {"tau",                                                                                      \
       OPT_FLOAT,                                                                                  \
       offsetof(MaddpgConfig, tau),                                                                \
       "0.01",                                                                                     \
       0,                                                                                          \
       1,                                                                                          \
       NULL,                                                                                       \
       "",                                                                                         \
       "share by which target networks move towards the present ones each time that the policy "   \
       "is stepped; 0: every target_every steps they become them instead"},                        \
      {"target_every", OPT_INT, offsetof(MaddpgConfig, target_every),   "200", 1, OPTION_NO_LIMIT, \
       NULL,           "steps", "of the optimiser, read where tau is 0"},                          \
      {"reward",                                                                                   \
       OPT_CHOICE,                                                                                 \
       offsetof(MaddpgConfig, reward),                                                             \
       "own",                                                                                      \
       0,                                                                                          \
       0,                                                                                          \
       "own|sum|mean",                                                                             \
       "",                                                                                         \
       "what an agent's critic learns: the rewards of that agent, or their sum or mean over its "  \
       "team. mean: the sum, divided by how many agents the team has in the game, with those "     \
       "that are out or that an episode begins without, as in stages of a curriculum"},            \
      {"critic_input",                                                                             \
       OPT_CHOICE,                                                                                 \
       offsetof(MaddpgConfig, critic_input),                                                       \
       "state",                                                                                    \
       0,                                                                                          \
       0,                                                                                          \
       "state|team|state+team",                                                                    \
       "",                                                                                         \
       "what critics see beside the actions: the game's global state (where it tells none, what "  \
       "all of the team see), what all of the team see, or both"},                                 \
      {"critic_hidden",                                                                            \
       OPT_INTS,                                                                                   \
       offsetof(MaddpgConfig, critic_hidden),                                                      \
       "[]",                                                                                       \
       1,                                                                                          \
       16384,                                                                                      \
       NULL,                                                                                       \
       "units",                                                                                    \
       "widths of the critics' dense layers; empty: as net.hidden. They have no convolutions and " \
       "no memory"},                                                                               \
      {"critic_shared",                                                                            \
       OPT_BOOL,                                                                                   \
       offsetof(MaddpgConfig, critic_shared),                                                      \
       "false",                                                                                    \
       0,                                                                                          \
       0,                                                                                          \
       NULL,                                                                                       \
       "",                                                                                         \
       "agents of a team have one critic, which is told whom it values; false: each has its own"}, \
      {"normalise_values",                                                                         \
       OPT_BOOL,                                                                                   \
       offsetof(MaddpgConfig, normalise_values),                                                   \
       "true",                                                                                     \
       0,                                                                                          \
       0,                                                                                          \
       NULL,                                                                                       \
       "",                                                                                         \
       "critics learn in units of the running deviation (learner.return_decay) of the discounted " \
       "rewards that kept episodes, or pieces of them, hold; net.normalise_returns is of the "     \
       "policy's own value head, which learns nothing here"},                                      \
      {"temperature",                                                                              \
       OPT_FLOAT,                                                                                  \
       offsetof(MaddpgConfig, temperature),                                                        \
       "1",                                                                                        \
       0.01,                                                                                       \
       100,                                                                                        \
       NULL,                                                                                       \
       "",                                                                                         \
       "choices: of the softmax that the gradient passes through; higher is smoother"},            \
  {                                                                                                \
    "output_cost", OPT_FLOAT, offsetof(MaddpgConfig, output_cost), "0.001", 0, OPTION_NO_LIMIT,    \
        NULL, "",                                                                                  \
        "weight of the mean square of the policy's outputs in its loss, in units of returns: it "  \
        "keeps choices undecided and numbers away from the ends where they differ little"          \
  }

static const Option maddpg_options[] = {COMMON_OPTIONS("0.3", "0.05")};
static const Option matd3_options[] = {
    COMMON_OPTIONS("0.1", "0.1"),
    {"target_noise", OPT_FLOAT, offsetof(MaddpgConfig, target_noise), "0.2", 0, 10, NULL,
     "half-ranges",
     "deviation of the noise on numbers that the policy's copy gives, where targets are made"},
    {"target_clip", OPT_FLOAT, offsetof(MaddpgConfig, target_clip), "0.5", 0, 10, NULL,
     "half-ranges", "most that this noise may be"},
    {"policy_every", OPT_INT, offsetof(MaddpgConfig, policy_every), "2", 1, 1 << 20, NULL, "steps",
     "of the optimiser for one of the policy and of the copies"},
};

/* A player's parts besides its policy: the policy's copy, a critic and its copy; the second ones of
 * MATD3. */
enum { PART_TARGET, PART_CRITIC, PART_CRITIC_TARGET, PART_TWIN, PART_TWIN_TARGET };

/* --- what is needed --- */

static void maddpg_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  const MaddpgConfig *config = own;
  out->rows = ROWS_TEAM;
  out->replay = REPLAY_EPISODES;
  out->rule = layout->action_kind == AGON_BOX ? RULE_SQUASHED : RULE_SOFTMAX;
  out->global = config->critic_input != SEES_TEAM;
}

static void maddpg_plan(const void *own, AlgoPlan *out) {
  (void)own;
  out->sequences = true;
}

/* The policy's gradient takes another pass of the critics, forward and back to the actions: about
 * what one pass forward of all networks takes. */
static double maddpg_cost(const void *own, double forward, double train) {
  (void)own;
  return train + forward;
}

static double maddpg_explore(const void *own, double frames) {
  const MaddpgConfig *config = own;
  double whole = (double)config->noise_frames;
  double done = frames < whole ? frames / whole : 1;
  return config->noise + done * (config->noise_end - config->noise);
}

/* Of the optimiser's steps, every how manyeth is the policy's. */
static uint64_t policy_every(const MaddpgConfig *config) {
  return config->policy_every > 0 ? (uint64_t)config->policy_every : 1;
}

/* Whether the step that comes next is one of the policy's. */
static bool moves_policy(const Experience *e) {
  return (e->steps + 1) % policy_every(e->own) == 0;
}

static bool maddpg_rests(const Experience *e, size_t part) {
  return part == 0 && !moves_policy(e);
}

/* --- parts --- */

/* Numbers of one agent's action: a one for what it chooses, or the values themselves. */
static size_t action_width(const ActionSpace *space) {
  return space->kind == AGON_BOX ? space->heads : space->choices;
}

/* What a critic sees has a place for each side that a player may be on: one state is worth opposite
 * things to two sides, and each is read through weights of its own. */
static size_t sides_of(const Algo *algo) {
  return algo->sides ? algo->sides : 1;
}

/* Numbers of x that one side has: the global state, what its agents see. */
static size_t seen_by_side(const Algo *algo) {
  const MaddpgConfig *config = algo->own;
  const size_t state = config->critic_input == SEES_TEAM ? 0 : algo->format.global;
  const size_t team = format_cells(&algo->format) * algo->net->observation_count;
  return state + (config->critic_input == SEES_STATE ? 0 : team);
}

static Status init_critic(const AlgoPart *part, AgonRng *rng, float *block) {
  joint_init(part->made, rng, block);
  return OK;
}

static void destroy_critic(void *made) {
  joint_destroy(made);
}

/* A critic that is trained; or a copy, and of what (AlgoPart). Behind what sides see stands who is
 * in the game, and whose side it is. */
static Status add_critic(Algo *algo, const char *name, size_t copy_of) {
  const MaddpgConfig *config = algo->own;
  const size_t N = format_cells(&algo->format);
  NetConfig net = algo->net->config;
  Joint *joint;
  if (config->critic_hidden.count) net.hidden = config->critic_hidden;
  const JointShape shape = {
      .agents = N,
      .actions = sides_of(algo) * N * action_width(&algo->net->space),
      .state = sides_of(algo) * seen_by_side(algo) + N + algo->sides,
      .shared = config->critic_shared,
  };
  TRY_RETURN(joint_create(&net, &shape, &joint));
  AlgoPart *part = &algo->part[algo->parts++];
  *part = (AlgoPart){
      .name = name,
      .floats = joint->block,
      .graph = &joint->graph,
      .return_at = joint->return_at,
      .made = joint,
      .destroy = destroy_critic,
      .copy_of = copy_of,
  };
  if (copy_of != COPY_NONE) return OK;
  part->trained = joint->trained;
  part->init = init_critic;
  return OK;
}

static Status maddpg_parts(Algo *algo) {
  const MaddpgConfig *config = algo->own;
  const size_t teams = format_teams(&algo->format, NULL);
  const Net *net = algo->net;
  algo->sides = teams > 1 ? teams : 0;
  algo->scales_values = config->normalise_values;
  algo->part[algo->parts++] = (AlgoPart){
      .name = "target", .floats = net->block, .copy_of = COPY_POLICY, .graph = &net->graph};
  TRY_RETURN(add_critic(algo, "critic", COPY_NONE));
  return add_critic(algo, "critic_target", COPY_PART + PART_CRITIC);
}

static Status matd3_parts(Algo *algo) {
  TRY_RETURN(maddpg_parts(algo));
  TRY_RETURN(add_critic(algo, "twin", COPY_NONE));
  return add_critic(algo, "twin_target", COPY_PART + PART_TWIN);
}

/* The copies follow when the policy has moved. */
static void maddpg_stepped(const Experience *e) {
  const MaddpgConfig *config = e->own;
  const uint64_t every = config->tau > 0 ? policy_every(config) : (uint64_t)config->target_every;
  if (e->steps % every == 0) algo_follow(e, (float)config->tau);
}

/* --- rewards --- */

/* What the critic of cell c is told that a row has brought. */
static float reward_of(const Experience *e, const Unroll *unroll, size_t t, size_t c) {
  const MaddpgConfig *config = e->own;
  const size_t N = format_cells(&e->batch->format);
  const float *reward = e->batch->reward + (unroll->first + t) * N;
  float sum = 0;
  if (config->reward == REWARD_OWN) return reward[c];
  for (size_t i = 0; i < N; i++)
    sum += reward[i];
  return config->reward == REWARD_SUM ? sum : sum / (float)batch_members(e->batch, unroll);
}

/* Real targets rest on what target networks say, and are made in the pass. Here are discounted
 * rewards, as far as the experience goes: their spread is the unit of returns. */
static void maddpg_targets(const Experience *e) {
  const Batch *batch = e->batch;
  const size_t N = format_cells(&batch->format);
  memset(e->advantage, 0, batch->rows * N * sizeof *e->advantage);
  memset(e->target, 0, batch->rows * N * sizeof *e->target);
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    for (size_t c = 0; c < N; c++) {
      float sum = 0;
      for (size_t t = unroll->rows; t-- > 0;) {
        const size_t cell = (unroll->first + t) * N + c;
        sum = reward_of(e, unroll, t, c) + e->discount[cell] * sum;
        e->target[cell] = sum;
      }
    }
  }
}

/* --- a pass --- */

/* A pass, and what is made of it. Row `at` of the pass is cell at % N of team row at / N; a critic
 * has it in row (at % N) * teams + at / N (joint.h). */
typedef struct Work {
  const Pass *pass;
  const Experience *e;
  const MaddpgConfig *config;
  const Batch *batch;
  const Joint *joint;
  LossSums *sums;
  size_t N;        /* cells of a team row */
  size_t units;    /* sequences of team rows, side by side */
  size_t teams;    /* team rows */
  size_t A;        /* numbers of an agent's action */
  size_t critics;  /* 1, or 2 */
  uint64_t key[2]; /* of the noise in targets, and in the policy's own actions */
  float *worth;    /* (rows) by the critics' copies, of what the policy's copy does */
} Work;

enum { NOISE_TARGET, NOISE_OWN };

/* Both by what draws alike on any number of learner ranks. */
static void name_streams(Work *work) {
  const Experience *e = work->e;
  AgonRng rng = rng_stream(e->seed, e->player, (uint32_t)e->steps, RNG_NOISE);
  for (size_t i = 0; i < COUNT_OF(work->key); i++) {
    const uint64_t high = rng_next(&rng);
    work->key[i] = high << 32 | rng_next(&rng);
  }
}

static Work open_work(const Pass *pass, LossSums *sums) {
  const Experience *e = pass->experience;
  const size_t N = format_cells(&e->batch->format);
  Work work = {
      .pass = pass,
      .e = e,
      .config = e->own,
      .batch = e->batch,
      .joint = pass->algo->part[PART_CRITIC].made,
      .sums = sums,
      .N = N,
      .units = pass->sequences->B / N,
      .teams = pass->rows / N,
      .A = action_width(&pass->net->space),
      .critics = pass->algo->parts > PART_TWIN ? 2 : 1,
      .worth = pass->d_value,
  };
  name_streams(&work);
  return work;
}

/* The row of a critic that row `at` of the pass is. */
static size_t joint_row(const Work *work, size_t at) {
  return at % work->N * work->teams + at / work->N;
}

/* Whether there is an agent in row `at` of the pass that acts there. */
static bool acts(const Work *work, size_t at) {
  const int32_t cell = work->pass->row_of[at];
  return cell >= 0 && work->batch->flags[cell] & AGON_ACTS;
}

/* Whether the policy learns from row `at`. */
static bool is_learned(const Work *work, size_t at) {
  const int32_t cell = work->pass->row_of[at];
  return cell >= 0 && work->e->is_learned[cell];
}

/* How much a row counts. */
static float share_of(const Work *work, size_t at) {
  const float *weight = work->e->weight;
  const size_t row = (size_t)work->pass->row_of[at] / work->N;
  return weight ? weight[batch_unroll_at(work->batch, row) - work->batch->unroll] : 1;
}

/* The side that team row r is of. */
static size_t side_at(const Work *work, size_t r) {
  const Pass *pass = work->pass;
  return pass->side_of ? pass->side_of[pass->agent[r * work->N]] : 0;
}

/* What is drawn for the decision in row `at`. */
static AgonRng stream_at(const Work *work, size_t at, size_t which) {
  const size_t row = (size_t)work->pass->row_of[at] / work->N;
  const Unroll *unroll = batch_unroll_at(work->batch, row);
  const uint32_t step = unroll->step + (uint32_t)(row - unroll->first);
  return rng_decision(work->key[which], unroll->slot, unroll->episode, step, work->pass->agent[at]);
}

/* --- what critics see --- */

/* What an agent sees, of bytes or floats. */
static void put_observation(const Work *work, size_t cell, float *out) {
  const Net *net = work->pass->net;
  const size_t O = net->observation_count;
  const uint8_t *bytes = work->batch->observation + cell * work->batch->format.observation_bytes;
  if (net->observation_type != AGON_U8) {
    memcpy(out, bytes, O * sizeof *out);
    return;
  }
  for (size_t i = 0; i < O; i++)
    out[i] = (float)bytes[i];
}

/* What the team knows in team row r. */
static void put_state(const Work *work, size_t r, float *out) {
  const Algo *algo = work->pass->algo;
  const Batch *batch = work->batch;
  const size_t G = batch->format.global;
  const size_t O = algo->net->observation_count;
  const int32_t cell = work->pass->row_of[r * work->N];
  const size_t side = side_at(work, r);
  memset(out, 0, work->joint->shape.state * sizeof *out);
  if (cell < 0) return;
  float *seen = out + side * seen_by_side(algo);
  float *rest = out + sides_of(algo) * seen_by_side(algo);
  if (work->config->critic_input != SEES_TEAM) {
    memcpy(seen, batch->global + (size_t)cell / work->N * G, G * sizeof *seen);
    seen += G;
  }
  for (size_t c = 0; c < work->N; c++) {
    const size_t own = (size_t)cell + c;
    rest[c] = (batch->flags[own] & AGON_ALIVE) != 0;
    if (work->config->critic_input != SEES_STATE) put_observation(work, own, seen + c * O);
  }
  if (algo->sides) rest[work->N + side] = 1;
}

/* Into each critic and its copy, for each of the agents. */
static void put_states(const Work *work) {
  const size_t S = work->joint->shape.state;
  const size_t last = work->pass->algo->parts;
  for (size_t i = PART_CRITIC; i < last; i++) {
    Activations *space = work->pass->part[i].space;
    float *state = space->value[work->joint->state];
    const float *first = work->pass->part[PART_CRITIC].space->value[work->joint->state];
    joint_load(work->joint, work->teams, space);
    for (size_t r = 0; i == PART_CRITIC && r < work->teams; r++)
      put_state(work, r, state + r * S);
    for (size_t c = i == PART_CRITIC; c < work->N; c++)
      memcpy(state + c * work->teams * S, first, work->teams * S * sizeof *state);
  }
}

/* Where the action of row `at` lies in a critic's row (of any agent of the same team row). */
static float *action_at(const Work *work, float *actions, size_t row, size_t at) {
  const size_t place = side_at(work, at / work->N) * work->N + at % work->N;
  return actions + row * work->joint->shape.actions + place * work->A;
}

/* The action of the experience as numbers. */
static void put_done(const Work *work, size_t at, float *out) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  const AgonAction *action = batch_action(work->batch, (size_t)pass->row_of[at]);
  for (size_t h = 0, from = 0; h < space->heads; from += space->head_size[h++])
    if (space->kind == AGON_BOX)
      out[h] = fminf(fmaxf(action[h].value, -1), 1);
    else
      out[from + (size_t)action[h].choice] = 1;
}

/* -log(-log(u)) is the noise by which the largest of sums is drawn as from a softmax. */
static float gumbel(AgonRng *rng) {
  const double u = rng_unit(rng) + 0x1p-33;
  return (float)-log(-log(u));
}

/* The largest of a head's available outputs with noise added: where it is, `size` if there is
 * none. soft, unless NULL, gets the softmax of the sums. */
static size_t draw_choice(const float *output, const uint8_t *mask, size_t size, float temperature,
                          AgonRng *rng, float *soft) {
  size_t best = size;
  float most = 0;
  float sum = 0;
  for (size_t i = 0; i < size; i++) {
    const float noisy = output[i] + gumbel(rng);
    if (soft) soft[i] = noisy;
    if (!mask[i] || (best < size && !(noisy > most))) continue;
    best = i;
    most = noisy;
  }
  for (size_t i = 0; soft && i < size; i++) {
    soft[i] = mask[i] ? expf((soft[i] - most) / temperature) : 0;
    sum += soft[i];
  }
  for (size_t i = 0; soft && sum > 0 && i < size; i++)
    soft[i] /= sum;
  return best;
}

/* A component of what the policy's copy does. */
static float draw_number(const MaddpgConfig *config, float output, AgonRng *rng) {
  const float limit = (float)config->target_clip;
  float noise = 0;
  if (config->target_noise > 0) noise = (float)config->target_noise * (float)rng_normal(rng);
  noise = fminf(fmaxf(noise, -limit), limit);
  return fminf(fmaxf(tanhf(output) + noise, -1), 1);
}

/* What the policy's copy does in row `at`, of its outputs there. */
static void put_next(const Work *work, size_t at, float *out) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  const float *output = pass->probability + at * space->width;
  const uint8_t *mask = pass->mask + at * space->choices;
  AgonRng rng = stream_at(work, at, NOISE_TARGET);
  for (size_t h = 0, from = 0; h < space->heads; from += space->head_size[h++]) {
    const size_t size = space->head_size[h];
    if (space->kind == AGON_BOX) {
      out[h] = mask[h] ? draw_number(work->config, output[h], &rng) : 0;
      continue;
    }
    const size_t choice = draw_choice(output + from, mask + from, size, 1, &rng, NULL);
    if (choice < size) out[from + choice] = 1;
  }
}

typedef void PutAction(const Work *work, size_t at, float *out);

/* Joint actions into a critic, for each of the agents; nobody's are zeros. */
static void put_actions(const Work *work, size_t part, PutAction *put) {
  float *actions = work->pass->part[part].space->value[work->joint->actions];
  const size_t wide = work->teams * work->joint->shape.actions;
  memset(actions, 0, wide * sizeof *actions);
  for (size_t at = 0; at < work->pass->rows; at++)
    if (acts(work, at)) put(work, at, action_at(work, actions, at / work->N, at));
  for (size_t c = 1; c < work->N; c++)
    memcpy(actions + c * wide, actions, wide * sizeof *actions);
}

/* The same that are in one critic already. */
static void put_same_actions(const Work *work, size_t from, size_t to) {
  const size_t count = work->N * work->teams * work->joint->shape.actions;
  const float *actions = work->pass->part[from].space->value[work->joint->actions];
  memcpy(work->pass->part[to].space->value[work->joint->actions], actions, count * sizeof *actions);
}

/* --- critics --- */

static const float *values_of(const Work *work, size_t part) {
  const PassPart *made = &work->pass->part[part];
  joint_forward(work->joint, made->block, made->packed, made->space, work->teams);
  return made->space->value[work->joint->value];
}

/* What each row is worth by the copies: of two, the smaller. */
static void look_ahead(Work *work) {
  const Pass *pass = work->pass;
  const PassPart *target = &pass->part[PART_TARGET];
  net_load_again(pass->net, pass->space, pass->rows, target->space);
  net_forward(pass->net, target->block, target->packed, target->space, pass->sequences,
              pass->probability, NULL, NULL);
  put_actions(work, PART_CRITIC_TARGET, put_next);
  const float *value = values_of(work, PART_CRITIC_TARGET);
  for (size_t at = 0; at < pass->rows; at++)
    work->worth[at] = value[joint_row(work, at)];
  if (work->critics < 2) return;
  put_same_actions(work, PART_CRITIC_TARGET, PART_TWIN_TARGET);
  value = values_of(work, PART_TWIN_TARGET);
  for (size_t at = 0; at < pass->rows; at++)
    work->worth[at] = fminf(work->worth[at], value[joint_row(work, at)]);
}

/* What has been seen of an unroll's errors: those of the first critic. */
typedef struct Errors {
  float most, sum;
  size_t cells;
} Errors;

/* A cell's losses: half of the squared error of each critic. */
static void cell_losses(const Work *work, size_t at, float target, float share, Errors *errors) {
  const Pass *pass = work->pass;
  const size_t row = joint_row(work, at);
  const float weight = share * pass->value_share;
  for (size_t i = 0; i < work->critics; i++) {
    Activations *space = pass->part[i ? PART_TWIN : PART_CRITIC].space;
    const float error = space->value[work->joint->value][row] - target;
    space->grad[work->joint->value][row] = weight * pass->value_weight * error;
    work->sums->value += weight * 0.5f * error * error;
    if (i) continue;
    errors->most = fmaxf(errors->most, fabsf(error));
    errors->sum += fabsf(error);
    errors->cells++;
  }
}

/* Of an unroll that lies in unit b from step t on. Its targets stay in the column `target`. */
static void unroll_losses(void *context, const Unroll *unroll, size_t t, size_t b) {
  const Work *work = context;
  const Experience *e = work->e;
  const size_t index = (size_t)(unroll - work->batch->unroll);
  const float share = e->weight ? e->weight[index] : 1;
  const size_t step = work->units * work->N;
  Errors errors = {0};
  for (size_t i = 0; i < unroll->rows; i++)
    for (size_t c = 0; c < work->N; c++) {
      const size_t at = (t + i) * step + b * work->N + c;
      const size_t cell = (size_t)work->pass->row_of[at];
      const bool over = i + 1 == unroll->rows && unroll->end == END_TERMINATED;
      const float next = over ? 0 : work->worth[at + step];
      if (!e->is_valued[cell]) continue;
      if (e->is_learned[cell]) work->sums->rows += share;
      e->target[cell] = reward_of(e, unroll, i, c) + e->discount[cell] * next;
      cell_losses(work, at, e->target[cell], share, &errors);
    }
  if (!e->error) return;
  e->error[2 * index] = errors.most;
  e->error[2 * index + 1] = errors.cells ? errors.sum / (float)errors.cells : 0;
}

/* Forward over what was done, losses, and back. */
static void learn_values(Work *work) {
  const Pass *pass = work->pass;
  const size_t rows = work->N * work->teams;
  put_actions(work, PART_CRITIC, put_done);
  if (work->critics > 1) put_same_actions(work, PART_CRITIC, PART_TWIN);
  for (size_t i = 0; i < work->critics; i++) {
    const size_t part = i ? PART_TWIN : PART_CRITIC;
    values_of(work, part);
    memset(pass->part[part].space->grad[work->joint->value], 0, rows * sizeof(float));
  }
  pass_charge(pass, &pass->times->forward);
  visit_unrolls(pass, unroll_losses, work);
  pass_charge(pass, &pass->times->loss);
  for (size_t i = 0; i < work->critics; i++) {
    const PassPart *part = &pass->part[i ? PART_TWIN : PART_CRITIC];
    joint_backward(work->joint, part->block, part->packed, part->gradient, part->space,
                   work->teams);
  }
  pass_charge(pass, &pass->times->backward);
}

/* --- policies --- */

/* What the policy does now in row `at`: into the critic, and, for the way back, the numbers
 * themselves or the softmax of the sums. */
static void put_own(const Work *work, size_t at, float *out) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  const float *output = pass->logits + at * space->width;
  const uint8_t *mask = pass->mask + at * space->choices;
  float *kept = pass->probability + at * space->width;
  const float temperature = (float)work->config->temperature;
  AgonRng rng = stream_at(work, at, NOISE_OWN);
  memset(out, 0, work->A * sizeof *out);
  for (size_t h = 0, from = 0; h < space->heads; from += space->head_size[h++]) {
    const size_t size = space->head_size[h];
    if (space->kind == AGON_BOX) {
      out[h] = kept[h] = mask[h] ? tanhf(output[h]) : 0;
      continue;
    }
    const size_t choice =
        draw_choice(output + from, mask + from, size, temperature, &rng, kept + from);
    if (choice < size) out[from + choice] = 1;
  }
}

/* Derivatives by a head's outputs, of those by its choices: as if these were the softmax. */
static void choice_back(const float *soft, const float *by_action, size_t size, float temperature,
                        float *d) {
  float mean = 0;
  for (size_t i = 0; i < size; i++)
    mean += soft[i] * by_action[i];
  for (size_t i = 0; i < size; i++)
    d[i] = soft[i] * (by_action[i] - mean) / temperature;
}

/* Adds what the size of row `at`'s outputs costs. */
static void cost_outputs(const Work *work, size_t at, float share, float *d) {
  const ActionSpace *space = &work->pass->net->space;
  const float *output = work->pass->logits + at * space->width;
  const uint8_t *mask = work->pass->mask + at * space->choices;
  const float each = share * (float)work->config->output_cost / (float)work->A;
  for (size_t i = 0; i < work->A; i++)
    if (mask[i]) {
      work->sums->policy += each * output[i] * output[i];
      d[i] += 2 * each * output[i];
    }
}

/* Derivatives by the outputs in row `at`, of those by its action. */
static void own_back(const Work *work, size_t at, const float *by_action) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  const float *kept = pass->probability + at * space->width;
  const uint8_t *mask = pass->mask + at * space->choices;
  float *d = pass->d_logits + at * space->width;
  for (size_t h = 0, from = 0; h < space->heads; from += space->head_size[h++])
    if (space->kind == AGON_BOX)
      d[h] = mask[h] ? by_action[h] * (1 - kept[h] * kept[h]) : 0;
    else
      choice_back(kept + from, by_action + from, space->head_size[h],
                  (float)work->config->temperature, d + from);
  cost_outputs(work, at, share_of(work, at), d);
}

/* How undecided choices are in row `at`; d_logits is scratch until then. */
static float entropy_at(const Work *work, size_t at) {
  const Pass *pass = work->pass;
  const ActionSpace *space = &pass->net->space;
  float *line = pass->d_logits + at * space->width;
  if (space->kind == AGON_BOX) return 0;
  dist_normalise(space, pass->logits + at * space->width, pass->mask + at * space->choices, line);
  return dist_entropy(space, line);
}

/* Each learned row's own action into its critic, in place of what was done, and of its value the
 * derivative that raises it. */
static void act_anew(const Work *work) {
  const Pass *pass = work->pass;
  const PassPart *critic = &pass->part[PART_CRITIC];
  float *actions = critic->space->value[work->joint->actions];
  float *by_value = critic->space->grad[work->joint->value];
  for (size_t at = 0; at < pass->rows; at++)
    if (is_learned(work, at)) put_own(work, at, action_at(work, actions, joint_row(work, at), at));
  const float *value = values_of(work, PART_CRITIC);
  for (size_t at = 0; at < pass->rows; at++) {
    const size_t row = joint_row(work, at);
    by_value[row] = 0;
    if (!is_learned(work, at)) continue;
    const float share = share_of(work, at);
    by_value[row] = -share / work->e->value_unit;
    work->sums->policy += by_value[row] * value[row];
    work->sums->entropy += share * entropy_at(work, at);
  }
}

/* Through the critic, whose weights stay as they are, into the policy. */
static void learn_policy(const Work *work) {
  const Pass *pass = work->pass;
  const PassPart *critic = &pass->part[PART_CRITIC];
  net_forward(pass->net, pass->block, pass->packed, pass->space, pass->sequences, pass->logits,
              NULL, NULL);
  pass_charge(pass, &pass->times->forward);
  act_anew(work);
  joint_backward(work->joint, critic->block, critic->packed, NULL, critic->space, work->teams);
  float *by_action = critic->space->grad[work->joint->actions];
  memset(pass->d_logits, 0, pass->rows * pass->net->space.width * sizeof *pass->d_logits);
  memset(pass->d_value, 0, pass->rows * sizeof *pass->d_value);
  for (size_t at = 0; at < pass->rows; at++)
    if (is_learned(work, at))
      own_back(work, at, action_at(work, by_action, joint_row(work, at), at));
  pass_charge(pass, &pass->times->loss);
  net_backward(pass->net, pass->block, pass->packed, pass->gradient, pass->space, pass->sequences,
               pass->d_logits, pass->d_value, pass->done, pass->done_context);
  pass_charge(pass, &pass->times->backward);
}

static void maddpg_pass(const Pass *pass, LossSums *sums) {
  Work work = open_work(pass, sums);
  put_states(&work);
  look_ahead(&work);
  learn_values(&work);
  if (moves_policy(work.e)) learn_policy(&work);
}

/* --- tables --- */

#define MADDPG_TABLE                                                                               \
  .file = "maddpg.c", .config_size = sizeof(MaddpgConfig), .needs = maddpg_needs,                  \
  .plan = maddpg_plan, .cost = maddpg_cost, .targets = maddpg_targets, .pass = maddpg_pass,        \
  .stepped = maddpg_stepped, .explore = maddpg_explore

const AlgoOps algo_maddpg = {
    .name = "maddpg",
    .summary = "policies by gradients of critics of joint actions, from kept experience",
    .options = maddpg_options,
    .option_count = COUNT_OF(maddpg_options),
    .parts = maddpg_parts,
    MADDPG_TABLE,
};

const AlgoOps algo_matd3 = {
    .name = "matd3",
    .summary = "maddpg with two critics, noise in targets and policies that move less often",
    .options = matd3_options,
    .option_count = COUNT_OF(matd3_options),
    .parts = matd3_parts,
    .rests = maddpg_rests,
    MADDPG_TABLE,
};
