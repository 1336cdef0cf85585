/* agon play: a person against a player, in the terminal. */
#include "base/file.h"
#include "base/text.h"
#include "cli/board.h"
#include "cli/terminal.h"
#include "eval/eval.h"
#include "eval/line.h"
#include "job/plugin.h"
#include "nn/kernels/openblas.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const Command command_play;

static const Flag play_flags[] = {
    {"--player", "P",
     "the opponent, or, where one team plays, who plays the other agents (default the first main "
     "of the "
     "run, else random)"},
    {"--seat", "S",
     "your team: 0 (first, default), 1, ..., or both to play all by hand; where one team plays the "
     "number of your agent, both for all of them, or none to watch"},
    {"--greedy", NULL, "the player takes its most probable action"},
    ACCEPT_ENV_FLAG,
    {"--seed", "S", "of chance and of the opponent (default: the clock)"},
};

enum { SEAT_ALL = -1, SEAT_NONE = -2 };
enum { LISTED = 16 /* actions whose names are told without being asked for */ };

/* One word of the game so far. */
typedef struct Played {
  char word[ACTION_WORD];
  bool mine; /* typed by the person */
} Played;

/* A game between a person and a player. It borrows position, agent and weight, and owns what was
 * played. */
typedef struct Session {
  Position *position;
  Agent *agent;
  AgonRng start; /* of the env, as the game began */
  AgonRng rng;
  double *weight;     /* (choices) scratch */
  AgonAction *action; /* (heads) scratch */
  int seat;           /* team of the person, or, where one team plays, their agent; SEAT_* */
  bool ended;         /* the person has left */
  bool shown;         /* the position, to the person, since the last step */
  bool unicode;
  Played *played;
  size_t count;
  size_t room;
} Session;

/* Plays a word and remembers it for `undo`. ERR_USAGE, with the position as it was, where it is no
 * legal move. */
static Status play_word(Session *session, const char *word, bool mine) {
  TRY_RETURN(position_play(session->position, word));
  TRY_RETURN(GROW(session->played, session->room, session->count + 1));
  Played *played = &session->played[session->count++];
  played->mine = mine;
  return text_format(played->word, sizeof played->word, "%s", word);
}

/* Takes the person's last word back, with all that came after it, by playing the game anew up to
 * there. What chance and the opponent do from there on they draw anew. */
static Status undo(Session *session) {
  size_t last = session->count;
  while (last > 0 && !session->played[last - 1].mine)
    last--;
  if (last == 0) {
    printf("  there is nothing of yours to take back\n");
    return OK;
  }
  session->count = last - 1;
  agent_forget(session->agent);
  TRY_RETURN(position_reset(session->position, session->start));
  for (size_t i = 0; i < session->count; i++)
    TRY_RETURN(position_play(session->position, session->played[i].word));
  return OK;
}

/* Whether one team plays: nobody wins, and the team has a return. */
static bool is_alone(const Session *session) {
  return session->position->env->spec.teams == 1;
}

/* Whether the person moves this agent. */
static bool is_person(const Session *session, uint32_t agent) {
  if (session->seat == SEAT_ALL) return true;
  if (is_alone(session)) return session->seat == (int)agent;
  return session->position->env->spec.team_of[agent] == session->seat;
}

/* The words that the agent may play now, head by head; for numbers of a box their range. Where
 * there are very many, only the first ones, unless `all`. */
static void list_actions(const Position *position, uint32_t agent, bool all) {
  const Env *env = position->env;
  uint8_t *mask = position->mask;
  char name[64];
  if (env->layout.action_kind == AGON_BOX) {
    char range[200];
    printf(" %u number%s, %s", env->layout.heads, env->layout.heads == 1 ? "" : "s joined by '/'",
           position_range_text(env, agent, range, sizeof range));
    return;
  }
  env_mask(env, position->episode, agent, mask);
  for (uint32_t h = 0, at = 0; h < env->layout.heads; at += env->layout.head_size[h++]) {
    uint32_t legal = 0;
    if (h) printf(" /");
    for (uint32_t i = 0; i < env->layout.head_size[h]; i++) {
      legal += mask[at + i];
      if (mask[at + i] && (all || legal <= LISTED))
        printf(" %s", position_action_text(env, h, i, name, sizeof name));
    }
    if (!all && legal > LISTED) printf(" ... (%u; l lists them)", legal);
  }
}

/* What the opponent thinks about the turn of one agent. */
static Status think(const Session *session, uint32_t agent, const Thought **out) {
  const Thought *thought;
  size_t count;
  AgentView view = position_view(session->position);
  TRY_RETURN(agent_look(session->agent, &view, &thought, &count));
  while (count > 1 && thought->agent != agent) {
    thought++;
    count--;
  }
  *out = thought;
  return OK;
}

