/* libagon: what it says of files that are torn or changed, that nothing in them leads out of
 * bounds, that threads may share an agent, and what it refuses. That it decides as players do is
 * looked at in tests/end_to_end/export.sh. */
#include "check.h"
#include "export/c_source.h"
#include "export/export.h"
#include "libagon/run.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A player, with all that it needs. */
typedef struct Player {
  Env *env;
  Net *net;
  float *block;
  Contestant who;
} Player;

static Player make_player(const char *game, const char *option, const NetConfig *config) {
  Player player;
  assert_int_equal(env_create_from(game, &option, option != NULL, &player.env), OK);
  assert_int_equal(net_create(config, &player.env->layout, &player.env->spec, &player.net), OK);
  player.block = calloc(player.net->block, sizeof *player.block);
  net_init(player.net, 3, 0, player.block);
  assert_int_equal(
      contestant_policy("main_0", config, player.env, player.block, player.net->block, &player.who),
      OK);
  return player;
}

static void player_destroy(Player *player) {
  contestant_destroy(&player->who);
  net_destroy(player->net);
  env_destroy(player->env);
  free(player->block);
}

/* The file of a new player of that name. */
static Bytes make_named(const char *game, const char *option, const char *name,
                        const NetConfig *config) {
  Bytes out = {0};
  Player player = make_player(game, option, config);
  const ExportSource source = {&player.who, name, player.env, NULL};
  assert_int_equal(export_agent(&source, &out), OK);
  player_destroy(&player);
  return out;
}

static Bytes make_agent(const char *game, const NetConfig *config) {
  return make_named(game, NULL, "main_0", config);
}

static NetConfig small_net(void) {
  return (NetConfig){.hidden = {.count = 1, .item = {12}},
                     .conv = {.count = 1, .item = {3}},
                     .conv_kernel = 3,
                     .conv_stride = 1,
                     .conv_pad = 1,
                     .layer_norm = true,
                     .memory = 1,
                     .memory_size = 8,
                     .agent_id = ID_AGENT,
                     .last_action = true,
                     .normalise_observations = true,
                     .init_gain = 1};
}

/* A team that tells one another what it sees. */
static NetConfig talking_net(int kind) {
  return (NetConfig){.hidden = {.count = 1, .item = {12}},
                     .memory = 2,
                     .memory_size = 5,
                     .messages = {.kind = kind, .rounds = 1, .width = 4, .nearest = 1, .key = 3},
                     .init_gain = 1};
}

/* Decides rows of noughts by an agent, if its bytes are one; false: they are not. */
static bool try_bytes(const uint8_t *bytes, size_t size) {
  AgonAgent *agent;
  AgonAgentState *state;
  AgonError error = {""};
  const AgonAgentStatus status = agon_agent_open_bytes(bytes, size, &agent, &error);
  if (status != AGON_AGENT_OK) {
    assert_null(agent);
    assert_true(strlen(error.text) > 10);
    assert_true(status == AGON_AGENT_DAMAGED || status == AGON_AGENT_MEMORY);
    return false;
  }
  const AgonAgentInfo *info = agon_agent_info(agent);
  const size_t rows = 2 * info->team;
  if (agon_state_new(agent, rows, &state, &error) == AGON_AGENT_OK) {
    float *seen = calloc(rows * info->observation_count, sizeof *seen);
    float *out = calloc(rows * info->output_count, sizeof *out);
    float *at = calloc(rows * 3, sizeof *at);
    uint32_t *who = calloc(rows, sizeof *who);
    AgonAction *action = calloc(rows * info->heads, sizeof *action);
    const AgonAgentRows in = {
        .count = rows, .observations = seen, .agents = who, .positions = at, .seed = 5};
    const AgonAgentAnswer answer = {.actions = action, .probabilities = out};
    agon_agent_act(agent, state, &in, &answer, &error);
    free(seen);
    free(out);
    free(at);
    free(who);
    free(action);
    agon_state_free(state);
  }
  agon_agent_close(agent);
  return true;
}

