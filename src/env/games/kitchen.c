/* Two cooks in one kitchen: onions into a pot, three make a soup, which cooks for a while, is put
 * on a plate and served. The kitchens are narrow, so that who does not look out for the other
 * stands in its way.
 *
 * Rules and layouts are those of Overcooked (Carroll et al. 2019, "On the utility of learning about
 * humans for human-AI coordination": cramped room, asymmetric advantages, coordination ring, forced
 * coordination, counter circuit), as JaxMARL's first version has them: a pot with three onions
 * cooks by itself for 20 steps, a soup that is served pays both cooks 20, an episode is 400 steps.
 * In each step first the cooks interact, the first cook first, with what they face; then both move
 * at once. A move always turns the cook; it stays where something or somebody is in the way, where
 * both want one cell, or where they would change places. With `shaping` a cook is paid for progress
 * besides, 3 for an onion put into a pot, 3 for taking a plate that is needed, 5 for taking a soup,
 * times that factor; without, the same numbers are the potential that the game declares. Both cooks
 * face up at first. The end by the step limit is a truncation. Tomatoes, other recipes and orders
 * are not here. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 12, MAX_CELLS = MAX_SIDE * MAX_SIDE, COOKS = 2, MAX_POTS = 8 };
enum { UP, DOWN, RIGHT, LEFT, STAY, INTERACT, ACTIONS, WAYS = 4 };
enum { FLOOR, COUNTER, POT, ONIONS, PLATES, SERVING };
enum { NOTHING, ONION, PLATE, SOUP };
enum { IN_SOUP = 3, URGENT = 40 };
/* Planes of an observation. */
enum {
  OWN,
  OTHER,
  OWN_WAY,
  OTHER_WAY = OWN_WAY + WAYS,
  TILES = OTHER_WAY + WAYS, /* pots, counters, onions, plates, serving */
  ONIONS_IN_POT = TILES + 5,
  ONIONS_IN_SOUP,
  COOKING,
  DONE,
  SEEN_PLATES,
  SEEN_ONIONS,
  URGENCY,
  PLANES
};
static const float SERVED = 20;
static const float FOR_ONION = 3, FOR_PLATE = 3, FOR_SOUP = 5;

typedef struct Params {
  int width, height, cells, pots, cooking, limit;
  float shaping;
  AgonKind kind;
  uint8_t tile[MAX_CELLS];
  uint8_t start[COOKS];
  uint8_t pot[MAX_POTS]; /* their cells */
} Params;

typedef struct Cook {
  uint8_t cell, way, held;
} Cook;

typedef struct Episode {
  int32_t time;
  int32_t soups, onions; /* served; put into pots */
  int32_t blocked;       /* moves that the other cook was in the way of */
  Cook cook[COOKS];
  uint8_t onions_in[MAX_POTS];
  uint8_t left[MAX_POTS];  /* steps until a pot with three onions is done */
  uint8_t item[MAX_CELLS]; /* on counters */
} Episode;

static const AgonEnvOption options[] = {
    {"layout", AGON_OPT_CHOICE, "cramped_room", 0, 0,
     "cramped_room|asymmetric_advantages|coordination_ring|forced_coordination|counter_circuit",
     "which kitchen"},
    {"map", AGON_OPT_TEXT, "", 0, 0, NULL,
     "a kitchen of one's own: rows from the top with / between them; X counter, . floor, P pot, O "
     "onions, D plates, S serving, 1 and 2 where the cooks begin"},
    {"cooking", AGON_OPT_INT, "20", 1, 200, NULL, "steps for which a soup cooks"},
    {"shaping", AGON_OPT_FLOAT, "0", 0, 10, NULL,
     "times 3, 3 and 5, to who puts an onion into a pot, takes a plate that is needed, takes a "
     "soup"},
    {"limit", AGON_OPT_INT, "400", 1, 100000, NULL, "steps until the episode is cut short"},
};

/* In the order of the option's choices. */
static const struct {
  const char *name, *map;
} layouts[] = {
    {"cramped_room", "XXPXX/O1.2O/X...X/XDXSX"},
    {"asymmetric_advantages", "XXXXXXXXX/O.XSXOX.S/X...P...X/X.1.P2..X/XXXDXDXXX"},
    {"coordination_ring", "XXXPX/X.1.P/D2X.X/O...X/XOSXX"},
    {"forced_coordination", "XXXPX/O.X2P/O1X.X/D.X.X/XXXSX"},
    {"counter_circuit", "XXXPPXXX/X.1....X/D.XXXX.S/X.....2X/XXXOOXXX"},
};

