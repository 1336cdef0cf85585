#include "nn/critic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds an input, or -1 for one that has no columns: tensor 0 is the first that there is. */
static int add_input(Critic *critic, size_t width, Level level) {
  Graph *graph = &critic->graph;
  if (width == 0) return -1;
  if (graph->tensors) return graph_input(graph, width, level);
  graph_begin_team(graph, critic->shape.agents, width, level);
  return 0;
}

/* All inputs come first. */
static void add_inputs(Critic *critic) {
  const CriticShape *shape = &critic->shape;
  critic->observation = add_input(critic, shape->observation, LEVEL_AGENT);
  critic->agent_id = add_input(critic, shape->agent_id ? shape->agents : 0, LEVEL_AGENT);
  critic->alive = add_input(critic, shape->alive, LEVEL_AGENT);
  const size_t others = shape->agents > 1 ? shape->agents * shape->choices : 0;
  critic->choices = add_input(critic, others, LEVEL_AGENT);
  critic->state = add_input(critic, shape->state, LEVEL_TEAM);
}

/* By running moments, if the configuration says so. */
static int normalised(Critic *critic, int in) {
  bool wanted = critic->config.normalise_observations && in >= 0;
  return wanted ? graph_normalise(&critic->graph, in) : in;
}

/* What an agent has of its own, side by side; -1: nothing. */
static int own_columns(Critic *critic) {
  int parts[OP_INPUTS];
  size_t count = 0;
  if (critic->observation >= 0) parts[count++] = normalised(critic, critic->observation);
  if (critic->agent_id >= 0) parts[count++] = critic->agent_id;
  if (critic->alive >= 0) parts[count++] = critic->alive;
  if (critic->choices >= 0) parts[count++] = critic->choices;
  if (count == 0) return -1;
  return count == 1 ? parts[0] : graph_join(&critic->graph, parts, count);
}

/* The first layer over both parts side by side, but that the state's product is made once a team
 * and not once an agent. */
static int first_layer(Critic *critic, int own, int state, size_t width, Activation act) {
  Graph *graph = &critic->graph;
  if (own < 0 || state < 0) return graph_dense(graph, "dense0", own < 0 ? state : own, width, act);
  int by_own = graph_dense(graph, "dense0", own, width, ACT_NONE);
  int by_state = graph_spread(graph, graph_product(graph, "state0", state, width));
  return graph_act(graph, graph_add_up(graph, (int[]){by_own, by_state}, 2), act);
}

/* Without dense layers the memory or the head reads the inputs. */
static int all_columns(Critic *critic, int own, int state) {
  if (own < 0 || state < 0) return own < 0 ? state : own;
  return graph_join(&critic->graph, (int[]){own, graph_spread(&critic->graph, state)}, 2);
}

/* Dense layers, each with its norm; returns the tensor of the last. */
static int build_trunk(Critic *critic) {
  const NetConfig *config = &critic->config;
  Graph *graph = &critic->graph;
  Activation act = (Activation)(config->activation + 1);
  int own = own_columns(critic);
  int state = normalised(critic, critic->state);
  if (config->hidden.count == 0) return all_columns(critic, own, state);
  int at = -1;
  for (size_t i = 0; i < config->hidden.count; i++) {
    size_t width = (size_t)config->hidden.item[i];
    char name[32];
    snprintf(name, sizeof name, "dense%zu", i);
    at = i == 0 ? first_layer(critic, own, state, width, act)
                : graph_dense(graph, name, at, width, act);
    snprintf(name, sizeof name, "norm%zu", i);
    if (config->layer_norm) at = graph_norm(graph, name, at);
  }
  return at;
}

/* Memory and head are of agents, whatever the layers before them were of. */
static void build(Critic *critic) {
  const NetConfig *config = &critic->config;
  Graph *graph = &critic->graph;
  size_t memory = (size_t)config->memory_size;
  add_inputs(critic);
  int at = build_trunk(critic);
  if (at >= 0 && graph->level[at] == LEVEL_TEAM) at = graph_spread(graph, at);
  if (config->memory == 1) at = graph_gru(graph, "memory", at, memory);
  if (config->memory == 2) at = graph_lstm(graph, "memory", at, memory);
  const size_t choices = critic->shape.choices;
  critic->value = graph_dense(graph, "value", at, choices ? choices : 1, ACT_NONE);
  if (!choices) critic->value = graph_rescale(graph, critic->value, 0);
}

/* Where the numbers lie in the block that moments write, not gradients. */
static void find_constants(Critic *critic) {
  const Graph *graph = &critic->graph;
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    if (op->ops == &op_rescale) critic->return_at = op->bias;
    if (op->ops != &op_normalise) continue;
    bool state = op->in[0] == critic->state;
    *(state ? &critic->state_mean_at : &critic->observation_mean_at) = op->bias;
    *(state ? &critic->state_scale_at : &critic->observation_scale_at) = op->weight;
  }
}

Status critic_create(const NetConfig *config, const CriticShape *shape, Critic **out) {
  Critic *critic;
  if (shape->agents == 0) return status_set(ERR_USAGE, "critic: a team without agents");
  if (shape->state == 0 && shape->observation == 0)
    return status_set(ERR_USAGE, "critic: it needs the global state, or observations");
  TRY_RETURN(NEW_ARRAY(critic, 1));
  critic->config = *config;
  critic->shape = *shape;
  build(critic);
  if (critic->value < 0) {
    critic_destroy(critic);
    return status_set(ERR_USAGE, "critic: too many layers");
  }
  critic->graph.bf16 = config->precision == 1;
  graph_finish(&critic->graph);
  find_constants(critic);
  critic->block = critic->graph.params + critic->graph.constants;
  if (shape->choices) {
    critic->return_at = critic->block;
    critic->block += 2;
  }
  *out = critic;
  return OK;
}