/* A file that ends anywhere, in the middle of a number too, is refused. */
static void test_torn(void **test) {
  (void)test;
  const NetConfig config = small_net();
  Bytes file = make_agent("tic_tac_toe", &config);
  assert_true(try_bytes(file.data, file.size));
  for (size_t size = 0; size < file.size; size += size < 4096 ? 1 : 61) {
    uint8_t *torn = malloc(size ? size : 1); /* of just that size, so that a checker sees it */
    memcpy(torn, file.data, size);
    assert_false(try_bytes(torn, size));
    free(torn);
  }
  bytes_free(&file);
}

/* One bit anywhere is noticed by the checksum, or is in the magic, the version or the checksum. */
static void test_bit(void **test) {
  (void)test;
  const NetConfig config = small_net();
  Bytes file = make_agent("tic_tac_toe", &config);
  for (size_t at = 0; at < file.size; at += at < 2048 ? 1 : 37) {
    file.data[at] ^= (uint8_t)(1 << at % 8);
    assert_false(try_bytes(file.data, file.size));
    file.data[at] ^= (uint8_t)(1 << at % 8);
  }
  bytes_free(&file);
}

/* Whoever changes a file and sums it up anew gets an error, or an agent that keeps to its
 * bounds. */
static void mutate(const char *game, const NetConfig *config, uint64_t seed) {
  Bytes file = make_agent(game, config);
  AgonRng rng = rng_stream(seed, 0, 0, RNG_TEST);
  uint8_t *bytes = malloc(file.size);
  size_t opened = 0;
  uint64_t metadata;
  memcpy(&metadata, file.data + 24, sizeof metadata);
  const size_t first = FORMAT_HEAD + ((size_t)metadata + 7) / 8 * 8;
  for (size_t round = 0; round < 4000; round++) {
    memcpy(bytes, file.data, file.size);
    for (size_t k = 0; k <= round % 3; k++) {
      /* where the spec and the layers lie, or now and then the head */
      const size_t at = round % 7 == 0 ? 16 + rng_below(&rng, 40) : first + rng_below(&rng, 2400);
      if (at >= file.size) continue;
      const uint32_t how = rng_below(&rng, 4);
      const int changed = how == 0   ? (int)(bytes[at] ^ 1u << rng_below(&rng, 8))
                          : how == 1 ? 0xff
                          : how == 2 ? bytes[at] + 1
                                     : (int)rng_below(&rng, 256);
      bytes[at] = (uint8_t)changed;
    }
    const uint32_t sum = format_checksum(bytes + FORMAT_SUMMED, file.size - FORMAT_SUMMED);
    memcpy(bytes + 12, &sum, sizeof sum);
    opened += try_bytes(bytes, file.size);
  }
  assert_true(opened > 10 && opened < 3990); /* both happen */
  free(bytes);
  bytes_free(&file);
}

static void test_changed(void **test) {
  (void)test;
  const NetConfig config = small_net();
  mutate("tic_tac_toe", &config, 1);
  for (int kind = MESSAGES_MEAN; kind <= MESSAGES_ATTENTION; kind++) {
    const NetConfig talks = talking_net(kind);
    mutate("simple_spread", &talks, (uint64_t)kind + 1);
  }
}

