#!/usr/bin/env bash
# Bad input: one clear message, the documented exit code, no rank left hanging.
. "$(dirname "$0")/common.sh"
expect 2 "no command 'trian', did you mean 'train'" "$AGON" trian
expect 2 "which game" "$AGON" train
expect 2 "did you mean 'tic_tac_toe'" "$AGON" train tic_tac_toes
expect 2 "unknown key 'learner.rat', did you mean 'learner.rate'" "$AGON" train tic_tac_toe learner.rat=1
expect 2 "'x' is not a number" "$AGON" train tic_tac_toe learner.rate=x
expect 2 "unknown flag '--resumee', did you mean '--resume'" "$AGON" train tic_tac_toe --resumee auto
expect 2 "needs a value" "$AGON" train tic_tac_toe --run-dir
expect 2 "--run-dir needs a value" "$AGON" train tic_tac_toe --run-dir --quiet
printf 'game: tic_tac_toe\nnet:\n  hiden: [8]\n' > bad.yaml
expect 2 "bad.yaml:3:10: unknown key 'net.hiden', did you mean 'net.hidden'" "$AGON" config check bad.yaml
# what other programs call a key, a key of another section, and nothing where nothing is near
for pair in lr:learner.rate learning_rate:learner.rate ent_coef:learner.entropy clip_coef:ppo.clip num_envs:actors.slots \
  gae_lambda:learner.lambda total_timesteps:frames width:net.hidden net.rate:learner.rate lane:actors.lanes; do
  expect 2 "unknown key '${pair%:*}', did you mean '${pair#*:}'\?" "$AGON" train tic_tac_toe "${pair%:*}=1"
done
for word in zork learner.zzzz x; do
  expect 2 "unknown key '$word'; 'agon config schema' lists all" "$AGON" train tic_tac_toe $word=1
done
expect 2 "no environment 'zork'; 'agon env list'" "$AGON" train zork
expect 2 "no command 'xyz'; 'agon help'" "$AGON" xyz
expect 2 "unknown flag '--abc'$" "$AGON" train tic_tac_toe --abc
# times as people and Slurm write them; a suffix that is none is asked back
for time in 20s 5m 2h 1h30m 1:30:00 1-12:00:00 90; do
  expect 0 "^tic_tac_toe is good" "$AGON" config check tic_tac_toe max_seconds=$time checkpoint.seconds=$time
done
expect 0 "seconds: 129600" "$AGON" config show tic_tac_toe checkpoint.seconds=1-12:00:00
expect 2 "'1:70' is not a time: seconds, or 20s, 5m, 2h, 1:30:00, 1-12:00:00" "$AGON" train tic_tac_toe --max-time 1:70
expect 2 "frames: '20m' is not a whole number, did you mean 20M \(million\)\?" "$AGON" train tic_tac_toe frames=20m
expect 2 "budget: '5m' is not a whole number .*, did you mean 5M" "$AGON" probe none --budget 5m
expect 3 "none/status.json" "$AGON" watch none --every 1m
printf 'game: tic_tac_toe\nnet:\n\thidden: [8]\n' > tab.yaml
expect 2 "tab.yaml:3:1: a tab indents this line; YAML takes spaces only" "$AGON" config check tab.yaml
# one spelling of an env's options everywhere, and the one without 'env.' still understood
for option in env.cards=4 cards=4; do
  expect 0 "actions +discrete: 4" "$AGON" env info goofspiel $option
  expect 0 "random +vs scripted" "$AGON" eval --env goofspiel $option --players " random , scripted" --games 4 --quiet
  expect 0 "NashConv" "$AGON" exploit --env goofspiel $option --player " uniform , random"
