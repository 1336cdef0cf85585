#include "eval/mind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Each turn has a copy of its episode, so that the position may be played on before anybody
 * thinks. */
Status mind_create(Contestant *who, const Env *env, size_t room, Mind *out) {
  PlayHooks none = {NULL, NULL, NULL, NULL, NULL, NULL};
  size_t S = who->net ? who->net->graph.state_size : 0;
  *out = (Mind){.who = who, .env = env, .S = S, .width = play_row_width(env), .room = room};
  who->policy.inference = who->net ? &who->inference : NULL;
  TRY_RETURN(NEW_ARRAY(out->memory, env->spec.agents * S));
  TRY_RETURN(NEW_ARRAY(out->passing, out->width));
  TRY_RETURN(NEW_ARRAY(out->thought, room));
  TRY_RETURN(NEW_ARRAY(out->episode, room));
  TRY_RETURN(NEW_ARRAY(out->agent, room));
  TRY_RETURN(NEW_ARRAY(out->memories, room * S));
  TRY_RETURN(NEW_ARRAY(out->rows, room * out->width));
  TRY_RETURN(NEW_ARRAY(out->values, room));
  TRY_RETURN(NEW_ARRAY(out->best, room * env->layout.heads));
  TRY_RETURN(NEW_ARRAY(out->mask, env->action_count));
  for (size_t i = 0; i < room; i++) {
    void *copy;
    TRY_RETURN(mem_array(&copy, env->spec.episode_size, 1));
    out->episode[i] = copy;
  }
  return play_create(env, NULL, 0, room < 256 ? room : 256, 0, &none, &out->play);
}

/* Also for one that was only half made. */
void mind_destroy(Mind *mind) {
  for (size_t i = 0; mind->episode && i < mind->room; i++)
    free((void *)mind->episode[i]);
  play_destroy(mind->play);
  free(mind->memory);
  free(mind->passing);
  free(mind->thought);
  free(mind->episode);
  free(mind->agent);
  free(mind->memories);
  free(mind->rows);
  free(mind->values);
  free(mind->best);
  free(mind->mask);
  *mind = (Mind){0};
}

/* A memory of zeros is how every episode begins. */
void mind_forget(Mind *mind) {
  memset(mind->memory, 0, mind->env->spec.agents * mind->S * sizeof(float));
}

/* A player without a memory has nothing to update. With one, those who act see the position and
 * move their memory on. */
Status mind_step(void *context, const Position *position) {
  Mind *mind = context;
  const void *episode = position->episode;
  for (uint32_t a = 0; mind->S && a < mind->env->spec.agents; a++)
    if (position->flags[a] & AGON_ACTS)
      TRY_RETURN(play_evaluate(mind->play, &mind->who->policy, 1, &episode, &a,
                               mind->memory + a * mind->S, mind->passing, NULL));
  return OK;
}

/* Copies what the player will need: the episode, and its memory so far. */
void mind_ask(Mind *mind, const Position *position, size_t *first, size_t *count) {
  *first = mind->asked;
  for (uint32_t a = 0; position->status == AGON_RUNNING && a < mind->env->spec.agents; a++) {
    size_t i = mind->asked;
    if (!(position->flags[a] & AGON_ACTS)) continue;
    memcpy((void *)mind->episode[i], position->episode, mind->env->spec.episode_size);
    if (mind->S)
      memcpy(mind->memories + i * mind->S, mind->memory + a * mind->S, mind->S * sizeof(float));
    mind->agent[i] = a;
    mind->asked++;
  }
  *count = mind->asked - *first;
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
static void act(Mind *mind, size_t i) {
  BuiltinPolicy *builtin = mind->who->policy.builtin;
  AgonRng rng = rng_stream(0, 0, 0, RNG_ACT);
  env_mask(mind->env, mind->episode[i], mind->agent[i], mind->mask);
  builtin->ops->act(builtin, mind->episode[i], mind->agent[i], mind->mask, &rng,
                    mind->thought[i].best);
}

/* One batched evaluation for all that was asked. */
Status mind_think(Mind *mind) {
  const Env *env = mind->env;
  const BuiltinPolicy *builtin = mind->who->policy.builtin;
  bool known = !builtin || (builtin->ops->probabilities && env->layout.action_kind != AGON_BOX);
  size_t asked = mind->asked;
  mind->asked = 0;
  if (known)
    TRY_RETURN(play_evaluate(mind->play, &mind->who->policy, asked, mind->episode, mind->agent,
                             mind->S ? mind->memories : NULL, mind->rows, mind->values));
  for (size_t i = 0; i < asked; i++) {
    Thought *thought = &mind->thought[i];
    *thought = (Thought){.agent = mind->agent[i], .best = mind->best + i * env->layout.heads};
    if (known) {
      thought->value = mind->values[i];
      thought->row = mind->rows + i * mind->width;
      choose_best(env, thought->agent, thought->row, thought->best);
    } else {
      act(mind, i);
    }
  }
  return OK;
}

/* Drops what was asked before. */
Status mind_look(Mind *mind, const Position *position, const Thought **out, size_t *count) {
  size_t first;
  mind->asked = 0;
  mind_ask(mind, position, &first, count);
  *out = mind->thought;
  return mind_think(mind);
}
