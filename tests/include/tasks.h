/* SPDX-License-Identifier: GPL-2.0 */
/* The tasks of the kernel, its own threads among them, by name. */
#ifndef TASKS_H
#define TASKS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the name of a task, with a line break behind it, begins like this. */
static inline bool task_begins_with(const char *pid, const char *beginning)
{
	char path[300], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strncmp(name, beginning, strlen(beginning));
}

/*
 * The next task in @proc, which is /proc, whose name begins like this; 0 if
 * there is no further one.
 */
static inline int next_task(DIR *proc, const char *beginning)
{
	struct dirent *entry;

	while ((entry = readdir(proc)))
		if (task_begins_with(entry->d_name, beginning))
			return atoi(entry->d_name);
	return 0;
}

#endif /* TASKS_H */
