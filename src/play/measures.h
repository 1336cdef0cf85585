/* What is measured of an episode beside returns and outcomes: the env's own metrics and, where what
 * one gains is not what the others lose, how well all fare together (meta/social.h). */
#pragma once
#include "env/env.h"
#include "meta/social.h"

/* Whether teams meet in a game that is not declared zero-sum: there each team's own return counts,
 * whatever the other's. */
bool is_general_sum(const Env *env);

/* Measures of an env, by number. Social ones are over teams, in general-sum games; or over the
 * agents of the one team of a game whose agents earn for themselves (AGON_RETURNS_ADD), without the
 * mean, which is the team's return. One that has the name of an env's own metric is left out. */
typedef struct Measures {
  const Env *env; /* borrowed */
  size_t count;
  size_t own; /* the first so many are the env's */
  const char *name[MEASURES];
  uint8_t social[MEASURES]; /* of the others: which of meta/social.h */
  bool of_agents;           /* the social ones are over agents */
} Measures;

void measures_of(const Env *env, Measures *out);
/* Of an episode that has ended. returns: of each team, or with of_agents of each agent; NULL: not
 * known, and only the env's own are written. out: (count). */
void measures_take(const Measures *measures, const void *episode, const double *returns,
                   double *out);
