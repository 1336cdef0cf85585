#include "cli/tournament_setup.h"

#include "base/text.h"
#include "cli/option_words.h"
#include "cli/process.h"
#include "job/plugin.h"
#include "nn/kernels/openblas.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The run of the first RUN:NAME among the players. */
static bool run_among(const TournamentRequest *request, char *out, size_t size) {
  for (size_t i = 0; i < COUNT_OF(request->lists); i++)
    for (const char *at = request->lists[i]; at && *at;) {
      size_t length = strcspn(at, ",");
      const char *colon = memchr(at, ':', length);
      if (colon) return text_item(at, (size_t)(colon - at), out, size) == OK;
      at += length + (at[length] == ',');
    }
  return false;
}

/* The terms under which games count as the same: the env with its options, and the build of its
 * plug-in, whose rules may differ from those of a build before. */
static Status take_terms(const GameFacts *game, GameTerms *out) {
  out->accepted = game->accepted;
  out->any_build = plugins_accepted();
  out->teams = game->teams;
  facts_rules(game, out->build);
  return text_format(out->env, sizeof out->env, "%s", game->title);
}

/* The game that is played: that of --env, of the run, or of the first player's run. ERR_USAGE where
 * none of these is named. */
static Status open_env(const TournamentRequest *request, TournamentSetup *out) {
  char folder[PATH_MAX];
  if (request->env_name) {
    TRY_RETURN(
        option_words_check(request->env_options, request->env_option_count, request->env_name));
    TRY_RETURN(env_create_from(request->env_name, request->env_options, request->env_option_count,
                               &out->own));
    out->env = out->own;
    TRY_RETURN(facts_of(out->env, &out->own_facts));
    return take_terms(&out->own_facts, &out->tournament.terms);
  }
  if (request->run)
    TRY_RETURN(text_format(folder, sizeof folder, "%s", request->run));
  else if (!run_among(request, folder, sizeof folder))
    return status_set(ERR_USAGE, "what is played? Name a run, players as RUN:NAME, or --env ENV");
  TRY_RETURN(run_view_open(folder, &out->run));
  out->has_run = true;
  out->env = out->run.settings->env;
  return take_terms(&out->run.settings->game, &out->tournament.terms);
}

/* Loads the players of all lists, one after another. The id of a player has its weights in it, so
 * that earlier games are found again only for the very same player. ERR_USAGE where one is named
 * twice, even by different names. */
static Status open_players(const TournamentRequest *request, TournamentSetup *out,
                           size_t counts[3]) {
  size_t room = 0;
  for (size_t i = 0; i < COUNT_OF(request->lists); i++) {
    Contestant *more = NULL;
    counts[i] = 0;
    if (!request->lists[i]) continue;
    Status status = run_view_players(request->lists[i], out->has_run ? &out->run : NULL, out->env,
                                     &more, &counts[i]);
    if (status == OK) status = GROW(out->player, room, out->players + counts[i]);
    for (size_t p = 0; status == OK && p < counts[i]; p++) {
      char id[GAMES_NAME];
      uint32_t index;
      more[p].policy.greedy = request->greedy;
      out->player[out->players++] = more[p];
      status = contestant_id(&more[p], id, sizeof id);
      if (status == OK) status = games_player(&out->tournament.games, id, &index);
      if (status == OK && index != out->players - 1)
        status = status_set(ERR_USAGE, "the player '%s' is named twice", more[p].label);
    }
    free(more);
    TRY_RETURN(status);
  }
  return OK;
}

/* "main_0,random,scripted,noop": whom one asks about where no names are given. To do nothing is a
 * measure of what a team earns, not an opponent. */
static Status default_list(const TournamentSetup *arena, char *out, size_t size) {
  static const char *const builtin[] = {"random", "scripted", "noop"};
  const size_t builtins = COUNT_OF(builtin) - (arena->env->spec.teams > 1);
  size_t used = 0;
  const League *league = arena->has_run ? &arena->run.league : NULL;
  *out = 0;
  for (size_t i = 0; league && i < league->learning && used < size; i++)
    if (league->player[i].role == ROLE_MAIN)
      used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "",
                               league->player[i].name);
  for (size_t i = 0; i < builtins && used < size; i++)
    if (builtin_find(builtin[i])->supports(arena->env))
      used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "", builtin[i]);
  return used < size ? OK : status_set(ERR_USAGE, "there are too many players: name some");
}

