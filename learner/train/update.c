/* Shards, each in an order of its own, are dealt out to an epoch's minibatches like one pack of
 * cards, over all members: the same rows meet on any number of members, and none is empty while
 * units last. */
#include "learner/train/update.h"

#include "base/hash.h"
#include "base/invariant.h"
#include "learner/train/on_policy.h"
#include "learner/train/schedule.h"
#include "learner/train/teacher.h"
#include "learner/train/update_fields.h"
#include "nn/adam.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16384 /* floats worth a sum of their own */ };

/* Adds what has passed since *since to *spent. Time is counted by the stretches between two calls,
 * so none is counted twice. */
static void charge(const Update *update, int64_t *since, int64_t *spent) {
  int64_t now = clock_now(&update->clock);
  *spent += now - *since;
  *since = now;
}

/* --- life cycle --- */
static Status create(const UpdateSetup *setup, Update **out) {
  Status status = OK;
  const Algo *algo = setup->algo;
  const Net *net = algo->net;
  Update *update;
  TRY_RETURN(NEW_ARRAY(update, 1));
  *update = (Update){.algo = algo,
                     .ops = algo->ops,
                     .net = net,
                     .config = setup->config,
                     .config_of_all = setup->config,
                     .seed = setup->seed,
                     .clock = setup->clock ? *setup->clock : clock_system(),
                     .reducer = {.members = 1},
                     .experience = {.algo = algo, .config = setup->config, .own = algo->own}};
  if (setup->reducer) update->reducer = *setup->reducer;
  size_t opening = update_opening(net, update->reducer.members);
  update->moment_count = opening > moments_count(net) ? opening : moments_count(net);
  update->trained = algo_trained(algo);
  TRY(NEW_ARRAY(update->gradient, update->trained + UPDATE_SCALARS));
  TRY(NEW_ARRAY(update->moments, update->moment_count));
  TRY(moments_create(net, &update->normaliser));
  TRY(passes_create(algo, &update->passes));
done:
  if (status != OK) {
    update_destroy(update);
    update = NULL;
  }
  *out = update;
  return status;
}

/* What shapes how the other player learns has another update, to look at that one's experience. */
static Status add_partner(const UpdateSetup *setup, Update *update) {
  UpdateSetup alone = *setup;
  Update *seen;
  alone.reducer = NULL;
  TRY_RETURN(create(&alone, &seen));
  return partner_create(update->net, seen, &update->partner);
}

Status update_create(const UpdateSetup *setup, Update **out) {
  TRY_RETURN(create(setup, out));
  if (!setup->algo->ops->shape) return OK;
  Status status = add_partner(setup, *out);
  if (status == OK) return OK;
  update_destroy(*out);
  *out = NULL;
  return status;
}

void update_destroy(Update *update) {
  if (!update) return;
  partner_destroy(update->partner);
  moments_free(&update->normaliser);
  passes_free(&update->passes);
  free(update->moments);
  free(update->pull);
  free(update->lanes);
  free(update->log_prob_now);
  free(update->value_now);
  free(update->advantage);
  free(update->target);
  free(update->discount);
  free(update->is_learned);
  free(update->is_valued);
  free(update->reference_row);
  free(update->before_row);
  free(update->teacher_row);
  free(update->order);
  free(update->gradient);
  free(update);
}

const AlgoStats *update_stats(const Update *update) {
  return &update->stats;
}
const float *update_votes(const Update *update) {
  return update->vote;
}

/* Whether a sum over the members is under way. */
bool update_waits(const Update *update) {
  return update->waiting != 0;
}
const UpdateTimes *update_times(const Update *update) {
  return &update->times;
}

/* Room for `cells` cells in the columns that an algorithm sees. */
static Status reserve_cells(Update *update, size_t cells) {
  struct {
    void *column;
    size_t size;
  } columns[] = {
      {&update->log_prob_now, sizeof(float)}, {&update->value_now, sizeof(float)},
      {&update->advantage, sizeof(float)},    {&update->target, sizeof(float)},
      {&update->discount, sizeof(float)},     {&update->is_learned, sizeof(bool)},
      {&update->pull, sizeof(float)},         {&update->is_valued, sizeof(bool)},
  };
  size_t room = update->row_room;
  for (size_t i = 0; i < COUNT_OF(columns); i++) {
    room = update->row_room;
    TRY_RETURN(mem_grow(columns[i].column, &room, cells, columns[i].size));
  }
  update->row_room = room;
  return OK;
}

/* Episodes that are kept can be far longer than a stack is deep. */
static Status reserve_lanes(Update *update, const Batch *batch) {
  size_t longest = 1;
  for (size_t u = 0; u < batch->unrolls; u++)
    if (batch->unroll[u].rows > longest) longest = batch->unroll[u].rows;
  return GROW(update->lanes, update->lane_room, TRAJECTORY_LANES * longest);
}

