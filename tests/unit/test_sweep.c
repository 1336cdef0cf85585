/* Sweeps as they are asked for: points of grids and draws, seeds, rungs; and who goes on from a rung to the next. */
#include "check.h"

#include "base/file.h"
#include "folder.h"
#include "sweep/records.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[FOLDER_PATH];

/* The plan of a text, whose failure fails the test. */
static void read_plan(const char *text, SweepPlan *plan) {
  char path[300];
  snprintf(path, sizeof path, "%s/sweep.yaml", folder);
  CHECK_OK(file_write_whole(path, text, strlen(text)));
  CHECK_OK(sweep_plan_read(path, NULL, 0, folder, plan));
}

static void grids_are_nested_loops(void **state) {
  (void)state;
  SweepPlan plan;
  read_plan("sweep: {base: tic_tac_toe, seeds: [7, 1-3]}\nset: {frames: 30k}\n"
            "grid: {learner.rate: [0.1, 0.2], net.hidden: [[8], [8, 4], [16]]}\n",
            &plan);
  const char *expected[] = {"learner.rate=0.1 net.hidden=[8]",    "learner.rate=0.1 net.hidden=[8, 4]",
                            "learner.rate=0.1 net.hidden=[16]",   "learner.rate=0.2 net.hidden=[8]",
                            "learner.rate=0.2 net.hidden=[8, 4]", "learner.rate=0.2 net.hidden=[16]"};
  assert_int_equal(plan.points, 6);
  for (size_t i = 0; i < 6; i++) {
    assert_string_equal(plan.point[i].label, expected[i]);
    assert_int_equal(plan.point[i].settings, 3);
    assert_string_equal(plan.point[i].setting[2], "frames=30k");
    assert_int_equal(plan.point[i].frames, 30000);
  }
  assert_int_equal(plan.seeds, 4);
  assert_int_equal(plan.seed[0], 7);
  assert_int_equal(plan.seed[3], 3);
  assert_int_equal(plan.options.score, SCORE_MATCH);
  sweep_plan_free(&plan);
}

static double setting(const SweepPlan *plan, size_t point, size_t which) {
  return strtod(strchr(plan->point[point].setting[which], '=') + 1, NULL);
}

/* Log-uniform: as many below the geometric mean of the bounds as above, within 5 standard deviations. */
static void draws_have_their_distributions(void **state) {
  (void)state;
  enum { N = 400 };
  SweepPlan plan, more;
  size_t below[3] = {0}, seen[4] = {0};
  read_plan("sweep: {base: tic_tac_toe, samples: 400}\nrandom:\n  learner.rate: {log: [1e-5, 1e-1]}\n"
            "  learner.entropy: {uniform: [0.2, 0.6]}\n  ppo.epochs: {int: [2, 5]}\n"
            "  actors.unroll: {log_int: [4, 64]}\n  net.activation: {choice: [tanh, relu]}\n",
            &plan);
  assert_int_equal(plan.points, N);
  size_t tanhs = 0;
  for (size_t i = 0; i < N; i++) {
    const double rate = setting(&plan, i, 0), entropy = setting(&plan, i, 1), unroll = setting(&plan, i, 3);
    const size_t epochs = (size_t)setting(&plan, i, 2);
    assert_true(rate >= 1e-5 && rate <= 1e-1 && entropy >= .2 && entropy <= .6 && unroll >= 4 && unroll <= 64);
    assert_true(epochs >= 2 && epochs <= 5);
    below[0] += rate < 1e-3;
    below[1] += entropy < .4;
    below[2] += unroll < 16;
    seen[epochs - 2]++;
    tanhs += !strcmp(plan.point[i].setting[4], "net.activation=tanh");
  }
  for (int k = 0; k < 3; k++)
    assert_true(below[k] > N / 2 - 60 && below[k] < N / 2 + 60);
  for (int k = 0; k < 4; k++)
    assert_true(seen[k] > N / 4 - 45 && seen[k] < N / 4 + 45);
  assert_true(tanhs > N / 2 - 50 && tanhs < N / 2 + 50);
  /* more samples and another key change none that was drawn before */
  read_plan("sweep: {base: tic_tac_toe, samples: 401}\nrandom:\n  learner.gamma: {uniform: [0.5, 0.9]}\n"
            "  learner.rate: {log: [1e-5, 1e-1]}\n",
            &more);
  for (size_t i = 0; i < N; i++)
    assert_string_equal(more.point[i].setting[1], plan.point[i].setting[0]);
  sweep_plan_free(&more);
  sweep_plan_free(&plan);
}

