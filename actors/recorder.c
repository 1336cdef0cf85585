#include "actors/recorder_fields.h"

#include "base/invariant.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As encoded. TEAMS stands before the tracks of a slot, where they are of teams. */
enum { GOING = 1, BEGUN = 2, TEAMS = 4 };

/* On failure *out is NULL. */
Status recorder_create(const Env *env, const RowFormat *format, Recorder **out) {
  Status status = OK;
  Recorder *recorder = NULL;
  TRY(NEW_ARRAY(recorder, 1));
  recorder->env = env;
  recorder->format = *format;
  recorder->units = format->flags ? env->spec.teams : env->spec.agents;
  TRY(NEW_ARRAY(recorder->flags, env->spec.agents));
  if (format->potential) TRY(NEW_ARRAY(recorder->phi, env->spec.agents));
  if (format->flags) TRY(teams_create(recorder));
  *out = recorder;
  return OK;
done:
  recorder_destroy(recorder);
  *out = NULL;
  return status;
}

void recorder_destroy(Recorder *recorder) {
  if (!recorder) return;
  for (size_t i = 0; i < recorder->slots * recorder->units; i++) {
    batch_destroy(&recorder->track[i].batch);
    free(recorder->track[i].memory);
    free(recorder->track[i].entered);
  }
  free(recorder->flags);
  free(recorder->phi);
  free(recorder->track);
  free(recorder->closing);
  free(recorder->state);
  free(recorder->rows);
  free(recorder->agents);
  free(recorder->states);
  free(recorder->values);
  free(recorder->first_of);
  free(recorder->cell_of);
  free(recorder);
}

/* One track for each agent, or team, of the slot. On failure the recorder is to be destroyed. */
Status recorder_add_slot(Recorder *recorder) {
  const RowFormat *f = &recorder->format;
  size_t first = recorder->slots * recorder->units;
  size_t end = first + recorder->units;
  size_t cells = format_cells(f);
  TRY_RETURN(GROW(recorder->track, recorder->track_room, end));
  recorder->slots++;
  for (size_t i = first; i < end; i++) {
    TRY_RETURN(batch_create(f, &recorder->track[i].batch));
    TRY_RETURN(NEW_ARRAY(recorder->track[i].memory, cells * f->state));
    TRY_RETURN(NEW_ARRAY(recorder->track[i].entered, cells));
  }
  return OK;
}

/* Decisions that wait for their reward and for what comes after them. */
size_t recorder_open(const Recorder *recorder) {
  size_t count = 0;
  for (size_t i = 0; i < recorder->slots * recorder->units; i++) {
    const Track *track = &recorder->track[i];
    if (track->going) count += recorder->format.flags ? teams_open(track) : 1;
  }
  return count;
}

/* The message is kept, since others may be set before anybody asks. */
void recorder_fail(Recorder *recorder, Status status) {
  if (recorder->failed != OK) return;
  recorder->failed = status;
  snprintf(recorder->why, sizeof recorder->why, "%s",
           status == ERR_MEMORY ? "out of memory recording experience" : status_message());
}

Status recorder_failed(const Recorder *recorder) {
  if (recorder->failed == OK) return OK;
  return status_set(recorder->failed, "%s", recorder->why);
}

/* A position is asked once for all of its agents: slot, episode and step name it. */
const float *potentials_of(Recorder *recorder, const PlaySlot *slot) {
  const Env *env = recorder->env;
  if (!recorder->format.potential) return NULL;
  if (recorder->phi_known && recorder->phi_slot == slot->id &&
      recorder->phi_episode == slot->episode && recorder->phi_step == slot->steps)
    return recorder->phi;
  env->table->potential(env->params, slot->state, recorder->phi);
  recorder->phi_known = true;
  recorder->phi_slot = slot->id;
  recorder->phi_episode = slot->episode;
  recorder->phi_step = slot->steps;
  const size_t at = env_first_beyond(recorder->phi, env->spec.agents, INFINITY);
  if (at < env->spec.agents)
    recorder_fail(recorder, status_set(ERR_ENV,
                                       "env %s: the potential of agent %zu is no number, in slot "
                                       "%u, episode %u, step %u",
                                       env->table->name, at, slot->id, slot->episode, slot->steps));
  return recorder->phi;
}

