#include "env/stages.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(Stages, field)
#define LIST "curriculum.stages"

const Option stages_options[] = {
    {"measure", OPT_TEXT, AT(measure), "return", 0, 0, NULL, "",
     "what promotion goes by, of the training episodes of a stage: return (of the player at home, "
     "as returns are told; agents that take no part in a stage are in its mean) or the name of one "
     "of the env's metrics"},
    {"promote_at", OPT_FLOAT, AT(promote_at), "1e18", -OPTION_NO_LIMIT, OPTION_NO_LIMIT, NULL, "",
     "the next stage begins when the measure is at least this; a stage may have its own "
     "(stages[0].promote_at); 1e18 = never"},
    {"frames", OPT_INT, AT(frames), "0", 0, OPTION_NO_LIMIT, NULL, "frames",
     "at the latest after so many frames of the run the next stage begins; a stage may have its "
     "own; 0 = no limit"},
    {"episodes", OPT_INT, AT(episodes), "200", 1, 1e9, NULL, "episodes",
     "that began and ended in the stage are averaged at a time"},
};
const size_t stages_option_count = COUNT_OF(stages_options);

const char *stages_text(const Stages *stages, size_t stage) {
  return stage < stages->count ? stages->stage[stage].text : "the task itself";
}

Status stages_declare(Config *config) {
  return config_declare_assigned(config, LIST);
}

/* --- reading --- */
/* Who reads the keys of all stages, one after another. */
typedef struct Reading {
  Stages *stages;
  const Env *env;
  const Config *config;
  bool given[STAGES_MOST];                       /* something of the stage */
  bool promotes[STAGES_MOST], ends[STAGES_MOST]; /* promote_at, frames */
  bool knob[STAGES_MOST][AGON_MAX_KNOBS];
  Status status; /* of the first key that is wrong */
} Reading;

static Status refuse(const Reading *reading, const char *key, const char *why) {
  return status_set(ERR_USAGE, "%s: %s: '%s' %s", config_origin(reading->config, key), key,
                    config_value(reading->config, key), why);
}

static Status read_number(const Reading *reading, const char *key, double low, double high,
                          double *out) {
  char why[96];
  if (!text_to_float(config_value(reading->config, key), out))
    return refuse(reading, key, "is not a number");
  if (*out >= low && *out <= high) return OK;
  snprintf(why, sizeof why, "is outside %g .. %g", low, high);
  return refuse(reading, key, why);
}

