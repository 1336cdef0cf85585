/* Calls of a configured env: rows in the layout, failures with their reasons, actions in their
 * ranges, episodes as bytes.
 */
#include "env/env.h"

#include <math.h>
#include <string.h>

/* --- what may fail --- */
/* The text is empty before each call, so that what is found after a failure is of that failure. */
static AgonError *fresh(const Env *env) {
  env->scratch->error.text[0] = 0;
  return &env->scratch->error;
}

/* An env that fails leaves its reason in the scratch; so do the next four. */
AgonStatus env_call_reset(const Env *env, void *episode, const AgonRandom *random) {
  return env->table->reset(env->params, episode, random, fresh(env));
}

AgonStatus env_call_reset_with(const Env *env, void *episode, const float *knob,
                               const AgonRandom *random) {
  return env->table->reset_with(env->params, episode, knob, random, fresh(env));
}

AgonStatus env_call_step(const Env *env, void *episode, const AgonAction *actions,
                         const AgonRandom *random, float *reward) {
  return env->table->step(env->params, episode, actions, random, reward, fresh(env));
}

AgonStatus env_call_chance(const Env *env, void *episode, uint32_t outcome, float *reward) {
  return env->table->chance_apply(env->params, episode, outcome, reward, fresh(env));
}

void env_call_step_many(const Env *env, size_t count, void *const *episodes,
                        const AgonAction *actions, const AgonRandom *random, float *reward,
                        AgonStatus *status) {
  env->table->step_many(env->params, count, episodes, actions, random, reward, status, fresh(env));
}

/* The env may have filled the text to its last byte: it is ended here. */
const char *env_why(const Env *env) {
  AgonError *error = &env->scratch->error;
  static const char silent[] = "it does not say why (error->text is empty)";
  error->text[sizeof error->text - 1] = 0;
  if (!error->text[0]) memcpy(error->text, silent, sizeof silent);
  return error->text;
}

/* --- chance --- */
bool env_chance_overran(const Env *env) {
  const uint8_t *guard = (const uint8_t *)(env->scratch->chance + env->spec.chance);
  for (size_t i = 0; i < ENV_CHANCE_GUARD * sizeof *env->scratch->chance; i++)
    if (guard[i] != ENV_CHANCE_FILL) return true;
  return false;
}

const double *env_chance(const Env *env, const void *episode, uint32_t *count) {
  *count = env->table->chance_outcomes(env->params, episode, env->scratch->chance);
  if (*count > env->spec.chance || env_chance_overran(env)) *count = 0;
  return env->scratch->chance;
}

static AgonStatus fail_chance(const Env *env, const char *why) {
  snprintf(env->scratch->error.text, sizeof env->scratch->error.text, "%s", why);
  return AGON_FAILED;
}

/* An env that nobody checked may ask for a move that its spec does not know, without the functions
 * or without room for the probabilities. */
AgonStatus env_draw_chance(const Env *env, const void *episode, AgonRng *rng, uint32_t *outcome) {
  const AgonEnv *table = env->table;
  uint32_t count;
  *outcome = 0;
  if (!env->spec.chance || !table->chance_outcomes || !table->chance_apply)
    return fail_chance(env, "it asks for a chance move, and its spec has none (chance is 0)");
  const double *probability = env_chance(env, episode, &count);
  if (!count)
    return fail_chance(env, "a chance move has no outcomes, or more than chance of its spec");
  *outcome = (uint32_t)rng_pick(rng, probability, count);
  return AGON_CHANCE;
}

/* A chance move may be followed by another. */
AgonStatus env_settle(const Env *env, void *episode, AgonStatus status, AgonRng *rng,
                      float *reward) {
  uint32_t outcome;
  while (status == AGON_CHANCE) {
    status = env_draw_chance(env, episode, rng, &outcome);
    if (status == AGON_CHANCE) status = env_call_chance(env, episode, outcome, reward);
  }
  return status;
}

/* To the first decision. */
AgonStatus env_reset(const Env *env, void *episode, AgonRng *rng, float *reward) {
  AgonRandom random = rng_handle(rng);
  return env_settle(env, episode, env_call_reset(env, episode, &random), rng, reward);
}

/* To the next decision. */
AgonStatus env_step(const Env *env, void *episode, const AgonAction *actions, AgonRng *rng,
                    float *reward) {
  AgonRandom random = rng_handle(rng);
  return env_settle(env, episode, env_call_step(env, episode, actions, &random, reward), rng,
                    reward);
}

/* --- rows --- */
/* `count` bytes at the row's beginning become floats, in place. */
static void bytes_to_floats(uint8_t *row, size_t count) {
  for (size_t i = count; i-- > 0;) {
    float value = (float)row[i];
    memcpy(row + 4 * i, &value, sizeof value);
  }
}

/* The kind's own elements come first, then zeros; bytes become floats where another kind has
 * floats. */