/* See recorder_fields.h. */
bool begin_unroll(Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t agent,
                  const Policy *policy, const float *memory) {
  const Unroll unroll = {.first_version = policy->version,
                         .first_life = policy->life,
                         .player = policy->player,
                         .slot = slot->id,
                         .agent = (uint16_t)agent,
                         .fresh = !track->begun,
                         .first = (uint32_t)track->batch.rows,
                         .episode = slot->episode,
                         .step = slot->steps};
  const void *const value[COLUMNS] = {[COLUMN_STATE] = memory};
  Status status = batch_add_unroll(&track->batch, &unroll, value);
  if (status != OK) {
    recorder_fail(recorder, status);
    return false;
  }
  track->begun = true;
  track->going = true;
  return true;
}

/* A decision's row: what was observed, what was allowed, done, how likely, and the value then. Its
 * reward is added later, by recorder_rewarded. In a discrete action space a log-probability cannot
 * exceed 0; of a density (box) it can. */
void recorder_decided(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                      const Decision *decision) {
  if (recorder->format.flags) {
    teams_decided(recorder, slot_index, slot, decision);
    return;
  }
  Track *track = track_at(recorder, slot_index, decision->agent);
  Batch *batch = &track->batch;
  const RowFormat *f = &recorder->format;
  const float *phi = potentials_of(recorder, slot);
  const void *const value[COLUMNS] = {[COLUMN_OBSERVATION] = decision->observation,
                                      [COLUMN_MASK] = decision->mask,
                                      [COLUMN_ACTION] = decision->action,
                                      [COLUMN_LOG_PROB] = &decision->log_prob,
                                      [COLUMN_VALUE] = &decision->value,
                                      [COLUMN_POTENTIAL] = phi ? phi + decision->agent : NULL};
  if (!track->going &&
      !begin_unroll(recorder, track, slot, decision->agent, decision->policy, decision->memory))
    return;
  INVARIANT(batch->unroll[batch->unrolls - 1].player == decision->policy->player);
  INVARIANT(decision->log_prob <= 1e-3f || recorder->env->layout.action_kind == AGON_BOX);
  Status status = batch_add_row(batch, value);
  if (status != OK) {
    recorder_fail(recorder, status);
    return;
  }
  track->step = slot->steps;
  if (f->state) memcpy(track->memory, decision->memory, f->state * sizeof(float));
  Unroll *unroll = last_unroll(track);
  unroll->version = decision->policy->version;
  unroll->life = decision->policy->life;
  unroll->rows++;
}

/* Rows of single agents hold nothing of others. */
void recorder_stepped(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                      const uint8_t *flags) {
  if (recorder->format.flags) teams_stepped(recorder, slot_index, slot, flags);
}

/* Rewards between two decisions of an agent are summed into the first's row: in games of turns,
 * what the others' moves bring is the reward of one's own. */
void recorder_rewarded(Recorder *recorder, size_t slot_index, const float *reward) {
  if (recorder->format.flags) {
    teams_rewarded(recorder, slot_index, reward);
    return;
  }
  for (uint32_t a = 0; a < recorder->env->spec.agents; a++) {
    Track *track = track_at(recorder, slot_index, a);
    if (track->going) track->batch.reward[track->batch.rows - 1] += reward[a];
  }
}

/* Ends the track's unroll with a row that only bootstraps: what the agent sees now, as if it were
 * to act. */
