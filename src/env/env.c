#include "env/env.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

extern const AgonEnv env_matrix_game, env_kuhn_poker, env_leduc_poker, env_tic_tac_toe, env_connect_four, env_goofspiel,
    env_liars_dice, env_skirmish;

static const AgonEnv *const builtin[] = {
    &env_matrix_game,  &env_kuhn_poker, &env_leduc_poker, &env_tic_tac_toe,
    &env_connect_four, &env_goofspiel,  &env_liars_dice,  &env_skirmish,
};

const AgonEnv *env_builtin(size_t index) { return index < COUNT_OF(builtin) ? builtin[index] : NULL; }

Status env_check_table(const AgonEnv *table, const char *origin) {
  if (table->abi != AGON_ENV_ABI)
    return status_set(ERR_ENV, "%s was built for env ABI %u, this program has %u: rebuild it", origin, table->abi,
                      AGON_ENV_ABI);
  if (table->struct_size != sizeof(AgonEnv))
    return status_set(ERR_ENV, "%s: struct_size is %u, expected %zu: rebuild it", origin, table->struct_size,
                      sizeof(AgonEnv));
  if (!table->name || !table->configure || !table->reset || !table->step || !table->observe || !table->mask ||
      !table->flags || !table->outcome)
    return status_set(
        ERR_ENV, "%s lacks a mandatory field (name, configure, reset, step, observe, mask, flags, outcome)", origin);
  return OK;
}

Status env_find(const char *name, const AgonEnv **out, void **out_plugin) {
  *out_plugin = NULL;
  if (strchr(name, '/')) return env_plugin_open(name, out, out_plugin);
  const char *best = builtin[0]->name;
  for (size_t i = 0; i < COUNT_OF(builtin); i++) {
    if (!strcmp(builtin[i]->name, name)) {
      *out = builtin[i];
      return env_check_table(*out, name);
    }
    if (text_distance(name, builtin[i]->name) < text_distance(name, best)) best = builtin[i]->name;
  }
  return status_set(
      ERR_USAGE, "no environment '%s', did you mean '%s'? 'agon env list' lists them; a plug-in is named by its path",
      name, best);
}

Status env_declare(const AgonEnv *table, Config *config, Option **out_options) {
  static const OptionType type_of[] = {OPT_INT, OPT_FLOAT, OPT_BOOL, OPT_CHOICE, OPT_TEXT};
  Option *options;
  TRY_RETURN(NEW_ARRAY(options, table->option_count));
  for (size_t i = 0; i < table->option_count; i++) {
    const AgonEnvOption *from = &table->options[i];
    options[i] = (Option){from->name, type_of[from->type], 0,  from->fallback, from->low,
                          from->high, from->choices,       "", from->help};
  }
  *out_options = options;
  return config_declare(config, "env", options, table->option_count, NULL);
}

static Status check_spec(const AgonEnvSpec *spec, const char *name) {
  bool good = spec->agents >= 1 && spec->agents <= AGON_MAX_AGENTS && spec->teams >= 1 &&
              spec->teams <= AGON_MAX_TEAMS && spec->heads >= 1 && spec->heads <= AGON_MAX_HEADS &&
              spec->episode_size > 0 && spec->step_limit > 0;
  for (uint32_t i = 0; good && i < spec->agents; i++) good = spec->team_of[i] < spec->teams;
  for (uint32_t i = 0; good && i < 3; i++) good = spec->observation_shape[i] >= 1;
  for (uint32_t i = 0; good && i < spec->heads && spec->action_kind != AGON_BOX; i++) good = spec->head_size[i] >= 1;
  return good ? OK
              : status_set(ERR_ENV, "%s describes itself wrongly: agents, teams, heads, shapes or sizes out of range",
                           name);
}

