#!/usr/bin/env bash
# Guarantee 4: answers are checked before they are printed. A program with faults built in
# (VARIANT=fault) must notice its own wrong factorizations: status 4, and no wrong line.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export FAULTY=${FAULTY:-$ROOT/build/fault/quern}
if [ ! -x "$FAULTY" ]; then
    skip "faults" "$FAULTY is not there: make faulty"
    finish
fi

$ORACLE numbers u64 300 1 >small.in
$ORACLE numbers digits30 30 1 >big.in
# lines FILE: each line of output is one that a correct program prints for FILE
export RIGHT='import os, sys
sys.path.insert(0, os.environ["HERE"])
import oracle
for line in open(sys.argv[1]):
    head, factors, cofactor, canonical = oracle.read_factor_line(line.rstrip("\n"))
    if not canonical or oracle.check(int(head), factors, cofactor):
        print("wrong:", line[:200])'

# noticed FAULT FILE
noticed() {
    for threads in 1 3; do
        t "$1 is noticed with -j$threads" -s 4 -e '^quern: ' -o '' \
            "QUERN_FAULT=$1 \$FAULTY factor -j$threads $2 >out; status=\$?
             python3 -c \"\$RIGHT\" out; exit \$status"
    done
    t "$1 is noticed by the serial engine" -s 4 -e '^quern: ' -o '' \
        "QUERN_FAULT=$1 \$FAULTY factor --engine=serial $2 >out; status=\$?
         python3 -c \"\$RIGHT\" out; exit \$status"
    t "$1 in jsonl" -s 4 -e '^quern: ' \
        "QUERN_FAULT=$1 \$FAULTY factor --format jsonl $2"
    t "$1 with a good record behind it" -s 4 -e '^quern: ' \
        "{ head -n 1 $2; echo 0; } | QUERN_FAULT=$1 \$FAULTY factor"
}
noticed factor64 small.in
noticed factorbig big.in

t "no fault asked for: the right answers" -E \
    '$FAULTY factor small.in >a && $QUERN factor small.in | cmp - a'
t "an unknown fault changes nothing" \
    'QUERN_FAULT=nonsense $FAULTY factor small.in >a && $QUERN factor small.in | cmp - a'
t "the program that ships has no faults built in" -E \
    'QUERN_FAULT=factor64 $QUERN factor small.in >a && $QUERN factor small.in | cmp - a'
finish
