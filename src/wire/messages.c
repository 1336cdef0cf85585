/* Bodies: tables, results, directives, numbers. */
#include "wire/wire.h"

#include "base/invariant.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BITS = 44 }; /* of what one tick can count: sums of such numbers never wrap */

void table_clear(Table *table) {
  table->homes = table->matches = table->evals = 0;
  table->tick = table->version = table->flags = 0;
}

void table_free(Table *table) {
  free(table->home);
  free(table->match);
  free(table->eval);
  *table = (Table){0};
}

Status table_copy(Table *to, const Table *from) {
  TRY_RETURN(GROW(to->home, to->home_room, from->homes));
  TRY_RETURN(GROW(to->match, to->match_room, from->matches));
  TRY_RETURN(GROW(to->eval, to->eval_room, from->evals));
  if (from->homes) memcpy(to->home, from->home, from->homes * sizeof *to->home);
  if (from->matches) memcpy(to->match, from->match, from->matches * sizeof *to->match);
  if (from->evals) memcpy(to->eval, from->eval, from->evals * sizeof *to->eval);
  to->homes = from->homes;
  to->matches = from->matches;
  to->evals = from->evals;
  table_head(to, from);
  return OK;
}

void table_head(Table *to, const Table *from) {
  to->tick = from->tick;
  to->version = from->version;
  to->flags = from->flags;
}

static void encode_match(const MatchEntry *match, Bytes *out) {
  bytes_u32(out, match->home);
  bytes_u32(out, match->away);
  bytes_put(out, &match->probability, 4);
  bytes_u32(out, (uint32_t)match->flags << 8 | match->branch);
}

static void decode_match(MatchEntry *match, Reader *reader) {
  match->home = reader_u32(reader);
  match->away = reader_u32(reader);
  reader_get(reader, &match->probability, 4);
  uint32_t packed = reader_u32(reader);
  match->flags = (uint8_t)(packed >> 8);
  match->branch = (uint8_t)packed;
  if (match->branch >= BRANCH_COUNT || packed >> 16 || match->flags > (MATCH_LIVE | MATCH_AWAY_LEARNS) ||
      !(match->probability >= 0 && match->probability <= 1.001f))
    reader->bad = true;
}

bool table_is_whole(const Table *table) {
  double shares = 0;
  for (size_t h = 0; h < table->homes; h++) {
    const HomeEntry *home = &table->home[h];
    double sum = 0;
    for (uint32_t m = 0; m < home->count; m++) sum += (double)table->match[home->first + m].probability;
    if (home->count && !(fabs(sum - 1) < 1e-3)) return false;
    shares += (double)home->share;
  }
  return !table->homes || fabs(shares - 1) < 1e-3;
}

void table_encode(const Table *table, Bytes *out) {
  bytes_u64(out, table->tick);
  bytes_u64(out, table->version);
  bytes_u32(out, table->flags);
  if (table->flags & TABLE_SAME) return;
  bytes_u64(out, table->homes);
  for (size_t i = 0; i < table->homes; i++) {
    const HomeEntry *home = &table->home[i];
    bytes_u32(out, home->player);
    bytes_u32(out, home->life);
    bytes_put(out, &home->share, 4);
    bytes_u32(out, home->first);
    bytes_u32(out, home->count);
  }
  bytes_u64(out, table->matches);
  for (size_t i = 0; i < table->matches; i++) encode_match(&table->match[i], out);
  bytes_u64(out, table->evals);
  for (size_t i = 0; i < table->evals; i++) encode_match(&table->eval[i], out);
}

