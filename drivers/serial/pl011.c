/*
 * PL011, Arm's UART: one data register with a FIFO of 16 or 32 in each direction, and an interrupt
 * line for both. Used: 8N1, at the speed firmware left, or 115200 where it left none; received
 * bytes and room for more as interrupts. Manual: Arm PrimeCell UART (PL011) TRM, DDI 0183, 3.
 *
 *   log --> write(): up to 16 bytes --> UARTDR --> FIFO --> wire --> FIFO --> UARTDR --> console
 *             ^                             TX: <= 1/8 full |          | RX: >= 1/2 full; RT: waits
 *             +---- console_room() <------------------------+----------+---- one level line
 *
 * The transmit interrupt tells the moment at which the FIFO falls to its threshold, not the state:
 * it comes because 16 bytes are above that. Of several such ports only the one that
 * /chosen/stdout-path names is driven (the first one without such a property); it also serves as
 * the early console.
 */
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/io.h>
#include <kernel/printk.h>

#define UARTDR		0x00
#define UARTFR		0x18
#define  FR_BUSY	0x08		/* a byte is on its way out */
#define  FR_RXFE	0x10		/* nothing received */
#define  FR_TXFF	0x20		/* no room */
#define UARTIBRD	0x24
#define UARTFBRD	0x28
#define UARTLCR_H	0x2c
#define  LCR_H_FEN	0x10		/* FIFOs on */
#define  LCR_H_8N1	0x60
#define UARTCR		0x30
#define  CR_UARTEN	0x001
#define  CR_TXE		0x100
#define  CR_RXE		0x200
#define  CR_DTR		0x400
#define  CR_RTS		0x800
#define UARTIFLS	0x34
#define  IFLS_TX_1_8	0x00
#define  IFLS_RX_1_2	0x10
#define UARTIMSC	0x38
#define UARTMIS		0x40
#define UARTICR		0x44
#define  INT_RX		0x010
#define  INT_TX		0x020
#define  INT_RT		0x040		/* something received has waited for a while */
#define  INT_ALL	0x7ff

#define FIFO_SIZE	16		/* of the smaller ones */
#define SPEED		115200

static struct {
	void *regs;
	unsigned int irq;
	bool awaits_room;	/* INT_TX is on, by write() until the interrupt */
} port;

static u32 port_read(unsigned int reg)
{
	return readl((const char *)port.regs + reg);
}

static void port_write(unsigned int reg, u32 v)
{
	writel(v, (char *)port.regs + reg);
}

/* ---- Console -------------------------------------------------------------------------------- */

static void stop_awaiting_room(void)
{
	port_write(UARTIMSC, INT_RX | INT_RT);
	/* From here on write() may turn INT_TX on again. */
	__atomic_store_n(&port.awaits_room, false, __ATOMIC_RELEASE);
}

/* Counts looks instead of time, as it must work before there is a clock. */
static void pl011_putc(char c)
{
	if (__atomic_load_n(&port.awaits_room, __ATOMIC_RELAXED))
		stop_awaiting_room();
	for (unsigned int looks = 0; looks < 1000000; looks++) {
		if (!(port_read(UARTFR) & FR_TXFF))
			break;
		cpu_relax();
	}
	port_write(UARTDR, (u8)c);
}

static size_t pl011_write(const char *text, size_t len)
{
	size_t n = 0;

	if (__atomic_load_n(&port.awaits_room, __ATOMIC_ACQUIRE))
		return 0;
	for (; n < len && n < FIFO_SIZE && !(port_read(UARTFR) & FR_TXFF); n++)
		port_write(UARTDR, (u8)text[n]);
	if (n < len) {
		__atomic_store_n(&port.awaits_room, true, __ATOMIC_RELAXED);
		port_write(UARTIMSC, INT_RX | INT_RT | INT_TX);
	}
	return n;
}

static const struct console polled_console = {
	.name = "pl011",
	.putc_polled = pl011_putc,
};

static const struct console irq_console = {
	.name = "pl011",
	.putc_polled = pl011_putc,
	.write = pl011_write,
};