void env_observe_padded(const Env *env, const void *episode, uint32_t agent, void *row) {
  const AgonKind *kind = env_kind(env, agent);
  size_t own =
      (size_t)kind->observation_shape[0] * kind->observation_shape[1] * kind->observation_shape[2];
  bool bytes = kind->observation_type == AGON_U8;
  bool floats = env->layout.observation_type == AGON_F32;
  env->table->observe(env->params, episode, agent, row);
  if (bytes && floats) bytes_to_floats(row, own);
  size_t used = own * (floats ? 4 : 1);
  memset((uint8_t *)row + used, 0, env->observation_bytes - used);
}

/* What a narrower kind lacks is masked, and of a head that it lacks there is one legal choice, the
 * first. A BOX masks the components that the kind lacks. */
void env_mask_made(const Env *env, const void *episode, uint32_t agent, uint8_t *row) {
  const AgonKind *kind = env_kind(env, agent);
  const AgonKind *layout = &env->layout;
  if (layout->action_kind == AGON_BOX) {
    for (uint32_t h = 0; h < layout->heads; h++)
      row[h] = h < kind->heads;
    return;
  }
  uint8_t *own = env->scratch->mask;
  if (env->table->mask)
    env->table->mask(env->params, episode, agent, own);
  else
    memset(own, 1, env->action_count);
  for (uint32_t h = 0; h < layout->heads; h++) {
    uint32_t size = h < kind->heads ? kind->head_size[h] : 0;
    memset(row, 0, layout->head_size[h]);
    if (size)
      memcpy(row, own, size);
    else
      row[0] = 1;
    own += size;
    row += layout->head_size[h];
  }
}

/* Where rows are the env's own it may write many at once. */
void env_view(const Env *env, size_t count, const void *const *episodes, const uint32_t *agents,
              void *rows, uint8_t *masks) {
  bool box = env->layout.action_kind == AGON_BOX;
  if (env->table->view_many && !env->padded) {
    env->table->view_many(env->params, count, episodes, agents, rows, masks);
    if (box) memset(masks, 1, count * env->action_count);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    env_observe(env, episodes[i], agents[i], (uint8_t *)rows + i * env->observation_bytes);
    env_mask(env, episodes[i], agents[i], masks + i * env->action_count);
  }
}

/* Many episodes: by the env's own function if it has one. */
void env_flags(const Env *env, size_t count, const void *const *episodes, uint8_t *flags) {
  if (env->table->flags_many) {
    env->table->flags_many(env->params, count, episodes, flags);
    return;
  }
  for (size_t i = 0; i < count; i++)
    env->table->flags(env->params, episodes[i], flags + i * env->spec.agents);
}

Status env_position(const Env *env, const void *episode, uint32_t agent, float out[3]) {
  env->table->position(env->params, episode, agent, out);
  if (isfinite(out[0]) && isfinite(out[1]) && isfinite(out[2])) return OK;
  return status_set(ERR_ENV, "env %s: the position of agent %u is not finite: %g, %g, %g",
                    env->table->name, agent, (double)out[0], (double)out[1], (double)out[2]);
}

/* An env with one team need not say who won. */
void env_outcome(const Env *env, const void *episode, float *outcome) {
  if (env->table->outcome)
    env->table->outcome(env->params, episode, outcome);
  else
    outcome[0] = 0.5f;
}

/* Thirds and tenths do not sum to 1 to the last bit. */
bool env_outcome_counts(const Env *env, const float *outcome) {
  const uint32_t teams = env->spec.teams;
  for (uint32_t t = 0; t < teams; t++)
    if (!(outcome[t] >= 0 && outcome[t] <= 1)) return false;
  return teams != 2 || fabsf(outcome[0] + outcome[1] - 1) <= 1e-6f;
}

/* Rows of bytes grow to floats in place: the row has room for these. */
void env_observe_f32(const Env *env, const void *episode, uint32_t agent, float *row) {
  env_observe(env, episode, agent, row);
  if (env->layout.observation_type == AGON_U8)
    bytes_to_floats((uint8_t *)row, env->observation_count);
}

/* By bits, as one number in a million rows is bad: a first pass in vectors only says whether there
 * is one. */
size_t env_first_beyond(const void *floats, size_t count, float limit) {
  const uint8_t *from = floats;
  uint32_t most, bits, bad = 0;
  memcpy(&most, &limit, sizeof most);
  for (size_t i = 0; i < count; i++) { /* by bits, so that it runs in vectors */
    memcpy(&bits, from + i * sizeof bits, sizeof bits);
    bad |= (uint32_t)((bits & 0x7fffffffu) >= most);
  }
  if (!bad) return count;
  for (size_t i = 0; i < count; i++) {
    memcpy(&bits, from + i * sizeof bits, sizeof bits);
    if ((bits & 0x7fffffffu) >= most) return i;
  }
  return count;
}

/* --- actions --- */
void env_action_range(const Env *env, uint32_t agent, uint32_t head, float *low, float *high) {
  const AgonKind *kind = env_kind(env, agent);
  *low = head < kind->heads ? kind->action_low[head] : 0;
  *high = head < kind->heads ? kind->action_high[head] : 0;
}

