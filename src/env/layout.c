/* What an env says of itself: checked, each bound by name, and laid out as the rows that all other
 * rooms know. One kind of agents keeps its own rows. Of several kinds the layout is the widest: as
 * many elements as the longest observation has, of each head as many choices as the kind with most
 * of them. */
#include "env/env.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the rest of the system is made for. */
enum { MOST_OBSERVATION = 1 << 24, MOST_EPISODE = 1 << 28 };

/* ERR_ENV: the sentence about this env. */
static Status wrong(const Env *env, const char *what) {
  return status_set(ERR_ENV, "env %s describes itself wrongly: %s", env->table->name, what);
}

/* ERR_ENV if a field is not within least .. most. */
static Status check_count(const Env *env, const char *field, uint64_t value, uint64_t least,
                          uint64_t most) {
  if (value >= least && value <= most) return OK;
  return status_set(ERR_ENV, "env %s describes itself wrongly: %s is %llu, not %llu .. %llu",
                    env->table->name, field, (unsigned long long)value, (unsigned long long)least,
                    (unsigned long long)most);
}

/* The same of one kind's field. */
static Status check_kind_count(const Env *env, uint32_t kind, const char *field, uint64_t value,
                               uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return OK;
  return status_set(ERR_ENV,
                    "env %s describes itself wrongly: %s of kind %u is %llu, not %llu .. %llu",
                    env->table->name, field, kind, (unsigned long long)value,
                    (unsigned long long)least, (unsigned long long)most);
}

/* The same of one kind. */
static Status kind_wrong(const Env *env, uint32_t kind, const char *what) {
  return status_set(ERR_ENV, "env %s describes itself wrongly: kind %u: %s", env->table->name, kind,
                    what);
}

/* Which team each agent is of, and of which kind: copied, or what NULL stands for. */
static Status copy_members(Env *env) {
  AgonEnvSpec *spec = &env->spec;
  TRY_RETURN(NEW_ARRAY(env->team_of, spec->agents));
  TRY_RETURN(NEW_ARRAY(env->kind_of, spec->agents));
  if (!spec->team_of && spec->teams != 1 && spec->teams != spec->agents)
    return wrong(env, "team_of is NULL, though there are neither one team nor as many as agents");
  for (uint32_t a = 0; a < spec->agents; a++) {
    env->team_of[a] = spec->team_of ? spec->team_of[a] : (uint8_t)(spec->teams == 1 ? 0 : a);
    env->kind_of[a] = spec->kind_of ? spec->kind_of[a] : 0;
  }
  spec->team_of = env->team_of;
  spec->kind_of = env->kind_of;
  return OK;
}

/* Every agent has a team and a kind, and every team an agent. */
static Status check_members(const Env *env) {
  const AgonEnvSpec *spec = &env->spec;
  for (uint32_t a = 0; a < spec->agents; a++) {
    if (spec->team_of[a] >= spec->teams)
      return wrong(env, "an agent's team_of is not below `teams`");
    if (spec->kind_of[a] >= spec->kinds)
      return wrong(env, "an agent's kind_of is not below `kinds`");
  }
  for (uint32_t t = 0; t < spec->teams; t++) {
    bool any = false;
    for (uint32_t a = 0; a < spec->agents && !any; a++)
      any = spec->team_of[a] == t;
    if (!any) return wrong(env, "a team has no agents");
  }
  return OK;
}

/* The env's kinds may be shorter structs than ours: what they lack is zero. */
static Status copy_kinds(Env *env) {
  AgonEnvSpec *spec = &env->spec;
  if (!spec->kind) return wrong(env, "kind is NULL");
  TRY_RETURN(NEW_ARRAY(env->kind, spec->kinds));
  for (uint32_t k = 0; k < spec->kinds; k++)
    memcpy(&env->kind[k], (const char *)spec->kind + (size_t)k * env->table->kind_size,
           env->table->kind_size);
  spec->kind = env->kind;
  return OK;
}

