/* Bodies, in the order of messages.h, and at the end the table of routes. */
#include "wire/messages.h"

#include "base/invariant.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BITS = 44 }; /* of what one tick can count: sums of such numbers never wrap */

/* --- policies --- */

/* A policy's floats. */
static void put_block(const float *value, size_t block, Bytes *out) {
  bytes_put(out, value, block * sizeof *value);
}

void weights_encode(const WireWeights *weights, size_t block, Bytes *out) {
  bytes_u32(out, weights->player);
  bytes_u32(out, weights->life);
  bytes_u64(out, weights->version);
  bytes_u64(out, weights->tick);
  put_block(weights->value, block, out);
}

/* A policy that holds anything but numbers would spread to every actor. */
Status weights_decode(WireWeights *weights, size_t block, Reader *body) {
  weights->player = reader_u32(body);
  weights->life = reader_u32(body);
  weights->version = reader_u64(body);
  weights->tick = reader_u64(body);
  weights->value = reader_take(body, block * sizeof(float));
  TRY_RETURN(reader_finish(body, "the body"));
  if (finite_floats(weights->value, block)) return OK;
  return status_set(ERR_FORMAT, "weights of player %u hold what is no number", weights->player);
}

void fetch_encode(const WireFetch *fetch, Bytes *out) {
  bytes_u32(out, fetch->player);
}

Status fetch_decode(WireFetch *fetch, Reader *body) {
  fetch->player = reader_u32(body);
  return reader_finish(body, "the body");
}

void frozen_encode(const WireFrozen *frozen, size_t block, Bytes *out) {
  bytes_u32(out, frozen->player);
  put_block(frozen->value, block, out);
}

Status frozen_decode(WireFrozen *frozen, size_t block, Reader *body) {
  frozen->player = reader_u32(body);
  frozen->value = reader_take(body, block * sizeof(float));
  TRY_RETURN(reader_finish(body, "the body"));
  if (finite_floats(frozen->value, block)) return OK;
  return status_set(ERR_FORMAT, "the policy of player %u holds what is no number", frozen->player);
}

void guest_encode(const WireGuest *guest, Bytes *out) {
  bytes_u32(out, guest->player);
  bytes_text(out, guest->name);
  bytes_text(out, guest->text);
  bytes_u64(out, guest->size);
  bytes_put(out, guest->bytes, guest->size);
}

Status guest_decode(WireGuest *guest, Reader *body) {
  guest->player = reader_u32(body);
  reader_text(body, guest->name, sizeof guest->name);
  reader_text(body, guest->text, sizeof guest->text);
  guest->size = reader_count(body, 1);
  guest->bytes = reader_take(body, guest->size);
  TRY_RETURN(reader_finish(body, "the body"));
  if (guest->player < WIRE_PLAYERS && *guest->name && *guest->text) return OK;
  return status_set(ERR_FORMAT, "a guest message is damaged");
}

void fault_encode(const WireFault *fault, Bytes *out) {
  bytes_u32(out, fault->player);
  bytes_text(out, fault->text);
}

Status fault_decode(WireFault *fault, Reader *body) {
  fault->player = reader_u32(body);
  reader_text(body, fault->text, sizeof fault->text);
  TRY_RETURN(reader_finish(body, "the body"));
  if (fault->player < WIRE_PLAYERS && *fault->text) return OK;
  return status_set(ERR_FORMAT, "a fault message is damaged");
}

/* --- matchmaking table --- */

/* Keeps the memory. */
void table_clear(Table *table) {
  table->evals = 0;
  table->matches = 0;
  table->homes = 0;
  table->flags = 0;
  table->stage = 0;
  table->version = 0;
  table->tick = 0;
}

/* Frees the entries; the table can be used again. */
void table_free(Table *table) {
  free(table->home);
  free(table->match);
  free(table->eval);
  *table = (Table){0};
}

/* Entries and head. */
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
  to->stage = from->stage;
}

/* Flags and stage share a word, so that tables without stages are as they were before there were
 * any. */
enum { STAGE_SHIFT = 8, MOST_STAGE = 255 };

/* Four words; flags and branch share one. */
static void encode_entry(const MatchEntry *match, Bytes *out) {
  bytes_u32(out, match->home);
  bytes_u32(out, match->away);
  bytes_put(out, &match->probability, 4);
  bytes_u32(out, (uint32_t)match->flags << 8 | match->branch);
}

/* A probability may exceed 1 by rounding. */
static void decode_entry(MatchEntry *match, Reader *reader) {
  match->home = reader_u32(reader);
  match->away = reader_u32(reader);
  reader_get(reader, &match->probability, 4);
  uint32_t packed = reader_u32(reader);
  match->flags = (uint8_t)(packed >> 8);
  match->branch = (uint8_t)packed;
  if (match->branch >= BRANCH_COUNT || packed >> 16 || match->flags >= MATCH_FLAGS ||
      !(match->probability >= 0 && match->probability <= 1.001f))
    reader->bad = true;
}

