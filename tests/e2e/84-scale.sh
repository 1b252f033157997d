#!/usr/bin/env bash
# The scheduling of hundreds of ranks, on simulated ones: the real code of rank 0 and of the
# messages, records that take the time that is drawn for them (tests/smpi/scale.c). The
# outcome is the same on every machine, so the efficiency can be asserted.
#
# In 256 ranks a fifth of a million items, with the longest at a hundredth of the time of
# the whole; TEST_SCALE=5 does the million, and in 64 to 1,024 ranks (ten minutes).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export RUN="$ROOT/tests/smpi/run"

if [ -n "$SANITIZER" ]; then
    exempt "$TOPIC" "simulated ranks are not sanitized"
    finish
fi
need smpirun "$TOPIC" || finish
# efficient LEAST ARGUMENTS: prints what run prints, fails below LEAST per cent
efficient() {
    local least=$1
    shift
    "$RUN" "$@" 2>&1 | tee said | awk -v least="$least" '
        / efficiency / { print; seen = 1; if ($(NF - 1) + 0 < least) low = 1 }
        END { exit !seen || low }' || { cat said >&2; false; }
}
export -f efficient

scale=${TEST_SCALE:-1}
export ITEMS=$((200000 * scale)) LONGEST=$((156 * scale))
t "256 ranks: at least 95 %" -m efficiency -T 900 'efficient 95 256 $ITEMS 20 1.5 $LONGEST'
# Graham's bound for taking what is next: work / (ranks that compute) + the longest, which is
# 392.7 / 63 + 0.625 s here, an efficiency of 89.5 %. Looking each millisecond costs some of it.
t "64 ranks, and an item of a tenth of the whole" -m efficiency -T 300 \
    'efficient 88 64 20000 20 1.5 625'
million() {
    t "$1 ranks and a million: at least 95 %" -m efficiency -T 1800 \
        "efficient 95 $1 1000000 20 1.5 $2"
}
if [ "$scale" -ge 5 ]; then
    million 64 3125
    million 128 1562
    million 512 391
    million 1024 195
fi
# A rank of 64 takes nothing and one has a record of half a minute: 98.4 % is all there is.
t "a record of half a minute keeps nobody from the others" -m efficiency -T 300 \
    'efficient 97 64 200000 20 1.5 625 1 0 30000'
t "twice the same" -T 120 \
    '$RUN 32 2000 20 1.5 100 >one && $RUN 32 2000 20 1.5 100 >two && cmp one two && cat one'
finish
