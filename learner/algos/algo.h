/* What an algorithm is: a table of functions (AlgoOps), and what those functions get to see.
 *
 * An update (learner/train) lays out a batch, asks the algorithm for targets, cuts minibatches into
 * passes, steps the optimiser and shares sums with the other learner ranks. Of all that an
 * algorithm sees two things: the Experience, which is the batch with what is known of each row, and
 * the Pass, which is the part of it that lies in the network at the moment. It never sees the
 * update itself. */
#pragma once
#include "base/clock.h"
#include "base/option.h"
#include "data/batch.h"
#include "data/layout.h"
#include "nn/critic.h"
#include "nn/net.h"

enum { DECAY_LINEAR, DECAY_GEOMETRIC, DECAY_ROOT };
enum { CHOICE_FALSE, CHOICE_TRUE, CHOICE_AUTO };
enum { ON_NAN_STOP, ON_NAN_SKIP };

/* The section learner.* of the configuration: what all algorithms have in common. */
typedef struct LearnConfig {
  int algorithm; /* index in the table of algorithms */
  double gamma;
  double lambda;
  double rate, rate_end;
  double epsilon;
  double clip_norm;
  int on_nan; /* ON_NAN_STOP, ... */
  double entropy, entropy_end;
  double value_weight;
  double reference, reference_end;   /* weight of KL(policy || reference policy) */
  int64_t reference_every;           /* updates between moves of the reference; 0 = it stands */
  char teacher[OPTION_TEXT];         /* "": none */
  double teacher_kl, teacher_kl_end; /* weight of KL(teacher || policy) */
  char init_from[OPTION_TEXT];       /* whom a life begins as, layer by layer; "": nobody */
  double average;           /* decay of the average of the weights, per update; 0 = none is kept */
  int normalise_advantages; /* CHOICE_FALSE, ... */
  double return_decay;
  int64_t reference_burn;
  int64_t ranks, groups;
  int64_t max_lag;
  /* Steps of a sequence of a recurrent net: unroll + 2, set from actors.unroll; 0 = the longest
   * unroll of the batch. */
  int64_t longest;
  int decay;      /* DECAY_LINEAR, ... */
  double horizon; /* frames of the run, all players together; set from its budget */
} LearnConfig;
extern const Option learn_options[];
extern const size_t learn_option_count;

/* Another policy, which a player is pulled to (learner.teacher): asked about decisions of the
 * player, as that saw them. */
typedef struct TeacherRows {
  size_t count;             /* at most TEACHER_ROWS */
  const void *observations; /* (count, observation bytes) */
  const uint8_t *masks;     /* (count, choices) */
  const uint32_t *agents;   /* (count) of the env */
} TeacherRows;
enum { TEACHER_ROWS = 256 };
typedef struct Teacher {
  void *context;
  /* out (count, width): what it would do, as dist_teach takes it. ERR_ENV, ERR_INTERNAL. */
  Status (*ask)(void *context, const TeacherRows *rows, float *out);
} Teacher;

/* What one row of experience is. */
typedef enum RowKind {
  ROWS_AGENT, /* an agent's own decision */
  ROWS_TEAM   /* a step of a team, with a cell for each of its agents */
} RowKind;

/* Where experience is kept after the update that it came for. */
typedef enum ReplayKind {
  REPLAY_NONE,    /* nowhere: it is learned from once */
  REPLAY_EPISODES /* episodes, or long pieces of them, are drawn again and again */
} ReplayKind;

/* What an algorithm wants of the rest of the system. */
typedef struct AlgoNeeds {
  RowKind rows;
  ReplayKind replay;
  ActionRule rule;
  bool global; /* the env's global state in each row */
  /* Of games of two who move at once and learn at the same time, in one group of learner ranks:
   * what the other did, and its weights (AlgoOps.shape). Rows are then ROWS_TEAM, of teams of one.
   */
  bool partner;
} AlgoNeeds;

/* How the work of an update is cut. */
typedef struct AlgoPlan {
  size_t epochs;      /* passes over the batch */
  size_t minibatches; /* optimiser steps of an epoch */
  /* Run every row through the weights before the update, for the columns log_prob_now and
   * value_now. */
  bool evaluate;
  /* Units are whole unrolls, with the row that closes each, whatever the network is: the pass works
   * out by itself what follows from there. Nothing is evaluated then unless `evaluate` says so. */
  bool sequences;
} AlgoPlan;

