/* The physics that the particle environments share: round bodies on a plane, pushed by their
 * agents, slowed by friction, thrown back by those they touch.
 *
 * The worlds are those of Lowe et al. 2017, "Multi-agent actor-critic for mixed cooperative-
 * competitive environments" (after Mordatch and Abbeel 2017). Rules and constants are those of
 * PettingZoo's MPE (spread, tag, adversary and reference version 3, speaker_listener version 4), or
 * with `env.rules=openai` those of the first implementation, where a step changes velocities before
 * positions and some rewards differ; each scenario says which. All arithmetic is in double, in the
 * order of those sources, so that positions and rewards are theirs to the last bit as long as
 * nobody touches anybody, and to rounding of exp and log1p where somebody does.
 *
 * A scenario is one file: which bodies there are, how an episode begins, what a step pays, what
 * agents see. It keeps the common options first in its table, and a ParticleWorld as its params.
 */
#pragma once
#include "agon/env.h"

#include <math.h>
#include <string.h>

enum {
  PARTICLES_MOST = 64,          /* agents, and landmarks */
  PARTICLES_WORDS = 10,         /* the largest vocabulary */
  PARTICLES_MOVES = 5,          /* stay, left, right, down, up */
  PARTICLES_COMPONENTS = 5 + 10 /* of a box action: moves and words */
};

/* The options that every scenario begins with, in the order that particles_begin reads. */
#define PARTICLES_OPTIONS(actions, help)                                                           \
  {"rules",                                                                                        \
   AGON_OPT_CHOICE,                                                                                \
   "pettingzoo",                                                                                   \
   0,                                                                                              \
   0,                                                                                              \
   "pettingzoo|openai",                                                                            \
   "whose: openai moves by the new velocity and has its first rewards"},                           \
      {"actions", AGON_OPT_CHOICE, "discrete", 0, 0, actions, help},                               \
      {"limit", AGON_OPT_INT, "25", 1, 10000, NULL, "steps of an episode"}, {                      \
    "time_limit", AGON_OPT_CHOICE, "cut", 0, 0, "cut|end",                                         \
        "after them the episode is cut, and would have gone on (values go on, as PettingZoo has "  \
        "it), or ends: nothing follows, as in the trainers that published results come from"       \
  }
enum { PARTICLES_FIRST_OPTION = 4 };

typedef struct Point {
  double x, y;
} Point;

/* What a body is made of. Agents move; landmarks do not. */
typedef struct ParticleBody {
  double size;      /* radius */
  double push;      /* force of one whole push */
  double top_speed; /* INFINITY: none */
  bool fixed;       /* an agent that cannot move */
  bool speaks;      /* an agent whose action says a word, too */
  char sign;        /* on the board for people */
} ParticleBody;

typedef enum ParticleActions {
  PARTICLES_DISCRETE, /* one choice: a move, or move + 5 * word */
  PARTICLES_HEADS,    /* a choice of the move, and one of the word */
  PARTICLES_BOX       /* five components in 0..1, as much of each move; then one for each word */
} ParticleActions;

/* What the options chose: the params of every scenario. */
typedef struct ParticleWorld {
  uint32_t agents;
  uint32_t landmarks;
  uint32_t words;     /* of the vocabulary that is spoken; 0: nobody speaks */
  uint32_t colliders; /* this many entities, agents first, push each other away when they touch */
  uint32_t limit;
  AgonStatus at_limit; /* how an episode stops there */
  uint32_t heads;      /* components of an action of the widest kind */
  uint32_t firsts;     /* agents of team 0 where there are two teams; else all */
  uint32_t catches;    /* simple_tag: contacts with which the predators have won */
  uint32_t goals;      /* landmarks of `goal` that are somebody's to reach, for the picture */
  uint8_t seeker[2];   /* (goals) whose */
  double ratio; /* the share of an agent's own reward, where it is mixed with the common one */
  bool openai;
  bool silent; /* what is said is not heard */
  ParticleActions actions;
  uint32_t kinds;
  AgonKind kind[2];
  uint32_t head_size[2][2];
  AgonAction idle[PARTICLES_COMPONENTS];
  float low[PARTICLES_COMPONENTS], high[PARTICLES_COMPONENTS];
  uint8_t member[PARTICLES_MOST];        /* (agents) team, which is the kind where there are two */
  ParticleBody body[2 * PARTICLES_MOST]; /* (agents + landmarks) */
  char name[PARTICLES_MOST][16];
  const char *names[PARTICLES_MOST];
} ParticleWorld;

