#!/usr/bin/env bash
# quern sumsq: W2's values, exact beyond 2^64, closed form and loop, totals.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

seq 5000000 5000019 | $ORACLE sumsq >w2.want
t "W2" -O w2.want -E '$QUERN sumsq 5000000..5000019'
t "W2: the published values" -m '^5000000 41666654166667500000$' \
    -m '^5000019 41667129168377502109$' '$QUERN sumsq 5000000..5000019'
t "W2: the total" -E -o 833337833344750010830 '$QUERN sumsq --total 5000000..5000019'
t "W2 by adding up" -O w2.want '$QUERN sumsq --method=loop 5000000..5000019'
t "W2: the total by adding up" -o 833337833344750010830 \
    '$QUERN sumsq --method=loop --total 5000000..5000019'
t "from the start" -E -o $'0 0\n1 0\n2 1\n3 5\n4 14\n5 30' '$QUERN sumsq 0..5'

# S(n) passes 2^64 between n = 3810778 and 3810779.
seq 3810770 3810785 | $ORACLE sumsq >want
t "across 2^64, closed" -O want -E '$QUERN sumsq 3810770..3810785'
t "across 2^64, loop" -O want '$QUERN sumsq --method=loop 3810770..3810785'
seq 0 300 | $ORACLE sumsq >want
t "loop on small n" -O want -E '$QUERN sumsq --method=loop 0..300'
for kind in edges big u64 mixed; do
    $ORACLE numbers $kind 500 1 >$kind.in
    $ORACLE sumsq <$kind.in >$kind.want
    t "closed form on '$kind'" -O $kind.want -E "\$QUERN sumsq $kind.in"
    $ORACLE total <$kind.in >$kind.want
    t "--total of '$kind'" -O $kind.want -E "\$QUERN sumsq --total $kind.in"
    $ORACLE fold <$kind.in >$kind.want
    t "--fold of '$kind'" -O $kind.want -E "\$QUERN sumsq --fold $kind.in"
done
python3 -c 'print("9" * 9999)' >huge.in
$ORACLE sumsq <huge.in >huge.want
t "n of 9999 digits" -O huge.want -E '$QUERN sumsq huge.in'
t "--total of nothing" -E -o 0 '$QUERN sumsq --total </dev/null'
t "--fold of nothing" -E -o 0 '$QUERN sumsq --fold </dev/null'
t "--fold of a range" -E -o 385 '$QUERN sumsq --fold 0..10'
t "--fold is the sum of squares" -o 41666654166667500000 '$QUERN sumsq --fold 0..4999999'
t "--fold leaves out a bad record and says so" -s 1 -o 25 -e "^quern: -:2: .*'abc'$" \
    'printf "3\nabc\n4\n" | $QUERN sumsq --fold'
t "--timing" -m $'^7 91\t[0-9]+\\.[0-9]{6}$' -e '[0-9]\.[0-9]' '$QUERN sumsq --timing 7'
finish
