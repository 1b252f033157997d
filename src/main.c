/* quern: start and stop. What happens in between begins in cmd/command.c. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/qlog.h"
#include "cmd/command.h"

/* A closed 0, 1 or 2 would be given to the next file that is opened. The stand-ins
 * cannot be read or written, so that using them still fails as it should. */
static void hold_standard_files(void)
{
    int fd;
    while ((fd = open("/", O_PATH)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd > STDERR_FILENO)
        close(fd);
}

int main(int argc, char **argv)
{
    struct qerr e = QERR_INIT;
    struct ending ending = {0, false};

    hold_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write, ... */
    signal(SIGXFSZ, SIG_IGN); /* ... and so is ulimit -f */
    command_main(argc, argv, &ending, &e);
    if (e.code != Q_OK && e.code != Q_EPIPE)
        qlog_error("%s", e.text);
    command_leave(&ending); /* then mpirun may end us at any time */
    if (ending.abandoned)
        _exit(ending.status);
    return ending.status;
}
