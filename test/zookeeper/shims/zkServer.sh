#!/bin/sh
# `zkServer.sh start-foreground ZOO.CFG`, as ZooKeeper's own, but what it starts is a Quorate replica.
[ "$1" = start-foreground ] || { echo "only start-foreground" >&2; exit 2; }
# The flags of the Java machine are words.
# shellcheck disable=SC2086
exec "$(dirname "$0")/java" $SERVER_JVMFLAGS "$2"
