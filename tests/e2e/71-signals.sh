#!/usr/bin/env bash
# Signals and limits: INT, TERM, USR1 and --time-limit stop within a second, wherever the
# run is; USR2 says how far it is; --time-per-item gives up one record and not the others.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export FAULTY=${FAULTY:-$ROOT/build/fault/quern}

# stop NAME SIGNAL STATUS KEYS COMMAND: see kill.py; COMMAND is run with `exec`
stop() {
    t "$1" -T 280 -m '^(INT|TERM|USR|TIME|KILL)' \
        "python3 \$HERE/kill.py stop $2 $3 $4 -- bash -c 'exec $5'"
}
LONG=1000000000000000000..1000000999999999999

# --- what it ends with ---

for signal in INT TERM USR1; do
    number=$(kill -l $signal)
    stop "SIG$signal, range to file" $signal 75 'err=SIG'$signal'.*--resume' \
        "\$QUERN prime -o f$signal --restart $LONG"
    stop "SIG$signal, stdin to stdout" $signal $((128 + number)) 'in=/dev/zero' '$QUERN prime'
    stop "SIG$signal, range to stdout" $signal $((128 + number)) '' "\$QUERN prime $LONG"
done
stop "--time-limit, range to file" TIME 75 'err=--time-limit.*--resume' \
    "\$QUERN prime -o ft --time-limit 300ms $LONG"
stop "--time-limit, range to stdout" TIME 124 'err=--time-limit' \
    "\$QUERN prime --time-limit 300ms $LONG"
stop "--time-limit, serial engine" TIME 75 '' \
    "\$QUERN prime -o fs --engine=serial --time-limit 300ms $LONG"
stop "--time-limit, --unordered to a file" TIME 124 '' \
    "\$QUERN prime -o fu --unordered --time-limit 300ms $LONG"
t "--time-limit in a run that ends before it" -E -o '7 prime' '$QUERN prime --time-limit 9s 7'
t "the output of a stopped run is a correct prefix" \
    '$QUERN prime -o p --time-limit 200ms 1..30000000 2>/dev/null
     status=$?; [ $status -eq 75 ] || [ $status -eq 0 ] || exit $status
     size=$(stat -c %s p); [ $size -gt 0 ] &&
     { $QUERN prime 1..30000000; true; } | cmp -n $size p -'
t "stopped again and again, and then done" -T 300 \
    '$QUERN prime --count -o n --restart --time-limit 150ms 1..200000000 2>/dev/null
     while [ $? -eq 75 ]; do
         $QUERN prime --count -o n --resume --time-limit 400ms 1..200000000 2>/dev/null
     done
     head -n 1 n | grep -qx "prime 11078937"' # pi(2 * 10^8)
stop "USR2 says how far it is, and it goes on" USR2,USR2,TERM 75 \
    'err=^quern:.[0-9]+.records.in.*bad,.*peak.*CPU.*xxh3' "\$QUERN prime -o g --restart $LONG"
t "USR2 changes no byte" -T 60 \
    '$QUERN prime 1..20000000 >u 2>said & run=$!; sleep 0.2; kill -USR2 $run; wait $run || exit
     $QUERN prime 1..20000000 | cmp u - && grep -q "records in" said'
stop "an ignored INT stays ignored" INT,TERM 75 'ignore=INT err=SIGTERM' \
    "\$QUERN prime -o h --restart $LONG"
stop "an ignored USR1 too" USR1,TERM 143 'ignore=USR1 err=SIGTERM' "\$QUERN prime $LONG"
stop "two signals" TERM,TERM 75 '' "\$QUERN prime -o i --restart $LONG"

# --- where it is ---

# A sieve begins with a second or more that nothing interrupts.
for first in 1000000000000000000 18446744060000000000; do
    for only in "--count" "--only=prime"; do
        stop "sieving from $first, $only" TERM 75 '' \
            "\$QUERN prime $only -o far --restart $first..18446744073709551615"
    done
done

stop "stdin is an idle FIFO" TERM 143 'in=idle' '$QUERN factor'
stop "... to a file" INT 130 'in=idle' '$QUERN factor -o idle'
mkfifo fifo
stop "a FIFO that nobody opens" TERM 143 '' '$QUERN factor fifo'
stop "a FIFO as output that nobody reads" TERM 143 '' '$QUERN factor -o fifo 7'
stop "stdout is a full pipe" TERM 143 'out=blocked after=1' "\$QUERN prime $LONG"
stop "... and a second signal" TERM,INT 143 'out=blocked after=1' "\$QUERN prime $LONG"
stop "... and the time limit" TIME 124 'out=blocked' "\$QUERN prime --time-limit 400ms $LONG"
# Two that trial division says nothing about: k * 20000# + 1 of 10,000 and 9,999 digits.
python3 - <<'PY'
import math, random, sys
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
rng = random.Random(2)
product = math.prod(p for p in range(2, 20000) if all(p % q for q in range(2, math.isqrt(p) + 1)))
for digits in 10000, 9999:
    low = 10 ** (digits - 1) // product
    with open(f"p{digits}.in", "w", encoding="ascii") as file:
        print(product * rng.randrange(low + 1, 9 * low) + 1, file=file)
