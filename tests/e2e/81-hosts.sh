#!/usr/bin/env bash
# Three hosts on this machine, made of namespaces, joined by a network with a delay and a
# rate: mpirun over TCP across them gives the same bytes; a host that is cut off ends the
# job in bounded time, and --resume completes it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../cluster/hosts.sh
. "$ROOT/tests/cluster/hosts.sh"
# shellcheck source=../cluster/mpi.sh
. "$ROOT/tests/cluster/mpi.sh"

if [ -n "$SANITIZER" ]; then
    exempt "$TOPIC" "it is about the network"
    finish
fi
need ip "$TOPIC" && need mpirun "$TOPIC" || finish
private_machine "$@"
hosts_up 3 200 1000 || {
    echo "the hosts did not come up" >"$BOX/why"
    fail "three hosts" "hosts_up 3 200 1000"
    finish
}
mpi_across_hosts
export NETPY="$ROOT/tests/cluster/net.py"
export -f on hosts_cut hosts_join

# --- the network is what it is said to be ---

on n2 python3 "$NETPY" serve </dev/null >"$NET/serve.out" 2>&1 &
serving=$!
t "hosts have names and see each other" -o $'n1\nn3' \
    'on n1 hostname; on n3 hostname; for i in 1 2 3 4 5 6 7 8 9; do
         on n3 python3 $NETPY ping n2 1 2>/dev/null && exit; sleep 0.2
     done; exit 1'
t "200 us each way" 'us=$(on n1 python3 $NETPY delay n2); echo $us; [ $us -ge 400 ]'
t "1000 Mbit/s and no more" \
    'rate=$(on n1 python3 $NETPY rate n2 64); echo $rate; [ $rate -le 1010 ] && [ $rate -ge 20 ]'
t "a cut cable carries nothing" -s 1 \
    'hosts_cut n2; on n1 python3 $NETPY ping n2 1 2>/dev/null'
t "... until it is joined" \
    'hosts_join n2; for i in 1 2 3 4 5; do
         on n1 python3 $NETPY ping n2 4 2>/dev/null && exit; done; exit 1'
kill "$serving"

# --- ranks on three hosts ---

$ORACLE numbers u64 4000 81 >many.in
factor <many.in >many.want
long_work 8 81 >long.in
$ORACLE sumsq <long.in >long.want

t "six ranks on three hosts: the same bytes" -O many.want -T 90 \
    'mpirun -np 6 --map-by node $QUERN factor -j1 many.in'
t "... and from standard input" -O many.want -T 90 \
    'mpirun -np 3 --map-by node $QUERN factor -j2 <many.in'
# Long enough for a rank's first answer to be heard, with -v, which waits for it.
seq 1000000000000000000 1000000000000030000 >hard.in
factor <hard.in >hard.want
t "... where a rank does not see the file" -O hard.want -T 90 \
    -e 'rank 1 on n2 does not see .*hidden/hard.in as rank 0 does' \
    'mkdir hidden; cp hard.in hidden
     on n2 mount -t tmpfs none hidden &&
     mpirun -np 3 --map-by node $QUERN factor -v -j1 hidden/hard.in'

cut_off() {
    mpirun -np 3 --map-by node "$QUERN" sumsq --method=loop -j1 -o out long.in &
    local job=$! tries
    for ((tries = 0; tries < 300; tries++)); do
        grep -qs '^m' out.quern && break
        sleep 0.1
    done
    hosts_cut n2
    local began=$SECONDS status
    wait $job
    status=$?
    echo "status $status after $((SECONDS - began)) s"
    [ $status -ne 0 ] && [ $((SECONDS - began)) -le $((20 * TIME_SCALE)) ] &&
        cmp -n "$(stat -c %s out)" out long.want
}
export -f cut_off
t "a host that is cut off ends the job, and it is said" -T 90 -m '^status' \
    -e 'lost communication with a remote daemon|network connection|rank 1 on n2' cut_off
t "... and --resume completes it on the others" -O long.want -T 90 \
    'mpirun -np 2 --host n1,n3 $QUERN sumsq --method=loop -j2 -o out long.in --resume && cat out'
hosts_join n2

hosts_down
finish
