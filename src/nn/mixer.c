#include "nn/mixer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keeps every lambda above 0 where the rest of it would round to 0. */
#define LEAST_KEY 1e-10f

const Option mixer_options[] = {MIXER_OPTIONS(MixerConfig, )};
const size_t mixer_option_count = COUNT_OF(mixer_options);

/* A network of the state that makes weights (a hyper-network). */
static int hyper(Mixer *mixer, const char *name, int in, size_t width, Activation act) {
  char hidden[24];
  snprintf(hidden, sizeof hidden, "%s_hidden", name);
  if (mixer->config.hyper_layers == 2)
    in = graph_dense(&mixer->graph, hidden, in, (size_t)mixer->config.hyper_hidden, ACT_RELU);
  return graph_dense(&mixer->graph, name, in, width, act);
}

/* What the state is worth, whatever is done: it has a hidden layer in any case. */
static int state_value(Mixer *mixer) {
  size_t width = (size_t)mixer->config.embed;
  int hidden = graph_dense(&mixer->graph, "v_hidden", mixer->seen, width, ACT_RELU);
  return graph_dense(&mixer->graph, "v", hidden, 1, ACT_NONE);
}

/* Weights that are never negative, and an activation that never falls. */
static int build_qmix(Mixer *mixer) {
  Graph *graph = &mixer->graph;
  size_t E = (size_t)mixer->config.embed;
  int w1 = hyper(mixer, "w1", mixer->seen, mixer->shape.agents * E, ACT_ABS);
  int b1 = graph_dense(graph, "b1", mixer->seen, E, ACT_NONE);
  int w2 = hyper(mixer, "w2", mixer->seen, E, ACT_ABS);
  int mixed = graph_matvec(graph, mixer->q, w1, E);
  int hidden = graph_act(graph, graph_add_up(graph, (int[]){mixed, b1}, 2), ACT_ELU);
  int out = graph_matvec(graph, hidden, w2, 1);
  return graph_add_up(graph, (int[]){out, state_value(mixer)}, 2);
}

/* How much agent i's shortfall counts, by the state and what all do; column i of its tensor. */
static int build_lambda(Mixer *mixer) {
  Graph *graph = &mixer->graph;
  size_t heads = (size_t)mixer->config.heads;
  size_t width = heads * mixer->shape.agents;
  int both = graph_join(graph, (int[]){mixer->seen, mixer->actions}, 2);
  int key = hyper(mixer, "key", mixer->seen, heads, ACT_ABS);
  int by_state = hyper(mixer, "agents", mixer->seen, width, ACT_SIGMOID);
  int by_action = hyper(mixer, "actions", both, width, ACT_SIGMOID);
  key = graph_affine(graph, key, 1.0f, LEAST_KEY);
  return graph_matvec(graph, key, graph_mul(graph, by_state, by_action), mixer->shape.agents);
}

/* Written so that q_i gets the gradient of the plain sum, and lambda_i that of its shortfall. */
static int build_qplex(Mixer *mixer) {
  Graph *graph = &mixer->graph;
  int lambda = build_lambda(mixer);
  int less_best = graph_affine(graph, mixer->best, -1.0f, 0.0f);
  int shortfall = graph_stop(graph, graph_add_up(graph, (int[]){mixer->q, less_best}, 2));
  int weighted = graph_mul(graph, graph_affine(graph, lambda, 1.0f, -1.0f), shortfall);
  int plain = graph_sum(graph, mixer->q);
  int rest = graph_sum(graph, weighted);
  return graph_add_up(graph, (int[]){plain, rest, state_value(mixer)}, 3);
}

/* Dense layers over all there is. */
static int build_free(Mixer *mixer) {
  Graph *graph = &mixer->graph;
  const IntList *hidden = &mixer->config.free_hidden;
  int at = graph_join(graph, (int[]){mixer->q, mixer->seen}, 2);
  for (size_t i = 0; i < hidden->count; i++) {
    char name[32];
    snprintf(name, sizeof name, "dense%zu", i);
    at = graph_dense(graph, name, at, (size_t)hidden->item[i], ACT_RELU);
  }
  return graph_dense(graph, "value", at, 1, ACT_NONE);
}

