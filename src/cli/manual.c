#include "cli/manual.h"

#include "base/text.h"
#include "cli/cli.h"
#include "cli/glossary.h"
#include "cli/topics.h"
#include "env/env.h"
#include "job/config.h"

#include <errno.h>
#include <string.h>

/* --- manual pages --- */

/* Text as troff reads it: what would be a request, an escape or a hyphen to break at is none. */
static void put_text(FILE *page, const char *text) {
  bool begins = true;
  for (; *text; text++) {
    if (begins && (*text == '.' || *text == '\'')) fputs("\\&", page);
    if (*text == '\\')
      fputs("\\e", page);
    else if (*text == '-')
      fputs("\\-", page);
    else
      fputc(*text, page);
    begins = *text == '\n';
  }
}

/* A request of troff, which may be empty, and one line of text behind it. */
static void put_line(FILE *page, const char *request, const char *text) {
  fprintf(page, "%s", request);
  put_text(page, text);
  fputc('\n', page);
}

/* What a manual page begins with: its title, and the line that apropos searches. */
static void put_head(FILE *page, const char *title, const char *name, const char *summary) {
  fprintf(page, ".TH %s 1 \"\" \"agon %s\" \"User Commands\"\n.SH NAME\n", title, AGON_VERSION);
  put_text(page, name);
  fputs(" \\- ", page);
  put_line(page, "", summary);
}

/* The section OPTIONS, a paragraph for each flag; none where the command has no flags. */
static void put_flags(FILE *page, const Command *command) {
  if (!command->flag_count) return;
  fputs(".SH OPTIONS\n", page);
  for (size_t i = 0; i < command->flag_count; i++) {
    const Flag *flag = &command->flags[i];
    fputs(".TP\n\\fB", page);
    put_text(page, flag->name);
    fputs("\\fR", page);
    if (flag->value) {
      fputs(" \\fI", page);
      put_text(page, flag->value);
      fputs("\\fR", page);
    }
    fputc('\n', page);
    put_line(page, "", flag->help);
  }
}

/* The page agon-COMMAND(1). The title is the name in capitals, as manual pages have it. */
static void write_command(FILE *page, const Command *command) {
  char title[48];
  char name[48];
  snprintf(title, sizeof title, "AGON\\-%s", command->name);
  for (char *at = title; *at; at++)
    if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 'a' + 'A');
  snprintf(name, sizeof name, "agon-%s", command->name);
  put_head(page, title, name, command->summary);
  fprintf(page, ".SH SYNOPSIS\n\\fBagon %s\\fR ", command->name);
  put_line(page, "", command->usage);
  if (command->help) put_line(page, ".SH DESCRIPTION\n", command->help);
  put_flags(page, command);
  fputs(".SH SEE ALSO\n\\fBagon\\fR(1)\n", page);
}

/* What a key may be, with spaces at which a line may end: many choices are longer than a line. */
static void put_choices(FILE *page, const char *choices) {
  fputs("One of ", page);
  for (; *choices; choices++)
    if (*choices == '|')
      fputs(", ", page);
    else
      put_text(page, (char[2]){*choices});
  fputc('\n', page);
}

/* One key of the configuration with its default, its help and its choices. */
static void put_key(void *context, const char *key, const Option *option) {
  FILE *page = context;
  fputs(".TP\n\\fB", page);
  put_text(page, key);
  fputs("\\fR=", page);
  put_line(page, "", *option->fallback ? option->fallback : "(empty)");
  put_line(page, "", option->help);
  if (option->choices) put_choices(page, option->choices);
}

