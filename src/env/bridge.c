/* Environments of the user's own Python: the table of functions over a worker process. What the
 * worker says of itself (JSON) becomes a spec; views are read from the memory that both share. */
#include "env/bridge.h"

#include "env/bridge_parts.h"
#include "env/env.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MOST_CELLS = 4096,   /* live environments */
  MOST_BATCH = 1024,   /* in one request */
  MOST_PICTURE = 8192, /* how much of the worker's words an error may repeat */
  ALIGN = 64
};
#define MOST_SHARED ((size_t)1 << 36) /* bytes, of which only what is written to takes room */

/* What the host keeps as params. */
typedef struct Params {
  const char *name; /* the table's: library:name */
  Bridge *bridge;
} Params;

static const char *const libraries[] = {"gymnasium:", "pettingzoo:", "openspiel:", "python:"};

static const AgonEnvOption options[] = {
    {"kwargs", AGON_OPT_TEXT, "", 0, 0, NULL,
     "arguments of the environment, as a=1,b=[1,2],c=text or a JSON object"},
    {"steps", AGON_OPT_INT, "0", 0, 1e8, NULL,
     "an episode is cut after so many; 0: as the environment says, or after 1,000"},
    {"teams", AGON_OPT_TEXT, "auto", 0, 0, NULL,
     "who shares an interest: one (all), each (nobody), name (agents of one name before _NUMBER), "
     "or agents as a_0,a_1/b_0; auto: as the environment says, or seems to"},
    {"bounds", AGON_OPT_CHOICE, "space", 0, 0, "space|free",
     "free: observations may lie outside of what their space says"},
    {"exact", AGON_OPT_BOOL, "true", 0, 0, NULL,
     "seed and actions decide everything; false: a resumed run abandons unfinished episodes"},
    {"chance", AGON_OPT_CHOICE, "told", 0, 0, "told|drawn",
     "OpenSpiel: told: chance moves are the host's, so that trees can be walked; drawn: by the "
     "episode's seed, in the same message as the move before it, which is faster"},
    {"observation", AGON_OPT_CHOICE, "auto", 0, 0, "auto|observation|information_state",
     "OpenSpiel: which tensor agents see; auto: the information state of games that hide "
     "something"},
    {"patience", AGON_OPT_INT, "300", 0, 1e6, NULL,
     "seconds that one move or reset may take, or (at least 60) the making of the environment: the "
     "job ends after that; 0: no limit"},
};
enum { OPTIONS = sizeof options / sizeof *options };

bool bridge_is(const char *name) {
  for (size_t i = 0; i < COUNT_OF(libraries); i++)
    if (!strncmp(name, libraries[i], strlen(libraries[i]))) return true;
  return false;
}

/* Gymnasium imports what stands before a second colon. */
bool bridge_runs_named_code(const char *name) {
  if (!strncmp(name, "python:", 7)) return true;
  return !strncmp(name, "gymnasium:", 10) && strchr(name + 10, ':');
}

void bridge_use_python(const char *program) {
  bridge_python = program && *program ? program : NULL;
}

void bridge_heed_stop(bool (*asked)(void *context), void *context) {
  bridge_stop_asked = asked;
  bridge_stop_context = context;
}

static AgonError fault; /* the first that nobody could be told */

const char *bridge_fault(void) {
  return fault.text;
}

static void note_fault(const AgonError *error) {
  if (!fault.text[0]) fault = *error;
}

static Bridge *bridge_of(const void *params) {
  return ((const Params *)params)->bridge;
}

/* --- reading the worker's description --- */
static int wrong(AgonError *error, const char *what) {
  snprintf(error->text, sizeof error->text, "its Python side describes it wrongly: %s", what);
  return -1;
}

/* An integer of an object; `fallback` where it has none. */
static uint32_t number(const json_t *object, const char *key, uint32_t fallback) {
  const json_t *value = json_object_get(object, key);
  return json_is_integer(value) ? (uint32_t)json_integer_value(value) : fallback;
}

static float real(const json_t *object, const char *key, float fallback) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? (float)json_number_value(value) : fallback;
}

static bool truth(const json_t *object, const char *key) {
  return json_is_true(json_object_get(object, key));
}

static uint32_t count_of(const json_t *object, const char *key) {
  return (uint32_t)json_array_size(json_object_get(object, key));
}

