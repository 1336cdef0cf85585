/* agon env list|info|check. */
#include "cli/cli.h"
#include "base/text.h"
#include "env/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Flag flags[] = {
    {"--episodes", "N", "check: random episodes (default 200)"},
    {"--seed", "S", "of the random play (default 1)"},
};

static Status list(void) {
  for (size_t i = 0; env_builtin(i); i++) printf("%-14s %s\n", env_builtin(i)->name, env_builtin(i)->summary);
  return OK;
}

static void info(const Env *env) {
  const AgonEnvSpec *s = &env->spec;
  static const char *const kind[] = {"discrete", "multi-discrete", "box"};
  static const struct {
    uint32_t bit;
    const char *name;
  } flag[] = {{AGON_ZERO_SUM, "zero-sum"},
              {AGON_COOPERATIVE, "cooperative"},
              {AGON_PERFECT_INFORMATION, "perfect information"},
              {AGON_SIMULTANEOUS, "simultaneous moves"},
              {AGON_ENUMERATES_CHANCE, "enumerates chance"}};
  printf("%s: %s\n", env->table->name, env->table->summary);
  printf("agents        %u in %u teams\n", s->agents, s->teams);
  printf("observation   %u x %u x %u %s, %g to %g\n", s->observation_shape[0], s->observation_shape[1],
         s->observation_shape[2], s->observation_type == AGON_U8 ? "u8" : "f32", (double)s->observation_low,
         (double)s->observation_high);
  printf("actions       %s:", kind[s->action_kind]);
  for (uint32_t h = 0; h < s->heads; h++) printf(" %u", s->action_kind == AGON_BOX ? 1 : s->head_size[h]);
  if (env->table->action_name && s->action_kind == AGON_DISCRETE) {
    printf(" (");
    for (uint32_t i = 0; i < s->head_size[0]; i++)
      printf("%s%s", i ? ", " : "", env->table->action_name(env->params, 0, i));
    printf(")");
  }
  printf("\nreturns       %g to %g an episode, at most %u steps\n", (double)s->reward_low, (double)s->reward_high,
         s->step_limit);
  printf("episode       %zu bytes%s\n", s->episode_size, env_copies(env) ? ", copied by memcpy" : "");
  printf("flags        ");
  for (size_t i = 0; i < COUNT_OF(flag); i++)
    if (s->flags & flag[i].bit) printf(" %s;", flag[i].name);
  printf("\noptions\n");
  for (size_t i = 0; i < env->table->option_count; i++) {
    const AgonEnvOption *o = &env->table->options[i];
    printf("  env.%-16s %-28s %s%s%s\n", o->name, *o->fallback ? o->fallback : "(empty)", o->help,
           o->choices ? "; one of " : "", o->choices ? o->choices : "");
  }
}

static Status check(const Env *env, uint64_t seed, size_t episodes) {
  size_t checks = 0;
  TRY_RETURN(env_conformance(env, seed, episodes, &checks));
  printf("%s: %zu episodes, %zu checks, all passed\n", env->table->name, episodes, checks);
  return OK;
}

static Status run_env(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  Env *env = NULL;
  long long episodes, seed;
  TRY_RETURN(arguments_parse(&command_env, argc, argv, &arguments));
  TRY_RETURN(argument_int(&command_env, &arguments, "--episodes", 200, 1, 100000000, &episodes));
  TRY_RETURN(argument_int(&command_env, &arguments, "--seed", 1, 0, 1000000000, &seed));
  const char *what = arguments.words ? arguments.word[0] : "";
  if (!strcmp(what, "list")) return list();
  if (arguments.words < 2) return usage_error(&command_env, "list, or info or check and an env's name");
  TRY(env_create_from(arguments.word[1], arguments.word + 2, arguments.words - 2, &env));
  if (!strcmp(what, "info"))
    info(env);
  else if (!strcmp(what, "check"))
    TRY(check(env, (uint64_t)seed, (size_t)episodes));
  else
    TRY(usage_error(&command_env, "it is list, info or check"));
done:
  env_destroy(env);
  return status;
}

const Command command_env = {
    "env",
    "list | info|check ENV|PLUGIN.so [option=value ...]",
    "environments: what there is, what they look like, whether they keep their contract",
    "How fast they are: agon bench env game=ENV. A plug-in is named by a path with a slash (./my_env.so). Options are "
    "those of 'agon env info ENV', without "
    "'env.'.",
    flags,
    COUNT_OF(flags),
    run_env,
};
