/* The stages of a curriculum: which values an env's knobs have in each, and when the next one
 * begins. After the last of them comes the task itself, as section env says it.
 *
 *     curriculum:
 *       promote_at: 0.8
 *       stages:
 *         - {agents: 2}
 *         - {agents: 3, promote_at: 0.7}
 */
#pragma once
#include "env/env.h"

enum { STAGES_MOST = 16, STAGE_TEXT = 160 };

/* Section `curriculum`, and what follows from it. */
typedef struct Stages {
  char measure[OPTION_TEXT]; /* "return", or a metric of the env */
  double promote_at;         /* of stages that do not say it themselves, as the next */
  int64_t frames;
  int64_t episodes; /* that a measure is the mean of */
  size_t count;     /* stages before the task itself; 0: there is no curriculum */
  struct {
    double promote_at; /* OPTION_NO_LIMIT: never by the measure */
    int64_t frames;    /* at the latest after so many learned in it; 0: no limit */
    float knob[AGON_MAX_KNOBS];
    char text[STAGE_TEXT]; /* "agents=2" */
  } stage[STAGES_MOST];
  int metric; /* of the env, which is the measure; -1: the return */
} Stages;

extern const Option stages_options[];
extern const size_t stages_option_count;

/* What people call a stage, of which `count` is the task itself. */
const char *stages_text(const Stages *stages, size_t stage);
/* Declares the keys of stages that have been assigned, whatever they are, before the configuration
 * is resolved: which knobs there are is known only when the env is. */
Status stages_declare(Config *config);
/* After that: reads them. Every stage has a value for each knob and an end, and the measure exists.
 * ERR_USAGE names the key. */
Status stages_read(Stages *stages, const Env *env, const Config *config);
