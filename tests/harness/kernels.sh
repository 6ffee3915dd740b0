#!/bin/sh
# Print the supported kernel versions whose source is a package of this Debian:
# Debian 12 has both, later releases only the newer one.

# A freshly installed machine has no package lists yet
if [ "$(id -u)" = 0 ] && ! apt-cache show linux-libc-dev > /dev/null 2>&1; then
	apt-get update > /dev/null 2>&1
fi
found=
for version in 6.1 6.12; do
	if [ -e "/usr/src/linux-source-$version.tar.xz" ] ||
	   apt-cache show "linux-source-$version" > /dev/null 2>&1; then
		found="$found $version"
	fi
done
echo "${found:-6.1 6.12}"
