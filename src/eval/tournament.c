#include "eval/tournament.h"

#include "base/invariant.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  BATCH = 64 /* pairs of games */,
  IN_HAND = 2 /* batches a rank holds, so that it never waits */
};

/* An interval is never empty, so that a fixture with few games is never taken for certain. */
double tournament_error(const Pentanomial *pairs) {
  EloBlock block = meta_elo_block(pairs);
  return (block.score_high - block.score_low) / 2;
}

/* Pairs that a fixture has in the table; *met is its meeting, or NULL. */
static uint64_t played_pairs(const Tournament *t, const Fixture *fixture, const Meeting **met) {
  *met = games_find(&t->games, fixture->a, fixture->b);
  return *met ? (uint64_t)tally_games((*met)->tally.seat) / 2 : 0;
}

/* Whether a fixture needs no more games: its interval is narrow enough, or the sequential test has
 * an answer. */
static bool decided(const Tournament *t, const Meeting *met) {
  if (!met) return false;
  if (t->until_ci > 0 && tournament_error(&met->tally.pairs) <= t->until_ci) return true;
  if (!t->sprt) return false;
  double llr = meta_sprt(&met->tally.pairs, t->elo0, t->elo1);
  return llr >= meta_sprt_upper(t->alpha, t->beta) || llr <= meta_sprt_lower(t->alpha, t->beta);
}

/* The least certain fixture that may still play, and which pairs of it. What is in hand counts as
 * played, so that several ranks do not all get the same one. false: nothing is left to deal. */
static bool choose(Tournament *t, WireMatch *out) {
  double widest = -1;
  uint64_t all = 0; /* games, those in hand included */
  uint64_t most = t->each / 2;
  for (size_t i = 0; i < t->fixtures; i++) {
    const Meeting *met;
    Fixture *fixture = &t->fixture[i];
    uint64_t done = played_pairs(t, fixture, &met);
    uint64_t dealt = done + fixture->in_hand;
    all += 2 * dealt;
    fixture->closed |= decided(t, met);
    if (fixture->closed || dealt >= most) continue;
    double error = met ? tournament_error(&met->tally.pairs) : 1;
    /* what it will be when they are back */
    error *= sqrt((double)(done + 1) / (double)(dealt + 1));
    if (error <= widest) continue;
    widest = error;
    uint64_t left = most - dealt;
    uint64_t pairs = left < BATCH ? left : BATCH;
    if (met && met->next > fixture->next) fixture->next = met->next; /* of the file */
    *out = (WireMatch){(uint32_t)i, (uint32_t)pairs, fixture->next};
  }
  if (widest < 0 || (t->budget && all + 2 > t->budget)) return false;
  if (t->budget && all + 2 * (uint64_t)out->pairs > t->budget)
    out->pairs = (uint32_t)((t->budget - all) / 2);
  return true;
}

/* --- replays --- */

/* Lines of games of one batch, until they are appended. */
typedef struct Replays {
  const Tournament *t;
  const Fixture *fixture;
  Bytes text;
} Replays;

/* One game as a line of JSON. Only the first games of a fixture are kept, by their number, so that
 * they are the same however the batches fell. */
static Status write_game(void *context, const GameText *game) {
  Replays *replays = context;
  const Tournament *t = replays->t;
  const char *a = t->games.name[replays->fixture->a];
  const char *b = t->games.name[replays->fixture->b];
  if (game->game >= t->replay_games) return OK;
  json_t *players = json_array();
  json_t *outcomes = json_array();
  json_t *returns = json_array();
  for (uint32_t team = 0; team < game->teams; team++) {
    json_array_append_new(players, json_string(game->side_of[team] ? b : a));
    json_array_append_new(outcomes, json_real((double)game->outcome[team]));
    json_array_append_new(returns, json_real(game->team_return[team]));
  }
  json_t *object = json_pack("{s:s,s:o,s:I,s:I,s:i,s:s,s:o,s:o}", "env", t->terms.env, "players",
                             players, "seed", (json_int_t)t->terms.seed, "game",
                             (json_int_t)game->game, "openings", (int)t->terms.openings, "line",
                             game->line, "outcome", outcomes, "returns", returns);
  char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
  json_decref(object);
  if (!text) return status_set(ERR_MEMORY, "out of memory writing a replay");
  bytes_put(&replays->text, text, strlen(text));
  bytes_u8(&replays->text, '\n');
  free(text);
  return OK;
}

/* Opened for each batch: tournaments of days should not hold a file that somebody moves. */
static Status append_replays(const Tournament *t, const void *text, size_t size) {
  if (size == 0) return OK;
  FILE *file = fopen(t->replays, "a");
  bool good = file && fwrite(text, 1, size, file) == size;
  if (file && fclose(file)) good = false;
  return good ? OK : status_set(ERR_IO, "cannot append to %s: %s", t->replays, strerror(errno));
}

