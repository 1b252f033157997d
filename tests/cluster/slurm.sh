# shellcheck shell=bash
# slurm.sh: a Slurm cluster for the tests: munged, slurmctld on `head`, a slurmd on each
# host of hosts.sh. Everything it writes is below $SLURM; no systemd, nothing in /etc.
#
#     slurm_up CPUS             after hosts_up; exports SLURM_CONF; waits until all are idle
#     slurm_down                cancels what is left and ends the daemons, by pid
#     job_state JOB             RUNNING, PENDING, COMPLETED, ...
#     await SECONDS COMMAND...  until COMMAND succeeds; status 1 when it does not in time
#
# Facts that this rests on (Slurm 22.05 of Debian 12):
# - Several slurmd of one machine are told apart by -N. TmpFS and SlurmdSpoolDir need %n, or
#   PMIx finds its folder taken. Nodes need a /dev/shm and a name each, or the segments of
#   Open MPI's ranks collide: hosts.sh sees to that.
# - CgroupPlugin must be one that loads without systemd: v1 does, and nobody uses it.
# - A job that is requeued waits for two minutes: `scontrol update StartTime=now` ends that.
# - Signals of --signal and of the time limit are checked every 30 s, too seldom for a test:
#   `scancel --signal=USR1 [--batch]` takes the same way at once.
SLURM=$BOX/slurm
PATH=$PATH:/usr/sbin:/sbin

slurm_up() {
    local cpus=$1 i
    mkdir -p "$SLURM"/{state,log,run}
    chmod 755 "$BOX" "$SLURM" "$SLURM"/* # munged looks at the folders above its socket
    export SLURM_CONF=$SLURM/slurm.conf
    slurm_start_munged || return
    slurm_write_conf "$cpus"
    slurmctld -D -i -f "$SLURM_CONF" >"$SLURM/log/slurmctld.out" 2>&1 </dev/null &
    echo $! >"$SLURM/run/slurmctld.pid"
    for ((i = 1; i <= HOSTS; i++)); do
        mkdir -p "$SLURM/spool.n$i" "$SLURM/tmp.n$i"
        # A chain of exec, so that the id written down is the daemon's own.
        (exec "$NET/rsh" "n$i" exec slurmd -D -N "n$i" -f "$SLURM_CONF") \
            >"$SLURM/log/slurmd.n$i.out" 2>&1 </dev/null &
        echo $! >"$SLURM/run/slurmd.n$i.pid"
    done
    await 20 slurm_is_up && return
    echo "Slurm did not come up:"
    tail -n 5 "$SLURM"/log/*
    return 1
}

slurm_is_up() { [ "$(sinfo -h -N -o %t 2>/dev/null | grep -cx idle)" = "$HOSTS" ]; }

slurm_start_munged() {
    mkdir -p "$SLURM/munge"
    dd if=/dev/urandom of="$SLURM/munge/key" bs=128 count=1 status=none
    chmod 400 "$SLURM/munge/key"
    munged --foreground --force --key-file="$SLURM/munge/key" --socket="$SLURM/munge/sock" \
        --pid-file="$SLURM/munge/pid" --log-file="$SLURM/munge/log" \
        --seed-file="$SLURM/munge/seed" --num-threads=2 </dev/null >"$SLURM/log/munged.out" 2>&1 &
    echo $! >"$SLURM/run/munged.pid"
    await 10 test -S "$SLURM/munge/sock" || { cat "$SLURM/log/munged.out" && return 1; }
}

slurm_write_conf() {
    local cpus=$1 i memory
    memory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
    echo "CgroupPlugin=cgroup/v1" >"$SLURM/cgroup.conf"
    {
        cat <<C
ClusterName=quern
SlurmctldHost=head
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$SLURM/munge/sock
SlurmctldPidFile=$SLURM/run/slurmctld.own
SlurmdPidFile=$SLURM/run/slurmd.%n.own
SlurmctldLogFile=$SLURM/log/slurmctld
SlurmdLogFile=$SLURM/log/slurmd.%n
StateSaveLocation=$SLURM/state
SlurmdSpoolDir=$SLURM/spool.%n
TmpFS=$SLURM/tmp.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
PriorityType=priority/basic
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobRequeue=1
KillWait=3
OverTimeLimit=0
MinJobAge=3600
InactiveLimit=0
SlurmctldTimeout=30
SlurmdTimeout=30
TCPTimeout=5
MessageTimeout=10
ReturnToService=2
MailProg=/bin/true
C
        for ((i = 1; i <= HOSTS; i++)); do
            echo "NodeName=n$i CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus" \
                "ThreadsPerCore=1 RealMemory=$((memory / HOSTS))"
        done
        echo "PartitionName=main Nodes=n[1-$HOSTS] Default=YES MaxTime=INFINITE State=UP"
    } >"$SLURM_CONF"
}

await() {
    local until=$((SECONDS + $1 * TIME_SCALE))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

job_state() { scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }

slurm_down() {
    timeout 10 scontrol update partition=main state=down
    timeout 10 scancel --user=root --state=PENDING
    timeout 10 scancel --user=root --signal=KILL --full --state=RUNNING
    await 15 eval '[ -z "$(timeout 5 squeue -h)" ]'
    end_pids "$SLURM"/run/slurmd.*.pid "$SLURM/run/slurmctld.pid" "$SLURM/run/munged.pid"
}
