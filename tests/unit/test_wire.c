/* Messages: each kind says again what was said, and nothing that is short, too long or impossible is taken. The table
 * of routes drives the tests: a kind that has no sample here fails them. */
#include "check.h"

#include "base/rng.h"
#include "store/store.h"
#include "wire/wire.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 5, PART = 3 };

static const uint32_t heads[] = {3};
static const RowFormat format = {
    .observation_bytes = 4,
    .choices = 3,
    .heads = 1,
    .state = 2,
    .head_size = heads,
};
static const WireShape shape = {.block = BLOCK, .format = &format, .part = PART};
static const float policy[BLOCK] = {1, -2, 3.5f, 0, 1e-9f};

#define SAME(field) assert_true(got.field == said->field)
#define SAME_TEXT(field) assert_string_equal(got.field, said->field)

static void same_policy(const float *got) { assert_memory_equal(got, policy, sizeof policy); }

/* --- samples, one for each kind: what is said, and whether the same is heard --- */
static const WireWeights weights = {.player = 1, .life = 2, .version = 3, .tick = UINT64_MAX, .value = policy};
static void say_weights(Bytes *out) { weights_encode(&weights, BLOCK, out); }
static Status hear_weights(Reader *body) {
  const WireWeights *said = &weights;
  WireWeights got;
  TRY_RETURN(weights_decode(&got, BLOCK, body));
  SAME(player);
  SAME(life);
  SAME(version);
  SAME(tick);
  same_policy(got.value);
  return OK;
}

static const WireFetch fetch = {.player = 77};
static void say_fetch(Bytes *out) { fetch_encode(&fetch, out); }
static Status hear_fetch(Reader *body) {
  const WireFetch *said = &fetch;
  WireFetch got;
  TRY_RETURN(fetch_decode(&got, body));
  SAME(player);
  return OK;
}

static const WireFrozen frozen = {.player = 9, .value = policy};
static void say_frozen(Bytes *out) { frozen_encode(&frozen, BLOCK, out); }
static Status hear_frozen(Reader *body) {
  const WireFrozen *said = &frozen;
  WireFrozen got;
  TRY_RETURN(frozen_decode(&got, BLOCK, body));
  SAME(player);
  same_policy(got.value);
  return OK;
}

static const WireGuest guest = {
    .player = 6, .name = "engine", .text = "exec:./engine --depth 6", .bytes = "\0bytes", .size = 6};
static void say_guest(Bytes *out) { guest_encode(&guest, out); }
static Status hear_guest(Reader *body) {
  const WireGuest *said = &guest;
  WireGuest got;
  TRY_RETURN(guest_decode(&got, body));
  SAME(player);
  SAME(size);
  assert_string_equal(got.name, said->name);
  assert_string_equal(got.text, said->text);
  assert_memory_equal(got.bytes, said->bytes, said->size);
  return OK;
}

static const WireFault fault = {.player = 6, .text = "it answered rubbish"};
static void say_fault(Bytes *out) { fault_encode(&fault, out); }
static Status hear_fault(Reader *body) {
  const WireFault *said = &fault;
  WireFault got;
  TRY_RETURN(fault_decode(&got, body));
  SAME(player);
  assert_string_equal(got.text, said->text);
  return OK;
}

static HomeEntry home[] = {{1, 2, .25f, 0, 1}, {0, 5, .75f, 1, 2}};
static MatchEntry match_entry[] = {{1, 4, 1, MATCH_LIVE, BRANCH_SELF},
                                   {0, 1, .5f, MATCH_LIVE | MATCH_AWAY_LEARNS, BRANCH_PFSP},
                                   {0, 3, .5f, 0, BRANCH_META}};
static MatchEntry eval_entry[] = {{3, BUILTIN_SCRIPTED, 1, 0, BRANCH_EVAL}};
static const Table table = {
    .tick = 8,
    .version = 3,
    .flags = TABLE_SAVE | TABLE_STOP,
    .stage = 3,
    .home = home,
    .homes = COUNT_OF(home),
    .match = match_entry,
    .matches = COUNT_OF(match_entry),
    .eval = eval_entry,
    .evals = COUNT_OF(eval_entry),
};

static void same_entry(const MatchEntry *a, const MatchEntry *b) {
  assert_true(a->home == b->home && a->away == b->away && a->probability == b->probability);
  assert_true(a->flags == b->flags && a->branch == b->branch);
}