/* Texts of an array, borrowed from it; NULL where there are none. */
static int take_texts(const json_t *array, const char ***out, size_t *count, AgonError *error) {
  *count = json_array_size(array);
  *out = NULL;
  if (!*count) return 0;
  *out = calloc(*count, sizeof **out);
  if (!*out) return wrong(error, "out of memory");
  for (size_t i = 0; i < *count; i++)
    (*out)[i] = json_string_value(json_array_get(array, i));
  return 0;
}

/* Numbers of an object's array, each below `end`, into `out`. */
static bool take_members(const json_t *object, const char *key, uint8_t *out, uint32_t count,
                         uint32_t end) {
  const json_t *array = json_object_get(object, key);
  for (uint32_t i = 0; i < count; i++) {
    const json_int_t member = json_integer_value(json_array_get(array, i));
    if (member < 0 || member >= (json_int_t)end) return false;
    out[i] = (uint8_t)member;
  }
  return true;
}

/* One kind; its heads' arrays come out of the bridge's common ones, which are long enough. */
static int take_kind(const json_t *said, AgonKind *kind, uint32_t **choices, float **values,
                     AgonError *error) {
  const json_t *shape = json_object_get(said, "shape");
  const json_t *sizes = json_object_get(said, "sizes");
  const json_t *low = json_object_get(said, "action_low");
  const json_t *high = json_object_get(said, "action_high");
  if (json_array_size(shape) != 3) return wrong(error, "a shape without three dimensions");
  *kind = (AgonKind){.name = json_string_value(json_object_get(said, "name")),
                     .observation_type = truth(said, "bytes") ? AGON_U8 : AGON_F32,
                     .observation_low = real(said, "low", -INFINITY),
                     .observation_high = real(said, "high", INFINITY)};
  for (uint32_t i = 0; i < 3; i++)
    kind->observation_shape[i] = (uint32_t)json_integer_value(json_array_get(shape, i));
  kind->heads = (uint32_t)json_array_size(sizes ? sizes : low);
  if (sizes) {
    kind->action_kind = kind->heads > 1 ? AGON_MULTI_DISCRETE : AGON_DISCRETE;
    kind->head_size = *choices;
    for (uint32_t h = 0; h < kind->heads; h++)
      *(*choices)++ = (uint32_t)json_integer_value(json_array_get(sizes, h));
    return 0;
  }
  kind->action_kind = AGON_BOX;
  kind->action_low = *values;
  kind->action_high = *values + kind->heads;
  for (uint32_t h = 0; h < kind->heads; h++) {
    (*values)[h] = (float)json_number_value(json_array_get(low, h));
    (*values)[kind->heads + h] = (float)json_number_value(json_array_get(high, h));
  }
  *values += 2 * kind->heads;
  return 0;
}

static int take_kinds(Bridge *bridge, AgonError *error) {
  const json_t *kinds = json_object_get(bridge->said, "kinds");
  size_t heads = 0;
  for (uint32_t k = 0; k < bridge->spec.kinds; k++) {
    const json_t *kind = json_array_get(kinds, k);
    heads += count_of(kind, "sizes") + count_of(kind, "action_low");
  }
  bridge->kind = calloc(bridge->spec.kinds, sizeof *bridge->kind);
  bridge->choices = calloc(heads + 1, sizeof *bridge->choices);
  bridge->values = calloc(2 * heads + 1, sizeof *bridge->values);
  if (!bridge->kind || !bridge->choices || !bridge->values) return wrong(error, "out of memory");
  uint32_t *choices = bridge->choices;
  float *values = bridge->values;
  for (uint32_t k = 0; k < bridge->spec.kinds; k++) {
    if (take_kind(json_array_get(kinds, k), &bridge->kind[k], &choices, &values, error)) return -1;
    if (bridge->kind[k].heads > bridge->heads) bridge->heads = bridge->kind[k].heads;
  }
  return bridge->heads ? 0 : wrong(error, "agents that can do nothing");
}

/* Names are borrowed from the description, which stays. */
static int take_names(Bridge *bridge, AgonError *error) {
  const json_t *said = bridge->said;
  const json_t *actions = json_object_get(said, "action_names");
  size_t count;
  if (take_texts(json_object_get(said, "agent_names"), &bridge->agent_name, &count, error))
    return -1;
  bridge->spec.agent_names = count == bridge->spec.agents ? bridge->agent_name : NULL;
  if (take_texts(json_object_get(said, "observation_names"), &bridge->observation_name,
                 &bridge->observation_names, error))
    return -1;
  if (!json_array_size(actions)) return 0;
  bridge->action_name = calloc(bridge->heads, sizeof *bridge->action_name);
  bridge->size = calloc(bridge->heads, sizeof *bridge->size);
  if (!bridge->action_name || !bridge->size) return wrong(error, "out of memory");
  for (uint32_t h = 0; h < bridge->heads && h < json_array_size(actions); h++) {
    if (take_texts(json_array_get(actions, h), &bridge->action_name[h], &count, error)) return -1;
    bridge->size[h] = (uint32_t)count;
  }
  return 0;
}

