#include "cli/topics.h"

#include "base/text.h"
#include "cli/cli.h"
#include "cli/glossary.h"
#include "cli/terminal.h"
#include "job/config.h"
#include "job/resume.h"
#include "metrics/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a section is about, and where its keys are used. Sections of algorithms come from their own
 * table. */
typedef struct Section {
  const char *name;
  const char *what;
  const char *where;
} Section;

static const Section sections[] = {
    {"run",
     "the run itself: its game, its seed, its pace and how long it goes on; keys without a section",
     "src/job"},
    {"net", "the network that every player has", "src/nn"},
    {"learner", "how players are updated, whatever the algorithm", "learner"},
    {"actors", "how games are played, to learn from and to judge by", "actors"},
    {"replay", "experience that is kept and learned from again, by algorithms that do so",
     "learner/rehearsal.c"},
    {"rewards", "what is learned from, made of the game's own rewards, which are what is reported",
     "src/play/rewards.c"},
    {"league",
     "who plays whom, and who is frozen and reset when; players from outside join by "
     "league.guests.NAME=PLAYER (agon help guest)",
     "league"},
    {"tune", "numbers that differ from player to player, and are found by those who win",
     "league/tune.c"},
    {"curriculum", "stages of the game, from easy to hard, before the task itself",
     "league/curriculum.c and src/env/stages.c"},
    {"checkpoint", "when everything is saved, and how much of it is kept", "league"},
    {"metrics", "what is measured and shown, and when", "league and src/metrics"},
};

/* An algorithm of learner/algos by its name, or NULL. Its keys are a section of that name. */
static const AlgoOps *algorithm_named(const char *name) {
  for (size_t i = 0; algo_ops(i); i++)
    if (!strcmp(algo_ops(i)->name, name)) return algo_ops(i);
  return NULL;
}

/* false: there is no such section. where: [64] */
static bool section_named(const char *name, const char **what, char *where, size_t size) {
  const AlgoOps *algo = algorithm_named(name);
  for (size_t i = 0; i < COUNT_OF(sections); i++) {
    if (strcmp(sections[i].name, name)) continue;
    *what = sections[i].what;
    snprintf(where, size, "%s", sections[i].where);
    return true;
  }
  if (!algo) return false;
  *what = algo->summary;
  if (algo->file)
    snprintf(where, size, "learner/algos/%s", algo->file);
  else
    snprintf(where, size, "learner/algos/%s.c", name);
  return true;
}

/* A section of the table above or an algorithm. */
const char *topic_section(const char *name) {
  const char *what = NULL;
  char where[64] = "";
  return section_named(name, &what, where, sizeof where) ? what : NULL;
}

/* The section of a key: what stands before its first dot, or "run". */
static void section_of(const char *key, char *out, size_t size) {
  const char *dot = strchr(key, '.');
  snprintf(out, size, "%.*s", dot ? (int)(dot - key) : 3, dot ? key : "run");
}

/* "a whole number, 1 to 16384 units", "a number from 0 on, in seconds" */
static void say_range(const Option *option, char *out, size_t size) {
  static const char *const name[] = {"true or false", "a whole number",         "a number", "",
                                     "a text",        "a list of whole numbers"};
  size_t used = 0;
  if (option->type == OPT_CHOICE) {
    used = (size_t)snprintf(out, size, "one of ");
    for (const char *at = option->choices; *at && used + 3 < size; at++)
      used += (size_t)snprintf(out + used, size - used, *at == '|' ? ", " : "%c", *at);
    return;
  }
  const bool ranged =
      option->type == OPT_INT || option->type == OPT_FLOAT || option->type == OPT_INTS;
  const bool time = !strcmp(option->unit, OPTION_SECONDS);
  const char *unit = time ? "seconds" : option->unit;
  if (!ranged)
    snprintf(out, size, "%s", name[option->type]);
  else if (option->high >= OPTION_NO_LIMIT)
    used = (size_t)snprintf(out, size, "%s from %g on%s%s", name[option->type], option->low,
                            *unit ? ", in " : "", unit);
  else
    used = (size_t)snprintf(out, size, "%s, %g to %g%s%s", name[option->type], option->low,
                            option->high, *unit ? " " : "", unit);
  if (time && used < size) snprintf(out + used, size - used, "; also 20s, 5m, 2h, 1:30:00");
}

/* What a walk over all keys looks for. */
typedef struct Search {
  const char *key;     /* asked for, or NULL */
  const char *section; /* asked for, or NULL: its keys are printed */
  const Option *found;
  FILE *out;
  size_t width;
} Search;

