#include "data/batch.h"

#include "base/invariant.h"

#include <stdlib.h>
#include <string.h>

/* Bits of an unroll as encoded. */
enum {
  FRESH = 1,  /* it starts its episode */
  CARRIED = 2 /* version and life of its first decision follow, which are not those of the others */
};

/* Rows it takes in the batch: unless it ends in a terminal state, one more lies behind them, to
 * bootstrap from. */
size_t unroll_span(const Unroll *unroll) {
  return unroll->rows + (unroll->end != END_TERMINATED);
}

/* Row 0 may have been carried over from the tick before, when older weights acted. */
uint64_t unroll_version(const Unroll *unroll, size_t row) {
  return row ? unroll->version : unroll->first_version;
}

/* Likewise the player's life. */
uint32_t unroll_life(const Unroll *unroll, size_t row) {
  return row ? unroll->life : unroll->first_life;
}

/* --- teams --- */
uint32_t team_largest(const AgonEnvSpec *spec) {
  uint32_t size[AGON_MAX_TEAMS] = {0};
  uint32_t largest = 0;
  for (uint32_t a = 0; a < spec->agents; a++)
    if (++size[spec->team_of[a]] > largest) largest = size[spec->team_of[a]];
  return largest;
}

/* The lines of a team's agents are the same. */
void team_cells(const AgonEnvSpec *spec, uint32_t *agent_of) {
  size_t cells = team_largest(spec);
  for (uint32_t a = 0; a < spec->agents; a++) {
    uint32_t *line = agent_of + a * cells;
    for (size_t c = 0; c < cells; c++)
      line[c] = NO_AGENT;
    size_t c = 0;
    for (uint32_t mate = 0; mate < spec->agents; mate++)
      if (spec->team_of[mate] == spec->team_of[a]) line[c++] = mate;
  }
}

/* A line of agent_of begins with the first agent of its team. */
size_t format_teams(const RowFormat *format, uint32_t *out) {
  const size_t cells = format_cells(format);
  size_t teams = 0;
  if (!format->agent_of) return 1;
  for (uint32_t a = 0; a < format->agents; a++) {
    const uint32_t first = format->agent_of[a * cells];
    if (out) out[a] = first == a ? (uint32_t)teams : out[first];
    teams += first == a;
  }
  return teams;
}

/* --- columns --- */
#define AT(field) offsetof(Batch, field)
const Column batch_column[COLUMNS] = {
    [COLUMN_STATE] = {"state", TYPE_FLOAT, PER_UNROLL, OF_CELL, WIDTH_STATE, AT(state)},
    [COLUMN_OBSERVATION] = {"observation", TYPE_BYTE, PER_ROW, OF_CELL, WIDTH_OBSERVATION,
                            AT(observation)},
    [COLUMN_MASK] = {"mask", TYPE_BYTE, PER_ROW, OF_CELL, WIDTH_CHOICES, AT(mask)},
    [COLUMN_ACTION] = {"action", TYPE_WORD, PER_ROW, OF_CELL, WIDTH_HEADS, AT(action)},
    [COLUMN_LOG_PROB] = {"log_prob", TYPE_FLOAT, PER_ROW, OF_CELL, WIDTH_ONE, AT(log_prob)},
    [COLUMN_VALUE] = {"value", TYPE_FLOAT, PER_ROW, OF_CELL, WIDTH_VALUE, AT(value)},
    [COLUMN_REWARD] = {"reward", TYPE_FLOAT, PER_ROW, OF_CELL, WIDTH_ONE, AT(reward)},
    [COLUMN_FLAGS] = {"flags", TYPE_BYTE, PER_ROW, OF_CELL, WIDTH_FLAGS, AT(flags)},
    [COLUMN_GLOBAL] = {"global", TYPE_FLOAT, PER_ROW, OF_ROW, WIDTH_GLOBAL, AT(global)},
    [COLUMN_POTENTIAL] = {"potential", TYPE_FLOAT, PER_ROW, OF_CELL, WIDTH_POTENTIAL,
                          AT(potential)},
    [COLUMN_POSITION] = {"position", TYPE_FLOAT, PER_ROW, OF_CELL, WIDTH_POSITION, AT(position)},
};

