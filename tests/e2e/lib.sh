# shellcheck shell=bash
# lib.sh: the frame of the end-to-end tests; every topic sources it first.
#
# A topic is a bash script tests/e2e/NN-name.sh. It makes its inputs, calls `t` for each
# test, and ends with `finish`. It runs in an empty folder of its own, which is removed.
#
#     t NAME [expectations] 'COMMAND'
#         -s N      exit status N (default 0); the status of a pipe is its last failure's
#         -o TEXT   stdout is exactly TEXT and a newline ('' : nothing)
#         -O FILE   stdout has exactly FILE's bytes
#         -m RE     a line of stdout matches the extended regular expression (repeatable)
#         -e RE     a line of stderr matches it (repeatable)
#         -n RE     no line of stderr matches it
#         -E        stderr is empty
#         -T SECS   time limit (default 60), multiplied by TIME_SCALE
#
# COMMAND is run by `bash -o pipefail -c` with no stdin, and uses $QUERN, the program under
# test. A test prints `ok - NAME` or `not ok - NAME` with what differed, the command, and
# how to run just this test again (a topic takes names of tests as arguments; KEEP=1 keeps
# the folder).
#
# QUERN       the program (default build/quern)      FAULTY  the one with faults built in
# SANITIZER   asan, tsan or empty: then sizes are divided by $DIV, and what only a normal
#             build can show (time, memory) is exempt
# TIME_SCALE  multiplies time limits                 CI      1: a missing tool is a failure
set -u
export LC_ALL=C
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
QUERN=${QUERN:-$ROOT/build/quern}
case $QUERN in
/* | *' '*) ;;
*) QUERN=$(cd "$(dirname "$QUERN")" 2>/dev/null && pwd)/${QUERN##*/} ;;
esac
export QUERN HERE ROOT
export TIME_SCALE=${TIME_SCALE:-1} SANITIZER=${SANITIZER:-}
# Sizes and counts are divided by this under a sanitizer.
[ -n "$SANITIZER" ] && DIV=20 || DIV=1
export DIV
ORACLE="python3 $HERE/oracle.py"
export ORACLE

TOPIC=$(basename "$0" .sh)
ONLY=("$@")
passed=0 failed=0 skipped=0 exempted=0
BOX=$(mktemp -d "${TMPDIR:-/tmp}/quern-e2e.XXXXXX") || exit 2
mkdir "$BOX/work" && cd "$BOX/work" || exit 2
remove_box() {
    if [ "${KEEP:-0}" = 1 ]; then
        echo "# kept: $BOX/work"
    else
        rm -rf "$BOX"
    fi
}
trap remove_box EXIT
trap 'exit 143' TERM INT

