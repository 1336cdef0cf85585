/* Connect Four: four in a row on 7 columns x 6 rows, agent 0 begins. A board is a byte a row, top
 * row first, whose highest bit stays free and keeps lines from running over the edge; four in a row
 * is three shifted ands. */
#include "agon/env.h"

#include <stdio.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { COLUMNS = 7, ROWS = 6, CELLS = COLUMNS * ROWS };

/* The whole state of a game. */
typedef struct Episode {
  uint64_t stones[2]; /* bit 8 * row + column */
  uint8_t moves;
  uint8_t result; /* 0 open, 1 or 2 = that agent + 1 won, 3 drawn */
  uint8_t pad[6];
} Episode;

typedef struct Params {
  bool threats;
} Params;

static const AgonEnvOption options[] = {
    {"planes", AGON_OPT_CHOICE, "stones", 0, 0, "stones|threats",
     "what is seen: both sides' stones; or also the empty cells where a stone would make four, for "
     "both sides"},
};

static const uint32_t choices[] = {COLUMNS};
static const AgonKind kinds[2] = {
    {.observation_type = AGON_U8,
     .observation_shape = {2, ROWS, COLUMNS},
     .observation_high = 1,
     .heads = 1,
     .head_size = choices},
    {.observation_type = AGON_U8,
     .observation_shape = {4, ROWS, COLUMNS},
     .observation_high = 1,
     .heads = 1,
     .head_size = choices},
};

/* The option only changes what is seen, so it chooses between two kinds of agent. */
static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  bool threats = !strcmp(values[0], "threats");
  *(Params *)params = (Params){threats};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kinds[threats],
                        .step_limit = CELLS,
                        .flags = AGON_ZERO_SUM | AGON_PERFECT_INFORMATION | AGON_ENUMERATES_CHANCE,
                        .reward_low = -1,
                        .reward_high = 1};
  return 0;
}

/* An empty board is all zero. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  memset(block, 0, sizeof(Episode));
  return AGON_RUNNING;
}

/* Whether a board has four in a row. `board & board >> d` keeps the stones with a neighbour in
 * direction d; doing that again two steps on keeps the ends of lines of four. */
static inline bool four(uint64_t board) {
  uint64_t across = board & board >> 1;
  uint64_t down = board & board >> 8;
  uint64_t left = board & board >> 7;
  uint64_t right = board & board >> 9;
  return (across & across >> 2) | (down & down >> 16) | (left & left >> 14) | (right & right >> 18);
}

/* Drops a stone of whoever's turn it is. The column is not full: the host only passes legal moves
 * on. */
static inline AgonStatus move(Episode *episode, uint32_t column, float *reward) {
  uint32_t player = episode->moves & 1u;
  uint64_t taken = (episode->stones[0] | episode->stones[1]) >> column & 0x0101010101010101ull;
  /* the lowest free row: the taken cells of a column are its lowest, so the highest of them is the
   * first set bit */
  uint32_t below = (uint32_t)__builtin_ctzll(taken | 1ull << (8 * ROWS));
  episode->stones[player] |= 1ull << (below - 8 + column);
  episode->moves++;
  if (__builtin_expect(four(episode->stones[player]), 0)) {
    episode->result = (uint8_t)(player + 1);
    reward[player] += 1;
    reward[1 - player] -= 1;
    return AGON_TERMINATED;
  }
  if (episode->moves < CELLS) return AGON_RUNNING;
  episode->result = 3;
  return AGON_TERMINATED;
}

/* One game; step_many is the same for many at once. */
static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  Episode *episode = block;
  return move(episode, (uint32_t)actions[episode->moves & 1u].choice, reward);
}

/* Games of one call need not be at the same move. */
static void step_many(const void *params, size_t count, void *const *episodes,
                      const AgonAction *actions, const AgonRandom *random, float *reward,
                      AgonStatus *status, AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  for (size_t i = 0; i < count; i++) {
    Episode *episode = episodes[i];
    status[i] =
        move(episode, (uint32_t)actions[2 * i + (episode->moves & 1u)].choice, reward + 2 * i);
  }
}

/* The low seven bits of `bits` as seven bytes of 0 or 1: seven copies of them, each shifted so that
 * bit i lines up with byte i. */
static inline uint64_t spread(uint64_t bits) {
  return (bits & 0x7f) * 0x02040810204081ull & 0x01010101010101ull;
}

/* A column may be played if its top cell is free. Twice four bytes, as the eighth byte is not
 * ours. */
static inline void write_mask(uint8_t *row, const Episode *episode) {
  uint64_t bytes = spread(~(episode->stones[0] | episode->stones[1]));
  memcpy(row, &bytes, 4);
  bytes >>= 24;
  memcpy(row + 3, &bytes, 4);
}

