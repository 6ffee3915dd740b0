/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A terminal that shows one text after the other in the same place. There is
 * one, standard output; keys come from standard input.
 */
#ifndef TOOL_SCREEN_H
#define TOOL_SCREEN_H

#include <stdbool.h>

enum screen_event {
	SCREEN_TIME,
	SCREEN_CHANGED,
	SCREEN_QUIT,
};

bool screen_begin(void);
void screen_end(void);
void screen_show(const char *text);
enum screen_event screen_wait(double until);
double screen_now(void);

#endif /* TOOL_SCREEN_H */
