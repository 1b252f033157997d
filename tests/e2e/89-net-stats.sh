#!/usr/bin/env bash
# Transfers in --stats and --trace: each one is there, with what became of it; of a command
# on records and of `quern fetch`. The server's log says what really happened.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
serve
cat >check.py <<'PY'
"""check.py EXPRESSION...: of the statistics s (s.json) and the transfers t (of t.json)"""
import collections
import json
import sys
s = json.load(open("s.json"))
t = [e for e in json.load(open("t.json"))["traceEvents"] if e["name"] == "fetch"]
fetchers = [x for r in s["ranks"] for x in r["threads"] if x["role"] == "fetcher"]
latency, totals = s["latency"]["fetch"], s["totals"]
classes = collections.Counter(e["args"]["class"] for e in t)
for line in sys.argv[1:]:
    if not eval(line):
        sys.exit(f"not so: {line}\n{totals} {latency['count']} {classes}\n{fetchers}")
PY
export CHECK="python3 check.py" files="--stats s.json --trace t.json"
trace() { python3 "$ROOT/tests/e2e/trace.py" "$@"; }
export -f trace

t "a kernel's URLs" -o '20' \
    '$QUERN sumsq --workers 4 $files "$BASE/delay;ms=100/numbers?from=1&to=1&x=[1-20]" | wc -l
     trace t.json >rows && grep -q "^fetcher [1-4] 20$" rows && grep -q "^worker " rows &&
     $CHECK "latency[\"count\"] == 20 and len(t) == 20 and len(fetchers) == 2" \
         "0.1 <= latency[\"p50\"] and latency[\"max\"] < s[\"run\"][\"seconds\"]" \
         "sum(f[\"tasks\"] for f in fetchers) == sum(f[\"records\"] for f in fetchers) == 20" \
         "sum(f[\"bytes\"] for f in fetchers) == totals[\"fetched_bytes\"] == 40" \
         "totals[\"transfers\"] == 20 and totals[\"retries\"] == totals[\"failed_transfers\"] == 0" \
         "classes == {\"ok\": 20} and all(e[\"args\"][\"status\"] == 200 and e[\"args\"][\"try\"] == 1 for e in t)" \
         "all(e[\"args\"][\"bytes\"] == 2 and e[\"dur\"] >= 1e5 for e in t)" >&2'
t "the serial engine's" -o 3 '$QUERN sumsq --engine=serial $files "$BASE/numbers?from=1&to=1&x=[1-3]" | wc -l
     $CHECK "latency[\"count\"] == 3 and len(t) == 3"'
t "fetch: each URL, and each try" -E \
    '$QUERN fetch -v -O good $files --workers 5 --fetch-threads 1 \
         "$BASE/flaky;times=1/status;code=503/ok/[1-6]" >out 2>err &&
     grep -q "quern: 6 records in .*; fetched 6 URLs, 0.0 MiB, 6 retries; peak" err &&
     [ "$(trace t.json)" = "fetcher 5 12" ] &&
     $CHECK "s[\"run\"][\"command\"] == \"fetch\" and s[\"run\"][\"status\"] == 0 and s[\"run\"][\"complete\"]" \
         "totals[\"records\"] == totals[\"transfers\"] == 6 and totals[\"retries\"] == 6" \
         "latency[\"count\"] == 12 and len(fetchers) == 1" \
         "fetchers[0][\"tasks\"] == 12 and fetchers[0][\"records\"] == fetchers[0][\"errors\"] == fetchers[0][\"retries\"] == 6" \
         "classes == {\"ok\": 6, \"http\": 6}" \
         "sorted((e[\"args\"][\"class\"], e[\"args\"][\"status\"], e[\"args\"][\"try\"]) for e in t) == [(\"http\", 503, 1)] * 6 + [(\"ok\", 200, 2)] * 6" >&2'
