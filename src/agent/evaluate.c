/* Positions of games that nobody plays here: what a policy would do in them. */
#include "agent/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Status evaluator_create(const Env *env, size_t chunk, Evaluator *out) {
  Status status = OK;
  *out = (Evaluator){.env = env, .chunk = chunk};
  TRY(NEW_ARRAY(out->observation, chunk * env->observation_bytes));
  TRY(NEW_ARRAY(out->mask, chunk * env->action_count));
  TRY(NEW_ARRAY(out->best, env->layout.heads));
done:
  if (status != OK) evaluator_destroy(out);
  return status;
}

void evaluator_destroy(Evaluator *evaluator) {
  free(evaluator->observation);
  free(evaluator->mask);
  free(evaluator->best);
  free(evaluator->agents);
  free(evaluator->alive);
  free(evaluator->positions);
  free(evaluator->memory);
  free(evaluator->flags);
  *evaluator = (Evaluator){0};
}

size_t policy_row_width(const Env *env) {
  return env->layout.action_kind == AGON_BOX ? 2 * (size_t)env->layout.heads : env->action_count;
}

/* Turns a row of a Gaussian, in half-ranges around the middle, into means and deviations in the
 * env's own unit. */
static void spread(const Env *env, uint32_t agent, const float *row, bool greedy, float *out) {
  uint32_t heads = env->layout.heads;
  for (uint32_t h = 0; h < heads; h++) {
    float low, high;
    env_action_range(env, agent, h, &low, &high);
    float half = high / 2 - low / 2;
    float middle = low + half;
    out[h] = middle + half * row[h];
    out[heads + h] = greedy ? 0.0f : half * expf(row[heads + h]);
  }
}

/* A greedy policy's row: everything on the most probable choice of each head. best: (heads)
 * scratch. */
static void only_the_best(const ActionSpace *space, const float *row, AgonAction *best,
                          float *out) {
  dist_sample(space, row, NULL, NULL, true, best);
  memset(out, 0, space->width * sizeof *out);
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++])
    out[at + (uint32_t)best[h].choice] = 1.0f;
}

/* What the inference has of row `row`, to where the question's answer goes. */
static void give_answer(const Policy *policy, Evaluator *evaluator, size_t row, uint32_t agent,
                        float *out, float *value) {
  const Inference *own = policy->inference;
  const ActionSpace space = action_space_outer(&own->net->space);
  const size_t W = own->net->space.width;
  memcpy(out, own->probability + row * W, space.width * sizeof *out);
  if (value) *value = own->value[row];
  if (space.kind == AGON_BOX)
    spread(evaluator->env, agent, own->logits + row * W, policy->greedy, out);
  else if (policy->greedy)
    only_the_best(&space, own->logits + row * W, evaluator->best, out);
}

/* At most as many positions as the buffers hold. */
static Status evaluate_chunk(Policy *policy, Evaluator *evaluator, size_t count,
                             const void *const *episodes, const uint32_t *agents, float *memory,
                             float *out, float *values) {
  const Env *env = evaluator->env;
  Inference *own = policy->inference;
  const ActionSpace *space = &own->net->space;
  size_t W = space->width;
  size_t S = own->net->graph.state_size;
  PolicyRows rows = {
      .count = count,
      .observations = evaluator->observation,
      .memory = memory,
      .agents = agents,
  };
  PolicyAnswer answer = {
      .logits = own->logits,
      .values = own->value,
      .memory = own->memory_out,
  };
  for (size_t q = 0; q < count; q++) {
    env_observe(env, episodes[q], agents[q], evaluator->observation + q * env->observation_bytes);
    env_mask(env, episodes[q], agents[q], evaluator->mask + q * env->action_count);
  }
  TRY_RETURN(policy_decide(policy, own, env, &rows, &answer));
  if (S) memcpy(memory, own->memory_out, count * S * sizeof *memory);
  policy_normalise(policy, own, evaluator->mask, NULL, count);
  for (size_t q = 0; q < count; q++)
    give_answer(policy, evaluator, q, agents[q], out + q * W, values ? values + q : NULL);
  return OK;
}

