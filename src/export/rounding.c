/* Rounding with compensation. A layer's outputs are off by (q - w) x, where q are its rounded
 * weights. Over many inputs that is (q - w)' G (q - w) on the average, G the mean of x x': so the
 * error of one weight is made good by moving those that are not yet rounded by -error * inverse(G
 * of those) * (G of those with it). The constant 1 of the bias is the last input, and is not
 * rounded. */
#include "export/rounding.h"

#include "libagon/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Wider layers are rounded number by number: G has the square of that many. */
enum { MOST_INPUTS = 1024 };
/* Added to G's diagonal, of its mean: what few examples show is not believed to the last. */
static const double damping = 0.01;

/* --- characters --- */

uint32_t rounding_half(uint32_t digits) {
  uint32_t range = 1;
  while (digits-- > 0)
    range *= EXPORT_SYMBOLS;
  return range / 2;
}

/* With a little room for what the division may round up. */
float rounding_unit(const float *row, size_t count, uint32_t digits) {
  const uint32_t half = rounding_half(digits);
  float most = 0;
  for (size_t i = 0; i < count; i++)
    most = fmaxf(most, fabsf(row[i]));
  return most / (float)(half - 2 - half / (1 << 20));
}

int64_t rounding_multiple(double x, float unit, uint32_t digits) {
  const double most = (double)rounding_half(digits) - 1;
  const double multiple = unit > 0 ? x / (double)unit : 0;
  return llround(fmin(fmax(multiple, -most), most));
}

/* --- pieces --- */

/* Whether the numbers at an offset are read as bfloat16 alone. */
static bool read_as_half(const Model *m, size_t at) {
  for (uint32_t i = 0; i < m->steps; i++) {
    const ModelStep *s = &m->step[i];
    const size_t K = m->tensor[s->in[0]];
    const size_t N = m->tensor[s->out];
    const bool dense = s->op == MODEL_DENSE || s->op == MODEL_PRODUCT;
    if (s->half && dense && at >= s->weight && at < s->weight + N * K) return true;
  }
  return false;
}

Status rounding_pieces(const AgentFile *file, uint32_t digits, Piece **out, size_t *count) {
  size_t at = 0;
  *count = 0;
  TRY_RETURN(NEW_ARRAY(*out, 2 * file->views + 1));
  while (at < file->model.stride) {
    size_t next = file->model.stride;
    const FormatView *found = NULL;
    for (size_t i = 0; i < file->views; i++) {
      const FormatView *view = &file->view[i];
      if (view->offset == at && view->count > 0) found = view;
      if (view->offset > at && view->offset < next) next = view->offset;
    }
    Piece piece = {at, 1, next - at, EXPORT_EXACT};
    if (found && found->dims >= 2 && found->count <= next - at && digits < EXPORT_EXACT) {
      const size_t rows = found->shape[0];
      piece = (Piece){at, rows, found->count / rows, digits};
      if (read_as_half(&file->model, at)) piece.digits = EXPORT_PAIR;
    }
    (*out)[(*count)++] = piece;
    at += piece.rows * piece.columns;
    if (*count > 2 * file->views) break;
  }
  return OK;
}

static float to_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Each number of a row by itself. */
static void round_row(float *row, size_t count, uint32_t digits) {
  const float unit = rounding_unit(row, count, digits);
  for (size_t i = 0; i < count; i++)
    row[i] = digits == EXPORT_PAIR ? to_half(row[i])
                                   : (float)rounding_multiple((double)row[i], unit, digits) * unit;
}

/* --- what goes into layers --- */

/* The sum of x x' over the rows that a step of a copy was given; 1 stands before each row. */
typedef struct Gram {
  size_t width; /* inputs and the 1; 0: none came */
  double *sum;  /* (width, width), of which what lies below the diagonal, and it, count */
} Gram;

typedef struct Watcher {
  const Model *m;
  Gram *gram; /* (copies, steps) */
  bool failed;
} Watcher;

static bool is_rounded(const Model *m, const ModelStep *s) {
  return (s->op == MODEL_DENSE || s->op == MODEL_PRODUCT) && !s->half &&
         m->tensor[s->in[0]] <= MOST_INPUTS;
}