/* A thousandth is allowed for rounding. */
bool table_is_whole(const Table *table) {
  double shares = 0;
  for (size_t h = 0; h < table->homes; h++) {
    const HomeEntry *home = &table->home[h];
    double sum = 0;
    for (uint32_t m = 0; m < home->count; m++)
      sum += (double)table->match[home->first + m].probability;
    if (home->count && !(fabs(sum - 1) < 1e-3)) return false;
    shares += (double)home->share;
  }
  return !table->homes || fabs(shares - 1) < 1e-3;
}

/* With TABLE_SAME only the head goes out. */
void table_encode(const Table *table, Bytes *out) {
  bytes_u64(out, table->tick);
  bytes_u64(out, table->version);
  bytes_u32(out, table->stage << STAGE_SHIFT | table->flags);
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
  for (size_t i = 0; i < table->matches; i++)
    encode_entry(&table->match[i], out);
  bytes_u64(out, table->evals);
  for (size_t i = 0; i < table->evals; i++)
    encode_entry(&table->eval[i], out);
}

/* Trees pass tables on: those who only pass need no more than this. */
Status table_decode_head(Table *table, Reader *reader) {
  table->tick = reader_u64(reader);
  table->version = reader_u64(reader);
  const uint32_t packed = reader_u32(reader);
  table->flags = packed & ((1u << STAGE_SHIFT) - 1);
  table->stage = packed >> STAGE_SHIFT;
  if (table->flags > (TABLE_SAVE | TABLE_STOP | TABLE_SAME)) reader->bad = true;
  if (table->stage > MOST_STAGE) reader->bad = true;
  return reader->bad ? status_set(ERR_FORMAT, "matchmaking table is damaged") : OK;
}

/* Counts are compared with the bytes that are left before memory is taken for them. */
Status table_decode(Table *table, Reader *reader) {
  TRY_RETURN(table_decode_head(table, reader));
  if (table->flags & TABLE_SAME) return OK;
  table->homes = reader_count(reader, 20);
  if (table->homes > WIRE_LEARNERS) {
    reader->bad = true;
    table->homes = 0;
  }
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
  for (size_t i = 0; i < table->matches; i++)
    decode_entry(&table->match[i], reader);
  table->evals = reader_count(reader, 16);
  TRY_RETURN(GROW(table->eval, table->eval_room, table->evals));
  for (size_t i = 0; i < table->evals; i++)
    decode_entry(&table->eval[i], reader);
  for (size_t i = 0; i < table->homes; i++)
    if ((size_t)table->home[i].first + table->home[i].count > table->matches) reader->bad = true;
  if (reader->bad) table_clear(table);
  return reader->bad ? status_set(ERR_FORMAT, "matchmaking table is damaged") : OK;
}

/* One home player's row: its share, its opponents, and that it has any. */
static Status check_home(const Table *table, const HomeEntry *home, size_t learning,
                         size_t players) {
  double sum = 0;
  if (home->player >= learning || !(home->share >= 0 && home->share <= 1.001f))
    return status_set(ERR_FORMAT, "a table gives player %u, of %zu learning, the share %g",
                      home->player, learning, (double)home->share);
  for (size_t i = home->first; i < (size_t)home->first + home->count; i++) {
    const MatchEntry *match = &table->match[i];
    if (match->home != home->player || match->away >= players)
      return status_set(ERR_FORMAT, "a table has player %u meet player %u of %zu", match->home,
                        match->away, players);
    sum += (double)match->probability;
  }
  return sum > 0 ? OK
                 : status_set(ERR_FORMAT, "a table has nobody for player %u to meet", home->player);
}

/* What the wire cannot know: how many players there are, and which of them learn. */
Status table_check(const Table *table, size_t learning, size_t players) {
  double shares = 0;
  for (size_t i = 0; i < table->homes; i++) {
    TRY_RETURN(check_home(table, &table->home[i], learning, players));
    shares += (double)table->home[i].share;
  }
  if (!(shares > 0) || table->homes > learning)
    return status_set(ERR_FORMAT, "a table shares out no matches");
  for (size_t i = 0; i < table->evals; i++)
    if (table->eval[i].home >= players || !is_opponent(table->eval[i].away, players))
      return status_set(ERR_FORMAT, "a table evaluates players %u and %u of %zu",
                        table->eval[i].home, table->eval[i].away, players);
  return OK;
}

/* Looks through the homes, of which there are few. */
uint32_t table_life(const Table *table, uint32_t player) {
  for (size_t i = 0; i < table->homes; i++)
    if (table->home[i].player == player) return table->home[i].life;
  return 0;
}

/* --- experience --- */
/* All that is left of a body, borrowed; *size is how much. */
static const void *take_rest(Reader *body, size_t *size) {
  *size = body->bad ? 0 : body->size - body->at;
  return reader_take(body, *size);
}

