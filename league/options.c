#include "league/league.h"

#include "base/text.h"
#include "meta/equilibrium.h"

#include <string.h>

#define AT(field) offsetof(LeagueConfig, field)
#define QUOTED(name) #name,
#define OR_NAME(name) "|" #name

const Option league_options[] = {
    {"preset", OPT_CHOICE, AT(preset), "alphastar-paper", 0, 0, PRESETS, "",
     "published rules to start from; keys given below it win"},
    {"sides", OPT_CHOICE, AT(sides), "together", 0, 0, SIDES_NAMES, "",
     "together: every player plays every seat, in turn; separate (two teams): a population for "
     "each team, whose players always play it and only meet players of the other"},
    {"mains", OPT_INT, AT(mains), "1", 1, 1000, NULL, "players",
     "main agents (sides separate: of each side)"},
    {"main_exploiters", OPT_INT, AT(main_exploiters), "1", 0, 1000, NULL, "players",
     "main exploiters (sides separate: of each side)"},
    {"league_exploiters", OPT_INT, AT(league_exploiters), "1", 0, 1000, NULL, "players",
     "league exploiters (sides separate: of each side)"},
    {"share_main", OPT_FLOAT, AT(share[0]), "1", 0, 1000, NULL, "",
     "weight of each main in the share of matches played at home"},
    {"share_main_exploiter", OPT_FLOAT, AT(share[1]), "1", 0, 1000, NULL, "",
     "the same for each main exploiter"},
    {"share_league_exploiter", OPT_FLOAT, AT(share[2]), "1", 0, 1000, NULL, "",
     "the same for each league exploiter"},
    {"main_rule", OPT_CHOICE, AT(main_rule), "alphastar", 0, 0, &(MAIN_RULES(OR_NAME))[1], "",
     "how mains are matched"},
    {"self_share", OPT_FLOAT, AT(self_share), "0.35", 0, 1, NULL, "",
     "main: share of self-play; openai_five, fictitious, nash, alpharank, ce, cce: share against "
     "the live self"},
    {"equilibrium", OPT_CHOICE, AT(equilibrium), "gini", 0, 0, SELECTION_NAMES, "",
     "main_rule ce, cce: which of the (coarse) correlated equilibria opponents are drawn by: of "
     "the "
     "largest welfare (the sum of what both sides earn), or the most even one (the largest Gini "
     "impurity)"},
    {"verify_share", OPT_FLOAT, AT(verify_share), "0.15", 0, 1, NULL, "",
     "main: share of verification; the rest is PFSP over all frozen"},
    {"pfsp", OPT_CHOICE, AT(pfsp), "squared", 0, 0, WEIGHTINGS, "", "main: PFSP weighting"},
    {"league_pfsp", OPT_CHOICE, AT(league_pfsp), "squared", 0, 0, WEIGHTINGS, "",
     "league exploiter: PFSP weighting"},
    {"hard_power", OPT_FLOAT, AT(hard_power), "2", 0, 100, NULL, "",
     "p of weighting hard, (1 - x)^p"},
    {"verify_exploiters_below", OPT_FLOAT, AT(verify_exploiters_below), "0.3", 0, 1, NULL, "",
     "verification: lowest win rate against frozen main exploiters that triggers"},
    {"verify_past_below", OPT_FLOAT, AT(verify_past_below), "0.7", 0, 1, NULL, "",
     "verification: lowest win rate against a main's past that triggers"},
    {"self_above", OPT_FLOAT, AT(self_above), "0.3", 0, 1, NULL, "",
     "self-play: live above this win rate, else the drawn main's past"},
    {"exploiter_past_share", OPT_FLOAT, AT(exploiter_past_share), "0.5", 0, 1, NULL, "",
     "main exploiter: share that always meets the main's past"},
    {"exploiter_live_above", OPT_FLOAT, AT(exploiter_live_above), "0.2", 0, 1, NULL, "",
     "main exploiter: live above this win rate, else the main's past"},
    {"main_snapshot_min", OPT_FLOAT, AT(snapshot_min[0]), "2e9", 0, 1e15, NULL, "frames",
     "no snapshot of a main before this since its last"},
    {"main_snapshot_max", OPT_FLOAT, AT(snapshot_max[0]), "2e9", 0, 1e15, NULL, "frames",
     "a snapshot of a main at the latest after this"},
    {"exploiter_snapshot_min", OPT_FLOAT, AT(snapshot_min[1]), "0", 0, 1e15, NULL, "frames",
     "the same for main exploiters"},
    {"exploiter_snapshot_max", OPT_FLOAT, AT(snapshot_max[1]), "4e9", 0, 1e15, NULL, "frames", ""},
    {"league_snapshot_min", OPT_FLOAT, AT(snapshot_min[2]), "0", 0, 1e15, NULL, "frames",
     "the same for league exploiters"},
    {"league_snapshot_max", OPT_FLOAT, AT(snapshot_max[2]), "2e9", 0, 1e15, NULL, "frames", ""},
    {"frame_scale", OPT_FLOAT, AT(frame_scale), "0.0001", 1e-12, 1000, NULL, "",
     "multiplies all snapshot frames; 1 = the published numbers"},
    {"win_threshold", OPT_FLOAT, AT(win_threshold), "0.7", 0, 1, NULL, "",
     "lowest win rate (mean of both seats) over a role's targets that makes a snapshot"},
    {"min_games", OPT_INT, AT(min_games), "50", 0, OPTION_NO_LIMIT, NULL, "games",
     "effective games per target since the last snapshot or reset before win_threshold counts: "
     "what is left of them in "
     "memory, as if evenly dealt over both seats (none in one seat: none); less than memory. "
     "main_rule ce, cce: evaluation games of a pair of past players before it counts"},
    {"main_reset", OPT_FLOAT, AT(reset[0]), "0", 0, 1, NULL, "",
     "probability that a main is reset after a snapshot"},
    {"exploiter_reset", OPT_FLOAT, AT(reset[1]), "1", 0, 1, NULL, "",
     "the same for a main exploiter"},
    {"league_reset", OPT_FLOAT, AT(reset[2]), "0.25", 0, 1, NULL, "",
     "the same for a league exploiter"},
    {"reset_to", OPT_CHOICE, AT(reset_to), "initial", 0, 0, "initial|past", "",
     "initial weights, or a frozen main that wins past_low .. past_high against a main, drawn from "
     "all of them"},
    {"past_low", OPT_FLOAT, AT(past_low), "0.2", 0, 1, NULL, "",
     "reset_to past: lowest win rate against the main"},
    {"past_high", OPT_FLOAT, AT(past_high), "0.5", 0, 1, NULL, "",
     "reset_to past: highest win rate against the main"},
    {"memory", OPT_FLOAT, AT(memory), "2000", 1, 1e15, NULL, "episodes",
     "effective games of a pair that win rates remember, half of them in each seat: a seat's games "
     "fade by 1 - 2 / "
     "memory "
     "per game in it. Where more than two teams play, a game counts once against each opponent"},
    {"by_return", OPT_BOOL, AT(by_return), "false", 0, 0, NULL, "",
     "PFSP's x goes by returns instead of outcomes: 0.5 + margin / (2 return_unit), margin = half "
     "of what home gets "
     "more "
     "than away a game, mean of both seats"},
    {"return_unit", OPT_FLOAT, AT(return_unit), "0", 0, 1e15, NULL, "return",
     "by_return: margin at which x is 1 (0.5 + .4 / 2 = the 0.7 of win_threshold at .4 of it); 0 = "
     "by what is "
     "observed: "
     "nine in ten margins between players with min_games are smaller, and at least eight standard "
     "errors"},
    {"inherit_payoff", OPT_BOOL, AT(inherit_payoff), "false", 0, 0, NULL, "",
     "a snapshot starts with its parent's decayed row"},
    {"away_learns", OPT_CHOICE, AT(away_learns), "self", 0, 0, AWAY_LEARNS_NAMES, "",
     "who learns from a match besides home: self: home from both seats where it meets itself "
     "(sides "
     "separate: both mains in self-play); live: whoever is met and learns; never: home's seat "
     "alone"},
    {"pool", OPT_INT, AT(pool), "0", 0, 1 << 20, NULL, "players",
     "most frozen players (of each side) that are met at a time; the others stay in the league, "
     "and "
     "are neither met nor evaluated; 0 = no limit"},
    {"pool_rule", OPT_CHOICE, AT(pool_rule), "fifo", 0, 0, POOL_RULES, "",
     "which those are: fifo: the newest; strongest: those that the mains win least against"},
    {"quality_rate", OPT_FLOAT, AT(quality_rate), "0.01", 0, 1, NULL, "",
     "openai_five: q of a past self falls by this / (N p) with each win over it; N: past selves, p "
     "its probability, at "
     "least 1 / (10 N)"},
    {"table_players", OPT_INT, AT(table_players), "256", 1, 1 << 30, NULL, "players",
     "a matchmaking table is computed anew when players change, and every players / table_players "
     "+ 1 ticks"},
    {"eval_pairs", OPT_INT, AT(eval_pairs), "32", 1, 4096, NULL, "pairs",
     "least certain frozen pairs offered to the evaluation lanes at a time"},
    {"anchor_share", OPT_FLOAT, AT(anchor_share), "0.125", 0, 1, NULL, "",
     "share of the evaluation games in which frozen players meet the built-in ones (random, and "
     "scripted where the env "
     "has one): the zero of ratings; nobody learns from them"},
    {"guest_share", OPT_FLOAT, AT(guest_share), "0", 0, 1, NULL, "",
     "share of a main's matches that is kept for guests (league.guests.NAME), drawn among them by "
     "pfsp; 0 = they are met as other frozen players are, by main_rule and by league exploiters"},
    {"end_games", OPT_INT, AT(end_games), "20", 0, 10000, NULL, "games",
     "when the run ends, rank 0 plays so many evaluation games (an even number) of each pair that "
     "has not met, random "
     "among them: the newest 64 players, 512 pairs at most; into games.csv; 0 = none"},
};
const size_t league_option_count = COUNT_OF(league_options);

