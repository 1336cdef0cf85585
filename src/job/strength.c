#include "job/strength.h"

#include "base/log.h"
#include "base/text.h"
#include "eval/sides.h"
#include "job/plugin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Games of lanes are independent of one another: they are in no pairs, and their squares by pair
 * are not known. other: the same games as the other saw them; NULL: not known. */
static Status add_games(Games *games, uint32_t a, uint32_t b, const Tally seat[SEATS],
                        const Tally other[SEATS]) {
  MatchTally tally = {.seat = {seat[0], seat[1]}, .pair_squares = -1, .half_told = other == NULL};
  for (int s = 0; s < SEATS && other; s++) { /* while home sat first, the other sat second */
    tally.welfare[s] = seat[s].returns + other[1 - s].returns;
    tally.more_squares[s] = other[1 - s].squares - seat[s].squares;
  }
  return games_add(games, a, b, 0, &tally);
}

/* What home earned by its seat: its returns; in a zero-sum game of more than two teams half of what
 * it was ahead of the other, as a match counts it (eval.h; `halves`). Squares are left out where
 * they are of neither. */
static void take_eval(const League *league, uint32_t home, const Pair *pair, bool halves,
                      Tally out[SEATS], Tally other[SEATS]) {
  const Pair *back = payoff_find(&league->payoff, pair->away, home);
  for (int s = 0; s < SEATS; s++) {
    out[s] = pair->eval[s];
    if (halves && back) {
      out[s].returns = (pair->eval[s].returns - back->eval[1 - s].returns) / 2;
      out[s].squares = 0;
    }
    other[1 - s] = halves || !back ? tally_turned(&out[s]) : back->eval[1 - s];
  }
}

/* Players come first, so that their numbers are the league's. */
static Status add_lanes(const League *league, bool halves, Games *games) {
  uint32_t id;
  for (size_t i = 0; i < league->players; i++)
    TRY_RETURN(games_player(games, league->player[i].name, &id));
  for (uint32_t home = 0; home < league->payoff.rows; home++)
    for (size_t i = 0; i < league->payoff.row[home].pairs; i++) {
      const Pair *pair = &league->payoff.row[home].pair[i];
      Tally eval[SEATS];
      Tally other[SEATS];
      if (tally_games(pair->eval) <= 0 || home >= pair->away) continue;
      take_eval(league, home, pair, halves, eval, other);
      TRY_RETURN(add_games(games, home, pair->away, eval, other));
    }
  return OK;
}

/* Built-in players come behind, when they have played. */
static Status add_anchors(const League *league, Games *games) {
  for (uint32_t b = 0; b < BUILTINS; b++)
    for (uint32_t p = 0; p < league->players; p++) {
      const Tally *met = anchors_find(&league->anchors, p, BUILTIN_FIRST + b);
      char name[16];
      uint32_t id;
      if (met[0].games + met[1].games <= 0) continue;
      TRY_RETURN(
          games_player(games, text_choice_name(BUILTIN_NAMES, (int)b, name, sizeof name), &id));
      TRY_RETURN(add_games(games, p, id, met, NULL));
    }
  return OK;
}

/* --- games.csv --- */
/* Who NAME or NAME@HASH8 of games.csv is to the league: a built-in player (wire/messages.h), or the
 * frozen one of that content (of that name, if several are alike); -1: neither. */
static int64_t player_of(const League *league, const char *name) {
  const char *hash = strrchr(name, '@');
  int64_t found = -1;
  int64_t builtin = text_choice(BUILTIN_NAMES, name);
  if (builtin >= 0) return BUILTIN_FIRST + builtin;
  for (size_t i = 0; hash && i < league->players; i++) {
    const Player *player = &league->player[i];
    size_t length = strlen(player->name);
    if (!player->frozen || strncmp(player->hash, hash + 1, 8)) continue;
    if (length == (size_t)(hash - name) && !strncmp(player->name, name, length)) return (int64_t)i;
    if (found < 0) found = (int64_t)i;
  }
  return found;
}

/* The number in the table of a player of the league or a built-in. */
static Status id_in(Games *games, int64_t player, uint32_t *id) {
  char name[16];
  *id = (uint32_t)player;
  if (!is_builtin(*id)) return OK;
  return games_player(
      games, text_choice_name(BUILTIN_NAMES, (int)(*id - BUILTIN_FIRST), name, sizeof name), id);
}

/* What evaluation lanes play: sampled, with openings of varying length. */
Status strength_terms(const JobConfig *settings, GameTerms *out) {
  *out = (GameTerms){.openings = (uint32_t)settings->actors.openings,
                     .vary = settings->actors.openings > 0,
                     .accepted = settings->game.accepted,
                     .any_build = plugins_accepted(),
                     .seed = (uint64_t)settings->run.seed,
                     .teams = settings->game.teams};
  facts_rules(&settings->game, out->build);
  return text_format(out->env, sizeof out->env, "%s", settings->game.title);
}

/* Only games under the lanes' terms, of whatever seed; players that the league does not know are
 * passed over. */
