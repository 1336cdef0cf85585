/* Unrolls: what a decision earns, how episodes and ticks end, death, carrying over, truncation, versions. */
#include "check.h"

#include "actors/recorder.h"

#include <string.h>

static float shown; /* what the stand-in env observes */

static void observe(const void *params, const void *episode, uint32_t agent, void *row) {
  (void)params, (void)episode, (void)agent;
  memcpy(row, &shown, sizeof shown);
}

static uint8_t flag[2]; /* of the stand-in env's agents */

static void flags(const void *params, const void *episode, uint8_t *out) {
  (void)params, (void)episode;
  memcpy(out, flag, sizeof flag);
}

static AgonEnv table = {.observe = observe, .flags = flags};
static const uint8_t team_of[] = {0, 1};
static const uint32_t head_size[] = {2};
static Env env = {.table = &table,
                  .observation_count = 1,
                  .observation_bytes = 4,
                  .action_count = 2,
                  .spec = {.agents = 2, .teams = 2, .team_of = team_of},
                  .layout = {.heads = 1, .head_size = head_size}};

typedef struct Sink {
  Batch batch[2];
  size_t states; /* floats of recurrent state */
} Sink;

static Batch *batch_of(void *context, uint32_t player) { return &((Sink *)context)->batch[player]; }

/* 1000 a player + what is seen + the recurrent state. */
static Status values_of(void *context, uint32_t player, size_t count, const void *observations, const uint32_t *agents,
                        const float *states, float *out) {
  const Sink *sink = context;
  for (size_t i = 0; i < count; i++) {
    memcpy(out + i, (const char *)observations + 4 * i, 4);
    assert_int_equal(agents[i], player); /* each agent is a team, and a player, of its own here */
    out[i] += 1000 * (float)player + (sink->states ? states[i] : 0);
  }
  return OK;
}

static void collect(Recorder *recorder, Sink *sink) {
  CHECK_OK(recorder_collect(recorder, &(RecorderHooks){sink, batch_of, values_of}));
}

static RowFormat format;

static void open_sink(Sink *sink) {
  sink->states = format.state;
  for (int i = 0; i < 2; i++) CHECK_OK(batch_create(&format, &sink->batch[i]));
}

static void close_sink(Sink *sink) {
  for (int i = 0; i < 2; i++) batch_destroy(&sink->batch[i]);
}

static void decide(Recorder *recorder, PlaySlot *slot, uint32_t agent, float observation, uint64_t version,
                   float memory) {
  const uint8_t mask[2] = {1, 1};
  AgonAction action = {.choice = 1};
  Policy policy = {.player = agent, .version = version};
  Decision decision = {agent, &policy, &observation, mask, &action, -.5f, observation * 10, &memory, 0};
  recorder_decided(recorder, 0, slot, &decision);
}

static void reward(Recorder *recorder, float a, float b) {
  float both[2] = {a, b};
  recorder_rewarded(recorder, 0, both);
}

static Recorder *fresh(size_t state) {
  Recorder *recorder;
  format = (RowFormat){.observation_bytes = env.observation_bytes,
                       .choices = env.action_count,
                       .heads = env.layout.heads,
                       .state = (uint32_t)state};
  CHECK_OK(recorder_create(&env, &format, &recorder));
  CHECK_OK(recorder_add_slot(recorder));
  return recorder;
}

/* Turn-based: the loss by the opponent's last move belongs to the own last decision. */
static void rewards_reach_the_last_own_decision(void **state) {
  (void)state;
  Recorder *recorder = fresh(0);
  PlaySlot slot = {.id = 9};
  Sink sink;
  open_sink(&sink);
  decide(recorder, &slot, 0, 1, 4, 0);
  reward(recorder, 0, 0);
  decide(recorder, &slot, 1, 2, 4, 0);
  reward(recorder, .25f, 0);
  decide(recorder, &slot, 0, 3, 4, 0);
  reward(recorder, 0, 0);
  decide(recorder, &slot, 1, 4, 4, 0);
  reward(recorder, -1, 1);
  recorder_ended(recorder, 0, &slot, AGON_TERMINATED);
  collect(recorder, &sink);
  const Batch *first = &sink.batch[0];
  assert_int_equal(first->unrolls, 1);
  assert_int_equal(first->unroll[0].rows, 2);
  assert_int_equal(first->unroll[0].end, END_TERMINATED);
  assert_int_equal(first->unroll[0].fresh, 1);
  assert_int_equal(first->unroll[0].slot, 9);
  assert_true(first->reward[0] == .25f && first->reward[1] == -1);
  assert_true(sink.batch[1].reward[1] == 1);
  close_sink(&sink);
  recorder_destroy(recorder);
}

