/* agon/buffers.h - environments that read and write buffers, made plug-ins as they are.
 *
 * Many environments in C have one form: a struct with pointers to observations, actions, rewards
 * and terminals, a function that resets it and one that makes a step, which writes what is seen and
 * earned into the buffers, and which begins the next episode by itself when one is over. Such an
 * environment is written for one vector of places that go on for ever. Here each episode is one of
 * agon's: seeded by itself, copied, saved, resumed exactly.
 *
 * A plug-in is a file that includes this header, then the environment's own, and gives an
 * AgonBuffers (below), at whose end stands AGON_BUFFERS_PLUGIN(its name). tests/plugin/hunt.c is a
 * whole one.
 *
 * - flat: nothing of the struct points to memory of its own. The struct and its buffers *are* the
 *   episode, so that copies are memcpy; the pointers are set before each call and cleared after it.
 * - else the struct lies on the heap and is rebuilt from seed and actions where it is missing
 *   (agon/history.h): copies and exact resume as well, at the cost of playing an episode again.
 *
 * Random numbers: rand(), random() and their seeds are replaced by numbers of the episode
 * (therefore this header comes first). Whoever keeps a random state of its own in the struct gets
 * the seed in `setup`. An environment with random numbers from elsewhere, or with global variables,
 * is not decided by seed and actions; `agon env check` finds it.
 *
 * What such an environment cannot tell: what was seen at the end of an episode, where it has begun
 * the next one (ends are therefore ends by the rules, never cuts, but for step_limit); the end of
 * one agent's life where it goes on for others (see `ends`). C11; include it once.
 */
#ifndef AGON_BUFFERS_H
#define AGON_BUFFERS_H

#include "agon/history.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum AgonBufferType {
  AGON_BUFFER_U8 = 0,
  AGON_BUFFER_I8 = 1,
  AGON_BUFFER_I32 = 2,
  AGON_BUFFER_F32 = 3,
  AGON_BUFFER_F64 = 4
} AgonBufferType;

/* When an episode is over: when the terminals of all agents, or of any, are set after a step; or
 * never, but at the spec's step_limit, at which it is cut. */
typedef enum AgonBufferEnd {
  AGON_ENDS_ALL = 0,
  AGON_ENDS_ANY = 1,
  AGON_ENDS_NEVER = 2
} AgonBufferEnd;

enum { AGON_BUFFERS_OPTIONS = 64, AGON_BUFFERS_NONE = -1 };

typedef struct AgonBuffers {
  const char *name, *summary;
  uint32_t version;
  const AgonEnvOption *options; /* no texts */
  size_t option_count;
  size_t size; /* of the struct */
  /* Where in the struct its pointers to the buffers are: offsetof. Truncations may be
   * AGON_BUFFERS_NONE. */
  ptrdiff_t observations, actions, rewards, terminals, truncations;
  /* Of the elements of buffers. U8 stays what it is, all other observations become F32. Rewards are
   * floats. */
  AgonBufferType observation_type, action_type, terminal_type;
  AgonBufferEnd ends;
  bool flat;
  uint32_t most_live; /* not flat: live structs that are kept (0: 1024) */
  /* What it looks like with these options, each as a number (a choice by its place, false 0, true
   * 1): agents, step_limit, flags and the range of rewards in the spec, and teams and team_of if it
   * is not one team; shape and range of observations and the actions of the one kind. */
  int (*shape)(const double *option, AgonEnvSpec *spec, AgonKind *kind, AgonError *error);
  /* A struct of zeros, whose pointers are set, becomes an environment that can be reset. 0, or -1
   * and error->text; then `close` is not called. */
  int (*setup)(void *env, const double *option, uint64_t seed, AgonError *error);
  void (*reset)(void *env);
  void (*step)(void *env);
  void (*close)(void *env); /* gives back what setup and reset have allocated; may be NULL */
  /* What is counted of an episode, asked at its end; `metrics` of them. */
  uint32_t metrics;
  const char *const *metric_names;
  void (*measure)(const void *env, float *values);
  const char *(*action_name)(const void *params, uint32_t head, uint32_t choice);
  void (*render)(const void *env, char *text, size_t size); /* may be NULL, as action_name */
} AgonBuffers;

