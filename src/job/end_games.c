#include "job/end_games.h"

#include "base/log.h"
#include "base/text.h"
#include "job/guests.h"
#include "job/strength.h"

#include <limits.h>
#include <stdlib.h>

enum { NEWEST = 64, MOST = 512 /* pairs of players */ };

/* Who is to play, and what has been played. */
typedef struct EndGames {
  const League *league;
  const JobConfig *settings;
  const RunFolder *run;
  GameTerms terms;
  char csv[PATH_MAX];
  Games met;                           /* by lanes and file */
  uint32_t field[BUILTINS + NEWEST];   /* built-in players, then the newest first */
  uint32_t game_id[BUILTINS + NEWEST]; /* in `met` */
  size_t players;
  uint64_t played;
} EndGames;

/* Built-in players are in the table only if they have played. */
static Status add_player(EndGames *e, uint32_t player) {
  char name[16];
  uint32_t *id = &e->game_id[e->players];
  *id = player;
  e->field[e->players++] = player;
  if (!is_builtin(player)) return OK;
  return games_player(
      &e->met, text_choice_name(BUILTIN_NAMES, (int)(player - BUILTIN_FIRST), name, sizeof name),
      id);
}

/* Built-in players first, then frozen ones, newest first. */
static Status gather(EndGames *e) {
  const League *league = e->league;
  size_t newest = 0;
  TRY_RETURN(strength_games(league, e->settings, e->run, &e->met));
  TRY_RETURN(strength_terms(e->settings, &e->terms));
  TRY_RETURN(run_path(e->run, e->csv, sizeof e->csv, "games.csv"));
  for (uint32_t b = 0; b < BUILTINS; b++)
    if (league->config.anchors >> b & 1) TRY_RETURN(add_player(e, BUILTIN_FIRST + b));
  for (uint32_t p = (uint32_t)league->players; p-- > 0 && newest < NEWEST;)
    if (league->player[p].frozen && !league_guest_is_away(&league->player[p]) &&
        !league_is_lost(&league->player[p])) {
      TRY_RETURN(add_player(e, p));
      newest++;
    }
  return OK;
}

/* Whether games were played in all seats that two players can have. */
static bool have_met(const EndGames *e, const Tally seat[SEATS]) {
  if (e->league->config.sides == SIDES_SEPARATE) return tally_games(seat) > 0;
  return seat[0].games > 0 && seat[1].games > 0;
}

/* The side that a player of the field always plays; 0: any. */
static uint32_t side_of(const EndGames *e, uint32_t player) {
  return is_builtin(player) ? 0 : e->league->player[player].side;
}

/* Whether the league needs no games of the two: both are built-in, or of one side, or they met in
 * both seats in evaluation lanes. */
static bool settled(const EndGames *e, uint32_t a, uint32_t b) {
  if (is_builtin(a) && is_builtin(b)) return true;
  if (side_of(e, a) && side_of(e, a) == side_of(e, b)) return true;
  const Pair *pair = is_builtin(a) ? NULL : payoff_find(&e->league->payoff, a, b);
  const Tally *seat = is_builtin(a) ? anchors_find(&e->league->anchors, b, a)
                      : pair        ? pair->eval
                                    : NULL;
  return seat && have_met(e, seat);
}

/* Whether games.csv has games of both seats of the two. */
static bool in_file(const EndGames *e, size_t i, size_t j) {
  uint32_t a = e->game_id[i];
  uint32_t b = e->game_id[j];
  const Meeting *met = games_find(&e->met, a < b ? a : b, a < b ? b : a);
  return met && have_met(e, met->tally.seat);
}

/* A player from its file, by the run's own settings: what the file says about them is not needed,
 * and would open a plug-in that it names. */
static Status open_player(const EndGames *e, uint32_t id, Contestant *out) {
  Status status = OK;
  Tree tree = {0};
  const Item *policy;
  char name[16], path[PATH_MAX];
  const JobConfig *s = e->settings;
  if (is_builtin(id))
    return contestant_builtin(
        text_choice_name(BUILTIN_NAMES, (int)(id - BUILTIN_FIRST), name, sizeof name), s->env, out);
  const Player *player = &e->league->player[id];
  if (player->guest) return guests_contestant(s, player, e->run->path, s->env, out);
  TRY(text_format(path, sizeof path, "%s/players/%s-%.8s.h5", e->run->path, player->name,
                  player->hash));
  TRY(store_read(path, "player", &tree));
  TRY(tree_get(&tree, "policy", STORE_F32, -1, &policy));
  TRY(contestant_policy(player->name, &s->net, s->env, policy->data, policy->count, out));
  out->side = player->side;
done:
  tree_free(&tree);
  return status;
}

/* Each pair of players has its games written as soon as they are over. */
static Status play_pair(EndGames *e, Contestant *a, Contestant *b) {
  MatchPlan plan = {.seed = e->terms.seed,
                    .pairs = ((uint64_t)e->settings->league.end_games + 1) / 2,
                    .openings = e->terms.openings,
                    .vary = e->terms.vary};
  char name[2][GAMES_NAME];
  MatchTally tally;
  TRY_RETURN(contestant_id(a, name[0], sizeof name[0]));
  TRY_RETURN(contestant_id(b, name[1], sizeof name[1]));
  TRY_RETURN(eval_match(e->settings->env, a, b, &plan, &tally));
  e->played += (uint64_t)tally_games(tally.seat);
  return games_append(e->csv, &e->terms, name[0], name[1], 0, &tally);
}

/* Plays against all that come after player i. The bound counts the pairs that the lanes left open,
 * whether or not the file has them already: so an end that was reached in two jobs is the same as
 * one that was reached in one. */
static Status play_row(EndGames *e, size_t i, size_t *pairs) {
  Status status = OK;
  Contestant a = {.net = NULL};
  Contestant b = {.net = NULL};
  for (size_t j = i + 1; j < e->players && *pairs < MOST; j++) {
    if (settled(e, e->field[i], e->field[j])) continue;
    ++*pairs;
    if (in_file(e, i, j)) continue;
    if (!*a.label) TRY(open_player(e, e->field[i], &a));
    TRY(open_player(e, e->field[j], &b));
    TRY(play_pair(e, &a, &b));
    contestant_destroy(&b);
  }
done:
  contestant_destroy(&a);
  contestant_destroy(&b);
  return status;
}

/* Row by row, so that each player is opened once. */
static Status play_missing(EndGames *e) {
  size_t pairs = 0;
  TRY_RETURN(gather(e));
  for (size_t i = 0; i < e->players; i++)
    TRY_RETURN(play_row(e, i, &pairs));
  return OK;
}

/* A damaged player file is no reason to lose the run's end. */
Status end_games_play(const League *league, const JobConfig *settings, const RunFolder *run,
                      uint64_t *games) {
  EndGames e = {.league = league, .settings = settings, .run = run};
  *games = 0;
  if (settings->env->spec.teams < 2 || settings->league.end_games == 0) return OK;
  Status status = play_missing(&e);
  games_free(&e.met);
  *games = e.played;
  if (status == ERR_FORMAT) {
    log_warning("evaluation games at the run's end: %s", status_message());
    status = OK;
  }
  if (e.played)
    log_line("%llu evaluation games of players that had not met, in %s",
             (unsigned long long)e.played, e.csv);
  return status;
}