/* ERR_USAGE lists what a stage can say. */
static Status unknown_name(const Reading *reading, const char *key, const char *name) {
  const AgonEnvSpec *spec = &reading->env->spec;
  char names[400] = "";
  size_t used = 0;
  for (uint32_t k = 0; k < spec->knobs && used < sizeof names; k++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", spec->knob_names[k]);
  return status_set(
      ERR_USAGE, "%s: %s: %s has no knob '%s'; a stage may say %spromote_at and frames",
      config_origin(reading->config, key), key, reading->env->table->name, name, names);
}

/* A key of one stage, by what stands behind "stages[3].". */
static Status read_key(Reading *reading, const char *key, size_t s, const char *name) {
  const AgonEnvSpec *spec = &reading->env->spec;
  Stages *stages = reading->stages;
  double value;
  reading->given[s] = true;
  if (!strcmp(name, "promote_at")) {
    reading->promotes[s] = true;
    return read_number(reading, key, -OPTION_NO_LIMIT, OPTION_NO_LIMIT,
                       &stages->stage[s].promote_at);
  }
  if (!strcmp(name, "frames")) {
    TRY_RETURN(read_number(reading, key, 0, OPTION_NO_LIMIT, &value));
    reading->ends[s] = true;
    stages->stage[s].frames = (int64_t)value;
    return OK;
  }
  for (uint32_t k = 0; k < spec->knobs; k++) {
    if (strcmp(name, spec->knob_names[k])) continue;
    const double low = (double)spec->knob_low[k];
    const double high = (double)spec->knob_high[k];
    TRY_RETURN(read_number(reading, key, low, high, &value));
    stages->stage[s].knob[k] = (float)value;
    reading->knob[s][k] = true;
    return OK;
  }
  return unknown_name(reading, key, name);
}

/* Called for every key that there is. */
static void visit(void *context, const char *key, const Option *option) {
  Reading *reading = context;
  const size_t head = strlen(LIST "[");
  char *end;
  (void)option;
  if (reading->status != OK || strncmp(key, LIST "[", head)) return;
  const unsigned long stage = strtoul(key + head, &end, 10);
  if (end == key + head || end[0] != ']' || end[1] != '.')
    reading->status = refuse(reading, key, "is no stage: they are a list of '- {KNOB: VALUE}'");
  else if (stage >= STAGES_MOST)
    reading->status = refuse(reading, key, "is of a stage after the 16th, which is the last");
  else
    reading->status = read_key(reading, key, stage, end + 2);
}

/* A knob that a stage does not say has its value of the task itself. */
static Status settle_knobs(const Reading *reading, size_t s) {
  const AgonEnvSpec *spec = &reading->env->spec;
  Stages *stages = reading->stages;
  char *text = stages->stage[s].text;
  size_t used = 0;
  for (uint32_t k = 0; k < spec->knobs; k++) {
    if (!reading->knob[s][k] && !spec->knob_plain)
      return status_set(ERR_USAGE,
                        LIST "[%zu] does not say '%s', and %s does not tell what that is in the "
                             "task itself: give a value",
                        s, spec->knob_names[k], reading->env->table->name);
    if (!reading->knob[s][k]) stages->stage[s].knob[k] = spec->knob_plain[k];
    if (!reading->knob[s][k] || used >= STAGE_TEXT) continue;
    used += (size_t)snprintf(text + used, STAGE_TEXT - used, "%s%s=%g", used ? " " : "",
                             spec->knob_names[k], (double)stages->stage[s].knob[k]);
  }
  return OK;
}

/* A stage that neither a measure nor a number of frames ends would never end. */
static Status settle_end(const Reading *reading, size_t s) {
  Stages *stages = reading->stages;
  if (!reading->promotes[s]) stages->stage[s].promote_at = stages->promote_at;
  if (!reading->ends[s]) stages->stage[s].frames = stages->frames;
  if (stages->stage[s].promote_at < OPTION_NO_LIMIT || stages->stage[s].frames > 0) return OK;
  return status_set(ERR_USAGE,
                    LIST "[%zu] never ends: give it, or section curriculum for all, promote_at "
                         "(of the measure) or frames",
                    s);
}

/* Which of the env's metrics the measure is; ERR_USAGE lists them. */
static Status find_measure(const Reading *reading) {
  const Env *env = reading->env;
  Stages *stages = reading->stages;
  char names[400] = "";
  size_t used = 0;
  stages->metric = -1;
  if (!strcmp(stages->measure, "return")) return OK;
  for (uint32_t m = 0; m < env->spec.metrics; m++) {
    const char *name = env->table->metric_names[m];
    if (!strcmp(stages->measure, name)) {
      stages->metric = (int)m;
      return OK;
    }
    if (used < sizeof names)
      used += (size_t)snprintf(names + used, sizeof names - used, ", %s", name);
  }
  return status_set(ERR_USAGE, "%s: curriculum.measure: %s has no metric '%s': choose return%s",
                    config_origin(reading->config, "curriculum.measure"), env->table->name,
                    stages->measure, names);
}

Status stages_read(Stages *stages, const Env *env, const Config *config) {
  Reading reading = {.stages = stages, .env = env, .config = config};
  config_each(config, visit, &reading);
  TRY_RETURN(reading.status);
  for (size_t s = 0; s < STAGES_MOST; s++)
    if (reading.given[s]) stages->count = s + 1;
  if (!stages->count) return OK;
  if (!env->spec.knobs)
    return status_set(ERR_USAGE,
                      LIST ": %s has no knobs (agon/env.h, reset_with), so that there are no "
                           "stages of it",
                      env->table->name);
  TRY_RETURN(find_measure(&reading));
  for (size_t s = 0; s < stages->count; s++) {
    if (!reading.given[s])
      return status_set(ERR_USAGE, LIST "[%zu] is missing: stages are counted from 0", s);
    TRY_RETURN(settle_knobs(&reading, s));
    TRY_RETURN(settle_end(&reading, s));
  }
  return OK;
}
