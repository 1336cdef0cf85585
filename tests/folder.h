/* Folders for tests, all inside one of the test program's own. That one goes when the program ends, whether its tests
 * passed, failed, crashed or were killed: a process that outlives it waits for its end. AGON_TEST_KEEP=1 keeps it. */
#pragma once
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FOLDER_PATH = 32 };
static char folder_root[24];

/* The pipe's other end closes with the program and those that it forks, and with nothing sooner. In a session of its
 * own and with no parent that is known, so that whoever kills the program and its children leaves this one alone. */
static void folder_watch(void) {
  int end[2];
  char byte;
  assert_int_equal(pipe(end), 0);
  assert_int_equal(fcntl(end[1], F_SETFD, FD_CLOEXEC), 0);
  pid_t middle = fork();
  assert_true(middle >= 0);
  if (middle == 0) {
    close(end[1]);
    setsid();
    if (fork() == 0) {
      while (read(end[0], &byte, 1) > 0) {
      }
      execlp("rm", "rm", "-rf", folder_root, NULL);
    }
    _exit(0);
  }
  close(end[0]);
  assert_int_equal(waitpid(middle, NULL, 0), middle);
}

static inline void folder_make(char path[FOLDER_PATH]) {
  if (!folder_root[0]) {
    snprintf(folder_root, sizeof folder_root, "/tmp/agon-test-XXXXXX");
    assert_non_null(mkdtemp(folder_root));
    assert_int_equal(chmod(folder_root, 0711), 0); /* tests let processes of less rights in */
    if (getenv("AGON_TEST_KEEP"))
      fprintf(stderr, "kept: %s\n", folder_root);
    else
      folder_watch();
  }
  snprintf(path, FOLDER_PATH, "%s/XXXXXX", folder_root);
  assert_non_null(mkdtemp(path));
}

/* Before the program ends, where many of them would take too much room. */
static inline void folder_remove(const char *path) {
  char command[128];
  if (getenv("AGON_TEST_KEEP")) return;
  snprintf(command, sizeof command, "rm -rf %s", path);
  assert_int_equal(system(command), 0);
}
