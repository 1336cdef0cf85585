#include "league/anchors.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = SEATS * TALLY_NUMBERS };

void anchors_free(Anchors *anchors) {
  free(anchors->eval);
  *anchors = (Anchors){0};
}

/* Nobody who never met one has a row. */
const Tally *anchors_find(const Anchors *anchors, uint32_t player, uint32_t builtin) {
  static const Tally none[SEATS];
  return player < anchors->room ? anchors->eval[player][builtin - BUILTIN_FIRST] : none;
}

Status anchors_add(Anchors *anchors, uint32_t player, uint32_t builtin, uint32_t seat,
                   const Tally *tally) {
  TRY_RETURN(GROW(anchors->eval, anchors->room, (size_t)player + 1));
  tally_add(&anchors->eval[player][builtin - BUILTIN_FIRST][seat], tally);
  return OK;
}

Status anchors_renumber(Anchors *anchors, const uint32_t *map, size_t players) {
  Anchors made = {.room = 0};
  for (uint32_t p = 0; p < players && p < anchors->room; p++) {
    Status status = GROW(made.eval, made.room, (size_t)map[p] + 1);
    if (status != OK) {
      anchors_free(&made);
      return status;
    }
    memcpy(made.eval[map[p]], anchors->eval[p], sizeof *made.eval);
  }
  anchors_free(anchors);
  *anchors = made;
  return OK;
}

/* The column of one built-in player. */
static void path_of(uint32_t which, char *out, size_t size) {
  char name[16];
  snprintf(out, size, "anchors/%s", text_choice_name(BUILTIN_NAMES, (int)which, name, sizeof name));
}

/* A table for each built-in player: a row for each player, the tallies of both seats in it. */
Status anchors_save(const Anchors *anchors, size_t players, Tree *tree) {
  Tally(*column)[SEATS];
  char path[32];
  Status status = OK;
  TRY_RETURN(NEW_ARRAY(column, players));
  for (uint32_t b = 0; b < BUILTINS && status == OK; b++) {
    for (uint32_t p = 0; p < players; p++)
      memcpy(column[p], anchors_find(anchors, p, BUILTIN_FIRST + b), sizeof *column);
    path_of(b, path, sizeof path);
    status = tree_put(tree, path, STORE_F64, players, WIDTH, column);
  }
  free(column);
  return status;
}

/* A checkpoint from before a built-in player existed has no table of it: nobody has met it yet. On
 * failure *anchors is the caller's to free. */
Status anchors_load(Anchors *anchors, size_t players, const Tree *tree) {
  char path[32];
  anchors_free(anchors);
  TRY_RETURN(GROW(anchors->eval, anchors->room, players));
  for (uint32_t b = 0; b < BUILTINS; b++) {
    const Item *item;
    path_of(b, path, sizeof path);
    if (!tree_find(tree, path)) continue;
    TRY_RETURN(tree_get_table(tree, path, STORE_F64, (int64_t)players, WIDTH, &item));
    for (size_t p = 0; p < players; p++) {
      Tally *to = anchors->eval[p][b];
      memcpy(to, (const double *)item->data + p * WIDTH, SEATS * sizeof *to);
      for (int s = 0; s < SEATS; s++)
        if (!tally_is_good(&to[s]))
          return tree_fault(tree, path, (int64_t)p, "is no count of games");
    }
  }
  return OK;
}