static void say_table(Bytes *out) { table_encode(&table, out); }
static Status hear_table(Reader *body) {
  const Table *said = &table;
  Table got = {0};
  Status status = table_decode(&got, body);
  if (status == OK) status = reader_finish(body, "the body");
  if (status == OK) {
    SAME(tick);
    SAME(version);
    SAME(flags);
    SAME(stage);
    SAME(homes);
    SAME(matches);
    SAME(evals);
    for (size_t i = 0; i < got.homes; i++) {
      SAME(home[i].player);
      SAME(home[i].life);
      SAME(home[i].share);
      SAME(home[i].first);
      SAME(home[i].count);
    }
    for (size_t i = 0; i < got.matches; i++) same_entry(&got.match[i], &said->match[i]);
    for (size_t i = 0; i < got.evals; i++) same_entry(&got.eval[i], &said->eval[i]);
  }
  table_free(&got);
  return status;
}

/* Two unrolls: one of two decisions and what bootstraps them, carried from a former life; one that ended. */
static uint8_t observation[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, mask[12] = {1, 1, 0, 1};
static int32_t action[] = {0, 1, 2, 1};
static float row_value[] = {1, 2, 3, 4}, state_value[] = {.5f, .25f, 0, 1};
static Unroll unroll[] = {{.version = 9,
                           .first_version = 7,
                           .life = 2,
                           .first_life = 1,
                           .player = 3,
                           .slot = 12,
                           .agent = 1,
                           .end = END_OPEN,
                           .rows = 2,
                           .first = 0},
                          {.version = 9,
                           .first_version = 9,
                           .life = 2,
                           .first_life = 2,
                           .player = 3,
                           .slot = 13,
                           .end = END_TERMINATED,
                           .fresh = 1,
                           .rows = 1,
                           .first = 3}};
static Batch experience(void) {
  return (Batch){.format = format,
                 .rows = 4,
                 .observation = observation,
                 .mask = mask,
                 .action = action,
                 .log_prob = row_value,
                 .value = row_value,
                 .reward = row_value,
                 .unroll = unroll,
                 .unrolls = 2,
                 .state = state_value};
}

static const WireUnrolls unrolls = {.tick = 4, .player = 3, .actor = 6};
static void say_unrolls(Bytes *out) {
  Batch batch = experience();
  unrolls_encode(&unrolls, out);
  batch_encode(&batch, out);
}
static Status hear_unrolls(Reader *body) {
  const WireUnrolls *said = &unrolls;
  WireUnrolls got;
  Batch batch;
  TRY_RETURN(unrolls_decode(&got, body));
  CHECK_OK(batch_create(&format, &batch));
  Status status = unrolls_batch(&got, &batch);
  if (status == OK) {
    SAME(tick);
    SAME(player);
    SAME(actor);
    assert_int_equal(batch.rows, 4);
    assert_int_equal(batch.unrolls, 2);
    assert_memory_equal(batch.observation, observation, sizeof observation);
    assert_memory_equal(batch.mask, mask, sizeof mask);
    assert_memory_equal(batch.action, action, sizeof action);
    assert_memory_equal(batch.reward, row_value, sizeof row_value);
    assert_memory_equal(batch.state, state_value, sizeof state_value);
    for (size_t i = 0; i < 2; i++) {
      const Unroll *a = &batch.unroll[i], *b = &unroll[i];
      assert_true(a->version == b->version && a->first_version == b->first_version && a->life == b->life);
      assert_true(a->first_life == b->first_life && a->player == b->player && a->slot == b->slot);
      assert_true(a->agent == b->agent && a->end == b->end && a->fresh == b->fresh && a->rows == b->rows);
    }
  }
  batch_destroy(&batch);
  return status;
}

static const WireTickEnd tick_end = {.tick = 5, .actor = 2, .flags = TABLE_SAVE, .frames = 1234567890123u};
static void say_tick_end(Bytes *out) { tick_end_encode(&tick_end, out); }
static Status hear_tick_end(Reader *body) {
  const WireTickEnd *said = &tick_end;
  WireTickEnd got;
  TRY_RETURN(tick_end_decode(&got, body));
  SAME(tick);
  SAME(actor);
  SAME(flags);
  SAME(frames);
  return OK;
}

static const WireCredit credit = {.ticks = 1ull << 40};
static void say_credit(Bytes *out) { credit_encode(&credit, out); }
static Status hear_credit(Reader *body) {
  const WireCredit *said = &credit;
  WireCredit got;
  TRY_RETURN(credit_decode(&got, body));
  SAME(ticks);
  return OK;
}

static PairResults pair[] = {
    {.home = 1,
     .away = 7,
     .home_life = 2,
     .away_life = 3,
     .seat = 1,
     .branch = BRANCH_PFSP,
     .tally.games = 6,
     .tally.wins = 3,
     .tally.draws = 2,
     .tally.losses = 1,
     .outcome = 4,
     .tally.returns = -1.5,
     .tally.squares = 2.5,
     .away_return = 1.25,
     .away_square = 3.5,
     .wins_over_p = 4.75,
     .length = 99},
    {.home = 6, .away = BUILTIN_RANDOM, .eval = 1, .branch = BRANCH_EVAL, .tally.games = 1, .tally.draws = 1}};
static FrameCount frame[] = {{0, 100}, {1, 200}};
static const Results results = {
    .actor = 3,
    .tick = 21,
    .pair = pair,
    .pairs = COUNT_OF(pair),
    .frame = frame,
    .frames = COUNT_OF(frame),
    .decisions_frozen = 10,
    .steps = 20,
    .episodes = 7,
    .metric = {1, 2.5},
    .waits = 0.375,
    .stage = 2,
    .staged = 5,
    .staged_sum = -3.25,
};
static void say_results(Bytes *out) { results_encode(&results, out); }
static void same_results(const Results *heard, const Results *said) {
  Results got = *heard;
  SAME(actor);
  SAME(tick);
  SAME(pairs);
  SAME(frames);
  SAME(decisions_frozen);
  SAME(steps);
  SAME(episodes);
  SAME(waits);
  SAME(stage);
  SAME(staged);
  SAME(staged_sum);
  assert_memory_equal(got.metric, said->metric, sizeof got.metric);
  for (size_t i = 0; i < got.frames; i++) {
    SAME(frame[i].player);
    SAME(frame[i].frames);
  }
  for (size_t i = 0; i < got.pairs; i++) {
    SAME(pair[i].home);
    SAME(pair[i].away);
    SAME(pair[i].home_life);
    SAME(pair[i].away_life);
    SAME(pair[i].seat);
    SAME(pair[i].eval);
    SAME(pair[i].branch);
    SAME(pair[i].tally.games);
    SAME(pair[i].tally.wins);
    SAME(pair[i].tally.draws);
    SAME(pair[i].tally.losses);
    SAME(pair[i].outcome);
    SAME(pair[i].tally.returns);
    SAME(pair[i].tally.squares);
    SAME(pair[i].away_return);
    SAME(pair[i].away_square);
    SAME(pair[i].wins_over_p);
    SAME(pair[i].length);
  }
}
static Status hear_results(Reader *body) {
  Results got = {0};
  Status status = results_decode(&got, body);
  if (status == OK) same_results(&got, &results);
  results_free(&got);
  return status;
}

static const Directive directive = {
    .tick = 6,
    .number = 4,
    .flags = DIRECTIVE_SAVE,
    .order = {{.player = 1, .snapshot_id = 12, .reset = RESET_COPY, .source_frozen = 8, .block = policy},
              {.player = 0, .snapshot_id = 13, .reset = RESET_INITIAL},
              {.player = 2, .reset = RESET_ADOPT, .source = 3, .tuned = {[TUNE_RATE] = .25}}},
    .orders = 3,
};
static void say_directive(Bytes *out) { directive_encode(&directive, BLOCK, out); }
static Status hear_directive(Reader *body) {
  const Directive *said = &directive;
  Directive got;
  TRY_RETURN(directive_decode(&got, BLOCK, body));
  SAME(tick);
  SAME(number);
  SAME(flags);
  SAME(orders);
  for (size_t i = 0; i < got.orders; i++) {
    SAME(order[i].player);
    SAME(order[i].snapshot_id);
    SAME(order[i].reset);
    SAME(order[i].source_frozen);
    SAME(order[i].source);
    for (int k = 0; k < TUNABLES; k++) SAME(order[i].tuned[k]);
  }
  same_policy(got.order[0].block);
  assert_null(got.order[1].block);
  return OK;
}

static const WireReport report = {
    .tick = 3,
    .player = 1,
    .version = 40,
    .frames = 5000,
    .dropped = 12,
    .numbers = {.item = {{"lag", 1.5}, {"entropy", -2}}, .count = 2},
};
static void same_numbers(const Numbers *a, const Numbers *b) {
  assert_int_equal(a->count, b->count);
  for (size_t i = 0; i < a->count; i++) {
    assert_string_equal(a->item[i].name, b->item[i].name);
    assert_true(a->item[i].value == b->item[i].value);
  }
}
static void say_report(Bytes *out) { report_encode(&report, out); }
static Status hear_report(Reader *body) {
  const WireReport *said = &report;
  WireReport got;
  TRY_RETURN(report_decode(&got, body));
  SAME(tick);
  SAME(player);
  SAME(version);
  SAME(frames);
  SAME(dropped);
  same_numbers(&got.numbers, &said->numbers);
  return OK;
}

static const RoleProfile profile = {
    .role = "learner",
    .index = 2,
    .numbers = {.item = {{"seconds", 12.5}}, .count = 1},
};
static void say_profile(Bytes *out) { profile_encode(&profile, out); }
static Status hear_profile(Reader *body) {
  const RoleProfile *said = &profile;
  RoleProfile got;
  TRY_RETURN(profile_decode(&got, body));
  SAME_TEXT(role);
  SAME(index);
  same_numbers(&got.numbers, &said->numbers);
  return OK;
}

/* The piece of a lane is tried too, by lanes_are_bytes. */
static const WireActorState counts = {
    .actor = 3,
    .lane = (uint32_t)WIRE_NO_LANE,
    .acted = 11,
    .episodes = 12,
    .steps = 13,
};
static void say_actor_state(Bytes *out) { actor_state_encode(&counts, out); }
static Status hear_actor_state(Reader *body) {
  const WireActorState *said = &counts;
  WireActorState got;
  TRY_RETURN(actor_state_decode(&got, body));
  SAME(actor);
  SAME(lane);
  SAME(acted);
  SAME(episodes);
  SAME(steps);
  assert_null(got.state);
  return OK;
}

static const WireLane lane = {.lane = 5, .state = "", .size = 0};
static void say_lane(Bytes *out) { lane_encode(&lane, out); }
static Status hear_lane(Reader *body) {
  const WireLane *said = &lane;
  WireLane got;
  TRY_RETURN(lane_decode(&got, body));
  SAME(lane);
  SAME(size);
  return OK;
}

static const WireReplay piece = {.player = 1, .lane = 6, .part = 2, .parts = 3, .state = "", .size = 0};
static void say_kept(Bytes *out) { replay_state_encode(&piece, out); }
static Status hear_kept(Reader *body) {
  const WireReplay *said = &piece;
  WireReplay got;
  TRY_RETURN(replay_state_decode(&got, body));
  SAME(player);
  SAME(lane);
  SAME(part);
  SAME(parts);
  SAME(size);
  return OK;
}

/* As both ends do: the columns are behind what the wire knows. */
static void say_training(Bytes *out) {
  Tree tree = {0};
  CHECK_OK(tree_put(&tree, "policy", STORE_F32, BLOCK, 1, policy));
  training_encode(&(WireTraining){.number = 1ull << 34, .player = 3}, out);
  tree_encode(&tree, out);
  tree_free(&tree);
}
static Status hear_training(Reader *body) {
  WireTraining got;
  Tree tree = {0};
  const Item *item;
  TRY_RETURN(training_decode(&got, body));
  Reader columns = reader_over(got.tree, got.size);
  Status status = tree_decode(&tree, &columns);
  if (status == OK) status = reader_finish(&columns, "the body");
  if (status == OK) {
    assert_true(got.number == 1ull << 34 && got.player == 3);
    CHECK_OK(tree_get(&tree, "policy", STORE_F32, BLOCK, &item));
    same_policy(item->data);
  }
  tree_free(&tree);
  return status;
}
static void say_player_state(Bytes *out) {
  Tree tree = {0};
  CHECK_OK(tree_put(&tree, "policy", STORE_F32, BLOCK, 1, policy));
  player_state_encode(&(WirePlayerState){.player = 2}, out);
  tree_encode(&tree, out);
  tree_free(&tree);
}
static Status hear_player_state(Reader *body) {
  WirePlayerState got;
  Tree tree = {0};
  const Item *item;
  TRY_RETURN(player_state_decode(&got, body));
  Reader columns = reader_over(got.tree, got.size);
  Status status = tree_decode(&tree, &columns);
  if (status == OK) status = reader_finish(&columns, "the body");
  if (status == OK) {
    assert_int_equal(got.player, 2);
    CHECK_OK(tree_get(&tree, "policy", STORE_F32, BLOCK, &item));
    same_policy(item->data);
  }
  tree_free(&tree);
  return status;
}

static const WireStart start = {.tick = 1ull << 33};
static void say_start(Bytes *out) { start_encode(&start, out); }
static Status hear_start(Reader *body) {
  const WireStart *said = &start;
  WireStart got;
  TRY_RETURN(start_decode(&got, body));
  SAME(tick);
  return OK;
}

static void say_nothing(Bytes *out) { (void)out; }
static Status hear_nothing(Reader *body) { return reader_finish(body, "the body"); }

static const WireSum sum = {.number = 8, .member = 1, .count = BLOCK, .value = policy};
static void say_sum(Bytes *out) { sum_encode(&sum, out); }
static Status hear_sum(Reader *body) {
  const WireSum *said = &sum;
  WireSum got;
  TRY_RETURN(sum_decode(&got, body));
  SAME(number);
  SAME(member);
  SAME(count);
  same_policy(got.value);
  return OK;
}

static const WireMatch match = {.fixture = 3, .pairs = 64, .first = 128};
static void say_match(Bytes *out) { match_encode(&match, out); }
static Status hear_match(Reader *body) {
  const WireMatch *said = &match;
  WireMatch got;
  TRY_RETURN(match_decode(&got, body));
  SAME(fixture);
  SAME(pairs);
  SAME(first);
  return OK;
}

static const WireMatchResult match_result = {
    .match = {.fixture = 3, .pairs = 1, .first = 128},
    .tally = {.seat = {{1, 1, 0, 0, 2.5, 6.25}, {1, 0, 0, 1, -1, 1}},
              .pairs = {{0, 0, 1, 0, 0}},
              .pair_squares = 2.25,
              .fixed = true,
              .welfare = {.5, 3},
              .more_squares = {-1.5, 4}},
    .measured = {.games = 2, .sum = {1, -2.5}},
    .replay = "{}\n",
    .size = 3,
};
static void say_match_result(Bytes *out) { match_result_encode(&match_result, out); }
static Status hear_match_result(Reader *body) {
  const WireMatchResult *said = &match_result;
  WireMatchResult got;
  TRY_RETURN(match_result_decode(&got, body));
  SAME(measured.games);
  assert_memory_equal(got.measured.sum, said->measured.sum, sizeof got.measured.sum);
  SAME(match.fixture);
  SAME(match.pairs);
  SAME(match.first);
  for (int s = 0; s < 2; s++) {
    SAME(tally.seat[s].games);
    SAME(tally.seat[s].wins);
    SAME(tally.seat[s].draws);
    SAME(tally.seat[s].losses);
    SAME(tally.seat[s].returns);
    SAME(tally.seat[s].squares);
  }
  for (int i = 0; i < 5; i++) SAME(tally.pairs.count[i]);
  SAME(tally.pair_squares);
  SAME(tally.fixed);
  for (int s = 0; s < 2; s++) {
    SAME(tally.welfare[s]);
    SAME(tally.more_squares[s]);
  }
  SAME(size);
  assert_memory_equal(got.replay, said->replay, said->size);
  return OK;
}

static void say_tree_part(Bytes *out) { tree_part_encode(&(WireTreePart){.value = policy, .count = PART}, out); }
static Status hear_tree_part(Reader *body) {
  WireTreePart got = {.count = PART};
  TRY_RETURN(tree_part_decode(&got, body));
  assert_memory_equal(got.value, policy, PART * sizeof *policy);
  return OK;
}

static const struct Sample {
  WireKind kind;
  void (*say)(Bytes *out);
  Status (*hear)(Reader *body);
} samples[] = {
    {WIRE_WEIGHTS, say_weights, hear_weights},
    {WIRE_FETCH, say_fetch, hear_fetch},
    {WIRE_FROZEN, say_frozen, hear_frozen},
    {WIRE_TABLE, say_table, hear_table},
    {WIRE_UNROLLS, say_unrolls, hear_unrolls},
    {WIRE_TICK_END, say_tick_end, hear_tick_end},
    {WIRE_CREDIT, say_credit, hear_credit},
    {WIRE_RESULTS, say_results, hear_results},
    {WIRE_DIRECTIVE, say_directive, hear_directive},
    {WIRE_SNAPSHOT, say_frozen, hear_frozen},
    {WIRE_REPORT, say_report, hear_report},
    {WIRE_ACTOR_STATE, say_actor_state, hear_actor_state},
    {WIRE_LEARNER_STATE, say_player_state, hear_player_state},
    {WIRE_RESTORE_LANE, say_lane, hear_lane},
    {WIRE_RESTORE_PLAYER, say_player_state, hear_player_state},
    {WIRE_BEGIN, say_start, hear_start},
    {WIRE_LEARN, say_start, hear_start},
    {WIRE_RESUME, say_nothing, hear_nothing},
    {WIRE_SUM_PART, say_sum, hear_sum},
    {WIRE_SUM_WHOLE, say_sum, hear_sum},
    {WIRE_MATCH, say_match, hear_match},
    {WIRE_MATCH_RESULT, say_match_result, hear_match_result},
    {WIRE_TREE_PART, say_tree_part, hear_tree_part},
    {WIRE_BYE, say_profile, hear_profile},
    {WIRE_REPLAY_STATE, say_kept, hear_kept},
    {WIRE_RESTORE_REPLAY, say_kept, hear_kept},
    {WIRE_REPLAY_TAKEN, say_nothing, hear_nothing},
    {WIRE_GUEST, say_guest, hear_guest},
    {WIRE_TRAINING, say_training, hear_training},
    {WIRE_FAULT, say_fault, hear_fault},
};

static const struct Sample *sample_of(int kind) {
  for (size_t i = 0; i < COUNT_OF(samples); i++)
    if ((int)samples[i].kind == kind) return &samples[i];
  fail_msg("no test says a %s message", wire_name((WireKind)kind));
  return NULL;
}

/* Over a copy that ends where the body does, so that a sanitizer sees what reads on. */
static Status hear(const struct Sample *sample, bool whole, const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);
  if (size) memcpy(copy, data, size);
  Reader body = reader_over(copy, size);
  Status status = whole ? sample->hear(&body) : wire_route(sample->kind)->check(&shape, &body);
  free(copy);
  return status;
}

