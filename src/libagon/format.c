/* Reading the file of an agent. Nothing in it is believed: sizes are compared with what is there
 * before memory is taken for them, and every place that a step reads or writes is looked at once,
 * here, so that running it needs no further checks. */
#include "libagon/format.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WIDTH = 1 << 22, MOST_TEXT = 1 << 24 };
#define LARGEST 3.402823466e38f

AgonAgentStatus agent_fault(AgonError *error, AgonAgentStatus status, const char *format, ...) {
  va_list arguments;
  if (!error) return status;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  return status;
}

/* Bit by bit over a table of 256 that is made on the way in. */
uint32_t format_checksum(const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  uint32_t table[256];
  uint32_t sum = 0xffffffffu;
  for (uint32_t i = 0; i < 256; i++) {
    table[i] = i;
    for (int bit = 0; bit < 8; bit++)
      table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
  }
  for (size_t i = 0; i < size; i++)
    sum = sum >> 8 ^ table[(sum ^ at[i]) & 0xff];
  return ~sum;
}

/* --- taking numbers out --- */

/* A place in the bytes; `bad` once more was asked for than there is. */
typedef struct Cursor {
  const uint8_t *at;
  size_t left;
  bool bad;
} Cursor;

static const void *take(Cursor *cursor, size_t size) {
  const uint8_t *at = cursor->at;
  if (cursor->bad || size > cursor->left) {
    cursor->bad = true;
    return NULL;
  }
  cursor->at += size;
  cursor->left -= size;
  return at;
}

static uint32_t take_u32(Cursor *cursor) {
  uint32_t value = 0;
  const void *at = take(cursor, sizeof value);
  if (at) memcpy(&value, at, sizeof value);
  return value;
}

static uint64_t take_u64(Cursor *cursor) {
  uint64_t value = 0;
  const void *at = take(cursor, sizeof value);
  if (at) memcpy(&value, at, sizeof value);
  return value;
}

/* A text with its length before it, the caller's to free; NULL: it is not there, or no memory. */
static char *take_text(Cursor *cursor) {
  const size_t size = take_u32(cursor);
  const void *at = take(cursor, size);
  char *text = at && size < MOST_TEXT ? malloc(size + 1) : NULL;
  if (!text) {
    cursor->bad = true;
    return NULL;
  }
  memcpy(text, at, size);
  text[size] = 0;
  return text;
}

/* `count` numbers of four bytes into *arrays, which moves on. */
static const void *take_array(Cursor *cursor, uint32_t **arrays, size_t count) {
  const void *from = take(cursor, count * sizeof **arrays);
  uint32_t *to = *arrays;
  if (!from) return NULL;
  memcpy(to, from, count * sizeof *to);
  *arrays += count;
  return to;
}

/* --- looking at what was read --- */

static bool is_numbers(const Model *m) {
  return m->rule == MODEL_NUMBERS || m->rule == MODEL_SQUASHED;
}

/* Whether the single numbers are such as can be, before anything is sized by them. */
static bool fields_fit(const Model *m) {
  const uint32_t last = (uint32_t)m->tensors;
  return m->bytes <= 1 && m->observation >= 1 && m->observation <= MOST_WIDTH && m->span >= 1 &&
         m->span <= MOST_WIDTH && m->ids <= AGON_MAX_AGENTS && m->last_inputs <= AGON_MAX_CHOICES &&
         m->recurrent <= MOST_WIDTH && m->lasts <= AGON_MAX_HEADS && m->gates <= 1 &&
         m->memory == m->recurrent + m->lasts + m->gates && m->agents >= 1 &&
         m->agents <= AGON_MAX_AGENTS && m->team >= 1 && m->team <= AGON_MAX_AGENTS &&
         m->copies >= 1 && m->copies <= AGON_MAX_AGENTS && m->rule < MODEL_RULES && m->heads >= 1 &&
         m->heads <= AGON_MAX_HEADS && m->inner == m->gates && m->inner < m->heads &&
         m->choices >= 1 && m->choices <= AGON_MAX_CHOICES + 2 && m->width >= 1 &&
         m->talk < TALK_KINDS && m->steps >= 1 && m->steps <= MODEL_STEPS && m->tensors >= 2 &&
         m->tensors <= MODEL_STEPS + 2 && m->links >= -1 && m->links < (int32_t)last &&
         m->logits >= 0 && m->logits < (int32_t)last && m->spread >= -1 &&
         m->spread < (int32_t)last && m->value >= 0 && m->value < (int32_t)last &&
         (m->links < 0 || m->copies == 1) && (m->talk == TALK_NONE) == (m->links < 0) &&
         (m->team > 1) == (m->links >= 0);
}

