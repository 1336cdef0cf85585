/* Random play that checks the clauses of agon/env.h: determinism by seed, copy and restore, masks, flags, ranges,
 * writes outside the rows, outcome sums, step limit, zero sums, chance probabilities. */
#include "env/env.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, FILL = 0xA5 };

typedef struct Probe {
  const Env *env;
  uint8_t *episode, *twin; /* guarded blocks */
  uint8_t *row, *row2, *mask;
  size_t checks;
  uint32_t steps;
  float total[AGON_MAX_AGENTS];
} Probe;

static Status broken(const Probe *probe, const char *clause) {
  return status_set(ERR_ENV, "env %s breaks its contract at step %u: %s", probe->env->table->name, probe->steps,
                    clause);
}

static bool guarded(const uint8_t *block, size_t size) {
  for (size_t i = 0; i < GUARD; i++)
    if (block[i] != FILL || block[GUARD + size + i] != FILL) return false;
  return true;
}

static Status check_observation(Probe *probe, void *state, uint32_t agent) {
  const Env *env = probe->env;
  size_t size = env->observation_bytes;
  memset(probe->row, FILL, size + 2 * GUARD);
  memset(probe->row2, 0x5A, size + 2 * GUARD);
  env->table->observe(env->params, state, agent, probe->row + GUARD);
  env->table->observe(env->params, state, agent, probe->row2 + GUARD);
  probe->checks += 3;
  if (!guarded(probe->row, size)) return broken(probe, "observe writes outside its row");
  if (memcmp(probe->row + GUARD, probe->row2 + GUARD, size))
    return broken(probe, "observe leaves bytes of the row unwritten or is not repeatable");
  for (size_t i = 0; i < env->observation_count; i++) {
    float value = (float)probe->row2[GUARD + i];
    if (env->spec.observation_type == AGON_F32) memcpy(&value, probe->row2 + GUARD + 4 * i, 4);
    if (!(value >= env->spec.observation_low && value <= env->spec.observation_high))
      return broken(probe, "an observation is outside observation_low .. observation_high");
  }
  return OK;
}

static Status check_mask(Probe *probe, void *state, uint32_t agent) {
  const Env *env = probe->env;
  memset(probe->mask, FILL, env->action_count + 2 * GUARD);
  env->table->mask(env->params, state, agent, probe->mask + GUARD);
  probe->checks += 3;
  if (!guarded(probe->mask, env->action_count)) return broken(probe, "mask writes outside its row");
  const uint8_t *at = probe->mask + GUARD;
  for (uint32_t h = 0; h < env->spec.heads && env->spec.action_kind != AGON_BOX; h++) {
    uint32_t legal = 0;
    for (uint32_t i = 0; i < env->spec.head_size[h]; i++, at++) {
      if (*at > 1) return broken(probe, "a mask byte is neither 0 nor 1");
      legal += *at;
    }
    if (!legal) return broken(probe, "an acting agent has no legal action");
  }
  return OK;
}

/* BOX: half of all components lie outside, and come to `step` as the box's faces and corners. */
static void pick_action(Probe *probe, AgonRng *rng, AgonAction *action) {
  const Env *env = probe->env;
  if (env->spec.action_kind != AGON_BOX) {
    env_random_action(env, probe->mask + GUARD, rng, action);
    return;
  }
  for (uint32_t h = 0; h < env->spec.heads; h++) action->value[h] = 4 * (float)rng_unit(rng) - 2;
  env_scale_action(env, action);
}

static Status check_chance(Probe *probe, void *state) {
  const Env *env = probe->env;
  double probability[4 * AGON_MAX_CHANCE], sum = 0; /* room to see that too many are given */
  if (!(env->spec.flags & AGON_ENUMERATES_CHANCE) || !env->table->chance_outcomes || !env->table->chance_apply)
    return broken(probe, "status chance without AGON_ENUMERATES_CHANCE and its two functions");
  uint32_t count = env->table->chance_outcomes(env->params, state, probability);
  probe->checks += 2;
  if (count < 1 || count > AGON_MAX_CHANCE) return broken(probe, "chance outcomes are not 1 .. AGON_MAX_CHANCE");
  for (uint32_t i = 0; i < count; i++) {
    if (!(probability[i] >= 0)) return broken(probe, "a chance probability is negative or no number");
    sum += probability[i];
  }
  return fabs(sum - 1) < 1e-9 ? OK : broken(probe, "chance probabilities do not sum to 1");
}

