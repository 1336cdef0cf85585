/* Critics that see what a team knows together (src/nn/critic.h), as a part of a player: the options
 * that say what they see, and how they are made of them. */
#pragma once
#include "base/option.h"
#include "learner/algos/algo.h"

enum { SEES_STATE, SEES_OWN, SEES_BOTH };

typedef struct CentralConfig {
  int input; /* SEES_STATE, ... */
  IntList hidden;
  bool id, alive, time;
  bool normalise;
} CentralConfig;

/* The options of a critic, for a table whose target is a TYPE that holds a CentralConfig at FIELD
 * (`x.` with its point). */
#define CENTRAL_OPTIONS(TYPE, FIELD)                                                               \
  {"critic_input",                                                                                 \
   OPT_CHOICE,                                                                                     \
   offsetof(TYPE, FIELD input),                                                                    \
   "state+own",                                                                                    \
   0,                                                                                              \
   0,                                                                                              \
   "state|own|state+own",                                                                          \
   "",                                                                                             \
   "what values an agent's position: the game's global state (where it tells none, what all of "   \
   "the team see), the agent's own observation, or both. net.normalise_observations is of the "    \
   "policy alone: the critic sees numbers as the game gives them"},                                \
      {"critic_hidden",                                                                            \
       OPT_INTS,                                                                                   \
       offsetof(TYPE, FIELD hidden),                                                               \
       "[]",                                                                                       \
       1,                                                                                          \
       16384,                                                                                      \
       NULL,                                                                                       \
       "units",                                                                                    \
       "widths of the critic's dense layers; empty: as net.hidden. It has no convolutions and no " \
       "memory"},                                                                                  \
      {"critic_id", OPT_BOOL, offsetof(TYPE, FIELD id),                                            \
       "true",      0,        0,                                                                   \
       NULL,        "",       "the critic sees which agent of the team it values"},                \
      {"critic_alive", OPT_BOOL, offsetof(TYPE, FIELD alive),                                      \
       "true",         0,        0,                                                                \
       NULL,           "",       "the critic sees whether that agent is still in the game"},       \
      {"critic_time",                                                                              \
       OPT_BOOL,                                                                                   \
       offsetof(TYPE, FIELD time),                                                                 \
       "true",                                                                                     \
       0,                                                                                          \
       0,                                                                                          \
       NULL,                                                                                       \
       "",                                                                                         \
       "the critic sees how many steps the episode has had: what is still to come depends on it "  \
       "where a time limit ends episodes"},                                                        \
  {                                                                                                \
    "normalise_values", OPT_BOOL, offsetof(TYPE, FIELD normalise), "true", 0, 0, NULL, "",         \
        "the critic learns in units of the returns' running deviation (learner.return_decay); "    \
        "net.normalise_returns is of the policy's own value head, which learns nothing here: "     \
        "net.separate gives it a trunk that only makes the policy larger"                          \
  }

/* Adds the part "critic", the player's critic (Algo.critic): built as the policy's network is, but
 * for what only a policy needs. choices 0: it gives one value of each agent's position; else, where
 * agents have one choice among so many, the values of all of an agent's own choices, given those of
 * the others of its team. Errors as critic_create. */
Status central_critic(Algo *algo, const CentralConfig *config, size_t choices);
