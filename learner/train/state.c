#include "learner/train/state.h"

#include "learner/train/moments.h"
#include "learner/train/schedule.h"

#include <stdlib.h>
#include <string.h>

/* Doubles of `stat`: count, weight, mean and square of returns, then means and squares of
 * observations. */
size_t train_state_stat_count(const Net *net) {
  return (net->scale_at ? 2 * net->observation_count : 0) + 4;
}

/* Parts as the net and the algorithm say, of zeros. */
static Status create_parts(const TrainShape *shape, TrainState *state) {
  const Algo *algo = shape->algo;
  const Net *net = algo->net;
  state->part[0] = (TrainPart){.name = "policy", .floats = net->block, .trained = net->trained};
  for (size_t i = 0; i < algo->parts; i++) {
    const AlgoPart *part = &algo->part[i];
    state->part[1 + i] =
        (TrainPart){.name = part->name, .floats = part->floats, .trained = part->trained};
  }
  state->parts = 1 + algo->parts;
  for (size_t i = 0; i < state->parts; i++) {
    TrainPart *made = &state->part[i];
    TRY_RETURN(NEW_ARRAY(made->block, made->floats));
    TRY_RETURN(NEW_ARRAY(made->m, made->trained));
    TRY_RETURN(NEW_ARRAY(made->v, made->trained));
  }
  state->block = state->part[0].block;
  return OK;
}

/* Those of networks that value joint actions. */
static size_t joint_values(const Algo *algo, const TrainState *state, ValueHead *out) {
  size_t count = 0;
  for (size_t i = 0; i < algo->parts; i++) {
    const AlgoPart *part = &algo->part[i];
    if (part->return_at == 0) continue;
    out[count++] = (ValueHead){.graph = part->graph,
                               .block = state->part[1 + i].block,
                               .copies = part->graph->copies > 1 ? part->graph->copies : 1,
                               .stride = part->graph->params + part->graph->constants,
                               .return_at = part->return_at,
                               .normalises = algo->scales_values,
                               .watches = true};
  }
  return count;
}

/* The one that values positions: a critic's, or the policy's own. */
static ValueHead own_values(const Algo *algo, const TrainState *state) {
  const Net *net = algo->net;
  const Critic *critic = algo->critic;
  if (critic)
    return (ValueHead){.graph = &critic->graph,
                       .block = state->part[1 + algo->critic_part].block,
                       .copies = 1,
                       .return_at = critic->return_at,
                       .normalises = critic->config.normalise_returns,
                       .watches = true};
  return (ValueHead){.graph = &net->graph,
                     .block = state->block,
                     .copies = net->copies,
                     .stride = net->stride,
                     .return_at = net->return_at,
                     .normalises = net->config.normalise_returns};
}

size_t train_state_values(const Algo *algo, const TrainState *state, ValueHead *out) {
  const size_t count = joint_values(algo, state, out);
  if (count) return count;
  *out = own_values(algo, state);
  return 1;
}

float train_state_unit(const Algo *algo, const TrainState *state) {
  ValueHead head[ALGO_PARTS];
  train_state_values(algo, state, head);
  const bool told = head->watches && !head->normalises && state->stat[1] > 0;
  return told ? (float)moments_deviation(state) : head->block[head->return_at + 1];
}

/* Whether a critic values in the policy's place. */
static bool values_apart(const Algo *algo, const TrainState *state) {
  ValueHead head[ALGO_PARTS];
  train_state_values(algo, state, head);
  return head->watches;
}

/* Initial weights, life 0. On failure *out is empty. */
Status train_state_create(const TrainShape *shape, uint32_t player, TrainState *out) {
  const Net *net = shape->algo->net;
  Status status = OK;
  *out = (TrainState){.player = player};
  TRY(create_parts(shape, out));
  TRY(NEW_ARRAY(out->acting, net->block));
  TRY(NEW_ARRAY(out->reference, net->block));
  TRY(NEW_ARRAY(out->average, net->block));
  TRY(NEW_ARRAY(out->stat, train_state_stat_count(net)));
  TRY(train_state_reset(shape, out, NULL));
  out->life = 0;
  memcpy(out->acting, out->block, net->block * sizeof(float));
done:
  if (status != OK) train_state_destroy(out);
  return status;
}

void train_state_destroy(TrainState *state) {
  for (size_t i = 0; i < state->parts; i++) {
    free(state->part[i].block);
    free(state->part[i].m);
    free(state->part[i].v);
  }
  free(state->acting);
  free(state->reference);
  free(state->average);
  free(state->stat);
  *state = (TrainState){0};
}

/* What a part begins as. The policy is there already, and so are the parts before it. */
static const float *original_of(const AlgoPart *part, const TrainState *state) {
  return part->copy_of == COPY_POLICY ? state->block
                                      : state->part[1 + part->copy_of - COPY_PART].block;
}

