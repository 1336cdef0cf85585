/* An agent as a graph of ONNX operators: what runtime.h does to a row, for a batch of them. The
 * file is a protocol buffer (base/proto.h). */
#include "export/onnx.h"

#include "base/proto.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_FLOAT = 1, TYPE_UINT8 = 2, TYPE_INT64 = 7, TYPE_BOOL = 9, TYPE_BFLOAT16 = 16 };
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };

/* --- a graph as it grows --- */

/* What a tensor is called. */
typedef struct Name {
  char text[64];
} Name;

typedef struct Onnx {
  const AgentFile *file;
  const Model *m;
  Bytes graph;      /* nodes, tensors, inputs and outputs */
  Bytes attributes; /* of the next node */
  size_t names;     /* given so far */
  size_t copy;      /* whose parameters are read */
  Name agents;      /* (R) within what tables hold; where anything asks */
  Name memory;      /* (R, memory) */
  Name links;       /* (R, team) */
  Name masks;       /* (R, choices) as truth values */
} Onnx;

static Name named(const char *text) {
  Name name;
  snprintf(name.text, sizeof name.text, "%s", text);
  return name;
}

static Name fresh(Onnx *o) {
  Name name;
  snprintf(name.text, sizeof name.text, "t%zu", o->names++);
  return name;
}

static void attribute_int(Onnx *o, const char *name, int64_t value) {
  Bytes attribute = {0};
  proto_text(&attribute, 1, name);
  proto_int(&attribute, 3, (uint64_t)value);
  proto_int(&attribute, 20, ATTRIBUTE_INT);
  proto_message(&o->attributes, 5, &attribute);
}

static void attribute_float(Onnx *o, const char *name, float value) {
  Bytes attribute = {0};
  proto_text(&attribute, 1, name);
  proto_f32(&attribute, 2, value);
  proto_int(&attribute, 20, ATTRIBUTE_FLOAT);
  proto_message(&o->attributes, 5, &attribute);
}

static void attribute_ints(Onnx *o, const char *name, const int64_t *value, size_t count) {
  Bytes attribute = {0};
  proto_text(&attribute, 1, name);
  for (size_t i = 0; i < count; i++)
    proto_int(&attribute, 8, (uint64_t)value[i]);
  proto_int(&attribute, 20, ATTRIBUTE_INTS);
  proto_message(&o->attributes, 5, &attribute);
}

/* A node with the attributes that were said before, and outputs of these names. */
static void put_node(Onnx *o, const char *op, const Name *in, size_t inputs, const Name *out,
                     size_t outputs) {
  Bytes node = {0};
  for (size_t i = 0; i < inputs; i++)
    proto_text(&node, 1, in[i].text);
  for (size_t i = 0; i < outputs; i++)
    proto_text(&node, 2, out[i].text);
  proto_text(&node, 3, out[0].text);
  proto_text(&node, 4, op);
  bytes_put(&node, o->attributes.data, o->attributes.size);
  node.failed |= o->attributes.failed;
  bytes_free(&o->attributes);
  proto_message(&o->graph, 1, &node);
}

static Name node(Onnx *o, const char *op, const Name *in, size_t inputs) {
  const Name out = fresh(o);
  put_node(o, op, in, inputs, &out, 1);
  return out;
}

static Name one(Onnx *o, const char *op, Name x) {
  return node(o, op, &x, 1);
}

static Name two(Onnx *o, const char *op, Name a, Name b) {
  return node(o, op, (Name[]){a, b}, 2);
}

static Name three(Onnx *o, const char *op, Name a, Name b, Name c) {
  return node(o, op, (Name[]){a, b, c}, 3);
}

/* A constant. */
static Name tensor(Onnx *o, const char *name, int type, const int64_t *dim, size_t dims,
                   const void *data, size_t size) {
  Bytes out = {0};
  const Name given = name ? named(name) : fresh(o);
  for (size_t i = 0; i < dims; i++)
    proto_int(&out, 1, (uint64_t)dim[i]);
  proto_int(&out, 2, (uint64_t)type);
  proto_text(&out, 8, given.text);
  proto_bytes(&out, 9, data, size);
  proto_message(&o->graph, 5, &out);
  return given;
}

