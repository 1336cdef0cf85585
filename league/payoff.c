#include "league/payoff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void payoff_free(Payoff *payoff) {
  for (size_t i = 0; i < payoff->rows; i++) free(payoff->row[i].pair);
  free(payoff->row);
  *payoff = (Payoff){0};
}

static size_t position(const PairRow *row, uint32_t away) {
  size_t low = 0, high = row->pairs;
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

static void tally_add(Tally *to, const Tally *from) {
  to->games += from->games;
  to->wins += from->wins;
  to->draws += from->draws;
  to->losses += from->losses;
  to->returns += from->returns;
  to->squares += from->squares;
}

static void tally_fade(Tally *to, const Tally *from, double decay) {
  double n = from->games, keep = pow(decay, n), weight = decay < 1 ? (1 - keep) / (1 - decay) / n : 1;
  to->games = to->games * keep + from->games * weight;
  to->wins = to->wins * keep + from->wins * weight;
  to->draws = to->draws * keep + from->draws * weight;
  to->losses = to->losses * keep + from->losses * weight;
  to->returns = to->returns * keep + from->returns * weight;
  to->squares = to->squares * keep + from->squares * weight;
}

static void enter(Pair *pair, const Tally *tally, double decay, PayoffPart part) {
  if (part == PAYOFF_EVAL) {
    tally_add(&pair->eval, tally);
    return;
  }
  tally_add(&pair->raw, tally);
  if (part == PAYOFF_RAW_ONLY) return;
  tally_fade(&pair->decayed, tally, decay);
  pair->since += tally->games;
}

Status payoff_add(Payoff *payoff, uint32_t home, uint32_t away, const Tally *tally, double away_returns,
                  double away_squares, PayoffPart part) {
  Pair *pair;
  if (home == away || tally->games <= 0) return OK;
  TRY_RETURN(payoff_pair(payoff, home, away, &pair));
  enter(pair, tally, payoff->decay, part);
  Tally mirror = {tally->games, tally->losses, tally->draws, tally->wins, away_returns, away_squares};
  TRY_RETURN(payoff_pair(payoff, away, home, &pair));
  enter(pair, &mirror, payoff->decay, part);
  return OK;
}

double payoff_win_rate(const Payoff *payoff, uint32_t home, uint32_t away) {
  const Pair *pair = payoff_find(payoff, home, away);
  if (!pair || pair->decayed.games <= 0) return 0.5;
  return (pair->decayed.wins + pair->decayed.draws / 2) / pair->decayed.games;
}

void payoff_score(const Payoff *payoff, uint32_t player, double *games, double *score) {
  *games = *score = 0;
  for (size_t i = 0; player < payoff->rows && i < payoff->row[player].pairs; i++) {
    const Tally *tally = &payoff->row[player].pair[i].decayed;
    *games += tally->games;
    *score += tally->wins + tally->draws / 2;
  }
}

double payoff_return_rate(const Payoff *payoff, uint32_t home, uint32_t away, double low, double high) {
  const Pair *pair = payoff_find(payoff, home, away);
  if (!pair || pair->decayed.games <= 0 || high <= low) return 0.5;
  double x = (pair->decayed.returns / pair->decayed.games - low) / (high - low);
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

void payoff_forget(Payoff *payoff, uint32_t player) {
  for (size_t home = 0; home < payoff->rows; home++)
    for (size_t i = 0; i < payoff->row[home].pairs; i++) {
      Pair *pair = &payoff->row[home].pair[i];
      if (home == player || pair->away == player) pair->decayed = (Tally){0};
    }
}

void payoff_restart(Payoff *payoff, uint32_t player) {
  if (player >= payoff->rows) return;
  for (size_t i = 0; i < payoff->row[player].pairs; i++) payoff->row[player].pair[i].since = 0;
}

Status payoff_inherit(Payoff *payoff, uint32_t child, uint32_t parent) {
  Pair *to;
  for (size_t i = 0; parent < payoff->rows && i < payoff->row[parent].pairs; i++) {
    Pair from = payoff->row[parent].pair[i];
    if (from.away == child) continue;
    TRY_RETURN(payoff_pair(payoff, child, from.away, &to));
    to->decayed = from.decayed;
  }
  for (uint32_t other = 0; other < payoff->rows; other++) {
    const Pair *from = other == child ? NULL : payoff_find(payoff, other, parent);
    if (!from) continue;
    Tally tally = from->decayed;
    TRY_RETURN(payoff_pair(payoff, other, child, &to));
    to->decayed = tally;
  }
  return OK;
}

/* One dataset per column: home, away (u32); each tally as 6 columns (games, wins, draws, losses, returns, squares). */
Status payoff_save(const Payoff *payoff, Tree *tree) {
  Status status = OK;
  size_t count = 0, at = 0;
  uint32_t *home = NULL, *away = NULL;
  double *column[4] = {NULL}; /* raw, decayed, eval: (count, 6); since */
  for (size_t h = 0; h < payoff->rows; h++) count += payoff->row[h].pairs;
  TRY(NEW_ARRAY(home, count));
  TRY(NEW_ARRAY(away, count));
  for (int i = 0; i < 4; i++) TRY(NEW_ARRAY(column[i], count * (i < 3 ? 6 : 1)));
  for (size_t h = 0; h < payoff->rows; h++)
    for (size_t i = 0; i < payoff->row[h].pairs; i++, at++) {
      const Pair *pair = &payoff->row[h].pair[i];
      home[at] = (uint32_t)h;
      away[at] = pair->away;
      memcpy(column[0] + at * 6, &pair->raw, sizeof(Tally));
      memcpy(column[1] + at * 6, &pair->decayed, sizeof(Tally));
      memcpy(column[2] + at * 6, &pair->eval, sizeof(Tally));
      column[3][at] = pair->since;
    }
  TRY(tree_put(tree, "payoff/home", STORE_U32, count, 1, home));
  TRY(tree_put(tree, "payoff/away", STORE_U32, count, 1, away));
  TRY(tree_put(tree, "payoff/raw", STORE_F64, count, 6, column[0]));
  TRY(tree_put(tree, "payoff/decayed", STORE_F64, count, 6, column[1]));
  TRY(tree_put(tree, "payoff/eval", STORE_F64, count, 6, column[2]));
  TRY(tree_put(tree, "payoff/since", STORE_F64, count, 1, column[3]));
done:
  free(home);
  free(away);
  for (int i = 0; i < 4; i++) free(column[i]);
  return status;
}

Status payoff_load(Payoff *payoff, const Tree *tree) {
  const Item *home, *away, *part[4];
  static const char *const path[4] = {"payoff/raw", "payoff/decayed", "payoff/eval", "payoff/since"};
  TRY_RETURN(tree_get(tree, "payoff/home", STORE_U32, -1, &home));
  TRY_RETURN(tree_get(tree, "payoff/away", STORE_U32, (int64_t)home->count, &away));
  for (int i = 0; i < 4; i++) {
    TRY_RETURN(tree_get(tree, path[i], STORE_F64, (int64_t)home->count, &part[i]));
    if (part[i]->width != (i < 3 ? 6 : 1) && home->count)
      return status_set(ERR_FORMAT, "dataset %s has a foreign shape", path[i]);
  }
  for (size_t i = 0; i < home->count; i++) {
    Pair *pair;
    TRY_RETURN(payoff_pair(payoff, ((uint32_t *)home->data)[i], ((uint32_t *)away->data)[i], &pair));
    memcpy(&pair->raw, (double *)part[0]->data + i * 6, sizeof(Tally));
    memcpy(&pair->decayed, (double *)part[1]->data + i * 6, sizeof(Tally));
    memcpy(&pair->eval, (double *)part[2]->data + i * 6, sizeof(Tally));
    pair->since = ((double *)part[3]->data)[i];
  }
  return OK;
}
