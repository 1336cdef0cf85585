/* Players: their creation, snapshots, resets, and their columns on disk. */
#include "league/league.h"

#include "base/invariant.h"
#include "base/text.h"
#include "league/roster.h"
#include "store/counters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* parent: id of the player it is a copy of, -1 for none. ERR_USAGE: the name is taken. */
Status league_add(League *league, const char *name, Role role, bool frozen, int64_t parent,
                  uint32_t *out_id) {
  TRY_RETURN(GROW(league->player, league->room, league->players + 1));
  Player *player = &league->player[league->players];
  *player = (Player){.role = role, .frozen = frozen, .parent = parent};
  TRY_RETURN(text_format(player->name, sizeof player->name, "%s", name));
  if (league_find(league, name) >= 0)
    return status_set(ERR_USAGE, "player '%s' is given twice", name);
  *out_id = (uint32_t)league->players++;
  return OK;
}

int64_t league_find(const League *league, const char *name) {
  for (size_t i = 0; i < league->players; i++)
    if (!strcmp(league->player[i].name, name)) return (int64_t)i;
  return -1;
}

bool league_meets(const Player *a, const Player *b) {
  return !a->side || a->side != b->side;
}

/* --- guests --- */
#define AWAY "away"

Status league_guest_name(const LeagueConfig *config, const char *name, uint32_t side,
                         char out[PLAYER_NAME]) {
  return text_format(out, PLAYER_NAME, "%s%s%s", side ? league_side_name(config, side) : "",
                     side ? "_" : "", name);
}

Status league_add_guest(League *league, const LeagueGuest *guest) {
  const bool separate = league->config.sides == SIDES_SEPARATE;
  for (uint32_t side = separate; side <= (separate ? SEATS : 0); side++) {
    char name[PLAYER_NAME];
    uint32_t id;
    TRY_RETURN(league_guest_name(&league->config, guest->name, side, name));
    TRY_RETURN(league_add(league, name, ROLE_GUEST, true, -1, &id));
    Player *player = &league->player[id];
    player->side = (uint8_t)side;
    memcpy(player->hash, guest->hash, sizeof player->hash);
    league_guest_leaves(player, false);
    player->guest = strdup(guest->text);
    if (!player->guest) return status_set(ERR_MEMORY, "out of memory for a guest");
  }
  return OK;
}

bool league_guest_is_away(const Player *player) {
  return player->role == ROLE_GUEST && !strcmp(player->reason, AWAY);
}

void league_guest_leaves(Player *player, bool leaves) {
  snprintf(player->reason, sizeof player->reason, "%s", leaves ? AWAY : "guest");
}

#define LOST "lost"

bool league_is_lost(const Player *player) {
  return player->frozen && !player->guest && !strcmp(player->reason, LOST);
}

void league_lose(Player *player, bool lost) {
  snprintf(player->reason, sizeof player->reason, "%s", lost ? LOST : "found");
}

/* Before the list of players goes, or is read anew. */
static void forget_players(League *league) {
  for (size_t i = 0; i < league->players; i++)
    free(league->player[i].guest);
  league->players = 0;
}

const LeagueConfig *league_rules(const League *league, uint32_t player) {
  return league->rules && player < league->learning ? &league->rules[player] : &league->config;
}

Status league_take_rules(League *league, const LeagueConfig *rules) {
  free(league->rules);
  league->rules = NULL;
  if (!rules) return OK;
  TRY_RETURN(NEW_ARRAY(league->rules, league->learning));
  memcpy(league->rules, rules, league->learning * sizeof *rules);
  return OK;
}

/* Whether a player learns as a main that those of `side` can meet (0: sides are together). */
static bool is_live_main(const League *league, uint8_t side, uint32_t id) {
  const Player *player = &league->player[id];
  return id < league->learning && player->role == ROLE_MAIN && (!side || player->side != side);
}

static size_t live_mains(const League *league, uint8_t side) {
  size_t mains = 0;
  for (uint32_t id = 0; id < league->learning; id++)
    mains += is_live_main(league, side, id);
  return mains;
}

size_t league_live_mains(const League *league, uint32_t player) {
  return live_mains(league, league->player[player].side);
}

const char *league_first_main(const League *league) {
  for (size_t i = 0; i < league->learning; i++)
    if (league->player[i].role == ROLE_MAIN) return league->player[i].name;
  return league->players ? league->player[0].name : "main_0";
}

/* Whether `past` is one of those that q is of: the player's own past selves, or, where sides are
 * separate, all past mains of its side, which are what the other side's mains play. */
static bool has_quality_beside(const League *league, const Player *past, uint32_t player) {
  const Player *model = &league->player[player];
  if (!past->frozen) return false;
  if (!model->side) return past->parent == (int64_t)player;
  return past->side == model->side && past->role == ROLE_MAIN;
}

/* q of a newcomer to a player's past: the largest there is (OpenAI Five); 0 for the first. */
static double best_quality(const League *league, uint32_t parent, uint32_t newcomer) {
  bool first = true;
  double best = 0;
  for (uint32_t i = 0; i < league->players; i++) {
    const Player *past = &league->player[i];
    if (i == newcomer || !has_quality_beside(league, past, parent)) continue;
    if (first || past->quality > best) best = past->quality;
    first = false;
  }
  return best;
}

