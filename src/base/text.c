#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t text_distance(const char *a, const char *b) {
  size_t m = strlen(a), n = strlen(b), row[64];
  if (m > 63 || n > 63) return 64;
  for (size_t j = 0; j <= n; j++) row[j] = j;
  for (size_t i = 1; i <= m; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n; j++) {
      size_t best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[n];
}

char *text_scaled(double value, char *out, size_t size) {
  static const char *const unit[] = {"", " k", " M", " G", " T"};
  size_t step = 0;
  while (fabs(value) >= 999.5 && step + 1 < COUNT_OF(unit)) {
    value /= 1000;
    step++;
  }
  int digits = step == 0 || fabs(value) >= 100 ? 0 : fabs(value) >= 10 ? 1 : 2;
  snprintf(out, size, "%.*f%s", digits, value, unit[step]);
  return out;
}

char *text_done(double done, double asked, char *out, size_t size) {
  char a[16], b[16];
  snprintf(out, size, "%s of %s", text_scaled(fmin(done, asked), a, sizeof a), text_scaled(asked, b, sizeof b));
  return out;
}

char *text_rating(bool known, int bound, double elo, double low, double high, char *out, size_t size) {
  if (!known)
    snprintf(out, size, "n/a");
  else if (bound)
    snprintf(out, size, "%s %+.0f", bound > 0 ? ">=" : "<=", bound > 0 ? low : high);
  else
    snprintf(out, size, "%+.0f [%+.0f, %+.0f]", elo, low, high);
  return out;
}

int text_percent(double done, double asked) {
  if (!(asked > 0) || done <= 0) return 0;
  return done >= asked ? 100 : (int)(100 * (done / asked));
}

/* A number and its suffix k, M or G, if any. `plain` tells that there was none. */
static bool parse_scaled(const char *text, double *out, bool *plain) {
  char *end;
  errno = 0;
  double value = strtod(text, &end);
  if (end == text || errno == ERANGE || !isfinite(value)) return false;
  double scale = *end == 'k' ? 1e3 : *end == 'M' ? 1e6 : *end == 'G' ? 1e9 : 1;
  *plain = scale == 1;
  if (!*plain) end++;
  *out = value * scale;
  return *end == 0;
}

bool text_to_float(const char *text, double *out) {
  bool plain;
  return parse_scaled(text, out, &plain);
}

bool text_to_int(const char *text, int64_t *out) {
  double value;
  bool plain;
  if (!parse_scaled(text, &value, &plain) || !(fabs(value) < 9e18) || value != floor(value)) return false;
  if (plain && !strpbrk(text, ".eExX")) { /* keep all 64 bits of plain integers */
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !*end && errno != ERANGE;
  }
  *out = (int64_t)value;
  return true;
}

int text_choice(const char *choices, const char *word) {
  size_t length = strlen(word);
  int index = 0;
  for (const char *at = choices; at; index++) {
    const char *bar = strchr(at, '|');
    size_t size = bar ? (size_t)(bar - at) : strlen(at);
    if (size == length && !strncmp(at, word, length)) return index;
    at = bar ? bar + 1 : NULL;
  }
  return -1;
}

const char *text_choice_name(const char *choices, int index, char *out, size_t size) {
  const char *at = choices;
  while (index-- > 0 && at) {
    at = strchr(at, '|');
    if (at) at++;
  }
  snprintf(out, size, "%.*s", at ? (int)strcspn(at, "|") : 0, at ? at : "");
  return out;
}

Status text_format(char *out, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(out, size, format, args);
  va_end(args);
  if (length < 0 || (size_t)length >= size)
    return status_set(ERR_USAGE, "'%.60s...' is longer than %zu characters", out, size - 1);
  return OK;
}

bool text_is_name(const char *text, size_t size) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  size_t length = strspn(text, letters);
  return length > 0 && length < size && !text[length] && text[0] != '.' && text[0] != '-';
}
