/* What agents of a team tell one another: the ops with their gradients, whom each hears, and that
 * who acts, who learns and who is asked all come to the same. */
#include "check.h"
#include "learn.h"

#include "actors/recorder.h"
#include "agent/contestant.h"
#include "learner/train/passes.h"

#include <math.h>

enum { N = 4, TEAMS = 3, R = N * TEAMS };

static float noise(AgonRng *rng) {
  return (float)rng_normal(rng);
}

/* Who hears whom: nobody hears the first agent of the first team, whose second hears nobody. */
static void draw_links(AgonRng *rng, float links[R * N]) {
  for (size_t r = 0; r < R; r++)
    for (size_t j = 0; j < N; j++)
      links[r * N + j] = r % N != j && r != 1 && (r / N || j) && rng_below(rng, 3) > 0;
}

/* --- ops --- */

/* A graph of one op, whose inputs but the links are asked for their gradients. */
typedef struct Talk {
  Graph graph;
  Activations space;
  float input[4][R * 5], links[R * N], weight[R * 5];
  int tensor[4], out;
  size_t inputs;
} Talk;

static double talk_loss(Talk *talk) {
  const Sequences seq = {.B = R, .T = 1};
  double sum = 0;
  memcpy(talk->space.value[0], talk->links, sizeof talk->links);
  for (size_t k = 1; k < talk->inputs; k++)
    memcpy(talk->space.value[talk->tensor[k]], talk->input[k],
           R * talk->graph.width[talk->tensor[k]] * sizeof(float));
  graph_forward(&talk->graph, NULL, NULL, &talk->space, &seq, NULL);
  for (size_t i = 0; i < R * talk->graph.width[talk->out]; i++)
    sum += (double)talk->weight[i] * (double)talk->space.value[talk->out][i];
  return sum;
}

static void open_talk(Talk *talk, bool attention, size_t top) {
  AgonRng rng = rng_stream(3, attention, (uint32_t)top, RNG_TEST);
  static const size_t width[4] = {N, 3, 3, 5};
  *talk = (Talk){.inputs = attention ? 4 : 2};
  graph_begin_team(&talk->graph, N, N, LEVEL_AGENT);
  for (size_t k = 1; k < talk->inputs; k++) {
    talk->tensor[k] = graph_input(&talk->graph, width[k], LEVEL_AGENT);
    graph_want_gradient(&talk->graph, talk->tensor[k]);
    for (size_t i = 0; i < R * width[k]; i++)
      talk->input[k][i] = noise(&rng);
  }
  const int *at = talk->tensor;
  talk->out = attention ? graph_attend(&talk->graph, 0, at[1], at[2], at[3], top)
                        : graph_mix(&talk->graph, 0, at[1]);
  assert_true(talk->out > 0);
  graph_finish(&talk->graph);
  CHECK_OK(activations_create(&talk->graph, R, true, &talk->space));
  draw_links(&rng, talk->links);
  for (size_t i = 0; i < R * 5; i++)
    talk->weight[i] = noise(&rng);
}

/* Those of all inputs, which are written whatever stood there. */
static void messages_have_the_gradients_of_their_outputs(void **state) {
  (void)state;
  for (int attention = 0; attention < 2; attention++)
    for (size_t top = 0; top < (attention ? 4u : 1u); top++) {
      const Sequences seq = {.B = R, .T = 1};
      Talk *talk = calloc(1, sizeof *talk);
      size_t moved = 0;
      open_talk(talk, attention, top);
      talk_loss(talk);
      for (size_t k = 1; k < talk->inputs; k++)
        for (size_t i = 0; i < R * talk->graph.width[talk->tensor[k]]; i++)
          talk->space.grad[talk->tensor[k]][i] = NAN;
      memcpy(talk->space.grad[talk->out], talk->weight,
             R * talk->graph.width[talk->out] * sizeof(float));
      graph_backward(&talk->graph, NULL, NULL, NULL, &talk->space, &seq, NULL, NULL);
      for (size_t k = 1; k < talk->inputs; k++)
        for (size_t i = 0; i < R * talk->graph.width[talk->tensor[k]]; i++) {
          const float step = 2e-3f, here = talk->input[k][i];
          float gradient = talk->space.grad[talk->tensor[k]][i];
          talk->input[k][i] = here + step;
          double up = talk_loss(talk);
          talk->input[k][i] = here - step;
          double down = talk_loss(talk);
          talk->input[k][i] = here;
          CHECK_NEAR(gradient, (up - down) / (2 * (double)step), 3e-3);
          moved += fabsf(gradient) > 1e-3f;
        }
      assert_true(moved > R);
      activations_destroy(&talk->space);
      free(talk);
    }
}

