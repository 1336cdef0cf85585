#include "cli/strength.h"

#include "base/log.h"
#include "base/text.h"
#include "cli/arena.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Score score_of(const Tally *tally) { /* whole games, of tables from before seats were told apart too */
  uint64_t wins = (uint64_t)(tally->wins + 0.5), draws = (uint64_t)(tally->draws + 0.5),
           losses = (uint64_t)(tally->losses + 0.5);
  return (Score){wins + draws + losses, wins, draws, losses, tally->returns, tally->squares};
}

static Status add_games(Games *games, uint32_t a, uint32_t b, const Tally seat[SEATS]) {
  MatchScore score = {.seat = {score_of(&seat[0]), score_of(&seat[1])}, .pair_squares = -1};
  return games_add(games, a, b, 0, &score);
}

static Status add_lanes(const League *league, Games *games) {
  uint32_t id;
  for (size_t i = 0; i < league->players; i++) TRY_RETURN(games_player(games, league->player[i].name, &id));
  for (uint32_t home = 0; home < league->payoff.rows; home++)
    for (size_t i = 0; i < league->payoff.row[home].pairs; i++) {
      const Pair *pair = &league->payoff.row[home].pair[i];
      if (pair->eval[0].games + pair->eval[1].games > 0 && home < pair->away)
        TRY_RETURN(add_games(games, home, pair->away, pair->eval));
    }
  return OK;
}

static Status add_anchors(const League *league, Games *games) {
  for (uint32_t b = 0; b < BUILTINS; b++)
    for (uint32_t p = 0; p < league->players; p++) {
      const Tally *met = anchors_find(&league->anchors, p, BUILTIN_FIRST + b);
      char name[16];
      uint32_t id;
      if (met[0].games + met[1].games <= 0) continue;
      TRY_RETURN(games_player(games, text_choice_name(BUILTIN_NAMES, (int)b, name, sizeof name), &id));
      TRY_RETURN(add_games(games, p, id, met));
    }
  return OK;
}

/* --- games.csv --- */
/* The frozen player that NAME@HASH8 is by its content; -1: none. */
static int64_t player_of(const League *league, const char *name) {
  const char *hash = strrchr(name, '@');
  for (size_t i = 0; hash && i < league->players; i++)
    if (league->player[i].frozen && !strncmp(league->player[i].hash, hash + 1, 8)) return (int64_t)i;
  return -1;
}

static Status add_file(const League *league, const Settings *settings, const RunFolder *folder, Games *games) {
  Status status = OK;
  Games file = {0};
  GameTerms terms = {.seed = GAMES_ANY_SEED};
  char path[PATH_MAX];
  if (settings->actors.openings > 0) return OK; /* eval has no openings of varying length */
  TRY(run_path(folder, path, sizeof path, "games.csv"));
  TRY(arena_describe_env(settings, terms.env, sizeof terms.env));
  TRY(games_read(path, &terms, &file));
  for (size_t i = 0; i < file.counts; i++) {
    const GameCount *c = &file.count[i];
    bool first = text_choice(BUILTIN_NAMES, file.name[c->a]) >= 0;
    const char *builtin = file.name[first ? c->a : c->b];
    int64_t player = player_of(league, file.name[first ? c->b : c->a]);
    uint32_t id;
    if (text_choice(BUILTIN_NAMES, builtin) < 0 || player < 0) continue;
    TRY(games_player(games, builtin, &id));
    TRY(games_add(games, first ? id : (uint32_t)player, first ? (uint32_t)player : id, 0, &c->score));
  }
done:
  games_free(&file);
  return status;
}

/* --- as what a learning player stands --- */
static Status newest_with_games(const League *league, const Games *games, uint32_t *out) {
  bool *played;
  TRY_RETURN(NEW_ARRAY(played, games->players + 1));
  for (size_t i = 0; i < games->counts; i++) played[games->count[i].a] = played[games->count[i].b] = true;
  for (uint32_t p = 0; p < league->learning; p++) out[p] = p;
  for (uint32_t i = (uint32_t)league->learning; i < league->players; i++) {
    const Player *player = &league->player[i];
    bool copy = player->frozen && player->parent >= 0 && player->parent < (int64_t)league->learning;
    if (copy && played[i]) out[player->parent] = i;
  }
  free(played);
  return OK;
}

Status strength_create(const League *league, const Settings *settings, const RunFolder *folder,
                       const StrengthOptions *options, Strength *out) {
  Status status = OK;
  uint32_t *as = NULL;
  bool *only = NULL;
  *out = (Strength){.standing = {.games = NULL}};
  StandingOptions standing = {.prior = options->prior,
                              .seats = true,
                              .anchor = options->anchor,
                              .returns = options->returns,
                              .ratings_only = options->ratings_only};
  TRY(add_lanes(league, &out->games));
  TRY(add_anchors(league, &out->games));
  TRY(add_file(league, settings, folder, &out->games));
  standing.members = league->players; /* built-in players are no part of the league's games */
  TRY(NEW_ARRAY(as, league->learning + 1));
  TRY(NEW_ARRAY(only, out->games.players + 1));
  TRY(newest_with_games(league, &out->games, as));
  for (uint32_t p = 0; p < league->learning; p++) only[as[p]] = true;
  standing.only = options->ratings_only ? only : NULL; /* an interval costs as much as the square of the players */
  TRY(standing_create(&out->games, &standing, &out->standing));
  for (uint32_t p = 0; p < league->learning; p++) standing_show_as(&out->standing, p, as[p]);
  standing_sort(&out->standing);
done:
  free(as);
  free(only);
  if (status != OK) strength_destroy(out);
  return status;
}

void strength_destroy(Strength *strength) {
  standing_destroy(&strength->standing);
  games_free(&strength->games);
}

void strength_of_learners(const Strength *strength, const League *league, LearnerRating *out) {
  for (uint32_t p = 0; p < league->learning; p++)
    out[p] = (LearnerRating){.as = strength->standing.as[p], .rated = strength->standing.rated[p]};
}