/* --- rows --- */
/* The reference has no recurrent state of its own at the beginning of an unroll: it starts from
 * none, and the decisions in which it finds its own leave their pull to the rest. */
static void mark_pull(Update *update, const Unroll *unroll) {
  size_t cells = format_cells(&update->batch->format);
  uint32_t n = unroll->rows - unroll->skip;
  uint32_t burn = (uint32_t)update->config->reference_burn;
  if (unroll->fresh || update->net->recurrent == 0) burn = 0;
  burn = burn > unroll->skip ? burn - unroll->skip : 0;
  if (burn > n / 2) burn = n / 2;
  for (uint32_t t = 0; t < unroll->rows; t++)
    for (size_t c = 0; c < cells; c++)
      update->pull[(unroll->first + t) * cells + c] =
          t < unroll->skip + burn ? 0 : (float)n / (float)(n - burn);
}

/* The configuration's word, or, where it leaves that open, the algorithm's. What shapes learning
 * goes by how large advantages are. */
static bool normalises(const Update *update) {
  if (update->ops->shape) return false;
  int choice = update->config->normalise_advantages;
  return choice == CHOICE_AUTO ? update->ops->normalises : choice == CHOICE_TRUE;
}

/* Whether a cell is learned from and valued, if its row is. Without flags it is a decision; with
 * them they say whether there was one, now or before. */
static void mark_cell(Update *update, size_t cell, bool counts) {
  const Batch *batch = update->batch;
  bool flags = batch->format.flags;
  update->is_learned[cell] = counts && (!flags || batch->flags[cell] & AGON_ACTS);
  update->is_valued[cell] = counts && (!flags || batch->flags[cell] & ROW_ENTERED);
}

/* For every cell: whether it is learned from (not in rows that only lead recurrent state up:
 * `skip`), its weight towards the reference, and its discount, 0 where the episode ends. */
static void mark_cells(Update *update) {
  const Batch *batch = update->batch;
  size_t cells = format_cells(&batch->format);
  memset(update->is_learned, 0, batch->rows * cells * sizeof(bool));
  memset(update->is_valued, 0, batch->rows * cells * sizeof(bool));
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    mark_pull(update, unroll);
    for (size_t t = 0; t < unroll->rows; t++) {
      bool ends = t + 1 == unroll->rows && unroll->end == END_TERMINATED;
      for (size_t c = 0; c < cells; c++) {
        size_t cell = (unroll->first + t) * cells + c;
        mark_cell(update, cell, t >= unroll->skip);
        update->discount[cell] = ends ? 0.0f : (float)update->config->gamma;
      }
    }
  }
}

/* Each shard in a random order of its own: stream (player and actor; epochs so far). */
static void shuffle(Update *update) {
  const Layout *layout = &update->passes.learned;
  for (size_t s = 0, first = 0; s < layout->shards; first = layout->shard_end[s++]) {
    AgonRng rng = rng_stream(
        update->seed, update->state->player << 18 | (update->shards->actor[s] & 0x3ffff),
        (uint32_t)(update->state->version * update->plan.epochs + update->epoch), RNG_BATCH);
    uint32_t *order = update->order + first;
    for (size_t i = layout->shard_end[s] - first; i > 1; i--) {
      size_t j = rng_below(&rng, (uint32_t)i);
      uint32_t swap = order[i - 1];
      order[i - 1] = order[j];
      order[j] = swap;
    }
  }
}

/* --- what opens an update --- */
/* Each member writes to its own place and adds 0 to the others': what is summed arrives as it was
 * sent, and float32 carries means of any size. Then come a digest of the weights, which every
 * member must share, the caller's votes, and the observations' sums. */
typedef struct Opening {
  float units;
  float learned; /* cells */
  float valued;  /* likewise */
  /* mean in two parts, sum of squares around it */
  float advantage[2];
  float advantage_squares;
  float target[2];
  float target_squares;
} Opening;

/* The moments' array opens with a place for each member; behind them lie the digest, the votes and
 * the sums. */
static Opening *opening_of(const Update *update, size_t member) {
  return (Opening *)update->moments + member;
}
static float *digest_of(const Update *update) {
  return (float *)opening_of(update, update->reducer.members);
}
static float *votes_of(const Update *update) {
  return digest_of(update) + 1;
}
static float *sums_of(const Update *update) {
  return votes_of(update) + UPDATE_VOTES;
}

/* Floats of it. The room for sums must hold them. */
size_t update_opening(const Net *net, size_t members) {
  return members * sizeof(Opening) / sizeof(float) + 1 + UPDATE_VOTES +
         (net->scale_at ? net->observation_count : 0);
}

static size_t cells_of(const Batch *batch) {
  return batch->rows * format_cells(&batch->format);
}

