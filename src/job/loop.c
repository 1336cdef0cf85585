#include "job/loop.h"

#include "base/file.h"
#include "env/bridge.h"
#include "job/job.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

static volatile sig_atomic_t stop_signal;
/* Only notes it: a handler may do hardly anything else. */
static void on_signal(int signal) {
  stop_signal = signal;
}

/* What a rank does while it has nothing to do, after `waited` nanoseconds of that: for a tenth of a
 * millisecond it yields, then it naps for an eighth of the time that it has waited, at most a
 * millisecond. A short wait for another rank is hardly prolonged, and a long one burns no core. */
static void back_off(int64_t waited) {
  if (waited < 100000) {
    sched_yield();
    return;
  }
  struct timespec nap = {0, waited > 8000000 ? 1000000 : waited / 8};
  nanosleep(&nap, NULL);
}

/* What a rank that cannot get on can see by itself of a stop. */
static bool stop_asked(void *context) {
  return stop_signal || file_exists(context);
}

/* The clock must not go back: waits would count as negative. */
static Status run_on(Rank *rank) {
  SteadyClock steady;
  const Clock clock = clock_steady(&steady, clock_system());
  bool progress;
  /* when waiting began (0: not waiting), and up to when it has been counted as idle */
  int64_t since = 0;
  int64_t counted = 0;
  while (!rank_done(rank)) {
    TRY_RETURN(rank_step(rank, &progress));
    if (stop_signal && rank_manager(rank))
      manager_request_stop(rank_manager(rank), stop_signal == SIGUSR1 ? "SIGUSR1 asked for it"
                                                                      : "a signal asked for it");
    if (progress) {
      since = 0;
      continue;
    }
    int64_t now = clock_now(&clock);
    if (!since) {
      since = now;
      counted = now;
    }
    back_off(now - since);
    now = clock_now(&clock);
    rank_idle(rank, now - counted); /* before what ends the wait is done: that is work */
    counted = now;
  }
  return OK;
}

Status loop_run(Rank *rank, const char *stop) {
  bridge_heed_stop(stop_asked, (void *)(uintptr_t)stop);
  const Status status = run_on(rank);
  bridge_heed_stop(NULL, NULL);
  return status;
}

/* Receiving is what lets others' sends complete. */
void loop_leave(Transport *transport) {
  const Clock clock = clock_system();
  int64_t since = clock_now(&clock);
  while (!transport->ops->finish(transport)) {
    Message *message = transport->ops->receive(transport);
    message_release(message);
    if (message) since = clock_now(&clock);
    back_off(clock_now(&clock) - since);
  }
}

/* With a launcher, Ctrl-C goes to the launcher, which ends all ranks. */
void job_catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  signal(SIGXFSZ, SIG_IGN); /* a file size limit shows as a failed write */
  signal(SIGPIPE, SIG_IGN);
  if (!transport_mpi_launched()) { /* alone, Ctrl-C is a graceful stop; a second one kills */
    action.sa_flags = (int)(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
  }
}
