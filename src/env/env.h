/* The registry of environments and the configured instance that the rest of the system plays with.
 */
#pragma once
#include "agon/env.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "config/config.h"

/* Behind the room for probabilities: numbers that nobody writes but an env that names more than its
 * spec allows, and the byte that they are filled with. */
enum { ENV_CHANCE_GUARD = 8, ENV_CHANCE_FILL = 0xA5 };

/* Room that calls of an env need; nothing in it outlives a call but the text of the last failure.
 */
typedef struct EnvScratch {
  AgonError error;
  double *chance; /* (spec.chance), and ENV_CHANCE_GUARD more */
  uint8_t *row;   /* an observation of the widest kind in its own type */
  uint8_t *mask;  /* a mask row of the widest kind by itself */
} EnvScratch;

/* A configured env: the table, its params, its spec, and the one layout of rows that everything
 * above knows. Where all agents are of one kind the layout is that kind's and rows are the env's
 * own; else rows are padded to the widest kind and masked, so that no format needs to know of
 * kinds. */
typedef struct Env {
  const AgonEnv *table;
  void *params;
  AgonEnvSpec spec; /* its arrays are there, also where the env gave NULL */
  AgonKind layout;
  bool padded, masks;       /* several kinds; the env's own masks are the layout's */
  size_t observation_count; /* elements per row */
  size_t observation_bytes; /* bytes per row */
  uint32_t action_count;    /* sum of head sizes (BOX: heads) = width of a mask row */
  void *plugin;             /* handle or NULL */
  struct Env *inner; /* what it is wrapped around, its own; NULL: it is the game itself (wrap.h) */
  char *title; /* "goofspiel cards=4": the name, and the options that differ from their defaults */
  EnvScratch *scratch;
  bool configured;
  /* what spec and layout point to */
  AgonKind *kind;
  uint8_t *team_of, *kind_of;
  uint32_t *head_size;
  float *action_low, *action_high;
} Env;

/* Built-in envs in the order of the list; NULL past the end. */
const AgonEnv *env_builtin(size_t index);
/* Whether a built-in env has that name. */
bool env_is_builtin(const char *name);
/* Whether it names a plug-in: a path with '/', or a file of this folder that ends in .so; and not
 * an environment of Python (bridge.h), whose name may look like either. */
bool env_is_plugin(const char *name);
/* A built-in by name, a plug-in by path, or an environment of Python by its library;
 * *out_plugin is its handle or NULL. */
Status env_find(const char *name, const AgonEnv **out, void **out_plugin);
/* Loads a plug-in; *out_plugin is the caller's (env_plugin_close), and *out lives as long.
 * ERR_USAGE if it cannot be loaded, ERR_ENV if it breaks the ABI, ERR_MEMORY. */
Status env_plugin_open(const char *path, const AgonEnv **out, void **out_plugin);
/* Keeps a copy of a table that comes from no file, and `own`, which is given back by free with it,
 * or at once if this fails; as env_plugin_open. */
Status env_plugin_hold(const AgonEnv *table, void *own, const AgonEnv **out, void **out_plugin);
/* Accepts NULL. Nothing of its env may be used afterwards. */
void env_plugin_close(void *plugin);
/* The file that an env was opened from; "" for a built-in one. */
Status env_plugin_file(const Env *env, char *out, size_t size);
/* Checks the fields of a table before anything else is touched (ABI, size, mandatory functions,
 * options). */
Status env_check_table(const AgonEnv *table, const char *origin);
/* The same of the ABI number and the stated sizes alone: what must hold before the rest of a table
 * may be read. */
Status env_check_sizes(const AgonEnv *table, const char *origin);
/* Keys of section env that a game has: its own options, then those that all games have (wrap.h). */
size_t env_option_count(const AgonEnv *table);
const AgonEnvOption *env_option(const AgonEnv *table, size_t index);
/* Declares env.* in the config. The options array is owned by the caller (free after the config).
 */
Status env_declare(const AgonEnv *table, Config *config, Option **out_options);
/* Configures from env.* of a resolved config. */
Status env_create(const AgonEnv *table, void *plugin, const Config *config, Env **out);
/* Configures from "key=value" pairs alone (tests, eval of stored runs). */
Status env_create_from(const char *name, const char *const *pairs, size_t count, Env **out);
/* Checks and lays out what `spec` says; for tables without options (tests). */
Status env_over(const AgonEnv *table, const AgonEnvSpec *spec, Env **out);
/* Accepts NULL. */
void env_destroy(Env *env);
/* Whether episodes may be copied by memcpy. */
bool env_copies(const Env *env);
/* Whether episodes can be written down, and go on in another job. */
bool env_saves(const Env *env);
/* Checks env->spec as configure left it, naming the field and the limit, and lays rows out by it.
 */
Status env_lay_out(Env *env);

/* The kind that an agent is of. */
static inline const AgonKind *env_kind(const Env *env, uint32_t agent) {
  return &env->spec.kind[env->spec.kind_of[agent]];
}
/* An action as a row of env->layout.heads components. */
static inline AgonAction *env_action(const Env *env, AgonAction *actions, size_t agent) {
  return actions + agent * env->layout.heads;
}

/* The env's own reset, step and chance move; after AGON_FAILED env_why says why. */
AgonStatus env_call_reset(const Env *env, void *episode, const AgonRandom *random);
/* The same with a value for each of the spec's knobs (there must be some). */
AgonStatus env_call_reset_with(const Env *env, void *episode, const float *knob,
                               const AgonRandom *random);
