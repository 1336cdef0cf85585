/* TensorBoard event files: tb/league for the job, tb/PLAYER for each learning player, so that
 * players lie over one another in the same charts. Tags are CleanRL's where it has them. A file is
 * a row of records (length, masked CRC-32C of it, an Event message, masked CRC-32C of that); Events
 * are protocol buffers of a few fields, written by hand. A resumed job begins with SessionLog START
 * at its step: what lies beyond it in older files is void. */
#include "metrics/sink.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WRITERS = 80, VARINT = 0, FIXED64 = 1, DELIMITED = 2, FIXED32 = 5 };

/* An event file: that of one player, or "league" for the job's own numbers. */
typedef struct Writer {
  char name[64];
  FILE *file;
} Writer;

/* The state of this sink. Files are opened when their first number comes. */
typedef struct TensorBoard {
  char folder[4096];
  MetricsStart start;
  Writer writer[WRITERS];
  size_t writers;
} TensorBoard;

/* --- protocol buffers --- */

/* Seven bits a byte, lowest first; the top bit says that more follow. */
static void put_varint(Bytes *out, uint64_t value) {
  for (; value > 127; value >>= 7)
    bytes_u8(out, (uint8_t)(value | 128));
  bytes_u8(out, (uint8_t)value);
}

/* Each field begins with its number and how it is written. */
static void put_tag(Bytes *out, uint32_t field, uint32_t type) {
  put_varint(out, field << 3 | type);
}

/* A field that holds bytes: a text or another message. */
static void put_block(Bytes *out, uint32_t field, const void *data, size_t size) {
  put_tag(out, field, DELIMITED);
  put_varint(out, size);
  bytes_put(out, data, size);
}

/* Every Event begins with the time of day, in seconds, and the global step. */
static void begin_event(Bytes *out, int64_t step) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  put_tag(out, 1, FIXED64); /* Event.wall_time */
  bytes_f64(out, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
  put_tag(out, 2, VARINT); /* Event.step */
  put_varint(out, (uint64_t)step);
}

/* Summary.value: tag and simple_value */
static void put_value(Bytes *summary, const char *tag, double value) {
  Bytes item = {0};
  float number = (float)value;
  put_block(&item, 1, tag, strlen(tag));
  put_tag(&item, 2, FIXED32);
  bytes_put(&item, &number, sizeof number);
  put_block(summary, 1, item.data, item.size);
  summary->failed |= item.failed;
  bytes_free(&item);
}

/* --- records --- */

/* The format stores checksums rotated and with an offset, as a checksum over data that holds
 * checksums is weak. */