/* Chance moves, applied to both twins with equal draws. */
static Status settle_both(Probe *probe, AgonStatus *status, AgonRng *rng, float *reward, float *reward2) {
  const Env *env = probe->env;
  while (*status == AGON_CHANCE) {
    double probability[AGON_MAX_CHANCE];
    TRY_RETURN(check_chance(probe, probe->episode + GUARD));
    uint32_t count = env->table->chance_outcomes(env->params, probe->episode + GUARD, probability);
    uint32_t pick = (uint32_t)rng_pick(rng, probability, count);
    *status = env->table->chance_apply(env->params, probe->episode + GUARD, pick, reward);
    if (env->table->chance_apply(env->params, probe->twin + GUARD, pick, reward2) != *status)
      return broken(probe, "copies differ in status");
  }
  return OK;
}

static Status check_twins(Probe *probe, const float *reward, const float *reward2) {
  const Env *env = probe->env;
  size_t size = env->spec.episode_size;
  probe->checks += 3;
  if (!guarded(probe->episode, size) || !guarded(probe->twin, size))
    return broken(probe, "the env writes outside its episode block");
  if (memcmp(probe->episode + GUARD, probe->twin + GUARD, size))
    return broken(probe, "two copies with the same seed and actions differ");
  if (memcmp(reward, reward2, sizeof(float) * env->spec.agents)) return broken(probe, "rewards are not repeatable");
  float team[AGON_MAX_TEAMS] = {0};
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (!isfinite(reward[a])) return broken(probe, "a reward is not finite");
    probe->total[a] += reward[a];
    team[env->spec.team_of[a]] += reward[a];
  }
  float sum = 0, scale = 0;
  for (uint32_t t = 0; t < env->spec.teams; t++) sum += team[t], scale += fabsf(team[t]);
  if ((env->spec.flags & AGON_ZERO_SUM) && fabsf(sum) > 1e-4f * (1 + scale))
    return broken(probe, "a zero-sum env's rewards do not cancel over the teams' sums");
  return OK;
}

/* The rule-based player's action must be legal; probe->mask is this agent's. */
static Status check_scripted(Probe *probe, uint32_t agent, const AgonRng *rng) {
  const Env *env = probe->env;
  AgonRng own = *rng; /* the random play goes on as if it had not been asked */
  AgonRandom random = rng_handle(&own);
  AgonAction action = {{0}};
  if (!env->table->scripted || env->spec.action_kind == AGON_BOX) return OK;
  env->table->scripted(env->params, probe->episode + GUARD, agent, &random, &action);
  probe->checks++;
  for (uint32_t h = 0, at = 0; h < env->spec.heads; at += env->spec.head_size[h++]) {
    int32_t choice = action.choice[h];
    if (choice < 0 || (uint32_t)choice >= env->spec.head_size[h] || !probe->mask[GUARD + at + (uint32_t)choice])
      return broken(probe, "scripted chooses an illegal action");
  }
  return OK;
}

static Status check_agents(Probe *probe, AgonStatus status, AgonAction *actions, AgonRng *rng) {
  const Env *env = probe->env;
  uint8_t flags[AGON_MAX_AGENTS + 1];
  memset(flags, FILL, sizeof flags);
  env->table->flags(env->params, probe->episode + GUARD, flags);
  probe->checks += 2;
  if (flags[env->spec.agents] != FILL) return broken(probe, "flags writes beyond its agents");
  uint32_t acting = 0;
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    TRY_RETURN(check_observation(probe, probe->episode + GUARD, a));
    if (flags[a] & ~(AGON_ACTS | AGON_ALIVE)) return broken(probe, "unknown flag bits");
    if (!(flags[a] & AGON_ACTS)) continue;
    acting++;
    TRY_RETURN(check_mask(probe, probe->episode + GUARD, a));
    TRY_RETURN(check_scripted(probe, a, rng));
    pick_action(probe, rng, &actions[a]);
  }
  env_clip_actions(env, actions);
  if (status == AGON_RUNNING && !acting) return broken(probe, "a running episode without an acting agent");
  if (status != AGON_RUNNING && status != AGON_TRUNCATED && acting) /* truncated: who would act */
    return broken(probe, "an ended episode with an acting agent");
  return OK;
}

