#include "actors/recorder.h"

#include "base/invariant.h"

#include <stdlib.h>
#include <string.h>

/* While an episode runs, the last unroll of `batch` may be growing: `going`, with its last row the open decision. */
typedef struct Track {
  Batch batch;
  bool going;
  uint64_t version; /* of the weights that took the open decision */
  uint32_t life;
  float *memory; /* recurrent state before it */
} Track;

struct Recorder {
  const Env *env;
  RowFormat format;
  Track *track; /* (slots, agents) */
  size_t slots, track_room;
  bool failed;
};

Status recorder_create(const Env *env, size_t state_size, Recorder **out) {
  TRY_RETURN(NEW_ARRAY(*out, 1));
  (*out)->env = env;
  (*out)->format = (RowFormat){env->observation_bytes, env->action_count, env->spec.heads, (uint32_t)state_size};
  return OK;
}

void recorder_destroy(Recorder *recorder) {
  if (!recorder) return;
  for (size_t i = 0; i < recorder->slots * recorder->env->spec.agents; i++) {
    batch_destroy(&recorder->track[i].batch);
    free(recorder->track[i].memory);
  }
  free(recorder->track);
  free(recorder);
}

Status recorder_add_slot(Recorder *recorder) {
  size_t agents = recorder->env->spec.agents, first = recorder->slots * agents;
  TRY_RETURN(GROW(recorder->track, recorder->track_room, first + agents));
  recorder->slots++;
  for (size_t i = first; i < first + agents; i++) {
    TRY_RETURN(batch_create(&recorder->format, &recorder->track[i].batch));
    TRY_RETURN(NEW_ARRAY(recorder->track[i].memory, recorder->format.state));
  }
  return OK;
}

bool recorder_failed(const Recorder *recorder) { return recorder->failed; }
RowFormat recorder_format(const Recorder *recorder) { return recorder->format; }

static Track *track_at(Recorder *recorder, size_t slot_index, uint32_t agent) {
  return &recorder->track[slot_index * recorder->env->spec.agents + agent];
}

/* A new unroll at the end of the batch; state (format.state floats) may be NULL for zero. */
static bool begin_unroll(Recorder *recorder, Track *track, const Unroll *head, const float *state) {
  Batch *batch = &track->batch;
  size_t S = recorder->format.state;
  if (batch_reserve(batch, 1, 1) != OK) {
    recorder->failed = true;
    return false;
  }
  batch->unroll[batch->unrolls] = *head;
  batch->unroll[batch->unrolls].first = (uint32_t)batch->rows;
  batch->unroll[batch->unrolls].rows = 0;
  if (S && state) memcpy(batch->state + batch->unrolls * S, state, S * sizeof(float));
  if (S && !state) memset(batch->state + batch->unrolls * S, 0, S * sizeof(float));
  batch->unrolls++;
  track->going = true;
  return true;
}

void recorder_decided(Recorder *recorder, size_t slot_index, const PlaySlot *slot, const Decision *decision) {
  Track *track = track_at(recorder, slot_index, decision->agent);
  Batch *batch = &track->batch;
  const RowFormat *f = &recorder->format;
  if (!track->going) {
    Unroll head = {.version = decision->policy->version,
                   .player = decision->policy->player,
                   .life = decision->policy->life,
                   .slot = slot->id,
                   .agent = (uint16_t)decision->agent,
                   .fresh = 1};
    if (!begin_unroll(recorder, track, &head, NULL)) return;
  }
  if (batch_reserve(batch, 1, 0) != OK) {
    recorder->failed = true;
    return;
  }
  INVARIANT(batch->unroll[batch->unrolls - 1].player == decision->policy->player);
  INVARIANT(decision->log_prob <= 1e-3f || recorder->env->spec.action_kind == AGON_BOX);
  size_t row = batch->rows++;
  memcpy(batch->observation + row * f->observation_bytes, decision->observation, f->observation_bytes);
  memcpy(batch->mask + row * f->choices, decision->mask, f->choices);
  memcpy(batch->action + row * f->heads, decision->action, f->heads * sizeof(int32_t));
  batch->log_prob[row] = decision->log_prob;
  batch->value[row] = decision->value;
  batch->reward[row] = 0;
  track->version = decision->policy->version;
  track->life = decision->policy->life;
  if (f->state) memcpy(track->memory, decision->memory, f->state * sizeof(float));
  batch->unroll[batch->unrolls - 1].rows++;
}

void recorder_rewarded(Recorder *recorder, size_t slot_index, const float *reward) {
  for (uint32_t a = 0; a < recorder->env->spec.agents; a++) {
    Track *track = track_at(recorder, slot_index, a);
    if (track->going) track->batch.reward[track->batch.rows - 1] += reward[a];
  }
}

