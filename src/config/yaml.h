/* YAML by libyaml, walked as events: scalars and flow text of sequences, each with its place. */
#pragma once
#include "base/status.h"

#include <stddef.h>

/* What is called for each value; what it returns other than OK ends the walk. */
typedef struct YamlVisitor {
  /* key: dotted path; value: scalar, or a sequence written as [a, [b, c]]; place:
   * "file:line:column" */
  Status (*value)(void *context, const char *key, const char *value, const char *place);
  void *context;
} YamlVisitor;

/* Visits every value of a document whose root is a mapping; `name` is the file in messages. Members
 * of lists of mappings are visited as key[i].name. ERR_USAGE with line and column, ERR_MEMORY, or
 * what the visitor returned. */
Status yaml_walk(const char *text, size_t size, const char *name, const YamlVisitor *visitor);