/* What the opponent would do in the person's place, with probabilities from half a percent on. */
static Status hint(const Session *session, uint32_t agent) {
  const Env *env = session->position->env;
  const Thought *thought;
  char name[64];
  char word[ACTION_WORD];
  TRY_RETURN(think(session, agent, &thought));
  printf("  %s would", session->agent->who->label);
  if (!thought->row || env->layout.action_kind == AGON_BOX || env->layout.heads > 1) {
    printf(" play %s\n", action_word(env, thought->best, word));
    return OK;
  }
  printf(" (value %+.3f):", (double)thought->value);
  for (uint32_t i = 0; i < env->action_count; i++)
    if (thought->row[i] >= 0.005f)
      printf(" %s %.0f %%", position_action_text(env, 0, i, name, sizeof name),
             100 * (double)thought->row[i]);
  printf("\n");
  return OK;
}

/* Asks until there is a move, or the game is left, or a move was taken back. */
static Status ask(Session *session, uint32_t agent) {
  char line[ACTION_WORD + 2]; /* the longest word, and how it ends */
  char who[96];
  bool all = false;
  for (;;) {
    printf("you (%s):", board_agent_text(session->position->env, agent, who));
    list_actions(session->position, agent, all);
    all = false;
    printf("; ? = a hint, u = undo, q = quit > ");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) {
      printf("\n");
      session->ended = true;
      return OK;
    }
    line[strcspn(line, "\r\n")] = 0;
    if (!strcmp(line, "q")) {
      session->ended = true;
      return OK;
    }
    if (!strcmp(line, "u")) {
      session->shown = false;
      return undo(session);
    }
    if (!strcmp(line, "l")) {
      all = true;
      continue;
    }
    if (!strcmp(line, "?")) {
      TRY_RETURN(hint(session, agent));
      continue;
    }
    if (!*line) continue;
    if (strchr(line, ' ') || strlen(line) >= ACTION_WORD) {
      printf("  one word a move\n");
      continue;
    }
    if (play_word(session, line, true) == OK) return OK;
    printf("  %s\n", status_message());
  }
}

/* Draws an action as the opponent would. */
static Status choose(Session *session, uint32_t agent, AgonAction *out) {
  const Env *env = session->position->env;
  const AgonKind *layout = &env->layout;
  BuiltinPolicy *builtin = session->agent->who->policy.builtin;
  const Thought *thought;
  if (builtin) {
    uint8_t *mask = session->position->mask;
    env_mask(env, session->position->episode, agent, mask);
    builtin->greedy = session->agent->who->policy.greedy;
    builtin->ops->act(builtin, session->position->episode, agent, mask, &session->rng, out);
    return builtin->failed;
  }
  TRY_RETURN(think(session, agent, &thought));
  const float *row = thought->row;
  for (uint32_t h = 0; h < layout->heads; h++) {
    if (layout->action_kind == AGON_BOX) {
      float drawn = row[h] + thought->row[layout->heads + h] * (float)rng_normal(&session->rng);
      float low;
      float high;
      env_action_range(env, agent, h, &low, &high);
      out[h].value = fminf(fmaxf(drawn, low), high);
      continue;
    }
    for (uint32_t i = 0; i < layout->head_size[h]; i++)
      session->weight[i] = (double)row[i];
    out[h].choice = (int32_t)rng_pick(&session->rng, session->weight, layout->head_size[h]);
    row += layout->head_size[h];
  }
  return OK;
}

/* The opponent's move: drawn, told (unless moves are simultaneous) and played. */
static Status reply(Session *session, uint32_t agent) {
  const Env *env = session->position->env;
  AgonAction *action = session->action;
  char word[ACTION_WORD];
  char name[64];
  memset(action, 0, env->layout.heads * sizeof *action);
  TRY_RETURN(choose(session, agent, action));
  action_word(env, action, word);
  /* of simultaneous moves the person would see this one before their own */
  if (!(env->spec.flags & AGON_SIMULTANEOUS) || session->seat == SEAT_NONE)
    printf("%s (agent %u): %s\n", session->agent->who->label, agent,
           env->layout.action_kind == AGON_DISCRETE
               ? position_action_text(env, 0, (uint32_t)action[0].choice, name, sizeof name)
               : word);
  return play_word(session, word, false);
}

/* Of more than two teams: 1, this one alone has the highest outcome; 0, it shares it; -1. */
static int among_many(const float *outcome, uint32_t teams, int seat) {
  int standing = 1;
  for (uint32_t t = 0; t < teams; t++) {
    if ((int)t == seat) continue;
    if (outcome[t] > outcome[seat]) return -1;
    if (outcome[t] >= outcome[seat]) standing = 0;
  }
  return standing;
}

