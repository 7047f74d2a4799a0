#!/bin/bash
# Run once by the postgres image: what scripts/pg gives a server that it makes itself (a role whose members need their
# password, and TLS).
set -euo pipefail
tls=${PGPROOF_SHARE:-/tmp/pgproof-test}/tls
sed -i '1i host all +pgproof_scram all scram-sha-256' "$PGDATA/pg_hba.conf"
psql -qX -U postgres -d postgres -c 'create role pgproof_scram'
if [ -f "$tls/server.key" ]; then
  install -m 0600 "$tls/server.key" "$tls/server.crt" "$PGDATA/"
  psql -qX -U postgres -d postgres -c 'alter system set ssl = on'
fi
[ "${PG_MAJOR:-0}" -lt 15 ] || psql -qX -U postgres -d postgres -c 'alter system set allow_in_place_tablespaces = on'
