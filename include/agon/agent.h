/* agon/agent.h - use an agent that agon has trained.
 *
 * `agon export RUN --player P` writes an agent into one file; libagon (-lagon, or `pkg-config
 * --libs agon-agent`) opens it and decides by it. It needs libm alone: neither MPI nor HDF5 nor the
 * environment that the agent was trained in. What the agent sees and does is in AgonAgentInfo;
 * rows of observations are those that the environment writes.
 *
 *   AgonAgent *agent;
 *   AgonAgentState *state;
 *   AgonError error;
 *   if (agon_agent_open("main_0.agon", &agent, &error)) puts(error.text);
 *   agon_state_new(agent, 1, &state, &error);
 *   AgonAction action;
 *   AgonAgentRows rows = {.count = 1, .observations = board, .masks = legal, .greedy = true};
 *   AgonAgentAnswer answer = {.actions = &action};
 *   agon_agent_act(agent, state, &rows, &answer, &error);
 *
 * An agent does not change once it is open, and any number of threads may use it; a state belongs
 * to one thread at a time. Nothing is allocated but by open and new. C11 and C++17 clean.
 */
#ifndef AGON_AGENT_H
#define AGON_AGENT_H

#include "agon/env.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Goes up when what is here changes its meaning; new fields come at the ends of structs. */
#define AGON_AGENT_ABI 1u
/* Of the file: a library reads files up to its own number. */
#define AGON_AGENT_FORMAT 1u

#if defined(__GNUC__)
#define AGON_AGENT_API __attribute__((visibility("default")))
#else
#define AGON_AGENT_API
#endif

/* What a call came to; the numbers are those of agon's exit codes. With anything but AGON_AGENT_OK
 * the error's text is one sentence that says what is wrong and where. */
typedef enum AgonAgentStatus {
  AGON_AGENT_OK = 0,
  AGON_AGENT_NUMBERS = 1, /* the network gives what is no number: its weights are damaged */
  AGON_AGENT_USAGE = 2,   /* arguments that do not fit the agent */
  AGON_AGENT_DAMAGED = 4, /* the file is torn, changed, or no agent at all */
  AGON_AGENT_IO = 5,      /* it cannot be read */
  AGON_AGENT_MEMORY = 6,
  AGON_AGENT_OBSERVATION = 7 /* an observation is not finite */
} AgonAgentStatus;

typedef struct AgonAgent AgonAgent;           /* an open file */
typedef struct AgonAgentState AgonAgentState; /* what n rows remember, and room to work in */

/* What an agent is; all of it lives as long as the agent. */
typedef struct AgonAgentInfo {
  size_t struct_size;   /* of the library's struct: fields beyond it are not there */
  const char *metadata; /* JSON: player, env and its version, spaces, lineage, rating, licence */
  const char *player;   /* "main_0" */
  const char *env;      /* "connect_four", with the options that were not at their defaults */
  /* a row of observations */
  AgonElement observation_type;
  uint32_t observation_shape[3]; /* channels, height, width */
  size_t observation_count;      /* numbers of a row */
  /* an action */
  AgonActionKind action_kind;
  uint32_t heads;
  const uint32_t *head_size; /* (heads) choices of each; BOX: 1 */
  size_t mask_count;         /* bytes of a mask row: all choices, head by head; BOX: heads */
  size_t output_count;       /* numbers of a row of probabilities */
  const float *action_low, *action_high; /* BOX: (agents, heads); else NULL */
  /* who */
  uint32_t agents;      /* of the env */
  uint32_t team;        /* rows that must come together, those of a team; 1: each by itself */
  bool wants_agents;    /* what a row's agent does depends on which it is */
  bool wants_positions; /* and on where it is */
  size_t memory_count;  /* floats that a row's agent remembers; 0: nothing */
  size_t parameters;    /* numbers of the network */
} AgonAgentInfo;

