/* Turns decisions, rewards and ends into unrolls. One track per (slot, agent): its last decision
 * stays open until the agent decides again, must decide at the tick's end, or the episode ends, and
 * receives every reward in between - also after the agent has died. Only a decision whose agent
 * does not act at the tick's end is carried into the next tick.
 *
 * Where the format has flags there is one track per (slot, team) instead, and what is said of an
 * agent holds for the team: a row is a step at which one of its agents acts, with a cell for each.
 * A time limit closes it for all of its agents, the dead included, since the learner trains the
 * value of theirs, too; and it alone computes values.
 *
 * Values that close an unroll at a tick's end or a truncation are of the tick's own weights, as
 * those of the decisions are. They are computed here, where the agent's recurrent state is at hand:
 * one row an unroll, where the learner would have to run through all of it. */
#pragma once
#include "data/batch.h"
#include "play/play.h"

typedef struct Recorder Recorder;

/* On failure *out is NULL. The env is borrowed, and what the format points to; one with flags says
 * who is in which cell. */
Status recorder_create(const Env *env, const RowFormat *format, Recorder **out);
void recorder_destroy(Recorder *recorder);
Status recorder_add_slot(Recorder *recorder); /* the next index */
void recorder_decided(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                      const Decision *decision);
/* All decisions of the slot's step are made, and the env has not moved yet: `flags` (agents) are
 * those by which they acted. For formats with flags; else it is not needed. */
void recorder_stepped(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                      const uint8_t *flags);
void recorder_rewarded(Recorder *recorder, size_t slot_index, const float *reward);
/* At a truncation the final observation bootstraps for those who would act next (where the env says
 * of nobody that it would: for those alive). For the others - dead, or not their turn - no value is
 * trained that could: to them it is as a termination. */
void recorder_ended(Recorder *recorder, size_t slot_index, const PlaySlot *slot, AgonStatus how);
/* The tick is over and the agent must act: what it sees closes its unroll, and nothing is
 * carried. */
void recorder_closed(Recorder *recorder, size_t slot_index, const PlaySlot *slot, uint32_t agent);
/* Where finished unrolls of a player go; and its present policy's values of `count` observation
 * rows of these agents, with the recurrent states (count, state_size) before them. */
typedef struct RecorderHooks {
  void *context;
  Batch *(*batch_of)(void *context, uint32_t player);
  Status (*values)(void *context, uint32_t player, size_t count, const void *observations,
                   const uint32_t *agents, const float *states, float *out);
} RecorderHooks;
/* Closes the tick: finished unrolls go, in slot and agent order, to their batches; open decisions
 * stay. */
Status recorder_collect(Recorder *recorder, const RecorderHooks *hooks);
size_t recorder_open(const Recorder *recorder); /* decisions that are open */
/* Keeps a failure that is found where nothing can be returned, as in a hook. Recording goes on
 * without what failed; the first failure is told when it is asked for. */
void recorder_fail(Recorder *recorder, Status status);
/* What went wrong while recording: ERR_MEMORY; ERR_ENV, where what an agent sees that does not act,
 * the global state, or a metric of an episode is not finite. */
Status recorder_failed(const Recorder *recorder);
/* The slot's game is lost: its open decisions are forgotten. */
void recorder_abandoned(Recorder *recorder, size_t slot_index);
/* Between ticks: whose open decisions these are, player p now being map[p]. */
void recorder_renumber(Recorder *recorder, size_t slot_index, const uint32_t *map);
/* The open decisions of a slot, between ticks. */
void recorder_encode(const Recorder *recorder, size_t slot_index, Bytes *out);
Status recorder_decode(Recorder *recorder, size_t slot_index, Reader *reader);
