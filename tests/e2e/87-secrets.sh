#!/usr/bin/env bash
# Secrets: they reach the server that they are for, and nothing else: no other host, no
# report, no message, no journal, no argument that other users could see.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
certs
serve
SECRET=hunter2-tok3n
export SECRET
# seen TARGET FIELD: what the server got as that header field in the last request for it
seen() {
    python3 - "$1" "$2" <<'END'
import json
import os
import sys
found = ["(no request)"]
for line in map(json.loads, open(os.environ["LOG"], encoding="utf-8")):
    if line["event"] == "request" and sys.argv[1] in line["target"]:
        found.append(line["headers"].get(sys.argv[2], "none"))
print(found[-1])
END
}
export -f seen
# leaks: nothing below here has the secret in it
leaks() {
    grep -raF -e "$SECRET" -e "$(printf %s "user:$SECRET" | base64)" . && rm -rf ./* && exit 9
    return 0
}
export -f leaks

# --- a header, from the environment and from a file
t "a header from the environment" -o "Bearer $SECRET" \
    '$QUERN fetch -v -O e1 --report e1.rep --failed e1.fail \
         --header "Authorization: Bearer \${SECRET}" "$BASE/ok/head1" "$BASE/status;code=404/x" \
         >out 2>err; seen head1 authorization; leaks'
mkdir ../private
printf 'Authorization: Bearer %s\nX-More: 1\n' "$SECRET" >../private/headers
t "headers from a file" -o "Bearer $SECRET 1" \
    '$QUERN fetch -v -O e2 --report e2.rep --header @../private/headers "$BASE/ok/head2" >out 2>err
     echo $(seen head2 authorization) $(seen head2 x-more); leaks'
t "a header of a job file, and its journal" -o "Bearer $SECRET" \
    'printf "[job]\ncommand = prime\nheader = @../private/headers\ninput = %s\n" \
         "$BASE/numbers;to=50/head3" >h.job
     $QUERN run h.job -v -o j1 --stats j1.stats >out 2>err || $QUERN run h.job -v -o j1 >out 2>err
     seen head3 authorization; leaks'
t "it does not follow a redirect to another host" -o "Bearer $SECRET none" \
    '$QUERN fetch -q -O e3 --header @../private/headers \
         "$BASE/redirect;to=http:%2f%2f127.0.0.1:$other%2fok%2fthere3/asked3" >out
     echo $(seen asked3 authorization) $(seen ok/there3 authorization); leaks'
t "it does follow one within the host" -o "Bearer $SECRET" \
    '$QUERN fetch -q -O e4 --header @../private/headers "$BASE/redirect;to=%2fok%2fthere4/x" >out
     seen ok/there4 authorization'
t "nor from https to http" -s 1 -o '(no request)' \
    '$QUERN fetch -q -O e5 --cacert "$CA" --header @../private/headers \
         "https://127.0.0.1:$https/redirect;to=http:%2f%2f127.0.0.1:$http%2fok%2fthere5/x" >out
     s=$?; seen ok/there5 authorization; exit $s'

t "a header given as it is, in statistics" -o "Bearer $SECRET" -e '"header":"\(hidden\)"' \
    '$QUERN fetch -q --discard --stats h.stats --header "Authorization: Bearer $SECRET" "$BASE/ok/head6" >out
     tr -d " \n" <h.stats >&2; seen head6 authorization; leaks'
t "... of a kernel, and a proxy" -e '"proxy":"\(hidden\)"' \
    '$QUERN prime -q --stats k.stats --header="X-Key: $SECRET" --proxy "me:$SECRET@${BASE#*//}" "$BASE/numbers;to=3/head7" >out
     tr -d " \n" <k.stats >&2; leaks'

# --- a name and a password in a URL
url() { printf 'http://user:%s@127.0.0.1:%s/%s\n' "$SECRET" "$1" "$2"; }
export -f url
t "a password in a URL arrives" -m '^ok	200' \
    'url $http "auth;user=user;password=$SECRET/pw1" >../private/urls
     $QUERN fetch -q -O p1 @../private/urls >../private/out; sed "s/$SECRET.pw1/X/g" ../private/out'
t "and is not told again" \
    '(url $http ok/pw2; url $http "status;code=404/pw2"; url $closed pw2;
      url $http "redirect;to=loop/pw2"; url $http "reset/pw2") >../private/urls
     $QUERN fetch -v --tries 1 -O p2 --report p2.rep @../private/urls >p2.out 2>p2.err; leaks'