/* Numbers of one cell or row; 0: this format lacks the column. */
static size_t width_of(const RowFormat *format, ColumnWidth width) {
  switch (width) {
  case WIDTH_ONE: return 1;
  case WIDTH_OBSERVATION: return format->observation_bytes;
  case WIDTH_CHOICES: return format->choices;
  case WIDTH_HEADS: return format->heads;
  case WIDTH_STATE: return format->state;
  case WIDTH_VALUE: return !format->flags;
  case WIDTH_FLAGS: return format->flags;
  case WIDTH_GLOBAL: return format->global;
  case WIDTH_POTENTIAL: return format->potential;
  case WIDTH_POSITION: return format->position ? 3 : 0;
  }
  return 0;
}

/* Numbers of one row or unroll. */
size_t column_width(const RowFormat *format, ColumnId id) {
  const Column *column = &batch_column[id];
  size_t width = width_of(format, column->width);
  return column->of == OF_CELL ? width * format_cells(format) : width;
}

/* Bytes of one row or unroll. */
size_t column_bytes(const RowFormat *format, ColumnId id) {
  return column_width(format, id) * (batch_column[id].type == TYPE_BYTE ? 1 : 4);
}

/* The array of a column, from its element `index` (row or unroll) on. */
static void *column_from(const Batch *batch, ColumnId id, size_t index) {
  unsigned char *data;
  memcpy(&data, (const char *)batch + batch_column[id].at, sizeof data);
  return data + index * column_bytes(&batch->format, id);
}

/* Room for `room` elements, where there is room for `old`, in every column of a kind. */
static Status grow_columns(Batch *batch, ColumnPer per, size_t old, size_t room) {
  for (ColumnId id = 0; id < COLUMNS; id++) {
    size_t capacity = old;
    size_t bytes = column_bytes(&batch->format, id);
    if (batch_column[id].per != per) continue;
    TRY_RETURN(mem_grow((char *)batch + batch_column[id].at, &capacity, room, bytes ? bytes : 1));
  }
  return OK;
}

/* Puts `count` elements from `from` on into the place of those from `to` on, in every column of a
 * kind. Both may be of one batch, and may overlap. */
static void move_columns(Batch *batch, ColumnPer per, size_t to, const Batch *source, size_t from,
                         size_t count) {
  for (ColumnId id = 0; id < COLUMNS; id++) {
    size_t bytes = column_bytes(&batch->format, id);
    if (batch_column[id].per == per && bytes)
      memmove(column_from(batch, id, to), column_from(source, id, from), count * bytes);
  }
}

/* Writes row or unroll `at` of all columns of its kind; NULL for 0. */
static void put_columns(Batch *batch, ColumnPer per, size_t at, const void *const value[COLUMNS]) {
  for (ColumnId id = 0; id < COLUMNS; id++) {
    size_t bytes = column_bytes(&batch->format, id);
    if (batch_column[id].per != per || bytes == 0) continue;
    if (value[id])
      memcpy(column_from(batch, id, at), value[id], bytes);
    else
      memset(column_from(batch, id, at), 0, bytes);
  }
}

/* How many rows or unrolls a column has entries for. */
static size_t count_of(const Batch *batch, ColumnId id) {
  return batch_column[id].per == PER_ROW ? batch->rows : batch->unrolls;
}

/* --- rows and unrolls --- */
Status batch_create(const RowFormat *format, Batch *out) {
  *out = (Batch){.format = *format};
  return batch_reserve(out, 16, 4);
}

void batch_destroy(Batch *batch) {
  for (ColumnId id = 0; id < COLUMNS; id++)
    free(column_from(batch, id, 0));
  free(batch->unroll);
  *batch = (Batch){0};
}

/* Its memory stays, for the next tick. */
void batch_clear(Batch *batch) {
  batch->unrolls = 0;
  batch->rows = 0;
}

/* The least power of two times `room` that holds as many, so that growing row by row copies each
 * row O(1) times. */
static size_t doubled(size_t room, size_t least) {
  if (room == 0) room = 16;
  while (room < least)
    room *= 2;
  return room;
}

/* Room for so many more. On failure the batch is as it was, but for room. */
Status batch_reserve(Batch *batch, size_t rows, size_t unrolls) {
  size_t row_room = doubled(batch->row_room, batch->rows + rows);
  size_t unroll_room = doubled(batch->unroll_room, batch->unrolls + unrolls);
  if (row_room > batch->row_room) {
    TRY_RETURN(grow_columns(batch, PER_ROW, batch->row_room, row_room));
    batch->row_room = row_room;
  }
  if (unroll_room > batch->unroll_room) {
    size_t capacity = batch->unroll_room;
    TRY_RETURN(mem_grow(&batch->unroll, &capacity, unroll_room, sizeof(Unroll)));
    TRY_RETURN(grow_columns(batch, PER_UNROLL, batch->unroll_room, unroll_room));
    batch->unroll_room = unroll_room;
  }
  return OK;
}

