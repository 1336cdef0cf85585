/* Environments from shared objects: the only dlopen. The ABI number is checked before anything else is touched. */
#include "env/env.h"

#include "base/text.h"

#include <dlfcn.h>
#include <string.h>

Status env_plugin_open(const char *path, const AgonEnv **out, void **out_plugin) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return status_set(ERR_USAGE, "cannot load the plug-in: %s", dlerror());
  void *symbol = dlsym(handle, AGON_ENV_SYMBOL);
  if (!symbol) {
    dlclose(handle);
    return status_set(ERR_ENV, "%s exports no function '%s' (see agon/env.h)", path, AGON_ENV_SYMBOL);
  }
  AgonEnvEntry entry;
  memcpy(&entry, &symbol, sizeof entry);
  const AgonEnv *table = entry();
  Status status = table ? env_check_table(table, path) : status_set(ERR_ENV, "%s returned no table", path);
  if (status != OK) {
    dlclose(handle);
    return status;
  }
  *out = table;
  *out_plugin = handle;
  return OK;
}

void env_plugin_close(void *plugin) {
  if (plugin) dlclose(plugin);
}

Status env_plugin_file(const Env *env, char *out, size_t size) {
  void *code;
  Dl_info about;
  *out = 0;
  if (!env->plugin) return OK;
  memcpy(&code, &env->table->configure, sizeof code);
  if (!dladdr(code, &about)) return status_set(ERR_ENV, "env %s: its code is of no file", env->table->name);
  return text_format(out, size, "%s", about.dli_fname);
}
