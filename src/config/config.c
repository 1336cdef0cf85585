/* Assignments are kept in arrival order with their layer; resolve applies them weakest first. */
#include "config/config.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A declared key: where its value goes, and what it is after resolve. */
typedef struct Entry {
  char key[96];
  const Option *option;
  void *target;
  char value[OPTION_TEXT];
  char origin[256];
  ConfigLayer layer;
} Entry;

/* A value that somebody gave, and where it came from. */
typedef struct Assignment {
  char key[96];
  char value[OPTION_TEXT];
  char origin[256];
  ConfigLayer layer;
} Assignment;

/* A key that is not declared anywhere: only its value is known. */
typedef struct Guess {
  Option option;
  char name[96];
  struct Guess *next;
} Guess;

struct Config {
  Guess *guess;
  Entry *entry;
  size_t entries, entry_room;
  Assignment *assignment;
  size_t assignments, assignment_room;
  const ConfigAlias *alias; /* borrowed */
  size_t aliases;
};

Status config_create(Config **out) {
  return mem_array(out, 1, sizeof **out);
}

/* Accepts NULL. */
void config_destroy(Config *config) {
  if (!config) return;
  for (Guess *guess = config->guess, *next; guess; guess = next) {
    next = guess->next;
    free(guess);
  }
  free(config->entry);
  free(config->assignment);
  free(config);
}

/* Kept for messages about unknown keys. */
void config_know_aliases(Config *config, const ConfigAlias *alias, size_t count) {
  config->alias = alias;
  config->aliases = count;
}

/* The declared key, or NULL. */
static Entry *find(const Config *config, const char *key) {
  for (size_t i = 0; i < config->entries; i++)
    if (!strcmp(config->entry[i].key, key)) return &config->entry[i];
  return NULL;
}

/* An option table's rows become entries with the section in front. */
Status config_declare(Config *config, const char *prefix, const Option *table, size_t count,
                      void *target) {
  TRY_RETURN(GROW(config->entry, config->entry_room, config->entries + count));
  for (size_t i = 0; i < count; i++) {
    Entry *entry = &config->entry[config->entries];
    TRY_RETURN(text_format(entry->key, sizeof entry->key, "%s%s%s", prefix, *prefix ? "." : "",
                           table[i].name));
    if (find(config, entry->key))
      return status_set(ERR_INTERNAL, "option %s is declared twice", entry->key);
    entry->option = &table[i];
    entry->target = target;
    config->entries++;
  }
  return OK;
}

/* Nothing is checked yet: tables of a game are declared only once the game is known. */
Status config_assign(Config *config, ConfigLayer layer, const char *key, const char *value,
                     const char *origin) {
  TRY_RETURN(GROW(config->assignment, config->assignment_room, config->assignments + 1));
  Assignment *assignment = &config->assignment[config->assignments];
  TRY_RETURN(text_format(assignment->key, sizeof assignment->key, "%s", key));
  TRY_RETURN(text_format(assignment->value, sizeof assignment->value, "%s", value));
  snprintf(assignment->origin, sizeof assignment->origin, "%s", origin);
  assignment->layer = layer;
  config->assignments++;
  return OK;
}

/* Whether a key is of the section, or of one of a list of that name: prefix[3].key. */
static bool is_under(const char *key, const char *prefix) {
  const size_t length = strlen(prefix);
  return !strncmp(key, prefix, length) && (key[length] == '.' || key[length] == '[');
}

/* For a run whose plug-in is not opened: its options are shown as they were given. */
Status config_declare_assigned(Config *config, const char *prefix) {
  for (size_t i = 0; i < config->assignments; i++) {
    const Assignment *from = &config->assignment[i];
    if (!is_under(from->key, prefix) || find(config, from->key)) continue;
    Guess *guess;
    TRY_RETURN(NEW_ARRAY(guess, 1));
    guess->next = config->guess;
    config->guess = guess;
    memcpy(guess->name, from->key, sizeof guess->name);
    guess->option =
        (Option){.name = guess->name, .type = OPT_TEXT, .fallback = "", .unit = "", .help = ""};
    TRY_RETURN(config_declare(config, "", &guess->option, 1, NULL));
  }
  return OK;
}

/* Splits at the first '=', as values may have more. */
Status config_parse_override(Config *config, const char *text) {
  const char *equals = strchr(text, '=');
  char key[96];
  if (!equals || equals == text) return status_set(ERR_USAGE, "'%s' is not key=value", text);
  TRY_RETURN(text_format(key, sizeof key, "%.*s", (int)(equals - text), text));
  return config_assign(config, CONFIG_COMMAND, key, equals + 1, "command line");
}

