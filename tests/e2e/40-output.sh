#!/usr/bin/env bash
# Where the output goes wrong: full disks, closed pipes, unwritable files, closed
# descriptors. What was written is a correct prefix, the status says what happened.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

full='^quern: .*[Nn]o space left'
t "full disk, one line" -s 3 -e "$full" '$QUERN prime 7 >/dev/full'
t "full disk, many lines" -s 3 -e "$full" '$QUERN prime 1..1000000 >/dev/full'
t "full disk, jsonl" -s 3 -e "$full" '$QUERN factor --format jsonl 1..100000 >/dev/full'
t "full disk, a total" -s 3 -e "$full" '$QUERN sumsq --total 1..10 >/dev/full'
t "full disk, --count" -s 3 -e "$full" '$QUERN prime --count 1..10 >/dev/full'
t "full disk, -o" -s 3 -e "$full" '$QUERN prime -o /dev/full 1..100000'
t "full disk, --help" -s 3 -e "$full" '$QUERN --help >/dev/full'
t "full disk, prime --help" -s 3 -e "$full" '$QUERN prime --help >/dev/full'
t "full disk, --version" -s 3 -e "$full" '$QUERN --version >/dev/full'
t "full disk, info" -s 3 -e "$full" '$QUERN info >/dev/full'
t "full disk, stdin that goes on" -s 3 -e "$full" -T 20 \
    'yes 101 | $QUERN prime >/dev/full; exit ${PIPESTATUS[1]}'
t "full disk and nothing to write" '$QUERN prime >/dev/full </dev/null'

# A file may grow to 100 KiB and no more: the rest fails with EFBIG.
t "what was written is a correct prefix" -s 3 -e '^quern: ' -o 'prefix' \
    '$QUERN factor 1..200000 >want
     (trap "" XFSZ; ulimit -f 100; exec $QUERN factor -j3 -o out 1..200000); status=$?
     size=$(wc -c <out); [ "$size" -gt 0 ] && head -c "$size" want | cmp - out && echo prefix
     exit $status'

# The reader has gone: status 141, silently.
gone() { t "$1" -E -T 20 -o "${3:-141}" "$2; echo \${PIPESTATUS[0]}"; }
gone "closed pipe, range" '$QUERN factor 1..3000000 | head -n 1 >/dev/null'
gone "closed pipe, bad records and a long run" \
    '$QUERN prime 1..200000000 | head -n 1 >/dev/null'
gone "closed pipe, jsonl" '$QUERN prime --format jsonl 1..3000000 | head -n 1 >/dev/null'
gone "closed pipe, nobody ever reads" '$QUERN prime 1..3000000 | true'
gone "closed pipe, SIGPIPE ignored" \
    '(trap "" PIPE; exec $QUERN prime 1..3000000) | head -n 1 >/dev/null'
gone "closed pipe, -v says nothing" '$QUERN prime -v 1..3000000 | head -n 1 >/dev/null'
gone "closed pipe, --help" '(sleep 0.3; exec $QUERN prime --help) | true'
t "closed pipe, stdin stays open" -E -T 20 -o 141 \
    '{ echo 7; sleep 0.5; yes 101; } 2>/dev/null | $QUERN prime | head -n 1 >/dev/null
     echo ${PIPESTATUS[1]}'
t "closed pipe, while a slow pipe is read" -E -T 20 -o 141 \
    '{ for i in $(seq 100); do echo 7; sleep 0.05; done; } 2>/dev/null |
     $QUERN prime | head -n 1 >/dev/null; echo ${PIPESTATUS[1]}'
t "head gets its lines" -o $'1:\n2: 2\n3: 3' '$QUERN factor 1..3000000 | head -n 3; true'

# Closed descriptors.
t "closed stdout" -s 3 -e '^quern: ' '$QUERN prime 7 >&-'
t "closed stdout, many lines" -s 3 -e '^quern: ' '$QUERN prime 1..100000 >&-'
t "closed stdout, --help" -s 3 '$QUERN --help >&-'
t "closed stdout does not write into an input" -s 3 -e '^quern: ' -o '7' \
    'echo 7 >in; $QUERN prime in >&-; status=$?; cat in; exit $status'
