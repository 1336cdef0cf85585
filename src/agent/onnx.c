#include "agent/onnx.h"

#include "base/file.h"
#include "base/text.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- onnxruntime --- */
/* Its interface is a table of functions, whose places never change from one version to the next:
 * those that are called here, by their places, and the numbers that they are told. */
enum {
  CALL_MESSAGE = 2,        /* const char *(status) */
  CALL_ENV = 3,            /* (level, name, out) */
  CALL_SESSION = 8,        /* (env, bytes, size, options, out) */
  CALL_RUN = 9,            /* (session, NULL, names, values, n, names, n, out) */
  CALL_OPTIONS = 10,       /* (out) */
  CALL_OPTIMISE = 23,      /* (options, level) */
  CALL_THREADS_IN = 24,    /* (options, n) of one operator */
  CALL_THREADS_OVER = 25,  /* (options, n) of several */
  CALL_INPUTS = 30,        /* (session, out) */
  CALL_OUTPUTS = 31,       /* likewise */
  CALL_INPUT_TYPE = 33,    /* (session, i, out) */
  CALL_OUTPUT_TYPE = 34,   /* likewise */
  CALL_INPUT_NAME = 36,    /* (session, i, allocator, out) */
  CALL_OUTPUT_NAME = 37,   /* likewise */
  CALL_TENSOR = 49,        /* (memory, data, bytes, shape, dims, type, out) */
  CALL_DATA = 51,          /* (value, out) */
  CALL_TENSOR_OF = 55,     /* (type, out): of a type that is a tensor's, else NULL */
  CALL_ELEMENT = 60,       /* (tensor type, out) */
  CALL_DIMS = 61,          /* (tensor type, out) */
  CALL_SHAPE = 62,         /* (tensor type, out, dims) */
  CALL_COUNT = 64,         /* (tensor type, out) */
  CALL_TYPE_OF_VALUE = 65, /* (value, out) */
  CALL_MEMORY = 69,        /* (allocator kind, memory kind, out) */
  CALL_FREE = 76,          /* (allocator, pointer) */
  CALL_ALLOCATOR = 78,     /* (out) */
  DROP_ENV = 92,           /* void (what) */
  DROP_STATUS = 93,
  DROP_MEMORY = 94,
  DROP_SESSION = 95,
  DROP_VALUE = 96,
  DROP_TYPE = 98,
  DROP_TENSOR_TYPE = 99,
  DROP_OPTIONS = 100
};
enum { TABLE_VERSION = 1, LEVEL_ERROR = 3, OPTIMISE_ALL = 99, ARENA = 1, MEMORY_DEFAULT = 0 };
enum { ELEMENT_FLOAT = 1, ELEMENT_U8 = 2, ELEMENT_I64 = 7, ELEMENT_BOOL = 9 };

typedef void Function(void);
typedef struct Base {
  Function *const *(*table)(uint32_t version);
  const char *(*version)(void);
} Base;

/* The library, open for as long as the process lives, and what all models share. */
static struct {
  Function *const *table; /* NULL: not open */
  const Base *base;
  void *env;
  void *memory;
  void *allocator;
} runtime;
static const char *places;

void onnx_look_for(const char *paths) {
  places = paths;
}

/* What a call came to, in the library's words. */
static Status told(void *status, const char *where) {
  if (!status) return OK;
  const char *(*message)(const void *) = (const char *(*)(const void *))runtime.table[CALL_MESSAGE];
  void (*drop)(void *) = (void (*)(void *))runtime.table[DROP_STATUS];
  char text[400];
  snprintf(text, sizeof text, "%s", message(status));
  drop(status);
  return status_set(ERR_FORMAT, "%s: onnxruntime: %s", where, text);
}

static void drop(int call, void *what) {
  if (what) ((void (*)(void *))runtime.table[call])(what);
}

