#!/usr/bin/env bash
# A pipe streams: the answer to a number typed by hand comes within 100 ms although the pipe
# stays open. Measured, so this topic runs alone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export MEASURE="python3 $HERE/measure.py"
[ -n "$SANITIZER" ] && LIMIT_MS=500 || LIMIT_MS=100
export LIMIT_MS

t "stdin" -m '^#' '$MEASURE latency $LIMIT_MS - -- $QUERN factor'
t "one thread" -m '^#' '$MEASURE latency $LIMIT_MS - -- $QUERN factor -j1'
t "eight threads" -m '^#' '$MEASURE latency $LIMIT_MS - -- $QUERN factor -j8'
t "the serial engine" -m '^#' '$MEASURE latency $LIMIT_MS - -- $QUERN factor --engine=serial'
t "a FIFO by name" -m '^#' 'mkfifo fifo; $MEASURE latency $LIMIT_MS fifo -- $QUERN factor fifo'
# One line every half millisecond: each read finds the next one soon, and still nothing may
# be held back until a chunk is full.
t "a steady slow writer" -o 'in time' '
    python3 -c "
import sys, time
for i in range(3000):
    print(i, flush=True)
    time.sleep(0.0005)" | $QUERN prime -q | python3 -c "
import sys, time
start = time.time()
sys.stdin.readline()
took = time.time() - start
sys.stdin.read()
print(\"in time\" if took < 0.5 else took)"'
hard=$($ORACLE semiprime 360 1)
t "what is answered does not wait for a hard number behind it" -s 124 -o '15: 3 5' \
    "printf '15\n$hard\n' | \$QUERN factor -q --time-limit 1"
t "unordered" -m '^#' '$MEASURE latency $LIMIT_MS - -- $QUERN factor --unordered'
finish