/* One episode. Behind it lie, in doubles: positions (agents + landmarks) and velocities (agents) as
 * Points, rewards of the last step (agents), and what was said in it (agents, words). */
typedef struct ParticleEpisode {
  uint32_t time;
  uint32_t goal[2]; /* landmarks that the scenario has drawn */
  uint32_t count;   /* of the scenario's own: contacts */
  double tally[4];  /* of the scenario's own: sums for its metrics */
  double value[];
} ParticleEpisode;

static inline Point *particles_place(const ParticleWorld *world, const ParticleEpisode *episode) {
  (void)world;
  return (Point *)(uintptr_t)episode->value;
}
static inline Point *particles_velocity(const ParticleWorld *world,
                                        const ParticleEpisode *episode) {
  return particles_place(world, episode) + world->agents + world->landmarks;
}
static inline double *particles_reward(const ParticleWorld *world, const ParticleEpisode *episode) {
  return (double *)(particles_velocity(world, episode) + world->agents);
}
static inline double *particles_said(const ParticleWorld *world, const ParticleEpisode *episode,
                                     uint32_t agent) {
  return particles_reward(world, episode) + world->agents + agent * world->words;
}
static inline Point *particles_landmark(const ParticleWorld *world,
                                        const ParticleEpisode *episode) {
  return particles_place(world, episode) + world->agents;
}

/* --- configure, in this order --- */
/* Reads the common options; all bodies are of radius .05 and push with 5, as MPE's are by default.
 */
void particles_begin(ParticleWorld *world, const char *const *values, uint32_t agents,
                     uint32_t landmarks, uint32_t words);
/* Agents first..end-1 are of this kind, see `observation` floats, and are called NAME_0, NAME_1 ..
 * or, where there is one, NAME. */
void particles_kind(ParticleWorld *world, const char *name, uint32_t first, uint32_t end,
                    uint32_t observation);
/* `low` and `high`: the range of one agent's return. Two teams where there are two kinds, unless
 * `together`. */
void particles_finish(ParticleWorld *world, AgonEnvSpec *spec, bool together, double low,
                      double high, uint32_t metrics);
/* A distance that agents hardly exceed within an episode, for ranges of returns. */
double particles_far(const ParticleWorld *world);

/* --- the episode --- */
/* All agents, then all landmarks uniformly in a square: -1..1, and -reach..reach for landmarks. */
void particles_scatter(const ParticleWorld *world, ParticleEpisode *episode,
                       const AgonRandom *random, double reach);
/* One step of the physics: pushes, contacts, motion, words. */
void particles_move(const ParticleWorld *world, ParticleEpisode *episode,
                    const AgonAction *actions);
/* The older rules pay each agent of a team that works together the sum of all agents' rewards. */
void particles_pool(const ParticleWorld *world, ParticleEpisode *episode);
/* Adds the step's rewards to those of the host, and counts the step. */
AgonStatus particles_pay(const ParticleWorld *world, ParticleEpisode *episode, float *reward);

static inline double particles_square(Point a, Point b) {
  double x = a.x - b.x;
  double y = a.y - b.y;
  return x * x + y * y;
}
static inline double particles_distance(Point a, Point b) {
  return sqrt(particles_square(a, b));
}

/* The distance from a landmark to whichever of agents first..end-1 is nearest. The root keeps the
 * order, so that one is enough. */
static inline double particles_nearest(const ParticleWorld *world, const ParticleEpisode *episode,
                                       Point to, uint32_t first, uint32_t end) {
  const Point *place = particles_place(world, episode);
  double least = INFINITY;
  for (uint32_t a = first; a < end; a++) {
    double square = particles_square(place[a], to);
    least = square < least ? square : least;
  }
  return sqrt(least);
}

