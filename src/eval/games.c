#include "eval/games.h"

#include "base/file.h"
#include "base/invariant.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST (INT64_C(1) << 53) /* games: sums of so many never wrap */
enum {
  COLUMNS = 26,
  TEAMS = 25,
  OTHER_SQUARES = 24,
  OTHER_RETURNS = 23,
  BUILD = 22,
  PAIR_SQUARES = 21,
  FEWER = 21 /* of files that do not have those yet */
};
static const char header[] =
    "env,greedy,openings,seed,a,b,first_pair,first_wins,first_draws,first_losses,second_wins,"
    "second_draws,second_losses,pairs_0,pairs_1,pairs_2,pairs_3,pairs_4,return_sum,"
    "return_squares,pairs,pair_squares,build,b_return_sum,b_return_squares,teams\n";
/* What all headers begin with, of however old a program. */
enum { LAST_COLUMNS = sizeof ",pair_squares,build,b_return_sum,b_return_squares,teams\n" - 1 };

/* The struct is then empty and can be used again. */
void games_free(Games *games) {
  free(games->name);
  free(games->meeting);
  free(games->bucket);
  *games = (Games){0};
}

/* Fields of players are few; they are looked through. */
Status games_player(Games *games, const char *name, uint32_t *id) {
  for (size_t i = 0; i < games->players; i++)
    if (!strcmp(games->name[i], name)) {
      *id = (uint32_t)i;
      return OK;
    }
  TRY_RETURN(GROW(games->name, games->player_room, games->players + 1));
  TRY_RETURN(text_format(games->name[games->players], GAMES_NAME, "%s", name));
  *id = (uint32_t)games->players++;
  return OK;
}

/* Where in the hash table the meeting of a and b is, or would go: open addressing, from a product
 * of both numbers on. The number of buckets is a power of two, and at most half of them are
 * taken. */
static size_t place(const Games *games, uint32_t a, uint32_t b) {
  size_t at = ((uint64_t)a * 0x9E3779B97F4A7C15ull ^ (uint64_t)b * 0xC2B2AE3D27D4EB4Full) >> 20 &
              (games->buckets - 1);
  for (; games->bucket[at]; at = (at + 1) & (games->buckets - 1)) {
    const Meeting *meeting = &games->meeting[games->bucket[at] - 1];
    if (meeting->a == a && meeting->b == b) break;
  }
  return at;
}

/* Doubles the table and puts every meeting in anew. */
static Status rehash(Games *games) {
  size_t room = games->buckets ? games->buckets * 2 : 64;
  uint32_t *fresh;
  TRY_RETURN(NEW_ARRAY(fresh, room));
  free(games->bucket);
  games->bucket = fresh;
  games->buckets = room;
  for (size_t i = 0; i < games->meetings; i++)
    games->bucket[place(games, games->meeting[i].a, games->meeting[i].b)] = (uint32_t)i + 1;
  return OK;
}

/* NULL if the two never met. */
const Meeting *games_find(const Games *games, uint32_t a, uint32_t b) {
  if (!games->buckets) return NULL;
  uint32_t found = games->bucket[place(games, a, b)];
  return found ? &games->meeting[found - 1] : NULL;
}

/* *out is valid only until the next meeting is added. */
Status games_meeting(Games *games, uint32_t a, uint32_t b, Meeting **out) {
  if (games->meetings * 2 >= games->buckets) TRY_RETURN(rehash(games));
  size_t at = place(games, a, b);
  if (!games->bucket[at]) {
    TRY_RETURN(GROW(games->meeting, games->meeting_room, games->meetings + 1));
    games->meeting[games->meetings] = (Meeting){.a = a, .b = b};
    games->bucket[at] = (uint32_t)++games->meetings;
  }
  *out = &games->meeting[games->bucket[at] - 1];
  return OK;
}

/* Games come in pairs with swapped seats, so that there are half as many. */
static uint64_t pairs_of(const MatchTally *tally) {
  return (uint64_t)tally_games(tally->seat) / 2;
}

/* A meeting is kept once, with a < b: a batch the other way round is turned. */
Status games_add(Games *games, uint32_t a, uint32_t b, uint64_t first, const MatchTally *tally) {
  Meeting *meeting;
  const MatchTally add = a < b ? *tally : match_tally_turned(tally);
  TRY_RETURN(games_meeting(games, a < b ? a : b, a < b ? b : a, &meeting));
  match_tally_add(&meeting->tally, &add);
  if (first + pairs_of(tally) > meeting->next) meeting->next = first + pairs_of(tally);
  return OK;
}

