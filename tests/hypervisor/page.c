// SPDX-License-Identifier: GPL-2.0
#include "page.h"
#include "spinlock.h"
#include "string.h"

/* A free page begins with the pointer to the next one. */
struct free_page {
	struct free_page *next;
};

static u8 pool[PAGE_POOL_SIZE] __attribute__((aligned(PAGE_SIZE)));
/* Guards free_pages. */
static struct spinlock page_lock;
static struct free_page *free_pages;

void page_init(void)
{
	for (u64 i = 0; i < PAGE_POOL_SIZE; i += PAGE_SIZE)
		page_free(pool + i);
}

void *page_alloc(void)
{
	struct free_page *page;

	spin_lock(&page_lock);
	page = free_pages;
	if (page)
		free_pages = page->next;
	spin_unlock(&page_lock);

	return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

void page_free(void *ptr)
{
	struct free_page *page = ptr;

	spin_lock(&page_lock);
	page->next = free_pages;
	free_pages = page;
	spin_unlock(&page_lock);
}