/* The last position, who won, and what each agent got; of one team what it earned. Who plays both
 * seats sees it from the first. */
static void show_end(const Session *session) {
  const Position *position = session->position;
  const Env *env = position->env;
  int seat = session->seat < 0 ? 0 : session->seat;
  char text[96];
  board_show(position, "  ", session->unicode);
  if (is_alone(session)) {
    board_show_gains(position, "  ");
    printf("%s; the team earned %s\n", position_status_text(position->status),
           board_returns_text(position, text, sizeof text));
    return;
  }
  const float *outcome = position_outcome(position);
  const int standing = env->spec.teams > 2 ? among_many(outcome, env->spec.teams, seat)
                                           : (outcome[seat] > 0.5f) - (outcome[seat] < 0.5f);
  printf("%s; returns", standing > 0 ? "you won" : standing < 0 ? "you lost" : "drawn");
  for (uint32_t a = 0; a < env->spec.agents; a++)
    printf(" %+g", position->returns[a]);
  printf("\n");
}

/* The position, once a step, before anybody's word: moves are simultaneous in many games, and a
 * person may not be the first to be asked. With one team what it got so far stands below. */
static void show_position(Session *session, uint32_t agent, bool hidden) {
  const Position *position = session->position;
  if (hidden)
    board_show_view(position, agent);
  else if (!session->shown)
    board_show(position, "  ", session->unicode);
  if (!session->shown && session->count > 0) board_show_gains(position, "  ");
  session->shown = true;
}

/* Who only watches goes from step to step; where nobody can be asked, to the end. */
static void wait_for_person(Session *session) {
  char line[256];
  printf("Enter = the next step, q = quit > ");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin))
    printf("\n");
  else
    session->ended = line[0] == 'q';
}

/* Chance, the person and the opponent in turn, until the game is over or left. With hidden
 * information the board would give the other side's secrets away: the person is shown only what
 * their agent observes. */
static Status play_game(Session *session) {
  Position *position = session->position;
  const Env *env = position->env;
  bool hidden = !(env->spec.flags & AGON_PERFECT_INFORMATION) && env->table->chance_outcomes;
  while (!session->ended && (position->status == AGON_RUNNING || position->status == AGON_CHANCE)) {
    uint32_t agent;
    if (position->status == AGON_CHANCE) {
      char word[16];
      uint32_t outcome;
      if (env_draw_chance(env, position->episode, &session->rng, &outcome) != AGON_CHANCE)
        return status_set(ERR_ENV, "env %s: %s", env->table->name, env_why(env));
      snprintf(word, sizeof word, "%u", outcome);
      TRY_RETURN(play_word(session, word, false));
      continue;
    }
    if (!position_actor(position, &agent))
      return status_set(ERR_ENV, "env %s: nobody acts", env->table->name);
    const bool person = is_person(session, agent);
    const bool watched = session->seat == SEAT_NONE && !position->waiting;
    session->shown &= position->waiting > 0;
    if (person || watched) show_position(session, agent, person && hidden);
    if (watched) wait_for_person(session);
    if (session->ended) break;
    TRY_RETURN(person ? ask(session, agent) : reply(session, agent));
  }
  if (!session->ended) show_end(session);
  return OK;
}

/* A player that always plays one side leaves the other to the person; by default that one. */
static Status check_side(const Contestant *who, bool asked, int *seat) {
  if (!who->side || *seat == SEAT_ALL || *seat == SEAT_NONE) return OK;
  if (!asked) *seat = 2 - (int)who->side;
  if (*seat == 2 - (int)who->side) return OK;
  return status_set(ERR_USAGE,
                    "%s always plays team %u (its league has league.sides=separate): yours is "
                    "--seat %u, or name a player of the other side",
                    who->label, who->side - 1, 2 - who->side);
}

/* What --seat says: the person's team, or where one team plays their agent; NULL: the first. */
static Status name_seat(const char *text, const Env *env, int *out) {
  const uint32_t agents = env->spec.agents;
  int64_t number;
  *out = 0;
  if (!text) return OK;
  if (!strcmp(text, "both") || !strcmp(text, "all")) {
    *out = SEAT_ALL;
    return OK;
  }
  if (env->spec.teams > 1) {
    const uint32_t teams = env->spec.teams;
    if (teams == 2 && strcmp(text, "0") && strcmp(text, "1"))
      return usage_error(&command_play, "--seat is 0, 1 or both");
    if (!text_to_int(text, &number) || number < 0 || number >= teams)
      return status_set(ERR_USAGE,
                        "--seat: %u teams play %s: the number of yours from 0 to %u, or both (for "
                        "all of them)",
                        teams, env->title, teams - 1);
    *out = (int)number;
    return OK;
  }
  if (!strcmp(text, "none")) {
    *out = SEAT_NONE;
    return OK;
  }
  if (!text_to_int(text, &number) || number < 0 || number >= agents)
    return status_set(ERR_USAGE,
                      "--seat: one team of %u agents plays %s: the number of yours from 0 to %u, "
                      "both (for all of them) or none (to watch)",
                      agents, env->table->name, agents - 1);
  *out = (int)number;
  return OK;
}

