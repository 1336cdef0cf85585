/* Environments from shared objects. The ABI number is checked before anything else
 * is touched. */
#include "env/env.h"

#include "base/text.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* A loaded plug-in. Its table may be shorter than ours: what it lacks is zero in this copy. */
typedef struct Plugin {
  void *handle; /* NULL: its functions are this program's */
  void *entry;  /* the address of its agon_env */
  void *own;    /* what goes with it */
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
  AgonEnvEntry entry;
  TRY(NEW_ARRAY(plugin, 1));
  plugin->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!plugin->handle) TRY(status_set(ERR_USAGE, "cannot load the plug-in: %s", dlerror()));
  plugin->entry = dlsym(plugin->handle, AGON_ENV_SYMBOL);
  if (!plugin->entry)
    TRY(status_set(ERR_ENV, "%s exports no function '%s' (see agon/env.h)", path, AGON_ENV_SYMBOL));
  memcpy(&entry, &plugin->entry, sizeof entry);
  TRY(copy_table(entry(), path, plugin));
  *out = &plugin->table;
  *out_plugin = plugin;
  plugin = NULL;
done:
  env_plugin_close(plugin);
  return status;
}

/* A table without a file of its own. */
Status env_plugin_hold(const AgonEnv *table, void *own, const AgonEnv **out, void **out_plugin) {
  Plugin *plugin;
  Status status = NEW_ARRAY(plugin, 1);
  if (status != OK) {
    free(own);
    return status;
  }
  plugin->table = *table;
  plugin->own = own;
  *out = &plugin->table;
  *out_plugin = plugin;
  return OK;
}

/* Accepts NULL. */
void env_plugin_close(void *opened) {
  Plugin *plugin = opened;
  if (!plugin) return;
  if (plugin->handle) dlclose(plugin->handle);
  free(plugin->own);
  free(plugin);
}

/* Asked of the loader, which knows where it found it. The functions of the table may be another
 * library's; the one that gave the table is the plug-in's own. */
Status env_plugin_file(const Env *env, char *out, size_t size) {
  const Plugin *plugin = env->plugin;
  Dl_info about;
  *out = 0;
  if (!plugin || !plugin->entry) return OK;
  if (!dladdr(plugin->entry, &about))
    return status_set(ERR_ENV, "env %s: its code is of no file", env->table->name);
  return text_format(out, size, "%s", about.dli_fname);
}
