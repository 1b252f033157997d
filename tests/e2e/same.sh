#!/usr/bin/env bash
# same: one answer for every width and every chunk size.
#
#   same.sh FEED ARGUMENTS...
#
# The serial engine is the executable specification: its output and its diagnostics are the
# reference. Then every number of threads x chunk size must give the same bytes. FEED is a
# shell command whose output is piped in ('' : no stdin). Prints what differs; status 1 then.
set -u -o pipefail
feed=$1
shift
# shellcheck disable=SC2206 # QUERN may be a command with arguments
quern=($QUERN)

# run OUT ARGUMENTS...: leaves stdout, status and diagnostics of bad records in OUT.*
run() {
    local out=$1
    shift
    if [ -n "$feed" ]; then
        bash -c "$feed" | "${quern[@]}" "$@" >"$out.out" 2>"$out.err"
    else
        "${quern[@]}" "$@" >"$out.out" 2>"$out.err" </dev/null
    fi
    echo $? >"$out.status"
    grep -E "^quern: [^ ]+: " "$out.err" | grep -v '^quern: warning: ' >"$out.diag"
    grep -hE 'Sanitizer|runtime error:' "$out.err" >&2
    return 0
}

run ref "$@" --engine=serial -j1
case $(cat ref.status) in
0 | 1) ;;
*)
    echo "the serial engine: status $(cat ref.status)"
    head -n 5 ref.err
    exit 1
    ;;
esac
bad=0
# Under a sanitizer, where a run costs ten times as much, only the corners.
if [ -n "${SANITIZER:-}" ]; then
    widths=(1 3) chunks=(64 '')
else
    widths=(1 2 3 8) chunks=(64 1000 '')
fi
for threads in "${widths[@]}"; do
    for chunk in "${chunks[@]}"; do
        run got "$@" -j "$threads" ${chunk:+--chunk="$chunk"}
        for part in out status diag; do
            if ! cmp -s ref.$part got.$part; then
                echo "-j $threads --chunk=${chunk:-default}: $part differs"
                cmp ref.$part got.$part
                bad=1
            fi
        done
    done
done
[ $bad -eq 0 ] && sha256sum <ref.out | cut -c 1-16
exit $bad
