/* What a checkpoint must add up to: decisions acted are learned from or dropped, episodes played
 * are games of the payoff, players' frames are the run's. Counted in different places, so that
 * nothing can be lost or invented between them unnoticed. */
#pragma once
#include "store/store.h"

enum { LEDGER_ACTED, LEDGER_EPISODES, LEDGER_STEPS, LEDGER_OTHER_GAMES, LEDGER_COUNT };
/* run/ledger: decisions acted (less those still open), episodes and env steps, as the actors
 * themselves count them; and games that the payoff has no place for: of a player against itself, or
 * against a built-in one. */
#define LEDGER_PATH "run/ledger"

/* ERR_FORMAT names the sums that differ. A checkpoint without a ledger (of an older program) is
 * held to what it has. */
Status ledger_check(const Tree *checkpoint);
/* The part of it that is the learner's: that what the player in this row acted has been learned
 * from or dropped. */
Status ledger_check_player(const Tree *checkpoint, size_t row);
