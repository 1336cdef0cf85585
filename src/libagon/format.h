/* The file of an exported agent, and the Model that is read from it. All numbers are little-endian;
 * README.md has the layout for those who read it by other means. */
#pragma once
#include "agon/agent.h"
#include "libagon/model.h"

/* "\211AGON\r\n\032": what a transfer as text would damage. */
#define FORMAT_MAGIC "\211AGON\r\n\032"
enum {
  FORMAT_MAGIC_SIZE = 8,
  FORMAT_HEAD = 64,   /* bytes before the first part */
  FORMAT_SUMMED = 16, /* the checksum is of all bytes from here on */
  FORMAT_PARTS = 4,
  FORMAT_STEP = sizeof(ModelStep) / sizeof(uint32_t),
  FORMAT_NAME = 64 /* bytes of a view's name with the 0 */
};

/* The parts, in their order; each begins at a multiple of 8 bytes. */
typedef enum FormatPart { PART_METADATA, PART_SPEC, PART_VIEWS, PART_NUMBERS } FormatPart;

/* Single numbers of a Model, in the order in which the part begins with them. Behind them lie the
 * arrays: head_size, id_of (where there are ids), copy_of (where there are copies), tensor, step,
 * and of numbers low and high. */
#define FORMAT_FIELDS(EACH)                                                                        \
  EACH(bytes)                                                                                      \
  EACH(observation)                                                                                \
  EACH(ids)                                                                                        \
  EACH(span)                                                                                       \
  EACH(last_inputs)                                                                                \
  EACH(recurrent)                                                                                  \
  EACH(lasts)                                                                                      \
  EACH(gates)                                                                                      \
  EACH(memory)                                                                                     \
  EACH(agents)                                                                                     \
  EACH(team)                                                                                       \
  EACH(copies)                                                                                     \
  EACH(stride)                                                                                     \
  EACH(rule)                                                                                       \
  EACH(heads)                                                                                      \
  EACH(inner)                                                                                      \
  EACH(choices)                                                                                    \
  EACH(width)                                                                                      \
  EACH(talk)                                                                                       \
  EACH(nearest)                                                                                    \
  EACH(tensors)                                                                                    \
  EACH(links)                                                                                      \
  EACH(logits)                                                                                     \
  EACH(spread)                                                                                     \
  EACH(value)                                                                                      \
  EACH(steps)

/* A named stretch of the numbers, as layers of other programs know it. */
typedef struct FormatView {
  char name[FORMAT_NAME];
  uint32_t dims;
  uint32_t shape[4];
  uint64_t offset; /* of its first number in the first copy */
  uint64_t count;
} FormatView;

/* A file in memory: the model and all that it points to. */
typedef struct AgentFile {
  Model model;
  uint32_t shape[3]; /* of an observation */
  char *player, *env, *metadata;
  FormatView *view;
  size_t views;
  size_t parameters; /* numbers of all copies */
  void *numbers;     /* owned, with the next one; what the model points to */
  void *arrays;
} AgentFile;

/* The checksum: CRC-32 as zlib and PNG have it. */
uint32_t format_checksum(const void *bytes, size_t size);
/* Reads and checks all of it, so that nothing in the model leads out of its arrays. *out is the
 * caller's (format_free), and needs no freeing on failure. `name` is for messages. */
AgonAgentStatus format_read(const void *bytes, size_t size, const char *name, AgentFile *out,
                            AgonError *error);
/* Accepts one that is all zero. */
void format_free(AgentFile *file);
/* Writes what went wrong into `error`, which may be NULL, and returns `status`. */
AgonAgentStatus agent_fault(AgonError *error, AgonAgentStatus status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
