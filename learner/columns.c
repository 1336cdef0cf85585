#include "learner/columns.h"

#include "base/text.h"
#include "store/counters.h"

#include <string.h>

/* Names of a part's columns: its block, and Adam's moments and steps if it is trained. The policy's
 * moments have the names that they had when it was the only part. */
typedef struct PartColumns {
  char block[STORE_PATH];
  char m[STORE_PATH];
  char v[STORE_PATH];
  char steps[STORE_PATH]; /* only where they are not the player's: the part rested in some */
} PartColumns;

/* What a player has besides its parts. The first three and the average are of the policy; where no
 * average is kept there is no column of it. */
static const char *const besides[] = {
    "policy_acting", "policy_reference", "policy_average", "normaliser", PLAYER_COUNTERS_COLUMN,
};

/* A part named "mixer" has columns mixer, mixer_m, mixer_v and mixer_steps; the policy's are
 * adam_m, adam_v and adam_steps. */
static Status name_columns(const char *part, PartColumns *out) {
  const char *moments = strcmp(part, "policy") ? part : "adam";
  TRY_RETURN(text_format(out->block, sizeof out->block, "%s", part));
  TRY_RETURN(text_format(out->m, sizeof out->m, "%s_m", moments));
  TRY_RETURN(text_format(out->v, sizeof out->v, "%s_v", moments));
  return text_format(out->steps, sizeof out->steps, "%s_steps", moments);
}

/* A part that no optimiser steps (a target network) has no moments. */
static Status put_part(Tree *out, const TrainPart *part, uint64_t steps) {
  PartColumns name;
  TRY_RETURN(name_columns(part->name, &name));
  TRY_RETURN(tree_put(out, name.block, STORE_F32, part->floats, 1, part->block));
  if (part->trained == 0) return OK;
  TRY_RETURN(tree_put(out, name.m, STORE_F32, part->trained, 1, part->m));
  TRY_RETURN(tree_put(out, name.v, STORE_F32, part->trained, 1, part->v));
  if (part->steps == steps) return OK;
  return tree_put(out, name.steps, STORE_U64, 1, 1, &part->steps);
}

/* A player in training as columns of a tree, from which an update goes on bit for bit. On failure
 * the tree is the caller's to free. */
Status columns_put(const Net *net, bool average, const TrainState *state, Tree *out) {
  const size_t block = net->block;
  const uint64_t counters[PLAYER_COUNTERS] = {
      [PLAYER_LIFE] = state->life,
      [PLAYER_VERSION] = state->version,
      [PLAYER_MIN_VERSION] = state->min_version,
      [PLAYER_FRAMES] = state->frames,
      [PLAYER_DROPPED] = state->dropped,
      [PLAYER_STEPS] = state->steps,
      [PLAYER_LIFE_FRAMES] = state->life_frames,
      [PLAYER_RUN_FRAMES] = state->run_frames,
  };
  for (size_t i = 0; i < state->parts; i++)
    TRY_RETURN(put_part(out, &state->part[i], state->steps));
  TRY_RETURN(tree_put(out, "policy_acting", STORE_F32, block, 1, state->acting));
  TRY_RETURN(tree_put(out, "policy_reference", STORE_F32, block, 1, state->reference));
  if (average) TRY_RETURN(tree_put(out, "policy_average", STORE_F32, block, 1, state->average));
  size_t stats = train_state_stat_count(net);
  TRY_RETURN(tree_put(out, "normaliser", STORE_F64, stats, 1, state->stat));
  return tree_put(out, PLAYER_COUNTERS_COLUMN, STORE_U64, PLAYER_COUNTERS, 1, counters);
}

/* Where no average is kept, it begins at the policy. */
static const char *average_of(const Tree *columns) {
  return tree_find(columns, "policy_average") ? "policy_average" : "policy";
}

