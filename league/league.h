/* The league: players, roles, payoff, matchmaking, snapshots and resets. Pure, seeded,
 * serialisable; its clock is frames. Rules: AlphaStar (Vinyals et al., Nature 575, 2019), OpenAI
 * Five (arXiv 1912.06680, appendix N), TStarBot-X (arXiv 2011.13729), fictitious self-play. */
#pragma once
#include "base/rng.h"
#include "config/config.h"
#include "league/anchors.h"
#include "league/payoff.h"
#include "league/tune.h"
#include "wire/messages.h"

/* ROLE_COUNT: the roles of those that learn. A guest is a player from outside, always frozen. */
typedef enum Role {
  ROLE_MAIN,
  ROLE_MAIN_EXPLOITER,
  ROLE_LEAGUE_EXPLOITER,
  ROLE_COUNT,
  ROLE_GUEST = ROLE_COUNT
} Role;
#define ROLE_NAMES "main|main_exploiter|league_exploiter"
#define ALL_ROLE_NAMES ROLE_NAMES "|guest"

typedef enum Weighting {
  WEIGH_SQUARED,
  WEIGH_HARD,
  WEIGH_VARIANCE,
  WEIGH_LINEAR,
  WEIGH_LINEAR_CAPPED,
  WEIGH_UNIFORM
} Weighting;
#define WEIGHTINGS "squared|hard|variance|linear|linear_capped|uniform"

/* How mains are matched: each rule is a function offer_NAME of matchmaking.c and a line. */
#define MAIN_RULES(EACH)                                                                           \
  EACH(alphastar)                                                                                  \
  EACH(openai_five)                                                                                \
  EACH(fictitious)                                                                                 \
  EACH(self_play)                                                                                  \
  EACH(population)                                                                                 \
  EACH(nash)                                                                                       \
  EACH(alpharank)                                                                                  \
  EACH(ce)                                                                                         \
  EACH(cce)                                                                                        \
  /* any line goes by itself, with the presets that name it */

/* Who learns from a match besides the player at home. */
typedef enum AwayLearns { AWAY_SELF, AWAY_LIVE, AWAY_NEVER } AwayLearns;
#define AWAY_LEARNS_NAMES "self|live|never"

/* Which frozen players are met where there are more than league.pool. */
typedef enum PoolRule { POOL_FIFO, POOL_STRONGEST } PoolRule;
#define POOL_RULES "fifo|strongest"

/* Who plays which seat: every player all of them, in turn; or a population for each team, whose
 * players play no other. */
typedef enum Sides { SIDES_TOGETHER, SIDES_SEPARATE } Sides;
#define SIDES_NAMES "together|separate"
enum { SIDE_NAME = 12 /* bytes of a side's name, with the 0 */ };

typedef struct LeagueConfig {
  int preset;
  int sides; /* Sides */
  int64_t mains;
  int64_t main_exploiters;
  int64_t league_exploiters;
  double share[ROLE_COUNT];
  int main_rule;
  int equilibrium; /* Selection (meta/equilibrium.h), of ce and cce */
  /* The rest is PFSP; openai_five and fictitious: self_share live, the rest past. */
  double self_share;
  double verify_share;
  int pfsp;        /* Weighting of a main's opponents */
  int league_pfsp; /* Weighting of a league exploiter's */
  double hard_power;
  double verify_exploiters_below;
  double verify_past_below;
  double self_above;
  double exploiter_past_share;
  double exploiter_live_above;
  double snapshot_min[ROLE_COUNT]; /* frames, before scaling */
  double snapshot_max[ROLE_COUNT]; /* frames, before scaling */
  double frame_scale;
  double win_threshold;
  int64_t min_games;
  double reset[ROLE_COUNT]; /* probability after a snapshot */
  int reset_to;             /* initial|past */
  double past_low;
  double past_high;
  double memory; /* episodes, both seats together */
  bool by_return;
  bool inherit_payoff;
  double return_unit;  /* by_return: margin that x = 1 stands for; 0 = by what is observed */
  int away_learns;     /* AwayLearns */
  int64_t pool;        /* most frozen players that are met; 0 = no limit */
  int pool_rule;       /* PoolRule */
  double quality_rate; /* OpenAI Five's 0.01 */
  int64_t eval_pairs;
  int64_t table_players; /* players per tick between two tables */
  double anchor_share;   /* of the evaluation games */
  double guest_share;    /* of a main's matches; 0: guests are met as other frozen players are */
  int64_t end_games;     /* of each pair that has not met when the run ends */
  /* Which built-in players can play this env: bit i is BUILTIN_FIRST + i. Not a key. */
  uint32_t anchors;
  TuneConfig tune; /* section tune */
  /* What players of each side are called by, where sides are separate. Not a key. */
  char side_name[SEATS][SIDE_NAME];
} LeagueConfig;
extern const Option league_options[];
extern const size_t league_option_count;
/* Keys that must fit together; ERR_USAGE names them. */
Status league_check(const LeagueConfig *config);
/* Populations: 1, or one for each side. */
size_t league_sides(const LeagueConfig *config);
/* Learning players, of all sides. */
size_t league_learners(const LeagueConfig *config);
/* The role of learning player `id`: mains come first, then their exploiters, then the league's;
 * within a role one side after the other. */