/* Appends `tail`; NULL: the sender appends its own. */
static void put_tail(const void *tail, size_t size, Bytes *out) {
  if (tail) bytes_put(out, tail, size);
}

/* The batch behind it is often encoded in place. */
void unrolls_encode(const WireUnrolls *unrolls, Bytes *out) {
  bytes_u64(out, unrolls->tick);
  bytes_u32(out, unrolls->player);
  bytes_u32(out, unrolls->actor);
  put_tail(unrolls->batch, unrolls->size, out);
}

Status unrolls_decode(WireUnrolls *unrolls, Reader *body) {
  unrolls->tick = reader_u64(body);
  unrolls->player = reader_u32(body);
  unrolls->actor = reader_u32(body);
  unrolls->batch = take_rest(body, &unrolls->size);
  return reader_finish(body, "the body");
}

Status unrolls_batch(const WireUnrolls *unrolls, Batch *batch) {
  Reader reader = reader_over(unrolls->batch, unrolls->size);
  TRY_RETURN(batch_decode(batch, &reader));
  return reader_finish(&reader, "experience message");
}

void tick_end_encode(const WireTickEnd *end, Bytes *out) {
  bytes_u64(out, end->tick);
  bytes_u32(out, end->actor);
  bytes_u32(out, end->flags);
  bytes_u64(out, end->frames);
}

Status tick_end_decode(WireTickEnd *end, Reader *body) {
  end->tick = reader_u64(body);
  end->actor = reader_u32(body);
  end->flags = reader_u32(body);
  end->frames = reader_u64(body);
  return reader_finish(body, "the body");
}

void credit_encode(const WireCredit *credit, Bytes *out) {
  bytes_u64(out, credit->ticks);
}

Status credit_decode(WireCredit *credit, Reader *body) {
  credit->ticks = reader_u64(body);
  return reader_finish(body, "the body");
}

/* --- results --- */

/* Keeps the memory. */
void results_clear(Results *results) {
  results->frames = 0;
  results->pairs = 0;
  results->abandoned = 0;
  results->episodes = 0;
  results->steps = 0;
  results->decisions_frozen = 0;
  results->tick = 0;
  results->stage = 0;
  results->staged = 0;
  results->staged_sum = 0;
  memset(results->metric, 0, sizeof results->metric);
}

/* Frees the counts; the struct can be used again. */
void results_free(Results *results) {
  free(results->pair);
  free(results->frame);
  *results = (Results){0};
}

/* An actor's tick has few pairs; they are looked through. */
PairResults *results_pair(Results *results, const PairResults *key) {
  for (size_t i = 0; i < results->pairs; i++) {
    PairResults *pair = &results->pair[i];
    if (pair->home == key->home && pair->away == key->away && pair->seat == key->seat &&
        pair->eval == key->eval && pair->home_life == key->home_life &&
        pair->away_life == key->away_life && pair->branch == key->branch)
      return pair;
  }
  if (GROW(results->pair, results->pair_room, results->pairs + 1) != OK) return NULL;
  PairResults *pair = &results->pair[results->pairs++];
  *pair = (PairResults){.home = key->home,
                        .away = key->away,
                        .seat = key->seat,
                        .eval = key->eval,
                        .branch = key->branch,
                        .home_life = key->home_life,
                        .away_life = key->away_life};
  return pair;
}

bool results_add_up(const Results *results, size_t opponents) {
  uint64_t trained = 0;
  uint64_t evaluated = 0;
  for (size_t i = 0; i < results->pairs; i++) {
    const PairResults *pair = &results->pair[i];
    *(pair->eval ? &evaluated : &trained) += (uint64_t)pair->tally.games;
  }
  if (evaluated > results->episodes) return false;
  return trained == (results->episodes - evaluated) * opponents;
}

/* Adds to the player's count. */
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

/* Counts of one tick fit into 32 bits. */
static void encode_pair(const PairResults *pair, Bytes *out) {
  bytes_u32(out, pair->home);
  bytes_u32(out, pair->away);
  bytes_u32(out, pair->home_life);
  bytes_u32(out, pair->away_life);
  bytes_u32(out, (uint32_t)pair->seat | (uint32_t)pair->eval << 8 | (uint32_t)pair->branch << 16);
  bytes_u32(out, (uint32_t)pair->tally.games);
  bytes_u32(out, (uint32_t)pair->tally.wins);
  bytes_u32(out, (uint32_t)pair->tally.draws);
  bytes_u32(out, (uint32_t)pair->tally.losses);
  bytes_f64(out, pair->outcome);
  bytes_f64(out, pair->tally.returns);
  bytes_f64(out, pair->tally.squares);
  bytes_f64(out, pair->away_return);
  bytes_f64(out, pair->away_square);
  bytes_f64(out, pair->wins_over_p);
  bytes_u64(out, pair->length);
}

