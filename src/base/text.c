#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Optimal string alignment: three rows of the usual table are enough, as a swap looks back by
 * two. */
size_t text_distance(const char *a, const char *b) {
  enum { MOST = 63 };
  size_t m = strlen(a);
  size_t n = strlen(b);
  size_t row[3][MOST + 1];
  if (m > MOST || n > MOST) return MOST + 1;
  for (size_t j = 0; j <= n; j++)
    row[0][j] = j;
  for (size_t i = 1; i <= m; i++) {
    size_t *now = row[i % 3];
    const size_t *before = row[(i + 2) % 3];
    const size_t *earlier = row[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= n; j++) {
      size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
      if (before[j] + 1 < best) best = before[j] + 1;
      if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && earlier[j - 2] + 1 < best) best = earlier[j - 2] + 1;
      now[j] = best;
    }
  }
  return row[m % 3][n];
}

/* Whether `candidate` may be suggested for `word`. */
bool text_is_near(const char *word, const char *candidate, size_t *distance) {
  *distance = text_distance(word, candidate);
  return 3 * *distance <= strlen(word);
}

/* Three significant digits with a unit, whole numbers without. From 999.5 on the next unit is
 * taken, so that "1000 k" is never written. */
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

/* Both numbers with their units; what was done is shown as at most what was asked for. */
char *text_done(double done, double asked, char *out, size_t size) {
  char a[16], b[16];
  snprintf(out, size, "%s of %s", text_scaled(fmin(done, asked), a, sizeof a),
           text_scaled(asked, b, sizeof b));
  return out;
}

/* Three cases: nothing is known; only one side of it is known (`bound`); a value with its
 * interval. */
char *text_rating(bool known, int bound, double elo, double low, double high, char *out,
                  size_t size) {
  if (!known)
    snprintf(out, size, "n/a");
  else if (bound)
    snprintf(out, size, "%s %+.0f", bound > 0 ? ">=" : "<=", bound > 0 ? low : high);
  else
    snprintf(out, size, "%+.0f [%+.0f, %+.0f]", elo, low, high);
  return out;
}

char *text_duration(double seconds, char *out, size_t size) {
  const double minutes = seconds / 60;
  const double hours = minutes / 60;
  if (!(seconds < 1e11))
    snprintf(out, size, "n/a");
  else if (seconds < 90)
    snprintf(out, size, "%.0f s", seconds);
  else if (minutes < 90)
    snprintf(out, size, "%.0f min", minutes);
  else if (hours < 36)
    snprintf(out, size, "%d h %d min", (int)hours, (int)(minutes - 60 * (int)hours));
  else
    snprintf(out, size, "%d d %d h", (int)(hours / 24), (int)(hours - 24 * (int)(hours / 24)));
  return out;
}

/* Rounded down, so that 100 is only said at the end. */
int text_percent(double done, double asked) {
  if (!(asked > 0) || done <= 0) return 0;
  return done >= asked ? 100 : (int)(100 * (done / asked));
}

/* Reads a whole text as a number with a suffix k, M or G if any; `plain` says that there was none.
 * false if it is anything else, not finite or out of range. */
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

/* Whether there was a suffix only matters for integers. */
bool text_to_float(const char *text, double *out) {
  bool plain;
  return parse_scaled(text, out, &plain);
}

/* A double holds integers exactly only up to 2^53: plain ones are parsed again, as integers. */
bool text_to_int(const char *text, int64_t *out) {
  double value;
  bool plain;
  if (!parse_scaled(text, &value, &plain) || !(fabs(value) < 9e18) || value != floor(value))
    return false;
  if (plain && !strpbrk(text, ".eExX")) { /* keep all 64 bits of plain integers */
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !*end && errno != ERANGE;
  }
  *out = (int64_t)value;
  return true;
}

/* People write 20m for millions, which is SI's milli: the message then asks back with the right
 * letter. */
bool text_scale_meant(const char *text, char *out, size_t size) {
  static const struct {
    const char *given, *meant, *word;
  } scale[] = {{"m", "M", "million"}, {"K", "k", "thousand"}, {"gbB", "G", "billion"}};
  char plain[64];
  double value;
  size_t length = strlen(text);
  if (length < 2 || length >= sizeof plain) return false;
  memcpy(plain, text, length - 1);
  plain[length - 1] = 0;
  if (!strchr("0123456789.", plain[length - 2]) || !text_to_float(plain, &value)) return false;
  for (size_t i = 0; i < COUNT_OF(scale); i++) {
    if (!strchr(scale[i].given, text[length - 1])) continue;
    snprintf(out, size, "%s%s (%s)", plain, scale[i].meant, scale[i].word);
    return true;
  }
  return false;
}

