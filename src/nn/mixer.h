/* Mixers: networks that make one value of a team, Q_tot, of the values of its agents' choices, so
 * that a team's reward teaches each agent. Rows are team steps: R of them, of N agents, with S
 * floats of global state.
 *
 * | kind        | Q_tot                                                                        |
 * |-------------|------------------------------------------------------------------------------|
 * | MIXER_VDN   | sum_i q_i (Sunehag et al., arXiv 1706.05296); no parameters, no state        |
 * | MIXER_QMIX  | |W2(s)|^T ELU(|W1(s)|^T q + b1(s)) + V(s), W and b made by networks from the |
 * |             | state (Rashid et al., arXiv 1803.11485): never falls in any q_i              |
 * | MIXER_QPLEX | V(s) + sum_i q_i + sum_i (lambda_i(s, a) - 1) stop(q_i - best_i), best_i the |
 * |             | highest value of agent i, lambda_i > 0 (Wang et al., arXiv 2008.01062)       |
 * | MIXER_FREE  | a dense network of q and s, without any such property: what weighted QMIX     |
 * |             | measures itself by (Rashid et al., arXiv 2006.10800)                         |
 *
 * Of the first three the joint choice with the highest Q_tot is each agent's own best choice.
 * lambda_i is a sum over heads h of |k_h(s)| sigmoid(f_hi(s)) sigmoid(g_hi(s, a)), a being what all
 * agents chose. The stop changes no value, but the gradient: q_i learns as if lambda_i were 1.
 *
 * An agent that is out of the game has q 0, best 0 and choice -1. */
#pragma once
#include "base/option.h"
#include "nn/graph.h"

typedef enum MixerKind { MIXER_VDN, MIXER_QMIX, MIXER_QPLEX, MIXER_FREE } MixerKind;

typedef struct MixerConfig {
  int64_t embed;        /* QMIX: width of its hidden layer; of V(s), too */
  int64_t hyper_hidden; /* of the networks that make weights from the state: hidden units */
  int64_t hyper_layers; /* of these: 1 (linear) or 2 */
  int64_t heads;        /* QPLEX */
  IntList free_hidden;  /* FREE: widths */
  bool state_norm;      /* the state is layer-normalised before it is read */
  double init_gain;     /* of hidden layers, orthogonal */
  double hyper_gain;    /* of the last layers of networks that read the state, likewise */
} MixerConfig;

/* The options of a mixer, for a table whose target is a TYPE that holds a MixerConfig at FIELD
 * (`x.` with its point; nothing: TYPE is a MixerConfig). */
#define MIXER_OPTIONS(TYPE, FIELD)                                                                 \
  {"embed", OPT_INT, offsetof(TYPE, FIELD embed),                                                  \
   "32",    1,       4096,                                                                         \
   NULL,    "units", "QMIX: width of the mixer's hidden layer"},                                   \
      {"hyper_hidden",                                                                             \
       OPT_INT,                                                                                    \
       offsetof(TYPE, FIELD hyper_hidden),                                                         \
       "64",                                                                                       \
       1,                                                                                          \
       4096,                                                                                       \
       NULL,                                                                                       \
       "units",                                                                                    \
       "hidden layer of the networks that make the mixer's weights from the global state"},        \
      {"hyper_layers",                                                                             \
       OPT_INT,                                                                                    \
       offsetof(TYPE, FIELD hyper_layers),                                                         \
       "2",                                                                                        \
       1,                                                                                          \
       2,                                                                                          \
       NULL,                                                                                       \
       "layers",                                                                                   \
       "layers of these networks; with 1 they are linear"},                                        \
      {"heads", OPT_INT, offsetof(TYPE, FIELD heads),                                              \
       "4",     1,       64,                                                                       \
       NULL,    "heads", "QPLEX: sets of weights over the agents that are added"},                 \
      {"free_hidden",                                                                              \
       OPT_INTS,                                                                                   \
       offsetof(TYPE, FIELD free_hidden),                                                          \
       "[256, 256, 256]",                                                                          \
       1,                                                                                          \
       4096,                                                                                       \
       NULL,                                                                                       \
       "units",                                                                                    \
       "weighted QMIX: widths of the mixer that may be anything"},                                 \
      {"state_norm",                                                                               \
       OPT_BOOL,                                                                                   \
       offsetof(TYPE, FIELD state_norm),                                                           \
       "false",                                                                                    \
       0,                                                                                          \
       0,                                                                                          \
       NULL,                                                                                       \
       "",                                                                                         \
       "the global state is layer-normalised before mixers read it: for games that tell it in "    \
       "numbers far above 1, such as cells, by which weights would begin as far apart"},           \
      {"init_gain", OPT_FLOAT, offsetof(TYPE, FIELD init_gain),   "1.41421356", 0, 10,             \
       NULL,        "",        "orthogonal gain of hidden layers"},                                \
  {                                                                                                \
    "hyper_gain", OPT_FLOAT, offsetof(TYPE, FIELD hyper_gain), "0.4", 0, 10, NULL, "",             \
        "orthogonal gain of the layers that give the mixer's weights: at 0.4 a team's value "      \
        "begins "                                                                                  \
        "to grow about as fast as an agent's"                                                      \
  }

