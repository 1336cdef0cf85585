/* Messages between ranks. Nothing here blocks, and nothing is collective but start-up. Two
 * implementations: MPI, and a simulation of many ranks in one process whose seeded scheduler
 * delays, reorders between senders, slows and kills. Messages between one sender and one receiver
 * keep their order; a rank may send to itself. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes that are on their way or have arrived, counted by reference: to send one to ten ranks,
 * retain it nine times. */
typedef struct Message {
  uint8_t *data;
  size_t size, capacity;
  int peer; /* after receive: the sender */
  int refs; /* one per pending send and one per holder */
} Message;

/* One rank's end of the network. */
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
  /* Start-up only, collective: the lowest rank that runs on each rank's host, into
   * host[0..size-1]. */
  Status (*start_hosts)(Transport *transport, int *host);
  /* Start-up only, collective, at most once: zeroed memory of `bytes` (0 is allowed, and may differ
   * between ranks) for each rank that the ranks of its host can read and write. (*bases)[rank] is
   * where, NULL for ranks of other hosts (or all, where the system has no such memory: then only
   * messages work). Valid once all ranks have called, until destroy. */
  Status (*start_shared)(Transport *transport, size_t bytes, void *const **bases);
  /* At the very end, called again and again by every rank: true once all ranks call it and all
   * their sends have arrived. What is still received meanwhile may be dropped. */
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

/* Joins the job that a launcher started, or starts a job of one rank. Initialises MPI. ERR_IO,
 * ERR_MEMORY. */
Status transport_mpi_create(int *argc, char ***argv, Transport **out);
/* "Open MPI v4.1.4", for the banner; also before MPI is initialised. */
const char *transport_mpi_library(void);
/* Whether mpirun or srun started this process. */
bool transport_mpi_launched(void);
/* Leaves the job; under MPI that is collective. Accepts NULL. */
void transport_destroy(Transport *transport);

/* A message with room for `size` bytes and one reference, from a pool of the thread; NULL without
 * memory. */
Message *message_create(size_t size);
/* Adds a reference and returns the same message. */
Message *message_retain(Message *message);
/* Gives one reference back; accepts NULL. */
void message_release(Message *message);
/* Frees the buffers that wait in this thread's pool. */
void message_pool_clear(void);

/* How the simulated network behaves. */
typedef struct SimConfig {
  uint64_t seed;
  int ranks;
  uint32_t delay;     /* a message waits 0..delay scheduler rounds */
  int ranks_per_host; /* 0 = all on one */
  uint64_t small;     /* bit h: host h has no room for shared memory */
  double lose_memory; /* probability that send reports ERR_MEMORY (failed I/O of the layer below) */
} SimConfig;
typedef struct SimWorld SimWorld;
/* A world of config->ranks ranks in this process; *out is the caller's (sim_destroy).
 * ERR_MEMORY. */
Status sim_create(const SimConfig *config, SimWorld **out);
void sim_destroy(SimWorld *world);
/* The transport of one rank, borrowed from the world. */
Transport *sim_rank(SimWorld *world, int rank);
/* Lets virtual time go on by one round. */
void sim_round(SimWorld *world);
/* A seeded choice of the rank that runs next; slow ranks are chosen `slowness` times less often,
 * dead ones never. */
int sim_choose(SimWorld *world);
/* From now on the rank is chosen about `slowness` times less often (1: as often as others). */
void sim_slow(SimWorld *world, int rank, uint32_t slowness);
/* The rank is never chosen again; messages to it stay where they are. */
void sim_kill(SimWorld *world, int rank);
/* Whether any rank has ended the job, and (exit_code may be NULL) with which code first. */
bool sim_aborted(const SimWorld *world, int *exit_code);
