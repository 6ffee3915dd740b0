/* SPDX-License-Identifier: GPL-2.0 */
/* Functions of the C library that the hypervisor calls or gcc makes calls to */
#ifndef HV_STRING_H
#define HV_STRING_H

#include "types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
const char *strstr(const char *haystack, const char *needle);

#endif /* HV_STRING_H */
