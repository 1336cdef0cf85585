/* A sweep as a Slurm job array. */
#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"
#include "sweep/sweep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void put(Bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(Bytes *out, const char *format, ...) {
  char text[PATH_MAX + 1024];
  va_list list;
  va_start(list, format);
  const int size = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (size < 0 || (size_t)size >= sizeof text)
    out->failed = true;
  else
    bytes_put(out, text, (size_t)size);
}

/* The call of this sweep, as a shell has to be given it. */
static void put_call(Bytes *out, const char *program, const SweepPlan *plan, const char *file,
                     const char *const *words, size_t count) {
  char word[PATH_MAX + 64];
  put(out, "%s", text_quoted(program, word, sizeof word));
  put(out, " sweep %s", text_quoted(file, word, sizeof word));
  for (size_t i = 0; i < count; i++)
    put(out, " %s", text_quoted(words[i], word, sizeof word));
  put(out, " --folder %s", text_quoted(plan->folder, word, sizeof word));
}

/* The script is both: without a task's number it submits itself, once for each rung (each after the
 * one before it) and once more for the table; with one it is that task. */
static const char submit[] =
    "if [ -z \"${AGON_SWEEP_RUNG:-}\" ]; then\n"
    "  cd \"$(dirname \"$0\")\" && script=$PWD/$(basename \"$0\") && cd \"$here\" || exit 1\n"
    "  after=\n"
    "  for rung in $(seq 0 $((rungs - 1))); do\n"
    "    # shellcheck disable=SC2086\n"
    "    id=$(sbatch --parsable $after --job-name=agon-sweep --requeue --open-mode=append \\\n"
    "      --ntasks=$ranks --cpus-per-task=1 --array=0-$((runs - 1))$at_once --signal=B:USR1@120 "
    "\\\n"
    "      --output=\"$folder/logs/slurm-%A_%a.txt\" --export=ALL,AGON_SWEEP_RUNG=$rung \"$@\" \\\n"
    "      \"$script\") || exit 1\n"
    "    after=--dependency=afterany:${id%%;*}\n"
    "    echo \"rung $rung: job array $id\"\n"
    "  done\n"
    "  # shellcheck disable=SC2086\n"
    "  sbatch $after --job-name=agon-sweep-table --ntasks=1 --output=\"$folder/table.txt\" \\\n"
    "    --export=ALL,AGON_SWEEP_RUNG=table \"$@\" \"$script\"\n"
    "  exit\n"
    "fi\n"
    "cd \"$here\" || exit 1\n"
    "if [ \"$AGON_SWEEP_RUNG\" = table ]; then sweep --status; exit; fi\n\n"
    "# Two minutes before the time limit the run saves; the task is put back into the queue and "
    "goes on.\n"
    "late=0\n"
    "on_limit() {\n"
    "  late=1\n"
    "  kill -USR1 \"$job\" 2> /dev/null\n"
    "}\n"
    "trap on_limit USR1\n"
    "call='exec' sweep --task \"$SLURM_ARRAY_TASK_ID\" --rung \"$AGON_SWEEP_RUNG\" &\n"
    "job=$!\n"
    "while :; do # a trapped signal ends wait early\n"
    "  wait \"$job\"\n"
    "  code=$?\n"
    "  kill -0 \"$job\" 2> /dev/null || break\n"
    "done\n"
    "if [ $late = 1 ] && [ $code = 0 ]; then\n"
    "  scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"\n"
    "fi\n"
    "exit $code\n";

Status sweep_write_slurm(const Sweep *sweep, const char *program, const char *file,
                         const char *const *words, size_t count, const char *path) {
  Status status = OK;
  const SweepPlan *plan = sweep->plan;
  Bytes out = {0};
  char word[PATH_MAX + 64];
  char here[PATH_MAX];
  if (!realpath(".", here)) return status_set(ERR_IO, "cannot tell in which folder this is called");
  put(&out,
      "#!/usr/bin/env bash\n"
      "# A sweep of %zu runs as a Slurm job array, written by agon sweep. Submit it with\n"
      "#   bash %s [--time=08:00:00 and other options of sbatch]\n"
      "# It goes on with what is missing when it is submitted again.\n",
      sweep->runs, text_quoted(path, word, sizeof word));
  put(&out, "set -u\nhere=%s\n", text_quoted(here, word, sizeof word));
  put(&out, "folder=%s\n", text_quoted(plan->folder, word, sizeof word));
  put(&out, "runs=%zu\nrungs=%zu\nranks=%lld\n", sweep->runs, plan->rungs,
      (long long)plan->options.ranks);
  if (plan->options.jobs)
    put(&out, "at_once=%%%lld\n", (long long)plan->options.jobs);
  else
    put(&out, "at_once=\n");
  put(&out, "sweep() { ${call:-} ");
  put_call(&out, program, plan, file, words, count);
  put(&out, " \"$@\"; }\n");
  bytes_put(&out, submit, sizeof submit - 1);
  if (out.failed) TRY(status_set(ERR_MEMORY, "out of memory writing %s", path));
  TRY(file_write_whole(path, out.data, out.size));
  chmod(path, 0755);
done:
  bytes_free(&out);
  return status;
}
