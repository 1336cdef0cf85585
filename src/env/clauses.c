/* The clauses of agon/env.h that can be seen in one position: rows, masks, flags, what is offered
 * beside the game, the end. Each function stops at the first that is broken. */
#include "env/probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SMALL_PICTURE = 8,    /* hardly any room for a picture */
  MOST_ALIKE = 1024,    /* names of a head that are compared with one another */
  MOST_NAMED = 1 << 16, /* elements whose names are asked for */
  MOST_NAME = 256       /* characters of an element's name */
};

bool guarded(const uint8_t *block, size_t size) {
  for (size_t i = 0; i < GUARD; i++)
    if (block[i] != FILL || block[GUARD + size + i] != FILL) return false;
  return true;
}

/* --- what is seen, kept for later --- */

/* There is room behind all of it: an env that writes a little too far is found out by a clause, and
 * does no harm before. */
Status view_create(const Env *env, View *out) {
  const AgonEnvSpec *spec = &env->spec;
  TRY_RETURN(NEW_ARRAY(out->flags, spec->agents + GUARD));
  TRY_RETURN(NEW_ARRAY(out->rows, spec->agents * env->observation_bytes + GUARD));
  TRY_RETURN(NEW_ARRAY(out->masks, spec->agents * (size_t)env->action_count + GUARD));
  TRY_RETURN(NEW_ARRAY(out->global, spec->global_state_size + GUARD));
  TRY_RETURN(NEW_ARRAY(out->outcome, spec->teams + GUARD));
  return NEW_ARRAY(out->metrics, spec->metrics + GUARD);
}

void view_destroy(View *view) {
  free(view->flags);
  free(view->rows);
  free(view->masks);
  free(view->global);
  free(view->outcome);
  free(view->metrics);
}

void view_take(const Probe *probe, const void *episode, AgonStatus status, View *out) {
  const Env *env = probe->env;
  const size_t width = env->action_count;
  env_flags_of(env, episode, out->flags);
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    env_observe(env, episode, a, out->rows + a * env->observation_bytes);
    if (out->flags[a] & AGON_ACTS)
      env_mask(env, episode, a, out->masks + a * width);
    else
      memset(out->masks + a * width, 0, width);
  }
  if (env->spec.global_state_size) env->table->global_state(env->params, episode, out->global);
  out->ended = status != AGON_RUNNING;
  if (!out->ended) return;
  env_outcome(env, episode, out->outcome);
  if (env->spec.metrics) env->table->metrics(env->params, episode, out->metrics);
}

/* The first element of two rows that is not the same, and its values. */
static size_t first_unlike(const Env *env, const uint8_t *one, const uint8_t *two, float value[2]) {
  const size_t size = env->layout.observation_type == AGON_U8 ? 1 : 4;
  size_t at = 0;
  while (!memcmp(one + at * size, two + at * size, size))
    at++;
  value[0] = (float)one[at];
  value[1] = (float)two[at];
  if (size == 1) return at;
  memcpy(&value[0], one + at * size, size);
  memcpy(&value[1], two + at * size, size);
  return at;
}

/* What one agent sees and may do. */
static Status compare_agent(const Probe *probe, const View *one, const View *two, uint32_t a,
                            const char *what) {
  const Env *env = probe->env;
  const size_t row = a * env->observation_bytes;
  const size_t mask = a * (size_t)env->action_count;
  float value[2];
  if (one->flags[a] != two->flags[a])
    return broken(probe, "%s differ in their flags: agent %u's are %u and %u", what, a,
                  one->flags[a], two->flags[a]);
  if (memcmp(one->rows + row, two->rows + row, env->observation_bytes)) {
    size_t at = first_unlike(env, one->rows + row, two->rows + row, value);
    return broken(probe,
                  "%s differ in what agent %u sees: element %zu is %g and %g (what is seen must be "
                  "decided by the episode alone, and that by seed and actions)",
                  what, a, at, (double)value[0], (double)value[1]);
  }
  for (uint32_t i = 0; i < env->action_count; i++)
    if (one->masks[mask + i] != two->masks[mask + i])
      return broken(probe, "%s differ in what agent %u may do: byte %u of its mask is %u and %u",
                    what, a, i, one->masks[mask + i], two->masks[mask + i]);
  return OK;
}

/* ERR_ENV if two arrays of numbers are not the same, naming the first that is not. */
static Status compare_numbers(const Probe *probe, const char *what, const char *name,
                              const float *one, const float *two, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (memcmp(&one[i], &two[i], sizeof *one))
      return broken(probe, "%s differ in %s: element %zu is %g and %g", what, name, i,
                    (double)one[i], (double)two[i]);
  return OK;
}

