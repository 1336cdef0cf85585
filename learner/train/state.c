#include "learner/train/state.h"

#include "learner/train/moments.h"
#include "learner/train/schedule.h"

#include <stdlib.h>
#include <string.h>

size_t train_state_stat_count(const Net *net) {
  return (net->scale_at ? 2 * net->observation_count : 0) + 4;
}

Status train_state_create(const Net *net, uint64_t seed, uint32_t player, TrainState *out) {
  *out = (TrainState){.player = player};
  TRY_RETURN(NEW_ARRAY(out->block, net->block));
  TRY_RETURN(NEW_ARRAY(out->acting, net->block));
  TRY_RETURN(NEW_ARRAY(out->reference, net->block));
  TRY_RETURN(NEW_ARRAY(out->average, net->block));
  TRY_RETURN(NEW_ARRAY(out->m, net->graph.params));
  TRY_RETURN(NEW_ARRAY(out->v, net->graph.params));
  TRY_RETURN(NEW_ARRAY(out->stat, train_state_stat_count(net)));
  train_state_reset(net, seed, out, NULL);
  out->life = 0;
  memcpy(out->acting, out->block, net->block * sizeof(float));
  return OK;
}

void train_state_destroy(TrainState *state) {
  free(state->block);
  free(state->acting);
  free(state->reference);
  free(state->average);
  free(state->m);
  free(state->v);
  free(state->stat);
  *state = (TrainState){0};
}

void train_state_reset(const Net *net, uint64_t seed, TrainState *state, const float *source) {
  double seen = state->stat[0];
  memset(state->stat, 0, train_state_stat_count(net) * sizeof(double));
  if (source)
    memcpy(state->block, source, net->block * sizeof(float));
  else
    net_init(net, seed, state->player, state->block);
  if (source) {
    moments_copy(net, state);
    state->stat[0] = seen;
  }
  memcpy(state->reference, state->block, net->block * sizeof(float));
  memcpy(state->average, state->block, net->block * sizeof(float));
  memset(state->m, 0, net->graph.params * sizeof(float));
  memset(state->v, 0, net->graph.params * sizeof(float));
  state->steps = 0;
  state->life_frames = 0;
  state->life++;
  state->min_version = state->version;
}

const float *train_state_snapshot(const LearnConfig *config, const TrainState *state) {
  return config->average > 0 ? state->average : state->block;
}

double train_state_progress(const LearnConfig *config, const TrainState *state) {
  bool lives = state->life_horizon > 0;
  double done = (double)(lives ? state->life_frames : state->run_frames);
  double whole = lives ? state->life_horizon : config->horizon;
  double progress = whole > 0 ? done / whole : 0;
  return progress > 1 ? 1 : progress;
}

double train_state_schedule(const LearnConfig *config, const TrainState *state, double a,
                            double b) {
  return schedule_at(config->decay, a, b, train_state_progress(config, state));
}
