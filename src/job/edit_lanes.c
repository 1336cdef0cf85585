/* The lanes are taken up as an actor alone would that goes on with all of them, are given their
 * players, and are put back. Nothing is played. */
#include "job/edit_lanes.h"

#include "actors/lanes.h"
#include "league/checkpoint.h"

#include <stdlib.h>

/* An actor's part of the work, without the actor. */
typedef struct Bench {
  Play *play;
  Recorder *recorder;
  PolicyCache *cache;
  Lanes *lanes;
} Bench;

static bool nobody_begins(void *context, PlaySlot *slot) {
  (void)context;
  (void)slot;
  return false;
}

/* Policies are not needed where nothing is played. */
static Status fetch_nothing(void *context, uint32_t player) {
  (void)context;
  (void)player;
  return OK;
}

static void close_bench(Bench *bench) {
  lanes_destroy(bench->lanes);
  play_destroy(bench->play);
  recorder_destroy(bench->recorder);
  cache_destroy(bench->cache);
}

/* On failure close_bench is due all the same. */
static Status open_bench(const JobConfig *s, const Net *net, Bench *bench) {
  const PlayHooks hooks = {.begin = nobody_begins};
  const RowFormat format = job_config_format(s, net);
  TRY_RETURN(cache_create(net->block, (size_t)s->actors.cache, &bench->cache));
  TRY_RETURN(cache_add_builtins(bench->cache, s->env));
  TRY_RETURN(play_create(s->env, net, (uint64_t)s->run.seed, (size_t)s->actors.chunk,
                         net->graph.state_size, &hooks, &bench->play));
  TRY_RETURN(play_learn_by(bench->play, &s->rewards));
  TRY_RETURN(recorder_create(s->env, &format, &bench->recorder));
  const LanesSetup lanes = {
      .config = s->actors,
      .seed = (uint64_t)s->run.seed,
      .actors = 1,
      .learning_players = s->roster.count,
      .env = s->env,
      .stages = &s->stages,
      .play = bench->play,
      .recorder = bench->recorder,
      .cache = bench->cache,
      .fetch = fetch_nothing,
  };
  return lanes_create(&lanes, &bench->lanes);
}

static Status restore(void *context, uint32_t lane, const uint8_t *bytes, size_t size) {
  return lanes_restore(context, &(WireLane){.lane = lane, .state = bytes, .size = size});
}

/* Where lane `id` is among those of the bench. */
static size_t place_of(const Lanes *lanes, uint32_t id) {
  size_t at = 0;
  while (at < lanes_count(lanes) && lanes_id(lanes, at) != id)
    at++;
  return at;
}

/* In the order of the ids, as they were. */
static Status put_lanes(const Lanes *lanes, Tree *tree) {
  Status status = OK;
  const Item *id;
  Bytes state = {0};
  uint64_t *end = NULL;
  TRY(tree_get(tree, "lanes/id", STORE_U32, -1, &id));
  const size_t count = id->count;
  TRY(NEW_ARRAY(end, count));
  for (size_t i = 0; i < count; i++) {
    TRY(lanes_encode(lanes, place_of(lanes, ((const uint32_t *)id->data)[i]), &state));
    end[i] = state.size;
  }
  if (state.failed) TRY(status_set(ERR_MEMORY, "out of memory keeping unfinished games"));
  tree_drop(tree, "lanes/end");
  tree_drop(tree, "lanes/state");
  TRY(tree_put(tree, "lanes/end", STORE_U64, count, 1, end));
  TRY(tree_put(tree, "lanes/state", STORE_U8, state.size, 1, state.data));
done:
  bytes_free(&state);
  free(end);
  return status;
}

Status edit_lanes(const JobConfig *settings, const Net *net, const uint32_t *map, size_t players,
                  Tree *tree, uint64_t *abandoned) {
  Status status = OK;
  Bench bench = {0};
  TRY(open_bench(settings, net, &bench));
  TRY(checkpoint_each_lane(tree, "lanes", restore, bench.lanes));
  TRY(lanes_renumber(bench.lanes, map, players));
  TRY(put_lanes(bench.lanes, tree));
  *abandoned += lanes_take_abandoned(bench.lanes);
done:
  close_bench(&bench);
  return status;
}
