# Shared by the scripts: sourced, not run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
jobs=$(nproc)

# build PRESET TARGET...: configures and builds, with ninja's progress.
build() {
  preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" > "build.$preset.log" 2>&1 || {
    cat "build.$preset.log" >&2
    rm -f "build.$preset.log"
    fail "cmake --preset $preset failed"
  }
  rm -f "build.$preset.log"
  ninja -C "build/$preset" "$@"
}
