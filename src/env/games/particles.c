#include "env/games/particles.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of PettingZoo's core: time of a step, share of the velocity that friction takes in it, force and
 * softness of contacts. */
static const double STEP = 0.1, FRICTION = 0.25, CONTACT = 100, MARGIN = 0.001;
/* Bodies farther apart than so many margins feel a force below 1e-44: no row and no position
 * changes by it, so that exp need not be called for most pairs. */
static const double FELT = 104;

/* Which way each move pushes. */
static const Point way[PARTICLES_MOVES] = {{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}};

/* --- configure --- */
void particles_begin(ParticleWorld *world, const char *const *values, uint32_t agents,
                     uint32_t landmarks, uint32_t words) {
  *world = (ParticleWorld){.agents = agents, .landmarks = landmarks, .words = words};
  world->openai = !strcmp(values[0], "openai");
  world->actions = !strcmp(values[1], "box")     ? PARTICLES_BOX
                   : !strcmp(values[1], "heads") ? PARTICLES_HEADS
                                                 : PARTICLES_DISCRETE;
  world->limit = (uint32_t)atoi(values[2]);
  world->at_limit = !strcmp(values[3], "end") ? AGON_TERMINATED : AGON_TRUNCATED;
  world->firsts = agents;
  for (uint32_t i = 0; i < PARTICLES_COMPONENTS; i++)
    world->high[i] = 1;
  for (uint32_t i = 0; i < agents + landmarks; i++) {
    world->body[i] = (ParticleBody){.size = 0.05, .push = 5, .top_speed = INFINITY};
    world->body[i].fixed = i >= agents;
    world->body[i].sign = (char)(i < agents ? 'A' + i % 26 : '1' + (i - agents) % 9);
  }
}

/* The space of actions of a kind, from what the first of its agents can do. */
static void lay_actions(ParticleWorld *world, AgonKind *kind, const ParticleBody *body) {
  uint32_t moves = body->fixed ? 0 : PARTICLES_MOVES;
  uint32_t words = body->speaks ? world->words : 0;
  uint32_t *size = world->head_size[world->kinds];
  kind->idle = world->idle;
  if (world->actions == PARTICLES_BOX) {
    kind->action_kind = AGON_BOX;
    kind->heads = moves + words;
    kind->action_low = world->low;
    kind->action_high = world->high;
  } else if (world->actions == PARTICLES_HEADS && moves && words) {
    kind->action_kind = AGON_MULTI_DISCRETE;
    kind->heads = 2;
    size[0] = moves;
    size[1] = words;
  } else {
    kind->heads = 1;
    size[0] = (moves ? moves : 1) * (words ? words : 1);
  }
  kind->head_size = world->actions == PARTICLES_BOX ? NULL : size;
  if (kind->heads > world->heads) world->heads = kind->heads;
}

void particles_kind(ParticleWorld *world, const char *name, uint32_t first, uint32_t end,
                    uint32_t observation) {
  AgonKind *kind = &world->kind[world->kinds];
  *kind = (AgonKind){.name = name,
                     .observation_type = AGON_F32,
                     .observation_shape = {observation, 1, 1},
                     .observation_low = -INFINITY,
                     .observation_high = INFINITY};
  lay_actions(world, kind, &world->body[first]);
  for (uint32_t a = first; a < end; a++) {
    world->member[a] = (uint8_t)world->kinds;
    if (end - first == 1)
      snprintf(world->name[a], sizeof world->name[a], "%s", name);
    else
      snprintf(world->name[a], sizeof world->name[a], "%s_%u", name, a - first);
    world->names[a] = world->name[a];
  }
  if (world->kinds == 0) world->firsts = end;
  world->kinds++;
}

void particles_finish(ParticleWorld *world, AgonEnvSpec *spec, bool together, double low,
                      double high, uint32_t metrics) {
  const bool several = world->kinds > 1 && !together;
  /* the older rules have paid each the sum already */
  const uint32_t add = world->openai ? 0 : AGON_RETURNS_ADD;
  size_t doubles = 2 * (2 * world->agents + world->landmarks) + world->agents * (1 + world->words);
  *spec = (AgonEnvSpec){.params_size = sizeof *world,
                        .episode_size = sizeof(ParticleEpisode) + doubles * sizeof(double),
                        .agents = world->agents,
                        .teams = several ? 2 : 1,
                        .team_of = several ? world->member : NULL,
                        .kinds = world->kinds,
                        .kind = world->kind,
                        .kind_of = world->member,
                        .step_limit = world->limit,
                        .flags = AGON_SIMULTANEOUS | (several ? 0u : AGON_COOPERATIVE | add),
                        .reward_low = (float)low,
                        .reward_high = (float)high,
                        .metrics = metrics,
                        .agent_names = world->names};
  for (uint32_t a = 0; a < world->agents; a++)
    spec->global_state_size += world->kind[world->member[a]].observation_shape[0];
}

