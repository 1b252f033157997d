#!/usr/bin/env bash
# Guarantee 2: memory does not grow with the input, nor with a reader who does not read, nor
# with a hard record at the head of the order. Scaled down; the limit is the contract's.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export MEASURE="python3 $HERE/measure.py"

if [ -n "$SANITIZER" ]; then
    exempt "memory" "a sanitizer needs memory of its own"
    finish
fi
t "prime on 300 MB of 64-bit numbers" -m '^#' -T 300 \
    '$MEASURE rss 256 300 u64 -- $QUERN prime -j2'
t "prime jsonl" -m '^#' -T 300 '$MEASURE rss 256 60 u64 -- $QUERN prime -j2 --format jsonl'
t "factor on 60 MB of small numbers" -m '^#' -T 300 \
    '$MEASURE rss 256 60 small -- $QUERN factor -j2'

t "nobody reads: a range without end" -m '^#' \
    '$MEASURE stalled 4 256 /dev/null -- $QUERN prime -j2 1..1000000000000'
t "nobody reads: a stream" -m '^#' \
    'yes 18446744073709551557 | head -c 200000000 >long
     $MEASURE stalled 4 256 long -- $QUERN prime -j2; status=$?; rm -f long; exit $status'

# What a sieve keeps far up is known before: 8 bytes for each prime below 10^9, for each of
# two threads; and where that is too much it does without, more slowly.
t "sieving from 10^18" -m '^12065281$' \
    '$MEASURE peak 900 /dev/null -- $QUERN prime --count --only=prime -j2 \
         1000000000000000000..1000000000499999999'
t "the same with little memory" -o 24280 \
    '(ulimit -v 500000; $QUERN prime --count --only=prime -j2 \
         1000000000000000000..1000000000000999999)'
t "nobody reads the primes from 10^18" -m '^#' \
    '$MEASURE stalled 6 1200 /dev/null -- $QUERN prime -j2 --only=prime \
         1000000000000000000..2000000000000000000'

# A number that takes long stands first, and a hundred megabytes wait behind it.
{ $ORACLE semiprime 96 1; yes 720720 | head -c 150000000; } >headed
t "a hard record at the head" -m '^#' '$MEASURE stalled 6 256 headed -- $QUERN factor -j2'
rm -f headed
t "one token of 100 MB" -s 1 -o 'small' \
    'head -c 100000000 /dev/zero | tr "\0" 1 >long
     $MEASURE peak 256 long -- $QUERN prime -j2; status=$?; rm -f long; exit $status'
t "a total of 60 MB" -m 'small$' \
    '$ORACLE numbers u64 3000000 1 >long
     $MEASURE peak 256 long -- $QUERN sumsq --fold -j2; status=$?; rm -f long; exit $status'
finish