/* --- the tests --- */
static void every_kind_says_what_was_said(void **state) {
  (void)state;
  for (int kind = 1; kind < WIRE_LAST; kind++) {
    Bytes body = {0};
    const struct Sample *sample = sample_of(kind);
    const WireRoute *route = wire_route((WireKind)kind);
    if (!route->name || !route->check || (int)route->kind != kind) fail_msg("kind %d has no route", kind);
    for (int other = 1; other < kind; other++) assert_string_not_equal(route->name, wire_name((WireKind)other));
    sample->say(&body);
    CHECK_OK(hear(sample, true, body.data, body.size));
    CHECK_OK(hear(sample, false, body.data, body.size));
    bytes_free(&body);
  }
  assert_string_equal(wire_name(WIRE_LAST), "unknown");
  assert_string_equal(wire_name((WireKind)0), "unknown");
}

/* Whoever hears a kind in whole refuses every beginning of it, and anything behind it. What the route's check does not
 * look into - the columns of a player's state - it may take. */
static void what_is_cut_or_too_long_is_refused(void **state) {
  (void)state;
  for (int kind = 1; kind < WIRE_LAST; kind++) {
    Bytes body = {0};
    const struct Sample *sample = sample_of(kind);
    bool columns = kind == WIRE_LEARNER_STATE || kind == WIRE_RESTORE_PLAYER || kind == WIRE_TRAINING;
    bool bytes = kind == WIRE_RESTORE_LANE || kind == WIRE_REPLAY_STATE || kind == WIRE_RESTORE_REPLAY;
    sample->say(&body);
    for (size_t size = 0; size < body.size; size++) {
      if (hear(sample, true, body.data, size) != ERR_FORMAT)
        fail_msg("%zu of %zu bytes of a %s message are taken", size, body.size, wire_name(sample->kind));
      if (!columns) assert_int_equal(hear(sample, false, body.data, size), ERR_FORMAT);
    }
    bytes_u8(&body, 0);
    if (!bytes && hear(sample, true, body.data, body.size) != ERR_FORMAT)
      fail_msg("a byte behind a %s message is taken", wire_name(sample->kind));
    if (!bytes && !columns) assert_int_equal(hear(sample, false, body.data, body.size), ERR_FORMAT);
    bytes_free(&body);
  }
}

