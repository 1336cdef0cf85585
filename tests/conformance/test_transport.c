/* One suite for every transport: order per sender, sizes from nothing to megabytes, messages to oneself, many at once,
 * several receivers of one message. Runs under mpirun on any number of ranks, and in the simulation. */
#include "check.h"

#include "base/rng.h"
#include "transport/transport.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 60, LATE = 2000000 }; /* LATE: size of what nobody waits for */

static size_t size_of(int from, int to, int round) {
  return (size_t)((from * 31 + to * 17 + round * 7) % 5 == 0 ? 300000 + round : (round * 13) % 200);
}

static uint8_t byte_of(int from, int to, int round, size_t i) {
  return (uint8_t)((size_t)(from * 3 + to * 5 + round) + i * 7);
}

typedef struct Peer {
  Transport *transport;
  int sent;  /* rounds */
  int *seen; /* (size) rounds received of each sender */
  long got;
} Peer;

static void send_round(Peer *peer) {
  Transport *t = peer->transport;
  for (int to = 0; to < t->size; to++) {
    size_t size = size_of(t->rank, to, peer->sent);
    Message *message = message_create(size);
    for (size_t i = 0; i < size; i++) message->data[i] = byte_of(t->rank, to, peer->sent, i);
    CHECK_OK(t->ops->send(t, to, message));
  }
  peer->sent++;
}

static void take(Peer *peer) {
  Transport *t = peer->transport;
  for (Message *message; (message = t->ops->receive(t));) {
    if (message->size == LATE) { /* of a rank that is already leaving */
      message_release(message);
      continue;
    }
    int from = message->peer, round = peer->seen[from]++;
    assert_true(from >= 0 && from < t->size);
    assert_int_equal(message->size, size_of(from, t->rank, round)); /* order per sender is kept */
    for (size_t i = 0; i < message->size; i++)
      if (message->data[i] != byte_of(from, t->rank, round, i))
        fail_msg("rank %d, round %d of rank %d: byte %zu is wrong", t->rank, round, from, i);
    message_release(message);
    peer->got++;
  }
  t->ops->unsent(t);
}

static bool finished(const Peer *peer) {
  return peer->sent == ROUNDS && peer->got == (long)ROUNDS * peer->transport->size;
}

static void open_peer(Peer *peer, Transport *transport) {
  *peer = (Peer){.transport = transport};
  peer->seen = calloc((size_t)transport->size, sizeof *peer->seen);
}

static Transport *mpi;

static void all_to_all_mpi(void **state) {
  (void)state;
  Peer peer;
  open_peer(&peer, mpi);
  while (!finished(&peer)) {
    if (peer.sent < ROUNDS) send_round(&peer);
    take(&peer);
  }
  while (mpi->ops->unsent(mpi)) take(&peer);
  assert_true(mpi->stats.messages_received >= (uint64_t)ROUNDS * (uint64_t)mpi->size);
  free(peer.seen);
}

static void start_up_mpi(void **state) {
  (void)state;
  char *bytes = mpi->rank == 0 ? strdup("hello") : NULL;
  size_t size = mpi->rank == 0 ? 6 : 0;
  CHECK_OK(mpi->ops->start_broadcast(mpi, (void **)&bytes, &size));
  assert_int_equal(size, 6);
  assert_string_equal(bytes, "hello");
  free(bytes);
  int *host = calloc((size_t)mpi->size, sizeof *host);
  CHECK_OK(mpi->ops->start_hosts(mpi, host));
  for (int i = 0; i < mpi->size; i++) assert_int_equal(host[i], 0); /* one machine */
  free(host);
}

/* Messages that nobody waits for do not keep the job from ending. */
static void leaving_mpi(void **state) {
  (void)state;
  for (int to = 0; to < mpi->size; to++) CHECK_OK(mpi->ops->send(mpi, to, message_create(LATE)));
  while (!mpi->ops->finish(mpi)) message_release(mpi->ops->receive(mpi));
}