/* What an environment draws from, in place of the C library's. */
typedef struct AgonBuffersRandom {
  uint64_t state;
} AgonBuffersRandom;

/* Of the environment that is being called; NULL between calls. */
static AgonBuffersRandom *agon_buffers_random;

/* 31 bits, as rand() has: SplitMix64. */
static inline int agon_buffers_rand(void) {
  uint64_t z = agon_buffers_random->state += 0x9E3779B97F4A7C15ull;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return (int)((z ^ z >> 31) >> 33);
}

/* Seeds are agon's: what an environment seeds by itself would make all episodes alike. */
static inline void agon_buffers_srand(unsigned seed) {
  (void)seed;
}

typedef struct AgonBuffersParams {
  const AgonBuffers *game;
  AgonHistory *history;    /* NULL: flat */
  const AgonEnvSpec *spec; /* a copy */
  double option[AGON_BUFFERS_OPTIONS];
  AgonKind kind;
  size_t elements; /* of one agent's observation */
  size_t width;    /* bytes of one */
  /* where the parts of a block begin, in bytes */
  size_t env, observations, actions, rewards, terminals, truncations, totals, size;
} AgonBuffersParams;

/* The head of a block; behind it the struct and its buffers. */
typedef struct AgonBuffersHead {
  AgonBuffersRandom random;
  const AgonBuffersParams *params; /* of live structs; flat: NULL */
  uint32_t steps;
  uint8_t over, made;
} AgonBuffersHead;

static inline size_t agon_buffers_width(AgonBufferType type) {
  static const size_t width[] = {1, 1, 4, 4, 8};
  return width[type];
}

static inline void *agon_buffers_env(const AgonBuffersParams *params, const void *block) {
  return (char *)(uintptr_t)block + params->env;
}

static inline void agon_buffers_point(const AgonBuffersParams *params, char *block, ptrdiff_t field,
                                      size_t part) {
  void *to = part ? block + part : NULL;
  if (field >= 0) memcpy(block + params->env + field, &to, sizeof to);
}

/* Sets the struct's pointers to its buffers, or, where set is false, clears them: a flat block must
 * have the same bytes wherever it lies. */
static inline void agon_buffers_bind(const AgonBuffersParams *params, void *state, bool set) {
  const AgonBuffers *game = params->game;
  char *block = (char *)state;
  agon_buffers_point(params, block, game->observations, set ? params->observations : 0);
  agon_buffers_point(params, block, game->actions, set ? params->actions : 0);
  agon_buffers_point(params, block, game->rewards, set ? params->rewards : 0);
  agon_buffers_point(params, block, game->terminals, set ? params->terminals : 0);
  agon_buffers_point(params, block, game->truncations, set ? params->truncations : 0);
  agon_buffers_random = set ? &((AgonBuffersHead *)state)->random : NULL;
}

/* Where an environment has been closed its block is zeros but for its head. */
static inline void agon_buffers_unmake(const AgonBuffersParams *params, void *block) {
  AgonBuffersHead *head = (AgonBuffersHead *)block;
  if (!head->made) return;
  agon_buffers_bind(params, block, true);
  if (params->game->close) params->game->close(agon_buffers_env(params, block));
  agon_buffers_random = NULL;
  head->made = 0;
}

