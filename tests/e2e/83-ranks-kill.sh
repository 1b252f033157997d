#!/usr/bin/env bash
# Guarantee 3 with ranks: SIGKILL of any rank, of the launcher, or of everything; --resume
# with other numbers of ranks and threads ends with the bytes of an unbroken run.
# RESUME_LOOPS=100 kills more often, RESUME_SIZE=8 makes longer runs, RESUME_SEED=N others.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../cluster/mpi.sh
. "$ROOT/tests/cluster/mpi.sh"
export FAULTY=${FAULTY:-$ROOT/build/fault/quern}
unset OMP_NUM_THREADS SLURM_CPUS_PER_TASK

if [ -n "$SANITIZER" ]; then
    exempt "$TOPIC" "MPI libraries are not instrumented"
    finish
fi
LAUNCHERS=
for mpi in openmpi mpich; do
    [ -f "${FAULTY%/*}/libexec/quern-mpi-$mpi.so" ] || continue
    need "mpiexec.$mpi" "$TOPIC: $mpi" && LAUNCHERS+=${LAUNCHERS:+,}mpiexec.$mpi
done
export LAUNCHERS
if [ -z "$LAUNCHERS" ]; then
    exempt "$TOPIC" "this build has no MPI"
    finish
fi
KILLS=${RESUME_LOOPS:-6} SEED=${RESUME_SEED:-1}
t "SIGKILL of ranks and launchers, then --resume" -T $((120 + KILLS * 10)) \
    -m 'all with the bytes' \
    "python3 \$HERE/kill_ranks.py $KILLS $SEED \$LAUNCHERS \$FAULTY"
t "the same, into a folder of shards" -T $((120 + KILLS * 10)) \
    -m 'all with the bytes' \
    "KILL_OUTPUT=out/ python3 \$HERE/kill_ranks.py $KILLS $SEED \$LAUNCHERS \$FAULTY"
finish
