/* What commands that only look at a run need to know of its game, kept in its files: so that nobody
 * has to trust the code of a plug-in, or still have it, to see how a run went. */
#pragma once
#include "env/env.h"
#include "eval/games.h"
#include "store/store.h"

/* What is known of a game without its code. */
typedef struct GameFacts {
  char name[AGON_NAME_LEN];
  char *title; /* as Env.title; owned */
  uint32_t teams;
  uint32_t agents;   /* 0: not known (a file of an older program) */
  bool general_sum;  /* teams meet, and what one gains is not what the others lose */
  bool returns_add;  /* AGON_RETURNS_ADD; not kept in files: their configurations say `returns` */
  uint32_t builtins; /* which built-in players can play it, bit by bit */
  double reward_low;
  double reward_high;
  char *plugin; /* absolute path of the plug-in that it is; NULL: a built-in game; owned */
  /* XXH3 of that file's bytes, which tells its builds apart; "": a built-in game, or unknown */
  char build[HASH_TEXT];
  uint32_t version; /* of the rules, as the game counts them; 0: it does not */
  /* builds before this one that were said to have the same rules, by spaces; NULL: none; owned */
  char *accepted;
} GameFacts;

/* How a team's return is told. Counted is the mean over its agents; multiplied by `factor` it is
 * what people are shown, and `words` say what that is. */
typedef struct ReturnTold {
  double factor;
  char words[48]; /* "sum over 3 agents"; "": there is one agent */
} ReturnTold;

/* sum: as the sum over agents, where one team plays and their number is known. */
ReturnTold facts_told(const GameFacts *facts, bool sum);

/* The build and version of the rules as games.csv has them. */
void facts_rules(const GameFacts *facts, char out[GAMES_BUILD]);

/* The XXH3 of a plug-in's file, as text. ERR_IO, ERR_MEMORY. */
Status plugin_build(const char *path, char out[HASH_TEXT]);
/* What an env says of itself; *out is the caller's (facts_free), on failure too. ERR_ENV, ERR_IO,
 * ERR_MEMORY. */
Status facts_of(const Env *env, GameFacts *out);
void facts_free(GameFacts *facts);
/* A copy, the caller's (facts_free), on failure too. ERR_MEMORY. */
Status facts_copy(GameFacts *to, const GameFacts *from);
/* Adds the facts to a file's contents. Codes of tree_put. */
Status facts_save(const GameFacts *facts, Tree *tree);
/* Reads them back; *known says whether the file has them (those of older programs do not). *out is
 * the caller's (facts_free), on failure too. ERR_FORMAT for what no game can be, ERR_MEMORY. */
Status facts_load(const Tree *tree, GameFacts *out, bool *known);
