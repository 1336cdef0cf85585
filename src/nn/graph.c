#include "nn/graph.h"

#include "nn/kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All kinds of op, for tests and exporters. */
const OpOps *op_at(size_t index) {
  static const OpOps *const all[] = {
      &op_dense, &op_broadcast, &op_conv,    &op_norm,   &op_normalise, &op_rescale,
      &op_gru,   &op_lstm,      &op_product, &op_input,  &op_slice,     &op_join,
      &op_fold,  &op_unfold,    &op_spread,  &op_stop,   &op_act,       &op_affine,
      &op_add,   &op_mul,       &op_sum,     &op_matvec, &op_mix,       &op_attend};
  return index < COUNT_OF(all) ? all[index] : NULL;
}

/* --- recording --- */

/* Tensor 0 is there from the start: the input. */
void graph_begin(Graph *graph, size_t input_width) {
  graph_begin_team(graph, 1, input_width, LEVEL_AGENT);
}

void graph_begin_team(Graph *graph, size_t cells, size_t input_width, Level level) {
  *graph = (Graph){.tensors = 1, .cells = cells};
  graph->width[0] = input_width;
  graph->level[0] = level;
}

void graph_want_gradient(Graph *graph, int input) {
  graph->asked[input] = true;
}

/* Parameters lie in the block in the order in which ops are added. */
size_t graph_view(Graph *graph, const char *name, const char *part, size_t dims,
                  const size_t *shape) {
  View *view = &graph->view[graph->views++];
  snprintf(view->name, sizeof view->name, "%s.%s", name, part);
  view->offset = graph->params;
  view->dims = dims;
  view->count = 1;
  for (size_t i = 0; i < dims; i++) {
    view->shape[i] = shape[i];
    view->count *= shape[i];
  }
  graph->params += view->count;
  return view->offset;
}

/* Constants lie behind all parameters, so their places are fixed by graph_finish. */
size_t graph_constants(Graph *graph, size_t count) {
  size_t at = graph->constants;
  graph->constants += count;
  return at;
}

/* Looks up what the inputs are like; false if one is missing or of another level than the first, or
 * if they are not such as the op takes. */
static bool connect(const Graph *graph, Op *op) {
  for (size_t i = 0; i < op->inputs; i++) {
    if (op->in[i] < 0) return false;
    op->widths[i] = graph->width[op->in[i]];
    if (i == 0) op->level = graph->level[op->in[0]];
    if (graph->level[op->in[i]] != op->level) return false;
  }
  op->in_width = op->widths[0];
  op->cells = graph->cells;
  return !op->ops->fits || op->ops->fits(graph, op);
}

/* Room and inputs are looked at before anything is changed; the op's own `shape` then adds its
 * views. */
int graph_add(Graph *graph, const OpOps *ops, const char *name, const Op *with) {
  size_t views = with->heads ? 2 * with->heads->count : 4; /* at most */
  Op connected = *with;
  connected.ops = ops;
  if (!connect(graph, &connected)) return -1;
  if (graph->ops == GRAPH_OPS || graph->views + views > GRAPH_VIEWS) return -1;
  Op *op = &graph->op[graph->ops++];
  *op = connected;
  op->out = graph->tensors;
  op->first_param = graph->params;
  size_t first_constant = graph->constants;
  ops->shape(graph, op, name);
  op->heads = NULL;
  op->params = graph->params - op->first_param;
  op->constants = graph->constants - first_constant;
  graph->width[op->out] = op->out_width;
  graph->level[op->out] = op->level;
  graph->tensors++;
  return op->out;
}

/* Tensor 0 is nobody's output; tensor i + 1 is made by op i. */
void graph_output(Graph *graph, int tensor) {
  if (tensor > 0) graph->op[tensor - 1].given = true;
}

/* --- planning --- */
/* Rounds up to 16 floats, a cache line, at which every part of a buffer starts. */
static size_t padded(size_t count) {
  return (count + 15) & ~(size_t)15;
}

/* Whether the op has that tensor among its inputs. */
static bool reads(const Op *op, int tensor) {
  for (size_t i = 0; i < op->inputs; i++)
    if (op->in[i] == tensor) return true;
  return false;
}

