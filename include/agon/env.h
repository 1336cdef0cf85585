/* agon/env.h - write an environment.
 *
 * An environment ("env") is a const table of functions over two flat blocks that the host owns:
 * `params` (what the options chose, constant after configure, never moved) and `episode` (the whole
 * state of one episode). Copying an episode is memcpy. The host owns every buffer; the env writes
 * only where it is told. No function may print, exit, keep globals, or allocate memory that
 * outlives the call (but for configure, given back by unconfigure, and create, given back by
 * destroy). An env whose state cannot be flat: see create and save below, or agon/history.h, which
 * makes it flat. A plug-in exports one symbol, AGON_ENV_SYMBOL, a function that returns its table.
 * C11 and C++17 clean; nothing but the headers below.
 */
#ifndef AGON_ENV_H
#define AGON_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agon/random.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 2 since agents may be of different kinds, counts lie by pointers and failures have a text. The
 * number goes up only when what is here changes its meaning: new fields come at the ends of
 * structs, whose sizes the table states, and are zero for a table that was compiled before them. */
#define AGON_ENV_ABI 2u
#define AGON_ENV_SYMBOL "agon_env"
/* What the host checks before it plays; it says which is exceeded. */
#define AGON_MAX_AGENTS 1024
#define AGON_MAX_TEAMS 64
#define AGON_MAX_KINDS 64
#define AGON_MAX_HEADS 64
#define AGON_MAX_CHOICES 65535   /* of all heads of a kind together */
#define AGON_MAX_CHANCE 16777216 /* outcomes of one chance move */
#define AGON_MAX_METRICS 16
#define AGON_MAX_KNOBS 64
#define AGON_NAME_LEN 64

typedef enum AgonStatus {
  AGON_RUNNING = 0,    /* agents flagged ACTS must act */
  AGON_CHANCE = 1,     /* the host draws one of chance_outcomes and calls chance_apply */
  AGON_TERMINATED = 2, /* ended by the rules: nothing follows, values after it are 0 */
  AGON_TRUNCATED = 3,  /* cut short (by a step limit that the observation does not show, say): the
                          value after it is that of the final observation */
  AGON_FAILED = -1     /* the env cannot go on, error->text says why: the job ends */
} AgonStatus;

typedef enum AgonElement { AGON_F32 = 0, AGON_U8 = 1 } AgonElement;
typedef enum AgonActionKind {
  AGON_DISCRETE = 0,
  AGON_MULTI_DISCRETE = 1,
  AGON_BOX = 2
} AgonActionKind;
enum { AGON_ACTS = 1, AGON_ALIVE = 2 }; /* per-agent flags */
/* Env flags. */
enum {
  AGON_ZERO_SUM = 1,
  AGON_COOPERATIVE = 2,
  AGON_PERFECT_INFORMATION = 4,
  AGON_SIMULTANEOUS = 8,
  /* All randomness goes through AGON_CHANCE: game trees can be walked exactly. */
  AGON_ENUMERATES_CHANCE = 16,
  /* create without save and load, or a block that does not hold all of an episode: a resumed run
   * abandons unfinished episodes, and counts them. Blocks are then not copied either. */
  AGON_NOT_SAVED = 32,
  /* Results tell a team's return as the sum over its agents, as is the custom of this game; else as
   * their mean. Nothing is learned differently. */
  AGON_RETURNS_ADD = 64,
  /* With these options there is no rule-based player, though the table has `scripted`. */
  AGON_UNSCRIPTED = 128
};

typedef enum AgonOptionType {
  AGON_OPT_INT = 0,
  AGON_OPT_FLOAT = 1,
  AGON_OPT_BOOL = 2,
  AGON_OPT_CHOICE = 3,
  AGON_OPT_TEXT = 4
} AgonOptionType;

/* One configuration key of an env: `env.<name>`. This struct is the same for all tables of an ABI:
 * the host steps through the array by its own size of it, and refuses another option_size. */
typedef struct AgonEnvOption {
  const char *name; /* letters, digits, '_' and '-', fewer than AGON_NAME_LEN; no two alike */
  AgonOptionType type;
  const char *fallback; /* default, as text; not NULL */
  double low, high;     /* inclusive range of INT and FLOAT */
  const char *choices;  /* CHOICE: "a|b|c" */
  const char *help;     /* not NULL */
} AgonEnvOption;

/* Why something failed, for the user: one sentence, ended by 0. The host hands it out empty and
 * adds env, slot, episode and step. */
typedef struct AgonError {
  char text[256];
} AgonError;

/* One component of an action: DISCRETE and MULTI_DISCRETE a choice, BOX a value. An agent's action
 * is a row of `heads` components, the heads of the widest kind: agent a's begins at actions[a *
 * heads]. Where all agents have one head, actions[a].choice is agent a's. */
typedef union AgonAction {
  int32_t choice;
  float value;
} AgonAction;

/* What agents of one meaning see and do. All kinds of an env act in choices (DISCRETE,
 * MULTI_DISCRETE), or all in a BOX. Networks see one layout, the widest: the host pads the rows of
 * narrower kinds with zeros, and masks what they lack. */
