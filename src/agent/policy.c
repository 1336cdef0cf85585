#include "agent/policy.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Logits beyond this are no policy, and would leave nothing to draw from. */
#define MOST_LOGIT 1e20f

Status policy_check(const NetConfig *config, const Env *env) {
  if (config->messages.kind != MESSAGES_NEAREST || env->table->position) return OK;
  return status_set(ERR_USAGE,
                    "net.messages.kind nearest needs to know where agents are, which %s does not "
                    "tell (`position` in agon/env.h): use mean or attention",
                    env->table->name);
}

/* S floats of recurrent state a row, W outputs. */
Status inference_create(const Net *net, size_t chunk, Inference *out) {
  Status status = OK;
  size_t S = net->graph.state_size;
  size_t W = net->space.width;
  chunk += net_team(net) - 1 - (chunk + net_team(net) - 1) % net_team(net);
  *out = (Inference){.net = net, .chunk = chunk};
  TRY(activations_create(&net->graph, chunk, false, &out->space));
  TRY(NEW_ARRAY(out->logits, chunk * W));
  TRY(NEW_ARRAY(out->probability, chunk * W));
  TRY(NEW_ARRAY(out->value, chunk));
  TRY(NEW_ARRAY(out->memory_in, chunk * S));
  TRY(NEW_ARRAY(out->memory_out, chunk * S));
  TRY(NEW_ARRAY(out->action, chunk * net->space.heads));
  if (net->space.inner) TRY(NEW_ARRAY(out->mask, chunk * net->space.choices));
done:
  if (status != OK) inference_destroy(out);
  return status;
}

void inference_destroy(Inference *inference) {
  activations_destroy(&inference->space);
  free(inference->logits);
  free(inference->probability);
  free(inference->value);
  free(inference->memory_in);
  free(inference->memory_out);
  free(inference->mask);
  free(inference->action);
  *inference = (Inference){0};
}

void policy_release(Policy *policy) {
  free(policy->queue);
  free(policy->packed);
  policy->queue = NULL;
  policy->packed = NULL;
  policy->queue_room = 0;
}

/* Kernels want weights in an order of their own; they are packed once for each new block. */
static Status pack(Policy *policy, const Net *net) {
  if (policy->packed && !policy->stale) return OK;
  if (!policy->packed) policy->packed = net_pack_create(net, false);
  if (!policy->packed) return status_set(ERR_MEMORY, "out of memory packing a policy");
  net_pack(net, policy->block, false, policy->packed);
  policy->stale = false;
  return OK;
}

/* ERR_ENV if an observation is not finite: relu(NaN) is 0, so that it would become a confident
 * move. */
static Status check_observations(const Env *env, const PolicyRows *rows) {
  size_t width = env->observation_count;
  char whose[32] = "";
  char place[128] = "";
  float value;
  if (env->layout.observation_type != AGON_F32) return OK;
  size_t at = env_first_beyond(rows->observations, rows->count * width, INFINITY);
  if (at == rows->count * width) return OK;
  memcpy(&value, (const uint8_t *)rows->observations + at * sizeof value, sizeof value);
  if (rows->agents)
    TRY_RETURN(text_format(whose, sizeof whose, " of agent %u", rows->agents[at / width]));
  if (rows->place) rows->place(rows->context, at / width, place, sizeof place);
  return status_set(ERR_ENV, "env %s: an observation is not finite: element %zu%s is %g%s",
                    env->table->name, at % width, whose, (double)value, place);
}

/* Says that what a network gives is of no use. */
static Status useless(const Policy *policy, const Env *env, const char *what, float value) {
  return status_set(ERR_INTERNAL,
                    "env %s: player %u, version %llu: %s of its network is %g: its weights are "
                    "damaged, or its learning has diverged (lower learner.rate, resume from an "
                    "earlier checkpoint)",
                    env->table->name, policy->player, (unsigned long long)policy->version, what,
                    (double)value);
}

/* ERR_INTERNAL if an output is too large to draw from, or a value is not finite. */
static Status check_outputs(const Policy *policy, const Env *env, size_t width, size_t count,
                            const PolicyAnswer *answer) {
  char what[32];
  size_t at =
      answer->logits ? env_first_beyond(answer->logits, count * width, MOST_LOGIT) : count * width;
  if (at < count * width) {
    TRY_RETURN(text_format(what, sizeof what, "output %zu", at % width));
    return useless(policy, env, what, answer->logits[at]);
  }
  at = answer->values ? env_first_beyond(answer->values, count, INFINITY) : count;
  return at < count ? useless(policy, env, "the value", answer->values[at]) : OK;
}

/* Worths make values: the value head of such a network is idle. */
static void value_worths(const Net *net, const float *worths, const uint8_t *masks, size_t count,
                         float *values) {
  for (size_t r = 0; r < count; r++)
    values[r] = dist_best(&net->space, worths + r * net->space.width,
                          masks ? masks + r * net->space.choices : NULL);
}

/* At most as many rows as the buffers hold. Without logits the network's policy part is not
 * copied. */
