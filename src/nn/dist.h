/* Action distributions over network outputs ("logits"): masked categorical, several of them side by
 * side, and diagonal Gaussian. One row each; rows are independent. Width: DISCRETE and
 * MULTI_DISCRETE sum of head sizes; BOX 2 * heads (means, then log standard deviations). An action
 * is a row of `heads` components. A masked component of a BOX - one that the agent's kind lacks -
 * is no part of the action: 0 is drawn, and it adds nothing to log-probability, entropy, KL or
 * gradient. */
#pragma once
#include "agon/env.h"
#include "base/rng.h"

/* How actions are drawn from what a network says. */
typedef enum ActionRule {
  RULE_SOFTMAX,  /* choices, by their probability */
  RULE_GAUSSIAN, /* numbers, around a mean */
  /* numbers, each the tanh of an output, and so within the half-ranges; with noise of one deviation
   * for all, sigma, where the decision explores */
  RULE_SQUASHED,
  /* choices, of which each output is the worth (Q): the best, or with a small probability,
   * epsilon, any */
  RULE_GREEDY_Q,
  /* choices, by their probability, mixed with any of them by the share epsilon */
  RULE_MIXED
} ActionRule;

typedef struct ActionSpace {
  AgonActionKind kind;
  uint32_t heads;
  uint32_t head_size[AGON_MAX_HEADS];
  uint32_t choices; /* width of a mask row (BOX: heads) */
  uint32_t width;   /* of a logits row */
  /* Of the heads the last so many are the network's own: their choices are drawn, recorded and
   * learned like the others', but the env is not told of them. */
  uint32_t inner;
} ActionSpace;

ActionSpace action_space(const AgonKind *layout);
/* Adds an inner head of so many choices; not to a BOX. */
void action_space_add(ActionSpace *space, uint32_t choices);
/* The heads that the env is told of, alone: they come first in all rows. */
ActionSpace action_space_outer(const ActionSpace *space);
/* out (width): log-probabilities, masked choices at -1e30; BOX: a copy, in which a masked component
 * has mean 0 and a log standard deviation of -1e30. mask may be NULL (all legal). In place allowed.
 */
void dist_normalise(const ActionSpace *space, const float *logits, const uint8_t *mask, float *out);
/* The same for R rows, one after another. */
void dist_normalise_rows(const ActionSpace *space, const float *logits, const uint8_t *mask,
                         size_t R, float *out);
/* The log-probabilities of choosing by worth: in each head any available choice with probability
 * epsilon, all alike, else the best of them (of equals the first). q: a row of worths; mask and
 * out as above, a choice that is never taken at -1e30. Choices only. In place allowed. */
void dist_greedy(const ActionSpace *space, const float *q, const uint8_t *mask, float epsilon,
                 float *out);
/* The log-probabilities of a mixture, (1 - epsilon) p + epsilon / available: R rows of choices, of
 * which `rows` holds the log-probabilities p (normalised; a masked choice is not available, and
 * stays so). In place allowed. */
void dist_mix_rows(const ActionSpace *space, const float *rows, float epsilon, size_t R,
                   float *out);
/* Makes a row of a BOX of outputs that are squashed: means tanh(logits), within -1 and 1, and log
 * deviations of the noise, log(sigma); sigma 0: there is none. mask as above. In place allowed. */
void dist_squash(const ActionSpace *space, const float *logits, const uint8_t *mask, float sigma,
                 float *out);
/* Brings the values of a BOX's action back to where -1 and 1 are the ends. */
void dist_clip(const ActionSpace *space, AgonAction *action);
/* What the best available choices are worth, summed over heads. */
float dist_best(const ActionSpace *space, const float *q, const uint8_t *mask);
/* Draws (or, greedy, takes the most probable, lowest index first) from a normalised row;
 * probability: of the row (dist_probabilities), unless greedy. Never a masked choice, as long as
 * the logits were within +-1e29. */
void dist_sample(const ActionSpace *space, const float *row, const float *probability, AgonRng *rng,
                 bool greedy, AgonAction *out);
float dist_log_prob(const ActionSpace *space, const float *row, const AgonAction *action);
float dist_entropy(const ActionSpace *space, const float *row);
/* KL(row || other), both normalised under the same mask. */
float dist_kl(const ActionSpace *space, const float *row, const float *other);
/* Probabilities of R normalised rows (masked: 0); nothing for BOX. */
void dist_probabilities(const ActionSpace *space, const float *rows, size_t R, float *out);
/* d (width) = by_log_prob * d log p(action) + by_entropy * d H + by_kl * d KL(row || other), with
 * respect to the logits. probability: of the row (dist_probabilities). `other` may be NULL when
 * by_kl is 0. Returns H. */
float dist_backward(const ActionSpace *space, const float *row, const float *probability,
                    const float *other, const AgonAction *action, float by_log_prob,
                    float by_entropy, float by_kl, float *d);
/* The same of what is drawn by the mixture (dist_mix_rows), whose log-probability and entropy the
 * derivatives are of; row and probability are those before it is mixed. Returns its entropy. */
float dist_mixed_backward(const ActionSpace *space, const float *row, const float *probability,
                          float epsilon, const AgonAction *action, float by_log_prob,
                          float by_entropy, float *d);
/* d += weight * d KL(row || other) with respect to the logits. */
void dist_add_kl(const ActionSpace *space, const float *row, const float *probability,
                 const float *other, float weight, float *d);
/* d += weight * d KL(teacher || row) with respect to the logits, which is the gradient of the cross
 * entropy -sum_a teacher(a) log row(a), too (kickstarting: Schmitt et al. 2018, section 3.2).
 * teacher (width): probabilities of the choices that the row's mask allows; BOX: means and
 * deviations above 0. Returns KL(teacher || row). */
float dist_teach(const ActionSpace *space, const float *row, const float *probability,
                 const float *teacher, float weight, float *d);
