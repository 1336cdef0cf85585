/* Running moments of observations and of value targets, over all members that share a player. What a member adds is
 * measured from the present mean, so that float32 sums keep their digits. */
#include "learner/algos/moments.h"

#include <math.h>
#include <string.h>

size_t moments_count(const Net *net) {
  return (net->scale_at ? 2 * net->observation_count : 0) + (net->config.normalise_returns ? 2 : 0) + 1;
}

static float element(const Batch *batch, const Net *net, size_t index) {
  float value;
  if (net->observation_type == AGON_U8) return (float)batch->observation[index];
  memcpy(&value, batch->observation + index * 4, 4);
  return value;
}

/* mean and scale that this update still used */
void moments_gather(const Trainer *trainer, float *out) {
  const Net *net = trainer->net;
  const Batch *batch = trainer->batch;
  size_t N = net->observation_count, at = 1;
  const float *mean = trainer->pupil->block + net->mean_at, *returns = trainer->pupil->block + net->return_at;
  memset(out, 0, moments_count(net) * sizeof *out);
  for (size_t r = 0; r < batch->rows; r++) {
    if (!trainer->is_learned[r]) continue;
    out[0] += 1;
    at = 1;
    for (size_t i = 0; net->scale_at && i < N; i++) {
      float gap = element(batch, net, r * N + i) - mean[i];
      out[at + 2 * i] += gap;
      out[at + 2 * i + 1] += gap * gap;
    }
    if (net->scale_at) at += 2 * N;
    if (!net->config.normalise_returns) continue;
    float gap = trainer->target[r] - returns[0];
    out[at] += gap;
    out[at + 1] += gap * gap;
  }
}

static void update_observations(const Net *net, Pupil *pupil, const float *sum, double n) {
  size_t N = net->observation_count;
  double *count = pupil->stat, *mean = pupil->stat + 4, *square = mean + N, all = *count + n;
  for (size_t i = 0; i < N; i++) {
    double base = (double)pupil->block[net->mean_at + i], gap = (double)sum[2 * i], gap2 = (double)sum[2 * i + 1];
    mean[i] = (mean[i] * *count + gap + n * base) / all;
    square[i] = (square[i] * *count + gap2 + 2 * base * gap + n * base * base) / all;
    pupil->block[net->mean_at + i] = (float)mean[i];
    pupil->block[net->scale_at + i] = (float)(1.0 / sqrt(fmax(square[i] - mean[i] * mean[i], 0) + 1e-4));
  }
  *count = all;
}

/* The value head is rescaled so that its real-unit outputs stay what they were (PopArt, van Hasselt et al. 2016, eq.
 * 9). */
static void update_returns(const Net *net, Pupil *pupil, const float *sum, double n) {
  float *old = pupil->block + net->return_at;
  double base = (double)old[0], gap = (double)sum[0] / n, gap2 = (double)sum[1] / n, *stat = pupil->stat + 1;
  const double keep = 0.98;
  stat[0] = stat[0] * keep + (1 - keep); /* weight, mean, square */
  stat[1] = stat[1] * keep + (1 - keep) * (gap + base);
  stat[2] = stat[2] * keep + (1 - keep) * (gap2 + 2 * base * gap + base * base);
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

void moments_apply(const Net *net, Pupil *pupil, const float *sum) {
  double n = (double)sum[0];
  size_t at = 1;
  if (n <= 0) return;
  if (net->scale_at) {
    update_observations(net, pupil, sum + at, n);
    at += 2 * net->observation_count;
  }
  if (net->config.normalise_returns) update_returns(net, pupil, sum + at, n);
}
