/* Networks that several agents share, and what they are told of whose rows they see; networks whose outputs are worths. */
#include "check.h"

#include "nn/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Five agents of two teams and three kinds. */
static const uint8_t team_of[] = {0, 1, 0, 0, 1};
static const uint8_t kind_of[] = {1, 0, 1, 2, 0};
static const AgonEnvSpec spec = {.agents = 5, .teams = 2, .team_of = team_of, .kinds = 3, .kind_of = kind_of};
static const uint32_t place[] = {0, 0, 1, 2, 1}; /* of each within its team */
static const uint32_t head_size[] = {3};
enum { NOBODY = -1 };

static AgonKind layout_of(AgonElement type, uint32_t channels, uint32_t height, uint32_t width) {
  return (AgonKind){.observation_type = type,
                    .observation_shape = {channels, height, width},
                    .action_kind = AGON_DISCRETE,
                    .heads = 1,
                    .head_size = head_size};
}

static const uint32_t rows_of[] = {3, 0, UINT32_MAX, 4, 2, 1}; /* whose the rows of the tests are */
enum { R = 6 };

/* A network with its weights and room for R rows. */
typedef struct Table {
  Net *net;
  Activations space;
  float *block, *packed;
  float logits[R * 3], value[R], states[R * 32];
  Sequences seq;
} Table;

static void open_table(Table *t, const NetConfig *config, const AgonKind *layout) {
  CHECK_OK(net_create(config, layout, &spec, &t->net));
  CHECK_OK(activations_create(&t->net->graph, R, true, &t->space));
  t->block = calloc(t->net->block, sizeof *t->block);
  t->packed = net_pack_create(t->net, true);
  net_init(t->net, 1, 0, t->block);
  memset(t->states, 0, sizeof t->states);
  t->seq = (Sequences){.B = R, .T = 1, .states = t->states, .S = t->net->graph.state_size};
}

static void close_table(Table *t) {
  activations_destroy(&t->space);
  free(t->block), free(t->packed);
  net_destroy(t->net);
}

static void run(Table *t, const void *rows, const uint32_t *agents) {
  net_pack(t->net, t->block, true, t->packed);
  net_load(t->net, rows, agents, R, &t->space);
  net_forward(t->net, t->block, t->packed, &t->space, &t->seq, t->logits, t->value, NULL);
}

/* What stands behind the observation in row r, `span` numbers for each identity: ones for `id` alone. */
static void check_id(const float *at, size_t ids, size_t span, int id, size_t r) {
  for (size_t i = 0; i < ids * span; i++)
    if (at[i] != (id >= 0 && i / span == (size_t)id ? 1.0f : 0.0f)) fail_msg("row %zu: number %zu of its id is %g", r, i, (double)at[i]);
}

static int id_of(int how, size_t r) {
  if (rows_of[r] == UINT32_MAX) return NOBODY;
  return (int)(how == ID_KIND ? kind_of[rows_of[r]] : place[rows_of[r]]);
}

/* Numbers, planes of bytes, and boards that are given by their ones: in each the input says the same of the agent, and
 * the observation is what it was. */
