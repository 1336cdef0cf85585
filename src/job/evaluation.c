#include "job/evaluation.h"

#include "agent/contestant.h"
#include "eval/solo.h"

#include <stdlib.h>
#include <string.h>

static const char *const builtin[] = {"random", "scripted", "noop"};

struct Evaluation {
  const JobConfig *settings; /* borrowed */
  Baseline baseline[COUNT_OF(builtin)];
  size_t baselines;
  bool compared; /* the baselines have played */
};

Status evaluation_create(const JobConfig *settings, Evaluation **out) {
  TRY_RETURN(NEW_ARRAY(*out, 1));
  (*out)->settings = settings;
  return OK;
}

void evaluation_destroy(Evaluation *evaluation) {
  free(evaluation);
}

/* The same episodes for whoever plays, from their beginnings: actors.openings are for learning. The
 * returns come out as they are told. */
static Status play(const Evaluation *evaluation, Contestant *who, TeamScore *out) {
  const JobConfig *s = evaluation->settings;
  const double factor = s->told.factor;
  const SoloPlan plan = {.seed = (uint64_t)s->run.seed,
                         .episodes = (uint64_t)s->manager.evaluation_episodes};
  SoloScore score;
  who->policy.greedy = true;
  TRY_RETURN(eval_solo(s->env, who, &plan, &score));
  *out = (TeamScore){.known = true,
                     .episodes = score.episodes,
                     .mean = factor * score.mean,
                     .low = factor * score.low,
                     .high = factor * score.high,
                     .deviation = factor * score.deviation,
                     .length = score.length};
  memcpy(out->metric, score.metric, sizeof out->metric);
  return OK;
}

/* The policy is copied into a contestant, as it goes on changing. */
Status evaluation_play(Evaluation *evaluation, const char *name, const float *block, size_t count,
                       TeamScore *out) {
  const JobConfig *s = evaluation->settings;
  Contestant who;
  TRY_RETURN(contestant_policy(name, &s->net, s->env, block, count, &who));
  Status status = play(evaluation, &who, out);
  contestant_destroy(&who);
  return status;
}

/* What they earn does not change while a job trains, so it is measured once. */
Status evaluation_baselines(Evaluation *evaluation, const Baseline **out, size_t *count) {
  const Env *env = evaluation->settings->env;
  for (size_t i = 0; i < COUNT_OF(builtin) && !evaluation->compared; i++) {
    Contestant who;
    if (!builtin_find(builtin[i])->supports(env)) continue;
    Baseline *baseline = &evaluation->baseline[evaluation->baselines];
    TRY_RETURN(contestant_builtin(builtin[i], env, &who));
    Status status = play(evaluation, &who, &baseline->score);
    contestant_destroy(&who);
    TRY_RETURN(status);
    baseline->name = builtin[i];
    evaluation->baselines++;
  }
  evaluation->compared = true;
  *out = evaluation->baseline;
  *count = evaluation->baselines;
  return OK;
}