/* The page agon(1): all commands, keys and terms. Fails where topic_each_key does. */
static Status write_program(FILE *page) {
  put_head(page, "AGON", "agon", "league self-play over MPI");
  fputs(".SH SYNOPSIS\n\\fBagon\\fR \\fICOMMAND\\fR [\\fIarguments\\fR]\n.SH DESCRIPTION\n"
        "Trains populations of agents by league self\\-play. To begin:\n.PP\n.RS\n"
        "mpirun \\-n 2 agon train connect_four frames=1M\n.RE\n.SH COMMANDS\n",
        page);
  for (size_t i = 0; i < command_count; i++) {
    fprintf(page, ".TP\n\\fBagon\\-%s\\fR(1)\n", commands[i]->name);
    put_line(page, "", commands[i]->summary);
  }
  fputs(".SH CONFIGURATION\nKeys of a YAML file or of the command line (key=value), with their "
        "defaults; the options "
        "of a "
        "game are listed by \\fBagon env info\\fR.\n",
        page);
  TRY_RETURN(topic_each_key(put_key, page));
  fputs(".SH TERMS\n", page);
  for (size_t i = 0; i < glossary_count; i++) {
    put_line(page, ".TP\n", glossary[i].name);
    put_line(page, "", glossary[i].text);
  }
  fputs(".SH ENVIRONMENT\n.TP\nAGON_PLUGINS\nPaths of plug\\-ins, with colons between them, whose "
        "code a run may use; names of Python modules likewise.\n"
        ".TP\nAGON_PYTHON\nThe Python of environments that are Python; else that of VIRTUAL_ENV, "
        "or python3.\n"
        ".SH EXIT STATUS\n",
        page);
  put_line(page, "", EXIT_CODES);
  fputs(".SH SEE ALSO\n\\fBmpirun\\fR(1)\n", page);
  return OK;
}

/* Opens folder/agon.1 (command NULL) or folder/agon-COMMAND.1. */
static Status write_page(const char *folder, const Command *command) {
  char path[4200];
  Status status = OK;
  TRY_RETURN(text_format(path, sizeof path, "%s/agon%s%s.1", folder, command ? "-" : "",
                         command ? command->name : ""));
  FILE *page = fopen(path, "w");
  if (!page) return status_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
  if (command)
    write_command(page, command);
  else
    status = write_program(page);
  bool torn = ferror(page) != 0;
  if (fclose(page) || torn) return status_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
  return status;
}

/* The program's page and one for each command. Pages that were written before a failure stay. */
Status manual_write_pages(const char *folder) {
  TRY_RETURN(write_page(folder, NULL));
  for (size_t i = 0; i < command_count; i++)
    TRY_RETURN(write_page(folder, commands[i]));
  return OK;
}

/* --- completion --- */

/* A key as the shell completes it, with the '=' that its value follows. */
static void put_bash_key(void *context, const char *key, const Option *option) {
  (void)option;
  fprintf(context, " %s=", key);
}

/* A key as 'agon help' takes it, without '='. */
static void put_word(void *context, const char *key, const Option *option) {
  (void)option;
  fprintf(context, " %s", key);
}

/* What 'agon help' explains. */
static Status put_topics(FILE *out) {
  fputs(" keys terms", out);
  for (size_t i = 0; i < command_count; i++)
    fprintf(out, " %s", commands[i]->name);
  return topic_each_key(put_word, out);
}

/* Commands, then the flags of the command and the files of the folder; keys and games where a
 * command takes them. */
