/* alarm: sleeps until the interrupt of the real-time clock. */
#include <kernel/rtc.h>
#include <kernel/shell.h>

static void show(const struct rtc_device *rtc, unsigned int seconds, u64 ns)
{
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("alarm of %s after %llu.%06llu s, as irq %u\n", rtc->name,
			     (unsigned long long)(ns / NSEC_PER_SEC),
			     (unsigned long long)(ns / NSEC_PER_USEC % 1000000), rtc->irq);
		return;
	}
	json_open(j, "{");
	json_key(j, "seconds"), json_uint(j, seconds);
	json_key(j, "ns"), json_uint(j, ns);
	json_key(j, "irq"), json_uint(j, rtc->irq);
	json_close(j, "}");
}

static int cmd_alarm(int argc, char **argv)
{
	struct rtc_device *rtc = rtc_get();
	u64 seconds, ns;
	int err;

	if (argc != 2)
		return shell_usage("alarm");
	if (shell_parse_u64(argv[1], "SECONDS", &seconds))
		return -EINVAL;
	if (!seconds || seconds > RTC_MAX_SECONDS)
		return shell_error(-EINVAL, "SECONDS is %s, not 1 to %u", argv[1],
				   RTC_MAX_SECONDS);
	if (!rtc)
		return shell_error(-ENODEV, "this machine has no real-time clock with a driver");
	err = rtc_sleep(rtc, seconds, &ns);
	if (err == -ETIMEDOUT)
		return shell_error(err, "%s: no interrupt on irq %u after %llu s; it was due after "
				   "%llu", rtc->name, rtc->irq,
				   (unsigned long long)seconds + RTC_GRACE,
				   (unsigned long long)seconds);
	if (err && err != -EINTR)
		return shell_error(err, "%s: the alarm cannot be set (%s)", rtc->name,
				   errname(err));
	if (!err)
		show(rtc, seconds, ns);
	return err;
}

static const struct shell_command alarm_command = {
	.name = "alarm",
	.usage = "alarm SECONDS [--json]",
	.help = "sleep until the real-time clock's interrupt",
	.run = cmd_alarm,
};
SHELL_COMMAND(alarm_command);