Status table_decode(Table *table, Reader *reader) {
  table->tick = reader_u64(reader);
  table->version = reader_u64(reader);
  table->flags = reader_u32(reader);
  if (table->flags > (TABLE_SAVE | TABLE_STOP | TABLE_SAME)) reader->bad = true;
  if (table->flags & TABLE_SAME) return reader->bad ? status_set(ERR_FORMAT, "matchmaking table is damaged") : OK;
  table->homes = reader_count(reader, 20);
  if (table->homes > WIRE_LEARNERS) reader->bad = true, table->homes = 0;
  TRY_RETURN(GROW(table->home, table->home_room, table->homes));
  for (size_t i = 0; i < table->homes; i++) {
    HomeEntry *home = &table->home[i];
    home->player = reader_u32(reader);
    home->life = reader_u32(reader);
    reader_get(reader, &home->share, 4);
    home->first = reader_u32(reader);
    home->count = reader_u32(reader);
  }
  table->matches = reader_count(reader, 16);
  TRY_RETURN(GROW(table->match, table->match_room, table->matches));
  for (size_t i = 0; i < table->matches; i++) decode_match(&table->match[i], reader);
  table->evals = reader_count(reader, 16);
  TRY_RETURN(GROW(table->eval, table->eval_room, table->evals));
  for (size_t i = 0; i < table->evals; i++) decode_match(&table->eval[i], reader);
  for (size_t i = 0; i < table->homes; i++)
    if ((size_t)table->home[i].first + table->home[i].count > table->matches) reader->bad = true;
  if (reader->bad) table_clear(table);
  return reader->bad ? status_set(ERR_FORMAT, "matchmaking table is damaged") : OK;
}

static Status check_home(const Table *table, const HomeEntry *home, size_t learning, size_t players) {
  double sum = 0;
  if (home->player >= learning || !(home->share >= 0 && home->share <= 1.001f))
    return status_set(ERR_FORMAT, "a table gives player %u, of %zu learning, the share %g", home->player, learning,
                      (double)home->share);
  for (size_t i = home->first; i < (size_t)home->first + home->count; i++) {
    const MatchEntry *match = &table->match[i];
    if (match->home != home->player || match->away >= players)
      return status_set(ERR_FORMAT, "a table has player %u meet player %u of %zu", match->home, match->away, players);
    sum += (double)match->probability;
  }
  return sum > 0 ? OK : status_set(ERR_FORMAT, "a table has nobody for player %u to meet", home->player);
}

Status table_check(const Table *table, size_t learning, size_t players) {
  double shares = 0;
  for (size_t i = 0; i < table->homes; i++) {
    TRY_RETURN(check_home(table, &table->home[i], learning, players));
    shares += (double)table->home[i].share;
  }
  if (!(shares > 0) || table->homes > learning) return status_set(ERR_FORMAT, "a table shares out no matches");
  for (size_t i = 0; i < table->evals; i++)
    if (table->eval[i].home >= players || !is_opponent(table->eval[i].away, players))
      return status_set(ERR_FORMAT, "a table evaluates players %u and %u of %zu", table->eval[i].home,
                        table->eval[i].away, players);
  return OK;
}

uint32_t table_life(const Table *table, uint32_t player) {
  for (size_t i = 0; i < table->homes; i++)
    if (table->home[i].player == player) return table->home[i].life;
  return 0;
}

void results_clear(Results *results) {
  results->pairs = results->frames = 0;
  results->tick = results->decisions_frozen = results->steps = results->episodes = 0;
  memset(results->metric, 0, sizeof results->metric);
}

void results_free(Results *results) {
  free(results->pair);
  free(results->frame);
  *results = (Results){0};
}

PairCount *results_pair(Results *results, const PairCount *key) {
  for (size_t i = 0; i < results->pairs; i++) {
    PairCount *pair = &results->pair[i];
    if (pair->home == key->home && pair->away == key->away && pair->seat == key->seat && pair->eval == key->eval &&
        pair->home_life == key->home_life && pair->away_life == key->away_life && pair->branch == key->branch)
      return pair;
  }
  if (GROW(results->pair, results->pair_room, results->pairs + 1) != OK) return NULL;
  PairCount *pair = &results->pair[results->pairs++];
  *pair = (PairCount){.home = key->home,
                      .away = key->away,
                      .seat = key->seat,
                      .eval = key->eval,
                      .branch = key->branch,
                      .home_life = key->home_life,
                      .away_life = key->away_life};
  return pair;
}