/* Whether two agents overlap. */
static inline bool particles_touch(const ParticleWorld *world, const ParticleEpisode *episode,
                                   uint32_t a, uint32_t b) {
  const Point *place = particles_place(world, episode);
  return particles_distance(place[a], place[b]) < world->body[a].size + world->body[b].size;
}

/* --- what agents see; each writes and returns the place behind --- */
static inline float *particles_put(float *row, Point point) {
  row[0] = (float)point.x;
  row[1] = (float)point.y;
  return row + 2;
}
static inline float *particles_put_from(float *row, Point to, Point from) {
  row[0] = (float)(to.x - from.x);
  row[1] = (float)(to.y - from.y);
  return row + 2;
}
static inline float *particles_put_landmarks(const ParticleWorld *world,
                                             const ParticleEpisode *episode, uint32_t agent,
                                             float *row) {
  const Point *place = particles_place(world, episode);
  for (uint32_t i = 0; i < world->landmarks; i++)
    row = particles_put_from(row, place[world->agents + i], place[agent]);
  return row;
}

static inline float *particles_put_others(const ParticleWorld *world,
                                          const ParticleEpisode *episode, uint32_t agent,
                                          float *row) {
  const Point *place = particles_place(world, episode);
  for (uint32_t a = 0; a < world->agents; a++)
    if (a != agent) row = particles_put_from(row, place[a], place[agent]);
  return row;
}

static inline float *particles_put_words(const ParticleWorld *world, const ParticleEpisode *episode,
                                         uint32_t agent, float *row) {
  for (uint32_t a = 0; a < world->agents; a++) {
    if (a == agent) continue;
    const double *said = particles_said(world, episode, a);
    for (uint32_t i = 0; i < world->words; i++)
      *row++ = (float)said[i];
  }
  return row;
}
/* The rows of all agents one after another, as PettingZoo's state(). */
static inline void particles_state(const ParticleWorld *world, const void *episode, float *row,
                                   void (*observe)(const void *, const void *, uint32_t, void *)) {
  for (uint32_t a = 0; a < world->agents; a++) {
    observe(world, episode, a, row);
    row += world->kind[world->member[a]].observation_shape[0];
  }
}
/* view_many for agents of one kind, to whom everything is legal. */
static inline void particles_view(const ParticleWorld *world, size_t count,
                                  const void *const *episodes, const uint32_t *agents, void *rows,
                                  uint8_t *masks,
                                  void (*observe)(const void *, const void *, uint32_t, void *)) {
  const size_t width = world->kind[0].observation_shape[0];
  for (size_t i = 0; i < count; i++)
    observe(world, episodes[i], agents[i], (float *)rows + i * width);
  if (world->actions == PARTICLES_BOX) return;
  size_t choices = world->head_size[0][0] + world->head_size[0][1];
  memset(masks, 1, count * choices);
}

/* --- rule-based players --- */
/* Goes to `target` and stays there. */
void particles_go(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t agent,
                  Point target, AgonAction *action);
/* Says a word beside whatever move the action has. */
void particles_say(const ParticleWorld *world, uint32_t agent, uint32_t word, AgonAction *action);
/* The word that the agent said loudest in the last step, or `none`. */
uint32_t particles_heard(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t agent,
                         uint32_t none);
/* Shares landmarks out among agents first..end-1, each one's own, or as many to each where they are
 * fewer, so that all ways together are shortest; returns that of `agent`. */
uint32_t particles_share(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t first,
                         uint32_t end, uint32_t agent);

/* --- functions of the table --- */
void particles_flags(const void *world, const void *episode, uint8_t *flags);
void particles_position(const void *world, const void *episode, uint32_t agent, float xyz[3]);
const char *particles_action_name(const void *world, uint32_t head, uint32_t choice);
void particles_render(const void *world, const void *episode, char *text, size_t size);
/* Puts more behind the last line of such a picture. */
void particles_add(char *text, size_t size, const char *more);