/* From corner to corner, and two agents that push away from each other all the time: the speed at
 * which friction takes what a push along both axes gives. Contacts may throw them a little further.
 */
double particles_far(const ParticleWorld *world) {
  double speed = sqrt(2) * 5 * STEP / FRICTION;
  return 2 * sqrt(2) + 3 + 2 * speed * STEP * world->limit;
}

/* --- the episode --- */
static Point scattered(const AgonRandom *random, double reach) {
  double x = agon_random_unit(random);
  double y = agon_random_unit(random);
  return (Point){reach * (2 * x - 1), reach * (2 * y - 1)};
}

void particles_scatter(const ParticleWorld *world, ParticleEpisode *episode,
                       const AgonRandom *random, double reach) {
  size_t doubles = 2 * (2 * world->agents + world->landmarks) + world->agents * (1 + world->words);
  Point *place = particles_place(world, episode);
  memset(episode, 0, sizeof *episode + doubles * sizeof(double));
  for (uint32_t i = 0; i < world->agents + world->landmarks; i++)
    place[i] = scattered(random, i < world->agents ? 1 : reach);
}

/* The agent's row of components says how it pushes, and what it says. In a box the difference of
 * two components is taken in float, as the sources do with their float actions. */
static void act(const ParticleWorld *world, ParticleEpisode *episode, uint32_t agent,
                const AgonAction *action, Point *force) {
  const ParticleBody *body = &world->body[agent];
  double *said = particles_said(world, episode, agent);
  Point push = {0, 0};
  uint32_t word = 0;
  if (world->actions == PARTICLES_BOX) {
    if (!body->fixed) {
      push.x = (double)(action[2].value - action[1].value);
      push.y = (double)(action[4].value - action[3].value);
      action += PARTICLES_MOVES;
    }
    for (uint32_t i = 0; body->speaks && i < world->words; i++)
      said[i] = (double)action[i].value;
  } else {
    uint32_t choice = (uint32_t)action[0].choice;
    if (!body->speaks || body->fixed) { /* saves a division */
      push = way[body->fixed ? 0 : choice];
      word = choice;
    } else {
      push = way[choice % PARTICLES_MOVES];
      word = choice / PARTICLES_MOVES;
    }
    if (world->actions == PARTICLES_HEADS && !body->fixed && body->speaks)
      word = (uint32_t)action[1].choice;
    for (uint32_t i = 0; body->speaks && i < world->words; i++)
      said[i] = i == word;
  }
  *force = (Point){push.x * body->push, push.y * body->push};
}

