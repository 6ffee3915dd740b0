/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names that <linux/acrn.h> has in ACRN's own kernel (projectacrn/acrn-kernel,
 * based on 6.1) but not in Linux. `make check` compiles the modules with this
 * file included first, so that a name of ours that would collide with one of
 * these is an error. As it comes before all other headers, it includes none.
 */
#ifndef ACRN_KERNEL_H
#define ACRN_KERNEL_H

#define ACRN_ASYNC_TYPE_PIO	    1
#define ACRN_ASYNC_TYPE_MMIO	    2
#define ACRN_IOEVENTFD_FLAG_ASYNCIO 0x08
#define ACRN_IOCTL_SETUP_ASYNCIO    _IOW(ACRN_IOCTL_TYPE, 0x90, __u64)

#define SBUF_MAGIC     0x5aa57aa71aa13aa3
#define SBUF_MAX_SIZE  (1ULL << 22)
#define SBUF_HEAD_SIZE 64
#define OVERRUN_CNT_EN (1ULL << 0)
#define OVERWRITE_EN   (1ULL << 1)

enum sbuf_type {
	ACRN_ASYNCIO = 64,
};

struct acrn_asyncio_reqinfo {
	unsigned long long fields[3];
};

struct acrn_sbuf_param {
	unsigned long long fields[2];
};

typedef struct shared_buf {
	unsigned long long fields[8];
} shared_buf_t;

#endif /* ACRN_KERNEL_H */
