/* Games of players that always play one side: two populations that never meet within themselves.
 * Whoever can play both sides (a built-in player, one of another league) is two players there, one
 * of each side, as what it can do on the one says nothing of the other. */
#pragma once
#include "eval/games.h"

/* What games alone say of sides: true if no two players have met in both seats, as players of two
 * populations cannot. side: (players) 1 or 2 for who has sat on one seat only, 0 for who sat on
 * both or has not played. */
bool games_tell_sides(const Games *games, uint8_t *side);

/* Takes games apart by sides. side: (players of `from`) 1 + the team that one always plays, 0: any;
 * name: of the two sides. A player of any side becomes "NAME as SIDE" of the first side, in its old
 * place, and of the second, behind all others. *out and *out_side (players of *out; 1 or 2) are the
 * caller's, on failure too. ERR_USAGE if a name gets too long, ERR_MEMORY. */
Status games_by_side(const Games *from, const uint8_t *side, const char *const name[SEATS],
                     Games *out, uint8_t **out_side);
