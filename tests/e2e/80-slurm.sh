#!/usr/bin/env bash
# The batch scripts of slurm/, submitted to a Slurm of three nodes that is started here:
# stopped, cancelled, killed, requeued, and the bytes compared with Python's and GNU factor's.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../cluster/hosts.sh
. "$ROOT/tests/cluster/hosts.sh"
# shellcheck source=../cluster/slurm.sh
. "$ROOT/tests/cluster/slurm.sh"
# shellcheck source=../cluster/mpi.sh
. "$ROOT/tests/cluster/mpi.sh"
unset OMP_NUM_THREADS # the scripts say how many
export TEMPLATES=$ROOT/slurm

if [ -n "$SANITIZER" ]; then
    exempt "$TOPIC" "the scripts are the same for every build"
    finish
fi
for tool in slurmctld slurmd munged sbatch ip; do need $tool "$TOPIC" || finish; done
private_machine "$@"

# edit TEMPLATE KEY=VALUE...: the template with these lines of its block edited, no others
edit() {
    local change key commands=()
    for change in "${@:2}"; do
        key=${change%%=*}
        commands+=(-e "s|^#SBATCH --$key=.*|#SBATCH --$change|" -e "s|^$key=.*|$change|")
    done
    sed "${commands[@]}" "$TEMPLATES/$1.sbatch"
}
# ended JOB: it is over, one way or another
ended() { case $(job_state "$1") in PENDING | RUNNING | COMPLETING | SUSPENDED) false ;; esac }
# said JOB: STATE EXITCODE RESTARTS, when it is over
said() {
    await "${2:-30}" ended "$1"
    scontrol show job "$1" |
        sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p; s/.* Restarts=\([0-9]*\).*ExitCode=\(.*\)/\2 \1/p' |
        paste -sd' '
}
# A requeued job begins now, and not in two minutes; but a node that has just killed it
# refuses it for a second.
release() {
    [ "$(squeue -h -j "$1" -o %r)" = BeginTime ] || return
    sleep 1.5
    scontrol update jobid="$1" StartTime=now
}
# running JOB NTH: for the Nth time, with a mark in its journal that is a second old
running() {
    release "$1"
    [ "$(scontrol show job "$1" | sed -n 's/.* Restarts=\([0-9]*\).*/\1/p')" = "$2" ] &&
        [ "$(job_state "$1")" = RUNNING ] && pgrep -x quern >/dev/null
}
marks() { sed -n '/^m/p' "$1.quern" 2>/dev/null | wc -l; }
# more_marks FILE N: more than N
more_marks() { [ "$(marks "$1")" -gt "$2" ]; }
export -f await ended job_state said release running marks more_marks

hosts_up 3 && slurm_up 2 || {
    echo "the cluster did not come up" >"$BOX/why"
    fail "a cluster of three nodes" "slurm_up 2"
    finish
}

long_work 14 80 >long.in
$ORACLE sumsq <long.in >long.want
$ORACLE numbers u64 3000 80 >many.in
factor <many.in >many.want

# --- one-node.sbatch ---

edit one-node cpus-per-task=2 time=5 "RUN=($QUERN sumsq --method=loop long.in -o one)" >one.sbatch
t "one node: a warning stops it with 75" -o 'FAILED 75:0 0' \
    'job=$(sbatch --parsable one.sbatch); await 30 more_marks one 0
     scancel --batch --signal=USR1 $job; said $job'
t "... scancel leaves it resumable" -m '^CANCELLED' \
    'job=$(sbatch --parsable one.sbatch); await 30 more_marks one $(marks one)
     scancel $job; said $job; cmp -n $(stat -c %s one) one long.want'
t "... and submitted again it completes" -O long.want -T 90 \
    'sbatch --wait one.sbatch >/dev/null && cat one'

# --- array.sbatch ---

edit array array=1-5 SHARDS=5 cpus-per-task=1 time=5 INPUT=many.in OUTPUT=many \
    "RUN=($QUERN factor)" >array.sbatch
t "array: five shards are the whole" -O many.want -T 90 \
    'sbatch --wait array.sbatch >/dev/null && cat many.d/*.out'
