#include "nn/joint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Dense layers over all inputs side by side, and the value. */
static void build(Joint *joint) {
  const JointShape *shape = &joint->shape;
  const NetConfig *config = &joint->config;
  const Activation act = (Activation)(config->activation + 1);
  Graph *graph = &joint->graph;
  graph_begin(graph, shape->actions);
  joint->actions = 0;
  graph_want_gradient(graph, joint->actions);
  joint->state = graph_input(graph, shape->state, LEVEL_AGENT);
  joint->agent = shape->shared ? graph_input(graph, shape->agents, LEVEL_AGENT) : -1;
  const int parts[] = {joint->actions, joint->state, joint->agent};
  int at = graph_join(graph, parts, shape->shared ? 3 : 2);
  for (size_t i = 0; i < config->hidden.count; i++) {
    char name[32];
    snprintf(name, sizeof name, "dense%zu", i);
    at = graph_dense(graph, name, at, (size_t)config->hidden.item[i], act);
    snprintf(name, sizeof name, "norm%zu", i);
    if (config->layer_norm) at = graph_norm(graph, name, at);
  }
  joint->value = graph_rescale(graph, graph_dense(graph, "value", at, 1, ACT_NONE), 0);
}

/* The unit of returns is all that nobody trains. */
static size_t find_unit(const Graph *graph) {
  size_t at = 0;
  for (size_t i = 0; i < graph->ops; i++)
    if (graph->op[i].ops == &op_rescale) at = graph->op[i].bias;
  return at;
}

Status joint_create(const NetConfig *config, const JointShape *shape, Joint **out) {
  Joint *joint;
  if (shape->agents == 0 || shape->actions == 0 || shape->state == 0)
    return status_set(ERR_USAGE, "critic: without agents, actions or a state there is nothing to "
                                 "value");
  TRY_RETURN(NEW_ARRAY(joint, 1));
  joint->config = *config;
  joint->shape = *shape;
  build(joint);
  if (joint->value < 0) {
    joint_destroy(joint);
    return status_set(ERR_USAGE, "critic: too many layers");
  }
  Graph *graph = &joint->graph;
  graph->bf16 = config->precision == 1;
  graph->copies = shape->shared ? 1 : shape->agents;
  graph_finish(graph);
  joint->return_at = find_unit(graph);
  joint->stride = graph->params + graph->constants;
  joint->block = graph->copies * joint->stride;
  joint->trained = joint->block - graph->constants;
  *out = joint;
  return OK;
}

void joint_destroy(Joint *joint) {
  free(joint);
}

static float gain_of(const void *context, const View *view) {
  const Joint *joint = context;
  return strcmp(view->name, "value.weight") ? (float)joint->config.init_gain : 0.1f;
}

void joint_init(const Joint *joint, AgonRng *rng, float *block) {
  for (size_t k = 0; k < joint->graph.copies; k++)
    graph_init(&joint->graph, block + k * joint->stride, gain_of, joint, rng);
}

void joint_load(const Joint *joint, size_t R, Activations *space) {
  const size_t N = joint->shape.agents;
  space->ones = false;
  if (joint->agent < 0) return;
  float *agent = space->value[joint->agent];
  memset(agent, 0, N * R * N * sizeof *agent);
  for (size_t row = 0; row < N * R; row++)
    agent[row * N + row / R] = 1;
}

/* A run of rows that one copy values, with the buffers from the first of them on. */
typedef struct Run {
  size_t copy;
  Activations space;
  Sequences rows;
} Run;

static Run run_of(const Joint *joint, size_t copy, const Activations *space, size_t R) {
  const Graph *graph = &joint->graph;
  const size_t rows = joint->shape.agents / graph->copies * R;
  const size_t first = copy * rows;
  Run run = {.copy = copy, .space = *space, .rows = {.B = rows, .T = 1}};
  for (int t = 0; t < graph->tensors; t++) {
    run.space.value[t] += first * graph->width[t];
    if (run.space.grad[t]) run.space.grad[t] += first * graph->width[t];
  }
  for (size_t i = 0; i < graph->ops; i++)
    run.space.keep[i] += first * graph->op[i].keep_width;
  return run;
}

void joint_forward(const Joint *joint, const float *block, const float *packed, Activations *space,
                   size_t R) {
  const Graph *graph = &joint->graph;
  for (size_t k = 0; k < graph->copies; k++) {
    Run run = run_of(joint, k, space, R);
    if (R == 0) break;
    graph_forward(graph, block + k * joint->stride, packed + k * graph->packed[true], &run.space,
                  &run.rows, NULL);
  }
}

void joint_backward(const Joint *joint, const float *block, const float *packed, float *gradient,
                    Activations *space, size_t R) {
  const Graph *graph = &joint->graph;
  for (size_t k = 0; k < graph->copies; k++) {
    Run run = run_of(joint, k, space, R);
    if (R == 0) break;
    graph_backward(graph, block + k * joint->stride, packed + k * graph->packed[true],
                   gradient ? gradient + k * joint->stride : NULL, &run.space, &run.rows, NULL,
                   NULL);
  }
}