/* Calls by the shapes that their arguments have. */
static void *call_out(int call, void *a, void *out) {
  return ((void *(*)(void *, void *))runtime.table[call])(a, out);
}
static void *call_number(int call, void *a, int number) {
  return ((void *(*)(void *, int))runtime.table[call])(a, number);
}
static void *call_at(int call, void *a, size_t i, void *out) {
  return ((void *(*)(void *, size_t, void *))runtime.table[call])(a, i, out);
}

/* The first that opens of the files that a pattern stands for. */
static void *open_pattern(const char *pattern) {
  glob_t found;
  void *library = NULL;
  if (glob(pattern, GLOB_NOSORT, NULL, &found)) return NULL;
  for (size_t i = 0; i < found.gl_pathc && !library; i++)
    library = dlopen(found.gl_pathv[i], RTLD_NOW | RTLD_LOCAL);
  globfree(&found);
  return library;
}

static void *open_library(void) {
  char path[PATH_MAX];
  void *library = NULL;
  for (const char *at = places ? places : ""; *at && !library; at += strspn(at, ":")) {
    const size_t length = strcspn(at, ":");
    if (text_format(path, sizeof path, "%.*s", (int)length, at) == OK) library = open_pattern(path);
    at += length;
  }
  if (!library) library = dlopen("libonnxruntime.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libonnxruntime.so", RTLD_NOW | RTLD_LOCAL);
  return library;
}

static Status open_runtime(void) {
  static const char *const where = "onnxruntime";
  if (runtime.table) return OK;
  void *library = open_library();
  const Base *(*base)(void) = NULL;
  void *symbol = library ? dlsym(library, "OrtGetApiBase") : NULL;
  memcpy(&base, &symbol, sizeof base);
  if (!base)
    return status_set(ERR_USAGE,
                      "ONNX files are run by onnxruntime, which is not found: pip install "
                      "onnxruntime, or name its library, AGON_ONNXRUNTIME=PATH/libonnxruntime.so");
  runtime.base = base();
  runtime.table = runtime.base->table(TABLE_VERSION);
  if (!runtime.table)
    return status_set(ERR_USAGE, "onnxruntime %s has another interface", runtime.base->version());
  void *(*begin)(int, const char *, void *) =
      (void *(*)(int, const char *, void *))runtime.table[CALL_ENV];
  void *(*memory)(int, int, void *) = (void *(*)(int, int, void *))runtime.table[CALL_MEMORY];
  void *(*allocator)(void *) = (void *(*)(void *))runtime.table[CALL_ALLOCATOR];
  Status status = told(begin(LEVEL_ERROR, "agon", &runtime.env), where);
  if (status == OK) status = told(memory(ARENA, MEMORY_DEFAULT, &runtime.memory), where);
  if (status == OK) status = told(allocator(&runtime.allocator), where);
  if (status != OK) runtime.table = NULL;
  return status;
}

Status onnx_version(const char **out) {
  TRY_RETURN(open_runtime());
  *out = runtime.base->version();
  return OK;
}

/* --- a model --- */
enum { INPUTS = 3, SHAPE = 8 };
typedef enum InputKind { IN_OBSERVATION, IN_MASK, IN_AGENT } InputKind;
typedef enum OutputKind { OUT_PROBABILITIES, OUT_LOGITS, OUT_ACTIONS } OutputKind;

/* An input or output as the model says it. */
typedef struct Boundary {
  char name[64];
  int element;
  size_t dims;
  int64_t shape[SHAPE]; /* below 0: any */
} Boundary;

typedef struct Input {
  Boundary says;
  InputKind kind;
  void *data; /* owned */
  size_t bytes;
  void *value; /* the tensor over it */
} Input;

typedef struct OnnxPlayer {
  BuiltinPolicy base;
  char where[128];
  void *session;
  Input input[INPUTS];
  size_t inputs;
  OutputKind output;
  char output_name[64];
  size_t width; /* numbers of a row that it gives */
  uint8_t *row; /* an observation */
  float *share; /* (choices) */
} OnnxPlayer;