/* log(1 + exp(x)), which grows like x where bodies overlap and fades where they are apart. */
static double soft(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Adds what a and b, one of them at least an agent, do to each other. At the same spot there is no
 * direction, and no force. */
static void collide(const ParticleWorld *world, const Point *place, uint32_t a, uint32_t b,
                    Point *force) {
  double reach = world->body[a].size + world->body[b].size;
  double square = particles_square(place[a], place[b]);
  double near = reach + FELT * MARGIN;
  if (square > near * near) return;
  double distance = sqrt(square);
  if (distance <= 0) return;
  double depth = soft(-(distance - reach) / MARGIN) * MARGIN;
  double x = CONTACT * (place[a].x - place[b].x) / distance * depth;
  double y = CONTACT * (place[a].y - place[b].y) / distance * depth;
  force[a] = (Point){x + force[a].x, y + force[a].y};
  if (b < world->agents) force[b] = (Point){-x + force[b].x, -y + force[b].y};
}

static void travel(Point *place, const Point *velocity) {
  place->x += velocity->x * STEP;
  place->y += velocity->y * STEP;
}

void particles_move(const ParticleWorld *world, ParticleEpisode *episode,
                    const AgonAction *actions) {
  Point force[PARTICLES_MOST];
  Point *place = particles_place(world, episode);
  Point *velocity = particles_velocity(world, episode);
  for (uint32_t a = 0; a < world->agents; a++)
    act(world, episode, a, actions + a * world->heads, &force[a]);
  for (uint32_t a = 0; a < world->agents; a++)
    for (uint32_t b = a + 1; b < world->colliders; b++)
      collide(world, place, a, b, force);
  for (uint32_t a = 0; a < world->agents; a++) {
    const ParticleBody *body = &world->body[a];
    Point *v = &velocity[a];
    if (body->fixed) continue;
    if (!world->openai) travel(&place[a], v);
    v->x = v->x * (1 - FRICTION) + force[a].x * STEP;
    v->y = v->y * (1 - FRICTION) + force[a].y * STEP;
    if (body->top_speed < INFINITY) {
      double speed = sqrt(v->x * v->x + v->y * v->y);
      if (speed > body->top_speed)
        *v = (Point){v->x / speed * body->top_speed, v->y / speed * body->top_speed};
    }
    if (world->openai) travel(&place[a], v);
  }
}

void particles_pool(const ParticleWorld *world, ParticleEpisode *episode) {
  double *paid = particles_reward(world, episode);
  double sum = 0;
  for (uint32_t a = 0; a < world->agents; a++)
    sum += paid[a];
  for (uint32_t a = 0; a < world->agents; a++)
    paid[a] = sum;
}

AgonStatus particles_pay(const ParticleWorld *world, ParticleEpisode *episode, float *reward) {
  const double *paid = particles_reward(world, episode);
  for (uint32_t a = 0; a < world->agents; a++)
    reward[a] += (float)paid[a];
  return ++episode->time >= world->limit ? world->at_limit : AGON_RUNNING;
}

/* --- rule-based players --- */
/* How far from `target` a body will be, summed over the next steps, if it is pushed now and glides
 * after that. */
static double way_left(const ParticleWorld *world, Point at, Point v, Point push, Point target) {
  enum { AHEAD = 5 };
  double sum = 0;
  for (int i = 0; i < AHEAD; i++) {
    if (!world->openai) travel(&at, &v);
    v.x = v.x * (1 - FRICTION) + (i == 0 ? push.x * STEP : 0);
    v.y = v.y * (1 - FRICTION) + (i == 0 ? push.y * STEP : 0);
    if (world->openai) travel(&at, &v);
    sum += particles_distance(at, target);
  }
  return sum;
}

/* In a box the push is exact. Without one an agent still glides: friction leaves 3/4 of its
 * velocity from step to step, so that four steps' way of it lies ahead, or three where the new
 * velocity moves it; and a whole push adds four steps of what it gives. Of discrete moves the one
 * is taken after which the next steps are nearest. */
void particles_go(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t agent,
                  Point target, AgonAction *action) {
  const Point at = particles_place(world, episode)[agent];
  const Point v = particles_velocity(world, episode)[agent];
  const double whole = world->body[agent].push;
  if (world->actions == PARTICLES_BOX) {
    double glide = (world->openai ? 1 - FRICTION : 1) * STEP / FRICTION;
    double reach = whole * STEP * STEP / FRICTION;
    double x = (target.x - at.x - glide * v.x) / reach;
    double y = (target.y - at.y - glide * v.y) / reach;
    memset(action, 0, PARTICLES_MOVES * sizeof *action);
    action[x > 0 ? 2 : 1].value = (float)fmin(fabs(x), 1);
    action[y > 0 ? 4 : 3].value = (float)fmin(fabs(y), 1);
    return;
  }
  double least = INFINITY;
  for (int i = 0; i < PARTICLES_MOVES; i++) {
    Point push = {way[i].x * whole, way[i].y * whole};
    double left = way_left(world, at, v, push, target);
    if (!(left < least)) continue;
    least = left;
    action->choice = i;
  }
}

void particles_say(const ParticleWorld *world, uint32_t agent, uint32_t word, AgonAction *action) {
  uint32_t moves = world->body[agent].fixed ? 0 : PARTICLES_MOVES;
  if (world->actions == PARTICLES_BOX) {
    for (uint32_t i = 0; i < world->words; i++)
      action[moves + i].value = i == word;
  } else if (world->actions == PARTICLES_HEADS && moves) {
    action[1].choice = (int32_t)word;
  } else {
    action->choice = (int32_t)(moves ? (uint32_t)action->choice + moves * word : word);
  }
}

uint32_t particles_heard(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t agent,
                         uint32_t none) {
  const double *said = particles_said(world, episode, agent);
  double most = 0;
  for (uint32_t i = 0; i < world->words; i++) {
    if (!(said[i] > most)) continue;
    most = said[i];
    none = i;
  }
  return none;
}

/* Where agents outnumber landmarks, these are listed again and again until they do not. */
enum { COLUMNS_MOST = 2 * PARTICLES_MOST };

/* The cheapest way to give each of `rows` agents a column of its own, of `columns` >= rows, by the
 * Hungarian method: agents come in one by one, and each takes its column along the chain of changes
 * that costs least by the prices that rows and columns have got so far. owner[column]: agent + 1.
 */
static void assign(const double *cost, uint32_t rows, uint32_t columns, uint32_t *owner) {
  double row_price[PARTICLES_MOST + 1] = {0};
  double column_price[COLUMNS_MOST + 1] = {0};
  uint32_t from[COLUMNS_MOST + 1] = {0}; /* the column before in the chain */
  memset(owner, 0, (columns + 1) * sizeof *owner);
  for (uint32_t row = 1; row <= rows; row++) {
    double slack[COLUMNS_MOST + 1];
    bool used[COLUMNS_MOST + 1] = {false};
    uint32_t column = 0; /* 0 stands for the one who comes in */
    owner[0] = row;
    for (uint32_t j = 0; j <= columns; j++)
      slack[j] = INFINITY;
    while (owner[column]) {
      double step = INFINITY;
      uint32_t next = 0;
      uint32_t who = owner[column];
      used[column] = true;
      for (uint32_t j = 1; j <= columns; j++) {
        if (used[j]) continue;
        double reduced = cost[(who - 1) * columns + j - 1] - row_price[who] - column_price[j];
        if (reduced < slack[j]) {
          slack[j] = reduced;
          from[j] = column;
        }
        if (slack[j] < step) {
          step = slack[j];
          next = j;
        }
      }
      for (uint32_t j = 0; j <= columns; j++) {
        if (used[j]) {
          row_price[owner[j]] += step;
          column_price[j] -= step;
        } else {
          slack[j] -= step;
        }
      }
      column = next;
    }
    for (; column; column = from[column])
      owner[column] = owner[from[column]];
  }
}

uint32_t particles_share(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t first,
                         uint32_t end, uint32_t agent) {
  const Point *place = particles_place(world, episode);
  const Point *landmark = particles_landmark(world, episode);
  const uint32_t rows = end - first;
  const uint32_t rounds = (rows + world->landmarks - 1) / world->landmarks;
  const uint32_t columns = rounds * world->landmarks;
  double cost[PARTICLES_MOST * COLUMNS_MOST];
  uint32_t owner[COLUMNS_MOST + 1];
  for (uint32_t a = 0; a < rows; a++)
    for (uint32_t j = 0; j < columns; j++)
      cost[a * columns + j] = particles_distance(place[first + a], landmark[j % world->landmarks]);
  assign(cost, rows, columns, owner);
  for (uint32_t j = 1; j <= columns; j++)
    if (owner[j] == agent - first + 1) return (j - 1) % world->landmarks;
  return 0;
}

/* --- functions of the table --- */
/* Nobody leaves. An episode is cut, never over: all would act if it went on. */
void particles_flags(const void *block, const void *state, uint8_t *flags) {
  const ParticleWorld *world = block;
  (void)state;
  memset(flags, AGON_ACTS | AGON_ALIVE, world->agents);
}

void particles_position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  const Point at = particles_place(block, state)[agent];
  xyz[0] = (float)at.x;
  xyz[1] = (float)at.y;
  xyz[2] = 0;
}

