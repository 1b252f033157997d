#!/usr/bin/env bash
# The house: the scripts that guard it find what they should, the test frame notices a
# program that breaks the contract, and the Makefile's promises to a newcomer hold.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# --- a small tree that keeps the rules, to break them one at a time
fresh() {
    rm -rf tree
    mkdir -p tree/src/base tree/src/core tree/src/engine tree/src/source tree/src/sink \
        tree/kernels/arith
    echo '#include <stdint.h>' >tree/src/base/qerr.h
    printf '#include "base/qerr.h"\n' >tree/src/core/chunk.h
    printf '#include "source/source.h"\n#include <omp.h>\n' >tree/src/engine/engine.c
    printf '#include "core/chunk.h"\n' >tree/src/source/source.h
    printf '#include "core/chunk.h"\n' >tree/src/sink/sink.h
    printf '#include <gmp.h>\n' >tree/kernels/arith/big.h
    printf '#include "kernel.h"\n#include "arith/big.h"\n' >tree/kernels/prime.c
    printf '#include "core/chunk.h"\n' >tree/kernels/kernel.h
}
export LAYERS="$ROOT/tools/check-layers" STYLE="$ROOT/tools/check-style"

fresh
t "layers: a tree in order" -E -o '' '$LAYERS tree'
# breaks NAME FILE LINE MESSAGE
breaks() {
    fresh
    echo "$3" >>"tree/$2"
    t "layers: $1" -s 1 -m "^$2:[0-9]+: .*$4" '$LAYERS tree'
}
breaks "base knows nothing" src/base/qerr.h '#include "core/chunk.h"' 'base may not'
breaks "core below engine" src/core/chunk.h '#include "engine/ring.h"' 'ring.h'
breaks "source and sink never meet" src/sink/sink.h '#include "source/source.h"' 'sink may not'
breaks "kernels know no engine" kernels/prime.c '#include "source/source.h"' 'kernels may not'
breaks "kernels know no OpenMP" kernels/prime.c '#include <omp.h>' 'omp.h is for'
breaks "kernels know no threads" kernels/prime.c '#include <pthread.h>' 'pthread.h is for'
breaks "arith knows no core" kernels/arith/big.h '#include "core/chunk.h"' 'arith may not'
breaks "arith knows no base" kernels/arith/big.h '#include "base/qerr.h"' 'arith may not'
breaks "one door to GMP" kernels/prime.c '  #  include <gmp.h>' 'gmp.h is for'
breaks "an unknown library" src/core/chunk.h '#include <lapack.h>' 'lapack.h'
breaks "the engine knows contracts only" src/engine/engine.c '#include "source/file.h"' 'file.h'
breaks "cycles" src/base/qerr.h '#include "base/qerr.h"' 'cycle'
t "layers: an empty tree is no success" -s 1 -m 'no source files' 'mkdir -p void; $LAYERS void'