/* Over the cells that count, in two passes: exact where a single one would cancel. */
static Spread spread_of(const Batch *batch, const float *column, const bool *counts) {
  Spread spread = {0};
  double sum = 0;
  for (size_t i = 0; i < cells_of(batch); i++) {
    if (!counts[i]) continue;
    sum += (double)column[i];
    spread.count++;
  }
  spread.mean = spread.count > 0 ? sum / spread.count : 0;
  for (size_t i = 0; i < cells_of(batch); i++) {
    double gap = (double)column[i] - spread.mean;
    if (counts[i]) spread.squares += gap * gap;
  }
  return spread;
}

/* A double's mean as the sum of two floats. */
static void put_spread(const Spread *spread, float mean[2], float *squares) {
  mean[0] = (float)spread->mean;
  mean[1] = (float)(spread->mean - (double)mean[0]);
  *squares = (float)spread->squares;
}

/* Chan et al. 1983: two parts' moments make those of the whole. */
static void join_spread(Spread *all, double count, const float mean[2], float squares) {
  double sum = all->count + count;
  double gap = (double)mean[0] + (double)mean[1] - all->mean;
  if (count <= 0) return;
  all->squares += (double)squares + gap * gap * all->count * count / sum;
  all->mean += gap * count / sum;
  all->count = sum;
}

/* Of all parts of this member's copy of the player, as a number that sums of float32 carry exactly.
 * Each counts at its place: a target network that has just become the policy's equal must not take
 * it out. */
static float digest_blocks(const TrainState *state) {
  uint64_t all = 0;
  for (size_t i = 0; i < state->parts; i++)
    all = all * 31 + hash_bytes(state->part[i].block, state->part[i].floats * sizeof(float)).low;
  return (float)(all & 0xfff);
}

/* Writes this member's part of the opening sum. */
static void gather_opening(Update *update) {
  memset(update->moments, 0, update->moment_count * sizeof(float));
  Opening *own = opening_of(update, update->reducer.self);
  Spread advantages = spread_of(update->batch, update->advantage, update->is_learned);
  Spread targets = spread_of(update->batch, update->target, update->is_valued);
  own->units = (float)update->passes.learned.units;
  own->learned = (float)advantages.count;
  own->valued = (float)targets.count;
  put_spread(&advantages, own->advantage, &own->advantage_squares);
  put_spread(&targets, own->target, &own->target_squares);
  update->digest = update->reducer.members > 1 ? digest_blocks(update->state) : 0;
  *digest_of(update) = update->digest;
  memcpy(votes_of(update), update->vote, sizeof update->vote);
  moments_open(&update->normaliser, update->state, update->batch, update->is_learned,
               sums_of(update));
}

/* What the members' parts come to: how many units come before this member's, advantages' and
 * targets' spreads over all. ERR_INTERNAL if the copies of the weights have come apart, which no
 * later sum would show. */
static Status use_opening(Update *update) {
  const Reducer *reducer = &update->reducer;
  memcpy(update->vote, votes_of(update), sizeof update->vote);
  if (reducer->members > 1 && *digest_of(update) != update->digest * (float)reducer->members)
    return status_set(ERR_INTERNAL,
                      "player %u: the learner ranks' copies of it differ; all hosts must run the "
                      "same build with the same "
                      "kernels (set kernels=avx2, say, for processors of several kinds)",
                      update->state->player);
  update->advantages = update->targets = (Spread){0};
  update->dealt = 0;
  for (size_t m = 0; m < reducer->members; m++) {
    const Opening *part = opening_of(update, m);
    if (m < reducer->self) update->dealt += (size_t)part->units;
    join_spread(&update->advantages, (double)part->learned, part->advantage,
                part->advantage_squares);
    join_spread(&update->targets, (double)part->valued, part->target, part->target_squares);
  }
  moments_centre(&update->normaliser, update->advantages.count, sums_of(update));
  return OK;
}

/* To mean 0 and deviation 1 - but never what is left of equal numbers by rounding. */
static void normalise_advantages(Update *update) {
  const Spread *all = &update->advantages;
  double deviation = sqrt(all->squares / all->count);
  double least = 8 * (double)FLT_EPSILON * fabs(all->mean) + 1e-8;
  for (size_t i = 0; i < cells_of(update->batch); i++)
    update->advantage[i] =
        (float)(((double)update->advantage[i] - all->mean) / fmax(deviation, least));
}

/* A member alone has its sums already. */
static Status start_sum(Update *update, float *values, size_t count, UpdatePhase phase) {
  update->phase = phase;
  if (update->reducer.members == 1 || count == 0) return OK;
  update->waiting = clock_now(&update->clock);
  return update->reducer.start(update->reducer.context, values, count);
}

/* *done: it has come. The time since it was begun is charged as waiting for sums. */
static Status test_sum(Update *update, bool *done) {
  *done = true;
  if (update->reducer.members > 1) TRY_RETURN(update->reducer.test(update->reducer.context, done));
  if (*done && update->waiting) charge(update, &update->waiting, &update->times.reduce);
  if (*done) update->waiting = 0;
  return OK;
}