ReturnTold setup_told(const TournamentSetup *arena) {
  if (arena->has_run) return arena->run.settings->told;
  return facts_told(&arena->own_facts, arena->own_facts.returns_add);
}

/* Games between players that are not here stay in the file and out of the table. */
static Status read_earlier(TournamentSetup *arena) {
  Games all = {0};
  Tournament *t = &arena->tournament;
  Status status = games_read(t->csv, &t->terms, &all);
  if (status == OK && all.other_lines)
    status = status_set(ERR_USAGE,
                        "%s holds %zu lines of this game that another build of its plug-in played "
                        "(XXH3 %.12s, this one "
                        "is %.12s): if its rules are the same, --accept-env takes them together; "
                        "if not, --csv OTHER "
                        "keeps them apart",
                        t->csv, all.other_lines, all.other_build, t->terms.build);
  for (size_t i = 0; status == OK && i < all.meetings; i++) {
    const Meeting *c = &all.meeting[i];
    int64_t id[2] = {-1, -1};
    for (size_t p = 0; p < arena->players; p++) {
      if (!strcmp(t->games.name[p], all.name[c->a])) id[0] = (int64_t)p;
      if (!strcmp(t->games.name[p], all.name[c->b])) id[1] = (int64_t)p;
    }
    if (id[0] < 0 || id[1] < 0) continue;
    status = games_add(&t->games, (uint32_t)id[0], (uint32_t)id[1], 0, &c->tally);
    Meeting *mine;
    if (status == OK)
      status = games_meeting(&t->games, (uint32_t)(id[0] < id[1] ? id[0] : id[1]),
                             (uint32_t)(id[0] < id[1] ? id[1] : id[0]), &mine);
    if (status == OK) mine->next = c->next;
  }
  games_free(&all);
  return status;
}

/* On failure what was opened is closed already. MPI is joined last: a wrong command line should not
 * have to wait for it. */
Status setup_open(const TournamentRequest *request, TournamentSetup *out, size_t counts[3]) {
  Status status = OK;
  char list[512];
  *out = (TournamentSetup){.run = {.folder = {.lock = -1}}};
  Tournament *t = &out->tournament;
  gemm_set_threads(1);
  t->terms.greedy = request->greedy;
  t->terms.openings = (uint32_t)request->openings;
  t->terms.seed = (uint64_t)request->seed;
  TRY(open_env(request, out));
  TournamentRequest asked = *request;
  if (request->defaults && !request->lists[0]) {
    TRY(default_list(out, list, sizeof list));
    asked.lists[0] = list;
  }
  TRY(open_players(&asked, out, counts));
  t->env = out->env;
  t->player = out->player;
  t->players = out->players;
  if (request->csv && strcmp(request->csv, "none"))
    TRY(text_format(out->csv, sizeof out->csv, "%s", request->csv));
  else if (!request->csv && request->run)
    TRY(text_format(out->csv, sizeof out->csv, "%s/games.csv", request->run));
  t->csv_asked = request->csv != NULL;
  if (*out->csv) {
    t->csv = out->csv;
    TRY(read_earlier(out));
  }
  if (transport_mpi_launched()) TRY(job_join(NULL, NULL, &t->transport));
done:
  if (status != OK) setup_close(out);
  return status;
}

/* The smaller index comes first, so that a pair is one fixture whichever way it is named. */
Status setup_add(TournamentSetup *arena, uint32_t a, uint32_t b) {
  Tournament *t = &arena->tournament;
  size_t room = t->fixtures;
  if (a > b) return setup_add(arena, b, a);
  if (a == b) return OK;
  for (size_t i = 0; i < t->fixtures; i++)
    if (arena->fixture[i].a == a && arena->fixture[i].b == b) return OK;
  TRY_RETURN(GROW(arena->fixture, room, t->fixtures + 1));
  arena->fixture[t->fixtures++] = (Fixture){.a = a, .b = b};
  t->fixture = arena->fixture;
  return OK;
}

