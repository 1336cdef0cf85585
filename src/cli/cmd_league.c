/* agon league show|dryrun; what changes a league is in league_edit.c. */
#include "cli/cli.h"
#include "cli/league_edit.h"
#include "job/players.h"
#include "run/view.h"
#include "base/file.h"
#include "base/text.h"
#include "config/yaml.h"
#include "meta/meta.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const Command command_league;

static const Flag flags[] = {
    {"--preset", "NAME", "dryrun: rules to use: " PRESETS},
    {"--scenario", "FILE.yaml", "dryrun: players and payoff to start from"},
    {"--matches", "N", "dryrun: matches drawn (default 10000)"},
    {"--seed", "S", "dryrun: of the draws (default 1)"},
    {"--json", NULL, "print JSON"},
    {"--from", "PLAYER",
     "add: whose weights it begins with: a player of the run, RUN:PLAYER or FILE.h5"},
    {"--side", "SIDE", "add: its team, where league.sides is separate"},
    {"--role", "ROLE", "fork, import: what it is: " ROLE_NAMES},
    {"--to", "PLAYER",
     "reset: from which player's weights, or initial (default: its last snapshot)"},
};

/* --- show --- */

/* Games of one seat as JSON, and by how many independent ones they may be judged; score and mean
 * return only where there are games to take them of. */
static json_t *json_seat(const Tally *tally, double independent) {
  json_t *entry = json_pack("{s:f,s:f,s:f,s:f}", "games", tally->games, "wins", tally->wins,
                            "draws", tally->draws, "losses", tally->losses);
  if (tally->games > 0) {
    double score = tally_score(tally);
    double low;
    double high;
    meta_interval(score, independent, &low, &high);
    json_object_set_new(entry, "score", json_real(score));
    json_object_set_new(entry, "low", json_real(low));
    json_object_set_new(entry, "high", json_real(high));
    json_object_set_new(entry, "mean_return", json_real(tally->returns / tally->games));
  }
  return entry;
}

/* Games of both seats together as JSON, and of each under "seats". share: independent ones among
 * them. */
static json_t *json_tally(const Tally seat[SEATS], double share) {
  Tally both = tally_both(seat);
  json_t *entry = json_seat(&both, both.games * share);
  json_object_set_new(entry, "seats",
                      json_pack("[o,o]", json_seat(&seat[0], seat[0].games * share),
                                json_seat(&seat[1], seat[1].games * share)));
  return entry;
}

/* All games ever, as the first seat saw them; *independent: see payoff_independent. */
static Tally first_seat(const RunView *run, double *independent) {
  const Tally first = payoff_first_seat(&run->league.payoff);
  const double trained = payoff_trained(&run->league.payoff);
  *independent = payoff_independent(run->settings->game.teams, trained, first.games - trained);
  return first;
}

/* The numbers of one moment as JSON, by name. */
static json_t *json_tuned(const double value[TUNABLES]) {
  json_t *object = json_object();
  for (int k = 0; k < TUNABLES; k++)
    if (value[k] > 0) json_object_set_new(object, tune_name((Tunable)k), json_real(value[k]));
  return object;
}

static json_t *json_copies(const League *league) {
  json_t *list = json_array();
  for (size_t i = 0; i < league->copies; i++) {
    const TuneCopy *copy = &league->copy[i];
    json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:f,s:f,s:o,s:o}", "frames",
                                          (json_int_t)copy->frames, "player",
                                          league->player[copy->player].name, "source",
                                          league->player[copy->source].name, "chance", copy->chance,
                                          "games", copy->games, "before", json_tuned(copy->before),
                                          "after", json_tuned(copy->after)));
  }
  return list;
}

/* The whole league as JSON: players in the order of their ids, then every pair of the payoff with
 * its raw, decayed and evaluation counts, and the rate that matchmaking goes by. */