/* value: a pointer for each column of rows; NULL: zeros. */
Status batch_add_row(Batch *batch, const void *const value[COLUMNS]) {
  TRY_RETURN(batch_reserve(batch, 1, 0));
  put_columns(batch, PER_ROW, batch->rows++, value);
  return OK;
}

/* The unroll's `first` is the caller's to have set. */
Status batch_add_unroll(Batch *batch, const Unroll *unroll, const void *const value[COLUMNS]) {
  TRY_RETURN(batch_reserve(batch, 0, 1));
  batch->unroll[batch->unrolls] = *unroll;
  put_columns(batch, PER_UNROLL, batch->unrolls++, value);
  return OK;
}

/* Copies unroll `index` of another batch of the same format behind this one's. */
Status batch_append(Batch *batch, const Batch *from, size_t index) {
  const Unroll *unroll = &from->unroll[index];
  size_t span = unroll_span(unroll);
  TRY_RETURN(batch_reserve(batch, span, 1));
  batch->unroll[batch->unrolls] = *unroll;
  batch->unroll[batch->unrolls].first = (uint32_t)batch->rows;
  move_columns(batch, PER_UNROLL, batch->unrolls++, from, index, 1);
  move_columns(batch, PER_ROW, batch->rows, from, unroll->first, span);
  batch->rows += span;
  return OK;
}

/* For filtering in place: `to` is before `from`. */
void batch_move_unroll(Batch *batch, size_t to, size_t from) {
  batch->unroll[to] = batch->unroll[from];
  move_columns(batch, PER_UNROLL, to, batch, from, 1);
}

void batch_move_row(Batch *batch, size_t to, size_t from) {
  move_columns(batch, PER_ROW, to, batch, from, 1);
}

/* All rows of an unroll have the same agents. */
void batch_agents(const Batch *batch, uint32_t *out) {
  const RowFormat *f = &batch->format;
  size_t cells = format_cells(f);
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    const uint32_t *team = f->agent_of ? f->agent_of + unroll->agent * cells : NULL;
    for (size_t i = 0; i < unroll_span(unroll) * cells; i++)
      out[unroll->first * cells + i] = team ? team[i % cells] : unroll->agent;
  }
}

const Unroll *batch_unroll_at(const Batch *batch, size_t row) {
  size_t low = 0;
  size_t high = batch->unrolls;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (batch->unroll[middle].first <= row)
      low = middle;
    else
      high = middle;
  }
  return &batch->unroll[low];
}

size_t batch_members(const Batch *batch, const Unroll *unroll) {
  const RowFormat *format = &batch->format;
  const size_t cells = format_cells(format);
  size_t members = 0;
  if (!format->agent_of) return cells;
  for (size_t c = 0; c < cells; c++)
    members += format->agent_of[unroll->agent * cells + c] != NO_AGENT;
  return members;
}

/* Without flags each row is a decision. */
size_t batch_acts(const Batch *batch, size_t first, size_t rows) {
  size_t cells = format_cells(&batch->format);
  if (!batch->format.flags) return rows;
  size_t sum = 0;
  for (size_t i = first * cells; i < (first + rows) * cells; i++)
    sum += (batch->flags[i] & AGON_ACTS) != 0;
  return sum;
}

/* Decisions to learn from; those that only lead recurrent state up to them (skip) are not
 * counted. */
size_t batch_learned(const Batch *batch) {
  size_t sum = 0;
  for (size_t i = 0; i < batch->unrolls; i++) {
    const Unroll *unroll = &batch->unroll[i];
    sum += batch_acts(batch, unroll->first + unroll->skip, unroll->rows - unroll->skip);
  }
  return sum;
}

/* Of an unroll as encoded, at least. */
static size_t unroll_bytes(const RowFormat *format) {
  return format->flags ? 40 : 28;
}