/* Whether this rank prints: rank 0, or the only one. */
bool setup_speaks(const TournamentSetup *arena) {
  return !arena->tournament.transport || arena->tournament.transport->rank == 0;
}

/* Ends the whole job where one rank fails, as the others would wait for its games forever. */
Status setup_play(TournamentSetup *arena) {
  Transport *transport = arena->tournament.transport;
  Status status = tournament_play(&arena->tournament);
  if (status != OK && transport && transport->size > 1)
    transport->ops->abort(transport, status_exit_code(status), status_message());
  return status;
}

/* Frees what setup_open opened; may be called again. */
void setup_close(TournamentSetup *arena) {
  for (size_t i = 0; i < arena->players; i++)
    contestant_destroy(&arena->player[i]);
  free(arena->player);
  free(arena->fixture);
  games_free(&arena->tournament.games);
  transport_destroy(arena->tournament.transport);
  env_destroy(arena->own);
  facts_free(&arena->own_facts);
  if (arena->has_run) run_view_close(&arena->run);
  *arena = (TournamentSetup){.run = {.folder = {.lock = -1}}};
}

/* --- printing --- */

/* Printed beside the results, whose intervals and tests take the games for a sample, which they are
 * not. */
void print_fixed(const char *a, const char *b, const Tally seat[SEATS]) {
  const bool swapped = seat[0].games > 0 && seat[1].games > 0;
  const double games = tally_games(seat);
  printf("warning: nothing is random between %s and %s: ", a, b);
  if (!swapped)
    printf("there is one distinct game, and more of them are copies. ");
  else if (games > 2)
    printf(
        "there are %.0f distinct games, one for each way to sit, played once; more of them would "
        "be copies. ",
        games);
  else
    printf("there are two distinct games, one for each seat, played once; more of them would be "
           "copies. ");
  printf("--openings K makes games differ\n");
}

/* "0.123" or "n/a". */
static const char *share_text(const double *values, const Standing *s, uint32_t player, char *out,
                              size_t size) {
  if (s->has_meta && s->in[player] && isfinite(values[player]))
    snprintf(out, size, "%.3f", values[player]);
  else
    snprintf(out, size, "n/a");
  return out;
}

/* A row of the standing. Ratings of wide intervals are dimmed on a terminal. A learning player
 * stands with the rating of its newest snapshot that has met others, and its name says so. */
static void print_line(const Standing *s, size_t rank, uint32_t p) {
  char elo[32];
  char interval[48] = "n/a";
  char nash[16];
  char alpha[16];
  char name[2 * GAMES_NAME + 8];
  const Rated *rated = &s->rated[p];
  if (rated->known && rated->bound > 0)
    snprintf(interval, sizeof interval, "%+.0f ...", rated->low);
  else if (rated->known && rated->bound < 0)
    snprintf(interval, sizeof interval, "... %+.0f", rated->high);
  else if (rated->known)
    snprintf(interval, sizeof interval, "%+.0f to %+.0f", rated->low, rated->high);
  bool grey = rated->known && standing_is_wide(rated) && isatty(1) && !getenv("NO_COLOR");
  if (s->as[p] == p)
    snprintf(name, sizeof name, "%s", s->games->name[p]);
  else
    snprintf(name, sizeof name, "%s (as ...%s)", s->games->name[p],
             strrchr(s->games->name[s->as[p]], '-'));
  printf("%s%4zu %-38s %9s %-17s %7.0f  ", grey ? "\033[2m" : "", rank, name,
         standing_elo_text(s, p, elo, sizeof elo), interval, rated->games);
  printf(rated->games > 0 ? "%.3f" : "  n/a", s->points[s->as[p]]);
  const double *equilibrium = s->side ? s->nash : s->nash_average;
  printf("  %5s       %5s%s\n", share_text(equilibrium, s, p, nash, sizeof nash),
         share_text(s->alpha_rank, s, p, alpha, sizeof alpha), grey ? "\033[0m" : "");
}

