/* Option tables: each module declares its configuration keys beside the struct that they fill. The
 * one table gives validation, help, schema and dump. Field types: BOOL bool, INT int64_t, FLOAT
 * double, CHOICE int (index), TEXT char[OPTION_TEXT], INTS IntList. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTION_TEXT 512
#define OPTION_LIST 16

/* A list in a configuration, such as the widths of hidden layers. */
typedef struct IntList {
  int64_t item[OPTION_LIST];
  size_t count;
} IntList;

typedef enum OptionType { OPT_BOOL, OPT_INT, OPT_FLOAT, OPT_CHOICE, OPT_TEXT, OPT_INTS } OptionType;

/* One configuration key. */
typedef struct Option {
  const char *name;
  OptionType type;
  size_t offset;        /* of the field in the module's struct */
  const char *fallback; /* default as text */
  double low, high;     /* inclusive; INTS: of each item */
  const char *choices;  /* CHOICE: "a|b|c" */
  const char *unit;     /* "" where there is none; FLOAT in OPTION_SECONDS: also 5m, 2h, 1:30:00 */
  const char *help;
} Option;

#define OPTION_NO_LIMIT 1e18
#define OPTION_SECONDS "s"
