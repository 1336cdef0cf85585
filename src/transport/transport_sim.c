/* Many ranks in one process and one thread. Each (sender, receiver) pair has a first-in first-out queue whose messages
 * become visible after a seeded delay; a receiver picks among the visible heads at random. Replayable from its seed. */
#include "base/rng.h"
#include "transport/transport.h"

#include <stdlib.h>
#include <string.h>

typedef struct Parcel {
  Message *message;
  uint64_t visible; /* round */
} Parcel;

typedef struct Queue {
  Parcel *parcel;
  size_t first, count, room;
} Queue;

typedef struct SimTransport {
  Transport base;
  SimWorld *world;
  uint32_t slowness;
  bool dead;
} SimTransport;

struct SimWorld {
  SimConfig config;
  AgonRng rng;
  uint64_t round;
  SimTransport *rank;
  Queue *queue; /* [to * ranks + from] */
  bool aborted;
  int exit_code;
};

static Status sim_send(Transport *transport, int to, Message *message) {
  SimTransport *self = (SimTransport *)transport;
  SimWorld *world = self->world;
  if (world->config.lose_memory > 0 && rng_unit(&world->rng) < world->config.lose_memory)
    return status_set(ERR_MEMORY, "simulated failure to send");
  transport->stats.messages_sent++;
  transport->stats.bytes_sent += message->size;
  Queue *queue = &world->queue[to * world->config.ranks + transport->rank];
  Message *copy = message_create(message->size); /* as a network would: later changes by the sender must not show */
  if (!copy) return status_set(ERR_MEMORY, "out of memory sending");
  memcpy(copy->data, message->data, message->size);
  if (queue->first && queue->first + queue->count == queue->room) {
    memmove(queue->parcel, queue->parcel + queue->first, queue->count * sizeof *queue->parcel);
    queue->first = 0;
  }
  Status status = GROW(queue->parcel, queue->room, queue->first + queue->count + 1);
  if (status != OK) {
    message_release(copy);
    return status;
  }
  message_release(message);
  queue->parcel[queue->first + queue->count++] =
      (Parcel){copy, world->round + (world->config.delay ? rng_below(&world->rng, world->config.delay + 1) : 0)};
  return OK;
}

static Message *sim_receive(Transport *transport) {
  SimTransport *self = (SimTransport *)transport;
  SimWorld *world = self->world;
  int ranks = world->config.ranks, start = (int)rng_below(&world->rng, (uint32_t)ranks);
  for (int i = 0; i < ranks; i++) {
    int from = (start + i) % ranks;
    Queue *queue = &world->queue[transport->rank * ranks + from];
    if (!queue->count || queue->parcel[queue->first].visible > world->round) continue;
    Message *message = queue->parcel[queue->first++].message;
    if (--queue->count == 0) queue->first = 0;
    message->peer = from;
    transport->stats.messages_received++;
    transport->stats.bytes_received += message->size;
    return message;
  }
  return NULL;
}

static size_t sim_unsent(Transport *transport) {
  (void)transport;
  return 0;
}

static Status sim_start_broadcast(Transport *transport, void **bytes, size_t *size) {
  (void)transport, (void)bytes, (void)size;
  return status_set(ERR_INTERNAL, "the simulation starts its ranks itself");
}

static Status sim_start_hosts(Transport *transport, int *host) {
  for (int i = 0; i < transport->size; i++) host[i] = 0;
  return OK;
}

static bool sim_finish(Transport *transport) {
  (void)transport;
  return true;
}

static void sim_abort(Transport *transport, int exit_code, const char *why) {
  (void)why;
  SimWorld *world = ((SimTransport *)transport)->world;
  if (!world->aborted) world->exit_code = exit_code;
  world->aborted = true;
}

static void sim_rank_destroy(Transport *transport) { (void)transport; }

static const TransportOps sim_ops = {
    .name = "sim",
    .send = sim_send,
    .receive = sim_receive,
    .unsent = sim_unsent,
    .start_broadcast = sim_start_broadcast,
    .start_hosts = sim_start_hosts,
    .finish = sim_finish,
    .abort = sim_abort,
    .destroy = sim_rank_destroy,
};

Status sim_create(const SimConfig *config, SimWorld **out) {
  Status status = OK;
  SimWorld *world = NULL;
  TRY(NEW_ARRAY(world, 1));
  world->config = *config;
  world->rng = rng_stream(config->seed, 0, 0, RNG_TEST);
  TRY(NEW_ARRAY(world->rank, (size_t)config->ranks));
  TRY(NEW_ARRAY(world->queue, (size_t)config->ranks * (size_t)config->ranks));
  for (int i = 0; i < config->ranks; i++)
    world->rank[i] =
        (SimTransport){.base = {.ops = &sim_ops, .rank = i, .size = config->ranks}, .world = world, .slowness = 1};
  *out = world;
  world = NULL;
done:
  sim_destroy(world);
  return status;
}

void sim_destroy(SimWorld *world) {
  if (!world) return;
  size_t pairs = (size_t)world->config.ranks * (size_t)world->config.ranks;
  for (size_t q = 0; world->queue && q < pairs; q++) {
    Queue *queue = &world->queue[q];
    for (size_t i = 0; i < queue->count; i++) message_release(queue->parcel[queue->first + i].message);
    free(queue->parcel);
  }
  free(world->queue);
  free(world->rank);
  free(world);
}

Transport *sim_rank(SimWorld *world, int rank) { return &world->rank[rank].base; }
void sim_round(SimWorld *world) { world->round++; }
void sim_slow(SimWorld *world, int rank, uint32_t slowness) { world->rank[rank].slowness = slowness; }
void sim_kill(SimWorld *world, int rank) { world->rank[rank].dead = true; }

int sim_choose(SimWorld *world) {
  for (int tries = 0; tries < 1000000; tries++) {
    int rank = (int)rng_below(&world->rng, (uint32_t)world->config.ranks);
    const SimTransport *candidate = &world->rank[rank];
    if (candidate->dead) continue;
    if (candidate->slowness <= 1 || rng_below(&world->rng, candidate->slowness) == 0) return rank;
  }
  return 0;
}

bool sim_aborted(const SimWorld *world, int *exit_code) {
  if (world->aborted && exit_code) *exit_code = world->exit_code;
  return world->aborted;
}
