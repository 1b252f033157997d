#!/usr/bin/env bash
# --format sqlite: rows, types, upserts, names, and runs that are killed. The database is asked
# by Python's own SQLite.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export DB="python3 $HERE/sqlite.py dump" JOBS="$ROOT/jobs"

# --- W10 from files: rows upserted, twice the same
mkdir users
for i in 1 2 3 4; do
    echo "{\"id\": $i, \"name\": \"User \\\"$i\\\"\", \"email\": \"u$i@example.org\", \"x\": []}" >users/$i
done
export ROWS='SELECT id, name, email FROM users ORDER BY id'
printf '%s|User "%s"|u%s@example.org\n' 1 1 1 2 2 2 3 3 3 4 4 4 >want
t "users into a database" -E -o '' '$QUERN run $JOBS/users-sqlite.job users/*'
t "... are there" -O want '$DB users.db "$ROWS"'
t "... once again: the same rows" -E -o '' '$QUERN run $JOBS/users-sqlite.job users/*'
t "... once each" -O want '$DB users.db "$ROWS"'
sed 's/User "2"/Other/' want >want2
t "a changed one is changed" -E -O want2 \
    'sed "s/User ..2../Other/" users/2 >two; $QUERN run $JOBS/users-sqlite.job two && $DB users.db "$ROWS"'
echo '{"id": 5, "name": "no mail"}' >users/5
echo '{"id": 6, "name": "cut' >users/6
echo '{"id": null, "name": "n", "email": "e"}' >users/7
t "what is wrong is said, and leaves no row" -s 1 -e "^quern: users/5: '/email' is not there\$" \
    -e '^quern: users/6:1: ' -e "^quern: users/7: '/id' is null, but a key\$" -O want \
    '$QUERN run $JOBS/users-sqlite.job users/* ; status=$?; $DB users.db "$ROWS"; exit $status'

# --- W10 and W4 from a server
if need python3 "a server"; then
    mkdir www && cp -r users www/users && rm www/users/[67]
    for base in USD EUR PLN NOK CZK; do
        echo "{\"base\":\"$base\",\"rates\":{\"USD\":1,\"EUR\":0.91234,\"PLN\":4.0,\"NOK\":10.456,\"CZK\":23.4}}" >www/$base
        echo "1 $base = 1.0 USD, 0.912 EUR, 4.0 PLN, 10.5 NOK, 23.4 CZK"
    done >matrix
    (cd www && exec timeout 300 python3 -u -m http.server 0 --bind 127.0.0.1) >port 2>access </dev/null &
    server=$!
    for _ in $(seq 100); do grep -qs port port && break; sleep 0.1; done
    BASE="http://127.0.0.1:$(grep -o 'port [0-9]*' port | cut -d' ' -f2)"
    export BASE
    t "users from a server" -s 1 -e '^quern: http.*/users/6: ' -e '^quern: http.*/users/5: ' -O want \
        'rm -f users.db*; $QUERN run $JOBS/users-sqlite.job --set base=$BASE --tries=1; status=$?
         $DB users.db "$ROWS"; exit $status'
    for how in --workers=1 --workers=5 "--workers=10 --unordered"; do
        t "the matrix: $how" -E -O matrix \
            "\$QUERN run \$JOBS/fx-matrix.job --set base=\$BASE $how | sort -t' ' -k2,2 >got
             sort -t' ' -k2,2 matrix | cmp - got && cat matrix"
    done
    t "the matrix in order, as csv" -E -o "$(printf 'base,USD,EUR,PLN,NOK,CZK,error\r\n'
        for base in USD EUR PLN NOK CZK; do printf '%s,1.0,0.912,4.0,10.5,23.4,\r\n' $base; done)" \
        '$QUERN run $JOBS/fx-matrix.job --set base=$BASE --format csv'
    t "... a request that fails is an item of its own" -s 1 -e '^quern: http.*/PLN: ' \
        -o "$(grep -v '1 PLN' matrix)" \
        'mv www/PLN away; $QUERN run $JOBS/fx-matrix.job --set base=$BASE --tries=1; status=$?
         mv away www/PLN; exit $status'
    kill $server 2>/dev/null
    wait $server 2>/dev/null
fi

# --- types, and the commands on numbers
t "types are kept" -o $'1|integer\n-9223372036854775808|integer\n9223372036854775808|text\n1.5|real\nx|text\n1|integer\nNULL|null' \
    'echo "[1,-9223372036854775808,9223372036854775808,1.5,\"x\",true,null]" |
     $QUERN extract --each . --columns v= --format sqlite --table t -o types.db &&
     $DB types.db "SELECT v, typeof(v) FROM t"'
t "factor" -E -o $'2305843009213693951|integer|2305843009213693951|text\n18446744073709551617|text|274177 67280421310721|text' \
    '$QUERN factor --format sqlite --table f --key n -o f.db 2305843009213693951 18446744073709551617 &&
     $DB f.db "SELECT n, typeof(n), factors, typeof(factors) FROM f"'
t "prime --columns, a second table" -E -o $'7|prime\n8|composite' \
    '$QUERN prime --format sqlite --table p --columns n,class -o f.db 7 8 && $DB f.db "SELECT * FROM p"'
