// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a load and tells what the machine counted meanwhile.
 *
 *	counters guest COMMAND...
 *	counters marked COMMAND...
 *	counters begin NAME, counters end NAME
 *	counters host CASE TOOL COMMAND...
 *
 * The first runs where the load is, in the User VM. So does the second, whose
 * COMMAND runs the third when each of several loads begins and ends, as a fio
 * job can. The last runs in the Service VM and its COMMAND is whatever runs one
 * of the first two, over a console or by ssh: the two sides meet by lines that
 * begin with "load: ", and between begin and end nothing goes over that line.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a mark needs to get to the other side, and its interrupts to end. */
#define SETTLE_US 50000

#define MARK_BEGIN    "load: begin "
#define MARK_END      "load: end"
#define MARK_COUNTERS "load: counters "
#define MARK_OUTPUT   "load: output "
#define MARK_DONE     "load: done "

/* Where marks go, whatever happens to standard output further down. */
#define MARKS_FD 9

/* Lines "CPU REASON COUNT" of bench/exits, where it is loaded */
#define EXITS_PATH "/sys/kernel/debug/acrn_exits"

/* The load that has begun; in memory, as a write to a disk would count. */
#define STATE_PATH "/dev/shm/counters"

#define NAME_SIZE 64
#define LOADS_MAX 32
#define CPUS_MAX  64

/**
 * struct counters - What the kernel has counted since it booted
 * @time:	Seconds
 * @cpus:	How many CPUs there are
 * @idle:	Seconds in which each of them had nothing to do
 * @switches:	Context switches
 * @upcalls:	Interrupts from the hypervisor; in the Service VM one for each
 *		access of a User VM that waits for an answer
 * @virtio:	Interrupts from virtio devices
 * @exits:	VM exits of the real hypervisor; -1 where they are not counted
 * @lost:	Some before have not been counted
 */
struct counters {
	double time;
	unsigned int cpus;
	double idle[CPUS_MAX];
	unsigned long switches;
	unsigned long upcalls;
	unsigned long virtio;
	long exits;
	bool lost;
};

static FILE *open_proc(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		err(1, "%s", path);
	return file;
}

/*
 * A kernel without periodic ticks knows the time of idle CPUs to the
 * microsecond, that of busy ones only by what tick hits whom.
 */
static void read_stat(struct counters *counters)
{
	FILE *file = open_proc("/proc/stat");
	unsigned long idle, iowait;
	unsigned int cpu;
	char line[4096];

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "cpu%u %*u %*u %*u %lu %lu", &cpu, &idle,
			   &iowait) == 3 &&
		    cpu < CPUS_MAX) {
			counters->idle[cpu] =
				(double)(idle + iowait) / sysconf(_SC_CLK_TCK);
			counters->cpus = cpu + 1;
		}
		sscanf(line, "ctxt %lu", &counters->switches);
	}
	fclose(file);
}

/* The sum of a line's numbers behind the colon: one for each CPU. */
static unsigned long sum_of(const char *line)
{
	const char *at = strchr(line, ':');
	unsigned long sum = 0, number;
	char *end;

	for (at = at ? at + 1 : ""; *at; at = end) {
		number = strtoul(at, &end, 10);
		if (end == at || (*end != ' ' && *end != '\n'))
			break;
		sum += number;
	}
	return sum;
}

static void read_interrupts(struct counters *counters)
{
	FILE *file = open_proc("/proc/interrupts");
	char line[4096];

	while (fgets(line, sizeof(line), file)) {
		if (strstr(line, "HYP:"))
			counters->upcalls += sum_of(line);
		else if (strstr(line, "virtio"))
			counters->virtio += sum_of(line);
	}
	fclose(file);
}

static void read_exits(struct counters *counters)
{
	FILE *file = fopen(EXITS_PATH, "r");
	unsigned long count;
	char line[128];

	counters->exits = file ? 0 : -1;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*u %*u %lu", &count) == 1)
			counters->exits += count;
		else
			counters->lost = true;
	if (file)
		fclose(file);
}

static struct counters read_counters(void)
{
	struct counters counters = { 0 };
	struct timespec now;

	read_exits(&counters);

	read_interrupts(&counters);
	read_stat(&counters);
	clock_gettime(CLOCK_MONOTONIC, &now);
	counters.time = now.tv_sec + now.tv_nsec / 1e9;
	return counters;
}

