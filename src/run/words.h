/* Texts of people's in JSON: paths and values, which may hold any bytes, where JSON holds letters.
 */
#pragma once
#include <jansson.h>

/* A text as JSON, with '?' for bytes that are no UTF-8; the caller's. NULL: out of memory. */
json_t *json_words(const char *text);
