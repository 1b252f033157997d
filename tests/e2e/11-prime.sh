#!/usr/bin/env bash
# quern prime: W1's list, numbers at the edges and made to fool, random numbers of every
# size, against an oracle in Python; --only, --count, --method, --timing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

twenty="2 3333333333333333 4444444444444444 5555555555555555 6666666666666666
142702110479723 7777777777777777 299593572317531 9999999999999999 3333333333333301
3333335652092209 4444444488888889 4444444444444423 5555553133149889 5555555555555503
6666666666666719 6666667141414921 7777777536340681 7777777777777753 9999999999999917"
nine="2 142702110479723 299593572317531 3333333333333301 4444444444444423
5555555555555503 6666666666666719 7777777777777753 9999999999999917"
for n in $twenty; do
    echo "$n"
done >w1.in
for n in $twenty; do
    case " ${nine//$'\n'/ } " in *" $n "*) echo "$n prime" ;; *) echo "$n composite" ;; esac
done >w1.want
for n in $nine; do
    echo "$n"
done >w1.primes

t "W1" -O w1.want -E '$QUERN prime w1.in'
t "W1 as arguments" -O w1.want -E '$QUERN prime $(cat w1.in)'
t "W1: the nine primes" -O w1.primes -E '$QUERN prime --only=prime w1.in'
if [ -z "$SANITIZER" ]; then
    t "W1 by trial division" -O w1.want -n '[0-9]:' '$QUERN prime --method=trial w1.in'
else
    exempt "W1 by trial division" "too slow here"
fi
t "W1 with times" -O w1.want -e '[0-9]\.[0-9]' \
    '$QUERN prime --timing w1.in >out; cut -f1 out; ! grep -vqP "\t[0-9]+\.[0-9]{6}$" out'
t "the words of the contract" -E \
    -o $'0 neither\n1 neither\n2 prime\n3 prime\n4 composite\n5 prime' '$QUERN prime 0..5'

# list KIND COUNT
list() {
    $ORACLE numbers "$1" "$2" 1 >"$1.in"
    $ORACLE prime <"$1.in" >"$1.want"
    t "$2 '$1'" -O "$1.want" -n '[0-9]:' "\$QUERN prime $1.in"
}
list edges 0
list u64 $((50000 / DIV))
list bits $((50000 / DIV))
list mixed $((10000 / DIV))
list u128 $((2000 / DIV))
list digits30 $((2000 / DIV))
list big $((400 / DIV))

# Primes are rare among large random numbers: make some on purpose.
for digits in 20 24 25 26 30 39 40 60 100 200; do
    $ORACLE prime-of $digits 1
    $ORACLE prime-of $digits 2
done >primes.in
$ORACLE prime <primes.in >primes.want
t "primes of 20 to 200 digits" -O primes.want '$QUERN prime primes.in'
t "what is not proved is said on stderr" -e 'probable' '$QUERN prime primes.in'
# With a proof they are prime; without the helper program some stay as they were.
sed 's/ probable$/ prime/' primes.want >proved.want
t "--prove" -O proved.want -E '$QUERN prime -q --prove primes.in'
t "--prove: by n - 1" -E -o '{"n":"340282366920938463463374607431768211297","class":"prime","proof":"bls","error":""}' \
    '$QUERN prime --prove --format jsonl 340282366920938463463374607431768211297'
hard=99604993331311376986576913868505901554213219541460094325543147
t "--prove: by APR-CL" -E -o '{"n":"'$hard'","class":"prime","proof":"aprcl","error":""}' \
    "\$QUERN prime --prove --format jsonl $hard"
t "--prove without the helper program is said" -s 1 -m '^10{97}267 probable$' -e 'quern-qs is not found' \
    'cp $QUERN alone && ./alone prime --prove 10^100+267'
t "--prove --count" -E -o $'prime 2\ncomposite 1\nneither 0\nprobable 0' \
    "\$QUERN prime --prove --count $hard 2 4"
sed 's/ probable$/ prime/' u128.want >proved.want
t "--prove among others" -O proved.want -E '$QUERN prime -q --prove u128.in'
mkdir -p crash
printf '#!/bin/sh\nkill -KILL $$\n' >crash/quern-qs
chmod +x crash/quern-qs
for helper in crash nothing-here; do
    t "--prove without a proof: $helper" -s 1 -o "$hard probable"$'\n2 prime' \
        -e '1 unfinished' \
        "QUERN_LIBEXEC=\$PWD/$helper \$QUERN prime --prove $hard 2"