/* Whether heads, masks and memory say the same. */
static bool heads_fit(const Model *m) {
  const bool numbers = is_numbers(m);
  uint64_t sum = 0;
  for (uint32_t h = 0; h < m->heads; h++) {
    if (m->head_size[h] < 1 || m->head_size[h] > AGON_MAX_CHOICES) return false;
    if (numbers && m->head_size[h] != 1) return false;
    sum += m->head_size[h];
  }
  if (sum != m->choices || m->width != (numbers ? 2 * m->heads : m->choices)) return false;
  if (m->inner && (numbers || m->head_size[m->heads - 1] != 2)) return false;
  if (m->lasts && m->lasts != m->heads - m->inner) return false;
  if (m->lasts && m->last_inputs != (numbers ? m->heads : sum - 2 * m->inner)) return false;
  return m->lasts || !m->last_inputs;
}

/* Whether numbers have ranges from which something can be taken. */
static bool ranges_fit(const Model *m) {
  for (size_t i = 0; is_numbers(m) && i < (size_t)m->agents * m->heads; i++)
    if (!(m->low[i] >= -LARGEST && m->low[i] <= m->high[i] && m->high[i] <= LARGEST)) return false;
  return true;
}

/* Whether outputs and inputs are as wide as they must be. */
static bool tensors_fit(const Model *m) {
  const uint64_t more = (uint64_t)(m->ids + m->last_inputs) * m->span;
  const uint32_t columns = is_numbers(m) ? m->heads : m->width;
  for (uint32_t t = 0; t < m->tensors; t++)
    if (m->tensor[t] < 1 || m->tensor[t] > MOST_WIDTH) return false;
  for (uint32_t a = 0; m->ids && a < m->agents; a++)
    if (m->id_of[a] >= m->ids) return false;
  for (uint32_t a = 0; m->copies > 1 && a < m->agents; a++)
    if (m->copy_of[a] >= m->copies) return false;
  if (m->tensor[0] != m->observation + more || m->tensor[m->value] != 1) return false;
  if (m->tensor[m->logits] < columns) return false;
  if ((m->rule == MODEL_NUMBERS) != (m->spread >= 0)) return false;
  if (m->spread >= 0 && m->tensor[m->spread] != m->heads) return false;
  return m->links < 0 || m->tensor[m->links] == m->team;
}

/* Of sizes; UINT32_MAX, which is more than any, where it is no less than that. */
static uint64_t product(uint64_t a, uint32_t b) {
  return b > 0 && a >= UINT32_MAX / b ? UINT32_MAX : a * b;
}

/* Whether `count` numbers from `at` on lie in a copy's. */
static bool within(const Model *m, uint64_t at, uint64_t count) {
  return at <= m->stride && count <= m->stride - at;
}

static bool conv_fits(const Model *m, const ModelStep *s) {
  const ModelConv *c = &s->conv;
  const uint32_t *number = (const uint32_t *)c;
  for (size_t i = 0; i < sizeof *c / sizeof *number; i++)
    if (number[i] > MOST_WIDTH) return false;
  if (!c->channels || !c->height || !c->width || !c->out_channels || !c->kernel || !c->stride)
    return false;
  if (c->height + 2 * c->pad < c->kernel || c->width + 2 * c->pad < c->kernel) return false;
  if (c->out_height != (c->height + 2 * c->pad - c->kernel) / c->stride + 1) return false;
  if (c->out_width != (c->width + 2 * c->pad - c->kernel) / c->stride + 1) return false;
  const uint64_t places = (uint64_t)c->out_height * c->out_width;
  const uint64_t taps = (uint64_t)c->channels * c->kernel;
  const uint64_t furthest = (uint64_t)(c->channels - 1) * c->step_channel +
                            (uint64_t)(c->height - 1) * c->step_y +
                            (uint64_t)(c->width - 1) * c->step_x;
  if (taps > MOST_WIDTH || taps * c->kernel > MOST_WIDTH || places > MOST_WIDTH) return false;
  return places * c->out_channels == m->tensor[s->out] && furthest < m->tensor[s->in[0]] &&
         places * taps * c->kernel <= 1u << 28 &&
         within(m, s->weight, taps * c->kernel * c->out_channels) &&
         within(m, s->bias, c->out_channels);
}

