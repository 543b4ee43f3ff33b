#!/usr/bin/env bash
# Installs foreman as a service under systemd, or brings an installed one to this version.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: install.sh [--root DIR] [--no-socket] [--no-backup] [--dry-run]
       install.sh --rollback | --uninstall [--purge]

From a checkout or an unpacked package: puts foreman into /opt/foreman, settings and tokens into
/etc/foreman, its units into /etc/systemd/system, and starts it. Where it is installed already, its
database is backed up first, settings and tokens stay, and the version of before is kept.

  --root DIR    into this folder as if it were /; nothing is started (DESTDIR does the same)
  --no-socket   foreman listens itself: clients are refused while it restarts
  --no-backup   upgrades without a backup of the database
  --rollback    puts the version of before back; the database stays as it is
  --uninstall   removes foreman; settings, tokens and the database stay, unless
  --purge       says that they go too
  --dry-run     says what would be done, and does nothing
USAGE
}

root=${DESTDIR:-} verb=install dry='' socket=yes backup=yes purge='' moved=''
while (($#)); do
  case $1 in
    --root) root=${2:?--root wants a folder} && shift ;;
    --no-socket) socket='' ;;
    --no-backup) backup='' ;;
    --dry-run) dry=yes ;;
    --rollback | --uninstall) verb=${1#--} ;;
    --purge) purge=yes ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 64 ;;
  esac
  shift
done
root=${root%/}
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
app=$root/opt/foreman
etc=$root/etc/foreman
units=$root/etc/systemd/system
command=$root/usr/local/bin/foreman
# What DynamicUser= makes of StateDirectory=foreman and CacheDirectory=foreman.
kept=("$root/var/lib/private/foreman" "$root/var/lib/foreman")
cached=("$root/var/cache/private/foreman" "$root/var/cache/foreman")

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2 && exit 1; }
run() { if [ "$dry" ]; then say "would run: $*"; else "$@"; fi; }
# write FILE MODE: the standard input becomes the file, at once.
write() {
  if [ "$dry" ]; then
    cat >/dev/null && say "would write: $1" && return
  fi
  # Its mode is right before its words are there: they may be a secret.
  install -m "$2" /dev/null "$1.new" && cat >"$1.new" && mv "$1.new" "$1"
}
# Whether there is a systemd to talk to, and not only a folder that one will boot from.
runs_systemd() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
is_active() { runs_systemd && systemctl is-active --quiet "$1"; }
enable_units() {
  local ctl=(run systemctl ${root:+--root="$root"})
  "${ctl[@]}" enable --quiet foreman.service
  if [ "$socket" ]; then
    "${ctl[@]}" enable --quiet foreman.socket
  else
    "${ctl[@]}" disable --quiet foreman.socket
  fi
}
# Whether systemd is to listen: what stays with a rollback is what the install before chose.
uses_socket() {
  if [ "$dry" ]; then [ "$socket" ]; else systemctl is-enabled --quiet foreman.socket; fi
}
# What has just been put there runs when it returns; false: it does not start.
restart() {
  run systemctl daemon-reload
  # A service that failed too often, and its socket, would not be started for five minutes.
  run systemctl reset-failed foreman.service foreman.socket 2>/dev/null || true
  if ! uses_socket; then
    run systemctl stop foreman.socket || return
  elif [ "$moved" ] || ! is_active foreman.socket; then
    # The address cannot be handed over while foreman itself listens there, and a socket that goes on
    # with another address listens nowhere, yet says that it is active (seen with systemd 252).
    run systemctl stop foreman.service foreman.socket || return
    run systemctl start foreman.socket || return
  fi
  run systemctl restart foreman.service
}

check_machine() {
  [ "$dry" ] || [ "$root" ] || [ "$(id -u)" = 0 ] || fail "run it as root, or with --root DIR"
  command -v systemctl >/dev/null || fail "there is no systemd here; docs/install.md has other ways"
}

check_source() {
  grep -q '"name": "foreman"' "$source/package.json" 2>/dev/null ||
    fail "$source is neither a checkout of foreman nor its unpacked package"
  [ "$source" != "$app" ] || fail "keep the checkout elsewhere: $app is replaced as a whole"
  command -v npm >/dev/null || fail "npm is not there: install Node with npm, of any version"
}