/* Of assignments in one layer the last one wins. */
static const Assignment *strongest(const Config *config, const char *key) {
  const Assignment *best = NULL;
  for (size_t i = 0; i < config->assignments; i++) {
    const Assignment *candidate = &config->assignment[i];
    if (!strcmp(candidate->key, key) && (!best || candidate->layer >= best->layer))
      best = candidate;
  }
  return best;
}

/* Needed before tables are complete: which game it is decides which options there are. */
const char *config_peek(const Config *config, const char *key) {
  const Assignment *best = strongest(config, key);
  return best ? best->value : NULL;
}

/* Whether the user said it, or a preset. */
bool config_peek_layer(const Config *config, const char *key, ConfigLayer *out) {
  const Assignment *best = strongest(config, key);
  if (best) *out = best->layer;
  return best != NULL;
}

/* In the order of OptionType. */
const char *option_type_name(OptionType type) {
  static const char *const name[] = {"bool", "int", "float", "choice", "text", "list of int"};
  return name[type];
}

enum { SUGGESTED = 3 };

/* The nearest keys so far, all at the same cost. */
typedef struct Suggestions {
  const char *key[SUGGESTED];
  size_t count;
  size_t cost; /* the same of all of them */
} Suggestions;

/* Keeps a key if it is as near as the nearest so far. */
static void suggest(Suggestions *s, const char *key, size_t cost) {
  if (s->count && cost > s->cost) return;
  if (s->count && cost < s->cost) s->count = 0;
  s->cost = cost;
  if (s->count < SUGGESTED) s->key[s->count++] = key;
}

/* The last part of a key, its name; what stands before it, its section ("" at the top), goes into
 * section[size]. */
static const char *split_key(const char *key, char *section, size_t size) {
  const char *dot = strrchr(key, '.');
  snprintf(section, size, "%.*s", dot ? (int)(dot - key) : 0, key);
  return dot ? dot + 1 : key;
}

/* The keys that may have been meant. Sections and names are compared by themselves, so that a long
 * section does not make up for a name that has nothing in common. A name without a section, or in
 * the wrong one, finds its key too, as do words by which other programs know it. */
static Suggestions nearest(const Config *config, const char *key) {
  enum { ELSEWHERE = 1 }; /* after any key of the same section that is as near */
  Suggestions out = {.count = 0};
  char section[96], other[96];
  const char *name = split_key(key, section, sizeof section);
  for (size_t i = 0; i < config->aliases; i++)
    if (!strcmp(config->alias[i].word, name) && find(config, config->alias[i].key))
      suggest(&out, config->alias[i].key, 0);
  for (size_t i = 0; i < config->entries; i++) {
    const char *candidate = config->entry[i].key;
    const char *end = split_key(candidate, other, sizeof other);
    size_t by_name, by_section, whole;
    bool near = text_is_near(name, end, &by_name);
    bool related = text_is_near(section, other, &by_section);
    if (!*section && text_is_near(key, candidate, &whole)) suggest(&out, candidate, 2 * whole);
    if (near && related)
      suggest(&out, candidate, 2 * (by_name + by_section));
    else if (near && (!*section || by_name == 0))
      suggest(&out, candidate, 2 * by_name + ELSEWHERE);
  }
  return out;
}

/* ERR_USAGE that names the place, the key and what may have been meant. */
static Status unknown_key(const Config *config, const Assignment *from) {
  Suggestions near = nearest(config, from->key);
  char text[SUGGESTED * 112] = "";
  size_t used = 0;
  for (size_t i = 0; i < near.count; i++) {
    bool told = false; /* a key may be near in more ways than one */
    for (size_t k = 0; k < i; k++)
      told |= near.key[k] == near.key[i] || !strcmp(near.key[k], near.key[i]);
    if (!told)
      used += (size_t)snprintf(text + used, sizeof text - used, "%s'%s'",
                               i ? " or " : ", did you mean ", near.key[i]);
  }
  return status_set(ERR_USAGE, "%s: unknown key '%s'%s%s; 'agon config schema' lists all",
                    from->origin, from->key, text, *text ? "?" : "");
}

/* ERR_USAGE that names the place, the key and the value. */
static Status bad_value(const Assignment *from, const char *why) {
  return status_set(ERR_USAGE, "%s: %s: '%s' %s", from->origin, from->key, from->value, why);
}

/* ERR_USAGE with the range. */
static Status bad_range(const Assignment *from, const Option *option) {
  char why[128];
  snprintf(why, sizeof why, "is outside %g .. %g", option->low, option->high);
  return bad_value(from, why);
}

/* ERR_USAGE; asks back where a suffix was almost right. */
static Status no_number(const Assignment *from, const char *what) {
  char meant[80];
  char why[160];
  bool scaled = text_scale_meant(from->value, meant, sizeof meant);
  snprintf(why, sizeof why, "is not %s%s%s%s", what, scaled ? ", did you mean " : "",
           scaled ? meant : "", scaled ? "?" : "");
  return bad_value(from, why);
}