static uint32_t take_flags(const json_t *said, bool exact) {
  static const struct {
    const char *name;
    uint32_t bit;
  } known[] = {{"zero_sum", AGON_ZERO_SUM},
               {"cooperative", AGON_COOPERATIVE},
               {"perfect_information", AGON_PERFECT_INFORMATION},
               {"simultaneous", AGON_SIMULTANEOUS},
               {"enumerates_chance", AGON_ENUMERATES_CHANCE},
               {"returns_add", AGON_RETURNS_ADD}};
  uint32_t flags = exact ? 0 : AGON_NOT_SAVED;
  const json_t *names = json_object_get(said, "flags");
  for (size_t at = 0; at < json_array_size(names); at++)
    for (size_t i = 0; i < COUNT_OF(known); i++)
      if (!strcmp(json_string_value(json_array_get(names, at)), known[i].name))
        flags |= known[i].bit;
  return flags;
}

static int too_many(const AgonEnvSpec *spec, AgonError *error) {
  snprintf(
      error->text, sizeof error->text,
      "it has %u agents in %u teams, of %u kinds, and there may be 1 to %d in 1 to %d, of 1 to "
      "%d; env.teams says who is in a team",
      spec->agents, spec->teams, spec->kinds, AGON_MAX_AGENTS, AGON_MAX_TEAMS, AGON_MAX_KINDS);
  return -1;
}

static int take_spec(Bridge *bridge, AgonError *error) {
  const json_t *said = bridge->said;
  AgonEnvSpec *spec = &bridge->spec;
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .agents = number(said, "agents", 0),
                        .teams = number(said, "teams", 0),
                        .kinds = count_of(said, "kinds"),
                        .chance = number(said, "chance", 0),
                        .global_state_size = number(said, "state", 0),
                        .step_limit = number(said, "step_limit", 0),
                        .flags = take_flags(said, bridge->exact),
                        .reward_low = real(said, "return_low", -1e9f),
                        .reward_high = real(said, "return_high", 1e9f)};
  if (spec->agents < 1 || spec->agents > AGON_MAX_AGENTS || spec->kinds < 1 ||
      spec->kinds > AGON_MAX_KINDS || count_of(said, "team_of") != spec->agents ||
      count_of(said, "kind_of") != spec->agents || spec->teams < 1 || spec->teams > AGON_MAX_TEAMS)
    return too_many(spec, error);
  bridge->turns = truth(said, "turns");
  bridge->seeded = truth(said, "seeded");
  bridge->masked = truth(said, "masks");
  bridge->root = truth(said, "chance_first") ? AGON_CHANCE : AGON_RUNNING;
  bridge->team_of = calloc(spec->agents, 1);
  bridge->kind_of = calloc(spec->agents, 1);
  bridge->team = calloc(spec->teams, sizeof *bridge->team);
  if (!bridge->team_of || !bridge->kind_of || !bridge->team) return wrong(error, "out of memory");
  if (!take_members(said, "team_of", bridge->team_of, spec->agents, spec->teams))
    return wrong(error, "an agent of no team");
  if (!take_members(said, "kind_of", bridge->kind_of, spec->agents, spec->kinds))
    return wrong(error, "an agent of no kind");
  if (take_kinds(bridge, error) || take_names(bridge, error)) return -1;
  spec->team_of = bridge->team_of;
  spec->kind_of = bridge->kind_of;
  spec->kind = bridge->kind;
  bridge->width = bridge->heads * (bridge->turns ? 1 : spec->agents);
  bridge->rows = spec->step_limit + number(said, "chance_moves", 0);
  spec->episode_size = sizeof(BridgePast) + (size_t)bridge->rows * bridge->width * sizeof(int32_t);
  return 0;
}

/* --- the shared memory --- */
static size_t up(size_t size) {
  return (size + ALIGN - 1) / ALIGN * ALIGN;
}