done
printf 'game: [\n' > broken.yaml
expect 2 "broken.yaml:.*not valid YAML" "$AGON" config check broken.yaml
expect 2 "cannot read the configuration file" "$AGON" train nowhere.yaml
expect 3 "no run to resume" "$AGON" train tic_tac_toe --run-dir none --resume must
expect 3 "holds no run" "$AGON" status none
expect 3 "holds no run" "$AGON" league show none
expect 2 "actors.lanes" "$AGON" train tic_tac_toe actors.lanes=7
# what leads a memory up is whole unrolls of the piece before: a piece must hold them, and one that is new
burn="simple_spread learner.algorithm=iql actors.unroll=32 net.memory=gru"
expect 2 "replay.burn_in 10 \(command line\) makes each piece of an episode begin with 32 steps .*actors.unroll.*, but replay.longest is 40: raise replay.longest to 64 or more" \
  "$AGON" train $burn replay.longest=40 replay.burn_in=10 --run-dir led
expect 2 "raise replay.longest to 96 or more" "$AGON" train $burn replay.longest=95 replay.burn_in=33 --run-dir led
for keys in "replay.longest=40" "replay.longest=64 replay.burn_in=32" "replay.longest=96 replay.burn_in=33" "replay.longest=40 replay.burn_in=10 net.memory=none"; do
  expect 0 "is good" "$AGON" config check $burn $keys
done
expect 2 "league.sides separate \(command line\) keeps a population for each of two teams, and simple_spread has 1" \
  "$AGON" train simple_spread league.sides=separate
expect 2 "league.main_rule alpharank ranks the members of one population" "$AGON" train simple_tag league.sides=separate \
  league.preset=alpharank
# who goes by how the other player learns needs that one
lola="learner.algorithm=lola league.preset=self-play"
needs="learner.algorithm lola \(command line\) goes by how the other player learns, and needs"
expect 2 "$needs a game of two players who move at once" "$AGON" train tic_tac_toe $lola
expect 2 "$needs a game of two players who move at once" "$AGON" train simple_spread $lola
expect 2 "$needs one learning player, or one on each side" "$AGON" train coin_game $lola league.mains=2
expect 2 "$needs a pace that repeats" "$AGON" train coin_game $lola pace=free
expect 2 "$needs both players at the same learner ranks" "$AGON" train coin_game $lola league.sides=separate learner.groups=2
expect 0 "is good" "$AGON" config check coin_game $lola league.sides=separate
expect 2 "league.sides: 'apart' is not one of together\|separate" "$AGON" train simple_tag league.sides=apart
expect 2 "cannot load the plug-in" "$AGON" train ./nothing.so
printf 'junk' > junk.h5
expect 4 "junk.h5" "$AGON" checkpoint verify junk.h5
expect 4 "junk.h5" "$AGON" train tic_tac_toe --run-dir fromjunk --resume junk.h5
# under mpirun every rank leaves, with the code of rank 0, and only rank 0 speaks
expect 2 "unknown key" mpirun --oversubscribe --bind-to none -n 3 "$AGON" train tic_tac_toe nonsense.key=1
[ "$(grep -c 'agon train:' out.txt)" = 1 ] || fail "more than one rank spoke"
expect 2 "unknown flag" mpirun --oversubscribe --bind-to none -n 3 "$AGON" train tic_tac_toe --nonsense
[ "$(grep -c 'agon train:' out.txt)" = 1 ] || fail "more than one rank spoke of a flag"
expect 2 "actor ranks, but only 1 lanes" mpirun --oversubscribe --bind-to none -n 3 "$AGON" train tic_tac_toe actors.lanes=1 actors.eval_share=0
expect 2 "learner.ranks is 4" mpirun --oversubscribe --bind-to none -n 3 "$AGON" train tic_tac_toe learner.ranks=4
expect 5 "cannot make folder" "$AGON" train tic_tac_toe --run-dir /proc/agon
# a full disk in the middle (file size limit): the job ends with the reason named, what was saved stays good
cat > limited.sh <<L
export PMIX_MCA_gds=hash  # MPI itself must not need large files
ulimit -f 60
exec "$AGON" train "$smoke" --run-dir limited frames=1M checkpoint.ticks=5 checkpoint.patience=0 'net.hidden=[128,128]'
L
expect 5 "is the disk full" bash limited.sh
# players and runs of other options, or of another game, do not meet, and a run keeps its own
tiny="net.hidden=[8] frames=1k actors.slots=16 actors.lanes=8 --quiet"
"$AGON" train goofspiel env.cards=4 $tiny --run-dir random4
"$AGON" train goofspiel env.cards=4 env.prizes=descending $tiny --run-dir falling4
other="'goofspiel cards=4 prizes=descending', not 'goofspiel cards=4'"
expect 2 "$other" "$AGON" eval random4 --players main_0,falling4:main_0 --games 10
expect 2 "$other" "$AGON" match random4:main_0 falling4:main_0 --games 10
expect 2 "$other" "$AGON" match random4:main_0 "$(echo falling4/players/main_0-000000-*.h5)" --games 10
expect 2 "$other" "$AGON" exploit random4 --player falling4:main_0
expect 2 "$other" "$AGON" query random4 --player falling4:main_0
expect 2 "$other" "$AGON" play goofspiel cards=4 --player falling4:main_0
expect 2 "$other" "$AGON" probe random4 --player falling4:main_0 --budget 1k
expect 2 "env.cards is 4 in random4, and 5 is asked for \(command line\): that may not change on resume" "$AGON" train goofspiel env.cards=5 --run-dir random4 --resume auto
# keys that may not change on resume are named before the job says or begins anything, on any number of ranks
fixed() {
  local named=$1; shift
  expect 2 "^agon train: $named: that may not change on resume; leave (it|them) out to go on, or begin another run" "$@" frames=20k
  if grep -q '^\[' out.txt; then cat out.txt; fail "a job began before it was refused: $*"; fi
}
of="and \[16\] is asked for \(command line\)"
fixed "net.hidden is \[8\] in random4, $of" "$AGON" train random4 'net.hidden=[16]'
fixed "net.conv is \[\] in random4, $of" "$AGON" train random4 'net.conv=[16]'
fixed "net.memory is none in random4, .*; league.sides is together in random4, and separate is asked for \(command line\)" "$AGON" train random4 net.memory=gru league.sides=separate
for key in activation=relu layer_norm=true separate=true normalise_observations=true; do
  fixed "net.${key%=*} is (tanh|false) in random4, and ${key#*=} is asked for \(command line\)" "$AGON" train random4 net.$key
