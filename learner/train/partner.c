/* Unrolls of the two players are paired by slot, episode and step: who move at once have the same
 * rows. Of a partner that was dropped (a life before, a frozen policy, which records nothing)
 * nothing is known, and its rows have nobody beside them. */
#include "learner/train/partner.h"

#include "learner/train/update_fields.h"
#include "nn/adam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the partner's weights, how far the differences reach to either side. */
static const double REACH = 1e-3;

/* Where an unroll is found. */
typedef struct Place {
  uint32_t slot, episode, step, agent;
  uint32_t unroll;
} Place;

struct Partner {
  const Net *net;
  Update *seen;      /* owned: the partner's experience, as the algorithm sees it */
  TrainState *state; /* borrowed, as the rest of what was met; NULL: nobody is */
  const Batch *batch;
  const Shards *shards;
  Place *place; /* (unrolls of the partner) in order */
  size_t place_room;
  int32_t *met; /* (own cells) the partner's cell, or -1 */
  size_t met_room;
  size_t trajectories; /* unrolls that are paired, and their rows */
  size_t rows;
  float *weight;         /* (partner's cells) */
  float *ahead, *behind; /* (partner's cells) log-probabilities; then `ahead` holds the slopes */
  size_t room;
  float *moved; /* (net->block) the partner's weights, a little further */
};

/* On failure nothing is left but what the caller gave, which is destroyed. */
Status partner_create(const Net *net, Update *seen, Partner **out) {
  Status status = OK;
  Partner *partner = NULL;
  TRY(NEW_ARRAY(partner, 1));
  partner->net = net;
  partner->seen = seen;
  seen = NULL;
  TRY(NEW_ARRAY(partner->moved, net->block));
  *out = partner;
  partner = NULL;
done:
  update_destroy(seen);
  partner_destroy(partner);
  return status;
}

void partner_destroy(Partner *partner) {
  if (!partner) return;
  update_destroy(partner->seen);
  free(partner->place);
  free(partner->met);
  free(partner->weight);
  free(partner->ahead);
  free(partner->behind);
  free(partner->moved);
  free(partner);
}

void partner_set(Partner *partner, TrainState *state, const Batch *batch, const Shards *shards) {
  partner->state = state;
  partner->batch = batch;
  partner->shards = shards;
}

bool partner_is_met(const Partner *partner) {
  return partner->batch != NULL;
}

/* --- who met whom --- */
static Place place_of(const Unroll *unroll, uint32_t agent, size_t index) {
  return (Place){unroll->slot, unroll->episode, unroll->step, agent, (uint32_t)index};
}

static int by_place(const void *a, const void *b) {
  const Place *x = a;
  const Place *y = b;
  if (x->slot != y->slot) return x->slot < y->slot ? -1 : 1;
  if (x->episode != y->episode) return x->episode < y->episode ? -1 : 1;
  if (x->step != y->step) return x->step < y->step ? -1 : 1;
  return x->agent < y->agent ? -1 : x->agent > y->agent;
}

static Status sort_places(Partner *partner) {
  const Batch *batch = partner->batch;
  TRY_RETURN(GROW(partner->place, partner->place_room, batch->unrolls));
  for (size_t u = 0; u < batch->unrolls; u++)
    partner->place[u] = place_of(&batch->unroll[u], batch->unroll[u].agent, u);
  if (batch->unrolls) qsort(partner->place, batch->unrolls, sizeof *partner->place, by_place);
  return OK;
}

/* The partner's unroll of the same stretch of the same episode; NULL: there is none, or not all of
 * either counts. */
static const Unroll *find_other(const Partner *partner, const Unroll *own) {
  const Place wanted = place_of(own, 1u - own->agent, 0); /* a game of two */
  const Place *found =
      partner->batch->unrolls
          ? bsearch(&wanted, partner->place, partner->batch->unrolls, sizeof wanted, by_place)
          : NULL;
  if (!found) return NULL;
  const Unroll *other = &partner->batch->unroll[found->unroll];
  bool whole = own->skip == 0 && other->skip == 0;
  return whole && own->rows == other->rows && own->end == other->end ? other : NULL;
}

/* Rows have one cell each, so that cells are counted as rows are. */
static Status pair_up(Partner *partner, const Batch *own) {
  TRY_RETURN(sort_places(partner));
  TRY_RETURN(GROW(partner->met, partner->met_room, own->rows + 1));
  partner->trajectories = 0;
  partner->rows = 0;
  for (size_t row = 0; row < own->rows; row++)
    partner->met[row] = -1;
  for (size_t u = 0; u < own->unrolls; u++) {
    const Unroll *unroll = &own->unroll[u];
    const Unroll *other = find_other(partner, unroll);
    if (!other) continue;
    partner->trajectories++;
    partner->rows += unroll->rows;
    for (size_t t = 0; t < unroll->rows; t++)
      partner->met[unroll->first + t] = (int32_t)(other->first + t);
  }
  return OK;
}

