/* SPDX-License-Identifier: GPL-2.0 */
/* Messages to the user, on stderr. Any thread. */
#ifndef DM_LOG_H
#define DM_LOG_H

__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_guest(const char *fmt, ...);

#endif /* DM_LOG_H */
