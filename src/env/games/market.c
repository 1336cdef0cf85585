/* A market: a double auction in which buyers, who each know what a unit is worth to them, and
 * sellers, who each know what one costs them, name prices at once, round after round. What both
 * sides together can gain is what honest orders would gain; to ask for more than one's cost gets
 * more of it, or nothing.
 *
 * A call market in each round (McAfee 1992 and Friedman and Rust 1993 have the theory). Prices are
 * whole, 1 .. levels. Each buyer may bid for one unit, each seller offer one. Bids are sorted from
 * the highest, asks from the lowest, equal ones in an order that is drawn for the round; the k-th
 * bid meets the k-th ask as long as it is not lower, and all who trade do so at one price, which
 * lies between the last bid and the last ask that met: ask + price * (bid - ask), by default their
 * middle (the k-double auction of Chatterjee and Samuelson 1983). A buyer is paid worth less price,
 * a seller price less cost, who does not trade nothing. Buyers begin with a budget, and cannot bid
 * more than is left of it; sellers begin with a stock. Worths and costs are drawn uniformly from 1
 * .. levels, for each round anew, or once for an episode.
 *
 * The scripted player is honest, or (script=zi) the zero-intelligence trader of Gode and Sunder
 * 1993: any price at which it would not lose. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 8, MAX_AGENTS = 2 * MAX_SIDE, MAX_LEVELS = 50, SEEN = 9 };

typedef struct Params {
  uint32_t buyers, sellers, levels, rounds;
  uint32_t once;          /* worths and costs are of the episode */
  uint32_t intelligence0; /* script=zi */
  uint32_t stock;         /* units of each seller; 0: without end */
  double budget;          /* of each buyer; 0: without end */
  double price;           /* where between ask and bid */
  uint32_t choices;       /* no order, and the prices */
  AgonAction idle;
  AgonKind kind[2]; /* buyers, sellers: they see and do alike, and mean different things by it */
  uint8_t kind_of[MAX_AGENTS];
} Params;

typedef struct Episode {
  uint32_t round;
  uint32_t trades;           /* of the last round */
  double last;               /* its price; 0: nobody has traded yet */
  double left[MAX_AGENTS];   /* money of a buyer, units of a seller */
  uint8_t worth[MAX_AGENTS]; /* to a buyer, or what it costs a seller */
  uint8_t order[MAX_AGENTS]; /* the last prices named; 0: none */
  uint8_t traded[MAX_AGENTS];
  double total[MAX_AGENTS];
  /* Of the episode: what was gained, what could have been, prices and their number, units. */
  double gained, possible, prices;
  uint32_t priced, units;
} Episode;

static const AgonEnvOption options[] = {
    {"buyers", AGON_OPT_INT, "3", 1, MAX_SIDE, NULL, "players who buy, each a team"},
    {"sellers", AGON_OPT_INT, "3", 1, MAX_SIDE, NULL, "players who sell, each a team"},
    {"levels", AGON_OPT_INT, "10", 2, MAX_LEVELS, NULL, "prices, 1 to so many"},
    {"rounds", AGON_OPT_INT, "20", 1, 1000, NULL, "auctions in an episode"},
    {"budget", AGON_OPT_FLOAT, "0", 0, 100000, NULL,
     "money of a buyer for all rounds (0: as much as it likes)"},
    {"stock", AGON_OPT_INT, "0", 0, 1000, NULL,
     "units of a seller for all rounds (0: as many as it likes)"},
    {"price", AGON_OPT_FLOAT, "0.5", 0, 1, NULL,
     "of those who trade: 0 the last ask, 1 the last bid, between them their mixture"},
    {"values", AGON_OPT_CHOICE, "fresh", 0, 0, "fresh|once",
     "worths and costs are drawn for each round, or once for an episode"},
    {"script", AGON_OPT_CHOICE, "honest", 0, 0, "honest|zi",
     "the scripted player names what it is worth; or zi: any price at which it would not lose"},
};