/* "[64, 64]" or "64, 64": at most OPTION_LIST integers within the option's range. */
static Status parse_list(const Option *option, const Assignment *from, IntList *list) {
  char item[64];
  *list = (IntList){0};
  const char *at = from->value;
  bool bracket = *at == '[';
  if (bracket) at++;
  while (*at && *at != ']') {
    size_t length = strcspn(at, ",]");
    snprintf(item, sizeof item, "%.*s", (int)(length < 63 ? length : 63), at);
    char *word = item;
    while (isspace((unsigned char)*word))
      word++;
    for (size_t n = strlen(word); n && isspace((unsigned char)word[n - 1]);)
      word[--n] = 0;
    int64_t value;
    if (!text_to_int(word, &value))
      return bad_value(from, "is not a list of integers such as [64, 64]");
    if (list->count == OPTION_LIST) return bad_value(from, "has more than 16 items");
    if ((double)value < option->low || (double)value > option->high) return bad_range(from, option);
    list->item[list->count++] = value;
    at += length;
    if (*at == ',') at++;
  }
  return OK;
}

/* Each of these reads one type of value into `field` (NULL: checks only) and writes it to `value`
 * as the dump shows it: numbers plainly, whatever suffix they came with. */
static Status apply_bool(const Assignment *from, char *field, char *value) {
  int which = text_choice("false|true|no|yes|off|on|0|1", from->value);
  if (which < 0) return bad_value(from, "is not true or false");
  bool on = which & 1; /* the words alternate */
  if (field) memcpy(field, &on, sizeof on);
  snprintf(value, OPTION_TEXT, "%s", on ? "true" : "false");
  return OK;
}

static Status apply_int(const Option *option, const Assignment *from, char *field, char *value) {
  int64_t number;
  if (!text_to_int(from->value, &number)) return no_number(from, "a whole number");
  if ((double)number < option->low || (double)number > option->high) return bad_range(from, option);
  if (field) memcpy(field, &number, sizeof number);
  snprintf(value, OPTION_TEXT, "%lld", (long long)number);
  return OK;
}

/* A plain number stays as it was written, so that no digit changes. */
static Status apply_float(const Option *option, const Assignment *from, char *field, char *value) {
  double number;
  bool plain = text_to_float(from->value, &number);
  bool time = !strcmp(option->unit, OPTION_SECONDS);
  if (!plain && time && !text_to_seconds(from->value, &number)) return no_number(from, TEXT_TIME);
  if (!plain && !time) return no_number(from, "a number");
  if (number < option->low || number > option->high) return bad_range(from, option);
  if (field) memcpy(field, &number, sizeof number);
  if (!plain) snprintf(value, OPTION_TEXT, "%.15g", number);
  return OK;
}

static Status apply_choice(const Option *option, const Assignment *from, char *field) {
  int which = text_choice(option->choices, from->value);
  char why[256];
  snprintf(why, sizeof why, "is not one of %s", option->choices);
  if (which < 0) return bad_value(from, why);
  if (field) memcpy(field, &which, sizeof which);
  return OK;
}

static Status apply_list(const Option *option, const Assignment *from, char *field, char *value) {
  IntList list;
  size_t used = 0;
  TRY_RETURN(parse_list(option, from, &list));
  if (field) memcpy(field, &list, sizeof list);
  value[used++] = '[';
  for (size_t i = 0; i < list.count; i++)
    used += (size_t)snprintf(value + used, OPTION_TEXT - used, "%s%lld", i ? ", " : "",
                             (long long)list.item[i]);
  snprintf(value + used, OPTION_TEXT - used, "]");
  return OK;
}

/* Reads a value by its option's type, into `field` (NULL: checks only) and, as the dump shows it,
 * into `value`. */
static Status apply(const Option *option, const Assignment *from, char *field, char *value) {
  const char *text = from->value;
  snprintf(value, OPTION_TEXT, "%s", text);
  switch (option->type) {
  case OPT_BOOL: return apply_bool(from, field, value);
  case OPT_INT: return apply_int(option, from, field, value);
  case OPT_FLOAT: return apply_float(option, from, field, value);
  case OPT_CHOICE: return apply_choice(option, from, field);
  case OPT_INTS: return apply_list(option, from, field, value);
  case OPT_TEXT: break;
  }
  if (field) memcpy(field, value, OPTION_TEXT);
  return OK;
}

/* Later assignments overwrite earlier ones. */
static Status apply_entry(Entry *entry, const Assignment *from) {
  TRY_RETURN(apply(entry->option, from,
                   entry->target ? (char *)entry->target + entry->option->offset : NULL,
                   entry->value));
  memcpy(entry->origin, from->origin, sizeof entry->origin);
  entry->layer = from->layer;
  return OK;
}