static void decide_chunk(const Policy *policy, Inference *inference, const Sequences *sequences,
                         const PolicyAnswer *part) {
  const Net *net = inference->net;
  bool worths = net->config.rule == RULE_GREEDY_Q && part->values;
  float *logits = worths && !part->logits ? inference->logits : part->logits;
  net_forward(net, policy->block, policy->packed, &inference->space, sequences, logits,
              part->values, part->memory);
  if (worths) value_worths(net, logits, NULL, sequences->B, part->values);
}

/* The rows from `first` on, with what their agents remember to have done last. */
static void load_chunk(const Net *net, const Env *env, const PolicyRows *rows, size_t first,
                       size_t count, Activations *space) {
  const size_t S = net->graph.state_size;
  const NetInput input = {
      .rows = (const uint8_t *)rows->observations + first * env->observation_bytes,
      .agents = rows->agents ? rows->agents + first : NULL,
      .last = net->remembered ? rows->memory + first * S + net->recurrent : NULL,
      .last_step = S,
      .alive = rows->alive ? rows->alive + first : NULL,
      .positions = rows->positions ? rows->positions + first * 3 : NULL,
  };
  net_load_input(net, &input, count, space);
}

/* What was done last is still that: the network does not move it. */
static void keep_last(const Net *net, const float *before, size_t count, float *after) {
  const size_t S = net->graph.state_size;
  for (size_t r = 0; net->remembered && r < count; r++)
    memcpy(after + r * S + net->recurrent, before + r * S + net->recurrent,
           net->remembered * sizeof *after);
}

/* In chunks that the buffers hold. */
Status policy_decide(Policy *policy, Inference *inference, const Env *env, const PolicyRows *rows,
                     const PolicyAnswer *answer) {
  const Net *net = inference->net;
  size_t S = net->graph.state_size;
  size_t W = net->space.width;
  TRY_RETURN(check_observations(env, rows));
  TRY_RETURN(pack(policy, net));
  for (size_t first = 0; first < rows->count; first += inference->chunk) {
    size_t left = rows->count - first;
    size_t count = left < inference->chunk ? left : inference->chunk;
    PolicyAnswer part = {
        .logits = answer->logits ? answer->logits + first * W : NULL,
        .values = answer->values ? answer->values + first : NULL,
        .memory = S && answer->memory ? answer->memory + first * S : NULL,
    };
    Sequences sequences = {
        .B = count,
        .T = 1,
        .states = S ? rows->memory + first * S : NULL,
        .S = S,
    };
    load_chunk(net, env, rows, first, count, &inference->space);
    decide_chunk(policy, inference, &sequences, &part);
    if (part.memory) keep_last(net, sequences.states, count, part.memory);
    TRY_RETURN(check_outputs(policy, env, W, count, &part));
  }
  return OK;
}

/* The rows of who explores, where any choice may be taken by chance. */
static void mix_rows(const Net *net, float epsilon, const bool *explores, size_t count,
                     float *rows) {
  const ActionSpace *space = &net->space;
  if (net->config.rule != RULE_MIXED || !explores || epsilon <= 0) return;
  for (size_t r = 0; r < count; r++)
    if (explores[r])
      dist_mix_rows(space, rows + r * space->width, epsilon, 1, rows + r * space->width);
}

void policy_normalise(const Policy *policy, Inference *inference, const uint8_t *masks,
                      const bool *explores, size_t count) {
  const Net *net = inference->net;
  const ActionSpace *space = &net->space;
  float epsilon = net_epsilon(net, policy->block);
  if (net->config.rule == RULE_GREEDY_Q) {
    value_worths(net, inference->logits, masks, count, inference->value);
    for (size_t r = 0; r < count; r++) {
      float *row = inference->logits + r * space->width;
      dist_greedy(space, row, masks + r * space->choices, explores && explores[r] ? epsilon : 0,
                  row);
    }
  } else {
    dist_normalise_rows(space, inference->logits, masks, count, inference->logits);
    mix_rows(net, epsilon, explores, count, inference->logits);
  }
  dist_probabilities(space, inference->logits, count, inference->probability);
}

bool policy_draws(const Policy *policy, const Net *net, bool explores) {
  if (policy->greedy) return false;
  return net->config.rule != RULE_GREEDY_Q || (explores && net_epsilon(net, policy->block) > 0);
}

const uint8_t *policy_masks(Inference *inference, const Env *env, const uint8_t *masks,
                            size_t count) {
  const size_t own = env->action_count;
  const size_t all = inference->net->space.choices;
  if (!inference->mask) return masks;
  for (size_t r = 0; r < count; r++) {
    memcpy(inference->mask + r * all, masks + r * own, own);
    memset(inference->mask + r * all + own, 1, all - own);
  }
  return inference->mask;
}

void policy_draw(const Policy *policy, const Inference *inference, size_t row, AgonRng *rng,
                 AgonAction *out) {
  const ActionSpace *space = &inference->net->space;
  dist_sample(space, inference->logits + row * space->width,
              inference->probability + row * space->width, rng, policy->greedy, out);
}

float policy_log_prob(const Inference *inference, size_t row, const AgonAction *action) {
  const ActionSpace *space = &inference->net->space;
  return dist_log_prob(space, inference->logits + row * space->width, action);
}

/* --- positions outside of any game that is played here --- */

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
