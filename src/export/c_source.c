/* An agent as one file of C and its header: what runs it (libagon/model.h and runtime.h, without
 * the parts that it has no use for), its steps as constants, and its numbers as text. A number of a
 * matrix takes three or four of the 92 characters that may stand in a string, in units of its row
 * (rounding.c); others take five, which hold every float. */
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

enum { LINE = 4000 }; /* characters of a string; compilers need not take more than 4095 */

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

static bool has_act(const Model *m, uint32_t act) {
  for (uint32_t i = 0; i < m->steps; i++)
    if (m->step[i].act == act) return true;
  return false;
}

static bool has_half(const Model *m) {
  for (uint32_t i = 0; i < m->steps; i++)
    if (m->step[i].half) return true;
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
      {"tanh", has_act(m, MODEL_TANH) || has_op(m, MODEL_GRU) || has_op(m, MODEL_LSTM)},
      {"gelu", has_act(m, MODEL_GELU)},
      {"half", has_half(m)},
      {"inputs", m->ids > 0 || m->last_inputs > 0},
      {"worths", m->rule == MODEL_WORTHS},
      {"layer_norm", has_op(m, MODEL_NORM)},
      {"normalise", has_op(m, MODEL_NORMALISE)},
      {"talk", m->links >= 0},
      {"attend", has_op(m, MODEL_ATTEND)},
      {"sizes", false}, /* they are written as constants */
      {"watch", false}, /* nobody does */
      {"numbers", numbers},
      {"choices", !numbers},
  };
  for (size_t i = 0; i < COUNT_OF(parts); i++)
    if (strlen(parts[i].name) == size && !memcmp(parts[i].name, part, size)) return parts[i].used;
  return true;
}

/* A file of the runtime line by line, without its comments, blank lines and margins; of several
 * spaces one is left. */
static void put_runtime(const Model *m, const char *text, Bytes *out) {
  bool comment = false;
  size_t depth = 0;   /* of parts within parts */
  size_t without = 0; /* from which depth on there is no use for them; 0: there is */
  for (const char *at = text; *at; at += *at == '\n') {
    const char *end = at + strcspn(at, "\n");
    while (at < end && *at == ' ')
      at++;
    if (!strncmp(at, "/* part: ", 9)) {
      depth++;
      if (!without && !uses(m, at + 9, strcspn(at + 9, " "))) without = depth;
    }
    if (!strncmp(at, "/* part end", 11) && without == depth--) without = 0;
    const bool wanted = without == 0;
    const bool skip = !strncmp(at, "#pragma once", 12) || !strncmp(at, "#include \"", 10);
    const size_t before = out->size;
    for (; at < end; at++) {
      if (!comment && at + 1 < end && at[0] == '/' && at[1] == '*') comment = true;
      const bool again = at[0] == ' ' && at[1] == ' ';
      if (!comment && wanted && !skip && !again) bytes_put(out, at, 1);
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
    const char c = symbol((uint32_t)(value % EXPORT_SYMBOLS));
    value /= EXPORT_SYMBOLS;
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

/* A row of a piece as it was, which says its unit, and rounded. */
static void put_row(Strings *strings, const float *from, const float *x, const Piece *piece) {
  const bool pairs = piece->digits == EXPORT_PAIR;
  if (piece->digits == EXPORT_EXACT || pairs) {
    for (size_t i = 0; i < piece->columns; i += pairs ? 2 : 1) {
      const uint32_t other = pairs && i + 1 < piece->columns ? bits_of(x[i + 1]) : 0;
      put_symbols(strings, pairs ? bits_of(x[i]) >> 16 | other : bits_of(x[i]), EXPORT_EXACT);
    }
    return;
  }
  const uint32_t half = rounding_half(piece->digits);
  const float unit = rounding_unit(from, piece->columns, piece->digits);
  put_symbols(strings, bits_of(unit), EXPORT_EXACT);
  for (size_t i = 0; i < piece->columns; i++)
    put_symbols(strings, (uint64_t)(rounding_multiple((double)x[i], unit, piece->digits) + half),
                piece->digits);
}

static Status put_numbers(const AgentFile *file, const float *block, uint32_t digits, Bytes *out) {
  const Model *m = &file->model;
  Piece *piece = NULL;
  size_t count;
  Strings strings = {.out = out};
  Status status = rounding_pieces(file, digits, &piece, &count);
  put(out, "static const struct { uint32_t rows, columns, digits; } piece[] = {\n");
  for (size_t p = 0; status == OK && p < count; p++)
    put(out, "{%zu, %zu, %u},\n", piece[p].rows, piece[p].columns, piece[p].digits);
  put(out, "};\nstatic const char *const text[] = {\n");
  for (size_t c = 0; status == OK && c < m->copies; c++)
    for (size_t p = 0; p < count; p++)
      for (size_t r = 0; r < piece[p].rows; r++) {
        const size_t at = c * m->stride + piece[p].at + r * piece[p].columns;
        put_row(&strings, m->block + at, block + at, &piece[p]);
      }
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
      EXPORT_SYMBOLS);
  put(out,
      "void %s_open(void) {\n"
      "size_t line = 0;\n"
      "const char *at = NULL;\n"
      "float *to = block;\n"
      "for (size_t c = 0; c < %u; c++)\n"
      "for (size_t p = 0; p < sizeof piece / sizeof *piece; p++)\n"
      "for (size_t r = 0; r < piece[p].rows; r++) {\n"
      "const uint32_t digits = piece[p].digits, half = digits == %d ? %u : %u;\n"
      "float unit = 0;\n"
      "uint32_t bits = digits == %d || digits == %d ? next_number(&line, &at, %d) : 0;\n"
      "memcpy(&unit, &bits, sizeof unit);\n"
      "for (size_t i = 0; i < piece[p].columns; i++, to++) {\n",
      name, m->copies, EXPORT_SHORT, rounding_half(EXPORT_SHORT), rounding_half(EXPORT_LONG),
      EXPORT_SHORT, EXPORT_LONG, EXPORT_EXACT);
  put(out,
      "if (digits == %d && i %% 2) bits &= 0xffff0000u;\n"
      "else bits = next_number(&line, &at, digits == %d ? %d : digits);\n"
      "const uint32_t whole = digits == %d && i %% 2 == 0 ? bits << 16 : bits;\n"
      "if (digits == %d || digits == %d) *to = (float)((int32_t)bits - (int32_t)half) * unit;\n"
      "else memcpy(to, &whole, sizeof *to);\n"
      "}\n"
      "}\n"
      "model_pack(&model, packed);\n"
      "}\n\n",
      EXPORT_PAIR, EXPORT_PAIR, EXPORT_EXACT, EXPORT_PAIR, EXPORT_SHORT, EXPORT_LONG);
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

Status export_c(const AgentFile *file, const float *block, uint32_t digits, const char *stem,
                Bytes *source, Bytes *header) {
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
  TRY_RETURN(put_numbers(file, block, digits, source));
  put_functions(&file->model, name, source);
  if (source->failed || header->failed) return status_set(ERR_MEMORY, "out of memory writing C");
  return OK;
}
