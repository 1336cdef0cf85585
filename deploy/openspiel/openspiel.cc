/* Games of an installed OpenSpiel library, in C++: what `openspiel:GAME` is in Python, without
 * Python in the loop. A state lies on the heap; it is saved as OpenSpiel serialises it. Chance
 * moves are the host's. How to build it, and what it is not for: deploy/docs/PYTHON.md. */
#include "agon/env.h"

#include "open_spiel/spiel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using open_spiel::Game;
using open_spiel::GameType;
using open_spiel::State;

const int64_t most_choices = AGON_MAX_CHOICES;

/* A configured game. */
struct Table {
  std::shared_ptr<const Game> game;
  bool simultaneous, rewards, hidden; /* hidden: agents see the information state */
  int players;
  size_t seen; /* numbers that an agent sees */
  uint32_t limit;
  AgonKind kind;
  uint32_t head;
  std::vector<uint8_t> team_of;
};

struct Params {
  Table *table;
};

/* What an episode's block points to. */
struct Live {
  std::unique_ptr<State> state;
  std::vector<double> earned;
  uint32_t steps;
  std::string fault; /* of what cannot fail; the next step says it */
};

struct Block {
  Live *live;
  int32_t status; /* AgonStatus */
};

[[noreturn]] void raise(const std::string &what) {
  throw std::runtime_error(what);
}

int tell(AgonError *error, const char *what) {
  std::snprintf(error->text, sizeof error->text, "OpenSpiel: %s", what);
  for (char *at = error->text; *at; at++)
    if (*at == '\n') *at = ' ';
  return -1;
}

const Table &table_of(const void *params) {
  return *static_cast<const Params *>(params)->table;
}

Live &live_of(const void *episode) {
  return *static_cast<const Block *>(episode)->live;
}

/* Does what the host takes for infallible. Zeros stand for what failed, and the next step fails. */
template <typename Work> void infallibly(const void *episode, void *out, size_t bytes, Work work) {
  Live &live = live_of(episode);
  try {
    work(*live.state);
  } catch (const std::exception &what) {
    std::memset(out, 0, bytes);
    live.fault = what.what();
  }
}

/* --- configuration --- */
const AgonEnvOption options[] = {
    {"game", AGON_OPT_TEXT, "tic_tac_toe", 0, 0, nullptr,
     "a game of OpenSpiel, with parameters as in goofspiel(num_cards=4)"},
    {"steps", AGON_OPT_INT, "0", 0, 1e8, nullptr,
     "an episode is cut after so many; 0: as many as the game says"},
    {"observation", AGON_OPT_CHOICE, "auto", 0, 0, "auto|observation|information_state",
     "which tensor agents see; auto: the information state of games that hide something"},
};

/* Which tensor agents see, and its planes; false if there is none. */
bool look(Table *table, const std::string &asked) {
  const GameType &type = table->game->GetType();
  const bool hides = type.information != GameType::Information::kPerfectInformation;
  const bool has[2] = {type.provides_observation_tensor, type.provides_information_state_tensor};
  for (const bool hidden : {hides, !hides}) {
    if (!has[hidden] || (asked == "observation" && hidden) ||
        (asked == "information_state" && !hidden))
      continue;
    const std::vector<int> shape =
        hidden ? table->game->InformationStateTensorShape() : table->game->ObservationTensorShape();
    table->hidden = hidden;
    table->seen = 1;
    for (const int n : shape)
      table->seen *= static_cast<size_t>(n);
    if (!table->seen) continue;
    const bool planes = shape.size() == 3;
    for (int i = 0; i < 3; i++)
      table->kind.observation_shape[i] = planes ? static_cast<uint32_t>(shape[i]) : 1;
    if (!planes) table->kind.observation_shape[0] = static_cast<uint32_t>(table->seen);
    return true;
  }
  return false;
}

