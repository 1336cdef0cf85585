/* agon env list|info|check|tree|new. */
#include "cli/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "env/scaffold.h"
#include "eval/eval.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const Command command_env;

static const Flag flags[] = {
    {"--episodes", "N", "check: random episodes (default 200)"},
    {"--seed", "S", "of the random play (default 1)"},
    {"--depth", "N", "tree: only the first N moves, chance moves included"},
    {"--nodes", "N", "tree: the largest tree (default 20M nodes)"},
    {"--json", NULL, "tree: print JSON"},
    {"--template", "T",
     "new: begin with a board game (board, default), cards, simultaneous or team"},
    {"--plugin", NULL, "new: a folder with one C file and its build file (default)"},
    {"--builtin", NULL, "new: in the source of agon, and listed there"},
    {"--in", "FOLDER", "new: where the folder, or with --builtin the source, is (default here)"},
};

/* The games that are built in. Plug-ins are not listed: they are named by their files. */
static Status list(void) {
  int width = 0; /* of the longest name */
  for (size_t i = 0; env_builtin(i); i++) {
    int size = (int)strlen(env_builtin(i)->name);
    width = size > width ? size : width;
  }
  for (size_t i = 0; env_builtin(i); i++)
    printf("%-*s %s\n", width, env_builtin(i)->name, env_builtin(i)->summary);
  return OK;
}

/* What agents of one kind see and do. */
static void info_kind(const Env *env, const AgonKind *kind) {
  static const char *const what[] = {"discrete", "multi-discrete", "box"};
  printf("observation   %u x %u x %u %s, %g to %g\n", kind->observation_shape[0],
         kind->observation_shape[1], kind->observation_shape[2],
         kind->observation_type == AGON_U8 ? "u8" : "f32", (double)kind->observation_low,
         (double)kind->observation_high);
  printf("actions       %s:", what[kind->action_kind]);
  for (uint32_t h = 0; h < kind->heads; h++)
    if (kind->action_kind == AGON_BOX)
      printf(" %g to %g%s", (double)kind->action_low[h], (double)kind->action_high[h],
             h + 1 < kind->heads ? "," : "");
    else
      printf(" %u", kind->head_size[h]);
  if (env->table->action_name && kind->action_kind == AGON_DISCRETE) {
    printf(" (");
    for (uint32_t i = 0; i < kind->head_size[0]; i++) {
      const char *name = env->table->action_name(env->params, 0, i);
      printf("%s%s", i ? ", " : "", name ? name : "unnamed");
    }
    printf(")");
  }
  printf("\n");
}

/* All that an env declares: agents and teams, kinds and their spaces, returns, what it can and
 * cannot do, and its options. It is what an algorithm has to go by. */
static void info(const Env *env) {
  const AgonEnvSpec *s = &env->spec;
  static const struct {
    uint32_t bit;
    const char *name;
  } flag[] = {{AGON_ZERO_SUM, "zero-sum"},
              {AGON_COOPERATIVE, "cooperative"},
              {AGON_PERFECT_INFORMATION, "perfect information"},
              {AGON_SIMULTANEOUS, "simultaneous moves"},
              {AGON_ENUMERATES_CHANCE, "enumerates chance"},
              {AGON_NOT_SAVED, "not saved"},
              {AGON_RETURNS_ADD, "team returns are told as sums over agents"},
              {AGON_UNSCRIPTED, "no rule-based player with these options"}};
  printf("%s: %s\n", env->table->name, env->table->summary);
  printf("rules         version %u\n", env->table->version);
  if (s->teams == 1)
    printf("agents        %u in one team", s->agents);
  else
    printf("agents        %u in %u teams", s->agents, s->teams);
  for (uint32_t i = 0; s->agent_names && i < s->agents; i++)
    printf("%s %s", i ? "," : ":", s->agent_names[i]);
  printf("\n");
  for (uint32_t k = 0; k < s->kinds; k++) {
    uint32_t members = 0;
    for (uint32_t a = 0; a < s->agents; a++)
      members += s->kind_of[a] == k;
    if (s->kinds > 1)
      printf("kind          %s, %u agents\n", s->kind[k].name ? s->kind[k].name : "(no name)",
             members);
    info_kind(env, &s->kind[k]);
  }
  if (s->kinds > 1)
    printf("rows          padded to %zu elements, %u choices in %u heads\n", env->observation_count,
           env->action_count, env->layout.heads);
  for (uint32_t i = 0; i < s->knobs; i++)
    printf("knob          %s, %g to %g\n", s->knob_names[i], (double)s->knob_low[i],
           (double)s->knob_high[i]);
  printf("returns       %g to %g an episode, at most %u steps\n", (double)s->reward_low,
         (double)s->reward_high, s->step_limit);
  printf("episode       %zu bytes%s\n", s->episode_size,
         env_copies(env)  ? ", copied by memcpy"
         : env_saves(env) ? ", created, saved and loaded by the env"
                          : ", created by the env, not saved");
  printf("flags        ");
  for (size_t i = 0; i < COUNT_OF(flag); i++)
    if (s->flags & flag[i].bit) printf(" %s;", flag[i].name);
  printf("\noptions\n");
  for (size_t i = 0; i < env_option_count(env->table); i++) {
    const AgonEnvOption *o = env_option(env->table, i);
    printf("  env.%-16s %-28s %s%s%s\n", o->name, *o->fallback ? o->fallback : "(empty)", o->help,
           o->choices ? "; one of " : "", o->choices ? o->choices : "");
  }
}

