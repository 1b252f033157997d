# shellcheck shell=bash
# mpi.sh: Open MPI 4.1 for tests: as root, on few cores, in containers. Sourced behind lib.sh.
#
# Facts that this rests on:
# - As root, and with more ranks than cores, mpirun refuses to start.
# - One or two ranks are bound to a core each, and the threads of each with it.
# - Idle ranks spin, and starve the others when they share cores.
# - Where a container denies process_vm_readv, messages of 4 KiB end in SIGSEGV.
# - The pml ob1 starts in half the time.
# - A lost host is found by keep-alive of the launcher's connections, after eight minutes
#   unless told otherwise: `mpi_across_hosts` makes that five seconds.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# Between the hosts of hosts.sh, after hosts_up.
mpi_across_hosts() {
    export OMPI_MCA_plm_rsh_agent=$NET/rsh OMPI_MCA_orte_default_hostfile=$NET/hostfile
    export OMPI_MCA_oob_tcp_if_include=10.77.0.0/24 OMPI_MCA_btl_tcp_if_include=10.77.0.0/24
    export OMPI_MCA_oob_tcp_keepalive_time=2 OMPI_MCA_oob_tcp_keepalive_intvl=1
    export OMPI_MCA_oob_tcp_keepalive_probes=2
}

# long_work SECONDS SEED: numbers whose squares `sumsq --method=loop` adds up in some SECONDS of
# CPU, whatever this machine is; a record each 30 to 50 ms. Python has a formula for the answers.
long_work() {
    local TIMEFORMAT=%U ten
    ten=$({ time "$QUERN" sumsq --method=loop -j1 500000000 5000000{01..09} >"$BOX/ten"; } 2>&1)
    python3 -c '
import random, sys
seconds, seed, ten = map(float, sys.argv[1:])
r = random.Random(int(seed))
for _ in range(max(100, int(seconds / ten * 10))):
    print(r.randint(4 * 10**8, 6 * 10**8))' "$1" "$2" "$ten"
}