/* Writes one plane, six rows of seven bytes. Each row is stored as eight bytes, of which the next
 * row's store mends the last; the bottom row is stored as twice four, to stay within the plane. */
static inline void write_plane(uint8_t *out, uint64_t board) {
  uint64_t bytes;
  for (int y = 0; y < ROWS - 1; y++) {
    bytes = spread(board >> (8 * y));
    memcpy(out + COLUMNS * y, &bytes, 8);
  }
  bytes = spread(board >> (8 * (ROWS - 1)));
  memcpy(out + CELLS - COLUMNS, &bytes, 4);
  bytes >>= 24;
  memcpy(out + CELLS - 4, &bytes, 4);
}

/* Two planes of 6 rows (top first) x 7 columns: own stones, the other's stones. */
static inline void write_row(uint8_t *out, const Episode *episode, uint32_t agent) {
  write_plane(out, episode->stones[agent]);
  write_plane(out + CELLS, episode->stones[1 - agent]);
}

/* The same with AVX-512, where the processor has it (asked when it runs): the 84 cells are packed
 * into a string of bits, which masked stores turn into bytes. */
#ifdef __x86_64__
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,bmi2")))
/* Asked of the processor, as the program may run on another than it was compiled on. */
static bool is_wide(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
}

/* pext drops the free highest bit of each row: 42 bits for either side. */
WIDE static inline void write_row_wide(uint8_t *out, const Episode *episode, uint32_t agent) {
  uint64_t own = _pext_u64(episode->stones[agent], 0x7f7f7f7f7f7full);
  uint64_t other = _pext_u64(episode->stones[1 - agent], 0x7f7f7f7f7f7full);
  uint64_t end = other >> 22;
  _mm512_storeu_si512(out, _mm512_maskz_set1_epi8(own | other << 42, 1));
  __m256i tail = _mm256_maskz_set1_epi8((__mmask32)end, 1);
  _mm_storeu_si128((__m128i *)(out + 64), _mm256_castsi256_si128(tail));
  uint32_t last = (uint32_t)_mm_cvtsi128_si32(_mm256_extracti128_si256(tail, 1));
  memcpy(out + 80, &last, 4);
}
#endif

/* Empty cells that would complete four for the side `own`, whether a stone can fall there now or
 * not: cells with three stones beside them, or two on one side and one on the other, in any of the
 * four directions. */
static uint64_t winning_cells(uint64_t own, uint64_t taken) {
  static const int step[4] = {1, 7, 8, 9};
  uint64_t cells = 0;
  for (int i = 0; i < 4; i++) {
    int d = step[i];
    uint64_t up = own << d;
    uint64_t down = own >> d;
    uint64_t pair_up = up & own << (2 * d);
    uint64_t pair_down = down & own >> (2 * d);
    cells |= (pair_up & own << (3 * d)) | (pair_down & own >> (3 * d)) | (pair_up & down) |
             (pair_down & up);
  }
  return cells & ~taken & 0x7f7f7f7f7f7full;
}

/* Behind the stones: own and the other's winning cells. */
static void write_threats(uint8_t *out, const Episode *episode, uint32_t agent) {
  uint64_t taken = episode->stones[0] | episode->stones[1];
  for (uint32_t side = 0; side < 2; side++) {
    uint64_t cells = winning_cells(episode->stones[side ? 1 - agent : agent], taken);
    for (int y = 0; y < ROWS; y++)
      for (int x = 0; x < COLUMNS; x++)
        *out++ = cells >> (8 * y + x) & 1;
  }
}

/* One row; view_many is the same for many at once, with their masks. */
static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  write_row(out, block, agent);
  if (((const Params *)params)->threats) write_threats((uint8_t *)out + 2 * CELLS, block, agent);
}

/* As in view_many. */
static void mask(const void *params, const void *block, uint32_t agent, uint8_t *row) {
  (void)params;
  (void)agent;
  write_mask(row, block);
}

#ifdef __x86_64__
WIDE static void view_many_wide(size_t count, const void *const *episodes, const uint32_t *agents,
                                uint8_t *row, uint8_t *masks) {
  for (size_t i = 0; i < count; i++, row += 2 * CELLS, masks += COLUMNS) {
    write_row_wide(row, episodes[i], agents[i]);
    write_mask(masks, episodes[i]);
  }
}
#endif

