/* A player that is asked: what it would do in positions, with what it remembers of the game that
 * led there. It needs nobody who plays: a query, an engine or a person at the terminal moves the
 * game on and shows it. */
#pragma once
#include "agent/contestant.h"

/* A position as it is shown to a player; all borrowed. */
typedef struct AgentView {
  const void *episode;
  const uint8_t *flags; /* (agents) who must act, among others */
  bool running;         /* no chance move is due, and the game has not ended */
  /* What all agents (that act) are about to do there, in the env's unit; for agent_follow only. */
  const AgonAction *actions;
} AgentView;

/* One agent's turn that is to be thought about, and then what the player thinks. Its arrays are the
 * Agent's. */
typedef struct Thought {
  uint32_t agent;
  float value; /* of a built-in: 0 */
  /* probabilities of all heads; BOX: means, then deviations, in the env's unit; NULL: not known */
  float *row;
  AgonAction *best; /* (heads) */
} Thought;

/* A player, what it remembers of a game, and the turns that it has been asked about. */
typedef struct Agent {
  Contestant *who; /* borrowed */
  const Env *env;
  Evaluator evaluator;
  size_t S;             /* floats of an agent's memory */
  size_t M;             /* floats of memory that a question takes (policy_memory) */
  size_t width;         /* floats of a row */
  float *memory;        /* (agents, S) of the game being followed */
  float *before;        /* (agents, S) what it remembered before a step that is followed */
  float *recalled;      /* (M) scratch: what such a step is asked with */
  float *passing;       /* (width) what it would have done in a step that is only followed */
  size_t asked;         /* turns put down so far */
  size_t room;          /* for so many */
  Thought *thought;     /* (room) */
  const void **episode; /* (room) copies, with the next three: what was asked about */
  uint32_t *turn;       /* whose it is */
  float *memories;      /* (room, M) */
  float *rows;          /* (room, width) */
  float *values;        /* (room) */
  AgonAction *best;     /* (room, heads) */
  uint8_t *mask;        /* scratch: a mask row */
  AgonAction *done;     /* (heads, and an inner one) scratch */
} Agent;

/* room: how many agents' turns can be thought about together, at least the env's agents. `who` and
 * `env` are borrowed; agent_destroy is due in any case. ERR_MEMORY. */
Status agent_create(Contestant *who, const Env *env, size_t room, Agent *out);
void agent_destroy(Agent *agent);
/* A new game begins: nothing is remembered. */
void agent_forget(Agent *agent);
/* Those who act see a position of the game that is followed, before it is played on: their memories
 * move on with it, and with what they are about to do. ERR_ENV, ERR_INTERNAL and ERR_MEMORY as
 * policy_decide. */
Status agent_follow(Agent *agent, const AgentView *view);
/* Puts down all agents that must act in a position, to be thought about together with others;
 * *first is the place of the first of them, *count how many they are. There must be room for all
 * agents. */
void agent_ask(Agent *agent, const AgentView *view, size_t *first, size_t *count);
/* Thinks about all that was asked: agent->thought[0 .. asked - 1] is valid until the next agent_ask
 * after it. ERR_ENV, ERR_INTERNAL and ERR_MEMORY as policy_decide. */
Status agent_think(Agent *agent);
/* Asks and thinks about one position; *out borrowed, as above. */
Status agent_look(Agent *agent, const AgentView *view, const Thought **out, size_t *count);
