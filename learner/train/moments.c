/* Running moments of observations and of value targets, over all members that share a player. */
#include "learner/train/moments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEADY 1e-4 /* added to variances of observations */

Status moments_create(const Net *net, Moments *out) {
  *out = (Moments){.net = net};
  TRY_RETURN(NEW_ARRAY(out->centre, net->observation_count));
  return NEW_ARRAY(out->gap, 2 * net->observation_count);
}

void moments_free(Moments *moments) {
  free(moments->centre);
  free(moments->gap);
  *moments = (Moments){0};
}

/* Floats that the normalisers of observations add up over members; 0 without normalisation. */
size_t moments_count(const Net *net) {
  return net->scale_at ? 2 * net->observation_count : 0;
}

/* One number of an observation, whatever the env's type. */
static double element(const Batch *batch, const Net *net, size_t index) {
  float value;
  if (net->observation_type == AGON_U8) return (double)batch->observation[index];
  memcpy(&value, batch->observation + index * 4, 4);
  return (double)value;
}

/* Sums of (x - centre) and of its square over this member's cells, into moments->gap. */
static void sum_gaps(Moments *moments, const Batch *batch, const bool *is_learned) {
  const Net *net = moments->net;
  size_t N = net->observation_count;
  double *sum = moments->gap;
  double *square = sum + N;
  memset(sum, 0, 2 * N * sizeof *sum);
  for (size_t r = 0; r < batch->rows * format_cells(&batch->format); r++)
    for (size_t i = 0; is_learned[r] && i < N; i++) {
      double gap = element(batch, net, r * N + i) - moments->centre[i];
      sum[i] += gap;
      square[i] += gap * gap;
    }
}

/* First of two rounds: sums of gaps to the running mean, by which members agree on the batch's own
 * mean. Sums around a near mean lose nothing to cancellation in float32, as sums of squares around
 * 0 would. */
void moments_open(Moments *moments, const TrainState *state, const Batch *batch,
                  const bool *is_learned, float *out) {
  const Net *net = moments->net;
  if (!net->scale_at) return;
  for (size_t i = 0; i < net->observation_count; i++)
    moments->centre[i] = (double)state->block[net->mean_at + i];
  sum_gaps(moments, batch, is_learned);
  for (size_t i = 0; i < net->observation_count; i++)
    out[i] = (float)moments->gap[i];
}

/* From the first round's sums over all members (`sum`) to the batch's mean. */
void moments_centre(Moments *moments, double rows, const float *sum) {
  const Net *net = moments->net;
  for (size_t i = 0; net->scale_at && rows > 0 && i < net->observation_count; i++)
    moments->centre[i] += (double)sum[i] / rows;
}

/* Second round: gaps and squares around the batch's mean. */
void moments_gather(Moments *moments, const Batch *batch, const bool *is_learned, float *out) {
  const Net *net = moments->net;
  if (!net->scale_at) return;
  sum_gaps(moments, batch, is_learned);
  for (size_t i = 0; i < 2 * net->observation_count; i++)
    out[i] = (float)moments->gap[i];
}

/* The running mean and mean square take in the batch, each row counting alike; then the block's
 * constants, by which the network normalises: (x - mean) * scale, scale = 1 / sqrt(variance +
 * STEADY). */
void moments_observations(const Moments *moments, TrainState *state, double rows,
                          const float *sum) {
  const Net *net = moments->net;
  if (!net->scale_at) return;
  size_t N = net->observation_count;
  double *count = state->stat;
  double *mean = state->stat + 4;
  double *square = mean + N;
  double all = *count + rows;
  for (size_t i = 0; i < N; i++) {
    double gap = (double)sum[i] / rows;
    double here = moments->centre[i] + gap;
    double spread = (double)sum[N + i] / rows - gap * gap;
    mean[i] = (mean[i] * *count + rows * here) / all;
    square[i] = (square[i] * *count + rows * (spread + here * here)) / all;
    state->block[net->mean_at + i] = (float)mean[i];
    state->block[net->scale_at + i] =
        (float)(1.0 / sqrt(fmax(square[i] - mean[i] * mean[i], 0) + STEADY));
  }
  *count = all;
}

/* The value head of one copy of the weights, from the unit `old` to another. */
static void rescale_values(const Graph *graph, float *copy, const float old[2], double mean,
                           double scale) {
  for (size_t v = 0; v < graph->views; v++) {
    const View *view = &graph->view[v];
    float *w = copy + view->offset;
    if (!strcmp(view->name, "value.weight"))
      for (size_t i = 0; i < view->count; i++)
        w[i] = (float)((double)w[i] * (double)old[1] / scale);
    if (!strcmp(view->name, "value.bias"))
      for (size_t i = 0; i < view->count; i++)
        w[i] = (float)(((double)w[i] * (double)old[1] + (double)old[0] - mean) / scale);
  }
}

double moments_deviation(const TrainState *state) {
  const double *stat = state->stat + 1; /* weight, mean, square */
  double mean = stat[1] / stat[0];
  return sqrt(fmax(stat[2] / stat[0] - mean * mean, 1e-6));
}

/* A head moves to another unit so that its real-unit outputs stay what they were (PopArt, van
 * Hasselt et al. 2016, eq. 9). Of several copies each has its constants; all are alike. */
static void rescale_head(const ValueHead *head, double mean, double scale) {
  float *old = head->block + head->return_at;
  for (size_t k = 0; k < head->copies; k++)
    rescale_values(head->graph, head->block + k * head->stride, old, mean, scale);
  for (size_t k = 0; k < head->copies; k++) {
    old[k * head->stride] = (float)mean;
    old[k * head->stride + 1] = (float)scale;
  }
}

void moments_returns(const ValueHead *head, size_t heads, TrainState *state, const Spread *targets,
                     double keep) {
  double *stat = state->stat + 1;
  if (!head->normalises && !head->watches) return;
  stat[0] = stat[0] * keep + (1 - keep); /* weight, mean, square */
  stat[1] = stat[1] * keep + (1 - keep) * targets->mean;
  stat[2] = stat[2] * keep +
            (1 - keep) * (targets->squares / targets->count + targets->mean * targets->mean);
  if (!head->normalises) return;
  double mean = stat[1] / stat[0];
  double scale = moments_deviation(state);
  for (size_t i = 0; i < heads; i++)
    rescale_head(&head[i], mean, scale);
}

/* A policy that is copied brings its constants along; the running moments are worked out backwards
 * from them. */
void moments_copy(const Net *net, TrainState *state) {
  size_t N = net->observation_count;
  double *mean = state->stat + 4;
  double *square = mean + N;
  double *stat = state->stat + 1;
  for (size_t i = 0; net->scale_at && i < N; i++) {
    double scale = (double)state->block[net->scale_at + i];
    mean[i] = (double)state->block[net->mean_at + i];
    square[i] = fmax(1 / (scale * scale) - STEADY, 0) + mean[i] * mean[i];
  }
  double centre = (double)state->block[net->return_at];
  double scale = (double)state->block[net->return_at + 1];
  stat[0] = 1;
  stat[1] = centre;
  stat[2] = scale * scale + centre * centre;
}
