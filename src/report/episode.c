/* One episode of the first main in pictures: what it does, beside how well. */
#include "report/report.h"

#include "eval/exhibit.h"
#include "eval/picture.h"
#include "eval/solo.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAMES = 6, WIDTH = 51 /* of the particles' map, which just fits */ };

/* Which positions of an episode are drawn: so many, as far apart as they can be, the first and the
 * last among them. */
typedef struct Film {
  Report *report;
  uint32_t steps; /* of the whole episode; 0 while they are only counted */
  uint32_t drawn;
} Film;

/* The step of a frame. */
static uint32_t step_of(const Film *film, uint32_t frame) {
  const uint32_t most = film->steps < FRAMES - 1 ? film->steps : FRAMES - 1;
  return most ? (uint32_t)((uint64_t)film->steps * frame / most) : 0;
}

/* What stands above a picture: when it is, and what the team has earned by then, or who has won. */
static void put_caption(const Film *film, const Position *position, uint32_t step) {
  Report *r = film->report;
  const AgonEnvSpec *spec = &position->env->spec;
  const bool ended = step == film->steps;
  html_put(&r->out, "step %u of %u", step, film->steps);
  if (spec->teams == 1 && step > 0) {
    double sum = 0;
    for (uint32_t a = 0; a < spec->agents; a++)
      sum += position->returns[a];
    html_put(&r->out, "; %s %.4g", ended ? "the team earned" : "return so far",
             r->run->settings->told.factor * sum / spec->agents);
  } else if (spec->teams == 2 && ended) {
    const float first = position_outcome(position)[0];
    html_put(&r->out, "; %s",
             first > 0.5f   ? "the first side wins"
             : first < 0.5f ? "the second side wins"
                            : "drawn");
  }
}

/* Draws the position if it is one of the chosen. */
static Status on_shown(void *context, const Position *position, uint32_t step) {
  Film *film = context;
  Report *r = film->report;
  if (!film->steps || step != step_of(film, film->drawn)) return OK;
  Bytes picture = {0};
  Status status = picture_put(position, "", true, WIDTH, &picture);
  bytes_u8(&picture, 0);
  if (status == OK && picture.failed) status = status_set(ERR_MEMORY, "out of memory");
  if (status == OK) {
    html_put(&r->out, "<figure><figcaption>");
    put_caption(film, position, step);
    html_put(&r->out, "</figcaption><pre>");
    html_text(&r->out, (const char *)picture.data);
    html_put(&r->out, "</pre></figure>\n");
    film->drawn++;
  }
  bytes_free(&picture);
  return status;
}

/* Who plays, and what more there is to see. */
static void put_words(Report *r, const Env *env, Contestant **team) {
  html_put(&r->out, "<section id=episode><h2>An episode</h2><p>");
  html_text(&r->out, team[0]->label);
  if (env->spec.teams == 1) {
    html_put(&r->out, " plays, greedily: the first of the episodes by which it is judged, from "
                      "begin to end. To see all of it, and others: <code>agon play RUN --seat "
                      "none</code>, <code>agon eval RUN --record 2</code> and <code>agon replay "
                      "RUN</code>.</p>");
    return;
  }
  if (team[1] != team[0]) {
    html_put(&r->out, " and ");
    html_text(&r->out, team[1]->label);
    html_put(&r->out, " play");
  } else {
    html_put(&r->out, " plays all sides");
  }
  html_put(&r->out, ", each time the most probable action, from begin to end. To see more: "
                    "<code>agon play RUN</code>, and <code>agon replay RUN</code> after <code>agon "
                    "eval RUN --players ... --record 2</code>.</p>");
}

/* Played twice, as where to look is known only when its length is. */
static Status put_episode(Report *r, const Env *env, Contestant **team) {
  Film film = {.report = r};
  uint32_t steps;
  const ExhibitPlan plan = {.team = team,
                            .rng = solo_stream((uint64_t)r->run->settings->run.seed, 0),
                            .shown = on_shown,
                            .context = &film};
  TRY_RETURN(eval_exhibit(env, &plan, &steps));
  put_words(r, env, team);
  html_put(&r->out, "<div class=film>");
  film.steps = steps;
  Status status = eval_exhibit(env, &plan, &steps);
  html_put(&r->out, "</div></section>\n");
  return status;
}

/* The first learning player that may play for a team. */
static const char *player_of(const League *league, uint32_t team) {
  for (size_t p = 0; p < league->learning; p++)
    if (!league->player[p].side || league->player[p].side == team + 1)
      return league->player[p].name;
  return league->player[0].name;
}

/* Fills team[t], from who[0] and, where populations are separate, who[1]. */
static Status find_players(const Report *r, const Env *env, Contestant who[2], Contestant **team) {
  const League *league = &r->run->league;
  TRY_RETURN(run_view_player(player_of(league, 0), r->run, env, &who[0]));
  const bool apart = env->spec.teams == 2 && player_of(league, 0) != player_of(league, 1);
  if (apart) TRY_RETURN(run_view_player(player_of(league, 1), r->run, env, &who[1]));
  for (uint32_t t = 0; t < env->spec.teams; t++)
    team[t] = &who[apart ? t : 0];
  return OK;
}

bool report_has_episode(const Report *r) {
  const Env *env = r->run->settings->env;
  return env && env->table->render && env_copies(env) && r->run->league.learning > 0;
}

/* The page is made without it where it cannot be played, and says why. */
void report_episode(Report *r) {
  Status status = OK;
  const Env *env = r->run->settings->env;
  Contestant who[2] = {{.net = NULL}, {.net = NULL}};
  Contestant **team = NULL;
  if (!report_has_episode(r)) return;
  TRY(NEW_ARRAY(team, env->spec.teams));
  TRY(find_players(r, env, who, team));
  TRY(put_episode(r, env, team));
done:
  if (status != OK) {
    html_put(&r->out, "<p class=dim>No episode is shown: ");
    html_text(&r->out, status_message());
    html_put(&r->out, "</p>\n");
  }
  free(team);
  for (size_t i = 0; i < COUNT_OF(who); i++)
    contestant_destroy(&who[i]);
}