/* A table whose entries are those of the one before says only its head. */
static void a_table_may_leave_its_entries_out(void **state) {
  (void)state;
  Bytes body = {0};
  Table got = {0}, same = table;
  CHECK_OK(table_copy(&got, &table));
  same.flags = TABLE_SAME;
  same.tick = 9;
  table_encode(&same, &body);
  assert_int_equal(body.size, 20);
  Reader reader = reader_over(body.data, body.size);
  CHECK_OK(table_decode(&got, &reader));
  CHECK_OK(reader_finish(&reader, "a table"));
  assert_true(got.tick == 9 && got.homes == table.homes && got.flags == TABLE_SAME);
  table_free(&got);
  bytes_free(&body);
}

/* The league keeps lanes as bytes, and gives the same bytes back. */
static void lanes_are_bytes(void **state) {
  (void)state;
  Bytes sent = {0}, given = {0};
  WireActorState kept;
  WireLane back;
  actor_state_encode(&(WireActorState){.actor = 1, .lane = 4, .state = "a lane", .size = 6}, &sent);
  Reader reader = reader_over(sent.data, sent.size);
  CHECK_OK(actor_state_decode(&kept, &reader));
  assert_true(kept.actor == 1 && kept.lane == 4 && kept.size == 6);
  lane_encode(&(WireLane){kept.lane, kept.state, kept.size}, &given);
  reader = reader_over(given.data, given.size);
  CHECK_OK(lane_decode(&back, &reader));
  assert_true(back.lane == 4 && back.size == 6 && !memcmp(back.state, "a lane", 6));
  for (size_t size = 0; size < 8; size++) {
    reader = reader_over(sent.data, size);
    assert_int_equal(actor_state_decode(&kept, &reader), ERR_FORMAT);
  }
  bytes_free(&sent);
  bytes_free(&given);
}

