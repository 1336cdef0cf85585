/* A player's mind laid open: what it would do in positions, with what it remembers of the game that
 * led there. */
#pragma once
#include "eval/eval.h"
#include "eval/line.h"

/* One agent's turn that is to be thought about, and then what the player thinks. Its arrays are the
 * Mind's. */
typedef struct Thought {
  uint32_t agent;
  float value; /* of a built-in: 0 */
  /* probabilities of all heads; BOX: means, then deviations, in the env's unit; NULL: not known */
  float *row;
  AgonAction *best; /* (heads) */
} Thought;

/* A player, what it remembers of a game, and the turns that it has been asked about. */
typedef struct Mind {
  Contestant *who; /* borrowed */
  const Env *env;
  Play *play;
  size_t S, width; /* floats of a memory, of a row */
  float *memory;   /* (agents, S) of the game being followed */
  float *passing;  /* (width) what it would have done in a step that is only followed */
  size_t asked, room;
  Thought *thought;     /* (room) */
  const void **episode; /* (room) copies, with the next three: what was asked about */
  uint32_t *agent;
  float *memories, *rows, *values; /* (room, S), (room, width), (room) */
  AgonAction *best;                /* (room, heads) */
  uint8_t *mask;
} Mind;

/* room: how many agents' turns can be thought about together, at least the env's agents. `who` and
 * `env` are borrowed; mind_destroy is due in any case. ERR_MEMORY. */
Status mind_create(Contestant *who, const Env *env, size_t room, Mind *out);
void mind_destroy(Mind *mind);
/* A new game begins: nothing is remembered. */
void mind_forget(Mind *mind);
/* A Position's `stepping`, with the Mind as its context: memories move on with the game. */
Status mind_step(void *mind, const Position *position);
/* Puts down all agents that must act in a position, to be thought about together with others;
 * *first is the place of the first of them, *count how many they are. There must be room for all
 * agents. */
void mind_ask(Mind *mind, const Position *position, size_t *first, size_t *count);
/* Thinks about all that was asked: mind->thought[0 .. asked - 1] is valid until the next mind_ask
 * after it. ERR_MEMORY, ERR_ENV. */
Status mind_think(Mind *mind);
/* Asks and thinks about one position; *out borrowed, as above. */
Status mind_look(Mind *mind, const Position *position, const Thought **out, size_t *count);