/* By the definition, in doubles: shares over those who are heard, of which only the best count. */
static void attention_follows_its_definition(void **state) {
  (void)state;
  for (size_t top = 0; top < 4; top++) {
    Talk *talk = calloc(1, sizeof *talk);
    open_talk(talk, true, top);
    memcpy(talk->input[2] + 2 * 3, talk->input[2] + 3 * 3,
           3 * sizeof(float)); /* equal keys: the first counts */
    talk_loss(talk);
    for (size_t r = 0; r < R; r++) {
      double score[N], share[N] = {0}, sum = 0;
      size_t first = r / N * N;
      for (size_t j = 0; j < N; j++) {
        score[j] = 0;
        for (size_t d = 0; d < 3; d++)
          score[j] += (double)talk->input[1][r * 3 + d] *
                      (double)talk->input[2][(first + j) * 3 + d] / sqrt(3);
      }
      for (size_t j = 0; j < N; j++) {
        size_t better = 0;
        if (talk->links[r * N + j] <= 0) continue;
        for (size_t l = 0; l < N; l++)
          better += talk->links[r * N + l] > 0 &&
                    (score[l] > score[j] || (score[l] >= score[j] && l < j));
        if (top == 0 || better < top) sum += share[j] = exp(score[j]);
      }
      for (size_t w = 0; w < 5; w++) {
        double expected = 0;
        for (size_t j = 0; j < N && sum > 0; j++)
          expected += share[j] / sum * (double)talk->input[3][(first + j) * 5 + w];
        CHECK_NEAR(talk->space.value[talk->out][r * 5 + w], expected, 1e-5);
      }
    }
    activations_destroy(&talk->space);
    free(talk);
  }
}

/* The mean of those who are heard; 0 where nobody is. What nobody hears may be anything. */
static void the_mean_is_of_whom_one_hears(void **state) {
  (void)state;
  const float links[4 * 2] = {0, 1, 0, 0, 0, 1, 1, 0}, said[4] = {NAN, 2, 5, 7},
                        both[3 * 3] = {0, 1, 1, 1, 0, 1, 0, 0, 0};
  float y[4], three[3];
  mix_forward(y, links, said, 4, 2, 1);
  assert_true(y[0] == 2 && y[1] == 0 && y[2] == 7 && y[3] == 5);
  mix_forward(three, both, said + 1, 3, 3, 1);
  assert_true(three[0] == 6 && three[1] == 4.5f && three[2] == 0);
}

/* --- networks --- */

enum { OWN = 5, CHOICES = 3, AGENTS = 7 };
static const uint32_t head_size[] = {CHOICES};
static const uint8_t team_of[AGENTS] = {0, 1, 0, 0, 1, 1, 0}; /* a team of four, and one of three */
static const uint8_t kind_of[AGENTS] = {0};
static const AgonKind layout = {.observation_type = AGON_F32,
                                .observation_shape = {OWN, 1, 1},
                                .action_kind = AGON_DISCRETE,
                                .heads = 1,
                                .head_size = head_size};
static const AgonEnvSpec spec = {.agents = AGENTS,
                                 .teams = 2,
                                 .team_of = team_of,
                                 .kinds = 1,
                                 .kind = &layout,
                                 .kind_of = kind_of};

static NetConfig talking(int kind, int64_t rounds) {
  NetConfig config = {.precision = 0};
  set_defaults(net_options, net_option_count, &config);
  config.hidden = (IntList){{6}, 1};
  config.messages.kind = kind;
  config.messages.rounds = rounds;
  config.messages.width = 4;
  config.messages.key = 3;
  return config;
}

