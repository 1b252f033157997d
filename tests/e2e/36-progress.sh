#!/usr/bin/env bash
# What a person sees while a run lasts: a line on a terminal, heartbeats in a log, the
# summary at the end.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export TERMINAL="python3 $HERE/terminal.py"
# Some seconds of work, which a run is stopped in; some for `prime`; and about one.
export LONG=1000000000000000000000000..1000000000000000000999999
export PRIMES=1000000000000000000000000..1000000000000000007999999
export SHORT=1000000000000000000000000..1000000000000000000006000
export LANG=C.UTF-8 LC_ALL=

# --- on a terminal ---

t "a line that moves, and is gone at the end" \
    -m '^status 75$' -m '^frames ([6-9]|[1-9][0-9])' -m '^pictures ([4-9]|10)$' \
    -m '^colours yes$' -m '^frame . [0-9.]+k?/1.00M +[0-9.]+% [━─]+ +[0-9.]+k?/s' \
    -m '^screen: quern: stopped by --time-limit; --resume goes on$' \
    '$TERMINAL -- $QUERN factor -q --progress always -o f --time-limit 2s $LONG &&
     [ $($TERMINAL -- $QUERN factor -q --progress always -o f --restart --time-limit 2s $LONG |
         grep -c ^screen:) -eq 1 ]'
t "nothing at all from a run that is short" -m '^frames 0$' -m '^status 0$' \
    '$TERMINAL to=g -- $QUERN factor 1..1000 | tee said && ! grep screen: said && [ $(wc -l <g) = 1000 ]'
t "with an ETA, after a second" -m '^frame .*ETA [0-9hms-]+' \
    '$TERMINAL to=/dev/null -- $QUERN factor --time-limit 2s $LONG'
for columns in 20 40 80 200; do
    t "$columns columns" -m "^frames [1-9]" \
        '$TERMINAL columns='$columns' to=/dev/null -- $QUERN factor --time-limit 700ms $LONG >said
         cat said; [ $(sed -n "s/^widest //p" said) -lt '$columns' ]'
done
t "the window becomes narrower: no line is broken" -m '^frames' -m '^screen: quern: stopped' \
    '$TERMINAL columns=100 columns=0.8:41 to=/dev/null -- $QUERN factor --time-limit 1600ms $LONG >said
     cat said; [ $(grep "^frame " said | wc -m) -le 47 ]'
t "NO_COLOR" -m '^colours no$' -m '^frames [1-9]' \
    'NO_COLOR=1 $TERMINAL to=/dev/null -- $QUERN factor --time-limit 700ms $LONG'
t "without UTF-8" -m '^ascii yes$' -m '^frames [1-9]' -m '^frame [-|/\\] .*#*\.\.\.' \
    'LC_ALL=C $TERMINAL to=/dev/null -- $QUERN factor --time-limit 700ms $LONG'
t "TERM=dumb is a log" -m '^frames 0$' -m '^screen: quern: [0-9]+ of 1000000 records in' \
    'TERM=dumb $TERMINAL to=/dev/null -- $QUERN factor --heartbeat 300ms --time-limit 700ms $LONG'
t "Ctrl-C stops and erases" -m '^status 130$' -m '^frames [1-9]' \
    -m '^screen: quern: stopped by SIGINT$' \
    '$TERMINAL key=0.7:^C to=/dev/null -- $QUERN factor $LONG >said
     cat said; ! grep "^screen:.*/s" said'
t "answers on the same terminal: no line" -m '^frames 0$' -m '^screen: .*: ' \
    '$TERMINAL -- $QUERN factor --time-limit 700ms $LONG'
t "... but for one number at the end, which stands alone" -m '^frames [1-9]' -m '^screen: [0-9]+$' \
    '$TERMINAL -- $QUERN prime -j1 --count --only=prime --chunk 64K $PRIMES | tee said
     ! grep -E "^screen:.*(/s|ETA)" said'
