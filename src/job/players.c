#include "job/players.h"

#include "base/text.h"
#include "learner/tuned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION "players"

/* A key of a player, and the option of its section that it stands for; NULL: of no use to the
 * role. */
typedef struct PlayerKey {
  const char *name;
  const char *option[ROLE_COUNT];
  bool of_league; /* else of the learner */
} PlayerKey;

#define LEARNER(key)                                                                               \
  { #key, {#key, #key, #key }, false }
#define LEAGUE(key)                                                                                \
  { #key, {#key, #key, #key }, true }

static const PlayerKey keys[] = {
    LEARNER(rate),
    LEARNER(rate_end),
    LEARNER(decay),
    LEARNER(entropy),
    LEARNER(entropy_end),
    LEARNER(value_weight),
    LEARNER(clip_norm),
    LEARNER(lambda),
    LEARNER(reference),
    LEARNER(reference_end),
    LEARNER(reference_every),
    LEARNER(teacher),
    LEARNER(teacher_kl),
    LEARNER(teacher_kl_end),
    LEARNER(normalise_advantages),
    {"share", {"share_main", "share_main_exploiter", "share_league_exploiter"}, true},
    {"self_share", {"self_share", NULL, NULL}, true},
    {"verify_share", {"verify_share", NULL, NULL}, true},
    {"pfsp", {"pfsp", NULL, "league_pfsp"}, true},
    {"guest_share", {"guest_share", NULL, NULL}, true},
    LEAGUE(hard_power),
    LEAGUE(away_learns),
    {"verify_exploiters_below", {"verify_exploiters_below", NULL, NULL}, true},
    {"verify_past_below", {"verify_past_below", NULL, NULL}, true},
    {"self_above", {"self_above", NULL, NULL}, true},
    {"past_share", {NULL, "exploiter_past_share", NULL}, true},
    {"live_above", {NULL, "exploiter_live_above", NULL}, true},
    {"snapshot_min", {"main_snapshot_min", "exploiter_snapshot_min", "league_snapshot_min"}, true},
    {"snapshot_max", {"main_snapshot_max", "exploiter_snapshot_max", "league_snapshot_max"}, true},
    LEAGUE(win_threshold),
    LEAGUE(min_games),
    {"reset", {"main_reset", "exploiter_reset", "league_reset"}, true},
    LEAGUE(reset_to),
    LEAGUE(past_low),
    LEAGUE(past_high),
};

Status players_declare(Config *config) {
  return config_declare_assigned(config, SECTION);
}

/* --- keys --- */
/* "players.NAME.KEY": names may have dots, keys have none. */
static bool split(const char *key, char name[PLAYER_NAME], const char **last) {
  const size_t head = strlen(SECTION ".");
  const char *dot = strrchr(key, '.');
  if (strncmp(key, SECTION ".", head) || dot < key + head) return false;
  const size_t length = (size_t)(dot - key) - head;
  if (length == 0 || length >= PLAYER_NAME) return false;
  memcpy(name, key + head, length);
  name[length] = 0;
  *last = dot + 1;
  return true;
}

/* The section in which a key holds for all players; NULL: there is no such key. */
static const char *section_of_all(const Config *config, const char *word) {
  static const char *const section[] = {"learner", "league", "net", "actors"};
  char key[96];
  for (size_t i = 0; i < COUNT_OF(section); i++)
    if (text_format(key, sizeof key, "%s.%s", section[i], word) == OK && config_value(config, key))
      return section[i];
  return NULL;
}

/* ERR_USAGE lists what a player can have. */
static Status unknown_key(const Config *config, const char *key, const char *last) {
  char list[640] = "";
  const char *near = NULL;
  size_t used = 0;
  size_t least = SIZE_MAX;
  size_t distance;
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    if (used < sizeof list)
      used +=
          (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", keys[i].name);
    if (!last || !text_is_near(last, keys[i].name, &distance) || distance >= least) continue;
    least = distance;
    near = keys[i].name;
  }
  const char *section = last ? section_of_all(config, last) : NULL;
  if (section)
    return status_set(ERR_USAGE,
                      "%s: %s: %s.%s is the same for all players, and none can have its own; "
                      "players: {ROLE or NAME: {KEY: VALUE}} may have %s",
                      config_origin(config, key), key, section, last, list);
  return status_set(ERR_USAGE,
                    "%s: unknown key '%s'%s%s%s players: {ROLE or NAME: {KEY: VALUE}} may have %s",
                    config_origin(config, key), key, near ? ", did you mean '" : ";",
                    near ? near : "", near ? "'?" : "", list);
}

static const PlayerKey *key_named(const char *name) {
  for (size_t i = 0; i < COUNT_OF(keys); i++)
    if (!strcmp(keys[i].name, name)) return &keys[i];
  return NULL;
}

static const Option *option_of(const PlayerKey *key, Role role) {
  const Option *table = key->of_league ? league_options : learn_options;
  const size_t count = key->of_league ? league_option_count : learn_option_count;
  for (size_t i = 0; i < count && key->option[role]; i++)
    if (!strcmp(table[i].name, key->option[role])) return &table[i];
  return NULL;
}

/* --- settling --- */
/* One pass over the keys that are given: of roles, or of names. */
typedef struct Settling {
  JobConfig *settings;
  bool roles;
  Status status; /* of the first key that is wrong */
} Settling;

/* Everybody begins with what holds for all. */
static Status begin(JobConfig *s) {
  if (s->learner_of) return OK;
  TRY_RETURN(NEW_ARRAY(s->learner_of, s->roster.count));
  TRY_RETURN(NEW_ARRAY(s->rules_of, s->roster.count));
  for (size_t p = 0; p < s->roster.count; p++) {
    s->learner_of[p] = s->learner;
    s->rules_of[p] = s->league;
  }
  return OK;
}

/* What is tuned is not told. */
static Status check_tuned(const JobConfig *s, const char *key, const PlayerKey *which) {
  const int start = text_choice(TUNABLE_NAMES, which->name);
  const int end = !strcmp(which->name, "rate_end")        ? TUNE_RATE
                  : !strcmp(which->name, "entropy_end")   ? TUNE_ENTROPY
                  : !strcmp(which->name, "reference_end") ? TUNE_REFERENCE
                                                          : -1;
  const int what = start >= 0 ? start : end;
  if (which->of_league || what < 0 || !tune_has(&s->league.tune, (Tunable)what)) return OK;
  return status_set(ERR_USAGE,
                    "%s: %s: each player has a %s of its own, which is drawn and tuned (tune.%s): "
                    "leave one of them out",
                    config_origin(s->config, key), key, tune_name((Tunable)what),
                    tune_name((Tunable)what));
}

static Status apply(JobConfig *s, const char *key, const PlayerKey *which, size_t player) {
  const RosterEntry *entry = &s->roster.entry[player];
  const Option *option = option_of(which, (Role)entry->role);
  char role[PLAYER_NAME];
  text_choice_name(ROLE_NAMES, entry->role, role, sizeof role);
  if (!option)
    return status_set(ERR_USAGE, "%s: %s: a %s has no use for %s", config_origin(s->config, key),
                      key, role, which->name);
  TRY_RETURN(check_tuned(s, key, which));
  TRY_RETURN(begin(s));
  void *target = which->of_league ? (void *)&s->rules_of[player] : (void *)&s->learner_of[player];
  return config_read_as(s->config, key, option, target);
}

static Status settle_key(Settling *settling, const char *key) {
  JobConfig *s = settling->settings;
  char name[PLAYER_NAME];
  const char *last = NULL;
  const PlayerKey *which;
  if (!split(key, name, &last)) return unknown_key(s->config, key, last);
  const int role = text_choice(ROLE_NAMES, name);
  which = key_named(last);
  if (!which) return unknown_key(s->config, key, last);
  if (settling->roles != (role >= 0)) return OK;
  for (size_t p = 0; p < s->roster.count; p++) {
    const RosterEntry *entry = &s->roster.entry[p];
    if (role >= 0 ? entry->role != role : strcmp(entry->name, name) != 0) continue;
    TRY_RETURN(apply(s, key, which, p));
  }
  return OK;
}

static void visit(void *context, const char *key, const Option *option) {
  Settling *settling = context;
  (void)option;
  if (settling->status == OK && !strncmp(key, SECTION ".", strlen(SECTION ".")))
    settling->status = settle_key(settling, key);
}

/* Each player's rules hold what all have, and must fit together like those. */
static Status check_rules(const JobConfig *s) {
  for (size_t p = 0; s->rules_of && p < s->roster.count; p++) {
    LeagueConfig rules = s->rules_of[p];
    for (int r = 0; r < ROLE_COUNT; r++) /* who plays at home is for all together to say */
      rules.share[r] = 1;
    const Status status = league_check(&rules);
    if (status != OK) return status_context(status, "players.%s", s->roster.entry[p].name);
  }
  return OK;
}

/* What each player learns by where that is tuned: what it has come to, or, as it begins, what is
 * drawn for it. */
static Status settle_tuned(JobConfig *s) {
  if (!tune_is_on(&s->league.tune)) return OK;
  TRY_RETURN(begin(s));
  for (size_t p = 0; p < s->roster.count; p++) {
    RosterEntry *entry = &s->roster.entry[p];
    tune_settle(&s->league.tune, (uint64_t)s->run.seed, entry->name, entry->tuned);
    tuned_take(entry->tuned, &s->learner_of[p]);
  }
  return OK;
}

Status players_settle(JobConfig *s) {
  Settling settling = {.settings = s, .roles = true};
  free(s->learner_of);
  free(s->rules_of);
  s->learner_of = NULL;
  s->rules_of = NULL;
  config_each(s->config, visit, &settling);
  settling.roles = false;
  config_each(s->config, visit, &settling);
  TRY_RETURN(settling.status);
  TRY_RETURN(settle_tuned(s));
  return check_rules(s);
}

/* --- names --- */
typedef struct Checking {
  const JobConfig *settings;
  Status status;
} Checking;

static Status unknown_player(const JobConfig *s, const char *key, const char *name) {
  const char *near = NULL;
  size_t least = SIZE_MAX;
  size_t distance;
  char list[400] = "";
  size_t used = 0;
  for (size_t p = 0; p < s->roster.count; p++) {
    const char *candidate = s->roster.entry[p].name;
    if (used < sizeof list)
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", p ? ", " : "", candidate);
    if (!text_is_near(name, candidate, &distance) || distance >= least) continue;
    least = distance;
    near = candidate;
  }
  return status_set(ERR_USAGE, "%s: %s: no player '%s' learns%s%s%s there are %s; or a role: %s",
                    config_origin(s->config, key), key, name, near ? ", did you mean '" : ";",
                    near ? near : "", near ? "'?" : "", list, ROLE_NAMES);
}

static void check_name(void *context, const char *key, const Option *option) {
  Checking *checking = context;
  const JobConfig *s = checking->settings;
  char name[PLAYER_NAME];
  const char *last;
  ConfigLayer layer = CONFIG_DEFAULT;
  (void)option;
  if (checking->status != OK || !split(key, name, &last)) return;
  config_peek_layer(s->config, key, &layer);
  if (layer == CONFIG_STORED || text_choice(ROLE_NAMES, name) >= 0) return;
  for (size_t p = 0; p < s->roster.count; p++)
    if (!strcmp(s->roster.entry[p].name, name)) return;
  checking->status = unknown_player(s, key, name);
}

Status players_check(const JobConfig *s) {
  Checking checking = {.settings = s};
  config_each(s->config, check_name, &checking);
  return checking.status;
}
