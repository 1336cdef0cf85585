/* Rows of whole teams: a cell for each agent, whether it acts, waits, is dead or is not there; how
 * ticks and episodes end; memories; saving; and games that are recorded both ways at once. */
#include "check.h"

#include "actors/recorder.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- an env by hand: agents 0, 2 and 4 are one team, 1 and 3 the other --- */
enum { AGENTS = 5, CELLS = 3, LIVES = AGON_ALIVE, MOVES = AGON_ALIVE | AGON_ACTS };

static float shown[AGENTS];
static uint8_t flag[AGENTS];
static uint8_t choice[AGENTS][2];
static float world[2];

static void observe(const void *params, const void *episode, uint32_t agent, void *row) {
  (void)params, (void)episode;
  memcpy(row, &shown[agent], sizeof *shown);
}

static void flags(const void *params, const void *episode, uint8_t *out) {
  (void)params, (void)episode;
  memcpy(out, flag, sizeof flag);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode;
  memcpy(row, choice[agent], sizeof *choice);
}

static void global_state(const void *params, const void *episode, float *row) {
  (void)params, (void)episode;
  memcpy(row, world, sizeof world);
}

static AgonEnv table = {.name = "by_hand", .observe = observe, .flags = flags, .mask = mask};
static const uint8_t team_of[] = {0, 1, 0, 1, 0};
static const uint32_t head_size[] = {2};
static Env env = {.table = &table,
                  .observation_count = 1,
                  .observation_bytes = 4,
                  .action_count = 2,
                  .masks = true,
                  .spec = {.agents = AGENTS, .teams = 2, .team_of = team_of},
                  .layout = {.observation_type = AGON_F32,
                             .action_kind = AGON_DISCRETE,
                             .heads = 1,
                             .head_size = head_size}};
static uint32_t agent_of[AGENTS * CELLS];

static RowFormat format_of(uint32_t state, uint32_t global) {
  team_cells(&env.spec, agent_of);
  return (RowFormat){.observation_bytes = 4,
                     .choices = 2,
                     .heads = 1,
                     .state = state,
                     .head_size = head_size,
                     .cells = team_largest(&env.spec),
                     .global = global,
                     .flags = true,
                     .agents = AGENTS,
                     .agent_of = agent_of};
}

static Status no_values(void *context, uint32_t player, size_t count, const void *observations,
                        const uint32_t *agents, const float *states, float *out) {
  (void)context, (void)player, (void)count, (void)observations, (void)agents, (void)states, (void)out;
  return status_set(ERR_INTERNAL, "the values of teams are the learner's to compute");
}

typedef struct Scene {
  Recorder *recorder;
  Batch batch[2]; /* of each team */
  PlaySlot slot;
  float memory[AGENTS]; /* of the slot: one float an agent, where the format has a state */
} Scene;

static Batch *batch_of(void *context, uint32_t player) {
  return &((Scene *)context)->batch[player];
}

static void open_scene(Scene *scene, uint32_t state, uint32_t global) {
  const RowFormat format = format_of(state, global);
  memset(scene, 0, sizeof *scene);
  memset(choice, 1, sizeof choice);
  for (uint32_t a = 0; a < AGENTS; a++) {
    shown[a] = (float)(10 * a);
    flag[a] = MOVES;
  }
  env.spec.global_state_size = 0;
  table.global_state = NULL;
  scene->slot = (PlaySlot){.id = 9, .episode = 4, .memory = scene->memory};
  CHECK_OK(recorder_create(&env, &format, &scene->recorder));
  CHECK_OK(recorder_add_slot(scene->recorder));
  for (int i = 0; i < 2; i++)
    CHECK_OK(batch_create(&format, &scene->batch[i]));
}

static void close_scene(Scene *scene) {
  for (int i = 0; i < 2; i++)
    batch_destroy(&scene->batch[i]);
  recorder_destroy(scene->recorder);
}

/* One step: the agents whose flag says so act, by weights of `version`; then all get `reward`. A
 * memory grows by 1 where its agent acts. */
static void act(Scene *scene, uint64_t version, const float *reward) {
  PlaySlot *slot = &scene->slot;
  for (uint32_t a = 0; a < AGENTS; a++) {
    const AgonAction action = {.choice = 1};
    const Policy policy = {.player = team_of[a], .version = version, .life = 2};
    const float before = scene->memory[a];
    const Decision decision = {.agent = a,
                               .policy = &policy,
                               .observation = &shown[a],
                               .mask = choice[a],
                               .action = &action,
                               .log_prob = -1 - (float)a,
                               .memory = &before};
    if (!(flag[a] & AGON_ACTS)) continue;
    scene->memory[a]++;
    recorder_decided(scene->recorder, 0, slot, &decision);
  }
  recorder_stepped(scene->recorder, 0, slot, flag);
  slot->steps++;
  recorder_rewarded(scene->recorder, 0, reward);
}