/* Inputs side by side, or all as wide as the output. */
static bool join_fits(const Model *m, const ModelStep *s) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < s->inputs; i++) {
    sum += m->tensor[s->in[i]];
    if (s->op == MODEL_ADD && m->tensor[s->in[i]] != m->tensor[s->out]) return false;
  }
  return s->inputs >= 1 && (s->op == MODEL_ADD || sum == m->tensor[s->out]);
}

static bool memory_fits(const Model *m, const ModelStep *s) {
  const uint64_t K = m->tensor[s->in[0]];
  const uint64_t H = m->tensor[s->out];
  const uint64_t gates = s->op == MODEL_GRU ? 3 : 4;
  const uint64_t own = s->op == MODEL_GRU ? H : 2 * H;
  return (uint64_t)s->state_at + own <= m->recurrent && within(m, s->weight, gates * H * K) &&
         within(m, s->bias, gates * H) && within(m, s->weight_h, gates * H * H) &&
         within(m, s->bias_h, gates * H);
}

static bool attend_fits(const Model *m, const ModelStep *s) {
  return m->links >= 0 && s->inputs == 4 && s->in[0] == (uint32_t)m->links &&
         m->tensor[s->in[1]] == m->tensor[s->in[2]] && m->tensor[s->in[3]] == m->tensor[s->out];
}

/* Whether a step's tensors and numbers are as wide as it takes them to be. */
static bool widths_fit(const Model *m, const ModelStep *s) {
  const uint64_t K = m->tensor[s->in[0]];
  const uint64_t N = m->tensor[s->out];
  switch ((ModelOp)s->op) {
  case MODEL_DENSE: return within(m, s->weight, K * N) && within(m, s->bias, N);
  case MODEL_PRODUCT: return within(m, s->weight, K * N);
  case MODEL_BROADCAST: return within(m, s->bias, N);
  case MODEL_CONV: return conv_fits(m, s);
  case MODEL_NORM:
  case MODEL_NORMALISE: return K == N && within(m, s->weight, N) && within(m, s->bias, N);
  case MODEL_RESCALE:
    return N == 1 && s->column < K && within(m, s->weight, 1) && within(m, s->bias, 1);
  case MODEL_GRU:
  case MODEL_LSTM: return memory_fits(m, s);
  case MODEL_JOIN:
  case MODEL_ADD: return join_fits(m, s);
  case MODEL_ACT: return K == N;
  case MODEL_MIX:
    return m->links >= 0 && s->inputs == 2 && s->in[0] == (uint32_t)m->links &&
           m->tensor[s->in[1]] == N;
  case MODEL_ATTEND: return attend_fits(m, s);
  case MODEL_OPS: break;
  }
  return false;
}

/* Whether every step reads what is there and writes what nobody has written, and all outputs are
 * made. Returns the place of the first step that does not fit; `steps`: all do. */
static uint32_t first_unfit(const Model *m) {
  bool made[MODEL_STEPS + 2] = {true};
  if (m->links >= 0) made[m->links] = true;
  for (uint32_t i = 0; i < m->steps; i++) {
    const ModelStep *s = &m->step[i];
    if (s->op >= MODEL_OPS || s->act >= MODEL_ACTS || s->half > 1 || s->inputs > MODEL_INPUTS)
      return i;
    if (s->inputs == 0 && s->op != MODEL_BROADCAST) return i;
    for (uint32_t k = 0; k < MODEL_INPUTS; k++)
      if (s->in[k] >= m->tensors || (k < s->inputs && !made[s->in[k]])) return i;
    if (s->out >= m->tensors || made[s->out] || !widths_fit(m, s)) return i;
    made[s->out] = true;
  }
  const bool all = made[m->logits] && made[m->value] && (m->spread < 0 || made[m->spread]);
  return all ? m->steps : m->steps - 1;
}

/* --- the parts --- */

