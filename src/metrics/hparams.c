#include "metrics/hparams.h"

#include "base/proto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* TensorBoard's numbers: of its DataType, of the plug-in's Status. */
enum { TYPE_FLOAT = 1, TYPE_STRING = 7, STATUS_SUCCESS = 1 };

/* Summary.Value: a tag, whose plug-in has it and what that knows, and a tensor. `tensor` and
 * `content` are empty then. */
static void put_item(Bytes *summary, const char *tag, const char *plugin, Bytes *content,
                     Bytes *tensor) {
  Bytes item = {0};
  Bytes metadata = {0};
  Bytes data = {0};
  proto_text(&data, 1, plugin);       /* PluginData.plugin_name */
  proto_message(&data, 2, content);   /* PluginData.content */
  proto_message(&metadata, 1, &data); /* SummaryMetadata.plugin_data */
  proto_text(&item, 1, tag);          /* Value.tag */
  proto_message(&item, 9, &metadata); /* Value.metadata */
  proto_message(&item, 8, tensor);    /* Value.tensor */
  proto_message(summary, 1, &item);   /* Summary.value */
}

/* A key's value as google.protobuf.Value. A number that cannot be read as one (a time of day, say)
 * is told as text. */
static void put_setting(Bytes *hparams, const MetricsSetting *setting) {
  Bytes value = {0};
  Bytes entry = {0};
  char *end = NULL;
  const double number = setting->kind == SETTING_NUMBER ? strtod(setting->value, &end) : 0;
  if (end && end != setting->value && !*end && isfinite(number))
    proto_f64(&value, 2, number); /* number_value */
  else if (setting->kind == SETTING_FLAG)
    proto_int(&value, 4, !strcmp(setting->value, "true")); /* bool_value */
  else
    proto_text(&value, 3, setting->value); /* string_value */
  proto_text(&entry, 1, setting->key);
  proto_message(&entry, 2, &value);
  proto_message(hparams, 1, &entry); /* SessionStartInfo.hparams */
}

/* HParamsPluginData around one of its kinds of message; the plug-in has no tensor of its own. */
static void put_hparams(Bytes *summary, const char *tag, uint32_t field, Bytes *message) {
  Bytes content = {0};
  Bytes tensor = {0};
  Bytes shape = {0};
  Bytes dimension = {0};
  proto_message(&content, field, message);
  proto_int(&tensor, 1, TYPE_FLOAT);
  proto_int(&dimension, 1, 0);
  proto_message(&shape, 2, &dimension);
  proto_message(&tensor, 2, &shape); /* (0) numbers */
  put_item(summary, tag, "hparams", &content, &tensor);
}

void hparams_put_start(Bytes *summary, const MetricsAbout *about, double seconds) {
  Bytes start = {0};
  for (size_t i = 0; i < about->settings; i++)
    put_setting(&start, &about->setting[i]);
  proto_f64(&start, 5, seconds); /* SessionStartInfo.start_time_secs */
  put_hparams(summary, "_hparams_/session_start_info", 3, &start);
}

void hparams_put_end(Bytes *summary, double seconds) {
  Bytes end = {0};
  proto_int(&end, 1, STATUS_SUCCESS);
  proto_f64(&end, 2, seconds); /* SessionEndInfo.end_time_secs */
  put_hparams(summary, "_hparams_/session_end_info", 4, &end);
}

/* Markdown: four blanks before a line keep it as it is. */
void hparams_put_text(Bytes *summary, const MetricsAbout *about) {
  Bytes text = {0};
  Bytes tensor = {0};
  Bytes shape = {0};
  Bytes content = {0};
  for (const char *at = about->text; *at;) {
    const size_t size = strcspn(at, "\n");
    bytes_put(&text, "    ", 4);
    bytes_put(&text, at, size);
    bytes_put(&text, "\n", 1);
    at += size + (at[size] == '\n');
  }
  proto_int(&tensor, 1, TYPE_STRING);
  proto_message(&tensor, 2, &shape); /* a single text */
  proto_message(&tensor, 8, &text);  /* TensorProto.string_val */
  put_item(summary, "configuration", "text", &content, &tensor);
}
