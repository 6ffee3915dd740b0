/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets are moved by threads of this process, one per pair of queues,
 * that live while the driver has the device running and uses the pair. A
 * baseline for vhost-net, with each doorbell an I/O request, and the way to
 * have a network without acrn_vhost.ko.
 */
#ifndef DM_NET_USER_H
#define DM_NET_USER_H

#include "net/net.h"

extern const struct net_backend net_user_backend;

#endif /* DM_NET_USER_H */