# selected NAME: is this test asked for?
selected() {
    local name
    [ ${#ONLY[@]} -eq 0 ] && return 0
    for name in "${ONLY[@]}"; do
        [ "$name" = "$1" ] && return 0
    done
    return 1
}

pass() {
    passed=$((passed + 1))
    echo "ok - $TOPIC: $1"
}

# fail NAME COMMAND: what differed is in $BOX/why
fail() {
    failed=$((failed + 1))
    echo "not ok - $TOPIC: $1"
    sed 's/^/#   /' "$BOX/why"
    printf '#   command: %s\n' "${2//\$QUERN/$QUERN}"
    printf "#   again:   QUERN='%s' KEEP=1 tests/e2e/%s.sh '%s'\n" "$QUERN" "$TOPIC" "$1"
}

# A test that cannot run here: says so and is counted; in CI it is a failure.
skip() {
    selected "$1" || return 0
    if [ "${CI:-0}" = 1 ]; then
        echo "$2" >"$BOX/why"
        fail "$1" "(not run)"
    else
        skipped=$((skipped + 1))
        echo "ok - $TOPIC: $1 # SKIP $2"
    fi
}

# A test that means nothing in this build, and is run in another one: says which.
exempt() {
    selected "$1" || return 0
    exempted=$((exempted + 1))
    echo "ok - $TOPIC: $1 # EXEMPT $2"
}

# need TOOL TEST-NAME: is the tool there? If not, the test named is skipped.
need() {
    command -v "$1" >/dev/null && return 0
    skip "$2" "$1 is not installed: tools/install-deps all"
    return 1
}

why() { printf '%s\n' "$*" >>"$BOX/why"; }

# shown FILE: its first lines, short and printable
shown() { head -c 2000 "$1" | head -n 8 | cut -c 1-200 | cat -v | sed 's/^/    /' >>"$BOX/why"; }

# same EXPECTED ACTUAL WHAT
same() {
    cmp -s "$1" "$2" && return 0
    why "$3 differs: $(cmp "$1" "$2" 2>&1 | sed "s|$BOX/||g" | cut -c 1-200)"
    why "expected:"
    shown "$1"
    why "got:"
    shown "$2"
}

# matches RE FILE WHAT
matches() {
    grep -qE -e "$1" "$2" && return 0
    why "no line of $3 matches: $1"
    why "$3:"
    shown "$2"
}

t() {
    local name=$1 status=0 seconds=60 want='' want_file='' quiet=0 got re
    local has_want=0 out_res=() err_res=() not_res=()
    shift
    while [ $# -gt 1 ]; do
        case $1 in
        -s) status=$2 && shift 2 ;;
        -o) want=$2 has_want=1 && shift 2 ;;
        -O) want_file=$2 && shift 2 ;;
        -m) out_res+=("$2") && shift 2 ;;
        -e) err_res+=("$2") && shift 2 ;;
        -n) not_res+=("$2") && shift 2 ;;
        -E) quiet=1 && shift ;;
        -T) seconds=$2 && shift 2 ;;
        *) echo "t: $name: unknown expectation $1" >&2 && exit 2 ;;
        esac
    done
    selected "$name" || return 0
    : >"$BOX/why"
    timeout -k 5 $((seconds * TIME_SCALE)) bash -o pipefail -c "$1" \
        >"$BOX/out" 2>"$BOX/err" </dev/null
    got=$?
    [ $got -eq "$status" ] || why "status $got, expected $status"
    if [ $got -ge 124 ] && [ $got -ne "$status" ]; then
        why "(124 and 137: it may have passed the limit of $((seconds * TIME_SCALE)) s)"
    fi
    if [ $has_want -eq 1 ]; then
        { [ -z "$want" ] || printf '%s\n' "$want"; } >"$BOX/want"
        same "$BOX/want" "$BOX/out" stdout
    fi
    [ -z "$want_file" ] || same "$want_file" "$BOX/out" stdout
    for re in ${out_res[@]+"${out_res[@]}"}; do matches "$re" "$BOX/out" stdout; done
    for re in ${err_res[@]+"${err_res[@]}"}; do matches "$re" "$BOX/err" stderr; done
    for re in ${not_res[@]+"${not_res[@]}"}; do
        if grep -qE -e "$re" "$BOX/err"; then
            why "a line of stderr matches: $re"
        fi
    done
    if [ $quiet -eq 1 ] && [ -s "$BOX/err" ]; then
        why "stderr is not empty"
    fi
    if grep -qE 'Sanitizer|runtime error:|^==[0-9]+==' "$BOX/err"; then
        why "a sanitizer reports"
    fi
    if [ -s "$BOX/why" ]; then
        if [ -s "$BOX/out" ] && ! grep -qE '^(got|stdout):' "$BOX/why"; then
            why "stdout was:"
            shown "$BOX/out"
        fi
        if [ -s "$BOX/err" ]; then
            why "stderr was:"
            shown "$BOX/err"
        fi
        fail "$name" "$1"
    else
        pass "$name"
    fi
}

finish() {
    [ $skipped -eq 0 ] || echo "# $skipped skipped"
    if [ $((passed + failed + skipped + exempted)) -eq 0 ]; then
        echo "not ok - $TOPIC: no test ran"
        failed=1
    fi
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}