static Name scalar(Onnx *o, float value) {
  return tensor(o, NULL, TYPE_FLOAT, NULL, 0, &value, sizeof value);
}

static Name ints(Onnx *o, const int64_t *value, size_t count) {
  const int64_t dim = (int64_t)count;
  return tensor(o, NULL, TYPE_INT64, &dim, 1, value, count * sizeof *value);
}

static Name floats(Onnx *o, const float *value, size_t rows, size_t columns) {
  const int64_t dim[2] = {(int64_t)rows, (int64_t)columns};
  return tensor(o, NULL, TYPE_FLOAT, dim, 2, value, rows * columns * sizeof *value);
}

static Name cast(Onnx *o, Name x, int type) {
  attribute_int(o, "to", type);
  return one(o, "Cast", x);
}

/* The first dimension is the batch's. */
static Name reshape(Onnx *o, Name x, const int64_t *dim, size_t dims) {
  return two(o, "Reshape", x, ints(o, dim, dims));
}

/* Columns first .. first + count - 1. */
static Name columns(Onnx *o, Name x, size_t first, size_t count) {
  const int64_t from = (int64_t)first;
  const int64_t to = (int64_t)(first + count);
  const int64_t axis = 1;
  const Name in[] = {x, ints(o, &from, 1), ints(o, &to, 1), ints(o, &axis, 1)};
  return node(o, "Slice", in, 4);
}

static Name beside(Onnx *o, const Name *in, size_t count) {
  if (count == 1) return in[0];
  attribute_int(o, "axis", 1);
  return node(o, "Concat", in, count);
}

/* --- layers --- */