static const char *const metric_names[] = {"soups", "onions", "blocked"};

/* --- the kitchen --- */

/* Reads one letter of a map into the next cell. */
static int read_tile(Params *params, char letter, int starts[COOKS], AgonError *error) {
  static const char letters[] = ".XPODS"; /* in the order of the tiles */
  const char *known = strchr(letters, letter);
  if (letter == '1' || letter == '2') {
    starts[letter - '1']++;
    params->start[letter - '1'] = (uint8_t)params->cells;
    params->tile[params->cells++] = FLOOR;
    return 0;
  }
  if (!known) {
    snprintf(error->text, sizeof error->text,
             "env.map has '%c': it is made of X . P O D S 1 2, with / between rows", letter);
    return -1;
  }
  if (letter == 'P') {
    if (params->pots == MAX_POTS) {
      snprintf(error->text, sizeof error->text, "env.map has more than %d pots", MAX_POTS);
      return -1;
    }
    params->pot[params->pots++] = (uint8_t)params->cells;
  }
  params->tile[params->cells++] = (uint8_t)(known - letters);
  return 0;
}

/* Rows of one length, as many as fit. */
static int read_map(Params *params, const char *map, int starts[COOKS], AgonError *error) {
  int column = 0;
  for (const char *at = map;; at++) {
    if (*at && *at != '/') {
      if (++column > MAX_SIDE || params->height >= MAX_SIDE) {
        snprintf(error->text, sizeof error->text, "env.map is larger than %d x %d cells", MAX_SIDE,
                 MAX_SIDE);
        return -1;
      }
      if (read_tile(params, *at, starts, error)) return -1;
      continue;
    }
    if (params->height == 0) params->width = column;
    params->height++;
    if (column != params->width) {
      snprintf(error->text, sizeof error->text, "row %d of env.map has %d cells, the first has %d",
               params->height, column, params->width);
      return -1;
    }
    column = 0;
    if (!*at) return 0;
  }
}

/* One sentence about what a map lacks; NULL: it is a kitchen. */
static const char *lacking(const Params *params, const int starts[COOKS]) {
  int count[SERVING + 1] = {0};
  for (int c = 0; c < params->cells; c++) {
    const int row = c / params->width, column = c % params->width;
    const bool edge =
        row == 0 || column == 0 || row == params->height - 1 || column == params->width - 1;
    if (edge && params->tile[c] == FLOOR)
      return "env.map has floor at its edge: a kitchen is closed by counters all around";
    count[params->tile[c]]++;
  }
  if (starts[0] != 1 || starts[1] != 1) return "env.map needs one 1 and one 2: the cooks";
  if (!count[POT]) return "env.map has no pot (P)";
  if (!count[ONIONS]) return "env.map has no onions (O)";
  if (!count[PLATES]) return "env.map has no plates (D)";
  if (!count[SERVING]) return "env.map has no place to serve (S)";
  return NULL;
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = ACTIONS;
  static const AgonAction idle = {.choice = STAY};
  Params *params = block;
  int starts[COOKS] = {0};
  memset(params, 0, sizeof *params);
  params->cooking = atoi(values[2]);
  params->shaping = strtof(values[3], NULL);
  params->limit = atoi(values[4]);
  const char *map = values[1];
  for (size_t i = 0; !*values[1] && i < sizeof layouts / sizeof layouts[0]; i++)
    if (!strcmp(values[0], layouts[i].name)) map = layouts[i].map;
  if (read_map(params, map, starts, error)) return -1;
  const char *lacks = lacking(params, starts);
  if (lacks) {
    snprintf(error->text, sizeof error->text, "%s", lacks);
    return -1;
  }
  params->kind = (AgonKind){
      .observation_type = AGON_F32,
      .observation_shape = {PLANES, (uint32_t)params->height, (uint32_t)params->width},
      .observation_high = 1,
      .heads = 1,
      .head_size = &head_size,
      .idle = &idle,
  };
  *spec = (AgonEnvSpec){
      .params_size = sizeof(Params),
      .episode_size = sizeof(Episode),
      .agents = COOKS,
      .teams = 1,
      .kinds = 1,
      .kind = &params->kind,
      .global_state_size = (uint32_t)(PLANES * params->cells + 1),
      .step_limit = (uint32_t)params->limit,
      .flags = AGON_COOPERATIVE | AGON_SIMULTANEOUS | AGON_PERFECT_INFORMATION,
      .reward_high = (COOKS * SERVED + FOR_SOUP * params->shaping) * (float)params->limit,
      .metrics = 3,
  };
  return 0;
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)random, (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode);
  for (int c = 0; c < COOKS; c++)
    episode->cook[c] = (Cook){.cell = params->start[c], .way = UP};
  return AGON_RUNNING;
}

