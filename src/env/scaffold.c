#include "env/scaffold.h"

#include "base/file.h"
#include "base/text.h"
#include "env/env.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What a template calls itself, and what only a plug-in has: from here to its end. */
static const char stand_in[] = "my_game";
static const char plugin_part[] = "\n/* A plug-in exports";
static const char own_table[] = "static const AgonEnv env_";
static const char build_file[] = "CMakeLists.txt";
static const char headers_here[] = "@AGON_INCLUDE@";

const char *scaffold_kind(size_t index, char *out, size_t size) {
  for (const Embedded *t = templates; t->name; t++) {
    const size_t length = strlen(t->name);
    if (length < 3 || strcmp(t->name + length - 2, ".c") || index-- > 0) continue;
    return text_format(out, size, "%.*s", (int)(length - 2), t->name) == OK ? out : NULL;
  }
  return NULL;
}

/* The text of templates/FILE; NULL: there is none. */
static const char *text_of(const char *file) {
  for (const Embedded *t = templates; t->name; t++)
    if (!strcmp(t->name, file)) return t->text;
  return NULL;
}

/* ERR_USAGE with the kinds that there are. */
static Status find_kind(const char *kind, const char **out) {
  char file[AGON_NAME_LEN + 2];
  char known[200] = "";
  char name[AGON_NAME_LEN];
  *out = NULL;
  if (strlen(kind) < AGON_NAME_LEN) {
    TRY_RETURN(text_format(file, sizeof file, "%s.c", kind));
    *out = text_of(file);
  }
  if (*out) return OK;
  for (size_t i = 0; scaffold_kind(i, name, sizeof name); i++) {
    const size_t used = strlen(known);
    TRY_RETURN(text_format(known + used, sizeof known - used, "%s%s", i ? ", " : "", name));
  }
  return status_set(ERR_USAGE, "no template '%s': there are %s", kind, known);
}

/* It becomes a part of file names and of names in C. */
static Status check_name(const char *name) {
  const size_t size = strlen(name);
  if (size == 0 || size >= AGON_NAME_LEN || name[0] < 'a' || name[0] > 'z' ||
      strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != size)
    return status_set(ERR_USAGE,
                      "'%s' is no name for a game: lower-case letters, digits and '_', a letter "
                      "first, at most %d",
                      name, AGON_NAME_LEN - 1);
  if (env_is_builtin(name))
    return status_set(ERR_USAGE, "'%s' is a built-in game: give yours another name", name);
  return OK;
}

/* `text` with every `from` replaced. A text ended by 0, the caller's to free. */
static Status replace(const char *text, const char *from, const char *to, char **out) {
  Bytes result = {0};
  for (const char *at; (at = strstr(text, from)); text = at + strlen(from)) {
    bytes_put(&result, text, (size_t)(at - text));
    bytes_put(&result, to, strlen(to));
  }
  bytes_put(&result, text, strlen(text) + 1);
  if (result.failed) {
    bytes_free(&result);
    return status_set(ERR_MEMORY, "out of memory");
  }
  *out = (char *)result.data;
  return OK;
}

static Status write_text(const char *path, const char *text) {
  return file_write_whole(path, text, strlen(text));
}

/* A path that a build file is to hold: quotes and backslashes would end CMake's text. */
static Status check_headers(const char *headers) {
  if (!strpbrk(headers, "\"\\$;")) return OK;
  return status_set(ERR_USAGE, "a build file cannot name the folder of agon's headers, %s",
                    headers);
}

Status scaffold_plugin(const char *folder, const char *name, const char *kind,
                       const char *headers) {
  Status status = OK;
  const char *source = NULL;
  char *game = NULL, *build = NULL, *named = NULL;
  char home[PATH_MAX], path[PATH_MAX];
  TRY(check_name(name));
  TRY(check_headers(headers));
  TRY(find_kind(kind, &source));
  TRY(text_format(home, sizeof home, "%s/%s", folder, name));
  if (file_exists(home))
    TRY(status_set(ERR_USAGE, "%s is there already, and nothing was written", home));
  if (!text_of(build_file)) TRY(status_set(ERR_INTERNAL, "no template %s", build_file));
  TRY(replace(source, stand_in, name, &game));
  TRY(replace(text_of(build_file), stand_in, name, &named));
  TRY(replace(named, headers_here, headers, &build));
  TRY(file_make_folders(home));
  TRY(text_format(path, sizeof path, "%s/%s.c", home, name));
  TRY(write_text(path, game));
  TRY(text_format(path, sizeof path, "%s/%s", home, build_file));
  TRY(write_text(path, build));
done:
  free(game);
  free(named);
  free(build);
  return status;
}

