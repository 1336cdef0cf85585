/* The updates of classic learners, each a pure function of the numbers that it is given: what a
 * learner keeps, and when it learns, is its caller's (src/classics). A target is r + discount *
 * value of what follows, or r alone at an end. Tables of stage games are row-major: own choices are
 * rows. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Most choices a player for which nash_value looks through all supports: of 6 there are 923 pairs,
 * of 10 there would be 184,755. */
enum { NASH_MOST = 6 };

/* Q-learning (Watkins 1989): moves a worth by `rate` of its distance from the target. */
void q_update(double *q, double rate, double target);
/* Hysteretic Q-learning (Matignon, Laurent and Le Fort-Piat 2007): bad news, which may be a
 * teammate's exploration, counts by the smaller rate `down`. */
void hysteretic_update(double *q, double up, double down, double target);
/* Lenient Q-learning (Panait, Sullivan and Luke 2006): bad news is passed over with probability 1 -
 * exp(-leniency * temperature), so the likelier the hotter the pair of state and action; each call
 * cools it by the factor `cooling`. unit: a draw from 0 .. 1. */
void lenient_update(double *q, double *temperature, double rate, double target, double leniency,
                    double cooling, double unit);
/* The mixture of a stage game q (own, other) that guarantees most, mix (own), and what it
 * guarantees, as meta_nash has them: by a simplex of that size, 200 times as fast, or beyond 16
 * choices by the library. ERR_MEMORY, ERR_INTERNAL (numbers that are not finite). */
Status minimax_value(const double *q, size_t own, size_t other, double *mix, double *value);
/* Minimax-Q (Littman 1994): moves q at one pair of choices, then solves the stage game as
 * minimax_value does, whose errors it has. */
Status minimax_update(double *q, size_t own, size_t other, size_t at, double rate, double target,
                      double *mix, double *value);
/* The equilibrium of a game of two (rows, columns) with the highest sum of payoffs, among those of
 * supports of equal size, which are looked through; the first found of equals. Zero-sum games,
 * whose equilibria are all worth the same, are solved as by minimax_value. row_mix (rows),
 * column_mix (columns), value: what each is paid. False where there is none, or a player has more
 * than NASH_MOST choices: both are then uniform. */
bool nash_value(const double *a, const double *b, size_t rows, size_t columns, double *row_mix,
                double *column_mix, double value[2]);
/* Nash-Q (Hu and Wellman 2003): moves both players' worths of one pair of choices, then finds the
 * stage game's equilibrium as nash_value does, whose answer it passes on. */
bool nash_update(double *a, double *b, size_t rows, size_t columns, size_t at, double rate,
                 const double target[2], double *row_mix, double *column_mix, double value[2]);
/* A softmax of `count` worths at a temperature > 0. */
void boltzmann(const double *q, size_t count, double temperature, double *out);