PY
stop "a primality test of 10,000 digits" TERM 75 '' '$QUERN prime -o k --restart p10000.in p9999.in p10000.in p9999.in p10000.in p9999.in p10000.in p9999.in'
stop "... that the serial engine does" INT 75 '' \
    '$QUERN prime -o k --restart --engine=serial p10000.in p9999.in p10000.in p9999.in p10000.in p9999.in p10000.in p9999.in'
stop "... to stdout, by USR1" USR1 138 '' '$QUERN prime p10000.in p9999.in p10000.in p9999.in p10000.in p9999.in p10000.in p9999.in'
$ORACLE semiprime 190 3 >c190.in
stop "ECM of 190 digits" TERM 75 'after=2' '$QUERN factor -o l --restart c190.in'
stop "... and two signals" TERM,TERM 75 'after=2' '$QUERN factor -o l --restart c190.in'
stop "... and the time limit" TIME 75 'within=2.5' \
    '$QUERN factor -o l --restart --time-limit 1500ms c190.in'
$ORACLE semiprime 94 5 >c94.in
$ORACLE semiprime 80 5 >c80.in
seq 1 3 >three.in
# Which sieve it is in depends on the size: all stages are looked at.
for after in 0.3 1 4; do
    stop "a product of 80 digits, after $after s" TERM 75 "after=$after" \
        '$QUERN factor -o m --restart three.in c80.in'
    stop "a product of 94 digits, after $after s" TERM 75 "after=$after" \
        '$QUERN factor -o m --restart three.in c94.in'
done
# The helper only stands in for our own sieve; with a fault it gets the number at once.
# Neither it nor its folder may stay.
if [ -x "$FAULTY" ]; then
    for signal in TERM INT; do
        stop "the helper, by $signal" $signal 75 'child=200 err=SIG'$signal \
            'env QUERN_FAULT=helper $FAULTY factor -o m --restart three.in c80.in'
    done
    stop "the helper, and two signals" TERM,TERM 143 'child=200' \
        'env QUERN_FAULT=helper $FAULTY factor c80.in'
    stop "the helper, killed with us" KILL 137 'child=200 leaves=yes' \
        'env QUERN_FAULT=helper $FAULTY factor c80.in'
else
    skip "the helper" "$FAULTY is not there: make faulty"
fi
stop "trial division of 128 bits" TERM 75 '' \
    '$QUERN factor --method=trial -o o --restart 340282366920938463463374607431768211297'
t "what is finished is written: before the hard one" -s 75 -o $'1:\n2: 2\n3: 3' \
    '$QUERN factor -o q --restart --time-limit 500ms three.in c190.in three.in 2>/dev/null
     status=$?; cat q; exit $status'

# --- --time-per-item ---

cat c190.in >mixed.in
seq 1 200 >>mixed.in
cat c190.in >>mixed.in
C=$(cat c190.in)
export C
t "--time-per-item leaves a record unfinished and does the others" -s 1 -T 60 -e 'unfinished' \
    '$QUERN factor --time-per-item 300ms mixed.in >out; status=$?
     { echo "$C: ($C)"; seq 1 200 | $QUERN factor; echo "$C: ($C)"; } | cmp - out && exit $status'
t "... with what was found of it" -s 1 -T 60 \
    'N=$(python3 -c "print($C * 1000003 * 7 * 7)")
     $QUERN factor --time-per-item 300ms $N >out 2>/dev/null; status=$?
     echo "$N: 7 7 1000003 ($C)" | cmp - out && exit $status'
t "... in jsonl" -s 1 -T 60 -o "{\"n\":\"$C\",\"factors\":[],\"cofactor\":\"$C\",\"proof\":\"\",\"error\":\"\"}" \
    '$QUERN factor --format=jsonl --time-per-item 300ms c190.in 2>/dev/null'
t "... with the serial engine" -s 1 -T 60 -o "$C: ($C)" \
    '$QUERN factor --engine=serial --time-per-item 300ms c190.in 2>/dev/null'
t "... leaves what is quick alone" -E -o '360: 2 2 2 3 3 5' '$QUERN factor --time-per-item 5s 360'
t "... and is journaled: --resume tells of it again" -s 1 -T 60 -o "$C: ($C)" \
    '$QUERN factor -o r --restart --time-per-item 300ms c190.in 2>/dev/null; [ $? -eq 1 ] &&
     cat r && $QUERN factor -o r --resume --time-per-item 300ms c190.in 2>/dev/null'
finish
