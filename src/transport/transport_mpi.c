/* The only MPI. Sends are MPI_Isend and complete in the background of later calls; receives match
 * with Improbe and are handed out in the order in which they were matched, so that each sender's
 * order is kept. Messages to oneself go through a queue and are never copied. */
#include "transport/transport.h"

#include "base/invariant.h"
#include "base/log.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TAG = 7, RECEIVES = 32 };

/* A send or receive that MPI has begun; the message must stay until it is complete. */
typedef struct Pending {
  MPI_Request request;
  Message *message;
} Pending;

/* This rank's end. */
typedef struct MpiTransport {
  Transport base;
  Pending *sends;
  size_t send_count, send_room;
  Pending receives[RECEIVES]; /* ring, oldest first */
  size_t receive_first, receive_count;
  MPI_Request leaving; /* of the barrier at the end */
  bool left;
  MPI_Win shared;
  void **shared_base; /* (size) or NULL */
  Message **own;      /* queue of messages to self */
  size_t own_first, own_count, own_room;
} MpiTransport;

/* Turns MPI's codes into ours. MPI_ERRORS_RETURN is set at the start, so that calls return them. */
static Status check(int code, const char *what) {
  if (code == MPI_SUCCESS) return OK;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  return status_set(ERR_IO, "%s failed: %.*s", what, length, text);
}

/* MPI only makes progress while it is called, so every test of a send moves all of them on.
 * Complete ones release their message; the last takes the place of the one that goes. */
static size_t mpi_unsent(Transport *transport) {
  MpiTransport *self = (MpiTransport *)transport;
  for (size_t i = 0; i < self->send_count;) {
    int done = 0;
    MPI_Test(&self->sends[i].request, &done, MPI_STATUS_IGNORE);
    if (!done) {
      i++;
      continue;
    }
    message_release(self->sends[i].message);
    self->sends[i] = self->sends[--self->send_count];
  }
  return self->send_count;
}

/* Puts a message into the queue to oneself. Its beginning is closed up only when the end is
 * reached. */
static Status send_to_self(MpiTransport *self, Message *message) {
  if (self->own_first && self->own_first + self->own_count == self->own_room) {
    memmove(self->own, self->own + self->own_first, self->own_count * sizeof *self->own);
    self->own_first = 0;
  }
  TRY_RETURN(GROW(self->own, self->own_room, self->own_first + self->own_count + 1));
  self->own[self->own_first + self->own_count++] = message;
  return OK;
}

/* MPI counts in int, hence the limit of 2 GiB. */
static Status mpi_send(Transport *transport, int to, Message *message) {
  MpiTransport *self = (MpiTransport *)transport;
  if (message->size > 0x7fffffff)
    return status_set(ERR_INTERNAL, "a message of %zu bytes is over MPI's limit of 2 GiB",
                      message->size);
  transport->stats.messages_sent++;
  transport->stats.bytes_sent += message->size;
  if (to == transport->rank) return send_to_self(self, message);
  TRY_RETURN(GROW(self->sends, self->send_room, self->send_count + 1));
  Pending *pending = &self->sends[self->send_count];
  TRY_RETURN(check(MPI_Isend(message->data, (int)message->size, MPI_BYTE, to, TAG, MPI_COMM_WORLD,
                             &pending->request),
                   "MPI_Isend"));
  pending->message = message;
  self->send_count++;
  INVARIANT(message->refs > 0 && self->send_count <= self->send_room);
  return OK;
}

/* Gives each message that has begun to arrive a buffer of its size. MPI_Improbe takes the message
 * out of the queue at once, so that nobody else can match it between the look and the receive. A
 * message that is lost for want of memory cannot be made up for, so the job ends. */
static void match_arrivals(MpiTransport *self) {
  while (self->receive_count < RECEIVES) {
    int found = 0, size = 0;
    MPI_Message handle;
    MPI_Status info;
    if (MPI_Improbe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &found, &handle, &info) != MPI_SUCCESS ||
        !found)
      return;
    MPI_Get_count(&info, MPI_BYTE, &size);
    Message *message = message_create((size_t)size);
    if (!message) {
      self->base.ops->abort(&self->base, 6, "out of memory receiving a message");
      return;
    }
    Pending *pending = &self->receives[(self->receive_first + self->receive_count++) % RECEIVES];
    pending->message = message;
    message->peer = info.MPI_SOURCE;
    MPI_Imrecv(message->data, size, MPI_BYTE, &handle, &pending->request);
  }
}

