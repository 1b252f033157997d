#!/usr/bin/env bash
# What a record is, and what becomes of everything else: bad input of every kind costs a
# line on stderr and status 1, and never shifts or loses a neighbour.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

diag="^quern: -:[0-9]+: [^']+: '.*'\$"

t "empty file" -E -o '' ': >empty; $QUERN prime empty'
t "empty stdin" -E -o '' '$QUERN factor </dev/null'
t "only blanks" -E -o '' 'printf " \t\r\n\n \n" | $QUERN factor'
t "only a comment" -E -o '' 'printf "# 7\n#8" | $QUERN prime'
t "only a byte order mark" -E -o '' 'printf "\357\273\277" | $QUERN prime'
t "a comment begins only a token" -s 1 -o $'7 prime\n11 prime' -e '^quern: -:2: ' \
    'printf "7 #5\n8#x\n11\n" | $QUERN prime'
t "a comment ends with its line" -E -o $'7 prime\n11 prime' \
    'printf "7 # 13 17\r\n# 19\n11\n" | $QUERN prime'
t "a hash alone" -E -o $'7 prime\n11 prime' 'printf "7 #\n#\n11\n" | $QUERN prime'

# diagnostics
t "the diagnostic, to the letter" -s 1 -o $'2 prime\n5 prime' \
    -e "^quern: -:2: not an integer: 'abc'\$" 'printf "2\nabc\n5\n" | $QUERN prime'
t "the name of the file" -s 1 -o $'2 prime\n5 prime' \
    -e "^quern: some list.txt:3: not an integer: 'abc'\$" \
    'printf "2\n\nabc\n5\n" >"some list.txt"; $QUERN prime "some list.txt"'
t "line numbers begin anew in each file" -s 1 -o $'2 prime\n3 prime' \
    -e "^quern: a:2: not an integer: 'x'\$" -e "^quern: b:1: not an integer: 'y'\$" \
    'printf "2\nx\n" >a; printf "y\n3\n" >b; $QUERN prime a b'
t "two on a line have the same line number" -s 1 -o '2 prime' \
    -e "^quern: -:1: not an integer: 'x'\$" -e "^quern: -:1: not an integer: 'y'\$" \
    'printf "x 2 y" | $QUERN prime'
t "bad arguments have their places among all" -s 1 -o '1 neither' -e '^quern: argument:1: ' \
    -e '^quern: argument:4: ' -e '^quern: argument:5: ' -e '^quern: argument:7: ' -n 'argument:[236]' \
    '$QUERN prime 2^ 1..3 7 3^ 10/3 4..5 6^ | grep "^1 "'
t "a bad argument" -s 1 -o '7 prime' -e '^quern: argument:[0-9]+: ' \
    '$QUERN prime 7/2 7'
t "prime, factor and sumsq say the same" -s 0 -o '' \
    'for c in prime factor sumsq; do
         printf "2\nabc\n5\n" | $QUERN $c 2>$c.err >/dev/null; done
     cmp prime.err factor.err && cmp prime.err sumsq.err'

# bad TOKEN: is bad, and its neighbours keep their lines and their places
bad() {
    t "bad: $1" -s 1 -o $'2 prime\n3 prime\n5 prime' -e "$diag" -e '^quern: -:2: ' \
        "printf '%s\n' 2 '$1' '3 5' | \$QUERN prime"
}
for token in -7 -0 abc 12abc 0x10 1.5 1,000 + ++5 +-5 5- 7+ 1..5 1e '"7"' '7,' '٣' '½' \
    '1_000' '7;8' 'NaN' 'inf' '%d%s%n' '\' '1/0' '()' ; do
    bad "$token"
done

# a thousand neighbours
t "bad records never shift a neighbour" -s 1 -O want -e "$diag" \
    'seq 1 1000 | factor >want
     seq 1 1000 | awk "{ print } NR % 7 == 0 { print \"junk\" NR, \"-3\" }" | $QUERN factor'
t "at most 20 diagnostics, then a count" -s 1 -o '20 1 25' \
    'for i in $(seq 25); do echo 2; echo "bad$i"; done | $QUERN prime 2>err >out
     status=$?
     diag="^quern: -:[0-9]+: .*: '\''bad[0-9]+'\''\$"
     a=$(grep -cE "$diag" err)
     b=$(grep -vE "$diag" err | grep -cE "(^|[^0-9])(5|25)([^0-9]|\$)")
     echo "$a" "$b" "$(grep -c "2 prime" out)"; exit $status'