done
for key in league.main_exploiters=0 league.league_exploiters=0; do
  expect 2 "^agon train: ${key%=*} is 1 in random4, and 0 is asked for \(command line\): a player learns no more once it is retired" "$AGON" train random4 frames=20k $key
done
fixed "actors.slots / actors.lanes is 2 in random4, and 4 is asked for \(actors.slots=16, actors.lanes=4, command line\)" "$AGON" train random4 actors.lanes=4
printf 'game: goofspiel\nenv: {cards: 4, prizes: descending}\n' > changed.yaml
fixed "env.prizes is random in random4, and descending is asked for \(changed.yaml:2:25\)" mpirun --oversubscribe --bind-to none -n 3 "$AGON" train changed.yaml --run-dir random4 --resume
[ "$(grep -c 'agon train:' out.txt)" = 1 ] || fail "more than one rank spoke of a key"
# what no weight or game hangs on may change: so many lanes more, another rate, sizes of a memory that there is not
cp -r random4 changed
"$AGON" train changed actors.slots=32 actors.lanes=16 learner.rate=0.001 learner.algorithm=impala net.memory_size=8 env.cards=4.0 frames=9k --quiet
grep -q '"frames_target": 9000' changed/status.json || fail "what may change does not"
# another game's run, file or table is said to be one, and of which game
"$AGON" train tic_tac_toe $tiny actors.eval_share=.5 --run-dir toe
another="toe is of another game, tic_tac_toe, not of goofspiel"
expect 2 "$another: begin another run" "$AGON" train goofspiel --run-dir toe --resume auto
expect 2 "toe/checkpoints/.*.h5 is of another game, tic_tac_toe, not of goofspiel" "$AGON" train goofspiel --run-dir no_folder --resume "$(ls toe/checkpoints/*.h5 | tail -1)"
[ ! -e no_folder ] || fail "a checkpoint of another game left a folder"
for command in "eval random4 --players main_0,toe:main_0" "eval --env goofspiel cards=4 --players random,toe:main_0" "match random4:main_0 toe:main_0" \
  "query random4 --player toe:main_0" "exploit random4 --player toe:main_0" "probe random4 --player toe:main_0" "play goofspiel --player toe:main_0"; do
  expect 2 "$another: only players of one game can meet" "$AGON" $command
