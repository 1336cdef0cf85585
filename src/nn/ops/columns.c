/* Inputs of a graph beside the first, and ops that only move numbers: columns, and rows between the
 * level of agents and that of teams. Row (t, b, n) of the agent level is row (t * B + b) * N + n:
 * what a team's agents have lies side by side, so that folding is no more than another way to say
 * it. */
#include "nn/graph.h"

#include <string.h>

/* The width is the caller's to say. */
static void given_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)op;
  (void)name;
}

/* Nothing to do: the numbers are there already. */
static void leave(const OpRun *run) {
  (void)run;
}

const OpOps op_input = {
    .name = "input",
    .shape = given_shape,
    .forward = leave,
    .backward = leave,
};

/* --- columns --- */

static bool slice_fits(const Graph *graph, const Op *op) {
  return op->out_width > 0 && op->column + op->out_width <= graph->width[op->in[0]];
}

static void slice_run(const OpRun *run) {
  const Op *op = run->op;
  const float *from = run->x[0] + op->column;
  for (size_t r = 0; r < run->rows; r++)
    memcpy(run->y + r * op->out_width, from + r * op->in_width, op->out_width * sizeof *run->y);
}

/* The first to write a gradient says of the other columns that they have none of it. */
static void slice_run_back(const OpRun *run) {
  const Op *op = run->op;
  float *dx = run->dx[0];
  if (!dx) return;
  if (op->beta[0] == 0.0f) memset(dx, 0, run->rows * op->in_width * sizeof *dx);
  for (size_t r = 0; r < run->rows; r++)
    op_put(dx + r * op->in_width + op->column, 1.0f, run->dy + r * op->out_width, op->out_width);
}

const OpOps op_slice = {
    .name = "slice",
    .fits = slice_fits,
    .shape = given_shape,
    .forward = slice_run,
    .backward = slice_run_back,
};

static void join_shape(Graph *graph, Op *op, const char *name) {
  (void)name;
  op->out_width = 0;
  for (size_t k = 0; k < op->inputs; k++)
    op->out_width += graph->width[op->in[k]];
}

static void join_run(const OpRun *run) {
  const Op *op = run->op;
  size_t column = 0;
  for (size_t k = 0; k < op->inputs; k++) {
    size_t width = op->widths[k];
    for (size_t r = 0; r < run->rows; r++)
      memcpy(run->y + r * op->out_width + column, run->x[k] + r * width, width * sizeof *run->y);
    column += width;
  }
}

static void join_run_back(const OpRun *run) {
  const Op *op = run->op;
  size_t column = 0;
  for (size_t k = 0; k < op->inputs; k++) {
    size_t width = op->widths[k];
    for (size_t r = 0; run->dx[k] && r < run->rows; r++)
      op_put(run->dx[k] + r * width, op->beta[k], run->dy + r * op->out_width + column, width);
    column += width;
  }
}

const OpOps op_join = {
    .name = "join",
    .shape = join_shape,
    .forward = join_run,
    .backward = join_run_back,
};

/* --- levels --- */

static bool fold_fits(const Graph *graph, const Op *op) {
  (void)graph;
  return op->level == LEVEL_AGENT;
}

static void fold_shape(Graph *graph, Op *op, const char *name) {
  (void)name;
  op->out_width = op->in_width * graph->cells;
  op->level = LEVEL_TEAM;
}

/* Where the numbers lie is the same on both sides. */
static void same_run_back(const OpRun *run) {
  const Op *op = run->op;
  if (run->dx[0]) op_put(run->dx[0], op->beta[0], run->dy, run->rows * op->out_width);
}

const OpOps op_fold = {
    .name = "fold",
    .same_value = true,
    .fits = fold_fits,
    .shape = fold_shape,
    .forward = leave,
    .backward = same_run_back,
};

static bool unfold_fits(const Graph *graph, const Op *op) {
  return op->level == LEVEL_TEAM && graph->width[op->in[0]] % graph->cells == 0;
}

static void unfold_shape(Graph *graph, Op *op, const char *name) {
  (void)name;
  op->out_width = op->in_width / graph->cells;
  op->level = LEVEL_AGENT;
}

const OpOps op_unfold = {
    .name = "unfold",
    .same_value = true,
    .fits = unfold_fits,
    .shape = unfold_shape,
    .forward = leave,
    .backward = same_run_back,
};

static bool spread_fits(const Graph *graph, const Op *op) {
  (void)graph;
  return op->level == LEVEL_TEAM;
}

static void spread_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)name;
  op->out_width = op->in_width;
  op->level = LEVEL_AGENT;
}

static void spread_run(const OpRun *run) {
  const Op *op = run->op;
  for (size_t r = 0; r < run->rows; r++)
    memcpy(run->y + r * op->out_width, run->x[0] + r / op->cells * op->out_width,
           op->out_width * sizeof *run->y);
}

/* What all agents read gets the sum of their gradients. */
static void spread_run_back(const OpRun *run) {
  const Op *op = run->op;
  size_t N = op->out_width;
  for (size_t r = 0; run->dx[0] && r < run->rows; r++) {
    float beta = r % op->cells == 0 ? op->beta[0] : 1.0f;
    op_put(run->dx[0] + r / op->cells * N, beta, run->dy + r * N, N);
  }
}

const OpOps op_spread = {
    .name = "spread",
    .fits = spread_fits,
    .shape = spread_shape,
    .forward = spread_run,
    .backward = spread_run_back,
};

/* --- where gradients end --- */

static void stop_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)name;
  op->out_width = op->in_width;
}

/* If nobody has written the input's gradient yet, it has begun with nothing. */
static void stop_run_back(const OpRun *run) {
  const Op *op = run->op;
  if (run->dx[0] && op->beta[0] == 0.0f)
    memset(run->dx[0], 0, run->rows * op->out_width * sizeof *run->dx[0]);
}

const OpOps op_stop = {
    .name = "stop",
    .same_value = true,
    .stops = true,
    .shape = stop_shape,
    .forward = leave,
    .backward = stop_run_back,
};
