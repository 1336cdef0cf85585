/* Critics for centralised training: one value for each agent of a team, of what the team knows
 * together - the global state - and of what the agent sees itself. Used while learning, never for
 * acting (Lowe et al., arXiv 1706.02275; MAPPO: Yu et al., arXiv 2103.01955).
 *
 *   h0 = act(W_own [observation | agent | alive] + W_state state + b)    the state's part once a
 * team h  = dense layers of net.hidden behind it, as in the policy's network value = (memory of h,
 * or h) w + b, in the unit of returns (graph_rescale)
 *
 * Where agents have nothing of their own (own = 0), the dense layers run once a team. Rows: R of
 * agents, team by team as graph.h says; R / N of teams. Sequences are of agents: their B counts
 * agents, and hold says who is out of the game. */
#pragma once
#include "agon/env.h"
#include "nn/net.h"

/* What a critic sees. */
typedef struct CriticShape {
  size_t agents;                /* N: rows of a team step */
  size_t state;                 /* floats of the global state; 0: it does not see it */
  size_t observation;           /* numbers of an agent's own observation; 0: likewise */
  AgonElement observation_type; /* of these */
  bool agent_id;                /* which of the team's agents it is, as N columns */
  bool alive;                   /* whether it is in the game, as a column */
  /* 0: one value of an agent's position. Else it has so many choices, and gets the value of each,
   * given what the others of its team chose. */
  size_t choices;
} CriticShape;

typedef struct Critic {
  Graph graph;
  CriticShape shape;
  NetConfig config;
  int state;                   /* tensor (R / N, state); -1: not seen */
  int observation;             /* tensor (R, observation); -1: likewise */
  int agent_id;                /* tensor (R, N); -1 */
  int alive;                   /* tensor (R, 1); -1 */
  int choices;                 /* tensor (R, N * choices): who chose what, own places 0; -1 */
  int value;                   /* tensor (R, 1), in real units; of choices (R, choices), in the
                                  unit of the value targets: (real - mean) / deviation */
  size_t state_mean_at;        /* normalise_observations: means of the state in the block, */
  size_t state_scale_at;       /* and their scales; 0 = off */
  size_t observation_mean_at;  /* the same of observations */
  size_t observation_scale_at; /* likewise */
  size_t return_at;            /* in the block: mean and standard deviation of the value targets */
  size_t block;                /* floats of a block: parameters (graph.params), then constants */
} Critic;

/* Of `config` hidden, activation, layer_norm, memory, memory_size, normalise_observations,
 * init_gain and precision are taken; convolutions are not. ERR_USAGE: the critic would see nothing,
 * or has too many layers; ERR_MEMORY. On failure nothing is left. */
Status critic_create(const NetConfig *config, const CriticShape *shape, Critic **out);
/* Accepts NULL. */
void critic_destroy(Critic *critic);
/* A block at the start: orthogonal, the value's head with gain 1 (of choices .01), biases 0;
 * normalisers and the value's unit change nothing. rng: a stream of this block alone, such as
 * rng_stream(seed, player, PART, RNG_INIT), where 0 is the policy's. ERR_MEMORY. */
Status critic_init(const Critic *critic, AgonRng *rng, float *block);

/* Rows of the inputs; those that the critic does not see may be NULL. */
typedef struct CriticInput {
  const float *state;      /* (R / N, state) */
  const void *observation; /* (R, observation), of observation_type */
  const uint8_t *alive;    /* (R): 1 in the game */
} CriticInput;

/* Brings R rows of agents into space (of activations_create(&critic->graph, at least R, ...)); what
 * others chose the caller puts into space->value[critic->choices]. */
void critic_load(const Critic *critic, const CriticInput *input, size_t R, Activations *space);
/* The R rows that were loaded into one space, with what others chose, for other weights. */
void critic_load_again(const Critic *critic, const Activations *from, size_t R, Activations *space);
/* Values (R), or (R, choices), in real units of the loaded rows; may be NULL. state_out: see
 * graph_forward. */
void critic_forward(const Critic *critic, const float *block, const float *packed,
                    Activations *space, const Sequences *seq, float *value, float *state_out);
/* d_value (R), or (R, choices), with respect to the real-unit value; adds to gradient
 * (graph.params). packed: of training. done: see graph_backward. */
void critic_backward(const Critic *critic, const float *block, const float *packed, float *gradient,
                     Activations *space, const Sequences *seq, const float *d_value, GraphDone done,
                     void *context);