void critic_destroy(Critic *critic) {
  free(critic);
}

/* As the policy's network has them; but choices begin with nearly the same value, as policies begin
 * nearly uniform: what a critic that has learned nothing makes of their differences would be
 * learned as if it meant something. */
static float gain_of(const void *context, const View *view) {
  const Critic *critic = context;
  if (critic->shape.choices && !strcmp(view->name, "value.weight")) return 0.01f;
  if (!strcmp(view->name, "value.weight") || strstr(view->name, "memory")) return 1.0f;
  return (float)critic->config.init_gain;
}

/* A view that is there for certain. */
static const View *find_view(const Graph *graph, const char *name) {
  const View *view = graph->view;
  while (strcmp(view->name, name))
    view++;
  return view;
}

/* The first layer's two parts are columns of one matrix, and that is to be orthogonal: each for
 * itself would make what comes out twice as large. */
static Status init_first_layer(const Critic *critic, AgonRng *rng, float *block) {
  const View *own = find_view(&critic->graph, "dense0.weight");
  const View *state = find_view(&critic->graph, "state0.weight");
  size_t K = own->shape[1];
  size_t S = state->shape[1];
  float *both;
  TRY_RETURN(NEW_ARRAY(both, own->shape[0] * (K + S)));
  init_orthogonal(both, own->shape[0], K + S, (float)critic->config.init_gain, rng);
  for (size_t n = 0; n < own->shape[0]; n++) {
    const float *row = both + n * (K + S);
    memcpy(block + own->offset + n * K, row, K * sizeof *row);
    memcpy(block + state->offset + n * S, row + K, S * sizeof *row);
  }
  free(both);
  return OK;
}

Status critic_init(const Critic *critic, AgonRng *rng, float *block) {
  bool two_parts = false;
  graph_init(&critic->graph, block, gain_of, critic, rng);
  for (size_t i = 0; i < critic->graph.ops; i++)
    two_parts |= critic->graph.op[i].ops == &op_product;
  block[critic->return_at] = 0;
  block[critic->return_at + 1] = 1;
  return two_parts ? init_first_layer(critic, rng, block) : OK;
}

/* Bytes or floats, as floats. */
static void load_observations(const Critic *critic, const void *rows, size_t R, float *to) {
  size_t count = R * critic->shape.observation;
  const uint8_t *bytes = rows;
  if (critic->shape.observation_type != AGON_U8) {
    memcpy(to, rows, count * sizeof *to);
    return;
  }
  for (size_t i = 0; i < count; i++)
    to[i] = (float)bytes[i];
}

void critic_load(const Critic *critic, const CriticInput *input, size_t R, Activations *space) {
  size_t N = critic->shape.agents;
  space->ones = false;
  if (critic->observation >= 0)
    load_observations(critic, input->observation, R, space->value[critic->observation]);
  if (critic->state >= 0)
    memcpy(space->value[critic->state], input->state,
           R / N * critic->shape.state * sizeof *input->state);
  for (size_t r = 0; critic->agent_id >= 0 && r < R; r++)
    for (size_t n = 0; n < N; n++)
      space->value[critic->agent_id][r * N + n] = r % N == n;
  for (size_t r = 0; critic->alive >= 0 && r < R; r++)
    space->value[critic->alive][r] = input->alive[r] != 0;
}

void critic_load_again(const Critic *critic, const Activations *from, size_t R,
                       Activations *space) {
  const int inputs[] = {critic->observation, critic->agent_id, critic->alive, critic->choices,
                        critic->state};
  space->ones = false;
  for (size_t i = 0; i < COUNT_OF(inputs); i++) {
    if (inputs[i] < 0) continue;
    const size_t rows = inputs[i] == critic->state ? R / critic->shape.agents : R;
    memcpy(space->value[inputs[i]], from->value[inputs[i]],
           rows * critic->graph.width[inputs[i]] * sizeof(float));
  }
}

void critic_forward(const Critic *critic, const float *block, const float *packed,
                    Activations *space, const Sequences *seq, float *value, float *state_out) {
  const float *unit = block + critic->return_at; /* mean and deviation */
  const float *out = space->value[critic->value];
  const size_t count = seq->B * seq->T * critic->graph.width[critic->value];
  graph_forward(&critic->graph, block, packed, space, seq, state_out);
  if (value && !critic->shape.choices) memcpy(value, out, count * sizeof *value);
  for (size_t i = 0; value && critic->shape.choices && i < count; i++)
    value[i] = out[i] * unit[1] + unit[0];
}

void critic_backward(const Critic *critic, const float *block, const float *packed, float *gradient,
                     Activations *space, const Sequences *seq, const float *d_value, GraphDone done,
                     void *context) {
  const size_t count = seq->B * seq->T * critic->graph.width[critic->value];
  const float deviation = critic->shape.choices ? block[critic->return_at + 1] : 1;
  float *grad = space->grad[critic->value];
  for (size_t i = 0; i < count; i++)
    grad[i] = d_value[i] * deviation;
  graph_backward(&critic->graph, block, packed, gradient, space, seq, done, context);
}
