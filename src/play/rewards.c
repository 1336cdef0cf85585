#include "play/rewards.h"

#include "base/invariant.h"
#include "data/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const Option rewards_options[] = {
    {"difference", OPT_CHOICE, offsetof(RewardsConfig, difference), "none", 0, 0,
     "none|idle|without", "",
     "what an agent learns from: its team's reward less what the team would have got in the same "
     "step had the agent done nothing (idle), or not been there (without); takes a step of the env "
     "more for each agent. Where a team is paid all or nothing, idle gives 0 to whoever stands "
     "right already, and to all until the others do: shaping tells more there, or without"},
    {"shaping", OPT_FLOAT, offsetof(RewardsConfig, shaping), "0", 0, 1e6, NULL, "",
     "weight of the potential that the game declares: gamma Phi(next) - Phi(now) is added, Phi "
     "being 0 after an end and that of the last position at a step limit; what is best to do stays "
     "the same; 0 = none"},
    {"team", OPT_FLOAT, offsetof(RewardsConfig, team), "0", 0, 1, NULL, "",
     "share of the mean of the team's rewards in what each of its agents learns from; the rest is "
     "its own (or its difference)"},
    {"social", OPT_CHOICE, offsetof(RewardsConfig, social), "selfish", 0, 0,
     "selfish|shared|inequity", "",
     "mixed motives: selfish: an agent learns from its own reward; shared: from the mean of all "
     "agents of the game, of whatever team; inequity: from its own, less what it minds of others "
     "having earned more (inequity_alpha) or less (inequity_beta)"},
    {"inequity_alpha", OPT_FLOAT, offsetof(RewardsConfig, alpha), "5", 0, 1e6, NULL, "",
     "social inequity: weight of the mean lead of those ahead (Hughes et al. 2018: 5)"},
    {"inequity_beta", OPT_FLOAT, offsetof(RewardsConfig, beta), "0.05", 0, 1e6, NULL, "",
     "social inequity: weight of the mean lag of those behind (Hughes et al. 2018: .05)"},
    {"inequity_smoothing", OPT_FLOAT, offsetof(RewardsConfig, smoothing), "0.975", 0, 1, NULL, "",
     "social inequity: share of what was earned before that counts a step later; 0: the rewards of "
     "the step are compared (Fehr and Schmidt 1999)"},
    {"matrix", OPT_TEXT, offsetof(RewardsConfig, matrix), "", 0, 0, NULL, "",
     "several teams: what each minds of each, a row a team: [[1,0.5],[0.5,1]] adds half of the "
     "other team's mean reward; each agent's own counts by the diagonal"},
};
const size_t rewards_option_count = COUNT_OF(rewards_options);

struct Rewards {
  const Env *env;
  RewardsConfig config;
  bool adds;      /* a team's reward is the sum over its agents, else their mean */
  double *matrix; /* (teams, teams); NULL: none */
  float *learned; /* (agents) */
  double *mean;   /* (teams) */
  /* Copies of a step, one for each agent that it goes without. */
  size_t copies;
  uint32_t *who;      /* (copies) */
  void **copy;        /* (agents) episode blocks */
  AgonAction *action; /* (copies, agents, heads) */
  AgonRng *rng;       /* (copies) */
  AgonRandom *random;
  AgonStatus *status;
  float *gain; /* (copies, agents) */
};

/* --- configuration --- */

/* Numbers between brackets, commas and blanks into out (count; NULL: they are only counted); false
 * unless they are as many. */
static bool read_matrix(const char *text, double *out, size_t count) {
  size_t found = 0;
  for (text += strspn(text, "[], "); *text; text += strspn(text, "[], ")) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || !isfinite(value) || found == count) return false;
    if (out) out[found] = value;
    found++;
    text = end;
  }
  return found == count;
}

/* What copies of a step need of an env. */
static Status check_difference(const Env *env, const RewardsConfig *config) {
  const char *key = config->difference == DIFFERENCE_IDLE ? "idle" : "without";
  if (config->social != SOCIAL_SELFISH || config->matrix[0])
    return status_set(
        ERR_USAGE,
        "rewards.difference=%s says what an agent added to its own team: it goes with "
        "neither rewards.social nor rewards.matrix",
        key);
  if (!env_copies(env))
    return status_set(ERR_USAGE,
                      "rewards.difference=%s steps copies of an episode, and those of %s cannot be "
                      "copied (they are not flat: see agon/env.h)",
                      key, env->table->name);
  if (config->difference == DIFFERENCE_WITHOUT && !env->table->remove)
    return status_set(
        ERR_USAGE,
        "rewards.difference=without needs a game that can go on without an agent, and "
        "%s has no `remove` (see agon/env.h)",
        env->table->name);
  for (uint32_t k = 0; config->difference == DIFFERENCE_IDLE && k < env->spec.kinds; k++)
    if (!env->spec.kind[k].idle)
      return status_set(ERR_USAGE,
                        "rewards.difference=idle needs an action that does nothing, and %s names "
                        "none (`idle` of its kinds, see agon/env.h)",
                        env->table->name);
  return OK;
}

