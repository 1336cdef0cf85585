/* Networks for playing: observation normaliser (if on), trunk, optional memory, heads, and the
 * value's scale, all recorded as one list of ops in a graph. Behind an observation the input says,
 * if wanted, whose it is: agents that share a network can then do different things where they see
 * the same; and what the agent did last, which lies behind its recurrent state and goes wherever
 * that goes. A *policy block* is one flat float32 array: parameters, then (if on) the observation
 * normaliser's mean and 1/std per element, then the mean and std of the value targets, then, where
 * any choice is taken by chance (RULE_GREEDY_Q, RULE_MIXED), epsilon, or, where they are squashed
 * (RULE_SQUASHED), the deviation of the noise. One block = one version = one hash. */
#pragma once
#include "base/option.h"
#include "nn/dist.h"
#include "nn/graph.h"

/* net.agent_id */
enum { ID_NONE, ID_AGENT, ID_KIND };
/* net.sharing */
enum { SHARE_ALL, SHARE_KIND, SHARE_NONE };

/* net.messages.kind */
enum { MESSAGES_NONE, MESSAGES_MEAN, MESSAGES_GATED, MESSAGES_NEAREST, MESSAGES_ATTENTION };

/* What agents of a team tell one another before they act: section net.messages. */
typedef struct MessageConfig {
  int kind; /* MESSAGES_NONE, ... */
  int64_t rounds;
  int64_t width;   /* numbers of a message */
  int64_t nearest; /* NEAREST: teammates that an agent hears */
  int64_t top;     /* ATTENTION: teammates that an agent attends to; 0: all */
  int64_t key;     /* ATTENTION: numbers of a query, and of a key */
  double cost;     /* GATED: of a message, to its sender */
} MessageConfig;

typedef struct NetConfig {
  IntList hidden;  /* widths of the dense layers */
  int activation;  /* Activation - 1: relu|tanh|gelu */
  bool layer_norm; /* after each dense layer */
  IntList conv;    /* channels of the convolutions, empty = none */
  int64_t conv_kernel;
  int64_t conv_stride;
  int64_t conv_pad;
  int memory; /* none|gru|lstm */
  int64_t memory_size;
  bool separate;    /* own trunk for the value */
  int agent_id;     /* ID_NONE, ... */
  int sharing;      /* SHARE_ALL, ... */
  bool last_action; /* an agent sees what it did last */
  bool normalise_observations;
  bool normalise_returns;
  MessageConfig messages;
  double init_gain; /* of hidden layers; policy head 0.01, value head 1 */
  double log_std;   /* initial, box actions */
  int precision;    /* 0 fp32, 1 bf16 */
  ActionRule rule;  /* the algorithm's; not an option of its own */
} NetConfig;

extern const Option net_options[];
extern const size_t net_option_count;

typedef struct Net {
  Graph graph;
  ActionSpace space;
  NetConfig config;
  size_t observation_count; /* of the env's own: what rows hold */
  AgonElement observation_type;
  /* Behind them the input has a one-hot of who the agent is, `ids` wide, each place of it id_span
   * numbers (planes, for convolutions; else 1). An agent's is id_of[agent]. */
  size_t ids; /* 0: there is none */
  size_t id_span;
  uint32_t *id_of; /* (agents); NULL without ids */
  uint32_t agents;
  /* And behind those what the agent did last: a one-hot of each head's choice, or the values of box
   * actions, `last_inputs` numbers, each id_span times. What is remembered for it are the last
   * `lasts` floats of graph.state_size: of each head the choice + 1, or the value; 0: nothing has
   * been done in this episode. */
  size_t last_inputs; /* 0: there is none */
  size_t lasts;
  /* Behind them, where agents choose whether they speak, what the agent has chosen last: 1 it does,
   * 0 it does not, which is how an episode begins. */
  size_t gates;      /* 0 or 1 */
  size_t remembered; /* lasts + gates: what is remembered besides what layers with a memory write */
  size_t recurrent;  /* floats of graph.state_size that layers with a memory write */
  /* Agents that do not share have parameters of their own: `copies` of the graph's block lie one
   * behind another, each `stride` floats. An agent's is copy_of[agent]. */
  size_t copies;
  size_t stride;
  size_t trained;    /* floats from the block's head to the end of the last copy's parameters */
  uint32_t *copy_of; /* (agents); NULL where there is one copy */
  /* Agents of a team that tell one another something: rows are of whole teams, graph.cells of them
   * side by side, and those of an agent that is out of the game, or of nobody, are there, too. */
  int links; /* tensor (R, graph.cells): whom a row's agent hears; -1: nobody says anything */
  /* of the first copy: */
  int logits;        /* tensor: its first columns are the logits; BOX: the means */
  int log_std;       /* BOX: tensor of log standard deviations; else, and if squashed, -1 */
  int value;         /* tensor (R,1) of the value in real units */
  size_t mean_at;    /* means of the observation normaliser in the block; 0 = off */
  size_t scale_at;   /* its scales; 0 = off */
  size_t return_at;  /* in the block: mean and standard deviation of the value targets */
  size_t epsilon_at; /* how much it explores; 0 = its rule knows nothing of that kind */
  size_t block;      /* floats of a policy block */
} Net;