/* A tick ends between decisions: the open one bootstraps now and is learned from in the next tick. */
static void open_decisions_are_carried(void **state) {
  (void)state;
  Recorder *recorder = fresh(1);
  PlaySlot slot = {.id = 0};
  Sink sink;
  float value;
  open_sink(&sink);
  decide(recorder, &slot, 0, 1, 4, .1f);
  reward(recorder, 1, 0);
  decide(recorder, &slot, 0, 2, 4, .2f);
  reward(recorder, 2, 0);
  collect(recorder, &sink);
  Batch *batch = &sink.batch[0];
  assert_int_equal(batch->unrolls, 1);
  assert_int_equal(batch->unroll[0].rows, 1);
  assert_int_equal(batch->unroll[0].end, END_OPEN);
  assert_int_equal(batch->rows, 2);
  assert_true(batch->value[1] == 20); /* the value of the own next decision closes the unroll */
  batch_clear(batch);
  reward(recorder, 4, 0); /* between the ticks: still the open decision's */
  decide(recorder, &slot, 0, 3, 5, .3f);
  reward(recorder, 8, 0);
  recorder_ended(recorder, 0, &slot, AGON_TERMINATED);
  collect(recorder, &sink);
  assert_int_equal(batch->unrolls, 1);
  assert_int_equal(batch->unroll[0].rows, 2);
  assert_int_equal(batch->unroll[0].fresh, 0);
  assert_true(unroll_version(&batch->unroll[0], 0) == 4 && unroll_version(&batch->unroll[0], 1) == 5);
  assert_true(batch->state[0] == .2f); /* recurrent state before the carried decision */
  assert_true(batch->reward[0] == 6 && batch->reward[1] == 8);
  memcpy(&value, batch->observation, 4);
  assert_true(value == 2);
  close_sink(&sink);
  recorder_destroy(recorder);
}

/* A unit that dies early waits, over ticks, for what its team earns later. */
static void the_dead_are_credited(void **state) {
  (void)state;
  Recorder *recorder = fresh(0);
  PlaySlot slot = {.id = 0};
  Sink sink;
  open_sink(&sink);
  decide(recorder, &slot, 0, 1, 4, 0);
  decide(recorder, &slot, 1, 1, 4, 0);
  reward(recorder, .5f, -.5f);
  for (int tick = 0; tick < 3; tick++) {
    collect(recorder, &sink);
    assert_int_equal(sink.batch[0].unrolls, 0); /* nothing is closed, nothing is lost */
    decide(recorder, &slot, 1, 2, 4, 0);
    reward(recorder, .125f, 0);
  }
  reward(recorder, 1, -1);
  recorder_ended(recorder, 0, &slot, AGON_TERMINATED);
  collect(recorder, &sink);
  assert_int_equal(sink.batch[0].unroll[0].rows, 1);
  assert_int_equal(sink.batch[0].unroll[0].fresh, 1);
  assert_true(sink.batch[0].reward[0] == .5f + 3 * .125f + 1);
  close_sink(&sink);
  recorder_destroy(recorder);
}

static void truncation_keeps_the_final_observation(void **state) {
  (void)state;
  Recorder *recorder = fresh(0);
  PlaySlot slot = {.id = 0};
  Sink sink;
  float value;
  open_sink(&sink);
  decide(recorder, &slot, 0, 1, 4, 0);
  reward(recorder, 3, 0);
  shown = 77;
  flag[0] = AGON_ACTS | AGON_ALIVE;
  recorder_ended(recorder, 0, &slot, AGON_TRUNCATED);
  collect(recorder, &sink);
  const Batch *batch = &sink.batch[0];
  assert_int_equal(batch->unroll[0].end, END_TRUNCATED);
  assert_int_equal(batch->unroll[0].rows, 1);
  assert_int_equal(batch->rows, 2);
  memcpy(&value, batch->observation + 4, 4);
  assert_true(value == 77 && batch->value[1] == 77);
  close_sink(&sink);
  recorder_destroy(recorder);
}

/* Nothing that is trained says what the dead are worth, or those whose turn it is not: to them a time limit is an end.
 * Where the env says of nobody that it would act, the living bootstrap. */
