#!/bin/sh
# The first start of a card that `moodbox setup --boot` has written: installs what lies beside this script, and leaves nothing
# of it on the card but what was said. The card can be read by anybody who holds it, so the password goes in any case.
#
# Where the power goes meanwhile, the next start begins anew. It is not tried again where it fails: where the kernel's command line
# calls this, the machine has no network and would never come up for anybody who could help.
here=$(cd "$(dirname "$0")" && pwd)
card=${here%/*}
log=/var/log/moodbox-setup.log
ended=1
if work=$(mktemp -d /var/tmp/moodbox-setup.XXXXXX 2>"$log"); then
  cp "$here"/* "$work" 2>/dev/null
  sh "$work/box.sh" first-boot "$work" >"$log" 2>&1
  ended=$?
  rm -rf "$work"
fi
[ $ended = 0 ] || echo "go on from here with \`moodbox setup --ssh\`" >>"$log"
cut -f4 "$log" >"$card/moodbox-setup.txt"
unit=moodbox-first-boot.service
rm -f "/etc/systemd/system/multi-user.target.wants/$unit" "/etc/systemd/system/$unit"
rm -rf "$here" "$card/vendor-data"
if grep -q ' systemd\.run=/boot/firmware/moodbox/' "$card/cmdline.txt" 2>/dev/null; then
  # A machine that was started for this alone is switched off where this fails; it is to start as usual, so that SSH can go on.
  sed -i 's| systemd\.run=/boot/firmware/moodbox/.*||' "$card/cmdline.txt" && ended=0
fi
exit $ended
