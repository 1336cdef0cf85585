/* Products in bfloat16 with float32 sums. Operands arrive and leave in float32; a block of A is
 * rounded to rows of pairs, B to panels in which a 32-bit word holds rows k and k+1 of a column (as
 * both AVX512-BF16 and AMX want it). Depths are padded to 32 with zeros. Three sets of tiles share
 * all the rest: AMX's, AVX-512's and plain C, which shows on any machine that the layouts are
 * right. Compiled with LANES=16 for the first two, LANES=4 for the last. */
#include "nn/kernels/vector.h"

#if LANES == 16
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum { PANEL = 64, COLUMNS = 1024, DEPTH = 512, BLOCK = 96, STEP = 32, SIDE = 16 };

typedef uint32_t Words __attribute__((vector_size(LANES * 4)));
typedef uint32_t LooseWords __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* To nearest, ties to even, as the processors' own instructions do; in the low half of each
 * word. */
static inline Words rounded(Vector v) {
  Words bits = (Words)v;
  return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

/* The same of one float. */
static inline uint32_t rounded_one(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

/* A word of two numbers that lie `step` floats apart; without a second one, its half is 0. */
static inline uint32_t pair_of(const float *p, size_t step, bool second) {
  return rounded_one(p[0]) | (second ? rounded_one(p[step]) << 16 : 0);
}
static inline void store_words(uint32_t *p, Words v) {
  *(LooseWords *)p = v;
}

/* Words of pairs (k, k+1) for LANES columns, from two rows of contiguous floats. */
static inline Words pairs(const float *first, const float *second) {
  return rounded(load(first)) | rounded(load(second)) << 16;
}

typedef uint16_t Halves __attribute__((vector_size(LANES * 2)));
typedef uint16_t LooseHalves __attribute__((vector_size(LANES * 2), aligned(2), may_alias));

/* Words of pairs from contiguous floats: nothing but the floats rounded, one after another. */
static inline void round_run(uint32_t *out, const float *in, size_t words) {
  size_t i = 0;
  for (; i + LANES <= 2 * words; i += LANES)
    *(LooseHalves *)((uint16_t *)(void *)out + i) =
        __builtin_convertvector(rounded(load(in + i)), Halves);
  for (i /= 2; i < words; i++)
    out[i] = pair_of(in + 2 * i, 1, true);
}

/* K padded to whole steps. */
static size_t deep(size_t K) {
  return (K + STEP - 1) / STEP * STEP;
}

/* Columns of a panel, padded to whole tiles. */
static size_t panel_width(size_t columns) {
  return (columns + SIDE - 1) / SIDE * SIDE;
}

/* --- packing --- */
/* Squares of LANES columns x LANES words, whose floats lie along k: rounded by twos, then
 * turned. */
static void pack_along_k(uint32_t *to, size_t width, const float *b, size_t b_column, size_t depth,
                         size_t columns) {
  uint32_t square[LANES * LANES] __attribute__((aligned(64)));
  size_t whole = depth / (2 * LANES) * LANES; /* words */
  for (size_t j = 0; j + LANES <= columns; j += LANES)
    for (size_t k = 0; k < whole; k += LANES) {
      for (size_t i = 0; i < LANES; i++)
        round_run(square + i * LANES, b + (j + i) * b_column + 2 * k, LANES);
      turn_square((float *)(to + k * width + j), width, (const float *)square, LANES);
    }
  for (size_t j = 0; j < columns; j++)
    for (size_t k = j / LANES * LANES + LANES <= columns ? whole : 0; 2 * k < depth; k++)
      to[k * width + j] = pair_of(b + j * b_column + 2 * k, 1, 2 * k + 1 < depth);
}

/* One panel of B (depth, columns), padded with zeros: to (deep(depth) / 2, width) words. Which of
 * B's strides is 1 decides how it is read. */
static void pack_panel(uint32_t *to, const float *b, size_t b_row, size_t b_column, size_t depth,
                       size_t columns) {
  size_t width = panel_width(columns);
  size_t words = deep(depth) / 2;
  if (columns < width || 2 * words > depth) memset(to, 0, words * width * sizeof *to);
  if (b_row == 1 && b_column != 1) {
    pack_along_k(to, width, b, b_column, depth, columns);
    return;
  }
  for (size_t k = 0; 2 * k < depth; k++) {
    const float *first = b + 2 * k * b_row;
    bool second = 2 * k + 1 < depth;
    size_t j = 0;
    for (; second && b_column == 1 && j + LANES <= columns; j += LANES)
      store_words(to + k * width + j, pairs(first + j, first + b_row + j));
    for (; j < columns; j++)
      to[k * width + j] = pair_of(first + j * b_column, b_row, second);
  }
}

/* Words of a packed B: the size of so many floats. */
static size_t packed_size(size_t K, size_t N) {
  return deep(K) / 2 * (N / PANEL * PANEL + panel_width(N % PANEL));
}

/* Panel after panel; each holds the whole depth. */
static void pack(float *packed, const float *b, size_t b_row, size_t b_column, size_t K, size_t N) {
  uint32_t *to = (uint32_t *)(void *)packed;
  for (size_t n = 0; n < N; n += PANEL) {
    size_t columns = N - n < PANEL ? N - n : PANEL;
    pack_panel(to, b + n * b_column, b_row, b_column, K, columns);
    to += deep(K) / 2 * panel_width(columns);
  }
}

/* Rows of A as words of pairs: out (rows padded to SIDE, depth / 2). */
static void round_rows(uint32_t *out, const Product *p, size_t row, size_t rows, size_t k0,
                       size_t depth) {
  size_t words = deep(depth) / 2;
  size_t padded = (rows + SIDE - 1) / SIDE * SIDE;
  const float *a = p->a + row * p->a_row + k0 * p->a_column;
  if (2 * words > depth || padded > rows) memset(out, 0, padded * words * sizeof *out);
  /* A lies along its rows: rounded by twos of k, then turned */
  if (p->a_row == 1 && p->a_column != 1) {
    uint32_t square[LANES * LANES] __attribute__((aligned(64)));
    size_t whole = depth / (2 * LANES) * LANES;
    size_t most = rows / LANES * LANES;
    for (size_t i = 0; i < most; i += LANES)
      for (size_t k = 0; k < whole; k += LANES) {
        for (size_t w = 0; w < LANES; w++) {
          const float *first = a + i + 2 * (k + w) * p->a_column;
          store_words(square + w * LANES, pairs(first, first + p->a_column));
        }
        turn_square((float *)(out + i * words + k), words, (const float *)square, LANES);
      }
    for (size_t i = 0; i < rows; i++)
      for (size_t k = i < most ? whole : 0; 2 * k < depth; k++)
        out[i * words + k] = pair_of(a + i + 2 * k * p->a_column, p->a_column, 2 * k + 1 < depth);
    return;
  }
  for (size_t i = 0; i < rows; i++) { /* lies along k */
    round_run(out + i * words, a + i * p->a_row, depth / 2);
    if (depth & 1) out[i * words + depth / 2] = pair_of(a + i * p->a_row + depth - 1, 1, false);
  }
}

/* --- products --- */
typedef struct Strip {
  const uint32_t *a; /* rows of `words` */
  const uint32_t *b; /* `words` rows of `width` */
  size_t words;
  size_t width;
} Strip;
/* c (rows, width) */
typedef void (*Tile)(float *c, const Strip *strip, size_t rows);

/* Blocked for the caches: DEPTH x COLUMNS of B, BLOCK rows of A, then tiles of `most` rows by a
 * panel. The first part of the depth overwrites the sums in c, later ones add, the last one applies
 * the epilogue. */
static inline void multiply_by(const Product *p, Tile tile, size_t most) {
  static _Thread_local uint32_t scratch[DEPTH / 2 * COLUMNS] __attribute__((aligned(64)));
  static _Thread_local uint32_t block[BLOCK * DEPTH / 2] __attribute__((aligned(64)));
  float sums[SIDE * PANEL] __attribute__((aligned(64)));
  const uint32_t *packed = p->packed;
  size_t all = deep(p->K) / 2;
  for (size_t n = 0; n < p->N; n += COLUMNS) {
    size_t end = p->N - n < COLUMNS ? p->N : n + COLUMNS;
    for (size_t k = 0; k < p->K || k == 0; k += DEPTH) {
      size_t depth = p->K - k < DEPTH ? p->K - k : DEPTH;
      size_t words = deep(depth) / 2;
      for (size_t j = n; !packed && j < end; j += PANEL)
        pack_panel(scratch + (j - n) * words, p->b + k * p->b_row + j * p->b_column, p->b_row,
                   p->b_column, depth, end - j < PANEL ? end - j : PANEL);
      for (size_t row = 0; row < p->M; row += BLOCK) {
        size_t rows = p->M - row < BLOCK ? p->M - row : BLOCK;
        round_rows(block, p, row, rows, k, depth);
        for (size_t j = n; j < end; j += PANEL) {
          Place at = {.column = j,
                      .columns = p->N - j < PANEL ? p->N - j : PANEL,
                      .first = k == 0,
                      .last = k + depth >= p->K};
          at.width = panel_width(at.columns);
          Strip strip = {.words = words, .width = at.width};
          strip.b = packed ? packed + j * all + k / 2 * at.width : scratch + (j - n) * words;
          for (size_t i = 0; i < rows; i += most) {
            at.row = row + i;
            at.rows = rows - i < most ? rows - i : most;
            strip.a = block + i * words;
            tile(sums, &strip, at.rows);
            finish_tile(p, &at, sums);
          }
        }
      }
    }
  }
}

#if LANES == 16
/* clang-format off */
#define TILE(rows, vectors)                                                                                            \
  static void tile_##rows##_##vectors(float *c, const Strip *s) {                                                      \
    __m512 sum[rows][vectors];                                                                                         \
    const uint32_t *a = s->a, *b = s->b;                                                                               \
    size_t words = s->words;                                                                                           \
    _Pragma("GCC unroll 16") for (int i = 0; i < rows; i++) _Pragma("GCC unroll 16") for (int j = 0; j < vectors; j++) \
        sum[i][j] = _mm512_setzero_ps();                                                                               \
    for (size_t k = 0; k < words; k++, b += vectors * LANES) {                                                         \
      __m512bh line[vectors];                                                                                          \
      _Pragma("GCC unroll 16") for (int j = 0; j < vectors; j++) line[j] =                                             \
          (__m512bh)_mm512_loadu_si512(b + j * LANES);                                                                 \
      _Pragma("GCC unroll 16") for (int i = 0; i < rows; i++) {                                                        \
        __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[(size_t)i * words + k]);                                       \
        _Pragma("GCC unroll 16") for (int j = 0; j < vectors; j++) sum[i][j] =                                         \
            _mm512_dpbf16_ps(sum[i][j], x, line[j]);                                                                   \
      }                                                                                                                \
    }                                                                                                                  \
    _Pragma("GCC unroll 16") for (int i = 0; i < rows; i++) _Pragma("GCC unroll 16") for (int j = 0; j < vectors; j++) \
        _mm512_storeu_ps(c + (i * vectors + j) * LANES, sum[i][j]);                                                    \
  }
