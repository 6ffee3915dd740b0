/* SPDX-License-Identifier: GPL-2.0 */
/* virtio-vsock on vhost-vsock: sockets between the guest and the Service VM. */
#ifndef DM_VSOCK_H
#define DM_VSOCK_H

#include <stdint.h>

#include "machine/vm.h"

int vsock_create(struct vm *vm, uint32_t cid);

#endif /* DM_VSOCK_H */