t "exactly 20: no count" -s 1 -o 20 \
    'for i in $(seq 20); do echo "bad$i"; done | $QUERN prime 2>err; status=$?
     wc -l <err; exit $status'
t "the first 20 in the order of the input" -s 1 -o '' \
    'seq 1 300 | sed "s/^/x/" | $QUERN prime -j3 2>err; status=$?
     seq 1 20 | sed "s/.*/quern: -:&: not an integer: '\''x&'\''/" >want
     grep "^quern: -:" err | cmp want -; exit $status'

# escapes
t "control characters are escaped" -s 1 -o $'7 prime\nclean' \
    'printf "a\033[31mb\n7\n" | $QUERN prime 2>err; status=$?
     LC_ALL=C grep -q "[^ -~]" err || echo clean; exit $status'
t "bytes above 127 are escaped" -s 1 -o $'7 prime\nclean' \
    'printf "\303\244\377\n7\n" | $QUERN prime 2>err; status=$?
     LC_ALL=C grep -q "[^ -~]" err || echo clean; exit $status'
t "a long token is cut at 40 bytes" -s 1 -o '7 prime' -e "'x{40}[^x]*\$" -n 'x{41}' \
    'printf "%0100d\n7\n" 0 | tr 0 x | $QUERN prime'
t "a quote in a token cannot end the line" -s 1 -o '7 prime' -e "^quern: -:1: " \
    'printf "a'\''b\n7\n" | $QUERN prime'

# NUL bytes and binary data
t "NUL bytes" -s 1 -o $'7 prime\n13 prime' -e '^quern: -:2: ' -e '^quern: -:3: ' \
    'printf "7\n\0\n11\0\n13\n" | $QUERN prime'
t "a NUL inside digits" -s 1 -o $'7 prime\n13 prime' -e '^quern: -:2: ' \
    'printf "7\n1\0001\n13\n" | $QUERN prime'
t "binary data between good lines" -s 1 -o $'7 prime\n11 prime\nclean' \
    'python3 -c "import random, sys
sys.stdout.buffer.write(b\"7\n\" + random.Random(1).randbytes(300000) + b\"\n11\n\")" >bin
     $QUERN prime bin 2>err >out; status=$?
     head -n 1 out; tail -n 1 out
     grep -qvE "^[0-9]+ (prime|composite|neither|probable)\$" out || echo clean
     [ "$(grep -c . err)" -le 23 ] || echo "too many lines on stderr"; exit $status'
t "the program itself as input" -s 1 -o 'clean' \
    '$QUERN prime "${QUERN##* }" 2>err >out; status=$?
     grep -qvE "^[0-9]+ (prime|composite|neither|probable)\$" out || echo clean
     exit $status'
t "a byte order mark in the middle is bad" -s 1 -o $'7 prime\n11 prime' \
    -e '^quern: -:2: ' 'printf "7\n\357\273\2775\n11\n" | $QUERN prime'
t "a byte order mark opens each file" -E -o $'7 prime\n11 prime' \
    'printf "\357\273\2777\n" >a; printf "\357\273\27711\n" >b; $QUERN prime a b'
t "CR alone separates" -E -o $'7 prime\n11 prime' 'printf "7\r11\r" | $QUERN prime'

# sizes
t "a value of 10000 digits" -E -m '^1{10000} composite$' \
    'printf "%010000d\n" 0 | tr 0 1 | $QUERN prime'
t "a value of 10001 digits is too big" -s 1 -o $'2 prime\n3 prime' -e '^quern: -:2: ' \
    '{ echo 2; printf "%010001d\n" 0 | tr 0 1; echo 3; } | $QUERN prime'
t "--max-digits allows more" -m '^1{10001}[0-9]* [0-9]+$' -E \
    'printf "%010001d\n" 0 | tr 0 1 | $QUERN sumsq --max-digits=10001'
t "--max-digits allows less" -s 1 -o '999 composite' -e '^quern: -:2: ' \
    'printf "999\n1000\n" | $QUERN prime --max-digits 3'
t "leading zeros are no digits of the value" -E -o '7 prime' \
    'printf "%0200000d\n" 7 | $QUERN prime'
t "a token of 1 MiB" -E -o $'2 prime\n7 prime\n3 prime' \
    '{ echo 2; printf "%01048576d\n" 7; echo 3; } | $QUERN prime'
t "a token over 1 MiB is too long" -s 1 -o $'2 prime\n3 prime' -e '^quern: -:2: ' \
    '{ echo 2; printf "%01048577d\n" 7; echo 3; } | $QUERN prime'
t "a token of many MiB" -s 1 -o $'2 prime\n3 prime' -e '^quern: -:2: ' -e "'0{40}" \
    '{ echo 2; head -c 20000000 /dev/zero | tr "\0" 0; echo; echo 3; } | $QUERN prime'
t "the last of many tokens over 1 MiB, without a newline" -s 1 -o '2 prime' \
    -e '^quern: -:3: ' \
    '{ echo 2; for i in 1 2; do head -c 3000000 /dev/zero | tr "\0" 1; [ $i = 2 ] || echo
     done; } | $QUERN prime'
