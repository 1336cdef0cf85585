/* A plug-in whose games lie on the heap, made flat by agon/history.h: sellers of two sides name
 * prices, all at once; the market's price wanders, and whoever is nearest to it sells. Up to 100
 * sellers and 4,000 prices. drift=none: the market stands still and is the same in every game, so
 * that trees can be walked. */
#include "agon/history.h"

#include <math.h>

enum { MOST_SELLERS = 100, ROUNDS = 6, LIVE = 256 };

typedef struct Params {
  uint32_t sellers, prices, rounds;
  bool drift, forgetful;
  int ghost; /* 0: none; 1: in what sellers see; 2: in who wins */
  uint8_t side[MOST_SELLERS];
  AgonKind kind;
  AgonHistory *history;
} Params;

/* The live object. */
typedef struct Market {
  const Params *params;
  uint64_t dice;
  uint32_t round, price;
  float lead; /* of the first side */
  uint32_t ghost; /* steps of all markets before its last one: no part of seed or actions */
} Market;

static const AgonEnvOption options[] = {
    {"sellers", AGON_OPT_INT, "100", 2, MOST_SELLERS, 0, "of both sides together"},
    {"prices", AGON_OPT_INT, "4000", 2, 4000, 0, "that can be named"},
    {"rounds", AGON_OPT_INT, "4", 1, ROUNDS, 0, "a game"},
    {"drift", AGON_OPT_CHOICE, "some", 0, 0, "some|none", "whether the market's price wanders"},
    {"broken", AGON_OPT_BOOL, "false", 0, 0, 0,
     "what happens is not decided by seed and actions alone"},
    {"ghost", AGON_OPT_CHOICE, "none", 0, 0, "none|row|outcome",
     "what is not decided by seed and actions alone, though all that happens is"},
};

static uint32_t roll(Market *market, uint32_t bound) {
  market->dice ^= market->dice << 13;
  market->dice ^= market->dice >> 7;
  market->dice ^= market->dice << 17;
  return (uint32_t)((market->dice >> 32) * bound >> 32);
}

static void *market_open(const void *params, AgonError *error) {
  Market *market = (Market *)calloc(1, sizeof *market);
  if (market)
    market->params = (const Params *)params;
  else
    snprintf(error->text, sizeof error->text, "no memory for a market");
  return market;
}

static AgonStatus market_restart(void *live, uint64_t seed, AgonError *error) {
  (void)error;
  Market *market = (Market *)live;
  const Params *params = market->params;
  *market = (Market){.params = params, .dice = seed | 1, .price = params->prices / 2};
  if (params->drift) market->price = roll(market, params->prices);
  return AGON_RUNNING;
}

static AgonStatus market_step(void *live, const AgonAction *actions, float *reward,
                              AgonError *error) {
  Market *market = (Market *)live;
  const Params *params = market->params;
  float miss[2] = {1, 1};
  static uint32_t made; /* by all markets */
  market->ghost = made++;
  static uint32_t hidden; /* no part of seed or actions */
  if (params->forgetful && ++hidden % 7 == 0 && market->round == 1) {
    snprintf(error->text, sizeof error->text, "the market was closed for no reason");
    return AGON_FAILED;
  }
  for (uint32_t a = 0; a < params->sellers; a++) {
    float gap = fabsf((float)actions[a].choice - (float)market->price) / (float)params->prices;
    if (gap < miss[params->side[a]]) miss[params->side[a]] = gap;
  }
  float gain = miss[0] < miss[1] ? 1.0f : miss[0] > miss[1] ? -1.0f : 0.0f;
  for (uint32_t a = 0; a < params->sellers; a++)
    reward[a] += params->side[a] ? -gain : gain;
  market->lead += gain;
  if (params->drift) market->price = roll(market, params->prices);
  return ++market->round < params->rounds ? AGON_RUNNING : AGON_TERMINATED;
}