/* Plays random episodes and checks the env's contract in each. Fails at the first breach, which the
 * message names. */
static Status check(const Env *env, uint64_t seed, size_t episodes) {
  size_t checks = 0;
  TRY_RETURN(env_conformance(env, seed, episodes, &checks));
  printf("%s: %zu episodes, %zu checks, all passed\n", env->table->name, episodes, checks);
  return OK;
}

/* Counts of a tree, or of one depth of it. */
static json_t *json_of_counts(const TreeCounts *c) {
  return json_pack("{s:I,s:I,s:I,s:I,s:[I,I]}", "histories", (json_int_t)c->histories, "terminals",
                   (json_int_t)c->terminals, "chance", (json_int_t)c->chance, "decisions",
                   (json_int_t)c->decisions, "information_sets", (json_int_t)c->information_sets[0],
                   (json_int_t)c->information_sets[1]);
}

/* The same as a row of the table. */
static void print_counts(const char *label, const TreeCounts *c) {
  printf("%-6s %11zu %11zu %9zu %11zu %9zu + %zu\n", label, c->histories, c->terminals, c->chance,
         c->decisions, c->information_sets[0], c->information_sets[1]);
}

/* Histories, terminals, decisions and information sets, in all and by depth. */
static Status tree(const Env *env, const Arguments *arguments) {
  Status status = OK;
  GameTree *walked = NULL;
  json_t *root = json_object();
  json_t *levels = json_array();
  long long depth;
  long long nodes;
  bool json = argument(&command_env, arguments, "--json") != NULL;
  TRY(argument_int(&command_env, arguments, "--depth", 65535, 0, 65535, &depth));
  TRY(argument_int(&command_env, arguments, "--nodes", 20000000, 1, 1000000000, &nodes));
  TRY(tree_build_top(env, (size_t)nodes, (size_t)depth, &walked));
  TreeCounts all = tree_counts(walked);
  TreeCounts level;
  const char *sets = tree_merges(walked) ? "equal positions (perfect information)"
                                         : "an agent's own history of observations and actions";
  json_object_update_new(root, json_of_counts(&all));
  json_object_set_new(root, "env", json_string(env->table->name));
  json_object_set_new(root, "information_sets_are", json_string(sets));
  if (!json) {
    printf("%s: information sets are %s; simultaneous moves one after the other, hidden\n",
           env->table->name, sets);
    printf("depth    histories   terminals    chance   decisions  information sets\n");
  }
  for (size_t d = 0; d <= tree_depth(walked); d++) {
    char label[24];
    snprintf(label, sizeof label, "%zu", d);
    TRY(tree_counts_at(walked, d, &level));
    if (!json) print_counts(label, &level);
    json_array_append_new(levels, json_of_counts(&level));
  }
  json_object_set(root, "by_depth", levels);
  if (!json) {
    print_counts("all", &all);
    printf("%zu histories without chance nodes\n", all.histories - all.chance);
  } else {
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
  }
done:
  tree_destroy(walked);
  json_decref(root);
  json_decref(levels);
  return status;
}