static Status show_json(const RunView *run) {
  json_t *players = json_array();
  json_t *payoff = json_array();
  json_t *changes = json_array();
  const double share = payoff_independent(run->settings->game.teams, 1, 0);
  double independent;
  char role[PLAYER_NAME];
  for (size_t i = 0; i < run->league.players; i++) {
    const Player *p = &run->league.player[i];
    json_array_append_new(
        players,
        json_pack("{s:s,s:s,s:b,s:s?,s:I,s:s,s:s,s:i}", "name", p->name, "role",
                  text_choice_name(ALL_ROLE_NAMES, (int)p->role, role, sizeof role), "frozen",
                  p->frozen, "parent", p->parent >= 0 ? run->league.player[p->parent].name : NULL,
                  "frames", (json_int_t)p->frames, "reason", p->reason, "hash", p->hash, "life",
                  (int)p->life));
    if (p->side)
      json_object_set_new(json_array_get(players, i), "side",
                          json_string(league_side_name(&run->league.config, p->side)));
    if (p->guest) json_object_set_new(json_array_get(players, i), "guest", json_string(p->guest));
    if (tune_is_on(&run->league.config.tune))
      json_object_set_new(json_array_get(players, i), "tuned", json_tuned(p->tune.value));
  }
  for (size_t i = 0; i < run->league.changes; i++) {
    const LeagueChange *change = &run->league.change[i];
    json_array_append_new(changes, json_pack("{s:I,s:I,s:s,s:s}", "when", (json_int_t)change->when,
                                             "frames", (json_int_t)change->frames, "who",
                                             change->who, "what", change->what));
  }
  for (size_t h = 0; h < run->league.payoff.rows; h++)
    for (size_t i = 0; i < run->league.payoff.row[h].pairs; i++) {
      const Pair *pair = &run->league.payoff.row[h].pair[i];
      json_array_append_new(
          payoff,
          json_pack("{s:s,s:s,s:o,s:o,s:o,s:f,s:i}", "home", run->league.player[h].name, "away",
                    run->league.player[pair->away].name, "raw", json_tally(pair->raw, share),
                    "decayed", json_tally(pair->decayed, share), "eval", json_tally(pair->eval, 1),
                    "rate", league_rate(&run->league, (uint32_t)h, pair->away), "rate_seats",
                    payoff_seats_known(&run->league.payoff, (uint32_t)h, pair->away)));
    }
  const Tally first = first_seat(run, &independent);
  const uint64_t *counters = run_view_counters(run);
  json_t *root = json_pack(
      "{s:s,s:s,s:i,s:I,s:o,s:o,s:o,s:o}", "run", run->folder.path, "env", run->settings->game.name,
      "teams", (int)run->settings->game.teams, "generation", (json_int_t)run->generation, "players",
      players, "payoff", payoff, "first_seat", json_seat(&first, independent), "changes", changes);
  if (tune_is_on(&run->league.config.tune) || run->league.copies)
    json_object_set_new(root, "copies", json_copies(&run->league));
  if (counters) {
    json_object_set_new(root, "tick", json_integer((json_int_t)counters[RUN_TICK]));
    json_object_set_new(root, "frames", json_integer((json_int_t)counters[RUN_FRAMES]));
  }
  json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(8));
  printf("\n");
  json_decref(root);
  return OK;
}

/* All games of home against away, training and evaluation together and undecayed, by seat. Zero
 * where the two have not met. Returns how many are independent. */
static double everything(const RunView *run, uint32_t home, uint32_t away, Tally out[SEATS]) {
  const Pair *pair = payoff_find(&run->league.payoff, home, away);
  for (int s = 0; s < SEATS; s++) {
    const Tally both[SEATS] = {pair ? pair->raw[s] : (Tally){0}, pair ? pair->eval[s] : (Tally){0}};
    out[s] = tally_both(both);
  }
  if (!pair) return 0;
  return payoff_independent(run->settings->game.teams, tally_games(pair->raw),
                            tally_games(pair->eval));
}

/* Columns that the names need: 28, or more where sides are in them. */
static int name_width(const League *league) {
  size_t wide = 28;
  for (size_t i = 0; i < league->players; i++)
    if (strlen(league->player[i].name) > wide) wide = strlen(league->player[i].name);
  return (int)wide;
}

/* One opponent of a learning player: counts, the score of each seat, and the rate that matchmaking
 * sees. */
