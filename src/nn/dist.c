#include "nn/dist.h"

#include "nn/kernels/kernels.h"
#include "nn/kernels/vmath.h"

#include <math.h>
#include <string.h>

/* What a normalised row holds where a choice, or a component of a BOX, is not to be had. */
#define MASKED -1e30f

/* How many outputs a policy needs: a logit per choice of each head; for boxes a mean and a log
 * standard deviation per head. */
ActionSpace action_space(const AgonKind *layout) {
  ActionSpace space = {.kind = layout->action_kind, .heads = layout->heads};
  for (uint32_t h = 0; h < layout->heads; h++) {
    space.head_size[h] = layout->action_kind == AGON_BOX ? 1 : layout->head_size[h];
    space.choices += space.head_size[h];
  }
  space.width = layout->action_kind == AGON_BOX ? 2 * layout->heads : space.choices;
  return space;
}

void action_space_add(ActionSpace *space, uint32_t choices) {
  space->kind = AGON_MULTI_DISCRETE;
  space->head_size[space->heads++] = choices;
  space->choices += choices;
  space->width += choices;
  space->inner++;
}

ActionSpace action_space_outer(const ActionSpace *space) {
  ActionSpace outer = *space;
  for (; outer.inner > 0; outer.inner--) {
    const uint32_t choices = outer.head_size[--outer.heads];
    outer.choices -= choices;
    outer.width -= choices;
  }
  return outer;
}

/* Whether a normalised row of a BOX has this component. */
static bool has(const ActionSpace *space, const float *row, uint32_t head) {
  return row[space->heads + head] > MASKED;
}

/* A component that is masked has mean 0 and no deviation. */
static void normalise_box(const ActionSpace *space, const float *logits, const uint8_t *mask,
                          float *out) {
  memmove(out, logits, space->width * sizeof *out);
  for (uint32_t h = 0; mask && h < space->heads; h++) {
    if (mask[h]) continue;
    out[h] = 0;
    out[space->heads + h] = MASKED;
  }
}

void dist_squash(const ActionSpace *space, const float *logits, const uint8_t *mask, float sigma,
                 float *out) {
  const float log_sigma = sigma > 0 ? logf(sigma) : MASKED;
  for (uint32_t h = 0; h < space->heads; h++) {
    const bool there = !mask || mask[h];
    out[h] = there ? tanhf(logits[h]) : 0;
    out[space->heads + h] = there ? log_sigma : MASKED;
  }
}

void dist_clip(const ActionSpace *space, AgonAction *action) {
  for (uint32_t h = 0; space->kind == AGON_BOX && h < space->heads; h++)
    action[h].value = fminf(fmaxf(action[h].value, -1), 1);
}

/* Masked log-softmax of one head of `size` choices. */
static void normalise_head(const float *logits, const uint8_t *mask, uint32_t size, float *out) {
  float top = MASKED;
  float sum = 0;
  for (uint32_t i = 0; i < size; i++) {
    out[i] = mask && !mask[i] ? MASKED : logits[i];
    top = out[i] > top ? out[i] : top;
  }
  for (uint32_t i = 0; i < size; i++)
    sum += out[i] > MASKED ? vexpf(out[i] - top) : 0.0f;
  float shift = top + logf(sum);
  for (uint32_t i = 0; i < size; i++)
    out[i] = out[i] > MASKED ? out[i] - shift : MASKED;
}

void dist_normalise(const ActionSpace *space, const float *logits, const uint8_t *mask,
                    float *out) {
  if (space->kind == AGON_BOX) {
    normalise_box(space, logits, mask, out);
    return;
  }
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++])
    normalise_head(logits + at, mask ? mask + at : NULL, space->head_size[h], out + at);
}

void dist_normalise_rows(const ActionSpace *space, const float *logits, const uint8_t *mask,
                         size_t R, float *out) {
  if (space->kind == AGON_DISCRETE) {
    kernels()->log_softmax(out, logits, space->width, mask, R, space->width);
    return;
  }
  for (size_t r = 0; r < R; r++)
    dist_normalise(space, logits + r * space->width, mask ? mask + r * space->choices : NULL,
                   out + r * space->width);
}

/* The first of the best available choices of a head that has `size` of them; `size`: there is
 * none. */