/* The tick ends: as an actor does, all are closed who are to act. */
static void collect(Scene *scene) {
  const RecorderHooks hooks = {scene, batch_of, no_values};
  for (int i = 0; i < 2; i++)
    batch_clear(&scene->batch[i]);
  CHECK_OK(recorder_failed(scene->recorder));
  CHECK_OK(recorder_collect(scene->recorder, &hooks));
  for (int i = 0; i < 2; i++)
    assert_true(batch_is_whole(&scene->batch[i]));
}

static void end_tick(Scene *scene) {
  for (uint32_t a = 0; a < AGENTS; a++)
    if (flag[a] & AGON_ACTS) recorder_closed(scene->recorder, 0, &scene->slot, a);
  collect(scene);
}

static float seen(const Batch *batch, size_t cell) {
  float value;
  memcpy(&value, batch->observation + 4 * cell, sizeof value);
  return value;
}

static void set_flags(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t e) {
  const uint8_t all[AGENTS] = {a, b, c, d, e};
  memcpy(flag, all, sizeof flag);
}

static const float nothing[AGENTS] = {0};

/* --- what is in a row --- */
static void a_row_has_a_cell_for_each(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 0);
  const float reward[AGENTS] = {1, 2, 4, 8, 16};
  choice[0][0] = 0;
  set_flags(MOVES, MOVES, LIVES, MOVES, 0); /* 2 waits, 4 is not in the game yet */
  act(&scene, 5, reward);
  recorder_ended(scene.recorder, 0, &scene.slot, AGON_TERMINATED);
  collect(&scene);
  const Batch *batch = &scene.batch[0];
  const Unroll *unroll = &batch->unroll[0];
  assert_true(batch->unrolls == 1 && batch->rows == 1 && unroll->rows == 1 && unroll->fresh == 1);
  assert_true(unroll->agent == 0 && unroll->slot == 9 && unroll->episode == 4 && unroll->step == 0);
  assert_true(unroll->version == 5 && unroll->life == 2 && unroll->end == END_TERMINATED);
  assert_true(seen(batch, 0) == 0 && seen(batch, 1) == 20 && seen(batch, 2) == 40);
  assert_memory_equal(batch->flags, ((uint8_t[]){MOVES | ROW_ENTERED, LIVES, 0}), 3);
  assert_memory_equal(batch->action, ((int32_t[]){1, 0, 0}), 12);
  assert_memory_equal(batch->mask, ((uint8_t[]){0, 1, 1, 1, 1, 1}), 6);
  assert_memory_equal(batch->log_prob, ((float[]){-1, 0, 0}), 12);
  assert_memory_equal(batch->reward, ((float[]){1, 4, 16}), 12);
  assert_int_equal(batch_learned(batch), 1);
  batch = &scene.batch[1]; /* a team of two has a cell of nobody */
  assert_int_equal(batch->unroll[0].agent, 1);
  assert_true(seen(batch, 0) == 10 && seen(batch, 1) == 30 && seen(batch, 2) == 0);
  assert_memory_equal(batch->flags, ((uint8_t[]){MOVES | ROW_ENTERED, MOVES | ROW_ENTERED, 0}), 3);
  assert_memory_equal(batch->log_prob, ((float[]){-2, -4, 0}), 12);
  assert_memory_equal(batch->reward, ((float[]){2, 8, 0}), 12);
  assert_memory_equal(batch->mask, ((uint8_t[]){1, 1, 1, 1, 1, 1}), 6);
  assert_int_equal(batch_learned(batch), 2);
  close_scene(&scene);
}

/* The env's own, or what the team sees. */
static void rows_have_the_global_state(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, CELLS);
  act(&scene, 1, nothing);
  shown[2] = 25;
  end_tick(&scene);
  assert_memory_equal(scene.batch[0].global, ((float[]){0, 20, 40, 0, 25, 40}), 24);
  assert_memory_equal(scene.batch[1].global, ((float[]){10, 30, 0, 10, 30, 0}), 24);
  close_scene(&scene);
  open_scene(&scene, 0, 2);
  env.spec.global_state_size = 2;
  table.global_state = global_state;
  world[0] = .5f, world[1] = .25f;
  act(&scene, 1, nothing);
  world[1] = .75f;
  end_tick(&scene);
  for (int i = 0; i < 2; i++)
    assert_memory_equal(scene.batch[i].global, ((float[]){.5f, .25f, .5f, .75f}), 16);
  close_scene(&scene);
}

/* --- death, waiting, and the ends of ticks --- */