/* Each head by itself: the pick counts only legal choices. */
void env_random_action(const Env *env, uint32_t agent, const uint8_t *mask, AgonRng *rng,
                       AgonAction *out) {
  const AgonKind *layout = &env->layout;
  for (uint32_t h = 0; h < layout->heads; h++) {
    if (layout->action_kind == AGON_BOX) {
      float low, high;
      env_action_range(env, agent, h, &low, &high);
      out[h].value = low + (high - low) * (float)rng_unit(rng);
      continue;
    }
    uint32_t legal = 0;
    for (uint32_t i = 0; i < layout->head_size[h]; i++)
      legal += mask[i];
    uint32_t pick = rng_below(rng, legal);
    for (uint32_t i = 0; i < layout->head_size[h]; i++)
      if (mask[i] && pick-- == 0) out[h].choice = (int32_t)i;
    mask += layout->head_size[h];
  }
}

/* What is not a number becomes the lower bound. */
static float clipped(float value, float low, float high) {
  return !(value > low) ? low : value > high ? high : value;
}

/* Each agent by the range of its own kind. */
void env_clip_actions(const Env *env, AgonAction *actions) {
  if (env->layout.action_kind != AGON_BOX) return;
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    AgonAction *action = env_action(env, actions, a);
    for (uint32_t h = 0; h < env->layout.heads; h++) {
      float low, high;
      env_action_range(env, a, h, &low, &high);
      action[h].value = clipped(action[h].value, low, high);
    }
  }
}

/* Halves first, so that a range over the whole of float does not overflow. */
void env_scale_action(const Env *env, uint32_t agent, AgonAction *action) {
  if (env->layout.action_kind != AGON_BOX) return;
  for (uint32_t h = 0; h < env->layout.heads; h++) {
    float low, high;
    env_action_range(env, agent, h, &low, &high);
    float half = high / 2 - low / 2;
    float middle = low + half;
    action[h].value = middle + half * action[h].value;
  }
}

/* Of the layout. */
const uint32_t *env_head_sizes(const Env *env) {
  return env->layout.head_size;
}

/* --- episodes as bytes --- */
enum { MOST_SAVED = 1 << 28 };

/* State on the heap would be shared by two copies of the block; and a block that is not saved does
 * not hold all of it. */
bool env_copies(const Env *env) {
  return !env->table->create && !(env->spec.flags & AGON_NOT_SAVED);
}

/* A flat block is saved as it is. */
bool env_saves(const Env *env) {
  return env_copies(env) || env->table->save;
}

/* A flat env's zeroed block is ready for its reset. */
Status env_make(const Env *env, void *episode) {
  if (!env->table->create || !env->table->create(env->params, episode, fresh(env))) return OK;
  return status_set(ERR_ENV, "env %s: create failed: %s", env->table->name, env_why(env));
}

/* The size stands before what a `save` wrote, as only the env knows how long it is. */
Status env_save(const Env *env, const void *episode, Bytes *out) {
  if (env_copies(env)) {
    bytes_put(out, episode, env->spec.episode_size);
    return OK;
  }
  if (!env->table->save)
    return status_set(ERR_INTERNAL, "env %s cannot be saved", env->table->name);
  const size_t before = out->size;
  uint64_t written = 0;
  for (size_t room = 0;;) { /* asked for its size first, and again if it has grown since */
    size_t size = room;
    bytes_u64(out, 0);
    void *place = bytes_extend(out, room);
    if (out->failed) return status_set(ERR_MEMORY, "out of memory saving an episode");
    if (env->table->save(env->params, episode, place, &size, fresh(env)))
      return status_set(ERR_ENV, "env %s: save failed: %s", env->table->name, env_why(env));
    written = size;
    out->size = before + (size <= room ? sizeof written + size : 0);
    if (size <= room) break;
    if (size > MOST_SAVED)
      return status_set(ERR_ENV, "env %s: save wants %zu bytes of one episode, more than %d",
                        env->table->name, size, MOST_SAVED);
    room = size;
  }
  memcpy(out->data + before, &written, sizeof written);
  return OK;
}

/* `load` gets exactly what `save` wrote. */
Status env_load(const Env *env, void *episode, Reader *reader) {
  if (env_copies(env)) {
    reader_get(reader, episode, env->spec.episode_size);
    return reader->bad ? status_set(ERR_FORMAT, "an episode is damaged") : OK;
  }
  size_t size = reader_u64(reader);
  const void *bytes = reader_take(reader, size);
  if (reader->bad) return status_set(ERR_FORMAT, "an episode is damaged");
  if (!env->table->load)
    return status_set(ERR_INTERNAL, "env %s cannot be loaded", env->table->name);
  if (env->table->load(env->params, episode, bytes, size, fresh(env)))
    return status_set(ERR_ENV, "env %s: load failed: %s", env->table->name, env_why(env));
  return OK;
}