static Status check_matrix(const Env *env, const RewardsConfig *config) {
  const size_t teams = env->spec.teams;
  if (config->social != SOCIAL_SELFISH)
    return status_set(ERR_USAGE, "rewards.matrix and rewards.social both say what agents mind of "
                                 "each other: leave one out");
  if (teams < 2)
    return status_set(ERR_USAGE, "rewards.matrix is between teams, and %s has one",
                      env->table->name);
  if (read_matrix(config->matrix, NULL, teams * teams)) return OK;
  return status_set(ERR_USAGE,
                    "rewards.matrix=%s: a row for each of the %zu teams of %s, with a number for "
                    "each: [[1,0.5],[0.5,1]], say",
                    config->matrix, teams, env->table->name);
}

Status rewards_check(const Env *env, const RewardsConfig *config) {
  if (config->shaping > 0 && !env->table->potential)
    return status_set(ERR_USAGE,
                      "rewards.shaping needs a potential, and %s declares none (`potential` of "
                      "agon/env.h)",
                      env->table->name);
  if (config->difference != DIFFERENCE_NONE) TRY_RETURN(check_difference(env, config));
  if (config->matrix[0]) TRY_RETURN(check_matrix(env, config));
  if (config->social != SOCIAL_SELFISH && env->spec.agents < 2)
    return status_set(ERR_USAGE, "rewards.social is between agents, and %s has one",
                      env->table->name);
  return OK;
}

/* --- life cycle --- */

/* Room for a copy of a step for each agent. */
static Status create_copies(Rewards *rewards) {
  const AgonEnvSpec *spec = &rewards->env->spec;
  const size_t n = spec->agents;
  TRY_RETURN(NEW_ARRAY(rewards->who, n));
  TRY_RETURN(NEW_ARRAY(rewards->copy, n));
  TRY_RETURN(NEW_ARRAY(rewards->action, n * n * rewards->env->layout.heads));
  TRY_RETURN(NEW_ARRAY(rewards->rng, n));
  TRY_RETURN(NEW_ARRAY(rewards->random, n));
  TRY_RETURN(NEW_ARRAY(rewards->status, n));
  TRY_RETURN(NEW_ARRAY(rewards->gain, n * n));
  for (size_t i = 0; i < n; i++)
    TRY_RETURN(mem_array(&rewards->copy[i], spec->episode_size, 1));
  return OK;
}

static Status create_matrix(Rewards *rewards) {
  const size_t teams = rewards->env->spec.teams;
  TRY_RETURN(NEW_ARRAY(rewards->matrix, teams * teams));
  return read_matrix(rewards->config.matrix, rewards->matrix, teams * teams)
             ? OK
             : status_set(ERR_USAGE, "rewards.matrix does not fit the teams");
}

/* Shaping alone changes nothing here: it is added where the discount is known. */
Status rewards_create(const Env *env, const RewardsConfig *config, Rewards **out) {
  Status status = OK;
  Rewards *rewards = NULL;
  *out = NULL;
  if (config->difference == DIFFERENCE_NONE && config->team <= 0 &&
      config->social == SOCIAL_SELFISH && !config->matrix[0])
    return OK;
  TRY(NEW_ARRAY(rewards, 1));
  rewards->env = env;
  rewards->config = *config;
  rewards->adds = env->spec.flags & AGON_RETURNS_ADD;
  TRY(NEW_ARRAY(rewards->learned, env->spec.agents));
  TRY(NEW_ARRAY(rewards->mean, env->spec.teams));
  if (config->matrix[0]) TRY(create_matrix(rewards));
  if (config->difference != DIFFERENCE_NONE) TRY(create_copies(rewards));
  *out = rewards;
  rewards = NULL;
done:
  rewards_destroy(rewards);
  return status;
}

void rewards_destroy(Rewards *rewards) {
  if (!rewards) return;
  for (size_t i = 0; rewards->copy && i < rewards->env->spec.agents; i++)
    free(rewards->copy[i]);
  free(rewards->matrix);
  free(rewards->learned);
  free(rewards->mean);
  free(rewards->who);
  free(rewards->copy);
  free(rewards->action);
  free(rewards->rng);
  free(rewards->random);
  free(rewards->status);
  free(rewards->gain);
  free(rewards);
}

bool rewards_remember(const Rewards *rewards) {
  return rewards && rewards->config.social == SOCIAL_INEQUITY;
}

/* --- differences --- */