/* An agent that is dead still gets what its team earns later, in its own cell, step by step. */
static void the_dead_are_credited_in_their_cells(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 0);
  const float reward[AGENTS] = {.5f, 0, .25f, 0, 0};
  act(&scene, 1, reward);
  set_flags(MOVES, MOVES, 0, MOVES, LIVES);
  shown[2] = 99;
  act(&scene, 1, reward);
  act(&scene, 1, reward);
  end_tick(&scene);
  const Batch *batch = &scene.batch[0];
  assert_true(batch->unrolls == 1 && batch->unroll[0].rows == 3 && batch->rows == 4);
  for (int row = 0; row < 3; row++)
    assert_true(batch->reward[3 * row] == .5f && batch->reward[3 * row + 1] == .25f);
  assert_int_equal(batch->flags[4], ROW_ENTERED);
  assert_int_equal(batch->flags[5], LIVES | ROW_ENTERED);
  assert_true(seen(batch, 4) == 99);
  assert_int_equal(batch_learned(batch), 3 + 1 + 1);
  assert_int_equal(recorder_open(scene.recorder), 0);
  act(&scene, 2, reward); /* the next tick's unroll knows who has been there */
  end_tick(&scene);
  assert_true(batch->unroll[0].fresh == 0 && batch->unroll[0].step == 3);
  assert_int_equal(batch->flags[1], ROW_ENTERED);
  assert_true(batch->unroll[0].version == 2 && batch->unroll[0].first_version == 2);
  close_scene(&scene);
}

/* Teams that move in turn have rows at their own steps; what happens between belongs to the row
 * before, also where a tick ends there. */
static void turns_are_waited_for(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 1, 0);
  const float reward[AGENTS] = {1, 2, 4, 8, 16};
  set_flags(MOVES, LIVES, LIVES, LIVES, LIVES);
  act(&scene, 1, nothing);
  set_flags(LIVES, MOVES, LIVES, LIVES, LIVES);
  act(&scene, 1, reward);
  set_flags(LIVES, LIVES, MOVES, LIVES, MOVES); /* others of the team */
  act(&scene, 1, reward);
  set_flags(LIVES, LIVES, LIVES, MOVES, LIVES);
  assert_int_equal(recorder_open(scene.recorder), 2 + 1);
  end_tick(&scene); /* the first team waits: its row bootstraps now, and is learned from later */
  const Batch *batch = &scene.batch[0];
  assert_true(batch->unrolls == 1 && batch->unroll[0].rows == 1 && batch->rows == 2);
  assert_true(batch->unroll[0].end == END_OPEN && batch->unroll[0].fresh == 1);
  assert_memory_equal(batch->reward, ((float[]){1, 4, 16}), 12);
  assert_memory_equal(batch->state, ((float[]){0, 0, 0}), 12);
  assert_int_equal(batch_learned(batch), 1);
  assert_true(scene.batch[1].unrolls == 1 && scene.batch[1].unroll[0].rows == 1);
  assert_memory_equal(scene.batch[1].reward, ((float[]){4, 16, 0}), 12);
  assert_int_equal(recorder_open(scene.recorder), 2);
  act(&scene, 2, reward);
  set_flags(MOVES, LIVES, LIVES, LIVES, LIVES);
  act(&scene, 2, nothing);
  set_flags(LIVES, LIVES, MOVES, LIVES, LIVES);
  end_tick(&scene);
  assert_true(batch->unrolls == 1 && batch->unroll[0].rows == 2 && batch->rows == 3);
  assert_true(batch->unroll[0].fresh == 0 && batch->unroll[0].step == 2);
  assert_true(unroll_version(&batch->unroll[0], 0) == 1 &&
              unroll_version(&batch->unroll[0], 1) == 2);
  assert_memory_equal(batch->reward, ((float[]){2, 8, 32, 0, 0, 0, 0, 0, 0}), 36);
  /* memories before the carried row: the first agent has acted once by then */
  assert_memory_equal(batch->state, ((float[]){1, 0, 0}), 12);
  assert_memory_equal(batch->flags + 6,
                      ((uint8_t[]){LIVES | ROW_ENTERED, MOVES | ROW_ENTERED, LIVES | ROW_ENTERED}),
                      3);
  assert_int_equal(recorder_open(scene.recorder), 0 + 1);
  close_scene(&scene);
}

