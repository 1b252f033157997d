#!/usr/bin/env bash
# The jobs that make tables of JSON, fx-matrix and users-sqlite, against the server on
# loopback: what they print and leave is what an independent computation says.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
export JOBS="$ROOT/jobs"
serve
oracle() { python3 "$NET/oracle.py" "$@"; }
export -f oracle

# --- W4: fx-matrix
oracle matrix >fx.want
for mode in "--workers 1" "--workers 5" "--workers 5 --fetch-threads 5" "-j1" "--rate 20"; do
    t "fx-matrix $mode" -E -O fx.want '$QUERN run $JOBS/fx-matrix.job --set base=$BASE '"$mode"
done
t "fx-matrix: later bases first" -E -O fx.want \
    '$QUERN run $JOBS/fx-matrix.job --set "base=$BASE/except;match=USD/delay;ms=500"'
t "fx-matrix in csv" -o right \
    '$QUERN run $JOBS/fx-matrix.job --set base=$BASE --format csv >fx.csv && oracle fx-csv fx.csv'
t "fx-matrix in jsonl" -o right \
    '$QUERN run $JOBS/fx-matrix.job --set base=$BASE --format jsonl >fx.jsonl &&
     oracle fx-jsonl fx.jsonl'
sed 3d fx.want >fx4.want
for fault in status\;code=500 reset half\;sent=20 "json;body=%7B%22base%22:%22PLN%22%7D" \
    "json;body=%5B" silent; do
    t "fx-matrix: one request fails ($fault)" -s 1 -O fx4.want -e '/PLN' \
        '$QUERN run $JOBS/fx-matrix.job --tries 2 --timeout 2 \
             --set "base=$BASE/except;match=PLN/'"$fault"'"'
done
t "fx-matrix: a failure that passes" -E -O fx.want \
    '$QUERN run $JOBS/fx-matrix.job --set "base=$BASE/flaky;times=1/status;code=503"'

# --- W10: users-sqlite
users="rm -f users.db users.db.quern; \$QUERN run \$JOBS/users-sqlite.job -o users.db"
export users
for mode in "--workers 1" "--workers 10" "-j1"; do
    t "users-sqlite $mode" -m '^[0-9]+ users right$' \
        "$users"' --set base=$BASE '"$mode"' && oracle users users.db'
done
t "users-sqlite twice: the same rows" -m '^[0-9]+ users right$' \
    "$users"' --set base=$BASE && $QUERN run $JOBS/users-sqlite.job -o users.db --restart \
         --set base=$BASE && oracle users users.db'
for fault in status\;code=404 reset half\;sent=20 "json;body=%7B%22id%22:3%7D" "json;body=%7B"; do
    t "users-sqlite: user 3 fails ($fault)" -s 1 -m '^[0-9]+ users right 3$' -e 'users/3' \
        "$users"' --tries 1 --set "base=$BASE/except;match=3/'"$fault"'"; s=$?
         oracle users users.db; exit $s'
done
finish