/* Every part of the algorithm's as at the beginning, from a random stream of its own. */
static Status init_parts(const TrainShape *shape, TrainState *state) {
  for (size_t i = 0; i < shape->algo->parts; i++) {
    const AlgoPart *part = &shape->algo->part[i];
    AgonRng rng = rng_stream(shape->seed, state->player, (uint32_t)(1 + i), RNG_INIT);
    float *block = state->part[1 + i].block;
    memset(block, 0, part->floats * sizeof *block);
    if (part->init) TRY_RETURN(part->init(part, &rng, block));
    if (part->copy_of) memcpy(block, original_of(part, state), part->floats * sizeof *block);
  }
  return OK;
}

/* By the frames of the run, or of its life if it is reset: then it begins anew. */
void train_state_explore(const Algo *algo, TrainState *state) {
  bool lives = state->life_horizon > 0;
  double frames = (double)(lives ? state->life_frames : state->run_frames);
  if (!algo->ops->explore) return;
  net_set_epsilon(algo->net, state->block, (float)algo->ops->explore(algo->own, frames));
}

void inherit_layers(const Inheritance *from, float *block) {
  for (size_t i = 0; from && i < from->layers; i++)
    memcpy(block + from->layer[i].offset, from->layer[i].value,
           from->layer[i].count * sizeof *block);
}

/* The running moments are worked out backwards from what was inherited, which weighs as so many
 * rows: less, and the first batches would undo it. */
static void inherit(const TrainShape *shape, TrainState *state) {
  enum { INHERITED_ROWS = 100000 };
  const Net *net = shape->algo->net;
  inherit_layers(shape->inheritance, state->block);
  moments_copy(net, state);
  state->stat[0] = shape->inheritance->normaliser ? INHERITED_ROWS : 0;
  if (values_apart(shape->algo, state) || !shape->inheritance->unit)
    memset(state->stat + 1, 0, 3 * sizeof(double));
}

/* Besides the weights, all that a young player must not inherit: Adam's moments, steps, the frames
 * of the life. min_version makes experience of the former life too old to be learned from. */
Status train_state_reset(const TrainShape *shape, TrainState *state, const float *source) {
  const Net *net = shape->algo->net;
  double seen = state->stat[0];
  memset(state->stat, 0, train_state_stat_count(net) * sizeof(double));
  if (source) {
    memcpy(state->block, source, net->block * sizeof(float));
    moments_copy(net, state);
    state->stat[0] = seen;
    /* a critic is not copied: nothing is known yet of what it has to value */
    if (values_apart(shape->algo, state)) memset(state->stat + 1, 0, 3 * sizeof(double));
  } else {
    net_init(net, shape->seed, state->player, state->block);
    if (shape->inheritance) inherit(shape, state);
  }
  state->life_frames = 0;
  train_state_explore(shape->algo, state);
  TRY_RETURN(init_parts(shape, state));
  memcpy(state->reference, state->block, net->block * sizeof(float));
  memcpy(state->average, state->block, net->block * sizeof(float));
  for (size_t i = 0; i < state->parts; i++) {
    state->part[i].steps = 0;
    memset(state->part[i].m, 0, state->part[i].trained * sizeof(float));
    memset(state->part[i].v, 0, state->part[i].trained * sizeof(float));
  }
  state->steps = 0;
  state->life++;
  state->min_version = state->version;
  return OK;
}

void train_state_adopt(const Algo *algo, TrainState *state, const TrainState *source) {
  const Net *net = algo->net;
  for (size_t i = 0; i < state->parts; i++) {
    TrainPart *to = &state->part[i];
    const TrainPart *from = &source->part[i];
    to->steps = from->steps;
    memcpy(to->block, from->block, to->floats * sizeof(float));
    memcpy(to->m, from->m, to->trained * sizeof(float));
    memcpy(to->v, from->v, to->trained * sizeof(float));
  }
  memcpy(state->reference, source->reference, net->block * sizeof(float));
  memcpy(state->average, source->average, net->block * sizeof(float));
  memcpy(state->stat, source->stat, train_state_stat_count(net) * sizeof(double));
  state->steps = source->steps;
  /* no life is longer than its player, which may be younger than the other */
  state->life_frames = source->life_frames < state->frames ? source->life_frames : state->frames;
  state->life++;
  state->min_version = state->version;
  train_state_explore(algo, state);
}

/* The average is preferred where one is kept: the last weights still jump with each batch. */
const float *train_state_snapshot(const LearnConfig *config, const TrainState *state) {
  return config->average > 0 ? state->average : state->block;
}

/* 0 where nobody has said how long the whole is. */
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