# Complete before anything that runs is touched: a failed download changes nothing.
stage() {
  run rm -rf "$app.new"
  run install -d -m 755 "$app.new"
  local name
  for name in src docs scripts README.md CHANGELOG.md .env.example .npmrc foreman.service \
    foreman.socket package.json package-lock.json; do
    [ ! -e "$source/$name" ] ||
      run cp -r --no-preserve=mode,ownership "$source/$name" "$app.new/"
  done
  local fetch=(npm --no-audit --no-fund --loglevel=error --omit=dev --prefix)
  # A checkout knows to the digit what it was tested with; a package leaves that to npm.
  local how=install
  [ ! -e "$source/package-lock.json" ] || how=ci
  run "${fetch[@]}" "$app.new" "$how" --ignore-scripts
  # In a folder of its own first: among the tools of a checkout, --omit=dev would leave it out. Its
  # script puts the binary of this machine's kind in place; no other script of a package is run.
  run "${fetch[@]}" "$app.new/runtime" install --ignore-scripts=false node@24
  run mv "$app.new/runtime/node_modules/node" "$app.new/node_modules/node"
  run rm -rf "$app.new/runtime"
  run "$app.new/node_modules/node/bin/node" --version >/dev/null ||
    fail "the Node that npm brought does not run here"
}

setting() { sed -n "s/^$1=//p" "$etc/foreman.env" 2>/dev/null | tail -n 1 | tr -d "\"'"; }

back_up() {
  [ "$backup" ] && [ -d "$app" ] && is_active foreman.service || return 0
  say "backing the database up"
  local address
  address=$(setting FOREMAN_ADDR)
  address=${address:-127.0.0.1:8080}
  address=${address/#0.0.0.0/127.0.0.1}
  run env FOREMAN_URL="http://${address/#\[::\]/[::1]}" FOREMAN_CLIENT_TOKEN= \
    "$app/node_modules/node/bin/node" "$app/src/main.js" backup --token-file "$etc/token" ||
    fail "no backup: nothing was changed. --no-backup upgrades without one"
}

place_settings() {
  run install -d -m 700 "$etc"
  [ -e "$etc/foreman.env" ] || write "$etc/foreman.env" 600 <<'SETTINGS'
# Settings of foreman, NAME=value, as /opt/foreman/.env.example lists them.
# After a change: systemctl restart foreman; of FOREMAN_ADDR: scripts/install.sh, for foreman.socket.
FOREMAN_ADDR=127.0.0.1:8080
FOREMAN_OLLAMA_URL=http://127.0.0.1:11434
SETTINGS
  [ -e "$etc/token" ] || od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' | write "$etc/token" 600
  [ -e "$etc/tokens.json" ] || write "$etc/tokens.json" 600 <<<'{"tokens": []}'
}

place_units() {
  run install -d -m 755 "$units/foreman.service.d" "$units/foreman.socket.d" "$(dirname "$command")"
  run install -m 644 "$source/foreman.service" "$source/foreman.socket" "$units/"
  # Not %d, which systemd knows from 250 on alone. A credential is what the start found: tokens that
  # a reload is to find are a copy, made by root in a folder of the service's own user.
  write "$units/foreman.service.d/10-credentials.conf" 644 <<'DROPIN'
# Written by install.sh; changes of yours belong in `systemctl edit foreman`.
[Service]
LoadCredential=token:/etc/foreman/token
Environment=FOREMAN_TOKEN_FILE=/run/credentials/foreman.service/token
RuntimeDirectory=foreman
RuntimeDirectoryMode=0700
Environment=FOREMAN_TOKENS_FILE=/run/foreman/tokens.json
ExecStartPre=+/bin/sh -c 'install -T -m 400 -o "$(stat -c %%u /run/foreman/)" /etc/foreman/tokens.json /run/foreman/tokens.json'
ExecReload=
ExecReload=+/bin/sh -c 'install -T -m 400 -o "$(stat -c %%u /run/foreman/)" /etc/foreman/tokens.json /run/foreman/tokens.json'
ExecReload=/bin/kill -HUP $MAINPID
DROPIN
  local address
  # Of a dry run there are no settings.
  address=$(setting FOREMAN_ADDR) || true
  address=${address:-127.0.0.1:8080}
  grep -qxF "ListenStream=$address" "$units/foreman.socket.d/10-address.conf" 2>/dev/null || moved=yes
  write "$units/foreman.socket.d/10-address.conf" 644 <<DROPIN
# Written by install.sh from FOREMAN_ADDR.
[Socket]
ListenStream=
ListenStream=$address
DROPIN
  write "$command" 755 <<'COMMAND'
#!/bin/sh
# Written by install.sh. Who may read the service's settings, that is root, asks with them and with
# its token, unless foreman is named elsewhere: another would not get that token.
[ $# -gt 0 ] || set -- --help
if [ -r /etc/foreman/token ] && [ "$1" != serve ]; then
  while IFS= read -r line; do
    case $line in
      [A-Z]*=*) printenv "${line%%=*}" >/dev/null || export "$(printf %s "$line" | tr -d "\"'")" ;;
    esac
  done </etc/foreman/foreman.env
  export STATE_DIRECTORY="${STATE_DIRECTORY-/var/lib/private/foreman}"
  export FOREMAN_TOKENS_FILE="${FOREMAN_TOKENS_FILE-/etc/foreman/tokens.json}"
  case "${FOREMAN_URL-} $*" in
    [!\ ]* | *--url*) ;;
    *)
      FOREMAN_URL=http://$(printf %s "${FOREMAN_ADDR-127.0.0.1:8080}" |
        sed 's/^0\.0\.0\.0:/127.0.0.1:/; s/^\[::\]:/[::1]:/')
      FOREMAN_CLIENT_TOKEN=${FOREMAN_CLIENT_TOKEN-$(cat /etc/foreman/token)}
      export FOREMAN_URL FOREMAN_CLIENT_TOKEN
      ;;
  esac
