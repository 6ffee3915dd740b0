/* SPDX-License-Identifier: GPL-2.0 */
/* The commands stat and list. */
#ifndef TOOL_STAT_H
#define TOOL_STAT_H

int stat_main(int argc, char **argv);
int list_main(int argc, char **argv);

#endif /* TOOL_STAT_H */
