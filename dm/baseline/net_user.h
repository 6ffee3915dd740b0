/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets of a network device are moved by threads of this process, one for
 * each pair of queues that the driver uses. Each doorbell is an I/O request,
 * each interrupt an ioctl.
 *
 * A baseline for vhost-net, and the only network that does without
 * acrn_vhost.ko.
 */
#ifndef DM_NET_USER_H
#define DM_NET_USER_H

#include "net/net.h"

extern const struct net_backend net_user_backend;

#endif /* DM_NET_USER_H */
