/*
 * ns16550a, the classic UART: one byte register in each direction with a FIFO of 16 behind it.
 * Used: 8N1 as firmware left it, or at current-speed where the tree tells that; received bytes and
 * "transmitter empty" come as interrupts. Manual: National Semiconductor PC16550D, section 8.
 *
 *   log --> write(): up to 16 bytes --> THR --> FIFO --> wire --> FIFO --> RBR --> console_input()
 *             ^                                  | empty (LSR.THRE)         | data (LSR.DR)
 *             +--- console_room() <--------------+------ one level line -----+
 *
 * Of several such ports only the one that /chosen/stdout-path names is driven (the first one
 * without such a property).
 */
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/io.h>
#include <kernel/printk.h>

#define RBR	0	/* read */
#define THR	0	/* write */
#define DLL	0	/* divisor, while LCR.DLAB */
#define IER	1
#define  IER_ERBFI	0x01	/* received data */
#define  IER_ETBEI	0x02	/* transmitter empty */
#define DLM	1
#define IIR	2	/* read */
#define  IIR_NONE	0x01
#define FCR	2	/* write */
#define  FCR_ENABLE	0x01
#define  FCR_TRIGGER_8	0x80	/* interrupt at 8 bytes, or when fewer wait for a while */
#define LCR	3
#define  LCR_8N1	0x03
#define  LCR_DLAB	0x80
#define MCR	4
#define  MCR_DTR	0x01
#define  MCR_RTS	0x02
#define  MCR_OUT2	0x08	/* lets the interrupt out on PCs */
#define LSR	5
#define  LSR_DR		0x01
#define  LSR_THRE	0x20

#define FIFO_SIZE	16

static struct {
	void *regs;
	u32 shift, width;
	unsigned int irq;
	bool awaits_empty;	/* ETBEI is on, by write() until the interrupt */
} port;

static u8 port_read(unsigned int reg)
{
	const char *addr = (const char *)port.regs + (reg << port.shift);

	return port.width == 4 ? (u8)readl(addr) : readb(addr);
}

static void port_write(unsigned int reg, u8 v)
{
	char *addr = (char *)port.regs + (reg << port.shift);

	if (port.width == 4)
		writel(v, addr);
	else
		writeb(v, addr);
}

/* ---- Console -------------------------------------------------------------------------------- */

static void stop_awaiting_empty(void)
{
	port_write(IER, IER_ERBFI);
	/* From here on write() may turn ETBEI on again. */
	__atomic_store_n(&port.awaits_empty, false, __ATOMIC_RELEASE);
}

/* Counts looks instead of time, as it must work before there is a clock. */
static void ns16550a_putc(char c)
{
	if (__atomic_load_n(&port.awaits_empty, __ATOMIC_RELAXED))
		stop_awaiting_empty();
	for (unsigned int looks = 0; looks < 1000000; looks++) {
		if (port_read(LSR) & LSR_THRE)
			break;
		cpu_relax();
	}
	port_write(THR, c);
}

/* The FIFO is empty or it is not: the UART does not tell how full it is. ETBEI is off while it is
 * being filled, or every byte of a fast UART would be an interrupt; turning it on with the FIFO
 * empty again is one at once, so no moment to ask is too late. */
static size_t ns16550a_write(const char *text, size_t len)
{
	size_t n = 0;

	if (__atomic_load_n(&port.awaits_empty, __ATOMIC_ACQUIRE))
		return 0;
	if (port_read(LSR) & LSR_THRE)
		for (; n < len && n < FIFO_SIZE; n++)
			port_write(THR, text[n]);
	if (n < len) {
		__atomic_store_n(&port.awaits_empty, true, __ATOMIC_RELAXED);
		port_write(IER, IER_ERBFI | IER_ETBEI);
	}
	return n;
}

static const struct console polled_console = {
	.name = "ns16550a",
	.putc_polled = ns16550a_putc,
};

static const struct console irq_console = {
	.name = "ns16550a",
	.putc_polled = ns16550a_putc,
	.write = ns16550a_write,
};

/* What is left over keeps the line high, and so comes again. */
static irqreturn_t ns16550a_irq(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	if (port_read(IIR) & IIR_NONE)
		return IRQ_NONE;
	for (int n = 0; n < 4 * FIFO_SIZE && port_read(LSR) & LSR_DR; n++)
		console_input(port_read(RBR));
	if (__atomic_load_n(&port.awaits_empty, __ATOMIC_ACQUIRE) && port_read(LSR) & LSR_THRE) {
		stop_awaiting_empty();
		console_room();
	}
	return IRQ_HANDLED;
}

/* ---- Probing -------------------------------------------------------------------------------- */

static bool is_console(const struct device_node *np)
{
	const struct device_node *named = of_console();

	return named ? np == named : !port.regs;
}

static void set_speed(const struct device_node *np)
{
	u32 clock, speed, divisor;

	if (of_property_read_u32(np, "clock-frequency", &clock) ||
	    of_property_read_u32(np, "current-speed", &speed) || !speed || clock < 16 * speed)
		return;
	divisor = (clock / 16 + speed / 2) / speed;
	port_write(LCR, LCR_8N1 | LCR_DLAB);
	port_write(DLL, divisor);
	port_write(DLM, divisor >> 8);
	port_write(LCR, LCR_8N1);
}

static int check_layout(const struct device_node *np)
{
	port.shift = 0;
	port.width = 1;
	of_property_read_u32(np, "reg-shift", &port.shift);
	of_property_read_u32(np, "reg-io-width", &port.width);
	if (port.shift <= 4 && (port.width == 1 || port.width == 4))
		return 0;
	pr_err("%s: reg-shift %u, reg-io-width %u: not a layout of a 16550", np->fwnode.name,
	       port.shift, port.width);
	return -EINVAL;
}

static int ns16550a_probe(struct platform_device *pdev)
{
	int ret, irq;

	if (!is_console(pdev->node))
		return 0;
	ret = check_layout(pdev->node);
	if (ret)
		return ret;
	port.regs = of_iomap(pdev->node, 0);
	if (!port.regs)
		return -EINVAL;
	port_write(IER, 0);
	port_write(FCR, FCR_ENABLE | FCR_TRIGGER_8);	/* what has been received stays */
	port_write(MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	set_speed(pdev->node);
	console_register(&polled_console);

	/* Without an interrupt the log still comes out; only input does not work. */
	irq = platform_get_irq(pdev, 0);
	ret = irq < 0 ? irq : request_irq(irq, ns16550a_irq, 0, pdev->dev.name, &port);
	if (ret)
		return ret;
	port.irq = irq;
	pdev->dev.driver_data = &port;
	port_write(IER, IER_ERBFI);
	console_register(&irq_console);
	return 0;
}

static void ns16550a_remove(struct platform_device *pdev)
{
	if (!pdev->dev.driver_data)
		return;
	console_register(&polled_console);
	port_write(IER, 0);
	free_irq(port.irq, &port);
}

static const struct of_driver ns16550a_driver = {
	.name = "ns16550a",
	.compatible = (const char *const[]){ "ns16550a", "ns16550", NULL },
	.stage = PROBE_EARLY,
	.probe = ns16550a_probe,
	.remove = ns16550a_remove,
};
OF_DRIVER(ns16550a_driver);
