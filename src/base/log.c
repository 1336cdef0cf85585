#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* One sink per thread, so that simulated ranks do not share one. */
static _Thread_local LogSink current_sink;
static _Thread_local void *sink_context;

void log_set_sink(LogSink sink, void *context) {
  current_sink = sink;
  sink_context = context;
}

void log_line(const char *format, ...) {
  if (!current_sink) return;
  char line[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  current_sink(sink_context, line);
}