fi
exec /opt/foreman/node_modules/node/bin/node /opt/foreman/src/main.js "$@"
COMMAND
}

swap_in() {
  if [ -d "$app" ]; then
    run rm -rf "$app.previous"
    run mv "$app" "$app.previous"
  fi
  run mv "$app.new" "$app"
}

start() {
  enable_units
  if ! runs_systemd; then
    say "foreman starts when systemd does, from ${root:-/}"
    return
  fi
  restart || fail "foreman does not start: journalctl -u foreman -n 50;" \
    "the version of before: $source/scripts/install.sh --rollback"
  say "foreman runs: systemctl status foreman. Its token is in $etc/token; a client of its own:"
  say "  foreman token add NAME && systemctl reload foreman"
}

do_install() {
  check_source
  umask 022
  stage
  back_up
  place_settings
  place_units
  swap_in
  start
}

do_rollback() {
  [ -d "$app.previous" ] || fail "there is no version of before: $app.previous"
  run mv "$app" "$app.new"
  run mv "$app.previous" "$app"
  run mv "$app.new" "$app.previous"
  run install -m 644 "$app/foreman.service" "$app/foreman.socket" "$units/"
  runs_systemd || return 0
  restart ||
    fail "the version of before does not start. If the journal says that the database has a newer" \
      "schema, put back the copy that the upgrade left: docs/install.md, \"Back to the one before\""
}

do_uninstall() {
  if runs_systemd; then
    run systemctl disable --now --quiet foreman.socket foreman.service || true
  fi
  run rm -rf "$units/foreman.service" "$units/foreman.socket" "$units/foreman.service.d" \
    "$units/foreman.socket.d" "$units/multi-user.target.wants/foreman.service" \
    "$units/sockets.target.wants/foreman.socket" "$command" "$app" "$app.new" "$app.previous" \
    "${cached[@]}"
  ! runs_systemd || run systemctl daemon-reload
  if [ "$purge" ]; then run rm -rf "$etc" "${kept[@]}"; else say "kept: $etc ${kept[0]}"; fi
}

check_machine
"do_$verb"
