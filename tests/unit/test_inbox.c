/* What waits for a learner and for an actor: what is due from whom, and in which order it is handed
 * out. Messages are made by the wire's own encoders. */
#include "check.h"

#include "actors/inbox.h"
#include "learner/inbox.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 3, PLAYERS = 2, ACTORS = 2, FIRST_ACTOR = 4 };
static const int actor_rank[ACTORS] = {7, 8};

/* A message from a rank, with a body that the caller has encoded; the caller releases it. */
static Message *message_of(WireKind kind, int from, void (*say)(const void *, Bytes *),
                           const void *what) {
  SimWorld *world;
  WireOut out = {{0}};
  Message *message;
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 2}, &world));
  wire_begin(&out, kind);
  say(what, &out.bytes);
  CHECK_OK(wire_send(sim_rank(world, 0), 1, &out));
  sim_round(world);
  message = sim_rank(world, 1)->ops->receive(sim_rank(world, 1));
  assert_non_null(message);
  message->peer = from;
  bytes_free(&out.bytes);
  sim_destroy(world);
  return message;
}

static Reader body_of(const Message *message) {
  WireKind kind;
  Reader body;
  CHECK_OK(wire_open(message, &kind, &body));
  return body;
}

static void say_unrolls(const void *what, Bytes *out) {
  unrolls_encode(what, out);
  bytes_put(out, "rows", 4); /* the inbox does not look into them */
}
static void say_tick_end(const void *what, Bytes *out) {
  tick_end_encode(what, out);
}
static void say_directive(const void *what, Bytes *out) {
  directive_encode(what, BLOCK, out);
}
static void say_weights(const void *what, Bytes *out) {
  weights_encode(what, BLOCK, out);
}
static void say_table(const void *what, Bytes *out) {
  table_encode(what, out);
}

/* --- of a learner --- */
static LearnerInbox *learner_inbox(Pace pace, uint64_t tick) {
  const LearnerInboxSetup setup = {
      .pace = pace,
      .first_actor = FIRST_ACTOR,
      .actor_rank = actor_rank,
      .actors = ACTORS,
      .groups = 1,
      .learning_players = PLAYERS,
      .block = BLOCK,
  };
  LearnerInbox *inbox;
  CHECK_OK(learner_inbox_create(&setup, &inbox));
  learner_inbox_begin(inbox, tick);
  return inbox;
}

/* Actor a (from 0) sends what it recorded of a player. */
static Status unrolls(LearnerInbox *inbox, uint32_t a, uint32_t player, uint64_t tick) {
  const WireUnrolls unrolls = {.tick = tick, .player = player, .actor = FIRST_ACTOR + a};
  Message *message = message_of(WIRE_UNROLLS, actor_rank[a % ACTORS], say_unrolls, &unrolls);
  Reader body = body_of(message);
  Status status = learner_inbox_take_unrolls(inbox, message, &body);
  message_release(message);
  return status;
}

static Status tick_end(LearnerInbox *inbox, uint32_t a, uint64_t tick, uint32_t flags) {
  const WireTickEnd end = {
      .tick = tick, .actor = FIRST_ACTOR + a, .flags = flags, .frames = 10 + a};
  Message *message = message_of(WIRE_TICK_END, actor_rank[a % ACTORS], say_tick_end, &end);
  Reader body = body_of(message);
  Status status = learner_inbox_take_tick_end(inbox, message, &body);
  message_release(message);
  return status;
}

static Status directive(LearnerInbox *inbox, uint64_t tick, const Directive *said) {
  Message *message = message_of(WIRE_DIRECTIVE, 0, say_directive, said);
  Reader body = body_of(message);
  Status status = learner_inbox_take_directive(inbox, tick, message, &body);
  message_release(message);
  return status;
}

typedef struct Heard {
  uint32_t actor[8];
  size_t count;
  size_t fail_at; /* the call, from 1, that fails; 0: none */
} Heard;

static Status hear(void *context, const WireUnrolls *unrolls) {
  Heard *heard = context;
  heard->actor[heard->count++] = unrolls->actor - FIRST_ACTOR;
  return heard->count == heard->fail_at ? ERR_MEMORY : OK;
}