t "... the first one is as it was" -o 2 '$DB f.db "SELECT count(*) FROM f"'
t "sumsq --timing" -E -o '10|285|1' \
    '$QUERN sumsq --timing -q --format sqlite --table s -o f.db 10 &&
     $DB f.db "SELECT n, sumsq, seconds < 9 FROM s"'
t "prime --count" -E -o $'prime|25\ncomposite|74\nneither|1\nprobable|0' \
    '$QUERN prime --count --format sqlite --table c --key class -o f.db 1..100 && $DB f.db "SELECT * FROM c"'
t "count" -E -o $'1|a.log\n2|b.log\n3|total' \
    'echo error >a.log; echo error terror >b.log
     $QUERN count error --format sqlite --table c -o w.db a.log b.log && $DB w.db "SELECT * FROM c"'
t "-j8 has the same rows" -o same \
    '$QUERN factor --format sqlite --table t -o one.db -j1 1..20000 &&
     $QUERN factor -q --format sqlite --table t -o eight.db -j8 1..20000 2>/dev/null &&
     $DB one.db "SELECT * FROM t" >one && $DB eight.db "SELECT * FROM t" | cmp - one && echo same'
t "names with everything in them" -E -o '5' \
    'echo 5 | $QUERN extract --columns "a b=" --format sqlite --table "t\"; DROP TABLE t; --" -o n.db &&
     $DB n.db "SELECT \"a b\" FROM \"t\"\"; DROP TABLE t; --\""'

# --- what is refused, and leaves nothing
for options in '--format sqlite --table t' '--format sqlite -o x.db' '--format sqlite --table t --key x -o x.db' \
    '--table t -o x.db' '--key n' '--format sqlite --table quern_marks -o x.db'; do
    t "refused: $options" -s 2 -o '' "\$QUERN factor 6 $options; s=\$?; [ ! -e x.db.quern ] && exit \$s"
done
t "verify has no rows" -s 2 -e 'has no rows' '$QUERN verify --format sqlite --table t -o x.db </dev/null'
t "what is no database is not touched" -s 3 -e 'file is not a database' -o kept \
    'seq 1000 >no.db; cp no.db was; $QUERN factor --format sqlite --table t -o no.db 6; s=$?
     cmp no.db was && [ ! -e no.db.quern ] && echo kept; exit $s'
t "a table without that key is refused, and may be gone on with" -s 2 -o 2 \
    -e '^quern: k.db: its table t has other columns or another key: ON CONFLICT' \
    '$QUERN factor --format sqlite --table t -o k.db 6 && rm k.db.quern &&
     $QUERN factor --format sqlite --table t --key n -o k.db 6; s=$?
     [ ! -e k.db.quern ] && $QUERN factor --format sqlite --table t -o k.db 7 && $DB k.db "SELECT count(*) FROM t"; exit $s'
t "so is one with other columns" -s 2 -e 'table t has other columns or another key: table t has no column' \
    '$QUERN sumsq --format sqlite --table t -o k.db 6'

# --- resuming
t "a complete run is not done again" -E -o 3 \
    '$QUERN factor --format sqlite --table t -o r.db 6 7 8 &&
     $QUERN factor --format sqlite --table t -o r.db 6 7 8 --resume && $DB r.db "SELECT count(*) FROM t"'
t "without --resume it is, and rows without a key are added" -E -o 6 \
    '$QUERN factor --format sqlite --table t -o r.db 6 7 8 && $DB r.db "SELECT count(*) FROM t"'
t "columns that are one to SQLite are refused" -s 2 -e '^quern: --format sqlite: the columns a and A are one' \
    'echo "{}" >e.json; $QUERN extract --columns a=/a,A=/b --format sqlite --table t -o case.db e.json; s=$?; [ ! -e case.db ] && exit $s'
t "so are the names that SQLite keeps for itself" -s 2 -e '^quern: --table: SQLite_x is taken' \
    '$QUERN factor --format sqlite --table SQLite_x -o own.db 6; s=$?; [ ! -e own.db ] && exit $s'
t "another key is another job" -s 2 -e 'another key' \
    '$QUERN factor --format sqlite --table t --key n -o r.db 6 7 8 --resume'
t "a database that was put in its place is refused" -s 2 -e 'has been changed' \
    'rm r.db; $QUERN factor --format sqlite --table t -o r.db 6 7 8 --resume'
t "a stopped run goes on" -o 300000 \
    '$QUERN factor -q --format sqlite --table t -o g.db --time-limit 50ms 1..300000 2>/dev/null; [ $? -eq 75 ] &&
     $QUERN factor -q --format sqlite --table t -o g.db --resume 1..300000 && $DB g.db "SELECT count(DISTINCT n) FROM t"'
KILLS=${RESUME_LOOPS:-8}
t "SIGKILL at random moments, then --resume" -m 'all with the rows$' -T 240 \
    "python3 \$HERE/sqlite.py loop $KILLS 1 \$FAULTY"
t "SIGKILL at rows, transactions and marks, then --resume" -m 'all with the rows$' -T 240 \
    "python3 \$HERE/sqlite.py fault $((2 * KILLS)) 1 \$FAULTY"
finish