/* A network with rows of whole teams. */
typedef struct Table {
  Net *net;
  Activations space;
  float *block;
  float rows[R * OWN], positions[R * 3], gate[R], logits[R * (CHOICES + 2)], value[R];
  uint8_t alive[R];
  size_t W; /* of a row of logits */
} Table;

static void open_table(Table *t, const NetConfig *config) {
  AgonRng rng = rng_stream(9, 0, 0, RNG_TEST);
  *t = (Table){0};
  CHECK_OK(net_create(config, &layout, &spec, &t->net));
  CHECK_OK(activations_create(&t->net->graph, R, true, &t->space));
  t->W = t->net->space.width;
  assert_int_equal(t->W, config->messages.kind == MESSAGES_GATED ? CHOICES + 2 : CHOICES);
  t->block = calloc(t->net->block, sizeof *t->block);
  net_init(t->net, 4, 0, t->block);
  for (size_t i = 0; i < t->net->trained; i++)
    t->block[i] += 0.1f * noise(&rng);
  for (size_t i = 0; i < R * OWN; i++)
    t->rows[i] = noise(&rng);
  for (size_t i = 0; i < R * 3; i++)
    t->positions[i] = noise(&rng);
  for (size_t i = 0; i < R; i++)
    t->alive[i] = i % 5 != 3; /* rows 3 and 8 are not */
  for (size_t i = 0; i < R; i++)
    t->gate[i] = i % 3 != 1;
}

static void close_table(Table *t) {
  activations_destroy(&t->space);
  net_destroy(t->net);
  free(t->block);
}

static const Sequences at_once = {.B = R, .T = 1};

static void run(Table *t) {
  const NetInput input = {.rows = t->rows,
                          .last = t->gate,
                          .last_step = 1,
                          .alive = t->alive,
                          .positions = t->positions};
  net_load_input(t->net, &input, R, &t->space);
  net_forward(t->net, t->block, NULL, &t->space, &at_once, t->logits, t->value, NULL);
}

/* Outputs and gradient of a network at the same block as another's are the same, bit for bit. */
static void same_bits(Table *a, Table *b) {
  AgonRng rng = rng_stream(10, 0, 0, RNG_TEST);
  float d_logits[R * CHOICES], d_value[R];
  float *gradient = calloc(2 * a->net->trained, sizeof *gradient);
  for (size_t i = 0; i < R * CHOICES; i++)
    d_logits[i] = noise(&rng);
  for (size_t i = 0; i < R; i++)
    d_value[i] = noise(&rng);
  assert_int_equal(a->net->block, b->net->block);
  memcpy(b->block, a->block, a->net->block * sizeof(float));
  run(a);
  run(b);
  assert_memory_equal(a->logits, b->logits, sizeof a->logits);
  assert_memory_equal(a->value, b->value, sizeof a->value);
  net_backward(a->net, a->block, NULL, gradient, &a->space, &at_once, d_logits, d_value, NULL,
               NULL);
  net_backward(b->net, b->block, NULL, gradient + a->net->trained, &b->space, &at_once, d_logits,
               d_value, NULL, NULL);
  assert_memory_equal(gradient, gradient + a->net->trained, a->net->trained * sizeof(float));
  free(gradient);
}

static void all_who_are_near_are_all(void **state) {
  (void)state;
  for (int64_t rounds = 1; rounds < 3; rounds++)
    for (int64_t k = N - 1; k < N + 2; k++) {
      NetConfig mean = talking(MESSAGES_MEAN, rounds), nearest = talking(MESSAGES_NEAREST, rounds);
      NetConfig attention = talking(MESSAGES_ATTENTION, rounds), best = attention;
      Table a, b;
      nearest.messages.nearest = k;
      best.messages.top = k;
      open_table(&a, &mean);
      open_table(&b, &nearest);
      same_bits(&a, &b);
      close_table(&a);
      close_table(&b);
      open_table(&a, &attention);
      open_table(&b, &best);
      same_bits(&a, &b);
      close_table(&a);
      close_table(&b);
    }
}