/* Ranges from which no number can be taken are damage, not actions that are no numbers. */
static void test_ranges(void **test) {
  (void)test;
  static const float wrong[][2] = {{NAN, 1}, {-INFINITY, 1}, {2, 1}, {-1, INFINITY}, {-1, NAN}};
  const NetConfig config = {.hidden = {.count = 1, .item = {4}}, .init_gain = 1};
  Bytes file = make_named("simple_spread", "env.actions=box", "main_0", &config);
  AgentFile agent;
  uint64_t part[2];
  assert_int_equal(format_read(file.data, file.size, "it", &agent, NULL), AGON_AGENT_OK);
  const size_t numbers = (size_t)agent.model.agents * agent.model.heads;
  assert_non_null(agent.model.low);
  format_free(&agent);
  memcpy(part, file.data + 24, sizeof part);
  const size_t spec = FORMAT_HEAD + ((size_t)part[0] + 7) / 8 * 8;
  uint8_t *high = file.data + spec + part[1] - numbers * sizeof(float);
  uint8_t *low = high - numbers * sizeof(float);
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    memcpy(low, &wrong[i][0], sizeof(float));
    memcpy(high, &wrong[i][1], sizeof(float));
    const uint32_t sum = format_checksum(file.data + FORMAT_SUMMED, file.size - FORMAT_SUMMED);
    memcpy(file.data + 12, &sum, sizeof sum);
    assert_false(try_bytes(file.data, file.size));
  }
  bytes_free(&file);
}

/* A name that ends a comment of C, or begins one, is written so that it does neither. */
static void test_comments(void **test) {
  (void)test;
  const NetConfig config = {.hidden = {.count = 1, .item = {4}}, .init_gain = 1};
  Bytes file = make_named("tic_tac_toe", NULL, "a */ int x; /* b", &config);
  Bytes text[2] = {{0}};
  AgentFile agent;
  assert_int_equal(export_read(&file, &agent), OK);
  assert_int_equal(export_c(&agent, agent.model.block, EXPORT_EXACT, "it", &text[0], &text[1]), OK);
  for (size_t i = 0; i < 2; i++) {
    bytes_u8(&text[i], 0);
    for (size_t k = 0; k + 1 < text[i].size; k++) /* no editor and no mail changes it */
      assert_true(text[i].data[k] == '\n' || (text[i].data[k] >= ' ' && text[i].data[k] <= '~'));
    assert_non_null(strstr((const char *)text[i].data, "a * / int x; / * b"));
    assert_null(strstr((const char *)text[i].data, "a */"));
  }
  format_free(&agent);
  bytes_free(&file);
  bytes_free(&text[0]);
  bytes_free(&text[1]);
}

/* Rounding by what goes into layers leads less far away than number by number, in other positions
 * too; numbers that are read as bfloat16 keep what is read of them. */
static void test_rounding(void **test) {
  (void)test;
  const NetConfig config = {.hidden = {.count = 2, .item = {48, 48}}, .init_gain = 1};
  Player player = make_player("connect_four", NULL, &config);
  const ExportSource source = {&player.who, "main_0", player.env, NULL};
  Bytes file = {0};
  Bytes rounded[2] = {{0}};
  Examples shown = {0};
  Examples asked = {0};
  AgentFile agent;
  double apart[2];
  assert_int_equal(export_agent(&source, &file), OK);
  assert_int_equal(export_read(&file, &agent), OK);
  assert_int_equal(examples_play(&source, 2000, 2, &shown), OK);
  assert_int_equal(examples_play(&source, 500, 1, &asked), OK);
  float *block = calloc(agent.parameters, sizeof *block);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(export_rounded(&agent, i ? &shown : NULL, EXPORT_SHORT, block), OK);
    assert_int_equal(export_with_numbers(&file, block, agent.parameters, &rounded[i]), OK);
    assert_int_equal(examples_apart(&asked, &rounded[i], &file, &apart[i]), OK);
  }
  assert_true(apart[1] < 0.8 * apart[0] && apart[0] < 1e-4);
  /* as the program reads them where the processor gains by it */
  ModelStep *step = (ModelStep *)(uintptr_t)agent.model.step;
  assert_int_equal(step[1].op, MODEL_DENSE);
  step[1].half = 1;
  assert_int_equal(export_rounded(&agent, &shown, EXPORT_SHORT, block), OK);
  for (size_t i = 0; i < 48 * 48; i++) {
    const float from = agent.model.block[step[1].weight + i];
    const float to = block[step[1].weight + i];
    uint32_t bits;
    memcpy(&bits, &to, sizeof bits);
    assert_true((bits & 0xffffu) == 0 && fabsf(to - from) <= fabsf(from) / 256);
  }
  free(block);
  format_free(&agent);
  examples_free(&shown);
  examples_free(&asked);
  for (size_t i = 0; i < 2; i++)
    bytes_free(&rounded[i]);
  bytes_free(&file);
  player_destroy(&player);
}

