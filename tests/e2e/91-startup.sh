#!/usr/bin/env bash
# Start-up: `echo 360 | quern factor` takes at most 4 times GNU factor's time, and what is
# heavy is not linked. Measured, so this topic runs alone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export MEASURE="python3 $HERE/measure.py"

export PROGRAM="${QUERN##* }"
export HEAVY="curl|flint|libmpi|open-rte|sqlite3|pari|primesieve|not found"
[ -n "$SANITIZER" ] || HEAVY+="|stdc" # a sanitizer brings it
t "heavy libraries are not linked" -o '' \
    'ldd "$PROGRAM" >libs || echo "ldd fails"
     grep -E "$HEAVY" libs; true'
t "GMP is" -m 'libgmp' 'ldd "$PROGRAM"'
t "a short range brings neither a sieve nor its tables" -o '' \
    'LD_DEBUG=files "$PROGRAM" factor 1..1000 2>&1 >answers | grep -o "libprimesieve" | head -n 1
     [ $(wc -l <answers) = 1000 ]'
if [ -n "$SANITIZER" ]; then
    exempt "start-up" "a sanitizer starts slowly"
elif ! factor --version 2>/dev/null | grep -q GNU; then
    skip "start-up" "factor of GNU coreutils is not installed"
else
    t "start-up" -m '^#' '$MEASURE startup 4 "$PROGRAM" "$(command -v factor)"'
fi
finish
