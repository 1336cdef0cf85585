/* A player's mind laid open: what it would do in a position, with what it remembers of the game; and showing positions
 * to people. For the commands that read lines of play. */
#pragma once
#include "cli/cli.h"
#include "run/view.h"
#include "eval/line.h"

typedef struct Mind {
  Contestant *who; /* borrowed */
  Play *play;
  size_t S;
  float *memory;      /* (agents, S) */
  float *probability; /* (choices) of the last look */
} Mind;

Status mind_create(Contestant *who, const Env *env, Mind *out);
void mind_destroy(Mind *mind);
void mind_forget(Mind *mind, const Env *env); /* a new game */
/* Probabilities of one agent's actions, and the value; its memory moves on unless `peek`. */
Status mind_look(Mind *mind, const Position *position, uint32_t agent, bool peek, float *value);
/* A Position's `stepping`, with the Mind as its context: memories move on with the game. */
Status mind_step(void *mind, const Position *position);

/* --env ENV with options from a word on, or a run. */
Status mind_open_env(const Command *command, const Arguments *arguments, const char *env, const char *run,
                     size_t first_option, RunView *loaded, Env **own, const Env **out);
const char *position_status_name(AgonStatus status);
void position_show(const Position *position, const char *indent);
void position_show_view(const Position *position, uint32_t agent); /* what one agent sees */