Status view_compare(const Probe *probe, const View *one, const View *two, const char *what) {
  const AgonEnvSpec *spec = &probe->env->spec;
  for (uint32_t a = 0; a < spec->agents; a++)
    TRY_RETURN(compare_agent(probe, one, two, a, what));
  TRY_RETURN(compare_numbers(probe, what, "their global state", one->global, two->global,
                             spec->global_state_size));
  if (!one->ended) return OK;
  TRY_RETURN(
      compare_numbers(probe, what, "their outcome", one->outcome, two->outcome, spec->teams));
  return compare_numbers(probe, what, "their metrics", one->metrics, two->metrics, spec->metrics);
}

/* --- names --- */

/* A text of the env, ended within `most` characters and the same whenever it is asked for; *named
 * says whether there is one. The first answer is kept in probe->text. */
static Status check_name(Probe *probe, const char *name, const char *again, size_t most,
                         const char *what, uint32_t index, bool *named) {
  *named = name != NULL;
  probe->checks++;
  if (!name && !again) return OK;
  if (strlen(probe->text) >= most)
    return broken(probe, "%s %u is longer than %zu characters", what, index, most - 1);
  if (!name || !again || strcmp(probe->text, again))
    return broken(probe, "%s %u is not the same when it is asked for again", what, index);
  if (!probe->text[0]) return broken(probe, "%s %u is empty: NULL stands for no name", what, index);
  return OK;
}

/* The text may lie in one buffer for all names, so that it is copied before the next is asked for.
 */
static const char *kept_name(Probe *probe, const char *name) {
  snprintf(probe->text, PICTURE, "%s", name ? name : "");
  return name;
}

/* Words of `play` and `query` are names, which must lead back to their choice. */
static Status check_action_names(Probe *probe, uint32_t head, uint32_t choice) {
  const Env *env = probe->env;
  bool named;
  const char *name = kept_name(probe, env->table->action_name(env->params, head, choice));
  const char *again = env->table->action_name(env->params, head, choice);
  TRY_RETURN(
      check_name(probe, name, again, AGON_NAME_LEN, "the action_name of choice", choice, &named));
  for (uint32_t other = 0; named && choice < MOST_ALIKE && other < choice; other++) {
    again = env->table->action_name(env->params, head, other);
    if (again && !strcmp(probe->text, again))
      return broken(probe, "choices %u and %u of head %u have one action_name, '%s'", other, choice,
                    head, probe->text);
  }
  return OK;
}

Status check_names(Probe *probe) {
  const Env *env = probe->env;
  const AgonKind *layout = &env->layout;
  const size_t elements = env->observation_count < MOST_NAMED ? env->observation_count : MOST_NAMED;
  bool named;
  for (uint32_t h = 0; env->table->action_name && layout->head_size && h < layout->heads; h++)
    for (uint32_t i = 0; i < layout->head_size[h]; i++)
      TRY_RETURN(check_action_names(probe, h, i));
  for (uint32_t i = 0; env->table->observation_name && i < elements; i++) {
    const char *name = kept_name(probe, env->table->observation_name(env->params, i));
    TRY_RETURN(check_name(probe, name, env->table->observation_name(env->params, i), MOST_NAME,
                          "the observation_name of element", i, &named));
  }
  return OK;
}

/* --- what agents see and may do --- */

/* Of the agent's kind, by itself: the host's padding is no business of the env. */
Status check_observation(Probe *probe, const void *state, uint32_t agent) {
  const Env *env = probe->env;
  const AgonKind *kind = env_kind(env, agent);
  size_t count =
      (size_t)kind->observation_shape[0] * kind->observation_shape[1] * kind->observation_shape[2];
  size_t size = count * (kind->observation_type == AGON_U8 ? 1 : 4);
  memset(probe->row, FILL, size + 2 * GUARD);
  memset(probe->row2, 0x5A, size + 2 * GUARD);
  env->table->observe(env->params, state, agent, probe->row + GUARD);
  env->table->observe(env->params, state, agent, probe->row2 + GUARD);
  probe->checks += 3;
  if (!guarded(probe->row, size))
    return broken(probe, "observe writes outside its row (agent %u)", agent);
  if (memcmp(probe->row + GUARD, probe->row2 + GUARD, size))
    return broken(
        probe, "observe leaves bytes of the row unwritten or is not repeatable (agent %u)", agent);
  for (size_t i = 0; i < count; i++) {
    float value = (float)probe->row2[GUARD + i];
    if (kind->observation_type == AGON_F32) memcpy(&value, probe->row2 + GUARD + 4 * i, 4);
    if (!isfinite(value))
      return broken(probe, "element %zu of agent %u's observation is %g, no finite number", i,
                    agent, (double)value);
    if (!(value >= kind->observation_low && value <= kind->observation_high))
      return broken(probe,
                    "element %zu of agent %u's observation is %g, outside observation_low .. "
                    "observation_high",
                    i, agent, (double)value);
  }
  return OK;
}

