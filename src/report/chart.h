/* Charts as inline SVG, and HTML text, into a byte string. Colours are CSS classes of the page (see
 * report.c). */
#pragma once
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* Formats markup into `out`, at most 4,095 bytes at once. A failure is kept in out->failed. */
void html_put(Bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text in which '<', '>', '&' and '"' are escaped. */
void html_text(Bytes *out, const char *text);

/* A plot being drawn. Sizes are in units of the picture, ranges in those of the data. */
typedef struct Chart {
  Bytes *out;
  bool picture;                                   /* a file of its own, not a figure of the page */
  double width, height, left, right, top, bottom; /* margins of the plot within the picture */
  double x_low, x_high, y_low, y_high;
  double taken[16]; /* heights at which names of lines stand */
  size_t names;
} Chart;

/* Opens a figure with title and axes; y's range is widened to round numbers. Labels of y are
 * written with k, M and G if y_format is NULL, else as plain numbers. */
void chart_begin(Chart *chart, Bytes *out, const char *title, const char *x_label, double x_low,
                 double x_high, double y_low, double y_high, const char *y_format);
/* The same as an SVG file of its own, with its title within; chart_end ends it. */
void chart_begin_picture(Chart *chart, Bytes *out, const char *title, const char *x_label,
                         double x_low, double x_high, double y_low, double y_high);
/* A line's name to the right of the plot, where it ends at y. */
void chart_name(Chart *chart, double y, const char *css, const char *name);
/* Colours and classes of drawings for a file that has no page around it, and its ground. */
void report_picture_style(Bytes *out);
/* A line through `count` points, with gaps where y is not finite; `css` is its colour's class,
 * `label` appears when one points at it. */
void chart_line(Chart *chart, const double *x, const double *y, size_t count, const char *css,
                const char *label);
/* The area between two lines over the same x: an interval, or one share of a stack. */
void chart_band(Chart *chart, const double *x, const double *low, const double *high, size_t count,
                const char *css);
/* One point with a text that appears when one points at it. */
void chart_dot(Chart *chart, double x, double y, const char *css, const char *hover);
/* Closes the figure. */
void chart_end(Chart *chart);
/* The step between about `count` ticks over a span > 0: 1, 2 or 5 times a power of ten. */
double chart_step(double span, int count);
/* Where a value of the data lies in the picture. */
double chart_x(const Chart *chart, double x);
double chart_y(const Chart *chart, double y);
/* A row of coloured names under a figure. */
void chart_legend(Bytes *out, const char *const *css, const char *const *label, size_t count);
