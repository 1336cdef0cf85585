/* Stages of a curriculum: what their keys may say, when one follows another, what a checkpoint keeps
 * of it, and that training lanes alone play them. */
#include "check.h"

#include "env/stages.h"
#include "job/config.h"
#include "league/curriculum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- keys --- */
static Status configure(const char *yaml, JobConfig **out) {
  const JobConfigSource source = {.stored = yaml};
  return job_config_create(&source, out);
}

#define GAME "game: skirmish\nenv: {units: 4, enemy: scripted}\n"

static void stages_are_read(void **state) {
  (void)state;
  JobConfig *s;
  CHECK_OK(configure(GAME "curriculum:\n"
                          "  measure: won\n"
                          "  promote_at: 0.75\n"
                          "  frames: 2M\n"
                          "  stages:\n"
                          "    - {units: 2}\n"
                          "    - {units: 3, promote_at: 0.5, frames: 0}\n"
                          "    - {frames: 10k}\n",
                     &s));
  const Stages *stages = &s->stages;
  assert_int_equal(stages->count, 3);
  assert_string_equal(s->env->table->metric_names[stages->metric], "won");
  CHECK_NEAR(stages->stage[0].knob[0], 2, 0);
  CHECK_NEAR(stages->stage[1].knob[0], 3, 0);
  CHECK_NEAR(stages->stage[2].knob[0], 4, 0); /* as in the task itself */
  CHECK_NEAR(stages->stage[0].promote_at, 0.75, 0);
  CHECK_NEAR(stages->stage[1].promote_at, 0.5, 0);
  assert_int_equal(stages->stage[0].frames, 2000000);
  assert_int_equal(stages->stage[1].frames, 0);
  assert_int_equal(stages->stage[2].frames, 10000);
  assert_string_equal(stages_text(stages, 1), "units=3");
  assert_string_equal(stages_text(stages, 3), "the task itself");
  /* what a run keeps of them is read as the same */
  char *text;
  JobConfig *again;
  CHECK_OK(job_config_text(s, true, &text));
  CHECK_OK(configure(text, &again));
  assert_int_equal(again->stages.count, 3);
  assert_memory_equal(again->stages.stage, stages->stage, sizeof stages->stage);
  free(text);
  job_config_destroy(again);
  job_config_destroy(s);
}

static void no_stages_are_no_curriculum(void **state) {
  (void)state;
  JobConfig *s;
  CHECK_OK(configure(GAME "curriculum: {promote_at: 0.5}\n", &s));
  assert_int_equal(s->stages.count, 0);
  job_config_destroy(s);
}

