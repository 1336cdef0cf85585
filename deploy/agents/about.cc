// What an exported agent is, and what it would do where it sees nothing: the C++ of agon/agent.h.
//   c++ about.cc $(pkg-config --cflags --libs agon-agent) -o about && ./about main_0.agon
#include <agon/agent.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

// The library's calls, with exceptions in place of their status.
class Agent {
public:
  explicit Agent(const char *path) {
    AgonAgent *agent = nullptr;
    check(agon_agent_open(path, &agent, &error));
    open.reset(agent);
    AgonAgentState *state = nullptr;
    check(agon_state_new(agent, info().team, &state, &error));
    memory.reset(state);
  }
  const AgonAgentInfo &info() const { return *agon_agent_info(open.get()); }
  std::vector<float> probabilities(const AgonAgentRows &rows) {
    std::vector<float> out(rows.count * info().output_count);
    AgonAgentAnswer answer = {};
    answer.probabilities = out.data();
    check(agon_agent_act(open.get(), memory.get(), &rows, &answer, &error));
    return out;
  }

private:
  void check(AgonAgentStatus status) {
    if (status != AGON_AGENT_OK) throw std::runtime_error(error.text);
  }
  AgonError error = {};
  std::unique_ptr<AgonAgent, decltype(&agon_agent_close)> open{nullptr, agon_agent_close};
  std::unique_ptr<AgonAgentState, decltype(&agon_state_free)> memory{nullptr, agon_state_free};
};

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  try {
    Agent agent(argv[1]);
    const AgonAgentInfo &info = agent.info();
    std::printf("%s of %s: sees %zu numbers, remembers %zu, %zu parameters\n", info.player, info.env,
                info.observation_count, info.memory_count, info.parameters);
    std::vector<float> nothing(info.team * info.observation_count); // of bytes a quarter would do
    std::vector<std::uint32_t> agents;
    for (std::uint32_t a = 0; a < info.team; a++)
      agents.push_back(a);
    std::vector<float> positions(3 * info.team);
    AgonAgentRows rows = {};
    rows.count = info.team;
    rows.observations = nothing.data();
    rows.agents = agents.data();
    rows.positions = positions.data();
    for (float p : agent.probabilities(rows))
      std::printf(" %.4f", static_cast<double>(p));
    std::printf("\n");
  } catch (const std::exception &fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
