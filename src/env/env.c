#include "env/env.h"

#include "base/text.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const AgonEnv env_matrix_game, env_kuhn_poker, env_leduc_poker, env_tic_tac_toe, env_connect_four, env_goofspiel,
    env_liars_dice, env_skirmish;

static const AgonEnv *const builtin[] = {
    &env_matrix_game,  &env_kuhn_poker, &env_leduc_poker, &env_tic_tac_toe,
    &env_connect_four, &env_goofspiel,  &env_liars_dice,  &env_skirmish,
};

const AgonEnv *env_builtin(size_t index) { return index < COUNT_OF(builtin) ? builtin[index] : NULL; }

bool env_is_builtin(const char *name) {
  for (size_t i = 0; i < COUNT_OF(builtin); i++)
    if (!strcmp(builtin[i]->name, name)) return true;
  return false;
}

Status env_check_table(const AgonEnv *table, const char *origin) {
  if (table->abi != AGON_ENV_ABI)
    return status_set(ERR_ENV, "%s was built for env ABI %u, this program has %u: rebuild it", origin, table->abi,
                      AGON_ENV_ABI);
  if (table->struct_size != sizeof(AgonEnv))
    return status_set(ERR_ENV, "%s: struct_size is %u, expected %zu: rebuild it", origin, table->struct_size,
                      sizeof(AgonEnv));
  if (table->name && strlen(table->name) >= AGON_NAME_LEN)
    return status_set(ERR_ENV, "%s: its name is longer than %d characters", origin, AGON_NAME_LEN - 1);
  if (table->option_count && !table->options) return status_set(ERR_ENV, "%s: options without their table", origin);
  if (!table->name || !table->configure || !table->reset || !table->step || !table->observe || !table->mask ||
      !table->flags || !table->outcome)
    return status_set(
        ERR_ENV, "%s lacks a mandatory field (name, configure, reset, step, observe, mask, flags, outcome)", origin);
  return OK;
}

bool env_is_plugin(const char *name) {
  const size_t size = strlen(name);
  return strchr(name, '/') || (size > 3 && !strcmp(name + size - 3, ".so"));
}

/* Without a slash the system would look for a library in its own folders. */
static Status open_plugin(const char *name, const AgonEnv **out, void **out_plugin) {
  char path[PATH_MAX];
  TRY_RETURN(text_format(path, sizeof path, "%s%s", strchr(name, '/') ? "" : "./", name));
  return env_plugin_open(path, out, out_plugin);
}

Status env_find(const char *name, const AgonEnv **out, void **out_plugin) {
  *out_plugin = NULL;
  if (env_is_plugin(name)) return open_plugin(name, out, out_plugin);
  const char *best = NULL;
  size_t distance;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < COUNT_OF(builtin); i++) {
    if (!strcmp(builtin[i]->name, name)) {
      *out = builtin[i];
      return env_check_table(*out, name);
    }
    if (!text_is_near(name, builtin[i]->name, &distance) || distance >= least) continue;
    least = distance;
    best = builtin[i]->name;
  }
  return status_set(ERR_USAGE,
                    "no environment '%s'%s%s%s 'agon env list' lists them; a plug-in is named by its path",
                    name, best ? ", did you mean '" : ";", best ? best : "", best ? "'?" : "");
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

/* What the rest of the system is made for. */
enum { MOST_OBSERVATION = 1 << 24, MOST_EPISODE = 1 << 28 };

static const char *wrong_teams(const AgonEnvSpec *spec) {
  uint32_t members[AGON_MAX_TEAMS] = {0};
  if (spec->agents < 1 || spec->agents > AGON_MAX_AGENTS) return "agents are not 1 .. AGON_MAX_AGENTS";
  if (spec->teams < 1 || spec->teams > AGON_MAX_TEAMS) return "teams are not 1 .. AGON_MAX_TEAMS";
  for (uint32_t a = 0; a < spec->agents; a++) {
    if (spec->team_of[a] >= spec->teams) return "an agent's team_of is not below `teams`";
    members[spec->team_of[a]]++;
  }
  for (uint32_t t = 0; t < spec->teams; t++)
    if (members[t] == 0) return "a team has no agents";
  return NULL;
}

static const char *wrong_actions(const AgonEnvSpec *spec) {
  uint64_t choices = 0;
  if (spec->action_kind != AGON_DISCRETE && spec->action_kind != AGON_MULTI_DISCRETE && spec->action_kind != AGON_BOX)
    return "unknown action_kind";
  if (spec->heads < 1 || spec->heads > AGON_MAX_HEADS) return "heads are not 1 .. AGON_MAX_HEADS";
  if (spec->action_kind == AGON_DISCRETE && spec->heads != 1) return "DISCRETE has one head";
  if (spec->action_kind == AGON_BOX)
    return isfinite(spec->action_low) && isfinite(spec->action_high) && spec->action_low < spec->action_high
               ? NULL
               : "BOX needs finite action_low < action_high";
  for (uint32_t h = 0; h < spec->heads; h++) {
    if (spec->head_size[h] < 1) return "a head has no choices";
    choices += spec->head_size[h];
  }
  return choices <= AGON_MAX_CHOICES ? NULL : "more than AGON_MAX_CHOICES choices";
}

