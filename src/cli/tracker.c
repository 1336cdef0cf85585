#include "cli/tracker.h"

#include "eval/eval.h"

#include <stdio.h>
#include <stdlib.h>

struct Tracker {
  const Env *env;
  NetConfig net;
  GameTree *tree;
  uint64_t every, next;
};

Status tracker_create(const Env *env, const NetConfig *net, uint64_t every, Tracker **out) {
  Status status = OK;
  Tracker *tracker;
  TRY_RETURN(NEW_ARRAY(tracker, 1));
  *tracker = (Tracker){.env = env, .net = *net, .every = every};
  if (net->memory != 0) TRY(status_set(ERR_USAGE, "a player with memory cannot be walked exactly"));
  TRY(tree_build(env, 2000000, &tracker->tree));
  *out = tracker;
  tracker = NULL;
done:
  tracker_destroy(tracker);
  return status == OK ? OK : status_context(status, "metrics.exploitability");
}

void tracker_destroy(Tracker *tracker) {
  if (!tracker) return;
  tree_destroy(tracker->tree);
  free(tracker);
}

bool tracker_due(const Tracker *tracker, uint64_t frames) { return tracker && frames >= tracker->next; }

void tracker_done(Tracker *tracker, uint64_t frames) { tracker->next = frames + tracker->every; }

Status tracker_add(Tracker *tracker, const char *name, const float *block, size_t count, Record *record) {
  Contestant who;
  ExactResult result;
  char key[96];
  const double one = 1;
  TRY_RETURN(contestant_policy(name, &tracker->net, tracker->env, block, count, &who));
  Contestant *member = &who;
  Status status = tree_exploit(tracker->tree, &(Mixture){&member, &one, 1}, &result);
  contestant_destroy(&who);
  TRY_RETURN(status);
  snprintf(key, sizeof key, "%s/exploitability", name);
  record_set(record, key, result.nash_conv / 2);
  return OK;
}