/* --- the file --- */
/* Splits one line of CSV in place; quoted fields lose their quotes. Returns how many fields there
 * were, at most COLUMNS. */
static size_t split(char *line, char *field[COLUMNS]) {
  size_t count = 0;
  for (char *at = line; count < COLUMNS;) {
    char *to = at;
    field[count++] = at;
    bool quoted = *at == '"';
    char *from = at + quoted;
    for (; *from && (quoted || *from != ','); from++) {
      if (quoted && *from == '"') {
        if (from[1] != '"') {
          quoted = false;
          continue;
        }
        from++;
      }
      *to++ = *from;
    }
    bool more = *from == ',';
    at = from + 1;
    *to = 0;
    if (!more) break;
  }
  return count;
}

/* The file does not tell the seats' returns apart: each has its share by its games. */
static double share_of(const MatchTally *tally, int seat) {
  const double games = tally_games(tally->seat);
  return games > 0 ? tally->seat[seat].games / games : 0;
}

/* The twelve counts and the sums of one line. The two seats' returns are stored together and shared
 * out here. false if anything is no number, negative, or does not add up. */
static bool parse_counts(char *const field[COLUMNS], uint64_t *first, MatchTally *out) {
  double number[12];
  for (int i = 0; i < 12; i++) {
    int64_t value;
    if (!text_to_int(field[6 + i], &value) || value < 0 || value > MOST) return false;
    number[i] = (double)value;
  }
  double returns, squares;
  if (!text_to_float(field[18], &returns) || !text_to_float(field[19], &squares)) return false;
  if (!isfinite(returns) || !isfinite(squares) || squares < 0) return false;
  *first = (uint64_t)number[0];
  for (int s = 0; s < 2; s++) {
    const double *n = number + 1 + 3 * s;
    out->seat[s] = (Tally){
        .games = n[0] + n[1] + n[2],
        .wins = n[0],
        .draws = n[1],
        .losses = n[2],
    };
  }
  for (int s = 0; s < 2; s++) {
    out->seat[s].returns = returns * share_of(out, s);
    out->seat[s].squares = squares * share_of(out, s);
  }
  for (int k = 0; k < 5; k++)
    out->pairs.count[k] = number[7 + k];
  return match_tally_is_whole(out);
}

/* "6", or "0-6" where the number is drawn for each pair. */
static void put_openings(const GameTerms *terms, char out[16]) {
  snprintf(out, 16, terms->vary ? "0-%u" : "%u", terms->openings);
}

/* Whether a line was played under these terms. */
static bool wanted(char *const field[COLUMNS], const GameTerms *terms) {
  int64_t seed = -1;
  char openings[16];
  put_openings(terms, openings);
  text_to_int(field[3], &seed);
  return !strcmp(field[0], terms->env) && !strcmp(field[1], terms->greedy ? "1" : "0") &&
         !strcmp(field[2], openings) &&
         (terms->seed == GAMES_ANY_SEED || seed == (int64_t)terms->seed);
}

/* A word of the list must be the whole build. */
bool games_build_in(const char *build, const char *list) {
  const size_t length = strlen(build);
  for (const char *at = list ? list : ""; *at; at += strspn(at, " ")) {
    const size_t word = strcspn(at, " ");
    if (word == length && !strncmp(at, build, length)) return true;
    at += word;
  }
  return false;
}

/* What stands behind the slash in "HASH/VERSION", or "" where a build names no version of its
 * rules. */
static const char *version_of(const char *build) {
  const char *slash = strchr(build, '/');
  return slash ? slash + 1 : "";
}

/* "", HASH, HASH/VERSION or /VERSION, with a version of at least 1. */
bool games_build_good(const char *build) {
  char hash[HASH_TEXT];
  int64_t version;
  const char *slash = strchr(build, '/');
  if (slash && (!text_to_int(slash + 1, &version) || version < 1 || version > UINT32_MAX))
    return false;
  const size_t size = slash ? (size_t)(slash - build) : strlen(build);
  if (size >= sizeof hash) return false;
  snprintf(hash, sizeof hash, "%.*s", (int)size, build);
  return !*hash ? slash || !*build : hash_text_good(hash);
}

/* With a version the version alone decides: a build that only runs faster keeps its rules. */
bool games_same_rules(const char *a, const char *b) {
  if (strcmp(version_of(a), version_of(b))) return false;
  return *version_of(a) || !strcmp(a, b);
}

/* Whether a line may be taken for games by the same rules. One of a plug-in's games that does not
 * say by which build they were played comes from an older program, and is. */
