/* A child that must die: see die.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "support/die.h"
#include "support/rec.h"

void must_die(void (*fn)(void), const char *text)
{
	int pipefd[2], status;
	char out[8192] = "";
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	if (!pid) {
		dup2(pipefd[1], 2);
		close(pipefd[0]);
		signal(SIGSEGV, SIG_DFL);
		alarm(20);
		fn();
		_exit(0);
	}
	close(pipefd[1]);
	while (n + 1 < sizeof(out) && (got = read(pipefd[0], out + n, sizeof(out) - 1 - n)) > 0)
		n += got;
	close(pipefd[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		fail_msg("it lived: %s", out);
	if (!strstr(out, text))
		fail_msg("\"%s\" is not in: %s", text, out);
}