Status results_frames(Results *results, uint32_t player, uint64_t frames) {
  for (size_t i = 0; i < results->frames; i++)
    if (results->frame[i].player == player) {
      results->frame[i].frames += frames;
      return OK;
    }
  TRY_RETURN(GROW(results->frame, results->frame_room, results->frames + 1));
  results->frame[results->frames++] = (FrameCount){player, frames};
  return OK;
}

static void encode_pair(const PairCount *pair, Bytes *out) {
  bytes_u32(out, pair->home);
  bytes_u32(out, pair->away);
  bytes_u32(out, pair->home_life);
  bytes_u32(out, pair->away_life);
  bytes_u32(out, (uint32_t)pair->seat | (uint32_t)pair->eval << 8 | (uint32_t)pair->branch << 16);
  bytes_u32(out, pair->games);
  bytes_u32(out, pair->wins);
  bytes_u32(out, pair->draws);
  bytes_u32(out, pair->losses);
  bytes_f64(out, pair->outcome);
  bytes_f64(out, pair->home_return);
  bytes_f64(out, pair->home_square);
  bytes_f64(out, pair->away_return);
  bytes_f64(out, pair->away_square);
  bytes_f64(out, pair->wins_over_p);
  bytes_u64(out, pair->length);
}

static void decode_pair(PairCount *pair, Reader *reader) {
  pair->home = reader_u32(reader);
  pair->away = reader_u32(reader);
  pair->home_life = reader_u32(reader);
  pair->away_life = reader_u32(reader);
  uint32_t packed = reader_u32(reader);
  pair->seat = (uint8_t)packed;
  pair->eval = (uint8_t)(packed >> 8);
  pair->branch = (uint8_t)(packed >> 16);
  pair->games = reader_u32(reader);
  pair->wins = reader_u32(reader);
  pair->draws = reader_u32(reader);
  pair->losses = reader_u32(reader);
  pair->outcome = reader_f64(reader);
  pair->home_return = reader_f64(reader);
  pair->home_square = reader_f64(reader);
  pair->away_return = reader_f64(reader);
  pair->away_square = reader_f64(reader);
  pair->wins_over_p = reader_f64(reader);
  pair->length = reader_u64(reader);
  const double sums[] = {pair->outcome,     pair->home_return, pair->home_square,
                         pair->away_return, pair->away_square, pair->wins_over_p};
  uint64_t games = (uint64_t)pair->wins + pair->draws + pair->losses;
  if (games != pair->games || pair->seat >= 4 || pair->eval > 1 || pair->branch >= BRANCH_COUNT || packed >> 24 ||
      pair->home >= WIRE_PLAYERS || !(pair->eval ? is_opponent(pair->away, WIRE_PLAYERS) : pair->away < WIRE_PLAYERS) ||
      !finite_doubles(sums, COUNT_OF(sums)) || pair->home_square < 0 || pair->away_square < 0 ||
      pair->length >> MOST_BITS)
    reader->bad = true;
}

void results_encode(const Results *results, Bytes *out) {
  bytes_u64(out, results->tick);
  bytes_u64(out, results->decisions_frozen);
  bytes_u64(out, results->steps);
  bytes_u64(out, results->episodes);
  bytes_put(out, results->metric, sizeof results->metric);
  bytes_u64(out, results->pairs);
  for (size_t i = 0; i < results->pairs; i++) encode_pair(&results->pair[i], out);
  bytes_u64(out, results->frames);
  for (size_t i = 0; i < results->frames; i++) {
    bytes_u32(out, results->frame[i].player);
    bytes_u64(out, results->frame[i].frames);
  }
}

