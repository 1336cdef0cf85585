#include "learner/train/teacher.h"

#include <stdlib.h>
#include <string.h>

/* Cells on their way, side by side. */
typedef struct Asking {
  const Teacher *teacher;
  const Batch *batch;
  size_t width;
  size_t count;
  size_t cell[TEACHER_ROWS];
  uint32_t agent[TEACHER_ROWS];
  uint8_t *observation; /* (TEACHER_ROWS, observation bytes) */
  uint8_t *mask;        /* (TEACHER_ROWS, choices) */
  float *answer;        /* (TEACHER_ROWS, width) */
} Asking;

static void put(Asking *asking, size_t cell, uint32_t agent) {
  const Batch *batch = asking->batch;
  const size_t bytes = batch->format.observation_bytes;
  const size_t choices = batch->format.choices;
  const size_t at = asking->count++;
  asking->cell[at] = cell;
  asking->agent[at] = agent;
  memcpy(asking->observation + at * bytes, batch->observation + cell * bytes, bytes);
  memcpy(asking->mask + at * choices, batch->mask + cell * choices, choices);
}

static Status ask(Asking *asking, float *out) {
  const size_t W = asking->width;
  const TeacherRows rows = {
      .count = asking->count,
      .observations = asking->observation,
      .masks = asking->mask,
      .agents = asking->agent,
  };
  if (rows.count == 0) return OK;
  TRY_RETURN(asking->teacher->ask(asking->teacher->context, &rows, asking->answer));
  for (size_t i = 0; i < rows.count; i++)
    memcpy(out + asking->cell[i] * W, asking->answer + i * W, W * sizeof *out);
  asking->count = 0;
  return OK;
}

Status teacher_look(const Teacher *teacher, const Net *net, const Batch *batch, const bool *wanted,
                    const uint32_t *agents, float *out) {
  Status status = OK;
  const size_t cells = batch->rows * format_cells(&batch->format);
  Asking asking = {.teacher = teacher, .batch = batch, .width = net->space.width};
  TRY(NEW_ARRAY(asking.observation, TEACHER_ROWS * batch->format.observation_bytes));
  TRY(NEW_ARRAY(asking.mask, TEACHER_ROWS * batch->format.choices));
  TRY(NEW_ARRAY(asking.answer, TEACHER_ROWS * asking.width));
  for (size_t cell = 0; cell < cells; cell++) {
    if (!wanted[cell]) continue;
    put(&asking, cell, agents[cell]);
    if (asking.count == TEACHER_ROWS) TRY(ask(&asking, out));
  }
  TRY(ask(&asking, out));
done:
  free(asking.observation);
  free(asking.mask);
  free(asking.answer);
  return status;
}
