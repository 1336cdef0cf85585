#include "env/bridge.h"
#include "env/wrap.h"

#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The built-in games, in the order in which they are listed: a file and a line each. */
#define GAMES(EACH)                                                                                \
  EACH(matrix_game)                                                                                \
  EACH(kuhn_poker)                                                                                 \
  EACH(leduc_poker)                                                                                \
  EACH(tic_tac_toe)                                                                                \
  EACH(connect_four)                                                                               \
  EACH(goofspiel)                                                                                  \
  EACH(liars_dice)                                                                                 \
  EACH(skirmish)                                                                                   \
  EACH(coin_game)                                                                                  \
  EACH(commons)                                                                                    \
  EACH(market)                                                                                     \
  EACH(simple_spread)                                                                              \
  EACH(simple_tag)                                                                                 \
  EACH(simple_adversary)                                                                           \
  EACH(simple_speaker_listener)                                                                    \
  EACH(simple_reference)                                                                           \
  EACH(two_step)                                                                                   \
  EACH(goal_cells)                                                                                 \
  EACH(foraging)                                                                                   \
  EACH(warehouse)                                                                                  \
  EACH(predator_prey)                                                                              \
  EACH(soccer)                                                                                     \
  EACH(traffic)                                                                                    \
  EACH(kitchen)                                                                                    \
  /* any line goes by itself */

#define DECLARE(name) extern const AgonEnv env_##name;
#define ADDRESS(name) &env_##name,

GAMES(DECLARE)
static const AgonEnv *const builtin[] = {GAMES(ADDRESS)};

const AgonEnv *env_builtin(size_t index) {
  return index < COUNT_OF(builtin) ? builtin[index] : NULL;
}

bool env_is_builtin(const char *name) {
  for (size_t i = 0; i < COUNT_OF(builtin); i++)
    if (!strcmp(builtin[i]->name, name)) return true;
  return false;
}

/* A size that the table states: at most ours, at least what the first tables of this ABI had. */
static Status check_size(const char *origin, const char *field, size_t size, size_t least,
                         size_t known) {
  if (size >= least && size <= known) return OK;
  if (size > known)
    return status_set(
        ERR_ENV,
        "%s was compiled against a newer agon/env.h (%s is %zu, this program knows %zu): "
        "compile it against this program's header, or use the program that it was made for",
        origin, field, size, known);
  return status_set(
      ERR_ENV,
      "%s: %s is %zu, less than the %zu of any table of ABI %u: see AGON_ENV_SIZES in agon/env.h",
      origin, field, size, least, AGON_ENV_ABI);
}

Status env_check_sizes(const AgonEnv *table, const char *origin) {
  if (table->abi != AGON_ENV_ABI)
    return status_set(ERR_ENV,
                      "%s was built for env ABI %u, this program has ABI %u: change it as "
                      "CHANGELOG.md says under 'Env "
                      "ABI %u', and compile it against this program's agon/env.h",
                      origin, table->abi, AGON_ENV_ABI, AGON_ENV_ABI);
  TRY_RETURN(check_size(origin, "struct_size", table->struct_size, offsetof(AgonEnv, unconfigure),
                        sizeof(AgonEnv)));
  TRY_RETURN(check_size(origin, "spec_size", table->spec_size, offsetof(AgonEnvSpec, metrics),
                        sizeof(AgonEnvSpec)));
  TRY_RETURN(check_size(origin, "kind_size", table->kind_size, offsetof(AgonKind, idle),
                        sizeof(AgonKind)));
  return check_size(origin, "option_size", table->option_size, sizeof(AgonEnvOption),
                    sizeof(AgonEnvOption));
}

/* ERR_ENV: the sentence about one option of the table. */
static Status option_wrong(const char *origin, size_t index, const char *name, const char *what) {
  return status_set(ERR_ENV, "%s: option %zu (%.*s): %s", origin, index, AGON_NAME_LEN,
                    name ? name : "without a name", what);
}

/* What `key=value` can name. */
static bool is_key(const char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const size_t size = strlen(name);
  return size > 0 && size < AGON_NAME_LEN && strspn(name, letters) == size;
}

/* All that is read of an option later: as an index, as a text, as a range. Whether its default is
 * one of its values is checked where the user's are. */
static Status check_option(const AgonEnv *table, size_t index, const char *origin) {
  const AgonEnvOption *option = &table->options[index];
  const char *name = option->name;
  const bool number = option->type == AGON_OPT_INT || option->type == AGON_OPT_FLOAT;
  if (!name) return option_wrong(origin, index, name, "name is NULL");
  if (!is_key(name))
    return option_wrong(origin, index, name,
                        "its name is not 1 to 63 letters, digits, '_' and '-'");
  if ((unsigned)option->type > (unsigned)AGON_OPT_TEXT)
    return option_wrong(origin, index, name, "its type is no AgonOptionType");
  if (!option->fallback) return option_wrong(origin, index, name, "fallback is NULL");
  if (!option->help) return option_wrong(origin, index, name, "help is NULL");
  if (option->type == AGON_OPT_CHOICE && (!option->choices || !*option->choices))
    return option_wrong(origin, index, name, "a CHOICE without choices");
  if (number && !(option->low <= option->high))
    return option_wrong(origin, index, name, "low .. high is no range");
  for (size_t i = 0; i < index; i++)
    if (!strcmp(table->options[i].name, name))
      return option_wrong(origin, index, name, "an option before it has the same name");
  return OK;
}