AgonStatus env_call_step(const Env *env, void *episode, const AgonAction *actions,
                         const AgonRandom *random, float *reward);
AgonStatus env_call_chance(const Env *env, void *episode, uint32_t outcome, float *reward);
void env_call_step_many(const Env *env, size_t count, void *const *episodes,
                        const AgonAction *actions, const AgonRandom *random, float *reward,
                        AgonStatus *status);
/* What the env said about its last failure, or that it said nothing; valid until the next call. */
const char *env_why(const Env *env);

/* Probabilities of the pending chance move, valid until the next call; *count is 0 where the env
 * names more than its spec allows, or has written more. */
const double *env_chance(const Env *env, const void *episode, uint32_t *count);
/* Whether it has ever written more. */
bool env_chance_overran(const Env *env);
/* Draws an outcome of the pending chance move, without applying it. AGON_CHANCE, or AGON_FAILED
 * with env_why where the env asks for a move that its spec does not have, or names no outcome or
 * too many. */
AgonStatus env_draw_chance(const Env *env, const void *episode, AgonRng *rng, uint32_t *outcome);
/* Runs chance moves until a decision or the end; `reward` accumulates. */
AgonStatus env_settle(const Env *env, void *episode, AgonStatus status, AgonRng *rng,
                      float *reward);
/* To the first decision, or the end; `reward` (agents) accumulates what chance gives. */
AgonStatus env_reset(const Env *env, void *episode, AgonRng *rng, float *reward);
AgonStatus env_step(const Env *env, void *episode, const AgonAction *actions, AgonRng *rng,
                    float *reward);

/* One observation row and one mask row, in the layout. */
void env_observe_padded(const Env *env, const void *episode, uint32_t agent, void *row);
void env_mask_made(const Env *env, const void *episode, uint32_t agent, uint8_t *row);
/* One observation row, in the layout. */
static inline void env_observe(const Env *env, const void *episode, uint32_t agent, void *row) {
  if (env->padded)
    env_observe_padded(env, episode, agent, row);
  else
    env->table->observe(env->params, episode, agent, row);
}

/* One mask row, in the layout. */
static inline void env_mask(const Env *env, const void *episode, uint32_t agent, uint8_t *row) {
  if (env->masks)
    env->table->mask(env->params, episode, agent, row);
  else
    env_mask_made(env, episode, agent, row);
}
/* Rows of agents[i] in episodes[i], one after another. */
void env_view(const Env *env, size_t count, const void *const *episodes, const uint32_t *agents,
              void *rows, uint8_t *masks);
/* flags[agent] of one episode; flags[i * agents + agent] of many. */
static inline void env_flags_of(const Env *env, const void *episode, uint8_t *flags) {
  env->table->flags(env->params, episode, flags);
}

/* Where an agent is. The env offers it (table->position). ERR_ENV where it is nowhere: a number
 * that is not finite. */
Status env_position(const Env *env, const void *episode, uint32_t agent, float out[3]);
void env_flags(const Env *env, size_t count, const void *const *episodes, uint8_t *flags);
/* outcome[team]; where the only team has none, 0.5. */
void env_outcome(const Env *env, const void *episode, float *outcome);
/* Whether each team's lies in 0 .. 1, and two teams' sum to 1. */
bool env_outcome_counts(const Env *env, const float *outcome);
/* Observation row as floats, whatever the element type. */
void env_observe_f32(const Env *env, const void *episode, uint32_t agent, float *row);

/* Calls the env's create, if it has one, on a zeroed block; what was made goes by the table's
 * destroy. */
Status env_make(const Env *env, void *episode);
/* Appends an episode as it is to be written down: its block, or what its `save` says, with its size
 * before it. */
Status env_save(const Env *env, const void *episode, Bytes *out);
/* Into a block that was created, if the env creates. ERR_FORMAT if too little is there. */
Status env_load(const Env *env, void *episode, Reader *reader);

/* ERR_USAGE, naming both, unless `a` (of `what`) is `b` with the same options. */
Status env_check_same(const Env *a, const Env *b, const char *what);
/* One of the agent's legal actions, all alike: head by head by a mask row; BOX: uniform over the
 * box. */
void env_random_action(const Env *env, uint32_t agent, const uint8_t *mask, AgonRng *rng,
                       AgonAction *out);
/* BOX: the range of one component of an agent's action; of one that its kind lacks 0 .. 0. */
void env_action_range(const Env *env, uint32_t agent, uint32_t head, float *low, float *high);
/* BOX, else nothing: what lies beyond action_low .. action_high is clipped. All agents' actions. */
void env_clip_actions(const Env *env, AgonAction *actions);
/* BOX, else nothing: one action from half-ranges around the middle, as networks choose, to what
 * `step` takes. */
void env_scale_action(const Env *env, uint32_t agent, AgonAction *action);
/* Choices of each head of the layout; NULL: BOX. */
const uint32_t *env_head_sizes(const Env *env);
/* Index of the first float that is no number or not within -limit .. limit (INFINITY: not finite),
 * or `count`. */
size_t env_first_beyond(const void *floats, size_t count, float limit);

/* The conformance suite: plays `episodes` random episodes and checks every clause of agon/env.h
 * that can be checked. The first broken clause is ERR_ENV with its name. *out_checks counts the
 * clauses that were exercised. */
Status env_conformance(const Env *env, uint64_t seed, size_t episodes, size_t *out_checks);
