#include "league/curriculum.h"

#include "store/counters.h"

#include <math.h>
#include <string.h>

void curriculum_create(const CurriculumRule *rule, Curriculum *out) {
  *out = (Curriculum){.rule = *rule, .measured = NAN};
}

static bool is_over(const Curriculum *curriculum) {
  return curriculum->stage >= curriculum->rule.stages;
}

const char *curriculum_text(const Curriculum *curriculum) {
  return is_over(curriculum) ? "the task itself" : curriculum->rule.stage[curriculum->stage].text;
}

void curriculum_count(Curriculum *curriculum, const Results *results) {
  if (is_over(curriculum) || results->stage != curriculum->stage) return;
  curriculum->episodes += results->staged;
  curriculum->sum += results->staged_sum;
}

/* A look at the measure begins the count anew: means are of different episodes each time, so that a
 * bad beginning of the stage does not weigh on them. */
static bool is_learned(Curriculum *curriculum) {
  const CurriculumRule *rule = &curriculum->rule;
  if (curriculum->episodes < (uint64_t)rule->episodes) return false;
  curriculum->measured = rule->factor * curriculum->sum / (double)curriculum->episodes;
  curriculum->episodes = 0;
  curriculum->sum = 0;
  return curriculum->measured >= rule->stage[curriculum->stage].promote_at;
}

bool curriculum_advance(Curriculum *curriculum, uint64_t frames) {
  if (is_over(curriculum)) return false;
  const int64_t limit = curriculum->rule.stage[curriculum->stage].frames;
  const bool learned = is_learned(curriculum);
  const bool late = limit > 0 && frames - curriculum->began[curriculum->stage] >= (uint64_t)limit;
  if (!learned && !late) return false;
  curriculum->stage++;
  curriculum->began[curriculum->stage] = frames;
  curriculum->episodes = 0;
  curriculum->sum = 0;
  curriculum->measured = NAN;
  return true;
}

Status curriculum_save(const Curriculum *curriculum, Tree *tree) {
  const uint64_t counts[] = {curriculum->stage, curriculum->episodes, curriculum->rule.stages};
  const double measure[] = {curriculum->sum, curriculum->measured};
  if (!curriculum->rule.stages) return OK;
  TRY_RETURN(tree_put(tree, "league/curriculum_counts", STORE_U64, 3, 1, counts));
  TRY_RETURN(tree_put(tree, CURRICULUM_MEASURE_PATH, STORE_F64, 2, 1, measure));
  return tree_put(tree, "league/curriculum_began", STORE_U64, CURRICULUM_STAGES + 1, 1,
                  curriculum->began);
}

Status curriculum_load(Curriculum *curriculum, const Tree *tree, uint64_t frames) {
  const Item *counts;
  const Item *measure;
  const Item *began;
  curriculum->began[0] = frames;
  if (!curriculum->rule.stages || !tree_find(tree, "league/curriculum_counts")) return OK;
  TRY_RETURN(tree_get(tree, "league/curriculum_counts", STORE_U64, 3, &counts));
  TRY_RETURN(tree_get(tree, CURRICULUM_MEASURE_PATH, STORE_F64, 2, &measure));
  TRY_RETURN(tree_get(tree, "league/curriculum_began", STORE_U64, CURRICULUM_STAGES + 1, &began));
  const uint64_t *count = counts->data;
  const double *mean = measure->data;
  if (count[0] > CURRICULUM_STAGES)
    return tree_fault(tree, counts->path, 0, "is not the number of a stage");
  if (!isfinite(mean[0])) return tree_fault(tree, measure->path, 0, "is not a number");
  if (count[0] > curriculum->rule.stages)
    return status_set(ERR_USAGE,
                      "the run is in stage %llu of its curriculum (counted from 0), and the "
                      "configuration has %zu before the task itself: stages that are over may "
                      "not be taken away",
                      (unsigned long long)count[0], curriculum->rule.stages);
  curriculum->stage = (uint32_t)count[0];
  curriculum->episodes = count[1];
  curriculum->sum = mean[0];
  curriculum->measured = mean[1];
  memcpy(curriculum->began, began->data, sizeof curriculum->began);
  const bool was_over = count[0] == count[2];
  if (was_over && !is_over(curriculum)) curriculum->began[curriculum->stage] = frames;
  return OK;
}
