#include "league/tune.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "league/league.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(TuneConfig, field)
#define SECTION "tune"

/* The range of a number: `most` is the largest that section learner takes. */
#define RANGE(name, which, most, what)                                                             \
  {#name ".low", OPT_FLOAT, AT(range[which].low),                                                  \
   "0",          0,         most,                                                                  \
   NULL,         "",        "least " what " that a player may have; above 0"},                     \
  {                                                                                                \
#name ".high", OPT_FLOAT, AT(range[which].high), "0", 0, most, NULL, "",                       \
        "largest " what " of a player: each has its own, drawn from the range, and it is tuned; "  \
        "0 = all have that of section learner"                                                     \
  }

const Option tune_options[] = {
    {"every", OPT_FLOAT, AT(every), "1e6", 1, 1e15, NULL, "frames",
     "of a player between two looks at it: whoever loses clearly to another of its role goes on as "
     "a copy of it"},
    {"min_games", OPT_INT, AT(min_games), "40", 1, OPTION_NO_LIMIT, NULL, "games",
     "that two players are compared by, at the least (league.memory must remember more); one team: "
     "episodes of each"},
    {"exploit_below", OPT_FLOAT, AT(exploit_below), "0.45", 0, 0.5, NULL, "",
     "a player copies another if its chance to win against it is under this (one team: the chance "
     "that it earns more in an episode), and surely under one half, as tune.errors says"},
    {"errors", OPT_FLOAT, AT(errors), "2", 0, 100, NULL, "standard errors",
     "by which the chance must lie under one half"},
    {"factor", OPT_FLOAT, AT(factor), "1.25", 1, 1000, NULL, "",
     "whoever has copied another multiplies each of its numbers by this or divides it, by chance, "
     "within the range; 1 = keeps them"},
    RANGE(rate, TUNE_RATE, 1, "learner.rate"),
    RANGE(entropy, TUNE_ENTROPY, 10, "learner.entropy"),
    RANGE(value_weight, TUNE_VALUE_WEIGHT, 100, "learner.value_weight"),
    RANGE(clip_norm, TUNE_CLIP_NORM, OPTION_NO_LIMIT, "learner.clip_norm"),
    RANGE(lambda, TUNE_LAMBDA, 1, "learner.lambda"),
    RANGE(reference, TUNE_REFERENCE, 100, "learner.reference"),
};
const size_t tune_option_count = COUNT_OF(tune_options);

bool tune_has(const TuneConfig *config, Tunable what) {
  return config->range[what].high > 0;
}

bool tune_is_on(const TuneConfig *config) {
  bool on = false;
  for (int k = 0; k < TUNABLES; k++)
    on |= tune_has(config, (Tunable)k);
  return on;
}

const char *tune_name(Tunable what) {
  static const char *const name[TUNABLES] = {"rate",      "entropy", "value_weight",
                                             "clip_norm", "lambda",  "reference"};
  return name[what];
}

/* --- configuration --- */
Status tune_check(const TuneConfig *config, double memory) {
  for (int k = 0; k < TUNABLES; k++) {
    const char *name = tune_name((Tunable)k);
    const double low = config->range[k].low;
    const double high = config->range[k].high;
    if (low == 0 && high == 0) continue;
    if (high == 0)
      return status_set(ERR_USAGE, SECTION ".%s has a low of %g and no high: give both", name, low);
    if (low <= 0 || low > high)
      return status_set(ERR_USAGE,
                        SECTION ".%s must have a low above 0, as it is drawn log-uniformly, and "
                                "not above its high: %g .. %g",
                        name, low, high);
  }
  if (!tune_is_on(config) || config->by_returns || (double)config->min_games < memory) return OK;
  return status_set(ERR_USAGE,
                    SECTION ".min_games (%lld) is never reached where league.memory is %g games of "
                            "a pair: raise league.memory, or lower " SECTION ".min_games",
                    (long long)config->min_games, memory);
}

Status tune_declare(Config *config) {
  return config_declare_assigned(config, SECTION);
}

