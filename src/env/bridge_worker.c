/* The worker process of a bridge: starting it with the user's Python, one message each way a
 * request, and what is said when it ends. It ends by itself when the socket does, whatever becomes
 * of this process. */
#include "env/bridge_parts.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
const char *bridge_python;
bool (*bridge_stop_asked)(void *context);
void *bridge_stop_context;

/* Files that the worker finds open. */
enum { AT_SOCKET = 3, AT_MEMORY = 4, AT_SOURCE = 5, OUT_OF_THE_WAY = 64 };

/* An answer to a request in which an exception was raised; other failures have a 2. */
enum { RAISED = 1 };

/* Milliseconds: how often a wait looks around; how long a process that is ended may take to write
 * down where it is. */
enum { LOOK = 200, LAST_WORDS = 500 };
/* Nanoseconds. After a stop was asked for an environment that does not answer is waited for a tenth
 * of its patience, but not more and not less than this. */
#define SECOND ((int64_t)1000000000)
#define LEAST_GRACE (2 * SECOND)
#define MOST_GRACE (30 * SECOND)
/* Before it has told what it is it may import half a library from a slow disk. */
#define LEAST_MAKING (60 * SECOND)

/* Modules come from the text in file 5: "name size", a line each, and the text behind it. */
static const char bootstrap[] =
    "import sys\n"
    "if sys.version_info<(3,8):\n"
    "  sys.stderr.write('agon: environments need Python 3.8 or newer, and '+sys.executable+"
    "' is '+sys.version.split()[0]+'\\n')\n"
    "  sys.exit(3)\n"
    "import importlib.util as u\n"
    "t={}\n"
    "with open(5,'rb') as f:\n"
    "  f.seek(0)\n"
    "  for h in iter(f.readline,b''):\n"
    "    n,s=h.split();t[n.decode()]=f.read(int(s)).decode()\n"
    "class B:\n"
    "  def find_spec(s,n,p=None,m=None):\n"
    "    return u.spec_from_loader(n,s,origin='agon/bridge/'+n+'.py') if n in t else None\n"
    "  def create_module(s,m): pass\n"
    "  def exec_module(s,m):\n"
    "    n=m.__name__;exec(compile(t[n],'agon/bridge/'+n+'.py','exec'),m.__dict__)\n"
    "  def get_source(s,n): return t[n]\n"
    "sys.meta_path.insert(0,B())\n"
    "import agon_worker\n"
    "agon_worker.main()\n";

static int fail(AgonError *error, const char *what, const char *why) {
  snprintf(error->text, sizeof error->text, "%s: %s", what, why);
  return -1;
}

/* A copy of a file's number beyond those that the worker wants, so that none is overwritten. */
static int moved_away(int file) {
  const int copy = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
  if (file >= 0) close(file);
  return copy;
}

static bool write_all(int file, const char *text, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t written = write(file, text + at, size - at);
    if (written <= 0) return false;
    at += (size_t)written;
  }
  return true;
}

/* The modules' text, as a file that is nowhere. */
static int open_source(void) {
  const int file = memfd_create("agon_bridge_source", MFD_CLOEXEC);
  bool written = file >= 0;
  for (const Embedded *module = bridge_source; written && module->name; module++) {
    char head[128];
    const int size = snprintf(head, sizeof head, "%.*s %zu\n", (int)strcspn(module->name, "."),
                              module->name, module->size);
    written = write_all(file, head, (size_t)size) && write_all(file, module->text, module->size);
  }
  if (written) return moved_away(file);
  if (file >= 0) close(file);
  return -1;
}

/* What it prints goes where errors go: the rank's own output may be read by a program. */
static int set_files(posix_spawn_file_actions_t *files, int socket, int memory, int source) {
  return posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0) ||
         posix_spawn_file_actions_adddup2(files, 2, 1) ||
         posix_spawn_file_actions_adddup2(files, socket, AT_SOCKET) ||
         posix_spawn_file_actions_adddup2(files, memory, AT_MEMORY) ||
         posix_spawn_file_actions_adddup2(files, source, AT_SOURCE);
}

