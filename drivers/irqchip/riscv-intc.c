/*
 * The interrupt inputs of a RISC-V hart: the root of every controller tree. A hart has one pending
 * and one enable bit per cause (CSRs sip and sie); a trap whose scause has its top bit set tells
 * which cause it takes. Used: 1 software, 5 timer, 9 external, and any other below 64.
 * Manuals: RISC-V Privileged 4.1.3 (sip and sie), 4.1.8 (scause).
 *
 *   timer ------------ 5 --\
 *   IMSIC or PLIC ---- 9 --- sip & sie --> trap, scause --> domain[cause] --> flow of that line
 *   another hart ----- 1 --/
 *
 * The tree has one cpu-intc node per hart. The causes mean the same on each of them and every hart
 * can only touch its own CSRs, so all the nodes are one domain of per-CPU lines.
 */
#include <asm/csr.h>
#include <asm/ptrace.h>
#include <drivers/irqchip/riscv-intc.h>
#include <kernel/diagnose.h>
#include <kernel/irqdomain.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/trace.h>

#define NR_CAUSES	64

static struct irq_domain *intc_domain;

/* Both act on the calling hart, as enable_percpu_irq() and disable_percpu_irq() mean it. */
static void riscv_intc_irq_mask(struct irq_data *d)
{
	csr_clear(CSR_SIE, BIT(d->hwirq));
}

static void riscv_intc_irq_unmask(struct irq_data *d)
{
	csr_set(CSR_SIE, BIT(d->hwirq));
}

/* A cause goes away where it came from. That there is an eoi spares a chained controller the mask
 * and unmask round its handler. */
static void riscv_intc_irq_eoi(struct irq_data *d)
{
	(void)d;
}

static void riscv_intc_read(void *sie)
{
	*(unsigned long *)sie = csr_read(CSR_SIE);
}

static void riscv_intc_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	unsigned long sie = 0;

	if (diagnose_on_cpu(dx, riscv_intc_read, &sie))
		diagnose(dx, sie & BIT(d->hwirq), "cause", "sie of cpu %u is %#lx, cause %lu",
			 dx->cpu, sie, d->hwirq);
}

static const struct irq_chip riscv_intc_chip = {
	.name = "RISC-V INTC",
	.irq_mask = riscv_intc_irq_mask,
	.irq_unmask = riscv_intc_irq_unmask,
	.irq_eoi = riscv_intc_irq_eoi,
	.irq_diagnose = riscv_intc_diagnose,
};

/* Nobody can make such a cause go away, so this hart no longer listens to it. */
static void __attribute__((noinline)) riscv_intc_unmapped(unsigned long cause)
{
	csr_clear(CSR_SIE, BIT(cause % NR_CAUSES));
	pr_warn("riscv-intc: cpu %u turned off interrupt cause %lu, which no driver has mapped",
		smp_processor_id(), cause);
}

static void riscv_intc_irq(struct pt_regs *regs)
{
	unsigned long cause = regs->cause & ~SCAUSE_INTERRUPT;

	station(ST_ROOT, 0, &riscv_intc_chip, cause, 0);
	if (unlikely(generic_handle_domain_irq(intc_domain, cause)))
		riscv_intc_unmapped(cause);
}

static int riscv_intc_match(struct irq_domain *d, struct device_node *node,
			    enum irq_domain_bus_token bus_token)
{
	return node && of_device_is_compatible(node, "riscv,cpu-intc") &&
	       (bus_token == DOMAIN_BUS_ANY || bus_token == d->bus_token);
}

static int riscv_intc_map(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	int ret = irq_set_percpu_devid(virq);

	if (ret)
		return ret;
	irq_domain_set_info(d, virq, hwirq, &riscv_intc_chip, NULL, handle_percpu_devid_irq, NULL,
			    NULL);
	return 0;
}

static const struct irq_domain_ops riscv_intc_ops = {
	.match = riscv_intc_match,
	.map = riscv_intc_map,
	.xlate = irq_domain_xlate_onecell,
};

/* ---- For the controllers behind cause 9 ----------------------------------------------------- */

