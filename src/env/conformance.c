/* Random play that checks the clauses of agon/env.h: determinism by seed, copy and restore, masks,
 * flags, ranges, writes outside the rows, outcome sums, step limit, zero sums, chance
 * probabilities, potentials, removal, knobs, pictures and names. Two episodes are played side by
 * side. Before each step the twin becomes a copy of the first - by memcpy, or by save and load, in
 * turn into a block that was only created - and must go on as the first does; an env that offers
 * neither plays the twin from the same seed. What is seen of the first is kept before the twin is
 * touched, so that an env whose blocks are the same, and whose views are not, is found. */
#include "env/probe.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Status broken(const Probe *probe, const char *clause, ...) {
  enum { SHOWN = 300 }; /* of the line's end */
  char text[400];
  const char *line = probe->line.data ? (const char *)probe->line.data : "";
  const size_t length = probe->line.size;
  const size_t skip = length > SHOWN ? length - SHOWN : 0;
  va_list arguments;
  va_start(arguments, clause);
  vsnprintf(text, sizeof text, clause, arguments);
  va_end(arguments);
  return status_set(
      ERR_ENV,
      "env %s breaks its contract at step %u of episode %u (seed %llu): %s; line of play: %s%.*s",
      probe->env->table->name, probe->steps, probe->number, (unsigned long long)probe->seed, text,
      skip     ? "... "
      : length ? ""
               : "(its beginning)",
      (int)(length - skip), line + skip);
}

Status failed(const Probe *probe, const char *where) {
  return broken(probe, "%s reports failure: %s", where, env_why(probe->env));
}

/* One word of the line; several heads are joined by '/', as `agon query` reads them. */
static void put_action(Probe *probe, const AgonAction *action) {
  const AgonKind *layout = &probe->env->layout;
  char word[32];
  for (uint32_t h = 0; h < layout->heads; h++) {
    const char *join = h ? "/" : probe->line.size ? " " : "";
    int size = layout->action_kind == AGON_BOX
                   ? snprintf(word, sizeof word, "%s%.9g", join, (double)action[h].value)
                   : snprintf(word, sizeof word, "%s%d", join, action[h].choice);
    bytes_put(&probe->line, word, (size_t)size);
  }
}

/* The words of all who act. */
static void put_actions(Probe *probe, const void *state) {
  const Env *env = probe->env;
  env_flags_of(env, state, probe->flags);
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (probe->flags[a] & AGON_ACTS) put_action(probe, env_action(env, probe->action, a));
}

/* One word of the line. */
static void put_chance(Probe *probe, uint32_t outcome) {
  char word[16];
  int size = snprintf(word, sizeof word, "%s%u", probe->line.size ? " " : "", outcome);
  bytes_put(&probe->line, word, (size_t)size);
}

/* --- blocks --- */

/* Guards around it; created by the env, if it creates. */
static Status block_create(const Env *env, Block *out) {
  size_t size = env->spec.episode_size;
  TRY_RETURN(NEW_ARRAY(out->bytes, size + 2 * GUARD));
  memset(out->bytes, FILL, GUARD);
  memset(out->bytes + GUARD + size, FILL, GUARD);
  TRY_RETURN(env_make(env, episode_of(out)));
  out->made = true;
  return OK;
}

/* The env gets its state back first. */
static void block_destroy(const Env *env, Block *block) {
  if (block->made && env->table->destroy) env->table->destroy(env->params, episode_of(block));
  free(block->bytes);
  *block = (Block){NULL, false};
}

/* Given back to the env and created anew: as new as one that was never reset. */
static Status block_renew(const Env *env, Block *block) {
  block_destroy(env, block);
  return block_create(env, block);
}

/* The position that `saved` holds. A block that was only created must do as well as one that has
 * seen other episodes, so that every other time it is made anew. */
static Status load_into(Probe *probe, const Bytes *saved, Block *block) {
  const Env *env = probe->env;
  if (!env_copies(env) && probe->steps % 2 == 0) TRY_RETURN(block_renew(env, block));
  Reader reader = reader_over(saved->data, saved->size);
  probe->checks++;
  TRY_RETURN(env_load(env, episode_of(block), &reader));
  return reader_finish(&reader, "a saved episode");
}

