// SPDX-License-Identifier: GPL-2.0
/*
 * One end of a vsock connection, in a User VM or in the Service VM. Both ends
 *send and receive BYTES at the same time. The value of each byte follows from
 *its position.
 *
 *	vsock_io stream|seqpacket listen PORT BYTES
 *	vsock_io stream|seqpacket connect PORT BYTES CID
 *
 * Exits with 0 if all bytes arrived and were right, at both ends.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>

/* Bytes per send and receive: a seqpacket message has to be read at once. */
#define CHUNK 32768

/* Byte that each end sends last, if all that it received was right */
#define CONTENT 0x5a

static int sock;
static size_t total;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* 251 is prime: chunks, and blocks of powers of two, begin with other bytes. */
static uint8_t byte_at(size_t place)
{
	return place % 251;
}

static void *send_all(void *unused)
{
	uint8_t chunk[CHUNK];
	size_t done, i;
	ssize_t n;

	for (done = 0; done < total; done += n) {
		n = total - done < CHUNK ? total - done : CHUNK;
		for (i = 0; i < (size_t)n; i++)
			chunk[i] = byte_at(done + i);
		n = send(sock, chunk, n, MSG_NOSIGNAL);
		if (n < 0)
			die("send");
	}
	return unused;
}

static void receive_all(void)
{
	uint8_t chunk[CHUNK];
	size_t done = 0;
	ssize_t n, i;

	while (done < total) {
		n = total - done < CHUNK ? total - done : CHUNK;
		n = recv(sock, chunk, n, 0);
		if (n < 0)
			die("recv");
		if (!n) {
			fprintf(stderr, "end after %zu bytes\n", done);
			exit(1);
		}
		for (i = 0; i < n; i++)
			if (chunk[i] != byte_at(done + i)) {
				fprintf(stderr, "byte %zu is wrong\n",
					done + i);
				exit(1);
			}
		done += n;
	}
}

static int listen_on(int type, unsigned int port)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK,
				       .svm_cid = VMADDR_CID_ANY,
				       .svm_port = port };
	int fd = socket(AF_VSOCK, type, 0), connection;

	if (fd < 0 || bind(fd, (void *)&address, sizeof(address)) ||
	    listen(fd, 1))
		die("listen");
	/* The test starts the other end when it sees this. */
	printf("listening on %u\n", port);
	fflush(stdout);
	connection = accept(fd, NULL, NULL);
	if (connection < 0)
		die("accept");
	return connection;
}

static int connect_to(int type, unsigned int cid, unsigned int port)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK,
				       .svm_cid = cid,
				       .svm_port = port };
	int fd = socket(AF_VSOCK, type, 0);

	if (fd < 0 || connect(fd, (void *)&address, sizeof(address)))
		die("connect");
	return fd;
}

static void shake_hands(void)
{
	uint8_t byte = CONTENT;

	if (send(sock, &byte, 1, MSG_NOSIGNAL) != 1)
		die("send");
	byte = 0;
	if (recv(sock, &byte, 1, 0) != 1 || byte != CONTENT)
		die("the other end");
}

int main(int argc, char **argv)
{
	bool listens = argc == 5 && !strcmp(argv[2], "listen");
	pthread_t sender;
	int type;

	if (!listens && (argc != 6 || strcmp(argv[2], "connect"))) {
		fputs("usage: vsock_io stream|seqpacket listen PORT BYTES\n"
		      "       vsock_io stream|seqpacket connect PORT BYTES CID\n",
		      stderr);
		return 2;
	}
	type = strcmp(argv[1], "seqpacket") ? SOCK_STREAM : SOCK_SEQPACKET;
	total = strtoul(argv[4], NULL, 0);
	sock = listens ? listen_on(type, atoi(argv[3]))
		       : connect_to(type, atoi(argv[5]), atoi(argv[3]));
	if (pthread_create(&sender, NULL, send_all, NULL))
		die("thread");
	receive_all();
	pthread_join(sender, NULL);
	shake_hands();
	return 0;
}