t "fetch: what fails" -s 1 -e 'http' \
    '$QUERN fetch -q -O bad $files --tries 1 "$BASE/status;code=404" "$BASE/ok/a" "http://127.0.0.1:$closed/x" >out; status=$?
     $CHECK "totals[\"records\"] == 1 and totals[\"failed_transfers\"] == totals[\"bad\"] == 2" \
         "classes == {\"ok\": 1, \"http\": 1, \"connect\": 1}" "s[\"run\"][\"status\"] == 1" >&2 || exit 9
     exit $status'
t "a redirect is a transfer of its own" -E \
    '$QUERN fetch -q -O hop $files "$BASE/redirect;hops=3" >out && trace t.json >rows &&
     $CHECK "latency[\"count\"] == 5 and totals[\"transfers\"] == 1" \
         "sorted(e[\"args\"][\"status\"] for e in t) == [200] + [302] * 4 and classes == {\"ok\": 5}" >&2'
t "fetch: stopped" -s 75 -e 'time-limit' \
    '$QUERN fetch -q -O slow $files --time-limit 0.5 "$BASE/delay;ms=9000/ok/[1-3]" >out; status=$?
     $CHECK "s[\"run\"][\"timed_out\"] and not s[\"run\"][\"complete\"] and s[\"run\"][\"status\"] == 75" \
         "classes == {\"cancelled\": 3}" "all(4e5 < e[\"dur\"] < 5e6 for e in t)" >&2 || exit 9
     exit $status'
t "fetch: USR2 says how far it is, and it goes on" \
    -e '^quern: 1 records in .* 1 bad, 0 unfinished; fetched 2 URLs, 0.0 MiB, 0 retries; peak [0-9.]+ MiB, CPU [0-9]+ %$' \
    -s 1 '$QUERN fetch -q --discard --unordered --tries 1 "$BASE/ok/a" "$BASE/status;code=404/b" "$BASE/delay;ms=1500/ok/c" >usr2 & run=$!
     for i in $(seq 100); do [ $(wc -l <usr2) = 2 ] && break; sleep 0.1; done
     kill -USR2 $run; wait $run; s=$?; [ $(wc -l <usr2) = 3 ] && exit $s'
t "many transfers, and a trace that stays small" -T 60 \
    '$QUERN fetch -q --discard $files --workers 64 --fetch-threads 2 "$BASE/ok/[1-9000]" >out &&
     trace t.json 16600 >rows && $CHECK "sum(e[\"args\"][\"tasks\"] for e in t) == 9000 == latency[\"count\"]"'
t "fetch: for node_exporter" -E -m '^quern_transfers\{run="m",command="fetch"\} 2$' \
    -m '^quern_fetch_seconds_count\{run="m",command="fetch"\} 2$' -m '^quern_fetched_bytes\{run="m",command="fetch"\} 10$' \
    '$QUERN fetch -q --discard --stats m.prom --stats-format prom "$BASE/ok/{a,b}" >/dev/null && cat m.prom'
t "fetch: nowhere to write" -s 3 -o '' -e '^quern: none/s.json: No such file' \
    '$QUERN fetch -q --discard --stats none/s.json "$BASE/ok/a"'
t "fetch: the list itself" -s 2 -o '' -e 'list is an input and the output' \
    'echo "$BASE/ok/a" >list; $QUERN fetch -q --discard --trace list list'
t "fetch: the list that failed to be" -s 2 -o '' -e 'list is an input and the output' \
    'echo "$BASE/ok/a" >list; $QUERN fetch -q --discard --failed ./list list; s=$?; [ -s list ] && exit $s'
t "fetch: the report itself" -s 2 -o '' -e 'R is --stats and --report' \
    '$QUERN fetch -q --discard --stats ./R --report R "$BASE/ok/a"'
t "fetch: a run that did not begin" -s 2 -o '' -e 'UNSET_NAME' \
    '$QUERN fetch -q --discard --stats s.json "$BASE/ok/a" >out
     $QUERN fetch -v --discard --stats s.json --header "A: \${UNSET_NAME}" "$BASE/ok/a"; status=$?
     $CHECK "s[\"run\"][\"status\"] == 2 and not totals[\"transfers\"] and not fetchers" >&2 && exit $status'
finish
