#!/usr/bin/env bash
# Stopping and going on: signals, SIGKILL, part files, --continue, files that are there
# already, and names.
# shellcheck disable=SC2154 # ports are variables that serve sets
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
serve
# content NAME SIZE [VERSION]: the server's file
content() {
    python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import pages
sys.stdout.buffer.write(pages.content(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))' \
        "$NET" "$1" "$2" "${3:-1}"
}
export -f content

# --- signals, while transfers do all that they can do
stuck="$BASE/silent/1 $BASE/cut;at=5000;how=stall/numbers;to=9999/2 $BASE/halfhead;how=stall/3
$BASE/drip;ms=100/ok/4 $BASE/drip;size=65536;ms=20/endless/5 http://127.0.0.1:$other/silent/6 $BASE/driphead/7"
export stuck=${stuck//$'\n'/ }
for signal in INT TERM; do # 94-cancel.sh has the limit of 100 ms
    t "SIG$signal stops it" -T 100 'python3 "$NET/cancel.py" '$signal' 5000 $stuck'
done
t "a connection that is never made does not hold it up" -s 75 -T 20 \
    'timeout -s INT 1 $QUERN fetch -q -O full --connect-timeout 10 "http://127.0.0.1:$full/x"
     s=$?; test $s = 124 && exit 75; exit $s'
t "a second signal" 'python3 "$NET/cancel.py" twice $stuck'

# --- what is left behind
t "a stopped run leaves no half file, and its report is whole" -o $'0\n2' -T 20 \
    'timeout --foreground -s INT $TIME_SCALE $QUERN fetch -q -O stopped --report rep \
         "$BASE/cut;at=50000;how=stall/file;size=100000/left" "$BASE/silent/x" >out
     ls stopped | wc -l; wc -l <rep'
t "--continue goes on where it was" -o 'bytes=50000-' \
    '$QUERN fetch -q -O stopped --continue "$BASE/cut;at=50000;how=stall/file;size=100000/left" \
         --stall-timeout 1 --tries 1 >out
     sed -n "s/.*\"range\": \"\([^\"]*\)\".*/\1/p" "$LOG" | tail -n 1'
t "what a SIGKILL left is gone on with, or begun anew" -T 60 \
    'for i in 1 2 3 4; do
         $QUERN fetch -q -O killed --continue --workers 3 \
             "$BASE/drip;size=9000;ms=15/file;size=300000/k[1-3]" >out 2>err &
         sleep 0.3; kill -KILL $!; wait $! 2>/dev/null
         ls killed 2>/dev/null | grep -q . && echo "half a file: $(ls killed)"
     done
     $QUERN fetch -q -O killed --continue "$BASE/drip;size=9000;ms=1/file;size=300000/k[1-3]" \
         >out || exit 1
     for i in 1 2 3; do content k$i 300000 | cmp - killed/k$i || exit 1; done
     test "$(ls -A killed | wc -l)" = 3'
t "part files: right, wrong and changed servers" -T 120 'python3 "$NET/resume.py"'
t "a try goes on where the one before it broke off" -o '40000 bytes=40000-' \
    '$QUERN fetch -q -O again "$BASE/file;size=100000;cut=40000;times=1/again" >out &&
     content again 100000 | cmp - again/again &&
     echo 40000 $(grep "/again\"" "$LOG" | sed -n "s/.*\"range\": \"\([^\"]*\)\".*/\1/p")'
t "a file that changes between two tries is never a mixture" -m . \
    '$QUERN fetch -q -O bumps "$BASE/file;size=100000;cut=40000;times=2;bumps=1/bumps" >out ||
         { ls bumps | grep -q . && exit 1; echo failed; exit 0; }
     for v in 1 2 3; do content bumps 100000 $v | cmp -s - bumps/bumps && echo version $v; done'

# --- files that are there
mkdir there && echo mine >there/a && cp -r there there2
t "an existing file is left alone" -s 1 -m '^local' -e 'a' \
    '$QUERN fetch -q -O there "$BASE/ok/a"; s=$?; grep -qx mine there/a || exit 9; exit $s'
t "--skip-existing" '$QUERN fetch -q -O there --skip-existing "$BASE/ok/a" && grep -qx mine there/a'
t "--continue keeps a finished file" -m '^ok' \
    '$QUERN fetch -q -O there --continue "$BASE/ok/a" && grep -qx mine there/a'
t "--overwrite" -m '^ok' '$QUERN fetch -q -O there --overwrite "$BASE/ok/a" && grep -qx "ok a" there/a'
t "a failed --overwrite leaves the old one" -s 1 -m '^truncated' \
    '$QUERN fetch -q -O there2 --tries 1 --overwrite "$BASE/cut;at=2/ok/a"; s=$?
     grep -qx mine there2/a || exit 9; exit $s'
t "--checksum" -m '^ok' \
    'sum=$(printf "ok c\n" | sha256sum | cut -d" " -f1)
     $QUERN fetch -q -O sums --checksum $sum "$BASE/ok/c"'

t "another --checksum" -s 1 \
    'sum=$(printf "ok d\n" | sha256sum | cut -d" " -f1)
     $QUERN fetch -q -O sums2 --checksum $sum "$BASE/ok/c" >out; s=$?
     grep -q "^ok" out && exit 9; ls sums2 | grep . && exit 8; exit $s'

# --- no files at all
t "--discard counts, and makes nothing" -o $'ok 3000000\nok 5' \
    'mkdir nothing && cd nothing && $QUERN fetch -q --discard "$BASE/sized;size=3000000" \
         "$BASE/flaky;times=1/cut;at=3/ok/a" >../out; (cd .. && sed "s/\t200\t/ /; s/\t.*//" out)
     find . -mindepth 1'
t "--discard of a body that breaks off" -s 1 -m '^truncated' \
    '$QUERN fetch -q --discard --tries 1 "$BASE/cut;at=100/sized;size=3000000"'
t "--discard --checksum" -s 1 -o $'ok\nprotocol' \
    'sum=$(printf "ok c\n" | sha256sum); sum=${sum%% *}; printf "%s  %s\n" $sum c $sum d >sums.of
     $QUERN fetch -q --discard --checksum sums.of "$BASE/ok/c" "$BASE/ok/d" >out; s=$?
     cut -f1 out; exit $s'
t "--discard has nothing to go on with" -s 2 -o '' -e 'discard' \
    '$QUERN fetch --discard --continue "$BASE/ok/a"'

# --- names: never outside of the directory, never hidden, never two for one
name() { # TEST URL-PATH WANTED
    t "a name: $1" -o "$3" \
        '$QUERN fetch -q --globoff -O "names/n$$" "$BASE'"$2"'" >out; (cd names/n$$ && find . -type f)'
}
mkdir names
name "the last segment" "/ok/a/file.txt" ./file.txt
name "without the query" "/ok/q.txt?x=1/2" ./q.txt
name "decoded" "/ok/a%20b" './a b'
name "none" "/ok/" ./index
t "a name: no way up" -o '' \
    '$QUERN fetch -q --globoff -O names/up "$BASE/ok/..%2f..%2fescaped" >out
     find . -name "escaped" -not -path "./names/up/*"'
t "a name: not hidden" -o '' \
    '$QUERN fetch -q --globoff -O names/dot "$BASE/ok/.hidden" >out; (cd names/dot; find . -name ".*" -type f)'
t "a name: no NUL, no newline" -o 0 \
    '$QUERN fetch -q --globoff -O names/nul "$BASE/ok/a%00b" "$BASE/ok/c%0ad" >out
     ls -A names/nul | grep -c "[^a-zA-Z0-9._%-]"; true'
t "a name: 300 bytes are cut, the extension stays" -m '^x{190,196}\.jpeg$' \
    '$QUERN fetch -q -O names/long "$BASE/ok/$(printf "x%.0s" $(seq 300)).jpeg" >out; ls names/long'
t "a name twice" -o $'1.a\n1.a.2\n1.a.3' \
    '$QUERN fetch -q -O names/twice "$BASE/ok/1.a" "$BASE/ok/x/1.a" "$BASE/ok/y/1.a" >out
     ls names/twice; grep -qx "ok x/1.a" names/twice/1.a.2'
t "a link is not followed" -s 1 \
    'mkdir names/link; echo secret >target; ln -s ../../target names/link/l
     $QUERN fetch -q -O names/link "$BASE/ok/l" >out; s=$?; grep -qx secret target || exit 9; exit $s'
t "a directory that cannot be made" -s 3 -o '' '$QUERN fetch -O /proc/nowhere "$BASE/ok/a"'
t "a disk that is full: local, and no file" -m '^local' -T 20 \
    'trap "" XFSZ; ulimit -f 100
     $QUERN fetch -q -O full "$BASE/sized;size=1000000/big"; s=$?
     ls full | grep . && exit 9; test $s = 1 || test $s = 3'
finish