/* Nobody of a team is left, but the game goes on: its last row waits. */
static void a_dead_team_waits_for_its_reward(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 0);
  const float reward[AGENTS] = {0, 1, 0, 2, 0};
  act(&scene, 1, reward);
  set_flags(MOVES, 0, MOVES, 0, MOVES);
  for (int tick = 0; tick < 3; tick++) {
    end_tick(&scene);
    assert_int_equal(scene.batch[1].unrolls, 0);
    assert_int_equal(scene.batch[0].unroll[0].rows, 1);
    act(&scene, 1, reward);
  }
  recorder_ended(scene.recorder, 0, &scene.slot, AGON_TERMINATED);
  collect(&scene);
  const Batch *batch = &scene.batch[1];
  assert_true(batch->unrolls == 1 && batch->rows == 1 && batch->unroll[0].fresh == 1);
  assert_memory_equal(batch->reward, ((float[]){4, 8, 0}), 12);
  close_scene(&scene);
}

/* --- time limits --- */

/* All of the team are in the row behind a time limit, with what they could do if the game went
 * on. */
static void a_time_limit_closes_for_all(void **state) {
  (void)state;
  static const struct {
    uint8_t flag[AGENTS], first[CELLS], second[CELLS], mask[2 * CELLS];
  } with[] = {
      /* the env says who would act, and what is open to them */
      {{MOVES, LIVES, 0, LIVES, LIVES},
       {MOVES | ROW_ENTERED, ROW_ENTERED, LIVES | ROW_ENTERED},
       {LIVES | ROW_ENTERED, LIVES | ROW_ENTERED, 0},
       {1, 0, 1, 1, 1, 1}},
      /* of nobody: then all would who are alive, and could do anything */
      {{LIVES, LIVES, 0, LIVES, LIVES},
       {MOVES | ROW_ENTERED, ROW_ENTERED, MOVES | ROW_ENTERED},
       {MOVES | ROW_ENTERED, MOVES | ROW_ENTERED, 0},
       {1, 1, 1, 1, 1, 1}},
      /* a mask without a choice, since the game is over, is no mask */
      {{LIVES, LIVES, MOVES, LIVES, LIVES},
       {LIVES | ROW_ENTERED, MOVES | ROW_ENTERED, LIVES | ROW_ENTERED},
       {LIVES | ROW_ENTERED, LIVES | ROW_ENTERED, 0},
       {1, 1, 1, 1, 1, 1}},
  };
  for (size_t i = 0; i < COUNT_OF(with); i++) {
    Scene scene;
    open_scene(&scene, 0, 0);
    const float reward[AGENTS] = {1, 2, 4, 8, 16};
    act(&scene, 3, reward);
    choice[0][1] = 0;
    memset(choice[2], 0, 2);
    memcpy(flag, with[i].flag, sizeof flag);
    shown[2] = 21;
    recorder_ended(scene.recorder, 0, &scene.slot, AGON_TRUNCATED);
    collect(&scene);
    for (int team = 0; team < 2; team++) {
      const Batch *batch = &scene.batch[team];
      assert_true(batch->unrolls == 1 && batch->unroll[0].rows == 1 && batch->rows == 2);
      assert_int_equal(batch->unroll[0].end, END_TRUNCATED);
      assert_memory_equal(batch->flags + 3, team ? with[i].second : with[i].first, CELLS);
      for (int c = 0; c < CELLS; c++)
        assert_true(batch->reward[3 + c] == 0 && batch->log_prob[3 + c] == 0);
    }
    assert_memory_equal(scene.batch[0].mask + 6, with[i].mask, 6);
    assert_true(seen(&scene.batch[0], 3) == 0 && seen(&scene.batch[0], 4) == 21);
    memset(flag, MOVES, sizeof flag); /* the next episode begins with nobody in it */
    scene.slot.episode++;
    scene.slot.steps = 0;
    set_flags(MOVES, MOVES, LIVES, LIVES, LIVES);
    act(&scene, 3, nothing);
    end_tick(&scene);
    assert_true(scene.batch[0].unroll[0].fresh == 1 && scene.batch[0].unroll[0].episode == 5);
    assert_int_equal(scene.batch[0].flags[1], LIVES);
    close_scene(&scene);
  }
}

/* --- memories --- */

/* An unroll begins with each agent's memory before its first row: of those who act in it, before
 * they do; of the others as it stands. */
static void each_cell_has_its_memory(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 1, 0);
  act(&scene, 1, nothing);
  set_flags(MOVES, MOVES, LIVES, MOVES, 0);
  act(&scene, 1, nothing);
  act(&scene, 1, nothing);
  end_tick(&scene);
  assert_memory_equal(scene.batch[0].state, ((float[]){0, 0, 0}), 12);
  set_flags(LIVES, MOVES, MOVES, MOVES, 0);
  act(&scene, 1, nothing);
  act(&scene, 1, nothing);
  end_tick(&scene);
  assert_memory_equal(scene.batch[0].state, ((float[]){3, 1, 1}), 12);
  assert_memory_equal(scene.batch[1].state, ((float[]){3, 3, 0}), 12);
  act(&scene, 1, nothing);
  end_tick(&scene);
  assert_memory_equal(scene.batch[0].state, ((float[]){3, 3, 1}), 12);
  close_scene(&scene);
}

