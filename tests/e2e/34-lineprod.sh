#!/usr/bin/env bash
# quern lineprod: 1,000 small files of 20 integers, made by a seeded generator; products and
# sums are Python's.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export SAME="bash $HERE/same.sh"

python3 - <<'PY'
import os, random
rng = random.Random(1000)
total = 0
os.mkdir("files")
with open("want", "w") as want, open("list", "w") as names:
    for i in range(1000):
        lines = [rng.randint(-10**rng.randint(1, 30), 10**rng.randint(1, 30)) for _ in range(20)]
        name = f"files/{i:04}.txt"
        with open(name, "w", newline="") as file:
            file.write(("\r\n" if i % 7 == 0 else "\n").join(map(str, lines)) + "\n" * (i % 3 > 0))
        want.write(f"{lines[2] * lines[16]} {name}\n")
        names.write(name + "\n")
        total += lines[2] * lines[16]
with open("sum", "w") as file:
    file.write(f"{total}\n")
PY
t "1,000 files" -E -O want '$QUERN lineprod 3,17 files/*.txt'
t "... by a list" -E -O want '$QUERN lineprod 17,3 @list'
for how in -j1 -j2 -j8 --unordered --engine=serial; do
    t "--fold $how" -n 'quern: [^w]' -O sum "\$QUERN lineprod 3,17 --fold $how files/*.txt"
done
t "--unordered has the same lines" -O want '$QUERN lineprod 3,17 --unordered @list | sort -k 2'
t "stdin is a document" -E -o '15 -' 'printf "3\n5\n" | $QUERN lineprod 1,2'
t "... and one among others" -E -o $'2 a\n15 -\n2 a' \
    'printf "1\n2\n" >a; printf "3\n5\n" | $QUERN lineprod 1,2 a - a'
t "compressed" -E -o '15 a.gz' 'printf "3\n5\n" | gzip >a.gz; $QUERN lineprod 1,2 a.gz'
t "csv" -E -o $'product,input,error\r\n-15,"a,b",\r' \
    'printf "3\n-5\n" >a,b; $QUERN lineprod 1,2 --format csv a,b'
t "--timing" -m "^2 a	[0-9]+\.[0-9]{6}\$" 'printf "1\n2\n" >a; $QUERN lineprod 1,2 --timing a'

printf '1\n2\n' >good
printf '1\nx\n' >word
printf '1\n' >short
: >empty
t "bad ones cost a line each, never a neighbour" -s 1 -o $'2 good\n2 good' \
    -e "^quern: word:2: not an integer: 'x'\$" -e '^quern: short:2: there is no such line$' \
    -e '^quern: empty:1: there is no such line$' '$QUERN lineprod 1,2 good word short empty good'
t "... as rows" -s 1 -m '^\{"product":"","input":"","error":"word:2: not an integer"\}$' \
    '$QUERN lineprod 1,2 --format jsonl good word'
t "... and not in the sum" -s 1 -o 4 '$QUERN lineprod 1,2 --fold good word good'
t "--strict" -s 1 -o '2 good' '$QUERN lineprod 1,2 --strict good word good'
t "too long for --max-document" -s 1 -o '2 good' -e 'long: longer than --max-document' \
    'seq 1000 >long; $QUERN lineprod 1,2 --max-document 1K good long'
t "a damaged one" -s 1 -o '2 good' -e 'cut.gz: the gzip data ends too early' \
    'seq 10000 | gzip | head -c 1000 >cut.gz; $QUERN lineprod 1,2 cut.gz good'
t "a missing one: status 3, nothing done" -s 3 -o '' -e 'none: No such file' \
    '$QUERN lineprod 1,2 good none'
t "no lines" -s 2 -o '' -e 'lineprod: its A,B is missing' '$QUERN lineprod'
t "no pair of lines" -s 2 -o '' -e "'3' is not A,B" '$QUERN lineprod 3 good'
t "same bytes" -T 120 "\$SAME '' lineprod 1,2 good word \$(head -n 200 list) short empty good"
t "same bytes: --fold" -T 120 "\$SAME '' lineprod 1,2 --fold good word \$(head -n 200 list) short"
export JOBS="$ROOT/jobs"
t "jobs/lineprod1000.job" -E -O sum '$QUERN run $JOBS/lineprod1000.job --set files=list'
t "... with its list beside it" -E -O sum 'cp list files.list; $QUERN run $JOBS/lineprod1000.job -j2'
t "... a product for each" -E -O want \
    '$QUERN run $JOBS/lineprod1000.job --set fold=no files/*.txt'
t "a job file" -E -O sum \
    'printf "[job]\ncommand = lineprod\nlines = 3,17\nfold = yes\ninput = @list\n" >a.job
     $QUERN run a.job'
t "... whose INPUTs the command line replaces" -E -o 2 '$QUERN run a.job --lines 1,2 good'
finish