printf '%s\n' 12x 7.5 | cat - <(seq 100000000000000000000000000 100000000000000000000020000) >bad.txt
t "diagnostics stand above it, whole" -m '^screen: quern: bad.txt:1: not an integer: .12x.$' \
    -m '^screen: quern: bad.txt:2: not an integer: .7.5.$' -m '^frame .* 2 bad' \
    '$TERMINAL to=/dev/null -- $QUERN factor --time-limit 700ms bad.txt'
t "--progress=never" -m '^frames 0$' \
    '$TERMINAL to=/dev/null -- $QUERN factor --progress=never --time-limit 700ms $LONG'
t "-q" -m '^frames 0$' '$TERMINAL to=/dev/null -- $QUERN factor -q --time-limit 700ms $LONG'
t "standard output has not a byte of it" \
    '$TERMINAL to=a -- $QUERN factor --time-limit 700ms $LONG >/dev/null
     grep -vE "^[0-9]+: [0-9 ]+$" a; [ $? = 1 ]'

# with_pages SECONDS COMMAND: runs it beside a server of slow pages on $PORT
with_pages() { python3 "$HERE/pages.py" "$1" -- bash -c "$2"; }
export -f with_pages
t "two bars while fetching: what is to do, what is done" -m '^status 0$' \
    -m '^frame . TODO [0-9]+ [━─]+  DONE [0-9]+ [━─]+  [0-9.]+/s' \
    'with_pages 0.1 "\$TERMINAL to=/dev/null -- \$QUERN factor --workers 4 http://127.0.0.1:\$PORT/[1-40]"'
t "... of quern fetch, too" -m '^status 1$' \
    -m '^frame . TODO [0-9]+ [━─]+  DONE [0-9]+ [━─]+ .* 1 failed' \
    'with_pages 0.1 "\$TERMINAL to=/dev/null -- \$QUERN fetch -O d --workers 4 http://127.0.0.1:\$PORT/fail http://127.0.0.1:\$PORT/[1-40]"'
t "... whose ETA knows of the slow one, not of the count alone" -m '^frame .* ETA 0s-[23]s' \
    'with_pages 0.05 "\$TERMINAL to=/dev/null frame=TODO.1. -- \$QUERN fetch -O slow --workers 4 http://127.0.0.1:\$PORT/slow http://127.0.0.1:\$PORT/[1-40]"'
t "... in a log" -e 'of 40 fetched, 0 failed, [0-9]+ of 40 inputs done, 0 bad$' \
    'with_pages 0.1 "\$QUERN factor --heartbeat 300ms --workers 4 http://127.0.0.1:\$PORT/[1-40] >/dev/null"'
t "... of quern fetch" -e 'of 40 fetched, 0 failed' \
    'with_pages 0.1 "\$QUERN fetch -O e --heartbeat 300ms --workers 4 http://127.0.0.1:\$PORT/[1-40] >/dev/null"'

# In a terminal that breaks lines anew when its window becomes narrower, as most do.
if need tmux "resized in tmux"; then
    t "resized in tmux" -m '^quern: stopped by --time-limit$' \
        'tmux() { timeout 20 tmux -L "quern-$$" -f /dev/null "$@"; }
         tmux new-session -d -x 110 -y 20 "LC_ALL=C.UTF-8 $QUERN factor --time-limit 3s $LONG >/dev/null; read -r"
         sleep 1; tmux capture-pane -p >wide; tmux resize-window -x 44; sleep 0.7
         tmux capture-pane -p >narrow; tmux resize-window -x 90; sleep 2
         tmux capture-pane -p >end; tmux kill-server; cat end
         grep -q ─ wide && [ $(grep -c / narrow) = 1 ] && ! grep -q / end'
fi

# --- in a log ---

