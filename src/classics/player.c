#include "classics/player.h"

#include "base/text.h"
#include "job/plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 64 };

/* "nash" of "players/nash.h5". */
static Status name_of(const char *path, char out[NAME]) {
  const char *slash = strrchr(path, '/');
  const char *base = slash ? slash + 1 : path;
  const size_t size = strlen(base);
  if (size < 4 || strcmp(base + size - 3, ".h5"))
    return status_set(ERR_USAGE, "%s: a player's file ends in .h5", path);
  TRY_RETURN(text_item(base, size - 3, out, NAME));
  if (text_is_name(out, NAME)) return OK;
  return status_set(ERR_USAGE, "%s: a player's name has letters, digits, '_', '.' and '-' only",
                    path);
}

Status table_file_check(const char *path) {
  char name[NAME];
  return name_of(path, name);
}

/* The facts of the game stand beside the rows, as in other players' files. */
Status table_file_write(const char *path, const char *algorithm, const Env *env,
                        const TableRows *rows) {
  Status status = OK;
  Tree tree = {0};
  GameFacts facts = {.title = NULL};
  char name[NAME];
  TRY(name_of(path, name));
  TRY(facts_of(env, &facts));
  TRY(facts_save(&facts, &tree));
  TRY(tree_put_text(&tree, "@name", name));
  TRY(tree_put_text(&tree, "@algorithm", algorithm));
  TRY(tree_put(&tree, "table/key", STORE_U64, rows->count, 1, rows->key));
  TRY(tree_put(&tree, "table/probability", STORE_F32, rows->count, env->action_count,
               rows->probability));
  TRY(store_write(&tree, TABLE_FILE_KIND, path));
done:
  facts_free(&facts);
  tree_free(&tree);
  return status;
}

/* ERR_USAGE unless the table is of the game that is played, with its options and rules. */
static Status check_game(const Tree *tree, const char *path, const Env *env) {
  Status status = OK;
  bool known;
  GameFacts then = {.title = NULL};
  GameFacts now = {.title = NULL};
  TRY(facts_load(tree, &then, &known));
  if (!known) TRY(tree_fault(tree, "env/title", -1, "is missing"));
  TRY(facts_of(env, &now));
  if (strcmp(then.title, now.title))
    TRY(status_set(ERR_USAGE, "%s is a player of %s, and %s is played", path, then.title,
                   now.title));
  TRY(plugin_check_build(&then, &now, path));
done:
  facts_free(&then);
  facts_free(&now);
  return status;
}

/* Every row must be probabilities. */
static Status check_rows(const Tree *tree, const Item *item) {
  const float *p = item->data;
  for (size_t r = 0; r < item->count; r++) {
    double sum = 0;
    for (size_t i = 0; i < item->width; i++) {
      const double share = (double)p[r * item->width + i];
      if (!(share >= 0 && share <= 1))
        return tree_fault(tree, item->path, (int64_t)r, "has the probability %g", share);
      sum += share;
    }
    if (fabs(sum - 1) > 1e-3)
      return tree_fault(tree, item->path, (int64_t)r, "has probabilities that sum to %g", sum);
  }
  return OK;
}

Status table_file_player(const Tree *tree, const char *path, const char *label, const Env *env,
                         Contestant *out) {
  const Item *key, *probability;
  char name[NAME];
  TRY_RETURN(check_game(tree, path, env));
  TRY_RETURN(tree_get_text(tree, "@name", name, sizeof name));
  TRY_RETURN(tree_get(tree, "table/key", STORE_U64, -1, &key));
  TRY_RETURN(tree_get_table(tree, "table/probability", STORE_F32, (int64_t)key->count,
                            env->action_count, &probability));
  TRY_RETURN(check_rows(tree, probability));
  for (size_t r = 0; r < key->count; r++)
    if (((const uint64_t *)key->data)[r] == 0)
      return tree_fault(tree, key->path, (int64_t)r, "is no key");
  const TableRows rows = {.count = key->count, .key = key->data, .probability = probability->data};
  return contestant_table(label ? label : name, env, &rows, out);
}
