#!/usr/bin/env bash
# --stats and --trace: what is in the files is what happened, and they are whole.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# check EXPRESSION...: Python, on the statistics s (of s.json) and the trace's events (t.json)
cat >check.py <<'PY'
import json, os, sys
s = json.load(open("s.json")) if os.path.exists("s.json") else None
t = json.load(open("t.json")) if os.path.exists("t.json") else None
events = t["traceEvents"] if t else []
threads = [x for r in s["ranks"] for x in r["threads"]] if s else []
workers = [x for x in threads if x["role"] == "worker"]
def slices(name): return [e for e in events if e["ph"] == "X" and e["name"] == name]
for line in sys.argv[1:]:
    if not eval(line):
        sys.exit(f"not so: {line}")
PY
export CHECK="python3 check.py"
trace() { python3 "$ROOT/tests/e2e/trace.py" "$@"; }
export -f trace
seq 1000000000000000000000 1000000000000000002000 >n.txt
printf '7x\n12\n' >bad.txt

t "what a run was and did" -s 1 -e "not an integer" \
    '$QUERN factor -j2 --chunk=2K --stats s.json --trace t.json -o out n.txt bad.txt; status=$?
     $CHECK "s[\"schema\"] == \"quern-stats\" and s[\"version\"] == 1" \
         "s[\"run\"][\"command\"] == \"factor\" and s[\"run\"][\"status\"] == 1" \
         "s[\"run\"][\"options\"][\"threads\"] == \"2\" and s[\"run\"][\"inputs\"] == [\"n.txt\", \"bad.txt\"]" \
         "s[\"totals\"][\"records\"] == 2002 and s[\"totals\"][\"bad\"] == 1" \
         "s[\"totals\"][\"bytes_written\"] == os.path.getsize(\"out\")" \
         "s[\"totals\"][\"bytes_read\"] == os.path.getsize(\"n.txt\") + os.path.getsize(\"bad.txt\")" \
         "len(workers) == 2 and sum(w[\"records\"] for w in workers) == 2003" \
         "sum(w[\"errors\"] for w in workers) == 1" \
         "all(x[\"busy\"] + x[\"wait\"] + x[\"idle\"] < s[\"run\"][\"seconds\"] * 1.1 + 0.1 for x in threads)" \
         "s[\"latency\"][\"record\"][\"count\"] == 2002" \
         "sum(b[2] for b in s[\"latency\"][\"record\"][\"buckets\"]) == 2002" \
         "s[\"latency\"][\"record\"][\"p50\"] <= s[\"latency\"][\"record\"][\"p99\"] <= s[\"latency\"][\"record\"][\"max\"]" \
         "sum(e[\"args\"][\"records\"] for e in slices(\"chunk\")) == 2003" \
         "len(slices(\"chunk\")) > 10 and slices(\"commit\")" || exit 9
     exit $status'
# Events of a thread stand one behind the other, within the run.
t "a trace that fits together" '$QUERN prime -j2 --trace t.json --stats s.json 1..30000000 >/dev/null &&
     $CHECK "all(e[\"ts\"] >= 0 and e[\"dur\"] >= 0 for e in events if e[\"ph\"] == \"X\")" \
         "all(e[\"ts\"] + e[\"dur\"] < s[\"run\"][\"seconds\"] * 1e6 + 1e5 for e in events if e[\"ph\"] == \"X\")" &&
     [ "$(trace t.json | cut -d" " -f1,2 | xargs)" = "committer 1 reader 1 worker 2" ]'
t "a long trace stays small" '$QUERN prime --chunk=100 --trace t.json 1..3000000 >/dev/null && trace t.json 140000 >&2 &&
     $CHECK "sum(e[\"args\"][\"records\"] for e in slices(\"chunk\")) == 3000000" \
         "os.path.getsize(\"t.json\") < 8e6" "20000 < sum(e[\"args\"][\"tasks\"] for e in slices(\"chunk\"))" "len(slices(\"chunk\")) <= 16384"'
t "statistics change no byte" '$QUERN factor n.txt | cmp - <($QUERN factor --stats s.json --trace t.json n.txt)'
t "the serial engine has one thread" '$QUERN factor --engine=serial --stats s.json n.txt >/dev/null &&
     $CHECK "len(threads) == 1 and threads[0][\"records\"] == 2001" "s[\"run\"][\"engine\"] == \"serial\""'
