/* The one count of games: actors fill it, messages carry it, the league remembers it, tournaments
 * write it into files, ratings are made of it. All are doubles, as a game that is remembered fades
 * to a fraction; whole games are exact up to 2^53. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEATS = 2 };

/* Games of one player, as it saw them. As an array of doubles this is a row of the payoff in
 * checkpoints: the order of the fields is part of that format. */
typedef struct Tally {
  double games;
  double wins;
  double draws;
  double losses;
  double returns; /* their sum */
  double squares; /* the sum of their squares */
} Tally;
enum { TALLY_NUMBERS = sizeof(Tally) / sizeof(double) };
#define TALLY_MOST 9007199254740992.0 /* games: up to here they are counted exactly */

/* One game more. outcome: 1 won, 0.5 drawn, 0 lost. */
void tally_game(Tally *tally, float outcome, double value);
void tally_add(Tally *to, const Tally *from);
/* What is there fades by `keep`; what is added weighs `weight`. */
void tally_fade(Tally *to, const Tally *from, double keep, double weight);
/* The same games as the opponent saw them, whose returns were these. */
Tally tally_of_opponent(const Tally *tally, double returns, double squares);
Tally tally_turned(const Tally *tally); /* the same in a zero-sum game */
/* Whether the counts of one are the other's, seen from the other side. */
bool tally_mirrors(const Tally *one, const Tally *other);
/* Whether the counts agree, in numbers that are numbers: what files say is held to it. */
bool tally_is_good(const Tally *tally);
bool tally_is_whole(const Tally *tally); /* and are of whole games */

/* --- of both seats --- */
double tally_score(const Tally *tally);    /* 0 .. 1: points per game; of no games: not a number */
Tally tally_both(const Tally seat[SEATS]); /* the sum over the seats */
double tally_games(const Tally seat[SEATS]); /* in both */
/* Means over the seats that have games, each counted alike: score 0 .. 1, return, squared return.
 * False: no games. */
typedef struct SeatMeans {
  double score;
  double returns;
  double squares;
} SeatMeans;
bool tally_means(const Tally seat[SEATS], SeatMeans *out);
/* How many games, evenly dealt over both seats, would tell the mean of the seats as well: 0 if one
 * has none. */
double seats_effective(double first, double second);

/* --- of two players --- */
/* Pairs of games (seats swapped, one opening): count[k] pairs in which a scored k / 2 of 2 points.
 */
typedef struct Pentanomial {
  double count[5];
} Pentanomial;

/* Games of a against b. */
typedef struct MatchTally {
  Tally seat[SEATS]; /* of a, by the seat of a */
  Pentanomial pairs; /* of those games that were played in pairs; the others count as independent */
  double pair_squares; /* of a's returns of both games of a pair; negative: not known */
  bool fixed;          /* nothing is random, so that all other pairs are copies of these */
  /* What b earned is told by what it adds, so that in zero-sum games there is nothing to be told.
   * By the seat of a: */
  double welfare[SEATS];      /* sum of what both earned together */
  double more_squares[SEATS]; /* sum of b's squared returns, less that of a's */
  bool half_told; /* b's returns are not known, and taken for the negative of a's (old files) */
} MatchTally;
void match_tally_add(MatchTally *to, const MatchTally *from);
MatchTally match_tally_turned(const MatchTally *tally); /* the same games as b saw them */
/* Whether its counts add up and its sums are numbers: what files and other ranks say is held to it.
 */
bool match_tally_is_whole(const MatchTally *tally);

/* All games of two players that are known. */
typedef struct Meeting {
  uint32_t a;
  uint32_t b;
  MatchTally tally;
  uint64_t next; /* of a tournament: the first pair of games that has not been played */
} Meeting;
