#!/usr/bin/env bash
# The servers that the tests of fetching rely on: do they do what they say?
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=../net/net.sh
. "$ROOT/tests/net/net.sh"

if [ -n "$SANITIZER" ]; then
    exempt "the server" "nothing of it is compiled"
    finish
fi
t "the server misbehaves as it says" -e '^OK$' 'python3 "$NET/selftest.py"'
t "its list names every behaviour" -m '^  flaky ' -m '^  limited ' -m '^  badchunk ' \
    'python3 "$NET/server.py" --list'

if need /usr/sbin/nginx "nginx"; then
    certs
    serve_nginx
    t "nginx: 1 KB" -o 1024 'curl -sS "http://127.0.0.1:$nginx/k1/7" | wc -c'
    t "nginx: 64 MiB" -o 67108864 'curl -sS "http://127.0.0.1:$nginx/big/7" | wc -c'
    t "nginx: TLS" -o 1024 'curl -sS --cacert "$CA" "https://127.0.0.1:$nginxs/k1/7" | wc -c'
    t "nginx: HTTP/2" -o '200 2' \
        'curl -sS -o /dev/null -w "%{http_code} %{http_version}\n" --http2 --cacert "$CA" \
             "https://localhost:$nginx2/k1/7"'
    stop_servers
    t "nginx has gone" -s 7 'curl -s "http://127.0.0.1:$nginx/k1/7"'
fi
finish
