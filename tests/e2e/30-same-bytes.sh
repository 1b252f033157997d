#!/usr/bin/env bash
# Guarantee 1: the same bytes for every number of threads, every chunk size and the serial
# engine, in every format, and the same answers from every kind of source.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export SAME="bash $HERE/same.sh"

# A list with everything: numbers of all sizes, several on a line, blank lines, CRLF,
# comments, signs, bad records of several kinds. And a clean one.
$ORACLE numbers bits $((3000 / DIV + 20)) 5 >bits
$ORACLE numbers digits30 60 5 >d30
$ORACLE numbers small $((6000 / DIV)) 5 >small
paste -d '\n' bits small d30 | awk '
    NR % 97 == 0 { print "junk" NR; next }
    NR % 89 == 0 { printf "+%s\r\n", $0; next }
    NR % 83 == 0 { print "# " $0 " not this"; next }
    NR % 79 == 0 { print $0 " # nor 17 this"; next }
    NR % 13 == 0 { printf "%s ", $0; next }
    { print }' >mix
cat bits small d30 >clean
head -n 300 clean | awk 'NF' >few
split -n l/3 clean part.
printf %s "$(cat part.aa)" >cut.aa # no newline at its end

for command in prime factor sumsq; do
    for format in text jsonl; do
        run="$command --format $format"
        t "$run: file" "\$SAME '' $run mix"
        t "$run: stdin" "\$SAME 'cat mix' $run"
        t "$run: three files" "\$SAME '' $run cut.aa part.ab part.ac mix"
        t "$run: range" "\$SAME '' $run 18446744073709551000..18446744073709552300"
        t "$run: literals" "\$SAME '' $run \$(head -n 100 few | tr '\n' ' ')"
        t "$run: all at once" "\$SAME 'cat few' $run 1..2000 mix - 7 7/2 12 part.ab"
    done
done
t "prime: a pipe that comes in drops" "\$SAME 'dd if=mix bs=37 status=none' prime"
t "factor -h" "\$SAME '' factor -h mix"
t "prime --only=prime" "\$SAME '' prime --only=prime mix 0..30000"
t "prime --count" "\$SAME '' prime --count mix 0..30000"
t "sumsq --total" "\$SAME '' sumsq --total mix 0..30000"
t "sumsq --fold" "\$SAME '' sumsq --fold mix 0..30000"
t "sumsq --method=loop" "\$SAME '' sumsq --method=loop 0..400"
for options in --only=prime --count "--count --only=prime" "--count --only=composite" \
    "--count --time-per-item=1s"; do
    t "prime $options: ranges" "\$SAME '' prime $options 0..1 2..2 999000..1050000"
done
t "prime --only=prime: jsonl" "\$SAME '' prime --only=prime --format=jsonl 0..90000"
t "prime --strict" "\$SAME '' prime --strict mix"
t "prime --max-errors" "\$SAME '' prime --max-errors=5 mix"
t "nothing" "\$SAME '' prime /dev/null"
t "an empty line and no more" "\$SAME 'echo' factor"
t "a hard one between easy ones" \
    "\$SAME 'seq 1 500; echo 6541367000127421703423171 ; seq 501 1000' factor"

# The same numbers, however they come.
$QUERN factor clean >want 2>/dev/null
cp few clean.few
t "stdin is as a file" -O want '$QUERN factor <clean'
t "a pipe is as a file" -O want 'cat clean | $QUERN factor -j3'
t "pieces are as the whole" -O want '$QUERN factor cut.aa part.ab part.ac'
t "arguments are as a file" '$QUERN factor $(cat clean.few) >a && $QUERN factor clean.few | cmp - a'
t "a range is as its numbers" \
    '$QUERN factor 1000000..1020000 >a && seq 1000000 1020000 | $QUERN factor | cmp - a'
for options in --only=prime --count "--count --only=prime" "--only=composite"; do
    t "prime $options: so it is" \
        "\$QUERN prime $options 0..70000 >a && seq 0 70000 | \$QUERN prime $options | cmp - a"
    t "prime $options: at 2^64" \
        "\$QUERN prime $options 18446744073709550000..18446744073709552000 >a &&
         seq 18446744073709550000 18446744073709552000 | \$QUERN prime $options | cmp - a"
done
t "two ranges are as one" \
    '$QUERN factor 5..1000 >a && $QUERN factor 5..77 78..1000 | cmp - a'
t "-o is as stdout" -o '' '$QUERN factor -o out clean && cmp want out'
t "again" -O want '$QUERN factor -j2 clean'
finish
