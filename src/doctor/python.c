/* The Python that environments of Python, and the tools of deploy/python, would use. */
#include "doctor/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
done:
  words_free(&words);
  free(end.text);
  return status;
}
