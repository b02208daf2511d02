/*
 * The real-time clock, as far as the kernel uses it: an alarm that comes as an interrupt.
 * A driver registers one; with several in a tree the first one found is it.
 */
#ifndef KERNEL_RTC_H
#define KERNEL_RTC_H

#include <kernel/thread.h>

#define RTC_MAX_SECONDS	86400U		/* of an alarm: a day */

struct rtc_device {
	const char *name;		/* "rtc@101000" */
	unsigned int irq;
	/* The alarm shall come SECONDS (1 to RTC_MAX_SECONDS) from now, one set before shall not.
	 * 0, or a negative errno. Thread context. */
	int (*set_alarm)(struct rtc_device *rtc, unsigned int seconds);
	/* No alarm comes any more, except one that the handler is just taking. Thread context. */
	void (*clear_alarm)(struct rtc_device *rtc);
	/* kernel/rtc.c's */
	struct completion alarm;
	u64 fired;			/* ktime_get_ns() at the interrupt */
};

/* 0, or -EBUSY if there is one. Boot thread. */
int rtc_register(struct rtc_device *rtc);
/* Nobody may be waiting for its alarm. */
void rtc_unregister(struct rtc_device *rtc);
struct rtc_device *rtc_get(void);	/* NULL: none */

/* The driver's handler, when the alarm has come. Irq context. (Linux: rtc_update_irq) */
void rtc_alarm_irq(struct rtc_device *rtc);

/*
 * Sets an alarm and sleeps until its interrupt: 0 and *ns, the time it took; -ETIMEDOUT when it has
 * not come RTC_GRACE seconds after it was due; -EINTR after Ctrl-C; what set_alarm() said. One
 * caller at a time, the shell's thread.
 */
#define RTC_GRACE	5U
int rtc_sleep(struct rtc_device *rtc, unsigned int seconds, u64 *ns);

#endif
