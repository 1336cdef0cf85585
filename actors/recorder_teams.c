/* Rows of whole teams: who acts fills its own cell, as it decides; the others' are filled when the
 * step is decided, before the env moves. */
#include "actors/recorder_fields.h"

#include "base/invariant.h"

#include <math.h>
#include <string.h>

/* Where agents and teams are found. */
Status teams_create(Recorder *recorder) {
  const AgonEnvSpec *spec = &recorder->env->spec;
  const RowFormat *f = &recorder->format;
  INVARIANT(f->agent_of && f->agents == spec->agents);
  TRY_RETURN(NEW_ARRAY(recorder->first_of, spec->teams));
  TRY_RETURN(NEW_ARRAY(recorder->cell_of, spec->agents));
  for (uint32_t a = 0; a < spec->agents; a++) {
    const uint32_t *line = f->agent_of + a * format_cells(f);
    recorder->first_of[spec->team_of[a]] = line[0];
    for (uint32_t c = 0; c < format_cells(f); c++)
      if (line[c] == a) recorder->cell_of[a] = c;
  }
  return OK;
}

/* Who is in the cells of a team's rows. */
static const uint32_t *agents_in(const Recorder *recorder, uint32_t team) {
  return recorder->format.agent_of + recorder->first_of[team] * format_cells(&recorder->format);
}

/* How many agents act in the open row. */
size_t teams_open(const Track *track) {
  size_t cells = format_cells(&track->batch.format);
  const uint8_t *flags = track->batch.flags + (track->batch.rows - 1) * cells;
  size_t count = 0;
  for (size_t c = 0; c < cells; c++)
    count += (flags[c] & AGON_ACTS) != 0;
  return count;
}

/* A row in which nobody does anything yet: each choice is there, so that a policy's probabilities
 * are numbers in every cell. */
static bool add_row(Recorder *recorder, Track *track) {
  Batch *batch = &track->batch;
  const void *const nothing[COLUMNS] = {NULL};
  size_t bytes = column_bytes(&batch->format, COLUMN_MASK);
  Status status = batch_add_row(batch, nothing);
  if (status != OK) {
    recorder_fail(recorder, status);
    return false;
  }
  memset(batch->mask + (batch->rows - 1) * bytes, 1, bytes);
  return true;
}

/* The team's row of this step, at the first of its decisions. */
static bool open_row(Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t team,
                     const Policy *policy) {
  if (!track->going && !begin_unroll(recorder, track, slot, recorder->first_of[team], policy, NULL))
    return false;
  if (!add_row(recorder, track)) return false;
  Unroll *unroll = last_unroll(track);
  unroll->version = policy->version;
  unroll->life = policy->life;
  unroll->rows++;
  track->step = slot->steps;
  track->filling = true;
  return true;
}

/* Its cell: what it saw, could do and did. */
void teams_decided(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                   const Decision *decision) {
  const RowFormat *f = &recorder->format;
  uint32_t team = recorder->env->spec.team_of[decision->agent];
  Track *track = track_at(recorder, slot_index, team);
  Batch *batch = &track->batch;
  size_t c = recorder->cell_of[decision->agent];
  if (!track->filling && !open_row(recorder, track, slot, team, decision->policy)) return;
  INVARIANT(last_unroll(track)->player == decision->policy->player);
  INVARIANT(last_unroll(track)->version == decision->policy->version);
  INVARIANT(decision->log_prob <= 1e-3f || recorder->env->layout.action_kind == AGON_BOX);
  size_t cell = (batch->rows - 1) * format_cells(f) + c;
  memcpy(batch->observation + cell * f->observation_bytes, decision->observation,
         f->observation_bytes);
  memcpy(batch->mask + cell * f->choices, decision->mask, f->choices);
  memcpy(batch->action + cell * f->heads, decision->action, f->heads * sizeof *batch->action);
  batch->log_prob[cell] = decision->log_prob;
  batch->reward[cell] -= decision->cost;
  if (f->state) memcpy(track->memory + c * f->state, decision->memory, f->state * sizeof(float));
}

