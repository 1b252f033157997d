#!/usr/bin/env bash
# quern count: the numbers are Python's bytes.count, which does not overlap either.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export SAME="bash $HERE/same.sh" MEASURE="python3 $HERE/measure.py"

# slow WORD FILE...: lines as quern prints them (case ignored; SLOW_CASE=1: not)
cat >slow.py <<'PY'
import os, sys
word, *names = [os.fsencode(a) for a in sys.argv[1:]]
total = 0
fold = (lambda b: b) if os.environ.get("SLOW_CASE") else bytes.lower
for name in names:
    with open(name, "rb") as file:
        n = fold(file.read()).count(fold(word))
    total += n
    print(n, os.fsdecode(name))
if len(names) > 1:
    print(total, "total")
PY
python3 - $((400000 / DIV)) <<'PY'
import random, sys
rng, n = random.Random(9), int(sys.argv[1])
words = ["error", "ERROR", "Terror", "err", "or", "errorerror", "info", "x" * 30, "e", "\n"]
with open("a.log", "w") as file:
    file.write(" ".join(rng.choice(words) for _ in range(n)))
with open("b.log", "w") as file:
    file.write("".join(rng.choice("aAb") for _ in range(n)))
with open("c.log", "wb") as file:
    file.write(bytes(rng.choice([0, 10, 13, 255, 0x45, 0x65]) for _ in range(n)))
with open("d.log", "w") as file:
    file.write("a" * n + "b" + "A" * n)
PY
: >empty.log
gzip -c a.log >a.gz

t "one file: no total" -E -o "$(python3 slow.py error a.log)" '$QUERN count error a.log'
t "several files" -E -o "$(python3 slow.py error a.log empty.log b.log a.log c.log)" \
    '$QUERN count error a.log empty.log b.log a.log c.log'
for word in error aa aba abaab aaaa ee e r aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 'r ' 'or error'; do
    t "'$word'" -E -o "$(python3 slow.py "$word" a.log b.log c.log d.log)" \
        "\$QUERN count '$word' a.log b.log c.log d.log"
    t "'$word': the plain search" -E -o "$(python3 slow.py "$word" a.log d.log)" \
        "QUERN_CPU=generic \$QUERN count '$word' a.log d.log"
done
t "--case" -E -o "$(SLOW_CASE=1 python3 slow.py ERROR a.log c.log)" \
    '$QUERN count --case ERROR a.log c.log'
t "stdin" -E -o "$(python3 slow.py error a.log | sed 's/a.log/-/')" '$QUERN count error <a.log'
t "a pipe" -E -o "$(python3 slow.py aba b.log | sed 's/b.log/-/')" \
    'dd if=b.log bs=777 status=none | $QUERN count aba -'
t "compressed" -E -o "$(python3 slow.py error a.log | sed 's/a.log/a.gz/')" '$QUERN count error a.gz'
t "a list" -E -o "$(python3 slow.py error a.log b.log)" \
    'printf "a.log\nb.log\n" >list; $QUERN count error @list'
t "--word, and all arguments are inputs" -E -o "$(python3 slow.py error a.log b.log)" \
    '$QUERN count a.log b.log --word error'
t "a word that looks like an option" -E -o '2 -' 'printf "%s" "--x --x" | $QUERN count -- --x'
t "csv" -E -o $'count,input,error\r\n2,-,\r\n0,empty.log,\r\n2,total,\r' \
    'echo terror error | $QUERN count error --format csv - empty.log'
t "jsonl" -E -o '{"count":"1","input":"a \"b\".log","error":""}' \
    'echo error >"a \"b\".log"; $QUERN count error --format jsonl "a \"b\".log"'
t "--timing" -m "^[0-9]+ a.log	[0-9]+\.[0-9]{6}\$" '$QUERN count error --timing a.log'

export JOBS="$ROOT/jobs"
t "jobs/wordcount.job" -E -o "$(python3 slow.py error a.log b.log)" \
    'printf "a.log\nb.log\n" >logs.list; $QUERN run $JOBS/wordcount.job'
t "... other files, another word" -E -o "$(python3 slow.py aba b.log d.log)" \
    '$QUERN run $JOBS/wordcount.job b.log d.log --word=aba'
t "a job without its word takes it from the command line" -E -o "$(python3 slow.py aba b.log)" \
    'printf "[job]\ncommand = count\ninput = b.log\n" >w.job; $QUERN run w.job aba'

t "no word" -s 2 -o '' -e 'count: its WORD is missing' '$QUERN count'
t "an empty word" -s 2 -o '' -e 'word: the value is empty' '$QUERN count "" a.log'
t "a word that is too long" -s 2 -o '' -e 'longer than 1024 bytes' \
    '$QUERN count "$(head -c 1025 /dev/zero | tr "\0" a)" a.log'
t "the longest word" -E -o '3 -' \
    'head -c $((3 * 1024 + 1023)) /dev/zero | tr "\0" A | $QUERN count "$(head -c 1024 /dev/zero | tr "\0" a)"'
t "a missing file: status 3, and nothing is done" -s 3 -o '' -e 'none.log: No such file' \
    '$QUERN count error a.log none.log'
t "a number is a file name" -s 3 -o '' -e '^quern: 12: No such file' '$QUERN count error 12'
head -c $(($(stat -c %s a.gz) / 2)) a.gz >cut.gz
t "damaged in the middle: no count, not in the total" -s 1 \
    -e '^quern: cut.gz: the gzip data ends too early$' -o "$(printf '%s\n' \
        "$(python3 slow.py error a.log b.log | sed -n 1,2p)" "$(python3 slow.py error a.log b.log | tail -1)")" \
    '$QUERN count error a.log cut.gz b.log'
t "... a row with the error" -s 1 -m '^"?,?.*cut.gz: the gzip data ends too early' \
    '$QUERN count error --format csv a.log cut.gz'
t "... and --strict stops there" -s 1 -n b.log -m '^[0-9]+ a.log$' \
    '$QUERN count error --strict a.log cut.gz b.log'

for word in error abaab; do
    t "same bytes: $word" -T 120 "\$SAME '' count $word b.log empty.log d.log cut.gz a.gz"
    t "same bytes from a pipe: $word" -T 120 "\$SAME 'cat b.log' count $word a.log -"
done

if [ -z "$SANITIZER" ]; then
    t "a large file, in little memory" -m '^2 huge$' \
        'printf error >huge; truncate -s 1G huge; printf ERROR >>huge
         $MEASURE peak 64 empty.log -- $QUERN count error -j2 huge; status=$?; rm huge; exit $status'
    t "a stream, in little memory" -m '^1 -$' \
        '{ head -c 300000000 /dev/zero; echo error; } >long
         $MEASURE peak 64 long -- $QUERN count error -j2; status=$?; rm long; exit $status'
else
    exempt "a large file, in little memory" "a sanitizer needs memory of its own"
fi
finish