size_t league_sides(const LeagueConfig *config) {
  return config->sides == SIDES_SEPARATE ? SEATS : 1;
}

size_t league_learners(const LeagueConfig *config) {
  return league_sides(config) *
         (size_t)(config->mains + config->main_exploiters + config->league_exploiters);
}

Role league_role_at(const LeagueConfig *config, size_t id) {
  const size_t mains = league_sides(config) * (size_t)config->mains;
  const size_t exploiters = league_sides(config) * (size_t)config->main_exploiters;
  return id < mains                ? ROLE_MAIN
         : id < mains + exploiters ? ROLE_MAIN_EXPLOITER
                                   : ROLE_LEAGUE_EXPLOITER;
}

const char *league_side_name(const LeagueConfig *config, uint32_t side) {
  static const char *const plain[SEATS] = {"side0", "side1"};
  const char *name = config->side_name[side - 1];
  return *name ? name : plain[side - 1];
}

bool league_follows(const LeagueConfig *config, const char *rule) {
  static const char *const name[] = {MAIN_RULES(QUOTED)};
  return !strcmp(name[config->main_rule], rule);
}

/* Whether opponents are drawn by an equilibrium over joint strategies. */
static bool is_joint(const LeagueConfig *config) {
  return league_follows(config, "ce") || league_follows(config, "cce");
}

