#!/usr/bin/env bash
# --columns: which ones and in which order; for factor also what follows from the factors.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

t "jsonl: order, and error last" -E -o '{"proof":"deterministic-64","n":"7","error":""}' \
    '$QUERN prime --format jsonl --columns proof,n 7'
t "csv: without n" -E -o "$(printf 'class,error\r\nprime,\r')" \
    '$QUERN prime --format csv --columns class 7'
t "tsv: a bad record" -s 1 -o "$(printf 'sumsq\tn\terror\n\t\t-:1: not an integer')" \
    'echo x | $QUERN sumsq --format tsv --columns=sumsq,n'
t "jsonl: a bad record" -s 1 -o '{"factors":[],"phi":"","error":"-:1: not an integer"}' \
    'echo x | $QUERN factor --format jsonl --columns factors,phi'
t "seconds, then error" -m '^n.seconds.error$' -m '^7.[0-9]\.[0-9]{6}.$' \
    '$QUERN prime --format tsv --timing --columns n 7'
t "a fold" -E -o "$(printf 'count\terror\n25\t\n74\t\n1\t\n0\t')" \
    '$QUERN prime --count --format tsv --columns count 1..100'
t "header of nothing" -E -o "$(printf 'mu\tn\terror')" \
    '$QUERN factor --format tsv --columns mu,n </dev/null'

t "text has no columns" -s 2 -o '' -e '--columns is for --format tsv, csv or jsonl' \
    '$QUERN factor --columns n 7'
t "unknown, with a suggestion" -s 2 -o '' -e "unknown 'sigmma'; did you mean 'sigma'" \
    '$QUERN factor --format csv --columns n,sigmma 7'
t "unknown, with a list" -s 2 -o '' -e "unknown 'phi'; there are n, sumsq" \
    '$QUERN sumsq --format csv --columns phi 7'
t "twice" -s 2 -o '' -e "'n' is there twice" '$QUERN prime --format csv --columns n,class,n 7'
t "verify prints none" -s 2 -o '' -e 'unknown option --columns' '$QUERN verify --columns n'
t "a refused list leaves the output alone" -s 2 -o 'old' \
    'echo old >kept; $QUERN prime --format csv --columns x -o kept 7; s=$?; cat kept; exit $s'

t "0, 1, 2, 12" -E -o "$(printf '%s\n' \
    'n	omega	bigomega	phi	mu	sigma	radical	error' '0							' \
    '1	0	0	1	1	1	1	' '2	1	1	1	-1	3	2	' '12	2	3	4	0	28	6	')" \
    '$QUERN factor --format tsv --columns n,omega,bigomega,phi,mu,sigma,radical 0 1 2 12'
t "the default columns are what they were" -E -o "$(printf 'n\tfactors\tcofactor\tproof\terror\n6\t2 3\t\tdeterministic-64\t')" \
    '$QUERN factor --format tsv 6'
t "not finished: empty" -s 1 -m '^1000000014000000049					$' \
    '$QUERN factor --method=trial --time-per-item 1ms --format tsv \
         --columns n,phi,mu,sigma,radical 1000000014000000049'

# python's own: from the factors that quern says, and for small ones by definition
cat >functions.py <<'PY'
import csv, sys
from math import gcd
names = "n,omega,bigomega,phi,mu,sigma,radical,factors".split(",")
rows = list(csv.DictReader(open(sys.argv[1], newline=""), strict=True))
assert rows and list(rows[0]) == names + ["error"]
for row in rows:
    n, factors = int(row["n"]), [int(p) for p in row["factors"].split()]
    if n == 0:
        continue
    product = phi = sigma = radical = 1
    for p in factors:
        product *= p
    assert product == n
    for p in set(factors):
        e = factors.count(p)
        phi *= p ** e - p ** (e - 1)
        sigma *= sum(p ** i for i in range(e + 1))
        radical *= p
    mu = 0 if len(set(factors)) < len(factors) else (-1) ** len(factors)
    want = [len(set(factors)), len(factors), phi, mu, sigma, radical]
    if n <= 300:
        assert phi == sum(gcd(d, n) == 1 for d in range(1, n + 1))
        assert sigma == sum(d for d in range(1, n + 1) if n % d == 0)
    assert [row[k] for k in names[1:7]] == [str(x) for x in want], row
print(len(rows))
PY
{ seq 0 500; $ORACLE numbers mixed $((1000 / DIV)) 25 | awk 'length < 25'
  echo '2^100 3^70*2^5 18446744073709551615 18446744073709551557 60# 40!' | tr ' ' '\n'; } >in
export LIST=n,omega,bigomega,phi,mu,sigma,radical,factors
t "functions of the factors" -o "$(grep -c . in)" \
    '$QUERN factor --format csv --columns $LIST in >table 2>/dev/null
     python3 functions.py table'
for how in "-j2 --chunk 40" "--engine=serial"; do
    t "same bytes, $how" -E "\$QUERN factor --format csv --columns \$LIST in >table
        \$QUERN factor --format csv --columns \$LIST $how in | cmp - table"
done
finish