static bool same_rules(const char *build, const GameTerms *terms) {
  const bool plugin = *terms->build && *terms->build != '/';
  return terms->any_build || (plugin && !*build) || games_same_rules(build, terms->build) ||
         games_build_in(build, terms->accepted);
}

/* Notes the build of the first line that names one; a second one is an error. */
static Status check_one_build(const char *build, bool any_build, Games *games, const char *env) {
  if (any_build || !*build || (*games->other_build && games_same_rules(build, games->other_build)))
    return OK;
  if (*games->other_build)
    return status_set(ERR_USAGE,
                      "games of '%.60s' by two builds of its plug-in (XXH3 %.12s and %.12s), whose "
                      "rules may differ: --accept-env takes them for the same",
                      env, games->other_build, build);
  return text_format(games->other_build, sizeof games->other_build, "%s", build);
}

/* What to read of a file: the games of some terms, or (terms NULL) all of one env. */
typedef struct Wanted {
  const GameTerms *terms;
  const char *only;
  char *env; /* [512], out; NULL with terms */
  bool any_build;
} Wanted;

/* What b earned, as the sums of both seats. */
static Status parse_other(char *const field[COLUMNS], MatchTally *tally) {
  double returns, squares;
  const Tally all = tally_both(tally->seat);
  if (!text_to_float(field[OTHER_RETURNS], &returns) ||
      !text_to_float(field[OTHER_SQUARES], &squares) || !isfinite(returns) || !isfinite(squares) ||
      squares < 0)
    return status_set(ERR_FORMAT, "'%.40s' and '%.40s' are no sums of b's returns",
                      field[OTHER_RETURNS], field[OTHER_SQUARES]);
  for (int s = 0; s < SEATS; s++) {
    tally->welfare[s] = (returns + all.returns) * share_of(tally, s);
    tally->more_squares[s] = (squares - all.squares) * share_of(tally, s);
  }
  return OK;
}

/* Takes a line apart into `field`, and its numbers. *build is "" where the line names none. Files
 * of older programs lack the last columns: pair_squares is then -1, for unknown, b's returns are
 * taken for the negative of a's, and *teams is 0. */
static Status parse_line(char *line, char *field[COLUMNS], uint64_t *first, MatchTally *tally,
                         const char **build, int64_t *teams) {
  size_t columns = split(line, field);
  if (columns < FEWER || !parse_counts(field, first, tally))
    return status_set(ERR_FORMAT, "not a line of %d columns of games", COLUMNS);
  if (columns <= PAIR_SQUARES)
    tally->pair_squares = -1;
  else if (!text_to_float(field[PAIR_SQUARES], &tally->pair_squares) ||
           !isfinite(tally->pair_squares))
    return status_set(ERR_FORMAT, "'%.40s' is no sum of squares", field[PAIR_SQUARES]);
  *build = columns > BUILD ? field[BUILD] : "";
  *teams = 0;
  tally->half_told = columns <= OTHER_SQUARES;
  if (!tally->half_told) TRY_RETURN(parse_other(field, tally));
  if (columns > TEAMS && (!text_to_int(field[TEAMS], teams) || *teams < 2))
    return status_set(ERR_FORMAT, "'%.40s' is no number of teams", field[TEAMS]);
  if (!games_build_good(*build))
    return status_set(ERR_FORMAT, "'%.40s' is no build of a plug-in", *build);
  return OK;
}

/* Counts one line if it is wanted; lines by another build of the plug-in are only counted as left
 * out. */
static Status take_line(char *line, const Wanted *want, Games *games) {
  const GameTerms *terms = want->terms;
  const char *only = want->only;
  const char *build = "";
  char *env = want->env;
  char *field[COLUMNS];
  uint64_t first = 0;
  uint32_t a, b;
  MatchTally tally = {0};
  int64_t teams = 0;
  TRY_RETURN(parse_line(line, field, &first, &tally, &build, &teams));
  if (terms && !wanted(field, terms)) return OK;
  if (terms && !same_rules(build, terms)) {
    games->other_lines++;
    return text_format(games->other_build, sizeof games->other_build, "%s", build);
  }
  if (only && strcmp(only, field[0])) return OK;
  if (env && *env && strcmp(env, field[0]))
    return status_set(ERR_USAGE, "games of several envs (%.60s and %.60s); name one with --env",
                      env, field[0]);
  if (env) TRY_RETURN(text_format(env, 512, "%s", field[0]));
  if (!terms) TRY_RETURN(check_one_build(build, want->any_build, games, field[0]));
  TRY_RETURN(games_player(games, field[4], &a));
  TRY_RETURN(games_player(games, field[5], &b));
  if (a == b) return status_set(ERR_FORMAT, "a player against itself");
  if (teams > (int64_t)games->teams) games->teams = (uint32_t)teams;
  return games_add(games, a, b, first, &tally);
}