if need ctags "style"; then
    printf 'int f(void);\n\nint f(void)\n{\n    return 0;\n}\n' >good.c
    # ugly NAME MESSAGE: the file on stdin, in src/base, is refused
    ugly() {
        fresh
        cat >tree/src/base/bad.c
        t "style: $1" -s 1 -m "^src/base/bad.c:[0-9]+: .*$2" '$STYLE tree'
    }
    fresh
    cp good.c tree/src/base/good.c
    t "style: a tree in order" -E -o '' '$STYLE tree'
    printf 'int f(void)\n{\n%s\n}\n' "$(yes '    g();' | head -n 100)" |
        ugly "a function of 100 lines" "f: 10[0-9] lines"
    printf 'int f(int a)\n{\n%s\n}\n' "$(yes '    if (a) g();' | head -n 30)" |
        ugly "complexity" "complexity 31"
    printf '/* %0100d */\n' 0 | ugly "long lines" "columns"
    printf '\tint a;\n' | ugly "tabs" "tab"
    printf 'int a; \n' | ugly "trailing blanks" "blanks"
    printf 'int a; // b\n' | ugly "// comments" "comment"
    printf 'void f(void)\n{\n    strcpy(a, b);\n}\n' | ugly "banned functions" "strcpy"
    printf 'void f(void)\n{\n    exit(1);\n}\n' | ugly "exit below main" "exit"
    printf 'typedef struct a a;\n' | ugly "struct typedefs" "typedef"
    fresh
    mkdir -p tree/--help; echo 7 >tree/--help/p64.txt
    t "style: a folder that nobody knows" -s 1 -m "^--help:1: a folder" '$STYLE tree'
    rm -r tree/--help; head -c 2000000 /dev/zero >tree/src/base/data
    t "style: a file that is too large" -s 1 -m '^src/base/data:1: 2000000 bytes' '$STYLE tree'
    fresh
    printf '#!/bin/sh\n' >tree/src/base/run
    t "style: a script that cannot be executed" -s 1 -m 'src/base/run:1: .*chmod' '$STYLE tree'
    chmod +x tree/src/base/run
    t "style: ... and one that can" -E -o '' '$STYLE tree'
    fresh
    printf '/* exit(1), strcpy(a, b) */\nconst char *s = "// http://x exit(";\n' \
        >tree/src/base/good.c
    t "style: strings and comments are not code" -E -o '' '$STYLE tree'
    fresh
    printf 'void f(void)\n{\n    %s%s\n}\n' 'exit(1);' \
        ' /* style: allow banned: a reason */' >tree/src/base/good.c
    t "style: a waiver with a reason" -E -o '' '$STYLE tree'
fi

# --- check-docs
cat >quern-doc <<'DOC'
#!/bin/sh
case "$*" in
--help) printf 'Usage: quern COMMAND\n\nCommands:\n  prime   test\n\nOptions:\n  --version\n' ;;
'prime --help') printf 'Options:\n  --count  count\n' ;;
esac
DOC
chmod +x quern-doc
mkdir doc
export DOCS="$ROOT/tools/check-docs"
printf 'quern prime --count, quern --version, make --jobs\n' >doc/README.md
t "docs: a README in order" -E -o '' '$DOCS ./quern-doc doc'
t "docs: an option that is not there" -s 1 -m '^README.md:2: --frobnicate' \
    'mkdir a; { cat doc/README.md; echo "quern prime --frobnicate"; } >a/README.md
     $DOCS ./quern-doc a'
t "docs: a command that is not mentioned" -s 1 -m 'quern prime' \
    'mkdir b; echo quern >b/README.md; $DOCS ./quern-doc b'
t "docs: a broken link" -s 1 -m 'nowhere.md does not exist' \
    'mkdir c; { cat doc/README.md; echo "[x](nowhere.md)"; } >c/README.md
     $DOCS ./quern-doc c'
t "docs: a manual page without an option" -s 1 -m 'quern.1:1: --count is missing' \
    'mkdir -p d/docs; cp doc/README.md d; echo "\\-\\-version" >d/docs/quern.1
     $DOCS ./quern-doc d'
cat >good.1 <<'MAN'
.B quern prime
.SS Options
.TP
\fB\-\-version\fR
.TP
\fB\-\-count\fR
MAN
# manual NAME MESSAGE SED: the manual page in order, changed
manual() {
    mkdir -p m/docs
    cp doc/README.md m
    sed -e "$3" good.1 >m/docs/quern.1
    if [ -z "$2" ]; then
        t "docs: $1" -E -o '' '$DOCS ./quern-doc m'
    else
        t "docs: $1" -s 1 -m "^docs/quern.1:$2\$" '$DOCS ./quern-doc m'
    fi
}
sed -i 's/Options:\\n  --version/Options:\\n      --version/; s/Options:\\n  --count /Options:\\n      --version\\n      --count /' quern-doc
manual "a manual page in order" '' ''
manual "a manual page with an option that is not there" '1: --bogus is in no --help' \
    's/quern prime/&\n\\-\\-bogus/'
manual "a manual page with an option spelled in another way" \
    "6: '--count=N' is not below 'Options' of --help" 's/count.*/&=N/'
