#!/usr/bin/env bash
# URLs as the input of kernels: the same answers as from files, in order, in bounded memory,
# while more is being fetched; and no answer from what is not a whole, good body.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
certs
serve
quick="-q --tries 1 --stall-timeout 1 --connect-timeout 2"
export quick

# --- good bodies: what a file gives, whatever way they come
seq 1 20000 >numbers
factor <numbers >factors
for wrap in "" /chunked /chunked\;size=3 /close /gzip /drip\;size=5000\;ms=5; do
    t "factor: as from a file: ${wrap:-plain}" -E -O factors \
        '$QUERN factor $quick "$BASE'"$wrap"'/numbers;to=20000"'
done
t "--compressed" -E -O factors '$QUERN factor $quick --compressed "$BASE/polite/numbers;to=20000"'
t "TLS" -E -O factors \
    '$QUERN factor $quick --cacert "$CA" "https://localhost:$https/numbers;to=20000"'
t "HTTP/2 asked for, HTTP/1.1 there" -E -O factors \
    '$QUERN factor $quick --http2 --cacert "$CA" "https://localhost:$https/numbers;to=20000"'
t "the serial engine" -E -O factors '$QUERN factor $quick --engine=serial "$BASE/numbers;to=20000"'
# A request of the same site as the last one sets its path only: that must not show. What
# the server sees is by RFC 3986: /./ and /../ go, the rest stays as it is written.
cat >places <<'END'
/echo /echo
/echo/a.b-c_d/7 /echo/a.b-c_d/7
/echo?q=1 /echo?q=1
/echo/x /echo/x
/echo/%41%2f%zz /echo/%41%2f%zz
/echo/./u /echo/u
/echo/v/../w /echo/w
/echo/y#part /echo/y
/echo/.z /echo/.z
/echo/a+b~c,d;e@f:g /echo/a+b~c,d;e@f:g
/echo/0 /echo/0
END
t "the server is asked for what the URL says" -O wanted \
    'sed "s/.* //" places >wanted
     sed "s# .*##; s#^#$BASE#" places | $QUERN fetch -q --globoff --workers 1 -O echoes - >told
     while IFS=$(printf "\t") read -r _ _ _ _ path _; do
         sed "s/.*\"target\": \"\([^\"]*\)\".*/\1/" "$path"; echo
     done <told | grep .'
t "what is no URL, behind others of its site" -s 1 -o $'ok\nusage\nok' \
    'printf "$BASE/ok/a\n$BASE/ok/a b c\n$BASE/ok/c\n" |
         $QUERN fetch -q --workers 1 -O no-urls - | cut -f1'
t "braces without meaning stay without" -m "/ok/{a}$" \
    '$QUERN fetch -q -O braces "$BASE/ok/\{a\}"'
t "... and one alone does" -m "/ok/{b$" '$QUERN fetch -q -O braces "$BASE/ok/\{b"'
# Those that come first are not printed first.
order="$BASE/delay;ms=600/numbers;to=10 $BASE/numbers;from=11;to=20 $BASE/delay;ms=200/numbers;from=21;to=30"
export order
for n in 1 2 8; do
    t "several URLs, in their order: -j$n" -o "$(head -n 30 factors)" \
        '$QUERN factor $quick -j'$n' $order'
done
t "files, URLs and arguments mixed" -E -o "$(head -n 12 factors)" \
    'seq 3 5 >f; $QUERN factor $quick 1..2 f "$BASE/numbers;from=6;to=11" 12'
t "a glob" -E -o "$(sed -n '5p;6p;7p' factors)" \
    '$QUERN factor $quick "$BASE/numbers?from=[5-7]&to=7" | sort -nu'
t "a list of URLs" -E -o "$(head -n 30 factors)" \
    'printf "%s\n" $order >list; $QUERN factor $quick @list'
t "500 URLs" -E -O factors \
    'for i in $(seq 0 499); do echo "$BASE/numbers?from=$((40 * i + 1))&to=$((40 * i + 40))"; done \
         >many; $QUERN factor -q @many'
t "verify" '$QUERN verify -q "$BASE/json?body=12:%202%202%203%0a" >&2'
t "an empty body" -E -o '' '$QUERN factor $quick "$BASE/numbers;from=2;to=1"'