static void show_pair(const RunView *run, uint32_t home, uint32_t away) {
  Tally seat[SEATS];
  char seats[48] = ", one seat only";
  double low;
  double high;
  const double independent = everything(run, home, away, seat);
  Tally t = tally_both(seat);
  if (t.games <= 0) return;
  meta_interval(tally_score(&t), independent, &low, &high);
  const bool sided = run->league.player[home].side > 0; /* one seat is all that there is */
  if (seat[0].games > 0 && seat[1].games > 0)
    snprintf(seats, sizeof seats, ", seats %.3f %.3f", tally_score(&seat[0]),
             tally_score(&seat[1]));
  else if (sided)
    *seats = 0;
  printf("   %-*s %9.0f games  +%.0f =%.0f -%.0f  %.3f [%.3f, %.3f]%s", name_width(&run->league),
         run->league.player[away].name, t.games, t.wins, t.draws, t.losses, tally_score(&t), low,
         high, seats);
  int lately = payoff_seats_known(&run->league.payoff, home, away);
  if (lately)
    printf(", lately %.3f%s", league_rate(&run->league, home, away),
           lately == 1 && !sided ? " (one seat only)" : "");
  printf("\n");
}

/* What was changed by hand; nothing where nobody has. */
static void show_changes(const League *league) {
  if (league->changes) printf("\nchanged by hand\n");
  for (size_t i = 0; i < league->changes; i++) {
    const LeagueChange *change = &league->change[i];
    const time_t stamp = (time_t)change->when;
    char when[32] = "";
    char frames[16];
    struct tm parts;
    if (gmtime_r(&stamp, &parts)) strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &parts);
    printf("   %s, at %s frames, by %s: %s\n", when,
           text_scaled((double)change->frames, frames, sizeof frames), change->who, change->what);
  }
}

/* Who went on as a copy of whom: the last of them; and what players learn by now. Nothing where
 * nothing is tuned. */
static void show_tuned(const League *league) {
  enum { SHOWN = 12 };
  const size_t from = league->copies > SHOWN ? league->copies - SHOWN : 0;
  if (!tune_is_on(&league->config.tune) && !league->copies) return;
  printf("\ntuned (%zu copies)\n", league->copies);
  if (from) printf("   the last %d:\n", SHOWN);
  for (size_t i = from; i < league->copies; i++) {
    const TuneCopy *copy = &league->copy[i];
    char frames[16];
    char numbers[400];
    tune_describe(copy, numbers, sizeof numbers);
    printf("   at %s frames %s as a copy of %s, chance %.3f in %.0f games: %s\n",
           text_scaled((double)copy->frames, frames, sizeof frames),
           league->player[copy->player].name, league->player[copy->source].name, copy->chance,
           copy->games, numbers);
  }
  for (size_t p = 0; p < league->learning; p++) {
    const Player *player = &league->player[p];
    printf("   %-28s", player->name);
    for (int k = 0; k < TUNABLES; k++)
      if (player->tune.value[k] > 0)
        printf(" %s %.3g", tune_name((Tunable)k), player->tune.value[k]);
    printf("\n");
  }
}

/* The same for a person to read: a table of the players, then what each learning player has done
 * against all others. */
static void show_text(const RunView *run) {
  const League *league = &run->league;
  char frames[16];
  char role[PLAYER_NAME];
  printf("%s: %s, checkpoint %06llu, %zu players\n\n", run->folder.path, run->settings->game.name,
         (unsigned long long)run->generation, league->players);
  const int wide = name_width(league);
  const int parents = wide > 28 ? wide - 7 : 22;
  printf("%-*s %-17s %-*s %10s %-9s %s\n", wide, "player", "role", parents, "parent", "age",
         "reason", "hash");
  for (size_t i = 0; i < league->players; i++) {
    const Player *p = &league->player[i];
    printf("%-*s %-17s %-*s %10s %-9s %.8s%s%s\n", wide, p->name,
           text_choice_name(ALL_ROLE_NAMES, (int)p->role, role, sizeof role), parents,
           p->parent >= 0 ? league->player[p->parent].name : "-",
           text_scaled((double)p->frames, frames, sizeof frames),
           p->frozen ? p->reason : "learning", p->frozen ? p->hash : "", p->guest ? "  " : "",
           p->guest ? p->guest : "");
  }
  show_changes(league);
  show_tuned(league);
  if (run->settings->game.teams == 1) {
    char quoted[4200];
    printf("\none team plays: nobody meets anybody; agon eval %s shows what players earn\n",
           text_quoted(run->folder.path, quoted, sizeof quoted));
    return;
  }
  const uint32_t teams = run->settings->game.teams;
  printf("\nscore of each learning player over all games, with 95 %% interval\n");
  if (teams > 2)
    printf("%u teams play: an episode of training is %u games here, one against each opponent, and "
           "weighs as one in intervals; an episode of evaluation is one\n",
           teams, teams - 1);
  for (uint32_t h = 0; h < league->learning; h++) {
    printf("%s\n", league->player[h].name);
    for (uint32_t a = 0; a < league->players; a++)
      show_pair(run, h, a);
  }
  double independent;
  const Tally first = first_seat(run, &independent);
  if (first.games <= 0) return;
  double low;
  double high;
  meta_interval(tally_score(&first), independent, &low, &high);
  printf("\n%s scores %.3f [%.3f, %.3f], mean return %+.4g, over all %.0f %s\n",
         league->config.sides == SIDES_SEPARATE ? league_side_name(&league->config, 1)
                                                : "the first seat",
         tally_score(&first), low, high, first.returns / first.games, first.games,
         teams > 2 ? "comparisons of two teams" : "games");
}

