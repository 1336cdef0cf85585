/* A library to be preloaded: while the file REFUSE_WHILE is there, writing to files whose names hold
 * REFUSE_PATH, and renaming them, fails with the number REFUSE_ERRNO, as a disk or a server would
 * say it. While REFUSE_LOCKS is set there are no locks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int refused(const char *path) {
  const char *part = getenv("REFUSE_PATH");
  const char *while_there = getenv("REFUSE_WHILE");
  if (!part || !while_there || !path || !strstr(path, part) || access(while_there, F_OK)) return 0;
  errno = atoi(getenv("REFUSE_ERRNO"));
  return 1;
}

static int refused_descriptor(int descriptor) {
  char name[64];
  char path[PATH_MAX];
  snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(name, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return refused(path);
}

static void *real(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
  ssize_t (*next)(int, const void *, size_t, off_t);
  *(void **)&next = real("pwrite");
  return refused_descriptor(descriptor) ? -1 : next(descriptor, data, size, offset);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t offset) {
  ssize_t (*next)(int, const void *, size_t, off_t);
  *(void **)&next = real("pwrite64");
  return refused_descriptor(descriptor) ? -1 : next(descriptor, data, size, offset);
}

int fsync(int descriptor) {
  int (*next)(int);
  *(void **)&next = real("fsync");
  return refused_descriptor(descriptor) ? -1 : next(descriptor);
}

int rename(const char *from, const char *to) {
  int (*next)(const char *, const char *);
  *(void **)&next = real("rename");
  return refused(to) ? -1 : next(from, to);
}

static int no_locks(void) {
  errno = ENOLCK;
  return -1;
}

static int call_fcntl(const char *name, int descriptor, int command, void *argument) {
  int (*next)(int, int, ...);
  *(void **)&next = real(name);
  const int locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK;
  return locks && getenv("REFUSE_LOCKS") ? no_locks() : next(descriptor, command, argument);
}

int fcntl(int descriptor, int command, ...) {
  va_list list;
  va_start(list, command);
  void *argument = va_arg(list, void *);
  va_end(list);
  return call_fcntl("fcntl", descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...) {
  va_list list;
  va_start(list, command);
  void *argument = va_arg(list, void *);
  va_end(list);
  return call_fcntl("fcntl64", descriptor, command, argument);
}

int flock(int descriptor, int operation) {
  int (*next)(int, int);
  *(void **)&next = real("flock");
  const char *locks = getenv("REFUSE_LOCKS");
  return locks && !strcmp(locks, "all") ? no_locks() : next(descriptor, operation);
}
