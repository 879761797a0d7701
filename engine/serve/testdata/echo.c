/* The yardstick of the benchmarks: sends every datagram back as it came, 64 to a system call, and does nothing else. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define LONGEST 2048

int main(int argc, char **argv)
{
	static char buffers[BATCH][LONGEST];
	static struct sockaddr_in names[BATCH];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int room = 2 << 20;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 2)
		return 2;
	here.sin_port = htons(atoi(argv[1]));
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (bind(s, (struct sockaddr *)&here, sizeof here)) {
		perror("bind");
		return 1;
	}
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){buffers[i], LONGEST};
			messages[i].msg_hdr = (struct msghdr){
				.msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &parts[i], .msg_iovlen = 1};
		}
		int n = recvmmsg(s, messages, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0)
			continue;
		for (int i = 0; i < n; i++)
			parts[i].iov_len = messages[i].msg_len;
		for (int at = 0; at < n;) {
			int sent = sendmmsg(s, messages + at, n - at, 0);
			at += sent > 0 ? sent : 1;
		}
	}
}
