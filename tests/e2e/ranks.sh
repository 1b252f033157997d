#!/usr/bin/env bash
# ranks: one answer for every number of ranks.
#
#   ranks.sh FEED ARGUMENTS...
#
# As same.sh, but under each MPI's launcher: the serial engine of one process says what is
# right, and then every width (RANKSxTHREADS, in $WIDTHS) must give the same bytes,
# diagnostics and status. FEED is a shell command whose output is piped in ('': no stdin).
# SORTED=1 compares the lines sorted. Prints what differs; status 1 then.
set -u -o pipefail
feed=$1
shift

# run OUT COMMAND...: leaves stdout, status and diagnostics of bad records in OUT.*
run() {
    local out=$1
    shift
    if [ -n "$feed" ]; then
        bash -c "$feed" | timeout -k 5 $((60 * TIME_SCALE)) "$@" >"$out.out" 2>"$out.err"
    else
        timeout -k 5 $((60 * TIME_SCALE)) "$@" >"$out.out" 2>"$out.err" </dev/null
    fi
    echo $? >"$out.status"
    [ -z "${SORTED:-}" ] || sort -o "$out.out" "$out.out"
    grep -E "^quern: [^ ]+:[0-9]+: " "$out.err" >"$out.diag"
    if grep -qE 'Sanitizer|runtime error:' "$out.err"; then cat "$out.err" >&2; fi
    return 0
}

run ref "$QUERN" "$@" --engine=serial -j1
case $(cat ref.status) in
0 | 1) ;;
*)
    echo "the serial engine: status $(cat ref.status)"
    head -n 5 ref.err
    exit 1
    ;;
esac
bad=0
while read -r -u 9 mpi launch; do
    for width in $WIDTHS; do
        # shellcheck disable=SC2086 # a launcher has arguments
        run got $launch -n "${width%x*}" "$QUERN" "$@" -j "${width#*x}"
        for part in out status diag; do
            if ! cmp -s ref.$part got.$part; then
                echo "$mpi, $width ranks x threads: $part differs"
                cmp ref.$part got.$part
                diff ref.$part got.$part | head -n 6 | cut -c 1-200
                tail -n 12 got.err
                bad=1
            fi
        done
    done
done 9<<<"$LAUNCHERS"
exit $bad