/* A word is near to one of the keys. */
static const char *near_key(const char *word) {
  const char *near = NULL;
  size_t least = SIZE_MAX;
  size_t distance;
  for (size_t i = 0; i < COUNT_OF(tune_options); i++) {
    if (!text_is_near(word, tune_options[i].name, &distance) || distance >= least) continue;
    least = distance;
    near = tune_options[i].name;
  }
  return near;
}

typedef struct Checking {
  const Config *config;
  Status status;
} Checking;

static void check_key(void *context, const char *key, const Option *option) {
  Checking *checking = context;
  const char *origin = config_origin(checking->config, key);
  if (checking->status != OK || strncmp(key, SECTION ".", strlen(SECTION "."))) return;
  if (option >= tune_options && option < tune_options + COUNT_OF(tune_options)) return;
  const char *near = near_key(key + strlen(SECTION "."));
  checking->status = status_set(
      ERR_USAGE,
      "%s: unknown key '%s'%s%s%s what can be tuned is what a learner reads anew for each player "
      "and update: " SECTION ": {%s: {low: ..., high: ...}}",
      origin, key, near ? ", did you mean '" SECTION "." : ";", near ? near : "", near ? "'?" : "",
      TUNABLE_NAMES);
}

Status tune_check_keys(const Config *config) {
  Checking checking = {.config = config};
  config_each(config, check_key, &checking);
  return checking.status;
}

/* --- values --- */
static double within(const TuneConfig *config, Tunable what, double value) {
  return fmin(fmax(value, config->range[what].low), config->range[what].high);
}

void tune_settle(const TuneConfig *config, uint64_t seed, const char *name,
                 double value[TUNABLES]) {
  const Hash hash = hash_bytes(name, strlen(name));
  const uint32_t slot = (uint32_t)(hash.low & 0xffffff);
  for (int k = 0; k < TUNABLES; k++) {
    const double low = config->range[k].low;
    const double high = config->range[k].high;
    AgonRng rng = rng_stream(seed, slot, (uint32_t)k, RNG_TUNE);
    if (!tune_has(config, (Tunable)k))
      value[k] = 0;
    else if (value[k] > 0)
      value[k] = within(config, (Tunable)k, value[k]);
    else
      value[k] = within(config, (Tunable)k, low * pow(high / low, rng_unit(&rng)));
  }
}

void tune_begin(League *league) {
  for (size_t i = 0; i < league->learning; i++)
    tune_settle(&league->config.tune, league->seed, league->player[i].name,
                league->player[i].tune.value);
  for (size_t i = league->learning; i < league->players; i++) { /* frozen before these were drawn */
    Player *player = &league->player[i];
    if (player->frames > 0 || player->parent < 0) continue;
    const double *model = league->player[player->parent].tune.value;
    for (int k = 0; k < TUNABLES; k++)
      if (player->tune.value[k] == 0) player->tune.value[k] = model[k];
  }
}

void tune_count(League *league, const PairResults *pair) {
  Player *player = &league->player[pair->home];
  if (!league->config.tune.by_returns || !tune_is_on(&league->config.tune) || pair->eval) return;
  if (pair->home >= league->learning || pair->home_life != player->life) return;
  tally_add(&player->tune.earned[0], &pair->tally);
}

/* --- who is better --- */
/* The normal distribution function. */
static double normal(double x) {
  return 0.5 * erfc(-x / sqrt(2));
}

/* Points of a game: their mean and their variance, as if one game more had been won and one lost,
 * so that neither is ever quite sure. */
static void points_of(const Tally *both, double *mean, double *variance) {
  const double games = both->games + 2;
  const double wins = both->wins + 1;
  *mean = (wins + both->draws / 2) / games;
  *variance = (wins + both->draws / 4) / games - *mean * *mean;
}

/* Games of a pair that count, dealt evenly over the seats. */
static double games_of(const League *league, const Pair *pair) {
  return pair ? payoff_effective(&league->payoff, pair->decayed[0].games, pair->decayed[1].games)
              : 0;
}

