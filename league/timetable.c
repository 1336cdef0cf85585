#include "league/timetable.h"

#include <stdio.h>
#include <stdlib.h>

struct Timetable {
  size_t period;
  Table current;  /* the last computed */
  Table place[2]; /* by tick: copies, with the tick's own cut in their flags */
  bool renew;
};

/* period: players of the league for each tick that a table is used for. On failure nothing is
 * left. */
Status timetable_create(size_t period, Timetable **out) {
  TRY_RETURN(NEW_ARRAY(*out, 1));
  (*out)->period = period;
  return OK;
}

void timetable_destroy(Timetable *timetable) {
  if (!timetable) return;
  table_free(&timetable->current);
  table_free(&timetable->place[0]);
  table_free(&timetable->place[1]);
  free(timetable);
}

void timetable_renew(Timetable *timetable) {
  timetable->renew = true;
}

/* The more players there are, the dearer a table is, and the rarer it is made anew. */
bool timetable_due(const Timetable *timetable, const League *league, uint64_t tick) {
  if (timetable->renew || !timetable->current.homes) return true;
  return tick % (league->players / timetable->period + 1) == 0;
}

Table *timetable_current(Timetable *timetable) {
  return &timetable->current;
}

/* Two places, by even and odd ticks, since a table for the tick after this one is published while
 * this one's is in use. *out is borrowed; the caller sets its flags. */
Status timetable_place(Timetable *timetable, uint64_t tick, Table **out) {
  Table *place = &timetable->place[tick & 1];
  timetable->renew = false;
  TRY_RETURN(table_copy(place, &timetable->current));
  place->tick = tick;
  place->flags = 0;
  *out = place;
  return OK;
}

const Table *timetable_at(const Timetable *timetable, uint64_t tick) {
  return &timetable->place[tick & 1];
}

/* A table is kept without its cut: by when the job resumes, that has been made. */
static void encode_plain(const Table *table, Bytes *out) {
  Table plain = *table;
  plain.flags = 0;
  table_encode(&plain, out);
}

/* The table in force and, if one has been published `ahead`, that one too: a resumed run goes on by
 * exactly those. */
Status timetable_encode(const Timetable *timetable, uint64_t tick, uint64_t ahead, Bytes *out) {
  bytes_u32(out, timetable->renew);
  encode_plain(&timetable->current, out);
  bytes_u32(out, (uint32_t)ahead);
  if (ahead) encode_plain(timetable_at(timetable, tick), out);
  return out->failed ? status_set(ERR_MEMORY, "out of memory keeping tables") : OK;
}

/* ERR_FORMAT also for a table of players that there are not. */
static Status decode_table(Table *table, const League *league, Reader *reader) {
  TRY_RETURN(table_decode(table, reader));
  return table_check(table, league->learning, league->players);
}

static Status decode_tables(Timetable *timetable, const League *league, Reader *reader) {
  Status status = OK;
  Table table = {0};
  timetable->renew = reader_u32(reader) != 0;
  TRY(decode_table(&table, league, reader));
  TRY(table_copy(&timetable->current, &table));
  uint32_t more = reader_u32(reader);
  if (more > 1) TRY(status_set(ERR_FORMAT, "there are too many tables"));
  if (more) {
    TRY(decode_table(&table, league, reader));
    TRY(table_copy(&timetable->place[table.tick & 1], &table));
  }
  TRY(reader_finish(reader, "the last table"));
done:
  table_free(&table);
  return status;
}

/* ERR_FORMAT: says which dataset is damaged and why. */
Status timetable_load(Timetable *timetable, const League *league, const Tree *checkpoint) {
  const Item *item;
  char why[256];
  TRY_RETURN(tree_get(checkpoint, "run/next_tables", STORE_U8, -1, &item));
  if (item->count == 0) return OK; /* the league was changed: the tables are made anew */
  Reader reader = reader_over(item->data, item->count);
  if (decode_tables(timetable, league, &reader) == OK) return OK;
  snprintf(why, sizeof why, "%s", status_message());
  return tree_fault(checkpoint, item->path, -1, "is damaged: %s", why);
}
