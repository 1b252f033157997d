#!/usr/bin/env bash
# The walk-through of CONTRIBUTING.md: its kernel, taken from the document, is built in a
# copy of the tree and prints what the document shows. Alone, because it builds.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# The walk-through is of a plain build, whatever variant is under test.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES VARIANT BUILD
export DOC=$ROOT/CONTRIBUTING.md

# section: the lines below the heading "Adding a kernel"
section() { awk '/^## / { on = /Adding a kernel/ } on' "$DOC"; }

# The code of the document, the file it names, the line for the list, the session.
section | awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' >kernel.c
file=$(section | grep -oE '`kernels/[a-z]+\.c`' | head -n 1 | tr -d '`')
line=$(section | sed -n 's/^    \(KERNEL([a-z]*)\)$/\1/p')
section | sed -n '/^    \$ /,/^$/p' | sed 's/^    //; /^$/d' >session
file=kernels/$(echo "$line" | sed 's/KERNEL(\(.*\))/\1.c/')
t "the document has a kernel, its line and a session" \
    '[ $(wc -l <kernel.c) -gt 20 ] && grep -q "const struct kernel kernel_" kernel.c &&
     [ $(grep -c "^\$ " session) -ge 2 ]'
t "the file it names is the one of the line" "grep -qF '\`$file\`' \"\$DOC\""

# A copy without anything built; what is not yet committed is part of it.
mkdir tree
(cd "$ROOT" && tar -c --exclude=./build --exclude=./.git .) | tar -x -C tree
cp kernel.c "tree/$file"
echo "$line" >>tree/kernels/kernels.list

# The session: each "$ command", and what it prints up to the next. Its first command
# builds, which here is told to use the compiler of this run and two jobs.
awk '/^\$ / { n++; print substr($0, 3) >"command." n; next }
     { print >"output." n }' session
commands=$(grep -c '^\$ ' session)
export BUILD_WITH="CC='${CC:-cc}' WERROR=-Werror MPI=${MPI:-auto}"
t "it builds as the document says" -T 580 \
    "cd tree && grep -qx make ../command.1 && make -j2 CC='${CC:-cc}' WERROR=-Werror >/dev/null"
for ((i = 2; i <= commands; i++)); do
    [ -f "output.$i" ] || : >"output.$i"
    t "\$ $(cat command.$i)" -E -O "$PWD/output.$i" "cd tree && $(cat command.$i)"
done

# What else it promises: help, a place in the list, parallel runs in order, job checks.
name=${line#KERNEL(} name=${name%)}
export NAME=$name
t "it is in the list of commands" -m "^ +$name" 'tree/build/quern --help'
t "it has a help" -m '--threads' 'tree/build/quern $NAME --help'
t "it says what is a bad record" -s 1 -o '7 7' -e ":1: not an integer: 'x'" \
    'echo x 7 | tree/build/quern $NAME'
t "it runs in parallel and in order" \
    'tree/build/quern $NAME -j3 --chunk 100 1..20000 >got
     python3 -c "
for n in range(1, 20001): print(n, sum(map(int, str(n))))" | cmp - got'
t "numbers of any size" \
    'python3 -c "
for k in range(1, 300): print(7 ** k)" >list
     tree/build/quern $NAME list >got
     python3 -c "
for line in open(\"list\"): print(int(line), sum(map(int, line.strip())))" | cmp - got'
t "without its test, the tests fail" -s 1 -m "FAILED .*there is no .*test_kernel_$name.c" \
    'cd tree && tests/run unit no-such-test'
finish
