// SPDX-License-Identifier: GPL-2.0
/*
 * Creates a persistent tap device that can have several queues. Busybox's
 * tunctl and ip cannot.
 *
 * Usage: tap_queues NAME
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/if.h>
#include <linux/if_tun.h>

int main(int argc, char **argv)
{
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE,
	};
	int fd = open("/dev/net/tun", O_RDWR);

	if (argc != 2 || strlen(argv[1]) >= sizeof(request.ifr_name)) {
		fputs("usage: tap_queues NAME\n", stderr);
		return 2;
	}
	strcpy(request.ifr_name, argv[1]);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) ||
	    ioctl(fd, TUNSETPERSIST, 1)) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