Role league_role_at(const LeagueConfig *config, size_t id);
/* The name of side 1 or 2; valid as long as the config. */
const char *league_side_name(const LeagueConfig *config, uint32_t side);
/* Whether mains are matched by the rule of this name. */
bool league_follows(const LeagueConfig *config, const char *rule);
/* Whether the main rule is a mixture of the meta-game that the evaluation lanes fill. */
bool league_has_meta(const LeagueConfig *config);
/* Assigns a preset's keys as a layer between the defaults and the file. */
Status league_apply_preset(Config *config, const char *name);
#define PRESETS                                                                                    \
  "alphastar-paper|alphastar-pseudocode|tstarbot-x|openai-five|fictitious|self-play|population"    \
  "|psro|alpharank|jpsro"

enum { PLAYER_NAME = 40, REASON = 40, GUEST_WORDS = 512 };

/* A player from outside, as the configuration names it. All but `name` is the text that it is told
 * by (agent/guest.h), and what was found there. */
typedef struct LeagueGuest {
  char name[PLAYER_NAME];
  char text[GUEST_WORDS];
  char hash[HASH_TEXT];
} LeagueGuest;

typedef struct Player {
  char name[PLAYER_NAME];
  Role role;
  uint8_t side; /* 1 + the team that it always plays; 0: all seats in turn */
  bool frozen;
  int64_t parent;       /* id of the player it is a copy of, or was reset to; -1 = none */
  uint64_t frames;      /* learned; frozen: its parent's at the time */
  uint64_t life_start;  /* frames at the last reset */
  uint64_t snapshot_at; /* frames at the last snapshot */
  uint32_t life;
  uint32_t snapshots;
  char reason[REASON];  /* why a snapshot was taken */
  char hash[HASH_TEXT]; /* of a frozen player's policy block */
  double quality;       /* OpenAI Five's q */
  bool benched;         /* frozen, and beyond league.pool as of the last table: nobody meets it */
  char *guest; /* ROLE_GUEST: what it is (LeagueGuest.text); owned by the league; else NULL */
  TuneLife tune;
  bool unmeasured; /* left out of the last table's meta-game: not all its pairs have been played */
} Player;

/* Who changed the league by hand, when, and how: a line of its lineage. */
typedef struct LeagueChange {
  uint64_t when;   /* seconds since 1970 */
  uint64_t frames; /* of the run by then */
  char who[64];
  char what[160];
} LeagueChange;

typedef struct League {
  LeagueConfig config;
  LeagueConfig *rules; /* (learning) what each goes by; NULL: by `config`; owned */
  Player *player;
  size_t players;
  size_t room;
  size_t learning; /* these have ids 0 .. learning-1 */
  Payoff payoff;
  Anchors anchors;
  double return_low;  /* of the env's returns */
  double return_high; /* likewise */
  double return_unit; /* by_return: the present unit; 0 = nothing observed yet */
  uint64_t seed;      /* of the league's own random stream, and ... */
  uint64_t draws;     /* ... how many numbers of it have been used */
  uint64_t table_version;
  uint64_t retired_frames; /* learned by players that learn no more */
  LeagueChange *change;    /* owned; oldest first */
  size_t changes;
  size_t change_room;
  TuneCopy *copy; /* owned; oldest first */
  size_t copies;
  size_t copy_room;
  bool told_of_stand_in; /* the log has been told that an equilibrium was not found; not saved */
} League;

/* Learning players by the configuration, and one snapshot of each main (their hashes are filled in
 * by the caller). ERR_USAGE: more than WIRE_LEARNERS learning players. On failure *out is freed. */