/* A last line without an end was never finished, and is not looked at. */
static Status read_file(const char *path, const Wanted *want, Games *games) {
  Status status = OK;
  char *text = NULL;
  size_t size, number = 0;
  if (want->env) *want->env = 0;
  if (!file_exists(path)) return OK;
  TRY(file_read(path, &text, &size));
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    number++;
    if (number == 1) {
      if (strncmp(line, header, sizeof header - 1 - LAST_COLUMNS))
        TRY(status_set(ERR_FORMAT, "%s is no table of games (its first line is not their header)",
                       path));
      continue;
    }
    status = take_line(line, want, games);
    if (status != OK) TRY(status_context(status, "%s, line %zu", path, number));
  }
done:
  free(text);
  return status;
}

Status games_read(const char *path, const GameTerms *terms, Games *games) {
  return read_file(path, &(Wanted){.terms = terms}, games);
}

Status games_read_env(const char *path, const char *only, bool any_build, Games *games, char *env) {
  return read_file(path, &(Wanted){.only = only, .env = env, .any_build = any_build}, games);
}

/* A text as CSV, quoted if it must be, with the comma behind it. Line breaks become spaces: a line
 * is a batch. */
static void put_field(Bytes *line, const char *text) {
  bool quote = strpbrk(text, ",\"\n") != NULL;
  if (quote) bytes_u8(line, '"');
  for (; *text; text++) {
    if (*text == '"') bytes_u8(line, '"');
    bytes_u8(line, (uint8_t)(*text == '\n' ? ' ' : *text));
  }
  if (quote) bytes_u8(line, '"');
  bytes_u8(line, ',');
}

/* Cuts the file behind its last whole line: a job that was killed in a write leaves a line without
 * an end. *size becomes what is left. */
static Status drop_torn_line(int fd, const char *path, off_t *size) {
  char part[4096];
  off_t from = *size, keep = -1;
  ssize_t got = 0;
  while (from > 0 && keep < 0) {
    size_t want = from < (off_t)sizeof part ? (size_t)from : sizeof part;
    from -= (off_t)want;
    got = pread(fd, part, want, from);
    if (got != (ssize_t)want)
      return status_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
    const char *end = memrchr(part, '\n', want);
    if (end) keep = from + (end - part) + 1;
  }
  if (keep < 0) keep = 0;
  if (keep < *size && ftruncate(fd, keep))
    return status_set(ERR_IO, "cannot append to %s: %s", path, strerror(errno));
  *size = keep;
  return OK;
}

/* How many columns the file's header has: all, or as many as an older program knew. */
static size_t columns_of(int fd) {
  char first[sizeof header] = "";
  size_t columns = 1;
  if (pread(fd, first, sizeof header - 1, 0) <= 0) return COLUMNS;
  const size_t size = strcspn(first, "\n");
  if (strncmp(first, header, size)) return COLUMNS;
  for (size_t i = 0; i < size; i++)
    columns += first[i] == ',';
  return columns;
}

/* How many columns of a line say something that a reader would not think by itself: that b earned
 * the negative of what a did, of two teams, without a plug-in. */
static size_t columns_needed(const GameTerms *terms, const MatchTally *tally) {
  bool general = terms->teams > SEATS;
  for (int s = 0; s < SEATS; s++)
    general |= tally->welfare[s] != 0 || tally->more_squares[s] != 0;
  return general ? COLUMNS : *terms->build ? BUILD + 1 : PAIR_SQUARES + 1;
}

/* Takes the last columns off a line, down to `columns`. */
static void cut_columns(Bytes *line, size_t columns) {
  for (size_t have = COLUMNS; have > columns; have--) {
    while (line->data[line->size - 1] != ',')
      line->size--;
    line->size--;
  }
  if (columns < COLUMNS) bytes_u8(line, '\n');
}