static void the_input_says_whose_a_row_is(void **state) {
  (void)state;
  for (int how = ID_AGENT; how <= ID_KIND; how++)
    for (int form = 0; form < 3; form++) {
      NetConfig config = {.hidden = {{8}, 1}, .init_gain = 1.4, .agent_id = how, .normalise_observations = form == 0};
      if (form == 1) config.conv = (IntList){{2}, 1}, config.conv_kernel = 3, config.conv_stride = 1, config.conv_pad = 1;
      AgonKind layout = layout_of(form == 0 ? AGON_F32 : AGON_U8, form == 0 ? 4 : 2, form == 0 ? 1 : 3, form == 0 ? 1 : 2);
      size_t N = form == 0 ? 4 : 12, span = form == 1 ? 6 : 1;
      Table t;
      open_table(&t, &config, &layout);
      assert_int_equal(t.net->ids, 3); /* the largest team, and the kinds */
      assert_int_equal(t.net->graph.width[0], N + 3 * span);
      float numbers[R * 4];
      uint8_t bytes[R * 12] = {0};
      for (int i = 0; i < R * 4; i++) numbers[i] = (float)i - 7.5f;
      for (int r = 0; r < R; r++) bytes[r * 12 + r] = form == 1 ? 7 : 1;
      run(&t, form == 0 ? (const void *)numbers : bytes, rows_of);
      assert_true(t.space.ones == (form == 2));
      float dense[R * 30] = {0};
      for (size_t r = 0; form == 2 && r < R; r++)
        for (uint32_t i = t.space.first[r]; i < t.space.first[r + 1]; i++) dense[r * (N + 3) + t.space.column[i]]++;
      const float *input = form == 2 ? dense : t.space.value[0];
      for (size_t r = 0; r < R; r++) {
        const float *row = input + r * (N + 3 * span);
        for (size_t i = 0; i < N; i++) assert_true(row[i] == (form == 0 ? numbers[r * N + i] : (float)bytes[r * N + i]));
        check_id(row + N, 3, span, id_of(how, r), r);
        if (form == 0) check_id(t.space.value[1] + r * 7 + N, 3, 1, id_of(how, r), r); /* the normaliser lets it be */
      }
      /* given by their ones, boards come to what they come to in full */
      if (form == 2) {
        float logits[R * 3];
        memcpy(logits, t.logits, sizeof logits);
        memcpy(t.space.value[0], dense, sizeof(float) * R * (N + 3));
        t.space.ones = false;
        net_forward(t.net, t.block, NULL, &t.space, &t.seq, t.logits, t.value, NULL);
        for (int i = 0; i < R * 3; i++) CHECK_NEAR(t.logits[i], logits[i], 1e-6);
      }
      close_table(&t);
    }
}

/* Numbers, planes, boards by their ones, with and without ids, of two heads; and box actions: a network that is told
 * what was done last makes of a row what one does that sees it as a part of the observation. Where nothing was done, or
 * what is remembered is no choice, it sees zeros. Copies of their own see the same. */