static float rounded(float x, bool half) {
  uint32_t bits;
  if (!half) return x;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* What the numbers at an offset are called: by the layer that begins there, and by the copy. */
static Name weight_name(Onnx *o, size_t at) {
  Name name = fresh(o);
  for (size_t i = 0; i < o->file->views; i++) {
    const FormatView *view = &o->file->view[i];
    if (view->offset != at || view->count == 0) continue;
    if (o->m->copies > 1)
      snprintf(name.text, sizeof name.text, "%zu.%.50s", o->copy, view->name);
    else
      snprintf(name.text, sizeof name.text, "%.60s", view->name);
  }
  return name;
}

/* Numbers of the block; the same may be read twice, and then have another name. */
static Name weights(Onnx *o, size_t at, const int64_t *dim, size_t dims, bool half) {
  size_t count = 1;
  const float *from = o->m->block + o->copy * o->m->stride + at;
  for (size_t d = 0; d < dims; d++)
    count *= (size_t)dim[d];
  float *copy = malloc(count * sizeof *copy);
  if (!copy) {
    o->graph.failed = true;
    return fresh(o);
  }
  for (size_t i = 0; i < count; i++)
    copy[i] = rounded(from[i], half);
  const Name name = weight_name(o, at);
  tensor(o, name.text, TYPE_FLOAT, dim, dims, copy, count * sizeof *copy);
  free(copy);
  return name;
}

static Name vector(Onnx *o, size_t at, size_t count) {
  const int64_t dim = (int64_t)count;
  return weights(o, at, &dim, 1, false);
}

/* Rounded to bfloat16, where the step's products are of such numbers. */
static Name operand(Onnx *o, const ModelStep *s, Name x) {
  return s->half ? cast(o, cast(o, x, TYPE_BFLOAT16), TYPE_FLOAT) : x;
}

/* x w^T + b. */
static Name product(Onnx *o, const ModelStep *s, Name x, size_t weight, size_t K, size_t N,
                    const Name *bias) {
  const int64_t dim[2] = {(int64_t)N, (int64_t)K};
  const Name in[3] = {operand(o, s, x), weights(o, weight, dim, 2, s->half),
                      bias ? *bias : named("")};
  attribute_int(o, "transB", 1);
  return node(o, "Gemm", in, bias ? 3 : 2);
}

static Name activated(Onnx *o, uint32_t act, Name x) {
  if (act == MODEL_TANH) return one(o, "Tanh", x);
  if (act == MODEL_RELU) return one(o, "Relu", x);
  if (act != MODEL_GELU) return x;
  const Name erf = one(o, "Erf", two(o, "Mul", x, scalar(o, 0.70710678118654752f)));
  const Name share = two(o, "Add", erf, scalar(o, 1));
  return two(o, "Mul", two(o, "Mul", x, scalar(o, 0.5f)), share);
}

/* Rows of planes in, channel by channel or place by place; rows of places out. */
static Name convolution(Onnx *o, const ModelStep *s, Name x) {
  const ModelConv *c = &s->conv;
  const int64_t C = c->channels, H = c->height, W = c->width, k = c->kernel;
  const int64_t dim[4] = {c->out_channels, C, k, k};
  const int64_t steps[2] = {c->stride, c->stride};
  const int64_t pads[4] = {c->pad, c->pad, c->pad, c->pad};
  x = operand(o, s, x);
  if (c->step_channel == 1 && C > 1) {
    x = reshape(o, x, (int64_t[]){-1, H, W, C}, 4);
    attribute_ints(o, "perm", (int64_t[]){0, 3, 1, 2}, 4);
    x = one(o, "Transpose", x);
  } else {
    x = reshape(o, x, (int64_t[]){-1, C, H, W}, 4);
  }
  const Name in[3] = {x, weights(o, s->weight, dim, 4, s->half),
                      vector(o, s->bias, c->out_channels)};
  attribute_ints(o, "kernel_shape", (int64_t[]){k, k}, 2);
  attribute_ints(o, "strides", steps, 2);
  attribute_ints(o, "pads", pads, 4);
  x = activated(o, s->act, node(o, "Conv", in, 3));
  attribute_ints(o, "perm", (int64_t[]){0, 2, 3, 1}, 4);
  x = one(o, "Transpose", x);
  return reshape(o, x, (int64_t[]){-1, o->m->tensor[s->out]}, 2);
}

static Name normalised(Onnx *o, const ModelStep *s, Name x, size_t N) {
  x = two(o, "Sub", x, vector(o, s->bias, N));
  x = two(o, "Mul", x, vector(o, s->weight, N));
  return three(o, "Clip", x, scalar(o, -10), scalar(o, 10));
}

/* A gate's part of both products. */
static Name gate(Onnx *o, Name g, Name u, size_t which, size_t H) {
  return two(o, "Add", columns(o, g, which * H, H), columns(o, u, which * H, H));
}

/* What enters from memory, and what is kept of it: *cell only of an LSTM. */
static Name recurrent(Onnx *o, const ModelStep *s, Name x, Name *cell) {
  const size_t K = o->m->tensor[s->in[0]];
  const size_t H = o->m->tensor[s->out];
  const size_t G = (s->op == MODEL_GRU ? 3 : 4) * H;
  const Name h = columns(o, o->memory, s->state_at, H);
  const Name b_x = vector(o, s->bias, G);
  const Name b_h = vector(o, s->bias_h, G);
  const Name g = product(o, s, x, s->weight, K, G, &b_x);
  const Name u = product(o, s, h, s->weight_h, H, G, &b_h);
  const Name first = one(o, "Sigmoid", gate(o, g, u, 0, H));
  const Name second = one(o, "Sigmoid", gate(o, g, u, 1, H));
  if (s->op == MODEL_GRU) {
    const Name inner = two(o, "Mul", first, columns(o, u, 2 * H, H));
    const Name now = one(o, "Tanh", two(o, "Add", columns(o, g, 2 * H, H), inner));
    return two(o, "Add", now, two(o, "Mul", second, two(o, "Sub", h, now)));
  }
  const Name before = columns(o, o->memory, s->state_at + H, H);
  const Name now = one(o, "Tanh", gate(o, g, u, 2, H));
  const Name show = one(o, "Sigmoid", gate(o, g, u, 3, H));
  *cell = two(o, "Add", two(o, "Mul", second, before), two(o, "Mul", first, now));
  return two(o, "Mul", show, one(o, "Tanh", *cell));
}

/* The sum over the last of three dimensions, which stays as one. */
static Name summed(Onnx *o, Name x) {
  const int64_t axis = 2;
  attribute_int(o, "keepdims", 1);
  return two(o, "ReduceSum", x, ints(o, &axis, 1));
}

static Name by_team(Onnx *o, Name x, size_t width) {
  return reshape(o, x, (int64_t[]){-1, o->m->team, (int64_t)width}, 3);
}

/* Shares of 1 of the scores (teams, N, N) that are heard: keep is 1 there, else 0. */
static Name shares(Onnx *o, Name score, Name keep) {
  const Name heard = two(o, "Greater", keep, scalar(o, 0));
  score = three(o, "Where", heard, score, scalar(o, -1e30f));
  attribute_ints(o, "axes", (int64_t[]){2}, 1);
  attribute_int(o, "keepdims", 1);
  const Name most = one(o, "ReduceMax", score);
  const Name share = two(o, "Mul", one(o, "Exp", two(o, "Sub", score, most)), keep);
  return two(o, "Div", share, two(o, "Max", summed(o, share), scalar(o, 1e-30f)));
}

/* 1 for the `top` highest scores of those that are heard, of equal ones the first. */
static Name top_of(Onnx *o, Name score, Name keep, size_t top) {
  const int64_t count = (int64_t)top;
  const Name heard = two(o, "Greater", keep, scalar(o, 0));
  score = three(o, "Where", heard, score, scalar(o, -1e30f));
  const Name in[2] = {score, ints(o, &count, 1)};
  const Name out[2] = {fresh(o), fresh(o)};
  attribute_int(o, "axis", 2);
  put_node(o, "TopK", in, 2, out, 2);
  const Name ones = two(o, "Add", two(o, "Mul", out[0], scalar(o, 0)), scalar(o, 1));
  const Name none = two(o, "Mul", keep, scalar(o, 0));
  attribute_int(o, "axis", 2);
  return two(o, "Mul", three(o, "ScatterElements", none, out[1], ones), keep);
}

/* What a team's agents hear of one another. */
static Name heard(Onnx *o, const ModelStep *s, const Name *at) {
  const Model *m = o->m;
  const size_t N = m->tensor[s->out];
  const Name keep = by_team(o, o->links, m->team);
  const Name said = by_team(o, at[s->in[s->inputs - 1]], N);
  Name share;
  if (s->op == MODEL_MIX) {
    share = two(o, "Div", keep, two(o, "Max", summed(o, keep), scalar(o, 1)));
  } else {
    const size_t D = m->tensor[s->in[1]];
    const Name query = by_team(o, at[s->in[1]], D);
    Name key = by_team(o, at[s->in[2]], D);
    attribute_ints(o, "perm", (int64_t[]){0, 2, 1}, 3);
    key = one(o, "Transpose", key);
    Name score = two(o, "MatMul", query, key);
    score = two(o, "Mul", score, scalar(o, 1.0f / sqrtf((float)D)));
    const bool few = s->top > 0 && s->top < m->team;
    share = shares(o, score, few ? top_of(o, score, keep, s->top) : keep);
  }
  return reshape(o, two(o, "MatMul", share, said), (int64_t[]){-1, (int64_t)N}, 2);
}

/* The same numbers on every row: a column of the input, times 0, has as many rows. */
static Name on_every_row(Onnx *o, Name input, Name row) {
  return two(o, "Add", two(o, "Mul", columns(o, input, 0, 1), scalar(o, 0)), row);
}

/* What a copy's network makes of the input. */
typedef struct Made {
  Name logits, spread, value;
  Name kept[2 * MODEL_STEPS]; /* pieces of the memory, with where they begin */
  size_t kept_at[2 * MODEL_STEPS];
  size_t pieces;
} Made;

static void keep(Made *made, size_t at, Name what) {
  size_t i = made->pieces++;
  for (; i > 0 && made->kept_at[i - 1] > at; i--) {
    made->kept_at[i] = made->kept_at[i - 1];
    made->kept[i] = made->kept[i - 1];
  }
  made->kept_at[i] = at;
  made->kept[i] = what;
}

static Name step(Onnx *o, const ModelStep *s, const Name *at, Made *made) {
  const Model *m = o->m;
  const size_t K = m->tensor[s->in[0]];
  const size_t N = m->tensor[s->out];
  const Name x = at[s->in[0]];
  Name cell = x;
  Name all[MODEL_INPUTS];
  for (size_t i = 0; i < s->inputs; i++)
    all[i] = at[s->in[i]];
  switch ((ModelOp)s->op) {
  case MODEL_DENSE: {
    const Name bias = vector(o, s->bias, N);
    return activated(o, s->act, product(o, s, x, s->weight, K, N, &bias));
  }
  case MODEL_PRODUCT: return product(o, s, x, s->weight, K, N, NULL);
  case MODEL_BROADCAST: return on_every_row(o, at[0], vector(o, s->bias, N));
  case MODEL_CONV: return convolution(o, s, x);
  case MODEL_NORM:
    attribute_int(o, "axis", -1);
    attribute_float(o, "epsilon", 1e-5f);
    return three(o, "LayerNormalization", x, vector(o, s->weight, N), vector(o, s->bias, N));
  case MODEL_NORMALISE: return normalised(o, s, x, N);
  case MODEL_RESCALE:
    return two(o, "Add", two(o, "Mul", columns(o, x, s->column, 1), vector(o, s->weight, 1)),
               vector(o, s->bias, 1));
  case MODEL_GRU:
  case MODEL_LSTM: {
    const Name y = recurrent(o, s, x, &cell);
    keep(made, s->state_at, y);
    if (s->op == MODEL_LSTM) keep(made, s->state_at + N, cell);
    return y;
  }
  case MODEL_JOIN: return beside(o, all, s->inputs);
  case MODEL_ADD:
    for (size_t i = 1; i < s->inputs; i++)
      all[0] = two(o, "Add", all[0], all[i]);
    return all[0];
  case MODEL_ACT: return activated(o, s->act, x);
  case MODEL_MIX:
  case MODEL_ATTEND: return heard(o, s, at);
  case MODEL_OPS: break;
  }
  return x;
}

static Made network(Onnx *o, Name input) {
  const Model *m = o->m;
  Name at[MODEL_STEPS + 2];
  Made made = {.pieces = 0};
  at[0] = input;
  if (m->links >= 0) at[m->links] = o->links;
  for (size_t i = 0; i < m->steps; i++)
    at[m->step[i].out] = step(o, &m->step[i], at, &made);
  made.logits = at[m->logits];
  made.value = at[m->value];
  if (m->spread >= 0) made.spread = at[m->spread];
  return made;
}

/* --- inputs --- */

/* An input or an output of the graph: (batch, dims), or (batch) where there are none. */
static Name boundary(Onnx *o, uint32_t field, const char *name, int type, const int64_t *dim,
                     size_t dims) {
  Bytes value = {0}, kind = {0}, form = {0}, shape = {0}, size = {0};
  proto_text(&size, 2, "batch");
  proto_message(&shape, 1, &size);
  for (size_t d = 0; d < dims; d++) {
    proto_int(&size, 1, (uint64_t)dim[d]);
    proto_message(&shape, 1, &size);
  }
  proto_int(&form, 1, (uint64_t)type);
  proto_message(&form, 2, &shape);
  proto_message(&kind, 1, &form);
  proto_text(&value, 1, name);
  proto_message(&value, 2, &kind);
  proto_message(&o->graph, field, &value);
  return named(name);
}

static Name graph_in(Onnx *o, const char *name, int type, int64_t width) {
  return boundary(o, 11, name, type, &width, width > 0);
}

/* A name for what the graph gives. */
static void graph_out(Onnx *o, Name what, const char *name, int type, int64_t width) {
  const Name out = boundary(o, 12, name, type, &width, width > 0);
  put_node(o, "Identity", &what, 1, &out, 1);
}

static bool is_box(const Model *m) {
  return m->rule == MODEL_NUMBERS || m->rule == MODEL_SQUASHED;
}

/* Whether the ranges of numbers are another agent's. */
static bool ranges_differ(const Model *m) {
  const size_t N = m->heads;
  for (size_t a = 1; is_box(m) && a < m->agents; a++)
    if (memcmp(m->low, m->low + a * N, N * sizeof *m->low) != 0 ||
        memcmp(m->high, m->high + a * N, N * sizeof *m->high) != 0)
      return true;
  return false;
}

static bool asks_who(const Model *m) {
  return m->ids > 0 || m->copies > 1 || ranges_differ(m);
}

/* Rows of a table (agents + 1, width): the last is nobody's. */
static Name by_agent(Onnx *o, const float *table, size_t width) {
  attribute_int(o, "axis", 0);
  return two(o, "Gather", floats(o, table, o->m->agents + 1, width), o->agents);
}

/* Each number `span` times. */
static Name spread_out(Onnx *o, Name x, size_t width) {
  const size_t span = o->m->span;
  if (span == 1) return x;
  int64_t *place = malloc(width * span * sizeof *place);
  if (!place) {
    o->graph.failed = true;
    return x;
  }
  for (size_t i = 0; i < width * span; i++)
    place[i] = (int64_t)(i / span);
  attribute_int(o, "axis", 1);
  x = two(o, "Gather", x, ints(o, place, width * span));
  free(place);
  return x;
}

/* A one-hot of who the agent is. */
static Name who_it_is(Onnx *o) {
  const Model *m = o->m;
  const size_t width = (size_t)m->ids * m->span;
  float *table = calloc((m->agents + 1) * width, sizeof *table);
  if (!table) {
    o->graph.failed = true;
    return o->agents;
  }
  for (size_t a = 0; a < m->agents; a++)
    for (size_t i = 0; i < m->span; i++)
      table[a * width + m->id_of[a] * m->span + i] = 1;
  const Name out = by_agent(o, table, width);
  free(table);
  return out;
}

/* 1 .. size, as a row. */
static Name counted(Onnx *o, size_t size) {
  float *number = malloc(size * sizeof *number);
  if (!number) {
    o->graph.failed = true;
    return scalar(o, 0);
  }
  for (size_t i = 0; i < size; i++)
    number[i] = (float)(i + 1);
  const Name out = floats(o, number, 1, size);
  free(number);
  return out;
}

/* What it did last: numbers, or a one-hot of each head's choice. */
static Name what_it_did(Onnx *o) {
  const Model *m = o->m;
  Name part[AGON_MAX_HEADS];
  if (is_box(m))
    return spread_out(o, columns(o, o->memory, m->recurrent, m->lasts), m->last_inputs);
  for (size_t h = 0; h < m->lasts; h++) {
    const Name choice = columns(o, o->memory, m->recurrent + h, 1);
    part[h] = cast(o, two(o, "Equal", choice, counted(o, m->head_size[h])), TYPE_FLOAT);
  }
  return spread_out(o, beside(o, part, m->lasts), m->last_inputs);
}

/* All inputs of the graph, and of them what the network reads. */
static Name inputs(Onnx *o) {
  const Model *m = o->m;
  const uint32_t *shape = o->file->shape;
  const int64_t most = m->agents;
  Name part[3];
  size_t parts = 1;
  const Name seen = boundary(o, 11, "observations", m->bytes ? TYPE_UINT8 : TYPE_FLOAT,
                             (int64_t[]){shape[0], shape[1], shape[2]}, 3);
  const size_t own = m->choices - (m->inner ? m->head_size[m->heads - 1] : 0);
  o->masks = cast(o, graph_in(o, "masks", TYPE_UINT8, (int64_t)own), TYPE_BOOL);
  if (asks_who(m))
    o->agents = two(o, "Min", graph_in(o, "agents", TYPE_INT64, 0), ints(o, &most, 1));
  if (m->memory) o->memory = graph_in(o, "memory", TYPE_FLOAT, m->memory);
  if (m->links >= 0) o->links = graph_in(o, "links", TYPE_FLOAT, m->team);
  part[0] =
      reshape(o, m->bytes ? cast(o, seen, TYPE_FLOAT) : seen, (int64_t[]){-1, m->observation}, 2);
  if (m->ids) part[parts++] = who_it_is(o);
  if (m->last_inputs) part[parts++] = what_it_did(o);
  return beside(o, part, parts);
}

/* --- outputs --- */

/* Of each copy's what belongs to the rows of its agents. */
static Name of_copy(Onnx *o, Name mine, Name a, Name b) {
  return three(o, "Where", mine, a, b);
}

static Made networks(Onnx *o, Name input) {
  const Model *m = o->m;
  o->copy = 0;
  Made all = network(o, input);
  if (m->copies == 1) return all;
  float *table = calloc(m->agents + 1, sizeof *table);
  if (!table) {
    o->graph.failed = true;
    return all;
  }
  for (size_t a = 0; a < m->agents; a++)
    table[a] = (float)m->copy_of[a];
  const Name which = by_agent(o, table, 1);
  free(table);
  for (o->copy = 1; o->copy < m->copies; o->copy++) {
    const Made made = network(o, input);
    const Name mine = two(o, "Equal", which, scalar(o, (float)o->copy));
    all.logits = of_copy(o, mine, made.logits, all.logits);
    all.value = of_copy(o, mine, made.value, all.value);
    if (m->spread >= 0) all.spread = of_copy(o, mine, made.spread, all.spread);
    for (size_t i = 0; i < all.pieces; i++)
      all.kept[i] = of_copy(o, mine, made.kept[i], all.kept[i]);
  }
  return all;
}

/* The likeliest choice, as a column of whole numbers. */
static Name best_of(Onnx *o, Name x) {
  attribute_int(o, "axis", 1);
  attribute_int(o, "keepdims", 1);
  return one(o, "ArgMax", x);
}

/* Probabilities of one head; where outputs are worths, all on the best, whose worth is added. */
static Name head(Onnx *o, Name x, size_t size, Name best, Name *worth) {
  if (o->m->rule != MODEL_WORTHS) {
    attribute_int(o, "axis", 1);
    return one(o, "Softmax", x);
  }
  attribute_ints(o, "axes", (int64_t[]){1}, 1);
  attribute_int(o, "keepdims", 1);
  *worth = two(o, "Add", *worth, one(o, "ReduceMax", x));
  const Name place = two(o, "Add", cast(o, best, TYPE_FLOAT), scalar(o, 1));
  return cast(o, two(o, "Equal", place, counted(o, size)), TYPE_FLOAT);
}

static void choices_out(Onnx *o, Made *made) {
  const Model *m = o->m;
  const size_t outer = m->heads - m->inner;
  Name probability[AGON_MAX_HEADS], action[AGON_MAX_HEADS];
  Name worth = two(o, "Mul", made->value, scalar(o, 0));
  size_t at = 0;
  for (size_t h = 0; h < outer; at += m->head_size[h++]) {
    const size_t size = m->head_size[h];
    const Name x = three(o, "Where", columns(o, o->masks, at, size),
                         columns(o, made->logits, at, size), scalar(o, MODEL_MASKED));
    action[h] = best_of(o, x);
    probability[h] = head(o, x, size, action[h], &worth);
  }
  if (m->rule == MODEL_WORTHS) made->value = worth;
  graph_out(o, beside(o, probability, outer), "probabilities", TYPE_FLOAT, (int64_t)at);
  graph_out(o, beside(o, action, outer), "actions", TYPE_INT64, (int64_t)outer);
}

/* A bound of numbers, or what is made of both: agent by agent, where these differ. */
static Name range_of(Onnx *o, float (*make)(float low, float high)) {
  const Model *m = o->m;
  const size_t N = m->heads;
  const size_t agents = m->agents + 1;
  float *table = malloc(agents * N * sizeof *table);
  if (!table) {
    o->graph.failed = true;
    return scalar(o, 0);
  }
  for (size_t a = 0; a < agents; a++)
    for (size_t h = 0; h < N; h++) {
      const size_t from = (a < m->agents ? a : 0) * N + h;
      table[a * N + h] = make(m->low[from], m->high[from]);
    }
  const Name out = ranges_differ(m) ? by_agent(o, table, N) : floats(o, table, 1, N);
  free(table);
  return out;
}

static float low_of(float low, float high) {
  (void)high;
  return low;
}

static float high_of(float low, float high) {
  (void)low;
  return high;
}

static float half_of(float low, float high) {
  return high / 2 - low / 2;
}

static float middle_of(float low, float high) {
  return low + half_of(low, high);
}

/* Means and deviations in the env's unit; what is masked is the middle, without any. */
static void numbers_out(Onnx *o, const Made *made) {
  const Model *m = o->m;
  const size_t N = m->heads;
  const Name there = cast(o, o->masks, TYPE_FLOAT);
  const Name half = range_of(o, half_of);
  Name mean = columns(o, made->logits, 0, N);
  if (m->rule == MODEL_SQUASHED) mean = one(o, "Tanh", mean);
  mean = two(o, "Mul", mean, there);
  Name deviation = two(o, "Mul", mean, scalar(o, 0));
  if (m->spread >= 0) deviation = two(o, "Mul", one(o, "Exp", made->spread), there);
  const Name real = two(o, "Add", range_of(o, middle_of), two(o, "Mul", half, mean));
  const Name both[2] = {real, two(o, "Mul", half, deviation)};
  graph_out(o, beside(o, both, 2), "probabilities", TYPE_FLOAT, 2 * (int64_t)N);
  const Name above = two(o, "Max", real, range_of(o, low_of));
  graph_out(o, two(o, "Min", above, range_of(o, high_of)), "actions", TYPE_FLOAT, (int64_t)N);
}

/* What layers keep; what was done last as it was, for the caller to put in; whether it speaks. */
static void memory_out(Onnx *o, const Made *made) {
  const Model *m = o->m;
  Name part[2 * MODEL_STEPS + 2];
  size_t parts = 0;
  for (; parts < made->pieces; parts++)
    part[parts] = made->kept[parts];
  if (m->lasts) part[parts++] = columns(o, o->memory, m->recurrent, m->lasts);
  if (m->gates)
    part[parts++] = cast(o, best_of(o, columns(o, made->logits, m->width - 2, 2)), TYPE_FLOAT);
  if (parts) graph_out(o, beside(o, part, parts), "memory_after", TYPE_FLOAT, m->memory);
}

/* --- the file --- */

static void put_property(Bytes *out, const char *key, const char *value) {
  Bytes property = {0};
  proto_text(&property, 1, key);
  proto_text(&property, 2, value);
  proto_message(out, 14, &property);
}

Status export_onnx(const AgentFile *file, Bytes *out) {
  Onnx o = {.file = file, .m = &file->model};
  Bytes opset = {0};
  Made made = networks(&o, inputs(&o));
  if (is_box(o.m))
    numbers_out(&o, &made);
  else
    choices_out(&o, &made);
  graph_out(&o, reshape(&o, made.value, (int64_t[]){-1}, 1), "values", TYPE_FLOAT, 0);
  memory_out(&o, &made);
  proto_text(&o.graph, 2, "agent");
  proto_int(out, 1, ONNX_IR);
  proto_text(out, 2, "agon");
  proto_text(out, 3, AGON_VERSION);
  proto_text(&opset, 1, "");
  proto_int(&opset, 2, ONNX_OPSET);
  proto_message(out, 8, &opset);
  proto_message(out, 7, &o.graph);
  put_property(out, "agon", file->metadata);
  bytes_free(&o.attributes);
  return out->failed ? status_set(ERR_MEMORY, "out of memory writing ONNX") : OK;
}