static Status add_file(const League *league, const JobConfig *settings, const RunFolder *folder,
                       Games *games) {
  Status status = OK;
  Games file = {0};
  GameTerms terms;
  char path[PATH_MAX];
  TRY(run_path(folder, path, sizeof path, "games.csv"));
  TRY(strength_terms(settings, &terms));
  terms.seed = GAMES_ANY_SEED;
  TRY(games_read(path, &terms, &file));
  games->other_lines = file.other_lines;
  memcpy(games->other_build, file.other_build, sizeof games->other_build);
  for (size_t i = 0; i < file.meetings; i++) {
    const Meeting *c = &file.meeting[i];
    int64_t a = player_of(league, file.name[c->a]);
    int64_t b = player_of(league, file.name[c->b]);
    uint32_t id[2];
    if (a < 0 || b < 0 || a == b) continue;
    TRY(id_in(games, a, &id[0]));
    TRY(id_in(games, b, &id[1]));
    TRY(games_add(games, id[0], id[1], 0, &c->tally));
  }
done:
  games_free(&file);
  return status;
}

/* Lanes, built-in players, file. */
Status strength_games(const League *league, const JobConfig *settings, const RunFolder *folder,
                      Games *out) {
  Status status = OK;
  *out = (Games){0};
  TRY(add_lanes(league, settings->game.teams > 2 && !settings->game.general_sum, out));
  TRY(add_anchors(league, out));
  TRY(add_file(league, settings, folder, out));
done:
  if (status != OK) games_free(out);
  return status;
}

/* Games of other rules are not the run's. */
void strength_warn(const Games *games, const JobConfig *settings) {
  if (!games->other_lines) return;
  log_warning("%zu lines of games.csv are left out: another build of the plug-in played them "
              "(XXH3 %.12s, the run's is %.12s); agon rate --accept-env takes them for the same "
              "game",
              games->other_lines, games->other_build, settings->game.build);
}

/* --- as what a learning player stands --- */

/* out[p]: the newest snapshot of learning player p that has played, or p itself if there is
 * none. */
static Status newest_with_games(const League *league, const Games *games, uint32_t *out) {
  bool *played;
  TRY_RETURN(NEW_ARRAY(played, games->players + 1));
  for (size_t i = 0; i < games->meetings; i++) {
    played[games->meeting[i].a] = true;
    played[games->meeting[i].b] = true;
  }
  for (uint32_t p = 0; p < league->learning; p++)
    out[p] = p;
  for (uint32_t i = (uint32_t)league->learning; i < league->players; i++) {
    const Player *player = &league->player[i];
    bool copy = player->frozen && player->parent >= 0 && player->parent < (int64_t)league->learning;
    if (copy && played[i]) out[player->parent] = i;
  }
  free(played);
  return OK;
}

/* Where sides are separate: takes the games apart by them. */
static Status take_sides(const League *league, Strength *strength) {
  Status status = OK;
  Games all = strength->games;
  uint8_t *side = NULL;
  if (league->config.sides != SIDES_SEPARATE) return OK;
  strength->games = (Games){0};
  TRY(NEW_ARRAY(side, all.players + 1));
  for (size_t p = 0; p < league->players; p++)
    side[p] = league->player[p].side;
  for (uint32_t s = 0; s < SEATS; s++)
    strength->side_name[s] = league_side_name(&league->config, s + 1);
  TRY(games_by_side(&all, side, strength->side_name, &strength->games, &strength->side));
  strength->games.other_lines = all.other_lines;
  memcpy(strength->games.other_build, all.other_build, sizeof all.other_build);
done:
  games_free(&all);
  free(side);
  return status;
}

/* A job that runs asks for few intervals: each costs passes over all meetings. */
Status strength_create(const League *league, const JobConfig *settings, const RunFolder *folder,
                       const StrengthOptions *options, Strength *out) {
  Status status = OK;
  uint32_t *as = NULL;
  bool *only = NULL;
  *out = (Strength){.standing = {.games = NULL}};
  StandingOptions standing = {.prior = options->prior,
                              .seats = true,
                              .anchor = options->anchor,
                              .returns = options->returns,
                              .ratings_only = options->ratings_only,
                              .not_met = settings->game.teams > 2 ? STANDING_MANY_TEAMS : NULL};
  TRY(strength_games(league, settings, folder, &out->games));
  TRY(take_sides(league, out));
  standing.side = out->side;
  standing.side_name = out->side_name;
  standing.members = league->players; /* built-in players are no part of the league's games */
  TRY(NEW_ARRAY(as, league->learning + 1));
  TRY(NEW_ARRAY(only, out->games.players + 1));
  TRY(newest_with_games(league, &out->games, as));
  for (uint32_t p = 0; p < league->learning; p++)
    only[as[p]] = true;
  /* each interval costs passes over all meetings */
  standing.only = options->ratings_only ? only : NULL;
  TRY(standing_create(&out->games, &standing, &out->standing));
  for (uint32_t p = 0; p < league->learning; p++)
    standing_show_as(&out->standing, p, as[p]);
  standing_sort(&out->standing);
done:
  free(as);
  free(only);
  if (status != OK) strength_destroy(out);
  return status;
}

/* Also for one that was only half made. */
void strength_destroy(Strength *strength) {
  standing_destroy(&strength->standing);
  games_free(&strength->games);
  free(strength->side);
  strength->side = NULL;
}

/* In the order of the learning players. */
void strength_of_learners(const Strength *strength, const League *league, LearnerRating *out) {
  for (uint32_t p = 0; p < league->learning; p++)
    out[p] = (LearnerRating){.as = strength->standing.as[p], .rated = strength->standing.rated[p]};
}