/* A `save` that gets one byte too few must say how many it wants, write no more than there is room
 * for, and leave the episode as it is. */
static Status check_save_room(Probe *probe) {
  const Env *env = probe->env;
  const size_t whole = probe->saved.size - sizeof(uint64_t); /* its size stands before it */
  AgonError error = {""};
  Status status = OK;
  uint8_t *bytes = NULL;
  if (whole == 0) return OK;
  TRY(NEW_ARRAY(bytes, whole + 2 * GUARD));
  for (size_t room = whole - 1; room <= whole; room++) {
    size_t size = room;
    memset(bytes, FILL, whole + 2 * GUARD);
    int result =
        env->table->save(env->params, episode_of(&probe->first), bytes + GUARD, &size, &error);
    probe->checks += 2;
    if (result)
      TRY(broken(probe,
                 "save fails where there is room for %zu bytes of %zu: it must say the size, in "
                 "*size, and be asked again (%.100s)",
                 room, whole, error.text));
    if (size != whole)
      TRY(broken(probe, "save wants %zu bytes, and with room for %zu of them %zu", whole, room,
                 size));
    if (!guarded(bytes, room)) TRY(broken(probe, "save writes beyond its room of %zu bytes", room));
  }
done:
  free(bytes);
  return status;
}

/* Makes the twin what the first is, where the env can. */
static Status copy_to_twin(Probe *probe) {
  const Env *env = probe->env;
  if (!env_saves(env)) return OK;
  probe->saved.size = 0;
  TRY_RETURN(env_save(env, episode_of(&probe->first), &probe->saved));
  TRY_RETURN(load_into(probe, &probe->saved, &probe->twin));
  if (env_copies(env)) return OK;
  TRY_RETURN(check_save_room(probe));
  view_take(probe, episode_of(&probe->twin), AGON_RUNNING, &probe->again);
  TRY_RETURN(view_compare(probe, &probe->seen, &probe->again, "an episode and one loaded from it"));
  view_take(probe, episode_of(&probe->first), AGON_RUNNING, &probe->again);
  return view_compare(probe, &probe->seen, &probe->again, "an episode before and after its save");
}

/* --- moves --- */

/* One of the statuses that there are. A failure has been reported by then. */
static Status check_status(const Probe *probe, const char *where, AgonStatus status) {
  if (status == AGON_RUNNING || status == AGON_CHANCE || status == AGON_TERMINATED ||
      status == AGON_TRUNCATED)
    return OK;
  return broken(probe, "%s returns %d, which is no AgonStatus", where, (int)status);
}

/* A move of the first has been made: what is seen of it is kept, but at a chance move, where
 * nothing need be seen. */
static void keep_view(Probe *probe, AgonStatus status) {
  if (status != AGON_CHANCE) view_take(probe, episode_of(&probe->first), status, &probe->seen);
}

/* Chance moves, applied to both twins with equal draws. */
static Status settle_both(Probe *probe, AgonStatus *status, AgonRng *rng) {
  const Env *env = probe->env;
  while (*status == AGON_CHANCE) {
    uint32_t count;
    const double *probability;
    TRY_RETURN(check_chance(probe, episode_of(&probe->first), &count, &probability));
    uint32_t pick = (uint32_t)rng_pick(rng, probability, count);
    put_chance(probe, pick);
    *status = env_call_chance(env, episode_of(&probe->first), pick, probe->reward);
    if (*status == AGON_FAILED) return failed(probe, "chance_apply");
    TRY_RETURN(check_status(probe, "chance_apply", *status));
    keep_view(probe, *status);
    if (env_call_chance(env, episode_of(&probe->twin), pick, probe->reward2) != *status)
      return broken(probe, "copies differ in status");
  }
  return OK;
}

/* The same, of one episode that is played by itself. */
static Status settle_one(Probe *probe, void *state, AgonStatus *status, AgonRng *rng) {
  while (*status == AGON_CHANCE) {
    uint32_t count;
    const double *probability;
    TRY_RETURN(check_chance(probe, state, &count, &probability));
    uint32_t pick = (uint32_t)rng_pick(rng, probability, count);
    put_chance(probe, pick);
    *status = env_call_chance(probe->env, state, pick, probe->reward);
    if (*status == AGON_FAILED) return failed(probe, "chance_apply");
    TRY_RETURN(check_status(probe, "chance_apply", *status));
  }
  return OK;
}