/* What an agent sees that is not asked to act. Nothing else would notice a number that is none. */
static void observe(Recorder *recorder, const PlaySlot *slot, uint32_t agent, uint8_t *row) {
  const Env *env = recorder->env;
  env_observe(env, slot->state, agent, row);
  if (env->layout.observation_type != AGON_F32) return;
  size_t at = env_first_beyond(row, env->observation_count, INFINITY);
  if (at == env->observation_count) return;
  recorder_fail(recorder,
                status_set(ERR_ENV,
                           "env %s: an observation is not finite: element %zu of agent "
                           "%u, which does not act, in slot %u, episode %u, step %u",
                           env->table->name, at, agent, slot->id, slot->episode, slot->steps));
}

/* The global state of the row: the env's own, or all that the team sees, one agent after another.
 */
static void write_global(Recorder *recorder, const PlaySlot *slot, uint32_t team, float *out) {
  const Env *env = recorder->env;
  const uint32_t *agent = agents_in(recorder, team);
  size_t count = recorder->format.global;
  if (count == 0) return;
  if (env->spec.global_state_size) {
    INVARIANT(count == env->spec.global_state_size);
    env->table->global_state(env->params, slot->state, out);
  }
  for (size_t c = 0; !env->spec.global_state_size && c < format_cells(&recorder->format); c++)
    if (agent[c] != NO_AGENT)
      env_observe_f32(env, slot->state, agent[c], out + c * env->observation_count);
  size_t at = env_first_beyond(out, count, INFINITY);
  if (at == count) return;
  recorder_fail(recorder,
                status_set(ERR_ENV,
                           "env %s: the global state is not finite: element %zu in slot %u, "
                           "episode %u, step %u",
                           env->table->name, at, slot->id, slot->episode, slot->steps));
}

/* Where an agent is, for networks that ask who is near whom. */
static void locate(Recorder *recorder, const PlaySlot *slot, uint32_t agent, float out[3]) {
  if (!recorder->format.position) return;
  Status status = env_position(recorder->env, slot->state, agent, out);
  if (status != OK) recorder_fail(recorder, status);
}

/* Completes the track's last row: flags and memory of all, and what those see who do not act - in a
 * row that closes, all. */
static void fill_row(Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t team,
                     const uint8_t *flags, bool closes) {
  const RowFormat *f = &recorder->format;
  const uint32_t *agent = agents_in(recorder, team);
  const float *phi = potentials_of(recorder, slot);
  Batch *batch = &track->batch;
  size_t row = batch->rows - 1;
  size_t bytes = f->state * sizeof(float);
  for (size_t c = 0; c < format_cells(f); c++) {
    size_t cell = row * format_cells(f) + c;
    if (agent[c] == NO_AGENT) continue;
    bool acts = flags[agent[c]] & AGON_ACTS;
    if (acts) track->entered[c] = ROW_ENTERED;
    batch->flags[cell] =
        (uint8_t)((flags[agent[c]] & (AGON_ACTS | AGON_ALIVE)) | track->entered[c]);
    if (phi) batch->potential[cell] = phi[agent[c]];
    locate(recorder, slot, agent[c], batch->position + cell * 3);
    if (acts && !closes) continue;
    observe(recorder, slot, agent[c], batch->observation + cell * f->observation_bytes);
    if (bytes) memcpy(track->memory + c * f->state, slot->memory + agent[c] * f->state, bytes);
  }
  write_global(recorder, slot, team, batch->global + row * f->global);
}

/* The rows that this step's decisions have opened become whole. */
void teams_stepped(Recorder *recorder, size_t slot_index, const PlaySlot *slot,
                   const uint8_t *flags) {
  size_t bytes = column_bytes(&recorder->format, COLUMN_STATE);
  for (uint32_t team = 0; team < recorder->env->spec.teams; team++) {
    Track *track = track_at(recorder, slot_index, team);
    Batch *batch = &track->batch;
    if (!track->filling) continue;
    track->filling = false;
    fill_row(recorder, track, slot, team, flags, false);
    if (bytes && last_unroll(track)->rows == 1)
      memcpy((char *)batch->state + (batch->unrolls - 1) * bytes, track->memory, bytes);
  }
}

