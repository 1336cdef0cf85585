/* What the host has: arithmetic, cores, memory, shared memory, networks. Nothing here can hang. */
#include "base/file.h"
#include "doctor/finding.h"
#include "job/machine.h"
#include "nn/kernels/kernels.h"
#include "nn/kernels/openblas.h"
#include "transport/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

static void check_kernels(Round *round, const Machine *machine) {
  const char *name = kernels()->name;
  if (!strcmp(name, "plain"))
    tell(round, VERDICT_NOTE, "kernels",
         "of the arithmetic that is written for this processor there is none: training is several "
         "times slower than on one with AVX2",
         "%s; %s; %s", name, machine->processor, gemm_library());
  else
    tell_ok(round, "kernels", "%s; %s; %s", name, machine->processor, gemm_library());
}

/* A number in a file of the kernel's; -1 where there is none ("max"). `second`: the one behind it.
 */
static double control(const char *name, double *second) {
  char path[256];
  char *text;
  char *end;
  snprintf(path, sizeof path, "/sys/fs/cgroup/%s", name);
  if (file_read(path, &text, NULL) != OK) return -1;
  double value = strtod(text, &end);
  if (end == text) value = -1;
  if (second) *second = strtod(end, NULL);
  free(text);
  return value;
}

static void check_cores(Round *round, const Machine *machine) {
  double period = 0;
  const double quota = control("cpu.max", &period);
  const double allowed = quota > 0 && period > 0 ? quota / period : machine->cores;
  const int cores = machine->bound_cores > 0 ? machine->bound_cores : machine->cores;
  if (allowed < cores - 0.01)
    tell(round, VERDICT_NOTE, "cores",
         "more ranks than that are held up by the container's limit, all at the same time: use as "
         "many ranks as it allows",
         "%d, of which this container may use %.1f", cores, allowed);
  else if (cores < machine->cores)
    tell(round, VERDICT_NOTE, "cores",
         "what is started from here has no more: give the job more cores, or take numactl, "
         "taskset or the batch system's binding away",
         "%d of this host's %d may be used", cores, machine->cores);
  else
    tell_ok(round, "cores", "%d (%d threads)", machine->cores, machine->threads);
}

static double available_memory(void) {
  char *text;
  char word[64];
  if (file_read("/proc/meminfo", &text, NULL) != OK) return -1;
  const double kilobytes = number_after(text, "MemAvailable:", -1);
  words_after(text, "MemAvailable:", word, sizeof word);
  free(text);
  return kilobytes < 0 ? -1 : kilobytes * 1024;
}

static void check_memory(Round *round) {
  const double limit = control("memory.max", NULL);
  const double used = control("memory.current", NULL);
  double bytes = available_memory();
  struct rlimit files;
  if (bytes < 0) return;
  if (limit > 0 && used >= 0 && limit - used < bytes) bytes = limit - used;
  if (bytes < 512e6)
    tell(round, VERDICT_DO, "memory",
         "free some, or raise the container's limit: a rank needs some "
         "100 MB, a large league more",
         "%.0f MB are free", bytes / 1e6);
  else
    tell_ok(round, "memory", "%.1f GB are free", bytes / 1e9);
  if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < 256)
    tell(round, VERDICT_DO, "open files", "ulimit -n 1024: launchers need some for each rank",
         "at most %llu", (unsigned long long)files.rlim_cur);
}

static void check_shared_memory(Round *round) {
  static const char advice[] =
      "learners of a host then send their sums as messages, and Open MPI may fail: in a container "
      "docker run --shm-size=1g, or an emptyDir of medium Memory at /dev/shm";
  struct statvfs info;
  if (statvfs("/dev/shm", &info)) {
    tell(round, VERDICT_DO, "shared memory", advice, "there is no /dev/shm: %s", strerror(errno));
    return;
  }
  const double room = (double)info.f_bavail * (double)info.f_frsize;
  if (room < 16e6)
    tell(round, VERDICT_DO, "shared memory", advice, "/dev/shm has %.0f MB left", room / 1e6);
  else if (room < 256e6)
    tell(round, VERDICT_NOTE, "shared memory", advice, "/dev/shm has only %.0f MB left",
         room / 1e6);
  else
    tell_ok(round, "shared memory", "/dev/shm has %.1f GB left", room / 1e9);
}

/* Bridges and tunnels of this host: other hosts have them too, with the same addresses. */
static bool is_inner(const char *name) {
  static const char *const begins[] = {"docker", "br-",     "virbr", "veth",  "cni",
                                       "tun",    "flannel", "lxc",   "lxdbr", "podman"};
  for (size_t i = 0; i < COUNT_OF(begins); i++)
    if (!strncmp(name, begins[i], strlen(begins[i]))) return true;
  return false;
}

static void check_network(Round *round) {
  struct ifaddrs *list;
  char outer[512] = "";
  char inner[512] = "";
  char advice[640];
  size_t outers = 0;
  if (getifaddrs(&list)) {
    tell(round, VERDICT_NOTE, "network", "jobs of one host do not need it",
         "its interfaces cannot be listed: %s", strerror(errno));
    return;
  }
  for (struct ifaddrs *at = list; at; at = at->ifa_next) {
    char address[INET_ADDRSTRLEN];
    if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET) continue;
    if (!(at->ifa_flags & IFF_UP) || (at->ifa_flags & IFF_LOOPBACK)) continue;
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)at->ifa_addr;
    inet_ntop(AF_INET, &in->sin_addr, address, sizeof address);
    char *into = is_inner(at->ifa_name) ? inner : outer;
    const size_t used = strlen(into);
    outers += into == outer;
    snprintf(into + used, sizeof outer - used, "%s%s %s", used ? ", " : "", at->ifa_name, address);
  }
  freeifaddrs(list);
  if (outers > 1 || *inner) {
    snprintf(advice, sizeof advice,
             "for jobs of several hosts say which network joins them: mpirun --mca "
             "btl_tcp_if_include NAME --mca oob_tcp_if_include NAME%s",
             *inner ? " (those of containers and virtual machines do not)" : "");
    tell(round, VERDICT_NOTE, "network", advice, "%s%s%s", outer, *outer && *inner ? ", " : "",
         inner);
  } else if (outers == 1)
    tell_ok(round, "network", "%s", outer);
  else
    tell_ok(round, "network", "this host alone: no other interface than its own");
}

void check_machine(Round *round) {
  Machine machine;
  machine_look(&machine);
  check_kernels(round, &machine);
  check_cores(round, &machine);
  check_memory(round);
  check_shared_memory(round);
  check_network(round);
}