/* "1h30m", "20s", "1.5h": numbers with units that become ever smaller. */
static bool parse_units(const char *text, double *out) {
  static const struct {
    char letter;
    double seconds;
  } unit[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
  size_t next = 0; /* the largest unit that may still come */
  *out = 0;
  if (!*text) return false;
  while (*text) {
    char *end;
    double value = strtod(text, &end);
    while (next < COUNT_OF(unit) && unit[next].letter != *end)
      next++;
    if (end == text || end != text + strspn(text, "0123456789.") || next == COUNT_OF(unit))
      return false;
    *out += value * unit[next++].seconds;
    text = end + 1;
  }
  return isfinite(*out);
}

/* As Slurm writes times: M:S, H:M:S, D-H, D-H:M, D-H:M:S. Only the first number may be as large as
 * it likes. */
static bool parse_clock(const char *text, double *out) {
  static const double most[] = {24, 60, 60};
  double field[4];
  size_t fields = 0;
  const char *dash = strchr(text, '-');
  for (const char *at = text;; at++) {
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 9 || fields == COUNT_OF(field)) return false;
    field[fields++] = strtod(at, NULL);
    at += digits;
    if (!*at) break;
    if (*at != (dash && fields == 1 ? '-' : ':')) return false;
  }
  /* days, hours or minutes: what the first number counts */
  size_t from = dash ? 0 : fields == 3 ? 1 : 2;
  static const double seconds[] = {86400, 3600, 60, 1};
  if (fields < 2 || from + fields > COUNT_OF(seconds)) return false;
  *out = 0;
  for (size_t i = 0; i < fields; i++) {
    if (i > 0 && field[i] >= most[from + i - 1]) return false;
    *out += field[i] * seconds[from + i];
  }
  return true;
}

/* Tries a plain number first, then units, then colons: no text fits two of them. */
bool text_to_seconds(const char *text, double *out) {
  return text_to_float(text, out) || parse_units(text, out) || parse_clock(text, out);
}

/* The choices stand in one text, "a|b|c", as option tables have them. */
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

/* Steps over `index` bars; behind the last choice the name is empty. */
const char *text_choice_name(const char *choices, int index, char *out, size_t size) {
  const char *at = choices;
  while (index-- > 0 && at) {
    at = strchr(at, '|');
    if (at) at++;
  }
  snprintf(out, size, "%.*s", at ? (int)strcspn(at, "|") : 0, at ? at : "");
  return out;
}

/* snprintf that does not cut silently. */
Status text_format(char *out, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(out, size, format, args);
  va_end(args);
  if (length < 0 || (size_t)length >= size)
    return status_set(ERR_USAGE, "'%.60s...' is longer than %zu characters", out, size - 1);
  return OK;
}

/* Between single quotes a shell reads all but a single quote, which stands between two quoted parts
 * behind a backslash. A tilde is only itself further on than at the beginning. */
const char *text_quoted(const char *text, char *out, size_t size) {
  static const char plain[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/:=,@%+~";
  size_t at = 0;
  if (*text && *text != '~' && !text[strspn(text, plain)]) return text;
  if (size < 3) return text;
  out[at++] = '\'';
  for (const char *from = text; *from; from++) {
    const char *letter = *from == '\'' ? "'\\''" : (const char[]){*from, 0};
    size_t more = strlen(letter);
    if (at + more + 2 > size) return text;
    memcpy(out + at, letter, more);
    at += more;
  }
  out[at++] = '\'';
  out[at] = 0;
  return out;
}

/* Bytes of the letter at `text`, by RFC 3629; 0 where there is none. */
static size_t letter_size(const unsigned char *text) {
  if (text[0] < 0x80) return 1;
  const size_t size = text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
  if (!size || text[0] > 0xf4) return 0;
  for (size_t i = 1; i < size; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  const bool longer = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
  const bool half = text[0] == 0xed && text[1] > 0x9f; /* of a pair of UTF-16 */
  const bool beyond = text[0] == 0xf4 && text[1] > 0x8f;
  return longer || half || beyond ? 0 : size;
}

/* Bytes that are a control character at its beginning, in ASCII or (two bytes) in UTF-8; 0: none.
 */
static size_t control_at(const char *text) {
  const unsigned char first = (unsigned char)text[0];
  const unsigned char second = first ? (unsigned char)text[1] : 0;
  if ((first && first < 0x20) || first == 0x7f) return 1;
  return first == 0xc2 && second >= 0x80 && second < 0xa0 ? 2 : 0;
}

bool text_is_plain(const char *text) {
  while (*text && !control_at(text))
    text++;
  return !*text;
}

void text_make_plain(char *text) {
  for (size_t size; *text; text += size ? size : 1) {
    size = control_at(text);
    memset(text, '?', size);
  }
}

void text_mend(char *text) {
  while (*text) {
    const size_t size = letter_size((const unsigned char *)text);
    if (!size) *text = '?';
    text += size ? size : 1;
  }
}

/* Cuts spaces from both ends of text[0..length-1]. */
Status text_item(const char *text, size_t length, char *out, size_t size) {
  while (length && isspace((unsigned char)*text)) {
    text++;
    length--;
  }
  while (length && isspace((unsigned char)text[length - 1]))
    length--;
  return text_format(out, size, "%.*s", (int)length, text);
}

bool text_ends_in(const char *text, const char *end) {
  const size_t size = strlen(text);
  const size_t more = strlen(end);
  return size > more && !strcmp(text + size - more, end);
}

/* A leading dot would hide a file, a leading dash would be taken for a flag, and a slash would
 * leave the folder. */
bool text_is_name(const char *text, size_t size) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  size_t length = strspn(text, letters);
  return length > 0 && length < size && !text[length] && text[0] != '.' && text[0] != '-';
}
