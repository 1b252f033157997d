#!/usr/bin/env bash
# Help, version, and what is wrong with a command line.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

t "--help lists the commands" -E -m '^ +prime ' -m '^ +factor ' -m '^ +sumsq ' \
    -m '^ +info ' '$QUERN --help'
t "--version" -E -m '^quern [0-9]+\.[0-9]+\.[0-9]+' '$QUERN --version'
t "info" -m '[Vv]ersion|^quern [0-9]' -m '[Tt]hreads' '$QUERN info'
t "info --help" -E -m '.' '$QUERN info --help'
for command in prime factor sumsq; do
    t "$command --help" -E -m "quern $command" -m '--threads' -m '--output' \
        -m '--format' -m '--unordered' -m '--timing' -m '--strict' \
        -m '--max-errors' -m '--max-digits' -m '--quiet' "\$QUERN $command --help"
done
t "prime --help names its own options" -E -m '--only' -m '--count' -m '--method' \
    '$QUERN prime --help'
t "factor --help names its own options" -E -m '--exponents' -m '--method' \
    '$QUERN factor --help'
t "sumsq --help names its own options" -E -m '--total' -m '--fold' -m '--method' \
    '$QUERN sumsq --help'
t "help shows no options for tests" -o '' \
    '$QUERN prime --help | grep -E -e "--(engine|chunk)"; true'
t "--help wins over a missing file" -E -m 'quern prime' '$QUERN prime missing --help'
t "factor's -h is exponents, not help" -E -o '8: 2^3' '$QUERN factor -h 8'
t "help fits 80 columns" -o '' \
    'for c in "" prime factor sumsq run info; do $QUERN $c --help; done | grep -E "^.{81}"; true'

# wrong NAME RE COMMAND: a usage error: status 2, nothing on stdout, RE on stderr
wrong() { t "$1" -s 2 -o '' -e '^quern: ' -e "$2" "$3"; }
t "no command" -s 2 -o '' -e '--help|prime' '$QUERN'
wrong "unknown command" 'frobnicate' '$QUERN frobnicate 7'
wrong "a command nearly right" "'?prime'?" '$QUERN prmie 7'
wrong "another command nearly right" 'factor' '$QUERN fcator 7'
wrong "unknown option" '--frobnicate' '$QUERN prime --frobnicate 7'
wrong "an option nearly right" '--count' '$QUERN prime --cuont 7'
wrong "a shared option nearly right" '--threads' '$QUERN prime --thread 2 7'
wrong "an option of another command" '--only' '$QUERN sumsq --only=prime 7'
wrong "unknown letter" '-Z' '$QUERN prime -Z 7'
wrong "a negative number is no option" '-7' '$QUERN prime -7'
wrong "a value missing at the end" '--threads' '$QUERN prime 7 --threads'
wrong "a letter's value missing at the end" '-j|--threads' '$QUERN prime 7 -j'
wrong "a value for a flag" '--count' '$QUERN prime --count=3 7'
wrong "an empty value" '--threads' '$QUERN prime --threads= 7'
wrong "no threads" '--threads|-j' '$QUERN prime -j0 7'
wrong "negative threads" '--threads|-j' '$QUERN prime -j-1 7'
wrong "threads that are no number" '--threads|-j' '$QUERN prime -j2x 7'
wrong "threads beyond any machine" '--threads|-j' '$QUERN prime -j 99999999999999999999 7'
wrong "a wrong choice" '--only' '$QUERN prime --only=primes 7'
wrong "a wrong format" '--format' '$QUERN prime --format=xml 7'
wrong "a wrong method" '--method' '$QUERN prime --method=magic 7'
wrong "closed form is not for factor" '--method' '$QUERN factor --method=closed 7'
wrong "max-errors that are no number" '--max-errors' '$QUERN prime --max-errors=few 7'
wrong "usage is checked before inputs are opened" '--frobnicate' \
    '$QUERN prime missing --frobnicate'

for threads in -j2 '-j 2' --threads=2 '--threads 2'; do
    t "$threads" -o '7 prime' "\$QUERN prime $threads 7"
done
t "the last of two values counts" -E -o '7' '$QUERN prime --only=composite --only=prime 7'
t "more threads than CPUs are reported" -o '7 prime' -e 'threads' '$QUERN prime -j 500 7'
t "-v ends with a summary" -o '7 prime' -e '^quern: ' '$QUERN prime -v 7'
t "nothing on stderr otherwise" -E -o '7 prime' '$QUERN prime 7'
t "OMP_NUM_THREADS" -E -o '7 prime' 'OMP_NUM_THREADS=1 $QUERN prime 7'
t "OMP_THREAD_LIMIT gives a team of one" -o 168 \
    'OMP_THREAD_LIMIT=1 $QUERN prime --only=prime --count 1..1000'
t "OMP_PROC_BIND" -o 168 \
    'OMP_PROC_BIND=true OMP_PLACES=cores $QUERN prime --only=prime --count 1..1000'
t "one CPU" -E -o 168 'taskset -c 0 $QUERN prime --only=prime --count 1..1000'
t "the locale of the user changes nothing" -o $'7 91' \
    'LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 $QUERN sumsq 7'
finish
