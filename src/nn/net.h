/* Networks for playing: observation normaliser (if on), trunk, optional memory, heads, and the
 * value's scale, all recorded as one list of ops in a graph. A *policy block* is one flat float32
 * array: parameters, then (if on) the observation normaliser's mean and 1/std per element, then the
 * mean and std of the value targets. One block = one version = one hash. */
#pragma once
#include "base/option.h"
#include "nn/dist.h"
#include "nn/graph.h"

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
  bool separate; /* own trunk for the value */
  bool normalise_observations;
  bool normalise_returns;
  double init_gain; /* of hidden layers; policy head 0.01, value head 1 */
  double log_std;   /* initial, box actions */
  int precision;    /* 0 fp32, 1 bf16 */
} NetConfig;

extern const Option net_options[];
extern const size_t net_option_count;

typedef struct Net {
  Graph graph;
  ActionSpace space;
  NetConfig config;
  size_t observation_count;
  AgonElement observation_type;
  int logits;       /* tensor: its first columns are the logits; BOX: the means */
  int log_std;      /* BOX: tensor of log standard deviations; else -1 */
  int value;        /* tensor (R,1) of the value in real units */
  size_t mean_at;   /* means of the observation normaliser in the block; 0 = off */
  size_t scale_at;  /* its scales; 0 = off */
  size_t return_at; /* in the block: mean and standard deviation of the value targets */
  size_t block;     /* floats of a policy block */
} Net;

Status net_create(const NetConfig *config, const AgonKind *layout, Net **out);
void net_destroy(Net *net);
/* Initial policy block from the stream (seed, player). */
void net_init(const Net *net, uint64_t seed, uint32_t player, float *block);
/* Packed weights of a block, for the kernels in use (graph_pack); floats, 64-byte aligned, the
 * caller's. */
size_t net_packed(const Net *net, bool training);
float *net_pack_create(const Net *net, bool training); /* NULL without memory; free() */
void net_pack(const Net *net, const float *block, bool training, float *packed);

/* Brings R raw observation rows into the network's input: as floats; or, where only dense layers
 * read bytes that are mostly 0 and else 1 (board planes), by the places of the ones. */
void net_load(const Net *net, const void *rows, size_t R, Activations *space);
/* Forward over the loaded input; logits (R,width) and value (R) in real units may be NULL. */
void net_forward(const Net *net, const float *block, const float *packed, Activations *space,
                 const Sequences *seq, float *logits, float *value, float *state_out);
/* d_logits (R,width), d_value (R, with respect to the real-unit value); adds to gradient
 * (graph.params). packed: of training. done: see graph_backward. */
void net_backward(const Net *net, const float *block, const float *packed, float *gradient,
                  Activations *space, const Sequences *seq, const float *d_logits,
                  const float *d_value, GraphDone done, void *context);