/* Floats and counts of the arrays behind the single numbers. */
static uint64_t array_count(const Model *m) {
  const uint64_t ranges = is_numbers(m) ? 2 * (uint64_t)m->agents * m->heads : 0;
  return m->heads + (m->ids ? m->agents : 0) + (m->copies > 1 ? m->agents : 0) + m->tensors +
         (uint64_t)m->steps * FORMAT_STEP + ranges;
}

static AgonAgentStatus damaged(AgonError *error, const char *name, const char *what) {
  return agent_fault(error, AGON_AGENT_DAMAGED, "%.160s: the file is damaged: %s", name, what);
}

static AgonAgentStatus no_memory(AgonError *error, const char *name) {
  return agent_fault(error, AGON_AGENT_MEMORY, "%.160s: out of memory", name);
}

static AgonAgentStatus read_spec(Cursor cursor, const char *name, AgentFile *file,
                                 AgonError *error) {
  Model *m = &file->model;
  uint32_t fields = 0;
  uint32_t *arrays;
  const uint32_t given = take_u32(&cursor);
#define TAKE(field)                                                                                \
  m->field = (__typeof__(m->field))take_u32(&cursor);                                              \
  fields++;
  FORMAT_FIELDS(TAKE)
#undef TAKE
  for (; fields < given && !cursor.bad; fields++) /* of a later minor version */
    take_u32(&cursor);
  for (size_t i = 0; i < 3; i++)
    file->shape[i] = take_u32(&cursor);
  file->player = take_text(&cursor);
  file->env = take_text(&cursor);
  if (cursor.bad || fields != given || !fields_fit(m))
    return damaged(error, name, "what it says of the agent cannot be");
  if (array_count(m) * sizeof *arrays != cursor.left)
    return damaged(error, name, "its tables are not as long as they must be");
  file->arrays = arrays = malloc(cursor.left);
  if (!arrays) return no_memory(error, name);
  m->head_size = take_array(&cursor, &arrays, m->heads);
  if (m->ids) m->id_of = take_array(&cursor, &arrays, m->agents);
  if (m->copies > 1) m->copy_of = take_array(&cursor, &arrays, m->agents);
  m->tensor = take_array(&cursor, &arrays, m->tensors);
  m->step = take_array(&cursor, &arrays, (size_t)m->steps * FORMAT_STEP);
  if (is_numbers(m)) {
    m->low = take_array(&cursor, &arrays, (size_t)m->agents * m->heads);
    m->high = take_array(&cursor, &arrays, (size_t)m->agents * m->heads);
  }
  const uint64_t shape = (uint64_t)file->shape[0] * file->shape[1];
  if (!heads_fit(m) || !ranges_fit(m) || !tensors_fit(m) || shape > MOST_WIDTH ||
      shape * file->shape[2] != m->observation)
    return damaged(error, name, "its spaces contradict one another");
  const uint32_t unfit = first_unfit(m);
  if (unfit < m->steps)
    return agent_fault(error, AGON_AGENT_DAMAGED,
                       "%.160s: the file is damaged: step %u of its network fits nowhere", name,
                       unfit);
  return AGON_AGENT_OK;
}

static AgonAgentStatus read_views(Cursor cursor, const char *name, AgentFile *file,
                                  AgonError *error) {
  const size_t count = take_u32(&cursor);
  if (count > 4096) return damaged(error, name, "it names too many layers");
  file->view = calloc(count + 1, sizeof *file->view);
  if (!file->view) return no_memory(error, name);
  for (size_t i = 0; i < count; i++) {
    FormatView *view = &file->view[i];
    char *text = take_text(&cursor);
    const size_t size = text ? strlen(text) : FORMAT_NAME;
    if (size < FORMAT_NAME) memcpy(view->name, text, size + 1);
    free(text);
    view->dims = take_u32(&cursor);
    view->count = 1;
    for (size_t d = 0; d < 4; d++) {
      view->shape[d] = take_u32(&cursor);
      if (d < view->dims) view->count = product(view->count, view->shape[d]);
    }
    view->offset = take_u64(&cursor);
    if (cursor.bad || size >= FORMAT_NAME || view->dims > 4 ||
        !within(&file->model, view->offset, view->count))
      return damaged(error, name, "a layer lies outside of its numbers");
  }
  file->views = count;
  return cursor.left < 8 ? AGON_AGENT_OK : damaged(error, name, "there is more than it says");
}