/* Of the widest kind: joint choices of moves and words are numbered word by word. */
const char *particles_action_name(const void *block, uint32_t head, uint32_t choice) {
#define MOVES(word) "stay" word, "left" word, "right" word, "down" word, "up" word
  static const char *const move[] = {MOVES("")};
  static const char *const word[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
  static const char *const both[] = {
      MOVES(", say A"), MOVES(", say B"), MOVES(", say C"), MOVES(", say D"), MOVES(", say E"),
      MOVES(", say F"), MOVES(", say G"), MOVES(", say H"), MOVES(", say I"), MOVES(", say J")};
#undef MOVES
  const ParticleWorld *world = block;
  if (world->actions == PARTICLES_BOX) return NULL;
  if (head == 1) return word[choice];
  bool joint = world->actions == PARTICLES_DISCRETE && world->head_size[0][0] > PARTICLES_MOVES;
  return joint ? both[choice] : move[choice];
}

enum { COLUMNS = 49, ROWS = 25 };

/* Where a place lies on the board, whose edges are at -1.2 and 1.2; what is beyond stands at the
 * edge. */
static void spot(Point at, int *column, int *row) {
  double x = (fmin(fmax(at.x, -1.2), 1.2) + 1.2) / 2.4;
  double y = (1.2 - fmin(fmax(at.y, -1.2), 1.2)) / 2.4;
  *column = (int)lround(x * (COLUMNS - 1));
  *row = (int)lround(y * (ROWS - 1));
}

/* A body that others can touch is a disc: an obstacle of #, an agent of its sign as a small
 * letter. */
static void draw_disc(char *board, Point at, const ParticleBody *body) {
  const char fill = (char)tolower((unsigned char)body->sign);
  for (int row = 0; row < ROWS; row++)
    for (int column = 0; column < COLUMNS; column++) {
      Point here = {2.4 * column / (COLUMNS - 1) - 1.2, 1.2 - 2.4 * row / (ROWS - 1)};
      if (particles_distance(here, at) <= body->size) board[row * (COLUMNS + 1) + column] = fill;
    }
}

/* Who is who: "; agents A B C; landmarks 1 2 3". Signs that several share are told once. */
static int put_signs(const ParticleWorld *world, char *text, size_t size) {
  int used = 0;
  for (uint32_t k = 0; k <= world->kinds; k++) {
    const bool landmarks = k == world->kinds;
    const uint32_t first = landmarks ? world->agents : 0;
    const uint32_t end = first + (landmarks ? world->landmarks : world->agents);
    char told[2 * PARTICLES_MOST + 1] = "";
    for (uint32_t i = first; i < end; i++) {
      const char sign[2] = {world->body[i].sign, 0};
      if ((!landmarks && world->member[i] != k) || strchr(told, *sign)) continue;
      if (used < 0 || (size_t)used >= size) return used;
      if (!*told)
        used += snprintf(text + used, size - (size_t)used, "; %s",
                         landmarks ? "landmarks" : world->kind[k].name);
      if ((size_t)used < size) used += snprintf(text + used, size - (size_t)used, " %s", sign);
      strcat(told, sign);
    }
  }
  return used;
}

/* Who is to go where, though not all of them know it: "; A is to go to 2, B to 3". */
static int put_goals(const ParticleWorld *world, const ParticleEpisode *episode, char *text,
                     size_t size) {
  int used = 0;
  for (uint32_t i = 0; i < world->goals && used >= 0 && (size_t)used < size; i++)
    used += snprintf(text + used, size - (size_t)used, i ? ", %c to %c" : "; %c is to go to %c",
                     world->body[world->seeker[i]].sign,
                     world->body[world->agents + episode->goal[i]].sign);
  return used;
}

/* A picture of the square from -1.2 to 1.2, landmarks first, and a line on who is who, is to go
 * where and says what. */
void particles_render(const void *block, const void *state, char *text, size_t size) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  const Point *place = particles_place(world, episode);
  char board[ROWS * (COLUMNS + 1) + 1];
  memset(board, '.', sizeof board);
  for (int row = 0; row < ROWS; row++)
    board[row * (COLUMNS + 1) + COLUMNS] = '\n';
  board[sizeof board - 1] = 0;
  for (uint32_t i = world->agents; i < world->agents + world->landmarks; i++)
    if (i < world->colliders) draw_disc(board, place[i], &world->body[i]);
  for (uint32_t i = 0; i < world->agents && i < world->colliders; i++)
    draw_disc(board, place[i], &world->body[i]);
  for (uint32_t i = world->agents + world->landmarks; i-- > 0;) { /* agents over landmarks */
    int column, row;
    spot(place[i], &column, &row);
    board[row * (COLUMNS + 1) + column] = world->body[i].sign;
  }
  int used = snprintf(text, size, "%sstep %u of %u", board, episode->time, world->limit);
  if (used >= 0 && (size_t)used < size) used += put_signs(world, text + used, size - (size_t)used);
  if (used >= 0 && (size_t)used < size)
    used += put_goals(world, episode, text + used, size - (size_t)used);
  for (uint32_t a = 0; a < world->agents && used >= 0 && (size_t)used < size; a++) {
    if (!world->body[a].speaks) continue;
    uint32_t word = particles_heard(world, episode, a, PARTICLES_WORDS);
    used += snprintf(text + used, size - (size_t)used, "; %s says %c", world->names[a],
                     word < PARTICLES_WORDS ? (char)('A' + word) : '-');
  }
  if (used >= 0 && (size_t)used + 1 < size) memcpy(text + used, "\n", 2);
}

void particles_add(char *text, size_t size, const char *more) {
  const size_t length = strlen(text);
  const size_t end = length > 0 && text[length - 1] == '\n' ? length - 1 : length;
  snprintf(text + end, size - end, "%s\n", more);
}