big=$((100000000 / DIV))
t "one line of 100 MB: one token" -s 1 -o $'2 prime\n3 prime' -e '^quern: -:2: ' \
    "{ echo 2; head -c $big /dev/zero | tr '\\0' 9; echo; echo 3; } | \$QUERN prime"
tokens=$((big / 4))
t "one line of 100 MB: many tokens" \
    -o $'prime '$tokens$'\ncomposite 0\nneither 0\nprobable 0' \
    "python3 -c 'for i in range(100): print(\"101 \" * ($tokens // 100), end=\"\")' |
     \$QUERN prime --count"
t "one comment of 100 MB" -E -o $'2 prime\n3 prime' \
    "{ echo '2 #'; head -c $big /dev/zero | tr '\\0' '#'; echo; echo 3; } | \$QUERN prime"
t "100 MB of blanks" -E -o $'2 prime\n3 prime' \
    "{ echo 2; head -c $big /dev/zero | tr '\\0' ' '; echo 3; } | \$QUERN prime"
t "a million empty lines are counted" -s 1 -o '2 prime' -e '^quern: -:1000002: ' \
    '{ echo 2; yes "" | head -n 1000000; echo x; } | $QUERN prime'

# stopping early
t "--strict stops at the first" -s 1 -o $'2 prime\n3 prime' -e '^quern: -:3: ' -n ':5:' \
    -e '^quern: stopped at the first bad record \(--strict\)$' \
    'printf "2\n3\nabc\n5\nxyz\n7\n" | $QUERN prime --strict'
t "--strict with nothing bad" -E -o $'2 prime\n3 prime' \
    'printf "2\n3\n" | $QUERN prime --strict'
t "--strict far into a long input" -s 1 -e '^quern: -:50001: ' -o 50000 \
    '{ seq 1 50000; echo x; seq 1 50000; } | $QUERN prime --strict -j3 | wc -l'
t "--max-errors not reached" -s 1 -o $'2 prime\n3 prime' -n stopped \
    'printf "2\nx\n3\n" | $QUERN prime --max-errors=5'
t "--max-errors says that it stops" -s 1 -e '^quern: stopped: more than 1 bad records \(--max-errors\)$' \
    -o '4 composite' 'printf "4 x y z 6" | $QUERN prime --max-errors 1'
t "--max-errors stops a hopeless run" -s 1 -o 'prefix' \
    'for i in $(seq 1000); do echo $i; echo "bad$i"; done >many
     $QUERN prime many >all 2>/dev/null
     $QUERN prime --max-errors=3 many >some 2>err; status=$?
     n=$(wc -l <some)
     [ "$n" -ge 3 ] && [ "$n" -le 5 ] && head -n "$n" all | cmp - some && echo prefix
     exit $status'
# What comes behind the bad record is not worked on: the number there takes many minutes.
hard=$($ORACLE semiprime 300 1)
t "--strict does not wait for what comes behind" -s 1 -o '7: 7' -T 20 \
    "printf '7\nx\n$hard\n' | \$QUERN factor --strict"
t "--strict counts only what it prints" -s 1 -o '' -n 'probable' \
    "printf 'x\n170141183460469231731687303715884105727\n' | \$QUERN prime --strict"
finish
