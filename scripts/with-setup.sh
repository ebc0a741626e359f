#!/bin/sh
# Installs what package-lock.json names when it is not there yet, then runs the given command with the Node that
# npm brought (Node 24), whatever the machine's own is.
set -e
cd "$(dirname "$0")/.."
export TURBO_TELEMETRY_DISABLED=1
if [ ! -f node_modules/.quorate-setup ] || [ package-lock.json -nt node_modules/.quorate-setup ]; then
  echo "setting up: npm install" >&2
  npm install --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.quorate-setup
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec "$@"