/* The numbers are copied, since the bytes may be anywhere. */
static AgonAgentStatus read_numbers(Cursor cursor, const char *name, AgentFile *file,
                                    AgonError *error) {
  Model *m = &file->model;
  const uint64_t size = (uint64_t)m->copies * m->stride * sizeof(float);
  if (size != cursor.left) return damaged(error, name, "it has not as many numbers as its layers");
  float *numbers = malloc(cursor.left ? cursor.left : 1);
  if (!numbers) return no_memory(error, name);
  memcpy(numbers, cursor.at, cursor.left);
  file->numbers = numbers;
  file->parameters = cursor.left / sizeof *numbers;
  m->block = numbers;
  for (size_t i = 0; i < file->parameters; i++)
    if (!(fabsf(numbers[i]) <= LARGEST))
      return damaged(error, name, "one of its numbers is not finite");
  return AGON_AGENT_OK;
}

/* Where the parts lie. */
static AgonAgentStatus find_parts(const uint8_t *bytes, size_t size, const char *name,
                                  Cursor part[FORMAT_PARTS], AgonError *error) {
  Cursor head = {bytes, size, false};
  const void *magic = take(&head, FORMAT_MAGIC_SIZE);
  if (!magic || memcmp(magic, FORMAT_MAGIC, FORMAT_MAGIC_SIZE) != 0)
    return agent_fault(error, AGON_AGENT_DAMAGED,
                       "%.160s: not an agent's file: 'agon export --format agon' writes them",
                       name);
  const uint32_t version = take_u32(&head);
  const uint32_t checksum = take_u32(&head);
  const uint64_t whole = take_u64(&head);
  if (head.bad) return damaged(error, name, "it ends in its head");
  if (version < 1 || version > AGON_AGENT_FORMAT)
    return agent_fault(error, AGON_AGENT_DAMAGED,
                       "%.160s: it is of format %u, and this library reads up to %u: a newer "
                       "libagon is needed",
                       name, version, AGON_AGENT_FORMAT);
  if (whole != size)
    return agent_fault(error, AGON_AGENT_DAMAGED,
                       "%.160s: the file is damaged: it has %zu bytes of %llu", name, size,
                       (unsigned long long)whole);
  if (format_checksum(bytes + FORMAT_SUMMED, size - FORMAT_SUMMED) != checksum)
    return damaged(error, name, "its checksum does not fit its bytes");
  uint64_t length[FORMAT_PARTS];
  for (size_t i = 0; i < FORMAT_PARTS; i++)
    length[i] = take_u64(&head);
  take(&head, FORMAT_HEAD - (FORMAT_SUMMED + 8 + 8 * FORMAT_PARTS));
  for (size_t i = 0; i < FORMAT_PARTS; i++) {
    const size_t fits = length[i] <= size;
    part[i].left = fits ? (size_t)length[i] : 0;
    part[i].at = fits ? take(&head, (size_t)length[i]) : NULL;
    if (!part[i].at) return damaged(error, name, "its parts are longer than it is");
    take(&head, (8 - length[i] % 8) % 8);
  }
  return head.bad || head.left ? damaged(error, name, "its parts are not all of it")
                               : AGON_AGENT_OK;
}

AgonAgentStatus format_read(const void *bytes, size_t size, const char *name, AgentFile *out,
                            AgonError *error) {
  Cursor part[FORMAT_PARTS] = {{0}};
  *out = (AgentFile){.player = NULL};
  AgonAgentStatus status = find_parts(bytes, size, name, part, error);
  if (status != AGON_AGENT_OK) return status;
  out->metadata = malloc(part[PART_METADATA].left + 1);
  if (!out->metadata) return no_memory(error, name);
  memcpy(out->metadata, part[PART_METADATA].at, part[PART_METADATA].left);
  out->metadata[part[PART_METADATA].left] = 0;
  status = read_spec(part[PART_SPEC], name, out, error);
  if (status == AGON_AGENT_OK) status = read_views(part[PART_VIEWS], name, out, error);
  if (status == AGON_AGENT_OK) status = read_numbers(part[PART_NUMBERS], name, out, error);
  if (status != AGON_AGENT_OK) format_free(out);
  return status;
}

void format_free(AgentFile *file) {
  free(file->player);
  free(file->env);
  free(file->metadata);
  free(file->view);
  free(file->numbers);
  free(file->arrays);
  *file = (AgentFile){.player = NULL};
}
