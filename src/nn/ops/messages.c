/* What agents of a team tell one another. Who hears whom is an input of its own, `links` (R, N):
 * row i's agent hears agent j of its team with weight links[i * N + j]; what has weight 0 is passed
 * over, so that it makes no difference what an agent would say that nobody hears. Sums go over the
 * team's agents in their order. No gradient goes to the links. */
#include "nn/graph.h"

#include <math.h>
#include <string.h>

/* The sum of an agent's links, or 1 where it is less: who hears nobody is told 0. */
static float heard_by(const float *links, size_t N) {
  float sum = 0;
  for (size_t j = 0; j < N; j++)
    sum += links[j];
  return sum > 1.0f ? sum : 1.0f;
}

static void add_scaled(float *restrict y, float scale, const float *restrict x, size_t count) {
  for (size_t i = 0; i < count; i++)
    y[i] += scale * x[i];
}

static float dot(const float *restrict a, const float *restrict b, size_t count) {
  float sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += a[i] * b[i];
  return sum;
}

void mix_forward(float *y, const float *links, const float *x, size_t R, size_t N, size_t W) {
  memset(y, 0, R * W * sizeof *y);
  for (size_t r = 0; r < R; r++) {
    const float *link = links + r * N;
    const float *team = x + r / N * N * W;
    float each = 1.0f / heard_by(link, N);
    for (size_t j = 0; j < N; j++)
      if (link[j] > 0.0f) add_scaled(y + r * W, link[j] * each, team + j * W, W);
  }
}

void mix_backward(float *dx, float beta, const float *dy, const float *links, size_t R, size_t N,
                  size_t W) {
  for (size_t i = 0; i < R * W; i++)
    dx[i] = beta == 0.0f ? 0.0f : beta * dx[i];
  for (size_t r = 0; r < R; r++) {
    const float *link = links + r * N;
    float *team = dx + r / N * N * W;
    float each = 1.0f / heard_by(link, N);
    for (size_t j = 0; j < N; j++)
      if (link[j] > 0.0f) add_scaled(team + j * W, link[j] * each, dy + r * W, W);
  }
}

/* Whether score j is behind that at `last`: lower, or equal and later. */
static bool is_behind(const float *score, size_t j, size_t last) {
  return score[j] < score[last] || (!(score[j] > score[last]) && j > last);
}

/* The place of the highest score behind that at `last` (N: of all); N: there is none. What is not
 * heard has -INFINITY. */
static size_t next_best(const float *score, size_t N, size_t last) {
  size_t best = N;
  for (size_t j = 0; j < N; j++) {
    if (isinf(score[j]) || (last < N && !is_behind(score, j, last))) continue;
    if (best == N || score[j] > score[best]) best = j;
  }
  return best;
}

/* Of more scores than `top` only the highest are heard, of equal ones the first. */
static void keep_best(float *score, size_t N, size_t top) {
  size_t last = N;
  for (size_t k = 0; k < top; k++) {
    size_t next = next_best(score, N, last);
    if (next == N) return;
    last = next;
  }
  for (size_t j = 0; last < N && j < N; j++)
    if (is_behind(score, j, last)) score[j] = -INFINITY;
}

/* Scores become shares of 1; all 0 where nothing is heard. */
static void share_out(float *score, size_t N) {
  float most = -INFINITY;
  float sum = 0;
  for (size_t j = 0; j < N; j++)
    if (score[j] > most) most = score[j];
  for (size_t j = 0; j < N; j++) {
    score[j] = isinf(score[j]) ? 0.0f : expf(score[j] - most);
    sum += score[j];
  }
  for (size_t j = 0; sum > 0.0f && j < N; j++)
    score[j] /= sum;
}

void attend_forward(float *y, float *share, const float *links, const float *query,
                    const float *key, const float *x, size_t top, const Attention *size) {
  const size_t N = size->N;
  const size_t D = size->D;
  const size_t W = size->W;
  const float scale = 1.0f / sqrtf((float)D);
  memset(y, 0, size->R * W * sizeof *y);
  for (size_t r = 0; r < size->R; r++) {
    const size_t first = r / N * N;
    float *own = share + r * N;
    for (size_t j = 0; j < N; j++)
      own[j] = links[r * N + j] > 0.0f ? scale * dot(query + r * D, key + (first + j) * D, D)
                                       : -INFINITY;
    if (top > 0) keep_best(own, N, top);
    share_out(own, N);
    for (size_t j = 0; j < N; j++)
      if (own[j] > 0.0f) add_scaled(y + r * W, own[j], x + (first + j) * W, W);
  }
}

