/* agon doctor: whether this host has what agon needs. */
#include "base/log.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "doctor/doctor.h"
#include "run/words.h"

#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const Command command_doctor;

static const Flag flags[] = {
    {"--timeout", "SECONDS", "for each check that may hang (default 30)"},
    {"--json", NULL, "print JSON"},
    {"--part", "NAME",
     "one check in this very process, as the others start it: rank (under mpirun), files, lock"},
};

/* The last signal; the handler is all that changes it. */
static volatile sig_atomic_t signalled;

static void on_signal(int number) {
  signalled = number;
}

/* What is being asked runs in a group of its own, which a terminal's Ctrl-C does not reach. */
static void catch_signals(void) {
  static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_handler = on_signal};
  struct sigaction before;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < COUNT_OF(caught); i++)
    if (!sigaction(caught[i], NULL, &before) && before.sa_handler != SIG_IGN)
      sigaction(caught[i], &action, NULL);
}

/* Ends as the signal would have ended it, so that whoever called sees why. */
static void end_by_signal(void) {
  fflush(stdout);
  signal(signalled, SIG_DFL);
  raise(signalled);
}

static const char *const verdicts[] = {"ok", "note", "DO"};

static void print_finding(void *context, const Finding *finding) {
  char left[64];
  (void)context;
  snprintf(left, sizeof left, "%-5s %s", verdicts[finding->verdict], finding->what);
  print_row(stdout, left, 21, finding->found, terminal_width());
  if (*finding->advice) print_row(stdout, "", 21, finding->advice, terminal_width());
  fflush(stdout); /* a check may take a while */
}

static void keep_finding(void *context, const Finding *finding) {
  static const char *const names[] = {"ok", "note", "do"};
  json_array_append_new(context,
                        json_pack("{s:s,s:s,s:o,s:o}", "check", finding->what, "verdict",
                                  names[finding->verdict], "found", json_words(finding->found),
                                  "advice", json_words(finding->advice)));
}

static void put(const char *line) {
  fputs(line, stdout);
  fflush(stdout);
}

/* The Python that environments of Python would use. */
static const char *which_python(char *path, size_t size) {
  const char *named = getenv("AGON_PYTHON");
  const char *venv = getenv("VIRTUAL_ENV");
  if (named && *named) return named;
  if (!venv || !*venv) return "python3";
  snprintf(path, size, "%s/bin/python3", venv);
  return path;
}

static Status do_part(const char *part, const DoctorRequest *request) {
  if (!strcmp(part, "rank")) return doctor_rank(put);
  if (!strcmp(part, "files")) return doctor_files(request, put);
  if (!strcmp(part, "lock")) return doctor_lock(request->folder, put);
  return usage_error(&command_doctor, "--part is one of rank, files, lock");
}

static Status run_doctor(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  char program[PATH_MAX];
  char python[PATH_MAX];
  double seconds;
  size_t todo = 0;
  json_t *all = NULL;
  TRY_RETURN(arguments_parse(&command_doctor, argc, argv, &arguments));
  TRY_RETURN(argument_seconds(&command_doctor, &arguments, "--timeout", 30, 0.1, 3600, &seconds));
  if (arguments.words > 1) return usage_error(&command_doctor, "one folder at most");
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) return status_set(ERR_IO, "cannot find the program itself (/proc/self/exe)");
  program[length] = 0;
  const char *part = argument(&command_doctor, &arguments, "--part");
  const bool json = argument(&command_doctor, &arguments, "--json") != NULL;
  if (json) all = json_array();
  const DoctorRequest request = {
      .program = program,
      .folder = arguments.words ? arguments.word[0] : "runs",
      .python = which_python(python, sizeof python),
      .python_path = getenv("PYTHONPATH"),
      .seconds = seconds,
      .stop = &signalled,
      .tell = json ? keep_finding : print_finding,
      .context = all,
  };
  if (part) TRY(do_part(part, &request));
  if (part) goto done;
  catch_signals();
  TRY(doctor_look(&request, &todo));
  if (signalled) end_by_signal();
  if (json) {
    char *text = json_dumps(all, JSON_INDENT(2));
    printf("%s\n", text ? text : "");
    free(text);
  }
  if (todo)
    TRY(status_set(ERR_IO, "%zu of the checks say that something is to be done (DO)", todo));
done:
  json_decref(all);
  return status;
}

const Command command_doctor = {
    "doctor",
    "[FOLDER] [--timeout SECONDS] [--json]",
    "looks whether this host has what agon needs, and says what to do",
    "Kernels, cores, memory, shared memory, networks; whether mpirun starts ranks that meet, and "
    "binds them; of FOLDER (default runs) the file system: room, locks, fsync, speed; Python, "
    "its packages, and whether a game of Python plays. Each line says ok, note (it works, and this "
    "is to be known) or DO.\n"
    "It ends whatever happens: what may hang is asked by a process that is killed when its time is "
    "up, also where it is told to end itself (Ctrl-C, SIGTERM). Exit codes: 0 nothing has to be "
    "done, 5 something has to.",
    flags,
    COUNT_OF(flags),
    run_doctor,
};