/* The product is looked at after each factor, so that it cannot overflow. */
static Status check_observation(const Env *env, uint32_t k) {
  const AgonKind *kind = &env->spec.kind[k];
  uint64_t elements = 1;
  if (kind->observation_type != AGON_F32 && kind->observation_type != AGON_U8)
    return kind_wrong(env, k, "unknown observation_type");
  for (uint32_t i = 0; i < 3; i++) {
    TRY_RETURN(check_kind_count(env, k, "a dimension of observation_shape",
                                kind->observation_shape[i], 1, MOST_OBSERVATION));
    elements *= kind->observation_shape[i];
    TRY_RETURN(check_kind_count(env, k, "observation elements (the product of observation_shape)",
                                elements, 1, MOST_OBSERVATION));
  }
  if (!(kind->observation_low <= kind->observation_high))
    return kind_wrong(env, k, "observation_low .. observation_high is no range");
  return OK;
}

/* The host scales and clips by these ranges, so they must be finite and not empty. */
static Status check_box(const Env *env, uint32_t k) {
  const AgonKind *kind = &env->spec.kind[k];
  if (!kind->action_low || !kind->action_high)
    return kind_wrong(env, k, "BOX without action_low and action_high");
  for (uint32_t h = 0; h < kind->heads; h++)
    if (!isfinite(kind->action_low[h]) || !isfinite(kind->action_high[h]) ||
        !(kind->action_low[h] < kind->action_high[h]))
      return kind_wrong(env, k, "BOX needs finite action_low < action_high of each component");
  for (uint32_t h = 0; kind->idle && h < kind->heads; h++)
    if (!(kind->idle[h].value >= kind->action_low[h] &&
          kind->idle[h].value <= kind->action_high[h]))
      return kind_wrong(env, k, "idle is outside action_low .. action_high");
  return OK;
}

/* A kind's choices are indices into rows of everybody, hence the limit on their sum. */
static Status check_actions(const Env *env, uint32_t k) {
  const AgonKind *kind = &env->spec.kind[k];
  uint64_t choices = 0;
  if (kind->action_kind != AGON_DISCRETE && kind->action_kind != AGON_MULTI_DISCRETE &&
      kind->action_kind != AGON_BOX)
    return kind_wrong(env, k, "unknown action_kind");
  if ((kind->action_kind == AGON_BOX) != (env->spec.kind[0].action_kind == AGON_BOX))
    return kind_wrong(env, k,
                      "a BOX beside choices: all kinds of an env act in the one or in the other");
  TRY_RETURN(check_kind_count(env, k, "heads", kind->heads, 1, AGON_MAX_HEADS));
  if (kind->action_kind == AGON_DISCRETE && kind->heads != 1)
    return kind_wrong(env, k, "DISCRETE has one head");
  if (kind->action_kind == AGON_BOX) return check_box(env, k);
  if (!kind->head_size) return kind_wrong(env, k, "choices without head_size");
  for (uint32_t h = 0; h < kind->heads; h++) {
    if (kind->head_size[h] < 1) return kind_wrong(env, k, "a head has no choices");
    choices += kind->head_size[h];
    if (kind->idle &&
        (kind->idle[h].choice < 0 || (uint32_t)kind->idle[h].choice >= kind->head_size[h]))
      return kind_wrong(env, k, "idle is no choice of its head");
  }
  return check_kind_count(env, k, "choices (the sum of head_size)", choices, 1, AGON_MAX_CHOICES);
}

/* Limits that arrays and messages elsewhere rest on. */
static Status check_sizes(const Env *env) {
  const AgonEnvSpec *spec = &env->spec;
  if (spec->params_size > env->table->params_capacity)
    return wrong(env, "params_size is over params_capacity");
  TRY_RETURN(check_count(env, "episode_size", spec->episode_size, 1, MOST_EPISODE));
  TRY_RETURN(check_count(env, "step_limit", spec->step_limit, 1, UINT32_MAX));
  TRY_RETURN(check_count(env, "agents", spec->agents, 1, AGON_MAX_AGENTS));
  TRY_RETURN(check_count(env, "teams", spec->teams, 1, AGON_MAX_TEAMS));
  TRY_RETURN(check_count(env, "kinds", spec->kinds, 1, AGON_MAX_KINDS));
  TRY_RETURN(check_count(env, "chance", spec->chance, 0, AGON_MAX_CHANCE));
  TRY_RETURN(check_count(env, "metrics", spec->metrics, 0, AGON_MAX_METRICS));
  TRY_RETURN(check_count(env, "knobs", spec->knobs, 0, AGON_MAX_KNOBS));
  TRY_RETURN(check_count(env, "global_state_size", spec->global_state_size, 0, MOST_OBSERVATION));
  if (!(spec->reward_low <= spec->reward_high) || !isfinite(spec->reward_low) ||
      !isfinite(spec->reward_high))
    return wrong(env, "reward_low .. reward_high is no finite range");
  return OK;
}

