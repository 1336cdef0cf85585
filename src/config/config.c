/* Assignments are kept in arrival order with their layer; resolve applies them weakest first. */
#include "config/config.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
  char key[96];
  const Option *option;
  void *target;
  char value[OPTION_TEXT];
  char origin[256];
  ConfigLayer layer;
} Entry;

typedef struct Assignment {
  char key[96];
  char value[OPTION_TEXT];
  char origin[256];
  ConfigLayer layer;
} Assignment;

/* An option that only its value is known of. */
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
};

Status config_create(Config **out) { return mem_array(out, 1, sizeof **out); }

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

static Entry *find(const Config *config, const char *key) {
  for (size_t i = 0; i < config->entries; i++)
    if (!strcmp(config->entry[i].key, key)) return &config->entry[i];
  return NULL;
}

Status config_declare(Config *config, const char *prefix, const Option *table, size_t count, void *target) {
  TRY_RETURN(GROW(config->entry, config->entry_room, config->entries + count));
  for (size_t i = 0; i < count; i++) {
    Entry *entry = &config->entry[config->entries];
    TRY_RETURN(text_format(entry->key, sizeof entry->key, "%s%s%s", prefix, *prefix ? "." : "", table[i].name));
    if (find(config, entry->key)) return status_set(ERR_INTERNAL, "option %s is declared twice", entry->key);
    entry->option = &table[i];
    entry->target = target;
    config->entries++;
  }
  return OK;
}

Status config_assign(Config *config, ConfigLayer layer, const char *key, const char *value, const char *origin) {
  TRY_RETURN(GROW(config->assignment, config->assignment_room, config->assignments + 1));
  Assignment *assignment = &config->assignment[config->assignments];
  TRY_RETURN(text_format(assignment->key, sizeof assignment->key, "%s", key));
  TRY_RETURN(text_format(assignment->value, sizeof assignment->value, "%s", value));
  snprintf(assignment->origin, sizeof assignment->origin, "%s", origin);
  assignment->layer = layer;
  config->assignments++;
  return OK;
}

Status config_declare_assigned(Config *config, const char *prefix) {
  size_t length = strlen(prefix);
  for (size_t i = 0; i < config->assignments; i++) {
    const Assignment *from = &config->assignment[i];
    if (strncmp(from->key, prefix, length) || from->key[length] != '.' || find(config, from->key)) continue;
    Guess *guess;
    TRY_RETURN(NEW_ARRAY(guess, 1));
    guess->next = config->guess;
    config->guess = guess;
    memcpy(guess->name, from->key + length + 1, strlen(from->key) - length);
    guess->option = (Option){.name = guess->name, .type = OPT_TEXT, .fallback = "", .unit = "", .help = ""};
    TRY_RETURN(config_declare(config, prefix, &guess->option, 1, NULL));
  }
  return OK;
}

Status config_parse_override(Config *config, const char *text) {
  const char *equals = strchr(text, '=');
  char key[96];
  if (!equals || equals == text) return status_set(ERR_USAGE, "'%s' is not key=value", text);
  TRY_RETURN(text_format(key, sizeof key, "%.*s", (int)(equals - text), text));
  return config_assign(config, CONFIG_COMMAND, key, equals + 1, "command line");
}

static const Assignment *strongest(const Config *config, const char *key) {
  const Assignment *best = NULL;
  for (size_t i = 0; i < config->assignments; i++) {
    const Assignment *candidate = &config->assignment[i];
    if (!strcmp(candidate->key, key) && (!best || candidate->layer >= best->layer)) best = candidate;
  }
  return best;
}

const char *config_peek(const Config *config, const char *key) {
  const Assignment *best = strongest(config, key);
  return best ? best->value : NULL;
}

bool config_peek_layer(const Config *config, const char *key, ConfigLayer *out) {
  const Assignment *best = strongest(config, key);
  if (best) *out = best->layer;
  return best != NULL;
}

const char *option_type_name(OptionType type) {
  static const char *const name[] = {"bool", "int", "float", "choice", "text", "list of int"};
  return name[type];
}

static const char *nearest(const Config *config, const char *key) {
  const char *best = NULL;
  size_t distance = 64;
  for (size_t i = 0; i < config->entries; i++) {
    const char *name = config->entry[i].key, *tail = strrchr(name, '.');
    size_t d = text_distance(key, name);
    if (tail && strcmp(tail + 1, key) == 0) d = 0; /* right name, section forgotten */
    if (d < distance) {
      distance = d;
      best = name;
    }
  }
  return distance <= 2 + strlen(key) / 3 ? best : NULL;
}

static Status bad_value(const Assignment *from, const char *why) {
  return status_set(ERR_USAGE, "%s: %s: '%s' %s", from->origin, from->key, from->value, why);
}

