/* A game that is over after one choice of two agents, as the tables of its payoffs. */
#pragma once
#include "env/env.h"
#include "meta/dynamics.h"

/* The tables; form's are theirs. Start from {0}. */
typedef struct FormTables {
  Bimatrix form;
  double a[DYNAMICS_MOST * DYNAMICS_MOST], b[DYNAMICS_MOST * DYNAMICS_MOST];
} FormTables;

/* Plays each pair of choices once. ERR_USAGE where the env is no such game: it says why. ERR_ENV,
 * ERR_MEMORY. */
Status form_read(const Env *env, FormTables *out);
