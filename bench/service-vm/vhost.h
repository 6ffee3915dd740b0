/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vhost-net device whose transmit queue is always empty: when its worker is
 * kicked, it wakes up and finds nothing to do.
 *
 * To be included by one source file of a program.
 */
#ifndef VHOST_H
#define VHOST_H

#include <err.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VHOST_TX_QUEUE	 1
#define VHOST_QUEUE_SIZE 16

/**
 * struct vhost - Such a device
 * @fd:		Descriptor of /dev/vhost-net
 * @tap:	Descriptor of the tap device that is its backend
 */
struct vhost {
	int fd;
	int tap;
};

static inline void vhost_ioctl(int fd, unsigned long request, void *argument)
{
	if (ioctl(fd, request, argument))
		err(1, "vhost ioctl %#lx", request);
}

static inline int vhost_open_tap(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		err(1, "tap device");
	return fd;
}

static inline void vhost_set_memory(int fd, char *ram, size_t size)
{
	struct vhost_memory *memory =
		calloc(1, sizeof(*memory) + sizeof(memory->regions[0]));

	if (!memory)
		err(1, "memory table");
	memory->nregions = 1;
	memory->regions[0].memory_size = size;
	memory->regions[0].userspace_addr = (uintptr_t)ram;
	vhost_ioctl(fd, VHOST_SET_MEM_TABLE, memory);
	free(memory);
}

/*
 * Create the device. Its queue is in the page @queue of @ram, which is zero,
 * and @kick is the eventfd that wakes its worker.
 */
static inline struct vhost vhost_create(char *ram, size_t size, char *queue,
					int kick)
{
	struct vhost vhost = { .fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC),
			       .tap = vhost_open_tap() };
	struct vhost_vring_state state = { .index = VHOST_TX_QUEUE };
	struct vhost_vring_addr addr = {
		.index = VHOST_TX_QUEUE,
		.desc_user_addr = (uintptr_t)queue,
		.avail_user_addr = (uintptr_t)queue + 1024,
		.used_user_addr = (uintptr_t)queue + 2048,
	};
	struct vhost_vring_file file = { .index = VHOST_TX_QUEUE };
	uint64_t features = 0;

	if (vhost.fd < 0)
		err(1, "/dev/vhost-net");
	vhost_ioctl(vhost.fd, VHOST_SET_OWNER, NULL);
	vhost_ioctl(vhost.fd, VHOST_SET_FEATURES, &features);
	vhost_set_memory(vhost.fd, ram, size);
	vhost_ioctl(vhost.fd, VHOST_SET_VRING_BASE, &state);
	state.num = VHOST_QUEUE_SIZE;
	vhost_ioctl(vhost.fd, VHOST_SET_VRING_NUM, &state);
	vhost_ioctl(vhost.fd, VHOST_SET_VRING_ADDR, &addr);
	file.fd = kick;
	vhost_ioctl(vhost.fd, VHOST_SET_VRING_KICK, &file);
	file.fd = vhost.tap;
	vhost_ioctl(vhost.fd, VHOST_NET_SET_BACKEND, &file);
	return vhost;
}

static inline void vhost_close(struct vhost *vhost)
{
	close(vhost->fd);
	close(vhost->tap);
}

#endif /* VHOST_H */
