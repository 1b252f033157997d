#!/usr/bin/env bash
# quern run: the jobs that are shipped, in all their modes, against values that are not
# quern's; job files and their errors; the installed tree.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export JOBS="$ROOT/jobs"

# --- W1: the nine primes as they were published
nine="2 142702110479723 299593572317531 3333333333333301 4444444444444423
5555555555555503 6666666666666719 7777777777777753 9999999999999917"
sed -n 's/^input = //p' "$JOBS/primes20.job" >w1.in
while read -r n; do
    case " ${nine//$'\n'/ } " in *" $n "*) echo "$n prime" ;; *) echo "$n composite" ;; esac
done <w1.in >w1.want
t "primes20: 20 numbers" -o '20 20' 'echo $(wc -l <w1.in) $(sort -u w1.in | wc -l)'
# timed OPTIONS: verdicts in order, each with its seconds, and the total
timed() {
    t "primes20 $1" -O w1.want -e '^quern: total [0-9]+\.[0-9]{6} s$' -T 120 \
        "\$QUERN run \$JOBS/primes20.job $1 >out && cut -f1 out &&
         ! grep -vqP '\\t[0-9]+\\.[0-9]{6}\$' out"
}
for mode in '' -j1 -j2 -j8; do timed "$mode"; done
if [ -z "$SANITIZER" ]; then
    timed "--method=trial -j1"
    timed "--method=trial -j2"
else
    exempt "primes20 --method=trial" "too slow here"
fi
t "primes20: other numbers take the place of its own" -m '^97 prime' -m '^91 composite' \
    '$QUERN run $JOBS/primes20.job 97 91 >out; wc -l <out | grep -qx 2 && cat out'