/* A part of a player besides its policy: a critic, a mixer, a copy that follows slowly. It is one
 * flat block, lives at the learner ranks and in checkpoints, and never travels to actors; what is
 * published, frozen and hashed is the policy alone. */
typedef struct AlgoPart {
  /* Of its columns in a checkpoint: NAME, and NAME_m, NAME_v and perhaps NAME_steps if it is
   * trained. So no part may be called like another one, end in _m, _v or _steps, or be called adam,
   * policy, policy_acting, policy_reference, policy_average, normaliser or counters
   * (columns_check_names). */
  const char *name;
  size_t floats;
  size_t
      trained; /* leading floats that the optimiser steps; the others are the algorithm's to move */
  /* The block, of zeros, as a life begins. NULL: it stays so. */
  Status (*init)(const struct AlgoPart *part, AgonRng *rng, float *block);
  /* Instead of `init`: another block of as many floats that it begins as, and that a copy which is
   * not trained follows. COPY_NONE, COPY_POLICY, or COPY_PART and an earlier part's index. */
  size_t copy_of;
  /* The network that the block is of: its parameters are what is trained, its constants follow. An
   * update keeps its weights packed, and room for as many rows as a pass has. NULL: the block is
   * just numbers. */
  const Graph *graph;
  bool of_teams; /* its rows are steps of whole teams, not cells: one for all agents of a row */
  /* Of a network that values joint actions: where its unit of returns lies in the block, of the
   * first of its copies. It moves with what update and algorithm say returns are. 0: no such. */
  size_t return_at;
  void *made;                  /* what `graph` and `init` rest on; the part's own, may be NULL */
  void (*destroy)(void *made); /* NULL: nothing to give back */
} AlgoPart;
enum { ALGO_PARTS = 6, ALGO_PART_NAME = 24 };
enum { COPY_NONE, COPY_POLICY, COPY_PART };

/* An algorithm as it is in one job: with its section of the configuration, the network and the rows
 * that it learns with, and the parts that it made of them. All but the parts is borrowed. */
typedef struct Algo {
  const struct AlgoOps *ops;
  const void *own;
  const Net *net;
  RowFormat format;
  AlgoPart part[ALGO_PARTS];
  size_t parts;
  /* The network of one of the parts, that values cells in the policy's place: the policy's own
   * value head then learns nothing, and is asked nothing. NULL: there is none. */
  const Critic *critic;
  size_t critic_part; /* which part it is */
  bool critic_time;   /* behind the global state it sees how far the episode is */
  bool scales_values; /* parts with a return_at learn in units of returns */
  /* Of several teams, how many; 0: there is but one. The critic has columns for the global state as
   * each of them sees it, all 0 but those of the team that it values, and behind the time which
   * that is. */
  size_t sides;
} Algo;

enum { TRAJECTORY_LANES = 7 };

/* The experience of an update, as an algorithm sees it. Columns have as many entries as the batch
 * has cells; where its rows are of single agents, a cell is a row. */
typedef struct Experience {
  const Algo *algo;
  const LearnConfig *config;
  const void *own; /* the algorithm's own section of the configuration (config_size bytes) */
  /* Of the run. Draws of an algorithm's own are from streams of it, each named by what it is for
   * (slot, episode, step, agent) and never by where a row lies, which depends on the number of
   * learner ranks. */
  uint64_t seed;
  uint32_t player;
  double progress; /* of the player through its schedules, from 0 to 1 */
  size_t epoch;    /* of this update, in which the present minibatch is */
  size_t step;     /* optimiser steps of this update so far */
  uint64_t steps;  /* of the player's life so far */
  const Batch *batch;
  const bool *is_learned; /* the policy learns from it: an agent acted */
  /* The value learns from it: also where an agent that has acted before waits or is out of the
   * game, so that what may follow from there is known. */
  const bool *is_valued;
  const float *discount; /* gamma; 0 after the last decision of a terminated episode */
  /* By the weights before the update. NULL unless the plan said `evaluate`, or rows are of whole
   * teams. */
  const float *log_prob_now, *value_now;
  /* By the weights that acted; of whole teams by those before the update. */
  const float *value;
  float value_unit; /* deviation of the value targets, as far as it has been seen; else 1 */
  bool unit_known;  /* it has been: not in the first update of a life */
  /* Filled by the algorithm. `target` is what the value head learns. */
  float *advantage, *target;
  /* Of experience that is kept and drawn by its errors (learner/rehearsal.h), by unroll: how much
   * its losses count, NULL: all alike; and room for the largest and the mean of its errors' sizes,
   * to be filled by the pass, NULL: nobody asks. */
  const float *weight;
  float *error; /* (unrolls, 2) */
  /* Of an algorithm with a partner, in `shape`. By cell: the partner's cell at the same step, or -1
   * where whoever was met does not learn, or what it did is not known; and by the partner's cells:
   * what `targets` makes of them for the partner, and by how much the log-probability of what it
   * did grows if its weights move along the gradient of this player's value. */
  const int32_t *met;
  const float *met_advantage;
  const float *met_slope;
  float *lanes;       /* (TRAJECTORY_LANES, rows of the longest unroll) scratch of follow_cells */
  const float *block; /* the policy's */
  float *part[ALGO_PARTS]; /* the player's parts, in the algorithm's order; written in `stepped`
                              only */
} Experience;

