/* Connect Four: four in a row on 7 columns x 6 rows, agent 0 begins. Bitboards with 7 bits a column (one spare row),
 * the usual layout: four in a row is three shifted ands. */
#include "agon/env.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 7, ROWS = 6, STRIDE = ROWS + 1, CELLS = COLUMNS * ROWS };

typedef struct Episode {
  uint64_t stones[2];
  uint8_t height[COLUMNS];
  uint8_t moves;
  uint8_t result; /* 0 open, 1 or 2 = that agent + 1 won, 3 drawn */
  uint8_t pad[7];
} Episode;

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.params_size = 0,
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .team_of = {0, 1},
                        .observation_type = AGON_U8,
                        .observation_shape = {2, ROWS, COLUMNS},
                        .observation_high = 1,
                        .heads = 1,
                        .head_size = {COLUMNS},
                        .step_limit = CELLS,
                        .flags = AGON_ZERO_SUM | AGON_PERFECT_INFORMATION | AGON_ENUMERATES_CHANCE,
                        .reward_low = -1,
                        .reward_high = 1};
  return 0;
}

static AgonStatus reset(const void *params, void *block, const AgonRandom *random) {
  (void)params, (void)random;
  memset(block, 0, sizeof(Episode));
  return AGON_RUNNING;
}

static bool four(uint64_t board) {
  static const int shift[4] = {1, STRIDE, STRIDE - 1, STRIDE + 1};
  for (int i = 0; i < 4; i++) {
    uint64_t pairs = board & (board >> shift[i]);
    if (pairs & (pairs >> (2 * shift[i]))) return true;
  }
  return false;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward) {
  (void)params, (void)random;
  Episode *episode = block;
  uint32_t player = episode->moves & 1u;
  int column = actions[player].choice[0];
  episode->stones[player] |= 1ull << (column * STRIDE + episode->height[column]++);
  episode->moves++;
  if (four(episode->stones[player])) {
    episode->result = (uint8_t)(player + 1);
    reward[player] += 1;
    reward[1 - player] -= 1;
    return AGON_TERMINATED;
  }
  if (episode->moves < CELLS) return AGON_RUNNING;
  episode->result = 3;
  return AGON_TERMINATED;
}

/* planes of 6 rows (top first) x 7 columns: own stones, other's stones */
static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  (void)params;
  const Episode *episode = block;
  uint8_t *row = out;
  uint64_t own = episode->stones[agent], other = episode->stones[1 - agent];
  for (int y = 0; y < ROWS; y++)
    for (int x = 0; x < COLUMNS; x++) {
      int bit = x * STRIDE + (ROWS - 1 - y);
      row[y * COLUMNS + x] = (uint8_t)(own >> bit & 1);
      row[CELLS + y * COLUMNS + x] = (uint8_t)(other >> bit & 1);
    }
}

static void mask(const void *params, const void *block, uint32_t agent, uint8_t *row) {
  (void)params, (void)agent;
  const Episode *episode = block;
  for (int x = 0; x < COLUMNS; x++) row[x] = episode->height[x] < ROWS;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = block;
  flag[0] = flag[1] = AGON_ALIVE;
  if (!episode->result) flag[episode->moves & 1] |= AGON_ACTS;
}

static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  uint8_t result = ((const Episode *)block)->result;
  out[0] = result == 1 ? 1.0f : result == 2 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

static void render(const void *params, const void *block, char *text, size_t size) {
  (void)params;
  const Episode *episode = block;
  char board[ROWS * (COLUMNS + 1) + 1];
  size_t at = 0;
  for (int y = ROWS - 1; y >= 0; y--) {
    for (int x = 0; x < COLUMNS; x++) {
      int bit = x * STRIDE + y;
      board[at++] = episode->stones[0] >> bit & 1 ? 'x' : episode->stones[1] >> bit & 1 ? 'o' : '.';
    }
    board[at++] = '\n';
  }
  board[at] = 0;
  snprintf(text, size, "%s", board);
}

const AgonEnv env_connect_four = {
    .abi = AGON_ENV_ABI,
    .struct_size = sizeof(AgonEnv),
    .name = "connect_four",
    .summary = "four in a row on 7 columns x 6 rows",
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .mask = mask,
    .flags = flags,
    .outcome = outcome,
    .render = render,
};