/* --- scenarios --- */

/* A scenario as its file has it, before names are looked up. */
typedef struct Scenario {
  struct {
    char name[PLAYER_NAME];
    char role[PLAYER_NAME];   /* "": main */
    char parent[PLAYER_NAME]; /* "": none */
    bool frozen;
    uint8_t side; /* 1 + team; 0: not given */
  } player[512];
  size_t players;
  struct {
    char home[PLAYER_NAME];
    char away[PLAYER_NAME];
    Tally tally;
  } pair[4096];
  size_t pairs;
} Scenario;

/* One payoff row, "[home, away, games, wins, draws, losses]", into the scenario. ERR_USAGE, with
 * `place`, where it is not such a row, its counts do not add up, or the pair was given before. */
static Status scenario_pair(Scenario *scenario, const char *value, const char *place) {
  char text[256];
  char *cell[6];
  char *save = NULL;
  size_t n = 0;
  snprintf(text, sizeof text, "%s", value);
  for (char *word = strtok_r(text, "[], ", &save); word && n < 6;
       word = strtok_r(NULL, "[], ", &save))
    cell[n++] = word;
  double number[4];
  if (scenario->pairs == COUNT_OF(scenario->pair))
    return status_set(ERR_USAGE, "%s: a scenario has at most %zu payoff rows", place,
                      COUNT_OF(scenario->pair));
  bool good = n == 6;
  for (size_t i = 0; good && i < 4; i++)
    good = text_to_float(cell[2 + i], &number[i]) && number[i] >= 0 && isfinite(number[i]);
  if (!good || fabs(number[0] - number[1] - number[2] - number[3]) > 1e-9 * number[0])
    return status_set(ERR_USAGE,
                      "%s: a payoff row is [home, away, games, wins, draws, losses] with games = "
                      "wins + draws + losses",
                      place);
  for (size_t i = 0; i < scenario->pairs; i++)
    if (!strcmp(scenario->pair[i].home, cell[0]) && !strcmp(scenario->pair[i].away, cell[1]))
      return status_set(ERR_USAGE, "%s: payoff of %s against %s is given twice", place, cell[0],
                        cell[1]);
  TRY_RETURN(text_format(scenario->pair[scenario->pairs].home, PLAYER_NAME, "%s", cell[0]));
  TRY_RETURN(text_format(scenario->pair[scenario->pairs].away, PLAYER_NAME, "%s", cell[1]));
  scenario->pair[scenario->pairs++].tally =
      (Tally){number[0], number[1], number[2], number[3], 0, 0};
  return OK;
}

/* Called for each value of the YAML file with its full key, such as players[3].role. Names are
 * looked up only when all of the file is read, so that players and payoff may come in any order.
 * ERR_USAGE for keys and values that mean nothing. */