/* --- threads --- */

enum { ROWS = 300, THREADS = 3 };

typedef struct Worker {
  const AgonAgent *agent;
  float out[ROWS * 9];
} Worker;

static void *work(void *argument) {
  Worker *worker = argument;
  AgonAgentState *state;
  uint8_t seen[ROWS * 18];
  uint32_t who[ROWS];
  for (size_t i = 0; i < sizeof seen; i++)
    seen[i] = i * 7 % 5 == 0;
  for (uint32_t i = 0; i < ROWS; i++)
    who[i] = i % 2;
  const AgonAgentRows rows = {.count = ROWS, .observations = seen, .agents = who, .greedy = true};
  const AgonAgentAnswer answer = {.probabilities = worker->out};
  if (agon_state_new(worker->agent, ROWS, &state, NULL) != AGON_AGENT_OK) return worker;
  for (int step = 0; step < 40; step++)
    if (agon_agent_act(worker->agent, state, &rows, &answer, NULL) != AGON_AGENT_OK) return worker;
  agon_state_free(state);
  return NULL;
}

/* Each with a state of its own, they get what one alone gets. */
static void test_threads(void **test) {
  (void)test;
  const NetConfig config = small_net();
  Bytes file = make_agent("tic_tac_toe", &config);
  static Worker worker[THREADS + 1];
  pthread_t thread[THREADS];
  AgonAgent *agent;
  assert_int_equal(agon_agent_open_bytes(file.data, file.size, &agent, NULL), AGON_AGENT_OK);
  for (size_t i = 0; i <= THREADS; i++)
    worker[i].agent = agent;
  assert_null(work(&worker[THREADS]));
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
  for (size_t i = 0; i < THREADS; i++) {
    void *failed;
    pthread_join(thread[i], &failed);
    assert_null(failed);
    assert_memory_equal(worker[i].out, worker[THREADS].out, sizeof worker[i].out);
  }
  agon_agent_close(agent);
  bytes_free(&file);
}

/* --- memories and refusals --- */

/* A row of a slot remembers what that slot has seen; a reset forgets; another order of rows and
 * slots is no matter. */
static void test_slots(void **test) {
  (void)test;
  const NetConfig config = small_net();
  Bytes file = make_agent("tic_tac_toe", &config);
  AgonAgent *agent;
  AgonAgentState *a, *b;
  uint8_t seen[2 * 18] = {1, 0, 0, 1};
  uint32_t who[2] = {0, 1};
  const uint32_t straight[2] = {0, 1};
  const uint32_t crossed[2] = {2, 0};
  float out[3][2 * 9];
  seen[20] = 1;
  assert_int_equal(agon_agent_open_bytes(file.data, file.size, &agent, NULL), AGON_AGENT_OK);
  assert_int_equal(agon_state_new(agent, 2, &a, NULL), AGON_AGENT_OK);
  assert_int_equal(agon_state_new(agent, 3, &b, NULL), AGON_AGENT_OK);
  AgonAgentRows rows = {.count = 2, .observations = seen, .agents = who, .greedy = true};
  AgonAgentAnswer answer = {.probabilities = out[0]};
  for (int step = 0; step < 3; step++) {
    rows.slots = straight;
    answer.probabilities = out[0];
    assert_int_equal(agon_agent_act(agent, a, &rows, &answer, NULL), AGON_AGENT_OK);
    rows.slots = crossed;
    answer.probabilities = out[1];
    assert_int_equal(agon_agent_act(agent, b, &rows, &answer, NULL), AGON_AGENT_OK);
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    if (step == 0) memcpy(out[2], out[0], sizeof out[0]);
  }
  assert_memory_not_equal(out[0], out[2], sizeof out[0]); /* it remembers */
  agon_state_reset(a, 0);
  agon_state_reset(a, 1);
  rows.slots = NULL;
  answer.probabilities = out[0];
  assert_int_equal(agon_agent_act(agent, a, &rows, &answer, NULL), AGON_AGENT_OK);
  assert_memory_equal(out[0], out[2], sizeof out[0]); /* and forgets */
  /* what it is told to have done instead */
  const size_t S = agon_agent_info(agent)->memory_count;
  const AgonAction other = {.choice = 7};
  agon_state_did(a, 1, 0, &other);
  assert_true(agon_state_memory(a)[2 * S - 1] == 8);
  agon_state_free(a);
  agon_state_free(b);
  agon_agent_close(agent);
  bytes_free(&file);
}