/* --- of teams whose agents tell one another something --- */

size_t policy_memory(const Net *net) {
  return net->graph.state_size * net_team(net);
}

/* How many agents of its team come before it. */
static size_t place_in_team(const Env *env, uint32_t agent) {
  size_t place = 0;
  for (uint32_t a = 0; a < agent; a++)
    place += env->spec.team_of[a] == env->spec.team_of[agent];
  return place;
}

size_t policy_memory_place(const Net *net, const Env *env, uint32_t agent) {
  return net_talks(net) ? place_in_team(env, agent) * net->graph.state_size : 0;
}

/* Room for whole teams. */
static Status reserve_teams(Evaluator *evaluator, const Net *net) {
  const Env *env = evaluator->env;
  const size_t N = net_team(net);
  const size_t rows = evaluator->chunk < N ? N : evaluator->chunk;
  size_t room = evaluator->chunk;
  TRY_RETURN(GROW(evaluator->memory, evaluator->memory_room, rows * net->graph.state_size));
  if (rows <= evaluator->rows) return OK;
  TRY_RETURN(mem_grow(&evaluator->observation, &room, rows, env->observation_bytes));
  room = evaluator->chunk;
  TRY_RETURN(mem_grow(&evaluator->mask, &room, rows, env->action_count));
  evaluator->chunk = rows;
  room = evaluator->rows;
  TRY_RETURN(GROW(evaluator->agents, room, rows));
  room = evaluator->rows;
  TRY_RETURN(GROW(evaluator->alive, room, rows));
  room = evaluator->rows;
  TRY_RETURN(mem_grow(&evaluator->positions, &room, rows, 3 * sizeof(float)));
  if (!evaluator->flags) TRY_RETURN(NEW_ARRAY(evaluator->flags, env->spec.agents));
  evaluator->rows = rows;
  return OK;
}

/* Row `row` is of that agent, or (UINT32_MAX) of nobody. Who is out of the game says nothing. */
static Status view_member(Evaluator *evaluator, const Net *net, const void *episode, uint32_t agent,
                          size_t row) {
  const Env *env = evaluator->env;
  const bool alive = agent != UINT32_MAX && evaluator->flags[agent] & AGON_ALIVE;
  uint8_t *observation = evaluator->observation + row * env->observation_bytes;
  float *position = evaluator->positions + row * 3;
  evaluator->agents[row] = agent;
  evaluator->alive[row] = alive;
  memset(observation, 0, env->observation_bytes);
  memset(evaluator->mask + row * env->action_count, 1, env->action_count);
  memset(position, 0, 3 * sizeof *position);
  if (!alive) return OK;
  env_observe(env, episode, agent, observation);
  if (evaluator->flags[agent] & AGON_ACTS)
    env_mask(env, episode, agent, evaluator->mask + row * env->action_count);
  return net_wants_positions(net) ? env_position(env, episode, agent, position) : OK;
}

/* The rows of an agent's team, from `first` on. */
static Status view_team(Evaluator *evaluator, const Net *net, const void *episode, uint32_t agent,
                        size_t first) {
  const AgonEnvSpec *spec = &evaluator->env->spec;
  size_t row = first;
  env_flags_of(evaluator->env, episode, evaluator->flags);
  for (uint32_t a = 0; a < spec->agents; a++)
    if (spec->team_of[a] == spec->team_of[agent])
      TRY_RETURN(view_member(evaluator, net, episode, a, row++));
  while (row < first + net_team(net))
    TRY_RETURN(view_member(evaluator, net, episode, UINT32_MAX, row++));
  return OK;
}

/* Who is asked, and does not draw, speaks next if that is the likelier. The gate is the last head,
 * and to speak its last choice. */
static void choose_gate(Inference *own, size_t row) {
  const Net *net = own->net;
  const float *end = own->probability + (row + 1) * net->space.width;
  net_set_speaks(net, end[-1] > end[-2], own->memory_out + row * net->graph.state_size);
}

