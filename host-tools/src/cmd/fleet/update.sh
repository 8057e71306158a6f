# What `moodbox fleet update` does on a box: installs the package that comes on stdin, of which $SUM is the sha-256, and waits
# for the package's own verdict on it. The last line on stdout is the version; on stderr, what went wrong.
set -u
umask 077
# What dpkg says is read here.
export LC_ALL=C.UTF-8
# Once it has begun to install, a host that goes away shall not stop it in the middle.
trap '' HUP PIPE

fail() { printf '%s\n' "$1" >&2; exit 1; }
last_line() { sed '/^[[:space:]]*$/d' "$1" | tail -n 1; }
# Of a log of dpkg, what stands behind "dpkg: error: " or below "dpkg: error processing ...:"; what follows that says no more.
why() { sed -n -e '/^dpkg: error: /{s///p;q}' -e '/^dpkg: .*:$/{n;s/^ *//;s/; however:$//;p;q}' "$1"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

folder=$(mktemp -d) || fail "cannot make a temporary folder; nothing was changed"
trap 'rm -rf "$folder"' EXIT
package=$folder/package.deb
cat >"$package" || fail "cannot keep the package (is the disk full?); nothing was changed"
echo "$SUM  $package" | sha256sum --check --status || fail "the package did not arrive whole; nothing was changed"
[ "$(dpkg-deb --field "$package" Package)" = moodboxd ] || fail "this is no package of moodboxd; nothing was changed"
version=$(dpkg-deb --field "$package" Version)
as_root true 2>/dev/null || fail "sudo wants a password there; let this user use it without one, or name root. Nothing was changed"
trial=moodboxd-trial.service
# What it says afterwards is of this package.
as_root systemctl reset-failed "$trial" 2>/dev/null
# There is nobody to ask about a configuration that was changed both here and in the package: it stays as it is here.
tries=0
until as_root dpkg --install --force-confdef --force-confold "$package" </dev/null >"$folder/log" 2>&1; do
  # dpkg waits for nobody, and the daily updates keep it locked for minutes.
  if [ $tries = 60 ] || ! grep -q '^dpkg: error: .* was locked by ' "$folder/log"; then
    reason=$(why "$folder/log")
    fail "dpkg: ${reason:-$(last_line "$folder/log")}; on the box, dpkg --status moodboxd says how it is"
  fi
  tries=$((tries + 1))
  sleep 5
done
# A package that watches over its start says so; this waits for it, unless it is over already.
as_root systemctl start "$trial" >/dev/null 2>&1
if systemctl is-failed --quiet "$trial"; then
  as_root journalctl --quiet --output cat --lines 1 "_SYSTEMD_UNIT=$trial" >"$folder/log" 2>/dev/null
  fail "$version did not pass its trial: $(last_line "$folder/log")"
fi
printf '%s\n' "$version"