/* Of ModelRows: notes the inputs of a step. */
static void watch(void *own, size_t copy, size_t step, const float *x, size_t R) {
  Watcher *watcher = own;
  const Model *m = watcher->m;
  const size_t K = m->tensor[m->step[step].in[0]];
  Gram *gram = &watcher->gram[copy * m->steps + step];
  if (!is_rounded(m, &m->step[step]) || watcher->failed) return;
  if (!gram->sum) {
    gram->width = K + 1;
    gram->sum = calloc(gram->width * gram->width, sizeof *gram->sum);
    if (!gram->sum) watcher->failed = true;
    if (!gram->sum) return;
  }
  for (size_t r = 0; r < R; r++, x += K) {
    gram->sum[0] += 1;
    for (size_t i = 0; i < K; i++) {
      double *line = gram->sum + (i + 1) * gram->width;
      const double value = (double)x[i];
      if (value == 0) continue;
      line[0] += value;
      for (size_t j = 0; j <= i; j++)
        line[j + 1] += value * (double)x[j];
    }
  }
}

/* Runs the agent over the examples. */
static Status look(const AgentFile *file, const Examples *examples, Watcher *watcher) {
  Status status = OK;
  const Model *m = &file->model;
  const RunOps *ops = run_ops();
  float *packed = NULL;
  float *scratch = NULL;
  float *memory = NULL;
  size_t *source = NULL;
  ModelFault fault;
  TRY(NEW_ARRAY(packed, m->copies * ops->packed(m)));
  TRY(NEW_ARRAY(scratch, ops->scratch(m)));
  TRY(NEW_ARRAY(memory, examples->rows * m->memory + 1));
  TRY(NEW_ARRAY(source, ops->chunk(m)));
  if (m->memory) memcpy(memory, examples->memory.data, examples->rows * m->memory * sizeof *memory);
  const ModelRows rows = {.count = examples->rows,
                          .observations = examples->observation.data,
                          .masks = examples->mask.data,
                          .agents = (const uint32_t *)(const void *)examples->agent.data,
                          .alive = examples->alive.data,
                          .acts = examples->acts.data,
                          .positions = (const float *)(const void *)examples->position.data,
                          .memory = memory,
                          .greedy = true,
                          .watch = watch,
                          .watcher = watcher};
  ops->pack(m, packed);
  ops->act(m, packed, scratch, source, &rows, &fault);
  if (watcher->failed) TRY(status_set(ERR_MEMORY, "out of memory rounding an agent's numbers"));
done:
  free(packed);
  free(scratch);
  free(memory);
  free(source);
  return status;
}

/* --- compensation --- */

/* What a step's rows are rounded by: an order of its inputs, last first, and how those before one
 * make up for its error. */
typedef struct Plan {
  size_t M, first; /* inputs, the constant among them; first: which is rounded last */
  uint32_t *input; /* (M) which input of Gram, those of most weight in the examples last */
  double *factor;  /* (M, M) lower: G = factor factor' */
  double *share;   /* (M, M) lower: row k: what moves when k is off by -1 */
  double *row;     /* (M) a row's numbers, in that order */
} Plan;

static void plan_destroy(Plan *plan) {
  free(plan->input);
  free(plan->factor);
  free(plan->share);
  free(plan->row);
}

static double entry(const Gram *gram, size_t i, size_t j) {
  return gram->sum[i > j ? i * gram->width + j : j * gram->width + i];
}

/* Those that are seldom there first: they are rounded last and can make up for others. */
static void sort_inputs(const Gram *gram, Plan *plan) {
  for (size_t i = 0; i < plan->M; i++)
    plan->input[i] = (uint32_t)(i + gram->width - plan->M);
  for (size_t i = plan->first + 1; i < plan->M; i++) {
    const uint32_t one = plan->input[i];
    size_t at = i;
    for (; at > plan->first &&
           entry(gram, plan->input[at - 1], plan->input[at - 1]) > entry(gram, one, one);
         at--)
      plan->input[at] = plan->input[at - 1];
    plan->input[at] = one;
  }
}

/* Cholesky's factor of G; false: there is none, as no numbers went in. */
static bool factorise(const Gram *gram, Plan *plan) {
  const size_t M = plan->M;
  double *c = plan->factor;
  double mean = 0;
  for (size_t i = 0; i < M; i++)
    mean += entry(gram, plan->input[i], plan->input[i]) / (double)M;
  for (size_t i = 0; i < M; i++)
    for (size_t j = 0; j <= i; j++) {
      double sum = entry(gram, plan->input[i], plan->input[j]) + (i == j ? damping * mean : 0);
      for (size_t k = 0; k < j; k++)
        sum -= c[i * M + k] * c[j * M + k];
      if (i == j && !(sum > 0)) return false;
      c[i * M + j] = i == j ? sqrt(sum) : sum / c[j * M + j];
    }
  return true;
}