/* The version and life of row 0 are sent only where they differ from the rest's. */
static void encode_unroll(const RowFormat *format, const Unroll *unroll, Bytes *out) {
  bool carried = unroll->first_version != unroll->version || unroll->first_life != unroll->life;
  uint32_t flags = (unroll->fresh ? FRESH : 0u) | (carried ? CARRIED : 0u);
  bytes_u64(out, unroll->version);
  bytes_u32(out, unroll->player);
  bytes_u32(out, unroll->life);
  bytes_u32(out, unroll->slot);
  bytes_u32(out, (uint32_t)unroll->agent << 16 | (uint32_t)unroll->end << 8 | flags);
  bytes_u32(out, unroll->rows);
  if (format->flags) {
    bytes_u32(out, unroll->episode);
    bytes_u32(out, unroll->step);
    bytes_u32(out, unroll->until);
  }
  if (!carried) return;
  bytes_u64(out, unroll->first_version);
  bytes_u32(out, unroll->first_life);
}

/* Whether experience of this format can be of that agent: a team's is of its first. */
static bool is_owner(const RowFormat *format, uint32_t agent) {
  if (!format->agent_of) return agent < AGON_MAX_AGENTS;
  return agent < format->agents && format->agent_of[agent * format_cells(format)] == agent;
}

/* Marks the reader bad for what no actor sends. */
static void decode_unroll(const RowFormat *format, Unroll *unroll, Reader *reader) {
  unroll->version = reader_u64(reader);
  unroll->player = reader_u32(reader);
  unroll->life = reader_u32(reader);
  unroll->slot = reader_u32(reader);
  uint32_t packed = reader_u32(reader);
  unroll->agent = (uint16_t)(packed >> 16);
  unroll->end = (uint8_t)(packed >> 8);
  unroll->fresh = packed & FRESH;
  unroll->rows = reader_u32(reader);
  unroll->skip = 0;
  unroll->episode = format->flags ? reader_u32(reader) : 0;
  unroll->step = format->flags ? reader_u32(reader) : 0;
  unroll->until = format->flags ? reader_u32(reader) : 0;
  unroll->first_version = packed & CARRIED ? reader_u64(reader) : unroll->version;
  unroll->first_life = packed & CARRIED ? reader_u32(reader) : unroll->life;
  if (unroll->end > END_TRUNCATED || !is_owner(format, unroll->agent) ||
      (packed & 0xff) > (FRESH | CARRIED))
    reader->bad = true;
}

/* Whether all numbers from `row` and from `unroll` on are finite. */
static bool all_finite(const Batch *batch, size_t row, size_t unroll, size_t rows, size_t unrolls) {
  for (ColumnId id = 0; id < COLUMNS; id++) {
    const Column *column = &batch_column[id];
    size_t first = column->per == PER_ROW ? row : unroll;
    size_t count = column->per == PER_ROW ? rows : unrolls;
    if (column->type != TYPE_FLOAT) continue;
    if (!finite_floats(column_from(batch, id, first), count * column_width(&batch->format, id)))
      return false;
  }
  return true;
}

/* Whether an agent can be in that state: whoever acts has entered the game, and in a cell without
 * an agent there is nothing. */
static bool is_flags(uint8_t flags, bool absent) {
  if (absent || flags > ROW_FLAGS) return flags == 0;
  return !(flags & AGON_ACTS) || (flags & ROW_ENTERED);
}

/* The first cell of the unroll's rows whose flags cannot be, as a cell index; SIZE_MAX: none. */
static size_t wrong_flags(const Batch *batch, const Unroll *unroll) {
  const RowFormat *format = &batch->format;
  size_t cells = format_cells(format);
  const uint32_t *agent = format->agent_of ? format->agent_of + unroll->agent * cells : NULL;
  if (!format->flags) return SIZE_MAX;
  for (size_t row = unroll->first; row < unroll->first + unroll_span(unroll); row++)
    for (size_t c = 0; c < cells; c++)
      if (!is_flags(batch->flags[row * cells + c], agent && agent[c] == NO_AGENT))
        return row * cells + c;
  return SIZE_MAX;
}

/* Unrolls lie end to end and cover all rows, and all numbers are finite. */
bool batch_is_whole(const Batch *batch) {
  size_t at = 0;
  for (size_t u = 0; u < batch->unrolls; u++) {
    if (batch->unroll[u].first != at) return false;
    at += unroll_span(&batch->unroll[u]);
    if (at > batch->rows || wrong_flags(batch, &batch->unroll[u]) != SIZE_MAX) return false;
  }
  return at == batch->rows && all_finite(batch, 0, 0, batch->rows, batch->unrolls);
}