/* The layout's row of a narrower kind: what the kind lacks is zero, or masked. */
static Status check_padding(Probe *probe, const void *state, uint32_t agent) {
  const Env *env = probe->env;
  if (!env->padded) return OK;
  size_t size = env->observation_bytes;
  size_t at = 0;
  memset(probe->row, FILL, size + 2 * GUARD);
  env_observe(env, state, agent, probe->row + GUARD);
  env_mask(env, state, agent, probe->mask + GUARD);
  probe->checks += 2;
  if (!guarded(probe->row, size))
    return broken(probe, "the padded row of agent %u is not its own length", agent);
  for (uint32_t h = 0; h < env->layout.heads && env->layout.action_kind != AGON_BOX; h++) {
    uint32_t legal = 0;
    for (uint32_t i = 0; i < env->layout.head_size[h]; i++)
      legal += probe->mask[GUARD + at++];
    if (!legal)
      return broken(probe, "head %u of agent %u has no legal choice in the layout", h, agent);
  }
  return OK;
}

/* Checks the kind's own mask, then leaves the layout's in probe->mask. */
static Status check_mask(Probe *probe, const void *state, uint32_t agent) {
  const Env *env = probe->env;
  const AgonKind *kind = env_kind(env, agent);
  if (env->layout.action_kind == AGON_BOX || !env->table->mask) {
    env_mask(env, state, agent, probe->mask + GUARD);
    return OK;
  }
  size_t width = 0;
  for (uint32_t h = 0; h < kind->heads; h++)
    width += kind->head_size[h];
  memset(probe->mask, FILL, width + 2 * GUARD);
  env->table->mask(env->params, state, agent, probe->mask + GUARD);
  probe->checks += 3;
  if (!guarded(probe->mask, width))
    return broken(probe, "mask writes outside its row (agent %u)", agent);
  const uint8_t *at = probe->mask + GUARD;
  for (uint32_t h = 0; h < kind->heads; h++) {
    uint32_t legal = 0;
    if (kind->idle && at[kind->idle[h].choice] != 1)
      return broken(probe, "agent %u's idle action is not legal (head %u)", agent, h);
    for (uint32_t i = 0; i < kind->head_size[h]; i++, at++) {
      if (*at > 1)
        return broken(probe, "a mask byte is neither 0 nor 1 (agent %u, head %u, choice %u)", agent,
                      h, i);
      legal += *at;
    }
    if (!legal)
      return broken(probe, "an acting agent has no legal action (agent %u, head %u)", agent, h);
  }
  env_mask(env, state, agent, probe->mask + GUARD); /* from here on in the layout */
  return OK;
}

/* BOX: half of all components lie outside, and come to `step` as the box's faces and corners. */
static void pick_action(Probe *probe, uint32_t agent, AgonRng *rng, AgonAction *action) {
  const Env *env = probe->env;
  if (env->layout.action_kind != AGON_BOX) {
    env_random_action(env, agent, probe->mask + GUARD, rng, action);
    return;
  }
  for (uint32_t h = 0; h < env->layout.heads; h++)
    action[h].value = 4 * (float)rng_unit(rng) - 2;
  env_scale_action(env, agent, action);
}

/* The rule-based player's action must be legal; probe->mask is this agent's, in the layout. */
static Status check_scripted(Probe *probe, const void *state, uint32_t agent, const AgonRng *rng) {
  const Env *env = probe->env;
  const uint32_t heads = env->layout.heads;
  AgonRng own = *rng; /* the random play goes on as if it had not been asked */
  AgonRandom random = rng_handle(&own);
  AgonAction *action = probe->script;
  if (!env->table->scripted || (env->spec.flags & AGON_UNSCRIPTED)) return OK;
  if (env->layout.action_kind == AGON_BOX) return OK;
  memset(action, 0, heads * sizeof *action);
  action[heads].choice = FILL;
  env->table->scripted(env->params, state, agent, &random, action);
  probe->checks += 2;
  if (action[heads].choice != FILL)
    return broken(probe, "scripted writes beyond its row (agent %u)", agent);
  for (uint32_t h = 0, at = 0; h < heads; at += env->layout.head_size[h++]) {
    int32_t choice = action[h].choice;
    if (choice < 0 || (uint32_t)choice >= env->layout.head_size[h] ||
        !probe->mask[GUARD + at + (uint32_t)choice])
      return broken(probe, "scripted chooses an illegal action for agent %u: %d", agent, choice);
  }
  return OK;
}