/* Finds the key that is asked for, and prints the keys of the section that is. */
static void visit_key(void *context, const char *key, const Option *option) {
  Search *search = context;
  char section[96];
  char left[128];
  if (search->key && !strcmp(search->key, key)) search->found = option;
  section_of(key, section, sizeof section);
  if (!search->section || strcmp(search->section, section)) return;
  snprintf(left, sizeof left, "  %s=%s", key, *option->fallback ? option->fallback : "''");
  print_row(search->out, left, 36, option->help, search->width);
}

/* Declares a plain configuration, as a job would, to visit its keys: there is no second list of
 * them that could be out of date. ERR_MEMORY where there is no room for one. */
Status topic_each_key(ConfigVisit visit, void *context) {
  Status status = OK;
  JobConfig *plain = NULL;
  TRY(NEW_ARRAY(plain, 1));
  TRY(config_create(&plain->config));
  TRY(job_config_declare(plain));
  config_each(plain->config, visit, context);
done:
  job_config_destroy(plain);
  return status;
}

/* All that is known of one key, a row each: what it means, its default and range, its section,
 * where the source uses it, how it is written, and other names it is known by. */
static void print_key(const char *key, const Option *option, FILE *out, size_t width) {
  char section[96];
  char where[64] = "";
  char text[512];
  const char *what = "";
  size_t used = 0;
  section_of(key, section, sizeof section);
  section_named(section, &what, where, sizeof where);
  fprintf(out, "%s\n\n", key);
  print_row(out, "  what", 14, option->help, width);
  print_row(out, "  default", 14, *option->fallback ? option->fallback : "(empty)", width);
  say_range(option, text, sizeof text);
  print_row(out, "  value", 14, text, width);
  snprintf(text, sizeof text, "%s: %s ('agon help %s%s' lists its keys)", section, what, section,
           command_named(section) ? ".*" : "");
  print_row(out, "  section", 14, text, width);
  print_row(out, "  used in", 14, where, width);
  const char *dot = strchr(key, '.');
  if (dot)
    snprintf(text, sizeof text, "%s=VALUE on the command line, or in a file: %s: {%s: VALUE}", key,
             section, dot + 1);
  else
    snprintf(text, sizeof text, "%s=VALUE on the command line, or in a file: %s: VALUE", key, key);
  print_row(out, "  written", 14, text, width);
  for (size_t i = 0; job_config_alias(i); i++)
    if (!strcmp(job_config_alias(i)->key, key) && used + 40 < sizeof text)
      used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                               job_config_alias(i)->word);
  if (used) print_row(out, "  known as", 14, text, width);
  if (resume_is_fixed(key)) print_row(out, "  on resume", 14, "may not change", width);
}

/* What a section is about, then its keys with their defaults, each with its sentence. */
static Status print_section(const char *name, FILE *out, size_t width) {
  const char *what = "";
  char where[64] = "";
  Search search = {.section = name, .out = out, .width = width};
  section_named(name, &what, where, sizeof where);
  fprintf(out, "%s: ", name);
  print_wrapped(out, what, strlen(name) + 2, 2, width);
  const int used = fprintf(out, "\nused in %s;", where);
  print_wrapped(out,
                " keys with their defaults, of which 'agon help KEY' says more:", (size_t)used - 1,
                0, width);
  fputs("\n\n", out);
  return topic_each_key(visit_key, &search);
}

/* All sections, those of algorithms last. */
static void print_sections(FILE *out, size_t width) {
  char left[64];
  print_wrapped(out,
                "Sections of the configuration; 'agon help SECTION' lists the keys of one ('agon "
                "help SECTION.*' where a "
                "command has that name), 'agon help KEY' explains one, 'agon env info GAME' lists "
                "a game's own (env.*).",
                0, 0, width);
  fputs("\n\n", out);
  for (size_t i = 0; i < COUNT_OF(sections); i++) {
    snprintf(left, sizeof left, "  %s%s", sections[i].name,
             command_named(sections[i].name) ? ".*" : "");
    print_row(out, left, 16, sections[i].what, width);
  }
  for (size_t i = 0; algo_ops(i); i++) {
    snprintf(left, sizeof left, "  %s", algo_ops(i)->name);
    print_row(out, left, 16, algo_ops(i)->summary, width);
  }
}

/* Without the marks of keys and values. */
static void print_term(const Term *term, FILE *out, size_t width) {
  char left[64];
  char text[512];
  size_t used = 0;
  for (const char *at = term->text; *at && used + 1 < sizeof text; at++)
    text[used++] = *at == '`' ? '\'' : *at;
  text[used] = 0;
  snprintf(left, sizeof left, "  %s", term->name);
  print_row(out, left, 19, text, width);
}

