#!/usr/bin/env bash
# How fast exported agents decide, on one core: tests/bench/agents.sh AGON [KEY=VALUE...]; without keys Connect Four and two
# layers of 256. Figures: src/bench/README.md.
set -eu
AGON=$(realpath "$1"); shift
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$AGON" train connect_four frames=20k net.hidden='[256,256]' net.activation=relu league.end_games=0 --run-dir run --quiet "$@"
"$AGON" export run --output agent.c
"$AGON" export run --output agent.agon
cat > bench.c << 'C'
#define _GNU_SOURCE
#include "agent.h"
#include <agon/agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
enum { MOST = 4096 };
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
int main(void) {
  static uint8_t seen[MOST * agent_OBSERVATION];
  static uint8_t masks[MOST * agent_MASK];
  static int32_t actions[MOST];
  static uint32_t who[MOST];
  AgonAgent *agent;
  AgonAgentState *state;
  for (size_t i = 0; i < sizeof seen; i++) seen[i] = rand() % 4 == 0;
  for (size_t i = 0; i < sizeof masks; i++) masks[i] = rand() % 8 != 0;
  agent_open();
  if (agon_agent_open("agent.agon", &agent, NULL) || agon_state_new(agent, MOST, &state, NULL)) return 1;
  for (size_t batch = 1; batch <= MOST; batch *= 8) {
    for (int library = 0; library < 2; library++) {
      size_t done = 0;
      const double start = now();
      while (now() - start < 1) {
        if (library) {
          AgonAgentRows rows = {.count = batch, .observations = seen, .masks = masks, .agents = who, .seed = done};
          AgonAgentAnswer answer = {.actions = (AgonAction *)actions};
          if (agon_agent_act(agent, state, &rows, &answer, NULL)) return 1;
        } else {
          agent_rows rows = {.count = batch, .observations = seen, .masks = masks, .seed = done, .actions = actions};
          if (agent_act(&rows)) return 1;
        }
        done += batch;
      }
      printf("%s, batches of %4zu: %.3f M decisions/s\n", library ? "libagon" : "C file ", batch, (double)done / (now() - start) * 1e-6);
    }
  }
  return 0;
}
C
cc -std=c11 -O3 -march=native -I "$root/include" bench.c agent.c "$(dirname "$AGON")/libagon.a" -lm -o bench
ls -l agent.c | awk '{print "agent.c: " $5 " bytes"}'
./bench
