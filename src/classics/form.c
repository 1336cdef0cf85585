#include "classics/form.h"

#include "agent/table.h"
#include "classics/rows.h"

#include <stdlib.h>

static Status unfit(const Env *env, const char *why) {
  return status_set(ERR_USAGE, "%s is no game in normal form for two: %s", env->title, why);
}

/* To where both choose. */
static Status begin(const Env *env, void *episode, uint8_t *flags) {
  AgonRng rng = rng_stream(0, 0, 0, RNG_ENV);
  float reward[2] = {0};
  if (env_reset(env, episode, &rng, reward) != AGON_RUNNING)
    return status_set(ERR_ENV, "env %s: %s", env->table->name, env_why(env));
  env_flags_of(env, episode, flags);
  return flags[0] & flags[1] & AGON_ACTS ? OK : unfit(env, "both must act at once");
}

/* What both are paid for one pair of choices. */
static Status play_pair(const Env *env, void *episode, const uint32_t choice[2], float paid[2]) {
  AgonRng rng = rng_stream(0, 0, 0, RNG_ENV);
  AgonAction action[2] = {{.choice = (int32_t)choice[0]}, {.choice = (int32_t)choice[1]}};
  uint8_t flags[2];
  paid[0] = paid[1] = 0;
  TRY_RETURN(begin(env, episode, flags));
  const AgonStatus how = env_step(env, episode, action, &rng, paid);
  if (how == AGON_FAILED) return status_set(ERR_ENV, "env %s: %s", env->table->name, env_why(env));
  return how == AGON_RUNNING ? unfit(env, "it goes on after one choice (rounds=1?)") : OK;
}

/* All pairs, once the masks are known. */
static Status fill(const Env *env, void *episode, uint8_t *mask, FormTables *out) {
  const size_t A = env->action_count;
  uint8_t flags[2];
  TRY_RETURN(begin(env, episode, flags));
  for (uint32_t p = 0; p < 2; p++)
    env_mask(env, episode, p, mask + p * A);
  out->form = (Bimatrix){.rows = rows_allowed(mask, A), .columns = rows_allowed(mask + A, A)};
  for (size_t i = 0; i < out->form.rows; i++)
    for (size_t j = 0; j < out->form.columns; j++) {
      const uint32_t choice[2] = {rows_action(mask, i), rows_action(mask + A, j)};
      float paid[2];
      TRY_RETURN(play_pair(env, episode, choice, paid));
      out->a[i * out->form.columns + j] = (double)paid[0];
      out->b[i * out->form.columns + j] = (double)paid[1];
    }
  out->form.a = out->a;
  out->form.b = out->b;
  return OK;
}

Status form_read(const Env *env, FormTables *out) {
  Status status = OK;
  void *episode = NULL;
  uint8_t *mask = NULL;
  bool made = false;
  if (env->spec.agents != 2) return unfit(env, "it must have two agents");
  if (!table_supports(env)) return unfit(env, "actions must be one choice each");
  if (env->table->chance_outcomes) return unfit(env, "chance has a part in it");
  if (env->action_count > DYNAMICS_MOST) return unfit(env, "there are more than 16 choices");
  TRY(mem_array(&episode, env->spec.episode_size + 1, 1));
  TRY(NEW_ARRAY(mask, 2 * (size_t)env->action_count));
  TRY(env_make(env, episode));
  made = true;
  TRY(fill(env, episode, mask, out));
done:
  if (made && env->table->destroy) env->table->destroy(env->params, episode);
  free(episode);
  free(mask);
  return status;
}