static const char *element_name(int element) {
  return element == ELEMENT_FLOAT  ? "float32"
         : element == ELEMENT_U8   ? "uint8"
         : element == ELEMENT_I64  ? "int64"
         : element == ELEMENT_BOOL ? "bool"
                                   : "another type";
}

/* "uint8 [batch, 2, 3, 3]". */
static void tell_boundary(const Boundary *says, char *out, size_t size) {
  size_t used = (size_t)snprintf(out, size, "%s [", element_name(says->element));
  for (size_t d = 0; d < says->dims && used < size; d++)
    used +=
        (size_t)(says->shape[d] < 0 ? snprintf(out + used, size - used, "%s", d ? ", any" : "batch")
                                    : snprintf(out + used, size - used, "%s%lld", d ? ", " : "",
                                               (long long)says->shape[d]));
  if (used < size) snprintf(out + used, size - used, "]");
}

static Status read_shape(void *tensor, const char *where, Boundary *out) {
  int element;
  TRY_RETURN(told(call_out(CALL_ELEMENT, tensor, &element), where));
  TRY_RETURN(told(call_out(CALL_DIMS, tensor, &out->dims), where));
  out->element = element;
  if (out->dims > SHAPE)
    return status_set(ERR_USAGE, "%s: %s has %zu dimensions", where, out->name, out->dims);
  void *(*shape)(void *, int64_t *, size_t) =
      (void *(*)(void *, int64_t *, size_t))runtime.table[CALL_SHAPE];
  return told(shape(tensor, out->shape, out->dims), where);
}

static Status read_boundary(const OnnxPlayer *self, int name_call, int type_call, size_t i,
                            Boundary *out) {
  char *name = NULL;
  void *type = NULL;
  void *tensor = NULL; /* the type's own */
  void *(*name_of)(void *, size_t, void *, char **) =
      (void *(*)(void *, size_t, void *, char **))runtime.table[name_call];
  *out = (Boundary){.element = 0};
  TRY_RETURN(told(name_of(self->session, i, runtime.allocator, &name), self->where));
  snprintf(out->name, sizeof out->name, "%s", name);
  void *freed = call_out(CALL_FREE, runtime.allocator, name);
  TRY_RETURN(told(freed, self->where));
  TRY_RETURN(told(call_at(type_call, self->session, i, &type), self->where));
  Status status = told(call_out(CALL_TENSOR_OF, type, &tensor), self->where);
  if (status == OK && !tensor)
    status = status_set(ERR_USAGE, "%s: %s is no tensor", self->where, out->name);
  if (status == OK) status = read_shape(tensor, self->where, out);
  drop(DROP_TYPE, type);
  return status;
}

/* Numbers of one row: all dimensions but the first, of which those that may be anything are taken
 * to be what is left. 0: it does not say. */
static size_t row_count(const Boundary *says) {
  size_t count = 1;
  for (size_t d = 1; d < says->dims; d++) {
    if (says->shape[d] < 0) return 0;
    count *= (size_t)says->shape[d];
  }
  return says->dims > 0 ? count : 0;
}

/* The first dimension must take a row by itself. */
static bool takes_one(const Boundary *says) {
  return says->dims > 0 && (says->shape[0] < 0 || says->shape[0] == 1);
}

/* Both shapes in one sentence. */
static Status misfit(const OnnxPlayer *self, const Boundary *says, const char *what,
                     const char *wanted) {
  char theirs[160];
  tell_boundary(says, theirs, sizeof theirs);
  return status_set(ERR_USAGE, "%s: its %s are %s, and %s of %s are %s", self->where, says->name,
                    theirs, what, self->base.env->title, wanted);
}