static void refuse(const AgonAgent *agent, AgonAgentState *state, const AgonAgentRows *rows,
                   AgonAgentStatus expected, const char *word) {
  AgonError error = {""};
  const AgonAgentAnswer answer = {0};
  assert_int_equal(agon_agent_act(agent, state, rows, &answer, &error), expected);
  assert_non_null(strstr(error.text, word));
}

static void test_refusals(void **test) {
  (void)test;
  const NetConfig config = talking_net(MESSAGES_NEAREST);
  Bytes file = make_agent("simple_spread", &config);
  AgonAgent *agent, *other;
  AgonAgentState *state;
  AgonError error = {""};
  float seen[6 * 18] = {0};
  float at[6 * 3] = {0};
  const uint32_t far[6] = {0, 1, 2, 3, 4, 9};
  assert_int_equal(agon_agent_open_bytes(file.data, file.size, &agent, NULL), AGON_AGENT_OK);
  assert_int_equal(agon_agent_open_bytes(file.data, file.size, &other, NULL), AGON_AGENT_OK);
  assert_int_equal(agon_state_new(agent, 0, &state, &error), AGON_AGENT_USAGE);
  assert_int_equal(agon_state_new(agent, 6, &state, &error), AGON_AGENT_OK);
  AgonAgentRows rows = {.count = 6, .observations = seen, .positions = at};
  const AgonAgentAnswer answer = {0};
  assert_int_equal(agon_agent_act(agent, state, &rows, &answer, &error), AGON_AGENT_OK);
  refuse(other, state, &rows, AGON_AGENT_USAGE, "another agent's");
  rows.count = 5;
  refuse(agent, state, &rows, AGON_AGENT_USAGE, "teams of 3");
  rows.count = 9;
  refuse(agent, state, &rows, AGON_AGENT_USAGE, "9 rows for a state of 6");
  rows.count = 6;
  rows.slots = far;
  refuse(agent, state, &rows, AGON_AGENT_USAGE, "slot 9");
  rows.slots = NULL;
  rows.positions = NULL;
  refuse(agent, state, &rows, AGON_AGENT_USAGE, "where they are");
  rows.positions = at;
  rows.observations = NULL;
  refuse(agent, state, &rows, AGON_AGENT_USAGE, "no observations");
  rows.observations = seen;
  seen[18 * 4 + 3] = NAN;
  refuse(agent, state, &rows, AGON_AGENT_OBSERVATION, "element 3 of the observation of row 4");
  agon_state_free(state);
  agon_agent_close(agent);
  agon_agent_close(other);
  bytes_free(&file);
}