/* By the games of two against each other. */
static bool compare_directly(const League *league, uint32_t player, uint32_t other,
                             TuneEvidence *out) {
  const Pair *pair = payoff_find(&league->payoff, player, other);
  double mean;
  double variance;
  out->games = games_of(league, pair);
  if (out->games <= 0 || out->games < (double)league->config.tune.min_games) return false;
  const Tally both = tally_both(pair->decayed);
  out->chance = league_rate(league, player, other);
  if (league->config.by_return) {
    const double margin = payoff_margin(&league->payoff, player, other);
    mean = both.returns / both.games;
    variance = both.squares / both.games - mean * mean;
    out->errors = variance > 0 ? margin / sqrt(variance / out->games) : margin * HUGE_VAL;
    if (margin == 0) out->errors = 0;
    return true;
  }
  points_of(&both, &mean, &variance);
  out->errors = (out->chance - 0.5) / sqrt(variance / out->games);
  return true;
}

/* Logarithm of the odds to win against an opponent, and its variance. */
static void odds_of(const League *league, uint32_t player, uint32_t opponent, double games,
                    double *odds, double *variance) {
  const double rate = league_rate(league, player, opponent);
  const double chance = (rate * games + 1) / (games + 2);
  *odds = log(chance / (1 - chance));
  *variance = 1 / (games * chance * (1 - chance));
}

/* By the games of both against the same opponents: where strength is what Elo says it is, the
 * difference of their odds there is the odds of their own game. */
static bool compare_by_others(const League *league, uint32_t player, uint32_t other,
                              TuneEvidence *out) {
  const double least = (double)league->config.tune.min_games;
  double sum = 0;
  double variances = 0;
  size_t opponents = 0;
  out->games = 0;
  for (uint32_t k = 0; k < league->players; k++) {
    const double mine = games_of(league, payoff_find(&league->payoff, player, k));
    const double others = games_of(league, payoff_find(&league->payoff, other, k));
    double odds[2];
    double variance[2];
    if (k == player || k == other || mine <= 0 || others <= 0 || fmin(mine, others) < least)
      continue;
    odds_of(league, player, k, mine, &odds[0], &variance[0]);
    odds_of(league, other, k, others, &odds[1], &variance[1]);
    sum += odds[0] - odds[1];
    variances += variance[0] + variance[1];
    out->games += fmin(mine, others);
    opponents++;
  }
  if (opponents == 0) return false;
  out->chance = 1 / (1 + exp(-sum / (double)opponents));
  out->errors = sum / sqrt(variances);
  return true;
}

/* By what both earned of late: Welch's comparison of two means. The chance is that an episode of
 * the one earns more than one of the other, were both normally distributed. */
static bool compare_returns(const League *league, uint32_t player, uint32_t other,
                            TuneEvidence *out) {
  const uint32_t id[2] = {player, other};
  double mean[2];
  double variance[2];
  double games[2];
  for (int i = 0; i < 2; i++) {
    const TuneLife *life = &league->player[id[i]].tune;
    Tally all = life->earned[0];
    tally_add(&all, &life->earned[1]);
    games[i] = all.games;
    if (games[i] < 2 || games[i] < (double)league->config.tune.min_games) return false;
    mean[i] = all.returns / games[i];
    variance[i] = fmax(all.squares / games[i] - mean[i] * mean[i], 0) * games[i] / (games[i] - 1);
  }
  const double better = mean[0] - mean[1];
  const double spread = sqrt(variance[0] + variance[1]);
  const double error = sqrt(variance[0] / games[0] + variance[1] / games[1]);
  const double sure = better > 0 ? HUGE_VAL : better < 0 ? -HUGE_VAL : 0;
  out->games = fmin(games[0], games[1]);
  out->chance = normal(spread > 0 ? better / spread : sure);
  out->errors = error > 0 ? better / error : sure;
  return true;
}

bool tune_compare(const League *league, uint32_t player, uint32_t other, TuneEvidence *out) {
  if (league->config.tune.by_returns) return compare_returns(league, player, other, out);
  return compare_directly(league, player, other, out) ||
         compare_by_others(league, player, other, out);
}