static void close_unroll(Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t agent,
                         UnrollEnd end) {
  Batch *batch = &track->batch;
  const RowFormat *f = &recorder->format;
  const void *const nothing[COLUMNS] = {NULL};
  size_t S = f->state;
  size_t at = recorder->closings;
  if (batch_add_row(batch, nothing) != OK ||
      GROW(recorder->closing, recorder->closing_room, at + 1) != OK ||
      GROW(recorder->state, recorder->state_room, (at + 1) * S) != OK) {
    recorder_fail(recorder, ERR_MEMORY);
    return;
  }
  size_t row = batch->rows - 1;
  env_observe(recorder->env, slot->state, agent, batch->observation + row * f->observation_bytes);
  memset(batch->mask + row * f->choices, 1, f->choices);
  if (f->potential) batch->potential[row] = potentials_of(recorder, slot)[agent];
  last_unroll(track)->end = (uint8_t)end;
  track->going = false;
  recorder->closing[recorder->closings++] =
      (Closing){track, row, last_unroll(track)->player, agent};
  if (S) memcpy(recorder->state + at * S, slot->memory + agent * S, S * sizeof(float));
}

/* Cuts the agent's unroll where it acts next; the last row is the observation to bootstrap from. */
void recorder_closed(Recorder *recorder, size_t slot_index, const PlaySlot *slot, uint32_t agent) {
  if (recorder->format.flags) {
    teams_closed(recorder, slot_index, slot, recorder->env->spec.team_of[agent]);
    return;
  }
  Track *track = track_at(recorder, slot_index, agent);
  if (track->going) close_unroll(recorder, track, slot, agent, END_OPEN);
}

/* Which flag says that an agent bootstraps from the episode's end. */
static uint8_t bootstrap_flag(const Recorder *recorder, const uint8_t *flags) {
  for (uint32_t a = 0; a < recorder->env->spec.agents; a++)
    if (flags[a] & AGON_ACTS) return AGON_ACTS;
  return AGON_ALIVE;
}

/* A terminal state is worth 0 and needs no closing row. One that was cut off by a step limit is not
 * terminal for the learner: who could have acted is closed with the value of where it stands (Pardo
 * et al., arXiv 1712.00378). */
void recorder_ended(Recorder *recorder, size_t slot_index, const PlaySlot *slot, AgonStatus how) {
  if (recorder->format.flags) {
    teams_ended(recorder, slot_index, slot, how);
    return;
  }
  uint8_t *flags = recorder->flags;
  uint8_t wanted = 0;
  memset(flags, 0, recorder->env->spec.agents);
  if (how == AGON_TRUNCATED) {
    env_flags_of(recorder->env, slot->state, flags);
    wanted = bootstrap_flag(recorder, flags);
  }
  for (uint32_t a = 0; a < recorder->env->spec.agents; a++) {
    Track *track = track_at(recorder, slot_index, a);
    track->begun = false;
    if (!track->going) continue;
    last_unroll(track)->end = END_TERMINATED;
    if (flags[a] & wanted) close_unroll(recorder, track, slot, a, END_TRUNCATED);
    track->going = false;
  }
}

/* Values of all closing rows of one player. */
static Status value_player(Recorder *recorder, const RecorderHooks *hooks, uint32_t player) {
  size_t S = recorder->format.state;
  size_t bytes = recorder->format.observation_bytes;
  size_t count = 0;
  for (size_t i = 0; i < recorder->closings; i++) {
    const Closing *closing = &recorder->closing[i];
    if (closing->player != player) continue;
    memcpy(recorder->rows + count * bytes, closing->track->batch.observation + closing->row * bytes,
           bytes);
    recorder->agents[count] = closing->agent;
    if (S) memcpy(recorder->states + count * S, recorder->state + i * S, S * sizeof(float));
    count++;
  }
  TRY_RETURN(hooks->values(hooks->context, player, count, recorder->rows, recorder->agents,
                           recorder->states, recorder->values));
  for (size_t i = 0, at = 0; i < recorder->closings; i++) {
    Closing *closing = &recorder->closing[i];
    if (closing->player != player) continue;
    closing->track->batch.value[closing->row] = recorder->values[at++];
  }
  return OK;
}

