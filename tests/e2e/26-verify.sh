#!/usr/bin/env bash
# verify: lines "N: p q ..." of anyone, right and wrong in every way.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

t "right lines" -E -o '' 'printf "360: 2 2 2 3 3 5\n0:\n1:\n7: 7\n" | $QUERN verify'
t "any order, exponents, CRLF, blanks" -E -o '' \
    'printf "\357\273\277360: 5 3^2 2^3\r\n\r\n  12:\t3 2 2 \n15: 3 5" | $QUERN verify'
t "nothing at all" -E -o '' '$QUERN verify </dev/null'
t "files" -s 4 -o '' -e '^quern: b:2: not a prime: .6.$' -n ' a:' \
    'echo "6: 2 3" >a; printf "4: 2^2\n12: 2 6\n" >b; $QUERN verify a b'
t "an argument is a file, though it be a number" -s 3 -o '' -e '^quern: 360: No such' \
    '$QUERN verify 360'

wrong() { # NAME LINE WHAT TOKEN
    t "wrong: $1" -s 4 -o '' -e "^quern: -:2: $3: '$4'\$" \
        "printf '6: 2 3\n%s\n6: 3 2\n' '$2' | \$QUERN verify"
}
wrong "a factor is missing" '12: 2 3' 'its factors have another product' 12
wrong "a factor too many" '12: 2 2 3 3' 'its factors have another product' 12
wrong "no factors" '12:' 'its factors have another product' 12
wrong "a factor is composite" '12: 2 6' 'not a prime' 6
wrong "1 is not a prime" '12: 1 2 2 3' 'not a prime' 1
wrong "1 of itself" '1: 1' 'not a prime' 1
wrong "0 of itself" '0: 0' 'not a prime' 0
wrong "a prime in parentheses" '15: 3 (5)' 'not a composite' '\(5\)'
wrong "1 in parentheses" '7: 7 (1)' 'not a composite' '\(1\)'
wrong "no colon" '12 2 2 3' "not a line 'N: p q \.\.\.'" '12 2 2 3'
wrong "no number" ': 2 2 3' "not a line 'N: p q \.\.\.'" ': 2 2 3'
wrong "what is no factor" '12: 2 2 3 # right' 'not a factor' '#'
wrong "a negative factor" '12: -2 -2 3' 'not a factor' '-2'
wrong "an exponent of 0" '12: 2^2 3 5^0' 'not a factor' '5\^0'
wrong "exponents out of reason" '2: 2^99999999999999999999' \
    'its factors have another product' 2
wrong "too many digits" "7: 1$(printf '%010000d' 7)" \
    'more digits than --max-digits allows' '1[0]+\.\.\.'
wrong "bytes" $'12: 2\002 6' 'not a factor' '2\\x02'
t "wrong: NUL" -s 4 -o '' -e "^quern: -:1: not a factor: '2.x002'\$" \
    'printf "12: 2\0002 3\n" | $QUERN verify'
t "a wide token is cut" -s 4 -o '' -e "^quern: -:1: not a line .*: 'a{40}\.\.\.'\$" \
    'printf "%0100d\n" 0 | tr 0 a | $QUERN verify'

t "unfinished: status 1, and said" -s 1 -o '' -e '^quern: 2 unfinished$' -n '-:' \
    'printf "12: 2 (6)\n12: (12)\n7: 7\n" | $QUERN verify'
t "unfinished and wrong: status 4" -s 4 -e '^quern: 1 unfinished$' -e '-:2: not a prime' \
    'printf "12: 2 (6)\n12: 12\n" | $QUERN verify'
t "probable primes are said" -E -o '' 'echo "3317044064679887385961813: 3317044064679887385961813" | $QUERN verify'
t "above the proved range" -o '' -e 'probable primes, not proved: 1' \
    'echo "170141183460469231731687303715884105727: 170141183460469231731687303715884105727" | $QUERN verify'

t "20 lines, then a count" -s 4 -o '' -e '^quern: 10 more wrong lines$' -e '^quern: -:20: ' \
    -n '^quern: -:21: ' 'seq 30 | sed "s/$/: 4/" | sed "4s/.*/4: 4/" | $QUERN verify'
t "--strict stops at the first" -s 4 -o '' -e '^quern: -:3: ' -n '^quern: -:[4-9]' \
    'printf "6: 2 3\n7: 7\n8: 8\n9: 9\n" | $QUERN verify --strict'
t "--max-errors" -s 4 -o '' -e '^quern: -:4: ' -n '^quern: -:5' \
    'printf "6: 2 3\n7: 7\n8: 8\n9: 9\n10: 10\n" | $QUERN verify --max-errors 1'
for format in csv tsv jsonl; do
    t "stdout stays empty with --format $format" -s 4 -o '' \
        "echo '4: 4' | \$QUERN verify --format $format"
done
t "timed" -s 4 -o '' -e '^quern: total ' 'echo "4: 4" | $QUERN verify --timing'
t "the help says it" -E -m '^Usage: quern verify' -m 'max-digits' '$QUERN verify --help'