typedef struct AgonKind {
  const char *name; /* for people; may be NULL */
  AgonElement observation_type;
  uint32_t observation_shape[3]; /* channels, height, width; unused trailing dimensions are 1 */
  /* Inclusive; -INFINITY and INFINITY where there is no bound. F32: values must be finite, or the
   * job ends (exit code 7). */
  float observation_low, observation_high;
  AgonActionKind action_kind;
  /* DISCRETE: 1. MULTI_DISCRETE and BOX: the number of components, at most AGON_MAX_HEADS. */
  uint32_t heads;
  const uint32_t *head_size; /* (heads) choices of each; BOX: NULL */
  /* BOX: (heads) range of each component, finite. Networks act in half-ranges around the middle: an
   * output of 0 is the middle of the range, of 1 action_high. What lies beyond is clipped before
   * `step`; log-probabilities are of the unclipped action. */
  const float *action_low, *action_high;
  /* (heads) What doing nothing is, always legal; NULL: there is no such thing. */
  const AgonAction *idle;
} AgonKind;

/* What a configured env looks like; filled by configure. The arrays are the env's: constants, or in
 * `params`, or allocated until unconfigure. */
typedef struct AgonEnvSpec {
  size_t params_size;     /* bytes of `params` in use (at most params_capacity of the table) */
  size_t episode_size;    /* bytes of one episode */
  uint32_t agents;        /* 1..AGON_MAX_AGENTS */
  uint32_t teams;         /* 1..AGON_MAX_TEAMS */
  const uint8_t *team_of; /* (agents); NULL: one team has all, or each agent a team of its own */
  uint32_t kinds;
  const AgonKind *kind;       /* (kinds) */
  const uint8_t *kind_of;     /* (agents); NULL: all are of kind 0 */
  uint32_t chance;            /* most outcomes of a chance move; 0: there is none */
  uint32_t global_state_size; /* floats; 0 = none */
  uint32_t step_limit;        /* no episode has more steps (chance moves not counted) */
  uint32_t flags;
  float reward_low, reward_high; /* range of one agent's total over an episode */
  uint32_t metrics; /* count of episode metrics, at most AGON_MAX_METRICS; names in the table */
  const char *const *agent_names; /* (agents) for people; may be NULL */
  /* What reset_with may be told about an episode: names, and inclusive ranges. */
  uint32_t knobs;
  const char *const *knob_names;     /* (knobs) */
  const float *knob_low, *knob_high; /* (knobs) */
  /* (knobs) With these values reset_with does what reset does; NULL: there are no such values. */
  const float *knob_plain;
} AgonEnvSpec;

/* The first fields of every table, in their order. In C++: set them one by one. */
#define AGON_ENV_SIZES                                                                             \
  .abi = AGON_ENV_ABI, .struct_size = sizeof(AgonEnv), .spec_size = sizeof(AgonEnvSpec),           \
  .kind_size = sizeof(AgonKind), .option_size = sizeof(AgonEnvOption)