static uint32_t best_choice(const float *q, const uint8_t *mask, uint32_t size) {
  uint32_t best = size;
  for (uint32_t i = 0; i < size; i++)
    if ((!mask || mask[i]) && (best == size || q[i] > q[best])) best = i;
  return best;
}

/* dist_greedy of one head. */
static void greedy_head(const float *q, const uint8_t *mask, uint32_t size, float epsilon,
                        float *out) {
  uint32_t best = best_choice(q, mask, size);
  uint32_t available = 0;
  for (uint32_t i = 0; i < size; i++)
    available += !mask || mask[i];
  float each = available ? epsilon / (float)available : 0;
  for (uint32_t i = 0; i < size; i++) {
    float p = mask && !mask[i] ? 0 : i == best ? 1 - epsilon + each : each;
    out[i] = p > 0 ? logf(p) : MASKED;
  }
}

void dist_greedy(const ActionSpace *space, const float *q, const uint8_t *mask, float epsilon,
                 float *out) {
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++])
    greedy_head(q + at, mask ? mask + at : NULL, space->head_size[h], epsilon, out + at);
}

static uint32_t count_available(const float *row, uint32_t size) {
  uint32_t available = 0;
  for (uint32_t i = 0; i < size; i++)
    available += row[i] > MASKED;
  return available;
}

/* dist_mix_rows of one head. A choice of probability 0 may be taken by chance, too. */
static void mix_head(const float *row, uint32_t size, float epsilon, float *out) {
  const uint32_t available = count_available(row, size);
  const float each = available ? epsilon / (float)available : 0;
  for (uint32_t i = 0; i < size; i++)
    out[i] = row[i] > MASKED ? logf((1 - epsilon) * expf(row[i]) + each) : MASKED;
}

void dist_mix_rows(const ActionSpace *space, const float *rows, float epsilon, size_t R,
                   float *out) {
  if (epsilon <= 0) {
    memmove(out, rows, R * space->width * sizeof *out);
    return;
  }
  for (size_t r = 0; r < R; r++)
    for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++])
      mix_head(rows + r * space->width + at, space->head_size[h], epsilon,
               out + r * space->width + at);
}

/* A head without an available choice is worth nothing. */
float dist_best(const ActionSpace *space, const float *q, const uint8_t *mask) {
  float sum = 0;
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++]) {
    uint32_t best = best_choice(q + at, mask ? mask + at : NULL, space->head_size[h]);
    if (best < space->head_size[h]) sum += q[at + best];
  }
  return sum;
}

/* The first of the most probable choices. Comparisons with numbers only: what is no number is not
 * chosen while there is another. */
static uint32_t most_probable(const float *row, uint32_t size) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < size; i++)
    if (row[i] > row[best] || (row[best] <= MASKED && !(row[i] <= MASKED))) best = i;
  return best;
}

/* A choice by its probability. The sum of rounded probabilities may stay below the drawn number:
 * then it is the last possible choice. */
static uint32_t draw(const float *row, const float *probability, uint32_t size, AgonRng *rng) {
  float left = (float)rng_unit(rng);
  uint32_t last = size;
  for (uint32_t i = 0; i < size; i++) {
    if (!(probability[i] > 0)) continue;
    last = i;
    left -= probability[i];
    if (left < 0) break;
  }
  return last < size ? last : most_probable(row, size);
}

void dist_sample(const ActionSpace *space, const float *row, const float *probability, AgonRng *rng,
                 bool greedy, AgonAction *out) {
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++]) {
    if (space->kind == AGON_BOX)
      out[h].value =
          row[h] + (greedy ? 0.0f : expf(row[space->heads + h]) * (float)rng_normal(rng));
    else
      out[h].choice =
          (int32_t)(greedy ? most_probable(row + at, space->head_size[h])
                           : draw(row + at, probability + at, space->head_size[h], rng));
  }
}

/* Of all heads together: they are drawn independently, given the observation. row: normalised
 * (log-probabilities, or means and log standard deviations). */
float dist_log_prob(const ActionSpace *space, const float *row, const AgonAction *action) {
  float sum = 0;
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++]) {
    if (space->kind == AGON_BOX) {
      if (!has(space, row, h)) continue;
      float log_std = row[space->heads + h];
      float z = (action[h].value - row[h]) * expf(-log_std);
      sum += -0.5f * z * z - log_std - 0.91893853320467274f; /* log(2 pi) / 2 */
    } else {
      sum += row[at + (uint32_t)action[h].choice];
    }
  }
  return sum;
}

