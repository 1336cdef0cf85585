#include "job/plugin.h"

#include "base/file.h"
#include "base/text.h"
#include "env/bridge.h"
#include "eval/games.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *allowed;
static bool accepted;

/* Said once, by the command line, before any file is opened. */
void plugins_allow(const char *paths) {
  allowed = paths;
}

/* Kept for the whole process: whether other builds of a plug-in are taken for the same game
 * (--accept-env). */
void plugins_accept(bool others) {
  accepted = others;
}

bool plugins_accepted(void) {
  return accepted;
}

/* By absolute path, with links followed. */
static bool same_file(const char *a, const char *b) {
  char x[PATH_MAX];
  char y[PATH_MAX];
  return realpath(a, x) && realpath(b, y) && !strcmp(x, y);
}

/* The file's name without its folders. */
static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* How sure it is that a path of AGON_PLUGINS is the one that a file means. */
typedef enum Likeness { OTHER, SAME_NAME, SAME_BYTES, SAME_FILE } Likeness;

/* The recorded path, the recorded bytes, and at last the name. */
static Likeness likeness(const char *path, const char *game, const GameFacts *recorded) {
  char build[HASH_TEXT];
  if (same_file(path, game)) return SAME_FILE;
  if (recorded && recorded->plugin && same_file(path, recorded->plugin)) return SAME_FILE;
  if (recorded && *recorded->build && plugin_build(path, build) == OK &&
      !strcmp(build, recorded->build))
    return SAME_BYTES;
  return !strcmp(base_of(path), base_of(game)) && file_exists(path) ? SAME_NAME : OTHER;
}

/* A name that chooses the module to be run is one that AGON_PLUGINS must have, whole: its colons
 * are those that stand between others there. */
static Status check_module(const char *game, const char *where, char *out, size_t size) {
  const size_t length = strlen(game);
  for (const char *at = allowed; at && *at; at += strcspn(at, ":"), at += *at == ':') {
    if (strncmp(at, game, length) || (at[length] && at[length] != ':')) continue;
    return text_format(out, size, "%s", game);
  }
  return status_set(ERR_USAGE,
                    "%s names %s, whose code would run: if you trust that module, say so with "
                    "AGON_PLUGINS=%s ('agon train' takes it as its GAME)",
                    where, game, game);
}

/* The likeliest path of AGON_PLUGINS wins; of equally likely ones the first. */
Status plugin_find(const char *game, const GameFacts *recorded, const char *where, char *out,
                   size_t size) {
  char path[PATH_MAX];
  char word[PATH_MAX + 64];
  Likeness best = OTHER;
  if (bridge_runs_named_code(game)) return check_module(game, where, out, size);
  if (!env_is_plugin(game)) return text_format(out, size, "%s", game);
  for (const char *at = allowed ? allowed : ""; *at; at += strspn(at, ":")) {
    const size_t length = strcspn(at, ":");
    TRY_RETURN(text_format(path, sizeof path, "%.*s", (int)length, at));
    at += length;
    const Likeness now = likeness(path, game, recorded);
    if (now <= best) continue;
    best = now;
    TRY_RETURN(text_format(out, size, "%s%s", strchr(path, '/') ? "" : "./", path));
  }
  if (best != OTHER) return OK;
  return status_set(
      ERR_USAGE,
      "%s names the plug-in %s, whose code would run: if you trust that file, say so with "
      "AGON_PLUGINS=%s, or where it lies now ('agon train' takes it as its GAME)",
      where, game, text_quoted(game, word, sizeof word));
}

/* The user has named that plug-in, so that its code may run to say its name. */
static bool calls_itself(const char *path, const char *name) {
  const AgonEnv *table;
  void *plugin = NULL;
  if (env_find(path, &table, &plugin) != OK) return false;
  const bool same = !strcmp(table->name, name);
  env_plugin_close(plugin);
  return same;
}

/* A record that only has the game's name: each plug-in of AGON_PLUGINS is asked for its own. */
Status plugin_find_named(const char *game, const char *where, char *out, size_t size) {
  char path[PATH_MAX];
  if (env_is_builtin(game) || env_is_plugin(game) || bridge_is(game))
    return plugin_find(game, NULL, where, out, size);
  for (const char *at = allowed ? allowed : ""; *at; at += strspn(at, ":")) {
    const size_t length = strcspn(at, ":");
    TRY_RETURN(text_format(path, sizeof path, "%.*s", (int)length, at));
    if (env_is_plugin(path) && calls_itself(path, game)) return text_format(out, size, "%s", path);
    at += length;
  }
  return status_set(ERR_USAGE,
                    "%s is of '%s', which is no built-in game: name its plug-in, AGON_PLUGINS=PATH",
                    where, game);
}

/* Versions say more than bytes: games that count their rules may be rebuilt. */
Status plugin_check_build(const GameFacts *then, const GameFacts *now, const char *where) {
  char was[GAMES_BUILD];
  char is[GAMES_BUILD];
  facts_rules(then, was);
  facts_rules(now, is);
  const bool unknown = now->plugin && !*was; /* of a program that did not write it down */
  if (accepted || unknown || games_same_rules(was, is)) return OK;
  if (games_build_in(is, then->accepted) || games_build_in(was, now->accepted)) return OK;
  if (then->version != now->version)
    return status_set(
        ERR_USAGE,
        "%s was made under version %u of the rules of %s, this is version %u: old results say "
        "nothing of it, and players have learned another game; to take them for the same, "
        "--accept-env",
        where, then->version, now->plugin ? now->plugin : now->name, now->version);
  return status_set(ERR_USAGE,
                    "%s was made with another build of the plug-in %s (XXH3 %.12s then, %.12s "
                    "now): if its rules have changed, old results say nothing of it, and players "
                    "have learned another game; if they are the same, say so with --accept-env",
                    where, now->plugin ? now->plugin : now->name, then->build, now->build);
}