/* Rewards are numbers, and cancel where the env says so. */
static Status check_rewards(Probe *probe) {
  const Env *env = probe->env;
  const float *reward = probe->reward;
  memset(probe->team, 0, sizeof(float) * env->spec.teams);
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (!isfinite(reward[a]))
      return broken(probe, "agent %u's reward is %g, no finite number", a, (double)reward[a]);
    probe->total[a] += reward[a];
    probe->team[env->spec.team_of[a]] += reward[a];
  }
  float sum = 0, scale = 0;
  for (uint32_t t = 0; t < env->spec.teams; t++) {
    sum += probe->team[t];
    scale += fabsf(probe->team[t]);
  }
  if ((env->spec.flags & AGON_ZERO_SUM) && fabsf(sum) > 1e-4f * (1 + scale))
    return broken(probe,
                  "a zero-sum env's rewards do not cancel over the teams' sums, but leave %g",
                  (double)sum);
  return OK;
}

/* After a move both must be the same, with the same rewards. */
static Status check_twins(Probe *probe, AgonStatus status) {
  const Env *env = probe->env;
  size_t size = env->spec.episode_size;
  probe->checks += 3;
  if (!guarded(probe->first.bytes, size) || !guarded(probe->twin.bytes, size))
    return broken(probe, "the env writes outside its episode block");
  if (env_copies(env) && memcmp(episode_of(&probe->first), episode_of(&probe->twin), size))
    return broken(probe, "two copies with the same seed and actions differ");
  if (memcmp(probe->reward, probe->reward2, sizeof(float) * env->spec.agents))
    return broken(probe, "rewards are not repeatable");
  view_take(probe, episode_of(&probe->twin), status, &probe->again);
  TRY_RETURN(view_compare(probe, &probe->seen, &probe->again, "copies"));
  return check_rewards(probe);
}

/* Of the `many` functions: the rows that they write are those of one by one, in place and nowhere
 * else. */
static Status check_view_many(Probe *probe) {
  const Env *env = probe->env;
  uint8_t *flags = probe->flags;
  uint8_t *both = probe->flags + env->spec.agents + 1;
  const void *state[2] = {episode_of(&probe->twin), episode_of(&probe->first)};
  uint32_t agents_of = env->spec.agents;
  env_flags_of(env, state[1], flags);
  if (env->table->flags_many) {
    memset(both, FILL, 2 * agents_of + 1);
    env->table->flags_many(env->params, 2, state, both);
    probe->checks++;
    if (memcmp(both + agents_of, flags, agents_of) || both[2 * agents_of] != FILL)
      return broken(probe, "flags_many differs from flags");
  }
  if (!env->table->view_many || env->padded) return OK;
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (!(flags[a] & AGON_ACTS)) continue;
    const uint32_t agents[2] = {a, a};
    size_t size = env->observation_bytes;
    size_t width = env->layout.action_kind == AGON_BOX ? 0 : env->action_count;
    memset(probe->row, FILL, 2 * size + 2 * GUARD);
    memset(probe->mask, FILL, 2 * width + 2 * GUARD);
    env->table->view_many(env->params, 2, state, agents, probe->row + GUARD, probe->mask + GUARD);
    probe->checks += 4;
    if (!guarded(probe->row, 2 * size) || !guarded(probe->mask, 2 * width))
      return broken(probe, "view_many writes outside its rows");
    memset(probe->row2, 0x5A, size + 2 * GUARD);
    env_observe(env, state[1], a, probe->row2 + GUARD);
    if (memcmp(probe->row + GUARD + size, probe->row2 + GUARD, size))
      return broken(probe, "view_many differs from observe (agent %u)", a);
    env_mask(env, state[1], a, probe->row2 + GUARD);
    if (memcmp(probe->mask + GUARD + width, probe->row2 + GUARD, width))
      return broken(probe, "view_many differs from mask (agent %u)", a);
  }
  return OK;
}

