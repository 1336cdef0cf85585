#include "data/batch.h"

#include "base/invariant.h"

#include <stdlib.h>
#include <string.h>

enum { FRESH = 1, CARRIED = 2 }; /* as encoded; CARRIED: the first decision's version and life follow */

size_t unroll_span(const Unroll *unroll) { return unroll->rows + (unroll->end != END_TERMINATED); }

uint64_t unroll_version(const Unroll *unroll, size_t row) { return row ? unroll->version : unroll->first_version; }

uint32_t unroll_life(const Unroll *unroll, size_t row) { return row ? unroll->life : unroll->first_life; }

Status batch_create(const RowFormat *format, Batch *out) {
  *out = (Batch){.format = *format};
  return batch_reserve(out, 16, 4);
}

void batch_destroy(Batch *batch) {
  free(batch->observation);
  free(batch->mask);
  free(batch->action);
  free(batch->log_prob);
  free(batch->value);
  free(batch->reward);
  free(batch->unroll);
  free(batch->state);
  *batch = (Batch){0};
}

void batch_clear(Batch *batch) { batch->rows = batch->unrolls = 0; }

static Status grow_column(void *pointer, size_t old, size_t room, size_t size) {
  size_t capacity = old;
  if (size == 0) size = 1;
  return mem_grow(pointer, &capacity, room, size);
}

Status batch_reserve(Batch *batch, size_t rows, size_t unrolls) {
  const RowFormat *f = &batch->format;
  size_t room = batch->row_room ? batch->row_room : 16;
  while (room < batch->rows + rows) room *= 2;
  if (room > batch->row_room) {
    TRY_RETURN(grow_column(&batch->observation, batch->row_room, room, f->observation_bytes));
    TRY_RETURN(grow_column(&batch->mask, batch->row_room, room, f->choices));
    TRY_RETURN(grow_column(&batch->action, batch->row_room, room, f->heads * sizeof(int32_t)));
    TRY_RETURN(grow_column(&batch->log_prob, batch->row_room, room, sizeof(float)));
    TRY_RETURN(grow_column(&batch->value, batch->row_room, room, sizeof(float)));
    TRY_RETURN(grow_column(&batch->reward, batch->row_room, room, sizeof(float)));
    batch->row_room = room;
  }
  room = batch->unroll_room ? batch->unroll_room : 16;
  while (room < batch->unrolls + unrolls) room *= 2;
  if (room > batch->unroll_room) {
    TRY_RETURN(grow_column(&batch->unroll, batch->unroll_room, room, sizeof(Unroll)));
    TRY_RETURN(grow_column(&batch->state, batch->unroll_room, room, f->state * sizeof(float)));
    batch->unroll_room = room;
  }
  return OK;
}

/* Copies rows [from_row, +count) of another batch behind the present ones. */
static void copy_rows(Batch *batch, const Batch *from, size_t row, size_t count) {
  const RowFormat *f = &batch->format;
  size_t at = batch->rows;
  memcpy(batch->observation + at * f->observation_bytes, from->observation + row * f->observation_bytes,
         count * f->observation_bytes);
  memcpy(batch->mask + at * f->choices, from->mask + row * f->choices, count * f->choices);
  memcpy(batch->action + at * f->heads, from->action + row * f->heads, count * f->heads * sizeof(int32_t));
  memcpy(batch->log_prob + at, from->log_prob + row, count * sizeof(float));
  memcpy(batch->value + at, from->value + row, count * sizeof(float));
  memcpy(batch->reward + at, from->reward + row, count * sizeof(float));
  batch->rows += count;
}

Status batch_append(Batch *batch, const Batch *from, size_t index) {
  const Unroll *unroll = &from->unroll[index];
  size_t span = unroll_span(unroll), S = batch->format.state;
  TRY_RETURN(batch_reserve(batch, span, 1));
  batch->unroll[batch->unrolls] = *unroll;
  batch->unroll[batch->unrolls].first = (uint32_t)batch->rows;
  if (S) memcpy(batch->state + batch->unrolls * S, from->state + index * S, S * sizeof(float));
  batch->unrolls++;
  copy_rows(batch, from, unroll->first, span);
  return OK;
}

size_t batch_learned(const Batch *batch) {
  size_t sum = 0;
  for (size_t i = 0; i < batch->unrolls; i++) sum += batch->unroll[i].rows - batch->unroll[i].skip;
  return sum;
}

static void encode_unroll(const Unroll *unroll, Bytes *out) {
  bool carried = unroll->first_version != unroll->version || unroll->first_life != unroll->life;
  uint32_t flags = (unroll->fresh ? FRESH : 0u) | (carried ? CARRIED : 0u);
  bytes_u64(out, unroll->version);
  bytes_u32(out, unroll->player);
  bytes_u32(out, unroll->life);
  bytes_u32(out, unroll->slot);
  bytes_u32(out, (uint32_t)unroll->agent << 16 | (uint32_t)unroll->end << 8 | flags);
  bytes_u32(out, unroll->rows);
  if (!carried) return;
  bytes_u64(out, unroll->first_version);
  bytes_u32(out, unroll->first_life);
}