/* Tells one machine from another. */
static void read_boot_id(char *id, size_t size)
{
	FILE *file = open_proc("/proc/sys/kernel/random/boot_id");

	if (!fgets(id, size, file))
		errx(1, "boot_id");
	id[strcspn(id, "\n")] = '\0';
	fclose(file);
}

/* Seconds in which a CPU was not idle. */
static double busy(const struct counters *from, const struct counters *to,
		   unsigned int cpu)
{
	double seconds = to->time - from->time;
	double idle = to->idle[cpu] - from->idle[cpu];

	return idle < seconds ? seconds - idle : 0;
}

static void print_counters(FILE *to_file, const struct counters *from,
			   const struct counters *to)
{
	if (to->lost)
		errx(1, "more exits than the hypervisor's rings hold");
	fprintf(to_file, "{\"seconds\": %.4f, \"busy\": [",
		to->time - from->time);
	for (unsigned int cpu = 0; cpu < to->cpus; cpu++)
		fprintf(to_file, "%s%.4f", cpu ? ", " : "",
			busy(from, to, cpu));
	fprintf(to_file,
		"], \"switches\": %lu, \"upcalls\": %lu, \"virtio\": %lu, \"exits\": %ld}",
		to->switches - from->switches, to->upcalls - from->upcalls,
		to->virtio - from->virtio,
		to->exits < 0 ? -1 : to->exits - from->exits);
}

/* Run @command with its output to @fd. */
static pid_t spawn(char **command, int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		if (dup2(fd, STDOUT_FILENO) < 0)
			err(126, "dup2");
		execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* All of a file in one line. */
static void print_flat(int fd)
{
	char text[4096];
	ssize_t len;

	if (lseek(fd, 0, SEEK_SET))
		err(1, "output of the load");
	while ((len = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < len; i++)
			if (text[i] != '\t')
				putchar(text[i] == '\n' ? ' ' : text[i]);
}

/* Standard output, or what was it when the command began. */
static FILE *open_marks(void)
{
	FILE *marks = fdopen(MARKS_FD, "w");

	if (!marks)
		err(1, "marks: this is no load's");
	return marks;
}

/* Tell the other side, and wait until it is quiet. */
static struct counters mark_begin(const char *name)
{
	FILE *marks = open_marks();

	/* A prompt may be on the line. */
	fprintf(marks, "\n" MARK_BEGIN "%s\n", name);
	fflush(marks);
	usleep(SETTLE_US);
	return read_counters();
}

static void mark_end(const struct counters *from)
{
	struct counters to = read_counters();
	FILE *marks = open_marks();
	char id[NAME_SIZE];

	fprintf(marks, MARK_END "\n");
	fflush(marks);
	usleep(SETTLE_US);
	read_boot_id(id, sizeof(id));
	fprintf(marks, MARK_COUNTERS "%s ", id);
	print_counters(marks, from, &to);
	fprintf(marks, "\n");
	fflush(marks);
}

/**
 * struct state - The load that has begun last
 * @name:	Its name
 * @ended:	It has ended
 * @from:	Counters when it began
 */
struct state {
	char name[NAME_SIZE];
	bool ended;
	struct counters from;
};

/*
 * A job of several processes runs these for each of them: the first to begin
 * and the first to end count, and nobody begins before the other side is quiet.
 */
static int mark(bool begin, const char *name)
{
	int fd = open(STATE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct state state = { .ended = true };
	bool same;

	if (fd < 0 || flock(fd, LOCK_EX) ||
	    pread(fd, &state, sizeof(state), 0) < 0)
		err(1, "%s", STATE_PATH);
	same = !strncmp(state.name, name, NAME_SIZE - 1);
	if (begin && !same) {
		state = (struct state){ 0 };
		strncpy(state.name, name, NAME_SIZE - 1);
		state.from = mark_begin(name);
	} else if (!begin && same && !state.ended) {
		mark_end(&state.from);
		state.ended = true;
	}
	if (pwrite(fd, &state, sizeof(state), 0) != sizeof(state))
		err(1, "%s", STATE_PATH);
	return 0;
}

static int run_guest(bool marked, char **command)
{
	int status, fd = memfd_create("output", MFD_CLOEXEC);
	struct counters from;

	if (fd < 0)
		err(1, "memfd");
	if (dup2(STDOUT_FILENO, MARKS_FD) < 0)
		err(1, "marks");
	unlink(STATE_PATH);
	if (!marked)
		from = mark_begin("");
	status = status_of(spawn(command, fd));
	if (!marked)
		mark_end(&from);
	printf(MARK_OUTPUT);
	print_flat(fd);
	printf("\n" MARK_DONE "%d\n", status);
	return status;
}

/**
 * struct load - One that the other side has told of
 * @name:	Its name
 * @from:	Counters of this side when it began
 * @to:		and when it ended
 * @guest:	Those of the other side
 */
struct load {
	char *name;
	struct counters from;
	struct counters to;
	char *guest;
};

/**
 * struct loads - All of a command
 * @loads:	In order
 * @count:	How many have ended
 * @output:	Of the command
 * @status:	Its exit status
 */
struct loads {
	struct load loads[LOADS_MAX];
	unsigned int count;
	char *output;
	int status;
};

/* What is behind @mark in @line, or NULL. */
static char *behind(char *line, const char *mark)
{
	char *at = strstr(line, mark);

	return at ? at + strlen(mark) : NULL;
}

static char *copy(const char *text)
{
	char *copied = strdup(text);

	if (!copied)
		err(1, "memory for %s", text);
	return copied;
}

/* Until it has ended completely, a load is the one after the last. */
static void take_line(struct loads *loads, char *line)
{
	struct load *load = &loads->loads[loads->count];
	char *rest;

	line[strcspn(line, "\r\n")] = '\0';
	if ((rest = behind(line, MARK_BEGIN))) {
		load->from = read_counters();
		load->name = copy(rest);
	} else if (behind(line, MARK_END)) {
		load->to = read_counters();
	} else if ((rest = behind(line, MARK_COUNTERS))) {
		load->guest = copy(rest);
		if (++loads->count == LOADS_MAX)
			errx(1, "%d loads are too many", LOADS_MAX);
	} else if ((rest = behind(line, MARK_OUTPUT))) {
		loads->output = copy(rest);
	} else if ((rest = behind(line, MARK_DONE))) {
		loads->status = atoi(rest);
	}
}

/* @text as a string of JSON. */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text >= ' ')
			putchar(*text);
	}
	putchar('"');
}

