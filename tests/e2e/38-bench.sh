#!/usr/bin/env bash
# quern bench and quern report: the table, the files, the page as a browser shows it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# MPI libraries leak, without a name for it: for runs that load them.
export RANKS_ASAN="${ASAN_OPTIONS-}:detect_leaks=0"
seq 1000000000000000000000 1000000000000000000600 >n.txt
printf '[job]\ncommand = prime\ntiming = yes\ninput = 1000003\ninput = 1..99\n' >t.job

t "a table" -m '^# command: quern factor n.txt$' -m '^# machine: .* CPUs' \
    -m '^# output: the same bytes each time, xxh3 [0-9a-f]{32}$' -m '^# mode +width +N +min_s' \
    -m '^serial +1 +2( +[0-9.]+){6}$' -m '^threads +1 +2( +[0-9.]+){6}$' -m '^threads +2 +2( +[0-9.]+){6}$' \
    'ASAN_OPTIONS=$RANKS_ASAN $QUERN bench --repeat 2 --widths 1,2 factor n.txt'
t "its digest is the output's" '$QUERN factor -v n.txt 2>said >out
     [ "$($QUERN bench --repeat 1 --modes threads factor n.txt | sed -n "s/.*xxh3 //p")" = "$(sed -n "s/.*xxh3 //p" said)" ]'
t "a job file whose lines end with seconds" -m 'the same bytes each time' -m '^# command: quern run t.job --method=trial$' \
    '$QUERN bench --repeat 2 --modes serial,threads t.job --method=trial'
t "unordered" -m 'the same bytes each time' '$QUERN bench --repeat 3 --modes threads --widths 2 factor --unordered --chunk 100 n.txt'
t "weak scaling: twice the work for two" -m '^# scaling: weak' -m '^threads +2 +1' \
    '$QUERN bench --repeat 1 --modes threads --widths 1,2 --scaling weak -o weak factor n.txt
     python3 -c "
import json
cells = json.load(open(\"weak.json\"))[\"cells\"]
assert [c[\"stats\"][\"totals\"][\"records\"] for c in cells] == [601, 1202]
assert cells[0][\"xxh3_128\"] != cells[1][\"xxh3_128\"]"'
t "the files agree with the table" '$QUERN bench --modes serial,threads --repeat 3 --widths 1,2 -o b factor n.txt >table &&
     python3 - <<PY
import csv, json, statistics
doc = json.load(open("b.json"))
rows = list(csv.DictReader(open("b.csv", newline="")))
table = [line.split() for line in open("table") if not line.startswith("#")]
assert doc["schema"] == "quern-bench" and doc["version"] == 1 and doc["same_bytes"]
assert doc["again"] == "quern bench --modes serial,threads --repeat 3 --widths 1,2 -o b factor n.txt"
assert len(doc["cells"]) == len(table) == len(rows) // 3
base = doc["cells"][0]["median"]
for cell, line in zip(doc["cells"], table):
    times = [float(r["seconds"]) for r in rows
             if (r["mode"], int(r["width"])) == (cell["mode"], cell["width"])]
    assert times == cell["seconds"] and statistics.median(times) == cell["median"]
    assert abs(base / cell["median"] - cell["speedup"]) < 1e-3
    assert abs(cell["speedup"] / cell["width"] - cell["efficiency"]) < 1e-3
    assert line[0] == cell["mode"] and float(line[4]) == cell["median"]
    assert cell["stats"]["totals"]["records"] == 601 and cell["timeline"]["rows"]
PY'
t "the exact command again" 'eval "$(python3 -c "
import json; print(json.load(open(\"b.json\"))[\"again\"].replace(\"quern\", \"\$QUERN\", 1))")" | grep -q ^threads'
if need mpirun "ranks beside threads"; then
    t "ranks beside threads" -m '^processes +2 +1' -m 'the same bytes each time' -m '^# base: threads 2$' \
        'ASAN_OPTIONS=$RANKS_ASAN $QUERN bench --modes threads,processes --repeat 1 --widths 2 factor n.txt'
    t "bad records in every run" -m '^# status: 1 of every run' -m '^processes +2 +1' \
        'ASAN_OPTIONS=$RANKS_ASAN $QUERN bench --modes threads,processes --repeat 1 --widths 2 factor n.txt 7/2'
fi
if need mpirun.mpich "ranks of the other MPI"; then
    t "ranks of the other MPI" -m '^processes +2 +1' \
        'mkdir bin; printf "#!/bin/sh\nexec mpirun.mpich \"\$@\"\n" >bin/mpirun; chmod +x bin/mpirun
         ASAN_OPTIONS=$RANKS_ASAN PATH=$PWD/bin:$PATH $QUERN bench --modes threads,processes --repeat 1 --warmup 0 --widths 2 factor n.txt'
fi
for sign in OMPI_COMM_WORLD_SIZE PMI_SIZE SLURM_STEP_NUM_TASKS; do
    t "below a launcher: $sign" -s 2 -o '' -e 'bench starts ranks itself' "$sign=2"' ASAN_OPTIONS=$RANKS_ASAN $QUERN bench --repeat 1 --modes serial factor 7'
done
# An mpirun that dies as a rank without a launcher does, with the status of bad records.
t "a launcher that fails is no bad record" -s 3 -m '^# failed: processes, width 2: .*: oh dear$' -m '^processes +2 +0 +-' \
    -m '^threads +2 +2 +[0-9]' -e 'processes, width 2: a run ended with status 1' \
    'mkdir bin2; printf "#!/bin/sh\n[ \$1 = --version ] && exit\necho oh dear >&2; exit 1\n" >bin2/mpirun; chmod +x bin2/mpirun
     PATH=$PWD/bin2:$PATH $QUERN bench --modes threads,processes --repeat 2 --widths 2 -o part factor n.txt; status=$?
     python3 -c "
import json
cells = json.load(open(\"part.json\"))[\"cells\"]
assert [c[\"n\"] for c in cells] == [2, 0] and cells[0][\"failed\"] is None
assert cells[1][\"failed\"].endswith(\"oh dear\") and cells[1][\"median\"] is None" &&
     grep -q "Failed: processes × 2: a run ended" part.html && [ $(wc -l <part.csv) = 3 ] && exit $status'
t "one base for all, and its name" -m '^# base: threads 2$' -m '^threads +2 .* 1.000 +100.0 ' \
    '$QUERN bench --modes threads --repeat 1 --widths 4,2 -o base factor n.txt && grep -q "times as fast as threads × 2\." base.html &&
     python3 -c "
import json
doc = json.load(open(\"base.json\"))
assert doc[\"base\"] == {\"mode\": \"threads\", \"width\": 2}
four, two = doc[\"cells\"]
assert abs(four[\"speedup\"] - two[\"median\"] / four[\"median\"]) < 1e-3
assert abs(four[\"efficiency\"] - four[\"speedup\"] / 2) < 1e-3"'
t "an INPUT that looks like an option's value" -m '^# status|^serial +1 +1' \
    'printf "[job]\ncommand = prime\ninput = 5\n" >md.job; $QUERN bench --modes serial --repeat 1 md.job --max-digits 20 20 21'
t "files that cannot be written are seen before" -s 3 -o '' -e 'd.json: Is a directory' \
    'mkdir d.json; $QUERN bench -o d --repeat 1 --modes serial factor 7; status=$?; [ ! -e d.csv ] && exit $status'
t "a folder with a long name" -s 3 -o '' -e 'cannot make a folder in /no/0{200}: ' \
    'TMPDIR=/no/$(printf %0200d 0) $QUERN bench --repeat 1 --modes serial factor 7'
t "a run that fails" -s 3 -o '' -e 'ended with status 3: quern: missing: No such file' \
    '$QUERN bench --repeat 1 --modes serial factor missing'
# What /proc says of a process is never the same twice: its number is in it.
t "bytes that differ" -s 4 -e 'not the bytes of the first run' \
    '$QUERN bench --warmup 0 --repeat 3 --modes serial prime /proc/self/stat'
t "nothing is left behind" 'mkdir tmp && TMPDIR=$PWD/tmp $QUERN bench --repeat 1 --modes serial factor 7 >/dev/null && [ -z "$(ls -A tmp)" ]'
# In the background INT and QUIT are ignored, unless env takes that back.
for name in INT TERM HUP QUIT USR1; do
    t "SIG$name leaves nothing either" -s $((128 + $(kill -l $name))) -e "stopped by SIG$name" \
        'mkdir tmp-'$name'; TMPDIR=$PWD/tmp-'$name' env --default-signal=INT,QUIT $QUERN bench --modes serial factor 1000000000000000000000000..1000000000000000000999999 &
         sleep 0.7; runs=$(pgrep -P $!); kill -'$name' $!; wait $!; status=$?
         [ -n "$runs" ] && ! kill -0 $runs 2>&- && [ -z "$(ls -A tmp-'$name')" ] && exit $status'
done
t "what was measured is told when it is stopped" -s 143 -m '^# stopped by SIGTERM: not all runs were made$' -m '^serial +1 +[0-9]+ +[0-9]' \
    '$QUERN bench --repeat 100 --modes serial --warmup 0 factor 1000000000000000000000000..1000000000000000000000999 &
     sleep 3; kill -TERM $!; wait $!'
on_terminal() { python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' sh -c "$1" | tr '\r\033' '\n\n'; }
export -f on_terminal
t "a narrow terminal" -m '^bench: run 1 of 2, seri$' \
    'on_terminal "stty cols 24; TERM=xterm $QUERN bench --repeat 1 --modes serial factor 7 >table"'
t "a dumb terminal" -o '' 'on_terminal "TERM=dumb $QUERN bench --repeat 1 --modes serial factor 7 >table"'
t "what is ignored stays so" '(trap "" TERM; exec $QUERN bench --repeat 20 --modes serial factor 1000000000000000000000000..1000000000000000000000999 >table) &
     sleep 0.2; kill -TERM $!; wait $! && grep -q ^serial table'
t "who kills bench ends its runs" 'TMPDIR=$PWD $QUERN bench --modes serial factor 1000000000000000000000000..1000000000000000000999999 &
     sleep 0.7; runs=$(pgrep -P $!); kill -KILL $!; wait $! 2>&-; for i in $(seq 50); do kill -0 $runs 2>&- || exit 0; sleep 0.1; done; exit 9'
for words in "" "info" "factor" "factor -o x 7" "nothing.job" "--modes x factor 7" "--widths 0 factor 7" "factor --stats-format prom 7"; do
    t "bench ${words:-(nothing)}" -o '' -s 2 -e '^quern: ' '$QUERN bench '"$words"' 2>said; status=$?
        cat said >&2; [ $status = 3 ] && grep -q nothing.job said && exit 2; exit $status'
done

with_pages() { python3 "$HERE/pages.py" "$1" -- bash -c "$2"; }
export -f with_pages
t "pages in all four modes" -m '^serial +1 +1' -m '^threads +8 +1' -m '^processes +8 +1' \
    -m '^event +8 +1' -m 'the same bytes' \
    'with_pages 0.05 "\$QUERN bench --repeat 1 --widths 8 -o pages fetch http://127.0.0.1:\$PORT/[1-40]" | tee table
     python3 -c "
import json
cells = {c[\"mode\"]: c[\"median\"] for c in json.load(open(\"pages.json\"))[\"cells\"]}
assert cells[\"serial\"] > 2, cells
assert all(cells[m] < cells[\"serial\"] / 2 for m in (\"threads\", \"processes\", \"event\")), cells
for c in json.load(open(\"pages.json\"))[\"cells\"]:
    one = c[\"mode\"] != \"processes\"  # who is seen
    assert (c[\"stats\"] is not None) == one, c
    assert not one or c[\"stats\"][\"latency\"][\"fetch\"][\"count\"] == 40, c
    assert not one or len(c[\"timeline\"][\"rows\"]) == c[\"width\"], c"
     [ $(grep -c "<figure>" pages.html) = 6 ]'
t "pages whose names have braces" -m '^processes +2 +1' \
    'with_pages 0 "\$QUERN bench --repeat 1 --widths 2 fetch --globoff \"http://127.0.0.1:\$PORT/{1,2}\" \"http://127.0.0.1:\$PORT/{3}\"" &&
     with_pages 0 "\$QUERN bench --repeat 1 --widths 2 fetch \"http://127.0.0.1:\$PORT/\\\\{1,2\\\\}\""'
t "pages that are not kept" -m '^processes +4 +1' -m 'the same bytes' \
    'with_pages 0 "\$QUERN bench --repeat 1 --widths 4 run $ROOT/jobs/pages160.job --set base=http://127.0.0.1:\$PORT --set pages=10"'
t "secrets are not repeated" -m "^# command: quern fetch --header '\\(hidden\\)' .* 'http://127" \
    'with_pages 0 "\$QUERN bench --repeat 1 --widths 2 -o secret fetch --header \"Authorization: Bearer s3cret\" --proxy=http://me:s3cret@127.0.0.1:9 --no-proxy 127.0.0.1 \
         http://me:s3cret@127.0.0.1:\$PORT/[1-3]" && ls secret.csv secret.json secret.html >&2 && ! grep -l s3cret secret.*'
t "a page that fails" -s 3 -o '' -e 'ended with status 1' \
    'with_pages 0 "\$QUERN bench --modes serial fetch http://127.0.0.1:\$PORT/fail"'

# --- the report ---

$QUERN factor -j2 --stats s1.json --trace t1.json n.txt >/dev/null
$QUERN factor -j1 --stats s2.json n.txt >/dev/null
t "a page of two runs" '$QUERN report s1.json t1.json s2.json -o r.html && $QUERN report s1.json t1.json s2.json | cmp - r.html &&
     [ $(grep -c "<figure>" r.html) = 5 ] && ! grep -qE "<script|src=|href=\"[^d]|url\(" r.html'
t "a page of a benchmark and a run" '$QUERN report b.json s1.json | grep -c "<figure>" | grep -qx 7'
t "no statistics" -s 3 -e 'n.txt: line 1: ' '$QUERN report n.txt'
t "a trace alone" -s 2 -e 'stands behind the statistics' '$QUERN report t1.json'
t "another version" -s 3 -e 'version 2 of quern-stats' \
    'sed "s/\"version\": 1,/\"version\": 2,/" s1.json >v2.json; $QUERN report v2.json'
t "two benchmarks" -s 2 -o '' -e 'b.json: a page has one benchmark' '$QUERN report b.json b.json'
t "statistics of nothing" -s 3 -o '' -e 'e.json: statistics without a run' \
    'echo "{\"schema\":\"quern-stats\",\"version\":1}" >e.json; $QUERN report e.json'
t "runs of one name" -m '<th scope="row">one/s.json</th>' -m '<th scope="row">a/two/s.json</th>' \
    -m '<th scope="row">b/two/s.json</th>' -m '<th scope="row">s1.json</th>' -m '<code>quern factor --threads=2 .*n.txt</code>' \
    'mkdir -p one a/two b/two && for d in one a/two b/two; do cp s2.json $d/s.json; done
     $QUERN report one/s.json $PWD/a/two/s.json b/two/s.json s1.json'
t "no file" -s 2 -e 'report wants files' '$QUERN report'

# page NAME FILE FIGURES: as Chromium shows it
page() {
    need chromedriver "$1" || return 0
    t "$1" -T 120 -m '^errors 0$' -m '^requests 0$' -m '^unnamed 0$' -m '^headings H1 (H2 )+(H3 )+H2' -m '^pages True$' \
        -m "^390 light: scroll 390, figures $3 of $3 drawn, smallest (9.[5-9]|1[0-9].)" \
        -m "^390 dark: scroll 390, .*contrast (4.[5-9]|[5-9]|1[0-9])" \
        -m "^1440 light: scroll 1440, figures $3 of $3 drawn, .*contrast (4.[5-9]|[5-9]|1[0-9])" \
        -m "^718 print: scroll 718, figures $3 of $3 drawn.*tables ([0-9]+) of \\1\$" -m "^1440 light: .*tables 1 of [2-9]" \
        -m "^1440 dark: scroll 1440, .*contrast (4.[5-9]|[5-9]|1[0-9])" \
        'python3 $HERE/browser.py '"$2"
}
page "the benchmark in a browser, 390 and 1440 wide, light and dark" b.html 5
page "the runs in a browser" r.html 5
finish