/* Counters up to 2^53, which a double carries exactly: metrics and JSON do. */
static Status check_counters(const Tree *columns) {
  const Item *item;
  TRY_RETURN(tree_get(columns, PLAYER_COUNTERS_COLUMN, STORE_U64, PLAYER_COUNTERS, &item));
  const uint64_t *counter = item->data;
  for (int i = 0; i < PLAYER_COUNTERS; i++)
    if (counter[i] >> 53)
      return tree_fault(columns, PLAYER_COUNTERS_COLUMN, i, "is an impossible count");
  if (counter[PLAYER_LIFE] > UINT32_MAX)
    return tree_fault(columns, PLAYER_COUNTERS_COLUMN, PLAYER_LIFE,
                      "is an impossible count of lives");
  if (counter[PLAYER_MIN_VERSION] > counter[PLAYER_VERSION])
    return tree_fault(columns, PLAYER_COUNTERS_COLUMN, PLAYER_MIN_VERSION,
                      "is a version of the future");
  if (counter[PLAYER_LIFE_FRAMES] > counter[PLAYER_FRAMES])
    return tree_fault(columns, PLAYER_COUNTERS_COLUMN, PLAYER_LIFE_FRAMES,
                      "is more frames than there were");
  return OK;
}

/* The column is there, of this type and length, and all its numbers are finite. */
static Status check_column(const Tree *columns, const char *path, StoreType type, size_t count) {
  const Item *item;
  TRY_RETURN(tree_get(columns, path, type, (int64_t)count, &item));
  return tree_check_finite(columns, item);
}

/* A part has not had more steps than its player. Where there is no column, it had as many. */
static Status check_steps(const Tree *columns, const char *path) {
  const Item *item;
  const Item *counters;
  if (!tree_find(columns, path)) return OK;
  TRY_RETURN(tree_get(columns, path, STORE_U64, 1, &item));
  TRY_RETURN(tree_get(columns, PLAYER_COUNTERS_COLUMN, STORE_U64, PLAYER_COUNTERS, &counters));
  if (*(const uint64_t *)item->data > ((const uint64_t *)counters->data)[PLAYER_STEPS])
    return tree_fault(columns, path, 0, "is more steps than the player had");
  return OK;
}

/* A block and its moments. trained: how many of its leading floats have any. */
static Status check_part(const Tree *columns, const char *part, size_t floats, size_t trained) {
  PartColumns name;
  const Item *v;
  TRY_RETURN(name_columns(part, &name));
  TRY_RETURN(check_column(columns, name.block, STORE_F32, floats));
  if (trained == 0) return OK;
  TRY_RETURN(check_column(columns, name.m, STORE_F32, trained));
  TRY_RETURN(check_column(columns, name.v, STORE_F32, trained));
  TRY_RETURN(tree_get(columns, name.v, STORE_F32, (int64_t)trained, &v));
  for (size_t i = 0; i < trained; i++) /* Adam divides by the root of its second moments */
    if (((const float *)v->data)[i] < 0)
      return tree_fault(columns, name.v, (int64_t)i, "is below 0");
  return check_steps(columns, name.steps);
}

Status columns_check_parts(const Algo *algo, const Tree *columns) {
  for (size_t i = 0; i < algo->parts; i++) {
    const AlgoPart *part = &algo->part[i];
    TRY_RETURN(check_part(columns, part->name, part->floats, part->trained));
  }
  return OK;
}

/* Done before anything is taken, so that columns_take need not fail halfway. */
Status columns_check(const TrainShape *shape, const Tree *columns) {
  const Net *net = shape->algo->net;
  TRY_RETURN(check_part(columns, "policy", net->block, net->trained));
  TRY_RETURN(columns_check_parts(shape->algo, columns));
  TRY_RETURN(check_column(columns, "policy_acting", STORE_F32, net->block));
  TRY_RETURN(check_column(columns, "policy_reference", STORE_F32, net->block));
  TRY_RETURN(check_column(columns, average_of(columns), STORE_F32, net->block));
  TRY_RETURN(check_column(columns, "normaliser", STORE_F64, train_state_stat_count(net)));
  return check_counters(columns);
}