/* The columns of `header`, in its order. */
static void put_batch(Bytes *line, const GameTerms *terms, const char *a, const char *b,
                      uint64_t first, const MatchTally *tally) {
  char rest[600], openings[16];
  const Tally *s = tally->seat;
  const Tally other = tally_both(match_tally_turned(tally).seat);
  const double *p = tally->pairs.count;
  put_field(line, terms->env);
  put_openings(terms, openings);
  snprintf(rest, sizeof rest, "%d,%s,%" PRIu64 ",", terms->greedy, openings, terms->seed);
  bytes_put(line, rest, strlen(rest));
  put_field(line, a);
  put_field(line, b);
  snprintf(rest, sizeof rest,
           "%" PRIu64 ",%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.9g,%.9g,%" PRIu64
           ",%.9g,%s,%.9g,%.9g,%u\n",
           first, s[0].wins, s[0].draws, s[0].losses, s[1].wins, s[1].draws, s[1].losses, p[0],
           p[1], p[2], p[3], p[4], s[0].returns + s[1].returns, s[0].squares + s[1].squares,
           pairs_of(tally), tally->pair_squares, terms->build, other.returns, other.squares,
           terms->teams ? terms->teams : SEATS);
  bytes_put(line, rest, strlen(rest));
}

/* The line goes out by one write to a file that is open for appending, so that several jobs may
 * append at once. */
Status games_append(const char *path, const GameTerms *terms, const char *a, const char *b,
                    uint64_t first, const MatchTally *tally) {
  Bytes line = {0};
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT, 0666);
  if (fd < 0) return status_set(ERR_IO, "cannot append to %s: %s", path, strerror(errno));
  off_t size = lseek(fd, 0, SEEK_END);
  Status status = drop_torn_line(fd, path, &size);
  if (status != OK) {
    close(fd);
    return status;
  }
  if (size == 0) bytes_put(&line, header, strlen(header));
  put_batch(&line, terms, a, b, first, tally);
  /* Others read the file as a table: a line has no more fields than its header, if nothing is lost
   * by that. */
  if (size > 0 && !line.failed) {
    const size_t wanted = columns_of(fd);
    const size_t needed = columns_needed(terms, tally);
    cut_columns(&line, wanted > needed ? wanted : needed);
  }
  bool good = !line.failed && write(fd, line.data, line.size) == (ssize_t)line.size;
  if (!good) status = status_set(ERR_IO, "cannot append to %s: %s", path, strerror(errno));
  if (close(fd) && good)
    status = status_set(ERR_IO, "cannot append to %s: %s", path, strerror(errno));
  bytes_free(&line);
  return status;
}

/* --- as games between players --- */

/* Each seat counts the same, however many games it has. */
static double mean_of_seats(const Tally seat[SEATS]) {
  double sum = 0, seats = 0;
  for (int s = 0; s < 2; s++)
    if (seat[s].games) {
      sum += seat[s].returns / seat[s].games;
      seats++;
    }
  return sum / seats;
}

/* The same of what both earned together. */
static double mean_welfare(const MatchTally *tally) {
  double sum = 0, seats = 0;
  for (int s = 0; s < SEATS; s++)
    if (tally->seat[s].games > 0) {
      sum += tally->welfare[s] / tally->seat[s].games;
      seats++;
    }
  return sum / seats;
}

GameSums games_sums(const Games *games, const unsigned char *in) {
  GameSums out = {.low = INFINITY, .high = -INFINITY};
  double largest = 0;
  for (size_t i = 0; i < games->meetings; i++) {
    const Meeting *m = &games->meeting[i];
    if (tally_games(m->tally.seat) <= 0 || (in && (!in[m->a] || !in[m->b]))) continue;
    const double welfare = mean_welfare(&m->tally);
    out.low = fmin(out.low, welfare);
    out.high = fmax(out.high, welfare);
    out.half_told |= m->tally.half_told;
    largest = fmax(largest, fabs(mean_of_seats(m->tally.seat)));
  }
  if (out.low > out.high) return (GameSums){0};
  /* files have nine digits */
  out.general = out.high - out.low > 1e-6 * fmax(largest, fmax(fabs(out.low), fabs(out.high)));
  return out;
}

/* Against itself a player has the score 0.5, and the return 0, which is so where what one earns the
 * other loses. */
Status games_matrix(const Games *games, bool returns, double missing, double **out) {
  size_t n = games->players;
  TRY_RETURN(NEW_ARRAY(*out, n * n + 1));
  for (size_t i = 0; i < n * n; i++)
    (*out)[i] = i % (n + 1) == 0 ? (returns ? 0 : 0.5) : missing;
  for (size_t i = 0; i < games->meetings; i++) {
    const Meeting *m = &games->meeting[i];
    const Tally *seat = m->tally.seat;
    if (tally_games(seat) <= 0) continue;
    double mean = returns ? mean_of_seats(seat) : meta_meeting_score(m);
    (*out)[m->a * n + m->b] = mean;
    (*out)[m->b * n + m->a] = returns ? mean_welfare(&m->tally) - mean : 1 - mean;
  }
  return OK;
}