/* Values of all closing rows, one forward pass per player instead of one per unroll. Players go in
 * order of their ids, so that results do not depend on which slot closed first. */
static Status value_closings(Recorder *recorder, const RecorderHooks *hooks) {
  size_t n = recorder->closings;
  TRY_RETURN(GROW(recorder->rows, recorder->rows_room, n * recorder->format.observation_bytes));
  TRY_RETURN(GROW(recorder->agents, recorder->agents_room, n));
  TRY_RETURN(GROW(recorder->states, recorder->states_room, n * recorder->format.state));
  TRY_RETURN(GROW(recorder->values, recorder->values_room, n));
  uint32_t next = 0;
  for (bool more = n > 0; more;) { /* players in order of their ids */
    uint32_t player = UINT32_MAX;
    for (size_t i = 0; i < n; i++)
      if (recorder->closing[i].player >= next && recorder->closing[i].player < player)
        player = recorder->closing[i].player;
    more = player != UINT32_MAX;
    if (more) TRY_RETURN(value_player(recorder, hooks, player));
    next = player + 1;
  }
  recorder->closings = 0;
  return OK;
}

/* Makes the open decision the only row, of a new unroll. */
static void carry_open(const Recorder *recorder, Track *track, bool alone) {
  Batch *batch = &track->batch;
  const RowFormat *f = &recorder->format;
  size_t row = batch->rows - 1;
  Unroll *unroll = &batch->unroll[0];
  *unroll = *last_unroll(track);
  unroll->first_version = unroll->version;
  unroll->first_life = unroll->life;
  unroll->fresh = alone && unroll->fresh;
  unroll->end = END_OPEN;
  unroll->first = 0;
  unroll->rows = 1;
  unroll->step = track->step;
  unroll->until = 0;
  batch_move_row(batch, 0, row);
  memcpy(batch->state, track->memory, column_bytes(f, COLUMN_STATE));
  batch->unrolls = 1;
  batch->rows = 1;
}

/* Moves a track's closed unrolls into its player's batch. A decision that is still open begins the
 * next unroll; here it stays behind the rows only to bootstrap from. */
static Status collect_track(Recorder *recorder, Track *track, const RecorderHooks *hooks) {
  Batch *batch = &track->batch;
  bool alone = false;
  if (track->going) {
    Unroll *last = last_unroll(track);
    alone = last->rows == 1; /* nothing closed yet: it waits */
    last->rows--;
    last->end = END_OPEN;
    last->until = track->step;
  }
  for (size_t u = 0; u < batch->unrolls; u++) {
    if (batch->unroll[u].rows == 0) continue;
    Batch *target = hooks->batch_of(hooks->context, batch->unroll[u].player);
    if (!target) return ERR_MEMORY;
    TRY_RETURN(batch_append(target, batch, u));
  }
  if (track->going)
    carry_open(recorder, track, alone);
  else
    batch_clear(batch);
  return OK;
}

/* hooks->batch_of says into which batch a player's unrolls go (NULL: out of memory); values_of
 * values the closing rows. */
Status recorder_collect(Recorder *recorder, const RecorderHooks *hooks) {
  TRY_RETURN(value_closings(recorder, hooks));
  for (size_t i = 0; i < recorder->slots * recorder->units; i++)
    TRY_RETURN(collect_track(recorder, &recorder->track[i], hooks));
  return OK;
}

/* The slot's episode could not be restored: its open decisions have no future and are not learned
 * from. */
void recorder_abandoned(Recorder *recorder, size_t slot_index) {
  for (uint32_t i = 0; i < recorder->units; i++) {
    Track *track = track_at(recorder, slot_index, i);
    batch_clear(&track->batch);
    track->begun = false;
    track->going = false;
    memset(track->entered, 0, format_cells(&recorder->format));
  }
}

void recorder_renumber(Recorder *recorder, size_t slot_index, const uint32_t *map) {
  for (uint32_t i = 0; i < recorder->units; i++) {
    Track *track = track_at(recorder, slot_index, i);
    if (track->going) last_unroll(track)->player = map[last_unroll(track)->player];
  }
}