/* Finite differences of a loss by parameters and, through the messages, by all of a team. */
static void networks_that_talk_have_their_gradients(void **state) {
  (void)state;
  for (int kind = MESSAGES_MEAN; kind <= MESSAGES_ATTENTION; kind++) {
    NetConfig config = talking(kind, 2);
    Table t;
    size_t moved = 0, talk = 0;
    config.messages.nearest = config.messages.top = 2;
    config.layer_norm = kind == MESSAGES_NEAREST;
    open_table(&t, &config);
    float *gradient = calloc(t.net->trained, sizeof *gradient);
    float d_logits[R * (CHOICES + 2)], d_value[R] = {0};
    AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
    for (size_t i = 0; i < R * t.W; i++)
      d_logits[i] = i < t.W ? noise(&rng) : 0; /* of one agent alone */
    run(&t);
    net_backward(t.net, t.block, NULL, gradient, &t.space, &at_once, d_logits, d_value, NULL, NULL);
    for (size_t v = 0; v < t.net->graph.views; v++) {
      const View *view = &t.net->graph.view[v];
      for (size_t i = view->offset; i < view->offset + view->count; i++) {
        const float step = 1e-2f, here = t.block[i];
        double sum[2] = {0};
        for (int side = 0; side < 2; side++) {
          t.block[i] = here + (side ? -step : step);
          run(&t);
          for (size_t c = 0; c < t.W; c++)
            sum[side] += (double)d_logits[c] * (double)t.logits[c];
        }
        t.block[i] = here;
        CHECK_NEAR(gradient[i], (sum[0] - sum[1]) / (2 * (double)step),
                   2e-3 * (1 + fabs((double)gradient[i])));
        moved += gradient[i] != 0;
        talk += gradient[i] != 0 && strstr(view->name, "say");
      }
    }
    assert_true(talk > 10 && moved > t.net->trained / 3);
    free(gradient);
    close_table(&t);
  }
}

/* Whether row `changed` of what is seen makes any difference to the logits of row `row`. */
static bool matters(Table *t, size_t changed, size_t row) {
  float before[CHOICES + 2];
  run(t);
  memcpy(before, t->logits + row * t->W, t->W * sizeof *before);
  for (size_t i = 0; i < OWN; i++)
    t->rows[changed * OWN + i] += 0.5f;
  run(t);
  for (size_t i = 0; i < OWN; i++)
    t->rows[changed * OWN + i] -= 0.5f;
  return memcmp(before, t->logits + row * t->W, t->W * sizeof *before) != 0;
}

/* Those who are out of the game neither speak nor hear, nobody hears who has chosen not to speak,
 * and no team hears another. */
static void the_dead_are_silent(void **state) {
  (void)state;
  for (int kind = MESSAGES_MEAN; kind <= MESSAGES_ATTENTION; kind++) {
    NetConfig config = talking(kind, 2);
    Table t;
    open_table(&t, &config);
    for (size_t a = 0; a < R; a++)
      for (size_t b = 0; b < R; b++) {
        bool says = t.alive[a] && (kind != MESSAGES_GATED || t.gate[a] > 0);
        assert_true(matters(&t, a, b) == (a == b || (a / N == b / N && says && t.alive[b])));
      }
    double heard = 0;
    for (size_t r = 0; r < R; r++)
      heard += net_heard(t.net, &t.space, r);
    /* in two rounds, in teams of 3, 4 and 3, of whom with gates 2 speak in each */
    assert_true(heard ==
                2 * (kind == MESSAGES_GATED ? 2 * 2 + 2 * 3 + 2 * 2 : 3 * 2 + 4 * 3 + 3 * 2));
    close_table(&t);
  }
}

/* In one round those are heard who are near, of equally near ones the first. */
static void the_nearest_are_heard(void **state) {
  (void)state;
  NetConfig config = talking(MESSAGES_NEAREST, 1);
  Table t;
  /* of agent 0 the third and the fourth are equally near */
  static const float x[N] = {0, 2, -1, 1};
  static const bool heard[2][N][N] = {{{1, 0, 1, 0}, {0, 1, 0, 1}, {1, 0, 1, 0}, {1, 0, 0, 1}},
                                      {{1, 0, 1, 1}, {1, 1, 0, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}}};
  for (int64_t k = 1; k < 3; k++) {
    config.messages.nearest = k;
    open_table(&t, &config);
    memset(t.alive, 1, sizeof t.alive);
    memset(t.positions, 0, sizeof t.positions);
    for (size_t i = 0; i < R; i++)
      t.positions[i * 3] = x[i % N];
    for (size_t a = 0; a < N; a++)
      for (size_t b = 0; b < N; b++)
        if (matters(&t, N + b, N + a) != heard[k - 1][a][b])
          fail_msg("k %d: %zu hears %zu", (int)k, a, b);
    t.alive[N + 2] = 0; /* who is out is near to nobody */
    assert_true(matters(&t, N + 3, N + 0) && !matters(&t, N + 2, N + 0));
    close_table(&t);
  }
}

