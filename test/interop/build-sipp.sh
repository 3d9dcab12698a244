#!/bin/sh
# Builds a SIPp that can do TLS, as Debian's can't: build-sipp.sh FOLDER, then SIPP=FOLDER/build/sipp.
# Needs git, cmake, a C++ compiler, libssl-dev, libncurses-dev and the network.
set -eu
git clone --quiet --depth 1 --branch v3.6.1 https://github.com/SIPp/sipp "$1"
cd "$1"
printf '#define VERSION "v3.6.1"\n#define SIPP_VERSION VERSION\n' > include/version.h
cmake -S . -B build -DUSE_SSL=1 -DCMAKE_BUILD_TYPE=Release
make -C build sipp