/* Weight matrices that the kernels want packed. */
static size_t matrices_of(const Op *op, OpMatrix out[OP_MATRICES]) {
  return op->ops->pack ? op->ops->pack(op, out) : 0;
}

/* The input may be given by the places of its ones only if all that read it know how. */
static void plan_ones(Graph *graph) {
  graph->takes_ones = graph->width[0] <= UINT16_MAX;
  for (size_t i = 0; i < graph->ops; i++)
    if (reads(&graph->op[i], 0) && !graph->op[i].ops->takes_ones) graph->takes_ones = false;
  for (size_t i = 0; i < graph->ops; i++)
    graph->op[i].reads_ones = graph->takes_ones && reads(&graph->op[i], 0);
}

/* A tensor's gradient is wanted if something that is trained lies below it, or an input whose
 * gradient is asked for, unless what lies between ends all gradients. Its readers write it, the
 * last one first: that one sets it (beta 0), the others add (beta 1). To what the caller has given,
 * all add. */
static void plan_gradients(Graph *graph) {
  bool wanted[GRAPH_OPS + 1] = {graph->asked[0]};
  bool written[GRAPH_OPS + 1] = {false};
  for (size_t i = 0; i < graph->ops; i++) {
    Op *op = &graph->op[i];
    wanted[op->out] = op->params > 0 || graph->asked[op->out];
    written[op->out] = op->given;
    for (size_t k = 0; k < op->inputs; k++) {
      op->wanted[k] = wanted[op->in[k]];
      wanted[op->out] |= op->wanted[k] && !op->ops->stops;
    }
  }
  for (size_t i = graph->ops; i-- > 0;) {
    Op *op = &graph->op[i];
    for (size_t k = 0; k < op->inputs; k++) {
      op->beta[k] = written[op->in[k]] ? 1.0f : 0.0f;
      written[op->in[k]] = true;
    }
  }
}

/* The first reader of a tensor is the last to add to its gradient. Where it can, it also applies
 * the derivative of the activation that made the tensor, while the gradient is still in
 * registers. */
static void plan_derivatives(Graph *graph) {
  for (size_t i = 0; i < graph->ops; i++) {
    Op *maker = &graph->op[i];
    if (!maker->ops->gives_act || !act_is_fused(maker->act)) continue;
    size_t reader = i + 1;
    while (reader < graph->ops && !reads(&graph->op[reader], maker->out))
      reader++;
    if (reader == graph->ops || !graph->op[reader].ops->takes_below || graph->op[reader].inputs > 1)
      continue;
    graph->op[reader].below = maker->act;
    maker->derived = true;
  }
}

/* Layers wide enough to gain; never the heads, whose outputs are the policy, nor what reads
 * ones. */
static bool gains_by_bf16(const Graph *graph, const Op *op) {
  OpMatrix matrix[OP_MATRICES];
  if (!graph->bf16 || !bf16_kernels() || op->out_width < 32 || op->reads_ones) return false;
  return matrices_of(op, matrix) > 0 && !op->exact;
}

/* Matrices for the forward pass lie together, so that acting needs no more than these. */
static void plan_packing(Graph *graph) {
  size_t at = 0;
  for (size_t i = 0; i < graph->ops; i++)
    graph->op[i].bf16 = gains_by_bf16(graph, &graph->op[i]);
  for (int back = 0; back < 2; back++) {
    for (size_t i = 0; i < graph->ops; i++) {
      Op *op = &graph->op[i];
      OpMatrix matrix[OP_MATRICES];
      size_t count = matrices_of(op, matrix);
      for (size_t m = 0; m < count; m++) {
        size_t K = back ? matrix[m].N : matrix[m].K;
        size_t N = back ? matrix[m].K : matrix[m].N;
        op->pack[m][back] = at;
        at += padded(op->bf16 ? bf16_kernels()->packed_size(K, N) : kernels()->packed_size(K, N));
      }
    }
    graph->packed[back] = at;
  }
}

/* Offsets of constants were counted from the end of the parameters, which is known only now. */
static void place_constants(Graph *graph) {
  for (size_t i = 0; i < graph->ops; i++) {
    Op *op = &graph->op[i];
    if (op->constants == 0) continue;
    op->bias += graph->params;
    op->weight += graph->params;
  }
}

