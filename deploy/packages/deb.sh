#!/usr/bin/env bash
# Builds the Debian packages of this checkout, for the Debian or Ubuntu that it is called on, and installs what it takes to
# build them: deploy/packages/deb.sh [FOLDER], where they are put (default build-deb). Then: apt install ./agon_*.deb
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build-deb}
mkdir -p "$out"
out=$(cd "$out" && pwd)
deploy/install.sh
cmake -S . -B build-deb -G Ninja -DCMAKE_INSTALL_PREFIX=/usr -DAGON_TESTS=OFF \
  -DCMAKE_EXE_LINKER_FLAGS="-Wl,-z,relro,-z,now" -DCMAKE_SHARED_LINKER_FLAGS="-Wl,-z,relro,-z,now" > /dev/null
cmake --build build-deb
cd build-deb
umask 022
cpack -G DEB -B "$out" > cpack.log || { cat cpack.log; exit 1; }
rm -rf "$out/_CPack_Packages"
ls "$out"/*.deb
