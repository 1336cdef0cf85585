/* The fields of a recorder: nobody's but recorder.c and recorder_teams.c. What both share lies in
 * recorder.c; what rows of teams need besides, in recorder_teams.c. */
#pragma once
#include "actors/recorder.h"

/* Of an agent, or of a team. While `going`, the last unroll of `batch` grows, and its last row is
 * the open one. */
typedef struct Track {
  Batch batch;
  bool going;
  bool begun;    /* it has decided in this episode */
  uint32_t step; /* of the env, at which the open row was decided */
  float *memory; /* (cells, format.state) recurrent state before the open row */
  /* Of teams. */
  bool filling;     /* cells of who does not act are still to be written */
  uint8_t *entered; /* (cells) ROW_ENTERED once the agent has acted in this episode, else 0 */
} Track;

/* A row that waits for its value; its recurrent state lies beside it. */
typedef struct Closing {
  Track *track;
  size_t row;
  uint32_t player;
  uint32_t agent;
} Closing;

struct Recorder {
  const Env *env;
  RowFormat format;
  size_t units;   /* tracks of a slot: its agents, or its teams */
  Track *track;   /* (slots, units) */
  uint8_t *flags; /* (agents) of one slot */
  float *phi;     /* (agents) potentials in the position of ... */
  uint32_t phi_slot, phi_episode, phi_step;
  bool phi_known; /* ... which is this one */
  size_t slots;
  size_t track_room;
  Closing *closing;
  float *state; /* (closings, format.state) */
  size_t closings;
  size_t closing_room;
  size_t state_room;
  /* of one player's, gathered */
  uint8_t *rows;
  uint32_t *agents;
  float *states;
  float *values;
  size_t rows_room;
  size_t agents_room;
  size_t states_room;
  size_t values_room;
  /* Of teams. */
  uint32_t *first_of; /* (teams) its first agent, which its unrolls name */
  uint32_t *cell_of;  /* (agents) */
  Status failed;
  char why[256];
};

/* Tracks lie slot by slot, those of a slot together. */
static inline Track *track_at(Recorder *recorder, size_t slot_index, uint32_t unit) {
  return &recorder->track[slot_index * recorder->units + unit];
}

static inline Unroll *last_unroll(Track *track) {
  return &track->batch.unroll[track->batch.unrolls - 1];
}

/* A new unroll at the end of the batch, before its first row. Without memory for it the recorder
 * has failed. */
bool begin_unroll(Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t agent,
                  const Policy *policy, const float *memory);

/* The potential of each agent where the slot stands now (agents), borrowed until the next call;
 * NULL where none is recorded. What is no number fails the recorder. */
const float *potentials_of(Recorder *recorder, const PlaySlot *slot);

/* The team's halves of what recorder.h declares. */
Status teams_create(Recorder *recorder);
size_t teams_open(const Track *track);
void teams_decided(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                   const Decision *decision);
void teams_stepped(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                   const uint8_t *flags);
void teams_rewarded(Recorder *recorder, size_t slot_index, const float *reward);
void teams_ended(Recorder *recorder, size_t slot_index, const PlaySlot *slot, AgonStatus how);
void teams_closed(Recorder *recorder, size_t slot_index, const PlaySlot *slot, uint32_t team);