/* The parts' weights, which the next passes are made with. */
static void pack_parts(Update *update) {
  const TrainState *state = update->state;
  for (size_t i = 1; i < state->parts; i++)
    passes_pack_part(&update->passes, i - 1, state->part[i].block);
}

/* Shows the algorithm the columns of this batch. */
static void open_experience(Update *update) {
  Experience *e = &update->experience;
  e->seed = update->seed;
  e->player = update->state->player;
  e->progress = train_state_progress(update->config, update->state);
  e->epoch = 0;
  e->step = 0;
  e->steps = update->state->steps;
  e->block = update->state->block;
  e->batch = update->batch;
  e->is_learned = update->is_learned;
  e->is_valued = update->is_valued;
  e->discount = update->discount;
  e->log_prob_now = update->plan.evaluate ? update->log_prob_now : NULL;
  e->value_now = update->plan.evaluate ? update->value_now : NULL;
  e->value = update->batch->format.flags ? e->value_now : update->batch->value;
  e->value_unit = train_state_unit(update->algo, update->state);
  e->unit_known = update->state->stat[1] > 0;
  e->advantage = update->advantage;
  e->target = update->target;
  e->met = NULL;
  e->met_advantage = NULL;
  e->met_slope = NULL;
  e->lanes = update->lanes;
  for (size_t i = 1; i < update->state->parts; i++)
    e->part[i - 1] = update->state->part[i].block;
}

/* Every cell of the batch by the algorithm's own eyes (AlgoOps.look). */
static Status look_over(Update *update, const Evaluated *out) {
  Passes *passes = &update->passes;
  const Layout *layout = &passes->all;
  const size_t step = passes_units(layout);
  passes_pack(passes, update->state->block);
  for (size_t first = 0; first < layout->units; first += step) {
    const size_t left = layout->units - first;
    int64_t since = clock_now(&update->clock);
    Sequences sequences;
    TRY_RETURN(
        passes_gather(passes, layout, NULL, first, left < step ? left : step, false, &sequences));
    Pass pass = passes_open(passes, &sequences);
    UpdateTimes ignored = {0}; /* all of it is charged as the batch's */
    pass.experience = &update->experience;
    pass.block = update->state->block;
    pass.clock = &update->clock;
    pass.since = &since;
    pass.times = &ignored;
    update->ops->look(&pass, out);
  }
  return OK;
}

/* By the weights before the update, of every cell. */
static Status evaluate_now(Update *update) {
  const Evaluated now = {.log_prob = update->log_prob_now, .value = update->value_now};
  if (!update->plan.evaluate) return OK;
  if (update->ops->look) return look_over(update, &now);
  return passes_evaluate(&update->passes, update->state->block, false, &now);
}

/* How much the teacher counts in this update. */
static double teacher_weight(const Update *update) {
  const LearnConfig *config = update->config;
  return update->state->teacher ? schedule_at(config->decay, config->teacher_kl,
                                              config->teacher_kl_end, update->experience.progress)
                                : 0;
}

/* What other policies say of every row, which the losses compare with: the reference, and the
 * policy before the update. */
static Status evaluate_others(Update *update) {
  const LearnConfig *config = update->config;
  Passes *passes = &update->passes;
  size_t floats = cells_of(update->batch) * update->net->space.width;
  if (config->reference > 0 || config->reference_end > 0) {
    TRY_RETURN(GROW(update->reference_row, update->reference_room, floats));
    TRY_RETURN(passes_evaluate(passes, update->state->reference, true,
                               &(Evaluated){.line = update->reference_row}));
  }
  if (teacher_weight(update) > 0) {
    TRY_RETURN(GROW(update->teacher_row, update->teacher_room, floats));
    TRY_RETURN(teacher_look(update->state->teacher, update->net, update->batch, update->is_learned,
                            passes->agent_of, update->teacher_row));
  }
  if (update->ops->proximal) {
    TRY_RETURN(GROW(update->before_row, update->before_room, floats));
    TRY_RETURN(passes_evaluate(passes, update->state->block, false,
                               &(Evaluated){.line = update->before_row}));
  }
  return OK;
}

void update_weigh(Update *update, const float *weight, float *error) {
  update->experience.weight = weight;
  update->experience.error = error;
}

void update_meet(Update *update, TrainState *other, const Batch *batch, const Shards *shards) {
  partner_set(update->partner, other, batch, shards);
}

