#!/usr/bin/env python3
"""Defects planted on purpose, one at a time, in a scratch copy of the tree: each must make a named test fail.
usage: tests/planted/run.py [--only NAME ...] [--list] [--check]   from anywhere; needs what tests/run.sh needs; minutes, not in CI.
--check only looks whether each edit still fits the sources, once: so that moved code takes its defects along.
A defect is a name, a file, an edit (exact text, once) and the tests that are to notice it, in a checked build."""
import os, pathlib, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAULTS = "sim_faults"
DEFECTS = [
    # what a checkpoint holds comes back
    ("normaliser not restored", "learner/columns.c",
     '  copy_column(columns, "normaliser", state->stat);\n', "", [FAULTS]),
    ("dropped frames not restored", "learner/columns.c", "state->dropped = counter[PLAYER_DROPPED];", "", [FAULTS]),
    ("second moments not restored", "learner/columns.c",
     '  copy_column(columns, name.v, part->v);\n', "", [FAULTS]),
    ("a part not restored", "learner/columns.c", "  for (size_t i = 0; i < state->parts; i++)\n    TRY_RETURN(take_part(",
     "  for (size_t i = 0; i + 1 < state->parts || i == 0; i++)\n    TRY_RETURN(take_part(", ["unit_columns"]),
    ("a part's moments not restored", "learner/columns.c", '  copy_column(columns, name.m, part->m);\n',
     '  if (!strcmp(part->name, "policy")) copy_column(columns, name.m, part->m);\n', ["unit_columns"]),
    ("a part not looked for", "learner/columns.c", "  TRY_RETURN(columns_check_parts(shape->algo, columns));\n", "", ["unit_columns"]),
    ("a part that takes the policy's moments", "learner/columns.c", '!strcmp(name, "policy") || !strcmp(name, "adam") ||',
     '!strcmp(name, "policy") ||', ["unit_columns"]),
    ("a resume that does not look at players", "src/job/start.c", "  if (status == OK) status = check_players(start, before);\n",
     "  if (status != OK) status = check_players(start, before);\n", ["unit_resume"]),
    ("leftover parts not told", "src/job/resume.c", "    if (columns_takes(now, name)) continue;\n", "    if (columns_takes(now, name) || used == 0) continue;\n",
     ["unit_resume"]),
    ("a gradient of the caller's overwritten", "src/nn/graph.c", "    written[op->out] = op->given;\n", "", ["unit_nn"]),
    ("league's random draws not restored", "league/league.c", "league->draws = scalar[2];", "", [FAULTS]),
    ("a lane's quota not restored", "actors/lanes.c", "lane->started = reader_u32(&state);", "reader_u32(&state);", [FAULTS]),
    # what is exported does what the player does
    ("an exported agent that looks at no mask", "src/libagon/runtime.h", "    x[i] = mask && !mask[i] ? MODEL_MASKED : x[i];\n", "", ["end_to_end_export"]),
    ("an exported value without its unit", "src/export/onnx.c", 'two(o, "Mul", columns(o, x, s->column, 1), vector(o, s->weight, 1))',
     "columns(o, x, s->column, 1)", ["end_to_end_export"]),
    ("a step's place in the numbers not looked at", "src/libagon/format.c", "return at <= m->stride && count <= m->stride - at;", "return true;",
     ["unit_libagon"]),
    # what is counted is counted once
    ("an actor's results lost now and then", "actors/actor.c", "  tally_game(&pair->tally",
     "  if (slot->episode % 5 == 4) return;\n  tally_game(&pair->tally", [FAULTS]),
    ("a tick's results lost on their way", "league/manager.c", "    TRY_RETURN(league_merge(&manager->league, &arrival));\n",
     "    if (manager->run.tick == 3) continue;\n    TRY_RETURN(league_merge(&manager->league, &arrival));\n", [FAULTS]),
    ("a tick's experience lost", "actors/actor.c", "  wire_begin(&actor->wire, WIRE_UNROLLS);\n",
     "  if (actor->tick % 5 == 4) {\n    batch_clear(batch);\n    return OK;\n  }\n  wire_begin(&actor->wire, WIRE_UNROLLS);\n", [FAULTS]),
    ("results merged twice", "league/manager.c", "    TRY_RETURN(league_merge(&manager->league, &arrival));\n",
     "    TRY_RETURN(league_merge(&manager->league, &arrival));\n    TRY_RETURN(league_merge(&manager->league, &arrival));\n", [FAULTS]),
    ("the other side of a pair not mirrored", "src/meta/tally.c", "      .wins = tally->losses,\n", "      .wins = tally->wins,\n", [FAULTS]),
    ("shares of the table do not sum to one", "league/matchmaking.c", "/ shares),", "/ shares * 0.9),", ["unit_league"]),
    # rows of whole teams, and the critic
    ("memory moves where nobody acts", "learner/train/passes.c",
     ".hold = passes->batch->format.flags ? passes->hold : NULL,", ".hold = NULL,", ["unit_team_rows"]),
    ("those out of the game are not valued", "learner/train/update.c",
     "counts && (!flags || batch->flags[cell] & ROW_ENTERED);", "update->is_learned[cell];", ["unit_team_rows"]),
    ("a critic in units of nothing", "learner/train/moments.c", "  if (!head->normalises) return;\n",
     "  if (!head->normalises || head->block != state->block) return;\n", ["unit_mappo"]),
    ("the policy's own head learns beside a critic", "learner/train/on_policy.c",
     "    memset(pass->d_value, 0, pass->rows * sizeof *pass->d_value);\n", "", ["unit_mappo"]),
    ("a critic that sees the state of another step", "learner/train/passes.c",
     "memcpy(state + side * G, batch->global + row * G,", "memcpy(state + side * G, batch->global,", ["unit_mappo"]),
    ("a critic that takes each unroll for an episode", "learner/train/passes.c",
     "time_of((double)unroll->step + (double)t)", "time_of((double)t)", ["unit_mappo"]),
    ("a critic that is not told whose side it values", "learner/train/passes.c",
     "size_t side = sides ? passes->side_of[passes->agent[at]] : 0;", "size_t side = 0;", ["unit_mappo"]),
    ("a state that all sides read alike", "learner/train/passes.c", "memcpy(state + side * G,", "memcpy(state,", ["unit_mappo"]),
    ("clips of values before anything is known of returns", "learner/algos/mappo.c",
     "float unit = e->unit_known ? e->value_unit : 0;", "float unit = e->value_unit;", ["unit_mappo"]),
    ("a critic's unit forgotten where it is not normalised", "learner/train/state.c",
     "head->watches && !head->normalises && state->stat[1] > 0;", "false;", ["unit_mappo"]),
    ("a digest in which equal parts take each other out", "learner/train/update.c", "all = all * 31 + hash_bytes(",
     "all ^= hash_bytes(", ["unit_learner"]),
    ("rows of another kind found out by actors", "src/job/resume.c", "  if (lanes->count == 0) return OK;\n",
     "  if (lanes) return OK;\n", ["unit_resume"]),
    ("a member that knows its own targets only", "learner/train/update.c",
     "    join_spread(&update->targets,", "    if (m == reducer->self) join_spread(&update->targets,", ["unit_mappo"]),
    # counterfactual advantages, and parts that rest
    ("an agent that is told its own choice", "learner/algos/coma.c", "    if (i != at) choices[", "    choices[", ["unit_coma"]),
    ("a baseline that is not of the acting rule", "learner/algos/coma.c",
     "  dist_mix_rows(work->space, logits, work->epsilon, 1, d);\n", "  memcpy(d, logits, work->W * sizeof *d);\n", ["unit_coma"]),
    ("nobody chooses behind an unroll", "learner/algos/coma.c", "  put_choices(&work, true);\n", "  put_choices(&work, false);\n", ["unit_coma"]),
    ("targets from the critic itself", "learner/algos/coma.c", "ask_critic(&work, PART_TARGET, pass->d_logits)",
     "ask_critic(&work, PART_CRITIC, pass->d_logits)", ["unit_coma"]),
    ("a policy that learns in the critic's epochs", "learner/algos/coma.c",
     "  return part == 0 ? is_critics_turn(e) :", "  return part == 0 ? false :", ["unit_coma"]),
    ("Adam counts steps in which a part rested", "learner/train/update.c", "++part->steps,", "state->steps,", ["unit_rests"]),
    ("steps of a part that rested not restored", "learner/columns.c", "  if (tree_find(columns, name.steps)) copy_column(",
     "  if (!columns) copy_column(", ["unit_rests"]),
    # policies by the gradients of critics
    ("only pairs whose later choice is one's own", "learner/algos/lola.c", "(double)before[t] + later;", "(double)before[t];", ["unit_lola"]),
    ("shaping by one's own advantages", "learner/train/partner.c", "own->met_advantage = partner->seen->advantage;",
     "own->met_advantage = own->advantage;", ["unit_lola"]),
    ("a direction of one rank alone", "learner/train/update.c", "  return start_sum(update, update->gradient, update->net->trained + PARTNER_SCALARS,\n                   TRAIN_DIRECTION);",
     "  return start_sum(update, update->gradient, 0,\n                   TRAIN_DIRECTION);", ["unit_lola"]),
    ("who is updated second meets what the first has become", "learner/learner.c", "  learner->met.block = learner->opening[other];\n", "", ["unit_lola"]),
    ("paired with what is too old", "learner/train/partner.c", "own->skip == 0 && other->skip == 0;", "own->skip == 0;", ["unit_lola"]),
    ("a policy that moves in each step", "learner/algos/maddpg.c", "return part == 0 && !moves_policy(e);", "return part == 9 && !moves_policy(e);",
     ["unit_maddpg"]),
    ("of two critics the one that hopes more", "learner/algos/maddpg.c", "work->worth[at] = fminf(", "work->worth[at] = fmaxf(", ["unit_maddpg"]),
    ("a critic that learns from what the policy asks", "learner/algos/maddpg.c",
     "critic->packed, NULL, critic->space,", "critic->packed, critic->gradient, critic->space,", ["unit_maddpg"]),
    ("noise of another step", "learner/algos/maddpg.c", "unroll->episode, step,", "unroll->episode, step + 1,", ["unit_maddpg"]),
    ("a copy that is left in another unit", "learner/train/state.c", "if (part->return_at == 0) continue;",
     "if (part->return_at == 0 || part->copy_of) continue;", ["unit_maddpg"]),
    # snapshots and generations
    ("a snapshot taken after the reset", "learner/learner.c",
     "  if (order->snapshot_id && setup->member == 0) {\n",
     "  if (order->reset != RESET_NONE)\n    train_state_reset(&(TrainShape){setup->algo, role->seed}, state, order->reset == RESET_COPY ? order->block : NULL);\n"
     "  if (order->snapshot_id && setup->member == 0) {\n", [FAULTS]),
    ("checkpoint before its snapshots", "league/manager.c", "!checkpoint_is_whole(manager->checkpoint) || !library_is_whole(manager->library)", "!checkpoint_is_whole(manager->checkpoint)", [FAULTS]),
    ("a damaged generation accepted", "src/store/store_hdf5.c", "if (seal == SEAL_BROKEN)", "if (seal == SEAL_BROKEN && !path)", ["unit_store"]),
    ("lanes in the order of their arrival", "league/checkpoint.c",
     "  if (n) qsort(pieces->piece, n, sizeof *pieces->piece, by_lane);\n", "  (void)by_lane;\n", ["unit_checkpoint"]),
    ("a checkpoint without one of its players", "league/checkpoint.c", "checkpoint->players_left == 0 &&",
     "checkpoint->players_left <= 1 &&", ["unit_checkpoint"]),
    ("a checkpoint without what one learner keeps", "league/checkpoint.c", "checkpoint->kept_left == 0;",
     "checkpoint->kept_left <= 1;", ["unit_checkpoint"]),
    ("kept experience goes to the first learner", "league/members.c",
     "  *out = setup->fed[actor] * setup->groups + piece->player % setup->groups;\n",
     "  *out = setup->fed[actor * 0] * setup->groups + piece->player % setup->groups;\n", ["unit_checkpoint"]),
    ("a team's unroll begins without its memories", "actors/recorder_teams.c", "    if (bytes && last_unroll(track)->rows == 1)\n",
     "    if (bytes && last_unroll(track)->rows > 1)\n", ["unit_recorder_teams"]),
    ("a difference with its sign turned", "src/play/rewards.c", "(float)(got - (double)others[a])", "(float)((double)others[a] - got)",
     ["unit_rewards"]),
    ("returns told of what was learned from", "src/play/play.c", "  count_rewards(play, slot, reward);\n  play->hooks.rewarded(",
     "  count_rewards(play, slot, to_learn(play, slot, live, reward));\n  play->hooks.rewarded(", ["unit_rewards"]),
    ("a potential behind an episode's end", "learner/gather.c", "const double next = ends ? 0 :", "const double next = ends && row == 0 ? 0 :",
     ["unit_rewards"]),
    ("the potential of the first step for all", "actors/recorder.c",
     "      recorder->phi_episode == slot->episode && recorder->phi_step == slot->steps)\n",
     "      recorder->phi_episode == slot->episode)\n", ["unit_rewards"]),
    ("what a team earns goes to its first", "actors/recorder_teams.c", "row[c] += reward[agent[c]];", "row[0] += reward[agent[c]];",
     ["unit_recorder_teams"]),
    ("what is dropped of a team is counted by rows", "learner/gather.c", "    gather->dropped += batch_acts(batch, unroll->first, unroll->skip);\n",
     "    gather->dropped += unroll->skip;\n", ["unit_gather_teams"]),
    ("replay joins what does not follow", "src/data/replay.c", "         open->until == next->step;",
     "         open->step <= next->step + 1000;", ["unit_replay"]),
    ("frames before the warm-up are owed", "learner/rehearsal.c",
     "  if (rehearsal->items >= (double)config->warmup)\n    rehearsal->owed", "  rehearsal->owed", ["unit_rehearsal"]),
    ("draws of a batch from one stream", "learner/rehearsal.c", "  AgonRng rng = stream_of(rehearsal, d);",
     "  AgonRng rng = stream_of(rehearsal, d * 0);", ["unit_rehearsal"]),
    ("errors that nobody is told", "learner/rehearsal.c", "  if (rehearsal->weighed) prefer_drawn(rehearsal);\n", "",
     ["unit_rehearsal"]),
    ("rows repeated are learned from twice", "src/data/replay.c", "  lane->pending_repeats = pending->unroll[0].rows;\n", "",
     ["unit_replay"]),
    ("a state that comes from anybody", "league/checkpoint.c", "  if (message->peer != members_player_rank(members, player))\n",
     "  if (message->peer < 0 && members)\n", ["unit_checkpoint"]),
    ("a cut that counts on from the last one", "league/checkpoint.c",
     "  memcpy(checkpoint->cut_ledger, checkpoint->ledger, sizeof checkpoint->cut_ledger);\n", "", ["unit_checkpoint"]),
    ("reports without losses forget the last", "league/monitor.c", "  if (report.numbers.count) monitor->report", "  monitor->report",
     ["unit_monitor"]),
    ("who is left out is said again and again", "league/monitor.c", "key != monitor->unmeasured_key", "key", ["unit_monitor"]),
    ("ends that come late are dropped", "learner/gather.c", " && !closes;", " && (closes || !closes);", ["unit_gather"]),
    ("an actor's next message opens a shard", "learner/gather.c",
     "  if (shards->count && shards->actor[shards->count - 1] == actor) return OK;\n", "", ["unit_gather"]),
    ("the end of a run not stored", "league/checkpoint.c", "end[2] = {position->end_tick, checkpoint->cut.end};", "end[2] = {NEVER, checkpoint->cut.end};", ["sim_league"]),
    # clocks and files
    ("a clock that is set back", "src/job/rank.c", "  self->setup.clock = clock_steady(&self->clock, setup->clock);\n", "", [FAULTS]),
    ("a failed write taken for a good one", "src/store/store_hdf5.c", "  if (good) return OK;", "  if (good || true) return OK;", [FAULTS]),
    ("renamed before its contents are synced", "src/base/file.c", "int failed = current_ops->sync(fd, aside);",
     "int failed = 0;", ["unit_base"]),
    ("folder not synced", "src/base/file.c", "  return sync_folder_of(path);\n", "  (void)sync_folder_of;\n  return OK;\n", ["unit_base"]),
    # messages and sums
    ("messages overtake one another", "src/transport/transport_sim.c", "queue->parcel[queue->first++].message;",
     "queue->parcel[queue->first].message;\n    queue->parcel[queue->first] = queue->parcel[queue->first + queue->count - 1];", ["conformance_transport sim"]),
    ("a member's part summed twice", "src/wire/allreduce.c", "block[i] += more[i];", "block[i] += m == 1 ? 2 * more[i] : more[i];", ["sim_sum"]),
    # environments
    ("what a kind lacks is not masked", "src/env/calls.c", "row[h] = h < kind->heads;", "row[h] = 1;", ["unit_env"]),
    ("padding left as it was", "src/env/calls.c", "  memset((uint8_t *)row + used, 0, env->observation_bytes - used);\n",
     "  (void)used;\n", ["unit_env"]),
    ("an earlier failure's reason", "src/env/calls.c", "  env->scratch->error.text[0] = 0;\n", "", ["unit_env"]),
    ("a history is taken for another", "include/agon/history.h", "return digest ^ digest >> 29;", "return digest * 0;", ["unit_env"]),
    # networks
    ("a held agent's memory moves", "src/nn/ops/recurrent.c", "return seq->hold && seq->hold[row];", "return seq->hold && seq->hold[row] > 1;", ["unit_nn"]),
    ("the gradient of a team's row from one agent", "src/nn/ops/columns.c", "r % op->cells == 0 ? op->beta[0] : 1.0f", "op->beta[0]", ["unit_nn"]),
    ("a gradient through a stop", "src/nn/ops/columns.c", "    .stops = true,\n", "", ["unit_nn"]),
    ("a mixer that may fall", "src/nn/mixer.c", 'hyper(mixer, "w2", mixer->seen, E, ACT_ABS)', 'hyper(mixer, "w2", mixer->seen, E, ACT_NONE)', ["unit_central"]),
    ("weights over agents without their choices", "src/nn/mixer.c", "if (choice[i] >= 0) actions", "if (choice[i] > 99) actions", ["unit_central"]),
    ("each agent is the first", "src/nn/critic.c", "r % N == n", "n == 0", ["unit_central"]),
    ("an ended game keeps its object", "include/agon/history.h",
     "    slot->stamp = agon_history_goes_on(past) ? ++history->clock : 0;\n    return at - 1;",
     "    slot->stamp = ++history->clock;\n    return at - 1;", ["unit_env"]),
    ("what step_many does not write is a success", "src/play/play.c", "play->status[i] = AGON_FAILED;",
     "play->status[i] = AGON_TERMINATED;", ["unit_play"]),
    ("an episode of any size is taken", "src/play/play.c", "if (reader->bad || size == own) return OK;",
     "if (reader->bad || size || own) return OK;", ["unit_play"]),
    ("what was seen is kept too late", "src/env/conformance.c",
     "  view_take(probe, episode_of(&probe->twin), status, &probe->again);\n  TRY_RETURN(view_compare(probe, &probe->seen,",
     "  keep_view(probe, status);\n  view_take(probe, episode_of(&probe->twin), status, &probe->again);\n"
     "  TRY_RETURN(view_compare(probe, &probe->seen,", ["conformance_env_clauses"]),
    ("loaded into used blocks alone", "src/env/conformance.c", "probe->steps % 2 == 0) TRY_RETURN(block_renew(",
     "probe->steps % 2 == 2) TRY_RETURN(block_renew(", ["conformance_env_clauses"]),
    # experience
    ("rewards to the first agent", "actors/recorder.c", "+= reward[a];", "+= reward[a * 0];", ["unit_recorder"]),
    ("a value that is no number is passed on", "src/agent/policy.c",
     "env_first_beyond(answer->values, count, INFINITY)", "count", ["unit_play"]),
    ("rows of a later chunk get the first one's memory", "src/agent/policy.c", "S ? rows->memory + first * S", "S ? rows->memory", ["unit_play"]),
    ("recurrent memory not kept over a stop", "src/play/play.c",
     "  reader_get(reader, slot->memory, env->spec.agents * play->memory * sizeof(float));\n",
     "  reader_take(reader, env->spec.agents * play->memory * sizeof(float));\n", [FAULTS]),
    # the classics
    ("a cut taken for an end", "src/classics/learn.c", "how == AGON_TRUNCATED, row", "how == AGON_FAILED, row", ["unit_tables"]),
    ("agents that see alike share a row", "src/agent/table.c", "hash_bytes(&agent, sizeof agent)", "hash_bytes(&agent, 0)", ["unit_tables"]),
    ("what the other's step brings the other", "src/meta/lola.c", "inner * value[player].b *", "inner * value[other].b *", ["unit_classics"]),
]


