/* agon help, agon version. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/manual.h"
#include "cli/terminal.h"
#include "cli/topics.h"
#include "nn/kernels/openblas.h"
#include "store/store.h"
#include "transport/transport.h"
#include "wire/wire.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

extern const Command command_help, command_version;

static const Flag help_flags[] = {
    {"--man", "DIR", "write the manual pages into this folder"},
    {"--completion", "SHELL", "print completion of the command line for bash or zsh"},
};

/* A command comes before a section of its name, which is pointed to. */
static Status explain(const char *word) {
  const Command *command = command_named(word);
  if (!command) return topic_print(word, stdout, terminal_width());
  command_print_help(command);
  if (!topic_section(word)) return OK;
  const int used = printf("\n'agon help %s.*' lists", word);
  char text[256];
  snprintf(text, sizeof text, " the keys of the configuration that begin so: %s.",
           topic_section(word));
  print_wrapped(stdout, text, (size_t)used - 1, 0, terminal_width());
  printf("\n");
  return OK;
}

/* Terms may be of several words (evaluation lane), which need no quotes. */
static Status explain_words(const Arguments *arguments) {
  char topic[128] = "";
  size_t used = 0;
  for (size_t i = 0; i < arguments->words; i++) {
    TRY_RETURN(
        text_format(topic + used, sizeof topic - used, "%s%s", i ? " " : "", arguments->word[i]));
    used = strlen(topic);
  }
  return explain(topic);
}

/* Without a word: the list of commands, how to go on, and the exit codes. Everything comes from the
 * tables that the commands themselves are parsed by. */
static Status run_help(int argc, char **argv) {
  Arguments arguments;
  TRY_RETURN(arguments_parse(&command_help, argc, argv, &arguments));
  const char *folder = argument(&command_help, &arguments, "--man");
  const char *shell = argument(&command_help, &arguments, "--completion");
  if (folder) return manual_write_pages(folder);
  if (shell) return manual_print_completion(shell, stdout);
  if (arguments.words > 0) return explain_words(&arguments);
  const size_t width = terminal_width();
  printf("agon %s: league self-play over MPI\n\ncommands:\n", AGON_VERSION);
  for (size_t i = 0; i < command_count; i++) {
    char left[32];
    snprintf(left, sizeof left, "  %s", commands[i]->name);
    print_row(stdout, left, 14, commands[i]->summary, width);
  }
  printf("\n");
  print_wrapped(stdout,
                "'agon help COMMAND' says more; 'agon help keys' lists the sections of the "
                "configuration, 'agon help KEY' "
                "explains one of its keys, 'agon help terms' the words that are used here, "
                "'agon help series' the numbers of a run.",
                0, 0, width);
  printf("\nTo begin: mpirun -n 2 agon train connect_four frames=1M\n");
  print_wrapped(stdout, "exit codes: " EXIT_CODES, 0, 0, width);
  printf("\n");
  return OK;
}

const Command command_help = {
    "help",
    "[COMMAND | KEY | SECTION | TERM | keys | terms] [--man DIR] [--completion bash|zsh]",
    "lists the commands, or explains one, a key of the configuration, or a term",
    "Completion: . <(agon help --completion bash). It is installed with the manual pages.",
    help_flags,
    COUNT_OF(help_flags),
    run_help};

const char *program_commit = "unknown";

static const Flag version_flags[] = {{"--json", NULL, "print JSON"}};

/* What a report of a fault should hold: the commit, the compiler and the libraries, and the
 * versions of the messages and files that other builds must agree on. */
static Status run_version(int argc, char **argv) {
  Arguments arguments;
  TRY_RETURN(arguments_parse(&command_version, argc, argv, &arguments));
  if (argument(&command_version, &arguments, "--json")) {
    json_t *root = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i}", "agon", AGON_VERSION, "commit", program_commit,
        "compiler", AGON_COMPILER, "mpi", transport_mpi_library(), "blas", gemm_library(), "hdf5",
        store_library(), "wire_version", WIRE_VERSION, "schema_version", STORE_SCHEMA);
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return OK;
  }
  printf("agon %s, commit %s (%s)\n%s\n%s\n%s\n", AGON_VERSION, program_commit, AGON_COMPILER,
         transport_mpi_library(), gemm_library(), store_library());
  return OK;
}

const Command command_version = {
    "version",  "[--json]",    "version of the program and of what it is built with",
    NULL,       version_flags, COUNT_OF(version_flags),
    run_version};
