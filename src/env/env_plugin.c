/* Environments from shared objects: the only dlopen. The ABI number is checked before anything else
 * is touched. */
#include "env/env.h"

#include "base/text.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* A loaded plug-in. Its table may be shorter than ours: what it lacks is zero in this copy. */
typedef struct Plugin {
  void *handle;
  AgonEnv table;
} Plugin;

/* Sizes are checked before anything beyond them is read. */
static Status copy_table(const AgonEnv *theirs, const char *path, Plugin *plugin) {
  if (!theirs) return status_set(ERR_ENV, "%s returned no table", path);
  TRY_RETURN(env_check_sizes(theirs, path));
  memcpy(&plugin->table, theirs, theirs->struct_size);
  return env_check_table(&plugin->table, path);
}

/* RTLD_LOCAL: two plug-ins may have functions of one name. */
Status env_plugin_open(const char *path, const AgonEnv **out, void **out_plugin) {
  Status status = OK;
  Plugin *plugin = NULL;
  void *symbol;
  AgonEnvEntry entry;
  TRY(NEW_ARRAY(plugin, 1));
  plugin->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!plugin->handle) TRY(status_set(ERR_USAGE, "cannot load the plug-in: %s", dlerror()));
  symbol = dlsym(plugin->handle, AGON_ENV_SYMBOL);
  if (!symbol)
    TRY(status_set(ERR_ENV, "%s exports no function '%s' (see agon/env.h)", path, AGON_ENV_SYMBOL));
  memcpy(&entry, &symbol, sizeof entry);
  TRY(copy_table(entry(), path, plugin));
  *out = &plugin->table;
  *out_plugin = plugin;
  plugin = NULL;
done:
  env_plugin_close(plugin);
  return status;
}

/* Accepts NULL. */
void env_plugin_close(void *opened) {
  Plugin *plugin = opened;
  if (!plugin) return;
  if (plugin->handle) dlclose(plugin->handle);
  free(plugin);
}

/* Asked of the loader, which knows where it found it. */
Status env_plugin_file(const Env *env, char *out, size_t size) {
  void *code;
  Dl_info about;
  *out = 0;
  if (!env->plugin) return OK;
  memcpy(&code, &env->table->configure, sizeof code);
  if (!dladdr(code, &about))
    return status_set(ERR_ENV, "env %s: its code is of no file", env->table->name);
  return text_format(out, size, "%s", about.dli_fname);
}