static void only_who_would_act_bootstraps_from_a_time_limit(void **state) {
  (void)state;
  static const struct {
    uint8_t flag[2], end[2];
  } with[] = {{{AGON_ACTS | AGON_ALIVE, 0}, {END_TRUNCATED, END_TERMINATED}},
              {{AGON_ALIVE, AGON_ACTS | AGON_ALIVE}, {END_TERMINATED, END_TRUNCATED}},
              {{0, AGON_ALIVE}, {END_TERMINATED, END_TRUNCATED}}};
  for (size_t i = 0; i < 3; i++) {
    Recorder *recorder = fresh(0);
    PlaySlot slot = {.id = 0};
    Sink sink;
    open_sink(&sink);
    decide(recorder, &slot, 0, 1, 4, 0);
    decide(recorder, &slot, 1, 1, 4, 0);
    reward(recorder, 0, 0);
    memcpy(flag, with[i].flag, sizeof flag);
    recorder_ended(recorder, 0, &slot, AGON_TRUNCATED);
    collect(recorder, &sink);
    for (int a = 0; a < 2; a++) {
      assert_int_equal(sink.batch[a].unroll[0].end, with[i].end[a]);
      assert_int_equal(sink.batch[a].rows, with[i].end[a] == END_TRUNCATED ? 2 : 1);
    }
    close_sink(&sink);
    recorder_destroy(recorder);
  }
}

/* Who must act at the tick's end is valued there, by the tick's weights and from its recurrent state; the next tick's
 * unroll is of that tick's weights alone. */
static void who_must_act_carries_nothing(void **state) {
  (void)state;
  Recorder *recorder = fresh(1);
  float memory[2] = {.25f, .5f};
  PlaySlot slot = {.id = 0, .memory = memory};
  Sink sink;
  open_sink(&sink);
  for (uint32_t a = 0; a < 2; a++) decide(recorder, &slot, a, 1, 4, 0);
  reward(recorder, 1, 0);
  for (uint32_t a = 0; a < 2; a++) decide(recorder, &slot, a, 2, 4, .125f);
  reward(recorder, 2, 0);
  shown = 3;
  recorder_closed(recorder, 0, &slot, 0);
  collect(recorder, &sink); /* agent 1 does not act: its decision stays open */
  Batch *batch = &sink.batch[0];
  assert_int_equal(batch->unrolls, 1);
  assert_int_equal(batch->unroll[0].rows, 2);
  assert_int_equal(batch->unroll[0].end, END_OPEN);
  assert_true(batch->rows == 3 && batch->value[2] == 3.25f && batch->reward[1] == 2);
  assert_int_equal(sink.batch[1].unroll[0].rows, 1);
  batch_clear(batch);
  decide(recorder, &slot, 0, 3, 5, .25f);
  reward(recorder, 4, 0);
  recorder_ended(recorder, 0, &slot, AGON_TERMINATED);
  collect(recorder, &sink);
  assert_int_equal(batch->unroll[0].rows, 1);
  assert_int_equal(batch->unroll[0].fresh, 0);
  assert_true(unroll_version(&batch->unroll[0], 0) == 5 && batch->state[0] == .25f && batch->reward[0] == 4);
  batch_clear(batch);
  decide(recorder, &slot, 0, 9, 5, 0);
  shown = 7;
  recorder_closed(recorder, 0, &slot, 0);
  recorder_closed(recorder, 0, &slot, 1); /* has not decided: nothing to close */
  collect(recorder, &sink);
  assert_true(batch->unroll[0].fresh == 1 && batch->value[1] == 7.25f);
  close_sink(&sink);
  recorder_destroy(recorder);
}

static void open_decisions_survive_saving(void **state) {
  (void)state;
  Recorder *recorder = fresh(1), *other = fresh(1);
  PlaySlot slot = {.id = 0};
  Sink sink;
  Bytes bytes = {0};
  open_sink(&sink);
  decide(recorder, &slot, 0, 1, 4, .1f);
  decide(recorder, &slot, 0, 2, 6, .2f);
  reward(recorder, 2, 0);
  collect(recorder, &sink);
  batch_clear(&sink.batch[0]);
  recorder_encode(recorder, 0, &bytes);
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(recorder_decode(other, 0, &reader));
  CHECK_OK(reader_finish(&reader, "slot"));
  reward(other, 5, 0);
  recorder_ended(other, 0, &slot, AGON_TERMINATED);
  collect(other, &sink);
  assert_true(unroll_version(&sink.batch[0].unroll[0], 0) == 6 && sink.batch[0].unroll[0].fresh == 0);
  assert_int_equal(sink.batch[0].unroll[0].end, END_TERMINATED);
  assert_true(sink.batch[0].reward[0] == 7 && sink.batch[0].state[0] == .2f && sink.batch[0].log_prob[0] == -.5f);
  bytes_free(&bytes);
  close_sink(&sink);
  recorder_destroy(recorder);
  recorder_destroy(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rewards_reach_the_last_own_decision),
      cmocka_unit_test(open_decisions_are_carried),
      cmocka_unit_test(the_dead_are_credited),
      cmocka_unit_test(truncation_keeps_the_final_observation),
      cmocka_unit_test(only_who_would_act_bootstraps_from_a_time_limit),
      cmocka_unit_test(who_must_act_carries_nothing),
      cmocka_unit_test(open_decisions_survive_saving),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
