/* Random play that checks the clauses of agon/env.h: determinism by seed, copy and restore, masks,
 * flags, ranges, writes outside the rows, outcome sums, step limit, zero sums, chance
 * probabilities, potentials, removal, knobs. Two episodes are played side by side. Before each step
 * the twin becomes a copy of the first - by memcpy, or by save and load - and must go on as the
 * first does; an env that offers neither plays the twin from the same seed. */
#include "env/env.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, FILL = 0xA5 };

/* The two episodes that are played side by side, and room for what their env writes. */
typedef struct Probe {
  const Env *env;
  uint8_t *episode, *twin; /* guarded blocks */
  bool made, made_twin;    /* created by the env, which must destroy them */
  uint8_t *row, *row2, *mask;
  uint8_t *flags;          /* (2, agents) and one byte more */
  float *reward, *reward2; /* (agents) */
  float *phi;              /* (2, agents) and one more */
  float *outcome, *team;   /* (teams) and one more */
  float *total;            /* (agents) */
  AgonAction *action;      /* (agents, heads) */
  float *knob;             /* (knobs) */
  Bytes saved;
  Bytes line; /* the game so far: outcomes of chance, and actions of those who acted */
  size_t checks;
  uint64_t seed;
  uint32_t number, steps;
} Probe;

/* ERR_ENV with the clause, and with seed and line of play, so that the step can be played again. */
__attribute__((format(printf, 2, 3))) static Status broken(const Probe *probe, const char *clause,
                                                           ...) {
  enum { SHOWN = 300 }; /* of the line's end */
  char text[400];
  const char *line = probe->line.data ? (const char *)probe->line.data : "";
  const size_t length = probe->line.size;
  const size_t skip = length > SHOWN ? length - SHOWN : 0;
  va_list arguments;
  va_start(arguments, clause);
  vsnprintf(text, sizeof text, clause, arguments);
  va_end(arguments);
  return status_set(
      ERR_ENV,
      "env %s breaks its contract at step %u of episode %u (seed %llu): %s; line of play: %s%.*s",
      probe->env->table->name, probe->steps, probe->number, (unsigned long long)probe->seed, text,
      skip     ? "... "
      : length ? ""
               : "(its beginning)",
      (int)(length - skip), line + skip);
}

/* One word of the line; several heads are joined by '/', as `agon query` reads them. */
static void put_action(Probe *probe, const AgonAction *action) {
  const AgonKind *layout = &probe->env->layout;
  char word[32];
  for (uint32_t h = 0; h < layout->heads; h++) {
    const char *join = h ? "/" : probe->line.size ? " " : "";
    int size = layout->action_kind == AGON_BOX
                   ? snprintf(word, sizeof word, "%s%.9g", join, (double)action[h].value)
                   : snprintf(word, sizeof word, "%s%d", join, action[h].choice);
    bytes_put(&probe->line, word, (size_t)size);
  }
}

/* One word of the line. */
static void put_chance(Probe *probe, uint32_t outcome) {
  char word[16];
  int size = snprintf(word, sizeof word, "%s%u", probe->line.size ? " " : "", outcome);
  bytes_put(&probe->line, word, (size_t)size);
}

/* The episode of the first twin, behind its guard. */
static void *first(const Probe *probe) {
  return probe->episode + GUARD;
}

/* The episode of the second twin, behind its guard. */
static void *second(const Probe *probe) {
  return probe->twin + GUARD;
}

/* Whether the bytes before and behind a block are as they were filled. */
static bool guarded(const uint8_t *block, size_t size) {
  for (size_t i = 0; i < GUARD; i++)
    if (block[i] != FILL || block[GUARD + size + i] != FILL) return false;
  return true;
}

