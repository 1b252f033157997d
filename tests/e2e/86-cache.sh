#!/usr/bin/env bash
# --cache and --offline: conditional requests, damaged caches, two runs at once, and URLs as
# an input that can be resumed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
serve
# lately NAME: conditions and statuses of the requests for /NAME, one word each
lately() {
    python3 - "$1" <<'END'
import json
import os
import sys
words, ends, found = [], {}, []
for line in map(json.loads, open(os.environ["LOG"], encoding="utf-8")):
    if line["event"] == "end":
        ends[line["n"]] = line["status"]
    elif line["target"].rpartition("/")[2] == sys.argv[1]:
        headers = line["headers"]
        found.append((line["n"], "etag" if "if-none-match" in headers else
                      "date" if "if-modified-since" in headers else "plain"))
print(*(f"{how}:{ends.get(n)}" for n, how in found))
END
}
export -f lately

for kind in etag date; do
    t "a second run asks whether it has changed ($kind)" -o "plain:200 $kind:304" \
        'for i in 1 2; do
             $QUERN fetch -q --cache c1 -O d-'$kind'$i "$BASE/file;validator='$kind';size=5000/u'$kind'" \
                 >out || exit 1
         done; cmp d-'$kind'1/u'$kind' d-'$kind'2/u'$kind' && lately u'$kind
done
t "what has changed is fetched" -o 'plain:200 plain:200 etag:200' \
    '$QUERN fetch -q --cache c1 -O e1 "$BASE/file;size=5000/moved" >out
     curl -sS "$BASE/bump/moved" >&2 # the second
     $QUERN fetch -q --cache c1 -O e2 "$BASE/file;size=5000/moved" >out
     cmp -s e1/moved e2/moved && echo the old one; lately moved'
t "what has no validator is fetched" -o 'plain:200 plain:200' \
    'for i in 1 2; do $QUERN fetch -q --cache c1 -O f$i "$BASE/ok/plain" >out || exit 1; done
     lately plain'
t "what failed is not kept" -s 1 -o '' \
    '$QUERN fetch -q --cache c2 --tries 1 -O g1 "$BASE/cut;at=100/file;size=5000/half" \
         "$BASE/status;code=404/none" >out
     $QUERN fetch -q --cache c2 --offline -O g2 "$BASE/cut;at=100/file;size=5000/half" \
         "$BASE/status;code=404/none" >out; s=$?; ls g2 >&2; grep "^ok" out; exit $s'
t "kernels use it too" -o 'plain:200 etag:304' \
    'for i in 1 2; do $QUERN count line --cache c1 "$BASE/header;name=ETag;value=%22x%22/text;size=9000/words" \
         >n$i || exit 1; done; cmp n1 n2 || exit 1
     lately words | sed s/etag:200/etag:304/'

t "a body that is too large is so from the cache, too" -s 1 -o $'toolarge 304\ntoolarge 0\n0 bad' \
    'url="$BASE/file;size=5000/large"
     $QUERN fetch -q --cache cl -O l8 "$url" >out || exit 9
     $QUERN fetch -q --cache cl --max-bytes 4999 -O l9 "$url" | cut -f1,2 | tr "\t" " "
     $QUERN fetch -q --cache cl --offline --max-bytes 4999 -O l9 "$url" | cut -f1,2 | tr "\t" " "
     $QUERN fetch -q --cache cl --offline --max-bytes 5000 -O l9 "$url" >out || exit 8
     $QUERN count a --cache cl --offline --max-bytes 4999 "$url" >n; s=$?
     grep -c total n | sed "s/\$/ bad/"; exit $s'

# --- with --compressed: what is kept is the body itself, whoever fetched it
seq 1 3000 >numbers
$QUERN prime numbers >primes
for wrap in /polite /gzip /gzip/chunked; do
    t "by a kernel with --compressed, then a file ($wrap)" -o same \
        'url="$BASE'$wrap'/numbers;to=3000" c=$(mktemp -d -p .)
         $QUERN prime -q --compressed --cache $c "$url" | cmp - primes || exit 1
         $QUERN fetch -q --cache $c --offline -O $c/d "$url" >out || exit 2
         $QUERN fetch -q --cache $c --offline --compressed -O $c/d2 "$url" >out || exit 3
         cmp numbers "$c/d/numbers;to=3000" && cmp numbers "$c/d2/numbers;to=3000" && echo same'
    t "by a file with --compressed, then a kernel ($wrap)" -o same \
        'url="$BASE'$wrap'/numbers;to=3000" c=$(mktemp -d -p .)
         $QUERN fetch -q --cache $c --compressed -O $c/d "$url" >out || exit 1
         $QUERN prime -q --offline --cache $c "$url" | cmp - primes || exit 2
         $QUERN prime -q --offline --compressed --cache $c "$url" | cmp - primes && echo same'
done
t "what came coded and was not asked for is not taken for decoded" -o same \
    'url="$BASE/gzip/header;name=ETag;value=%22x%22/numbers;to=3000"
     $QUERN prime -q --cache c9 "$url" | cmp - primes || exit 1
     $QUERN fetch -q --cache c9 --compressed -O f9 "$url" >out || exit 2
     cmp numbers "f9/numbers;to=3000" && echo same'