static Status scenario_value(void *context, const char *key, const char *value, const char *place) {
  Scenario *scenario = context;
  unsigned index;
  char field[32];
  if (sscanf(key, "payoff[%u]", &index) == 1) return scenario_pair(scenario, value, place);
  if (!strcmp(key, "payoff") && !strcmp(value, "[]")) return OK;
  if (sscanf(key, "players[%u].%31s", &index, field) != 2 || index >= COUNT_OF(scenario->player))
    return status_set(ERR_USAGE,
                      "%s: unknown key '%s'; a scenario has players: [{name, role, frozen, "
                      "parent, side}] and payoff: [[...]]",
                      place, key);
  if (index >= scenario->players) scenario->players = index + 1;
  if (!strcmp(field, "name"))
    return text_format(scenario->player[index].name, PLAYER_NAME, "%s", value);
  if (!strcmp(field, "role"))
    return text_format(scenario->player[index].role, PLAYER_NAME, "%s", value);
  if (!strcmp(field, "parent"))
    return text_format(scenario->player[index].parent, PLAYER_NAME, "%s",
                       !strcmp(value, "null") || !strcmp(value, "~") ? "" : value);
  if (!strcmp(field, "side")) {
    int side = text_choice("0|1", value);
    if (side < 0)
      return status_set(ERR_USAGE, "%s: side: '%s' is not 0 or 1, the team that the player plays",
                        place, value);
    scenario->player[index].side = (uint8_t)(side + 1);
    return OK;
  }
  if (strcmp(field, "frozen"))
    return status_set(ERR_USAGE, "%s: a player has name, role, frozen, parent, side, not '%s'",
                      place, field);
  int which = text_choice("false|true|no|yes", value);
  if (which < 0)
    return status_set(ERR_USAGE, "%s: frozen: '%s' is not true or false", place, value);
  scenario->player[index].frozen = which & 1;
  return OK;
}

/* A scenario's games are half of each seat, with returns of 1 for a win and -1 for a loss; between
 * frozen players they are also the evaluation games that meta-games go by. */
static void scenario_fill(Pair *pair, const Tally *tally, uint8_t side, bool frozen) {
  if (side) { /* all in the seat that home can have */
    Tally all = *tally;
    all.returns = all.wins - all.losses;
    all.squares = all.wins + all.losses;
    pair->raw[side - 1] = pair->decayed[side - 1] = all;
    pair->since[side - 1] = all.games;
    if (frozen) pair->eval[side - 1] = all;
    return;
  }
  double wins = tally->wins / 2;
  double losses = tally->losses / 2;
  Tally half = {tally->games / 2, wins, tally->draws / 2, losses, wins - losses, wins + losses};
  for (int s = 0; s < SEATS; s++) {
    pair->raw[s] = pair->decayed[s] = half;
    pair->since[s] = half.games;
    if (frozen) pair->eval[s] = half;
  }
}

/* league.mains are those that there are; of each side as many, as rules share out among them. */
static Status count_mains(League *league) {
  int64_t mains[SEATS + 1] = {0};
  for (size_t i = 0; i < league->learning; i++)
    mains[league->player[i].side] += league->player[i].role == ROLE_MAIN;
  league->config.mains = mains[0] ? mains[0] : mains[1];
  if (mains[1] == mains[2]) return OK;
  return status_set(ERR_USAGE,
                    "scenario: %lld mains learn on side 0 and %lld on side 1; there must be "
                    "as many on both",
                    (long long)mains[1], (long long)mains[2]);
}

/* Where sides are separate every player has one, and only there. */
static Status check_side(const LeagueConfig *config, const char *name, uint8_t side) {
  const bool separate = config->sides == SIDES_SEPARATE;
  if (separate == (side > 0)) return OK;
  return status_set(ERR_USAGE, "scenario: %s: %s", name,
                    separate ? "its side is needed (side: 0 or 1), as league.sides is separate"
                             : "it has a side, and league.sides is together");
}

/* Learning players come first in a league; frozen ones follow in the order of the list, which is
 * their age. */
