/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets are moved by vhost-net, a device for each pair of queues. All
 * pairs that the driver has set up run all the time, and those that it does not
 * use have no queue of the tap device.
 */
#ifndef DM_NET_VHOST_H
#define DM_NET_VHOST_H

#include "net/net.h"

extern const struct net_backend net_vhost_backend;

#endif /* DM_NET_VHOST_H */