/* Each plan rests on the ones before it. */
void graph_finish(Graph *graph) {
  plan_ones(graph);
  plan_gradients(graph);
  plan_derivatives(graph);
  plan_packing(graph);
  place_constants(graph);
}

/* Backward products multiply by the transpose, which is packed by itself. */
void graph_pack(const Graph *graph, const float *params, bool training, float *packed) {
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    OpMatrix matrix[OP_MATRICES];
    size_t count = matrices_of(op, matrix);
    for (size_t m = 0; m < count; m++) {
      size_t K = matrix[m].K;
      size_t N = matrix[m].N;
      const float *w = params + matrix[m].at;
      void (*pack)(float *, const float *, size_t, size_t, size_t, size_t) =
          op->bf16 ? bf16_kernels()->pack : kernels()->pack;
      pack(packed + op->pack[m][0], w, 1, K, K, N);
      if (training) pack(packed + op->pack[m][1], w, K, 1, N, K);
    }
  }
}

/* Ops that only move numbers count as none; those of a team's rows are shared by its agents. */
static double flops_of(const Graph *graph, const Op *op) {
  if (!op->ops->flops) return 0;
  double flops = op->ops->flops(op);
  return op->level == LEVEL_TEAM ? flops / (double)graph->cells : flops;
}

double graph_flops_forward(const Graph *graph) {
  double sum = 0;
  for (size_t i = 0; i < graph->ops; i++)
    sum += flops_of(graph, &graph->op[i]);
  return sum;
}

/* Backward costs one product for the weights, and one for each input whose gradient is wanted. */
double graph_flops_train(const Graph *graph) {
  double sum = 0;
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    int products = 1 + (op->params > 0);
    for (size_t k = 0; k < op->inputs; k++)
      products += op->wanted[k];
    sum += flops_of(graph, op) * products;
  }
  return sum;
}

/* --- running --- */

/* The most that any op asks for: they take turns. */
static size_t scratch_of(const Graph *graph, bool training) {
  size_t most = 0;
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    size_t need = op->ops->scratch ? op->ops->scratch(op, training) : 0;
    if (need > most) most = need;
  }
  return most;
}

/* Tensor t is made by op t - 1. An input's gradient is there only if it was asked for, and what
 * ends gradients has none. */
static bool keeps_gradient(const Graph *graph, int tensor, bool training) {
  const OpOps *maker = tensor > 0 ? graph->op[tensor - 1].ops : &op_input;
  return training && !maker->stops && (maker != &op_input || graph->asked[tensor]);
}

/* Whether the tensor lies where its maker's input lies. */
static bool is_other_name(const Graph *graph, int tensor) {
  return tensor > 0 && graph->op[tensor - 1].ops->same_value;
}

/* Of a level, to `rows` of agents. */
static size_t rows_at(const Graph *graph, Level level, size_t rows) {
  return level == LEVEL_TEAM ? (rows + graph->cells - 1) / graph->cells : rows;
}

/* Floats of a tensor. */
static size_t size_of(const Graph *graph, int tensor, size_t rows) {
  return padded(rows_at(graph, graph->level[tensor], rows) * graph->width[tensor]);
}

/* Floats that an op keeps. */
static size_t kept_by(const Graph *graph, size_t index, size_t rows) {
  const Op *op = &graph->op[index];
  return padded(rows_at(graph, op->level, rows) * op->keep_width);
}

/* Floats of what says where rows of several copies lie. */
static size_t placing_of(const Graph *graph, size_t rows) {
  if (graph->copies < 2) return 0;
  return 3 * padded(rows) + padded(rows * graph->state_size) + padded(2 * graph->copies);
}

/* Cuts it out of the memory from `at` on; copy_rows comes first, as it is the widest. */
static void place_rows(const Graph *graph, size_t rows, float *at, Activations *out) {
  if (graph->copies < 2) return;
  out->copy_rows = (size_t *)(void *)at;
  at += padded(2 * graph->copies);
  out->source = (uint32_t *)(void *)at;
  out->restart = (int32_t *)(void *)(at + padded(rows));
  out->hold = (uint8_t *)(at + 2 * padded(rows));
  out->state = at + 3 * padded(rows);
}