/* Messages to oneself come first. Of others only the oldest that was matched is looked at: a later
 * one that is complete already waits, so that order is kept. */
static Message *mpi_receive(Transport *transport) {
  MpiTransport *self = (MpiTransport *)transport;
  Message *message = NULL;
  if (self->own_count) {
    message = self->own[self->own_first++];
    if (--self->own_count == 0) self->own_first = 0;
    message->peer = transport->rank;
    INVARIANT(message->refs > 0);
  } else if (transport->size > 1) {
    match_arrivals(self);
    int done = 0;
    if (self->receive_count)
      MPI_Test(&self->receives[self->receive_first].request, &done, MPI_STATUS_IGNORE);
    if (!done) return NULL;
    message = self->receives[self->receive_first].message;
    self->receive_first = (self->receive_first + 1) % RECEIVES;
    self->receive_count--;
  }
  if (!message) return NULL;
  transport->stats.messages_received++;
  transport->stats.bytes_received += message->size;
  return message;
}

/* Two broadcasts: how many bytes, then the bytes. */
static Status mpi_start_broadcast(Transport *transport, void **bytes, size_t *size) {
  unsigned long long count = *size;
  TRY_RETURN(check(MPI_Bcast(&count, 1, MPI_UNSIGNED_LONG_LONG, 0, MPI_COMM_WORLD), "MPI_Bcast"));
  if (transport->rank != 0) {
    TRY_RETURN(mem_array(bytes, (size_t)count + 1, 1));
    *size = (size_t)count;
  }
  return check(MPI_Bcast(*bytes, (int)count, MPI_BYTE, 0, MPI_COMM_WORLD), "MPI_Bcast");
}

/* MPI knows which ranks can share memory; the lowest of them names the host. */
static Status mpi_start_hosts(Transport *transport, int *host) {
  MPI_Comm local;
  int lowest = transport->rank;
  TRY_RETURN(check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, transport->rank,
                                       MPI_INFO_NULL, &local),
                   "MPI_Comm_split_type"));
  TRY_RETURN(check(MPI_Bcast(&lowest, 1, MPI_INT, 0, local), "MPI_Bcast"));
  MPI_Comm_free(&local);
  return check(MPI_Allgather(&lowest, 1, MPI_INT, host, 1, MPI_INT, MPI_COMM_WORLD),
               "MPI_Allgather");
}

/* Where the memory of each rank of this host lies in this process. */
static void find_bases(MpiTransport *self, MPI_Comm local) {
  MPI_Group here, world;
  int count = 0;
  MPI_Comm_size(local, &count);
  MPI_Comm_group(local, &here);
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  for (int i = 0; i < count; i++) {
    MPI_Aint bytes;
    int unit, rank = -1;
    void *base = NULL;
    MPI_Group_translate_ranks(here, 1, &i, world, &rank);
    if (MPI_Win_shared_query(self->shared, i, &bytes, &unit, &base) == MPI_SUCCESS && bytes > 0)
      self->shared_base[rank] = base;
  }
  MPI_Group_free(&here);
  MPI_Group_free(&world);
}

/* Whether the ranks of this host have room for all their memory. Where the folder that Open MPI
 * makes it in is full, one rank fails in MPI_Win_allocate_shared and the others wait for it for
 * ever, so all of them ask first. */
static bool room_for(unsigned long long bytes) {
  struct statvfs info;
  if (statvfs("/dev/shm", &info)) return true; /* it is made elsewhere */
  unsigned long long spare = (1u << 20) + bytes / 16;
  return (unsigned long long)info.f_bavail * info.f_frsize >= bytes + spare;
}

/* Adds up what all ranks of the host ask for, and lets them agree on whether there is room. */
static Status room_together(size_t bytes, MPI_Comm local, int *out) {
  unsigned long long own = bytes, all = 0;
  TRY_RETURN(
      check(MPI_Allreduce(&own, &all, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, local), "MPI_Allreduce"));
  int room = room_for(all);
  int rank = 0;
  TRY_RETURN(check(MPI_Allreduce(&room, out, 1, MPI_INT, MPI_MIN, local), "MPI_Allreduce"));
  MPI_Comm_rank(local, &rank);
  if (!*out && rank == 0)
    log_warning("/dev/shm has no room for the %.1f MB that the learners of a host share: their "
                "sums go through messages, which is slower (give the container more, such as "
                "--shm-size=1g)",
                (double)all / 1e6);
  return OK;
}

/* Ranks without room must agree not to try, as one that fails alone would leave the others waiting
 * for it. */
