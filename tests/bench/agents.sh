#!/usr/bin/env bash
# How fast exported agents decide, on one core: tests/bench/agents.sh [--beside OLD] AGON [KEY=VALUE...]; without keys Connect
# Four and two layers of 256 with relu. The C file and libagon take turns, round by round, with those of another build of agon
# (OLD); on positions of play and on boards that are nowhere 0. Figures: src/bench/README.md.
set -eu
old=
if [ "$1" = --beside ]; then old=$(realpath "$2"); shift 2; fi
AGON=$(realpath "$1"); shift
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${old:-$AGON}" train connect_four frames=20k net.hidden='[256,256]' net.activation=relu league.end_games=0 --run-dir run --quiet "$@"
"$AGON" export run --output now.agon --examples 4096
"$AGON" export run --output now.c
if [ -n "$old" ]; then "$old" export run --output old.c; fi
/usr/bin/python3 - << 'P'
import json, numpy as np
e = np.load("now.agon.examples.npz")
e["observations"][:4096].tofile("seen.bin"), e["masks"][:4096].tofile("masks.bin")
text = open("now.agon", "rb").read()
meta = json.loads(text[64:64 + int.from_bytes(text[24:32], "little")])
widths = [e["observations"][0].size] + [s["width"] for s in meta["network"]["steps"] if s["op"] == "dense"]
full = sum(2 * a * b for a, b in zip(widths, widths[1:]))
rest = full - 2 * widths[1] * (widths[0] - (e["observations"] != 0).reshape(len(e["observations"]), -1).sum(1).mean())
print(f"arithmetic of a decision: {full / 1e3:.1f} kFLOP; of what is not 0 in the positions of play {rest / 1e3:.1f} kFLOP")
P
cat > bench.c << 'C'
#define _GNU_SOURCE
#include "now.h"
#ifdef OLD
#include "old.h"
#endif
#include <agon/agent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
enum { MOST = 4096, ROUNDS = 9 };
static uint8_t seen[2][MOST * now_OBSERVATION], masks[MOST * now_MASK];
static int32_t actions[MOST];
static uint32_t who[MOST];
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
typedef struct Library {
  AgonAgentStatus (*act)(const AgonAgent *, AgonAgentState *, const AgonAgentRows *, const AgonAgentAnswer *, AgonError *);
  AgonAgent *agent;
  AgonAgentState *state;
} Library;
static Library library[2];
static void open_library(const char *path, Library *out) {
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  AgonAgentStatus (*open)(const char *, AgonAgent **, AgonError *);
  AgonAgentStatus (*start)(const AgonAgent *, size_t, AgonAgentState **, AgonError *);
  if (!lib) exit(1);
  *(void **)&open = dlsym(lib, "agon_agent_open");
  *(void **)&start = dlsym(lib, "agon_state_new");
  *(void **)&out->act = dlsym(lib, "agon_agent_act");
  if (open("now.agon", &out->agent, NULL) || start(out->agent, MOST, &out->state, NULL)) exit(1);
}
static int ask(Library *l, const uint8_t *o, size_t n, uint64_t seed) {
  const AgonAgentRows rows = {.count = n, .observations = o, .masks = masks, .agents = who, .seed = seed};
  const AgonAgentAnswer answer = {.actions = (AgonAction *)actions};
  return l->act(l->agent, l->state, &rows, &answer, NULL);
}
static int now_c(const uint8_t *o, size_t n, uint64_t seed) {
  const now_rows rows = {.count = n, .observations = o, .masks = masks, .seed = seed, .actions = actions};
  return now_act(&rows);
}
static int now_lib(const uint8_t *o, size_t n, uint64_t seed) { return ask(&library[0], o, n, seed); }
#ifdef OLD
static int old_c(const uint8_t *o, size_t n, uint64_t seed) {
  const old_rows rows = {.count = n, .observations = o, .masks = masks, .seed = seed, .actions = actions};
  return old_act(&rows);
}
static int old_lib(const uint8_t *o, size_t n, uint64_t seed) { return ask(&library[1], o, n, seed); }
#endif
static const struct { const char *name; int (*run)(const uint8_t *, size_t, uint64_t); } with[] = {
  {"C file", now_c}, {"libagon", now_lib},
#ifdef OLD
  {"C file before", old_c}, {"libagon before", old_lib},
#endif
};
enum { WITH = sizeof with / sizeof *with };
static int order(const void *a, const void *b) {
  return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}
/* Of a core, by products and sums in registers. */
static double peak(void) {
  typedef float V __attribute__((vector_size(64)));
  V sum[16] = {{0}}, a = {0}, b = {0};
  a += .999f, b += .5f;
  const double start = now();
  for (size_t k = 0; k < 20000000; k++)
    _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) sum[i] = sum[i] * a + b;
  const double seconds = now() - start;
  for (int i = 1; i < 16; i++) sum[0] += sum[i];
  return sum[0][3] > 0 ? 20e6 * 16 * 32 / seconds * 1e-9 : 0;
}
int main(int argc, char **argv) {
  FILE *file = fopen("seen.bin", "rb");
  if (!file || fread(seen[0], now_OBSERVATION, MOST, file) != MOST) return 1;
  fclose(file);
  file = fopen("masks.bin", "rb");
  if (!file || fread(masks, now_MASK, MOST, file) != MOST) return 1;
  fclose(file);
  for (size_t i = 0; i < sizeof seen[1]; i++) seen[1][i] = (uint8_t)(1 + rand() % 3);
  for (int i = 1; i < argc; i++) open_library(argv[i], &library[i - 1]);
  now_open();
#ifdef OLD
  old_open();
#endif
  printf("peak of the core: %.0f GFLOP/s\n", peak());
  for (int full = 0; full < 2; full++)
    for (size_t batch = 1; batch <= MOST; batch *= 8) {
      double rate[WITH][ROUNDS];
      for (int r = 0; r < ROUNDS; r++)
        for (int w = 0; w < WITH; w++) {
          size_t done = 0, at = 0;
          double spent;
          const double start = now();
          do {
            if (with[w].run(seen[full] + at * now_OBSERVATION, batch, done)) return 1;
            done += batch;
            at = at + 2 * batch > MOST ? 0 : at + batch;
          } while ((spent = now() - start) < .1);
          rate[w][r] = (double)done / spent * 1e-6;
        }
      printf("%s, batches of %4zu, M decisions/s:", full ? "nowhere 0" : "play", batch);
      for (int w = 0; w < WITH; w++) {
        qsort(rate[w], ROUNDS, sizeof(double), order);
        printf("  %s %.3f (%.3f)", with[w].name, rate[w][ROUNDS / 2], rate[w][ROUNDS - 1]);
      }
      puts("");
    }
  printf("peak of the core: %.0f GFLOP/s; rates are medians of %d rounds, with the best in brackets\n", peak(), ROUNDS);
  return 0;
}
C
lib() { echo "$(dirname "$1")/libagon.so"; }
cc -std=gnu11 -O3 -march=native ${old:+-DOLD} -I "$root/include" bench.c now.c ${old:+old.c} -lm -ldl -o bench
ls -l now.c ${old:+old.c} | awk '{print $NF ": " $5 " bytes"}'
./bench "$(lib "$AGON")" ${old:+"$(lib "$old")"}