/* Everything that a league adds up is checked: it would be in its books for good. */
static void decode_pair(PairResults *pair, Reader *reader) {
  pair->home = reader_u32(reader);
  pair->away = reader_u32(reader);
  pair->home_life = reader_u32(reader);
  pair->away_life = reader_u32(reader);
  uint32_t packed = reader_u32(reader);
  pair->seat = (uint8_t)packed;
  pair->eval = (uint8_t)(packed >> 8);
  pair->branch = (uint8_t)(packed >> 16);
  pair->tally.games = reader_u32(reader);
  pair->tally.wins = reader_u32(reader);
  pair->tally.draws = reader_u32(reader);
  pair->tally.losses = reader_u32(reader);
  pair->outcome = reader_f64(reader);
  pair->tally.returns = reader_f64(reader);
  pair->tally.squares = reader_f64(reader);
  pair->away_return = reader_f64(reader);
  pair->away_square = reader_f64(reader);
  pair->wins_over_p = reader_f64(reader);
  pair->length = reader_u64(reader);
  const double sums[] = {pair->outcome, pair->away_return, pair->away_square, pair->wins_over_p};
  if (!tally_is_whole(&pair->tally) || pair->seat >= 4 || pair->eval > 1 ||
      pair->branch >= BRANCH_COUNT || packed >> 24 || pair->home >= WIRE_PLAYERS ||
      !(pair->eval ? is_opponent(pair->away, WIRE_PLAYERS) : pair->away < WIRE_PLAYERS) ||
      !finite_doubles(sums, COUNT_OF(sums)) || pair->away_square < 0 || pair->length >> MOST_BITS)
    reader->bad = true;
}

void results_encode(const Results *results, Bytes *out) {
  bytes_u32(out, results->actor);
  bytes_u64(out, results->tick);
  bytes_u64(out, results->decisions_frozen);
  bytes_u64(out, results->steps);
  bytes_u64(out, results->episodes);
  bytes_u64(out, results->abandoned);
  bytes_put(out, results->metric, sizeof results->metric);
  bytes_f64(out, results->waits);
  bytes_u32(out, results->stage);
  bytes_u64(out, results->staged);
  bytes_f64(out, results->staged_sum);
  bytes_u64(out, results->pairs);
  for (size_t i = 0; i < results->pairs; i++)
    encode_pair(&results->pair[i], out);
  bytes_u64(out, results->frames);
  for (size_t i = 0; i < results->frames; i++) {
    bytes_u32(out, results->frame[i].player);
    bytes_u64(out, results->frame[i].frames);
  }
}

/* On failure *results holds nothing that may be used. */
Status results_decode(Results *results, Reader *body) {
  results_clear(results);
  results->actor = reader_u32(body);
  results->tick = reader_u64(body);
  results->decisions_frozen = reader_u64(body);
  results->steps = reader_u64(body);
  results->episodes = reader_u64(body);
  results->abandoned = reader_u64(body);
  reader_get(body, results->metric, sizeof results->metric);
  results->waits = reader_f64(body);
  results->stage = reader_u32(body);
  results->staged = reader_u64(body);
  results->staged_sum = reader_f64(body);
  if (results->staged > results->episodes || !isfinite(results->staged_sum)) body->bad = true;
  if (!(results->waits >= -1 && results->waits <= 1)) body->bad = true;
  if (!finite_doubles(results->metric, COUNT_OF(results->metric)) ||
      (results->decisions_frozen | results->steps | results->episodes | results->abandoned) >>
          MOST_BITS)
    body->bad = true;
  size_t pairs = reader_count(body, 92);
  TRY_RETURN(GROW(results->pair, results->pair_room, pairs));
  for (size_t i = 0; i < pairs; i++)
    decode_pair(&results->pair[i], body);
  size_t frames = reader_count(body, 12);
  TRY_RETURN(GROW(results->frame, results->frame_room, frames));
  for (size_t i = 0; i < frames; i++) {
    results->frame[i].player = reader_u32(body);
    results->frame[i].frames = reader_u64(body);
    if (results->frame[i].frames >> MOST_BITS) body->bad = true;
  }
  results->pairs = body->bad ? 0 : pairs;
  results->frames = body->bad ? 0 : frames;
  if (body->bad) return status_set(ERR_FORMAT, "results message is damaged");
  return reader_finish(body, "the body");
}

/* --- directives --- */

/* A block only travels with an order to copy it. */
void directive_encode(const Directive *directive, size_t block, Bytes *out) {
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
    if (order->block) bytes_put(out, order->block, block * sizeof(float));
    if (order->reset != RESET_ADOPT) continue;
    bytes_u32(out, order->source);
    for (size_t k = 0; k < TUNABLES; k++)
      bytes_f64(out, order->tuned[k]);
  }
}