/* Plays a batch here. *replay is the caller's, on failure too. */
static Status play_batch(Tournament *t, const WireMatch *batch, MatchTally *tally,
                         Measured *measured, Bytes *replay) {
  const Fixture *fixture = &t->fixture[batch->fixture];
  Replays replays = {.t = t, .fixture = fixture};
  bool record = t->replays && 2 * batch->first < t->replay_games;
  MatchPlan plan = {.seed = t->terms.seed,
                    .first = batch->first,
                    .pairs = batch->pairs,
                    .openings = t->terms.openings,
                    .vary = t->terms.vary,
                    .played = record ? write_game : NULL,
                    .context = &replays,
                    .measured = measured};
  *measured = (Measured){0};
  Status status = eval_match(t->env, &t->player[fixture->a], &t->player[fixture->b], &plan, tally);
  *replay = replays.text;
  return status;
}

/* --- rank 0 --- */
/* Writes a batch to games.csv. A run that one may only read can still be judged: its file then gets
 * nothing, and not_recorded says why. */
static Status record_batch(Tournament *t, const Fixture *fixture, uint64_t first,
                           const MatchTally *tally) {
  if (!t->csv || *t->not_recorded) return OK;
  Status status = games_append(t->csv, &t->terms, t->games.name[fixture->a],
                               t->games.name[fixture->b], first, tally);
  if (status != ERR_IO || t->csv_asked) return status;
  snprintf(t->not_recorded, sizeof t->not_recorded, "%.255s", status_message());
  return OK;
}

/* Counts a batch that was played, here or elsewhere, and writes it down. A fixture in which nothing
 * is random is closed: of its games that were dealt out too, copies have not been counted. */
static Status book(Tournament *t, const WireMatch *batch, const MatchTally *tally,
                   const void *replay, size_t size) {
  Fixture *fixture = &t->fixture[batch->fixture];
  uint64_t games = (uint64_t)tally_games(tally->seat);
  const Meeting *met;
  INVARIANT(games == 2 * match_counts(t->env, batch->first, batch->pairs, tally->fixed));
  INVARIANT(fixture->in_hand >= batch->pairs);
  fixture->in_hand -= batch->pairs;
  fixture->closed |= tally->fixed;
  if (games == 0 && played_pairs(t, fixture, &met) == 0) return OK; /* its first is on the way */
  TRY_RETURN(games_add(&t->games, fixture->a, fixture->b, batch->first, tally));
  if (games == 0) return OK;
  t->played += games;
  TRY_RETURN(record_batch(t, fixture, batch->first, tally));
  TRY_RETURN(append_replays(t, replay, size));
  if (t->progress) t->progress(t->context, t);
  return OK;
}

/* Chooses a batch and notes that it is in hand. */
static bool deal(Tournament *t, WireMatch *batch) {
  if (!choose(t, batch)) return false;
  t->fixture[batch->fixture].in_hand += batch->pairs;
  t->fixture[batch->fixture].next += batch->pairs;
  return true;
}

/* A batch of no pairs tells a rank to go home. */
static Status send_batch(Tournament *t, int to, const WireMatch *batch) {
  WireOut out = {{0}};
  wire_begin(&out, WIRE_MATCH);
  match_encode(batch, &out.bytes);
  Status status = wire_send(t->transport, to, &out);
  bytes_free(&out.bytes);
  return status;
}

/* What a rank has been dealt and not yet given back. */
typedef struct Hand {
  WireMatch batch[IN_HAND];
  size_t count;
} Hand;

/* Removes a batch from a hand; false if it was not in it. */
static bool take_from(Hand *hand, const WireMatch *batch) {
  for (size_t i = 0; i < hand->count; i++) {
    const WireMatch *held = &hand->batch[i];
    if (held->fixture != batch->fixture || held->pairs != batch->pairs ||
        held->first != batch->first)
      continue;
    hand->batch[i] = hand->batch[--hand->count];
    return true;
  }
  return false;
}

/* A result is checked against what that rank was dealt before it is counted. */
static Status take_result(Tournament *t, Hand *hand, Reader *body) {
  WireMatchResult result;
  TRY_RETURN(match_result_decode(&result, body));
  const WireMatch batch = result.match;
  const MatchTally *tally = &result.tally;
  if (!take_from(hand, &batch))
    return status_set(ERR_FORMAT, "%u pairs of fixture %u, which it does not hold", batch.pairs,
                      batch.fixture);
  const uint64_t pairs = match_counts(t->env, batch.first, batch.pairs, tally->fixed);
  if (!match_tally_is_whole(tally) || tally_games(tally->seat) != 2 * (double)pairs)
    return status_set(ERR_FORMAT, "the scores of %u pairs of fixture %u do not add up", batch.pairs,
                      batch.fixture);
  measured_add(&t->fixture[batch.fixture].measured, &result.measured);
  return book(t, &batch, tally, result.replay, result.size);
}