/* GAME RUN, RUN alone (then *game is NULL), or GAME with its options (then *run is NULL). */
static Status name_game(const Arguments *arguments, const char **game, const char **run) {
  const char *first = arguments->words ? arguments->word[0] : NULL;
  const char *second = arguments->words > 1 ? arguments->word[1] : NULL;
  if (!first) return usage_error(&command_play, "a run, or a game and a built-in player");
  *game = first;
  *run = second && !argument_is_pair(second) ? second : NULL;
  if (!*run && !env_is_builtin(first) && file_is_folder(first)) {
    *game = NULL;
    *run = first;
  }
  const size_t names = *game && *run ? 2 : 1;
  if (*run && arguments->words > names)
    return usage_error(
        &command_play,
        "behind a run come flags only: it has its game's options, and a player is named "
        "by --player");
  return OK;
}

/* Opens the game and the opponent and plays one game. The env starts from a stream of random
 * numbers of its own, which is kept, so that undoing a move begins the very same game again; chance
 * and the opponent draw from another. */
static Status run_play(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  const char *game = NULL;
  const char *from = NULL;
  char word[PATH_MAX + 64];
  RunView run = {.folder = {.lock = -1}};
  Env *own = NULL;
  const Env *env = NULL;
  Contestant who = {.net = NULL};
  Agent agent = {0};
  Session session = {.ended = false};
  Position position = {0};
  double *weight = NULL;
  AgonAction *action = NULL;
  long long seed;
  TRY(arguments_parse(&command_play, argc, argv, &arguments));
  plugins_accept(argument(&command_play, &arguments, "--accept-env") != NULL);
  TRY(argument_int(&command_play, &arguments, "--seed", (long long)time(NULL), 0, 1000000000000,
                   &seed));
  const char *player = argument(&command_play, &arguments, "--player");
  const char *seat = argument(&command_play, &arguments, "--seat");
  TRY(name_game(&arguments, &game, &from));
  gemm_set_threads(1);
  TRY(open_game(&command_play, &arguments, from ? NULL : game, from, 1, &run, &own, &env));
  if (from && game && strcmp(env->table->name, game))
    TRY(status_set(ERR_USAGE,
                   "%s is a run of %s, not of %s: agon play %s plays what it has learned", from,
                   env->table->name, game, text_quoted(from, word, sizeof word)));
  TRY(run_view_player(player ? player
                      : from ? league_first_main(&run.league)
                             : "random",
                      from ? &run : NULL, env, &who));
  who.policy.greedy = argument(&command_play, &arguments, "--greedy") != NULL;
  TRY(agent_create(&who, env, env->spec.agents, &agent));
  TRY(position_create(env, &position));
  position.stepping = position_show;
  position.context = &agent;
  TRY(NEW_ARRAY(weight, env->action_count));
  TRY(NEW_ARRAY(action, env->layout.heads));
  session = (Session){.position = &position,
                      .agent = &agent,
                      .start = rng_stream((uint64_t)seed, 0, 0, RNG_ENV),
                      .rng = rng_stream((uint64_t)seed, 0, 0, RNG_ACT),
                      .unicode = terminal_unicode(),
                      .weight = weight,
                      .action = action};
  TRY(name_seat(seat, env, &session.seat));
  TRY(check_side(&who, seat != NULL, &session.seat));
  TRY(position_reset(&position, session.start));
  TRY(play_game(&session));
done:
  free(session.played);
  free(weight);
  free(action);
  position_destroy(&position);
  agent_destroy(&agent);
  contestant_destroy(&who);
  env_destroy(own);
  run_view_close(&run);
  return status;
}

const Command command_play = {
    "play",
    "[GAME] RUN [--player P] [--seat N] | GAME [env.OPTION=VALUE ...] --player "
    "random|minimax|...",
    "you against a player, in the terminal; where one team plays, with it",
    "Where more than two teams play, the player has all but yours. "
    "Where one team plays you are one of its agents (--seat N), and the player is all others; "
    "--seat none watches it play.\nYou type the word of a move: boards show which. 'u' takes your "
    "last move back, '?' says what "
    "the player would do "
    "in "
    "your place.\nBoards are drawn in Unicode where the locale is UTF-8 (LC_ALL, LC_CTYPE, LANG), "
    "else in ASCII.",
    play_flags,
    COUNT_OF(play_flags),
    run_play,
};
