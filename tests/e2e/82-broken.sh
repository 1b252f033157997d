#!/usr/bin/env bash
# The rows of the matrix that wait: connections that break or stall, and tries that succeed
# at last; then a thousand URLs at once with faults among them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
serve
for group in broken flaky; do
    t "$group" 'python3 "$NET/matrix.py" '$group
done

# --- a thousand URLs, every seventh of them with a fault: the same report twice
python3 - "$BASE" >thousand <<'END'
import sys
faults = ("status;code=404", "status;code=500", "reset", "empty", "half;sent=10",
          "badchunk;kind=size", "redirect;to=loop", "badhead;kind=garbage",
          "flaky;times=1/status;code=503/ok", "flaky;times=1/reset/ok",
          "flaky;times=2/empty/ok")
for i in range(1000):
    path = f"ok/{i}" if i % 7 else f"{faults[i // 7 % len(faults)]}/{i}"
    print(f"{sys.argv[1]}/{path}\tfile{i}")
END
# The report without what a clock or a random number makes.
cat >timeless.py <<'END'
import json
import sys
for text in open(sys.argv[1], encoding="utf-8"):
    line = json.loads(text)
    for field in ("seconds", "first_byte", "wait"):
        del line[field]
    line["path"] = (line["path"] or "").rpartition("/")[2]
    print(json.dumps(line))
END
cat >classes.py <<'END'
import collections
import json
import sys
lines = [json.loads(text) for text in open(sys.argv[1], encoding="utf-8")]
print(len(lines), len({line["id"] for line in lines}), len({line["url"] for line in lines}))
classes = collections.Counter(line["class"] for line in lines)
# Of 143 faults, 13 of each kind, three kinds are cured by another try; two are http.
print(classes["ok"], classes["http"], classes["redirect"], sum(classes.values()))
END
for turn in 1 2; do
    t "a thousand URLs, turn $turn" -s 1 -m '^1000$' -T 60 \
        'curl -sS "$BASE/forget" >/dev/null
         $QUERN fetch -q --tries 2 --workers 50 -O dir'$turn' --report r'$turn' @thousand >out
         status=$?; wc -l <out; exit $status'
done
t "a thousand outcomes" -o $'1000 1000 1000\n896 26 13 1000' 'python3 classes.py r1'
t "a thousand files, less those" -o 896 'ls dir1 | wc -l'
t "the second report is the first" \
    'python3 timeless.py r1 >r1.x && python3 timeless.py r2 >r2.x && diff r1.x r2.x | head; cmp r1.x r2.x'
if [ -n "$SANITIZER" ]; then
    exempt "memory of a thousand transfers" "a sanitizer takes its own"
else
    t "a thousand transfers in flight: 60 MB at most" -o $'small\n1000' -T 60 \
        'for i in $(seq 1000); do printf "%s/page?ms=1500&size=2000\t%d\n" "$BASE" $i; done >list
         python3 "$HERE/measure.py" peak 60 /dev/null -- \
             $QUERN fetch -q --workers 1000 -O at-once @list 2>/dev/null |
             grep -v "^ok"; ls at-once | wc -l
         python3 "$NET/load.py" ms=1500 most 1000 >&2'
    t "they were in flight together" -m 'at most (9[5-9].|1000) at' \
        'python3 "$NET/load.py" ms=1500 most 1000'
fi

# --- a connection that ends without an answer: the request is sent again, once, for nothing
t "... which is no retry, and no try" -o '1 0 retries' \
    '$QUERN fetch -v -O e1 --tries 1 --report e1.r "$BASE/flaky;times=1/empty/ok/a" >out 2>err || exit
     echo $(grep -o "\"tries\":[0-9]*" e1.r | cut -d: -f2) $(grep -o "[0-9]* retries" err)'
t "... for which there is no time" -s 1 -o '"class":"connect" "tries":1' \
    '$QUERN fetch -q -O e2 --deadline 10ms --report e2.r "$BASE/empty/ok/a" >out; s=$?
     echo $(grep -o "\"class\":\"[a-z]*\"\|\"tries\":[0-9]*" e2.r); exit $s'
# Its connections are good for one request. All of the first three answers come together.
cat >once.py <<'END'
import socket, sys, threading
together = threading.Barrier(3)
def serve(conn):
    def request():
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            more = conn.recv(4096)
            if not more:
                return b""
            text += more
        return text
    if b"/warm" in request():
        together.wait()
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    request()
    conn.close()
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
END
t "... and not on one old connection after the other" -o 'ok ok ok ok' -T 20 \
    'python3 once.py >once.port & server=$!
     until [ -s once.port ]; do sleep 0.1; done; at=http://127.0.0.1:$(cat once.port)
     { printf "%s\n" $at/warm1 $at/warm2 $at/warm3; sleep 1; echo $at/cold; } |
         $QUERN fetch -q -O e3 --workers 3 --fetch-threads 1 --tries 1 - >out; s=$?
     kill $server; echo $(cut -f1 out); exit $s'
finish