static Status mpi_start_shared(Transport *transport, size_t bytes, void *const **bases) {
  MpiTransport *self = (MpiTransport *)transport;
  MPI_Comm local;
  void *own = NULL;
  TRY_RETURN(NEW_ARRAY(self->shared_base, (size_t)transport->size));
  *bases = self->shared_base;
  TRY_RETURN(check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, transport->rank,
                                       MPI_INFO_NULL, &local),
                   "MPI_Comm_split_type"));
  int room = 0, all = 0;
  self->shared = MPI_WIN_NULL;
  Status status = room_together(bytes, local, &room);
  if (status != OK || !room) {
    MPI_Comm_free(&local);
    return status;
  }
  int made = MPI_Win_allocate_shared((MPI_Aint)bytes, 1, MPI_INFO_NULL, local, &own,
                                     &self->shared) == MPI_SUCCESS;
  if (made && bytes) memset(own, 0, bytes);
  /* also the barrier behind which everybody's memory is zero; without it on one rank, none uses
   * it */
  if (MPI_Allreduce(&made, &all, 1, MPI_INT, MPI_MIN, local) == MPI_SUCCESS && all)
    find_bases(self, local);
  if (!made) self->shared = MPI_WIN_NULL;
  MPI_Comm_free(&local);
  return OK;
}

/* A barrier that nobody waits in: once all own sends are complete it is entered, and from then on
 * only tested. */
static bool mpi_finish(Transport *transport) {
  MpiTransport *self = (MpiTransport *)transport;
  int done = 0;
  if (mpi_unsent(transport)) return false;
  if (!self->left && MPI_Ibarrier(MPI_COMM_WORLD, &self->leaving) != MPI_SUCCESS) return true;
  self->left = true;
  return MPI_Test(&self->leaving, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done;
}

/* Standard output is flushed too: what a job has said so far is not lost. */
static void mpi_abort(Transport *transport, int exit_code, const char *why) {
  fprintf(stderr, "agon: rank %d ends the job: %s\n", transport->rank, why);
  fflush(stderr);
  fflush(stdout);
  if (transport->size == 1)
    _exit(exit_code); /* not exit: after a failed write HDF5's own clean-up may crash */
  MPI_Abort(MPI_COMM_WORLD, exit_code);
}

/* Messages to oneself that were never received are dropped; sends to others are waited for. */
static void mpi_destroy(Transport *transport) {
  MpiTransport *self = (MpiTransport *)transport;
  for (size_t i = 0; i < self->own_count; i++)
    message_release(self->own[self->own_first + i]);
  for (size_t i = 0; i < self->send_count; i++) {
    MPI_Wait(&self->sends[i].request, MPI_STATUS_IGNORE);
    message_release(self->sends[i].message);
  }
  if (self->shared_base && self->shared != MPI_WIN_NULL) MPI_Win_free(&self->shared);
  MPI_Finalize();
  free(self->shared_base);
  free(self->sends);
  free(self->own);
  free(self);
}

static const TransportOps mpi_ops = {
    .name = "mpi",
    .send = mpi_send,
    .receive = mpi_receive,
    .unsent = mpi_unsent,
    .start_broadcast = mpi_start_broadcast,
    .start_hosts = mpi_start_hosts,
    .start_shared = mpi_start_shared,
    .finish = mpi_finish,
    .abort = mpi_abort,
    .destroy = mpi_destroy,
};

/* Only the thread that starts MPI calls it (MPI_THREAD_FUNNELED). Whether a launcher started us is
 * asked before, as MPI sets the same variables. */
Status transport_mpi_create(int *argc, char ***argv, Transport **out) {
  MpiTransport *self;
  int provided;
  TRY_RETURN(NEW_ARRAY(self, 1));
  transport_mpi_launched();
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    free(self);
    return status_set(ERR_IO, "MPI could not be started");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  self->base.ops = &mpi_ops;
  MPI_Comm_rank(MPI_COMM_WORLD, &self->base.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &self->base.size);
  *out = &self->base;
  return OK;
}

/* Of MPI's version text only what stands before the first comma. */
const char *transport_mpi_library(void) {
  static char text[64];
  char full[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(full, &length);
  snprintf(text, sizeof text, "%.*s", (int)strcspn(full, ","), full);
  return text;
}

bool transport_mpi_launched(void) {
  /* as it was before MPI was started: a process alone sets these for itself */
  static int launched = -1;
  if (launched < 0)
    launched = getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_SIZE") || getenv("PMIX_RANK");
  return launched;
}
