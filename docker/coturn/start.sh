#!/bin/sh
# Starts the relay with what differs from host to host, which comes from .env: the secret stands on no command line.
set -eu
here=$(dirname "$0")
umask 077
config=$(mktemp)
{
    cat "$here/turnserver.conf"
    echo "realm=$TURN_HOST"
    echo "static-auth-secret=$TURN_SECRET"
    [ -z "${TURN_EXTERNAL_IP:-}" ] || echo "external-ip=$TURN_EXTERNAL_IP"
    [ ! -e "$here/cert.pem" ] || printf 'tls-listening-port=5349\ncert=%s/cert.pem\npkey=%s/key.pem\n' "$here" "$here"
} >"$config"
exec turnserver -c "$config" "$@"