/* Who is copied, and what is learned by then. */
static void decode_adoption(Order *order, Reader *body) {
  order->source = reader_u32(body);
  for (size_t k = 0; k < TUNABLES; k++) {
    order->tuned[k] = reader_f64(body);
    if (!(order->tuned[k] >= 0 && order->tuned[k] < INFINITY)) body->bad = true;
  }
  if (order->source >= WIRE_LEARNERS || order->source == order->player) body->bad = true;
}

/* Blocks are borrowed from the message. */
Status directive_decode(Directive *directive, size_t block, Reader *body) {
  directive->tick = reader_u64(body);
  directive->number = reader_u64(body);
  directive->flags = reader_u32(body);
  directive->orders = reader_count(body, 16);
  if (directive->orders > COUNT_OF(directive->order) ||
      directive->flags > (DIRECTIVE_SAVE | DIRECTIVE_STOP))
    body->bad = true;
  for (size_t i = 0; i < directive->orders && !body->bad; i++) {
    Order *order = &directive->order[i];
    order->player = reader_u32(body);
    order->snapshot_id = reader_u32(body);
    order->reset = reader_u32(body);
    order->source_frozen = reader_u32(body);
    order->block = order->source_frozen ? reader_take(body, block * sizeof(float)) : NULL;
    order->source = 0;
    if (order->reset == RESET_ADOPT) decode_adoption(order, body);
    if (order->reset > RESET_ADOPT || order->player >= WIRE_PLAYERS ||
        order->snapshot_id >= WIRE_PLAYERS ||
        (order->reset == RESET_COPY) != (order->block != NULL))
      body->bad = true;
  }
  if (body->bad) return status_set(ERR_FORMAT, "directive message is damaged");
  return reader_finish(body, "the body");
}

/* --- reports and profiles --- */

/* Beyond 48 names numbers are dropped. */
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

static const NamedNumber *find_number(const Numbers *numbers, const char *name) {
  for (size_t i = 0; i < numbers->count; i++)
    if (!strcmp(numbers->item[i].name, name)) return &numbers->item[i];
  return NULL;
}

bool numbers_has(const Numbers *numbers, const char *name) {
  return find_number(numbers, name) != NULL;
}

/* 0 if there is none. */
double numbers_get(const Numbers *numbers, const char *name) {
  const NamedNumber *number = find_number(numbers, name);
  return number ? number->value : 0;
}

void numbers_encode(const Numbers *numbers, Bytes *out) {
  bytes_u32(out, (uint32_t)numbers->count);
  for (size_t i = 0; i < numbers->count; i++) {
    bytes_text(out, numbers->item[i].name);
    bytes_f64(out, numbers->item[i].value);
  }
}

/* Names end up in metrics and files, so they must be names. */
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

void report_encode(const WireReport *report, Bytes *out) {
  bytes_u64(out, report->tick);
  bytes_u32(out, report->player);
  bytes_u64(out, report->version);
  bytes_u64(out, report->frames);
  bytes_u64(out, report->dropped);
  numbers_encode(&report->numbers, out);
}

Status report_decode(WireReport *report, Reader *body) {
  report->tick = reader_u64(body);
  report->player = reader_u32(body);
  report->version = reader_u64(body);
  report->frames = reader_u64(body);
  report->dropped = reader_u64(body);
  numbers_decode(&report->numbers, body);
  return reader_finish(body, "the body");
}

void profile_encode(const RoleProfile *profile, Bytes *out) {
  bytes_text(out, profile->role);
  bytes_u32(out, profile->index);
  numbers_encode(&profile->numbers, out);
}

Status profile_decode(RoleProfile *profile, Reader *body) {
  reader_text(body, profile->role, sizeof profile->role);
  profile->index = reader_u32(body);
  numbers_decode(&profile->numbers, body);
  TRY_RETURN(reader_finish(body, "the body"));
  if (!strcmp(profile->role, "actor") || !strcmp(profile->role, "learner")) return OK;
  return status_set(ERR_FORMAT, "it is of no role");
}

/* --- states: cuts and resuming --- */

/* A lane's piece has its bytes, the last piece its counts. */
void actor_state_encode(const WireActorState *state, Bytes *out) {
  bytes_u32(out, state->actor);
  bytes_u32(out, state->lane);
  if (state->lane != (uint32_t)WIRE_NO_LANE) {
    put_tail(state->state, state->size, out);
    return;
  }
  bytes_u64(out, state->acted);
  bytes_u64(out, state->episodes);
  bytes_u64(out, state->steps);
}

Status actor_state_decode(WireActorState *state, Reader *body) {
  *state = (WireActorState){.actor = reader_u32(body)};
  state->lane = reader_u32(body);
  if (state->lane == (uint32_t)WIRE_NO_LANE) {
    state->acted = reader_u64(body);
    state->episodes = reader_u64(body);
    state->steps = reader_u64(body);
  } else {
    state->state = take_rest(body, &state->size);
  }
  return reader_finish(body, "the body");
}