static uint32_t masked_crc(const void *data, size_t size) {
  uint32_t crc = crc32c(data, size);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* Appends one record, laid out as the top of this file says, and empties `event`, on failure
 * too. */
static Status write_event(const TensorBoard *tb, Writer *writer, Bytes *event) {
  Bytes frame = {0};
  bytes_u64(&frame, event->size);
  bytes_u32(&frame, masked_crc(frame.data, 8));
  bytes_put(&frame, event->data, event->size);
  bytes_u32(&frame, masked_crc(event->data, event->size));
  bool good = !frame.failed && !event->failed &&
              fwrite(frame.data, 1, frame.size, writer->file) == frame.size;
  bytes_free(&frame);
  bytes_free(event);
  return good ? OK
              : status_set(ERR_IO, "cannot write to %s/%s: %s", tb->folder, writer->name,
                           strerror(errno));
}

/* The names of files sort by the second in which they began; readers find out by SessionLog which
 * parts of older files a resumed job has taken back. */
static Status open_writer(TensorBoard *tb, Writer *writer) {
  static const char version[] = "brain.Event:2";
  char folder[4200], path[4600], host[256] = "host";
  Bytes event = {0};
  gethostname(host, sizeof host - 1);
  TRY_RETURN(text_format(folder, sizeof folder, "%s/%s", tb->folder, writer->name));
  TRY_RETURN(file_make_folders(folder));
  TRY_RETURN(text_format(path, sizeof path, "%s/events.out.tfevents.%010lld.%s.%d.agon", folder,
                         (long long)time(NULL), host, (int)getpid()));
  writer->file = fopen(path, "ab");
  if (!writer->file) return status_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
  begin_event(&event, 0);
  put_block(&event, 3, version, sizeof version - 1); /* Event.file_version */
  TRY_RETURN(write_event(tb, writer, &event));
  if (!tb->start.resumed) return OK;
  const uint8_t start[] = {1 << 3 | VARINT, 1}; /* SessionLog.status = START */
  begin_event(&event, (int64_t)tb->start.step);
  put_block(&event, 7, start, sizeof start); /* Event.session_log */
  return write_event(tb, writer, &event);
}

/* The open file of the group name[0..size-1]; *out is NULL where there are too many or the name is
 * too long: the other sinks have those numbers. */
static Status find_writer(TensorBoard *tb, const char *name, size_t size, Writer **out) {
  for (size_t i = 0; i < tb->writers; i++)
    if (strlen(tb->writer[i].name) == size && !strncmp(tb->writer[i].name, name, size)) {
      *out = &tb->writer[i];
      return OK;
    }
  *out = NULL;
  if (tb->writers == WRITERS || size >= sizeof tb->writer[0].name)
    return OK; /* the other sinks have it */
  Writer *writer = &tb->writer[tb->writers];
  memcpy(writer->name, name, size);
  const Status status = open_writer(tb, writer);
  if (status != OK && writer->file)
    fclose(writer->file); /* it is opened again with the next number */
  if (status != OK) writer->file = NULL;
  TRY_RETURN(status);
  tb->writers++;
  *out = writer;
  return OK;
}

/* The tag of a player's number: CleanRL's where it has the same number, so that charts of both lie
 * over one another; otherwise its own name, under "player/" unless it names a group. */
static void tag_of(const char *name, char *out, size_t size) {
  static const char *const known[][2] = {{"policy_loss", "losses/policy_loss"},
                                         {"value_loss", "losses/value_loss"},
                                         {"entropy", "losses/entropy"},
                                         {"approx_kl", "losses/approx_kl"},
                                         {"clipped", "losses/clipfrac"},
                                         {"gradient_norm", "losses/gradient_norm"},
                                         {"kl_reference", "losses/kl_reference"},
                                         {"learning_rate", "charts/learning_rate"},
                                         {"mean_return", "charts/episodic_return"}};
  for (size_t i = 0; i < COUNT_OF(known); i++)
    if (!strcmp(name, known[i][0])) {
      snprintf(out, size, "%s", known[i][1]);
      return;
    }
  snprintf(out, size, "%s%s", strchr(name, '/') ? "" : "player/", name);
}

/* One Event for each group: the first number of a group takes the others with it. */
static Status tensorboard_write(void *self, const Record *record) {
  TensorBoard *tb = self;
  int64_t step = (int64_t)record_get(record, "global_step");
  bool done[COUNT_OF(record->metric)] = {false};
  for (size_t i = 0; i < record->count; i++) {
    size_t player = metric_player(record->metric[i].name);
    const char *general = tb->start.general ? tb->start.general : "league";
    const char *group = player ? record->metric[i].name : general;
    size_t size = player ? player : strlen(group);
    Bytes summary = {0}, event = {0};
    Writer *writer;
    if (done[i]) continue;
    TRY_RETURN(find_writer(tb, group, size, &writer));
    for (size_t j = i; j < record->count; j++) { /* all of this player at once */
      const char *name = record->metric[j].name;
      char tag[96];
      if (metric_player(name) != player || (player && strncmp(name, group, player))) continue;
      done[j] = true;
      if (player)
        tag_of(name + player + 1, tag, sizeof tag);
      else
        snprintf(tag, sizeof tag, "%s%s", strchr(name, '/') ? "" : "charts/", name);
      put_value(&summary, tag, record->metric[j].value);
    }
    if (!writer) {
      bytes_free(&summary);
      continue;
    }
    begin_event(&event, step);
    put_block(&event, 5, summary.data, summary.size); /* Event.summary */
    event.failed |= summary.failed;
    bytes_free(&summary);
    TRY_RETURN(write_event(tb, writer, &event));
    if (fflush(writer->file))
      return status_set(ERR_IO, "cannot write to %s/%s: %s", tb->folder, writer->name,
                        strerror(errno));
  }
  return OK;
}

/* Files come with the first number of their group. */
static Status tensorboard_open(void *self, const char *folder, const MetricsStart *start) {
  TensorBoard *tb = self;
  tb->start = *start;
  return text_format(tb->folder, sizeof tb->folder, "%s/tb", folder);
}

static void tensorboard_close(void *self) {
  TensorBoard *tb = self;
  for (size_t i = 0; i < tb->writers; i++)
    if (tb->writer[i].file) fclose(tb->writer[i].file);
}

const SinkOps sink_tensorboard = {"tensorboard", sizeof(TensorBoard), tensorboard_open,
                                  tensorboard_write, tensorboard_close};