/* The numbers of metrics.jsonl, with TensorBoard's tags. */
static void print_series(FILE *out, size_t width) {
  char tag[96];
  char text[256];
  print_wrapped(out,
                "Numbers of a run over time: in metrics.jsonl and Python (agon.Run) by their name, "
                "a player's as PLAYER/NAME; in TensorBoard by their tag, a player's in tb/PLAYER, "
                "all others in tb/league (tb/team where one team plays). '*' stands for what a "
                "game calls what it measures, or for a rule of matchmaking.",
                0, 0, width);
  fputs("\n\n", out);
  for (size_t i = 0; metric_name(i); i++) {
    metric_tag(metric_name(i)->name, tag, sizeof tag);
    snprintf(text, sizeof text, "%s (TensorBoard: %s)", metric_name(i)->what, tag);
    print_row(out, metric_name(i)->name, 36, text, width);
  }
}

/* A term by its name in whatever case ("pfsp", "PFSP"), or NULL. */
static const Term *term_named(const char *name) {
  for (size_t i = 0; i < glossary_count; i++)
    if (!strcasecmp(glossary[i].name, name)) return &glossary[i];
  return NULL;
}

/* Text in small letters, cut to fit. Returns `out`. */
static const char *lower(const char *text, char *out, size_t size) {
  size_t used = 0;
  for (; text[used] && used + 1 < size; used++)
    out[used] = (char)tolower((unsigned char)text[used]);
  out[used] = 0;
  return out;
}

/* What was meant by a word that is nothing. Borrowed from the tables; NULL: nothing is near. */
static const char *nearest(const char *word) {
  const char *near = NULL;
  size_t least = SIZE_MAX;
  size_t distance;
  const char *candidate;
  char small[64];
  char other[64];
  for (size_t i = 0; i < command_count + COUNT_OF(sections) + glossary_count; i++) {
    if (i < command_count)
      candidate = commands[i]->name;
    else if (i < command_count + COUNT_OF(sections))
      candidate = sections[i - command_count].name;
    else
      candidate = glossary[i - command_count - COUNT_OF(sections)].name;
    if (!text_is_near(lower(word, small, sizeof small), lower(candidate, other, sizeof other),
                      &distance))
      continue;
    if (distance >= least) continue;
    least = distance;
    near = candidate;
  }
  return near;
}

/* Keys suggest their own neighbours: as they do where a configuration gives one that is none. */
static Status try_as_key(const char *word) {
  Status status = OK;
  JobConfig *plain = NULL;
  TRY(NEW_ARRAY(plain, 1));
  TRY(config_create(&plain->config));
  TRY(job_config_declare(plain));
  TRY(config_assign(plain->config, CONFIG_COMMAND, word, "", "configuration"));
  TRY(config_resolve(plain->config));
done:
  job_config_destroy(plain);
  return status;
}

/* ERR_USAGE for a word that is nothing, with what may have been meant: a command, section or term
 * first, then a key. */
static Status unknown(const char *word) {
  const char *near = nearest(word);
  if (!strncmp(word, "env.", 4))
    return status_set(ERR_USAGE, "%s is an option of a game: 'agon env info GAME' lists them",
                      word);
  if (!near && try_as_key(word) != OK && strstr(status_message(), "did you mean")) return ERR_USAGE;
  return status_set(ERR_USAGE,
                    "no command '%s', nor a key, section or term%s%s%s; 'agon help' lists "
                    "commands, 'agon help keys' "
                    "sections, 'agon help terms' terms, 'agon help series' the numbers of a run",
                    word, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* "league." and "league.*" are the section where "league" is a command. */
static const char *plain_section(const char *word, char *out, size_t size) {
  size_t length = strlen(word);
  if (length > 2 && !strcmp(word + length - 2, ".*")) length -= 2;
  if (length > 1 && word[length - 1] == '.') length--;
  snprintf(out, size, "%.*s", (int)length, word);
  return out;
}

/* A word is tried as a key or another name of one, then as a section, then as a term: the more
 * exact meaning wins. */
Status topic_print(const char *word, FILE *out, size_t width) {
  char section[96];
  Search search = {.key = word};
  if (!strcmp(word, "terms")) {
    for (size_t i = 0; i < glossary_count; i++)
      print_term(&glossary[i], out, width);
    return OK;
  }
  if (!strcmp(word, "series")) {
    print_series(out, width);
    return OK;
  }
  if (!strcmp(word, "keys")) {
    print_sections(out, width);
    return OK;
  }
  for (size_t i = 0; job_config_alias(i); i++)
    if (!strcmp(job_config_alias(i)->word, word)) search.key = job_config_alias(i)->key;
  TRY_RETURN(topic_each_key(visit_key, &search));
  if (search.found) {
    print_key(search.key, search.found, out, width);
    return OK;
  }
  if (topic_section(plain_section(word, section, sizeof section)))
    return print_section(section, out, width);
  if (term_named(word)) {
    print_term(term_named(word), out, width);
    return OK;
  }
  return unknown(word);
}
