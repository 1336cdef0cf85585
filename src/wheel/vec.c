/* Many games at once: a block, a random stream and a count of episodes each. */
#include "wheel/vec.h"

#include "env/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GAMES = 1 << 24 }; /* as many slots as a random stream can name */

struct AgonVec {
  Env *env;
  AgonVecInfo info;
  AgonVecArrays to;
  size_t n;
  bool again;
  bool torn;   /* not begun, or a reset or a step failed halfway: only a reset helps */
  size_t made; /* blocks that were created */
  uint64_t seed;
  uint8_t *blocks;  /* (n) episodes */
  void **episodes;  /* (n) where they are */
  AgonRng *rng;     /* (n) */
  uint32_t *number; /* (n) which episode of its game it is */
  uint32_t *steps;  /* (n) */
  uint8_t *over;    /* (n) stands still */
  uint8_t *flags;   /* (n, agents) */
  /* of the games that go on, side by side */
  size_t *live;
  void **moving;
  AgonRandom *random;
  AgonAction *actions; /* (n, agents, heads) */
  float *rewards;      /* (n, agents) */
  AgonStatus *status;
  /* of rows that are looked at */
  const void **seen;
};

/* Hands the reason of a failure on. */
static int told(Status status, AgonError *error) {
  if (status == OK) return 0;
  if (error) snprintf(error->text, sizeof error->text, "%s", status_message());
  return -1;
}

uint32_t agon_vec_abi(void) {
  return AGON_VEC_ABI;
}

const char *agon_vec_name(size_t index) {
  const AgonEnv *table = env_builtin(index);
  return table ? table->name : NULL;
}

const AgonVecInfo *agon_vec_info(const AgonVec *vec) {
  return &vec->info;
}

void agon_vec_write_to(AgonVec *vec, const AgonVecArrays *arrays) {
  vec->to = *arrays;
}

/* The env's numbers in one struct. */
static AgonVecInfo describe(const Env *env) {
  const AgonEnvSpec *spec = &env->spec;
  const AgonKind *layout = &env->layout;
  const bool turns = !(spec->flags & AGON_SIMULTANEOUS);
  return (AgonVecInfo){
      .name = env->table->name,
      .title = env->title,
      .summary = env->table->summary,
      .version = env->table->version,
      .agents = spec->agents,
      .teams = spec->teams,
      .kinds = spec->kinds,
      .rows = turns ? 1 : spec->agents,
      .observation_type = (uint32_t)layout->observation_type,
      .observation_shape = {layout->observation_shape[0], layout->observation_shape[1],
                            layout->observation_shape[2]},
      .observation_low = layout->observation_low,
      .observation_high = layout->observation_high,
      .action_kind = (uint32_t)layout->action_kind,
      .heads = layout->heads,
      .mask_count = env->action_count,
      .global_state = env->table->global_state ? spec->global_state_size : 0,
      .step_limit = spec->step_limit,
      .flags = spec->flags,
      .metrics = env->table->metrics ? spec->metrics : 0,
      .reward_low = spec->reward_low,
      .reward_high = spec->reward_high,
      .has_outcome = env->table->outcome != NULL,
      .has_scripted = env->table->scripted && !(spec->flags & AGON_UNSCRIPTED),
      .has_render = env->table->render != NULL,
      .has_mask = env->table->mask != NULL || env->padded,
      .head_size = layout->head_size,
      .action_low = layout->action_low,
      .action_high = layout->action_high,
      .team_of = spec->team_of,
      .kind_of = spec->kind_of,
      .agent_names = spec->agent_names,
      .metric_names = env->table->metric_names,
  };
}

/* Blocks lie at multiples of 64 bytes, as an env may have anything in them. */
static size_t block_size(const Env *env) {
  return (env->spec.episode_size + 63) / 64 * 64;
}

/* Everything that steps will need. */
static Status make_room(AgonVec *vec) {
  const size_t n = vec->n;
  const size_t agents = vec->info.agents;
  const size_t size = block_size(vec->env);
  vec->blocks = aligned_alloc(64, n * size);
  if (!vec->blocks) return status_set(ERR_MEMORY, "out of memory for %zu games", n);
  memset(vec->blocks, 0, n * size);
  TRY_RETURN(NEW_ARRAY(vec->episodes, n));
  TRY_RETURN(NEW_ARRAY(vec->rng, n));
  TRY_RETURN(NEW_ARRAY(vec->number, n));
  TRY_RETURN(NEW_ARRAY(vec->steps, n));
  TRY_RETURN(NEW_ARRAY(vec->over, n));
  TRY_RETURN(NEW_ARRAY(vec->flags, n * agents));
  TRY_RETURN(NEW_ARRAY(vec->live, n));
  TRY_RETURN(NEW_ARRAY(vec->moving, n));
  TRY_RETURN(NEW_ARRAY(vec->random, n));
  TRY_RETURN(NEW_ARRAY(vec->actions, n * agents * vec->info.heads));
  TRY_RETURN(NEW_ARRAY(vec->rewards, n * agents));
  TRY_RETURN(NEW_ARRAY(vec->status, n));
  TRY_RETURN(NEW_ARRAY(vec->seen, n * vec->info.rows));
  for (size_t i = 0; i < n; i++) {
    vec->episodes[i] = vec->blocks + i * size;
    vec->over[i] = 1;
  }
  for (; vec->made < n; vec->made++)
    TRY_RETURN(env_make(vec->env, vec->episodes[vec->made]));
  return OK;
}

