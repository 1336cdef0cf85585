/* agon/env.h - write an environment.
 *
 * An environment ("env") is a const table of functions over two flat blocks that the host owns: `params` (what the
 * options chose, constant after configure) and `episode` (the whole state of one episode). Copying an episode is
 * memcpy. The host owns every buffer; the env writes only where it is told. No function may print, exit, allocate
 * memory that outlives the call (unless it offers create/destroy) or keep globals. A plug-in exports one symbol,
 * AGON_ENV_SYMBOL, a function that returns its table. C11 and C++17 clean; nothing but the three headers below.
 */
#ifndef AGON_ENV_H
#define AGON_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AGON_ENV_ABI 1u
#define AGON_ENV_SYMBOL "agon_env"
#define AGON_MAX_AGENTS 16
#define AGON_MAX_TEAMS 4
#define AGON_MAX_HEADS 8
#define AGON_MAX_CHANCE 64
#define AGON_MAX_METRICS 16
#define AGON_MAX_CHOICES 1048576 /* of all heads together */
#define AGON_NAME_LEN 64

/* Random numbers: plain data, a counter-based stream (Philox4x32-10) keyed by (run, slot, episode, purpose). It is
 * saved and copied with the episode. The host passes it together with the function that advances it. */
typedef struct AgonRng {
  uint64_t key;     /* run seed */
  uint32_t stream;  /* slot and purpose */
  uint32_t episode; /* episode number in the slot */
  uint64_t counter; /* blocks drawn so far */
  uint32_t block[4];
  uint32_t left; /* numbers of `block` not yet handed out, 0..4 */
  uint32_t pad;
} AgonRng;

typedef struct AgonRandom {
  AgonRng *rng;
  uint32_t (*next)(AgonRng *rng); /* uniform over 0 .. 2^32-1 */
} AgonRandom;

/* Uniform integer in 0..bound-1 (bound >= 1), without modulo bias beyond 2^-32 * bound. */
static inline uint32_t agon_random_below(const AgonRandom *random, uint32_t bound) {
  return (uint32_t)(((uint64_t)random->next(random->rng) * bound) >> 32);
}

/* Uniform real in [0, 1). */
static inline double agon_random_unit(const AgonRandom *random) {
  return random->next(random->rng) * (1.0 / 4294967296.0);
}

typedef enum AgonStatus {
  AGON_RUNNING = 0,    /* agents flagged ACTS must act */
  AGON_CHANCE = 1,     /* the host draws one of chance_outcomes and calls chance_apply */
  AGON_TERMINATED = 2, /* ended by the rules: nothing follows, values after it are 0 */
  AGON_TRUNCATED = 3,  /* cut short: the value after it is that of the final observation */
  AGON_FAILED = -1     /* the env cannot go on: the job ends */
} AgonStatus;

typedef enum AgonElement { AGON_F32 = 0, AGON_U8 = 1 } AgonElement;
typedef enum AgonActionKind { AGON_DISCRETE = 0, AGON_MULTI_DISCRETE = 1, AGON_BOX = 2 } AgonActionKind;
enum { AGON_ACTS = 1, AGON_ALIVE = 2 }; /* per-agent flags */
enum {                                  /* env flags */
       AGON_ZERO_SUM = 1,
       AGON_COOPERATIVE = 2,
       AGON_PERFECT_INFORMATION = 4,
       AGON_SIMULTANEOUS = 8,
       AGON_ENUMERATES_CHANCE = 16 /* all randomness goes through AGON_CHANCE: trees can be walked exactly */
};

typedef enum AgonOptionType {
  AGON_OPT_INT = 0,
  AGON_OPT_FLOAT = 1,
  AGON_OPT_BOOL = 2,
  AGON_OPT_CHOICE = 3,
  AGON_OPT_TEXT = 4
} AgonOptionType;

/* One configuration key of an env: `env.<name>`. */
typedef struct AgonEnvOption {
  const char *name;
  AgonOptionType type;
  const char *fallback; /* default, as text */
  double low, high;     /* inclusive range of INT and FLOAT */
  const char *choices;  /* CHOICE: "a|b|c" */
  const char *help;
} AgonEnvOption;

typedef struct AgonError {
  char text[256];
} AgonError;

/* What a configured env looks like; filled by configure. All agents share one observation and action space. */
typedef struct AgonEnvSpec {
  size_t params_size;  /* bytes of `params` in use (at most params_capacity of the table) */
  size_t episode_size; /* bytes of one episode */
  uint32_t agents;     /* 1..AGON_MAX_AGENTS */
  uint32_t teams;      /* 1..AGON_MAX_TEAMS */
  uint8_t team_of[AGON_MAX_AGENTS];
  AgonElement observation_type;
  uint32_t observation_shape[3];           /* channels, height, width; unused trailing dimensions are 1 */
  float observation_low, observation_high; /* F32: values must be finite, or the job ends (exit code 7) */
  AgonActionKind action_kind;
  uint32_t heads;                     /* DISCRETE: 1; MULTI_DISCRETE and BOX: number of components */
  uint32_t head_size[AGON_MAX_HEADS]; /* choices per head; BOX: ignored */
  float action_low, action_high;      /* BOX: of every component, finite. Networks act in half-ranges around the middle:
                                         an output of 0 is (low + high) / 2, of 1 action_high. What lies beyond is
                                         clipped before `step`; log-probabilities are of the unclipped action. */
  uint32_t global_state_size;         /* floats; 0 = none */
  uint32_t step_limit;                /* no episode has more steps (chance moves not counted) */
  uint32_t flags;
  float reward_low, reward_high; /* range of one agent's total over an episode */
  uint32_t metrics;              /* count of episode metrics, at most AGON_MAX_METRICS; names in the table */
} AgonEnvSpec;

