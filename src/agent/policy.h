/* What a player does, asked in one place. Whoever acts, walks a game tree or answers a query goes
 * through policy_decide: rows of observations in, what the network makes of them out. */
#pragma once
#include "agent/builtin.h"
#include "nn/net.h"

/* A network with the buffers that batched inference needs; W: outputs, S: floats of a memory. */
typedef struct Inference {
  const Net *net;
  size_t chunk; /* most rows at once */
  Activations space;
  float *logits;      /* (chunk, W) */
  float *probability; /* (chunk, W) */
  float *value;       /* (chunk) */
  float *memory_in;   /* (chunk, S) */
  float *memory_out;  /* (chunk, S) */
  uint8_t *mask;      /* (chunk, choices), with those of inner heads; where there are any */
  AgonAction *action; /* (chunk, heads) what was drawn */
  uint8_t *nobody;    /* (chunk) zeros; where agents tell one another something (net_talks) */
} Inference;

/* Buffers for `chunk` rows at once, or a few more: for whole teams, where the net wants them
 * (net_team). *out is the caller's (inference_destroy). The net is borrowed.
 * ERR_MEMORY, after which nothing needs freeing. */
Status inference_create(const Net *net, size_t chunk, Inference *out);
/* Accepts one that is all zero. */
void inference_destroy(Inference *inference);

/* Who acts: a net with a policy block, or a built-in. */
typedef struct Policy {
  uint32_t player;
  uint32_t life;
  uint64_t version;
  const float *block; /* borrowed; may be swapped between decisions */
  /* set by whoever changes the block or what it holds: it is packed anew before its next use */
  bool stale;
  BuiltinPolicy *builtin; /* or this */
  Inference *inference;   /* borrowed; NULL: that of whoever plays it */
  bool greedy;
  bool silent;   /* what its agents tell one another by the network (net_talks) is not heard */
  float *packed; /* its own: the block, in the order in which the kernels want it */
  /* turns of a step that it must decide; for who plays it (play_step) */
  size_t queued, queue_room;
  uint32_t *queue;
} Policy;

/* Frees the packed weights and the queue, which are made anew when they are needed; the block is
 * its owner's. */
void policy_release(Policy *policy);

/* Rows that a network must decide; all borrowed. */
typedef struct PolicyRows {
  size_t count;
  const void *observations; /* (count, observation_bytes), raw */
  const float *memory;      /* (count, S) before the decision; NULL where S is 0 */
  /* (count) Whose rows they are, for networks that ask (net_wants_agents) and for messages; NULL:
   * not known. */
  const uint32_t *agents;
  /* For networks whose agents tell one another something (net_talks): rows are of whole teams then,
   * a multiple of net_team of them, those of agents that are out of the game and of nobody (any
   * finite numbers) included. */
  const uint8_t *alive;   /* (count) 1: in the game */
  const float *positions; /* (count, 3); where net_wants_positions */
  /* Writes where a row comes from, for messages (" in slot 3, ..."). NULL: nothing to say. */
  void (*place)(const void *context, size_t row, char *out, size_t size);
  const void *context;
} PolicyRows;

/* What the network makes of them, into the caller's arrays. Each may be NULL: then it is not
 * computed. None may overlap the memory before the decision. */
typedef struct PolicyAnswer {
  float *logits; /* (count, W) as the network gives them: neither masked nor normalised */
  /* (count) In the unit of returns; where outputs are worths, those of the best choices, all taken
   * as available. */
  float *values;
  /* (count, S) moved on; what is done now is for the caller to put in (net_remember) */
  float *memory;
} PolicyAnswer;

/* The one path from observations to decisions: packs the weights if they are stale, and evaluates
 * the rows in chunks that `inference` holds. The policy is that of a network. ERR_ENV, before
 * anything is computed, if an observation is not finite: the message names element, agent and
 * place. ERR_INTERNAL if an output is not finite or too large to draw from: it names player,
 * version and output. ERR_MEMORY. */
Status policy_decide(Policy *policy, Inference *inference, const Env *env, const PolicyRows *rows,
                     const PolicyAnswer *answer);

/* Makes distributions of the first `count` rows of inference->logits, in place, and fills their
 * probabilities. masks: (count, choices of the net). Where outputs are worths, values become those
 * of the best choices that are available, and rows for which `explores` (count) says so explore as
 * the block says; the others, and all where it is NULL, take the best. So do those of squashed
 * outputs. */
void policy_normalise(const Policy *policy, Inference *inference, const uint8_t *masks,
                      const bool *explores, size_t count);
/* Whether chance has a part in a row's action. */
bool policy_draws(const Policy *policy, const Net *net, bool explores);
/* The masks (count, choices) of the net's heads, of those of the env (count, action_count): the
 * same, unless there are inner heads, of which all is allowed. Borrowed. */
const uint8_t *policy_masks(Inference *inference, const Env *env, const uint8_t *masks,
                            size_t count);
/* Draws the action of a row that policy_normalise has seen; a greedy policy takes the best. */
void policy_draw(const Policy *policy, const Inference *inference, size_t row, AgonRng *rng,
                 AgonAction *out);
/* The log-probability of an action, as drawn, in such a row. */
float policy_log_prob(const Inference *inference, size_t row, const AgonAction *action);

/* Whether the net can play that env: ERR_USAGE where it asks what the env does not tell. */
Status policy_check(const NetConfig *config, const Env *env);

/* Buffers for asking about positions of games that nobody plays here. */
typedef struct Evaluator {
  const Env *env; /* borrowed */
  size_t chunk;   /* most positions at once */
  uint8_t *observation, *mask;
  AgonAction *best; /* (heads) scratch */
  /* Of networks whose agents tell one another something, with a row for each agent of a team: */
  size_t rows; /* for which there is room below */
  uint32_t *agents;
  uint8_t *alive;
  float *positions; /* (rows, 3) */
  float *memory;    /* (rows, S) */
  size_t memory_room;
  uint8_t *flags; /* (agents of the env) */
} Evaluator;

/* *out is the caller's (evaluator_destroy). ERR_MEMORY, after which nothing needs freeing. */
Status evaluator_create(const Env *env, size_t chunk, Evaluator *out);
/* Accepts one that is all zero. */
void evaluator_destroy(Evaluator *evaluator);
/* What a policy would do: agents[i]'s view of episodes[i], evaluated together. rows (count,
 * policy_row_width): probabilities, head by head; BOX: means, then standard deviations, in the
 * env's unit, before what lies beyond the box is clipped. memory (count, policy_memory): the
 * agents' recurrent states, moved on; NULL for policies without. Where teammates tell one another
 * something it is that of each agent of the team, in their order, of which the asked one's is moved
 * on. values (count) may be NULL; a built-in's are 0. A
 * network's policy needs its inference. ERR_USAGE for a built-in whose probabilities are not known;
 * else as policy_decide. */
Status policy_evaluate(Policy *policy, Evaluator *evaluator, size_t count,
                       const void *const *episodes, const uint32_t *agents, float *memory,
                       float *rows, float *values);
/* Floats of memory that a question to the net takes, and where in it an agent's own begins. */
size_t policy_memory(const Net *net);
size_t policy_memory_place(const Net *net, const Env *env, uint32_t agent);
/* Floats of a row of policy_evaluate: choices of all heads, or means and deviations. */
size_t policy_row_width(const Env *env);