/* A frozen copy of a learning player. Its pair with the parent starts empty: a copy has not met its
 * model. */
Status league_freeze(League *league, uint32_t id, const char *reason, uint32_t *out_id) {
  char name[PLAYER_NAME];
  uint32_t number = league->player[id].snapshots;
  do /* by hand another player may have been given the name, or its model's, that comes next */
    TRY_RETURN(text_format(name, sizeof name, "%s-%06u", league->player[id].name, number++));
  while (league_find(league, name) >= 0);
  TRY_RETURN(league_add(league, name, league->player[id].role, true, id, out_id));
  Player *model = &league->player[id];
  Player *copy = &league->player[*out_id];
  model->snapshots++;
  model->snapshot_at = model->frames;
  copy->frames = model->frames;
  copy->life = model->life;
  copy->side = model->side;
  memcpy(copy->tune.value, model->tune.value, sizeof copy->tune.value);
  INVARIANT(!model->frozen && copy->frozen && id < league->learning);
  snprintf(copy->reason, sizeof copy->reason, "%s", reason);
  copy->quality = best_quality(league, id, *out_id);
  if (league->config.inherit_payoff) TRY_RETURN(payoff_inherit(&league->payoff, *out_id, id));
  payoff_restart(&league->payoff, id);
  return OK;
}

double league_decay(const LeagueConfig *config) {
  const double seats = config->sides == SIDES_SEPARATE ? 1 : SEATS; /* that a pair meets in */
  return fmax(1 - seats / config->memory, 0);
}

/* Each main is frozen once right away: without a past player there would be nobody to play against
 * but itself. On failure *out is freed. */
Status league_create(const LeagueConfig *config, uint64_t seed, double return_low,
                     double return_high, League *out) {
  Status status = OK;
  Roster roster = {0};
  uint32_t id;
  *out = (League){
      .config = *config, .seed = seed, .return_low = return_low, .return_high = return_high};
  out->payoff.decay = league_decay(config);
  out->payoff.one_seat = config->sides == SIDES_SEPARATE;
  TRY(roster_of_config(config, &roster));
  for (size_t i = 0; i < roster.count; i++) {
    const RosterEntry *entry = &roster.entry[i];
    TRY(league_add(out, entry->name, (Role)entry->role, false, -1, &id));
    out->player[id].side = entry->side;
  }
  out->learning = out->players;
  for (uint32_t i = 0; i < out->learning; i++)
    if (out->player[i].role == ROLE_MAIN) TRY(league_freeze(out, i, "start", &id));
done:
  roster_free(&roster);
  if (status != OK) league_free(out);
  return status;
}

void league_free(League *league) {
  forget_players(league);
  free(league->player);
  free(league->change);
  free(league->copy);
  free(league->rules);
  payoff_free(&league->payoff);
  anchors_free(&league->anchors);
  *league = (League){0};
}

/* A margin of one return_unit either way is x = 1 or 0, so that rules written for win rates apply
 * to games that are judged by returns. */
