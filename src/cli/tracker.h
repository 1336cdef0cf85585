/* Exact exploitability of learning mains, tracked while they learn (metrics.exploitability). */
#pragma once
#include "base/clock.h"
#include "env/env.h"
#include "metrics/metrics.h"
#include "nn/net.h"

typedef struct Tracker Tracker;
/* every: frames between walks. ERR_USAGE if the env's tree cannot be walked or the network cannot be evaluated on it.
 */
Status tracker_create(const Env *env, const NetConfig *net, uint64_t every, Tracker **out);
void tracker_destroy(Tracker *tracker);
bool tracker_due(const Tracker *tracker, uint64_t frames);
/* Adds NAME/exploitability (NashConv / players) of a policy block. */
Status tracker_add(Tracker *tracker, const char *name, const float *block, size_t count, Record *record);
void tracker_done(Tracker *tracker, uint64_t frames);
