/* The numbers of an agent in few characters each: those of a row of a matrix as multiples of a
 * unit, so rounded that what one number loses others make up for. */
#pragma once
#include "export/examples.h"

/* Characters of a number of a matrix; five hold every float, or two numbers of bfloat16. */
enum { EXPORT_PAIR = 2, EXPORT_SHORT = 3, EXPORT_LONG = 4, EXPORT_EXACT = 5 };
/* Different characters: all that a string may hold but '"', '?' (trigraphs) and '\'. */
enum { EXPORT_SYMBOLS = 92 };

/* A stretch of a copy's numbers that is written in one way; EXPORT_PAIR: two and two in the
 * characters of one that is exact. */
typedef struct Piece {
  size_t at, rows, columns;
  uint32_t digits;
} Piece;

/* The pieces of one copy: matrices in `digits` characters (of numbers that are rounded to bfloat16
 * anyway in pairs), all else exactly. What no layer names is a piece, too. *out is the caller's
 * (free), on failure too. ERR_MEMORY. */
Status rounding_pieces(const AgentFile *file, uint32_t digits, Piece **out, size_t *count);

/* Half of how many values that many characters tell apart. */
uint32_t rounding_half(uint32_t digits);
/* What a row's numbers are multiples of: the largest is then as far out as the characters go. */
float rounding_unit(const float *row, size_t count, uint32_t digits);
/* The nearest multiple that the characters hold. */
int64_t rounding_multiple(double x, float unit, uint32_t digits);

/* The numbers of all copies as that many characters hold them; block has room for file->parameters.
 * Layers of which `examples` (NULL, or without rows: of none) show what goes in are rounded one
 * input after another, and the error of each is made good by those that follow and, last, by the
 * bias: by least squares over the examples (Frantar et al., GPTQ, arXiv 2210.17323). ERR_MEMORY. */
Status export_rounded(const AgentFile *file, const Examples *examples, uint32_t digits,
                      float *block);