static const char *const metric_names[] = {"efficiency", "price", "units"};

static uint32_t agents_of(const Params *params) {
  return params->buyers + params->sellers;
}

static bool buys(const Params *params, uint32_t agent) {
  return agent < params->buyers;
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *params = block;
  *params = (Params){.buyers = (uint32_t)atoi(values[0]),
                     .sellers = (uint32_t)atoi(values[1]),
                     .levels = (uint32_t)atoi(values[2]),
                     .rounds = (uint32_t)atoi(values[3]),
                     .budget = strtod(values[4], NULL),
                     .stock = (uint32_t)atoi(values[5]),
                     .price = strtod(values[6], NULL),
                     .once = !strcmp(values[7], "once"),
                     .intelligence0 = !strcmp(values[8], "zi")};
  params->choices = 1 + params->levels;
  for (uint32_t k = 0; k < 2; k++)
    params->kind[k] = (AgonKind){.name = k ? "seller" : "buyer",
                                 .observation_shape = {SEEN, 1, 1},
                                 .observation_high = 1,
                                 .heads = 1,
                                 .head_size = &params->choices,
                                 .idle = &params->idle};
  for (uint32_t a = 0; a < agents_of(params); a++)
    params->kind_of[a] = !buys(params, a);
  const float most = (float)((params->levels - 1) * params->rounds);
  *spec = (AgonEnvSpec){.params_size = sizeof *params,
                        .episode_size = sizeof(Episode),
                        .agents = agents_of(params),
                        .teams = agents_of(params),
                        .kinds = 2,
                        .kind = params->kind,
                        .kind_of = params->kind_of,
                        .global_state_size = 2 * agents_of(params) + 2,
                        .step_limit = params->rounds,
                        .flags = AGON_SIMULTANEOUS,
                        .reward_low = -most,
                        .reward_high = most,
                        .metrics = sizeof metric_names / sizeof metric_names[0]};
  return 0;
}

/* What units are worth and cost, in the round to come. */
static void draw_worths(const Params *params, Episode *episode, const AgonRandom *random) {
  for (uint32_t a = 0; a < agents_of(params); a++)
    episode->worth[a] = (uint8_t)(1 + agon_random_below(random, params->levels));
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode);
  for (uint32_t a = 0; a < agents_of(params); a++)
    episode->left[a] = buys(params, a) ? params->budget : params->stock;
  draw_worths(params, episode, random);
  return AGON_RUNNING;
}

/* Whether it has the money for this price, or a unit to sell. */
static bool can(const Params *params, const Episode *episode, uint32_t agent, uint32_t price) {
  if (buys(params, agent)) return params->budget <= 0 || price <= episode->left[agent];
  return !params->stock || episode->left[agent] >= 1;
}

/* Whether a's price stands before b's in the queue of their side: higher bids, lower asks. */
static bool is_before(const Params *params, const uint8_t *price, uint8_t a, uint8_t b) {
  return buys(params, a) ? price[a] > price[b] : price[a] < price[b];
}

/* Those of one side who have named a price, best first, equal ones as the lot has them. Returns how
 * many. */
static uint32_t queue_up(const Params *params, const uint8_t *price, const uint8_t *lot,
                         bool buyers, uint8_t *queue) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < agents_of(params); i++) {
    const uint8_t agent = lot[i];
    if (buys(params, agent) != buyers || !price[agent]) continue;
    uint32_t at = count++;
    for (; at > 0 && is_before(params, price, agent, queue[at - 1]); at--)
      queue[at] = queue[at - 1];
    queue[at] = agent;
  }
  return count;
}

/* How many bids are met by an ask, best first. */
static uint32_t meet(const Params *params, const uint8_t *price, const uint8_t *lot,
                     uint8_t bid[MAX_AGENTS], uint8_t ask[MAX_AGENTS]) {
  const uint32_t bids = queue_up(params, price, lot, true, bid);
  const uint32_t asks = queue_up(params, price, lot, false, ask);
  uint32_t met = 0;
  while (met < bids && met < asks && price[bid[met]] >= price[ask[met]])
    met++;
  return met;
}

