#include "agent/agent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Each turn has a copy of its episode, so that the position may be played on before anybody
 * thinks. */
Status agent_create(Contestant *who, const Env *env, size_t room, Agent *out) {
  size_t S = who->net ? who->net->graph.state_size : 0;
  *out = (Agent){.who = who, .env = env, .S = S, .width = policy_row_width(env), .room = room};
  out->M = who->net ? policy_memory(who->net) : 0;
  who->policy.inference = who->net ? &who->inference : NULL;
  TRY_RETURN(NEW_ARRAY(out->memory, env->spec.agents * S));
  TRY_RETURN(NEW_ARRAY(out->before, env->spec.agents * S));
  TRY_RETURN(NEW_ARRAY(out->recalled, out->M));
  TRY_RETURN(NEW_ARRAY(out->passing, out->width));
  TRY_RETURN(NEW_ARRAY(out->thought, room));
  TRY_RETURN(NEW_ARRAY(out->episode, room));
  TRY_RETURN(NEW_ARRAY(out->turn, room));
  TRY_RETURN(NEW_ARRAY(out->memories, room * out->M));
  TRY_RETURN(NEW_ARRAY(out->rows, room * out->width));
  TRY_RETURN(NEW_ARRAY(out->values, room));
  TRY_RETURN(NEW_ARRAY(out->best, room * env->layout.heads));
  TRY_RETURN(NEW_ARRAY(out->mask, env->action_count));
  TRY_RETURN(NEW_ARRAY(out->done, env->layout.heads + 1));
  for (size_t i = 0; i < room; i++) {
    void *copy;
    TRY_RETURN(mem_array(&copy, env->spec.episode_size, 1));
    out->episode[i] = copy;
  }
  return evaluator_create(env, room < 256 ? room : 256, &out->evaluator);
}

/* Also for one that was only half made. */
void agent_destroy(Agent *agent) {
  for (size_t i = 0; agent->episode && i < agent->room; i++)
    free((void *)agent->episode[i]);
  evaluator_destroy(&agent->evaluator);
  free(agent->memory);
  free(agent->before);
  free(agent->recalled);
  free(agent->passing);
  free(agent->thought);
  free(agent->episode);
  free(agent->turn);
  free(agent->memories);
  free(agent->rows);
  free(agent->values);
  free(agent->best);
  free(agent->mask);
  free(agent->done);
  *agent = (Agent){0};
}

/* A memory of zeros is how every episode begins. */
void agent_forget(Agent *agent) {
  memset(agent->memory, 0, agent->env->spec.agents * agent->S * sizeof(float));
}

/* An agent remembers what it does as the network would have given it: box actions in half-ranges
 * around the middle. */
static void remember(Agent *agent, uint32_t who, const AgonAction *action, float *memory) {
  const Env *env = agent->env;
  const bool box = env->layout.action_kind == AGON_BOX;
  for (uint32_t h = 0; h < env->layout.heads; h++) {
    float low, high;
    agent->done[h] = action[h];
    if (!box) continue;
    env_action_range(env, who, h, &low, &high);
    const float half = high / 2 - low / 2;
    agent->done[h].value = half > 0 ? (action[h].value - (low + half)) / half : 0;
  }
  const Net *net = agent->who->net;
  if (net->gates) agent->done[env->layout.heads].choice = net_speaks(net, memory);
  net_remember(net, agent->done, memory);
}

/* What a question about that agent is asked with: what it remembers, and where teammates tell one
 * another something, what these do. */
static void recall(const Agent *agent, const float *memory, uint32_t who, float *out) {
  const AgonEnvSpec *spec = &agent->env->spec;
  const size_t S = agent->S;
  if (agent->M == S) {
    memcpy(out, memory + who * S, S * sizeof *out);
    return;
  }
  memset(out, 0, agent->M * sizeof *out);
  for (uint32_t a = 0; a < spec->agents; a++) {
    if (spec->team_of[a] != spec->team_of[who]) continue;
    memcpy(out, memory + a * S, S * sizeof *out);
    out += S;
  }
}

/* A player without a memory has nothing to update. With one, those who act see the position and
 * move their memory on. */