/* The gradient of each score from those of the shares: d_j = share_j (g_j - sum_l share_l g_l). */
void attend_backward(float *d_query, float *d_key, float *d_x, const float *dy, const float *share,
                     const float *query, const float *key, const float *x, float *slope,
                     const Attention *size) {
  const size_t N = size->N;
  const size_t D = size->D;
  const size_t W = size->W;
  const float scale = 1.0f / sqrtf((float)D);
  for (size_t r = 0; r < size->R; r++) {
    const size_t first = r / N * N;
    const float *own = share + r * N;
    float mean = 0;
    for (size_t j = 0; j < N; j++) {
      slope[j] = own[j] > 0.0f ? dot(dy + r * W, x + (first + j) * W, W) : 0.0f;
      mean += own[j] * slope[j];
    }
    for (size_t j = 0; j < N; j++) {
      if (!(own[j] > 0.0f)) continue;
      float by_score = scale * own[j] * (slope[j] - mean);
      if (d_x) add_scaled(d_x + (first + j) * W, own[j], dy + r * W, W);
      if (d_query) add_scaled(d_query + r * D, by_score, key + (first + j) * D, D);
      if (d_key) add_scaled(d_key + (first + j) * D, by_score, query + r * D, D);
    }
  }
}

/* --- as ops --- */

/* Links have a column for each agent of the team. */
static bool mix_fits(const Graph *graph, const Op *op) {
  return op->level == LEVEL_AGENT && op->inputs == 2 && op->in_width == graph->cells;
}

static void mix_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)name;
  op->out_width = op->widths[1];
}

/* Brings a gradient to where sums can be added: nothing, or what the other readers have asked. */
static void begin_sum(float *dx, float beta, size_t count) {
  for (size_t i = 0; dx && i < count; i++)
    dx[i] = beta == 0.0f ? 0.0f : beta * dx[i];
}

static void mix_run(const OpRun *run) {
  const Op *op = run->op;
  mix_forward(run->y, run->x[0], run->x[1], run->rows, op->cells, op->out_width);
}

static void mix_run_back(const OpRun *run) {
  const Op *op = run->op;
  begin_sum(run->dx[0], op->beta[0], run->rows * op->in_width);
  if (run->dx[1])
    mix_backward(run->dx[1], op->beta[1], run->dy, run->x[0], run->rows, op->cells, op->out_width);
}

static double mix_flops(const Op *op) {
  return 2.0 * (double)(op->cells * op->out_width);
}

const OpOps op_mix = {
    .name = "mix",
    .fits = mix_fits,
    .shape = mix_shape,
    .forward = mix_run,
    .backward = mix_run_back,
    .flops = mix_flops,
};

static bool attend_fits(const Graph *graph, const Op *op) {
  return op->level == LEVEL_AGENT && op->inputs == 4 && op->in_width == graph->cells &&
         op->widths[1] == op->widths[2];
}

/* What each agent's attention is on is kept for the backward pass. */
static void attend_shape(Graph *graph, Op *op, const char *name) {
  (void)name;
  op->out_width = op->widths[3];
  op->keep_width = graph->cells;
}

static Attention attention_of(const OpRun *run) {
  const Op *op = run->op;
  return (Attention){.R = run->rows, .N = op->cells, .D = op->widths[1], .W = op->out_width};
}

static void attend_run(const OpRun *run) {
  const Attention size = attention_of(run);
  attend_forward(run->y, run->keep, run->x[0], run->x[1], run->x[2], run->x[3], run->op->top,
                 &size);
}

static void attend_run_back(const OpRun *run) {
  const Op *op = run->op;
  const Attention size = attention_of(run);
  for (size_t k = 0; k < op->inputs; k++)
    begin_sum(run->dx[k], op->beta[k], run->rows * op->widths[k]);
  attend_backward(run->dx[1], run->dx[2], run->dx[3], run->dy, run->keep, run->x[1], run->x[2],
                  run->x[3], run->scratch, &size);
}

static size_t attend_scratch(const Op *op, bool training) {
  return training ? op->cells : 0;
}

static double attend_flops(const Op *op) {
  return 2.0 * (double)(op->cells * (op->widths[1] + op->out_width));
}

const OpOps op_attend = {
    .name = "attend",
    .fits = attend_fits,
    .shape = attend_shape,
    .forward = attend_run,
    .backward = attend_run_back,
    .flops = attend_flops,
    .scratch = attend_scratch,
};