static Status print_bash(FILE *out) {
  fputs("# bash completion for agon, written by 'agon help --completion bash'\n"
        "_agon() {\n"
        "  local word=${COMP_WORDS[COMP_CWORD]} words=\n"
        "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
        "    COMPREPLY=($(compgen -W \"",
        out);
  for (size_t i = 0; i < command_count; i++)
    fprintf(out, "%s%s", i ? " " : "", commands[i]->name);
  fputs("\" -- \"$word\"))\n"
        "    return\n"
        "  fi\n"
        "  case ${COMP_WORDS[1]} in\n",
        out);
  for (size_t i = 0; i < command_count; i++) {
    fprintf(out, "  %s) words=\"--help", commands[i]->name);
    for (size_t f = 0; f < commands[i]->flag_count; f++)
      fprintf(out, " %s", commands[i]->flags[f].name);
    fputs("\" ;;\n", out);
  }
  fputs("  esac\n"
        "  case ${COMP_WORDS[1]} in\n"
        "  train | env | config | bench | play)\n"
        "    words+=\"",
        out);
  for (size_t i = 0; env_builtin(i); i++)
    fprintf(out, " %s", env_builtin(i)->name);
  fputs("\" ;;\n"
        "  esac\n"
        "  case ${COMP_WORDS[1]} in\n"
        "  train | config | bench)\n"
        "    words+=\"",
        out);
  TRY_RETURN(topic_each_key(put_bash_key, out));
  fputs("\" ;;\n"
        "  help)\n"
        "    words+=\"",
        out);
  TRY_RETURN(put_topics(out));
  fputs("\" ;;\n"
        "  esac\n"
        "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\") $(compgen -f -- \"$word\"))\n"
        "  case ${COMPREPLY[0]-} in *=) compopt -o nospace ;; esac\n"
        "}\n"
        "complete -o filenames -F _agon agon\n",
        out);
  return OK;
}

/* 'name:text' as one quoted word, with colons of the name and quotes of both escaped. */
static void put_zsh_word(FILE *out, const char *name, const char *text) {
  fputs(" '", out);
  for (const char *at = name; *at; at++)
    fputs(*at == ':' ? "\\:" : (char[2]){*at, 0}, out);
  if (text) fputc(':', out);
  for (const char *at = text ? text : ""; *at; at++)
    fputs(*at == '\'' ? "'\\''" : (char[2]){*at, 0}, out);
  fputc('\'', out);
}

/* A key with its help, which zsh shows beside it. */
static void put_zsh_key(void *context, const char *key, const Option *option) {
  fputs("\n     ", context);
  put_zsh_word(context, key, option->help);
}

/* The same for zsh, where commands, flags and keys come with a sentence each. */
static Status print_zsh(FILE *out) {
  fputs("#compdef agon\n"
        "# zsh completion for agon, written by 'agon help --completion zsh'\n"
        "_agon() {\n"
        "  local -a names flags keys\n"
        "  names=(",
        out);
  for (size_t i = 0; i < command_count; i++) {
    fputs("\n     ", out);
    put_zsh_word(out, commands[i]->name, commands[i]->summary);
  }
  fputs(")\n"
        "  if (( CURRENT == 2 )); then\n"
        "    _describe command names\n"
        "    return\n"
        "  fi\n"
        "  case $words[2] in\n",
        out);
  for (size_t i = 0; i < command_count; i++) {
    fprintf(out, "  %s) flags=('--help:explains the command'", commands[i]->name);
    for (size_t f = 0; f < commands[i]->flag_count; f++)
      put_zsh_word(out, commands[i]->flags[f].name, commands[i]->flags[f].help);
    fputs(") ;;\n", out);
  }
  fputs("  esac\n"
        "  case $words[2] in\n"
        "  train|config|bench)\n"
        "    keys=(",
        out);
  TRY_RETURN(topic_each_key(put_zsh_key, out));
  fputs(")\n"
        "    _describe key keys -S = ;;\n"
        "  esac\n"
        "  case $words[2] in\n"
        "  train|env|config|bench|play)\n"
        "    compadd",
        out);
  for (size_t i = 0; env_builtin(i); i++)
    fprintf(out, " %s", env_builtin(i)->name);
  fputs(" ;;\n"
        "  help)\n"
        "    compadd",
        out);
  TRY_RETURN(put_topics(out));
  fputs(" ;;\n"
        "  esac\n"
        "  _describe flag flags\n"
        "  _files\n"
        "}\n"
        "_agon \"$@\"\n",
        out);
  return OK;
}

/* Prints the script of one shell. ERR_USAGE for shells without one. */
Status manual_print_completion(const char *shell, FILE *out) {
  if (!strcmp(shell, "bash")) return print_bash(out);
  if (!strcmp(shell, "zsh")) return print_zsh(out);
  return status_set(ERR_USAGE, "--completion: '%.40s' is neither bash nor zsh", shell);
}
