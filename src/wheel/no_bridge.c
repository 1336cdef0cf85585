/* In place of env/bridge.c in the library of the Python package: Python is what calls it, and needs
 * no other Python to reach its own libraries. */
#include "env/bridge.h"

#include <string.h>

bool bridge_is(const char *name) {
  static const char *const library[] = {"gymnasium:", "pettingzoo:", "openspiel:", "python:"};
  for (size_t i = 0; i < COUNT_OF(library); i++)
    if (!strncmp(name, library[i], strlen(library[i]))) return true;
  return false;
}

Status bridge_open(const char *name, const AgonEnv **out, void **out_plugin) {
  *out = NULL;
  *out_plugin = NULL;
  return status_set(ERR_USAGE,
                    "'%s' is an environment of Python: make it by its own library; agon.make_vec "
                    "has the games that are written in C",
                    name);
}

/* There are no tables of a bridge. */
const char *bridge_fault(void) {
  return "";
}

bool bridge_option_is_aside(const AgonEnv *table, const char *option) {
  (void)table;
  (void)option;
  return false;
}

void bridge_prepare(const AgonEnv *table, void *params) {
  (void)table;
  (void)params;
}