done
expect 2 "toe/players/main_0.*.h5 is of another game, tic_tac_toe, not of goofspiel" "$AGON" eval random4 --players "main_0,$(ls toe/players/main_0-*.h5 | head -1)"
for command in "eval toe --players random,scripted" "query toe" "exploit toe --player random"; do
  expect 2 "toe is a run, of tic_tac_toe, and --env asks for goofspiel: leave --env out" "$AGON" $command --env goofspiel
done
expect 2 "'zork' is no option of goofspiel: behind --env stand words like env.OPTION=VALUE" "$AGON" exploit --env goofspiel zork
expect 2 "toe is of another game, tic_tac_toe, not of goofspiel: --env chooses among" "$AGON" rate toe --env goofspiel
"$AGON" eval toe --players main_0,random --games 8 --quiet > /dev/null
expect 2 "toe/games.csv is of another game: its games are of 'tic_tac_toe', none is of 'goofspiel'" "$AGON" rate toe/games.csv --env goofspiel
# who may only read a run judges it all the same, and is told that and why nothing of it was written
cp -r toe foreign
rm foreign/games.csv
ln -s /proc/agon/games.csv foreign/games.csv
expect 0 "^8 games played now, not recorded: cannot append to foreign/games.csv: " "$AGON" eval foreign --players main_0,random --games 8
"$AGON" eval foreign --players main_0,random --games 8 --json 2> why.txt | $python -c "import json,sys; e=json.load(sys.stdin); assert e['played'] == 8 and 'cannot append' in e['not_recorded'], e"
grep -q "not recorded: cannot append to foreign/games.csv" why.txt || fail "not recorded, and not said beside JSON"
expect 5 "cannot append to foreign/games.csv" "$AGON" eval foreign --players main_0,random --games 8 --csv foreign/games.csv
# a run where a game is asked for: it goes on; what holds none says what to write
"$AGON" train random4 frames=9k --quiet
grep -q '"frames_target": 9000' random4/status.json || fail "train RUN did not go on"
expect 0 "^random4 is finished: its 9000 frames are done" "$AGON" train --resume random4
expect 0 "^random4 is finished" "$AGON" train --run-dir random4 --resume
expect 0 "^random4 is finished" "$AGON" train random4 --resume must
expect 2 "unknown key 'learner.rat', did you mean 'learner.rate'" "$AGON" train random4 learner.rat=1
expect 3 "random4 already holds a run" "$AGON" train --run-dir random4
expect 3 "random4 already holds a run" "$AGON" train random4 --resume never
mkdir empty goofspiel
expect 3 "empty is a folder that holds no run .* a new run begins with a game: agon train GAME --run-dir empty" "$AGON" train empty
expect 3 "empty is a folder that holds no run" "$AGON" train --resume empty
expect 3 "empty holds no run yet, so a game is needed" "$AGON" train --run-dir empty --resume auto
expect 2 "two folders for one run, random4 and falling4" "$AGON" train random4 --run-dir falling4
expect 2 "which folder is the run to be in\? --run-dir DIR" "$AGON" train --resume "$(ls random4/checkpoints/*.h5 | tail -1)"
expect 2 "write it first: agon train tic_tac_toe --resume" "$AGON" train --resume tic_tac_toe
expect 2 "which game\?" "$AGON" train frames=1k
"$AGON" train --resume "$(ls random4/checkpoints/*.h5 | tail -1)" --run-dir branch frames=12k --quiet
grep -q '"frames_target": 12000' branch/status.json || fail "a checkpoint's file without a game"
"$AGON" train goofspiel env.cards=4 $tiny --run-dir named # the folder goofspiel is not meant
expect 0 "you \(agent 0\): 0 1 2 3;" "$AGON" play random4 < /dev/null
expect 2 "random4 is a run of goofspiel, not of connect_four: agon play random4" "$AGON" play connect_four random4
expect 2 "behind a run come flags only" "$AGON" play random4 env.cards=4
expect 3 "empty holds no run" "$AGON" play empty
expect 3 "random4 has no recorded games: agon eval random4 --players main_0,random --record 2" "$AGON" replay random4
"$AGON" eval random4 --players main_0,random --games 4 --record 2 --quiet > recorded.txt
expect 0 "^game 2: goofspiel cards=4" "$AGON" replay random4
expect 3 "empty holds no run" "$AGON" replay empty
# what a message says is to be typed can be typed, whatever the folder is called
spaced="it's a run"
quoted="'it'\\\\''s a run'"
"$AGON" train tic_tac_toe $tiny --run-dir "$spaced"
"$AGON" train frames=2k --run-dir "$spaced" --resume > next.txt
next=$(sed -n 's/^.* next: agon \(league show .*\); agon \(eval .*\)$/"$AGON" \1 \&\& "$AGON" \2/p' next.txt)
eval "$next --games 8" | grep -q "^main_0  *vs random" || { cat next.txt; fail "what is said to come next: $next"; }
expect 3 "agon eval $quoted --players main_0,random --record 2 plays some" "$AGON" replay "$spaced"
expect 2 "agon play $quoted plays what it has learned" "$AGON" play connect_four "$spaced"
expect 2 "did you mean 'main_0'\? agon league show $quoted lists them" "$AGON" eval "$spaced" --players main_o,random
expect 2 "name that file: --resume $quoted/checkpoints/NNNNNN.h5" "$AGON" train "$spaced" --run-dir other
expect 2 "write it first: agon train 'a game' --resume" "$AGON" train --resume "a game"
expect 3 "agon train GAME --run-dir 'no run'" "$AGON" train --run-dir "no run" --resume auto
mkdir "no run"
expect 3 "agon train GAME --run-dir 'no run'" "$AGON" train "no run"
if [ "$(id -u)" != 0 ]; then
  mkdir closed && chmod 500 closed
  expect 5 "closed" "$AGON" train tic_tac_toe --run-dir closed/run
  cp -r toe readable && chmod -R a-w readable
  expect 0 "^8 games played now, not recorded: cannot append to readable/games.csv: Permission denied" "$AGON" eval readable --players main_0,random --games 8 --seed 3
  chmod -R u+w readable