/* One agent's action: DISCRETE uses choice[0]; MULTI_DISCRETE choice[h]; BOX value[h], action_low .. action_high. */
typedef union AgonAction {
  int32_t choice[AGON_MAX_HEADS];
  float value[AGON_MAX_HEADS];
} AgonAction;

/* The env's table. Fields up to `flags` are mandatory; a NULL below them means "not offered". */
typedef struct AgonEnv {
  uint32_t abi;         /* AGON_ENV_ABI */
  uint32_t struct_size; /* sizeof(AgonEnv) */
  const char *name;     /* lower_case, unique */
  const char *summary;  /* one line */
  const AgonEnvOption *options;
  size_t option_count;
  size_t params_capacity; /* bytes that the host reserves for params */

  /* values[i] is the text of options[i], already range-checked. 0 on success; else -1 and error->text. */
  int (*configure)(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error);
  /* Starts an episode in the (uninitialised) block. */
  AgonStatus (*reset)(const void *params, void *episode, const AgonRandom *random);
  /* actions[agent] is read for agents flagged ACTS; adds this step's reward to reward[agent] (zeroed by the host). A
   * reward belongs to its agent's last decision. What an agent receives before its first one (by chance moves after
   * reset, random openings, others' moves) counts in its team's return and is learned from by nobody. */
  AgonStatus (*step)(const void *params, void *episode, const AgonAction *actions, const AgonRandom *random,
                     float *reward);
  /* Writes one observation row; valid for any agent of a running or ended episode. */
  void (*observe)(const void *params, const void *episode, uint32_t agent, void *row);
  /* Writes sum(head_size) bytes (BOX: one for each component, not read), 1 = legal; called for agents flagged ACTS; at
   * least one per head is legal. */
  void (*mask)(const void *params, const void *episode, uint32_t agent, uint8_t *row);
  /* Writes flags[agent], AGON_ACTS | AGON_ALIVE. After a truncation ACTS may say who would act if the episode went on:
   * the value of the final observation counts for them alone; where it says so of nobody, for all who are alive. */
  void (*flags)(const void *params, const void *episode, uint8_t *flags);
  /* After the end: outcome[team] in [0,1], 1 = won, 0.5 = drawn, 0 = lost; for two teams they sum to 1. */
  void (*outcome)(const void *params, const void *episode, float *outcome);

  /* AGON_ENUMERATES_CHANCE: probabilities of the pending chance move's outcomes; returns their count. */
  uint32_t (*chance_outcomes)(const void *params, const void *episode, double *probability);
  AgonStatus (*chance_apply)(const void *params, void *episode, uint32_t outcome, float *reward);
  void (*global_state)(const void *params, const void *episode, float *row);
  void (*metrics)(const void *params, const void *episode, float *values);
  /* Many episodes by one call, for envs that gain from it; the same results as one by one. step_many: actions of
   * episode i from actions[i * agents] on; random[i] is its stream; reward[i * agents + agent] is added to; writes
   * status[i]. view_many: observation and mask of agents[i] in episode i, to row i of `rows` and of `masks`.
   * flags_many: flags[i * agents + agent]. */
  void (*step_many)(const void *params, size_t count, void *const *episodes, const AgonAction *actions,
                    const AgonRandom *random, float *reward, AgonStatus *status);
  void (*view_many)(const void *params, size_t count, const void *const *episodes, const uint32_t *agents, void *rows,
                    uint8_t *masks);
  void (*flags_many)(const void *params, size_t count, const void *const *episodes, uint8_t *flags);
  /* Episodes that are not flat: create is called before the first reset of a block, destroy when it is given up. */
  int (*create)(const void *params, void *episode, AgonError *error);
  void (*destroy)(const void *params, void *episode);
  int (*save)(const void *params, const void *episode, void *bytes, size_t *size, AgonError *error);
  int (*load)(const void *params, void *episode, const void *bytes, size_t size, AgonError *error);
  /* Names for people; NULL where there is none. */
  const char *(*action_name)(const void *params, uint32_t head, uint32_t choice);
  const char *(*observation_name)(const void *params, uint32_t index);
  const char *const *metric_names;
  /* One text picture of the episode for people, at most size-1 characters. */
  void (*render)(const void *params, const void *episode, char *text, size_t size);
  /* A rule-based player for ratings to measure against (the built-in 'scripted'): a legal action of an agent that must
   * act, decided from what the agent may know. */
  void (*scripted)(const void *params, const void *episode, uint32_t agent, const AgonRandom *random,
                   AgonAction *action);
} AgonEnv;

typedef const AgonEnv *(*AgonEnvEntry)(void);

#ifdef __cplusplus
}
#endif
#endif