t "array: one task again changes nothing" -O many.want \
    'rm many.d/3.in; SLURM_ARRAY_TASK_ID=3 bash array.sbatch && cat many.d/*.out'
t "array: an index without a shard" -s 2 -e 'there is no shard 6 of 5' \
    'SLURM_ARRAY_TASK_ID=6 bash array.sbatch'
t "array: another way of cutting is refused" -s 2 -e 'many.d has 5 shards of many.in' \
    'sed s/SHARDS=5/SHARDS=7/ array.sbatch >seven; SLURM_ARRAY_TASK_ID=1 bash seven'
t "array: another input is refused" -s 2 -e 'is of another job' \
    'cp many.in kept.in; echo 7 >>many.in; SLURM_ARRAY_TASK_ID=5 bash array.sbatch'
t "array: without --array" -s 1 -e 'submit this with sbatch --array' 'bash array.sbatch'

# --- resume.sbatch ---

# resumed OUTPUT RUN: the script for one node, without a launcher
resumed() {
    edit resume nodes=1 cpus-per-task=2 time=5 'LAUNCH=()' "OUTPUT=$1" "RUN=($2)"
}
resumed slow "$QUERN sumsq --method=loop long.in" >resume.sbatch
t "resume: warned, killed, its node lost: it goes on until done" -T 120 \
    -o 'COMPLETED 0:0 3' \
    'job=$(sbatch --parsable -o resume.log resume.sbatch)
     await 30 running $job 0 && await 30 more_marks slow 0
     scancel --batch --signal=USR1 $job
     await 30 running $job 1 && await 30 more_marks slow $(marks slow)
     pkill -KILL -x quern
     await 30 running $job 2 && await 30 more_marks slow $(marks slow)
     node=$(squeue -h -j $job -o %N)
     scontrol update node=$node state=down reason=test
     await 30 running $job 3; scontrol update node=$node state=resume
     said $job 60'
t "... with the bytes of an unbroken run" -O long.want 'cat slow'
t "... and the log tells all of it" -o '1 75, 2 137, 3 75, 4 0' \
    'sed -n "s/.* attempt \([0-9]*\): .*status \([0-9]*\).*/\1 \2/p" resume.log |
     paste -sd, | sed "s/,/, /g"; [ ! -e slow.attempts ]'
resumed stuck "$QUERN sumsq --method=loop --time-limit=1ms long.in" >stuck.sbatch
t "resume: two attempts that bring nothing are enough" -o 'FAILED 75:0 1' \
    'job=$(sbatch --parsable -o stuck.log stuck.sbatch)
     await 30 eval "release $job; ended $job"; said $job'
# Slurm ends an attempt that asked to be requeued, and its TERM may come while scontrol still runs.
mkdir bin
printf '%s\n' '#!/bin/sh' 'kill -TERM $$' 'echo "$@"' >bin/scontrol
chmod +x bin/scontrol
resumed early "$QUERN sumsq --method=loop --time-limit=1ms long.in" >early.sbatch
t "resume: its own requeue does not end it" -s 75 -o 'requeue 7' \
    'SLURM_JOB_ID=7 PATH=$PWD/bin:$PATH bash early.sbatch >early.log; status=$?
     sed -n "/^requeue/p; /failed/p" early.log; [ -e early.attempts ] && exit $status'
t "resume: what scancel has ended does not come back" -o 'CANCELLED 75:0 0' \
    'rm slow slow.quern; job=$(sbatch --parsable -o cancelled.log resume.sbatch)
     await 30 running $job 0 && await 30 more_marks slow 0
     scancel $job; said $job; grep -q "ended from outside" cancelled.log'
t "resume: what quern refuses is not tried again" -o 'FAILED 2:0 0' \
    'touch long.in; said $(sbatch --parsable -o refused.log resume.sbatch)
     grep -q "refuses to go on" refused.log'

