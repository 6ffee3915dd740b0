/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel and the distribution say in files, below a folder that is /
 * by itself.
 */
#ifndef TOOL_FILES_H
#define TOOL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void files_set_root(const char *folder);
__attribute__((format(printf, 2, 3))) void files_path(char *path,
						      const char *fmt, ...);
bool files_allow(const char *name);
__attribute__((format(printf, 1, 2))) FILE *files_open(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) bool files_exist(const char *fmt, ...);
__attribute__((format(printf, 3, 4))) size_t files_read(char *text, size_t size,
							const char *fmt, ...);
__attribute__((format(printf, 3, 4))) bool files_word(char *word, size_t size,
						      const char *fmt, ...);
__attribute__((format(printf, 2, 3))) bool files_number(uint64_t *value,
							const char *fmt, ...);
size_t files_numbered(const char *folder, const char *prefix,
		      unsigned int *numbers, size_t max);

#endif /* TOOL_FILES_H */
