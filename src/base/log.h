/* The log: lines with elapsed time to a file and, for rank 0, to stderr. A sink set by the program; libraries only call
 * log_line, which is silent until a sink exists. */
#pragma once

typedef void (*LogSink)(void *context, const char *line);
void log_set_sink(LogSink sink, void *context);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
