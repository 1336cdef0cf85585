#include "learner/columns.h"

#include <string.h>

/* Where the counters of a player stand in its column of that name. */
enum {
  AT_LIFE,
  AT_VERSION,
  AT_MIN_VERSION,
  AT_FRAMES,
  AT_DROPPED,
  AT_STEPS,
  AT_LIFE_FRAMES,
  AT_RUN_FRAMES,
  COUNTERS
};

Status columns_put(const Net *net, bool average, const TrainState *state, Tree *out) {
  const size_t params = net->graph.params, block = net->block;
  const uint64_t counters[COUNTERS] = {
      [AT_LIFE] = state->life,
      [AT_VERSION] = state->version,
      [AT_MIN_VERSION] = state->min_version,
      [AT_FRAMES] = state->frames,
      [AT_DROPPED] = state->dropped,
      [AT_STEPS] = state->steps,
      [AT_LIFE_FRAMES] = state->life_frames,
      [AT_RUN_FRAMES] = state->run_frames,
  };
  TRY_RETURN(tree_put(out, "policy", STORE_F32, block, 1, state->block));
  TRY_RETURN(tree_put(out, "policy_acting", STORE_F32, block, 1, state->acting));
  TRY_RETURN(tree_put(out, "policy_reference", STORE_F32, block, 1, state->reference));
  if (average) TRY_RETURN(tree_put(out, "policy_average", STORE_F32, block, 1, state->average));
  TRY_RETURN(tree_put(out, "adam_m", STORE_F32, params, 1, state->m));
  TRY_RETURN(tree_put(out, "adam_v", STORE_F32, params, 1, state->v));
  size_t stats = train_state_stat_count(net);
  TRY_RETURN(tree_put(out, "normaliser", STORE_F64, stats, 1, state->stat));
  return tree_put(out, "counters", STORE_U64, COUNTERS, 1, counters);
}

/* Where no average is kept, it begins at the policy. */
static const char *average_of(const Tree *columns) {
  return tree_find(columns, "policy_average") ? "policy_average" : "policy";
}

static Status check_counters(const Tree *columns) {
  const Item *item;
  TRY_RETURN(tree_get(columns, "counters", STORE_U64, COUNTERS, &item));
  const uint64_t *counter = item->data;
  for (int i = 0; i < COUNTERS; i++)
    if (counter[i] >> 53) return tree_fault(columns, "counters", i, "is an impossible count");
  if (counter[AT_LIFE] > UINT32_MAX)
    return tree_fault(columns, "counters", AT_LIFE, "is an impossible count of lives");
  if (counter[AT_MIN_VERSION] > counter[AT_VERSION])
    return tree_fault(columns, "counters", AT_MIN_VERSION, "is a version of the future");
  if (counter[AT_LIFE_FRAMES] > counter[AT_FRAMES])
    return tree_fault(columns, "counters", AT_LIFE_FRAMES, "is more frames than there were");
  return OK;
}

Status columns_check(const Net *net, const Tree *columns) {
  const size_t params = net->graph.params, stats = train_state_stat_count(net);
  const struct {
    const char *path;
    StoreType type;
    size_t count;
  } column[] = {
      {"policy", STORE_F32, net->block},
      {"policy_acting", STORE_F32, net->block},
      {"policy_reference", STORE_F32, net->block},
      {average_of(columns), STORE_F32, net->block},
      {"adam_m", STORE_F32, params},
      {"adam_v", STORE_F32, params},
      {"normaliser", STORE_F64, stats},
  };
  const Item *item;
  for (size_t i = 0; i < COUNT_OF(column); i++) {
    const int64_t count = (int64_t)column[i].count;
    TRY_RETURN(tree_get(columns, column[i].path, column[i].type, count, &item));
    TRY_RETURN(tree_check_finite(columns, item));
  }
  TRY_RETURN(tree_get(columns, "adam_v", STORE_F32, (int64_t)params, &item));
  for (size_t i = 0; i < params; i++) /* Adam divides by the root of its second moments */
    if (((const float *)item->data)[i] < 0)
      return tree_fault(columns, "adam_v", (int64_t)i, "is below 0");
  return check_counters(columns);
}

static void copy_column(const Tree *columns, const char *path, void *out) {
  const Item *item = tree_find(columns, path);
  memcpy(out, item->data, item->count * item->size);
}

void columns_take(const Tree *columns, TrainState *state) {
  uint64_t counter[COUNTERS];
  copy_column(columns, "policy", state->block);
  copy_column(columns, "policy_acting", state->acting);
  copy_column(columns, "policy_reference", state->reference);
  copy_column(columns, average_of(columns), state->average);
  copy_column(columns, "adam_m", state->m);
  copy_column(columns, "adam_v", state->v);
  copy_column(columns, "normaliser", state->stat);
  copy_column(columns, "counters", counter);
  state->life = (uint32_t)counter[AT_LIFE];
  state->version = counter[AT_VERSION];
  state->min_version = counter[AT_MIN_VERSION];
  state->frames = counter[AT_FRAMES];
  state->dropped = counter[AT_DROPPED];
  state->steps = counter[AT_STEPS];
  state->life_frames = counter[AT_LIFE_FRAMES];
  state->run_frames = counter[AT_RUN_FRAMES];
}
