/* Small text helpers for messages and tables. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* How many letters must be added, dropped, changed or swapped with their neighbour to make `b` of
 * `a`. Words of more than 63 letters are never near. */
size_t text_distance(const char *a, const char *b);
/* Whether `candidate` may be suggested for `word`: at most a third of the word's letters differ.
 * *distance says how many do. */
bool text_is_near(const char *word, const char *candidate, size_t *distance);
/* "1.23 M" style with k, M, G; at most 15 characters. Returns `out`. */
char *text_scaled(double value, char *out, size_t size);
/* "2.67 M of 9.00 M"; what is done beyond what was asked for does not count. */
char *text_done(double done, double asked, char *out, size_t size);
/* "+312 [+280, +344]"; ">= +560" or "<= -40" where all that is known is a bound; "n/a". */
char *text_rating(bool known, int bound, double elo, double low, double high, char *out,
                  size_t size);
/* "45 s", "12 min", "3 h 20 min", "2 d 4 h": as exact as somebody who waits wants to know it. At
 * most 23 characters. Returns `out`. */
char *text_duration(double seconds, char *out, size_t size);
/* Whole per cent of what was asked for: 100 only when all of it is done. */
int text_percent(double done, double asked);
/* Parse a whole text: false if it is empty, out of range, or goes on behind the number. Suffixes k,
 * M and G multiply (20M), and integers may be written 1e6. */
bool text_to_int(const char *text, int64_t *out);
bool text_to_float(const char *text, double *out);
/* For a number that does not parse: "20M (million)" where it was "20m". false: nothing of the
 * kind. */
bool text_scale_meant(const char *text, char *out, size_t size);
/* A time in seconds: a plain number of them, 20s, 5m, 1h30m, 2d, or as Slurm writes it: 90:00,
 * 1:30:00, 1-12:00:00. */
bool text_to_seconds(const char *text, double *out);
#define TEXT_TIME "a time: seconds, or 20s, 5m, 2h, 1:30:00, 1-12:00:00"
/* Index of `word` in "a|b|c", or -1. */
int text_choice(const char *choices, const char *word);
/* Name of choice `index` of "a|b|c" copied into out. */
const char *text_choice_name(const char *choices, int index, char *out, size_t size);
/* Formats into a fixed array, always terminated. ERR_USAGE if it does not fit. */
Status text_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A text as a shell must be given it, for commands that a message offers: in quotes where it has
 * spaces or other letters that a shell would take for its own. Returns out, or, where that is too
 * small, the text as it is. */
const char *text_quoted(const char *text, char *out, size_t size);
/* Puts '?' for each byte that is of no letter of UTF-8, for programs that read nothing else. */
void text_mend(char *text);
/* Whether a text has no control characters, by which a terminal could be told to do things. */
bool text_is_plain(const char *text);
/* Puts '?' for each of them. */
void text_make_plain(char *text);
/* One item of a list, without the spaces around it. */
Status text_item(const char *text, size_t length, char *out, size_t size);
/* Whether a text is longer than `end`, and ends so: the name of a file, in ".h5". */
bool text_ends_in(const char *text, const char *end);
/* A name that may become part of a path and of a message: letters, digits, '_', '.', '-'; it begins
 * with none of the last two, and is shorter than `size`. */
bool text_is_name(const char *text, size_t size);
