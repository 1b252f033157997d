#!/usr/bin/env bash
# Rates, limits of servers, waits, time limits: what quern asks of a server, and when, as the
# server's own log has it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
serve
load() { python3 "$NET/load.py" "$@"; }
export -f load

# --- an API that allows 10 requests a second with bursts of 5
t "a rate-limited API, no options: 40 of 40, whatever its Retry-After" -o '40 40 40' -T 90 \
    'for form in seconds date none; do
         $QUERN fetch -q -O api-$form --workers 10 \
             "$BASE/limited;key=$form;form=$form/api/[1-40]" >$form.out & pids="$pids $!"
     done
     for p in $pids; do wait $p || exit 1; done
     echo $(for form in seconds date none; do grep -c "^ok" $form.out; done)'
t "the same with the right rate: nearly no request is refused" -o 40 -T 60 \
    '$QUERN fetch -q -O api-rate --workers 10 --rate 10 --burst 5 \
         "$BASE/limited;key=rate/rated/[1-40]" >out && grep -c "^ok" out && load /rated/ count >&2
     test "$(load /rated/ count | cut -d" " -f1)" -le 44'

# --- the token bucket
t "--rate 20: in any window" -m '^30 requests' \
    '$QUERN fetch -q -O r1 --rate 20 "$BASE/ok/rate20/[1-30]" >out && load /rate20/ window 20 1'
t "--rate 20 --burst 10" -m '^40 requests' \
    '$QUERN fetch -q -O r2 --rate 20 --burst 10 "$BASE/ok/burst10/[1-40]" >out &&
     load /burst10/ window 20 10'
t "tries count: --rate 20 with failures" -m '^40 requests' \
    '$QUERN fetch -q -O r3 --rate 20 "$BASE/flaky;times=1/status;code=503/ok/fails/[1-20]" >out &&
     load /fails/ window 20 1'
t "redirects count: --rate 20" -m '^40 requests' \
    '$QUERN fetch -q -O r4 --rate 20 "$BASE/redirect;to=%2fok%2fhop/hop/[1-20]" >out &&
     load hop window 20 1'
t "--rate is for each host" -m '^40 requests, at worst.*' \
    '$QUERN fetch -q -O r5 --rate 20 "$BASE/ok/two/[1-20]" \
         "http://127.0.0.1:$other/ok/two/[21-40]" >out && load /two/ window 40 2'
t "--rate-total is for all" -m '^20 requests' \
    '$QUERN fetch -q -O r6 --rate-total 20 "$BASE/ok/total/[1-10]" \
         "http://127.0.0.1:$other/ok/total/[11-20]" >out && load /total/ window 20 1'
t "a rate by the minute" -m '^5 requests' \
    '$QUERN fetch -q -O r7 --rate 300/m "$BASE/ok/minute/[1-5]" >out && load /minute/ window 5 1'
for bad in 0 -1 x 5/d nan 1e99/s; do
    t "--rate $bad is refused" -s 2 -o '' -e "rate" '$QUERN fetch --rate '$bad' "$BASE/ok/never"'
done
t "and nothing was asked" -s 1 'load /ok/never count >&2'

# --- places
t "never more than --workers" \
    '$QUERN fetch -q -O w1 --workers 7 "$BASE/page?ms=60&at=[1-30]&mark=seven" >out &&
     load mark=seven most 7 >&2'
t "all of them are used" -m 'at most 7 at' 'load mark=seven most 7'
t "never more than --per-host at one" -m 'at most 3 at the same time, 2 ports' \
    '$QUERN fetch -q -O w2 --workers 20 --per-host 3 "$BASE/page?ms=60&at=[1-15]&mark=three" \
         "http://127.0.0.1:$other/page?ms=60&at=[1-15]&mark=three" >out &&
     load mark=three most 3'
t "more workers than files may be open: refused" -s 2 -o '' -e 'open files|workers' \
    'ulimit -n 100; $QUERN fetch -O w0 --workers 500 "$BASE/ok/never"'
t "connections are kept" -m '^200 requests, [1-8] connections$' \
    '$QUERN fetch -q -O w3 --workers 8 "$BASE/ok/kept/[1-200]" >out && load /kept/ count'