/* Nothing that only looks may change what is looked at: `twin` is the first's copy from before. */
static Status check_unchanged(Probe *probe) {
  const Env *env = probe->env;
  probe->checks++;
  if (env_copies(env) &&
      memcmp(episode_of(&probe->first), episode_of(&probe->twin), env->spec.episode_size))
    return broken(probe, "looking at an episode (observe, mask, flags, render ...) changes it");
  view_take(probe, episode_of(&probe->first), AGON_RUNNING, &probe->again);
  return view_compare(
      probe, &probe->seen, &probe->again,
      "an episode before and after looking at it (observe, mask, flags, render ...)");
}

/* --- many steps at once --- */

/* What one call has written of one of its episodes, against what `step` did with another copy. */
static Status compare_step(Probe *probe, uint32_t index, AgonStatus status, AgonStatus expected,
                           const float *reward, const AgonRng *rng, const AgonRng *drawn) {
  const Env *env = probe->env;
  probe->checks += 3;
  if (status != expected)
    return broken(probe, "step_many differs from step: the status of episode %u of 2 is %d, not %d",
                  index, (int)status, (int)expected);
  if (memcmp(probe->many + index * env->spec.agents, reward, env->spec.agents * sizeof *reward))
    return broken(probe, "step_many differs from step in the rewards of episode %u of 2", index);
  if (memcmp(rng, drawn, sizeof *rng))
    return broken(probe, "step_many differs from step in what it draws for episode %u of 2", index);
  return OK;
}

/* An episode that was stepped by itself, and a copy of it that was stepped by step_many. Those that
 * are not flat are compared by what is seen of them. */
static Status compare_stepped(Probe *probe, const Block *one, const Block *two, AgonStatus status) {
  const Env *env = probe->env;
  if (env_copies(env)) {
    if (memcmp(episode_of(one), episode_of(two), env->spec.episode_size))
      return broken(probe, "step_many leaves another episode than step does");
    return OK;
  }
  if (status == AGON_CHANCE) return OK;
  view_take(probe, episode_of(one), status, &probe->aside);
  view_take(probe, episode_of(two), status, &probe->again);
  return view_compare(probe, &probe->aside, &probe->again, "episodes after step and step_many");
}

/* Steps the twin and the position of a step ago by one call, the one or the other first. */
static Status step_two(Probe *probe, AgonRng *twin_rng, const AgonRng *rng, AgonStatus expected,
                       AgonStatus *status) {
  const Env *env = probe->env;
  const size_t agents = env->spec.agents;
  const size_t row = agents * env->layout.heads;
  const uint32_t at = probe->steps % 2; /* of the twin in the call */
  AgonRng plain_rng = probe->before_rng;
  AgonRng earlier_rng = probe->before_rng;
  AgonRandom random = rng_handle(&plain_rng);
  AgonStatus of[2] = {AGON_FAILED, AGON_FAILED};
  void *state[2];
  AgonRandom each[2];
  TRY_RETURN(load_into(probe, &probe->before, &probe->earlier));
  TRY_RETURN(load_into(probe, &probe->before, &probe->plain));
  /* the actions of a step ago stand in the first row: moved if they are not the call's first */
  memset(probe->reward2, 0, agents * sizeof(float));
  AgonStatus plain =
      env_call_step(env, episode_of(&probe->plain), probe->both, &random, probe->reward2);
  if (at == 0) memcpy(probe->both + row, probe->both, row * sizeof *probe->both);
  memcpy(probe->both + at * row, probe->action, row * sizeof *probe->both);
  state[at] = episode_of(&probe->twin);
  state[1 - at] = episode_of(&probe->earlier);
  each[at] = rng_handle(twin_rng);
  each[1 - at] = rng_handle(&earlier_rng);
  memset(probe->many, 0, 2 * agents * sizeof *probe->many);
  probe->many[2 * agents] = -7;
  env_call_step_many(env, 2, state, probe->both, each, probe->many, of);
  if (of[at] == AGON_FAILED || of[1 - at] == AGON_FAILED)
    return broken(probe, "step_many says of episode %u of 2 that it failed, or nothing: %s",
                  of[0] == AGON_FAILED ? 0 : 1, env_why(env));
  if (probe->many[2 * agents] < -7 || probe->many[2 * agents] > -7)
    return broken(probe, "step_many writes beyond the rewards of its episodes");
  TRY_RETURN(
      compare_step(probe, 1 - at, of[1 - at], plain, probe->reward2, &earlier_rng, &plain_rng));
  TRY_RETURN(compare_step(probe, at, of[at], expected, probe->reward, twin_rng, rng));
  TRY_RETURN(compare_stepped(probe, &probe->plain, &probe->earlier, plain));
  TRY_RETURN(compare_stepped(probe, &probe->first, &probe->twin, expected));
  memcpy(probe->reward2, probe->many + at * agents, agents * sizeof *probe->reward2);
  *status = of[at];
  return OK;
}

