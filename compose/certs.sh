#!/bin/sh
# Make what a federation needs, and nothing that is there already: CA, homes, certificates, cards. And the
# revocation list of the day, each time.
#
#     certs.sh ROOT CODE:NAME:HOST...
#
# ROOT/authority/ca        the CA; on a machine of its own in production
# ROOT/secret-ca           the passphrase of its keys
# ROOT/CODE/node.toml      a province's configuration, given
# ROOT/CODE/data/home      its keys, certificates and database
# ROOT/CODE/secret         the passphrase of its keys
#
# In production every administrator does their own part, and the fingerprints given here are read out by
# telephone (docs/configuration.md). The first province given only asks the others.
set -eu
umask 077

root=$1
shift
ca=$root/authority/ca word=$root/secret-ca/passphrase
first=${1%%:*}

make_passphrase() { # file
    [ -s "$1" ] && return
    mkdir -p "${1%/*}"
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$1.part"
    mv "$1.part" "$1"
}

make_home() {
    code=$1 name=$2 host=$3
    config=$root/$code/node.toml home=$root/$code/data/home passphrase=$root/$code/secret/passphrase
    mkdir -p "$root/$code/data"
    make_passphrase "$passphrase"
    if [ ! -d "$home" ]; then
        heqiao init --home "$home" --code "$code" --name "$name" --host "$host" --passphrase-file "$passphrase"
    fi
    rm -f "$home/node.toml" # the one given is the configuration
    if [ ! -f "$home/tls/node.pem" ]; then
        heqiao ca issue --dir "$ca" "$home/request.json" --out "$root/authority/$code.bundle" \
            --passphrase-file "$word" --fingerprint "$(heqiao fingerprint "$home/request.json")"
        heqiao join --home "$config" "$root/authority/$code.bundle" \
            --ca-fingerprint "$(heqiao fingerprint "$ca/ca.pem")"
    fi
    [ -f "$root/authority/$code.card" ] || heqiao card --home "$config" --out "$root/authority/$code.card"
}

add_peer() { # own, peer, options
    config=$root/$1/node.toml card=$root/authority/$2.card peer=$2
    shift 2
    if ! heqiao peers list --home "$config" --json | grep -q "\"code\": \"$peer\""; then
        heqiao peers add --home "$config" "$@" "$card" --fingerprint "$(heqiao fingerprint "$card")"
    fi
}

mkdir -p "$root/authority"
make_passphrase "$word"
[ -d "$ca" ] || heqiao ca init --dir "$ca" --federation cluster --passphrase-file "$word"
running=
for province in "$@"; do
    host=${province##*:} name=${province#*:}
    make_home "${province%%:*}" "${name%:*}" "$host" &
    running="$running $!"
done
for one in $running; do
    wait "$one" # fails, and with it the script, when that home could not be made
done
for province in "$@"; do
    code=${province%%:*}
    [ "$code" = "$first" ] && continue
    add_peer "$first" "$code" --grant none # it asks
    # It answers, about people first registered over there; financial and medical items are granted by name.
    add_peer "$code" "$first" --grant "$first,C23:$first,D35:$first"
done
# Members whose revocation list is older than 95 days serve nobody; the CA publishes it every 30 days.
heqiao ca publish --dir "$ca" --passphrase-file "$word" --out "$root/authority/revoked.pem"
for province in "$@"; do
    heqiao peers revocations --home "$root/${province%%:*}/node.toml" "$root/authority/revoked.pem"
done
echo "certs: all is there"
