#!/bin/sh
# The first start of a card that `moodbox setup --boot` has written: installs what lies beside this script, and leaves nothing
# of it on the card but what was said. The card can be read by anybody who holds it, so the password goes in any case.
here=$(cd "$(dirname "$0")" && pwd)
card=${here%/*}
work=$(mktemp -d /var/tmp/moodbox-setup.XXXXXX) || exit 1
cp "$here"/* "$work" 2>/dev/null
log=/var/log/moodbox-setup.log
sh "$work/box.sh" first-boot "$work" >"$log" 2>&1
ended=$?
rm -rf "$here" "$card/vendor-data"
[ ! -e "$card/cmdline.txt" ] || sed -i 's| systemd\.run=/boot/firmware/moodbox/.*||' "$card/cmdline.txt"
cut -f4 "$log" >"$card/moodbox-setup.txt"
rm -rf "$work"
exit $ended