/* Steps the twin as the first was stepped, by step_many where there is one. It is compared later:
 * in status, rewards, draws and episode. */
static Status step_twin(Probe *probe, AgonRng *twin_rng, const AgonRng *rng, AgonStatus expected,
                        AgonStatus *status) {
  const Env *env = probe->env;
  AgonRandom random = rng_handle(twin_rng);
  void *state = episode_of(&probe->twin);
  *status = AGON_FAILED;
  if (env->table->step_many && env_saves(env) && probe->before.size)
    return step_two(probe, twin_rng, rng, expected, status);
  if (!env->table->step_many) {
    *status = env_call_step(env, state, probe->action, &random, probe->reward2);
  } else {
    probe->checks++;
    env_call_step_many(env, 1, &state, probe->action, &random, probe->reward2, status);
  }
  return OK;
}

/* The position before this step, and what was done in it, for the next step's step_many. */
static void keep_step(Probe *probe, const AgonRng *rng) {
  const Env *env = probe->env;
  const Bytes spare = probe->before;
  if (!env->table->step_many || !env_saves(env)) return;
  probe->before = probe->saved;
  probe->saved = spare;
  probe->before_rng = *rng;
  memcpy(probe->both, probe->action, env->spec.agents * env->layout.heads * sizeof *probe->both);
}

/* --- removal --- */

/* Of those who are in the game, one or another; false where there are not two. */
static bool pick_living(Probe *probe, const void *state, uint32_t *who) {
  const uint32_t agents = probe->env->spec.agents;
  uint32_t alive = 0;
  env_flags_of(probe->env, state, probe->flags);
  for (uint32_t a = 0; a < agents; a++)
    if (probe->flags[a] & AGON_ALIVE &&
        (alive++ == 0 || (probe->number + probe->steps) % agents == a))
      *who = a;
  return alive >= 2;
}

/* This agent is out of the game, and somebody is left to go on with it. */
static Status check_without(Probe *probe, const void *state, uint32_t who) {
  bool anybody = false;
  env_flags_of(probe->env, state, probe->flags);
  if (probe->flags[who] & (AGON_ACTS | AGON_ALIVE))
    return broken(probe, "agent %u is still in the game after it was removed", who);
  for (uint32_t a = 0; a < probe->env->spec.agents; a++)
    anybody |= probe->flags[a] & AGON_ACTS;
  return anybody ? OK : broken(probe, "nobody acts after agent %u was removed", who);
}

/* The episode goes on without it. */
static Status remove_agent(Probe *probe, void *state, uint32_t who) {
  const Env *env = probe->env;
  AgonError error = {""};
  probe->checks += 2;
  if (env->table->remove(env->params, state, who, &error))
    return broken(probe, "remove reports failure for agent %u: %.200s", who, error.text);
  TRY_RETURN(check_without(probe, state, who));
  return check_observation(probe, state, who);
}

/* A copy of this position goes without one of those who are in it. */
static Status check_removal(Probe *probe) {
  const Env *env = probe->env;
  uint32_t who = 0;
  if (!env->table->remove || !env_saves(env)) return OK;
  if (!pick_living(probe, episode_of(&probe->first), &who)) return OK;
  TRY_RETURN(copy_to_twin(probe));
  return remove_agent(probe, episode_of(&probe->twin), who);
}