Status agent_follow(Agent *agent, const AgentView *view) {
  const size_t S = agent->S;
  if (S == 0) return OK;
  memcpy(agent->before, agent->memory, agent->env->spec.agents * S * sizeof(float));
  for (uint32_t a = 0; a < agent->env->spec.agents; a++) {
    float *memory = agent->memory + a * S;
    if (!(view->flags[a] & AGON_ACTS)) continue;
    recall(agent, agent->before, a, agent->recalled);
    TRY_RETURN(policy_evaluate(&agent->who->policy, &agent->evaluator, 1, &view->episode, &a,
                               agent->recalled, agent->passing, NULL));
    memcpy(memory, agent->recalled + policy_memory_place(agent->who->net, agent->env, a),
           S * sizeof *memory);
    if (view->actions)
      remember(agent, a, view->actions + (size_t)a * agent->env->layout.heads, memory);
  }
  return OK;
}

/* Copies what the player will need: the episode, and its memory so far. */
void agent_ask(Agent *agent, const AgentView *view, size_t *first, size_t *count) {
  *first = agent->asked;
  for (uint32_t a = 0; view->running && a < agent->env->spec.agents; a++) {
    size_t i = agent->asked;
    if (!(view->flags[a] & AGON_ACTS)) continue;
    memcpy((void *)agent->episode[i], view->episode, agent->env->spec.episode_size);
    if (agent->S) recall(agent, agent->memory, a, agent->memories + i * agent->M);
    agent->turn[i] = a;
    agent->asked++;
  }
  *count = agent->asked - *first;
}

/* The most probable choice of each head; of a BOX the mean, within its range. */
static void choose_best(const Env *env, uint32_t agent, const float *row, AgonAction *out) {
  for (uint32_t h = 0, at = 0; h < env->layout.heads; h++) {
    if (env->layout.action_kind == AGON_BOX) {
      float low, high;
      env_action_range(env, agent, h, &low, &high);
      out[h].value = fminf(fmaxf(row[h], low), high);
      continue;
    }
    uint32_t best = 0;
    for (uint32_t i = 1; i < env->layout.head_size[h]; i++)
      if (row[at + i] > row[at + best]) best = i;
    out[h].choice = (int32_t)best;
    at += env->layout.head_size[h];
  }
}

/* What a built-in whose probabilities are not known would do. Each turn draws from the same stream,
 * so that the same question has the same answer. */
static Status act(Agent *agent, size_t i) {
  BuiltinPolicy *builtin = agent->who->policy.builtin;
  AgonRng rng = rng_stream(0, 0, 0, RNG_ACT);
  env_mask(agent->env, agent->episode[i], agent->turn[i], agent->mask);
  builtin->ops->act(builtin, agent->episode[i], agent->turn[i], agent->mask, &rng,
                    agent->thought[i].best);
  return builtin->failed;
}

/* One batched evaluation for all that was asked. */
Status agent_think(Agent *agent) {
  const Env *env = agent->env;
  const BuiltinPolicy *builtin = agent->who->policy.builtin;
  bool known = !builtin || (builtin->ops->probabilities && env->layout.action_kind != AGON_BOX);
  size_t asked = agent->asked;
  agent->asked = 0;
  if (known)
    TRY_RETURN(policy_evaluate(&agent->who->policy, &agent->evaluator, asked, agent->episode,
                               agent->turn, agent->S ? agent->memories : NULL, agent->rows,
                               agent->values));
  for (size_t i = 0; i < asked; i++) {
    Thought *thought = &agent->thought[i];
    *thought = (Thought){.agent = agent->turn[i], .best = agent->best + i * env->layout.heads};
    if (known) {
      thought->value = agent->values[i];
      thought->row = agent->rows + i * agent->width;
      choose_best(env, thought->agent, thought->row, thought->best);
    } else {
      TRY_RETURN(act(agent, i));
    }
  }
  return OK;
}

/* Drops what was asked before. */
Status agent_look(Agent *agent, const AgentView *view, const Thought **out, size_t *count) {
  size_t first;
  agent->asked = 0;
  agent_ask(agent, view, &first, count);
  *out = agent->thought;
  return agent_think(agent);
}