/* A network for rows of this layout. spec: who the agents are, for agent_id; its arrays are filled,
 * and NULL stands for one agent. *out is the caller's (net_destroy). ERR_USAGE: the configuration
 * asks for a network that does not fit the env or the graph; ERR_MEMORY. */
Status net_create(const NetConfig *config, const AgonKind *layout, const AgonEnvSpec *spec,
                  Net **out);
/* Accepts NULL. */
void net_destroy(Net *net);
/* Initial policy block from the stream (seed, player). */
void net_init(const Net *net, uint64_t seed, uint32_t player, float *block);
/* Packed weights of a block, for the kernels in use (graph_pack): of training where the activations
 * are that they are used with. Floats, 64-byte aligned, the caller's. */
size_t net_packed(const Net *net, bool training);
float *net_pack_create(const Net *net, bool training); /* NULL without memory; free() */
void net_pack(const Net *net, const float *block, bool training, float *packed);

/* How much recorded decisions explore: how often they take any choice instead of the best, or of
 * one by its probability; or the deviation of their noise (RULE_SQUASHED). Written by who trains
 * the policy, before it is published, and 0 at first. Nothing for other rules. */
float net_epsilon(const Net *net, const float *block);
void net_set_epsilon(const Net *net, float *block, float epsilon);

/* What R rows are of; all borrowed. */
typedef struct NetInput {
  const void *rows; /* raw observations */
  /* (R) of the env; one that it does not have (UINT32_MAX) is nobody, all zeros. May be NULL if
   * net_wants_agents says no. */
  const uint32_t *agents;
  /* What each row's agent did last, as it is remembered (`remembered` floats), each `last_step`
   * floats behind the one before. NULL: nobody did anything. */
  const float *last;
  size_t last_step;
  /* Where agents tell one another something (net_talks); else not read. */
  const uint8_t *alive;   /* (R) 1: in the game; who is not neither speaks nor hears */
  const float *positions; /* (R, 3); for MESSAGES_NEAREST alone */
} NetInput;

/* Brings R raw observation rows into the network's input, with who the agents of the rows are and
 * what they did last: as floats; or, where only dense layers read bytes that are mostly 0 and else
 * 1 (board planes), by the places of the ones. Where there are several copies, all rows of a
 * sequence must be one copy's. */
void net_load_input(const Net *net, const NetInput *input, size_t R, Activations *space);
/* The same of agents that did nothing yet. */
static inline void net_load(const Net *net, const void *rows, const uint32_t *agents, size_t R,
                            Activations *space) {
  net_load_input(net, &(NetInput){.rows = rows, .agents = agents}, R, space);
}
/* Writes what an agent has done (heads, inner ones too), as the network gives it, into where it is
 * remembered: the agent's state, of graph.state_size floats. Nothing where that is not asked
 * for. */
void net_remember(const Net *net, const AgonAction *action, float *state);
/* Whether the agent of this state speaks next; and says so. For networks with gates. */
static inline bool net_speaks(const Net *net, const float *state) {
  return state[net->recurrent + net->lasts] > 0.5f;
}
static inline void net_set_speaks(const Net *net, bool speaks, float *state) {
  state[net->recurrent + net->lasts] = speaks;
}
/* Whether what the network makes of a row depends on whose it is. */
static inline bool net_wants_agents(const Net *net) {
  return net->ids > 0 || net->copies > 1;
}
/* Whether what the network makes of a row depends on its team's other rows: then R is a multiple of
 * net_team, and a team's rows lie side by side, in the order of team_cells. */
static inline bool net_talks(const Net *net) {
  return net->links >= 0;
}
/* Rows that must be brought in together. */
static inline size_t net_team(const Net *net) {
  return net->graph.cells;
}
/* Messages that reach the agent of row `row` of what was loaded last, in all rounds. */
double net_heard(const Net *net, const Activations *space, size_t row);
/* Whether it asks where agents are. */
static inline bool net_wants_positions(const Net *net) {
  return net_talks(net) && net->config.messages.kind == MESSAGES_NEAREST;
}
/* The R rows that were loaded into one space, for another network of the same shape. */
void net_load_again(const Net *net, const Activations *from, size_t R, Activations *space);
/* Copies the first copy's constants - moments of observations and of value targets, which are those
 * of all rows - to the others. */
void net_share_constants(const Net *net, float *block);
/* Forward over the loaded input; logits (R,width) and value (R) in real units may be NULL. */
void net_forward(const Net *net, const float *block, const float *packed, Activations *space,
                 const Sequences *seq, float *logits, float *value, float *state_out);
/* d_logits (R,width), d_value (R, with respect to the real-unit value); adds to gradient
 * (trained; that of the constants between two copies' parameters is 0). packed: of training. done:
 * see graph_backward. */
void net_backward(const Net *net, const float *block, const float *packed, float *gradient,
                  Activations *space, const Sequences *seq, const float *d_logits,
                  const float *d_value, GraphDone done, void *context);
