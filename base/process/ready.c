/* Readiness by systemd's protocol: one datagram to NOTIFY_SOCKET, written by hand, because
 * libsystemd would bring compression and encryption libraries into a process that signs. */
#include "base/process/process.h"
#include "base/log.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void process_start(void) {
  (void)signal(SIGXFSZ, SIG_IGN);
#ifdef COLLEGA_TESTING
  const char *wanted = getenv("COLLEGA_DIE_WITH_PARENT");
  if (wanted != NULL && strcmp(wanted, "1") == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

void ready_tell(const char *message) {
  const char *path = getenv("NOTIFY_SOCKET");
  if (path == NULL || path[0] == '\0') return;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if ((path[0] != '/' && path[0] != '@') || length >= sizeof address.sun_path) {
    log_warning("ready", "NOTIFY_SOCKET is not a path that can be used");
    return;
  }
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0'; /* an abstract socket */
  char text[512];
  int printed = snprintf(text, sizeof text, "READY=1\nSTATUS=%s", message);
  size_t size = (size_t)printed < sizeof text ? (size_t)printed : sizeof text - 1;
  for (char *at = text + strlen("READY=1\n"); *at != '\0'; at++)
    if (*at == '\n') *at = ' '; /* a line of its own would be an instruction */
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  socklen_t address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  if (fd < 0 || sendto(fd, text, size, MSG_NOSIGNAL, (struct sockaddr *)&address, address_length) !=
                    (ssize_t)size)
    log_warning("ready", "cannot tell NOTIFY_SOCKET: %s", strerror(errno));
  if (fd >= 0) close(fd);
}
