#include "cli/glossary.h"

#include "base/status.h"

/* In an order in which each can be read after those before it. */
const Term glossary[] = {
    {"frame", "one decision of one learning agent, learned from."},
    {"episode", "one game, from start to end."},
    {"seat",
     "a side of the game: whoever sits first, and the other. Evaluation plays both seats alike. Of "
     "more than two teams two are compared: first is whose team comes first in the order of "
     "teams."},
    {"side", "a team of the game that has a population of its own (`league.sides: separate`): its "
             "players play no other seat, and meet only the other side's players."},
    {"slot", "a place where one episode after another is played."},
    {"lane", "slots that share a matchup."},
    {"evaluation lane",
     "a lane from which nobody learns (`actors.eval_share`): its games are what ratings stand on."},
    {"tick",
     "`actors.unroll` steps of every slot; the unit in which weights, tables and counts move."},
    {"unroll", "the decisions of one agent in one tick, which are learned from together."},
    {"actor",
     "the role of a rank that plays games and sends what was seen and done to the learners."},
    {"learner", "the role of a rank that updates players and publishes their weights."},
    {"guest",
     "a player from outside (a built-in, a program, an exported file) that sits in a league as a "
     "frozen member: `league.guests.NAME=PLAYER`, league/README.md."},
    {"teacher", "an agent that players are pulled to by KL(teacher || policy): `learner.teacher`, "
                "learner/README.md."},
    {"league", "all players, and the role of rank 0: it counts results, deals out matchups, "
               "freezes, resets and saves."},
    {"matchup", "who plays whom, and who of them learns; drawn by a lane from the league's table "
                "of probabilities."},
    {"directive",
     "what the league orders with each tick: whom to freeze, whom to reset, whether to save."},
    {"pace", "`lockstep` learns from exactly the weights that acted; `pipelined` (default) "
             "overlaps acting and learning, with a "
             "lag of one tick; both repeat byte for byte. `free` never waits."},
    {"lag", "how many versions of the weights lie between acting and learning."},
    {"cut", "the moment between two ticks at which a checkpoint is whole on all ranks."},
    {"generation", "the number of a checkpoint in its run folder: `checkpoints/NNNNNN.h5`."},
    {"main", "who is to become strong."},
    {"exploiter", "who learns to beat the mains, or the whole league."},
    {"snapshot", "a frozen copy of either, an opponent for good."},
    {"population-based training",
     "each player learns by numbers of its own (`tune.*`); whoever clearly loses goes on as a copy "
     "of the winner, with its numbers a little changed."},
    {"pool",
     "the frozen players that are met (`league.pool`); others are benched: they stay in the "
     "league, and nobody meets them."},
    {"retired",
     "a player that was taken out of training by hand (`agon league retire`): it is frozen "
     "as it was, under its own name."},
    {"lineage",
     "whose copy each player is, and what was changed in the league by hand (`agon league "
     "show`)."},
    {"reset", "an exploiter that has found what it can begins anew, from initial weights or "
              "(`league.reset_to`) others."},
    {"payoff", "the table of who wins how often against whom."},
    {"PFSP",
     "prioritised fictitious self-play: frozen opponents are drawn by how often they still win."},
    {"PSRO", "policy-space response oracles: learn against a mixture of past players that solves "
             "their meta-game."},
    {"meta-game", "the game in which each side picks a player, and the payoff is what these return "
                  "against each other."},
    {"welfare", "what all sides of a game earn together; as a measure of episodes the mean of it."},
    {"gini",
     "as a measure of episodes: how unequal what each side earns is, 0 (all alike) to 1 - 1 / "
     "sides (one has all): the mean absolute difference of two over twice the mean absolute "
     "return."},
    {"general-sum", "of a game: what all sides earn together depends on how they play, so that one "
                    "does not lose what another wins, and they may gain by agreeing."},
    {"correlated equilibrium",
     "somebody draws who plays what together from a distribution that all know, and tells each its "
     "own part: nobody gains by doing something else than it is told. One of them has the largest "
     "welfare, one is the most even (`agon rate --equilibrium ce`)."},
    {"coarse correlated equilibrium",
     "the same, where each decides before it is told: nobody gains by playing one strategy always "
     "(`--equilibrium cce`). Every correlated equilibrium is one, and every Nash equilibrium "
     "both."},
    {"Gini impurity", "of a distribution: 1 less the sum of its squares; 0 where one thing is "
                      "certain, the larger the more evenly it is spread."},
    {"CE gap", "what would be gained by answering each advice of a joint distribution as is best, "
               "summed over the sides; CCE gap: by one strategy whatever the advice. 0: it is an "
               "equilibrium."},
    {"JPSRO",
     "joint PSRO: learn against past players as they come in a correlated equilibrium of "
     "two populations' meta-game (`league.preset: jpsro`), so that it may be general-sum."},
    {"Nash averaging", "the strength of players in the meta-game's equilibrium, which copies of a "
                       "player do not change."},
    {"alpha-rank",
     "how long players stand against mutants in an evolving population; cycles count, too."},
    {"NashConv",
     "what best responses would win against a player, over both seats: 0 means unbeatable."},
    {"exploitability",
     "NashConv a seat. `agon exploit` walks whole trees, `agon probe` bounds it by learning."},
    {"Elo", "a rating: D more means a score of 1 / (1 + 10^(-D / 400)) over both seats. `random` "
            "is at 0."},
    {"anchor",
     "a built-in player that ratings stand on: `random`, and `scripted` where a game has one."},
    {"entropy",
     "how undecided a policy is, in nats: 0 always does the same, log(n) takes n actions alike."},
    {"team", "agents that share an interest. Where all are of one team it plays against nobody."},
    {"team return",
     "what a team earns in an episode, as the sum over its agents or as their mean (`returns`): by "
     "that it is judged where it plays against nobody."},
    {"greedy", "of a policy: it always takes what it thinks best. While it learns it tries other "
               "things, too: it samples, or explores (epsilon)."},
    {"epsilon", "the share of decisions in which whoever learns values of actions takes any that "
                "is allowed instead of the best (in `coma`: instead of one by its policy)."},
    {"Gumbel-softmax", "how a gradient passes through a choice: it is drawn as the largest of "
                       "outputs with noise, and "
                       "passes the gradient as if it were the softmax of the same sums (MADDPG)."},
    {"noise", "in half-ranges of an action, the deviation of what whoever learns deterministic "
              "actions (MADDPG) adds to them while it learns."},
    {"baseline", "a player that needs no training, whose return stands beside a team's: `random`, "
                 "`scripted` (the game's rule-based player), `noop` (it does nothing)."},
    {"parameter sharing",
     "agents decide with the same weights (`net.sharing`), so that what one learns all know; "
     "`net.agent_id` tells them who they are."},
    {"message", "numbers that an agent's network gives to those of its teammates before they act, "
                "learned with all else (`net.messages.*`)."},
    {"critic",
     "a network that values positions while learning. A centralised one (`mappo`, `coma`) "
     "sees more than an agent does: what the whole team knows. It stays with the learner; "
     "agents decide by what they see themselves."},
    {"counterfactual advantage",
     "what an agent's choice is worth to its team, less what its policy's choices are worth on "
     "average while all others do what they did (`coma`): what it changed itself."},
    {"opponent shaping", "learning by what one's choices do to how the other player learns, which "
                         "learns at the same time (`lola`), so that both may come to cooperate."},
    {"met", "share of the decisions learned from in which the other player learns, too (`lola`): "
            "not one that is frozen."},
    {"mixer", "a network that makes the team's value of the agents' own ones while learning "
              "(`qmix`, `qplex`; in `vdn` a sum), such that what is best for the team is what "
              "each takes for the best by itself."},
    {"relative overgeneralisation", "an action that pays only if others take it too looks bad on "
                                    "average over what they do, and is "
                                    "given up: why lone learners do not catch in `predator_prey`."},
    {"max-pressure", "control of signals (`traffic`): green goes where the most cars stand beyond "
                     "those that stand where they would go."},
    {"replay memory", "experience that is kept and learned from again (`replay.*`)."},
    {"difference reward",
     "what an agent added to its team's reward: that reward less what the team would have got in "
     "the same step had the agent done nothing, or not been there (`rewards.difference`)."},
    {"potential",
     "how good a position is for an agent, by the game's own word. Its growth, added to rewards "
     "(`rewards.shaping`), leads on and leaves what is best to do as it is."},
    {"inequity", "that others have earned more or less: what agents may mind of it is taken from "
                 "what they learn from (`rewards.social`)."},
    {"knob", "a number by which a game makes an episode easier or harder (`agon env info GAME` "
             "lists them), such as how many agents take part."},
    {"curriculum", "a task learned by stages over a game's knobs, from easy to hard (section "
                   "`curriculum`)."},
    {"mean field", "many agents as one: each sees the mean of what those around it did "
                   "(`env.mean_action`)."},
    {"commander", "an agent that orders the others of its team, of a kind of its own "
                  "(`env.commander`)."},
    {"opening", "random first steps, so that games of decided players differ."},
    {"python", "an environment of Python by its library: `gymnasium:CartPole-v1`, or "
               "`python:MODULE:FACTORY` of your own. The Python is `AGON_PYTHON`, that of "
               "`VIRTUAL_ENV`, or `python3`; `deploy/docs/PYTHON.md` has the rest."},
    {"plug-in", "a game in a shared object of its own, made against `include/agon/env.h`."},
};
const size_t glossary_count = COUNT_OF(glossary);
