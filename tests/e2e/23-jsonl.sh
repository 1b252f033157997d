#!/usr/bin/env bash
# --format jsonl: all columns always, values as strings, this order, no blanks.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

t "factor, to the letter" -E \
    -o '{"n":"360","factors":["2","2","2","3","3","5"],"cofactor":"","proof":"deterministic-64","error":""}' \
    '$QUERN factor --format jsonl 360'
t "prime, to the letter" -E -o '{"n":"7","class":"prime","proof":"deterministic-64","error":""}
{"n":"8","class":"composite","proof":"","error":""}
{"n":"1","class":"neither","proof":"","error":""}' '$QUERN prime --format=jsonl 7 8 1'
t "sumsq, to the letter" -E \
    -o '{"n":"5000000","sumsq":"41666654166667500000","error":""}' \
    '$QUERN sumsq --format=jsonl 5000000'
t "0 and 1 have no factors" -E \
    -o '{"n":"0","factors":[],"cofactor":"","proof":"","error":""}
{"n":"1","factors":[],"cofactor":"","proof":"","error":""}' \
    '$QUERN factor --format jsonl 0 1'
t "a prime below 2^64 is its own factor" -E \
    -o '{"n":"18446744073709551557","factors":["18446744073709551557"],"cofactor":"","proof":"deterministic-64","error":""}' \
    '$QUERN factor --format jsonl 18446744073709551557'
t "canonical n" -E -o '{"n":"7","class":"prime","proof":"deterministic-64","error":""}' \
    'echo +007 | $QUERN prime --format jsonl'

for kind in edges mixed u128 big; do
    $ORACLE numbers $kind $((500 / DIV)) 1 >$kind.in
    $ORACLE json prime <$kind.in >$kind.prime
    $ORACLE json sumsq <$kind.in >$kind.sumsq
    t "prime: '$kind'" -O $kind.prime -n '[0-9]:' "\$QUERN prime --format jsonl $kind.in"
    t "sumsq: '$kind'" -O $kind.sumsq -E "\$QUERN sumsq --format jsonl $kind.in"
done
awk 'length < 31' edges.in mixed.in >few.in
t "factor: edges and mixed" \
    '$QUERN factor --format jsonl few.in >out && $ORACLE check-json-factors few.in <out'

# bad records are rows, in their places, with the diagnostic's INPUT:LINE: what
printf '5\nabc\n6\n' >list
t "prime: a bad record" -s 1 -e "^quern: list:2: not an integer: 'abc'\$" \
    -o "$(printf '%s\n' \
        '{"n":"5","class":"prime","proof":"deterministic-64","error":""}' \
        '{"n":"","class":"","proof":"","error":"list:2: not an integer"}' \
        '{"n":"6","class":"composite","proof":"","error":""}')" \
    '$QUERN prime --format jsonl list'
t "factor: a bad record" -s 1 -e "^quern: list:2: not an integer: 'abc'\$" \
    -o "$(printf '%s\n' \
        '{"n":"5","factors":["5"],"cofactor":"","proof":"deterministic-64","error":""}' \
        '{"n":"","factors":[],"cofactor":"","proof":"","error":"list:2: not an integer"}' \
        '{"n":"6","factors":["2","3"],"cofactor":"","proof":"deterministic-64","error":""}')" \
    '$QUERN factor --format jsonl list'
t "sumsq: a bad record" -s 1 -e "^quern: list:2: not an integer: 'abc'\$" \
    -o "$(printf '%s\n' '{"n":"5","sumsq":"30","error":""}' \
        '{"n":"","sumsq":"","error":"list:2: not an integer"}' \
        '{"n":"6","sumsq":"55","error":""}')" \
    '$QUERN sumsq --format jsonl list'
t "every bad record is a row, also beyond 20" -s 1 -o 30 \
    'seq 30 | sed "s/^/x/" | $QUERN prime --format jsonl | grep -c "not an integer"'

export READ='import json, sys
rows = [json.loads(line) for line in sys.stdin]'
t "an input name with quotes and backslashes" -s 1 -o 'we"ird\ name:1: not an integer' \
    'echo x >"we\"ird\\ name"
     $QUERN prime --format jsonl "we\"ird\\ name" | python3 -c "$READ
print(rows[0][\"error\"])"'
t "an input name that is not UTF-8" -s 1 -o 'a\xff\xc3b:1: not an integer' \
    'name=$(printf "a\377\303b"); echo x >"$name"
     $QUERN prime --format jsonl "$name" 2>/dev/null | python3 -c "$READ
print(rows[0][\"error\"])"'
t "any bytes give valid JSON" -s 1 -o 'valid' \
    'python3 -c "import random, sys
sys.stdout.buffer.write(random.Random(2).randbytes(200000))" >bin
     $QUERN prime --format jsonl bin 2>/dev/null | python3 -c "$READ
print(\"valid\")"'

t "--timing: seconds before error" -e '[0-9]\.[0-9]' -m \
    '^\{"n":"7","class":"prime","proof":"deterministic-64","seconds":"[0-9]+\.[0-9]{6}","error":""\}$' \
    '$QUERN prime --format jsonl --timing 7'
t "factor --timing" \
    -m '^\{"n":"7","factors":\["7"\],"cofactor":"","proof":"deterministic-64","seconds":"[0-9]+\.[0-9]{6}","error":""\}$' \
    '$QUERN factor --format jsonl --timing 7'
t "--only leaves out rows" -E \
    -o '{"n":"7","class":"prime","proof":"deterministic-64","error":""}' \
    '$QUERN prime --format jsonl --only=prime 6 7 8'
t "a range" -E -o '{"n":"2","sumsq":"1","error":""}
{"n":"3","sumsq":"5","error":""}' '$QUERN sumsq --format jsonl 2..3'
t "nothing in, nothing out" -E -o '' '$QUERN prime --format jsonl </dev/null'
if [ -z "$SANITIZER" ]; then
    python3 - <<'PY' >unfinished.in
import os, random, sys
sys.path.insert(0, os.environ["HERE"])
import oracle
rng = random.Random(210)
print(24 * oracle.random_prime(rng, 105) * oracle.random_prime(rng, 105))
PY
    n=$(cat unfinished.in)
    c=$(python3 -c "print($n // 24)")
    t "unfinished" -s 1 -T 300 \
        -o '{"n":"'"$n"'","factors":["2","2","2","3"],"cofactor":"'"$c"'","proof":"deterministic-64","error":""}' \
        '$QUERN factor --format jsonl unfinished.in'
else
    exempt "unfinished" "too slow here"
fi
finish
