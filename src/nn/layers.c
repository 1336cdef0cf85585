/* What graphs are made of, one function for each kind of op: those of networks, then those of what
 * learns together. Whether inputs fit is for graph_add to say. */
#include "nn/graph.h"

#include <string.h>

/* --- layers --- */

/* y = act(x W + b); weights (width, in). */
int graph_dense(Graph *graph, const char *name, int in, size_t width, Activation act) {
  return graph_add(graph, &op_dense, name,
                   &(Op){.in = {in}, .inputs = 1, .out_width = width, .act = act});
}

/* One matrix product for all heads is faster than one for each. */
int graph_heads(Graph *graph, const char *const *names, const size_t *widths, size_t count,
                int in) {
  const OpHeads heads = {names, widths, count};
  return graph_add(graph, &op_dense, NULL, &(Op){.in = {in}, .inputs = 1, .heads = &heads});
}

/* Planes of the input and the kernel's shape are in `shape`. */
int graph_conv(Graph *graph, const char *name, int in, ConvShape shape, Activation act) {
  return graph_add(graph, &op_conv, name,
                   &(Op){.in = {in}, .inputs = 1, .conv = shape, .act = act});
}

/* Layer normalisation (Ba et al., arXiv 1607.06450) with a gain and a bias. */
int graph_norm(Graph *graph, const char *name, int in) {
  return graph_add(graph, &op_norm, name, &(Op){.in = {in}, .inputs = 1});
}

/* Gates as PyTorch has them; a state of `width` floats a row (Cho et al., arXiv 1406.1078). */
int graph_gru(Graph *graph, const char *name, int in, size_t width) {
  return graph_add(graph, &op_gru, name, &(Op){.in = {in}, .inputs = 1, .out_width = width});
}

/* A state of 2 * width floats a row: hidden, then cell (Hochreiter and Schmidhuber 1997). */
int graph_lstm(Graph *graph, const char *name, int in, size_t width) {
  return graph_add(graph, &op_lstm, name, &(Op){.in = {in}, .inputs = 1, .out_width = width});
}

/* Such as the deviation of a policy that does not depend on what is seen. */
int graph_broadcast(Graph *graph, const char *name, size_t width) {
  return graph_add(graph, &op_broadcast, name, &(Op){.out_width = width});
}

/* The block's constants say what is taken off and what it is divided by. */
int graph_normalise(Graph *graph, int in) {
  return graph_add(graph, &op_normalise, NULL, &(Op){.in = {in}, .inputs = 1});
}

/* Behind the head whose unit it gives. */
int graph_rescale(Graph *graph, int in, size_t column) {
  return graph_add(graph, &op_rescale, NULL, &(Op){.in = {in}, .inputs = 1, .column = column});
}

/* --- inputs, levels, arithmetic --- */

/* The caller puts its rows into space->value. */
int graph_input(Graph *graph, size_t width, Level level) {
  return graph_add(graph, &op_input, NULL, &(Op){.out_width = width, .level = level});
}

/* A dense layer without a bias. */
int graph_product(Graph *graph, const char *name, int in, size_t width) {
  return graph_add(graph, &op_product, name, &(Op){.in = {in}, .inputs = 1, .out_width = width});
}

int graph_slice(Graph *graph, int in, size_t column, size_t width) {
  return graph_add(graph, &op_slice, NULL,
                   &(Op){.in = {in}, .inputs = 1, .column = column, .out_width = width});
}

/* An op of several inputs; more than it takes make it fit nowhere. */
static int add_many(Graph *graph, const OpOps *ops, const int *in, size_t count) {
  Op with = {.inputs = count};
  if (count == 0 || count > OP_INPUTS) return -1;
  memcpy(with.in, in, count * sizeof *in);
  return graph_add(graph, ops, NULL, &with);
}

int graph_join(Graph *graph, const int *in, size_t count) {
  return add_many(graph, &op_join, in, count);
}

int graph_add_up(Graph *graph, const int *in, size_t count) {
  return add_many(graph, &op_add, in, count);
}

int graph_mul(Graph *graph, int a, int b) {
  return add_many(graph, &op_mul, (int[]){a, b}, 2);
}

int graph_fold(Graph *graph, int in) {
  return add_many(graph, &op_fold, &in, 1);
}

int graph_unfold(Graph *graph, int in) {
  return add_many(graph, &op_unfold, &in, 1);
}

int graph_spread(Graph *graph, int in) {
  return add_many(graph, &op_spread, &in, 1);
}

int graph_stop(Graph *graph, int in) {
  return add_many(graph, &op_stop, &in, 1);
}

int graph_sum(Graph *graph, int in) {
  return add_many(graph, &op_sum, &in, 1);
}

int graph_act(Graph *graph, int in, Activation act) {
  return graph_add(graph, &op_act, NULL, &(Op){.in = {in}, .inputs = 1, .act = act});
}

int graph_affine(Graph *graph, int in, float scale, float shift) {
  return graph_add(graph, &op_affine, NULL,
                   &(Op){.in = {in}, .inputs = 1, .scale = scale, .shift = shift});
}

/* The matrix is most often what another layer made of the state: a hyper-network (Ha et al., arXiv
 * 1609.09106). */
int graph_matvec(Graph *graph, int x, int matrix, size_t width) {
  return graph_add(graph, &op_matvec, NULL,
                   &(Op){.in = {x, matrix}, .inputs = 2, .out_width = width});
}

/* --- messages --- */

/* CommNet (Sukhbaatar et al., arXiv 1605.07736, eq. 2), over whom an agent hears. */
int graph_mix(Graph *graph, int links, int x) {
  return add_many(graph, &op_mix, (int[]){links, x}, 2);
}

/* TarMAC (Das et al., arXiv 1810.11187), without an agent's own message. */
int graph_attend(Graph *graph, int links, int query, int key, int x, size_t top) {
  return graph_add(graph, &op_attend, NULL,
                   &(Op){.in = {links, query, key, x}, .inputs = 4, .top = top});
}
