// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static const char *root = "";

/**
 * files_set_root() - Look below another folder
 * @folder:	Stands for / in all other functions; is kept
 */
void files_set_root(const char *folder)
{
	root = folder;
}

static void make_path(char *path, const char *fmt, va_list args)
{
	int len = snprintf(path, PATH_MAX, "%s", root);

	if (len < PATH_MAX)
		vsnprintf(path + len, PATH_MAX - len, fmt, args);
}

/**
 * files_path() - Find out where a file is, for a library that opens it
 * @path:	Where to, PATH_MAX bytes
 * @fmt:	The path below the folder of files_set_root(), as for printf()
 */
void files_path(char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
}

/**
 * files_open() - Open a file for reading
 * @fmt:	Its path, as for printf()
 *
 * Return: the file, or NULL with errno set
 */
FILE *files_open(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	return fopen(path, "re");
}

/* Whether there is something at the path. */
bool files_exist(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	return !access(path, F_OK);
}

/* Whether who asks may read and write the file. */
bool files_allow(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return !access(path, R_OK | W_OK);
}

static size_t read_all(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t len = 0;

	if (file) {
		len = fread(text, 1, size - 1, file);
		fclose(file);
	}
	text[len] = '\0';
	return len;
}

/**
 * files_read() - Read the beginning of a file
 * @text:	Where to, a string; empty when there is nothing to read
 * @size:	Bytes of @text
 * @fmt:	Path, as for printf()
 *
 * Return: bytes read
 */
size_t files_read(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	return read_all(path, text, size);
}

/**
 * files_word() - Read the first line of a file
 * @word:	Where to, without the end of the line
 * @size:	Bytes of @word
 * @fmt:	Path, as for printf()
 *
 * Return: whether there was one that is not empty
 */
bool files_word(char *word, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	read_all(path, word, size);
	word[strcspn(word, "\n")] = '\0';
	return *word;
}

/**
 * files_number() - Read a number
 * @value:	Where to
 * @fmt:	Path of a file that has a decimal number, as for printf()
 *
 * Return: whether it has one
 */
bool files_number(uint64_t *value, const char *fmt, ...)
{
	char path[PATH_MAX], text[32];
	va_list args;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	read_all(path, text, sizeof(text));
	return sscanf(text, "%" SCNu64, value) == 1;
}

static int compare(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/**
 * files_numbered() - Find entries of a folder that are numbered
 * @folder:	Path
 * @prefix:	Their names up to the number
 * @numbers:	Where their numbers go, in ascending order
 * @max:	How many at most
 *
 * Return: how many there are, none if there is no such folder
 */
size_t files_numbered(const char *folder, const char *prefix,
		      unsigned int *numbers, size_t max)
{
	size_t count = 0, len = strlen(prefix);
	char path[PATH_MAX], *end;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", root, folder);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (count < max && (entry = readdir(dir))) {
		const char *digits = entry->d_name + len;

		if (strncmp(entry->d_name, prefix, len) || *digits < '0' ||
		    *digits > '9')
			continue;
		numbers[count] = strtoul(digits, &end, 10);
		count += !*end;
	}
	closedir(dir);
	qsort(numbers, count, sizeof(*numbers), compare);
	return count;
}