/* What is named or promised has its function, and the other way round. */
static Status check_functions(const Env *env) {
  const AgonEnvSpec *spec = &env->spec;
  const AgonEnv *table = env->table;
  if (spec->metrics && (!table->metrics || !table->metric_names))
    return wrong(env, "metrics without their function or names");
  for (uint32_t i = 0; i < spec->metrics; i++)
    if (!table->metric_names[i]) return wrong(env, "a metric without a name");
  if (spec->teams > 1 && !table->outcome) return wrong(env, "several teams without outcome");
  if (spec->chance &&
      (!table->chance_outcomes || !table->chance_apply || !(spec->flags & AGON_ENUMERATES_CHANCE)))
    return wrong(env, "chance without chance_outcomes, chance_apply and AGON_ENUMERATES_CHANCE");
  if (!spec->chance && table->chance_outcomes && table->chance_apply &&
      (spec->flags & AGON_ENUMERATES_CHANCE))
    return wrong(env, "chance_outcomes, but `chance`, the most outcomes of a chance move, is 0");
  if (spec->global_state_size && !table->global_state)
    return wrong(env, "global_state_size without global_state");
  if (spec->knobs &&
      (!table->reset_with || !spec->knob_names || !spec->knob_low || !spec->knob_high))
    return wrong(env, "knobs without reset_with, knob_names, knob_low and knob_high");
  for (uint32_t i = 0; i < spec->knobs; i++)
    if (!spec->knob_names[i] || !isfinite(spec->knob_low[i]) || !isfinite(spec->knob_high[i]) ||
        !(spec->knob_low[i] <= spec->knob_high[i]))
      return wrong(env, "a knob without a name, or without a finite range knob_low .. knob_high");
  for (uint32_t i = 0; i < spec->knobs && spec->knob_plain; i++)
    if (!(spec->knob_plain[i] >= spec->knob_low[i] && spec->knob_plain[i] <= spec->knob_high[i]))
      return wrong(env, "knob_plain lies outside of knob_low .. knob_high");
  if (!table->create && (table->destroy || table->save || table->load))
    return wrong(env, "destroy, save or load without create");
  if (table->create && !table->destroy) return wrong(env, "create without destroy");
  if (!table->save != !table->load) return wrong(env, "save without load, or load without save");
  if (table->create && !table->save && !(spec->flags & AGON_NOT_SAVED))
    return wrong(env, "create without save and load: offer them, or set AGON_NOT_SAVED");
  if (table->save && (spec->flags & AGON_NOT_SAVED))
    return wrong(env, "AGON_NOT_SAVED beside save and load");
  return OK;
}

/* Elements of one observation. */
static size_t elements_of(const AgonKind *kind) {
  return (size_t)kind->observation_shape[0] * kind->observation_shape[1] *
         kind->observation_shape[2];
}

/* The widest observation: planes of one size stay planes; else a row of elements. */
static void widen_observation(AgonKind *to, const AgonKind *kind) {
  bool planes = to->observation_shape[1] == kind->observation_shape[1] &&
                to->observation_shape[2] == kind->observation_shape[2];
  size_t most = elements_of(to);
  size_t own = elements_of(kind);
  if (most != own) { /* the padding is 0 */
    to->observation_low = fminf(to->observation_low, 0);
    to->observation_high = fmaxf(to->observation_high, 0);
  }
  if (own > most) most = own;
  if (planes) {
    if (kind->observation_shape[0] > to->observation_shape[0])
      to->observation_shape[0] = kind->observation_shape[0];
  } else {
    to->observation_shape[0] = (uint32_t)most;
    to->observation_shape[2] = 1;
    to->observation_shape[1] = 1;
  }
  to->observation_low = fminf(to->observation_low, kind->observation_low);
  to->observation_high = fmaxf(to->observation_high, kind->observation_high);
  if (kind->observation_type == AGON_F32) to->observation_type = AGON_F32;
}