double league_rate(const League *league, uint32_t home, uint32_t away) {
  if (!league->config.by_return) return payoff_win_rate(&league->payoff, home, away);
  if (league->return_unit <= 0) return 0.5;
  double x = 0.5 + payoff_margin(&league->payoff, home, away) / (2 * league->return_unit);
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Ascending. */
static int by_size(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Margins (their sizes, in `out`) of the learning players over those against whom they have games
 * enough, from both seats; and the root mean square of all their returns. */
static size_t margins(const League *league, double *out, double *rms) {
  Tally all = {0};
  size_t count = 0;
  for (uint32_t home = 0; home < league->learning && home < league->payoff.rows; home++)
    for (size_t i = 0; i < league->payoff.row[home].pairs; i++) {
      const Pair *pair = &league->payoff.row[home].pair[i];
      Tally both = tally_both(pair->decayed);
      all.games += both.games;
      all.squares += both.squares;
      double known =
          payoff_effective(&league->payoff, pair->decayed[0].games, pair->decayed[1].games);
      if (known > 0 && known >= (double)league->config.min_games)
        out[count++] = fabs(payoff_margin(&league->payoff, home, pair->away));
    }
  *rms = all.games > 0 ? sqrt(all.squares / all.games) : 0;
  return count;
}

/* Margins come without a scale of their own. The unit that nine in ten of them stay below makes x
 * use most of 0 .. 1; the second bound keeps thresholds on x out of noise while players are about
 * equal. */
Status league_measure_returns(League *league) {
  enum {
    ERRORS = 8 /* of a rate's standard errors that x = 1 is off x = .5 at the least: no threshold
                  lies in noise */
  };
  const LeagueConfig *config = &league->config;
  double *size;
  double rms;
  double unit;
  double most = fmax(fabs(league->return_low), fabs(league->return_high));
  if (!config->by_return || config->return_unit > 0) {
    league->return_unit = config->return_unit;
    return OK;
  }
  TRY_RETURN(NEW_ARRAY(size, league->learning * league->players));
  size_t count = margins(league, size, &rms);
  qsort(size, count, sizeof *size, by_size);
  unit = fmax(count ? size[(count - 1) * 9 / 10] : 0, ERRORS * rms / sqrt(config->memory));
  league->return_unit = most > 0 ? fmin(unit, most) : unit;
  free(size);
  return OK;
}

/* --- merging --- */
static uint32_t life_of(const League *league, uint32_t player) {
  return player < league->learning ? league->player[player].life : 0;
}

/* A main's wins over its own past i (sides separate: the past mains of the other side): q_i -= rate
 * / (N p_i), N how many they are, p_i as it was when the match was drawn. Under 1 / (10 N) p counts
 * as that: no win moves q by more than ten times the rate. */
static void openai_five_update(League *league, const PairResults *pair) {
  Player *past = &league->player[pair->away];
  if (pair->eval || pair->home >= league->learning || !past->frozen || past->parent < 0) return;
  const Player *home = &league->player[pair->home];
  if (home->role != ROLE_MAIN || pair->home_life != home->life) return;
  if (home->side ? past->role != ROLE_MAIN : past->parent != (int64_t)pair->home) return;
  double own_past = home->snapshots;
  if (home->side) {
    own_past = 0;
    for (size_t i = 0; i < league->players; i++)
      own_past += has_quality_beside(league, &league->player[i], (uint32_t)past->parent);
  }
  double wins_over_p =
      pair->wins_over_p *
      (1 - league_rules(league, pair->home)->self_share); /* a match was drawn with (1 - self) p */
  double most = 10 * own_past * pair->tally.wins;
  past->quality -= league->config.quality_rate / own_past * fmin(wins_over_p, most);
}

/* Only frozen players meet built-in ones, in evaluation lanes: it is their rating that needs a
 * fixed point. */
static Status merge_anchor(League *league, const PairResults *pair) {
  const Player *home = pair->home < league->players ? &league->player[pair->home] : NULL;
  if (!home || !home->frozen || !pair->eval || pair->seat >= SEATS ||
      (home->side && home->side != pair->seat + 1))
    return status_set(
        ERR_FORMAT,
        "results of player %u against a built-in one, seat %u, which are no evaluation games",
        pair->home, pair->seat);
  return anchors_add(&league->anchors, pair->home, pair->away, pair->seat, &pair->tally);
}

/* Nobody meets its own side, or sits on the other. */
static Status check_sides(const League *league, const PairResults *pair) {
  const Player *home = &league->player[pair->home];
  const Player *away = &league->player[pair->away];
  if (league_meets(home, away) && (!home->side || home->side == pair->seat + 1)) return OK;
  return status_set(ERR_FORMAT, "results of %s on seat %u against %s, which league.sides rules out",
                    home->name, pair->seat, away->name);
}

/* Games of a life that has ended since count only as history (PAYOFF_RAW_ONLY): the player that won
 * or lost them is no more. Results hold home's side; the opponent's follows from it. ERR_FORMAT for
 * players or seats that there are not. */
Status league_merge(League *league, const Results *results) {
  for (size_t i = 0; i < results->pairs; i++) {
    const PairResults *pair = &results->pair[i];
    if (is_builtin(pair->away)) {
      TRY_RETURN(merge_anchor(league, pair));
      continue;
    }
    if (pair->home >= league->players || pair->away >= league->players || pair->seat >= SEATS)
      return status_set(ERR_FORMAT, "results of unknown players %u and %u, seat %u", pair->home,
                        pair->away, pair->seat);
    TRY_RETURN(check_sides(league, pair));
    const Tally *home = &pair->tally;
    const Tally away = tally_of_opponent(home, pair->away_return, pair->away_square);
    bool present = pair->home_life == life_of(league, pair->home) &&
                   pair->away_life == life_of(league, pair->away);
    PayoffPart part = pair->eval ? PAYOFF_EVAL : present ? PAYOFF_TRAIN : PAYOFF_RAW_ONLY;
    if (pair->seat == 0)
      TRY_RETURN(payoff_add(&league->payoff, pair->home, pair->away, home, away.returns,
                            away.squares, part));
    else
      TRY_RETURN(payoff_add(&league->payoff, pair->away, pair->home, &away, home->returns,
                            home->squares, part));
    tune_count(league, pair);
    if (league_follows(&league->config, "openai_five")) openai_five_update(league, pair);
  }
  INVARIANT(league_clocks_in_order(league));
  for (size_t i = 0; i < results->frames; i++) {
    if (results->frame[i].player >= league->learning)
      return status_set(ERR_FORMAT, "frames of a player that does not learn");
    league->player[results->frame[i].player].frames += results->frame[i].frames;
  }
  return OK;
}

void league_settle(League *league) {
  payoff_settle(&league->payoff);
}

/* For invariants; see league.h. */
bool league_clocks_in_order(const League *league) {
  for (size_t i = 0; i < league->players; i++) {
    const Player *player = &league->player[i];
    bool own = player->frozen ||
               (player->snapshot_at <= player->frames && player->life_start <= player->frames);
    if (!own || player->parent >= (int64_t)league->players) return false;
  }
  return true;
}

/* --- snapshots and resets --- */
/* Whether the player beats each of its targets by the threshold, known from both seats and by
 * enough effective games since its last snapshot or reset. */
static bool beats_targets(const League *league, uint32_t id) {
  const LeagueConfig *rules = league_rules(league, id);
  Role role = league->player[id].role;
  size_t targets = 0;
  for (uint32_t t = 0; t < league->players; t++) {
    const Player *target = &league->player[t];
    bool counts =
        role == ROLE_MAIN_EXPLOITER ? !target->frozen && target->role == ROLE_MAIN : target->frozen;
    /* a guest may be beyond all reach, and would keep a player that has outgrown its league */
    counts = counts && target->role != ROLE_GUEST;
    if (!counts || target->benched || league_is_lost(target) || t == id ||
        !league_meets(&league->player[id], target))
      continue;
    const Pair *pair = payoff_find(&league->payoff, id, t);
    if (!pair || payoff_effective(&league->payoff, pair->since[0], pair->since[1]) <
                     (double)rules->min_games)
      return false;
    if (league_rate(league, id, t) <= rules->win_threshold) return false;
    targets++;
  }
  return targets > 0;
}

/* AlphaStar's rule: after at least snapshot_min frames if it beats its targets, after snapshot_max
 * in any case. NULL: not yet. */
static const char *snapshot_reason(const League *league, uint32_t id) {
  const Player *player = &league->player[id];
  double age = (double)(player->frames - player->snapshot_at);
  const LeagueConfig *rules = league_rules(league, id);
  double least = rules->snapshot_min[player->role] * rules->frame_scale;
  double most = rules->snapshot_max[player->role] * rules->frame_scale;
  if (age < least || age <= 0) return NULL;
  if (age >= most) return "age";
  return beats_targets(league, id) ? "win_rate" : NULL;
}

double league_unit(League *league) {
  AgonRng rng = rng_stream(league->seed, 0xffffff, (uint32_t)league->draws++, RNG_MATCH);
  return rng_unit(&rng);
}

/* Whether a frozen main, of the side of the player that is to begin anew, wins past_low ..
 * past_high against main `against`. */
static bool is_fit(const League *league, uint32_t id, uint32_t past, uint32_t against) {
  const LeagueConfig *rules = league_rules(league, id);
  const uint8_t side = league->player[id].side;
  const Player *player = &league->player[past];
  if (!player->frozen || player->role != ROLE_MAIN || player->side != side ||
      league_is_lost(player) || !payoff_seats_known(&league->payoff, past, against))
    return false;
  double x = league_rate(league, past, against);
  return x >= rules->past_low && x <= rules->past_high;
}

/* The n-th of the mains that learn and that the player's side can meet. */
static uint32_t live_main(const League *league, uint8_t side, uint32_t n) {
  uint32_t id = 0;
  while (!is_live_main(league, side, id) || n-- > 0)
    id++;
  return id;
}

/* A past main to start from, of the player's side: one of those that are fit against a main that is
 * drawn from all that it can meet, or, if there are none, against the next main; -1 if none is fit
 * against any. */
static int64_t past_main(League *league, uint32_t id) {
  const uint8_t side = league->player[id].side;
  const uint32_t mains = (uint32_t)live_mains(league, side);
  const uint32_t first = mains > 1 ? (uint32_t)(league_unit(league) * mains) : 0;
  for (uint32_t m = 0; m < mains; m++) {
    const uint32_t against = live_main(league, side, (first + m) % mains);
    uint32_t count = 0;
    for (uint32_t i = 0; i < league->players; i++)
      count += is_fit(league, id, i, against);
    if (count == 0) continue;
    uint32_t chosen = (uint32_t)(league_unit(league) * count);
    for (uint32_t i = 0; i < league->players; i++)
      if (is_fit(league, id, i, against) && chosen-- == 0) return i;
  }
  return -1;
}

/* An exploiter that has done its work begins anew, from the initial weights or a past main. What
 * others remember of their games with it is of a player that is no more, and goes. */
void league_new_life(League *league, uint32_t id, int64_t source) {
  Player *player = &league->player[id];
  player->parent = source;
  player->life++;
  player->life_start = player->frames;
  player->tune.looked_at = player->frames;
  memset(player->tune.earned, 0, sizeof player->tune.earned);
  payoff_forget(&league->payoff, id);
  payoff_restart(&league->payoff, id);
}

/* What that is, and the order to its learner. */
static void reset_player(League *league, uint32_t id, Order *order) {
  const int64_t source = league_rules(league, id)->reset_to == 1 ? past_main(league, id) : -1;
  order->reset = source >= 0 ? RESET_COPY : RESET_INITIAL;
  order->source_frozen = source >= 0 ? (uint32_t)source : 0;
  league_new_life(league, id, source);
}

/* Freezes the player under a new id and orders the copy from its learner. Room for orders: one per
 * learning player. */
static Status snapshot(League *league, uint32_t id, const char *reason, Directive *directive,
                       Order **out) {
  Order *order = &directive->order[directive->orders++];
  *order = (Order){.player = id};
  TRY_RETURN(league_freeze(league, id, reason, &order->snapshot_id));
  *out = order;
  return OK;
}

/* Snapshots come first, resets after: what is frozen is the player before its reset. */
Status league_decide(League *league, Directive *directive) {
  Order *order;
  for (uint32_t id = 0; id < league->learning; id++) {
    const char *reason = snapshot_reason(league, id);
    if (!reason) continue;
    TRY_RETURN(snapshot(league, id, reason, directive, &order));
    double chance = league_rules(league, id)->reset[league->player[id].role];
    if (chance > 0 && (chance >= 1 || league_unit(league) < chance))
      reset_player(league, id, order);
  }
  return OK;
}

/* At the end of a run mains are frozen as they are, unless they just were or have learned nothing
 * since. */
Status league_force_snapshots(League *league, Directive *directive, const char *reason) {
  Order *order;
  for (uint32_t id = 0; id < league->learning; id++) {
    const Player *player = &league->player[id];
    bool ordered = false;
    for (size_t i = 0; i < directive->orders; i++)
      ordered |= directive->order[i].player == id;
    if (player->role == ROLE_MAIN && !ordered && player->frames > player->snapshot_at)
      TRY_RETURN(snapshot(league, id, reason, directive, &order));
  }
  return OK;
}

/* --- columns --- */
#define COLUMN(kind, name, type, field)                                                            \
  do {                                                                                             \
    for (size_t i = 0; i < n; i++)                                                                 \
      kind[i] = (type)league->player[i].field;                                                     \
    TRY(tree_put(tree, name, STORE_##type, n, 1, kind));                                           \
  } while (0)
typedef uint32_t U32;
typedef uint64_t U64;
typedef int32_t I32;
typedef double F64;

/* What was changed by hand, a row for each change. A league that nobody has touched has no such
 * columns. */
static Status save_changes(const League *league, Tree *tree) {
  enum { WHO = sizeof league->change->who, WHAT = sizeof league->change->what };
  Status status = OK;
  const size_t n = league->changes;
  char *text = NULL;
  uint64_t *number = NULL;
  if (league->retired_frames) TRY(tree_put_u64(tree, RETIRED_FRAMES_PATH, league->retired_frames));
  if (n == 0) return OK;
  TRY(NEW_ARRAY(text, n * WHAT));
  TRY(NEW_ARRAY(number, n));
  for (size_t i = 0; i < n; i++)
    memcpy(text + i * WHO, league->change[i].who, WHO);
  TRY(tree_put_texts(tree, "changes/who", n, WHO, text));
  for (size_t i = 0; i < n; i++)
    memcpy(text + i * WHAT, league->change[i].what, WHAT);
  TRY(tree_put_texts(tree, "changes/what", n, WHAT, text));
  for (size_t i = 0; i < n; i++)
    number[i] = league->change[i].when;
  TRY(tree_put(tree, "changes/when", STORE_U64, n, 1, number));
  for (size_t i = 0; i < n; i++)
    number[i] = league->change[i].frames;
  TRY(tree_put(tree, "changes/frames", STORE_U64, n, 1, number));
done:
  free(text);
  free(number);
  return status;
}

/* A text of a column, into a field of `size` bytes. It is printed on terminals and into reports:
 * only plain text may come in from a file. */
static Status take_text(const Tree *tree, const Item *item, size_t row, char *out, size_t size) {
  const char *from = (const char *)item->data + row * item->size;
  for (const char *at = from; *at; at++)
    if (*at < ' ' || *at > '~')
      return tree_fault(tree, item->path, (int64_t)row, "is no plain text");
  if (strlen(from) >= size) return tree_fault(tree, item->path, (int64_t)row, "is too long");
  memcpy(out, from, strlen(from) + 1);
  return OK;
}

static Status load_changes(League *league, const Tree *tree) {
  const Item *who;
  const Item *what;
  const Item *when;
  const Item *frames;
  league->changes = 0;
  league->retired_frames = 0;
  if (tree_find(tree, RETIRED_FRAMES_PATH))
    TRY_RETURN(tree_get_u64(tree, RETIRED_FRAMES_PATH, &league->retired_frames));
  if (league->retired_frames >> 53)
    return tree_fault(tree, RETIRED_FRAMES_PATH, -1, "is an impossible number of frames");
  if (!tree_find(tree, "changes/who")) return OK;
  TRY_RETURN(tree_get(tree, "changes/who", STORE_TEXT, -1, &who));
  const int64_t n = (int64_t)who->count;
  TRY_RETURN(tree_get(tree, "changes/what", STORE_TEXT, n, &what));
  TRY_RETURN(tree_get(tree, "changes/when", STORE_U64, n, &when));
  TRY_RETURN(tree_get(tree, "changes/frames", STORE_U64, n, &frames));
  TRY_RETURN(GROW(league->change, league->change_room, who->count));
  for (size_t i = 0; i < who->count; i++) {
    LeagueChange *change = &league->change[i];
    *change = (LeagueChange){.when = ((const uint64_t *)when->data)[i],
                             .frames = ((const uint64_t *)frames->data)[i]};
    TRY_RETURN(take_text(tree, who, i, change->who, sizeof change->who));
    TRY_RETURN(take_text(tree, what, i, change->what, sizeof change->what));
    league->changes++;
  }
  return OK;
}

/* What guests are, for those that are guests; a league without any has no such column. */
static Status save_guests(const League *league, Tree *tree) {
  Status status = OK;
  char *text = NULL;
  bool any = false;
  for (size_t i = 0; i < league->players; i++)
    any |= league->player[i].guest != NULL;
  if (!any) return OK;
  TRY(NEW_ARRAY(text, league->players * GUEST_WORDS));
  for (size_t i = 0; i < league->players; i++)
    if (league->player[i].guest)
      TRY(text_format(text + i * GUEST_WORDS, GUEST_WORDS, "%s", league->player[i].guest));
  TRY(tree_put_texts(tree, "league/guest", league->players, GUEST_WORDS, text));
done:
  free(text);
  return status;
}

/* A column for each field, a row for each player; payoff and anchors are put beside them. */
Status league_save(const League *league, Tree *tree) {
  Status status = OK;
  size_t n = league->players;
  char *text = NULL;
  U32 *u32 = NULL;
  U64 *u64 = NULL;
  I32 *i32 = NULL;
  F64 *f64 = NULL;
  uint64_t scalars[4] = {league->learning, league->seed, league->draws, league->table_version};
  TRY(NEW_ARRAY(text, n * PLAYER_NAME));
  TRY(NEW_ARRAY(u32, n));
  TRY(NEW_ARRAY(u64, n));
  TRY(NEW_ARRAY(i32, n));
  TRY(NEW_ARRAY(f64, n));
  for (size_t i = 0; i < n; i++)
    memcpy(text + i * PLAYER_NAME, league->player[i].name, PLAYER_NAME);
  TRY(tree_put_texts(tree, "league/name", n, PLAYER_NAME, text));
  for (size_t i = 0; i < n; i++)
    memcpy(text + i * PLAYER_NAME, league->player[i].reason, PLAYER_NAME);
  TRY(tree_put_texts(tree, "league/reason", n, PLAYER_NAME, text));
  for (size_t i = 0; i < n; i++)
    memcpy(text + i * PLAYER_NAME, league->player[i].hash, HASH_TEXT);
  TRY(tree_put_texts(tree, "league/hash", n, PLAYER_NAME, text));
  COLUMN(u32, "league/role", U32, role);
  COLUMN(u32, "league/frozen", U32, frozen);
  COLUMN(i32, "league/parent", I32, parent);
  COLUMN(u64, "league/frames", U64, frames);
  COLUMN(u64, "league/life_start", U64, life_start);
  COLUMN(u64, "league/snapshot_at", U64, snapshot_at);
  COLUMN(u32, "league/life", U32, life);
  COLUMN(u32, "league/snapshots", U32, snapshots);
  COLUMN(f64, "league/quality", F64, quality);
  if (league->config.sides == SIDES_SEPARATE) COLUMN(u32, "league/side", U32, side);
  if (league->config.pool > 0) COLUMN(u32, "league/benched", U32, benched);
  TRY(save_guests(league, tree));
  TRY(tree_put(tree, "league/scalars", STORE_U64, 4, 1, scalars));
  TRY(tree_put_f64(tree, "league/return_unit", league->return_unit));
  TRY(save_changes(league, tree));
  TRY(tune_save(league, tree));
  TRY(payoff_save(&league->payoff, tree));
  TRY(anchors_save(&league->anchors, league->players, tree));
done:
  free(text);
  free(u32);
  free(u64);
  free(i32);
  free(f64);
  return status;
}

/* The columns of the players, as they lie in a file. */
typedef struct Columns {
  const Item *name;
  const Item *reason;
  const Item *hash;
  const Item *role;
  const Item *frozen;
  const Item *life;
  const Item *snapshots;
  const Item *frames;
  const Item *life_start;
  const Item *snapshot_at;
  const Item *parent;
  const Item *quality;
  const Item *scalars;
  const Item *side;    /* NULL: sides are together */
  const Item *benched; /* NULL: nobody is */
  const Item *guest;   /* NULL: there are none */
  size_t players;
} Columns;

/* ERR_FORMAT if one is missing or of another length than the names. */
static Status find_columns(const Tree *tree, Columns *out) {
  const struct {
    const char *path;
    StoreType type;
    const Item **item;
  } column[] = {{"league/reason", STORE_TEXT, &out->reason},
                {"league/hash", STORE_TEXT, &out->hash},
                {"league/role", STORE_U32, &out->role},
                {"league/frozen", STORE_U32, &out->frozen},
                {"league/life", STORE_U32, &out->life},
                {"league/snapshots", STORE_U32, &out->snapshots},
                {"league/frames", STORE_U64, &out->frames},
                {"league/life_start", STORE_U64, &out->life_start},
                {"league/snapshot_at", STORE_U64, &out->snapshot_at},
                {"league/parent", STORE_I32, &out->parent},
                {"league/quality", STORE_F64, &out->quality}};
  TRY_RETURN(tree_get(tree, "league/name", STORE_TEXT, -1, &out->name));
  out->players = out->name->count;
  for (size_t i = 0; i < COUNT_OF(column); i++)
    TRY_RETURN(
        tree_get(tree, column[i].path, column[i].type, (int64_t)out->players, column[i].item));
  if (out->name->size != PLAYER_NAME || out->reason->size != PLAYER_NAME ||
      out->hash->size != PLAYER_NAME)
    return tree_fault(tree, out->name->path, -1,
                      "and the league's other texts have foreign widths");
  out->side = NULL;
  if (tree_find(tree, "league/side"))
    TRY_RETURN(tree_get(tree, "league/side", STORE_U32, (int64_t)out->players, &out->side));
  out->benched = NULL;
  if (tree_find(tree, "league/benched"))
    TRY_RETURN(tree_get(tree, "league/benched", STORE_U32, (int64_t)out->players, &out->benched));
  out->guest = NULL;
  if (tree_find(tree, "league/guest"))
    TRY_RETURN(tree_get(tree, "league/guest", STORE_TEXT, (int64_t)out->players, &out->guest));
  return tree_get(tree, "league/scalars", STORE_U64, 4, &out->scalars);
}

/* A row of the columns. Texts are cut off with a 0, whatever a damaged file holds. */
static Player player_of(const Columns *c, size_t row) {
  const uint32_t side = c->side ? ((uint32_t *)c->side->data)[row] : 0;
  Player player = {.role = (Role)((uint32_t *)c->role->data)[row],
                   .side = (uint8_t)(side <= SEATS ? side : UINT8_MAX),
                   .frozen = ((uint32_t *)c->frozen->data)[row] != 0,
                   .benched = c->benched && ((uint32_t *)c->benched->data)[row] != 0,
                   .parent = ((int32_t *)c->parent->data)[row],
                   .frames = ((uint64_t *)c->frames->data)[row],
                   .life_start = ((uint64_t *)c->life_start->data)[row],
                   .snapshot_at = ((uint64_t *)c->snapshot_at->data)[row],
                   .life = ((uint32_t *)c->life->data)[row],
                   .snapshots = ((uint32_t *)c->snapshots->data)[row],
                   .quality = ((double *)c->quality->data)[row]};
  memcpy(player.name, (char *)c->name->data + row * PLAYER_NAME, PLAYER_NAME);
  memcpy(player.reason, (char *)c->reason->data + row * PLAYER_NAME, REASON);
  memcpy(player.hash, (char *)c->hash->data + row * PLAYER_NAME, HASH_TEXT);
  player.hash[HASH_TEXT - 1] = 0;
  player.reason[REASON - 1] = 0;
  return player;
}

/* What a guest is, and that nobody else is one. */
static Status guest_of(const Tree *tree, const Columns *c, size_t row, char out[GUEST_WORDS]) {
  const bool guest = player_of(c, row).role == ROLE_GUEST;
  out[0] = 0;
  if (c->guest) TRY_RETURN(take_text(tree, c->guest, row, out, GUEST_WORDS));
  if (guest == (*out != 0)) return OK;
  return tree_fault(tree, c->role->path, (int64_t)row,
                    guest ? "is a guest's, of which nothing is told"
                          : "is no guest's, and yet it is told what guest it is");
}

/* A row by itself, before anything is done with it; learning players come first. */
static Status check_row(const League *league, const Tree *tree, const Columns *c, size_t row) {
  const Player player = player_of(c, row);
  int64_t at = (int64_t)row;
  if (!text_is_name(player.name, sizeof player.name))
    return tree_fault(tree, c->name->path, at,
                      "is no name of a player (letters, digits, '_', '.' and '-')");
  if ((uint32_t)player.role > ROLE_GUEST || (!player.frozen && player.role == ROLE_GUEST))
    return tree_fault(tree, c->role->path, at, "is no role: %d", (int)player.role);
  if (player.frozen != (row >= league->learning))
    return tree_fault(tree, c->frozen->path, at,
                      "contradicts the %zu learning players, which come first", league->learning);
  if (player.frozen && !hash_text_good(player.hash))
    return tree_fault(tree, c->hash->path, at, "is no hash of a frozen player");
  if (player.parent < -1 || player.parent >= (int64_t)c->players || player.parent == at)
    return tree_fault(tree, c->parent->path, at, "names player %lld of %zu",
                      (long long)player.parent, c->players);
  if (player.frames >= UINT64_C(1) << 53)
    return tree_fault(tree, c->frames->path, at, "has an impossible number of frames");
  if (player.life_start > player.frames || player.snapshot_at > player.frames)
    return tree_fault(
        tree, player.life_start > player.frames ? c->life_start->path : c->snapshot_at->path, at,
        "lies beyond the player's frames");
  if (!finite_doubles(&player.quality, 1))
    return tree_fault(tree, c->quality->path, at, "is not a finite number");
  return OK;
}

/* A side is one of those that there are, and of a copy that of its model. */
static Status check_side(const League *league, const Tree *tree, const Columns *c, size_t row) {
  const Player player = player_of(c, row);
  const char *path = c->side ? c->side->path : c->name->path;
  if ((player.side > 0) != (league->config.sides == SIDES_SEPARATE) || player.side > SEATS)
    return tree_fault(tree, path, (int64_t)row, "has side %u, where league.sides is %s",
                      player.side,
                      league->config.sides == SIDES_SEPARATE ? "separate" : "together");
  if (player.parent >= 0 && player_of(c, (size_t)player.parent).side != player.side)
    return tree_fault(tree, path, (int64_t)row, "is not the side of the player's parent");
  return OK;
}

static Status check_reason(const Tree *tree, const Columns *c, size_t row) {
  char reason[PLAYER_NAME];
  TRY_RETURN(take_text(tree, c->reason, row, reason, sizeof reason));
  /* it stands in pages as it is */
  if (strcspn(reason, "<>&\"'") == strlen(reason)) return OK;
  return tree_fault(tree, c->reason->path, (int64_t)row, "is no plain text");
}

/* Every side that there is has mains that learn: without them no rule says whom to play. */
static Status check_mains(const League *league, const Tree *tree, const Columns *c) {
  size_t mains[SEATS + 1] = {0};
  const bool separate = league->config.sides == SIDES_SEPARATE;
  for (size_t i = 0; i < league->learning; i++) {
    const Player player = player_of(c, i);
    mains[player.side] += player.role == ROLE_MAIN;
  }
  if (separate ? mains[1] && mains[2] : mains[0] > 0) return OK;
  return tree_fault(tree, c->role->path, -1, "has no main that learns%s",
                    separate ? " on one of the sides" : "");
}

/* Sides are called as they were when the league was made: what stands before "_main_0" in the names
 * of their first mains. */
static void name_sides(League *league) {
  for (size_t i = 0; i < league->learning; i++) {
    const Player *player = &league->player[i];
    const char *role = strstr(player->name, "_main_0");
    if (!player->side || !role || player->role != ROLE_MAIN) continue;
    snprintf(league->config.side_name[player->side - 1], SIDE_NAME, "%.*s",
             (int)(role - player->name), player->name);
  }
}

/* ERR_FORMAT: the checkpoint is damaged. The league is the caller's to free then, too. */
Status league_load(League *league, const Tree *tree) {
  Columns c;
  TRY_RETURN(find_columns(tree, &c));
  const uint64_t *scalar = c.scalars->data;
  if (scalar[0] == 0 || scalar[0] > WIRE_LEARNERS)
    return tree_fault(tree, c.scalars->path, 0, "is no number of learning players");
  league->learning = (size_t)scalar[0];
  if (c.players < league->learning)
    return tree_fault(tree, c.name->path, -1, "has %zu rows, fewer than there are learning players",
                      c.players);
  for (size_t i = 0; i < c.players; i++) {
    TRY_RETURN(check_row(league, tree, &c, i));
    TRY_RETURN(check_side(league, tree, &c, i));
    TRY_RETURN(check_reason(tree, &c, i));
  }
  TRY_RETURN(check_mains(league, tree, &c));
  forget_players(league);
  for (size_t i = 0; i < c.players; i++) {
    Player player = player_of(&c, i);
    char guest[GUEST_WORDS];
    uint32_t id;
    TRY_RETURN(guest_of(tree, &c, i, guest));
    if (league_find(league, player.name) >= 0)
      return tree_fault(tree, c.name->path, (int64_t)i, "is there twice");
    TRY_RETURN(league_add(league, player.name, player.role, player.frozen, player.parent, &id));
    if (*guest) player.guest = strdup(guest);
    if (*guest && !player.guest) return status_set(ERR_MEMORY, "out of memory for a guest");
    league->player[id] = player;
  }
  name_sides(league);
  league->seed = scalar[1];
  league->draws = scalar[2];
  league->table_version = scalar[3];
  double decay = league->payoff.decay;
  payoff_free(&league->payoff);
  league->payoff.decay = decay;
  league->payoff.one_seat = league->config.sides == SIDES_SEPARATE;
  TRY_RETURN(payoff_load(&league->payoff, c.players, tree));
  TRY_RETURN(anchors_load(&league->anchors, league->players, tree));
  TRY_RETURN(load_changes(league, tree));
  TRY_RETURN(tune_load(league, tree));
  if (!tree_find(tree, "league/return_unit"))
    return league_measure_returns(league); /* by an older program */
  TRY_RETURN(tree_get_f64(tree, "league/return_unit", &league->return_unit));
  if (!(league->return_unit >= 0 && league->return_unit < INFINITY))
    return tree_fault(tree, "league/return_unit", -1, "is not a number from 0 on");
  return OK;
}