static Status check_metrics(Probe *probe) {
  const Env *env = probe->env;
  float values[AGON_MAX_METRICS + 1] = {0};
  if (!env->table->metrics) return OK;
  values[env->spec.metrics] = -7;
  env->table->metrics(env->params, probe->episode + GUARD, values);
  probe->checks += 2;
  if (values[env->spec.metrics] != -7) return broken(probe, "metrics writes beyond its count");
  for (uint32_t i = 0; i < env->spec.metrics; i++)
    if (!isfinite(values[i])) return broken(probe, "a metric is not finite");
  return OK;
}

static Status check_end(Probe *probe) {
  const Env *env = probe->env;
  float outcome[AGON_MAX_TEAMS + 1], sum = 0;
  outcome[env->spec.teams] = -7;
  env->table->outcome(env->params, probe->episode + GUARD, outcome);
  probe->checks += 3;
  for (uint32_t t = 0; t < env->spec.teams; t++) {
    if (!(outcome[t] >= 0 && outcome[t] <= 1)) return broken(probe, "an outcome is outside 0 .. 1");
    sum += outcome[t];
  }
  if (outcome[env->spec.teams] != -7) return broken(probe, "outcome writes beyond its teams");
  if (env->spec.teams == 2 && fabsf(sum - 1) > 1e-6f) return broken(probe, "two teams' outcomes do not sum to 1");
  TRY_RETURN(check_metrics(probe));
  float slack = 1e-3f * (1 + fabsf(env->spec.reward_high));
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (probe->total[a] < env->spec.reward_low - slack || probe->total[a] > env->spec.reward_high + slack)
      return broken(probe, "an episode's return is outside reward_low .. reward_high");
  return OK;
}

/* Of the `many` functions: the rows that they write are those of one by one, in place and nowhere else. */
static Status check_view_many(Probe *probe) {
  const Env *env = probe->env;
  uint8_t flags[AGON_MAX_AGENTS], both[2 * AGON_MAX_AGENTS + 1];
  const void *state[2] = {probe->twin + GUARD, probe->episode + GUARD};
  uint32_t agents_of = env->spec.agents;
  env->table->flags(env->params, state[1], flags);
  if (env->table->flags_many) {
    memset(both, FILL, sizeof both);
    env->table->flags_many(env->params, 2, state, both);
    probe->checks++;
    if (memcmp(both + agents_of, flags, agents_of) || both[2 * agents_of] != FILL)
      return broken(probe, "flags_many differs from flags");
  }
  if (!env->table->view_many) return OK;
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (!(flags[a] & AGON_ACTS)) continue;
    const uint32_t agents[2] = {a, a};
    size_t size = env->observation_bytes, width = env->action_count;
    memset(probe->row, FILL, 2 * size + 2 * GUARD);
    memset(probe->mask, FILL, 2 * width + 2 * GUARD);
    env->table->view_many(env->params, 2, state, agents, probe->row + GUARD, probe->mask + GUARD);
    probe->checks += 4;
    if (!guarded(probe->row, 2 * size) || !guarded(probe->mask, 2 * width))
      return broken(probe, "view_many writes outside its rows");
    memset(probe->row2, 0x5A, size + 2 * GUARD);
    env->table->observe(env->params, state[1], a, probe->row2 + GUARD);
    if (memcmp(probe->row + GUARD + size, probe->row2 + GUARD, size))
      return broken(probe, "view_many differs from observe");
    env->table->mask(env->params, state[1], a, probe->row2 + GUARD);
    if (memcmp(probe->mask + GUARD + width, probe->row2 + GUARD, width))
      return broken(probe, "view_many differs from mask");
  }
  return OK;
}

