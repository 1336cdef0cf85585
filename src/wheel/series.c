#include "metrics/names.h"
#include "wheel/vec.h"

int agon_series(size_t index, const char **name, const char **what) {
  const MetricName *row = metric_name(index);
  if (!row) return -1;
  *name = row->name;
  *what = row->what;
  return 0;
}

size_t agon_series_tag(const char *name, char *tag, size_t size) {
  metric_tag(name, tag, size);
  return metric_player(name);
}