/* `text` with a line before, or behind, the line that has `mark`. ERR_FORMAT: there is no such
 * line, so that it is for the user to write. */
static Status with_line(const char *path, const char *text, const char *mark, bool behind,
                        const char *line, char **out) {
  Bytes result = {0};
  const char *at = strstr(text, mark);
  if (!at)
    return status_set(ERR_FORMAT, "%s has no line '%s', so nothing was written; it needs: %s", path,
                      mark, line);
  if (behind)
    at = strchr(at, '\n') ? strchr(at, '\n') + 1 : at + strlen(at);
  else
    while (at > text && at[-1] != '\n')
      at--;
  bytes_put(&result, text, (size_t)(at - text));
  bytes_put(&result, line, strlen(line));
  bytes_put(&result, at, strlen(at) + 1);
  if (result.failed) {
    bytes_free(&result);
    return status_set(ERR_MEMORY, "out of memory");
  }
  *out = (char *)result.data;
  return OK;
}

/* The table becomes one that other files see, and what only a plug-in has goes. */
static Status as_builtin(char *game, char **out) {
  char *end = strstr(game, plugin_part);
  if (end) *end = 0;
  return replace(game, own_table, own_table + strlen("static "), out);
}

/* A table `env_NAME` beside a function of that name would not link. */
static Status check_symbol(const char *header, const char *name) {
  char symbol[AGON_NAME_LEN + 8];
  TRY_RETURN(text_format(symbol, sizeof symbol, "env_%s(", name));
  if (!strstr(header, symbol)) return OK;
  return status_set(ERR_USAGE, "a built-in game cannot be called %s: env_%s is a function", name,
                    name);
}

/* Everything is made first and written last, the list that names the game at the very end. */
Status scaffold_builtin(const char *root, const char *name, const char *kind) {
  static const char *const file[] = {"src/env/env.h", "src/env/env.c",
                                     "tests/conformance/test_env.c"};
  enum { HEADER, LIST, TESTS, FILES };
  Status status = OK;
  const char *source = NULL;
  char *text[FILES] = {NULL};
  char *named = NULL, *game = NULL, *list = NULL, *tests = NULL;
  char path[FILES][PATH_MAX], home[PATH_MAX], line[128];
  TRY(check_name(name));
  TRY(find_kind(kind, &source));
  for (int i = 0; i < FILES; i++) {
    TRY(text_format(path[i], sizeof path[i], "%s/%s", root, file[i]));
    if (!file_exists(path[i]))
      TRY(status_set(ERR_USAGE, "%s is no checkout of agon (it has no %s): --in says where it is",
                     root, file[i]));
    TRY(file_read(path[i], &text[i], NULL));
  }
  TRY(check_symbol(text[HEADER], name));
  TRY(text_format(home, sizeof home, "%s/src/env/games/%s.c", root, name));
  if (file_exists(home))
    TRY(status_set(ERR_USAGE, "%s is there already, and nothing was written", home));
  TRY(replace(source, stand_in, name, &named));
  TRY(as_builtin(named, &game));
  TRY(text_format(line, sizeof line, "  EACH(%s)", name));
  TRY(text_format(line, sizeof line, "  EACH(%s)%*s\\\n", name, (int)(99 - strlen(line)), ""));
  TRY(with_line(path[LIST], text[LIST], "/* any line goes by itself */", false, line, &list));
  TRY(text_format(line, sizeof line, "    {\"%s\", {NULL}, 0},\n", name));
  TRY(with_line(path[TESTS], text[TESTS], "} variant[] = {", true, line, &tests));
  TRY(write_text(home, game));
  TRY(write_text(path[TESTS], tests));
  TRY(write_text(path[LIST], list));
done:
  for (int i = 0; i < FILES; i++)
    free(text[i]);
  free(named);
  free(game);
  free(list);
  free(tests);
  return status;
}