void lane_encode(const WireLane *lane, Bytes *out) {
  bytes_u32(out, lane->lane);
  put_tail(lane->state, lane->size, out);
}

Status lane_decode(WireLane *lane, Reader *body) {
  lane->lane = reader_u32(body);
  lane->state = take_rest(body, &lane->size);
  return reader_finish(body, "the body");
}

void player_state_encode(const WirePlayerState *state, Bytes *out) {
  bytes_u32(out, state->player);
  put_tail(state->tree, state->size, out);
}

Status player_state_decode(WirePlayerState *state, Reader *body) {
  state->player = reader_u32(body);
  state->tree = take_rest(body, &state->size);
  return reader_finish(body, "the body");
}

void training_encode(const WireTraining *training, Bytes *out) {
  bytes_u64(out, training->number);
  bytes_u32(out, training->player);
  put_tail(training->tree, training->size, out);
}

Status training_decode(WireTraining *training, Reader *body) {
  training->number = reader_u64(body);
  training->player = reader_u32(body);
  training->tree = take_rest(body, &training->size);
  return reader_finish(body, "the body");
}

void replay_state_encode(const WireReplay *state, Bytes *out) {
  bytes_u32(out, state->player);
  bytes_u32(out, state->lane);
  bytes_u32(out, state->part);
  bytes_u32(out, state->parts);
  put_tail(state->state, state->size, out);
}

Status replay_state_decode(WireReplay *state, Reader *body) {
  state->player = reader_u32(body);
  state->lane = reader_u32(body);
  state->part = reader_u32(body);
  state->parts = reader_u32(body);
  state->state = take_rest(body, &state->size);
  TRY_RETURN(reader_finish(body, "the body"));
  if (state->part < state->parts) return OK;
  return status_set(ERR_FORMAT, "part %u of %u of what is kept", state->part, state->parts);
}

void start_encode(const WireStart *start, Bytes *out) {
  bytes_u64(out, start->tick);
}

Status start_decode(WireStart *start, Reader *body) {
  start->tick = reader_u64(body);
  return reader_finish(body, "the body");
}

/* --- sums over the learners of a group --- */
void sum_encode(const WireSum *sum, Bytes *out) {
  bytes_u64(out, sum->number);
  bytes_u32(out, sum->member);
  bytes_u32(out, sum->count);
  put_block(sum->value, sum->count, out);
}

/* What is no number is not refused here: the learners look at what the sums come to, and know whose
 * it is (learner.on_nan). */
Status sum_decode(WireSum *sum, Reader *body) {
  sum->number = reader_u64(body);
  sum->member = reader_u32(body);
  sum->count = reader_u32(body);
  sum->value = reader_take(body, (size_t)sum->count * sizeof(float));
  return reader_finish(body, "the body");
}

/* --- tournaments and walks --- */

/* Three numbers, which a result repeats. */
static void put_match(const WireMatch *match, Bytes *out) {
  bytes_u32(out, match->fixture);
  bytes_u32(out, match->pairs);
  bytes_u64(out, match->first);
}

static void take_match(WireMatch *match, Reader *body) {
  match->fixture = reader_u32(body);
  match->pairs = reader_u32(body);
  match->first = reader_u64(body);
}

void match_encode(const WireMatch *match, Bytes *out) {
  put_match(match, out);
}

Status match_decode(WireMatch *match, Reader *body) {
  take_match(match, body);
  return reader_finish(body, "the body");
}

/* Games are whole, returns are not. */
static void put_tally(const Tally *tally, Bytes *out) {
  bytes_u64(out, (uint64_t)tally->games);
  bytes_u64(out, (uint64_t)tally->wins);
  bytes_u64(out, (uint64_t)tally->draws);
  bytes_u64(out, (uint64_t)tally->losses);
  bytes_f64(out, tally->returns);
  bytes_f64(out, tally->squares);
}

/* A count that sums of such counts never overflow. */
static double take_whole(Reader *body) {
  uint64_t value = reader_u64(body);
  if (value >> MOST_BITS) body->bad = true;
  return (double)value;
}

static void take_tally(Tally *tally, Reader *body) {
  tally->games = take_whole(body);
  tally->wins = take_whole(body);
  tally->draws = take_whole(body);
  tally->losses = take_whole(body);
  tally->returns = reader_f64(body);
  tally->squares = reader_f64(body);
}