Status update_view(Update *update, TrainState *state, const Batch *batch, const Shards *shards) {
  update->state = state;
  update->config = state->config ? state->config : update->config_of_all;
  update->experience.config = update->config;
  update->batch = batch;
  if (!shards) {
    update->whole_end = batch->unrolls;
    update->whole =
        (Shards){.actor = &update->whole_actor, .unroll_end = &update->whole_end, .count = 1};
    shards = &update->whole;
  }
  update->shards = shards;
  TRY_RETURN(reserve_cells(update, cells_of(batch) + 1));
  TRY_RETURN(reserve_lanes(update, batch));
  update->plan = algo_plan(update->ops, update->algo->own);
  TRY_RETURN(passes_lay_out(&update->passes, batch, shards, (size_t)update->config->longest,
                            update->plan.sequences));
  mark_cells(update);
  /* there are no values but these, unless the algorithm has its own */
  if (batch->format.flags && !update->plan.sequences) update->plan.evaluate = true;
  open_experience(update);
  pack_parts(update);
  TRY_RETURN(evaluate_now(update));
  update->ops->targets(&update->experience);
  return OK;
}

Status update_begin(Update *update, TrainState *state, const Batch *batch, const Shards *shards,
                    const float *votes) {
  int64_t since = clock_now(&update->clock);
  update->stats = (AlgoStats){0};
  update->stopped = false;
  update->spoiled = false;
  update->waiting = 0;
  memset(update->vote, 0, sizeof update->vote);
  if (votes) memcpy(update->vote, votes, sizeof update->vote);
  TRY_RETURN(update_view(update, state, batch, shards));
  if (update->partner) TRY_RETURN(partner_begin(update->partner, batch));
  TRY_RETURN(evaluate_others(update));
  passes_pack(&update->passes, state->block);
  TRY_RETURN(GROW(update->order, update->order_room, update->passes.learned.units));
  for (size_t i = 0; i < update->passes.learned.units; i++)
    update->order[i] = (uint32_t)i;
  update->at = 0;
  update->epoch = 0;
  shuffle(update);
  gather_opening(update);
  charge(update, &since, &update->times.batch);
  return start_sum(update, update->moments, update_opening(update->net, update->reducer.members),
                   TRAIN_MOMENTS);
}

/* --- minibatches --- */
/* The sums of the losses behind the gradient, unless they have gone to the reducer already. */
static void put_sums(Update *update) {
  if (update->summed == update->trained + UPDATE_SCALARS)
    memcpy(update->gradient + update->trained, &update->sums, sizeof update->sums);
}

/* The upper layers' sums start while the lower layers are still computed. The scalars of the losses
 * lie behind the gradient, and are complete before the backward pass. */
static void gradient_done(void *context, size_t offset) {
  Update *update = context;
  put_sums(update);
  if (update->summed - offset < CHUNK && offset > 0) return;
  if (update->failed == OK)
    update->failed = update->reducer.start(update->reducer.context, update->gradient + offset,
                                           update->summed - offset);
  update->summed = offset;
}

/* Gathers this member's units of minibatch `at` behind the orders. */
static Status deal_units(Update *update, size_t *out_count) {
  size_t units = update->passes.learned.units;
  size_t M = update->plan.minibatches;
  size_t first = (update->at + M - update->dealt % M) % M;
  size_t count = 0;
  TRY_RETURN(GROW(update->order, update->order_room, 2 * units));
  for (size_t i = first; i < units; i += M)
    update->order[units + count++] = update->order[i];
  *out_count = count;
  return OK;
}

/* A pass over the rows that were gathered. The weights of the loss's terms are taken here, as far
 * as the schedules have come. The value's loss is divided by the unit of returns squared, so that
 * value_weight means the same in every game. */
static Pass open_pass(Update *update, const Sequences *sequences, int64_t *since) {
  const LearnConfig *config = update->config;
  const AlgoOps *ops = update->ops;
  const TrainState *state = update->state;
  double progress = update->experience.progress;
  float unit = update->experience.value_unit;
  Pass pass = passes_open(&update->passes, sequences);
  pass.experience = &update->experience;
  pass.block = state->block;
  pass.entropy_weight =
      (float)schedule_at(config->decay, config->entropy, config->entropy_end, progress);
  pass.reference_weight =
      (float)schedule_at(config->decay, config->reference, config->reference_end, progress);
  pass.proximal_weight = ops->proximal ? (float)ops->proximal(&update->experience) : 0;
  pass.value_weight = (float)config->value_weight / (unit * unit);
  pass.value_share = (float)(update->advantages.count / update->targets.count);
  pass.pull = update->pull;
  pass.reference_row = pass.reference_weight > 0 ? update->reference_row : NULL;
  pass.before_row = pass.proximal_weight > 0 ? update->before_row : NULL;
  pass.teacher_weight = (float)teacher_weight(update);
  pass.teacher_row = pass.teacher_weight > 0 ? update->teacher_row : NULL;
  pass.gradient = update->gradient;
  pass.clock = &update->clock;
  pass.since = since;
  pass.times = &update->times;
  float *gradient = update->gradient + update->net->trained;
  for (size_t i = 1; i < state->parts; i++) {
    if (state->part[i].trained) pass.part[i - 1].gradient = gradient;
    gradient += state->part[i].trained;
  }
  return pass;
}