/* Who is in the meta-games, where not all are. */
static void print_entered(const Standing *s) {
  enum { NAMED = 8 };
  size_t out = 0;
  size_t n = s->games->players;
  if (!s->has_meta) printf("Nash and alpha-rank: n/a, %s\n", s->no_meta);
  if (!s->has_meta || s->entered == n) return;
  printf("Nash and alpha-rank: among the %zu players that have all met one another; left out:",
         s->entered);
  for (size_t p = 0; p < n; p++)
    if (!s->in[p] && out++ < NAMED) printf("%s %s", out > 1 ? "," : "", s->games->name[p]);
  if (out > NAMED) printf(" and %zu more", out - NAMED);
  printf("\n");
}

/* What sitting first is worth, and a warning where it could not be told from strength. */
static void print_seats(const Standing *s) {
  if (s->fit.first_seat >= 0)
    printf("whoever sits first scores %.3f; %.1f %% of the games are drawn\n", s->fit.first_seat,
           100 * s->fit.draws);
  if (s->seats && s->fit.one_seated && !s->side)
    printf("warning: %zu pairs of players have met in one seat only; their scores hold what that "
           "seat is worth\n",
           s->fit.one_seated);
}

/* What stands above the table, and below it what only two populations have. */
static void print_heading(const Standing *s) {
  if (!s->side) {
    printf("Bradley-Terry ratings, %s at 0 (D Elo more: a score of 1 / (1 + 10^(-D / 400)) over "
           "both seats), 95 %% intervals\n",
           standing_anchor(s));
    return;
  }
  printf("Bradley-Terry ratings of two populations, %s and %s, over the games of one against the "
         "other; 95 %% intervals\n",
         s->side_name[0], s->side_name[1]);
  if (isfinite(s->gap))
    printf(
        "%.*s of each side at 0: D Elo more than another player of one's side multiplies the odds "
        "of scoring, against whomever, by 10^(D / 400)\n",
        (int)strcspn(standing_anchor(s), " "), standing_anchor(s));
  else
    printf("%s at 0, one scale for both: D Elo more than a player of the other side is a score of "
           "1 / (1 + 10^(-D / 400)) against it\n",
           standing_anchor(s));
}

static void print_sides(const Standing *s) {
  if (!s->side) return;
  if (isfinite(s->gap))
    printf("a %s of Elo x scores 1 / (1 + 10^(-(x - y %+.0f) / 400)) against a %s of Elo y\n",
           s->side_name[0], s->gap, s->side_name[1]);
  if (s->has_meta)
    printf(
        "Nash: each side's mixture in the equilibrium of the game between the two, which is worth "
        "%+.3f to %s; Nash averaging and alpha-rank rank one population\n",
        s->value, s->side_name[0]);
}

/* The table of ratings, best first, then what it cannot show: who is not in the meta-games, groups
 * that no games connect, and cycles, which no rating on a line can express. */
void print_standing(const Standing *s, size_t most) {
  const Games *games = s->games;
  print_heading(s);
  printf("rank player                                    Elo   interval          games  score    "
         "Nash  alpha-rank\n");
  for (size_t i = 0; i < games->players && i < most; i++)
    print_line(s, i + 1, s->order[i]);
  if (games->players > most) printf("     ... and %zu more\n", games->players - most);
  if (games->players > RATING_MOST)
    printf("ratings: n/a, they are computed for up to %d players\n", RATING_MOST);
  print_entered(s);
  print_sides(s);
  print_seats(s);
  if (s->fit.islands > 1)
    printf("warning: the players fall into %zu groups that no games connect; ratings of different "
           "groups cannot be "
           "compared\n",
           s->fit.islands);
  const Transitivity *t = &s->transitivity;
  if (t->explained >= 0)
    printf("ratings explain %.1f %% of the variance of scores; ", 100 * t->explained);
  else
    printf("what ratings explain: n/a; ");
  if (s->side)
    printf("two sides have no cycles of three\n");
  else if (t->margin > 0)
    printf("strongest cycle: %s > %s > %s > %s, each by at least %.3f\n", games->name[t->cycle[0]],
           games->name[t->cycle[1]], games->name[t->cycle[2]], games->name[t->cycle[0]],
           0.5 + t->margin);
  else
    printf("no cycle of three\n");
}