/* What honest orders would gain in this round, of all who can trade at any price: the most that
 * these units can bring. */
static double most_to_gain(const Params *params, const Episode *episode, const uint8_t *lot) {
  uint8_t honest[MAX_AGENTS];
  uint8_t bid[MAX_AGENTS];
  uint8_t ask[MAX_AGENTS];
  double gain = 0;
  for (uint32_t a = 0; a < agents_of(params); a++)
    honest[a] = can(params, episode, a, 1) ? episode->worth[a] : 0;
  const uint32_t met = meet(params, honest, lot, bid, ask);
  for (uint32_t k = 0; k < met; k++)
    gain += episode->worth[bid[k]] - episode->worth[ask[k]];
  return gain;
}

/* Money and unit change hands. */
static void trade(const Params *params, Episode *episode, uint8_t buyer, uint8_t seller,
                  double price, float *reward) {
  const double gain[2] = {episode->worth[buyer] - price, price - episode->worth[seller]};
  episode->total[buyer] += gain[0];
  episode->total[seller] += gain[1];
  reward[buyer] += (float)gain[0];
  reward[seller] += (float)gain[1];
  episode->traded[buyer] = 1;
  episode->traded[seller] = 1;
  if (params->budget > 0) episode->left[buyer] -= price;
  if (params->stock) episode->left[seller] -= 1;
  episode->gained += gain[0] + gain[1];
}

/* Equal prices take turns by lot: an order that is drawn for the round. */
static void draw_lots(const Params *params, uint8_t *lot, const AgonRandom *random) {
  for (uint32_t a = 0; a < agents_of(params); a++) {
    const uint32_t other = agon_random_below(random, a + 1);
    lot[a] = lot[other];
    lot[other] = (uint8_t)a;
  }
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  uint8_t lot[MAX_AGENTS] = {0};
  uint8_t bid[MAX_AGENTS];
  uint8_t ask[MAX_AGENTS];
  draw_lots(params, lot, random);
  memset(episode->traded, 0, sizeof episode->traded);
  for (uint32_t a = 0; a < agents_of(params); a++)
    episode->order[a] = (uint8_t)actions[a].choice;
  episode->possible += most_to_gain(params, episode, lot);
  episode->trades = meet(params, episode->order, lot, bid, ask);
  if (episode->trades) {
    const double high = episode->order[bid[episode->trades - 1]];
    const double low = episode->order[ask[episode->trades - 1]];
    episode->last = low + params->price * (high - low);
    episode->prices += episode->last;
    episode->priced++;
    episode->units += episode->trades;
  }
  for (uint32_t k = 0; k < episode->trades; k++)
    trade(params, episode, bid[k], ask[k], episode->last, reward);
  if (!params->once) draw_worths(params, episode, random);
  return ++episode->round < params->rounds ? AGON_RUNNING : AGON_TERMINATED;
}

