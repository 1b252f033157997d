#!/usr/bin/env bash
# Ranks: the same bytes, diagnostics and status for any number of them, under each MPI, from
# every kind of source; who is refused; what a rank that sees less of the world does.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../cluster/mpi.sh
. "$ROOT/tests/cluster/mpi.sh"
export FAULTY=${FAULTY:-$ROOT/build/fault/quern}
unset OMP_NUM_THREADS SLURM_CPUS_PER_TASK

if [ -n "$SANITIZER" ]; then
    exempt "$TOPIC" "MPI libraries are not instrumented; the unit tests of the ranks are"
    finish
fi
# One line for each MPI that there is a module and a launcher for.
LAUNCHERS=
for mpi in openmpi mpich; do
    [ -f "${QUERN%/*}/libexec/quern-mpi-$mpi.so" ] || continue
    need "mpiexec.$mpi" "$TOPIC: $mpi" || continue
    LAUNCHERS+="$mpi mpiexec.$mpi"$'\n'
done
LAUNCHERS=${LAUNCHERS%$'\n'}
export LAUNCHERS
if [ -z "$LAUNCHERS" ]; then
    exempt "$TOPIC" "this build has no MPI"
    finish
fi
export WIDTHS="1x2 2x1 3x2" RANKS="bash $HERE/ranks.sh"

# --- the same bytes ---

$ORACLE numbers bits 3000 5 >bits
$ORACLE numbers digits30 40 5 >d30
$ORACLE numbers small 6000 5 >small
paste -d '\n' bits small d30 | awk '
    NR % 97 == 0 { print "junk" NR; next }
    NR % 89 == 0 { printf "+%s\r\n", $0; next }
    NR % 83 == 0 { print "# " $0 " not this"; next }
    NR % 79 == 0 { print $0 " # nor 17 this"; next }
    NR % 13 == 0 { printf "%s ", $0; next }
    { print }' >mix
cat bits small d30 >clean
split -n l/3 clean part.
printf %s "$(cat part.aa)" >cut.aa # no newline at its end
gzip -kf mix
seq 1 900 >few
# MPICH's mpiexec gives up when a pipe is full (64 KiB) because its rank 0 reads slowly.
head -n 2000 mix >short

t "factor: a file" "\$RANKS '' factor mix"
t "factor: several files, a range, arguments, stdin" \
    "\$RANKS 'cat few' factor cut.aa 1..2000 mix - 7 7/2 12 part.ab part.ac"
t "factor: in small pieces" "\$RANKS '' factor --chunk=200 mix part.aa"
t "factor jsonl: a pipe" "\$RANKS 'cat short' factor --format jsonl"
t "factor csv: compressed" "\$RANKS '' factor --format csv mix.gz few"
t "prime tsv: a range" "\$RANKS '' prime --format tsv 18446744073709551000..18446744073709552300"
t "prime --count" "\$RANKS '' prime --count mix 0..3000000"
# Streams and documents, which ranks read by themselves; and those that come as bytes.
t "count" "\$RANKS '' count 11 mix mix.gz mix"
t "count of a word that overlaps itself, in pieces" "\$RANKS '' count 1111 --chunk=997 mix mix"
t "count from a pipe" "\$RANKS 'cat short' count 7 mix -"
for i in $(seq 300); do sed -n "$i,$((i + 19))p" mix | tr -cd '0-9\n' >doc$i; done
t "lineprod" "\$RANKS '' lineprod 3,17 doc*"
t "lineprod --fold" "\$RANKS '' lineprod 3,17 --fold doc*"
t "prime --only=prime: ranges" "\$RANKS '' prime --only=prime 0..300000 999000..1050000 mix"
t "prime --strict" "\$RANKS '' prime --strict mix"
t "prime --max-errors" "\$RANKS 'cat short' prime --max-errors=5 part.ab -"
t "sumsq --fold" "\$RANKS '' sumsq --fold mix 0..30000"
t "sumsq --total" "\$RANKS 'cat short' sumsq --total"
t "verify" "\$QUERN factor clean >lines; sed -i '50s/.*/9: 3/; 700s/\$/ 5/' lines
     $QUERN verify lines >/dev/null 2>&1; [ \$? -eq 4 ] || exit 9
     while read -r mpi launch; do
         timeout 60 \$launch -n 3 \$QUERN verify -j1 lines >out 2>err </dev/null; [ \$? -eq 4 ] || exit 1
         [ ! -s out ] && [ \$(grep -c '^quern: lines:[0-9]*: ' err) -eq 2 ] || { cat err; exit 2; }
     done <<<\"\$LAUNCHERS\""
