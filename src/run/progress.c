#include "run/progress.h"

#include "base/file.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* The same without control characters in keys and texts: what is written there goes to terminals.
 * Takes `value`; NULL without memory. */
static json_t *made_plain(json_t *value) {
  json_t *plain = value;
  const char *key;
  json_t *item;
  size_t index;
  if (json_is_object(value)) {
    plain = json_object();
    json_object_foreach(value, key, item) {
      char name[256];
      snprintf(name, sizeof name, "%s", key);
      text_make_plain(name);
      json_object_set_new(plain, name, made_plain(json_incref(item)));
    }
  } else if (json_is_array(value)) {
    plain = json_array();
    json_array_foreach(value, index, item)
        json_array_append_new(plain, made_plain(json_incref(item)));
  } else if (json_is_string(value) && !text_is_plain(json_string_value(value))) {
    char *text = strdup(json_string_value(value));
    if (text) text_make_plain(text);
    plain = text ? json_string(text) : NULL;
    free(text);
  }
  if (plain != value) json_decref(value);
  return plain;
}

/* The file is replaced whole by the job, so it is never seen half written. */
Status status_load(const char *run, json_t **out) {
  char path[PATH_MAX];
  json_error_t error;
  TRY_RETURN(text_format(path, sizeof path, "%s/status.json", run));
  *out = json_load_file(path, 0, &error);
  if (!*out) return status_set(ERR_RUN, "cannot read %s: %s", path, error.text);
  if (json_is_object(*out)) {
    *out = made_plain(*out);
    return *out ? OK : status_set(ERR_MEMORY, "out of memory reading %s", path);
  }
  json_decref(*out);
  *out = NULL;
  return status_set(ERR_RUN, "%s is no JSON object", path);
}

/* A job of an older program may lack a number. */
double status_number(const json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}

/* A job of an older program may lack a text. */
const char *status_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

const char *status_return(const json_t *evaluation, char *out, size_t size) {
  const json_t *low = json_object_get(evaluation, "low");
  const json_t *high = json_object_get(evaluation, "high");
  if (!json_is_number(json_object_get(evaluation, "mean")))
    snprintf(out, size, "n/a");
  else if (json_is_number(low) && json_is_number(high))
    snprintf(out, size, "%.4g [%.4g, %.4g]", status_number(evaluation, "mean"),
             json_number_value(low), json_number_value(high));
  else
    snprintf(out, size, "%.4g", status_number(evaluation, "mean"));
  return out;
}

int status_metric_width(const char *name) {
  const int length = (int)strlen(name);
  return length > 8 ? length : 8;
}

/* The lock says whether a job is alive; status.json only says what it wrote last. */
Status status_held(const char *run, bool *out) {
  char path[PATH_MAX];
  *out = false;
  TRY_RETURN(text_format(path, sizeof path, "%s/lock", run));
  return file_locked(path, out);
}

/* By the file's own time, which is as good as the clocks of the hosts agree: one that is ahead says
 * nothing. Whoever saves or evaluates may be silent for some seconds. */
double status_silence(const char *run) {
  enum { LONGEST = 30 };
  char path[PATH_MAX];
  struct stat about;
  bool held;
  if (status_held(run, &held) != OK || !held) return 0;
  if (text_format(path, sizeof path, "%s/status.json", run) != OK || stat(path, &about)) return 0;
  const double silent = difftime(time(NULL), about.st_mtime);
  return silent > LONGEST ? silent : 0;
}

/* A job that was killed leaves "running" behind: without a lock that is not believed. */
const char *status_state(const char *run, const json_t *root) {
  bool held;
  bool known = status_held(run, &held) == OK;
  if (known && held) return "running";
  return known && !strcmp(status_text(root, "state"), "running")
             ? "ended without saving its last steps (resume it with --resume auto)"
             : status_text(root, "state");
}
