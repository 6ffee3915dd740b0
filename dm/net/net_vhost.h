/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets of a network device are moved by vhost-net, with a vhost device
 * for each pair of queues. All pairs that the driver has set up run all the
 * time. Those that the driver does not use have their queue of the tap device
 * detached, so that they get no packets.
 */
#ifndef DM_NET_VHOST_H
#define DM_NET_VHOST_H

#include "net/net.h"

extern const struct net_backend net_vhost_backend;

#endif /* DM_NET_VHOST_H */