extern const Option mixer_options[];
extern const size_t mixer_option_count;

/* What a team is like. */
typedef struct MixerShape {
  size_t agents;  /* N */
  size_t state;   /* S; VDN: not read */
  size_t choices; /* of an agent, A; QPLEX alone reads them */
} MixerShape;

typedef struct Mixer {
  Graph graph; /* cells 1: its rows are team steps */
  MixerKind kind;
  MixerShape shape;
  MixerConfig config;
  int q;        /* tensor (R, N), whose gradient the backward pass leaves */
  int state;    /* tensor (R, S); -1: not read */
  int seen;     /* what is read of it: the state itself, or normalised */
  int best;     /* tensor (R, N) of the highest value of each agent; -1: not read */
  int actions;  /* tensor (R, N * A) of ones where an agent's choice is; -1: not read */
  int total;    /* tensor (R, 1): Q_tot */
  size_t block; /* floats of a block: graph.params, nothing behind them; 0 for VDN */
} Mixer;

/* ERR_USAGE: sizes that make no mixer; ERR_MEMORY. On failure nothing is left. */
Status mixer_create(MixerKind kind, const MixerConfig *config, const MixerShape *shape,
                    Mixer **out);
/* Accepts NULL. */
void mixer_destroy(Mixer *mixer);
/* A block at the start. rng: a stream of this block alone, such as rng_stream(seed, player, PART,
 * RNG_INIT), where 0 is the policy's. */
void mixer_init(const Mixer *mixer, AgonRng *rng, float *block);

/* Rows of the inputs; those that the kind does not read may be NULL. */
typedef struct MixerInput {
  const float *q;        /* (R, N) of what each agent chose; 0: out of the game */
  const float *state;    /* (R, S) */
  const float *best;     /* (R, N): max over what is available */
  const int32_t *choice; /* (R, N): what each chose, below A; -1: out of the game */
} MixerInput;

/* Whoever has the rows elsewhere may fill space->value of the tensors above instead. Brings R rows
 * into space (of activations_create(&mixer->graph, at least R, ...)). */
void mixer_load(const Mixer *mixer, const MixerInput *input, size_t R, Activations *space);
/* Q_tot (R) of the loaded rows; `total` may be NULL (it stays in space). packed: of graph_pack, or
 * NULL. */
void mixer_forward(const Mixer *mixer, const float *block, const float *packed, Activations *space,
                   size_t R, float *total);
/* After mixer_forward with the same rows. d_total (R); adds to gradient (block floats). What each
 * agent's value gets lies in space->grad[mixer->q] (R, N) afterwards. done: see graph_backward. */
void mixer_backward(const Mixer *mixer, const float *block, const float *packed, float *gradient,
                    Activations *space, size_t R, const float *d_total, GraphDone done,
                    void *context);
