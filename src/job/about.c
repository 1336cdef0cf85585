#include "job/about.h"

#include <stdlib.h>

/* Where keys are gathered. */
typedef struct Gathering {
  const Config *config;
  MetricsSetting *setting;
  size_t settings;
  size_t room;
  Status status;
} Gathering;

static void gather(void *context, const char *key, const Option *option) {
  Gathering *all = context;
  const char *value = config_value(all->config, key);
  if (!value || all->status != OK) return;
  all->status = GROW(all->setting, all->room, all->settings + 1);
  if (all->status != OK) return;
  const bool number = option->type == OPT_INT || option->type == OPT_FLOAT;
  all->setting[all->settings++] = (MetricsSetting){
      .key = key,
      .value = value,
      .kind = number                     ? SETTING_NUMBER
              : option->type == OPT_BOOL ? SETTING_FLAG
                                         : SETTING_TEXT,
  };
}

Status about_create(const JobConfig *settings, MetricsAbout *out) {
  Gathering all = {.config = settings->config, .status = OK};
  char *text = NULL;
  *out = (MetricsAbout){0};
  config_each(settings->config, gather, &all);
  Status status = all.status;
  if (status == OK) status = job_config_text(settings, false, &text);
  *out = (MetricsAbout){all.setting, all.settings, text};
  if (status != OK) {
    free(text);
    out->text = NULL;
    about_free(out);
  }
  return status;
}

void about_free(MetricsAbout *about) {
  free((MetricsSetting *)about->setting);
  free((char *)about->text);
  *about = (MetricsAbout){0};
}