# --- --offline
t "--offline asks nobody" -o 'same 2' \
    'n=$(wc -l <"$LOG"); $QUERN fetch -q --cache c1 --offline -O h1 \
         "$BASE/file;validator=etag;size=5000/uetag" "$BASE/ok/plain" >out &&
     cmp h1/uetag d-etag1/uetag && test $n = $(wc -l <"$LOG") && echo same $(grep -c ^ok out)'
t "--offline without the URL" -s 1 -m '^[a-z]+' \
    '$QUERN fetch -q --cache c1 --offline -O h2 "$BASE/ok/never" >out; s=$?
     grep "^ok" out && exit 9; cat out; exit $s'
t "--offline: an entry of an older version" -s 1 -e 'older version: one run without --offline is needed$' \
    '$QUERN fetch -q --cache c10 -O g1 "$BASE/ok/old" >out && sed -i "1s/.*/quern-cache 1/" c10/urls/* &&
     $QUERN fetch -q --cache c10 --offline -O g2 "$BASE/ok/old" >out; s=$?
     $QUERN fetch -q --cache c10 -O g3 "$BASE/ok/old" >out &&
         $QUERN fetch -q --cache c10 --offline -O g4 "$BASE/ok/old" >out && exit $s'
t "--offline without --cache" -s 2 -o '' -e 'cache' '$QUERN fetch --offline "$BASE/ok/x"'

# --- damage: what is in the cache is checked before it is believed
damage() { # NAME COMMAND: the files of a fresh cache c.NAME are changed by COMMAND
    t "a damaged cache: $1" -o same \
        '$QUERN fetch -q --cache c.'$1' -O i1.'$1' "$BASE/file;size=70000/dam'$1'" >out || exit 1
         find c.'$1' -type f | while read -r f; do '"$2"'; done
         $QUERN fetch -q --cache c.'$1' --offline -O i2.'$1' "$BASE/file;size=70000/dam'$1'" >out &&
             { cmp i1.'$1'/dam'$1' i2.'$1'/dam'$1' || exit 8; }
         $QUERN fetch -q --cache c.'$1' -O i3.'$1' "$BASE/file;size=70000/dam'$1'" >out || exit 1
         cmp i1.'$1'/dam'$1' i3.'$1'/dam'$1' && echo same'
}
damage cut 'truncate -s 50 "$f"'
damage empty ': >"$f"'
damage flipped 'printf X | dd of="$f" bs=1 seek=$(($(stat -c %s "$f") / 2)) conv=notrunc 2>/dev/null'
damage longer 'echo more >>"$f"'
damage gone 'rm "$f"'

# --- at once
t "five runs with one cache" -o '5 same' -T 60 \
    'for i in 1 2 3 4 5; do
         $QUERN fetch -q --cache c5 -O j$i "$BASE/file;size=200000/at[1-20]" >j$i.out & pids="$pids $!"
     done
     good=0; for p in $pids; do wait $p && good=$((good + 1)); done
     for i in 2 3 4 5; do diff -r j1 j$i >&2 || exit 1; done
     $QUERN fetch -q --cache c5 --offline -O j6 "$BASE/file;size=200000/at[1-20]" >out &&
     diff -r j1 j6 >&2 && echo $good same'
t "a run that is killed leaves a cache that works" -o same -T 60 \
    'for i in 1 2 3; do
         $QUERN fetch -q --cache c6 -O k$i "$BASE/drip;size=20000;ms=10/file;size=300000/kk[1-4]" >out &
         sleep 0.2; kill -KILL $!; wait $! 2>/dev/null
     done
     $QUERN fetch -q --cache c6 -O l1 "$BASE/drip;size=20000;ms=1/file;size=300000/kk[1-4]" >out &&
     $QUERN fetch -q --cache c6 --offline -O l2 "$BASE/drip;size=20000;ms=1/file;size=300000/kk[1-4]" \
         >out
     $QUERN fetch -q -O l3 "$BASE/file;size=300000/kk[1-4]" >out && diff -r l1 l3 && echo same'

# --- URLs can be resumed when they come from the cache
t "--resume of URLs needs --offline, and says so" -e 'resum|offline' \
    '$QUERN prime --resume -o r1 "$BASE/numbers;to=100" && test $(wc -l <r1) = 100'
t "resumed from the cache" -o same -T 60 \
    'url="$BASE/numbers;from=100000000000000003;to=100000000000060000"
     $QUERN factor -q --cache c7 "$url" >whole || exit 1
     for i in 1 2 3 4 5 6; do
         timeout -s KILL 0.15 $QUERN factor -q -j1 --cache c7 --offline --resume -o parts "$url" 2>err
     done
     $QUERN factor -q --cache c7 --offline --resume -o parts "$url" && cmp whole parts && echo same'
t "a body that was damaged in between is refused, and costs no answer" -s 2 -o same -T 60 \
    -e 'another job' \
    'url="$BASE/numbers;from=100000000000000000000000000003;to=100000000000000000000000030000"
     $QUERN fetch -q -O c8.d --cache c8 "$url" >out || exit 1
     $QUERN factor -q -j1 --cache c8 --offline --time-limit 300ms -o kept "$url" 2>err
     [ $? = 75 ] || exit 9
     cp kept before; find c8 -path "*bodies/*" -type f -exec truncate -s 1000 {} +
     $QUERN factor -q --cache c8 --offline --resume -o kept "$url"; s=$?
     [ -s before ] && cmp kept before && echo same; exit $s'
finish
