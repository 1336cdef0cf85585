/* agon config show|check|schema. */
#include "cli/cli.h"
#include "job/config.h"
#include "job/players.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_config;

static const Flag flags[] = {{"--json", NULL, "schema: print JSON"}};

/* Where a walk over all keys puts them. */
typedef struct Listing {
  json_t *array; /* NULL: a table */
  char section[96];
} Listing;

/* One key as JSON or as a row of a Markdown table; a new section begins a new table. */
static void list_option(void *context, const char *key, const Option *o) {
  Listing *listing = context;
  bool ranged = o->type == OPT_INT || o->type == OPT_FLOAT || o->type == OPT_INTS;
  if (listing->array) {
    json_t *entry =
        json_pack("{s:s,s:s,s:s,s:s,s:s}", "key", key, "type", option_type_name(o->type), "default",
                  o->fallback, "unit", o->unit, "help", o->help);
    if (ranged) json_object_set_new(entry, "range", json_pack("[f,f]", o->low, o->high));
    if (o->choices) json_object_set_new(entry, "choices", json_string(o->choices));
    json_array_append_new(listing->array, entry);
    return;
  }
  const char *dot = strchr(key, '.');
  char section[96] = "run";
  char what[256];
  char high[32];
  if (dot) snprintf(section, sizeof section, "%.*s", (int)(dot - key), key);
  if (strcmp(section, listing->section)) {
    printf("%s## %s\n\n| key | default | type | meaning |\n|---|---|---|---|\n",
           listing->section[0] ? "\n" : "", section);
    snprintf(listing->section, sizeof listing->section, "%s", section);
  }
  snprintf(high, sizeof high, o->high >= OPTION_NO_LIMIT ? "any" : "%g", o->high);
  if (o->choices) {
    size_t used = 0;
    for (const char *at = o->choices; *at && used + 8 < sizeof what; at++)
      used += (size_t)snprintf(what + used, sizeof what - used, *at == '|' ? ", " : "%c", *at);
  } else if (ranged)
    snprintf(what, sizeof what, "%s, %g to %s%s%s", option_type_name(o->type), o->low, high,
             *o->unit ? " " : "", o->unit);
  else
    snprintf(what, sizeof what, "%s", option_type_name(o->type));
  printf("| `%s` | %s%s%s | %s | %s |\n", key, *o->fallback ? "`" : "", o->fallback,
         *o->fallback ? "`" : "", what, o->help);
}

/* All keys, from the declarations themselves; with an env's name its options too. */
static Status schema(const Arguments *arguments, bool json) {
  Status status = OK;
  JobConfig *plain = NULL;
  Option *options = NULL;
  const AgonEnv *table;
  void *plugin = NULL;
  Listing listing = {.array = json ? json_array() : NULL};
  TRY(NEW_ARRAY(plain, 1));
  TRY(config_create(&plain->config));
  TRY(job_config_declare(plain));
  if (arguments->words > 1) {
    TRY(env_find(arguments->word[1], &table, &plugin));
    TRY(env_declare(table, plain->config, &options));
  }
  config_each(plain->config, list_option, &listing);
  if (json) {
    json_dumpf(listing.array, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    printf("\n");
  }
done:
  job_config_destroy(plain);
  env_plugin_close(plugin);
  free(options);
  json_decref(listing.array);
  return status;
}

/* check resolves the configuration as train would, and writes nothing; show prints the result with
 * the origin of each value. */
static Status run_config(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  JobConfig *settings = NULL;
  char *text = NULL;
  TRY_RETURN(arguments_parse(&command_config, argc, argv, &arguments));
  const char *what = arguments.words ? arguments.word[0] : "";
  if (!strcmp(what, "schema"))
    return schema(&arguments, argument(&command_config, &arguments, "--json") != NULL);
  if (strcmp(what, "show") && strcmp(what, "check"))
    return usage_error(&command_config, "it is show, check or schema");
  if (arguments.words < 2) return usage_error(&command_config, "a game or a YAML file is needed");
  JobConfigSource source = {.overrides = arguments.word + 2, .override_count = arguments.words - 2};
  job_config_name(arguments.word[1], &source);
  TRY(job_config_create(&source, &settings));
  TRY(players_check(settings));
  if (!strcmp(what, "check")) {
    printf("%s is good\n", arguments.word[1]);
  } else {
    TRY(job_config_text(settings, true, &text));
    fputs(text, stdout);
  }
done:
  free(text);
  job_config_destroy(settings);
  return status;
}

const Command command_config = {
    "config",
    "show|check GAME|FILE.yaml [key=value ...] | schema [ENV] [--json]",
    "the configuration: resolved with the origin of each value, checked, or all keys explained",
    NULL,
    flags,
    COUNT_OF(flags),
    run_config,
};