/* --- inputs --- */
static Status check_observations(const OnnxPlayer *self, const Boundary *says) {
  const AgonKind *layout = &self->base.env->layout;
  const bool bytes = layout->observation_type == AGON_U8;
  const size_t count = row_count(says);
  char wanted[96];
  snprintf(wanted, sizeof wanted, "%s [batch, %u, %u, %u]", bytes ? "uint8" : "float32",
           layout->observation_shape[0], layout->observation_shape[1],
           layout->observation_shape[2]);
  const bool fits = says->element == ELEMENT_FLOAT || (bytes && says->element == ELEMENT_U8);
  if (!fits || !takes_one(says) || (count && count != self->base.env->observation_count))
    return misfit(self, says, "observations", wanted);
  return OK;
}

static Status check_masks(const OnnxPlayer *self, const Boundary *says) {
  const size_t count = row_count(says);
  char wanted[64];
  snprintf(wanted, sizeof wanted, "uint8 [batch, %u]", self->base.env->action_count);
  const bool fits = says->element == ELEMENT_U8 || says->element == ELEMENT_BOOL ||
                    says->element == ELEMENT_FLOAT;
  if (!fits || !takes_one(says) || (count && count != self->base.env->action_count))
    return misfit(self, says, "legal actions", wanted);
  return OK;
}

static size_t element_bytes(int element) {
  return element == ELEMENT_FLOAT ? 4 : element == ELEMENT_I64 ? 8 : 1;
}

/* A tensor of one row over memory of ours. Dimensions that may be anything are as ours are. */
static Status make_tensor(OnnxPlayer *self, Input *input, size_t count) {
  int64_t shape[SHAPE];
  const AgonKind *layout = &self->base.env->layout;
  for (size_t d = 0; d < input->says.dims; d++) {
    shape[d] = input->says.shape[d];
    if (shape[d] >= 0) continue;
    const bool picture = input->kind == IN_OBSERVATION && input->says.dims == 4;
    shape[d] = d == 0 ? 1 : picture ? (int64_t)layout->observation_shape[d - 1] : (int64_t)count;
  }
  input->bytes = count * element_bytes(input->says.element);
  TRY_RETURN(mem_array(&input->data, input->bytes + 8, 1));
  void *(*tensor)(void *, void *, size_t, const int64_t *, size_t, int, void **) =
      (void *(*)(void *, void *, size_t, const int64_t *, size_t, int,
                 void **))runtime.table[CALL_TENSOR];
  return told(tensor(runtime.memory, input->data, input->bytes, shape, input->says.dims,
                     input->says.element, &input->value),
              self->where);
}

/* Known by its name; what is not known cannot be given. */
static Status add_input(OnnxPlayer *self, size_t i) {
  Boundary says;
  const Env *env = self->base.env;
  size_t count = 1;
  TRY_RETURN(read_boundary(self, CALL_INPUT_NAME, CALL_INPUT_TYPE, i, &says));
  if (!strcmp(says.name, "memory") || !strcmp(says.name, "links"))
    return status_set(ERR_USAGE,
                      "%s: it remembers what it saw or hears its team (input '%s'), and an ONNX "
                      "player is asked about one position at a time",
                      self->where, says.name);
  Input *input = &self->input[self->inputs];
  if (!strcmp(says.name, "observations") && self->inputs < INPUTS) {
    TRY_RETURN(check_observations(self, &says));
    input->kind = IN_OBSERVATION;
    count = env->observation_count;
  } else if (!strcmp(says.name, "masks") && self->inputs < INPUTS) {
    TRY_RETURN(check_masks(self, &says));
    input->kind = IN_MASK;
    count = env->action_count;
  } else if (!strcmp(says.name, "agents") && self->inputs < INPUTS) {
    if (says.element != ELEMENT_I64 || !takes_one(&says))
      return misfit(self, &says, "numbers of agents", "int64 [batch]");
    input->kind = IN_AGENT;
  } else {
    return status_set(ERR_USAGE,
                      "%s: an input '%s', and what can be given is called observations, masks and "
                      "agents",
                      self->where, says.name);
  }
  input->says = says;
  self->inputs++;
  return make_tensor(self, input, count);
}