/* --- saving --- */

/* A scene in the middle of a game of turns: the first team's row is open, agent 4 never acted. */
static void open_game(Scene *scene, uint32_t global) {
  const float reward[AGENTS] = {1, 2, 4, 8, 16};
  open_scene(scene, 1, global);
  set_flags(LIVES, MOVES, LIVES, LIVES, LIVES);
  act(scene, 1, reward);
  set_flags(MOVES, LIVES, MOVES, LIVES, LIVES);
  act(scene, 1, reward);
  set_flags(LIVES, LIVES, LIVES, MOVES, LIVES);
  end_tick(scene);
}

/* What comes of the rest of the game, as bytes. */
static void finish_game(Scene *scene, Bytes *out) {
  const float reward[AGENTS] = {1, 2, 4, 8, 16};
  act(scene, 2, reward);
  set_flags(LIVES, LIVES, LIVES, LIVES, MOVES);
  act(scene, 2, reward);
  recorder_ended(scene->recorder, 0, &scene->slot, AGON_TRUNCATED);
  collect(scene);
  for (int i = 0; i < 2; i++)
    batch_encode(&scene->batch[i], out);
}

static void open_rows_survive_saving(void **state) {
  (void)state;
  Scene scene, other;
  Bytes saved = {0}, expected = {0}, got = {0};
  open_scene(&other, 1, CELLS);
  open_game(&scene, CELLS);
  recorder_encode(scene.recorder, 0, &saved);
  memcpy(other.memory, scene.memory, sizeof other.memory);
  other.slot.steps = scene.slot.steps;
  for (size_t size = 0; size < saved.size; size++) { /* nothing short is taken for a whole */
    Reader cut = reader_over(saved.data, size);
    Status status = recorder_decode(other.recorder, 0, &cut);
    if (status == OK) status = reader_finish(&cut, "slot");
    assert_int_equal(status, ERR_FORMAT);
  }
  Reader reader = reader_over(saved.data, saved.size);
  CHECK_OK(recorder_decode(other.recorder, 0, &reader));
  CHECK_OK(reader_finish(&reader, "slot"));
  assert_int_equal(recorder_open(other.recorder), recorder_open(scene.recorder));
  finish_game(&scene, &expected);
  set_flags(LIVES, LIVES, LIVES, MOVES, LIVES);
  finish_game(&other, &got);
  assert_true(scene.batch[0].unroll[0].step == 1 && scene.batch[0].unroll[0].rows == 2);
  assert_int_equal(got.size, expected.size);
  assert_memory_equal(got.data, expected.data, got.size);
  recorder_abandoned(other.recorder, 0);
  assert_int_equal(recorder_open(other.recorder), 0);
  bytes_free(&saved);
  bytes_free(&expected);
  bytes_free(&got);
  close_scene(&scene);
  close_scene(&other);
}

/* Rows of another kind are not taken for these. */
static void rows_of_another_algorithm_are_refused(void **state) {
  (void)state;
  Scene scene, wider;
  Recorder *agents;
  Bytes of_teams = {0}, of_agents = {0};
  open_scene(&wider, 1, 0);
  open_game(&scene, CELLS);
  const RowFormat format = {
      .observation_bytes = 4, .choices = 2, .heads = 1, .state = 1, .head_size = head_size};
  CHECK_OK(recorder_create(&env, &format, &agents));
  CHECK_OK(recorder_add_slot(agents));
  recorder_encode(scene.recorder, 0, &of_teams);
  recorder_encode(agents, 0, &of_agents);
  const struct {
    Recorder *into;
    const Bytes *from;
    const char *says;
  } with[] = {{agents, &of_teams, "of whole teams, but the algorithm learns from single agents"},
              {scene.recorder, &of_agents, "of single agents, but the algorithm learns from whole"},
              {wider.recorder, &of_teams, "teams of 3 with 3 numbers of the global state"}};
  for (size_t i = 0; i < COUNT_OF(with); i++) {
    Reader reader = reader_over(with[i].from->data, with[i].from->size);
    assert_int_equal(recorder_decode(with[i].into, 0, &reader), ERR_FORMAT);
    assert_non_null(strstr(status_message(), with[i].says));
  }
  of_teams.data[10] = 1; /* the first agent has entered by one eighth of a byte */
  Reader reader = reader_over(of_teams.data, of_teams.size);
  assert_int_equal(recorder_decode(scene.recorder, 0, &reader), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "an open decision is damaged"));
  bytes_free(&of_teams);
  bytes_free(&of_agents);
  recorder_destroy(agents);
  close_scene(&scene);
  close_scene(&wider);
}