/* Whether the name is one of a part's columns. */
static bool is_of_part(const char *name, const char *part, bool trained) {
  PartColumns own;
  if (name_columns(part, &own) != OK) return false;
  if (!strcmp(name, own.block)) return true;
  return trained && (!strcmp(name, own.m) || !strcmp(name, own.v) || !strcmp(name, own.steps));
}

bool columns_takes(const Algo *algo, const char *name) {
  for (size_t i = 0; i < algo->parts; i++)
    if (is_of_part(name, algo->part[i].name, algo->part[i].trained > 0)) return true;
  for (size_t i = 0; i < COUNT_OF(besides); i++)
    if (!strcmp(name, besides[i])) return true;
  return is_of_part(name, "policy", true);
}

/* Whether the text ends so. */
static bool ends_in(const char *text, const char *end) {
  const size_t length = strlen(text);
  return length >= strlen(end) && !strcmp(text + length - strlen(end), end);
}

/* Whether a column of this name is the policy's, some part's moments, or what all players have.
 * "adam" is the name under which the policy's moments stand. */
static bool is_reserved(const char *name) {
  for (size_t i = 0; i < COUNT_OF(besides); i++)
    if (!strcmp(name, besides[i])) return true;
  return !strcmp(name, "policy") || !strcmp(name, "adam") || ends_in(name, "_m") ||
         ends_in(name, "_v") || ends_in(name, "_steps");
}

Status columns_check_names(const Algo *algo) {
  const char *by = algo->ops->name;
  for (size_t i = 0; i < algo->parts; i++) {
    const char *name = algo->part[i].name;
    if (!text_is_name(name, ALGO_PART_NAME))
      return status_set(ERR_INTERNAL,
                        "learner.algorithm: %s has a part '%.60s', whose name is no name of fewer "
                        "than %d letters",
                        by, name, ALGO_PART_NAME);
    if (is_reserved(name))
      return status_set(ERR_INTERNAL,
                        "learner.algorithm: %s has a part '%s', but checkpoints have another "
                        "column of that name: call it something else",
                        by, name);
    for (size_t other = 0; other < i; other++)
      if (!strcmp(algo->part[other].name, name))
        return status_set(ERR_INTERNAL, "learner.algorithm: %s has two parts '%s'", by, name);
  }
  return OK;
}

/* The column is known to be there and to fit. */
static void copy_column(const Tree *columns, const char *path, void *out) {
  const Item *item = tree_find(columns, path);
  memcpy(out, item->data, item->count * item->size);
}

/* steps: of the player. */
static Status take_part(const Tree *columns, TrainPart *part, uint64_t steps) {
  PartColumns name;
  TRY_RETURN(name_columns(part->name, &name));
  copy_column(columns, name.block, part->block);
  if (part->trained == 0) return OK;
  copy_column(columns, name.m, part->m);
  copy_column(columns, name.v, part->v);
  part->steps = steps;
  if (tree_find(columns, name.steps)) copy_column(columns, name.steps, &part->steps);
  return OK;
}

/* Columns have been checked (columns_check). */
Status columns_take(const Tree *columns, TrainState *state) {
  uint64_t counter[PLAYER_COUNTERS];
  copy_column(columns, PLAYER_COUNTERS_COLUMN, counter);
  for (size_t i = 0; i < state->parts; i++)
    TRY_RETURN(take_part(columns, &state->part[i], counter[PLAYER_STEPS]));
  copy_column(columns, "policy_acting", state->acting);
  copy_column(columns, "policy_reference", state->reference);
  copy_column(columns, average_of(columns), state->average);
  copy_column(columns, "normaliser", state->stat);
  state->life = (uint32_t)counter[PLAYER_LIFE];
  state->version = counter[PLAYER_VERSION];
  state->min_version = counter[PLAYER_MIN_VERSION];
  state->frames = counter[PLAYER_FRAMES];
  state->dropped = counter[PLAYER_DROPPED];
  state->steps = counter[PLAYER_STEPS];
  state->life_frames = counter[PLAYER_LIFE_FRAMES];
  state->run_frames = counter[PLAYER_RUN_FRAMES];
  return OK;
}