t "nor by a kernel" \
    '(url $http "numbers;to=9"; url $http "status;code=404/pw3"; url $http "cut;at=9/numbers") \
         >../private/urls
     for f in text jsonl csv; do
         $QUERN prime -v --tries 1 --format $f -o p3.$f @../private/urls >p3.out$f 2>p3.err$f; done
     test -s p3.jsonl && leaks'
t "it goes to the first host only" -o none \
    'url $http "redirect;to=http:%2f%2f127.0.0.1:$other%2fok%2fpw4/x" >../private/urls
     $QUERN fetch -q -O p4 @../private/urls >out; seen ok/pw4 authorization'
t "--failed can be used again: it is the user's own list, and nobody else's" -o 600 \
    'url $http "status;code=404/pw5" >../private/urls
     $QUERN fetch -q -O p5 --failed ../private/again @../private/urls >out
     cmp ../private/urls ../private/again && stat -c %a ../private/again'

# --- netrc only when asked; cookies only when asked
printf 'machine 127.0.0.1 login user password %s\n' "$SECRET" >../private/.netrc
chmod 600 ../private/.netrc
t "no netrc of its own accord" -o none \
    'HOME=$PWD/../private $QUERN fetch -q -O n1 "$BASE/ok/netrc1" >out; seen netrc1 authorization'
t "--netrc" -m '^Basic ' \
    'HOME=$PWD/../private $QUERN fetch -q -O n2 --netrc "$BASE/ok/netrc2" >out
     seen netrc2 authorization; leaks'
t "no cookies of its own accord" -o none \
    '$QUERN fetch -q -O c1 --workers 1 "$BASE/cookie/ck1" "$BASE/cookie/ck2" >out; seen ck2 cookie'
t "--cookies" -o 'crumb=abc' \
    '$QUERN fetch -q -O c2 --cookies --workers 1 "$BASE/cookie/ck3" "$BASE/cookie/ck4" >out
     seen ck4 cookie'

# --- what it says of itself
t "no Accept-Encoding, no Referer, no surprises" -o 'none none */*' \
    '$QUERN fetch -q -O s1 "$BASE/ok/self1" >out
     echo $(seen self1 accept-encoding) $(seen self1 referer) "$(seen self1 accept)"'
t "the user agent" -m '^quern/[0-9.]+' '$QUERN fetch -q -O s2 "$BASE/ok/self2" >out; seen self2 user-agent'
t "--user-agent" -o 'me 1' '$QUERN fetch -q -O s3 --user-agent "me 1" "$BASE/ok/self3" >out; seen self3 user-agent'
t "a header with a line break is refused" -s 2 -o '' \
    '$QUERN fetch -O s4 --header "$(printf "A: b\r\nHost: evil")" "$BASE/ok/self4"'
t "a header without a colon is refused" -s 2 -o '' -e 'header' \
    '$QUERN fetch -O s5 --header "nothing" "$BASE/ok/self5"'
t "a name that is not in the environment" -s 2 -o '' -e 'UNSET_NAME' \
    '$QUERN fetch -O s6 --header "A: \${UNSET_NAME}" "$BASE/ok/self6"'

# --- proxies: the environment's, ours, and none
t "the environment's proxy" -m '^http://elsewhere.example/ok/px1$' \
    'http_proxy=$BASE $QUERN fetch -q -O x1 "http://elsewhere.example/ok/px1" >out
     sed -n "s/.*\"target\": \"\([^\"]*px1\)\".*/\1/p" "$LOG" | head -n 1'
t "--proxy" -m '^http://elsewhere.example/ok/px2$' \
    '$QUERN fetch -q -O x2 --proxy "$BASE" "http://elsewhere.example/ok/px2" >out
     sed -n "s/.*\"target\": \"\([^\"]*px2\)\".*/\1/p" "$LOG" | head -n 1'
t "--no-proxy" -m '^/ok/px3$' \
    'http_proxy=http://127.0.0.1:$closed $QUERN fetch -q -O x3 --no-proxy 127.0.0.1 "$BASE/ok/px3" >out
     sed -n "s/.*\"target\": \"\([^\"]*px3\)\".*/\1/p" "$LOG" | head -n 1'
t "https through a proxy" -m '^ok	200' \
    '$QUERN fetch -q -O x4 --cacert "$CA" --proxy "$BASE" "https://127.0.0.1:$https/ok/px4"'
t "a proxy's password is not told" \
    'https_proxy= $QUERN fetch -v -O x5 --report x5.rep --tries 1 --proxy "http://user:$SECRET@127.0.0.1:$closed" \
         "http://elsewhere.example/x" >x5.out 2>x5.err; leaks'
t "--deny-private" -s 1 -m '^(connect|usage|protocol|redirect)' \
    '$QUERN fetch -q -O x6 --tries 1 --deny-private "$BASE/ok/private"'
finish