# what others print
if need factor "GNU factor"; then
    { seq 0 3000; $ORACLE numbers mixed $((2000 / DIV)) 5 | awk 'length < 20'; } >in
    factor <in >gnu
    t "GNU factor" -E -o '' '$QUERN verify gnu'
fi
$QUERN factor -h <in >powers
t "quern factor -h" -E -o '' '$QUERN verify powers'

# one letter of a right line changed: a slow reader says which lines are wrong
cat >damage.py <<'PY'
import random, re, sys
rng = random.Random(26)
def is_prime(n):
    if n < 2 or any(n % p == 0 and n != p for p in (2, 3, 5, 7, 11, 13)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for a in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        if a % n == 0:
            continue
        x = pow(a, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True
def right(line):
    head = re.fullmatch(r"(\d+):((?:[ \t]+\d+(?:\^\d+)?)*)", line.strip(" \t"))
    if not head:
        return False
    n, product, any_factor = int(head[1]), 1, False
    for word in head[2].split():
        p, _, e = word.partition("^")
        if not is_prime(int(p)) or e and not 0 < int(e) < 200:
            return False
        product, any_factor = product * int(p) ** int(e or 1), True
    return product == n or n == 0 and not any_factor
lines = [l for name in sys.argv[1:3] for l in open(name).read().splitlines()]
with open("damaged", "w") as out, open("wrong", "w") as wrong:
    for number, line in enumerate(lines, 1):
        at, c = rng.randrange(len(line)), rng.choice("0123456789 :^x")
        way = rng.randrange(8)
        if way == 0:
            line = line[:at] + c + line[at + 1:]
        elif way == 1:
            line = line[:at] + c + line[at:]
        elif way == 2:
            line = line[:at] + line[at + 1:]
        elif way == 3:
            words = line.split(" ")
            a, b = rng.randrange(len(words)), rng.randrange(len(words))
            words[a], words[b] = words[b], words[a]
            line = " ".join(words)
        print(line, file=out)
        if line.strip() and not right(line):
            print(number, file=wrong)
PY
python3 damage.py gnu powers
t "damaged lines: exactly the wrong ones" -s 4 -o '' \
    '$QUERN verify --max-errors 100000 damaged >out 2>err; s=$?
     head -n 20 wrong | sed "s/^/quern: damaged:/" >want
     sed -n "s/\(quern: damaged:[0-9]*\).*/\1/p" err | cmp - want || exit 9
     more=$(($(wc -l <wrong) - 20))
     grep -q "^quern: $more more wrong lines$" err || exit 8
     cat out; exit $s'
t "damaged lines: each one by itself" -s 4 -o '' \
    'awk "NR % 9 == 0" damaged | head -n 150 >some; n=0
     while IFS= read -r line; do
         n=$((n + 9))
         printf "%s\n" "$line" | $QUERN verify 2>/dev/null
         case $? in 0) ;; 4) echo $n ;; *) echo "odd: $line" ;; esac
     done <some >found
     awk "\$1 % 9 == 0 && \$1 <= 1350" wrong | cmp - found || exit 9
     exit 4'
for how in "-j1" "-j2 --chunk 50" "-j2 --chunk 700" "--engine=serial" \
    "--engine=serial --chunk 33"; do
    t "the same with $how" -s 4 -o '' \
        "\$QUERN verify damaged 2>want
         \$QUERN verify $how damaged 2>got; s=\$?
         cmp want got; exit \$s"
done
t "from a pipe, in pieces" -s 4 -o '' \
    '$QUERN verify - <damaged 2>want
     { head -c 1000; sleep 0.1; cat; } <damaged | $QUERN verify 2>got; s=$?
     cmp want got; exit $s'

# a line that fills a chunk, and one that is longer; the next ones stay what they are
t "long lines" -s 4 -o '' -e "^quern: -:3: line too long: '16: 2 {35}\.\.\.'\$" \
    -e '^quern: -:5: not a prime' -n '-:[1246]:' \
    '{ echo "6: 2 3"; printf "16: 2%*s^4\n" 0 ""; printf "16: 2%*s2 2 2\n" 3000000 ""
       echo "7: 7"; echo "4: 4"; echo "7: 7"; } | $QUERN verify'
t "a large number with many factors" -E -o '' \
    'python3 -c "
import sys
sys.set_int_max_str_digits(0) if hasattr(sys, \"set_int_max_str_digits\") else 0
n = 2 ** 30000 * 3 ** 400
print(f\"{n}:\", *[2] * 30000, *[3] * 400)
print(f\"{n}: 2^30000 3^400\")" | $QUERN verify'
if [ -z "$SANITIZER" ]; then
    t "streams in bounded memory" -E -o '' \
        'python3 -c "
import sys
text = \"720720: 2 2 2 2 3 3 5 7 11 13\n\" * 35000
for _ in range(200):
    sys.stdout.write(text)" | (ulimit -v 600000; $QUERN verify -q -j2)'
else
    exempt "streams in bounded memory" "the sanitizer takes more"
fi
finish