/* Inputs in the order in which whoever fills them thinks of them, then what is made of them. */
static void build(Mixer *mixer) {
  Graph *graph = &mixer->graph;
  const MixerShape *shape = &mixer->shape;
  bool qplex = mixer->kind == MIXER_QPLEX;
  graph_begin(graph, shape->agents);
  mixer->q = 0;
  mixer->state = mixer->best = mixer->actions = -1;
  graph_want_gradient(graph, mixer->q);
  if (mixer->kind != MIXER_VDN) mixer->state = graph_input(graph, shape->state, LEVEL_AGENT);
  if (qplex) mixer->best = graph_input(graph, shape->agents, LEVEL_AGENT);
  if (qplex) mixer->actions = graph_input(graph, shape->agents * shape->choices, LEVEL_AGENT);
  mixer->seen = mixer->state;
  if (mixer->config.state_norm && mixer->state >= 0)
    mixer->seen = graph_norm(graph, "state", mixer->state);
  switch (mixer->kind) {
  case MIXER_VDN: mixer->total = graph_sum(graph, mixer->q); break;
  case MIXER_QMIX: mixer->total = build_qmix(mixer); break;
  case MIXER_QPLEX: mixer->total = build_qplex(mixer); break;
  case MIXER_FREE: mixer->total = build_free(mixer); break;
  }
}

/* What the kind reads must be there. */
static Status check_shape(MixerKind kind, const MixerShape *shape) {
  if (shape->agents == 0) return status_set(ERR_USAGE, "mixer: a team without agents");
  if (kind != MIXER_VDN && shape->state == 0)
    return status_set(ERR_USAGE, "mixer: it needs the global state, which has no numbers here");
  if (kind == MIXER_QPLEX && shape->choices == 0)
    return status_set(ERR_USAGE, "mixer: QPLEX needs agents that choose between actions");
  return OK;
}

Status mixer_create(MixerKind kind, const MixerConfig *config, const MixerShape *shape,
                    Mixer **out) {
  Mixer *mixer;
  TRY_RETURN(check_shape(kind, shape));
  TRY_RETURN(NEW_ARRAY(mixer, 1));
  mixer->kind = kind;
  mixer->config = *config;
  mixer->shape = *shape;
  build(mixer);
  if (mixer->total < 0) {
    mixer_destroy(mixer);
    return status_set(ERR_USAGE, "mixer: too many layers");
  }
  graph_finish(&mixer->graph);
  mixer->block = mixer->graph.params + mixer->graph.constants;
  *out = mixer;
  return OK;
}

void mixer_destroy(Mixer *mixer) {
  free(mixer);
}

/* Hidden layers keep the size of what passes; those behind them give weights, which should be
 * small. */
static float gain_of(const void *context, const View *view) {
  const Mixer *mixer = context;
  if (!strcmp(view->name, "value.weight")) return 1.0f;
  bool hidden = strstr(view->name, "_hidden.") || mixer->kind == MIXER_FREE;
  return (float)(hidden ? mixer->config.init_gain : mixer->config.hyper_gain);
}

void mixer_init(const Mixer *mixer, AgonRng *rng, float *block) {
  graph_init(&mixer->graph, block, gain_of, mixer, rng);
}

/* Rows of ones where choices are. */
static void load_choices(const Mixer *mixer, const int32_t *choice, size_t R, float *actions) {
  size_t A = mixer->shape.choices;
  size_t cells = R * mixer->shape.agents;
  memset(actions, 0, cells * A * sizeof *actions);
  for (size_t i = 0; i < cells; i++)
    if (choice[i] >= 0) actions[i * A + (size_t)choice[i]] = 1;
}

void mixer_load(const Mixer *mixer, const MixerInput *input, size_t R, Activations *space) {
  size_t N = mixer->shape.agents;
  size_t S = mixer->shape.state;
  space->ones = false;
  memcpy(space->value[mixer->q], input->q, R * N * sizeof *input->q);
  if (mixer->state >= 0)
    memcpy(space->value[mixer->state], input->state, R * S * sizeof *input->state);
  if (mixer->best >= 0) memcpy(space->value[mixer->best], input->best, R * N * sizeof *input->best);
  if (mixer->actions >= 0) load_choices(mixer, input->choice, R, space->value[mixer->actions]);
}

void mixer_forward(const Mixer *mixer, const float *block, const float *packed, Activations *space,
                   size_t R, float *total) {
  const Sequences rows = {.B = R, .T = 1};
  graph_forward(&mixer->graph, block, packed, space, &rows, NULL);
  if (total) memcpy(total, space->value[mixer->total], R * sizeof *total);
}

void mixer_backward(const Mixer *mixer, const float *block, const float *packed, float *gradient,
                    Activations *space, size_t R, const float *d_total, GraphDone done,
                    void *context) {
  const Sequences rows = {.B = R, .T = 1};
  memcpy(space->grad[mixer->total], d_total, R * sizeof *d_total);
  graph_backward(&mixer->graph, block, packed, gradient, space, &rows, done, context);
}
