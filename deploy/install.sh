#!/usr/bin/env bash
# install.sh [tests]: installs the Debian or Ubuntu packages that are missing, with sudo unless it runs as root.
set -euo pipefail
packages=(build-essential cmake ninja-build pkg-config openmpi-bin libopenmpi-dev libhwloc-dev libhdf5-dev libopenblas-dev libyaml-dev
  libjansson-dev libxxhash-dev librandom123-dev coinor-libclp-dev)
if [ "${1:-}" = tests ]; then packages+=(libcmocka-dev hdf5-tools python3 python3-h5py python3-yaml procps); fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0
echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
"${as_root[@]}" apt-get update -q > /dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" > /dev/null
