/* Prints what happens at a node, each event once, whenever it is started: events.c HOME */
#include <collega/collega.h>
#include <poll.h>
#include <stdio.h>

int main(int argc, char **argv) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  struct collega_options options = COLLEGA_OPTIONS_INIT;
  struct collega_node *node = NULL;
  options.home = argc > 1 ? argv[1] : "";
  int code = collega_open(&options, &node, &failure);
  if (code == COLLEGA_CODE_OK)
    code = collega_follow(node, "example", COLLEGA_START_BEGINNING, &failure);
  while (code == COLLEGA_CODE_OK) {
    char *event = NULL;
    code = collega_next_event(node, &event, &failure);
    if (code != COLLEGA_CODE_OK) break;
    if (!event) { /* none for now */
      struct pollfd wait = {collega_fd(node), POLLIN, 0};
      poll(&wait, 1, COLLEGA_LOOK_AGAIN_MS);
      continue;
    }
    puts(event);
    fflush(stdout);
    collega_free(event);
    code = collega_acknowledge(node, NULL, &failure); /* it is dealt with */
  }
  fprintf(stderr, "%s\n", failure.text);
  collega_close(&node);
  return 1;
}