/* These rules need evaluation games between all pairs of past players. */
bool league_has_meta(const LeagueConfig *config) {
  return league_follows(config, "nash") || league_follows(config, "alpharank") || is_joint(config);
}

/* ERR_USAGE names both keys. */
static Status check_order(const char *low_key, double low, const char *high_key, double high) {
  if (low <= high) return OK;
  return status_set(ERR_USAGE, "league.%s (%g) may not exceed league.%s (%g)", low_key, low,
                    high_key, high);
}

/* What one key's own range cannot say. Shares of roles that have no players are not counted. */
Status league_check(const LeagueConfig *config) {
  static const char *const age[ROLE_COUNT][2] = {
      {"main_snapshot_min", "main_snapshot_max"},
      {"exploiter_snapshot_min", "exploiter_snapshot_max"},
      {"league_snapshot_min", "league_snapshot_max"}};
  const int64_t count[ROLE_COUNT] = {config->mains, config->main_exploiters,
                                     config->league_exploiters};
  double shares = 0;
  for (int r = 0; r < ROLE_COUNT; r++) {
    shares += (double)count[r] * config->share[r];
    if (count[r])
      TRY_RETURN(
          check_order(age[r][0], config->snapshot_min[r], age[r][1], config->snapshot_max[r]));
  }
  if (shares <= 0)
    return status_set(ERR_USAGE, "nobody plays at home: league.share_main, share_main_exploiter "
                                 "and share_league_exploiter are 0 "
                                 "for all players that there are; one must be over 0");
  if (config->sides == SIDES_SEPARATE && league_follows(config, "alpharank"))
    return status_set(ERR_USAGE,
                      "league.main_rule alpharank ranks the members of one population, and "
                      "league.sides separate has two: use league.main_rule nash, which solves the "
                      "game between them");
  if (config->sides != SIDES_SEPARATE && is_joint(config))
    return status_set(ERR_USAGE,
                      "league.main_rule ce and cce are equilibria of the game between two "
                      "populations: they need league.sides separate (league.preset jpsro sets "
                      "both); in one population what copies of a player earn against each other is "
                      "not known");
  TRY_RETURN(check_order("past_low", config->past_low, "past_high", config->past_high));
  if (config->self_share + config->verify_share > 1 + 1e-9)
    return status_set(ERR_USAGE,
                      "league.self_share (%g) + league.verify_share (%g) may not exceed 1",
                      config->self_share, config->verify_share);
  if ((double)config->min_games >= config->memory)
    return status_set(
        ERR_USAGE,
        "league.min_games (%lld) must be less than league.memory (%g): no more effective games are "
        "remembered, so league.win_threshold would never be met",
        (long long)config->min_games, config->memory);
  return tune_check(&config->tune, config->memory);
}