/* Where each agent's rows lie in those of a cell. */
static int lay_rows(Bridge *bridge, AgonError *error) {
  const uint32_t agents = bridge->spec.agents;
  size_t *sizes = calloc(4 * (size_t)agents, sizeof *sizes);
  if (!sizes) return wrong(error, "out of memory");
  bridge->row_at = sizes;
  bridge->row_size = sizes + agents;
  bridge->mask_at = sizes + 2 * (size_t)agents;
  bridge->mask_size = sizes + 3 * (size_t)agents;
  for (uint32_t a = 0; a < agents; a++) {
    const AgonKind *kind = &bridge->kind[bridge->kind_of[a]];
    const uint32_t *shape = kind->observation_shape;
    bridge->row_at[a] = bridge->row_bytes;
    bridge->row_size[a] = (size_t)shape[0] * shape[1] * shape[2] *
                          (kind->observation_type == AGON_U8 ? 1 : sizeof(float));
    bridge->row_bytes += (bridge->row_size[a] + 7) / 8 * 8;
    bridge->mask_at[a] = bridge->mask_bytes;
    for (uint32_t h = 0; kind->head_size && h < kind->heads; h++)
      bridge->mask_size[a] += kind->head_size[h];
    bridge->mask_bytes += bridge->mask_size[a];
  }
  return 0;
}

/* An array of the shared memory: noted for the worker, and its end returned. */
static size_t put_array(json_t *layout, const char *name, size_t at, size_t bytes) {
  json_object_set_new(layout, name, json_integer((json_int_t)at));
  return at + up(bytes);
}

/* Offsets of all arrays; returns the bytes of all. */
static size_t lay_out(const Bridge *bridge, json_t *layout) {
  const size_t cells = bridge->cells;
  const size_t agents = bridge->spec.agents;
  size_t at = put_array(layout, "cell", 0, bridge->batch * sizeof(int32_t));
  at = put_array(layout, "words", at, (size_t)bridge->batch * bridge->width * sizeof(int32_t));
  at = put_array(layout, "status", at, cells * sizeof(int32_t));
  at = put_array(layout, "reward", at, cells * agents * sizeof(float));
  at = put_array(layout, "total", at, cells * agents * sizeof(double));
  at = put_array(layout, "flags", at, cells * agents);
  at = put_array(layout, "have", at, cells * agents);
  at = put_array(layout, "chances", at, cells * sizeof(int32_t));
  at = put_array(layout, "chance", at, cells * bridge->spec.chance * sizeof(double));
  at = put_array(layout, "state", at, cells * bridge->spec.global_state_size * sizeof(float));
  at = put_array(layout, "rows", at, cells * bridge->row_bytes);
  at = put_array(layout, "pulse", at, 2 * sizeof(int32_t));
  at = put_array(layout, "seed", at, cells * sizeof(uint32_t));
  return put_array(layout, "masks", at, cells * bridge->mask_bytes);
}

static void *array_at(const Bridge *bridge, const json_t *layout, const char *name) {
  return bridge->worker.map + json_integer_value(json_object_get(layout, name));
}

static void find_arrays(Bridge *bridge, const json_t *layout) {
  bridge->memory = (BridgeMemory){.cell = array_at(bridge, layout, "cell"),
                                  .words = array_at(bridge, layout, "words"),
                                  .status = array_at(bridge, layout, "status"),
                                  .reward = array_at(bridge, layout, "reward"),
                                  .total = array_at(bridge, layout, "total"),
                                  .flags = array_at(bridge, layout, "flags"),
                                  .have = array_at(bridge, layout, "have"),
                                  .chances = array_at(bridge, layout, "chances"),
                                  .chance = array_at(bridge, layout, "chance"),
                                  .state = array_at(bridge, layout, "state"),
                                  .rows = array_at(bridge, layout, "rows"),
                                  .masks = array_at(bridge, layout, "masks"),
                                  .pulse = array_at(bridge, layout, "pulse"),
                                  .seed = array_at(bridge, layout, "seed")};
  bridge->worker.pulse = bridge->memory.pulse;
  bridge->worker.seed = bridge->memory.seed;
}

/* What one cell takes, so that all fit. */
static size_t cell_bytes(const Bridge *bridge) {
  return bridge->row_bytes + bridge->mask_bytes + (size_t)bridge->spec.agents * 16 + 72 +
         bridge->spec.chance * sizeof(double) + bridge->spec.global_state_size * sizeof(float);
}