/* Teammates in another order do the same in it. */
static void the_order_of_teammates_does_not_matter(void **state) {
  (void)state;
  static const size_t to[N] = {2, 0, 3, 1};
  for (int kind = MESSAGES_MEAN; kind <= MESSAGES_ATTENTION; kind++) {
    NetConfig config = talking(kind, 2);
    Table a, b;
    config.messages.nearest = config.messages.top = 2;
    open_table(&a, &config);
    open_table(&b, &config);
    for (size_t r = 0; r < R; r++) {
      size_t other = r / N * N + to[r % N];
      memcpy(b.rows + other * OWN, a.rows + r * OWN, OWN * sizeof(float));
      memcpy(b.positions + other * 3, a.positions + r * 3, 3 * sizeof(float));
      b.alive[other] = a.alive[r];
      b.gate[other] = a.gate[r];
    }
    run(&a);
    run(&b);
    for (size_t r = 0; r < R; r++)
      for (size_t i = 0; i < a.W; i++)
        CHECK_NEAR(b.logits[(r / N * N + to[r % N]) * a.W + i], a.logits[r * a.W + i], 2e-6);
    close_table(&a);
    close_table(&b);
  }
}

/* Who has no teammates has the network that it would have without messages. */
static void alone_nobody_says_anything(void **state) {
  (void)state;
  static const uint8_t alone[2] = {0, 1};
  const AgonEnvSpec two = {
      .agents = 2, .teams = 2, .team_of = alone, .kinds = 1, .kind = &layout, .kind_of = kind_of};
  NetConfig config[2] = {talking(MESSAGES_NONE, 1), talking(MESSAGES_ATTENTION, 2)};
  Net *net[2];
  float *block[2];
  for (int i = 0; i < 2; i++) {
    CHECK_OK(net_create(&config[i], &layout, &two, &net[i]));
    block[i] = calloc(net[i]->block, sizeof *block[i]);
    net_init(net[i], 1, 0, block[i]);
  }
  assert_false(net_talks(net[1]) || net_team(net[1]) != 1);
  assert_int_equal(net[0]->block, net[1]->block);
  assert_int_equal(net[0]->graph.ops, net[1]->graph.ops);
  assert_memory_equal(block[0], block[1], net[0]->block * sizeof(float));
  for (int i = 0; i < 2; i++) {
    net_destroy(net[i]);
    free(block[i]);
  }
  config[1].messages.kind = MESSAGES_GATED; /* and no gate */
  CHECK_OK(net_create(&config[1], &layout, &two, &net[1]));
  assert_true(net[1]->space.width == CHOICES && net[1]->graph.state_size == 0);
  net_destroy(net[1]);
  config[1].sharing = SHARE_NONE;
  assert_int_equal(net_create(&config[1], &layout, &spec, &net[1]), ERR_USAGE);
}

/* --- acting, learning and asking --- */

/* Games in which all teams are played by one policy and recorded. */
typedef struct Hall {
  Env *env;
  Net *net;
  float *block, *before;       /* (slots, agents, S) what agents remembered before the step */
  Policy policy, asked_policy; /* the same, for who plays and for who is asked */
  Inference inference, asked_inference;
  Evaluator evaluator;
  Recorder *recorder;
  Batch batch;
  Play *play;
  PlaySlot *slot[3];
  size_t games, asked;
  double paid, costs,
      told; /* rewards of all agents; costs of messages, counted here, and as told */
} Hall;

static size_t index_of(const Hall *hall, const PlaySlot *slot) {
  size_t i = 0;
  while (hall->slot[i] != slot)
    i++;
  return i;
}

