#!/usr/bin/env bash
# usage: static_deps.sh PREFIX
# Builds there, from Debian's own source packages, the libraries of the static executable that Debian has no archive of
# (fmt). Kept until the package's version changes. The machine's own package sources are read, never changed.
set -euo pipefail

prefix=$(realpath -m "$1")
version=$(dpkg-query -W -f='${Version}' libfmt-dev)
[[ ! -f $prefix/fmt-$version ]] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial"

debian_archives() {
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u
}
[[ -n $(debian_archives) ]] || apt-get -qq update
debian_archives | sed 's|^|deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |' >"$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root -o Acquire::Retries=3)

cd "$work"
"${apt[@]}" update
"${apt[@]}" source --download-only "fmtlib=$version" # apt checks signatures and hashes
dpkg-source -x fmtlib_*.dsc fmt >/dev/null
cmake -S fmt -B build -G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_INSTALL_PREFIX=$prefix" -DBUILD_SHARED_LIBS=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DFMT_TEST=OFF -DFMT_DOC=OFF >/dev/null
cmake --build build --target install >/dev/null
touch "$prefix/fmt-$version"
