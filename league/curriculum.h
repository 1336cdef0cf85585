/* From stage to stage: when the task becomes harder. What a stage is made of is the env's (section
 * curriculum, env/stages.h); here it is a number, which goes out with every table. Pure: counts in,
 * the stage out. */
#pragma once
#include "base/status.h"
#include "store/store.h"
#include "wire/messages.h"

enum { CURRICULUM_STAGES = 16 };

/* One stage of the rules. */
typedef struct CurriculumStage {
  double promote_at; /* of the measure */
  int64_t frames;    /* in the stage, at the latest; 0: no limit */
  const char *text;  /* what people call it */
} CurriculumStage;

typedef struct CurriculumRule {
  CurriculumStage stage[CURRICULUM_STAGES];
  size_t stages;       /* before the task itself; 0: there is no curriculum */
  int64_t episodes;    /* that are averaged at a time */
  double factor;       /* of a measure as actors sum it to one as people see it */
  const char *measure; /* its name */
} CurriculumRule;

/* Where the run stands. */
typedef struct Curriculum {
  CurriculumRule rule;                   /* texts are borrowed */
  uint32_t stage;                        /* rule.stages: the task itself */
  uint64_t episodes;                     /* counted in the stage since the last look */
  double sum;                            /* of the measure over them */
  double measured;                       /* the last mean; NAN: none in this stage yet */
  uint64_t began[CURRICULUM_STAGES + 1]; /* frames of the run when each stage began */
} Curriculum;

/* What people call the present stage. */
const char *curriculum_text(const Curriculum *curriculum);
/* At the first stage. */
void curriculum_create(const CurriculumRule *rule, Curriculum *out);
/* An actor's counts of a tick; those of other stages than the present are left out. */
void curriculum_count(Curriculum *curriculum, const Results *results);
/* After a tick, with the frames of the run: whether the next stage begins now. It does where the
 * mean of the measure over `episodes` or more is at least promote_at, or the stage has had its
 * frames; never more than one at a time. */
bool curriculum_advance(Curriculum *curriculum, uint64_t frames);
/* Nothing is written where there is no curriculum. */
Status curriculum_save(const Curriculum *curriculum, Tree *tree);
/* Into one just created, of a run that has learned from `frames`. Where the file has no curriculum
 * the first stage begins now, and where it was at the task itself and there are more stages than
 * before, so does the next of them. ERR_USAGE: the run is in a stage that the rule does not have;
 * ERR_FORMAT: the file is damaged. */
Status curriculum_load(Curriculum *curriculum, const Tree *tree, uint64_t frames);