/* The env's table. Fields up to `flags` are mandatory; a NULL below them means "not offered". */
typedef struct AgonEnv {
  uint32_t abi;         /* AGON_ENV_ABI */
  uint32_t struct_size; /* sizeof(AgonEnv): a smaller one of this ABI is filled up with zeros */
  uint32_t spec_size, kind_size; /* sizeof(AgonEnvSpec), (AgonKind): likewise */
  uint32_t option_size;          /* sizeof(AgonEnvOption): exactly that */
  uint32_t version;    /* of the rules: another number, and old results are of another game */
  const char *name;    /* lower_case, unique */
  const char *summary; /* one line */
  const AgonEnvOption *options;
  size_t option_count;
  size_t params_capacity; /* bytes that the host reserves for params */

  /* values[i] is the text of options[i], already range-checked. 0 on success; else -1 and
   * error->text, and nothing is left allocated. */
  int (*configure)(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error);
  /* Starts an episode in the (uninitialised, or created) block. It must lead to a decision, after
   * chance moves if there are any: AGON_RUNNING with somebody who acts. An episode that is over
   * before (nobody could act, say) is to be drawn again here; else the job ends. */
  AgonStatus (*reset)(const void *params, void *episode, const AgonRandom *random,
                      AgonError *error);
  /* Rows of agents flagged ACTS are read; adds this step's reward to reward[agent] (zeroed by the
   * host). A reward belongs to its agent's last decision; an agent that is out of the game still
   * gets it. What an agent receives before its first one (by chance moves after reset, random
   * openings, others' moves) counts in its team's return and is learned from by nobody. */
  AgonStatus (*step)(const void *params, void *episode, const AgonAction *actions,
                     const AgonRandom *random, float *reward, AgonError *error);
  /* Writes one observation row of the agent's kind; valid for any agent, in the game or out of it,
   * of a running or ended episode. */
  void (*observe)(const void *params, const void *episode, uint32_t agent, void *row);
  /* Writes flags[agent], AGON_ACTS | AGON_ALIVE: who acts is alive. After a truncation ACTS may say
   * who would act if the episode went on: the value of the final observation counts for them alone;
   * where it says so of nobody, for all who are alive. Learners that value choices go by the best
   * of those that `mask` allows there; where nobody is said to act, by the best of all. */
  void (*flags)(const void *params, const void *episode, uint8_t *flags);

  /* Gives back what configure has allocated. */
  void (*unconfigure)(void *params);
  /* Writes sum(head_size) bytes of the agent's kind, 1 = legal; called for agents flagged ACTS; at
   * least one per head is legal. NULL: everything always is. Not called for a BOX. */
  void (*mask)(const void *params, const void *episode, uint32_t agent, uint8_t *row);
  /* After the end: outcome[team] in [0,1], 1 = won, 0.5 = drawn, 0 = lost; for two teams they sum
   * to 1. Of more, two at a time are compared: the higher one has come out ahead of the other,
   * equal ones are a draw. Mandatory but for one team. */
  void (*outcome)(const void *params, const void *episode, float *outcome);
  /* AGON_ENUMERATES_CHANCE: probabilities of the pending chance move's outcomes; returns their
   * count, at most `chance` of the spec. */
  uint32_t (*chance_outcomes)(const void *params, const void *episode, double *probability);
  AgonStatus (*chance_apply)(const void *params, void *episode, uint32_t outcome, float *reward,
                             AgonError *error);
  /* Writes global_state_size finite floats, of any episode that waits for a decision or has ended.
   */
  void (*global_state)(const void *params, const void *episode, float *row);
  void (*metrics)(const void *params, const void *episode, float *values);
  /* Many episodes by one call, for envs that gain from it; the same results as one by one.
   * step_many: actions of episode i from actions[i * agents * heads] on; random[i] is its stream;
   * reward[i * agents + agent] is added to; writes status[i], which comes in as AGON_FAILED; error
   * is of the first that fails.
   * view_many, for envs of one kind: observation and mask (BOX: no masks) of agents[i] in episode
   * i, to row i of `rows` and of `masks`. flags_many: flags[i * agents + agent]. */
  void (*step_many)(const void *params, size_t count, void *const *episodes,
                    const AgonAction *actions, const AgonRandom *random, float *reward,
                    AgonStatus *status, AgonError *error);
  void (*view_many)(const void *params, size_t count, const void *const *episodes,
                    const uint32_t *agents, void *rows, uint8_t *masks);
  void (*flags_many)(const void *params, size_t count, const void *const *episodes, uint8_t *flags);
  /* Episodes that are not flat: create is called before the first reset of a block, destroy when it
   * is given up; a created block is reset any number of times. Such an env offers save and load, or
   * sets AGON_NOT_SAVED. save: *size comes in as the room at `bytes`; goes out as what the episode
   * takes. It is written if it fits, else the host asks again with more room. load: into a created
   * block, which then goes on as the saved one would. */
  int (*create)(const void *params, void *episode, AgonError *error);
  void (*destroy)(const void *params, void *episode);
  int (*save)(const void *params, const void *episode, void *bytes, size_t *size, AgonError *error);
  int (*load)(const void *params, void *episode, const void *bytes, size_t size, AgonError *error);
  /* Names for people, asked for by indices that there are; NULL where there is none. Head and
   * choice are of the widest kind that has them. A choice's name has fewer than AGON_NAME_LEN
   * characters, and no two of a head are alike: `play` and `query` take it for the choice. */
  const char *(*action_name)(const void *params, uint32_t head, uint32_t choice);
  const char *(*observation_name)(const void *params, uint32_t index);
  const char *const *metric_names;
  /* One text picture of the episode for people, at most size-1 characters and a 0. */
  void (*render)(const void *params, const void *episode, char *text, size_t size);
  /* A rule-based player for ratings to measure against (the built-in 'scripted'): a legal action (a
   * row of `heads`) of an agent that must act, decided from what the agent may know. Not asked
   * where the spec says AGON_UNSCRIPTED. */
  void (*scripted)(const void *params, const void *episode, uint32_t agent,
                   const AgonRandom *random, AgonAction *action);
  /* reset, with knob[i] of the spec's knobs: for curricula, from easy to hard. A team's return is a
   * mean over all of its agents: if some take no part, pay them what their team is paid, or it
   * means another thing in each stage. */
  AgonStatus (*reset_with)(const void *params, void *episode, const float *knob,
                           const AgonRandom *random, AgonError *error);
  /* A potential of each agent's position, phi[agent], whose differences shape rewards. */
  void (*potential)(const void *params, const void *episode, float *phi);
  /* Where an agent is: who is near whom. */
  void (*position)(const void *params, const void *episode, uint32_t agent, float xyz[3]);
  /* This episode goes on without the agent: it acts no more and is out of the game, and somebody
   * who is left acts. Called while two or more are alive. 0, or -1 and error->text. */
  int (*remove)(const void *params, void *episode, uint32_t agent, AgonError *error);
} AgonEnv;

typedef const AgonEnv *(*AgonEnvEntry)(void);

#ifdef __cplusplus
}
#endif
#endif
