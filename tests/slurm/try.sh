#!/usr/bin/env bash
# Tries deploy/slurm/agon.sbatch, or srun.sbatch, on a real slurmctld with two nodes on this machine (as root; Debian packages
# slurm-wlm and munge; build/agon, or AGON, must be there). A job with a one-minute limit is stopped by USR1, saves, requeues
# itself, resumes; one of srun's whose rank is killed does, too. usage: try.sh [agon.sbatch | srun.sbatch]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
script=${1:-agon.sbatch}
[ "$(id -u)" = 0 ] || { echo "needs root: slurmd does" >&2; exit 2; }
work=$(mktemp -d)
chmod 755 "$work"
host=$(hostname)
finish() { pkill -F "$work/slurmctld.pid" 2> /dev/null; pkill -f "slurmd -D -N n[12] -f $work" 2> /dev/null; pkill -f "munged.*$work" 2> /dev/null; sleep 1; rm -rf "$work"; }
trap finish EXIT
dd if=/dev/urandom of="$work/key" bs=1 count=1024 status=none
chmod 400 "$work/key"
munged --foreground --force --key-file="$work/key" --socket="$work/munge.sock" --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munged.seed" &
sleep 1
cat > "$work/slurm.conf" <<C
ClusterName=try
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$work/munge.sock,cred_expire=10
SlurmUser=root
SlurmdUser=root
SlurmctldPort=17000
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd-%n.log
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool-%n
TmpFS=$work/tmp-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=5
SlurmdTimeout=10
SchedulerParameters=sched_interval=2
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=2
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
C
mkdir -p "$work/state" "$work"/spool-n{1,2} "$work"/tmp-n{1,2}
export SLURM_CONF=$work/slurm.conf
slurmctld -D -f "$SLURM_CONF" > "$work/ctld.out" 2>&1 &
for n in n1 n2; do slurmd -D -N $n -f "$SLURM_CONF" > "$work/$n.out" 2>&1 & done
for i in $(seq 30); do sinfo -h -t idle -o %D 2> /dev/null | grep -q 2 && break; sleep 1; done
sinfo
cd "$work"
export AGON="${AGON:-$root/build/agon}" AGON_SRUN_OPTIONS=--cpu-bind=none OMPI_MCA_btl=tcp,self OMPI_MCA_mpi_yield_when_idle=1
export AGON_RUN_DIR="$work/run" AGON_MPI_OPTIONS="--oversubscribe --bind-to none --map-by slot --mca btl tcp,self"
# slurm counts limits in minutes: a limit of one minute and a warning 40 seconds before it
job=$(sbatch --parsable --time=1 --signal=B:USR1@40 --nodes=2 --ntasks=2 --output="$work/job.log" "$root/deploy/slurm/$script" "$root/deploy/runs/smoke.yaml" frames=100M checkpoint.seconds=600)
echo "job $job"
for i in $(seq 240); do
  grep -q "(resumed)" job.log 2> /dev/null && break
  sleep 1
done
grep -E "ranks|time limit|ended|queue|resumed|checkpoint" job.log
grep -q "ended: SIGUSR1 asked for it" job.log
grep -q "back into the queue" job.log
grep -q "(resumed)" job.log
grep -q "2 ranks" job.log
if [ "$script" = srun.sbatch ]; then
  for i in $(seq 120); do ls run/checkpoints/*.h5 > /dev/null 2>&1 && break; sleep 1; done
  pids=$(for proc in /proc/[0-9]*; do [ "$(readlink "$proc/exe" 2> /dev/null)" = "$(realpath "$AGON")" ] && tr '\0' ' ' < "$proc/cmdline" | grep -q -- "--run-dir $work/run" && echo "${proc#/proc/}"; done)
  # shellcheck disable=SC2086
  set -- $pids
  [ $# = 2 ] || { echo "not two ranks: $pids" >&2; exit 1; }
  kill -9 "$2"
  for i in $(seq 240); do [ "$(grep -c "(resumed)" job.log)" -ge 2 ] && break; sleep 1; done
  grep -E "exit code|failure|queue" job.log
  grep -q "failure 1, of 10" job.log
  [ "$(grep -c "(resumed)" job.log)" -ge 2 ]
fi
scancel "$job"
echo "the job saved before its limit, was requeued, and went on"
