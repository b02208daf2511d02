/*
 * Other names for what kernel/mm.c, page.c and heap.c define, so that they can be tested in a
 * program whose kernel takes its memory from port/mem.c.
 */
#define alloc_pages	real_alloc_pages
#define free_pages	real_free_pages
#define get_order	real_get_order
#define page_add_range	real_page_add_range
#define mem_total	real_mem_total
#define mem_free	real_mem_free
#define kmalloc		real_kmalloc
#define kzalloc		real_kzalloc
#define kcalloc		real_kcalloc
#define kfree		real_kfree
#define kasprintf	real_kasprintf
#define kstrdup		real_kstrdup
#define stack_alloc	real_stack_alloc
#define stack_free	real_stack_free
#define mm_early_init	real_mm_early_init
#define mm_table_page	real_mm_table_page
#define mm_init		real_mm_init
#define mem_is_ram	real_mem_is_ram
#define mem_ram		real_mem_ram
#define mem_nr_ram	real_mem_nr_ram
#define mem_usable	real_mem_usable
#define mem_nr_usable	real_mem_nr_usable
#define mem_fdt		real_mem_fdt
#define mem_stack_arena	real_mem_stack_arena
#define __text_start	real_text_start
#define __image_end	real_image_end
