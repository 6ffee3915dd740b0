/* SPDX-License-Identifier: GPL-2.0 */
/* The version of modules and program, which packaging/changelog has as well. */
#ifndef ACRN_VHOST_VERSION_H
#define ACRN_VHOST_VERSION_H

#define ACRN_VHOST_VERSION "0.1"

#endif /* ACRN_VHOST_VERSION_H */