/* The fast path is taken where only stones are seen: that is how networks train. */
static void view_many(const void *params, size_t count, const void *const *episodes,
                      const uint32_t *agents, void *rows, uint8_t *masks) {
  uint8_t *row = rows;
  bool threats = ((const Params *)params)->threats;
  size_t width = (threats ? 4 : 2) * CELLS;
#ifdef __x86_64__
  if (!threats && is_wide()) {
    view_many_wide(count, episodes, agents, row, masks);
    return;
  }
#endif
  for (size_t i = 0; i < count; i++, row += width, masks += COLUMNS) {
    write_row(row, episodes[i], agents[i]);
    if (threats) write_threats(row + 2 * CELLS, episodes[i], agents[i]);
    write_mask(masks, episodes[i]);
  }
}

/* Agents take turns; after the end nobody acts. */
static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = block;
  flag[1] = AGON_ALIVE;
  flag[0] = AGON_ALIVE;
  if (!episode->result) flag[episode->moves & 1] |= AGON_ACTS;
}

/* The same without branches, which a processor would guess wrong half of the time. */
static void flags_many(const void *params, size_t count, const void *const *episodes,
                       uint8_t *flag) {
  (void)params;
  for (size_t i = 0; i < count; i++) {
    const Episode *episode = episodes[i];
    unsigned acts = episode->result == 0;
    unsigned second = episode->moves & 1u; /* AGON_ACTS is 1: no branches */
    flag[2 * i] = (uint8_t)(AGON_ALIVE | (acts & ~second));
    flag[2 * i + 1] = (uint8_t)(AGON_ALIVE | (acts & second));
  }
}

/* A draw is half a win for either. */
static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  uint8_t result = ((const Episode *)block)->result;
  out[0] = result == 1 ? 1.0f : result == 2 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

/* Six lines of x, o and dots, top row first. */
static void render(const void *params, const void *block, char *text, size_t size) {
  (void)params;
  const Episode *episode = block;
  char board[ROWS * (COLUMNS + 1) + 1];
  size_t at = 0;
  for (int y = 0; y < ROWS; y++) {
    for (int x = 0; x < COLUMNS; x++) {
      int bit = 8 * y + x;
      board[at++] = episode->stones[0] >> bit & 1 ? 'x' : episode->stones[1] >> bit & 1 ? 'o' : '.';
    }
    board[at++] = '\n';
  }
  board[at] = 0;
  snprintf(text, size, "%s", board);
}

/* Whether a stone of this agent in the column makes four, whoever's turn it is. */
static bool wins(const Episode *now, uint32_t agent, uint32_t column) {
  Episode next = *now;
  float reward[2] = {0, 0};
  next.moves = (uint8_t)(agent | 2u); /* its lowest bit says who moves; far from a full board */
  move(&next, column, reward);
  return next.result == 1 || next.result == 2;
}

/* Whether the other can make four at once after this move. */
static bool gives_a_win(const Episode *now, uint32_t column) {
  Episode next = *now;
  float reward[2] = {0, 0};
  bool gives = false;
  move(&next, column, reward);
  for (uint32_t d = 0; d < COLUMNS && next.moves < CELLS; d++) {
    Episode reply = next;
    uint8_t open[8];
    write_mask(open, &next);
    if (open[d] && move(&reply, d, reward) == AGON_TERMINATED && reply.result != 3) gives = true;
  }
  return gives;
}

/* Wins if it can, else blocks, else plays a column near the middle that gives the other no win at
 * once. */
static void scripted(const void *params, const void *block, uint32_t agent,
                     const AgonRandom *random, AgonAction *action) {
  (void)params;
  const Episode *now = block;
  uint8_t legal[8];
  double weight[COLUMNS], sum = 0;
  write_mask(legal, now);
  for (uint32_t side = 0; side < 2; side++)
    for (uint32_t c = 0; c < COLUMNS; c++) {
      if (!legal[c] || !wins(now, side ? 1 - agent : agent, c)) continue;
      action->choice = (int32_t)c;
      return;
    }
  for (uint32_t c = 0; c < COLUMNS; c++) {
    weight[c] = 0;
    if (!legal[c]) continue;
    weight[c] = (gives_a_win(now, c) ? 1e-6 : 1) * (1 + (c < 4 ? c : 6 - c));
    sum += weight[c];
  }
  double left = agon_random_unit(random) * sum;
  for (uint32_t c = 0; c < COLUMNS; c++) {
    if (!legal[c]) continue;
    action->choice = (int32_t)c;
    left -= weight[c];
    if (left < 0) return;
  }
}

const AgonEnv env_connect_four = {
    AGON_ENV_SIZES,
    .name = "connect_four",
    .summary = "four in a row on 7 columns x 6 rows",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .mask = mask,
    .flags = flags,
    .outcome = outcome,
    .step_many = step_many,
    .view_many = view_many,
    .flags_many = flags_many,
    .render = render,
    .scripted = scripted,
};