static Status scenario_league(const Scenario *scenario, LeagueConfig config, League *out) {
  Status status = OK;
  uint32_t id;
  *out = (League){
      .config = config,
      .payoff = {.decay = league_decay(&config), .one_seat = config.sides == SIDES_SEPARATE}};
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < scenario->players; i++) {
      if (scenario->player[i].frozen != (pass == 1)) continue;
      const char *word = *scenario->player[i].role ? scenario->player[i].role : "main";
      int role = text_choice(ROLE_NAMES, word);
      if (!*scenario->player[i].name)
        TRY(status_set(ERR_USAGE, "scenario: player %zu has no name", i));
      if (role < 0)
        TRY(status_set(ERR_USAGE, "scenario: %s: role '%s' is not one of %s",
                       scenario->player[i].name, word, ROLE_NAMES));
      TRY(check_side(&config, scenario->player[i].name, scenario->player[i].side));
      TRY(league_add(out, scenario->player[i].name, (Role)role, pass == 1, -1, &id));
      out->player[id].side = scenario->player[i].side;
      out->learning += pass == 0;
    }
  for (size_t i = 0; i < scenario->players; i++) {
    if (!*scenario->player[i].parent) continue;
    int64_t child = league_find(out, scenario->player[i].name);
    int64_t parent = league_find(out, scenario->player[i].parent);
    if (parent < 0)
      TRY(status_set(ERR_USAGE, "scenario: %s: its parent '%s' is not among the players",
                     scenario->player[i].name, scenario->player[i].parent));
    out->player[child].parent = parent;
  }
  if (out->learning == 0)
    TRY(status_set(ERR_USAGE, "scenario: no player is learning (frozen: false)"));
  TRY(count_mains(out));
  for (size_t i = 0; i < scenario->pairs; i++) {
    int64_t home = league_find(out, scenario->pair[i].home);
    int64_t away = league_find(out, scenario->pair[i].away);
    Pair *pair;
    if (home < 0 || away < 0)
      TRY(status_set(ERR_USAGE, "scenario: payoff names an unknown player, %s or %s",
                     scenario->pair[i].home, scenario->pair[i].away));
    /* a self-match is not recorded */
    if (home == away) continue;
    if (!league_meets(&out->player[home], &out->player[away]))
      TRY(status_set(ERR_USAGE, "scenario: payoff of %s against %s, who are of one side",
                     scenario->pair[i].home, scenario->pair[i].away));
    const Tally *t = &scenario->pair[i].tally;
    bool frozen = out->player[home].frozen && out->player[away].frozen;
    TRY(payoff_pair(&out->payoff, (uint32_t)home, (uint32_t)away, &pair));
    scenario_fill(pair, t, out->player[home].side, frozen);
    /* mirrored unless its reverse is given, which has counts of its own */
    bool reverse = false;
    for (size_t j = 0; j < scenario->pairs; j++)
      reverse |= !strcmp(scenario->pair[j].home, scenario->pair[i].away) &&
                 !strcmp(scenario->pair[j].away, scenario->pair[i].home);
    if (reverse) continue;
    TRY(payoff_pair(&out->payoff, (uint32_t)away, (uint32_t)home, &pair));
    scenario_fill(pair, &(Tally){t->games, t->losses, t->draws, t->wins, 0, 0},
                  out->player[away].side, frozen);
  }
done:
  if (status != OK) league_free(out);
  return status;
}

/* Reads a scenario file into a league under these rules. On success the caller owns `out`, on
 * failure nothing is left to free. ERR_USAGE where the scenario contradicts itself, ERR_IO where it
 * cannot be read. A Scenario is too large for the stack. */
static Status read_scenario(const char *path, const LeagueConfig *config, League *out) {
  Scenario *scenario = NULL;
  char *text = NULL;
  size_t size;
  Status status = OK;
  TRY(NEW_ARRAY(scenario, 1));
  TRY(file_read(path, &text, &size));
  YamlVisitor visitor = {scenario_value, scenario};
  TRY(yaml_walk(text, size, path, &visitor));
  TRY(scenario_league(scenario, *config, out));
done:
  free(scenario);
  free(text);
  return status;
}

/* --- dryrun --- */

/* One entry of a home player's law: the exact probability beside the share that was drawn. */
static json_t *json_match(const League *league, const MatchEntry *match, double drawn) {
  char branch[16];
  return json_pack("{s:s,s:s,s:b,s:s,s:f,s:f}", "opponent", league->player[match->away].name,
                   "branch", text_choice_name(BRANCH_NAMES, match->branch, branch, sizeof branch),
                   "live", (match->flags & MATCH_LIVE) != 0, "learns",
                   match->flags & MATCH_AWAY_LEARNS ? "both" : "home", "probability",
                   (double)match->probability, "drawn", drawn);
}

/* The names of players that the meta-game leaves out. */
static json_t *json_unmeasured(const League *league) {
  json_t *list = json_array();
  for (size_t i = 0; i < league->players; i++)
    if (league->player[i].unmeasured)
      json_array_append_new(list, json_string(league->player[i].name));
  return list;
}

/* What one home player's matches are: the law, and how often each was drawn. */
static void print_law(const League *league, const Table *table, const HomeEntry *home,
                      const double *drawn) {
  char branch[16];
  printf("%s (%.1f %% of all matches at home)\n", league->player[home->player].name,
         100 * (double)home->share);
  for (uint32_t i = 0; i < home->count; i++) {
    const MatchEntry *match = &table->match[home->first + i];
    printf("   %-28s %-8s law %.4f, drawn %.4f%s%s\n", league->player[match->away].name,
           text_choice_name(BRANCH_NAMES, match->branch, branch, sizeof branch),
           (double)match->probability, drawn[i], match->flags & MATCH_LIVE ? "  live" : "",
           match->flags & MATCH_AWAY_LEARNS ? "  both learn" : "");
  }
}

