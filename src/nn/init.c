/* Parameters at the start: orthogonal matrices (Saxe et al., arXiv 1312.6120), everything else such
 * that it changes nothing. */
#include "nn/graph.h"

#include <math.h>
#include <string.h>

/* Modified Gram-Schmidt over `count` vectors of `length` elements: element k of vector a is
 * w[a * jump + k * step]. */
static void orthogonalise(float *w, size_t count, size_t jump, size_t length, size_t step) {
  for (size_t a = 0; a < count; a++) {
    for (size_t b = 0; b < a; b++) {
      double dot = 0;
      for (size_t k = 0; k < length; k++)
        dot += (double)w[a * jump + k * step] * w[b * jump + k * step];
      for (size_t k = 0; k < length; k++)
        w[a * jump + k * step] -= (float)dot * w[b * jump + k * step];
    }
    double norm = 0;
    for (size_t k = 0; k < length; k++)
      norm += (double)w[a * jump + k * step] * w[a * jump + k * step];
    for (size_t k = 0; k < length; k++)
      w[a * jump + k * step] *= (float)(1.0 / sqrt(norm + 1e-30));
  }
}

/* Whichever of rows and columns are fewer can be made orthogonal to one another. */
void init_orthogonal(float *w, size_t rows, size_t columns, float gain, AgonRng *rng) {
  size_t count = rows < columns ? rows : columns;
  size_t length = rows < columns ? columns : rows;
  size_t step = rows < columns ? 1 : columns;
  size_t jump = rows < columns ? columns : 1;
  for (size_t i = 0; i < rows * columns; i++)
    w[i] = (float)rng_normal(rng);
  orthogonalise(w, count, jump, length, step);
  for (size_t i = 0; i < rows * columns; i++)
    w[i] *= gain;
}

/* A kernel of a convolution is a row, too. */
static void init_view(const View *view, float *params, float gain, AgonRng *rng) {
  init_orthogonal(params + view->offset, view->shape[0], view->count / view->shape[0], gain, rng);
}

void graph_init_orthogonal(const Graph *graph, float *params, const char *name, float gain,
                           AgonRng *rng) {
  for (size_t v = 0; v < graph->views; v++)
    if (!strcmp(graph->view[v].name, name)) init_view(&graph->view[v], params, gain, rng);
}

/* Numbers by which an op multiplies: 1. */
static void fill_ones(float *at, size_t count) {
  for (size_t i = 0; i < count; i++)
    at[i] = 1;
}

/* Matrices take from the stream in the order of the views. */
void graph_init(const Graph *graph, float *block, GraphGain gain, const void *context,
                AgonRng *rng) {
  memset(block, 0, (graph->params + graph->constants) * sizeof *block);
  for (size_t v = 0; v < graph->views; v++)
    if (graph->view[v].dims >= 2)
      init_view(&graph->view[v], block, gain(context, &graph->view[v]), rng);
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    if (op->ops == &op_norm || op->ops == &op_normalise)
      fill_ones(block + op->weight, op->in_width);
    if (op->ops == &op_rescale) block[op->weight] = 1;
  }
}
