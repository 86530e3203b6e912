/*
 * test_campaign.c - nothing lost, nothing doubled: operations of a tracker that does what it is asked and
 * then misbehaves in every way, at every point (D1 to D5).
 *
 *   test_delivery_campaign [long | STRIDE] [WORDS]
 *
 * long: all points but for two of three single bytes.  STRIDE: one of so many points, one of nine times so
 * many single bytes.  WORDS: only those points whose description has them.
 */
#include "batch.h"

enum { STRIDE_USUAL = 31, BYTES_USUAL = 9, BYTES_LONG = 3, SLOW_EVERY = 7, TOLD_MAX = 20 };

static size_t stride = STRIDE_USUAL, byte_stride = STRIDE_USUAL * BYTES_USUAL;
static const char *words;

static struct {
    size_t counter, points, happened, resumed, told;
    size_t faults[FAULTS], ways[MISHAPS]; /* ways: mishaps that happened */
} sum;

/* ---- batches of the same pace -------------------------------------------------------------------- */

struct collector {
    struct batch batches[PACES];
    size_t stride;
    int slow; /* also points that cost seconds, whatever their number is */
};

static void tell(const struct batch *batch, size_t trial)
{
    char text[512];
    const struct finding *finding = &batch->findings[trial];
    sum.faults[finding->fault]++;
    if (!finding->fault || sum.told++ >= TOLD_MAX) return;
    point_text(&batch->setting, &batch->points[trial], text, sizeof text);
    printf("%s: %s: %s\n    %s\n", fault_name(finding->fault), text, finding->text, batch->told[trial]);
}

static void finish(struct batch *batch)
{
    if (!batch->count) return;
    batch->serial = sum.points;
    batch_run(batch);
    for (size_t i = 0; i < batch->count; i++) {
        sum.happened += batch->happened[i] != 0;
        sum.ways[batch->points[i].mishap.way] += batch->happened[i] != 0;
        tell(batch, i);
        free(batch->told[i]);
    }
    sum.points += batch->count;
    sum.resumed += batch->resumed;
    *batch = (struct batch){.setting = batch->setting, .pace = batch->pace};
}

/* A sample without a period, always the same. */
static int is_sampled(size_t every)
{
    uint32_t mixed = (uint32_t)sum.counter++ * 2654435761u;
    return (mixed >> 8) % every == 0;
}

/* Of points that cost seconds there are as many, but in few settings. */
static int is_taken(const struct collector *collector, const struct point *point)
{
    int is_slow = point->pace == PACE_STALLED || point->pace == PACE_WAITING;
    if (!is_slow || stride == 1) return is_sampled(collector->stride);
    return is_sampled(stride / SLOW_EVERY + 1) && collector->slow;
}

static void collect(void *user, const struct point *point)
{
    struct collector *collector = user;
    struct batch *batch = &collector->batches[point->pace];
    char text[512];
    if (words) point_text(&batch->setting, point, text, sizeof text);
    if (words ? !strstr(text, words) : !is_taken(collector, point)) return;
    batch->points[batch->count++] = *point;
    if (batch->count == TRIALS_MAX) finish(batch);
}

static void run_setting(const struct setting *setting, int slow)
{
    struct lengths lengths = batch_measure(setting);
    struct collector collector = {.stride = stride, .slow = slow};
    for (enum pace pace = 0; pace < PACES; pace++) {
        collector.batches[pace].setting = *setting;
        collector.batches[pace].pace = pace;
    }
    points_of_all_else(setting, &lengths, collect, &collector);
    collector.stride = byte_stride;
    if (setting->scheme == HTTP) points_of_bytes(setting, &lengths, collect, &collector);
    for (enum pace pace = 0; pace < PACES; pace++) finish(&collector.batches[pace]);
}

/* ---- settings ------------------------------------------------------------------------------------ */

static void every_setting(void **state)
{
    static const unsigned attempts[] = {1, 3};
    static const enum scheme schemes[] = {HTTP, HTTPS13};
    (void)state;
    for (unsigned i = 0; i < DRIVERS * COUNT(attempts) * COUNT(schemes) * POLICIES; i++) {
        struct setting setting = {.driver = i % DRIVERS,
                                  .attempts = attempts[i / DRIVERS % COUNT(attempts)],
                                  .scheme = schemes[i / DRIVERS / COUNT(attempts) % COUNT(schemes)],
                                  .policy = (enum policy)(i / DRIVERS / COUNT(attempts) / COUNT(schemes))};
        run_setting(&setting, i % SLOW_EVERY == 0);
    }
    for (enum fault fault = FAULT_LOST; fault < FAULTS; fault++) assert_int_equal(sum.faults[fault], 0);
    if (words) return;
    assert_true(sum.happened > sum.points / 10 * 9);
    for (enum mishap_way way = MISHAP_NONE + 1; way < MISHAPS; way++) assert_int_not_equal(sum.ways[way], 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "long") == 0) {
        stride = 1;
        byte_stride = BYTES_LONG;
    } else if (argc > 1) {
        stride = strtoul(argv[1], NULL, 10);
        byte_stride = stride * BYTES_USUAL;
    }
    if (argc > 2) words = argv[2];
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_setting)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message(
        "%zu points, %zu of them happened, %zu operations were resumed: %zu lost, %zu doubled, %zu wrong\n",
        sum.points, sum.happened, sum.resumed, sum.faults[FAULT_LOST], sum.faults[FAULT_DOUBLED],
        sum.faults[FAULT_WRONG]);
    return failed;
}