static void market_flags(const void *live, uint8_t *flag) {
  const Market *market = (const Market *)live;
  for (uint32_t a = 0; a < market->params->sellers; a++)
    flag[a] = (uint8_t)(AGON_ALIVE | (market->round < market->params->rounds ? AGON_ACTS : 0));
}

static const AgonLive live_ops = {market_open, free, market_restart, market_step, market_flags};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  Params *params = (Params *)block;
  *params = (Params){.sellers = (uint32_t)atoi(values[0]),
                     .prices = (uint32_t)atoi(values[1]),
                     .rounds = (uint32_t)atoi(values[2]),
                     .drift = !strcmp(values[3], "some"),
                     .forgetful = !strcmp(values[4], "true"),
                     .ghost = !strcmp(values[5], "row") ? 1 : !strcmp(values[5], "outcome") ? 2 : 0};
  for (uint32_t a = 0; a < params->sellers; a++)
    params->side[a] = a % 2;
  params->kind = (AgonKind){.observation_type = AGON_F32,
                            .observation_shape = {4, 1, 1},
                            .observation_low = -INFINITY,
                            .observation_high = INFINITY,
                            .heads = 1,
                            .head_size = &params->prices};
  *spec = (AgonEnvSpec){.params_size = sizeof *params,
                        .agents = params->sellers,
                        .teams = 2,
                        .team_of = params->side,
                        .kinds = 1,
                        .kind = &params->kind,
                        .step_limit = params->rounds,
                        .flags = AGON_SIMULTANEOUS |
                                 (params->sellers % 2 == 0 ? (uint32_t)AGON_ZERO_SUM : 0u) |
                                 (params->drift ? 0u : (uint32_t)AGON_ENUMERATES_CHANCE),
                        .reward_low = -ROUNDS,
                        .reward_high = ROUNDS};
  spec->episode_size = agon_history_size(spec, 1);
  params->history = agon_history_open(&live_ops, params, spec, 1, LIVE, error);
  return params->history ? 0 : -1;
}

static void unconfigure(void *block) {
  agon_history_close(((Params *)block)->history);
}

static const Market *market_of(const void *params, const void *episode) {
  return (const Market *)agon_history_live(((const Params *)params)->history, episode);
}

/* Where the seed decides nothing it is left out, so that it does not tell positions apart. */
static AgonStatus reset(const void *params, void *episode, const AgonRandom *random,
                        AgonError *error) {
  const Params *p = (const Params *)params;
  return p->drift ? agon_history_reset(p->history, episode, random, error)
                  : agon_history_begin(p->history, episode, 0, error);
}

static AgonStatus step(const void *params, void *episode, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random;
  return agon_history_step(((const Params *)params)->history, episode, actions, reward, error);
}

/* The market's price in shares, the round, who leads, the side. */
static void observe(const void *params, const void *episode, uint32_t agent, void *row) {
  const Market *market = market_of(params, episode);
  float values[4] = {0};
  if (market) {
    float sign = market->params->side[agent] ? -1.0f : 1.0f;
    values[0] = (float)market->price / (float)market->params->prices;
    values[1] = (float)market->round;
    if (market->params->ghost == 1) values[1] += (float)market->ghost;
    values[2] = sign * market->lead;
    values[3] = sign;
  }
  memcpy(row, values, sizeof values);
}

static void flags(const void *params, const void *episode, uint8_t *flag) {
  const Market *market = market_of(params, episode);
  if (market)
    market_flags(market, flag);
  else
    memset(flag, AGON_ACTS | AGON_ALIVE, ((const Params *)params)->sellers);
}

static void outcome(const void *params, const void *episode, float *out) {
  const Market *market = market_of(params, episode);
  float lead = market ? market->lead : 0;
  if (market && market->params->ghost == 2) lead = market->ghost % 2 ? 1.0f : -1.0f;
  out[0] = lead > 0 ? 1.0f : lead < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

static const AgonEnv table = {
    AGON_ENV_SIZES,
    .version = 3,
    .name = "market",
    .summary = "sellers name prices; the games are live objects, made flat by their history",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .unconfigure = unconfigure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .outcome = outcome};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) {
  return &table;
}