static json_t *sizes_of(const Bridge *bridge) {
  json_t *layout =
      json_pack("{s:I,s:I,s:I,s:I,s:I}", "cells", (json_int_t)bridge->cells, "batch",
                (json_int_t)bridge->batch, "row_words", (json_int_t)bridge->width, "row_bytes",
                (json_int_t)bridge->row_bytes, "mask_bytes", (json_int_t)bridge->mask_bytes);
  json_t *rows = json_array();
  json_t *masks = json_array();
  for (uint32_t a = 0; a < bridge->spec.agents; a++) {
    json_array_append_new(rows, json_integer((json_int_t)bridge->row_at[a]));
    json_array_append_new(masks, json_integer((json_int_t)bridge->mask_at[a]));
  }
  json_object_set_new(layout, "row_at", rows);
  json_object_set_new(layout, "mask_at", masks);
  return layout;
}

/* A JSON value as the payload of a request. */
static int ask(Bridge *bridge, uint32_t code, const json_t *value, AgonError *error) {
  char *text = json_dumps(value, JSON_COMPACT);
  if (!text) return wrong(error, "out of memory");
  const int failed = bridge_worker_ask(&bridge->worker, code, 0, text, strlen(text), error);
  free(text);
  return failed;
}

static int share(Bridge *bridge, AgonError *error) {
  if (lay_rows(bridge, error)) return -1;
  const size_t most = MOST_SHARED / cell_bytes(bridge);
  bridge->cells = most < MOST_CELLS ? (uint32_t)most : MOST_CELLS;
  if (bridge->cells < 8) return wrong(error, "observations of more than 8 GiB an episode");
  bridge->batch = bridge->cells / 2 < MOST_BATCH ? bridge->cells / 2 : MOST_BATCH;
  json_t *layout = sizes_of(bridge);
  const size_t size = lay_out(bridge, layout);
  json_object_set_new(layout, "size", json_integer((json_int_t)size));
  int failed = bridge_worker_share(&bridge->worker, size, error);
  if (!failed) failed = ask(bridge, BRIDGE_MAP, layout, error);
  if (!failed) find_arrays(bridge, layout);
  json_decref(layout);
  return failed ? -1 : bridge_cells_create(bridge, error);
}

/* --- configuration --- */
static void bridge_destroy(Bridge *bridge) {
  if (!bridge) return;
  bridge_worker_stop(&bridge->worker);
  bridge_cells_destroy(bridge);
  for (uint32_t h = 0; bridge->action_name && h < bridge->heads; h++)
    free(bridge->action_name[h]);
  free(bridge->action_name);
  free(bridge->size);
  free(bridge->agent_name);
  free(bridge->observation_name);
  free(bridge->kind);
  free(bridge->team_of);
  free(bridge->kind_of);
  free(bridge->choices);
  free(bridge->values);
  free(bridge->team);
  free(bridge->row_at);
  json_decref(bridge->said);
  free(bridge);
}

/* What the worker is told first. */
static json_t *question(const char *name, const char *const *values) {
  const char *colon = strchr(name, ':');
  json_t *given =
      json_pack("{s:s,s:i,s:s,s:s,s:s,s:s}", "kwargs", values[0], "steps", atoi(values[1]), "teams",
                values[2], "bounds", values[3], "chance", values[5], "observation", values[6]);
  return json_pack("{s:s%,s:s,s:b,s:o}", "library", name, (size_t)(colon - name), "name", colon + 1,
                   "exact", !strcmp(values[4], "true"), "options", given);
}

static int describe(Bridge *bridge, const char *name, const char *const *values, AgonError *error) {
  json_error_t where;
  json_t *asked = question(name, values);
  if (!asked) return wrong(error, "an option that is no text (UTF-8)");
  int failed = ask(bridge, BRIDGE_HELLO, asked, error);
  json_decref(asked);
  if (failed) return -1;
  bridge->said = json_loadb((const char *)bridge->worker.answer.data,
                            bridge->worker.answer.size - 1, 0, &where);
  return bridge->said ? take_spec(bridge, error) : wrong(error, where.text);
}

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  Params *own = params;
  Bridge *bridge = calloc(1, sizeof *bridge);
  if (!bridge) return wrong(error, "out of memory");
  bridge->worker =
      (BridgeWorker){.socket = -1, .memory = -1, .patience = atoi(values[7]), .stuck = -1};
  bridge->exact = !strcmp(values[4], "true");
  if (bridge_worker_start(&bridge->worker, error) || describe(bridge, own->name, values, error) ||
      share(bridge, error)) {
    bridge_destroy(bridge);
    return -1;
  }
  own->bridge = bridge;
  *spec = bridge->spec;
  return 0;
}

