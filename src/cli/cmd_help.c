/* agon help, agon version. */
#include "cli/cli.h"
#include "nn/kernels/openblas.h"
#include "store/store.h"
#include "transport/transport.h"
#include "wire/wire.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static Status run_help(int argc, char **argv) {
  if (argc > 0) {
    for (size_t i = 0; i < command_count; i++)
      if (!strcmp(commands[i]->name, argv[0])) {
        command_print_help(commands[i]);
        return OK;
      }
    return status_set(ERR_USAGE, "no command '%s'; 'agon help' lists them", argv[0]);
  }
  printf("agon %s: league self-play over MPI\n\ncommands:\n", AGON_VERSION);
  for (size_t i = 0; i < command_count; i++) printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
  printf("\n'agon help COMMAND' says more. To begin: mpirun -n 2 agon train connect_four frames=1M\n"
         "exit codes: 0 good, 1 internal, 2 usage or configuration, 3 run folder, 4 damaged file, 5 input/output, 6 "
         "memory, 7 environment\n");
  return OK;
}

const Command command_help = {"help", "[COMMAND]", "lists the commands, or explains one", NULL, NULL, 0, run_help};

static const Flag version_flags[] = {{"--json", NULL, "print JSON"}};

static Status run_version(int argc, char **argv) {
  Arguments arguments;
  TRY_RETURN(arguments_parse(&command_version, argc, argv, &arguments));
  if (argument(&command_version, &arguments, "--json")) {
    json_t *root = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i}", "agon", AGON_VERSION, "compiler", AGON_COMPILER, "mpi",
                             transport_mpi_library(), "blas", gemm_library(), "hdf5", store_library(), "wire_version",
                             WIRE_VERSION, "schema_version", STORE_SCHEMA);
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return OK;
  }
  printf("agon %s (%s)\n%s\n%s\n%s\n", AGON_VERSION, AGON_COMPILER, transport_mpi_library(), gemm_library(),
         store_library());
  return OK;
}

const Command command_version = {"version",  "[--json]",    "version of the program and of what it is built with",
                                 NULL,       version_flags, COUNT_OF(version_flags),
                                 run_version};