/* What a team gets in a step: the sum over its agents where the game's returns add up. Else each is
 * paid the team's, and it is their mean: of those who were in the game, as who is not may get
 * nothing. `less`: an agent that is left out, NO_AGENT for none. */
static double team_reward(const Rewards *rewards, uint32_t team, const uint8_t *flags,
                          const float *reward, uint32_t less) {
  const AgonEnvSpec *spec = &rewards->env->spec;
  double sum = 0;
  double count = 0;
  for (uint32_t a = 0; a < spec->agents; a++) {
    const bool counts = rewards->adds || flags[a] & AGON_ALIVE;
    if (spec->team_of[a] != team || a == less || !counts) continue;
    sum += (double)reward[a];
    count++;
  }
  return rewards->adds || count <= 0 ? sum : sum / count;
}

static uint32_t living(const Rewards *rewards, const uint8_t *flags) {
  uint32_t count = 0;
  for (uint32_t a = 0; a < rewards->env->spec.agents; a++)
    count += (flags[a] & AGON_ALIVE) != 0;
  return count;
}

/* The next copy of the step: without the agent, or with it doing nothing. */
static Status add_copy(Rewards *rewards, const PlaySlot *slot, uint32_t agent,
                       const AgonAction *actions) {
  const Env *env = rewards->env;
  const size_t heads = env->layout.heads;
  const AgonKind *kind = env_kind(env, agent);
  const size_t i = rewards->copies++;
  AgonAction *own = rewards->action + i * env->spec.agents * heads;
  AgonError error = {""};
  rewards->who[i] = agent;
  memcpy(rewards->copy[i], slot->state, env->spec.episode_size);
  memcpy(own, actions, env->spec.agents * heads * sizeof *own);
  rewards->rng[i] = slot->env_rng;
  rewards->random[i] = rng_handle(&rewards->rng[i]);
  rewards->status[i] = AGON_FAILED;
  memset(rewards->gain + i * env->spec.agents, 0, env->spec.agents * sizeof *rewards->gain);
  if (rewards->config.difference == DIFFERENCE_IDLE) {
    memcpy(env_action(env, own, agent), kind->idle, kind->heads * sizeof *own);
    return OK;
  }
  if (!env->table->remove(env->params, rewards->copy[i], agent, &error)) return OK;
  return status_set(ERR_ENV,
                    "env %s, slot %u, episode %u, step %u: it cannot go on without agent "
                    "%u: %s",
                    env->table->name, slot->id, slot->episode, slot->steps, agent,
                    error.text[0] ? error.text : "it does not say why");
}

/* All copies at once, where the env offers it. */
static void step_copies(Rewards *rewards) {
  const Env *env = rewards->env;
  const size_t agents = env->spec.agents;
  const size_t wide = agents * env->layout.heads;
  if (env->table->step_many && rewards->copies) {
    env_call_step_many(env, rewards->copies, rewards->copy, rewards->action, rewards->random,
                       rewards->gain, rewards->status);
    return;
  }
  for (size_t i = 0; i < rewards->copies; i++)
    rewards->status[i] = env_call_step(env, rewards->copy[i], rewards->action + i * wide,
                                       &rewards->random[i], rewards->gain + i * agents);
}

/* The chance moves behind the copy's step, and what its team then has got. */
static Status end_copy(Rewards *rewards, const PlaySlot *slot, size_t i, const uint8_t *flags,
                       float *others) {
  const Env *env = rewards->env;
  const uint32_t agent = rewards->who[i];
  const bool gone = rewards->config.difference == DIFFERENCE_WITHOUT;
  float *gain = rewards->gain + i * env->spec.agents;
  const AgonStatus how =
      env_settle(env, rewards->copy[i], rewards->status[i], &rewards->rng[i], gain);
  if (how == AGON_FAILED)
    return status_set(
        ERR_ENV,
        "env %s, slot %u, episode %u, step %u: a copy of the step, for the difference "
        "that agent %u makes, failed: %s",
        env->table->name, slot->id, slot->episode, slot->steps, agent, env_why(env));
  if (!finite_floats(gain, env->spec.agents))
    return status_set(
        ERR_ENV,
        "env %s, slot %u, episode %u, step %u: a reward is no number in a copy of the "
        "step, for the difference that agent %u makes",
        env->table->name, slot->id, slot->episode, slot->steps, agent);
  others[agent] =
      (float)team_reward(rewards, env->spec.team_of[agent], flags, gain, gone ? agent : NO_AGENT);
  return OK;
}

