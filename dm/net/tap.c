// SPDX-License-Identifier: GPL-2.0
/*
 * The tap device. The functions use nothing but their arguments. The main
 * thread opens it before the VM runs; the thread that handles I/O requests
 * changes what it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include "net/tap.h"
#include "process/log.h"

#define DEVICE "/dev/net/tun"

#define BIT(n) (1ULL << (n))

/* These are from Linux 6.2, and may be missing in the C library's headers. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/*
 * The tap device does all offloads; the backend only passes the header of each
 * packet on. UFO is not offered: Linux' driver does not use it, and the tap
 * device never hands over such packets.
 */
#define FEATURES                                                               \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) |                \
	 BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_HOST_ECN) |            \
	 BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) |         \
	 BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN))
#define USO_FEATURES                                                           \
	(BIT(VIRTIO_NET_F_HOST_USO) | BIT(VIRTIO_NET_F_GUEST_USO4) |           \
	 BIT(VIRTIO_NET_F_GUEST_USO6))
#define USO_OFFLOADS (TUN_F_USO4 | TUN_F_USO6)

/* Make @fd a queue of the tap device, whose packets have virtio 1's header. */
static int set_up_tap(int fd, const char *name, bool multi_queue)
{
	int header = sizeof(struct virtio_net_hdr_mrg_rxbuf);
	struct ifreq request = { .ifr_flags =
					 IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	if (multi_queue)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0 ||
	    ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return -errno;
	return 0;
}

/*
 * What helps against an error of set_up_tap(), to be appended to the message.
 */
static const char *advice_for(int err, bool multi_queue)
{
	switch (err) {
	case EINVAL:
		return multi_queue
			       ? "; is it a tap device with multi_queue?"
			       : "; is it a tap device with a single queue?";
	case EBUSY:
		return "; another program uses it";
	case EPERM:
		return "; this needs root or the owner of the device";
	default:
		return "";
	}
}

/**
 * tap_open() - Open a tap device that exists
 * @name:	Its name
 * @multi_queue: The device was made for several queues: each call opens one
 *		more, which is attached
 *
 * Each packet begins with the 12 bytes of virtio 1's header. Reading does not
 * block.
 *
 * Return: Descriptor or -errno, with a message printed.
 */
int tap_open(const char *name, bool multi_queue)
{
	int fd, ret;

	/*
	 * TUNSETIFF would make a new device of this name, without an address.
	 */
	if (!if_nametoindex(name)) {
		log_error("there is no tap device %s; make it with: ip tuntap "
			  "add %s mode tap vnet_hdr%s",
			  name, name, multi_queue ? " multi_queue" : "");
		return -ENODEV;
	}
	fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		log_error("cannot open " DEVICE ": %s", strerror(-ret));
		return ret;
	}
	ret = set_up_tap(fd, name, multi_queue);
	if (!ret)
		return fd;
	log_error("cannot use %s as tap device: %s%s", name, strerror(-ret),
		  advice_for(-ret, multi_queue));
	close(fd);
	return ret;
}

/*
 * Attach a queue to its tap device, or detach it, which drops the packets in
 * it. Thread of I/O requests. Returns 0 or -errno, -EINVAL if the queue is
 * attached or detached already.
 */
int tap_attach(int fd, bool attached)
{
	struct ifreq request = {
		.ifr_flags = attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE,
	};

	return ioctl(fd, TUNSETQUEUE, &request) < 0 ? -errno : 0;
}

static bool has_feature(uint64_t features, unsigned int feature)
{
	return features & BIT(feature);
}

/* The kernel takes ECN only with TSO, and USO only for both IPv4 and IPv6. */
static unsigned long offloads_of(uint64_t features)
{
	unsigned long offloads = 0;

	if (!has_feature(features, VIRTIO_NET_F_GUEST_CSUM))
		return 0;
	if (has_feature(features, VIRTIO_NET_F_GUEST_TSO4))
		offloads |= TUN_F_TSO4;
	if (has_feature(features, VIRTIO_NET_F_GUEST_TSO6))
		offloads |= TUN_F_TSO6;
	if (offloads && has_feature(features, VIRTIO_NET_F_GUEST_ECN))
		offloads |= TUN_F_TSO_ECN;
	if (has_feature(features, VIRTIO_NET_F_GUEST_USO4) &&
	    has_feature(features, VIRTIO_NET_F_GUEST_USO6))
		offloads |= USO_OFFLOADS;
	return offloads | TUN_F_CSUM;
}

/*
 * Have the tap device hand over the kinds of packets that the driver can take:
 * those without a checksum, and those larger than the MTU. Thread of I/O
 * requests. Returns 0 or -errno.
 */
int tap_set_offloads(int fd, uint64_t features)
{
	return ioctl(fd, TUNSETOFFLOAD, offloads_of(features)) < 0 ? -errno : 0;
}

/*
 * Returns the features of a network device that the tap device provides. Main
 * thread, before the VM runs.
 */
uint64_t tap_features(int fd)
{
	/*
	 * Only trying tells whether the kernel knows USO. It does no harm, as
	 * no packets are read yet.
	 */
	if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | USO_OFFLOADS) < 0)
		return FEATURES;
	ioctl(fd, TUNSETOFFLOAD, 0);
	return FEATURES | USO_FEATURES;
}