if need /usr/sbin/nginx "HTTP/2"; then
    serve_nginx
    # Threads that leave the small ones to one of them leave it also what they have to try
    # again.
    t "threads that are not needed" -o '4100 ok' -T 60 \
        '$QUERN fetch -q --discard --workers 8 --fetch-threads 4 \
             "http://127.0.0.1:$nginx/k1/[1-2000]" \
             "$BASE/flaky;times=1/status;code=503/ok/[1-40]" \
             "http://127.0.0.1:$nginx/k1/[2001-4000]" "$BASE/ok/[1-60]" |
             cut -f 1 | sort | uniq -c | sed "s/^ *//"'
    t "HTTP/2: 200 bodies, and large ones" -o '200 same' -T 60 \
        '$QUERN fetch -q --http2 --cacert "$CA" -O h2 "https://localhost:$nginx2/k1/[1-200]" >out &&
         $QUERN fetch -q --http2 --cacert "$CA" -O h2big "https://localhost:$nginx2/big/[1-3]" >out2 &&
         for i in 1 2 3; do cmp "$NETBOX/files/big" h2big/$i || exit 1; done
         cat h2/* | cmp - <(for i in $(seq 200); do cat "$NETBOX/files/1k"; done) &&
         echo $(grep -c "^ok" out) same; rm -rf h2big'
fi

# --- fetching and computing at the same time
cat >stream.py <<'END'
"""The first answers come while the body is still on its way; prints how long they took."""
import os
import shlex
import subprocess
import sys
import time
run = subprocess.Popen([*shlex.split(os.environ["QUERN"]), "factor", "-q", "--stall-timeout",
                        "20", sys.argv[1]], stdout=subprocess.PIPE)
start = time.monotonic()
line = run.stdout.readline()
took = time.monotonic() - start
run.kill()
run.wait()
print("streamed" if line == b"1:\n" and took < 5 * float(os.environ["TIME_SCALE"])
      else f"{line} after {took:.1f} s")
END
t "answers come while the body is on its way" -o streamed -T 30 \
    'python3 stream.py "$BASE/cut;at=50000;how=stall/numbers;to=20000"'
t "pages are fetched side by side" -E -o "$(head -n 20 factors)" -T 3 \
    '$QUERN factor $quick --workers 20 "$BASE/delay;ms=500/json?body=[1-20]"'

# --- bodies that are none: nothing of them is an answer
none() { # NAME URL: no output, the URL named on stderr, status 1
    local pattern=${2#*\$*/}
    pattern=/${pattern//[^a-zA-Z0-9\/]/.}:
    t "no answer from $1" -s 1 -o '' -e "$pattern" '$QUERN factor $quick "'"$2"'"'
}
none "an error page" '$BASE/status;code=404/x'
none "an error page with numbers" '$BASE/status;code=500/x'
none "a reset" '$BASE/reset/x'
none "a redirect to a file" '$BASE/redirect;to=file:%2f%2f%2fetc%2fpasswd/x'
none "a port where nobody is" 'http://127.0.0.1:$closed/x'
none "what is not HTTP" '$BASE/badhead;kind=garbage/x'
t "a URL that fails is passed over: those around it are answered" -s 1 \
    -o "$(head -n 20 factors)" -e '/status;code=404/x' \
    '$QUERN factor $quick "$BASE/numbers;to=10" "$BASE/status;code=404/x" "$BASE/numbers;from=11;to=20"'
t "jsonl marks it" -s 1 -m '^\{"n":"","factors":.*"error":".*/status;code=404/x.*404' \
    '$QUERN factor $quick --format jsonl "$BASE/numbers;to=3" "$BASE/status;code=404/x"'
t "csv marks it" -s 1 -m '^,.*/status;code=404/x.*404' \
    '$QUERN factor $quick --format csv "$BASE/numbers;to=3" "$BASE/status;code=404/x"'
t "--strict stops there" -s 1 -o "$(head -n 3 factors)" \
    '$QUERN factor $quick --strict "$BASE/numbers;to=3" "$BASE/status;code=404/x" "$BASE/numbers;from=4;to=9"'