#define UP_TO_6(DO, v) DO(1, v) DO(2, v) DO(3, v) DO(4, v) DO(5, v) DO(6, v)
#define ENTRY(rows, vectors) [rows] = tile_##rows##_##vectors,
UP_TO_6(TILE, 1) UP_TO_6(TILE, 2) UP_TO_6(TILE, 3) UP_TO_6(TILE, 4)

/* Picks the tile of that many rows and vectors, in which all sums stay in registers. */
static void avx512_tile(float *c, const Strip *strip, size_t rows) {
  static void (*const tiles[5][7])(float *, const Strip *) = {
      {NULL}, {UP_TO_6(ENTRY, 1)}, {UP_TO_6(ENTRY, 2)}, {UP_TO_6(ENTRY, 3)}, {UP_TO_6(ENTRY, 4)}};
  tiles[strip->width / LANES][rows](c, strip);
}
/* clang-format on */
static void avx512_multiply(const Product *p) {
  multiply_by(p, avx512_tile, 6);
}

/* Only where it is twice as fast as float32: AMD's; Intel's first processors with it run it at half
 * the rate. */
static bool avx512_supported(void) {
  unsigned a;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512vl")) return false;
  return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx;
}

/* Sums in tiles 0..3 (16 x 16 each), A in 4, B in 5; 32 values of k a step. Rows beyond `rows` are
 * zeros of the block. */
