/* Rows through the network: a batch laid out as units, brought in some at a time, and evaluated.
 * What a pass reads and writes lies here; whose gradient it is, and what it weighs, the caller
 * says. */
#pragma once
#include "data/layout.h"
#include "learner/algos/algo.h"

/* Of one network, and of those of the algorithm's parts. Arrays are owned; those of a pass hold the
 * rows that lie in the network at once. */
typedef struct Passes {
  const Net *net;
  const Batch *batch; /* laid out last; borrowed until the next is */
  Layout all;         /* every row */
  Layout learned;     /* rows to learn from */
  float *states;      /* (1 + unrolls * cells, S) where units begin; state 0 is zero */
  size_t states_room;
  uint32_t *agent_of; /* (rows, cells) of the batch, whose they are */
  size_t agent_room;
  float *last; /* (rows, cells, net->remembered) what each cell's agent did last, as it remembered
                  it */
  size_t last_room;
  float *moved;   /* (S) scratch: an agent's state after what it did */
  uint8_t *apart; /* (unrolls) of networks with several copies: Layout.apart */
  size_t apart_room;
  float *packed; /* the weights as kernels want them: passes_pack */
  Activations space;
  const Algo *algo;                    /* whose parts follow */
  const float *part_block[ALGO_PARTS]; /* borrowed: passes_pack_part */
  float *part_packed[ALGO_PARTS];      /* of parts that are networks */
  Activations part_space[ALGO_PARTS];
  float *time; /* (rows) of the batch: how far its episode is; for a critic that sees it */
  size_t time_room;
  uint32_t *side_of; /* (format.agents) team of each; for a critic that is told. NULL: it is not */

  float *logits;      /* (rows, width) */
  float *probability; /* (rows, width) */
  float *d_logits;    /* (rows, width) */
  float *value;       /* (rows) */
  float *d_value;     /* (rows) */
  int32_t *row_of;    /* (rows) cell of the batch; below 0: padding */
  uint32_t *agent;    /* (rows) of the env; NO_AGENT: nobody */
  int32_t *restarts;  /* (rows) */
  uint8_t *hold;      /* (rows) 1: nobody acts there, and memory stands still */
  uint8_t *raw;       /* (rows, observation bytes) */
  float *done;        /* (rows, net->remembered) what was done last */
  uint8_t *mask;      /* (rows, choices) */
  uint8_t *alive;     /* (rows) 1: in the game; for a critic, and for messages */
  float *positions;   /* (rows, 3), where the batch has them */
  float *global;      /* (rows / cells, critic->shape.state); likewise */
  size_t rows;        /* for which there is room */
} Passes;

/* ERR_MEMORY leaves *out to be freed. */
Status passes_create(const Algo *algo, Passes *out);
void passes_free(Passes *passes);
/* Lays the batch out as units, all its rows and those to learn from. Recurrent networks see at most
 * `longest` steps at a time. sequences: all networks do (AlgoPlan). */
Status passes_lay_out(Passes *passes, const Batch *batch, const Shards *shards, size_t longest,
                      bool sequences);
size_t passes_units(const Layout *layout); /* that go through the network at once */
/* The weights that the following passes use. */
void passes_pack(Passes *passes, const float *block);
void passes_pack_part(Passes *passes, size_t part, const float *block);
/* Brings `count` units (of the list `unit`, or NULL: all in order), from the `first` on, into the
 * network's input. forget: sequences start from memory zero, not from the acting policy's. */
Status passes_gather(Passes *passes, const Layout *layout, const uint32_t *unit, size_t first,
                     size_t count, bool forget, Sequences *out);
/* Every cell of the batch through `block`, which stays packed; values are the critic's, where there
 * is one (passes_pack_part). */
Status passes_evaluate(Passes *passes, const float *block, bool forget, const Evaluated *out);
/* What an algorithm sees of the rows that were gathered; the rest of the pass is the caller's. */
Pass passes_open(Passes *passes, const Sequences *sequences);