t "of a run that was stopped" -s 124 -e 'stopped by --time-limit' \
    '$QUERN factor --stats s.json --time-limit 300ms 1000000000000000000000000..1000000000000000001000000 >/dev/null; status=$?
     $CHECK "s[\"run\"][\"status\"] == 124 and s[\"run\"][\"timed_out\"] and not s[\"run\"][\"complete\"]" || exit 9
     exit $status'
t "of a run that goes on" \
    '$QUERN factor -q -o r --time-limit 50ms 1000000000000000000000..1000000000000000008000; [ $? = 75 ] || exit 9
     $QUERN factor -q -o r --resume --stats s.json 1000000000000000000000..1000000000000000008000 &&
     $CHECK "s[\"totals\"][\"records\"] == 8001" \
         "sum(w[\"records\"] for w in workers) + s[\"totals\"][\"records_of_earlier_runs\"] == 8001"'
t "for node_exporter" -E -m '^quern_records\{run="m",command="prime"\} 10$' -m '^# TYPE quern_run_seconds gauge$' \
    '$QUERN prime --stats m.prom --stats-format prom 1..10 >/dev/null && cat m.prom
     grep -vE "^(# (HELP|TYPE) quern_[a-z_]+ .*|quern_[a-z_]+\{[a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*\} [0-9.e+-]+)$" m.prom >&2
     [ $? = 1 ]'

if [ -n "$SANITIZER" ]; then
    exempt "of all ranks" "MPI libraries are not instrumented"
elif need mpirun "of all ranks"; then
    t "of all ranks" \
        'mpirun --allow-run-as-root --oversubscribe -np 3 timeout 50 $QUERN factor -j1 --chunk 500 --stats s.json --trace t.json n.txt </dev/null 2>/dev/null | cmp - <($QUERN factor n.txt) && trace t.json >&2 &&
         $CHECK "[r[\"rank\"] for r in s[\"ranks\"]] == [0, 1, 2] and s[\"run\"][\"ranks\"] == 3" \
             "sum(w[\"records\"] for w in workers) == 2001" "{e[\"pid\"] for e in slices(\"chunk\")} == {0, 1, 2}" \
             "s[\"latency\"][\"record\"][\"count\"] == 2001"'
fi

# --- what was read, whoever read it ---

printf '[{"a":3,"b":5},{"a":1,"b":2}]' >d1.json
printf '[{"a":7,"b":2}]' >d2.json
seq 300000 >long.txt
# read_is SIZE COMMAND...: what it does reads so many bytes, with one engine and the other
read_is() {
    local size=$1 engine
    shift
    for engine in threads serial; do
        "$QUERN" "$@" --engine=$engine --stats s.json >/dev/null || return
        $CHECK "s[\"totals\"][\"bytes_read\"] == $size" || return
    done
}
export -f read_is
t "bytes read of a stream" 'read_is $(stat -c %s long.txt) count -j2 99 long.txt'
t "bytes read of documents" \
    'read_is $(($(stat -c %s d1.json) + $(stat -c %s d2.json))) extract --columns a=/0/a d1.json d2.json'
t "bytes read of documents of numbers" 'read_is $(stat -c %s n.txt) lineprod 3,17 n.txt'
t "bytes read of a pipe" '$QUERN count 99 --stats s.json <long.txt >/dev/null &&
     $CHECK "s[\"totals\"][\"bytes_read\"] == os.path.getsize(\"long.txt\")"
     cat long.txt | $QUERN count 99 --stats s.json >/dev/null &&
     $CHECK "s[\"totals\"][\"bytes_read\"] == os.path.getsize(\"long.txt\")"'

# --- of a run that did not begin: no older file passes for its ---

t "an input that is not there" -s 3 -o '' \
    '$QUERN prime --stats s.json --trace t.json 1..10 >/dev/null && $QUERN prime --stats s.json --trace t.json nofile; s=$?
     $CHECK "s[\"run\"][\"status\"] == 3 and not s[\"run\"][\"complete\"] and s[\"totals\"][\"records\"] == 0" \
         "not slices(\"chunk\")" && exit $s'
t "... for node_exporter" -s 3 -m '^quern_run_status\{run="p",command="prime"\} 3$' -m '^quern_records\{run="p",command="prime"\} 0$' \
    '$QUERN prime --stats p.prom --stats-format prom 1..10 >/dev/null && $QUERN prime --stats p.prom --stats-format prom nofile; s=$?
     cat p.prom; exit $s'