/* -sum p log p over legal choices. */
static float head_entropy(const float *row, uint32_t size) {
  float sum = 0;
  for (uint32_t i = 0; i < size; i++)
    if (row[i] > MASKED) sum -= vexpf(row[i]) * row[i];
  return sum;
}

/* In nats, summed over heads. A normal distribution's is log std + (1 + log 2 pi) / 2. */
float dist_entropy(const ActionSpace *space, const float *row) {
  float sum = 0;
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++])
    if (space->kind != AGON_BOX)
      sum += head_entropy(row + at, space->head_size[h]);
    else if (has(space, row, h))
      sum += row[space->heads + h] + 1.4189385332046727f; /* (1 + log(2 pi)) / 2 */
  return sum;
}

/* sum p (log p - log q) over legal choices. */
static float head_kl(const float *row, const float *other, uint32_t size) {
  float sum = 0;
  for (uint32_t i = 0; i < size; i++)
    if (row[i] > MASKED) sum += vexpf(row[i]) * (row[i] - other[i]);
  return sum;
}

/* KL(row || other) in nats, summed over heads. Of two normal distributions: log(o/s) + (s^2 +
 * gap^2) / (2 o^2) - 1/2. */
float dist_kl(const ActionSpace *space, const float *row, const float *other) {
  float sum = 0;
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++]) {
    if (space->kind == AGON_BOX) {
      if (!has(space, row, h)) continue;
      float s = row[space->heads + h]; /* log standard deviations: own, and the other's */
      float o = other[space->heads + h];
      float gap = row[h] - other[h];
      sum += o - s + 0.5f * (expf(2 * (s - o)) + gap * gap * expf(-2 * o)) - 0.5f;
    } else {
      sum += head_kl(row + at, other + at, space->head_size[h]);
    }
  }
  return sum;
}

/* dist_backward of a Gaussian; d is with respect to means and log standard deviations. */
static void box_backward(const ActionSpace *space, const float *row, const float *other,
                         const AgonAction *action, float by_log_prob, float by_entropy, float by_kl,
                         float *d) {
  for (uint32_t h = 0; h < space->heads; h++) {
    d[space->heads + h] = 0;
    d[h] = 0;
    if (!has(space, row, h)) continue;
    float s = row[space->heads + h];
    float inverse = expf(-s);
    float z = (action[h].value - row[h]) * inverse;
    d[h] = by_log_prob * z * inverse;
    d[space->heads + h] = by_log_prob * (z * z - 1) + by_entropy;
    if (!other) continue;
    float o = other[space->heads + h];
    d[h] += by_kl * (row[h] - other[h]) * expf(-2 * o);
    d[space->heads + h] += by_kl * (expf(2 * (s - o)) - 1);
  }
}

/* (R, width) log-probabilities to probabilities; of boxes there are none. */
void dist_probabilities(const ActionSpace *space, const float *rows, size_t R, float *out) {
  if (space->kind != AGON_BOX) kernels()->exponentials(out, rows, R * space->width);
}

float dist_backward(const ActionSpace *space, const float *row, const float *probability,
                    const float *other, const AgonAction *action, float by_log_prob,
                    float by_entropy, float by_kl, float *d) {
  float total = 0;
  if (space->kind == AGON_BOX) {
    box_backward(space, row, other, action, by_log_prob, by_entropy, by_kl, d);
    return dist_entropy(space, row);
  }
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++]) {
    const float *p = probability + at; /* probabilities, and their logarithms */
    const float *l = row + at;
    uint32_t size = space->head_size[h];
    float entropy = 0;
    float kl = other && by_kl != 0 ? head_kl(l, other + at, size) : 0;
    for (uint32_t i = 0; i < size; i++)
      entropy -= p[i] > 0 ? p[i] * l[i] : 0.0f;
    for (uint32_t i = 0; i < size; i++) {
      float value = -by_log_prob * p[i] - by_entropy * p[i] * (l[i] + entropy);
      if (other && by_kl != 0) value += by_kl * p[i] * (l[i] - other[at + i] - kl);
      d[at + i] = p[i] > 0 ? value : 0.0f;
    }
    d[at + (uint32_t)action[h].choice] += by_log_prob;
    total += entropy;
  }
  return total;
}