t "closed stdin and stdout" -s 3 '$QUERN prime 7 <&- >&-'
t "closed stderr" -s 1 -o '7 prime' 'printf "x\n7\n" | $QUERN prime 2>&-'
t "closed stderr, and the diagnostics go nowhere" -s 1 -o '7 prime' \
    'printf "x\n7\n" >list; $QUERN prime list 2>&-; status=$?
     printf "x\n7\n" | cmp - list; exit $status'
t "full stderr changes no answer" -s 1 -o '7 prime' \
    'printf "x\n7\n" | $QUERN prime 2>/dev/full'

# -o FILE
t "-o writes the file and nothing else" -E -o '7 prime' '$QUERN prime 7 -o fresh && cat fresh'
t "-o replaces a longer file" -E -o '7 prime' \
    'seq 1000 >longer; $QUERN prime -o longer 7 && cat longer'
t "--output=FILE" -E -o '7 prime' '$QUERN prime --output=out2 7 && cat out2'
t "-o with an empty result makes an empty file" -E -o 0 \
    '$QUERN prime -o none /dev/null && wc -c <none'
t "-o into a missing folder" -s 3 -o '' -e '^quern: .*missing' \
    '$QUERN prime -o missing/out 7'
t "-o is tried before the work begins" -s 3 -T 10 -e '^quern: .*missing' \
    '$QUERN prime -o missing/out 1..100000000000'
t "-o below a file" -s 3 -e '^quern: ' 'echo x >f; $QUERN prime -o f/out 7'
t "a missing input leaves an old output alone" -s 3 -o 'old' \
    'echo old >keep; $QUERN prime -o keep missing 2>/dev/null; status=$?; cat keep
     exit $status'
t "a usage error leaves an old output alone" -s 2 -o 'old' \
    'echo old >keep; $QUERN prime -o keep --frobnicate 2>/dev/null; status=$?; cat keep
     exit $status'
t "-o /dev/null" -E -o '' '$QUERN prime -o /dev/null 1..1000'
t "-o /dev/stdout" -E -o '7 prime' '$QUERN prime -o /dev/stdout 7'
t "a slow reader gets everything" -o 200000 \
    '$QUERN prime 1..200000 | { sleep 0.5; wc -l; }'
t "appending to a file" -E -o $'5 prime\n7 prime' \
    ': >log; $QUERN prime 5 >>log && $QUERN prime 7 >>log && cat log'
t "an output that is appended to an input" -s 2 -o 10 -e '^quern: .*an input and the output' \
    'seq 10 >both; $QUERN sumsq both >>both; status=$?; wc -l <both; exit $status'
t "-o onto an input" -s 2 -o 10 -e '^quern: both2 is an input and the output' \
    'seq 10 >both2; $QUERN sumsq both2 -o both2; status=$?; wc -l <both2; exit $status'

# A system that gives few threads, or small stacks: fewer workers, said, and never a crash or
# the status of bad records.
if [ -z "$SANITIZER" ]; then
    t "threads that are not to be had" -o fine \
        'for kib in 300000 400000 500000 600000 800000 1000000; do
             (ulimit -v $kib; exec $QUERN prime -q -j64 --only=prime --count 1..10000000) \
                 >got 2>said
             status=$?
             case $status in
             0) [ "$(cat got)" = 664579 ] || echo "$kib: $(cat got)" ;;
             3) [ ! -s got ] && grep -q "^quern: " said || echo "$kib: silent" ;;
             *) echo "$kib: status $status" ;;
             esac
         done; echo fine'
    t "small stacks" -E -o same \
        'python3 -c "for i in range(3000): print(2**63 + 12345 * i)" >few
         $QUERN factor -j1 few >want
         OMP_STACKSIZE=64k $QUERN factor -j3 few 2>said >got; cmp want got && echo same'
fi
finish