/* Messages of the rows that were gathered, team by team. */
static void count_messages(Update *update, size_t rows) {
  const Passes *passes = &update->passes;
  const size_t N = net_team(update->net);
  for (size_t first = 0; net_talks(update->net) && first < rows; first += N) {
    bool learned = false;
    double heard = 0;
    for (size_t at = first; at < first + N; at++) {
      learned |= passes->row_of[at] >= 0 && update->is_learned[passes->row_of[at]];
      heard += net_heard(update->net, &passes->space, at);
    }
    if (!learned) continue;
    update->sums.steps++;
    update->sums.messages += (float)heard;
  }
}

/* This member's part of the gradient of minibatch `at`, summed over rows, with its scalars. */
static Status add_gradient(Update *update) {
  const Layout *layout = &update->passes.learned;
  size_t step = passes_units(layout);
  size_t count;
  bool several = update->reducer.members > 1;
  void (*pass_over)(const Pass *, LossSums *) = update->ops->pass ? update->ops->pass : pass_rows;
  int64_t since = clock_now(&update->clock);
  update->experience.epoch = update->epoch;
  TRY_RETURN(deal_units(update, &count));
  const uint32_t *unit = update->order + layout->units;
  memset(update->gradient, 0, (update->trained + UPDATE_SCALARS) * sizeof(float));
  update->summed = update->trained + UPDATE_SCALARS;
  update->sums = (LossSums){0};
  /* a member without rows passes over none, but makes the same sums in the same order */
  for (size_t at = 0; at < count || (several && at == 0); at += step) {
    size_t units = count - at < step ? count - at : step;
    Sequences sequences;
    TRY_RETURN(passes_gather(&update->passes, layout, unit, at, units, false, &sequences));
    count_messages(update, sequences.B * sequences.T);
    Pass pass = open_pass(update, &sequences, &since);
    if (several && at + units == count) {
      pass.done = gradient_done;
      pass.done_context = update;
    }
    charge(update, &since, &update->times.batch);
    pass_over(&pass, &update->sums);
  }
  put_sums(update);
  return OK;
}

/* This member's gradient. Parts of it are summed while the backward pass still works on the layers
 * below; what is left goes here. */
static Status start_minibatch(Update *update) {
  TRY_RETURN(add_gradient(update));
  TRY_RETURN(update->failed);
  update->phase = TRAIN_GRADIENT;
  if (update->reducer.members == 1) return OK;
  update->waiting = clock_now(&update->clock);
  if (update->summed == 0) return OK;
  return update->reducer.start(update->reducer.context, update->gradient, update->summed);
}

/* Whether a part is left as it is by the present step. */
static bool rests(const Update *update, size_t part) {
  const AlgoOps *ops = update->ops;
  return ops->rests && ops->rests(&update->experience, part);
}

/* Where in a part the first number that is not finite lies: ", layer NAME"; "" where it has no
 * layers, or all are finite. Returns `out`. */
static const char *bad_layer(const Update *update, size_t part, const float *gradient, char *out,
                             size_t size) {
  const Net *net = update->net;
  const size_t trained = update->state->part[part].trained;
  size_t at = 0;
  *out = 0;
  while (at < trained && isfinite(gradient[at]))
    at++;
  for (size_t i = 0; part == 0 && at < trained && i < net->graph.views; i++) {
    const View *view = &net->graph.view[i];
    const size_t inside = net->copies > 1 ? at % net->stride : at;
    if (inside - view->offset < view->count) snprintf(out, size, ", layer %s", view->name);
  }
  return out;
}

/* What a step or an update cannot be made by: an end of the job, or passed over, as learner.on_nan
 * says. */
static Status unusable(Update *update, const char *what, const char *where) {
  const TrainState *state = update->state;
  update->stats.skipped++;
  if (update->config->on_nan == ON_NAN_SKIP) return OK;
  return status_set(ERR_INTERNAL,
                    "player %u: %s%s, after %llu updates (seed %llu): nothing of this update is "
                    "published or saved. Rewards or observations may be too large ('agon env "
                    "check'), or learner.rate; learner.on_nan=skip passes over such steps",
                    state->player, what, where, (unsigned long long)state->version,
                    (unsigned long long)update->seed);
}

/* The largest norm that Adam is given: a square of it is still a float. */
#define MOST_NORM 1e18

/* The norm of each part's gradient, as a mean over the rows, and what it is clipped by. *good: all
 * of them can be stepped by. All parts are looked at before any is stepped. The norms are needed
 * anyway, and one that is finite says that all of its numbers are. */
