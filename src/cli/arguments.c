#include "cli/cli.h"

#include "base/file.h"
#include "base/text.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>

/* Sets ERR_USAGE with the reason and the command's usage, and returns it. */
Status usage_error(const Command *command, const char *why) {
  return status_set(ERR_USAGE, "%s\nusage: agon %s %s\n('agon help %s' says more)", why,
                    command->name, command->usage, command->name);
}

/* ERR_USAGE for a flag that the command does not have, with the nearest one that it has. */
static Status unknown_flag(const Command *command, const char *word) {
  char why[256];
  char name[64];
  const char *near = NULL;
  size_t distance;
  size_t least = SIZE_MAX;
  snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
  for (size_t i = 0; i < command->flag_count; i++) {
    /* without the dashes, which all flags have in common */
    if (!text_is_near(name + 2, command->flags[i].name + 2, &distance) || distance >= least)
      continue;
    least = distance;
    near = command->flags[i].name;
  }
  snprintf(why, sizeof why, "unknown flag '%s'%s%s%s", word, near ? ", did you mean '" : "",
           near ? near : "", near ? "'?" : "");
  return usage_error(command, why);
}

/* Decides between a setting and the name of a file that happens to have '=' in it. */
bool argument_is_pair(const char *word) {
  return strchr(word, '=') && !file_exists(word);
}

/* Flags and words may come in any order. A flag's value follows it or is joined by '='. Where the
 * value may be left out ("[HOW]"), a following key=value is a word and not the value. */
Status arguments_parse(const Command *command, int argc, char **argv, Arguments *out) {
  char why[256];
  *out = (Arguments){.words = 0};
  for (int i = 0; i < argc; i++) {
    const char *word = argv[i];
    if (strncmp(word, "--", 2)) {
      if (out->words == COUNT_OF(out->word)) return usage_error(command, "too many arguments");
      out->word[out->words++] = word;
      continue;
    }
    size_t length = strcspn(word, "=");
    size_t found = command->flag_count;
    for (size_t f = 0; f < command->flag_count; f++)
      if (strlen(command->flags[f].name) == length &&
          !strncmp(command->flags[f].name, word, length))
        found = f;
    if (found == command->flag_count) return unknown_flag(command, word);
    const Flag *flag = &command->flags[found];
    out->values[found] = "";
    if (!flag->value) continue;
    /* What looks like a flag is no value: a forgotten one would swallow it. --name=--value is. */
    bool follows = i + 1 < argc && strncmp(argv[i + 1], "--", 2);
    if (word[length] == '=')
      out->values[found] = word + length + 1;
    else if (*flag->value == '[' && (!follows || argument_is_pair(argv[i + 1])))
      continue;
    else if (follows)
      out->values[found] = argv[++i];
    else {
      snprintf(why, sizeof why, "%s needs a value: %s %s", flag->name, flag->name, flag->value);
      return usage_error(command, why);
    }
  }
  return OK;
}

/* A flag's value by its name, "" where it has none, NULL where it was not given. */
const char *argument(const Command *command, const Arguments *arguments, const char *name) {
  for (size_t i = 0; i < command->flag_count; i++)
    if (!strcmp(command->flags[i].name, name)) return arguments->values[i];
  return NULL;
}

/* A whole number within low..high. Where a suffix was given to a flag that takes plain digits (1M),
 * the message says which number is meant. */
Status argument_int(const Command *command, const Arguments *arguments, const char *name,
                    long long fallback, long long low, long long high, long long *out) {
  const char *text = argument(command, arguments, name);
  int64_t value = fallback;
  char why[256];
  if (text && (!text_to_int(text, &value) || value < low || value > high)) {
    char meant[80];
    bool scaled = text_scale_meant(text, meant, sizeof meant);
    snprintf(why, sizeof why, "%s: '%.40s' is not a whole number from %lld to %lld%s%s%s", name,
             text, low, high, scaled ? ", did you mean " : "", scaled ? meant : "",
             scaled ? "?" : "");
    return usage_error(command, why);
  }
  *out = value;
  return OK;
}

/* A duration as people and batch systems write them (5m, 1:30:00), in seconds. */
Status argument_seconds(const Command *command, const Arguments *arguments, const char *name,
                        double fallback, double low, double high, double *out) {
  const char *text = argument(command, arguments, name);
  char why[200];
  *out = fallback;
  if (text && (!text_to_seconds(text, out) || *out < low || *out > high)) {
    snprintf(why, sizeof why, "%s: '%.40s' is not " TEXT_TIME ", from %g to %g seconds", name, text,
             low, high);
    return usage_error(command, why);
  }
  return OK;
}

/* A number within low..high. The fallback is not checked: it may lie outside, as a mark of "not
 * given". */
Status argument_float(const Command *command, const Arguments *arguments, const char *name,
                      double fallback, double low, double high, double *out) {
  const char *text = argument(command, arguments, name);
  char why[160];
  *out = fallback;
  if (text && (!text_to_float(text, out) || *out < low || *out > high)) {
    snprintf(why, sizeof why, "%s: '%.40s' is not a number from %g to %g", name, text, low, high);
    return usage_error(command, why);
  }
  return OK;
}

/* The command of this name, or NULL. */
const Command *command_named(const char *name) {
  for (size_t i = 0; i < command_count; i++)
    if (!strcmp(commands[i]->name, name)) return commands[i];
  return NULL;
}

/* All that the table says of a command: usage, summary, paragraphs and flags, wrapped to the
 * terminal. */
void command_print_help(const Command *command) {
  const size_t width = terminal_width();
  const int used = printf("usage: agon %s ", command->name);
  print_wrapped(stdout, command->usage, (size_t)used, 9, width);
  printf("\n\n");
  print_wrapped(stdout, command->summary, 0, 0, width);
  printf("\n");
  if (command->help) {
    printf("\n");
    print_wrapped(stdout, command->help, 0, 0, width);
    printf("\n");
  }
  if (command->flag_count) printf("\nflags:\n");
  for (size_t i = 0; i < command->flag_count; i++) {
    char left[64];
    snprintf(left, sizeof left, "  %s %s", command->flags[i].name,
             command->flags[i].value ? command->flags[i].value : "");
    print_row(stdout, left, 27, command->flags[i].help, width);
  }
}
