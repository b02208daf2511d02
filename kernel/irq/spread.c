/*
 * Which CPUs each vector of a multi-queue device is for: the vectors in front and behind are for
 * anything; those between come in sets, and each set is spread over all CPUs.
 *
 *	pre | set 0: {0-1} {2-3} | set 1: {0} {1} {2} {3} | post
 *
 * A driver with several sets says how large they are once it is known how many vectors there are;
 * that is asked again whenever the number changes. (Linux: kernel/irq/affinity.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/mm.h>

unsigned int irq_calc_affinity_vectors(unsigned int minvec, unsigned int maxvec,
				       const struct irq_affinity *affd)
{
	unsigned int fixed = affd->pre_vectors + affd->post_vectors;

	if (fixed > minvec)
		return 0;
	/* More than CPUs to spread them to are of no use, unless the driver knows better. */
	return affd->calc_sets ? maxvec
			       : fixed + min(cpumask_weight(cpu_possible_mask), maxvec - fixed);
}

static void one_set(struct irq_affinity *affd, unsigned int nvecs)
{
	affd->nr_sets = 1;
	affd->set_size[0] = nvecs;
}

struct irq_affinity_desc *irq_create_affinity_masks(unsigned int nvecs, struct irq_affinity *affd)
{
	unsigned int fixed = affd->pre_vectors + affd->post_vectors, done = affd->pre_vectors;
	unsigned int spread = nvecs > fixed ? nvecs - fixed : 0;
	struct irq_affinity_desc *masks;

	if (!affd->calc_sets)
		affd->calc_sets = one_set;
	affd->calc_sets(affd, spread);
	if (WARN_ON(affd->nr_sets > IRQ_AFFINITY_MAX_SETS) || !spread)
		return NULL;
	masks = kcalloc(nvecs, sizeof(*masks));
	if (!masks)
		return NULL;
	for (unsigned int i = 0; i < nvecs; i++) {
		masks[i].mask = irq_default_affinity;
		masks[i].is_managed = i >= affd->pre_vectors && i < nvecs - affd->post_vectors;
	}
	for (unsigned int i = 0; i < affd->nr_sets; done += affd->set_size[i++]) {
		unsigned int size = affd->set_size[i];
		struct cpumask *groups = size ? group_cpus_evenly(size) : NULL;

		if ((size && !groups) || done + size > nvecs) {
			kfree(groups);
			kfree(masks);
			return NULL;
		}
		for (unsigned int n = 0; n < size; n++)
			masks[done + n].mask = groups[n];
		kfree(groups);
	}
	return masks;
}
