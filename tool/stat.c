// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "json.h"
#include "sample.h"
#include "screen.h"
#include "stat.h"
#include "table.h"

/**
 * struct stat_options - What to show
 * @once:	Sums, once
 * @json:	The same for programs
 * @doorbells:	By doorbell
 * @seconds:	Between two samples
 * @count:	How many times; 0 for no end
 */
struct stat_options {
	bool once;
	bool json;
	bool doorbells;
	double seconds;
	unsigned long count;
};

static struct sample samples[2];

static bool have_source(void)
{
	if (files_exist("/sys/module/acrn_hsm") ||
	    files_exist("/sys/class/misc/vhost-blk"))
		return true;
	fprintf(stderr, "acrn-vhost: acrn_hsm is not loaded; "
			"'acrn-vhost check' says what to do\n");
	return false;
}

/* Take a sample. Returns false, with a message, if it lacks the doorbells. */
static bool take(struct sample *sample, bool doorbells)
{
	sample_take(sample, doorbells);
	if (!sample->doorbells_error)
		return true;
	fprintf(stderr,
		"acrn-vhost: the doorbells of each VM are in debugfs, for root: %s\n",
		strerror(sample->doorbells_error));
	return false;
}

static void print_tables(FILE *to, const struct stat_options *options,
			 const struct sample *now, const struct sample *before)
{
	if (options->doorbells) {
		table_doorbells(to, now, before);
		return;
	}
	table_vms(to, now, before);
	table_disks(to, now, before);
}

/*
 * What the screen shows: a heading and, with @before, rates. To be freed by the
 * caller.
 */
static char *make_text(const struct stat_options *options,
		       const struct sample *now, const struct sample *before)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	fprintf(to,
		"User VMs: %zu   disks on vhost-blk: %zu   per second, every %g s; q ends\n\n",
		now->vm_count, now->disk_count, options->seconds);
	if (before)
		print_tables(to, options, now, before);
	fclose(to);
	return text;
}

/* Show @text for @seconds. Returns false if the user wants to end. */
static bool show_for(char *text, double seconds)
{
	double until = screen_now() + seconds;
	enum screen_event event;

	do {
		screen_show(text ?: "");
		event = screen_wait(until);
	} while (event == SCREEN_CHANGED);
	free(text);
	return event == SCREEN_TIME;
}

/* Returns the exit status. */
static int show_on_screen(const struct stat_options *options)
{
	char *text = make_text(options, &samples[0], NULL);

	for (unsigned long i = 1; show_for(text, options->seconds); i++) {
		struct sample *now = &samples[i % 2];

		if (!take(now, options->doorbells))
			return 1;
		text = make_text(options, now, &samples[(i + 1) % 2]);
		if (i == options->count) {
			show_for(text, 0);
			break;
		}
	}
	return 0;
}

/* Returns the exit status. */
static int print_live(const struct stat_options *options)
{
	for (unsigned long i = 1; !options->count || i <= options->count; i++) {
		struct sample *now = &samples[i % 2];

		screen_wait(screen_now() + options->seconds);
		if (!take(now, options->doorbells))
			return 1;
		printf("%s", i > 1 ? "\n" : "");
		print_tables(stdout, options, now, &samples[(i + 1) % 2]);
		fflush(stdout);
	}
	return 0;
}

static int show_live(const struct stat_options *options)
{
	int status;

	if (!screen_begin())
		return print_live(options);
	status = show_on_screen(options);
	screen_end();
	return status;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: acrn-vhost stat [-1] [-d] [-i SECONDS] [-n TIMES] "
		    "[--json]\n");
}

static bool parse_number(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end && *value > 0 && *value <= 1e6;
}

static bool parse_option(struct stat_options *options, int option)
{
	double value;

	switch (option) {
	case '1':
		options->once = true;
		return true;
	case 'd':
		options->doorbells = true;
		return true;
	case 'i':
		return parse_number(optarg, &options->seconds);
	case 'n':
		if (!parse_number(optarg, &value) || value < 1)
			return false;
		options->count = value;
		return true;
	case 'j':
		options->json = options->once = true;
		return true;
	}
	return false;
}

static bool parse_options(struct stat_options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "once", no_argument, NULL, '1' },
		{ "doorbells", no_argument, NULL, 'd' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "1di:n:h", names, NULL)) >=
	       0) {
		if (option == 'h') {
			usage(stdout);
			exit(0);
		}
		if (!parse_option(options, option))
			return false;
	}
	return optind == argc;
}

/* acrn-vhost stat. Returns the exit status. */
int stat_main(int argc, char **argv)
{
	struct stat_options options = { .seconds = 1 };

	if (!parse_options(&options, argc, argv)) {
		usage(stderr);
		return 2;
	}
	if (!have_source() || !take(&samples[0], options.doorbells))
		return 1;
	if (!options.once)
		return show_live(&options);
	if (options.json)
		json_print(&samples[0]);
	else
		print_tables(stdout, &options, &samples[0], NULL);
	return 0;
}

/* acrn-vhost list. Returns the exit status. */
int list_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (!have_source())
		return 1;
	sample_take(&samples[0], false);
	table_list(&samples[0]);
	return 0;
}