static int spawn(BridgeWorker *worker, int socket, int source) {
  const char *program = bridge_python ? bridge_python : "python3";
  char *argv[] = {(char *)(uintptr_t)program,   (char[]){"-X"},
                  (char[]){"faulthandler"},     (char[]){"-c"},
                  (char *)(uintptr_t)bootstrap, NULL};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t held; /* until it ignores them: a launcher sends them to all processes of a rank */
  static const int to_ranks[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
  sigemptyset(&held);
  for (size_t i = 0; i < sizeof to_ranks / sizeof *to_ranks; i++)
    sigaddset(&held, to_ranks[i]);
  if (posix_spawn_file_actions_init(&files)) return ENOMEM;
  if (posix_spawnattr_init(&attributes)) {
    posix_spawn_file_actions_destroy(&files);
    return ENOMEM;
  }
  int code = posix_spawnattr_setsigmask(&attributes, &held);
  if (!code) code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  if (!code && set_files(&files, socket, worker->memory, source)) code = ENOMEM;
  if (!code) code = posix_spawnp(&worker->pid, program, &files, &attributes, argv, environ);
  if (code) worker->pid = 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return code;
}

int bridge_worker_start(BridgeWorker *worker, AgonError *error) {
  int pair[2];
  int source = -1;
  const struct timeval look = {0, LOOK * 1000};
  *worker = (BridgeWorker){
      .socket = -1, .memory = -1, .patience = worker->patience, .stuck = worker->stuck};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
    return fail(error, "no socket for a Python process", strerror(errno));
  worker->socket = moved_away(pair[0]);
  pair[1] = moved_away(pair[1]);
  worker->memory = moved_away(memfd_create("agon_bridge", MFD_CLOEXEC));
  source = open_source();
  int code = worker->socket < 0 || pair[1] < 0 || worker->memory < 0 || source < 0
                 ? errno
                 : spawn(worker, pair[1], source);
  if (!code && (setsockopt(worker->socket, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look) ||
                setsockopt(worker->socket, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof look)))
    code = errno;
  if (source >= 0) close(source);
  if (pair[1] >= 0) close(pair[1]);
  if (!code) return 0;
  snprintf(error->text, sizeof error->text,
           "cannot start %s: %s; name the Python that has the environment's packages, "
           "AGON_PYTHON=/path/to/python",
           bridge_python ? bridge_python : "python3", strerror(code));
  bridge_worker_stop(worker);
  return -1;
}

/* What the worker was at when it was heard of last, as words to follow others; empty where that was
 * no episode. */
static void tell_where(const BridgeWorker *worker, char *text, size_t size) {
  const int32_t cell = worker->pulse ? worker->pulse[0] : -1;
  text[0] = 0;
  if (cell < 0) return;
  snprintf(text, size, ", at seed %u, move %d", worker->seed[cell], worker->pulse[1]);
}

/* Waits at most that long for the process to end, and notes how it did. */
static bool reap(BridgeWorker *worker, int milliseconds) {
  char where[64];
  int how = 0; /* nobody tells where children are not waited for */
  for (int waited = 0; worker->pid > 0; waited += 10) {
    if (waitpid(worker->pid, &how, WNOHANG) != 0) {
      worker->pid = 0;
      tell_where(worker, where, sizeof where);
      if (WIFSIGNALED(how))
        snprintf(worker->end, sizeof worker->end,
                 "the Python process was ended by signal %d (%s)%s: what it wrote is above",
                 WTERMSIG(how), strsignal(WTERMSIG(how)), where);
      else if (!worker->pulse) /* as what is no Python does */
        snprintf(worker->end, sizeof worker->end,
                 "%s ended by itself, exit code %d, before it had made the environment; "
                 "AGON_PYTHON names the Python that has it",
                 bridge_python ? bridge_python : "python3", WIFEXITED(how) ? WEXITSTATUS(how) : -1);
      else
        snprintf(worker->end, sizeof worker->end,
                 "the Python process ended by itself, exit code %d%s: what it wrote is above",
                 WIFEXITED(how) ? WEXITSTATUS(how) : -1, where);
      return true;
    }
    if (waited >= milliseconds) return false;
    nanosleep(&(struct timespec){0, 10000000}, NULL);
  }
  return true;
}

/* It ends when its socket does; one that is in the middle of something else is not waited for. */
void bridge_worker_stop(BridgeWorker *worker) {
  if (worker->socket >= 0) close(worker->socket);
  if (worker->pid > 0 && !reap(worker, 1000)) {
    kill(worker->pid, SIGKILL);
    reap(worker, 1000);
  }
  if (worker->map) munmap(worker->map, worker->map_size);
  if (worker->memory >= 0) close(worker->memory);
  bytes_free(&worker->answer);
  *worker = (BridgeWorker){.socket = -1, .memory = -1};
}

int bridge_worker_share(BridgeWorker *worker, size_t size, AgonError *error) {
  if (ftruncate(worker->memory, (off_t)size))
    return fail(error, "no memory to share with a Python process", strerror(errno));
  void *map =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, worker->memory, 0);
  if (map == MAP_FAILED)
    return fail(error, "no memory to share with a Python process", strerror(errno));
  worker->map = map;
  worker->map_size = size;
  return 0;
}

/* --- messages --- */
/* A request that is waited for. */
typedef struct Wait {
  int64_t since; /* when anything was heard of it last; 0: nobody has looked yet */
  int64_t asked; /* when a stop was first seen to be asked for; 0: it is not */
  int32_t pulse[2];
} Wait;

/* Ends a process that does not answer. It writes down where it is before that. */
static void put_down(BridgeWorker *worker) {
  if (worker->pid <= 0) return;
  kill(worker->pid, SIGQUIT);
  if (reap(worker, LAST_WORDS)) return;
  kill(worker->pid, SIGKILL);
  reap(worker, 2000);
}

