// SPDX-License-Identifier: GPL-2.0
/*
 * Creates a persistent tap device as Busybox's tunctl and ip cannot: one that
 * can have several queues, or one of a user, who may open it then.
 *
 * Usage: tap_device NAME multi_queue
 *        tap_device NAME UID
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/if.h>
#include <linux/if_tun.h>

int main(int argc, char **argv)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);
	unsigned long owner = -1UL;
	char *end = "";

	if (argc == 3 && !strcmp(argv[2], "multi_queue"))
		request.ifr_flags |= IFF_MULTI_QUEUE;
	else if (argc == 3)
		owner = strtoul(argv[2], &end, 10);
	if (argc != 3 || *end || strlen(argv[1]) >= sizeof(request.ifr_name)) {
		fputs("usage: tap_device NAME multi_queue|UID\n", stderr);
		return 2;
	}
	strcpy(request.ifr_name, argv[1]);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) ||
	    (owner != -1UL && ioctl(fd, TUNSETOWNER, owner)) ||
	    ioctl(fd, TUNSETPERSIST, 1)) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