/* Nobody is left without the last agent that is in the game: its team would have got nothing. */
Status rewards_compare(Rewards *rewards, const PlaySlot *slot, const uint8_t *flags,
                       const AgonAction *actions, float *others) {
  const AgonEnvSpec *spec = &rewards->env->spec;
  if (rewards->config.difference == DIFFERENCE_NONE) return OK;
  memset(others, 0, spec->agents * sizeof *others);
  rewards->copies = 0;
  if (rewards->config.difference == DIFFERENCE_WITHOUT && living(rewards, flags) < 2) return OK;
  for (uint32_t a = 0; a < spec->agents; a++)
    if (flags[a] & AGON_ACTS && slot->record[spec->team_of[a]])
      TRY_RETURN(add_copy(rewards, slot, a, actions));
  step_copies(rewards);
  for (size_t i = 0; i < rewards->copies; i++)
    TRY_RETURN(end_copy(rewards, slot, i, flags, others));
  return OK;
}

/* D_i = G - G without i (Wolpert and Tumer 2002), of who acts. Who does not act has changed
 * nothing. */
static void take_differences(Rewards *rewards, const PlaySlot *slot, const uint8_t *flags,
                             const float *others, const float *reward) {
  const AgonEnvSpec *spec = &rewards->env->spec;
  for (uint32_t a = 0; a < spec->agents; a++) {
    const uint32_t team = spec->team_of[a];
    if (!slot->record[team]) continue;
    const double got = team_reward(rewards, team, flags, reward, NO_AGENT);
    rewards->learned[a] = flags[a] & AGON_ACTS ? (float)(got - (double)others[a]) : 0;
  }
}

/* --- mixtures --- */

/* Mean of each team's rewards. */
static void take_means(Rewards *rewards, const float *reward) {
  const AgonEnvSpec *spec = &rewards->env->spec;
  for (uint32_t t = 0; t < spec->teams; t++) {
    double count = 0;
    rewards->mean[t] = 0;
    for (uint32_t a = 0; a < spec->agents; a++) {
      if (spec->team_of[a] != t) continue;
      rewards->mean[t] += (double)reward[a];
      count++;
    }
    if (count > 0) rewards->mean[t] /= count;
  }
}

/* From the env's rewards, and what each agent has as its own. */
static void mix_teams(Rewards *rewards, const float *reward) {
  const AgonEnvSpec *spec = &rewards->env->spec;
  const double share = rewards->config.team;
  take_means(rewards, reward);
  for (uint32_t a = 0; share > 0 && a < spec->agents; a++)
    rewards->learned[a] = (float)((1 - share) * (double)rewards->learned[a] +
                                  share * rewards->mean[spec->team_of[a]]);
  for (uint32_t a = 0; rewards->matrix && a < spec->agents; a++) {
    const uint32_t team = spec->team_of[a];
    const double *row = rewards->matrix + team * spec->teams;
    double sum = row[team] * (double)rewards->learned[a];
    for (uint32_t t = 0; t < spec->teams; t++)
      if (t != team) sum += row[t] * rewards->mean[t];
    rewards->learned[a] = (float)sum;
  }
}

static void share_out(Rewards *rewards) {
  const uint32_t agents = rewards->env->spec.agents;
  double sum = 0;
  for (uint32_t a = 0; a < agents; a++)
    sum += (double)rewards->learned[a];
  for (uint32_t a = 0; a < agents; a++)
    rewards->learned[a] = (float)(sum / agents);
}

/* u_i = r_i - alpha / (N - 1) sum_j max(e_j - e_i, 0) - beta / (N - 1) sum_j max(e_i - e_j, 0),
 * with e_i = smoothing e_i + r_i (Hughes et al. 2018, eq. 2 and 3; their smoothing is gamma
 * lambda). */
static void mind_inequity(Rewards *rewards, PlaySlot *slot) {
  const RewardsConfig *config = &rewards->config;
  const uint32_t agents = rewards->env->spec.agents;
  double *earned = slot->earned;
  for (uint32_t a = 0; a < agents; a++)
    earned[a] = config->smoothing * earned[a] + (double)rewards->learned[a];
  for (uint32_t a = 0; a < agents; a++) {
    double envy = 0;
    double guilt = 0;
    for (uint32_t b = 0; b < agents; b++) {
      const double lead = earned[b] - earned[a];
      envy += lead > 0 ? lead : 0;
      guilt += lead < 0 ? -lead : 0;
    }
    rewards->learned[a] =
        (float)((double)rewards->learned[a] -
                (config->alpha * envy + config->beta * guilt) / (double)(agents - 1));
  }
}

const float *rewards_learned(Rewards *rewards, PlaySlot *slot, const uint8_t *flags,
                             const float *others, const float *reward) {
  memcpy(rewards->learned, reward, rewards->env->spec.agents * sizeof *reward);
  if (rewards->config.difference != DIFFERENCE_NONE)
    take_differences(rewards, slot, flags, others, reward);
  mix_teams(rewards, reward);
  if (rewards->config.social == SOCIAL_SHARED) share_out(rewards);
  if (rewards->config.social == SOCIAL_INEQUITY) mind_inequity(rewards, slot);
  return rewards->learned;
}