/* A new environment in every episode, as a reset may leave something of the last one. */
static inline AgonStatus agon_buffers_begin(const AgonBuffersParams *params, void *block,
                                            uint64_t seed, AgonError *error) {
  AgonBuffersHead *head = (AgonBuffersHead *)block;
  void *env = agon_buffers_env(params, block);
  const AgonBuffersParams *kept = params->history ? params : NULL;
  if (params->history) agon_buffers_unmake(params, block);
  memset(block, 0, params->size);
  head->params = kept;
  head->random.state = seed;
  agon_buffers_bind(params, block, true);
  const int made = params->game->setup(env, params->option, seed, error) == 0;
  if (made) {
    head->made = 1;
    params->game->reset(env);
  }
  agon_buffers_bind(params, block, false);
  return made ? AGON_RUNNING : AGON_FAILED;
}

/* One component of an action, in the environment's own type. */
static inline void agon_buffers_put_action(const AgonBuffersParams *params, void *block, size_t at,
                                           const AgonAction *action) {
  const bool box = params->kind.action_kind == AGON_BOX;
  const double value = box ? (double)action->value : (double)action->choice;
  char *to = (char *)block + params->actions;
  switch (params->game->action_type) {
  case AGON_BUFFER_U8: ((uint8_t *)to)[at] = (uint8_t)value; break;
  case AGON_BUFFER_I8: ((int8_t *)to)[at] = (int8_t)value; break;
  case AGON_BUFFER_I32: ((int32_t *)(void *)to)[at] = (int32_t)value; break;
  case AGON_BUFFER_F32: ((float *)(void *)to)[at] = (float)value; break;
  default: ((double *)(void *)to)[at] = value; break;
  }
}

static inline bool agon_buffers_ended(const AgonBuffersParams *params, const void *block) {
  const uint32_t agents = params->spec->agents;
  const size_t width = agon_buffers_width(params->game->terminal_type);
  const char *parts[2] = {(const char *)block + params->terminals,
                          params->truncations ? (const char *)block + params->truncations : NULL};
  uint32_t ended = 0;
  for (uint32_t a = 0; a < agents; a++) {
    bool out = false;
    for (int p = 0; p < 2 && parts[p]; p++)
      for (size_t b = 0; b < width; b++)
        out |= parts[p][a * width + b] != 0;
    ended += out;
  }
  return params->game->ends == AGON_ENDS_ALL ? ended == agents
                                             : params->game->ends == AGON_ENDS_ANY && ended > 0;
}

static inline AgonStatus agon_buffers_go(const AgonBuffersParams *params, void *block,
                                         const AgonAction *actions, float *reward) {
  AgonBuffersHead *head = (AgonBuffersHead *)block;
  const uint32_t agents = params->spec->agents;
  float *paid = (float *)(void *)((char *)block + params->rewards);
  float *total = (float *)(void *)((char *)block + params->totals);
  for (size_t i = 0; i < (size_t)agents * params->kind.heads; i++)
    agon_buffers_put_action(params, block, i, &actions[i]);
  memset((char *)block + params->rewards, 0, params->totals - params->rewards);
  agon_buffers_bind(params, block, true);
  params->game->step(agon_buffers_env(params, block));
  agon_buffers_bind(params, block, false);
  for (uint32_t a = 0; a < agents; a++) {
    reward[a] += paid[a];
    total[a] += paid[a];
  }
  head->steps++;
  if (agon_buffers_ended(params, block)) {
    head->over = AGON_TERMINATED;
    return AGON_TERMINATED;
  }
  if (head->steps < params->spec->step_limit) return AGON_RUNNING;
  head->over = AGON_TRUNCATED;
  return AGON_TRUNCATED;
}

/* --- live structs, for agon/history.h --- */

static inline void *agon_buffers_open_live(const void *block, AgonError *error) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  void *live = calloc(1, params->size);
  if (live)
    ((AgonBuffersHead *)live)->params = params;
  else
    snprintf(error->text, sizeof error->text, "out of memory for an environment of %zu bytes",
             params->size);
  return live;
}

static inline void agon_buffers_close_live(void *live) {
  agon_buffers_unmake(((AgonBuffersHead *)live)->params, live);
  free(live);
}

