/* agon env list|info|check|bench. */
#include "cli/cli.h"
#include "base/clock.h"
#include "base/text.h"
#include "env/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Flag flags[] = {
    {"--episodes", "N", "check: random episodes (default 200)"},
    {"--seconds", "S", "bench: how long (default 2)"},
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

/* Random play of 256 episodes side by side, with observation and mask of every acting agent. */
static Status bench(const Env *env, uint64_t seed, double seconds) {
  enum { COPIES = 256 };
  Status status = OK;
  char *block = NULL, rate[16];
  AgonRng *rng = NULL;
  uint8_t *row = NULL, *mask = NULL, flag[AGON_MAX_AGENTS];
  float reward[AGON_MAX_AGENTS];
  Clock clock = clock_system();
  uint64_t steps = 0, views = 0;
  uint32_t episode = 0;
  size_t size = (env->spec.episode_size + 63) & ~(size_t)63;
  TRY(NEW_ARRAY(block, COPIES * size));
  TRY(NEW_ARRAY(rng, COPIES));
  TRY(NEW_ARRAY(row, env->observation_bytes));
  TRY(NEW_ARRAY(mask, env->action_count));
  for (uint32_t i = 0; i < COPIES; i++) {
    rng[i] = rng_stream(seed, i, episode++, RNG_ENV);
    env_reset(env, block + i * size, &rng[i], reward);
  }
  int64_t start = clock_now(&clock), stop = start + (int64_t)(seconds * 1e9);
  while (clock_now(&clock) < stop)
    for (uint32_t i = 0; i < COPIES; i++, steps++) {
      AgonAction actions[AGON_MAX_AGENTS];
      void *state = block + i * size;
      env->table->flags(env->params, state, flag);
      for (uint32_t a = 0; a < env->spec.agents; a++) {
        if (!(flag[a] & AGON_ACTS)) continue;
        env->table->observe(env->params, state, a, row);
        env->table->mask(env->params, state, a, mask);
        views++;
        const uint8_t *at = mask;
        for (uint32_t h = 0; h < env->spec.heads; h++) {
          if (env->spec.action_kind == AGON_BOX) {
            actions[a].value[h] = 0;
            continue;
          }
          uint32_t n = env->spec.head_size[h], pick = rng_below(&rng[i], n);
          while (!at[pick]) pick = pick + 1 == n ? 0 : pick + 1;
          actions[a].choice[h] = (int32_t)pick;
          at += n;
        }
      }
      if (env_step(env, state, actions, &rng[i], reward) == AGON_RUNNING) continue;
      rng[i] = rng_stream(seed, i, episode++, RNG_ENV);
      env_reset(env, state, &rng[i], reward);
    }
  double took = clock_seconds(clock_now(&clock) - start);
  printf("%s: %s steps/s", env->table->name, text_scaled((double)steps / took, rate, sizeof rate));
  printf(", %s observations/s (one core, random legal actions, observation and mask of every acting agent)\n",
         text_scaled((double)views / took, rate, sizeof rate));
done:
  free(block);
  free(rng);
  free(row);
  free(mask);
  return status;
}

static Status run_env(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  Env *env = NULL;
  long long episodes, seed, seconds;
  TRY_RETURN(arguments_parse(&command_env, argc, argv, &arguments));
  TRY_RETURN(argument_int(&command_env, &arguments, "--episodes", 200, 1, 100000000, &episodes));
  TRY_RETURN(argument_int(&command_env, &arguments, "--seed", 1, 0, 1000000000, &seed));
  TRY_RETURN(argument_int(&command_env, &arguments, "--seconds", 2, 1, 3600, &seconds));
  const char *what = arguments.words ? arguments.word[0] : "";
  if (!strcmp(what, "list")) return list();
  if (arguments.words < 2) return usage_error(&command_env, "list, or one of info, check, bench and an env's name");
  TRY(env_create_from(arguments.word[1], arguments.word + 2, arguments.words - 2, &env));
  if (!strcmp(what, "info"))
    info(env);
  else if (!strcmp(what, "check"))
    TRY(check(env, (uint64_t)seed, (size_t)episodes));
  else if (!strcmp(what, "bench"))
    TRY(bench(env, (uint64_t)seed, (double)seconds));
  else
    TRY(usage_error(&command_env, "it is list, info, check or bench"));
done:
  env_destroy(env);
  return status;
}

const Command command_env = {
    "env",
    "list | info|check|bench ENV|PLUGIN.so [option=value ...]",
    "environments: what there is, what they look like, whether they keep their contract, how fast they are",
    "A plug-in is named by a path with a slash (./my_env.so). Options are those of 'agon env info ENV', without "
    "'env.'.",
    flags,
    COUNT_OF(flags),
    run_env,
};
