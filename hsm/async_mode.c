// SPDX-License-Identifier: GPL-2.0
/*
 * The module parameter "async", which says which doorbells are asynchronous:
 * "auto", the default, all; "flag", those that the device model asks for; "off",
 * none. It can be written at any time, and each doorbell that is assigned later
 * reads it, without a lock.
 */
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "hsm.h"

enum async_mode {
	ASYNC_AUTO,
	ASYNC_FLAG,
	ASYNC_OFF,
};

static const char * const mode_names[] = {
	[ASYNC_AUTO] = "auto",
	[ASYNC_FLAG] = "flag",
	[ASYNC_OFF] = "off",
};

static int mode = ASYNC_AUTO;

/* Write the parameter. Process context. */
static int mode_set(const char *text, const struct kernel_param *param)
{
	int value = sysfs_match_string(mode_names, text);

	if (value < 0)
		return value;
	WRITE_ONCE(mode, value);
	return 0;
}

static int mode_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%s\n", mode_names[READ_ONCE(mode)]);
}

static const struct kernel_param_ops mode_ops = {
	.set = mode_set,
	.get = mode_get,
};

module_param_cb(async, &mode_ops, NULL, 0644);
MODULE_PARM_DESC(async, "which doorbells are asynchronous: auto (default), flag or off");

/**
 * acrn_async_mode_any() - Find whether any doorbell may be asynchronous
 *
 * Context: Any.
 * Return: false if the parameter is "off"
 */
bool acrn_async_mode_any(void)
{
	return READ_ONCE(mode) != ASYNC_OFF;
}

/**
 * acrn_async_mode_wants() - Find whether a doorbell may be asynchronous
 * @asked_for:	The device model has asked for this
 *
 * Context: Any.
 * Return: true if the parameter allows it
 */
bool acrn_async_mode_wants(bool asked_for)
{
	switch (READ_ONCE(mode)) {
	case ASYNC_AUTO:
		return true;
	case ASYNC_FLAG:
		return asked_for;
	default:
		return false;
	}
}
