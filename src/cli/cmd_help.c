/* agon help, agon version. */
#include "cli/cli.h"
#include "cli/manual.h"
#include "nn/kernels/openblas.h"
#include "store/store.h"
#include "transport/transport.h"
#include "wire/wire.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const Flag help_flags[] = {
    {"--man", "DIR", "write the manual pages into this folder"},
    {"--completion", "SHELL", "print completion of the command line for bash or zsh"},
};

static Status run_help(int argc, char **argv) {
  Arguments arguments;
  TRY_RETURN(arguments_parse(&command_help, argc, argv, &arguments));
  const char *folder = argument(&command_help, &arguments, "--man");
  const char *shell = argument(&command_help, &arguments, "--completion");
  if (folder) return manual_write_pages(folder);
  if (shell) return manual_print_completion(shell, stdout);
  if (arguments.words > 0) {
    for (size_t i = 0; i < command_count; i++)
      if (!strcmp(commands[i]->name, arguments.word[0])) {
        command_print_help(commands[i]);
        return OK;
      }
    return status_set(ERR_USAGE, "no command '%s'; 'agon help' lists them", arguments.word[0]);
  }
  printf("agon %s: league self-play over MPI\n\ncommands:\n", AGON_VERSION);
  for (size_t i = 0; i < command_count; i++) printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
  printf("\n'agon help COMMAND' says more. To begin: mpirun -n 2 agon train connect_four frames=1M\n"
         "exit codes: %s\n",
         EXIT_CODES);
  return OK;
}

const Command command_help = {"help",
                              "[COMMAND] [--man DIR] [--completion bash|zsh]",
                              "lists the commands, or explains one",
                              "Completion: . <(agon help --completion bash). It is installed with the manual pages.",
                              help_flags,
                              COUNT_OF(help_flags),
                              run_help};

const char *program_commit = "unknown";

static const Flag version_flags[] = {{"--json", NULL, "print JSON"}};

static Status run_version(int argc, char **argv) {
  Arguments arguments;
  TRY_RETURN(arguments_parse(&command_version, argc, argv, &arguments));
  if (argument(&command_version, &arguments, "--json")) {
    json_t *root = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i}", "agon", AGON_VERSION, "commit", program_commit,
                             "compiler", AGON_COMPILER, "mpi", transport_mpi_library(), "blas", gemm_library(), "hdf5",
                             store_library(), "wire_version", WIRE_VERSION, "schema_version", STORE_SCHEMA);
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return OK;
  }
  printf("agon %s, commit %s (%s)\n%s\n%s\n%s\n", AGON_VERSION, program_commit, AGON_COMPILER, transport_mpi_library(),
         gemm_library(), store_library());
  return OK;
}

const Command command_version = {"version",  "[--json]",    "version of the program and of what it is built with",
                                 NULL,       version_flags, COUNT_OF(version_flags),
                                 run_version};
