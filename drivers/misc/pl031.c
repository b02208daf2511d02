/*
 * PL031, Arm's PrimeCell real-time clock: seconds in 32 bits, and one value they are compared with.
 * Used: the comparison, as an alarm. Manual: Arm DDI 0224, chapters 2.1 and 3.
 *
 *   RTCDR (counts) --= RTCMR?--> RTCRIS --(RTCIMSC)--> RTCMIS, level line, until RTCICR is written
 *
 * It counts whole seconds, so on hardware an alarm comes up to one second early.
 */
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/io.h>
#include <kernel/rtc.h>

#define RTCDR		0x00
#define RTCMR		0x04
#define RTCCR		0x0c
#define  RTCCR_START	BIT(0)
#define RTCIMSC		0x10
#define RTCMIS		0x18
#define RTCICR		0x1c

static void pl031_clear_alarm(struct rtc_device *rtc)
{
	writel(0, rtc->regs + RTCIMSC);
	writel(1, rtc->regs + RTCICR);
}

/* A match is for one second only: if the clock has ticked since it was read, the value is one too
 * low and may even have matched, so once more. What is left of an older match is gone before. */
static int pl031_set_alarm(struct rtc_device *rtc, unsigned int seconds)
{
	char *regs = rtc->regs;

	for (int n = 0; n < 10; n++) {
		u32 now = readl(regs + RTCDR);

		writel(0, regs + RTCIMSC);
		writel(now + seconds, regs + RTCMR);
		writel(1, regs + RTCICR);
		if (readl(regs + RTCDR) != now)
			continue;
		writel(1, regs + RTCIMSC);
		return 0;
	}
	return -EIO;	/* it counts faster than we read */
}

static irqreturn_t pl031_irq(int irq, void *dev_id)
{
	struct rtc_device *rtc = dev_id;

	(void)irq;
	if (!readl(rtc->regs + RTCMIS))
		return IRQ_NONE;
	pl031_clear_alarm(rtc);
	rtc_alarm_irq(rtc);
	return IRQ_HANDLED;
}

static void pl031_start(struct rtc_device *rtc)
{
	if (!(readl(rtc->regs + RTCCR) & RTCCR_START))
		writel(RTCCR_START, rtc->regs + RTCCR);
}

static int pl031_probe(struct platform_device *pdev)
{
	static const struct rtc_ops ops = {
		.start = pl031_start,
		.set_alarm = pl031_set_alarm,
		.clear_alarm = pl031_clear_alarm,
		.handler = pl031_irq,
	};

	return rtc_probe(pdev, &ops);
}

static const struct of_driver pl031_driver = {
	.name = "pl031",
	.compatible = (const char *const[]){ "arm,pl031", NULL },
	.stage = PROBE_NORMAL,
	.probe = pl031_probe,
	.remove = rtc_remove,
};
OF_DRIVER(pl031_driver);