done
t "--prove, out of time" -s 1 -T 20 -o $'4 composite\n2^2203-1 probable\n2 prime' -e '1 unfinished' \
    '$QUERN prime --prove --time-per-item 0.3 4 "2^2203-1" 2 | sed "s/^1475.* /2^2203-1 /"; exit "${PIPESTATUS[0]}"'
t "--prove, stopped" -s 124 -T 20 -o '4 composite' \
    '$QUERN prime --prove --time-limit 0.5 4 "10^400+69"; s=$?; exit $s'
t "psi_13 fools the first 13 bases" -E -o '3317044064679887385961981 composite' \
    '$QUERN prime 3317044064679887385961981'

seq 0 2000 | $ORACLE prime >range.want
t "range" -O range.want -E '$QUERN prime 0..2000'
seq 18446744073709551516 18446744073709551716 | $ORACLE prime >range.want
t "range across 2^64" -O range.want -E \
    '$QUERN prime 18446744073709551516..18446744073709551716'
seq 999999999999999999999999999990 1000000000000000000000000000010 |
    $ORACLE prime >range.want
t "range of 30-digit numbers" -O range.want \
    '$QUERN prime 999999999999999999999999999990..1000000000000000000000000000010'
t "range of one, with zeros" -E -o '7 prime' '$QUERN prime 007..7'

# The primes below a million are 78498; below ten million 664579.
t "--only=prime --count" -E -o 78498 '$QUERN prime --only=prime --count 0..1000000'
t "--only=composite --count" -E -o 921501 \
    '$QUERN prime --only=composite --count 0..1000000'
t "--count" -E -o $'prime 78498\ncomposite 921501\nneither 2\nprobable 0' \
    '$QUERN prime --count 0..1000000'
t "ten million" -o 664579 '$QUERN prime --only=prime --count 1..10000000'
# Far up, where a range is sieved if there is memory: pi(10^18 + 2 * 10^8) - pi(10^18), by
# primesieve's own program.
t "two hundred million from 10^18" -o 4829026 \
    '$QUERN prime --only=prime --count -j2 1000000000000000000..1000000000199999999'
t "... listed" -o $'1000000000000000003 1000000000199999977 4829026' \
    '$QUERN prime --only=prime -j2 1000000000000000000..1000000000199999999 |
     awk "NR == 1 { first = \$1 } END { print first, \$1, NR }"'
# Where primesieve cannot be loaded, ranges are tested: a file that is no library in its
# place, seen by this one command.
if unshare -m true 2>/dev/null; then
    t "ranges without primesieve" -E -m '^primesieve: not found' -m '^664579$' \
        'unshare -m sh -c "for so in \$(find /usr/lib* -name libprimesieve.so.\*); do
             mount --bind /dev/null \$so; done
         $QUERN info; $QUERN prime --only=prime --count 1..10000000"'
else
    skip "ranges without primesieve" "no mount namespace: it takes root"
fi
t "--count of nothing" -E -o $'prime 0\ncomposite 0\nneither 0\nprobable 0' \
    '$QUERN prime --count </dev/null'
t "--count with a probable prime" -o $'prime 1\ncomposite 1\nneither 1\nprobable 1' \
    '$QUERN prime --count 1 2 4 170141183460469231731687303715884105727'
sed -n 's/ prime$//p' u64.want >only.want
t "--only=prime prints bare numbers" -O only.want -E '$QUERN prime --only=prime u64.in'
sed -n 's/ composite$//p' edges.want >only.want
t "--only=composite prints bare numbers" -O only.want \
    '$QUERN prime --only composite edges.in'
t "--only=prime includes probable primes" -e 'probable' \
    -o $'2\n170141183460469231731687303715884105727' \
    '$QUERN prime --only=prime 1 2 4 170141183460469231731687303715884105727'
t "--count with a bad record" -s 1 -e "^quern: -:2: .*'abc'$" -o 2 \
    'printf "2\nabc\n3\n" | $QUERN prime --only=prime --count'
$ORACLE prime <bits.in | sort >sorted.want
t "--unordered: the same lines" -O sorted.want '$QUERN prime --unordered bits.in | sort'
$ORACLE numbers small 2000 1 >small.in
$ORACLE prime <small.in >small.want
t "trial division" -O small.want -E '$QUERN prime --method=trial small.in'
finish
