/* Finds the command, runs it, and turns a failure into one message and an exit code. Compiled for
 * the baseline. */
#include "cli/cli.h"
#include "cli/process.h"

#include "agent/onnx.h"
#include "base/processor.h"
#include "base/text.h"
#include "env/bridge.h"
#include "job/plugin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The Python of a virtual environment is also used where only its variable has come along, as to
 * the ranks on other hosts. */
static void use_python(void) {
  static char path[PATH_MAX];
  const char *named = getenv("AGON_PYTHON");
  const char *venv = getenv("VIRTUAL_ENV");
  if (!named && venv && snprintf(path, sizeof path, "%s/bin/python3", venv) < (int)sizeof path)
    named = path;
  bridge_use_python(named);
}

/* Where pip puts it: into the Python that is in use, the user's own, or the system's. */
static void use_onnxruntime(void) {
  enum { ROOM = 4 * PATH_MAX };
  static char places[ROOM];
  static const char *const library = "onnxruntime/capi/libonnxruntime.so*";
  const char *named = getenv("AGON_ONNXRUNTIME");
  const char *venv = getenv("VIRTUAL_ENV");
  const char *home = getenv("HOME");
  int used = snprintf(places, ROOM, "%s", named ? named : "");
  if (venv && used < ROOM)
    used += snprintf(places + used, (size_t)(ROOM - used), ":%s/lib/python3*/site-packages/%s",
                     venv, library);
  if (home && used < ROOM)
    used += snprintf(places + used, (size_t)(ROOM - used),
                     ":%s/.local/lib/python3*/site-packages/%s", home, library);
  if (used < ROOM)
    snprintf(places + used, (size_t)(ROOM - used),
             ":/usr/local/lib/python3*/dist-packages/%s:/usr/lib/python3/dist-packages/%s", library,
             library);
  onnx_look_for(places);
}

/* Finds the command and runs it. Flags that ask for help go before anything else, so that they work
 * with arguments that are wrong. Output that could not be written is a failure of its own (5): a
 * full disk must not look like success. */
int main(int argc, char **argv) {
  char lacking[256];
  if (processor_lacks_any(lacking, sizeof lacking)) {
    fprintf(stderr,
            "agon: this program was built for another processor: this one lacks %s; build it on "
            "this machine, or with "
            "-DAGON_NATIVE=OFF for all\n",
            lacking);
    return 2;
  }
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1); /* the run folder has a lock of its own */
  job_watch(NULL);
  plugins_allow(getenv("AGON_PLUGINS"));
  use_python();
  use_onnxruntime();
  program_commit = agon_commit;
  const char *name = argc > 1 ? argv[1] : "help";
  if (!strcmp(name, "--help") || !strcmp(name, "-h")) name = "help";
  if (!strcmp(name, "--version")) name = "version";
  const char *near = NULL;
  size_t distance;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < command_count; i++) {
    if (text_is_near(name, commands[i]->name, &distance) && distance < least) {
      least = distance;
      near = commands[i]->name;
    }
    if (strcmp(name, commands[i]->name)) continue;
    for (int a = 2; a < argc; a++)
      if (!strcmp(argv[a], "--help") || !strcmp(argv[a], "-h")) {
        command_print_help(commands[i]);
        return 0;
      }
    Status status = commands[i]->run(argc > 2 ? argc - 2 : 0, argv + 2);
    if (status == OK && *bridge_fault()) /* what was printed may be made of it */
      status = status_set(ERR_ENV, "an environment of Python failed: %s", bridge_fault());
    job_show_warnings();
    if (status != OK) fprintf(stderr, "agon %s: %s\n", name, status_message());
    if (fflush(stdout) && status == OK) return 5;
    return status_exit_code(status);
  }
  fprintf(stderr, "agon: no command '%s'%s%s%s 'agon help' lists them\n", name,
          near ? ", did you mean '" : ";", near ? near : "", near ? "'?" : "");
  return 2;
}