/* A random step of one episode by itself. */
static Status step_alone(Probe *probe, void *state, AgonStatus *status, AgonRng *rng,
                         AgonRng *act) {
  const Env *env = probe->env;
  AgonRandom random = rng_handle(rng);
  TRY_RETURN(check_agents(probe, state, *status, act));
  if (probe->steps++ >= env->spec.step_limit)
    return broken(probe, "an episode is longer than step_limit, %u", env->spec.step_limit);
  put_actions(probe, state);
  memset(probe->reward, 0, env->spec.agents * sizeof *probe->reward);
  *status = env_call_step(env, state, probe->action, &random, probe->reward);
  if (*status == AGON_FAILED) return failed(probe, "step, on legal actions,");
  TRY_RETURN(check_status(probe, "step", *status));
  return settle_one(probe, state, status, rng);
}

/* Another episode, out of which an agent is taken somewhere in it, is played to its end. */
static Status play_without(Probe *probe) {
  const Env *env = probe->env;
  void *state = episode_of(&probe->twin);
  AgonRng rng = rng_stream(probe->seed, 2, probe->number, RNG_TEST);
  AgonRng act = rng_stream(probe->seed, 3, probe->number, RNG_TEST);
  AgonRandom random = rng_handle(&rng);
  uint32_t who = 0;
  bool removed = false;
  if (!env->table->remove) return OK;
  const uint32_t at = rng_below(&act, probe->steps + 1); /* of an episode that may be as long */
  probe->steps = 0;
  probe->line.size = 0;
  AgonStatus status = env_call_reset(env, state, &random);
  if (status == AGON_FAILED) return failed(probe, "reset");
  TRY_RETURN(settle_one(probe, state, &status, &rng));
  while (status == AGON_RUNNING) {
    if (!removed && probe->steps >= at && pick_living(probe, state, &who)) {
      TRY_RETURN(remove_agent(probe, state, who));
      removed = true;
    }
    TRY_RETURN(step_alone(probe, state, &status, &rng, &act));
    if (removed && status == AGON_RUNNING) TRY_RETURN(check_without(probe, state, who));
  }
  return OK;
}

/* --- play --- */

/* Knobs at their low and high ends, and drawn in between. */
static AgonStatus start(Probe *probe, void *state, const AgonRandom *random) {
  const Env *env = probe->env;
  const AgonEnvSpec *spec = &env->spec;
  if (!spec->knobs || probe->number % 2 == 0) return env_call_reset(env, state, random);
  AgonRng rng = rng_stream(probe->seed, 1, probe->number, RNG_TEST);
  for (uint32_t i = 0; i < spec->knobs; i++) {
    double share = rng_unit(&rng) * 1.5 - 0.25;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    probe->knob[i] = (float)(spec->knob_low[i] +
                             share * ((double)spec->knob_high[i] - (double)spec->knob_low[i]));
  }
  return env_call_reset_with(env, state, probe->knob, random);
}

/* Where the env says by which knobs an episode is reset as without them: the twin, reset by these
 * from the same stream, is the same to the last byte. */
static Status check_plain(Probe *probe, const AgonRng *before) {
  const Env *env = probe->env;
  const float *plain = env->spec.knob_plain;
  if (!env->spec.knobs || !plain || probe->number % 2 || !env_copies(env)) return OK;
  AgonRng rng = *before;
  AgonRandom random = rng_handle(&rng);
  memset(probe->twin.bytes, FILL, env->spec.episode_size + 2 * GUARD);
  env_call_reset_with(env, episode_of(&probe->twin), plain, &random);
  probe->checks++;
  if (!memcmp(episode_of(&probe->first), episode_of(&probe->twin), env->spec.episode_size))
    return OK;
  return broken(probe, "reset_with, given knob_plain, does not do what reset does");
}