/* What no run can say: a field of a sample that was changed, and the words that must say why. */
static void what_cannot_be_is_refused(void **state) {
  (void)state;
  enum { STAGED = 4 + 8 + 8 }; /* of results: what is told of the curriculum, behind waits */
  const uint32_t nan = 0x7fc00000, high_nan = 0x7ff80000;
  const struct {
    WireKind kind;
    long at; /* of four bytes of the body; from its end if negative */
    uint32_t value;
    const char *says;
  } lie[] = {
      {WIRE_WEIGHTS, 24 + 4, nan, "weights of player 1 hold what is no number"},
      {WIRE_FROZEN, 4 + 8, nan, "the policy of player 9 holds what is no number"},
      {WIRE_GUEST, 0, WIRE_PLAYERS, "guest message is damaged"},
      {WIRE_FAULT, 0, WIRE_PLAYERS, "fault message is damaged"},
      {WIRE_SNAPSHOT, 4, nan, "the policy of player 9 holds what is no number"},
      {WIRE_TABLE, 16, 8, "matchmaking table is damaged"},
      {WIRE_TABLE, 16, 0x10000, "matchmaking table is damaged"}, /* stage 256 */
      {WIRE_TABLE, 20 + 8 + 12, 3, "matchmaking table is damaged"}, /* rows that there are not */
      {WIRE_TABLE, 28 + 40 + 8 + 8, nan, "matchmaking table is damaged"},
      {WIRE_TABLE, -4, 0x40000 | BRANCH_EVAL, "matchmaking table is damaged"},
      {WIRE_TABLE, -4, BRANCH_COUNT, "matchmaking table is damaged"},
      {WIRE_UNROLLS, 16 + 16 + 24, 3, "experience message"}, /* more decisions than rows */
      {WIRE_UNROLLS, -4, nan, "experience message holds numbers that are not finite"},
      {WIRE_RESULTS, 4 + 8 + 4, 1u << 12, "results message is damaged"}, /* 2^44 decisions */
      {WIRE_RESULTS, 44 + 4, high_nan, "results message is damaged"},
      {WIRE_RESULTS, 44 + 8 * MEASURES + 4, high_nan, "results message is damaged"},    /* waits */
      {WIRE_RESULTS, 44 + 8 * MEASURES + 4, 0x40000000, "results message is damaged"}, /* twice the time */
      {WIRE_RESULTS, 44 + 8 * MEASURES + 8 + 4, 8, "results message is damaged"}, /* of seven episodes */
      {WIRE_RESULTS, 44 + 8 * MEASURES + 8 + 16, high_nan, "results message is damaged"}, /* their sum */
      {WIRE_RESULTS, 44 + 8 * MEASURES + STAGED + 16 + 20, 5, "results message is damaged"}, /* five games of six */
      {WIRE_RESULTS, 44 + 8 * MEASURES + STAGED + 16, WIRE_PLAYERS, "results message is damaged"},
      {WIRE_RESULTS, 44 + 8 * MEASURES + STAGED + 16 + 4, BUILTIN_RANDOM, "results message is damaged"}, /* no eval */
      {WIRE_RESULTS, 44 + 8 * MEASURES + STAGED + 16 + 16, 4, "results message is damaged"},
      {WIRE_RESULTS, -4, 1u << 12, "results message is damaged"},
      {WIRE_DIRECTIVE, 16, 4, "directive message is damaged"},
      {WIRE_DIRECTIVE, 28, WIRE_PLAYERS, "directive message is damaged"},
      {WIRE_DIRECTIVE, 28 + 4, WIRE_PLAYERS, "directive message is damaged"},
      {WIRE_DIRECTIVE, 28 + 8, RESET_INITIAL, "directive message is damaged"}, /* and yet a policy */
      {WIRE_DIRECTIVE, -8 * TUNABLES - 4 - 16 - 8, RESET_COPY, "directive message is damaged"}, /* of nothing */
      {WIRE_DIRECTIVE, -8 * TUNABLES - 4, 2, "directive message is damaged"}, /* a copy of itself */
      {WIRE_DIRECTIVE, -8 * TUNABLES - 4, WIRE_LEARNERS, "directive message is damaged"},
      {WIRE_DIRECTIVE, -8 * TUNABLES + 4, high_nan, "directive message is damaged"},
      {WIRE_REPORT, 36, 49, "the body is too short or damaged"},
      {WIRE_REPORT, 36 + 8, '-' | '-' << 8 | '/' << 16, "the body is too short or damaged"}, /* the name of a number */
      {WIRE_BYE, 4, 'x' << 24 | 'a' << 16 | 'e' << 8 | 'l', "it is of no role"},
      {WIRE_MATCH_RESULT, 16 + 96 + 40 + 8 + 32, 2, "do not add up"},
      {WIRE_TREE_PART, 8, nan, "holds what is no number"},
  };
  for (size_t i = 0; i < COUNT_OF(lie); i++) {
    Bytes body = {0};
    const struct Sample *sample = sample_of(lie[i].kind);
    sample->say(&body);
    memcpy(body.data + (lie[i].at < 0 ? (long)body.size : 0) + lie[i].at, &lie[i].value, sizeof lie[i].value);
    Status status = hear(sample, false, body.data, body.size);
    if (status != ERR_FORMAT || !strstr(status_message(), lie[i].says))
      fail_msg("%s, at %ld: not '%s', but: %s", wire_name(lie[i].kind), lie[i].at, lie[i].says,
               status == OK ? "nothing is said" : status_message());
    bytes_free(&body);
  }
}

