/* The algorithms that textbooks begin with, as tables of operations over a learner's rows. To add
 * one: its operations and its line in classics.c. */
#pragma once
#include "base/rng.h"
#include "classics/rows.h"
#include "meta/dynamics.h"

#include <stdbool.h>

/* What the algorithms' numbers are by; each as it is now. */
typedef struct ClassicRates {
  double rate;     /* of learning */
  double down;     /* hysteretic: of learning from what is worse than expected */
  double leniency; /* lenient: how much of it is passed over while a pair is hot */
  double cooling;  /* lenient: of a pair's temperature, a visit */
  double discount;
  Exploration exploration;
} ClassicRates;

/* What a learner did, and what came of it. */
typedef struct ClassicStep {
  size_t row;        /* where */
  size_t own, other; /* choices, among those that were allowed; `other` of joint learners alone */
  double reward[2];  /* of a joint learner to agents 0 and 1; else [0] is the learner's own */
  bool goes_on;
  size_t next; /* the row that followed, if it goes on and is known; else rows->count */
} ClassicStep;

/* A learner: whose, what it knows, and where its draws come from. */
typedef struct ClassicLearner {
  uint32_t agent;
  LearnedRows rows;
  AgonRng *rng; /* borrowed */
} ClassicLearner;

/* An algorithm. */
typedef struct ClassicOps {
  const char *name;
  const char *summary;
  bool joint;    /* of two agents who act at once; each sees what the other did and was paid */
  bool zero_sum; /* what one is paid the other pays */
  size_t most;   /* choices an agent may have; 0: any number */
  /* Numbers of a row where the env has A choices: worths, which begin at what is chosen, and behind
   * them counts, which begin at 0 (NULL: none). */
  size_t (*worths)(size_t A);
  size_t (*counts)(size_t A);
  /* Learns from one step. ERR_MEMORY, ERR_INTERNAL. */
  Status (*learn)(ClassicLearner *learner, const ClassicRates *rates, const ClassicStep *step);
  /* What acting from this row on is worth to agent p (joint learners), or to the learner. */
  double (*value)(const ClassicLearner *learner, size_t row, int p);
  /* Probabilities of the allowed choices, by which it acts. */
  void (*act)(const ClassicLearner *learner, const Exploration *how, size_t row, double *out);
} ClassicOps;

/* All of them; classic_named: by name, or NULL. */
extern const ClassicOps *const classics[];
extern const size_t classic_count;
const ClassicOps *classic_named(const char *name);