static inline AgonStatus agon_buffers_restart_live(void *live, uint64_t seed, AgonError *error) {
  return agon_buffers_begin(((AgonBuffersHead *)live)->params, live, seed, error);
}

static inline AgonStatus agon_buffers_step_live(void *live, const AgonAction *actions,
                                                float *reward, AgonError *error) {
  (void)error;
  return agon_buffers_go(((AgonBuffersHead *)live)->params, live, actions, reward);
}

static inline void agon_buffers_flags_live(const void *live, uint8_t *flags) {
  const AgonBuffersHead *head = (const AgonBuffersHead *)live;
  memset(flags, head->over ? AGON_ALIVE : AGON_ALIVE | AGON_ACTS, head->params->spec->agents);
}

static const AgonLive agon_buffers_live = {agon_buffers_open_live, agon_buffers_close_live,
                                           agon_buffers_restart_live, agon_buffers_step_live,
                                           agon_buffers_flags_live};

/* --- the table's functions --- */

/* The block of an episode: itself, or the live struct; NULL if it could not be rebuilt. */
static inline void *agon_buffers_block(const AgonBuffersParams *params, const void *episode) {
  if (!params->history) return (void *)(uintptr_t)episode;
  return agon_history_live(params->history, episode);
}

static inline AgonStatus agon_buffers_reset(const void *block, void *episode,
                                            const AgonRandom *random, AgonError *error) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  if (params->history) return agon_history_reset(params->history, episode, random, error);
  return agon_buffers_begin(params, episode, agon_random_seed(random), error);
}

static inline AgonStatus agon_buffers_step(const void *block, void *episode,
                                           const AgonAction *actions, const AgonRandom *random,
                                           float *reward, AgonError *error) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  (void)random;
  if (params->history) return agon_history_step(params->history, episode, actions, reward, error);
  return agon_buffers_go(params, episode, actions, reward);
}

static inline void agon_buffers_observe(const void *block, const void *episode, uint32_t agent,
                                        void *row) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  const char *live = (const char *)agon_buffers_block(params, episode);
  const size_t count = params->elements;
  const AgonBufferType type = params->game->observation_type;
  if (!live) {
    memset(row, 0, count * (type == AGON_BUFFER_U8 ? 1 : sizeof(float)));
    return;
  }
  const char *from = live + params->observations + agent * count * params->width;
  float *to = (float *)row;
  if (type == AGON_BUFFER_U8) memcpy(row, from, count);
  if (type == AGON_BUFFER_F32) memcpy(row, from, count * sizeof(float));
  for (size_t i = 0; type == AGON_BUFFER_I8 && i < count; i++)
    to[i] = (float)((const int8_t *)from)[i];
  for (size_t i = 0; type == AGON_BUFFER_I32 && i < count; i++)
    to[i] = (float)((const int32_t *)(const void *)from)[i];
  for (size_t i = 0; type == AGON_BUFFER_F64 && i < count; i++)
    to[i] = (float)((const double *)(const void *)from)[i];
}

static inline void agon_buffers_flags(const void *block, const void *episode, uint8_t *flags) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  const AgonBuffersHead *head = (const AgonBuffersHead *)agon_buffers_block(params, episode);
  const bool over = head && head->over;
  memset(flags, over ? AGON_ALIVE : AGON_ALIVE | AGON_ACTS, params->spec->agents);
}

/* Of several teams the one that has earned more, a mean over its agents, is ahead: of two it has
 * won; of more each gets the share of others that it has beaten. */
