/* The command line: one file per command, one line per command in commands.c. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* One flag of a command: "--name VALUE" or, with value NULL, "--name". A value in brackets may be
 * left out: it is then "", as if there were none. */
typedef struct Flag {
  const char *name;  /* with its dashes */
  const char *value; /* what it is called in help texts, or NULL */
  const char *help;
} Flag;

/* One command. The tables are constant: parsing, help, manual pages and completion all read them,
 * so that none of these can say what the others do not. */
typedef struct Command {
  const char *name;
  const char *usage;   /* what stands behind the name */
  const char *summary; /* one sentence, for lists of commands */
  const char *help;    /* paragraphs; NULL: the summary says all */
  const Flag *flags;
  size_t flag_count;
  /* argc, argv: the arguments behind the command's name. main prints the message of a failure and
   * turns its code into that of the process. */
  Status (*run)(int argc, char **argv);
} Command;

/* Of commands that play: a plug-in may have been built anew. */
#define ACCEPT_ENV_FLAG                                                                            \
  {                                                                                                \
    "--accept-env", NULL,                                                                          \
        "a plug-in that was built anew has the same rules: old players and results stay good"      \
  }
#define EXIT_CODES                                                                                 \
  "0 good, 1 internal, 2 usage or configuration, 3 run folder, 4 damaged file, 5 input/output, "   \
  "6 memory, 7 environment"

/* All commands, in the order in which they are listed (commands.c). */
extern const Command *const commands[];
extern const size_t command_count;
/* The commit that the program was built from; written by the build, in the program only. */
extern const char agon_commit[];
/* The same once main has set it: tests have the commands without a program. */
extern const char *program_commit;

/* Parsed arguments: values[i] belongs to flags[i] ("" for flags without value, NULL where it was
 * not given); the rest are positional. All of it is borrowed from argv. */
typedef struct Arguments {
  const char *values[24];
  const char *word[256];
  size_t words;
} Arguments;

/* Sorts argv into flags and words. ERR_USAGE for unknown flags, missing values and too many words;
 * then *out is not to be used. */
Status arguments_parse(const Command *command, int argc, char **argv, Arguments *out);
/* The value of a flag by its name, "" for one without value; NULL when it was not given. */
const char *argument(const Command *command, const Arguments *arguments, const char *name);
/* Whether a word is key=value, unless it is a file's name. */
bool argument_is_pair(const char *word);

/* The value of a flag as a number within low..high, or `fallback`, which may lie outside, when it
 * was not given. ERR_USAGE says what would be accepted. */
Status argument_int(const Command *command, const Arguments *arguments, const char *name,
                    long long fallback, long long low, long long high, long long *out);
Status argument_float(const Command *command, const Arguments *arguments, const char *name,
                      double fallback, double low, double high, double *out);
/* The same for a duration in seconds; 5m, 2h, 1:30:00 too. */
Status argument_seconds(const Command *command, const Arguments *arguments, const char *name,
                        double fallback, double low, double high, double *out);

/* ERR_USAGE, with the reason and the command's usage as the message. */
Status usage_error(const Command *command, const char *why);
/* What the table says of a command, on standard output, as wide as it is. */
void command_print_help(const Command *command);
/* NULL: there is none of this name. */
const Command *command_named(const char *name);