static void decode_unroll(Unroll *unroll, Reader *reader) {
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
  unroll->first_version = packed & CARRIED ? reader_u64(reader) : unroll->version;
  unroll->first_life = packed & CARRIED ? reader_u32(reader) : unroll->life;
  if (unroll->end > END_TRUNCATED || unroll->agent >= 16 || (packed & 0xff) > (FRESH | CARRIED)) reader->bad = true;
}

bool batch_is_whole(const Batch *batch) {
  size_t at = 0;
  for (size_t u = 0; u < batch->unrolls; u++) {
    if (batch->unroll[u].first != at) return false;
    at += unroll_span(&batch->unroll[u]);
  }
  return at == batch->rows && finite_floats(batch->log_prob, at) && finite_floats(batch->value, at) &&
         finite_floats(batch->reward, at);
}

void batch_encode(const Batch *batch, Bytes *out) {
  const RowFormat *f = &batch->format;
  bytes_u64(out, batch->unrolls);
  bytes_u64(out, batch->rows);
  for (size_t i = 0; i < batch->unrolls; i++) encode_unroll(&batch->unroll[i], out);
  bytes_put(out, batch->state, batch->unrolls * f->state * sizeof(float));
  bytes_put(out, batch->observation, batch->rows * f->observation_bytes);
  bytes_put(out, batch->mask, batch->rows * f->choices);
  bytes_put(out, batch->action, batch->rows * f->heads * sizeof(int32_t));
  bytes_put(out, batch->log_prob, batch->rows * sizeof(float));
  bytes_put(out, batch->value, batch->rows * sizeof(float));
  bytes_put(out, batch->reward, batch->rows * sizeof(float));
}

static Status check_actions(const RowFormat *format, const int32_t *action, size_t rows) {
  uint32_t bad = 0;
  for (uint32_t h = 0; format->head_size && h < format->heads; h++) /* without an early end, so in vectors */
    for (size_t row = 0; row < rows; row++)
      bad |= (uint32_t)((uint32_t)action[row * format->heads + h] >= format->head_size[h]);
  for (size_t row = 0; bad && row < rows; row++)
    for (uint32_t h = 0; h < format->heads; h++) {
      int32_t choice = action[row * format->heads + h];
      if (choice < 0 || (uint32_t)choice >= format->head_size[h])
        return status_set(ERR_FORMAT, "experience message is damaged: row %zu, head %u: action %d of %u choices", row,
                          h, choice, format->head_size[h]);
    }
  return OK;
}

/* Of a row in a message, all columns together. */
static size_t row_bytes(const RowFormat *f) {
  return f->observation_bytes + f->choices + f->heads * sizeof(int32_t) + 3 * sizeof(float);
}

Status batch_decode(Batch *batch, Reader *reader) {
  const RowFormat *f = &batch->format;
  size_t unrolls = reader_count(reader, 28), rows = reader_count(reader, row_bytes(f));
  if (reader->bad) return status_set(ERR_FORMAT, "experience message is too short for its counts");
  TRY_RETURN(batch_reserve(batch, rows, unrolls));
  size_t first = batch->rows, at = batch->rows, u = batch->unrolls;
  for (size_t i = 0; i < unrolls; i++) {
    Unroll *unroll = &batch->unroll[u + i];
    decode_unroll(unroll, reader);
    unroll->first = (uint32_t)at;
    at += unroll_span(unroll);
    if (at > first + rows) reader->bad = true;
    if (reader->bad) break;
  }
  reader_get(reader, batch->state + u * f->state, unrolls * f->state * sizeof(float));
  reader_get(reader, batch->observation + first * f->observation_bytes, rows * f->observation_bytes);
  reader_get(reader, batch->mask + first * f->choices, rows * f->choices);
  reader_get(reader, batch->action + first * f->heads, rows * f->heads * sizeof(int32_t));
  reader_get(reader, batch->log_prob + first, rows * sizeof(float));
  reader_get(reader, batch->value + first, rows * sizeof(float));
  reader_get(reader, batch->reward + first, rows * sizeof(float));
  if (reader->bad || at != first + rows)
    return status_set(ERR_FORMAT, "experience message is damaged: rows and unrolls disagree");
  TRY_RETURN(check_actions(f, batch->action + first * f->heads, rows));
  if (!finite_floats(batch->log_prob + first, rows) || !finite_floats(batch->value + first, rows) ||
      !finite_floats(batch->reward + first, rows) || !finite_floats(batch->state + u * f->state, unrolls * f->state))
    return status_set(ERR_FORMAT, "experience message holds numbers that are not finite");
  batch->rows += rows;
  batch->unrolls += unrolls;
  return OK;
}