static Status measure_parts(Update *update, const LossSums *sums, double *norm, double *clip,
                            bool *good) {
  const LearnConfig *config = update->config;
  const TrainState *state = update->state;
  const float *gradient = update->gradient;
  const double each = 1.0 / (double)sums->rows;
  char what[96];
  char layer[64];
  *good = false;
  if (!isfinite(sums->rows) || !isfinite(sums->policy) || !isfinite(sums->value))
    return unusable(update, "the loss is not finite", "");
  for (size_t i = 0; i < state->parts; i++) {
    const TrainPart *part = &state->part[i];
    norm[i] = gradient_norm(gradient, part->trained) * each;
    clip[i] = 1;
    if (config->clip_norm > 0 && norm[i] > config->clip_norm) clip[i] = config->clip_norm / norm[i];
    const bool finite = isfinite(norm[i]) != 0;
    if (!finite || norm[i] * clip[i] > MOST_NORM) {
      snprintf(what, sizeof what, "the gradient of its %s is %s", part->name,
               finite ? "too large for Adam (learner.clip_norm bounds it)" : "not finite");
      return unusable(update, what, bad_layer(update, i, gradient, layer, sizeof layer));
    }
    gradient += part->trained;
  }
  *good = true;
  return OK;
}

/* A step of Adam on each part that does not rest; its gradient is clipped by a norm of its own. */
static void step_parts(Update *update, double each, const double *clip) {
  const LearnConfig *config = update->config;
  TrainState *state = update->state;
  const Adam adam = {0.9f, 0.999f, (float)config->epsilon};
  const float *gradient = update->gradient;
  const double rate = train_state_schedule(config, state, config->rate, config->rate_end);
  state->steps++;
  for (size_t i = 0; i < state->parts; i++) {
    TrainPart *part = &state->part[i];
    if (part->trained && !rests(update, i))
      adam_step(&adam, part->block, part->m, part->v, gradient, part->trained, ++part->steps,
                (float)rate, (float)(clip[i] * each));
    gradient += part->trained;
  }
  update->stats.rate = rate;
}

/* Means over rows, summed up over minibatches. */
static void count_losses(AlgoStats *stats, const LossSums *sums, double each) {
  stats->policy_loss += (double)sums->policy * each;
  stats->value_loss += (double)sums->value * each;
  stats->entropy += (double)sums->entropy * each;
  stats->kl += (double)sums->kl * each;
  stats->kl_reference += (double)sums->kl_reference * each;
  stats->kl_teacher += (double)sums->kl_teacher * each;
  stats->clipped += (double)sums->clipped * each;
  if (sums->steps > 0) stats->messages += (double)(sums->messages / sums->steps);
}

/* Steps the player by the gradient over all members; nothing if no member had a row of this
 * minibatch. */
static Status optimise(Update *update) {
  const AlgoOps *ops = update->ops;
  Experience *experience = &update->experience;
  int64_t since = clock_now(&update->clock);
  LossSums sums;
  double norm[1 + ALGO_PARTS];
  double clip[1 + ALGO_PARTS];
  bool good;
  memcpy(&sums, update->gradient + update->trained, sizeof sums);
  if (sums.rows <= 0) return OK;
  double each = 1.0 / (double)sums.rows;
  TRY_RETURN(measure_parts(update, &sums, norm, clip, &good));
  if (!good) return OK;
  step_parts(update, each, clip);
  count_losses(&update->stats, &sums, each);
  update->stats.gradient_norm += norm[0];
  update->stats.minibatches++;
  update->stats.policy_steps += !rests(update, 0);
  experience->step++;
  experience->steps = update->state->steps;
  if (ops->stepped) ops->stepped(experience);
  passes_pack(&update->passes, update->state->block);
  pack_parts(update);
  update->stopped = ops->stop && ops->stop(experience, (double)sums.kl * each);
  charge(update, &since, &update->times.optimise);
  return OK;
}

/* A batch without rows moves none, and one that they cannot take in either. */
static Status move_normalisers(Update *update) {
  double rows = update->advantages.count;
  if (rows <= 0 || update->spoiled) return OK;
  if (!finite_floats(update->moments, moments_count(update->net)))
    return unusable(update, "its observations are too large to be normalised", "");
  moments_observations(&update->normaliser, update->state, rows, update->moments);
  ValueHead head[ALGO_PARTS];
  const size_t heads = train_state_values(update->algo, update->state, head);
  moments_returns(head, heads, update->state, &update->targets, update->config->return_decay);
  net_share_constants(update->net, update->state->block);
  return OK;
}

/* The losses become means, the normalisers take in the batch, and the player is a version older.
 * Average and reference follow the new weights. */