static Status add_inputs(OnnxPlayer *self) {
  size_t count;
  bool sees = false;
  TRY_RETURN(told(call_out(CALL_INPUTS, self->session, &count), self->where));
  for (size_t i = 0; i < count; i++)
    TRY_RETURN(add_input(self, i));
  for (size_t i = 0; i < self->inputs; i++)
    sees |= self->input[i].kind == IN_OBSERVATION;
  return sees ? OK : status_set(ERR_USAGE, "%s: it has no input 'observations'", self->where);
}

/* --- outputs --- */
/* The first of these that the model gives: probabilities, logits; of numbers also actions. */
static Status find_output(OnnxPlayer *self) {
  static const char *const name[] = {"probabilities", "logits", "actions"};
  const Env *env = self->base.env;
  const bool box = env->layout.action_kind == AGON_BOX;
  const size_t width[] = {box ? 2 * (size_t)env->layout.heads : env->action_count,
                          env->action_count, env->layout.heads};
  size_t count;
  char wanted[64];
  TRY_RETURN(told(call_out(CALL_OUTPUTS, self->session, &count), self->where));
  for (size_t k = 0; k < COUNT_OF(name); k++) {
    if (box ? k == OUT_LOGITS : k == OUT_ACTIONS) continue;
    for (size_t i = 0; i < count; i++) {
      Boundary says;
      TRY_RETURN(read_boundary(self, CALL_OUTPUT_NAME, CALL_OUTPUT_TYPE, i, &says));
      if (strcmp(says.name, name[k]) != 0) continue;
      const size_t row = row_count(&says);
      snprintf(wanted, sizeof wanted, "float32 [batch, %zu]", width[k]);
      if (says.element != ELEMENT_FLOAT || (row && row != width[k]))
        return misfit(self, &says, box ? "numbers" : "choices", wanted);
      self->output = (OutputKind)k;
      self->width = width[k];
      snprintf(self->output_name, sizeof self->output_name, "%s", name[k]);
      return OK;
    }
  }
  return status_set(ERR_USAGE, "%s: it has no output '%s' or '%s'", self->where, name[0],
                    name[box ? OUT_ACTIONS : OUT_LOGITS]);
}

/* --- deciding --- */
static void fill_observation(const OnnxPlayer *self, Input *input) {
  const Env *env = self->base.env;
  float *out = input->data;
  if (input->says.element == ELEMENT_U8 || env->layout.observation_type != AGON_U8) {
    memcpy(input->data, self->row, input->bytes);
    return;
  }
  for (size_t i = 0; i < env->observation_count; i++)
    out[i] = (float)self->row[i];
}

static void fill(const OnnxPlayer *self, Input *input, uint32_t agent, const uint8_t *mask) {
  const int64_t who = agent;
  if (input->kind == IN_OBSERVATION) fill_observation(self, input);
  if (input->kind == IN_AGENT) memcpy(input->data, &who, sizeof who);
  if (input->kind != IN_MASK) return;
  for (size_t i = 0; i < self->base.env->action_count; i++)
    if (input->says.element == ELEMENT_FLOAT)
      ((float *)input->data)[i] = mask[i] ? 1.0f : 0.0f;
    else
      ((uint8_t *)input->data)[i] = mask[i] != 0;
}

/* The numbers of a row, checked: a model may give anything. */
static Status take(OnnxPlayer *self, void *value, float *out) {
  void *tensor = NULL;
  float *data = NULL;
  size_t count = 0;
  TRY_RETURN(told(call_out(CALL_TYPE_OF_VALUE, value, &tensor), self->where));
  Status status = told(call_out(CALL_COUNT, tensor, &count), self->where);
  drop(DROP_TENSOR_TYPE, tensor);
  TRY_RETURN(status);
  if (count != self->width)
    return status_set(ERR_ENV, "%s: it gave %zu numbers of %s instead of %zu", self->where, count,
                      self->output_name, self->width);
  TRY_RETURN(told(call_out(CALL_DATA, value, &data), self->where));
  for (size_t i = 0; i < count; i++)
    if (!isfinite(data[i]))
      return status_set(ERR_ENV, "%s: number %zu of its %s is not finite", self->where, i,
                        self->output_name);
  memcpy(out, data, count * sizeof *out);
  return OK;
}

