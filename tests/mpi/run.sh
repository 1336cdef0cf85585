#!/usr/bin/env bash
# run.sh RANKS PROGRAM [ARGUMENT...]: under mpirun, oversubscribed and unbound, with a time limit.
set -eu
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
ranks=$1; shift
exec timeout 200 mpirun --oversubscribe --bind-to none -n "$ranks" "$@"
