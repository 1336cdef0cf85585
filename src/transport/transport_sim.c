/* Many ranks in one process and one thread. Each (sender, receiver) pair has a first-in first-out
 * queue whose messages become visible after a seeded delay; a receiver picks among the visible
 * heads at random. Replayable from its seed. */
#include "base/rng.h"
#include "base/invariant.h"
#include "transport/transport.h"

#include <stdlib.h>
#include <string.h>

/* A message and the round from which on it can be received. */
typedef struct Parcel {
  Message *message;
  uint64_t visible; /* round */
} Parcel;

/* Messages from one sender, in order: parcel[first] to parcel[first + count - 1]. */
typedef struct Queue {
  int from;
  Parcel *parcel;
  size_t first, count, room;
} Queue;

/* What is on its way to a rank: a queue for each sender seen so far. */
typedef struct Inbox {
  Queue *queue;
  size_t queues, room;
  int32_t *of_sender; /* (ranks) 1 + place in queue; once there are many */
  uint32_t *ready;    /* places of queues that are not empty, in no order */
  size_t readies, ready_room;
} Inbox;

/* One simulated rank. */
typedef struct SimTransport {
  Transport base;
  SimWorld *world;
  uint32_t slowness;
  bool dead;
  void *shared;
  void **shared_base; /* as this rank sees them */
} SimTransport;

struct SimWorld {
  SimConfig config;
  AgonRng rng;
  uint64_t round;
  SimTransport *rank;
  Inbox *inbox; /* (ranks) */
  bool aborted;
  int exit_code;
};

enum { FEW = 12 };

/* The queue of a sender, made if it is the first message. While a rank hears of few senders they
 * are looked through; with more, a table by sender takes over. Thousands of ranks, of which most
 * never talk to each other, then stay small. */
static Status queue_of(const SimWorld *world, Inbox *inbox, int from, size_t *place) {
  if (inbox->of_sender && inbox->of_sender[from]) {
    *place = (size_t)inbox->of_sender[from] - 1;
    return OK;
  }
  for (size_t i = 0; i < inbox->queues && !inbox->of_sender; i++)
    if (inbox->queue[i].from == from) {
      *place = i;
      return OK;
    }
  TRY_RETURN(GROW(inbox->queue, inbox->room, inbox->queues + 1));
  TRY_RETURN(GROW(inbox->ready, inbox->ready_room, inbox->queues + 1));
  *place = inbox->queues++;
  inbox->queue[*place] = (Queue){.from = from};
  if (inbox->queues == FEW + 1) {
    TRY_RETURN(NEW_ARRAY(inbox->of_sender, (size_t)world->config.ranks));
    for (size_t i = 0; i < inbox->queues; i++)
      inbox->of_sender[inbox->queue[i].from] = (int32_t)i + 1;
  }
  if (inbox->of_sender) inbox->of_sender[from] = (int32_t)*place + 1;
  return OK;
}

/* Copies, delays and queues the message. A drawn failure leaves it with the caller, as failures of
 * MPI do. */
static Status sim_send(Transport *transport, int to, Message *message) {
  SimTransport *self = (SimTransport *)transport;
  SimWorld *world = self->world;
  Inbox *inbox = &world->inbox[to];
  size_t place;
  if (world->config.lose_memory > 0 && rng_unit(&world->rng) < world->config.lose_memory)
    return status_set(ERR_MEMORY, "simulated failure to send");
  transport->stats.messages_sent++;
  transport->stats.bytes_sent += message->size;
  INVARIANT(to >= 0 && to < world->config.ranks);
  TRY_RETURN(queue_of(world, inbox, transport->rank, &place));
  Queue *queue = &inbox->queue[place];
  /* as a network would: later changes by the sender must not show */
  Message *copy = message_create(message->size);
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
  if (queue->count == 0) inbox->ready[inbox->readies++] = (uint32_t)place;
  queue->parcel[queue->first + queue->count++] = (Parcel){
      copy,
      world->round + (world->config.delay ? rng_below(&world->rng, world->config.delay + 1) : 0)};
  return OK;
}

/* Begins at a random queue and takes the first head that is visible: so the order between senders
 * is random, and that of each sender is kept. */
static Message *sim_receive(Transport *transport) {
  SimTransport *self = (SimTransport *)transport;
  SimWorld *world = self->world;
  Inbox *inbox = &world->inbox[transport->rank];
  if (!inbox->readies) return NULL;
  size_t start = rng_below(&world->rng, (uint32_t)inbox->readies);
  for (size_t i = 0; i < inbox->readies; i++) {
    size_t at = (start + i) % inbox->readies;
    Queue *queue = &inbox->queue[inbox->ready[at]];
    if (queue->parcel[queue->first].visible > world->round) continue;
    Message *message = queue->parcel[queue->first++].message;
    if (--queue->count == 0) {
      queue->first = 0;
      inbox->ready[at] = inbox->ready[--inbox->readies];
    }
    INVARIANT(message->refs == 1 && message->size <= message->capacity);
    message->peer = queue->from;
    transport->stats.messages_received++;
    transport->stats.bytes_received += message->size;
    return message;
  }
  return NULL;
}