# --- many that fail: some are said, all are told
many="$BASE/numbers;to=1 $BASE/status;code=404/x[1-30] $BASE/numbers;from=2;to=3"
export many
t "stderr names 20 of 30, and counts the others" -s 1 -o $'1:\n2: 2\n3: 3' \
    -e '/status;code=404/x20: ' -n '/status;code=404/x21: ' -e '^quern: 10 more bad records$' \
    '$QUERN factor --tries 1 $many'
t "--failed has them all, a list for another run" -s 1 -o '30 30' \
    '$QUERN factor $quick --failed again $many >out; s=$?
     seq -f "$BASE/status;code=404/x%.0f" 30 | cmp - again || exit 9
     $QUERN factor $quick --failed again2 @again >out2; cmp again again2 || exit 8
     echo $(wc -l <again) $(wc -l <again2); exit $s'
t "--report: an object a URL, in their order" -s 1 -o "1 ok 2 http 31 http 32 ok" \
    '$QUERN factor $quick -j2 --report r $many >out; s=$?; python3 - r <<"END"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
assert [row["id"] for row in rows] == list(range(1, 33)), rows
print(*(f"{rows[i]['"'"'id'"'"']} {rows[i]['"'"'class'"'"']}" for i in (0, 1, 30, 31)))
END
exit $s'
t "--report: the hash of the body" -o "$(sha256sum <numbers | cut -c1-64)" \
    '$QUERN prime $quick --report r "$BASE/numbers;to=20000" >out; sed "s/.*\"sha256\":\"\([0-9a-f]*\)\".*/\1/" r'
t "--failed: what was fetched and is damaged" -s 1 -o "$BASE/gzip;kind=cut/numbers;to=100" \
    '$QUERN factor $quick --failed again "$BASE/gzip;kind=cut/numbers;to=100" >out; s=$?
     cat again; exit $s'
t "--failed: half a document, and none that is whole" -s 1 -o "$BASE/cut;at=47/numbers;to=20" \
    '$QUERN lineprod 3,17 $quick --failed again "$BASE/numbers;to=20" "$BASE/cut;at=47/numbers;to=20" \
         >out; s=$?; cat again; exit $s'
t "--failed that cannot be written" -s 3 -e '/dev/full' \
    '$QUERN factor $quick --failed /dev/full $many >out'
t "--failed without URLs: made, and empty" -o '7: 7' \
    'echo old >again; $QUERN factor --failed again 7; s=$?; test ! -s again && exit $s'
t "--report nowhere: before the output is touched" -s 3 -o old -e '^quern: none/r: No such file' \
    'echo old >o1; $QUERN factor -q -o o1 --report none/r $many; s=$?; cat o1; test ! -e o1.quern && exit $s'
t "--report, --failed: a resumed run goes on with them" -o "3 $BASE/none" \
    '$QUERN fetch -q -O d2 --cache c2 "$BASE/numbers;to=[2-3]" >/dev/null
     run="$QUERN sumsq --method=loop -q -o o2 --cache c2 --offline --report r2 --failed f2 $BASE/numbers;to=2 $BASE/none
         $(echo $(seq 3000000000 3000000011)) $BASE/numbers;to=3"
     $run --time-limit 300ms; test $? = 75 || exit 9; $run --resume; test $? = 1 || exit 8
     echo $(sort -u r2 | grep -o "\"url\":\"[^\"]*\"" | sort -u | wc -l) $(cat f2)'
# Of many URLs more is told than a pipe takes.
t "a stop: whoever does not read --report is not waited for" -s 143 -e 'r3 is not whole: nobody reads it' -T 20 \
    'mkfifo r3; sleep 30 <r3 & reader=$!
     $QUERN count a -q --report r3 "$BASE/numbers;to=1?[1-1000]" >out & run=$!
     sleep 2; kill $run; start=$(date +%s); wait $run; s=$?; kill $reader
     test $(($(date +%s) - start)) -le 2 && exit $s'
t "... of quern fetch" -s 75 -e 'r4 is not whole: nobody reads it' -T 20 \
    'mkfifo r4; sleep 30 <r4 & reader=$!
     $QUERN fetch -q --discard --report r4 "$BASE/numbers;to=1?[1-1000]" >out & run=$!
     sleep 2; kill $run; start=$(date +%s); wait $run; s=$?; kill $reader
     test $(($(date +%s) - start)) -le 2 && exit $s'
