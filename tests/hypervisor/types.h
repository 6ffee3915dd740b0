/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Integer types and small macros in the kernel's spelling. Usable in user space
 * too, so that pure logic can be unit tested.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define BIT(n)		 (1UL << (n))
#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define IS_ALIGNED(x, a) (((x) & ((a)-1)) == 0)
#define PAGE_ALIGN(x)	 (((x) + PAGE_SIZE - 1) & PAGE_MASK)

#define min(a, b) ((a) < (b) ? (a) : (b))

#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))

/* Exactly one access: the compiler neither repeats it nor leaves it out. */
#define READ_ONCE(x)	 (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

#endif /* HV_TYPES_H */
