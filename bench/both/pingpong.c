// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and responses over a network, which iperf3 does not measure, and
 * over vsock, which it does not know.
 *
 *	pingpong server PORT
 *	pingpong client udp|tcp|vsock ADDRESS PORT SIZE DEPTH SECONDS
 *
 * The client keeps DEPTH requests of SIZE bytes on their way. The server sends
 * back what it gets. With vsock the address is a CID.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "clock.h"

/* One datagram of an Ethernet frame; streams can do with any size. */
#define DATAGRAM_MAX 1472
#define STREAM_MAX   65536

/* Without an answer for so long, UDP requests or responses are lost. */
#define LOST_MS 200

/* What is served, in this order, and what a client can ask for. */
static const struct protocol {
	const char *name;
	int family;
	int type;
} protocols[] = {
	{ "udp", AF_INET, SOCK_DGRAM },
	{ "tcp", AF_INET, SOCK_STREAM },
	{ "vsock", AF_VSOCK, SOCK_STREAM },
};

#define PROTOCOLS (sizeof(protocols) / sizeof(*protocols))

/**
 * union endpoint - Where a socket is bound or connected to
 * @any:	What the calls take
 * @in:		of UDP and TCP
 * @vm:		of vsock
 */
union endpoint {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_vm vm;
};

static socklen_t endpoint_size(const union endpoint *endpoint)
{
	return endpoint->any.sa_family == AF_VSOCK ? sizeof(endpoint->vm)
						   : sizeof(endpoint->in);
}

/* @text is NULL for any address. */
static union endpoint endpoint_of(int family, const char *text,
				  const char *port)
{
	union endpoint endpoint = { .any.sa_family = family };

	if (family == AF_VSOCK) {
		endpoint.vm.svm_cid =
			text ? (unsigned int)atoi(text) : VMADDR_CID_ANY;
		endpoint.vm.svm_port = atoi(port);
		return endpoint;
	}
	endpoint.in.sin_port = htons(atoi(port));
	if (text && !inet_aton(text, &endpoint.in.sin_addr))
		errx(2, "%s is no address", text);
	return endpoint;
}

/* -1 where there is no such protocol. */
static int open_socket(const struct protocol *protocol)
{
	int on = 1, fd;

	fd = socket(protocol->family, protocol->type | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		return -1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "socket");
	return fd;
}

static int serve_on(const struct protocol *protocol, const char *port)
{
	union endpoint endpoint = endpoint_of(protocol->family, NULL, port);
	int fd = open_socket(protocol);

	if (fd < 0)
		return -1;
	if (bind(fd, &endpoint.any, endpoint_size(&endpoint)))
		err(1, "%s port %s", protocol->name, port);
	if (protocol->type == SOCK_STREAM && listen(fd, 1))
		err(1, "listen");
	return fd;
}

/* No effect on what is not TCP. */
static void set_nodelay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) &&
	    errno != EOPNOTSUPP && errno != ENOPROTOOPT)
		err(1, "TCP_NODELAY");
}

static void answer_datagram(int fd)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	char data[DATAGRAM_MAX];
	ssize_t len;

	len = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from,
		       &size);
	/* What cannot be sent is lost, as on any network. */
	if (len > 0)
		sendto(fd, data, len, 0, (struct sockaddr *)&from, size);
}

/* False when the connection is over. */
static bool answer_stream(int fd)
{
	static char data[STREAM_MAX];
	ssize_t len = read(fd, data, sizeof(data)), sent, n;

	for (sent = 0; sent < len; sent += n) {
		n = send(fd, data + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0)
			return false;
	}
	return len > 0;
}

static void serve_protocol(const struct protocol *protocol, int fd)
{
	int connection;

	for (;;) {
		if (protocol->type == SOCK_DGRAM) {
			answer_datagram(fd);
			continue;
		}
		connection = accept(fd, NULL, NULL);
		if (connection < 0)
			err(1, "accept");
		set_nodelay(connection);
		while (answer_stream(connection))
			;
		close(connection);
	}
}

/* A process for each protocol that there is; all end with the first. */
static void serve(const char *port)
{
	for (unsigned int i = 0; i < PROTOCOLS; i++) {
		int fd = serve_on(&protocols[i], port);
		pid_t pid = fd < 0 ? 0 : fork();

		if (fd < 0)
			continue;
		if (pid < 0 || (!pid && prctl(PR_SET_PDEATHSIG, SIGTERM)))
			err(1, "server");
		if (!pid)
			serve_protocol(&protocols[i], fd);
		close(fd);
	}
	wait(NULL);
	errx(1, "a server has ended");
}

