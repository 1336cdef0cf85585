#include "config/yaml.h"

#include "base/file.h"
#include "base/text.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A document that is being walked. */
typedef struct Walk {
  yaml_document_t document;
  const char *name;
  const YamlVisitor *visitor;
  size_t looked; /* nodes, each as often as it is said */
} Walk;

/* What no configuration has. A few lines of anchors and aliases say a list of billions, and libyaml
 * takes a time that grows with the square of the depth. */
enum { MOST_DEPTH = 64, MOST_NODES = 1000000, MOST_KEYS = 20000 };

/* ERR_USAGE with file, line and column of a node. */
static Status bad_place(const Walk *walk, const yaml_node_t *node, const char *why) {
  return status_set(ERR_USAGE, "%s:%zu:%zu: %s", walk->name, node->start_mark.line + 1,
                    node->start_mark.column + 1, why);
}

/* Counts a node; ERR_USAGE where there are too many. */
static Status look(Walk *walk, const yaml_node_t *node) {
  return ++walk->looked > MOST_NODES
             ? bad_place(walk, node, "too many values, with all that aliases stand for")
             : OK;
}

/* Writes a value as text: a scalar as it is, a list as "[a, [b, c]]". */
static Status flow_text(Walk *walk, yaml_node_t *node, char *out, size_t size, size_t *used) {
  TRY_RETURN(look(walk, node));
  if (node->type == YAML_SCALAR_NODE) {
    *used +=
        (size_t)snprintf(out + *used, size - *used, "%s", (const char *)node->data.scalar.value);
  } else if (node->type == YAML_SEQUENCE_NODE) {
    *used += (size_t)snprintf(out + *used, size - *used, "[");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
      if (item > node->data.sequence.items.start && *used < size)
        *used += (size_t)snprintf(out + *used, size - *used, ", ");
      if (*used < size)
        TRY_RETURN(
            flow_text(walk, yaml_document_get_node(&walk->document, *item), out, size, used));
    }
    if (*used < size) *used += (size_t)snprintf(out + *used, size - *used, "]");
  }
  return *used < size ? OK : bad_place(walk, node, "this value is too long");
}

/* Whether a list has members with keys of their own. */
static bool has_mappings(Walk *walk, const yaml_node_t *node) {
  for (yaml_node_item_t *item = node->data.sequence.items.start;
       item < node->data.sequence.items.top; item++)
    if (yaml_document_get_node(&walk->document, *item)->type == YAML_MAPPING_NODE) return true;
  return false;
}

static Status walk_node(Walk *walk, yaml_node_t *node, const char *path, int depth);

/* A key given twice is an error: libyaml would take either. */
static Status walk_mapping(Walk *walk, yaml_node_t *node, const char *path, int depth) {
  char key[256], place[320];
  if (node->data.mapping.pairs.top - node->data.mapping.pairs.start > MOST_KEYS)
    return bad_place(walk, node, "too many keys");
  for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
       pair++) {
    yaml_node_t *name = yaml_document_get_node(&walk->document, pair->key);
    if (name->type != YAML_SCALAR_NODE) return bad_place(walk, name, "keys must be plain words");
    TRY_RETURN(text_format(key, sizeof key, "%s%s%s", path, *path ? "." : "",
                           (const char *)name->data.scalar.value));
    for (yaml_node_pair_t *other = node->data.mapping.pairs.start; other < pair; other++) {
      yaml_node_t *seen = yaml_document_get_node(&walk->document, other->key);
      if (seen->type == YAML_SCALAR_NODE &&
          !strcmp((const char *)seen->data.scalar.value, (const char *)name->data.scalar.value)) {
        snprintf(place, sizeof place, "key '%s' is given twice", key);
        return bad_place(walk, name, place);
      }
    }
    TRY_RETURN(
        walk_node(walk, yaml_document_get_node(&walk->document, pair->value), key, depth + 1));
  }
  return OK;
}

/* A list of lists may be long (a payoff table), so each of its rows is a value of its own,
 * key[i]. */
static bool begins_with_list(Walk *walk, const yaml_node_t *node) {
  const yaml_node_item_t *first = node->data.sequence.items.start;
  if (!first || first >= node->data.sequence.items.top) return false;
  return yaml_document_get_node(&walk->document, *first)->type == YAML_SEQUENCE_NODE;
}

/* Each member of a list by its number: key[0], key[1], ... */
static Status walk_items(Walk *walk, yaml_node_t *node, const char *path, int depth) {
  int index = 0;
  for (yaml_node_item_t *item = node->data.sequence.items.start;
       item < node->data.sequence.items.top; item++, index++) {
    char key[256];
    TRY_RETURN(text_format(key, sizeof key, "%s[%d]", path, index));
    TRY_RETURN(walk_node(walk, yaml_document_get_node(&walk->document, *item), key, depth + 1));
  }
  return OK;
}

