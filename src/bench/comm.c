/* Benchmarks over all ranks: messages, sums, and training end to end. */
#include "bench/bench.h"
#include "job/job.h"
#include "wire/allreduce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- messages --- */

/* The next message; asking for what is unsent drives progress meanwhile. */
static Message *wait_for(Transport *transport) {
  for (;;) {
    Message *message = transport->ops->receive(transport);
    if (message) return message;
    transport->ops->unsent(transport);
  }
}

/* Rank 0 sends `size` bytes to rank 1 and gets them back, `times` times; everybody else waits. */
static Status ping_pong(Transport *transport, size_t size, int times, const Clock *clock,
                        double *seconds) {
  int64_t start = clock_now(clock);
  for (int i = 0; i < times; i++) {
    Message *message;
    if (transport->rank == 0) {
      message = message_create(size);
      if (!message) return status_set(ERR_MEMORY, "out of memory");
      TRY_RETURN(transport->ops->send(transport, 1, message));
    }
    message = wait_for(transport);
    if (transport->rank == 1)
      TRY_RETURN(transport->ops->send(transport, 0, message));
    else
      message_release(message);
  }
  while (transport->ops->unsent(transport))
    continue;
  *seconds = clock_seconds(clock_now(clock) - start) / times / 2;
  return OK;
}

/* Half the time there and back, for sizes from 64 bytes to 4 MiB. The bound of a rate is half of
 * memcpy's: a message is copied in and out. */
static Status bench_messages(Bench *bench) {
  Transport *transport = bench->transport;
  char what[96];
  for (size_t size = 64; size <= (size_t)4 << 20; size *= 16) {
    double sample[15];
    int times = size > 100000 ? 20 : 200;
    for (size_t i = 0; i < COUNT_OF(sample) && transport->rank < 2; i++) {
      TRY_RETURN(ping_pong(transport, size, times, &bench->clock, &sample[i]));
      sample[i] *= 1e6;
    }
    if (transport->rank) continue;
    snprintf(what, sizeof what, "message of %zu bytes to a neighbour", size);
    TRY_RETURN(bench_add(bench, "comm", what, "us", sample, COUNT_OF(sample), 0, NULL));
    for (size_t i = 0; i < COUNT_OF(sample); i++)
      sample[i] = (double)size / sample[i] * 1e6;
    if (size < 100000) continue;
    TRY_RETURN(bench_add(bench, "comm", "  as a rate", "B/s", sample, COUNT_OF(sample),
                         bench_copy_peak(bench) / 2, "memcpy"));
  }
  return OK;
}

/* --- sums --- */

/* One sum over all ranks, serving what arrives until it is done. */
static Status sum_once(Transport *transport, Allreduce *summer, float *values, size_t count) {
  bool done = false;
  TRY_RETURN(allreduce_start(summer, values, count));
  while (!done) {
    for (Message *message; (message = transport->ops->receive(transport));) {
      WireKind kind;
      Reader body;
      Status status = wire_open(message, &kind, &body);
      if (status == OK) status = allreduce_receive(summer, kind, message, &body);
      message_release(message);
      TRY_RETURN(status);
    }
    transport->ops->unsent(transport);
    TRY_RETURN(allreduce_test(summer, &done));
  }
  return OK;
}

/* Used by benchmarks in which all ranks work and their rates add up. */
Status bench_total(Bench *bench, double *value) {
  Status status = OK;
  Transport *transport = bench->transport;
  Allreduce *summer = NULL;
  int *rank = NULL;
  /* in two parts, so that no digits are lost: sums are of floats */
  float digits[2] = {(float)*value, 0};
  digits[1] = (float)(*value - (double)digits[0]);
  size_t members = transport ? (size_t)transport->size : 1;
  if (members == 1) return OK;
  TRY(NEW_ARRAY(rank, members));
  for (size_t m = 0; m < members; m++)
    rank[m] = (int)m;
  TRY(allreduce_create(
      &(AllreduceSetup){transport, rank, members, (size_t)transport->rank, NULL, 0}, &summer));
  TRY(sum_once(transport, summer, digits, 2));
  *value = (double)digits[0] + (double)digits[1];
done:
  allreduce_destroy(summer);
  free(rank);
  return status;
}

