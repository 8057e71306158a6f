#!/bin/sh
# cloud-init runs this at the first start, and never again, even where the power goes meanwhile. So it only says what is to be
# done at each start until first-boot.sh has come to its end, which takes this away.
cat >/etc/systemd/system/moodbox-first-boot.service <<'UNIT'
[Unit]
Description=Set-up of a moodbox by what lies on its card
ConditionPathExists=/boot/firmware/moodbox/first-boot.sh
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=oneshot
ExecStart=/bin/sh /boot/firmware/moodbox/first-boot.sh

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable moodbox-first-boot.service
sync
exec systemctl start moodbox-first-boot.service
