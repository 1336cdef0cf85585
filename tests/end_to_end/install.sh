#!/usr/bin/env bash
# What is installed works wherever it is moved to: program, pkg-config, headers; and a plug-in needs nothing but cc.
. "$(dirname "$0")/common.sh"
cmake --install "$(dirname "$AGON")" --prefix "$work/first" > installed.txt
mkdir elsewhere
mv first elsewhere/second
prefix=$work/elsewhere/second
for file in bin/agon include/agon/env.h include/agon/agent.h lib/cmake/agon/agonConfig.cmake share/pkgconfig/agon-agent.pc include/agon/history.h include/agon/random.h share/pkgconfig/agon.pc share/doc/agon/LICENSE share/doc/agon/README.md \
  share/doc/agon/CHANGELOG.md share/doc/agon/CONTRIBUTING.md share/agon/runs/smoke.yaml share/agon/slurm/agon.sbatch \
  share/man/man1/agon.1 share/man/man1/agon-train.1 share/bash-completion/completions/agon share/zsh/site-functions/_agon; do
  [ -s "$prefix/$file" ] || fail "$file is not installed"
done
if grep -rIl -e "$work/first" -e "$root/" "$prefix"; then fail "text that names a folder of before"; fi
export PKG_CONFIG_PATH=$prefix/share/pkgconfig
flags=$(echo $(pkg-config --cflags agon))
[ "$(realpath "${flags#-I}")" = "$prefix/include" ] || fail "pkg-config says $flags, not $prefix/include"
cp "$root/tests/plugin/coin.c" my_env.c
cc -shared -fPIC $flags my_env.c -o my_env.so
expect 0 "all passed" "$prefix/bin/agon" env check ./my_env.so
# libagon, by pkg-config and by CMake
"$AGON" train tic_tac_toe frames=2k --run-dir run --quiet
"$AGON" export run --output ttt.agon > said.txt
if ! ldd "$(dirname "$AGON")/libagon.so" | grep -q san.so; then
  cc "$prefix/share/agon/agents/self_play.c" $(pkg-config --cflags --libs agon-agent) -o self_play
  LD_LIBRARY_PATH=$(pkg-config --variable=libdir agon-agent) expect 0 "^x to" ./self_play ttt.agon
  mkdir user
  printf 'cmake_minimum_required(VERSION 3.20)\nproject(user C CXX)\nfind_package(agon 0.1 REQUIRED)\n%s' \
    "foreach(kind shared static)
add_executable(play_\${kind} $prefix/share/agon/agents/self_play.c)
target_link_libraries(play_\${kind} agon::\${kind})
endforeach()" > user/CMakeLists.txt
  cmake -S user -B user/build -DCMAKE_PREFIX_PATH="$prefix" > cmake.txt 2>&1 || { cat cmake.txt; fail "find_package(agon)"; }
  cmake --build user/build > cmake.txt 2>&1 || { cat cmake.txt; fail "a program against agon::shared"; }
  for kind in shared static; do expect 0 "^x to" user/build/play_$kind ttt.agon; done
fi
# from a checkout, before anything is built
mkdir -p checkout
cp -r "$root/include" checkout
(cd checkout && cc -shared -fPIC -I include ../my_env.c -o my_env.so)
expect 0 "all passed" "$prefix/bin/agon" env check ./checkout/my_env.so
# which commit it is from; sources that are no checkout say that it is not known
expect 0 "^agon [0-9.]+, commit ([0-9a-f]{12}(\+changes)?|unknown) \(" "$prefix/bin/agon" version
"$prefix/bin/agon" version --json > version.json
if commit=$(git -C "$root" rev-parse --short=12 HEAD 2> /dev/null); then
  grep -q "\"commit\": \"$commit" version.json || { cat version.json; fail "it was built from $commit"; }
fi
cmake -DSOURCE="$work/checkout" -DOUT=commit.c -P "$root/deploy/commit.cmake"
grep -q '"unknown"' commit.c || fail "a folder that is no checkout has a commit"
# a program for another processor says so instead of ending by SIGILL: XOP and AVX-512 were never on one processor
if [ "$(uname -m)" = x86_64 ]; then
  for needs in "-mxop -mavx512bw" -march=x86-64; do
    cc -I "$root/src" $needs -c "$root/src/base/processor_needs.c" -o needs.o
    cc -I "$root/src" "$root/tests/end_to_end/start.c" "$root/src/base/processor.c" needs.o -o start
    if [ "$needs" = -march=x86-64 ]; then ./start; else expect 2 "xop|avx512bw" ./start; fi
  done
fi
echo passed
