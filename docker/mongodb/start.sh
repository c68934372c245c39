#!/usr/bin/env bash
# Starts MongoDB as a replica set of one, with authentication. Members of a set must share a key; it is made on the first start.
set -euo pipefail
key=/data/configdb/keyfile
if [ ! -s "$key" ]; then
    umask 077
    openssl rand -base64 512 >"$key.new"
    mv "$key.new" "$key"
fi
chmod 400 "$key"
chown mongodb "$key"
# A backup reads all of it in one snapshot, which MongoDB keeps for five minutes unless told: an hour.
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$key" --bind_ip_all --wiredTigerCacheSizeGB "$CACHE_GB" \
    --setParameter minSnapshotHistoryWindowInSeconds=3600