/* Whoever is first to send: the actors' experience is handed out in their order. */
static void experience_comes_in_the_order_of_actors(void **state) {
  (void)state;
  for (uint32_t first = 0; first < ACTORS; first++) {
    LearnerInbox *inbox = learner_inbox(PACE_LOCKSTEP, 5);
    CHECK_OK(unrolls(inbox, first, 1, 5));
    CHECK_OK(unrolls(inbox, 1 - first, 1, 5));
    CHECK_OK(unrolls(inbox, first, 0, 5));
    assert_false(learner_inbox_is_ready(inbox, 5));
    CHECK_OK(tick_end(inbox, first, 5, 0));
    assert_false(learner_inbox_is_ready(inbox, 5));
    CHECK_OK(tick_end(inbox, 1 - first, 5, 0));
    assert_true(learner_inbox_is_ready(inbox, 5));
    learner_inbox_close_tick(inbox);
    Heard heard = {.count = 0};
    CHECK_OK(learner_inbox_hand_out(inbox, 1, 5, hear, &heard));
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.actor[0], 0);
    assert_int_equal(heard.actor[1], 1);
    CHECK_OK(learner_inbox_hand_out(inbox, 1, 5, hear, &heard)); /* it was let go of */
    assert_int_equal(heard.count, 2);
    CHECK_OK(learner_inbox_hand_out(inbox, 0, 5, hear, &heard));
    assert_int_equal(heard.actor[2], first);
    assert_int_equal(learner_inbox_acted(inbox, 5), 10 + 11);
    assert_int_equal(learner_inbox_acted(inbox, 5), 0); /* told once */
    learner_inbox_destroy(inbox);
  }
}

/* What has not been handed out when a taker fails is still there, and is released once. */
static void a_failure_loses_nothing_that_was_not_taken(void **state) {
  (void)state;
  LearnerInbox *inbox = learner_inbox(PACE_LOCKSTEP, 0);
  Heard heard = {.fail_at = 1};
  CHECK_OK(unrolls(inbox, 0, 0, 0));
  CHECK_OK(unrolls(inbox, 1, 0, 0));
  assert_int_equal(learner_inbox_hand_out(inbox, 0, 0, hear, &heard), ERR_MEMORY);
  assert_int_equal(heard.count, 1);
  CHECK_OK(learner_inbox_hand_out(inbox, 0, 0, hear, &heard));
  assert_int_equal(heard.count, 3);
  learner_inbox_destroy(inbox);
}

static void what_is_not_due_is_refused(void **state) {
  (void)state;
  LearnerInbox *inbox = learner_inbox(PACE_LOCKSTEP, 5);
  assert_int_equal(unrolls(inbox, 0, 0, 4), ERR_FORMAT);       /* of a tick that is over */
  assert_int_equal(unrolls(inbox, 0, PLAYERS, 5), ERR_FORMAT); /* nobody learns it */
  assert_int_equal(unrolls(inbox, ACTORS, 0, 5), ERR_FORMAT);  /* does not feed this learner */
  CHECK_OK(unrolls(inbox, 0, 0, 5));
  assert_int_equal(unrolls(inbox, 0, 0, 5), ERR_FORMAT); /* twice */
  assert_int_equal(tick_end(inbox, 0, 6, 0), ERR_FORMAT);
  CHECK_OK(tick_end(inbox, 0, 5, TABLE_SAVE));
  assert_int_equal(tick_end(inbox, 0, 5, TABLE_SAVE), ERR_FORMAT);
  assert_int_equal(tick_end(inbox, 1, 5, 0), ERR_FORMAT); /* another cut than the other actor's */
  learner_inbox_destroy(inbox);
}

static void directives_come_one_a_tick(void **state) {
  (void)state;
  LearnerInbox *inbox = learner_inbox(PACE_PIPELINED, 5);
  Directive said = {.tick = 5, .number = 0, .flags = DIRECTIVE_SAVE};
  Directive heard;
  assert_false(learner_inbox_has_directive(inbox));
  CHECK_OK(directive(inbox, 5, &said));
  said = (Directive){.tick = 7, .number = 1};
  assert_int_equal(directive(inbox, 5, &said), ERR_FORMAT); /* that of tick 6 is due */
  learner_inbox_destroy(inbox);

  inbox = learner_inbox(PACE_PIPELINED, 5);
  said = (Directive){.tick = 5, .number = 0, .flags = DIRECTIVE_SAVE};
  CHECK_OK(directive(inbox, 5, &said));
  said = (Directive){.tick = 6, .number = 1};
  CHECK_OK(directive(inbox, 5, &said));
  CHECK_OK(tick_end(inbox, 0, 5, 0)); /* the actors' table had no cut */
  CHECK_OK(learner_inbox_directive(inbox, &heard));
  assert_int_equal(heard.tick, 5);
  assert_int_equal(learner_inbox_check_cut(inbox, &heard), ERR_FORMAT);
  learner_inbox_drop_directive(inbox);
  CHECK_OK(learner_inbox_directive(inbox, &heard));
  assert_int_equal(heard.tick, 6);
  CHECK_OK(learner_inbox_check_cut(inbox, &heard)); /* nothing said of tick 6 yet */
  learner_inbox_drop_directive(inbox);
  assert_false(learner_inbox_has_directive(inbox));
  said = (Directive){.tick = 7, .number = 1};
  assert_int_equal(directive(inbox, 7, &said), ERR_FORMAT); /* a number that was there before */
  learner_inbox_destroy(inbox);
}