Status env_create(const AgonEnv *table, void *plugin, const Config *config, Env **out) {
  Status status = OK;
  Env *env = NULL;
  const char **values = NULL;
  AgonError error = {""};
  TRY(NEW_ARRAY(env, 1));
  env->table = table;
  env->plugin = plugin;
  TRY(mem_array(&env->params, table->params_capacity, 1));
  TRY(NEW_ARRAY(values, table->option_count));
  for (size_t i = 0; i < table->option_count; i++) {
    char key[96];
    TRY(text_format(key, sizeof key, "env.%s", table->options[i].name));
    values[i] = config_value(config, key);
  }
  if (table->configure(values, env->params, &env->spec, &error))
    TRY(status_set(ERR_USAGE, "env %s: %s", table->name, error.text));
  TRY(check_spec(&env->spec, table->name));
  env->observation_count =
      (size_t)env->spec.observation_shape[0] * env->spec.observation_shape[1] * env->spec.observation_shape[2];
  env->observation_bytes = env->observation_count * (env->spec.observation_type == AGON_U8 ? 1 : 4);
  for (uint32_t h = 0; h < env->spec.heads; h++)
    env->action_count += env->spec.action_kind == AGON_BOX ? 1 : env->spec.head_size[h];
  *out = env;
  env = NULL;
done:
  free(values);
  if (env) env->plugin = NULL;
  env_destroy(env);
  return status;
}

Status env_create_from(const char *name, const char *const *pairs, size_t count, Env **out) {
  Status status = OK;
  Config *config = NULL;
  Option *options = NULL;
  const AgonEnv *table;
  void *plugin = NULL;
  TRY(env_find(name, &table, &plugin));
  TRY(config_create(&config));
  TRY(env_declare(table, config, &options));
  for (size_t i = 0; i < count; i++) {
    char text[OPTION_TEXT + 96];
    TRY(text_format(text, sizeof text, "env.%s", pairs[i]));
    TRY(config_parse_override(config, text));
  }
  TRY(config_resolve(config));
  TRY(env_create(table, plugin, config, out));
done:
  if (status != OK) env_plugin_close(plugin);
  config_destroy(config);
  free(options);
  return status;
}

void env_destroy(Env *env) {
  if (!env) return;
  free(env->params);
  env_plugin_close(env->plugin);
  free(env);
}

bool env_copies(const Env *env) { return !env->table->create; }

uint32_t env_draw_chance(const Env *env, const void *episode, AgonRng *rng) {
  double probability[AGON_MAX_CHANCE];
  uint32_t count = env->table->chance_outcomes(env->params, episode, probability);
  return (uint32_t)rng_pick(rng, probability, count);
}

AgonStatus env_settle(const Env *env, void *episode, AgonStatus status, AgonRng *rng, float *reward) {
  while (status == AGON_CHANCE)
    status = env->table->chance_apply(env->params, episode, env_draw_chance(env, episode, rng), reward);
  return status;
}

AgonStatus env_reset(const Env *env, void *episode, AgonRng *rng, float *reward) {
  AgonRandom random = rng_handle(rng);
  return env_settle(env, episode, env->table->reset(env->params, episode, &random), rng, reward);
}

AgonStatus env_step(const Env *env, void *episode, const AgonAction *actions, AgonRng *rng, float *reward) {
  AgonRandom random = rng_handle(rng);
  return env_settle(env, episode, env->table->step(env->params, episode, actions, &random, reward), rng, reward);
}

void env_flags(const Env *env, size_t count, const void *const *episodes, uint8_t *flags) {
  if (env->table->flags_many) {
    env->table->flags_many(env->params, count, episodes, flags);
    return;
  }
  for (size_t i = 0; i < count; i++) env->table->flags(env->params, episodes[i], flags + i * env->spec.agents);
}

void env_observe_f32(const Env *env, const void *episode, uint32_t agent, float *row) {
  if (env->spec.observation_type == AGON_F32) {
    env->table->observe(env->params, episode, agent, row);
    return;
  }
  uint8_t *bytes = (uint8_t *)row;
  env->table->observe(env->params, episode, agent, bytes);
  for (size_t i = env->observation_count; i-- > 0;) {
    float value = (float)bytes[i];
    memcpy(row + i, &value, sizeof value);
  }
}