static void what_was_done_last_is_seen(void **state) {
  (void)state;
  static const uint32_t two[] = {3, 2};
  for (int form = 0; form < 4; form++)
    for (int ids = 0; ids < 3; ids++) {
      const bool box = form == 3, planes = form == 1, bytes = form == 1 || form == 2;
      NetConfig config = {.hidden = {{8}, 1},
                          .init_gain = 1.4,
                          .activation = 1,
                          .memory = 1,
                          .memory_size = 6,
                          .agent_id = ids ? ID_AGENT : ID_NONE,
                          .sharing = ids == 2 ? SHARE_NONE : SHARE_ALL,
                          .last_action = true};
      if (planes) config.conv = (IntList){{2}, 1}, config.conv_kernel = 3, config.conv_stride = 1, config.conv_pad = 1;
      AgonKind layout = layout_of(bytes ? AGON_U8 : AGON_F32, bytes ? 2 : 4, bytes ? 3 : 1, bytes ? 2 : 1);
      layout.heads = 2;
      layout.head_size = box ? NULL : two;
      layout.action_kind = box ? AGON_BOX : AGON_DISCRETE;
      const size_t N = bytes ? 12 : 4, span = planes ? 6 : 1, more = box ? 2 : 5, P = ids ? 3 : 0;
      Table t;
      open_table(&t, &config, &layout);
      assert_true(t.net->lasts == 2 && t.net->last_inputs == more && t.net->recurrent == 6);
      assert_int_equal(t.net->graph.state_size, 8);
      assert_int_equal(t.net->graph.width[0], N + (P + more) * span);
      uint8_t board[R * 12] = {0};
      float numbers[R * 4], memory[R * 8], seen[R * 5] = {0};
      for (int i = 0; i < R * 4; i++) numbers[i] = .1f * (float)i - 1.2f;
      for (int r = 0; r < R; r++) board[r * 12 + r] = planes ? 7 : 1;
      for (size_t r = 0; r < R; r++) {
        AgonAction done[2] = {{.choice = (int32_t)r % 3}, {.choice = (int32_t)r % 2}};
        if (box) done[0].value = .3f * (float)r, done[1].value = -.7f;
        for (size_t i = 0; i < 8; i++) memory[r * 8 + i] = i < 6 ? .1f * (float)(i + r) : 0;
        if (r == 0) continue; /* nothing yet */
        net_remember(t.net, done, memory + r * 8);
        for (size_t i = 0; i < 6; i++) assert_true(memory[r * 8 + i] == .1f * (float)(i + r));
        if (box) memcpy(seen + r * 5, done, sizeof done);
        if (!box) seen[r * 5 + r % 3] = seen[r * 5 + 3 + r % 2] = 1;
        if (r != 5 || box) continue;
        memory[r * 8 + 6] = 1e9f; /* no choice */
        memory[r * 8 + 7] = -1;
        memset(seen + r * 5, 0, 5 * sizeof *seen);
      }
      const NetInput input = {.rows = bytes ? (const void *)board : numbers,
                              .agents = ids ? rows_of : NULL,
                              .last = memory + t.net->recurrent,
                              .last_step = 8};
      net_load_input(t.net, &input, R, &t.space);
      assert_true(t.space.ones == (form == 2));
      const size_t width = t.net->graph.width[0];
      float dense[R * 60] = {0};
      for (size_t at = 0; form == 2 && at < R; at++)
        for (uint32_t i = t.space.first[at]; i < t.space.first[at + 1]; i++) dense[at * width + t.space.column[i]]++;
      const float *rows = form == 2 ? dense : t.space.value[0];
      for (size_t at = 0; at < R; at++) {
        const size_t r = t.net->copies > 1 ? t.space.source[at] : at;
        const float *row = rows + at * width;
        for (size_t i = 0; i < N; i++)
          assert_true(row[i] == (bytes ? (float)board[r * N + i] : numbers[r * N + i]));
        for (size_t i = 0; i < more * span; i++)
          if (row[N + P * span + i] != seen[r * 5 + i / span])
            fail_msg("form %d, row %zu: number %zu of what was done is %g", form, r, i, (double)row[N + P * span + i]);
      }
      /* what it gives depends on it, and the graph leaves it alone where it is remembered */
      float other[R * 8], value[R], moved[R * 8];
      memset(other, 0, sizeof other);
      for (size_t i = 0; i < R * 8; i++) moved[i] = 77;
      t.seq.states = memory;
      net_pack(t.net, t.block, true, t.packed);
      net_forward(t.net, t.block, t.packed, &t.space, &t.seq, NULL, value, moved);
      for (size_t r = 0; r < R; r++) assert_true(moved[r * 8] != 77 && moved[r * 8 + 5] != 77);
      net_load(t.net, input.rows, input.agents, R, &t.space);
      net_forward(t.net, t.block, t.packed, &t.space, &t.seq, NULL, t.value, NULL);
      for (size_t r = 0; r < R; r++) {
        bool same = r == 0 || (r == 5 && !box);
        if (ids == 2 && rows_of[r] == UINT32_MAX) continue;
        if (same != (t.value[r] == value[r])) fail_msg("form %d, ids %d, row %zu: %.9g, %.9g", form, ids, r, (double)t.value[r], (double)value[r]);
      }
      close_table(&t);
    }
}

/* The same observation, told apart by the agent alone. */
static void agents_that_see_the_same_can_differ(void **state) {
  (void)state;
  for (int how = ID_NONE; how <= ID_KIND; how++) {
    NetConfig config = {.hidden = {{8}, 1}, .init_gain = 1.4, .agent_id = how};
    AgonKind layout = layout_of(AGON_F32, 4, 1, 1);
    float rows[R * 4];
    for (int i = 0; i < R * 4; i++) rows[i] = 1;
    Table t;
    open_table(&t, &config, &layout);
    assert_true(net_wants_agents(t.net) == (how != ID_NONE));
    run(&t, rows, how == ID_NONE ? NULL : rows_of);
    for (size_t r = 0; r < R; r++)
      for (size_t q = 0; q < R; q++) {
        bool alike = how == ID_NONE || id_of(how, r) == id_of(how, q);
        assert_true(alike == (t.value[r] == t.value[q]));
      }
    close_table(&t);
  }
}

/* Sum of outputs by weights of their own. */
static double mixed(Table *t, const void *rows, const float *d_logits, const float *d_value) {
  double sum = 0;
  run(t, rows, rows_of);
  for (int i = 0; i < R * 3; i++) sum += (double)t->logits[i] * (double)d_logits[i];
  for (int i = 0; i < R; i++) sum += (double)t->value[i] * (double)d_value[i];
  return sum;
}