/* --- exploit and explore --- */
/* What an order has already said of a player; NULL: nothing. */
static Order *order_of(Directive *directive, uint32_t player) {
  for (size_t i = 0; i < directive->orders; i++)
    if (directive->order[i].player == player) return &directive->order[i];
  return NULL;
}

/* Whether a player is another one after the directive. */
static bool begins_anew(Directive *directive, uint32_t player) {
  const Order *order = order_of(directive, player);
  return order && order->reset != RESET_NONE;
}

static bool is_copied(const Directive *directive, uint32_t player) {
  for (size_t i = 0; i < directive->orders; i++)
    if (directive->order[i].reset == RESET_ADOPT && directive->order[i].source == player)
      return true;
  return false;
}

/* Those who do the same: of one role, and of one side. */
static bool are_peers(const League *league, uint32_t player, uint32_t other) {
  const Player *a = &league->player[player];
  const Player *b = &league->player[other];
  return player != other && a->role == b->role && a->side == b->side;
}

static bool is_due(const League *league, uint32_t id) {
  const Player *player = &league->player[id];
  const uint64_t since =
      player->tune.looked_at > player->life_start ? player->tune.looked_at : player->life_start;
  return (double)(player->frames - since) >= league->config.tune.every;
}

/* One of those that the player can be compared with, drawn with equal chance; -1: there is none. */
static int64_t draw_rival(League *league, Directive *directive, uint32_t id) {
  TuneEvidence evidence;
  uint32_t known = 0;
  for (int pass = 0; pass < 2; pass++) {
    uint32_t left = known;
    if (pass && known) left = (uint32_t)(league_unit(league) * known);
    for (uint32_t other = 0; other < league->learning; other++) {
      if (!are_peers(league, id, other) || begins_anew(directive, other) ||
          !tune_compare(league, id, other, &evidence))
        continue;
      if (!pass) known++;
      if (pass && left-- == 0) return other;
    }
  }
  return -1;
}

static void explore(League *league, const double from[TUNABLES], double to[TUNABLES]) {
  const TuneConfig *config = &league->config.tune;
  for (int k = 0; k < TUNABLES; k++) {
    to[k] = 0;
    if (!tune_has(config, (Tunable)k)) continue;
    const bool more = league_unit(league) < 0.5;
    to[k] = within(config, (Tunable)k, more ? from[k] * config->factor : from[k] / config->factor);
  }
}

static uint64_t frames_of(const League *league) {
  uint64_t sum = league->retired_frames;
  for (size_t i = 0; i < league->learning; i++)
    sum += league->player[i].frames;
  return sum;
}

void tune_describe(const TuneCopy *copy, char *out, size_t size) {
  size_t used = 0;
  out[0] = 0;
  for (int k = 0; k < TUNABLES && used < size; k++)
    if (copy->after[k] > 0)
      used += (size_t)snprintf(out + used, size - used, "%s%s %.3g to %.3g", used ? ", " : "",
                               tune_name((Tunable)k), copy->before[k], copy->after[k]);
}

static Status exploit(League *league, Directive *directive, uint32_t id, uint32_t source,
                      const TuneEvidence *evidence) {
  char numbers[400];
  Player *player = &league->player[id];
  Order *order = order_of(directive, id);
  TRY_RETURN(GROW(league->copy, league->copy_room, league->copies + 1));
  if (!order) {
    order = &directive->order[directive->orders++];
    *order = (Order){.player = id};
  }
  TuneCopy *copy = &league->copy[league->copies++];
  *copy = (TuneCopy){.frames = frames_of(league),
                     .player = id,
                     .source = source,
                     .chance = evidence->chance,
                     .games = evidence->games};
  memcpy(copy->before, player->tune.value, sizeof copy->before);
  explore(league, league->player[source].tune.value, copy->after);
  memcpy(player->tune.value, copy->after, sizeof copy->after);
  memcpy(order->tuned, copy->after, sizeof copy->after);
  order->reset = RESET_ADOPT;
  order->source = source;
  league_new_life(league, id, source);
  tune_describe(copy, numbers, sizeof numbers);
  log_line("%s goes on as a copy of %s, against whom its chance was %.3f (%.0f games): %s",
           player->name, league->player[source].name, copy->chance, copy->games, numbers);
  return OK;
}