/* Defaults first, then layer by layer, weakest first; within a layer in the order of arrival. */
Status config_resolve(Config *config) {
  for (size_t i = 0; i < config->entries; i++) {
    Entry *entry = &config->entry[i];
    Assignment initial = {.origin = "default"};
    memcpy(initial.key, entry->key, sizeof initial.key);
    TRY_RETURN(text_format(initial.value, sizeof initial.value, "%s", entry->option->fallback));
    TRY_RETURN(apply_entry(entry, &initial));
  }
  for (int layer = CONFIG_DEFAULT; layer <= CONFIG_COMMAND; layer++) {
    for (size_t i = 0; i < config->assignments; i++) {
      const Assignment *from = &config->assignment[i];
      if ((int)from->layer != layer) continue;
      Entry *entry = find(config, from->key);
      if (entry) {
        TRY_RETURN(apply_entry(entry, from));
        continue;
      }
      return unknown_key(config, from);
    }
  }
  return OK;
}

/* As the dump shows it. */
const char *config_value(const Config *config, const char *key) {
  const Entry *entry = find(config, key);
  return entry ? entry->value : NULL;
}

/* "default", "FILE:LINE:COLUMN", "command line", or a preset's name. */
const char *config_origin(const Config *config, const char *key) {
  const Entry *entry = find(config, key);
  return entry ? entry->origin : NULL;
}

Status config_read_as(Config *config, const char *key, const Option *option, void *target) {
  Entry *entry = find(config, key);
  Assignment from = {.layer = CONFIG_DEFAULT};
  if (!entry) return status_set(ERR_INTERNAL, "key %s is not declared", key);
  memcpy(from.key, entry->key, sizeof from.key);
  memcpy(from.value, entry->value, sizeof from.value);
  memcpy(from.origin, entry->origin, sizeof from.origin);
  return apply(option, &from, (char *)target + option->offset, entry->value);
}

/* A key of the one section, under the other one. "a.b.key" is one of a section "a.b". */
static Status move_key(char key[96], const char *from, const char *to) {
  char old[96];
  if (!is_under(key, from) || strchr(key + strlen(from) + 1, '.')) return OK;
  memcpy(old, key, sizeof old);
  return text_format(key, 96, "%s%s", to, old + strlen(from));
}

Status config_move(Config *config, const char *from, const char *to) {
  for (size_t i = 0; i < config->entries; i++)
    TRY_RETURN(move_key(config->entry[i].key, from, to));
  for (size_t i = 0; i < config->assignments; i++)
    TRY_RETURN(move_key(config->assignment[i].key, from, to));
  return OK;
}

/* Texts that YAML would read as something else. */
static bool needs_quotes(const Entry *entry) {
  if (entry->option->type != OPT_TEXT) return false;
  return !entry->value[0] || strpbrk(entry->value, ":#[]{}\"'&*!|>%@,") != NULL;
}

/* Characters of a key's section; 0 at the top. */
static size_t section_length(const char *key) {
  const char *dot = strchr(key, '.');
  return dot ? (size_t)(dot - key) : 0;
}

/* One line; a quote within quotes is doubled, as YAML wants it. */
static void dump_entry(const Entry *entry, FILE *out, bool with_origin) {
  const size_t section = section_length(entry->key);
  fprintf(out, "%*s%s: ", section ? 2 : 0, "", entry->key + (section ? section + 1 : 0));
  if (needs_quotes(entry)) {
    fputc('\'', out);
    for (const char *at = entry->value; *at; at++)
      fprintf(out, *at == '\'' ? "''" : "%c", *at);
    fputc('\'', out);
  } else {
    fputs(entry->value, out);
  }
  if (with_origin) fprintf(out, "  # %s", entry->origin);
  fputc('\n', out);
}

static bool same_section(const char *a, const char *b) {
  const size_t length = section_length(a);
  return length == section_length(b) && !memcmp(a, b, length);
}

/* Keys of a section stand together, though they may have been declared at different times: YAML
 * wants each section once. */
Status config_dump(const Config *config, FILE *out, bool with_origin) {
  for (size_t i = 0; i < config->entries; i++) {
    const char *key = config->entry[i].key;
    bool done = false;
    for (size_t k = 0; k < i && !done; k++)
      done = same_section(key, config->entry[k].key);
    if (done) continue;
    if (section_length(key)) fprintf(out, "%.*s:\n", (int)section_length(key), key);
    for (size_t k = i; k < config->entries; k++)
      if (same_section(key, config->entry[k].key)) dump_entry(&config->entry[k], out, with_origin);
  }
  return ferror(out) ? status_set(ERR_IO, "cannot write the configuration") : OK;
}

/* In the order of declaration. */
void config_each(const Config *config, ConfigVisit visit, void *context) {
  for (size_t i = 0; i < config->entries; i++)
    visit(context, config->entry[i].key, config->entry[i].option);
}