static void check_gradient(const NetConfig *config) {
  AgonKind layout = layout_of(AGON_F32, 4, 1, 1);
  AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
  float rows[R * 4], d_logits[R * 3], d_value[R];
  Table t;
  open_table(&t, config, &layout);
  for (int i = 0; i < R * 4; i++) rows[i] = (float)rng_normal(&rng);
  for (int i = 0; i < R * 3; i++) d_logits[i] = (float)rng_normal(&rng);
  for (int i = 0; i < R; i++) d_value[i] = (float)rng_normal(&rng);
  size_t trained = t.net->trained;
  float *gradient = calloc(trained, sizeof *gradient);
  size_t moved = 0, params = 0;
  for (size_t i = 0; i < trained; i++)
    if (i % t.net->stride < t.net->graph.params) t.block[i] = 0.4f * (float)rng_normal(&rng);
  run(&t, rows, rows_of);
  net_backward(t.net, t.block, t.packed, gradient, &t.space, &t.seq, d_logits, d_value, NULL, NULL);
  for (size_t i = 0; i < trained; i++) {
    if (i % t.net->stride >= t.net->graph.params) { /* constants between two copies */
      assert_true(gradient[i] == 0);
      continue;
    }
    float at = t.block[i], step = 0.01f;
    t.block[i] = at + step;
    double up = mixed(&t, rows, d_logits, d_value);
    t.block[i] = at - step;
    double down = mixed(&t, rows, d_logits, d_value);
    t.block[i] = at;
    CHECK_NEAR(gradient[i], (up - down) / (2 * (double)step), 2e-3 * (1 + fabs((double)gradient[i])));
    moved += gradient[i] != 0;
    params++;
  }
  assert_true(moved > params / 3);
  free(gradient);
  close_table(&t);
}

static void gradients_with_identities_and_copies(void **state) {
  (void)state;
  for (int sharing = SHARE_ALL; sharing <= SHARE_NONE; sharing++)
    for (int how = ID_NONE; how <= ID_KIND; how++)
      for (int memory = 0; memory < 2; memory++)
        check_gradient(&(NetConfig){.hidden = {{6}, 1},
                                    .activation = 1,
                                    .init_gain = 1.4,
                                    .agent_id = how,
                                    .sharing = sharing,
                                    .memory = memory,
                                    .memory_size = 5,
                                    .normalise_observations = true});
}

/* Offsets from which a gradient is complete, as they are told. */
typedef struct Told {
  size_t last, count;
} Told;

static void told(void *context, size_t offset) {
  Told *at = context;
  assert_true(at->count == 0 || offset < at->last);
  at->last = offset;
  at->count++;
}

/* Three sequences of two steps, of the first and the last of three copies: each comes to what a network of that copy's
 * weights alone makes of it, and its gradient is in that copy's place only. */