Status tune_decide(League *league, Directive *directive) {
  const TuneConfig *config = &league->config.tune;
  TuneEvidence evidence;
  if (!tune_is_on(config)) return OK;
  for (uint32_t id = 0; id < league->learning; id++) {
    TuneLife *life = &league->player[id].tune;
    if (!is_due(league, id) || begins_anew(directive, id) || is_copied(directive, id)) continue;
    const int64_t rival = draw_rival(league, directive, id);
    if (rival < 0) continue; /* as soon as there is one */
    tune_compare(league, id, (uint32_t)rival, &evidence);
    life->looked_at = league->player[id].frames;
    if (evidence.chance < config->exploit_below && evidence.errors <= -config->errors) {
      TRY_RETURN(exploit(league, directive, id, (uint32_t)rival, &evidence));
      continue;
    }
    life->earned[1] = life->earned[0];
    life->earned[0] = (Tally){0};
  }
  return OK;
}

/* --- columns --- */
static Status save_copies(const League *league, Tree *tree) {
  Status status = OK;
  const size_t n = league->copies;
  uint64_t *frames = NULL;
  uint32_t *who = NULL;
  double *number = NULL;
  enum { NUMBERS = 2 + 2 * TUNABLES };
  if (n == 0) return OK;
  TRY(NEW_ARRAY(frames, n));
  TRY(NEW_ARRAY(who, 2 * n));
  TRY(NEW_ARRAY(number, n * NUMBERS));
  for (size_t i = 0; i < n; i++) {
    const TuneCopy *copy = &league->copy[i];
    double *row = number + i * NUMBERS;
    frames[i] = copy->frames;
    who[2 * i] = copy->player;
    who[2 * i + 1] = copy->source;
    row[0] = copy->chance;
    row[1] = copy->games;
    memcpy(row + 2, copy->before, sizeof copy->before);
    memcpy(row + 2 + TUNABLES, copy->after, sizeof copy->after);
  }
  TRY(tree_put(tree, "tune/copy_frames", STORE_U64, n, 1, frames));
  TRY(tree_put(tree, "tune/copy_players", STORE_U32, n, 2, who));
  TRY(tree_put(tree, "tune/copy_numbers", STORE_F64, n, NUMBERS, number));
done:
  free(frames);
  free(who);
  free(number);
  return status;
}

Status tune_save(const League *league, Tree *tree) {
  Status status = OK;
  const size_t n = league->players;
  double *value = NULL;
  double *earned = NULL;
  uint64_t *looked_at = NULL;
  if (!tune_is_on(&league->config.tune) && league->copies == 0) return OK;
  TRY(NEW_ARRAY(value, n * TUNABLES));
  TRY(NEW_ARRAY(earned, n * 2 * TALLY_NUMBERS));
  TRY(NEW_ARRAY(looked_at, n));
  for (size_t i = 0; i < n; i++) {
    const TuneLife *life = &league->player[i].tune;
    memcpy(value + i * TUNABLES, life->value, sizeof life->value);
    memcpy(earned + i * 2 * TALLY_NUMBERS, life->earned, sizeof life->earned);
    looked_at[i] = life->looked_at;
  }
  TRY(tree_put(tree, "tune/value", STORE_F64, n, TUNABLES, value));
  TRY(tree_put(tree, "tune/earned", STORE_F64, n, 2 * TALLY_NUMBERS, earned));
  TRY(tree_put(tree, "tune/looked_at", STORE_U64, n, 1, looked_at));
  TRY(save_copies(league, tree));
done:
  free(value);
  free(earned);
  free(looked_at);
  return status;
}