/* The next cell that way; there is one from every cell of floor, for the edge has none. */
static int ahead(const Params *params, int cell, int way) {
  switch (way) {
  case UP: return cell - params->width;
  case DOWN: return cell + params->width;
  case RIGHT: return cell + 1;
  default: return cell - 1;
  }
}

/* The number of the pot in this cell. */
static int pot_at(const Params *params, int cell) {
  int pot = 0;
  while (pot < params->pots - 1 && params->pot[pot] != cell)
    pot++;
  return pot;
}

static bool is_done(const Episode *episode, int pot) {
  return episode->onions_in[pot] == IN_SOUP && !episode->left[pot];
}

static int held_by_all(const Episode *episode, int what) {
  return (episode->cook[0].held == what) + (episode->cook[1].held == what);
}

/* Whether one more plate is of use: more pots have something in them than there are plates in
 * hands, and none lies on a counter. */
static bool plate_is_needed(const Params *params, const Episode *episode) {
  int started = 0;
  for (int p = 0; p < params->pots; p++)
    started += episode->onions_in[p] > 0;
  for (int c = 0; c < params->cells; c++)
    if (episode->item[c] == PLATE) return false;
  return held_by_all(episode, PLATE) < started;
}

/* Returns what the cook is paid for progress. */
static float use_pot(const Params *params, Episode *episode, Cook *cook, int pot) {
  if (cook->held == ONION && episode->onions_in[pot] < IN_SOUP) {
    cook->held = NOTHING;
    episode->onions++;
    if (++episode->onions_in[pot] == IN_SOUP) episode->left[pot] = (uint8_t)params->cooking;
    return FOR_ONION;
  }
  if (cook->held == PLATE && is_done(episode, pot)) {
    cook->held = SOUP;
    episode->onions_in[pot] = 0;
    return FOR_SOUP;
  }
  return 0;
}

/* A cook with free hands takes what lies there, one with something puts it down where nothing lies.
 */
static void use_counter(Cook *cook, uint8_t *item) {
  if (cook->held && *item) return;
  const uint8_t taken = *item;
  *item = cook->held;
  cook->held = taken;
}

/* What a cook does to what it faces. Returns what it is paid for progress; counts soups. */
static float interact(const Params *params, Episode *episode, int self) {
  Cook *cook = &episode->cook[self];
  const int cell = ahead(params, cook->cell, cook->way);
  switch (params->tile[cell]) {
  case COUNTER: use_counter(cook, &episode->item[cell]); return 0;
  case POT: return use_pot(params, episode, cook, pot_at(params, cell));
  case ONIONS:
    if (!cook->held) cook->held = ONION;
    return 0;
  case PLATES: {
    if (cook->held) return 0;
    const bool needed = plate_is_needed(params, episode);
    cook->held = PLATE;
    return needed ? FOR_PLATE : 0;
  }
  case SERVING:
    if (cook->held != SOUP) return 0;
    cook->held = NOTHING;
    episode->soups++;
    return 0;
  default: return 0;
  }
}

/* Both turn, and go if nothing, and not the other, is in the way. */
static void move(const Params *params, Episode *episode, const AgonAction *actions) {
  Cook *cook = episode->cook;
  int to[COOKS];
  for (int c = 0; c < COOKS; c++) {
    to[c] = cook[c].cell;
    if (actions[c].choice >= WAYS) continue;
    cook[c].way = (uint8_t)actions[c].choice;
    const int next = ahead(params, to[c], cook[c].way);
    if (params->tile[next] == FLOOR) to[c] = next;
  }
  const bool change = to[0] == cook[1].cell && to[1] == cook[0].cell;
  if (to[0] == to[1] || change) {
    for (int c = 0; c < COOKS; c++)
      episode->blocked += to[c] != cook[c].cell;
    return;
  }
  for (int c = 0; c < COOKS; c++)
    cook[c].cell = (uint8_t)to[c];
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random, (void)error;
  const Params *params = block;
  Episode *episode = state;
  const int before = episode->soups;
  for (int c = 0; c < COOKS; c++)
    if (actions[c].choice == INTERACT) reward[c] += params->shaping * interact(params, episode, c);
  for (int c = 0; c < COOKS; c++)
    reward[c] += SERVED * (float)(episode->soups - before);
  move(params, episode, actions);
  for (int p = 0; p < params->pots; p++)
    if (episode->left[p]) episode->left[p]--;
  episode->time++;
  return episode->time >= params->limit ? AGON_TRUNCATED : AGON_RUNNING;
}

