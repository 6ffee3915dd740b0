/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tap device: the Service VM's end of a network device. Each function uses
 * nothing but its arguments.
 */
#ifndef DM_TAP_H
#define DM_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/virtio_net.h>

/* These are from Linux 6.2, and may be missing in the C library's headers. */
#ifndef VIRTIO_NET_F_GUEST_USO4
#define VIRTIO_NET_F_GUEST_USO4 54
#define VIRTIO_NET_F_GUEST_USO6 55
#define VIRTIO_NET_F_HOST_USO	56
#endif

int tap_open(const char *name, bool multi_queue);
int tap_attach(int fd, bool attached);
uint64_t tap_features(int fd);
int tap_set_offloads(int fd, uint64_t features);

#endif /* DM_TAP_H */
