/* Messages between ranks. Nothing here blocks, and nothing is collective but start-up. Two implementations: MPI, and a
 * simulation of many ranks in one process whose seeded scheduler delays, reorders between senders, slows and kills.
 * Messages between one sender and one receiver keep their order; a rank may send to itself. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Message {
  uint8_t *data;
  size_t size, capacity;
  int peer; /* after receive: the sender */
  int refs; /* one per pending send and one per holder */
} Message;

typedef struct Transport Transport;

/* Counters since the start, for the metrics. */
typedef struct TransportStats {
  uint64_t messages_sent, bytes_sent, messages_received, bytes_received;
} TransportStats;

typedef struct TransportOps {
  const char *name;
  /* Takes one reference of the message on success. Not collective; never blocks. */
  Status (*send)(Transport *transport, int to, Message *message);
  /* The next message that has wholly arrived, or NULL; the caller owns it. */
  Message *(*receive)(Transport *transport);
  size_t (*unsent)(Transport *transport); /* sends not yet complete; also drives progress */
  /* Start-up only, collective: rank 0's bytes to all; *bytes is allocated on the others (free). */
  Status (*start_broadcast)(Transport *transport, void **bytes, size_t *size);
  /* Start-up only, collective: the lowest rank that runs on each rank's host, into host[0..size-1]. */
  Status (*start_hosts)(Transport *transport, int *host);
  /* Start-up only, collective, at most once: zeroed memory of `bytes` (0 is allowed, and may differ between ranks) for
   * each rank that the ranks of its host can read and write. (*bases)[rank] is where, NULL for ranks of other hosts (or
   * all, where the system has no such memory: then only messages work). Valid once all ranks have called, until
   * destroy. */
  Status (*start_shared)(Transport *transport, size_t bytes, void *const **bases);
  /* At the very end, called again and again by every rank: true once all ranks call it and all their sends have
   * arrived. What is still received meanwhile may be dropped. */
  bool (*finish)(Transport *transport);
  /* Ends the whole job, naming the reason on stderr. Does not return under MPI. */
  void (*abort)(Transport *transport, int exit_code, const char *why);
  void (*destroy)(Transport *transport);
} TransportOps;

struct Transport {
  const TransportOps *ops;
  int rank, size;
  TransportStats stats;
};

/* Joins the job that a launcher started, or a job of one. Initialises MPI. */
Status transport_mpi_create(int *argc, char ***argv, Transport **out);
const char *transport_mpi_library(void); /* version text for the banner */
bool transport_mpi_launched(void);       /* whether an MPI launcher started this process */
void transport_destroy(Transport *transport);

/* A message with room for `size` bytes and one reference, from a pool of the process; NULL without memory. */
Message *message_create(size_t size);
Message *message_retain(Message *message);
void message_release(Message *message); /* accepts NULL */
void message_pool_clear(void);

/* The simulation. */
typedef struct SimConfig {
  uint64_t seed;
  int ranks;
  uint32_t delay;     /* a message waits 0..delay scheduler rounds */
  int ranks_per_host; /* 0 = all on one */
  uint64_t small;     /* bit h: host h has no room for shared memory */
  double lose_memory; /* probability that send reports ERR_MEMORY (failed I/O of the layer below) */
} SimConfig;
typedef struct SimWorld SimWorld;
Status sim_create(const SimConfig *config, SimWorld **out);
void sim_destroy(SimWorld *world);
Transport *sim_rank(SimWorld *world, int rank); /* borrowed */
void sim_round(SimWorld *world);                /* virtual time passes */
/* A seeded choice of the rank that runs next; slow ranks are chosen `slowness` times less often, dead ones never. */
int sim_choose(SimWorld *world);
void sim_slow(SimWorld *world, int rank, uint32_t slowness);
void sim_kill(SimWorld *world, int rank);
bool sim_aborted(const SimWorld *world, int *exit_code);