/* --- what is seen --- */

/* Marks a thing that lies or is carried in a cell. */
static void show_item(const Params *params, int item, int cell, float *row) {
  const size_t cells = (size_t)params->cells;
  if (item == ONION) row[SEEN_ONIONS * cells + (size_t)cell] = 1;
  if (item == PLATE) row[SEEN_PLATES * cells + (size_t)cell] = 1;
  if (item != SOUP) return;
  row[ONIONS_IN_SOUP * cells + (size_t)cell] = 1;
  row[DONE * cells + (size_t)cell] = 1;
}

/* Planes over the kitchen: oneself, the other, which way each looks (up, down, right, left); pots,
 * counters, onions, plates, serving; onions in pots that do not cook yet and in soups, as shares of
 * three; of pots that cook the share of time that is left; soups that are done, in pots or not;
 * plates and onions that lie on counters or are carried; whether fewer than 40 steps are left. They
 * are the original's, without its planes of tomatoes, and with shares instead of counts. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const size_t cells = (size_t)params->cells;
  float *row = out;
  memset(row, 0, PLANES * cells * sizeof *row);
  for (int c = 0; c < COOKS; c++) {
    const Cook *cook = &episode->cook[c];
    const bool own = (uint32_t)c == agent;
    row[(own ? OWN : OTHER) * cells + cook->cell] = 1;
    row[((own ? OWN_WAY : OTHER_WAY) + (size_t)cook->way) * cells + cook->cell] = 1;
    show_item(params, cook->held, cook->cell, row);
  }
  for (int c = 0; c < params->cells; c++) {
    static const uint8_t plane[] = {
        [POT] = 0, [COUNTER] = 1, [ONIONS] = 2, [PLATES] = 3, [SERVING] = 4};
    const int tile = params->tile[c];
    if (tile != FLOOR) row[((size_t)TILES + plane[tile]) * cells + (size_t)c] = 1;
    show_item(params, episode->item[c], c, row);
  }
  for (int p = 0; p < params->pots; p++) {
    const int onions = episode->onions_in[p], cell = params->pot[p];
    const bool full = onions == IN_SOUP;
    row[(full ? ONIONS_IN_SOUP : ONIONS_IN_POT) * cells + (size_t)cell] = (float)onions / IN_SOUP;
    row[COOKING * cells + (size_t)cell] = (float)episode->left[p] / (float)params->cooking;
    row[DONE * cells + (size_t)cell] = is_done(episode, p);
  }
  for (int c = 0; c < params->cells; c++)
    row[URGENCY * cells + (size_t)c] = params->limit - episode->time < URGENT;
}

/* What the first cook sees, and the share of steps that are left. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  observe(block, state, 0, row);
  row[PLANES * params->cells] = 1 - (float)((const Episode *)state)->time / (float)params->limit;
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  (void)block, (void)state;
  memset(flag, AGON_ALIVE | AGON_ACTS, COOKS);
}

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = (float)episode->soups;
  values[1] = (float)episode->onions;
  values[2] = (float)episode->blocked;
}

/* What has been done towards soups that are not served: onions in pots, plates in hands as far as
 * pots have something in them, and all of it for a soup on a plate. The same for both. */
static void potential(const void *block, const void *state, float *phi) {
  const Params *params = block;
  const Episode *episode = state;
  int started = 0, soups = held_by_all(episode, SOUP);
  float sum = 0;
  for (int p = 0; p < params->pots; p++) {
    started += episode->onions_in[p] > 0;
    sum += FOR_ONION * episode->onions_in[p];
  }
  for (int c = 0; c < params->cells; c++)
    soups += episode->item[c] == SOUP;
  const int plates = held_by_all(episode, PLATE);
  sum += FOR_PLATE * (float)(plates < started ? plates : started);
  sum += (IN_SOUP * FOR_ONION + FOR_PLATE + FOR_SOUP) * (float)soups;
  phi[0] = phi[1] = sum;
}

static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  const Params *params = block;
  const Episode *episode = state;
  xyz[0] = (float)(episode->cook[agent].cell % params->width);
  xyz[1] = (float)(episode->cook[agent].cell / params->width);
  xyz[2] = 0;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[ACTIONS] = {"up", "down", "right", "left", "stay", "interact"};
  (void)block, (void)head;
  return name[choice];
}

