/* Positions of real play with what a player does in them: for testing whatever reads its file. */
#pragma once
#include "export/export.h"

/* A column each of what was seen, done and remembered. Start from {0}. */
typedef struct Examples {
  size_t rows;
  Bytes observation, mask, agent, alive, acts, position;
  Bytes memory, memory_after, probability, value, action;
} Examples;

/* Plays episodes, all seats by this player and by its probabilities, until `count` rows have been
 * decided. The caller frees *out (examples_free), on failure too. ERR_ENV where the game fails,
 * ERR_MEMORY, codes of policy_decide. */
Status examples_play(const ExportSource *source, size_t count, uint64_t seed, Examples *out);
void examples_free(Examples *examples);
/* An .npz file of them; src/export/README.md names the arrays. The caller frees *out, on failure
 * too. ERR_MEMORY. */
Status examples_write(const ExportSource *source, const Examples *examples, Bytes *out);
/* How far two agents are apart in these positions, at most: in a probability, or in a value or
 * number relative to its size, where that is above 1. Codes of libagon, as Status. */
Status examples_apart(const Examples *examples, const Bytes *a, const Bytes *b, double *out);