static Status finish_update(Update *update) {
  const Net *net = update->net;
  update_weigh(update, NULL, NULL);
  if (update->partner) update_meet(update, NULL, NULL, NULL);
  TrainState *state = update->state;
  double n = update->stats.policy_steps;
  double *value[] = {&update->stats.policy_loss, &update->stats.entropy,
                     &update->stats.kl,          &update->stats.kl_reference,
                     &update->stats.clipped,     &update->stats.gradient_norm,
                     &update->stats.messages,    &update->stats.kl_teacher};
  for (size_t i = 0; i < COUNT_OF(value) && n > 0; i++)
    *value[i] /= n;
  if (update->stats.minibatches > 0) update->stats.value_loss /= update->stats.minibatches;
  uint64_t learned = (uint64_t)update->advantages.count;
  update->stats.rows = (double)learned;
  TRY_RETURN(move_normalisers(update));
  INVARIANT(state->min_version <= state->version);
  for (size_t i = 0; i < state->parts; i++)
    INVARIANT(finite_floats(state->part[i].block, state->part[i].floats));
  state->version++;
  state->frames += learned;
  state->life_frames += learned;
  /* a young average forgets its first, poor members sooner */
  if (update->config->average > 0) {
    double age = (double)state->steps;
    double keep = fmin(update->config->average, (age + 1) / (age + 10));
    for (size_t i = 0; i < net->block; i++)
      state->average[i] += (float)(1 - keep) * (state->block[i] - state->average[i]);
  }
  int64_t every = update->config->reference_every;
  if (every > 0 && state->version % (uint64_t)every == 0)
    memcpy(state->reference, train_state_snapshot(update->config, state),
           net->block * sizeof(float));
  return OK;
}

/* The last sum of an update: the normalisers' second round. */
static Status start_stats(Update *update) {
  int64_t since = clock_now(&update->clock);
  moments_gather(&update->normaliser, update->batch, update->is_learned, update->moments);
  charge(update, &since, &update->times.batch);
  return start_sum(update, update->moments, moments_count(update->net), TRAIN_STATS);
}

/* Adam's step, then the next minibatch, the next epoch in a new order, or the end, which an
 * algorithm may call early (a KL that has grown too large). */
static Status after_minibatch(Update *update) {
  TRY_RETURN(optimise(update));
  if (++update->at == update->plan.minibatches) {
    update->at = 0;
    update->epoch++;
    if (update->epoch < update->plan.epochs) shuffle(update);
  }
  if (!update->stopped && update->epoch < update->plan.epochs) {
    update->phase = TRAIN_MINIBATCH;
    return OK;
  }
  return start_stats(update);
}

/* Advantages and targets whose spread is not finite would become normalisers' and gradients' fault
 * later, where nobody could tell. */
static Status check_opening(Update *update) {
  const Spread *advantages = &update->advantages;
  const Spread *targets = &update->targets;
  const bool good = isfinite(advantages->mean) && isfinite(advantages->squares) &&
                    isfinite(targets->mean) && isfinite(targets->squares);
  if (good) return OK;
  update->spoiled = true;
  return unusable(update, "what its decisions are worth (advantages, value targets) is not finite",
                  "");
}

/* Advantages are as they are to be learned from - once they are shaped, where somebody is met. */
static Status after_opening(Update *update) {
  TRY_RETURN(use_opening(update));
  TRY_RETURN(check_opening(update));
  /* nobody has experience, or none of use: a version all the same */
  if (update->advantages.count <= 0 || update->spoiled) return start_stats(update);
  if (normalises(update)) normalise_advantages(update);
  update->phase = TRAIN_MINIBATCH;
  if (!update->partner || !partner_is_met(update->partner)) return OK;
  int64_t since = clock_now(&update->clock);
  TRY_RETURN(partner_direction(update->partner, &update->experience, update->gradient));
  charge(update, &since, &update->times.batch);
  return start_sum(update, update->gradient, update->net->trained + PARTNER_SCALARS,
                   TRAIN_DIRECTION);
}

/* With the direction over all members: how the partner's learning changes what each choice brings.
 */
static Status shape(Update *update) {
  int64_t since = clock_now(&update->clock);
  double met;
  TRY_RETURN(partner_slopes(update->partner, update->gradient, &update->experience, &met));
  update->ops->shape(&update->experience);
  update->stats.met = met / update->advantages.count;
  charge(update, &since, &update->times.batch);
  update->phase = TRAIN_MINIBATCH;
  return OK;
}

/* One phase: MOMENTS (the opening sum), DIRECTION (of a partner, likewise), MINIBATCH (a gradient),
 * GRADIENT (its sum, and the step), STATS (the normalisers). Returns after each so that the rank
 * can do other things; *more: the update is not over; *progress: something was done. */
Status update_step(Update *update, bool *more, bool *progress) {
  bool done = true;
  *more = true;
  *progress = true;
  if (update->phase == TRAIN_MINIBATCH) {
    TRY_RETURN(start_minibatch(update));
    if (update->reducer.members > 1) return OK;
  }
  TRY_RETURN(test_sum(update, &done));
  *progress = done;
  if (!done) return OK;
  switch (update->phase) {
  case TRAIN_MOMENTS: return after_opening(update);
  case TRAIN_DIRECTION: return shape(update);
  case TRAIN_GRADIENT: return after_minibatch(update);
  case TRAIN_STATS: *more = false; return finish_update(update);
  case TRAIN_MINIBATCH: break;
  }
  return OK;
}
