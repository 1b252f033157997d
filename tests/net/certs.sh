#!/usr/bin/env bash
# certs.sh DIR: a certificate authority of the tests' own, made afresh, and what it signs.
#
#   ca.pem           the authority: for --cacert
#   good.pem         127.0.0.1 and localhost, valid: certificate and key in one file
#   expired.pem      was valid for a day in 2020
#   wronghost.pem    for another host
#   selfsigned.pem   signed by nobody else
set -eu
cd "$1"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }

# sign NAME SUBJECT-ALTERNATIVE-NAMES FROM TO
sign() {
    local name=$1 names=$2 from=$3 to=$4
    key "$name.key"
    openssl req -new -key "$name.key" -subj "/CN=quern test $name" -out "$name.csr"
    printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$names" >"$name.ext"
    openssl ca -batch -notext -config ca.conf -extfile "$name.ext" \
        -startdate "$from" -enddate "$to" -in "$name.csr" -out "$name.crt" 2>/dev/null
    cat "$name.crt" "$name.key" >"$name.pem"
}

cat >ca.conf <<'END'
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = names
[names]
END
: >index.txt
echo 01 >serial
later=$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)
today=$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)
here='IP:127.0.0.1,DNS:localhost'

key ca.key
openssl req -x509 -new -key ca.key -subj '/CN=quern test authority' -days 30 \
    -addext basicConstraints=critical,CA:TRUE -out ca.pem 2>/dev/null
sign good "$here" "$today" "$later"
sign expired "$here" 20200101000000Z 20200102000000Z
sign wronghost 'DNS:elsewhere.example' "$today" "$later"
key selfsigned.key
openssl req -x509 -new -key selfsigned.key -subj '/CN=quern test selfsigned' -days 30 \
    -addext "subjectAltName=$here" -out selfsigned.crt 2>/dev/null
cat selfsigned.crt selfsigned.key >selfsigned.pem
