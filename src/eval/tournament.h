/* Tournaments: which pairs of games are played next, by how many ranks, and what is written down.
 * The pair of players whose result is least certain plays next. Rank 0 deals batches of paired
 * games out to all ranks (itself too) and keeps the counts; without a transport it plays alone.
 * What a pair of games draws from is set by the seed and its number, so the games are the same on
 * any number of ranks. */
#pragma once
#include "eval/games.h"
#include "wire/wire.h"

/* Two players that are to meet. */
typedef struct Fixture {
  uint32_t a, b;    /* indices of players, a < b */
  uint64_t in_hand; /* pairs of games dealt out and not yet back */
  uint64_t next;    /* number of the pair to be dealt next */
  bool closed;
  Measured measured; /* of the games that this call has played */
} Fixture;

/* What is to be played, under which terms, and how far it is. Filled by the caller; `games`
 * grows. */
typedef struct Tournament {
  const Env *env;
  /* borrowed, with the names that the games table knows them by: player i is games.name[i] */
  Contestant *player;
  size_t players;
  Games games;
  GameTerms terms;
  Fixture *fixture; /* who meets whom; borrowed */
  size_t fixtures;
  uint64_t each;   /* most games of a fixture */
  uint64_t budget; /* most games in all, those of the file included; 0 = no limit */
  /* a fixture is closed when the 95 % interval of its score is within +- this; 0 = never */
  double until_ci;
  bool sprt;
  double elo0, elo1, alpha, beta; /* a fixture is closed when the sequential test decides */
  const char *csv;                /* results are appended here; NULL: nowhere */
  bool csv_asked;         /* by the user: where it cannot be written, nothing more is played */
  char not_recorded[256]; /* out: why the last results are not in the file; "" where they are */
  /* the first games of each fixture are appended here as JSON lines; NULL: none */
  const char *replays;
  uint64_t replay_games;
  Transport *transport; /* NULL: alone */
  /* After each batch, on rank 0; may be NULL. */
  void (*progress)(void *context, const struct Tournament *tournament);
  void *context;
  uint64_t played; /* games by this call */
} Tournament;

/* Half of the 95 % interval of a fixture's score (0..1), from its pairs of games; never 0. */
double tournament_error(const Pentanomial *pairs);
/* Plays until nothing is left to play. A fixture in which nothing is random is played once, both
 * ways (with more than two teams, all ways to sit). Collective over the transport's ranks; only
 * rank 0's table is filled. ERR_ENV, ERR_FORMAT (a message), ERR_IO, ERR_MEMORY; what was recorded
 * stays. */
Status tournament_play(Tournament *tournament);