static void bad_stages_are_refused(void **state) {
  (void)state;
  static const char *const bad[][2] = {
      {GAME "curriculum: {promote_at: 1, stages: [{unit: 2}]}", "skirmish has no knob 'unit'; a stage may say units"},
      {GAME "curriculum: {promote_at: 1, stages: [{units: 5}]}", "'5' is outside 1 .. 4"},
      {GAME "curriculum: {promote_at: 1, stages: [{units: two}]}", "'two' is not a number"},
      {GAME "curriculum: {promote_at: 1, stages: [{units: 2, frames: -1}]}", "'-1' is outside 0 .."},
      {GAME "curriculum: {stages: [{units: 2}]}", "curriculum.stages[0] never ends"},
      {GAME "curriculum: {promote_at: 1, measure: wins, stages: [{units: 2}]}",
       "no metric 'wins': choose return, length, damage_team_0, damage_team_1, won"},
      {GAME "curriculum: {promote_at: 1, stages: [2, 3]}", "unknown key 'curriculum.stages'"},
      {GAME "curriculum: {promote_at: 1, 'stages[16].units': 2}", "after the 16th"},
      {GAME "curriculum: {promote_at: 1, 'stages[1].units': 2}", "curriculum.stages[0] is missing"},
      {GAME "curriculum: {promote_at: 1, 'stages[x].units': 2}", "is no stage"},
      {"game: tic_tac_toe\ncurriculum: {promote_at: 1, stages: [{frames: 2}]}", "tic_tac_toe has no knobs"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    JobConfig *s;
    assert_int_equal(configure(bad[i][0], &s), ERR_USAGE);
    if (!strstr(status_message(), bad[i][1])) fail_msg("'%s' does not say '%s'", status_message(), bad[i][1]);
  }
}

/* --- when --- */
static const CurriculumRule rule = {.stage = {{0.8, 0, "two"}, {1e18, 5000, "three"}, {0.9, 4000, "four"}},
                                    .stages = 3,
                                    .episodes = 10,
                                    .factor = 2,
                                    .measure = "return"};

/* So many episodes of a stage, each worth `value`. */
static void played(Curriculum *curriculum, uint32_t stage, uint64_t episodes, double value) {
  const Results results = {.stage = stage, .staged = episodes, .staged_sum = (double)episodes * value};
  curriculum_count(curriculum, &results);
}

static void a_stage_ends_by_its_measure_or_its_frames(void **state) {
  (void)state;
  Curriculum c;
  curriculum_create(&rule, &c);
  assert_string_equal(curriculum_text(&c), "two");
  played(&c, 0, 9, 1);
  assert_false(curriculum_advance(&c, 100)); /* too few to say */
  assert_true(isnan(c.measured));
  played(&c, 1, 5, 1); /* of another stage */
  assert_false(curriculum_advance(&c, 200));
  played(&c, 0, 1, -6);
  assert_false(curriculum_advance(&c, 300)); /* 2 * (9 - 6) / 10 */
  CHECK_NEAR(c.measured, 0.6, 1e-12);
  played(&c, 0, 10, 0.4);
  assert_true(curriculum_advance(&c, 400)); /* exactly .8, and what came before is forgotten */
  assert_int_equal(c.stage, 1);
  assert_int_equal(c.began[1], 400);
  assert_true(isnan(c.measured));
  played(&c, 0, 50, 9); /* ends of episodes that began before */
  played(&c, 1, 50, 9); /* by no measure */
  assert_false(curriculum_advance(&c, 5399));
  assert_true(curriculum_advance(&c, 5400));
  assert_string_equal(curriculum_text(&c), "four");
  assert_true(curriculum_advance(&c, 20000)); /* late, and yet one stage at a time */
  assert_string_equal(curriculum_text(&c), "the task itself");
  played(&c, 3, 100, 9);
  assert_false(curriculum_advance(&c, 100000));
  assert_int_equal(c.stage, 3);
  assert_int_equal(c.episodes, 0);
}

/* --- what is kept --- */
static void the_stage_is_kept(void **state) {
  (void)state;
  Tree tree = {0};
  Curriculum c, read;
  curriculum_create(&rule, &c);
  played(&c, 0, 10, 0.5);
  assert_true(curriculum_advance(&c, 700));
  played(&c, 1, 12, 0.125);
  assert_false(curriculum_advance(&c, 800));
  played(&c, 1, 3, 0.125);
  CHECK_OK(curriculum_save(&c, &tree));
  curriculum_create(&rule, &read);
  CHECK_OK(curriculum_load(&read, &tree, 900));
  assert_int_equal(read.stage, 1);
  assert_int_equal(read.episodes, 3);
  CHECK_NEAR(read.sum, 0.375, 0);
  CHECK_NEAR(read.measured, 0.25, 0);
  assert_memory_equal(read.began, c.began, sizeof c.began);
  /* a rule whose stages are over may not be taken away */
  CurriculumRule shorter = rule;
  shorter.stages = 0;
  curriculum_create(&shorter, &read);
  CHECK_OK(curriculum_load(&read, &tree, 900)); /* no curriculum from here on */
  c.stage = 2;
  tree_free(&tree);
  CHECK_OK(curriculum_save(&c, &tree));
  shorter.stages = 1;
  curriculum_create(&shorter, &read);
  assert_int_equal(curriculum_load(&read, &tree, 900), ERR_USAGE);
  assert_non_null(strstr(status_message(), "may not be taken away"));
  tree_free(&tree);
  /* a number that no stage has */
  c.stage = 17;
  CHECK_OK(curriculum_save(&c, &tree));
  curriculum_create(&rule, &read);
  assert_int_equal(curriculum_load(&read, &tree, 900), ERR_FORMAT);
  tree_free(&tree);
  /* a run without one begins it, from where it stands */
  curriculum_create(&rule, &read);
  CHECK_OK(curriculum_load(&read, &tree, 900));
  assert_int_equal(read.stage, 0);
  assert_int_equal(read.began[0], 900);
  /* stages that come behind those that are over begin now, too */
  shorter.stages = 2;
  curriculum_create(&shorter, &c);
  c.stage = 2;
  c.began[2] = 300;
  CHECK_OK(curriculum_save(&c, &tree));
  CHECK_OK(curriculum_load(&read, &tree, 900));
  assert_int_equal(read.stage, 2);
  assert_int_equal(read.began[2], 900);
  assert_false(curriculum_advance(&read, 900 + 3999));
  assert_true(curriculum_advance(&read, 900 + 4000));
  tree_free(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stages_are_read),
      cmocka_unit_test(no_stages_are_no_curriculum),
      cmocka_unit_test(bad_stages_are_refused),
      cmocka_unit_test(a_stage_ends_by_its_measure_or_its_frames),
      cmocka_unit_test(the_stage_is_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
