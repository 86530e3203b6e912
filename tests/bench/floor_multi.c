/*
 * floor_multi.c - the floor of many pushes at once on one thread.
 *
 *     floor_multi URL COUNT CONCURRENCY
 *
 * curl_multi_perform with curl_multi_poll; FLOOR_LOOP=socket: curl_multi_socket_action, each socket in an
 * epoll descriptor, as a host with a loop of its own has to do it.
 */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sys/epoll.h>
#include <unistd.h>
#endif

static struct bench bench;
static CURLM *multi;
static long active;

static void start(struct floor_push *push)
{
    if (!bench_start_one(&bench)) {
        active--;
        return;
    }
    floor_set_post(push);
    curl_multi_add_handle(multi, push->easy);
}

static void harvest(void)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        struct floor_push *push = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &push);
        curl_multi_remove_handle(multi, push->easy);
        int good = floor_check(push, code);
        if (good && !push->reading) {
            floor_set_get(push);
            curl_multi_add_handle(multi, push->easy);
        } else {
            bench_done_one(&bench, good, push->began);
            start(push);
        }
    }
}

static void run_poll(void)
{
    int running;
    while (active > 0) {
        curl_multi_perform(multi, &running);
        harvest();
        if (active > 0) curl_multi_perform(multi, &running);
        harvest();
        if (active > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
}

#if defined(__linux__)
#define EVENTS 256
static int poller;
static long wait_ms = -1;

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *known)
{
    struct epoll_event event = {.data.fd = socket};
    (void)easy;
    (void)user;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(poller, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    epoll_ctl(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
    if (!known) curl_multi_assign(multi, socket, &poller);
    return 0;
}

static int on_timer(CURLM *of, long timeout_ms, void *user)
{
    (void)of;
    (void)user;
    wait_ms = timeout_ms;
    return 0;
}

static void run_sockets(void)
{
    struct epoll_event events[EVENTS];
    int running;
    poller = epoll_create1(EPOLL_CLOEXEC);
    while (active > 0) {
        int count = wait_ms == 0 ? 0 : epoll_wait(poller, events, EVENTS, (int)wait_ms);
        if (count <= 0) {
            wait_ms = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        for (int i = 0; i < count; i++) {
            int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                       (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                       (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[i].data.fd, what, &running);
        }
        harvest();
    }
    close(poller);
}
#endif

int main(int argc, char **argv)
{
    const char *loop = getenv("FLOOR_LOOP");
    int sockets = loop && strcmp(loop, "socket") == 0;
    floor_begin(&bench, argc, argv);
    multi = curl_multi_init();
    struct floor_push *pushes = calloc((size_t)bench.concurrency, sizeof *pushes);
    if (!multi || !pushes) return 2;
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, bench.concurrency);
#if defined(__linux__)
    if (sockets) {
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    }
#endif
    active = bench.concurrency;
    for (long i = 0; i < bench.concurrency; i++) {
        floor_push_init(&pushes[i]);
        start(&pushes[i]);
    }
#if defined(__linux__)
    if (sockets) run_sockets();
#endif
    run_poll();
    int failed = bench.errors > 0;
    for (long i = 0; i < bench.concurrency; i++) floor_push_free(&pushes[i]);
    free(pushes);
    curl_multi_cleanup(multi);
    floor_end();
    bench_end(&bench);
    return failed;
}