/* --- what an env must not say --- */
static void what_is_no_number_is_named(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 0);
  set_flags(MOVES, MOVES, LIVES, MOVES, LIVES);
  shown[4] = NAN;
  act(&scene, 1, nothing);
  status_set(ERR_USAGE, "something else");
  assert_int_equal(recorder_failed(scene.recorder), ERR_ENV);
  assert_non_null(strstr(status_message(),
                         "env by_hand: an observation is not finite: element 0 of "
                         "agent 4, which does not act, in slot 9, episode 4, "
                         "step 0"));
  close_scene(&scene);
  open_scene(&scene, 0, 2);
  env.spec.global_state_size = 2;
  table.global_state = global_state;
  world[1] = INFINITY;
  act(&scene, 1, nothing);
  assert_int_equal(recorder_failed(scene.recorder), ERR_ENV);
  assert_non_null(strstr(status_message(), "the global state is not finite: element 1 in slot 9"));
  close_scene(&scene);
}

/* --- games, recorded both ways --- */
typedef struct Stage {
  Env *env;
  Net *net;
  Inference inference;
  float *block;
  Policy policy[2];
  Recorder *recorder[2]; /* of agents, of teams */
  Batch batch[2][2];     /* of each: all that was ever collected, by player */
  PlaySlot *slot[4];
  uint32_t games;
} Stage;

static size_t place_of(const Stage *stage, const PlaySlot *slot) {
  for (size_t i = 0; i < COUNT_OF(stage->slot); i++)
    if (stage->slot[i] == slot) return i;
  fail_msg("a slot of nobody");
  return 0;
}

static bool on_begin(void *context, PlaySlot *slot) {
  Stage *stage = context;
  if (stage->games == 0) return false;
  stage->games--;
  for (uint32_t t = 0; t < stage->env->spec.teams; t++) {
    slot->policy[t] = &stage->policy[t];
    slot->record[t] = true;
  }
  return true;
}

static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  Stage *stage = context;
  for (int way = 0; way < 2; way++)
    recorder_decided(stage->recorder[way], place_of(stage, slot), slot, decision);
}

static void on_stepped(void *context, PlaySlot *slot, const uint8_t *flags) {
  Stage *stage = context;
  for (int way = 0; way < 2; way++)
    recorder_stepped(stage->recorder[way], place_of(stage, slot), slot, flags);
}

static void on_rewarded(void *context, PlaySlot *slot, const float *reward) {
  Stage *stage = context;
  for (int way = 0; way < 2; way++)
    recorder_rewarded(stage->recorder[way], place_of(stage, slot), reward);
}

static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  Stage *stage = context;
  (void)outcome;
  for (int way = 0; way < 2; way++)
    recorder_ended(stage->recorder[way], place_of(stage, slot), slot, how);
}

static Status any_values(void *context, uint32_t player, size_t count, const void *observations,
                         const uint32_t *agents, const float *states, float *out) {
  (void)context, (void)player, (void)observations, (void)agents, (void)states;
  memset(out, 0, count * sizeof *out);
  return OK;
}

typedef struct Bin {
  Stage *stage;
  int way;
} Bin;

static Batch *bin_of(void *context, uint32_t player) {
  const Bin *bin = context;
  return &bin->stage->batch[bin->way][player];
}

/* A tick of seven steps; *live: whether anything was played. */
static void play_tick(Stage *stage, Play *play, size_t *live) {
  const Env *of = stage->env;
  uint8_t *now = calloc(of->spec.agents, 1);
  for (int step = 0; step < 7; step++)
    CHECK_OK(play_step(play, live));
  for (size_t i = 0; i < COUNT_OF(stage->slot); i++) {
    const PlaySlot *slot = stage->slot[i];
    if (!slot->live) continue;
    env_flags_of(of, slot->state, now);
    for (uint32_t a = 0; a < of->spec.agents; a++)
      for (int way = 0; way < 2 && (now[a] & AGON_ACTS); way++)
        recorder_closed(stage->recorder[way], i, slot, a);
  }
  for (int way = 0; way < 2; way++) {
    Bin bin = {stage, way};
    const RecorderHooks hooks = {&bin, bin_of, way ? no_values : any_values};
    CHECK_OK(recorder_failed(stage->recorder[way]));
    CHECK_OK(recorder_collect(stage->recorder[way], &hooks));
  }
  free(now);
}

