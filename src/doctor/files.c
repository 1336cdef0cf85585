/* The file system that runs are to be on. Where it has gone whoever looks hangs: so a process of
 * its own looks, and is left behind. */
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "doctor/finding.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* --- in the process that looks --- */
/* Numbers of kinds of file systems, as the kernel has them (statfs(2)). */
static const struct {
  unsigned long number;
  const char *name;
} kinds[] = {
    {0xef53, "ext4"},       {0x58465342, "xfs"},     {0x9123683e, "btrfs"},  {0x6969, "nfs"},
    {0x01021994, "tmpfs"},  {0x794c7630, "overlay"}, {0x0bd00bd0, "lustre"}, {0x47504653, "gpfs"},
    {0x19830326, "beegfs"}, {0x00c36400, "ceph"},    {0x65735546, "fuse"},   {0x2fc12fc1, "zfs"},
    {0xff534d42, "cifs"},   {0x01021997, "9p"},      {0xfe534d42, "smb2"},
};

/* The folder, or the nearest one above it that is there. */
static Status nearest_folder(const char *folder, char *out, size_t size) {
  TRY_RETURN(text_format(out, size, "%s", *folder ? folder : "."));
  while (!file_is_folder(out)) {
    char *slash = strrchr(out, '/');
    if (!slash) return text_format(out, size, ".");
    if (slash == out) return text_format(out, size, "/");
    *slash = 0;
  }
  return OK;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Small files as results and status are written, and a large one as a checkpoint is. */
static Status time_writes(const char *path, DoctorPut put) {
  enum { TIMES = 15, SMALL = 4096, LARGE = 32 << 20 };
  Status status = OK;
  const Clock clock = clock_system();
  double seconds[TIMES];
  char line[64];
  char *data = NULL;
  TRY(NEW_ARRAY(data, LARGE));
  for (size_t i = 0; i < LARGE; i++) /* what some file systems could not leave out */
    data[i] = (char)(i * 2654435761u >> 13);
  for (int i = 0; i < TIMES; i++) {
    const int64_t began = clock_now(&clock);
    TRY(file_write_durable(path, data, SMALL));
    seconds[i] = clock_seconds(clock_now(&clock) - began);
  }
  qsort(seconds, TIMES, sizeof *seconds, by_value);
  snprintf(line, sizeof line, "fsync %.6f\n", seconds[TIMES / 2]);
  put(line);
  const int64_t began = clock_now(&clock);
  TRY(file_write_durable(path, data, LARGE));
  snprintf(line, sizeof line, "speed %.1f\n",
           LARGE / 1e6 / clock_seconds(clock_now(&clock) - began));
  put(line);
done:
  free(data);
  return status;
}

/* A lock that this process holds, as another one sees it. */
static Status try_lock(const DoctorRequest *request, const char *path, DoctorPut put) {
  Status status = OK;
  int lock = -1;
  char line[32];
  Words words = {0};
  ChildEnd end = {.text = NULL};
  TRY(file_lock(path, &lock));
  TRY(words_add(&words, "%s", request->program));
  TRY(words_add(&words, "doctor"));
  TRY(words_add(&words, "--part"));
  TRY(words_add(&words, "lock"));
  TRY(words_add(&words, "%s", path));
  TRY(child_run(&words, request->seconds, request->stop, &end));
  snprintf(line, sizeof line, "lock %s\n", end.text && strstr(end.text, "held") ? "held" : "free");
  put(line);
done:
  if (lock >= 0) close(lock);
  words_free(&words);
  free(end.text);
  return status;
}

Status doctor_lock(const char *path, DoctorPut put) {
  bool held;
  TRY_RETURN(file_locked(path, &held));
  put(held ? "held\n" : "free\n");
  return OK;
}

Status doctor_files(const DoctorRequest *request, DoctorPut put) {
  Status status = OK;
  char folder[PATH_MAX];
  char path[PATH_MAX];
  char line[PATH_MAX + 32];
  struct statfs info;
  const char *kind = "unknown";
  TRY_RETURN(nearest_folder(request->folder, folder, sizeof folder));
  if (statfs(folder, &info))
    return status_set(ERR_IO, "cannot look at %s: %s", folder, strerror(errno));
  for (size_t i = 0; i < COUNT_OF(kinds); i++)
    if (kinds[i].number == ((unsigned long)info.f_type & 0xffffffffUL)) kind = kinds[i].name;
  snprintf(line, sizeof line, "folder %s\nkind %s\nfree %.0f\n", folder, kind,
           (double)info.f_bavail * (double)info.f_bsize);
  put(line);
  TRY_RETURN(text_format(path, sizeof path, "%s/.agon-doctor-%d", folder, (int)getpid()));
  TRY(try_lock(request, path, put));
  TRY(time_writes(path, put));
done:
  file_ops()->remove(path);
  return status;
}

/* --- who asks --- */
static bool is_shared(const char *kind) {
  static const char *const names[] = {"nfs",  "lustre", "gpfs", "beegfs",
                                      "ceph", "cifs",   "smb2", "fuse"};
  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (!strcmp(kind, names[i])) return true;
  return false;
}

static void tell_room(Round *round, const char *folder, const char *kind, double room) {
  if (room < 200e6)
    tell(round, VERDICT_DO, "run folder", "make room, or choose another folder (--run-dir)",
         "%s (%s) has %.0f MB left", folder, kind, room / 1e6);
  else if (room < 5e9)
    tell(round, VERDICT_NOTE, "run folder",
         "a long league may need more: checkpoint.keep says how many checkpoints are kept",
         "%s (%s) has %.1f GB left", folder, kind, room / 1e9);
  else if (!strcmp(kind, "tmpfs"))
    tell(round, VERDICT_NOTE, "run folder", "what is in memory is gone when the host restarts",
         "%s (tmpfs) has %.1f GB left", folder, room / 1e9);
  else
    tell_ok(round, "run folder", "%s (%s) has %.1f GB left", folder, kind, room / 1e9);
}

static void tell_locks(Round *round, const char *lock, bool shared) {
  if (strcmp(lock, "held"))
    tell(round, VERDICT_DO, "locks",
         "two jobs could write into one run: have the file system mounted with locks (NFS: without "
         "nolock, lockd running; Lustre: with flock), or keep runs elsewhere",
         "a lock that one process holds is not seen by another");
  else if (shared)
    tell(round, VERDICT_NOTE, "locks",
         "whether other hosts see them, too, was not looked at: agon status RUN, there, of a run "
         "that goes on here, says running",
         "seen by other processes of this host");
  else
    tell_ok(round, "locks", "seen by other processes");
}

static void tell_times(Round *round, double fsync, double speed) {
  if (fsync > 0.2)
    tell(round, VERDICT_NOTE, "fsync",
         "checkpoints and results take that long each: a local disk, or checkpoint.seconds higher",
         "a small file is safe after %.0f ms", 1000 * fsync);
  else
    tell_ok(round, "fsync", "a small file is safe after %.1f ms", 1000 * fsync);
  if (speed < 20)
    tell(round, VERDICT_NOTE, "speed", "large checkpoints take long: checkpoint.seconds higher",
         "%.1f MB/s", speed);
  else
    tell_ok(round, "speed", "%.0f MB/s, on the disk", speed);
}

Status check_files(Round *round) {
  Status status = OK;
  Words words = {0};
  ChildEnd end = {.text = NULL};
  char folder[512];
  char kind[32];
  char lock[16];
  char line[256];
  TRY(words_add(&words, "%s", round->request->program));
  TRY(words_add(&words, "doctor"));
  TRY(words_add(&words, "%s", round->request->folder));
  TRY(words_add(&words, "--part"));
  TRY(words_add(&words, "files"));
  TRY(words_add(&words, "--timeout=%g", round->request->seconds / 2));
  TRY(child_run(&words, round->request->seconds, round->request->stop, &end));
  words_after(end.text, "folder", folder, sizeof folder);
  words_after(end.text, "kind", kind, sizeof kind);
  words_after(end.text, "lock", lock, sizeof lock);
  if (*kind) tell_room(round, folder, kind, number_after(end.text, "free", 0));
  if (*lock) tell_locks(round, lock, is_shared(kind));
  if (end.late)
    tell(round, VERDICT_DO, "files",
         "the file system is overloaded or its server does not answer: keep runs elsewhere",
         "%s does not answer within %g s", round->request->folder, round->request->seconds);
  else if (end.code)
    tell(round, VERDICT_DO, "files", "choose a folder that you may write to (--run-dir)", "%s",
         last_line(end.text, line, sizeof line));
  else
    tell_times(round, number_after(end.text, "fsync", 0), number_after(end.text, "speed", 0));
done:
  words_free(&words);
  free(end.text);
  return status;
}
