#!/usr/bin/env bash
# quern factor beyond 64 bits: random numbers to 70 digits, numbers made to fool, and what
# cannot be finished. Products and primality are checked in Python.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# complete NAME FILE [SECONDS]: the factorizations of the numbers in FILE are right
complete() {
    t "$1" -T "${3:-60}" -n '[0-9]:' \
        "\$QUERN factor $2 >out && \$ORACLE check-factors $2 <out"
}
# Numbers at 2^64, 2^96, 2^128, 10^38; pseudoprimes; squares, cubes, p(2p - 1).
$ORACLE numbers edges 0 0 >edges.in
complete "edges and numbers made to fool" edges.in
$ORACLE numbers digits30 $((1000 / DIV)) 1 >d30.in
complete "random numbers of 30 digits" d30.in
$ORACLE numbers u128 $((200 / DIV)) 1 >u128.in
complete "random numbers of 128 bits" u128.in
$ORACLE numbers digits40 $((100 / DIV)) 1 >d40.in
complete "random numbers of 40 digits" d40.in
for digits in 22 26 30 34 38; do
    for seed in 1 2 3; do
        $ORACLE semiprime $digits $seed
    done
done >semi.in
complete "products of two primes of 11 to 19 digits" semi.in
for digits in 11 14 20 25 40; do
    p=$($ORACLE prime-of $digits 9)
    python3 -c "p = $p; print(p * p, p ** 3, (p * 6) ** 2, p ** 2 * 1000003 ** 5)"
done >powers.lines
tr ' ' '\n' <powers.lines >powers.in
complete "powers of large primes" powers.in
t "2^128 + 1" -n '[0-9]:' -o '340282366920938463463374607431768211457: 59649589127497217 5704689200685129054721' \
    '$QUERN factor 340282366920938463463374607431768211457'
t "psi_13" -E -o '3317044064679887385961981: 1287836182261 2575672364521' \
    '$QUERN factor 3317044064679887385961981'
hard=99604993331311376986576913868505901554213219541460094325543147
t "--prove: the weakest proof is named" -E -m '"proof":"aprcl"' -m '"proof":"bls"' -m '"proof":"mr13"' \
    "\$QUERN factor --prove --format jsonl '12*$hard' '6*(2^128-159)' '6*(2^80-65)'"
t "--prove without the helper program" -s 1 -o "$hard: $hard" -e '1 unfinished' \
    "QUERN_LIBEXEC=/nonexistent \$QUERN factor --prove $hard"
python3 -c 'print("1" + "0" * 9999)' >round.in
python3 -c 'print("1" + "0" * 9999 + ":" + " 2" * 9999 + " 5" * 9999)' >round.want
t "10^9999" -O round.want '$QUERN factor round.in'
t "10^9999, exponents" -o "$(cat round.in): 2^9999 5^9999" '$QUERN factor -h round.in'

if [ -z "$SANITIZER" ]; then
    for seed in 1 2; do
        python3 -c "import random
rng = random.Random($seed)
for digits in 50, 60, 70:
    print(rng.randrange(10 ** (digits - 1), 10 ** digits))"
    done >random.in
    complete "random numbers of 50, 60 and 70 digits" random.in 240
    for digits in 45 50 55 60; do
        $ORACLE semiprime $digits 1
    done >hard.in
    complete "products of two primes of 22 to 30 digits" hard.in 240
    $ORACLE semiprime 70 1 >c70.in
    complete "a product of two primes of 35 digits" c70.in 400
    # Sums of what is hard and what is small keep their places.
    { cat hard.in; seq 1 50; } | shuf --random-source=edges.in >shuffled.in
    complete "hard and easy ones, mixed" shuffled.in 240
else
    exempt "random numbers of 50, 60 and 70 digits" "too slow here"
    exempt "products of two primes of 22 to 30 digits" "too slow here"
    exempt "a product of two primes of 35 digits" "too slow here"
    $ORACLE semiprime 45 1 >hard.in
    complete "a product of two primes of 22 digits" hard.in 120
fi

# What is too hard for the default effort is said, never guessed: 24 * C210.
python3 - <<'PY' >unfinished.in
import os, random, sys
sys.path.insert(0, os.environ["HERE"])
import oracle
rng = random.Random(210)
print(24 * oracle.random_prime(rng, 105) * oracle.random_prime(rng, 105))
PY
c=$(python3 -c "print($(cat unfinished.in) // 24)")
if [ -z "$SANITIZER" ]; then
    t "unfinished" -s 1 -T 300 -o "$(cat unfinished.in): 2^3 3 ($c)" \
        '$QUERN factor -h unfinished.in'
else
    exempt "unfinished" "too slow here"
fi
t "nothing is left behind in the working directory" -o '' \
    'mkdir empty && cd empty && $QUERN factor ../hard.in >/dev/null 2>&1; ls -A'
t "works where nothing can be written" -T 120 \
    'mkdir -p bare && chmod 555 bare && cd bare && $QUERN factor ../hard.in >/dev/null'
finish
