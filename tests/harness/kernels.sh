#!/bin/sh
# Print which of the supported kernel versions this Debian packages the source
# of: Debian 12 has both, later ones only the newer.
if [ ! -e /var/cache/apt/pkgcache.bin ] && [ "$(id -u)" = 0 ]; then
	apt-get update > /dev/null 2>&1
fi
for version in 6.1 6.12; do
	if [ -e "/usr/src/linux-source-$version.tar.xz" ] ||
	   apt-cache show "linux-source-$version" > /dev/null 2>&1; then
		printf '%s ' "$version"
	fi
done
echo