# As it stands, on several nodes: the warning comes to the batch shell on one of them, and
# through the launcher to the ranks on all.
# spread OUTPUT LAUNCHER...: the script for three nodes
spread() {
    edit resume nodes=3 cpus-per-task=2 time=5 "LAUNCH=(${*:2})" "OUTPUT=$1" \
        "RUN=($QUERN sumsq --method=loop -v long.in)"
}
LAUNCH=$(sed -n 's/^LAUNCH=(\([^)]*\)).*/\1/p' "$TEMPLATES/resume.sbatch")
spread srun "$LAUNCH" >srun.sbatch
t "resume on three nodes: warned, a rank killed: it goes on until done" -T 150 \
    -o 'COMPLETED 0:0 2' \
    'job=$(sbatch --parsable -o srun.log srun.sbatch)
     await 30 running $job 0 && await 30 more_marks srun 0
     scancel --batch --signal=USR1 $job
     await 30 running $job 1 && await 30 more_marks srun $(marks srun)
     pkill -KILL -n -x quern
     await 60 running $job 2
     said $job 90'
t "... with the bytes of an unbroken run" -O long.want 'cat srun'
t "... on all of them each time, and a warning was enough" -o $'n1 3\nn2 3\nn3 3\n1 75' \
    'sed -n "s/^quern: rank . on \(n.\): CPUs .*/\1/p" srun.log | sort | uniq -c |
         sed "s/ *\([0-9]*\) \(.*\)/\2 \1/"
     sed -n "s/.* attempt \(1\): .*status \([0-9]*\).*/\1 \2/p" srun.log'
spread orted mpirun --map-by ppr:1:node --bind-to none >orted.sbatch
t "... started by mpirun" -O long.want -T 120 \
    'job=$(sbatch --parsable -o orted.log orted.sbatch)
     await 30 running $job 0 && await 30 more_marks orted 0
     scancel --batch --signal=USR1 $job
     await 30 running $job 1
     [ "$(said $job 60)" = "COMPLETED 0:0 1" ] || { cat orted.log; exit 1; }; cat orted'

# --- many-nodes.sbatch ---

wide() {
    edit many-nodes nodes=3 cpus-per-task=2 time=5 "PMI=$2" \
        "RUN=($QUERN sumsq --method=loop -v long.in -o $1)"
}
wide wide pmix >wide.sbatch
t "many nodes: three ranks of two threads, the same bytes" -O long.want -T 90 \
    'sbatch --wait -o wide.log wide.sbatch >/dev/null && cat wide'
t "... each on its node" -o $'0 n1 2\n1 n2 2\n2 n3 2' \
    'sed -n "s/^quern: rank \(.\) on \(n.\): CPUs [0-9,-]*, \([0-9]*\) threads .*/\1 \2 \3/p" wide.log |
     sort'
t "many nodes: a warning stops it with 75" -o 'FAILED 75:0 0' \
    'rm wide wide.quern wide.log; job=$(sbatch --parsable -o wide.log wide.sbatch); await 30 more_marks wide 0
     scancel --signal=USR1 $job; said $job'
t "... a killed rank ends it" -m '^FAILED' -T 90 \
    'job=$(sbatch --parsable -o wide.log wide.sbatch); await 30 more_marks wide $(marks wide)
     pkill -KILL -n -x quern; said $job 60; cmp -n $(stat -c %s wide) wide long.want'
t "... and submitted again it completes, on two nodes" -O long.want -T 90 \
    'sbatch --wait --nodes=2 -o wide.log wide.sbatch >/dev/null && cat wide'
# Between nodes MPICH 4.0 of Debian hangs in MPI_Finalize under PMI-2: one node.
wide mpich pmi2 >mpich.sbatch
t "many ranks: MPICH" -O long.want -T 90 \
    'sbatch --wait --nodes=1 --ntasks-per-node=2 --cpus-per-task=1 -o mpich.log mpich.sbatch \
         >/dev/null && cat mpich'
wide wrong none >wrong.sbatch
t "many nodes: ranks that do not find each other" -s 2 -m '^quern: srun started 3 processes' \
    -T 90 'sbatch --wait -o wrong.log wrong.sbatch >/dev/null; status=$?
           cat wrong.log; exit $status'

slurm_down && hosts_down
finish
