#!/bin/sh
# Holds a session with an ephemeral znode of its own, and follows a znode until that is deleted, with nothing but curl and sed.
# Each poll bears the session, which renews it.
#
#     sh watch-config.sh http://localhost:8080,http://localhost:8081 /config /members/me
#
# It prints every change once, in order, whatever happens to gateways and leaders meanwhile.
set -eu
doors=$1 watched=$2 member=$3
session=none

# ask METHOD PATH [CURL'S ARGUMENTS]: the body of an answer. Only for what may be done twice: whoever meets a gateway that is gone
# (or has no answer in time; a poll is answered within a third of the session's timeout) goes on to the next.
ask() {
  method=$1 path=$2
  shift 2
  for _ in $(seq 100); do
    answer=$(curl -sS -m 4 -X "$method" -w '\n%{http_code}' "$@" "${doors%%,*}$path" 2>/dev/null) || answer=000
    status=${answer##*
}
    case $status in
      2??) printf '%s\n' "${answer%?$status}"; return ;;
      429 | 5?? | 000) ;;
      *) printf '%s\n' "$answer" >&2; return 1 ;;
    esac
    case $doors in *,*) doors=${doors#*,},${doors%%,*} ;; esac
    sleep 0.1
  done
  echo "$method $path: no answer" >&2
  return 1
}

# field NAME: of the JSON on standard input, whose texts have no quotes in them here.
field() {
  sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

opened=$(ask POST /v1/sessions -H 'Content-Type: application/json' -d '{"timeout":"6s","name":"shell"}')
id=$(echo "$opened" | field id)
session="Quorate-Session: $id:$(echo "$opened" | field secret)"
echo "session $id"

# A put of one's own ephemeral may be repeated.
ask PUT "/v1/znodes$member?ephemeral=true" -H "$session" >/dev/null
echo "member $member"

cursor=$(ask GET "/v1/watch?node=$watched" | field cursor)
echo "watching $watched"
while :; do
  # An answer of 410 says that the session is over; ask fails then, and so do we.
  poll=$(ask GET "/v1/watch?node=$watched&wait=30s&after=$cursor" -H "$session")
  # An event is {"zxid":"0x…","type":"changed","path":"/config","version":7,…}.
  events=$(echo "$poll" | tr '{' '\n' | sed -n 's/^"zxid":"\([^"]*\)","type":"\([^"]*\)".*"version":\([0-9]*\).*/\2 \3 \1/p')
  [ -z "$events" ] || echo "$events"
  case $events in *deleted*) break ;; esac
  cursor=$(echo "$poll" | field cursor)
done

ask DELETE "/v1/sessions/$id" -H "$session" >/dev/null
echo closed
