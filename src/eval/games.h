/* Counts of evaluation games, and games.csv: one line for each batch of paired games that was
 * played, appended and never rewritten. The file is the truth; everything else (ratings, tables,
 * what to play next) is computed from it. */
#pragma once
#include "base/hash.h"
#include "eval/eval.h"
#include "meta/rating.h"

/* A build is a text "HASH/VERSION": the XXH3 of the plug-in's file (empty for a built-in game), and
 * the number that the game gives its rules. "/VERSION" is left out where it gives none (0). */
enum { GAMES_BUILD = HASH_TEXT + 11 };
/* Whether a text has that form. */
bool games_build_good(const char *build);
/* Whether two builds play by the same rules, by what they say of themselves: the same version; or
 * neither names one, and they are the same file. */
bool games_same_rules(const char *a, const char *b);

/* What makes games comparable. */
typedef struct GameTerms {
  char env[512]; /* name and options that differ from their defaults: "goofspiel cards=4" */
  bool greedy;
  uint32_t openings;
  uint64_t seed; /* GAMES_ANY_SEED: whichever, for reading */
  bool vary;     /* openings of 0 to `openings` steps, as in evaluation lanes; in the file: 0-6 */
  char build[GAMES_BUILD]; /* whose rules they are played by: see games_same_rules */
  /* other builds, by spaces, whose rules are taken for the same; borrowed; NULL: none */
  const char *accepted;
  bool any_build; /* all of them are */
  uint32_t teams; /* that play the game; 0: 2 */
} GameTerms;
#define GAMES_ANY_SEED UINT64_MAX

enum { GAMES_NAME = 192 };
/* A table of games: players by name, and what each two of them played. Start from {0}. */
typedef struct Games {
  char (*name)[GAMES_NAME];
  size_t players, player_room;
  Meeting *meeting; /* with a < b, each once */
  size_t meetings, meeting_room;
  uint32_t *bucket; /* 1 + index of a meeting */
  size_t buckets;
  /* of the file that were left out, as another build of the plug-in played them */
  size_t other_lines;
  char other_build[GAMES_BUILD]; /* the last of these */
  uint32_t teams;                /* that play the game, as a file says; 0: it does not */
} Games;

/* Frees everything; also for an empty table. */
void games_free(Games *games);
/* The number of a player, who is added if new. ERR_USAGE if the name is too long, ERR_MEMORY. */
Status games_player(Games *games, const char *name, uint32_t *id);
/* The meeting of a and b, a < b, which is added if new; borrowed until the next one is added.
 * ERR_MEMORY. */
Status games_meeting(Games *games, uint32_t a, uint32_t b, Meeting **out);
/* The meeting of a and b, a < b, or NULL; borrowed as above. */
const Meeting *games_find(const Games *games, uint32_t a, uint32_t b);
/* Adds a batch of games of a against b, in either order of their numbers, whose first pair has the
 * number `first`. ERR_MEMORY. */
Status games_add(Games *games, uint32_t a, uint32_t b, uint64_t first, const MatchTally *tally);
/* Adds what the file holds of games under these terms. A missing file is empty, and a last line
 * without an end is passed over: a job was killed while it wrote. ERR_FORMAT names file and line,
 * ERR_IO, ERR_MEMORY; `games` is then the caller's to free. */
Status games_read(const char *path, const GameTerms *terms, Games *games);
/* Adds all games of one env, under whatever terms. only: the env with its options, or NULL if the
 * file has but one, which is then written to env[512]. ERR_USAGE where the file has several, or
 * where several builds of a plug-in played them unless any_build says that this does not matter.
 * Else as games_read. */
Status games_read_env(const char *path, const char *only, bool any_build, Games *games, char *env);
/* Whether `build` stands in a list of them, separated by spaces (NULL: none). */
bool games_build_in(const char *build, const char *list);
/* Appends one batch, by one write. ERR_IO, ERR_MEMORY. */
Status games_append(const char *path, const GameTerms *terms, const char *a, const char *b,
                    uint64_t first, const MatchTally *tally);
/* Whether what one earns the other loses, of meetings between players that are `in` ((players);
 * NULL: all). */
typedef struct GameSums {
  double low, high; /* the least and the most that two earn together in a game, by meeting */
  bool general;     /* they differ: the game is neither zero-sum nor constant-sum */
  bool half_told;   /* of some meetings only one's returns are known: files of older programs */
} GameSums;
GameSums games_sums(const Games *games, const unsigned char *in);
/* The mean return, or score 0..1, of the row's player, (players, players), into *out (free);
 * `missing` where two never met. ERR_MEMORY. */
Status games_matrix(const Games *games, bool returns, double missing, double **out);
