#include "export/examples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A game that a player plays against itself. */
typedef struct Match {
  const ExportSource *source;
  const Env *env;
  const Net *net;
  Policy *policy;
  Inference own;
  void *episode;
  AgonRng rng;
  AgonStatus status;
  uint8_t *flags;     /* (agents) */
  float *reward;      /* (agents) */
  float *memory;      /* (agents, S) */
  AgonAction *action; /* (agents, heads) */
  /* rows of the position */
  size_t rows;
  uint32_t *agent;
  uint8_t *observation, *mask, *alive, *acts;
  float *position;
  float *before;
  Examples *noted;
} Match;

void examples_free(Examples *c) {
  Bytes *const all[] = {&c->observation, &c->mask,     &c->agent,  &c->alive,
                        &c->acts,        &c->position, &c->memory, &c->memory_after,
                        &c->probability, &c->value,    &c->action};
  for (size_t i = 0; i < COUNT_OF(all); i++)
    bytes_free(all[i]);
  c->rows = 0;
}

static void match_destroy(Match *match) {
  if (match->episode && match->env->table->destroy)
    match->env->table->destroy(match->env->params, match->episode);
  inference_destroy(&match->own);
  free(match->episode);
  free(match->flags);
  free(match->reward);
  free(match->memory);
  free(match->action);
  free(match->agent);
  free(match->observation);
  free(match->mask);
  free(match->alive);
  free(match->acts);
  free(match->position);
  free(match->before);
}

/* Room for a position in which every agent has a row, and every team all of its rows. */
static Status match_create(const ExportSource *source, uint64_t seed, Match *out) {
  const Env *env = source->env;
  const Net *net = source->who->net;
  const size_t agents = env->spec.agents;
  const size_t rows = net_talks(net) ? env->spec.teams * net_team(net) : agents;
  const size_t S = net->graph.state_size;
  *out = (Match){.source = source,
                 .env = env,
                 .net = net,
                 .policy = (Policy *)&source->who->policy,
                 .rng = rng_stream(seed, 0, 0, RNG_ENV)};
  TRY_RETURN(inference_create(net, rows, &out->own));
  TRY_RETURN(NEW_ARRAY(out->flags, agents));
  TRY_RETURN(NEW_ARRAY(out->reward, agents));
  TRY_RETURN(NEW_ARRAY(out->memory, agents * S));
  TRY_RETURN(NEW_ARRAY(out->action, agents * env->layout.heads + net->space.heads));
  TRY_RETURN(NEW_ARRAY(out->agent, rows));
  TRY_RETURN(NEW_ARRAY(out->observation, rows * env->observation_bytes));
  TRY_RETURN(NEW_ARRAY(out->mask, rows * env->action_count));
  TRY_RETURN(NEW_ARRAY(out->alive, rows));
  TRY_RETURN(NEW_ARRAY(out->acts, rows));
  TRY_RETURN(NEW_ARRAY(out->position, rows * 3));
  TRY_RETURN(NEW_ARRAY(out->before, rows * S));
  void *episode;
  TRY_RETURN(mem_array(&episode, env->spec.episode_size, 1));
  Status status = env_make(env, episode);
  if (status != OK)
    free(episode);
  else
    out->episode = episode;
  return status;
}

/* --- a position --- */

/* The next row is of that agent, or (UINT32_MAX) of nobody. Who is out of the game sees nothing. */
static Status add_row(Match *match, uint32_t agent) {
  const Env *env = match->env;
  const size_t row = match->rows++;
  const size_t S = match->net->graph.state_size;
  const uint8_t flags = agent == UINT32_MAX ? 0 : match->flags[agent];
  uint8_t *observation = match->observation + row * env->observation_bytes;
  uint8_t *mask = match->mask + row * env->action_count;
  float *position = match->position + row * 3;
  match->agent[row] = agent;
  match->alive[row] = (flags & AGON_ALIVE) != 0;
  match->acts[row] = (flags & AGON_ACTS) != 0;
  memset(observation, 0, env->observation_bytes);
  memset(mask, 1, env->action_count);
  memset(position, 0, 3 * sizeof *position);
  memset(match->before + row * S, 0, S * sizeof(float));
  if (agent != UINT32_MAX)
    memcpy(match->before + row * S, match->memory + agent * S, S * sizeof(float));
  if (!(flags & (AGON_ALIVE | AGON_ACTS))) return OK;
  env_observe(env, match->episode, agent, observation);
  if (flags & AGON_ACTS) env_mask(env, match->episode, agent, mask);
  return net_wants_positions(match->net) ? env_position(env, match->episode, agent, position) : OK;
}