static void copies_are_networks_of_their_own(void **state) {
  (void)state;
  enum { B = 3, T = 2, S = 10 };
  static const uint32_t agents[B * T] = {3, 0, 0, 3, 0, 0}; /* places 2, 0, 0; nobody is at place 1 */
  static const uint32_t copy[B] = {2, 0, 0};
  static const int32_t restart[B * T] = {1, 0, 2, -1, 3, -1};
  static const uint8_t hold[B * T] = {0, 0, 1, 0, 0, 0};
  for (int memory = 1; memory < 3; memory++)
    for (int bytes = 0; bytes < 2; bytes++) {
      NetConfig config = {.hidden = {{6}, 1},
                          .activation = 1,
                          .init_gain = 1.4,
                          .sharing = SHARE_NONE,
                          .agent_id = ID_AGENT,
                          .memory = memory,
                          .memory_size = memory == 1 ? S : S / 2};
      AgonKind layout = layout_of(bytes ? AGON_U8 : AGON_F32, 12, 1, 1);
      AgonRng rng = rng_stream(6, 0, 0, RNG_TEST);
      float rows[R * 12], states[4 * S], d_logits[R * 3], d_value[R], next[B * S];
      uint8_t ones[R * 12] = {0};
      const void *input = bytes ? (const void *)ones : rows;
      Table t, one;
      open_table(&t, &config, &layout);
      assert_int_equal(t.net->copies, 3);
      assert_int_equal(t.net->block, 3 * (t.net->graph.params + t.net->graph.constants));
      config.sharing = SHARE_ALL;
      open_table(&one, &config, &layout);
      assert_int_equal(one.net->block, t.net->stride);
      assert_memory_equal(one.block, t.block, t.net->stride * sizeof(float)); /* the first is as without others */
      assert_true(memcmp(t.block, t.block + t.net->stride, t.net->graph.params * sizeof(float)) != 0);
      for (int i = 0; i < R * 12; i++) rows[i] = (float)rng_normal(&rng);
      for (int r = 0; r < R; r++) ones[r * 12 + 2 * r] = 1;
      for (int i = 0; i < 4 * S; i++) states[i] = 0.5f * (float)rng_normal(&rng);
      for (int i = 0; i < R * 3; i++) d_logits[i] = (float)rng_normal(&rng);
      for (int i = 0; i < R; i++) d_value[i] = (float)rng_normal(&rng);
      float *gradient = calloc(t.net->trained, sizeof *gradient), *expected = calloc(t.net->trained, sizeof *expected);
      Told done = {0};
      t.seq = (Sequences){.B = B, .T = T, .restart = restart, .states = states, .S = S, .hold = hold};
      net_pack(t.net, t.block, true, t.packed);
      net_load(t.net, input, agents, R, &t.space);
      assert_true(t.space.ones == (bytes != 0));
      net_forward(t.net, t.block, t.packed, &t.space, &t.seq, t.logits, t.value, next);
      net_backward(t.net, t.block, t.packed, gradient, &t.space, &t.seq, d_logits, d_value, told, &done);
      assert_true(done.count > 3 && done.last == 0);
      for (uint32_t b = 0; b < B; b++) {
        float row[T * 12], logits[T * 3], value[T], after[S], d[T * 3], dv[T];
        uint8_t byte[T * 12];
        int32_t from[T];
        uint8_t held[T];
        const uint32_t who[T] = {agents[b], agents[b]};
        for (uint32_t s = 0; s < T; s++) {
          uint32_t r = s * B + b;
          memcpy(row + s * 12, rows + r * 12, sizeof(float) * 12);
          memcpy(byte + s * 12, ones + r * 12, 12);
          memcpy(d + s * 3, d_logits + r * 3, sizeof(float) * 3);
          dv[s] = d_value[r], from[s] = restart[r], held[s] = hold[r];
        }
        const float *own = t.block + copy[b] * t.net->stride;
        one.seq = (Sequences){.B = 1, .T = T, .restart = from, .states = states, .S = S, .hold = held};
        net_pack(one.net, own, true, one.packed);
        net_load(one.net, bytes ? (const void *)byte : row, who, T, &one.space);
        net_forward(one.net, own, one.packed, &one.space, &one.seq, logits, value, after);
        net_backward(one.net, own, one.packed, expected + copy[b] * t.net->stride, &one.space, &one.seq, d, dv, NULL,
                     NULL);
        for (uint32_t s = 0; s < T; s++) {
          CHECK_NEAR(t.value[s * B + b], value[s], 1e-5);
          for (int i = 0; i < 3; i++) CHECK_NEAR(t.logits[(s * B + b) * 3 + (uint32_t)i], logits[s * 3 + (uint32_t)i], 1e-5);
        }
        for (int i = 0; i < S; i++) CHECK_NEAR(next[b * S + (uint32_t)i], after[i], 1e-5);
      }
      for (size_t i = 0; i < t.net->trained; i++) CHECK_NEAR(gradient[i], expected[i], 1e-4);
      /* acting: a state for each row, and what comes after it where it was */
      t.seq = (Sequences){.B = B, .T = 1, .states = states, .S = S};
      net_load(t.net, input, agents, B, &t.space);
      net_forward(t.net, t.block, t.packed, &t.space, &t.seq, t.logits, t.value, next);
      for (uint32_t b = 0; b < B; b++) {
        float after[S], value;
        const float *own = t.block + copy[b] * t.net->stride;
        one.seq = (Sequences){.B = 1, .T = 1, .states = states + b * S, .S = S};
        net_pack(one.net, own, true, one.packed);
        net_load(one.net, bytes ? (const void *)(ones + b * 12) : rows + b * 12, agents + b, 1, &one.space);
        net_forward(one.net, own, one.packed, &one.space, &one.seq, NULL, &value, after);
        CHECK_NEAR(t.value[b], value, 1e-5);
        for (int i = 0; i < S; i++) CHECK_NEAR(next[b * S + (uint32_t)i], after[i], 1e-5);
      }
      free(gradient), free(expected);
      close_table(&t);
      close_table(&one);
    }
}