/* A cell is who stands there or what it is, where a cook looks or how full a pot is, and what lies
 * or is carried there. */
static void render(const void *block, const void *state, char *text, size_t size) {
  static const char tiles[] = ".XPODS", items[] = " ops";
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (int c = 0; c < params->cells && used + 6 < size; c++) {
    char shown[4] = {' ', tiles[params->tile[c]], items[episode->item[c]], 0};
    if (params->tile[c] == POT) {
      const int pot = pot_at(params, c);
      shown[2] = is_done(episode, pot)    ? '!'
                 : episode->left[pot] > 0 ? '~'
                                          : (char)('0' + episode->onions_in[pot]);
    }
    for (int k = 0; k < COOKS; k++)
      if (episode->cook[k].cell == c) {
        shown[0] = (char)('1' + k);
        shown[1] = "^v><"[episode->cook[k].way];
        shown[2] = items[episode->cook[k].held];
      }
    used += (size_t)snprintf(text + used, size - used, "%s%s", shown,
                             c % params->width == params->width - 1 ? "\n" : "");
  }
  snprintf(text + used, size - used,
           "step %d of %d, %d soups; cooks 1 and 2 look where they point; P pot with its onions (~ "
           "cooks, ! done), O onions, D plates, S serving, X counter; o onion, p plate, s soup\n",
           episode->time, params->limit, episode->soups);
}

/* --- the rule-based cook --- */

/* Tiles that a cook can get at, by the ways that the other does not stand in for ever. */
static void reach(const Params *params, int from, bool *tiles) {
  uint8_t queue[MAX_CELLS];
  bool seen[MAX_CELLS] = {false};
  int head = 0, tail = 0;
  memset(tiles, 0, MAX_CELLS * sizeof *tiles);
  seen[from] = true;
  queue[tail++] = (uint8_t)from;
  while (head < tail) {
    const int at = queue[head++];
    for (int way = 0; way < WAYS; way++) {
      const int next = ahead(params, at, way);
      if (params->tile[next] != FLOOR) tiles[next] = true;
      if (params->tile[next] != FLOOR || seen[next]) continue;
      seen[next] = true;
      queue[tail++] = (uint8_t)next;
    }
  }
}

/* The first action on a shortest way, around the other cook, to face one of the wanted tiles, or
 * INTERACT where it does; STAY if there is none. */
static int towards(const Params *params, const Episode *episode, int self, const bool *wanted) {
  const Cook *cook = &episode->cook[self];
  uint8_t queue[MAX_CELLS], first[MAX_CELLS] = {0}; /* first action + 1; 0: not seen */
  int head = 0, tail = 0;
  if (wanted[ahead(params, cook->cell, cook->way)]) return INTERACT;
  first[cook->cell] = STAY + 1;
  queue[tail++] = cook->cell;
  while (head < tail) {
    const int at = queue[head++];
    for (int way = 0; way < WAYS; way++) {
      const int next = ahead(params, at, way);
      const int action = at == cook->cell ? way : first[at] - 1;
      if (wanted[next]) return action;
      if (params->tile[next] != FLOOR || first[next] || next == episode->cook[1 - self].cell)
        continue;
      first[next] = (uint8_t)(action + 1);
      queue[tail++] = (uint8_t)next;
    }
  }
  return STAY;
}

/* What one cook goes by: what it and the other can get at, what pots need, what it wants. */
typedef struct Plan {
  const Params *params;
  const Episode *episode;
  int self;
  bool mine[MAX_CELLS], both[MAX_CELLS]; /* tiles within reach */
  bool pots;                             /* within reach */
  int full, room; /* of all pots: those that cook or are done; onions that still go in */
  bool wanted[MAX_CELLS];
} Plan;

static void survey(const Params *params, const Episode *episode, int self, Plan *plan) {
  bool others[MAX_CELLS];
  *plan = (Plan){.params = params, .episode = episode, .self = self};
  reach(params, episode->cook[self].cell, plan->mine);
  reach(params, episode->cook[1 - self].cell, others);
  for (int c = 0; c < params->cells; c++)
    plan->both[c] = plan->mine[c] && others[c];
  for (int p = 0; p < params->pots; p++) {
    plan->pots |= plan->mine[params->pot[p]];
    plan->full += episode->onions_in[p] == IN_SOUP;
    plan->room += IN_SOUP - episode->onions_in[p];
  }
}

