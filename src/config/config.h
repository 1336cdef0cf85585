/* Configuration: typed tables (base/option.h) filled from layers: defaults, a preset, a YAML file, the command line.
 * Keys are dotted: `section.name`. An unknown key or bad value is ERR_USAGE with its place and the nearest name. */
#pragma once
#include "base/option.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct Config Config;

typedef enum ConfigLayer { CONFIG_DEFAULT, CONFIG_PRESET, CONFIG_STORED, CONFIG_FILE, CONFIG_COMMAND } ConfigLayer;

Status config_create(Config **out);
void config_destroy(Config *config);
/* Declares `count` options under `prefix` ("" = top level); `target` (may be NULL) is the struct they fill.
 * The table must outlive the config. */
Status config_declare(Config *config, const char *prefix, const Option *table, size_t count, void *target);
/* Words that other programs use for a key: suggested where one is given, never taken for it. Borrowed. */
typedef struct ConfigAlias {
  const char *word, *key;
} ConfigAlias;
void config_know_aliases(Config *config, const ConfigAlias *alias, size_t count);
/* Adds assignments. `origin` says where a value came from in messages and dumps. */
Status config_assign(Config *config, ConfigLayer layer, const char *key, const char *value, const char *origin);
Status config_parse_override(Config *config, const char *text); /* "key=value" from the command line */
Status config_read_yaml(Config *config, ConfigLayer layer, const char *path);
Status config_read_yaml_text(Config *config, ConfigLayer layer, const char *text, size_t size, const char *name);
/* The raw text of the strongest assignment so far, or NULL. Usable before resolve. */
const char *config_peek(const Config *config, const char *key);
bool config_peek_layer(const Config *config, const char *key, ConfigLayer *out); /* where that came from; false: NULL */
/* Checks every assignment against the declared options and fills the targets. May be called again after changes. */
Status config_resolve(Config *config);
/* After resolve: canonical text of a key's value (borrowed), or NULL if not declared. */
const char *config_value(const Config *config, const char *key);
const char *config_origin(const Config *config, const char *key);
/* YAML of all values; with_origin adds a comment to each. */
Status config_dump(const Config *config, FILE *out, bool with_origin);
/* Declares as plain text what has been assigned under `prefix` without being declared: for whoever has the values but
 * not the table of options. */
Status config_declare_assigned(Config *config, const char *prefix);
typedef void (*ConfigVisit)(void *context, const char *key, const Option *option);
void config_each(const Config *config, ConfigVisit visit, void *context);
const char *option_type_name(OptionType type);
