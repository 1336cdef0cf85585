/* A game as a line of words: chance outcomes and actions in the order they happen, separated by
 * spaces. A word is a number (of the outcome, or of the action) or an action's name; simultaneous
 * moves are one word per acting agent, in the order of agents; several heads are joined by '/', BOX
 * components too. What `agon query`, `play` and `replay` read and write. */
#pragma once
#include "agent/agent.h"

/* The word of an action, in numbers. */
#define ACTION_WORD (24 * AGON_MAX_HEADS)
/* The word of one agent's action, in numbers; returns `out`. */
const char *action_word(const Env *env, const AgonAction *action, char out[ACTION_WORD]);
/* Appends the word of a chance outcome. Without memory line->failed is set; so below. */
void line_put_chance(Bytes *line, uint32_t outcome);
/* Appends the words of those who must act in this state; flags is scratch for the flags of all
 * agents. */
void line_put_actions(Bytes *line, const Env *env, const void *episode, const AgonAction *actions,
                      uint8_t *flags);

/* A position reached by a line. */
typedef struct Position {
  const Env *env;
  void *episode;
  uint8_t *mask; /* scratch: a mask row */
  AgonRng rng;   /* of envs whose randomness is not enumerated */
  AgonStatus status;
  uint8_t *flags;      /* (agents) */
  double *returns;     /* (agents) */
  AgonAction *pending; /* (agents, heads) of a simultaneous move that is not complete */
  float *reward;       /* (agents) of one step */
  float *outcome;      /* (teams) */
  uint32_t waiting;    /* agents that have given their word */
  /* Called before a complete step of all; may be NULL. */
  Status (*stepping)(void *context, const struct Position *position);
  void *context;
} Position;

/* A position of `env`, which is borrowed; position_reset brings it to the start of a game. Nothing
 * needs freeing on failure. ERR_USAGE for an env whose states cannot be copied, ERR_MEMORY. */
Status position_create(const Env *env, Position *out);
void position_destroy(Position *position);
/* To the start of a game; `rng` is drawn from where randomness is not enumerated. ERR_ENV. */
Status position_reset(Position *position, AgonRng rng);
/* The agent whose word is next; false at a chance move or the end. */
bool position_actor(const Position *position, uint32_t *agent);
/* Plays one word. ERR_USAGE says what is wrong with it and names what is possible; the position is
 * then as it was. ERR_ENV. */
Status position_play(Position *position, const char *word);
/* Plays a whole line. On failure the words before the bad one have been played. */
Status position_play_line(Position *position, const char *line);
/* The name of a choice of a head, with '_' for spaces, or its number, into out[size], which is
 * returned. */
const char *position_action_text(const Env *env, uint32_t head, uint32_t choice, char *out,
                                 size_t size);
/* BOX: "each from -1 to 1", or the ranges one by one, into out[size], which is returned. */
const char *position_range_text(const Env *env, uint32_t agent, char *out, size_t size);
/* The outcome for each team, (teams), 0..1, after the end; valid until the next call. */
const float *position_outcome(const Position *position);
/* The position as a player is shown it; it borrows the position's arrays. */
AgentView position_view(const Position *position);
/* A Position's `stepping`, with an Agent as its context: its memories move on with the game. */
Status position_show(void *agent, const Position *position);
const char *position_status_text(AgonStatus status); /* running, chance, terminated, truncated */
