/* Proximal policy optimisation (Schulman et al. 2017, eq. 7) with GAE or V-trace targets, clipped
 * values, and a stop when the policy has moved too far from the one that acted. */
#include "data/returns.h"
#include "learner/train/on_policy.h"

#include <math.h>

enum { TARGETS_GAE, TARGETS_VTRACE };

typedef struct PpoConfig {
  double clip, value_clip;
  double kl_stop;
  int64_t epochs, minibatches;
  int targets; /* TARGETS_GAE, ... */
  int rows;    /* RowKind */
} PpoConfig;

static const Option options[] = {
    {"clip", OPT_FLOAT, offsetof(PpoConfig, clip), "0.2", 0.001, 10, NULL, "",
     "largest change of a ratio that still earns"},
    {"value_clip", OPT_FLOAT, offsetof(PpoConfig, value_clip), "0", 0, OPTION_NO_LIMIT, NULL, "",
     "largest change of a value that still earns; 0 = off"},
    {"kl_stop", OPT_FLOAT, offsetof(PpoConfig, kl_stop), "0", 0, OPTION_NO_LIMIT, NULL, "",
     "ends the update when a minibatch's mean KL exceeds it; 0 = off"},
    {"epochs", OPT_INT, offsetof(PpoConfig, epochs), "4", 1, 100, NULL, "",
     "passes over each batch"},
    {"minibatches", OPT_INT, offsetof(PpoConfig, minibatches), "4", 1, 4096, NULL, "",
     "parts of a batch, one optimiser step each"},
    {"targets", OPT_CHOICE, offsetof(PpoConfig, targets), "gae", 0, 0, "gae|vtrace", "",
     "advantages and value targets; vtrace corrects for lag"},
    {"rows", OPT_CHOICE, offsetof(PpoConfig, rows), "agent", 0, 0, "agent|team", "",
     "agent: each agent's own decisions; team: steps of a team, at which also those are valued who "
     "wait or are out of the game (IPPO). With net.memory, memory stands still while an agent does "
     "not act, and its value then rests on what it saw before: mappo's critic has no such gap"},
};

/* V-trace needs what the present weights say of each row; GAE takes the values of when it acted.
 */
static void ppo_plan(const void *own, AlgoPlan *out) {
  const PpoConfig *config = own;
  out->epochs = (size_t)config->epochs;
  out->minibatches = (size_t)config->minibatches;
  out->evaluate = config->targets == TARGETS_VTRACE;
}

/* V-trace's targets. Its advantages are left unweighted: the ratio weights them when they are
 * stepped. */
static void vtrace_of(const Experience *e, const Trajectory *path) {
  float next = path->bootstrap;
  float *vs = path->target;
  returns_vtrace(path->reward, path->discount, path->value, next, path->log_rho, 1.0f, 1.0f,
                 (float)e->config->lambda, path->rows, vs, path->advantage);
  for (size_t t = path->rows; t-- > 0; next = vs[t])
    path->advantage[t] = path->reward[t] + path->discount[t] * next - path->value[t];
}

/* Advantages and value targets of a whole batch, once an update, before the first pass. */
static void ppo_targets(const Experience *e) {
  const PpoConfig *config = e->own;
  if (config->targets == TARGETS_VTRACE)
    follow_cells(e, e->value_now, vtrace_of);
  else
    targets_gae(e);
}

/* Rows of single agents, or of whole teams (IPPO: each agent by itself, but valued as long as its
 * team plays). */
static void ppo_needs(const void *own, const AgonKind *layout, AlgoNeeds *out) {
  const PpoConfig *config = own;
  (void)layout;
  out->rows = config->rows == ROWS_TEAM ? ROWS_TEAM : ROWS_AGENT;
}

/* The larger of the losses of the value, and of the value held near what it was when it acted. */
static void clip_value(const Experience *e, size_t row, float value, RowLoss *loss) {
  const PpoConfig *config = e->own;
  float old = e->value[row];
  float limit = (float)config->value_clip;
  float moved = value - old;
  float near = old + (moved < -limit ? -limit : moved > limit ? limit : moved);
  float error = value - e->target[row];
  float other = near - e->target[row];
  if (other * other <= error * error) return;
  loss->value_loss = 0.5f * other * other;
  loss->by_value = fabsf(moved) > limit ? 0.0f : other;
}

static RowLoss ppo_row(const Experience *e, size_t row, float log_prob, float value) {
  const PpoConfig *config = e->own;
  float error = value - e->target[row];
  RowLoss loss = loss_clipped(e, row, log_prob, (float)config->clip);
  loss.value_loss = 0.5f * error * error;
  loss.by_value = error;
  if (config->value_clip > 0) clip_value(e, row, value, &loss);
  return loss;
}

/* An update that has moved far enough ends early: the rest of its passes would learn from states
 * that the new policy hardly visits. */
static bool ppo_stop(const Experience *e, double mean_kl) {
  const PpoConfig *config = e->own;
  return config->kl_stop > 0 && mean_kl > config->kl_stop;
}

const AlgoOps algo_ppo = {
    .name = "ppo",
    .summary = "proximal policy optimisation",
    .options = options,
    .option_count = COUNT_OF(options),
    .config_size = sizeof(PpoConfig),
    .taught = true,
    .normalises = true,
    .needs = ppo_needs,
    .plan = ppo_plan,
    .targets = ppo_targets,
    .row = ppo_row,
    .stop = ppo_stop,
};