/* Wants tiles of a kind that are within reach; true: there are some. */
static bool want_tiles(Plan *plan, int tile) {
  bool any = false;
  for (int c = 0; c < plan->params->cells; c++)
    if (plan->mine[c] && plan->params->tile[c] == tile) any = plan->wanted[c] = true;
  return any;
}

/* Wants counters on which this lies, those that the other cannot get at, too; true: there are some.
 */
static bool want_items(Plan *plan, int item, bool shared) {
  bool any = false;
  for (int c = 0; c < plan->params->cells; c++)
    if ((shared ? plan->both : plan->mine)[c] && plan->params->tile[c] == COUNTER &&
        plan->episode->item[c] == item)
      any = plan->wanted[c] = true;
  return any;
}

/* Things of a kind on counters that both can get at. */
static int lying(const Plan *plan, int item) {
  int count = 0;
  for (int c = 0; c < plan->params->cells; c++)
    count += plan->both[c] && plan->params->tile[c] == COUNTER && plan->episode->item[c] == item;
  return count;
}

/* Wants pots within reach that are done, or else that cook; or that have room for an onion. */
static bool want_pots(Plan *plan, bool for_onion) {
  bool any = false, done = false;
  for (int pass = 0; pass < 2 && !any; pass++)
    for (int p = 0; p < plan->params->pots; p++) {
      const int cell = plan->params->pot[p], onions = plan->episode->onions_in[p];
      done = is_done(plan->episode, p);
      if (!plan->mine[cell]) continue;
      if (for_onion ? onions < IN_SOUP : done || (pass && onions == IN_SOUP))
        any = plan->wanted[cell] = true;
    }
  return any;
}

/* With something in its hands: to where it belongs, else to a counter, for the other to take if
 * that one alone can use it. */
static void bring(Plan *plan, int held) {
  const bool lost = held == SOUP ? !want_tiles(plan, SERVING) : !want_pots(plan, held == ONION);
  if (!lost) return;
  const bool mine = held == SOUP ? false : plan->pots;
  const int other = plan->episode->cook[1 - plan->self].held;
  /* an onion is kept until there is room again, unless a plate is needed and nobody has one */
  if (mine && held == ONION && (other == PLATE || !plan->full)) return;
  want_items(plan, NOTHING, !mine);
}

/* With free hands where pots can be got at: what the pots need next. */
static void fetch(Plan *plan) {
  const int other = plan->episode->cook[1 - plan->self].held;
  if (want_tiles(plan, SERVING)) {
    memset(plan->wanted, 0, sizeof plan->wanted);
    if (want_items(plan, SOUP, false)) return;
  }
  if (plan->full > (other == PLATE) && (want_items(plan, PLATE, false) | want_tiles(plan, PLATES)))
    return;
  if (plan->room > (other == ONION)) {
    want_items(plan, ONION, false);
    want_tiles(plan, ONIONS);
  }
}

/* With free hands where there is no pot: what the other will need, as long as there is a place left
 * to put it. */
static void supply(Plan *plan) {
  const int other = plan->episode->cook[1 - plan->self].held;
  const int plates = lying(plan, PLATE) + (other == PLATE);
  const int onions = lying(plan, ONION) + (other == ONION);
  const int places = lying(plan, NOTHING);
  if (!places) return;
  if (plates < 1 && (plan->full || onions) && want_tiles(plan, PLATES)) return;
  if (onions < plan->room && (places > 1 || plates)) want_tiles(plan, ONIONS);
}

/* Does what is needed next, and knows of the other only where it stands and what it has. Now and
 * then, and where it has nothing to do, it goes anywhere, out of the other's way. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  Plan plan;
  survey(block, state, (int)agent, &plan);
  const int held = plan.episode->cook[agent].held;
  if (held)
    bring(&plan, held);
  else if (plan.pots)
    fetch(&plan);
  else
    supply(&plan);
  action->choice = STAY;
  if (agon_random_below(random, 10))
    action->choice = towards(plan.params, plan.episode, plan.self, plan.wanted);
  if (action->choice == STAY) action->choice = (int32_t)agon_random_below(random, STAY + 1);
}

const AgonEnv env_kitchen = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "kitchen",
    .summary = "two cooks make onion soup in a narrow kitchen (Overcooked's five layouts)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .global_state = global_state,
    .metrics = metrics,
    .action_name = action_name,
    .metric_names = metric_names,
    .render = render,
    .scripted = scripted,
    .potential = potential,
    .position = position,
};