/* Each head by itself: any available choice with epsilon, the best with the rest, of equals the first. */
static void the_best_is_chosen_but_for_epsilon(void **state) {
  (void)state;
  static const uint32_t sizes[] = {4, 3, 2};
  const AgonKind layout = {.action_kind = AGON_MULTI_DISCRETE, .heads = 3, .head_size = sizes};
  const ActionSpace space = action_space(&layout);
  const float q[9] = {5, 1, 2, 2, -3, -1, -1, 0, 7};
  const uint8_t mask[9] = {0, 1, 1, 1, 1, 1, 1, 0, 0};
  const float epsilons[] = {0, 0.1f, 1};
  for (int e = 0; e < 3; e++) {
    double each[3] = {(double)epsilons[e] / 3, (double)epsilons[e] / 3, 0};
    /* the first head's best, 5, is not to be had, and two are as good; the last head has nothing at all */
    const double best[9] = {0, 0, 1, 0, 0, 1, 0, 0, 0};
    float row[9], p[9];
    dist_greedy(&space, q, mask, epsilons[e], row);
    dist_probabilities(&space, row, 1, p);
    for (int i = 0; i < 9; i++) {
      int h = i < 4 ? 0 : i < 7 ? 1 : 2;
      double expected = mask[i] ? each[h] + best[i] * (1 - (double)epsilons[e]) : 0;
      CHECK_NEAR(p[i], expected, 1e-6);
      if (expected > 0) CHECK_NEAR(row[i], log(expected), 1e-5);
      if (expected <= 0) assert_true(row[i] == -1e30f);
    }
    memcpy(p, q, sizeof p); /* in place, and without a mask */
    dist_greedy(&space, p, NULL, epsilons[e], p);
    CHECK_NEAR(p[0], log(1 - (double)epsilons[e] + (double)epsilons[e] / 4), 1e-5);
    assert_true(p[8] > p[7] || epsilons[e] >= 1);
  }
  CHECK_NEAR(dist_best(&space, q, mask), 2 - 1 + 0, 0);
  CHECK_NEAR(dist_best(&space, q, NULL), 5 - 1 + 7, 0);
}

/* Only blocks of networks whose outputs are worths hold an epsilon: all others are what they were. */
static void epsilon_is_part_of_the_block(void **state) {
  (void)state;
  AgonKind layout = layout_of(AGON_F32, 4, 1, 1);
  NetConfig config = {.hidden = {{8}, 1}, .init_gain = 1.4};
  Net *net[2];
  for (int i = 0; i < 2; i++) {
    config.rule = i ? RULE_GREEDY_Q : RULE_SOFTMAX;
    CHECK_OK(net_create(&config, &layout, &spec, &net[i]));
  }
  assert_int_equal(net[1]->block, net[0]->block + 1);
  assert_int_equal(net[0]->block, net[0]->graph.params + net[0]->graph.constants);
  float block[512], before[512];
  for (int i = 0; i < 512; i++) before[i] = block[i] = (float)i;
  net_set_epsilon(net[0], block, 0.25f);
  assert_memory_equal(block, before, sizeof block);
  assert_true(net_epsilon(net[0], block) == 0);
  net_set_epsilon(net[1], block, 0.25f);
  assert_true(net_epsilon(net[1], block) == 0.25f && block[net[1]->block - 1] == 0.25f);
  net_init(net[1], 1, 0, block);
  assert_true(net_epsilon(net[1], block) == 0);
  for (int i = 0; i < 2; i++) net_destroy(net[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_input_says_whose_a_row_is),
      cmocka_unit_test(what_was_done_last_is_seen),
      cmocka_unit_test(agents_that_see_the_same_can_differ),
      cmocka_unit_test(gradients_with_identities_and_copies),
      cmocka_unit_test(copies_are_networks_of_their_own),
      cmocka_unit_test(the_best_is_chosen_but_for_epsilon),
      cmocka_unit_test(epsilon_is_part_of_the_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