/* Row k: inverse(G of those before k) * (G of those with k), by the factor's triangles. */
static void find_shares(Plan *plan) {
  const size_t M = plan->M;
  const double *c = plan->factor;
  for (size_t k = 0; k < M; k++) {
    double *share = plan->share + k * M;
    memcpy(share, c + k * M, k * sizeof *share);
    for (size_t i = k; i-- > 0;) {
      share[i] /= c[i * M + i];
      for (size_t j = 0; j < i; j++)
        share[j] -= c[i * M + j] * share[i];
    }
  }
}

/* *out is the caller's (plan_destroy), on failure too; *made: whether there is one. */
static Status plan_create(const Gram *gram, bool constant, Plan *out, bool *made) {
  const size_t M = constant ? gram->width : gram->width - 1;
  *out = (Plan){.M = M, .first = constant};
  TRY_RETURN(NEW_ARRAY(out->input, M));
  TRY_RETURN(NEW_ARRAY(out->factor, M * M));
  TRY_RETURN(NEW_ARRAY(out->share, M * M));
  TRY_RETURN(NEW_ARRAY(out->row, M));
  sort_inputs(gram, out);
  *made = factorise(gram, out);
  if (*made) find_shares(out);
  return OK;
}

/* A row of a matrix; returns what is to be added to its bias. */
static double round_by_plan(const Plan *plan, uint32_t digits, float *x, size_t K) {
  const size_t M = plan->M;
  const float unit = rounding_unit(x, K, digits);
  double *w = plan->row;
  for (size_t i = plan->first; i < M; i++)
    w[i] = (double)x[plan->input[i] - 1];
  w[0] = plan->first ? 0 : w[0];
  for (size_t k = M; k-- > plan->first;) {
    const float rounded = (float)rounding_multiple(w[k], unit, digits) * unit;
    const double error = (double)rounded - w[k];
    const double *share = plan->share + k * M;
    x[plan->input[k] - 1] = rounded;
    for (size_t i = 0; i < k; i++)
      w[i] -= error * share[i];
  }
  return plan->first ? w[0] : 0;
}

/* A step of a copy; `from` are its numbers as they were. */
static Status round_step(const Model *m, const ModelStep *s, const Gram *gram, uint32_t digits,
                         const float *from, float *block) {
  Status status = OK;
  Plan plan = {0};
  bool made = false;
  const bool constant = s->op == MODEL_DENSE;
  const size_t K = m->tensor[s->in[0]];
  TRY(plan_create(gram, constant, &plan, &made));
  for (size_t n = 0; made && n < m->tensor[s->out]; n++) {
    memcpy(block + s->weight + n * K, from + s->weight + n * K, K * sizeof *block);
    const double more = round_by_plan(&plan, digits, block + s->weight + n * K, K);
    if (constant) block[s->bias + n] = (float)((double)from[s->bias + n] + more);
  }
done:
  plan_destroy(&plan);
  return status;
}

Status export_rounded(const AgentFile *file, const Examples *examples, uint32_t digits,
                      float *block) {
  Status status = OK;
  const Model *m = &file->model;
  const size_t grams = (size_t)m->copies * m->steps;
  Watcher watcher = {.m = m};
  Piece *piece = NULL;
  size_t count;
  memcpy(block, m->block, file->parameters * sizeof *block);
  TRY(rounding_pieces(file, digits, &piece, &count));
  for (size_t c = 0; c < m->copies; c++)
    for (size_t p = 0; p < count; p++)
      for (size_t r = 0; r < piece[p].rows && piece[p].digits < EXPORT_EXACT; r++)
        round_row(block + c * m->stride + piece[p].at + r * piece[p].columns, piece[p].columns,
                  piece[p].digits);
  if (digits >= EXPORT_EXACT || !examples || examples->rows == 0) goto done;
  TRY(NEW_ARRAY(watcher.gram, grams));
  TRY(look(file, examples, &watcher));
  for (size_t i = 0; i < grams; i++)
    if (watcher.gram[i].sum)
      TRY(round_step(m, &m->step[i % m->steps], &watcher.gram[i], digits,
                     m->block + i / m->steps * m->stride, block + i / m->steps * m->stride));
done:
  for (size_t i = 0; watcher.gram && i < grams; i++)
    free(watcher.gram[i].sum);
  free(watcher.gram);
  free(piece);
  return status;
}