t "--unordered: the same lines" "SORTED=1 \$RANKS '' factor --unordered clean 1..3000"
t "nothing at all" "\$RANKS '' prime /dev/null"
t "an empty standard input" "\$RANKS true factor"
t "one number, more ranks than work" "WIDTHS='8x1' \$RANKS '' factor 1000000016000000063"
t "eight ranks" "WIDTHS='8x1' \$RANKS '' factor --chunk=500 mix 1..5000"
t "a hard number between easy ones" \
    "\$RANKS 'seq 1 500; echo 6541367000127421703423171 ; seq 501 1000' factor"
# All but the claim that the hard one is in, of a thousand lines here, is answered meanwhile.
t "half a minute of work in one record keeps nobody from the others" -T 100 \
    'hard=$(cd $HERE && python3 -B -c "import random, oracle; r = random.Random(1)
print(oracle.random_prime(r, 41) * oracle.random_prime(r, 41))")
     { seq 1000000000000000000 1000000000000020000; echo $hard
       seq 1000000000000020001 1000000000000060000; } >tail
     timeout 60 mpiexec.openmpi -n 2 $QUERN factor -j1 --unordered --chunk=20000 --time-limit 6s tail >out 2>err
     n=$(wc -l <out); [ $n -ge 59000 ] && [ $n -le 60001 ] || { echo "$n lines"; cat err; exit 1; }'
cat >tail.py <<'P'
import json
ranks = json.load(open("tail.json"))["ranks"]
n = [t["records"] for r in ranks for t in r["threads"] if t["role"] == "worker"]
print(n)
assert len(n) == 2 and sum(n) >= 59000
P
# The same in order: what is answered behind it waits, but it is answered.
t "... in the order of the input" -T 100 \
    'timeout 60 mpiexec.openmpi -n 2 $QUERN factor -j1 --stats tail.json --chunk=20000 --time-limit 6s \
         tail >out 2>err; [ $? -eq 124 ] || { cat err; exit 1; }
     python3 tail.py'
t "into a file" "\$QUERN factor clean >want
     while read -r mpi launch; do
         timeout 60 \$launch -n 3 \$QUERN factor -j1 -o out clean </dev/null && cmp want out || exit
     done <<<\"\$LAUNCHERS\""
case $LAUNCHERS in openmpi*)
    t "stdin is rank 0's, all of it" -o 1000000 \
        'seq 1 1000000 | timeout 60 mpiexec.openmpi -n 3 $QUERN prime -j1 | wc -l'
    ;;
esac

# --- launchers ---

# each COMMAND...: for each MPI, with LAUNCH set, and what it prints on stderr also in err
each() {
    local mpi launch
    while read -r -u 9 mpi launch; do
        export MPI=$mpi LAUNCH="timeout -k 5 $((60 * TIME_SCALE)) $launch"
        bash -o pipefail -c "$1" || { echo "under $mpi"; return 1; }
    done 9<<<"$LAUNCHERS"
}
export -f each