static inline void agon_buffers_outcome(const void *block, const void *episode, float *outcome) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  const AgonEnvSpec *spec = params->spec;
  const char *live = (const char *)agon_buffers_block(params, episode);
  double mean[AGON_MAX_TEAMS] = {0};
  uint32_t members[AGON_MAX_TEAMS] = {0};
  for (uint32_t a = 0; live && a < spec->agents; a++) {
    const uint32_t team = spec->teams == 1 ? 0 : spec->team_of ? spec->team_of[a] : a;
    mean[team] += (double)((const float *)(const void *)(live + params->totals))[a];
    members[team]++;
  }
  for (uint32_t t = 0; t < spec->teams; t++)
    mean[t] /= members[t] ? members[t] : 1;
  for (uint32_t t = 0; t < spec->teams; t++) {
    double beaten = 0;
    for (uint32_t u = 0; u < spec->teams; u++)
      beaten += u == t ? 0 : mean[t] > mean[u] ? 1 : mean[t] < mean[u] ? 0 : 0.5;
    outcome[t] = spec->teams > 1 ? (float)(beaten / (spec->teams - 1)) : 1.0f;
  }
}

static inline void agon_buffers_metrics(const void *block, const void *episode, float *values) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  const void *live = agon_buffers_block(params, episode);
  memset(values, 0, params->game->metrics * sizeof *values);
  if (live) params->game->measure(agon_buffers_env(params, live), values);
}

/* The environment may look into its buffers, so they are there while it draws. */
static inline void agon_buffers_render(const void *block, const void *episode, char *text,
                                       size_t size) {
  const AgonBuffersParams *params = (const AgonBuffersParams *)block;
  void *live = agon_buffers_block(params, episode);
  if (size) *text = 0;
  if (!live) return;
  agon_buffers_bind(params, live, true);
  params->game->render(agon_buffers_env(params, live), text, size);
  agon_buffers_bind(params, live, false);
}

static inline void agon_buffers_unconfigure(void *block) {
  AgonBuffersParams *params = (AgonBuffersParams *)block;
  agon_history_close(params->history);
  free((void *)(uintptr_t)params->spec);
}

/* A part of a block, at an address that suits all types. */
static inline size_t agon_buffers_part(size_t *at, size_t size) {
  const size_t begin = *at;
  *at = (begin + size + 15) / 16 * 16;
  return begin;
}

static inline void agon_buffers_lay_out(AgonBuffersParams *params, const AgonEnvSpec *spec) {
  const AgonBuffers *game = params->game;
  const uint32_t *shape = params->kind.observation_shape;
  const size_t agents = spec->agents;
  const size_t ends = agents * agon_buffers_width(game->terminal_type);
  size_t at = 0;
  params->elements = (size_t)shape[0] * shape[1] * shape[2];
  params->width = agon_buffers_width(game->observation_type);
  agon_buffers_part(&at, sizeof(AgonBuffersHead));
  params->env = agon_buffers_part(&at, game->size);
  params->observations = agon_buffers_part(&at, agents * params->elements * params->width);
  params->actions =
      agon_buffers_part(&at, agents * params->kind.heads * agon_buffers_width(game->action_type));
  params->rewards = agon_buffers_part(&at, agents * sizeof(float));
  params->terminals = agon_buffers_part(&at, ends);
  params->truncations = game->truncations >= 0 ? agon_buffers_part(&at, ends) : 0;
  params->totals = agon_buffers_part(&at, agents * sizeof(float));
  params->size = at;
}

/* The place of a word in "a|b|c". */
static inline double agon_buffers_choice(const char *choices, const char *word) {
  const size_t length = strlen(word);
  double place = 0;
  for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL, place++)
    if (!strncmp(at, word, length) && (at[length] == '|' || !at[length])) return place;
  return 0;
}

