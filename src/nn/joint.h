/* Critics of joint actions: what a state is worth to one agent of a team when each of its agents
 * does what it does, Q_i(x, a_1 .. a_N) (Lowe et al., arXiv 1706.02275). Used while learning, never
 * for acting. What the agents do are numbers, a one-hot where they choose, and the backward pass
 * tells how the value changes by each of them.
 *
 *   Q = (dense layers of net.hidden over [a_1 .. a_N | x | i]) w + b, in the unit of returns
 *
 * Either one set of weights values for all agents, which are told apart by i, a one-hot; or each
 * agent has weights of its own. Rows: R team steps, once for each agent: those of agent i are rows
 * i * R to (i + 1) * R - 1. */
#pragma once
#include "nn/net.h"

/* What the critics see. */
typedef struct JointShape {
  size_t agents;  /* N */
  size_t actions; /* numbers of a joint action */
  size_t state;   /* of x */
  bool shared;    /* one set of weights for all agents */
} JointShape;

typedef struct Joint {
  Graph graph; /* cells 1: it knows of no teams; copies: sets of weights, one behind another */
  JointShape shape;
  NetConfig config;
  int actions;      /* tensor (N R, actions), whose gradient the backward pass leaves */
  int state;        /* tensor (N R, state) */
  int agent;        /* tensor (N R, N); -1: not read */
  int value;        /* tensor (N R, 1), in real units */
  size_t return_at; /* in the first copy: mean and standard deviation of the value targets */
  size_t stride;    /* floats from one copy to the next: parameters, then constants */
  size_t trained;   /* floats up to the end of the last copy's parameters */
  size_t block;     /* floats of all copies */
} Joint;

/* Of `config` hidden, activation, layer_norm, init_gain and precision are taken. ERR_USAGE: nothing
 * to value, or too many layers; ERR_MEMORY. On failure nothing is left. */
Status joint_create(const NetConfig *config, const JointShape *shape, Joint **out);
/* Accepts NULL. */
void joint_destroy(Joint *joint);
/* A block at the start: orthogonal, biases 0; the value's head is small, so that what nobody has
 * learned yet pushes no action. rng: a stream of this block alone. */
void joint_init(const Joint *joint, AgonRng *rng, float *block);
/* Says in space whose the rows of R team steps are; states and actions are for the caller to fill.
 */
void joint_load(const Joint *joint, size_t R, Activations *space);
/* The values of R team steps to space->value[value]. packed: each copy's of graph_pack behind the
 * one before, of training. */
void joint_forward(const Joint *joint, const float *block, const float *packed, Activations *space,
                   size_t R);
/* After joint_forward with the same rows; space->grad[value] is set for all of them. Adds to
 * gradient (trained), unless it is NULL; space->grad[actions] is what the actions get. */
void joint_backward(const Joint *joint, const float *block, const float *packed, float *gradient,
                    Activations *space, size_t R);