/* The next decision of an agent in a slot, from an unroll and row on; false behind the last. */
static bool next_decision(const Batch *batch, uint32_t slot, uint32_t agent, size_t *unroll,
                          size_t *row, size_t *cell) {
  const RowFormat *f = &batch->format;
  for (; *unroll < batch->unrolls; (*unroll)++, *row = 0) {
    const Unroll *u = &batch->unroll[*unroll];
    for (; u->slot == slot && *row < u->rows; (*row)++)
      for (size_t c = 0; c < format_cells(f); c++) {
        uint32_t who = f->flags ? f->agent_of[u->agent * format_cells(f) + c] : u->agent;
        *cell = (u->first + *row) * format_cells(f) + c;
        if (who != agent || (f->flags && !(batch->flags[*cell] & AGON_ACTS))) continue;
        (*row)++;
        return true;
      }
  }
  return false;
}

/* What an agent did is the same in both. Returns its decisions. */
static size_t same_decisions(const Batch *a, const Batch *b, uint32_t slot, uint32_t agent) {
  const RowFormat *f = &a->format;
  size_t unroll[2] = {0}, row[2] = {0}, cell[2], count = 0;
  while (next_decision(a, slot, agent, &unroll[0], &row[0], &cell[0])) {
    assert_true(next_decision(b, slot, agent, &unroll[1], &row[1], &cell[1]));
    assert_memory_equal(a->observation + cell[0] * f->observation_bytes,
                        b->observation + cell[1] * f->observation_bytes, f->observation_bytes);
    assert_memory_equal(a->mask + cell[0] * f->choices, b->mask + cell[1] * f->choices, f->choices);
    assert_memory_equal(batch_action(a, cell[0]), batch_action(b, cell[1]), f->heads * 4);
    assert_true(a->log_prob[cell[0]] == b->log_prob[cell[1]]);
    count++;
  }
  assert_false(next_decision(b, slot, agent, &unroll[1], &row[1], &cell[1]));
  return count;
}

/* All that an agent was paid in decision rows. */
static double paid(const Batch *batch, uint32_t slot, uint32_t agent) {
  const RowFormat *f = &batch->format;
  size_t cells = format_cells(f);
  double sum = 0;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    for (size_t c = 0; c < cells; c++) {
      uint32_t who = f->flags ? f->agent_of[unroll->agent * cells + c] : unroll->agent;
      for (size_t t = 0; who == agent && unroll->slot == slot && t < unroll->rows; t++)
        sum += (double)batch->reward[(unroll->first + t) * cells + c];
    }
  }
  return sum;
}

/* The network says again what it said, if each cell's memory goes from the unroll's beginning on,
 * and moves where its agent acts. */
static void memories_lead_to_the_same(Stage *stage, const Batch *batch) {
  const RowFormat *f = &batch->format;
  size_t cells = format_cells(f), S = f->state;
  Inference *with = &stage->inference;
  float *memory = calloc(S, sizeof *memory);
  for (size_t i = 0; i < batch->unrolls * cells; i++) {
    const Unroll *unroll = &batch->unroll[i / cells];
    memcpy(memory, batch->state + i * S, S * sizeof *memory);
    for (size_t t = 0; t < unroll->rows; t++) {
      size_t cell = (unroll->first + t) * cells + i % cells;
      const PolicyRows rows = {.count = 1,
                               .observations = batch->observation + cell * f->observation_bytes,
                               .memory = memory};
      const PolicyAnswer answer = {.logits = with->logits, .memory = with->memory_out};
      if (!(batch->flags[cell] & AGON_ACTS)) continue;
      CHECK_OK(policy_decide(&stage->policy[unroll->player], with, stage->env, &rows, &answer));
      policy_normalise(&stage->policy[unroll->player], with, batch->mask + cell * f->choices, NULL, 1);
      CHECK_NEAR(policy_log_prob(with, 0, batch_action(batch, cell)), batch->log_prob[cell], 1e-4);
      memcpy(memory, with->memory_out, S * sizeof *memory);
    }
  }
  free(memory);
}

/* Episode and step say how unrolls follow one another: each begins where the team's next row is. */
static void unrolls_join(const Batch *batch, uint32_t slot, uint32_t agent) {
  const Unroll *last = NULL;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    if (unroll->slot != slot || unroll->agent != agent) continue;
    bool next = last && last->end != END_OPEN;
    if (!last || next)
      assert_true(unroll->fresh == 1 && unroll->episode == (last ? last->episode + 1 : 0));
    if (last && !next)
      assert_true(unroll->episode == last->episode && unroll->step == last->until &&
                  unroll->step >= last->step + last->rows);
    last = unroll;
  }
  assert_true(last && last->end != END_OPEN);
}