/* Both twins begin, from one seed, and come to their first decision. */
static Status begin_both(Probe *probe, AgonRng *rng, AgonStatus *status) {
  const Env *env = probe->env;
  const AgonRng before = *rng;
  AgonRng twin_rng = *rng;
  AgonRandom random = rng_handle(rng);
  AgonRandom random2 = rng_handle(&twin_rng);
  if (env_copies(env)) {
    memset(probe->first.bytes, FILL, env->spec.episode_size + 2 * GUARD);
    memset(probe->twin.bytes, FILL, env->spec.episode_size + 2 * GUARD);
  }
  *status = start(probe, episode_of(&probe->first), &random);
  if (*status == AGON_FAILED) return failed(probe, "reset");
  TRY_RETURN(check_status(probe, "reset", *status));
  keep_view(probe, *status);
  if (start(probe, episode_of(&probe->twin), &random2) != *status)
    return broken(probe, "reset is not repeatable");
  TRY_RETURN(check_plain(probe, &before));
  if (memcmp(&twin_rng, rng, sizeof twin_rng))
    return broken(probe, "reset is not repeatable in what it draws");
  TRY_RETURN(settle_both(probe, status, rng));
  if (*status == AGON_RUNNING) return OK;
  return broken(probe, "an episode is over before its first decision: reset must lead to one, and "
                       "draw again where it does not");
}

/* All that can be seen of a position that waits for a decision; the twin is its copy. */
static Status look(Probe *probe, AgonRng *act) {
  TRY_RETURN(check_agents(probe, episode_of(&probe->first), AGON_RUNNING, act));
  TRY_RETURN(check_extras(probe));
  TRY_RETURN(check_view_many(probe));
  TRY_RETURN(check_unchanged(probe));
  return check_removal(probe);
}

/* One step of both. */
static Status step_both(Probe *probe, AgonRng *rng, AgonStatus *status) {
  const Env *env = probe->env;
  const size_t rewards = env->spec.agents * sizeof(float);
  AgonRandom random = rng_handle(rng);
  AgonStatus status2;
  if (probe->steps++ >= env->spec.step_limit)
    return broken(probe, "an episode is longer than step_limit, %u", env->spec.step_limit);
  memset(probe->reward, 0, rewards);
  memset(probe->reward2, 0, rewards);
  put_actions(probe, episode_of(&probe->first));
  TRY_RETURN(copy_to_twin(probe)); /* the copy must go on as the original does */
  AgonRng before = *rng;
  AgonRng twin_rng = *rng;
  *status = env_call_step(env, episode_of(&probe->first), probe->action, &random, probe->reward);
  if (*status == AGON_FAILED) return failed(probe, "step, on legal actions,");
  TRY_RETURN(check_status(probe, "step", *status));
  keep_view(probe, *status);
  TRY_RETURN(step_twin(probe, &twin_rng, rng, *status, &status2));
  if (status2 != *status) return broken(probe, "copies differ in status");
  if (memcmp(&twin_rng, rng, sizeof twin_rng))
    return broken(probe, "copies differ in what they draw");
  keep_step(probe, &before);
  return settle_both(probe, status, rng);
}

/* One episode with all checks, twin by twin. */
static Status play_one(Probe *probe, uint32_t number) {
  const Env *env = probe->env;
  const size_t rewards = env->spec.agents * sizeof(float);
  AgonRng rng = rng_stream(probe->seed, 0, number, RNG_ENV);
  AgonRng act = rng_stream(probe->seed, 0, number, RNG_ACT);
  AgonStatus status;
  memset(probe->reward, 0, rewards);
  memset(probe->reward2, 0, rewards);
  memset(probe->total, 0, rewards);
  memset(probe->action, 0, env->spec.agents * env->layout.heads * sizeof *probe->action);
  probe->number = number;
  probe->steps = 0;
  probe->line.size = 0;
  probe->before.size = 0;
  TRY_RETURN(begin_both(probe, &rng, &status));
  while (status == AGON_RUNNING) {
    TRY_RETURN(check_twins(probe, status));
    TRY_RETURN(look(probe, &act));
    TRY_RETURN(step_both(probe, &rng, &status));
  }
  TRY_RETURN(check_twins(probe, status));
  TRY_RETURN(check_agents(probe, episode_of(&probe->first), status, &act));
  TRY_RETURN(check_extras(probe));
  TRY_RETURN(check_end(probe));
  return play_without(probe);
}

/* --- the suite --- */

