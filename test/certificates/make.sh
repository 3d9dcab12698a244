#!/bin/sh
# Makes the certificates of this folder anew: see README.md.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
from=20260101000000Z
to=21260101000000Z

authority() { # NAME COMMON-NAME
  mkdir "$work/$1"
  : > "$work/$1/index.txt"
  cat > "$work/$1.cnf" <<CNF
[ca]
default_ca = this
[this]
database = $work/$1/index.txt
new_certs_dir = $work/$1
rand_serial = yes
certificate = $1.cert.pem
private_key = $1.key.pem
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = optional
CNF
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key.pem"
  openssl req -new -key "$1.key.pem" -subj "/CN=$2" -out "$work/$1.csr"
  printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n' > "$work/ext"
  sign "$1" "$1" "$from" "$to" "-selfsign -keyfile $1.key.pem"
}

sign() { # NAME AUTHORITY FROM TO [OPTION]
  openssl ca -batch -notext -config "$work/$2.cnf" -extfile "$work/ext" \
    -startdate "$3" -enddate "$4" ${5:-} -in "$work/$1.csr" -out "$1.cert.pem" 2> "$work/log" ||
    { cat "$work/log" >&2; exit 1; }
}

certificate() { # NAME AUTHORITY COMMON-NAME USAGE SUBJECT-ALT-NAME [FROM TO]
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key.pem"
  openssl req -new -key "$1.key.pem" -subj "/CN=$3" -out "$work/$1.csr"
  printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\n' "$4" > "$work/ext"
  if [ -n "$5" ]; then printf 'subjectAltName=%s\n' "$5" >> "$work/ext"; fi
  sign "$1" "$2" "${6:-$from}" "${7:-$to}"
}

authority ca "sipkit test authority"
authority unknown-ca "an authority that nobody knows"

both=serverAuth,clientAuth
certificate example ca server.example.com $both \
  "URI:sip:example.com,URI:sip:server.example.com,DNS:server.example.com,DNS:example.com,IP:127.0.0.1,IP:::1"
certificate other ca other.example.com $both "DNS:other.example.com,IP:127.0.0.1"
certificate wildcard ca "*.example.net" $both "DNS:*.example.net"
certificate common-name ca common.example.com $both ""
certificate client ca alice clientAuth "URI:sip:alice@example.com,URI:sip:client.example.com"
certificate expired ca example.com $both "DNS:example.com,IP:127.0.0.1" 20240101000000Z 20250101000000Z
organisation() { # NAME HOST...
  name=$1
  shift
  certificate "$name" ca "$1" $both "DNS:$(echo "$*" | sed 's/ /,DNS:/g')"
}
organisation atlanta atlanta.example.com ss1.atlanta.example.com alg1.atlanta.example.com \
  client.atlanta.example.com atlanta.com bigbox3.site3.atlanta.com pc33.atlanta.com
organisation biloxi biloxi.example.com ss2.biloxi.example.com client.biloxi.example.com \
  biloxi.com registrar.biloxi.com server10.biloxi.com bobspc.biloxi.com
organisation chicago chicago.example.com ss3.chicago.example.com client.chicago.example.com
organisation proxy proxy.example.com example.com

certificate unknown unknown-ca example.com $both "DNS:example.com,IP:127.0.0.1"
rm unknown-ca.key.pem