/* Each head of the layout as wide as the widest of the kinds has it; BOX components likewise in
 * range. */
static void widen_actions(Env *env, const AgonKind *kind) {
  AgonKind *to = &env->layout;
  for (uint32_t h = 0; h < kind->heads; h++) {
    bool news = h >= to->heads;
    if (kind->action_kind == AGON_BOX) {
      env->action_low[h] =
          news ? kind->action_low[h] : fminf(env->action_low[h], kind->action_low[h]);
      env->action_high[h] =
          news ? kind->action_high[h] : fmaxf(env->action_high[h], kind->action_high[h]);
    } else {
      env->head_size[h] =
          news || kind->head_size[h] > env->head_size[h] ? kind->head_size[h] : env->head_size[h];
    }
  }
  if (kind->heads > to->heads) to->heads = kind->heads;
  if (kind->action_kind == AGON_MULTI_DISCRETE) to->action_kind = AGON_MULTI_DISCRETE;
}

/* The layout of several kinds; their arrays are the Env's own. */
static Status widen(Env *env) {
  env->layout = env->spec.kind[0];
  env->layout.name = NULL;
  env->layout.idle = NULL;
  env->layout.heads = 0;
  TRY_RETURN(NEW_ARRAY(env->head_size, AGON_MAX_HEADS));
  TRY_RETURN(NEW_ARRAY(env->action_low, AGON_MAX_HEADS));
  TRY_RETURN(NEW_ARRAY(env->action_high, AGON_MAX_HEADS));
  for (uint32_t k = 0; k < env->spec.kinds; k++) {
    widen_observation(&env->layout, &env->spec.kind[k]);
    widen_actions(env, &env->spec.kind[k]);
  }
  bool box = env->layout.action_kind == AGON_BOX;
  env->layout.head_size = box ? NULL : env->head_size;
  env->layout.action_low = box ? env->action_low : NULL;
  env->layout.action_high = box ? env->action_high : NULL;
  return OK;
}

/* Bytes of a mask row. */
static uint32_t mask_width(const AgonKind *kind) {
  uint32_t sum = 0;
  for (uint32_t h = 0; h < kind->heads; h++)
    sum += kind->action_kind == AGON_BOX ? 1 : kind->head_size[h];
  return sum;
}

/* First what other checks index by, then the kinds, then the layout. */
Status env_lay_out(Env *env) {
  TRY_RETURN(check_sizes(env));
  TRY_RETURN(copy_members(env));
  TRY_RETURN(copy_kinds(env));
  TRY_RETURN(check_members(env));
  for (uint32_t k = 0; k < env->spec.kinds; k++) {
    TRY_RETURN(check_observation(env, k));
    TRY_RETURN(check_actions(env, k));
  }
  TRY_RETURN(check_functions(env));
  env->padded = env->spec.kinds > 1;
  if (env->padded)
    TRY_RETURN(widen(env));
  else
    env->layout = env->spec.kind[0];
  env->observation_count = elements_of(&env->layout);
  env->observation_bytes =
      env->observation_count * (env->layout.observation_type == AGON_U8 ? 1 : 4);
  env->action_count = mask_width(&env->layout);
  TRY_RETURN(check_count(env, "choices of all kinds side by side", env->action_count, 1,
                         AGON_MAX_CHOICES));
  env->masks = !env->padded && env->table->mask && env->layout.action_kind != AGON_BOX;
  TRY_RETURN(NEW_ARRAY(env->scratch, 1));
  TRY_RETURN(NEW_ARRAY(env->scratch->chance, env->spec.chance + ENV_CHANCE_GUARD));
  memset(env->scratch->chance + env->spec.chance, ENV_CHANCE_FILL,
         ENV_CHANCE_GUARD * sizeof *env->scratch->chance);
  TRY_RETURN(NEW_ARRAY(env->scratch->row, env->observation_count * 4));
  return NEW_ARRAY(env->scratch->mask, env->action_count);
}