/* What was sent is at once in the receiver's queue. */
static size_t sim_unsent(Transport *transport) {
  (void)transport;
  return 0;
}

/* Ranks of one process share what they start with. */
static Status sim_start_broadcast(Transport *transport, void **bytes, size_t *size) {
  (void)transport;
  (void)bytes;
  (void)size;
  return status_set(ERR_INTERNAL, "the simulation starts its ranks itself");
}

/* Ranks are dealt to hosts in blocks; a block's first rank names the host. */
static Status sim_start_hosts(Transport *transport, int *host) {
  int each = ((SimTransport *)transport)->world->config.ranks_per_host;
  for (int i = 0; i < transport->size; i++)
    host[i] = each ? i / each * each : 0;
  return OK;
}

/* Puts this rank's memory into the tables of all ranks of its host. Where there is no room the
 * tables stay empty, as under MPI. */
static Status sim_start_shared(Transport *transport, size_t bytes, void *const **bases) {
  SimTransport *self = (SimTransport *)transport;
  SimWorld *world = self->world;
  int each = world->config.ranks_per_host;
  int host = each ? transport->rank / each : 0;
  bool small = host < 64 && world->config.small >> host & 1;
  if (bytes && !small) TRY_RETURN(mem_array(&self->shared, bytes, 1));
  if (!self->shared_base) TRY_RETURN(NEW_ARRAY(self->shared_base, (size_t)transport->size));
  for (int i = 0; i < transport->size; i++) {
    SimTransport *other = &world->rank[i];
    if (each && i / each != host) continue;
    if (!other->shared_base) TRY_RETURN(NEW_ARRAY(other->shared_base, (size_t)transport->size));
    other->shared_base[transport->rank] = self->shared;
  }
  *bases = self->shared_base;
  return OK;
}

/* Nothing is on its way that anyone must wait for. */
static bool sim_finish(Transport *transport) {
  (void)transport;
  return true;
}

/* The first abort decides the exit code; the test that runs the world looks at it. */
static void sim_abort(Transport *transport, int exit_code, const char *why) {
  (void)why;
  SimWorld *world = ((SimTransport *)transport)->world;
  if (!world->aborted) world->exit_code = exit_code;
  world->aborted = true;
}

/* Ranks belong to their world. */
static void sim_rank_destroy(Transport *transport) {
  (void)transport;
}

static const TransportOps sim_ops = {
    .name = "sim",
    .send = sim_send,
    .receive = sim_receive,
    .unsent = sim_unsent,
    .start_broadcast = sim_start_broadcast,
    .start_hosts = sim_start_hosts,
    .start_shared = sim_start_shared,
    .finish = sim_finish,
    .abort = sim_abort,
    .destroy = sim_rank_destroy,
};

/* Everything random, delays and order included, comes from one stream of the seed, so that a run
 * can be repeated. */
Status sim_create(const SimConfig *config, SimWorld **out) {
  Status status = OK;
  SimWorld *world = NULL;
  TRY(NEW_ARRAY(world, 1));
  world->config = *config;
  world->rng = rng_stream(config->seed, 0, 0, RNG_TEST);
  TRY(NEW_ARRAY(world->rank, (size_t)config->ranks));
  TRY(NEW_ARRAY(world->inbox, (size_t)config->ranks));
  for (int i = 0; i < config->ranks; i++)
    world->rank[i] = (SimTransport){
        .base = {.ops = &sim_ops, .rank = i, .size = config->ranks}, .world = world, .slowness = 1};
  *out = world;
  world = NULL;
done:
  sim_destroy(world);
  return status;
}

/* Also for a world that was only half made. */
void sim_destroy(SimWorld *world) {
  if (!world) return;
  for (int r = 0; r < world->config.ranks; r++) {
    Inbox *inbox = world->inbox ? &world->inbox[r] : NULL;
    for (size_t q = 0; inbox && q < inbox->queues; q++) {
      Queue *queue = &inbox->queue[q];
      for (size_t i = 0; i < queue->count; i++)
        message_release(queue->parcel[queue->first + i].message);
      free(queue->parcel);
    }
    if (inbox) {
      free(inbox->queue);
      free(inbox->of_sender);
      free(inbox->ready);
    }
    if (world->rank) {
      free(world->rank[r].shared);
      free(world->rank[r].shared_base);
    }
  }
  free(world->inbox);
  free(world->rank);
  free(world);
}

Transport *sim_rank(SimWorld *world, int rank) {
  return &world->rank[rank].base;
}

void sim_round(SimWorld *world) {
  world->round++;
}

void sim_slow(SimWorld *world, int rank, uint32_t slowness) {
  world->rank[rank].slowness = slowness;
}

void sim_kill(SimWorld *world, int rank) {
  world->rank[rank].dead = true;
}

/* Draws ranks until one is alive and not held back by being slow. */
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