/* The replay comes last, with its length. */
void match_result_encode(const WireMatchResult *result, Bytes *out) {
  put_match(&result->match, out);
  const MatchTally *tally = &result->tally;
  for (int s = 0; s < SEATS; s++)
    put_tally(&tally->seat[s], out);
  bytes_put(out, tally->pairs.count, sizeof tally->pairs.count);
  bytes_f64(out, tally->pair_squares);
  bytes_put(out, tally->welfare, sizeof tally->welfare);
  bytes_put(out, tally->more_squares, sizeof tally->more_squares);
  bytes_u32(out, tally->fixed);
  bytes_u64(out, (uint64_t)result->measured.games);
  bytes_put(out, result->measured.sum, sizeof result->measured.sum);
  bytes_u64(out, result->size);
  put_tail(result->replay, result->size, out);
}

Status match_result_decode(WireMatchResult *result, Reader *body) {
  MatchTally *tally = &result->tally;
  take_match(&result->match, body);
  for (int s = 0; s < SEATS; s++)
    take_tally(&tally->seat[s], body);
  reader_get(body, tally->pairs.count, sizeof tally->pairs.count);
  tally->pair_squares = reader_f64(body);
  reader_get(body, tally->welfare, sizeof tally->welfare);
  reader_get(body, tally->more_squares, sizeof tally->more_squares);
  tally->half_told = false;
  uint32_t fixed = reader_u32(body);
  tally->fixed = fixed == 1;
  result->measured.games = take_whole(body);
  reader_get(body, result->measured.sum, sizeof result->measured.sum);
  if (!finite_doubles(result->measured.sum, MEASURES)) body->bad = true;
  result->size = reader_count(body, 1);
  result->replay = reader_take(body, result->size);
  TRY_RETURN(reader_finish(body, "the body"));
  if (fixed <= 1) return OK;
  return status_set(ERR_FORMAT, "the scores of %u pairs of fixture %u do not add up",
                    result->match.pairs, result->match.fixture);
}

void tree_part_encode(const WireTreePart *part, Bytes *out) {
  put_block(part->value, part->count, out);
}

Status tree_part_decode(WireTreePart *part, Reader *body) {
  part->value = reader_take(body, part->count * sizeof(float));
  TRY_RETURN(reader_finish(body, "the body"));
  if (finite_floats(part->value, part->count)) return OK;
  return status_set(ERR_FORMAT, "its part of the walk holds what is no number");
}

/* --- who says what to whom --- */
#define CHECK(name, Type)                                                                          \
  static Status check_##name(const WireShape *shape, Reader *body) {                               \
    Type message;                                                                                  \
    (void)shape;                                                                                   \
    return name##_decode(&message, body);                                                          \
  }
CHECK(fetch, WireFetch)
CHECK(guest, WireGuest)
CHECK(fault, WireFault)
CHECK(tick_end, WireTickEnd)
CHECK(credit, WireCredit)
CHECK(report, WireReport)
CHECK(profile, RoleProfile)
CHECK(actor_state, WireActorState)
CHECK(lane, WireLane)
CHECK(player_state, WirePlayerState)
CHECK(training, WireTraining)
CHECK(replay_state, WireReplay)
CHECK(start, WireStart)
CHECK(sum, WireSum)
CHECK(match, WireMatch)
CHECK(match_result, WireMatchResult)

/* Of bodies that hold a policy. */
#define CHECK_BLOCK(name, Type)                                                                    \
  static Status check_##name(const WireShape *shape, Reader *body) {                               \
    Type message;                                                                                  \
    return name##_decode(&message, shape->block, body);                                            \
  }
CHECK_BLOCK(weights, WireWeights)
CHECK_BLOCK(frozen, WireFrozen)
CHECK_BLOCK(directive, Directive)

/* Decoding a table takes memory, which is given back. */
static Status check_table(const WireShape *shape, Reader *body) {
  Table table = {0};
  (void)shape;
  Status status = table_decode(&table, body);
  table_free(&table);
  return status == OK ? reader_finish(body, "the body") : status;
}

static Status check_results(const WireShape *shape, Reader *body) {
  Results results = {0};
  (void)shape;
  Status status = results_decode(&results, body);
  results_free(&results);
  return status;
}

/* Decodes the experience, too. */
static Status check_unrolls(const WireShape *shape, Reader *body) {
  WireUnrolls unrolls;
  Batch batch;
  TRY_RETURN(unrolls_decode(&unrolls, body));
  TRY_RETURN(batch_create(shape->format, &batch));
  Status status = unrolls_batch(&unrolls, &batch);
  batch_destroy(&batch);
  return status;
}

static Status check_tree_part(const WireShape *shape, Reader *body) {
  return tree_part_decode(&(WireTreePart){.count = shape->part}, body);
}

/* For messages without a body. */
static Status check_nothing(const WireShape *shape, Reader *body) {
  (void)shape;
  return reader_finish(body, "the body");
}

/* The table has a row for each kind, so that no kind can be sent without saying who sends and who
 * gets it. */
