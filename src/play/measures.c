#include "play/measures.h"

#include <string.h>

bool is_general_sum(const Env *env) {
  return env->spec.teams > 1 && !(env->spec.flags & AGON_ZERO_SUM);
}

static bool has_name(const Measures *measures, const char *name) {
  for (size_t i = 0; i < measures->count; i++)
    if (!strcmp(measures->name[i], name)) return true;
  return false;
}

void measures_of(const Env *env, Measures *out) {
  static const char *const name[SOCIAL_NUMBERS] = {"welfare", "minimum", "gini"};
  const bool of_agents =
      env->spec.teams == 1 && env->spec.agents > 1 && (env->spec.flags & AGON_RETURNS_ADD);
  *out = (Measures){.env = env, .of_agents = of_agents};
  if (env->table->metrics) out->own = env->spec.metrics;
  for (; out->count < out->own; out->count++)
    out->name[out->count] = env->table->metric_names[out->count];
  if (!of_agents && !is_general_sum(env)) return;
  for (uint8_t i = of_agents ? SOCIAL_MINIMUM : 0; i < SOCIAL_NUMBERS; i++) {
    if (has_name(out, name[i])) continue;
    out->social[out->count] = i;
    out->name[out->count++] = name[i];
  }
}

void measures_take(const Measures *measures, const void *episode, const double *returns,
                   double *out) {
  const Env *env = measures->env;
  float own[AGON_MAX_METRICS] = {0};
  double social[SOCIAL_NUMBERS];
  if (measures->own) env->table->metrics(env->params, episode, own);
  for (size_t i = 0; i < measures->own; i++)
    out[i] = (double)own[i];
  if (!returns || measures->own == measures->count) return;
  social_of(returns, measures->of_agents ? env->spec.agents : env->spec.teams, social);
  for (size_t i = measures->own; i < measures->count; i++)
    out[i] = social[measures->social[i]];
}