int agon_vec_open(const char *name, const char *const *pairs, size_t pair_count, size_t n,
                  bool again, AgonVec **out, AgonError *error) {
  Status status = OK;
  AgonVec *vec = NULL;
  *out = NULL;
  if (!n || n >= MAX_GAMES)
    TRY(status_set(ERR_USAGE, "%zu games: from 1 to %d can be played at once", n, MAX_GAMES - 1));
  TRY(NEW_ARRAY(vec, 1));
  vec->n = n;
  vec->again = again;
  vec->torn = true;
  TRY(env_create_from(name, pairs, pair_count, &vec->env));
  vec->info = describe(vec->env);
  TRY(make_room(vec));
  *out = vec;
  vec = NULL;
done:
  agon_vec_close(vec);
  return told(status, error);
}

void agon_vec_close(AgonVec *vec) {
  if (!vec) return;
  for (size_t i = 0; i < vec->made; i++)
    if (vec->env->table->destroy) vec->env->table->destroy(vec->env->params, vec->episodes[i]);
  free(vec->blocks);
  free(vec->episodes);
  free(vec->rng);
  free(vec->number);
  free(vec->steps);
  free(vec->over);
  free(vec->flags);
  free(vec->live);
  free(vec->moving);
  free(vec->random);
  free(vec->actions);
  free(vec->rewards);
  free(vec->status);
  free(vec->seen);
  env_destroy(vec->env);
  free(vec);
}

/* After a failure some games have moved and others have not. */
static Status check_whole(const AgonVec *vec) {
  if (!vec->torn) return OK;
  return status_set(ERR_USAGE, "%s: the last reset or step failed halfway: reset the games first",
                    vec->info.title);
}

/* A game could not go on. */
static Status broken(const AgonVec *vec, size_t game) {
  return status_set(ERR_ENV, "%s, game %zu, episode %u, step %u: %s", vec->info.title, game,
                    vec->number[game], vec->steps[game], env_why(vec->env));
}

/* The next episode of a game; chance moves before the first decision may pay. */
static Status begin(AgonVec *vec, size_t game, uint32_t number, float *rewards) {
  vec->number[game] = number;
  vec->steps[game] = 0;
  vec->over[game] = 0;
  vec->rng[game] = rng_stream(vec->seed, (uint32_t)game, number, RNG_ENV);
  AgonStatus status = env_reset(vec->env, vec->episodes[game], &vec->rng[game], rewards);
  if (status == AGON_RUNNING) return OK;
  if (status == AGON_FAILED) return broken(vec, game);
  return status_set(ERR_ENV, "%s, game %zu, episode %u: it is over at its beginning",
                    vec->info.title, game, number);
}

/* One row where agents take turns: that of who must act. */
static Status find_turn(AgonVec *vec, size_t game) {
  const uint8_t *flags = vec->flags + game * vec->info.agents;
  uint32_t found = 0;
  vec->to.agents[game] = 0;
  for (uint32_t a = 0; a < vec->info.agents; a++) {
    if (!(flags[a] & AGON_ACTS)) continue;
    vec->to.agents[game] = a;
    found++;
  }
  vec->to.acts[game] = found > 0 && !vec->over[game];
  if (found == 1 || vec->over[game]) return OK;
  return status_set(ERR_ENV, "%s, game %zu: %u agents act at once, but it has no AGON_SIMULTANEOUS",
                    vec->info.title, game, found);
}