/**
 * struct client - Requests on their way
 * @fd:		Connected socket
 * @stream:	TCP or vsock
 * @size:	Bytes of a request
 * @times:	Nanoseconds that each took so far
 * @count:	How many
 * @room:	How many fit into @times
 * @lost:	Requests without a response
 */
struct client {
	int fd;
	bool stream;
	size_t size;
	uint64_t *times;
	size_t count;
	size_t room;
	size_t lost;
};

static void send_request(const struct client *client)
{
	static char data[STREAM_MAX];
	uint64_t time = now_ns();

	memcpy(data, &time, sizeof(time));
	if (send(client->fd, data, client->size, 0) != (ssize_t)client->size &&
	    errno != ENOBUFS)
		err(1, "request");
}

static void add_time(struct client *client, uint64_t ns)
{
	if (client->count == client->room) {
		client->room = client->room ? client->room * 2 : 65536;
		client->times = reallocarray(client->times, client->room,
					     sizeof(*client->times));
		if (!client->times)
			err(1, "memory for %zu times", client->room);
	}
	client->times[client->count++] = ns;
}

/* False when none comes. */
static bool take_response(struct client *client)
{
	static char data[STREAM_MAX];
	uint64_t time;
	ssize_t len;

	len = recv(client->fd, data, client->size,
		   client->stream ? MSG_WAITALL : 0);
	if (len < 0 && errno == EAGAIN && !client->stream)
		return false;
	if (len != (ssize_t)client->size)
		err(1, "response");
	memcpy(&time, data, sizeof(time));
	add_time(client, now_ns() - time);
	return true;
}

static void run(struct client *client, unsigned int depth, uint64_t end)
{
	for (unsigned int i = 0; i < depth; i++)
		send_request(client);
	while (now_ns() < end) {
		if (take_response(client)) {
			send_request(client);
			continue;
		}
		client->lost += depth;
		for (unsigned int i = 0; i < depth; i++)
			send_request(client);
	}
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void report(struct client *client, double seconds)
{
	static const double percents[] = { 0,  1,  5,  10, 20, 30, 40,	 50,
					   60, 70, 80, 90, 95, 99, 99.5, 99.9 };
	size_t n = sizeof(percents) / sizeof(*percents);

	if (!client->count)
		errx(1, "no response");
	qsort(client->times, client->count, sizeof(*client->times),
	      compare_times);
	printf("{\"seconds\": %.4f, \"requests\": %zu, \"lost\": %zu, \"us\": {",
	       seconds, client->count, client->lost);
	for (size_t i = 0; i < n; i++)
		printf("%s\"%g\": %.2f", i ? ", " : "", percents[i],
		       client->times[(size_t)(percents[i] / 100 *
					      (client->count - 1))] /
			       1e3);
	printf("}}\n");
}

static const struct protocol *protocol_named(const char *name)
{
	for (unsigned int i = 0; i < PROTOCOLS; i++)
		if (!strcmp(name, protocols[i].name))
			return &protocols[i];
	errx(2, "no protocol %s", name);
}

static int connect_to(const struct protocol *protocol,
		      const union endpoint *endpoint)
{
	const struct timeval lost = { .tv_usec = LOST_MS * 1000 };
	int fd = open_socket(protocol);

	if (fd < 0 || connect(fd, &endpoint->any, endpoint_size(endpoint)))
		err(1, "%s", protocol->name);
	if (protocol->type == SOCK_STREAM)
		set_nodelay(fd);
	else if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &lost, sizeof(lost)))
		err(1, "SO_RCVTIMEO");
	return fd;
}

static void run_client(char **argv)
{
	const struct protocol *protocol = protocol_named(argv[0]);
	union endpoint endpoint =
		endpoint_of(protocol->family, argv[1], argv[2]);
	struct client client = { .stream = protocol->type == SOCK_STREAM,
				 .size = atoi(argv[3]) };
	size_t max = client.stream ? STREAM_MAX : DATAGRAM_MAX;
	double seconds = atof(argv[5]);
	uint64_t start;

	if (client.size < sizeof(uint64_t) || client.size > max)
		errx(2, "%s bytes are not 8 to %zu", argv[3], max);
	client.fd = connect_to(protocol, &endpoint);
	start = now_ns();
	run(&client, atoi(argv[4]), start + seconds * 1e9);
	report(&client, (now_ns() - start) / 1e9);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server"))
		serve(argv[2]);
	else if (argc == 8 && !strcmp(argv[1], "client"))
		run_client(argv + 2);
	else
		errx(2,
		     "usage: pingpong server PORT | pingpong client udp|tcp|vsock ADDRESS PORT SIZE DEPTH SECONDS");
	return 0;
}