/* Opens a file of `agon export`, or its bytes, which are copied. *out is the caller's
 * (agon_agent_close). AGON_AGENT_DAMAGED, AGON_AGENT_IO, AGON_AGENT_MEMORY; then nothing is to be
 * closed and *out is NULL. `error` may be NULL here and below. */
AGON_AGENT_API AgonAgentStatus agon_agent_open(const char *path, AgonAgent **out, AgonError *error);
AGON_AGENT_API AgonAgentStatus agon_agent_open_bytes(const void *bytes, size_t size,
                                                     AgonAgent **out, AgonError *error);
/* Accepts NULL. Its states must be gone. */
AGON_AGENT_API void agon_agent_close(AgonAgent *agent);
/* Borrowed. */
AGON_AGENT_API const AgonAgentInfo *agon_agent_info(const AgonAgent *agent);
/* AGON_AGENT_ABI of the library. */
AGON_AGENT_API uint32_t agon_agent_abi(void);

/* What n agents remember, nothing at first; *out is the caller's (agon_state_free), and borrows the
 * agent. AGON_AGENT_USAGE for n = 0, AGON_AGENT_MEMORY. */
AGON_AGENT_API AgonAgentStatus agon_state_new(const AgonAgent *agent, size_t n,
                                              AgonAgentState **out, AgonError *error);
/* Accepts NULL. */
AGON_AGENT_API void agon_state_free(AgonAgentState *state);
/* An episode begins for one of them: it remembers nothing. */
AGON_AGENT_API void agon_state_reset(AgonAgentState *state, size_t slot);
/* (n, memory_count): what is remembered, to be saved, copied and put back. Borrowed. */
AGON_AGENT_API float *agon_state_memory(AgonAgentState *state);
/* One of them has done something else than it was told: for agents that remember their last
 * action. action: (heads). */
AGON_AGENT_API void agon_state_did(AgonAgentState *state, size_t slot, uint32_t agent,
                                   const AgonAction *action);

/* Rows that must be decided; all borrowed. What is zero need not be said. */
typedef struct AgonAgentRows {
  size_t count;             /* of teams: a multiple of info->team, teams side by side */
  const void *observations; /* (count, observation_count) of the type that the info says */
  const uint8_t *masks;     /* (count, mask_count) 1: may be done; NULL: everything */
  const uint32_t *agents;   /* (count) whose rows they are; NULL: agent 0's */
  const uint8_t *alive;     /* (count) teams: 1: in the game; NULL: all are */
  /* (count) teams: 0: it does not act in this step and is there for its team alone: it gets no
   * answer, and its memory stays; NULL: all act */
  const uint8_t *acts;
  const float *positions; /* (count, 3) where info->wants_positions */
  const uint32_t *slots;  /* (count) which of the state's n each row is, no two alike; NULL:
                             row i is the i-th */
  bool greedy;            /* the likeliest action instead of one by its probability */
  uint64_t seed;          /* the same seed and rows, the same actions: another for each step */
} AgonAgentRows;

/* Where the answers go, the caller's arrays; what is NULL is not wanted. */
typedef struct AgonAgentAnswer {
  AgonAction *actions; /* (count, heads); BOX: in the env's unit, within the range */
  float *log_probs;    /* (count) of those actions (BOX: before they were put into the range) */
  float *values;       /* (count) what the agent expects to earn */
  /* (count, output_count) of each choice, head by head; BOX: means, then deviations, in the env's
   * unit */
  float *probabilities;
} AgonAgentAnswer;

/* Decides, and moves memories on. AGON_AGENT_USAGE for rows that do not fit the agent or the state,
 * AGON_AGENT_OBSERVATION before anything is decided, AGON_AGENT_NUMBERS, when rows may be
 * without an answer, whose memories stand where they stood. */
AGON_AGENT_API AgonAgentStatus agon_agent_act(const AgonAgent *agent, AgonAgentState *state,
                                              const AgonAgentRows *rows,
                                              const AgonAgentAnswer *answer, AgonError *error);

#ifdef __cplusplus
}
#endif

#endif
