/* The seal of a file: a digest of all its bytes, in a line of text behind them. HDF5 readers ignore what lies behind
 * their part. It is compared before the HDF5 library sees the file, which some damage would crash. */
#pragma once
#include "base/status.h"

typedef enum Seal {
  SEAL_WHOLE,
  SEAL_NONE,  /* written by a program that did not seal yet; its HDF5 part ends where it should */
  SEAL_BROKEN /* damaged, truncated or foreign */
} Seal;

/* Seals a file that has just been written. */
Status seal_put(const char *path);
/* ERR_IO if the file cannot be read. */
Status seal_check(const char *path, Seal *out);