static void receive(void)
{
	for (int n = 0; n < 4 * FIFO_SIZE && !(port_read(UARTFR) & FR_RXFE); n++)
		console_input(port_read(UARTDR));
}

/* What is left over keeps the line high, and so comes again. */
static irqreturn_t pl011_irq(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	if (!port_read(UARTMIS))
		return IRQ_NONE;
	receive();
	if (__atomic_load_n(&port.awaits_room, __ATOMIC_ACQUIRE) && port_read(UARTMIS) & INT_TX) {
		stop_awaiting_room();
		console_room();
	}
	return IRQ_HANDLED;
}

/* ---- Start ---------------------------------------------------------------------------------- */

/*
 * Off before anything changes, when the last byte is out; on before UARTDR is given one. The write
 * of UARTLCR_H takes the divisors over. [PL011 3.3.7, 3.3.8] What has been received by then is
 * taken at the end, as an interrupt that was cleared does not come again for it.
 */
static void port_enable(u32 clock)
{
	u32 divisor = (clock * 4 + SPEED / 2) / SPEED;	/* clock / (16 * speed), times 64 */

	for (unsigned int looks = 0; looks < 1000000 && port_read(UARTFR) & FR_BUSY; looks++)
		cpu_relax();
	port_write(UARTCR, 0);
	port_write(UARTIMSC, 0);
	if (clock && !port_read(UARTIBRD)) {
		port_write(UARTIBRD, divisor >> 6);
		port_write(UARTFBRD, divisor & 63);
	}
	port_write(UARTIFLS, IFLS_TX_1_8 | IFLS_RX_1_2);
	port_write(UARTLCR_H, LCR_H_8N1 | LCR_H_FEN);
	port_write(UARTCR, CR_UARTEN | CR_TXE | CR_RXE | CR_DTR | CR_RTS);
	port_write(UARTICR, INT_ALL);
	receive();
}

static const struct console *pl011_early(void *regs)
{
	port.regs = regs;
	port_enable(0);
	return &polled_console;
}
EARLYCON_DECLARE(pl011, "arm,pl011", pl011_early);

/* ---- Probing -------------------------------------------------------------------------------- */

static bool is_console(const struct device_node *np)
{
	const struct device_node *named = of_console();

	return named ? np == named : !port.regs;
}

/* The first clock is the one that is divided. [DT-ARM arm,pl011.yaml] */
static u32 clock_rate(const struct device_node *np)
{
	struct of_phandle_args clock;
	u32 hz = 0;

	if (!of_parse_phandle_with_args(np, "clocks", "#clock-cells", 0, &clock))
		of_property_read_u32(clock.np, "clock-frequency", &hz);
	return hz;
}

static int pl011_probe(struct platform_device *pdev)
{
	int ret, irq;

	if (!is_console(pdev->node))
		return 0;
	port.regs = of_iomap(pdev->node, 0);
	if (!port.regs)
		return -EINVAL;
	console_flush();
	port_enable(clock_rate(pdev->node));
	console_register(&polled_console);

	/* Without an interrupt the log still comes out; only input does not work. */
	irq = platform_get_irq(pdev, 0);
	ret = irq < 0 ? irq : request_irq(irq, pl011_irq, 0, pdev->dev.name, &port);
	if (ret)
		return ret;
	port.irq = irq;
	pdev->dev.driver_data = &port;
	port_write(UARTIMSC, INT_RX | INT_RT);
	console_register(&irq_console);
	return 0;
}

static void pl011_remove(struct platform_device *pdev)
{
	if (!pdev->dev.driver_data)
		return;
	console_register(&polled_console);
	port_write(UARTIMSC, 0);
	free_irq(port.irq, &port);
}

static const struct of_driver pl011_driver = {
	.name = "pl011",
	.compatible = (const char *const[]){ "arm,pl011", NULL },
	.stage = PROBE_EARLY,
	.probe = pl011_probe,
	.remove = pl011_remove,
};
OF_DRIVER(pl011_driver);