static Status bad_range(const Assignment *from, const Option *option) {
  char why[128];
  snprintf(why, sizeof why, "is outside %g .. %g", option->low, option->high);
  return bad_value(from, why);
}

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
    while (isspace((unsigned char)*word)) word++;
    for (size_t n = strlen(word); n && isspace((unsigned char)word[n - 1]);) word[--n] = 0;
    int64_t value;
    if (!text_to_int(word, &value)) return bad_value(from, "is not a list of integers such as [64, 64]");
    if (list->count == OPTION_LIST) return bad_value(from, "has more than 16 items");
    if ((double)value < option->low || (double)value > option->high) return bad_range(from, option);
    list->item[list->count++] = value;
    at += length;
    if (*at == ',') at++;
  }
  return OK;
}

/* Parses and stores; `field` NULL checks only. Writes the canonical text into `value`. */
static Status apply(const Option *option, const Assignment *from, char *field, char *value) {
  const char *text = from->value;
  snprintf(value, OPTION_TEXT, "%s", text);
  switch (option->type) {
  case OPT_BOOL: {
    int which = text_choice("false|true|no|yes|off|on|0|1", text);
    if (which < 0) return bad_value(from, "is not true or false");
    bool on = which & 1;
    if (field) memcpy(field, &on, sizeof on);
    snprintf(value, OPTION_TEXT, "%s", on ? "true" : "false");
    break;
  }
  case OPT_INT: {
    int64_t number;
    if (!text_to_int(text, &number)) return bad_value(from, "is not a whole number");
    if ((double)number < option->low || (double)number > option->high) return bad_range(from, option);
    if (field) memcpy(field, &number, sizeof number);
    snprintf(value, OPTION_TEXT, "%lld", (long long)number);
    break;
  }
  case OPT_FLOAT: {
    double number;
    if (!text_to_float(text, &number)) return bad_value(from, "is not a number");
    if (number < option->low || number > option->high) return bad_range(from, option);
    if (field) memcpy(field, &number, sizeof number);
    break;
  }
  case OPT_CHOICE: {
    int which = text_choice(option->choices, text);
    char why[256];
    snprintf(why, sizeof why, "is not one of %s", option->choices);
    if (which < 0) return bad_value(from, why);
    if (field) memcpy(field, &which, sizeof which);
    break;
  }
  case OPT_TEXT:
    if (field) memcpy(field, value, OPTION_TEXT);
    break;
  case OPT_INTS: {
    IntList list;
    TRY_RETURN(parse_list(option, from, &list));
    if (field) memcpy(field, &list, sizeof list);
    size_t used = 0;
    value[used++] = '[';
    for (size_t i = 0; i < list.count; i++)
      used += (size_t)snprintf(value + used, OPTION_TEXT - used, "%s%lld", i ? ", " : "", (long long)list.item[i]);
    snprintf(value + used, OPTION_TEXT - used, "]");
    break;
  }
  }
  return OK;
}

static Status apply_entry(Entry *entry, const Assignment *from) {
  TRY_RETURN(
      apply(entry->option, from, entry->target ? (char *)entry->target + entry->option->offset : NULL, entry->value));
  memcpy(entry->origin, from->origin, sizeof entry->origin);
  entry->layer = from->layer;
  return OK;
}

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
      const char *near = nearest(config, from->key);
      return status_set(ERR_USAGE, "%s: unknown key '%s'%s%s%s; 'agon config schema' lists all", from->origin,
                        from->key, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
  }
  return OK;
}

const char *config_value(const Config *config, const char *key) {
  const Entry *entry = find(config, key);
  return entry ? entry->value : NULL;
}

const char *config_origin(const Config *config, const char *key) {
  const Entry *entry = find(config, key);
  return entry ? entry->origin : NULL;
}

static bool needs_quotes(const Entry *entry) {
  if (entry->option->type != OPT_TEXT) return false;
  return !entry->value[0] || strpbrk(entry->value, ":#[]{}\"'&*!|>%@,") != NULL;
}

static void dump_entry(const Entry *entry, const char *name, int indent, FILE *out, bool with_origin) {
  fprintf(out, "%*s%s: ", indent, "", name);
  if (needs_quotes(entry)) {
    fputc('\'', out);
    for (const char *at = entry->value; *at; at++) fprintf(out, *at == '\'' ? "''" : "%c", *at);
    fputc('\'', out);
  } else {
    fputs(entry->value, out);
  }
  if (with_origin) fprintf(out, "  # %s", entry->origin);
  fputc('\n', out);
}

Status config_dump(const Config *config, FILE *out, bool with_origin) {
  char section[96] = "";
  for (size_t i = 0; i < config->entries; i++) {
    const Entry *entry = &config->entry[i];
    const char *dot = strchr(entry->key, '.');
    size_t length = dot ? (size_t)(dot - entry->key) : 0;
    if (dot && (strncmp(section, entry->key, length) || section[length])) {
      snprintf(section, sizeof section, "%.*s", (int)length, entry->key);
      fprintf(out, "%s:\n", section);
    }
    dump_entry(entry, dot ? dot + 1 : entry->key, dot ? 2 : 0, out, with_origin);
  }
  return ferror(out) ? status_set(ERR_IO, "cannot write the configuration") : OK;
}

void config_each(const Config *config, ConfigVisit visit, void *context) {
  for (size_t i = 0; i < config->entries; i++) visit(context, config->entry[i].key, config->entry[i].option);
}
