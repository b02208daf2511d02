/* Children: see die.h. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "support/die.h"
#include "support/rec.h"

int in_child(void (*fn)(void), char *out, size_t size)
{
	int fd[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		signal(SIGSEGV, SIG_DFL);	/* not to cmocka's next test */
		alarm(60);
		fn();
		_exit(0);
	}
	close(fd[1]);
	while (n + 1 < size && (got = read(fd[0], out + n, size - 1 - n)) > 0)
		n += got;
	out[n] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void must_die(void (*fn)(void), const char *text)
{
	char out[8192];
	int status = in_child(fn, out, sizeof(out));

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		fail_msg("it lived: %s", out);
	if (!strstr(out, text))
		fail_msg("\"%s\" is not in: %s", text, out);
}