t "a stop while nobody opens --report" -s 143 -T 10 \
    'mkfifo r5; timeout --foreground 1 $QUERN count a -q --report r5 "$BASE/numbers;to=1" & wait $!; s=$?
     rm r5; test $s = 124 && exit 143; exit $s'
t "--failed: what a stop leaves out is said" -s 124 -e '^quern: warning: 4 URLs had not been read: --failed does not have them$' -T 20 \
    '$QUERN factor -q --failed f7 --time-limit 1 "$BASE/status;code=404/x" "$BASE/delay;ms=9000/numbers;to=[1-4]"; s=$?
     test "$(cat f7)" = "$BASE/status;code=404/x" && exit $s'
t "... nor of quern fetch" -s 75 -e '^quern: warning: not all URLs were tried' -T 20 \
    'yes "$BASE/delay;ms=9000/ok/c" | head -n 100000 | $QUERN fetch -q --discard --failed f8 --time-limit 1 - >out'
t "a slow reader of --report gets all of it" -o 1000 -T 40 \
    'mkfifo r6; (sleep 1; while read -r line; do n=$((n + 1)); done; echo $n) <r6 & reader=$!
     $QUERN count a -q --report r6 "$BASE/numbers;to=1?[1-1000]" >out; wait $reader'

# --- half a body: what was whole in it may be answered, what was torn may not. 41000 bytes
# of the numbers from 1000000 on end in the middle of one.
half() { # NAME WRAPPER
    t "half a body, $1: nothing that is torn" -s 1 -e 'numbers;from=1000000' -T 90 \
        '$QUERN prime $quick "$BASE'"$2"'/numbers;from=1000000;to=1009999" >out; s=$?
         awk "\$1 < 1000000 || \$1 > 1009999 || NF != 2" out | head -n 3 | grep . && exit 9
         test $(wc -l <out) -le 5125 || exit 8; exit $s'
    t "half a body, $1: marked in jsonl" -s 1 -o 1 -T 90 \
        '$QUERN prime $quick --format jsonl "$BASE'"$2"'/numbers;from=1000000;to=1009999" >out; s=$?
         tail -n 1 out | grep -c "\"n\":\"\".*\"error\":\".\+\""; exit $s'
}
half "cut off" "/cut;at=41003"
half "cut off between chunks" "/chunked;size=1000/cut;at=41003"
half "reset" "/cut;at=41003;how=reset"
half "stalled" "/cut;at=41003;how=stall"
t "half a gzip stream" -s 1 \
    '$QUERN prime $quick --compressed "$BASE/gzip;kind=cut/numbers;from=1000000;to=1009999" >out; s=$?
     awk "\$1 < 1000000 || \$1 > 1009999 || NF != 2" out | grep . && exit 9; exit $s'
t "a sum over half a body is said to be one" -s 1 -e 'numbers;from=1000000' \
    '$QUERN sumsq $quick --total "$BASE/cut;at=41003/numbers;from=1000000;to=1009999"'
folded() { # COMMAND: the row of half a body, in csv and jsonl
    t "$1 over half a body: marked in csv" -s 1 -o 1 -T 90 \
        '$QUERN '"$1"' $quick --format csv "$BASE/cut;at=41003/numbers;from=1000000;to=1009999" >out; s=$?
         grep -c "^,.*numbers;from=1000000" out; exit $s'
    t "$1 over half a body: marked in jsonl" -s 1 -o 1 -T 90 \
        '$QUERN '"$1"' $quick --format jsonl "$BASE/cut;at=41003/numbers;from=1000000;to=1009999" >out; s=$?
         grep -c "\"error\":\".*numbers;from=1000000" out; exit $s'
}
folded "sumsq --total"
folded "sumsq --fold"
folded "prime --count"
folded "lineprod --fold 3,17"
t "what breaks off is gone on with, when it is surely the same" -E -O factors \
    'sed 1q /dev/null; $QUERN factor -q "$BASE/header;name=X-Test;value=1/flaky;times=1/empty/numbers;to=20000"'
t "a body that cannot be gone on with can be fetched first: --spool" -E -O factors \
    '$QUERN factor -q --spool "$BASE/flaky;times=2/half;sent=500/numbers;to=20000"'
