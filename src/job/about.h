/* The configuration as metrics tell it (metrics/metrics.h). */
#pragma once
#include "job/config.h"
#include "metrics/metrics.h"

/* What metrics of this configuration are of; the caller's (about_free). It borrows the values from
 * `settings`. ERR_MEMORY; then there is nothing to be freed. */
Status about_create(const JobConfig *settings, MetricsAbout *out);
/* Also of {0}. */
void about_free(MetricsAbout *about);
