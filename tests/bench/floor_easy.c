/*
 * floor_easy.c - the floor of one push at a time: a handle of libcurl that is used again and again.
 *
 *     floor_easy URL COUNT 1
 */
#include "floor.h"

int main(int argc, char **argv)
{
    struct bench bench;
    struct floor_push push;
    floor_begin(&bench, argc, argv);
    floor_push_init(&push);
    while (bench_start_one(&bench)) {
        floor_set_post(&push);
        int good = floor_check(&push, curl_easy_perform(push.easy));
        if (good) {
            floor_set_get(&push);
            good = floor_check(&push, curl_easy_perform(push.easy));
        }
        bench_done_one(&bench, good, push.began);
    }
    int failed = bench.errors > 0;
    floor_push_free(&push);
    floor_end();
    bench_end(&bench);
    return failed;
}
