/* Starting jobs: whether a launcher starts ranks that meet, share memory, and are bound to cores.
 */
#include "base/file.h"
#include "doctor/finding.h"
#include "job/loop.h"
#include "job/machine.h"
#include "transport/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- in the ranks --- */
/* Rank 0's message reaches all, memory is shared with those of the host, and all leave together. */
static Status meet(Transport *transport, bool *shared) {
  enum { BYTES = 1 << 20, MEMORY = 1 << 16 };
  void *bytes = NULL;
  void *const *bases = NULL;
  size_t size = 0;
  if (transport->rank == 0) {
    size = BYTES;
    TRY_RETURN(mem_array(&bytes, size, 1));
    memset(bytes, 7, size);
  }
  Status status = transport->ops->start_broadcast(transport, &bytes, &size);
  if (status == OK && (size != BYTES || ((unsigned char *)bytes)[BYTES - 1] != 7))
    status = status_set(ERR_FORMAT, "a message came with other bytes than it was sent with");
  free(bytes);
  if (status != OK) return status;
  TRY_RETURN(transport->ops->start_shared(transport, MEMORY, &bases));
  *shared = true;
  for (int rank = 0; rank < transport->size; rank++)
    *shared &= bases && bases[rank];
  return OK;
}

Status doctor_rank(DoctorPut put) {
  Transport *transport = NULL;
  Machine machine;
  char line[256];
  bool shared = false;
  TRY_RETURN(transport_mpi_create(NULL, NULL, &transport));
  machine_look(&machine);
  Status status = meet(transport, &shared);
  if (status == OK) {
    snprintf(line, sizeof line, "rank %d of %d, %d bound, %s\n", transport->rank, transport->size,
             machine.bound_cores, shared ? "shared" : "apart");
    put(line);
    loop_leave(transport);
  }
  transport_destroy(transport);
  message_pool_clear();
  return status;
}

/* --- who asks --- */
/* How many ranks have told of themselves; of how many; bound to how many cores at most; whether all
 * share memory. */
static size_t count_ranks(const char *text, int *of, int *bound, bool *shared) {
  size_t count = 0;
  *of = *bound = 0;
  *shared = true;
  for (const char *at = text; at && (at = strstr(at, "rank ")) != NULL; at++) {
    int rank;
    int size;
    int cores;
    char how[16];
    if (sscanf(at, "rank %d of %d, %d bound, %15s", &rank, &size, &cores, how) != 4) continue;
    count++;
    *of = size;
    if (cores > *bound) *bound = cores;
    *shared &= !strcmp(how, "shared");
  }
  return count;
}

/* mpirun WORDS agon doctor --part rank */
static Status launch(const DoctorRequest *request, const char *const *option, size_t options,
                     ChildEnd *out) {
  Status status = OK;
  Words words = {0};
  TRY(words_add(&words, "mpirun"));
  for (size_t i = 0; i < options; i++)
    TRY(words_add(&words, "%s", option[i]));
  TRY(words_add(&words, "-n"));
  TRY(words_add(&words, "2"));
  TRY(words_add(&words, "%s", request->program));
  TRY(words_add(&words, "doctor"));
  TRY(words_add(&words, "--part"));
  TRY(words_add(&words, "rank"));
  TRY(child_run(&words, request->seconds, request->stop, out));
done:
  words_free(&words);
  return status;
}

/* Why a launch came to nothing, as far as its words tell. */
static const char *why_not(const ChildEnd *end) {
  const char *text = end->text ? end->text : "";
  if (end->code == 127 && !*text) return "install Open MPI: deploy/install.sh";
  if (strstr(text, "No such file"))
    return "install Open MPI (Debian: openmpi-bin), or load its module; "
           "agon alone works without, on one rank";
  if (strstr(text, "as root") || strstr(text, "ALLOW_RUN_AS_ROOT"))
    return "as root it wants OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 in the "
           "environment; better: not as root";
  if (strstr(text, "not enough slots"))
    return "it has been told of fewer slots than 2: --oversubscribe, "
           "or another hostfile";
  if (end->late)
    return "it hangs, as where it waits for a network that is not there: try mpirun --mca "
           "oob_tcp_if_include lo --mca btl self,vader; look for a host's name that does not "
           "resolve "
           "(getent hosts $(hostname))";
  return "its words: mpirun --oversubscribe --bind-to none -n 2 agon doctor --part rank";
}

static void tell_failed(Round *round, const char *what, const ChildEnd *end) {
  char line[256];
  if (end->late)
    tell(round, VERDICT_DO, what, why_not(end), "mpirun has not come back within %g s",
         round->request->seconds);
  else
    tell(round, VERDICT_DO, what, why_not(end), "mpirun fails (exit code %d): %s", end->code,
         last_line(end->text, line, sizeof line));
}

/* Ranks of their own, which did not find each other, are what a program built against another MPI
 * than the launcher's looks like. */
static Status check_start(Round *round, bool *works) {
  static const char *const option[] = {"--oversubscribe", "--bind-to", "none"};
  ChildEnd end;
  int of;
  int bound;
  bool shared;
  TRY_RETURN(launch(round->request, option, COUNT_OF(option), &end));
  const size_t ranks = count_ranks(end.text, &of, &bound, &shared);
  *works = end.code == 0 && ranks == 2 && of == 2;
  if (*works && shared)
    tell_ok(round, "launch", "mpirun -n 2: both ranks met, and share memory, in %.1f s; %s",
            end.seconds, transport_mpi_library());
  else if (*works)
    tell(round, VERDICT_NOTE, "launch",
         "learners of one host add up by messages, which is slower: see shared memory above",
         "mpirun -n 2: both ranks met, but share no memory; %s", transport_mpi_library());
  else if (end.code == 0 && ranks == 2)
    tell(round, VERDICT_DO, "launch",
         "agon and mpirun are of different MPIs: use the mpirun of the one that agon was built "
         "with (agon version), or build agon again",
         "mpirun -n 2 started two jobs of one rank each; %s", transport_mpi_library());
  else
    tell_failed(round, "launch", &end);
  free(end.text);
  return OK;
}

static Status check_binding(Round *round) {
  static const char *const option[] = {"--bind-to", "core", "--map-by", "core"};
  static const char advice[] =
      "say --bind-to none: ranks then wander between cores, which costs a little; where "
      "several jobs share a host it is needed anyway";
  ChildEnd end;
  Machine machine;
  char line[256];
  int of;
  int bound;
  bool shared;
  machine_look(&machine);
  if (machine.cores < 2) {
    tell_ok(round, "binding", "one core: there is nothing to bind");
    return OK;
  }
  TRY_RETURN(launch(round->request, option, COUNT_OF(option), &end));
  const size_t ranks = count_ranks(end.text, &of, &bound, &shared);
  if (end.code || ranks != 2)
    tell(round, VERDICT_NOTE, "binding", advice, "mpirun --bind-to core fails: %s",
         end.late ? "its time is up" : last_line(end.text, line, sizeof line));
  else if (bound > 1)
    tell(round, VERDICT_NOTE, "binding", advice, "mpirun --bind-to core leaves a rank %d cores",
         bound);
  else
    tell_ok(round, "binding", "mpirun --bind-to core gives each rank one core");
  free(end.text);
  return OK;
}

Status check_launch(Round *round) {
  bool works = false;
  if (transport_mpi_launched()) {
    tell(round, VERDICT_NOTE, "launch", "call agon doctor by itself: it starts ranks of its own",
         "not looked at: this process is a rank of a job");
    return OK;
  }
  TRY_RETURN(check_start(round, &works));
  return works ? check_binding(round) : OK;
}