/* A row that only bootstraps: the final observation as if the agent were to act. */
static void append_final(Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t agent) {
  Batch *batch = &track->batch;
  const RowFormat *f = &recorder->format;
  if (batch_reserve(batch, 1, 0) != OK) {
    recorder->failed = true;
    return;
  }
  size_t row = batch->rows++;
  recorder->env->table->observe(recorder->env->params, slot->state, agent,
                                batch->observation + row * f->observation_bytes);
  memset(batch->mask + row * f->choices, 1, f->choices);
  memset(batch->action + row * f->heads, 0, f->heads * sizeof(int32_t));
  batch->log_prob[row] = batch->value[row] = batch->reward[row] = 0;
}

void recorder_ended(Recorder *recorder, size_t slot_index, const PlaySlot *slot, AgonStatus how) {
  for (uint32_t a = 0; a < recorder->env->spec.agents; a++) {
    Track *track = track_at(recorder, slot_index, a);
    if (!track->going) continue;
    Unroll *unroll = &track->batch.unroll[track->batch.unrolls - 1];
    unroll->end = how == AGON_TRUNCATED ? END_TRUNCATED : END_TERMINATED;
    if (how == AGON_TRUNCATED) append_final(recorder, track, slot, a);
    track->going = false;
  }
}

/* Makes the open decision the only row, of a new unroll; source and target rows may coincide, so they are moved. */
static void carry_open(const Recorder *recorder, Track *track, bool alone) {
  Batch *batch = &track->batch;
  const RowFormat *f = &recorder->format;
  size_t row = batch->rows - 1;
  batch->unroll[0] = batch->unroll[batch->unrolls - 1];
  batch->unroll[0].version = track->version;
  batch->unroll[0].life = track->life;
  batch->unroll[0].fresh = alone && batch->unroll[0].fresh;
  batch->unroll[0].end = END_OPEN;
  batch->unroll[0].first = 0;
  batch->unroll[0].rows = 1;
  memmove(batch->observation, batch->observation + row * f->observation_bytes, f->observation_bytes);
  memmove(batch->mask, batch->mask + row * f->choices, f->choices);
  memmove(batch->action, batch->action + row * f->heads, f->heads * sizeof(int32_t));
  batch->log_prob[0] = batch->log_prob[row];
  batch->value[0] = batch->value[row];
  batch->reward[0] = batch->reward[row];
  memcpy(batch->state, track->memory, f->state * sizeof(float));
  batch->rows = batch->unrolls = 1;
}

static Status collect_track(Recorder *recorder, Track *track, RecorderTarget batch_of, void *context) {
  Batch *batch = &track->batch;
  bool alone = false;
  if (track->going) {
    Unroll *last = &batch->unroll[batch->unrolls - 1];
    alone = last->rows == 1; /* nothing closed yet: it waits */
    last->rows--;
    last->end = END_OPEN;
  }
  for (size_t u = 0; u < batch->unrolls; u++) {
    if (batch->unroll[u].rows == 0) continue;
    Batch *target = batch_of(context, batch->unroll[u].player);
    if (!target) return ERR_MEMORY;
    TRY_RETURN(batch_append(target, batch, u));
  }
  if (track->going)
    carry_open(recorder, track, alone);
  else
    batch_clear(batch);
  return OK;
}

Status recorder_collect(Recorder *recorder, RecorderTarget batch_of, void *context) {
  for (size_t i = 0; i < recorder->slots * recorder->env->spec.agents; i++)
    TRY_RETURN(collect_track(recorder, &recorder->track[i], batch_of, context));
  return OK;
}

void recorder_encode(const Recorder *recorder, size_t slot_index, Bytes *out) {
  for (uint32_t a = 0; a < recorder->env->spec.agents; a++) {
    const Track *track = &recorder->track[slot_index * recorder->env->spec.agents + a];
    bytes_u8(out, track->going);
    if (!track->going) continue;
    Batch one = track->batch; /* its unroll has one learned row; encoded as terminated, which spans exactly that row */
    Unroll head = one.unroll[0];
    head.end = END_TERMINATED;
    one.unroll = &head;
    batch_encode(&one, out);
    bytes_put(out, track->memory, recorder->format.state * sizeof(float));
  }
}

Status recorder_decode(Recorder *recorder, size_t slot_index, Reader *reader) {
  for (uint32_t a = 0; a < recorder->env->spec.agents; a++) {
    Track *track = track_at(recorder, slot_index, a);
    batch_clear(&track->batch);
    track->going = reader_u8(reader) == 1;
    if (!track->going) continue;
    TRY_RETURN(batch_decode(&track->batch, reader));
    if (track->batch.rows != 1 || track->batch.unrolls != 1)
      return status_set(ERR_FORMAT, "an open decision is damaged");
    track->batch.unroll[0].end = END_OPEN;
    track->version = track->batch.unroll[0].version;
    track->life = track->batch.unroll[0].life;
    reader_get(reader, track->memory, recorder->format.state * sizeof(float));
  }
  return OK;
}