/* Into the cells of the open row, whether their agents act, wait or are out of the game. */
void teams_rewarded(Recorder *recorder, size_t slot_index, const float *reward) {
  size_t cells = format_cells(&recorder->format);
  for (uint32_t team = 0; team < recorder->env->spec.teams; team++) {
    const uint32_t *agent = agents_in(recorder, team);
    Track *track = track_at(recorder, slot_index, team);
    if (!track->going) continue;
    float *row = track->batch.reward + (track->batch.rows - 1) * cells;
    for (size_t c = 0; c < cells; c++)
      if (agent[c] != NO_AGENT) row[c] += reward[agent[c]];
  }
}

/* Whether something can be chosen in each head. */
static bool can_choose(const Env *env, const uint8_t *mask) {
  const AgonKind *layout = &env->layout;
  if (layout->action_kind == AGON_BOX) return true;
  for (uint32_t h = 0; h < layout->heads; mask += layout->head_size[h++])
    if (!memchr(mask, 1, layout->head_size[h])) return false;
  return true;
}

/* What those may do who would act in the row that closes: learners that value actions take the best
 * of them. An env need not say it of a game that is over; then it is anything. */
static void mask_row(const Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t team,
                     const uint8_t *flags) {
  const RowFormat *f = &recorder->format;
  const uint32_t *agent = agents_in(recorder, team);
  uint8_t *mask = track->batch.mask + (track->batch.rows - 1) * format_cells(f) * f->choices;
  for (size_t c = 0; c < format_cells(f); c++, mask += f->choices) {
    if (agent[c] == NO_AGENT || !(flags[agent[c]] & AGON_ACTS)) continue;
    env_mask(recorder->env, slot->state, agent[c], mask);
    if (!can_choose(recorder->env, mask)) memset(mask, 1, f->choices);
  }
}

/* Ends the team's unroll with a row that only bootstraps, of where its agents stand now. `masked`:
 * the env can say what they may do. */
static void close_team(Recorder *recorder, Track *track, const PlaySlot *slot, uint32_t team,
                       const uint8_t *flags, bool masked, UnrollEnd end) {
  if (!add_row(recorder, track)) return;
  fill_row(recorder, track, slot, team, flags, true);
  if (masked) mask_row(recorder, track, slot, team, flags);
  last_unroll(track)->end = (uint8_t)end;
  last_unroll(track)->until = slot->steps;
  track->going = false;
}

/* Called for each agent that is to act; the first of a team closes it. */
void teams_closed(Recorder *recorder, size_t slot_index, const PlaySlot *slot, uint32_t team) {
  Track *track = track_at(recorder, slot_index, team);
  if (!track->going) return;
  env_flags_of(recorder->env, slot->state, recorder->flags);
  close_team(recorder, track, slot, team, recorder->flags, true, END_OPEN);
}

/* Whether the env says who would act if the episode went on. Where it does not, all would who are
 * alive. */
static bool name_actors(const Recorder *recorder, uint8_t *flags) {
  uint32_t agents = recorder->env->spec.agents;
  for (uint32_t a = 0; a < agents; a++)
    if (flags[a] & AGON_ACTS) return true;
  for (uint32_t a = 0; a < agents; a++)
    if (flags[a] & AGON_ALIVE) flags[a] |= AGON_ACTS;
  return false;
}

/* A terminal state is worth 0 and needs no closing row. A step limit is not the end of what could
 * be earned: the row behind it holds all agents, the dead too, whose values are trained as the
 * others' are. */
void teams_ended(Recorder *recorder, size_t slot_index, const PlaySlot *slot, AgonStatus how) {
  uint8_t *flags = recorder->flags;
  bool named = false;
  if (how == AGON_TRUNCATED) {
    env_flags_of(recorder->env, slot->state, flags);
    named = name_actors(recorder, flags);
  }
  for (uint32_t team = 0; team < recorder->env->spec.teams; team++) {
    Track *track = track_at(recorder, slot_index, team);
    INVARIANT(!track->filling);
    if (track->going) last_unroll(track)->end = END_TERMINATED;
    if (track->going && how == AGON_TRUNCATED)
      close_team(recorder, track, slot, team, flags, named, END_TRUNCATED);
    track->begun = false;
    track->going = false;
    memset(track->entered, 0, format_cells(&recorder->format));
  }
}