static void amx_tile(float *c, const Strip *s, size_t rows) {
  (void)rows;
  size_t steps = s->words / SIDE;
  size_t vectors = s->width / SIDE;
  const uint32_t *a = s->a;
  const uint32_t *b = s->b;
  size_t a_bytes = s->words * 4;
  size_t b_bytes = s->width * 4;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (size_t k = 0; k < steps; k++, a += SIDE, b += SIDE * s->width) {
    _tile_loadd(4, a, a_bytes);
    _tile_loadd(5, b, b_bytes);
    _tile_dpbf16ps(0, 4, 5);
    if (vectors < 2) continue;
    _tile_loadd(6, b + SIDE, b_bytes);
    _tile_dpbf16ps(1, 4, 6);
    if (vectors < 3) continue;
    _tile_loadd(5, b + 2 * SIDE, b_bytes);
    _tile_dpbf16ps(2, 4, 5);
    if (vectors < 4) continue;
    _tile_loadd(6, b + 3 * SIDE, b_bytes);
    _tile_dpbf16ps(3, 4, 6);
  }
  _tile_stored(0, c, b_bytes);
  if (vectors > 1) _tile_stored(1, c + SIDE, b_bytes);
  if (vectors > 2) _tile_stored(2, c + 2 * SIDE, b_bytes);
  if (vectors > 3) _tile_stored(3, c + 3 * SIDE, b_bytes);
}