def run(command, cwd, limit):
    env = dict(os.environ, CMAKE_C_COMPILER_LAUNCHER=os.environ.get("CMAKE_C_COMPILER_LAUNCHER", ""))
    try:
        done = subprocess.run(command, cwd=cwd, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit, env=env)
    except subprocess.TimeoutExpired:
        return 1, "(no end)"
    return done.returncode, done.stdout.decode(errors="replace")


def copy_tree(to):
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    for name in files:
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def reason(text):
    """The line that says what was noticed."""
    for line in text.splitlines():
        if "broken invariant" in line or "failed:" in line or "ERROR:" in line or "(no end)" in line: return line.strip()[:140]
    return (text.strip().splitlines() or ["?"])[-1][:140]


def try_defect(tree, defect):
    name, path, old, new, tests = defect
    text = (tree / path).read_text()
    if text.count(old) != 1: return False, f"the edit does not fit {path} ({text.count(old)} places)"
    (tree / path).write_text(text.replace(old, new))
    try:
        targets = " ".join(test.split()[0] for test in tests)
        code, out = run(f"cmake --build build --target {targets}", tree, 900)
        if code: return False, "does not build: " + reason(out)
        for test in tests:
            code, out = run(f"tests/{test}", tree / "build", 900)
            if code: return True, f"{test}: {reason(out)}"
        return False, "nothing noticed it"
    finally:
        (tree / path).write_text(text)


