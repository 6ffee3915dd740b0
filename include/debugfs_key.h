/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file in debugfs that switches a static key: 1 written to it enables the key, 0
 * disables it. For the one source file of a module that makes such files.
 */
#ifndef DEBUGFS_KEY_H
#define DEBUGFS_KEY_H

#include <linux/debugfs.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/jump_label.h>
#include <linux/mutex.h>
#include <linux/types.h>

/* A key must not be enabled by one writer while another one disables it. */
static DEFINE_MUTEX(debugfs_key_lock);

static int debugfs_key_get(void *key, u64 *value)
{
	*value = static_key_enabled((struct static_key_false *)key);
	return 0;
}

static int debugfs_key_set(void *data, u64 value)
{
	struct static_key_false *key = data;

	if (value > 1)
		return -EINVAL;
	mutex_lock(&debugfs_key_lock);
	if (value)
		static_branch_enable(key);
	else
		static_branch_disable(key);
	mutex_unlock(&debugfs_key_lock);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(debugfs_key_fops, debugfs_key_get, debugfs_key_set,
			 "%llu\n");

/**
 * debugfs_create_key() - Create a file that switches a static key
 * @name:	Name of the file, which root alone can read and write
 * @dir:	Directory in debugfs
 * @key:	Key, which outlives the file
 *
 * Context: Process context, may sleep.
 */
static inline void debugfs_create_key(const char *name, struct dentry *dir,
				      struct static_key_false *key)
{
	debugfs_create_file(name, 0600, dir, key, &debugfs_key_fops);
}

#endif /* DEBUGFS_KEY_H */
