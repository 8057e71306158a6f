# Sourced by bash: Debian packages for another architecture or from backports, unpacked beside the machine's own instead of
# installed. It is a second apt that knows both architectures and believes that nothing is installed.

SUITE=bookworm
apt_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.cache/apt

# The mirror that this machine's apt takes a suite from.
mirror_of() {
  env -u APT_CONFIG apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk -v suite="$1" '$1 == suite { print $2; exit }'
}

# Readies the second apt; from then on apt-get and apt-cache are it.
use_private_apt() {
  local main security options name
  main=$(mirror_of "$SUITE")
  security=$(mirror_of "$SUITE-security")
  [[ $main && $security ]] || {
    echo "apt knows no mirror of Debian $SUITE and $SUITE-security: add them to its sources and call apt-get update" >&2
    return 1
  }
  mkdir -p "$apt_folder"/etc/{apt.conf.d,preferences.d,trusted.gpg.d} "$apt_folder"/state/lists/partial "$apt_folder"/cache/archives/partial
  : >"$apt_folder/state/status"
  options='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=amd64,arm64]'
  for name in "$SUITE" "$SUITE-updates" "$SUITE-backports"; do
    echo "deb $options $main $name main"
  done >"$apt_folder/etc/sources.list"
  echo "deb $options $security $SUITE-security main" >>"$apt_folder/etc/sources.list"
  cat >"$apt_folder/apt.conf" <<END
Dir::Etc "$apt_folder/etc/";
Dir::Etc::sourcelist "$apt_folder/etc/sources.list";
Dir::State "$apt_folder/state/";
Dir::State::status "$apt_folder/state/status";
Dir::Cache "$apt_folder/cache/";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
END
  export APT_CONFIG=$apt_folder/apt.conf
  apt-get -qq update
}

# unpack FOLDER PACKAGE... : packages without what they depend on.
unpack() {
  local folder=$1 archives=$apt_folder/archives deb
  shift
  rm -rf "$archives" "$folder"
  mkdir -p "$archives" "$folder"
  (cd "$archives" && apt-get -qq download "$@")
  for deb in "$archives"/*.deb; do dpkg-deb -x "$deb" "$folder"; done
  rm -rf "$archives"
}

# unpack_all FOLDER PACKAGE : a package from backports and all that it depends on.
unpack_all() {
  local deb
  rm -rf "$1"
  mkdir -p "$1"
  apt-get -qq install -y --download-only --no-install-recommends -t "$SUITE-backports" "$2" >/dev/null
  for deb in "$apt_folder"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$1"; done
  rm -f "$apt_folder"/cache/archives/*.deb
}

# needed_by PACKAGE NAME : the package whose name begins with NAME that PACKAGE depends on.
needed_by() {
  apt-cache depends "$1" | awk -v name="$2" '$1 == "Depends:" && index($2, name) == 1 { sub(":arm64", "", $2); print $2; exit }'
}