/* Of the agent's kind, by itself: the host's padding is no business of the env. */
static Status check_observation(Probe *probe, const void *state, uint32_t agent) {
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

/* Outcomes in range, probabilities that sum to 1. */
static Status check_chance(Probe *probe, const void *state, uint32_t *count, const double **out) {
  const Env *env = probe->env;
  double sum = 0;
  *out = NULL;
  *count = 0;
  if (!(env->spec.flags & AGON_ENUMERATES_CHANCE) || !env->table->chance_outcomes ||
      !env->table->chance_apply)
    return broken(probe, "status chance without AGON_ENUMERATES_CHANCE and its two functions");
  *out = env_chance(env, state, count);
  probe->checks += 2;
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

/* An env that the suite plays must not fail. */
static Status failed(const Probe *probe, const char *where) {
  return broken(probe, "%s reports failure: %s", where, env_why(probe->env));
}

/* Chance moves, applied to both twins with equal draws. */
static Status settle_both(Probe *probe, AgonStatus *status, AgonRng *rng) {
  const Env *env = probe->env;
  while (*status == AGON_CHANCE) {
    uint32_t count;
    const double *probability;
    TRY_RETURN(check_chance(probe, first(probe), &count, &probability));
    uint32_t pick = (uint32_t)rng_pick(rng, probability, count);
    put_chance(probe, pick);
    *status = env_call_chance(env, first(probe), pick, probe->reward);
    if (*status == AGON_FAILED) return failed(probe, "chance_apply");
    if (env_call_chance(env, second(probe), pick, probe->reward2) != *status)
      return broken(probe, "copies differ in status");
  }
  return OK;
}

/* Episodes that are not flat are compared by what can be seen of them. */
static Status compare_views(Probe *probe) {
  const Env *env = probe->env;
  uint32_t agents = env->spec.agents;
  env_flags_of(env, first(probe), probe->flags);
  env_flags_of(env, second(probe), probe->flags + agents);
  if (memcmp(probe->flags, probe->flags + agents, agents))
    return broken(probe, "copies differ in their flags");
  for (uint32_t a = 0; a < agents; a++) {
    env_observe(env, first(probe), a, probe->row);
    env_observe(env, second(probe), a, probe->row2);
    if (memcmp(probe->row, probe->row2, env->observation_bytes))
      return broken(probe, "copies differ in what agent %u sees", a);
  }
  return OK;
}

/* After a step both must be the same, with the same rewards, which must be numbers. */
static Status check_twins(Probe *probe) {
  const Env *env = probe->env;
  const float *reward = probe->reward;
  size_t size = env->spec.episode_size;
  probe->checks += 3;
  if (!guarded(probe->episode, size) || !guarded(probe->twin, size))
    return broken(probe, "the env writes outside its episode block");
  if (!env_copies(env))
    TRY_RETURN(compare_views(probe));
  else if (memcmp(probe->episode + GUARD, probe->twin + GUARD, size))
    return broken(probe, "two copies with the same seed and actions differ");
  if (memcmp(reward, probe->reward2, sizeof(float) * env->spec.agents))
    return broken(probe, "rewards are not repeatable");
  memset(probe->team, 0, sizeof(float) * env->spec.teams);
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (!isfinite(reward[a]))
      return broken(probe, "agent %u's reward is %g, no finite number", a, (double)reward[a]);
    probe->total[a] += reward[a];
    probe->team[env->spec.team_of[a]] += reward[a];
  }
  float sum = 0, scale = 0;
  for (uint32_t t = 0; t < env->spec.teams; t++) {
    sum += probe->team[t];
    scale += fabsf(probe->team[t]);
  }
  if ((env->spec.flags & AGON_ZERO_SUM) && fabsf(sum) > 1e-4f * (1 + scale))
    return broken(probe,
                  "a zero-sum env's rewards do not cancel over the teams' sums, but leave %g",
                  (double)sum);
  return OK;
}

/* The rule-based player's action must be legal; probe->mask is this agent's, in the layout. */
static Status check_scripted(Probe *probe, uint32_t agent, const AgonRng *rng) {
  const Env *env = probe->env;
  AgonRng own = *rng; /* the random play goes on as if it had not been asked */
  AgonRandom random = rng_handle(&own);
  AgonAction action[AGON_MAX_HEADS] = {{0}};
  if (!env->table->scripted || env->layout.action_kind == AGON_BOX) return OK;
  env->table->scripted(env->params, first(probe), agent, &random, action);
  probe->checks++;
  for (uint32_t h = 0, at = 0; h < env->layout.heads; at += env->layout.head_size[h++]) {
    int32_t choice = action[h].choice;
    if (choice < 0 || (uint32_t)choice >= env->layout.head_size[h] ||
        !probe->mask[GUARD + at + (uint32_t)choice])
      return broken(probe, "scripted chooses an illegal action for agent %u: %d", agent, choice);
  }
  return OK;
}

/* What every agent sees and may do, and an action for each who acts. */
static Status check_agents(Probe *probe, AgonStatus status, AgonRng *rng) {
  const Env *env = probe->env;
  uint32_t acting = 0;
  uint32_t agents = env->spec.agents;
  uint8_t *flags = probe->flags;
  memset(flags, FILL, agents + 1);
  env_flags_of(env, first(probe), flags);
  probe->checks += 2;
  if (flags[agents] != FILL) return broken(probe, "flags writes beyond its agents");
  for (uint32_t a = 0; a < agents; a++) {
    TRY_RETURN(check_observation(probe, first(probe), a));
    if (flags[a] & ~(AGON_ACTS | AGON_ALIVE))
      return broken(probe, "unknown flag bits of agent %u: %u", a, flags[a]);
    if (!(flags[a] & AGON_ACTS)) continue;
    acting++;
    TRY_RETURN(check_padding(probe, first(probe), a));
    TRY_RETURN(check_mask(probe, first(probe), a));
    TRY_RETURN(check_scripted(probe, a, rng));
    pick_action(probe, a, rng, env_action(env, probe->action, a));
  }
  env_clip_actions(env, probe->action);
  if (status == AGON_RUNNING && !acting)
    return broken(probe, "a running episode without an acting agent");
  if (status != AGON_RUNNING && status != AGON_TRUNCATED && acting) /* truncated: who would act */
    return broken(probe, "an ended episode with an acting agent");
  return OK;
}

/* What is offered beside the game itself: finite, repeatable, and within its room. */
static Status check_extras(Probe *probe) {
  const Env *env = probe->env;
  uint32_t agents = env->spec.agents;
  if (env->table->potential) {
    float *again = probe->phi + agents + 1;
    probe->phi[agents] = -7;
    env->table->potential(env->params, first(probe), probe->phi);
    env->table->potential(env->params, first(probe), again);
    probe->checks += 2;
    if (probe->phi[agents] < -7 || probe->phi[agents] > -7)
      return broken(probe, "potential writes beyond its agents");
    if (memcmp(probe->phi, again, agents * sizeof *again))
      return broken(probe, "potential is not repeatable");
    for (uint32_t a = 0; a < agents; a++)
      if (!isfinite(probe->phi[a]))
        return broken(probe, "the potential of agent %u is not finite", a);
  }
  for (uint32_t a = 0; env->table->position && a < agents; a++) {
    float xyz[3] = {0};
    env->table->position(env->params, first(probe), a, xyz);
    probe->checks++;
    if (!isfinite(xyz[0]) || !isfinite(xyz[1]) || !isfinite(xyz[2]))
      return broken(probe, "the position of agent %u is not finite", a);
  }
  return OK;
}

/* Finite numbers, and not one more than the spec says. */
static Status check_metrics(Probe *probe) {
  const Env *env = probe->env;
  float values[AGON_MAX_METRICS + 1] = {0};
  if (!env->table->metrics) return OK;
  values[env->spec.metrics] = -7;
  env->table->metrics(env->params, first(probe), values);
  probe->checks += 2;
  if (values[env->spec.metrics] < -7 || values[env->spec.metrics] > -7)
    return broken(probe, "metrics writes beyond its count");
  for (uint32_t i = 0; i < env->spec.metrics; i++)
    if (!isfinite(values[i]))
      return broken(probe, "the metric %s is not finite", env->table->metric_names[i]);
  return OK;
}

/* Outcomes and returns within what the spec says. */
static Status check_end(Probe *probe) {
  const Env *env = probe->env;
  float *outcome = probe->outcome;
  float sum = 0;
  outcome[env->spec.teams] = -7;
  env_outcome(env, first(probe), outcome);
  probe->checks += 3;
  for (uint32_t t = 0; t < env->spec.teams; t++) {
    if (!(outcome[t] >= 0 && outcome[t] <= 1))
      return broken(probe, "an outcome is outside 0 .. 1: team %u's is %g", t, (double)outcome[t]);
    sum += outcome[t];
  }
  if (outcome[env->spec.teams] < -7 || outcome[env->spec.teams] > -7)
    return broken(probe, "outcome writes beyond its teams");
  if (env->spec.teams == 2 && fabsf(sum - 1) > 1e-6f)
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

/* Of the `many` functions: the rows that they write are those of one by one, in place and nowhere
 * else. */
static Status check_view_many(Probe *probe) {
  const Env *env = probe->env;
  uint8_t *flags = probe->flags;
  uint8_t *both = probe->flags + env->spec.agents + 1;
  const void *state[2] = {second(probe), first(probe)};
  uint32_t agents_of = env->spec.agents;
  env_flags_of(env, state[1], flags);
  if (env->table->flags_many) {
    memset(both, FILL, 2 * agents_of + 1);
    env->table->flags_many(env->params, 2, state, both);
    probe->checks++;
    if (memcmp(both + agents_of, flags, agents_of) || both[2 * agents_of] != FILL)
      return broken(probe, "flags_many differs from flags");
  }
  if (!env->table->view_many || env->padded) return OK;
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (!(flags[a] & AGON_ACTS)) continue;
    const uint32_t agents[2] = {a, a};
    size_t size = env->observation_bytes;
    size_t width = env->layout.action_kind == AGON_BOX ? 0 : env->action_count;
    memset(probe->row, FILL, 2 * size + 2 * GUARD);
    memset(probe->mask, FILL, 2 * width + 2 * GUARD);
    env->table->view_many(env->params, 2, state, agents, probe->row + GUARD, probe->mask + GUARD);
    probe->checks += 4;
    if (!guarded(probe->row, 2 * size) || !guarded(probe->mask, 2 * width))
      return broken(probe, "view_many writes outside its rows");
    memset(probe->row2, 0x5A, size + 2 * GUARD);
    env_observe(env, state[1], a, probe->row2 + GUARD);
    if (memcmp(probe->row + GUARD + size, probe->row2 + GUARD, size))
      return broken(probe, "view_many differs from observe (agent %u)", a);
    env_mask(env, state[1], a, probe->row2 + GUARD);
    if (memcmp(probe->mask + GUARD + width, probe->row2 + GUARD, width))
      return broken(probe, "view_many differs from mask (agent %u)", a);
  }
  return OK;
}

/* Steps the twin and compares later: as step does, in status, rewards, stream and episode. */
static void step_twin(Probe *probe, const AgonRandom *random, AgonStatus *status) {
  const Env *env = probe->env;
  void *state = second(probe);
  if (!env->table->step_many) {
    *status = env_call_step(env, state, probe->action, random, probe->reward2);
    return;
  }
  probe->checks++;
  env_call_step_many(env, 1, &state, probe->action, random, probe->reward2, status);
}

/* Makes the twin what the first is, where the env can. */
static Status copy_to_twin(Probe *probe) {
  const Env *env = probe->env;
  if (env_copies(env)) {
    memcpy(second(probe), first(probe), env->spec.episode_size);
    return OK;
  }
  if (!env_saves(env)) return OK;
  probe->saved.size = 0;
  probe->checks++;
  TRY_RETURN(env_save(env, first(probe), &probe->saved));
  Reader reader = reader_over(probe->saved.data, probe->saved.size);
  TRY_RETURN(env_load(env, second(probe), &reader));
  TRY_RETURN(reader_finish(&reader, "a saved episode"));
  return compare_views(probe);
}

/* A copy of this episode, without one of those who are in it, goes on without it. */
static Status check_removal(Probe *probe) {
  const Env *env = probe->env;
  uint32_t alive = 0;
  uint32_t who = 0;
  uint32_t agents = env->spec.agents;
  if (!env->table->remove || !env_copies(env)) return OK;
  env_flags_of(env, first(probe), probe->flags);
  for (uint32_t a = 0; a < agents; a++)
    if (probe->flags[a] & AGON_ALIVE &&
        (alive++ == 0 || (probe->number + probe->steps) % agents == a))
      who = a;
  if (alive < 2) return OK;
  AgonError error = {""};
  memcpy(second(probe), first(probe), env->spec.episode_size);
  probe->checks += 2;
  if (env->table->remove(env->params, second(probe), who, &error))
    return broken(probe, "remove reports failure for agent %u: %.200s", who, error.text);
  env_flags_of(env, second(probe), probe->flags);
  if (probe->flags[who] & (AGON_ACTS | AGON_ALIVE))
    return broken(probe, "agent %u is still in the game after it was removed", who);
  return check_observation(probe, second(probe), who);
}

/* Knobs at their low and high ends, and drawn in between. */
static AgonStatus start(Probe *probe, void *state, const AgonRandom *random) {
  const Env *env = probe->env;
  const AgonEnvSpec *spec = &env->spec;
  if (!spec->knobs || probe->number % 2 == 0) return env_call_reset(env, state, random);
  AgonRng rng = rng_stream(probe->seed, 1, probe->number, RNG_TEST);
  for (uint32_t i = 0; i < spec->knobs; i++) {
    double share = rng_unit(&rng) * 1.5 - 0.25;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    probe->knob[i] = (float)(spec->knob_low[i] +
                             share * ((double)spec->knob_high[i] - (double)spec->knob_low[i]));
  }
  env->scratch->error.text[0] = 0;
  return env->table->reset_with(env->params, state, probe->knob, random, &env->scratch->error);
}

/* One episode with all checks, twin by twin. */
static Status play_one(Probe *probe, uint32_t number) {
  const Env *env = probe->env;
  size_t size = env->spec.episode_size;
  size_t rewards = env->spec.agents * sizeof(float);
  AgonRng rng = rng_stream(probe->seed, 0, number, RNG_ENV);
  AgonRng twin_rng = rng;
  AgonRng act = rng_stream(probe->seed, 0, number, RNG_ACT);
  memset(probe->reward, 0, rewards);
  memset(probe->reward2, 0, rewards);
  memset(probe->total, 0, rewards);
  memset(probe->action, 0, env->spec.agents * env->layout.heads * sizeof *probe->action);
  probe->number = number;
  probe->steps = 0;
  probe->line.size = 0;
  if (env_copies(env)) {
    memset(probe->episode, FILL, size + 2 * GUARD);
    memset(probe->twin, FILL, size + 2 * GUARD);
  }
  AgonRandom random = rng_handle(&rng);
  AgonRandom random2 = rng_handle(&twin_rng);
  AgonStatus status = start(probe, first(probe), &random);
  if (status == AGON_FAILED) return failed(probe, "reset");
  if (start(probe, second(probe), &random2) != status)
    return broken(probe, "reset is not repeatable");
  TRY_RETURN(settle_both(probe, &status, &rng));
  while (status == AGON_RUNNING) {
    TRY_RETURN(check_twins(probe));
    TRY_RETURN(check_agents(probe, status, &act));
    TRY_RETURN(check_extras(probe));
    TRY_RETURN(check_view_many(probe));
    TRY_RETURN(check_removal(probe));
    if (probe->steps++ >= env->spec.step_limit)
      return broken(probe, "an episode is longer than step_limit, %u", env->spec.step_limit);
    memset(probe->reward, 0, rewards);
    memset(probe->reward2, 0, rewards);
    env_flags_of(env, first(probe), probe->flags);
    for (uint32_t a = 0; a < env->spec.agents; a++)
      if (probe->flags[a] & AGON_ACTS) put_action(probe, env_action(env, probe->action, a));
    TRY_RETURN(copy_to_twin(probe)); /* the copy must go on as the original does */
    twin_rng = rng;
    status = env_call_step(env, first(probe), probe->action, &random, probe->reward);
    if (status == AGON_FAILED) return failed(probe, "step, on legal actions,");
    AgonStatus status2 = AGON_FAILED;
    step_twin(probe, &random2, &status2);
    if (status2 != status) return broken(probe, "copies differ in status");
    TRY_RETURN(settle_both(probe, &status, &rng));
  }
  if (status == AGON_FAILED) return failed(probe, "the env");
  TRY_RETURN(check_twins(probe));
  TRY_RETURN(check_agents(probe, status, &act));
  TRY_RETURN(check_extras(probe));
  return check_end(probe);
}

/* All blocks have a guard before and behind them. */
static Status make_blocks(Probe *probe) {
  const Env *env = probe->env;
  size_t size = env->spec.episode_size;
  TRY_RETURN(NEW_ARRAY(probe->episode, size + 2 * GUARD));
  TRY_RETURN(NEW_ARRAY(probe->twin, size + 2 * GUARD));
  memset(probe->episode, FILL, GUARD);
  memset(probe->episode + GUARD + size, FILL, GUARD);
  memset(probe->twin, FILL, GUARD);
  memset(probe->twin + GUARD + size, FILL, GUARD);
  TRY_RETURN(env_make(env, first(probe)));
  probe->made = true;
  TRY_RETURN(env_make(env, second(probe)));
  probe->made_twin = true;
  return OK;
}

/* The env gets its states back first. */
static void free_blocks(Probe *probe) {
  const Env *env = probe->env;
  if (probe->made && env->table->destroy) env->table->destroy(env->params, first(probe));
  if (probe->made_twin && env->table->destroy) env->table->destroy(env->params, second(probe));
  free(probe->episode);
  free(probe->twin);
}

/* Stops at the first clause that is broken. */
Status env_conformance(const Env *env, uint64_t seed, size_t episodes, size_t *out_checks) {
  Status status = OK;
  Probe probe = {.env = env, .seed = seed};
  size_t agents = env->spec.agents;
  size_t row2 =
      env->observation_bytes > env->action_count ? env->observation_bytes : env->action_count;
  TRY(make_blocks(&probe));
  TRY(NEW_ARRAY(probe.row, 2 * env->observation_bytes + 2 * GUARD));
  TRY(NEW_ARRAY(probe.row2, row2 + 2 * GUARD));
  TRY(NEW_ARRAY(probe.mask, 2 * env->action_count + 2 * GUARD));
  TRY(NEW_ARRAY(probe.flags, 3 * agents + 2));
  TRY(NEW_ARRAY(probe.reward, agents));
  TRY(NEW_ARRAY(probe.reward2, agents));
  TRY(NEW_ARRAY(probe.total, agents));
  TRY(NEW_ARRAY(probe.phi, 2 * agents + 2));
  TRY(NEW_ARRAY(probe.outcome, env->spec.teams + 1));
  TRY(NEW_ARRAY(probe.team, env->spec.teams));
  TRY(NEW_ARRAY(probe.action, agents * env->layout.heads));
  TRY(NEW_ARRAY(probe.knob, env->spec.knobs));
  for (uint32_t i = 0; i < episodes; i++)
    TRY(play_one(&probe, i));
  *out_checks = probe.checks;
done:
  free_blocks(&probe);
  free(probe.row);
  free(probe.row2);
  free(probe.mask);
  free(probe.flags);
  free(probe.reward);
  free(probe.reward2);
  free(probe.total);
  free(probe.phi);
  free(probe.outcome);
  free(probe.team);
  free(probe.action);
  free(probe.knob);
  bytes_free(&probe.saved);
  bytes_free(&probe.line);
  return status;
}
