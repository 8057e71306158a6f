# Sourced by bash: compiler flags of what is given away. The same source becomes the same bytes in any folder, and the library
# is looked for where the package puts it.
release_flags() {
  local root=$1
  local flags=(
    "--remap-path-prefix=$root=/moodbox"
    "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    "-Clink-arg=-Wl,-rpath,\$ORIGIN/../lib/moodbox:\$ORIGIN/../lib/moodbox-tool"
  )
  local IFS=$'\x1f'
  export CARGO_ENCODED_RUSTFLAGS="${flags[*]}"
}
