/* page_end.h - text that ends where memory ends: a read behind it is a crash. */
#ifndef PAGE_END_H
#define PAGE_END_H

#include "base/text.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

struct page_end {
    char *pages;
    size_t size, page;
};

static inline struct page_end page_end_new(size_t room)
{
    struct page_end end = {.page = (size_t)sysconf(_SC_PAGESIZE)};
    end.size = (room + end.page - 1) / end.page * end.page;
    end.pages = mmap(NULL, end.size + end.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(end.pages != MAP_FAILED);
    int status = mprotect(end.pages + end.size, end.page, PROT_NONE);
    assert(status == 0);
    (void)status;
    return end;
}

static inline struct casehook__text page_end_put(struct page_end *end, struct casehook__text text)
{
    assert(text.length <= end->size);
    char *place = end->pages + end->size - text.length;
    if (text.length) memcpy(place, text.data, text.length);
    return (struct casehook__text){place, text.length};
}

static inline void page_end_free(struct page_end *end)
{
    munmap(end->pages, end->size + end->page);
}

#endif