/* Tiles are configured for each product and released after it: no state of theirs outlives a
 * product. */
static void amx_multiply(const Product *p) {
  struct {
    uint8_t palette;
    uint8_t start;
    uint8_t reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } config __attribute__((aligned(64))) = {.palette = 1};
  for (int t = 0; t < 8; t++) {
    config.bytes[t] = 64;
    config.rows[t] = SIDE;
  }
  _tile_loadconfig(&config);
  multiply_by(p, amx_tile, SIDE);
  _tile_release();
}

/* The kernel must be asked for the tiles' state (Linux 5.16). */
static bool amx_supported(void) {
  unsigned a;
  unsigned b;
  unsigned c;
  unsigned d = 0;
  enum { REQUEST = 0x1023, TILE_DATA = 18 };
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) || !(d >> 24 & 1)) return false;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw")) return false;
  return syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

const Bf16Kernels bf16_amx = {"amx", amx_supported, amx_multiply, packed_size, pack};
const Bf16Kernels bf16_avx512 = {"avx512bf16", avx512_supported, avx512_multiply, packed_size,
                                 pack};
#else
/* bfloat16 is the upper half of a float32. */
static float half_of(uint32_t word, int second) {
  uint32_t bits = second ? word & 0xffff0000u : word << 16;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

/* What the other tiles compute, in plain C, for any rows and width. */
static void plain_tile(float *c, const Strip *s, size_t rows) {
  memset(c, 0, rows * s->width * sizeof *c);
  for (size_t i = 0; i < rows; i++)
    for (size_t k = 0; k < s->words; k++)
      for (int second = 0; second < 2; second++) {
        float x = half_of(s->a[i * s->words + k], second);
        for (size_t j = 0; j < s->width; j++)
          c[i * s->width + j] += x * half_of(s->b[k * s->width + j], second);
      }
}
static void plain_multiply(const Product *p) {
  multiply_by(p, plain_tile, SIDE);
}
static bool plain_supported(void) {
  return true;
}
const Bf16Kernels bf16_plain = {"plain", plain_supported, plain_multiply, packed_size, pack};
#endif