static void record_both_ways(const char *name, const char *const *pairs, size_t count, int memory) {
  static const NetConfig small = {
      .hidden = {.count = 1, .item = {8}}, .init_gain = 1, .memory_size = 4};
  Stage stage = {.games = 24};
  NetConfig config = small;
  Play *play;
  size_t live = 1, decisions = 0;
  config.memory = memory;
  CHECK_OK(env_create_from(name, pairs, count, &stage.env));
  const Env *of = stage.env;
  CHECK_OK(net_create(&config, &of->layout, &of->spec, &stage.net));
  CHECK_OK(inference_create(stage.net, 1, &stage.inference));
  stage.block = calloc(stage.net->block, sizeof *stage.block);
  net_init(stage.net, 1, 0, stage.block);
  uint32_t *cells = calloc(of->spec.agents * team_largest(&of->spec), sizeof *cells);
  team_cells(&of->spec, cells);
  RowFormat format[2] = {{.observation_bytes = of->observation_bytes,
                          .choices = of->action_count,
                          .heads = of->layout.heads,
                          .state = (uint32_t)stage.net->graph.state_size,
                          .head_size = env_head_sizes(of)}};
  format[1] = format[0];
  format[1].cells = team_largest(&of->spec);
  format[1].global = of->spec.global_state_size
                         ? of->spec.global_state_size
                         : (uint32_t)(format[1].cells * of->observation_count);
  format[1].flags = true;
  format[1].agents = of->spec.agents;
  format[1].agent_of = cells;
  const PlayHooks hooks = {.context = &stage,
                           .begin = on_begin,
                           .decided = on_decided,
                           .stepped = on_stepped,
                           .rewarded = on_rewarded,
                           .ended = on_ended};
  CHECK_OK(play_create(of, stage.net, 3, 8, format[0].state, &hooks, &play));
  for (uint32_t p = 0; p < 2; p++)
    stage.policy[p] = (Policy){.player = p, .block = stage.block};
  for (int way = 0; way < 2; way++) {
    CHECK_OK(recorder_create(of, &format[way], &stage.recorder[way]));
    for (int p = 0; p < 2; p++)
      CHECK_OK(batch_create(&format[way], &stage.batch[way][p]));
  }
  for (uint32_t i = 0; i < COUNT_OF(stage.slot); i++) {
    CHECK_OK(play_add_slot(play, i, &stage.slot[i]));
    for (int way = 0; way < 2; way++)
      CHECK_OK(recorder_add_slot(stage.recorder[way]));
  }
  while (live)
    play_tick(&stage, play, &live);
  for (uint32_t p = 0; p < of->spec.teams; p++) {
    const Batch *agents = &stage.batch[0][p], *teams = &stage.batch[1][p];
    assert_true(batch_is_whole(teams));
    assert_int_equal(batch_learned(teams), batch_learned(agents));
    for (uint32_t a = 0; a < of->spec.agents; a++)
      for (uint32_t i = 0; of->spec.team_of[a] == p && i < COUNT_OF(stage.slot); i++) {
        decisions += same_decisions(agents, teams, i, a);
        CHECK_NEAR(paid(teams, i, a), paid(agents, i, a), 1e-3);
        if (cells[a * format[1].cells] == a) unrolls_join(teams, i, a);
      }
    if (format[0].state) memories_lead_to_the_same(&stage, teams);
  }
  assert_true(decisions == play_stats(play)->decisions_recorded && decisions > 0);
  for (int way = 0; way < 2; way++) {
    assert_int_equal(recorder_open(stage.recorder[way]), 0);
    recorder_destroy(stage.recorder[way]);
    for (int p = 0; p < 2; p++)
      batch_destroy(&stage.batch[way][p]);
  }
  for (int p = 0; p < 2; p++)
    policy_release(&stage.policy[p]);
  play_destroy(play);
  inference_destroy(&stage.inference);
  net_destroy(stage.net);
  free(stage.block);
  free(cells);
  env_destroy(stage.env);
}

/* Units that die; teams of different sizes; a team alone; turns. */
static void games_are_recorded_alike_both_ways(void **state) {
  (void)state;
  for (int memory = 0; memory < 2; memory++) {
    record_both_ways("skirmish", NULL, 0, memory);
    record_both_ways("simple_tag", NULL, 0, memory);
    record_both_ways("simple_spread", NULL, 0, memory);
    record_both_ways("connect_four", NULL, 0, memory);
    record_both_ways("kuhn_poker", NULL, 0, memory);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_has_a_cell_for_each),
      cmocka_unit_test(rows_have_the_global_state),
      cmocka_unit_test(the_dead_are_credited_in_their_cells),
      cmocka_unit_test(turns_are_waited_for),
      cmocka_unit_test(a_dead_team_waits_for_its_reward),
      cmocka_unit_test(a_time_limit_closes_for_all),
      cmocka_unit_test(each_cell_has_its_memory),
      cmocka_unit_test(open_rows_survive_saving),
      cmocka_unit_test(rows_of_another_algorithm_are_refused),
      cmocka_unit_test(what_is_no_number_is_named),
      cmocka_unit_test(games_are_recorded_alike_both_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
