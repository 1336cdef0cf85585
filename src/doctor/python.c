/* The Python that environments of Python, and the tools of deploy/python, would use; and whether
 * the bridge to it works. */
#include "base/file.h"
#include "base/text.h"
#include "doctor/finding.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Packages are really imported, as one that cannot be is what people come with. */
static const char script[] =
    "import sys, importlib\n"
    "print('python %d.%d.%d %s' % (sys.version_info[:3] + (sys.executable,)), flush=True)\n"
    "for name in ('numpy', 'gymnasium', 'pettingzoo', 'pyspiel', 'h5py'):\n"
    "    try:\n"
    "        m = importlib.import_module(name)\n"
    "        print('has %s %s' % (name, getattr(m, '__version__', '')), flush=True)\n"
    "    except ModuleNotFoundError as e:\n"
    "        if e.name == name: print('lacks ' + name, flush=True)\n"
    "        else: print('broken %s: %r' % (name, e), flush=True)\n"
    "    except BaseException as e:\n"
    "        print('broken %s: %s' % (name, repr(e).replace('\\n', ' ')), flush=True)\n"
    "print('end', flush=True)\n";

/* All lines that begin with `key`, the rest of each joined by commas. */
static void collect(const char *text, const char *key, char *out, size_t size) {
  const size_t length = strlen(key);
  size_t used = 0;
  *out = 0;
  while (text && *text) {
    const size_t line = strcspn(text, "\n");
    if (line > length && !strncmp(text, key, length) && text[length] == ' ' && used < size)
      used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "",
                               (int)(line - length - 1), text + length + 1);
    text += line + (text[line] == '\n');
  }
}

/* A coin is seen, and named: what an environment of Python is at least. It needs numpy alone. */
static const char game[] =
    "import numpy as np\n"
    "class Discrete:\n"
    "    def __init__(self, n): self.n, self.dtype, self.shape = n, np.int64, ()\n"
    "class Game:\n"
    "    observation_space, action_space = Discrete(2), Discrete(2)\n"
    "    def reset(self, seed=None, options=None):\n"
    "        if seed is not None: self.random = np.random.default_rng(seed)\n"
    "        self.left, self.coin = 8, int(self.random.integers(2))\n"
    "        return self.coin, {}\n"
    "    def step(self, action):\n"
    "        paid = float(action == self.coin)\n"
    "        self.left, self.coin = self.left - 1, int(self.random.integers(2))\n"
    "        return self.coin, paid, self.left == 0, False, {}\n";

/* env PYTHONPATH=FOLDER:... agon env check python:agon_doctor_game:Game */
static Status play_game(const DoctorRequest *request, const char *folder, ChildEnd *out) {
  Status status = OK;
  Words words = {0};
  const char *path = request->python_path;
  TRY(words_add(&words, "env"));
  TRY(words_add(&words, "PYTHONPATH=%s%s%s", folder, path ? ":" : "", path ? path : ""));
  TRY(words_add(&words, "PYTHONDONTWRITEBYTECODE=1"));
  TRY(words_add(&words, "%s", request->program));
  TRY(words_add(&words, "env"));
  TRY(words_add(&words, "check"));
  TRY(words_add(&words, "python:agon_doctor_game:Game"));
  TRY(child_run(&words, request->seconds, request->stop, out));
done:
  words_free(&words);
  return status;
}

/* A worker process of Python, the memory that both share, and what is said between them. */
static Status check_bridge(Round *round) {
  Status status = OK;
  char folder[] = "/tmp/agon-doctor-XXXXXX";
  char file[sizeof folder + 32];
  char line[256];
  char advice[400];
  ChildEnd end = {.text = NULL};
  if (!mkdtemp(folder)) {
    tell(round, VERDICT_NOTE, "bridge", "have /tmp writable, and call agon doctor again",
         "not looked at: no folder can be made in /tmp: %s", strerror(errno));
    return OK;
  }
  TRY(text_format(file, sizeof file, "%s/agon_doctor_game.py", folder));
  TRY(file_write_whole(file, game, sizeof game - 1));
  TRY(play_game(round->request, folder, &end));
  snprintf(advice, sizeof advice,
           "environments of Python cannot be used: what agon env check gymnasium:CartPole-v1 says "
           "is more of it; another Python: AGON_PYTHON");
  if (end.late)
    tell(round, VERDICT_DO, "bridge", advice, "a game of Python does not answer within %g s",
         round->request->seconds);
  else if (end.code)
    tell(round, VERDICT_DO, "bridge", advice, "a game of Python fails: %s",
         last_line(end.text, line, sizeof line));
  else
    tell_ok(round, "bridge", "a game of Python plays, in %.1f s", end.seconds);
done:
  file_ops()->remove(file);
  rmdir(folder);
  free(end.text);
  return status;
}

Status check_python(Round *round) {
  Status status = OK;
  Words words = {0};
  ChildEnd end = {.text = NULL};
  char line[256];
  char version[256];
  char has[256];
  char lacks[256];
  char broken[512];
  char advice[400];
  const char *python = round->request->python;
  TRY(words_add(&words, "%s", python));
  TRY(words_add(&words, "-c"));
  TRY(words_add(&words, "%s", script));
  TRY(child_run(&words, round->request->seconds, round->request->stop, &end));
  words_after(end.text, "python", version, sizeof version);
  collect(end.text, "has", has, sizeof has);
  collect(end.text, "lacks", lacks, sizeof lacks);
  collect(end.text, "broken", broken, sizeof broken);
  snprintf(
      advice, sizeof advice,
      "only environments of Python need it, and deploy/python: %s -m pip install numpy and what "
      "the environment is of (gymnasium, pettingzoo, open_spiel), in a virtual environment "
      "(python3 -m venv), which AGON_PYTHON or VIRTUAL_ENV name",
      python);
  if (end.late)
    tell(round, VERDICT_NOTE, "python",
         "an import hangs, or the disk with it is slow: try it by hand",
         "%s has not come to its end within %g s%s%s", python, round->request->seconds,
         *has ? ": so far " : "", has);
  else if (!*version)
    tell(round, VERDICT_NOTE, "python", advice, "%s does not run: %s", python,
         last_line(end.text, line, sizeof line));
  else if (*broken)
    tell(round, VERDICT_DO, "python", "install what cannot be imported anew, or take it away",
         "%s: cannot import %s", version, broken);
  else if (*lacks)
    tell(round, VERDICT_NOTE, "python", advice, "%s; it has %s, and lacks %s", version,
         *has ? has : "none of the packages", lacks);
  else
    tell_ok(round, "python", "%s; it has %s", version, has);
  if (!end.late && strstr(has, "numpy")) TRY(check_bridge(round));
done:
  words_free(&words);
  free(end.text);
  return status;
}
