/* Configuration: typed tables (base/option.h) filled from layers: defaults, a preset, a YAML file,
 * the command line. Keys are dotted: `section.name`. An unknown key or bad value is ERR_USAGE with
 * its place and the nearest name. */
#pragma once
#include "base/option.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct Config Config;

/* Where a value may come from, weakest first. */
typedef enum ConfigLayer {
  CONFIG_DEFAULT,
  CONFIG_PRESET,
  CONFIG_STORED,
  CONFIG_FILE,
  CONFIG_COMMAND
} ConfigLayer;

/* An empty configuration, the caller's (config_destroy). ERR_MEMORY. */
Status config_create(Config **out);
/* Accepts NULL. Targets are not touched. */
void config_destroy(Config *config);
/* Declares `count` options under `prefix` ("": at the top), which fill the struct `target` (NULL:
 * none). The table must outlive the config. ERR_INTERNAL if a key is declared twice, ERR_MEMORY,
 * ERR_USAGE (a key too long). */
Status config_declare(Config *config, const char *prefix, const Option *table, size_t count,
                      void *target);
/* Words that other programs use for a key: suggested where one is given, never taken for it.
 * Borrowed. */
typedef struct ConfigAlias {
  const char *word, *key;
} ConfigAlias;
void config_know_aliases(Config *config, const ConfigAlias *alias, size_t count);
/* Adds an assignment; all texts are copied. `origin` says in messages and dumps where the value
 * came from. ERR_USAGE if a text is too long, ERR_MEMORY. */
Status config_assign(Config *config, ConfigLayer layer, const char *key, const char *value,
                     const char *origin);
/* Adds "key=value" as from the command line. ERR_USAGE if it is not of that form. */
Status config_parse_override(Config *config, const char *text);
/* Adds all values of a YAML file, or of its text. ERR_USAGE with line and column. */
Status config_read_yaml(Config *config, ConfigLayer layer, const char *path);
Status config_read_yaml_text(Config *config, ConfigLayer layer, const char *text, size_t size,
                             const char *name);
/* The text of the strongest assignment so far, borrowed, or NULL. Usable before resolve. */
const char *config_peek(const Config *config, const char *key);
/* The layer of that assignment; false if there is none. */
bool config_peek_layer(const Config *config, const char *key, ConfigLayer *out);
/* Checks every assignment against the declared options and fills the targets. May be called again
 * after changes. ERR_USAGE for an unknown key or a bad value; then some targets have been
 * filled. */
Status config_resolve(Config *config);
/* After resolve: canonical text of a key's value (borrowed), or NULL if not declared. */
const char *config_value(const Config *config, const char *key);
/* After resolve: reads a key's value as that of another option, into its field of `target`, and
 * shows it from then on as that option's. ERR_USAGE as config_resolve, ERR_INTERNAL: no such
 * key. */
Status config_read_as(Config *config, const char *key, const Option *option, void *target);
/* Keys under `from` (from.key, where key has no dot) are under `to` from now on. ERR_USAGE: a key
 * is too long. */
Status config_move(Config *config, const char *from, const char *to);
/* Where that value came from, borrowed; NULL if the key is not declared. */
const char *config_origin(const Config *config, const char *key);
/* Writes all values as YAML; with_origin adds a comment to each. ERR_IO. */
Status config_dump(const Config *config, FILE *out, bool with_origin);
/* Declares as plain text what has been assigned under `prefix` (prefix.key, or prefix[0].key of a
 * list) without being declared: for whoever has the values but not the table of options. */
Status config_declare_assigned(Config *config, const char *prefix);
typedef void (*ConfigVisit)(void *context, const char *key, const Option *option);
/* Calls `visit` for every declared key. */
void config_each(const Config *config, ConfigVisit visit, void *context);
/* "int", for people. */
const char *option_type_name(OptionType type);