static const char *wrong_sizes(const AgonEnvSpec *spec, const AgonEnv *table) {
  uint64_t elements = 1;
  if (spec->params_size > table->params_capacity) return "params_size is over params_capacity";
  if (spec->episode_size < 1 || spec->episode_size > MOST_EPISODE) return "episode_size is not 1 .. 2^28";
  if (spec->step_limit < 1) return "step_limit is 0";
  if (spec->observation_type != AGON_F32 && spec->observation_type != AGON_U8) return "unknown observation_type";
  for (uint32_t i = 0; i < 3; i++) {
    if (spec->observation_shape[i] < 1 || spec->observation_shape[i] > MOST_OBSERVATION)
      return "an observation dimension is not 1 .. 2^24";
    elements *= spec->observation_shape[i];
    if (elements > MOST_OBSERVATION) return "more than 2^24 observation elements";
  }
  if (spec->metrics > AGON_MAX_METRICS) return "more than AGON_MAX_METRICS metrics";
  if (spec->metrics && (!table->metrics || !table->metric_names)) return "metrics without their function or names";
  for (uint32_t i = 0; i < spec->metrics; i++)
    if (!table->metric_names[i]) return "a metric without a name";
  if (!(spec->reward_low <= spec->reward_high) || !isfinite(spec->reward_low) || !isfinite(spec->reward_high))
    return "reward_low .. reward_high is no finite range";
  return NULL;
}

static Status check_spec(const AgonEnvSpec *spec, const AgonEnv *table) {
  const char *wrong = wrong_teams(spec);
  if (!wrong) wrong = wrong_actions(spec);
  if (!wrong) wrong = wrong_sizes(spec, table);
  return wrong ? status_set(ERR_ENV, "env %s describes itself wrongly: %s", table->name, wrong) : OK;
}

/* Whether two texts of an option mean the same. */
static bool same_value(AgonOptionType type, const char *a, const char *b) {
  double x, y;
  bool number = type == AGON_OPT_INT || type == AGON_OPT_FLOAT;
  if (number && text_to_float(a, &x) && text_to_float(b, &y)) return x <= y && x >= y;
  return !strcmp(a, b);
}

static Status entitle(const char *const *values, Env *env) {
  const AgonEnv *table = env->table;
  Bytes text = {0};
  bytes_put(&text, table->name, strlen(table->name));
  for (size_t i = 0; i < table->option_count; i++) {
    const AgonEnvOption *option = &table->options[i];
    if (same_value(option->type, values[i], option->fallback)) continue;
    bytes_u8(&text, ' ');
    bytes_put(&text, option->name, strlen(option->name));
    bytes_u8(&text, '=');
    bytes_put(&text, values[i], strlen(values[i]));
  }
  bytes_u8(&text, 0);
  if (text.failed) {
    bytes_free(&text);
    return status_set(ERR_MEMORY, "out of memory");
  }
  env->title = (char *)text.data;
  return OK;
}

Status env_check_same(const Env *a, const Env *b, const char *what) {
  if (!strcmp(a->title, b->title)) return OK;
  if (strcmp(a->table->name, b->table->name))
    return status_set(ERR_USAGE, "%s is of another game, %s, not of %s: only players of one game can meet", what,
                      a->table->name, b->table->name);
  return status_set(ERR_USAGE, "%s plays '%s', not '%s': players of one game and the same options can meet", what,
                    a->title, b->title);
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
  TRY(check_spec(&env->spec, table));
  TRY(entitle(values, env));
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
    TRY(text_format(text, sizeof text, "%s%s", strncmp(pairs[i], "env.", 4) ? "env." : "", pairs[i]));
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
  free(env->title);
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

void env_random_action(const Env *env, const uint8_t *mask, AgonRng *rng, AgonAction *out) {
  const AgonEnvSpec *spec = &env->spec;
  for (uint32_t h = 0; h < spec->heads; h++) {
    if (spec->action_kind == AGON_BOX) {
      out->value[h] = spec->action_low + (spec->action_high - spec->action_low) * (float)rng_unit(rng);
      continue;
    }
    uint32_t legal = 0;
    for (uint32_t i = 0; i < spec->head_size[h]; i++) legal += mask[i];
    uint32_t pick = rng_below(rng, legal);
    for (uint32_t i = 0; i < spec->head_size[h]; i++)
      if (mask[i] && pick-- == 0) out->choice[h] = (int32_t)i;
    mask += spec->head_size[h];
  }
}

static float clipped(float value, float low, float high) { return !(value > low) ? low : value > high ? high : value; }

void env_clip_actions(const Env *env, AgonAction *actions) {
  const AgonEnvSpec *spec = &env->spec;
  if (spec->action_kind != AGON_BOX) return;
  for (uint32_t a = 0; a < spec->agents; a++)
    for (uint32_t h = 0; h < spec->heads; h++)
      actions[a].value[h] = clipped(actions[a].value[h], spec->action_low, spec->action_high);
}

void env_scale_action(const Env *env, AgonAction *action) {
  const AgonEnvSpec *spec = &env->spec;
  if (spec->action_kind != AGON_BOX) return;
  float half = spec->action_high / 2 - spec->action_low / 2, middle = spec->action_low + half;
  for (uint32_t h = 0; h < spec->heads; h++) action->value[h] = middle + half * action->value[h];
}

const uint32_t *env_head_sizes(const Env *env) {
  return env->spec.action_kind == AGON_BOX ? NULL : env->spec.head_size;
}

size_t env_first_beyond(const void *floats, size_t count, float limit) {
  const uint8_t *from = floats;
  uint32_t most, bits, bad = 0;
  memcpy(&most, &limit, sizeof most);
  for (size_t i = 0; i < count; i++) { /* by bits, so that it runs in vectors */
    memcpy(&bits, from + i * sizeof bits, sizeof bits);
    bad |= (uint32_t)((bits & 0x7fffffffu) >= most);
  }
  if (!bad) return count;
  for (size_t i = 0; i < count; i++) {
    memcpy(&bits, from + i * sizeof bits, sizeof bits);
    if ((bits & 0x7fffffffu) >= most) return i;
  }
  return count;
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