void refuse(const GameType &type, const Game &game) {
  if (type.dynamics == GameType::Dynamics::kMeanField)
    raise(type.short_name + " is a mean field game, which cannot be played by agents");
  if (type.chance_mode == GameType::ChanceMode::kSampledStochastic)
    raise(type.short_name +
          " draws its chance moves itself: play it as openspiel:" + type.short_name);
  if (game.NumDistinctActions() > most_choices)
    raise(type.short_name + " has " + std::to_string(game.NumDistinctActions()) + " actions");
}

void make(Table *table, const char *const *values) {
  table->game = open_spiel::LoadGame(values[0]);
  const Game &game = *table->game;
  const GameType &type = game.GetType();
  refuse(type, game);
  table->simultaneous = type.dynamics == GameType::Dynamics::kSimultaneous;
  table->rewards = type.reward_model == GameType::RewardModel::kRewards;
  table->players = game.NumPlayers();
  table->kind = AgonKind{};
  if (!look(table, values[2])) raise(type.short_name + " shows its players no such tensor");
  table->head = static_cast<uint32_t>(game.NumDistinctActions());
  table->kind.observation_type = AGON_F32;
  table->kind.observation_low = -INFINITY;
  table->kind.observation_high = INFINITY;
  table->kind.action_kind = AGON_DISCRETE;
  table->kind.heads = 1;
  table->kind.head_size = &table->head;
  const long steps = std::atol(values[1]);
  table->limit = static_cast<uint32_t>(steps ? steps : game.MaxGameLength());
  for (int p = 0; p < table->players; p++)
    table->team_of.push_back(
        type.utility == GameType::Utility::kIdentical ? 0 : static_cast<uint8_t>(p));
}

uint32_t flags_of(const GameType &type, bool alone) {
  uint32_t flags = AGON_ENUMERATES_CHANCE;
  if (type.utility == GameType::Utility::kZeroSum && !alone) flags |= AGON_ZERO_SUM;
  if (alone) flags |= AGON_COOPERATIVE;
  if (type.dynamics == GameType::Dynamics::kSimultaneous)
    flags |= AGON_SIMULTANEOUS;
  else if (type.information == GameType::Information::kPerfectInformation)
    flags |= AGON_PERFECT_INFORMATION;
  return flags;
}

void describe(const Table &table, AgonEnvSpec *spec) {
  const Game &game = *table.game;
  const double low = game.MinUtility(), high = game.MaxUtility();
  *spec = AgonEnvSpec{};
  spec->params_size = sizeof(Params);
  spec->episode_size = sizeof(Block);
  spec->agents = static_cast<uint32_t>(table.players);
  spec->teams = 1u + *std::max_element(table.team_of.begin(), table.team_of.end());
  spec->team_of = table.team_of.data();
  spec->kinds = 1;
  spec->kind = &table.kind;
  spec->chance = static_cast<uint32_t>(std::max(1, game.MaxChanceOutcomes()));
  spec->step_limit = table.limit;
  spec->flags = flags_of(game.GetType(), spec->teams == 1 && table.players > 1);
  spec->reward_low = std::isfinite(low) ? static_cast<float>(low) : -1e9f;
  spec->reward_high = std::isfinite(high) ? static_cast<float>(high) : 1e9f;
}

int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  open_spiel::SetErrorHandler(raise);
  try {
    auto table = std::make_unique<Table>();
    make(table.get(), values);
    describe(*table, spec);
    static_cast<Params *>(params)->table = table.release();
    return 0;
  } catch (const std::exception &what) {
    return tell(error, what.what());
  }
}

void unconfigure(void *params) {
  delete static_cast<Params *>(params)->table;
}

/* --- episodes --- */
int create(const void *, void *episode, AgonError *error) {
  Block *block = static_cast<Block *>(episode);
  block->status = AGON_FAILED;
  block->live = new (std::nothrow) Live{};
  return block->live ? 0 : tell(error, "out of memory");
}

void destroy(const void *, void *episode) {
  delete static_cast<Block *>(episode)->live;
}

AgonStatus arrive(const Table &table, Block *block) {
  const Live &live = *block->live;
  block->status = live.state->IsTerminal()     ? AGON_TERMINATED
                  : live.state->IsChanceNode() ? AGON_CHANCE
                  : live.steps >= table.limit  ? AGON_TRUNCATED
                                               : AGON_RUNNING;
  return static_cast<AgonStatus>(block->status);
}

