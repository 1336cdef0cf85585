/* Evaluation games of frozen players against the built-in ones (messages.h), which give ratings
 * their zero. Built-in players are no members of the league: nobody learns from them, and no rule
 * of matchmaking sees them. */
#pragma once
#include "league/payoff.h"
#include "wire/messages.h"

typedef struct Anchors {
  Tally (*eval)[BUILTINS][SEATS]; /* by player id; of the player, by its seat */
  size_t room;
} Anchors;

void anchors_free(Anchors *anchors);
/* (SEATS); all 0 where they never met. */
const Tally *anchors_find(const Anchors *anchors, uint32_t player, uint32_t builtin);
Status anchors_add(Anchors *anchors, uint32_t player, uint32_t builtin, uint32_t seat,
                   const Tally *tally);
/* Player p, of so many, is map[p] from now on. ERR_MEMORY; then nothing has changed. */
Status anchors_renumber(Anchors *anchors, const uint32_t *map, size_t players);
/* anchors/NAME: one row for each of `players`, as payoff/eval. */
Status anchors_save(const Anchors *anchors, size_t players, Tree *tree);
/* Runs from before there were anchors have no such games. */
Status anchors_load(Anchors *anchors, size_t players, const Tree *tree);