/* Steps the twin and compares later: as step does, in status, rewards, stream and episode. */
static Status step_twin(Probe *probe, const AgonAction *actions, const AgonRandom *random, float *reward,
                        AgonStatus *status) {
  const Env *env = probe->env;
  void *state = probe->twin + GUARD;
  if (!env->table->step_many) {
    *status = env->table->step(env->params, state, actions, random, reward);
    return OK;
  }
  probe->checks++;
  env->table->step_many(env->params, 1, &state, actions, random, reward, status);
  return OK;
}

static Status play_one(Probe *probe, uint64_t seed, uint32_t number) {
  const Env *env = probe->env;
  size_t size = env->spec.episode_size;
  AgonRng rng = rng_stream(seed, 0, number, RNG_ENV), act = rng_stream(seed, 0, number, RNG_ACT), twin_rng = rng;
  float reward[AGON_MAX_AGENTS] = {0}, reward2[AGON_MAX_AGENTS] = {0};
  AgonAction actions[AGON_MAX_AGENTS] = {0};
  memset(probe->total, 0, sizeof probe->total);
  probe->steps = 0;
  memset(probe->episode, FILL, size + 2 * GUARD);
  memset(probe->twin, FILL, size + 2 * GUARD);
  AgonRandom random = rng_handle(&rng), random2 = rng_handle(&twin_rng);
  AgonStatus status = env->table->reset(env->params, probe->episode + GUARD, &random);
  if (env->table->reset(env->params, probe->twin + GUARD, &random2) != status)
    return broken(probe, "reset is not repeatable");
  TRY_RETURN(settle_both(probe, &status, &rng, reward, reward2));
  while (status == AGON_RUNNING) {
    TRY_RETURN(check_twins(probe, reward, reward2));
    TRY_RETURN(check_agents(probe, status, actions, &act));
    TRY_RETURN(check_view_many(probe));
    if (probe->steps++ >= env->spec.step_limit) return broken(probe, "an episode is longer than step_limit");
    memset(reward, 0, sizeof reward);
    memset(reward2, 0, sizeof reward2);
    memcpy(probe->twin + GUARD, probe->episode + GUARD, size); /* the copy must go on as the original does */
    twin_rng = rng;
    status = env->table->step(env->params, probe->episode + GUARD, actions, &random, reward);
    AgonStatus status2 = AGON_FAILED;
    TRY_RETURN(step_twin(probe, actions, &random2, reward2, &status2));
    if (status2 != status) return broken(probe, "copies differ in status");
    TRY_RETURN(settle_both(probe, &status, &rng, reward, reward2));
    if (status == AGON_FAILED) return broken(probe, "step reports failure on legal actions");
  }
  TRY_RETURN(check_twins(probe, reward, reward2));
  TRY_RETURN(check_agents(probe, status, actions, &act));
  return check_end(probe);
}

Status env_conformance(const Env *env, uint64_t seed, size_t episodes, size_t *out_checks) {
  Status status = OK;
  Probe probe = {.env = env};
  if (!env_copies(env))
    return status_set(ERR_ENV, "env %s is not flat: the conformance suite needs copies", env->table->name);
  TRY(NEW_ARRAY(probe.episode, env->spec.episode_size + 2 * GUARD));
  TRY(NEW_ARRAY(probe.twin, env->spec.episode_size + 2 * GUARD));
  size_t row2 = env->observation_bytes > env->action_count ? env->observation_bytes : env->action_count;
  TRY(NEW_ARRAY(probe.row, 2 * env->observation_bytes + 2 * GUARD));
  TRY(NEW_ARRAY(probe.row2, row2 + 2 * GUARD));
  TRY(NEW_ARRAY(probe.mask, 2 * env->action_count + 2 * GUARD));
  for (uint32_t i = 0; i < episodes; i++) TRY(play_one(&probe, seed, i));
  *out_checks = probe.checks;
done:
  free(probe.episode);
  free(probe.twin);
  free(probe.row);
  free(probe.row2);
  free(probe.mask);
  return status;
}