/* What was earned since the last look. */
void earn(const Table &table, Live &live, float *reward) {
  if (!table.rewards && !live.state->IsTerminal()) return;
  const std::vector<double> now = live.state->Returns();
  for (size_t p = 0; p < now.size(); p++)
    reward[p] += static_cast<float>(now[p] - live.earned[p]);
  live.earned = now;
}

AgonStatus reset(const void *params, void *episode, const AgonRandom *, AgonError *error) {
  const Table &table = table_of(params);
  Block *block = static_cast<Block *>(episode);
  try {
    block->live->state = table.game->NewInitialState();
    block->live->earned.assign(static_cast<size_t>(table.players), 0.0);
    block->live->steps = 0;
    block->live->fault.clear();
    return arrive(table, block);
  } catch (const std::exception &what) {
    tell(error, what.what());
    return AGON_FAILED;
  }
}

void move(const Table &table, State *state, const AgonAction *actions) {
  if (!state->IsSimultaneousNode()) {
    state->ApplyAction(actions[state->CurrentPlayer()].choice);
    return;
  }
  std::vector<open_spiel::Action> all;
  for (int p = 0; p < table.players; p++)
    all.push_back(actions[p].choice);
  state->ApplyActions(all);
}

AgonStatus step(const void *params, void *episode, const AgonAction *actions, const AgonRandom *,
                float *reward, AgonError *error) {
  const Table &table = table_of(params);
  Block *block = static_cast<Block *>(episode);
  try {
    if (!block->live->fault.empty()) raise(block->live->fault);
    move(table, block->live->state.get(), actions);
    block->live->steps++;
    earn(table, *block->live, reward);
    return arrive(table, block);
  } catch (const std::exception &what) {
    tell(error, what.what());
    return AGON_FAILED;
  }
}

uint32_t chance_outcomes(const void *, const void *episode, double *probability) {
  uint32_t count = 0;
  infallibly(episode, &count, sizeof count, [&](const State &state) {
    for (const auto &[action, weight] : state.ChanceOutcomes())
      probability[count++] = weight;
  });
  return count;
}

AgonStatus chance_apply(const void *params, void *episode, uint32_t outcome, float *reward,
                        AgonError *error) {
  const Table &table = table_of(params);
  Block *block = static_cast<Block *>(episode);
  try {
    State *state = block->live->state.get();
    state->ApplyAction(state->ChanceOutcomes().at(outcome).first);
    earn(table, *block->live, reward);
    return arrive(table, block);
  } catch (const std::exception &what) {
    tell(error, what.what());
    return AGON_FAILED;
  }
}

/* Moves are stored as OpenSpiel writes them. */
int save(const void *, const void *episode, void *bytes, size_t *size, AgonError *error) {
  const Live &live = live_of(episode);
  const size_t earned = live.earned.size() * sizeof(double);
  try {
    const std::string text = live.state->Serialize();
    const size_t room = *size;
    uint8_t *to = static_cast<uint8_t *>(bytes);
    const int32_t head[2] = {static_cast<const Block *>(episode)->status,
                             static_cast<int32_t>(live.steps)};
    *size = sizeof head + earned + text.size();
    if (*size > room) return 0;
    std::memcpy(to, head, sizeof head);
    std::memcpy(to + sizeof head, live.earned.data(), earned);
    std::memcpy(to + sizeof head + earned, text.data(), text.size());
    return 0;
  } catch (const std::exception &what) {
    return tell(error, what.what());
  }
}