/* The same as JSON: `shares` by opponent as drawn; `law`, exactly, by opponent and branch. */
static void add_law(const League *league, const Table *table, const HomeEntry *home,
                    const double *drawn, json_t *shares, json_t *law) {
  json_t *row = json_object();
  json_t *matches = json_array();
  const char *name = league->player[home->player].name;
  for (uint32_t i = 0; i < home->count; i++) {
    const MatchEntry *match = &table->match[home->first + i];
    const char *opponent = league->player[match->away].name;
    json_t *old = json_object_get(row, opponent);
    json_object_set_new(row, opponent, json_real(drawn[i] + (old ? json_real_value(old) : 0)));
    json_array_append_new(matches, json_match(league, match, drawn[i]));
  }
  json_object_set_new(shares, name, row);
  json_object_set_new(law, name,
                      json_pack("{s:f,s:o}", "share", (double)home->share, "matches", matches));
}

/* Makes the table of probabilities as a tick of a job does, draws `matches` matches of each home
 * player from it, and prints both: how near the drawn shares come to the law is there to be
 * seen. */
static Status draw(League *league, uint64_t matches, uint64_t seed, bool json) {
  Status status = OK;
  Table table = {0};
  double *weight = NULL;
  double *drawn = NULL;
  json_t *shares = json_object();
  json_t *law = json_object();
  TRY(league_table(league, &table));
  TRY(NEW_ARRAY(weight, table.matches));
  TRY(NEW_ARRAY(drawn, table.matches));
  for (size_t h = 0; h < table.homes; h++) {
    const HomeEntry *home = &table.home[h];
    AgonRng rng = rng_stream(seed, home->player, 0, RNG_MATCH);
    for (uint32_t i = 0; i < home->count; i++)
      weight[i] = (double)table.match[home->first + i].probability;
    memset(drawn, 0, home->count * sizeof *drawn);
    for (uint64_t m = 0; m < matches; m++)
      drawn[rng_pick(&rng, weight, home->count)]++;
    for (uint32_t i = 0; i < home->count; i++)
      drawn[i] /= (double)matches;
    if (json)
      add_law(league, &table, home, drawn, shares, law);
    else
      print_law(league, &table, home, drawn);
  }
  json_t *left_out = json_unmeasured(league);
  if (json) {
    json_t *root = json_pack("{s:O,s:O,s:O,s:I,s:I}", "shares", shares, "law", law, "left_out",
                             left_out, "matches", (json_int_t)matches, "seed", (json_int_t)seed);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    printf("\n");
    json_decref(root);
  } else if (json_array_size(left_out)) {
    printf("left out of the meta-game, as they have not met all others in evaluation games:");
    for (size_t i = 0; i < json_array_size(left_out); i++)
      printf("%s %s", i ? "," : "", json_string_value(json_array_get(left_out, i)));
    printf("\n");
  }
  json_decref(left_out);
done:
  json_decref(shares);
  json_decref(law);
  table_free(&table);
  free(weight);
  free(drawn);
  return status;
}

/* The rules come from the run, a preset or a configuration; the players from the run, a scenario or
 * the start of a new league. No game is played and nothing is written. */