/* Gives up waiting: what was asked will have no answer. */
static bool give_up(BridgeWorker *worker, int64_t waited, bool stopped) {
  char where[64];
  tell_where(worker, where, sizeof where);
  put_down(worker);
  worker->dead = true;
  snprintf(worker->end, sizeof worker->end,
           stopped ? "a stop was asked for, and the environment has not answered for %.0f s%s: the "
                     "Python process was ended, and has said above where it was"
                   : "the environment has not answered for %.0f s (env.patience)%s: the Python "
                     "process was ended, and has said above where it was",
           (double)waited / SECOND, where);
  return false;
}

/* Whether to go on waiting, asked whenever nothing was heard for a while; else worker->end says why
 * not. An environment that is slow and moves is waited for as long as it takes. */
static bool still_waits(BridgeWorker *worker, Wait *wait) {
  const Clock clock = clock_system();
  const int64_t now = clock_now(&clock);
  int64_t patience = worker->patience * SECOND;
  if (!worker->pulse && patience && patience < LEAST_MAKING) patience = LEAST_MAKING;
  const int32_t pulse[2] = {worker->pulse ? worker->pulse[0] : -1,
                            worker->pulse ? worker->pulse[1] : 0};
  if (!wait->since || pulse[0] != wait->pulse[0] || pulse[1] != wait->pulse[1]) {
    wait->since = now;
    memcpy(wait->pulse, pulse, sizeof pulse);
  }
  if (reap(worker, 0)) { /* another process may hold its end of the socket open */
    worker->dead = true;
    return false;
  }
  if (!wait->asked && bridge_stop_asked && bridge_stop_asked(bridge_stop_context))
    wait->asked = now;
  int64_t grace = patience ? patience / 10 : MOST_GRACE;
  grace = grace < LEAST_GRACE ? LEAST_GRACE : grace > MOST_GRACE ? MOST_GRACE : grace;
  const int64_t waited = now - wait->since + LOOK * (SECOND / 1000);
  if (patience && waited >= patience) return give_up(worker, waited, false);
  if (wait->asked && waited >= grace && now - wait->asked >= grace)
    return give_up(worker, waited, true);
  return true;
}

/* Whether the last call on the socket may be tried again. */
static bool again(BridgeWorker *worker, Wait *wait) {
  if (errno == EINTR) return true;
  return (errno == EAGAIN || errno == EWOULDBLOCK) && still_waits(worker, wait);
}

static bool put(BridgeWorker *worker, Wait *wait, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  while (size) {
    const ssize_t sent = send(worker->socket, at, size, MSG_NOSIGNAL);
    if (sent < 0 && again(worker, wait)) continue;
    if (sent <= 0) return false;
    at += sent;
    size -= (size_t)sent;
  }
  return true;
}

static bool get(BridgeWorker *worker, Wait *wait, void *bytes, size_t size) {
  uint8_t *at = bytes;
  while (size) {
    const ssize_t got = recv(worker->socket, at, size, 0);
    if (got < 0 && again(worker, wait)) continue;
    if (got <= 0) return false;
    at += got;
    size -= (size_t)got;
  }
  return true;
}

/* How it ended, for this request and all that follow. */
static int ended(BridgeWorker *worker, AgonError *error) {
  if (!worker->dead) {
    worker->dead = true;
    if (!reap(worker, 2000)) {
      put_down(worker);
      snprintf(worker->end, sizeof worker->end, "the Python process closed its end and went on");
    }
  }
  if (worker->pulse) worker->stuck = worker->pulse[0];
  snprintf(error->text, sizeof error->text, "%s", worker->end);
  return -1;
}

int bridge_worker_ask(BridgeWorker *worker, uint32_t code, uint32_t count, const void *payload,
                      size_t size, AgonError *error) {
  uint32_t head[2] = {code, size ? (uint32_t)size : count};
  Wait wait = {.since = 0};
  if (worker->pulse && !worker->dead) {
    worker->pulse[0] = -1;
    worker->pulse[1] = 0;
  }
  if (worker->dead || !put(worker, &wait, head, sizeof head) ||
      !put(worker, &wait, payload, size) || !get(worker, &wait, head, sizeof head))
    return ended(worker, error);
  worker->answer.size = 0;
  if (head[0] == 0 && head[1] == 0) return 0;
  uint8_t *text = bytes_extend(&worker->answer, (size_t)head[1] + 1);
  if (!text) return fail(error, "out of memory", "an answer of a Python process");
  if (!get(worker, &wait, text, head[1])) return ended(worker, error);
  text[head[1]] = 0;
  if (head[0] == 0) return 0;
  snprintf(error->text, sizeof error->text, "%s", (const char *)text);
  if (head[0] == RAISED) { /* said once, whatever is asked after it */
    worker->dead = true;
    snprintf(worker->end, sizeof worker->end, "%s", error->text);
  }
  return -1;
}