/* One piece of memory, in which every tensor starts on a cache line. */
Status activations_create(const Graph *graph, size_t rows, bool training, Activations *out) {
  *out = (Activations){.rows = rows, .training = training};
  size_t scratch = scratch_of(graph, training);
  size_t total = padded(scratch);
  size_t ones = graph->takes_ones ? padded(rows + 1) + padded((rows * graph->width[0] + 1) / 2) : 0;
  for (int t = 0; t < graph->tensors; t++) {
    size_t copies = !is_other_name(graph, t);
    copies += keeps_gradient(graph, t, training);
    total += size_of(graph, t, rows) * copies;
  }
  for (size_t i = 0; i < graph->ops; i++)
    total += kept_by(graph, i, rows);
  total += ones + placing_of(graph, rows);
  out->block = aligned_alloc(64, (total * sizeof(float) + 63) & ~(size_t)63);
  if (!out->block) return status_set(ERR_MEMORY, "out of memory: %zu rows of activations", rows);
  memset(out->block, 0, total * sizeof(float));
  float *at = out->block;
  for (int t = 0; t < graph->tensors; t++) {
    out->value[t] = at;
    if (is_other_name(graph, t))
      out->value[t] = out->value[graph->op[t - 1].in[0]];
    else
      at += size_of(graph, t, rows);
    if (!keeps_gradient(graph, t, training)) continue;
    out->grad[t] = at;
    at += size_of(graph, t, rows);
  }
  for (size_t i = 0; i < graph->ops; i++) {
    out->keep[i] = at;
    at += kept_by(graph, i, rows);
  }
  out->scratch = at;
  at += padded(scratch);
  if (ones) {
    out->first = (uint32_t *)at;
    out->column = (uint16_t *)(at + padded(rows + 1));
  }
  place_rows(graph, rows, at + ones, out);
  return OK;
}

void activations_destroy(Activations *space) {
  free(space->block);
  *space = (Activations){0};
}

/* What op `index` is given in either direction. */
static OpRun run_of(const Graph *graph, size_t index, const float *params, const float *packed,
                    const Activations *space, const Sequences *seq, const Ones *ones) {
  const Op *op = &graph->op[index];
  OpRun run = {.op = op,
               .rows = rows_at(graph, op->level, seq->B * seq->T),
               .block = params,
               .packed = packed,
               .sequences = seq,
               .ones = space->ones && op->reads_ones ? ones : NULL,
               .y = space->value[op->out],
               .keep = space->keep[index],
               .scratch = space->scratch};
  for (size_t k = 0; k < op->inputs; k++)
    run.x[k] = space->value[op->in[k]];
  return run;
}

/* In the order in which ops were added: inputs come before those who read them. */
void graph_forward(const Graph *graph, const float *params, const float *packed, Activations *space,
                   const Sequences *seq, float *state_out) {
  const Ones ones = {space->first, space->column};
  for (size_t i = 0; i < graph->ops; i++) {
    OpRun run = run_of(graph, i, params, packed, space, seq, &ones);
    run.state_out = state_out;
    graph->op[i].ops->forward(&run);
  }
}

/* In reverse. Parameters lie in the order of the ops, so what lies behind an op's first one is
 * complete when it is done: sums over learners begin with it. */
void graph_backward(const Graph *graph, const float *params, const float *packed, float *gradient,
                    Activations *space, const Sequences *seq, GraphDone done, void *context) {
  const Ones ones = {space->first, space->column};
  for (size_t i = graph->ops; i-- > 0;) {
    const Op *op = &graph->op[i];
    OpRun run = run_of(graph, i, params, packed, space, seq, &ones);
    run.training = true;
    run.dy = space->grad[op->out];
    for (size_t k = 0; k < op->inputs; k++)
      run.dx[k] = op->wanted[k] ? space->grad[op->in[k]] : NULL;
    run.gradient = gradient;
    op->ops->backward(&run);
    if (done && op->params) done(context, op->first_param);
  }
}
