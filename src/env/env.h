/* The registry of environments and the configured instance that the rest of the system plays with. */
#pragma once
#include "agon/env.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "config/config.h"

/* A configured env: the table, its params and its spec. */
typedef struct Env {
  const AgonEnv *table;
  void *params;
  AgonEnvSpec spec;
  size_t observation_count; /* elements per row */
  size_t observation_bytes; /* bytes per row */
  uint32_t action_count;    /* sum of head sizes (BOX: heads) = width of a mask row */
  void *plugin;             /* dlopen handle or NULL */
  char *title;              /* "goofspiel cards=4": the name, and the options that differ from their defaults */
} Env;

/* Built-in envs in the order of the list; NULL past the end. */
const AgonEnv *env_builtin(size_t index);
bool env_is_builtin(const char *name);
/* Whether it names a plug-in: a path with '/', or a file of this folder that ends in .so. */
bool env_is_plugin(const char *name);
/* A built-in by name, or a plug-in by path; *out_plugin is its handle or NULL. */
Status env_find(const char *name, const AgonEnv **out, void **out_plugin);
Status env_plugin_open(const char *path, const AgonEnv **out, void **out_plugin);
void env_plugin_close(void *plugin);
/* The file whose code an env is; "" for a built-in one. */
Status env_plugin_file(const Env *env, char *out, size_t size);
/* Checks the fields of a table before anything else is touched (ABI, size, mandatory functions). */
Status env_check_table(const AgonEnv *table, const char *origin);
/* Declares env.* in the config. The options array is owned by the caller (free after the config). */
Status env_declare(const AgonEnv *table, Config *config, Option **out_options);
/* Configures from env.* of a resolved config. */
Status env_create(const AgonEnv *table, void *plugin, const Config *config, Env **out);
/* Configures from "key=value" pairs alone (tests, eval of stored runs). */
Status env_create_from(const char *name, const char *const *pairs, size_t count, Env **out);
void env_destroy(Env *env);
bool env_copies(const Env *env); /* episodes may be copied by memcpy */

/* Draws an outcome of the pending chance move, without applying it. */
uint32_t env_draw_chance(const Env *env, const void *episode, AgonRng *rng);
/* Runs chance moves until a decision or the end; `reward` accumulates. */
AgonStatus env_settle(const Env *env, void *episode, AgonStatus status, AgonRng *rng, float *reward);
AgonStatus env_reset(const Env *env, void *episode, AgonRng *rng, float *reward);
AgonStatus env_step(const Env *env, void *episode, const AgonAction *actions, AgonRng *rng, float *reward);
/* ERR_USAGE, naming both, unless `a` (of `what`) is `b` with the same options. */
Status env_check_same(const Env *a, const Env *b, const char *what);
/* One of the legal actions, all alike: head by head by a mask row; BOX: uniform over the box. */
void env_random_action(const Env *env, const uint8_t *mask, AgonRng *rng, AgonAction *out);
/* BOX, else nothing: what lies beyond action_low .. action_high is clipped. All agents' actions. */
void env_clip_actions(const Env *env, AgonAction *actions);
/* BOX, else nothing: one action from half-ranges around the middle, as networks choose, to what `step` takes. */
void env_scale_action(const Env *env, AgonAction *action);
const uint32_t *env_head_sizes(const Env *env); /* NULL: BOX */
/* Index of the first float that is no number or not within -limit .. limit (INFINITY: not finite), or `count`. */
size_t env_first_beyond(const void *floats, size_t count, float limit);
/* flags[i * agents + agent] of many episodes. */
void env_flags(const Env *env, size_t count, const void *const *episodes, uint8_t *flags);
/* Observation row as floats, whatever the element type. */
void env_observe_f32(const Env *env, const void *episode, uint32_t agent, float *row);

/* The conformance suite: plays `episodes` random episodes and checks every clause of agon/env.h that can be checked.
 * The first broken clause is ERR_ENV with its name. *out_checks counts the clauses that were exercised. */
Status env_conformance(const Env *env, uint64_t seed, size_t episodes, size_t *out_checks);