t "a refused resume" -s 2 \
    '$QUERN factor -q -o u --time-limit 50ms --stats s.json 1000000000000000000000..1000000000000000008000
     $QUERN factor -q -o u --resume --stats s.json 1..8; s=$?
     $CHECK "s[\"run\"][\"status\"] == 2 and s[\"totals\"][\"records\"] == 0" && exit $s'
t "no such launch" -s 2 \
    '$QUERN prime --mpi=no --stats s.json 7 >/dev/null; SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=0 $QUERN prime --stats s.json 7; s=$?
     $CHECK "s[\"run\"][\"status\"] == $s" && exit $s'

# --- files that cannot be ---

t "a format of nothing" -o '7 prime' -e '^quern: warning: --stats-format does nothing without --stats$' \
    '$QUERN prime --stats-format prom 7'

t "nowhere to write" -s 3 -o '' -e '^quern: none/s.json: No such file' '$QUERN prime --stats none/s.json 7'
t "a full disk" -s 3 -o '7 prime' -e '^quern: write /dev/full: No space' '$QUERN prime --stats /dev/full 7'
t "a folder" -s 3 -o '' -e 'Is a directory' '$QUERN prime --trace . 7'
t "the output itself" -s 2 -e 'is the output and --stats' '$QUERN prime -o x --stats x 7'
t "... by another name" -s 2 -e 'is the output and --trace' \
    'echo >x && ln -sf x y && $QUERN prime -o x --restart --trace y 7'
t "... which is standard output" -s 2 -e 'is the output and --stats' '$QUERN prime --stats /dev/stdout 7 >x'
t "an input" -s 2 -e 'n.txt is an input and the output' '$QUERN prime --stats n.txt n.txt'
t "a list of inputs" -s 2 -o '' -e './n.list is a list of inputs and the output' \
    'echo n.txt >n.list; for to in -o --stats --trace --report --failed; do
         $QUERN prime $to n.list @./n.list; s=$?; [ "$(cat n.list)" = n.txt ] || exit 9
     done; exit $s'
t "... which is not there yet" -s 2 -o '' -e '^quern: ./new1 is the output and --stats$' \
    '$QUERN factor --stats ./new1 -o new1 1..300; s=$?; [ ! -e new1 ] && exit $s'
t "... behind a link to nothing" -s 2 -o '' -e 'new3 is the output and --trace' \
    'ln -s new2 new3; $QUERN factor --trace new3 -o new2 1..300; s=$?; [ ! -e new2 ] && exit $s'
t "its journal" -s 2 -o '' -e "J.quern is the output's journal and --stats" \
    '$QUERN factor -q -o J --time-limit 50ms 1000000000000000000000..1000000000000000008000; cp J.quern J.old
     $QUERN factor -o J --resume --stats ./J.quern 1000000000000000000000..1000000000000000008000
     s=$?; cmp J.quern J.old && exit $s'
t "its folder of shards" -s 2 -o '' -e 'D/../D/manifest, --stats, is in the folder of the output' \
    '$QUERN prime -o D/ 1..300 && cp D/manifest M && $QUERN prime -o D/ --stats D/../D/manifest 1..300
     s=$?; cmp D/manifest M && exit $s'
t "statistics and a trace" -s 2 -o '' -e './st.json is --stats and --trace' \
    '$QUERN prime --stats st.json --trace ./st.json 7'
t "what is written to one by one" '$QUERN prime -o /dev/null --stats /dev/null --trace /dev/null 7'
t "a report over its own input" -s 2 -o '' -e '^quern: r.json is an input and the output$' \
    '$QUERN prime --stats r.json 7 >/dev/null && cp r.json r.old && ln r.json r.too &&
     $QUERN report r.json -o r.too; [ $? = 2 ] && $QUERN report r.json -o ./r.json
     s=$?; cmp r.json r.old && exit $s'
t "... through standard output" -s 2 -e 'r.json is an input and the output' '$QUERN report r.json >>r.json'
t "the old file stays until the new one is whole" \
    'echo old >s2.json; chmod 600 s2.json; $QUERN prime --stats s2.json 7 >/dev/null &&
     python3 -c "import json; json.load(open(\"s2.json\"))" && [ "$(ls -A | grep -c "^.quern")" = 0 ]'
finish