/* Who acts, and what every row sees. */
static Status look(AgonVec *vec) {
  const uint32_t agents = vec->info.agents;
  const uint32_t rows = vec->info.rows;
  const size_t bytes = vec->env->observation_bytes;
  const size_t width = vec->info.mask_count;
  bool all = true;
  env_flags(vec->env, vec->n, (const void *const *)vec->episodes, vec->flags);
  for (size_t i = 0; i < vec->n * agents; i++)
    vec->to.alive[i] = (vec->flags[i] & AGON_ALIVE) != 0;
  for (size_t i = 0; i < vec->n; i++) {
    if (rows == 1 && agents > 1) {
      TRY_RETURN(find_turn(vec, i));
    } else {
      for (uint32_t a = 0; a < rows; a++) {
        vec->to.agents[i * rows + a] = a;
        vec->to.acts[i * rows + a] = vec->flags[i * agents + a] & AGON_ACTS && !vec->over[i];
      }
    }
    for (uint32_t r = 0; r < rows; r++) {
      vec->seen[i * rows + r] = vec->episodes[i];
      all = all && vec->to.acts[i * rows + r];
    }
  }
  if (all) {
    env_view(vec->env, vec->n * rows, vec->seen, vec->to.agents, vec->to.observations,
             vec->to.masks);
    return OK;
  }
  for (size_t i = 0; i < vec->n * rows; i++) {
    env_observe(vec->env, vec->seen[i], vec->to.agents[i],
                (uint8_t *)vec->to.observations + i * bytes);
    if (vec->to.acts[i])
      env_mask(vec->env, vec->seen[i], vec->to.agents[i], vec->to.masks + i * width);
    else
      memset(vec->to.masks + i * width, 0, width);
  }
  return OK;
}

int agon_vec_reset(AgonVec *vec, uint64_t seed, AgonError *error) {
  Status status = OK;
  vec->seed = seed;
  vec->torn = true;
  memset(vec->to.rewards, 0, vec->n * vec->info.agents * sizeof *vec->to.rewards);
  memset(vec->to.terminated, 0, vec->n);
  memset(vec->to.truncated, 0, vec->n);
  for (size_t i = 0; i < vec->n; i++)
    TRY(begin(vec, i, 0, vec->to.rewards + i * vec->info.agents));
  TRY(look(vec));
  vec->torn = false;
done:
  return told(status, error);
}

/* The first choice of a row that its mask forbids; false: there is none. */
static bool find_illegal(const AgonVecInfo *info, const AgonAction *row, const uint8_t *mask,
                         uint32_t *head) {
  for (uint32_t h = 0; h < info->heads; h++) {
    const int64_t choice = row[h].choice;
    *head = h;
    if (choice < 0 || choice >= (int64_t)info->head_size[h] || !mask[choice]) return true;
    mask += info->head_size[h];
  }
  return false;
}

/* All rows that act, before anything moves. */
static Status check_actions(const AgonVec *vec, const AgonAction *actions) {
  const AgonVecInfo *info = &vec->info;
  if (info->action_kind == AGON_BOX) return OK;
  for (size_t i = 0; i < vec->n * info->rows; i++) {
    const AgonAction *row = actions + i * info->heads;
    uint32_t head;
    if (!vec->to.acts[i]) continue;
    if (!find_illegal(info, row, vec->to.masks + i * info->mask_count, &head)) continue;
    return status_set(ERR_USAGE,
                      "%s, game %zu, agent %u: choice %d of head %u is not legal here (see masks)",
                      info->title, i / info->rows, vec->to.agents[i], row[head].choice, head);
  }
  return OK;
}

/* Games that go on, with their actions by agent. */
static size_t gather(AgonVec *vec, const AgonAction *actions) {
  const uint32_t rows = vec->info.rows;
  const size_t heads = vec->info.heads;
  const size_t width = vec->info.agents * heads;
  size_t count = 0;
  for (size_t i = 0; i < vec->n; i++) {
    if (vec->over[i]) continue;
    AgonAction *to = vec->actions + count * width;
    for (uint32_t r = 0; r < rows; r++)
      memcpy(to + vec->to.agents[i * rows + r] * heads, actions + (i * rows + r) * heads,
             heads * sizeof *to);
    env_clip_actions(vec->env, to);
    vec->live[count] = i;
    vec->moving[count] = vec->episodes[i];
    vec->random[count] = rng_handle(&vec->rng[i]);
    count++;
  }
  return count;
}

/* By one call where the env has it. */
static void move(AgonVec *vec, size_t count) {
  const size_t agents = vec->info.agents;
  const size_t width = agents * vec->info.heads;
  memset(vec->rewards, 0, count * agents * sizeof *vec->rewards);
  for (size_t i = 0; i < count; i++)
    vec->status[i] = AGON_FAILED;
  if (vec->env->table->step_many) {
    env_call_step_many(vec->env, count, vec->moving, vec->actions, vec->random, vec->rewards,
                       vec->status);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    vec->status[i] = env_call_step(vec->env, vec->moving[i], vec->actions + i * width,
                                   &vec->random[i], vec->rewards + i * agents);
    if (vec->status[i] == AGON_FAILED) return;
  }
}