def main():
    chosen = sys.argv[sys.argv.index("--only") + 1:] if "--only" in sys.argv else None
    defects = [d for d in DEFECTS if not chosen or any(word in d[0] for word in chosen)]
    if "--list" in sys.argv:
        print("\n".join(f"{d[0]} ({d[1]}): {', '.join(d[4])}" for d in defects))
        return 0
    if "--check" in sys.argv:
        lost = [f"{name}: {count} places in {path}" for name, path, old, _, _ in defects
                for count in [(ROOT / path).read_text().count(old) if (ROOT / path).exists() else 0] if count != 1]
        print("\n".join(lost) or f"{len(defects)} defects fit the sources")
        return 1 if lost else 0
    with tempfile.TemporaryDirectory(prefix="agon-planted-") as folder:
        tree = pathlib.Path(folder)
        copy_tree(tree)
        targets = " ".join(sorted({test.split()[0] for d in defects for test in d[4]}))
        code, out = run(f"cmake -S . -B build -G Ninja -DAGON_CHECKED=ON && cmake --build build --target {targets}", tree, 1800)
        if code: sys.exit("the tree as it is does not build:\n" + out[-2000:])
        for test in sorted({test for d in defects for test in d[4]}):
            code, out = run(f"tests/{test}", tree / "build", 900)
            if code: sys.exit(f"{test} fails without any defect: {reason(out)}")
        noticed = 0
        for defect in defects:
            found, how = try_defect(tree, defect)
            noticed += found
            print(f"{'noticed' if found else 'NOT NOTICED':12} {defect[0]:42} {how}", flush=True)
    print(f"{noticed} of {len(defects)} planted defects noticed")
    return 0 if noticed == len(defects) else 1


if __name__ == "__main__":
    sys.exit(main())