typedef struct Setting {
  const char *preset;
  const char *key;
  const char *value;
} Setting;

/* Differences from the table's defaults, which are the paper's. */
static const Setting settings[] = {
    {"alphastar-paper", "memory", "100"},
    {"alphastar-pseudocode", "memory", "100"},
    {"alphastar-pseudocode", "league_pfsp", "linear_capped"},
    {"alphastar-pseudocode", "exploiter_past_share", "0"},
    {"alphastar-pseudocode", "exploiter_live_above", "0.1"},
    {"alphastar-pseudocode", "main_snapshot_max", "4e9"},
    {"alphastar-pseudocode", "exploiter_snapshot_min", "2e9"},
    {"alphastar-pseudocode", "league_snapshot_min", "2e9"},
    {"alphastar-pseudocode", "league_snapshot_max", "4e9"},
    {"tstarbot-x", "self_share", "0.25"},
    {"tstarbot-x", "verify_share", "0.15"},
    {"tstarbot-x", "reset_to", "past"},
    {"openai-five", "main_rule", "openai_five"},
    {"openai-five", "self_share", "0.8"},
    {"openai-five", "main_exploiters", "0"},
    {"openai-five", "league_exploiters", "0"},
    {"fictitious", "main_rule", "fictitious"},
    {"fictitious", "self_share", "0"},
    {"fictitious", "main_exploiters", "0"},
    {"fictitious", "league_exploiters", "0"},
    {"psro", "main_rule", "nash"},
    {"psro", "self_share", "0"},
    {"psro", "main_exploiters", "0"},
    {"psro", "league_exploiters", "0"},
    {"alpharank", "main_rule", "alpharank"},
    {"alpharank", "self_share", "0"},
    {"alpharank", "main_exploiters", "0"},
    {"alpharank", "league_exploiters", "0"},
    {"jpsro", "main_rule", "cce"},
    {"jpsro", "sides", "separate"},
    {"jpsro", "self_share", "0"},
    {"jpsro", "main_exploiters", "0"},
    {"jpsro", "league_exploiters", "0"},
    {"jpsro", "table_players", "4"}, /* an equilibrium for each tick would cost more than playing */
    {"self-play", "main_rule", "self_play"},
    {"self-play", "main_exploiters", "0"},
    {"self-play", "league_exploiters", "0"},
    {"population", "main_rule", "population"},
    {"population", "main_exploiters", "0"},
    {"population", "league_exploiters", "0"},
    {"population", "away_learns", "live"},
};

/* Keys that the user gives win over it: a preset is a layer between the defaults and the file. */
Status league_apply_preset(Config *config, const char *name) {
  if (text_choice(PRESETS, name) < 0)
    return status_set(ERR_USAGE, "no league preset '%s' (there are: %s)", name, PRESETS);
  char key[64], origin[64];
  TRY_RETURN(text_format(origin, sizeof origin, "preset %s", name));
  for (size_t i = 0; i < COUNT_OF(settings); i++) {
    if (strcmp(settings[i].preset, name)) continue;
    TRY_RETURN(text_format(key, sizeof key, "league.%s", settings[i].key));
    TRY_RETURN(config_assign(config, CONFIG_PRESET, key, settings[i].value, origin));
  }
  return OK;
}
