/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each file of checks offers to main.c and to the other files. The checks
 * use the device that main.c opens. Only those of stuck.c, busy.c, empty.c and
 * queues.c open devices of their own, in processes of their own, because
 * raw_blk.h keeps the state of one device.
 */
#ifndef VHOST_BLK_CHECKS_H
#define VHOST_BLK_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

/* The device's serial number, of VIRTIO_BLK_ID_BYTES */
#define SERIAL "raw-ioctls\0\0\0\0\0\0\0\0\0\0"

/* A disk that is made and removed by the groups of checks that need one */
#define NARROW "/dev/narrow"

/* A disk with a volatile cache */
#define CACHED "/dev/cached"

/* The file on a file system */
#define FS_FILE "/mnt/file"

/* Address of other memory than that of raw_blk.h, by set_more_memory() */
#define HUGE_GPA (1ULL << 32)

/* arguments.c: arguments of the ioctls */
void arguments(void);

/* transfers.c: reads and writes of all kinds */
void transfers(const char *disk);
void cuts(void);

/* zero.c: discarding and zeroing */
void discard_and_zero(const char *disk);
void long_zeroing(void);
void unmapped(void);

/* refused.c: requests that the device refuses */
void wrong_requests(void);
void too_large(void);

/* rings.c: corrupt rings, and large ones */
void corrupt_rings(void);
void rings_in_kernel(void);
void large_rings(void);

/* errors.c: disks that fail */
bool bad_sectors(bool bad);
void disk_errors(void);
void lost_data(void);

/* priority.c: the I/O priority of requests */
void priority(void);

/* read_only.c: disks that are not written */
void read_only(void);

/* page_cache.c: requests pass by the page cache */
bool file_is_cached(void);
void page_cache(void);
void unaligned_file(void);

/* blocks.c: a disk with blocks of 4 KiB */
bool make_large_blocks(void);
void large_blocks(void);

/* power.c: power cuts */
void power_cuts(unsigned int count);

/* files.c: a file on a file system */
bool make_file(void);
bool remove_file(void);
void frozen(void);
void detached_copying(void);
void traced_write(void);
void appended(void);

/* memory.c: guest memory and rings in a file, memory without pages */
int set_more_memory(void *more, uint64_t size);
void memory_in_file(void);
void memory_without_pages(const char *disk);

/* attach.c: disks that come and go with requests in flight */
void in_flight(void);
void half_attached(void);
void race(void);

/* bios.c: the bios that requests become */
void parts_in_order(void);
void flush_is_synchronous(void);
void narrow_disk(void);
void starvation(void);

/* log.c: the log of dirty pages */
void dirty_pages(void);
void log_of_claims(void);
void memory_changes(void);
void workers(void);

/* poll.c: polling */
void busyloop(void);
void held_interrupts(void);
void wanted_cpu(void);
void polling(void);

/* counters.c: counters, attributes and histograms */
long long counter(const char *name);
void counters(void);

/* traces.c: tracepoints */
void traces(void);
void batches(void);

/* stuck.c: a disk that does not answer for a minute */
void stuck_begin(void);
void stuck_end(void);

/* busy.c: a disk that others use as well */
void busy_disk(void);

/* empty.c: requests of very many descriptors */
void empty_tables(void);

/* queues.c: queues with a worker each or one */
void two_queues(void);

#endif /* VHOST_BLK_CHECKS_H */