static Status dryrun(const Arguments *arguments) {
  Status status = OK;
  const Command *command = &command_league;
  RunView run = {.folder = {.lock = -1}};
  JobConfig *settings = NULL;
  Roster roster = {0};
  League league = {0};
  long long matches;
  long long seed;
  const char *what = arguments->word[1];
  const char *preset = argument(command, arguments, "--preset");
  const char *scenario = argument(command, arguments, "--scenario");
  TRY(argument_int(command, arguments, "--matches", 10000, 1, 10000000000, &matches));
  TRY(argument_int(command, arguments, "--seed", 1, 0, 1000000000000, &seed));
  RunFolder folder = {.lock = -1};
  TRY(text_format(folder.path, sizeof folder.path, "%s", what));
  bool is_run = run_has_checkpoint(&folder);
  JobConfigSource source = {
      .overrides = arguments->word + 2, .override_count = arguments->words - 2, .preset = preset};
  if (is_run) {
    TRY(run_view_look(what, &run));
    const Item *stored;
    TRY(tree_get(&run.tree, "config", STORE_TEXT, 1, &stored));
    /* Another preset comes with its own numbers, for the same game and players. */
    source.stored = preset ? NULL : stored->data;
    if (preset) source.game = run.settings->run.game;
    source.facts = run.settings->env ? NULL : &run.settings->game;
  } else {
    job_config_name(what, &source);
  }
  TRY(job_config_create(&source, &settings));
  if (settings->game.teams == 1)
    TRY(status_set(ERR_USAGE, "one team plays %s: nobody meets anybody, and nothing is drawn",
                   settings->game.name));
  if (is_run) TRY(roster_of_checkpoint(&run.tree, &roster));
  if (is_run) TRY(job_config_take_roster(settings, &roster));
  TRY(players_check(settings));
  if (scenario) {
    TRY(read_scenario(scenario, &settings->league, &league));
  } else if (is_run) {
    league = run.league;
    run.league = (League){0};
    int64_t mains = league.config.mains;
    league.config = settings->league;
    league.config.mains = mains;
    TRY(league_take_rules(&league, settings->rules_of));
  } else {
    TRY(league_create(&settings->league, (uint64_t)seed, settings->game.reward_low,
                      settings->game.reward_high, &league));
    TRY(league_take_rules(&league, settings->rules_of));
  }
  TRY(draw(&league, (uint64_t)matches, (uint64_t)seed,
           argument(command, arguments, "--json") != NULL));
done:
  roster_free(&roster);
  league_free(&league);
  job_config_destroy(settings);
  run_view_close(&run);
  return status;
}

/* Entry of the command. A run is read without its lock: it may be training at the same time. */
static Status run_league(int argc, char **argv) {
  Arguments arguments;
  TRY_RETURN(arguments_parse(&command_league, argc, argv, &arguments));
  if (arguments.words && league_edits(arguments.word[0]))
    return league_edit(&command_league, &arguments);
  if (arguments.words < 2)
    return usage_error(&command_league, "show RUN, or dryrun RUN|FILE.yaml|GAME");
  if (!strcmp(arguments.word[0], "dryrun")) return dryrun(&arguments);
  if (strcmp(arguments.word[0], "show"))
    return usage_error(&command_league,
                       "it is show, dryrun, add, retire, fork, reset, rename or import");
  RunView run;
  TRY_RETURN(run_view_look(arguments.word[1], &run));
  Status status = OK;
  if (argument(&command_league, &arguments, "--json"))
    status = show_json(&run);
  else
    show_text(&run);
  run_view_close(&run);
  return status;
}

const Command command_league = {
    "league",
    "show RUN [--json] | dryrun RUN|FILE.yaml|GAME [key=value ...] [--preset NAME] [--scenario "
    "FILE.yaml] [--matches "
    "N] [--json] | add RUN ROLE [NAME] | retire RUN PLAYER | fork RUN PLAYER [NAME] | reset RUN "
    "PLAYER | rename RUN PLAYER NAME | import RUN OTHER:PLAYER|FILE.h5 [NAME]",
    "the league: who is in it, who beats whom, and who would play whom; and to change it by hand",
    "What changes a league wants a run that no job is training, and writes a new checkpoint; the "
    "one "
    "before is kept, and what was done, by whom and when stands in the lineage (show). The next "
    "job "
    "goes on from it on any number of ranks.\n"
    "add: one more player learns (main, main_exploiter or league_exploiter), from initial weights "
    "or "
    "those of --from; retire: a player learns no more, and stays as a frozen one; fork: a copy of "
    "a "
    "player learns on its own, with the optimiser's state if the player learns; reset: a player "
    "goes "
    "back to its last snapshot, with a new optimiser; rename; import: a player of another run of "
    "the "
    "same game and network joins as a frozen one.\n"
    "A scenario lists players: [{name, role, frozen, parent, side}] and payoff: [[home, away, "
    "games, "
    "wins, draws, losses]]; "
    "a pair is mirrored\n"
    "unless its reverse is given, counts load undecayed and half for each seat, absent pairs are "
    "0.5, the order of the "
    "list is age;\nbetween frozen players they are the evaluation games that nash and alpharank go "
    "by. dryrun --json: "
    "shares as drawn, and the exact law.",
    flags,
    COUNT_OF(flags),
    run_league,
};
