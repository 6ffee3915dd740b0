# shellcheck shell=bash
# Functions for a Debian root file system into which packages are installed.
#
# Before: $work is a folder of the test, in which all is made; $base the root file system,
# which is not changed; $cache the folder with the kernels' build directories and their
# sources. The script runs as root in a mount namespace of its own.

: "${work:?} ${base:?} ${cache:?}"
root=$work/root
modules=$root/lib/modules

in_root() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# mount_at SOURCE PLACE: bind-mount a folder read-only in the root file system
mount_at() {
	mkdir -p "$root$2" && mount --bind -o ro "$1" "$root$2"
}

# Make the root file system at $root: $base and what is written from now on
mount_root() {
	rm -rf "$work/upper" "$work/overlay" "$root"
	mkdir -p "$work/upper" "$work/overlay" "$root"
	mount -t overlay overlay \
		-o "lowerdir=$base,upperdir=$work/upper,workdir=$work/overlay" "$root" &&
		mount -t proc proc "$root/proc" && mount_at "$cache" "$cache"
}

remove_root() {
	umount -R "$root" && rm -rf "$root" "$work/upper" "$work/overlay"
}

release_of() {
	cat "$1/include/config/kernel.release"
}

# add_kernel KDIR: add a kernel as if its package were installed, with all of its modules,
# of which the in-tree HSM is one
add_kernel() {
	local kdir=$1 release
	release=$(release_of "$kdir")
	mkdir -p "$modules/$release/kernel"
	cp "$kdir"/modules.{order,builtin,builtin.modinfo} "$modules/$release"
	find "$kdir" -name '*.ko' -exec cp -t "$modules/$release/kernel" {} +
	strip --strip-debug "$modules/$release"/kernel/*.ko
	cp "$kdir/.config" "$root/boot/config-$release"
	ln -s "$kdir" "$modules/$release/build"
	depmod -b "$root" "$release"
}

# Debian's own kernel, of which the root file system has the headers
debian_release() {
	basename "$modules"/*-cloud-amd64
}

# build_blk SOURCE: build /tmp/blk/vhost_blk.ko for Debian's own kernel, from the package's
# sources and with vhost.h of that tree
build_blk() {
	rm -rf "$root/tmp/blk"
	cp -r "$root"/usr/src/vhost-blk-* "$root/tmp/blk"
	in_root make -C "/lib/modules/$(debian_release)/build" M=/tmp/blk VHOST_SRC="$1" modules \
		> "$work/blk.log" 2>&1 || { tail "$work/blk.log"; return 1; }
}

# other_header SOURCE: make /tmp/other from that kernel's source, with a vhost.h such as
# another kernel has, with one member more
other_header() {
	mkdir -p "$root/tmp/other/drivers/vhost"
	cp "$1/Makefile" "$root/tmp/other"
	sed 's/^struct vhost_virtqueue {/&\n\tvoid *added;/' "$1/drivers/vhost/vhost.h" \
		> "$root/tmp/other/drivers/vhost/vhost.h"
}

# install_packages FOLDER: install all packages from there; apt's output is in $work/apt.log
install_packages() {
	in_root sh -c "apt-get install -y --no-install-recommends $1/acrn-vhost_*.deb \
		$1/acrn-vhost-dkms_*.deb $1/vhost-blk-dkms_*.deb $1/libacrnvhost-dev_*.deb" \
		> "$work/apt.log" 2>&1 || { tail -n 40 "$work/apt.log"; return 1; }
}
