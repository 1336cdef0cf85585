/* agon train: a league, from nothing or from a checkpoint. */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/process.h"
#include "job/guests.h"
#include "job/job.h"
#include "job/plugin.h"

#include <stdio.h>

extern const Command command_train;

static const Flag flags[] = {
    {"--run-dir", "DIR", "folder of the run (default runs/GAME)"},
    {"--resume", "[HOW]",
     "auto, which is what --resume alone means: go on if there is a run, else start; must: there "
     "has to be one; never; "
     "a RUN to go on with, or a checkpoint FILE"},
    {"--max-time", "TIME",
     "save and end this job after so long: seconds, or 20s, 5m, 2h, 1:30:00, 1-12:00:00"},
    {"--init-from", "AGENT",
     "a new run: all lives begin as FILE.agon or RUN:PLAYER, layer by layer where name and shape "
     "fit (learner.init_from)"},
    ACCEPT_ENV_FLAG,
    {"--accept-guests", NULL,
     "programs that the run's own file names as guests (league.guests.NAME=exec:COMMAND) may be "
     "started"},
    {"--no-lock", NULL,
     "on a file system without locks (ENOLCK): go on without; see to it yourself that no other job "
     "runs in the folder"},
    {"--quiet", NULL, "the log goes to its file only"},
};

/* The words are GAME key=value ..., or key=value ... alone where a run is named by a flag. */
static Status request_of(int argc, char **argv, Arguments *arguments, JobRequest *out) {
  TRY_RETURN(arguments_parse(&command_train, argc, argv, arguments));
  plugins_accept(argument(&command_train, arguments, "--accept-env") != NULL);
  file_locks_optional(argument(&command_train, arguments, "--no-lock") != NULL);
  guests_accept(argument(&command_train, arguments, "--accept-guests") != NULL);
  if (!argument(&command_train, arguments, "--quiet")) out->screen = stdout;
  out->resume = argument(&command_train, arguments, "--resume");
  if (out->resume && !*out->resume) out->resume = "auto";
  out->max_time = argument(&command_train, arguments, "--max-time");
  out->init_from = argument(&command_train, arguments, "--init-from");
  out->folder = argument(&command_train, arguments, "--run-dir");
  if (out->folder && !*out->folder)
    return usage_error(&command_train, "--run-dir: the name of the folder is empty");
  bool named = arguments->words > 0 && !argument_is_pair(arguments->word[0]);
  if (!named && !out->folder && !argument(&command_train, arguments, "--resume"))
    return usage_error(
        &command_train,
        "which game? (agon env list shows them; the folder of a run goes on with it)");
  if (named) out->game = arguments->word[0];
  out->overrides = arguments->word + named;
  out->override_count = arguments->words - named;
  return OK;
}

/* A failure is known to all ranks and told once, by rank 0: the others end silently with the same
 * exit code. What is wrong with the command line goes into the request too, as the ranks have to
 * agree on it before one of them leaves, or the others would wait for it in MPI. */
static Status train(int argc, char **argv) {
  Transport *transport = NULL;
  Arguments arguments;
  JobRequest request = {.warnings = stderr};
  job_catch_signals(); /* starting MPI takes a while */
  TRY_RETURN(job_join(&argc, &argv, &transport));
  request.fault = request_of(argc, argv, &arguments, &request);
  Status status = job_train(transport, &request, NULL);
  transport_destroy(transport);
  message_pool_clear();
  if (status != OK) leave_told(status);
  return OK;
}

const Command command_train = {
    "train",
    "GAME|FILE.yaml|RUN [key=value ...] [--run-dir DIR] [--resume [auto|must|never|RUN|FILE]] "
    "[--max-time TIME]",
    "trains a league, or a team; under mpirun on any number of ranks, or alone",
    "A RUN, the folder of one, goes on with it: its own game and settings, and what is given now "
    "over them.\n"
    "Stop it with 'agon stop RUN', SIGUSR1 to mpirun, or --max-time: it finishes the tick, saves "
    "and exits 0.\n"
    "Keys are listed by 'agon config schema'; ready configurations are in deploy/runs.",
    flags,
    COUNT_OF(flags),
    train,
};