static bool on_begin(void *context, PlaySlot *slot) {
  Hall *hall = context;
  if (hall->games == 0) return false;
  hall->games--;
  for (uint32_t t = 0; t < hall->env->spec.teams; t++) {
    slot->policy[t] = &hall->policy;
    slot->record[t] = true;
  }
  return true;
}

/* Who is asked about the same position says the same. */
static void ask_again(Hall *hall, const PlaySlot *slot, const Decision *decision) {
  const AgonEnvSpec *of = &hall->env->spec;
  const size_t S = hall->net->graph.state_size;
  const void *episode = slot->state;
  const uint32_t agent = decision->agent;
  float *row = calloc(policy_row_width(hall->env), sizeof *row), value;
  float *memory = calloc(policy_memory(hall->net) + 1, sizeof *memory), *at = memory;
  const float *from = hall->before + index_of(hall, slot) * of->agents * S;
  for (uint32_t a = 0; S && slot->steps && a < of->agents; a++)
    if (of->team_of[a] == of->team_of[agent]) {
      memcpy(at, from + a * S, S * sizeof *at);
      at += S;
    }
  float *own = memory + policy_memory_place(hall->net, hall->env, agent);
  if (S) assert_memory_equal(own, decision->memory, S * sizeof *own);
  CHECK_OK(policy_evaluate(&hall->asked_policy, &hall->evaluator, 1, &episode, &agent,
                           S ? memory : NULL, row, &value));
  double log_prob = log((double)row[decision->action->choice]);
  if (hall->net->gates) {
    size_t place = (size_t)(own - memory) / S;
    const float *end = hall->asked_inference.probability + (place + 1) * hall->net->space.width;
    log_prob += log((double)end[decision->action[1].choice - 2]);
    assert_true(net_speaks(hall->net, own) == (end[-1] > end[-2]));
  }
  CHECK_NEAR(log_prob, decision->log_prob, 1e-5);
  CHECK_NEAR(value, decision->value, 1e-5);
  hall->asked++;
  free(row);
  free(memory);
}

/* What it costs to be heard by all teammates who are there, twice. */
static double cost_of(const Hall *hall, const PlaySlot *slot, const Decision *decision) {
  const AgonEnvSpec *of = &hall->env->spec;
  const Net *net = hall->net;
  double cost = 0;
  if (!net->gates || !net_speaks(net, decision->memory)) return 0;
  uint8_t *now = calloc(of->agents, 1);
  env_flags_of(hall->env, slot->state, now);
  for (uint32_t a = 0; a < of->agents; a++)
    if (a != decision->agent && of->team_of[a] == of->team_of[decision->agent] &&
        now[a] & AGON_ALIVE)
      cost += 2 * 0.01;
  free(now);
  return cost;
}

static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  Hall *hall = context;
  if (hall->asked < 500) ask_again(hall, slot, decision);
  hall->costs += cost_of(hall, slot, decision);
  hall->told += (double)decision->cost;
  recorder_decided(hall->recorder, index_of(hall, slot), slot, decision);
}

static void on_stepped(void *context, PlaySlot *slot, const uint8_t *flags) {
  Hall *hall = context;
  recorder_stepped(hall->recorder, index_of(hall, slot), slot, flags);
}

static void on_rewarded(void *context, PlaySlot *slot, const float *reward) {
  Hall *hall = context;
  for (uint32_t a = 0; a < hall->env->spec.agents; a++)
    hall->paid += (double)reward[a];
  recorder_rewarded(hall->recorder, index_of(hall, slot), reward);
}

static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  Hall *hall = context;
  (void)outcome;
  recorder_ended(hall->recorder, index_of(hall, slot), slot, how);
}

static Batch *bin_of(void *context, uint32_t player) {
  (void)player;
  return &((Hall *)context)->batch;
}