/* Rows have room for two of an env's own, and for its global state. */
static Status make_rows(Probe *probe) {
  const Env *env = probe->env;
  const size_t observation = env->observation_bytes;
  const size_t choices = env->action_count;
  const size_t global = env->spec.global_state_size * sizeof(float);
  const size_t two = 2 * observation > global ? 2 * observation : global;
  const size_t other = observation > choices ? observation : choices;
  TRY_RETURN(NEW_ARRAY(probe->row, two + 2 * GUARD));
  TRY_RETURN(NEW_ARRAY(probe->row2, (other > global ? other : global) + 2 * GUARD));
  return NEW_ARRAY(probe->mask, 2 * choices + 2 * GUARD);
}

static Status make_room(Probe *probe) {
  const Env *env = probe->env;
  const size_t agents = env->spec.agents;
  const size_t heads = env->layout.heads;
  TRY_RETURN(make_rows(probe));
  TRY_RETURN(NEW_ARRAY(probe->flags, 3 * agents + 2));
  TRY_RETURN(NEW_ARRAY(probe->reward, agents + GUARD));
  TRY_RETURN(NEW_ARRAY(probe->reward2, agents + GUARD));
  TRY_RETURN(NEW_ARRAY(probe->many, 2 * agents + GUARD));
  TRY_RETURN(NEW_ARRAY(probe->total, agents));
  TRY_RETURN(NEW_ARRAY(probe->phi, 2 * agents + 2));
  TRY_RETURN(NEW_ARRAY(probe->outcome, env->spec.teams + 1));
  TRY_RETURN(NEW_ARRAY(probe->team, env->spec.teams));
  TRY_RETURN(NEW_ARRAY(probe->metric, env->spec.metrics + 1));
  TRY_RETURN(NEW_ARRAY(probe->action, agents * heads));
  TRY_RETURN(NEW_ARRAY(probe->both, 2 * agents * heads));
  TRY_RETURN(NEW_ARRAY(probe->script, heads + 1));
  TRY_RETURN(NEW_ARRAY(probe->knob, env->spec.knobs));
  TRY_RETURN(NEW_ARRAY(probe->text, PICTURE + 1));
  TRY_RETURN(NEW_ARRAY(probe->text2, PICTURE + 1));
  TRY_RETURN(view_create(env, &probe->seen));
  TRY_RETURN(view_create(env, &probe->again));
  return view_create(env, &probe->aside);
}

/* The last two only where steps are made together. */
static Status make_blocks(Probe *probe) {
  const Env *env = probe->env;
  TRY_RETURN(block_create(env, &probe->first));
  TRY_RETURN(block_create(env, &probe->twin));
  if (!env->table->step_many || !env_saves(env)) return OK;
  TRY_RETURN(block_create(env, &probe->earlier));
  return block_create(env, &probe->plain);
}

static void free_probe(Probe *probe) {
  const Env *env = probe->env;
  block_destroy(env, &probe->first);
  block_destroy(env, &probe->twin);
  block_destroy(env, &probe->earlier);
  block_destroy(env, &probe->plain);
  view_destroy(&probe->seen);
  view_destroy(&probe->again);
  view_destroy(&probe->aside);
  free(probe->row);
  free(probe->row2);
  free(probe->mask);
  free(probe->flags);
  free(probe->reward);
  free(probe->reward2);
  free(probe->many);
  free(probe->total);
  free(probe->phi);
  free(probe->outcome);
  free(probe->team);
  free(probe->metric);
  free(probe->action);
  free(probe->both);
  free(probe->script);
  free(probe->knob);
  free(probe->text);
  free(probe->text2);
  bytes_free(&probe->saved);
  bytes_free(&probe->before);
  bytes_free(&probe->line);
}

/* Stops at the first clause that is broken. */
Status env_conformance(const Env *env, uint64_t seed, size_t episodes, size_t *out_checks) {
  Status status = OK;
  Probe probe = {.env = env, .seed = seed};
  TRY(make_room(&probe));
  TRY(make_blocks(&probe));
  TRY(check_names(&probe));
  for (uint32_t i = 0; i < episodes; i++)
    TRY(play_one(&probe, i));
  *out_checks = probe.checks;
done:
  free_probe(&probe);
  return status;
}