/* Columns of the partner's cells. */
static Status reserve(Partner *partner, size_t cells) {
  float **const column[] = {&partner->weight, &partner->ahead, &partner->behind};
  size_t room = partner->room;
  for (size_t i = 0; i < COUNT_OF(column); i++) {
    room = partner->room;
    TRY_RETURN(GROW(*column[i], room, cells));
  }
  partner->room = room;
  return OK;
}

Status partner_begin(Partner *partner, const Batch *own) {
  if (!partner_is_met(partner)) return OK;
  TRY_RETURN(reserve(partner, partner->batch->rows + 1));
  TRY_RETURN(update_view(partner->seen, partner->state, partner->batch, partner->shards));
  return pair_up(partner, own);
}

/* --- the direction --- */
/* The derivatives of the weighted log-probabilities by the logits of the rows in the pass. */
static void weigh_rows(const Partner *partner, const Pass *pass) {
  const ActionSpace *space = &partner->net->space;
  const size_t W = space->width;
  dist_normalise_rows(space, pass->logits, pass->mask, pass->rows, pass->logits);
  dist_probabilities(space, pass->logits, pass->rows, pass->probability);
  memset(pass->d_value, 0, pass->rows * sizeof *pass->d_value);
  for (size_t at = 0; at < pass->rows; at++) {
    const int32_t row = pass->row_of[at];
    float *d = pass->d_logits + at * W;
    memset(d, 0, W * sizeof *d);
    if (row < 0 || partner->weight[row] == 0) continue;
    dist_backward(space, pass->logits + at * W, pass->probability + at * W, NULL,
                  batch_action(partner->batch, (size_t)row), partner->weight[row], 0, 0, d);
  }
}

Status partner_direction(Partner *partner, const Experience *own, float *out) {
  const Net *net = partner->net;
  const float *block = partner->state->block;
  Passes *passes = &partner->seen->passes;
  const Layout *layout = &passes->learned;
  const size_t step = passes_units(layout);
  memset(out, 0, (net->trained + PARTNER_SCALARS) * sizeof *out);
  memset(partner->weight, 0, partner->batch->rows * sizeof *partner->weight);
  for (size_t row = 0; row < own->batch->rows; row++)
    if (partner->met[row] >= 0) partner->weight[partner->met[row]] = own->advantage[row];
  passes_pack(passes, block);
  for (size_t first = 0; first < layout->units; first += step) {
    const size_t left = layout->units - first;
    Sequences sequences;
    TRY_RETURN(
        passes_gather(passes, layout, NULL, first, left < step ? left : step, false, &sequences));
    const Pass pass = passes_open(passes, &sequences);
    net_forward(net, block, pass.packed, pass.space, &sequences, pass.logits, NULL, NULL);
    weigh_rows(partner, &pass);
    net_backward(net, block, pass.packed, out, pass.space, &sequences, pass.d_logits, pass.d_value,
                 NULL, NULL);
  }
  out[net->trained] = (float)partner->trajectories;
  out[net->trained + 1] = (float)partner->rows;
  return OK;
}

/* --- slopes --- */
/* Log-probabilities of what the partner did, with weights that are moved by `reach` times the
 * direction. */
static Status look_from(Partner *partner, const float *direction, double reach, float *out) {
  const Net *net = partner->net;
  memcpy(partner->moved, partner->state->block, net->block * sizeof(float));
  for (size_t i = 0; i < net->trained; i++)
    partner->moved[i] += (float)(reach * (double)direction[i]);
  return passes_evaluate(&partner->seen->passes, partner->moved, false,
                         &(Evaluated){.log_prob = out});
}

Status partner_slopes(Partner *partner, const float *sum, Experience *own, double *out_met) {
  const Net *net = partner->net;
  const double trajectories = (double)sum[net->trained];
  const double norm = gradient_norm(sum, net->trained);
  const size_t rows = partner->batch->rows;
  *out_met = (double)sum[net->trained + 1];
  own->met = partner->met;
  own->met_advantage = partner->seen->advantage;
  own->met_slope = partner->ahead;
  memset(partner->ahead, 0, rows * sizeof(float));
  if (norm == 0 || !isfinite(norm)) return OK; /* a gradient that is none is told of later */
  const double reach = REACH * fmax(gradient_norm(partner->state->block, net->trained), 1) / norm;
  TRY_RETURN(look_from(partner, sum, reach, partner->ahead));
  TRY_RETURN(look_from(partner, sum, -reach, partner->behind));
  for (size_t row = 0; row < rows; row++)
    partner->ahead[row] = (float)(((double)partner->ahead[row] - (double)partner->behind[row]) /
                                  (2 * reach * trajectories));
  return OK;
}