/* The drawings name every kind, as it stands in WireKind. */
static void the_protocol_draws_every_kind(void **state) {
  (void)state;
  static char text[60000];
  FILE *file = fopen(TEST_SOURCE_DIR "/src/wire/PROTOCOL.md", "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  for (int kind = 1; kind < WIRE_LAST; kind++) {
    char name[32];
    snprintf(name, sizeof name, "%s", wire_name((WireKind)kind));
    for (char *c = name; *c; c++) *c = *c == ' ' ? '_' : (char)toupper(*c);
    if (!strstr(text, name)) fail_msg("PROTOCOL.md does not say when a %s message is sent", name);
  }
}

/* Random bytes never crash a decoder. */
static void decoders_survive_noise(void **state) {
  (void)state;
  AgonRng rng = rng_stream(2, 0, 0, RNG_TEST);
  for (int i = 0; i < 20000; i++) {
    uint8_t noise[200];
    size_t size = rng_below(&rng, 200);
    int kind = 1 + (int)rng_below(&rng, WIRE_LAST - 1);
    for (size_t k = 0; k < size; k++) noise[k] = (uint8_t)(rng_below(&rng, 3) ? 0 : rng_next(&rng));
    (void)hear(sample_of(kind), false, noise, size);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_says_what_was_said),
      cmocka_unit_test(what_is_cut_or_too_long_is_refused),
      cmocka_unit_test(a_table_may_leave_its_entries_out),
      cmocka_unit_test(lanes_are_bytes),
      cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(the_protocol_draws_every_kind),
      cmocka_unit_test(decoders_survive_noise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