/* Sums over learned cells that travel behind the gradient, in this order. */
typedef struct LossSums {
  float rows;
  float policy, value;
  float entropy;
  float kl, kl_reference;
  float clipped;
  float kl_teacher;
  float steps;    /* of teams whose agents tell one another something, in which somebody learns */
  float messages; /* that were heard there */
} LossSums;
enum { UPDATE_SCALARS = sizeof(LossSums) / sizeof(float) };

/* Nanoseconds by what they were spent on. */
typedef struct UpdateTimes {
  int64_t batch, forward, loss, backward, reduce, optimise;
} UpdateTimes;

/* A part of the player in a pass. */
typedef struct PassPart {
  const float *block;
  float *gradient;     /* (trained) to be added to; NULL: nothing of the part is trained */
  const float *packed; /* of a part with a network: its weights */
  Activations *space;  /* likewise, with room for the pass's rows */
} PassPart;

/* As many rows as fit the cache, in the order in which the network takes them: step by step, within
 * a step one unit after another, and of a unit's team row one cell after another. All is
 * borrowed. */
typedef struct Pass {
  const Algo *algo;
  const Experience *experience;
  const Net *net;
  const float *block, *packed; /* the weights that are trained */
  Activations *space;          /* with the input loaded */
  const Sequences *sequences;
  size_t rows;
  const int32_t *row_of; /* (rows) cell of the batch, or -1: padding */
  const uint32_t *agent; /* (rows) of the env; NO_AGENT: nobody */
  /* (agents of the env) the team of each, where the algorithm has several sides; else NULL */
  const uint32_t *side_of;
  const uint8_t *mask; /* (rows, choices) */
  /* What the loss is made of beside the algorithm's own part. */
  float entropy_weight, reference_weight, proximal_weight, value_weight, teacher_weight;
  float value_share;          /* learned cells over valued ones: that their losses weigh alike */
  const float *pull;          /* (batch cells) weight of the KL to the reference */
  const float *reference_row; /* (batch cells, width) normalised; NULL: no reference */
  const float *before_row;    /* the same of the policy before the update; NULL: not proximal */
  const float *teacher_row;   /* (batch cells, width) as dist_teach takes it; NULL: no teacher */
  /* Scratch of `rows` rows: net->space.width wide, the values 1. */
  float *logits, *probability, *d_logits;
  float *value, *d_value;
  float *gradient; /* (net->trained) to be added to */
  PassPart part[ALGO_PARTS];
  /* For net_backward to call: whoever shares the update gets the gradient in pieces. By then the
   * parts' gradients and the sums must be complete. NULL: nobody does. */
  GraphDone done;
  void *done_context;
  const Clock *clock;
  int64_t *since; /* when the present kind of work began */
  UpdateTimes *times;
} Pass;
/* Adds what has passed since the last charge to *spent. */
void pass_charge(const Pass *pass, int64_t *spent);

/* Where what is evaluated before an update is written, a place for each cell of the batch; NULL:
 * not wanted. */
typedef struct Evaluated {
  float *line;     /* (rows, width) normalised logits */
  float *log_prob; /* (rows) of the action that was taken */
  float *value;    /* (rows) */
} Evaluated;

/* One cell's loss and its derivatives. Where nobody acted, only those of the value count. */
typedef struct RowLoss {
  float policy_loss, by_log_prob;
  float value_loss, by_value;
  float log_ratio, ratio; /* probability of the action now, over what it was when it was taken */
  bool clipped;
} RowLoss;

