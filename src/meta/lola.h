/* Learning with opponent-learning awareness (Foerster et al. 2018), exactly: two players of an
 * iterated game of two choices each, whose policies remember one round. Values come of a linear
 * system of four states, and derivatives of the same arithmetic over dual numbers, so that nothing
 * is estimated. */
#pragma once

/* A policy: logits of the first choice in the first round, and after (own, other's) first/first,
 * first/second, second/first, second/second. */
enum { LOLA_LOGITS = 5 };

/* What is played again and again. */
typedef struct IteratedGame {
  double payoff[2][4]; /* [player][2 * row's choice + column's choice] */
  double discount;     /* of a round, < 1 */
} IteratedGame;

/* The discounted sums of both players' payoffs. logits[player] */
void lola_value(const IteratedGame *game, double logits[2][LOLA_LOGITS], double value[2]);
/* How often each player makes its first choice, a round weighted as its payoff is: 0 .. 1. */
void lola_first_choices(const IteratedGame *game, double logits[2][LOLA_LOGITS], double share[2]);
/* The direction in which a player moves: the gradient of its own value; and, with `inner` > 0, that
 * of what the other's next step, of rate `inner` along its own gradient, brings it: inner * (d
 * V_own / d other) (d^2 V_other / d own d other). */
void lola_gradient(const IteratedGame *game, double logits[2][LOLA_LOGITS], int player,
                   double inner, double out[LOLA_LOGITS]);
/* Both move at once by `rate` of it. inner 0: naive learners. */
void lola_step(const IteratedGame *game, double rate, double inner, double logits[2][LOLA_LOGITS]);
