#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* One sink per thread, so that simulated ranks do not share one. */
static _Thread_local LogSink current_sink;
static _Thread_local void *sink_context;

/* The first warnings; `told` of them have gone to a sink. */
enum { WARNINGS = 16, LINE = 1024 };
static _Thread_local char warning[WARNINGS][LINE];
static _Thread_local size_t warnings, told;

/* Warnings that came before there was a sink are given to it now: a command reads its
 * configuration, and may warn, before it knows where its log will be. */
void log_set_sink(LogSink sink, void *context) {
  current_sink = sink;
  sink_context = context;
  while (sink && told < warnings)
    sink(context, warning[told++]);
}

/* The first 16 are kept, for a sink that comes later and for log_warning_at; of a flood the first
 * say most. */
void log_warning(const char *format, ...) {
  char text[LINE], line[LINE];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  snprintf(line, sizeof line, LOG_WARNING "%.*s", (int)(sizeof line - sizeof LOG_WARNING), text);
  if (warnings < WARNINGS) memcpy(warning[warnings++], line, sizeof line);
  if (!current_sink) return;
  current_sink(sink_context, line);
  told = warnings;
}

/* Kept lines begin with LOG_WARNING, which whoever asks here does not need. */
const char *log_warning_at(size_t index) {
  return index < warnings ? warning[index] + sizeof LOG_WARNING - 1 : NULL;
}

/* Formats and hands on; without a sink there is nobody to read it, and it is dropped. */
void log_line(const char *format, ...) {
  if (!current_sink) return;
  char line[LINE];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  current_sink(sink_context, line);
}