/* Pace free: as many ends of ticks as there are actors make an update; at a cut, one. */
static void free_pace_takes_what_there_is(void **state) {
  (void)state;
  LearnerInbox *inbox = learner_inbox(PACE_FREE, 0);
  CHECK_OK(tick_end(inbox, 1, 0, 0));
  assert_false(learner_inbox_is_ready(inbox, 0));
  CHECK_OK(tick_end(inbox, 1, 1, 0));
  assert_true(learner_inbox_is_ready(inbox, 0));
  learner_inbox_close_tick(inbox);
  assert_int_equal(learner_inbox_credit(inbox, 0), 0);
  assert_int_equal(learner_inbox_credit(inbox, 1), 2);
  assert_false(learner_inbox_is_ready(inbox, 0));
  CHECK_OK(tick_end(inbox, 0, 0, TABLE_SAVE));
  assert_true(learner_inbox_sees_cut(inbox) && learner_inbox_is_ready(inbox, 0));
  assert_false(learner_inbox_all_marked(inbox));
  CHECK_OK(tick_end(inbox, 1, 2, TABLE_SAVE));
  assert_false(learner_inbox_all_marked(inbox)); /* not all before the marks is being learned */
  learner_inbox_close_tick(inbox);
  assert_true(learner_inbox_all_marked(inbox));
  learner_inbox_cut_done(inbox);
  assert_false(learner_inbox_sees_cut(inbox) || learner_inbox_all_marked(inbox));
  assert_int_equal(learner_inbox_acted(inbox, 0), 10 + 3 * 11);
  learner_inbox_destroy(inbox);
}

/* --- of an actor --- */
static Status table(ActorInbox *inbox, uint64_t tick, uint32_t flags, uint32_t away) {
  HomeEntry home = {.share = 1, .count = 1};
  MatchEntry match = {.away = away, .probability = 1};
  const Table said = {
      .tick = tick,
      .flags = flags,
      .home = &home,
      .homes = 1,
      .match = &match,
      .matches = 1,
  };
  Message *message = message_of(WIRE_TABLE, 0, say_table, &said);
  Reader body = body_of(message);
  Status status = actor_inbox_take_table(inbox, &body);
  message_release(message);
  return status;
}

static Status weights(ActorInbox *inbox, uint32_t player, uint64_t tick, uint64_t version) {
  const float value[BLOCK] = {(float)version, 1, 2};
  const WireWeights said = {.player = player, .tick = tick, .version = version, .value = value};
  Message *message = message_of(WIRE_WEIGHTS, 3, say_weights, &said);
  Reader body = body_of(message);
  Status status = actor_inbox_take_weights(inbox, &body);
  message_release(message);
  return status;
}

static ActorInbox *actor_inbox(Pace pace) {
  ActorInbox *inbox;
  CHECK_OK(actor_inbox_create(pace, PLAYERS, BLOCK, &inbox));
  return inbox;
}

