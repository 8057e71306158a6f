#!/usr/bin/env bash
# Makes a Mosquitto safe for boxes: certificates, users, rules, and the files that a new box needs. What is there already
# stays; a second call changes nothing.
#
#   broker.sh set-up HOST...       HOST: each name or address under which the broker is reached, the usual one first
#   broker.sh add-box ID           ID: the id of the box, as `moodboxd` says it at its start
#   broker.sh remove-box ID        its user and rules; `moodbox remove ID` clears what the broker has kept of it
#
# Options, before the command: --folder DIR (/etc/mosquitto/moodbox), --conf DIR (/etc/mosquitto/conf.d), --port N (as it is
# there, else 8883).
# Passwords are made here and written to files of mode 600; none is ever an argument or printed.
set -euo pipefail
umask 077
shipped=$(cd "$(dirname "$0")" && pwd)
folder=/etc/mosquitto/moodbox
conf=/etc/mosquitto/conf.d
unset port

fail() { printf 'broker: %s\n' "$1" >&2; exit "${2:-1}"; }
usage() { fail "usage: broker.sh [--folder DIR] [--conf DIR] [--port N] set-up HOST... | add-box ID | remove-box ID" 2; }

# The broker runs as a user of its own and must read this.
for_broker() {
  chmod 640 "$@"
  if [ "$(id -u)" = 0 ] && getent group mosquitto >/dev/null; then chgrp mosquitto "$@"; fi
}

quietly() {
  local said
  said=$("$@" 2>&1) || fail "$1 failed: $(tail -n1 <<<"$said")"
}

# Whether a certificate is there and goes on for another year. It is looked at when somebody sets up, which is seldom.
lasts() { openssl x509 -in "$1" -noout -checkend 31536000 >/dev/null 2>&1; }

# The authority; one that ends within a year is renewed with the same key and name, so that either knows what the other signed.
make_authority() {
  [ -s "$folder/ca.key" ] && lasts "$folder/ca.pem" && return
  local renewed=no box
  [ ! -e "$folder/ca.pem" ] || renewed=yes
  [ -s "$folder/ca.key" ] ||
    quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$folder/ca.key"
  quietly openssl req -x509 -key "$folder/ca.key" -days 3650 -subj "/CN=moodbox broker authority" -out "$folder/ca.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
  [ $renewed = yes ] || return 0
  for box in "$folder"/boxes/*/ca.pem; do
    [ ! -e "$box" ] || install -m 644 "$folder/ca.pem" "$box"
  done
  echo "the authority was renewed: each box (as /etc/moodbox/ca.pem) and Home Assistant need the new $folder/ca.pem"
}

# Whole days, of which the last is left out: what is signed now must not outlive the authority by the seconds in between.
days_of_authority() {
  local end
  end=$(openssl x509 -in "$folder/ca.pem" -noout -enddate)
  echo $((($(date -d "${end#*=}" +%s) - $(date +%s)) / 86400 - 1))
}

# A certificate for these hosts; a new one where the hosts are others or it ends within a year.
make_certificate() {
  local names="" host
  for host in "$@"; do
    if [[ $host =~ ^[0-9.]+$ || $host == *:* ]]; then names+=",IP:$host"; else names+=",DNS:$host"; fi
  done
  names=${names#,}
  if [ "$names" = "$(cat "$folder/hosts" 2>/dev/null)" ] && [ -s "$folder/server.key" ] &&
    lasts "$folder/server.pem"; then return; fi
  # Where this is cut off, the key may be new and the certificate that of the old one.
  rm -f "$folder/hosts"
  quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
    -keyout "$folder/server.key" -out "$folder/server.csr"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$names" >"$folder/extensions"
  quietly openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial \
    -days "$(days_of_authority)" -extfile "$folder/extensions" -out "$folder/server.pem"
  rm "$folder/server.csr" "$folder/extensions"
  printf '%s\n' "$names" >"$folder/hosts"
}

# A password in a file, and its hash for the broker.
make_user() { # name, file of the password
  [ -s "$2" ] && grep -q "^$1:" "$folder/passwords" && return
  [ -s "$2" ] || openssl rand -base64 24 >"$2"
  drop_user "$1"
  printf '%s:%s\n' "$1" "$(cat "$2")" >"$folder/passwords.one"
  quietly mosquitto_passwd -U "$folder/passwords.one"
  cat "$folder/passwords.one" >>"$folder/passwords"
  rm "$folder/passwords.one"
}

drop_user() {
  sed -i "/^$1:/d" "$folder/passwords"
}

box_rules() {
  cat <<RULES
# box $1
user $1
topic read moodbox/$1/cmd/+
topic read moodbox/$1/request/+
topic read homeassistant/status
topic write moodbox/$1/+
topic write moodbox/$1/response/+
topic write homeassistant/device/moodbox_$1/config
# end of box $1
RULES
}

drop_rules() {
  sed -i "/^# box $1\$/,/^# end of box $1\$/d" "$folder/acl"
}

check_id() {
  [[ $1 =~ ^[a-z0-9_-]{1,32}$ ]] || fail "\"$1\" is not the id of a box: 1 to 32 of a-z, 0-9, _ and -" 2
  case $1 in admin | homeassistant) fail "\"$1\" is a user of the broker; a box needs another id" 2 ;; esac
  [ -s "$folder/acl" ] || fail "$folder holds no broker yet; run set-up first" 2
}

# The port of an earlier set-up, which boxes were told.
port_so_far() {
  local there
  there=$(sed -n '/^listener /{s/^listener *\([0-9]*\).*/\1/p;q}' "$conf/moodbox.conf" 2>/dev/null) || true
  echo "${there:-8883}"
}