static void unconfigure(void *params) {
  Params *own = params;
  bridge_destroy(own->bridge);
  own->bridge = NULL;
}

/* --- play --- */
static AgonStatus reset(const void *params, void *episode, const AgonRandom *random,
                        AgonError *error) {
  Bridge *bridge = bridge_of(params);
  return bridge_cells_begin(bridge, episode, bridge->seeded ? agon_random_seed(random) : 0, error);
}

static const uint8_t *flags_at(const Bridge *bridge, uint32_t cell) {
  return bridge->memory.flags + (size_t)cell * bridge->spec.agents;
}

/* The words of a move: rows of those who act; where nobody acts beside another, that one's. */
static void write_words(const Bridge *bridge, uint32_t cell, const AgonAction *actions,
                        int32_t *words) {
  const uint8_t *flag = flags_at(bridge, cell);
  const size_t row = bridge->heads * sizeof *words;
  memset(words, 0, bridge->width * sizeof *words);
  for (uint32_t a = 0; a < bridge->spec.agents; a++) {
    if (!(flag[a] & AGON_ACTS)) continue;
    memcpy(words + (bridge->turns ? 0 : a * bridge->heads), actions + a * bridge->heads, row);
    if (bridge->turns) return;
  }
}

/* The past of a cell after its move, and what it earned. */
static AgonStatus conclude(Bridge *bridge, uint32_t cell, BridgePast *past, const int32_t *words,
                           float *reward) {
  const float *earned = bridge->memory.reward + (size_t)cell * bridge->spec.agents;
  bridge_past_add(bridge, past, words);
  past->status = bridge->memory.status[cell];
  for (uint32_t a = 0; a < bridge->spec.agents; a++)
    reward[a] += earned[a];
  bridge_cells_moved(bridge, cell, past);
  return (AgonStatus)past->status;
}

/* A cell for the next move of a past; bridge->cells and error->text without one. */
static uint32_t ready(Bridge *bridge, const BridgePast *past, AgonError *error) {
  if (past->moves >= bridge->rows) {
    snprintf(error->text, sizeof error->text, "more than %u moves, which is all that it said",
             bridge->rows);
    return bridge->cells;
  }
  const uint32_t cell = bridge_cells_take(bridge, past);
  if (cell == bridge->cells) *error = bridge->why;
  return cell;
}

/* One request for as many as have their cells in memory.cell; their places in the call are in
 * `index`, their statuses AGON_FAILED. If it fails nothing goes on; only who made it fail is said
 * to have failed, where that is known. */
static void make_moves(Bridge *bridge, uint32_t code, size_t count, const uint32_t *index,
                       void *const *episodes, float *reward, AgonStatus *status, AgonError *error) {
  AgonError why = {""};
  bool named = false;
  const int failed =
      count ? bridge_worker_ask(&bridge->worker, code, (uint32_t)count, NULL, 0, &why) : 0;
  if (failed && bridge->worker.stuck >= 0)
    bridge->memory.status[bridge->worker.stuck] = AGON_FAILED;
  for (size_t i = 0; failed && i < count; i++)
    named |= bridge->memory.status[bridge->memory.cell[i]] == AGON_FAILED;
  for (size_t i = 0; i < count; i++) {
    const uint32_t cell = (uint32_t)bridge->memory.cell[i];
    BridgePast *past = episodes[index[i]];
    if (failed) {
      past->status = AGON_FAILED;
      bridge_cells_moved(bridge, cell, past);
      if (named && bridge->memory.status[cell] != AGON_FAILED) status[index[i]] = AGON_RUNNING;
      continue;
    }
    status[index[i]] = conclude(bridge, cell, past, bridge->memory.words + i * bridge->width,
                                reward + (size_t)index[i] * bridge->spec.agents);
  }
  if (failed && !error->text[0]) *error = why;
}

