#!/usr/bin/env bash
# Inputs: what an argument is, in which order inputs are read, and what cannot be read.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

t "no input means stdin" -E -o '7 prime' 'echo 7 | $QUERN prime'
t "numbers, ranges, files and stdin in order" -E \
    -o $'5 prime\n1 neither\n2 prime\n11 prime\n13 prime\n17 prime\n19 prime' \
    'echo 11 >f; echo 13 | $QUERN prime 5 1..2 f - 17 19'
t "options between inputs" -o $'5 prime\n7 prime' '$QUERN prime 5 -j 2 7 --format text'
t "after -- all is input" -E -o $'5 prime\n7 prime' '$QUERN prime -- 5 7'
t "after -- a file may begin with a dash" -E -o '7 prime' \
    'echo 7 >-f; $QUERN prime -- -f'
t "./12 is a file" -E -o '7 prime' 'echo 7 >12; $QUERN prime ./12'
t "12 is a number, and the shadowed file is mentioned" -o '12 composite' -e '12' \
    'echo 7 >12; $QUERN prime 12'
t "12x is a file" -E -o '7 prime' 'echo 7 >12x; $QUERN prime 12x'
t "the same file twice" -E -o $'7 prime\n7 prime' 'echo 7 >f; $QUERN prime f f'
t "canonical output" -E -o $'7: 7\n8: 2 2 2' '$QUERN factor 0007..00008'
t "range of one" -E -o '9: 3 3' '$QUERN factor 9..9'
t "A > B is a usage error" -s 2 -o '' -e '.' '$QUERN prime 5..3'
t "A > B beyond 2^64 too" -s 2 -o '' -e '.' \
    '$QUERN prime 100000000000000000000000000001..100000000000000000000000000000'
t "A > B is found before any output" -s 2 -o '' '$QUERN prime 7 5..3'
t "a range as a record is bad" -s 1 -o '7 prime' -e '^quern: -:1: ' \
    'printf "1..3\n7\n" | $QUERN prime'

t "a missing file" -s 3 -o '' -e '^quern: .*missing\.txt' '$QUERN prime missing.txt'
t "a missing file is found before any output" -s 3 -o '' -e 'missing\.txt' \
    '$QUERN prime 7 missing.txt'
t "a directory" -s 3 -o '' -e '^quern: .*dir' 'mkdir -p dir; $QUERN prime dir'
t "a directory on stdin" -s 3 -o '' -e '^quern: ' '$QUERN prime <.'
t "a path through a file" -s 3 -o '' -e '^quern: ' 'echo 7 >f; $QUERN prime f/x'
t "an empty argument is refused" -o refused -e '^quern: ' \
    '$QUERN prime "" 7; case $? in 2 | 3) echo refused ;; esac'
t "a very long argument" -s 3 -o '' -e '^quern: ' \
    '$QUERN prime "$(printf "%05000d" 0 | tr 0 x)"'
t "closed stdin" -s 3 -o '' -e '^quern: ' '$QUERN prime <&-'
t "a file that vanishes from sight" -s 3 -o '' -e '^quern: ' \
    'ln -sf nowhere dangling; $QUERN prime dangling'
t "a symbolic link" -E -o '7 prime' 'echo 7 >f; ln -sf f link; $QUERN prime link'
t "a FIFO" -E -o $'7 prime\n9 composite' \
    'mkfifo pipe; { echo 7; sleep 0.1; echo 9; } >pipe & $QUERN prime pipe; s=$?; wait; exit $s'
t "process substitution" -E -o $'7 prime\n9 composite' \
    '$QUERN prime <(echo 7) <(echo 9)'
t "/dev/null" -E -o '' '$QUERN prime /dev/null'
t "stdin twice is empty the second time" -E -o '7 prime' \
    'echo 7 | $QUERN prime - -'
t "stdin from the middle of a file" -E -o $'9 composite\n11 prime' \
    'printf "7\n9\n11\n" >f; { read -r _; exec $QUERN prime; } <f'

# Unreadable: root reads everything, so root steps down first.
if need setpriv "an unreadable file"; then
    if [ "$(id -u)" -eq 0 ]; then
        export AS="setpriv --reuid=65534 --regid=65534 --clear-groups"
        chmod 711 "$BOX" "$BOX/work"
    else
        export AS=
    fi
    cp "${QUERN##* }" quern-copy 2>/dev/null
    chmod 755 quern-copy 2>/dev/null
    t "an unreadable file" -s 3 -o '' -e '^quern: .*secret.*[Pp]ermission' \
        'echo 7 >secret; chmod 0 secret; $AS ./quern-copy prime secret'
fi
finish