t "an error is said once, with the right status" \
    'each "\$LAUNCH -n 3 \$QUERN factor -j1 nowhere >out 2>err; [ \$? -eq 3 ] && [ ! -s out ] &&
     [ \$(grep -c \"^quern: nowhere\" err) -eq 1 ] || { cat err; exit 1; }"'
t "wrong usage is said once" \
    'each "\$LAUNCH -n 3 \$QUERN factor --nonsense >out 2>err; [ \$? -eq 2 ] &&
     [ \$(grep -c \"^quern: unknown option\" err) -eq 1 ] || { cat err; exit 1; }"'
t "--help comes once" \
    'each "[ \$(\$LAUNCH -n 3 \$QUERN factor --help | grep -c \"^Usage\\|^usage\") -eq 1 ]"'
t "-v: a line for each rank" \
    'each "\$LAUNCH -n 3 \$QUERN factor -j2 -v 1..100 >out 2>err && cat err &&
     [ \$(grep -cE \"rank [0-2] on [^ ]+: CPUs [0-9,-]+, 2 threads\" err) -eq 3 ]"'
# Before the run MPI has taken its time to start, in as many threads as it likes.
cat >cpu.py <<'P'
import json, re
ranks = json.load(open("cpu.json"))["ranks"]
percent = int(re.search(r"CPU (\d+) %", open("err").read())[1])
print(percent, [(r["cpu_seconds"], r["seconds"]) for r in ranks])
assert percent <= 400 and all(r["cpu_seconds"] <= 4 * r["seconds"] for r in ranks)
P
t "-v: CPU time is that of the run" \
    'each "\$LAUNCH -n 2 \$QUERN factor -j1 -v --stats cpu.json 1..100 2>err >/dev/null && python3 cpu.py"'
t "info --affinity prints the placement" \
    'each "\$LAUNCH -n 3 \$QUERN info --affinity >out && cat out &&
     [ \$(grep -cE \"^rank [0-2] on [^ ]+: CPUs [0-9,-]+, [0-9]+ thread\" out) -eq 3 ]"'
t "ranks share the CPUs of one mask" \
    'each "\$LAUNCH -n 2 taskset -c 0,1 \$QUERN info --affinity >out && cat out &&
     [ \$(grep -c \", 1 thread \" out) -eq 2 ]"'
t "a rank bound to one CPU is reported" -e "bound to one CPU.*--bind-to none" \
    'unset OMPI_MCA_hwloc_base_binding_policy
     timeout 60 mpiexec.openmpi -n 1 --bind-to core $QUERN factor 1..100 >/dev/null'
t "more threads than CPUs is reported" \
    'each "\$LAUNCH -n 2 \$QUERN factor -j64 1..100 2>err >/dev/null; cat err; grep -q \"128 threads .* CPUs\" err"'
t "ranks of different builds refuse each other" \
    'each "\$LAUNCH -n 1 \$QUERN factor 1..100 : -n 1 \$FAULTY factor 1..100 >out 2>err
     [ \$? -eq 2 ] && [ ! -s out ] && grep -q \"rank 1 on .* another build\" err || { cat err; exit 1; }"'
t "--mpi=no under a launcher is N runs, and refused" \
    'each "\$LAUNCH -n 2 \$QUERN factor --mpi=no 6 2>err; [ \$? -eq 2 ] || { cat err; exit 1; }"'

# A rank that does not see the file, or sees another one, is sent the bytes. (With -v all
# ranks are there before the work begins.)
# The run is long enough for their first answers to be heard.
seq 1000000000000000000 1000000000000040000 >range
$QUERN factor range >range.want
mkdir -p elsewhere && head -n 100 range >elsewhere/range
cat >rank <<'S'
#!/bin/sh
# rank FOLDER COMMAND...: every rank but 0 works in FOLDER
folder=$1; shift
[ "${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}" = 0 ] || cd "$folder" || exit 9
exec "$@"
S
chmod +x rank
t "a rank that sees another file: the bytes, and one warning for all" \
    'each "\$LAUNCH -n 3 ./rank elsewhere \$QUERN factor -v -j1 --chunk=3000 range >out 2>err
     [ \$? -eq 0 ] && cmp out range.want && [ \$(grep -c \"not see range as rank 0 does\" err) -eq 1 ] || { cat err; exit 1; }"'
rm elsewhere/range
t "a rank that sees no file: the bytes, and one warning for all" \
    'each "\$LAUNCH -n 3 ./rank elsewhere \$QUERN factor -v -j1 --chunk=3000 range >out 2>err
     [ \$? -eq 0 ] && cmp out range.want && [ \$(grep -c \"not see range as rank 0 does\" err) -eq 1 ] || { cat err; exit 1; }"'

# --- shards ---

t "-o DIR/: a shard for each rank, and one output" \
    'each "rm -rf d; \$LAUNCH -n 3 \$QUERN factor -j1 -o d/ range && [ -s d/1.1 ] && [ -s d/1.2 ] &&
     \$QUERN cat d/ | cmp - range.want"'
t "... with rows of bad records in between" \
    '$QUERN factor --format csv -q mix >mix.want 2>/dev/null
     each "rm -rf d; \$LAUNCH -n 3 \$QUERN factor --format csv -q -j1 --chunk=900 -o d/ mix 2>err
     [ \$? -eq 1 ] && \$QUERN cat d/ | cmp - mix.want"'
t "... of a pipe, without a journal" \
    'each "rm -rf d; head -n 2000 range | \$LAUNCH -n 3 \$QUERN factor -j1 -o d/ - &&
     \$QUERN cat d/ | cmp - <(head -n 2000 range.want)"'
t "... but not of a database, which is one file" \
    'each "rm -rf d; \$LAUNCH -n 2 \$QUERN factor --format sqlite -o d/ 1..10 >out 2>err; [ \$? -eq 2 ] &&
     [ ! -s out ] && [ ! -e d ] && [ \$(grep -c \"^quern: --format sqlite is written to one file, not to d/\" err) -eq 1 ] || { cat err; exit 1; }"'
mkdir -p elsewhere/d
t "a rank that does not see the folder sends its bytes" \
    'each "rm -rf d; \$LAUNCH -n 3 ./rank elsewhere \$QUERN factor -j1 -o d/ \$PWD/range &&
     [ ! -e d/1.1 ] && [ ! -e elsewhere/d/1.1 ] && \$QUERN cat d/ | cmp - range.want"'

# --- signals and limits ---

LONG=1000000000000000000..1000000999999999999
export LONG
# marked FILE: its journal has a mark
marked() {
    local i
    for ((i = 0; i < 300 * TIME_SCALE; i++)); do
        grep -qs '^m ' "$1.quern" && return
        sleep 0.1
    done
    return 1
}
export -f marked
# stopped SIGNAL: mpirun gets it; what is left is a correct prefix that can be resumed; its
# status is left in `status`
stopped() {
    local run start
    rm -f s.out s.out.quern
    $LAUNCH -n 3 "$QUERN" prime -j1 -o s.out $LONG 2>err >/dev/null </dev/null &
    run=$!
    marked s.out || { echo "no mark"; kill $run; return 1; }
    start=${EPOCHREALTIME/./}
    pkill -"$1" -P $run # mpirun, below timeout
    wait $run
    echo $? >status
    echo "$1: status $(cat status) after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
    [ $((${EPOCHREALTIME/./} - start)) -lt $((5000000 * TIME_SCALE)) ] || return 1
    python3 - <<'P' || return 1
import re
out = open("s.out", "rb").read()
marks = re.findall(rb"^m \S+ (\d+) \d+ \d+ (\d+) ", open("s.out.quern", "rb").read(), re.M)
done, size = int(marks[-1][0]), int(marks[-1][1])
lines = out[:size].split(b"\n")
assert len(lines) - 1 == done > 0, (len(lines), done)
assert all(line.startswith(b"%d " % (10 ** 18 + i)) for i, line in enumerate(lines[:-1]))
P
    $LAUNCH -n 2 "$QUERN" prime -j2 -o s.out --resume --time-limit 300ms $LONG \
        >/dev/null 2>resumed </dev/null
    [ $? -eq 75 ] || { cat resumed; return 1; }
}
export -f stopped
t "USR1 to mpirun: status 75" \
    'each "stopped USR1 && [ \$(cat status) -eq 75 ] && grep -q SIGUSR1 err || { cat err; exit 1; }"'
t "TERM to mpirun, whose status is its own: it can be resumed" \
    'each "stopped TERM || { cat err; exit 1; }"'
t "--time-limit: status 75" \
    'each "\$LAUNCH -n 3 \$QUERN prime -j1 -o l.out --restart --time-limit 1 \$LONG 2>err
     [ \$? -eq 75 ] && [ \$(grep -c \"time-limit\" err) -eq 1 ] || { cat err; exit 1; }"'
t "a reader that goes away ends it" -T 90 \
    'each "\$LAUNCH -n 2 \$QUERN prime \$LONG 2>/dev/null | head -n 3 >out; [ \$(wc -l <out) -eq 3 ]"'

# --- rank 0 waits without taking a core from who computes; so do the others ---

# cpu PID: hundredths of a second it has used
cpu() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
export QUERN_TOPIC=$BOX
# ours: the processes of this topic that are quern
ours() {
    local pid
    for pid in $(pgrep -x quern); do
        if grep -qsz "^QUERN_TOPIC=$QUERN_TOPIC$" "/proc/$pid/environ"; then echo "$pid"; fi
    done
}
export -f cpu ours
t "idle ranks use less than 2 % of a core" \
    'each "mkfifo idle.\$MPI; exec 8<>idle.\$MPI; echo 7 >&8
     \$LAUNCH -n 3 \$QUERN prime -j1 <idle.\$MPI >idle.out 2>err & run=\$!
     for i in \$(seq 100); do [ -s idle.out ] && break; sleep 0.1; done
     sleep 1; pids=\$(ours); [ \$(echo \$pids | wc -w) -eq 3 ] || { kill \$run; exit 1; }
     before=\$(for p in \$pids; do cpu \$p; done); sleep 4; after=\$(for p in \$pids; do cpu \$p; done)
     kill -TERM \$run; wait \$run; echo \$before, \$after
     paste <(echo \"\$before\") <(echo \"\$after\") | awk \"{ if (\\\$2 - \\\$1 > 8) exit 1 }\""'
# --- URLs: rank 0 fetches; one that fails is an empty text that may come back from a rank
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
serve
for i in $(seq 150); do
    case $((i % 5)) in
    0) echo "$BASE/status;code=404/x$i" ;;
    1) echo "$BASE/numbers?from=$((i * 1000000007))&to=$((i * 1000000007 + 300))" ;;
    2) echo "$BASE/cut;at=50/numbers?from=$i&to=$((i + 99))" ;;
    *) echo "$BASE/numbers?from=$i&to=$((i + 9))" ;;
    esac
done >urls
t "URLs, good and failed" -T 120 '$RANKS "" factor -q --tries 1 --format jsonl @urls'
t "of them, each that failed has a row" -o '60' 'grep -c "\"error\":\"http" ref.out'
finish
