#!/bin/sh
# Starts Redis with a password that stands on no command line. What it holds are jobs and events on their way.
set -eu
exec docker-entrypoint.sh redis-server - <<CONFIG
dir /data
requirepass $REDISCLI_AUTH
# Jobs survive a restart, but for those of its last second.
appendonly yes
appendfsync everysec
# A full Redis says so; it does not throw jobs away.
maxmemory 400mb
maxmemory-policy noeviction
# A web process that cannot keep up is cut off, and asks anew.
client-output-buffer-limit pubsub 64mb 16mb 60
CONFIG
