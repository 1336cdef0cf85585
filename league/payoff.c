#include "league/payoff.h"

#include "base/invariant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void payoff_free(Payoff *payoff) {
  for (size_t i = 0; i < payoff->rows; i++)
    free(payoff->row[i].pair);
  free(payoff->row);
  free(payoff->gathered);
  *payoff = (Payoff){0};
}

/* Where away stands in a row, or where it would. */
static size_t position(const PairRow *row, uint32_t away) {
  size_t low = 0;
  size_t high = row->pairs;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (row->pair[middle].away < away)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const Pair *payoff_find(const Payoff *payoff, uint32_t home, uint32_t away) {
  if (home >= payoff->rows) return NULL;
  const PairRow *row = &payoff->row[home];
  size_t at = position(row, away);
  return at < row->pairs && row->pair[at].away == away ? &row->pair[at] : NULL;
}

/* Rows are kept sorted by opponent. *out is borrowed until a pair is added to the row. */
Status payoff_pair(Payoff *payoff, uint32_t home, uint32_t away, Pair **out) {
  TRY_RETURN(GROW(payoff->row, payoff->room, (size_t)home + 1));
  if (payoff->rows <= home) payoff->rows = (size_t)home + 1;
  PairRow *row = &payoff->row[home];
  size_t at = position(row, away);
  if (at == row->pairs || row->pair[at].away != away) {
    TRY_RETURN(GROW(row->pair, row->room, row->pairs + 1));
    memmove(row->pair + at + 1, row->pair + at, (row->pairs - at) * sizeof *row->pair);
    row->pair[at] = (Pair){.away = away};
    row->pairs++;
  }
  *out = &row->pair[at];
  return OK;
}

/* A pair that is there. */
static Pair *found(Payoff *payoff, uint32_t home, uint32_t away) {
  PairRow *row = &payoff->row[home];
  return &row->pair[position(row, away)];
}

/* --- a tick's games --- */
/* Both orders of the pair are made, so that settling finds them. */
Status payoff_add(Payoff *payoff, uint32_t first, uint32_t second, const Tally *tally,
                  double second_returns, double second_squares, PayoffPart part) {
  Pair *pair;
  if (first == second || tally->games <= 0) return OK;
  TRY_RETURN(payoff_pair(payoff, first, second, &pair));
  if (!pair->gathered) {
    Pair *mirror;
    TRY_RETURN(GROW(payoff->gathered, payoff->gather_room, payoff->gathers + 1));
    payoff->gathered[payoff->gathers++] = (Gathered){.player = {first, second}};
    pair->gathered = (uint32_t)payoff->gathers;
    TRY_RETURN(payoff_pair(payoff, second, first, &mirror));
    pair = found(payoff, first, second);
  }
  Tally *side = payoff->gathered[pair->gathered - 1].part[part];
  const Tally mirror = tally_of_opponent(tally, second_returns, second_squares);
  tally_add(&side[0], tally);
  tally_add(&side[1], &mirror);
  return OK;
}

/* Enters one seat's games of a tick: what is decayed fades by `keep`, the new games weigh `weight`
 * each. */
static void enter(Pair *pair, int seat, const Gathered *games, double keep, double weight) {
  const Tally *present = &games->part[PAYOFF_TRAIN][seat];
  tally_add(&pair->raw[seat], present);
  tally_add(&pair->raw[seat], &games->part[PAYOFF_RAW_ONLY][seat]);
  tally_add(&pair->eval[seat], &games->part[PAYOFF_EVAL][seat]);
  if (present->games <= 0) return;
  tally_fade(&pair->decayed[seat], present, keep, weight);
  pair->since[seat] = pair->since[seat] * keep + present->games * weight;
}

/* What `home` did on the first seat, `away` saw from the second. */
static bool is_mirrored(const Payoff *payoff, uint32_t home, uint32_t away) {
  const Pair *pair = payoff_find(payoff, home, away);
  const Pair *back = payoff_find(payoff, away, home);
  return pair && back && tally_mirrors(&pair->raw[0], &back->raw[1]) &&
         tally_mirrors(&pair->eval[0], &back->eval[1]) &&
         finite_doubles(&pair->decayed[0].games, SEATS * TALLY_NUMBERS);
}

/* For invariants and tests: what home knows of away is what away knows of home, seen from the other
 * seat. */
bool payoff_symmetric(const Payoff *payoff) {
  for (uint32_t home = 0; home < payoff->rows; home++)
    for (size_t i = 0; i < payoff->row[home].pairs; i++)
      if (!is_mirrored(payoff, home, payoff->row[home].pair[i].away)) return false;
  return true;
}

/* Enters a tick's games at once, as if they had come one by one: n games fade the memory by
 * decay^n, and the sum of a geometric series, shared out evenly, is what they weigh. So the order
 * in which actors report does not matter. */
void payoff_settle(Payoff *payoff) {
  for (size_t i = 0; i < payoff->gathers; i++) {
    const Gathered *games = &payoff->gathered[i];
    double n = games->part[PAYOFF_TRAIN][0].games;
    double keep = pow(payoff->decay, n);
    double weight = payoff->decay < 1 && n > 0 ? (1 - keep) / (1 - payoff->decay) / n : 1;
    Pair *pair = found(payoff, games->player[0], games->player[1]);
    pair->gathered = 0;
    enter(pair, 0, games, keep, weight);
    enter(found(payoff, games->player[1], games->player[0]), 1, games, keep, weight);
    INVARIANT(is_mirrored(payoff, games->player[0], games->player[1]));
  }
  payoff->gathers = 0;
}

/* --- rates --- */
int payoff_seats_known(const Payoff *payoff, uint32_t home, uint32_t away) {
  const Pair *pair = payoff_find(payoff, home, away);
  return pair ? (pair->decayed[0].games > 0) + (pair->decayed[1].games > 0) : 0;
}

double payoff_effective(const Payoff *payoff, double first, double second) {
  return payoff->one_seat ? first + second : seats_effective(first, second);
}

/* The mean of both seats' scores, each seat counting alike however often it was played; 0.5 for who
 * never met. */
double payoff_win_rate(const Payoff *payoff, uint32_t home, uint32_t away) {
  const Pair *pair = payoff_find(payoff, home, away);
  double sum = 0;
  int known = 0;
  /* as tally_means, of scores alone: a table asks for every pair */
  for (int s = 0; pair && s < SEATS; s++) {
    const Tally *tally = &pair->decayed[s];
    if (tally->games <= 0) continue;
    sum += tally_score(tally);
    known++;
  }
  return known == 2 ? sum / 2 : known ? sum : 0.5;
}

/* Half the difference of mean returns; 0 for who never met. */
double payoff_margin(const Payoff *payoff, uint32_t home, uint32_t away) {
  const Pair *pair = payoff_find(payoff, home, away);
  const Pair *back = payoff_find(payoff, away, home);
  SeatMeans own, other;
  if (!pair || !back || !tally_means(pair->decayed, &own) || !tally_means(back->decayed, &other))
    return 0;
  return (own.returns - other.returns) / 2;
}

/* Games remembered and what was scored in them, over all opponents. */
void payoff_score(const Payoff *payoff, uint32_t player, double *games, double *score) {
  *score = 0;
  *games = 0;
  for (size_t i = 0; player < payoff->rows && i < payoff->row[player].pairs; i++) {
    const Pair *pair = &payoff->row[player].pair[i];
    double met = pair->decayed[0].games + pair->decayed[1].games;
    SeatMeans means;
    if (!tally_means(pair->decayed, &means)) continue;
    *games += met;
    *score += met * means.score;
  }
}

/* Of all games ever, what the first seat made of them: shows whether a game favours who begins. */
Tally payoff_first_seat(const Payoff *payoff) {
  Tally sum = {0};
  for (size_t home = 0; home < payoff->rows; home++)
    for (size_t i = 0; i < payoff->row[home].pairs; i++) {
      tally_add(&sum, &payoff->row[home].pair[i].raw[0]);
      tally_add(&sum, &payoff->row[home].pair[i].eval[0]);
    }
  return sum;
}

double payoff_trained(const Payoff *payoff) {
  double sum = 0;
  for (size_t home = 0; home < payoff->rows; home++)
    for (size_t i = 0; i < payoff->row[home].pairs; i++)
      sum += payoff->row[home].pair[i].raw[0].games;
  return sum;
}

/* One team is compared with all others there. How much these comparisons say together depends on
 * the game; as much as one says is the least. */
double payoff_independent(uint32_t teams, double trained, double evaluated) {
  return evaluated + (teams > 2 ? trained / (teams - 1) : trained);
}

/* --- resets and snapshots --- */
void payoff_forget(Payoff *payoff, uint32_t player) {
  for (size_t home = 0; home < payoff->rows; home++)
    for (size_t i = 0; i < payoff->row[home].pairs; i++) {
      Pair *pair = &payoff->row[home].pair[i];
      if (home != player && pair->away != player) continue;
      memset(pair->decayed, 0, sizeof pair->decayed);
      memset(pair->since, 0, sizeof pair->since);
    }
}

void payoff_restart(Payoff *payoff, uint32_t player) {
  if (player >= payoff->rows) return;
  for (size_t i = 0; i < payoff->row[player].pairs; i++)
    memset(payoff->row[player].pair[i].since, 0, sizeof payoff->row[player].pair[i].since);
}

Status payoff_inherit(Payoff *payoff, uint32_t child, uint32_t parent) {
  Pair *to;
  for (size_t i = 0; parent < payoff->rows && i < payoff->row[parent].pairs; i++) {
    Pair from = payoff->row[parent].pair[i];
    if (from.away == child) continue;
    TRY_RETURN(payoff_pair(payoff, child, from.away, &to));
    memcpy(to->decayed, from.decayed, sizeof to->decayed);
  }
  for (uint32_t other = 0; other < payoff->rows; other++) {
    const Pair *from = other == child ? NULL : payoff_find(payoff, other, parent);
    if (!from) continue;
    Pair copy = *from;
    TRY_RETURN(payoff_pair(payoff, other, child, &to));
    memcpy(to->decayed, copy.decayed, sizeof to->decayed);
  }
  return OK;
}

/* Rows are sorted by ids, so that all of them are made anew. */
Status payoff_renumber(Payoff *payoff, const uint32_t *map) {
  Status status = OK;
  Payoff made = {.decay = payoff->decay, .one_seat = payoff->one_seat};
  for (size_t home = 0; home < payoff->rows; home++)
    for (size_t i = 0; i < payoff->row[home].pairs; i++) {
      Pair *to;
      const Pair *from = &payoff->row[home].pair[i];
      const uint32_t away = map[from->away];
      TRY(payoff_pair(&made, map[home], away, &to));
      *to = *from;
      to->away = away;
    }
  payoff_free(payoff);
  *payoff = made;
  made = (Payoff){0};
done:
  payoff_free(&made);
  return status;
}

/* --- columns --- */
enum { TALLIES = SEATS * TALLY_NUMBERS };

/* home, away (u32); raw, decayed, eval: games, wins, draws, losses, returns, squares with home on
 * the first seat, then the same on the second; since: the first seat, the second. */
Status payoff_save(const Payoff *payoff, Tree *tree) {
  Status status = OK;
  size_t count = 0;
  size_t at = 0;
  uint32_t *home = NULL;
  uint32_t *away = NULL;
  double *column[4] = {NULL};
  for (size_t h = 0; h < payoff->rows; h++)
    count += payoff->row[h].pairs;
  TRY(NEW_ARRAY(home, count));
  TRY(NEW_ARRAY(away, count));
  for (int i = 0; i < 4; i++)
    TRY(NEW_ARRAY(column[i], count * (i < 3 ? TALLIES : SEATS)));
  for (size_t h = 0; h < payoff->rows; h++)
    for (size_t i = 0; i < payoff->row[h].pairs; i++, at++) {
      const Pair *pair = &payoff->row[h].pair[i];
      home[at] = (uint32_t)h;
      away[at] = pair->away;
      memcpy(column[0] + at * TALLIES, pair->raw, sizeof pair->raw);
      memcpy(column[1] + at * TALLIES, pair->decayed, sizeof pair->decayed);
      memcpy(column[2] + at * TALLIES, pair->eval, sizeof pair->eval);
      memcpy(column[3] + at * SEATS, pair->since, sizeof pair->since);
    }
  TRY(tree_put(tree, "payoff/home", STORE_U32, count, 1, home));
  TRY(tree_put(tree, "payoff/away", STORE_U32, count, 1, away));
  TRY(tree_put(tree, "payoff/raw", STORE_F64, count, TALLIES, column[0]));
  TRY(tree_put(tree, "payoff/decayed", STORE_F64, count, TALLIES, column[1]));
  TRY(tree_put(tree, "payoff/eval", STORE_F64, count, TALLIES, column[2]));
  TRY(tree_put(tree, "payoff/since", STORE_F64, count, SEATS, column[3]));
done:
  free(home);
  free(away);
  for (int i = 0; i < 4; i++)
    free(column[i]);
  return status;
}

/* One row of a table of doubles. */
static void load_row(const Item *item, size_t row, double *out) {
  memcpy(out, (const double *)item->data + row * item->width, item->width * sizeof *out);
}

/* Whether a row of the columns is of two players that there are, and is there once. */
static Status check_pair(const Payoff *payoff, size_t players, const Tree *tree, size_t row,
                         uint32_t home, uint32_t away) {
  int64_t at = (int64_t)row;
  if (home >= players)
    return tree_fault(tree, "payoff/home", at, "names player %u of %zu", home, players);
  if (away >= players)
    return tree_fault(tree, "payoff/away", at, "names player %u of %zu", away, players);
  if (home == away) return tree_fault(tree, "payoff/away", at, "is a player against itself");
  if (payoff_find(payoff, home, away))
    return tree_fault(tree, "payoff/away", at, "is a pair that was there before");
  return OK;
}

/* Both rows of a pair are stored, and must mirror each other. */
Status payoff_load(Payoff *payoff, size_t players, const Tree *tree) {
  const Item *home;
  const Item *away;
  const Item *part[4];
  static const char *const path[4] = {"payoff/raw", "payoff/decayed", "payoff/eval",
                                      "payoff/since"};
  static const size_t width[4] = {TALLIES, TALLIES, TALLIES, SEATS};
  TRY_RETURN(tree_get(tree, "payoff/home", STORE_U32, -1, &home));
  TRY_RETURN(tree_get(tree, "payoff/away", STORE_U32, (int64_t)home->count, &away));
  for (int i = 0; i < 4; i++)
    TRY_RETURN(tree_get_table(tree, path[i], STORE_F64, (int64_t)home->count, width[i], &part[i]));
  for (size_t i = 0; i < home->count; i++) {
    Pair *pair;
    uint32_t h = ((uint32_t *)home->data)[i];
    uint32_t a = ((uint32_t *)away->data)[i];
    TRY_RETURN(check_pair(payoff, players, tree, i, h, a));
    TRY_RETURN(payoff_pair(payoff, h, a, &pair));
    load_row(part[0], i, &pair->raw[0].games);
    load_row(part[1], i, &pair->decayed[0].games);
    load_row(part[2], i, &pair->eval[0].games);
    load_row(part[3], i, pair->since);
    const Tally *tallies[3] = {pair->raw, pair->decayed, pair->eval};
    for (int s = 0; s < SEATS; s++) {
      for (int t = 0; t < 3; t++)
        if (!tally_is_good(&tallies[t][s]))
          return tree_fault(tree, path[t], (int64_t)i, "is no count of games");
      if (!(pair->since[s] >= 0))
        return tree_fault(tree, path[3], (int64_t)i, "is no number of games");
      pair->since[s] = fmin(pair->since[s], pair->decayed[s].games);
    }
  }
  for (size_t i = 0; i < home->count; i++)
    if (!is_mirrored(payoff, ((uint32_t *)home->data)[i], ((uint32_t *)away->data)[i]))
      return tree_fault(tree, "payoff/raw", (int64_t)i,
                        "or payoff/eval contradicts the row of the other player");
  return OK;
}
