/* lane.c - lanes of a connector: taken for one operation, kept warm in between. */
#include "connector.h"

#define KEPT_BYTES (256 * 1024) /* a larger buffer is not kept for the next operation */

/* In a child process the connections are still the parent's: to close them properly would end them there too.
 */
void casehook__lane_free(struct casehook_connector *connector, struct casehook__lane *lane)
{
    bool here = casehook__connector_is_here(connector);
    for (size_t i = 0; i < CASEHOOK__CALLS && here; i++) {
        casehook__transfer_free(lane->transfers[i]);
        casehook__wire_free(lane->wires[i]);
    }
    casehook__exchange_free(&lane->exchange);
    casehook__free(connector->heap, lane);
}

struct casehook__lane *casehook__lane_new(struct casehook_connector *connector)
{
    struct casehook__lane *lane = casehook__calloc(connector->heap, 1, sizeof *lane);
    if (!lane) return NULL;
    casehook__exchange_init(&lane->exchange, connector->heap);
    lane->exchange.config = connector->config;
    lane->exchange.settings = connector->settings;
    lane->exchange.mask = connector->mask;
    return lane;
}

struct casehook__lane *casehook__lane_take(struct casehook_connector *connector)
{
    pthread_mutex_lock(&connector->lock);
    struct casehook__lane *lane = connector->idle;
    if (lane) {
        connector->idle = lane->next;
        connector->idle_count--;
    }
    pthread_mutex_unlock(&connector->lock);
    return lane ? lane : casehook__lane_new(connector);
}

static void shrink(struct casehook__buf *buf)
{
    if (buf->capacity > KEPT_BYTES) casehook__buf_free(buf);
}

void casehook__lane_shrink(struct casehook__lane *lane)
{
    shrink(&lane->exchange.body);
    shrink(&lane->exchange.scratch);
    shrink(&lane->exchange.params.store);
    for (size_t i = 0; i < CASEHOOK__CALLS; i++) casehook__transfer_shrink(lane->transfers[i], KEPT_BYTES);
}

/* The last one given back is the first one taken: its connection is the freshest. */
void casehook__lane_give(struct casehook_connector *connector, struct casehook__lane *lane)
{
    bool keep;
    casehook__lane_shrink(lane);
    pthread_mutex_lock(&connector->lock);
    keep = connector->idle_count < connector->settings->max_idle_connections;
    if (keep) {
        lane->next = connector->idle;
        connector->idle = lane;
        connector->idle_count++;
    }
    pthread_mutex_unlock(&connector->lock);
    if (!keep) casehook__lane_free(connector, lane);
}