/* Rows of whole teams, those that have fewer agents filled up with nobody. */
static Status add_team(Match *match, uint32_t team) {
  const AgonEnvSpec *spec = &match->env->spec;
  const size_t first = match->rows;
  bool acts = false;
  for (uint32_t a = 0; a < spec->agents; a++)
    acts |= spec->team_of[a] == team && match->flags[a] & AGON_ACTS;
  for (uint32_t a = 0; acts && a < spec->agents; a++)
    if (spec->team_of[a] == team) TRY_RETURN(add_row(match, a));
  while (acts && match->rows < first + net_team(match->net))
    TRY_RETURN(add_row(match, UINT32_MAX));
  return OK;
}

static Status view(Match *match) {
  const AgonEnvSpec *spec = &match->env->spec;
  match->rows = 0;
  env_flags_of(match->env, match->episode, match->flags);
  for (uint32_t t = 0; net_talks(match->net) && t < spec->teams; t++)
    TRY_RETURN(add_team(match, t));
  for (uint32_t a = 0; !net_talks(match->net) && a < spec->agents; a++)
    if (match->flags[a] & AGON_ACTS) TRY_RETURN(add_row(match, a));
  return OK;
}

/* --- what is done there --- */

/* A row's probabilities, or means and deviations in the env's unit, and its best action. */
static void note_answer(Match *match, size_t row) {
  const Env *env = match->env;
  const Inference *own = &match->own;
  const size_t W = match->net->space.width;
  const float *normal = own->logits + row * W;
  Examples *c = match->noted;
  AgonAction best[AGON_MAX_HEADS + 1];
  dist_sample(&match->net->space, normal, NULL, NULL, true, best);
  if (env->layout.action_kind != AGON_BOX) {
    bytes_put(&c->probability, own->probability + row * W, env->action_count * sizeof(float));
    bytes_put(&c->action, best, env->layout.heads * sizeof *best);
    return;
  }
  const uint32_t N = env->layout.heads;
  float *out = bytes_extend(&c->probability, 2 * N * sizeof *out);
  for (uint32_t h = 0; out && h < N; h++) {
    float low, high;
    env_action_range(env, match->agent[row], h, &low, &high);
    const float half = high / 2 - low / 2;
    out[h] = low + half + half * normal[h];
    out[N + h] = half * expf(normal[N + h]);
    best[h].value = fminf(fmaxf(out[h], low), high);
  }
  bytes_put(&c->action, best, N * sizeof *best);
}

/* Who does not act gets no answer. */
static void note_nothing(Match *match) {
  const Env *env = match->env;
  const uint32_t N = env->layout.heads;
  const size_t width = env->layout.action_kind == AGON_BOX ? 2 * (size_t)N : env->action_count;
  Examples *c = match->noted;
  void *out = bytes_extend(&c->probability, width * sizeof(float));
  if (out) memset(out, 0, width * sizeof(float));
  out = bytes_extend(&c->action, N * sizeof(AgonAction));
  if (out) memset(out, 0, N * sizeof(AgonAction));
}

