/* The command line: one file per command, one line per command in commands.c. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* One flag of a command: "--name VALUE" or, with value NULL, "--name". A value in brackets may be left out: it is then
 * "", as if there were none. */
typedef struct Flag {
  const char *name, *value, *help;
} Flag;

typedef struct Command {
  const char *name, *usage, *summary;
  const char *help; /* paragraphs */
  const Flag *flags;
  size_t flag_count;
  Status (*run)(int argc, char **argv); /* arguments behind the command's name */
} Command;

/* Of commands that play: a plug-in may have been built anew. */
#define ACCEPT_ENV_FLAG                                                                                                \
  { "--accept-env", NULL, "a plug-in that was built anew has the same rules: old players and results stay good" }
#define EXIT_CODES                                                                                                     \
  "0 good, 1 internal, 2 usage or configuration, 3 run folder, 4 damaged file, 5 input/output, 6 memory, 7 "           \
  "environment"

extern const Command *const commands[];
extern const size_t command_count;
extern const char agon_commit[];   /* what it was built from; written by the build, in the program only */
extern const char
    *program_commit; /* the same once main has set it: tests have the commands without a program */

/* Parsed arguments: values[i] belongs to flags[i] ("" for flags without value); the rest are positional. */
typedef struct Arguments {
  const char *values[24];
  const char *word[256];
  size_t words;
} Arguments;
Status arguments_parse(const Command *command, int argc, char **argv, Arguments *out);
const char *argument(const Command *command, const Arguments *arguments, const char *name); /* NULL when not given */
bool argument_is_pair(const char *word); /* key=value, unless it is a file's name */
Status argument_int(const Command *command, const Arguments *arguments, const char *name, long long fallback,
                    long long low, long long high, long long *out);
Status argument_seconds(const Command *command, const Arguments *arguments, const char *name, double fallback,
                        double low, double high, double *out); /* 5m, 2h, 1:30:00 too */
/* `fallback` may lie outside of low..high. */
Status argument_float(const Command *command, const Arguments *arguments, const char *name, double fallback, double low,
                      double high, double *out);
Status usage_error(const Command *command, const char *why);
void command_print_help(const Command *command); /* on standard output, as wide as it is */
const Command *command_named(const char *name);  /* NULL: there is none */
