# shellcheck shell=bash
# hosts.sh: a few hosts on this machine, for the tests that need more than one.
#
# A topic sources it behind lib.sh and calls
#
#     private_machine "$@"      first of all: the topic goes on in namespaces of its own
#     hosts_up N [DELAY_US [RATE_MBIT]]
#     on n2 COMMAND...          runs it on the second host, in the same folder
#     hosts_cut n2; hosts_join n2
#     hosts_down
#
# private_machine starts the topic again where processes, network, mounts and the name of
# the machine are its own. So no port, path or name is in the way of another run, nothing
# outside can be changed, and when the topic ends, by whatever, the kernel ends every
# process that it left. It takes root; where the kernel refuses, the topic is skipped.
#
# A host is a process that sleeps, in network, UTS, IPC and mount namespaces: it has its own
# address (10.77.0.N), name (n1, n2, ...) and /dev/shm; all else, files and processes, is
# shared, as a cluster shares its home folders. The topic itself runs on `head`, 10.77.0.254.
# The network between them is switch.c. $NET is the folder with what belongs to it:
# NET/hostfile and NET/rsh are for mpirun (see mpi.sh).
SWITCH=${SWITCH:-$ROOT/${BUILD:-build}/tests/switch}
NET=$BOX/net
export NET

# A test that this kernel or this user cannot run is counted, and is no failure: nothing
# that could be installed would change it.
cannot() {
    selected "$1" || return 0
    skipped=$((skipped + 1))
    echo "ok - $TOPIC: $1 # SKIP $2"
}

private_machine() {
    local names=(--net --mount --uts --ipc --pid) why
    if [ "${QUERN_PRIVATE:-0}" = 1 ]; then
        hostname head && ip link set lo up
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        cannot "$TOPIC" "needs root"
        finish
    fi
    if ! why=$(unshare "${names[@]}" --fork --mount-proc true 2>&1); then
        cannot "$TOPIC" "this kernel refuses: $why"
        finish
    fi
    if ! [ -c /dev/net/tun ]; then
        cannot "$TOPIC" "there is no /dev/net/tun"
        finish
    fi
    cd / && remove_box
    QUERN_PRIVATE=1 exec unshare "${names[@]}" --fork --kill-child --mount-proc \
        bash "$HERE/$TOPIC.sh" "$@"
}

hosts_up() {
    local n=$1 delay=${2:-0} rate=${3:-0} i pid ports=(eth0@0)
    mkdir -p "$NET"
    export HOSTS=$n
    {
        echo "127.0.0.1 localhost"
        echo "10.77.0.254 head"
        for ((i = 1; i <= n; i++)); do echo "10.77.0.$i n$i"; done
    } >"$NET/hosts"
    [ -e /etc/hosts ] || : >/etc/hosts # a place to mount on
    mount --bind "$NET/hosts" /etc/hosts
    for ((i = 1; i <= n; i++)); do
        # shellcheck disable=SC2016 # for the inner shell
        unshare --net --uts --ipc --mount --propagation private sh -c '
            hostname "$1" && ip link set lo up &&
            mount -t tmpfs -o size=256m none /dev/shm && : >"$2/ready.$1" &&
            exec sleep infinity' sh "n$i" "$NET" </dev/null >"$NET/n$i.out" 2>&1 &
        echo $! >"$NET/n$i.pid"
        ports+=("eth0@$!")
        echo "n$i slots=2" >>"$NET/hostfile"
    done
    for ((i = 1; i <= n; i++)); do hosts_await "n$i" "$NET/ready.n$i" || return; done
    mkfifo "$NET/control"
    # Open for both ends, so that it never sees the end of its commands.
    "$SWITCH" "$delay" "$rate" "${ports[@]}" <>"$NET/control" >"$NET/switch.out" 2>&1 &
    echo $! >"$NET/switch.pid"
    hosts_await switch "$NET/switch.out" || return
    plug 0 10.77.0.254
    for ((i = 1; i <= n; i++)); do plug "$(cat "$NET/n$i.pid")" "10.77.0.$i" || return; done
    write_rsh
}

# hosts_await NAME FILE: until FILE is there
hosts_await() {
    local tries
    for ((tries = 0; tries < 250; tries++)); do
        [ -s "$2" ] || { [ -e "$2" ] && [ "$1" != switch ]; } && return 0
        sleep 0.02
    done
    echo "$1 did not come up:" "$(cat "$NET/$1.out")"
    return 1
}

# plug PID ADDRESS
plug() {
    local in=()
    [ "$1" = 0 ] || in=(nsenter --target "$1" --net --)
    "${in[@]}" ip addr add "$2/24" dev eth0 && "${in[@]}" ip link set eth0 mtu 9000 up
}

on() {
    local host=$1
    shift
    "$NET/rsh" "$host" exec "$(printf '%q ' "$@")"
}

# Stands in for ssh: rsh [OPTIONS] HOST COMMAND-STRING
write_rsh() {
    cat >"$NET/rsh" <<'S'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
read -r pid <"${0%/*}/$host.pid"
exec nsenter --target "$pid" --net --uts --ipc --mount -- \
    /bin/bash -c "cd '$PWD' 2>/dev/null; $*"
S
    chmod +x "$NET/rsh"
}

hosts_cut() { echo "cut ${1#n}" >"$NET/control"; }
hosts_join() { echo "join ${1#n}" >"$NET/control"; }

# end_pids FILE...: ends the processes whose ids are in FILEs, and waits for them
end_pids() {
    local file pid tries
    for file in "$@"; do
        [ -s "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null || continue
        for ((tries = 0; tries < 250; tries++)); do
            kill -0 "$pid" 2>/dev/null || continue 2
            sleep 0.02
        done
        echo "# process $pid of $file had to be killed"
        kill -KILL "$pid"
    done
}

hosts_down() {
    end_pids "$NET"/*.pid
    umount /etc/hosts
}