/* As evaluate_chunk, a team of rows for each question. */
static Status evaluate_teams(Policy *policy, Evaluator *evaluator, size_t count,
                             const void *const *episodes, const uint32_t *agents, float *memory,
                             float *out, float *values) {
  Inference *own = policy->inference;
  const Net *net = own->net;
  const size_t N = net_team(net);
  const size_t S = net->graph.state_size;
  const PolicyRows rows = {
      .count = count * N,
      .observations = evaluator->observation,
      .memory = S ? evaluator->memory : NULL,
      .agents = evaluator->agents,
      .alive = evaluator->alive,
      .positions = evaluator->positions,
  };
  const PolicyAnswer answer = {
      .logits = own->logits,
      .values = own->value,
      .memory = own->memory_out,
  };
  for (size_t q = 0; q < count; q++)
    TRY_RETURN(view_team(evaluator, net, episodes[q], agents[q], q * N));
  if (S) memcpy(evaluator->memory, memory, count * N * S * sizeof *memory);
  TRY_RETURN(policy_decide(policy, own, evaluator->env, &rows, &answer));
  const uint8_t *masks = policy_masks(own, evaluator->env, evaluator->mask, count * N);
  policy_normalise(policy, own, masks, NULL, count * N);
  for (size_t q = 0; q < count; q++) {
    const size_t row = q * N + place_in_team(evaluator->env, agents[q]);
    give_answer(policy, evaluator, row, agents[q], out + q * policy_row_width(evaluator->env),
                values ? values + q : NULL);
    if (net->gates) choose_gate(own, row);
    if (S) memcpy(memory + row * S, own->memory_out + row * S, S * sizeof *memory);
  }
  return OK;
}

/* Built-ins know no values; they are 0. */
static Status evaluate_builtin(Policy *policy, Evaluator *evaluator, size_t count,
                               const void *const *episodes, const uint32_t *agents, float *out,
                               float *values) {
  const Env *env = evaluator->env;
  BuiltinPolicy *builtin = policy->builtin;
  if (!builtin->ops->probabilities || env->layout.action_kind == AGON_BOX)
    return status_set(ERR_USAGE, "the built-in '%s' has no exact probabilities",
                      builtin->ops->name);
  builtin->greedy = policy->greedy;
  for (size_t i = 0; i < count; i++) {
    env_mask(env, episodes[i], agents[i], evaluator->mask);
    builtin->ops->probabilities(builtin, episodes[i], agents[i], evaluator->mask,
                                out + i * env->action_count);
    if (builtin->failed != OK) return builtin->failed;
    if (values) values[i] = 0;
  }
  return OK;
}

/* In chunks that both the evaluator's and the policy's buffers hold. */
Status policy_evaluate(Policy *policy, Evaluator *evaluator, size_t count,
                       const void *const *episodes, const uint32_t *agents, float *memory,
                       float *rows, float *values) {
  if (policy->builtin)
    return evaluate_builtin(policy, evaluator, count, episodes, agents, rows, values);
  const Inference *own = policy->inference;
  const bool talks = net_talks(own->net);
  if (talks) TRY_RETURN(reserve_teams(evaluator, own->net));
  size_t most = own->chunk < evaluator->chunk ? own->chunk : evaluator->chunk;
  size_t W = policy_row_width(evaluator->env);
  size_t S = policy_memory(own->net);
  most /= net_team(own->net);
  if (S && !memory)
    return status_set(ERR_USAGE, "exact walks need a policy without memory, last actions and "
                                 "gates (net.memory=none, net.last_action=false, and "
                                 "net.messages.kind not gated)");
  for (size_t first = 0; first < count; first += most) {
    const size_t left = count - first;
    TRY_RETURN((talks ? evaluate_teams : evaluate_chunk)(
        policy, evaluator, left < most ? left : most, episodes + first, agents + first,
        memory ? memory + first * S : NULL, rows + first * W, values ? values + first : NULL));
  }
  return OK;
}
