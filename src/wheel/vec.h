/* Many games at once for other languages: what the Python package calls (deploy/python/agon). The
 * arrays are the caller's, are told once, and are written in place; nothing is allocated after
 * agon_vec_open. One thread at a time for each AgonVec. Not installed: the package and its library
 * go together. */
#pragma once
#include "agon/env.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AGON_VEC_API __attribute__((visibility("default")))
/* Goes up when anything here changes; the package refuses a library of another number. */
#define AGON_VEC_ABI 2u

typedef struct AgonVec AgonVec;

/* What a game is. Borrowed, as long as the AgonVec. Rows are in the one layout of all agents: what
 * narrower kinds lack is 0, and masked. */
typedef struct AgonVecInfo {
  const char *name, *title, *summary;
  uint32_t version, agents, teams, kinds;
  uint32_t rows; /* of a game: 1 where agents take turns, else one of each agent */
  uint32_t observation_type, observation_shape[3];
  float observation_low, observation_high;
  uint32_t action_kind, heads;
  uint32_t mask_count, global_state, step_limit, flags, metrics;
  float reward_low, reward_high;
  uint32_t has_outcome, has_scripted, has_render, has_mask;
  const uint32_t *head_size;             /* (heads); BOX: 1 each */
  const float *action_low, *action_high; /* (heads); BOX */
  const uint8_t *team_of, *kind_of;      /* (agents) */
  const char *const *agent_names;        /* (agents) or NULL */
  const char *const *metric_names;       /* (metrics) or NULL */
} AgonVecInfo;

/* n games; all are written. */
typedef struct AgonVecArrays {
  void *observations;       /* (n, rows, shape) */
  uint8_t *masks;           /* (n, rows, mask_count); 0 of who does not act */
  uint32_t *agents;         /* (n, rows) whose row it is */
  uint8_t *acts;            /* (n, rows) 1: must act */
  uint8_t *alive;           /* (n, agents) */
  float *rewards;           /* (n, agents) of the last step, and of chance moves after it */
  uint8_t *terminated;      /* (n) ended by the rules in the last step */
  uint8_t *truncated;       /* (n) cut short in it */
  void *final_observations; /* (n, agents, shape) of games that ended, as they ended */
  float *outcomes;          /* (n, teams) 1 won, .5 drawn, 0 lost, of games that ended */
  float *metrics;           /* (n, metrics) of games that ended */
  uint32_t *lengths;        /* (n) steps of games that ended */
} AgonVecArrays;

AGON_VEC_API uint32_t agon_vec_abi(void);
/* Names of built-in games; NULL past the end. */
AGON_VEC_API const char *agon_vec_name(size_t index);
/* n games by name, or of a plug-in by its path, with "option=value" pairs. *out is the caller's
 * (agon_vec_close). Here and below 0, or -1 and error->text. again: a game that ends is begun anew
 * within the same step; else it stands still until agon_vec_reset. */
AGON_VEC_API int agon_vec_open(const char *name, const char *const *pairs, size_t pair_count,
                               size_t n, bool again, AgonVec **out, AgonError *error);
/* Accepts NULL. */
AGON_VEC_API void agon_vec_close(AgonVec *vec);
AGON_VEC_API const AgonVecInfo *agon_vec_info(const AgonVec *vec);
/* Where everything is to be written from now on. */
AGON_VEC_API void agon_vec_write_to(AgonVec *vec, const AgonVecArrays *arrays);
/* Begins all games; the same seed, the same games. */
AGON_VEC_API int agon_vec_reset(AgonVec *vec, uint64_t seed, AgonError *error);
/* One step of every game that goes on; actions: (n, rows, heads). Actions that are not legal are
 * refused before anything moves. Where a game itself fails, some have moved and others have not:
 * all but a reset is refused then. */
AGON_VEC_API int agon_vec_step(AgonVec *vec, const AgonAction *actions, AgonError *error);
/* What an agent sees in a game as it stands. */
AGON_VEC_API int agon_vec_observe(const AgonVec *vec, size_t game, uint32_t agent, void *row,
                                  AgonError *error);
/* (global_state) of a game as it stands; where it has none nothing is written. */
AGON_VEC_API void agon_vec_global_state(const AgonVec *vec, size_t game, float *row);
/* A picture of a game as text; empty where it has none. */
AGON_VEC_API void agon_vec_render(const AgonVec *vec, size_t game, char *text, size_t size);
/* What the rule-based player would do for every row that must act; (n, rows, heads). */
AGON_VEC_API int agon_vec_scripted(AgonVec *vec, AgonAction *actions, AgonError *error);
/* An option of the game, its own ones first, then those that all games have; NULL past the end.
 * Borrowed. */
AGON_VEC_API const AgonEnvOption *agon_vec_option(const AgonVec *vec, size_t index);
/* The name of a choice, or NULL. */
AGON_VEC_API const char *agon_vec_action_name(const AgonVec *vec, uint32_t head, uint32_t choice);
/* What numbers of a run over time are called (metrics/names.h): a row of the table, or -1 past its
 * end; TensorBoard's tag of a number, and how long the player's name before it is (0: none). */
AGON_VEC_API int agon_series(size_t index, const char **name, const char **what);
AGON_VEC_API size_t agon_series_tag(const char *name, char *tag, size_t size);

#ifdef __cplusplus
}
#endif
