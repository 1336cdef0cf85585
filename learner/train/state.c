/* A player in training: its weights, moments of Adam and normalisers. */
#include "learner/train/moments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t pupil_stat_count(const Net *net) { return (net->scale_at ? 2 * net->observation_count : 0) + 4; }

Status pupil_create(const Net *net, uint64_t seed, uint32_t player, Pupil *out) {
  *out = (Pupil){.player = player};
  TRY_RETURN(NEW_ARRAY(out->block, net->block));
  TRY_RETURN(NEW_ARRAY(out->acting, net->block));
  TRY_RETURN(NEW_ARRAY(out->reference, net->block));
  TRY_RETURN(NEW_ARRAY(out->average, net->block));
  TRY_RETURN(NEW_ARRAY(out->m, net->graph.params));
  TRY_RETURN(NEW_ARRAY(out->v, net->graph.params));
  TRY_RETURN(NEW_ARRAY(out->stat, pupil_stat_count(net)));
  pupil_reset(net, seed, out, NULL);
  out->life = 0;
  memcpy(out->acting, out->block, net->block * sizeof(float));
  return OK;
}

void pupil_destroy(Pupil *pupil) {
  free(pupil->block);
  free(pupil->acting);
  free(pupil->reference);
  free(pupil->average);
  free(pupil->m);
  free(pupil->v);
  free(pupil->stat);
  *pupil = (Pupil){0};
}

void pupil_reset(const Net *net, uint64_t seed, Pupil *pupil, const float *source) {
  double seen = pupil->stat[0];
  memset(pupil->stat, 0, pupil_stat_count(net) * sizeof(double));
  if (source)
    memcpy(pupil->block, source, net->block * sizeof(float));
  else
    net_init(net, seed, pupil->player, pupil->block);
  if (source) {
    moments_copy(net, pupil);
    pupil->stat[0] = seen;
  }
  memcpy(pupil->reference, pupil->block, net->block * sizeof(float));
  memcpy(pupil->average, pupil->block, net->block * sizeof(float));
  memset(pupil->m, 0, net->graph.params * sizeof(float));
  memset(pupil->v, 0, net->graph.params * sizeof(float));
  pupil->steps = 0;
  pupil->life_frames = 0;
  pupil->life++;
  pupil->min_version = pupil->version;
}

const float *pupil_snapshot(const LearnConfig *config, const Pupil *pupil) {
  return config->average > 0 ? pupil->average : pupil->block;
}

double learn_schedule(const LearnConfig *config, const Pupil *pupil, double a, double b) {
  bool lives = pupil->life_horizon > 0;
  double done = (double)(lives ? pupil->life_frames : pupil->run_frames);
  double whole = lives ? pupil->life_horizon : config->horizon;
  double progress = whole > 0 ? done / whole : 0;
  if (progress > 1) progress = 1;
  if (config->decay == DECAY_GEOMETRIC && a > 0 && b > 0) return a * pow(b / a, progress);
  if (config->decay == DECAY_ROOT && a > 0 && b > 0) return a / sqrt(1 + (a * a / (b * b) - 1) * progress);
  return a + (b - a) * progress;
}