/* Its side, what a unit is worth or costs, what is left of money or stock (1: without end), rounds
 * to go; of the round before: its own order, whether it traded, the price, units; and that there
 * was one. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const double levels = params->levels;
  const double all = buys(params, agent) ? params->budget : params->stock;
  const uint32_t fewer = params->buyers < params->sellers ? params->buyers : params->sellers;
  float *row = out;
  row[0] = buys(params, agent);
  row[1] = (float)(episode->worth[agent] / levels);
  row[2] = all > 0 ? (float)(episode->left[agent] / all) : 1;
  row[3] = (float)(params->rounds - episode->round) / (float)params->rounds;
  row[4] = (float)(episode->order[agent] / levels);
  row[5] = episode->traded[agent];
  row[6] = (float)(episode->last / levels);
  row[7] = (float)episode->trades / (float)fewer;
  row[8] = episode->round > 0;
}

/* What is left and what units are worth, of all; rounds to go, and the last price. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const uint32_t agents = agents_of(params);
  for (uint32_t a = 0; a < agents; a++) {
    const double all = buys(params, a) ? params->budget : params->stock;
    row[a] = (float)(episode->worth[a] / (double)params->levels);
    row[agents + a] = all > 0 ? (float)(episode->left[a] / all) : 1;
  }
  row[2 * agents] = (float)(params->rounds - episode->round) / (float)params->rounds;
  row[2 * agents + 1] = (float)(episode->last / (double)params->levels);
}

static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Params *params = block;
  row[0] = 1;
  for (uint32_t price = 1; price <= params->levels; price++)
    row[price] = can(params, state, agent, price);
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  const uint8_t acts = episode->round < params->rounds ? AGON_ACTS : 0;
  memset(flag, acts | AGON_ALIVE, agents_of(params));
}

/* Who has gained more is ahead: from 0 of the least to 1 of the most. */
static void outcome(const void *block, const void *state, float *out) {
  const Params *params = block;
  const Episode *episode = state;
  double low = episode->total[0];
  double high = low;
  for (uint32_t a = 1; a < agents_of(params); a++) {
    low = episode->total[a] < low ? episode->total[a] : low;
    high = episode->total[a] > high ? episode->total[a] : high;
  }
  for (uint32_t a = 0; a < agents_of(params); a++)
    out[a] = high > low ? (float)((episode->total[a] - low) / (high - low)) : 0.5f;
}

/* The share of what honest orders would have gained with the money and stock of each round (1 where
 * there was nothing to gain; less than 0 where units went to those who lose by them); the mean
 * price of rounds with trades (0: there was none); units traded. */
static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = episode->possible > 0 ? (float)(episode->gained / episode->possible) : 1;
  values[1] = episode->priced ? (float)(episode->prices / episode->priced) : 0;
  values[2] = (float)episode->units;
}

static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  static const char *const name[MAX_LEVELS + 1] = {
      "none", "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12",
      "13",   "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24", "25",
      "26",   "27", "28", "29", "30", "31", "32", "33", "34", "35", "36", "37", "38",
      "39",   "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50"};
  (void)params;
  (void)head;
  return name[choice];
}

/* Honest: its worth, or as much of it as it has money for; of zero intelligence: any price from
 * there on to the end at which it gains. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  uint32_t price = episode->worth[agent];
  if (buys(params, agent)) {
    while (price > 0 && !can(params, episode, agent, price))
      price--;
    if (params->intelligence0 && price) price = 1 + agon_random_below(random, price);
  } else {
    if (params->intelligence0) price += agon_random_below(random, params->levels - price + 1);
    if (!can(params, episode, agent, price)) price = 0;
  }
  action->choice = (int32_t)price;
}

static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = (size_t)snprintf(text, size, "round %u of %u, %u traded", episode->round,
                                 params->rounds, episode->trades);
  if (episode->trades && used + 32 < size)
    used += (size_t)snprintf(text + used, size - used, " at %g", episode->last);
  if (used + 2 < size) used += (size_t)snprintf(text + used, size - used, "\n");
  for (uint32_t a = 0; a < agents_of(params) && used + 96 < size; a++) {
    const bool bought = buys(params, a);
    used +=
        (size_t)snprintf(text + used, size - used, "%s %u: %s now %u; ordered %u%s; gained %g\n",
                         bought ? "buyer " : "seller", bought ? a : a - params->buyers,
                         bought ? "worth" : "cost", episode->worth[a], episode->order[a],
                         episode->traded[a] ? ", traded" : "", episode->total[a]);
  }
}

const AgonEnv env_market = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "market",
    .summary = "a double auction: buyers and sellers name prices at once, round after round",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .mask = mask,
    .outcome = outcome,
    .global_state = global_state,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = action_name,
    .render = render,
    .scripted = scripted,
};