/* In batches that fit into the request. */
static void step_many(const void *params, size_t count, void *const *episodes,
                      const AgonAction *actions, const AgonRandom *random, float *reward,
                      AgonStatus *status, AgonError *error) {
  Bridge *bridge = bridge_of(params);
  uint32_t index[MOST_BATCH];
  const size_t row = (size_t)bridge->spec.agents * bridge->heads;
  (void)random;
  for (size_t at = 0; at < count;) {
    size_t batch = 0;
    for (; at < count && batch < bridge->batch; at++) {
      AgonError why = {""};
      const uint32_t cell = ready(bridge, episodes[at], &why);
      status[at] = AGON_FAILED;
      if (cell == bridge->cells) {
        if (!error->text[0]) *error = why;
        continue;
      }
      bridge->memory.cell[batch] = (int32_t)cell;
      write_words(bridge, cell, actions + at * row, bridge->memory.words + batch * bridge->width);
      index[batch++] = (uint32_t)at;
    }
    make_moves(bridge, BRIDGE_STEP, batch, index, episodes, reward, status, error);
  }
}

static AgonStatus step(const void *params, void *episode, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  AgonStatus status = AGON_FAILED;
  step_many(params, 1, &episode, actions, random, reward, &status, error);
  return status;
}

static AgonStatus chance_apply(const void *params, void *episode, uint32_t outcome, float *reward,
                               AgonError *error) {
  Bridge *bridge = bridge_of(params);
  const uint32_t first = 0;
  AgonStatus status = AGON_FAILED;
  const uint32_t cell = ready(bridge, episode, error);
  if (cell == bridge->cells) return AGON_FAILED;
  bridge->memory.cell[0] = (int32_t)cell;
  memset(bridge->memory.words, 0, bridge->width * sizeof *bridge->memory.words);
  bridge->memory.words[0] = (int32_t)outcome;
  make_moves(bridge, BRIDGE_CHANCE, 1, &first, &episode, reward, &status, error);
  return status;
}

/* For who cannot fail. */
static uint32_t seek(Bridge *bridge, const void *episode) {
  const uint32_t cell = bridge_cells_find(bridge, episode);
  if (cell == bridge->cells) note_fault(&bridge->why);
  return cell;
}

static uint32_t chance_outcomes(const void *params, const void *episode, double *probability) {
  Bridge *bridge = bridge_of(params);
  const uint32_t cell = seek(bridge, episode);
  if (cell == bridge->cells) return 0;
  const uint32_t count = (uint32_t)bridge->memory.chances[cell];
  if (count > bridge->spec.chance) return count; /* the host says so */
  memcpy(probability, bridge->memory.chance + (size_t)cell * bridge->spec.chance,
         count * sizeof *probability);
  return count;
}

/* --- what is seen --- */
/* Whose live environment cannot be rebuilt is said to be in the game: its next step says why. */
static void flags(const void *params, const void *episode, uint8_t *out) {
  Bridge *bridge = bridge_of(params);
  const uint32_t cell = seek(bridge, episode);
  if (cell == bridge->cells)
    memset(out, AGON_ACTS | AGON_ALIVE, bridge->spec.agents);
  else
    memcpy(out, flags_at(bridge, cell), bridge->spec.agents);
}

/* Of those who do not act it is only written where somebody asks. */
static void observe(const void *params, const void *episode, uint32_t agent, void *row) {
  Bridge *bridge = bridge_of(params);
  const uint32_t cell = seek(bridge, episode);
  if (cell < bridge->cells) {
    const uint32_t about[2] = {cell, agent};
    const uint8_t *have = bridge->memory.have + (size_t)cell * bridge->spec.agents;
    AgonError error = {""};
    if (have[agent] ||
        !bridge_worker_ask(&bridge->worker, BRIDGE_VIEW, 0, about, sizeof about, &error)) {
      memcpy(row, bridge->memory.rows + cell * bridge->row_bytes + bridge->row_at[agent],
             bridge->row_size[agent]);
      return;
    }
    note_fault(&error);
  }
  memset(row, 0, bridge->row_size[agent]);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  Bridge *bridge = bridge_of(params);
  const uint32_t cell = bridge->masked ? seek(bridge, episode) : bridge->cells;
  if (cell == bridge->cells)
    memset(row, 1, bridge->mask_size[agent]);
  else
    memcpy(row, bridge->memory.masks + cell * bridge->mask_bytes + bridge->mask_at[agent],
           bridge->mask_size[agent]);
}

static void global_state(const void *params, const void *episode, float *row) {
  Bridge *bridge = bridge_of(params);
  const size_t size = bridge->spec.global_state_size;
  const uint32_t cell = seek(bridge, episode);
  AgonError error = {""};
  if (cell < bridge->cells) {
    if (!bridge_worker_ask(&bridge->worker, BRIDGE_STATE, 0, &cell, sizeof cell, &error)) {
      memcpy(row, bridge->memory.state + cell * size, size * sizeof *row);
      return;
    }
    note_fault(&error);
  }
  memset(row, 0, size * sizeof *row);
}

