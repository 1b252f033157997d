#!/usr/bin/env bash
# quern factor against GNU factor, byte for byte: ranges, windows, random lists, and every
# way of handing the same numbers over. GNU factor is the oracle; quern is never its own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! factor --version 2>/dev/null | grep -q GNU; then
    skip "GNU factor" "factor of GNU coreutils is not installed"
    finish
fi

# range LOW HIGH
range() {
    seq "$1" "$2" | factor >want
    t "range $1..$2" -O want -E "\$QUERN factor $1..$2"
}
range 0 $((100000 / DIV))
range 4294967196 4294967396                     # 2^32
range 9007199254740942 9007199254741042         # 2^53
range 9223372036854775758 9223372036854775858   # 2^63
range 18446744073709551566 18446744073709551666 # 2^64
range 1208925819614629174676 1208925819614629174736 # 2^80

# list KIND COUNT
list() {
    $ORACLE numbers "$1" "$2" 1 >"$1.in"
    factor <"$1.in" >"$1.want"
    t "list of $2 '$1'" -O "$1.want" -E "\$QUERN factor $1.in"
}
list bits $((20000 / DIV))
list u64 $((3000 / DIV))
list semi64 $((400 / DIV))
list small $((100000 / DIV))
list w3 64
$ORACLE numbers edges 0 0 | awk 'length < 27' >edges.in
factor <edges.in >edges.want
t "edges and numbers made to fool" -O edges.want -E '$QUERN factor edges.in'

# The same numbers in every dress give the same bytes.
cp bits.want want
t "stdin" -O want -E '$QUERN factor <bits.in'
t "pipe" -O want -E 'cat bits.in | $QUERN factor'
t "stdin as -" -O want -E 'cat bits.in | $QUERN factor -'
t "options after the input" -O want '$QUERN factor bits.in -j2'
t "trial division on small numbers" -O small.want -E '$QUERN factor --method=trial small.in'
t "trial division on W3" -O w3.want -E '$QUERN factor --method=trial w3.in'
t "CRLF" -O want -E 'sed "s/\$/\r/" bits.in | $QUERN factor'
t "leading zeros" -O want -E 'sed "s/^/00000000000000000000000000/" bits.in | $QUERN factor'
t "leading plus" -O want -E 'sed "s/^/+/" bits.in | $QUERN factor'
t "plus and zeros" -O want -E 'sed "s/^/+000/" bits.in | $QUERN factor'
t "a byte order mark" -O want -E '{ printf "\357\273\277"; cat bits.in; } | $QUERN factor'
t "all on one line" -O want -E 'tr "\n" " " <bits.in | $QUERN factor'
t "tabs, blanks, empty lines" -O want -E \
    'sed "s/^/ \t /; s/\$/ \t\n\n/" bits.in | $QUERN factor'
t "form feed and vertical tab" -O want -E 'tr "\n" "\f" <bits.in | tr 1 1 | $QUERN factor'
t "no newline at the end" -O want -E 'printf %s "$(cat bits.in)" | $QUERN factor'
t "comments" -O want -E 'sed "s/\$/ # 17 not this/; 1i # 19" bits.in | $QUERN factor'
head -n 200 bits.in >few.in
head -n 200 bits.want >few.want
t "literals" -O few.want -E '$QUERN factor $(cat few.in)'
t "literals with zeros and plus" -O few.want -E '$QUERN factor $(sed "s/^/00/" few.in)'
t "two files" -O want -E \
    'head -n 100 bits.in >a; tail -n +101 bits.in >b; $QUERN factor a b'
t "a file whose last line has no newline does not run into the next" -O want -E \
    'printf %s "$(head -n 100 bits.in)" >a; tail -n +101 bits.in >b; $QUERN factor a b'
t "file, stdin, range and literal in the order given" -E \
    -o $'2: 2\n3: 3\n4: 2 2\n5: 5\n6: 2 3\n7: 7\n8: 2 2 2\n9: 3 3' \
    'printf "2\n3\n" >a; printf "8" | $QUERN factor a 4..6 7 - 9'
t "called by the name factor" -O want -E 'ln -sf "$QUERN" factor; ./factor <bits.in'

# Exponents: p^e for e > 1, as newer coreutils print them.
awk '{ line = $1; for (i = 2; i <= NF; i = j) {
           for (j = i; j <= NF && $j == $i; j++) ;
           line = line " " $i (j - i > 1 ? "^" (j - i) : "") }
       print line }' bits.want >exponents.want
t "exponents -h" -O exponents.want -E '$QUERN factor -h bits.in'
t "exponents --exponents" -O exponents.want -E '$QUERN factor --exponents bits.in'
t "the example of the contract" -o '360: 2^3 3^2 5' -E '$QUERN factor -h 360'
t "0 and 1" -o $'0:\n1:' -E '$QUERN factor 0 1'
sort want >sorted.want
t "unordered: the same lines" -O sorted.want '$QUERN factor --unordered bits.in | sort'
finish
