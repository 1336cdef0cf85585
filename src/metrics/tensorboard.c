/* TensorBoard event files: tb/league for the job, tb/PLAYER for each learning player, so that
 * players lie over one another in the same charts; tags are those of names.h. The configuration is
 * in a file of tb itself, as text and as hyper-parameters (hparams.h): what lies below that folder
 * is what they are compared by. A file is a row of records (length, masked CRC-32C of it, an Event
 * message, masked CRC-32C of that). A resumed job begins with SessionLog START at its step: what
 * lies beyond it in older files is void. */
#include "metrics/hparams.h"
#include "metrics/names.h"
#include "metrics/sink.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/proto.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WRITERS = 80 };

/* An event file: that of one player, "league" for the job's own numbers, or "." for what they are
 * of. */
typedef struct Writer {
  char name[64];
  FILE *file;
} Writer;

/* The state of this sink. Files are opened when their first number comes. */
typedef struct TensorBoard {
  char folder[4096];
  MetricsStart start;
  Writer about; /* no file: nothing is told */
  Writer writer[WRITERS];
  size_t writers;
} TensorBoard;

/* Seconds since 1970. */
static double time_of_day(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Every Event begins with the time of day and the global step. */
static void begin_event(Bytes *out, int64_t step) {
  proto_f64(out, 1, time_of_day());  /* Event.wall_time */
  proto_int(out, 2, (uint64_t)step); /* Event.step */
}

/* Summary.value: tag and simple_value */
static void put_value(Bytes *summary, const char *tag, double value) {
  Bytes item = {0};
  proto_text(&item, 1, tag);
  proto_f32(&item, 2, (float)value);
  proto_message(summary, 1, &item);
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

static Status flush(const TensorBoard *tb, const Writer *writer) {
  if (!fflush(writer->file)) return OK;
  return status_set(ERR_IO, "cannot write to %s/%s: %s", tb->folder, writer->name, strerror(errno));
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
  proto_text(&event, 3, version); /* Event.file_version */
  TRY_RETURN(write_event(tb, writer, &event));
  if (!tb->start.resumed) return OK;
  Bytes start = {0};
  proto_int(&start, 1, 1); /* SessionLog.status = START */
  begin_event(&event, (int64_t)tb->start.step);
  proto_message(&event, 7, &start); /* Event.session_log */
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
      metric_tag(name, tag, sizeof tag);
      put_value(&summary, tag, record->metric[j].value);
    }
    if (!writer) {
      bytes_free(&summary);
      continue;
    }
    begin_event(&event, step);
    proto_message(&event, 5, &summary); /* Event.summary */
    TRY_RETURN(write_event(tb, writer, &event));
    TRY_RETURN(flush(tb, writer));
  }
  return OK;
}

/* An Event with a summary of the job as a whole. `summary` is empty then, on failure too. */
static Status tell(TensorBoard *tb, Bytes *summary) {
  Bytes event = {0};
  begin_event(&event, (int64_t)tb->start.step);
  proto_message(&event, 5, summary); /* Event.summary */
  TRY_RETURN(write_event(tb, &tb->about, &event));
  return flush(tb, &tb->about);
}

/* Files come with the first number of their group; what the numbers are of is told at once. */
static Status tensorboard_open(void *self, const char *folder, const MetricsStart *start) {
  TensorBoard *tb = self;
  Bytes summary = {0};
  tb->start = *start;
  tb->start.about = NULL; /* it is not kept */
  TRY_RETURN(text_format(tb->folder, sizeof tb->folder, "%s/tb", folder));
  if (!start->about) return OK;
  tb->about = (Writer){.name = "."};
  TRY_RETURN(open_writer(tb, &tb->about));
  hparams_put_text(&summary, start->about);
  hparams_put_start(&summary, start->about, time_of_day());
  return tell(tb, &summary);
}

/* Where it is missing the job was broken off, or goes on. */
static Status tensorboard_end(void *self) {
  TensorBoard *tb = self;
  Bytes summary = {0};
  if (!tb->about.file) return OK;
  hparams_put_end(&summary, time_of_day());
  return tell(tb, &summary);
}

static void tensorboard_close(void *self) {
  TensorBoard *tb = self;
  if (tb->about.file) fclose(tb->about.file);
  for (size_t i = 0; i < tb->writers; i++)
    if (tb->writer[i].file) fclose(tb->writer[i].file);
}

const SinkOps sink_tensorboard = {.name = "tensorboard",
                                  .size = sizeof(TensorBoard),
                                  .open = tensorboard_open,
                                  .write = tensorboard_write,
                                  .end = tensorboard_end,
                                  .close = tensorboard_close};
