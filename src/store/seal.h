/* The seal of a file: a digest of all its bytes, in a line of text behind them. HDF5 readers ignore
 * what lies behind their part. It is compared before the HDF5 library sees the file, which some
 * damage would crash. */
#pragma once
#include "base/status.h"

typedef enum Seal {
  SEAL_WHOLE,
  SEAL_NONE,  /* written by a program that did not seal yet; its HDF5 part ends where it should */
  SEAL_BROKEN /* damaged, truncated or foreign */
} Seal;

/* Appends the seal to a file that has just been written and is closed. ERR_IO; then the file is not
 * to be used. */
Status seal_put(const char *path);
/* Says in *out whether the file is whole; a damaged one is no failure of this call. ERR_IO if it
 * cannot be read. */
Status seal_check(const char *path, Seal *out);
