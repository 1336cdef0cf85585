/* What the conformance suite works with: episodes that are played side by side, and room for what
 * their env writes. clauses.c looks at one position, conformance.c plays; nobody else includes it.
 */
#pragma once
#include "env/env.h"

enum { GUARD = 64, FILL = 0xA5, PICTURE = 4096 };

/* What can be seen of an episode, as copies: so that it can be compared with what is seen of
 * another one later, when the env may have moved on. */
typedef struct View {
  uint8_t *flags;           /* (agents) */
  uint8_t *rows;            /* (agents, observation_bytes) */
  uint8_t *masks;           /* (agents, action_count) of those who act */
  float *global;            /* (global_state_size) */
  float *outcome, *metrics; /* (teams), (metrics): after the end */
  bool ended;
} View;

/* An episode between two guards. */
typedef struct Block {
  uint8_t *bytes;
  bool made; /* created by the env, which must destroy it */
} Block;

/* All of a suite. The twin becomes a copy of the first before each step; `earlier` and `plain` are
 * copies of the position one step before, where the env steps many at once. */
typedef struct Probe {
  const Env *env;
  Block first, twin, earlier, plain;
  View seen;  /* of the first, since its last move */
  View again; /* of another that must look the same; or of the first once more */
  View aside; /* of a third */
  uint8_t *row, *row2, *mask;
  uint8_t *flags;          /* (2, agents) and one byte more */
  float *reward, *reward2; /* (agents) */
  float *many;             /* (2, agents) and one more: rewards of a step_many */
  float *phi;              /* (2, agents) and one more */
  float *outcome;          /* (teams) and one more */
  float *team;             /* (teams) */
  float *metric;           /* (metrics) and one more */
  float *total;            /* (agents) */
  AgonAction *action;      /* (agents, heads) */
  AgonAction *both;        /* (2, agents, heads) of a step_many; the first row one step before */
  AgonAction *script;      /* (heads) and one more */
  float *knob;             /* (knobs) */
  char *text, *text2;      /* (PICTURE + 1) pictures and names */
  Bytes saved, before;     /* the position, and the one a step before */
  AgonRng before_rng;
  Bytes line; /* the game so far: outcomes of chance, and actions of those who acted */
  size_t checks;
  uint64_t seed;
  uint32_t number, steps;
} Probe;

/* The episode, behind its guard. */
static inline void *episode_of(const Block *block) {
  return block->bytes + GUARD;
}

/* ERR_ENV with the clause, and with seed and line of play, so that the step can be played again. */
__attribute__((format(printf, 2, 3))) Status broken(const Probe *probe, const char *clause, ...);
/* ERR_ENV: what the env said. An env that the suite plays must not fail. */
Status failed(const Probe *probe, const char *where);
/* Whether the bytes before and behind `size` bytes are as they were filled. */
bool guarded(const uint8_t *block, size_t size);

/* Room for a View, and its end; accepts one without room. */
Status view_create(const Env *env, View *out);
void view_destroy(View *view);
/* Looks at an episode that waits for a decision, or has ended. */
void view_take(const Probe *probe, const void *episode, AgonStatus status, View *out);
/* ERR_ENV unless they are the same; `what` says of whom they are. */
Status view_compare(const Probe *probe, const View *one, const View *two, const char *what);

/* The names that the table gives, once for all episodes. */
Status check_names(Probe *probe);
/* What every agent sees and may do, and a random action for each who acts, in probe->action. */
Status check_agents(Probe *probe, const void *episode, AgonStatus status, AgonRng *rng);
/* One agent's own row: in bounds, finite, repeatable, written in full. */
Status check_observation(Probe *probe, const void *episode, uint32_t agent);
/* What is offered beside the game itself, of the first. */
Status check_extras(Probe *probe);
/* Outcomes, metrics and returns of the first, after its end. */
Status check_end(Probe *probe);
/* Probabilities of a pending chance move; *out is valid until the next call of the env. */
Status check_chance(Probe *probe, const void *episode, uint32_t *count, const double **out);