Status check_agents(Probe *probe, const void *state, AgonStatus status, AgonRng *rng) {
  const Env *env = probe->env;
  uint32_t acting = 0;
  uint32_t agents = env->spec.agents;
  uint8_t *flags = probe->flags;
  memset(flags, FILL, agents + 1);
  env_flags_of(env, state, flags);
  probe->checks += 2;
  if (flags[agents] != FILL) return broken(probe, "flags writes beyond its agents");
  for (uint32_t a = 0; a < agents; a++) {
    TRY_RETURN(check_observation(probe, state, a));
    if (flags[a] & ~(AGON_ACTS | AGON_ALIVE))
      return broken(probe, "unknown flag bits of agent %u: %u", a, flags[a]);
    if (!(flags[a] & AGON_ACTS)) continue;
    if (!(flags[a] & AGON_ALIVE)) return broken(probe, "agent %u is flagged ACTS and not ALIVE", a);
    acting++;
    TRY_RETURN(check_padding(probe, state, a));
    TRY_RETURN(check_mask(probe, state, a));
    TRY_RETURN(check_scripted(probe, state, a, rng));
    pick_action(probe, a, rng, env_action(env, probe->action, a));
  }
  env_clip_actions(env, probe->action);
  if (status == AGON_RUNNING && !acting)
    return broken(probe, "a running episode without an acting agent");
  if (status != AGON_RUNNING && status != AGON_TRUNCATED && acting) /* truncated: who would act */
    return broken(probe, "an ended episode with an acting agent");
  return OK;
}

/* --- chance --- */

/* What the env leaves unwritten is found as a number that is none. */
Status check_chance(Probe *probe, const void *state, uint32_t *count, const double **out) {
  const Env *env = probe->env;
  double sum = 0;
  *out = NULL;
  *count = 0;
  if (!env->spec.chance || !env->table->chance_outcomes || !env->table->chance_apply)
    return broken(probe, "status chance without AGON_ENUMERATES_CHANCE and its two functions");
  memset(env->scratch->chance, 0xFF, env->spec.chance * sizeof *env->scratch->chance);
  *out = env_chance(env, state, count);
  probe->checks += 3;
  if (env_chance_overran(env))
    return broken(probe, "chance_outcomes writes more than %u probabilities (`chance` of the spec)",
                  env->spec.chance);
  if (*count < 1)
    return broken(probe, "chance outcomes are not 1 .. %u (`chance` of the spec)",
                  env->spec.chance);
  for (uint32_t i = 0; i < *count; i++) {
    if (!((*out)[i] >= 0))
      return broken(probe, "the probability of chance outcome %u is %g", i, (*out)[i]);
    sum += (*out)[i];
  }
  return fabs(sum - 1) < 1e-9
             ? OK
             : broken(probe, "chance probabilities do not sum to 1, but to %.12g", sum);
}

/* --- beside the game --- */

static Status check_potential(Probe *probe) {
  const Env *env = probe->env;
  const uint32_t agents = env->spec.agents;
  float *again = probe->phi + agents + 1;
  if (!env->table->potential) return OK;
  probe->phi[agents] = -7;
  env->table->potential(env->params, episode_of(&probe->first), probe->phi);
  env->table->potential(env->params, episode_of(&probe->first), again);
  probe->checks += 2;
  if (probe->phi[agents] < -7 || probe->phi[agents] > -7)
    return broken(probe, "potential writes beyond its agents");
  if (memcmp(probe->phi, again, agents * sizeof *again))
    return broken(probe, "potential is not repeatable");
  for (uint32_t a = 0; a < agents; a++)
    if (!isfinite(probe->phi[a]))
      return broken(probe, "the potential of agent %u is not finite", a);
  return OK;
}

