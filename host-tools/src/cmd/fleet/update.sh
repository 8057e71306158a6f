# What `moodbox fleet update` does on a box: installs the package that comes on stdin, of which $SUM is the sha-256, and waits
# for the package's own verdict on it. The last line on stdout is the version; on stderr, what went wrong.
set -u
umask 077
# Once it has begun to install, a host that goes away shall not stop it in the middle.
trap '' HUP PIPE

fail() { printf '%s\n' "$1" >&2; exit 1; }
last_line() { sed '/^[[:space:]]*$/d' "$1" | tail -n 1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

folder=$(mktemp -d) || fail "cannot make a temporary folder; nothing was changed"
trap 'rm -rf "$folder"' EXIT
package=$folder/package.deb
cat >"$package" || fail "cannot keep the package (is the disk full?); nothing was changed"
echo "$SUM  $package" | sha256sum --check --status || fail "the package did not arrive whole; nothing was changed"
[ "$(dpkg-deb --field "$package" Package)" = moodboxd ] || fail "this is no package of moodboxd; nothing was changed"
version=$(dpkg-deb --field "$package" Version)
as_root true 2>/dev/null || fail "sudo wants a password there; let this user use it without one, or name root. Nothing was changed"
as_root dpkg --install "$package" >"$folder/log" 2>&1 ||
  fail "dpkg: $(last_line "$folder/log"); on the box, dpkg --status moodboxd says how it is"
# A package that watches over its start says so; this waits for it.
trial=moodboxd-trial.service
if systemctl cat "$trial" >/dev/null 2>&1 && ! as_root systemctl start "$trial" >/dev/null 2>&1; then
  as_root journalctl --quiet --output cat --lines 1 "_SYSTEMD_UNIT=$trial" >"$folder/log" 2>/dev/null
  fail "$version did not pass its trial: $(last_line "$folder/log")"
fi
printf '%s\n' "$version"