/* Where agon/env.h lies beside this program, installed (bin and include) or in a checkout (build
 * and include); "" where it does not. */
static Status find_headers(char *out, size_t size) {
  char path[PATH_MAX], header[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  *out = 0;
  if (length < 0) return OK;
  path[length] = 0;
  for (int up = 0; up < 2; up++)
    if (strrchr(path, '/')) *strrchr(path, '/') = 0;
  TRY_RETURN(text_format(header, sizeof header, "%s/include/agon/env.h", path));
  return file_exists(header) ? text_format(out, size, "%s/include", path) : OK;
}

/* A game to begin with; says what to type next. */
static Status new_game(const Arguments *arguments) {
  const char *kind = argument(&command_env, arguments, "--template");
  const char *in = argument(&command_env, arguments, "--in");
  const bool builtin = argument(&command_env, arguments, "--builtin") != NULL;
  const char *name = arguments->words > 1 ? arguments->word[1] : "";
  char headers[PATH_MAX], home[PATH_MAX], quoted[PATH_MAX];
  if (arguments->words != 2) return usage_error(&command_env, "new takes one name");
  if (builtin && argument(&command_env, arguments, "--plugin"))
    return usage_error(&command_env, "a game is a plug-in or built in, not both");
  if (!kind) kind = "board";
  if (builtin) {
    TRY_RETURN(scaffold_builtin(in ? in : ".", name, kind));
    printf("written: src/env/games/%s.c, and its lines in src/env/env.c and "
           "tests/conformance/test_env.c\n"
           "next:    cmake --build build, then build/agon env check %s, build/agon train %s\n",
           name, name, name);
    return OK;
  }
  TRY_RETURN(find_headers(headers, sizeof headers));
  TRY_RETURN(scaffold_plugin(in ? in : ".", name, kind, headers));
  TRY_RETURN(text_format(home, sizeof home, "%s%s%s", in ? in : "", in ? "/" : "", name));
  printf("written: %s/%s.c, %s/CMakeLists.txt\n", home, name, home);
  printf("next:    cd %s; cmake -S . -B build && cmake --build build\n",
         text_quoted(home, quoted, sizeof quoted));
  printf("         agon env check ./%s.so\n         agon train ./%s.so\n", name, name);
  return OK;
}

/* Entry of the command: the env is made with its options first, so that wrong ones are found
 * whatever is asked. */
static Status run_env(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  Env *env = NULL;
  long long episodes;
  long long seed;
  TRY_RETURN(arguments_parse(&command_env, argc, argv, &arguments));
  TRY_RETURN(argument_int(&command_env, &arguments, "--episodes", 200, 1, 100000000, &episodes));
  TRY_RETURN(argument_int(&command_env, &arguments, "--seed", 1, 0, 1000000000, &seed));
  const char *what = arguments.words ? arguments.word[0] : "";
  if (!strcmp(what, "list")) return list();
  if (!strcmp(what, "new")) return new_game(&arguments);
  if (arguments.words < 2)
    return usage_error(&command_env, "list, or info, check or tree and an env's name, or new");
  TRY(env_create_from(arguments.word[1], arguments.word + 2, arguments.words - 2, &env));
  if (!strcmp(what, "info"))
    info(env);
  else if (!strcmp(what, "check"))
    TRY(check(env, (uint64_t)seed, (size_t)episodes));
  else if (!strcmp(what, "tree"))
    TRY(tree(env, &arguments));
  else
    TRY(usage_error(&command_env, "it is list, info, check, tree or new"));
done:
  env_destroy(env);
  return status;
}

const Command command_env = {
    "env",
    "list | info|check|tree ENV|PLUGIN.so|LIBRARY:ENV [env.OPTION=VALUE ...] | new NAME "
    "[--template T]",
    "environments: what there is, what they look like, whether they keep their contract, how large "
    "their trees are; and a new one to begin with",
    "How fast they are: agon bench env game=ENV. A plug-in is named by its file, an environment of "
    "Python by its library (agon help python). Options are "
    "those that 'agon env info ENV' lists; 'env.' may be left out.\n"
    "'new' writes a small game that works, under a name of your own, for you to change: board (a "
    "race by a die), cards (poker with one exchange), simultaneous (sealed bids) or team (a fire "
    "brigade). Nothing that is there is written over.",
    flags,
    COUNT_OF(flags),
    run_env,
};
