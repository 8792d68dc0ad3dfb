# Sourced by the scripts beside it: where things are, and Debian packages without root's apt state.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything downloaded goes here; it is not part of the repository.
deps=$top/.deps

say() { echo "$(basename "$0"): $*" >&2; }
die() { say "$*"; exit 1; }

# share_from_main NAME: in a git worktree, link .deps/NAME to the main checkout's if that has it.
share_from_main() {
  [ -e "$deps/$1" ] && return
  local common
  common=$(git -C "$top" rev-parse --path-format=absolute --git-common-dir 2>/dev/null) || return 0
  common=$(dirname "$common")/.deps/$1
  if [ "$common" != "$deps/$1" ] && [ -e "$common" ]; then
    mkdir -p "$deps"
    ln -sfn "$common" "$deps/$1"
  fi
}

# jdk17: prints the home directory of an installed JDK 17 (with javac); fails when there is none.
jdk17() {
  local home
  for home in "${KILN_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/*; do
    if [ -n "$home" ] && [ ! -L "$home" ] && [ -x "$home/bin/javac" ] &&
      grep -qs '^JAVA_VERSION="17[".-]' "$home/release"; then
      echo "$home"
      return
    fi
  done
  return 1
}

# install_packages PACKAGE...: installs them from Debian; what they print is shown only when that fails.
install_packages() {
  [ "$(id -u)" = 0 ] || die "not installed, and only root can install it: $*"
  say "installing $*"
  # Slim images lack it, and the JDK's alternatives fail without.
  mkdir -p /usr/share/man/man1
  local log
  log=$(mktemp)
  # The package lists may be absent, or so old that the mirror has dropped what they name.
  if ! apt_install "$@" >"$log" 2>&1; then
    apt-get -qq update >>"$log" 2>&1 || true
    apt_install "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; die "apt-get failed"; }
  fi
  rm -f "$log"
}
apt_install() { DEBIAN_FRONTEND=noninteractive apt-get -y -qq install --no-install-recommends "$@"; }

# private_apt: prepares .deps/apt, an apt of our own that knows the machine's Debian sources, amd64 and
# arm64, and sets APT_CONFIG to it. It only downloads: the system's package state is not touched.
private_apt() {
  local apt=$deps/apt file found=
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/sources.list.d"
  touch "$apt/status"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
    if grep -qsE '\bbookworm(-security|-updates)?( |$)' "$file"; then
      # With sources too: the OpenJDK tests come from there.
      sed -E -e "s/^Types: deb$/Types: deb deb-src/" -e "/^deb /{p;s/^deb /deb-src /}" "$file" >"$apt/sources.list.d/$(basename "$file")"
      found=1
    fi
  done
  if [ -z "$found" ]; then
    printf 'deb http://deb.debian.org/debian %s main\n' bookworm bookworm-updates >"$apt/sources.list.d/debian.list"
    echo 'deb http://deb.debian.org/debian-security bookworm-security main' >>"$apt/sources.list.d/debian.list"
  fi
  cat >"$apt/apt.conf" <<CONF
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources.list.d";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
  export APT_CONFIG=$apt/apt.conf
  if [ -z "$(find "$apt/lists" -maxdepth 1 -name '*_Packages*' -mmin -720 -print -quit)" ]; then
    apt-get -qq update
    find "$apt/lists" -maxdepth 1 -name '*_Packages*' -exec touch {} +
  fi
}

# fetch_packages DIR PACKAGE...: downloads the packages (name:arch or name:arch=version) with the
# private apt and unpacks them into DIR, one over the other.
fetch_packages() {
  local dir=$1 downloads
  shift
  downloads=$(mktemp -d "$deps/download.XXXXXX")
  (cd "$downloads" && apt-get -qq download "$@" >&2) || { rm -rf "$downloads"; die "cannot download: $*"; }
  mkdir -p "$dir"
  local deb
  for deb in "$downloads"/*.deb; do dpkg -x "$deb" "$dir"; done
  rm -rf "$downloads"
}

# arm64_toolchain: sets cargo up to build for ARM64 into target/arm64-build, and to run that under qemu.
arm64_toolchain() {
  arm64_target=aarch64-unknown-linux-gnu
  if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$arm64_target" ]; then
    [ -x "$deps/rust-arm64/rustc" ] || die "no Rust library for $arm64_target: run scripts/setup-arm64"
    export RUSTC=$deps/rust-arm64/rustc
  fi
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L $deps/arm64"
  export CARGO_TARGET_DIR=$top/target/arm64-build
}