t "heartbeats" -s 124 -e '^quern: [0-9]+ of 1000000 records in 1s, [0-9.]+%, [0-9.]+k? a second.* bad$' \
    '$QUERN factor --heartbeat 200ms --time-limit 1300ms $LONG >/dev/null 2>said; status=$?
     cat said >&2; [ $(grep -c " a second" said) -ge 4 ] && ! grep -q "$(printf "[\r\033]")" said && exit $status'
t "heartbeats at every moment are ten a second" -s 124 \
    '$QUERN factor --heartbeat 1ms --time-limit 1300ms $LONG >/dev/null 2>said; status=$?
     n=$(grep -c " a second" said); [ $n -ge 1 ] && [ $n -le 14 ] && exit $status'
t "... of quern fetch as well" \
    'with_pages 0.1 "\$QUERN fetch -O beats --heartbeat 1ms --workers 4 http://127.0.0.1:\$PORT/[1-40] >/dev/null" 2>said
     n=$(grep -c " fetched, " said); [ $n -ge 1 ] && [ $n -le 60 ]'
t "none in a short run" -E '$QUERN factor --heartbeat 10s 1..1000 >/dev/null'
t "none with --heartbeat=0" -s 124 -n 'records in' \
    '$QUERN factor --heartbeat 0 --time-limit 600ms $LONG >/dev/null'
t "none with -q" -s 124 -n 'records in' \
    '$QUERN factor -q --heartbeat 100ms --time-limit 600ms $LONG >/dev/null'
t "but with -q --progress=always" -s 124 -e 'records in' \
    '$QUERN factor -q --progress=always --heartbeat 100ms --time-limit 600ms $LONG >/dev/null'
t "a stream has no end that is known" -s 124 -n '%|ETA' -e '^quern: [0-9]+ records in' \
    'seq 100000000000000000000000 100000000000000000099999 | $QUERN factor --heartbeat 300ms --time-limit 1500ms >/dev/null'
t "the serial engine says it too" -s 124 -e '^quern: [0-9]+ of 1000000 records in' \
    '$QUERN factor --engine=serial --heartbeat 200ms --time-limit 700ms $LONG >/dev/null'

# --- at the end ---

printf '%s\n' 6 x 7 >three.txt
t "the summary" -s 1 \
    -e '^quern: 2 records in [0-9]\.[0-9]{3} s \([0-9]+ a second\), 1 bad, 0 unfinished; peak [0-9.]+ MiB, CPU [0-9]+ %; xxh3 [0-9a-f]{32}$' \
    '$QUERN factor -v three.txt'
t "its digest is the output's" \
    '$QUERN factor -v 1..1000 2>said >out; $QUERN factor -v -o out2 1..1000 2>said2
     python3 - <<PY
import re
digest = [re.search("xxh3 ([0-9a-f]+)", open(name).read()).group(1) for name in ("said", "said2")]
assert digest[0] == digest[1], digest
PY
     command -v xxhsum >/dev/null || exit 0
     [ "$(xxhsum -H2 out | cut -d" " -f1)" = "$(sed -n "s/.*xxh3 //p" said)" ]'
t "a run of more than two seconds has it, with the digest of what a pipe got" -o $'7 prime\n9 composite' \
    -e '^quern: 2 records in [2-9]\.[0-9]+ s .*; xxh3 [0-9a-f]{32}$' \
    '(echo 7; sleep 2.1; echo 9) | $QUERN prime 2>said | cat; cat said >&2
     $QUERN prime -v 7 9 2>said2 >/dev/null; [ "$(sed "s/.*xxh3 //" said)" = "$(sed "s/.*xxh3 //" said2)" ]'
t "... but not of what is thrown away" -e '^quern: 2 records in .* CPU [0-9]+ %$' \
    '(echo 7; sleep 2.1; echo 9) | $QUERN prime >/dev/null'
t "none after a closed pipe" -E '($QUERN prime -v 1..3000000; [ $? = 141 ]) | head -n 1 >/dev/null'
finish
