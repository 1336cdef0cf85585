/* agon eval where one team plays: nobody meets anybody, so players are judged by what they earn. */
#pragma once
#include "cli/tournament_setup.h"

/* What is asked. */
typedef struct TeamRequest {
  uint64_t episodes;
  bool both;   /* of networks two rows: greedy, and sampling; else as players are set */
  bool all;    /* nobody was named: those that the game cannot have are told of */
  bool silent; /* what agents tell one another by their network is not heard */
  bool json;
  const char *replays; /* appended to; NULL: none */
  uint64_t recorded;   /* episodes of each row that go there */
} TeamRequest;

/* Plays and prints, on rank 0 alone. ERR_USAGE: nobody has anything to say who should be silent;
 * ERR_ENV, ERR_IO, ERR_MEMORY. */
Status team_returns(TournamentSetup *arena, const TeamRequest *request);