/* Takes what has arrived and keeps every other rank supplied. */
static Status serve(Tournament *t, Hand *hand, size_t *out_held) {
  Message *message;
  while ((message = t->transport->ops->receive(t->transport))) {
    WireKind kind;
    Reader body;
    int peer = message->peer;
    Status status = wire_open(message, &kind, &body);
    if (status == OK && kind != WIRE_MATCH_RESULT)
      status = status_set(ERR_FORMAT, "unexpected %s", wire_name(kind));
    if (status == OK) status = take_result(t, &hand[peer], &body);
    message_release(message);
    if (status != OK) return status_context(status, "match result from rank %d", peer);
    --*out_held;
  }
  for (int rank = 1; rank < t->transport->size; rank++)
    for (WireMatch batch; hand[rank].count < IN_HAND && deal(t, &batch); ++*out_held) {
      hand[rank].batch[hand[rank].count++] = batch;
      TRY_RETURN(send_batch(t, rank, &batch));
    }
  return OK;
}

/* A fifth of a millisecond: the tournament polls, as messages never block. */
static void nap(void) {
  nanosleep(&(struct timespec){0, 200000}, NULL);
}

/* Rank 0 plays too, so that a tournament on one rank needs nothing else; between its own batches it
 * serves the others. */
static Status lead(Tournament *t) {
  Status status = OK;
  Hand *hand = NULL;
  size_t out = 0;
  bool several = t->transport && t->transport->size > 1;
  TRY(NEW_ARRAY(hand, several ? (size_t)t->transport->size : 1));
  for (bool more = true; more || out;) {
    WireMatch batch;
    MatchTally tally;
    Measured measured;
    Bytes replay = {0};
    if (several) TRY(serve(t, hand, &out));
    more = deal(t, &batch);
    if (!more) {
      if (out) nap();
      continue;
    }
    status = play_batch(t, &batch, &tally, &measured, &replay);
    if (status == OK) measured_add(&t->fixture[batch.fixture].measured, &measured);
    if (status == OK) status = book(t, &batch, &tally, replay.data, replay.size);
    bytes_free(&replay);
    if (status != OK) goto done;
  }
  for (int rank = 1; several && rank < t->transport->size; rank++)
    TRY(send_batch(t, rank, &(WireMatch){0}));
done:
  free(hand);
  return status;
}

/* --- the others --- */

/* One message on another rank: a batch to be played, or the end. */
static Status follow_one(Tournament *t, const Message *message, bool *home) {
  WireKind kind;
  Reader body;
  MatchTally tally;
  Measured measured;
  Bytes replay = {0};
  WireOut out = {{0}};
  WireMatch batch = {0};
  TRY_RETURN(wire_open(message, &kind, &body));
  if (kind == WIRE_MATCH) TRY_RETURN(match_decode(&batch, &body));
  if (kind != WIRE_MATCH || message->peer != 0 || batch.fixture >= t->fixtures ||
      batch.pairs > BATCH)
    return status_set(ERR_FORMAT, "a %s message from rank %d that deals out no match",
                      wire_name(kind), message->peer);
  *home = batch.pairs == 0;
  if (*home) return OK;
  Status status = play_batch(t, &batch, &tally, &measured, &replay);
  WireMatchResult result = {
      .match = batch,
      .tally = tally,
      .measured = measured,
      .replay = (const char *)replay.data,
      .size = replay.size,
  };
  wire_begin(&out, WIRE_MATCH_RESULT);
  match_result_encode(&result, &out.bytes);
  if (status == OK) status = wire_send(t->transport, 0, &out);
  bytes_free(&replay);
  bytes_free(&out.bytes);
  return status;
}

/* Asking for what is unsent keeps results moving while there is nothing to do. */
static Status follow(Tournament *t) {
  for (bool home = false; !home;) {
    Message *message = t->transport->ops->receive(t->transport);
    if (!message) {
      t->transport->ops->unsent(t->transport);
      nap();
      continue;
    }
    Status status = follow_one(t, message, &home);
    message_release(message);
    TRY_RETURN(status);
  }
  return OK;
}

/* Ends together, so that no rank leaves MPI while its last result is on the way. */
Status tournament_play(Tournament *tournament) {
  Transport *transport = tournament->transport;
  Status status = transport && transport->rank ? follow(tournament) : lead(tournament);
  if (status != OK || !transport) return status;
  while (!transport->ops->finish(transport))
    nap();
  return OK;
}
