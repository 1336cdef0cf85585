/* agon report: one HTML file that shows a whole run, with nothing to fetch. */
#include "cli/cli.h"
#include "report/report.h"
#include "base/file.h"
#include "base/text.h"

#include <stdio.h>

extern const Command command_report;

static const Flag flags[] = {
    {"--out", "FILE", "where it is written (default RUN/report.html)"},
    {"--family", "FILE.svg",
     "writes the family tree alone, as a picture for a page of yours; no report"},
    {"--returns", "FILE.svg",
     "one team: writes the curve of its return alone, as such a picture; no report"},
    {"--title", "TEXT", "heading (default: the run's folder)"},
};

/* Reads a run without its lock, makes the page in memory and writes it whole: a browser never sees
 * half of it. */
static Status run_report(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  RunView run = {.folder = {.lock = -1}};
  Report r = {.run = &run};
  char path[4096];
  TRY(arguments_parse(&command_report, argc, argv, &arguments));
  if (arguments.words != 1) TRY(usage_error(&command_report, "one run folder is needed"));
  gemm_set_threads(1);
  TRY(run_view_look(arguments.word[0], &run));
  const char *out = argument(&command_report, &arguments, "--out");
  const char *title = argument(&command_report, &arguments, "--title");
  const char *family = argument(&command_report, &arguments, "--family");
  const char *returns = argument(&command_report, &arguments, "--returns");
  if ((family != NULL) + (out != NULL) + (returns != NULL) > 1)
    TRY(usage_error(&command_report, "--out, --family and --returns exclude each other"));
  if (family) out = family;
  if (returns) out = returns;
  if (out)
    TRY(text_format(path, sizeof path, "%s", out));
  else
    TRY(run_path(&run.folder, path, sizeof path, "report.html"));
  TRY(report_load(&r));
  if (family)
    report_family_picture(&r);
  else if (returns)
    TRY(report_team_picture(&r));
  else
    report_page(&r, title ? title : run.folder.path);
  if (r.out.failed) TRY(status_set(ERR_MEMORY, "out of memory writing a report"));
  TRY(file_write_whole(path, r.out.data, r.out.size));
  printf("%s: %zu players, %.0f kB\n", path, run.league.players, (double)r.out.size / 1000);
done:
  report_free(&r);
  run_view_close(&run);
  return status;
}

const Command command_report = {
    "report",
    "RUN [--out FILE.html | --family FILE.svg | --returns FILE.svg]",
    "writes one self-contained HTML page about a run",
    "Ratings with intervals, payoff heat map, family tree, forgotten opponents, matchmaking, "
    "losses, rates, the resolved configuration; where one team plays its return and what the game "
    "counts, instead of opponents. An episode of the first main in pictures, of games that are "
    "built "
    "in.\n"
    "It reads the newest checkpoint and metrics.jsonl; a running job is not disturbed.",
    flags,
    COUNT_OF(flags),
    run_report,
};