/* Who has earned more has won: of two teams the one with the higher mean return; of several, the
 * share of the others that a team is ahead of. */
static void outcome(const void *params, const void *episode, float *out) {
  Bridge *bridge = bridge_of(params);
  const AgonEnvSpec *spec = &bridge->spec;
  const uint32_t cell = seek(bridge, episode);
  for (uint32_t t = 0; t < spec->teams; t++)
    bridge->team[t] = 0;
  for (uint32_t a = 0; a < spec->agents && cell < bridge->cells; a++) {
    uint32_t members = 0;
    for (uint32_t b = 0; b < spec->agents; b++)
      members += spec->team_of[b] == spec->team_of[a];
    bridge->team[spec->team_of[a]] +=
        bridge->memory.total[(size_t)cell * spec->agents + a] / members;
  }
  for (uint32_t t = 0; t < spec->teams; t++) {
    float ahead = 0;
    for (uint32_t u = 0; u < spec->teams; u++)
      if (u != t) {
        const double lead = bridge->team[t] - bridge->team[u];
        ahead += lead > 1e-9 ? 1 : lead < -1e-9 ? 0 : 0.5f;
      }
    out[t] = spec->teams > 1 ? ahead / (float)(spec->teams - 1) : 0.5f;
  }
}

static void render(const void *params, const void *episode, char *text, size_t size) {
  Bridge *bridge = bridge_of(params);
  const uint32_t cell = bridge_cells_find(bridge, episode);
  AgonError error;
  text[0] = 0;
  if (cell < bridge->cells && truth(bridge->said, "pictures") &&
      !bridge_worker_ask(&bridge->worker, BRIDGE_RENDER, 0, &cell, sizeof cell, &error) &&
      bridge->worker.answer.size)
    snprintf(text, size, "%s", (const char *)bridge->worker.answer.data);
}

static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  const Bridge *bridge = bridge_of(params);
  if (!bridge->action_name || choice >= bridge->size[head]) return NULL;
  return bridge->action_name[head][choice];
}

static const char *observation_name(const void *params, uint32_t index) {
  const Bridge *bridge = bridge_of(params);
  return index < bridge->observation_names ? bridge->observation_name[index] : NULL;
}

static const AgonEnv pattern = {AGON_ENV_SIZES,
                                .version = 1,
                                .options = options,
                                .option_count = OPTIONS,
                                .params_capacity = sizeof(Params),
                                .configure = configure,
                                .unconfigure = unconfigure,
                                .reset = reset,
                                .step = step,
                                .step_many = step_many,
                                .observe = observe,
                                .flags = flags,
                                .mask = mask,
                                .outcome = outcome,
                                .chance_outcomes = chance_outcomes,
                                .chance_apply = chance_apply,
                                .global_state = global_state,
                                .action_name = action_name,
                                .observation_name = observation_name,
                                .render = render};

bool bridge_option_is_aside(const AgonEnv *table, const char *option) {
  static const char *const aside[] = {"bounds", "exact", "patience"};
  for (size_t i = 0; table->configure == configure && i < COUNT_OF(aside); i++)
    if (!strcmp(option, aside[i])) return true;
  return false;
}

void bridge_prepare(const AgonEnv *table, void *params) {
  if (table->configure == configure) *(Params *)params = (Params){.name = table->name};
}

/* The name is the table's own, as it stands in titles and files of results. */
Status bridge_open(const char *name, const AgonEnv **out, void **out_plugin) {
  AgonEnv table = pattern;
  const size_t size = strlen(name);
  if (size >= AGON_NAME_LEN)
    return status_set(ERR_USAGE,
                      "%s: a name of more than %d characters: give what the environment is to be "
                      "made with by env.kwargs",
                      name, AGON_NAME_LEN - 1);
  if (!name[strcspn(name, ":") + 1])
    return status_set(ERR_USAGE,
                      "%s of which environment? gymnasium:CartPole-v1, "
                      "pettingzoo:mpe2.simple_spread_v3, openspiel:leduc_poker, "
                      "python:MODULE:FACTORY",
                      name);
  char *own = strdup(name);
  if (!own) return status_set(ERR_MEMORY, "out of memory");
  table.name = own;
  table.summary = "an environment of the user's Python";
  return env_plugin_hold(&table, own, out, out_plugin);
}