/* One row through the model. */
static Status ask(OnnxPlayer *self, const void *episode, uint32_t agent, const uint8_t *mask,
                  float *out) {
  const char *names[INPUTS];
  const void *values[INPUTS];
  const char *wanted = self->output_name;
  void *given = NULL;
  void *(*run)(void *, const void *, const char *const *, const void *const *, size_t,
               const char *const *, size_t, void **) =
      (void *(*)(void *, const void *, const char *const *, const void *const *, size_t,
                 const char *const *, size_t, void **))runtime.table[CALL_RUN];
  env_observe(self->base.env, episode, agent, self->row);
  for (size_t i = 0; i < self->inputs; i++) {
    fill(self, &self->input[i], agent, mask);
    names[i] = self->input[i].says.name;
    values[i] = self->input[i].value;
  }
  Status status =
      told(run(self->session, NULL, names, values, self->inputs, &wanted, 1, &given), self->where);
  if (status != OK) return status_context(ERR_ENV, "a position that cannot be decided");
  status = take(self, given, out);
  drop(DROP_VALUE, given);
  return status;
}

/* Of one head, over what is legal, to the sum 1; of logits by softmax. A model that leaves nothing
 * to what is legal chooses any of it. */
static void normalise_head(bool logits, const uint8_t *mask, size_t size, float *share) {
  float top = -INFINITY;
  float sum = 0;
  size_t legal = 0;
  for (size_t i = 0; i < size; i++)
    if (mask[i]) top = fmaxf(top, share[i]);
  for (size_t i = 0; i < size; i++) {
    share[i] = !mask[i] ? 0 : logits ? expf(share[i] - top) : fmaxf(share[i], 0);
    legal += mask[i] != 0;
    sum += share[i];
  }
  for (size_t i = 0; i < size; i++)
    share[i] = sum > 0 ? share[i] / sum : mask[i] ? 1 / (float)legal : 0;
}

static void keep_best(size_t size, float *share) {
  size_t best = 0;
  for (size_t i = 1; i < size; i++)
    if (share[i] > share[best]) best = i;
  for (size_t i = 0; i < size; i++)
    share[i] = i == best ? 1.0f : 0.0f;
}

static void onnx_probabilities(BuiltinPolicy *base, const void *episode, uint32_t agent,
                               const uint8_t *mask, float *out) {
  OnnxPlayer *self = (OnnxPlayer *)base;
  const AgonKind *layout = &base->env->layout;
  memset(out, 0, base->env->action_count * sizeof *out);
  base->failed = ask(self, episode, agent, mask, out);
  for (uint32_t h = 0; base->failed == OK && h < layout->heads; h++) {
    const uint32_t size = layout->head_size[h];
    normalise_head(self->output == OUT_LOGITS, mask, size, out);
    if (base->greedy) keep_best(size, out);
    mask += size;
    out += size;
  }
}

/* Means and deviations in the env's unit, or the numbers themselves; within the range. */
static Status act_numbers(OnnxPlayer *self, const void *episode, uint32_t agent,
                          const uint8_t *mask, AgonRng *rng, AgonAction *out) {
  const Env *env = self->base.env;
  const uint32_t heads = env->layout.heads;
  const bool draws = self->output == OUT_PROBABILITIES && !self->base.greedy;
  TRY_RETURN(ask(self, episode, agent, mask, self->share));
  for (uint32_t h = 0; h < env_kind(env, agent)->heads; h++) {
    float low;
    float high;
    float value = self->share[h];
    if (draws) value += self->share[heads + h] * (float)rng_normal(rng);
    env_action_range(env, agent, h, &low, &high);
    out[h].value = fminf(fmaxf(value, low), high);
  }
  return OK;
}

