/*
 * IPIs by firmware: SBI's send_ipi raises the supervisor software interrupt, cause 1, of a hart,
 * which the hart takes down itself in its CSR sip. For machines without an IMSIC, whose messages
 * would do without firmware. Manuals: SBI, chapter 7; RISC-V Privileged 4.1.3.
 *
 *   ipi-mux --> ecall send_ipi --> M-mode --> sip.SSIP of the target --> cause 1 --> ipi-mux
 *
 * No node of the tree stands for it: this driver binds to the harts' interrupt controllers, after
 * all controllers have started, and leaves everything as it is if one of them sends IPIs.
 */
#include <asm/csr.h>
#include <asm/sbi.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/ipi.h>
#include <kernel/irqdomain.h>
#include <kernel/printk.h>
#include <kernel/smp.h>

static unsigned int ssip_irq;
static u8 cookie[NR_CPUS];

static void sbi_ipi_send(unsigned int cpu)
{
	long err = sbi_send_ipi(cpus[cpu].hwid);

	if (unlikely(err))
		pr_warn_once("sbi-ipi: the firmware cannot interrupt hart %llu (%ld)",
			     (unsigned long long)cpus[cpu].hwid, err);
}

/* Down before the look at what is wanted: what is sent from now on interrupts again. */
static irqreturn_t sbi_ipi_handler(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	csr_clear(CSR_SIP, BIT(IRQ_S_SOFT));
	ipi_mux_process();
	return IRQ_HANDLED;
}

static void sbi_ipi_cpu_up(unsigned int cpu)
{
	(void)cpu;
	csr_clear(CSR_SIP, BIT(IRQ_S_SOFT));
	enable_percpu_irq(ssip_irq, IRQ_TYPE_NONE);
}

static void sbi_ipi_cpu_down(unsigned int cpu)
{
	(void)cpu;
	disable_percpu_irq(ssip_irq);
}

static int sbi_ipi_probe(struct platform_device *pdev)
{
	struct irq_domain *intc = irq_find_host(pdev->node);
	static bool tried;
	int first, ret;

	if (tried)
		return 0;	/* by another hart's node: one line serves all */
	tried = true;
	first = ipi_mux_create(NR_IPIS, sbi_ipi_send);
	if (first < 0)
		return first == -EEXIST ? 0 : first;
	if (sbi_ecall(SBI_EXT_BASE, SBI_BASE_PROBE, SBI_EXT_IPI, 0, 0, 0).value <= 0)
		return -EOPNOTSUPP;
	ssip_irq = intc ? irq_create_mapping(intc, IRQ_S_SOFT) : 0;
	if (!ssip_irq)
		return -ENODEV;
	ret = request_percpu_irq(ssip_irq, sbi_ipi_handler, "sbi-ipi", cookie);
	if (ret)
		return ret;
	cpu_hooks("sbi-ipi", sbi_ipi_cpu_up, sbi_ipi_cpu_down);
	set_smp_ipi_range(first, NR_IPIS);
	return 0;
}

static const struct of_driver sbi_ipi_driver = {
	.name = "sbi-ipi",
	.compatible = (const char *const[]){ "riscv,cpu-intc", NULL },
	.stage = PROBE_EARLY,
	.probe = sbi_ipi_probe,
};
OF_DRIVER(sbi_ipi_driver);