/* Functions marked "may be NULL" have a default, which most algorithms want. */
typedef struct AlgoOps {
  const char *name;
  const char *summary;   /* half a line, for help texts and banners */
  const char *file;      /* of learner/algos; NULL: NAME.c */
  const Option *options; /* section NAME.* */
  size_t option_count;
  size_t config_size;
  bool normalises; /* whether learner.normalise_advantages: auto means true */
  bool taught;     /* whether it can have a teacher: it learns by pass_rows */

  /* May be NULL: rows of single agents, used once, actions drawn as the env's kind of action says.
   * `own` is the algorithm's section; `out` holds those defaults already. */
  void (*needs)(const void *own, const AgonKind *layout, AlgoNeeds *out);
  /* Adds the player's parts besides the policy to algo->part, of which there are algo->parts. On
   * failure those that were added are given back by algo_destroy. May be NULL: none. */
  Status (*parts)(Algo *algo);
  void (*plan)(const void *own, AlgoPlan *out);
  /* FLOP of learning from one frame, of a network that costs `forward` and `train` a row. May be
   * NULL: what the plan says. */
  double (*cost)(const void *own, double forward, double train);
  /* Evaluates a pass over all rows, those that close unrolls too, before the update (plan:
   * `evaluate`): for algorithms whose values come from other networks than the policy's or the
   * critic's value head. May be NULL: from those. */
  void (*look)(const Pass *pass, const Evaluated *out);
  /* Fills advantage and target of all cells that are learned or valued. */
  void (*targets)(const Experience *experience);
  RowLoss (*row)(const Experience *experience, size_t row, float log_prob, float value);
  /* Of an algorithm with a partner (AlgoNeeds.partner): changes the advantages by what they do to
   * the other player's learning. By then they have told, row by row, how good each step was for
   * this player, and with it along which way the partner's weights would do it most good. Not
   * called where nothing is known of a partner. NULL: it has none. */
  void (*shape)(const Experience *experience);
  /* Weight of KL(policy || policy before the update). May be NULL: none. */
  double (*proximal)(const Experience *experience);
  /* Forward, loss and backward over a pass. May be NULL: pass_rows, which asks `row`. */
  void (*pass)(const Pass *pass, LossSums *sums);
  /* Whether a part - 0: the policy, 1 + i: the algorithm's part i - is left as it is by the step of
   * the present minibatch, which is known by experience->epoch and step. Its moments and its count
   * of steps stand, too. May be NULL: none ever is. */
  bool (*rests)(const Experience *experience, size_t part);
  /* After an optimiser step, on every learner rank that shares the player. May be NULL. */
  void (*stepped)(const Experience *experience);
  /* Whether the update ends after the minibatch whose mean KL to the acting policy this is. May be
   * NULL: never. */
  bool (*stop)(const Experience *experience, double mean_kl);
  /* How much is explored, after so many frames of the run: of an algorithm whose rule is
   * RULE_GREEDY_Q or RULE_MIXED, how often any available choice is taken by chance; RULE_SQUASHED:
   * the deviation of the noise. NULL for all others. */
  double (*explore)(const void *own, double frames);
} AlgoOps;

/* For `stepped`: parts that are copies, and not trained, move by the share tau towards what they
 * are of; tau 0: they become it. */
void algo_follow(const Experience *experience, float tau);

const AlgoOps *algo_ops(size_t index); /* NULL past the end */
const AlgoOps *algo_find(const char *name);

AlgoNeeds algo_needs(const AlgoOps *algo, const void *own, const AgonKind *layout);
/* ERR_USAGE, with a sentence that names the algorithm, if it needs what this system or this env
 * does not give. */
Status algo_check(const AlgoOps *algo, const void *own, const AgonKind *layout);
AlgoPlan algo_plan(const AlgoOps *algo, const void *own);
/* Once a job. All is borrowed for its life; on failure nothing is left. */
Status algo_create(const AlgoOps *ops, const void *own, const Net *net, const RowFormat *format,
                   Algo **out);
void algo_destroy(Algo *algo);
/* Floats of a gradient: of the policy's parameters, then of what is trained of each part. */
size_t algo_trained(const Algo *algo);
/* FLOP of learning from one frame: with the network, and with those of the parts. What a whole team
 * is told once counts for each of its agents in part, as if all acted in each row. */
double algo_cost(const Algo *algo);
/* FLOP of one row of one minibatch, likewise: forward, and backward where something is trained. */
double algo_row_cost(const Algo *algo);