/* Counts, unrolls, then column after column: batch_decode reads it. */
void batch_encode(const Batch *batch, Bytes *out) {
  bytes_u64(out, batch->unrolls);
  bytes_u64(out, batch->rows);
  for (size_t i = 0; i < batch->unrolls; i++)
    encode_unroll(&batch->format, &batch->unroll[i], out);
  for (ColumnId id = 0; id < COLUMNS; id++)
    bytes_put(out, column_from(batch, id, 0),
              count_of(batch, id) * column_bytes(&batch->format, id));
}

/* ERR_FORMAT where an action is no choice of its head: it would be an index beyond a row of logits.
 * First all are looked at without an early end, so that it is done in vectors; who it was is asked
 * later. */
static Status check_actions(const RowFormat *format, const int32_t *action, size_t rows) {
  size_t cells = rows * format_cells(format);
  uint32_t bad = 0;
  if (!format->head_size) return OK;
  for (uint32_t h = 0; h < format->heads; h++)
    for (size_t cell = 0; cell < cells; cell++)
      bad |= (uint32_t)((uint32_t)action[cell * format->heads + h] >= format->head_size[h]);
  for (size_t cell = 0; bad && cell < cells; cell++)
    for (uint32_t h = 0; h < format->heads; h++) {
      int32_t choice = action[cell * format->heads + h];
      if (choice < 0 || (uint32_t)choice >= format->head_size[h])
        return status_set(
            ERR_FORMAT,
            "experience message is damaged: row %zu, head %u, cell %zu: action %d of %u choices",
            cell / format_cells(format), h, cell % format_cells(format), choice,
            format->head_size[h]);
    }
  return OK;
}

/* ERR_FORMAT where the flags of what has come, but is not counted yet, cannot be. */
static Status check_flags(const Batch *batch, size_t unrolls) {
  size_t cells = format_cells(&batch->format);
  for (size_t u = batch->unrolls; u < batch->unrolls + unrolls; u++) {
    size_t cell = wrong_flags(batch, &batch->unroll[u]);
    if (cell != SIZE_MAX)
      return status_set(ERR_FORMAT,
                        "experience message is damaged: row %zu, cell %zu: flags %u are of nobody",
                        cell / cells - batch->rows, cell % cells, batch->flags[cell]);
  }
  return OK;
}

/* Of a row in a message, all columns together. */
static size_t row_bytes(const RowFormat *format) {
  size_t sum = 0;
  for (ColumnId id = 0; id < COLUMNS; id++)
    if (batch_column[id].per == PER_ROW) sum += column_bytes(format, id);
  return sum;
}

/* What is said of each unroll, behind those present; false unless their rows are as many as
 * come. */
static bool decode_unrolls(Batch *batch, Reader *reader, size_t unrolls, size_t rows) {
  size_t at = batch->rows;
  size_t end = batch->rows + rows;
  for (size_t i = 0; i < unrolls; i++) {
    Unroll *unroll = &batch->unroll[batch->unrolls + i];
    decode_unroll(&batch->format, unroll, reader);
    unroll->first = (uint32_t)at;
    at += unroll_span(unroll);
    if (reader->bad || at > end) return false;
  }
  return at == end;
}

/* Appends. ERR_FORMAT for a damaged message; the batch then still holds only what it held
 * before. */
Status batch_decode(Batch *batch, Reader *reader) {
  const RowFormat *format = &batch->format;
  size_t unrolls = reader_count(reader, unroll_bytes(format));
  size_t rows = reader_count(reader, row_bytes(format));
  if (reader->bad) return status_set(ERR_FORMAT, "experience message is too short for its counts");
  TRY_RETURN(batch_reserve(batch, rows, unrolls));
  if (!decode_unrolls(batch, reader, unrolls, rows))
    return status_set(ERR_FORMAT, "experience message is damaged: rows and unrolls disagree");
  for (ColumnId id = 0; id < COLUMNS; id++) {
    bool by_row = batch_column[id].per == PER_ROW;
    reader_get(reader, column_from(batch, id, by_row ? batch->rows : batch->unrolls),
               (by_row ? rows : unrolls) * column_bytes(format, id));
  }
  if (reader->bad)
    return status_set(ERR_FORMAT, "experience message is damaged: it ends within its columns");
  TRY_RETURN(check_actions(format, column_from(batch, COLUMN_ACTION, batch->rows), rows));
  TRY_RETURN(check_flags(batch, unrolls));
  if (!all_finite(batch, batch->rows, batch->unrolls, rows, unrolls))
    return status_set(ERR_FORMAT, "experience message holds numbers that are not finite");
  batch->rows += rows;
  batch->unrolls += unrolls;
  return OK;
}