static void note_row(Match *match, size_t row) {
  const Env *env = match->env;
  const size_t S = match->net->graph.state_size;
  Examples *c = match->noted;
  bytes_put(&c->observation, match->observation + row * env->observation_bytes,
            env->observation_bytes);
  bytes_put(&c->mask, match->mask + row * env->action_count, env->action_count);
  bytes_u32(&c->agent, match->agent[row]);
  bytes_u8(&c->alive, match->alive[row]);
  bytes_u8(&c->acts, match->acts[row]);
  bytes_put(&c->position, match->position + row * 3, 3 * sizeof(float));
  bytes_put(&c->memory, match->before + row * S, S * sizeof(float));
  bytes_put(&c->memory_after, match->own.memory_out + row * S, S * sizeof(float));
  bytes_put(&c->value, &match->own.value[row], sizeof(float));
  if (match->acts[row])
    note_answer(match, row);
  else
    note_nothing(match);
  c->rows++;
}

/* The player's action, drawn, and what it remembers of it. */
static void act(Match *match, size_t row) {
  const Env *env = match->env;
  const uint32_t agent = match->agent[row];
  const size_t S = match->net->graph.state_size;
  AgonAction drawn[AGON_MAX_HEADS + 1];
  AgonAction *action = env_action(env, match->action, agent);
  if (!match->acts[row]) return;
  policy_draw(match->policy, &match->own, row, &match->rng, drawn);
  memcpy(action, drawn, env->layout.heads * sizeof *action);
  memcpy(match->memory + agent * S, match->own.memory_out + row * S, S * sizeof(float));
  net_remember(match->net, drawn, match->memory + agent * S);
  env_scale_action(env, agent, action);
}

static Status play_step(Match *match) {
  const Env *env = match->env;
  const PolicyRows rows = {.count = match->rows,
                           .observations = match->observation,
                           .memory = match->before,
                           .agents = match->agent,
                           .alive = match->alive,
                           .positions = match->position};
  const PolicyAnswer answer = {match->own.logits, match->own.value, match->own.memory_out};
  TRY_RETURN(policy_decide(match->policy, &match->own, env, &rows, &answer));
  policy_normalise(match->policy, &match->own,
                   policy_masks(&match->own, env, match->mask, match->rows), NULL, match->rows);
  for (size_t row = 0; row < match->rows; row++) {
    note_row(match, row);
    act(match, row);
  }
  env_clip_actions(env, match->action);
  match->status = env_step(env, match->episode, match->action, &match->rng, match->reward);
  return OK;
}

/* --- all of it --- */

Status examples_play(const ExportSource *source, size_t count, uint64_t seed, Examples *out) {
  Status status = OK;
  Match match;
  const size_t S = source->who->net->graph.state_size;
  const uint32_t agents = source->env->spec.agents;
  TRY(match_create(source, seed, &match));
  match.noted = out;
  match.status = AGON_TERMINATED;
  for (size_t idle = 0; out->rows < count && idle < 1000; idle++) {
    if (match.status != AGON_RUNNING) {
      memset(match.memory, 0, agents * S * sizeof(float));
      match.status = env_reset(source->env, match.episode, &match.rng, match.reward);
    }
    if (match.status == AGON_FAILED)
      TRY(status_set(ERR_ENV, "env %s: %s", source->env->table->name, env_why(source->env)));
    if (match.status != AGON_RUNNING) continue;
    TRY(view(&match));
    TRY(play_step(&match));
    idle = 0;
  }
  if (out->observation.failed || out->mask.failed || out->agent.failed || out->alive.failed ||
      out->acts.failed || out->position.failed || out->memory.failed || out->memory_after.failed ||
      out->probability.failed || out->value.failed || out->action.failed)
    TRY(status_set(ERR_MEMORY, "out of memory writing down examples"));
done:
  match_destroy(&match);
  return status;
}