Status env_check_table(const AgonEnv *table, const char *origin) {
  TRY_RETURN(env_check_sizes(table, origin));
  if (table->name && strlen(table->name) >= AGON_NAME_LEN)
    return status_set(ERR_ENV, "%s: its name is longer than %d characters", origin,
                      AGON_NAME_LEN - 1);
  if (table->option_count && !table->options)
    return status_set(ERR_ENV, "%s: options without their table", origin);
  if (!table->name || !table->summary || !table->configure || !table->reset || !table->step ||
      !table->observe || !table->flags)
    return status_set(
        ERR_ENV,
        "%s lacks a mandatory field (name, summary, configure, reset, step, observe, flags)",
        origin);
  for (size_t i = 0; i < table->option_count; i++)
    TRY_RETURN(check_option(table, i, origin));
  return OK;
}

bool env_is_plugin(const char *name) {
  const size_t size = strlen(name);
  if (bridge_is(name)) return false;
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
  if (bridge_is(name)) return bridge_open(name, out, out_plugin);
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
  return status_set(
      ERR_USAGE,
      "no environment '%s'%s%s%s 'agon env list' lists them; a plug-in is named by its path, "
      "an environment of Python by its library (agon help python)",
      name, best ? ", did you mean '" : ";", best ? best : "", best ? "'?" : "");
}

size_t env_option_count(const AgonEnv *table) {
  return table->option_count + (wrap_offered(table) ? WRAP_OPTIONS : 0);
}

const AgonEnvOption *env_option(const AgonEnv *table, size_t index) {
  const size_t own = table->option_count;
  return index < own ? &table->options[index] : &wrap_options[index - own];
}

Status env_declare(const AgonEnv *table, Config *config, Option **out_options) {
  static const OptionType type_of[] = {OPT_INT, OPT_FLOAT, OPT_BOOL, OPT_CHOICE, OPT_TEXT};
  const size_t count = env_option_count(table);
  Option *options;
  TRY_RETURN(NEW_ARRAY(options, count));
  for (size_t i = 0; i < count; i++) {
    const AgonEnvOption *from = env_option(table, i);
    options[i] = (Option){from->name, type_of[from->type], 0,  from->fallback, from->low,
                          from->high, from->choices,       "", from->help};
  }
  *out_options = options;
  return config_declare(config, "env", options, count, NULL);
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
  for (size_t i = 0; values && i < env_option_count(table); i++) {
    const AgonEnvOption *option = env_option(table, i);
    if (same_value(option->type, values[i], option->fallback)) continue;
    if (bridge_option_is_aside(table, option->name)) continue;
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
    return status_set(ERR_USAGE,
                      "%s is of another game, %s, not of %s: only players of one game can meet",
                      what, a->table->name, b->table->name);
  return status_set(ERR_USAGE,
                    "%s plays '%s', not '%s': players of one game and the same options can meet",
                    what, a->title, b->title);
}

/* The game itself, without what it is wrapped in. */
static Status configure(const AgonEnv *table, const char *const *values, Env **out) {
  Status status = OK;
  Env *env = NULL;
  AgonError error = {""};
  TRY(NEW_ARRAY(env, 1));
  env->table = table;
  TRY(mem_array(&env->params, table->params_capacity, 1));
  bridge_prepare(table, env->params);
  if (table->configure(values, env->params, &env->spec, &error)) {
    error.text[sizeof error.text - 1] = 0;
    TRY(status_set(ERR_USAGE, "env %s: %s", table->name,
                   error.text[0] ? error.text : "configure failed and gave no reason"));
  }
  env->configured = true;
  TRY(env_lay_out(env));
  *out = env;
  env = NULL;
done:
  env_destroy(env);
  return status;
}

Status env_create(const AgonEnv *table, void *plugin, const Config *config, Env **out) {
  Status status = OK;
  Env *env = NULL;
  const char **values = NULL;
  const size_t count = env_option_count(table);
  TRY(NEW_ARRAY(values, count));
  for (size_t i = 0; i < count; i++) {
    char key[96];
    TRY(text_format(key, sizeof key, "env.%s", env_option(table, i)->name));
    values[i] = config_value(config, key);
  }
  TRY(configure(table, values, &env));
  if (count > table->option_count) TRY(env_wrap(env, values + table->option_count, &env));
  TRY(entitle(values, env));
  env->plugin = plugin;
  *out = env;
  env = NULL;
done:
  free(values);
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
    TRY(text_format(text, sizeof text, "%s%s", strncmp(pairs[i], "env.", 4) ? "env." : "",
                    pairs[i]));
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

Status env_over(const AgonEnv *table, const AgonEnvSpec *spec, Env **out) {
  Status status = OK;
  Env *env = NULL;
  TRY(NEW_ARRAY(env, 1));
  env->table = table;
  env->spec = *spec;
  TRY(env_lay_out(env));
  TRY(entitle(NULL, env));
  *out = env;
  env = NULL;
done:
  env_destroy(env);
  return status;
}

void env_destroy(Env *env) {
  if (!env) return;
  if (env->configured && env->table->unconfigure) env->table->unconfigure(env->params);
  if (env->scratch) {
    free(env->scratch->chance);
    free(env->scratch->row);
    free(env->scratch->mask);
  }
  free(env->scratch);
  free(env->kind);
  free(env->team_of);
  free(env->kind_of);
  free(env->head_size);
  free(env->action_low);
  free(env->action_high);
  free(env->params);
  free(env->title);
  env_destroy(env->inner);
  env_plugin_close(env->plugin);
  free(env);
}