# --- waits before another try
t "Retry-After in all its forms, and the lack of it" -T 90 'python3 "$NET/waits.py"'
t "who waits holds no place" -m '^ok.*/late$' \
    '(printf "%s\n" "$BASE/flaky;times=2/status;code=503/ok/late"
      for i in $(seq 20); do echo "$BASE/ok/early/$i"; done) >list
     $QUERN fetch -q -O h1 --workers 1 --unordered @list | tail -n 1'
# 429 shuts its origin, for all that it has, and no other.
cat >gate.py <<'END'
import json
import os
times = {}
for line in map(json.loads, open(os.environ["LOG"], encoding="utf-8")):
    if line["event"] == "request" and "gate" in line["target"]:
        times.setdefault(line["target"].rpartition("/")[2], []).append(line["t"])
first = times["gate0"][0]
shut = [t - first for name, ts in times.items() if name.startswith("gate") for t in ts[-1:]]
other = [t - first for name, ts in times.items() if name.startswith("other") for t in ts]
print("early" if min(t for t in shut if t > 0.2) < 1.98 or len(shut) != 21 else "waited",
      "others went on" if max(other) < 1.5 else f"others waited {max(other):.2f}")
END
t "429 shuts its origin and no other" -o 'waited others went on' \
    '(echo "$BASE/flaky;times=1/status;code=429;after=2/ok/gate0"
      for i in $(seq 20); do echo "$BASE/delay;ms=300/ok/gate$i"
                             echo "http://127.0.0.1:$other/ok/other-gate$i"; done) >list
     $QUERN fetch -q -O g1 --workers 2 @list >out && python3 gate.py'
t "429 for ever: given up at the deadline" -s 1 -m '^ratelimited' \
    '$QUERN fetch -q -O g2 --deadline 3 "$BASE/status;code=429/for-ever"'
t "a deadline that the wait would pass: at once" -s 1 -m '^ratelimited' -T 3 \
    '$QUERN fetch -q -O g3 --deadline 20 "$BASE/status;code=429;after=60/too-long"'
t "--max-retry-after" -s 1 -m '^ratelimited' -T 3 \
    '$QUERN fetch -q -O g4 --max-retry-after 2 "$BASE/status;code=429;after=3/too-long"'
t "--tries" -s 1 -o 3x1 \
    '$QUERN fetch -q -O g5 --tries 3 "$BASE/status;code=503/tries3" >out; s=$?
     load /tries3 tries; exit $s'
t "--retry-status" -o '1x1 2x1' \
    '$QUERN fetch -q -O g6 --retry-status 404 "$BASE/flaky;times=1/status;code=404/ok/again1" \
         "$BASE/flaky;times=1/status;code=500/ok/again2" >out
     load /again tries'

# --- time
t "--timeout: waiting for a turn does not count" -o 12 \
    '$QUERN fetch -q -O t1 --workers 2 --timeout 1 --tries 1 "$BASE/page?ms=200&at=[1-12]" |
     grep -c ^ok'
t "--deadline: all tries and waits of one URL" -s 1 -m '^(timeout|http)' -T 4 \
    '$QUERN fetch -q -O t2 --deadline 2 --tries 50 "$BASE/delay;ms=300/status;code=503/x"'
t "a body that goes on slowly is no stall" -o "ok 200 10" \
    '$QUERN fetch -q -O t3 --stall-timeout 1 --tries 1 "$BASE/drip;size=1;ms=300/ok/slowly" \
         >out; cut -f1-3 out | tr "\t" " "'
t "--fail-fast" -s 1 -m '^cancelled' -T 10 \
    '$QUERN fetch -q -O t4 --workers 4 --fail-fast --tries 1 "$BASE/delay;ms=500/status;code=404/x" \
         "$BASE/delay;ms=300/silent/[1-6]"'
t "a stop, while the list is still open" -s 75 -m '^ok' -T 3 \
    '$QUERN fetch -q -O t6 --time-limit 300ms - < <(echo "$BASE/ok/a"; exec sleep 5)'
t "--fail-fast, while the list is still open" -s 1 -m '^http' -T 3 \
    '$QUERN fetch -q -O t7 --tries 1 --fail-fast - < <(echo "$BASE/status;code=404/x"; exec sleep 5)'
