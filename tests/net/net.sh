# shellcheck shell=bash
# net.sh: servers on loopback for the end-to-end tests of fetching. Source it after lib.sh.
#
#     serve [NAME=VALUE...]   starts server.py; sets $BASE (http://127.0.0.1:PORT), $LOG, and
#                             a variable for each of its ports: $http, $other, $closed, ...
#     certs                   makes a certificate authority: $CA (ca.pem); before serve
#     serve_nginx             starts nginx for speed, TLS and HTTP/2: see nginx.py
#
# All of them live in a private directory and are stopped, by pid, when the topic ends.
NET=$ROOT/tests/net
NETBOX=$BOX/net
mkdir "$NETBOX"
LOG=$NETBOX/log
export NET NETBOX LOG PYTHONDONTWRITEBYTECODE=1
server_pids=()

stop_servers() {
    local pid
    for pid in ${server_pids[@]+"${server_pids[@]}"}; do kill "$pid" 2>/dev/null; done
    for pid in ${server_pids[@]+"${server_pids[@]}"}; do wait "$pid" 2>/dev/null; done
    server_pids=()
}
trap 'stop_servers; remove_box' EXIT

# started FILE PID WHAT: waits until FILE, of NAME=PORT words, is there, and exports them
started() {
    local i word
    for ((i = 0; i < 100 * TIME_SCALE; i++)); do
        [ -s "$1" ] && break
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    if [ ! -s "$1" ]; then
        echo "not ok - $TOPIC: $3 does not start"
        sed 's/^/#   /' "$NETBOX"/*.err
        exit 1
    fi
    for word in $(cat "$1"); do export "${word?}"; done
}

certs() {
    mkdir "$NETBOX/certs"
    bash "$NET/certs.sh" "$NETBOX/certs" 2>"$NETBOX/certs.err" || exit 2
    export CA=$NETBOX/certs/ca.pem
}

serve() {
    local tls=()
    [ -d "$NETBOX/certs" ] && tls=(--tls "$NETBOX/certs")
    python3 "$NET/server.py" --log "$LOG" --ports "$NETBOX/ports" ${tls[@]+"${tls[@]}"} \
        >/dev/null 2>"$NETBOX/server.err" </dev/null &
    server_pids+=($!)
    started "$NETBOX/ports" $! "the server"
    # shellcheck disable=SC2154 # set by started
    export BASE=http://127.0.0.1:$http
}

serve_nginx() {
    python3 "$NET/nginx.py" "$NETBOX" 2>"$NETBOX/nginx.err" </dev/null >/dev/null &
    server_pids+=($!)
    started "$NETBOX/nginx.ports" $! nginx
}
