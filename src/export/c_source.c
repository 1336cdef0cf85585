/* An agent as one file of C and its header: what runs it (libagon/model.h and runtime.h, without
 * the parts that it has no use for), its steps as constants, and its numbers as text. A number of a
 * matrix takes three or four of the 92 characters that may stand in a string, in units of its row;
 * others take five, which hold every float. */
#include "export/c_source.h"

#include "base/embedded.h"
#include "base/text.h"
#include "libagon/run.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Embedded export_runtime_text[];

enum {
  SYMBOLS = 92,
  EXACT = 5,   /* characters that hold any float */
  LINE = 4000, /* of a string; compilers need not take more than 4095 */
};

/* --- text --- */

static void put(Bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(Bytes *out, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  const int size = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (size < 0 || (size_t)size >= sizeof text)
    out->failed = true;
  else
    bytes_put(out, text, (size_t)size);
}

static bool has_op(const Model *m, uint32_t op) {
  for (uint32_t i = 0; i < m->steps; i++)
    if (m->step[i].op == op) return true;
  return false;
}

/* Whether a part of the runtime is of use for the model. */
static bool uses(const Model *m, const char *part, size_t size) {
  const bool numbers = m->rule == MODEL_NUMBERS || m->rule == MODEL_SQUASHED;
  const struct {
    const char *name;
    bool used;
  } parts[] = {
      {"conv", has_op(m, MODEL_CONV)},
      {"memory", has_op(m, MODEL_GRU) || has_op(m, MODEL_LSTM)},
      {"layer_norm", has_op(m, MODEL_NORM)},
      {"normalise", has_op(m, MODEL_NORMALISE)},
      {"talk", m->links >= 0},
      {"attend", has_op(m, MODEL_ATTEND)},
      {"sizes", false}, /* they are written as constants */
      {"numbers", numbers},
      {"choices", !numbers},
  };
  for (size_t i = 0; i < COUNT_OF(parts); i++)
    if (strlen(parts[i].name) == size && !memcmp(parts[i].name, part, size)) return parts[i].used;
  return true;
}

/* A file of the runtime line by line, without its comments, blank lines and margins. */
static void put_runtime(const Model *m, const char *text, Bytes *out) {
  bool comment = false;
  bool wanted = true;
  for (const char *at = text; *at; at += *at == '\n') {
    const char *end = at + strcspn(at, "\n");
    while (at < end && *at == ' ')
      at++;
    if (!strncmp(at, "/* part: ", 9)) wanted = uses(m, at + 9, strcspn(at + 9, " "));
    if (!strncmp(at, "/* part end", 11)) wanted = true;
    const bool skip = !strncmp(at, "#pragma once", 12) || !strncmp(at, "#include \"", 10);
    const size_t before = out->size;
    for (; at < end; at++) {
      if (!comment && at + 1 < end && at[0] == '/' && at[1] == '*') comment = true;
      if (!comment && wanted && !skip) bytes_put(out, at, 1);
      if (comment && at + 1 < end && at[0] == '*' && at[1] == '/') {
        comment = false;
        at++;
      }
    }
    while (out->size > before && out->data[out->size - 1] == ' ')
      out->size--;
    if (out->size > before) bytes_put(out, "\n", 1);
  }
}

/* --- numbers --- */

/* The i-th of the characters: all that can be printed from ' ' to '~', but '"', '?' (trigraphs) and
 * '\'. */
static char symbol(uint32_t i) {
  char c = (char)(i + ' ');
  c = (char)(c + (c >= '"'));
  c = (char)(c + (c >= '?'));
  c = (char)(c + (c >= '\\'));
  return c;
}

/* A text that is cut into strings of LINE characters. */
typedef struct Strings {
  Bytes *out;
  size_t used; /* of the current one */
} Strings;

static void put_symbols(Strings *strings, uint64_t value, uint32_t digits) {
  for (uint32_t d = 0; d < digits; d++) {
    const char c = symbol((uint32_t)(value % SYMBOLS));
    value /= SYMBOLS;
    if (strings->used == 0) put(strings->out, "\"");
    bytes_put(strings->out, &c, 1);
    if (++strings->used == LINE) {
      put(strings->out, "\",\n");
      strings->used = 0;
    }
  }
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* Half of how many values that many characters tell apart. */
static uint32_t half_range(uint32_t digits) {
  uint32_t range = 1;
  while (digits-- > 0)
    range *= SYMBOLS;
  return range / 2;
}

static float largest_of(const float *x, size_t count) {
  float most = 0;
  for (size_t i = 0; i < count; i++)
    most = fmaxf(most, fabsf(x[i]));
  return most;
}

/* What a row's numbers are multiples of: the largest is then as far out as the characters go, but
 * for what the division may round up. */
static float unit_of_row(const float *x, size_t count, uint32_t digits) {
  const uint32_t half = half_range(digits);
  return largest_of(x, count) / (float)(half - 2 - half / (1 << 20));
}

static int64_t in_units(float x, float unit, uint32_t digits) {
  const int64_t most = (int64_t)half_range(digits) - 1;
  const int64_t units = unit > 0 ? llround((double)x / (double)unit) : 0;
  return units < -most ? -most : units > most ? most : units;
}

/* A stretch of the block that is written in one way. */
typedef struct Piece {
  size_t at, rows, columns;
  uint32_t digits;
} Piece;

/* The pieces of one copy: matrices in `digits` characters, all else exactly. What no layer names is
 * a piece, too. */
static Status find_pieces(const AgentFile *file, uint32_t digits, Piece **out, size_t *count) {
  size_t at = 0;
  *count = 0;
  TRY_RETURN(NEW_ARRAY(*out, 2 * file->views + 1));
  while (at < file->model.stride) {
    size_t next = file->model.stride;
    const FormatView *found = NULL;
    for (size_t i = 0; i < file->views; i++) {
      const FormatView *view = &file->view[i];
      if (view->offset == at && view->count > 0) found = view;
      if (view->offset > at && view->offset < next) next = view->offset;
    }
    Piece piece = {at, 1, next - at, EXACT};
    if (found && found->dims >= 2 && found->count <= next - at && digits < EXACT) {
      const size_t rows = found->shape[0];
      piece = (Piece){at, rows, found->count / rows, digits};
    }
    (*out)[(*count)++] = piece;
    at += piece.rows * piece.columns;
    if (*count > 2 * file->views) break;
  }
  return OK;
}

static void put_row(Strings *strings, const float *x, const Piece *piece) {
  if (piece->digits == EXACT) {
    for (size_t i = 0; i < piece->columns; i++)
      put_symbols(strings, bits_of(x[i]), EXACT);
    return;
  }
  const float unit = unit_of_row(x, piece->columns, piece->digits);
  put_symbols(strings, bits_of(unit), EXACT);
  for (size_t i = 0; i < piece->columns; i++)
    put_symbols(strings,
                (uint64_t)(in_units(x[i], unit, piece->digits) + half_range(piece->digits)),
                piece->digits);
}

Status export_rounded(const AgentFile *file, uint32_t digits, float *block) {
  Piece *piece;
  size_t count;
  const Model *m = &file->model;
  memcpy(block, m->block, file->parameters * sizeof *block);
  Status status = find_pieces(file, digits, &piece, &count);
  for (size_t c = 0; status == OK && c < m->copies; c++)
    for (size_t p = 0; p < count; p++)
      for (size_t r = 0; r < piece[p].rows && piece[p].digits < EXACT; r++) {
        float *x = block + c * m->stride + piece[p].at + r * piece[p].columns;
        const float unit = unit_of_row(x, piece[p].columns, digits);
        for (size_t i = 0; i < piece[p].columns; i++)
          x[i] = (float)in_units(x[i], unit, digits) * unit;
      }
  free(piece);
  return status;
}

static Status put_numbers(const AgentFile *file, uint32_t digits, Bytes *out) {
  const Model *m = &file->model;
  Piece *piece;
  size_t count;
  Strings strings = {.out = out};
  Status status = find_pieces(file, digits, &piece, &count);
  put(out, "static const struct { uint32_t rows, columns, digits; } piece[] = {\n");
  for (size_t p = 0; status == OK && p < count; p++)
    put(out, "{%zu, %zu, %u},\n", piece[p].rows, piece[p].columns, piece[p].digits);
  put(out, "};\nstatic const char *const text[] = {\n");
  for (size_t c = 0; status == OK && c < m->copies; c++)
    for (size_t p = 0; p < count; p++)
      for (size_t r = 0; r < piece[p].rows; r++)
        put_row(&strings, m->block + c * m->stride + piece[p].at + r * piece[p].columns, &piece[p]);
  put(out, "%s};\n", strings.used ? "\",\n" : "");
  free(piece);
  return status;
}

/* --- constants --- */

static void put_u32s(Bytes *out, const char *name, const uint32_t *from, size_t count) {
  put(out, "static const uint32_t %s[] = {", name);
  for (size_t i = 0; i < count; i++)
    put(out, "%u,%s", from[i], i % 20 == 19 ? "\n" : "");
  put(out, "};\n");
}

static void put_floats(Bytes *out, const char *name, const float *from, size_t count) {
  put(out, "static const float %s[] = {", name);
  for (size_t i = 0; i < count; i++)
    put(out, "%af,%s", (double)from[i], i % 10 == 9 ? "\n" : "");
  put(out, "};\n");
}

static void put_steps(const Model *m, Bytes *out) {
  put(out, "static const ModelStep model_steps[] = {\n");
  for (uint32_t i = 0; i < m->steps; i++) {
    const ModelStep *s = &m->step[i];
    const ModelConv *c = &s->conv;
    put(out, "{%u, %u, %u, {%u, %u, %u, %u}, %u, %u, %u, %u, %u, %u, %u, %u, %u,\n", s->op, s->act,
        s->inputs, s->in[0], s->in[1], s->in[2], s->in[3], s->out, s->weight, s->bias, s->weight_h,
        s->bias_h, s->column, s->state_at, s->top, s->half);
    put(out, "{%u, %u, %u, %u, %u, %u, %u, %u, %u, %u, %u, %u}},\n", c->channels, c->height,
        c->width, c->out_channels, c->out_height, c->out_width, c->kernel, c->stride, c->pad,
        c->step_channel, c->step_y, c->step_x);
  }
  put(out, "};\n");
}

static void put_model(const Model *m, Bytes *out) {
  put_u32s(out, "head_size", m->head_size, m->heads);
  put_u32s(out, "tensor_width", m->tensor, m->tensors);
  if (m->ids) put_u32s(out, "id_of", m->id_of, m->agents);
  if (m->copies > 1) put_u32s(out, "copy_of", m->copy_of, m->agents);
  if (m->low) put_floats(out, "low", m->low, (size_t)m->agents * m->heads);
  if (m->low) put_floats(out, "high", m->high, (size_t)m->agents * m->heads);
  put_steps(m, out);
  put(out, "static float block[%zu];\nstatic const Model model = {\n",
      (size_t)m->copies * m->stride);
#define FIELD(field) put(out, ".%s = %lld,\n", #field, (long long)m->field);
  FORMAT_FIELDS(FIELD)
#undef FIELD
  put(out,
      ".head_size = head_size, .tensor = tensor_width, .step = model_steps, .block = block,\n");
  if (m->ids) put(out, ".id_of = id_of,\n");
  if (m->copies > 1) put(out, ".copy_of = copy_of,\n");
  if (m->low) put(out, ".low = low, .high = high,\n");
  put(out, "};\n");
}

/* Floats of the packed matrices, however wide the vectors are that the file is compiled for. */
static size_t packed_most(const Model *m) {
  size_t size = 16;
  for (uint32_t i = 0; i < m->steps; i++) {
    const ModelStep *s = &m->step[i];
    const size_t K = m->tensor[s->in[0]];
    const size_t N = m->tensor[s->out];
    const size_t panel = MODEL_PANEL;
    const bool conv = s->op == MODEL_CONV;
    const bool gates = s->op == MODEL_GRU || s->op == MODEL_LSTM;
    const size_t out = conv ? s->conv.out_channels : gates ? (s->op == MODEL_GRU ? 3 : 4) * N : N;
    const size_t in = conv ? (size_t)s->conv.channels * s->conv.kernel * s->conv.kernel : K;
    if (!conv && !gates && s->op != MODEL_DENSE && s->op != MODEL_PRODUCT) continue;
    size += (in + (gates ? N : 0)) * ((out + panel - 1) / panel * panel);
  }
  return m->copies * size;
}

/* --- the two files --- */

/* Reads the text back; the functions that the header promises. */
static void put_functions(const Model *m, const char *name, Bytes *out) {
  const bool numbers = m->low != NULL;
  put(out, "static float packed[%zu];\n", packed_most(m));
  put(out, "static _Thread_local float scratch[%zu];\nstatic _Thread_local size_t source[%zu];\n\n",
      run_plain.scratch(m), run_plain.chunk(m));
  put(out,
      "static uint32_t next_number(size_t *line, const char **at, uint32_t digits) {\n"
      "uint32_t value = 0, unit = 1;\n"
      "while (digits-- > 0) {\n"
      "if (!*at || !**at) *at = text[(*line)++];\n"
      "char c = *(*at)++;\n"
      "value += unit * (uint32_t)(c - ' ' - (c > '\"') - (c > '?') - (c > '\\\\'));\n"
      "unit *= %d;\n"
      "}\n"
      "return value;\n"
      "}\n\n",
      SYMBOLS);
  put(out,
      "void %s_open(void) {\n"
      "size_t line = 0;\n"
      "const char *at = NULL;\n"
      "float *to = block;\n"
      "for (size_t c = 0; c < %u; c++)\n"
      "for (size_t p = 0; p < sizeof piece / sizeof *piece; p++)\n"
      "for (size_t r = 0; r < piece[p].rows; r++) {\n"
      "const uint32_t half = piece[p].digits == 3 ? %u : %u;\n"
      "float unit = 0;\n"
      "uint32_t bits = piece[p].digits < %d ? next_number(&line, &at, %d) : 0;\n"
      "memcpy(&unit, &bits, sizeof unit);\n"
      "for (size_t i = 0; i < piece[p].columns; i++, to++) {\n"
      "bits = next_number(&line, &at, piece[p].digits);\n"
      "if (piece[p].digits < %d) *to = (float)((int32_t)bits - (int32_t)half) * unit;\n"
      "else memcpy(to, &bits, sizeof *to);\n"
      "}\n"
      "}\n"
      "model_pack(&model, packed);\n"
      "}\n\n",
      name, m->copies, half_range(3), half_range(4), EXACT, EXACT, EXACT);
  put(out,
      "int %s_act(const %s_rows *rows) {\n"
      "ModelFault fault;\n"
      "const ModelRows all = {.count = rows->count, .observations = rows->observations, .masks = "
      "rows->masks,\n"
      ".agents = rows->agents, .alive = rows->alive, .acts = rows->acts, .positions = "
      "rows->positions,\n"
      ".slot = rows->slots, .memory = rows->memory, .greedy = rows->greedy != 0, .seed = "
      "rows->seed,\n"
      ".%s = rows->actions, .probability = rows->probabilities, .log_prob = rows->log_probs, "
      ".value = rows->values};\n"
      "return model_act(&model, packed, scratch, source, &all, &fault);\n"
      "}\n",
      name, name, numbers ? "number" : "choice");
}

/* Words of others within a comment: it must neither end in them nor begin anew. */
static void put_words(Bytes *out, const char *text) {
  size_t column = 0;
  for (char before = ' '; *text; before = *text++) {
    const bool mark = (before == '*' && *text == '/') || (before == '/' && *text == '*');
    if (mark || *text == '\n') put(out, " ");
    if (*text != '\n') bytes_put(out, text, 1);
    if (++column < 110 || *text != ',') continue;
    put(out, "\n   ");
    column = 0;
  }
}

static void put_who(const AgentFile *file, Bytes *out) {
  put(out, "/* ");
  put_words(out, file->player);
  put(out, " of ");
  put_words(out, file->env);
}

static void put_header(const AgentFile *file, const char *name, Bytes *out) {
  const Model *m = &file->model;
  const bool numbers = m->low != NULL;
  const uint32_t outer = m->heads - m->inner;
  const uint32_t own = m->choices - (m->inner ? m->head_size[m->heads - 1] : 0);
  put_who(file, out);
  put(out, ", as agon %s has exported it. C11 and libm; nothing is allocated.\n", AGON_VERSION);
  put(out, " * Call %s_open once, before all else; then any number of threads may call %s_act.\n",
      name, name);
  put(out,
      " * The code is agon's: Apache-2.0. The numbers are those of whoever trained them. */\n");
  put(out, "#ifndef %s_H\n#define %s_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n", name,
      name);
  put(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\nenum {\n");
  put(out, "  %s_OBSERVATION = %u, /* numbers of a row: %u x %u x %u */\n", name, m->observation,
      file->shape[0], file->shape[1], file->shape[2]);
  put(out, "  %s_HEADS = %u,       /* numbers of an action */\n", name, outer);
  put(out, "  %s_MASK = %u,        /* bytes of a mask row */\n", name, own);
  put(out, "  %s_OUTPUT = %u,      /* numbers of a row of probabilities%s */\n", name,
      numbers ? 2 * m->heads : own, numbers ? ": means, then deviations" : "");
  put(out, "  %s_MEMORY = %u,      /* floats that a row's agent remembers */\n", name, m->memory);
  put(out, "  %s_AGENTS = %u,\n  %s_TEAM = %u /* rows that must come together */\n};\n\n", name,
      m->agents, name, m->team);
  put(out, "typedef struct %s_rows {\n  size_t count;\n", name);
  put(out, "  const %s *observations; /* (count, OBSERVATION) */\n",
      m->bytes ? "uint8_t" : "float");
  put(out, "  const uint8_t *masks;   /* (count, MASK) 1: may be done; NULL: everything */\n");
  put(out, "  const uint32_t *agents; /* (count) whose rows they are; NULL: agent 0's%s */\n",
      m->ids || m->copies > 1 ? "; this one asks" : "");
  put(out, "  const uint8_t *alive;   /* (count) of teams: 1: in the game; NULL: all */\n");
  put(out, "  const uint8_t *acts;    /* (count) of teams: 0: only there for its team; NULL: all "
           "act */\n");
  put(out, "  const float *positions; /* (count, 3) where they are%s */\n",
      m->talk == TALK_NEAREST ? "; this one asks" : "; not read");
  put(out, "  const uint32_t *slots;  /* (count) whose memory is a row's; NULL: row i's is i */\n");
  put(out, "  float *memory;          /* (slots, MEMORY) 0 as an episode begins; it moves on */\n");
  put(out,
      "  int greedy;             /* the likeliest action instead of one by its probability */\n");
  put(out, "  uint64_t seed;          /* another for each step */\n");
  put(out, "  %s *actions;       /* (count, HEADS), and below: NULL: not wanted */\n",
      numbers ? "float" : "int32_t");
  put(out, "  float *probabilities;   /* (count, OUTPUT) */\n");
  put(out, "  float *log_probs;       /* (count) */\n");
  put(out, "  float *values;          /* (count) what it expects to earn */\n} %s_rows;\n\n", name);
  put(out, "void %s_open(void);\n", name);
  put(out, "/* 0; 1: an observation is not finite: nothing was decided; 2: an output is not: rows "
           "may be\n"
           " * without an answer, whose memories stand where they stood. */\n");
  put(out, "int %s_act(const %s_rows *rows);\n\n", name, name);
  put(out, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n\n");
  put(out, "/* ");
  put_words(out, file->metadata);
  put(out, " */\n");
}

/* A name of C of a file's: letters, digits and '_'. */
static void name_of(const char *stem, char out[64]) {
  size_t size = 0;
  if (!isalpha((unsigned char)stem[0])) size = (size_t)snprintf(out, 64, "agent_");
  for (; *stem && size < 63; stem++)
    out[size++] = isalnum((unsigned char)*stem) ? *stem : '_';
  out[size] = 0;
}

Status export_c(const AgentFile *file, const char *stem, uint32_t digits, Bytes *source,
                Bytes *header) {
  char name[64];
  name_of(stem, name);
  put_header(file, name, header);
  put_who(file, source);
  put(source,
      ": see %s.h. The code is agon's src/libagon, where it is explained; SPDX: "
      "Apache-2.0 */\n",
      stem);
  put(source, "#include \"%s.h\"\n", stem);
  for (const Embedded *part = export_runtime_text; part->name; part++)
    put_runtime(&file->model, part->text, source);
  put_model(&file->model, source);
  TRY_RETURN(put_numbers(file, digits, source));
  put_functions(&file->model, name, source);
  if (source->failed || header->failed) return status_set(ERR_MEMORY, "out of memory writing C");
  return OK;
}