/* dist_mixed_backward of one head. With m = (1 - epsilon) p + epsilon / n the derivatives by the
 * logits are p_j (g_j - sum_k p_k g_k), g_k = (1 - epsilon) dL/dm_k. */
static float mixed_head(const float *row, const float *probability, uint32_t size, float epsilon,
                        uint32_t taken, float by_log_prob, float by_entropy, float *d) {
  const uint32_t available = count_available(row, size);
  const float each = available ? epsilon / (float)available : 0;
  const float keep = 1 - epsilon;
  float entropy = 0;
  float mean = 0; /* of log m, by p */
  for (uint32_t i = 0; i < size; i++) {
    d[i] = 0;
    if (!(row[i] > MASKED)) continue;
    const float mixed = keep * probability[i] + each;
    if (!(mixed > 0)) continue;
    d[i] = logf(mixed);
    entropy -= mixed * d[i];
    mean += probability[i] * d[i];
  }
  const float share = keep * probability[taken] / (keep * probability[taken] + each);
  for (uint32_t i = 0; i < size; i++)
    d[i] =
        -by_log_prob * share * probability[i] - by_entropy * keep * probability[i] * (d[i] - mean);
  d[taken] += by_log_prob * share;
  return entropy;
}

float dist_mixed_backward(const ActionSpace *space, const float *row, const float *probability,
                          float epsilon, const AgonAction *action, float by_log_prob,
                          float by_entropy, float *d) {
  float entropy = 0;
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++])
    entropy += mixed_head(row + at, probability + at, space->head_size[h], epsilon,
                          (uint32_t)action[h].choice, by_log_prob, by_entropy, d + at);
  return entropy;
}

void dist_add_kl(const ActionSpace *space, const float *row, const float *probability,
                 const float *other, float weight, float *d) {
  if (space->kind == AGON_BOX) {
    for (uint32_t h = 0; h < space->heads; h++) {
      if (!has(space, row, h)) continue;
      float s = row[space->heads + h];
      float o = other[space->heads + h];
      d[h] += weight * (row[h] - other[h]) * expf(-2 * o);
      d[space->heads + h] += weight * (expf(2 * (s - o)) - 1);
    }
    return;
  }
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++]) {
    const float *p = probability + at;
    const float *l = row + at;
    const float *o = other + at;
    float kl = head_kl(l, o, space->head_size[h]);
    for (uint32_t i = 0; i < space->head_size[h]; i++)
      if (p[i] > 0) d[at + i] += weight * p[i] * (l[i] - o[i] - kl);
  }
}

/* A choice that the teacher never takes is only pushed down; one that is masked has no part. */
static float teach_head(const float *row, const float *probability, const float *teacher,
                        uint32_t size, float weight, float *d) {
  float kl = 0;
  for (uint32_t i = 0; i < size; i++) {
    if (!(row[i] > MASKED)) continue;
    if (teacher[i] > 0) kl += teacher[i] * (logf(teacher[i]) - row[i]);
    d[i] += weight * (probability[i] - teacher[i]);
  }
  return kl;
}

/* Of two normal distributions, t and s: log(s / t) + (t^2 + gap^2) / (2 s^2) - 1/2. */
static float teach_box(const ActionSpace *space, const float *row, const float *teacher,
                       float weight, float *d) {
  const uint32_t heads = space->heads;
  float kl = 0;
  for (uint32_t h = 0; h < heads; h++) {
    if (!has(space, row, h)) continue;
    const float inverse = expf(-2 * row[heads + h]);
    const float gap = row[h] - teacher[h];
    const float spread = (teacher[heads + h] * teacher[heads + h] + gap * gap) * inverse;
    d[h] += weight * gap * inverse;
    d[heads + h] += weight * (1 - spread);
    kl += row[heads + h] - logf(teacher[heads + h]) + 0.5f * spread - 0.5f;
  }
  return kl;
}

float dist_teach(const ActionSpace *space, const float *row, const float *probability,
                 const float *teacher, float weight, float *d) {
  float kl = 0;
  if (space->kind == AGON_BOX) return teach_box(space, row, teacher, weight, d);
  for (uint32_t h = 0, at = 0; h < space->heads; at += space->head_size[h++])
    kl += teach_head(row + at, probability + at, teacher + at, space->head_size[h], weight, d + at);
  return kl;
}
