/* The log: lines with elapsed time to a file and, for rank 0, to the screen. A sink set by the
 * program; libraries only call log_line, which is silent until a sink exists, and log_warning,
 * whose lines wait for one. */
#pragma once
#include <stddef.h>

typedef void (*LogSink)(void *context, const char *line);
/* Sets the sink of this thread (NULL: none) and gives it the warnings that it missed. */
void log_set_sink(LogSink sink, void *context);
/* A line that begins with LOG_WARNING. Kept until there is a sink, and afterwards for
 * log_warning_at. */
#define LOG_WARNING "warning: "
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The kept warning number `index` of this thread, oldest first, without LOG_WARNING; NULL behind
 * the last. */
const char *log_warning_at(size_t index);
/* A line for the log, as printf formats it; cut at 1,023 letters. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
