#!/usr/bin/env bash
# How fast a fetch stops, whatever its transfers wait for. Measures time, so it runs alone.
# shellcheck disable=SC2154 # ports are variables that serve sets
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
if [ -n "$SANITIZER" ]; then
    exempt "cancel" "a sanitizer takes its own time; 85-continue.sh has the rest"
    finish
fi
serve
stuck="$BASE/silent/1 $BASE/cut;at=5000;how=stall/numbers;to=9999/2 $BASE/halfhead;how=stall/3
$BASE/drip;ms=100/ok/4 $BASE/drip;size=65536;ms=20/endless/5 http://127.0.0.1:$other/silent/6 $BASE/driphead/7"
export stuck=${stuck//$'\n'/ }
for signal in INT TERM; do
    t "SIG$signal stops it within 100 ms" -T 100 'python3 "$NET/cancel.py" '$signal' 100 $stuck'
done
finish
