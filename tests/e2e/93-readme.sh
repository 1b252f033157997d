#!/usr/bin/env bash
# The examples of README.md are true. In a block that begins with ```console, a line that
# begins with '$ ' is a command, and the lines up to the next one are what it prints, on
# stdout and stderr together. The commands of a block share a shell, all blocks a folder,
# in which `quern` is the program under test. Blocks of any other kind are not run.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
README=${README:-$ROOT/README.md}

mkdir bin
# QUERN may be a command with words, such as valgrind's.
printf '#!/bin/sh\nexec %s "$@"\n' "$QUERN" >bin/quern
chmod +x bin/quern
export PATH="$PWD/bin:$PATH"

# For each block: LINE.cmd has its commands, LINE.want what README.md shows.
awk '
    /^```console$/ { block = NR; printf "" >(block ".cmd"); printf "" >(block ".want"); next }
    /^```/ { block = 0 }
    block && /^\$ / { print substr($0, 3) >(block ".cmd"); next }
    block { print >(block ".want") }
' "$README"

for commands in $(find . -maxdepth 1 -name '*.cmd' | sort -t/ -k2n); do
    line=$(basename "$commands" .cmd)
    t "line $line: $(head -n 1 "$commands" | cut -c 1-50)" -O "$line.want" \
        "exec 2>&1; set +o pipefail; . ./$line.cmd; true"
done
t "there are examples" 'test $(ls *.cmd | wc -l) -ge 5 && ! grep -L . *.cmd | grep .'
finish