manual "a manual page with an option below another heading" \
    "1: '--version' is not below 'Options'" 's/SS Options/SS Options of prime/'
manual "a manual page without a command" "1: the command 'quern prime' is missing" 1d
t "docs: formats.md names an option that is not there" -s 1 \
    -m '^docs/formats.md:1: --frobnicate is in no' \
    'mkdir -p f/docs; cp doc/README.md f; echo "\`--frobnicate\`" >f/docs/formats.md
     $DOCS ./quern-doc f'

# --- the test frame: a program that answers nothing, or wrongly, fails
cat >liar <<'LIAR'
#!/bin/sh
echo "7 composite"
LIAR
chmod +x liar
t "frame: a program that says nothing fails" -s 1 -m '^0 passed, [1-9][0-9]* failed$' \
    'QUERN=/bin/true bash $HERE/11-prime.sh W1 "the words of the contract"'
t "frame: a program that lies fails" -s 1 -m '^not ok - 21-inputs: no input means stdin' \
    -m '^0 passed, 1 failed$' -m '#   command: ' -m '#   again: ' \
    'QUERN=$PWD/liar bash $HERE/21-inputs.sh "no input means stdin"'
t "frame: a program that is not there fails" -s 1 -m '^0 passed, 1 failed$' \
    'QUERN=$PWD/nothing bash $HERE/11-prime.sh W1'
t "frame: a test that is not there is no success" -s 1 -m 'no test ran' \
    'bash $HERE/11-prime.sh "no such test"'
t "frame: a hanging program is stopped" -s 1 -m 'time|124' -T 20 \
    'printf "#!/bin/sh\nexec sleep 100\n" >sleeper; chmod +x sleeper
     cat >99-hang.sh <<"END"
. "$HERE/lib.sh"
t hang -T 1 "\$QUERN"
finish
END
     TIME_SCALE=1 QUERN=$PWD/sleeper bash 99-hang.sh'
t "runner: sums up and fails" -s 1 -m '^[0-9]+ passed, [1-9][0-9]* failed$' -m '^FAILED 91-startup' \
    'cd "$ROOT" && BUILD=${OLDPWD}/build QUERN=/bin/false tests/run e2e 91-startup'
t "runner: nothing to run is a failure" -s 1 -m '^0 passed, 1 failed$' \
    'cd "$ROOT" && BUILD=${OLDPWD}/build tests/run e2e no-such-topic'

# --- the Makefile
t "make help names the targets" -E -m '^  demo ' -m '^  check ' -m '^  install ' \
    -m '^  test ' -m '^  lint ' -m '^  bench ' 'make -C "$ROOT" --no-print-directory help'
t "MPI=1 where there is none is refused clearly" -s 2 -e 'no mpicc.openmpi and no mpicc.mpich' \
    'make -C "$ROOT" MPI=1 MPIS= help'
t "an unknown variant is refused" -s 2 -e 'unknown VARIANT' \
    'make -C "$ROOT" VARIANT=fast help'
cat >nogmp <<'CC'
#!/bin/sh
for arg; do
    case $arg in *.c) grep -q 'gmp\.h' "$arg" && { echo "gmp.h: No such file" >&2; exit 1; } ;; esac
done
exec cc "$@"
CC
chmod +x nogmp
t "a missing library is named, with the command that installs it" -s 1 \
    -e 'missing: gmp.h .*libgmp-dev' -e 'tools/install-deps build' \
    'cd "$ROOT" && CC="$OLDPWD/nogmp" tools/probe build'
t "and only that" -s 1 -n 'missing: (ecm|omp|jansson)' \
    'cd "$ROOT" && CC="$OLDPWD/nogmp" tools/probe build'
t "a missing compiler is named" -s 1 -e 'missing: a C compiler' \
    'CC=no-such-compiler "$ROOT/tools/probe" build'
t "install-deps does nothing when all is there" -E -o '' '"$ROOT/tools/install-deps" build'
t "install-deps knows its groups" -s 2 -e 'unknown group' '"$ROOT/tools/install-deps" everything'
finish