/* What is told of a game that has ended. */
static void close_game(AgonVec *vec, size_t game) {
  const AgonVecInfo *info = &vec->info;
  const Env *env = vec->env;
  const void *episode = vec->episodes[game];
  uint8_t *rows = vec->to.final_observations;
  rows += game * info->agents * env->observation_bytes;
  for (uint32_t a = 0; a < info->agents; a++)
    env_observe(env, episode, a, rows + a * env->observation_bytes);
  env_outcome(env, episode, vec->to.outcomes + game * info->teams);
  if (info->metrics)
    env->table->metrics(env->params, episode, vec->to.metrics + game * info->metrics);
  vec->to.lengths[game] = vec->steps[game];
}

int agon_vec_step(AgonVec *vec, const AgonAction *actions, AgonError *error) {
  Status status = OK;
  const size_t agents = vec->info.agents;
  TRY(check_whole(vec));
  TRY(check_actions(vec, actions));
  vec->torn = true;
  const size_t count = gather(vec, actions);
  memset(vec->to.rewards, 0, vec->n * agents * sizeof *vec->to.rewards);
  memset(vec->to.terminated, 0, vec->n);
  memset(vec->to.truncated, 0, vec->n);
  move(vec, count);
  for (size_t k = 0; k < count; k++) {
    const size_t i = vec->live[k];
    float *rewards = vec->to.rewards + i * agents;
    AgonStatus now = vec->status[k];
    memcpy(rewards, vec->rewards + k * agents, agents * sizeof *rewards);
    if (now == AGON_CHANCE)
      now = env_settle(vec->env, vec->episodes[i], now, &vec->rng[i], rewards);
    if (now == AGON_FAILED) TRY(broken(vec, i));
    vec->steps[i]++;
    if (now == AGON_RUNNING) continue;
    vec->to.terminated[i] = now == AGON_TERMINATED;
    vec->to.truncated[i] = now == AGON_TRUNCATED;
    close_game(vec, i);
    vec->over[i] = 1;
    /* what chance pays before the first decision would be taken for the ended episode's: nobody
     * learns from it (agon/env.h), so it goes into room that the next step clears */
    if (vec->again) TRY(begin(vec, i, vec->number[i] + 1, vec->rewards + k * agents));
  }
  TRY(look(vec));
  vec->torn = false;
done:
  return told(status, error);
}

int agon_vec_observe(const AgonVec *vec, size_t game, uint32_t agent, void *row, AgonError *error) {
  if (game >= vec->n || agent >= vec->info.agents)
    return told(status_set(ERR_USAGE, "there is no agent %u of game %zu", agent, game), error);
  env_observe(vec->env, vec->episodes[game], agent, row);
  return 0;
}

void agon_vec_global_state(const AgonVec *vec, size_t game, float *row) {
  if (vec->info.global_state && game < vec->n)
    vec->env->table->global_state(vec->env->params, vec->episodes[game], row);
}

void agon_vec_render(const AgonVec *vec, size_t game, char *text, size_t size) {
  text[0] = 0;
  if (vec->info.has_render && game < vec->n)
    vec->env->table->render(vec->env->params, vec->episodes[game], text, size);
}

int agon_vec_scripted(AgonVec *vec, AgonAction *actions, AgonError *error) {
  const AgonVecInfo *info = &vec->info;
  if (!info->has_scripted)
    return told(status_set(ERR_USAGE, "%s has no rule-based player", info->title), error);
  if (vec->torn) return told(check_whole(vec), error);
  for (size_t i = 0; i < vec->n * info->rows; i++) {
    if (!vec->to.acts[i]) continue;
    const size_t game = i / info->rows;
    const uint32_t agent = vec->to.agents[i];
    /* its draws are no part of the game's own stream */
    AgonRng rng =
        rng_decision(vec->seed, (uint32_t)game, vec->number[game], vec->steps[game], agent);
    const AgonRandom random = rng_handle(&rng);
    vec->env->table->scripted(vec->env->params, vec->seen[i], agent, &random,
                              actions + i * info->heads);
  }
  return 0;
}

const AgonEnvOption *agon_vec_option(const AgonVec *vec, size_t index) {
  const AgonEnv *table = vec->env->table;
  return index < env_option_count(table) ? env_option(table, index) : NULL;
}

const char *agon_vec_action_name(const AgonVec *vec, uint32_t head, uint32_t choice) {
  const AgonEnv *table = vec->env->table;
  if (!table->action_name || head >= vec->info.heads) return NULL;
  return choice < vec->info.head_size[head] ? table->action_name(vec->env->params, head, choice)
                                            : NULL;
}
