/* A tic-tac-toe agent plays a game against itself, by nothing but libagon:
 *   agon export runs/tic_tac_toe --output ttt.agon
 *   cc self_play.c $(pkg-config --cflags --libs agon-agent) -o self_play && ./self_play ttt.agon */
#include <agon/agent.h>

#include <stdio.h>
#include <string.h>

enum { CELLS = 9 };

/* What the game shows whoever is to move: a plane of its own marks, then one of the other's. */
static void observe(const char *board, char own, uint8_t *out, uint8_t *mask) {
  for (int i = 0; i < CELLS; i++) {
    out[i] = board[i] == own;
    out[CELLS + i] = board[i] != '.' && board[i] != own;
    mask[i] = board[i] == '.';
  }
}

static int has_won(const char *b, char who) {
  static const int lines[8][3] = {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6},
                                  {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6}};
  for (int i = 0; i < 8; i++)
    if (b[lines[i][0]] == who && b[lines[i][1]] == who && b[lines[i][2]] == who) return 1;
  return 0;
}

int main(int argc, char **argv) {
  AgonAgent *agent;
  AgonAgentState *state;
  AgonError error = {""};
  char board[CELLS + 1] = ".........";
  if (argc != 2) return 2;
  AgonAgentStatus status = agon_agent_open(argv[1], &agent, &error);
  if (status == AGON_AGENT_OK && agon_agent_info(agent)->observation_count != 2 * CELLS) {
    fprintf(stderr, "%s plays %s\n", argv[1], agon_agent_info(agent)->env);
    agon_agent_close(agent);
    return 2;
  }
  if (status == AGON_AGENT_OK) status = agon_state_new(agent, 1, &state, &error);
  for (int move = 0; status == AGON_AGENT_OK && move < CELLS; move++) {
    const char own = move % 2 ? 'o' : 'x';
    const uint32_t who = (uint32_t)move % 2;
    uint8_t seen[2 * CELLS], mask[CELLS];
    AgonAction action;
    float value;
    observe(board, own, seen, mask);
    AgonAgentRows rows = {
        .count = 1, .observations = seen, .masks = mask, .agents = &who, .greedy = true};
    AgonAgentAnswer answer = {.actions = &action, .values = &value};
    status = agon_agent_act(agent, state, &rows, &answer, &error);
    if (status != AGON_AGENT_OK) break;
    board[action.choice] = own;
    printf("%c to %d, expects %+.2f: %.3s %.3s %.3s\n", own, action.choice, (double)value, board,
           board + 3, board + 6);
    if (has_won(board, own)) break;
  }
  if (status != AGON_AGENT_OK) {
    fprintf(stderr, "%s\n", error.text);
    return (int)status;
  }
  agon_state_free(state);
  agon_agent_close(agent);
  return 0;
}