/* Rows of the suite are as wide as the global state, too. */
static Status check_global(Probe *probe) {
  const Env *env = probe->env;
  const size_t count = env->spec.global_state_size;
  const size_t size = count * sizeof(float);
  if (!count) return OK;
  memset(probe->row, FILL, size + 2 * GUARD);
  memset(probe->row2, 0x5A, size + 2 * GUARD);
  env->table->global_state(env->params, episode_of(&probe->first),
                           (float *)(void *)(probe->row + GUARD));
  env->table->global_state(env->params, episode_of(&probe->first),
                           (float *)(void *)(probe->row2 + GUARD));
  probe->checks += 3;
  if (!guarded(probe->row, size))
    return broken(probe, "global_state writes beyond global_state_size");
  if (memcmp(probe->row + GUARD, probe->row2 + GUARD, size))
    return broken(probe, "global_state leaves elements unwritten or is not repeatable");
  size_t at = env_first_beyond(probe->row + GUARD, count, INFINITY);
  return at == count ? OK : broken(probe, "element %zu of the global state is not finite", at);
}

/* One picture within its room, ended by 0. */
static Status draw(Probe *probe, char *text, size_t room) {
  const Env *env = probe->env;
  memset(text, FILL, PICTURE + 1);
  env->table->render(env->params, episode_of(&probe->first), text, room);
  probe->checks += 2;
  for (size_t i = room; i <= PICTURE; i++)
    if ((uint8_t)text[i] != FILL)
      return broken(probe, "render writes beyond the %zu characters that it is given", room);
  return memchr(text, 0, room) ? OK : broken(probe, "render does not end its text by 0");
}

/* In one position of four, as a picture may take long. */
static Status check_picture(Probe *probe) {
  if (!probe->env->table->render || (probe->number + probe->steps) % 4) return OK;
  TRY_RETURN(draw(probe, probe->text, SMALL_PICTURE));
  TRY_RETURN(draw(probe, probe->text, PICTURE));
  TRY_RETURN(draw(probe, probe->text2, PICTURE));
  return strcmp(probe->text, probe->text2) ? broken(probe, "render is not repeatable") : OK;
}

Status check_extras(Probe *probe) {
  const Env *env = probe->env;
  TRY_RETURN(check_potential(probe));
  for (uint32_t a = 0; env->table->position && a < env->spec.agents; a++) {
    float xyz[3] = {0};
    env->table->position(env->params, episode_of(&probe->first), a, xyz);
    probe->checks++;
    if (!isfinite(xyz[0]) || !isfinite(xyz[1]) || !isfinite(xyz[2]))
      return broken(probe, "the position of agent %u is not finite", a);
  }
  TRY_RETURN(check_global(probe));
  return check_picture(probe);
}

/* --- the end --- */

/* Finite numbers, and not one more than the spec says. */
static Status check_metrics(Probe *probe) {
  const Env *env = probe->env;
  const uint32_t count = env->spec.metrics;
  float *values = probe->metric;
  if (!env->table->metrics) return OK;
  memset(values, 0, count * sizeof *values);
  values[count] = -7;
  env->table->metrics(env->params, episode_of(&probe->first), values);
  probe->checks += 2;
  if (values[count] < -7 || values[count] > -7)
    return broken(probe, "metrics writes beyond its count");
  for (uint32_t i = 0; i < count; i++)
    if (!isfinite(values[i]))
      return broken(probe, "the metric %s is not finite", env->table->metric_names[i]);
  return OK;
}

/* Outcomes and returns within what the spec says. */
Status check_end(Probe *probe) {
  const Env *env = probe->env;
  float *outcome = probe->outcome;
  outcome[env->spec.teams] = -7;
  env_outcome(env, episode_of(&probe->first), outcome);
  probe->checks += 3;
  for (uint32_t t = 0; t < env->spec.teams; t++)
    if (!(outcome[t] >= 0 && outcome[t] <= 1))
      return broken(probe, "an outcome is outside 0 .. 1: team %u's is %g", t, (double)outcome[t]);
  if (outcome[env->spec.teams] < -7 || outcome[env->spec.teams] > -7)
    return broken(probe, "outcome writes beyond its teams");
  if (!env_outcome_counts(env, outcome))
    return broken(probe, "two teams' outcomes do not sum to 1");
  TRY_RETURN(check_metrics(probe));
  float slack = 1e-3f * (1 + fabsf(env->spec.reward_high));
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (probe->total[a] < env->spec.reward_low - slack ||
        probe->total[a] > env->spec.reward_high + slack)
      return broken(probe,
                    "an episode's return is outside reward_low .. reward_high: agent %u's is %g", a,
                    (double)probe->total[a]);
  return OK;
}
