/* Turns decisions, rewards and ends into unrolls. One track per (slot, agent): its last decision stays open until the
 * agent decides again or the episode ends, and receives every reward in between - also after the agent has died. */
#pragma once
#include "data/batch.h"
#include "play/play.h"

typedef struct Recorder Recorder;

Status recorder_create(const Env *env, size_t state_size, Recorder **out);
void recorder_destroy(Recorder *recorder);
Status recorder_add_slot(Recorder *recorder); /* the next index */
void recorder_decided(Recorder *recorder, size_t slot_index, const PlaySlot *slot, const Decision *decision);
void recorder_rewarded(Recorder *recorder, size_t slot_index, const float *reward);
void recorder_ended(Recorder *recorder, size_t slot_index, const PlaySlot *slot, AgonStatus how);
/* Closes the tick: finished unrolls go, in slot and agent order, to batch_of(context, player); open decisions stay. */
typedef Batch *(*RecorderTarget)(void *context, uint32_t player);
Status recorder_collect(Recorder *recorder, RecorderTarget batch_of, void *context);
bool recorder_failed(const Recorder *recorder); /* memory ran out while recording */
RowFormat recorder_format(const Recorder *recorder);
/* The open decisions of a slot, between ticks. */
void recorder_encode(const Recorder *recorder, size_t slot_index, Bytes *out);
Status recorder_decode(Recorder *recorder, size_t slot_index, Reader *reader);