/* In the deterministic paces a tick has its own table and its own weights, whatever comes early. */
static void each_tick_has_its_own(void **state) {
  (void)state;
  ActorInbox *inbox = actor_inbox(PACE_PIPELINED);
  PolicyCache *cache;
  Table present = {0};
  bool found;
  CHECK_OK(cache_create(BLOCK, 1, &cache));
  CHECK_OK(table(inbox, 5, 0, 10)); /* may be here before the job's first tick is known */
  CHECK_OK(weights(inbox, 0, 5, 1));
  assert_true(actor_inbox_begin(inbox, 5));
  CHECK_OK(table(inbox, 6, TABLE_SAME | TABLE_SAVE, 0));
  CHECK_OK(weights(inbox, 0, 6, 2));
  assert_true(actor_inbox_has_table(inbox, 5) && actor_inbox_has_table(inbox, 6));
  assert_false(actor_inbox_has_table(inbox, 7) || actor_inbox_has_weights(inbox, 0, 7));
  assert_false(actor_inbox_has_weights(inbox, 1, 5));
  CHECK_OK(actor_inbox_use_weights(inbox, 5, cache));
  assert_int_equal(cache_find(cache, 0)->version, 1);
  assert_null(cache_find(cache, 1));
  CHECK_OK(actor_inbox_use_table(inbox, 5, &present, &found));
  assert_true(found && present.tick == 5 && present.match[0].away == 10);
  CHECK_OK(actor_inbox_use_table(inbox, 5, &present, &found));
  assert_false(found);                                         /* once */
  CHECK_OK(actor_inbox_use_table(inbox, 6, &present, &found)); /* the same entries: they are kept */
  assert_true(found && present.tick == 6 && present.match[0].away == 10);
  assert_true(present.flags & TABLE_SAVE);
  assert_int_equal(table(inbox, 8, 0, 10), ERR_FORMAT); /* that of tick 7 is due */
  assert_int_equal(weights(inbox, 0, 8, 3), ERR_FORMAT);
  assert_int_equal(weights(inbox, PLAYERS, 7, 3), ERR_FORMAT);
  assert_int_equal(weights(inbox, 0, 9, 1), ERR_FORMAT); /* older than those that are here */
  table_free(&present);
  cache_destroy(cache);
  actor_inbox_destroy(inbox);
}

/* What has come before the job begins must be of its first tick. */
static void what_comes_early_is_of_the_first_tick(void **state) {
  (void)state;
  for (uint64_t tick = 4; tick <= 6; tick++) {
    ActorInbox *early_table = actor_inbox(PACE_LOCKSTEP),
               *early_weights = actor_inbox(PACE_LOCKSTEP);
    CHECK_OK(table(early_table, 5, 0, 10));
    CHECK_OK(weights(early_weights, 1, 5, 1));
    assert_int_equal(actor_inbox_begin(early_table, tick), tick == 5);
    assert_int_equal(actor_inbox_begin(early_weights, tick), tick == 5);
    actor_inbox_destroy(early_table);
    actor_inbox_destroy(early_weights);
  }
}

/* In pace free the newest is what counts, but a cut is never passed over, nor are entries that have
 * not been used. */
static void free_pace_takes_the_newest(void **state) {
  (void)state;
  ActorInbox *inbox = actor_inbox(PACE_FREE);
  PolicyCache *cache;
  Table present = {0};
  bool found;
  CHECK_OK(cache_create(BLOCK, 1, &cache));
  assert_true(actor_inbox_begin(inbox, 0));
  CHECK_OK(table(inbox, 0, 0, 10));
  CHECK_OK(table(inbox, 1, TABLE_SAME | TABLE_SAVE, 0)); /* over the one before */
  CHECK_OK(table(inbox, 2, 0, 11));
  CHECK_OK(table(inbox, 3, 0, 12)); /* over the one before, and not over the cut */
  CHECK_OK(weights(inbox, 0, 0, 1));
  CHECK_OK(weights(inbox, 0, 0, 4));
  CHECK_OK(actor_inbox_use_weights(inbox, 77, cache));
  assert_int_equal(cache_find(cache, 0)->version, 4);
  CHECK_OK(actor_inbox_use_table(inbox, 77, &present, &found));
  assert_true(found && present.tick == 1 && present.match[0].away == 10);
  assert_true(present.flags == TABLE_SAVE);
  CHECK_OK(actor_inbox_use_table(inbox, 77, &present, &found));
  assert_true(found && present.tick == 3 && present.match[0].away == 12);
  CHECK_OK(actor_inbox_use_table(inbox, 77, &present, &found));
  assert_false(found);
  table_free(&present);
  cache_destroy(cache);
  actor_inbox_destroy(inbox);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(experience_comes_in_the_order_of_actors),
      cmocka_unit_test(a_failure_loses_nothing_that_was_not_taken),
      cmocka_unit_test(what_is_not_due_is_refused),
      cmocka_unit_test(directives_come_one_a_tick),
      cmocka_unit_test(free_pace_takes_what_there_is),
      cmocka_unit_test(each_tick_has_its_own),
      cmocka_unit_test(what_comes_early_is_of_the_first_tick),
      cmocka_unit_test(free_pace_takes_the_newest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