/* The counters of a load; without the guest's when it ran on this machine. */
static void print_load(const struct load *load)
{
	const char *guest = strchr(load->guest, ' ');
	char id[NAME_SIZE];

	read_boot_id(id, sizeof(id));
	if (!guest || !strncmp(load->guest, id, strlen(id)))
		guest = "null";
	printf("{\"name\": ");
	print_string(load->name);
	printf(", \"service\": ");
	print_counters(stdout, &load->from, &load->to);
	printf(", \"guest\": %s}", guest);
}

static void print_loads(const struct loads *loads, const char *name,
			const char *tool)
{
	printf("load: {\"case\": ");
	print_string(name);
	printf(", \"tool\": ");
	print_string(tool);
	printf(", \"loads\": [");
	for (unsigned int i = 0; i < loads->count; i++) {
		if (i)
			printf(", ");
		print_load(&loads->loads[i]);
	}
	printf("], \"output\": ");
	print_string(loads->output);
	printf("}\n");
}

static int run_host(const char *name, const char *tool, char **command)
{
	struct loads loads = { .status = -1 };
	size_t room = 0;
	char *line = NULL;
	int fds[2], status;
	FILE *lines;
	pid_t pid;

	if (pipe(fds))
		err(1, "pipe");
	pid = spawn(command, fds[1]);
	close(fds[1]);
	lines = fdopen(fds[0], "r");
	if (!lines)
		err(1, "pipe");
	while (getline(&line, &room, lines) >= 0)
		take_line(&loads, line);
	status = status_of(pid);
	if (status || loads.status || !loads.output || !loads.count) {
		warnx("%s: status %d, of the load %d, %u loads: %s", name,
		      status, loads.status, loads.count,
		      loads.output ? loads.output : "no output");
		return 1;
	}
	print_loads(&loads, name, tool);
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";

	if (!strcmp(mode, "guest") || !strcmp(mode, "marked"))
		return run_guest(!strcmp(mode, "marked"), argv + 2);
	if (!strcmp(mode, "begin") || !strcmp(mode, "end"))
		return mark(!strcmp(mode, "begin"), argv[2]);
	if (argc > 4 && !strcmp(mode, "host"))
		return run_host(argv[2], argv[3], argv + 4);
	errx(2,
	     "usage: counters guest|marked COMMAND... | counters begin|end NAME | counters host CASE TOOL COMMAND...");
}
