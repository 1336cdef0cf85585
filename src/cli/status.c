#include "cli/status.h"

#include "base/file.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

Status status_load(const char *run, json_t **out) {
  char path[PATH_MAX];
  json_error_t error;
  TRY_RETURN(text_format(path, sizeof path, "%s/status.json", run));
  *out = json_load_file(path, 0, &error);
  return *out ? OK : status_set(ERR_RUN, "cannot read %s: %s", path, error.text);
}

double status_number(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

const char *status_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

bool status_held(const char *run) {
  char path[PATH_MAX];
  int fd;
  if (text_format(path, sizeof path, "%s/lock", run) != OK || !file_exists(path)) return false;
  if (file_lock(path, &fd) != OK) return true;
  close(fd);
  return false;
}

const char *status_state(const char *run, const json_t *root) {
  if (status_held(run)) return "running";
  return strcmp(status_text(root, "state"), "running")
             ? status_text(root, "state")
             : "ended without saving its last steps (resume it with --resume auto)";
}