static void all_to_all_sim(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 5; seed++) {
    SimWorld *world;
    Peer peer[7];
    SimConfig config = {.seed = seed, .ranks = 7, .delay = 9};
    CHECK_OK(sim_create(&config, &world));
    for (int i = 0; i < 7; i++) open_peer(&peer[i], sim_rank(world, i));
    sim_slow(world, 3, 10);
    bool done = false;
    for (long step = 0; !done; step++) {
      assert_true(step < 10000000);
      Peer *next = &peer[sim_choose(world)];
      if (next->sent < ROUNDS) send_round(next);
      take(next);
      sim_round(world);
      done = true;
      for (int i = 0; i < 7; i++) done &= finished(&peer[i]);
    }
    for (int i = 0; i < 7; i++) free(peer[i].seen);
    sim_destroy(world);
  }
}

static void failed_sends_are_reported_sim(void **state) {
  (void)state;
  SimWorld *world;
  SimConfig config = {.seed = 1, .ranks = 2, .lose_memory = .5};
  CHECK_OK(sim_create(&config, &world));
  int failed = 0;
  for (int i = 0; i < 100; i++) {
    WireOut out = {.bytes = {0}};
    wire_begin(&out, WIRE_BEGIN);
    failed += wire_send(sim_rank(world, 0), 1, &out) != OK;
    bytes_free(&out.bytes);
  }
  assert_true(failed > 20 && failed < 80);
  sim_destroy(world);
}

static void foreign_messages_are_refused_sim(void **state) {
  (void)state;
  WireKind kind;
  Reader body;
  Message *message = message_create(16);
  memset(message->data, 0, 16);
  assert_int_equal(wire_open(message, &kind, &body), ERR_FORMAT);
  const uint32_t other_version[4] = {0x4e4f4741, 999, WIRE_TABLE, 0}, unknown[4] = {0x4e4f4741, WIRE_VERSION, 77, 0};
  memcpy(message->data, other_version, 16);
  assert_int_equal(wire_open(message, &kind, &body), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "version 999"));
  memcpy(message->data, unknown, 16);
  assert_int_equal(wire_open(message, &kind, &body), ERR_FORMAT);
  message->size = 7;
  assert_int_equal(wire_open(message, &kind, &body), ERR_FORMAT);
  message_release(message);
}

/* Random bytes never crash a decoder; what it accepts fits its own bounds. */
static void decoders_survive_noise_sim(void **state) {
  (void)state;
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  Table table = {0};
  Results results = {0};
  Directive directive;
  for (int i = 0; i < 20000; i++) {
    uint8_t noise[200];
    size_t size = rng_below(&rng, 200);
    for (size_t k = 0; k < size; k++) noise[k] = (uint8_t)(rng_below(&rng, 3) ? 0 : rng_next(&rng));
    Reader a = reader_over(noise, size), b = a, c = a;
    if (table_decode(&table, &a) == OK) assert_true(table.matches * 16 <= size);
    if (results_decode(&results, &b) == OK) assert_true(results.pairs * 92 <= size);
    if (directive_decode(&directive, 4, &c) == OK) assert_true(directive.orders <= COUNT_OF(directive.order));
  }
  table_free(&table);
  results_free(&results);
}

int main(int argc, char **argv) {
  const struct CMUnitTest on_mpi[] = {cmocka_unit_test(start_up_mpi), cmocka_unit_test(all_to_all_mpi),
                                      cmocka_unit_test(leaving_mpi)};
  const struct CMUnitTest on_sim[] = {cmocka_unit_test(all_to_all_sim), cmocka_unit_test(failed_sends_are_reported_sim),
                                      cmocka_unit_test(foreign_messages_are_refused_sim),
                                      cmocka_unit_test(decoders_survive_noise_sim)};
  if (argc < 2 || strcmp(argv[1], "mpi")) return cmocka_run_group_tests(on_sim, NULL, NULL);
  if (transport_mpi_create(&argc, &argv, &mpi) != OK) return 1;
  int failed = cmocka_run_group_tests(on_mpi, NULL, NULL);
  if (failed) mpi->ops->abort(mpi, 1, "a test failed"); /* the others must not wait */
  transport_destroy(mpi);
  return failed;
}