/* A mapping and such lists are walked on; anything else is a value. */
static Status walk_node(Walk *walk, yaml_node_t *node, const char *path, int depth) {
  TRY_RETURN(look(walk, node));
  if (depth > 16) return bad_place(walk, node, "nested too deep");
  if (node->type == YAML_MAPPING_NODE) return walk_mapping(walk, node, path, depth);
  if (!*path) return bad_place(walk, node, "expected 'key: value' lines");
  if (node->type == YAML_SEQUENCE_NODE &&
      (has_mappings(walk, node) || (depth == 1 && begins_with_list(walk, node))))
    return walk_items(walk, node, path, depth);
  char value[8192], place[320];
  size_t used = 0;
  TRY_RETURN(flow_text(walk, node, value, sizeof value, &used));
  snprintf(place, sizeof place, "%s:%zu:%zu", walk->name, node->start_mark.line + 1,
           node->start_mark.column + 1);
  return walk->visitor->value(walk->visitor->context, path, value, place);
}

/* Why a text is not YAML. A tab that indents is the usual reason, and libyaml's words for it say
 * nothing of tabs. */
static Status not_yaml(const char *text, size_t size, const char *name,
                       const yaml_parser_t *parser) {
  size_t line = 1;
  for (size_t at = 0; at < size; line++) {
    size_t tab = at;
    while (tab < size && text[tab] == ' ')
      tab++;
    size_t end = tab;
    while (end < size && (text[end] == ' ' || text[end] == '\t'))
      end++;
    bool blank = end == size || text[end] == '\n' || text[end] == '\r' || text[end] == '#';
    if (end > tab && !blank)
      return status_set(ERR_USAGE, "%s:%zu:%zu: a tab indents this line; YAML takes spaces only",
                        name, line, tab - at + 1);
    const char *next = memchr(text + at, '\n', size - at);
    at = next ? (size_t)(next - text) + 1 : size;
  }
  return status_set(ERR_USAGE, "%s:%zu:%zu: not valid YAML: %s", name,
                    parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                    parser->problem ? parser->problem : "unreadable");
}

/* How deep an event leads. */
static int deeper(yaml_event_type_t type) {
  const bool begins = type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT;
  return begins ? 1 : type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT ? -1 : 0;
}

/* Reads it event by event, up to where it is too deep: libyaml would go on for minutes. What is not
 * YAML is told by the second reading. */
static Status check_depth(const char *text, size_t size, const char *name) {
  yaml_parser_t parser;
  yaml_event_t event;
  int depth = 0;
  Status status = OK;
  if (!yaml_parser_initialize(&parser))
    return status_set(ERR_MEMORY, "out of memory reading %s", name);
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
  for (bool more = true; more && status == OK;) {
    if (!yaml_parser_parse(&parser, &event)) break;
    depth += deeper(event.type);
    more = event.type != YAML_STREAM_END_EVENT && event.type != YAML_NO_EVENT;
    if (depth > MOST_DEPTH)
      status = status_set(ERR_USAGE, "%s:%zu:%zu: nested too deep", name, event.start_mark.line + 1,
                          event.start_mark.column + 1);
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return status;
}

/* The document is loaded whole: it is checked to its end before the first value is visited. */
Status yaml_walk(const char *text, size_t size, const char *name, const YamlVisitor *visitor) {
  Status status = OK;
  yaml_parser_t parser;
  Walk walk = {.name = name, .visitor = visitor};
  TRY_RETURN(check_depth(text, size, name));
  if (!yaml_parser_initialize(&parser))
    return status_set(ERR_MEMORY, "out of memory reading %s", name);
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
  if (!yaml_parser_load(&parser, &walk.document)) {
    status = not_yaml(text, size, name, &parser);
    yaml_parser_delete(&parser);
    return status;
  }
  yaml_node_t *root = yaml_document_get_root_node(&walk.document);
  if (root) status = walk_node(&walk, root, "", 0);
  yaml_document_delete(&walk.document);
  yaml_parser_delete(&parser);
  return status;
}

/* Where values go. */
typedef struct Reading {
  Config *config;
  ConfigLayer layer;
} Reading;

/* Each value becomes an assignment whose origin is its place. */
static Status read_value(void *context, const char *key, const char *value, const char *place) {
  Reading *reading = context;
  return config_assign(reading->config, reading->layer, key, value, place);
}

/* An empty text assigns nothing. */
Status config_read_yaml_text(Config *config, ConfigLayer layer, const char *text, size_t size,
                             const char *name) {
  Reading reading = {config, layer};
  YamlVisitor visitor = {read_value, &reading};
  return yaml_walk(text, size, name, &visitor);
}

/* A file that cannot be read is the user's mistake: ERR_USAGE. */
Status config_read_yaml(Config *config, ConfigLayer layer, const char *path) {
  char *text = NULL;
  size_t size = 0;
  Status read = file_read(path, &text, &size);
  if (read != OK) return status_set(ERR_USAGE, "cannot read the configuration file %s", path);
  Status status = config_read_yaml_text(config, layer, text, size, path);
  free(text);
  return status;
}
