/*
 * An alarm clock for the shell: the driver arms the hardware, its interrupt handler comes here, and
 * the thread that slept goes on.
 *
 *	rtc_sleep() -> set_alarm() ... interrupt -> driver -> rtc_alarm_irq() -> complete() -> awake
 */
#include <kernel/interrupt.h>
#include <kernel/printk.h>
#include <kernel/rtc.h>

#define LOOK	(50 * NSEC_PER_MSEC)	/* how long a Ctrl-C may take to be noticed */

static struct rtc_device *the_rtc;

int rtc_register(struct rtc_device *rtc)
{
	if (the_rtc)
		return -EBUSY;
	init_completion(&rtc->alarm);
	the_rtc = rtc;
	return 0;
}

void rtc_unregister(struct rtc_device *rtc)
{
	if (the_rtc == rtc)
		the_rtc = NULL;
}

struct rtc_device *rtc_get(void)
{
	return the_rtc;
}

void rtc_alarm_irq(struct rtc_device *rtc)
{
	rtc->fired = ktime_get_ns();
	complete(&rtc->alarm);
}

static int wait_for_alarm(struct rtc_device *rtc, u64 deadline)
{
	while (wait_for_completion_timeout(&rtc->alarm, LOOK)) {
		if (console_interrupted())
			return -EINTR;
		if (ktime_get_ns() >= deadline)
			return -ETIMEDOUT;
	}
	return 0;
}

int rtc_sleep(struct rtc_device *rtc, unsigned int seconds, u64 *ns)
{
	u64 begun;
	int ret;

	init_completion(&rtc->alarm);
	begun = ktime_get_ns();
	ret = rtc->set_alarm(rtc, seconds);
	if (ret)
		return ret;
	ret = wait_for_alarm(rtc, begun + (seconds + RTC_GRACE) * NSEC_PER_SEC);
	if (!ret) {
		*ns = rtc->fired - begun;
		return 0;
	}
	rtc->clear_alarm(rtc);
	synchronize_irq(rtc->irq);	/* so that the next alarm cannot be taken for this one */
	return ret;
}
