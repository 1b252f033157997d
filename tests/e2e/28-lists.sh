#!/usr/bin/env bash
# @FILE: lists of inputs, each line as an argument would be; and ranges of expressions.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

t "all kinds of inputs, in order" -E \
    -o $'5 prime\n1 neither\n2 prime\n11 prime\n13 prime\n17 prime\n19 prime' \
    'echo 11 >f; printf "1..2\nf\n-\n2^4+1\n" >list
     echo 13 | $QUERN prime 5 @list 19'
t "empty lines, comments, CRLF, a byte order mark" -E -o $'7 prime\n9 composite' \
    'printf "\357\273\277# a\r\n\r\n7\r\n  \n  #8\n\t9 \n" >list; $QUERN prime @list'
t "names with blanks and signs" -E -o $'7 prime\n9 composite\n11 prime' \
    'echo 7 >"a b"; echo 9 >"#c"; echo 11 >-d
     printf "a b\n./#c\n-d\n" >list; $QUERN prime @list'
t "a line is no option" -s 3 -o '' -e '^quern: list:1: --only=prime: ' \
    'echo "--only=prime" >list; $QUERN prime @list 7'
t "a list on stdin" -E -o $'7 prime\n8 composite\n9 composite' \
    'printf "7\n8..9\n" | $QUERN prime @-'
t "a list by a path" -E -o '7 prime' 'mkdir -p d; echo 7 >d/l; $QUERN prime @d/l'
t "a list without a newline at its end" -E -o '7 prime' \
    'printf 7 >list; $QUERN prime @list'
t "the same list twice" -E -o $'7 prime\n7 prime' \
    'echo 7 >list; $QUERN prime @list @list'
t "an empty list is no input, and not stdin" -E -o '' \
    ': >list; echo 7 >f; $QUERN prime @list <f'
t "an empty list is counted" -E -o '0' ': >list; $QUERN prime --count --only=prime @list'
t "./@list is a file" -E -o '7 prime' 'echo 7 >@list; $QUERN prime ./@list'
t "compressed files in a list" -E -o $'7 prime\n9 composite' \
    'echo 7 | gzip >a; echo 9 >b; printf "a\nb\n" >list; $QUERN prime @list'

t "a missing list" -s 3 -o '' -e '^quern: nope: No such file' '$QUERN prime 7 @nope'
t "a folder as a list" -s 3 -o '' -e '^quern: .*directory' '$QUERN prime 7 @.'
t "a missing file in a list" -s 3 -o '' -e '^quern: list:2: nope: No such file' \
    'printf "7\nnope\n" >list; $QUERN prime @list'
t "a missing file in the second list" -s 3 -o '' -e '^quern: b:3: nope: No such file' \
    'echo 7 >f; printf "f\n5\n" >a; printf "f\n\nnope\n" >b; $QUERN prime @a f @b'
t "a missing argument behind a list" -s 3 -o '' -e '^quern: nope: No such file' \
    'echo 7 >f; echo f >a; $QUERN prime @a nope'
t "a wrong line is named" -s 2 -o '' -e '^quern: list:3: .*9\.\.1' \
    'printf "7\n\n9..1\n" >list; $QUERN prime @list'
t "a wrong line on stdin is named" -s 2 -o '' -e '^quern: -:1: .*9\.\.1' \
    'echo 9..1 | $QUERN prime @-'
t "a list in a list" -s 2 -o '' -e '^quern: list:1: @other: ' \
    'echo @other >list; $QUERN prime @list'
t "standard input in a list from there" -s 2 -o '' -e '^quern: -:2: ' \
    'printf "7\n-\n" | $QUERN prime @-'
t "a URL in a list" -s 2 -o '' -e '^quern: list:1: braces' \
    'echo http://localhost/{ >list; $QUERN prime @list'
t "a list without a name" -s 2 -o '' -e '^quern: @' '$QUERN prime @'
t "a zero byte in a list" -s 2 -o '' -e '^quern: /dev/zero:1: ' '$QUERN prime @/dev/zero'
t "a line without end" -s 2 -o '' -e '^quern: -:1: ' \
    'head -c 20M /dev/zero | tr "\0" 7 | $QUERN prime @-'
t "a bad record in a list" -s 1 -o '7 prime' -e '^quern: argument:1: ' \
    'printf "7/2\n7\n" >list; $QUERN prime @list'

# Many names cost little; each line of the answer is checked by counting.
export many=$((200000 / DIV))
t "many names" -T 120 -o "$many" \
    'echo 7 >f; yes f | head -n "$many" >list
     $QUERN prime --count --only=prime @list'
if [ -n "$SANITIZER" ]; then
    exempt "a million names" "a sanitizer needs more memory"
else
    t "a million names" -T 120 -s 3 -o '' -e '^quern: list:1: f1: No such file' \
        'seq -f f%.0f 1000000 >list; ulimit -v 1000000; $QUERN prime @list'
fi
if [ -n "$SANITIZER" ]; then
    exempt "a run over a list goes on" "a sanitizer is too slow for the limits"
else
    t "a run over a list goes on" -o 'the same' \
        'seq 1000000000 1000100000 >a; gzip -c a >b; printf "a\n1..5000\nb\n" >list
         $QUERN factor @list >want
         for ms in 5 10 15 20 30 40 60 80; do
             $QUERN factor -j1 --restart --time-limit=${ms}ms -o out @list 2>log
             [ $? -eq 75 ] || break
             [ -s out ] && break
         done
         [ -s out ] && grep -q "resume goes on" log && ! cmp -s out want || exit 9
         $QUERN factor --resume -j3 -o out @list && cmp want out && echo the same'
fi
t "a list that changed is refused" -s 2 -e '^quern: ' \
    'echo 7 >list; $QUERN prime -o o @list && echo 8 >list && $QUERN prime --resume -o o @list'

t "a range of expressions" -E -o $'7 prime\n8 composite\n9 composite' \
    '$QUERN prime 2^3-1..3^2'
t "a range of powers of ten" -E -o '1001' '$QUERN prime 1e6..1e6+1000 | wc -l'
t "a range across 2^64" -E \
    -o $'18446744073709551615 composite\n18446744073709551616 composite' \
    '$QUERN prime 2^64-1..2^64'
t "a range of expressions that goes down" -s 2 -o '' -e '2\^3\.\.7' '$QUERN prime 2^3..7'
t "an end that is no integer" -s 2 -o '' -e "'7/2'.*not exact" '$QUERN prime 1..7/2'
t "an end that is too large" -s 2 -o '' -e "'10\^9\^9'" -T 5 '$QUERN prime 1..10^9^9'
finish
