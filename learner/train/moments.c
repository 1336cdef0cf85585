/* Running moments of observations and of value targets, over all members that share a player. */
#include "learner/train/moments.h"

#include <math.h>
#include <string.h>

#define STEADY 1e-4 /* added to variances of observations */

size_t moments_count(const Net *net) { return net->scale_at ? 2 * net->observation_count : 0; }

static double element(const Batch *batch, const Net *net, size_t index) {
  float value;
  if (net->observation_type == AGON_U8) return (double)batch->observation[index];
  memcpy(&value, batch->observation + index * 4, 4);
  return (double)value;
}

/* Sums of (x - centre) and of its square over this member's rows, into trainer->gap. */
static void sum_gaps(const Trainer *trainer) {
  const Batch *batch = trainer->batch;
  size_t N = trainer->net->observation_count;
  double *sum = trainer->gap, *square = sum + N;
  memset(sum, 0, 2 * N * sizeof *sum);
  for (size_t r = 0; r < batch->rows; r++)
    for (size_t i = 0; trainer->is_learned[r] && i < N; i++) {
      double gap = element(batch, trainer->net, r * N + i) - trainer->centre[i];
      sum[i] += gap;
      square[i] += gap * gap;
    }
}

void moments_open(const Trainer *trainer, float *out) {
  const Net *net = trainer->net;
  if (!net->scale_at) return;
  for (size_t i = 0; i < net->observation_count; i++)
    trainer->centre[i] = (double)trainer->pupil->block[net->mean_at + i];
  sum_gaps(trainer);
  for (size_t i = 0; i < net->observation_count; i++) out[i] = (float)trainer->gap[i];
}

void moments_centre(const Trainer *trainer, const float *sum) {
  double n = trainer->advantages.count;
  for (size_t i = 0; trainer->net->scale_at && n > 0 && i < trainer->net->observation_count; i++)
    trainer->centre[i] += (double)sum[i] / n;
}

void moments_gather(const Trainer *trainer, float *out) {
  const Net *net = trainer->net;
  if (!net->scale_at) return;
  sum_gaps(trainer);
  for (size_t i = 0; i < 2 * net->observation_count; i++) out[i] = (float)trainer->gap[i];
}

static void update_observations(const Trainer *trainer, const float *sum) {
  const Net *net = trainer->net;
  Pupil *pupil = trainer->pupil;
  size_t N = net->observation_count;
  double n = trainer->advantages.count, *count = pupil->stat, *mean = pupil->stat + 4, *square = mean + N,
         all = *count + n;
  for (size_t i = 0; i < N; i++) {
    double gap = (double)sum[i] / n, here = trainer->centre[i] + gap, spread = (double)sum[N + i] / n - gap * gap;
    mean[i] = (mean[i] * *count + n * here) / all;
    square[i] = (square[i] * *count + n * (spread + here * here)) / all;
    pupil->block[net->mean_at + i] = (float)mean[i];
    pupil->block[net->scale_at + i] = (float)(1.0 / sqrt(fmax(square[i] - mean[i] * mean[i], 0) + STEADY));
  }
  *count = all;
}

/* The value head is rescaled so that its real-unit outputs stay what they were (PopArt, van Hasselt et al. 2016, eq.
 * 9). */
static void update_returns(const Trainer *trainer) {
  const Net *net = trainer->net;
  const Spread *now = &trainer->targets;
  Pupil *pupil = trainer->pupil;
  float *old = pupil->block + net->return_at;
  double keep = trainer->config->return_decay, *stat = pupil->stat + 1;
  stat[0] = stat[0] * keep + (1 - keep); /* weight, mean, square */
  stat[1] = stat[1] * keep + (1 - keep) * now->mean;
  stat[2] = stat[2] * keep + (1 - keep) * (now->squares / now->count + now->mean * now->mean);
  double mean = stat[1] / stat[0], scale = sqrt(fmax(stat[2] / stat[0] - mean * mean, 1e-6));
  for (size_t v = 0; v < net->graph.views; v++) {
    const View *view = &net->graph.view[v];
    float *w = pupil->block + view->offset;
    if (!strcmp(view->name, "value.weight"))
      for (size_t i = 0; i < view->count; i++) w[i] = (float)((double)w[i] * (double)old[1] / scale);
    if (!strcmp(view->name, "value.bias"))
      w[0] = (float)(((double)w[0] * (double)old[1] + (double)old[0] - mean) / scale);
  }
  old[0] = (float)mean;
  old[1] = (float)scale;
}

void moments_apply(const Trainer *trainer, const float *sum) {
  if (trainer->advantages.count <= 0) return;
  if (trainer->net->scale_at) update_observations(trainer, sum);
  if (trainer->net->config.normalise_returns) update_returns(trainer);
}

void moments_copy(const Net *net, Pupil *pupil) {
  size_t N = net->observation_count;
  double *mean = pupil->stat + 4, *square = mean + N, *stat = pupil->stat + 1;
  for (size_t i = 0; net->scale_at && i < N; i++) {
    double scale = (double)pupil->block[net->scale_at + i];
    mean[i] = (double)pupil->block[net->mean_at + i];
    square[i] = fmax(1 / (scale * scale) - STEADY, 0) + mean[i] * mean[i];
  }
  double centre = (double)pupil->block[net->return_at], scale = (double)pupil->block[net->return_at + 1];
  stat[0] = 1;
  stat[1] = centre;
  stat[2] = scale * scale + centre * centre;
}