t "a stop between two hops: all are cancelled" -s 75 -o 'all of many' -T 10 \
    'echo "$BASE/delay;ms=20/redirect;to=loop/[1-600]" | $QUERN fetch -q -O t8 --max-redirs 100 \
         --workers 64 --time-limit 300ms - >out; s=$?
     test $(grep -c ^cancelled out) -eq $(wc -l <out) && test $(wc -l <out) -gt 64 && echo all of many
     exit $s'

# The numbers have 108894 bytes, and come in 43000.
t "--max-total counts bytes as they are handed on" -s 1 -o 'ok ok toolarge' -T 10 \
    '$QUERN fetch -q -O t9 --workers 1 --compressed --max-total 250000 \
         "$BASE/polite/numbers?to=20000&at=[1-3]" >out; s=$?; echo $(cut -f1 out); exit $s'
seq 3000 >numbers
t "gzip that nobody asked for stays as it came" -o same \
    '$QUERN fetch -q -O asked.not "$BASE/gzip/numbers;to=3000" >out || exit
     gzip -dc <"asked.not/numbers;to=3000" | cmp - numbers && echo same'
t "... however much is in it" -m '^ok' '$QUERN fetch -q --discard "$BASE/bomb;mb=16/b"'
for kind in cut tail crc false; do
    t "... but half of it is no file ($kind)" -s 1 -m '^(truncated|protocol)' \
        '$QUERN fetch -q --tries 1 -O half.'"$kind"' "$BASE/gzip;kind='"$kind"'/numbers;to=3000"
         s=$?; ls half.'"$kind"' >&2; [ -z "$(ls -A half.'"$kind"')" ] && exit $s'
done
t "--max-bytes, too, for a kernel" -s 1 -o '' -e 'max-bytes' -T 10 \
    '$QUERN lineprod 1,2 -q --compressed --max-bytes 100000 "$BASE/polite/numbers;to=20000"'

t "stderr names 20 of 30 failures, and counts the others" -s 1 -o 30 \
    -e '/status;code=404/x20: http' -n '/status;code=404/x21: ' -e '^quern: 10 more URLs failed$' \
    '$QUERN fetch -q -O t10 "$BASE/status;code=404/x[1-30]" >out; s=$?; grep -c ^http out; exit $s'
t "a URL without a host is none" -s 1 -m '^usage' -T 5 '$QUERN fetch -q --discard "http:///ok/host"'
for proxy in foo:bar:baz ftp://127.0.0.1 "me:secret@host:99999"; do
    t "--proxy: $proxy" -s 2 -o '' -e '^quern: --proxy wants a host, or a URL' -T 5 \
        '$QUERN fetch -q --discard --proxy '"$proxy"' "$BASE/ok/proxy" 2>err; s=$?
         cat err >&2; ! grep secret err && exit $s'
done
t "--cacert: not there" -s 2 -o '' -e '^quern: --cacert: none.pem: No such file' -T 5 \
    '$QUERN factor --cacert none.pem "$BASE/numbers;to=3"'

t "a wrong line of a list fails alone" -s 1 -o $'ok\nusage\nusage\nok' \
    -e "^quern: http://a/\\{: usage: list:3: braces" -e "^quern: foo: usage: list:4: " \
    'printf "%s\n" "$BASE/ok/a" "" "http://a/{" foo "$BASE/ok/b" >list
     $QUERN fetch -q -O t11 --failed again @list >out; s=$?
     printf "http://a/{\nfoo\n" | cmp - again || exit 9; cut -f1 out; exit $s'
t "a wrong argument is said before anything is fetched" -s 2 -o '' -e '^quern: braces' \
    '$QUERN fetch -q -O t12 "$BASE/ok/a" "http://a/{"; s=$?; test ! -e t12 || exit 9; exit $s'

t "--failed: a list for the next run" -s 1 -o $'1\n/status;code=404/b\tname b' \
    '(printf "%s\n" "$BASE/ok/a"; printf "%s\tname b\n" "$BASE/status;code=404/b") >list
     $QUERN fetch -q -O t5 --failed again @list >out; s=$?
     wc -l <again; sed "s|^$BASE||" again; exit $s'
finish