static void rungs(void **state) {
  (void)state;
  SweepPlan plan;
  read_plan("sweep: {base: tic_tac_toe, samples: 10}\nset: {frames: 100k}\n"
            "random: {learner.rate: {log: [1e-5, 1e-1]}}\nhalving: {first: 10k, factor: 3}\n",
            &plan);
  assert_int_equal(plan.rungs, 4); /* 10k, 30k, 90k, 100k */
  assert_int_equal(sweep_rung_frames(&plan, &plan.point[0], 0), 10000);
  assert_int_equal(sweep_rung_frames(&plan, &plan.point[0], 2), 90000);
  assert_int_equal(sweep_rung_frames(&plan, &plan.point[0], 3), 100000);
  const size_t left[] = {10, 4, 2, 1}; /* rounded up */
  for (size_t r = 0; r < 4; r++)
    assert_int_equal(sweep_rung_points(&plan, plan.points, r), left[r]);
  sweep_plan_free(&plan);
}

/* Two seeds of four configurations: nobody goes on before all are scored or have failed; then the best by their means,
 * and never one without a score. */
static void who_goes_on(void **state) {
  (void)state;
  SweepPlan plan;
  Sweep sweep;
  size_t admitted[4], known;
  read_plan("sweep: {base: tic_tac_toe, seeds: 1-2}\nset: {frames: 100k}\n"
            "grid: {learner.rate: [0.1, 0.2, 0.3, 0.4]}\nhalving: {first: 50k, factor: 2}\n",
            &plan);
  CHECK_OK(sweep_open(&plan, true, &sweep));
  assert_int_equal(sweep.runs, 8);
  const double score[8] = {.2, .9, .5, .1, .4, .1, .4, .1}; /* seed by seed: means .3 .5 .45 .1 */
  for (size_t i = 0; i < 8; i++) {
    CHECK_OK(sweep_admitted(&sweep, admitted, &known));
    assert_int_equal(known, 1);
    if (i == 3) sweep.run[i].failed = true; /* configuration 3 has failed once, scored once */
    else CHECK_OK(sweep_add_score(&sweep.run[i], &(RungScore){score[i], NAN, NAN, 50000}));
    CHECK_OK(sweep_record(&plan, &sweep.run[i]));
  }
  CHECK_OK(sweep_admitted(&sweep, admitted, &known));
  assert_int_equal(known, 2);
  const size_t expected[4] = {1, 2, 2, 1};
  for (size_t p = 0; p < 4; p++)
    assert_int_equal(admitted[p], expected[p]);
  sweep.run[7].scored = 0; /* and without any score it cannot, though nothing is open */
  sweep.run[7].failed = true;
  sweep.run[1].scored = sweep.run[5].scored = 0;
  sweep.run[1].failed = sweep.run[5].failed = true;
  sweep.run[2].scored = sweep.run[6].scored = 0;
  sweep.run[2].failed = sweep.run[6].failed = true;
  CHECK_OK(sweep_admitted(&sweep, admitted, &known));
  const size_t alone[4] = {2, 1, 1, 1};
  for (size_t p = 0; p < 4; p++)
    assert_int_equal(admitted[p], alone[p]);
  sweep_close(&sweep);
  CHECK_OK(sweep_open(&plan, false, &sweep)); /* as it was written */
  assert_true(sweep.run[3].failed && sweep.run[7].scored == 1);
  CHECK_NEAR(sweep.run[1].rung[0].score, .9, 0);
  assert_true(isnan(sweep.run[1].rung[0].low));
  SweepRow *row;
  CHECK_OK(sweep_rank(&sweep, &row));
  assert_int_equal(row[0].point, 1);
  CHECK_NEAR(row[0].score.mean, .5, 1e-15);
  CHECK_NEAR(row[0].worst, .1, 0);
  assert_int_equal(row[3].point, 3);
  assert_true(row[3].dropped && row[3].failed == 1 && row[3].score.count == 1);
  free(row);
  sweep_close(&sweep);
  sweep_plan_free(&plan);
}

/* A program in the place of agon or of a launcher: a script of the shell. */
static void write_program(char *path, size_t size, const char *name, const char *script) {
  char text[1000];
  snprintf(path, size, "%s/%s", folder, name);
  snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
  CHECK_OK(file_write_whole(path, text, strlen(text)));
  assert_int_equal(chmod(path, 0755), 0);
}

