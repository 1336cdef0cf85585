/* The roles of one rank and the delivery of its messages. */
#pragma once
#include "job/config.h"
#include "job/topology.h"

typedef struct Node Node;

typedef struct NodeSetup {
  const Settings *settings;
  const Topology *topology;
  Transport *transport;
  Clock clock;
  /* rank 0 only: */
  RunFolder *run;
  const Tree *resume;
  uint64_t generation;
  const Tree *header;
  const float *target; /* the first snapshots hold this policy instead of initial weights; may be NULL */
} NodeSetup;

/* Collective where several learner ranks share players (they then share memory within hosts). */
Status node_create(const NodeSetup *setup, Node **out);
void node_destroy(Node *node);
/* Delivers what has arrived and steps each role once. */
Status node_step(Node *node, bool *progress);
void node_idle(Node *node, int64_t nanoseconds); /* the caller waited, as no role had anything to do */
bool node_done(const Node *node);
Manager *node_manager(Node *node); /* rank 0, else NULL */
/* Columns that describe a run and its network: configuration, layers, versions. The tree is the caller's. */
Status node_header(const Settings *settings, Tree *out);
