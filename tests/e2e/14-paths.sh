#!/usr/bin/env bash
# The processor paths: info names the one that runs, QUERN_CPU forces one, and all give the
# same bytes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

t "info names the path" -E -m '^processor path: (avx2|generic)$' '$QUERN info'
t "generic, forced" -E -m '^processor path: generic$' 'QUERN_CPU=generic $QUERN info'
if grep -q avx2 /proc/cpuinfo; then
    t "avx2 where the processor has it" -E -m '^processor path: avx2$' '$QUERN info'
    t "avx2, forced" -E -m '^processor path: avx2$' 'QUERN_CPU=avx2 $QUERN info'
else
    exempt "avx2 where the processor has it" "no AVX2 here"
    exempt "avx2, forced" "no AVX2 here"
fi
for command in info 'factor 12' 'run job'; do
    printf '[job]\ncommand = prime\ninput = 12\n' >job
    t "an unknown path is refused: $command" -s 2 -o '' \
        -e "^quern: QUERN_CPU='abacus': this processor has the paths generic" \
        "QUERN_CPU=abacus \$QUERN $command"
done
t "help comes all the same" -m '^Usage: ' 'QUERN_CPU=abacus $QUERN factor --help'
t "an empty name is none" -m '^processor path: ' 'QUERN_CPU= $QUERN info'

# same NAME COMMAND...: the same bytes on both paths
same() {
    t "$1: the same bytes" -n '[0-9]:' \
        "\$QUERN $2 >fast; QUERN_CPU=generic \$QUERN $2 >plain; cmp fast plain && test -s fast"
}
for kind in edges u64 bits small; do
    $ORACLE numbers $kind $((4000 / DIV)) 3 >$kind.in
    same "prime, $kind" "prime $kind.in"
    same "factor, $kind" "factor $kind.in"
done
$ORACLE numbers u128 $((300 / DIV)) 3 >u128.in
same "prime, u128" "prime u128.in"
same "factor, u128" "factor u128.in"
same "a range" "factor 1000000000000..1000000005000"
same "sumsq" "sumsq --method=loop 1000..1200"
finish