static void play_all(Hall *hall) {
  const size_t bytes = hall->env->spec.agents * hall->net->graph.state_size * sizeof(float);
  const RecorderHooks hooks = {hall, bin_of, NULL};
  uint8_t *now = calloc(hall->env->spec.agents, 1);
  for (size_t live = 1, step = 0; live; step++) {
    for (size_t i = 0; i < COUNT_OF(hall->slot); i++)
      memcpy((char *)hall->before + i * bytes, hall->slot[i]->memory, bytes);
    CHECK_OK(play_step(hall->play, &live));
    if (live && step % 7) continue;
    for (size_t i = 0; i < COUNT_OF(hall->slot); i++) {
      const PlaySlot *slot = hall->slot[i];
      if (!slot->live) continue;
      env_flags_of(hall->env, slot->state, now);
      for (uint32_t a = 0; a < hall->env->spec.agents; a++)
        if (now[a] & AGON_ACTS) recorder_closed(hall->recorder, i, slot, a);
    }
    CHECK_OK(recorder_failed(hall->recorder));
    CHECK_OK(recorder_collect(hall->recorder, &hooks));
  }
  free(now);
}

/* The learner's forward pass by the same weights comes to what the actors did. Returns the cells of
 * dead agents. */
static size_t learn_again(Hall *hall) {
  const AlgoOps *ppo = algo_find("ppo");
  void *own = calloc(1, ppo->config_size);
  const Batch *batch = &hall->batch;
  const size_t cells = format_cells(&batch->format);
  uint32_t actor = 0;
  size_t end = batch->unrolls, dead = 0, same = 0;
  Shards shards = {.actor = &actor, .unroll_end = &end, .count = 1};
  Algo *algo;
  Passes passes;
  set_defaults(ppo->options, ppo->option_count, own);
  CHECK_OK(algo_create(ppo, own, hall->net, &batch->format, &algo));
  CHECK_OK(passes_create(algo, &passes));
  float *log_prob = calloc(batch->rows * cells, sizeof *log_prob);
  CHECK_OK(passes_lay_out(&passes, batch, &shards, 0, false));
  CHECK_OK(passes_evaluate(&passes, hall->block, false, &(Evaluated){.log_prob = log_prob}));
  for (size_t u = 0; u < batch->unrolls; u++)
    for (size_t t = 0; t < batch->unroll[u].rows; t++)
      for (size_t c = 0; c < cells; c++) {
        size_t cell = (batch->unroll[u].first + t) * cells + c;
        dead += !(batch->flags[cell] & AGON_ALIVE) && batch->flags[cell] & ROW_ENTERED;
        if (!(batch->flags[cell] & AGON_ACTS)) continue;
        CHECK_NEAR(log_prob[cell], batch->log_prob[cell], 2e-6);
        same++;
      }
  assert_true(same == play_stats(hall->play)->decisions && same > 500);
  double sum = 0;
  for (size_t i = 0; i < batch->rows * cells; i++)
    sum += (double)batch->reward[i];
  CHECK_NEAR(hall->told, hall->costs, 1e-3);
  CHECK_NEAR(sum, hall->paid - hall->costs, 1e-5 * fabs(hall->paid) + 1e-3);
  assert_true((hall->costs > 0) == hall->net->gates);
  passes_free(&passes);
  algo_destroy(algo);
  free(log_prob);
  free(own);
  return dead;
}