int riscv_intc_cpu_of_output(struct device_node *node, unsigned int index)
{
	struct of_phandle_args input;
	struct device_node *hart;
	const void *reg;
	int ret, len;

	ret = of_parse_phandle_with_args(node, "interrupts-extended", "#interrupt-cells", index,
					 &input);
	if (ret)
		return ret;
	hart = input.np->parent;
	if (input.args_count != 1 || input.args[0] != IRQ_S_EXT || !hart || !hart->parent)
		return -ENODEV;
	reg = of_get_property(hart, "reg", &len);
	if (!reg || len < 4 * of_n_addr_cells(hart->parent))
		return -ENODEV;
	return cpu_by_hwid(of_read_number(reg, of_n_addr_cells(hart->parent)));
}

int riscv_intc_chain_external(struct device_node *intc, irq_flow_handler_t handler)
{
	unsigned int irq = 0;

	if (intc_domain && intc && irq_find_host(intc) == intc_domain)
		irq = irq_create_mapping(intc_domain, IRQ_S_EXT);
	if (!irq)
		return -ENODEV;
	if (irq_desc_has_action(irq_to_desc(irq))) {
		pr_err("riscv-intc: external interrupts go to another kind of controller");
		return -EBUSY;
	}
	irq_set_chained_handler_and_data(irq, handler, NULL);
	return irq;
}

/* ---- For those that have no messages -------------------------------------------------------- */

static unsigned int lines[NR_CPUS];	/* that go to each CPU; atomic */

/* NR_CPUS: there is none. */
static unsigned int choose_cpu(const struct cpumask *cpus, const struct cpumask *mask)
{
	unsigned int cpu, best = NR_CPUS, fewest = ~0U;

	for_each_cpu(cpu, mask) {
		unsigned int n = __atomic_load_n(&lines[cpu], __ATOMIC_RELAXED);

		if (cpumask_test_cpu(cpu, cpus) && n < fewest) {
			best = cpu;
			fewest = n;
		}
	}
	return best;
}

static void line_goes_to(struct irq_data *d, unsigned int cpu)
{
	__atomic_fetch_add(&lines[cpu], 1, __ATOMIC_RELAXED);
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
}

void riscv_intc_drop_line(struct irq_data *d)
{
	__atomic_fetch_sub(&lines[riscv_intc_cpu_of_line(d)], 1, __ATOMIC_RELAXED);
}

void riscv_intc_place_line(struct irq_data *d, const struct cpumask *cpus)
{
	unsigned int cpu = choose_cpu(cpus, cpu_online_mask);

	irqd_set_single_target(d);
	line_goes_to(d, cpu < NR_CPUS ? cpu : choose_cpu(cpus, cpu_possible_mask));
}

int riscv_intc_move_line(struct irq_data *d, const struct cpumask *cpus,
			 const struct cpumask *dest)
{
	unsigned int to = choose_cpu(cpus, dest);

	if (to >= NR_CPUS)
		return -EINVAL;
	if (cpumask_test_cpu(riscv_intc_cpu_of_line(d), dest))
		return 0;
	riscv_intc_drop_line(d);
	line_goes_to(d, to);
	return 0;
}

/* ---- Starting ------------------------------------------------------------------------------- */

/* Whatever firmware left enabled has no handler here; and of a hart that stops nothing has. */
static void riscv_intc_close(unsigned int cpu)
{
	(void)cpu;
	csr_write(CSR_SIE, 0);
}

static int riscv_intc_init(struct device_node *node, struct device_node *parent)
{
	struct irq_domain *d;
	int ret;

	(void)parent;
	if (irq_find_host(node))
		return 0;	/* another hart's node made it */
	d = irq_domain_create_linear(&node->fwnode, NR_CAUSES, &riscv_intc_ops, NULL);
	if (!d)
		return -ENOMEM;
	irq_domain_set_name(d, "riscv-intc");
	irq_domain_update_bus_token(d, DOMAIN_BUS_WIRED);
	ret = set_handle_irq(riscv_intc_irq);
	if (ret)
		goto remove_domain;
	intc_domain = d;
	cpu_hooks("riscv-intc", riscv_intc_close, riscv_intc_close);
	return 0;

remove_domain:
	irq_domain_remove(d);
	return ret;
}

IRQCHIP_DECLARE(riscv_intc, "riscv,cpu-intc", riscv_intc_init);
