#include "doctor/doctor.h"

#include "doctor/finding.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_told_to_stop(const Round *round) {
  return round->request->stop && *round->request->stop > 0;
}

static void tell_list(Round *round, Verdict verdict, const char *what, const char *advice,
                      const char *format, va_list list) {
  Finding finding = {.verdict = verdict, .what = what};
  if (is_told_to_stop(round)) return; /* what it was asked to leave says nothing of the host */
  vsnprintf(finding.found, sizeof finding.found, format, list);
  snprintf(finding.advice, sizeof finding.advice, "%s", advice);
  round->todo += verdict == VERDICT_DO;
  round->request->tell(round->request->context, &finding);
}

void tell_ok(Round *round, const char *what, const char *format, ...) {
  va_list list;
  va_start(list, format);
  tell_list(round, VERDICT_OK, what, "", format, list);
  va_end(list);
}

void tell(Round *round, Verdict verdict, const char *what, const char *advice, const char *format,
          ...) {
  va_list list;
  va_start(list, format);
  tell_list(round, verdict, what, advice, format, list);
  va_end(list);
}

/* Launchers draw lines of dashes around what they say. */
static bool says_something(const char *line, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (line[i] != '-' && line[i] != ' ' && line[i] != '\t') return true;
  return false;
}

const char *last_line(const char *text, char *out, size_t size) {
  snprintf(out, size, "it said nothing");
  while (text && *text) {
    const size_t length = strcspn(text, "\n");
    if (says_something(text, length)) snprintf(out, size, "%.*s", (int)length, text);
    text += length + (text[length] == '\n');
  }
  for (char *at = out; *at; at++)
    if (*at < ' ' || *at > '~') *at = '?';
  return out;
}

const char *words_after(const char *text, const char *key, char *out, size_t size) {
  const size_t length = strlen(key);
  snprintf(out, size, "%s", "");
  while (text && *text) {
    const size_t line = strcspn(text, "\n");
    if (line > length && !strncmp(text, key, length) && text[length] == ' ') {
      snprintf(out, size, "%.*s", (int)(line - length - 1), text + length + 1);
      return out;
    }
    text += line + (text[line] == '\n');
  }
  return out;
}

double number_after(const char *text, const char *key, double fallback) {
  char word[64];
  words_after(text, key, word, sizeof word);
  return *word ? strtod(word, NULL) : fallback;
}

Status doctor_look(const DoctorRequest *request, size_t *todo) {
  Round round = {.request = request};
  static Status (*const check[])(Round *) = {check_launch, check_files, check_python};
  check_machine(&round);
  for (size_t i = 0; i < COUNT_OF(check) && !is_told_to_stop(&round); i++)
    TRY_RETURN(check[i](&round));
  *todo = round.todo;
  return OK;
}