static size_t act_learn_and_ask(const char *name, int kind, int memory) {
  Hall hall = {.games = 12};
  NetConfig config = talking(kind, 2);
  config.memory = memory;
  config.memory_size = 4;
  config.agent_id = ID_AGENT;
  config.last_action = memory;
  config.messages.nearest = config.messages.top = 1;
  config.messages.cost = 0.01;
  CHECK_OK(env_create_from(name, NULL, 0, &hall.env));
  const Env *env = hall.env;
  CHECK_OK(net_create(&config, &env->layout, &env->spec, &hall.net));
  assert_true(net_talks(hall.net));
  CHECK_OK(inference_create(hall.net, 7, &hall.inference));
  CHECK_OK(inference_create(hall.net, 1, &hall.asked_inference));
  CHECK_OK(evaluator_create(env, 1, &hall.evaluator));
  hall.block = calloc(hall.net->block, sizeof *hall.block);
  net_init(hall.net, 1, 0, hall.block);
  for (size_t v = 0; v < hall.net->graph.views; v++) { /* heads that do not begin nearly uniform */
    const View *view = &hall.net->graph.view[v];
    for (size_t i = 0; !strcmp(view->name, "policy.weight") && i < view->count; i++)
      hall.block[view->offset + i] *= 60;
  }
  hall.policy = (Policy){.block = hall.block, .inference = &hall.inference};
  hall.asked_policy = (Policy){.block = hall.block, .inference = &hall.asked_inference};
  uint32_t *agent_of = calloc(env->spec.agents * team_largest(&env->spec), sizeof *agent_of);
  team_cells(&env->spec, agent_of);
  const RowFormat format = {.observation_bytes = env->observation_bytes,
                            .choices = hall.net->space.choices,
                            .heads = hall.net->space.heads,
                            .state = (uint32_t)hall.net->graph.state_size,
                            .head_size = hall.net->space.head_size,
                            .cells = team_largest(&env->spec),
                            .flags = true,
                            .position = net_wants_positions(hall.net),
                            .agents = env->spec.agents,
                            .agent_of = agent_of};
  const PlayHooks hooks = {.context = &hall,
                           .begin = on_begin,
                           .decided = on_decided,
                           .stepped = on_stepped,
                           .rewarded = on_rewarded,
                           .ended = on_ended};
  hall.before =
      calloc(COUNT_OF(hall.slot) * env->spec.agents * (format.state + 1), sizeof *hall.before);
  CHECK_OK(play_create(env, NULL, 3, 2, format.state, &hooks, &hall.play));
  CHECK_OK(recorder_create(env, &format, &hall.recorder));
  CHECK_OK(batch_create(&format, &hall.batch));
  for (uint32_t i = 0; i < COUNT_OF(hall.slot); i++) {
    CHECK_OK(play_add_slot(hall.play, i, &hall.slot[i]));
    CHECK_OK(recorder_add_slot(hall.recorder));
  }
  play_all(&hall);
  assert_true(batch_is_whole(&hall.batch) && hall.asked > 100);
  size_t dead = learn_again(&hall);
  recorder_destroy(hall.recorder);
  batch_destroy(&hall.batch);
  policy_release(&hall.policy);
  policy_release(&hall.asked_policy);
  play_destroy(hall.play);
  evaluator_destroy(&hall.evaluator);
  inference_destroy(&hall.inference);
  inference_destroy(&hall.asked_inference);
  net_destroy(hall.net);
  free(agent_of);
  free(hall.block);
  free(hall.before);
  env_destroy(hall.env);
  return dead;
}

/* A team alone, kinds of different sizes, teams of which some die. */
static void all_come_to_the_same(void **state) {
  (void)state;
  for (int memory = 0; memory < 2; memory++) {
    for (int kind = MESSAGES_MEAN; kind <= MESSAGES_ATTENTION; kind++) {
      act_learn_and_ask("simple_spread", kind, memory);
      act_learn_and_ask("simple_tag", kind, memory);
    }
    assert_true(act_learn_and_ask("skirmish", MESSAGES_MEAN, memory) > 20);
    assert_true(act_learn_and_ask("skirmish", MESSAGES_GATED, memory) > 20);
    assert_true(act_learn_and_ask("skirmish", MESSAGES_ATTENTION, memory) > 20);
  }
}

static void who_is_near_must_be_told(void **state) {
  (void)state;
  NetConfig config = talking(MESSAGES_NEAREST, 1);
  Env *env;
  CHECK_OK(env_create_from("goofspiel", NULL, 0, &env));
  assert_int_equal(policy_check(&config, env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "position"));
  config.messages.kind = MESSAGES_MEAN;
  CHECK_OK(policy_check(&config, env));
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_have_the_gradients_of_their_outputs),
      cmocka_unit_test(attention_follows_its_definition),
      cmocka_unit_test(the_mean_is_of_whom_one_hears),
      cmocka_unit_test(all_who_are_near_are_all),
      cmocka_unit_test(networks_that_talk_have_their_gradients),
      cmocka_unit_test(the_dead_are_silent),
      cmocka_unit_test(the_nearest_are_heard),
      cmocka_unit_test(the_order_of_teammates_does_not_matter),
      cmocka_unit_test(alone_nobody_says_anything),
      cmocka_unit_test(all_come_to_the_same),
      cmocka_unit_test(who_is_near_must_be_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