t "too large is too large" -s 1 -e 'numbers;to=20000' -T 20 \
    '$QUERN factor $quick --max-bytes 10K "$BASE/numbers;to=20000" >out'

t "the first waits for its second try while those behind it fill all memory" -o '1 total' -T 30 \
    '$QUERN count -q error "$BASE/flaky;times=1/status;code=503/text;size=499;every=10" \
         "$BASE/sized;size=9000000;n=[1-20]" | tail -n 1'
t "a place that a limit has freed is taken at once" -s 1 -o '40 quick' -T 30 \
    '$QUERN fetch -q --timeout 100ms --workers 4 --tries 1 -O quick "$BASE/silent/[1-40]" --stats quick.json >out; s=$?
     python3 -c "
import json, os
took = json.load(open(\"quick.json\"))[\"run\"][\"seconds\"]
print(sum(1 for line in open(\"out\")), \"quick\" if took < 4 * float(os.environ[\"TIME_SCALE\"]) else took)"; exit $s'

# --- documents
for document in "extract --columns a=/a" "lineprod 1,2"; do
    t "${document%% *}: one without an end is too large, and is not kept" -s 1 -o '' -T 20 \
        -e '/endless/x:.*more than 100000 bytes \(--max-document\)' \
        'ulimit -f 2048; $QUERN '"$document"' $quick --max-document 100000 "$BASE/endless/x"'
done
t "lineprod" -E -o $'51 '"$BASE/numbers;to=20"$'\n72 '"$BASE/numbers;from=2;to=20" \
    '$QUERN lineprod 3,17 -q "$BASE/numbers;to=20" "$BASE/numbers;from=2;to=20"'
t "lineprod: half a document is none" -s 1 -o '' -e 'numbers;to=20' \
    '$QUERN lineprod 3,17 $quick "$BASE/cut;at=47/numbers;to=20"'
t "lineprod --fold: nor is it in the sum" -s 1 -o 51 -e 'numbers;to=20' \
    '$QUERN lineprod 3,17 $quick --fold "$BASE/numbers;to=20" "$BASE/cut;at=47/numbers;to=20"'
t "extract" -E -o '1,Grace Ritchie' \
    '$QUERN extract -q --columns id=/id,name=/name --format csv "$BASE/users/1" |
     tr -d "\r" | tail -n 1 | sed "s/,$//"'
t "extract: half a document is an error row" -s 1 -m '"error":".*users/2' \
    '$QUERN extract $quick --columns id=/id,name=/name --format jsonl "$BASE/users/1" \
         "$BASE/cut;at=50/users/2"'
t "extract: an error page is an error row" -s 1 -n ERROR -m '"error":".*users/2' \
    '$QUERN extract $quick --columns id=/id --format jsonl "$BASE/status;code=404/users/2"'
t "count" -E -o "10351 $BASE/text;size=5000000" \
    '$QUERN count error $quick "$BASE/text;size=5000000"'
for wrap in "/cut;at=300000" "/chunked/cut;at=300000;how=reset"; do
    t "count: half a stream is marked ($wrap)" -s 1 -e 'text;size=500000' \
        -m '"error":".*text;size=500000' \
        '$QUERN count error $quick --format jsonl "$BASE'"$wrap"'/text;size=500000"'
done

# --- memory
if [ -n "$SANITIZER" ]; then
    exempt "memory" "a sanitizer takes its own"
else
    t "an endless body and a reader that sleeps: memory stays" -m 'limit' -T 30 \
        'python3 "$HERE/measure.py" stalled 6 200 /dev/null -- $QUERN factor -q -j2 "$BASE/endless;lines=1/x"'
    t "many endless bodies" -m 'limit' -T 30 \
        'python3 "$HERE/measure.py" stalled 6 200 /dev/null -- $QUERN factor -q -j2 --workers 30 "$BASE/endless;lines=1/[1-100]"'
    t "a list without an end" -m 'limit' -T 30 \
        'yes "$BASE/silent/x" | head -n 1000000 >endless.list
         python3 "$HERE/measure.py" stalled 2 130 /dev/null -- $QUERN fetch -q -O e --workers 4 @endless.list'
fi
finish
