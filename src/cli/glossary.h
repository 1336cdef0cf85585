/* The terms of the field as agon uses them: 'agon help terms', the manual, and the README's list,
 * which a test compares. */
#pragma once
#include <stddef.h>

typedef struct Term {
  const char *name;
  const char *text; /* one sentence or two; `x` is a key or a value */
} Term;

extern const Term glossary[];
extern const size_t glossary_count;