static inline int agon_buffers_configure(const AgonBuffers *game, const char *const *values,
                                         void *block, AgonEnvSpec *spec, AgonError *error) {
  AgonBuffersParams *params = (AgonBuffersParams *)block;
  memset(params, 0, sizeof *params);
  memset(spec, 0, sizeof *spec);
  if (game->option_count > AGON_BUFFERS_OPTIONS) {
    snprintf(error->text, sizeof error->text, "%zu options, agon/buffers.h has room for %d",
             game->option_count, AGON_BUFFERS_OPTIONS);
    return -1;
  }
  params->game = game;
  params->kind.observation_type = game->observation_type == AGON_BUFFER_U8 ? AGON_U8 : AGON_F32;
  for (size_t i = 0; i < game->option_count; i++) {
    const AgonEnvOption *option = &game->options[i];
    params->option[i] = option->type == AGON_OPT_BOOL ? !strcmp(values[i], "true")
                        : option->type == AGON_OPT_CHOICE
                            ? agon_buffers_choice(option->choices, values[i])
                            : atof(values[i]);
  }
  spec->teams = 1;
  if (game->shape(params->option, spec, &params->kind, error)) return -1;
  spec->params_size = sizeof *params;
  spec->kinds = 1;
  spec->kind = &params->kind;
  spec->metrics = game->metrics;
  if (spec->agents > 1) spec->flags |= AGON_SIMULTANEOUS;
  agon_buffers_lay_out(params, spec);
  spec->episode_size = game->flat ? params->size : agon_history_size(spec, params->kind.heads);
  AgonEnvSpec *copy = (AgonEnvSpec *)malloc(sizeof *copy);
  if (copy) *copy = *spec;
  params->spec = copy;
  if (copy && !game->flat)
    params->history = agon_history_open(&agon_buffers_live, params, spec, params->kind.heads,
                                        game->most_live ? game->most_live : 1024, error);
  if (copy && (game->flat || params->history)) return 0;
  if (!copy) snprintf(error->text, sizeof error->text, "out of memory");
  agon_buffers_unconfigure(params);
  return -1;
}

/* Fills the table of a game; configure is the one that knows the game. */
static inline void agon_buffers_table(const AgonBuffers *game, AgonEnv *table,
                                      int (*configure)(const char *const *, void *, AgonEnvSpec *,
                                                       AgonError *)) {
  memset(table, 0, sizeof *table);
  table->abi = AGON_ENV_ABI;
  table->struct_size = sizeof(AgonEnv);
  table->spec_size = sizeof(AgonEnvSpec);
  table->kind_size = sizeof(AgonKind);
  table->option_size = sizeof(AgonEnvOption);
  table->version = game->version;
  table->name = game->name;
  table->summary = game->summary;
  table->options = game->options;
  table->option_count = game->option_count;
  table->params_capacity = sizeof(AgonBuffersParams);
  table->configure = configure;
  table->unconfigure = agon_buffers_unconfigure;
  table->reset = agon_buffers_reset;
  table->step = agon_buffers_step;
  table->observe = agon_buffers_observe;
  table->flags = agon_buffers_flags;
  table->outcome = agon_buffers_outcome;
  table->metrics = game->metrics ? agon_buffers_metrics : NULL;
  table->metric_names = game->metric_names;
  table->action_name = game->action_name;
  table->render = game->render ? agon_buffers_render : NULL;
}

/* At the end of the plug-in's file. */
#define AGON_BUFFERS_PLUGIN(game)                                                                  \
  static int agon_buffers_configure_game(const char *const *values, void *params,                  \
                                         AgonEnvSpec *spec, AgonError *error) {                    \
    return agon_buffers_configure(&(game), values, params, spec, error);                           \
  }                                                                                                \
  const AgonEnv *agon_env(void) {                                                                  \
    static AgonEnv table;                                                                          \
    agon_buffers_table(&(game), &table, agon_buffers_configure_game);                              \
    return &table;                                                                                 \
  }

#ifdef __cplusplus
}
#endif

/* From here on: what the environment's own file calls. */
#define rand() agon_buffers_rand()
#define srand(seed) agon_buffers_srand(seed)
#define random() agon_buffers_rand()
#define srandom(seed) agon_buffers_srand(seed)

#endif
