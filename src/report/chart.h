/* Charts as inline SVG, and HTML text, into a byte string. Colours are CSS classes of the page (see report.c). */
#pragma once
#include "base/bytes.h"

#include <stddef.h>

void html_put(Bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void html_text(Bytes *out, const char *text); /* escaped */

typedef struct Chart {
  Bytes *out;
  double width, height, left, right, top, bottom; /* margins of the plot within the picture */
  double x_low, x_high, y_low, y_high;
} Chart;

/* Opens a figure with title and axes; ranges are widened to round numbers. log-free. y_format: printf of one double,
 * e.g.
 * "%g"; NULL: scaled with k, M, G. */
void chart_begin(Chart *chart, Bytes *out, const char *title, const char *x_label, double x_low, double x_high,
                 double y_low, double y_high, const char *y_format);
void chart_line(Chart *chart, const double *x, const double *y, size_t count, const char *css, const char *label);
void chart_band(Chart *chart, const double *x, const double *low, const double *high, size_t count, const char *css);
/* Between two lines; used for stacked shares. */
void chart_dot(Chart *chart, double x, double y, const char *css, const char *hover);
void chart_end(Chart *chart);
/* The step between about `count` ticks over a span > 0: 1, 2 or 5 times a power of ten. */
double chart_step(double span, int count);
double chart_x(const Chart *chart, double x);
double chart_y(const Chart *chart, double y);
/* A row of coloured names under a figure. */
void chart_legend(Bytes *out, const char *const *css, const char *const *label, size_t count);