/* Only open rows are left when an actor's state is taken, since unrolls have just been
 * collected. */
static void encode_track(const Recorder *recorder, const Track *track, Bytes *out) {
  const RowFormat *f = &recorder->format;
  bytes_u8(out, (uint8_t)((track->going ? GOING : 0) | (track->begun ? BEGUN : 0)));
  if (f->flags) bytes_put(out, track->entered, format_cells(f));
  if (!track->going) return;
  /* its unroll has one row; encoded as terminated, which spans exactly that row */
  Batch one = track->batch;
  Unroll head = one.unroll[0];
  head.end = END_TERMINATED;
  one.unroll = &head;
  batch_encode(&one, out);
  bytes_put(out, track->memory, column_bytes(f, COLUMN_STATE));
}

/* Before tracks of teams stands how wide their rows are. */
void recorder_encode(const Recorder *recorder, size_t slot_index, Bytes *out) {
  const RowFormat *f = &recorder->format;
  if (f->flags) {
    bytes_u8(out, TEAMS);
    bytes_u32(out, (uint32_t)format_cells(f));
    bytes_u32(out, f->global);
  }
  for (size_t i = 0; i < recorder->units; i++)
    encode_track(recorder, &recorder->track[slot_index * recorder->units + i], out);
}

/* ERR_FORMAT unless it is at most one row of one unroll. */
static Status decode_track(const Recorder *recorder, Track *track, Reader *reader) {
  const RowFormat *f = &recorder->format;
  batch_clear(&track->batch);
  uint8_t flags = reader_u8(reader);
  if (f->flags) reader_get(reader, track->entered, format_cells(f));
  bool damaged = flags > (GOING | BEGUN) || reader->bad;
  for (size_t c = 0; c < format_cells(f); c++)
    damaged |= track->entered[c] != 0 && track->entered[c] != ROW_ENTERED;
  if (damaged) return status_set(ERR_FORMAT, "an open decision is damaged");
  track->going = flags & GOING;
  track->begun = flags != 0; /* older checkpoints do not say so of who has an open decision */
  if (!track->going) return OK;
  TRY_RETURN(batch_decode(&track->batch, reader));
  if (track->batch.rows != 1 || track->batch.unrolls != 1)
    return status_set(ERR_FORMAT, "an open decision is damaged");
  track->batch.unroll[0].end = END_OPEN;
  track->step = track->batch.unroll[0].step;
  reader_get(reader, track->memory, column_bytes(f, COLUMN_STATE));
  return OK;
}

/* ERR_FORMAT if what was open was recorded in another way than this algorithm's. */
static Status decode_width(const RowFormat *f, Reader *reader) {
  bool teams = reader->at < reader->size && reader->data[reader->at] == TEAMS;
  if (teams != f->flags)
    return status_set(ERR_FORMAT,
                      "open decisions of the checkpoint are of %s, but the algorithm learns from "
                      "%s: go on with the algorithm of the run",
                      teams ? "whole teams" : "single agents",
                      teams ? "single agents" : "whole teams");
  if (!teams) return OK;
  reader_u8(reader);
  uint32_t cells = reader_u32(reader);
  uint32_t global = reader_u32(reader);
  if (cells == format_cells(f) && global == f->global) return OK;
  return status_set(ERR_FORMAT,
                    "open decisions of the checkpoint are of teams of %u with %u numbers of the "
                    "global state, but the algorithm learns from teams of %zu with %u: go on with "
                    "the algorithm of the run",
                    cells, global, format_cells(f), f->global);
}

Status recorder_decode(Recorder *recorder, size_t slot_index, Reader *reader) {
  TRY_RETURN(decode_width(&recorder->format, reader));
  for (uint32_t i = 0; i < recorder->units; i++)
    TRY_RETURN(decode_track(recorder, track_at(recorder, slot_index, i), reader));
  return OK;
}