Status examples_write(const ExportSource *source, const Examples *examples, Bytes *out) {
  const Env *env = source->env;
  const uint32_t *shape = env->layout.observation_shape;
  const bool box = env->layout.action_kind == AGON_BOX;
  const bool bytes = env->layout.observation_type == AGON_U8;
  const Examples *c = examples;
  const size_t R = c->rows;
  const size_t S = source->who->net->graph.state_size;
  const size_t W = box ? 2 * (size_t)env->layout.heads : env->action_count;
  const ExportArray array[] = {
      {"observations",
       bytes ? "|u1" : "<f4",
       4,
       {R, shape[0], shape[1], shape[2]},
       c->observation.data},
      {"masks", "|u1", 2, {R, env->action_count}, c->mask.data},
      {"agents", "<u4", 1, {R}, c->agent.data},
      {"alive", "|u1", 1, {R}, c->alive.data},
      {"acts", "|u1", 1, {R}, c->acts.data},
      {"positions", "<f4", 2, {R, 3}, c->position.data},
      {"memory", "<f4", 2, {R, S}, c->memory.data},
      {"memory_after", "<f4", 2, {R, S}, c->memory_after.data},
      {"probabilities", "<f4", 2, {R, W}, c->probability.data},
      {"values", "<f4", 1, {R}, c->value.data},
      {"actions", box ? "<f4" : "<i4", 2, {R, env->layout.heads}, c->action.data},
  };
  return export_arrays(array, COUNT_OF(array), out);
}

/* --- two agents side by side --- */

static Status told(AgonAgentStatus status, const AgonError *error) {
  if (status == AGON_AGENT_OK) return OK;
  return status_set(status == AGON_AGENT_MEMORY ? ERR_MEMORY : ERR_INTERNAL, "%s", error->text);
}

/* What an agent's file makes of all rows. probability (rows, output_count) and value (rows) are the
 * caller's (free), on failure too. */
static Status ask(const Examples *examples, const Bytes *file, float **probability, float **value,
                  size_t *width) {
  Status status = OK;
  AgonAgent *agent = NULL;
  AgonAgentState *state = NULL;
  AgonError error = {""};
  TRY(told(agon_agent_open_bytes(file->data, file->size, &agent, &error), &error));
  const AgonAgentInfo *info = agon_agent_info(agent);
  *width = info->output_count;
  TRY(NEW_ARRAY(*probability, examples->rows * *width));
  TRY(NEW_ARRAY(*value, examples->rows));
  TRY(told(agon_state_new(agent, examples->rows, &state, &error), &error));
  if (info->memory_count)
    memcpy(agon_state_memory(state), examples->memory.data,
           examples->rows * info->memory_count * sizeof(float));
  const AgonAgentRows rows = {
      .count = examples->rows,
      .observations = examples->observation.data,
      .masks = examples->mask.data,
      .agents = (const uint32_t *)(const void *)examples->agent.data,
      .alive = examples->alive.data,
      .acts = examples->acts.data,
      .positions = (const float *)(const void *)examples->position.data,
      .greedy = true,
  };
  const AgonAgentAnswer answer = {.values = *value, .probabilities = *probability};
  TRY(told(agon_agent_act(agent, state, &rows, &answer, &error), &error));
done:
  agon_state_free(state);
  agon_agent_close(agent);
  return status;
}

/* Relative to the size of what is larger than 1. */
static double greatest(const float *a, const float *b, size_t count) {
  double most = 0;
  for (size_t i = 0; i < count; i++)
    most = fmax(most, fabs((double)a[i] - (double)b[i]) / fmax(1, fabs((double)b[i])));
  return most;
}

Status examples_apart(const Examples *examples, const Bytes *a, const Bytes *b, double *out) {
  Status status = OK;
  float *probability[2] = {NULL, NULL};
  float *value[2] = {NULL, NULL};
  size_t width = 0;
  TRY(ask(examples, a, &probability[0], &value[0], &width));
  TRY(ask(examples, b, &probability[1], &value[1], &width));
  *out = fmax(greatest(probability[0], probability[1], examples->rows * width),
              greatest(value[0], value[1], examples->rows));
done:
  for (size_t i = 0; i < 2; i++) {
    free(probability[i]);
    free(value[i]);
  }
  return status;
}
