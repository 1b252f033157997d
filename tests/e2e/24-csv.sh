#!/usr/bin/env bash
# --format csv and tsv: parsed by python's csv, and to the letter.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

crlf() { printf '%s\r\n' "$@" >want; }
crlf 'n,factors,cofactor,proof,error' '360,2 2 2 3 3 5,,deterministic-64,' \
    '1,,,,' '7,7,,deterministic-64,'
cp want factor.want
t "csv: factor, to the letter" -E -O factor.want '$QUERN factor --format csv 360 1 7'
printf 'n\tclass\tproof\terror\n7\tprime\tdeterministic-64\t\n8\tcomposite\t\t\n' >prime.want
t "tsv: prime, to the letter" -E -O prime.want '$QUERN prime --format=tsv 7 8'
crlf 'n,sumsq,error' '5000000,41666654166667500000,'
cp want sumsq.want
t "csv: sumsq, to the letter" -E -O sumsq.want '$QUERN sumsq --format csv 5000000'

# the header stands once, whatever follows
crlf 'n,factors,cofactor,proof,error'
cp want empty.want
t "csv: the header of nothing" -E -O empty.want '$QUERN factor --format csv </dev/null'
t "tsv: the header of nothing" -E -o "$(printf 'n\tsumsq\terror')" \
    '$QUERN sumsq --format tsv </dev/null'
t "one header, several inputs and chunks" -E -o 1 \
    'seq 3000 >a && $QUERN prime --format tsv --chunk 64 a a a | grep -c class'

# folds have the columns of their result, and mark what is missing in it
crlf 'class,count,error' 'prime,25,' 'composite,74,' 'neither,1,' 'probable,0,'
cp want count.want
t "csv: a count" -E -O count.want '$QUERN prime --count --format csv 1..100'
crlf 'fold,error' 55,
cp want fold.want
t "csv: a fold" -E -O fold.want '$QUERN sumsq --fold --format csv 1..5'
t "tsv: a total, timed" -o "$(printf 'total\terror\n20\t')" \
    '$QUERN sumsq --total --timing --format tsv 1..4'
t "tsv: a fold with a bad record" -s 1 -e "^quern: -:1: not an integer: 'x'\$" \
    -o "$(printf 'fold\terror\n\t-:1: not an integer\n25\t')" \
    'echo x 5 | $QUERN sumsq --fold --format tsv'

# bad records are rows in their places
printf '5\nabc\n6\n' >list
crlf 'n,class,proof,error' '5,prime,deterministic-64,' ',,,list:2: not an integer' \
    '6,composite,,'
cp want bad.want
t "csv: a bad record" -s 1 -e "^quern: list:2: not an integer: 'abc'\$" -O bad.want \
    '$QUERN prime --format csv list'
t "tsv: every bad record is a row, also beyond 20" -s 1 -o 30 \
    'seq 30 | sed "s/^/x/" | $QUERN prime --format tsv | grep -c "^			-:[0-9]*: not an integer$"'
t "csv: --timing" -e 'total' -m '^n,class,proof,seconds,error.$' \
    -m '^7,prime,deterministic-64,[0-9]+\.[0-9]{6},.$' '$QUERN prime --format csv --timing 7'
t "csv: a bad record, timed" -s 1 -m '^,,,,-:1: not an integer.$' \
    'echo x | $QUERN prime --format csv --timing'
t "csv: --only leaves out rows" -E -o "$(printf 'n,class,proof,error\r\n7,prime,deterministic-64,\r')" \
    '$QUERN prime --format csv --only=prime 6..8'

# names that need quotes
export READ='import csv, sys
sys.stdout.reconfigure(newline="")
sys.stdin.reconfigure(newline="")
rows = list(csv.reader(sys.stdin, strict=True))'
# shellcheck disable=SC2089,SC2090
weird=$'we,"ird\r\\na\tme\nx'
# shellcheck disable=SC2090
export weird
echo x >"$weird"
t "csv: a name with quotes and line ends" -s 1 -o "$weird:1: not an integer" \
    '$QUERN prime --format csv "$weird" | python3 -c "$READ
assert len(rows) == 2 and [len(r) for r in rows] == [4, 4]
print(rows[1][3])"'
t "tsv: a name with tabs and line ends" -s 1 \
    -o $'\t\t\twe,"ird\\r\\\\na\\tme\\nx:1: not an integer' \
    '$QUERN prime --format tsv "$weird" | tail -n +2'

# what a parser reads is what jsonl says
cat >agree.py <<'PY'
import csv, json, sys
csv.field_size_limit(1 << 30)
kind, table, lines = sys.argv[1:]
with open(table, newline="") as file:
    if kind == "csv":
        rows = list(csv.reader(file, strict=True))
        file.seek(0)
        assert file.read().count("\n") == len(rows)
    else:
        rows = [line.rstrip("\n").split("\t") for line in file]
names, rows = rows[0], rows[1:]
with open(lines) as file:
    wanted = [json.loads(line) for line in file]
assert names == list(wanted[0]), names
assert len(rows) == len(wanted)
for row, want in zip(rows, wanted):
    flat = [" ".join(v) if isinstance(v, list) else v for v in want.values()]
    assert row == flat, (row, flat)
print("same")
PY
$ORACLE numbers mixed $((2000 / DIV)) 3 >mixed.in
awk 'length < 31' mixed.in >few.in
echo 12x >>few.in
echo nonsense >>mixed.in
for format in csv tsv; do
    for command in prime sumsq; do
        t "$format: $command agrees with jsonl" -s 1 -o same \
            "\$QUERN $command --format jsonl mixed.in >lines
             \$QUERN $command --format $format mixed.in >table; s=\$?
             python3 agree.py $format table lines && exit \$s"
    done
    t "$format: factor agrees with jsonl" -s 1 -o same \
        "\$QUERN factor --format jsonl few.in >lines
         \$QUERN factor --format $format few.in >table; s=\$?
         python3 agree.py $format table lines && exit \$s"
    for engine in threads serial; do
        t "$format: same bytes, $engine" \
            "\$QUERN factor --format $format -j1 few.in >one 2>/dev/null
             \$QUERN factor --format $format -j3 --engine=$engine --chunk 100 few.in \
                 >other 2>/dev/null
             cmp one other"
    done
done
t "csv: a resumed run has one header" -s 1 -o 1 \
    '$QUERN prime --format csv -o out mixed.in 2>/dev/null
     $QUERN prime --format csv -o out --resume mixed.in 2>/dev/null; s=$?
     grep -c class out; exit $s'
finish