/* A run that cannot be read is not taken for one that was stopped at its beginning. */
static void what_cannot_be_read_has_failed(void **state) {
  (void)state;
  SweepPlan plan;
  Sweep sweep;
  char agon[400];
  char path[400];
  char *log;
  read_plan("sweep: {base: tic_tac_toe, seeds: 1, tries: 3}\nset: {frames: 100k}\n", &plan);
  write_program(agon, sizeof agon, "agon",
                "while [ $# -gt 1 ]; do [ \"$1\" = --run-dir ] && run=$2; shift; done\n"
                "echo begun; mkdir -p \"$run/checkpoints\"; echo rubbish > \"$run/checkpoints/000001.h5\"");
  CHECK_OK(sweep_open(&plan, true, &sweep));
  CHECK_OK(sweep_work(&sweep, &(SweepJobs){.program = agon}));
  assert_true(sweep.run[0].failed);
  assert_non_null(strstr(sweep.run[0].error, "how far it is cannot be told"));
  assert_non_null(strstr(sweep.run[0].error, "000001.h5"));
  snprintf(path, sizeof path, "%s/logs/c01-s1.txt", folder);
  CHECK_OK(file_read(path, &log, NULL));
  assert_string_equal(log, "begun\n"); /* once: what is there is for people to look at */
  free(log);
  sweep_close(&sweep);
  sweep_plan_free(&plan);
}

/* Launchers lie in folders with spaces, and {ranks} may stand anywhere. */
static void launchers(void **state) {
  (void)state;
  SweepPlan plan;
  Sweep sweep;
  char path[400];
  char text[1000];
  char *said;
  snprintf(path, sizeof path, "%s/a b", folder);
  CHECK_OK(file_make_folders(path));
  write_program(path, sizeof path, "a b/mpirun",
                "printf '<%s>' \"$1\" \"$2\" \"$3\" > \"${0%/*}/said\"; exit 2");
  snprintf(text, sizeof text,
           "sweep: {base: tic_tac_toe, seeds: 1, ranks: 3, launch: \"'%s' --map {ranks}:{ranks} -n{ranks}\"}\n", path);
  read_plan(text, &plan);
  CHECK_OK(sweep_open(&plan, true, &sweep));
  CHECK_OK(sweep_work(&sweep, &(SweepJobs){.program = "agon"}));
  assert_true(sweep.run[0].failed);
  snprintf(path, sizeof path, "%s/a b/said", folder);
  CHECK_OK(file_read(path, &said, NULL));
  assert_string_equal(said, "<--map><3:3><-n3>");
  free(said);
  sweep_close(&sweep);
  sweep_plan_free(&plan);
  static const char *const bad[] = {"mpirun '-n 3", " "};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    snprintf(path, sizeof path, "%s/bad.yaml", folder);
    snprintf(text, sizeof text, "sweep: {base: tic_tac_toe, ranks: 3, launch: \"%s\"}\n", bad[i]);
    CHECK_OK(file_write_whole(path, text, strlen(text)));
    assert_int_equal(sweep_plan_read(path, NULL, 0, folder, &plan), ERR_USAGE);
    assert_non_null(strstr(status_message(), "sweep.launch"));
    sweep_plan_free(&plan);
  }
}

/* A run whose launcher hangs is killed with what the launcher has put into other groups. */
static void late_runs_are_killed_whole(void **state) {
  (void)state;
  SweepPlan plan;
  Sweep sweep;
  char path[400];
  char text[1000];
  char *said;
  write_program(path, sizeof path, "mpirun", "setsid sh -c 'echo $$ > \"${0%/*}/rank\"; sleep 1000' \"$0\" & wait");
  snprintf(text, sizeof text, "sweep: {base: tic_tac_toe, ranks: 2, limit: 2, tries: 1, launch: \"%s\"}\n", path);
  read_plan(text, &plan);
  CHECK_OK(sweep_open(&plan, true, &sweep));
  CHECK_OK(sweep_work(&sweep, &(SweepJobs){.program = "agon"}));
  assert_string_equal(sweep.run[0].error, "killed after sweep.limit, 2 s");
  snprintf(path, sizeof path, "%s/rank", folder);
  CHECK_OK(file_read(path, &said, NULL));
  const pid_t rank = (pid_t)atoi(said);
  assert_true(rank > 1);
  for (int i = 0; i < 1000 && !kill(rank, 0); i++)
    usleep(10000);
  assert_true(kill(rank, 0) && errno == ESRCH);
  free(said);
  sweep_close(&sweep);
  sweep_plan_free(&plan);
}

static int new_folder(void **state) {
  (void)state;
  folder_make(folder);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(grids_are_nested_loops, new_folder),
      cmocka_unit_test_setup(draws_have_their_distributions, new_folder),
      cmocka_unit_test_setup(rungs, new_folder),
      cmocka_unit_test_setup(who_goes_on, new_folder),
      cmocka_unit_test_setup(what_cannot_be_read_has_failed, new_folder),
      cmocka_unit_test_setup(launchers, new_folder),
      cmocka_unit_test_setup(late_runs_are_killed_whole, new_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
