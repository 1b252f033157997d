#!/usr/bin/env bash
# quern fetch against a server that does everything wrong: the right outcome for each URL,
# no file that should not be there, and an end in time. tests/net/matrix.py has the rows.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"
certs
serve
for group in statuses sound malformed redirects urls tls compressed capped ratelimited; do
    t "$group" 'python3 "$NET/matrix.py" '$group
done
finish