/* A column of `width` numbers a row, all of them finite. */
static Status find_numbers(const Tree *tree, const char *path, size_t rows, size_t width,
                           const Item **out) {
  TRY_RETURN(tree_get_table(tree, path, STORE_F64, (int64_t)rows, width, out));
  return tree_check_finite(tree, *out);
}

Status tune_load_values(const Tree *tree, size_t rows, double (*out)[TUNABLES]) {
  const Item *name;
  const Item *value;
  memset(out, 0, rows * sizeof *out);
  if (!tree_find(tree, "tune/value")) return OK;
  TRY_RETURN(tree_get(tree, "league/name", STORE_TEXT, -1, &name));
  TRY_RETURN(find_numbers(tree, "tune/value", name->count, TUNABLES, &value));
  if (rows > name->count)
    return tree_fault(tree, "tune/value", -1, "has fewer than %zu rows", rows);
  for (size_t i = 0; i < rows * TUNABLES; i++)
    if (((const double *)value->data)[i] < 0)
      return tree_fault(tree, "tune/value", (int64_t)(i / TUNABLES), "is below 0");
  memcpy(out, value->data, rows * sizeof *out);
  return OK;
}

static Status load_copies(League *league, const Tree *tree) {
  const Item *frames;
  const Item *who;
  const Item *number;
  enum { NUMBERS = 2 + 2 * TUNABLES };
  league->copies = 0;
  if (!tree_find(tree, "tune/copy_frames")) return OK;
  TRY_RETURN(tree_get(tree, "tune/copy_frames", STORE_U64, -1, &frames));
  TRY_RETURN(tree_get_table(tree, "tune/copy_players", STORE_U32, (int64_t)frames->count, 2, &who));
  TRY_RETURN(find_numbers(tree, "tune/copy_numbers", frames->count, NUMBERS, &number));
  TRY_RETURN(GROW(league->copy, league->copy_room, frames->count));
  for (size_t i = 0; i < frames->count; i++) {
    TuneCopy *copy = &league->copy[i];
    const uint32_t *id = (const uint32_t *)who->data + 2 * i;
    const double *row = (const double *)number->data + i * NUMBERS;
    if (id[0] >= league->players || id[1] >= league->players || id[0] == id[1])
      return tree_fault(tree, who->path, (int64_t)i, "names players %u and %u of %zu", id[0], id[1],
                        league->players);
    *copy = (TuneCopy){.frames = ((const uint64_t *)frames->data)[i],
                       .player = id[0],
                       .source = id[1],
                       .chance = row[0],
                       .games = row[1]};
    memcpy(copy->before, row + 2, sizeof copy->before);
    memcpy(copy->after, row + 2 + TUNABLES, sizeof copy->after);
    league->copies++;
  }
  return OK;
}

Status tune_load(League *league, const Tree *tree) {
  Status status = OK;
  const size_t n = league->players;
  const Item *earned;
  const Item *looked_at;
  double(*value)[TUNABLES] = NULL;
  TRY(load_copies(league, tree));
  if (!tree_find(tree, "tune/value")) return OK;
  TRY(NEW_ARRAY(value, n));
  TRY(tune_load_values(tree, n, value));
  TRY(find_numbers(tree, "tune/earned", n, 2 * TALLY_NUMBERS, &earned));
  TRY(tree_get(tree, "tune/looked_at", STORE_U64, (int64_t)n, &looked_at));
  for (size_t i = 0; i < n; i++) {
    TuneLife *life = &league->player[i].tune;
    memcpy(life->value, value[i], sizeof life->value);
    memcpy(life->earned, (const double *)earned->data + i * 2 * TALLY_NUMBERS, sizeof life->earned);
    life->looked_at = ((const uint64_t *)looked_at->data)[i];
    if (!tally_is_good(&life->earned[0]) || !tally_is_good(&life->earned[1]))
      TRY(tree_fault(tree, earned->path, (int64_t)i, "holds counts that do not agree"));
    if (life->looked_at > league->player[i].frames)
      TRY(tree_fault(tree, looked_at->path, (int64_t)i, "lies beyond the player's frames"));
  }
done:
  free(value);
  return status;
}
