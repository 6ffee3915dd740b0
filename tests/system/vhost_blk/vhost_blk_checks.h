/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks of /dev/vhost-blk beside those of main.c. Each file here opens devices
 * of its own, as raw_blk.h keeps the state of one device per file.
 */
#ifndef VHOST_BLK_CHECKS_H
#define VHOST_BLK_CHECKS_H

#include "vhost_worker.h"

/* Microseconds to poll, so that the worker polls for seconds at least */
#define LONG_POLL 100000000

void stuck_begin(void); /* stuck.c: a disk that does not answer for a minute */
void stuck_end(void);
void busy_disk(void);	 /* busy.c: a disk that others use as well */
void empty_tables(void); /* empty.c: requests of very many descriptors */
void two_queues(void);	 /* queues.c: queues with a worker each or one */

#endif /* VHOST_BLK_CHECKS_H */
