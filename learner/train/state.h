/* A player in training: all that its updates read and write, and nothing else has to be stored. */
#pragma once
#include "learner/algos/algo.h"

/* A trained block. The first part of every player is its acting network, "policy"; the others are
 * its algorithm's (AlgoPart). */
typedef struct TrainPart {
  const char *name;
  size_t floats;
  size_t trained; /* leading floats that Adam steps */
  uint64_t steps; /* of Adam's since the last reset: fewer than the player's if it rested in some */
  float *block;   /* (floats) */
  float *m;       /* (trained) Adam's first moments */
  float *v;       /* (trained) Adam's second moments */
} TrainPart;

/* Arrays are owned. */
typedef struct TrainState {
  uint32_t player;
  uint32_t life;
  uint64_t version;     /* updates so far, never reset */
  uint64_t min_version; /* older experience belongs to a former life and is dropped */
  uint64_t frames;      /* learned from */
  uint64_t dropped;
  uint64_t steps; /* optimiser steps since the last reset */
  uint64_t life_frames;
  uint64_t run_frames;       /* of all players, up to the last update: how far the run is */
  const LearnConfig *config; /* its own, borrowed; NULL: that of all */
  const Teacher *teacher;    /* borrowed; NULL: none */
  double life_horizon;       /* frames of its lives, if it is reset; 0 = it never is */
  TrainPart part[1 + ALGO_PARTS];
  size_t parts;
  float *block;     /* (net->block) the policy: part[0].block */
  float *acting;    /* (net->block) the policy that was published before it (pace pipelined) */
  float *reference; /* (net->block) */
  float *average;   /* (net->block) exponential average of the policy, if learner.average > 0 */
  double *stat;     /* (train_state_stat_count) counts, means and squares of the normalisers */
} TrainState;

/* Layers that every life begins with instead of random ones; values are borrowed. */
typedef struct Inheritance {
  struct InheritedLayer {
    size_t offset; /* in the policy's block */
    size_t count;
    const float *value;
  } * layer;
  size_t layers;
  bool normaliser; /* what normalises observations is among them, ... */
  bool unit;       /* ... and the unit of returns */
} Inheritance;
/* Puts them into a block. NULL: there are none. */
void inherit_layers(const Inheritance *from, float *block);

/* What makes a player in training. */
typedef struct TrainShape {
  const Algo *algo; /* borrowed */
  uint64_t seed;
  const Inheritance *inheritance; /* borrowed; NULL: none */
} TrainShape;

/* The head that values a player's cells: in its policy's block, or in its critic's. */
typedef struct ValueHead {
  const Graph *graph;
  float *block;
  size_t copies; /* of the graph's parameters, each `stride` floats behind the one before */
  size_t stride;
  size_t return_at; /* in the block: mean and deviation of the value targets */
  bool normalises;  /* these move with the targets; else they are 0 and 1 */
  bool watches;     /* the player's moments of targets move in any case: a critic's */
} ValueHead;

/* All of them, to out (ALGO_PARTS); they share one unit. At least one. */
size_t train_state_values(const Algo *algo, const TrainState *state, ValueHead *out);
/* The deviation of the value targets, as far as it has been seen; 1 where nobody looks. */
float train_state_unit(const Algo *algo, const TrainState *state);
Status train_state_create(const TrainShape *shape, uint32_t player, TrainState *out);
void train_state_destroy(TrainState *state);
/* A new life: initial weights, or (source not NULL) a policy copied from another player; parts as
 * they are at the beginning. Versions go on. ERR_MEMORY leaves a state that is of no use. */
Status train_state_reset(const TrainShape *shape, TrainState *state, const float *source);
/* A new life as another player of the same shape: its weights, parts, moments, normalisers and
 * steps, and how far it is in its life. Versions go on, and what is counted stays. */
void train_state_adopt(const Algo *algo, TrainState *state, const TrainState *source);
/* Writes into the policy how often it explores by now, if its algorithm says so. */
void train_state_explore(const Algo *algo, TrainState *state);
size_t train_state_stat_count(const Net *net);
/* What is frozen when a snapshot is taken: the average where one is kept, else the policy.
 * Borrowed. */
const float *train_state_snapshot(const LearnConfig *config, const TrainState *state);
/* How far the player is through its schedules, from 0 to 1: through the run, or through its life if
 * it is reset. */
double train_state_progress(const LearnConfig *config, const TrainState *state);
/* Value of a schedule from a to b, now. */
double train_state_schedule(const LearnConfig *config, const TrainState *state, double a, double b);