const WireRoute *wire_route(WireKind kind) {
  static const WireRoute route[WIRE_LAST] = {
      [WIRE_WEIGHTS] = {WIRE_WEIGHTS, "weights", WIRE_LEARNER, WIRE_ACTOR, check_weights},
      [WIRE_FETCH] = {WIRE_FETCH, "fetch", WIRE_ACTOR, WIRE_LEAGUE, check_fetch},
      [WIRE_FROZEN] = {WIRE_FROZEN, "frozen", WIRE_LEAGUE, WIRE_ACTOR, check_frozen},
      [WIRE_TABLE] = {WIRE_TABLE, "table", WIRE_LEAGUE, WIRE_ACTOR, check_table},
      [WIRE_UNROLLS] = {WIRE_UNROLLS, "unrolls", WIRE_ACTOR, WIRE_LEARNER, check_unrolls},
      [WIRE_TICK_END] = {WIRE_TICK_END, "tick end", WIRE_ACTOR, WIRE_LEARNER, check_tick_end},
      [WIRE_CREDIT] = {WIRE_CREDIT, "credit", WIRE_LEARNER, WIRE_ACTOR, check_credit},
      [WIRE_RESULTS] = {WIRE_RESULTS, "results", WIRE_ACTOR, WIRE_LEAGUE, check_results},
      [WIRE_DIRECTIVE] = {WIRE_DIRECTIVE, "directive", WIRE_LEAGUE, WIRE_LEARNER, check_directive},
      [WIRE_SNAPSHOT] = {WIRE_SNAPSHOT, "snapshot", WIRE_LEARNER, WIRE_LEAGUE, check_frozen},
      [WIRE_REPORT] = {WIRE_REPORT, "report", WIRE_LEARNER, WIRE_LEAGUE, check_report},
      [WIRE_ACTOR_STATE] = {WIRE_ACTOR_STATE, "actor state", WIRE_ACTOR, WIRE_LEAGUE,
                            check_actor_state},
      [WIRE_LEARNER_STATE] = {WIRE_LEARNER_STATE, "learner state", WIRE_LEARNER, WIRE_LEAGUE,
                              check_player_state},
      [WIRE_RESTORE_LANE] = {WIRE_RESTORE_LANE, "restore lane", WIRE_LEAGUE, WIRE_ACTOR,
                             check_lane},
      [WIRE_RESTORE_PLAYER] = {WIRE_RESTORE_PLAYER, "restore player", WIRE_LEAGUE, WIRE_LEARNER,
                               check_player_state},
      [WIRE_BEGIN] = {WIRE_BEGIN, "begin", WIRE_LEAGUE, WIRE_ACTOR, check_start},
      [WIRE_LEARN] = {WIRE_LEARN, "learn", WIRE_LEAGUE, WIRE_LEARNER, check_start},
      [WIRE_RESUME] = {WIRE_RESUME, "resume", WIRE_LEAGUE, WIRE_ACTOR, check_nothing},
      [WIRE_SUM_PART] = {WIRE_SUM_PART, "sum part", WIRE_LEARNER, WIRE_LEARNER, check_sum},
      [WIRE_SUM_WHOLE] = {WIRE_SUM_WHOLE, "sum whole", WIRE_LEARNER, WIRE_LEARNER, check_sum},
      [WIRE_MATCH] = {WIRE_MATCH, "match", WIRE_HEAD, WIRE_HELPER, check_match},
      [WIRE_MATCH_RESULT] = {WIRE_MATCH_RESULT, "match result", WIRE_HELPER, WIRE_HEAD,
                             check_match_result},
      [WIRE_TREE_PART] = {WIRE_TREE_PART, "tree part", WIRE_HELPER, WIRE_HEAD, check_tree_part},
      [WIRE_BYE] = {WIRE_BYE, "bye", WIRE_ANYONE, WIRE_LEAGUE, check_profile},
      [WIRE_REPLAY_STATE] = {WIRE_REPLAY_STATE, "replay state", WIRE_LEARNER, WIRE_LEAGUE,
                             check_replay_state},
      [WIRE_RESTORE_REPLAY] = {WIRE_RESTORE_REPLAY, "restore replay", WIRE_LEAGUE, WIRE_LEARNER,
                               check_replay_state},
      [WIRE_REPLAY_TAKEN] = {WIRE_REPLAY_TAKEN, "replay taken", WIRE_LEAGUE, WIRE_LEARNER,
                             check_nothing},
      [WIRE_GUEST] = {WIRE_GUEST, "guest", WIRE_LEAGUE, WIRE_ACTOR, check_guest},
      [WIRE_TRAINING] = {WIRE_TRAINING, "training", WIRE_LEARNER, WIRE_LEARNER, check_training},
      [WIRE_FAULT] = {WIRE_FAULT, "fault", WIRE_ACTOR, WIRE_LEAGUE, check_fault},
  };
  return &route[kind];
}

/* Also for kinds that came damaged. */
const char *wire_name(WireKind kind) {
  return kind >= 1 && kind < WIRE_LAST ? wire_route(kind)->name : "unknown";
}