Status results_decode(Results *results, Reader *reader) {
  results_clear(results);
  results->tick = reader_u64(reader);
  results->decisions_frozen = reader_u64(reader);
  results->steps = reader_u64(reader);
  results->episodes = reader_u64(reader);
  reader_get(reader, results->metric, sizeof results->metric);
  if (!finite_doubles(results->metric, COUNT_OF(results->metric)) ||
      (results->decisions_frozen | results->steps | results->episodes) >> MOST_BITS)
    reader->bad = true;
  size_t pairs = reader_count(reader, 92);
  TRY_RETURN(GROW(results->pair, results->pair_room, pairs));
  for (size_t i = 0; i < pairs; i++) decode_pair(&results->pair[i], reader);
  size_t frames = reader_count(reader, 12);
  TRY_RETURN(GROW(results->frame, results->frame_room, frames));
  for (size_t i = 0; i < frames; i++) {
    results->frame[i].player = reader_u32(reader);
    results->frame[i].frames = reader_u64(reader);
    if (results->frame[i].frames >> MOST_BITS) reader->bad = true;
  }
  results->pairs = reader->bad ? 0 : pairs;
  results->frames = reader->bad ? 0 : frames;
  return reader->bad ? status_set(ERR_FORMAT, "results message is damaged") : OK;
}

void directive_encode(const Directive *directive, size_t block_floats, Bytes *out) {
  bytes_u64(out, directive->tick);
  bytes_u64(out, directive->number);
  bytes_u32(out, directive->flags);
  bytes_u64(out, directive->orders);
  for (size_t i = 0; i < directive->orders; i++) {
    const Order *order = &directive->order[i];
    bytes_u32(out, order->player);
    bytes_u32(out, order->snapshot_id);
    bytes_u32(out, order->reset);
    bytes_u32(out, order->block ? order->source_frozen : 0);
    if (order->block) bytes_put(out, order->block, block_floats * sizeof(float));
  }
}

Status directive_decode(Directive *directive, size_t block_floats, Reader *reader) {
  directive->tick = reader_u64(reader);
  directive->number = reader_u64(reader);
  directive->flags = reader_u32(reader);
  directive->orders = reader_count(reader, 16);
  if (directive->orders > COUNT_OF(directive->order) || directive->flags > (DIRECTIVE_SAVE | DIRECTIVE_STOP))
    reader->bad = true;
  for (size_t i = 0; i < directive->orders && !reader->bad; i++) {
    Order *order = &directive->order[i];
    order->player = reader_u32(reader);
    order->snapshot_id = reader_u32(reader);
    order->reset = reader_u32(reader);
    order->source_frozen = reader_u32(reader);
    order->block = order->source_frozen ? reader_take(reader, block_floats * sizeof(float)) : NULL;
    if (order->reset > RESET_COPY || order->player >= WIRE_PLAYERS || order->snapshot_id >= WIRE_PLAYERS ||
        (order->reset == RESET_COPY) != (order->block != NULL))
      reader->bad = true;
  }
  return reader->bad ? status_set(ERR_FORMAT, "directive message is damaged") : OK;
}

void numbers_set(Numbers *numbers, const char *name, double value) {
  for (size_t i = 0; i < numbers->count; i++)
    if (!strcmp(numbers->item[i].name, name)) {
      numbers->item[i].value = value;
      return;
    }
  if (numbers->count == COUNT_OF(numbers->item)) return;
  NamedNumber *item = &numbers->item[numbers->count++];
  snprintf(item->name, sizeof item->name, "%s", name);
  item->value = value;
}

double numbers_get(const Numbers *numbers, const char *name) {
  for (size_t i = 0; i < numbers->count; i++)
    if (!strcmp(numbers->item[i].name, name)) return numbers->item[i].value;
  return 0;
}

void numbers_encode(const Numbers *numbers, Bytes *out) {
  bytes_u32(out, (uint32_t)numbers->count);
  for (size_t i = 0; i < numbers->count; i++) {
    bytes_text(out, numbers->item[i].name);
    bytes_f64(out, numbers->item[i].value);
  }
}

void numbers_decode(Numbers *numbers, Reader *reader) {
  numbers->count = reader_u32(reader);
  if (numbers->count > COUNT_OF(numbers->item)) reader->bad = true;
  if (reader->bad) numbers->count = 0;
  for (size_t i = 0; i < numbers->count; i++) {
    reader_text(reader, numbers->item[i].name, sizeof numbers->item[i].name);
    numbers->item[i].value = reader_f64(reader);
    if (!text_is_name(numbers->item[i].name, sizeof numbers->item[i].name)) reader->bad = true;
  }
  if (reader->bad) numbers->count = 0;
}