static void onnx_act(BuiltinPolicy *base, const void *episode, uint32_t agent, const uint8_t *mask,
                     AgonRng *rng, AgonAction *out) {
  OnnxPlayer *self = (OnnxPlayer *)base;
  const AgonKind *layout = &base->env->layout;
  const float *share = self->share;
  memset(out, 0, layout->heads * sizeof *out);
  if (layout->action_kind == AGON_BOX) {
    base->failed = act_numbers(self, episode, agent, mask, rng, out);
    return;
  }
  onnx_probabilities(base, episode, agent, mask, self->share);
  for (uint32_t h = 0; base->failed == OK && h < layout->heads; h++) {
    out[h].choice = builtin_pick(share, layout->head_size[h], rng);
    share += layout->head_size[h];
  }
}

/* Also for one that was only half made. */
static void onnx_destroy(BuiltinPolicy *base) {
  OnnxPlayer *self = (OnnxPlayer *)base;
  for (size_t i = 0; i < INPUTS; i++) {
    drop(DROP_VALUE, self->input[i].value);
    free(self->input[i].data);
  }
  drop(DROP_SESSION, self->session);
  free(self->row);
  free(self->share);
  free(self);
}

/* Not in the list of built-ins: it is made from a file. */
static const BuiltinOps onnx_ops = {
    .name = "onnx",
    .summary = "an ONNX model",
    .act = onnx_act,
    .probabilities = onnx_probabilities,
    .destroy = onnx_destroy,
};

/* One thread: ranks share the cores, and sums keep their order. */
static Status open_session(OnnxPlayer *self, const void *bytes, size_t size) {
  void *options = NULL;
  void *(*make)(void *) = (void *(*)(void *))runtime.table[CALL_OPTIONS];
  void *(*session)(void *, const void *, size_t, void *, void **) =
      (void *(*)(void *, const void *, size_t, void *, void **))runtime.table[CALL_SESSION];
  Status status = told(make(&options), self->where);
  if (status == OK) status = told(call_number(CALL_THREADS_IN, options, 1), self->where);
  if (status == OK) status = told(call_number(CALL_THREADS_OVER, options, 1), self->where);
  if (status == OK) status = told(call_number(CALL_OPTIMISE, options, OPTIMISE_ALL), self->where);
  if (status == OK)
    status = told(session(runtime.env, bytes, size, options, &self->session), self->where);
  drop(DROP_OPTIONS, options);
  return status;
}

Status onnx_of_bytes(const char *where, const void *bytes, size_t size, const Env *env,
                     BuiltinPolicy **out) {
  Status status = OK;
  OnnxPlayer *self = NULL;
  const size_t numbers = env->action_count + 2 * (size_t)env->layout.heads;
  TRY_RETURN(open_runtime());
  TRY(NEW_ARRAY(self, 1));
  self->base = (BuiltinPolicy){.ops = &onnx_ops, .env = env};
  snprintf(self->where, sizeof self->where, "%s", where);
  TRY(NEW_ARRAY(self->row, env->observation_bytes));
  TRY(NEW_ARRAY(self->share, numbers));
  TRY(open_session(self, bytes, size));
  TRY(add_inputs(self));
  TRY(find_output(self));
  *out = &self->base;
  self = NULL;
done:
  if (self) onnx_destroy(&self->base);
  return status;
}

Status onnx_create(const char *path, const Env *env, char name[ONNX_NAME], Hash *hash,
                   BuiltinPolicy **out) {
  const char *slash = strrchr(path, '/');
  char *file;
  size_t size;
  TRY_RETURN(text_format(name, ONNX_NAME, "%.80s", slash ? slash + 1 : path));
  TRY_RETURN(file_read(path, &file, &size));
  *hash = hash_bytes(file, size);
  const Status status = onnx_of_bytes(path, file, size, env, out);
  free(file);
  return status;
}