/* null where the value is not known: JSON has no NAN. */
static json_t *json_if(bool known, double value) {
  return known ? json_real(value) : json_null();
}

/* One player's ratings and shares; meta-games only for those who entered them. */
static json_t *json_player(const Standing *s, uint32_t p) {
  const Rated *rated = &s->rated[p];
  bool in = s->has_meta && s->in[p];
  json_t *player = json_pack("{s:s,s:f,s:i}", "player", s->games->name[p], "games", rated->games,
                             "bound", rated->known ? rated->bound : 0);
  if (s->as[p] != p) json_object_set_new(player, "as", json_string(s->games->name[s->as[p]]));
  json_object_set_new(player, "score", json_if(rated->games > 0, s->points[s->as[p]]));
  json_object_set_new(player, "elo", json_if(rated->known, rated->elo));
  json_object_set_new(player, "elo_low", json_if(rated->known, rated->low));
  json_object_set_new(player, "elo_high", json_if(rated->known, rated->high));
  json_object_set_new(player, "nash", json_if(in, s->nash[p]));
  if (s->side) json_object_set_new(player, "side", json_string(s->side_name[s->side[p] - 1]));
  in &= s->side == NULL; /* these rank one population */
  json_object_set_new(player, "nash_average", json_if(in, s->nash_average[p]));
  json_object_set_new(player, "skill", json_if(in, s->skill[p]));
  json_object_set_new(player, "alpha_rank", json_if(in, s->alpha_rank[p]));
  return player;
}

/* The whole standing, best player first. The caller owns the result. */
json_t *json_standing(const Standing *s) {
  json_t *list = json_array();
  json_t *root = json_object();
  json_t *out = json_array();
  for (size_t i = 0; i < s->games->players; i++)
    json_array_append_new(list, json_player(s, s->order[i]));
  for (size_t p = 0; p < s->games->players; p++)
    if (!s->in[p]) json_array_append_new(out, json_string(s->games->name[p]));
  json_object_set_new(root, "players", list);
  json_object_set_new(root, "anchor", json_string(standing_anchor(s)));
  json_object_set_new(root, "elo_scale",
                      json_string(s->side ? "of two players of a side, against any of the other: "
                                            "odds ratio = 10^(elo / 400)"
                                          : "score over both seats = 1 / (1 + 10^(-elo / 400))"));
  if (s->side) {
    json_object_set_new(root, "side_gap", json_if(isfinite(s->gap), s->gap));
    json_object_set_new(root, "meta_value", json_if(s->has_meta, s->value));
  }
  json_object_set_new(root, "first_seat_score", json_if(s->fit.first_seat >= 0, s->fit.first_seat));
  json_object_set_new(root, "draw_share", json_real(s->fit.draws));
  json_object_set_new(root, "met_in_one_seat", json_integer((json_int_t)s->fit.one_seated));
  json_object_set_new(root, "groups", json_integer((json_int_t)s->fit.islands));
  json_object_set_new(root, "meta_players", json_integer(s->has_meta ? (json_int_t)s->entered : 0));
  json_object_set_new(root, "meta_left_out", out);
  if (!s->has_meta) json_object_set_new(root, "no_meta", json_string(s->no_meta));
  json_object_set_new(root, "transitive_share",
                      json_if(s->transitivity.explained >= 0, s->transitivity.explained));
  if (s->transitivity.margin > 0) {
    const uint32_t *c = s->transitivity.cycle;
    json_object_set_new(root, "cycle",
                        json_pack("{s:[s,s,s],s:f}", "players", s->games->name[c[0]],
                                  s->games->name[c[1]], s->games->name[c[2]], "margin",
                                  s->transitivity.margin));
  }
  return root;
}