int load(const void *params, void *episode, const void *bytes, size_t size, AgonError *error) {
  const Table &table = table_of(params);
  Block *block = static_cast<Block *>(episode);
  const uint8_t *from = static_cast<const uint8_t *>(bytes);
  const size_t earned = static_cast<size_t>(table.players) * sizeof(double);
  int32_t head[2];
  if (size < sizeof head + earned) return tell(error, "a stored episode is too short");
  std::memcpy(head, from, sizeof head);
  try {
    Live &live = *block->live;
    live.earned.resize(static_cast<size_t>(table.players));
    std::memcpy(live.earned.data(), from + sizeof head, earned);
    live.state = table.game->DeserializeState(std::string(
        reinterpret_cast<const char *>(from) + sizeof head + earned, size - sizeof head - earned));
    live.steps = static_cast<uint32_t>(head[1]);
    if (arrive(table, block) != head[0]) return tell(error, "a stored episode leads elsewhere");
    return 0;
  } catch (const std::exception &what) {
    return tell(error, what.what());
  }
}

/* --- what is seen --- */
void observe(const void *params, const void *episode, uint32_t agent, void *row) {
  const Table &table = table_of(params);
  const absl::Span<float> to(static_cast<float *>(row), table.seen);
  std::memset(row, 0, table.seen * sizeof(float)); /* some games write what is not zero */
  infallibly(episode, row, table.seen * sizeof(float), [&](const State &state) {
    if (table.hidden)
      state.InformationStateTensor(static_cast<int>(agent), to);
    else
      state.ObservationTensor(static_cast<int>(agent), to);
  });
}

void flags(const void *params, const void *episode, uint8_t *out) {
  const Table &table = table_of(params);
  infallibly(episode, out, static_cast<size_t>(table.players), [&](const State &state) {
    const int player = state.CurrentPlayer();
    for (int p = 0; p < table.players; p++) {
      out[p] = state.IsTerminal() ? 0 : AGON_ALIVE;
      if (player == p) out[p] |= AGON_ACTS;
      if (player == open_spiel::kSimultaneousPlayerId && !state.LegalActions(p).empty())
        out[p] |= AGON_ACTS;
    }
  });
}

void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  const size_t size = table_of(params).head;
  std::memset(row, 0, size);
  infallibly(episode, row, size, [&](const State &state) {
    for (const open_spiel::Action action : state.LegalActions(static_cast<int>(agent)))
      row[action] = 1;
  });
}

/* Who has earned more has won; of several, the share of the others that one is ahead of. */
void outcome(const void *params, const void *episode, float *out) {
  const Table &table = table_of(params);
  const std::vector<double> &earned = live_of(episode).earned;
  const int teams = table.team_of.back() + 1;
  for (int t = 0; t < teams; t++) {
    float ahead = 0;
    for (int u = 0; u < teams; u++) {
      const double lead = earned[static_cast<size_t>(t)] - earned[static_cast<size_t>(u)];
      if (u != t) ahead += lead > 1e-9 ? 1.0f : lead < -1e-9 ? 0.0f : 0.5f;
    }
    out[t] = teams > 1 ? ahead / static_cast<float>(teams - 1) : 0.5f;
  }
}

void render(const void *, const void *episode, char *text, size_t size) {
  infallibly(episode, text, 1, [&](const State &state) {
    std::snprintf(text, size, "%s", state.ToString().c_str());
  });
}

AgonEnv fill() {
  AgonEnv env{};
  env.abi = AGON_ENV_ABI;
  env.struct_size = sizeof(AgonEnv);
  env.spec_size = sizeof(AgonEnvSpec);
  env.kind_size = sizeof(AgonKind);
  env.option_size = sizeof(AgonEnvOption);
  env.version = 1;
  env.name = "openspiel";
  env.summary = "a game of an installed OpenSpiel library";
  env.options = options;
  env.option_count = sizeof options / sizeof *options;
  env.params_capacity = sizeof(Params);
  env.configure = configure;
  env.unconfigure = unconfigure;
  env.create = create;
  env.destroy = destroy;
  env.save = save;
  env.load = load;
  env.reset = reset;
  env.step = step;
  env.observe = observe;
  env.flags = flags;
  env.mask = mask;
  env.outcome = outcome;
  env.chance_outcomes = chance_outcomes;
  env.chance_apply = chance_apply;
  env.render = render;
  return env;
}

} // namespace

extern "C" const AgonEnv *agon_env(void) {
  static const AgonEnv env = fill();
  return &env;
}