Status league_create(const LeagueConfig *config, uint64_t seed, double return_low,
                     double return_high, League *out);
void league_free(League *league);
/* Of a seat's memory per game in it: the two seats of a pair remember `memory` games together. */
double league_decay(const LeagueConfig *config);
/* What a player that learns goes by, and the league for it: who it meets, when it is frozen and
 * reset. Borrowed. */
const LeagueConfig *league_rules(const League *league, uint32_t player);
/* Gives each player that learns rules of its own, copied; NULL: all go by the configuration. */
Status league_take_rules(League *league, const LeagueConfig *rules);
/* Mains that learn and that `player` can be matched with as the others are: all, or, where sides
 * are separate, those of the other side. */
size_t league_live_mains(const League *league, uint32_t player);
/* A uniform number of the league's own stream. How many were drawn is saved, so that a resumed run
 * draws on. */
double league_unit(League *league);
int64_t league_find(const League *league, const char *name); /* id or -1 */
/* Whether two players can be the two sides of a game. */
bool league_meets(const Player *a, const Player *b);
/* The learning main that is shown where no name is given: the first. */
const char *league_first_main(const League *league);
/* parent: the player it is a copy of, or -1. ERR_USAGE: the name is taken. */
Status league_add(League *league, const char *name, Role role, bool frozen, int64_t parent,
                  uint32_t *out_id);
/* A guest joins: one, or where sides are separate one of each side. ERR_USAGE: its name is taken.
 */
Status league_add_guest(League *league, const LeagueGuest *guest);
/* What guest number `side` (0: sides are together) is called. */
Status league_guest_name(const LeagueConfig *config, const char *name, uint32_t side,
                         char out[PLAYER_NAME]);
/* Whether a guest has been sent away: it stays with what it has played, and nobody meets it. */
bool league_guest_is_away(const Player *player);
void league_guest_leaves(Player *player, bool leaves);
/* Whether the file of a frozen player is missing or damaged: it stays with what it has played, and
 * nobody meets it, until its file is there again. Its reason says it. */
bool league_is_lost(const Player *player);
void league_lose(Player *player, bool lost);
/* A frozen copy of a learning player joins; its hash is the caller's to fill in. */
Status league_freeze(League *league, uint32_t id, const char *reason, uint32_t *out_id);
/* A learning player begins anew, as a copy of `source` (-1: from initial weights). What others
 * remember of their games with it is of a player that is no more, and goes. */
void league_new_life(League *league, uint32_t id, int64_t source);
Status league_save(const League *league, Tree *tree);
/* Into a league just created from the configuration, whose numbers of players do not count: those
 * of the checkpoint do. ERR_FORMAT: it is damaged. The league is the caller's to free in any
 * case. */
Status league_load(League *league, const Tree *tree);

/* x of PFSP: win rate; or half a unit of margin (home's mean return less away's, halved) up from
 * 0.5, within 0 .. 1. */
double league_rate(const League *league, uint32_t home, uint32_t away);
/* by_return: sets the unit of margins by what the learning players' remembered games show: nine in
 * ten margins are smaller, and it is at least eight standard errors of a margin. Done for each new
 * table. */
Status league_measure_returns(League *league);
/* PFSP: probabilities over rates x (n); all weights under 1e-10 in sum: uniform. */
void pfsp_probabilities(Weighting weighting, double power, const double *x, size_t n, double *out);
/* Length of x without its monotonic suffix: the last i with x[i-1] < x[i] gives i + 1; none gives
 * 0. */
size_t pfsp_without_suffix(const double *x, size_t n);

/* The whole rule as probabilities: for each learning player its possible matches; and pairs for
 * evaluation. ERR_USAGE: no learning player has a share of the matches at home. */
Status league_table(League *league, Table *out);
/* Takes one actor's counts of the present tick; league_settle, when it has all of them, enters
 * their sums. ERR_FORMAT: they are of players or seats that there are not. */
Status league_merge(League *league, const Results *results);
void league_settle(League *league);
/* Whether no player is younger than its last snapshot or reset, and all parents exist (for
 * invariants). */
bool league_clocks_in_order(const League *league);
/* Snapshots and resets that are due; freezes first, then resets. Adds the frozen players; orders
 * get their ids. */
Status league_decide(League *league, Directive *directive);
/* Of all mains, at the end. */
Status league_force_snapshots(League *league, Directive *directive, const char *reason);
