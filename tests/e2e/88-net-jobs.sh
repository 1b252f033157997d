#!/usr/bin/env bash
# The jobs that fetch, against the server on loopback: what they print and leave is what an
# independent computation says.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
export JOBS="$ROOT/jobs"
serve
oracle() { python3 "$NET/oracle.py" "$@"; }
export -f oracle
load() { python3 "$NET/load.py" "$@"; }
export -f load

# --- W5: throttle
t "throttle" -m '^40 requests' \
    '$QUERN run $JOBS/throttle.job --set base=$BASE >out && test $(grep -c "^ok" out) = 40 &&
     load /todos/ window 10 5'
t "throttle: the server's limit is the same" -o 40 -T 60 \
    '$QUERN run $JOBS/throttle.job --set "base=$BASE/limited;key=job" >out && grep -c "^ok" out'
t "throttle: no limit of ours" -o 40 -T 60 \
    '$QUERN run $JOBS/throttle.job --set "base=$BASE/limited;key=job2" --rate 1000 >out &&
     grep -c "^ok" out'

# --- W6: pages160
for mode in "" "--workers 30 --fetch-threads 1" "--workers 30 --fetch-threads 30" \
    "--workers 80 --unordered"; do
    t "pages160 $mode" -o '160 163840' \
        '$QUERN run $JOBS/pages160.job --set pages=40 \
             --set "base=http://127.0.0.1:{$http,$other}" '"$mode"' >out || exit 1
         awk "/^ok\t200\t1024\t/ {n++; bytes += \$3} END {print n, bytes}" out; ! ls pages160 2>/dev/null'
done
t "pages160: one after the other" -o 8 -T 40 \
    '$QUERN run $JOBS/pages160.job --set pages=4 --set base=$BASE --workers 1 >out
     load part=two count >&2; grep -c "^ok" out'

# --- W7: download
six=$'rfc6901.pdf right\nrfc7230.pdf right\nrfc8259.pdf right\nrfc9110.txt right
rfc9111.txt right\nrfc9112.txt right'
for mode in "--workers 1" "--workers 6" ""; do
    t "download $mode" -o "$six" \
        'rm -rf download; $QUERN run $JOBS/download.job '"$mode"' \
             --set "base=$BASE/file;size=300000" >out && oracle files download 300000'
done
t "download: one file fails, and is not there" -s 1 -o "${six/rfc9111.txt right$'\n'/}" \
    'rm -rf download; $QUERN run $JOBS/download.job \
         --set "base=$BASE/except;match=rfc9111.txt/status;code=404/file;size=3000" >out; s=$?
     oracle files download 3000 | sort; exit $s'
t "download: stopped, then gone on with" -o "$six" -T 30 \
    'rm -rf download; timeout -s INT 0.5 $QUERN run $JOBS/download.job \
         --set "base=$BASE/drip;size=9000;ms=30/file;size=300000" >out 2>err
     ls download | grep . && exit 9
     $QUERN run $JOBS/download.job --set "base=$BASE/drip;size=90000;ms=1/file;size=300000" >out &&
     oracle files download 300000'

# --- W11: futures
t "futures: in order" -E -o '3 3 1 1 2 2' \
    '$QUERN run $JOBS/futures.job --set base=$BASE >out && sed "s|.*/delay/\(.\).*|\1|" out | xargs'
t "futures: as completed" -E -o '1 1 2 2 3 3' \
    '$QUERN run $JOBS/futures.job --set base=$BASE/delay\;ms=300 --unordered -q >out &&
     sed "s|.*/delay/\(.\).*|\1|" out | xargs'
t "futures: a result that comes too late" -s 1 -o 'timeout 2 ok 4' \
    '$QUERN run $JOBS/futures.job --set "base=$BASE/pace;ms=$((300 * TIME_SCALE))" \
         --deadline $((750 * TIME_SCALE))ms >out 2>err; s=$?
     echo timeout $(grep -c "^timeout.*/delay/3" out) ok $(grep -c "^ok" out); exit $s'

# --- W12: monitor
oracle integers 40 >w12.want
for mode in "" "--workers 1 -j1" "--workers 40 -j2"; do
    t "monitor $mode" -n 'TODO' -O w12.want '$QUERN run $JOBS/monitor.job -q --set base=$BASE '"$mode"
done
t "monitor --unordered: the same lines" -o same \
    '$QUERN run $JOBS/monitor.job -q --set base=$BASE --unordered | sort >u &&
     sort w12.want | cmp - u && echo same'
t "monitor: the screen shows both queues, and the output is clean" -O w12.want \
    'script -qec "$QUERN run $JOBS/monitor.job --set \"base=$BASE/delay;ms=400\" --workers 4 \
         >screen.out" screen >&2 </dev/null || exit 1
     grep -aq TODO screen && grep -aq DONE screen || exit 9; cat screen.out'
finish