# A host as it stands before a port: an address of IPv6 has colons of its own.
in_url() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

# A sum over all that the broker reads.
what_it_reads() {
  cat "$conf/moodbox.conf" "$folder"/{server.pem,server.key,passwords,acl} 2>/dev/null | sha256sum
}

# Whether the broker, if it runs, takes what was written.
takes_it() { # reload or restart
  [ "$conf" != /etc/mosquitto/conf.d ] || ! systemctl is-active --quiet mosquitto 2>/dev/null || systemctl "$1" mosquitto
}

reload() { takes_it reload || fail "mosquitto does not take it: journalctl -u mosquitto says why"; }

# With rules from elsewhere besides ours Mosquitto does not start, or refuses whom it served so far.
check_whether_used() {
  local rules='listener|port|bind_address|per_listener_settings|allow_anonymous|password_file|psk_file|acl_file|plugin|auth_plugin'
  local found file line
  [ ! -e "$conf/moodbox.conf" ] || return 0
  found=$(grep -nHE "^[[:space:]]*($rules)[[:space:]]" "${conf%/*}/mosquitto.conf" "$conf"/*.conf 2>/dev/null | head -n1) || true
  [ -n "$found" ] || return 0
  IFS=: read -r file line found <<<"$found"
  fail "line $line of $file says \"$found\": this Mosquitto is in use, and what boxes need would count for all who come to it.\
 Take out such lines, or make the box a user of it as it is; nothing was changed"
}

# The broker as it was before a configuration that it does not start with.
go_back() {
  mv "$conf/moodbox.conf" "$conf/moodbox.conf.refused"
  [ ! -e "$conf/moodbox.conf.before" ] || mv "$conf/moodbox.conf.before" "$conf/moodbox.conf"
  systemctl reset-failed mosquitto || true
  systemctl restart mosquitto || fail "mosquitto starts no more, nor as it was before: journalctl -u mosquitto says why"
  fail "mosquitto does not start with $conf/moodbox.conf.refused (journalctl -u mosquitto says why) and runs as before"
}

set_up() {
  [ $# -gt 0 ] || usage
  local host
  for host in "$@"; do
    [[ $host =~ ^[A-Za-z0-9.:_-]+$ ]] || fail "\"$host\" is no name or address of a host" 2
  done
  check_whether_used
  mkdir -p "$folder/people" "$folder/boxes" "$conf"
  # Stays where this is cut off: the broker has then not read what was written.
  local before=""
  if [ ! -e "$folder/unread" ]; then
    before=$(what_it_reads) || true
    touch "$folder/unread"
  fi
  make_authority
  make_certificate "$@"
  printf '%s\n' "$1" >"$folder/host"
  touch "$folder/passwords"
  make_user admin "$folder/people/admin.password"
  make_user homeassistant "$folder/people/homeassistant.password"
  # New rules for people, and those of the boxes as they were.
  { cat "$shipped/acl"; if [ -e "$folder/acl" ]; then sed -n '/^# box /,/^# end of box /p' "$folder/acl"; fi; } \
    >"$folder/acl.new"
  mv "$folder/acl.new" "$folder/acl"
  sed -e "s|FOLDER|$folder|" -e "s|PORT|$port|" "$shipped/moodbox.conf" >"$conf/moodbox.conf.new"
  [ ! -e "$conf/moodbox.conf" ] || cp -p "$conf/moodbox.conf" "$conf/moodbox.conf.before"
  mv "$conf/moodbox.conf.new" "$conf/moodbox.conf"
  chmod 644 "$conf/moodbox.conf" "$folder/ca.pem"
  for_broker "$folder/server.key" "$folder/server.pem" "$folder/passwords" "$folder/acl"
  # Others come through to the certificate, and see nothing else.
  chmod 711 "$folder"
  # A restart parts every box from the broker for a while.
  [ "$before" = "$(what_it_reads)" ] || takes_it restart || go_back
  rm -f "$folder/unread" "$conf/moodbox.conf".{before,refused}
  echo "the broker listens on $(in_url "$1"):$port; the passwords of admin and homeassistant are in $folder/people"
}

add_box() {
  [ $# = 1 ] || usage
  check_id "$1"
  local box=$folder/boxes/$1
  mkdir -p "$box"
  make_user "$1" "$box/password"
  drop_rules "$1"
  box_rules "$1" >>"$folder/acl"
  for_broker "$folder/passwords" "$folder/acl"
  install -m 644 "$folder/ca.pem" "$box/ca.pem"
  cat >"$box/mqtt.toml" <<TOML
# For /etc/moodbox/moodbox.toml on the box, beside ca.pem and password (of mode 600) in /etc/moodbox.
[device]
id = "$1"

[mqtt]
broker = "mqtts://$(in_url "$(cat "$folder/host")"):$(port_so_far)"
username = "$1"
password_file = "/run/credentials/moodboxd.service/password"
ca_file = "/etc/moodbox/ca.pem"
TOML
  reload
  echo "the files for box $1 are in $box"
}

remove_box() {
  [ $# = 1 ] || usage
  check_id "$1"
  drop_user "$1"
  drop_rules "$1"
  rm -rf "${folder:?}/boxes/$1"
  reload
  echo "box $1 is no user of the broker any more"
}

while [ $# -gt 0 ]; do
  case $1 in
  --folder) folder=${2:-} ;;
  --conf) conf=${2:-} ;;
  --port) port=${2:-} ;;
  *) break ;;
  esac
  [ $# -ge 2 ] || usage
  shift 2
done
[ $# -gt 0 ] || usage
: "${port=$(port_so_far)}"
[[ $port =~ ^[0-9]{1,5}$ ]] || fail "\"$port\" is no port" 2
[[ $folder == /* && $folder != *[[:space:]\|\&]* ]] || fail "--folder must be a whole path without spaces" 2
for program in openssl mosquitto_passwd; do
  command -v "$program" >/dev/null || fail "$program is missing; apt-get install mosquitto openssl"
done
mkdir -p "$folder" 2>/dev/null || true
[ -w "$folder" ] || fail "cannot write to $folder; run it as root"
command=$1
shift
case $command in
set-up) set_up "$@" ;;
add-box) add_box "$@" ;;
remove-box) remove_box "$@" ;;
*) usage ;;
esac