/* Times sums of `count` floats, by messages or (shared) through the memory of the host. */
static Status bench_sums(Bench *bench, void *const *shared, const char *how, size_t count) {
  Status status = OK;
  Transport *transport = bench->transport;
  Allreduce *summer = NULL;
  float *values = NULL;
  int *rank = NULL;
  double sample[15];
  char what[96];
  size_t members = (size_t)transport->size;
  TRY(NEW_ARRAY(values, count));
  TRY(NEW_ARRAY(rank, members));
  for (size_t m = 0; m < members; m++)
    rank[m] = (int)m;
  TRY(allreduce_create(
      &(AllreduceSetup){transport, rank, members, (size_t)transport->rank, shared, 2 * count},
      &summer));
  for (size_t i = 0; i < COUNT_OF(sample); i++) {
    int64_t start = clock_now(&bench->clock);
    for (int n = 0; n < 20; n++)
      TRY(sum_once(transport, summer, values, count));
    sample[i] = 1e6 * bench_seconds(bench, start) / 20;
  }
  if (transport->rank == 0) {
    snprintf(what, sizeof what, "sum of %zu floats over %zu ranks, %s", count, members, how);
    TRY(bench_add(bench, "comm", what, "us", sample, COUNT_OF(sample), 0, NULL));
  }
done:
  allreduce_destroy(summer);
  free(values);
  free(rank);
  return status;
}

/* The length of the sums is that of the standard case's gradients. */
Status bench_comm(Bench *bench) {
  Status status = OK;
  JobConfig *settings = NULL;
  Net *net = NULL;
  void *const *shared;
  if (bench->transport->size < 2) {
    if (bench->screen)
      fprintf(bench->screen, "comm       needs two ranks or more: mpirun -n 2 agon bench comm\n");
    return OK;
  }
  TRY(bench_settings(bench, NULL, 0, &settings));
  TRY(net_create(&settings->net, &settings->env->layout, &settings->env->spec, &net));
  TRY(bench_messages(bench));
  size_t params = net->trained;
  TRY(bench_sums(bench, NULL, "by messages", params));
  TRY(bench->transport->ops->start_shared(bench->transport, allreduce_shared_bytes(2 * params),
                                          &shared));
  TRY(bench_sums(bench, shared, "through shared memory", params));
done:
  net_destroy(net);
  job_config_destroy(settings);
  return status;
}

/* --- training --- */

/* A job of its own in a temporary folder, by the same call as `agon train`. The bound is what the
 * arithmetic of a frame allows if every rank ran at the FMA peak. */
Status bench_train(Bench *bench) {
  Status status = OK;
  JobConfig *settings = NULL;
  Net *net = NULL;
  Algo *algo = NULL;
  Topology topology = {0};
  JobResult ending = {.started = false};
  char folder[] = "/tmp/agon-bench-XXXXXX", seconds[48], run[64], what[96], by[112], command[64];
  const char *pairs[256];
  size_t count = 0;
  static const char *const standard[] = {"frames=1000G",        "net.hidden=[256, 256]",
                                         "actors.slots=512",    "actors.lanes=16",
                                         "actors.eval_share=0", "league.preset=self-play"};
  JobRequest request = {
      .game = "connect_four", .folder = run, .overrides = pairs, .warnings = bench->warnings};
  for (size_t i = 0; i < COUNT_OF(standard); i++)
    pairs[count++] = standard[i];
  bool first = bench->transport->rank == 0;
  if (first && !mkdtemp(folder)) TRY(status_set(ERR_IO, "cannot make a folder in /tmp"));
  snprintf(run, sizeof run, "%s/run", folder);
  snprintf(seconds, sizeof seconds, "max_seconds=%g", bench->seconds * bench->repeats * 2);
  pairs[count++] = seconds;
  for (size_t i = 0; i < bench->override_count && count < COUNT_OF(pairs); i++) {
    if (!strncmp(bench->overrides[i], "game=", 5))
      request.game = bench->overrides[i] + 5;
    else
      pairs[count++] = bench->overrides[i];
  }
  request.override_count = count;
  TRY(bench_settings(bench, NULL, 0, &settings));
  TRY(net_create(&settings->net, &settings->env->layout, &settings->env->spec, &net));
  TRY(job_config_algo(settings, net, &algo));
  TRY(job_config_topology(settings, bench->transport->size, &topology));
  double peak = first ? bench_fma_peak(bench) : 0; /* before the others are busy */
  TRY(job_train(bench->transport, &request, &ending));
  if (!first) goto done;
  double flops = graph_flops_forward(&net->graph) + algo_cost(algo);
  double rate = ending.frames / ending.seconds;
  double acted = ending.decisions / ending.seconds;
  snprintf(what, sizeof what, "frames learned, %d ranks (%zu learn, %zu act)",
           bench->transport->size, topology.learners, topology.actors);
  snprintf(by, sizeof by, "%.2f MFLOP a frame at %d FMA peaks", flops * 1e-6,
           bench->transport->size);
  TRY(bench_add(bench, "train", what, "frames/s", &rate, 1,
                (double)bench->transport->size * peak / flops, by));
  TRY(bench_add(bench, "train", "decisions acted", "/s", &acted, 1, 0, NULL));
  snprintf(command, sizeof command, "rm -rf %s", folder);
  if (system(command) != 0) TRY(status_set(ERR_IO, "cannot remove %s", folder));
done:
  topology_free(&topology);
  algo_destroy(algo);
  net_destroy(net);
  job_config_destroy(settings);
  return status;
}