/* Every instruction set that this processor has decides alike, but for rounding. */
static void test_kernels(void **test) {
  (void)test;
  const NetConfig config = small_net();
  Bytes file = make_agent("connect_four", &config);
  const RunOps *const all[] = {&run_plain, run_ops()};
  AgentFile agent;
  uint8_t seen[100 * 84];
  uint32_t who[100] = {0};
  float out[2][100 * 7];
  for (size_t i = 0; i < sizeof seen; i++)
    seen[i] = i * 11 % 7 == 0;
  assert_int_equal(format_read(file.data, file.size, "it", &agent, NULL), AGON_AGENT_OK);
  const Model *m = &agent.model;
  for (size_t k = 0; k < 2; k++) {
    float *packed = calloc(m->copies * all[k]->packed(m), sizeof *packed);
    float *scratch = calloc(all[k]->scratch(m), sizeof *scratch);
    float *memory = calloc(100 * m->memory, sizeof *memory);
    size_t *source = calloc(all[k]->chunk(m), sizeof *source);
    ModelFault fault;
    const ModelRows rows = {.count = 100,
                            .observations = seen,
                            .agents = who,
                            .memory = memory,
                            .greedy = true,
                            .probability = out[k]};
    all[k]->pack(m, packed);
    assert_int_equal(all[k]->act(m, packed, scratch, source, &rows, &fault), MODEL_FINE);
    free(packed);
    free(scratch);
    free(memory);
    free(source);
  }
  for (size_t i = 0; i < 100 * 7; i++)
    assert_true(fabsf(out[0][i] - out[1][i]) < 1e-6f);
  format_free(&agent);
  bytes_free(&file);
}

/* Boards are mostly 0, and what is 0 is passed over; a row by itself is run in another way than
 * many. All of them come to the same bits. */
static void test_few(void **test) {
  (void)test;
  enum { R = 96, K = 84, N = 7 };
  const NetConfig config = {.hidden = {.count = 2, .item = {170, 30}}, .init_gain = 1};
  Bytes file = make_agent("connect_four", &config);
  static uint8_t seen[2][R * K]; /* the second has rows that are full where it is looked at */
  static float out[2][R * N], alone[N];
  AgonAgent *agent;
  AgonAgentState *state;
  for (size_t i = 0; i < sizeof seen[0]; i++)
    seen[0][i] = seen[1][i] = i * i % 11 == 3 ? (uint8_t)(1 + i % 3) : 0;
  for (size_t k = 0; k < K; k++)
    seen[1][k] = seen[1][(R - 1) / 2 * K + k] = seen[1][(R - 1) * K + k] = 1;
  assert_int_equal(agon_agent_open_bytes(file.data, file.size, &agent, NULL), AGON_AGENT_OK);
  assert_int_equal(agon_state_new(agent, R, &state, NULL), AGON_AGENT_OK);
  for (size_t i = 0; i < 2; i++) {
    const AgonAgentRows rows = {.count = R, .observations = seen[i], .greedy = true};
    const AgonAgentAnswer answer = {.probabilities = out[i]};
    assert_int_equal(agon_agent_act(agent, state, &rows, &answer, NULL), AGON_AGENT_OK);
  }
  for (size_t r = 0; r < R; r++) {
    const AgonAgentRows row = {.count = 1, .observations = seen[0] + r * K, .greedy = true};
    const AgonAgentAnswer answer = {.probabilities = alone};
    assert_int_equal(agon_agent_act(agent, state, &row, &answer, NULL), AGON_AGENT_OK);
    assert_memory_equal(alone, out[0] + r * N, sizeof alone);
    const bool full = r == 0 || r == (R - 1) / 2 || r == R - 1;
    if (!full) assert_memory_equal(out[1] + r * N, out[0] + r * N, sizeof alone);
  }
  agon_state_free(state);
  agon_agent_close(agent);
  bytes_free(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_torn),     cmocka_unit_test(test_bit),
      cmocka_unit_test(test_changed),  cmocka_unit_test(test_threads),
      cmocka_unit_test(test_slots),    cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_kernels),  cmocka_unit_test(test_few),
      cmocka_unit_test(test_ranges),   cmocka_unit_test(test_rounding),
      cmocka_unit_test(test_comments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