# --- W2: the published values, and all of them from Python
python3 -c '
for n in range(5000000, 5000020):
    print(n, (n - 1) * n * (2 * n - 1) // 6)' >w2.want
for mode in '' -j1 -j8 --method=loop '--method=loop -j1' '--method=loop -j2'; do
    t "sumsq20 $mode" -O w2.want -m '^5000000 41666654166667500000$' \
        -m '^5000019 41667129168377502109$' "\$QUERN run \$JOBS/sumsq20.job $mode"
    t "sumsq20 --total $mode" -o 833337833344750010830 \
        "\$QUERN run \$JOBS/sumsq20.job --total $mode"
done
t "sumsq20 with other values" -E -o $'3 5\n4 14' \
    '$QUERN run --set first=3 $JOBS/sumsq20.job --set=last=4'

# --- W3: the numbers by Python, their factors by GNU factor
python3 -c '
import random
r = random.Random(64)
for _ in range(64):
    print(r.randint(40_000_000, 80_000_000))' >w3.in
t "factor64: the numbers are the seed's" -O w3.in 'grep -v "^#" $JOBS/data/factor64.txt'
if need factor "factor64"; then
    factor <w3.in >w3.want
    for mode in '' -j1 -j2 -j8 --method=trial '--method=trial -j1' '--method=trial -j2'; do
        t "factor64 $mode" -O w3.want -n 'quern: [^w]' "\$QUERN run $mode \$JOBS/factor64.job"
    done
fi

# --- files and the command line
cat >a.job <<'JOB'
; keys in front of the command work
threads = 2
input = ${from}..10
only = prime
[set]
from = 5
JOB
sed -i '1a [job]' a.job
sed -i 's/^only = prime/&\ncommand = prime/' a.job
t "a job" -E -o $'5\n7' '$QUERN run a.job'
t "an option of the command line goes before the file's" -E -o $'6\n8\n9\n10' \
    '$QUERN run a.job --only=composite'
t "an INPUT takes the place of the file's" -E -o $'2\n3' '$QUERN run a.job 1..3'
t "options in front of the file" -E -o $'2\n3' '$QUERN run -j 1 --only prime a.job -- 1..3'
t "letters in front of the file" -E -o $'2\n3' '$QUERN run -qj1 a.job 1..3'
t "behind -- nothing is an option" -s 3 -o '' -e '^quern: --help: No such file' \
    '$QUERN run a.job -- --help'
t "standard input" -E -o 13 'seq 12 14 | $QUERN run a.job -'
t "no input means stdin" -E -o '6: 2 3' \
    'printf "[job]\ncommand = factor\n" >b.job; echo 6 | $QUERN run b.job'
t "a CRLF file with a BOM" -E -o '6: 2 3' \
    'printf "\xEF\xBB\xBF[job]\r\ncommand = factor\r\ninput = 6\r\n" >b.job; $QUERN run b.job'
t "the folder of the file" -E -o '7 prime' \
    'mkdir d && echo 7 >d/n && printf "[job]\ncommand=prime\ninput=\${here}/n\n" >d/x.job
     $QUERN run d/x.job && cd d && $QUERN run x.job >o && cmp o - <<<"7 prime"'
t "a job resumes a command line, and the other way round" -E -o '' \
    'printf "[job]\ncommand = factor\ninput = 1..100\nstrict = no\n" >r.job
     $QUERN factor -o r.out 1..100 && $QUERN run r.job -o r.out --resume &&
     $QUERN run r.job -o s.out && $QUERN factor -o s.out --resume 1..100 && cmp r.out s.out'
t "but not another one" -s 2 -o '' -e 'another job' \
    '$QUERN factor -o q.out 1..100 && $QUERN run r.job -o q.out -h --resume'
t "run --help" -E -m '^Usage: quern run \[OPTION\.\.\.\] JOBFILE' -m '--set=NAME=VALUE' \
    '$QUERN run --help'
t "run --help behind a file" -E -m '^Usage: quern run' '$QUERN run missing.job --help'
t "run is in the list" -E -m '^  run  ' '$QUERN --help'

# wrong NAME MESSAGE LINES [ARGUMENTS]: status 2 and exactly this on stderr
wrong() {
    printf '%b' "$3" >w.job
    printf 'quern: %s\n' "$2" >w.want
    t "$1" -s 2 -o '' "\$QUERN run w.job ${4-} 2>err; s=\$?; diff w.want err >&2 && exit \$s"
}
wrong "an unknown key" "w.job:3: unknown key 'thread'; did you mean 'threads'?" \
    '[job]\ncommand = prime\nthread = 2\n'
wrong "a key of another command" "w.job:3: unknown key 'only' (quern sumsq --help lists options)" \
    '[job]\ncommand = sumsq\nonly = prime\n'
wrong "an unknown section" "w.job:2: unknown section '[jobs]'; there are [job] and [set]" \
    '\n[jobs]\ncommand = prime\n'
wrong "no section" "w.job: there is no section [job]" ''
wrong "no command" "w.job:2: [job] has no command" '# x\n[job]\ninput = 2\n'
wrong "an unknown command" "w.job:2: unknown command 'prmie'; did you mean 'prime'?" \
    '[job]\ncommand = prmie\n'
wrong "a command without records" "w.job:2: 'info' is no command for a job file" \
    '[job]\ncommand = info\n'
wrong "a job in a job" "w.job:2: 'run' is no command for a job file" '[job]\ncommand = run\n'
wrong "a key twice" "w.job:5: the key 'format' is given twice (first in line 3)" \
    '[job]\ncommand = prime\nformat = text\n\nformat = text\n'
wrong "a bad value" "w.job:3: --method: 'magic' is not one of auto|trial" \
    '[job]\ncommand = prime\nmethod = magic\n'
wrong "a flag that is neither" "w.job:3: --strict: 'maybe' is neither yes nor no" \
    '[job]\ncommand = prime\nstrict = maybe\n'
wrong "a name that is not set" "w.job:3: \${x} is not set (--set x=VALUE, or a line in [set])" \
    '[job]\ncommand = prime\ninput = ${x}\n'
wrong "no key" "w.job:3: neither a [section] nor 'key = value'" '[job]\ncommand = prime\n7\n'
wrong "a range that goes down" "w.job:3: the range 9..3 goes down: A..B wants A <= B" \
    '[job]\ncommand = prime\ninput = 9..3\n'
wrong "an empty input" "w.job:3: the value of 'input' is empty" \
    '[job]\ncommand = prime\ninput =\n'
wrong "--set of a name that is not there" \
    "--set: w.job has no \${frm}; did you mean \${from}?" \
    '[job]\ncommand = prime\ninput = ${from}\n[set]\nfrom = 1\n' --set=frm=1
wrong "--set without a value" "--set: 'from' is not name=value" \
    '[job]\ncommand = prime\ninput = ${from}\n' '--set from'
wrong "a value missing at the end" "--threads: its value (N) is missing" \
    '[job]\ncommand = prime\n' -j
wrong "an option that no command has" "unknown option --frobnicate (quern prime --help lists them)" \
    '[job]\ncommand = prime\n' --frobnicate
wrong "an input of the file is not looked at when there is another" \
    "unknown option --nope (quern prime --help lists them)" \
    '[job]\ncommand = prime\ninput = 9..3\n' '5 --nope'
t "no job file" -s 2 -o '' -e 'no job file given' '$QUERN run'
t "no job file, but options" -s 2 -o '' -e 'no job file given' '$QUERN run -j 2'
t "a job file that is not there" -s 3 -o '' -e 'missing.job: No such file' \
    '$QUERN run missing.job'
t "a folder" -s 3 -o '' -e 'Is a directory' '$QUERN run .'
t "a program is no job file" -s 2 -o '' -e 'NUL byte|larger than 1 MiB' '$QUERN run /bin/true'

# --- installed
if [ -n "$SANITIZER" ]; then
    exempt "install" "what is installed is the normal build"
else
    # The program is built already: -o all keeps make from building it again.
    t "install" 'make -C "$ROOT" -o all install DESTDIR="$PWD/tree" PREFIX=/usr'
    (cd tree/usr && find . -type f | sort) >there 2>/dev/null
    {
        printf './%s\n' bin/quern libexec/quern/quern-qs share/man/man1/quern.1 \
            share/bash-completion/completions/quern share/zsh/site-functions/_quern
        # a module for each MPI that the build has
        for mpi in openmpi mpich; do
            [ -f "${QUERN%/*}/libexec/quern-mpi-$mpi.so" ] &&
                echo "./libexec/quern/quern-mpi-$mpi.so"
        done
        (cd "$ROOT" && find jobs slurm -type f) | sed 's|^|./share/quern/|'
    } | sort >there.want
    t "what is installed" -m . 'diff there.want there && echo same'
    t "the installed program works" -E -o '360: 2 2 2 3 3 5' 'tree/usr/bin/quern factor 360'
    t "it finds its helper" -m '^helper: .*libexec/quern/quern-qs$' 'tree/usr/bin/quern info'
    t "it runs an installed job from anywhere" -E -O w3.want \
        'cd / && "$OLDPWD"/tree/usr/bin/quern run "$OLDPWD"/tree/usr/share/quern/jobs/factor64.job'
    t "the installed manual is the tree's" 'cmp tree/usr/share/man/man1/quern.1 "$ROOT/docs/quern.1"'
    t "uninstall leaves no file" -o '' \
        'make -s -C "$ROOT" uninstall DESTDIR="$PWD/tree" PREFIX=/usr >&2; find tree -type f
         test ! -e tree/usr/share/quern && test ! -e tree/usr/libexec/quern'
fi
finish