fi
# what is of two teams is refused where more play
expect 2 "kuhn_poker players=3 has 3 teams, and league.main_rule nash \(preset psro\) mixes opponents by a meta-game of two" "$AGON" train kuhn_poker env.players=3 league.preset=psro --run-dir three
expect 2 "kuhn_poker players=4 has 4 teams, and metrics.exploitability \(command line\) is of games between two" "$AGON" train kuhn_poker env.players=4 metrics.exploitability=1M --run-dir three
expect 2 "has 3 teams, and exploitability is of games between two" "$AGON" exploit --env kuhn_poker env.players=3
[ ! -e three ] || fail "a refused job left a folder"
# who remembers cannot be walked, and that is said before the job begins
for key in "last_action=true" "memory=lstm"; do
  expect 2 "metrics.exploitability \(command line\) walks .* net.${key%=*} ${key#*=} \(command line\) .*: leave one of them out" \
    "$AGON" train kuhn_poker metrics.exploitability=1M net.$key --run-dir remembered
done
[ ! -e led ] && [ ! -e remembered ] || fail "a refused job left a folder"
# a checkpoint of another version is refused by its name, and an older generation does not stand in for it
cp -r random4 older
$python - <<'P'
import glob, h5py
path = sorted(glob.glob("older/checkpoints/*.h5"))[-1]
data = open(path, "rb").read()
open(path, "wb").write(data[: data.rindex(b"agon seal ")])
with h5py.File(path, "r+") as f:
    assert f.attrs["schema_version"] == 3
    f.attrs.modify("schema_version", 2)
P
for command in "league show older" "train goofspiel --run-dir older --resume must --quiet"; do
  expect 4 "older/checkpoints/[0-9]+.h5: its schema version is 2, this program reads 3" "$AGON" $command
done
echo passed
