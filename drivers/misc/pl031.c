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
#include <kernel/mm.h>
#include <kernel/rtc.h>

#define RTCDR		0x00
#define RTCMR		0x04
#define RTCCR		0x0c
#define  RTCCR_START	BIT(0)
#define RTCIMSC		0x10
#define RTCMIS		0x18
#define RTCICR		0x1c

struct pl031 {
	struct rtc_device rtc;
	char *regs;
};

static void pl031_clear_alarm(struct rtc_device *rtc)
{
	char *regs = container_of(rtc, struct pl031, rtc)->regs;

	writel(0, regs + RTCIMSC);
	writel(1, regs + RTCICR);
}

/* A match is for one second only: if the clock has ticked since it was read, the value is one too
 * low and may even have matched, so once more. What is left of an older match is gone before. */
static int pl031_set_alarm(struct rtc_device *rtc, unsigned int seconds)
{
	char *regs = container_of(rtc, struct pl031, rtc)->regs;

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
	struct pl031 *clock = dev_id;

	(void)irq;
	if (!readl(clock->regs + RTCMIS))
		return IRQ_NONE;
	pl031_clear_alarm(&clock->rtc);
	rtc_alarm_irq(&clock->rtc);
	return IRQ_HANDLED;
}

static int pl031_start(struct pl031 *clock, struct platform_device *pdev)
{
	int ret, irq;

	clock->regs = of_iomap(pdev->node, 0);
	if (!clock->regs)
		return -EINVAL;
	irq = platform_get_irq(pdev, 0);
	if (irq < 0)
		return irq;
	clock->rtc = (struct rtc_device){
		.name = pdev->dev.name, .irq = irq, .set_alarm = pl031_set_alarm,
		.clear_alarm = pl031_clear_alarm,
	};
	if (!(readl(clock->regs + RTCCR) & RTCCR_START))
		writel(RTCCR_START, clock->regs + RTCCR);
	pl031_clear_alarm(&clock->rtc);
	ret = request_irq(irq, pl031_irq, 0, pdev->dev.name, clock);
	if (ret)
		return ret;
	ret = rtc_register(&clock->rtc);
	if (ret)
		free_irq(irq, clock);
	return ret;
}

static int pl031_probe(struct platform_device *pdev)
{
	struct pl031 *clock = kzalloc(sizeof(*clock));
	int ret = clock ? pl031_start(clock, pdev) : -ENOMEM;

	if (ret)
		kfree(clock);
	pdev->dev.driver_data = ret ? NULL : clock;
	return ret;
}

static void pl031_remove(struct platform_device *pdev)
{
	struct pl031 *clock = pdev->dev.driver_data;

	rtc_unregister(&clock->rtc);
	pl031_clear_alarm(&clock->rtc);
	free_irq(clock->rtc.irq, clock);
	kfree(clock);
}

static const struct of_driver pl031_driver = {
	.name = "pl031",
	.compatible = (const char *const[]){ "arm,pl031", NULL },
	.stage = PROBE_NORMAL,
	.probe = pl031_probe,
	.remove = pl031_remove,
};
OF_DRIVER(pl031_driver);
